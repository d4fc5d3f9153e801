"""From a scenario to arrays: records, traffic, partitions, requests and bytes stored, for a given broker count."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from planner.constants import constant
from planner.model import partitions, records, requests, skew, traffic
from planner.model.types import Array
from planner.scenario import Assignment, ConsumerGroup, Ranged, Scenario, Topic, ranges_of
from planner.sizing.assigned import Assigned, assigned_of
from planner.sizing.loads import TopicArrays
from planner.trace import Note


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
        return tuple(sorted((_counted(topic, placed) for topic in self.scenario.topics), key=_order))

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

    def column(self, read: Any) -> Array:
        """One number per topic."""
        return np.array([read(topic) for topic in self.topics], dtype=float)

    @cached_property
    def given(self) -> Mapping[str, Array]:
        """The numbers of the scenario that the model needs, by name."""
        readers: dict[str, Any] = {
            "key_bytes": lambda t: -1.0 if t.record.key_bytes is None else t.record.key_bytes,
            "value_bytes": lambda t: t.record.value_bytes,
            "headers_bytes": _headers_bytes,
            "headers_payload_bytes": lambda t: sum(len(h.key.encode()) + h.value_bytes for h in t.record.headers),
            "compression_ratio": lambda t: t.compression_ratio,
            "peak_ratio": lambda t: t.peak_ratio,
            "peak_duration_s": lambda t: t.peak_duration or 0.0,
            "replication_factor": lambda t: t.replication_factor,
            "min_insync": lambda t: t.effective_min_insync_replicas if t.acks == "all" else 1,
            "linger_s": lambda t: t.batch.linger,
            "batch_size_bytes": lambda t: t.batch.size,
            "batch_given": lambda t: math.nan if t.batch.records is None else t.batch.records,
            "producers": lambda t: t.producers,
            "partitions_given": lambda t: t.partitions or 0,
            "retention_s": lambda t: t.retention.time,
            "retention_bytes": lambda t: t.retention.bytes_per_partition or math.inf,
            "segment_bytes": lambda t: t.segment.bytes,
            "segment_s": lambda t: t.segment.time,
            "compacted": lambda t: t.compacted,
            "deleted": lambda t: t.deleted,
            "tiered": lambda t: t.tiered is not None,
            "local_s": _local_s,
            "local_bytes": _local_bytes,
            "min_dirty_ratio": lambda t: t.compaction.min_dirty_ratio,
            "delete_retention_s": lambda t: t.compaction.delete_retention,
            "tombstone_fraction": lambda t: t.compaction.tombstone_fraction,
            "unique_keys": lambda t: 0.0 if t.keys is None else t.keys.unique or 0.0,
            "fan_out": lambda t: sum(group.read_fraction for group in t.consumers),
            "lagging": lambda t: sum(group.read_fraction * group.lagging_fraction for group in t.consumers),
            "transactions_per_s": lambda t: t.transactions_per_s,
            "produce_capacity": lambda t: _capacity(t, "produce"),
            "consume_capacity": lambda t: _capacity(t, "consume"),
            "keyed": lambda t: t.record.key_bytes is not None,
            "most_read": _most_read,
            "slowest_member": _slowest_member,
            "slowest_processing": _slowest_processing,
            "most_members": most_members,
        }
        return {name: self.column(read) for name, read in readers.items()}

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
        rate = self.column(lambda t: math.nan if t.records_per_s is None else t.records_per_s)
        bytes_per_s = self.column(lambda t: t.bytes_per_s or 0.0)
        return np.where(np.isnan(rate), bytes_per_s / logical, rate) * self.load_factor

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
        return self.column(top_key_fraction)

    def crowding_fraction(self, partitions: Array) -> Array:
        """What keys that meet on one partition add to the hottest one, beside the top key and an even rest."""
        found = np.zeros(len(self.topics))
        for index in self._keyed:
            top = float(self.top_key_fraction[index])
            found[index] = _crowding(self.topics[index], int(partitions[index]), top)
        return found

    @cached_property
    def _keyed(self) -> tuple[int, ...]:
        """Topics whose number of keys is known: no other can be crowded."""
        return tuple(index for index, topic in enumerate(self.topics) if _has_keys(topic))

    @cached_property
    def mirrors(self) -> Array:
        """How many other clusters read each topic."""
        links = self.scenario.cluster.mirror
        return self.column(lambda t: sum(link.topics is None or t.name in link.topics for link in links))

    @cached_property
    def reads(self) -> Reads:
        """Who reads what."""
        pairs = [(index, group) for index, topic in enumerate(self.topics) for group in topic.consumers]
        number = {name: position for position, name in enumerate(dict.fromkeys(group.group for _, group in pairs))}
        members = np.zeros(len(number))
        for _, group in pairs:
            most = max(group.members or 1, group.max_members or 0)
            members[number[group.group]] = max(members[number[group.group]], most)
        return Reads(
            np.array([index for index, _ in pairs], dtype=np.intp),
            np.array([number[group.group] for _, group in pairs], dtype=np.intp),
            np.array([group.members or 1 for _, group in pairs], dtype=float),
            np.array([group.read_fraction for _, group in pairs], dtype=float),
            np.array([group.protocol == "share" for _, group in pairs], dtype=bool),
            members,
        )

    @cached_property
    def consumer_zone_shares(self) -> Array:
        """Bytes read per byte produced, by topic and by the zone of the reading member."""
        zones = self.scenario.cluster.zone_count
        shares = np.zeros((len(self.topics), zones))
        for index, topic in enumerate(self.topics):
            for group in topic.consumers:
                shares[index] += group.read_fraction * (
                    1 / zones if group.zones is None else _zone_shares(group, zones)
                )
        return shares


@dataclass(frozen=True, slots=True)
class Reads:
    """One entry per topic and group that reads it; and the members of each group once."""

    topic: npt.NDArray[np.intp]
    group: npt.NDArray[np.intp]
    members: Array
    read_fraction: Array
    shared: npt.NDArray[np.bool_]
    group_members: Array


def _counted(topic: Topic, placed: Assignment | None) -> Topic:
    """The topic with the partitions that an existing assignment gives it."""
    if placed is None or topic.partitions is not None or topic.name not in placed.topics:
        return topic
    return topic.model_copy(update={"partitions": len(placed.topics[topic.name])})


def _order(topic: Topic) -> tuple[float, ...]:
    return (
        topic.partitions or 0,
        topic.replication_factor,
        topic.records_per_s or 0.0,
        topic.bytes_per_s or 0.0,
        topic.record.value_bytes,
        topic.retention.time,
        sum(group.read_fraction for group in topic.consumers),
    )


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


def _has_keys(topic: Topic) -> bool:
    return topic.keys is not None and topic.keys.unique is not None and topic.record.key_bytes is not None


def crowding(topic: Topic, count: int) -> float:
    """The expected hottest share less that of the top key and an even share of the rest."""
    return _crowding(topic, count, top_key_fraction(topic)) if _has_keys(topic) else 0.0


def _crowding(topic: Topic, count: int, top: float) -> float:
    keys = topic.keys
    if keys is None or keys.unique is None or count == 1:
        return 0.0
    expected = skew.hottest_partition(float(keys.unique), float(keys.zipf_exponent), keys.top_key_fraction, count)
    # the partition of the top key alone has this share on average, so the hottest has no less: below it is noise
    return max(expected.mean_fraction - top - (1 - top) / count, 0.0)


def _zone_shares(group: ConsumerGroup, zones: int) -> Array:
    """Share of a group's members in each zone; even when not given. Names count in the order they are listed."""
    if group.zones is None:
        return np.full(zones, 1 / zones)
    counts = np.zeros(zones)
    for position, (zone, members) in enumerate(group.zones.items()):
        counts[int(zone) - 1 if zone.isdecimal() else position] += members
    return counts / counts.sum() if counts.sum() else np.full(zones, 1 / zones)


def flows(workload: Workload, batch: Array, note: Note) -> dict[str, Array]:
    """Bytes per record and flows per topic, for a known batch fill."""
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
    marked: dict[str, Any] = {
        "transactions_per_s": given["transactions_per_s"] * workload.load_factor * workload.growth,
        "marker_bytes": constant("records.transaction_marker_bytes"),
    }
    arriving = note(
        "topics.produce_in_bytes_per_s", traffic.topic_in_bytes_per_s, produce_in_bytes_per_s=produce, **marked
    )
    return {
        "section_bytes": section,
        "section_records": batch,
        "wire_bytes_per_record": wire,
        "average_records_per_s": average,
        "peak_records_per_s": peak,
        "produce_in_bytes_per_s": arriving,
        "average_bytes_per_s": np.asarray(
            traffic.topic_in_bytes_per_s(produce_in_bytes_per_s=average * wire, **marked)
        ),
        # the topic's own peak, whatever the others do: what its partitions have to take
        "own_peak_records_per_s": average * given["peak_ratio"],
        "own_peak_bytes_per_s": average * given["peak_ratio"] * wire,
    }


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


def _most_read(topic: Topic) -> float:
    return max((group.read_fraction for group in classic_groups(topic)), default=0.0)


def _slowest_member(topic: Topic) -> float:
    """What a member processes per record that the group reads; the slowest group decides."""
    rates = [
        group.records_per_s_per_member / group.read_fraction
        for group in classic_groups(topic)
        if group.records_per_s_per_member is not None and group.read_fraction > 0
    ]
    return min(rates, default=math.inf)


def _slowest_processing(topic: Topic) -> float:
    """How long a record keeps its partition busy; a share group has many records of a partition in work at once."""
    locks = constant("share.partition_max_record_locks")
    return max(
        (
            group.read_fraction * group.processing_time / (locks if group.protocol == "share" else 1.0)
            for group in topic.consumers
            if group.processing_time is not None
        ),
        default=0.0,
    )


def member_rate(group: ConsumerGroup) -> float | None:
    """Records/s that one member processes, by the slower of what is given; None when nothing is."""
    rates = [group.records_per_s_per_member]
    if group.processing_time:
        rates.append(1 / group.processing_time)
    return min((rate for rate in rates if rate is not None), default=None)


def most_members(topic: Topic) -> float:
    """Members of the largest classic group, now or at most."""
    return max((max(group.members or 0, group.max_members or 0) for group in classic_groups(topic)), default=0)


def planned_members(topic: Topic) -> float:
    """Members of the largest classic group today; the most it may have where that is all that is known."""
    return max((group.members or group.max_members or 0 for group in classic_groups(topic)), default=0)


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
    counts = [
        given[index] or _useful(float(raw[index]), stretch, brokers if spread else 1, float(ceiling[index]))
        for index, spread in enumerate(reasons["spread"].tolist())
    ]
    return np.array(counts, dtype=float)


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
