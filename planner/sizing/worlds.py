"""A workload in many worlds at once: quantities given as ranges take an array of values, one for each world."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any

import numpy as np
from pydantic import BaseModel

from planner.model.types import Array
from planner.scenario import Ranged, Topic
from planner.sizing.loads import Load, TopicArrays
from planner.sizing.sized import Sized, size_at
from planner.sizing.workload import Reader, Workload, connections

_GROWTH = "policy.growth_per_year"


@dataclass(frozen=True)
class Worlds(Workload):
    """The topics of all worlds, one world after the other, as if they were topics of one cluster.

    Everything that is computed for a single topic holds; sums over topics are taken world by world, in `WorldLoad`.
    """

    samples: Mapping[str, Array] = field(default_factory=dict)
    load: Array = field(default_factory=lambda: np.ones(1))

    @property
    def count(self) -> int:
        """Worlds."""
        return len(self.load)

    def __post_init__(self) -> None:
        """Each world has its own factor on all of its rates."""
        object.__setattr__(self, "load_factor", np.repeat(self.load, len(self.topics)))

    @cached_property
    def vectors(self) -> tuple[Topic, ...]:
        """The topics with arrays over worlds in place of their ranges."""
        return tuple(with_values(topic, f"topics.{topic.name}.", self.samples) for topic in self.topics)

    def table(self, read: Reader, many: int) -> Array:
        """The numbers that the reader finds in each topic, in every world."""
        table = np.empty((self.count, len(self.topics), many))
        for index, (topic, vector) in enumerate(zip(self.topics, self.vectors, strict=True)):
            if vector is topic:
                table[:, index] = np.array(read(topic), dtype=float)
            else:
                self._fill(table[:, index], read, topic, vector)
        return table.reshape(-1, many)

    def _fill(self, table: Array, read: Reader, topic: Topic, vector: Topic) -> None:
        """What a reader says of a topic in every world; one that compares or looks up is asked world by world."""
        try:
            for column, value in zip(table.T, read(vector), strict=True):
                column[:] = value
        except (TypeError, ValueError):
            for world, row in enumerate(table):
                values = {path: Ranged(*(float(each[world]),) * 3) for path, each in self.samples.items()}
                row[:] = np.array(read(with_values(topic, f"topics.{topic.name}.", values)), dtype=float)

    def group_table(self, read: Reader, many: int) -> Array:
        """The numbers that the reader finds in each group, in every world."""
        table = np.empty((self.count, len(self.groups[1]), many))
        for index, group in enumerate(group for vector in self.vectors for group in vector.consumers):
            for column, value in zip(table[:, index].T, read(group), strict=True):
                column[:] = value
        return table.reshape(-1, many)

    @cached_property
    def growth(self) -> Any:
        """Load at the policy's horizon over load today."""
        if _GROWTH not in self.samples:
            return super().growth
        from planner.model.traffic import growth_factor

        rate = np.repeat(self.samples[_GROWTH], len(self.topics))
        return growth_factor(growth_per_year=rate, horizon_s=self.scenario.policy.horizon)

    @cached_property
    def consumer_zone_shares(self) -> Array:
        """Bytes read per byte produced, by topic and zone: the zones' shares are as in the likely world."""
        base = super().consumer_zone_shares
        share = base / np.maximum(base.sum(axis=1, keepdims=True), 1e-12)
        return np.tile(share, (self.count, 1)) * self.given["fan_out"][:, None]


def with_values(section: Any, prefix: str, samples: Mapping[str, Any]) -> Any:
    """The section with these values, numbers or arrays over worlds, in place of its ranges; itself without any."""
    changes: dict[str, Any] = {}
    for name, value in section.__dict__.items():
        path = f"{prefix}{name}"
        if isinstance(value, Ranged) and path in samples:
            changes[name] = samples[path]
        elif isinstance(value, BaseModel):
            changes[name] = with_values(value, f"{path}.", samples)
        elif isinstance(value, tuple) and value and isinstance(value[0], BaseModel):
            labels = (
                getattr(item, "name", None) or getattr(item, "group", None) or at for at, item in enumerate(value)
            )
            changes[name] = tuple(
                with_values(item, f"{path}.{label}.", samples) for item, label in zip(value, labels, strict=True)
            )
    changed = {name: value for name, value in changes.items() if _differs(value, getattr(section, name))}
    return section.model_copy(update=changed) if changed else section


def _differs(new: Any, old: Any) -> bool:
    if isinstance(new, tuple):
        return any(item is not before for item, before in zip(new, old, strict=True))
    return new is not old


@dataclass(frozen=True)
class WorldLoad(Load):
    """The load of many worlds at one broker count: `topics` are (topics, worlds), sums over them are (worlds,)."""

    sized: Sized | None = None

    @property
    def _flat(self) -> Load:
        assert self.sized is not None  # noqa: S101 - world_load fills it
        return self.sized.load

    @cached_property
    def _of_class(self) -> tuple[Any, int]:
        many, worlds = self.topics.partitions.shape
        return self.classes.topic.astype(np.intp) // many, worlds

    @cached_property
    def held(self) -> Mapping[str, Any]:
        """The costs of all replicas together."""
        flat, (world, worlds) = self._flat, self._of_class
        copies = flat.topics.replication_factor[flat.classes.topic.astype(np.intp)] * flat.classes.count
        return {key: np.bincount(world, value * copies, worlds) for key, value in flat.per_replica.items()}

    @cached_property
    def led(self) -> Mapping[str, Any]:
        """The costs of leading all partitions."""
        flat, (world, worlds) = self._flat, self._of_class
        return {key: np.bincount(world, value * flat.classes.count, worlds) for key, value in flat.per_leader.items()}


def world_load(worlds: Worlds, brokers: int, known: WorldLoad | None = None) -> WorldLoad:
    """The load of every world at `brokers`; partition counts must be given: they are chosen before the world is.

    What does not depend on the brokers is taken from a known load.
    """
    sized = size_at(worlds, brokers, None if known is None else known.sized)
    flat, shape = sized.load.topics, (worlds.count, len(worlds.topics))
    arrays: dict[str, Any] = {
        part.name: value.reshape(shape).T
        for part in fields(flat)
        if np.ndim(value := getattr(flat, part.name)) == 1 and part.name != "names"
    }
    by_world = replace(flat, **arrays, client_connections=_connections(worlds, flat, brokers))
    found = WorldLoad(by_world, sized.load.classes, sized=sized)
    if known is not None and known.classes is found.classes:
        vars(found).update({"held": known.held})
    return found


def _connections(worlds: Worlds, topics: TopicArrays, brokers: int) -> Any:
    """Connections from clients to one broker, by world."""
    return sum(part.reshape(worlds.count, -1).sum(axis=1) for part in connections(worlds, topics.partitions, brokers))
