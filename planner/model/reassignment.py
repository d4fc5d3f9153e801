"""Which replicas move when brokers come, go or are replaced, or when the replication factor changes: the fewest.

Brokers are numbered from 0; an assignment is an array (partitions, slots), preferred leader first, -1 for no broker.
A replica that moves leaves its slot to the new one, so replicas that stay keep their order.

Why the number of moves is the least: a broker that must end with more replicas than it has receives at least the
difference, whatever is done. Where every one of these is served directly, no assignment moves less. Where some cannot
be (their racks hold the partition already), replicas are pushed on along the cheapest chain of brokers; that is the
method of successive shortest paths, exact for such flows.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from planner.model.types import Array

Integers: TypeAlias = npt.NDArray[np.intp]
Flags: TypeAlias = npt.NDArray[np.bool_]

# a chain, its end first: each broker with the partition whose replica comes to it (-1: it takes over an odd place
# instead, -2: the chain begins there)
_Chain: TypeAlias = list[tuple[int, int]]
_ODD, _START = -1, -2

_FAR = 1 << 30  # the cost of a step that is not allowed
_LOOKED_AT = 100  # replicas of a broker, of either kind, that a quick search for a chain looks at
_MANY = 256  # waiting slots from which on they are placed in bulk before chains are searched
_EFFORT = 100_000_000  # replicas times brokers that the search for chains looks at: some seconds, for large clusters


def rack_limit(replication_factor: int, sizes: Sequence[int]) -> int:
    """Most replicas of one partition that a rack holds when they are spread as widely as the racks allow.

    Parameters
    ----------
    replication_factor
        Replicas of the partition [count], 1 to the sum of sizes.
    sizes
        Brokers of each rack [count], each >= 0.

    Returns
    -------
    int
        The limit: 1 where there are as many racks as replicas [count].

    Assumptions
    -----------
    A rack is an availability zone: no more copies than needed may share one.

    Validity
    --------
    Any.

    Examples
    --------
    >>> rack_limit(replication_factor=3, sizes=(2, 2, 2)), rack_limit(replication_factor=3, sizes=(4, 1))
    (1, 2)

    References
    ----------
    arithmetic
    """
    limit = 1
    while sum(min(limit, size) for size in sizes) < replication_factor:
        limit += 1
    return limit


def _limits(wanted: Integers, sizes: Sequence[int]) -> Integers:
    """The rack limit of each partition."""
    factors, index = np.unique(wanted, return_inverse=True)
    return np.array([rack_limit(int(factor), sizes) for factor in factors], dtype=np.intp)[index]


def fair_pools(wanted: Integers, rack: Integers, live: Flags) -> list[tuple[Integers, int]]:
    """Groups of brokers that can be equally full, with the replicas that each group holds together.

    Parameters
    ----------
    wanted
        Replicas of each partition [count], each 1 to the number of live brokers.
    rack
        Index of each broker's rack [-], from 0.
    live
        Which brokers may hold replicas [bool], at least one.

    Returns
    -------
    list[tuple[Integers, int]]
        Brokers of each group and their replicas together; within a group all hold the same number or one more [count].

    Assumptions
    -----------
    Racks that are too small for an even share (each partition has a replica there, and no second one may be) are a
    group of their own; the others share the rest.

    Validity
    --------
    Racks of equal size, or at most one replica per rack; else the groups are a good guess and a few replicas may not
    fit.

    Examples
    --------
    >>> pools = fair_pools(np.full(10, 3), rack=np.array([0, 0, 1, 1, 2]), live=np.full(5, True))
    >>> [(brokers.tolist(), together) for brokers, together in pools]
    [([0, 1, 2, 3], 20), ([4], 10)]

    References
    ----------
    arithmetic
    """
    sizes = np.bincount(rack[live], minlength=int(rack.max()) + 1)
    order = [index for index in np.argsort(-sizes, kind="stable").tolist() if sizes[index]]
    factors, partitions = np.unique(wanted, return_counts=True)
    held = [0]  # the most that the largest racks hold together: 1 of them, 2 of them, ...
    for upto in range(1, len(order) + 1):
        largest = sizes[order[:upto]].tolist()
        held.append(
            sum(
                int(count)
                * min(int(factor), sum(min(rack_limit(int(factor), sizes.tolist()), size) for size in largest))
                for factor, count in zip(factors, partitions, strict=True)
            )
        )
    pools, begin = [], 0
    while begin < len(order):
        brokers = np.cumsum(sizes[order[begin:]])
        most = np.array(held[begin + 1 :]) - held[begin]
        share, odd = divmod(int(most[-1]), int(brokers[-1]))
        fits = (share * brokers <= most) & (most + (share + (odd > 0)) * (brokers[-1] - brokers) >= most[-1])
        level = most / brokers
        end = len(order) if fits.all() else begin + 1 + int(np.flatnonzero(level <= level.min() * (1 + 1e-12))[-1])
        members = np.flatnonzero(live & np.isin(rack, order[begin:end]))
        pools.append((members, held[end] - held[begin]))
        begin = end
    return pools


@dataclass(slots=True)
class _Moves:
    """An assignment on its way to its quotas."""

    rows: Integers  # as it stands, -1 where a slot waits for a broker
    home: Integers  # as it was
    rack: Integers
    limit: Integers  # most replicas per rack, of each partition
    weight: Array  # bytes of one replica of each partition
    wanted: Integers  # replicas of each partition
    quota: Integers  # replicas that each broker shall hold
    pool: Integers  # brokers of one pool may swap the odd replica; -1 = none
    live: Flags
    tight: bool = True  # whether every replica placed so far costs one move, which is the least
    effort: int = 0  # what the search for chains has looked at
    count: Integers = field(init=False)
    stored: Array = field(init=False)

    def __post_init__(self) -> None:
        held = self.rows >= 0
        weights = np.broadcast_to(self.weight[:, None], self.rows.shape)[held]
        self.count = np.bincount(self.rows[held], minlength=len(self.rack))
        self.stored = np.bincount(self.rows[held], weights, len(self.rack)).astype(float)

    @property
    def open(self) -> bool:
        """Whether there are no quotas: a replica goes to the broker that holds least of those that may have it."""
        return bool((self.quota[self.live] == self.wanted.sum()).all())

    def clear(self, partition: int, slot: int) -> None:
        """Let the slot name no broker."""
        broker = self.rows[partition, slot]
        self.rows[partition, slot] = -1
        self.count[broker] -= 1
        self.stored[broker] -= self.weight[partition]

    def put(self, partition: int, slot: int, broker: int) -> None:
        """Let the slot name `broker`."""
        if self.rows[partition, slot] >= 0:
            self.clear(partition, slot)
        self.rows[partition, slot] = broker
        self.count[broker] += 1
        self.stored[broker] += self.weight[partition]

    def costs(self, partitions: Integers, leaves: int) -> tuple[Integers, Integers]:
        """For every broker: moves added when a replica goes there from `leaves` (-1: nowhere), and whose replica.

        1 where a replica in place leaves or a waiting one goes to a new broker, less 1 where one comes home.
        """
        rows, home = self.rows[partitions], self.home[partitions]
        settled = (home == leaves).any(axis=1) | (leaves < 0)
        near = np.where((rows >= 0) & (rows != leaves), self.rack[rows], -1)
        brokers = np.arange(len(self.rack))
        beside = (near[:, :, None] == self.rack).sum(axis=1)
        allowed = self.live & (beside < self.limit[partitions, None]) & ~(rows[:, :, None] == brokers).any(axis=1)
        each = np.where(allowed, settled[:, None].astype(np.intp) - (home[:, :, None] == brokers).any(axis=1), _FAR)
        best = each.argmin(axis=0)
        return each[best, brokers], partitions[best]


_Heap: TypeAlias = list[tuple[int, float, int]]  # what a broker lacks, negative; the bytes it holds; the broker


def _least_full(moves: _Moves) -> dict[int, _Heap]:
    """For each rack a heap of the brokers that lack replicas, the one that lacks most first."""
    heaps: dict[int, _Heap] = {}
    for broker in np.flatnonzero(moves.count < moves.quota).tolist():
        lacks = int(moves.quota[broker] - moves.count[broker])
        heaps.setdefault(int(moves.rack[broker]), []).append((-lacks, float(moves.stored[broker]), broker))
    for heap in heaps.values():
        heapq.heapify(heap)
    return heaps


def _place_directly(moves: _Moves, items: Iterable[tuple[int, int]]) -> None:
    """Give each slot to the broker that lacks most and may have it; a slot that none may have stays as it is."""
    heaps, rack, limit = _least_full(moves), moves.rack.tolist(), moves.limit.tolist()
    # the rack that lacks most comes first, so that none is left at the end with partitions that it holds already
    lacks = np.bincount(moves.rack, np.maximum(moves.quota - moves.count, 0))
    sizes = np.maximum(np.bincount(moves.rack[moves.live], minlength=len(lacks)), 1)
    each = 1 / sizes if moves.open else np.ones(len(lacks))  # without quotas the mean broker of a rack counts
    lacks, each = (lacks * each).tolist(), each.tolist()
    for partition, slot in items:
        row = moves.rows[partition].tolist()
        leaves = row[slot]
        beside = [rack[broker] for broker in row if broker >= 0 and broker != leaves]
        held: _Heap = []  # brokers that have the partition already
        best: int | None = None
        for near, heap in heaps.items():
            if beside.count(near) < limit[partition] and (best is None or lacks[near] > lacks[best]):
                while heap and heap[0][2] in row:
                    held.append(heapq.heappop(heap))
                best = near if heap else best
        if best is not None:
            key, _, broker = heapq.heappop(heaps[best])
            moves.put(partition, slot, broker)
            lacks[best] -= each[best]
            if moves.count[broker] < moves.quota[broker]:
                heapq.heappush(heaps[best], (key + 1, float(moves.stored[broker]), broker))
        for entry in held:
            heapq.heappush(heaps[rack[entry[2]]], entry)


def _spread(candidates: Integers, wanted: int) -> Integers:
    """`wanted` of the candidates at even distances, then the others."""
    wanted = min(wanted, len(candidates))
    chosen = ((np.arange(wanted) + 0.5) * len(candidates) / max(wanted, 1)).astype(np.intp)
    rest = np.ones(len(candidates), dtype=bool)
    rest[chosen] = False
    return np.concatenate((candidates[chosen], candidates[rest]))


def _donations(moves: _Moves) -> Iterator[tuple[int, int, list[tuple[int, int]]]]:
    """Each broker above its quota, its surplus, and its replicas, a fair sample of sizes and slots first."""
    partition, slot = np.nonzero(moves.rows >= 0)
    holder = moves.rows[partition, slot]
    order = np.lexsort((slot, partition, -moves.weight[partition], holder))
    partition, slot, holder = partition[order], slot[order], holder[order]
    begins = np.searchsorted(holder, np.arange(len(moves.rack) + 1))
    moving = ((moves.rows < 0) & (np.arange(moves.rows.shape[1]) < moves.wanted[:, None])).sum(axis=1)
    for broker in np.flatnonzero(moves.count > moves.quota).tolist():
        mine = np.arange(begins[broker], begins[broker + 1])
        surplus = int(moves.count[broker] - moves.quota[broker])
        # within a size first the leaders: an even sample then takes its share of them
        mine = mine[np.lexsort((slot[mine], -moves.weight[partition[mine]]))]
        given, others = _spread_over(mine, moving[partition[mine]], surplus)
        moving[partition[given]] += 1
        ranked = np.concatenate((given, others))
        yield broker, surplus, list(zip(partition[ranked].tolist(), slot[ranked].tolist(), strict=True))


def _spread_over(candidates: Integers, moving: Integers, wanted: int) -> tuple[Integers, Integers]:
    """`wanted` candidates, those of partitions with fewest other moves first; and the rest."""
    given, others = [], []
    for level in np.unique(moving).tolist():
        ranked = _spread(candidates[moving == level], wanted)
        given.append(ranked[:wanted])
        others.append(ranked[wanted:])
        wanted -= len(given[-1])
    return np.concatenate(given), np.concatenate(others)


def _waiting(moves: _Moves) -> list[tuple[int, int]]:
    """Slots without a broker, those of large partitions first."""
    partition, slot = np.nonzero((moves.rows < 0) & (np.arange(moves.rows.shape[1]) < moves.wanted[:, None]))
    order = np.lexsort((slot, partition, -moves.weight[partition]))
    return list(zip(partition[order].tolist(), slot[order].tolist(), strict=True))


def _place(moves: _Moves) -> None:
    """Place waiting slots, and serve the brokers that lack replicas from those above their quota."""
    donations = list(_donations(moves))
    given = [item for _, surplus, items in donations for item in items[:surplus]]
    given.sort(key=lambda item: (-moves.weight[item[0]], item))
    _place_directly(moves, _waiting(moves) + given)
    for broker, surplus, items in donations:
        _place_directly(moves, (item for item in items[surplus:] if moves.count[broker] > moves.quota[broker]))
    if len(_waiting(moves)) > _MANY:
        _place_in_bulk(moves)
    _place_by_chains(moves)
    moves.quota[moves.live] = moves.wanted.sum()  # what no chain reaches goes where there is least
    _place_directly(moves, _waiting(moves))


def _place_in_bulk(moves: _Moves) -> None:
    """Let what no lacking broker may have go to full ones, which then give away others: one step of all chains at once.

    Quick where thousands wait; a longer chain might have cost less.
    """
    quota, waiting = moves.quota, _waiting(moves)
    moves.quota = np.where(moves.live, quota + len(waiting), quota)
    _place_directly(moves, waiting)
    moves.quota = quota
    before, surplus = math.inf, _surplus(moves)
    while 0 < surplus < before:
        for broker, _, items in _donations(moves):
            _place_directly(moves, (item for item in items if moves.count[broker] > moves.quota[broker]))
        before, surplus = surplus, _surplus(moves)


def _surplus(moves: _Moves) -> int:
    """Replicas above quotas."""
    return int(np.maximum(moves.count - moves.quota, 0).sum())


def _even_leaders(rows: Integers, home: Integers, live: Flags) -> None:
    """Where a partition has new replicas, let one of them or the first of the others lead, so that leaders are even.

    Replicas that stay keep their order; partitions without a move keep their leader.
    """
    led = np.bincount(rows[:, 0], minlength=len(live)).tolist()
    staying = (rows[:, :, None] == home[:, None, :]).any(axis=2) & (rows >= 0)
    moved = np.flatnonzero((~staying & (rows >= 0)).any(axis=1)).tolist()
    changed = True
    while changed:
        changed = False
        for partition in moved:
            row, stays = rows[partition].tolist(), staying[partition].tolist()
            first = stays.index(True) if True in stays else 0
            choices = [slot for slot, broker in enumerate(row) if broker >= 0 and (slot == first or not stays[slot])]
            best = min(choices, key=lambda slot: (led[row[slot]], slot))
            if led[row[best]] + 1 < led[row[0]]:
                led[row[0]] -= 1
                led[row[best]] += 1
                order = [best, *(slot for slot in range(len(row)) if slot != best)]
                rows[partition], staying[partition] = rows[partition, order], staying[partition, order]
                changed = True


def _place_by_chains(moves: _Moves) -> None:
    """Serve the rest along cheapest chains of brokers: first waiting slots, then from brokers above their quota."""
    for partition, slot in _waiting(moves):
        if moves.effort > _EFFORT:
            return
        costs, _ = moves.costs(np.array([partition]), -1)
        starts = {broker: int(costs[broker]) for broker in np.flatnonzero(costs < _FAR).tolist()}
        chain = _cheapest(moves, starts, partition)
        if chain:
            _follow(moves, chain)
            moves.put(partition, slot, chain[-1][0])
    chain = _cheapest(moves, dict.fromkeys(np.flatnonzero(moves.count > moves.quota).tolist(), 0))
    while chain and moves.effort <= _EFFORT:
        _follow(moves, chain)
        chain = _cheapest(moves, dict.fromkeys(np.flatnonzero(moves.count > moves.quota).tolist(), 0))


def _cheapest(moves: _Moves, starts: dict[int, int], waiting: int = _START) -> _Chain:
    """A cheapest chain: any that costs one move while none has cost more (there is no cheaper), else by full search."""
    found = _chain(moves, starts, waiting) if moves.tight else []
    if not found:
        moves.tight = False
        found = _chain(moves, starts, waiting)
    return found


def _chain(moves: _Moves, starts: dict[int, int], waiting: int = _START) -> _Chain:
    """The cheapest chain from one of the starts, each with its cost so far, to a broker that lacks a replica.

    No partition is moved twice by it, nor the one that waits for its beginning: so its steps do not disturb each other.
    """
    distance, link = dict(starts), dict[int, tuple[int, int]]()
    queue = deque(starts)
    while queue:
        broker = queue.popleft()
        if moves.count[broker] < moves.quota[broker]:
            continue
        before = _trail(link, broker)
        visited, carried = {place for place, _ in before}, {waiting, *(partition for _, partition in before)}
        for target, cost, partition in _steps(moves, broker, carried):
            reached = distance[broker] + cost
            if reached < distance.get(target, _FAR) and target not in visited:
                distance[target], link[target] = reached, (broker, partition)
                queue.append(target)
                if moves.tight and reached <= 1 and moves.count[target] < moves.quota[target]:
                    return _trail(link, target)
    ends = [broker for broker in distance if moves.count[broker] < moves.quota[broker]]
    return _trail(link, min(ends, key=lambda end: (distance[end], end))) if ends and not moves.tight else []


def _trail(link: dict[int, tuple[int, int]], broker: int) -> _Chain:
    """The chain that leads to a broker."""
    trail = []
    while broker in link:
        source, partition = link[broker]
        trail.append((broker, partition))
        broker = source
    return [*trail, (broker, _START)]


def _steps(moves: _Moves, broker: int, carried: set[int]) -> list[tuple[int, int, int]]:
    """Where a chain may go: on with a replica not carried yet, or to a peer that gives up its odd place."""
    partitions = np.flatnonzero((moves.rows == broker).any(axis=1))
    partitions = partitions[~np.isin(partitions, list(carried))]
    if moves.tight:
        settled = (moves.home[partitions] == broker).any(axis=1)
        kinds = partitions[~settled], partitions[settled]
        partitions = np.concatenate([_spread(kind, _LOOKED_AT)[:_LOOKED_AT] for kind in kinds])
    found = []
    moves.effort += len(moves.rows) + len(partitions) * len(moves.rack)
    if len(partitions):
        costs, partition = moves.costs(partitions, broker)
        ends = np.flatnonzero(costs < _FAR).tolist()
        found = [(target, int(costs[target]), int(partition[target])) for target in ends]
    peers = (moves.pool == moves.pool[broker]) & (moves.quota == moves.quota[broker] + 1) & (moves.pool >= 0)
    return found + [(target, 0, _ODD) for target in np.flatnonzero(peers).tolist()]


def _follow(moves: _Moves, chain: _Chain) -> None:
    """Move along a chain, its end first, so that every broker has room for what comes."""
    for (broker, partition), (source, _) in itertools.pairwise(chain):
        if partition == _ODD:
            moves.quota[broker] -= 1
            moves.quota[source] += 1
        else:
            slot = int(np.flatnonzero(moves.rows[partition] == source)[0])
            moves.put(partition, slot, broker)


def _shares(total: int, held: Integers) -> Integers:
    """Equal shares in whole numbers; the odd ones go to those who hold most."""
    share = np.full(len(held), total // len(held))
    share[np.argsort(-held, kind="stable")[: total % len(held)]] += 1
    return share


def _start(rows: Integers, home: Integers, *, rack: Integers, live: Flags, weight: Array, wanted: Integers) -> _Moves:
    sizes = np.bincount(rack[live], minlength=int(rack.max()) + 1).tolist()
    return _Moves(
        rows=rows,
        home=home,
        rack=rack,
        limit=_limits(wanted, sizes),
        wanted=wanted,
        weight=weight,
        quota=np.where(live, wanted.sum(), 0),
        pool=np.full(len(rack), -1),
        live=live,
    )


def _without(replicas: Integers, rack: Integers, live: Flags, weight: Array) -> _Moves:
    """The assignment as it is, its slots on brokers that are not live waiting for others."""
    wanted = (replicas >= 0).sum(axis=1)
    rows = np.where((replicas >= 0) & live[replicas], replicas, -1)
    return _start(rows, replicas, rack=rack, live=live, weight=weight, wanted=wanted)


def _spread_out(moves: _Moves) -> None:
    """Where a rack holds more replicas of a partition than need be, empty the slots on the brokers that are fullest."""
    held = np.where(moves.rows >= 0, moves.rack[moves.rows], -1)
    beside = ((held[:, :, None] == held[:, None, :]) & (held[:, :, None] >= 0)).sum(axis=2).max(axis=1)
    for partition in np.flatnonzero(beside > moves.limit).tolist():
        racks = held[partition].tolist()
        for rack in sorted(set(racks) - {-1}):
            slots = [slot for slot, near in enumerate(racks) if near == rack]
            brokers = moves.rows[partition]
            slots.sort(key=lambda slot: (moves.count[brokers[slot]] - moves.quota[brokers[slot]], slot))
            for slot in slots[moves.limit[partition] :]:
                moves.clear(partition, slot)


def rebalanced(replicas: Integers, rack: Integers, live: Flags, weight: Array) -> tuple[Integers, int]:
    """The assignment that leaves every live broker equally full, with the fewest moves; and a bound that none beats.

    Parameters
    ----------
    replicas
        Broker of each replica by partition and slot, preferred leader first, -1 for no replica [-].
    rack
        Index of each broker's rack [-], from 0.
    live
        Which brokers may hold replicas [bool], as many as the largest partition has replicas.
    weight
        Size of one replica of each partition: decides between moves of equal number [bytes], >= 0.

    Returns
    -------
    tuple[Integers, int]
        The new assignment in the same form [-], and the least number of moves that could do [count].

    Assumptions
    -----------
    Equally full means within one replica, where racks allow; within a small rack otherwise. Leaders and bytes follow
    as well as the moves allow.

    Validity
    --------
    The number of moves is the least where it equals the bound, and where no rack held a partition too often before.

    Examples
    --------
    >>> found, least = rebalanced(
    ...     np.array([[0, 1], [1, 0], [0, 1]]),
    ...     rack=np.zeros(3, dtype=int),
    ...     live=np.full(3, True),
    ...     weight=np.ones(3),
    ... )
    >>> np.bincount(found.ravel()).tolist(), int((found != [[0, 1], [1, 0], [0, 1]]).sum()), least
    ([2, 2, 2], 2, 2)

    References
    ----------
    arithmetic
    """
    moves = _without(replicas, rack, live, weight)
    for number, (members, together) in enumerate(fair_pools(moves.wanted, rack, live)):
        moves.pool[members] = number
        moves.quota[members] = _shares(together, moves.count[members])
    return _to_quotas(moves)


def _to_quotas(moves: _Moves) -> tuple[Integers, int]:
    """Move until every broker has its quota; and the least moves that could do."""
    least = int(np.maximum(moves.quota - moves.count, 0).sum())
    _spread_out(moves)
    _place(moves)
    _even_leaders(moves.rows, moves.home, moves.live)
    return moves.rows, least


def widened(replicas: Integers, rack: Integers, new: Flags, weight: Array) -> tuple[Integers, int]:
    """The assignment that gives new brokers their share, from the fullest of the others, which receive nothing.

    Parameters
    ----------
    replicas
        Broker of each replica by partition and slot, preferred leader first, -1 for no replica [-].
    rack
        Index of each broker's rack [-], from 0.
    new
        Which brokers are new and hold nothing [bool].
    weight
        Size of one replica of each partition: decides between moves of equal number [bytes], >= 0.

    Returns
    -------
    tuple[Integers, int]
        The new assignment in the same form [-], and the least number of moves that could do [count].

    Assumptions
    -----------
    A new broker's share is that of all, in whole replicas, where racks allow; in a small rack that of the rack. How
    uneven the others are is none of this move's business, beyond what it takes from the fullest.

    Validity
    --------
    As `rebalanced`.

    Examples
    --------
    >>> rows, least = widened(
    ...     np.array([[0], [0], [0], [1]]), rack=np.zeros(3, dtype=int), new=np.array([False, False, True]),
    ...     weight=np.ones(4),
    ... )
    >>> np.bincount(rows.ravel()).tolist(), least
    ([2, 1, 1], 1)

    References
    ----------
    arithmetic
    """
    moves = _without(replicas, rack, np.ones(len(rack), dtype=bool), weight)
    for number, (members, together) in enumerate(fair_pools(moves.wanted, rack, moves.live)):
        fresh, old = members[new[members]], members[~new[members]]
        moves.pool[members] = number
        moves.quota[fresh] = together // len(members) if len(old) else _shares(together, moves.count[fresh])
        if len(old):
            moves.quota[old] = _levelled(together - int(moves.quota[fresh].sum()), moves.count[old])
    return _to_quotas(moves)


def _levelled(total: int, held: Integers) -> Integers:
    """Whole numbers of this sum: the highest are cut to one level, or the lowest raised to one; others stay."""
    above = held.sum() > total
    sign = 1 if above else -1  # raising the lowest is cutting the highest of the negative numbers
    levels = np.sort(sign * held)[::-1]
    depth = np.arange(1, len(levels) + 1)
    # with the first n of them at one level the rest stays as it is; the level lies between the n-th and the next
    level = (sign * total - (levels.sum() - levels.cumsum())) / depth
    cut = int(np.flatnonzero(level >= np.append(levels[1:], -np.inf))[0]) + 1
    chosen = np.argsort(-sign * held, kind="stable")[:cut]
    found = held.copy()
    found[chosen] = _shares(total - int(held.sum() - held[chosen].sum()), held[chosen])
    return found


def vacated(replicas: Integers, rack: Integers, live: Flags, weight: Array) -> tuple[Integers, int]:
    """The assignment without some brokers: only their replicas move, to where there is least.

    Parameters
    ----------
    replicas
        Broker of each replica by partition and slot, preferred leader first, -1 for no replica [-].
    rack
        Index of each broker's rack [-], from 0.
    live
        Which brokers stay [bool], as many as the largest partition has replicas.
    weight
        Size of one replica of each partition: large ones are placed first [bytes], >= 0.

    Returns
    -------
    tuple[Integers, int]
        The new assignment in the same form [-], and the least number of moves that could do [count].

    Assumptions
    -----------
    Brokers that stay keep what they have, however uneven they are.

    Validity
    --------
    More than the least moves only where a rack held a partition too often, before or without the brokers that go.

    Examples
    --------
    >>> rows, least = vacated(
    ...     np.array([[0, 1], [0, 2], [1, 2]]), rack=np.zeros(4, dtype=int), live=np.array([False, True, True, True]),
    ...     weight=np.ones(3),
    ... )
    >>> np.bincount(rows.ravel()).tolist(), least
    ([0, 2, 2, 2], 2)

    References
    ----------
    arithmetic
    """
    moves = _without(replicas, rack, live, weight)
    least = int(moves.wanted.sum() - moves.count.sum())
    _spread_out(moves)
    _place_directly(moves, _waiting(moves))
    _even_leaders(moves.rows, replicas, live)
    return moves.rows, least


def substituted(
    replicas: Integers, rack: Integers, live: Flags, weight: Array, changes: Sequence[tuple[int, int]]
) -> Integers:
    """The assignment in which new brokers take the places of old ones; others change only where a rack asks for it.

    Parameters
    ----------
    replicas
        Broker of each replica by partition and slot, preferred leader first, -1 for no replica [-].
    rack
        Index of each broker's rack [-], from 0.
    live
        Which brokers may hold replicas: the new ones, not the old ones [bool].
    weight
        Size of one replica of each partition [bytes], >= 0.
    changes
        Old broker and new broker, each once [-].

    Returns
    -------
    Integers
        The new assignment in the same form [-].

    Assumptions
    -----------
    The new brokers are empty.

    Validity
    --------
    Any. A new broker in another rack than the old one may take a chain of two moves for a replica.

    Examples
    --------
    >>> found = substituted(
    ...     np.array([[0, 1], [1, 0]]),
    ...     rack=np.zeros(3, dtype=int),
    ...     live=np.array([False, True, True]),
    ...     weight=np.ones(2),
    ...     changes=[(0, 2)],
    ... )
    >>> found.tolist()
    [[2, 1], [1, 2]]

    References
    ----------
    arithmetic
    """
    moves = _without(replicas, rack, live, weight)
    held = np.bincount(replicas[replicas >= 0], minlength=len(rack))
    for old, new in changes:
        held[new], held[old] = held[old], 0
    moves.quota = held
    _place(moves)
    return moves.rows


def extended(replicas: Integers, rack: Integers, live: Flags, weight: Array, wanted: Integers) -> Integers:
    """The assignment with more replicas of some partitions: those in place stay, new ones go where there is least.

    Parameters
    ----------
    replicas
        Broker of each replica by partition and slot, preferred leader first, -1 for no replica [-].
    rack
        Index of each broker's rack [-], from 0.
    live
        Which brokers may hold replicas [bool].
    weight
        Size of one replica of each partition [bytes], >= 0.
    wanted
        Replicas that each partition shall have, at least as many as it has [count].

    Returns
    -------
    Integers
        The new assignment, as wide as the largest partition needs [-].

    Assumptions
    -----------
    The added replicas are all that moves, which is the least.

    Validity
    --------
    Any.

    Examples
    --------
    >>> found = extended(
    ...     np.array([[0], [0]]),
    ...     rack=np.array([0, 1, 1]),
    ...     live=np.full(3, True),
    ...     weight=np.ones(2),
    ...     wanted=np.array([2, 2]),
    ... )
    >>> found.tolist()
    [[0, 1], [0, 2]]

    References
    ----------
    arithmetic
    """
    width = max(int(wanted.max()), replicas.shape[1])
    rows = np.full((len(replicas), width), -1, dtype=np.intp)
    rows[:, : replicas.shape[1]] = replicas
    moves = _start(rows, replicas, rack=rack, live=live, weight=weight, wanted=wanted)
    _place_directly(moves, _waiting(moves))
    return moves.rows


def shortened(replicas: Integers, rack: Integers, weight: Array, wanted: Integers) -> Integers:
    """The assignment with fewer replicas of some partitions: the fullest brokers lose theirs, leaders stay.

    Parameters
    ----------
    replicas
        Broker of each replica by partition and slot, preferred leader first, -1 for no replica [-].
    rack
        Index of each broker's rack [-], from 0.
    weight
        Size of one replica of each partition [bytes], >= 0.
    wanted
        Replicas that each partition shall have, at most as many as it has [count], each >= 1.

    Returns
    -------
    Integers
        The new assignment in the same form; nothing moves [-].

    Assumptions
    -----------
    A replica whose rack has another one of its partition goes first.

    Validity
    --------
    Any.

    Examples
    --------
    >>> shortened(
    ...     np.array([[0, 1, 2], [1, 2, 0]]), rack=np.zeros(3, dtype=int), weight=np.ones(2), wanted=np.array([2, 2])
    ... ).tolist()
    [[0, 1, -1], [1, 2, -1]]

    References
    ----------
    arithmetic
    """
    rows = replicas.copy()
    count = np.bincount(rows[rows >= 0], minlength=len(rack)).tolist()
    stored = np.bincount(rows[rows >= 0], np.broadcast_to(weight[:, None], rows.shape)[rows >= 0], len(rack)).tolist()
    racks = rack.tolist()
    surplus = np.flatnonzero((rows >= 0).sum(axis=1) > wanted)
    for partition in surplus[np.argsort(-weight[surplus], kind="stable")].tolist():
        row = [broker for broker in rows[partition].tolist() if broker >= 0]
        while len(row) > wanted[partition]:
            held = [racks[broker] for broker in row]
            ranked = ((held.count(racks[b]) > 1, count[b], stored[b], slot) for slot, b in enumerate(row) if slot)
            slot = max(ranked)[-1]
            count[row[slot]] -= 1
            stored[row[slot]] -= weight[partition]
            del row[slot]
        rows[partition] = row + [-1] * (rows.shape[1] - len(row))
    return rows
