"""Cluster sums, the trace of every state, and the assumptions behind them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

from planner.constants import constant, constants
from planner.model import controllers, cpu, partitions, records, states, traffic, utilisation
from planner.model.placement import rack_sizes
from planner.results import Assumption, Brokers, ClusterLoad
from planner.scenario import defaults_used
from planner.sizing.evaluate import (
    FIGURES,
    Evaluation,
    Outcome,
    Setting,
    closed_form_arguments,
    cpu_arguments,
    follower_requests_per_s,
    threshold,
    utilisation_arguments,
)
from planner.sizing.loads import TopicArrays
from planner.sizing.sized import Sized
from planner.sizing.workload import Workload
from planner.trace import Note, Trace


def cluster_load(workload: Workload, sized: Sized, setting: Setting, brokers: int, trace: Trace) -> ClusterLoad:
    """Sum the topics, recording each sum."""
    topics, columns = sized.load.topics, sized.columns
    _trace_topics(workload, sized, trace)
    flows = _flow_sums(sized, trace)
    replicas = float(topics.partitions @ topics.replication_factor)
    followers = follower_requests_per_s(topics, setting, brokers) * brokers
    consumers = float(topics.consumer_requests_per_s.sum())
    requests: dict[str, Any] = {
        "produce_requests_per_s": trace(
            "produce_requests_per_s", traffic.cluster_per_s, topic_per_s=columns["produce_requests_per_s"]
        ),
        "fetch_requests_per_s": trace(
            "fetch_requests_per_s", traffic.cluster_per_s, topic_per_s=np.array([followers, consumers])
        ),
    }
    volumes: dict[str, Any] = {
        name: trace(name, traffic.cluster_bytes, topic_bytes=columns[name])
        for name in ("disk_bytes", "disk_bytes_worst", "remote_bytes")
    }
    count = trace("partitions", traffic.cluster_count, topic_count=topics.partitions)
    return ClusterLoad(
        **flows,
        cross_zone_bytes_per_s=_cross_zone(sized, setting, brokers, trace),
        **volumes,
        provisioned_disk_bytes=setting.hardware.disk_bytes * brokers,
        partitions=int(count),
        replicas=int(
            trace("replicas", traffic.cluster_count, topic_count=topics.partitions * topics.replication_factor)
        ),
        internal_replicas=int(setting.internal_replicas),
        **requests,
        **_controllers(workload, brokers, count, replicas, trace),
    )


def _trace_topics(workload: Workload, sized: Sized, trace: Trace) -> None:
    """Figures of a topic that its load was computed without recording."""
    given, topics = workload.given, sized.load.topics
    trace(
        "topics.logical_bytes_per_record",
        records.logical_bytes_per_record,
        key_bytes=given["key_bytes"],
        value_bytes=given["value_bytes"],
        headers_payload_bytes=given["headers_payload_bytes"],
    )
    trace(
        "topics.hottest_partition_fraction",
        partitions.hottest_partition_fraction,
        top_key_fraction=workload.top_key_fraction,
        partitions=topics.partitions,
        crowding_fraction=workload.crowding_fraction(topics.partitions),
    )
    produced = {"produce_in_bytes_per_s": topics.produce_in_bytes_per_s}
    trace("topics.consumer_out_bytes_per_s", traffic.consumer_out_bytes_per_s, **produced, fan_out=given["fan_out"])
    trace("topics.tier_out_bytes_per_s", traffic.tier_out_bytes_per_s, **produced, tiered=given["tiered"])
    trace("topics.mirror_out_bytes_per_s", traffic.mirror_out_bytes_per_s, **produced, mirrors=workload.mirrors)


def _flow_sums(sized: Sized, trace: Trace) -> dict[str, Any]:
    topics = sized.load.topics
    follower = trace(
        "topics.follower_in_bytes_per_s",
        traffic.follower_in_bytes_per_s,
        produce_in_bytes_per_s=topics.produce_in_bytes_per_s,
        replication_factor=topics.replication_factor,
    )
    per_topic = {
        "produce_in_bytes_per_s": topics.produce_in_bytes_per_s,
        "follower_in_bytes_per_s": follower,
        "follower_out_bytes_per_s": follower,
        "consumer_out_bytes_per_s": topics.consumer_out_bytes_per_s,
        "tier_out_bytes_per_s": topics.tier_out_bytes_per_s,
        "mirror_out_bytes_per_s": topics.mirror_out_bytes_per_s,
    }
    sums = {name: trace(name, traffic.cluster_bytes_per_s, topic_bytes_per_s=flow) for name, flow in per_topic.items()}
    sums["network_in_bytes_per_s"] = trace(
        "network_in_bytes_per_s",
        traffic.network_in_bytes_per_s,
        produce_in_bytes_per_s=sums["produce_in_bytes_per_s"],
        follower_in_bytes_per_s=sums["follower_in_bytes_per_s"],
    )
    sums["network_out_bytes_per_s"] = trace(
        "network_out_bytes_per_s",
        traffic.network_out_bytes_per_s,
        follower_out_bytes_per_s=sums["follower_out_bytes_per_s"],
        consumer_out_bytes_per_s=sums["consumer_out_bytes_per_s"],
        tier_out_bytes_per_s=sums["tier_out_bytes_per_s"],
        mirror_out_bytes_per_s=sums["mirror_out_bytes_per_s"],
    )
    return sums


def _cross_zone(sized: Sized, setting: Setting, brokers: int, trace: Trace) -> float:
    zones = len(rack_sizes(brokers, setting.zones))
    flows = crossing_arguments(sized.load.topics, zones, fetch_from_follower=setting.fetch_from_follower)
    parts = {name: trace(f"topics.{name}", function, **given) for name, (function, given) in flows.items()}
    sums = {name: trace(name, traffic.cluster_bytes_per_s, topic_bytes_per_s=flow) for name, flow in parts.items()}
    return float(trace("cross_zone_bytes_per_s", traffic.cross_zone_bytes_per_s, **sums))


def crossing_arguments(
    topics: TopicArrays, zones: int, *, fetch_from_follower: bool
) -> dict[str, tuple[Any, dict[str, Any]]]:
    """For each flow between zones the model function and its arguments, per topic."""
    produced = {"produce_in_bytes_per_s": topics.produce_in_bytes_per_s}
    copies = {"replication_factor": topics.replication_factor}
    consumed = {
        "consumer_out_bytes_per_s": topics.consumer_out_bytes_per_s,
        "fetch_from_follower": float(fetch_from_follower),
    }
    return {
        "cross_zone_produce_bytes_per_s": (traffic.cross_zone_produce_bytes_per_s, {**produced, "zones": zones}),
        "cross_zone_replication_bytes_per_s": (
            traffic.cross_zone_replication_bytes_per_s,
            {**produced, **copies, "zones": zones},
        ),
        "cross_zone_consume_bytes_per_s": (
            traffic.cross_zone_consume_bytes_per_s,
            {**consumed, **copies, "zones": zones},
        ),
    }


def _controllers(workload: Workload, brokers: int, count: float, replicas: float, trace: Trace) -> dict[str, Any]:
    return {
        "controllers": controllers_of(brokers, trace),
        "controller_memory_bytes": float(
            trace(
                "controller_memory_bytes",
                controllers.controller_memory_bytes,
                partitions=count,
                controller_floor_bytes=constant("controllers.floor_bytes"),
                heap_base_bytes=constant("controllers.heap_base_bytes"),
                heap_bytes_per_partition=constant("controllers.heap_bytes_per_partition"),
            )
        ),
        "metadata_bytes": float(
            trace(
                "metadata_bytes",
                controllers.metadata_bytes,
                partitions=count,
                replication_factor=replicas / count,
                topics=len(workload.names),
                partition_record_base_bytes=constant("controllers.partition_record_base_bytes"),
                partition_record_replica_bytes=constant("controllers.partition_record_replica_bytes"),
                topic_record_bytes=constant("controllers.topic_record_bytes"),
            )
        ),
    }


def controllers_of(brokers: int, note: Note) -> int:
    """Dedicated controllers of a cluster of this size."""
    large = constant("controllers.large_cluster_brokers")
    return int(note("controllers", controllers.controller_count, brokers=brokers, large_cluster_brokers=large))


def trace_states(trace: Trace, sized: Sized, evaluation: Evaluation, setting: Setting, brokers: Brokers) -> None:
    """Record the mean network loads of every state, and the utilisation of every resource in it."""
    arguments = closed_form_arguments(sized.load.topics)
    stored = {key: arguments[key] for key in ("produce_in_bytes_per_s", "replication_factor")}
    for name, outcome in evaluation.outcomes.items():
        down = {"brokers": evaluation.brokers, "brokers_down": outcome.brokers_down}
        means = f"states.{name}.per_broker"
        if outcome.closed_form and name == "reduced":
            trace(f"{means}.network_in_bytes_per_s", states.reduced_in_bytes_per_s, **stored, **down)
            trace(f"{means}.network_out_bytes_per_s", states.returned_out_bytes_per_s, **arguments, **down)
        elif outcome.closed_form:
            trace(
                f"{means}.network_in_bytes_per_s",
                states.stored_in_bytes_per_s,
                **stored,
                brokers=evaluation.brokers,
            )
            out = states.returned_out_bytes_per_s if name == "returned" else states.down_out_bytes_per_s
            trace(f"{means}.network_out_bytes_per_s", out, **arguments, **down)
        if name != "reduced":
            _trace_cpu(trace, name, outcome, setting)
        _trace_figures(trace, name, outcome, evaluation.brokers)
        _trace_utilisation(trace, name, outcome.fullest, setting)
    for resource, need in brokers.needed.items():
        if need.raw is not None and need.count is not None and need.state is not None:
            limit = threshold(setting, resource, need.state)
            trace(
                f"brokers.needed.{resource}",
                utilisation.equivalent_brokers,
                brokers=need.count,
                utilisation_fraction=need.raw / need.count * limit,
                threshold_fraction=limit,
            )
    _trace_count(trace, setting, brokers)


def _trace_count(trace: Trace, setting: Setting, brokers: Brokers) -> None:
    """The broker count is explained by the limit that binds."""
    copies = brokers.needed["replication"].count or 1
    step = setting.zones if setting.multiple_of_zones else 1
    trace(
        "brokers.needed.replication", utilisation.broker_floor, copies=max(copies, setting.brokers_down + 1), step=step
    )
    binding = f"brokers.needed.{brokers.binding.resource}" if brokers.binding is not None else ""
    if binding in trace.steps:
        for name in ("brokers.count", "brokers.required", "brokers.raw"):
            trace.steps[name] = dataclasses.replace(trace.steps[binding], name=name)


def _trace_figures(trace: Trace, state: str, outcome: Outcome, brokers: int) -> None:
    """The mean, where no closed form gave it, and the fullest broker, of every figure of a state."""
    live = brokers - outcome.brokers_down  # in `returned`, the brokers that stayed
    for figure in FIGURES:
        mean, fullest, unit = outcome.mean[figure], outcome.fullest[figure], unit_of(figure)
        name = f"states.{state}.per_broker.{figure}"
        if name not in trace.steps:
            trace(name, states.mean_per_broker, unit, cluster_total=mean * live, live_brokers=live)
        ratio = fullest / mean if mean > 0 else 0.0
        trace(
            f"states.{state}.fullest.{figure}",
            states.fullest_broker,
            unit,
            mean_per_broker=mean,
            fullest_over_mean=ratio,
        )


def unit_of(figure: str) -> str:
    """The unit that a figure's name ends with."""
    for ending, unit in (("_bytes_per_s", "bytes/s"), ("_bytes", "bytes"), ("_fraction", "fraction"), ("_iops", "1/s")):
        if figure.endswith(ending):
            return unit
    return "count"


def _trace_utilisation(trace: Trace, state: str, fullest: Mapping[str, float], setting: Setting) -> None:
    for resource, (function, numbers) in utilisation_arguments(fullest, setting.hardware).items():
        trace(f"utilisation.{state}.{resource}", function, **numbers)


def _trace_cpu(trace: Trace, state: str, outcome: Outcome, setting: Setting) -> None:
    """Cores of the mean broker: the model is linear, so the mean of the brokers is the broker of the means."""
    moved = {
        way: outcome.mean[f"network_{way}_bytes_per_s"] + outcome.mean[f"network_overhead_{way}_bytes_per_s"]
        for way in ("in", "out")
    }
    # every request costs the same protocol bytes, so these tell how many there are
    served = outcome.mean["network_overhead_in_bytes_per_s"] / constant("requests.overhead_bytes")
    name = f"states.{state}.per_broker.cpu"
    cores = trace(f"{name}_cores", cpu.cpu_cores, **cpu_arguments(setting, served, moved["in"], moved["out"]))
    trace(f"{name}_fraction", utilisation.cpu_utilisation, cores=cores, vcpu=setting.hardware.vcpu)


# defaults that a plan does not read: those of failures, rebalances and the recommender
_ELSEWHERE = ("operations.", "questions.")
_GROUP_TIMERS = frozenset({"static_membership", "max_poll_records", "max_poll_interval", "session_timeout"})
# constants that shape every plan, by the prefix of their id
_SHAPING = ("cpu.", "iops.", "memory.", "recovery.", "requests.", "records.", "storage.", "handles.", "partitions.")


def assumptions_of(workload: Workload) -> tuple[Assumption, ...]:
    """Defaults that stood in for missing keys, ranges taken at their likely value, and the constants used."""
    rows = [
        Assumption(row.path, row.value, row.unit, row.low, row.high, row.source, row.as_of)
        for row in defaults_used(workload.scenario)
        if not row.path.startswith(_ELSEWHERE) and row.path.rsplit(".", 1)[-1] not in _GROUP_TIMERS
    ]
    rows += [
        Assumption(path, float(value), "", value.low, value.high, "scenario (range, likely value taken)", "")
        for path, value in workload.ranges
    ]
    shaping = (*_SHAPING, "compaction.") if workload.given["compacted"].any() else _SHAPING
    return (*rows, *constants_used(*shaping))


@cache
def constants_used(*prefixes: str) -> tuple[Assumption, ...]:
    """The constants whose ids begin so, as assumptions of a result."""
    return tuple(
        Assumption(item.id, item.value, item.unit, item.low, item.high, item.source, item.as_of, item.confidence)
        for item in constants().values()
        if item.id.startswith(prefixes)
    )
