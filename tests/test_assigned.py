"""Existing assignments (`cluster.brokers_placed`) against loads of every broker worked out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

import planner
from planner.results import Plan
from planner.sizing.compose import sizer_of
from planner.sizing.simulate import place_topics
from planner.sizing.spread import rack_names
from planner.sizing.workload import Workload
from tests.scenarios import scenario, topic

# one record: 1 attributes, 1 timestamp, 1 offset, 1 + 16 key, 2 + 1000 value, 1 headers, 2 length; 50 share 61 bytes
WIRE = 10_000 * (1 + 1 + 1 + (1 + 16) + (2 + 1000) + 1 + 2 + 61 / 50)
PART = WIRE / 3  # of three partitions

RACKS = {"101": "a", "7": "b", "55": "a", "300": "b"}
LISTS = [[101, 7], [7, 300], [101, 55]]


def placed(racks: dict[str, str] | None, topics: dict[str, Any], **cluster: Any) -> dict[str, Any]:
    return {"brokers_placed": {"racks": racks, "topics": topics}, **cluster}


@pytest.fixture(scope="module")
def by_hand() -> Plan:
    """Partitions: 0 on 101 and 7; 1 on 7 and 300, both in rack b; 2 on 101 and 55, both in rack a."""
    return planner.plan(
        scenario(
            topic(replication_factor=2),
            cluster=placed(RACKS, {"events": LISTS}),
            policy={"survive": {"brokers": 1, "zones": 1}},
        )
    )


def test_counts_follow_from_the_assignment(by_hand: Plan) -> None:
    assert by_hand.brokers.count == 4
    assert by_hand.topics["events"].partitions == 3
    assert by_hand.topics["events"].partitions_given
    assert by_hand.placement is not None
    assert by_hand.placement.assigned
    assert [(rack.rack, rack.brokers) for rack in by_hand.placement.racks] == [("a", 2), ("b", 2)]
    assert by_hand.placement.concentrations == ()  # nothing is placed anew
    assert by_hand.placement.placements == 1
    assert all(name in by_hand.to_dict() for name in ("placement", "placement_reason"))


def test_each_broker_by_hand(by_hand: Plan) -> None:
    """A leader sends one copy and one read of each partition: 2 w; a replica receives w."""
    assert by_hand.placement is not None
    rows = {row.broker: row for row in by_hand.placement.brokers}
    expected = {  # replicas, leaders, peers, in, out
        101: ("a", 2, 2, 2, 2, 4),
        55: ("a", 1, 0, 1, 1, 0),
        7: ("b", 2, 1, 2, 2, 2),
        300: ("b", 1, 0, 1, 1, 0),
    }
    each_disk = by_hand.cluster.disk_bytes_worst / 6
    assert rows.keys() == expected.keys()
    for broker, (rack, replicas, leaders, peers, into, out) in expected.items():
        row = rows[broker]
        assert (row.rack, row.replicas, row.leaders, row.peers) == (rack, replicas, leaders, peers)
        assert row.network_in_bytes_per_s == pytest.approx(into * PART, rel=1e-9)
        assert row.network_out_bytes_per_s == pytest.approx(out * PART, rel=1e-9)
        assert row.disk_bytes == pytest.approx(replicas * each_disk, rel=1e-9)
    assert by_hand.placement.fullest_over_mean["network_out_bytes_per_s"] == pytest.approx(4 / (6 / 4))
    assert by_hand.placement.fullest_over_mean["leaders"] == pytest.approx(2 / (3 / 4))
    assert by_hand.placement.fullest_over_mean["replicas"] == pytest.approx(2 / (6 / 4))
    assert by_hand.placement.leaderless_brokers == 2
    assert (by_hand.placement.peers.least, by_hand.placement.peers.most) == (1, 2)


@pytest.mark.parametrize(
    ("state", "figure", "fullest"),
    [
        ("healthy", "network_out_bytes_per_s", 4),
        ("healthy", "network_in_bytes_per_s", 2),
        # without 300 its leader 7 sends no copies, and 101 goes on with 4
        ("broker_down", "network_out_bytes_per_s", 4),
        ("broker_down", "network_in_bytes_per_s", 2),
        # back without leading: 7 leads partitions 0 and 1, a copy and a read of each
        ("returned", "network_out_bytes_per_s", 4),
        # rack a lost: 7 sends a read of partition 0, a copy and a read of partition 1; partition 2 is gone
        ("zone_down", "network_out_bytes_per_s", 3),
    ],
)
def test_states_by_hand(by_hand: Plan, state: str, figure: str, fullest: float) -> None:
    found = by_hand.states[state].fullest
    assert found is not None
    assert found[figure] == pytest.approx(fullest * PART, rel=1e-9)


def test_a_lost_rack_takes_partitions_that_were_not_spread(by_hand: Plan) -> None:
    assert by_hand.states["zone_down"].unwritable["events"] == pytest.approx(1 / 3)
    assert by_hand.states["zone_down"].offline["events"] == pytest.approx(1 / 3)
    assert by_hand.states["broker_down"].unwritable == {}
    findings = {finding.code: finding for finding in by_hand.findings}
    assert "events (2 partitions)" in findings["assignment_not_rack_aware"].message
    assert "2 of 4 brokers lead no partition" not in str(findings)  # three partitions cannot reach four brokers
    # the mean survivor: both racks leave two brokers, of which one sends 3 w
    mean = by_hand.states["zone_down"].per_broker
    assert mean is not None
    assert mean["network_out_bytes_per_s"] == pytest.approx((3 + 0 + 3 + 0) / 4 * PART, rel=1e-9)


def test_a_refill_is_fed_by_the_leaders_of_the_lost_replicas(by_hand: Plan) -> None:
    """101 comes back empty: partition 0 from 7 and partition 2 from 55, one replica each; nobody else has any."""
    assert by_hand.placement is not None
    assert by_hand.placement.peers.refill_sources == pytest.approx(2)
    source = by_hand.states["recovering"].source
    returned = by_hand.states["returned"].fullest
    assert source is not None
    assert returned is not None
    rate = by_hand.recovery.rate_bytes_per_s
    extra = source["network_out_bytes_per_s"] - returned["network_out_bytes_per_s"]
    assert extra == pytest.approx(rate / 2, rel=1e-9)


def test_other_counts_are_placed_anew() -> None:
    """All replicas lie on three of six brokers: that is too full, though six evenly used ones carry it."""
    machine = {
        "vcpu": 16, "memory": "64GiB", "network_in": "10Gbit/s", "network_out": "10Gbit/s",
        "storage": {"capacity": "8TB", "throughput": "1GB/s", "iops": 100_000},
    }  # fmt: skip
    racks = {str(broker): "abc"[broker % 3] for broker in range(6)}
    crowded = placed(racks, {"events": [[0, 1, 2]] * 12}, broker=machine)
    result = planner.plan(scenario(topic(), cluster=crowded))
    assert result.brokers.count == 6
    assert not result.feasible
    spread_out = planner.plan(scenario(topic(partitions=12), cluster={"brokers": 6, "broker": machine}))
    assert result.states["healthy"].fullest is not None
    assert spread_out.states["healthy"].fullest is not None
    lumped, even = (plan.states["healthy"].fullest["disk_bytes"] for plan in (result, spread_out))  # type: ignore[index]
    assert lumped == pytest.approx(2 * even, rel=1e-9)
    assert spread_out.feasible


@pytest.mark.parametrize("seed", range(3))
def test_a_simulated_placement_written_down_gives_the_same_loads(seed: int) -> None:
    """What the simulation placed, given back as an assignment with other broker ids, loads every broker alike."""
    generator = np.random.default_rng(seed)
    topics = [
        topic(
            name=f"t{index}",
            partitions=int(generator.integers(1, 30)),
            records_per_s=float(generator.integers(1, 9000)),
            replication_factor=int(generator.integers(1, 4)),
        )
        for index in range(4)
    ]
    loaded = scenario(*topics, cluster={"brokers": 7})
    simulated = planner.plan(loaded)
    workload = Workload(loaded)
    layout = sizer_of(workload)[1].complete(7).layout
    lists: dict[str, list[list[int]]] = {}
    for group in place_topics(layout).groups:
        for replicas, of_class in zip(group.assignment[0].tolist(), group.partition_class.tolist(), strict=True):
            name = workload.names[layout.class_topic[of_class]]
            lists.setdefault(name, []).append([100 + 7 * broker for broker in replicas])
    racks = {str(100 + 7 * broker): f"zone-{rack}" for broker, rack in enumerate(rack_names(layout))}
    given = planner.plan(scenario(*topics, cluster=placed(racks, lists)))
    assert simulated.placement is not None
    assert given.placement is not None
    assert {row.broker: row.rack for row in given.placement.brokers} == {int(key): rack for key, rack in racks.items()}
    for one, other in zip(simulated.placement.brokers, given.placement.brokers, strict=True):
        assert other.broker == 100 + 7 * (one.broker or 0)
        assert (other.replicas, other.leaders, other.peers) == (one.replicas, one.leaders, one.peers)
        for figure in ("disk_bytes", "network_in_bytes_per_s", "network_out_bytes_per_s"):
            assert getattr(other, figure) == pytest.approx(getattr(one, figure), rel=1e-9)


def test_topics_that_the_assignment_leaves_out_are_simulated() -> None:
    other = topic(name="other", partitions=8, replication_factor=2)
    result = planner.plan(scenario(topic(replication_factor=2), other, cluster=placed(RACKS, {"events": LISTS})))
    assert result.placement is not None
    # eight partitions on four brokers in two racks: two or four leaders each, on top of those that were there
    rows = {row.broker: row for row in result.placement.brokers}
    assert sum(row.leaders for row in rows.values()) == 3 + 8
    assert sum(row.replicas for row in rows.values()) == 6 + 16
    given = {101: (2, 2), 7: (2, 1), 55: (1, 0), 300: (1, 0)}
    for broker, (replicas, leaders) in given.items():
        assert rows[broker].replicas - replicas == 4  # Kafka's placer fills equal racks evenly
        assert rows[broker].leaders - leaders in {0, 1, 2, 3, 4}
    assert {row.replication_factor for row in result.placement.concentrations} == {2}


def test_the_hottest_partition_may_be_any_of_an_assignment() -> None:
    """Half of all records have one key; two brokers lead one partition each: one of them has three quarters."""
    hot = topic(replication_factor=1, keys={"top_key_fraction": 0.5})
    result = planner.plan(
        scenario(hot, cluster=placed(None, {"events": [[1], [2]]}), policy={"survive": {"brokers": 0}})
    )
    fullest = result.states["healthy"].fullest
    assert fullest is not None
    assert fullest["network_in_bytes_per_s"] == pytest.approx(0.75 * WIRE, rel=1e-9)


def test_brokers_that_hold_nothing_count() -> None:
    """Without racks they have no name."""
    single = placed(None, {"events": [[1, 2], [2, 1], [1, 2]]}, brokers=3)
    result = planner.plan(scenario(topic(replication_factor=2), cluster=single))
    assert result.placement is not None
    assert [(row.broker, row.rack, row.replicas) for row in result.placement.brokers] == [
        (1, None, 3), (2, None, 3), (None, None, 0),
    ]  # fmt: skip
    assert any(finding.code == "brokers_without_leaders" for finding in result.findings)
    assert result.placement.fullest_over_mean["replicas"] == pytest.approx(3 / 2)
    named = planner.plan(
        scenario(topic(replication_factor=2), cluster=placed({"1": "a", "2": "b", "9": "c"}, {"events": [[1, 2]]}))
    )
    assert named.brokers.count == 3
    assert [row.broker for row in named.placement.brokers] == [1, 2, 9]  # type: ignore[union-attr]


def test_an_empty_assignment_says_nothing() -> None:
    empty = planner.plan(scenario(cluster=placed(None, {})))
    assert empty.to_dict() == {**planner.plan(scenario()).to_dict()}
    given = planner.plan(scenario(cluster=placed(None, {}, brokers=5)))
    assert given.brokers.count == 5
    # racks and ids alone: everything is simulated on these brokers
    racks = {str(10 * broker): "ab"[broker % 2] for broker in range(5)}
    named = planner.plan(scenario(cluster=placed(racks, {})))
    assert [(row.broker, row.rack) for row in named.placement.brokers] == [  # type: ignore[union-attr]
        (0, "a"), (20, "a"), (40, "a"), (10, "b"), (30, "b"),
    ]  # fmt: skip


def test_without_racks_a_lost_zone_is_not_known() -> None:
    lists = {"events": [[1, 2, 3], [2, 3, 1]]}
    result = planner.plan(scenario(topic(), cluster=placed(None, lists), policy={"survive": {"zones": 1}}))
    critical = {finding.code for finding in result.findings if finding.severity == "critical"}
    assert "assignment_without_racks" in critical
    assert "zone_down_leaves_nothing" not in critical
    assert "names no racks" in (result.states["zone_down"].reason or "")
    assert result.states["zone_down"].per_broker is None


@pytest.mark.parametrize(
    ("cluster", "path"),
    [
        (placed(RACKS, {"events": LISTS}, zones=3), "cluster.zones"),
        (placed(RACKS, {"events": LISTS}, brokers=5), "cluster.brokers"),
        (placed(None, {"events": LISTS}, brokers=3), "cluster.brokers"),
    ],
)
def test_counts_beside_the_assignment_agree_with_it(cluster: dict[str, Any], path: str) -> None:
    with pytest.raises(ValidationError, match=rf"{path}: The assignment has [24]"):
        scenario(topic(replication_factor=2), cluster=cluster)
    agreed = {**cluster, path.rsplit(".", 1)[-1]: {"cluster.zones": 2, "cluster.brokers": 4}[path]}
    assert scenario(topic(replication_factor=2), cluster=agreed).cluster.broker_count == 4


def test_check_and_reverse_of_an_assignment() -> None:
    def checked(factor: float) -> bool:
        kept = topic(replication_factor=2, retention={"time": "12h"}, records_per_s=10_000 * factor)
        return planner.check(scenario(kept, cluster=placed(RACKS, {"events": LISTS}))).holds

    kept = topic(replication_factor=2, retention={"time": "12h"})
    factor = planner.reverse(scenario(kept, cluster=placed(RACKS, {"events": LISTS}))).max_load_factor
    assert factor is not None
    assert checked(0.999 * factor)
    assert not checked(1.001 * factor)
