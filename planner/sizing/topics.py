"""What a plan says of each topic."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from functools import cache, lru_cache

import numpy as np

from planner.constants import Constant, constant, constants
from planner.model import handles, memory, partitions, published
from planner.results import Ceiling, Rung, TopicPlan
from planner.sizing.costs import Bill
from planner.sizing.sized import Sized
from planner.sizing.workload import Workload

_RUNGS = 2  # on each side of the chosen count
_LARGEST = 10_000  # beyond this nobody picks a count for its divisors
_LOOKED_AT = 400  # counts weighed for one ladder; above that every so many


def topic_plans(workload: Workload, sized: Sized, brokers: int, bill: Bill) -> dict[str, TopicPlan]:
    """One entry per topic, in the scenario's order."""
    shared = ceilings(workload, sized, brokers)
    names = ("planned_members", "most_members", "replication_factor", "min_insync_replicas")
    whole = (workload.given[name].astype(int).tolist() for name in names)
    counts = sized.load.topics.partitions.astype(int).tolist()
    figures = _figures(workload, sized)
    rows = zip(workload.topics, counts, _reasons(workload, sized), *whole, *figures.values(), strict=True)
    found = {
        topic.name: TopicPlan(
            partitions=count,
            partitions_raw=raw,
            partitions_given=topic.partitions is not None,
            reasons=reasons,
            binding_reason=binding,
            ladder=ladder(count, planned, most, brokers, math.ceil(raw - 1e-9)),
            ceilings=shared,
            replication_factor=copies,
            min_insync_replicas=least,
            cost_per_month=bill.topics.get(topic.name),
            cost_per_month_reason=bill.reason,
            **dict(zip(figures, numbers, strict=True)),
        )
        for topic, count, (reasons, binding, raw), planned, most, copies, least, *numbers in rows
    }
    return {topic.name: found[topic.name] for topic in workload.scenario.topics}


def _figures(workload: Workload, sized: Sized) -> dict[str, list[float]]:
    """The numbers of all topics, by the name that a topic's plan gives them."""
    columns = {
        **sized.columns,
        "consumer_out_bytes_per_s": sized.load.topics.consumer_out_bytes_per_s,
        "logical_bytes_per_record": workload.logical_bytes_per_record,
    }
    named = (part.name for part in fields(TopicPlan) if part.name in columns and part.name != "partitions")
    return {name: columns[name].tolist() for name in named}


def _reasons(workload: Workload, sized: Sized) -> Iterator[tuple[dict[str, float | None], str, float]]:
    """For each topic the reasons as counts, null where one does not apply; the largest; and that one not rounded."""
    names, table = list(sized.reasons), np.array(list(sized.reasons.values()))
    counts = np.ceil(table - 1e-9).astype(int).astype(object)
    counts[table <= 0] = None
    for name in ("produce", "consume"):
        counts[names.index(name), workload.average_records_per_s == 0] = None
    for shown, binding, raw in zip(
        counts.T.tolist(), table.argmax(axis=0).tolist(), table.max(axis=0).tolist(), strict=True
    ):
        yield dict(zip(names, shown, strict=True)), names[binding] if raw > 0 else "minimum", max(raw, 0.0)


@lru_cache(maxsize=4096)
def ladder(count: int, members: int, most_members: int, brokers: int, needed: int) -> tuple[Rung, ...]:
    """Nearby counts with many divisors or a multiple of the brokers, below and above the chosen one."""
    numbers = {count}
    if count <= _LARGEST:
        for low, high in ((max(1, count // 2), count - 1), (count + 1, count * 2)):
            around = range(low, high + 1, max(1, (high - low) // _LOOKED_AT))
            numbers.update(sorted(around, key=lambda number: _merit(number, count, brokers), reverse=True)[:_RUNGS])
    if needed > count:
        numbers.add(partitions.useful_count(needed, constant("partitions.useful_stretch"), multiple=brokers))
    return tuple(_rung(number, members, most_members, brokers, needed) for number in sorted(numbers))


def _merit(number: int, count: int, brokers: int) -> tuple[int, int]:
    """Member counts that divide it, a multiple of the brokers above those; the nearer of equals."""
    return (len(partitions.divisors(number)) + (2 if number % brokers == 0 else 0), -abs(number - count))


def _rung(count: int, members: int, most_members: int, brokers: int, needed: int) -> Rung:
    """A count, and what is idle at the members of today and at worst on the way to the most that are planned."""
    looked_at = range(max(members, 1), min(most_members, members + _LOOKED_AT) + 1)
    wasted = partitions.wasted_fraction(count, members)
    worst = max((partitions.wasted_fraction(count, number) for number in looked_at), default=wasted)
    return Rung(
        count, tuple(partitions.divisors(count)), wasted, max(wasted, worst), count / brokers, enough=count >= needed
    )


# ceilings that others state: the constant, what it counts, and what kind of statement it is
_STATED = {
    "ceiling.broker_folk": ("replicas per broker (folk, 2018)", "folk"),
    "ceiling.broker_definitive_guide": ("replicas per broker (The Definitive Guide, 2021)", "folk"),
    "ceiling.broker_cruise_control": ("replicas per broker (Cruise Control)", "tool"),
    "ceiling.broker_alibaba": ("replicas per broker (Alibaba)", "vendor"),
    "partitions.cluster_zookeeper_max": ("partitions per cluster (ZooKeeper, 2018, folk)", "folk"),
    "partitions.cluster_kraft_max": ("partitions per cluster (KRaft laboratory)", "laboratory"),
    "ceiling.cluster_kdg": ("replicas per cluster (The Definitive Guide, 2021)", "folk"),
    "ceiling.cluster_alibaba": ("replicas per cluster (Alibaba)", "vendor"),
    "ceiling.cluster_msk_serverless": ("partitions per cluster (MSK Serverless)", "vendor"),
}
# limits by machine size: the beginning of the constants' ids, the sizes in rising order
_SIZED = {
    "ceiling.msk_standard.": "replicas per broker (MSK Standard, largest)",
    "ceiling.msk_express.": "replicas per broker (MSK Express, largest)",
    "ceiling.huawei.": "replicas per broker (Huawei, largest)",
}


def ceilings(workload: Workload, sized: Sized, brokers: int) -> tuple[Ceiling, ...]:
    """Upper limits on partitions, each with its source; only the policy's own limit binds a plan."""
    used, rules = _used(sized, brokers), constants()
    policy, unit = workload.scenario.policy.replicas_per_broker_max, "replicas per broker"
    binding = Ceiling(
        name=f"{unit} (policy)",
        limit=policy,
        source="scenario policy; 4,000 is folk",
        as_of="",
        unit=unit,
        used=used[unit],
        used_fraction=used[unit] / policy,
        binds=True,
        kind="policy",
        applies_to="this plan",
    )
    return (
        binding,
        *(
            _row(name, limit, kind, rules[key], used, source=source)
            for name, limit, kind, key, source in _computed(workload, brokers)
        ),
        *(_row(name, rules[key].value, kind, rules[key], used) for key, (name, kind) in _STATED.items()),
        *(_sized_row(name, beginning, used) for beginning, name in _SIZED.items()),
    )


def _used(sized: Sized, brokers: int) -> dict[str, float]:
    """What this plan takes of everything that a ceiling counts, on the mean broker."""
    topics, classes = sized.load.topics, sized.load.classes
    replicas = float(topics.partitions @ topics.replication_factor)
    copies = topics.replication_factor[classes.topic.astype(np.intp)] * classes.count
    return {
        "replicas per broker": replicas / brokers,
        "partitions per cluster": float(topics.partitions.sum()),
        "replicas per cluster": replicas,
        "segments per broker": float(classes.live_segments @ copies) / brokers,
    }


def _row(name: str, limit: float, kind: str, rule: Constant, used: Mapping[str, float], *, source: str = "") -> Ceiling:
    """A ceiling with the date and the range of use of the constant that it rests on."""
    unit = name.partition(" (")[0]
    return Ceiling(
        name=name,
        limit=limit,
        source=source or rule.source,
        as_of=rule.as_of,
        unit=unit,
        used=used[unit],
        used_fraction=used[unit] / limit,
        kind=kind,
        applies_to=rule.applies_to,
    )


@cache
def _sizes(beginning: str) -> tuple[tuple[str, Constant], ...]:
    """The machine sizes of a vendor, the smallest limit first."""
    rows = [(key.removeprefix(beginning), row) for key, row in constants().items() if key.startswith(beginning)]
    return tuple(sorted(rows, key=lambda item: item[1].value))


def _sized_row(name: str, beginning: str, used: Mapping[str, float]) -> Ceiling:
    """A vendor's limit for its largest machine, and from which size on this plan fits."""
    sizes = _sizes(beginning)
    most = sizes[-1][1]
    row = _row(name, most.value, "vendor", most, used)
    fits = next((size for size, rule in sizes if row.used <= rule.value), None)
    return replace(
        row,
        sizes={size: rule.value for size, rule in sizes},
        fits_from=fits,
        fits_from_reason=None if fits else "no size holds so many on one broker",
    )


def _computed(workload: Workload, brokers: int) -> Iterator[tuple[str, float, str, str, str]]:
    """Ceilings of this scenario: name, limit, kind, the constant that it rests on, source."""
    limits = workload.scenario.cluster.limits
    maps = handles.segments_at_map_limit(
        max_map_count=limits.max_map_count,
        base_mmaps=constant("handles.base_mmaps"),
        maps_per_segment=constant("handles.maps_per_segment"),
    )
    name = "segments per broker (vm.max_map_count)"
    yield name, float(maps), "computed", "handles.maps_per_segment", "kafka-hardware-os"
    files = max(limits.nofile - constant("handles.base_open_files"), 1.0)
    name = "segments per broker (descriptors, before connections)"
    yield name, files, "computed", "handles.base_open_files", "kafka-4.3-measured"
    heap = memory.replicas_in_heap(
        heap_bytes=constant("memory.heap_floor_bytes"),
        heap_base_bytes=constant("memory.heap_base_bytes"),
        heap_bytes_per_replica=constant("memory.heap_bytes_per_replica"),
    )
    name = "replicas per broker (default heap)"
    yield name, float(heap), "computed", "memory.heap_bytes_per_replica", "kafka-4.3-measured"
    copies = max(int(workload.given["replication_factor"].max(initial=1)), 1)
    rao = published.rao_replicas_per_broker(
        brokers=brokers,
        replication_factor=copies,
        partitions_per_replica=constant("published.rao_partitions_per_replica"),
    )
    name = "replicas per broker (100 B RF for latency, folk, 2015)"
    yield name, float(rao), "folk", "published.rao_partitions_per_replica", "rao-partitions"
