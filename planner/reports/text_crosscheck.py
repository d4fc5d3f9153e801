"""The published formulas of others beside our figures, as text."""

from __future__ import annotations

from planner.crosscheck import CrossCheck, CrossRow
from planner.reports.page import Page
from planner.reports.tables import Table
from planner.reports.words import quantity

_BROKERS = "brokers for network and disk throughput"


def crosscheck_text(found: CrossCheck, page: Page) -> None:
    """The spread of the published answers in a sentence, then every row with its reason."""
    page.line(_headline(found), "bold")
    page.line()
    rows = tuple(_row(row) for row in found.rows)
    columns = ("source", "quantity", "theirs", "ours", "theirs / ours", "why they differ")
    page.table(Table("Published formulas", columns, rows, right=frozenset({2, 3, 4}), prose=frozenset({1, 5})))


def _headline(found: CrossCheck) -> str:
    asked = [row for row in found.rows if row.quantity == _BROKERS and row.theirs is not None]
    if not asked:
        return "No published formula for the broker count fits a broker without network and disk limits."
    least, most = min(row.theirs or 0.0 for row in asked), max(row.theirs or 0.0 for row in asked)
    ours = asked[0].ours
    held = "has no such limit" if ours is None else f"needs {quantity(ours, 'count')}"
    return (
        f"For network and disk throughput published formulas ask for {quantity(least, 'count')} to "
        f"{quantity(most, 'count')} brokers; this plan {held}, and has {found.brokers} for all its limits."
    )


def _row(row: CrossRow) -> tuple[str, ...]:
    def shown(value: float | None) -> str:
        return "-" if value is None else quantity(value, row.unit)

    ratio = "-" if row.ratio is None else f"{row.ratio:.2f}"
    return (row.source, row.quantity, shown(row.theirs), shown(row.ours), ratio, row.missing or row.why)
