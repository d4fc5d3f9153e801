"""The cheapest brokers as sentences and tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from planner.optimise import Search, SearchRow
from planner.reports.page import Page
from planner.reports.tables import Table
from planner.reports.words import STATE_LABELS, finding_line, quantity
from planner.results import RESOURCE_WORDS
from planner.sizing.narrate import percent

_SHOWN = 12
_REFUSED = 8


def search_text(found: Search, page: Page) -> None:
    """The answer in a sentence, the runners-up, those not beaten, services, and why others were refused."""
    page.say(headline(found), "bold")
    page.say(map(finding_line, found.findings))
    held = [row for row in found.rows if row.feasible]
    pareto = [row for row in held if row.pareto]
    page.table(offers_table(found, held[:_SHOWN], "Cheapest"))
    page.table(offers_table(found, pareto[:_SHOWN], "Not beaten in cost, refill and headroom at once"))
    page.table(managed_table(found))
    if found.chances:
        page.table(chances_table(found))
    page.table(refused_table(found))


def offers_table(found: Search, rows: Sequence[SearchRow], title: str) -> Table:
    """Types that hold, with count, cost, fullest limit and refill."""
    money = f"a month\n[{found.currency}]"
    heads = (
        "broker",
        "count",
        money,
        "of it\nbrokers",
        "volumes",
        "around",
        "fullest",
        "in",
        "of its\nlimit",
        "refill",
    )
    return Table(title, heads, tuple(map(_row, rows)), right=frozenset({1, 2, 3, 4, 5, 8, 9}))


def headline(found: Search) -> Iterator[str]:
    """The answer in words."""
    best = found.best
    if best is None:
        yield f"No broker that can be bought holds: {found.reason}."
        return
    yield f"Cheapest: {best.count} x {best.broker}, {best.per_month:,.0f} {found.currency} a month."
    limit = percent(best.limit_used_fraction or 0.0)
    where = STATE_LABELS.get(best.state or "", "")
    refill = "never refills" if best.recovery_s is None else f"refills in {quantity(best.recovery_s, 's')}"
    full = RESOURCE_WORDS.get(best.resource or "", "")
    yield f"Its fullest limit is {full} ({where}), used to {limit}; an empty broker {refill}."
    yield f"Prices: {found.price_kind.replace('_', ' ')}, of {best.price_as_of or 'your own table'}."


def _row(row: SearchRow) -> tuple[str, ...]:
    return (
        row.broker or row.type,
        quantity(row.count, ""),
        *(_money(value) for value in (row.per_month, row.brokers_per_month, row.storage_per_month)),
        _money(row.around_per_month) + ("" if not row.unpriced else " +?"),
        RESOURCE_WORDS.get(row.resource or "", "-"),
        STATE_LABELS.get(row.state or "", "-"),
        percent(row.limit_used_fraction or 0.0),
        "never" if row.recovery_s is None else quantity(row.recovery_s, "s"),
    )


def _money(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}"


def managed_table(found: Search) -> Table:
    """Services that are sized by quotas instead of hardware."""
    money = f"a month\n[{found.currency}]"
    rows = tuple(
        (
            row.name,
            quantity(row.count, ""),
            _money(row.per_month),
            row.reason or f"binds: {row.binding}",
            ", ".join(f"{item} {_money(price)}" for item, price in row.lines.items() if price),
        )
        for row in found.managed
    )
    heads = ("service", "brokers", money, "quota", "lines")
    return Table("Sized by quotas", heads, rows, right=frozenset({1, 2}), prose=frozenset({3, 4}))


def chances_table(found: Search) -> Table:
    """How sure the best answers are in the sampled worlds."""
    money = f"a month\n[{found.currency}]"
    heads = (
        "broker",
        "count",
        "holds in",
        "no count\nholds in",
        "count\nat p90",
        f"brokers and volumes at p90,\n{money}",
    )
    rows = tuple(
        (
            row.broker,
            quantity(row.count, ""),
            f"{row.holds_probability:.1%}",
            f"{row.infeasible_fraction:.1%}",
            quantity(row.count_p90, ""),
            _money(row.per_month_p90),
        )
        for row in found.chances
    )
    return Table("In the sampled worlds", heads, rows, right=frozenset(range(1, 6)))


def refused_table(found: Search) -> Table:
    """The refused types that came nearest, and how many there are of each reason."""
    near = [row for row in found.rows if not row.feasible and row.limit_used_fraction is not None]
    rest: dict[str, int] = {}
    for row in found.rows:
        if not row.feasible and row.limit_used_fraction is None:
            rest[row.reason or ""] = rest.get(row.reason or "", 0) + 1
    rows = [(row.type, row.reason or "") for row in sorted(near, key=lambda row: row.limit_used_fraction or 0.0)]
    rows = rows[:_REFUSED] + [(f"{count} types", reason) for reason, count in rest.items()]
    return Table("Refused", ("type", "because"), tuple(rows), prose=frozenset({1}))
