"""Commands about losing data: durability, and the copy in another region."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

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
    read_quantity,
    refusals,
    refuse,
)

if TYPE_CHECKING:
    from planner.reports.page import Page
    from planner.scenario import InputError


@cli.command("durability")
def durability_command(scenario: ScenarioArgument, sets: SetOption = None, form: FormatOption = Format.TEXT) -> None:
    """Show how long topics take no writes, how likely records are lost, and other replication settings beside it."""
    with refusals(form):
        from planner.operations.losses import durability

        found = durability(load_scenario(scenario, sets))

        def text(page: Page) -> None:
            from planner.reports.text_durability import durability_text

            durability_text(found, page)

        answer(found, form, text)


@cli.command("mirror")
def mirror_command(
    scenario: ScenarioArgument,
    *,
    sets: SetOption = None,
    outage: Annotated[
        str | None, typer.Option("--link-outage", metavar="TIME", help="How long the link is away: 2h.")
    ] = None,
    form: FormatOption = Format.TEXT,
) -> None:
    """Show what copies to other regions carry and how old they are; exit status 1 when one cannot keep up."""
    with refusals(form):
        from planner.operations.regions import mirror

        errors: list[InputError] = []
        away = read_quantity("--link-outage", outage, "s", errors)
        if errors:
            refuse(errors, form)
        found = mirror(load_scenario(scenario, sets), outage_s=away)

        def text(page: Page) -> None:
            from planner.reports.text_durability import mirror_text

            mirror_text(found, page)

        answer(found, form, text)
    raise typer.Exit(INFEASIBLE if any(row.severity == "critical" for row in found.findings) else 0)
