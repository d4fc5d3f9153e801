"""The command that answers whether Kafka is needed: with a scenario, or with flags alone."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from planner.cli.common import Format, answer, cli, load_scenario, refusals, refuse_one

if TYPE_CHECKING:
    from planner.recommender.recommendation import Recommendation
    from planner.reports.page import Page
    from planner.scenario import Scenario

# One flag for each question: its name, what it takes, and its help. A test holds them against `Questions`; they are
# written out here because the command's help must not load the models.
FLAGS = {
    "events_per_s": ("RATE", "Average rate; or --events-per-day."),
    "events_per_day": ("RATE", "Average rate per day."),
    "peak_events_per_s": ("RATE", "Rate at the peak."),
    "bytes_per_s": ("RATE", "Average bytes; or --message-bytes."),
    "message_bytes": ("SIZE", "Mean size of a message."),
    "consumer_groups": ("COUNT", "Independent readers of the same data."),
    "replay": ("YES|NO", "Consumed data is read again."),
    "retention": ("TIME", "How long data is kept, or forever."),
    "ordering": ("WORD", "none, per_key, global."),
    "work": ("WORDS", "queue, events, stateful, ingest, state; one or several, separated by commas."),
    "exactly_once": ("WORD", "no, kafka_to_kafka, with_database."),
    "atomic_with_database": ("YES|NO", "Enqueue in the transaction of a business write."),
    "per_message_ack": ("YES|NO", "Retry and dead-letter single messages."),
    "delay": ("YES|NO", "Messages are delivered later."),
    "priority": ("YES|NO", "Some messages go first."),
    "routing": ("WORDS", "none, filter, complex, push."),
    "queues": ("COUNT", "Separate queues or tenants."),
    "backlog": ("COUNT", "Records that may pile up."),
    "workers_exceed_partitions": ("YES|NO", "Many slow workers."),
    "latency_p99": ("TIME", "Latency that is needed."),
    "protocols": ("WORDS", "kafka, amqp, jms, mqtt, http."),
    "ecosystem": ("WORDS", "connectors, cdc, flink, kafka_streams, lake."),
    "cloud": ("WORD", "aws, gcp, azure, multi, on_premises."),
    "multi_region": ("WORD", "no, yes, active_active."),
    "cross_team": ("YES|NO", "Several teams share the data."),
    "engineers": ("COUNT", "Who can run it; 0 = nobody."),
    "managed_only": ("YES|NO", "Only managed services."),
    "existing": ("NAMES", "Products that already run well, such as postgres,redis."),
    "leaving": ("NAMES", "Products that run and are the trouble."),
    "bursty": ("YES|NO", "Idle most of the time."),
    "growth_per_year": ("FRACTION", "Growth of the load in a year."),
    "budget_per_month": ("MONEY", "Most that it may cost."),
    "hourly_rate": ("MONEY", "Cost of an engineer's hour."),
}
LISTS = frozenset({"work", "routing", "protocols", "ecosystem", "existing", "leaving"})


def _recommend(
    scenario: str | None, sets: list[str] | None, form: Format, preferences: Path | None, adr: Path | None, **flags: Any
) -> None:
    """Say whether Kafka is needed, what to use instead, and what would change that.

    With a scenario, or with the flags of the questions alone. An answer may be "unknown".
    """
    with refusals(form):
        found = _scenario(scenario, [*_assignments(flags), *(sets or ())])
        from planner.recommender import recommend
        from planner.recommender.preferences import read_table

        table = None if preferences is None else read_table(preferences)
        result = recommend(found, table=table)
        if adr is not None:
            _write_adr(result, adr, form)

        def text(page: Page) -> None:
            from planner.reports.text_recommend import recommend_text

            recommend_text(result, page)

        answer(result, form, text)


def _assignments(flags: dict[str, str | None]) -> list[str]:
    """The flags as changes of the scenario's questions."""
    changes = []
    for name, value in flags.items():
        if value is not None:
            listed = name in LISTS and not value.lstrip().startswith("[") and value.strip().lower() != "unknown"
            changes.append(f"questions.{name}=[{value}]" if listed else f"questions.{name}={value}")
    return changes


def _scenario(source: str | None, changes: list[str]) -> Scenario:
    if source is not None:
        return load_scenario(source, changes)
    from planner.codec import load

    return load({}, sets=changes)


def _write_adr(result: Recommendation, path: Path, form: Format) -> None:
    from planner.reports.adr import adr_document

    try:
        path.write_text(adr_document(result), encoding="utf-8", newline="\n")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a file name"
        refuse_one("--adr", str(path), f"The file cannot be written: {reason}.", "a writable file", form)


def _option(name: str) -> inspect.Parameter:
    metavar, text = FLAGS[name]
    option = typer.Option(f"--{name.replace('_', '-')}", metavar=metavar, help=text)
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[str | None, option]
    )


def _parameters() -> list[inspect.Parameter]:
    argument = typer.Argument(
        metavar="[SCENARIO]", help="A file, - for standard input, or preset:NAME; may be left out."
    )
    changes = typer.Option("--set", metavar="PATH=VALUE", help="Change one input: questions.replay=yes. Repeatable.")
    shape = typer.Option("--format", help="text, json (the contract), or csv (the scores).")
    table = typer.Option(
        "--preferences", metavar="FILE", help="A table of preferences (TOML) instead of the built-in one."
    )
    record = typer.Option("--adr", metavar="FILE", help="Also write an architecture decision record (Markdown).")
    shared = (
        ("scenario", Annotated[str | None, argument], None),
        ("sets", Annotated[list[str] | None, changes], None),
        ("form", Annotated[Format, shape], Format.TEXT),
        ("preferences", Annotated[Path | None, table], None),
        ("adr", Annotated[Path | None, record], None),
    )
    kind = inspect.Parameter.KEYWORD_ONLY
    return [
        *(inspect.Parameter(name, kind, default=default, annotation=shown) for name, shown, default in shared),
        *map(_option, FLAGS),
    ]


def recommend_command(**given: Any) -> None:
    """Whatever the command line gave, by name."""
    _recommend(**given)


# typer reads options from the signature: one for every question
recommend_command.__signature__ = inspect.Signature(_parameters())  # type: ignore[attr-defined]
recommend_command.__annotations__ = {row.name: row.annotation for row in _parameters()}
recommend_command.__doc__ = _recommend.__doc__
cli.command("recommend")(recommend_command)
