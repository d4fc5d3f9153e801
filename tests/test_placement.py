"""The simulated placer against runs of Kafka's own, a placer written step by step, and what its rules promise."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from planner.model import placement
from planner.model.placement import (
    Integers,
    counts_without_concentration,
    leader_concentration,
    peer_counts,
    place,
    rack_of_broker,
    rack_sizes,
    random_peers,
    volume_of_replica,
)
from planner.model.types import Array

RUNS: dict[str, Any] = json.loads((Path(__file__).parent / "data" / "placer_runs.json").read_text(encoding="utf-8"))
SEEDS = 1500
RARE = 1e-4  # chance of the outcomes that would not be believed
DEVIATIONS = 4.0  # 25 rows of 3 means, each beyond this many standard errors once in 16,000


def placed(count: int, sizes: tuple[int, ...], factor: int, seeds: int) -> Integers:
    """One topic placed many times: (seeds, partitions, replicas)."""
    generator = np.random.default_rng([count, factor, *sizes])
    return place(np.full(seeds, count), sizes, factor, generator).reshape(seeds, count, factor)


def counted(brokers_of: Integers, brokers: int) -> Array:
    """How often each broker occurs in each seed."""
    return np.stack([(brokers_of == broker).sum(axis=1) for broker in range(brokers)], axis=1).astype(float)


def busiest(assignment: Integers, brokers: int) -> dict[str, Array]:
    """For each seed the busiest broker over the mean: leaders, replicas, and leaders after the worst loss."""
    seeds, count, _ = assignment.shape
    first, second = assignment[:, :, 0], assignment[:, :, 1]
    moved = [counted(np.where(first == lost, second, first), brokers).max(axis=1) for lost in range(brokers)]
    replicas = counted(assignment.reshape(seeds, -1), brokers)
    return {
        "leaders": counted(first, brokers).max(axis=1) * brokers / count,
        "replicas": replicas.max(axis=1) / replicas.mean(axis=1),
        "leaders_after_loss": np.max(moved, axis=0) * (brokers - 1) / count,
    }


def layout(row: dict[str, Any]) -> str:
    return "brokers {brokers} racks {racks} RF {replication_factor} P {partitions}".format(**row)


@pytest.mark.parametrize("row", RUNS["rows"], ids=layout)
def test_kafkas_own_placer(row: dict[str, Any]) -> None:
    """Means differ by half a printed digit and both samples' standard errors; their extremes are not unheard of."""
    sizes = rack_sizes(row["brokers"], row["racks"] or 1)
    ours = busiest(placed(row["partitions"], sizes, row["replication_factor"], SEEDS), row["brokers"])
    digit = 0.5 * 10.0 ** -RUNS["digits"]
    for name, values in ours.items():
        mean, worst = row[name] if name != "replicas" else (row[name], None)
        error = values.std(ddof=1) * np.sqrt(1 / RUNS["seeds"] + 1 / SEEDS)
        assert abs(values.mean() - mean) <= DEVIATIONS * error + digit + 1e-9, name
        if worst is not None:
            beyond = (values > worst + digit).mean()
            assert (1 - beyond) ** RUNS["seeds"] >= RARE, name  # so many seeds and none worse
            assert values.max() >= worst - digit, name


@dataclass
class BrokerList:
    """Brokers of a rack as Kafka walks them: an epoch ends where the next begins one further."""

    brokers: list[int]
    offset: int
    index: int = 0
    epoch: int = 0

    def next(self, epoch: int) -> int:
        if epoch != self.epoch:
            self.epoch, self.index, self.offset = epoch, 0, (self.offset + 1) % len(self.brokers)
        if self.index >= len(self.brokers):
            return -1
        self.index += 1
        return self.brokers[(self.offset + self.index - 1) % len(self.brokers)]

    def shuffled_to(self, order: list[int]) -> None:
        """The shuffle after which a new epoch meets the brokers in this order."""
        for turn, broker in enumerate(order):
            self.brokers[(self.offset + 1 + turn) % len(order)] = broker


@dataclass
class RackList:
    """Racks as Kafka walks them, one further with each partition."""

    racks: list[BrokerList]
    names: list[int]
    offset: int
    epoch: int = 0

    def replicas(self, factor: int) -> list[int]:
        leader_rack = self.offset
        while (leader := self.racks[self.names[leader_rack]].next(self.epoch)) < 0:
            leader_rack = (leader_rack + 1) % len(self.names)
        found, position, skip = [leader], self.offset, leader_rack
        while len(found) < factor:
            if position == skip:
                skip = -1  # the leader's rack has had its first turn
            elif (follower := self.racks[self.names[position]].next(self.epoch)) >= 0:
                found.append(follower)
            position = (position + 1) % len(self.names)
        self.epoch, self.offset = self.epoch + 1, (self.offset + 1) % len(self.names)
        return found

    def shuffled_to(self, rack_order: list[int], broker_order: list[list[int]]) -> None:
        self.epoch = 0
        for turn, name in enumerate(rack_order):
            self.names[(self.offset + turn) % len(rack_order)] = name
        for rack, order in zip(self.racks, broker_order, strict=True):
            rack.shuffled_to(order)


def step_by_step(
    counts: list[int], sizes: tuple[int, ...], factor: int, orders: list[tuple[list[int], list[list[int]]]]
) -> list[list[int]]:
    """Every topic's partitions one after another, with the racks and brokers of each run in the given order."""
    members = [list(range(end - size, end)) for end, size in zip(itertools.accumulate(sizes), sizes, strict=True)]
    rounds = iter(orders)
    assignment = []
    for count in counts:
        rack_order, broker_order = next(rounds)
        lists = []
        for name, (brokers, order) in enumerate(zip(members, broker_order, strict=True)):
            start = order[0] - brokers[0]
            assert order == brokers[start:] + brokers[:start]  # a topic begins with a rotation
            waits = rack_order.index(name) >= factor  # then its first use is already a step
            lists.append(BrokerList(list(brokers), (start - waits) % len(brokers)))
        assert rack_order == [(rack_order[0] + turn) % len(sizes) for turn in range(len(sizes))]
        racks = RackList(lists, list(range(len(sizes))), rack_order[0])
        for _ in range(count):
            if racks.epoch == sum(sizes) > 1:
                racks.shuffled_to(*next(rounds))
            assignment.append(racks.replicas(factor))
    assert next(rounds, None) is None or sum(sizes) == 1
    return assignment


LAYOUTS = [
    (1,),
    (3,),
    (1, 1),
    (1, 1, 1),
    (2, 1, 1),
    (2, 2, 1),
    (2, 2, 2),
    (3, 3, 3),
    (3, 2, 2),
    (3, 1, 1),
    (4, 4),
    (1, 1, 1, 1, 1, 1),
    (4, 4, 4),
    (2, 2, 2, 2),
    (5, 3, 1, 1),
    (2, 1, 1, 1, 1, 1),
]
CASES = [(sizes, factor) for sizes in LAYOUTS for factor in range(1, min(sum(sizes), 7) + 1)]


@pytest.mark.parametrize(("sizes", "factor"), CASES)
def test_a_placer_written_step_by_step(sizes: tuple[int, ...], factor: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same shuffles give the same replicas, partition by partition."""
    begins = np.cumsum(sizes) - sizes
    orders: list[tuple[list[int], list[list[int]]]] = []
    draw = placement._draws

    def drawn(first: Any, racks: tuple[int, ...], generator: np.random.Generator) -> tuple[Integers, ...]:
        found = draw(first, racks, generator)
        rack_order, broker_order = placement._orders(first, racks, found)
        for one_rack, one_broker in zip(rack_order.tolist(), broker_order, strict=True):
            rows = [(row[:size] + begin).tolist() for row, size, begin in zip(one_broker, racks, begins, strict=True)]
            orders.append((one_rack, rows))
        return found

    monkeypatch.setattr(placement, "_draws", drawn)
    counts = [5 * sum(sizes) + 1, 1, sum(sizes), 40, 3]
    ours = place(np.array(counts), sizes, factor, np.random.default_rng([9, factor, *sizes]))
    assert ours.tolist() == step_by_step(counts, sizes, factor, orders)


def test_the_example_of_kafkas_documentation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Racks A, B and C of three brokers, no offsets: (A0, B0, C0), (B1, C1, A1), (C2, A2, B2)."""
    drawn = np.array([[0, 1, 2]]), np.zeros((1, 3), dtype=np.intp), np.zeros((0, 3, 3), dtype=np.intp)
    monkeypatch.setattr(placement, "_draws", lambda *_: drawn)
    names = np.array([f"{rack}{broker}" for rack in "ABC" for broker in range(3)])
    ours = names[place(np.array([3]), (3, 3, 3), 3, np.random.default_rng(0))]
    assert ours.tolist() == [["A0", "B0", "C0"], ["B1", "C1", "A1"], ["C2", "A2", "B2"]]


def test_orders_are_rotated_first_and_shuffled_then() -> None:
    """Every rotation and every permutation equally often, by chi-square; racks and brokers independent."""
    first = np.tile([True, False], 30_000)
    sizes = (3, 2, 4)
    racks, brokers = placement._orders(first, sizes, placement._draws(first, sizes, np.random.default_rng(5)))
    for starts, values in ((True, 3), (False, 6)):
        chosen = racks[first == starts], brokers[first == starts, 0, :3], brokers[first == starts, 2]
        assert brokers[first == starts, 1, :2].min() == 0
        assert brokers[first == starts, 1, :2].max() == 1
        for table, kinds in ((chosen[0], values), (chosen[1], values), (chosen[2], 4 if starts else 24)):
            _, found = np.unique(table, axis=0, return_counts=True)
            assert len(found) == kinds
            assert stats.chisquare(found).pvalue > RARE
        together = np.unique(np.column_stack([chosen[0], chosen[1]]), axis=0, return_counts=True)[1]
        assert len(together) == values**2
        assert stats.chisquare(together).pvalue > RARE


@pytest.mark.parametrize("racks", range(1, 7))
@pytest.mark.parametrize("size", range(1, 10))
def test_leader_concentration_is_what_a_run_shows(racks: int, size: int) -> None:
    """A run of B partitions has B/g leaders, each of g partitions."""
    brokers = racks * size
    for factor in range(1, min(brokers, 6) + 1):
        concentration = leader_concentration(brokers, racks, factor)
        leaders = counted(placed(brokers, (size,) * racks, factor, 3)[:, :, 0], brokers)
        assert [np.unique(row[row > 0]).tolist() for row in leaders] == 3 * [[concentration]]


def test_leader_concentration_beside_the_rule() -> None:
    assert leader_concentration(7, 3, 3) == 1  # no closed form
    assert leader_concentration(2, 3, 2) == 1  # two brokers are two racks
    rows = [row for row in RUNS["rows"] if row["concentration"]]
    ours = [leader_concentration(row["brokers"], row["racks"] or 1, row["replication_factor"]) for row in rows]
    assert ours == [row["concentration"] for row in rows]


clusters = st.lists(st.integers(1, 5), min_size=1, max_size=5).flatmap(
    lambda sizes: st.tuples(st.just(tuple(sizes)), st.integers(1, sum(sizes)))
)


@given(cluster=clusters, counts=st.lists(st.integers(1, 60), min_size=1, max_size=4), seed=st.integers(0, 2**32))
def test_replicas_stay_apart(cluster: tuple[tuple[int, ...], int], counts: list[int], seed: int) -> None:
    sizes, factor = cluster
    ours = place(np.array(counts), sizes, factor, np.random.default_rng(seed))
    assert ours.shape == (sum(counts), factor)
    assert ours.min() >= 0
    assert ours.max() < sum(sizes)
    assert all(len(set(replicas)) == factor for replicas in ours.tolist())
    held = counted(rack_of_broker(sizes)[ours], len(sizes))
    # racks fill evenly: a rack with less than another has no broker left
    short = held < held.max(axis=1, keepdims=True) - 1
    assert (held[short] == np.broadcast_to(sizes, held.shape)[short]).all()
    again = place(np.array(counts), sizes, factor, np.random.default_rng(seed))
    assert again.tolist() == ours.tolist()


@given(brokers=st.integers(1, 200), racks=st.integers(1, 20))
def test_racks_are_as_even_as_they_can_be(brokers: int, racks: int) -> None:
    sizes = rack_sizes(brokers, racks)
    assert sum(sizes) == brokers
    assert len(sizes) == min(racks, brokers)
    assert sorted(sizes, reverse=True) == list(sizes)
    assert sizes[0] - sizes[-1] <= 1
    assert np.bincount(rack_of_broker(sizes)).tolist() == list(sizes)
    assert (np.diff(rack_of_broker(sizes)) >= 0).all()


def test_the_measured_followers_are_one_of_the_placements() -> None:
    """24 partitions in two racks of two: 6, 4, 4 and 6 idle fetches a second were two for each follower."""
    assignment = placed(24, (2, 2), 3, 2000)
    follows = np.zeros((2000, 4, 4), dtype=bool)
    for replica in (1, 2):
        follows[np.arange(2000)[:, None], assignment[:, :, 0], assignment[:, :, replica]] = True
    per_leader, per_follower = follows.sum(axis=2), follows.sum(axis=1)
    measured = np.array([6, 4, 4, 6]) / 2
    assert ((per_leader == measured).all(axis=1) | (per_follower == measured).all(axis=1)).any()


# better counts


def gathered(brokers: int, racks: int, factor: int) -> bool:
    """Whether a simulated run of B partitions leaves a broker without a leader."""
    leaders = placed(brokers, (brokers // racks,) * racks, factor, 1)[0, :, 0]
    return len(np.unique(leaders)) < brokers


@pytest.mark.parametrize("racks", [1, 2, 3, 4, 6])
@pytest.mark.parametrize("brokers", range(1, 40))
def test_better_counts_are_the_nearest_that_a_run_spreads_over(racks: int, brokers: int) -> None:
    for factor in range(1, 5):
        lower, higher = counts_without_concentration(brokers, racks, [factor])
        assert higher % racks == 0
        assert higher > brokers
        assert not gathered(higher, racks, factor)
        assert lower is None or (lower < brokers and not gathered(lower, racks, factor))
        # every other multiple between them gathers leaders, or holds too few replicas
        least = -(-max(factor, racks) // racks) * racks
        between = range(max(least, (lower or 0) + 1), higher)
        assert all(gathered(count, racks, factor) for count in between if count % racks == 0 and count != brokers)


def test_better_counts_suit_every_replication_factor() -> None:
    """Three zones: RF 2 needs B/3 odd, RF 3 needs it free of 3: 3, 15, 21, 33 brokers."""
    found = [counts_without_concentration(brokers, 3, [2, 3]) for brokers in (9, 15, 20, 21)]
    assert found == [(3, 15), (3, 21), (15, 21), (15, 33)]


# peers


@given(cluster=clusters, counts=st.lists(st.integers(1, 30), min_size=1, max_size=3), seed=st.integers(0, 2**32))
def test_peers_are_those_that_share_a_partition(
    cluster: tuple[tuple[int, ...], int], counts: list[int], seed: int
) -> None:
    sizes, factor = cluster
    brokers = sum(sizes)
    ours = place(np.array(counts), sizes, factor, np.random.default_rng(seed))
    shared: list[set[int]] = [set() for _ in range(brokers)]
    for replicas in ours.tolist():
        for broker in replicas:
            shared[broker] |= set(replicas) - {broker}
    assert peer_counts(assignments=[ours], brokers=brokers).tolist() == [len(others) for others in shared]
    halves = [ours[: len(ours) // 2], ours[len(ours) // 2 :]]
    assert peer_counts(assignments=halves, brokers=brokers).tolist() == [len(others) for others in shared]


@pytest.mark.parametrize(("racks", "factor", "partitions"), [(4, 2, 2), (4, 3, 2), (2, 2, 3), (3, 2, 3)])
def test_random_peers_over_every_random_placement(racks: int, factor: int, partitions: int) -> None:
    """All ways to choose brokers of distinct racks for each partition, equally likely."""
    size = 1 if racks == 4 else 2
    brokers = racks * size
    ways = [
        choice
        for choice in itertools.combinations(range(brokers), factor)
        if len({broker // size for broker in choice}) == factor
    ]
    found = [
        len({other for replicas in chosen if 0 in replicas for other in replicas} - {0})
        for chosen in itertools.product(ways, repeat=partitions)
    ]
    ours = random_peers(brokers=brokers, brokers_per_rack=size, replication_factor=factor, partitions=partitions)
    assert float(ours) == pytest.approx(np.mean(found), rel=1e-12)


def test_random_peers_of_a_large_cluster() -> None:
    """Against a simulation: 30 brokers in 3 racks, 40 partitions, 4,000 random placements."""
    generator = np.random.default_rng(3)
    offsets = generator.integers(10, size=(4000, 40, 3))
    together = (offsets[:, :, 0] == 0)[:, :, None]  # partitions of the first broker
    found = [
        sum(len(np.unique(one[rows[:, 0], rack])) for rack in (1, 2))
        for one, rows in zip(offsets, together, strict=True)
    ]
    error = np.std(found) / np.sqrt(len(found))
    ours = random_peers(brokers=30, brokers_per_rack=10, replication_factor=3, partitions=40)
    assert abs(float(ours) - np.mean(found)) < DEVIATIONS * error


@pytest.mark.parametrize(("size", "runs"), [(3, 1), (3, 4), (5, 2), (5, 10), (8, 30)])
def test_a_run_meets_one_broker_of_each_other_rack(size: int, runs: int) -> None:
    """RF = A: all racks step together, so a run pairs each broker with one of each other rack, the next with another.

    After R runs a broker of another rack was missed with chance (1 - 1/size)^R: fewer peers than random placement has.
    """
    brokers, seeds = 3 * size, 400
    assignments = placed(brokers * runs, (size,) * 3, 3, seeds)
    found = np.array([peer_counts(assignments=[one], brokers=brokers).mean() for one in assignments])
    expected = 2 * size * (1 - (1 - 1 / size) ** runs)
    error = found.std(ddof=1) / np.sqrt(seeds)
    assert abs(found.mean() - expected) <= DEVIATIONS * error + 1e-9
    even = random_peers(brokers=brokers, brokers_per_rack=size, replication_factor=3, partitions=brokers * runs)
    assert found.mean() < float(even)


def test_no_peers() -> None:
    assert float(random_peers(brokers=1, brokers_per_rack=1, replication_factor=1, partitions=5)) == 0
    assert float(random_peers(brokers=3, brokers_per_rack=1, replication_factor=3, partitions=1)) == 2
    assert float(random_peers(brokers=6, brokers_per_rack=2, replication_factor=1, partitions=9)) == 0


# volumes


@given(
    brokers=st.lists(st.integers(0, 4), max_size=60).map(lambda found: np.array(found, dtype=np.intp)),
    volumes=st.integers(1, 5),
)
def test_a_replica_goes_where_the_fewest_are(brokers: Integers, volumes: int) -> None:
    """Directories counted one by one, the first of the emptiest taken, as the broker does it."""
    held = {broker: [0] * volumes for broker in range(5)}
    expected = []
    for broker in brokers.tolist():
        volume = held[broker].index(min(held[broker]))
        held[broker][volume] += 1
        expected.append(volume)
    assert volume_of_replica(brokers_of_replicas=brokers, volumes=volumes).tolist() == expected
