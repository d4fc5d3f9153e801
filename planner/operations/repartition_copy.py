"""Copying a topic into a new one beside the live traffic: how fast, and whether the cluster holds meanwhile."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from planner.constants import constant
from planner.model import recovery, repartition
from planner.results import RESOURCE_WORDS, Plan
from planner.scenario import ConsumerGroup, Scenario, Topic
from planner.sizing import plan
from planner.sizing.evaluate import resource_utilisation, threshold
from planner.sizing.setting import setting_of
from planner.sizing.workload import Workload
from planner.trace import Note
from planner.units import format_quantity

_BYTE_BOUND = ("network_in", "network_out", "disk_throughput")
_LONGEST_NAME = 249
_TRIES = 8  # halvings of the rate until the plan holds


@dataclass(frozen=True, slots=True)
class Copy:
    """One copy of a topic: rate, time and what it does to the cluster."""

    rate_bytes_per_s: float
    limited_by: str
    duration_s: float | None
    unthrottled_rate_bytes_per_s: float
    unthrottled_s: float | None
    one_copy_bytes: float
    bytes_copied: float
    extra_disk_bytes: float
    extra_network_in_bytes_per_s: float
    extra_network_out_bytes_per_s: float
    holds: bool
    holds_reason: str | None
    brokers_needed: int | None
    never: str | None


@dataclass(frozen=True, slots=True)
class Job:
    """What is copied."""

    standing: Scenario  # partitions and brokers of today written in
    today: Plan
    topic: Topic
    after: int
    new_name: str
    average_bytes_per_s: float
    stored_bytes: float  # of one copy


def new_name_of(scenario: Scenario, topic: str, after: int) -> str:
    """A name for the new topic that is not taken."""
    names = {other.name for other in scenario.topics}
    ending, number = f"-p{after}", 1
    while (found := topic[: _LONGEST_NAME - len(ending)] + ending) in names:
        number += 1
        ending = f"-p{after}-{number}"
    return found


def copy_of(job: Job, throttle: float | None, note: Note) -> Copy:
    """The copy under a throttle of all its bytes; without one as fast as the plan holds."""
    spare, limited_by = _spare(job, note)
    rate = min(throttle, spare) if throttle is not None else spare
    held = _meanwhile(job, rate)
    if throttle is None and job.today.feasible and not held.feasible:
        slower, held = _slower(job, spare)
        if held.feasible:
            rate, limited_by = slower, "other limits of the cluster, which the plan checks"
    limited_by = "the throttle" if throttle is not None and throttle <= spare else limited_by
    duration = _duration(job, rate, "copy_s", note)
    moved = recovery.moved_bytes(
        size_bytes=job.stored_bytes,
        own_write_bytes_per_s=job.average_bytes_per_s,
        duration_s=duration if duration is not None else 0.0,
    )
    copies = job.topic.replication_factor
    written = note("bytes_copied", repartition.copied_bytes, one_copy_bytes=moved, replication_factor=copies)
    return Copy(
        rate_bytes_per_s=rate,
        limited_by=limited_by,
        duration_s=duration,
        unthrottled_rate_bytes_per_s=spare,
        unthrottled_s=_duration(job, spare, "copy_unthrottled_s", note),
        one_copy_bytes=float(moved),
        bytes_copied=float(written),
        extra_disk_bytes=max(held.cluster.disk_bytes_worst - job.today.cluster.disk_bytes_worst, 0.0),
        extra_network_in_bytes_per_s=rate * copies,
        extra_network_out_bytes_per_s=rate * copies,
        holds=held.feasible,
        holds_reason=None if held.feasible else _why_not(job, held),
        brokers_needed=held.brokers.required,
        never=None if duration is not None else _never(job, rate, limited_by),
    )


def _slower(job: Job, spare: float) -> tuple[float, Plan]:
    """The first of ever halved rates at which the plan holds; else the last one, which shows what no rate helps."""
    rate, held = spare, _meanwhile(job, spare)
    for _ in range(_TRIES):
        if held.feasible or rate / 2 <= job.average_bytes_per_s:
            break
        rate /= 2
        held = _meanwhile(job, rate)
    return rate, held


def _never(job: Job, rate: float, limited_by: str) -> str:
    left, written = (format_quantity(value, "bytes_per_s") for value in (rate, job.average_bytes_per_s))
    return f"never: {limited_by} leaves {left}, and {written} are written meanwhile"


def _duration(job: Job, rate: float, name: str, note: Note) -> float | None:
    """The copier has to catch up with what is written meanwhile."""
    spare = rate - job.average_bytes_per_s
    if job.stored_bytes == 0:
        return 0.0
    if spare <= 0:
        return None
    found = note(name, recovery.refill_s, size_bytes=job.stored_bytes, refill_rate_bytes_per_s=spare)
    return float(found)


def _spare(job: Job, note: Note) -> tuple[float, str]:
    """What the healthy limits leave for a copy, and what one partition lets through; the least decides."""
    setting = setting_of(Workload(job.standing))
    brokers, copies = job.today.brokers.count, job.topic.replication_factor
    figures = job.today.states["healthy"].fullest or {}
    one = 1e6 / brokers  # a copy of 1 MB/s, its part of one broker
    more = {
        **figures,
        "network_in_bytes_per_s": figures["network_in_bytes_per_s"] + one * copies,
        "network_out_bytes_per_s": figures["network_out_bytes_per_s"] + one * copies,
        "disk_write_bytes_per_s": figures["disk_write_bytes_per_s"] + one * copies,
        "disk_read_bytes_per_s": figures["disk_read_bytes_per_s"] + one,
    }
    before, after = resource_utilisation(figures, setting), resource_utilisation(more, setting)
    room: dict[str, float] = {}
    for resource in _BYTE_BOUND:
        each = (after[resource] - before[resource]) / 1e6
        if each <= 0:  # not metered
            continue
        room[RESOURCE_WORDS[resource]] = float(
            note(
                f"spare_copy.{resource}",
                repartition.spare_copy_bytes_per_s,
                limit_fraction=threshold(setting, resource, "healthy"),
                utilisation_fraction=before[resource],
                utilisation_per_byte_per_s=each,
            )
        )
    given = job.topic.partition_throughput
    sides = {"consume": job.today.topics[job.topic.name].partitions, "produce": job.after}
    for side, count in sides.items():
        own = getattr(given, side, None)
        room[f"what {count} partitions let through"] = count * (own or constant(f"partitions.{side}_bytes_per_s"))
    limited_by = min(room, key=lambda name: room[name])
    return room[limited_by], limited_by


def _meanwhile(job: Job, rate: float) -> Plan:
    """The plan of the same brokers while both topics exist and the copier works."""
    return plan(meanwhile_scenario(job, rate))


def meanwhile_scenario(job: Job, rate: float) -> Scenario:
    """The scenario with the new topic filled at `rate`, and the copier reading the old one from disk."""
    topic, shown = job.topic, job.today.topics[job.topic.name]
    workload = Workload(job.standing)
    records = max(rate / shown.wire_bytes_per_record / workload.growth, 0.0)
    slower = job.average_bytes_per_s / rate if rate > 0 else 1.0  # so that as many bytes are kept as there will be
    kept = topic.retention.time
    if math.isinf(kept):
        kept = job.standing.policy.horizon or constant("storage.forever_horizon_s")
    retention = {"time": max(kept * slower, 1e-3)}
    if topic.retention.bytes_per_partition is not None:
        retention["bytes_per_partition"] = topic.retention.bytes_per_partition * shown.partitions / job.after
    new = topic.model_copy(
        update={
            "name": job.new_name,
            "partitions": job.after,
            "records_per_s": records,
            "bytes_per_s": None,
            "peak_ratio": 1.0,
            "peak_duration": None,
            "transactions_per_s": 0.0,
            "retention": topic.retention.model_copy(update=retention),
            "consumers": (),
        }
    )
    produced = shown.produce_in_bytes_per_s
    if produced > 0:
        # beyond what a scenario may say where little is written: a copier reads far more than comes in
        more = {"read_fraction": rate / produced, "lagging_fraction": 1.0}
        reader = ConsumerGroup(group="copier").model_copy(update=more)
        old = topic.model_copy(update={"partitions": shown.partitions, "consumers": (*topic.consumers, reader)})
    else:
        old = topic.model_copy(update={"partitions": shown.partitions})
    topics = tuple(old if other.name == topic.name else other for other in job.standing.topics)
    return job.standing.model_copy(update={"topics": (*topics, new)})


def _why_not(job: Job, held: Plan) -> str:
    if not job.today.feasible:
        return "the cluster does not hold without it either"
    short = [row for row in held.verdicts if row.verdict == "short"]
    if not short:
        return next((row.message for row in held.findings if row.severity == "critical"), "a limit is exceeded")
    worst = max(short, key=lambda row: row.utilisation / row.threshold)
    return (
        f"{RESOURCE_WORDS[worst.resource]} in the state {worst.state.replace('_', ' ')} reaches "
        f"{worst.utilisation:.0%} of a limit of {worst.threshold:.0%}"
    )


def with_count(standing: Scenario, counts: Mapping[str, int], *, scale_retention: bool = False) -> Scenario:
    """The scenario with other partition counts; replicas of those topics are placed anew."""
    topics = tuple(_counted(topic, counts, scale_retention=scale_retention) for topic in standing.topics)
    cluster = standing.cluster
    if cluster.brokers_placed is not None:
        kept = {name: rows for name, rows in cluster.brokers_placed.topics.items() if name not in counts}
        placed = cluster.brokers_placed.model_copy(update={"topics": kept})
        cluster = cluster.model_copy(update={"brokers_placed": placed})
    return standing.model_copy(update={"topics": topics, "cluster": cluster})


def _counted(topic: Topic, counts: Mapping[str, int], *, scale_retention: bool) -> Topic:
    if topic.name not in counts:
        return topic
    changed = topic.model_copy(update={"partitions": counts[topic.name]})
    kept = topic.retention.bytes_per_partition
    if not scale_retention or kept is None or topic.partitions is None:
        return changed
    each = kept * topic.partitions / counts[topic.name]
    return changed.model_copy(update={"retention": topic.retention.model_copy(update={"bytes_per_partition": each})})
