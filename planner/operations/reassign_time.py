"""How long the batches of a reassignment take, and what they ask of every broker meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from planner.constants import constant
from planner.model import recovery, utilisation
from planner.model.reassignment import Integers
from planner.model.types import Array, Numeric
from planner.sizing.evaluate import Hardware, Setting

# what a move loads; their names as plans have them
RESOURCES = ("network_in", "network_out", "disk_throughput")


@dataclass(frozen=True, slots=True)
class Flows:
    """What each batch moves through each broker, shape (batches, brokers)."""

    in_bytes: Array
    in_write: Array  # own write rate of the replicas that arrive
    out_bytes: Array
    out_write: Array
    out_in_sync: Array  # what in-sync followers fetch of the listed partitions
    in_in_sync: Array  # what the broker fetches as an in-sync follower of listed ones; only where all are listed


@dataclass(frozen=True, slots=True)
class MoveTime:
    """Seconds of each role of each broker in each batch, shape (batches, brokers)."""

    target_s: Array
    source_s: Array
    line_s: Array  # below the degraded limits, without a throttle
    line_by: Integers  # position in RESOURCES of what limits that

    @property
    def broker_s(self) -> Array:
        """Seconds of each batch's part of each broker."""
        return np.maximum(self.target_s, self.source_s)

    @property
    def batch_s(self) -> Array:
        """Seconds of each batch: its slowest broker in its slower role."""
        longest: Array = self.broker_s.max(axis=1, initial=0.0)
        return longest


def through(hardware: Hardware, received: Array, sent: Array, written: Array, read: Array) -> dict[str, Array]:
    """What flows add up to in each resource, where interfaces and disks may share."""
    network: dict[str, Numeric] = {
        "network_in_bytes_per_s": received,
        "network_out_bytes_per_s": sent,
        "disk_write_bytes_per_s": written,
        "disk_read_bytes_per_s": read,
        "storage_shares_network": float(hardware.storage_shares_network),
        "half_duplex": float(hardware.half_duplex),
        "capacity_bytes_per_s": 1.0,
    }
    disk: dict[str, Numeric] = {
        "disk_write_bytes_per_s": written,
        "disk_read_bytes_per_s": read,
        "capacity_bytes_per_s": 1.0,
    }
    return {
        "network_in": np.asarray(utilisation.network_in_utilisation(**network)),
        "network_out": np.asarray(utilisation.network_out_utilisation(**network)),
        "disk_throughput": np.asarray(utilisation.disk_throughput_utilisation(**disk)),
    }


def capacity(hardware: Hardware) -> dict[str, float]:
    """What a broker offers of each resource."""
    return {
        "network_in": hardware.network_in_bytes_per_s,
        "network_out": hardware.network_out_bytes_per_s,
        "disk_throughput": hardware.disk_throughput_bytes_per_s,
    }


def limit(setting: Setting, resource: str) -> float:
    """What the policy lets be used while a move lasts."""
    return setting.thresholds_degraded["network" if resource.startswith("network") else resource]


def live_loads(figures: Mapping[str, Array], hardware: Hardware) -> dict[str, Array]:
    """Live traffic of each broker through each resource."""
    return through(
        hardware,
        figures["network_in_bytes_per_s"] + figures["network_overhead_in_bytes_per_s"],
        figures["network_out_bytes_per_s"] + figures["network_overhead_out_bytes_per_s"],
        figures["disk_write_bytes_per_s"],
        figures["disk_read_bytes_per_s"],
    )


def time_of(flows: Flows, loads: Mapping[str, Array], setting: Setting, throttle_bytes_per_s: float) -> MoveTime:
    """Each broker's time by batch: its line below the degraded limits, then the throttle in both roles."""
    hardware = setting.hardware
    none = np.zeros_like(flows.in_bytes)
    moved = through(hardware, flows.in_bytes, flows.out_bytes, flows.in_bytes, flows.out_bytes)
    written = through(hardware, flows.in_write, flows.out_write, flows.in_write, none)  # new bytes come from the cache
    line = []
    for resource in RESOURCES:
        spare = recovery.spare_bytes_per_s(
            capacity_bytes_per_s=capacity(hardware)[resource],
            limit_fraction=limit(setting, resource),
            load_bytes_per_s=loads[resource] + written[resource],
        )
        line.append(np.asarray(recovery.refill_s(size_bytes=moved[resource], refill_rate_bytes_per_s=spare)))
    line_s: Array = np.max(line, axis=0)
    return MoveTime(
        _role_s(flows.in_bytes, flows.in_write, flows.in_in_sync, line_s, throttle_bytes_per_s),
        _role_s(flows.out_bytes, flows.out_write, flows.out_in_sync, line_s, throttle_bytes_per_s),
        line_s,
        np.argmax(line, axis=0),
    )


def role_arguments(size: Array, own: Array, in_sync: Array, line_s: Array, throttle: float) -> dict[str, Array | float]:
    """Arguments of `planner.model.recovery.throttled_move_s` for one role."""
    rate = np.full(size.shape, np.inf)
    np.divide(size, line_s, out=rate, where=line_s > 0)
    burst = (
        0.0
        if np.isinf(throttle)
        else recovery.window_burst_bytes(
            throttle_bytes_per_s=throttle, in_sync_bytes_per_s=in_sync, window_s=constant("throttle.first_window_s")
        )
    )
    return {
        "size_bytes": size,
        "own_write_bytes_per_s": own,
        "in_sync_bytes_per_s": in_sync,
        "burst_bytes": burst,
        "line_rate_bytes_per_s": rate,
        "throttle_bytes_per_s": throttle,
    }


def _role_s(size: Array, own: Array, in_sync: Array, line_s: Array, throttle: float) -> Array:
    return np.asarray(recovery.throttled_move_s(**role_arguments(size, own, in_sync, line_s, throttle)))
