"""The placement section of a plan, its findings, volumes and refill sources against hand arithmetic and plain loops."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import planner
from planner.results import Plan, Spread
from planner.sizing.compose import sizer_of
from planner.sizing.simulate import place_topics
from planner.sizing.workload import Workload
from tests.scenarios import scenario, topic

QUICK = settings(
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow],
    max_examples=15,
)


def machine(**storage: Any) -> dict[str, Any]:
    return {
        "vcpu": 64, "memory": "256GiB", "network_in": "25Gbit/s", "network_out": "25Gbit/s",
        "storage": {"capacity": "4TB", "throughput": "1GB/s", "iops": 100_000, **storage},
    }  # fmt: skip


def spread(result: Plan) -> Spread:
    assert result.placement is not None
    return result.placement


def codes(result: Plan) -> dict[str, str]:
    return {finding.code: finding.message + " " + finding.action for finding in result.findings}


# the section


def test_the_section_agrees_with_the_states() -> None:
    result = planner.plan(scenario(topic(partitions=20), topic(name="b", partitions=7), cluster={"brokers": 9}))
    healthy = result.states["healthy"]
    assert healthy.fullest is not None
    assert healthy.per_broker is not None
    for figure in ("disk_bytes", "network_in_bytes_per_s", "network_out_bytes_per_s", "leaders"):
        ratio = healthy.fullest[figure] / healthy.per_broker[figure]
        assert spread(result).fullest_over_mean[figure] == pytest.approx(ratio, rel=1e-9)
    rows = spread(result).brokers
    assert sum(row.replicas for row in rows) == 3 * 27
    assert sum(row.leaders for row in rows) == 27
    assert sum(row.disk_bytes for row in rows) == pytest.approx(result.cluster.disk_bytes_worst, rel=1e-9)
    assert sum(row.network_in_bytes_per_s for row in rows) == pytest.approx(result.cluster.network_in_bytes_per_s)
    assert [row.rack for row in rows] == ["1"] * 3 + ["2"] * 3 + ["3"] * 3
    assert all(row.fullest_volume_bytes == row.disk_bytes for row in rows)
    assert len(result.to_frame("brokers")) == 9


def test_concentration_by_replication_factor() -> None:
    """g = gcd(B/A, min(A, RF)): of 9 brokers in 3 zones 3 at RF 3, 1 at RF 2."""
    topics = [topic(partitions=9), topic(name="two", replication_factor=2, partitions=9)]
    rows = spread(planner.plan(scenario(*topics, cluster={"brokers": 9}))).concentrations
    assert [(row.replication_factor, row.concentration) for row in rows] == [(2, 1), (3, 3)]
    assert [(row.lower_brokers, row.higher_brokers) for row in rows] == [(3, 15), (3, 15)]  # 6 and 12 gather at RF 2


def test_one_run_leaves_brokers_without_leaders_and_peers() -> None:
    """Nine partitions on nine brokers: three brokers lead three each, and each broker meets two others."""
    result = planner.plan(scenario(topic(partitions=9), cluster={"brokers": 9}))
    found = spread(result)
    assert found.leaderless_brokers == 6
    assert (found.peers.least, found.peers.mean, found.peers.most) == (2, 2, 2)
    assert found.fullest_over_mean["leaders"] == pytest.approx(3)
    assert "6 of 9 brokers are expected to lead no partition" in codes(result)["brokers_without_leaders"]
    # a pair in two racks shares one of nine partitions with chance 1/9: six others
    assert found.peers.random == pytest.approx(6 * (1 - (8 / 9) ** 9))
    # 3 replicas of each broker lie with the same two peers; one of the two leads two or three of them
    assert found.peers.refill_sources is not None
    assert 1 <= found.peers.refill_sources <= 2
    assert "brokers_without_leaders" not in codes(planner.plan(scenario(topic(partitions=120), cluster={"brokers": 6})))


def test_random_peers_of_several_replication_factors() -> None:
    """Six brokers in two racks: RF 2 never pairs brokers of a rack, RF 3 picks any three of six."""
    topics = [topic(replication_factor=2, partitions=1), topic(name="three", partitions=1)]
    found = spread(planner.plan(scenario(*topics, cluster={"brokers": 6, "zones": 2}))).peers
    meets_two, meets_three = 1 / 9, (3 / 6) * (2 / 5)  # of 9 pairs across racks one; both among three of six
    far, near = 1 - (1 - meets_two) * (1 - meets_three), meets_three
    assert found.random == pytest.approx(3 * far + 2 * near)


def test_balanced_has_no_section() -> None:
    result = planner.plan(scenario(policy={"placement": "balanced"}))
    assert result.placement is None
    assert "balanced" in (result.placement_reason or "")
    assert len(result.to_frame("brokers")) == 0


def test_a_single_broker() -> None:
    alone = planner.plan(
        scenario(topic(replication_factor=1), cluster={"brokers": 1, "zones": 1}, policy={"survive": {"brokers": 0}})
    )
    assert spread(alone).peers.refill_sources is None
    assert (spread(alone).peers.most, spread(alone).peers.random) == (0, 0)


# racks


def test_unequal_racks_overload_the_small_one() -> None:
    """Seven brokers in racks of 3, 2 and 2: each rack gets one replica of each partition, P/2 instead of 3 P/7."""
    result = planner.plan(scenario(topic(partitions=42), cluster={"brokers": 7}))
    racks = {rack.rack: rack for rack in spread(result).racks}
    assert {name: rack.brokers for name, rack in racks.items()} == {"1": 3, "2": 2, "3": 2}
    assert racks["1"].replicas_over_mean == pytest.approx((42 / 3) / (3 * 42 / 7))
    assert racks["2"].replicas_over_mean == pytest.approx((42 / 2) / (3 * 42 / 7))
    assert "16.7 % more replicas than the mean" in codes(result)["unequal_zones"]
    assert spread(result).peers.random is None
    assert [row.concentration for row in spread(result).concentrations] == [1]
    assert (spread(result).concentrations[0].lower_brokers, spread(result).concentrations[0].higher_brokers) == (6, 12)


def test_more_replicas_than_zones_share_one() -> None:
    found = codes(planner.plan(scenario(topic(replication_factor=4), cluster={"zones": 3})))
    assert "4 in 3" in found["replicas_share_a_zone"]
    assert "up to 2 of a partition" in found["replicas_share_a_zone"]
    assert "replicas_share_a_zone" not in codes(planner.plan(scenario(topic(), cluster={"zones": 1})))


# topics keep their own runs


def test_a_hot_topic_does_not_shift_the_others() -> None:
    """Each topic is placed by itself: 12 partitions on 6 brokers are 6 replicas each, whatever stands beside them."""
    hot = topic(name="hot", partitions=12, records_per_s=10, keys={"top_key_fraction": 0.5})
    loaded = scenario(hot, topic(name="large", partitions=12), cluster={"brokers": 6})
    workload = Workload(loaded)
    sizer = sizer_of(workload)[1]
    layout = sizer.complete(6).layout
    (group,) = place_topics(layout).groups
    topic_of_row = np.array(layout.class_topic)[group.partition_class]
    for number in range(2):
        for assignment in group.assignment[:, topic_of_row == number]:
            assert np.bincount(assignment.ravel(), minlength=6).tolist() == [6] * 6
    healthy = planner.plan(loaded).states["healthy"]
    assert healthy.fullest is not None
    assert healthy.per_broker is not None
    assert healthy.fullest["network_in_bytes_per_s"] == pytest.approx(
        healthy.per_broker["network_in_bytes_per_s"], rel=1e-3
    )


# refills


@QUICK
@given(seed=st.integers(0, 10**6), brokers=st.integers(3, 12), zones=st.integers(1, 3))
def test_refill_sources_by_counting(seed: int, brokers: int, zones: int) -> None:
    """For each lost broker, the bytes that each survivor would send it, partition by partition."""
    generator = np.random.default_rng(seed)
    topics = [
        topic(
            name=f"t{index}",
            partitions=int(generator.integers(1, 12)),
            records_per_s=float(generator.integers(1, 9000)),
            replication_factor=int(generator.integers(1, 4)),
        )
        for index in range(3)
    ]
    workload = Workload(scenario(*topics, cluster={"brokers": brokers, "zones": zones}))
    sizer = sizer_of(workload)[1]
    evaluation, load = sizer.complete(brokers), sizer.load_at(brokers)
    placement = place_topics(evaluation.layout)
    held_most, sent_most = np.zeros(placement.seeds), np.zeros(placement.seeds)
    for seed_number in range(placement.seeds):
        held = np.zeros(brokers)
        sent = np.zeros((brokers, brokers))
        for group in placement.groups:
            for replicas, of_class in zip(group.assignment[seed_number].tolist(), group.partition_class, strict=True):
                size = load.classes.refill_bytes[of_class]
                for lost in replicas:
                    held[lost] += size
                    others = [broker for broker in replicas if broker != lost]
                    if others:
                        sent[lost, others[0]] += size
        held_most[seed_number], sent_most[seed_number] = held.max(), sent.max()
    refill = evaluation.refill
    assert refill is not None
    assert refill.size_bytes == pytest.approx(held_most.mean(), rel=1e-9)
    assert refill.fullest_source_bytes == pytest.approx(sent_most.mean(), rel=1e-9)
    even = held_most.mean() / (brokers - 1)
    assert refill.sources == pytest.approx(held_most.mean() / max(sent_most.mean(), even), rel=1e-9)
    assert 1 - 1e-9 <= refill.sources <= brokers - 1 + 1e-9


def test_few_peers_make_a_refill_slow() -> None:
    """24 brokers, one topic: in one run a broker has two peers, so two feed it, not 23."""
    slow_sources = {**machine(), "network_out": "1Gbit/s"}
    few, many = (
        planner.plan(scenario(topic(partitions=count), cluster={"brokers": 24, "broker": slow_sources}))
        for count in (24, 24 * 40)
    )
    assert spread(few).peers.most == 2
    assert spread(many).peers.mean > 15
    assert few.recovery.limited_by == "sources network out"
    assert few.recovery.rate_bytes_per_s < many.recovery.rate_bytes_per_s / 3


# volumes


def disk(result: Plan) -> float:
    return next(v.utilisation for v in result.verdicts if (v.resource, v.state) == ("disk_volume", "healthy"))


def test_the_fullest_volume_by_hand() -> None:
    """Three replicas on each of three brokers: two volumes hold two and one, so the fuller one has 4/3 of the mean."""
    one, two, three = (
        planner.plan(
            scenario(
                topic(partitions=3), cluster={"brokers": 3, "broker": machine(volumes=count, capacity=24e12 / count)}
            )
        )
        for count in (1, 2, 3)
    )
    assert disk(two) == pytest.approx(4 / 3 * disk(one), rel=1e-9)
    assert disk(three) == pytest.approx(disk(one), rel=1e-9)
    assert spread(two).fullest_over_mean["fullest_volume_bytes"] == pytest.approx(4 / 3)
    row = spread(two).brokers[0]
    assert row.fullest_volume_bytes == pytest.approx(2 / 3 * row.disk_bytes)


def test_a_partition_never_spans_volumes() -> None:
    """One large partition per broker fills one of twelve volumes; more volumes do not help."""
    large = planner.plan(
        scenario(topic(partitions=1), cluster={"brokers": 3, "broker": machine(volumes=12, capacity="1TB")})
    )
    assert disk(large) > 1
    assert large.brokers.needed["disk_volume"].count is None
    message = codes(large)["volume_fuller_than_broker"]
    assert "fullest of 12 volumes" in message
    assert "(12 times the mean)" in message


def test_no_finding_where_the_broker_is_full_as_a_whole() -> None:
    full = planner.plan(
        scenario(topic(partitions=120), cluster={"brokers": 3, "broker": machine(volumes=2, capacity="1TB")})
    )
    assert disk(full) > 1
    assert "volume_fuller_than_broker" not in codes(full)


def test_volumes_of_unlike_partitions() -> None:
    """A topic of large partitions and one of many tiny ones: counts are even, bytes are not."""
    topics = [topic(partitions=9), topic(name="tiny", records_per_s=1, partitions=90)]
    result = planner.plan(scenario(*topics, cluster={"brokers": 3, "broker": machine(volumes=4, capacity="9TB")}))
    # nine large replicas a broker on four volumes: three on the fullest, 3/(9/4) of the mean, or more by bad luck
    assert 4 / 3 - 0.01 < spread(result).fullest_over_mean["fullest_volume_bytes"] < 1.4
