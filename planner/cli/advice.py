"""Commands that advise on settings: retention, compaction, transactions, batching."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

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


def _quantity(text: str | None, option: str, dimension: str, low: float, form: Format) -> float | None:
    """An option with a unit, in base units."""
    from planner.units import UnitError, examples, parse

    if text is None:
        return None
    try:
        value = parse(text, dimension)
    except UnitError as error:
        refuse_one(option, text, str(error), examples(dimension), form)
    if not low <= value <= 1e9:  # noqa: PLR2004 - thirty years in seconds, or a factor that no cluster sees
        refuse_one(option, text, "The value is out of range.", f"{low:g} to 1e9", form)
    return value


def _show(name: str, found: Any) -> Any:
    """Lay an answer out with the function of `planner.reports.text_advice`."""

    def text(page: Page) -> None:
        from planner.reports import text_advice

        getattr(text_advice, name)(found, page)

    return text


@cli.command("retention")
def retention_command(
    scenario: ScenarioArgument,
    sets: SetOption = None,
    form: FormatOption = Format.TEXT,
    spike: Annotated[
        str | None, typer.Option(metavar="FACTOR", help="Spike over the average rate of every topic: 3.")
    ] = None,
    spike_time: Annotated[str | None, typer.Option(metavar="TIME", help="How long it lasts: 6h.")] = None,
) -> None:
    """Show which limit deletes, when a disk fills in a spike, and what to do then."""
    with refusals(form):
        import datetime as dt

        from planner.operations.retaining import retention

        found = retention(
            load_scenario(scenario, sets),
            spike=_quantity(spike, "--spike", "ratio", 1.0, form),
            spike_time=_quantity(spike_time, "--spike-time", "s", 1.0, form),
            now=dt.datetime.now(dt.UTC),
        )
        answer(found, form, _show("retention_text", found))


@cli.command("compaction")
def compaction_command(scenario: ScenarioArgument, sets: SetOption = None, form: FormatOption = Format.TEXT) -> None:
    """Show what the log cleaner costs, whether it keeps pace, and when a deleted key is gone."""
    with refusals(form):
        from planner.operations.compacting import compaction

        found = compaction(load_scenario(scenario, sets))
        answer(found, form, _show("compaction_text", found))


@cli.command("transactions")
def transactions_command(
    scenario: ScenarioArgument,
    sets: SetOption = None,
    form: FormatOption = Format.TEXT,
    starts_per_day: Annotated[
        str | None, typer.Option(metavar="COUNT", help="Producers of each topic that start anew in a day: 10000.")
    ] = None,
) -> None:
    """Show what transactions and idempotent producers cost, and what they cover."""
    with refusals(form):
        from planner.operations.transacting import transactions

        starts = _quantity(starts_per_day, "--starts-per-day", "per_day", 0.0, form)
        found = transactions(load_scenario(scenario, sets), starts_per_day=starts)
        answer(found, form, _show("transactions_text", found))


@cli.command("batching")
def batching_command(
    scenario: ScenarioArgument,
    sets: SetOption = None,
    form: FormatOption = Format.TEXT,
    linger: Annotated[list[str] | None, typer.Option(metavar="TIME", help="A linger to try: 20ms. Repeatable.")] = None,
    size: Annotated[
        list[str] | None, typer.Option(metavar="BYTES", help="A batch.size to try: 64KiB. Repeatable.")
    ] = None,
) -> None:
    """Show what other values of linger.ms and batch.size save, and which is the cheap win."""
    with refusals(form):
        from planner.operations.batches import LINGERS_S, SIZES_BYTES, batching

        lingers = [_quantity(item, "--linger", "s", 0.0, form) or 0.0 for item in linger or ()]
        sizes = [_quantity(item, "--size", "bytes", 1.0, form) or 1.0 for item in size or ()]
        found = batching(load_scenario(scenario, sets), lingers=lingers or LINGERS_S, sizes=sizes or SIZES_BYTES)
        answer(found, form, _show("batching_text", found))
