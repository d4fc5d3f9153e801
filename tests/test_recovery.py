"""Refills and failovers against a real cluster and a refill that is simulated second by second."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.constants import constant
from planner.model import recovery
from tests.elementwise import check_element_by_element

FAST = 1e12  # what does not limit


def rate(*, target: float = FAST, source: float = FAST, throttle: float = FAST) -> float:
    return float(
        recovery.refill_rate_bytes_per_s(
            target_spare_bytes_per_s=target, source_spare_bytes_per_s=source, throttle_spare_bytes_per_s=throttle
        )
    )


# real_kafka_measured.md D: 271.7 MB to each of three targets, throttle 10 MB/s. 815 MB and 33.8 s at 3.05 MB/s for all
# make 918 MB, so a target's own rate is a third of that.
OWN = (918 - 815) / 33.8 / 3


def test_measured_throttled_move() -> None:
    # a target: 30.2 s printed; own and printed figures are rounded
    target = float(recovery.refill_s(size_bytes=271.7e6, refill_rate_bytes_per_s=rate(throttle=(10 - OWN) * 1e6)))
    assert target == pytest.approx(30.2, abs=0.1)
    # a source also sends as much to in-sync followers of the same partitions: 34.1 s printed, 33.8 measured
    source = rate(throttle=(10 - OWN) * 1e6, source=(10 - 2 * OWN) * 1e6)
    duration = float(recovery.refill_s(size_bytes=271.7e6, refill_rate_bytes_per_s=source))
    assert duration == pytest.approx(34.1, abs=0.1)
    assert duration == pytest.approx(33.8, rel=0.012)


def test_measured_bytes_moved() -> None:
    # the size alone is 11 % low, with what is written meanwhile it is 918 of 919 MB
    moved = recovery.moved_bytes(size_bytes=815e6, own_write_bytes_per_s=3 * OWN * 1e6, duration_s=33.8)
    assert moved / 1e6 == pytest.approx(919, rel=0.0015)


def test_measured_steady_rate() -> None:
    # C: follower throttle 6 MB/s, own rate 3.05; section 5 printed 38.8 s for the 114.7 MB that were moved
    spare = rate(throttle=6e6 - 3.05e6)
    assert recovery.refill_s(size_bytes=114.7e6, refill_rate_bytes_per_s=spare) == pytest.approx(38.8, abs=0.1)
    # the run took 27.0 s: three sources' first responses of 10 MiB passed before the throttle held; for the rest 28.2 s
    # are printed. Backlogs this short are outside the validity.
    throttled = 114.7e6 - 3 * 10 * 2**20
    assert recovery.refill_s(size_bytes=throttled, refill_rate_bytes_per_s=spare) == pytest.approx(28.2, abs=0.05)


def test_a_throttle_below_the_live_traffic_never_finishes() -> None:
    # apache-throttle: no progress when the write rate is above the throttle
    assert rate(throttle=3e6 - 3.05e6) == 0
    assert rate(target=-1.0, source=5.0) == 0


@pytest.mark.parametrize(
    ("limits", "least"),
    [
        ({"target": 50.0, "source": 80.0, "throttle": 60.0}, 50.0),
        ({"target": 90.0, "source": 80.0, "throttle": 85.0}, 80.0),
        ({"target": 90.0, "source": 80.0, "throttle": 60.0}, 60.0),
    ],
)
def test_the_least_limit_decides(limits: dict[str, float], least: float) -> None:
    assert rate(**limits) == least


@given(size=st.floats(1e3, 1e6), own=st.floats(0, 50), spare=st.floats(1, 500))
def test_a_refill_step_by_step(size: float, own: float, spare: float) -> None:
    """Each step brings what the spare rate and the live traffic carry, and the replica grows by the live traffic."""
    step = size / spare / 1000
    missing, duration, brought = size, 0.0, 0.0
    while missing > 1e-9 * size:
        part = min(step, missing / spare)
        missing += own * part - (own + spare) * part
        brought += (own + spare) * part
        duration += part
    assert float(recovery.refill_s(size_bytes=size, refill_rate_bytes_per_s=spare)) == pytest.approx(duration)
    moved = recovery.moved_bytes(size_bytes=size, own_write_bytes_per_s=own, duration_s=duration)
    assert float(moved) == pytest.approx(brought)


def test_published_recovery() -> None:
    # a terabyte at 1 Gbit/s: 2 h 13 min 20 s
    assert recovery.refill_s(size_bytes=1e12, refill_rate_bytes_per_s=1e9 / 8) == 8000


def test_measured_failovers() -> None:
    # E: 8.9 s from kill to new leaders; kafka_facts.md 5: 10.8 s when the killed node was the active controller too.
    # The session begins with the last heartbeat, up to 2 s before the kill.
    timeout = constant("recovery.session_timeout_s")
    likely = recovery.failover_s(session_timeout_s=timeout, election_s=constant("recovery.election_s"))
    assert timeout == 9
    assert likely - 2 <= 8.9 <= likely <= 10.8


def test_arrays_give_what_floats_give() -> None:
    size, speed = (0.0, 1e13), (0.0, 1e9)
    check_element_by_element(recovery.moved_bytes, size_bytes=size, own_write_bytes_per_s=speed, duration_s=(0.0, 1e5))
    check_element_by_element(
        recovery.refill_rate_bytes_per_s,
        target_spare_bytes_per_s=(-1e9, 1e9),
        source_spare_bytes_per_s=(-1e9, 1e9),
        throttle_spare_bytes_per_s=(-1e9, 1e9),
    )
    check_element_by_element(recovery.refill_s, size_bytes=size, refill_rate_bytes_per_s=(1e3, 1e9))
    check_element_by_element(recovery.failover_s, session_timeout_s=(1.0, 60.0), election_s=(0.0, 2.0))


# sources


def seconds_to_copy(bytes_from: list[float], spare: float) -> float:
    """Fluid copy from several sources at once: each sends at its own spare until it has sent all that it leads."""
    left, clock, sent = sorted(bytes_from), 0.0, 0.0
    while left:
        clock += (left[0] - sent) / spare
        sent = left.pop(0)
    return clock


@given(
    bytes_from=st.lists(st.floats(1, 1e12), min_size=1, max_size=8),
    idle=st.integers(0, 5),
    spare=st.floats(1, 1e9),
)
def test_sources_end_with_the_busiest(bytes_from: list[float], idle: int, spare: float) -> None:
    """As many full sources as make the rate at which a copy from uneven ones ends."""
    size = sum(bytes_from)
    sources = recovery.refill_sources(
        size_bytes=size, fullest_source_bytes=max(bytes_from), survivors=len(bytes_from) + idle
    )
    took = float(recovery.refill_s(size_bytes=size, refill_rate_bytes_per_s=rate(source=float(sources) * spare)))
    if took * FAST > size * 1.01:  # else nothing limits
        assert took == pytest.approx(seconds_to_copy(bytes_from, spare), rel=1e-6)


def test_sources_of_nothing_and_of_even_shares() -> None:
    assert float(recovery.refill_sources(size_bytes=0.0, fullest_source_bytes=0.0, survivors=5)) == 5
    assert float(recovery.refill_sources(size_bytes=10.0, fullest_source_bytes=0.0, survivors=5)) == 5
    assert float(recovery.refill_sources(size_bytes=10.0, fullest_source_bytes=10.0, survivors=5)) == 1
