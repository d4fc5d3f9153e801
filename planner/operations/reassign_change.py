"""The change that is asked for, and the assignment that it leads to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from planner.fields import MOST_BROKERS, nearest
from planner.model import reassignment
from planner.model.reassignment import Flags, Integers
from planner.model.types import Array
from planner.operations.reassign_cluster import Standing, ids_text
from planner.scenario import InputError, ScenarioError
from planner.units import listed

_SHOWN = 20  # broker ids named in a message
_NAMED = 8  # topics named in a message


@dataclass(frozen=True, slots=True)
class Change:
    """What is asked for: one of the first four."""

    to_brokers: int | None
    remove: tuple[int, ...]
    replace: tuple[tuple[int, int], ...]
    replication_factor: int | None
    topic: str | None
    dead: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Target:
    """The assignment to reach, on the cluster with the brokers of before and after."""

    standing: Standing
    change: Change
    replicas: Integers
    kept: Flags  # brokers that hold replicas afterwards
    dead: Flags
    least_moves: int
    words: str


def target_of(standing: Standing, change: Change, weight: Array) -> Target:
    """Work the change out; everything wrong with it is refused at once."""
    errors = list(_faults(standing, change))
    if errors:
        raise ScenarioError(errors)
    if change.replication_factor is not None:
        return _refactored(standing, change, weight)
    if change.replace:
        return _replaced(standing, change, weight)
    return _resized(standing, change, weight)


def _faults(standing: Standing, change: Change) -> Iterator[InputError]:
    asked = [change.to_brokers is not None, change.remove, change.replace, change.replication_factor is not None]
    if sum(map(bool, asked)) != 1:
        message = "A reassignment makes one change at a time."
        yield InputError("change", None, message, "one of to_brokers, remove, replace, replication_factor")
    if change.topic is not None and change.replication_factor is None:
        message = "A topic is only for a change of its replication factor."
        yield InputError("topic", change.topic, message, "replication_factor beside it")
    if change.topic is not None and change.topic not in standing.topics:
        near = nearest(change.topic, standing.topics[:1000])
        known = listed(sorted(standing.topics), _NAMED)
        yield InputError("topic", change.topic, "The scenario does not have this topic.", known, near)
    yield from _broker_faults(standing, change)
    yield from _size_faults(standing, change)


def _broker_faults(standing: Standing, change: Change) -> Iterator[InputError]:
    known = f"brokers of the cluster: {ids_text(standing.ids[:_SHOWN])}{', ...' if len(standing.ids) > _SHOWN else ''}"
    olds, news = [old for old, _ in change.replace], [new for _, new in change.replace]
    for path, ids in (("remove", change.remove), ("replace", olds), ("dead", change.dead)):
        for broker in dict.fromkeys(ids):
            if broker not in standing.ids:
                yield InputError(path, broker, "The cluster does not have this broker.", known)
        if len(set(ids)) != len(ids):
            yield InputError(path, ids_text(ids), "A broker is named twice.", "each broker once")
    for broker in news:
        if broker in standing.ids or not 0 <= broker < 2**31 or news.count(broker) > 1:
            message = "A replacement is a broker that the cluster does not have yet."
            yield InputError("replace", broker, message, "a new broker id, each once")
    for broker in sorted(set(change.dead) - {*change.remove, *olds}):
        message = "A broker that does not run can be removed or replaced; other changes wait until it is back."
        yield InputError("dead", broker, message, "a broker of remove or replace")


def _size_faults(standing: Standing, change: Change) -> Iterator[InputError]:
    copies, brokers = int((standing.replicas >= 0).sum(axis=1).max()), len(standing.ids)
    if change.to_brokers is not None and not copies <= change.to_brokers <= MOST_BROKERS:
        message = f"The largest replication factor, {copies}, needs as many brokers; {MOST_BROKERS:,} are the most."
        yield InputError("to_brokers", change.to_brokers, message, f"{copies} to {MOST_BROKERS}")
    left = brokers - len(set(change.remove) & set(standing.ids))
    if change.remove and left < copies:
        message = f"{left} brokers are left for a replication factor of {copies}."
        yield InputError("remove", ids_text(change.remove), message, f"at most {brokers - copies} brokers")
    factor = change.replication_factor
    if factor is not None and not 1 <= factor <= brokers:
        yield InputError(
            "replication_factor", factor, f"A broker holds one replica, and there are {brokers}.", f"1 to {brokers}"
        )


def _flags(standing: Standing, ids: Iterable[int]) -> Flags:
    """Which brokers are among the ids."""
    return np.isin(np.array(standing.ids), list(ids))


def _refactored(standing: Standing, change: Change, weight: Array) -> Target:
    factor, none = int(change.replication_factor or 1), _flags(standing, ())
    had = (standing.replicas >= 0).sum(axis=1)
    chosen = np.isin(
        standing.topic, [index for index, name in enumerate(standing.topics) if change.topic in {None, name}]
    )
    wanted = np.where(chosen, factor, had)
    rows = reassignment.shortened(standing.replicas, standing.rack, weight, np.minimum(wanted, had))
    rows = reassignment.extended(rows, standing.rack, ~none, weight, wanted)
    of = "every topic" if change.topic is None else change.topic
    least = int(np.maximum(wanted - had, 0).sum())
    return Target(standing, change, rows, ~none, none, least, f"replication factor {factor} for {of}")


def _replaced(standing: Standing, change: Change, weight: Array) -> Target:
    racks = dict(zip(standing.ids, standing.racks, strict=True))
    wider = standing.with_brokers([new for _, new in change.replace], [racks[old] for old, _ in change.replace])
    olds = _flags(wider, [old for old, _ in change.replace])
    index = {broker: position for position, broker in enumerate(wider.ids)}
    pairs = [(index[old], index[new]) for old, new in change.replace]
    dead = _flags(wider, change.dead)
    rows = reassignment.substituted(wider.replicas, wider.rack, ~olds, weight, pairs)
    least = int((olds[wider.replicas] & (wider.replicas >= 0)).sum())
    words = "replacing broker " + ids_text_pairs(change.replace)
    return Target(wider, change, rows, ~olds, dead, least, words)


def ids_text_pairs(pairs: Iterable[tuple[int, int]]) -> str:
    """Replacements as people write them."""
    return ", ".join(f"{old} by {new}" for old, new in pairs)


def _resized(standing: Standing, change: Change, weight: Array) -> Target:
    before, wanted = len(standing.ids), change.to_brokers
    gone = change.remove or _surplus(standing, before - (wanted or before))
    new = _newcomers(standing, max((wanted or before) - before, 0))
    wider = standing.with_brokers([broker for broker, _ in new], [rack for _, rack in new])
    dead = _flags(wider, change.dead)
    kept = ~_flags(wider, gone)
    if new:
        rows, least = reassignment.widened(wider.replicas, wider.rack, _flags(wider, [one for one, _ in new]), weight)
        words = f"from {before} to {len(wider.ids)} brokers, adding {ids_text(broker for broker, _ in new)}"
    elif gone:
        rows, least = reassignment.vacated(wider.replicas, wider.rack, kept, weight)
        words = f"from {before} to {int(kept.sum())} brokers, removing {ids_text(gone)}"
    else:
        rows, least = reassignment.rebalanced(wider.replicas, wider.rack, kept, weight)
        words = f"evening out {before} brokers"
    return Target(wider, change, rows, kept, dead, least, words)


def _surplus(standing: Standing, count: int) -> tuple[int, ...]:
    """The brokers to remove when only their number is given: the last one of the largest rack, again and again."""
    left = dict(zip(standing.ids, standing.racks, strict=True))
    gone: list[int] = []
    for _ in range(max(count, 0)):
        sizes = {rack: list(left.values()).count(rack) for rack in left.values()}
        last = max(left, key=lambda broker: (sizes[left[broker]], broker))
        gone.append(last)
        del left[last]
    return tuple(gone)


def _newcomers(standing: Standing, count: int) -> list[tuple[int, str]]:
    """New broker ids after the last one, each in the smallest rack."""
    sizes = {rack: standing.racks.count(rack) for rack in dict.fromkeys(standing.racks)}
    first = max(standing.ids) + 1
    found = []
    for broker in range(first, first + count):
        rack = min(sizes, key=lambda name: (sizes[name], name))
        sizes[rack] += 1
        found.append((broker, rack))
    return found
