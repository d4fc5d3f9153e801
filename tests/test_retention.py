"""Retention: closed forms against a log that is simulated second by second, and hand arithmetic on small clusters."""

from __future__ import annotations

import datetime as dt
import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import planner
from planner.cli import cli
from planner.model import retention as model
from planner.scenario import Scenario

DAY = 86400.0
MB = 1e6


def log_bytes(
    rate: list[float], *, retention_s: float = math.inf, limit: float = math.inf, segment: float, check_s: int = 30
) -> list[float]:
    """Bytes of one partition in every second: segments roll by size, a check deletes the oldest whole ones."""
    closed: list[tuple[int, float]] = []  # newest second, bytes
    active, seen = 0.0, []
    for now, written in enumerate(rate):
        active += written
        if active >= segment:
            closed.append((now, active))
            active = 0.0
        if now % check_s == 0:
            while closed and now - closed[0][0] > retention_s:
                closed.pop(0)
            while closed and sum(size for _, size in closed) + active - limit >= closed[0][1]:
                closed.pop(0)
        seen.append(active + sum(size for _, size in closed))
    return seen


@pytest.mark.parametrize("factor", [2.0, 5.0])
def test_a_spike_grows_a_log_as_simulated(factor: float) -> None:
    quiet, spike, retention_s = 6000, 9000, 3000.0
    seen = log_bytes([10.0] * quiet + [10.0 * factor] * spike, retention_s=retention_s, segment=500.0)
    before = float(np.mean(seen[quiet - 600 : quiet]))
    excess = model.excess_bytes_per_s(average_bytes_per_s=10.0, spike_factor=factor)
    for after in (600, 1500, 2900, 6000):
        grown = model.growth_bytes(
            excess_bytes_per_s=excess, elapsed_s=after, levels_after_s=retention_s, room_bytes=math.inf
        )
        window = seen[quiet + after - 60 : quiet + after + 60]
        assert float(np.mean(window)) - before == pytest.approx(grown, abs=500 + 10 * factor * 60)


def test_a_byte_limit_stops_the_growth_as_simulated() -> None:
    seen = log_bytes([10.0] * 6000 + [50.0] * 6000, retention_s=3000, limit=60_000, segment=500.0)
    room = 60_000 + 500 / 2 + 50 * 30 / 2 - float(np.mean(seen[5400:6000]))
    grown = model.growth_bytes(excess_bytes_per_s=40.0, elapsed_s=6000, levels_after_s=3000, room_bytes=room)
    assert float(np.mean(seen[-600:])) == pytest.approx(float(np.mean(seen[5400:6000])) + grown, rel=0.02)


logs = st.lists(
    st.tuples(st.floats(0, 100), st.floats(0, 1000) | st.just(math.inf), st.floats(0, 5000) | st.just(math.inf)),
    min_size=1,
    max_size=6,
)


@given(logs, st.floats(-10, 20_000))
def test_the_time_to_fill_is_the_inverse_of_the_growth(rows: list[tuple[float, float, float]], free: float) -> None:
    rate, level, room = (np.array(column) for column in zip(*rows, strict=True))
    found = model.filled_after_s(free_bytes=free, excess_bytes_per_s=rate, levels_after_s=level, room_bytes=room)

    def grown(elapsed: float) -> float:
        return sum(min(r * min(elapsed, stop), most) for r, stop, most in rows)

    if free <= 0:
        assert found == 0
    elif math.isinf(found):
        assert grown(1e15) < free * (1 + 1e-9) + 1e-6
    else:
        assert grown(float(found)) == pytest.approx(free, rel=1e-6, abs=1e-6)


def scenario(**topic: Any) -> Scenario:
    """Three brokers of 10 TB each; 10 MB/s in one topic, so each broker writes 10 MB/s and keeps a day of it."""
    body: dict[str, Any] = {
        "name": "t",
        "bytes_per_s": 10 * MB,
        "record": {"value_bytes": 100_000},
        "batch": {"records": 1000},
        "partitions": 30,
        "segment": {"bytes": "10MB"},
        "retention": {"time": "1d"},
    }
    spec = {
        "vcpu": 16,
        "memory": "64GiB",
        "network_in": "10Gbit/s",
        "network_out": "10Gbit/s",
        "storage": {"capacity": "4TB", "throughput": "1GB/s", "iops": 100_000},
    }
    return Scenario.model_validate(
        {
            "topics": [{**body, **topic}],
            "cluster": {"brokers": 3, "zones": 3, "broker": spec},
            "policy": {"placement": "balanced"},
        }
    )


def test_the_hours_until_full_are_hand_arithmetic() -> None:
    found = planner.retention(scenario(), spike=4, spike_time=3600)
    # 10 MB/s for a day is 864 GB on each of three brokers at replication factor 3, plus segments, index and .deleted
    assert found.disk.used_bytes == pytest.approx(864e9, rel=0.01)
    spike, cleaner, pinned = found.fills
    # three times 10 MB/s beyond what expires; it levels after a day, when 3 * 864 GB have come on top
    assert spike.alert_s == pytest.approx((0.7 * 4e12 - 864e9) / 30e6, rel=0.01)
    assert spike.page_s == pytest.approx((0.85 * 4e12 - 864e9) / 30e6, rel=0.01)
    assert spike.full_s is None
    assert spike.reason
    assert cleaner.full_s is None
    assert pinned.full_s == pytest.approx((4e12 - 864e9) / 10e6, rel=0.01)


def test_dates_are_counted_from_the_given_time() -> None:
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    row = planner.retention(scenario(), spike=4, now=now).fills[2]
    assert row.full_s is not None
    assert row.full_at == (now + dt.timedelta(seconds=row.full_s)).isoformat(timespec="minutes")
    assert planner.retention(scenario(), spike=4).fills[2].full_at is None


def test_a_date_beyond_the_calendar_is_left_out() -> None:
    slow = scenario(bytes_per_s=1e-3, record={"value_bytes": 10}, batch={"records": 1})
    row = planner.retention(slow, now=dt.datetime(2026, 1, 1, tzinfo=dt.UTC)).fills[2]
    assert row.full_s is not None
    assert row.full_at is None


def test_which_limit_bites() -> None:
    by_time = planner.retention(scenario()).topics["t"]
    assert (by_time.limit, by_time.kept_s) == ("time", DAY)
    # 10 MB/s over 30 partitions: 12 GB a partition are reached after ten hours
    by_bytes = planner.retention(scenario(retention={"time": "1d", "bytes_per_partition": "12GB"})).topics["t"]
    assert by_bytes.limit == "bytes"
    assert by_bytes.kept_s == pytest.approx(12e9 / (10 * MB / 30), rel=0.01)
    wide = planner.retention(scenario(retention={"time": "1d", "bytes_per_partition": "40GB"})).topics["t"]
    assert wide.limit == "time"
    endless = planner.retention(scenario(retention={"time": "forever"}))
    assert endless.topics["t"].limit == "none"
    assert "no_limit" in {finding.code for finding in endless.findings}


def test_the_safe_limit_keeps_the_disk_below_the_page_threshold_in_a_simulated_spike() -> None:
    given_time, factor, lasts = DAY, 12.0, 12 * 3600.0
    found = planner.retention(scenario(), spike=factor, spike_time=lasts)
    limit = found.topics["t"].safe_bytes_per_partition
    assert limit is not None
    assert "spike_fills_disk" in {finding.code for finding in found.findings}
    # one partition in steps of 300 s, which is the check interval; 30 replicas on each broker
    step, rate = 300.0, 10 * MB / 30
    quiet, loud = int(given_time / step) + 50, int(lasts / step)
    seen = log_bytes(
        [rate * step] * quiet + [rate * step * factor] * loud,
        retention_s=given_time / step,
        limit=float(limit),
        segment=10e6,
        check_s=1,
    )
    deleted = 60 * rate * factor
    assert 30 * (max(seen) + deleted) <= found.disk.page_bytes
    # and it is no needless cut: a fifth more would not be safe
    more = log_bytes(
        [rate * step] * quiet + [rate * step * factor] * loud,
        retention_s=given_time / step,
        limit=1.2 * limit,
        segment=10e6,
        check_s=1,
    )
    assert 30 * max(more) > found.disk.page_bytes


def test_without_a_spike_to_fear_the_safe_limit_holds_all_of_it() -> None:
    topic = planner.retention(scenario(), spike=2, spike_time=3600).topics["t"]
    # a day at 10 MB/s and an hour more of the same
    assert topic.safe_bytes_per_partition == pytest.approx(10 * MB / 30 * (DAY + 3600), rel=0.01)


def test_no_limit_is_safe_on_a_disk_that_is_too_small() -> None:
    tiny = scenario(segment={"bytes": "1GiB"}, bytes_per_s=400 * MB, retention={"time": "8h"})
    topic = planner.retention(tiny, spike=10).topics["t"]
    assert topic.safe_bytes_per_partition is None or topic.kept_in_spike_s is not None
    assert topic.safe_reason


def test_a_stuck_cleaner_lets_compacted_topics_grow() -> None:
    compacted = scenario(
        cleanup="compact", record={"key_bytes": 10, "value_bytes": 100_000}, keys={"unique": 1000}, retention={}
    )
    found = planner.retention(compacted)
    spike, cleaner, pinned = found.fills
    assert (spike.full_s, pinned.full_s) == (None, None)
    free = found.disk.capacity_bytes - found.disk.used_bytes
    assert cleaner.full_s == pytest.approx(free / (10 * MB), rel=0.01)
    assert found.topics["t"].safe_bytes_per_partition is None


def test_cutting_the_retention_frees_its_share_after_check_and_delay() -> None:
    cut = planner.retention(scenario()).response[0]
    # half a day of 10 MB/s, three replicas
    assert cut.freed_bytes == pytest.approx(3 * 10 * MB * DAY / 2, rel=0.01)
    assert cut.freed_after_s == 300 + 60
    assert cut.cut_to_s == DAY / 2


def test_adding_a_broker_takes_a_quarter() -> None:
    found = planner.retention(scenario())
    assert found.new_broker.moved_bytes == pytest.approx(3 * found.disk.used_bytes / 4, rel=1e-6)
    assert found.new_broker.freed_bytes_per_broker == pytest.approx(found.disk.used_bytes / 4, rel=1e-6)


def test_a_tiered_topic_is_cut_locally() -> None:
    found = planner.retention(scenario(tiered={"local_time": "6h"}))
    assert found.response[0].setting == "local.retention.ms"
    assert found.response[0].cut_to_s == 3 * 3600
    assert found.topics["t"].setting == "local.retention.bytes"


@pytest.mark.parametrize("preset", [preset.name for preset in planner.presets()])
def test_every_preset_has_an_answer(preset: str) -> None:
    found = planner.retention(planner.load(f"preset:{preset}"))
    body = found.to_dict()
    json.dumps(body, allow_nan=False)
    assert len(found.to_frame()) == len(found.topics)
    for row in found.fills:
        times = [time for time in (row.alert_s, row.page_s, row.full_s) if time is not None]
        assert times == sorted(times)
        assert (row.full_s is None) == (row.reason is not None)


def test_the_command_says_it_in_a_sentence_first() -> None:
    done = CliRunner().invoke(cli, ["retention", "preset:ecommerce", "--spike", "5", "--spike-time", "2h"])
    assert done.exit_code == 0
    assert done.output.startswith("The fullest disk is ")
    assert "Never delete segment files by hand" in done.output
    assert CliRunner().invoke(cli, ["retention", "preset:ecommerce", "--spike", "much"]).exit_code == 2
    assert CliRunner().invoke(cli, ["retention", "preset:ecommerce", "--spike", "0.5"]).exit_code == 2
