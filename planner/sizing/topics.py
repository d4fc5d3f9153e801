"""What a plan says of each topic."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from planner.constants import constant, constants
from planner.model import handles, memory, partitions, published
from planner.results import Ceiling, Rung, TopicPlan
from planner.sizing.sized import Sized
from planner.sizing.workload import Workload, most_members, planned_members

_RUNGS = 5
_LARGEST = 10_000  # beyond this nobody picks a count for its divisors
_LOOKED_AT = 400  # counts weighed for one ladder; above that every so many


def topic_plans(workload: Workload, sized: Sized, brokers: int) -> dict[str, TopicPlan]:
    """One entry per topic, in the scenario's order."""
    columns, topics = sized.columns, sized.load.topics
    shared = ceilings(workload, sized, brokers)
    found: dict[str, TopicPlan] = {}
    for index, topic in enumerate(workload.topics):
        reasons = {name: float(values[index]) for name, values in sized.reasons.items()}
        binding = max(reasons, key=lambda name: reasons[name])
        raw = max(reasons[binding], 0.0)
        count = int(topics.partitions[index])
        found[topic.name] = TopicPlan(
            partitions=count,
            partitions_raw=raw,
            partitions_given=topic.partitions is not None,
            reasons=_shown(reasons, workload, index),
            binding_reason=binding if raw > 0 else "minimum",
            ladder=ladder(count, int(planned_members(topic)), int(most_members(topic)), brokers),
            ceilings=shared,
            replication_factor=topic.replication_factor,
            min_insync_replicas=topic.effective_min_insync_replicas,
            produce_in_bytes_per_s=float(topics.produce_in_bytes_per_s[index]),
            consumer_out_bytes_per_s=float(topics.consumer_out_bytes_per_s[index]),
            logical_bytes_per_record=float(workload.logical_bytes_per_record[index]),
            wire_bytes_per_record=float(columns["wire_bytes_per_record"][index]),
            batch_records=float(columns["batch_records"][index]),
            produce_requests_per_s=float(columns["produce_requests_per_s"][index]),
            disk_bytes=float(columns["disk_bytes"][index]),
            disk_bytes_worst=float(columns["disk_bytes_worst"][index]),
            remote_bytes=float(columns["remote_bytes"][index]),
            hottest_partition_fraction=float(columns["hottest_partition_fraction"][index]),
            cost_per_month=None,
            cost_per_month_reason="costs per topic come with the hardware prices",
        )
    return {topic.name: found[topic.name] for topic in workload.scenario.topics}


def _shown(reasons: dict[str, float], workload: Workload, index: int) -> dict[str, float | None]:
    """Reasons rounded up to counts; null where a reason does not apply."""
    shown: dict[str, float | None] = {
        name: math.ceil(value - 1e-9) if value > 0 else None for name, value in reasons.items()
    }
    if workload.average_records_per_s[index] == 0:
        shown["produce"] = shown["consume"] = None
    return shown


@lru_cache(maxsize=4096)
def ladder(count: int, members: int, most_members: int, brokers: int) -> tuple[Rung, ...]:
    """Nearby counts with many divisors or a multiple of the brokers, the chosen one among them, in rising order."""
    if count > _LARGEST:
        return (_rung(count, members, most_members, brokers),)
    low, high = max(1, count // 2), count * 2

    def merit(number: int) -> tuple[int, int]:
        return (len(partitions.divisors(number)) + (2 if number % brokers == 0 else 0), -abs(number - count))

    around = range(low, high + 1, max(1, (high - low) // _LOOKED_AT))
    best = sorted((number for number in around if number != count), key=merit, reverse=True)[: _RUNGS - 1]
    return tuple(_rung(number, members, most_members, brokers) for number in sorted({count, *best}))


def _rung(count: int, members: int, most_members: int, brokers: int) -> Rung:
    """A count, and what is idle at the members of today and at worst on the way to the most that are planned."""
    looked_at = range(max(members, 1), min(most_members, members + _LOOKED_AT) + 1)
    wasted = partitions.wasted_fraction(count, members)
    worst = max((partitions.wasted_fraction(count, number) for number in looked_at), default=wasted)
    return Rung(count, tuple(partitions.divisors(count)), wasted, max(wasted, worst), count / brokers)


# ceilings that others state: the constant and what it counts
_STATED = {
    "ceiling.broker_folk": "replicas per broker (folk, 2018)",
    "ceiling.broker_definitive_guide": "replicas per broker (The Definitive Guide, 2021)",
    "ceiling.broker_cruise_control": "replicas per broker (Cruise Control)",
    "ceiling.broker_msk_standard": "replicas per broker (MSK Standard, largest)",
    "ceiling.broker_msk_express": "replicas per broker (MSK Express, largest)",
    "ceiling.broker_huawei": "replicas per broker (Huawei, largest)",
    "ceiling.broker_alibaba": "replicas per broker (Alibaba)",
    "partitions.cluster_zookeeper_max": "partitions per cluster (ZooKeeper, 2018, folk)",
    "partitions.cluster_kraft_max": "partitions per cluster (KRaft laboratory)",
    "ceiling.cluster_kdg": "replicas per cluster (The Definitive Guide, 2021)",
    "ceiling.cluster_msk_serverless": "partitions per cluster (MSK Serverless)",
}


def ceilings(workload: Workload, sized: Sized, brokers: int) -> tuple[Ceiling, ...]:
    """Upper limits on partitions, each with its source; only the policy's own limit binds a plan."""
    topics, classes = sized.load.topics, sized.load.classes
    replicas = float(topics.partitions @ topics.replication_factor)
    copies = topics.replication_factor[classes.topic.astype(np.intp)] * classes.count
    used = {
        "replicas per broker": replicas / brokers,
        "partitions per cluster": float(topics.partitions.sum()),
        "replicas per cluster": replicas,
        "segments per broker": float(classes.live_segments @ copies) / brokers,
    }

    def row(name: str, limit: float, source: str, as_of: str, *, binds: bool = False) -> Ceiling:
        unit = name.partition(" (")[0]
        return Ceiling(name, limit, source, as_of, unit, used[unit], used[unit] / limit, binds)

    policy = workload.scenario.policy.replicas_per_broker_max
    stated = (
        row(name, constants()[key].value, constants()[key].source, constants()[key].as_of)
        for key, name in _STATED.items()
    )
    return (
        row("replicas per broker (policy)", policy, "scenario policy; 4,000 is folk", "", binds=True),
        *(
            row(name, limit, source, constants()[key].as_of)
            for name, limit, source, key in _computed(workload, brokers)
        ),
        *stated,
    )


def _computed(workload: Workload, brokers: int) -> Iterator[tuple[str, float, str, str]]:
    """Ceilings of this scenario: name, limit, source, and the constant whose date counts."""
    limits = workload.scenario.cluster.limits
    maps = handles.segments_at_map_limit(
        max_map_count=limits.max_map_count,
        base_mmaps=constant("handles.base_mmaps"),
        maps_per_segment=constant("handles.maps_per_segment"),
    )
    yield "segments per broker (vm.max_map_count)", float(maps), "kafka-hardware-os", "handles.base_mmaps"
    files = max(limits.nofile - constant("handles.base_open_files"), 1.0)
    yield (
        "segments per broker (descriptors, before connections)",
        files,
        "kafka-4.3-measured",
        "handles.base_open_files",
    )
    heap = memory.replicas_in_heap(
        heap_bytes=constant("memory.heap_floor_bytes"),
        heap_base_bytes=constant("memory.heap_base_bytes"),
        heap_bytes_per_replica=constant("memory.heap_bytes_per_replica"),
    )
    yield "replicas per broker (default heap)", float(heap), "kafka-4.3-measured", "memory.heap_bytes_per_replica"
    copies = max(int(workload.given["replication_factor"].max(initial=1)), 1)
    rao = published.rao_replicas_per_broker(
        brokers=brokers,
        replication_factor=copies,
        partitions_per_replica=constant("published.rao_partitions_per_replica"),
    )
    yield (
        "replicas per broker (100 B RF for latency, folk, 2015)",
        float(rao),
        "rao-partitions",
        "published.rao_partitions_per_replica",
    )
