"""The command that looks at a failure."""

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
    read_ids,
    read_quantity,
    refusals,
    refuse,
)

if TYPE_CHECKING:
    from planner.reports.page import Page
    from planner.scenario import InputError


@cli.command("failure")
def failure_command(
    scenario: ScenarioArgument,
    *,
    brokers: Annotated[
        int | None, typer.Option("--brokers", metavar="N", help="Any so many brokers; 1 if nothing is said.")
    ] = None,
    ids: Annotated[str, typer.Option("--ids", metavar="IDS", help="These brokers: 3,7.")] = "",
    zone: Annotated[
        str | None, typer.Option("--zone", metavar="ZONE", help="A zone, by name or number; any for the worst.")
    ] = None,
    disk: Annotated[bool, typer.Option("--disk", help="One volume of one broker, the fullest.")] = False,
    controllers: Annotated[
        int, typer.Option("--controllers", metavar="N", help="So many controllers, alone or with the others.")
    ] = 0,
    after: Annotated[str | None, typer.Option("--after", metavar="TIME", help="How long they are away: 2h.")] = None,
    throttle: Annotated[
        str | None, typer.Option("--throttle", metavar="RATE", help="Replication throttle of every broker: 50MB/s.")
    ] = None,
    sets: SetOption = None,
    form: FormatOption = Format.TEXT,
) -> None:
    """Lose brokers, a zone, a disk or controllers: who bears it, what stops, how long; exit status 1 if it stops."""
    with refusals(form):
        from planner.operations.failures import failure

        errors: list[InputError] = []
        away, rate = (
            read_quantity("--after", after, "s", errors),
            read_quantity("--throttle", throttle, "bytes_per_s", errors),
        )
        chosen = read_ids("--ids", ids, errors)
        if errors:
            refuse(errors, form)
        found = failure(
            load_scenario(scenario, sets),
            brokers=brokers,
            ids=chosen,
            zone=zone,
            disk=disk,
            controllers=controllers,
            after=away,
            throttle=rate,
        )

        def text(page: Page) -> None:
            from planner.reports.text_failure import failure_text

            failure_text(found, page)

        answer(found, form, text)
    raise typer.Exit(0 if found.holds else INFEASIBLE)
