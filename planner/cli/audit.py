"""Commands that judge a running cluster: audit, monitoring, diagnose."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from planner.cli.common import (
    INFEASIBLE,
    Format,
    FormatOption,
    ScenarioArgument,
    SetOption,
    answer,
    cli,
    load_scenario,
    refusals,
    refuse_one,
)

if TYPE_CHECKING:
    from planner.advise.pack import Pack
    from planner.reports.page import Page

_Properties = Annotated[
    list[str] | None,
    typer.Option(metavar="[NAME=]FILE", help="A .properties file; without NAME it stands for all. Repeatable."),
]


@cli.command("audit")
def audit_command(
    scenario: ScenarioArgument,
    *,
    sets: SetOption = None,
    form: FormatOption = Format.TEXT,
    broker_properties: Annotated[Path | None, typer.Option(metavar="FILE", help="server.properties.")] = None,
    topic_properties: _Properties = None,
    producer_properties: _Properties = None,
    consumer_properties: _Properties = None,
    admin_dump: Annotated[
        Path | None, typer.Option(metavar="FILE", help="JSON of an admin client's describe_configs, describe_topics.")
    ] = None,
    old_schema: Annotated[Path | None, typer.Option(metavar="FILE", help="Avro or JSON Schema before.")] = None,
    new_schema: Annotated[Path | None, typer.Option(metavar="FILE", help="Avro or JSON Schema after.")] = None,
    compatibility: Annotated[
        str | None, typer.Option(metavar="LEVEL", help="Compatibility level of the schema registry.")
    ] = None,
) -> None:
    """Audit a scenario and what is configured; exit status 1 when a finding is critical."""
    with refusals(form):
        from planner.advise import audit

        if (old_schema is None) != (new_schema is None):
            refuse_one("--old-schema", None, "One schema has nothing to be compared with.", "both schemas", form)
        found = audit(
            load_scenario(scenario, sets),
            broker=broker_properties,
            topics=_named(topic_properties, "--topic-properties", form),
            producers=_named(producer_properties, "--producer-properties", form),
            consumers=_named(consumer_properties, "--consumer-properties", form),
            dump=admin_dump,
            schemas=None if old_schema is None or new_schema is None else (old_schema, new_schema),
            compatibility=compatibility,
        )

        def text(page: Page) -> None:
            from planner.reports.text_audit import audit_text

            audit_text(found, page)

        answer(found, form, text)
    raise typer.Exit(0 if found.passed else INFEASIBLE)


def _named(options: Sequence[str] | None, option: str, form: Format) -> dict[str, Path]:
    """`NAME=FILE` as a mapping; a file that has = in its own path is written with its name or ./ before it."""
    found: dict[str, Path] = {}
    for item in options or ():
        name, equals, path = item.partition("=")
        key, file = (name, path) if equals and "/" not in name else ("", item)
        if key in found:
            refuse_one(option, item, "That name is there twice.", "each name once", form)
        found[key] = Path(file)
    return found


@cli.command("monitoring")
def monitoring_command(
    scenario: ScenarioArgument,
    *,
    sets: SetOption = None,
    form: FormatOption = Format.TEXT,
    metrics: Annotated[
        str,
        typer.Option(metavar="STYLE", help="jmx (exporter with example rules), strimzi (reporter), raw (no rules)."),
    ] = "jmx",
    lag: Annotated[str, typer.Option(metavar="EXPORTER", help="kafka_exporter or kminion.")] = "kafka_exporter",
    rules: Annotated[Path | None, typer.Option(metavar="FILE", help="Write alert rules for Prometheus.")] = None,
    dashboard: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a dashboard for Grafana.")] = None,
) -> None:
    """Make alert rules and a dashboard whose thresholds come from the plan."""
    with refusals(form):
        from planner.advise import monitoring

        found = monitoring(load_scenario(scenario, sets), style=metrics, lag=lag)
        if rules is not None:
            _write_file(rules, "--rules", found.rules, form)
        if dashboard is not None:
            _write_file(dashboard, "--dashboard", json.dumps(found.dashboard, indent=1) + "\n", form)
        answer(found, form, _pack_shower(found))


def _pack_shower(found: Pack) -> Any:
    def text(page: Page) -> None:
        from planner.reports.text_audit import pack_text

        pack_text(found, page)

    return text


def _write_file(path: Path, option: str, text: str, form: Format) -> None:
    try:
        path.write_text(text, encoding="utf-8", newline="\n")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a file name"
        refuse_one(option, str(path), f"The file cannot be written: {reason}.", "a writable file", form)


@cli.command("diagnose")
def diagnose_command(
    scenario: ScenarioArgument,
    *,
    sets: SetOption = None,
    form: FormatOption = Format.TEXT,
    measured: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="A measurement: disk_local_s=800ms. Repeatable."),
    ] = None,
    measurements: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Measurements as YAML or JSON: key: value.")
    ] = None,
    keys: Annotated[bool, typer.Option("--keys", help="List what can be measured, and where it is read.")] = False,
) -> None:
    """Find the layer that makes Kafka slow, from what was measured."""
    with refusals(form):
        from planner.advise import diagnose
        from planner.advise.slowness import read_measurements

        given = read_measurements(measurements) if measurements is not None else {}
        for item in measured or ():
            key, equals, value = item.partition("=")
            if not equals:
                refuse_one("--measured", item, "A measurement is written key=value.", "disk_local_s=800ms", form)
            given[key.strip()] = value.strip()
        found = diagnose(load_scenario(scenario, sets), given)

        def text(page: Page) -> None:
            from planner.reports.text_audit import diagnosis_text, measurements_text

            diagnosis_text(found, page)
            if keys:
                measurements_text(page)

        answer(found, form, text)
