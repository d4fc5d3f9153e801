"""From a scenario to arrays: records, traffic, partitions, requests and bytes stored, for a given broker count."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import chain
from operator import attrgetter
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from planner.constants import constant
from planner.model import partitions, records, requests, skew, traffic, transactions
from planner.model.types import Array
from planner.scenario import Assignment, ConsumerGroup, Ranged, Scenario, Topic, ranges_of
from planner.sizing.assigned import Assigned, assigned_of
from planner.sizing.loads import TopicArrays
from planner.trace import Note

Reader: TypeAlias = Callable[[Any], Any]  # finds numbers in a section, or None


@dataclass(frozen=True)
class Workload:
    """The scenario's topics as arrays, one entry per topic, before anything is computed."""

    scenario: Scenario
    load_factor: float = 1.0

    def scaled(self, load_factor: float) -> Workload:
        """The same topics at another multiple of their rates; what does not depend on rates is kept."""
        other = Workload(self.scenario, load_factor)
        kept = {key: value for key, value in vars(self).items() if key not in {"load_factor", "average_records_per_s"}}
        vars(other).update(kept)
        return other

    @cached_property
    def topics(self) -> tuple[Topic, ...]:
        """The topics in an order of their own, so that the scenario's order changes no placement and no number."""
        placed = self.scenario.cluster.brokers_placed
        topics = [_counted(topic, placed) for topic in self.scenario.topics]
        at, groups = _readers_of(topics)
        fan_out = _sum(at, np.array([group.read_fraction for group in groups], dtype=float), len(topics))
        keys = np.nan_to_num(_numbers(topics, attrgetter(*_ORDER), len(_ORDER)))
        order = np.lexsort((fan_out, *keys.T[::-1]))
        return tuple(topics[index] for index in order.tolist())

    @cached_property
    def ranges(self) -> tuple[tuple[str, Ranged], ...]:
        """Quantities that were given as ranges, with their paths."""
        return tuple(ranges_of(self.scenario))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(topic.name for topic in self.topics)

    @cached_property
    def assigned(self) -> Assigned | None:
        """Where replicas are already."""
        cluster = self.scenario.cluster
        if cluster.brokers_placed is None or cluster.broker_count is None or not cluster.brokers_placed.brokers:
            return None
        return assigned_of(cluster.brokers_placed, self.names, cluster.broker_count)

    @property
    def count(self) -> int:
        """How often the topics stand in a column, one time after the other."""
        return 1

    def column(self, read: Reader) -> Array:
        """One number per topic; NaN where the reader finds nothing."""
        return self.table(lambda topic: (read(topic),), 1)[:, 0]

    def table(self, read: Reader, many: int) -> Array:
        """The numbers that the reader finds in each topic, NaN for nothing: (topics, many). One pass is quickest."""
        return _numbers(self.topics, read, many)

    @cached_property
    def given(self) -> Mapping[str, Array]:
        """The numbers of the scenario that the model needs, by name."""
        plain = self.table(attrgetter(*_KEYS.values()), len(_KEYS))
        computed = self.table(_computed, len(_COMPUTED))
        found = dict(zip((*_KEYS, *_COMPUTED), (*plain.T.copy(), *computed.T.copy()), strict=True))
        for name, absent in _ABSENT.items():
            found[name] = np.where(np.isnan(found[name]), absent, found[name])
        found["min_insync"] = np.where(found["acks_all"] > 0, found["min_insync_replicas"], 1.0)
        return found | self._of_readers()

    def _of_readers(self) -> dict[str, Array]:
        """What all groups of a topic read together, and what the most demanding classic one asks for.

        Share groups (KIP-932) are not bound by partitions; one has many records of a partition in work at once.
        """
        reads, many = self.reads, len(self.topics) * self.count
        classic, locks = ~reads.shared, constant("share.partition_max_record_locks")
        reading = reads.read_fraction > 0
        member = reads.records_per_s_per_member[reading] / reads.read_fraction[reading]
        busy = reads.read_fraction * reads.processing_s / np.where(reads.shared, locks, 1.0)
        return {
            "fan_out": _sum(reads.topic, reads.read_fraction, many),
            "lagging": _sum(reads.topic, reads.read_fraction * reads.lagging_fraction, many),
            "most_read": _most(reads.topic[classic], reads.read_fraction[classic], many),
            "slowest_member": -_most(reads.topic[reading & classic], -member[classic[reading]], many, -math.inf),
            "slowest_processing": _most(reads.topic, busy, many),
            "most_members": _most(reads.topic[classic], reads.members_most[classic], many),
            "planned_members": _most(reads.topic[classic], reads.members_planned[classic], many),
        }

    @cached_property
    def logical_bytes_per_record(self) -> Array:
        """Key, value and headers of one record, uncompressed."""
        return np.asarray(
            records.logical_bytes_per_record(
                key_bytes=self.given["key_bytes"],
                value_bytes=self.given["value_bytes"],
                headers_payload_bytes=self.given["headers_payload_bytes"],
            )
        )

    @cached_property
    def average_records_per_s(self) -> Array:
        """Average record rate today; from bytes where those were given."""
        logical = np.maximum(self.logical_bytes_per_record, 1.0)
        rate = self.given["records_per_s"]
        return np.where(np.isnan(rate), self.given["bytes_per_s"] / logical, rate) * self.load_factor

    @cached_property
    def growth(self) -> float:
        """Load at the policy's horizon over load today."""
        policy = self.scenario.policy
        return float(traffic.growth_factor(growth_per_year=policy.growth_per_year, horizon_s=policy.horizon))

    @cached_property
    def retention_s(self) -> Array:
        """Retention with `forever` replaced by a finite horizon, which the plan names among its assumptions."""
        horizon = self.scenario.policy.horizon or constant("storage.forever_horizon_s")
        return np.where(np.isinf(self.given["retention_s"]), horizon, self.given["retention_s"])

    @cached_property
    def top_key_fraction(self) -> Array:
        """Share of the records that carry the most frequent key."""
        return self.column(top_key_fraction) if self.has_keys else np.zeros(len(self.topics) * self.count)

    @cached_property
    def has_keys(self) -> bool:
        """Whether any topic says something of its keys."""
        return any(topic.keys is not None for topic in self.topics)

    def crowding_fraction(self, partitions: Array) -> Array:
        """What keys that meet on one partition add to the hottest one, beside the top key and an even rest."""
        if not self.has_keys:
            return np.zeros_like(partitions)
        counts = dict(zip(self.names, partitions.tolist(), strict=False))
        return self.column(lambda topic: crowding(topic, int(counts[topic.name])))

    @cached_property
    def mirrors(self) -> Array:
        """How many other clusters read each topic."""
        links = self.scenario.cluster.mirror
        if not links:
            return np.zeros(len(self.topics) * self.count)
        return self.column(lambda t: sum(link.topics is None or t.name in link.topics for link in links))

    @cached_property
    def groups(self) -> tuple[npt.NDArray[np.intp], list[ConsumerGroup]]:
        """The groups of each topic, one after the other, and the position of each one's topic."""
        return _readers_of(self.topics)

    def group_table(self, read: Reader, many: int) -> Array:
        """The numbers that the reader finds in each group that reads a topic, NaN for nothing: (groups, many)."""
        return _numbers(self.groups[1], read, many)

    @cached_property
    def reads(self) -> Reads:
        """Who reads what."""
        at, groups = self.groups
        names = [group.group for group in groups]
        number = {name: position for position, name in enumerate(dict.fromkeys(names))}
        group = self._each_time(np.array([number[name] for name in names], dtype=np.intp), len(number))
        shared = np.array([group.protocol == "share" for group in groups], dtype=np.intp)
        table = self.group_table(attrgetter(*_GROUP_KEYS), len(_GROUP_KEYS)).T.copy()
        members, most, fraction, lagging, rate, busy = table
        members, most = np.nan_to_num(members), np.nan_to_num(most)
        return Reads(
            topic=self._each_time(at, len(self.topics)),
            group=group,
            members=np.maximum(members, 1.0),
            members_most=np.maximum(members, most),
            members_planned=np.where(members > 0, members, most),
            read_fraction=fraction,
            lagging_fraction=lagging,
            records_per_s_per_member=np.where(np.isnan(rate), math.inf, rate),
            processing_s=np.nan_to_num(busy),
            shared=self._each_time(shared, 0) > 0,
            group_members=_most(group, np.maximum(np.maximum(members, most), 1.0), len(number) * self.count),
        )

    def _each_time(self, positions: npt.NDArray[np.intp], many: int) -> npt.NDArray[np.intp]:
        """Positions among `many`, for each time that the topics stand in a column."""
        return (positions + np.arange(self.count)[:, None] * many).ravel()

    @cached_property
    def consumer_zone_shares(self) -> Array:
        """Bytes read per byte produced, by topic and by the zone of the reading member."""
        zones = self.scenario.cluster.zone_count
        at, groups = self.groups
        each = np.full((len(groups), zones), 1 / zones)
        for index, group in enumerate(groups):
            if group.zones is not None:
                each[index] = _zone_shares(group.zones, zones)
        fraction = np.array([group.read_fraction for group in groups], dtype=float)
        shares = np.zeros((len(self.topics), zones))
        np.add.at(shares, at, fraction[:, None] * each)
        return shares


@dataclass(frozen=True, slots=True)
class Reads:
    """One entry per topic and group that reads it; and the members of each group once."""

    topic: npt.NDArray[np.intp]
    group: npt.NDArray[np.intp]
    members: Array  # today, at least one
    members_most: Array  # today or at most
    members_planned: Array  # today; the most where that is all that is known
    read_fraction: Array
    lagging_fraction: Array
    records_per_s_per_member: Array  # infinite where nothing is said
    processing_s: Array  # 0 where nothing is said
    shared: npt.NDArray[np.bool_]
    group_members: Array


# the numbers of a topic by the name that the model gives them, and what stands for one that is not given
_KEYS = {
    "key_bytes": "record.key_bytes",
    "value_bytes": "record.value_bytes",
    "compression_ratio": "compression.ratio",
    "records_per_s": "records_per_s",
    "bytes_per_s": "bytes_per_s",
    "peak_ratio": "peak_ratio",
    "peak_duration_s": "peak_duration",
    "replication_factor": "replication_factor",
    "linger_s": "batch.linger",
    "batch_size_bytes": "batch.size",
    "batch_given": "batch.records",
    "producers": "producers",
    "partitions_given": "partitions",
    "retention_s": "retention.time",
    "retention_bytes": "retention.bytes_per_partition",
    "segment_bytes": "segment.bytes",
    "segment_s": "segment.time",
    "compacted": "compacted",
    "deleted": "deleted",
    "min_dirty_ratio": "compaction.min_dirty_ratio",
    "delete_retention_s": "compaction.delete_retention",
    "tombstone_fraction": "compaction.tombstone_fraction",
    "transactions_per_s": "transactions_per_s",
    "min_insync_replicas": "effective_min_insync_replicas",
}
_ORDER = ("partitions", "replication_factor", "records_per_s", "bytes_per_s", "record.value_bytes", "retention.time")
_ABSENT = {
    "key_bytes": -1.0,
    "compression_ratio": 1.0,
    "bytes_per_s": 0.0,
    "peak_duration_s": 0.0,
    "partitions_given": 0.0,
    "retention_bytes": math.inf,
    "unique_keys": 0.0,
}
_COMPUTED = (
    "headers_bytes",
    "headers_payload_bytes",
    "acks_all",
    "keyed",
    "tiered",
    "local_s",
    "local_bytes",
    "unique_keys",
    "produce_capacity",
    "consume_capacity",
)
_GROUP_KEYS = (
    "members",
    "max_members",
    "read_fraction",
    "lagging_fraction",
    "records_per_s_per_member",
    "processing_time",
)


def _computed(topic: Topic) -> tuple[Any, ...]:
    """What takes more than reading a key, in the order of `_COMPUTED`."""
    return (
        _headers_bytes(topic),
        sum(len(h.key.encode()) + h.value_bytes for h in topic.record.headers),
        topic.acks == "all",
        topic.record.key_bytes is not None,
        topic.tiered is not None,
        _local_s(topic),
        _local_bytes(topic),
        topic.keys and topic.keys.unique,
        _capacity(topic, "produce"),
        _capacity(topic, "consume"),
    )


def _numbers(sections: Sequence[Any], read: Reader, many: int) -> Array:
    found = chain.from_iterable(map(read, sections))  # no list of tuples: the collector would walk all of it
    return np.fromiter(found, dtype=object, count=len(sections) * many).astype(float).reshape(-1, many)


def _readers_of(topics: Sequence[Topic]) -> tuple[npt.NDArray[np.intp], list[ConsumerGroup]]:
    """The groups of all topics, one after the other, and the position of each one's topic."""
    at = np.repeat(np.arange(len(topics)), [len(topic.consumers) for topic in topics])
    return at, [group for topic in topics for group in topic.consumers]


def _sum(at: npt.NDArray[np.intp], values: Array, many: int) -> Array:
    """The sum of the values at each position."""
    return np.bincount(at, values, many).astype(float)


def _most(at: npt.NDArray[np.intp], values: Array, many: int, least: float = 0.0) -> Array:
    """The largest value at each position."""
    found = np.full(many, least)
    np.maximum.at(found, at, values)
    return found


def _counted(topic: Topic, placed: Assignment | None) -> Topic:
    """The topic with the partitions that an existing assignment gives it."""
    if placed is None or topic.partitions is not None or topic.name not in placed.topics:
        return topic
    return topic.model_copy(update={"partitions": len(placed.topics[topic.name])})


def _headers_bytes(topic: Topic) -> float:
    headers = topic.record.headers
    if not headers:
        return 1.0  # the count of headers alone
    each = [records.header_bytes(key_bytes=len(h.key.encode()), value_bytes=h.value_bytes) for h in headers]
    return float(records.headers_bytes(header_count=len(headers), each_header_bytes=sum(each) / len(each)))


def _local_s(topic: Topic) -> float:
    if topic.tiered is None or topic.tiered.local_time is None:
        return topic.retention.time
    return topic.tiered.local_time


def _local_bytes(topic: Topic) -> float:
    if topic.tiered is None or topic.tiered.local_bytes_per_partition is None:
        return topic.retention.bytes_per_partition or math.inf
    return topic.tiered.local_bytes_per_partition


def _capacity(topic: Topic, side: str) -> float:
    given = getattr(topic.partition_throughput, side, None)
    return float(given) if given is not None else constant(f"partitions.{side}_bytes_per_s")


def top_key_fraction(topic: Topic) -> float:
    """Share of the records that carry the most frequent key, as far as the scenario tells; 0 without keys."""
    keys = topic.keys
    if keys is None or topic.record.key_bytes is None:
        return 0.0
    if keys.top_key_fraction is not None:
        return keys.top_key_fraction
    if keys.unique is None:
        return 0.0
    return float(partitions.zipf_top_fraction(unique_keys=keys.unique, zipf_exponent=keys.zipf_exponent))


def crowding(topic: Topic, count: int) -> float:
    """The expected hottest share less that of the top key and an even share of the rest."""
    keys = topic.keys
    if keys is None or topic.record.key_bytes is None or keys.unique is None or count == 1:
        return 0.0
    top = top_key_fraction(topic)
    expected = skew.hottest_partition(float(keys.unique), float(keys.zipf_exponent), keys.top_key_fraction, count)
    # the partition of the top key alone has this share on average, so the hottest has no less: below it is noise
    return max(expected.mean_fraction - top - (1 - top) / count, 0.0)


def _zone_shares(named: Mapping[str, int], zones: int) -> Array:
    """Share of a group's members in each zone. Names count in the order they are listed."""
    counts = np.zeros(zones)
    for position, (zone, members) in enumerate(named.items()):
        counts[int(zone) - 1 if zone.isdecimal() else position] += members
    return counts / counts.sum() if counts.sum() else np.full(zones, 1 / zones)


def flows(workload: Workload, batch: Array, count: Array, note: Note) -> dict[str, Array]:
    """Bytes per record and flows per topic, for a known batch fill and partition count."""
    given, policy = workload.given, workload.scenario.policy
    section = note(
        "topics.records_section_bytes",
        records.records_section_bytes,
        records=batch,
        key_bytes=given["key_bytes"],
        value_bytes=given["value_bytes"],
        headers_bytes=given["headers_bytes"],
        timestamp_step_ms=0.0,
    )
    whole = note(
        "topics.batch_bytes",
        records.batch_bytes,
        section_bytes=section,
        compression_ratio=given["compression_ratio"],
        batch_header_bytes=constant("records.batch_header_bytes"),
    )
    wire = note("topics.wire_bytes_per_record", records.wire_bytes_per_record, batch_bytes=whole, records=batch)
    average = workload.average_records_per_s * workload.growth
    peak = note(
        "topics.peak_records_per_s",
        traffic.peak_records_per_s,
        records_per_s=workload.average_records_per_s,
        peak_ratio=given["peak_ratio"],
        peak_coincidence=policy.peak_coincidence,
        growth_factor=workload.growth,
    )
    produce = note(
        "topics.record_in_bytes_per_s", traffic.produce_in_bytes_per_s, records_per_s=peak, wire_bytes_per_record=wire
    )
    # a transaction has as many records at the peak as on average
    markers = _marker_bytes_per_s(workload, average, count, note)
    arriving = note(
        "topics.produce_in_bytes_per_s",
        traffic.topic_in_bytes_per_s,
        produce_in_bytes_per_s=produce,
        marker_bytes_per_s=markers * _over(peak, average),
    )
    return {
        "section_bytes": section,
        "section_records": batch,
        "wire_bytes_per_record": wire,
        "average_records_per_s": average,
        "peak_records_per_s": peak,
        "produce_in_bytes_per_s": arriving,
        "average_bytes_per_s": np.asarray(
            traffic.topic_in_bytes_per_s(produce_in_bytes_per_s=average * wire, marker_bytes_per_s=markers)
        ),
        # the topic's own peak, whatever the others do: what its partitions have to take
        "own_peak_records_per_s": average * given["peak_ratio"],
        "own_peak_bytes_per_s": average * given["peak_ratio"] * wire,
    }


def _over(values: Array, divisors: Array) -> Array:
    """The ratio, 0 where there is nothing to divide by."""
    return np.divide(values, divisors, out=np.zeros_like(values), where=divisors > 0)


def _marker_bytes_per_s(workload: Workload, average: Array, count: Array, note: Note) -> Array:
    """Markers of transactions on average: one in each partition written to; records without a key stay on one."""
    rate = workload.given["transactions_per_s"] * workload.load_factor * workload.growth
    if not rate.any():
        return np.zeros_like(average)
    touched = note(
        "topics.partitions_touched",
        records.batches_per_request,
        records_per_request=np.maximum(_over(average, rate), 1.0),
        leader_partitions=np.where(workload.given["keyed"] > 0, count, 1.0),
    )
    return np.asarray(
        note(
            "topics.marker_bytes_per_s",
            transactions.marker_bytes_per_s,
            transactions_per_s=rate,
            partitions_touched=touched,
            marker_bytes=constant("records.transaction_marker_bytes"),
        )
    )


def partition_reasons(workload: Workload, flow: Mapping[str, Array], brokers: int, note: Note) -> dict[str, Array]:
    """Each named reason for a partition count, not rounded; 0 where a reason does not apply."""
    given, policy = workload.given, workload.scenario.policy
    # today's load: the growth reason looks ahead on its own
    peak_records = flow["own_peak_records_per_s"] / workload.growth
    peak_bytes = flow["own_peak_bytes_per_s"] / workload.growth
    produce = note(
        "topics.partitions_for_produce",
        partitions.partitions_for_produce,
        peak_bytes_per_s=peak_bytes,
        partition_bytes_per_s=given["produce_capacity"],
    )
    consume = note(
        "topics.partitions_for_consume",
        partitions.partitions_for_consume,
        peak_bytes_per_s=peak_bytes * given["most_read"],
        partition_bytes_per_s=given["consume_capacity"],
        peak_records_per_s=peak_records,
        member_records_per_s=given["slowest_member"],
    )
    processing = note(
        "topics.partitions_for_processing",
        partitions.partitions_for_processing,
        peak_records_per_s=peak_records,
        processing_time_s=given["slowest_processing"],
    )
    parallelism = note(
        "topics.partitions_for_parallelism",
        partitions.partitions_for_parallelism,
        members=given["most_members"],
        partition_headroom=policy.partition_headroom,
    )
    ahead = max(policy.horizon, constant("partitions.growth_horizon_s"))
    factor = traffic.growth_factor(growth_per_year=policy.growth_per_year, horizon_s=ahead)
    capacity = np.minimum(given["produce_capacity"], given["consume_capacity"])
    hot = note(
        "topics.partitions_for_hot_key",
        partitions.partitions_for_hot_key,
        top_key_fraction=workload.top_key_fraction,
        partition_fraction=np.minimum(capacity / np.maximum(peak_bytes, 1e-9), 1.0),
    )
    total = max(float(flow["produce_in_bytes_per_s"].sum()), 1e-9)
    spread = note(
        "topics.partitions_for_spread",
        partitions.partitions_for_spread,
        topic_share=flow["produce_in_bytes_per_s"] / total,
        brokers=brokers,
        broker_share_min=constant("partitions.broker_share_min"),
    )
    growth = note(
        "topics.partitions_for_growth",
        partitions.partitions_for_growth,
        produce_count=produce,
        consume_count=consume,
        processing_count=processing,
        growth_factor=factor,
    )
    return {
        "produce": produce,
        "consume": consume,
        "parallelism": parallelism,
        "processing": processing,
        "growth": growth if factor > 1 else np.zeros_like(growth),
        "hot_key": np.where(workload.top_key_fraction > 0, hot, 0.0),
        "spread": spread,
    }


def classic_groups(topic: Topic) -> list[ConsumerGroup]:
    """Groups in which a partition has one member at a time; share groups (KIP-932) are not bound by partitions."""
    return [group for group in topic.consumers if group.protocol != "share"]


def member_rate(group: ConsumerGroup) -> float | None:
    """Records/s that one member processes, by the slower of what is given; None when nothing is."""
    rates = [group.records_per_s_per_member]
    if group.processing_time:
        rates.append(1 / group.processing_time)
    return min((rate for rate in rates if rate is not None), default=None)


def most_members(topic: Topic) -> float:
    """Members of the largest classic group, now or at most."""
    return max((max(group.members or 0, group.max_members or 0) for group in classic_groups(topic)), default=0)


def planned_partitions(workload: Workload, reasons: Mapping[str, Array], brokers: int, note: Note) -> Array:
    """The given count, else the largest reason rounded up to a useful one."""
    given = workload.given["partitions_given"]
    stretch = constant("partitions.useful_stretch")
    raw = note(
        "topics.partitions", partitions.partitions_needed, **{f"{name}_count": value for name, value in reasons.items()}
    )
    # rounding up is a courtesy, so it stops where it would take more than its share of the replica limit
    share = workload.scenario.policy.replicas_per_broker_max * brokers / max(len(given), 1)
    ceiling = np.floor(share / workload.given["replication_factor"])
    counts = given.copy()
    for index in np.flatnonzero(given == 0).tolist():
        multiple = brokers if reasons["spread"][index] else 1
        counts[index] = _useful(float(raw[index]), stretch, multiple, float(ceiling[index]))
    return counts


@lru_cache(maxsize=4096)
def _useful(raw: float, stretch: float, multiple: int, ceiling: float) -> int:
    return partitions.useful_count(raw, stretch, multiple=multiple, ceiling=ceiling)


def requests_of(
    workload: Workload, flow: Mapping[str, Array], count: Array, brokers: int, note: Note
) -> dict[str, Array]:
    """Batch fill, and the produce and fetch requests per topic."""
    given = workload.given
    leaders_on = np.minimum(count, brokers)
    keyed = given["keyed"] > 0
    led = np.where(keyed, count / leaders_on, 1.0)
    # null keys fill one partition at a time, so all of a producer's records gather in one batch
    connections = given["producers"] * np.where(keyed, leaders_on, 1.0)
    rate = flow["peak_records_per_s"] / connections
    record_bytes = flow["section_bytes"] / flow["section_records"]
    full = records.full_batch_records(
        batch_size_bytes=given["batch_size_bytes"],
        record_bytes=np.maximum(record_bytes, 1.0),
        compression_ratio=given["compression_ratio"],
        estimate_factor=np.where(given["compression_ratio"] == 1, 1.0, constant("records.estimate_factor")),
        batch_header_bytes=constant("records.batch_header_bytes"),
    )
    gathered = records.records_per_request(
        records_per_s=rate,
        linger_s=given["linger_s"],
        round_trip_s=constant("requests.round_trip_s"),
        leader_partitions=led,
        full_batch_records=full,
        max_request_bytes=constant("requests.max_request_bytes"),
        wire_bytes_per_record=flow["wire_bytes_per_record"],
    )
    known = ~np.isnan(given["batch_given"])
    of_batch = requests.records_per_request_of_batch(
        batch_records=np.nan_to_num(given["batch_given"], nan=1.0), leader_partitions=led
    )
    per_request = np.where(known, of_batch, gathered)
    batches = records.batches_per_request(records_per_request=per_request, leader_partitions=led)
    derived = records.batch_records(
        records_per_request=per_request, batches_per_request=batches, full_batch_records=full
    )
    fill = np.where(known, given["batch_given"], derived)
    produce = note(
        "topics.produce_requests_per_s",
        records.requests_per_s,
        records_per_s=flow["peak_records_per_s"],
        records_per_request=per_request,
    )
    appends = flow["peak_records_per_s"] / fill
    return {
        "batch_records": fill,
        "records_per_request": per_request,
        "batches_per_request": np.where(flow["peak_records_per_s"] > 0, batches, 0.0),
        "produce_requests_per_s": produce,
        "appends_per_s": appends,
        "consumer_requests_per_s": _consumer_requests(workload, appends, count, brokers),
    }


def _consumer_requests(workload: Workload, appends: Array, count: Array, brokers: int) -> Array:
    """Fetch requests of all groups: each member asks each broker that leads one of its partitions."""
    reads = workload.reads
    total = np.zeros(len(count))
    owned = count[reads.topic]
    members = np.where(reads.shared, reads.members, np.minimum(reads.members, owned))
    pairs = members * np.minimum(brokers, np.maximum(owned / members, 1.0))
    each = requests.pair_fetch_requests_per_s(
        appends_per_s=appends[reads.topic] * np.minimum(reads.read_fraction, 1.0) / pairs,
        round_trip_s=constant("requests.round_trip_s"),
        idle_requests_per_s=constant("requests.idle_fetch_per_s"),
    )
    np.add.at(total, reads.topic, pairs * each)
    return total


def connections(workload: Workload, count: Array, brokers: int) -> tuple[Array, Array]:
    """Connections from clients to one broker: of each topic's producers, and of each group's members once."""
    reads = workload.reads
    owned = np.bincount(reads.group, count[reads.topic], len(reads.group_members))
    producers = requests.client_connections(clients=workload.given["producers"], partitions_each=count, brokers=brokers)
    members = requests.client_connections(
        clients=reads.group_members, partitions_each=owned / np.maximum(reads.group_members, 1), brokers=brokers
    )
    return np.asarray(producers), np.asarray(members)


def topic_arrays(workload: Workload, columns: Mapping[str, Array], count: Array, brokers: int) -> TopicArrays:
    """The load per topic, ready to be placed."""
    given = workload.given
    produce = columns["produce_in_bytes_per_s"]
    return TopicArrays(
        names=workload.names,
        partitions=count,
        replication_factor=given["replication_factor"],
        live_needed=given["min_insync"],
        produce_in_bytes_per_s=produce,
        consumer_out_bytes_per_s=produce * given["fan_out"],
        consumer_zone_bytes_per_s=produce[:, None] * workload.consumer_zone_shares,
        tier_out_bytes_per_s=produce * given["tiered"],
        mirror_out_bytes_per_s=produce * workload.mirrors,
        produce_requests_per_s=columns["produce_requests_per_s"],
        consumer_requests_per_s=columns["consumer_requests_per_s"],
        batches_per_request=columns["batches_per_request"],
        disk_read_bytes_per_s=produce * given["lagging"],
        client_connections=float(sum(map(np.sum, connections(workload, count, brokers)))),
    )
