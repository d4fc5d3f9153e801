"""The command that writes the files which carry a plan out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from planner.cli.common import (
    INFEASIBLE,
    Format,
    ScenarioArgument,
    SetOption,
    cli,
    load_scenario,
    refusals,
    refuse_one,
    write,
    write_folder,
    write_json,
)


@cli.command("artefacts")
def artefacts_command(
    scenario: ScenarioArgument,
    *,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="DIR", help="Write the files into a new folder.")
    ] = None,
    sets: SetOption = None,
    form: Annotated[
        Format, typer.Option("--format", help="text (the list of files), or json (text of every file by its name).")
    ] = Format.TEXT,
) -> None:
    """Write what operators need: topic commands, Strimzi, KEDA, quotas, load test, alerts; status 1 when infeasible."""
    with refusals(form):
        if form is Format.CSV:
            refuse_one("--format", "csv", "Files are no table.", "text or json", form)
        from planner.reports.artefacts import INDEX, artefacts
        from planner.sizing import plan

        result = plan(load_scenario(scenario, sets))
        files = artefacts(result)
        if output is not None:
            write_folder(output, files, form)
        if form is Format.JSON:
            write_json(files)
        else:
            write(files[INDEX])
    raise typer.Exit(0 if result.feasible else INFEASIBLE)
