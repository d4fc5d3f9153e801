"""The command that moves replicas."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from planner.cli.common import (
    BROKER_ID,
    INFEASIBLE,
    Format,
    FormatOption,
    ScenarioArgument,
    SetOption,
    answer,
    cli,
    load_scenario,
    read_ids,
    read_quantity,
    refusals,
    refuse,
    write_folder,
)

if TYPE_CHECKING:
    from planner.operations.reassigning import Reassignment
    from planner.reports.page import Page
    from planner.scenario import InputError


@cli.command("reassign")
def reassign_command(
    scenario: ScenarioArgument,
    *,
    to_brokers: Annotated[
        int | None,
        typer.Option(
            "--to-brokers",
            metavar="N",
            help="Brokers that there shall be: more, fewer, or as many as now to even them out.",
        ),
    ] = None,
    remove: Annotated[str, typer.Option("--remove", metavar="IDS", help="Brokers to empty: 3,7.")] = "",
    replace: Annotated[
        str, typer.Option("--replace", metavar="OLD:NEW", help="Brokers to replace by new ones: 5:9,6:10.")
    ] = "",
    replication_factor: Annotated[
        int | None, typer.Option("--replication-factor", metavar="K", help="Replicas that every partition shall have.")
    ] = None,
    topic: Annotated[str | None, typer.Option("--topic", metavar="T", help="Only this topic's replicas.")] = None,
    assignment: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Current assignment, JSON of kafka-reassign-partitions.")
    ] = None,
    log_dirs: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Sizes of replicas, output of kafka-log-dirs --describe.")
    ] = None,
    throttle: Annotated[
        str | None, typer.Option(metavar="RATE", help="Replication throttle: 50MB/s. Default: recommended.")
    ] = None,
    within: Annotated[str | None, typer.Option(metavar="TIME", help="Time that the move may take: 8h.")] = None,
    dead: Annotated[str, typer.Option(metavar="IDS", help="Brokers that do not run any more: 5.")] = "",
    batch_partitions: Annotated[int | None, typer.Option(metavar="N", help="Most partitions moved at once.")] = None,
    batch_bytes: Annotated[str | None, typer.Option(metavar="SIZE", help="Most bytes moved at once: 1TiB.")] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="DIR", help="Write batch files and steps to a new folder.")
    ] = None,
    sets: SetOption = None,
    form: FormatOption = Format.TEXT,
) -> None:
    """Move replicas for more, fewer or other brokers, or other copies; exit status 1 when it cannot be done so."""
    with refusals(form):
        from planner.operations.reassigning import reassign
        from planner.sources.kafka_tools import assignment_of, read_tool_file, sizes_of

        errors: list[InputError] = []
        rates = {
            "throttle": read_quantity("--throttle", throttle, "bytes_per_s", errors),
            "within": read_quantity("--within", within, "s", errors),
            "batch_bytes": read_quantity("--batch-bytes", batch_bytes, "bytes", errors),
        }
        emptied, gone = read_ids("--remove", remove, errors), read_ids("--dead", dead, errors)
        pairs = _pairs(replace, errors)
        if errors:
            refuse(errors, form)
        result = reassign(
            load_scenario(scenario, sets),
            to_brokers=to_brokers,
            remove=emptied,
            replace=pairs,
            replication_factor=replication_factor,
            topic=topic,
            dead=gone,
            batch_partitions=batch_partitions,
            assignment=None if assignment is None else read_tool_file(assignment, assignment_of),
            sizes=None if log_dirs is None else read_tool_file(log_dirs, sizes_of),
            **rates,
        )
        if output is not None:
            _write(result, output, form)

        def text(page: Page) -> None:
            from planner.reports.text_reassign import reassign_text

            reassign_text(result, page, written=None if output is None else str(output))

        answer(result, form, text)
    wrong = any(finding.severity == "critical" for finding in result.findings)
    raise typer.Exit(INFEASIBLE if wrong else 0)


def _pairs(text: str, errors: list[InputError]) -> dict[int, int]:
    from planner.scenario import InputError

    pairs: dict[int, int] = {}
    for word in text.split(",") if text else []:
        old, _, new = (part.strip() for part in word.partition(":"))
        if not BROKER_ID.fullmatch(old) or not BROKER_ID.fullmatch(new):
            message = "A replacement names the old and the new broker, whole numbers from 0."
            errors.append(InputError("--replace", word, message, "OLD:NEW, such as 5:9"))
        elif int(old) in pairs:
            errors.append(InputError("--replace", word, "This broker is replaced twice.", "each broker once"))
        else:
            pairs[int(old)] = int(new)
    return pairs


def _write(result: Reassignment, folder: Path, form: Format) -> None:
    """Write every batch and the steps as new files; nothing that exists is touched."""
    from planner.operations.reassign_steps import batch_file

    count = len(result.batches)
    texts = {
        batch_file(number, count): json.dumps(batch, indent=1) + "\n"
        for number, batch in enumerate(result.batches, start=1)
    }
    texts["steps.txt"] = "".join(f"{number}. {step}\n" for number, step in enumerate(result.steps, start=1))
    write_folder(folder, texts, form)
