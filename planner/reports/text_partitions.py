"""Partition counts as text."""

from __future__ import annotations

import math
from collections.abc import Mapping

from planner.operations.counts import PartitionCounts, TopicCount
from planner.operations.hot_keys import HotKey
from planner.reports.page import Page
from planner.reports.tables import Table
from planner.reports.words import quantity
from planner.units import listed

_ROWS = 60  # topics shown
_MANY = 3  # topics up to which everything is shown of each
_WHOLE_FROM = 100  # what is used of a ceiling is shown without tenths from here on
_DIVISORS = 12  # member counts listed for a rung


def partitions_text(found: PartitionCounts, page: Page) -> None:
    """A sentence for each topic, their reasons side by side; for few topics ladder, skew and ceilings as well."""
    shown = _shown(found)
    page.say((topic.headline for topic in shown.values()), "bold")
    page.table(_reasons(shown, len(found.topics) - len(shown)))
    for name, topic in shown.items():
        if len(found.topics) <= _MANY:
            page.table(_ladder(name, topic))
        page.say(topic_sentences(name, topic) if len(found.topics) <= _MANY or topic.hot_key is not None else ())
    first = next(iter(found.topics.values()), None)
    if first is not None:
        page.table(ceilings_table(first))
        page.say([_times(found)])
    if len(found.topics) > _MANY:
        page.line("Add --topic NAME for the ladder, the skew and share groups of one topic.")


def _shown(found: PartitionCounts) -> dict[str, TopicCount]:
    """All topics, or of very many those that need most of what they have."""
    if len(found.topics) <= _ROWS:
        return dict(found.topics)
    ranked = sorted(found.topics.items(), key=lambda item: -item[1].partitions_raw / item[1].partitions)
    return dict(ranked[:_ROWS])


def _reasons(topics: Mapping[str, TopicCount], left_out: int) -> Table:
    names = tuple(next(iter(topics.values())).reasons) if topics else ()
    rows = tuple(
        (
            name,
            str(topic.partitions),
            *("-" if value is None else str(value) for value in topic.reasons.values()),
            topic.binding_reason,
            f"{topic.skew.times_even:.2f}",
        )
        for name, topic in topics.items()
    )
    notes = (f"{left_out} more need less of what they have; they are in --format csv.",) if left_out else ()
    columns = ("topic", "partitions", *names, "decided by", "hottest,\ntimes even")
    numbers = frozenset(range(1, len(names) + 2)) | {len(names) + 3}
    return Table("Reasons, each rounded up", columns, rows, right=numbers, notes=notes)


def _ladder(name: str, topic: TopicCount) -> Table:
    def members(counts: tuple[int, ...]) -> str:
        return listed(list(map(str, counts)), _DIVISORS)

    rows = tuple(
        (
            str(rung.partitions) + (" *" if rung.partitions == topic.partitions else ""),
            members(rung.even_members),
            f"{rung.wasted_fraction:.0%}",
            f"{rung.worst_wasted_fraction:.0%}",
            f"{rung.per_broker:.3g}",
            "" if rung.enough else "too few",
        )
        for rung in topic.ladder
    )
    columns = ("partitions", "member counts that divide it evenly", "idle today", "idle at worst", "a broker", "")
    note = "An autoscaler that keeps the distribution even (KEDA can) stops at these member counts only."
    return Table(f"Ladder of {name}", columns, rows, right=frozenset({2, 3, 4}), prose=frozenset({1}), notes=(note,))


def topic_sentences(name: str, topic: TopicCount) -> list[str]:
    """How uneven the topic is, what helps a hot key, and what share groups would change."""
    found = topic.skew
    spread = ""
    if found.p50_fraction is not None and found.p95_fraction is not None:
        spread = f" (half of all hashes below {found.p50_fraction:.2%}, 95 % below {found.p95_fraction:.2%})"
    hottest = f"{found.hottest_fraction:.2%}{spread}, {found.times_even:.2f} times an even share"
    said = [f"{name}: the hottest partition carries {hottest}: {found.reason}."]
    if found.hottest_partitions:
        listed = ", ".join(f"{index} with {share:.2%}" for index, share in found.hottest_partitions[:5])
        said.append(f"Fullest partitions: {listed}.")
    return said + _hot(topic.hot_key) + _shared(topic)


def _hot(hot: HotKey | None) -> list[str]:
    if hot is None:
        return []
    limit = f"{hot.capacity_of} ({quantity(hot.capacity_bytes_per_s, 'bytes/s')})"
    if hot.alone:
        carries = f"Its hottest key carries {quantity(hot.bytes_per_s, 'bytes/s')} at peak, more than {limit}"
        said = [f"{carries}; no partition count helps. Three ways out:"]
    else:
        carries = f"Its hottest partition carries {quantity(hot.partition_bytes_per_s, 'bytes/s')} at peak"
        count = hot.partitions_that_carry
        enough = hot.partitions_that_carry_reason if count is None else f"{count} partitions"
        said = [f"{carries}, more than {limit}; {enough} would do. Three other ways out:"]
    said += [f"  {number}. {way}" for number, way in enumerate(hot.ways, start=1)]
    if hot.lag_after_peak_records is not None:
        drained = hot.drained_after_s_reason
        if hot.drained_after_s is not None:
            drained = f"after another {quantity(hot.drained_after_s, 's')}"
        said.append(f"  After a peak the lag is {hot.lag_after_peak_records:,.0f} records, caught up {drained}.")
    if hot.overtaken_after_s is not None:
        after = quantity(hot.overtaken_after_s, "s")
        said.append(f"  Retention deletes unread records after {after} of such a peak.")
    return said


def _shared(topic: TopicCount) -> list[str]:
    share = topic.share_groups
    if share is None:
        return []
    fewer = f"{share.partitions_with} partitions instead of {share.partitions_without}"
    stage = {"none": "not in this version of Kafka", "production": ""}.get(share.stage, f"only {share.stage}")
    stage = f" ({stage}; for production from 4.2 on)" if stage else ""
    return [f"Share groups{stage} would do with {fewer}. Their price:", *(f"  {line}" for line in share.price)]


def ceilings_table(topic: TopicCount) -> Table:
    """Every upper limit that is known, and how much of it the plan takes."""
    rows = tuple(
        (
            row.name,
            quantity(math.floor(row.limit), ""),
            quantity(round(row.used, 1 if row.used < _WHOLE_FROM else None), ""),
            f"{row.used_fraction:.1%}",
            "yes" if row.binds else "",
            row.fits_from or ("none" if row.sizes else ""),
            row.source,
            row.as_of,
        )
        for row in topic.ceilings
    )
    columns = ("ceiling", "limit", "this plan", "of it", "binds", "fits from size", "source", "date")
    return Table("Ceilings", columns, rows, right=frozenset({1, 2, 3}), prose=frozenset({0}))


def _times(found: PartitionCounts) -> str:
    """What more replicas of a broker cost when it dies."""
    rebuilt = found.broker_refill_s_reason or ""
    if found.broker_refill_s is not None:
        rebuilt = f"an empty broker is full again after {quantity(found.broker_refill_s, 's')}"
    return (
        f"Partitions of a dead broker have a leader again after {quantity(found.failover_s, 's')}, and {rebuilt} "
        f"({found.brokers} brokers)."
    )
