"""How keys fall onto partitions: Kafka's own vectors, brute force, and what the command says of it."""

from __future__ import annotations

import itertools
import json
import math
import tracemalloc
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import planner
from planner.cli import cli
from planner.constants import constants, data_path
from planner.model import memory, skew
from planner.operations.counts import keys_of
from planner.operations.hot_keys import HotKey
from tests.elementwise import check_element_by_element
from tests.scenarios import scenario, topic

VECTORS = json.loads((Path(__file__).parent / "data" / "remap_vectors.json").read_text(encoding="utf-8"))
HASHES = VECTORS["murmur2_vectors"]


def murmur2(key: bytes) -> int:
    """The algorithm step by step, as its author wrote it down."""
    state = 0x9747B28C ^ len(key)
    for at in range(0, len(key) - len(key) % 4, 4):
        word = int.from_bytes(key[at : at + 4], "little") * 0x5BD1E995 & 0xFFFFFFFF
        word = (word ^ word >> 24) * 0x5BD1E995 & 0xFFFFFFFF
        state = (state * 0x5BD1E995 & 0xFFFFFFFF) ^ word
    rest = key[len(key) - len(key) % 4 :]
    if rest:
        state = (state ^ int.from_bytes(rest, "little")) * 0x5BD1E995 & 0xFFFFFFFF
    state = (state ^ state >> 13) * 0x5BD1E995 & 0xFFFFFFFF
    state ^= state >> 15
    return state - (1 << 32) if state >> 31 else state


# hashes


def test_every_vector_of_kafka() -> None:
    keys = [bytes.fromhex(row["key_hex"]) for row in HASHES]
    assert skew.murmur2(keys=keys).tolist() == [row["murmur2_int32"] for row in HASHES]
    for count in (6, 12, 50):
        assert skew.partition_of(keys=keys, partitions=count).tolist() == [
            row[f"partition_of_{count}"] for row in HASHES
        ]


@given(st.lists(st.binary(max_size=40), max_size=30))
def test_every_key_is_hashed_as_step_by_step(keys: list[bytes]) -> None:
    assert skew.murmur2(keys=keys).tolist() == [murmur2(key) for key in keys]


def test_keys_are_hashed_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [b"k" * (number * 7 % 40) + str(number).encode() for number in range(1000)]
    monkeypatch.setattr(skew, "_BLOCK_BYTES", 100)
    assert skew.murmur2(keys=keys).tolist() == [murmur2(key) for key in keys]
    assert skew.murmur2(keys=[]).tolist() == []


def test_one_long_key_does_not_make_the_others_take_its_room() -> None:
    keys = [b"k" * 100_000, *(str(number).encode() for number in range(20_000))]
    tracemalloc.start()
    skew.murmur2(keys=keys)
    assert tracemalloc.get_traced_memory()[1] < 64e6  # 2 GB if each had the width of the longest
    tracemalloc.stop()


def test_librdkafka_hashes_with_crc_32() -> None:
    # the check value of CRC-32 is that of the nine digits: 0xCBF43926
    assert skew.partition_of(keys=[b"123456789"], partitions=1000, librdkafka=True).tolist() == [0xCBF43926 % 1000]
    keys = [b"a", b"user-1"]
    assert skew.partition_of(keys=keys, partitions=7, librdkafka=True).tolist() == [zlib.crc32(k) % 7 for k in keys]


# the hottest partition


@pytest.mark.parametrize(
    ("unique", "exponent", "top", "count"),
    [
        (1000, 0.0, None, 100),
        (50_000, 0.9, None, 96),
        (200_000, 1.2, None, 12),
        (300, 0.5, None, 30),
        (20_000, 0.0, 0.1, 24),
    ],
)
def test_the_hottest_share_against_brute_force(unique: int, exponent: float, top: float | None, count: int) -> None:
    generator = np.random.default_rng(7)
    weights = np.arange(1, unique + 1, dtype=float) ** -exponent
    if top is not None:
        weights[1:] *= (1 - top) / weights[1:].sum()
        weights[0] = top
    weights /= weights.sum()
    drawn = [np.bincount(generator.integers(count, size=unique), weights, count).max() for _ in range(1000)]
    found = skew.hottest_partition(float(unique), exponent, top, count)
    # both are means over draws: 48 here, 1,000 there
    error = 4 * np.std(drawn) * math.sqrt(1 / 48 + 1 / 1000)
    assert found.mean_fraction == pytest.approx(np.mean(drawn), abs=error)
    assert found.p50_fraction <= found.p95_fraction
    many = skew.hottest_partition(float(unique), exponent, top, count, 1000)
    assert many.mean_fraction == pytest.approx(np.mean(drawn), abs=4 * np.std(drawn) * math.sqrt(2 / 1000))
    # as many drawn values lie below our quantile as should, within 4 standard errors of two samples
    for quantile, value in ((0.5, many.p50_fraction), (0.95, many.p95_fraction)):
        chance = 4 * math.sqrt(2 * quantile * (1 - quantile) / 1000)
        low, high = (np.quantile(drawn, min(max(quantile + sign * chance, 0), 1)) for sign in (-1, 1))
        assert low * (1 - 1e-9) <= value <= high * (1 + 1e-9)


def test_one_key_or_one_partition_carries_everything() -> None:
    assert skew.hottest_partition(1.0, 0.9, None, 50).mean_fraction == 1
    assert skew.hottest_partition(1.0, 0.9, 1.0, 50).mean_fraction == 1
    assert skew.hottest_partition(1e6, 0.9, None, 1).mean_fraction == pytest.approx(1)


@given(unique=st.integers(1, 10**9), exponent=st.floats(0, 3), count=st.integers(1, 500))
def test_the_hottest_share_is_a_share_and_at_least_even(unique: int, exponent: float, count: int) -> None:
    found = skew.hottest_partition(float(unique), exponent, None, count)
    assert 1 / count - 1e-9 <= found.p50_fraction <= found.p95_fraction <= 1
    assert 1 / count - 1e-9 <= found.mean_fraction <= 1


def test_given_keys_give_the_share_exactly() -> None:
    rows = [row for row in HASHES if row["key_hex"]][:6]
    keys = {bytes.fromhex(row["key_hex"]): float(number) for number, row in enumerate(rows, start=1)}
    by_hand: dict[int, float] = {}
    for row, weight in zip(rows, keys.values(), strict=True):
        by_hand[row["partition_of_6"]] = by_hand.get(row["partition_of_6"], 0) + weight / 21
    one = scenario(topic(partitions=6, records_per_s=10, consumers=[]))
    found = planner.partitions(one, topic="events", keys=keys).topics["events"].skew
    assert found.basis == "keys"
    assert found.hottest_fraction == pytest.approx(max(by_hand.values()))
    assert dict(found.hottest_partitions)[max(by_hand, key=lambda at: by_hand[at])] == pytest.approx(
        max(by_hand.values())
    )
    other = planner.partitions(one, topic="events", keys=keys, librdkafka=True).topics["events"].skew
    assert "CRC-32" in other.reason


def test_keys_drawn_from_a_distribution_fall_within_its_spread() -> None:
    keys = {f"user-{number:08d}".encode(): number**-0.9 for number in range(1, 100_001)}
    place = skew.partition_of(keys=list(keys), partitions=48)
    share = skew.partition_shares(partition=place, weight=np.array(list(keys.values())), partitions=48).max()
    spread = skew.hottest_partition(100_000.0, 0.9, None, 48)
    assert spread.p50_fraction * 0.9 <= share <= spread.p95_fraction * 1.1


# hot keys


def test_salts_lag_and_retention_by_hand() -> None:
    assert skew.salts_needed(key_bytes_per_s=45.0, capacity_bytes_per_s=10.0, others_bytes_per_s=0.0) == 5
    assert skew.salts_needed(key_bytes_per_s=40.0, capacity_bytes_per_s=10.0, others_bytes_per_s=0.0) == 4
    assert skew.lag_growth_per_s(arriving_per_s=10.0, processed_per_s=12.0) == 0
    check_element_by_element(
        skew.salts_needed, key_bytes_per_s=(0.0, 1e9), capacity_bytes_per_s=(1e3, 1e8), others_bytes_per_s=(0.0, 1e8)
    )
    check_element_by_element(skew.salts_meet_fraction, salts=(1, 40), partitions=(1, 200))
    check_element_by_element(skew.lag_growth_per_s, arriving_per_s=(0.0, 1e6), processed_per_s=(0.0, 1e6))


@given(key=st.integers(1, 10_000), capacity=st.integers(1, 500), others=st.integers(0, 600))
def test_salts_are_the_fewest_that_fit_tried_one_by_one(key: int, capacity: int, others: int) -> None:
    ours = skew.salts_needed(key_bytes_per_s=key, capacity_bytes_per_s=capacity, others_bytes_per_s=others)
    tried = (salts for salts in range(1, key + 1) if key + others * salts <= capacity * salts)
    assert ours == next(tried, 0)


@pytest.mark.parametrize(("salts", "partitions"), [(1, 4), (2, 5), (3, 5), (4, 6), (5, 4)])
def test_the_chance_that_salts_meet_counted_out(salts: int, partitions: int) -> None:
    every = list(itertools.product(range(partitions), repeat=salts))
    met = sum(len(set(one)) < salts for one in every) / len(every)
    assert skew.salts_meet_fraction(salts=salts, partitions=partitions) == pytest.approx(met)


@given(arriving=st.floats(10, 1000), share=st.floats(0.05, 0.95), kept=st.integers(10, 500))
def test_retention_overtakes_when_a_log_that_is_read_second_by_second_loses_records(
    arriving: float, share: float, kept: int
) -> None:
    after = float(skew.overtaken_after_s(arriving_per_s=arriving, processed_per_s=arriving * share, retention_s=kept))
    read, second = 0.0, 0
    while True:
        second += 1
        read += arriving * share
        # the oldest unread record was written when `read` records had arrived
        if second - read / arriving >= kept:
            break
    assert after == pytest.approx(second, abs=2 + kept * 1e-9)


MEMBER = {"group": "slow", "members": 8, "records_per_s_per_member": 500}


def hot_key(**changes: Any) -> HotKey | None:
    """What is said of a topic of 10,000 records/s, a quarter of them of one key, read by members of 500 records/s."""
    keys = {"unique": 1e6, "top_key_fraction": 0.25}
    hot = {"records_per_s": 10_000, "partitions": 40, "keys": keys, "consumers": [MEMBER], "retention": {"time": "1d"}}
    return planner.partitions(scenario(topic(**{**hot, **changes}))).topics["events"].hot_key


def test_a_hot_key_that_no_count_mends_has_three_ways_out() -> None:
    found = hot_key()
    assert found is not None
    # a quarter of 10,000 records/s; a partition also has a fortieth of the rest, so that 312.5 of 500 are left
    assert (found.salts, found.own_consumers, found.records_per_s) == (8, 5, 2500)
    assert found.capacity_of == "a member of slow processes"
    assert (found.partitions_that_carry, bool(found.partitions_that_carry_reason)) == (None, True)
    arriving = 2500 + 7500 / 40
    assert found.lag_growth_per_s == pytest.approx(arriving - 500, rel=0.02)
    assert found.overtaken_after_s == pytest.approx(86400 / (1 - 500 / arriving), rel=0.02)
    assert len(found.ways) == 3
    assert "8 ways" in found.ways[0]
    # eight salts on forty partitions: 1 - 40 * 39 * ... * 33 / 40**8
    assert found.salts_meet_fraction == pytest.approx(1 - math.perm(40, 8) / 40**8)
    assert (found.lag_after_peak_records, found.lag_after_peak_records_reason is None) == (None, False)
    assert planner.partitions(scenario(topic(records_per_s=10))).topics["events"].hot_key is None


def test_salting_needs_room_beside_the_other_keys() -> None:
    few = hot_key(partitions=12)  # an even share of the rest is 625 records/s, more than a member processes
    assert few is not None
    assert (few.salts, few.each_salt_bytes_per_s, few.own_consumers) == (None, None, 5)
    assert few.salts_reason is not None
    assert "add partitions first" in few.ways[0]


def test_a_count_that_carries_the_hottest_key() -> None:
    # 400 records/s of one key, 9,600 of others evenly; a member processes 500: 96 partitions leave it 100
    member = {**MEMBER, "members": 24}
    keys = {"top_key_fraction": 0.04}
    found = hot_key(keys=keys, partitions=40, consumers=[member])
    assert found is not None
    assert (found.partitions_that_carry, found.partitions_that_carry_reason) == (96, None)
    assert hot_key(keys=keys, partitions=96, consumers=[member]) is None
    assert hot_key(keys=keys, partitions=95, consumers=[member]) is not None
    # with 10 partitions even ones are too much: that is the count's fault, not the key's
    assert hot_key(keys=keys, partitions=10, consumers=[member]) is None


def test_a_count_that_carries_what_frequent_keys_crowd_together() -> None:
    found = planner.partitions(planner.load("preset:stock-exchange"), topic="market-data").topics["market-data"]
    hot = found.hot_key
    assert hot is not None
    assert hot.bytes_per_s < hot.capacity_bytes_per_s < hot.partition_bytes_per_s
    # the key and an even share of the rest fit, so that salting it is in vain
    assert (hot.salts, hot.salts_meet_fraction) == (None, None)
    assert "frequent keys meet" in hot.ways[0]
    assert hot.partitions_that_carry is not None
    assert hot.partitions_that_carry > found.partitions
    # drawn again, without the model: 12,000 keys of Zipf's exponent 0.6
    weights = np.arange(1, 12_001, dtype=float) ** -0.6
    weights /= weights.sum()
    generator, count = np.random.default_rng(3), hot.partitions_that_carry
    drawn = [np.bincount(generator.integers(count, size=12_000), weights, count).max() for _ in range(200)]
    whole = hot.partition_bytes_per_s / found.skew.hottest_fraction
    assert np.mean(drawn) * whole <= hot.capacity_bytes_per_s * 1.02


def test_a_count_that_carries_given_keys_is_exact() -> None:
    keys = {f"user-{number}".encode(): 1.0 for number in range(30)}
    member = {"group": "readers", "members": 10, "records_per_s_per_member": 1500}
    one = scenario(topic(records_per_s=10_000, partitions=10, consumers=[member]))
    found = planner.partitions(one, topic="events", keys=keys).topics["events"].hot_key
    assert found is not None
    count = found.partitions_that_carry
    assert count is not None
    hashes = [murmur2(key) & 0x7FFFFFFF for key in keys]
    fullest = max(sum(one % count == place for one in hashes) for place in range(count))
    assert fullest / 30 * 10_000 <= 1500


def test_a_count_that_no_search_finds() -> None:
    # 2,000 keys of 5 records/s, members of 6: no two keys may meet, and in 90,000 partitions some still do
    keys = {f"user-{number}".encode(): 1.0 for number in range(2000)}
    member = {"group": "readers", "members": 10, "records_per_s_per_member": 6}
    one = scenario(topic(records_per_s=10_000, partitions=2000, consumers=[member]))
    found = planner.partitions(one, topic="events", keys=keys).topics["events"].hot_key
    assert found is not None
    assert found.bytes_per_s < found.capacity_bytes_per_s
    assert (found.partitions_that_carry, str(found.partitions_that_carry_reason)[:9]) == (None, "more than")


def test_one_member_for_the_key_alone_keeps_its_order() -> None:
    keys = {"top_key_fraction": 0.04}
    found = hot_key(keys=keys)
    assert found is not None
    assert found.own_consumers == 1
    assert "in order" in found.ways[1]


def test_what_is_kept_decides_when_records_are_lost() -> None:
    forever = hot_key(retention={"time": "forever"})
    assert forever is not None
    assert (forever.overtaken_after_s, forever.overtaken_after_s_reason) == (None, "records are kept forever")
    compacted = hot_key(cleanup="compact")
    assert compacted is not None
    assert (compacted.overtaken_after_s, bool(compacted.overtaken_after_s_reason)) == (None, True)
    by_bytes = hot_key(retention={"time": "forever", "bytes_per_partition": 10e9})
    assert by_bytes is not None
    assert by_bytes.overtaken_after_s is not None
    # the log of that partition is full of what arrived in this time
    kept = 10e9 / by_bytes.partition_bytes_per_s
    read = by_bytes.capacity_bytes_per_s / by_bytes.partition_bytes_per_s
    assert by_bytes.overtaken_after_s * (1 - read) == pytest.approx(kept)


def test_what_a_partition_does_not_take_waits_with_the_producers() -> None:
    found = hot_key(partition_throughput={"produce": "1MB/s"}, consumers=[])
    assert found is not None
    assert found.capacity_of == "a partition takes from producers"
    assert (found.overtaken_after_s, bool(found.overtaken_after_s_reason)) == (None, True)
    assert "buffer.memory" in found.ways[2]
    assert (found.lag_after_peak_records, found.lag_after_peak_records_reason) == (
        None,
        "what waits is still with the producers",
    )


def test_lag_of_a_peak_and_its_draining_second_by_second() -> None:
    found = hot_key(records_per_s=1000, peak_ratio=4, peak_duration="600s", consumers=[MEMBER])
    assert found is not None
    share = found.partition_bytes_per_s / found.bytes_per_s * 0.25
    lag, second = 0.0, 0
    while second < 600 or lag > 0:
        lag = max(lag + (4000 if second < 600 else 1000) * share - 500, 0.0)
        second += 1
        if second == 600:
            assert found.lag_after_peak_records == pytest.approx(lag)
    assert found.drained_after_s == pytest.approx(second - 600, abs=1)
    never = hot_key(records_per_s=5000, peak_ratio=2, peak_duration="600s", consumers=[MEMBER])
    assert never is not None
    assert (never.drained_after_s, str(never.drained_after_s_reason)[:5]) == (None, "never")
    unknown = hot_key(records_per_s=5000, peak_ratio=2, consumers=[MEMBER])
    assert unknown is not None
    assert "peak_duration" in str(unknown.lag_after_peak_records_reason)


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"consumers": [MEMBER]}, True),
        ({"consumers": [{"group": "slow", "members": 8, "processing_time": 0.002}]}, True),
        ({"consumers": [{**MEMBER, "protocol": "share"}]}, False),
        ({"consumers": [{**MEMBER, "read_fraction": 0}]}, False),
        ({"consumers": [MEMBER], "records_per_s": 0}, False),
    ],
)
def test_the_plan_finds_what_the_command_explains(changes: dict[str, Any], *, found: bool) -> None:
    keys = {"top_key_fraction": 0.25}
    one = scenario(topic(**{"records_per_s": 8000, "partitions": 64, "keys": keys, **changes}))
    messages = [row for row in planner.plan(one).findings if row.code == "hot_key"]
    told = planner.partitions(one).topics["events"].hot_key
    assert bool(messages) == (told is not None) == found
    if told is not None:
        assert f"Salt the key {told.salts} ways" in messages[0].action
        assert told.capacity_of in messages[0].message


def test_the_plan_does_not_advise_salts_that_do_not_fit() -> None:
    keys = {"top_key_fraction": 0.25}
    one = scenario(topic(records_per_s=8000, partitions=12, keys=keys, consumers=[MEMBER]))
    assert "Add partitions and salt it" in next(
        row.action for row in planner.plan(one).findings if row.code == "hot_key"
    )


# the count


@pytest.mark.parametrize(("headroom", "least"), [(1.5, 75), (2, 100)])
def test_fifty_consumers(headroom: float, least: int) -> None:
    one = topic(records_per_s=100, consumers=[{"group": "readers", "members": 50}])
    found = planner.partitions(scenario(one, policy={"partition_headroom": headroom})).topics["events"]
    assert found.reasons["parallelism"] == least
    assert found.binding_reason == "parallelism"
    assert found.partitions >= least
    assert set(found.reasons) == {"produce", "consume", "parallelism", "processing", "growth", "hot_key", "spread"}
    assert "50 members times" in found.headline


@given(members=st.integers(1, 300), more=st.integers(0, 50))
def test_the_ladder_says_who_divides_and_what_is_idle(members: int, more: int) -> None:
    from planner.sizing.topics import ladder

    for rung in ladder(120, members, members + more, 6, 100):
        assert rung.enough == (rung.partitions >= 100)
        assert all(rung.partitions % count == 0 for count in rung.even_members)
        busiest = math.ceil(rung.partitions / members)
        assert rung.wasted_fraction == pytest.approx(1 - rung.partitions / (busiest * members))
        assert rung.worst_wasted_fraction >= rung.wasted_fraction
        assert rung.per_broker == rung.partitions / 6


@pytest.mark.parametrize(("count", "brokers"), [(60, 15), (7, 3), (1, 3), (2, 1), (9999, 12), (12_345, 3)])
def test_the_ladder_has_steps_on_both_sides(count: int, brokers: int) -> None:
    from planner.sizing.topics import ladder

    numbers = [rung.partitions for rung in ladder(count, 5, 5, brokers, 1)]
    assert numbers == sorted(set(numbers))
    assert count in numbers
    assert all(count // 2 <= number <= 2 * count for number in numbers)
    if 2 <= count <= 10_000:
        assert numbers[0] < count < numbers[-1]


def test_a_ladder_from_too_few_partitions_leads_to_enough() -> None:
    few = scenario(topic(records_per_s=100, partitions=4, consumers=[{"group": "readers", "members": 50}]))
    found = planner.partitions(few).topics["events"]
    assert "too few" in found.headline
    assert [rung.enough for rung in found.ladder if rung.partitions <= 8] == [False] * (len(found.ladder) - 1)
    assert found.ladder[-1].enough
    assert 75 <= found.ladder[-1].partitions <= 90


@settings(max_examples=40)
@given(
    members=st.lists(st.integers(1, 60), min_size=1, max_size=5),
    limit=st.integers(20, 400),
    brokers=st.sampled_from([3, 6, 9]),
)
def test_no_rounding_passes_the_limit_of_replicas(members: list[int], limit: int, brokers: int) -> None:
    topics = [
        topic(name=f"t{number}", records_per_s=10, consumers=[{"group": f"g{number}", "members": count}])
        for number, count in enumerate(members)
    ]
    one = scenario(*topics, cluster={"brokers": brokers}, policy={"replicas_per_broker_max": limit})
    for found in planner.partitions(one).topics.values():
        needed = max(math.ceil(found.partitions_raw - 1e-9), 1)
        share = limit * brokers / len(members)
        assert found.partitions == needed or found.partitions * 3 <= share
        assert found.rounding.startswith("rounded") == (found.partitions > needed)


def test_the_count_says_how_it_was_rounded() -> None:
    found = planner.partitions(planner.load("preset:ecommerce")).topics
    assert found["orders"].rounding == "not rounded further"
    assert found["clickstream"].rounding == "rounded up to a multiple of the 15 brokers"
    assert found["clickstream"].reasons_raw["parallelism"] == 54
    small = topic(records_per_s=1, consumers=[{"group": "readers", "members": 33}])
    beside = topic(name="large", records_per_s=50_000)
    rounded = planner.partitions(scenario(small, beside)).topics["events"]
    assert (rounded.reasons["parallelism"], rounded.partitions) == (50, 60)
    assert "more numbers of members" in rounded.headline
    given_count = planner.partitions(scenario(topic(partitions=5))).topics["events"]
    assert given_count.rounding == "as given"


def test_ten_thousand_tiny_topics_keep_small_counts() -> None:
    tiny = [topic(name=f"t{number}", records_per_s=0.1, consumers=[]) for number in range(10_000)]
    found = planner.partitions(scenario(*tiny, cluster={"brokers": 30}))
    assert {row.partitions for row in found.topics.values()} == {1}
    policy = next(row for row in found.topics["t0"].ceilings if row.binds)
    assert policy.used == pytest.approx(10_000 * 3 / 30)


def test_ceilings_are_sourced_dated_and_measured_against_the_plan() -> None:
    found = planner.partitions(planner.load("preset:ecommerce"))
    rows = found.topics["orders"].ceilings
    plan = planner.plan(planner.load("preset:ecommerce"))
    by_name = {row.name: row for row in rows}
    assert [row.name for row in rows if row.binds] == ["replicas per broker (policy)"]
    assert by_name["replicas per broker (folk, 2018)"].limit == 4000
    assert by_name["partitions per cluster (ZooKeeper, 2018, folk)"].used == plan.cluster.partitions
    assert by_name["replicas per broker (100 B RF for latency, folk, 2015)"].limit == 100 * 15 * 3
    assert by_name["replicas per broker (policy)"].used == pytest.approx(plan.cluster.replicas / 15)
    for row in rows:
        assert row.source
        assert row.used_fraction == pytest.approx(row.used / row.limit)


PUBLISHED = {
    case["id"]: case["outputs"] for case in json.loads(data_path("published_cases.json").read_text(encoding="utf-8"))
}


def test_limits_of_machine_sizes_are_those_published() -> None:
    rules = constants()
    standard = PUBLISHED["aws-msk-standard-partitions"]
    for name, row in standard.items():
        size = name.removeprefix("kafka.").partition(".")[2].partition("..")[0]
        rule = rules[f"ceiling.msk_standard.{'t3.small' if 't3' in name else size}"]
        assert (rule.value, rule.high) == (row["recommended"], row["max_for_update_ops"])
    for size, row in PUBLISHED["aws-msk-express-limits"].items():
        rule = rules[f"ceiling.msk_express.{size}"]
        assert (rule.value, rule.high) == (row["partitions_recommended"], row["partitions_max"])
    for size, row in PUBLISHED["huawei-flavours"].items():
        assert rules[f"ceiling.huawei.{size}"].value == row["max_partitions"]
    assert rules["ceiling.broker_alibaba"].value == PUBLISHED["alibaba-brokers"]["replicas_per_broker_max"]
    assert rules["ceiling.cluster_alibaba"].value == PUBLISHED["alibaba-brokers"]["replicas_per_cluster_max"]
    assert rules["ceiling.broker_cruise_control"].value == PUBLISHED["cruise-control"]["max_replicas_per_broker"]
    assert rules["ceiling.broker_definitive_guide"].value == PUBLISHED["kdg-limits"]["replicas_per_broker_max"]
    assert rules["ceiling.cluster_kdg"].value == PUBLISHED["kdg-limits"]["replicas_per_cluster_max"]
    assert rules["ceiling.broker_folk"].value == PUBLISHED["kafka-200k"]["recommended_max_partitions_per_broker"]


@pytest.mark.parametrize(
    ("replicas", "standard", "express"),
    [(300, "t3.small", "large"), (1500, "2xlarge", "2xlarge"), (4000, "4xlarge", "4xlarge"), (5000, None, "4xlarge")],
)
def test_from_which_machine_on_a_vendor_takes_the_plan(replicas: int, standard: str | None, express: str) -> None:
    one = topic(records_per_s=10, partitions=replicas, consumers=[])  # three replicas on three brokers
    policy = {"replicas_per_broker_max": 100_000}
    rows = {
        row.name: row
        for row in planner.plan(scenario(one, cluster={"brokers": 3}, policy=policy)).topics["events"].ceilings
    }
    found = rows["replicas per broker (MSK Standard, largest)"]
    assert (found.fits_from, found.fits_from_reason is None) == (standard, standard is not None)
    assert rows["replicas per broker (MSK Express, largest)"].fits_from == express
    assert list(found.sizes) == ["t3.small", "large", "xlarge", "2xlarge", "4xlarge"]
    assert found.applies_to


def test_rules_of_others_that_a_plan_passes_are_said() -> None:
    one = topic(records_per_s=10, partitions=12_000, consumers=[])
    many = scenario(one, cluster={"brokers": 3}, policy={"replicas_per_broker_max": 100_000})
    found = [row for row in planner.plan(many).findings if row.code == "ceilings_passed"]
    assert len(found) == 1
    assert found[0].severity == "info"
    assert "folk, 2018" in found[0].message
    assert "MSK" not in found[0].message
    assert not [row for row in planner.plan(scenario(topic())).findings if row.code == "ceilings_passed"]


def test_replicas_in_a_heap_by_hand() -> None:
    assert memory.replicas_in_heap(heap_bytes=6e9, heap_base_bytes=1e9, heap_bytes_per_replica=5e4) == 100_000
    assert memory.replicas_in_heap(heap_bytes=1.0, heap_base_bytes=2.0, heap_bytes_per_replica=1.0) == 0


def test_share_groups_trade_order_for_members() -> None:
    one = topic(records_per_s=100, keys={"ordered": True}, consumers=[{"group": "workers", "members": 90}])
    found = planner.partitions(scenario(one)).topics["events"].share_groups
    assert found is not None
    assert (found.stage, found.available) == ("production", True)
    assert (found.partitions_without, found.partitions_with) == (135, 3)  # one on each broker is left
    assert "rely on it" in found.price[0]
    assert (found.in_flight_records, found.group_size_max) == (6000, 200)
    assert planner.partitions(scenario(topic(consumers=[]))).topics["events"].share_groups is None


@pytest.mark.parametrize(
    ("version", "stage"), [("3.9", "none"), ("4.0", "early access"), ("4.1.2", "preview"), ("4.2", "production")]
)
def test_share_groups_came_in_stages(version: str, stage: str) -> None:
    one = topic(records_per_s=100, consumers=[{"group": "workers", "members": 90}])
    found = planner.partitions(scenario(one, cluster={"kafka_version": version})).topics["events"].share_groups
    assert found is not None
    assert (found.stage, found.available) == (stage, stage == "production")


def test_share_groups_lock_so_many_records_of_a_partition() -> None:
    # 20,000 records/s of 5 s each: 100,000 in work at once, 2,000 of a partition
    work = {"group": "workers", "members": 90, "processing_time": 5}
    light = topic(records_per_s=20_000, record={"key_bytes": None, "value_bytes": 10}, consumers=[work])
    found = planner.partitions(scenario(light, cluster={"brokers": 12})).topics["events"]
    assert found.reasons["processing"] == 100_000
    assert found.share_groups is not None
    assert found.share_groups.partitions_with == 50
    shared = {**light, "consumers": [{**work, "protocol": "share"}]}
    assert planner.partitions(scenario(shared)).topics["events"].reasons["processing"] == 50


# keys of a file, and the command


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "columns"),
        ("key;count\n", "columns"),
        ("key,count\n", "No key"),
        ("key,count\na,0\n", "No key"),
        ("key,count\na,1\na,2\n", "twice"),
        ("key,count\n,1\n", "empty"),
        ("key,count\na,-1\n", "no count"),
        ("key,count,count\na,1,2\n", "twice"),
        ("key,count\na,1,2\n", "more cells"),
        ("key,count\na,nan\n", "no count"),
        ("key,count\na,1e400\n", "no count"),
        ('key,count\n"a,1\n', "no CSV"),
    ],
)
def test_keys_in_error_are_refused(text: str, word: str) -> None:
    with pytest.raises(planner.ScenarioError, match=word):
        keys_of(text)


def test_reading_wrong_keys_ends_early() -> None:
    with pytest.raises(planner.ScenarioError, match="not listed") as caught:
        keys_of("key,count\n" + ",1\n" * 100_000)
    assert len(caught.value.errors) == 1001


def test_keys_that_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("planner.operations.counts.MOST_KEYS", 2)
    with pytest.raises(planner.ScenarioError, match="too many"):
        keys_of("key,count\na,1\nb,1\nc,1\n")
    monkeypatch.setattr("planner.operations.counts.MOST_BYTES", 5)
    with pytest.raises(planner.ScenarioError, match="too large"):
        keys_of("key,count\n")


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        ({"topic": "ordres"}, "topic"),
        ({"keys": {b"a": 1.0}}, "keys"),
        ({"topic": "orders", "keys": {}}, "keys"),
        ({"topic": "orders", "keys": {b"a": 0.0}}, "keys"),
        ({"topic": "orders", "keys": {b"a": 1.0, b"b": -1.0}}, "keys"),
        ({"topic": "orders", "keys": {b"a": math.nan}}, "keys"),
    ],
)
def test_what_cannot_be_asked_is_refused(arguments: dict[str, Any], path: str) -> None:
    with pytest.raises(planner.ScenarioError) as caught:
        planner.partitions(planner.load("preset:ecommerce"), **arguments)
    assert caught.value.errors[0].path == path


def test_the_command(tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["partitions", "preset:clickstream-hot-key"])
    assert done.exit_code == 0
    assert done.stdout.startswith("clicks: 60 partitions, because 40 members times 1.5 ask for 60")
    for word in ("Ladder of clicks", "Three ways out", "Share groups", "Ceilings", "folk"):
        assert word in done.stdout
    path = tmp_path / "keys.csv"
    path.write_text("key,count\na,8\nb,1\n", encoding="utf-8")
    arguments = ["partitions", "preset:ecommerce", "--topic", "orders", "--keys", str(path)]
    body = json.loads(CliRunner().invoke(cli, [*arguments, "--format", "json"]).stdout)
    assert body["topics"]["orders"]["skew"]["basis"] == "keys"
    assert {"partitions", "reasons", "ladder", "ceilings"} <= body["topics"]["orders"].keys()
    assert "Fullest partitions" in CliRunner().invoke(cli, arguments).stdout
    table = CliRunner().invoke(cli, ["partitions", "preset:ecommerce", "--format", "csv"]).stdout
    assert table.splitlines()[0].startswith("topic,partitions,raw,binding_reason")
    many = CliRunner().invoke(cli, ["partitions", "preset:ecommerce"]).stdout
    assert "Add --topic NAME" in many
    missing = CliRunner().invoke(cli, [*arguments[:-1], "nowhere.csv"])
    assert (missing.exit_code, "--keys" in missing.stderr) == (2, True)


def test_of_very_many_topics_those_that_need_most_are_shown(tmp_path: Path) -> None:
    rows = [topic(name=f"t{number}", partitions=30, records_per_s=1000 * number, consumers=[]) for number in range(200)]
    (tmp_path / "many.json").write_text(json.dumps({"topics": rows, "cluster": {"brokers": 6}}), encoding="utf-8")
    done = CliRunner().invoke(cli, ["partitions", str(tmp_path / "many.json")])
    shown = [line.split()[0] for line in done.stdout.splitlines() if line.startswith("t") and " 30 " in line]
    assert "t199" in shown
    assert "t7" not in shown
    assert "140 more need less of what they have; they are in --format csv." in done.stdout
