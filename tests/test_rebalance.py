"""Rebalances against simulated groups, against hand arithmetic, and what the command says."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.model import rebalance
from tests.elementwise import check_element_by_element

DAY = 86_400.0

# the model


@pytest.mark.parametrize(
    ("members", "partitions", "per_day", "pause", "cooperative"),
    [(4, 24, 40.0, 4.0, True), (4, 24, 40.0, 1.0, False), (12, 96, 200.0, 6.0, True)],
)
def test_lost_time_against_a_simulated_group(
    members: int, partitions: int, per_day: float, pause: float, cooperative: bool
) -> None:
    generator = np.random.default_rng(5)
    days, idle, events = 400, 0.0, 0
    for _ in range(members):
        # each restart moves the member's partitions away, and others to it when it is back
        restarts = generator.poisson(per_day / members * days)
        events += 2 * restarts
        idle += 2 * restarts * pause * (partitions / members if cooperative else partitions)
    rate = float(rebalance.restart_events_per_s(restarts_per_s=per_day / members / DAY, members=members, evicted=True))
    assert rate * DAY * days == pytest.approx(events, rel=4 / math.sqrt(per_day * days))
    moved = 1 / members if cooperative else 1.0
    found = float(rebalance.stopped_fraction(events_per_s=rate, pause_s=pause, moved_fraction=moved))
    assert found == pytest.approx(idle / partitions / (days * DAY), rel=4 / math.sqrt(per_day * days))


@given(members=st.integers(1, 30), late=st.floats(0.01, 1), poll=st.floats(1, 800), interval=st.floats(10, 600))
def test_overruns_against_members_that_poll_one_by_one(members: int, late: float, poll: float, interval: float) -> None:
    generator = np.random.default_rng(3)
    polls = 20_000
    overran = generator.random(polls) < late
    took = np.where(overran, max(poll, interval), poll)
    simulated = 2 * members * overran.sum() / took.sum()
    found = float(
        rebalance.overrun_events_per_s(
            members=members, overrun_fraction=late, poll_s=poll, max_poll_interval_s=interval
        )
    )
    assert found == pytest.approx(simulated, rel=5 / math.sqrt(polls * late))


@given(record=st.floats(0.01, 5), interval=st.floats(10, 600), utilisation=st.floats(0.05, 0.95))
def test_the_pause_that_starts_overruns_against_a_member_that_polls(
    record: float, interval: float, utilisation: float
) -> None:
    rate = utilisation / record  # arrivals of one member
    pause = float(rebalance.pause_that_overruns_s(max_poll_interval_s=interval, utilisation_fraction=utilisation))

    def longest(stopped: float) -> float:
        """The longest that the member works between polls after it stood still, with no limit on a poll."""
        lag, worst = rate * stopped, 0.0
        for _ in range(200):
            worst = max(worst, lag * record)
            lag = rate * lag * record  # what arrives while it works on the lag
        return worst

    assert longest(pause * 0.99) < interval < longest(pause * 1.01)


def test_rebalances_by_hand() -> None:
    # 500 records of half a second; five such batches in 300 s leave 120 records
    assert rebalance.worst_batch_s(max_poll_records=500, record_s=0.5) == 250
    assert rebalance.poll_records_that_fit(max_poll_interval_s=300.0, record_s=0.5, batches=5) == 120
    assert rebalance.poll_records_that_fit(max_poll_interval_s=300.0, record_s=100.0, batches=5) == 1
    # nobody notices a static member that is back in time
    assert rebalance.restart_events_per_s(restarts_per_s=1.0, members=9, evicted=False) == 0
    assert rebalance.overrun_events_per_s(members=4, overrun_fraction=0.0, poll_s=0.0, max_poll_interval_s=300.0) == 0
    # a member away for a minute once an hour
    assert rebalance.absent_fraction(absences_per_s=1 / 3600, away_s=60.0) == pytest.approx(1 / 60)
    assert rebalance.rebalance_s(pause_s=1.0, worst_batch_s=400.0, max_poll_interval_s=300.0) == 301
    # every ten seconds one of twenty: they overlap
    assert rebalance.rebalancing_fraction(events_per_s=0.1, rebalance_s=20.0) == 1


def test_element_by_element() -> None:
    share, rate, time = (0.0, 1.0), (0.0, 10.0), (0.0, 1e6)
    check_element_by_element(rebalance.worst_batch_s, max_poll_records=(1, 100_000), record_s=time)
    check_element_by_element(rebalance.restart_events_per_s, restarts_per_s=rate, members=(1, 500), evicted=(0, 1))
    check_element_by_element(
        rebalance.overrun_events_per_s,
        members=(1, 500),
        overrun_fraction=share,
        poll_s=time,
        max_poll_interval_s=(0.001, 1e6),
    )
    check_element_by_element(rebalance.stopped_fraction, events_per_s=rate, pause_s=time, moved_fraction=share)
    check_element_by_element(rebalance.absent_fraction, absences_per_s=rate, away_s=time)
    check_element_by_element(rebalance.rebalance_s, pause_s=time, worst_batch_s=time, max_poll_interval_s=(0.001, 1e6))
    check_element_by_element(rebalance.rebalancing_fraction, events_per_s=rate, rebalance_s=time)
    check_element_by_element(
        rebalance.pause_that_overruns_s, max_poll_interval_s=(0.001, 1e6), utilisation_fraction=(1e-6, 2.0)
    )
    check_element_by_element(
        rebalance.poll_records_that_fit, max_poll_interval_s=(0.001, 1e6), record_s=(1e-6, 1e4), batches=(1, 10)
    )
