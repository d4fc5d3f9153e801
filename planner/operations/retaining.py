"""Retention: which limit decides, how full the disks get in a spike, and what to do when they are full."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from planner.constants import constant
from planner.model import recovery, storage
from planner.model import retention as model
from planner.model.types import Array
from planner.operations.view import View, view_of
from planner.results import Assumption, Finding, Result, frame_of
from planner.scenario import Scenario, Topic
from planner.sizing.totals import constants_used
from planner.sizing.workload import Workload
from planner.trace import Trace
from planner.units import format_quantity

if TYPE_CHECKING:
    import pandas as pd

_HALVINGS = 40


@dataclass(frozen=True)
class Kept:
    """What limits one topic, and the byte limit that would keep the disk safe in the spike."""

    topic: str
    limit: str
    kept_s: float | None
    kept_s_reason: str | None
    bytes_per_s: float
    disk_bytes: float
    spike_disk_bytes: float
    setting: str
    safe_bytes_per_partition: int | None
    safe_reason: str | None
    kept_in_spike_s: float | None


@dataclass(frozen=True)
class Filling:
    """One way in which a disk fills up, and when it is at the alert, the page and the end."""

    case: str
    what: str
    alert_s: float | None
    page_s: float | None
    full_s: float | None
    alert_at: str | None
    page_at: str | None
    full_at: str | None
    reason: str | None


@dataclass(frozen=True)
class Cut:
    """What a shorter retention of one topic frees on all brokers, and after how long at most."""

    topic: str
    disk_bytes: float
    share_fraction: float
    setting: str
    retention_s: float | None
    cut_to_s: float | None
    freed_bytes: float
    freed_after_s: float | None
    reason: str | None


@dataclass(frozen=True)
class NewBroker:
    """Adding one broker instead."""

    moved_bytes: float
    duration_s: float | None
    freed_bytes_per_broker: float
    reason: str | None


@dataclass(frozen=True)
class Disk:
    """The fullest broker's disk."""

    capacity_bytes: float
    used_bytes: float
    used_fraction: float
    alert_bytes: float
    page_bytes: float
    spike_used_bytes: float


@dataclass(frozen=True)
class Retained(Result):
    """Retention of every topic, when the disk fills, and the response to a full one."""

    spike_factor: float
    spike_s: float
    disk: Disk
    topics: Mapping[str, Kept]
    fills: tuple[Filling, ...]
    response: tuple[Cut, ...]
    new_broker: NewBroker
    findings: tuple[Finding, ...]
    assumptions: tuple[Assumption, ...]
    trace: Trace = field(repr=False)

    def to_frame(self) -> pd.DataFrame:
        """The topics as a data frame."""
        return frame_of(self.topics.values())


@dataclass(frozen=True)
class _Case:
    """The spike that is asked about, and what goes with it."""

    view: View
    factor: float
    spike_s: float
    now: dt.datetime | None
    trace: Trace
    share: float  # of the cluster's bytes that the fullest broker holds

    @property
    def capacity_bytes(self) -> float:
        return self.view.setting.hardware.disk_bytes

    @cached_property
    def spiked(self) -> Workload:
        """The workload in the spike; the peak that the plan counts with stays where it writes more."""

        def change(topic: Topic) -> Topic:
            if (self.factor - 1) * self.spike_s <= (topic.peak_ratio - 1) * (topic.peak_duration or 0.0):
                return topic
            return topic.model_copy(update={"peak_ratio": self.factor, "peak_duration": self.spike_s})

        return self.view.changed(change)

    def in_spike(self, limits: Array | None = None) -> Array:
        """Most bytes of each topic, all replicas, in the spike; with other byte limits per topic if given."""
        return self.view.per_topic(self.view.stored(self.spiked, limits).worst)


def retention(
    scenario: Scenario, *, spike: float | None = None, spike_time: float | None = None, now: dt.datetime | None = None
) -> Retained:
    """Which retention limit decides, how the disks fill, and the response to a full disk.

    Parameters
    ----------
    scenario
        A scenario with topics.
    spike
        Multiple of the average rate that every topic's producers reach [ratio]; None = a stated assumption.
    spike_time
        How long that lasts [s]; None = a stated assumption.
    now
        The time from which dates are counted; without it only durations are given.

    Returns
    -------
    Retained
        Per topic the limit that decides and a safe byte limit; when the fullest disk reaches alert, page and end.

    Examples
    --------
    >>> import planner
    >>> planner.retention(planner.load("preset:startup-10k-a-day"), spike=5, spike_time=3600).disk.used_fraction < 0.01
    True
    """
    return retention_of(view_of(scenario), spike=spike, spike_time=spike_time, now=now)


def retention_of(
    view: View, *, spike: float | None = None, spike_time: float | None = None, now: dt.datetime | None = None
) -> Retained:
    """The same for a scenario that is planned already."""
    case = _Case(
        view,
        constant("advice.spike_factor") if spike is None else spike,
        constant("advice.spike_s") if spike_time is None else spike_time,
        now,
        Trace(labels=view.workload.names),
        view.fullest_share("disk_bytes"),
    )
    used = float(view.per_topic(view.sized.load.classes.disk_bytes).sum()) * case.share
    swollen = case.in_spike()
    disk = Disk(
        case.capacity_bytes,
        used,
        used / case.capacity_bytes,
        case.capacity_bytes * constant("advice.disk_alert_fraction"),
        case.capacity_bytes * constant("advice.disk_page_fraction"),
        float(swollen.sum()) * case.share,
    )
    topics = _topics(case, disk, swollen)
    fills = _fills(case, disk)
    return Retained(
        case.factor,
        case.spike_s,
        disk,
        topics,
        fills,
        _response(case),
        _new_broker(case),
        tuple(_findings(case, disk, topics, fills)),
        constants_used("advice.", "storage."),
        case.trace,
    )


# Topics


def _rate_of_busiest(view: View) -> Array:
    """Average bytes/s into the busiest partition of each topic."""
    rate = np.zeros(len(view.workload.names))
    np.maximum.at(rate, view.topic, view.class_bytes_per_s)
    return rate


def _kept_time(view: View) -> Array:
    """Time limit of what is on the brokers' disks, of each topic."""
    return np.minimum(view.workload.retention_s, np.where(view.workload.given["tiered"] > 0, _local(view), np.inf))


def _local(view: View) -> Array:
    return view.workload.given["local_s"]


def _topics(case: _Case, disk: Disk, swollen: Array) -> dict[str, Kept]:
    view, rate, kept = case.view, _rate_of_busiest(case.view), _kept_time(case.view)
    stretch, why = _stretch(case, disk, rate, kept)
    held = view.per_topic(view.sized.load.classes.disk_bytes)
    columns = view.sized.columns
    found = {}
    for index, topic in enumerate(view.workload.topics):
        limit, kept_s, reason = _limit_of(case, topic, float(rate[index]), float(kept[index]))
        safe: float | None = None
        if topic.deleted and stretch is not None and rate[index] > 0:
            safe = case.trace(
                f"topics.{topic.name}.safe_bytes_per_partition",
                model.retention_limit_bytes,
                bytes_per_s=float(rate[index]),
                retention_s=float(kept[index]),
                stretch=stretch,
            )
        spiked = float(rate[index]) * case.factor
        found[topic.name] = Kept(
            topic.name,
            limit,
            kept_s,
            reason,
            float(columns["average_bytes_per_s"][index]),
            float(held[index]),
            float(swollen[index]),
            "local.retention.bytes" if topic.tiered is not None else "retention.bytes",
            None if safe is None else math.floor(safe),
            why if safe is not None or stretch is None else _no_limit(topic),
            None if safe is None else float(model.kept_s(limit_bytes=safe, bytes_per_s=spiked)),
        )
    return {topic.name: found[topic.name] for topic in view.workload.scenario.topics}


def _no_limit(topic: Topic) -> str:
    return "no data arrives" if topic.deleted else "a topic that is only compacted ignores retention limits"


def _limit_of(case: _Case, topic: Topic, rate: float, kept: float) -> tuple[str, float | None, str | None]:
    """Which limit deletes first, and the age of a record then, in the busiest partition."""
    if not topic.deleted:
        return "compaction", None, "the newest record of a key is kept until a newer one or a tombstone replaces it"
    limits = [topic.retention.bytes_per_partition]
    if topic.tiered is not None:
        limits.append(topic.tiered.local_bytes_per_partition)
    size = min((limit for limit in limits if limit is not None), default=None)
    timed = math.isinf(topic.retention.time) and (topic.tiered is None or topic.tiered.local_time is None)
    if size is not None and rate > 0:
        age = case.trace(f"topics.{topic.name}.kept_s", model.kept_s, limit_bytes=size, bytes_per_s=rate)
        if age < kept or timed:
            return "bytes", float(age), None
    if timed:
        return "none", None, "kept forever and without a byte limit"
    return "time", kept, None


def _stretch(case: _Case, disk: Disk, rate: Array, kept: Array) -> tuple[float | None, str]:
    """The largest common multiple of the ordinary volume that fits in the spike below the page threshold."""

    def used(stretch: float) -> float:
        limits = model.retention_limit_bytes(bytes_per_s=rate, retention_s=kept, stretch=stretch)
        return float(case.in_spike(np.maximum(limits, 1.0)).sum()) * case.share

    # a spike that fits needs no limit of its own: then the limit is what the spike fills at most
    most = float(1 + (case.factor - 1) * np.max(np.minimum(1.0, case.spike_s / kept), initial=0.0))
    if used(most) <= disk.page_bytes:
        return most, "holds the whole spike, and the fullest disk stays below the page threshold"
    if used(0.0) > disk.page_bytes:
        return None, "no byte limit keeps the fullest disk below the page threshold; add disk or brokers"
    low, high = 0.0, most
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if used(middle) <= disk.page_bytes else (low, middle)
    if low < 1:
        return low, "cuts into ordinary days: the disk is too small for this retention below the page threshold"
    return low, "as much of the spike as fits below the page threshold; the oldest data goes first"


# Filling


def _fills(case: _Case, disk: Disk) -> tuple[Filling, ...]:
    view = case.view
    given, kept = view.workload.given, _kept_time(view)
    compacted, deleted = given["compacted"] > 0, given["deleted"] > 0
    rate = view.per_topic(view.class_bytes_per_s) * case.share
    excess = model.excess_bytes_per_s(average_bytes_per_s=rate, spike_factor=case.factor)
    room = _room(case)
    none, endless = np.zeros_like(rate), np.full_like(rate, np.inf)
    cleaned = case.trace.labels and bool(compacted.any())
    cases = [
        (
            "spike",
            f"all producers write {case.factor:g} times their average and do not stop",
            np.where(deleted & ~compacted, excess, none),
            kept,
            room,
            "every topic meets a limit of its own before that",
        ),
        (
            "cleaner_stuck",
            "the log cleaner has stopped, so compacted topics only grow",
            np.where(compacted, rate, none),
            endless,
            endless,
            "no topic is compacted" if not cleaned else "no data arrives in a compacted topic",
        ),
        (
            "timestamps_pinned",
            "a record dated in the future keeps its segment and all newer ones; nothing goes by age",
            np.where(deleted & ~compacted, rate, none),
            endless,
            room,
            "every topic meets its byte limit before that",
        ),
    ]
    return tuple(
        _filling(case, disk, name, what, excess=grows, levels=levels, room=stops, never=never)
        for name, what, grows, levels, stops, never in cases
    )


def _room(case: _Case) -> Array:
    """How far the byte limits let each topic grow on the fullest broker; infinite without one."""
    view = case.view
    limit = np.minimum(view.workload.given["retention_bytes"], view.workload.given["local_bytes"])[view.topic]
    rate = view.class_bytes_per_s
    fill = storage.segment_fill_bytes(
        average_bytes_per_s=rate * case.factor,
        peak_bytes_per_s=rate * case.factor,
        peak_duration_s=0.0,
        segment_bytes=view.workload.given["segment_bytes"][view.topic],
        segment_s=view.workload.given["segment_s"][view.topic],
    )
    most = storage.size_retention_max_bytes(
        average_bytes_per_s=rate * case.factor,
        peak_bytes_per_s=rate * case.factor,
        peak_duration_s=0.0,
        retention_bytes=limit,
        check_interval_s=constant("storage.check_interval_s"),
        segment_fill_bytes=fill,
    )
    return view.per_topic(np.maximum(most - view.sized.load.classes.disk_bytes, 0.0)) * case.share


def _filling(
    case: _Case, disk: Disk, name: str, what: str, *, excess: Array, levels: Array, room: Array, never: str
) -> Filling:
    def reached(mark: str, target: float) -> float | None:
        found = case.trace(
            f"fills.{name}.{mark}",
            model.filled_after_s,
            free_bytes=target - disk.used_bytes,
            excess_bytes_per_s=excess,
            levels_after_s=levels,
            room_bytes=room,
        )
        return float(found) if math.isfinite(found) else None

    marks = {"alert": disk.alert_bytes, "page": disk.page_bytes, "full": disk.capacity_bytes}
    alert, page, full = (reached(f"{mark}_s", target) for mark, target in marks.items())
    return Filling(
        name,
        what,
        alert_s=alert,
        page_s=page,
        full_s=full,
        alert_at=_date(case.now, alert),
        page_at=_date(case.now, page),
        full_at=_date(case.now, full),
        reason=never if full is None else None,
    )


def _date(now: dt.datetime | None, after_s: float | None) -> str | None:
    """The moment, to the minute; None where there is none that a calendar holds."""
    if now is None or after_s is None:
        return None
    try:
        return (now + dt.timedelta(seconds=after_s)).isoformat(timespec="minutes")
    except OverflowError:
        return None


# The response to a full disk


def _response(case: _Case) -> tuple[Cut, ...]:
    """Topics by their bytes, with what a shorter retention frees."""
    view, cut = case.view, constant("advice.cut_fraction")
    kept = _kept_time(view)
    before = view.per_topic(view.sized.load.classes.disk_bytes)
    after = view.per_topic(view.stored(view.changed(_shortened(cut))).average)
    wait = case.trace(
        "response.freed_after_s",
        model.freed_after_s,
        check_interval_s=constant("storage.check_interval_s"),
        delete_delay_s=constant("storage.file_delete_delay_s"),
    )
    freed = case.trace("response.freed_bytes", model.freed_bytes, kept_bytes=before, kept_after_bytes=after)
    total = max(float(before.sum()), 1e-9)
    rows = []
    for index, topic in enumerate(view.workload.topics):
        bites = topic.deleted and freed[index] > 0
        rows.append(
            Cut(
                topic.name,
                float(before[index]),
                float(before[index]) / total,
                "local.retention.ms" if topic.tiered is not None else "retention.ms",
                float(kept[index]) if topic.deleted else None,
                float(kept[index]) * cut if bites else None,
                float(freed[index]) if topic.deleted else 0.0,
                float(wait) if bites else None,
                None if bites else _frees_nothing(topic),
            )
        )
    return tuple(sorted(rows, key=lambda row: -row.disk_bytes))


def _shortened(cut: float) -> Callable[[Topic], Topic]:
    def change(topic: Topic) -> Topic:
        if topic.tiered is not None:
            local = topic.retention.time if topic.tiered.local_time is None else topic.tiered.local_time
            return topic.model_copy(update={"tiered": topic.tiered.model_copy(update={"local_time": local * cut})})
        if math.isinf(topic.retention.time):
            return topic
        shorter = topic.retention.model_copy(update={"time": topic.retention.time * cut})
        return topic.model_copy(update={"retention": shorter})

    return change


def _frees_nothing(topic: Topic) -> str:
    if not topic.deleted:
        return "compacted: only tombstones, or deleting the topic, free space"
    if math.isinf(topic.retention.time):
        return "kept forever: give it a retention first"
    return "the byte limit deletes earlier, or nothing is stored"


def _new_broker(case: _Case) -> NewBroker:
    view, rate = case.view, case.view.plan.recovery.rate_bytes_per_s
    total = float(view.per_topic(view.sized.load.classes.disk_bytes).sum())
    moved = case.trace("new_broker.moved_bytes", model.new_broker_bytes, disk_bytes=total, brokers=view.brokers)
    duration = None
    if rate > 0:
        duration = float(
            case.trace(
                "new_broker.duration_s", recovery.refill_s, size_bytes=float(moved), refill_rate_bytes_per_s=rate
            )
        )
    reason = "space comes free on an old broker when the copy of a partition is complete, not before"
    never = f"never: {view.plan.recovery.broker_refill_s_reason or 'no rate is left for a copy'}"
    return NewBroker(float(moved), duration, float(moved) / view.brokers, reason if duration is not None else never)


# Findings


def _findings(case: _Case, disk: Disk, topics: Mapping[str, Kept], fills: tuple[Filling, ...]) -> list[Finding]:
    found: list[Finding] = []
    spike = fills[0]
    if disk.spike_used_bytes > disk.capacity_bytes:
        message = (
            f"{case.factor:g} times the average for {_time(case.spike_s)} needs "
            f"{_bytes(disk.spike_used_bytes)} on the fullest broker, which has {_bytes(disk.capacity_bytes)}."
        )
        action = "Set retention.bytes to the safe values, beside retention.ms; the first to trip wins."
        found.append(Finding("spike_fills_disk", "critical", message, action))
    elif spike.page_s is not None and spike.page_s < case.spike_s:
        message = f"Such a spike brings the fullest disk to the page threshold after {_time(spike.page_s)}."
        found.append(Finding("spike_pages", "warning", message, "Set retention.bytes to the safe values."))
    open_ended = [name for name, kept in topics.items() if kept.limit == "none"]
    if open_ended:
        message = f"{', '.join(open_ended[:5])}: neither a time nor a byte limit; only a full disk ends the growth."
        found.append(
            Finding("no_limit", "critical", message, "Set retention.ms or retention.bytes, or tier the topic.")
        )
    lost = constant("advice.disk_page_fraction")
    if disk.used_fraction > lost:
        message = f"The fullest disk is {format_quantity(disk.used_fraction, 'fraction')} full in ordinary operation."
        found.append(Finding("disk_page", "critical", message, "Cut the largest retention, then add disk or brokers."))
    return found


def _bytes(value: float) -> str:
    return format_quantity(value, "bytes")


def _time(value: float) -> str:
    return format_quantity(value, "s")
