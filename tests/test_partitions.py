"""Partition counts against published cases, brute force and groups dealt out one by one."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.constants import data_path
from planner.model import partitions
from tests.elementwise import check_element_by_element

PUBLISHED: dict[str, dict[str, Any]] = {
    case["id"]: case for case in json.loads(data_path("published_cases.json").read_text(encoding="utf-8"))
}


def both_sides(target: float, produce: float, consume: float) -> float:
    """Rao's rule: the larger of what producers and what consumers need, for rates in one unit."""
    made = partitions.partitions_for_produce(peak_bytes_per_s=target, partition_bytes_per_s=produce)
    read = partitions.partitions_for_consume(
        peak_bytes_per_s=target, partition_bytes_per_s=consume, peak_records_per_s=1.0, member_records_per_s=math.inf
    )
    return largest(produce=float(made), consume=float(read))


def largest(**reasons: float) -> float:
    named = ("produce", "consume", "parallelism", "processing", "growth", "hot_key", "spread")
    return float(partitions.partitions_needed(**{f"{name}_count": reasons.get(name, 0.0) for name in named}))


@pytest.mark.parametrize(
    ("target", "produce", "consume", "count"), [(100, 10, 20, 10), (100, 20, 10, 10), (55, 10, 50, 5.5), (0, 1, 1, 0)]
)
def test_raos_rule(target: float, produce: float, consume: float, count: float) -> None:
    assert both_sides(target, produce, consume) == count


def test_published_counts() -> None:
    given, said = (PUBLISHED["purbon-partitions"][key] for key in ("inputs", "outputs"))
    count = both_sides(given["target_MBps"], given["write_MBps_per_partition"], given["read_MBps_per_partition"])
    assert math.ceil(count) == said["partitions_by_throughput"] == 2

    given, said = (PUBLISHED["krivaltsevich-tier1"][key] for key in ("inputs", "outputs"))
    target = given["events_per_s"] * given["event_bytes"] / 1e6
    assert both_sides(target, given["Tp_MBps"], given["Tc_MBps"]) == said["partitions_min"] == 128


def test_codingace_partitions() -> None:
    given, said = (PUBLISHED["codingace-partitions"][key] for key in ("inputs", "outputs"))
    peak = given["msgs_per_s"] * given["msg_bytes"] * given["peak_x"] / 2**20
    budget = given["write_MBps_per_partition"] * given["utilization"]
    assert round(peak, 1) == said["peak_MBps"]
    assert budget == said["per_partition_budget_MBps"] == 3.5
    raw = both_sides(peak, budget, math.inf)
    assert raw == pytest.approx(71.53 / 3.5, abs=0.002)
    # 21 by throughput; the page rounds on to 24, a multiple of its six brokers, and so do we
    assert math.ceil(raw) == 21
    assert partitions.useful_count(raw, 1.2, multiple=6) == said["partitions_suggested"] == 24


def test_consumers_bound_by_records() -> None:
    # 12,000 records/s at 1500 each need eight members, three times as many as the bytes do
    count = partitions.partitions_for_consume(
        peak_bytes_per_s=50.0, partition_bytes_per_s=20.0, peak_records_per_s=12_000.0, member_records_per_s=1500.0
    )
    assert count == 8


@pytest.mark.parametrize(
    ("members", "headroom", "count"), [(50, 1.5, 75), (50, 2.0, 100), (7, 1.5, 11), (10, 1.1, 11), (0, 2.0, 0)]
)
def test_room_for_more_members(members: int, headroom: float, count: int) -> None:
    # chapter: 50 consumers, half more as headroom, 75 partitions
    ours = partitions.partitions_for_parallelism(members=members, partition_headroom=headroom)
    assert ours == count


def test_littles_law_on_a_queue() -> None:
    """Records that arrive evenly and take their time: how many are in work, counted at many moments."""
    rate, took = 400.0, 0.25
    arrived = np.arange(20_000) / rate
    moments = np.linspace(5.0, 45.0, 1001) + 1e-6
    in_work = (np.searchsorted(arrived, moments) - np.searchsorted(arrived, moments - took)).mean()
    ours = partitions.partitions_for_processing(peak_records_per_s=rate, processing_time_s=took)
    assert ours == 100
    assert in_work == pytest.approx(ours)


def test_growth_scales_what_depends_on_the_load() -> None:
    def grown(factor: float) -> float:
        return float(
            partitions.partitions_for_growth(
                produce_count=6.0, consume_count=9.5, processing_count=4.0, growth_factor=factor
            )
        )

    assert [grown(factor) for factor in (1, 2, 2.25)] == [9.5, 19, 21.375]


def test_each_reason_can_be_the_largest() -> None:
    names = ("produce", "consume", "parallelism", "processing", "growth", "hot_key", "spread")
    for name in names:
        assert largest(**{other: float(nth) for nth, other in enumerate(names)} | {name: 50.0}) == 50
    assert largest() == 0


@pytest.mark.parametrize(("share", "count"), [(0.5, 8), (0.0313, 8), (0.0312, 0), (0.0, 0)])
def test_large_topics_spread(share: float, count: int) -> None:
    # a quarter of one of eight brokers is 1/32 of the cluster
    assert partitions.partitions_for_spread(topic_share=share, brokers=8, broker_share_min=0.25) == count


@given(top=st.floats(0, 0.99), room=st.floats(1e-6, 1))
def test_a_hot_key_fits_exactly(top: float, room: float) -> None:
    """At the count asked for the hottest partition carries just what one can."""
    count = float(partitions.partitions_for_hot_key(top_key_fraction=top, partition_fraction=top + room))
    hottest = partitions.hottest_partition_fraction(top_key_fraction=top, partitions=count, crowding_fraction=0.0)
    assert hottest == pytest.approx(min(top + room, 1), rel=1e-9)


def test_a_key_beyond_a_partition_is_not_helped_by_more() -> None:
    for limit in (0.2, 0.3):
        assert partitions.partitions_for_hot_key(top_key_fraction=0.3, partition_fraction=limit) == 0
    assert partitions.hottest_partition_fraction(top_key_fraction=0.3, partitions=1e9, crowding_fraction=0.0) > 0.3


def test_the_hottest_partition_of_counted_records() -> None:
    # 1000 records: 280 of one key, 720 of others over 12 partitions, 60 on each
    # and 20 more where frequent keys meet
    share = partitions.hottest_partition_fraction(top_key_fraction=0.28, partitions=12, crowding_fraction=0.02)
    assert float(share) * 1000 == pytest.approx(280 + 60 + 20)


@pytest.mark.parametrize("exponent", [0, 0.5, 0.9, 1 - 1e-9, 1, 1 + 1e-8, 1.2, 2, 9])
def test_zipf_sums_added_up(exponent: float) -> None:
    terms = np.arange(1, 2_000_001, dtype=float) ** -exponent
    for keys in (1, 2, 999, 1000, 1001, 1500, 40_000, 2_000_000):
        assert float(partitions.zipf_sum(keys, exponent)) == pytest.approx(math.fsum(terms[:keys]), rel=1e-12)


def test_zipf_sums_that_are_known() -> None:
    # the 10**9th harmonic number is ln n + Euler's constant + 1 / (2 n), zeta(2) is pi**2 / 6
    assert float(partitions.zipf_sum(1e9, 1)) == pytest.approx(math.log(1e9) + np.euler_gamma + 5e-10, rel=1e-14)
    assert float(partitions.zipf_sum(1e15, 2)) == pytest.approx(math.pi**2 / 6, rel=1e-14)
    assert float(partitions.zipf_sum(0, 1)) == 1
    assert np.asarray(partitions.zipf_sum(np.array([1, 2, 4]), np.array([1.0, 1.0, 0.0]))).tolist() == [1, 1.5, 4]


def test_the_most_frequent_key() -> None:
    # four keys of 1, 1/2, 1/3 and 1/4: 12 of 25
    assert float(partitions.zipf_top_fraction(unique_keys=4, zipf_exponent=1)) == pytest.approx(12 / 25)
    assert float(partitions.zipf_top_fraction(unique_keys=1, zipf_exponent=1.3)) == 1


def dividing(number: int) -> list[int]:
    return [small for small in range(1, number + 1) if number % small == 0]


@pytest.mark.parametrize("number", [*range(1, 300), 720, 997, 1024, 5040])
def test_divisors_tried_one_by_one(number: int) -> None:
    assert partitions.divisors(number) == dividing(number)


@given(
    raw=st.floats(0, 400) | st.integers(0, 400).map(float),
    stretch=st.floats(1, 2),
    multiple=st.integers(1, 40),
    ceiling=st.floats(0.5, 500) | st.just(math.inf),
)
def test_useful_counts(raw: float, stretch: float, multiple: int, ceiling: float) -> None:
    ours = partitions.useful_count(raw, stretch, multiple, ceiling)
    # at most a billionth of rounding noise below what is needed, and never more than may be
    assert ours >= max(1, raw - 1e-9)
    least = max(1, math.ceil(raw - 1e-9))
    assert ours == least or ours <= min(raw * stretch, ceiling)
    if least <= 3:
        assert ours == least
        return
    allowed = [count for count in range(least, 900) if count == least or count <= min(raw * stretch, ceiling)]
    preferred = [count for count in allowed if count % multiple == 0] or allowed
    most = max(len(dividing(count)) for count in preferred)
    assert ours == next(count for count in preferred if len(dividing(count)) == most)


def test_useful_counts_by_hand() -> None:
    assert partitions.useful_count(7.3, 1.2) == 8  # one to choose from
    assert partitions.useful_count(16.0, 1.2) == 18  # five divisors against six
    assert partitions.useful_count(50.0, 1.2) == 60
    assert partitions.useful_count(50.0, 1.2, multiple=9) == 54
    assert partitions.useful_count(50.0, 1.2, multiple=47) == 60  # no multiple near
    assert partitions.useful_count(50.0, 1.2, ceiling=59.5) == 54  # 54 and 56 have eight divisors, 54 comes first
    assert partitions.useful_count(50.0, 1.2, ceiling=10) == 50  # what is needed stays
    assert partitions.useful_count(9000.0, 1.2) == 10_080  # 72 divisors, more than any smaller number


def test_huge_counts_only_spread_over_the_brokers() -> None:
    assert partitions.useful_count(1e6, 1.2) == 1_000_000
    assert partitions.useful_count(999_999.5, 1.2, multiple=7) == 7 * 142_858
    assert partitions.useful_count(1e6, 1.2, multiple=7, ceiling=1_000_003) == 1_000_000


@given(count=st.integers(1, 200), members=st.integers(0, 250))
def test_waste_of_a_group_dealt_out(count: int, members: int) -> None:
    """Partitions go round the members; while the fullest works at its limit the others wait for the topic."""
    owned = [0] * members
    for partition in range(count if members else 0):
        owned[partition % members] += 1
    idle = sum(max(owned) - mine for mine in owned) / (members * max(owned)) if members else 0
    assert partitions.wasted_fraction(count, members) == pytest.approx(idle, abs=1e-12)
    assert (partitions.wasted_fraction(count, members) == 0) == (members == 0 or members in partitions.divisors(count))


def test_arrays_give_what_floats_give() -> None:
    rate, each, count, share = (0.0, 1e9), (1e6, 1e8), (0.0, 1000.0), (0.0, 1.0)
    check_element_by_element(partitions.partitions_for_produce, peak_bytes_per_s=rate, partition_bytes_per_s=each)
    check_element_by_element(
        partitions.partitions_for_consume,
        peak_bytes_per_s=rate,
        partition_bytes_per_s=each,
        peak_records_per_s=(0.0, 1e6),
        member_records_per_s=(1.0, math.nextafter(1e6, 0)),
    )
    check_element_by_element(
        partitions.partitions_for_processing, peak_records_per_s=(0.0, 1e6), processing_time_s=(0.0, 10.0)
    )
    check_element_by_element(partitions.partitions_for_parallelism, members=(0, 500), partition_headroom=(1.0, 3.0))
    check_element_by_element(
        partitions.hottest_partition_fraction, top_key_fraction=share, partitions=(1, 1000), crowding_fraction=share
    )
    check_element_by_element(partitions.partitions_for_hot_key, top_key_fraction=share, partition_fraction=(0.01, 2.0))
    check_element_by_element(partitions.zipf_top_fraction, unique_keys=(1, 10**6), zipf_exponent=(0.0, 3.0))
    check_element_by_element(
        partitions.partitions_for_spread, topic_share=share, brokers=(1, 100), broker_share_min=(0.1, 0.5)
    )
    check_element_by_element(
        partitions.partitions_for_growth,
        produce_count=count,
        consume_count=count,
        processing_count=count,
        growth_factor=(0.5, 4.0),
    )
    check_element_by_element(
        partitions.partitions_needed,
        produce_count=count,
        consume_count=count,
        parallelism_count=count,
        processing_count=count,
        growth_count=count,
        hot_key_count=count,
        spread_count=count,
    )
