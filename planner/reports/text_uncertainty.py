"""Quantiles and chances as text."""

from __future__ import annotations

from planner.montecarlo import Bar, CountChance, Uncertainty
from planner.reports.page import Page
from planner.reports.tables import Table
from planner.reports.words import quantity, unit_of_input
from planner.results import RESOURCE_WORDS


def uncertainty_text(found: Uncertainty, page: Page) -> None:
    """The quantiles in a sentence, then counts, drivers and what binds."""
    page.line(uncertainty_sentence(found), "bold")
    page.say(uncertainty_details(found))
    page.table(counts_table(found))
    page.table(tornado_table(found))
    page.say(f"{row.message} {row.action}" for row in found.findings)


def counts_table(found: Uncertainty) -> Table:
    """In what share of the worlds each count holds."""
    columns = ("brokers", "holds in", "regret in brokers", "per month")
    return Table("Broker counts", columns, tuple(map(_count, found.counts)), right=frozenset(range(4)))


def tornado_table(found: Uncertainty) -> Table:
    """What each range does alone."""
    bars = ("input", "low", "high", "brokers at low", "at high")
    return Table("What each range does alone", bars, tuple(map(_bar, found.tornado)), right=frozenset({1, 2, 3, 4}))


def uncertainty_sentence(found: Uncertainty) -> str:
    """The quantiles in a sentence."""
    needed = found.brokers
    if needed.p50 is None:
        return f"No broker count holds in any of {found.worlds:,} worlds."
    return (
        f"{needed.p50} brokers are enough in half of {found.worlds:,} worlds, {needed.p90} in 90 %, {needed.p95} in "
        f"95 %; the likely values alone ask for {'none' if needed.likely is None else needed.likely}."
    )


def uncertainty_details(found: Uncertainty) -> list[str]:
    """How sure the planned count is, and what decides."""
    said = [f"{found.count} brokers hold in {found.holds_probability:.1%} of the worlds."]
    if found.least_regret is not None:
        said.append(f"Least regretted, with a missing broker weighed against ones too many: {found.least_regret}.")
    if found.infeasible_fraction > 0:
        said.append(f"In {found.infeasible_fraction:.1%} of the worlds no count is enough.")
    binding = sorted(found.binding.items(), key=lambda item: -item[1])
    if binding:
        shares = ", ".join(f"{RESOURCE_WORDS.get(name, name)} in {share:.0%}" for name, share in binding)
        said.append(f"What decides: {shares}.")
    return said


def _count(row: CountChance) -> tuple[str, ...]:
    price = "-" if row.cost_per_month is None else f"{row.cost_per_month:,.0f}"
    return (str(row.brokers), f"{row.holds_probability:.1%}", f"{row.expected_regret_brokers:.1f}", price)


def _bar(row: Bar) -> tuple[str, ...]:
    unit = unit_of_input(row.path)

    def brokers(count: int | None) -> str:
        return "none holds" if count is None else str(count)

    ends = (quantity(row.low, unit), quantity(row.high, unit))
    return (row.path, *ends, brokers(row.brokers_at_low), brokers(row.brokers_at_high))
