"""Consumers against a log that is read second by second, against hand arithmetic, and what the command says."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.model import consumers
from tests.elementwise import check_element_by_element

RATE = st.floats(0.001, 1e7)


# the model


def simulated(arriving: list[float], owner: list[int], capacity: float, outage: int) -> tuple[list[float], int | None]:
    """Lag per partition after the outage, and seconds until all of it is gone; members share out what they can do."""
    lag = [rate * outage for rate in arriving]
    after = list(lag)
    for second in range(1, 200_000):
        for member in set(owner):
            mine = [index for index, who in enumerate(owner) if who == member]
            left = capacity
            # in the order of their size, so that nothing of the member's time is left over
            waiting = sorted(mine, key=lambda index: lag[index] + arriving[index])
            for position, index in enumerate(waiting):
                wanted = lag[index] + arriving[index]
                done = min(wanted, left / (len(waiting) - position))
                left -= done
                lag[index] = wanted - done
        if max(lag) <= 1e-9:
            return after, second
    return after, None


@pytest.mark.parametrize(
    ("partitions", "members", "hottest", "capacity", "outage"),
    [(12, 4, 1 / 12, 40.0, 900), (10, 4, 1 / 10, 40.0, 900), (10, 4, 0.2, 50.0, 700), (6, 6, 0.4, 60.0, 1200)],
)
def test_the_slowest_member_against_a_log_read_second_by_second(
    partitions: int, members: int, hottest: float, capacity: float, outage: int
) -> None:
    rate = 100.0
    arriving = [rate * hottest, *([rate * (1 - hottest) / (partitions - 1)] * (partitions - 1))]
    lag, drained = simulated(arriving, [index % members for index in range(partitions)], capacity, outage)
    assert consumers.lag_records(records_per_s=rate, outage_s=outage) == pytest.approx(sum(lag))
    share = float(consumers.slowest_member_fraction(hottest_fraction=hottest, partitions=partitions, members=members))
    found = float(
        consumers.drain_s(lag_records=share * rate * outage, arriving_per_s=share * rate, processed_per_s=capacity)
    )
    assert drained == pytest.approx(found, abs=1.01)
    # and the members that the deadline needs are busy just so much
    most = float(consumers.utilisation_to_drain(behind_s=outage, deadline_s=found))
    assert share * rate / capacity == pytest.approx(most)


@given(lag=st.floats(0, 1e12), arriving=RATE, processed=RATE)
def test_drain_is_never_exactly_when_no_more_is_processed_than_arrives(
    lag: float, arriving: float, processed: float
) -> None:
    found = float(consumers.drain_s(lag_records=lag, arriving_per_s=arriving, processed_per_s=processed))
    assert math.isinf(found) == (processed <= arriving)
    assert math.isinf(float(consumers.drain_s(lag_records=lag, arriving_per_s=arriving, processed_per_s=arriving)))


@given(kept=st.integers(1, 60), outage=st.integers(0, 120), rate=st.integers(1, 9))
def test_lost_records_against_a_log_that_deletes(kept: int, outage: int, rate: int) -> None:
    log = [second for second in range(outage) for _ in range(rate)]  # when each record was written
    lost = sum(outage - written > kept for written in log)
    assert consumers.lost_records(records_per_s=rate, outage_s=outage, kept_s=kept) == lost


@given(behind=st.floats(10, 5000), cached=st.floats(0, 6000), arriving=st.floats(1, 100), times=st.floats(1.2, 5))
def test_cold_reads_against_a_reader_that_looks_at_each_record(
    behind: float, cached: float, arriving: float, times: float
) -> None:
    drain = float(
        consumers.drain_s(lag_records=arriving * behind, arriving_per_s=arriving, processed_per_s=arriving * times)
    )
    steps = 2000
    # at t seconds after the restart the record read is the one number t * processed
    ages = [behind + t - t * times for t in (drain * (step + 0.5) / steps for step in range(steps))]
    cold = drain * sum(age > cached for age in ages) / steps
    found = float(consumers.cold_read_s(duration_s=drain, behind_s=behind, cached_s=cached))
    assert found == pytest.approx(cold, abs=drain / steps * 1.01)


@given(partitions=st.integers(1, 200), members=st.integers(1, 250), tilt=st.floats(0, 1))
def test_the_slowest_member_has_at_least_the_mean_and_never_more_than_all(
    partitions: int, members: int, tilt: float
) -> None:
    hottest = 1 / partitions + tilt * (1 - 1 / partitions)
    found = float(consumers.slowest_member_fraction(hottest_fraction=hottest, partitions=partitions, members=members))
    assert 1 / min(members, partitions) - 1e-9 <= found <= 1
    assert found >= hottest
    even = float(
        consumers.slowest_member_fraction(hottest_fraction=1 / partitions, partitions=partitions, members=members)
    )
    assert even == pytest.approx(math.ceil(partitions / min(members, partitions)) / partitions)


def test_lag_by_hand() -> None:
    # 3 of 5 members idle where a classic group has 2 partitions; none where it is a share group
    assert consumers.active_members(members=5, partitions=2, shared=False) == 2
    assert consumers.active_members(members=5, partitions=2, shared=True) == 5
    # half an hour at 200 records/s too many
    assert consumers.lag_after_overload(arriving_per_s=1200.0, processed_per_s=1000.0, duration_s=1800.0) == 360_000
    assert consumers.lag_after_overload(arriving_per_s=900.0, processed_per_s=1000.0, duration_s=1800.0) == 0
    # 1 GB at 1 MB/s is full after 1000 s, before the hour is over
    assert consumers.kept_s(retention_s=3600.0, retention_bytes=1e9, partition_bytes_per_s=1e6) == 1000
    assert consumers.kept_s(retention_s=3600.0, retention_bytes=math.inf, partition_bytes_per_s=0.0) == 3600


def test_element_by_element() -> None:
    share, rate, time = (0.0, 1.0), (0.0, 1e6), (0.0, 1e7)
    check_element_by_element(consumers.busy_members, records_per_s=rate, records_per_s_per_member=(1e-3, 1e6))
    check_element_by_element(consumers.active_members, members=(1, 500), partitions=(1, 500), shared=(0, 1))
    check_element_by_element(
        consumers.slowest_member_fraction, hottest_fraction=share, partitions=(1, 500), members=(1, 500)
    )
    check_element_by_element(consumers.members_utilisation, busy_members=rate, active_members=(1.0, 500.0))
    check_element_by_element(consumers.lag_records, records_per_s=rate, outage_s=time)
    check_element_by_element(
        consumers.kept_s, retention_s=(1.0, 1e9), retention_bytes=(1.0, 1e15), partition_bytes_per_s=rate
    )
    check_element_by_element(consumers.lost_records, records_per_s=rate, outage_s=time, kept_s=(1.0, 1e9))
    check_element_by_element(
        consumers.drain_s, lag_records=(0.0, 1e12), arriving_per_s=(0.0, 9.0), processed_per_s=(10.0, 1e6)
    )
    check_element_by_element(consumers.lag_after_overload, arriving_per_s=rate, processed_per_s=rate, duration_s=time)
    check_element_by_element(consumers.utilisation_to_drain, behind_s=time, deadline_s=(1.0, 1e6))
    check_element_by_element(consumers.cold_read_s, duration_s=time, behind_s=time, cached_s=time)
    check_element_by_element(
        consumers.cold_read_bytes_per_s, processed_per_s=rate, wire_bytes_per_record=(0.0, 1e6), brokers=(1, 100)
    )
