"""How keys fall onto partitions: Kafka's own vectors, brute force, and what the command says of it."""

from __future__ import annotations

import json
import math
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import planner
from planner.cli import cli
from planner.model import memory, skew
from planner.operations.counts import keys_of
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


def test_many_keys_are_hashed_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [f"user-{number:08d}".encode() for number in range(1000)]
    whole = skew.murmur2(keys=keys)
    monkeypatch.setattr(skew, "_BLOCK", 7)
    assert (skew.murmur2(keys=keys) == whole).all()


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
    drawn = [np.bincount(generator.integers(count, size=unique), weights, count).max() for _ in range(400)]
    found = skew.hottest_partition(float(unique), exponent, top, count)
    # both are means over draws: 48 here, 400 there
    error = 4 * np.std(drawn) * math.sqrt(1 / 48 + 1 / 400)
    assert found.mean_fraction == pytest.approx(np.mean(drawn), abs=error)
    assert found.p50_fraction <= found.p95_fraction
    assert found.p95_fraction == pytest.approx(np.quantile(drawn, 0.95), rel=0.12)


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
    assert skew.salts_needed(key_bytes_per_s=45.0, capacity_bytes_per_s=10.0) == 5
    assert skew.salts_needed(key_bytes_per_s=40.0, capacity_bytes_per_s=10.0) == 4
    assert skew.lag_growth_per_s(arriving_per_s=10.0, processed_per_s=12.0) == 0
    check_element_by_element(skew.salts_needed, key_bytes_per_s=(0.0, 1e9), capacity_bytes_per_s=(1e3, 1e8))
    check_element_by_element(skew.lag_growth_per_s, arriving_per_s=(0.0, 1e6), processed_per_s=(0.0, 1e6))


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


def test_a_hot_key_that_no_count_mends_has_three_ways_out() -> None:
    member = {"group": "slow", "members": 8, "records_per_s_per_member": 500}
    keys = {"unique": 1e6, "top_key_fraction": 0.25}
    hot = topic(records_per_s=10_000, partitions=40, keys=keys, consumers=[member], retention={"time": "1d"})
    found = planner.partitions(scenario(hot)).topics["events"].hot_key
    assert found is not None
    # a quarter of 10,000 records/s over 500 a member
    assert (found.salts, found.records_per_s) == (5, 2500)
    assert found.capacity_of == "a member of slow"
    # its partition also has a fortieth of the rest
    arriving = 2500 + 7500 / 40
    assert found.lag_growth_per_s == pytest.approx(arriving - 500, rel=0.02)
    assert found.overtaken_after_s == pytest.approx(86400 / (1 - 500 / arriving), rel=0.02)
    assert len(found.ways) == 3
    forever = topic(records_per_s=10_000, partitions=40, keys=keys, consumers=[member], retention={"time": "forever"})
    kept = planner.partitions(scenario(forever)).topics["events"].hot_key
    assert kept is not None
    assert (kept.overtaken_after_s, bool(kept.overtaken_after_s_reason)) == (None, True)
    assert planner.partitions(scenario(topic(records_per_s=10))).topics["events"].hot_key is None


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

    for rung in ladder(120, members, members + more, 6):
        assert all(rung.partitions % count == 0 for count in rung.even_members)
        busiest = math.ceil(rung.partitions / members)
        assert rung.wasted_fraction == pytest.approx(1 - rung.partitions / (busiest * members))
        assert rung.worst_wasted_fraction >= rung.wasted_fraction
        assert rung.per_broker == rung.partitions / 6


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


def test_replicas_in_a_heap_by_hand() -> None:
    assert memory.replicas_in_heap(heap_bytes=6e9, heap_base_bytes=1e9, heap_bytes_per_replica=5e4) == 100_000
    assert memory.replicas_in_heap(heap_bytes=1.0, heap_base_bytes=2.0, heap_bytes_per_replica=1.0) == 0


def test_share_groups_trade_order_for_members() -> None:
    one = topic(records_per_s=100, keys={"ordered": True}, consumers=[{"group": "workers", "members": 90}])
    found = planner.partitions(scenario(one)).topics["events"].share_groups
    assert found is not None
    assert found.available
    assert (found.partitions_without, found.partitions_with) == (135, 3)  # one on each broker is left
    assert "rely on it" in found.price[0]
    old = planner.partitions(scenario(one, cluster={"kafka_version": "4.1"})).topics["events"].share_groups
    assert old is not None
    assert not old.available
    assert planner.partitions(scenario(topic(consumers=[]))).topics["events"].share_groups is None


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


def test_keys_that_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("planner.operations.counts.MOST_KEYS", 2)
    with pytest.raises(planner.ScenarioError, match="too many"):
        keys_of("key,count\na,1\nb,1\nc,1\n")
    monkeypatch.setattr("planner.operations.counts.MOST_BYTES", 5)
    with pytest.raises(planner.ScenarioError, match="too large"):
        keys_of("key,count\n")


@pytest.mark.parametrize(
    ("arguments", "path"),
    [({"topic": "ordres"}, "topic"), ({"keys": {b"a": 1.0}}, "keys")],
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
