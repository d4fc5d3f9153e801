"""Every resource of every state at one broker count: means in closed form, the fullest broker from placements."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from planner.constants import constant
from planner.model import cpu, handles, memory, recovery, requests, states, utilisation
from planner.model.placement import rack_sizes
from planner.model.types import Array
from planner.sizing.loads import Load, PartitionClasses, TopicArrays
from planner.sizing.simulate import Layout, Loss, Survivors, layout_of, leader_loads, replica_loads, survivors

FIGURES = (
    "network_in_bytes_per_s",
    "network_out_bytes_per_s",
    "network_overhead_in_bytes_per_s",
    "network_overhead_out_bytes_per_s",
    "disk_write_bytes_per_s",
    "disk_read_bytes_per_s",
    "disk_iops",
    "disk_bytes",
    "cpu_fraction",
    "memory_bytes",
    "replicas",
    "leaders",
    "open_files",
    "mmaps",
)


@dataclass(frozen=True, slots=True)
class Hardware:
    """What one broker offers; infinite where the hardware does not meter."""

    vcpu: float
    memory_bytes: float
    network_in_bytes_per_s: float
    network_out_bytes_per_s: float
    half_duplex: bool
    storage_shares_network: bool
    disk_bytes: float
    disk_throughput_bytes_per_s: float
    disk_iops: float
    nofile: float
    max_map_count: float
    replicas_max: float


@dataclass(frozen=True, slots=True)
class Setting:
    """What a scenario fixes for every broker count."""

    zones: int
    multiple_of_zones: bool
    brokers_down: int
    zones_down: int
    balanced: bool
    fetch_from_follower: bool
    tls: bool
    replica_fetchers: int
    page_cache_s: float
    calibration: float
    re_replicate: bool
    throttle_bytes_per_s: float
    recovery_time_max_s: float | None
    internal_replicas: float
    hardware: Hardware
    thresholds: Mapping[str, float]
    thresholds_degraded: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One state at one broker count."""

    brokers_down: int
    mean: Mapping[str, float]
    fullest: Mapping[str, float]
    unwritable: Array  # per topic, in the worst loss
    offline: Array
    all_writable: bool


@dataclass(frozen=True, slots=True)
class Refill:
    """Filling an empty broker again."""

    size_bytes: float
    fastest_s: float  # infinite when nothing is left for a refill
    rate_bytes_per_s: float
    limited_by: str
    duration_s: float | None
    target: Mapping[str, float]
    source: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All states at one broker count."""

    brokers: int
    outcomes: Mapping[str, Outcome]  # states that apply at this count
    refill: Refill | None
    utilisation: Mapping[tuple[str, str], float]  # (resource, state)


def evaluate(
    load: Load, setting: Setting, brokers: int, wanted: Collection[str], known: Mapping[str, Outcome] | None = None
) -> Evaluation:
    """Compute the wanted states at `brokers` beside those known already; the caller checks limits."""
    topics, classes = load.topics, load.classes
    layout = layout_of(topics, classes, brokers, setting.zones)
    found = dict(known or {})
    for name, loss in _losses(setting, brokers).items():
        if name in wanted and name not in found:
            found[name] = _outcome(topics, classes, setting, layout, loss)
    down = max(setting.brokers_down, 1)
    if "reduced" in wanted and brokers - down >= topics.replication_factor.max(initial=1):
        found["reduced"] = _reduced(found["healthy"], topics, setting, brokers, down)
    refill = _refill(found["returned"], setting, brokers, down) if "returned" in found else None
    return Evaluation(brokers, found, refill, _utilisations(found, refill, setting))


def _losses(setting: Setting, brokers: int) -> dict[str, Loss]:
    """Who is lost in each state that applies at this count."""
    down, zones_down = max(setting.brokers_down, 1), max(setting.zones_down, 1)
    losses = {"healthy": Loss()}
    if down < brokers:
        losses |= {"broker_down": Loss(brokers=down), "returned": Loss(brokers=down, returned=True)}
    if zones_down < len(rack_sizes(brokers, setting.zones)):
        losses["zone_down"] = Loss(zones=zones_down)
    return losses


def follower_requests_per_s(topics: TopicArrays, setting: Setting, brokers: int) -> float:
    """Fetch requests that one broker answers for followers; it issues as many."""
    if brokers == 1:
        return 0.0
    copies = float(np.sum(topics.partitions * (topics.replication_factor - 1)))
    touched = requests.touched_fraction(
        replication_factor=topics.replication_factor,
        brokers=brokers,
        batches_per_request=topics.batches_per_request,
    )
    appends = float(np.sum(topics.produce_requests_per_s * touched)) / brokers
    pair = setting.replica_fetchers * requests.pair_fetch_requests_per_s(
        appends_per_s=appends / setting.replica_fetchers,
        round_trip_s=constant("requests.round_trip_s"),
        idle_requests_per_s=constant("requests.idle_fetch_per_s"),
    )
    connected = requests.connected_fraction(follower_replicas=copies, brokers=brokers)
    return float(pair * connected * (brokers - 1))


def _outcome(topics: TopicArrays, classes: PartitionClasses, setting: Setting, layout: Layout, loss: Loss) -> Outcome:
    totals = survivors(topics, classes, layout, loss, fetch_from_follower=setting.fetch_from_follower)
    down = loss.brokers or sum(rack_sizes(layout.brokers, layout.zones)[: loss.zones])
    live = layout.brokers - (0 if loss.returned else down)
    figures = broker_figures(totals, topics, setting, live)
    table = np.stack([np.broadcast_to(values, totals.leader["leaders"].shape) for values in figures.values()])
    fullest = dict(zip(figures, np.nanmax(table, axis=(1, 3)).mean(axis=1).tolist(), strict=True))
    writable = not totals.unwritable.any()
    # losing a zone of unequal ones takes more or less than its share, so only the placements know the mean there
    uneven = loss.zones > 0 and len(set(rack_sizes(layout.brokers, layout.zones))) > 1
    if writable and not uneven:
        mean = mean_figures(topics, classes, setting, layout.brokers, loss)
    else:
        mean = dict(zip(figures, table[:, totals.stayed].mean(axis=1).tolist(), strict=True))
    return Outcome(
        down,
        mean,
        dict(mean) if setting.balanced else fullest,
        _per_topic(totals.unwritable, topics, classes),
        _per_topic(totals.offline, topics, classes),
        writable,
    )


def _per_topic(share: Array, topics: TopicArrays, classes: PartitionClasses) -> Array:
    """Share of each topic's partitions in the worst loss, expected over placements."""
    of_topic = np.zeros((*share.shape[:2], len(topics.names)))
    if share.any():
        index = classes.topic.astype(np.intp)
        np.add.at(of_topic.T, index, (share * classes.count).T)
        of_topic /= topics.partitions
    worst: Array = of_topic.max(axis=0).mean(axis=0)
    return worst


def closed_form_arguments(topics: TopicArrays) -> dict[str, Array]:
    """The per-topic arguments of the closed forms in `planner.model.states`."""
    return {
        "produce_in_bytes_per_s": topics.produce_in_bytes_per_s,
        "replication_factor": topics.replication_factor,
        "leader_read_bytes_per_s": topics.consumer_out_bytes_per_s
        + topics.tier_out_bytes_per_s
        + topics.mirror_out_bytes_per_s,
    }


def mean_figures(
    topics: TopicArrays, classes: PartitionClasses, setting: Setting, brokers: int, loss: Loss
) -> dict[str, float]:
    """The mean broker that stayed: replicas as before, the leaders shared by those that are left."""
    topic = classes.topic.astype(np.intp)
    copies = topics.replication_factor[topic]
    down = loss.brokers or sum(rack_sizes(brokers, setting.zones)[: loss.zones])
    stayed = brokers - down
    held = {
        key: np.array([np.sum(value * classes.count * copies) / brokers])
        for key, value in replica_loads(topics, classes).items()
    }
    led = {
        key: np.array([np.sum(value * classes.count) / stayed]) for key, value in leader_loads(topics, classes).items()
    }
    args = closed_form_arguments(topics)
    sent = states.returned_out_bytes_per_s if loss.returned else states.down_out_bytes_per_s
    led["copies"] = np.array([sent(**args, brokers=brokers, brokers_down=down)]) - led["consume"] - led["other_out"]
    none = np.zeros(1)
    totals = Survivors(held, led, none, none, np.ones(1, dtype=bool))
    figures = broker_figures(totals, topics, setting, brokers if loss.returned else stayed)
    return {key: float(np.sum(value)) for key, value in figures.items()}


def broker_figures(totals: Survivors, topics: TopicArrays, setting: Setting, live: int) -> dict[str, Any]:
    """The contract's figures per broker, arrays of (lost sets, placements, brokers)."""
    replica, leader = totals.replica, totals.leader
    followers = follower_requests_per_s(topics, setting, live)
    served = leader["produce_requests"] + leader["consumer_requests"] + 2 * followers
    network_in = replica["write"]
    network_out = leader["copies"] + leader["consume"] + leader["other_out"]
    overhead = requests.overhead_bytes_per_s(requests_per_s=served, overhead_bytes=constant("requests.overhead_bytes"))
    cores = cpu_cores(setting, served, network_in + overhead, network_out + overhead)
    internal = setting.internal_replicas / live
    replicas = replica["replicas"] + internal
    segments = replica["segments"] + internal
    disk_read = replica["disk_read"] + leader["lagging_read"]
    return {
        "network_in_bytes_per_s": network_in,
        "network_out_bytes_per_s": network_out,
        "network_overhead_in_bytes_per_s": overhead,
        "network_overhead_out_bytes_per_s": overhead,
        "disk_write_bytes_per_s": replica["disk_write"],
        "disk_read_bytes_per_s": disk_read,
        "disk_iops": replica["iops"] + disk_read / constant("iops.io_bytes"),
        "disk_bytes": replica["disk_bytes"],
        "cpu_fraction": cores / setting.hardware.vcpu,
        "memory_bytes": _memory(setting, replica["disk_write"], replicas, replica["producers"]),
        "replicas": replicas,
        "leaders": leader["leaders"],
        "open_files": handles.open_files(
            segments=segments,
            deleted_segments=replica["deleted_segments"],
            connections=sockets(topics, setting, live),
            base_open_files=constant("handles.base_open_files"),
        ),
        "mmaps": handles.mmaps(
            segments=segments,
            maps_per_segment=constant("handles.maps_per_segment"),
            base_mmaps=constant("handles.base_mmaps"),
        ),
        "refill": replica["refill"],
    }


def cpu_cores(setting: Setting, served: Any, network_in: Any, network_out: Any) -> Any:
    """Cores in use for requests and bytes, with the project's coefficients and the scenario's calibration."""
    return cpu.cpu_cores(**cpu_arguments(setting, served, network_in, network_out))


def cpu_arguments(setting: Setting, served: Any, network_in: Any, network_out: Any) -> dict[str, Any]:
    """Arguments of `planner.model.cpu.cpu_cores`."""
    return {
        "requests_per_s": served,
        "network_in_bytes_per_s": network_in,
        "network_out_bytes_per_s": network_out,
        "tls": float(setting.tls),
        "calibration": setting.calibration,
        "idle_cores": constant("cpu.idle_cores"),
        "core_s_per_request": constant("cpu.core_s_per_request"),
        "core_s_per_byte_in": constant("cpu.core_s_per_byte_in"),
        "core_s_per_byte_out": constant("cpu.core_s_per_byte_out"),
        "core_s_per_byte_tls": constant("cpu.core_s_per_byte_tls"),
    }


def sockets(topics: TopicArrays, setting: Setting, brokers: int) -> float:
    """Connections that a broker holds: clients, other brokers, controllers."""
    return float(
        handles.connections(
            client_connections=topics.client_connections,
            brokers=brokers,
            replica_fetchers=setting.replica_fetchers,
            controller_connections=constant("handles.controller_connections"),
        )
    )


def _memory(setting: Setting, disk_write: Any, replicas: Any, producers: Any) -> Any:
    return memory.memory_bytes(
        heap_bytes=memory.heap_bytes(
            replicas=replicas,
            producer_entries=producers,
            heap_floor_bytes=constant("memory.heap_floor_bytes"),
            heap_base_bytes=constant("memory.heap_base_bytes"),
            heap_bytes_per_replica=constant("memory.heap_bytes_per_replica"),
            heap_bytes_per_producer=constant("memory.heap_bytes_per_producer"),
        ),
        page_cache_bytes=memory.page_cache_bytes(disk_write_bytes_per_s=disk_write, page_cache_s=setting.page_cache_s),
        index_page_bytes=memory.index_page_bytes(
            replicas=replicas,
            pages=constant("memory.index_pages_per_segment"),
            page_bytes=constant("memory.page_bytes"),
        ),
        system_bytes=constant("memory.system_bytes"),
    )


def _reduced(healthy: Outcome, topics: TopicArrays, setting: Setting, brokers: int, down: int) -> Outcome:
    """Re-replicated onto the survivors: what was lost is spread evenly on top of the healthy placement."""
    scale = brokers / (brokers - down)
    constant_part = {"cpu_fraction", "memory_bytes", "open_files", "mmaps"}
    mean = {key: value * scale for key, value in healthy.mean.items() if key not in constant_part}
    mean.update(_fixed_and_shared(healthy, topics, setting, brokers, down))
    fullest = {key: healthy.fullest[key] + mean[key] - healthy.mean[key] for key in healthy.mean}
    none = np.zeros(len(topics.names))
    return Outcome(down, mean, fullest, none, none, all_writable=True)


def _fixed_and_shared(
    healthy: Outcome, topics: TopicArrays, setting: Setting, brokers: int, down: int
) -> dict[str, float]:
    """Figures with a fixed part, which does not grow when fewer brokers share the rest."""
    scale = brokers / (brokers - down)
    idle = setting.calibration * constant("cpu.idle_cores") / setting.hardware.vcpu
    floor = constant("memory.heap_floor_bytes") + constant("memory.system_bytes")
    fixed = {
        "cpu_fraction": idle,
        "memory_bytes": min(floor, healthy.mean["memory_bytes"]),
        "open_files": min(
            sockets(topics, setting, brokers) + constant("handles.base_open_files"), healthy.mean["open_files"]
        ),
        "mmaps": min(constant("handles.base_mmaps"), healthy.mean["mmaps"]),
    }
    return {key: part + (healthy.mean[key] - part) * scale for key, part in fixed.items()}


def _refill(after: Outcome, setting: Setting, brokers: int, down: int) -> Refill:
    """How fast an empty broker refills: what recovery_time_max needs, else what the degraded limits leave."""
    target, source = dict(after.fullest), dict(after.fullest)
    size = after.fullest["refill"]
    spare, limited_by = refill_spare(setting, target, source, brokers - down)
    rate = spare
    fastest = 0.0 if size == 0 else size / spare if spare > 0 else float("inf")
    if setting.recovery_time_max_s is not None:
        wanted = size / setting.recovery_time_max_s
        if wanted <= spare:
            rate, limited_by = wanted, "recovery_time_max"
    duration = float(recovery.refill_s(size_bytes=size, refill_rate_bytes_per_s=rate)) if rate > 0 else None
    duration = 0.0 if size == 0 else duration
    for key in ("network_in_bytes_per_s", "disk_write_bytes_per_s"):
        target[key] += rate
    target["network_out_bytes_per_s"] = 0.0
    target["leaders"] = 0.0
    for key in ("network_out_bytes_per_s", "disk_read_bytes_per_s"):
        source[key] += rate / (brokers - down)
    return Refill(size, fastest, rate, limited_by, duration, target, source)


def refill_spare(
    setting: Setting, target: Mapping[str, float], source: Mapping[str, float], sources: int
) -> tuple[float, str]:
    """The refill rate that the degraded limits and the throttle leave, and which of them decides."""
    hardware, limits = setting.hardware, setting.thresholds_degraded
    overhead = target["network_overhead_in_bytes_per_s"]
    own = target["network_in_bytes_per_s"]
    room = {
        "target network in": hardware.network_in_bytes_per_s * limits["network"] - own - overhead,
        "target disk": hardware.disk_throughput_bytes_per_s * limits["disk_throughput"]
        - target["disk_write_bytes_per_s"]
        - target["disk_read_bytes_per_s"],
        "sources network out": sources
        * (hardware.network_out_bytes_per_s * limits["network"] - source["network_out_bytes_per_s"] - overhead),
        "sources disk": sources
        * (
            hardware.disk_throughput_bytes_per_s * limits["disk_throughput"]
            - source["disk_write_bytes_per_s"]
            - source["disk_read_bytes_per_s"]
        ),
        "throttle": setting.throttle_bytes_per_s - own,
    }
    limited_by = min(room, key=lambda key: room[key])
    rate = recovery.refill_rate_bytes_per_s(
        target_spare_bytes_per_s=min(room["target network in"], room["target disk"]),
        source_spare_bytes_per_s=min(room["sources network out"], room["sources disk"]),
        throttle_spare_bytes_per_s=room["throttle"],
    )
    return float(rate), limited_by


def healthy_mean_utilisation(
    topics: TopicArrays, classes: PartitionClasses, setting: Setting, brokers: int
) -> dict[str, float]:
    """Utilisation of the mean broker when all is well: cheap, and never above the fullest.

    Recovery is there too when the policy limits it: an idle broker's refill at the least of its limits.
    """
    means = mean_figures(topics, classes, setting, brokers, Loss())
    found = resource_utilisation(means, setting)
    if setting.recovery_time_max_s is not None and setting.brokers_down and not setting.re_replicate:
        hardware, limits = setting.hardware, setting.thresholds_degraded
        fastest = min(
            hardware.network_in_bytes_per_s * limits["network"],
            hardware.disk_throughput_bytes_per_s * limits["disk_throughput"],
            setting.throttle_bytes_per_s,
        )
        found["recovery"] = means["refill"] / fastest / setting.recovery_time_max_s
    return found


def lone_utilisation(topics: TopicArrays, classes: PartitionClasses, setting: Setting) -> dict[str, float]:
    """Utilisation of a broker that holds nothing but one leader, for the partition that fills it most."""
    topic = classes.topic.astype(np.intp)
    per_replica = replica_loads(topics, classes)
    per_leader = leader_loads(topics, classes)
    per_leader["copies"] = per_leader["write"] * (topics.replication_factor[topic] - 1)
    figures = broker_figures(
        Survivors(per_replica, per_leader, np.zeros(1), np.zeros(1), np.ones(1, dtype=bool)), topics, setting, 1
    )
    return resource_utilisation(figures, setting)


def _utilisations(
    outcomes: Mapping[str, Outcome], refill: Refill | None, setting: Setting
) -> dict[tuple[str, str], float]:
    found = {
        (resource, state): value
        for state, outcome in outcomes.items()
        for resource, value in resource_utilisation(outcome.fullest, setting).items()
    }
    if refill is not None:
        for part in (refill.target, refill.source):
            for resource, value in resource_utilisation(part, setting).items():
                found[resource, "recovering"] = max(value, found.get((resource, "recovering"), 0.0))
    return found


def utilisation_arguments(figures: Mapping[str, Any], hardware: Hardware) -> dict[str, tuple[Any, dict[str, Any]]]:
    """For each resource the model function and its arguments, from the figures of one broker."""
    network = {
        "network_in_bytes_per_s": figures["network_in_bytes_per_s"] + figures["network_overhead_in_bytes_per_s"],
        "network_out_bytes_per_s": figures["network_out_bytes_per_s"] + figures["network_overhead_out_bytes_per_s"],
        "disk_write_bytes_per_s": figures["disk_write_bytes_per_s"],
        "disk_read_bytes_per_s": figures["disk_read_bytes_per_s"],
        "storage_shares_network": float(hardware.storage_shares_network),
        "half_duplex": float(hardware.half_duplex),
    }
    return {
        "network_in": (
            utilisation.network_in_utilisation,
            {**network, "capacity_bytes_per_s": hardware.network_in_bytes_per_s},
        ),
        "network_out": (
            utilisation.network_out_utilisation,
            {**network, "capacity_bytes_per_s": hardware.network_out_bytes_per_s},
        ),
        "disk_volume": (
            utilisation.disk_volume_utilisation,
            {"disk_bytes": figures["disk_bytes"], "capacity_bytes": hardware.disk_bytes},
        ),
        "disk_throughput": (
            utilisation.disk_throughput_utilisation,
            {
                "disk_write_bytes_per_s": figures["disk_write_bytes_per_s"],
                "disk_read_bytes_per_s": figures["disk_read_bytes_per_s"],
                "capacity_bytes_per_s": hardware.disk_throughput_bytes_per_s,
            },
        ),
        "disk_iops": (
            utilisation.disk_iops_utilisation,
            {"disk_operations_per_s": figures["disk_iops"], "capacity_per_s": hardware.disk_iops},
        ),
        "cpu": (
            utilisation.cpu_utilisation,
            {"cores": figures["cpu_fraction"] * hardware.vcpu, "vcpu": hardware.vcpu},
        ),
        "memory": (
            utilisation.memory_utilisation,
            {"memory_bytes": figures["memory_bytes"], "capacity_bytes": hardware.memory_bytes},
        ),
        "handles": (
            utilisation.handles_utilisation,
            {
                "open_files": figures["open_files"],
                "nofile": hardware.nofile,
                "mmaps": figures["mmaps"],
                "max_map_count": hardware.max_map_count,
            },
        ),
        "partitions": (
            utilisation.partitions_utilisation,
            {"replicas": figures["replicas"], "replicas_per_broker_max": hardware.replicas_max},
        ),
    }


def resource_utilisation(figures: Mapping[str, Any], setting: Setting) -> dict[str, float]:
    """Utilisation of every resource of one broker; of the fullest when the figures are arrays over brokers."""
    return {
        resource: float(np.max(function(**arguments)))
        for resource, (function, arguments) in utilisation_arguments(figures, setting.hardware).items()
    }


def threshold(setting: Setting, resource: str, state: str) -> float:
    """The policy's limit for a resource in a state."""
    if resource in {"partitions", "replication", "recovery"}:
        return 1.0
    key = "network" if resource.startswith("network") else resource
    return (setting.thresholds if state == "healthy" else setting.thresholds_degraded)[key]
