"""A failure as text: what stops, who bears it, how long until all is as before."""

from __future__ import annotations

from planner.operations.failures import Failure
from planner.reports.page import Page
from planner.reports.tables import Table
from planner.reports.words import FIGURE_LABELS, finding_line, quantity, unit_of_figure
from planner.results import RESOURCE_WORDS

_BROKERS = 60  # rows shown
_TOPICS = 40


def failure_text(found: Failure, page: Page) -> None:
    """The answer in a sentence, then tables and findings."""
    page.line(failure_sentence(found), "bold")
    page.say(failure_details(found))
    if found.usage:
        page.table(usage_table(found))
    if found.survivors is not None:
        page.table(loads_table(found))
    if found.survivors is not None and found.lost.brokers:
        page.table(survivors_table(found))
    if found.topics:
        page.table(impact_table(found))
    if found.curve:
        page.table(curve_table(found))
    page.say(rolling_sentences(found))
    for finding in found.findings:
        page.line(finding_line(finding))


def _what(found: Failure) -> str:
    lost = found.lost
    parts = []
    if lost.zone is not None:
        parts.append(f"{'any zone' if lost.zone == 'any' else f'zone {lost.zone}'} ({lost.brokers} brokers)")
    elif lost.ids:
        parts.append(f"broker{'s' if len(lost.ids) > 1 else ''} {', '.join(map(str, lost.ids))}")
    elif lost.brokers:
        parts.append(f"any {'one' if lost.brokers == 1 else lost.brokers} of {found.brokers} brokers")
    if lost.disks:
        parts.append("a disk of a broker")
    if lost.controllers:
        parts.append(f"{lost.controllers} of {found.quorum.controllers} controllers")
    return f"Without {' and '.join(parts)}"


def failure_sentence(found: Failure) -> str:
    """What stops, in a sentence."""
    stops = []
    if found.offline:
        stops.append(f"up to {quantity(max(found.offline.values()), 'fraction')} of a topic's partitions are offline")
    elif found.unwritable:
        stops.append(
            f"up to {quantity(max(found.unwritable.values()), 'fraction')} of a topic's partitions refuse writes"
        )
    over = [RESOURCE_WORDS[row.resource] for row in found.usage if not row.holds]
    if over:
        stops.append(f"the survivors exceed the limit of {', '.join(over)}")
    if not found.quorum.holds:
        stops.append("the controllers have no majority")
    return f"{_what(found)} {', '.join(stops) if stops else 'every partition is read and written, within all limits'}."


def failure_details(found: Failure) -> list[str]:
    """What moves, and how long until all is as before."""
    lost, lines = found.lost, []
    if lost.brokers or lost.disks:
        lines.append(
            f"{lost.leaders_moved:.0f} leaders move (up to {lost.leaders_moved_most:.0f}), {lost.replicas_missing:.0f} "
            f"replicas are missing (up to {lost.replicas_missing_most:.0f}); "
            f"refused: {quantity(found.refused_bytes_per_s, 'bytes/s')}."
        )
    if found.failover_s:
        lines.append(f"Partitions have no leader for {quantity(found.failover_s, 's')} if brokers die without a word.")
    if lost.brokers or lost.disks:
        lines.append(_return(found))
    return lines


def _return(found: Failure) -> str:
    if found.refill_s is None:
        empty = f"An empty one refills {found.refill_s_reason}"
    else:
        empty = (
            f"An empty one refills {quantity(found.refill_bytes, 'bytes')} in {quantity(found.refill_s, 's')}, limited "
            f"by {found.limited_by}"
        )
    if found.lost.disks:
        return f"{empty}."
    away = quantity(found.away_s, "s")
    if found.catch_up_s is None:
        return f"{empty}; after {away} away it never catches up."
    return (
        f"{empty}; after {away} away it catches up {quantity(found.catch_up_bytes, 'bytes')} in "
        f"{quantity(found.catch_up_s, 's')}."
    )


def usage_table(found: Failure) -> Table:
    """The fullest survivor against its limits."""
    rows = tuple(
        (
            RESOURCE_WORDS[row.resource],
            quantity(row.utilisation, "fraction"),
            quantity(row.threshold, "fraction"),
            "yes" if row.holds else "short",
        )
        for row in found.usage
    )
    return Table("The fullest survivor", ("resource", "used", "limit", "holds"), rows, right=frozenset({1, 2}))


def loads_table(found: Failure) -> Table:
    """Loads of the survivors."""
    left = found.survivors
    assert left is not None  # noqa: S101 - the caller looked
    rows = tuple(
        (label, quantity(left.per_broker[key], unit_of_figure(key)), quantity(left.fullest[key], unit_of_figure(key)))
        for key, label in FIGURE_LABELS.items()
        if key in left.per_broker
    )
    return Table(f"Loads of {left.count} survivors", ("per broker", "mean", "fullest"), rows, right=frozenset({1, 2}))


def survivors_table(found: Failure) -> Table:
    """Each survivor of one example."""
    left = found.survivors
    assert left is not None  # noqa: S101 - the caller looked
    rows = tuple(
        (
            "-" if row.broker is None else str(row.broker),
            row.rack or "-",
            f"{row.replicas:.0f}",
            f"{row.leaders:.0f}",
            quantity(row.network_in_bytes_per_s, "bytes/s"),
            quantity(row.network_out_bytes_per_s, "bytes/s"),
            quantity(row.cpu_fraction, "fraction"),
        )
        for row in left.brokers[:_BROKERS]
    )
    lost = ", ".join("?" if broker is None else str(broker) for broker in left.example_lost)
    columns = ("broker", "rack", "replicas", "leaders", "network in", "network out", "CPU")
    title = f"One example: without {lost}"
    return Table(title, columns, rows, right=frozenset({2, 3, 4, 5, 6}))


def impact_table(found: Failure) -> Table:
    """What the producers of each topic feel."""
    ranked = sorted(found.topics, key=lambda row: (-row.unwritable_fraction, row.buffer_lasts_s))
    rows = tuple(
        (
            row.topic,
            quantity(row.lost_fraction, "fraction"),
            quantity(row.waiting_bytes, "bytes"),
            quantity(row.buffer_lasts_s, "s") if row.blocks else "longer than the gap",
            quantity(row.unwritable_fraction, "fraction"),
            quantity(row.failed_bytes, "bytes"),
        )
        for row in ranked[:_TOPICS]
    )
    columns = ("topic", "leaders lost", "a producer holds", "its buffer lasts", "unwritable", "sends that fail")
    rest = len(ranked) - len(rows)
    return Table(
        "What producers feel",
        columns,
        rows,
        notes=(f"{rest} more topics; the answer as JSON has all.",) if rest else (),
        right=frozenset({1, 2, 3, 4, 5}),
    )


def curve_table(found: Failure) -> Table:
    """Times against the throttle."""
    rows = tuple(
        (
            quantity(point.throttle_bytes_per_s, "bytes/s"),
            "never" if point.duration_s is None else quantity(point.duration_s, "s"),
            "never" if point.catch_up_s is None else quantity(point.catch_up_s, "s"),
        )
        for point in found.curve
    )
    return Table("Time against the throttle", ("throttle", "refill", "catch up"), rows, right=frozenset({0, 1, 2}))


def rolling_sentences(found: Failure) -> list[str]:
    """What a rolling restart takes."""
    rolling = found.rolling_restart
    if rolling is None:
        return [f"A rolling restart never ends: {found.rolling_restart_reason}."]
    each = rolling.stop_s + rolling.start_s + rolling.catch_up_s + rolling.settle_s
    parts = ", ".join(
        f"{quantity(value, 's')} to {name}"
        for name, value in (
            ("stop", rolling.stop_s),
            ("start", rolling.start_s),
            ("catch up", rolling.catch_up_s),
            ("settle", rolling.settle_s),
        )
    )
    whole = quantity(rolling.duration_s, "s")
    lines = [f"A rolling restart of {found.brokers} brokers takes {whole}, {quantity(each, 's')} each ({parts})."]
    if rolling.unwritable_with_failure:
        worst = max(rolling.unwritable_with_failure.values())
        lines.append(
            f"Should a broker fail meanwhile (chance {quantity(rolling.failure_chance_fraction, 'fraction')}), up to "
            f"{quantity(worst, 'fraction')} of a topic's partitions refuse writes."
        )
    return lines
