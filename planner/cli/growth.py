"""The command that follows a growing load."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
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
    read_text_file,
    refusals,
    refuse_one,
)

if TYPE_CHECKING:
    from planner.reports.page import Page


@cli.command("growth")
def growth_command(
    scenario: ScenarioArgument,
    *,
    sets: SetOption = None,
    months: Annotated[int, typer.Option("--months", help="How far to look.")] = 36,
    per_year: Annotated[
        str | None, typer.Option("--per-year", metavar="SHARE", help="Growth in a year: 40% or 0.4.")
    ] = None,
    history: Annotated[
        Path | None,
        typer.Option("--history", metavar="FILE", help="A CSV of date and bytes, a row a day: the growth is fitted."),
    ] = None,
    start: Annotated[
        str | None, typer.Option("--start", metavar="DATE", help="The day the months count from; today by default.")
    ] = None,
    ahead: Annotated[int, typer.Option("--ahead", help="Months that a purchase of brokers should last.")] = 6,
    form: FormatOption = Format.TEXT,
) -> None:
    """Find when a growing load breaks the cluster, what to buy, and which topics need more partitions."""
    with refusals(form):
        from planner.runway import MOST_BYTES, growth

        found = growth(
            load_scenario(scenario, sets),
            months=months,
            per_year=None if per_year is None else _share(per_year, form),
            history=None if history is None else read_text_file(history, MOST_BYTES, "--history", form),
            start=None if start is None else _date(start, form),
            ahead=ahead,
        )

        def text(page: Page) -> None:
            from planner.reports.text_growth import growth_text

            growth_text(found, page)

        answer(found, form, text)


def _share(text: str, form: Format) -> float:
    from planner.units import UnitError, parse

    try:
        return parse(text, "fraction")
    except UnitError as error:
        refuse_one("--per-year", text, str(error), "such as 40% or 0.4", form)


def _date(text: str, form: Format) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        refuse_one("--start", text, "This is no date.", "such as 2026-01-31", form)
