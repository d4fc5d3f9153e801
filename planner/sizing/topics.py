"""What a plan says of each topic."""

from __future__ import annotations

import math
from functools import lru_cache

from planner.constants import constant, constants
from planner.model import handles, partitions
from planner.results import Ceiling, Rung, TopicPlan
from planner.sizing.sized import Sized
from planner.sizing.workload import Workload, most_members

_RUNGS = 5
_LARGEST = 10_000  # beyond this nobody picks a count for its divisors
_LOOKED_AT = 400  # counts weighed for one ladder; above that every so many


def topic_plans(workload: Workload, sized: Sized, brokers: int) -> dict[str, TopicPlan]:
    """One entry per topic, in the scenario's order."""
    columns, topics = sized.columns, sized.load.topics
    shared = _ceilings(workload)
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
            ladder=ladder(count, int(most_members(topic)), brokers),
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
def ladder(count: int, members: int, brokers: int) -> tuple[Rung, ...]:
    """Nearby counts with many divisors or a multiple of the brokers, the chosen one among them, in rising order."""
    if count > _LARGEST:
        return (Rung(count, tuple(partitions.divisors(count)), partitions.wasted_fraction(count, members)),)
    low, high = max(1, count // 2), count * 2

    def merit(number: int) -> tuple[int, int]:
        return (len(partitions.divisors(number)) + (2 if number % brokers == 0 else 0), -abs(number - count))

    around = range(low, high + 1, max(1, (high - low) // _LOOKED_AT))
    best = sorted((number for number in around if number != count), key=merit, reverse=True)[: _RUNGS - 1]
    return tuple(
        Rung(number, tuple(partitions.divisors(number)), partitions.wasted_fraction(number, members))
        for number in sorted({count, *best})
    )


def _ceilings(workload: Workload) -> tuple[Ceiling, ...]:
    """Upper limits on partitions, each with its source; only the policy's own limit binds a plan."""
    policy, limits = workload.scenario.policy, workload.scenario.cluster.limits
    rows = [
        Ceiling("replicas per broker (policy)", policy.replicas_per_broker_max, "scenario policy; 4,000 is folk", ""),
        Ceiling(
            "segments per broker (vm.max_map_count)",
            float(
                handles.segments_at_map_limit(
                    max_map_count=limits.max_map_count,
                    base_mmaps=constant("handles.base_mmaps"),
                    maps_per_segment=constant("handles.maps_per_segment"),
                )
            ),
            "kafka-hardware-os",
            constants()["handles.base_mmaps"].as_of,
        ),
    ]
    for name, key in (
        ("partitions per cluster (ZooKeeper, 2018, folk)", "partitions.cluster_zookeeper_max"),
        ("partitions per cluster (KRaft laboratory)", "partitions.cluster_kraft_max"),
        ("partitions created in one request", "partitions.create_request_max"),
    ):
        row = constants()[key]
        rows.append(Ceiling(name, row.value, row.source, row.as_of))
    return tuple(rows)
