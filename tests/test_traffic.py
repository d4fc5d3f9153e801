"""Flows against published examples, and against counts over placed replicas."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.model import traffic, transactions
from planner.model.placement import place, rack_of_broker, rack_sizes
from planner.model.types import Array
from tests.elementwise import check_element_by_element

YEAR = 365 * 86_400.0


def in_and_out(
    produce: float, factor: float, fan_out: float, tiered: float = 0.0, mirrors: float = 0.0
) -> tuple[float, float]:
    """Bytes per second into and out of all brokers."""
    copied = traffic.follower_in_bytes_per_s(produce_in_bytes_per_s=produce, replication_factor=factor)
    received = traffic.network_in_bytes_per_s(produce_in_bytes_per_s=produce, follower_in_bytes_per_s=copied)
    sent = traffic.network_out_bytes_per_s(
        follower_out_bytes_per_s=copied,
        consumer_out_bytes_per_s=traffic.consumer_out_bytes_per_s(produce_in_bytes_per_s=produce, fan_out=fan_out),
        tier_out_bytes_per_s=traffic.tier_out_bytes_per_s(produce_in_bytes_per_s=produce, tiered=tiered),
        mirror_out_bytes_per_s=traffic.mirror_out_bytes_per_s(produce_in_bytes_per_s=produce, mirrors=mirrors),
    )
    return float(received), float(sent)


def crossing(produce: float, factor: float, zones: float, groups: float, *, near: float = 0.0) -> list[float]:
    """Produce, replication, consumer and all bytes per second between zones."""
    parts = [
        float(traffic.cross_zone_produce_bytes_per_s(produce_in_bytes_per_s=produce, zones=zones)),
        float(
            traffic.cross_zone_replication_bytes_per_s(
                produce_in_bytes_per_s=produce, replication_factor=factor, zones=zones
            )
        ),
        float(
            traffic.cross_zone_consume_bytes_per_s(
                consumer_out_bytes_per_s=produce * groups,
                replication_factor=factor,
                zones=zones,
                fetch_from_follower=near,
            )
        ),
    ]
    names = ("cross_zone_produce_bytes_per_s", "cross_zone_replication_bytes_per_s", "cross_zone_consume_bytes_per_s")
    return [*parts, float(traffic.cross_zone_bytes_per_s(**dict(zip(names, parts, strict=True))))]


def test_published_flows() -> None:
    # redpanda-net: 75 MB/s, replication 3, one group: 225 in, 225 out
    assert in_and_out(75e6, 3, 1) == (225e6, 225e6)
    # redpanda-medium: 500 MB/s, two groups, upload to the tier counted as a third: 500 and 500 a node of three
    assert in_and_out(500e6, 3, 2, tiered=1)[0] == 3 * 500e6
    assert in_and_out(500e6, 3, 2, tiered=1)[1] - 1000e6 == 3 * 500e6
    # krivaltsevich-main: a million records of 250 B, replication 3, two groups
    produce = float(traffic.produce_in_bytes_per_s(records_per_s=1e6, wire_bytes_per_record=250.0))
    assert produce == 250e6
    assert in_and_out(produce, 3, 2) == (750e6, 1000e6)


@pytest.mark.parametrize(("brokers", "limit", "most"), [(9, 512e6, 768e6), (3, 512e6, 256e6)])
def test_aws_equation_1_fills_the_network(brokers: int, limit: float, most: float) -> None:
    # aws-eq1-plan13, 1 and 4: replication 3, four groups, 80 % of 640 MB/s
    _, sent = in_and_out(most, 3, 4)
    assert sent / brokers == pytest.approx(limit, rel=1e-12)


def test_published_traffic_between_zones() -> None:
    # kozlovski-crossaz: 30 MB/s, replication 3, 3 zones, 3 groups
    assert crossing(30e6, 3, 3, 3) == pytest.approx([20e6, 60e6, 60e6, 140e6])
    # automq-crossaz-300: a fan-out of two
    assert crossing(300.0, 3, 3, 2)[3] == pytest.approx(1200.0)
    # automq-crossaz-100: 20 USD a TB; 173 TB, 3460 and 10,360 USD a month are printed, from 172.8 TB rounded
    terabytes = [part * 1e6 * 30 * 86_400 / 1e12 for part in crossing(100.0, 3, 3, 3, near=1.0)]
    assert terabytes == pytest.approx([172.8, 518.4, 0, 691.2])
    assert round(terabytes[0]) == 173
    assert round(terabytes[3] * 20, -3) == 14_000  # with fetch from followers
    assert round(sum(crossing(100.0, 3, 3, 3)[:3]) * 1e6 * 30 * 86_400 / 1e12 * 20, -3) == 24_000


@pytest.mark.parametrize("zones", [1, 2, 3, 4])
@pytest.mark.parametrize("factor", [1, 2, 3, 4, 5, 7])
def test_zone_borders_crossed_by_placed_replicas(zones: int, factor: int) -> None:
    """Count what crosses when producers and members sit in every zone alike."""
    sizes = rack_sizes(2 * 12, zones)
    racks = rack_of_broker(sizes)[place(np.array([48]), sizes, factor, np.random.default_rng(3))]
    here = np.arange(zones)
    produced = (racks[:, :1] != here).mean()
    copied = (racks[:, 1:] != racks[:, :1]).sum(axis=1).mean()
    without = (racks[:, :, None] != here).all(axis=1).mean()
    assert crossing(1.0, factor, zones, 2.0)[:3] == pytest.approx([produced, copied, 2 * produced])
    assert crossing(1.0, factor, zones, 2.0, near=1.0)[2] == pytest.approx(2 * without)


rates = st.floats(0, 1e12)


@given(produce=rates, factor=st.integers(1, 9), fan_out=st.floats(0, 20), tiered=st.integers(0, 1))
def test_what_comes_in_is_stored_or_read(produce: float, factor: int, fan_out: float, tiered: int) -> None:
    received, sent = in_and_out(produce, factor, fan_out, tiered, mirrors=2)
    assert received == pytest.approx(produce * factor)
    # everything sent beyond replication has a reader: groups, tier, two mirrors
    assert sent - (received - produce) == pytest.approx(produce * (fan_out + tiered + 2), rel=1e-9, abs=1e-3 * produce)


def test_growth_compounds() -> None:
    # two percent a month, twelve times
    year = 1.02**12 - 1
    for months in (0, 1, 3, 12, 30):
        grown = traffic.growth_factor(growth_per_year=year, horizon_s=months * YEAR / 12)
        assert grown == pytest.approx(1.02**months)
    assert traffic.growth_factor(growth_per_year=-0.5, horizon_s=YEAR) == 0.5


def test_peaks_fall_together_as_far_as_said() -> None:
    def peak(coincidence: float) -> float:
        return float(
            traffic.peak_records_per_s(
                records_per_s=200.0, peak_ratio=4.0, peak_coincidence=coincidence, growth_factor=1.5
            )
        )

    assert [peak(share) for share in (1.0, 0.5, 0.25, 0.0)] == [1200, 600, 300, 300]


def test_transactions_add_their_markers() -> None:
    # kafka_facts.md 9: a marker is a batch of its own with one record, 61 + 17 bytes
    markers = transactions.marker_bytes_per_s(transactions_per_s=100.0, partitions_touched=1.0, marker_bytes=78.0)
    added = traffic.topic_in_bytes_per_s(produce_in_bytes_per_s=1e6, marker_bytes_per_s=markers) - 1e6
    assert added == 100 * (61 + 17)


def test_sums_over_topics() -> None:
    values: Array = np.array([0.25, 1.5, 2.25])
    assert traffic.cluster_bytes_per_s(topic_bytes_per_s=values) == 4
    assert traffic.cluster_bytes(topic_bytes=values) == 4
    assert traffic.cluster_count(topic_count=values) == 4
    assert traffic.cluster_per_s(topic_per_s=values) == 4
    assert traffic.cluster_count(topic_count=np.zeros(0)) == 0


def test_arrays_give_what_floats_give() -> None:
    rate, factor, zones = (0.0, 1e9), (1, 5), (1, 4)
    check_element_by_element(
        traffic.peak_records_per_s,
        records_per_s=rate,
        peak_ratio=(1.0, 10.0),
        peak_coincidence=(0.0, 1.0),
        growth_factor=(0.5, 2.0),
    )
    check_element_by_element(traffic.growth_factor, growth_per_year=(-0.9, 3.0), horizon_s=(0.0, 5 * YEAR))
    check_element_by_element(traffic.produce_in_bytes_per_s, records_per_s=rate, wire_bytes_per_record=(61.0, 1e6))
    check_element_by_element(traffic.follower_in_bytes_per_s, produce_in_bytes_per_s=rate, replication_factor=factor)
    check_element_by_element(traffic.consumer_out_bytes_per_s, produce_in_bytes_per_s=rate, fan_out=(0.0, 9.0))
    check_element_by_element(traffic.tier_out_bytes_per_s, produce_in_bytes_per_s=rate, tiered=(0, 1))
    check_element_by_element(traffic.mirror_out_bytes_per_s, produce_in_bytes_per_s=rate, mirrors=(0, 3))
    check_element_by_element(traffic.network_in_bytes_per_s, produce_in_bytes_per_s=rate, follower_in_bytes_per_s=rate)
    check_element_by_element(traffic.cross_zone_produce_bytes_per_s, produce_in_bytes_per_s=rate, zones=zones)
    check_element_by_element(
        traffic.topic_in_bytes_per_s,
        produce_in_bytes_per_s=rate,
        marker_bytes_per_s=rate,
    )
    check_element_by_element(
        traffic.network_out_bytes_per_s,
        follower_out_bytes_per_s=rate,
        consumer_out_bytes_per_s=rate,
        tier_out_bytes_per_s=rate,
        mirror_out_bytes_per_s=rate,
    )
    check_element_by_element(
        traffic.cross_zone_replication_bytes_per_s,
        produce_in_bytes_per_s=rate,
        replication_factor=factor,
        zones=zones,
    )
    check_element_by_element(
        traffic.cross_zone_consume_bytes_per_s,
        consumer_out_bytes_per_s=rate,
        replication_factor=factor,
        zones=zones,
        fetch_from_follower=(0, 1),
    )
    check_element_by_element(
        traffic.cross_zone_bytes_per_s,
        cross_zone_produce_bytes_per_s=rate,
        cross_zone_replication_bytes_per_s=rate,
        cross_zone_consume_bytes_per_s=rate,
    )
