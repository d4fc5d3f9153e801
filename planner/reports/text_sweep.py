"""Many plans as one table."""

from __future__ import annotations

from planner.fleet import Sweep, SweepRow
from planner.reports.page import Page
from planner.reports.tables import Table
from planner.reports.words import STATE_LABELS, quantity
from planner.results import RESOURCE_WORDS


def sweep_text(found: Sweep, page: Page) -> None:
    """How many plans hold and the span of brokers in a sentence, then a row for each."""
    page.line(_headline(found), "bold")
    page.line()
    inputs = tuple(dict.fromkeys(path for row in found.rows for path in row.changes))
    columns = ("scenario", *inputs, "brokers", "required", "binding", "in", "partitions", "disk\nat worst", "per month")
    numbers = frozenset(range(1 + len(inputs), len(columns))) - {3 + len(inputs), 4 + len(inputs)}
    rows = tuple(_row(row, inputs) for row in found.rows)
    page.table(Table("Plans", columns, rows, right=numbers, prose=frozenset({0})))
    for row in found.rows:
        for message in row.errors:
            page.line(f"{_name(row)}: {message}", "bold red")


def _headline(found: Sweep) -> str:
    planned = [row for row in found.rows if not row.errors]
    counts = [row.brokers for row in planned if row.brokers is not None and row.feasible]
    errors = len(found.rows) - len(planned)
    said = f"{len(found.rows)} plans: {len(counts)} hold"
    if counts:
        said += f", with {min(counts)} to {max(counts)} brokers" if min(counts) < max(counts) else f", with {counts[0]}"
    short = len(planned) - len(counts)
    return said + (f"; {short} do not hold" if short else "") + (f"; {errors} are in error" if errors else "") + "."


def _name(row: SweepRow) -> str:
    return ", ".join((row.scenario, *(f"{path}={value}" for path, value in row.changes.items())))


def _row(row: SweepRow, inputs: tuple[str, ...]) -> tuple[str, ...]:
    values = tuple(row.changes.get(path, "") for path in inputs)
    if row.errors:
        return (row.scenario, *values, "error", *("-",) * 6)
    held = quantity(row.brokers, "") if row.feasible else f"{quantity(row.brokers, '')} short"
    return (
        row.scenario,
        *values,
        held,
        quantity(row.required, ""),
        RESOURCE_WORDS.get(row.binding_resource or "", "-"),
        STATE_LABELS.get(row.binding_state or "", "-"),
        quantity(row.partitions, ""),
        quantity(row.disk_bytes_worst, "bytes"),
        "-" if row.cost_per_month is None else f"{row.cost_per_month:,.0f}",
    )
