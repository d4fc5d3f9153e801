"""Every resource of every state at one broker count: means in closed form, the fullest broker from placements."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from planner.constants import constant
from planner.model import cpu, handles, memory, recovery, requests, states, utilisation
from planner.model.placement import rack_sizes
from planner.model.types import Array
from planner.sizing.assigned import Assigned
from planner.sizing.loads import Load, PartitionClasses, TopicArrays
from planner.sizing.simulate import Layout, Loss, Survivors, Weighed, layout_of

NO_LIMIT = "no limit that is given"
FIGURES = (
    "network_in_bytes_per_s",
    "network_out_bytes_per_s",
    "network_overhead_in_bytes_per_s",
    "network_overhead_out_bytes_per_s",
    "disk_write_bytes_per_s",
    "disk_read_bytes_per_s",
    "disk_iops",
    "disk_bytes",
    "fullest_volume_bytes",
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
    volumes: int
    disk_bytes: float  # of all volumes, as the next two
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
    assigned: Assigned | None
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
    closed_form: bool = True  # whether the closed forms of `planner.model.states` gave the mean
    each: Mapping[str, Array] = field(default_factory=dict)  # (placements, brokers), healthy only


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
    sources: float  # brokers that would feed it if each fed as much as the busiest one
    fullest_source_bytes: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All states at one broker count."""

    brokers: int
    layout: Layout
    outcomes: Mapping[str, Outcome]  # states that apply at this count
    refill: Refill | None
    utilisation: Mapping[tuple[str, str], float]  # (resource, state)
    weighed: Weighed


def evaluate(
    load: Load, setting: Setting, brokers: int, wanted: Collection[str], known: Evaluation | None = None
) -> Evaluation:
    """Compute the wanted states at `brokers` beside those known already; the caller checks limits."""
    topics, classes = load.topics, load.classes
    if known is None:
        layout = layout_of(topics, classes, brokers, setting.zones, setting.hardware.volumes, setting.assigned)
        weighed = Weighed(load, layout, fetch_from_follower=setting.fetch_from_follower)
        found: dict[str, Outcome] = {}
    else:
        layout, weighed, found = known.layout, known.weighed, dict(known.outcomes)
    for name, loss in losses_of(setting, layout).items():
        if name in wanted and name not in found:
            found[name] = outcome_of(weighed, setting, loss)
    down = max(setting.brokers_down, 1)
    if "reduced" in wanted and brokers - down >= topics.replication_factor.max(initial=1):
        found["reduced"] = _reduced(found["healthy"], topics, setting, brokers, down)
    refill = refill_of(found["returned"], setting, brokers, down) if "returned" in found else None
    return Evaluation(brokers, layout, found, refill, _utilisations(found, refill, setting), weighed)


def losses_of(setting: Setting, layout: Layout) -> dict[str, Loss]:
    """Who is lost in each state that applies at this count."""
    down, zones_down = max(setting.brokers_down, 1), max(setting.zones_down, 1)
    losses = {"healthy": Loss()}
    if down < layout.brokers:
        losses |= {"broker_down": Loss(brokers=down), "returned": Loss(brokers=down, returned=True)}
    if zones_down < len(layout.sizes):
        losses["zone_down"] = Loss(zones=zones_down)
    return losses


def brokers_lost(loss: Loss, sizes: Sequence[int]) -> int:
    """Brokers that a loss takes; of zones the largest."""
    return len(loss.chosen) or loss.brokers or sum(sorted(sizes, reverse=True)[: loss.zones])


def _number(value: Any) -> Any:
    """A plain float, which computes faster than numpy's; arrays over worlds stay as they are."""
    return value if np.ndim(value) else float(value)


def follower_requests_per_s(topics: TopicArrays, setting: Setting, brokers: int) -> Any:
    """Fetch requests that one broker answers for followers; it issues as many. Topics are summed, worlds stay."""
    if brokers == 1:
        return 0.0
    copies = _number(np.sum(topics.partitions * (topics.replication_factor - 1), axis=0))
    touched = requests.touched_fraction(
        replication_factor=topics.replication_factor,
        brokers=brokers,
        batches_per_request=topics.batches_per_request,
    )
    appends = _number(np.sum(topics.produce_requests_per_s * touched, axis=0)) / brokers
    pair = setting.replica_fetchers * requests.pair_fetch_requests_per_s(
        appends_per_s=appends / setting.replica_fetchers,
        round_trip_s=constant("requests.round_trip_s"),
        idle_requests_per_s=constant("requests.idle_fetch_per_s"),
    )
    connected = requests.connected_fraction(follower_replicas=copies, brokers=brokers)
    return _number(pair * connected * (brokers - 1))


def outcome_of(weighed: Weighed, setting: Setting, loss: Loss) -> Outcome:
    """One state, from the placements and where possible from the closed forms."""
    load, layout = weighed.load, weighed.layout
    totals = weighed.after(loss)
    down = brokers_lost(loss, layout.sizes)
    live = layout.brokers - (0 if loss.returned else down)
    figures = broker_figures(totals, load, setting, live)
    table = np.empty((len(figures), *totals.stayed.shape))
    for row, values in zip(table, figures.values(), strict=True):
        row[...] = values
    writable = not totals.unwritable.any()
    # losing a zone of unequal ones, or of replicas put there by hand, takes more or less than its share, so only the
    # placements know the mean there
    uneven = bool(loss.chosen) or (loss.zones > 0 and (layout.assigned is not None or len(set(layout.sizes)) > 1))
    if writable and not uneven:
        mean = mean_figures(load, setting, layout.brokers, loss)
    else:
        mean = dict(zip(figures, table[:, totals.stayed].mean(axis=1).tolist(), strict=True))
        mean["fullest_volume_bytes"] = mean["disk_bytes"] / layout.volumes
    if not loss.returned:
        table[:, ~totals.stayed] = -np.inf
    fullest = dict(zip(figures, table.max(axis=1).max(axis=2).mean(axis=1).tolist(), strict=True))
    return Outcome(
        down,
        mean,
        dict(mean) if setting.balanced and layout.assigned is None else fullest,
        _per_topic(totals.unwritable, load.topics, load.classes),
        _per_topic(totals.offline, load.topics, load.classes),
        writable,
        closed_form=writable and not uneven,
        each=dict(zip(figures, table[:, 0], strict=True)) if loss == Loss() else {},
    )


def _per_topic(share: Array, topics: TopicArrays, classes: PartitionClasses) -> Array:
    """Share of each topic's partitions in the worst loss, expected over placements."""
    of_topic = np.zeros((*share.shape[:2], len(topics.names)))
    if not share.any():
        return np.zeros(len(topics.names))
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


def mean_figures(load: Load, setting: Setting, brokers: int, loss: Loss) -> dict[str, Any]:
    """The mean broker that stayed: replicas as before, the leaders shared by those that are left; for each world."""
    down = brokers_lost(loss, rack_sizes(brokers, setting.zones))
    stayed = brokers - down
    held = {key: value / brokers for key, value in load.held.items()}
    held["fullest_volume_bytes"] = held["disk_bytes"] / setting.hardware.volumes
    led = {key: value / stayed for key, value in load.led.items()}
    sent = states.returned_out_bytes_per_s if loss.returned else states.down_out_bytes_per_s
    copies = sent(**closed_form_arguments(load.topics), brokers=brokers, brokers_down=down)
    led["copies"] = _number(copies) - led["consume"] - led["other_out"]
    led["feeds"] = held["refill"] * down / stayed
    none = np.zeros(1)
    totals = Survivors(held, led, none, none, np.ones(1, dtype=bool))
    figures = broker_figures(totals, load, setting, brokers if loss.returned else stayed)
    return {key: _number(value) for key, value in figures.items()}


def broker_figures(totals: Survivors, load: Load, setting: Setting, live: int) -> dict[str, Any]:
    """The contract's figures per broker, and those of a refill: numbers, or (lost sets, placements, brokers)."""
    replica, leader = totals.replica, totals.leader
    if live not in load.followers:
        load.followers[live] = follower_requests_per_s(load.topics, setting, live)
    followers = load.followers[live]
    served = leader["produce_requests"] + leader["consumer_requests"] + 2 * followers
    network_in = replica["write"]
    network_out = leader["copies"] + leader["consume"] + leader["other_out"]
    overhead = requests.overhead_bytes_per_s(requests_per_s=served, overhead_bytes=constant("requests.overhead_bytes"))
    cores = cpu_cores(setting, served, network_in + overhead, network_out + overhead)
    internal = setting.internal_replicas / live
    replicas = replica["replicas"] + internal
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
        "fullest_volume_bytes": replica["fullest_volume_bytes"],
        "cpu_fraction": cores / setting.hardware.vcpu,
        "memory_bytes": _memory(setting, replica["disk_write"], replicas, replica["producers"]),
        "replicas": replicas,
        "leaders": leader["leaders"],
        **_handles(replica, load.topics, setting, live),
        "refill": replica["refill"],
        "feeds": leader["feeds"],
    }


def _handles(replica: Mapping[str, Any], topics: TopicArrays, setting: Setting, live: int) -> dict[str, Any]:
    segments = replica["segments"] + setting.internal_replicas / live
    return {
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


def sockets(topics: TopicArrays, setting: Setting, brokers: int) -> Any:
    """Connections that a broker holds: clients, other brokers, controllers."""
    return _number(
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


def refill_of(after: Outcome, setting: Setting, brokers: int, down: int) -> Refill:
    """How fast an empty broker refills: what recovery_time_max needs, else what the degraded limits leave."""
    size = after.fullest["refill"]
    # only brokers that lead one of its partitions feed a refill, and the one that feeds most is the last to finish
    busiest = after.fullest["feeds"] / down
    sources = float(recovery.refill_sources(size_bytes=size, fullest_source_bytes=busiest, survivors=brokers - down))
    room = refill_room(setting, after.fullest, after.fullest, sources)
    rate = spare = float(refill_spare(room))
    limited_by = min(room, key=lambda key: room[key])
    fastest = 0.0 if size == 0 else size / spare if spare > 0 else float("inf")
    if setting.recovery_time_max_s is not None:
        wanted = size / setting.recovery_time_max_s
        if wanted <= spare:
            rate, limited_by = wanted, "recovery_time_max"
    if math.isinf(rate):  # nothing is known that would bound it: no figure is better than an infinite one
        rate, limited_by = 0.0, NO_LIMIT
    duration = float(recovery.refill_s(size_bytes=size, refill_rate_bytes_per_s=rate)) if rate > 0 else None
    duration = 0.0 if size == 0 else duration
    target, source = while_refilling(after.fullest, rate, sources)
    return Refill(size, fastest, rate, limited_by, duration, target, source, sources, busiest)


def while_refilling(after: Mapping[str, Any], rate: Any, sources: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Figures of the broker that is refilled, which leads nothing, and of the busiest one that feeds it."""
    target, source = dict(after), dict(after)
    for key in ("network_in_bytes_per_s", "disk_write_bytes_per_s"):
        target[key] = target[key] + rate
    target |= {"network_out_bytes_per_s": 0.0, "leaders": 0.0}
    for key in ("network_out_bytes_per_s", "disk_read_bytes_per_s"):
        source[key] = source[key] + rate / sources
    return target, source


def refill_room(setting: Setting, target: Mapping[str, Any], source: Mapping[str, Any], sources: Any) -> dict[str, Any]:
    """What the degraded limits and the throttle leave for a refill, by name."""
    hardware, limits = setting.hardware, setting.thresholds_degraded
    overhead = target["network_overhead_in_bytes_per_s"]
    own = target["network_in_bytes_per_s"]
    return {
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


def refill_spare(room: Mapping[str, Any]) -> Any:
    """The refill rate that this room allows."""
    return recovery.refill_rate_bytes_per_s(
        target_spare_bytes_per_s=np.minimum(room["target network in"], room["target disk"]),
        source_spare_bytes_per_s=np.minimum(room["sources network out"], room["sources disk"]),
        throttle_spare_bytes_per_s=room["throttle"],
    )


def healthy_mean_utilisation(load: Load, setting: Setting, brokers: int) -> dict[str, float]:
    """Utilisation of the mean broker when all is well: cheap, and never above the fullest.

    Recovery is there too when the policy limits it: an idle broker's refill at the least of its limits.
    """
    means = mean_figures(load, setting, brokers, Loss())
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


def lone_utilisation(load: Load, setting: Setting) -> dict[str, float]:
    """Utilisation of a broker that holds nothing but one leader, for the partition that fills it most."""
    topic = load.classes.topic.astype(np.intp)
    per_replica = {**load.per_replica, "fullest_volume_bytes": load.per_replica["disk_bytes"]}
    per_leader = dict(load.per_leader)
    per_leader["copies"] = per_leader["write"] * (load.topics.replication_factor[topic] - 1)
    per_leader["feeds"] = np.zeros(len(topic))
    figures = broker_figures(
        Survivors(per_replica, per_leader, np.zeros(1), np.zeros(1), np.ones(1, dtype=bool)), load, setting, 1
    )
    return resource_utilisation(figures, setting)


def _utilisations(
    outcomes: Mapping[str, Outcome], refill: Refill | None, setting: Setting
) -> dict[tuple[str, str], float]:
    """Utilisation of every resource in every state; all states in one call."""
    fullest = {state: outcome.fullest for state, outcome in outcomes.items()}
    parts = [*fullest.values(), *(() if refill is None else (refill.target, refill.source))]
    figures = {key: np.array([part[key] for part in parts]) for key in parts[0]}
    found: dict[tuple[str, str], float] = {}
    for resource, (function, arguments) in utilisation_arguments(figures, setting.hardware).items():
        values = function(**arguments).tolist()
        found |= {(resource, state): value for state, value in zip(fullest, values, strict=False)}
        if refill is not None:
            found[resource, "recovering"] = max(values[-2:])
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
            # Kafka stops using a volume that is full, whatever room the others have
            {
                "disk_bytes": figures["fullest_volume_bytes"],
                "capacity_bytes": hardware.disk_bytes / hardware.volumes,
            },
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
        resource: _most(function(**arguments))
        for resource, (function, arguments) in utilisation_arguments(figures, setting.hardware).items()
    }


def _most(values: Any) -> float:
    return float(values.max()) if np.ndim(values) else float(values)


def threshold(setting: Setting, resource: str, state: str) -> float:
    """The policy's limit for a resource in a state."""
    if resource in {"partitions", "replication", "recovery"}:
        return 1.0
    key = "network" if resource.startswith("network") else resource
    return (setting.thresholds if state == "healthy" else setting.thresholds_degraded)[key]
