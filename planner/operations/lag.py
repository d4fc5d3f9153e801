"""Consumer lag: how busy each group is, what an outage leaves, when it is gone, and what is deleted unread."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Literal

from planner.constants import constant
from planner.fields import InputError, ScenarioError
from planner.model import consumers as model
from planner.model import memory, skew, utilisation
from planner.results import Assumption, Plan, Result
from planner.scenario import ConsumerGroup, Scenario, Topic
from planner.sizing import plan
from planner.sizing.compose import sizer_of
from planner.sizing.evaluate import Hardware
from planner.sizing.totals import constants_used
from planner.sizing.workload import Workload, member_rate
from planner.trace import Note, Trace
from planner.units import format_quantity, listed

if TYPE_CHECKING:
    import pandas as pd

At = Literal["peak", "average"]
NAMED = 5  # groups named in a sentence
_LONGEST = 3.2e9  # seconds that can be asked about: a hundred years
_NO_RATE = "give records_per_s_per_member or processing_time of the group: without them its capacity is not known"
_NO_MEMBERS = "give members of the group: without them its capacity is not known"


@dataclass(frozen=True, slots=True)
class TopicLag:
    """A group on one of its topics."""

    topic: str
    partitions: int
    records_per_s: float
    capacity_records_per_s: float | None
    slowest_utilisation: float | None
    hottest_partition_fraction: float
    lag_records: float
    lag_bytes: float
    drain_s: float | None
    drain_s_reason: str | None
    overrun_after_s: float | None
    overrun_after_s_reason: str | None
    lost_records: float


@dataclass(frozen=True, slots=True)
class ColdReads:
    """What the brokers' disks read while the group drains its lag."""

    cached_s: float
    read_bytes_per_s: float  # a broker, in addition to what it reads and writes anyway
    duration_s: float | None
    duration_s_reason: str | None
    disk_throughput_utilisation: float | None
    disk_throughput_utilisation_reason: str | None


@dataclass(frozen=True, slots=True)
class PeakLag:
    """A peak that lasts peak_duration, with consumers that run all the time."""

    utilisation: float
    lag_records: float | None
    lag_records_reason: str | None
    drain_s: float | None
    drain_s_reason: str | None


@dataclass(frozen=True, slots=True)
class OffsetReset:
    """What the group does with a given auto.offset.reset when its next record was deleted."""

    lost_records: float
    action: str


@dataclass(frozen=True, slots=True)
class GroupLag:
    """A group over all its topics."""

    headline: str
    protocol: str
    members: int | None
    active_members: int | None
    partitions: int
    records_per_s: float
    utilisation: float | None
    utilisation_reason: str | None
    slowest_utilisation: float | None
    lag_records: float
    lag_bytes: float
    drain_s: float | None
    drain_s_reason: str | None
    mean_drain_s: float | None
    overrun_after_s: float | None
    overrun_after_s_reason: str | None
    lost_records: float
    overtaken_after_s: float | None
    overtaken_after_s_reason: str | None
    members_for_deadline: int | None
    members_for_deadline_reason: str | None
    cold_reads: ColdReads | None
    cold_reads_reason: str | None
    peak: PeakLag | None
    peak_reason: str | None
    offset_reset: Mapping[str, OffsetReset]
    topics: tuple[TopicLag, ...]


@dataclass(frozen=True)
class ConsumerLag(Result):
    """Every group after an outage of its consumers."""

    headline: str
    at: str
    outage_s: float
    deadline_s: float
    groups: Mapping[str, GroupLag]
    assumptions: tuple[Assumption, ...]
    trace: Trace

    def to_frame(self) -> pd.DataFrame:
        """One row per group."""
        import pandas as pd  # heavy: only for callers who want a frame

        left_out = {"headline", "cold_reads", "cold_reads_reason", "peak", "peak_reason", "offset_reset", "topics"}
        names = [item.name for item in fields(GroupLag) if item.name not in left_out]
        rows = [{"group": name, **{key: getattr(group, key) for key in names}} for name, group in self.groups.items()]
        return pd.DataFrame(rows, columns=["group", *names])


def consumers(
    scenario: Scenario, *, outage_s: float | None = None, deadline_s: float | None = None, at: At = "peak"
) -> ConsumerLag:
    """Lag, drain time and losses of every consumer group when its consumers stop for a while.

    Parameters
    ----------
    scenario
        A scenario with topics.
    outage_s
        How long the consumers are down [s]; None = an assumption of two hours.
    deadline_s
        Time in which the lag must be gone [s]; None = an assumption of one hour.
    at
        Rates during outage and draining: each topic's own `peak`, or its `average`.

    Returns
    -------
    ConsumerLag
        One entry per group, in the scenario's order.

    Raises
    ------
    ScenarioError
        When the scenario cannot be planned, or a question makes no sense.

    Examples
    --------
    >>> import planner
    >>> found = consumers(planner.load("preset:ecommerce"), outage_s=7200, at="average")
    >>> found.groups["sessions"].lost_records
    0.0
    """
    outage = constant("consumers.outage_s") if outage_s is None else outage_s
    deadline = constant("consumers.deadline_s") if deadline_s is None else deadline_s
    _check(outage, deadline, at)
    sized = plan(scenario)
    workload = Workload(scenario)
    setting, sizer = sizer_of(workload)
    columns = sizer.sized_at(sized.brokers.count).columns
    rates = {
        row.name: {
            "peak": (float(columns["own_peak_records_per_s"][i]), float(columns["own_peak_bytes_per_s"][i])),
            "average": (float(columns["average_records_per_s"][i]), float(columns["average_bytes_per_s"][i])),
        }
        for i, row in enumerate(workload.topics)
    }
    trace = Trace()
    case = _Case(sized, setting.hardware, rates, float(outage), float(deadline), at, trace)
    groups = {name: _group(case, name, reads) for name, reads in _readings(case, workload).items()}
    return ConsumerLag(
        headline=_summary(groups, case),
        at=at,
        outage_s=case.outage_s,
        deadline_s=case.deadline_s,
        groups=groups,
        assumptions=constants_used("consumers."),
        trace=trace,
    )


def _check(outage: float, deadline: float, at: str) -> None:
    errors = []
    if not 0 <= outage <= _LONGEST:
        errors.append(InputError("outage_s", outage, "This is no length of an outage.", "0 s to 100 years"))
    if not 0 < deadline <= _LONGEST:
        errors.append(InputError("deadline_s", deadline, "This is no deadline.", "more than 0 s, up to 100 years"))
    if at not in {"peak", "average"}:
        errors.append(InputError("at", at, "Rates are those of the peak or the average.", "peak or average"))
    if errors:
        raise ScenarioError(errors)


@dataclass(frozen=True)
class _Case:
    plan: Plan
    hardware: Hardware
    rates: Mapping[str, Mapping[str, tuple[float, float]]]
    outage_s: float
    deadline_s: float
    at: At
    trace: Trace


@dataclass(frozen=True)
class _Reading:
    """One topic as its group sees it."""

    topic: Topic
    group: ConsumerGroup
    partitions: int
    hottest: float
    rates: Mapping[str, tuple[float, float]]  # records/s and bytes/s of the topic, by peak and average
    wire_bytes: float

    @property
    def shared(self) -> bool:
        return self.group.protocol == "share"

    def records_per_s(self, at: str) -> float:
        return self.rates[at][0] * self.group.read_fraction


@dataclass(frozen=True)
class _Load:
    """How busy the group is at given rates; per topic for the member that owns its hottest partition."""

    busy: float
    active: float
    mean: float
    fraction: Mapping[str, float]  # share of each topic's records that this member has
    slowest: Mapping[str, float]

    @property
    def most(self) -> float:
        return max(self.slowest.values())


def _readings(case: _Case, workload: Workload) -> dict[str, list[_Reading]]:
    found: dict[str, list[_Reading]] = {}
    topics = {topic.name: topic for topic in workload.topics}  # in an order of their own
    for topic in (topics[item.name] for item in workload.scenario.topics):
        planned = case.plan.topics[topic.name]
        for group in topic.consumers:
            reading = _Reading(
                topic,
                group,
                planned.partitions,
                planned.hottest_partition_fraction,
                case.rates[topic.name],
                planned.wire_bytes_per_record,
            )
            found.setdefault(group.group, []).append(reading)
    return found


def _group(case: _Case, name: str, reads: Sequence[_Reading]) -> GroupLag:
    members = max((read.group.members or 0 for read in reads), default=0) or None
    known = all(member_rate(read.group) is not None for read in reads)
    why = None if members and known else _NO_RATE if not known else _NO_MEMBERS
    note = named(case.trace, f"groups.{name}")
    load = _load(reads, members, case.at, note) if members and known else None
    rows = tuple(_topic(case, read, load, why, named(case.trace, f"groups.{name}.{read.topic.name}")) for read in reads)
    first = min(rows, key=lambda row: math.inf if row.overrun_after_s is None else row.overrun_after_s)
    drain, drain_why = _drained(rows, load, why)
    lag, lost = sum(row.lag_records for row in rows), sum(row.lost_records for row in rows)
    behind = max(_behind_s(case, read) for read in reads)
    mean = None if load is None else _mean_drain_s(load, behind)
    needed, needed_why = _members_for_deadline(case, reads, behind) if known else (None, _NO_RATE)
    after, after_why = _overtaken(case, reads, load, why, note)
    peak, peak_why = _peak(reads, members, note) if members and known else (None, why)
    found = GroupLag(
        headline="",
        protocol=reads[0].group.protocol,
        members=members,
        active_members=None if load is None else int(load.active),
        partitions=sum(read.partitions for read in reads),
        records_per_s=sum(read.records_per_s(case.at) for read in reads),
        utilisation=None if load is None else load.mean,
        utilisation_reason=why,
        slowest_utilisation=None if load is None else load.most,
        lag_records=lag,
        lag_bytes=sum(row.lag_bytes for row in rows),
        drain_s=drain,
        drain_s_reason=drain_why,
        mean_drain_s=mean,
        overrun_after_s=first.overrun_after_s,
        overrun_after_s_reason=first.overrun_after_s_reason,
        lost_records=lost,
        overtaken_after_s=after,
        overtaken_after_s_reason=after_why,
        members_for_deadline=needed,
        members_for_deadline_reason=needed_why,
        cold_reads=None if load is None else _cold_reads(case, reads, load, behind, drain, note=note),
        cold_reads_reason=why,
        peak=peak,
        peak_reason=peak_why,
        offset_reset=_offset_reset(lag, lost),
        topics=rows,
    )
    return replace(found, headline=_headline(name, found, case))


def named(trace: Trace, prefix: str) -> Note:
    """The trace with a prefix before each name."""
    return lambda name, function, **numbers: trace(f"{prefix}.{name}", function, **numbers)


# Load


def _load(reads: Sequence[_Reading], members: int, at: str, note: Note = Trace.silent) -> _Load:
    """Every member has a like share of each topic, but one that owns its hottest partition."""
    busy = {
        read.topic.name: float(
            note(
                f"{read.topic.name}.busy_members",
                model.busy_members,
                records_per_s=read.records_per_s(at),
                records_per_s_per_member=member_rate(read.group),
            )
        )
        for read in reads
    }
    active = float(
        note(
            "active_members",
            model.active_members,
            members=members,
            partitions=_divided(reads),
            shared=reads[0].shared,
        )
    )
    total = sum(busy.values())
    mean = float(note("utilisation", model.members_utilisation, busy_members=total, active_members=active))
    fraction = {read.topic.name: _slowest_fraction(read, members, active, note) for read in reads}
    slowest = {name: fraction[name] * own + (total - own) / active for name, own in busy.items()}
    return _Load(total, active, mean, fraction, slowest)


def _divided(reads: Sequence[_Reading]) -> int:
    """Partitions that the members divide: the range assignor does it topic by topic, from the first member on."""
    counts = [read.partitions for read in reads]
    return max(counts) if reads[0].group.protocol == "eager" else sum(counts)


def _slowest_fraction(read: _Reading, members: int, active: float, note: Note) -> float:
    if read.shared:
        return 1 / active
    return float(
        note(
            f"{read.topic.name}.slowest_member_fraction",
            model.slowest_member_fraction,
            hottest_fraction=read.hottest,
            partitions=read.partitions,
            members=members,
        )
    )


# One topic of a group


def _topic(case: _Case, read: _Reading, load: _Load | None, why: str | None, note: Note) -> TopicLag:
    rate = read.records_per_s(case.at)
    lag = float(note("lag_records", model.lag_records, records_per_s=rate, outage_s=case.outage_s))
    kept, why_kept = _kept_s(case, read, read.hottest)
    drain, why_drain = _drain(case, read, load, note) if load else (None, why)
    slowest = None if load is None else load.slowest[read.topic.name]
    return TopicLag(
        topic=read.topic.name,
        partitions=read.partitions,
        records_per_s=rate,
        capacity_records_per_s=None if load is None else _capacity(read, load, rate),
        slowest_utilisation=slowest,
        hottest_partition_fraction=read.hottest,
        lag_records=lag,
        lag_bytes=lag * read.wire_bytes,
        drain_s=drain,
        drain_s_reason=why_drain,
        overrun_after_s=kept,
        overrun_after_s_reason=why_kept,
        lost_records=_lost(case, read, rate, note),
    )


def _capacity(read: _Reading, load: _Load, rate: float) -> float:
    """What the group can read of the topic when it gives each topic time in proportion to its work."""
    if rate > 0:
        return rate / load.mean
    return load.active * (member_rate(read.group) or 0.0) if load.busy == 0 else 0.0


def _kept_s(case: _Case, read: _Reading, share: float) -> tuple[float | None, str | None]:
    """How long a record of a partition with this share of the topic is kept at least."""
    if not read.topic.deleted:
        return None, "compaction keeps the latest record of every key; older ones of a key may be gone unread"
    kept = float(
        model.readable_s(
            retention_s=read.topic.retention.time,
            retention_bytes=read.topic.retention.bytes_per_partition or math.inf,
            partition_bytes_per_s=share * read.rates[case.at][1],
        )
    )
    return (kept, None) if kept <= _LONGEST else (None, "nothing is deleted within a hundred years")


def _even_rest(read: _Reading) -> float:
    """Share of a partition other than the hottest."""
    return (1 - read.hottest) / max(read.partitions - 1, 1)


def _lost(case: _Case, read: _Reading, rate: float, note: Note) -> float:
    lost = 0.0
    for name, share, part in (
        ("hottest", read.hottest, read.hottest),
        ("other", _even_rest(read), 1 - read.hottest),
    ):
        kept, _ = _kept_s(case, read, share)
        if kept is not None and part > 0:
            numbers = {"records_per_s": part * rate, "outage_s": case.outage_s, "kept_s": kept}
            lost += float(note(f"{name}.lost_records", model.lost_records, **numbers))
    return lost


def _behind_s(case: _Case, read: _Reading) -> float:
    """Age of the oldest record that is left to read after the outage."""
    share = read.hottest if read.partitions == 1 else _even_rest(read)
    kept, _ = _kept_s(case, read, share)
    return case.outage_s if kept is None else min(case.outage_s, kept)


def _drain(case: _Case, read: _Reading, load: _Load, note: Note) -> tuple[float | None, str | None]:
    """Time of the member that owns the topic's hottest partition; of the mean member in a share group."""
    busy = load.slowest[read.topic.name]
    arriving = read.records_per_s(case.at) * load.fraction[read.topic.name]
    if arriving == 0:
        return 0.0, None
    drained = float(
        note(
            "drain_s",
            model.drain_s,
            lag_records=arriving * _behind_s(case, read),
            arriving_per_s=arriving,
            processed_per_s=arriving / busy,
        )
    )
    if math.isfinite(drained):
        return drained, None
    who = "the group" if read.shared else "the member with the hottest partition"
    return None, f"{read.topic.name}: {who} would have to be busy {busy:.0%} of the time, so its lag grows"


# The group


def _drained(rows: Sequence[TopicLag], load: _Load | None, why: str | None) -> tuple[float | None, str | None]:
    """The group is level again when its slowest partition is."""
    if load is None:
        return None, why
    worst = max(rows, key=lambda row: math.inf if row.drain_s is None else row.drain_s)
    return worst.drain_s, worst.drain_s_reason


def _mean_drain_s(load: _Load, behind: float) -> float | None:
    """The time that the group would need if all its members were equally busy."""
    drained = float(
        model.drain_s(lag_records=behind * load.busy, arriving_per_s=load.busy, processed_per_s=load.active)
    )
    return drained if math.isfinite(drained) else None


def _members_for_deadline(case: _Case, reads: Sequence[_Reading], behind: float) -> tuple[int | None, str | None]:
    most = float(
        case.trace(
            f"groups.{reads[0].group.group}.utilisation_to_drain",
            model.utilisation_to_drain,
            behind_s=behind,
            deadline_s=case.deadline_s,
        )
    )
    busy = _load(reads, 1, case.at).busy
    if reads[0].shared:
        return max(math.ceil(busy / most - 1e-9), 1), None
    limit = _divided(reads)
    needed = 1 + bisect_left(
        range(1, limit + 1), x=True, key=lambda members: _load(reads, members, case.at).most <= most * (1 + 1e-12)
    )
    if needed <= limit:
        return needed, None
    worst = _load(reads, limit, case.at)
    name = max(worst.slowest, key=lambda topic: worst.slowest[topic])
    even = math.ceil(busy / most - 1e-9)
    return None, (
        f"with a member for each of the {limit} partitions the one with the hottest partition of {name} is still busy "
        f"{worst.most:.0%} of the time, and the deadline allows {most:.0%}: it takes at least {even} members and as "
        "many partitions, with even keys, or faster members"
    )


def _overtaken(
    case: _Case, reads: Sequence[_Reading], load: _Load | None, why: str | None, note: Note
) -> tuple[float | None, str | None]:
    """When deletion overtakes consumers that run again, but read less than arrives; from the start of the outage."""
    if load is None:
        return None, why
    found = []
    for read in reads:
        busy = load.slowest[read.topic.name]
        kept, _ = _kept_s(case, read, read.hottest)
        if busy < 1 or kept is None:
            continue
        numbers = {"arriving_per_s": busy, "processed_per_s": 1.0, "retention_s": max(kept - case.outage_s, 0.0)}
        running = float(note(f"{read.topic.name}.overtaken_after_s", skew.overtaken_after_s, **numbers))
        found.append(min(case.outage_s, kept) + running)
    soonest = min(found, default=math.inf)
    if soonest <= _LONGEST:
        return soonest, None
    return None, "once they run again the consumers keep ahead of deletion" if load.most < 1 else (
        "the lag grows, but nothing is deleted within a hundred years"
    )


def _cold_reads(
    case: _Case, reads: Sequence[_Reading], load: _Load, behind: float, drain: float | None, *, note: Note
) -> ColdReads:
    state, brokers = case.plan.states["healthy"].per_broker or {}, case.plan.brokers.count
    writes = state["disk_write_bytes_per_s"]
    # what the plan's memory needs beside the page cache that the policy asks for
    rest = state["memory_bytes"] - memory.page_cache_bytes(
        disk_write_bytes_per_s=writes, page_cache_s=case.plan.scenario.policy.page_cache
    )
    cache = max(case.hardware.memory_bytes - rest, 0.0)
    cached = float(note("cached_s", memory.cached_s, cache_bytes=cache, disk_write_bytes_per_s=writes))
    cold = 0.0
    if behind > cached:
        for read in reads:
            numbers = {
                "processed_per_s": _capacity(read, load, read.records_per_s(case.at)),
                "wire_bytes_per_record": read.wire_bytes,
                "brokers": brokers,
            }
            cold += float(note(f"{read.topic.name}.cold_read_bytes_per_s", model.cold_read_bytes_per_s, **numbers))
    lasts = None
    if drain is not None:
        lasts = float(note("cold_read_s", model.cold_read_s, duration_s=drain, behind_s=behind, cached_s=cached))
    disk = case.hardware.disk_throughput_bytes_per_s
    used = float(
        utilisation.disk_throughput_utilisation(
            disk_write_bytes_per_s=writes,
            disk_read_bytes_per_s=state["disk_read_bytes_per_s"] + cold,
            capacity_bytes_per_s=disk,
        )
    )
    metered = math.isfinite(disk)
    return ColdReads(
        cached_s=cached,
        read_bytes_per_s=cold,
        duration_s=lasts,
        duration_s_reason=None if lasts is not None else "the lag of the slowest member is never gone",
        disk_throughput_utilisation=used if metered else None,
        disk_throughput_utilisation_reason=None if metered else "the throughput of the disks is not given",
    )


def _peak(reads: Sequence[_Reading], members: int, note: Note) -> tuple[PeakLag | None, str | None]:
    """What a peak of the topics' peak_duration leaves behind, and when that is gone at average rates."""
    peak, quiet = _load(reads, members, "peak"), _load(reads, members, "average")
    lag, drain, reason = 0.0, 0.0, None
    for read in reads:
        name, lasts = read.topic.name, read.topic.peak_duration
        over = max(peak.slowest[name], peak.mean) > 1
        if over and lasts is None:
            why = f"{name} has no peak_duration, and its peak exceeds what the group can read"
            return PeakLag(peak.mean, None, why, None, why), None
        if not over or lasts is None:
            continue
        arriving, later = (peak.fraction[name] * read.records_per_s(at) for at in ("peak", "average"))
        numbers = {"arriving_per_s": arriving, "processed_per_s": arriving / peak.slowest[name], "duration_s": lasts}
        own = float(note(f"{name}.lag_after_peak", model.lag_after_overload, **numbers))
        whole = read.records_per_s("peak")
        everywhere = float(
            model.lag_after_overload(arriving_per_s=whole, processed_per_s=whole / peak.mean, duration_s=lasts)
        )
        lag += max(own, everywhere)
        numbers = {"lag_records": own, "arriving_per_s": later, "processed_per_s": later / quiet.slowest[name]}
        drained = float(note(f"{name}.drain_after_peak_s", model.drain_s, **numbers))
        drain = max(drain, drained)
    if math.isinf(drain):
        reason = "at average rates the group does not keep up either"
    return PeakLag(peak.mean, lag, None, None if reason else drain, reason), None


def _offset_reset(lag: float, lost: float) -> dict[str, OffsetReset]:
    if lost <= 0:
        action = "Does not apply: nothing is deleted before it is read."
        return {name: OffsetReset(0.0, action) for name in ("earliest", "latest", "none")}
    when = "The next record is deleted, so its offset is out of range:"
    return {
        "earliest": OffsetReset(lost, f"{when} the group goes on at the oldest record that is left."),
        "latest": OffsetReset(lag, f"{when} the group skips its whole lag and goes on with new records."),
        "none": OffsetReset(
            lost, f"{when} the consumers fail until somebody sets the offsets; more is deleted meanwhile."
        ),
    }


# Words


def _summary(groups: Mapping[str, GroupLag], case: _Case) -> str:
    if not groups:
        return "No topic has consumers."
    known = [name for name, group in groups.items() if group.utilisation is not None]
    never = [name for name in known if groups[name].drain_s is None]
    lost = [name for name, group in groups.items() if group.lost_records > 0]
    after = f"After {format_quantity(case.outage_s, 's')} without consumers, with rates at {case.at},"
    said = f"{after} {len(known) - len(never)} of {len(groups)} groups read their lag again"
    if never:
        said += f"; never: {listed(never, NAMED)}"
    if len(known) < len(groups):
        said += f"; not known: {listed([name for name in groups if name not in known], NAMED)}"
    return said + (
        f"; records are deleted unread for {listed(lost, NAMED)}." if lost else "; nothing is deleted unread meanwhile."
    )


def _headline(name: str, found: GroupLag, case: _Case) -> str:
    def time(seconds: float | None) -> str:
        return format_quantity(seconds, "s")

    if found.utilisation is None:
        said = f"{name}: utilisation is not known"
    else:
        said = f"{name}: busy {found.utilisation:.0%} of the time at {case.at}"
        if found.slowest_utilisation is not None and found.slowest_utilisation > found.utilisation * 1.005:
            said += f", its slowest member {found.slowest_utilisation:.0%}"
    said += f"; after {time(case.outage_s)} without consumers {found.lag_records:,.0f} records wait"
    if found.drain_s is not None:
        said += f" and are read in {time(found.drain_s)}"
    elif found.utilisation is not None:
        said += ", and the lag grows on"
    if found.lost_records > 0:
        said += f"; {found.lost_records:,.0f} of them are deleted unread"
    elif found.overrun_after_s is not None:
        said += f"; unread records are deleted from {time(found.overrun_after_s)} on"
    if found.overtaken_after_s is not None:
        said += f"; where the lag grows, deletion overtakes it {time(found.overtaken_after_s)} after the stop"
    if found.members_for_deadline is not None:
        said += f"; {found.members_for_deadline} members would need at most {time(case.deadline_s)}"
    return said + "."
