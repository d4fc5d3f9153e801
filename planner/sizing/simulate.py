"""Loads of every broker from simulated placements: who leads what after whom is lost, and how full the fullest is."""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property, lru_cache
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from planner.model.placement import (
    Integers,
    peer_counts,
    place,
    placed_one_by_one,
    rack_of_broker,
    rack_sizes,
    volume_of_replica,
)
from planner.model.types import Array
from planner.sizing.assigned import Assigned
from planner.sizing.loads import Load, PartitionClasses, TopicArrays
from planner.sizing.sums import product, totals

Flags: TypeAlias = npt.NDArray[np.bool_]

# work limits that keep a plan in milliseconds; small clusters get more placements, huge ones average out by themselves
_PLACED_REPLICAS = 16_000
_LOST_REPLICAS = 400_000
_SEEDS = 8
_LOST_SETS = 64
_MOST_REPLICAS = 700_000  # placed at most
_MOST_STEPS = 50_000  # placed at most where each takes a step of its own
_KEPT_CELLS = 500_000  # counts by broker and class beyond this are neither made nor kept


@cache
def _even_racks(brokers: int, zones: int) -> tuple[int, ...]:
    return rack_sizes(brokers, zones)


@dataclass(frozen=True)
class Layout:
    """All that decides where replicas land: partition counts, copies and racks, but no load."""

    brokers: int
    zones: int
    partitions: tuple[int, ...]
    replication_factor: tuple[int, ...]
    live_needed: tuple[int, ...]
    class_topic: tuple[int, ...]
    class_count: tuple[int, ...]
    volumes: int = 1
    assigned: Assigned | None = None

    def __hash__(self) -> int:
        """Placements and what is counted on them are kept by layout; with thousands of topics it is hashed once."""
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash((self.brokers, self.zones, self.partitions, self.class_count, self.volumes, self.assigned))

    @cached_property
    def replicas(self) -> int:
        """Replicas of all topics."""
        return sum(map(operator.mul, self.partitions, self.replication_factor))

    @property
    def sizes(self) -> tuple[int, ...]:
        """Brokers per rack."""
        return _even_racks(self.brokers, self.zones) if self.assigned is None else self.assigned.sizes

    @property
    def rackless(self) -> bool:
        """Whether an assignment says nothing of racks."""
        return self.assigned is not None and not any(self.assigned.racks)


@dataclass(frozen=True, slots=True)
class Loss:
    """Who is lost: any so many brokers or zones, or those chosen by position; and whether they have returned."""

    brokers: int = 0
    zones: int = 0
    returned: bool = False
    chosen: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Placed partitions of one replication factor: `assignment` is (placements, partitions, RF)."""

    assignment: Integers
    partition_class: Integers
    live_needed: Integers


@dataclass(frozen=True, slots=True)
class Placement:
    """Several seeded placements of the same topics over the same brokers."""

    brokers: int
    sizes: tuple[int, ...]
    seeds: int
    replicas: int
    groups: tuple[Group, ...]


def layout_of(  # noqa: PLR0917 - the four that every caller knows, then what a scenario may add
    topics: TopicArrays,
    classes: PartitionClasses,
    brokers: int,
    zones: int,
    volumes: int = 1,
    assigned: Assigned | None = None,
) -> Layout:
    """The layout behind a load; beyond a size that no cluster has, one placed partition stands for several.

    An existing assignment counts at its own number of brokers; at others its topics are placed anew.
    """

    def whole(values: Array) -> tuple[int, ...]:
        return tuple(values.astype(int).tolist())

    kept = assigned if assigned is not None and len(assigned.ids) == brokers else None
    sizes = _even_racks(brokers, zones) if kept is None else kept.sizes
    stepwise = any(placed_one_by_one(sizes, int(copies)) for copies in np.unique(topics.replication_factor))
    most = _MOST_STEPS if stepwise else _MOST_REPLICAS
    thin = np.full(
        len(topics.partitions), min(1.0, most / max(float(topics.partitions @ topics.replication_factor), 1))
    )
    thin[list(kept.replicas if kept is not None else ())] = 1.0
    of_topic = classes.topic.astype(np.intp)
    of_class = np.ceil(classes.count * thin[of_topic])
    return Layout(
        brokers,
        zones,
        whole(np.bincount(of_topic, of_class, len(topics.partitions)).astype(float)),
        whole(topics.replication_factor),
        whole(topics.live_needed),
        whole(classes.topic),
        whole(of_class),
        volumes,
        kept,
    )


@lru_cache(maxsize=16)
def place_topics(layout: Layout) -> Placement:
    """Place every topic as Kafka would, several times with fixed seeds; what is assigned already stays there."""
    factor, partitions = np.array(layout.replication_factor), np.array(layout.partitions)
    class_topic, class_count = np.array(layout.class_topic), np.array(layout.class_count)
    known = layout.assigned is not None and len(layout.assigned.replicas) == len(layout.partitions) == len(class_topic)
    seeds = 1 if known else max(1, min(_SEEDS, _PLACED_REPLICAS // max(layout.replicas, 1)))
    groups = []
    for copies in np.unique(factor):
        chosen = np.flatnonzero(factor == copies)
        placed = _placed(layout, chosen, int(copies), seeds)
        ends = partitions[chosen].cumsum() - 1
        skewed = np.isin(chosen, class_topic[len(partitions) :])
        _move_hottest(placed, ends[skewed], partitions[chosen][skewed])
        # topic after topic as placed, the hottest partition of each last
        of_class = np.flatnonzero(factor[class_topic] == copies)
        of_class = of_class[np.argsort(class_topic[of_class], kind="stable")]
        partition_class = np.repeat(of_class, class_count[of_class])
        needed = np.array(layout.live_needed)[class_topic[partition_class]]
        groups.append(Group(placed, partition_class, needed))
    return Placement(layout.brokers, layout.sizes, seeds, layout.replicas, tuple(groups))


def _move_hottest(placed: Integers, ends: Integers, partitions: Integers) -> None:
    """Let the hottest partition, counted as the last of its topic, be any of them; one draw for each placement."""
    generator = np.random.default_rng([len(ends), placed.shape[2]])
    seeds = np.arange(len(placed))[:, None]
    drawn = ends - (generator.random((len(placed), len(ends))) * partitions).astype(np.intp)
    last = placed[:, ends].copy()
    placed[:, ends] = placed[seeds, drawn]
    placed[seeds, drawn] = last


def _placed(layout: Layout, chosen: Integers, copies: int, seeds: int) -> Integers:
    """Replicas of the chosen topics: (placements, partitions, RF)."""
    partitions = np.array(layout.partitions)[chosen]
    generator = np.random.default_rng([copies, layout.brokers])
    known = {} if layout.assigned is None else layout.assigned.replicas
    fixed = np.isin(chosen, list(known))
    if not fixed.any():
        return place(np.tile(partitions, seeds), layout.sizes, copies, generator).reshape(seeds, -1, copies)
    found = np.empty((seeds, int(partitions.sum()), copies), dtype=np.intp)
    rows = np.repeat(fixed, partitions)
    found[:, rows] = np.concatenate([known[topic] for topic in chosen[fixed].tolist()])
    if not fixed.all():
        placed = place(np.tile(partitions[~fixed], seeds), layout.sizes, copies, generator)
        found[:, ~rows] = placed.reshape(seeds, -1, copies)
    return found


def lost_sets(placement: Placement, loss: Loss) -> Flags:
    """Sets of brokers to lose, shape (sets, brokers): every single broker or zone, else a seeded sample of sets."""
    brokers = placement.brokers
    most = max(2, min(_LOST_SETS, _LOST_REPLICAS // max(placement.replicas * placement.seeds, 1)))
    if loss.chosen:
        return np.isin(np.arange(brokers), loss.chosen)[None]
    if loss.zones:
        racks = rack_of_broker(placement.sizes)
        chosen = list(itertools.islice(itertools.combinations(range(len(placement.sizes)), loss.zones), most))
        return np.array([np.isin(racks, zones) for zones in chosen]).reshape(-1, brokers)
    if loss.brokers == 0:
        return np.zeros((1, brokers), dtype=bool)
    if math.comb(brokers, loss.brokers) <= most:
        members = np.array(list(itertools.combinations(range(brokers), loss.brokers)))
    else:
        generator = np.random.default_rng([brokers, loss.brokers])
        members = np.argsort(generator.random((most, brokers)), axis=1)[:, : loss.brokers]
    lost = np.zeros((len(members), brokers), dtype=bool)
    lost[np.arange(len(members))[:, None], members] = True
    return lost


@lru_cache(maxsize=16)
def peers(layout: Layout) -> Integers:
    """With how many other brokers each one shares a partition: (placements, brokers)."""
    placement = place_topics(layout)
    return np.array(
        [
            peer_counts(
                assignments=tuple(group.assignment[seed] for group in placement.groups), brokers=placement.brokers
            )
            for seed in range(placement.seeds)
        ]
    )


@dataclass(frozen=True, slots=True)
class Survivors:
    """Loads per broker after a loss; arrays are (lost sets, placements, brokers), NaN on lost brokers."""

    replica: Mapping[str, Any]
    leader: Mapping[str, Any]
    unwritable: Array  # (lost sets, placements, classes): share of the class's partitions
    offline: Array
    stayed: Flags  # (lost sets, placements, brokers)


def survivors(
    topics: TopicArrays, classes: PartitionClasses, layout: Layout, loss: Loss, *, fetch_from_follower: bool
) -> Survivors:
    """Loads of the live brokers while the replicas on the lost ones wait; or of all, once the lost ones returned.

    A returned broker is in sync again and leads nothing until the preferred election.
    """
    return Weighed(Load(topics, classes), layout, fetch_from_follower=fetch_from_follower).after(loss)


class Weighed:
    """A load on a layout; what does not depend on who is lost is summed once."""

    def __init__(self, load: Load, layout: Layout, *, fetch_from_follower: bool) -> None:
        self.load, self.layout = load, layout
        self.moves_reads = fetch_from_follower and len(layout.sizes) > 1
        self.placed = np.array(layout.class_count)
        self.times = load.classes.count / self.placed  # partitions that one placed partition stands for
        self.replica_keys, self.leader_keys = list(load.per_replica), list(load.per_leader)
        self.replica_weights = np.stack(list(load.per_replica.values()), axis=1) * self.times[:, None]
        self.leader_weights = np.stack(list(load.per_leader.values()), axis=1) * self.times[:, None]

    @cached_property
    def held(self) -> Array:
        """Costs of the replicas of each broker: (placements, brokers, costs)."""
        placement = place_topics(self.layout)
        if placement.seeds * placement.brokers * len(self.placed) <= _KEPT_CELLS:
            return product(_held_counts(self.layout), self.replica_weights)
        total = np.zeros((placement.seeds, placement.brokers, len(self.replica_keys)))
        for group in placement.groups:
            for seed, assignment in enumerate(group.assignment):
                total[seed] += totals(assignment, group.partition_class, self.replica_weights, placement.brokers)
        return total

    @cached_property
    def bearing(self) -> Mapping[str, Array]:
        """What leading a partition of each class costs, by kind: (classes, costs)."""
        return {
            "writing": self.leader_weights,
            "leaders": self.leader_weights[:, [self.leader_keys.index("leaders")]],
            "copies": self.leader_weights[:, [self.leader_keys.index("write")]],
            "missing": self.replica_weights[:, [self.replica_keys.index("refill")]],
        }

    @cached_property
    def led(self) -> tuple[tuple[Mapping[str, Array], ...], ...]:
        """Costs of leading while nobody is lost, by group, placement and kind: (brokers, costs)."""
        return tuple(
            tuple(self._borne(one, group, unharmed(one, group.live_needed)) for one in group.assignment)
            for group in place_topics(self.layout).groups
        )

    def _borne(self, assignment: Integers, group: Group, fate: Fate) -> dict[str, Array]:
        """What the leaders of one placement's partitions bear, by kind: (brokers, costs)."""
        brokers, multiples = self.layout.brokers, fate.multiples
        found = {"moved": self._moved(assignment, group, fate)}
        for name, times in multiples.items():
            if not isinstance(times, float):
                found[name] = totals(fate.leader, group.partition_class, self.bearing[name], brokers, times)
            elif times and name in {"leaders", "copies"} and isinstance(multiples["writing"], float):
                column = self.leader_keys.index("write" if name == "copies" else name)
                found[name] = found["writing"][:, [column]] * times  # they are among the costs of writing
            elif times:
                found[name] = totals(fate.leader, group.partition_class, self.bearing[name], brokers) * times
            else:
                found[name] = np.zeros((brokers, self.bearing[name].shape[1]))
        return found

    @cached_property
    def fullest_volume(self) -> Array:
        """Bytes on the fullest volume of each broker: (placements, brokers)."""
        disk_bytes = self.replica_weights[:, self.replica_keys.index("disk_bytes")]
        placement, volumes = place_topics(self.layout), self.layout.volumes
        total = np.zeros((placement.seeds, placement.brokers * volumes))
        for group, volume in zip(placement.groups, volumes_of(self.layout), strict=True):
            each = np.repeat(disk_bytes[group.partition_class], group.assignment.shape[2])
            for seed, assignment in enumerate(group.assignment):
                total[seed] += np.bincount((assignment * volumes + volume[seed]).ravel(), each, total.shape[1])
        fullest: Array = total.reshape(placement.seeds, placement.brokers, volumes).max(axis=2)
        return fullest

    def after(self, loss: Loss) -> Survivors:
        """Loads per broker after the loss."""
        aftermath = Aftermath(self.layout, loss)
        shape = aftermath.shape
        flowing = self.replica_weights * np.array([key in _FLOWS for key in self.replica_keys])
        few = math.prod(shape) * len(self.placed) <= _KEPT_CELLS
        if few:
            found = _kept_counts(self.layout, loss).times(self.bearing, flowing)
        else:
            found = self._summed(aftermath, flowing)
        held = np.broadcast_to(self.held[None], (*shape, len(self.replica_keys)))
        held = held if found.stuck is None else held - found.stuck
        gone = np.broadcast_to(aftermath.lost[:, None, :], shape)
        led = {name: values if loss.returned else _without(values, gone) for name, values in found.led.items()}
        held = held if loss.returned else _without(held, gone)
        replica = {key: held[..., position] for position, key in enumerate(self.replica_keys)}
        if self.layout.volumes > 1:
            replica["fullest_volume_bytes"] = np.broadcast_to(self.fullest_volume, shape)
        else:
            replica["fullest_volume_bytes"] = replica["disk_bytes"]
        leader = {key: led["writing"][..., position] for position, key in enumerate(self.leader_keys)}
        leader |= {key: led[name][..., 0] for key, name in (("leaders", "leaders"), ("copies", "copies"))}
        leader["feeds"] = led["missing"][..., 0]
        if self.moves_reads:
            leader["consume"] = leader["consume"] + (self._kept_moved(loss) if few else led["moved"][..., 0])
        return Survivors(replica, leader, found.unwritable / self.placed, found.offline / self.placed, ~gone)

    def _summed(self, aftermath: Aftermath, flowing: Array) -> _Sums:
        """The sums for many topics, where counts by class would be mostly zeros: what was led, and what changes."""
        sets, seeds, brokers = aftermath.shape
        led = {}
        for name in (*self.bearing, "moved"):
            whole = [sum(of_group[seed][name] for of_group in self.led) for seed in range(seeds)]
            led[name] = np.repeat(np.stack(whole)[None], sets, axis=0)
        stuck = np.zeros((*aftermath.shape, flowing.shape[1]))
        unwritable, offline = (np.zeros((sets, seeds, len(flowing))) for _ in range(2))
        for hit, now in aftermath.touched:
            group, where = hit.group, (hit.lost_set, hit.seed)
            was = self.led[hit.of_group][hit.seed] if hit.whole else self._borne(group.assignment[0], group, hit.before)
            becomes = self._borne(group.assignment[0], group, now)
            for name, values in led.items():
                values[where] += becomes[name] - was[name]
            refused = ~now.writable
            unwritable[where] += np.bincount(group.partition_class[refused], minlength=len(flowing))
            offline[where] += np.bincount(group.partition_class[now.live == 0], minlength=len(flowing))
            for replica, alive in zip(group.assignment[0].T, now.alive.T, strict=True):
                waiting = refused & alive
                stuck[where] += totals(replica[waiting], group.partition_class[waiting], flowing, brokers)
        # what is left of a difference can be a rounding below nothing
        led = {name: values if name == "moved" else np.maximum(values, 0.0) for name, values in led.items()}
        return _Sums(led, stuck if unwritable.any() else None, unwritable, offline)

    def _kept_moved(self, loss: Loss) -> Array:
        """Change of what each broker sends to consumers, from kept counts: (lost sets, placements, brokers)."""
        moved: Array = sum(_kept_moves(self.layout, loss, zone) @ read for zone, read in enumerate(self.zone_bytes.T))
        return moved

    @cached_property
    def zone_bytes(self) -> Array:
        """Bytes that consumers of each zone read from a partition of each class: (classes, zones)."""
        topics, classes = self.load.topics, self.load.classes
        of_class = topics.consumer_zone_bytes_per_s[classes.topic.astype(np.intp), : len(self.layout.sizes)]
        read: Array = of_class * (classes.share * self.times)[:, None]
        return read

    def _moved(self, assignment: Integers, group: Group, fate: Fate) -> Array:
        """Change of what each broker sends to consumers when they read in their own zone: (brokers, 1)."""
        change = np.zeros(self.layout.brokers)
        if self.moves_reads:
            rack = rack_of_broker(self.layout.sizes)
            racks = rack[assignment], rack[fate.leader]
            for zone, read in enumerate(self.zone_bytes.T):
                near, count, moved = _moves(*racks, fate, zone)
                bytes_per_s = np.where(moved, read[group.partition_class], 0.0)
                change -= np.bincount(fate.leader, bytes_per_s, len(change))
                bytes_per_s /= np.maximum(count, 1)
                for position in range(near.shape[1]):
                    change += np.bincount(assignment[:, position], near[:, position] * bytes_per_s, len(change))
        return change[:, None]


def _without(values: Array, gone: Flags) -> Array:
    """NaN for brokers that are gone."""
    return np.where(gone[..., None], np.nan, values) if gone.any() else values


@lru_cache(maxsize=16)
def _held_counts(layout: Layout) -> Array:
    """Replicas by (placement, broker, class)."""
    placement, classes = place_topics(layout), len(layout.class_count)
    shape = (placement.seeds, placement.brokers, classes)
    offset = np.arange(placement.seeds)[:, None, None] * placement.brokers
    total = np.zeros(math.prod(shape))
    for group in placement.groups:
        index = (group.assignment + offset) * classes + group.partition_class[:, None]
        total += np.bincount(index.ravel(), minlength=total.size)
    return total.reshape(shape)


@lru_cache(maxsize=8)
def volumes_of(layout: Layout) -> tuple[Integers, ...]:
    """Volume of each replica, group by group: topics are created in an order that nobody knows, so in a random one."""
    placement = place_topics(layout)
    generator = np.random.default_rng([layout.volumes, layout.brokers])
    class_topic = np.array(layout.class_topic)
    topic = np.concatenate(
        [np.repeat(class_topic[group.partition_class], group.assignment.shape[2]) for group in placement.groups]
    )
    ends = np.cumsum([group.assignment[0].size for group in placement.groups])
    found: list[Integers] = []
    for seed in range(placement.seeds):
        broker = np.concatenate([group.assignment[seed].ravel() for group in placement.groups])
        created = np.lexsort((generator.random(topic.size), generator.permutation(len(layout.partitions))[topic]))
        volume = np.empty_like(broker)
        volume[created] = volume_of_replica(brokers_of_replicas=broker[created], volumes=layout.volumes)
        found.append(volume)
    parts = np.split(np.array(found), ends[:-1], axis=1)
    return tuple(part.reshape(group.assignment.shape) for part, group in zip(parts, placement.groups, strict=True))


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of the partitions of a group: arrays of (lost sets, placements, partitions)."""

    leader: Integers
    alive: Flags  # (..., RF)
    live: Integers
    writable: Flags
    missing: Integers  # replicas that were lost while another was left

    @property
    def multiples(self) -> dict[str, Array | float]:
        """How many times a leader bears what leading costs, by the kind of cost; a number where it is all the same."""
        whole, written = bool(self.live.all()), bool(self.writable.all())
        even = written and self.live.min(initial=0) == self.live.max(initial=0)
        return {
            "writing": 1.0 if written else self.writable.astype(float),
            # a partition keeps its leader while a replica lives, writable or not
            "leaders": 1.0 if whole else (self.live > 0).astype(float),
            "copies": float(self.live.flat[0]) - 1 if even else self.writable * (self.live - 1.0),
            "missing": self.missing.astype(float) if self.missing.any() else 0.0,
        }


@dataclass(frozen=True)
class Aftermath:
    """A placement, and the sets of brokers that it loses."""

    layout: Layout
    loss: Loss

    @cached_property
    def placement(self) -> Placement:
        """Where replicas are."""
        return place_topics(self.layout)

    @cached_property
    def lost(self) -> Flags:
        """The sets of brokers that are lost."""
        return _lost(self.layout, replace(self.loss, returned=False))

    @property
    def shape(self) -> tuple[int, int, int]:
        """Lost sets, placements, brokers."""
        return (len(self.lost), self.placement.seeds, self.placement.brokers)

    @property
    def offset(self) -> Integers:
        """What to add to a broker's number to tell lost sets and placements apart."""
        sets, seeds, brokers = self.shape
        return np.arange(sets * seeds).reshape(sets, seeds, 1) * brokers

    @cached_property
    def fates(self) -> tuple[tuple[Group, Fate], ...]:
        """Every group with what becomes of it."""
        after = _survived(self.layout, replace(self.loss, returned=False))
        return tuple(
            (group, fate_of(*one, group.live_needed, returned=self.loss.returned))
            for group, one in zip(self.placement.groups, after, strict=True)
        )

    @property
    def touched(self) -> Iterator[tuple[Hit, Fate]]:
        """The partitions that lose a replica, with what becomes of them."""
        for hit in _hits(self.layout, replace(self.loss, returned=False)):
            yield hit, fate_of(*hit.survived, hit.group.live_needed, returned=self.loss.returned)

    def count_classes(self, group: Group, chosen: Flags, classes: int) -> Array:
        """Chosen partitions by (lost set, placement, class)."""
        sets, seeds, _ = self.shape
        cell = np.arange(sets * seeds).reshape(sets, seeds, 1) * classes + group.partition_class
        total: Array = np.bincount(cell.ravel(), chosen.ravel(), sets * seeds * classes).astype(float)
        return total.reshape(sets, seeds, classes)


@lru_cache(maxsize=48)
def _lost(layout: Layout, loss: Loss) -> Flags:
    return lost_sets(place_topics(layout), loss)


Survived: TypeAlias = tuple[Integers, Flags, Integers]


def survived(assignment: Integers, lost: Flags) -> Survived:
    """The leaders, which replicas live, and how many; an axis of lost sets comes before those of the assignment."""
    alive = ~lost[..., assignment]
    live = np.zeros(alive.shape[:-1], dtype=np.intp)
    leader = np.broadcast_to(assignment[..., 0], live.shape)
    for position in reversed(range(assignment.shape[-1])):  # a handful: quicker than reducing along so short an axis
        live += alive[..., position]
        leader = np.where(alive[..., position], assignment[..., position], leader)
    return leader, alive, live


def unharmed(assignment: Integers, live_needed: Integers) -> Fate:
    """Partitions of which no replica is lost: (partitions, RF)."""
    whole = np.ones(assignment.shape, dtype=bool)
    live = np.full(len(assignment), assignment.shape[1])
    return fate_of(assignment[:, 0], whole, live, live_needed, returned=False)


def fate_of(leader: Integers, alive: Flags, live: Integers, live_needed: Integers, *, returned: bool) -> Fate:
    """What becomes of partitions of which these replicas survived, while the lost ones are away or once back."""
    missing = np.zeros_like(live)
    if returned:  # what they refill
        copies = alive.shape[-1]
        missing = np.where(live > 0, copies - live, 0)
        alive, live = np.ones_like(alive), np.full_like(live, copies)
    return Fate(leader, alive, live, live >= live_needed, missing)


@lru_cache(maxsize=4)
def _survived(layout: Layout, loss: Loss) -> tuple[Survived, ...]:
    """For each group who survives; the same while brokers are away and once back."""
    lost = _lost(layout, loss)
    return tuple(survived(group.assignment, lost) for group in place_topics(layout).groups)


@dataclass(frozen=True, slots=True)
class Hit:
    """Partitions of one group in one placement that lose a replica with one set of brokers, and who survives."""

    lost_set: int
    seed: int
    of_group: int
    group: Group
    survived: Survived
    whole: bool  # whether these are all of the group

    @property
    def before(self) -> Fate:
        """What they were."""
        return unharmed(self.group.assignment[0], self.group.live_needed)


@lru_cache(maxsize=1)  # the same while brokers are away and once back, but large
def _hits(layout: Layout, loss: Loss) -> tuple[Hit, ...]:
    """Who is hit by a loss: few where brokers are many."""
    found = []
    for at, lost in enumerate(_lost(layout, loss)):
        for number, group in enumerate(place_topics(layout).groups):
            for seed, assignment in enumerate(group.assignment):
                touched = np.zeros(len(assignment), dtype=bool)
                touched[np.flatnonzero(lost[assignment.ravel()]) // assignment.shape[1]] = True
                if not touched.any():
                    continue
                some = Group(assignment[None, touched], group.partition_class[touched], group.live_needed[touched])
                whole = bool(touched.all())
                found.append(Hit(at, seed, number, some, survived(some.assignment[0], lost), whole))
    return tuple(found)


# what stops flowing into a replica while its partition refuses writes
_FLOWS = frozenset({"write", "disk_write", "iops"})


@dataclass(frozen=True, slots=True)
class _Sums:
    """Costs of leading by kind, of replicas that take no writes, and partitions without writes or leader by class."""

    led: Mapping[str, Array]  # (lost sets, placements, brokers, costs)
    stuck: Array | None
    unwritable: Array  # (lost sets, placements, classes)
    offline: Array


@dataclass(frozen=True, slots=True)
class _Counts:
    """Partitions by (lost set, placement, broker, class): kept because they do not depend on the load."""

    led: Mapping[str, Array]
    stuck: Array | None  # replicas whose partitions refuse writes, only where there are any
    unwritable: Array
    offline: Array

    def times(self, weights: Mapping[str, Array], flowing: Array) -> _Sums:
        """Counts times weights."""
        led = {name: product(counts, weights[name]) for name, counts in self.led.items()}
        return _Sums(led, None if self.stuck is None else product(self.stuck, flowing), self.unwritable, self.offline)


@lru_cache(maxsize=48)
def _kept_counts(layout: Layout, loss: Loss) -> _Counts:
    """Who leads what after the loss, and what takes no writes."""
    after, classes = Aftermath(layout, loss), len(layout.class_count)
    shape = (*after.shape, classes)
    led: dict[str, Array] = {}
    stuck: Array | None = None
    unwritable, offline = (np.zeros((*shape[:2], classes)) for _ in range(2))
    for group, fate in after.fates:
        index = ((fate.leader + after.offset) * classes + group.partition_class).ravel()
        each: Array = np.bincount(index, minlength=math.prod(shape)).astype(float).reshape(shape)
        for name, times in fate.multiples.items():
            if isinstance(times, float):
                counted = each if times == 1.0 else each * times
            else:
                counted = np.bincount(index, times.ravel(), each.size).astype(float).reshape(shape)
            led[name] = counted + led[name] if name in led else counted
        if not fate.writable.all():
            placed = (group.assignment[None] + after.offset[..., None]) * classes + group.partition_class[:, None]
            chosen = placed[fate.alive & ~fate.writable[..., None]]
            refused: Array = np.bincount(chosen, minlength=math.prod(shape)).astype(float).reshape(shape)
            stuck = refused if stuck is None else stuck + refused
            unwritable += after.count_classes(group, ~fate.writable, classes)
            offline += after.count_classes(group, fate.live == 0, classes)
    return _Counts(led, stuck, unwritable, offline)


def _moves(rack: Integers, leader_rack: Integers, fate: Fate, zone: int) -> tuple[Flags, Integers, Flags]:
    """KIP-392: a member reads from the leader if that is in its zone, else from a live replica in its zone.

    Which replicas live in the zone, how many of each partition, and whether the zone's reads leave the leader for them.
    """
    near = (rack == zone) & fate.alive
    count = np.zeros(near.shape[:-1], dtype=np.intp)
    for position in range(near.shape[-1]):
        count += near[..., position]
    return near, count, fate.writable & (leader_rack != zone) & (count > 0)


@lru_cache(maxsize=48)
def _kept_moves(layout: Layout, loss: Loss, zone: int) -> Array:
    """The same by (lost set, placement, broker, class) for reads of 1, kept because it does not depend on the load."""
    after, classes = Aftermath(layout, loss), len(layout.class_count)
    shape = (*after.shape, classes)
    change = np.zeros(math.prod(shape))
    rack = rack_of_broker(layout.sizes)
    for group, fate in after.fates:
        near, count, leaves = _moves(rack[group.assignment], rack[fate.leader], fate, zone)
        moved = leaves.astype(float)
        share = near * (moved / np.maximum(count, 1))[..., None]
        from_leader = (fate.leader + after.offset) * classes + group.partition_class
        to_replica = (group.assignment[None] + after.offset[..., None]) * classes + group.partition_class[:, None]
        change -= np.bincount(from_leader.ravel(), moved.ravel(), change.size)
        change += np.bincount(to_replica.ravel(), share.ravel(), change.size)
    return change.reshape(shape)
