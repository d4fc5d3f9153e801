"""A key that its partition, or the consumer that owns it, cannot carry, and what helps."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from planner.model import partitions as counts
from planner.model import repartition, skew
from planner.model.types import Array
from planner.scenario import Topic
from planner.sizing.carriers import Carrier, carrier_of
from planner.sizing.workload import Workload
from planner.trace import Trace
from planner.units import format_quantity

_STEP = 1.1  # from one count to the next one tried
_TRIED = 40
_WITH_PRODUCERS = "what waits is still with the producers"
_SALTS_IN_VAIN = {
    0: "the other keys of a partition alone are more than it carries; add partitions first",
    1: "beside an even share of the others the key fits; other frequent keys meet on one partition; add partitions",
}


@dataclass(frozen=True, slots=True)
class HotKey:
    """A hottest key whose partition is more than one partition or one consumer carries, and the ways out."""

    key_fraction: float
    bytes_per_s: float
    records_per_s: float
    partition_bytes_per_s: float
    capacity_bytes_per_s: float
    capacity_of: str
    partitions_that_carry: int | None
    partitions_that_carry_reason: str | None
    salts: int | None
    salts_reason: str | None
    each_salt_bytes_per_s: float | None
    salts_meet_fraction: float | None
    own_consumers: int
    lag_growth_per_s: float
    lag_growth_bytes_per_s: float
    lag_after_peak_records: float | None
    lag_after_peak_records_reason: str | None
    drained_after_s: float | None
    drained_after_s_reason: str | None
    overtaken_after_s: float | None
    overtaken_after_s_reason: str | None
    ways: tuple[str, ...]

    @property
    def alone(self) -> bool:
        """Whether the key alone is too much, so that no count helps."""
        return self.bytes_per_s > self.capacity_bytes_per_s


@dataclass(frozen=True, slots=True)
class Hot:
    """One topic at its peak: what its hottest key and that key's partition carry, and what they can."""

    topic: Topic
    partitions: int
    key_fraction: float
    partition_fraction: float
    bytes_per_s: float
    records_per_s: float
    average_records_per_s: float
    carrier: Carrier
    hottest_at: Callable[[int], float]  # share of the hottest partition with another count

    @property
    def key_bytes_per_s(self) -> float:
        """What arrives under the key."""
        return self.key_fraction * self.bytes_per_s

    @property
    def others_bytes_per_s(self) -> float:
        """What the other keys bring to a partition on average."""
        return (1 - self.key_fraction) * self.bytes_per_s / self.partitions

    @property
    def record_bytes(self) -> float:
        """Wire bytes of a record."""
        return self.bytes_per_s / self.records_per_s

    @property
    def overloaded(self) -> bool:
        """Whether skew makes the key's partition too much; if an even share is too much it is the count's fault."""
        capacity = self.carrier.bytes_per_s * (1 + 1e-9)
        even = self.bytes_per_s / self.partitions
        uneven = even <= capacity < self.partition_fraction * self.bytes_per_s
        return self.key_fraction > 0 and (uneven or self.key_bytes_per_s > capacity)


def hot_key_of(
    workload: Workload,
    columns: Mapping[str, Array],
    index: int,
    *,
    partitions: int,
    key_fraction: float,
    hottest_at: Callable[[int], float],
    trace: Trace,
) -> HotKey | None:
    """Say what a hottest key does to its partition; nothing where it fits."""
    peak, records = (float(columns[f"own_peak_{kind}_per_s"][index]) for kind in ("bytes", "records"))
    if records <= 0:
        return None
    topic = workload.topics[index]
    carrier = carrier_of(workload, index, peak / records)
    average = float(columns["average_records_per_s"][index])
    hot = Hot(topic, partitions, key_fraction, hottest_at(partitions), peak, records, average, carrier, hottest_at)
    return _ways_out(hot, trace) if hot.overloaded else None


def _ways_out(hot: Hot, trace: Trace) -> HotKey:
    name, capacity = hot.topic.name, hot.carrier.bytes_per_s
    numbers = {"key_bytes_per_s": hot.key_bytes_per_s, "capacity_bytes_per_s": capacity}
    salts = int(trace(f"topics.{name}.salts", skew.salts_needed, **numbers, others_bytes_per_s=hot.others_bytes_per_s))
    own = int(trace(f"topics.{name}.own_consumers", skew.salts_needed, **numbers, others_bytes_per_s=0.0))
    meet = float(skew.salts_meet_fraction(salts=salts, partitions=hot.partitions)) if salts > 1 else None
    enough, enough_reason = _count_that_carries(hot)
    behind = _behind(hot, trace)
    return HotKey(
        key_fraction=hot.key_fraction,
        bytes_per_s=hot.key_bytes_per_s,
        records_per_s=hot.key_fraction * hot.records_per_s,
        partition_bytes_per_s=hot.partition_fraction * hot.bytes_per_s,
        capacity_bytes_per_s=capacity,
        capacity_of=hot.carrier.name,
        partitions_that_carry=enough,
        partitions_that_carry_reason=enough_reason,
        salts=salts if salts > 1 else None,
        salts_reason=_SALTS_IN_VAIN.get(salts),
        each_salt_bytes_per_s=hot.key_bytes_per_s / salts if salts > 1 else None,
        salts_meet_fraction=meet,
        own_consumers=own,
        lag_growth_per_s=behind.growth_per_s,
        lag_growth_bytes_per_s=behind.growth_per_s * hot.record_bytes,
        lag_after_peak_records=behind.after_peak,
        lag_after_peak_records_reason=behind.after_peak_reason,
        drained_after_s=behind.drained_s,
        drained_after_s_reason=behind.drained_s_reason,
        overtaken_after_s=behind.overtaken_s,
        overtaken_after_s_reason=behind.overtaken_s_reason,
        ways=(_salted(salts, meet), _alone(own), _accepted(hot, behind)),
    )


def _count_that_carries(hot: Hot) -> tuple[int | None, str | None]:
    """The first count tried whose hottest partition fits; from the one that would do if other keys were even."""
    fraction = hot.carrier.bytes_per_s / hot.bytes_per_s
    even = counts.partitions_for_hot_key(top_key_fraction=hot.key_fraction, partition_fraction=min(fraction, 1.0))
    if not even:
        return None, "the key alone is more; a key stays on one partition"
    count = max(math.ceil(float(even) - 1e-9), hot.partitions + 1)
    for _ in range(_TRIED):
        if hot.hottest_at(count) <= fraction * (1 + 1e-9):
            return count, None
        count = math.ceil(count * _STEP)
    return None, f"more than {count} partitions"


# Accepting it


@dataclass(frozen=True, slots=True)
class _Behind:
    growth_per_s: float
    after_peak: float | None
    after_peak_reason: str | None
    drained_s: float | None
    drained_s_reason: str | None
    overtaken_s: float | None
    overtaken_s_reason: str | None


def _behind(hot: Hot, trace: Trace) -> _Behind:
    name = hot.topic.name
    rates = {
        "arriving_per_s": hot.partition_fraction * hot.records_per_s,
        "processed_per_s": hot.carrier.bytes_per_s / hot.record_bytes,
    }
    growth = float(trace(f"topics.{name}.lag_growth_per_s", skew.lag_growth_per_s, **rates))
    after, after_reason = _after_peak(hot, growth)
    drained, drained_reason = _drained(hot, after, rates["processed_per_s"], trace)
    kept, kept_reason = _kept_s(hot)
    overtaken: float | None = None
    if kept is not None and growth > 0:
        overtaken = float(trace(f"topics.{name}.overtaken_after_s", skew.overtaken_after_s, **rates, retention_s=kept))
    return _Behind(growth, after, after_reason, drained, drained_reason, overtaken, kept_reason)


def _after_peak(hot: Hot, growth: float) -> tuple[float | None, str | None]:
    if hot.carrier.producing:
        return None, _WITH_PRODUCERS
    if hot.topic.peak_ratio <= 1:
        return None, "the load is steady, so the lag never stops growing"
    if hot.topic.peak_duration is None:
        return None, "how long a peak lasts is not given (peak_duration)"
    return growth * hot.topic.peak_duration, None


def _drained(hot: Hot, lag: float | None, processed: float, trace: Trace) -> tuple[float | None, str | None]:
    if lag is None:
        return None, "the lag after a peak is not known"
    arriving = hot.partition_fraction * hot.average_records_per_s
    numbers = {"waiting_records": lag, "capacity_records_per_s": processed, "records_per_s": arriving}
    name = f"topics.{hot.topic.name}.drained_after_s"
    if arriving >= processed:
        return None, "never: on average too more arrives than is processed"
    return float(trace(name, repartition.read_out_s, **numbers)), None


def _kept_s(hot: Hot) -> tuple[float | None, str | None]:
    """How long a record of the key's partition is kept at peak; the first limit to trip decides."""
    if hot.carrier.producing:
        return None, _WITH_PRODUCERS
    if not hot.topic.deleted:
        return None, "compaction keeps the newest record of each key"
    kept = float(hot.topic.retention.time)
    limit = hot.topic.retention.bytes_per_partition
    if limit is not None:
        kept = min(kept, limit / (hot.partition_fraction * hot.bytes_per_s))
    return (kept, None) if math.isfinite(kept) else (None, "records are kept forever")


# Words


def _salted(salts: int, meet: float | None) -> str:
    if meet is None:
        return f"Salting does not help: {_SALTS_IN_VAIN[salts]}."
    merge = "Its records are in order only within a salt, and readers that need all of them merge the salts."
    again = f" With a chance of {meet:.0%} two of them meet on a partition: choose some that do not." if meet else ""
    return f"Salt the key {salts} ways: append a number from 0 to {salts - 1} to it. {merge}{again}"


def _alone(own: int) -> str:
    if own == 1:
        return "Give it a topic and a consumer of its own: one partition and one member carry it, in order."
    return (
        f"Give it a topic and consumers of its own: {own} partitions and as many members, keyed by something finer, "
        "so that its order holds only there."
    )


def _accepted(hot: Hot, behind: _Behind) -> str:
    volume = format_quantity(behind.growth_per_s * hot.record_bytes, "bytes_per_s")
    growth = f"{behind.growth_per_s:,.0f} records/s ({volume})"
    if hot.carrier.producing:
        return (
            f"Accept it: while the peak lasts {growth} more arrive than the partition takes; they wait in the "
            "producers until buffer.memory is full and fail after delivery.timeout.ms."
        )
    return (
        f"Accept it: while the peak lasts its partition's lag grows by {growth}, and every other key of that "
        "partition waits with it."
    )
