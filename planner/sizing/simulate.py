"""Loads of every broker from simulated placements: who leads what after whom is lost, and how full the fullest is."""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from planner.model.placement import Integers, place, placed_one_by_one, rack_of_broker, rack_sizes
from planner.model.types import Array
from planner.sizing.loads import PartitionClasses, TopicArrays

# work limits that keep a plan in milliseconds; small clusters get more placements, huge ones average out by themselves
_PLACED_REPLICAS = 16_000
_LOST_REPLICAS = 400_000
_SEEDS = 8
_LOST_SETS = 64
_MOST_REPLICAS = 700_000  # placed at most
_MOST_STEPS = 50_000  # placed at most where each takes a step of its own
_KEPT_CELLS = 500_000  # counts by broker and class beyond this are neither made nor kept


@dataclass(frozen=True, slots=True)
class Layout:
    """All that decides where replicas land: partition counts, copies and racks, but no load."""

    brokers: int
    zones: int
    partitions: tuple[int, ...]
    replication_factor: tuple[int, ...]
    live_needed: tuple[int, ...]
    class_topic: tuple[int, ...]
    class_count: tuple[int, ...]

    @property
    def replicas(self) -> int:
        """Replicas of all topics."""
        return sum(map(operator.mul, self.partitions, self.replication_factor))


@dataclass(frozen=True, slots=True)
class Loss:
    """Who is lost, and whether they have returned."""

    brokers: int = 0
    zones: int = 0
    returned: bool = False


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


def layout_of(topics: TopicArrays, classes: PartitionClasses, brokers: int, zones: int) -> Layout:
    """The layout behind a load; beyond a size that no cluster has, one placed partition stands for several."""

    def whole(values: Array) -> tuple[int, ...]:
        return tuple(values.astype(int).tolist())

    sizes = rack_sizes(brokers, zones)
    stepwise = any(placed_one_by_one(sizes, int(copies)) for copies in np.unique(topics.replication_factor))
    most = _MOST_STEPS if stepwise else _MOST_REPLICAS
    thin = min(1.0, most / max(float(topics.partitions @ topics.replication_factor), 1.0))
    of_class = np.ceil(classes.count * thin)
    return Layout(
        brokers,
        zones,
        whole(np.bincount(classes.topic.astype(np.intp), of_class, len(topics.partitions)).astype(float)),
        whole(topics.replication_factor),
        whole(topics.live_needed),
        whole(classes.topic),
        whole(of_class),
    )


@lru_cache(maxsize=16)
def place_topics(layout: Layout) -> Placement:
    """Place every topic as Kafka would, several times with fixed seeds."""
    sizes = rack_sizes(layout.brokers, layout.zones)
    factor, partitions = np.array(layout.replication_factor), np.array(layout.partitions)
    seeds = max(1, min(_SEEDS, _PLACED_REPLICAS // max(layout.replicas, 1)))
    class_topic, class_count = np.array(layout.class_topic), np.array(layout.class_count)
    groups = []
    for copies in np.unique(factor):
        chosen = np.flatnonzero(factor == copies)
        generator = np.random.default_rng([int(copies), layout.brokers])
        placed = place(np.tile(partitions[chosen], seeds), sizes, int(copies), generator)
        of_class = np.flatnonzero(factor[class_topic] == copies)
        partition_class = np.repeat(of_class, class_count[of_class])
        needed = np.array(layout.live_needed)[class_topic[partition_class]]
        groups.append(Group(placed.reshape(seeds, -1, int(copies)), partition_class, needed))
    return Placement(layout.brokers, sizes, seeds, layout.replicas, tuple(groups))


def lost_sets(placement: Placement, loss: Loss) -> npt.NDArray[np.bool_]:
    """Sets of brokers to lose, shape (sets, brokers): every single broker or zone, else a seeded sample of sets."""
    brokers = placement.brokers
    most = max(2, min(_LOST_SETS, _LOST_REPLICAS // max(placement.replicas * placement.seeds, 1)))
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


@dataclass(frozen=True, slots=True)
class Survivors:
    """Loads per broker after a loss; arrays are (lost sets, placements, brokers), NaN on lost brokers."""

    replica: Mapping[str, Array]
    leader: Mapping[str, Array]
    unwritable: Array  # (lost sets, placements, classes): share of the class's partitions
    offline: Array
    stayed: npt.NDArray[np.bool_]  # (lost sets, placements, brokers)


def replica_loads(topics: TopicArrays, classes: PartitionClasses) -> dict[str, Array]:
    """What one replica costs its broker, per class."""
    topic = classes.topic.astype(np.intp)
    return {
        "write": topics.produce_in_bytes_per_s[topic] * classes.share,
        "disk_bytes": classes.disk_bytes_worst,
        "disk_bytes_average": classes.disk_bytes,
        "refill": classes.refill_bytes,
        "disk_write": classes.disk_write_bytes_per_s,
        "disk_read": classes.disk_read_bytes_per_s,
        "iops": classes.disk_iops,
        "segments": classes.live_segments,
        "deleted_segments": classes.deleted_segments,
        "producers": classes.producer_entries,
        "replicas": np.ones(len(topic)),
    }


def leader_loads(topics: TopicArrays, classes: PartitionClasses) -> dict[str, Array]:
    """What leading one partition costs its broker, per class, beyond being a replica of it."""
    topic = classes.topic.astype(np.intp)
    return {
        "write": topics.produce_in_bytes_per_s[topic] * classes.share,
        "consume": topics.consumer_out_bytes_per_s[topic] * classes.share,
        "other_out": (topics.tier_out_bytes_per_s + topics.mirror_out_bytes_per_s)[topic] * classes.share,
        "produce_requests": topics.produce_requests_per_s[topic] * classes.share,
        "consumer_requests": topics.consumer_requests_per_s[topic] * classes.share,
        "lagging_read": topics.disk_read_bytes_per_s[topic] * classes.share,
        "leaders": np.ones(len(topic)),
    }


def survivors(
    topics: TopicArrays, classes: PartitionClasses, layout: Layout, loss: Loss, *, fetch_from_follower: bool
) -> Survivors:
    """Loads of the live brokers while the replicas on the lost ones wait; or of all, once the lost ones returned.

    A returned broker is in sync again and leads nothing until the preferred election.
    """
    after = _aftermath(layout, loss)
    placed = np.array(layout.class_count)
    times = classes.count / placed  # partitions that one placed partition stands for
    weights = (
        {key: value * times for key, value in replica_loads(topics, classes).items()},
        {key: value * times for key, value in leader_loads(topics, classes).items()},
    )
    if math.prod(after.shape) * len(classes.count) <= _KEPT_CELLS:
        counts = _kept_counts(layout, loss)
        (replica, leaders), unwritable, offline = counts.loads(*weights), counts.unwritable, counts.offline
    else:
        replica, leaders, unwritable, offline = _summed(after, *weights)
    if fetch_from_follower and len(after.placement.sizes) > 1:
        leaders["consume"] = leaders["consume"] + _moved_reads(
            after, topics, classes.topic.astype(np.intp), classes.share * times
        )
    gone = np.broadcast_to(after.lost[:, None, :], after.shape)
    if not loss.returned:
        replica = {key: np.where(gone, np.nan, total) for key, total in replica.items()}
        leaders = {key: np.where(gone, np.nan, total) for key, total in leaders.items()}
    return Survivors(replica, leaders, unwritable / placed, offline / placed, ~gone)


@dataclass(frozen=True, slots=True)
class Aftermath:
    """A placement, and the sets of brokers that it loses."""

    placement: Placement
    lost: npt.NDArray[np.bool_]
    returned: bool

    @property
    def shape(self) -> tuple[int, int, int]:
        """Lost sets, placements, brokers."""
        return (len(self.lost), self.placement.seeds, self.placement.brokers)

    @property
    def offset(self) -> Integers:
        """What to add to a broker's number to tell lost sets and placements apart."""
        sets, seeds, brokers = self.shape
        return np.arange(sets * seeds).reshape(sets, seeds, 1) * brokers

    def fate(self, group: Group) -> tuple[Integers, npt.NDArray[np.bool_], Integers, npt.NDArray[np.bool_]]:
        """Leader of each partition, which replicas are live, how many, and whether writes are taken."""
        alive = ~self.lost[:, group.assignment]
        leader = np.take_along_axis(group.assignment[None], alive.argmax(axis=-1)[..., None], axis=-1)[..., 0]
        if self.returned:
            alive = np.ones_like(alive)
        live = alive.sum(axis=-1)
        return leader, alive, live, live >= group.live_needed

    def sum(self, index: Integers, weights: Array) -> Array:
        """Sum `weights` by (lost set, placement, broker)."""
        flat = np.ascontiguousarray(np.broadcast_to(weights, index.shape)).ravel()
        total: Array = np.bincount(index.ravel(), flat, math.prod(self.shape)).astype(float)
        return total.reshape(self.shape)

    def count_classes(self, group: Group, chosen: npt.NDArray[np.bool_], classes: int) -> Array:
        """Chosen partitions by (lost set, placement, class)."""
        sets, seeds, _ = self.shape
        cell = np.arange(sets * seeds).reshape(sets, seeds, 1) * classes + group.partition_class
        total: Array = np.bincount(cell.ravel(), chosen.ravel(), sets * seeds * classes).astype(float)
        return total.reshape(sets, seeds, classes)


def _aftermath(layout: Layout, loss: Loss) -> Aftermath:
    placement = place_topics(layout)
    return Aftermath(placement, lost_sets(placement, loss), loss.returned)


@lru_cache(maxsize=48)
def _kept_counts(layout: Layout, loss: Loss) -> _Tally:
    """Who holds and leads what after the loss, kept because it does not depend on the load."""
    after = _aftermath(layout, loss)
    tally = _Tally(after, len(layout.class_count))
    for group in after.placement.groups:
        tally.add(group)
    return tally


# a partition keeps its leader while a replica lives, writable or not
_LED = frozenset({"leaders"})
# what stops flowing into a replica while its partition refuses writes
_FLOWS = frozenset({"write", "disk_write", "iops"})


def _summed(
    after: Aftermath, per_replica: Mapping[str, Array], per_leader: Mapping[str, Array]
) -> tuple[dict[str, Array], dict[str, Array], Array, Array]:
    """Loads without counting classes first: for many topics, where counts by class would be mostly zeros."""
    classes = len(per_replica["write"])
    replica = {key: np.zeros(after.shape) for key in per_replica}
    leader = {key: np.zeros(after.shape) for key in (*per_leader, "copies")}
    unwritable, offline = (np.zeros((*after.shape[:2], classes)) for _ in range(2))
    for group in after.placement.groups:
        led, alive, live, writable = after.fate(group)
        index, blocked = led + after.offset, not writable.all()
        placed = group.assignment[None] + after.offset[:, :, :, None]
        flowing = (alive & writable[..., None]).astype(float) if blocked else 1.0
        for key, per_class in per_replica.items():
            weight = per_class[group.partition_class][:, None]
            replica[key] += after.sum(placed, weight * flowing if key in _FLOWS else weight)
        for key, per_class in per_leader.items():
            leader[key] += after.sum(index, per_class[group.partition_class] * (live > 0 if key in _LED else writable))
        leader["copies"] += after.sum(index, per_leader["write"][group.partition_class] * writable * (live - 1.0))
        if blocked:
            unwritable += after.count_classes(group, ~writable, classes)
            offline += after.count_classes(group, live == 0, classes)
    return replica, leader, unwritable, offline


class _Tally:
    """Counts replicas and leaders of each partition class on each broker; loads are these counts times weights."""

    def __init__(self, after: Aftermath, classes: int) -> None:
        self.after, self.classes = after, classes
        shape = after.shape
        self.replicas = np.zeros((1, *shape[1:], classes))
        self.blocked: Array | None = None  # replicas whose partitions refuse writes, only where there are any
        self.leaders = np.zeros((*shape, classes))
        self.writing = np.zeros((*shape, classes))
        self.copies = np.zeros((*shape, classes))
        self.unwritable = np.zeros((*shape[:2], classes))
        self.offline = np.zeros((*shape[:2], classes))

    def _by_class(self, index: Integers, classes: Integers, weights: Array | None = None) -> Array:
        """Sum `weights` (ones when not given) by (lost set, placement, broker, class)."""
        flat = None if weights is None else weights.ravel()
        shape = (*self.after.shape, self.classes)
        return (
            np.bincount((index * self.classes + classes).ravel(), flat, math.prod(shape)).reshape(shape).astype(float)
        )

    def add(self, group: Group) -> None:
        """Count one group of partitions."""
        leader, alive, live, writable = self.after.fate(group)
        classes = group.partition_class
        placed = (group.assignment + self.after.offset[:1, :, :, None]) * self.classes + classes[:, None]
        self.replicas[0] += np.bincount(placed.ravel(), minlength=self.replicas.size).reshape(self.replicas.shape[1:])
        index = leader + self.after.offset
        if writable.all():
            led = self._by_class(index, classes)
            self.leaders += led
            self.writing += led
        else:
            self._add_blocked(group, index, alive, live, writable)
        self.copies += self._by_class(index, classes, writable * (live - 1.0))

    def _add_blocked(
        self,
        group: Group,
        index: Integers,
        alive: npt.NDArray[np.bool_],
        live: Integers,
        writable: npt.NDArray[np.bool_],
    ) -> None:
        classes = group.partition_class
        self.leaders += self._by_class(index, classes, (live > 0).astype(float))
        self.writing += self._by_class(index, classes, writable.astype(float))
        stuck = (alive & ~writable[..., None]).astype(float)
        placed = np.broadcast_to(group.assignment[None] + self.after.offset[..., None], stuck.shape)
        counted = self._by_class(placed, classes[:, None], stuck)
        self.blocked = counted if self.blocked is None else self.blocked + counted
        self.unwritable += self.after.count_classes(group, ~writable, self.classes)
        self.offline += self.after.count_classes(group, live == 0, self.classes)

    def loads(
        self, per_replica: Mapping[str, Array], per_leader: Mapping[str, Array]
    ) -> tuple[dict[str, Array], dict[str, Array]]:
        """Counts times weights, by name."""
        replica_weights = np.stack(list(per_replica.values()), axis=1)
        leader_weights = np.stack(list(per_leader.values()), axis=1)
        held = np.broadcast_to(self.replicas @ replica_weights, (*self.after.shape, len(per_replica)))
        if self.blocked is not None:
            flowing = np.array([key in _FLOWS for key in per_replica])
            held = held - self.blocked @ (replica_weights * flowing)
        led = self.writing @ leader_weights
        replica = {key: held[..., position] for position, key in enumerate(per_replica)}
        leader = {key: led[..., position] for position, key in enumerate(per_leader)}
        leader["leaders"] = self.leaders @ per_leader["leaders"]
        leader["copies"] = self.copies @ per_leader["write"]
        return replica, leader


def _moved_reads(after: Aftermath, topics: TopicArrays, class_topic: Integers, class_share: Array) -> Array:
    """KIP-392: a member reads from the leader if that is in its zone, else from a live replica in its zone.

    Returned is the change of the bytes that each broker sends to consumers.
    """
    sizes = after.placement.sizes
    rack = rack_of_broker(sizes)
    change = np.zeros(after.shape)
    for group in after.placement.groups:
        leader, alive, _, writable = after.fate(group)
        index = group.assignment[None] + after.offset[..., None]
        topic = class_topic[group.partition_class]
        zone_bytes = topics.consumer_zone_bytes_per_s[topic] * class_share[group.partition_class][:, None]
        for zone in range(min(zone_bytes.shape[1], len(sizes))):
            near = (rack[group.assignment] == zone)[None] & alive
            count = near.sum(axis=-1)
            moved = zone_bytes[:, zone] * writable * ((rack[leader] != zone) & (count > 0))
            change -= after.sum(leader + after.offset, moved)
            change += after.sum(index, near * (moved / np.maximum(count, 1))[..., None])
    return change
