"""What a scenario fixes for every broker count: hardware, policy, and which states it asks to hold."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from planner.catalogue import broker_spec
from planner.constants import constant
from planner.model import controllers, cpu, utilisation
from planner.scenario import BrokerSpec, Limits, Policy, Scenario, Utilisation
from planner.sizing.evaluate import Hardware, Setting, cpu_cores
from planner.sizing.sized import size_at
from planner.sizing.workload import Workload


def hardware_of(spec: BrokerSpec, limits: Limits, policy: Policy) -> Hardware:
    """Capacities of one broker; what is not metered is infinite."""

    def unmetered(value: float | None, times: int = 1) -> float:
        return math.inf if value is None else value * times

    disks = spec.storage.volumes
    return Hardware(
        vcpu=spec.vcpu,
        memory_bytes=spec.memory,
        network_in_bytes_per_s=unmetered(spec.network_in),
        network_out_bytes_per_s=unmetered(spec.network_out),
        half_duplex=spec.duplex == "half",
        storage_shares_network=spec.storage_shares_network,
        volumes=disks,
        disk_bytes=spec.storage.capacity * disks,
        disk_throughput_bytes_per_s=unmetered(spec.storage.throughput, disks),
        disk_iops=unmetered(spec.storage.iops, disks),
        nofile=limits.nofile,
        max_map_count=limits.max_map_count,
        replicas_max=policy.replicas_per_broker_max,
    )


def checked_states(policy: Policy) -> frozenset[str]:
    """The states that the policy asks to hold."""
    states = {"healthy"}
    if policy.survive.brokers:
        after = {"reduced"} if policy.survive.after_loss == "re-replicate" else {"recovering", "returned"}
        states |= {"broker_down"} | after
    if policy.survive.zones:
        states |= {"zone_down"}
    return frozenset(states)


def setting_of(workload: Workload) -> Setting:
    """Collect the scenario's facts that do not depend on the broker count."""
    scenario = workload.scenario
    cluster, policy = scenario.cluster, scenario.policy
    setting = Setting(
        zones=cluster.zone_count,
        multiple_of_zones=policy.multiple_of_zones,
        brokers_down=policy.survive.brokers,
        zones_down=policy.survive.zones,
        balanced=policy.placement == "balanced",
        fetch_from_follower=cluster.fetch_from_follower,
        tls=cluster.tls,
        replica_fetchers=cluster.replica_fetchers,
        page_cache_s=policy.page_cache,
        calibration=1.0,
        re_replicate=policy.survive.after_loss == "re-replicate",
        throttle_bytes_per_s=math.inf if cluster.replication_throttle is None else cluster.replication_throttle,
        recovery_time_max_s=policy.recovery_time_max,
        internal_replicas=internal_replicas(scenario),
        assigned=workload.assigned,
        hardware=hardware_of(broker_spec(cluster.broker), cluster.limits, policy),
        thresholds=_thresholds(policy.utilisation),
        thresholds_degraded=_thresholds(policy.utilisation_degraded),
    )
    return setting if cluster.calibration is None else _calibrated(workload, setting)


def _thresholds(limits: Utilisation) -> dict[str, float]:
    return {name: float(getattr(limits, name)) for name in type(limits).model_fields}


def internal_topics(scenario: Scenario) -> int:
    """Offsets, transactions, share state, remote log metadata: those that the scenario's features create."""
    topics = scenario.topics
    groups = [group for topic in topics for group in topic.consumers]
    return sum(
        (
            any(group.protocol != "share" for group in groups),
            any(topic.transactions_per_s > 0 for topic in topics),
            any(group.protocol == "share" for group in groups),
            any(topic.tiered is not None for topic in topics),
        )
    )


def internal_replicas(scenario: Scenario) -> float:
    """Replicas of the internal topics."""
    return float(
        controllers.internal_replicas(
            internal_topics=internal_topics(scenario),
            partitions_per_topic=constant("internal.partitions_per_topic"),
            replication_factor=constant("internal.replication_factor"),
            brokers=scenario.cluster.broker_count or constant("internal.replication_factor"),
        )
    )


def _calibrated(workload: Workload, setting: Setting) -> Setting:
    """Scale the CPU model to the measured point; the mix of replication is that of the scenario."""
    point = workload.scenario.cluster.calibration
    assert point is not None  # noqa: S101 - the caller looked
    topics = size_at(workload, point.brokers).load.topics
    total = max(float(topics.produce_in_bytes_per_s.sum()), 1e-9)
    copies = float(topics.produce_in_bytes_per_s @ topics.replication_factor) / total
    produced = point.wire_in_bytes_per_s / point.brokers
    sent = produced * (max(copies, 1.0) - 1) + point.wire_out_bytes_per_s / point.brokers
    modelled = cpu_cores(setting, point.requests_per_s / point.brokers, produced * max(copies, 1.0), sent)
    factor = cpu.cpu_calibration(
        cpu_fraction=point.cpu_fraction, vcpu=setting.hardware.vcpu, modelled_cores=float(modelled)
    )
    return replace(setting, calibration=float(factor))


def search_grid(workload: Workload, setting: Setting) -> tuple[int, int]:
    """Least broker count to look at, and the step between counts."""
    copies = int(np.max(workload.given["replication_factor"]))
    least = max(copies, setting.brokers_down + 1, setting.zones_down + 1)
    step = setting.zones if setting.multiple_of_zones else 1
    return int(utilisation.broker_floor(copies=least, step=step)), step
