"""The command that turns ranges on inputs into quantiles of the answer."""

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
    refusals,
    refuse_one,
)

if TYPE_CHECKING:
    from planner.reports.page import Page


class Shape(StrEnum):
    """What a range stands for."""

    PERT = "pert"
    LOGNORMAL = "lognormal"


@cli.command("uncertainty")
def uncertainty_command(
    scenario: ScenarioArgument,
    *,
    sets: SetOption = None,
    worlds: Annotated[int, typer.Option("--worlds", help="Worlds to sample; powers of two spread best.")] = 1024,
    seed: Annotated[int, typer.Option("--seed", min=0, help="The same seed gives the same worlds.")] = 1,
    shape: Annotated[
        Shape,
        typer.Option("--distribution", help="pert: low and high are the ends; lognormal: the 5 and 95 % quantiles."),
    ] = Shape.PERT,
    load: Annotated[
        str | None,
        typer.Option("--load", metavar="LOW:HIGH", help="A common factor on all rates, likely 1: 0.8:1.5."),
    ] = None,
    form: FormatOption = Format.TEXT,
) -> None:
    """Sample the inputs that are ranges: quantiles of brokers and cost, and the chance that a cluster holds."""
    with refusals(form):
        from planner.montecarlo import uncertainty

        found = uncertainty(
            load_scenario(scenario, sets),
            worlds=worlds,
            seed=seed,
            distribution=shape.value,
            load=None if load is None else _ends(load, form),
        )

        def text(page: Page) -> None:
            from planner.reports.text_uncertainty import uncertainty_text

            uncertainty_text(found, page)

        answer(found, form, text)


def _ends(text: str, form: Format) -> tuple[float, float]:
    try:
        low, high = (float(part) for part in text.split(":"))
    except ValueError:
        refuse_one("--load", text, "These are no two factors.", "such as 0.8:1.5", form)
    return low, high
