"""Judge many brokers at once: the load at a broker count is computed once, and held against all of them as arrays."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from planner.catalogue.named import volume_per_month
from planner.constants import constant
from planner.model import cost
from planner.model.types import Array
from planner.optimise.candidates import Group
from planner.sizing.evaluate import (
    Evaluation,
    Hardware,
    Outcome,
    Setting,
    evaluate,
    mean_figures,
    refill_room,
    refill_spare,
    threshold,
    utilisation_arguments,
    while_refilling,
)
from planner.sizing.simulate import Loss
from planner.sizing.sized import Sized

_INF = math.inf
_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Judgement:
    """One group of brokers at one count: (resource, state) to load over limit, and what the storage has to be."""

    names: tuple[tuple[str, str], ...]
    ratios: Array  # (resources and states, variants)
    capacity_bytes: Array
    iops: Array  # provisioned
    recovery_s: Array  # infinite = never
    storage_per_month: Array
    sized: bool  # whether the storage was bought to fit, so that being full says nothing

    @property
    def worst(self) -> Array:
        """Load over limit of the fullest resource, for each variant."""
        found: Array = self.ratios.max(axis=0)
        return found

    def fullest(self, index: int) -> tuple[str, str, float]:
        """The resource and state nearest to its limit, and how near; storage that was bought to fit is left out."""
        ratios = self.ratios[:, index]
        fitted = [
            self.sized and name[0] == "disk_volume" and ratio <= 1 + _TOLERANCE
            for name, ratio in zip(self.names, ratios, strict=True)
        ]
        where = int(np.argmax(np.where(fitted, -1.0, ratios)))
        return (*self.names[where], float(ratios[where]))

    def holds(self) -> Any:
        """Which variants stay within every limit."""
        return self.worst <= 1 + _TOLERANCE


class Judge:
    """What a scenario asks of any broker, at counts looked at one by one."""

    def __init__(self, setting: Setting, checked: frozenset[str]) -> None:
        self.setting, self.checked = setting, checked
        self.wanted = checked | {"healthy"} | ({"returned"} if "recovering" in checked else set())
        # by brokers, and drives of each: what does not depend on the rest of the hardware is computed once
        self._evaluations: dict[tuple[int, int], Evaluation] = {}
        self._means: dict[tuple[int, int], Mapping[str, Any]] = {}

    def means_hold(self, sized: Sized, brokers: int, group: Group) -> Any:
        """Whether the healthy mean fits: without it no placement does, and it is cheap to know."""
        key = (brokers, group.volumes)
        if key not in self._means:
            self._means[key] = mean_figures(sized.load, self._neutral(group.volumes), brokers, Loss())
        means = {"healthy": self._means[key]}
        found = self._ratios(means, group, self._capacity(means, group))
        return np.max(np.stack(list(found.values())), axis=0) <= 1 + _TOLERANCE

    def judge(self, sized: Sized, brokers: int, group: Group) -> Judgement:
        """Every checked state, on the fullest broker."""
        evaluation = self._evaluation(sized, brokers, group)
        asked = {state: outcome.fullest for state, outcome in evaluation.outcomes.items() if state in self.checked}
        capacity = self._capacity(asked, group)
        ratios = self._ratios(asked, group, capacity)
        recovery = np.zeros(len(group.variants))
        if "returned" in evaluation.outcomes and evaluation.refill is not None:
            recovery, refilling = self._refill(
                evaluation.outcomes["returned"], evaluation.refill.sources, group, capacity
            )
            if "recovering" in self.checked:
                ratios |= refilling
        iops = self._iops(asked, group, capacity)
        return Judgement(
            names=tuple(ratios),
            ratios=np.stack(list(ratios.values())),
            capacity_bytes=capacity,
            iops=iops,
            recovery_s=recovery,
            storage_per_month=self._storage_price(group, capacity, iops),
            sized=group.volume is not None,
        )

    def _evaluation(self, sized: Sized, brokers: int, group: Group) -> Evaluation:
        key = (brokers, group.volumes)
        if key not in self._evaluations:
            self._evaluations[key] = evaluate(sized.load, self._neutral(group.volumes), brokers, self.wanted)
        return self._evaluations[key]

    def _neutral(self, volumes: int) -> Setting:
        """A broker without limits and with one core, whose CPU fraction is therefore cores."""
        hardware = replace(
            self.setting.hardware,
            vcpu=1.0,
            memory_bytes=_INF,
            network_in_bytes_per_s=_INF,
            network_out_bytes_per_s=_INF,
            volumes=volumes,
            disk_bytes=_INF,
            disk_throughput_bytes_per_s=_INF,
            disk_iops=_INF,
        )
        return replace(self.setting, hardware=hardware)

    def _hardware(self, group: Group, capacity: Array) -> Hardware:
        """The brokers of a group as one, with an array for each capacity."""
        received = group.network_bytes_per_s if group.provider.network == "both" else np.full(len(capacity), _INF)
        limits = self.setting.hardware
        arrays: dict[str, Any] = {
            "vcpu": group.vcpu,
            "memory_bytes": group.memory_bytes,
            "network_in_bytes_per_s": received,
            "network_out_bytes_per_s": group.network_bytes_per_s,
            "disk_bytes": capacity,
            "disk_throughput_bytes_per_s": group.rate_bytes_per_s,
            "disk_iops": group.iops,
            "replicas_max": np.minimum(group.replicas_max, limits.replicas_max),
        }
        shares = group.provider.storage_shares_network and group.volume is not None
        return replace(limits, half_duplex=False, storage_shares_network=shares, volumes=group.volumes, **arrays)

    def _ratios(
        self, figures: Mapping[str, Mapping[str, Any]], group: Group, capacity: Array
    ) -> dict[tuple[str, str], Array]:
        hardware, size = self._hardware(group, capacity), len(group.variants)
        found: dict[tuple[str, str], Array] = {}
        for state, fullest in figures.items():
            own = {**fullest, "cpu_fraction": fullest["cpu_fraction"] / group.vcpu}
            for resource, (function, arguments) in utilisation_arguments(own, hardware).items():
                limit = threshold(self.setting, resource, state)
                found[resource, state] = np.broadcast_to(np.asarray(function(**arguments), dtype=float) / limit, size)
        return found

    def _capacity(self, figures: Mapping[str, Mapping[str, Any]], group: Group) -> Array:
        """Local drives are what they are; a network volume is bought as large as its data and its rate ask for."""
        volume = group.volume
        if volume is None:
            return group.disk_bytes
        sizes = [
            cost.volume_bytes_needed(
                disk_bytes=fullest["fullest_volume_bytes"],
                fill_fraction=threshold(self.setting, "disk_volume", state) * (1 - _TOLERANCE),
                rate_bytes_per_s=group.rate_bytes_per_s,
                bytes_per_rate=1 / volume.bytes_per_s_per_byte if volume.bytes_per_s_per_byte else 0.0,
                iops=fullest["disk_iops"] / threshold(self.setting, "disk_iops", state),
                bytes_per_iops=1 / volume.iops_per_byte if volume.iops_per_byte else 0.0,
            )
            for state, fullest in figures.items()
        ]
        gib = constant("search.volume_step_bytes")
        needed = np.maximum(np.max(np.broadcast_arrays(*sizes), axis=0), constant("search.volume_least_bytes"))
        whole = np.ceil(needed / gib) * gib
        sized: Array = np.minimum(np.broadcast_to(whole, len(group.variants)), volume.capacity_bytes)
        return sized

    def _iops(self, figures: Mapping[str, Mapping[str, Any]], group: Group, capacity: Array) -> Array:
        """Operations that are provisioned: what is included, what the load asks for, what the rate needs."""
        volume = group.volume
        if volume is None or volume.iops is None:
            return group.iops
        needed = max(
            fullest["disk_iops"] / threshold(self.setting, "disk_iops", state) for state, fullest in figures.items()
        )
        if volume.iops_per_byte:
            by_size: Array = np.minimum(capacity * volume.iops_per_byte, group.iops)
            return by_size
        included = volume.iops if volume.included_iops is None else volume.included_iops
        by_rate = group.rate_bytes_per_s / volume.bytes_per_s_per_iops if volume.bytes_per_s_per_iops else 0.0
        wanted = np.ceil(np.maximum(np.maximum(needed, by_rate), included) - _TOLERANCE)
        bought: Array = np.minimum(np.broadcast_to(wanted, len(group.variants)), volume.iops)
        return bought

    def _storage_price(self, group: Group, capacity: Array, iops: Array) -> Array:
        if group.volume is None:
            return np.zeros(len(group.variants))
        operations = np.where(np.isfinite(iops), iops, 0.0)  # where none are published, none are sold
        price = volume_per_month(group.volume, capacity, group.rate_bytes_per_s, operations)
        return np.asarray(price, dtype=float)

    def _refill(
        self, after: Outcome, sources: float, group: Group, capacity: Array
    ) -> tuple[Array, dict[tuple[str, str], Array]]:
        """How long an empty broker is refilled at full spare, and the load of target and source meanwhile."""
        setting = replace(self.setting, hardware=self._hardware(group, capacity))
        fullest, size = after.fullest, after.fullest["refill"]
        spare = np.broadcast_to(
            np.asarray(refill_spare(refill_room(setting, fullest, fullest, sources)), dtype=float), len(group.variants)
        )
        fastest = np.where(spare > 0, size / np.where(spare > 0, spare, 1.0), _INF if size else 0.0)
        longest = setting.recovery_time_max_s
        if longest is None:  # as in a plan: then a refill takes what is free, and binds nothing
            return fastest, {}
        rate = np.where(np.isfinite(spare), spare, 0.0)
        rate = np.where(size / longest <= spare, size / longest, rate)
        target, source = while_refilling(fullest, rate, sources)
        found = {
            (resource, "recovering"): np.maximum(ratio, other)
            for ((resource, _), ratio), other in zip(
                self._ratios({"recovering": target}, group, capacity).items(),
                self._ratios({"recovering": source}, group, capacity).values(),
                strict=True,
            )
        }
        return fastest, {**found, ("recovery", "recovering"): fastest / longest}
