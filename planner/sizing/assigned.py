"""An existing assignment (`cluster.brokers_placed`) as arrays, its brokers numbered rack by rack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from planner.model.placement import Integers
from planner.scenario import Assignment


@dataclass(frozen=True, eq=False)
class Assigned:
    """Where replicas are already. Compared by identity, so that it serves as a key however large it is."""

    ids: tuple[int | None, ...]  # by the broker's number; None where the assignment does not name it
    racks: tuple[str | None, ...]
    sizes: tuple[int, ...]  # brokers per rack
    replicas: Mapping[int, Integers]  # by topic: (partitions, RF)


def assigned_of(placed: Assignment, names: Sequence[str], brokers: int) -> Assigned:
    """Number the brokers by rack and id, those that hold nothing too, and translate the replica lists."""
    racks = placed.racks or {}
    known = sorted((racks.get(str(broker), ""), broker) for broker in placed.brokers)
    ids = [broker for _, broker in known]
    unnamed = brokers - len(ids)  # only without racks; they come last
    rack_names = [rack for rack, _ in known]
    sizes = np.unique(rack_names, return_counts=True)[1]
    sizes[-1] += unnamed
    order = np.argsort(ids)
    position = {name: index for index, name in enumerate(names)}
    replicas = {
        position[name]: order[np.searchsorted(ids, np.array(lists, dtype=np.intp), sorter=order)]
        for name, lists in placed.topics.items()
    }
    return Assigned(
        ids=(*ids, *([None] * unnamed)),
        racks=tuple(rack or None for rack in rack_names) + (None,) * unnamed,
        sizes=tuple(sizes.tolist()),
        replicas=replicas,
    )
