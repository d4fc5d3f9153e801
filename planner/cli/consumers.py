"""The commands about consumer groups."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from planner.cli.common import (
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
    from planner.fields import InputError
    from planner.reports.page import Page


class At(StrEnum):
    """Which rates the records arrive at."""

    PEAK = "peak"
    AVERAGE = "average"


@cli.command("consumers")
def consumers_command(
    scenario: ScenarioArgument,
    *,
    sets: SetOption = None,
    outage: Annotated[str | None, typer.Option(metavar="TIME", help="How long the consumers are down: 2h.")] = None,
    deadline: Annotated[
        str | None, typer.Option(metavar="TIME", help="Time in which the lag must be gone: 1h.")
    ] = None,
    at: Annotated[At, typer.Option(help="Rates during the outage and after it.")] = At.PEAK,
    form: FormatOption = Format.TEXT,
) -> None:
    """Show how busy each group is, its lag after an outage, when it is read, and what is deleted unread."""
    with refusals(form):
        from planner.operations.lag import consumers

        errors: list[InputError] = []
        times = {
            "outage_s": read_quantity("--outage", outage, "s", errors),
            "deadline_s": read_quantity("--deadline", deadline, "s", errors),
        }
        if errors:
            refuse(errors, form)
        found = consumers(load_scenario(scenario, sets), at=at.value, **times)

        def text(page: Page) -> None:
            from planner.reports.text_consumers import consumers_text

            consumers_text(found, page)

        answer(found, form, text)


@cli.command("rebalance")
def rebalance_command(scenario: ScenarioArgument, *, sets: SetOption = None, form: FormatOption = Format.TEXT) -> None:
    """Show how often each group rebalances, what it loses by that, whether it is a storm, and what ends it."""
    with refusals(form):
        from planner.operations.rebalances import rebalance

        found = rebalance(load_scenario(scenario, sets))

        def text(page: Page) -> None:
            from planner.reports.text_consumers import rebalance_text

            rebalance_text(found, page)

        answer(found, form, text)
