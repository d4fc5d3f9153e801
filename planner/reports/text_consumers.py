"""Consumer groups as text."""

from __future__ import annotations

from planner.operations.lag import ConsumerLag, GroupLag
from planner.operations.rebalances import GroupRebalances, Rebalances
from planner.reports.page import Page
from planner.reports.tables import Table
from planner.reports.words import quantity

_MANY = 3  # groups up to which the reasons and the topics of each are shown


def consumers_text(found: ConsumerLag, page: Page) -> None:
    """A sentence for each group, all of them side by side; for few groups their topics and reasons as well."""
    page.say([found.headline], "bold")
    if not found.groups:
        return
    page.say(group.headline for group in found.groups.values())
    page.table(groups_table(found))
    if any(group.cold_reads for group in found.groups.values()):
        page.table(cold_table(found))
    for name, group in found.groups.items():
        if len(found.groups) <= _MANY:
            page.table(group_topics_table(name, group))
        page.say(group_reasons(name, group))


def groups_table(found: ConsumerLag) -> Table:
    """All groups after the outage."""
    rows = tuple(
        (
            name,
            _count(group.members),
            str(group.partitions),
            _share(group.utilisation),
            _share(group.slowest_utilisation),
            _count(group.lag_records),
            _time(group.drain_s, none="-" if group.utilisation is None else "never"),
            _time(group.overrun_after_s),
            _count(group.lost_records),
            _count(group.members_for_deadline),
        )
        for name, group in found.groups.items()
    )
    deadline = quantity(found.deadline_s, "s")
    columns = (
        "group",
        "members",
        "partitions",
        "busy",
        "slowest\nmember",
        "lag\nrecords",
        "read in",
        "deleted\nunread from",
        "lost\nrecords",
        f"members\nfor {deadline}",
    )
    title = f"Groups after {quantity(found.outage_s, 's')} without consumers, rates at {found.at}"
    return Table(title, columns, rows, right=frozenset(range(1, len(columns))))


def cold_table(found: ConsumerLag) -> Table:
    """What draining reads from disk, and what a peak leaves."""
    rows = tuple(
        (
            name,
            _time(group.cold_reads.cached_s),
            quantity(group.cold_reads.read_bytes_per_s, "bytes/s"),
            _time(group.cold_reads.duration_s),
            _share(group.cold_reads.disk_throughput_utilisation),
            "-" if group.peak is None else _count(group.peak.lag_records),
            "-" if group.peak is None else _time(group.peak.drain_s, none="-"),
        )
        for name, group in found.groups.items()
        if group.cold_reads is not None
    )
    columns = (
        "group",
        "page cache\nholds",
        "disk reads\na broker",
        "at most\nfor",
        "disk\nthen busy",
        "lag after\na peak",
        "read in",
    )
    return Table("While it drains, and after a peak", columns, rows, right=frozenset(range(1, len(columns))))


def group_topics_table(name: str, group: GroupLag) -> Table:
    """The topics of a group."""
    rows = tuple(
        (
            row.topic,
            _count(row.records_per_s),
            _count(row.capacity_records_per_s),
            _share(row.hottest_partition_fraction),
            _share(row.slowest_utilisation),
            _count(row.lag_records),
            _time(row.drain_s, none="-" if group.utilisation is None else "never"),
            _time(row.overrun_after_s),
        )
        for row in group.topics
    )
    columns = (
        "topic",
        "records/s",
        "group reads\nup to",
        "hottest\npartition",
        "its member\nis busy",
        "lag\nrecords",
        "read in",
        "deleted\nunread from",
    )
    return Table(f"Topics of {name}", columns, rows, right=frozenset(range(1, len(columns))))


def group_reasons(name: str, group: GroupLag) -> list[str]:
    """Why figures of a group are missing, and what happens to what is lost."""
    given = [group.utilisation_reason, group.drain_s_reason, group.members_for_deadline_reason]
    if group.peak is not None:
        given += [group.peak.lag_records_reason, group.peak.drain_s_reason]
    said = [f"{name}: {reason}." for reason in dict.fromkeys(given) if reason]
    if group.lost_records > 0:
        said += [f"{name}, auto.offset.reset={reset}: {row.action}" for reset, row in group.offset_reset.items()]
    return said


def rebalance_text(found: Rebalances, page: Page) -> None:
    """A sentence for each group, all of them side by side, the settings to change; for few groups the alternatives."""
    page.say([found.headline], "bold")
    if not found.groups:
        return
    page.say(group.headline for group in found.groups.values())
    page.table(rebalances_table(found))
    if any(group.settings for group in found.groups.values()):
        page.table(changes_table(found))
    for name, group in found.groups.items():
        if group.alternatives and len(found.groups) <= _MANY:
            page.table(alternatives_table(name, group))
        if group.more_members and (group.storm or len(found.groups) <= _MANY):
            page.line(f"{name}: {group.more_members}")


def rebalances_table(found: Rebalances) -> Table:
    """Rebalances of all groups."""
    rows = tuple(
        (
            name,
            group.protocol + (", static" if group.static_membership else ""),
            _count(group.members),
            *(_rate(value) for value in _causes(group)),
            _lost(group),
            _time(group.worst_batch_s, none="-"),
            _share(group.deploy_rebalancing_fraction),
            "-" if group.storm is None else "yes" if group.storm else "no",
        )
        for name, group in found.groups.items()
    )
    columns = (
        "group",
        "protocol",
        "members",
        "rebalances\nan hour",
        "deploys",
        "crashes",
        "scaling",
        "poll\noverruns",
        "consuming time lost",
        "worst\nbatch",
        "of a\ndeploy",
        "storm",
    )
    notes = ("of a deploy: share of a rolling deployment in which the group rebalances, when batches are full",)
    return Table("Rebalances an hour, by cause", columns, rows, notes, right=frozenset(range(2, len(columns) - 1)))


def _causes(group: GroupRebalances) -> tuple[float | None, ...]:
    events = group.events
    if events is None:
        return (None,) * 5
    return events.total, events.deploys, events.crashes, events.autoscaling, events.poll_overruns


def _lost(group: GroupRebalances) -> str:
    if group.lost_fraction is None:
        return "-"
    return f"{group.lost_fraction:.3%} ({group.lost_fraction_low:.3%} to {group.lost_fraction_high:.3%})"


def changes_table(found: Rebalances) -> Table:
    """Settings that end the storms."""
    rows = tuple(
        (name, key, row.now, row.value, row.where, row.why)
        for name, group in found.groups.items()
        for key, row in group.settings.items()
    )
    columns = ("group", "setting", "now", "then", "where", "why")
    return Table("Settings to change", columns, rows, right=frozenset({2, 3}), prose=frozenset({3, 5}))


def alternatives_table(name: str, group: GroupRebalances) -> Table:
    """A group under other protocols."""
    rows = tuple(
        (
            row.protocol + (", static" if row.static_membership else ""),
            _rate(row.events_per_hour),
            f"{row.lost_fraction:.3%}",
        )
        for row in group.alternatives
    )
    columns = ("protocol", "rebalances\nan hour", "consuming\ntime lost")
    notes = ("static: with sessions that outlast a restart, so that partitions wait for their member instead",)
    return Table(f"{name} under other protocols", columns, rows, notes, right=frozenset({1, 2}))


def _rate(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"


def _count(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def _time(value: float | None, *, none: str = "never") -> str:
    return none if value is None else quantity(value, "s")
