"""A reassignment as text: how much moves and how long, what every broker bears, and the steps."""

from __future__ import annotations

from planner.operations.reassigning import Reassignment
from planner.reports.page import Page
from planner.reports.tables import Table
from planner.reports.words import finding_line, quantity
from planner.units import counted

_ROWS = 60  # brokers shown
_STEPS = 24  # steps shown


def reassign_text(found: Reassignment, page: Page, *, written: str | None = None) -> None:
    """The answer in a sentence, then brokers, findings and steps."""
    page.line(reassign_sentence(found), "bold")
    critical = [finding for finding in found.findings if finding.severity == "critical"]
    page.say([*(f"Fails: {finding.message}" for finding in critical), *reassign_details(found)])
    page.table(moves_table(found))
    page.say(map(finding_line, found.findings))
    _steps(page, found, written)


def reassign_sentence(found: Reassignment) -> str:
    """How much moves and how long, in a sentence."""
    what = f"{found.change[0].upper()}{found.change[1:]}"
    if not found.partitions_changed:
        return f"{what}: nothing has to move."
    if not found.replica_moves:
        losing = (
            f"{counted(found.partitions_changed, 'partition')} {'loses' if found.partitions_changed == 1 else 'lose'}"
        )
        return f"{what}: no replica moves; {losing} some."
    moved = f"{counted(found.replica_moves, 'replica')}, {quantity(found.bytes_moved, 'bytes')}"
    if found.duration_s is None:
        return f"{what} moves {moved}, and {found.duration_s_reason}."
    verdict = "the cluster holds meanwhile" if found.holds else "the cluster does not hold meanwhile"
    return f"{what} moves {moved} in {quantity(found.duration_s, 's')}; {verdict}."


def reassign_details(found: Reassignment) -> list[str]:
    """Throttle, limits and batches."""
    if not found.replica_moves:
        return []
    lines = []
    if found.throttle_bytes_per_s is not None:
        lines.append(f"Throttle: {quantity(found.throttle_bytes_per_s, 'bytes/s')} ({found.throttle_from}).")
    if found.throttle_from != "recommended":
        known = found.recommended_throttle_bytes_per_s
        advice = (
            quantity(known, "bytes/s")
            if known is not None
            else f"none: {found.recommended_throttle_bytes_per_s_reason}"
        )
        lines.append(f"Recommended throttle: {advice}.")
    if found.duration_unthrottled_s is not None:
        least = quantity(found.duration_unthrottled_s, "s")
        lines.append(f"Limited by {found.limited_by}; within the limits it takes at least {least} without a throttle.")
    batches = counted(len(found.batches), "batch", "batches")
    proven = found.replica_moves == found.least_replica_moves
    lines.append(
        f"{counted(found.partitions_changed, 'partition')} in {batches}"
        + (", one after the other." if len(found.batches) > 1 else ".")
        + (" No assignment does it with fewer moves." if proven else "")
    )
    return lines


def moves_table(found: Reassignment) -> Table:
    """What each broker moves and bears."""
    columns = (
        "broker",
        "rack",
        "replicas",
        "leaders",
        "in",
        "out",
        "time",
        "network in",
        "network out",
        "disk",
        "disk space at most",
    )
    rows = tuple(
        (
            str(row.broker),
            row.rack or "-",
            f"{row.replicas_before} > {row.replicas_after}",
            f"{row.leaders_before} > {row.leaders_after}",
            quantity(row.bytes_in, "bytes"),
            quantity(row.bytes_out, "bytes"),
            "never" if row.duration_s is None else quantity(row.duration_s, "s"),
            quantity(row.network_in_utilisation, "fraction"),
            quantity(row.network_out_utilisation, "fraction"),
            quantity(row.disk_throughput_utilisation, "fraction"),
            quantity(row.disk_volume_utilisation, "fraction"),
        )
        for row in found.per_broker[:_ROWS]
    )
    rest = len(found.per_broker) - len(rows)
    notes: tuple[str, ...] = ("Shares are the highest while replicas move, live traffic included.",)
    if rest:
        notes = (*notes, f"{rest} more brokers; the answer as CSV has all.")
    return Table("Brokers, before > after", columns, rows, notes=notes, right=frozenset(range(2, len(columns))))


def _steps(page: Page, found: Reassignment, written: str | None) -> None:
    if not found.batches:
        return
    if written is not None:
        page.line(f"The batches and steps are in {written}.")
        return
    page.line("Steps", "bold")
    for number, step in enumerate(found.steps[:_STEPS], start=1):
        page.line(f"{number}. {step}")
    if len(found.steps) > _STEPS:
        page.line(f"... {len(found.steps) - _STEPS} more.")
    page.line("-o DIR writes the batch files and all steps; --format json prints them.")
