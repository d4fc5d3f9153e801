"""Durability against enumerated states and simulated failures; copies in other regions second by second."""

from __future__ import annotations

import itertools
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import planner
from planner.cli import cli
from planner.constants import constant
from planner.model import durability, mirroring
from planner.operations.losses import Durability
from tests.elementwise import check_element_by_element
from tests.scenarios import scenario, topic

YEAR = 31_536_000
MINUTES = 525_600


def enumerated(copies: int, needed: int, zones: int, broker: float, zone: float) -> float:
    """Every state of every zone and broker that holds a replica, one by one."""
    held = [index % zones for index in range(copies)]
    used = sorted(set(held))
    total = 0.0
    for up_zones in itertools.product((False, True), repeat=len(used)):
        for up_brokers in itertools.product((False, True), repeat=copies):
            chance = math.prod(1 - zone if up else zone for up in up_zones)
            chance *= math.prod(1 - broker if up else broker for up in up_brokers)
            live = sum(up and up_zones[used.index(held[index])] for index, up in enumerate(up_brokers))
            total += chance * (live < needed)
    return total


# availability


@pytest.mark.parametrize("copies", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("zones", [1, 2, 3])
def test_unwritable_time_is_that_of_all_states(copies: int, zones: int) -> None:
    for needed in range(1, copies + 1):
        found = durability.short_of_replicas_fraction(
            replication_factor=copies,
            live_needed=needed,
            zones=zones,
            broker_down_fraction=0.1,
            zone_down_fraction=0.03,
        )
        assert float(found) == pytest.approx(enumerated(copies, needed, zones, 0.1, 0.03), rel=1e-12)


def test_unwritable_time_of_brokers_that_fail_and_are_repaired() -> None:
    # three replicas in three zones, failures of brokers alone, inflated: up 20 h, down 2 h, over many years
    generator = np.random.default_rng(3)
    events = []
    for _ in range(3):
        spans = np.empty(2 * 40_000)
        spans[0::2] = generator.exponential(20, 40_000)
        spans[1::2] = generator.exponential(2, 40_000)
        times = spans.cumsum()
        events += [(float(time), -1 if index % 2 == 0 else 1) for index, time in enumerate(times)]
    end = 800_000.0
    live, last, short = 3, 0.0, 0.0
    for time, change in sorted(events):
        if time > end:
            break
        short += (time - last) * (live < 2)
        live, last = live + change, time
    down = float(durability.down_fraction(between_failures_s=20.0, repair_s=2.0))
    found = durability.short_of_replicas_fraction(
        replication_factor=3, live_needed=2, zones=3, broker_down_fraction=down, zone_down_fraction=0.0
    )
    assert short / end == pytest.approx(float(found), rel=0.03)


@given(
    copies=st.integers(1, 6),
    zones=st.integers(1, 4),
    broker=st.floats(0, 0.4),
    zone=st.floats(0, 0.4),
    less=st.floats(0, 1),
)
def test_more_copies_shorter_repairs_and_laxer_minima_never_hurt(
    copies: int, zones: int, broker: float, zone: float, less: float
) -> None:
    def short(copies: int, needed: int, broker: float, zone: float) -> float:
        return float(
            durability.short_of_replicas_fraction(
                replication_factor=copies,
                live_needed=needed,
                zones=zones,
                broker_down_fraction=broker,
                zone_down_fraction=zone,
            )
        )

    for needed in range(1, copies + 1):
        here = short(copies, needed, broker, zone)
        assert 0 <= here <= 1 + 1e-12
        assert short(copies, needed, broker * less, zone * less) <= here + 1e-12
        if needed > 1:
            assert short(copies, needed - 1, broker, zone) <= here + 1e-12
        if copies < zones:  # another copy in a zone of its own
            assert short(copies + 1, needed, broker, zone) <= here + 1e-12


# loss


@pytest.mark.parametrize(("copies", "years"), [(1, 4_000), (2, 60_000), (3, 400_000)])
def test_losses_of_sets_that_are_lost_and_filled_again(copies: int, years: int) -> None:
    """Brokers lose their data at random; each is filled after its own time; all empty at once is a loss."""
    generator = np.random.default_rng(copies)
    rate, refill = 1.0, 0.03  # a loss a year, filled in 11 days: far more than in practice
    count = generator.poisson(rate * years * copies)
    times = np.sort(generator.uniform(0, years, count))
    who = generator.integers(copies, size=count)
    filled = generator.exponential(refill, count)
    empty_until = np.zeros(copies)
    lost = 0
    for time, broker, took in zip(times, who, filled, strict=True):
        if empty_until[broker] > time:
            continue  # nothing more to lose
        empty_until[broker] = time + took
        lost += bool((empty_until > time).all())
    expected = float(durability.permanent_loss_per_s(replication_factor=copies, loss_per_s=rate, refill_s=refill))
    assert lost == pytest.approx(expected * years, abs=4 * math.sqrt(expected * years) + 0.09 * expected * years)


@given(copies=st.integers(1, 5), rate=st.floats(1e-12, 1e-6), refill=st.floats(1, 1e5), less=st.floats(0, 1))
def test_more_copies_and_faster_refills_never_raise_the_loss(
    copies: int, rate: float, refill: float, less: float
) -> None:
    def lost(copies: int, refill: float) -> float:
        return float(durability.permanent_loss_per_s(replication_factor=copies, loss_per_s=rate, refill_s=refill))

    assert lost(copies, refill * less) <= lost(copies, refill)
    # (RF + 1) * rate * refill / RF is below 1 wherever the formula is valid
    assert lost(copies + 1, refill) <= lost(copies, refill) * (1 + 1 / copies) * rate * refill * (1 + 1e-9)


def test_unclean_elections_by_hand() -> None:
    # two replicas, each down 10 days of 1000: both down 2 * 0.001 * 0.01 times a day, half of the elections are wrong
    found = durability.unclean_loss_per_s(replication_factor=2, outage_per_s=0.001, repair_s=10.0)
    assert float(found) == pytest.approx(2 * 0.001 * 0.01 / 2)
    assert float(durability.unclean_loss_per_s(replication_factor=1, outage_per_s=0.001, repair_s=10.0)) == 0
    tiny = durability.probability_fraction(events_per_s=1e-20, period_s=YEAR)
    assert float(tiny) == pytest.approx(1e-20 * YEAR)


def test_arrays_give_what_floats_give() -> None:
    check_element_by_element(durability.down_fraction, between_failures_s=(1.0, 1e9), repair_s=(0.0, 1e6))
    check_element_by_element(
        durability.permanent_loss_per_s, replication_factor=(1, 5), loss_per_s=(0.0, 1e-6), refill_s=(0.0, 1e5)
    )
    check_element_by_element(
        durability.unclean_loss_per_s, replication_factor=(1, 5), outage_per_s=(0.0, 1e-6), repair_s=(0.0, 1e5)
    )
    check_element_by_element(durability.probability_fraction, events_per_s=(0.0, 1e-3), period_s=(0.0, 1e9))
    check_element_by_element(
        mirroring.link_backlog_bytes,
        arriving_bytes_per_s=(0.0, 1e9),
        link_bytes_per_s=(0.0, 1e9),
        duration_s=(0.0, 1e6),
    )
    check_element_by_element(
        mirroring.copy_age_s, waiting_bytes=(0.0, 1e12), link_bytes_per_s=(1.0, 1e9), copy_delay_s=(0.0, 10.0)
    )


# the operation


def of(**changes: object) -> Durability:
    found: Durability = planner.durability(scenario(topic(partitions=12, **changes), cluster={"brokers": 9}))
    return found


def test_a_topic_by_hand() -> None:
    found = of()
    row = found.topics["events"]
    down, zone = 3600 / (YEAR + 3600), 4 * 3600 / (5 * YEAR + 4 * 3600)
    slot = zone + (1 - zone) * down  # one replica away
    assert row.unwritable_minutes_per_year == pytest.approx((3 * slot**2 * (1 - slot) + slot**3) * MINUTES)
    # nine brokers in three zones, one replica in each: 27 sets, of which 12 partitions use 12 at most
    assert row.replica_sets == 12
    refill = planner.plan(scenario(topic(partitions=12), cluster={"brokers": 9})).recovery.broker_refill_s
    assert refill is not None
    rate, window = 0.1 / YEAR, refill + constant("durability.replacement_s")
    assert found.refill_s == pytest.approx(window)
    assert row.loss_probability_per_year == pytest.approx(12 * 3 * rate * (rate * window) ** 2 * YEAR, rel=1e-6)
    assert row.any_partition_minutes_per_year_high == pytest.approx(12 * row.unwritable_minutes_per_year)


def test_settings_stand_side_by_side() -> None:
    found = {(row.replication_factor, row.min_insync_replicas): row for row in of().settings}
    assert set(found) == {(copies, needed) for copies in (2, 3, 4) for needed in range(1, copies + 1)}
    assert found[3, 2].brokers_lost_writable == 1
    assert found[3, 2].zones_lost_writable == 1
    assert found[4, 3].zones_lost_writable == 0  # a zone holds two of four
    for copies in (2, 3):
        assert found[copies + 1, 1].loss_probability_per_year < found[copies, 1].loss_probability_per_year
    for copies in (2, 3, 4):
        rising = [found[copies, needed].unwritable_minutes_per_year for needed in range(1, copies + 1)]
        assert rising == sorted(rising)


def test_causes_of_loss() -> None:
    loose = of(acks="1").topics["events"]
    # nine leaders, one crash a year each
    assert loose.leader_crashes_per_year == pytest.approx(9)
    assert loose.loss_probability_per_year == pytest.approx(1 - math.exp(-9), rel=1e-3)
    assert loose.records_at_risk_per_leader_crash == pytest.approx(10_000 / 9 * 0.5, rel=0.05)
    base = topic(partitions=12)
    unclean = planner.load(
        {"topics": [base], "cluster": {"brokers": 9}, "operations": {"unclean_election": True, "broker_mttr": "1d"}}
    )
    found = planner.durability(unclean)
    assert found.topics["events"].unclean_loss_probability_per_year > 0
    assert "unclean_election" in {row.code for row in found.findings}
    one_zone = planner.durability(scenario(base, cluster={"brokers": 9, "zones": 1})).topics["events"]
    # three in ten outages of the one zone, once in five years
    assert one_zone.power_cut_loss_probability_per_year == pytest.approx(1 - math.exp(-0.3 / 5), rel=1e-6)
    assert of().topics["events"].power_cut_loss_probability_per_year == 0


def test_findings_name_the_topics() -> None:
    many = [topic(name=f"t{number}", partitions=1, min_insync_replicas=1) for number in range(12)]
    strict = topic(name="strict", partitions=1, min_insync_replicas=3)
    single = topic(name="single", partitions=1, replication_factor=1)
    found = planner.durability(scenario(*many, strict, single, cluster={"brokers": 6}))
    by_code = {row.code: row.message for row in found.findings}
    assert "and 3 more" in by_code["single_copy_acknowledged"]
    assert "strict" in by_code["no_broker_to_spare"]
    assert "single" in by_code["loss_likely"]
    assert "elr_assumed" in by_code
    old = planner.durability(scenario(topic(), cluster={"kafka_version": "3.9"}))
    assert "elr_assumed" not in {row.code for row in old.findings}


# copies in other regions


@given(average=st.floats(1, 50), peak=st.floats(1, 5), lasts=st.integers(1, 400), link=st.floats(20, 200))
def test_a_link_second_by_second(average: float, peak: float, lasts: int, link: float) -> None:
    waiting = 0.0
    for _ in range(lasts):
        waiting = max(waiting + average * peak - link, 0.0)
    found = float(
        mirroring.link_backlog_bytes(
            arriving_bytes_per_s=average * peak, link_bytes_per_s=link, duration_s=float(lasts)
        )
    )
    assert found == pytest.approx(waiting, rel=1e-9, abs=1e-6)
    took = float(mirroring.caught_up_s(waiting_bytes=found, link_bytes_per_s=link, arriving_bytes_per_s=average))
    if average >= link:
        assert found == 0 or took > 1e12
        return
    steps = 0
    while waiting > 0 and steps < 200_000:
        waiting, steps = waiting + average - link, steps + 1
    assert took == pytest.approx(steps, abs=1 + 1e-6 * steps)


def mirrored(bandwidth: str | None, **changes: object) -> planner.Scenario:
    link = {"to": "west"} if bandwidth is None else {"to": "west", "bandwidth": bandwidth}
    one = topic(peak_ratio=3, peak_duration="1h", **changes)
    return scenario(one, topic(name="other", records_per_s=1), cluster={"mirror": [{**link, "topics": ["events"]}]})


def test_a_copy_by_hand() -> None:
    found = planner.mirror(mirrored("20MB/s"), outage_s=3600).links[0]
    assert found.topics == ("events",)
    assert found.peak_bytes_per_s == pytest.approx(3 * found.average_bytes_per_s)
    waits = (found.peak_bytes_per_s - 20e6) * 3600
    assert found.waiting_after_peak_bytes == pytest.approx(waits)
    assert found.rpo_s == pytest.approx(waits / 20e6 + constant("mirroring.copy_delay_s"))
    spare = 20e6 - found.average_bytes_per_s
    assert found.caught_up_after_peak_s == pytest.approx(waits / spare)
    assert found.caught_up_after_outage_s == pytest.approx(found.average_bytes_per_s * 3600 / spare)
    assert found.bytes_per_month == pytest.approx(found.average_bytes_per_s * 730 * 3600)
    assert found.second_cluster_brokers is not None
    assert not found.lost_by_retention


def test_copies_that_fall_behind_or_have_no_limit() -> None:
    never = planner.mirror(mirrored("5MB/s"))
    assert never.links[0].caught_up_after_peak_s is None
    assert never.links[0].caught_up_reason
    assert never.findings[0].code == "mirror_never"
    endless = planner.mirror(mirrored(None)).links[0]
    assert (endless.utilisation, endless.waiting_after_peak_bytes, endless.caught_up_after_peak_s) == (None, 0, 0)
    lost = planner.mirror(mirrored("20MB/s", retention={"time": "2h"}), outage_s=2 * 3600)
    assert "mirror_loses" in {row.code for row in lost.findings}
    unknown = scenario(topic(peak_ratio=5), cluster={"mirror": [{"to": "west", "bandwidth": "20MB/s"}]})
    assert "mirror_peak_unknown" in {row.code for row in planner.mirror(unknown).findings}


def test_no_mirror_and_no_outage_are_refused_together() -> None:
    with pytest.raises(planner.ScenarioError) as caught:
        planner.mirror(scenario(), outage_s=-1)
    assert [error.path for error in caught.value.errors] == ["cluster.mirror", "outage_s"]


# commands


def test_the_commands() -> None:
    done = CliRunner().invoke(cli, ["durability", "preset:ecommerce"])
    assert done.exit_code == 0
    assert done.stdout.startswith("In a year acknowledged records are lost most likely in clickstream")
    assert "side by side" in done.stdout
    body = json.loads(CliRunner().invoke(cli, ["durability", "preset:ecommerce", "--format", "json"]).stdout)
    assert {"unwritable_minutes_per_year", "loss_probability_per_year"} <= body["topics"]["orders"].keys()
    assert CliRunner().invoke(cli, ["durability", "preset:ecommerce", "--format", "csv"]).stdout.startswith("topic,")
    done = CliRunner().invoke(cli, ["mirror", "preset:analytics-two-regions", "--link-outage", "2h"])
    assert done.exit_code == 0
    assert done.stdout.startswith("The copy in eu-west is 1 s old at worst")
    assert "Away for 2 h" in done.stdout
    bad = CliRunner().invoke(cli, ["mirror", "preset:analytics-two-regions", "--link-outage", "long"])
    assert (bad.exit_code, "--link-outage" in bad.stderr) == (2, True)
    slow = ["mirror", "preset:analytics-two-regions", "--set", "cluster.mirror.0.bandwidth=1MB/s"]
    behind = CliRunner().invoke(cli, slow)
    assert behind.exit_code in {1, 2}
    table = CliRunner().invoke(cli, ["mirror", "preset:analytics-two-regions", "--format", "csv"]).stdout
    assert table.startswith("to,")
