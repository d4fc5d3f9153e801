"""The fewest moves against an optimum found by integer programming, and the promises of every assignment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

from planner.model import reassignment
from planner.model.placement import place, rack_of_broker
from planner.model.reassignment import Flags, Integers
from planner.model.types import Array


def moves_of(before: Integers, after: Integers) -> int:
    """Replicas on a broker that did not have the partition."""
    return sum(len(set(new) - set(old) - {-1}) for new, old in zip(after.tolist(), before.tolist(), strict=True))


def solved(
    cost: Array, fixed: Array, allowed: Array, case: dict[str, Any], columns: Sequence[tuple[int, float, float]]
) -> Any:
    """An assignment by integer programming: some replicas fixed, some allowed, the counts of some brokers bounded.

    The last variable is the count of the fullest broker.
    """
    partitions, brokers = allowed.shape
    rows, low, high = [], [], []

    def demand(chosen: Array, least: float, most: float, top: float = 0.0) -> None:
        rows.append(np.append(chosen.ravel(), top))
        low.append(least)
        high.append(most)

    for partition in range(partitions):
        whole = np.zeros((partitions, brokers))
        whole[partition] = 1
        demand(whole, case["wanted"][partition], case["wanted"][partition])
        for near in set(case["rack"].tolist()):
            demand(whole * (case["rack"] == near), 0, case["limit"][partition])
    for broker, least, most in columns:
        column = np.zeros((partitions, brokers))
        column[:, broker] = 1
        demand(column, least, most)
        demand(column, -np.inf, 0, -1.0)
    return milp(
        cost,
        constraints=LinearConstraint(np.array(rows), low, high),
        integrality=np.ones(cost.size),
        bounds=Bounds(np.append(fixed.ravel(), 0), np.append(allowed.ravel(), np.inf)),
    )


def optimum(before: Integers, wanted: Integers, rack: Integers, live: Flags, limit: list[int]) -> int | None:
    """Fewest moves to an even assignment, over all of them; None when none is even."""
    partitions, brokers = len(before), len(rack)
    cost = np.ones((partitions, brokers))
    for partition, broker in np.argwhere(before >= 0):
        cost[partition, before[partition, broker]] = 0
    share = wanted.sum() / live.sum()
    columns = [
        (broker, *((np.floor(share), np.ceil(share)) if live[broker] else (0.0, 0.0))) for broker in range(brokers)
    ]
    case = {"wanted": wanted, "rack": rack, "limit": limit}
    found = solved(np.append(cost.ravel(), 0), np.zeros_like(cost), np.ones_like(cost), case, columns)
    return None if found.x is None else round(found.fun)


def check_promises(before: Integers, after: Integers, rack: Integers, live: Flags, limit: list[int]) -> None:
    for old, new, most in zip(before.tolist(), after.tolist(), limit, strict=True):
        row = [broker for broker in new if broker >= 0]
        assert len(row) == len(set(row))
        assert all(live[broker] for broker in row)
        assert max(np.bincount(rack[row])) <= most
        kept = [broker for broker in row if broker in old]
        assert kept == [broker for broker in old if broker in kept]  # the order of those that stay


@st.composite
def clusters(draw: st.DrawFn, *, rack_safe: bool = True) -> dict[str, Any]:
    """Small clusters with racks of any size, mixed replication factors, brokers that are new and brokers that go."""
    brokers = draw(st.integers(2, 7))
    rack = np.array(draw(st.lists(st.integers(0, 3), min_size=brokers, max_size=brokers)))
    if draw(st.booleans()):
        rack = np.arange(brokers) % draw(st.integers(1, 4))
    live = np.array(draw(st.lists(st.booleans(), min_size=brokers, max_size=brokers)))
    live[draw(st.integers(0, brokers - 1))] = True
    most = min(int(live.sum()), 3)
    wanted = np.array(draw(st.lists(st.integers(1, most), min_size=1, max_size=8)))
    if draw(st.booleans()):
        wanted[:] = most
    sizes = np.bincount(rack[live], minlength=int(rack.max()) + 1).tolist()
    limit = [reassignment.rack_limit(int(copies), sizes) for copies in wanted]
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    holders = np.flatnonzero(generator.random(brokers) < 0.7)
    before = np.full((len(wanted), int(wanted.max())), -1)
    for row, copies, allowed in zip(before, wanted, limit, strict=True):
        among = holders if len(holders) >= copies else np.arange(brokers)
        row[:copies] = generator.choice(among, copies, replace=False)
        if rack_safe and max(np.bincount(rack[row[:copies]])) > allowed:
            row[:copies] = _spread(rack, int(copies), allowed, generator)
    return {
        "before": before,
        "wanted": wanted,
        "rack": rack,
        "live": live,
        "limit": limit,
        "weight": generator.random(len(wanted)),
    }


def _spread(rack: Integers, copies: int, allowed: int, generator: np.random.Generator) -> list[int]:
    chosen: list[int] = []
    for most in range(allowed, copies + 1):
        for broker in generator.permutation(len(rack)).tolist():
            near = sum(rack[other] == rack[broker] for other in chosen)
            if len(chosen) < copies and broker not in chosen and near < most:
                chosen.append(broker)
    return chosen


def rebalanced(case: dict[str, Any]) -> tuple[Integers, int]:
    return reassignment.rebalanced(case["before"], case["rack"], case["live"], case["weight"])


@settings(max_examples=300)
@given(case=clusters())
def test_the_fewest_moves(case: dict[str, Any]) -> None:
    after, bound = rebalanced(case)
    check_promises(case["before"], after, case["rack"], case["live"], case["limit"])
    best = optimum(case["before"], case["wanted"], case["rack"], case["live"], case["limit"])
    if best is not None:
        count = np.bincount(after[after >= 0], minlength=len(case["rack"]))[case["live"]]
        assert count.max() - count.min() <= 1
        assert bound <= best <= moves_of(case["before"], after)
        moved_from_racks = any(
            max(np.bincount(case["rack"][row])) > most
            for old, most in zip(case["before"].tolist(), case["limit"], strict=True)
            if (row := [broker for broker in old if broker >= 0 and case["live"][broker]])
        )
        if not moved_from_racks:
            assert moves_of(case["before"], after) == best


@settings(max_examples=100)
@given(case=clusters(rack_safe=False))
def test_racks_that_held_a_partition_twice(case: dict[str, Any]) -> None:
    after, bound = rebalanced(case)
    check_promises(case["before"], after, case["rack"], case["live"], case["limit"])
    best = optimum(case["before"], case["wanted"], case["rack"], case["live"], case["limit"])
    if best is not None:
        assert bound <= best <= moves_of(case["before"], after) <= best + len(case["wanted"])
    again, _ = rebalanced({**case, "before": after})
    assert moves_of(after, again) == 0


@settings(max_examples=200)
@given(case=clusters())
def test_brokers_that_go_leave_the_others_alone(case: dict[str, Any]) -> None:
    """Nobody who stays gives a replica away, and the fullest has at most one more than the flattest such assignment."""
    before, rack, live = case["before"], case["rack"], case["live"]
    after, least = reassignment.vacated(before, rack, live, case["weight"])
    check_promises(before, after, rack, live, case["limit"])
    kept = np.zeros((len(before), len(rack)))
    for partition, slot in np.argwhere(before >= 0):
        kept[partition, before[partition, slot]] = live[before[partition, slot]]
    assert least == case["wanted"].sum() - kept.sum()
    columns = [(broker, 0.0, np.inf) for broker in range(len(rack))]
    flattest = solved(np.append(np.zeros(kept.size), 1.0), kept, np.broadcast_to(live, kept.shape) * 1.0, case, columns)
    if flattest.x is None:  # a rack holds more of a partition than it need, now that others are smaller
        return
    assert moves_of(before, after) == least
    assert all(
        set(old) - {-1} - set(np.flatnonzero(~live)) <= set(new)
        for old, new in zip(before.tolist(), after.tolist(), strict=True)
    )
    count = np.bincount(after[after >= 0], minlength=len(rack))
    assert count.max() <= flattest.fun + 1


@settings(max_examples=200)
@given(case=clusters())
def test_new_brokers_take_their_share_and_nobody_else_receives(case: dict[str, Any]) -> None:
    """Wherever integer programming finds an assignment in which only new brokers receive, ours is one."""
    before, rack = case["before"], case["rack"]
    held = np.bincount(before[before >= 0], minlength=len(rack))
    new = held == 0
    sizes = np.bincount(rack).tolist()
    case["limit"] = [reassignment.rack_limit(int(copies), sizes) for copies in case["wanted"]]
    after, least = reassignment.widened(before, rack, new, case["weight"])
    check_promises(before, after, rack, np.ones(len(rack), dtype=bool), case["limit"])
    share = int(held.sum()) // len(rack)
    has = np.zeros((len(before), len(rack)))
    for partition, slot in np.argwhere(before >= 0):
        has[partition, before[partition, slot]] = 1
    columns = [(broker, share if fresh else 0, share if fresh else held[broker]) for broker, fresh in enumerate(new)]
    alone = solved(np.zeros(has.size + 1), np.zeros_like(has), np.maximum(has, new), case, columns)
    if alone.x is None or len(reassignment.fair_pools(case["wanted"], rack, np.ones(len(rack), dtype=bool))) > 1:
        return
    count = np.bincount(after[after >= 0], minlength=len(rack))
    assert moves_of(before, after) == least == share * new.sum()
    assert (count[new] == share).all()
    assert (count <= np.maximum(held, share)).all()


@given(held=st.lists(st.integers(0, 30), min_size=1, max_size=8), total=st.integers(0, 200))
def test_levels_by_trying_them_all(held: list[int], total: int) -> None:
    """Cut from above or raised from below to one level: the fullest, or the emptiest, is as even as can be."""
    found = reassignment._levelled(total, np.array(held))
    assert found.sum() == total
    if total <= sum(held):
        assert (found <= held).all()
        least = next(level for level in range(31) if sum(min(one, level) for one in held) >= total)
        assert found.max() <= least
    else:
        assert (found >= held).all()
        most = next(level for level in range(200, -1, -1) if sum(max(one, level) for one in held) <= total)
        assert found.min() >= most


def test_what_waits_by_the_hundred_is_placed_in_bulk(monkeypatch: pytest.MonkeyPatch) -> None:
    """As even as by chains, and with as few moves: one rack gets smaller, a third of the partitions may leave it."""
    each, sizes = np.full(60, 20), (5, 5, 5)
    three = place(each, sizes, 3, np.random.default_rng(1))
    two = np.pad(place(each[:20], sizes, 2, np.random.default_rng(2)), ((0, 0), (0, 1)), constant_values=-1)
    before, rack = np.concatenate((three, two)), rack_of_broker(sizes)
    live = np.arange(15) != 7
    found = []
    for many in (10, 10**9):
        monkeypatch.setattr(reassignment, "_MANY", many)
        after, least = reassignment.rebalanced(before, rack, live, np.ones(len(before)))
        check_promises(before, after, rack, live, [1] * len(before))
        count = np.bincount(after[after >= 0], minlength=15)[live]
        assert count.max() - count.min() <= 1
        found.append(moves_of(before, after))
        assert least <= found[-1]
    assert found[0] <= 1.02 * found[1]


def test_the_search_for_chains_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """When it has looked at enough, what waits goes where there is least: all is placed, rack-safe, less even."""
    sizes = (3, 3, 3)
    three = place(np.full(6, 20), sizes, 3, np.random.default_rng(1))
    two = np.pad(place(np.full(4, 20), sizes, 2, np.random.default_rng(2)), ((0, 0), (0, 1)), constant_values=-1)
    before, rack, live = np.concatenate((three, two)), rack_of_broker(sizes), np.arange(9) != 4
    monkeypatch.setattr(reassignment, "_EFFORT", 0)
    after, _ = reassignment.rebalanced(before, rack, live, np.ones(len(before)))
    check_promises(before, after, rack, live, [1] * len(before))
    assert ((after >= 0).sum(axis=1) == (before >= 0).sum(axis=1)).all()


@pytest.mark.parametrize(
    ("brokers", "zones", "now", "partitions", "topics"),
    [
        (6, 3, 9, 30, 1),
        (9, 3, 12, 360, 1),
        (12, 3, 9, 240, 10),
        (6, 1, 7, 100, 4),
        (25, 5, 20, 4000, 100),
        (7, 3, 9, 70, 2),
    ],
)
def test_kafkas_own_placements(brokers: int, zones: int, now: int, partitions: int, topics: int) -> None:
    sizes = tuple(brokers // zones + (zone < brokers % zones) for zone in range(zones))
    each = np.full(topics, partitions // topics)
    before = place(each, sizes, 3, np.random.default_rng(5))
    rack = np.concatenate((rack_of_broker(sizes), np.arange(max(now - brokers, 0)) % zones)).astype(np.intp)
    live = np.full(len(rack), True)
    begins = np.cumsum(sizes) - sizes
    live[begins[: max(brokers - now, 0)]] = False  # one of each rack goes
    weight = np.random.default_rng(6).random(len(before))
    after, bound = reassignment.rebalanced(before, rack, live, weight)
    assert moves_of(before, after) == bound
    count = np.bincount(after.ravel(), minlength=len(rack))[live]
    # adding to balanced brokers moves what the new ones hold; nothing else
    if now > brokers:
        assert bound <= before.size - before.size * brokers // now + brokers
    for near in set(rack[live].tolist()) if zones == 3 else ():
        inside = count[rack[live] == near]
        assert inside.max() - inside.min() <= 1
    led = np.bincount(after[:, 0], minlength=len(rack))[live]
    led_before = np.bincount(before[:, 0], minlength=len(rack))
    assert led.max() - led.min() <= max(2, np.ptp(led_before[led_before > 0]))
    stored = np.bincount(after.ravel(), np.repeat(weight, 3), len(rack))[live]
    even = stored / count * count.mean()
    assert even.max() < 1.25 * even.mean()
    again, _ = reassignment.rebalanced(before, rack, live, weight)
    assert (again == after).all()


def test_racks_that_limit_shares_only_in_fractions() -> None:
    # three replicas on five brokers, two of them in one rack that may hold one: 0.6 each is too much for that rack, but
    # no broker with two and none moved is as even as can be
    before, rack = np.array([[0, 1, 2]]), np.array([1, 2, 3, 0, 0])
    after, bound = reassignment.rebalanced(before, rack, np.full(5, True), np.ones(1))
    assert (after.tolist(), bound) == ([[0, 1, 2]], 0)


def test_an_odd_place_for_a_partition_that_waits() -> None:
    # broker 3 is gone; the replica can only go to broker 1, which gets the odd place of broker 2 or 6, and that one
    # serves broker 0 with the other partition
    before, rack = np.array([[2, 6, 3], [1, 2, 6]]), np.array([0, 1, 0, 1, 0, 0, 0])
    live = np.isin(np.arange(7), [0, 1, 2, 6])
    after, _ = reassignment.rebalanced(before, rack, live, np.ones(2))
    assert sorted(np.bincount(after.ravel(), minlength=7)[live].tolist()) == [1, 1, 2, 2]
    assert moves_of(before, after) == optimum(before, np.array([3, 3]), rack, live, [2, 2])


def test_a_whole_rack_goes() -> None:
    before = place(np.full(20, 20), (5, 5, 5, 5), 3, np.random.default_rng(5))
    rack, live = rack_of_broker((5, 5, 5, 5)), np.arange(20) >= 5
    after, bound = reassignment.rebalanced(before, rack, live, np.ones(len(before)))
    check_promises(before, after, rack, live, [1] * len(before))
    assert moves_of(before, after) == bound == int((before < 5).sum())
    assert np.bincount(after.ravel())[5:].tolist() == [80] * 15


def test_an_even_assignment_stays() -> None:
    before = place(np.array([60]), (2, 2, 2), 3, np.random.default_rng(1))
    after, bound = reassignment.rebalanced(before, rack_of_broker((2, 2, 2)), np.full(6, True), np.ones(60))
    assert bound == 0
    assert (after == before).all()


@pytest.mark.parametrize(
    ("rack", "before"),
    [
        # all that a broker above its share has to give is where the lacking broker's rack has it already
        ([0, 1, 3, 2, 2], [[4, 2], [4, 0], [4, 2]]),
        # the odd place goes to another broker of the pool
        ([0, 1, 2, 0, 2], [[3, 4], [1, 2], [1, 2], [4, 3]]),
        ([1, 2, 0, 1, 2], [[1, 3], [3, 1], [0, 2]]),
        # one partition only: most brokers stay empty
        ([0, 1, 2, 2], [[3, 0]]),
    ],
)
def test_chains_where_no_move_is_direct(rack: list[int], before: list[list[int]]) -> None:
    old, racks, live = np.array(before), np.array(rack), np.full(len(rack), True)
    after, bound = reassignment.rebalanced(old, racks, live, np.ones(len(old)))
    limit = [1] * len(old)
    check_promises(old, after, racks, live, limit)
    best = optimum(old, np.full(len(old), 2), racks, live, limit)
    assert moves_of(old, after) == best
    assert bound <= best


@settings(max_examples=100)
@given(case=clusters(), data=st.data())
def test_a_replacement_moves_what_the_old_broker_had(case: dict[str, Any], data: st.DataObject) -> None:
    brokers, rack = len(case["rack"]), case["rack"]
    old = data.draw(st.sampled_from(sorted(set(case["before"][case["before"] >= 0].tolist()))))
    live = np.append(np.full(brokers, True), True)
    live[old] = False
    sizes = np.bincount(rack, minlength=int(rack.max()) + 1).tolist()
    limit = [
        max(reassignment.rack_limit(int(copies), sizes), *np.bincount(rack[row[row >= 0]]))
        for copies, row in zip(case["wanted"], case["before"], strict=True)
    ]
    near = np.append(rack, rack[old])
    after = reassignment.substituted(case["before"], near, live, case["weight"], [(old, brokers)])
    fits = all(
        max(np.bincount(rack[row[row >= 0]])) <= reassignment.rack_limit(int(copies), sizes)
        for copies, row in zip(case["wanted"], case["before"], strict=True)
    )
    if fits:
        assert np.array_equal(
            np.sort(after, axis=1), np.sort(np.where(case["before"] == old, brokers, case["before"]), axis=1)
        )
        check_promises(case["before"], after, near, live, limit)


def test_a_replacement_in_another_rack_goes_by_a_chain() -> None:
    # broker 4 comes in rack 1 for broker 0 of rack 0; rack 1 holds partition 0 already, so its replica goes to broker
    # 1, whose own partition makes room on broker 4
    before, rack = np.array([[0, 2], [1, 3], [0, 1]]), np.array([0, 0, 1, 2, 1])
    live = np.array([False, True, True, True, True])
    after = reassignment.substituted(before, rack, live, np.ones(3), [(0, 4)])
    check_promises(before, after, rack, live, [1, 1, 1])
    assert np.bincount(after.ravel(), minlength=5)[[1, 2, 3, 4]].sum() == 6
    assert moves_of(before, after) <= 4


def test_what_no_chain_reaches_goes_where_there_is_least() -> None:
    # the only live brokers of rack 1 hold the partition already, and the replacement shares their rack
    before, rack = np.array([[0, 1]]), np.array([0, 1, 1, 0])
    live = np.array([False, True, True, True])
    after = reassignment.substituted(before, rack, live, np.ones(1), [(0, 2)])
    assert after.tolist() == [[3, 1]]


@settings(max_examples=100)
@given(case=clusters(), more=st.integers(0, 2), fewer=st.integers(0, 2))
def test_another_replication_factor(case: dict[str, Any], more: int, fewer: int) -> None:
    before, brokers, rack = case["before"], len(case["rack"]), case["rack"]
    wanted = np.minimum(case["wanted"] + more, brokers)
    longer = reassignment.extended(before, rack, np.full(brokers, True), case["weight"], wanted)
    assert moves_of(before, longer) == int((wanted - case["wanted"]).sum())
    assert (longer[:, : before.shape[1]][before >= 0] == before[before >= 0]).all()
    sizes = np.bincount(rack, minlength=int(rack.max()) + 1).tolist()
    for old, row, copies in zip(before, longer, wanted, strict=True):
        held, had = rack[row[row >= 0]], rack[old[old >= 0]]
        assert len(held) == copies
        assert max(np.bincount(held)) <= max(reassignment.rack_limit(int(copies), sizes), *np.bincount(had))
    least = np.maximum(case["wanted"] - fewer, 1)
    shorter = reassignment.shortened(before, rack, case["weight"], least)
    assert moves_of(before, shorter) == 0
    assert ((shorter >= 0).sum(axis=1) == least).all()
    assert (shorter[:, 0] == before[:, 0]).all()


def test_replicas_are_taken_from_the_fullest() -> None:
    # 12 partitions at RF 3 on 6 brokers of 3 racks, six replicas each; at RF 2 four each
    before = place(np.array([12]), (2, 2, 2), 3, np.random.default_rng(2))
    after = reassignment.shortened(before, rack_of_broker((2, 2, 2)), np.ones(12), np.full(12, 2))
    assert sorted(np.bincount(after[after >= 0]).tolist()) == [4] * 6
    # and back: the same four more
    again = reassignment.extended(after, rack_of_broker((2, 2, 2)), np.full(6, True), np.ones(12), np.full(12, 3))
    assert np.bincount(again.ravel()).tolist() == [6] * 6


@given(sizes=st.lists(st.integers(0, 5), min_size=1, max_size=5).filter(any), data=st.data())
def test_the_rack_limit(sizes: list[int], data: st.DataObject) -> None:
    copies = data.draw(st.integers(1, sum(sizes)))
    limit = reassignment.rack_limit(copies, sizes)
    assert sum(min(limit, size) for size in sizes) >= copies
    assert sum(min(limit - 1, size) for size in sizes) < copies


def test_pools_of_unequal_racks() -> None:
    # 7 brokers in 3 racks at RF 3: each rack has one replica of each partition, however many brokers it has
    pools = reassignment.fair_pools(np.full(70, 3), rack_of_broker((3, 2, 2)), np.full(7, True))
    assert [(brokers.tolist(), total) for brokers, total in pools] == [([0, 1, 2], 70), ([3, 4, 5, 6], 140)]
    # at RF 2 an even share is possible
    pools = reassignment.fair_pools(np.full(70, 2), rack_of_broker((3, 2, 2)), np.full(7, True))
    assert [total for _, total in pools] == [140]
