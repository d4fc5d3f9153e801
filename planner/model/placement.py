"""Where Kafka puts replicas: its striped placer, simulated.

Follows the behaviour of `StripedReplicaPlacer` (Kafka 3.3 to 4.3, KRaft): racks round-robin from a random start, brokers
of a rack round-robin, both shuffled after every B partitions; the first replica is the preferred leader. Sizes and
loads are never looked at.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Integers: TypeAlias = npt.NDArray[np.intp]


def rack_sizes(brokers: int, racks: int) -> tuple[int, ...]:
    """Brokers per rack, as even as possible, the larger racks first."""
    racks = min(racks, brokers)
    return tuple(brokers // racks + (rack < brokers % racks) for rack in range(racks))


def rack_of_broker(sizes: tuple[int, ...]) -> Integers:
    """The rack of each broker; brokers are numbered rack by rack."""
    return np.repeat(np.arange(len(sizes)), sizes)


def leader_concentration(brokers: int, racks: int, replication_factor: int) -> int:
    """How many times its fair share of a topic's leaders a broker may get: g = gcd(B/A, min(A, RF)) for equal racks.

    A run of B partitions has only B/g different leaders. 1 is even. Unequal racks have no closed form: 1 is returned,
    and the simulation tells.

    >>> [leader_concentration(brokers, 3, 3) for brokers in (6, 9, 12, 15, 18)]
    [1, 3, 1, 1, 3]
    """
    racks = min(racks, brokers)
    if racks <= 1 or brokers % racks:
        return 1
    return math.gcd(brokers // racks, min(racks, replication_factor))


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
        Partitions of each topic, each >= 1.
    sizes
        Brokers per rack.
    replication_factor
        Replicas per partition, 1 to the number of brokers.
    generator
        Source of randomness; the same state gives the same assignment.

    Returns
    -------
    Integers
        Broker of each replica, shape (sum of partitions, replication_factor), preferred leader first.
    """
    if replication_factor > len(sizes) and (len(set(sizes)) > 1 or replication_factor > sizes[0] * len(sizes)):
        return _place_one_by_one(partitions, sizes, replication_factor, generator)
    brokers = sum(sizes)
    rows = int(min(brokers, partitions.max(initial=1)))
    rack_position, turn = _template(rows, len(sizes), replication_factor)
    rounds = -(-partitions // brokers)
    first = np.zeros(int(rounds.sum()), dtype=bool)
    first[np.concatenate(([0], rounds.cumsum()[:-1]))] = True
    rack_order, broker_order = _orders(first, sizes, generator)
    row = np.arange(first.size)[:, None, None]
    rack = rack_order[row, rack_position]
    length = np.asarray(sizes)[rack]
    inside = broker_order[row, rack, turn % length]
    broker = inside + (np.cumsum(sizes) - sizes)[rack]
    # the last round of a topic is used only as far as its partitions go
    offset_in_topic = (np.arange(first.size) - np.repeat(rounds.cumsum() - rounds, rounds)) * brokers
    left = np.repeat(partitions, rounds) - offset_in_topic
    keep = np.arange(rows)[None, :] < left[:, None]
    assignment: Integers = broker[keep]
    return assignment


def _orders(
    first: npt.NDArray[np.bool_], sizes: tuple[int, ...], generator: np.random.Generator
) -> tuple[Integers, Integers]:
    """Order of racks, and of brokers in each rack, per round: rotated in a topic's first round, shuffled afterwards."""
    racks, longest = len(sizes), max(sizes)
    shuffled_racks = np.argsort(generator.random((first.size, racks)), axis=1)
    rotated_racks = (np.arange(racks)[None, :] + generator.integers(racks, size=(first.size, 1))) % racks
    keys = generator.random((first.size, racks, longest))
    absent = np.arange(longest)[None, :] >= np.asarray(sizes)[:, None]
    keys[:, absent] = 2.0  # beyond any random key, so the places a small rack lacks sort to the end
    shuffled = np.argsort(keys, axis=2)
    length = np.asarray(sizes)[None, :, None]
    start = (generator.random((first.size, racks, 1)) * length).astype(np.intp)
    rotated = (np.arange(longest)[None, None, :] + start) % length
    return (
        np.where(first[:, None], rotated_racks, shuffled_racks),
        np.where(first[:, None, None], rotated, shuffled),
    )


def _place_one_by_one(
    partitions: Integers,
    sizes: tuple[int, ...],
    replication_factor: int,
    generator: np.random.Generator,
) -> Integers:
    """The placer step by step, for racks that run out of brokers within one partition."""
    starts = np.cumsum(sizes) - np.asarray(sizes)
    assignment: list[list[int]] = []
    for count in partitions:
        racks = [list(range(start, start + size)) for start, size in zip(starts, sizes, strict=True)]
        offsets = [int(generator.integers(size)) for size in sizes]
        order = list(range(len(sizes)))
        rack_offset = int(generator.integers(len(sizes)))
        for partition in range(int(count)):
            if partition and partition % sum(sizes) == 0:
                order = [order[i] for i in generator.permutation(len(order))]
                racks = [[rack[i] for i in generator.permutation(len(rack))] for rack in racks]
            elif partition == 0:
                offsets = [offset - 1 for offset in offsets]  # the first use does not advance the start
            assignment.append(_place_partition(racks, order, offsets, rack_offset + partition, replication_factor))
    return np.asarray(assignment, dtype=np.intp).reshape(-1, replication_factor)


def _place_partition(
    racks: list[list[int]],
    order: list[int],
    offsets: list[int],
    start: int,
    replication_factor: int,
) -> list[int]:
    """Replicas of one partition: racks in turn, skipping those whose brokers are all taken; advances `offsets`."""
    taken = dict.fromkeys(order, 0)
    replicas: list[int] = []
    position = start
    while len(replicas) < replication_factor:
        rack = order[position % len(order)]
        position += 1
        if taken[rack] == len(racks[rack]):
            continue
        if taken[rack] == 0:
            offsets[rack] += 1
        replicas.append(racks[rack][(offsets[rack] + taken[rack]) % len(racks[rack])])
        taken[rack] += 1
    return replicas
