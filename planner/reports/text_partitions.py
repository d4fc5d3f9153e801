"""Partition counts as text."""

from __future__ import annotations

import math

from rich.console import Console

from planner.operations.counts import PartitionCounts, TopicCount
from planner.reports.page import Page
from planner.reports.tables import Table
from planner.reports.words import quantity

_MANY = 3  # topics up to which everything is shown of each
_DIVISORS = 12  # member counts listed for a rung


def partitions_text(found: PartitionCounts, console: Console) -> None:
    """A sentence for each topic, their reasons side by side; for few topics ladder, skew and ceilings as well."""
    page = Page(console)
    page.say((topic.headline for topic in found.topics.values()), "bold")
    page.table(_reasons(found))
    for name, topic in found.topics.items():
        if len(found.topics) <= _MANY:
            page.table(_ladder(name, topic))
        page.say(_skewed(name, topic) if len(found.topics) <= _MANY or topic.hot_key is not None else ())
    first = next(iter(found.topics.values()), None)
    if first is not None:
        page.table(_ceilings(first))
    if len(found.topics) > _MANY:
        page.line("Add --topic NAME for the ladder, the skew and share groups of one topic.")


def _reasons(found: PartitionCounts) -> Table:
    names = tuple(next(iter(found.topics.values())).reasons) if found.topics else ()
    rows = tuple(
        (
            name,
            str(topic.partitions),
            *("-" if value is None else str(value) for value in topic.reasons.values()),
            topic.binding_reason,
            f"{topic.skew.times_even:.2f}",
        )
        for name, topic in found.topics.items()
    )
    columns = ("topic", "partitions", *names, "decided by", "hottest,\ntimes even")
    numbers = frozenset(range(1, len(names) + 2)) | {len(names) + 3}
    return Table("Reasons, each rounded up", columns, rows, right=numbers)


def _ladder(name: str, topic: TopicCount) -> Table:
    def members(counts: tuple[int, ...]) -> str:
        shown = ", ".join(map(str, counts[:_DIVISORS]))
        return shown + (f" and {len(counts) - _DIVISORS} more" if len(counts) > _DIVISORS else "")

    rows = tuple(
        (
            str(rung.partitions) + (" *" if rung.partitions == topic.partitions else ""),
            members(rung.even_members),
            f"{rung.wasted_fraction:.0%}",
            f"{rung.worst_wasted_fraction:.0%}",
            f"{rung.per_broker:.3g}",
        )
        for rung in topic.ladder
    )
    columns = ("partitions", "member counts that divide it evenly", "idle today", "idle at worst", "a broker")
    return Table(f"Ladder of {name}", columns, rows, right=frozenset({2, 3, 4}), prose=frozenset({1}))


def _skewed(name: str, topic: TopicCount) -> list[str]:
    found = topic.skew
    spread = ""
    if found.p50_fraction is not None and found.p95_fraction is not None:
        spread = f" (half of all hashes below {found.p50_fraction:.2%}, 95 % below {found.p95_fraction:.2%})"
    hottest = f"{found.hottest_fraction:.2%}{spread}, {found.times_even:.2f} times an even share"
    said = [f"{name}: the hottest partition carries {hottest}: {found.reason}."]
    if found.hottest_partitions:
        listed = ", ".join(f"{index} with {share:.2%}" for index, share in found.hottest_partitions[:5])
        said.append(f"Fullest partitions: {listed}.")
    hot = topic.hot_key
    if hot is not None:
        said.append(
            f"Its hottest key carries {quantity(hot.bytes_per_s, 'bytes/s')} at peak, more than {hot.capacity_of} "
            f"takes ({quantity(hot.capacity_bytes_per_s, 'bytes/s')}); no partition count helps. Three ways out:"
        )
        said += [f"  {number}. {way}" for number, way in enumerate(hot.ways, start=1)]
        if hot.overtaken_after_s is not None:
            after = quantity(hot.overtaken_after_s, "s")
            said.append(f"  Retention deletes unread records after {after} of such a peak.")
    return said + _shared(topic)


def _shared(topic: TopicCount) -> list[str]:
    share = topic.share_groups
    if share is None:
        return []
    if not share.available:
        return ["Share groups (Kafka 4.2 or newer) would lift the limit of one member per partition."]
    fewer = f"{share.partitions_with} partitions instead of {share.partitions_without}"
    return [f"Share groups would do with {fewer}. Their price:", *(f"  {line}" for line in share.price)]


def _ceilings(topic: TopicCount) -> Table:
    rows = tuple(
        (
            row.name,
            quantity(math.floor(row.limit), ""),
            quantity(round(row.used, 1), ""),
            f"{row.used_fraction:.1%}",
            "yes" if row.binds else "",
            row.source,
            row.as_of,
        )
        for row in topic.ceilings
    )
    columns = ("ceiling", "limit", "this plan", "of it", "binds", "source", "date")
    return Table("Ceilings", columns, rows, right=frozenset({1, 2, 3}), prose=frozenset({0}))
