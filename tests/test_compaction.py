"""Compaction against a real log, a simulated cleaner and Kafka's own limits."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.constants import constant
from planner.model import compaction

MIB = 2.0**20
HEADER = constant("records.batch_header_bytes")
MAP = {
    "cleaner_threads": 1.0,
    "thread_buffer_max_bytes": constant("compaction.thread_buffer_max_bytes"),
    "key_entry_bytes": constant("compaction.key_entry_bytes"),
    "load_factor": constant("compaction.load_factor"),
}


def log(*, clean: Any, ratio: Any, segment: Any, rate: Any, wait: Any, delay: Any) -> dict[str, Any]:
    """Every figure of a compacted log without tombstones."""
    trigger = compaction.dirty_trigger_bytes(clean_bytes=clean, min_dirty_ratio=ratio, segment_fill_bytes=segment)
    often = compaction.cleanings_per_s(bytes_per_s=rate, dirty_trigger_bytes=trigger)
    parts = {"clean_bytes": clean, "dirty_trigger_bytes": trigger}
    kept = {**parts, "tombstones_kept_bytes": 0.0, "cleaner_wait_s": wait}
    most = compaction.compacted_max_bytes(**kept, segment_fill_bytes=segment, peak_bytes_per_s=rate)
    swap = {**parts, "cleanings_per_s": often, "delete_delay_s": delay}
    passes = {"cleanings_per_s": often, "clean_bytes": clean, "passes_per_cleaning": 1.0}
    return {
        "trigger": trigger,
        "often": often,
        "mean": compaction.compacted_average_bytes(**kept, average_bytes_per_s=rate),
        "most": most,
        "waiting": compaction.compacted_deleted_average_bytes(**swap),
        "worst": most
        + compaction.compacted_deleted_worst_bytes(
            clean_bytes=clean, peak_bytes_per_s=rate, cleanings_per_s=often, delete_delay_s=delay
        ),
        "read": compaction.cleaner_read_bytes_per_s(**passes, dirty_trigger_bytes=trigger),
        "write": compaction.cleaner_write_bytes_per_s(**passes),
    }


def test_measured_log() -> None:
    # kafka_facts.md 2.3: 4000 keys of 1 KB, segments of 1 MiB, ratio 0.5, 0.6 MB/s, back-off 2 s, delete delay 10 s:
    # live 4.11 to 9.00 and on average 6.50 MiB, with waiting files at most 14.7; "Indexed 4.0 MB, cleaned 7.9 MB"
    clean = 4000 * 1024 / MIB
    ours = log(clean=clean, ratio=0.5, segment=1.0, rate=0.6e6 / MIB, wait=2.0, delay=10.0)
    assert round(clean, 1) == 3.9
    assert ours["trigger"] == 4
    assert round(clean + ours["trigger"], 1) == 7.9
    assert clean <= 4.11
    assert ours["mean"] == pytest.approx(6.50, rel=0.005)
    # the printed maximum, 10.2, has 1.3 MiB for back-off and pass, where 2 s of back-off alone are 1.14
    assert round(ours["most"] - 0.6e6 * 2 / MIB + 1.3, 1) == 10.2
    assert 9.00 <= ours["most"] <= 1.12 * 9.00
    assert ours["worst"] >= 14.7


@dataclass
class Cleaner:
    """A log of equal records of one byte, cleaned as Kafka does it, and what was seen of it."""

    keys: int
    segment: int
    ratio: float
    backoff: float
    delay: float
    clean: set[int] = field(default_factory=set)
    dirty: list[int] = field(default_factory=list)
    active: list[int] = field(default_factory=list)
    waiting: list[tuple[float, int]] = field(default_factory=list)
    live: list[int] = field(default_factory=list)
    total: list[int] = field(default_factory=list)
    read: int = 0
    written: int = 0

    def run(self, records: int, rate: float, warm: int) -> None:
        source = random.Random(3)  # noqa: S311 - a simulation
        polled = 0.0
        for number in range(records):
            now = number / rate
            if number == warm:
                self.read = self.written = 0
            if now >= polled + self.backoff:
                polled = now
                self.poll(now)
            self.active.append(source.randrange(self.keys))
            if len(self.active) == self.segment:
                self.dirty += self.active
                self.active = []
            self.observe(now)

    def poll(self, now: float) -> None:
        if len(self.dirty) <= self.ratio * (len(self.clean) + len(self.dirty)):
            return
        before = len(self.clean) + len(self.dirty)
        self.waiting.append((now + self.delay, before))
        self.read += len(self.dirty) + before
        self.clean |= set(self.dirty)
        self.written += len(self.clean)
        self.dirty = []

    def observe(self, now: float) -> None:
        self.waiting = [(until, size) for until, size in self.waiting if until > now]
        self.live.append(len(self.clean) + len(self.dirty) + len(self.active))
        self.total.append(self.live[-1] + sum(size for _, size in self.waiting))


@pytest.mark.parametrize(
    ("keys", "segment", "ratio", "backoff", "delay"),
    [(1000, 100, 0.5, 0.03, 5.0), (1000, 100, 0.1, 0.37, 1.0), (150, 400, 0.5, 0.7, 6.0), (1000, 130, 0.5, 1.1, 30.0)],
)
def test_the_closed_forms_agree_with_a_simulated_cleaner(
    *, keys: int, segment: int, ratio: float, backoff: float, delay: float
) -> None:
    rate, warm = 100.0, 20_000  # records, so bytes, per second
    cleaner = Cleaner(keys, segment, ratio, backoff, delay)
    cleaner.run(warm + 100_000, rate, warm)
    live, total = np.array(cleaner.live[warm:]), np.array(cleaner.total[warm:])
    ours = log(clean=keys, ratio=ratio, segment=segment, rate=rate, wait=backoff, delay=delay)
    assert float(live.mean()) == pytest.approx(ours["mean"], rel=0.005)
    assert float((total - live).mean()) == pytest.approx(ours["waiting"], rel=0.01)
    # the simulated pass takes no time, so it never holds a segment being written
    assert 0.99 * (ours["most"] - segment) <= live.max() <= ours["most"] - segment + 2
    assert 0.99 * (ours["worst"] - segment) <= total.max() <= ours["worst"] - segment + 2
    assert cleaner.read / 1000 == pytest.approx(ours["read"], rel=0.01)
    assert cleaner.written / 1000 == pytest.approx(ours["write"], rel=0.01)


@pytest.mark.parametrize(("ratio", "reads", "writes"), [(0.5, 3.0, 1.0), (0.1, 11.0, 9.0)])
def test_cleaner_traffic_per_byte_produced(ratio: float, reads: float, writes: float) -> None:
    # kafka_facts.md 2.3: ratio 0.5 reads three times and writes once what is produced, ratio 0.1 writes nine times
    ours = log(clean=1e12, ratio=ratio, segment=1e6, rate=5e6, wait=15.0, delay=60.0)
    assert ours["read"] / 5e6 == pytest.approx(reads, rel=1e-4)
    assert ours["write"] / 5e6 == pytest.approx(writes, rel=1e-4)


@given(clean=st.floats(0, 1e13), ratio=st.floats(0, 0.99), segment=st.floats(1e3, 1e9))
def test_the_trigger_is_the_first_whole_segment_above_the_ratio(clean: float, ratio: float, segment: float) -> None:
    dirty = float(compaction.dirty_trigger_bytes(clean_bytes=clean, min_dirty_ratio=ratio, segment_fill_bytes=segment))
    assert dirty / segment == pytest.approx(round(dirty / segment))
    assert dirty / (clean + dirty) > ratio - 1e-9
    less = dirty - segment
    assert less <= 0 or less / (clean + less) <= ratio + 1e-9


def test_a_ratio_of_one_stays_finite() -> None:
    dirty = compaction.dirty_trigger_bytes(clean_bytes=1e9, min_dirty_ratio=1.0, segment_fill_bytes=1e9)
    assert 1e18 <= float(dirty) < math.inf


def test_the_cleaners_map() -> None:
    # Kafka's documentation of log.cleaner.dedupe.buffer.size and SkimpyOffsetMap: 5,033,164 keys at the defaults
    buffer = constant("compaction.dedupe_buffer_bytes")
    assert compaction.keys_per_pass(dedupe_buffer_bytes=buffer, **MAP) == 5_033_164
    shared = compaction.keys_per_pass(dedupe_buffer_bytes=buffer, **{**MAP, "cleaner_threads": 4.0})
    assert shared == 1_258_290  # 32 MiB / 24 = 1,398,101 entries, of them nine tenths
    # a thread cannot use more than 2 GiB, however much it is given
    most = compaction.keys_per_pass(dedupe_buffer_bytes=2.0**31 - 1, **MAP)
    assert compaction.keys_per_pass(dedupe_buffer_bytes=2.0**36, **MAP) == most
    needed = compaction.dedupe_buffer_needed_bytes(
        dirty_keys=1e6,
        key_entry_bytes=MAP["key_entry_bytes"],
        load_factor=MAP["load_factor"],
        cleaner_threads=2.0,
    )
    assert round(float(needed) / 2e6, 1) == 26.7


def test_a_map_too_small_rewrites_the_clean_part_again() -> None:
    passes = compaction.passes_per_cleaning(dirty_keys=11e6, keys_per_pass=5_033_164.0)
    assert passes == 3
    assert compaction.passes_per_cleaning(dirty_keys=0.0, keys_per_pass=5_033_164.0) == 1
    given = {"cleanings_per_s": 0.001, "clean_bytes": 10e9, "passes_per_cleaning": passes}
    assert compaction.cleaner_write_bytes_per_s(**given) == pytest.approx(30e6)
    assert compaction.cleaner_read_bytes_per_s(**given, dirty_trigger_bytes=10e9) == pytest.approx(50e6)


def test_dirty_keys_are_the_distinct_ones() -> None:
    source = random.Random(11)  # noqa: S311 - a simulation
    for keys, drawn in ((20_000, 5_000), (20_000, 60_000)):
        distinct = len({source.randrange(keys) for _ in range(drawn)})
        assert float(compaction.dirty_keys(unique_keys=keys, dirty_records=drawn)) == pytest.approx(distinct, rel=0.01)
    assert compaction.dirty_keys(unique_keys=0.0, dirty_records=100.0) == 0


@pytest.mark.parametrize(("batch", "survival"), [(1, 0.3), (10, 0.05), (10, 1.0), (50, 0.2)])
def test_a_batch_keeps_its_header_for_any_survivor(batch: int, survival: float) -> None:
    source = np.random.default_rng(2)
    survivors = source.binomial(batch, survival, size=400_000)
    ours = compaction.survivor_header_bytes(batch_records=batch, survival_fraction=survival, batch_header_bytes=HEADER)
    assert float(ours) == pytest.approx(HEADER * np.count_nonzero(survivors) / survivors.sum(), rel=0.01)
    assert HEADER / batch <= float(ours) <= HEADER * (1 + 1e-12)


@pytest.mark.parametrize("batch", [1, 4, 25])
def test_headers_of_a_log_with_uniform_updates(batch: int) -> None:
    source = np.random.default_rng(4)
    keys = 20_000
    written = source.integers(keys, size=30 * keys // batch * batch)
    newest = np.full(keys, -1)
    newest[written] = np.arange(written.size)  # the last assignment to a key stays
    batches = np.unique(newest[newest >= 0] // batch).size
    ours = compaction.uniform_survivor_header_bytes(batch_records=batch, batch_header_bytes=HEADER)
    assert float(ours) == pytest.approx(HEADER * batches / keys, rel=0.02)


def test_the_uniform_header_is_the_harmonic_number() -> None:
    exact = np.array([sum(1 / step for step in range(1, batch + 1)) / batch for batch in range(1, 101)])
    ours = compaction.uniform_survivor_header_bytes(batch_records=np.arange(1.0, 101.0), batch_header_bytes=1.0)
    assert np.allclose(ours, exact, rtol=1e-8, atol=0)


def test_clean_bytes_count_every_key_once() -> None:
    # 2 million keys of 240 bytes in batches that hold 20 records and keep 61 bytes for one survivor at worst
    assert compaction.clean_bytes(unique_keys=2e6, record_bytes=240.0, survivor_header_bytes=HEADER) == 602e6


def test_tombstones_stay_for_the_delete_retention_and_a_pass() -> None:
    # 10 deletes/s of 100 B for a day and the 1000 s until the next pass
    kept = compaction.tombstones_kept_bytes(
        tombstones_per_s=10.0, tombstone_bytes=100.0, delete_retention_s=86_400.0, cleanings_per_s=0.001
    )
    assert float(kept) == pytest.approx(87_400_000)
    with_them = {"clean_bytes": 1e9, "dirty_trigger_bytes": 2e9, "cleaner_wait_s": 0.0}
    most = [
        compaction.compacted_max_bytes(
            **with_them, tombstones_kept_bytes=bytes_kept, segment_fill_bytes=1e9, peak_bytes_per_s=1e6
        )
        for bytes_kept in (0.0, kept)
    ]
    assert most[1] - most[0] == pytest.approx(87_400_000)


def test_an_idle_log_holds_its_clean_part_and_is_left_alone() -> None:
    ours = log(clean=5e6, ratio=0.5, segment=0.0, rate=0.0, wait=15.0, delay=60.0)
    assert ours["mean"] == ours["most"] == ours["worst"] == 5e6
    assert [ours[name] for name in ("trigger", "often", "waiting", "read", "write")] == [0] * 5
    assert (
        compaction.tombstones_kept_bytes(
            tombstones_per_s=0.0, tombstone_bytes=100.0, delete_retention_s=86_400.0, cleanings_per_s=0.0
        )
        == 0
    )


@given(
    clean=st.floats(0, 1e13),
    ratio=st.floats(0, 0.99),
    segment=st.floats(1, 1e10),
    rate=st.floats(0, 1e9),
    wait=st.floats(0, 1e4),
)
def test_figures_are_ordered_and_never_negative(
    *, clean: float, ratio: float, segment: float, rate: float, wait: float
) -> None:
    ours = log(clean=clean, ratio=ratio, segment=segment, rate=rate, wait=wait, delay=60.0)
    assert all(0 <= float(figure) < math.inf for figure in ours.values())
    assert clean <= ours["mean"] <= ours["most"] <= ours["worst"] * (1 + 1e-12)


def test_topics_are_computed_side_by_side() -> None:
    cases = [(0.0, 0.5, 0.0, 0.0), (5e6, 0.5, 0.0, 0.0), (5e9, 0.1, 1e9, 1e6), (0.0, 0.5, 1e8, 2e5)]
    columns = [np.array(column) for column in zip(*cases, strict=True)]
    together = log(clean=columns[0], ratio=columns[1], segment=columns[2], rate=columns[3], wait=15.0, delay=60.0)
    for index, (clean, ratio, segment, rate) in enumerate(cases):
        alone = log(clean=clean, ratio=ratio, segment=segment, rate=rate, wait=15.0, delay=60.0)
        assert {name: float(figure[index]) for name, figure in together.items()} == {
            name: float(figure) for name, figure in alone.items()
        }
