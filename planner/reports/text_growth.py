"""Months to come as text."""

from __future__ import annotations

from planner.reports.page import Page
from planner.reports.tables import Table
from planner.reports.words import STATE_LABELS, quantity
from planner.results import RESOURCE_WORDS, STATE_WORDS
from planner.runway import FirstLimit, Growth, Month, Purchase


def growth_text(found: Growth, page: Page) -> None:
    """The first limit in a sentence, then limits, purchases and months."""
    page.line(growth_sentence(found), "bold")
    page.say([rate_sentence(found), *(f"{row.message} {row.action}" for row in found.findings)])
    page.table(limits_table(found))
    if found.steps:
        page.table(steps_table(found))
    page.table(months_table(found))


def limits_table(found: Growth) -> Table:
    """When each limit of today's cluster is reached."""
    limits = ("resource", "state", "at load", "date", "between", "and")
    return Table("When each limit is reached", limits, tuple(map(_limit, found.first_limits)), right=frozenset({2}))


def steps_table(found: Growth) -> Table:
    """What to buy and to change."""
    steps = ("by", "do", "from", "to", "because", "keys\nthat move", "bytes\nto move", "time")
    rows = tuple(map(_step, found.steps))
    return Table("What to do, and by when", steps, rows, right=frozenset({2, 3, 5, 6, 7}), prose=frozenset({1}))


def months_table(found: Growth) -> Table:
    """Month by month, with what is bought."""
    months = (
        "month",
        "date",
        "load",
        "brokers",
        "holds",
        "fullest",
        "in",
        "of its limit",
        "disk",
        "per month",
        "so far",
    )
    numbers = frozenset({0, 2, 3, 7, 8, 9, 10})
    return Table("Months", months, tuple(map(_month, found.months)), right=numbers)


def growth_sentence(found: Growth) -> str:
    """The first limit in a sentence."""
    first = found.first_limits[0] if found.first_limits else None
    if first is None or first.date is None:
        return f"{found.brokers} brokers hold for all {len(found.months) - 1} months looked at."
    where = f"{RESOURCE_WORDS[first.resource]} when {STATE_WORDS[first.state]}"
    return f"{found.brokers} brokers reach their first limit on {first.date}: {where}."


def rate_sentence(found: Growth) -> str:
    """How fast the load grows."""
    if not found.fitted:
        return f"The load grows by {found.growth_per_year:.1%} a year."
    return (
        f"The history grows by {found.growth_per_year:.1%} a year (95 % interval {found.growth_per_year_low:.1%} to "
        f"{found.growth_per_year_high:.1%})."
    )


def _limit(row: FirstLimit) -> tuple[str, ...]:
    resource, state = RESOURCE_WORDS[row.resource], STATE_LABELS[row.state]
    if row.load_factor is None:
        return (resource, state, "-", row.date_reason or "-", "-", "-")
    at = f"{row.load_factor:.2f} times"
    return (resource, state, at, row.date or "never", row.date_early or "never", row.date_late or "never")


def _step(row: Purchase) -> tuple[str, ...]:
    counts = (str(row.before), str(row.after))
    moving = (
        "-" if row.moved_key_fraction is None else f"{row.moved_key_fraction:.0%}",
        "-" if row.bytes_moved is None else quantity(row.bytes_moved, "bytes"),
        "-" if row.duration_s is None else quantity(row.duration_s, "s"),
    )
    if row.kind == "partitions":
        how = (row.route or "").replace("_", " ")
        return (row.date, f"add partitions to {row.topic}: {how}", *counts, row.because, *moving)
    resource, _, state = row.because.partition(", ")
    because = f"{RESOURCE_WORDS.get(resource, resource)}, {STATE_LABELS.get(state, state)}".rstrip(", ")
    return (row.date, "add brokers", *counts, because, *moving)


def _month(row: Month) -> tuple[str, ...]:
    def money(value: float | None) -> str:
        return "-" if value is None else f"{value:,.0f}"

    return (
        str(row.month),
        row.date,
        f"{row.load_factor:.2f}",
        str(row.brokers),
        "yes" if row.holds else "short",
        RESOURCE_WORDS[row.fullest_resource],
        STATE_LABELS[row.fullest_state],
        f"{row.utilisation_of_limit:.0%}",
        quantity(row.disk_bytes_worst, "bytes"),
        money(row.cost_per_month),
        money(row.cost_so_far),
    )
