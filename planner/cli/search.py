"""The command that looks for the cheapest brokers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

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
    read_text_file,
    refusals,
    refuse,
)

if TYPE_CHECKING:
    from planner.reports.page import Page
    from planner.scenario import InputError


@cli.command("search")
def search_command(  # noqa: PLR0917 - the options of a command
    scenario: ScenarioArgument,
    sets: SetOption = None,
    seller: Annotated[
        list[str] | None, typer.Option("--seller", help="aws, msk, gcp or azure. Repeatable; all by default.")
    ] = None,
    prices: Annotated[
        Literal["on_demand", "reserved_3y"], typer.Option("--prices", help="on_demand, or reserved_3y (AWS only).")
    ] = "on_demand",
    discount: Annotated[str, typer.Option("--discount", metavar="SHARE", help="Off every list price: 15%.")] = "0%",
    currency: Annotated[str, typer.Option("--currency", metavar="CODE", help="Currency of the answer.")] = "USD",
    rate: Annotated[str, typer.Option("--rate", metavar="NUMBER", help="Units of it for one US dollar.")] = "1",
    offers: Annotated[
        Path | None,
        typer.Option("--offers", metavar="FILE", help="A CSV of your own machines, or of your prices for known types."),
    ] = None,
    worlds: Annotated[
        int, typer.Option("--worlds", help="Sample the scenario's ranges this often and say how sure the answer is.")
    ] = 0,
    form: FormatOption = Format.TEXT,
) -> None:
    """Find the cheapest brokers that hold: type, storage and count, with what each refused type fails at."""
    with refusals(form):
        from planner.catalogue.own import MOST_BYTES
        from planner.optimise import search

        errors: list[InputError] = []
        off = read_quantity("--discount", discount, "fraction", errors)
        factor = read_quantity("--rate", rate, "ratio", errors)
        if errors:
            refuse(errors, form)
        found = search(
            load_scenario(scenario, sets),
            sellers=seller,
            prices=prices,
            discount_fraction=off or 0.0,
            currency=currency,
            currency_rate=1.0 if factor is None else factor,
            offers=None if offers is None else read_text_file(offers, MOST_BYTES, "--offers", form),
            worlds=worlds,
        )

        def text(page: Page) -> None:
            from planner.reports.text_search import search_text

            search_text(found, page)

        answer(found, form, text)
    raise typer.Exit(INFEASIBLE if found.best is None or found.over_budget else 0)
