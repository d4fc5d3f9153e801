"""Compaction: what the cleaner costs, whether it keeps pace, and when a deleted key is gone."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from planner.constants import constant
from planner.model import compaction as model
from planner.model.types import Array
from planner.operations.view import View, view_of
from planner.results import Assumption, Finding, Result, frame_of
from planner.scenario import YEAR, Scenario
from planner.sizing.stored import cleaning
from planner.sizing.totals import constants_used
from planner.trace import Trace
from planner.units import format_quantity

if TYPE_CHECKING:
    import pandas as pd

_DISK_SHARE = 0.5  # of the disks' throughput that the cleaner may take


@dataclass(frozen=True)
class Compacted:
    """One compacted topic: all replicas for bytes and rates, its busiest partition for times."""

    topic: str
    clean_bytes: float
    dirty_trigger_bytes: float
    cleaning_period_s: float | None
    segment_fill_s: float | None
    passes_per_cleaning: float
    cleaner_read_bytes_per_s: float
    cleaner_write_bytes_per_s: float
    dirty_keys: float
    dedupe_buffer_needed_bytes: float
    distinct_fraction: float
    deleted_key_gone_s: float | None
    deleted_key_gone_reason: str | None


@dataclass(frozen=True)
class Cleaner:
    """The log cleaner of the broker that holds most."""

    read_bytes_per_s: float
    write_bytes_per_s: float
    capacity_bytes_per_s: float
    busy_fraction: float
    threads: int
    threads_needed: int
    dedupe_buffer_bytes: float
    dedupe_buffer_needed_bytes: float


@dataclass(frozen=True)
class Compactions(Result):
    """Compacted topics, the cleaner, and what to change."""

    topics: Mapping[str, Compacted]
    cleaner: Cleaner
    findings: tuple[Finding, ...]
    assumptions: tuple[Assumption, ...]
    trace: Trace = field(repr=False)

    def to_frame(self) -> pd.DataFrame:
        """The topics as a data frame."""
        return frame_of(self.topics.values())


def compaction(scenario: Scenario) -> Compactions:
    """What compaction costs and brings in every compacted topic.

    Parameters
    ----------
    scenario
        A scenario with topics; those with `cleanup: compact` or `compact,delete` are looked at.

    Returns
    -------
    Compactions
        Cleaner traffic, dedupe buffer, and the longest time until a deleted key is gone.

    Examples
    --------
    >>> import planner
    >>> sorted(planner.compaction(planner.load("preset:tenant-config")).topics)[:1]
    ['feature-flags']
    """
    view, trace = view_of(scenario), Trace()
    cleaned = cleaning(view.workload, view.sized.columns, view.topic, view.sized.load.classes.share)
    topics = {
        topic.name: _compacted(view, cleaned, index, trace)
        for index, topic in enumerate(view.workload.topics)
        if topic.compacted
    }
    ordered = {topic.name: topics[topic.name] for topic in scenario.topics if topic.compacted}
    cleaner = _cleaner(view, ordered, trace)
    findings = tuple(_findings(view, ordered, cleaner))
    used = constants_used("cleaner.", "compaction.", "storage.")
    return Compactions(ordered, cleaner, findings, used, trace)


def _compacted(view: View, cleaned: Mapping[str, Array], index: int, trace: Trace) -> Compacted:
    topic = view.workload.topics[index]
    classes = np.flatnonzero(view.topic == index)
    busiest = int(classes[np.argmax(view.sized.load.classes.share[classes])])
    replicas = view.replicas[classes]

    def whole(name: str) -> float:
        return float(cleaned[name][classes] @ replicas)

    rate = float(view.class_bytes_per_s[busiest])
    often = float(cleaned["cleanings_per_s"][busiest])
    period = 1 / often if often > 0 else None
    fill = float(cleaned["segment_fill_bytes"][busiest]) / rate if rate > 0 else None
    wire = max(float(view.sized.columns["wire_bytes_per_record"][index]), 1.0)
    keys = trace(
        f"topics.{topic.name}.dirty_keys",
        model.dirty_keys,
        unique_keys=float(cleaned["unique_keys"][busiest]),
        dirty_records=float(cleaned["dirty_trigger_bytes"][busiest]) / wire,
    )
    gone, reason = None, "the topic is not written to, so it is never cleaned again"
    if period is not None and fill is not None:
        gone = trace(
            f"topics.{topic.name}.deleted_key_gone_s",
            model.deleted_key_gone_s,
            segment_fill_s=fill,
            cleaning_period_s=period,
            delete_retention_s=topic.compaction.delete_retention,
            cleaner_wait_s=constant("compaction.backoff_s"),
            delete_delay_s=constant("storage.file_delete_delay_s"),
        )
    return Compacted(
        topic.name,
        whole("clean_bytes"),
        float(cleaned["dirty_trigger_bytes"][busiest]),
        period,
        fill,
        float(cleaned["passes"][busiest]),
        whole("read"),
        whole("write"),
        float(keys),
        float(_buffer(float(keys), f"topics.{topic.name}.dedupe_buffer_needed_bytes", trace)),
        _distinct(view, index, trace),
        None if gone is None else float(gone),
        None if gone is not None else reason,
    )


def _buffer(keys: float, name: str, trace: Trace) -> float:
    return float(
        trace(
            name,
            model.dedupe_buffer_needed_bytes,
            dirty_keys=keys,
            key_entry_bytes=constant("compaction.key_entry_bytes"),
            load_factor=constant("compaction.load_factor"),
            cleaner_threads=constant("compaction.cleaner_threads"),
        )
    )


def _distinct(view: View, index: int, trace: Trace) -> float:
    """Over the policy's horizon, else over a year."""
    records = float(view.sized.columns["average_records_per_s"][index]) * (
        view.workload.scenario.policy.horizon or YEAR
    )
    unique = float(view.workload.given["unique_keys"][index])
    name = f"topics.{view.workload.names[index]}.distinct_fraction"
    return float(trace(name, model.distinct_fraction, unique_keys=unique, records=records))


def _cleaner(view: View, topics: Mapping[str, Compacted], trace: Trace) -> Cleaner:
    threads = int(constant("compaction.cleaner_threads"))
    share = view.fullest_share("replicas")
    read = sum(topic.cleaner_read_bytes_per_s for topic in topics.values()) * share
    write = sum(topic.cleaner_write_bytes_per_s for topic in topics.values()) * share
    each = constant("cleaner.thread_bytes_per_s")
    busy = trace(
        "cleaner.busy_fraction",
        model.cleaner_busy_fraction,
        read_bytes_per_s=read,
        write_bytes_per_s=write,
        capacity_bytes_per_s=each * threads,
    )
    needed = max((topic.dedupe_buffer_needed_bytes for topic in topics.values()), default=0.0)
    buffer = constant("compaction.dedupe_buffer_bytes")
    return Cleaner(read, write, each * threads, float(busy), threads, max(1, math.ceil(busy * threads)), buffer, needed)


def _findings(view: View, topics: Mapping[str, Compacted], cleaner: Cleaner) -> Iterator[Finding]:
    moved = cleaner.read_bytes_per_s + cleaner.write_bytes_per_s
    if cleaner.busy_fraction > 1:
        message = (
            f"The cleaner has to move {_rate(moved)} on the fullest broker and {cleaner.threads} thread(s) move about "
            f"{_rate(cleaner.capacity_bytes_per_s)} (a low-confidence figure): compacted topics grow."
        )
        action = (
            f"Set log.cleaner.threads={cleaner.threads_needed} and its buffer in proportion; "
            "or raise min.cleanable.dirty.ratio."
        )
        yield Finding("cleaner_pace", "warning", message, action)
    spare = view.setting.hardware.disk_throughput_bytes_per_s
    if moved > _DISK_SHARE * spare:
        message = f"The cleaner takes more than half of the {_rate(spare)} of the disks."
        yield Finding("cleaner_disk", "warning", message, "Raise min.cleanable.dirty.ratio, or split the topic.")
    settings = {topic.name: topic.compaction.delete_retention for topic in view.workload.topics}
    for name, topic in topics.items():
        yield from _topic_findings(topic, cleaner, settings[name])


def _topic_findings(topic: Compacted, cleaner: Cleaner, delete_retention_s: float) -> Iterator[Finding]:
    name = topic.topic
    if topic.distinct_fraction > constant("cleaner.distinct_high_fraction"):
        message = (
            f"{name}: {format_quantity(topic.distinct_fraction, 'fraction')} of a year's records have a key that does "
            "not come again; compaction keeps them all, and the topic grows in a line."
        )
        action = (
            "Use cleanup.policy=delete or compact,delete with a retention; compaction is for the latest state of keys."
        )
        yield Finding("keys_nearly_unique", "warning", message, action)
    if topic.dedupe_buffer_needed_bytes > cleaner.dedupe_buffer_bytes:
        message = (
            f"{name}: the dirty part of a partition holds {topic.dirty_keys:,.0f} keys, the cleaner's map fewer; every "
            f"cleaning takes {topic.passes_per_cleaning:g} passes and rewrites the clean part each time."
        )
        needed = format_quantity(topic.dedupe_buffer_needed_bytes, "bytes", binary=True)
        yield Finding("dedupe_buffer", "warning", message, f"Set log.cleaner.dedupe.buffer.size to {needed}.")
    fill = topic.segment_fill_s
    # a day by default: who waits that long for a delete should not wait longer for a segment
    if fill is not None and fill > max(delete_retention_s, topic.cleaning_period_s or 0.0) * (1 - 1e-9):
        message = (
            f"{name}: a segment takes {format_quantity(fill, 's')} to close, and the open one is never cleaned: until "
            "then old values and deleted keys stay."
        )
        action = "Lower segment.ms or segment.bytes (or set max.compaction.lag.ms), so that old values go sooner."
        yield Finding("segment_roll", "warning", message, action)


def _rate(value: float) -> str:
    return format_quantity(value, "bytes_per_s")
