"""Compaction, transactions and batching: simulations, measured figures and hand arithmetic against the advice."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import planner
from planner.cli import cli
from planner.constants import constant
from planner.model import batching, compaction, transactions
from planner.scenario import Scenario

DAY = 86400.0


def scenario(cluster: dict[str, Any] | None = None, operations: dict[str, Any] | None = None, **topic: Any) -> Scenario:
    body: dict[str, Any] = {
        "name": "t",
        "records_per_s": 1000,
        "record": {"key_bytes": 10, "value_bytes": 1000},
        "batch": {"records": 10},
        "partitions": 6,
    }
    return Scenario.model_validate(
        {"topics": [{**body, **topic}], "cluster": {"brokers": 3, **(cluster or {})}, "operations": operations or {}}
    )


# Compaction


def gone_after(fill_s: int, segments_due: int, retention_s: int, written_at: int, end: int) -> int | None:
    """Seconds from a tombstone to its disappearance in a log that is simulated second by second.

    A segment closes every `fill_s`; a pass runs when `segments_due` closed ones are dirty. The first pass that meets
    the tombstone dates it; a later pass drops it once that date plus `retention_s` is over.
    """
    closed_dirty, dated, in_open = 0, None, False
    waiting = False  # the tombstone is in a closed dirty segment
    for now in range(end):
        in_open = in_open or now == written_at
        if now > 0 and now % fill_s == 0:
            closed_dirty += 1
            waiting, in_open = waiting or in_open, False
        if closed_dirty >= segments_due:
            closed_dirty = 0
            if dated is not None and now > dated + retention_s:
                return now - written_at
            if waiting and dated is None:
                dated = now
            waiting = False
    return None


@pytest.mark.parametrize(("fill", "due", "retention"), [(60, 1, 500), (60, 4, 500), (300, 2, 100), (10, 7, 0)])
def test_a_deleted_key_is_gone_within_the_bound_and_the_bound_is_near(fill: int, due: int, retention: int) -> None:
    period = fill * due
    most = compaction.deleted_key_gone_s(
        segment_fill_s=fill, cleaning_period_s=period, delete_retention_s=retention, cleaner_wait_s=0, delete_delay_s=0
    )
    seen = [gone_after(fill, due, retention, written, 40_000) for written in range(5000, 5000 + 2 * period)]
    times = [time for time in seen if time is not None]
    assert len(times) == len(seen)
    assert max(times) <= most + 2
    assert max(times) > most - period - fill


def test_distinct_keys_as_drawn() -> None:
    draws = np.random.default_rng(1).integers(0, 5000, size=20_000)
    share = compaction.distinct_fraction(unique_keys=5000.0, records=20_000.0)
    assert share == pytest.approx(len(np.unique(draws)) / 20_000, rel=0.02)
    assert compaction.distinct_fraction(unique_keys=5.0, records=0.0) == 0
    assert compaction.distinct_fraction(unique_keys=1e10, records=1000.0) == pytest.approx(1)


COMPACT: dict[str, Any] = {"cleanup": "compact", "segment": {"bytes": "10MB"}}


def test_compaction_by_hand() -> None:
    # 600,000 keys of 1 kB in six partitions: about 100 MB live each; a pass is due at as much again
    found = planner.compaction(scenario(**COMPACT, keys={"unique": 600_000, "zipf_exponent": 0}))
    topic = found.topics["t"]
    rate = 1000 * 1020 / 6
    assert topic.segment_fill_s == pytest.approx(10e6 / rate, rel=0.02)
    assert topic.cleaning_period_s == pytest.approx(110e6 / rate, rel=0.08)
    # three replicas; 3 times the writes are read, once as much is written (kafka_facts 2.3 at ratio 0.5)
    assert topic.cleaner_read_bytes_per_s == pytest.approx(3 * 3 * 1000 * 1020, rel=0.1)
    assert topic.cleaner_write_bytes_per_s == pytest.approx(3 * 1000 * 1020, rel=0.1)
    assert topic.dedupe_buffer_needed_bytes == pytest.approx(topic.dirty_keys * 24 / 0.9)
    assert topic.deleted_key_gone_s is not None
    assert topic.deleted_key_gone_s > DAY
    assert found.cleaner.busy_fraction == pytest.approx(4 * 1000 * 1020 / 40e6, rel=0.15)
    assert found.findings == ()


def test_keys_that_hardly_repeat_are_told() -> None:
    found = planner.compaction(scenario(**COMPACT, keys={"unique": 1e11, "zipf_exponent": 0}))
    assert "keys_nearly_unique" in {row.code for row in found.findings}
    # 31.5 billion records a year into a hundred billion keys: 1 - x/2 + x^2/6 of them are distinct
    assert found.topics["t"].distinct_fraction == pytest.approx(1 - 0.31536 / 2 + 0.31536**2 / 6, rel=0.01)


def test_a_cleaner_that_cannot_keep_pace_is_told() -> None:
    busy = scenario(**COMPACT, records_per_s=200_000, keys={"unique": 5e8, "zipf_exponent": 0})
    codes = {row.code for row in planner.compaction(busy).findings}
    assert {"cleaner_pace", "dedupe_buffer"} <= codes


def test_a_segment_that_stays_open_is_told() -> None:
    slow = scenario(cleanup="compact", records_per_s=1, keys={"unique": 100, "zipf_exponent": 0})
    found = planner.compaction(slow)
    assert [row.code for row in found.findings] == ["segment_roll"]
    # 170 B/s a partition fill 1 GiB in 73 days, so segment.ms of seven days closes it
    assert found.topics["t"].segment_fill_s == pytest.approx(7 * DAY, rel=0.01)


def test_a_topic_without_writes_is_never_cleaned() -> None:
    idle = planner.compaction(scenario(**COMPACT, records_per_s=0, keys={"unique": 100})).topics["t"]
    assert idle.deleted_key_gone_s is None
    assert idle.deleted_key_gone_reason
    assert planner.compaction(scenario()).topics == {}


# Transactions


@pytest.mark.parametrize(("record", "bytes_measured"), [("ongoing", 140), ("prepare", 140), ("complete", 121)])
def test_state_records_as_measured(record: str, bytes_measured: int) -> None:
    """One topic of three letters, three partitions and an id of six letters, dumped from a real cluster."""
    parts = {
        "batch_header_bytes": 61,
        "record_frame_bytes": constant("transactions.state_frame_bytes"),
        "key_bytes": 4 + 6,
        "value_bytes": 45,
        "topic_bytes": 2 + 3,
        "partition_bytes": 4,
        "partitions_touched": 3,
    }
    whole = transactions.state_bytes_per_transaction(state_records=2, **parts)
    empty = transactions.state_bytes_per_transaction(state_records=1, **parts)
    named = whole - empty
    assert bytes_measured == pytest.approx(empty if record == "complete" else named, abs=2)
    three = transactions.state_bytes_per_transaction(state_records=3, **parts)
    assert three == pytest.approx(140 + 140 + 121, abs=4)


def test_markers_and_touched_partitions_by_hand() -> None:
    found = planner.transactions(scenario(transactions_per_s=100))
    topic = found.topics["t"]
    assert topic.records_per_transaction == 10
    # ten records into six partitions leave a given one empty with (5/6)^10
    assert topic.partitions_touched == pytest.approx(6 * (1 - (5 / 6) ** 10))
    assert topic.marker_bytes_per_s == pytest.approx(100 * topic.partitions_touched * 78)
    assert found.internal.topics == 1
    assert found.internal.replicas == 150
    alone = planner.transactions(scenario(transactions_per_s=100, record={"value_bytes": 1000})).topics["t"]
    assert alone.partitions_touched == 1  # null keys fill one partition at a time


def test_short_lived_producers_are_a_memory_trap() -> None:
    # one producer a second for a day: 86,400 ids in each of 6 partitions with 3 replicas on 3 brokers, 432 B each
    found = planner.transactions(scenario(producers=1), starts_per_day=86_400)
    assert found.producer_heap_bytes_per_broker == pytest.approx(86_401 * 6 * 432, rel=1e-6)
    calm = planner.transactions(scenario(producers=4))
    assert calm.producers["t"].starts_per_day == 4  # one deployment a day
    assert calm.findings == ()
    flood = planner.transactions(scenario(producers=1), starts_per_day=10_000_000)
    assert [(row.code, row.severity) for row in flood.findings] == [("producer_state", "critical")]
    many = planner.transactions(scenario(producers=1), starts_per_day=500_000)
    assert [(row.code, row.severity) for row in many.findings] == [("producer_state", "warning")]


def test_a_transactional_producer_keeps_its_id() -> None:
    found = planner.transactions(scenario(transactions_per_s=1, producers=5))
    assert found.producers["t"].live_producer_ids == 5


def test_small_transactions_are_told() -> None:
    codes = [row.code for row in planner.transactions(scenario(transactions_per_s=500)).findings]
    assert codes == ["small_transactions"]


def test_what_exactly_once_leaves_to_the_application() -> None:
    covered = {row.case: row.covered for row in planner.transactions(scenario()).covers}
    assert covered["kafka_to_kafka"]
    assert covered["producer_retry"]
    assert not covered["database"]
    assert not covered["producer_restart"]


# Batching


def test_a_batch_gathers_what_arrives_while_it_lingers() -> None:
    # null keys: a producer's 1000 records/s all go to one partition at a time
    alone = scenario(batch={}, producers=1, record={"value_bytes": 100})
    found = planner.batching(alone, lingers=[0.02, 0.1], sizes=[1_048_576])
    assert [row.batch_records for row in found.rows] == pytest.approx([1 + 1000 * 0.02, 1 + 1000 * 0.1], rel=0.01)
    assert [row.produce_requests_per_s for row in found.rows] == pytest.approx([1000 / 21, 1000 / 101], rel=0.01)


def test_batch_size_is_a_cap() -> None:
    alone = scenario(batch={}, producers=1, record={"value_bytes": 1000})
    found = planner.batching(alone, lingers=[1.0], sizes=[16_384])
    assert found.rows[0].batch_records == 16  # measured: 16 records of 1000 B, 16,205 B


def test_bytes_follow_the_header_share() -> None:
    rare, often = (scenario(batch={}, records_per_s=rate, record={"value_bytes": 100}) for rate in (0.01, 1000))
    (one,) = planner.batching(rare, lingers=[0.0], sizes=[1_048_576]).rows
    (many,) = planner.batching(often, lingers=[0.1], sizes=[1_048_576]).rows
    # 170 B alone; in a batch 61 / n and about ten less
    assert one.wire_bytes_per_record == pytest.approx(170, abs=2)
    assert many.wire_bytes_per_record == pytest.approx(100 + 9 + 61 / many.batch_records, abs=1.5)


def test_the_cheap_win_is_the_shortest_linger_that_brings_most() -> None:
    chatty = scenario(batch={}, producers=50, records_per_s=100_000, record={"value_bytes": 100})
    found = planner.batching(chatty)
    assert found.advised is not None
    assert found.advised.linger_s is not None
    allowed = [row for row in found.rows if row.linger_s is not None and row.linger_s <= 0.1]
    best = max(row.cpu_saved_fraction for row in allowed)
    assert found.advised.cpu_saved_fraction >= 0.9 * best
    shorter = [row for row in allowed if (row.linger_s or 0) < found.advised.linger_s]
    assert all(row.cpu_saved_fraction < 0.9 * best for row in shorter)
    assert found.topics["t"].batch_records_advised > found.topics["t"].batch_records


def test_a_measured_batch_is_never_made_smaller() -> None:
    found = planner.batching(scenario(batch={"records": 500}, producers=100))
    assert all(row.batch_records == 500 for row in found.rows)
    assert found.advised is None
    assert found.advised_reason
    assert "batch_given" in {row.code for row in found.findings}


def test_the_latency_that_is_asked_for_bounds_the_linger() -> None:
    from planner.scenario import Questions

    chatty = scenario(batch={}, producers=50, records_per_s=100_000, record={"value_bytes": 100})
    hurried = chatty.model_copy(update={"questions": Questions(latency_p99=0.02)})
    advised = planner.batching(hurried).advised
    assert advised is None or (advised.linger_s or 0) <= 0.01


@given(st.floats(1e-6, 1e12) | st.just(0.0), st.floats(0, 1e12))
def test_a_saving_is_what_is_left_out(before: float, after: float) -> None:
    saved = float(batching.saved_fraction(before=before, after=after))
    assert before * (1 - saved) == pytest.approx(after if before > 0 else 0, rel=1e-6, abs=1e-6 * before)


# All of them


@pytest.mark.parametrize("preset", [preset.name for preset in planner.presets()])
@pytest.mark.parametrize("question", [planner.compaction, planner.transactions, planner.batching])
def test_every_preset_has_an_answer(preset: str, question: Any) -> None:
    found = question(planner.load(f"preset:{preset}"))
    json.dumps(found.to_dict(), allow_nan=False)
    found.to_frame()


@pytest.mark.parametrize(
    ("arguments", "start"),
    [
        (["compaction", "preset:tenant-config"], "The log cleaner keeps pace"),
        (["compaction", "preset:typical-broker"], "No topic is compacted"),
        (["transactions", "preset:fintech", "--starts-per-day", "100000"], "Idempotent producers take"),
        (["batching", "preset:linkedin-2014", "--linger", "5ms", "--size", "256KiB"], "Set linger.ms=5"),
        (["batching", "preset:typical-broker"], "Leave linger.ms and batch.size"),
    ],
)
def test_the_commands_say_it_in_a_sentence_first(arguments: list[str], start: str) -> None:
    done = CliRunner().invoke(cli, arguments)
    assert done.exit_code == 0
    assert done.output.startswith(start)
    for form in ("json", "csv"):
        assert CliRunner().invoke(cli, [*arguments, "--format", form]).exit_code == 0


@pytest.mark.parametrize(
    "arguments",
    [["batching", "--linger", "soon"], ["batching", "--size", "0"], ["transactions", "--starts-per-day", "-1"]],
)
def test_bad_options_are_refused(arguments: list[str]) -> None:
    assert CliRunner().invoke(cli, [arguments[0], "preset:fintech", *arguments[1:]]).exit_code == 2
