"""Retention against real logs, a simulated log and published examples."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.constants import constant
from planner.model import storage
from planner.model.types import Array

MIB = 2.0**20
DAY = 86_400.0
RULES: tuple[Callable[..., Any], ...] = (
    storage.time_retention_average_bytes,
    storage.time_retention_max_bytes,
    storage.size_retention_average_bytes,
    storage.size_retention_max_bytes,
)


def steady(rate: Any) -> dict[str, Any]:
    """Arguments of a rate without peaks."""
    return {"average_bytes_per_s": rate, "peak_bytes_per_s": rate, "peak_duration_s": 0.0}


def under(
    rate: float, segment: float, check: float, *, seconds: float = math.inf, size: float = math.inf
) -> tuple[float, float]:
    """Mean and most live bytes at a steady rate under one or both rules."""
    given = {**steady(rate), "check_interval_s": check, "segment_fill_bytes": segment}
    mean = storage.live_bytes(
        time_rule_bytes=storage.time_retention_average_bytes(**given, retention_s=seconds),
        size_rule_bytes=storage.size_retention_average_bytes(**given, retention_bytes=size),
    )
    most = storage.live_bytes(
        time_rule_bytes=storage.time_retention_max_bytes(**given, retention_s=seconds),
        size_rule_bytes=storage.size_retention_max_bytes(**given, retention_bytes=size),
    )
    return float(mean), float(most)


# Segments of 1 MiB, check interval 5 s, file.delete.delay 10 s. MiB/s, its last printed half digit, limits;
# then printed mean and maximum of the formulas, measured mean, maximum, maximum with waiting files (MiB), mean waiting.
# kafka_facts.md 2.2 (rate 0.197: a segment took one check interval to fill) and real_kafka_measured.md H (0.297)
MEASURED = [
    (0.197, {"size": 5}, (5.99, 6.98), (6.20, 6.69), 8.68, None),
    (0.197, {"seconds": 20}, (4.93, 5.92), (5.16, 5.65), 7.64, None),
    (0.297, {"size": 4}, (5.24, 6.49), (5.25, 6.41), None, 2.97),
    (0.297, {"seconds": 20}, (7.19, 8.43), (7.09, 8.26), None, 2.96),
    (0.297, {"size": 4, "seconds": 40}, (5.24, 6.49), (5.24, 6.43), None, 2.96),
]


@pytest.mark.parametrize(("rate", "limits", "printed", "live", "total", "waiting"), MEASURED)
def test_measured_retention(
    *,
    rate: float,
    limits: dict[str, float],
    printed: tuple[float, float],
    live: tuple[float, float],
    total: float | None,
    waiting: float | None,
) -> None:
    mean, most = under(rate, 1.0, 5.0, **limits)
    # the rate is printed to three digits, so the formula's figures are known to what that leaves
    for ours, theirs, spread in ((mean, printed[0], 22.5), (most, printed[1], 25.0)):
        assert abs(ours - theirs) <= 0.0005 * spread + 0.005
    # uniform phases hold within 1.5 %; where segments and checks ran in step, within 5 %
    assert live[0] == pytest.approx(mean, rel=0.05 if rate == 0.197 else 0.015)
    assert live[1] <= most
    deleted = float(storage.deleted_bytes(bytes_per_s=rate, delete_delay_s=10.0))
    if total is not None:
        assert live[1] < total <= most + deleted
    if waiting is not None:
        assert waiting == pytest.approx(deleted, rel=0.005)


def simulated_log(
    rate: float, segment: float, check: float, delay: float, *, seconds: float, size: float
) -> tuple[Array, Array]:
    """Live bytes, and live and waiting bytes, at many moments of a log that is written evenly."""
    moments = np.random.default_rng(5).uniform(5000.0, 500_000.0, 400_000)

    def first_segment(checked: Array) -> Array:
        """The oldest segment that the check at this time left, counted from the beginning of the log."""
        expired = np.floor((checked - seconds) * rate / segment) if seconds < math.inf else np.zeros_like(checked)
        beyond = np.floor((checked * rate - size) / segment) if size < math.inf else np.zeros_like(checked)
        return np.maximum(expired, beyond)

    written = moments * rate
    live = written - segment * first_segment(np.floor(moments / check) * check)
    linked = written - segment * first_segment(np.floor((moments - delay) / check) * check)
    return live, linked


@pytest.mark.parametrize(
    ("rate", "segment", "check", "delay", "seconds", "size"),
    [
        (1.0, 137.7, 300.0, 60.0, 1000.0, math.inf),
        (3.3, 1000.0, 7.1, 60.0, 1000.0, math.inf),
        (1.0, 137.7, 300.0, 60.0, math.inf, 2000.0),
        (0.8, 3.7, 31.0, 10.0, math.inf, 90.0),
        (1.0, 137.7, 300.0, 60.0, 1000.0, 2000.0),
    ],
)
def test_the_closed_forms_agree_with_a_simulated_log(
    *, rate: float, segment: float, check: float, delay: float, seconds: float, size: float
) -> None:
    live, linked = simulated_log(rate, segment, check, delay, seconds=seconds, size=size)
    mean, most = under(rate, segment, check, seconds=seconds, size=size)
    deleted = float(storage.deleted_bytes(bytes_per_s=rate, delete_delay_s=delay))
    assert float(live.mean()) == pytest.approx(mean, rel=0.005)
    assert float((linked - live).mean()) == pytest.approx(deleted, rel=0.01)
    assert 0.985 * most <= live.max() <= most
    assert 0.985 * (most + deleted) <= linked.max() <= most + deleted


def test_two_rules_that_keep_about_the_same_are_a_little_below_the_mean() -> None:
    live, _ = simulated_log(1.0, 137.7, 300.0, 60.0, seconds=1000.0, size=1000.0)
    mean, most = under(1.0, 137.7, 300.0, seconds=1000.0, size=1000.0)
    assert 0.97 * mean <= live.mean() <= mean
    assert live.max() <= most


def test_low_rates_keep_twice_the_retention_at_the_defaults() -> None:
    # 1 KB/s for 7 days is 605 MB, less than a segment, so it closes after 7 days and goes 7 days later
    fill = float(storage.segment_fill_bytes(**steady(1000.0), segment_bytes=2.0**30, segment_s=7 * DAY))
    assert fill == 604_800_000
    mean, most = under(1000.0, fill, 300.0, seconds=7 * DAY)
    assert most == pytest.approx(2 * 604_800_000, rel=0.0003)
    assert mean == pytest.approx(1.5 * 604_800_000, rel=0.0003)


def test_a_segment_closes_by_size_or_time() -> None:
    assert storage.segment_fill_bytes(**steady(1e6), segment_bytes=2.0**30, segment_s=7 * DAY) == 2.0**30
    # 10 B/s with 90 B/s for the 100 s of a peak: 10 * 1000 + 80 * 100
    peaked = {"average_bytes_per_s": 10.0, "peak_bytes_per_s": 90.0, "peak_duration_s": 100.0}
    assert storage.segment_fill_bytes(**peaked, segment_bytes=2.0**30, segment_s=1000.0) == 18_000


def test_retention_shorter_than_the_peak_holds_the_peak_rate() -> None:
    peaked = {"average_bytes_per_s": 10.0, "peak_bytes_per_s": 50.0, "peak_duration_s": 14_400.0}
    assert storage.retained_bytes(**peaked, period_s=3600.0) == 50 * 3600
    assert storage.retained_bytes(**peaked, period_s=DAY) == 10 * 72_000 + 50 * 14_400
    most = storage.time_retention_max_bytes(
        **peaked, retention_s=3600.0, check_interval_s=300.0, segment_fill_bytes=0.0
    )
    assert most == 50 * 3900


def test_a_peak_below_the_average_takes_nothing_away() -> None:
    odd = {"average_bytes_per_s": 10.0, "peak_bytes_per_s": 5.0, "peak_duration_s": 100.0}
    assert storage.retained_bytes(**odd, period_s=1000.0) == 10_000


def test_an_idle_replica_holds_its_empty_files() -> None:
    fill = storage.segment_fill_bytes(**steady(0.0), segment_bytes=2.0**30, segment_s=7 * DAY)
    mean, most = under(0.0, float(fill), 300.0, seconds=7 * DAY, size=1e9)
    assert fill == mean == most == 0
    disk = storage.replica_disk_bytes(
        live_bytes=most,
        deleted_bytes=storage.deleted_bytes(bytes_per_s=0.0, delete_delay_s=60.0),
        index_fraction=0.005,
        idle_replica_bytes=constant("storage.idle_replica_bytes"),
    )
    # kafka_facts.md 2.1: 2000 empty replicas took 19.5 MB
    assert 2000 * disk == 19.5e6


# batches, bytes of a batch (the second: not published, above 4096), entries, offset index: kafka_facts.md 2.1
@pytest.mark.parametrize(("batches", "size", "entries", "index"), [(64, 16_205, 63, 504), (4141, 5000, 4140, 33_120)])
def test_measured_index_entries(batches: int, size: int, entries: int, index: int) -> None:
    ours = storage.index_entries(batches=batches, batch_bytes=size, index_interval_bytes=4096)
    assert ours == entries
    assert 8 * ours == index


def counted_entries(batches: int, size: int) -> int:
    """Entries that Kafka writes: one before a batch once more than 4096 B came since the last."""
    entries = since = 0
    for _ in range(batches):
        if since > 4096:
            entries, since = entries + 1, 0
        since += size
    return entries


@given(batches=st.integers(0, 400), size=st.integers(61, 20_000))
def test_index_entries_are_those_that_kafka_writes(batches: int, size: int) -> None:
    ours = storage.index_entries(batches=batches, batch_bytes=size, index_interval_bytes=4096)
    assert ours == counted_entries(batches, size)


@pytest.mark.parametrize("size", [68, 1000, 2048, 4096, 4097, 16_205])
def test_the_index_fraction_is_that_of_a_long_segment(size: int) -> None:
    batches = 200_000
    fraction = storage.index_fraction(
        batch_bytes=size, index_interval_bytes=4096, index_entry_bytes=constant("storage.index_entry_bytes")
    )
    assert float(fraction) == pytest.approx(20 * counted_entries(batches, size) / (batches * size), rel=0.001)
    assert 0 < fraction < 0.005


def test_disk_bytes_are_log_files_waiting_files_and_indexes() -> None:
    disk = storage.replica_disk_bytes(
        live_bytes=6.49e6, deleted_bytes=2.97e6, index_fraction=0.001, idle_replica_bytes=10_000.0
    )
    assert disk == pytest.approx(6.49e6 + 2.97e6 + 9460 + 10_000)


def test_ibm_retention_bytes() -> None:
    # published case ibm-retention-bytes: 200 MB a day for 5 days = 1000 MB, or 100 MB in each of 10 partitions,
    # and one segment of 512 MB more for each partition
    total = storage.retained_bytes(**steady(200e6 / DAY), period_s=5 * DAY)
    assert float(total) == pytest.approx(1000e6)
    for partitions in (1, 10):
        _, most = under(200e6 / DAY / partitions, 512e6, 0.0, size=float(total) / partitions)
        assert most == pytest.approx(1000e6 / partitions + 512e6)


def test_oracle_pvc_5min() -> None:
    # published case oracle-pvc-5min: 39,000 messages/s of 1,941 B for 5 min, 3 replicas, 63.45 (2**30)
    replica = storage.retained_bytes(**steady(39_000 * 1941.0), period_s=300.0)
    assert round(3 * float(replica) / 2**30, 2) == 63.45


# published case purbon-tiered: MB/s, hot set in seconds, segments of 100 MB, hot set in GB, at RF 3
PURBON = [
    (17, 900, 459, 45.9),
    (20, 900, 540, 54.0),
    (30, 900, 810, 81.0),
    (17, 1800, 918, 91.8),
    (20, 1800, 1080, 108.0),
    (30, 1800, 1620, 162.0),
    (17, 3600, 1836, 183.6),
    (20, 3600, 2160, 216.0),
    (30, 3600, 3240, 324.0),
]


@pytest.mark.parametrize(("rate", "hot", "segments", "gigabytes"), PURBON)
def test_purbon_tiered(rate: float, hot: float, segments: int, gigabytes: float) -> None:
    replica = float(storage.retained_bytes(**steady(rate * 1e6), period_s=hot))
    assert 3 * replica / 1e9 == pytest.approx(gigabytes, rel=1e-12)
    assert 3 * replica / 100e6 == pytest.approx(segments, rel=1e-12)
    # ours is more: segments go whole, and only at a check
    _, most = under(rate * 1e6, 100e6, 300.0, seconds=hot)
    assert most == pytest.approx(replica + 100e6 + rate * 300e6)


def test_purbon_lag_reserve() -> None:
    lag = [float(storage.retained_bytes(**steady(rate * 1e6), period_s=900.0)) / 1e9 for rate in (17, 20, 30)]
    assert lag == pytest.approx([15.3, 18, 27])
    lag = [float(storage.retained_bytes(**steady(rate * 1e6), period_s=1800.0)) / 1e9 for rate in (17, 20, 30)]
    assert lag == pytest.approx([30.6, 36, 54])


def test_a_tiered_replica_keeps_what_is_not_copied_yet() -> None:
    # local retention of 0: a full segment, and what comes until its copy (30 s) and the check after that (300 s)
    by_rule = under(10.0, 500.0, 300.0, seconds=0.0)
    uncopied = under(10.0, 500.0, 300.0, seconds=30.0)
    local = [
        float(storage.tiered_local_bytes(local_rule_bytes=rule, uncopied_bytes=waits))
        for rule, waits in zip(by_rule, uncopied, strict=True)
    ]
    assert local == [10 * 180 + 250, 10 * 330 + 500]
    # six hours: the copy is long done
    by_rule = under(10.0, 500.0, 300.0, seconds=21_600.0)
    assert storage.tiered_local_bytes(local_rule_bytes=by_rule[1], uncopied_bytes=uncopied[1]) == by_rule[1]


def test_the_remote_tier_holds_one_copy_of_the_whole_retention() -> None:
    written = storage.retained_bytes(**steady(500e6), period_s=3 * DAY)
    assert storage.remote_bytes(written_bytes=written, retention_bytes=math.inf) == 129.6e12
    assert storage.remote_bytes(written_bytes=written, retention_bytes=1e12) == 1e12


amounts = st.floats(0, 1e12)


@given(
    rate=amounts,
    factor=st.floats(0, 100),
    duration=st.floats(0, 1e7),
    keep=st.floats(0, 1e9),
    limit=amounts | st.just(math.inf),
    segment=st.floats(1, 1e12),
)
def test_rules_are_ordered_and_never_negative(
    *, rate: float, factor: float, duration: float, keep: float, limit: float, segment: float
) -> None:
    rates = {"average_bytes_per_s": rate, "peak_bytes_per_s": rate * factor, "peak_duration_s": duration}
    fill = storage.segment_fill_bytes(**rates, segment_bytes=segment, segment_s=7 * DAY)
    check = {**rates, "check_interval_s": 300.0, "segment_fill_bytes": fill}
    by_time = [rule(**check, retention_s=keep) for rule in RULES[:2]]
    by_size = [rule(**check, retention_bytes=limit) for rule in RULES[2:]]
    kept = storage.retained_bytes(**rates, period_s=keep)
    assert 0 <= fill <= segment
    assert 0 <= kept <= by_time[0] <= by_time[1] < math.inf
    assert limit <= by_size[0] <= by_size[1]
    longer = storage.time_retention_max_bytes(**check, retention_s=keep + 60.0)
    assert longer >= by_time[1]


def test_topics_are_computed_side_by_side() -> None:
    rates = np.array([0.0, 1e3, 1e6])
    limits = np.array([math.inf, math.inf, 5e9])
    fill = storage.segment_fill_bytes(**steady(rates), segment_bytes=2.0**30, segment_s=np.array([DAY, DAY, DAY]))
    given = {**steady(rates), "check_interval_s": 300.0, "segment_fill_bytes": fill}
    most = storage.live_bytes(
        time_rule_bytes=storage.time_retention_max_bytes(**given, retention_s=7 * DAY),
        size_rule_bytes=storage.size_retention_max_bytes(**given, retention_bytes=limits),
    )
    expected = [
        under(rate, segment, 300.0, seconds=7 * DAY, size=limit)[1]
        for rate, segment, limit in zip(rates, np.asarray(fill), limits, strict=True)
    ]
    assert np.asarray(most).tolist() == expected
    assert expected[0] == 0
