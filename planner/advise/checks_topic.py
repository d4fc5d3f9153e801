"""Checks of topic settings against the plan."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from planner.advise.evidence import Configured
from planner.advise.hits import Case, Hit, ms, shown
from planner.model import retention, storage
from planner.scenario import Topic
from planner.units import format_quantity

_DAY = 86400.0
_SLOW = 0.5  # of the retention that one segment takes to fill
_TENTH = 0.1
_MANY = 1000  # segments of one replica


@dataclass(frozen=True, slots=True)
class _Subject:
    """One topic with its figures."""

    case: Case
    topic: Topic
    index: int

    @property
    def name(self) -> str:
        return self.topic.name

    def setting(self, key: str, planned: str | None = None) -> Configured:
        return self.case.evidence.of_topic(self.name, key, planned)

    def figure(self, name: str) -> float:
        return float(self.case.view.sized.columns[name][self.index])

    @property
    def busiest_bytes_per_s(self) -> float:
        """Average rate into the busiest partition."""
        return self.figure("average_bytes_per_s") * self.figure("hottest_partition_fraction")

    @property
    def stored_bytes(self) -> float:
        return self.figure("disk_bytes")

    def hit(self, code: str, number: float, unit: str, where: str, **texts: str) -> Hit:
        return Hit(code, where, number, unit, self.name, texts)

    @property
    def factor(self) -> int:
        return self.case.evidence.replicas.get(self.name, self.topic.replication_factor)


def topic_hits(case: Case) -> Iterator[Hit]:
    """Every check of every topic."""
    for index, topic in enumerate(case.view.workload.topics):
        subject = _Subject(case, topic, index)
        yield from _unclean(subject)
        yield from _retention(subject)
        yield from _replicas(subject)
        yield from _acks(subject)
        yield from _segments(subject)
        yield from _tombstones(subject)
        yield from _differences(subject)


def _planned(value: float | None, *, given: bool, scale: float = 1000.0) -> str | None:
    """A value of the scenario as Kafka writes it; None where the scenario left it to its default."""
    if not given or value is None:
        return None
    return "-1" if math.isinf(value) else str(round(value * scale))


def _unclean(subject: _Subject) -> Iterator[Hit]:
    asked = subject.case.view.workload.scenario.operations.unclean_election
    found = subject.setting("unclean.leader.election.enable", "true" if asked else None)
    if found.on:
        lag = subject.case.evidence.of_broker("replica.lag.time.max.ms").number / 1000
        number = subject.figure("peak_records_per_s") * lag
        yield subject.hit("unclean_election", number, "records", found.where, lag=shown(lag, "s"))


# Retention


def _limits(subject: _Subject) -> tuple[Configured, Configured]:
    kept = subject.topic.retention
    time = _planned(kept.time, given="time" in kept.model_fields_set)
    size = _planned(kept.bytes_per_partition, given=True, scale=1.0)
    return subject.setting("retention.ms", time), subject.setting("retention.bytes", size)


def _retention(subject: _Subject) -> Iterator[Hit]:
    policy = subject.setting("cleanup.policy", subject.topic.cleanup).value
    if "delete" not in policy:
        return
    time, size = _limits(subject)
    case, rate = subject.case, subject.busiest_bytes_per_s
    timed, sized = time.number >= 0, size.number >= 0
    factor = f"{case.retained.spike_factor:g}"
    if timed and not sized and rate > 0:
        full = case.retained.fills[0].full_s
        if full is not None:
            yield subject.hit("retention_time_only", full, "s", time.where, factor=factor)
    elif sized and not timed and rate > 0:
        kept = float(retention.kept_s(limit_bytes=size.number, bytes_per_s=rate))
        texts = {"factor": factor, "spiked": shown(kept / case.retained.spike_factor, "s")}
        yield subject.hit("retention_bytes_only", kept, "s", size.where, **texts)
    elif not timed and not sized:
        grown = subject.figure("average_bytes_per_s") * subject.factor * _DAY
        yield subject.hit("retention_unlimited", grown, "bytes", time.where)


# Replicas and acknowledgements


def _replicas(subject: _Subject) -> Iterator[Hit]:
    place = f"scenario: topic {subject.name}"
    where = f"topic {subject.name}: replicas" if subject.name in subject.case.evidence.replicas else place
    if subject.factor == 1:
        yield subject.hit("replication_factor_1", subject.stored_bytes, "bytes", where)
    elif subject.factor == 2:  # noqa: PLR2004 - the case in question
        yield subject.hit("replication_factor_2", subject.stored_bytes / 2, "bytes", where)


def _acks(subject: _Subject) -> Iterator[Hit]:
    acks = subject.case.evidence.of_producer(subject.name, "acks", subject.topic.acks)
    produced = subject.figure("produce_in_bytes_per_s")
    if acks.value not in {"all", "-1"}:
        yield subject.hit("acks_not_all", produced, "bytes/s", acks.where, acks=acks.value)
        return
    least = subject.setting("min.insync.replicas", str(subject.topic.effective_min_insync_replicas))
    factor, minimum = subject.factor, least.number
    texts = {"minimum": f"{minimum:g}", "factor": f"{factor}", "wanted": f"{max(1, factor - 1)}"}
    if minimum > factor:
        yield subject.hit("min_isr_above_rf", produced, "bytes/s", least.where, **texts)
    elif minimum == factor > 1:
        share = min(1.0, factor / subject.case.view.brokers)
        yield subject.hit("min_isr_equals_rf", share, "fraction", least.where, **texts)
    elif minimum == 1 and factor > 1:
        yield subject.hit("min_isr_1", produced, "bytes/s", least.where)


# Segments and tombstones


def _segments(subject: _Subject) -> Iterator[Hit]:
    topic, rate = subject.topic, subject.busiest_bytes_per_s
    time, _ = _limits(subject)
    if rate <= 0 or not topic.deleted or time.number <= 0:  # idle, or not limited by time
        return
    segment = topic.segment
    size = subject.setting(
        "segment.bytes", _planned(segment.bytes, given="bytes" in segment.model_fields_set, scale=1.0)
    )
    roll = subject.setting("segment.ms", _planned(segment.time, given="time" in segment.model_fields_set))
    filled = storage.segment_fill_bytes(
        average_bytes_per_s=rate,
        peak_bytes_per_s=rate,
        peak_duration_s=0.0,
        segment_bytes=size.number,
        segment_s=roll.number / 1000,
    )
    fills_s, kept = float(filled) / rate, time.number / 1000
    wanted = min(max(kept * _TENTH * rate, 1024.0**2), 1024.0**3)
    texts = {
        "retention": shown(kept, "s"),
        "segment": format_quantity(size.number, "bytes", binary=True),
        "wanted": format_quantity(math.ceil(wanted / 1024**2) * 1024**2, "bytes", binary=True),
    }
    if fills_s > _SLOW * kept:
        yield subject.hit("segment_granularity", fills_s, "s", size.where, **texts)
    elif kept / fills_s > _MANY and wanted > size.number:
        texts["segments"] = f"{math.ceil(kept / fills_s)}"
        yield subject.hit("segment_small", fills_s, "s", size.where, **texts)


def _tombstones(subject: _Subject) -> Iterator[Hit]:
    topic = subject.topic
    if not topic.compacted:
        return
    if topic.compaction.tombstone_fraction == 0 and topic.keys is not None:
        place = f"scenario: topic {topic.name}"
        yield subject.hit("tombstones_none", topic.keys.unique or 0.0, "keys", place)
    if not topic.consumers:
        return
    given = "delete_retention" in topic.compaction.model_fields_set
    kept = subject.setting("delete.retention.ms", _planned(topic.compaction.delete_retention, given=given))
    speed = float(subject.case.view.workload.given["consume_capacity"][subject.index])
    busiest = subject.stored_bytes / topic.replication_factor * subject.figure("hottest_partition_fraction")
    rebuild = busiest / speed
    if rebuild > kept.number / 1000:
        texts = {"retention": shown(kept.number / 1000, "s"), "wanted": f"{ms(2 * rebuild)} ms"}
        yield subject.hit("tombstones_early", rebuild, "s", kept.where, **texts)


# The cluster against the scenario


def _differences(subject: _Subject) -> Iterator[Hit]:
    """Settings in files or a dump that are not what the plan was computed with."""
    topic = subject.topic
    planned: tuple[tuple[str, float, float, str], ...] = (
        ("retention.ms", topic.retention.time, 1000.0, "s"),
        ("segment.bytes", topic.segment.bytes, 1.0, "bytes"),
        ("min.insync.replicas", topic.effective_min_insync_replicas, 1.0, "count"),
    )
    for key, value, scale, unit in planned:
        found = subject.setting(key)
        if not found.given or found.number < 0 or not math.isfinite(value):
            continue
        real = found.number / scale
        if abs(real - value) > 1e-6 * max(abs(value), 1.0):
            yield subject.hit("differs_from_plan", real, unit, found.where, key=key, planned=shown(value, unit))
    real = subject.factor
    if real != topic.replication_factor:
        texts = {"key": "the replication factor", "planned": str(topic.replication_factor)}
        yield subject.hit("differs_from_plan", real, "count", f"topic {topic.name}: replicas", **texts)
