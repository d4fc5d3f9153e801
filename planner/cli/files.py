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
    save,
    write,
    write_csv,
    write_json,
    write_text,
)


class ReportFormat(StrEnum):
    """What a report is written as."""

    MARKDOWN = "markdown"
    JSON = "json"
    HTML = "html"
    CSV = "csv"
    ADR = "adr"
    XLSX = "xlsx"
    PDF = "pdf"


_BINARY = (ReportFormat.XLSX, ReportFormat.PDF)


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

            write_text(lambda page: presets_text(rows, page))


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
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help="The file: .md, .adr.md (decision record), .html, .pdf, .xlsx, .csv or .json.",
        ),
    ] = None,
    form: Annotated[
        ReportFormat | None, typer.Option("--format", help="What to write; by default what FILE ends with.")
    ] = None,
    sets: SetOption = None,
) -> None:
    """Write a plan as a document for a design review."""
    # errors are JSON only when JSON was asked for by name
    refusal = Format.JSON if form is ReportFormat.JSON else Format.TEXT
    with refusals(refusal):
        chosen = form or _format_of(output)
        from planner.reports import MissingExtraError, report_bytes

        if output is None and chosen in _BINARY:
            refuse_one("--format", chosen.value, "This is no text for a terminal.", "-o FILE beside it", refusal)
        try:
            document = report_bytes(load_scenario(scenario, sets), chosen.value)
        except MissingExtraError as error:
            refuse_one("--format", chosen.value, f"{error}.", "markdown, json or csv", refusal)
        if output is None:
            write(document.decode())
        else:
            save(output, document, "-o", refusal)


def _format_of(output: Path | None) -> ReportFormat:
    from planner.reports import ENDINGS

    if output is None:
        return ReportFormat.MARKDOWN
    ending = max((known for known in ENDINGS if output.name.lower().endswith(known)), key=len, default=None)
    if ending is None:
        message = "The ending does not say which report to write."
        refuse_one("-o", str(output), message, f"{', '.join(ENDINGS)}, or --format")
    return ReportFormat(ENDINGS[ending])
