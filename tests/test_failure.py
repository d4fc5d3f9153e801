"""Failures: partitions by brute force over sets of brokers; rates and times by hand, and as measured on a cluster."""

from __future__ import annotations

import itertools
import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import planner
from planner.cli import cli
from planner.model import failover
from planner.operations.failures import failure
from planner.scenario import Scenario, ScenarioError
from tests.elementwise import check_element_by_element
from tests.scenarios import topic

# Runs A to I on a real cluster: 24 partitions on 4 brokers without racks, RF 3, 4,000 records/s of 1,000 bytes, null
# keys, 9 or so to the batch; W = 4.06 MB/s
RUN: dict[str, Any] = {
    "name": "run",
    "records_per_s": 4000,
    "record": {"value_bytes": 1000},
    "batch": {"records": 9},
    "partitions": 24,
    "replication_factor": 3,
    "min_insync_replicas": 2,
    "retention": {"time": "1h"},
    "consumers": [{"group": "readers", "members": 4}],
}
W = 4000 * 1015.8  # 1,009 and a ninth of 61 bytes
BROKER = {"vcpu": 8, "memory": "32GiB", "network_in": "1GB/s", "network_out": "1GB/s",
          "storage": {"capacity": "1TB", "throughput": "1GB/s"}}  # fmt: skip


def made(*topics: dict[str, Any], **cluster: Any) -> Scenario:
    body = {"brokers": 4, "zones": 1, "broker": BROKER, "tls": False, **cluster}
    policy = {"survive": {"brokers": 0}}
    return Scenario.model_validate({"topics": list(topics) or [RUN], "cluster": body, "policy": policy})


# against the real cluster


def test_a_broker_down_as_measured() -> None:
    found = failure(made())
    assert found.survivors is not None
    # 1 down, F = 1: in 3.049 and out 3.050 MB/s a broker
    assert found.survivors.per_broker["network_in_bytes_per_s"] == pytest.approx(3.049e6, rel=0.005)
    assert found.survivors.per_broker["network_out_bytes_per_s"] == pytest.approx(3.050e6, rel=0.005)
    assert found.lost.leaders_moved == pytest.approx(6)
    assert found.holds


def test_half_the_partitions_without_two_of_four_brokers() -> None:
    found = failure(made(), brokers=2)
    # 12 of 24 measured for one pair; for a pair at random RF(RF-1)/(B(B-1))
    assert found.unwritable_mean["run"] == pytest.approx(0.5)
    assert found.unwritable["run"] >= 0.5
    assert found.refused_bytes_per_s == pytest.approx(found.unwritable["run"] * W, rel=0.001)
    assert not found.offline
    assert not found.holds


def test_catching_up_under_a_throttle_as_predicted_for_a_run() -> None:
    # 6 MB/s on the target, own rate 3.05: 114.7 MB in 38.8 s by the formula (27.0 s measured, as the first responses of
    # three sources, 31 MB, pass before the throttle holds)
    found = failure(made(), after=114.7e6 / (W * 3 / 4), throttle=6e6)
    assert found.catch_up_bytes == pytest.approx(114.7e6, rel=0.001)
    assert found.catch_up_s == pytest.approx(38.8, rel=0.01)
    without_first = (114.7e6 - 3 * 10 * 2**20) / (6e6 - W * 3 / 4)
    assert without_first == pytest.approx(27.0, rel=0.06)
    assert found.limited_by == "throttle on the target"


def test_never_below_what_passes_anyway() -> None:
    # a target writes W RF/B = 3.05 MB/s live
    found = failure(made(), throttle=3.0e6)
    assert found.catch_up_s is None
    assert found.refill_s is None
    assert found.catch_up_s_reason is not None
    assert "throttle on the target" in found.catch_up_s_reason
    assert found.rolling_restart is None
    assert any(row.code == "refill_never" for row in found.findings)
    # a source sends W(RF (B-f)/B - 1)/(B-f) to followers in sync: 1.69 MB/s, and a third of the target's own rate
    source = found.trace.steps["source_in_sync_bytes_per_s"].value
    assert float(source) == pytest.approx(1.69e6, rel=0.005)
    assert found.curve[0].duration_s is None
    assert found.curve[1].duration_s is not None


def test_sources_can_be_what_holds_a_return_back() -> None:
    # replication factor 2 on 2 + 1 brokers: each source feeds half, and serves its followers
    found = failure(
        made({**RUN, "replication_factor": 4, "min_insync_replicas": 2}, brokers=4), throttle=5e6, brokers=1
    )
    # W(4 x 3/4 - 1)/3 = 2.71 MB/s in sync at a source, W x 4/4 = 4.06 into the target
    assert found.limited_by in {"throttle on the target", "throttle on the sources"}
    target, sources = 5e6 - W, 3 * (5e6 - W * 2 / 3) - W
    assert found.refill_s == pytest.approx(found.refill_bytes / min(target, sources), rel=0.01)


def test_the_curve_falls_and_starts_with_never() -> None:
    curve = failure(made()).curve
    times = [point.duration_s for point in curve if point.duration_s is not None]
    assert times == sorted(times, reverse=True)
    assert curve[0].duration_s is None
    own = W * 3 / 4
    for point in curve[1:]:
        assert point.duration_s == pytest.approx(
            failure(made(), throttle=point.throttle_bytes_per_s).refill_s, rel=1e-9
        )
        assert point.throttle_bytes_per_s > own


def test_a_refill_without_a_throttle_is_the_plans() -> None:
    scenario = planner.load("preset:ecommerce")
    found = failure(scenario)
    restored = planner.plan(scenario).recovery
    assert found.refill_bytes == pytest.approx(restored.broker_refill_bytes)
    assert found.refill_s == pytest.approx(restored.broker_refill_s)
    assert found.limited_by == restored.limited_by


def test_a_zone_comes_back_at_once_and_shares_its_sources() -> None:
    # all sources together can send 2 x (1 GB/s x 95 % - live); the two of the zone share it
    slow = {**BROKER, "network_out": "20MB/s"}
    one, both = failure(made(broker=slow), brokers=1), failure(made(broker=slow), ids=[0, 1])
    assert one.limited_by == both.limited_by == "sources network out"
    assert one.refill_s is not None
    assert both.refill_s is not None
    assert both.refill_s > 2 * one.refill_s  # half as much each, from two instead of three, which serve more clients


# partitions by brute force


@settings(max_examples=15)
@given(data=st.data())
def test_partitions_by_hand_over_every_set(data: st.DataObject) -> None:
    """Random assignments: what two lost brokers stop, counted with plain loops."""
    brokers = data.draw(st.integers(4, 6))
    lists = [
        data.draw(st.permutations(range(1, brokers + 1)).map(lambda order: order[:3]), label=f"partition {number}")
        for number in range(8)
    ]
    racks = {str(broker): "ab"[broker % 2] for broker in range(1, brokers + 1)}
    placed = {"racks": racks, "topics": {"run": lists}}
    scenario = made({**RUN, "partitions": 8}, brokers=brokers, zones=2, brokers_placed=placed)
    stopped = {
        pair: sum(len(set(row) - set(pair)) < 2 for row in lists) / 8
        for pair in itertools.combinations(range(1, brokers + 1), 2)
    }
    found = failure(scenario, brokers=2)
    assert found.unwritable.get("run", 0.0) == pytest.approx(max(stopped.values()))
    assert found.unwritable_mean.get("run", 0.0) == pytest.approx(np.mean(list(stopped.values())))
    pair = data.draw(st.sampled_from(sorted(stopped)))
    certain = failure(scenario, ids=pair)
    assert certain.unwritable.get("run", 0.0) == pytest.approx(stopped[pair])
    assert certain.lost.leaders_moved == sum(row[0] in pair for row in lists)
    assert certain.lost.replicas_missing == sum(len(set(row) & set(pair)) for row in lists)
    left = [row for row in lists if len(set(row) - set(pair)) >= 1]
    leaders = [next(broker for broker in row if broker not in pair) for row in left]
    assert certain.survivors is not None
    assert {row.broker: row.leaders for row in certain.survivors.brokers} == {
        broker: leaders.count(broker) for broker in range(1, brokers + 1) if broker not in pair
    }
    zone = [broker for broker in range(1, brokers + 1) if racks[str(broker)] == "a"]
    lost = failure(scenario, zone="a")
    assert lost.lost.ids == tuple(zone)
    assert lost.lost.brokers == len(zone)
    assert lost.unwritable.get("run", 0.0) == pytest.approx(sum(len(set(row) - set(zone)) < 2 for row in lists) / 8)


def test_one_copy_goes_offline() -> None:
    found = failure(made({**RUN, "replication_factor": 1, "min_insync_replicas": 1}))
    assert found.offline["run"] == pytest.approx(0.25)
    assert next(row.code for row in found.findings if row.severity == "critical") == "offline"
    assert "unwritable" not in {row.code for row in found.findings}  # said once


def test_any_zone_of_three() -> None:
    found = failure(made(RUN, brokers=6, zones=3), zone="any")
    assert found.state == "zone_down"
    assert found.lost.brokers == 2
    assert not found.unwritable  # one replica in each zone, two are left
    assert found.away_s == 4 * 3600  # operations.zone_mttr
    second = failure(made(RUN, brokers=6, zones=3), zone="2")
    assert second.lost.ids == (2, 3)


# disks


def test_a_disk_by_hand() -> None:
    # 24 partitions of one copy on 4 brokers with 3 disks each: 6 on a broker, 2 on a disk
    single = {**RUN, "replication_factor": 1, "min_insync_replicas": 1}
    jbod = {**BROKER, "storage": {"capacity": "1TB", "throughput": "100MB/s", "volumes": 3}}
    found = failure(made(single, broker=jbod), disk=True)
    assert found.state == "disk_lost"
    assert found.offline["run"] == pytest.approx(2 / 24)
    assert found.lost.leaders_moved == pytest.approx(2)
    assert found.lost.replicas_missing_most == pytest.approx(2)
    assert found.refused_bytes_per_s == pytest.approx(W / 12, rel=0.001)
    assert found.catch_up_bytes == found.refill_bytes  # it comes back empty
    assert found.survivors is None
    copies = failure(made(broker=jbod), disk=True)
    assert not copies.unwritable
    assert copies.holds
    strict = failure(made({**RUN, "min_insync_replicas": 3}, broker=jbod), disk=True)
    # a partition stops when any of its replicas is on the disk: 72 replicas on 12 disks
    assert strict.unwritable["run"] == pytest.approx(6 / 24)
    assert strict.unwritable_mean["run"] == pytest.approx(6 / 24)
    # a disk refills at what one of three takes
    assert copies.limited_by == "target disk"
    rate = copies.refill_bytes / copies.refill_s if copies.refill_s else 0.0
    assert rate == pytest.approx(100e6 * 0.95 - W / 4, rel=0.03)


def test_the_only_disk_is_the_broker() -> None:
    found = failure(made(), disk=True)
    assert found.state == "broker_down"
    assert "only_disk" in {row.code for row in found.findings}


# producers


def test_buffers_by_hand() -> None:
    # 40 MB/s from two producers, a quarter of it without a leader for 10 s: 50 MB each, 33.5 MB fit in 6.7 s
    busy = {**RUN, "records_per_s": 40_000, "producers": 2}
    found = failure(made(busy))
    row = found.topics[0]
    assert found.failover_s == 10
    assert row.lost_fraction == pytest.approx(0.25)
    assert row.waiting_bytes == pytest.approx(10 * W / 8 * 10, rel=0.001)
    assert row.buffer_lasts_s == pytest.approx(2**25 / (10 * W / 8), rel=0.001)
    assert row.blocks
    assert "buffer_full" in {row.code for row in found.findings}
    assert row.failed_bytes == 0
    calm = failure(made({**busy, "producers": 200}))
    assert not calm.topics[0].blocks


def test_sends_fail_after_two_minutes() -> None:
    found = failure(made(), brokers=2, after=180)
    assert found.topics[0].failed_bytes == pytest.approx(found.unwritable["run"] * W * 60, rel=0.001)
    assert "records_fail" in {row.code for row in found.findings}
    assert failure(made(), brokers=2, after=60).topics[0].failed_bytes == 0


def test_a_controller_among_the_lost_takes_longer() -> None:
    # 10.8 s were measured when the killed node was the active controller too, 8.9 s when it was not
    assert failure(made(), brokers=1, controllers=1).failover_s == pytest.approx(10.8, rel=0.1)


# controllers and restarts


@pytest.mark.parametrize(("controllers", "may_be_lost"), [(1, 0), (2, 0), (3, 1), (4, 1), (5, 2), (7, 3)])
def test_majorities(controllers: int, may_be_lost: int) -> None:
    assert float(failover.quorum_majority(controllers=controllers)) == controllers - may_be_lost


def test_controllers_alone() -> None:
    one, two = failure(made(), controllers=1), failure(made(), controllers=2)
    assert one.state == two.state == "controllers_lost"
    assert one.holds
    assert not two.holds
    assert "quorum_lost" in {row.code for row in two.findings}
    assert one.refill_s == 0
    assert one.failover_s == 0
    assert not one.topics


def test_a_rolling_restart_by_hand() -> None:
    found = failure(made()).rolling_restart
    assert found is not None
    # 90 s of 3.05 MB/s are 274 MB, at up to 0.9 GB/s
    assert found.catch_up_s == pytest.approx(90 * W * 3 / 4 / (950e6 - W * 3 / 4), rel=0.02)
    assert found.duration_s == pytest.approx(4 * (30 + 60 + 30 + found.catch_up_s))
    assert found.unwritable_with_failure_mean["run"] == pytest.approx(0.5)
    assert not found.unwritable
    strict = failure(made({**RUN, "min_insync_replicas": 3})).rolling_restart
    assert strict is not None
    assert strict.unwritable["run"] == pytest.approx(0.75)  # those with a replica on it
    pair = failure(made({**RUN, "replication_factor": 2, "min_insync_replicas": 1}, brokers=2))
    assert pair.rolling_restart is not None
    assert pair.rolling_restart.unwritable_with_failure == {"run": 1.0}


def test_the_chance_of_a_second_failure_by_simulation() -> None:
    brokers, down, mtbf = 6, 100.0, 40_000.0
    generator = np.random.default_rng(5)
    # for each of 6 restarts each of the 5 others fails after an exponential time
    first = generator.exponential(mtbf, (200_000, brokers * (brokers - 1))).min(axis=1)
    found = failover.second_failure_fraction(brokers=brokers, down_s=down, mtbf_s=mtbf)
    assert float(found) == pytest.approx(float((first < down).mean()), rel=0.03)


# limits, unknowns, refusals


def test_survivors_over_a_limit() -> None:
    small = {**BROKER, "network_out": "3.4MB/s"}
    found = failure(made(broker=small))
    row = next(row for row in found.usage if row.resource == "network_out")
    assert not row.holds
    assert any(finding.code == "overload" for finding in found.findings)
    assert found.refill_s is None  # nothing is left for it
    assert found.refill_s_reason is not None
    assert "sources network out leaves nothing" in found.refill_s_reason


def test_nothing_known_to_limit() -> None:
    unmetered = {"vcpu": 8, "memory": "32GiB", "storage": {"capacity": "1TB"}}
    found = failure(made(broker=unmetered))
    assert found.refill_s is None
    assert found.refill_s_reason is not None
    assert "unknown" in found.refill_s_reason
    assert found.curve[-1].duration_s is not None  # a throttle would limit it
    assert failure(made(broker=unmetered), throttle=50e6).refill_s is not None


def test_an_idle_cluster() -> None:
    found = failure(made({**RUN, "records_per_s": 0}))
    assert found.catch_up_s == 0
    assert found.refill_s == 0
    assert found.holds
    json.dumps(found.to_dict(), allow_nan=False)


def test_a_recovery_time_that_is_missed() -> None:
    scenario = made(replication_throttle="4MB/s")
    policy = scenario.policy.model_copy(update={"recovery_time_max": 600.0})
    found = failure(scenario.model_copy(update={"policy": policy}))
    assert "refill_slow" in {row.code for row in found.findings}
    assert not found.holds


def test_leaders_gather_where_the_placer_puts_them() -> None:
    found = failure(made({**RUN, "partitions": 36}, brokers=9, zones=3))
    assert "uneven_survivors" in {row.code for row in found.findings}


@pytest.mark.parametrize(
    ("options", "paths"),
    [
        ({"brokers": 4}, ["brokers"]),
        ({"brokers": 0, "controllers": 9}, ["brokers", "controllers"]),
        ({"ids": [7]}, ["ids"]),
        ({"ids": [1, 1]}, ["ids"]),
        ({"ids": [0, 1, 2, 3]}, ["ids"]),
        ({"zone": "1"}, ["zone"]),
        ({"after": -1.0, "throttle": math.nan}, ["after", "throttle"]),
        ({"brokers": 1, "disk": True}, ["brokers and disk"]),
    ],
)
def test_refusals(options: dict[str, Any], paths: list[str]) -> None:
    with pytest.raises(ScenarioError) as caught:
        failure(made(), **options)
    assert [error.path for error in caught.value.errors] == paths


def test_zones_that_are_not_there() -> None:
    with pytest.raises(ScenarioError) as caught:
        failure(made(RUN, brokers=6, zones=3), zone="x")
    assert "any, 1, 2, 3" in str(caught.value.errors[0].allowed)
    with pytest.raises(ScenarioError):
        failure(made({**RUN, "replication_factor": 1, "min_insync_replicas": 1}, brokers=1), brokers=1)
    lists = [[1, 2, 3], [2, 3, 4], [3, 4, 1], [4, 1, 2]]
    bare = made({**RUN, "partitions": 4}, brokers_placed={"topics": {"run": lists}}, zones=3)
    with pytest.raises(ScenarioError) as caught:
        failure(bare, zone="any")
    assert "racks" in caught.value.errors[0].allowed


def test_formulas_are_elementwise() -> None:
    rate = {"produce_in_bytes_per_s": (0.0, 1e9), "producers": (1, 1000), "lost_fraction": (0.0, 1.0)}
    check_element_by_element(failover.waiting_bytes, **rate, gap_s=(0.0, 100.0))
    check_element_by_element(failover.buffer_lasts_s, **rate, buffer_bytes=(1e6, 1e9))
    check_element_by_element(
        failover.failed_bytes,
        produce_in_bytes_per_s=(0.0, 1e9),
        lost_fraction=(0.0, 1.0),
        outage_s=(0.0, 1e5),
        delivery_timeout_s=(0.0, 300.0),
    )
    times = dict.fromkeys(("stop_s", "start_s", "catch_up_s", "settle_s"), (0.0, 1000.0))
    check_element_by_element(failover.rolling_restart_s, brokers=(1, 100), **times)
    check_element_by_element(failover.second_failure_fraction, brokers=(1, 100), down_s=(0.0, 1e4), mtbf_s=(1e5, 1e9))
    check_element_by_element(failover.quorum_majority, controllers=(1, 9))
    several = failover.source_in_sync_bytes_per_s(
        produce_in_bytes_per_s=np.array([12.0, 1.0]), replication_factor=np.array([3.0, 1.0]), brokers=4, brokers_down=1
    )
    assert float(several) == 5.0  # a topic of one copy sends nothing to followers


# the command


def run(*arguments: str) -> Any:
    return CliRunner().invoke(cli, ["failure", "preset:ecommerce", *arguments])


def test_the_command() -> None:
    done = run()
    assert done.exit_code == 0
    assert done.stdout.startswith("Without any one of 15 brokers every partition is read and written")
    done = run("--brokers", "2")
    assert done.exit_code == 1
    assert "refuse writes" in done.stdout
    body = json.loads(run("--zone", "any", "--after", "2h", "--format", "json").stdout)
    assert {"state", "lost", "survivors", "unwritable", "offline", "refill_s", "catch_up_s", "curve"} <= set(body)
    assert set(body["curve"][0]) >= {"throttle_bytes_per_s", "duration_s"}
    assert run("--format", "csv").stdout.startswith("broker,")
    assert "1 of 3 controllers" in run("--controllers", "1").stdout
    assert run("--controllers", "2").exit_code == 1
    assert "zone 2 (5 brokers)" in run("--zone", "2").stdout
    assert "brokers 0, 3" in run("--ids", "0,3", "--throttle", "10MB/s").stdout


def test_the_command_on_disks_and_single_copies() -> None:
    disk = CliRunner().invoke(cli, ["failure", "preset:linkedin-2014", "--disk"])
    assert disk.stdout.startswith("Without a disk of a broker")
    offline = run("--set", "topics.*.replication_factor=1", "--set", "topics.*.min_insync_replicas=1")
    assert "are offline" in offline.stdout


def test_the_command_refuses() -> None:
    done = run("--ids", "a,2", "--after", "soon")
    assert done.exit_code == 2
    assert "2 errors" in done.stderr
    assert run("--brokers", "15").exit_code == 2


def test_many_topics_are_cut_in_the_text() -> None:
    topics = [topic(name=f"t{number}", records_per_s=10, partitions=3) for number in range(60)]
    scenario = made(*topics)
    done = CliRunner().invoke(cli, ["failure", "-"], input=planner.codec.dump(scenario))
    assert "20 more topics" in done.stdout
