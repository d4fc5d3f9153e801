"""More partitions later: keys against Kafka's hashes, times by hand, what is recommended, the runbook in a shell."""

from __future__ import annotations

import json
import math
import os
import shlex
import shutil
import subprocess
import tempfile
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
from planner.model import repartition as rules
from planner.operations.repartition_copy import Job, meanwhile_scenario, new_name_of
from planner.operations.repartitioning import ROUTES, Repartition, repartition
from planner.reports.text_repartition import _BREAK_LABELS, _FIGURE_LABELS
from planner.scenario import Scenario, ScenarioError
from tests.elementwise import check_element_by_element
from tests.scenarios import scenario, topic

# n, m, share of 1,000,000 keys user-00000000 ... that the Java client's hash puts elsewhere (kafka-clients 4.3.0)
JAVA = [
    (1, 2, 0.500442), (1, 3, 0.666493), (2, 3, 0.667152), (3, 4, 0.750332), (3, 6, 0.500863), (4, 6, 0.666566),
    (4, 8, 0.500084), (6, 8, 0.749566), (6, 9, 0.666635), (6, 12, 0.499243), (8, 12, 0.666712), (10, 12, 0.833401),
    (10, 20, 0.50013), (12, 13, 0.923342), (12, 16, 0.75024), (12, 18, 0.666149), (12, 24, 0.500106),
    (16, 64, 0.749658), (24, 36, 0.667187), (24, 48, 0.500489), (30, 50, 0.799859), (32, 48, 0.666461),
    (48, 50, 0.959849), (50, 60, 0.833716), (50, 100, 0.500556), (64, 96, 0.665775), (99, 100, 0.99006),
    (100, 300, 0.666645), (128, 1000, 0.992055), (1000, 1024, 0.992224),
]  # fmt: skip


def murmur2(data: bytes) -> int:
    """Kafka's hash, written out from its description: 32 bits, seed 0x9747b28c, blocks of four bytes."""
    word, mask = 0x5BD1E995, 0xFFFFFFFF
    found = (0x9747B28C ^ len(data)) & mask
    whole = len(data) // 4 * 4
    for start in range(0, whole, 4):
        block = int.from_bytes(data[start : start + 4], "little") * word & mask
        block = (block ^ block >> 24) * word & mask
        found = found * word & mask ^ block
    if data[whole:]:
        found = (found ^ int.from_bytes(data[whole:], "little")) * word & mask
    found = (found ^ found >> 13) * word & mask
    return found ^ found >> 15


def moved(before: int, after: int) -> float:
    return float(rules.moved_key_fraction(partitions_before=before, partitions_after=after))


# keys


def test_the_hash_of_the_test_is_kafkas() -> None:
    # from Kafka's own unit test
    assert murmur2(b"21") == -973932308 % 2**32
    assert murmur2(b"foobar") == -790332482 % 2**32
    assert murmur2(b"a-little-bit-long-string") == -985981536 % 2**32


@pytest.mark.parametrize(("before", "after", "measured"), JAVA)
def test_keys_that_move_in_kafka(before: int, after: int, measured: float) -> None:
    # 1,000,000 keys: five standard deviations of a share
    assert moved(before, after) == pytest.approx(measured, abs=5 * math.sqrt(measured * (1 - measured) / 1e6) + 1e-12)


def test_keys_that_moved_on_a_running_cluster() -> None:
    # 120,000 keys through the Java producer, 6 -> 9: 0.6677
    assert moved(6, 9) == pytest.approx(0.6677, rel=0.002)


@pytest.mark.parametrize(("before", "after"), [(6, 9), (7, 12), (12, 24), (50, 75), (10, 4), (3, 1000)])
def test_keys_that_move_by_hashing(before: int, after: int) -> None:
    hashes = np.array([murmur2(f"user-{number:08d}".encode()) & 0x7FFFFFFF for number in range(20_000)])
    share = float(np.mean(hashes % before != hashes % after))
    assert moved(before, after) == pytest.approx(share, abs=4 * math.sqrt(0.25 / 20_000))


@given(before=st.integers(1, 60), after=st.integers(1, 60))
def test_keys_that_move_counted_over_all_residues(before: int, after: int) -> None:
    turn = np.arange(math.lcm(before, after))
    assert moved(before, after) == pytest.approx(float(np.mean(turn % before != turn % after)), abs=1e-12)


def test_doubling_moves_half_and_a_multiple_all_but_one_in_k() -> None:
    assert moved(6, 12) == 0.5
    assert moved(6, 30) == pytest.approx(0.8)
    assert moved(7, 7) == 0


@pytest.mark.parametrize(("unique", "exponent"), [(100, 0.0), (500, 0.9), (2000, 1.3)])
def test_records_that_move_scatter_as_drawn(unique: int, exponent: float) -> None:
    """Draw which keys move many times; the spread of the records' share is the closed form's."""
    weights = np.arange(1, unique + 1) ** -exponent
    weights /= weights.sum()
    drawn = np.random.default_rng(3).random((4000, unique)) < 0.6
    share = drawn @ weights
    concentration = float(rules.zipf_concentration_fraction(unique_keys=unique, zipf_exponent=exponent))
    assert concentration == pytest.approx(float((weights**2).sum()), rel=1e-9)
    deviation = rules.moved_record_deviation_fraction(moved_key_fraction=0.6, key_concentration_fraction=concentration)
    assert float(deviation) == pytest.approx(float(share.std()), rel=0.05)


def test_concentration_of_one_key_among_equals() -> None:
    shares = np.array([0.4] + [0.06] * 10)
    found = rules.top_key_concentration_fraction(top_key_fraction=0.4, unique_keys=11)
    assert float(found) == pytest.approx(float((shares**2).sum()))


def test_formulas_are_elementwise() -> None:
    check_element_by_element(rules.moved_key_fraction, partitions_before=(1, 500), partitions_after=(1, 500))
    check_element_by_element(rules.zipf_concentration_fraction, unique_keys=(1, 5000), zipf_exponent=(0.0, 2.0))
    check_element_by_element(rules.top_key_concentration_fraction, top_key_fraction=(0.0, 1.0), unique_keys=(1, 1000))
    check_element_by_element(
        rules.moved_record_deviation_fraction, moved_key_fraction=(0.0, 1.0), key_concentration_fraction=(0.0, 1.0)
    )
    check_element_by_element(
        rules.read_out_s,
        waiting_records=(0.0, 1e9),
        capacity_records_per_s=(20.0, 1e6),
        records_per_s=(0.0, 10.0),
    )
    check_element_by_element(
        rules.group_capacity_records_per_s, partitions=(1, 100), members=(1, 100), member_records_per_s=(0.0, 1e5)
    )
    check_element_by_element(
        rules.spare_copy_bytes_per_s,
        limit_fraction=(0.1, 1.0),
        utilisation_fraction=(0.0, 2.0),
        utilisation_per_byte_per_s=(1e-12, 1e-6),
    )
    check_element_by_element(rules.copied_bytes, one_copy_bytes=(0.0, 1e12), replication_factor=(1, 5))
    check_element_by_element(
        rules.route_cost,
        people_hours=(0.0, 100.0),
        hourly_rate=(0.0, 200.0),
        brokers_added=(0, 10),
        price_per_month=(0.0, 5000.0),
        duration_s=(0.0, 1e8),
        month_s=(2.6e6, 2.7e6),
    )
    check_element_by_element(
        rules.break_even_fraction,
        provision_per_year=(0.0, 1e6),
        horizon_years=(0.5, 5.0),
        repartition_cost=(0.0, 1e6),
    )


def test_a_group_that_is_not_faster_never_ends() -> None:
    assert rules.read_out_s(waiting_records=1.0, capacity_records_per_s=5.0, records_per_s=5.0) == math.inf
    assert rules.read_out_s(waiting_records=0.0, capacity_records_per_s=5.0, records_per_s=9.0) == 0


def test_reading_out_tick_by_tick() -> None:
    waiting, seconds = 5000.0, 0
    while waiting > 0:
        waiting += 70 - 120
        seconds += 1
    found = rules.read_out_s(waiting_records=5000.0, capacity_records_per_s=120.0, records_per_s=70.0)
    assert float(found) == pytest.approx(seconds)


def test_seven_partitions_on_three_members() -> None:
    # one member has three, so all end when it does: 7 partitions in the time of 3
    found = rules.group_capacity_records_per_s(partitions=7, members=3, member_records_per_s=30.0)
    assert float(found) == pytest.approx(7 / (3 / 30))


# scenarios by hand

HAND: dict[str, Any] = {
    "name": "t",
    "records_per_s": 1000,
    "record": {"key_bytes": 16, "value_bytes": 984},
    "batch": {"records": 1000},
    "partitions": 6,
    "retention": {"time": "1d"},
    "segment": {"bytes": "16MiB"},
    "keys": {"ordered": True, "unique": 100_000, "zipf_exponent": 0},
    "consumers": [{"group": "readers", "members": 6, "records_per_s_per_member": 500}],
}
CLUSTER: dict[str, Any] = {"brokers": 3, "broker": "reference-nvme"}


def made(*others: dict[str, Any], cluster: Any = None, questions: Any = None, **changes: Any) -> Scenario:
    body = {"topics": [{**HAND, **changes}, *others], "questions": questions or {}}
    return Scenario.model_validate({**body, "cluster": {**CLUSTER, **(cluster or {})}})


def codes(found: Repartition) -> set[str]:
    return {row.code for row in found.breaks}


def test_the_contract() -> None:
    body = repartition(made(), "t", 12).to_dict()
    assert list(body)[2:4] == ["from", "to"]
    assert (body["from"], body["to"], body["moved_key_fraction"]) == (6, 12, 0.5)
    wanted = {"name", "possible", "bytes_copied", "duration_s", "extra_disk_bytes", "downtime_s", "cost", "steps"}
    assert all(wanted <= set(route) for route in body["routes"])
    assert [route["name"] for route in body["routes"]] == list(ROUTES)
    assert {"provision_now_per_month", "holds_meanwhile", "breaks", "trace", "assumptions"} <= set(body)
    json.dumps(body, allow_nan=False)


def test_times_of_draining_by_hand() -> None:
    # 10 min behind at 1,000/s are 600,000 records; six members of 500/s read 3,000/s: 200 s with the producers stopped,
    # 300 s while 1,000/s go on arriving
    found = repartition(made(), "t", 12, lag=600)
    drain = found.route("drain_then_add")
    assert drain.downtime_s == pytest.approx(200 + 60 + 60)  # commands, restart
    order = next(row for row in found.breaks if row.code == "key_order")
    assert order.lasts_s == pytest.approx(300 + 300)  # metadata, reading
    assert found.route("add_in_place").downtime_s == 0


def test_order_is_gone_until_retention_ends_it() -> None:
    slow = [{"group": "readers", "members": 6, "records_per_s_per_member": 100}]  # 600/s against 1,000/s
    order = next(row for row in repartition(made(consumers=slow), "t", 12).breaks if row.code == "key_order")
    assert order.lasts_s == 86_400  # what is not read by then is deleted
    slow = [{"group": "readers", "members": 6, "records_per_s_per_member": 1}]  # 6/s against 10/s
    forever = made(consumers=slow, records_per_s=10, retention={"time": "forever"}, segment={"bytes": "1GiB"})
    order = next(row for row in repartition(forever, "t", 12).breaks if row.code == "key_order")
    assert order.lasts_s is None
    assert order.lasts_s_reason is not None
    assert "never" in order.lasts_s_reason


def test_bytes_and_time_of_a_copy_by_hand() -> None:
    # 1,000 records of about 1 kB a second for a day are about 88 GB; at 11 MB/s ten are left for them: near 2.4 h, in
    # which 1 MB/s more is written
    found = repartition(made(), "t", 12, throttle=11e6)
    route = found.route("new_topic_and_cutover")
    stored = 1000 * 1009 * 86_400
    assert route.duration_s is not None
    took = route.duration_s - 70  # the last records, and the restart
    assert took == pytest.approx(stored / 10e6, rel=0.02)
    assert route.bytes_copied == pytest.approx(3 * (stored + 1000 * 1009 * took), rel=0.02)
    assert route.extra_network_in_bytes_per_s == pytest.approx(33e6)
    assert route.extra_disk_bytes == pytest.approx(3 * stored, rel=0.05)
    assert route.holds_meanwhile


def test_a_copy_slower_than_what_is_written_never_ends() -> None:
    found = repartition(made(), "t", 12, throttle=1e6)
    route = found.route("new_topic_and_cutover")
    assert not route.possible
    assert route.duration_s is None
    assert route.downtime_s is None
    assert route.reason is not None
    assert "throttle" in route.reason
    assert any(row.code == "copy_never_ends" for row in found.findings)
    assert found.recommended == "drain_then_add"


def test_the_spare_of_a_copy_by_hand() -> None:
    # 10 Gbit/s are 1.25 GB/s, of which 80 % may be used; 3 brokers, a byte copied is written three times
    narrow = {
        "broker": {
            "vcpu": 16,
            "memory": "64GiB",
            "network_in": "100MB/s",
            "network_out": "10GB/s",
            "storage": {"capacity": "4TB"},
        }
    }
    found = repartition(made(cluster=narrow, partitions=60), "t", 120)
    step = found.trace.steps["spare_copy.network_in"]
    # a broker takes 3 x 1.009 MB/s / 3, and about 200 bytes for each request; the rest of 80 MB/s is for 3 x copy / 3
    assert step.value == pytest.approx(80e6 - 1.009e6, rel=0.01)


def test_the_copier_in_the_plan_meanwhile() -> None:
    """Both topics together hold twice the bytes; the copier's rate is what the new topic gets, and reads of the old."""
    scenario = made()
    today = planner.plan(scenario)
    job = Job(scenario, today, scenario.topics[0], 12, new_name_of(scenario, "t", 12), 1.009e6, 88e9)
    held = planner.plan(meanwhile_scenario(job, 20e6))
    assert held.topics["t-p12"].produce_in_bytes_per_s == pytest.approx(20e6, rel=1e-6)
    assert held.cluster.consumer_out_bytes_per_s - today.cluster.consumer_out_bytes_per_s == pytest.approx(20e6)
    assert held.topics["t-p12"].disk_bytes == pytest.approx(today.topics["t"].disk_bytes, rel=0.05)


def test_an_idle_topic_is_copied_too() -> None:
    found = repartition(made(records_per_s=0), "t", 12)
    assert found.route("new_topic_and_cutover").possible


# what breaks


def test_nothing_breaks_without_keys() -> None:
    found = repartition(made(record={"value_bytes": 1000}, keys=None), "t", 12)
    assert not found.breaks
    assert found.moved_key_fraction == 0
    assert found.recommended == "add_in_place"
    assert found.route("add_in_place").keeps_order


def test_keys_whose_order_nobody_needs() -> None:
    found = repartition(made(keys={"ordered": False, "unique": 10}), "t", 12)
    assert not codes(found)
    assert found.recommended == "add_in_place"
    assert found.route("new_topic_and_cutover").downtime_s == 0


def test_a_compacted_topic_keeps_old_values() -> None:
    found = repartition(made(cleanup="compact"), "t", 12)
    assert codes(found) == {"key_order", "compacted_stale"}
    assert found.recommended == "new_topic_and_cutover"


def test_joined_topics_change_together() -> None:
    partner = {**HAND, "name": "other"}
    alone = {**HAND, "name": "alone", "partitions": 7}
    unread = {**HAND, "name": "unread", "consumers": []}
    found = repartition(made(partner, alone, unread), "t", 12)
    assert codes(found) == {"key_order", "co_partitioned"}
    message = next(row.message for row in found.breaks if row.code == "co_partitioned")
    assert "other" in message
    assert "alone" not in message
    assert "unread" not in message
    altered = [step for step in found.route("drain_then_add").steps if "--alter" in step]
    assert [step.split("--topic ")[1] for step in altered] == ["t --partitions 12", "other --partitions 12"]


def test_a_streams_application_is_known_by_its_topics() -> None:
    changelog = topic(
        name="readers-counts-changelog", partitions=6, cleanup="compact", consumers=[], keys={"unique": 1000}
    )
    found = repartition(made(changelog), "t", 12)
    assert "keyed_state" in codes(found)
    assert found.recommended == "new_topic_and_cutover"
    assert found.state[0].group == "readers"
    # 1,000/s kept for a day, read at 3,000/s while 1,000/s arrive
    assert found.state[0].rebuild_s == pytest.approx(86_400 * 1000 / 2000, rel=0.02)
    assert any("kafka-streams-application-reset" in step for step in found.route("drain_then_add").steps)


def test_state_is_said_in_the_questions_too() -> None:
    found = repartition(made(questions={"work": "stateful"}), "t", 12)
    assert "keyed_state" in codes(found)
    slow = [{"group": "readers", "members": 6, "records_per_s_per_member": 100}]
    found = repartition(made(questions={"ecosystem": ["kafka_streams"]}, consumers=slow), "t", 12)
    assert found.state[0].rebuild_s is None
    assert found.state[0].rebuild_s_reason is not None


def test_static_members_keep_what_they_had() -> None:
    static = [{"group": f"g{number}", "members": 2, "static_membership": True} for number in range(8)]
    found = repartition(made(consumers=static), "t", 12)
    message = next(row.message for row in found.breaks if row.code == "static_members")
    assert "2 more" in message


def test_bytes_kept_grow_with_the_partitions() -> None:
    found = repartition(made(retention={"time": "forever", "bytes_per_partition": "2GB"}), "t", 12)
    finding = next(row for row in found.findings if row.code == "retention_bytes")
    assert "2 times" in finding.message
    assert "1000000000" in finding.action
    create = found.route("new_topic_and_cutover").steps[0]
    assert "retention.bytes=1000000000" in create
    assert "retention.ms=-1" in create
    more = found.route("add_in_place").extra_disk_bytes
    assert more == pytest.approx(6 * 3 * 2e9, rel=0.1)
    # having them now is compared at the same bytes
    disk = next(row for row in found.provision_now if row.name == "fullest_broker.disk_bytes")
    assert disk.after == pytest.approx(disk.before, rel=0.1)


def test_a_hot_key_is_not_helped() -> None:
    found = repartition(made(keys={"top_key_fraction": 0.3, "unique": 1000}), "t", 12)
    assert any(row.code == "hot_key" for row in found.findings)
    assert found.moved_record_fraction_low < 0.5 < found.moved_record_fraction_high
    unknown = repartition(made(keys={"top_key_fraction": 0.3}), "t", 12)
    assert unknown.moved_record_fraction_high == pytest.approx(found.moved_record_fraction_high, rel=0.01)
    none = repartition(made(keys=None), "t", 12)
    assert none.moved_record_reason is not None


def test_keys_of_a_file() -> None:
    keys = {f"user-{number}".encode(): 1.0 + 99 * (number == 0) for number in range(3000)}
    found = repartition(made(), "t", 9, keys=keys)
    places = [[(murmur2(key) & 0x7FFFFFFF) % count for key in keys] for count in (6, 9)]
    moves = [old != new for old, new in zip(*places, strict=True)]
    assert found.moved_key_fraction_measured == pytest.approx(sum(moves) / 3000)
    assert found.moved_key_fraction_measured == pytest.approx(found.moved_key_fraction, abs=0.04)
    records = sum(count for count, moves_on in zip(keys.values(), moves, strict=True) if moves_on)
    assert found.moved_record_fraction == pytest.approx(records / 3099)
    other = repartition(made(), "t", 9, keys=keys, librdkafka=True)
    crc = [zlib.crc32(key) % 6 != zlib.crc32(key) % 9 for key in keys]
    assert other.moved_key_fraction_measured == pytest.approx(sum(crc) / 3000)


# cost


def test_cost_and_break_even_by_hand() -> None:
    # disks of 60 GB with 3 x 88 GB on them: more segments than the disks take, so a broker more at 100 a month
    broker = {"vcpu": 8, "memory": "32GiB", "storage": {"capacity": "500GB"}, "price_per_month": 100}
    found = repartition(
        made(cluster={"broker": broker, "brokers": None}, questions={"hourly_rate": 50}, segment={"bytes": "1GiB"}),
        "t",
        3000,
    )
    assert found.provision_now_brokers
    assert found.provision_now_per_month == found.provision_now_brokers * 100
    assert found.provision_now_per_year == found.provision_now_brokers * 1200
    assert found.route("drain_then_add").cost == 8 * 50
    assert found.recommended == "drain_then_add"
    assert found.break_even_fraction == min(found.provision_now_per_year * 2 / 400, 1)


def test_unknown_prices_have_reasons() -> None:
    found = repartition(made(), "t", 12)
    assert found.provision_now_per_month == 0  # no broker more
    assert found.break_even_fraction == 0
    assert all(route.cost is None and route.cost_reason for route in found.routes)
    small = {"broker": {"vcpu": 8, "memory": "32GiB", "storage": {"capacity": "500GB"}}, "brokers": None}
    found = repartition(made(cluster=small, segment={"bytes": "1GiB"}, questions={"hourly_rate": 50}), "t", 3000)
    assert found.provision_now_per_month is None
    assert found.break_even_fraction is None
    cutover = found.route("new_topic_and_cutover")
    assert not cutover.holds_meanwhile
    assert cutover.cost is None
    assert cutover.cost_reason is not None
    assert "price_per_month" in cutover.cost_reason


def test_the_cluster_that_does_not_hold() -> None:
    tiny = {"broker": {"vcpu": 8, "memory": "32GiB", "storage": {"capacity": "100GB"}}}
    found = repartition(made(cluster=tiny), "t", 12)
    assert "either" in str(found.route("new_topic_and_cutover").holds_meanwhile_reason)
    assert not found.holds_meanwhile
    tight = {"broker": {"vcpu": 8, "memory": "32GiB", "storage": {"capacity": "150GB"}}}
    found = repartition(made(cluster=tight), "t", 12)
    assert found.holds_meanwhile
    assert "disk space" in str(found.route("new_topic_and_cutover").holds_meanwhile_reason)
    many = repartition(made(cluster=CLUSTER), "t", 10_000)
    assert any(row.code == "does_not_hold" for row in many.findings)


def test_a_long_drain_makes_a_new_topic_better() -> None:
    assert repartition(made(), "t", 12, lag=4 * 3600).recommended == "new_topic_and_cutover"


def test_an_assignment_that_is_there() -> None:
    lists = [[1, 2, 3], [2, 3, 1], [3, 1, 2]] * 2
    placed = {"racks": {"1": "a", "2": "b", "3": "c"}, "topics": {"t": lists}}
    found = repartition(made(cluster={"brokers": 3, "brokers_placed": placed}), "t", 12)
    assert found.moved_key_fraction == 0.5
    assert found.route("new_topic_and_cutover").possible


def test_a_planned_count_is_todays() -> None:
    scenario = made(partitions=None)
    count = planner.plan(scenario).topics["t"].partitions
    assert repartition(scenario, "t", count * 2).partitions_before == count


# refusals


@pytest.mark.parametrize(
    ("name", "to", "options", "paths"),
    [
        ("tt", 12, {}, ["topic"]),
        ("t", 3, {}, ["to"]),
        ("t", 6, {}, ["to"]),
        ("t", 0, {"throttle": -1.0, "lag": math.nan}, ["to", "throttle", "lag"]),
        ("nothing", 10**9, {"throttle": math.inf}, ["topic", "to", "throttle"]),
    ],
)
def test_refusals(name: str, to: int, options: dict[str, Any], paths: list[str]) -> None:
    with pytest.raises(ScenarioError) as caught:
        repartition(made(), name, to, **options)
    assert [error.path for error in caught.value.errors] == paths


def test_shrinking_names_the_way_out() -> None:
    with pytest.raises(ScenarioError) as caught:
        repartition(made(), "t", 3)
    message = caught.value.errors[0].message
    assert "cannot take partitions away" in message
    assert "new topic" in message


def test_rates_of_members_in_other_words() -> None:
    # 2 ms a record are 500/s, as in the scenario by hand
    timed = [{"group": "readers", "members": 6, "processing_time": "2ms"}]
    found = repartition(made(consumers=timed, keys={"ordered": True}), "t", 12, lag=600)
    assert found.route("drain_then_add").downtime_s == pytest.approx(200 + 120)
    # measured per partition: 5 MB/s of records of about 1,009 bytes on each of six
    measured = made(consumers=[{"group": "readers", "members": 2}], partition_throughput={"consume": "5MB/s"})
    found = repartition(measured, "t", 12, lag=600)
    assert found.route("drain_then_add").downtime_s == pytest.approx(600_000 / (6 * 5e6 / 1002) + 120, rel=0.02)


def test_a_topic_that_nobody_reads() -> None:
    found = repartition(made(consumers=[]), "t", 12)
    assert not codes(found)
    assert not any(row.code == "missed_new_partitions" for row in found.findings)
    assert found.route("drain_then_add").downtime_s == 120
    assert any("whatever else reads" in step for step in found.route("drain_then_add").steps)


def test_partners_bring_their_groups_into_the_runbook() -> None:
    partner = {**HAND, "name": "other", "consumers": [{"group": "readers"}, {"group": "second"}]}
    steps = repartition(made(partner), "t", 12).route("drain_then_add").steps
    assert any("--describe --group second" in step for step in steps)
    assert any('other:"$(seq -s, 6 11)" --group second' in step for step in steps)


def test_money_that_is_known_in_part() -> None:
    broker = {"vcpu": 8, "memory": "32GiB", "storage": {"capacity": "500GB"}, "price_per_month": 100}
    found = repartition(made(cluster={"broker": broker, "brokers": None}, segment={"bytes": "1GiB"}), "t", 3000)
    assert found.provision_now_per_month
    assert found.break_even_fraction is None
    assert found.break_even_reason is not None
    assert "hourly_rate" in found.break_even_reason


def test_names_that_are_taken_or_long() -> None:
    taken = {**HAND, "name": "t-p12"}
    assert new_name_of(made(taken), "t", 12) == "t-p12-2"
    long = new_name_of(made(), "x" * 249, 12)
    assert len(long) == 249
    assert long.endswith("-p12")


# the command and its runbook


def run(*arguments: str) -> Any:
    return CliRunner().invoke(cli, ["repartition", "preset:ecommerce", *arguments])


def test_the_command() -> None:
    done = run("--topic", "orders", "--to", "72")
    assert done.exit_code == 0
    assert done.stdout.startswith("orders from 36 to 72 partitions moves 50 % of the keys")
    assert "--partitions 72" in done.stdout
    other = run("--topic", "orders", "--to", "72", "--route", "new_topic_and_cutover", "--throttle", "50MB/s")
    assert "--create --topic orders-p72" in other.stdout
    assert json.loads(run("--topic", "orders", "--to", "72", "--format", "json").stdout)["to"] == 72
    assert run("--topic", "orders", "--to", "72", "--format", "csv").stdout.startswith("name,")
    assert "no key" in run("--topic", "audit", "--to", "720").stdout


def test_the_command_with_keys(tmp_path: Path) -> None:
    (tmp_path / "keys.csv").write_text("key,count\na,1\nb,2\n", encoding="utf-8")
    done = run("--topic", "orders", "--to", "72", "--keys", str(tmp_path / "keys.csv"))
    assert "moves 50 % of the keys given" in done.stdout
    assert "Of the records of these keys 66.7 % move; of many even keys 50 % would." in done.stdout
    no_keys = ("topics.orders.record.key_bytes=null", "topics.orders.keys.ordered=false")
    changes = [word for change in no_keys for word in ("--set", change)]
    keyless = run("--topic", "orders", "--to", "72", "--keys", str(tmp_path / "keys.csv"), *changes)
    assert keyless.exit_code == 2
    assert "Records of orders have no key" in keyless.output
    assert run("--topic", "orders", "--to", "72", "--lag", "0").exit_code == 0


def test_the_command_refuses() -> None:
    done = run("--topic", "orders", "--to", "12")
    assert done.exit_code == 2
    assert "new topic" in done.stderr
    assert run("--topic", "orders", "--to", "72", "--lag", "soon").exit_code == 2
    assert run("--topic", "order", "--to", "72").exit_code == 2


def test_texts_for_what_has_none() -> None:
    scenario = made(
        topic(name="readers-counts-changelog", partitions=6, cleanup="compact", consumers=[], keys={"unique": 1000})
    )
    found = repartition(scenario, "t", 12, throttle=1.0)
    assert {row.name for row in found.provision_now} == set(_FIGURE_LABELS)
    assert codes(found) <= set(_BREAK_LABELS)
    done = CliRunner().invoke(
        cli,
        ["repartition", "-", "--topic", "t", "--to", "12", "--throttle", "1B/s"],
        input=planner.codec.dump(scenario),
    )
    assert "no: never" in done.stdout
    assert "State to rebuild" in done.stdout


def test_names_are_quoted_for_the_shell() -> None:
    shell = shutil.which("bash")
    assert shell is not None
    evil = "a b; touch /nowhere/$(id) 'x'"
    found = repartition(made(consumers=[{"group": evil}]), "t", 12)
    step = next(step for step in found.route("drain_then_add").steps if "--to-earliest" in step)
    command = step.split(": ", 1)[1]
    printed = subprocess.run(
        [shell, "-c", f'kafka-consumer-groups() {{ printf "%s\\n" "$@"; }}; BOOTSTRAP=host:9092; {command}'],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert evil in printed
    assert "t:6,7,8,9,10,11" in printed
    assert shlex.split(command.replace('"$(seq -s, 6 11)"', "x"))[-2] == evil


@pytest.mark.parametrize("partners", [2, 9, 60])
def test_a_runbook_stays_short_however_many_topics_change(partners: int) -> None:
    """Few topics have steps of their own, more a loop that bash reads as written, very many a file of names."""
    keyed = {"record": {"key_bytes": 8, "value_bytes": 100}, "partitions": 12, "consumers": [{"group": "g{}'s"}]}
    rows = [topic(name=f"t.{number}", **keyed) for number in range(partners + 1)]
    drained = repartition(scenario(*rows), "t.0", 24).route("drain_then_add")
    looped = [step for step in drained.steps if "for NAME in " in step]
    assert len(drained.steps) < 20
    assert len(looped) == (0 if partners == 2 else 2)
    assert ("$(cat" in "".join(looped)) == (partners == 60)
    for step in looped:
        loop = step[step.index("for NAME in ") :].replace("kafka-", "echo kafka-")
        with tempfile.NamedTemporaryFile("w") as file:
            file.write("".join(f"{row['name']}\n" for row in rows))
            file.flush()
            done = subprocess.run(
                ["bash", "-c", loop], env={"TOPICS": file.name, "BOOTSTRAP": "b:1", "PATH": os.environ["PATH"]},
                capture_output=True, text=True, check=True,
            )  # fmt: skip
        lines = done.stdout.splitlines()
        assert len(lines) == partners + 1
        if "--alter" in step:
            assert lines[1] == "kafka-topics --bootstrap-server b:1 --alter --topic t.1 --partitions 24"
        else:
            fresh = ",".join(map(str, range(12, 24)))
            assert f"--topic t.1:{fresh} --group g{{}}'s --execute" in lines[1]
