"""Commands about files: presets, schema, report."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from planner.cli.common import (
    Format,
    FormatOption,
    ScenarioArgument,
    SetOption,
    cli,
    load_scenario,
    refusals,
    refuse_one,
    write,
    write_csv,
    write_json,
    write_text,
)


class ReportFormat(StrEnum):
    """What a report is written as."""

    MARKDOWN = "markdown"
    JSON = "json"


@cli.command("presets")
def presets_command(form: FormatOption = Format.TEXT) -> None:
    """List the ready-made scenarios, each with its situation and source."""
    from planner.codec import presets

    rows = [preset.to_dict() for preset in presets()]
    with refusals(form):
        if form is Format.JSON:
            write_json(rows)
        elif form is Format.CSV:
            import pandas as pd

            write_csv(pd.DataFrame(rows))
        else:
            from planner.reports.text import presets_text

            write_text(lambda console: presets_text(rows, console))


@cli.command("schema")
def schema_command() -> None:
    """Print the JSON Schema of a scenario."""
    from planner.codec import schema

    with refusals():
        write_json(schema())


@cli.command("report")
def report_command(
    scenario: ScenarioArgument,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write to this file (.md or .json).")
    ] = None,
    form: Annotated[
        ReportFormat | None, typer.Option("--format", help="markdown or json; by default what FILE ends with.")
    ] = None,
    sets: SetOption = None,
) -> None:
    """Write a plan as a document for a design review."""
    # errors are JSON only when JSON was asked for by name
    refusal = Format.JSON if form is ReportFormat.JSON else Format.TEXT
    with refusals(refusal):
        chosen = form or _format_of(output)
        from planner.reports import report

        document = report(load_scenario(scenario, sets), format=chosen.value)
        if output is None:
            write(document)
            return
        try:
            output.write_text(document, encoding="utf-8", newline="\n")
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "not a file name"
            refuse_one("-o", str(output), f"The file cannot be written: {reason}.", "a writable file", refusal)


def _format_of(output: Path | None) -> ReportFormat:
    known = {".md": ReportFormat.MARKDOWN, ".markdown": ReportFormat.MARKDOWN, ".json": ReportFormat.JSON}
    if output is None:
        return ReportFormat.MARKDOWN
    if output.suffix.lower() not in known:
        message = "The ending does not say which report to write."
        refuse_one("-o", str(output), message, ".md or .json, or --format markdown|json")
    return known[output.suffix.lower()]
