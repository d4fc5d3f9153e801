"""Where Kafka puts replicas: its striped placer, simulated.

Follows the behaviour of `StripedReplicaPlacer` (Kafka 3.3 to 4.3, KRaft): racks round-robin from a random start,
brokers of a rack round-robin, both shuffled after every B partitions; the first replica is the preferred leader. Sizes
and loads are never looked at.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from planner.model.types import Numeric
from planner.trace import formula

Integers: TypeAlias = npt.NDArray[np.intp]


def rack_sizes(brokers: int, racks: int) -> tuple[int, ...]:
    """Brokers per rack, as even as possible, the larger racks first.

    Parameters
    ----------
    brokers
        Brokers in the cluster [count], >= 1.
    racks
        Racks (availability zones); 1 also stands for brokers without racks [count], >= 1.

    Returns
    -------
    tuple[int, ...]
        Brokers of each rack; no rack is empty [count].

    Assumptions
    -----------
    Whoever adds brokers adds them to the smallest rack.

    Validity
    --------
    Any.

    Examples
    --------
    >>> rack_sizes(brokers=7, racks=3)
    (3, 2, 2)
    >>> rack_sizes(brokers=2, racks=3)
    (1, 1)

    References
    ----------
    arithmetic
    """
    racks = min(racks, brokers)
    return tuple(brokers // racks + (rack < brokers % racks) for rack in range(racks))


def rack_of_broker(sizes: tuple[int, ...]) -> Integers:
    """The rack of each broker; brokers are numbered rack by rack.

    Parameters
    ----------
    sizes
        Brokers per rack [count], each >= 1.

    Returns
    -------
    Integers
        Index of each broker's rack, shape (brokers,) [-].

    Assumptions
    -----------
    None: a numbering.

    Validity
    --------
    Any.

    Examples
    --------
    >>> rack_of_broker(sizes=(3, 2, 2)).tolist()
    [0, 0, 0, 1, 1, 2, 2]

    References
    ----------
    arithmetic
    """
    return np.repeat(np.arange(len(sizes)), sizes)


def leader_concentration(brokers: int, racks: int, replication_factor: int) -> int:
    """How many times its fair share of a run of B partitions a broker may lead: g = gcd(B/A, min(A, RF)).

    Parameters
    ----------
    brokers
        Brokers in the cluster, B [count], >= 1.
    racks
        Racks (availability zones), A; 1 also stands for brokers without racks [count], >= 1.
    replication_factor
        Replicas of each partition, leader included [count], 1 to the number of brokers.

    Returns
    -------
    int
        Leaders of the busiest broker in a run, over its share: B/g brokers lead g partitions each [ratio].

    Assumptions
    -----------
    The rack moves on by one with each partition and the broker in it with each use of the rack, min(A, RF) times in a
    turn, so the leaders of a rack visit only every g-th of its B/A brokers.

    Validity
    --------
    Runs between two shuffles. Unequal racks have no closed form: 1 is returned, and the simulation tells. Many runs
    average out.

    Examples
    --------
    >>> [leader_concentration(brokers=brokers, racks=3, replication_factor=3) for brokers in (6, 9, 12, 15, 18)]
    [1, 3, 1, 1, 3]

    References
    ----------
    kafka-4.3-source, kafka-4.3-measured
    """
    racks = min(racks, brokers)
    if brokers % racks:
        return 1
    return math.gcd(brokers // racks, min(racks, replication_factor))


def counts_without_concentration(
    brokers: int, racks: int, replication_factors: Collection[int]
) -> tuple[int | None, int]:
    """The nearest broker counts, below and above, that spread the leaders of every topic over equal racks.

    Parameters
    ----------
    brokers
        Brokers in the cluster [count], >= 1.
    racks
        Racks (availability zones); 1 also stands for brokers without racks [count], >= 1.
    replication_factors
        Replicas of a partition, leader included, of each kind of topic [count], each >= 1.

    Returns
    -------
    tuple[int | None, int]
        Nearest lower count, None where no lower one holds the replicas, and nearest higher count [count].

    Assumptions
    -----------
    As `leader_concentration`.

    Validity
    --------
    Any.

    Examples
    --------
    >>> counts_without_concentration(brokers=9, racks=3, replication_factors=[3])
    (6, 12)
    >>> counts_without_concentration(brokers=3, racks=3, replication_factors=[2, 3])
    (None, 15)

    References
    ----------
    kafka-4.3-source
    """

    def even(count: int) -> bool:
        return all(
            count >= copies and leader_concentration(count, racks, copies) == 1 for copies in replication_factors
        )

    whole = brokers // racks * racks
    below = range(whole if whole < brokers else whole - racks, 0, -racks)
    above = itertools.count(whole + racks, racks)
    return next(filter(even, below), None), next(filter(even, above))


@lru_cache(maxsize=256)
def _template(rows: int, racks: int, replication_factor: int) -> tuple[Integers, Integers]:
    """For each partition of a round: position of each replica's rack, and how often that rack was used before."""
    rack = (np.arange(rows)[:, None] + np.arange(replication_factor)[None, :]) % racks
    used = np.zeros((rows, racks), dtype=np.intp)
    used[np.arange(rows)[:, None], rack] = 1
    before = used.cumsum(axis=0) - used
    turn = before[np.arange(rows)[:, None], rack] + np.arange(replication_factor)[None, :] // racks
    return rack, turn


def place(
    partitions: Integers,
    sizes: tuple[int, ...],
    replication_factor: int,
    generator: np.random.Generator,
) -> Integers:
    """Replicas of every partition of several topics of one replication factor, topic after topic.

    Parameters
    ----------
    partitions
        Partitions of each topic, at least one topic [count], each >= 1.
    sizes
        Brokers per rack [count], each >= 1.
    replication_factor
        Replicas of each partition, leader included [count], 1 to the number of brokers.
    generator
        Source of randomness; the same state gives the same assignment [-].

    Returns
    -------
    Integers
        Broker of each replica, shape (sum of partitions, replication_factor), preferred leader first [-].

    Assumptions
    -----------
    Each topic is created by one request while every broker is up.

    Validity
    --------
    Brokers with fenced peers, partitions added later and reassignments are placed otherwise.

    Examples
    --------
    >>> assignment = place(
    ...     partitions=np.array([6, 2]),
    ...     sizes=(2, 2, 2),
    ...     replication_factor=3,
    ...     generator=np.random.default_rng(1),
    ... )
    >>> assignment.shape
    (8, 3)
    >>> sorted(assignment[:6, 0].tolist())
    [0, 1, 2, 3, 4, 5]

    References
    ----------
    kafka-4.3-source
    """
    brokers, racks = sum(sizes), len(sizes)
    rounds = -(-partitions // brokers)
    first = np.zeros(int(rounds.sum()), dtype=bool)
    first[np.concatenate(([0], rounds.cumsum()[:-1]))] = True
    drawn = _draws(first, sizes, generator)
    if placed_one_by_one(sizes, replication_factor):
        return _place_one_by_one(partitions, sizes, replication_factor, *_orders(first, sizes, drawn))
    rows = int(min(brokers, partitions.max()))
    rack_position, turn = _template(rows, racks, replication_factor)
    rack_order, start, shuffled = drawn
    rack = np.take(rack_order, rack_position, axis=1)
    equal = len(set(sizes)) == 1  # then the same for all, which is quicker
    length: Integers = np.asarray(sizes[:1]) if equal else np.asarray(sizes)[rack]
    broker = np.take_along_axis(start, rack.reshape(first.size, -1), axis=1).reshape(rack.shape)
    broker += turn
    broker %= length
    later = np.flatnonzero(~first)
    if later.size:
        at = np.arange(later.size)[:, None, None]
        broker[later] = shuffled[at, rack[later], turn % (length if equal else length[later])]
    begins: Integers = np.cumsum(sizes) - np.asarray(sizes)
    broker += rack * sizes[0] if equal else begins[rack]
    # the last round of a topic is used only as far as its partitions go
    offset_in_topic = (np.arange(first.size) - np.repeat(rounds.cumsum() - rounds, rounds)) * brokers
    left = np.repeat(partitions, rounds) - offset_in_topic
    keep = np.arange(rows)[None, :] < left[:, None]
    assignment: Integers = broker[keep]
    return assignment


def placed_one_by_one(sizes: tuple[int, ...], replication_factor: int) -> bool:
    """Whether a rack may run out of brokers within one partition, so that no template tells who comes next.

    Parameters
    ----------
    sizes
        Brokers per rack [count], each >= 1.
    replication_factor
        Replicas per partition [count], >= 1.

    Returns
    -------
    bool
        True where placing takes a step per partition [bool].

    Assumptions
    -----------
    Every broker is unfenced.

    Validity
    --------
    As `place`.

    Examples
    --------
    >>> placed_one_by_one(sizes=(2, 1), replication_factor=3), placed_one_by_one(sizes=(3, 3, 3), replication_factor=3)
    (True, False)

    References
    ----------
    kafka-4.3-source
    """
    brokers, racks = sum(sizes), len(sizes)
    # Kafka numbers partitions anew after a shuffle and tells by the number whether a rack is still at the same one. A
    # rack rests for A - RF partitions at most: with no more brokers than this it can rest from a number to that number.
    counts_on = 1 < brokers <= 2 * (racks - replication_factor) + 1
    return counts_on or (replication_factor > racks and len(set(sizes)) > 1)


def _draws(
    first: npt.NDArray[np.bool_], sizes: tuple[int, ...], generator: np.random.Generator
) -> tuple[Integers, Integers, Integers]:
    """What is random: order of racks per round, first broker per round and rack, order of brokers in later rounds.

    A topic's first round takes racks and brokers in a row, later ones are shuffled. Beyond the brokers of a small rack
    its order says nothing.
    """
    racks, longest = len(sizes), max(sizes)
    rack_order = (np.arange(racks)[None, :] + generator.integers(racks, size=(first.size, 1))) % racks
    start = (generator.random((first.size, racks)) * np.asarray(sizes)).astype(np.intp)
    later = np.flatnonzero(~first)
    rack_order[later] = np.argsort(generator.random((later.size, racks)), axis=1)
    keys = generator.random((later.size, racks, longest))
    absent = np.arange(longest)[None, :] >= np.asarray(sizes)[:, None]
    keys[:, absent] = 2.0  # beyond any random key, so the places a small rack lacks sort to the end
    return rack_order, start, np.argsort(keys, axis=2)


def _orders(
    first: npt.NDArray[np.bool_], sizes: tuple[int, ...], drawn: tuple[Integers, Integers, Integers]
) -> tuple[Integers, Integers]:
    """Order of racks, and of the brokers in each rack, per round."""
    rack_order, start, shuffled = drawn
    broker_order = (np.arange(max(sizes))[None, None, :] + start[:, :, None]) % np.asarray(sizes)[None, :, None]
    broker_order[~first] = shuffled
    return rack_order, broker_order


@dataclass(slots=True)
class _Rack:
    """Brokers of a rack in their order, where the last partition began, its number, and how many it took."""

    brokers: list[int]
    start: int = -1
    number: int = -1
    taken: int = 0

    def take(self, number: int) -> int | None:
        """The next broker for the partition of this number; None when none is left."""
        if number != self.number:
            self.number, self.start, self.taken = number, self.start + 1, 0
        if self.taken == len(self.brokers):
            return None
        self.taken += 1
        return self.brokers[(self.start + self.taken - 1) % len(self.brokers)]


def _place_one_by_one(
    partitions: Integers,
    sizes: tuple[int, ...],
    replication_factor: int,
    rack_order: Integers,
    broker_order: Integers,
) -> Integers:
    """The placer step by step, for racks that run out of brokers within a partition or count on through a shuffle."""
    begins = np.cumsum(sizes) - sizes
    orders = zip(rack_order.tolist(), (broker_order + begins[:, None]).tolist(), strict=True)
    assignment: list[list[int]] = []
    for count in partitions.tolist():
        racks = [_Rack([]) for _ in sizes]
        for partition in range(count):
            number = partition % sum(sizes)
            if number == 0:
                order, brokers = next(orders)
                for rack, size, members in zip(racks, sizes, brokers, strict=True):
                    rack.brokers, rack.start = members[:size], -1
            turns = (racks[order[position % len(order)]].take(number) for position in itertools.count(number))
            found = (broker for broker in turns if broker is not None)
            assignment.append(list(itertools.islice(found, replication_factor)))
    return np.asarray(assignment, dtype=np.intp)


def volume_of_replica(*, brokers_of_replicas: Integers, volumes: int) -> Integers:
    """Volume (log directory) that each new replica goes to: the one with the fewest partitions, sizes never looked at.

    Parameters
    ----------
    brokers_of_replicas
        Broker of each replica, in the order of their creation, shape (replicas,) [-].
    volumes
        Volumes of each broker [count], >= 1.

    Returns
    -------
    Integers
        Number of the volume on its broker, from 0, shape (replicas,) [-].

    Assumptions
    -----------
    Nothing is deleted, so the fewest partitions are always on the next volume in turn.

    Validity
    --------
    No volume was added, lost or cordoned since, and nothing was moved between volumes.

    Examples
    --------
    >>> volume_of_replica(brokers_of_replicas=np.array([0, 0, 1, 0, 1]), volumes=2).tolist()
    [0, 1, 0, 0, 1]

    References
    ----------
    kafka-4.3-source
    """
    order = np.argsort(brokers_of_replicas, kind="stable")
    sorted_brokers = brokers_of_replicas[order]
    earlier = np.searchsorted(sorted_brokers, sorted_brokers)  # replicas on brokers of a smaller number
    volume = np.empty(len(order), dtype=np.intp)
    volume[order] = (np.arange(len(order)) - earlier) % volumes
    return volume


def peer_counts(*, assignments: Sequence[Integers], brokers: int) -> Integers:
    """With how many other brokers each one shares at least one partition.

    Parameters
    ----------
    assignments
        Replicas of the partitions of each replication factor, each of shape (partitions, replication factor) [-].
    brokers
        Brokers in the cluster [count], >= 1.

    Returns
    -------
    Integers
        Peers of each broker, shape (brokers,) [count].

    Assumptions
    -----------
    None: counting.

    Validity
    --------
    Any.

    Examples
    --------
    >>> peer_counts(assignments=[np.array([[0, 1], [0, 2], [2, 0]])], brokers=4).tolist()
    [2, 1, 1, 0]

    References
    ----------
    arithmetic
    """
    together = np.zeros((brokers, brokers), dtype=bool)
    for assignment in assignments:
        for one, other in itertools.permutations(range(assignment.shape[1]), 2):
            together[assignment[:, one], assignment[:, other]] = True
    counts: Integers = together.sum(axis=1)
    return counts


@formula(
    "(brokers - brokers_per_rack) * (1 - (1 - min(replication_factor * (replication_factor - 1) "
    "/ max(brokers * (brokers - brokers_per_rack), 1), 1)) ** partitions)",
    unit="count",
    source="arithmetic",
)
def random_peers(
    *, brokers: Numeric, brokers_per_rack: Numeric, replication_factor: Numeric, partitions: Numeric
) -> Numeric:
    """Brokers with which one shares a partition, expected if each partition took random brokers of distinct racks.

    Parameters
    ----------
    brokers
        Brokers in the cluster [count], >= 1.
    brokers_per_rack
        Brokers of each rack; 1 for brokers without racks [count], >= 1.
    replication_factor
        Replicas of each partition [count], 1 to the number of racks.
    partitions
        Partitions in the cluster [count], >= 0.

    Returns
    -------
    Numeric
        Peers of a broker [count].

    Assumptions
    -----------
    Partitions are independent, racks are equal. A pair in two racks is chosen RF(RF-1) times in B(B-B/A).

    Validity
    --------
    What random placement would reach. Kafka's placer steps through the racks in parallel, so that in a run of B
    partitions the same brokers meet again and again: few large topics have fewer peers than this.

    Examples
    --------
    >>> round(float(random_peers(brokers=9, brokers_per_rack=3, replication_factor=3, partitions=9)), 3)
    3.921

    References
    ----------
    arithmetic
    """
    others = brokers - brokers_per_rack
    pairs = np.maximum(brokers * others, 1)
    met = np.minimum(replication_factor * (replication_factor - 1) / pairs, 1)
    return others * (1 - (1 - met) ** partitions)
