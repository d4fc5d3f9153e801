"""Rebalances of each consumer group: how many, what they cost, whether they feed themselves, and what ends that."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

from planner.constants import constant, constants
from planner.model import rebalance as model
from planner.operations.lag import NAMED, GroupLag, consumers, named
from planner.results import Assumption, Result
from planner.scenario import ConsumerGroup, Operations, Scenario
from planner.sizing.totals import constants_used
from planner.sizing.workload import member_rate
from planner.trace import Note, Trace
from planner.units import format_quantity, listed

if TYPE_CHECKING:
    import pandas as pd

_DAY = 86_400.0
_CONSUMER_PROTOCOL = (4, 0)  # first version whose KIP-848 protocol is for production
_NO_MEMBERS = "give members of the group: every member's restarts count"
_NO_RATE = "give records_per_s_per_member or processing_time of the group: without them a batch has no duration"


@dataclass(frozen=True, slots=True)
class Events:
    """Rebalances an hour by their cause."""

    deploys: float
    crashes: float
    autoscaling: float
    poll_overruns: float

    @property
    def total(self) -> float:
        """All of them."""
        return self.deploys + self.crashes + self.autoscaling + self.poll_overruns


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting to change, where it is set, and why."""

    value: str
    now: str
    where: str  # client, broker or group
    why: str


@dataclass(frozen=True, slots=True)
class Alternative:
    """The same group with another protocol or membership."""

    protocol: str
    static_membership: bool
    events_per_hour: float
    lost_fraction: float


@dataclass(frozen=True, slots=True)
class GroupRebalances:
    """A group's rebalances."""

    headline: str
    protocol: str
    static_membership: bool
    members: int | None
    events_per_hour: float | None
    events_per_hour_reason: str | None
    events: Events | None
    pause_s: float
    moved_fraction: float | None
    lost_fraction: float | None
    lost_fraction_low: float | None
    lost_fraction_high: float | None
    lost_fraction_reason: str | None
    absent_fraction: float | None  # part of lost_fraction: partitions that wait for a member that is away
    worst_batch_s: float | None
    worst_batch_s_reason: str | None
    rebalancing_fraction: float | None
    deploy_rebalancing_fraction: float | None
    deploy_rebalancing_fraction_reason: str | None
    storm: bool | None
    storm_reason: str
    storm_starts_after_s: float | None
    storm_starts_after_s_reason: str | None
    settings: Mapping[str, Setting]
    more_members: str | None
    more_members_reason: str | None
    alternatives: tuple[Alternative, ...]


@dataclass(frozen=True)
class Rebalances(Result):
    """The rebalances of every group."""

    headline: str
    groups: Mapping[str, GroupRebalances]
    assumptions: tuple[Assumption, ...]
    trace: Trace

    def to_frame(self) -> pd.DataFrame:
        """One row per group."""
        import pandas as pd  # heavy: only for callers who want a frame

        left_out = {"headline", "events", "settings", "more_members", "more_members_reason", "alternatives"}
        names = [item.name for item in fields(GroupRebalances) if item.name not in left_out]
        rows = [
            {"group": name, **{key: getattr(group, key) for key in names}, "settings": ", ".join(group.settings)}
            for name, group in self.groups.items()
        ]
        return pd.DataFrame(rows, columns=["group", *names, "settings"])


def rebalance(scenario: Scenario) -> Rebalances:
    """How often each consumer group rebalances, what it loses by that, and the settings that end a storm.

    Parameters
    ----------
    scenario
        A scenario with topics; `operations` says how often members are deployed, crash and are scaled.

    Returns
    -------
    Rebalances
        One entry per group, in the scenario's order.

    Raises
    ------
    ScenarioError
        When the scenario cannot be planned.

    Examples
    --------
    >>> import planner
    >>> found = rebalance(planner.load("preset:ecommerce")).groups["sessions"]
    >>> found.storm, round(found.events_per_hour, 2)
    (False, 2.02)
    """
    trace = Trace()
    groups = {}
    for name, lag in consumers(scenario).groups.items():
        note = named(trace, f"groups.{name}")
        groups[name] = _group(name, _case(scenario, name, lag), note)
    return Rebalances(headline=_summary(groups), groups=groups, assumptions=constants_used("rebalance."), trace=trace)


@dataclass(frozen=True)
class _Case:
    """What decides a group's rebalances; `replace` asks what another setting would change."""

    members: int | None
    partitions: int
    protocol: str
    static: bool
    record_s: float | None
    max_poll_records: int
    max_poll_interval_s: float
    session_timeout_s: float
    records_per_s: float
    utilisation: float | None
    operations: Operations
    consumer_protocol: bool  # whether the brokers have KIP-848

    @property
    def worst_batch_s(self) -> float | None:
        if self.record_s is None:
            return None
        return float(model.worst_batch_s(max_poll_records=self.max_poll_records, record_s=self.record_s))

    @property
    def overruns(self) -> bool:
        return self.worst_batch_s is not None and self.worst_batch_s > self.max_poll_interval_s

    @property
    def evicted(self) -> bool:
        """Whether the group notices a member that restarts."""
        return not self.static or self.operations.restart_time >= self.session_timeout_s


def _case(scenario: Scenario, name: str, lag: GroupLag) -> _Case:
    reads = [group for topic in scenario.topics for group in topic.consumers if group.group == name]
    rates = [member_rate(read) for read in reads]
    slowest = None if None in rates else min(rate for rate in rates if rate is not None)
    return _Case(
        members=lag.members,
        partitions=lag.partitions,
        protocol=lag.protocol,
        static=any(read.static_membership for read in reads) and lag.protocol != "share",
        record_s=None if slowest is None else 1 / slowest,
        max_poll_records=max(read.max_poll_records for read in reads),
        max_poll_interval_s=_least(reads, "max_poll_interval"),
        session_timeout_s=_least(reads, "session_timeout"),
        records_per_s=lag.records_per_s,
        utilisation=lag.utilisation,
        operations=scenario.operations,
        consumer_protocol=scenario.cluster.version[:2] >= _CONSUMER_PROTOCOL,
    )


def _least(reads: list[ConsumerGroup], key: str) -> float:
    return min(float(getattr(read, key)) for read in reads)


def _group(name: str, case: _Case, note: Note) -> GroupRebalances:
    events = None if case.members is None else _events(case, note)
    cost = None if events is None else _cost(case, events, note)
    pauses = _pauses(case)
    storm, why = _storm(case, events, cost)
    starts = None
    if case.overruns and case.utilisation:
        numbers = {"max_poll_interval_s": case.max_poll_interval_s, "utilisation_fraction": case.utilisation}
        starts = float(note("storm_starts_after_s", model.pause_that_overruns_s, **numbers))
    more = _more_members(case)
    found = GroupRebalances(
        headline="",
        protocol=case.protocol,
        static_membership=case.static,
        members=case.members,
        events_per_hour=None if events is None else events.total,
        events_per_hour_reason=_NO_MEMBERS if events is None else None,
        events=events,
        pause_s=pauses[1],
        moved_fraction=None if case.members is None else _moved(case, case.members),
        lost_fraction=None if cost is None else cost.lost[1],
        lost_fraction_low=None if cost is None else cost.lost[0],
        lost_fraction_high=None if cost is None else cost.lost[2],
        lost_fraction_reason=_NO_MEMBERS if cost is None else None,
        absent_fraction=None if cost is None else cost.absent,
        worst_batch_s=case.worst_batch_s,
        worst_batch_s_reason=_NO_RATE if case.worst_batch_s is None else None,
        rebalancing_fraction=None if cost is None else cost.rebalancing,
        deploy_rebalancing_fraction=None if cost is None else cost.deploying,
        deploy_rebalancing_fraction_reason=_deploy_reason(cost),
        storm=storm,
        storm_reason=why,
        storm_starts_after_s=starts,
        storm_starts_after_s_reason=None if starts else _no_start(case),
        settings=_settings(case, events, cost),
        more_members=more,
        more_members_reason=_NO_MEMBERS if more is None else None,
        alternatives=_alternatives(case),
    )
    return replace(found, headline=_headline(name, found))


# Events


def _events(case: _Case, note: Note = Trace.silent) -> Events:
    operations, hour, members = case.operations, 3600.0, case.members or 1
    counted = {"members": members, "evicted": case.evicted}
    deploys = note(
        "deploys_per_s", model.restart_events_per_s, restarts_per_s=operations.deploys_per_day / _DAY, **counted
    )
    crashes = note(
        "crashes_per_s",
        model.restart_events_per_s,
        restarts_per_s=operations.crashes_per_member_per_day / _DAY,
        **counted,
    )
    return Events(
        deploys=float(deploys) * hour,
        crashes=float(crashes) * hour,
        autoscaling=operations.autoscale_events_per_day / 24,
        poll_overruns=_overruns_per_s(case, members, note) * hour,
    )


def _overrun_fraction(case: _Case) -> float:
    return 1.0 if case.overruns else case.operations.poll_overrun_fraction


def _overruns_per_s(case: _Case, members: int, note: Note) -> float:
    """Polls count as full ones: the fewest, and those that overrun."""
    poll = case.worst_batch_s or 0.0
    if not case.overruns:
        if case.records_per_s <= 0:
            return 0.0
        poll = max(poll, case.max_poll_records * members / case.records_per_s)
    return float(
        note(
            "poll_overruns_per_s",
            model.overrun_events_per_s,
            members=members,
            overrun_fraction=_overrun_fraction(case),
            poll_s=poll,
            max_poll_interval_s=case.max_poll_interval_s,
        )
    )


# Cost


@dataclass(frozen=True)
class _Cost:
    lost: tuple[float, float, float]  # least, likely, most
    absent: float
    rebalancing: float
    deploying: float | None  # share of a rolling deployment that is spent rebalancing


def _pauses(case: _Case) -> tuple[float, float, float]:
    """Pause of a partition that stops: least, likely, most."""
    if case.protocol == "share":
        return 0.0, 0.0, 0.0
    item = constants()[f"rebalance.{case.protocol}_pause_s"]
    return float(item.low), float(item.value), float(item.high)


def _moved(case: _Case, members: int) -> float:
    """Share of the partitions that stop in a rebalance."""
    return {"eager": 1.0, "share": 0.0}.get(case.protocol, 1 / members)


def _cost(case: _Case, events: Events, note: Note = Trace.silent) -> _Cost:
    members = case.members or 1
    rate, moved = events.total / 3600, _moved(case, members)
    low, likely, high = _pauses(case)
    lasts = likely
    if case.protocol != "share" and case.worst_batch_s is not None:
        numbers = {"worst_batch_s": case.worst_batch_s, "max_poll_interval_s": case.max_poll_interval_s}
        lasts = float(note("rebalance_s", model.rebalance_s, pause_s=likely, **numbers))
        high = float(model.rebalance_s(pause_s=high, **numbers))
    absent = _absent(case, events, note)
    stopped = [
        float(note(name, model.stopped_fraction, events_per_s=rate, pause_s=pause, moved_fraction=moved))
        for name, pause in (
            ("stopped_fraction_low", low),
            ("stopped_fraction", likely),
            ("stopped_fraction_high", high),
        )
    ]
    least, middle, most = (min(part + absent, 1.0) for part in stopped)
    share = float(note("rebalancing_fraction", model.rebalancing_fraction, events_per_s=rate, rebalance_s=lasts))
    restart, deploying = case.operations.restart_time, None
    if events.deploys > 0 and restart > 0:
        # one member after the other: each leaves and joins within the time of its restart
        numbers = {"events_per_s": 2 / restart, "rebalance_s": lasts}
        deploying = float(note("deploy_rebalancing_fraction", model.rebalancing_fraction, **numbers))
    return _Cost((least, middle, most), absent, share, deploying)


def _absent(case: _Case, events: Events, note: Note) -> float:
    """Partitions of a member that is away wait until it is back, or until the group gives them to others."""
    if case.protocol == "share":
        return 0.0
    operations = case.operations
    back = min(operations.restart_time, case.session_timeout_s)
    # a member without group.instance.id says goodbye when it is stopped, but not when it crashes
    waits = {
        "deploy_absence": (operations.deploys_per_day / _DAY, back if case.static else 0.0),
        "crash_absence": (
            operations.crashes_per_member_per_day / _DAY,
            back if case.static else case.session_timeout_s,
        ),
        # the work of a poll that comes too late is done again
        "overrun_absence": (
            events.poll_overruns / 3600 / 2 / (case.members or 1),
            max(case.worst_batch_s or 0.0, case.max_poll_interval_s),
        ),
    }
    lost = sum(
        float(note(name, model.absent_fraction, absences_per_s=often, away_s=away))
        for name, (often, away) in waits.items()
    )
    return min(lost, 1.0)


# Storms


def _storm(case: _Case, events: Events | None, cost: _Cost | None) -> tuple[bool | None, str]:
    worst, interval = case.worst_batch_s, case.max_poll_interval_s
    if case.overruns:
        return True, (
            f"a full batch of {case.max_poll_records:,} records takes {_time(worst)}, longer than max.poll.interval.ms "
            f"({_time(interval)}): as soon as a lag fills the batches, every poll evicts its member, its records go to "
            "the others, whose batches are full as well, and nothing is committed"
        )
    if events is None or cost is None:
        return None, _NO_MEMBERS
    if cost.rebalancing >= 1:
        gap = 3600 / events.total
        return True, f"there is a rebalance every {_time(gap)}, and the next begins before the last has ended"
    if events.total == 0:
        return False, "nothing makes the group rebalance"
    unknown = "; whether polls overrun is not known without the time of a record" if worst is None else ""
    return False, f"the group rebalances {cost.rebalancing:.2%} of the time{unknown}"


def _deploy_reason(cost: _Cost | None) -> str | None:
    if cost is None:
        return _NO_MEMBERS
    return "deployments cause no rebalances, or take no time" if cost.deploying is None else None


def _no_start(case: _Case) -> str:
    if not case.overruns:
        return "full batches fit into max.poll.interval.ms" if case.worst_batch_s is not None else _NO_RATE
    return "the utilisation of the group is not known, or nothing arrives"


# Settings


def _settings(case: _Case, events: Events | None, cost: _Cost | None) -> dict[str, Setting]:
    found = _poll_settings(case)
    if case.protocol == "share":
        return found | _lock_setting(case)
    if events is None or cost is None:
        return found
    if case.static and case.evicted:
        found |= _session_setting(case)
    if not case.static and events.deploys + events.crashes > 0:
        found |= _static_setting(case, cost)
    if case.protocol == "eager" and (case.members or 1) > 1:
        found |= _protocol_setting(case, cost)
    return found


def _poll_settings(case: _Case) -> dict[str, Setting]:
    worst, batches = case.worst_batch_s, constant("rebalance.batches_per_poll_interval")
    if worst is None or case.record_s is None or worst * batches <= case.max_poll_interval_s * (1 + 1e-9):
        return {}
    needed = math.ceil(worst * batches - 1e-9)
    fits = int(
        model.poll_records_that_fit(
            max_poll_interval_s=case.max_poll_interval_s, record_s=case.record_s, batches=batches
        )
    )
    why = f"the worst batch takes {_time(worst)}, and the interval should be about {batches:g} times that"
    found = {
        "max.poll.interval.ms": Setting(
            str(needed * 1000),
            str(round(case.max_poll_interval_s * 1000)),
            "client",
            f"{why}; a member that hangs is then noticed only after {_time(needed)}",
        )
    }
    if fits < case.max_poll_records:
        found["max.poll.records"] = Setting(
            str(fits), str(case.max_poll_records), "client", f"instead of a longer interval: {why}"
        )
    return found


def _lock_setting(case: _Case) -> dict[str, Setting]:
    """Records of a share group come back when they are not acknowledged while they are locked."""
    worst, lock = case.worst_batch_s, constant("share.record_lock_s")
    if worst is None or worst <= lock:
        return {}
    why = f"the worst batch takes {_time(worst)}, and records that are not acknowledged after {_time(lock)} come again"
    needed = str(math.ceil(worst - 1e-9) * 1000)
    return {"group.share.record.lock.duration.ms": Setting(needed, f"{lock * 1000:.0f}", "broker", why)}


def _session_setting(case: _Case) -> dict[str, Setting]:
    restart = case.operations.restart_time
    needed = math.ceil(max(restart * constant("rebalance.session_margin"), 1) - 1e-9)
    now = str(round(case.session_timeout_s * 1000))
    why = f"a static member is away for {_time(restart)}, and its session ends after {_time(case.session_timeout_s)}"
    if case.protocol == "consumer":
        most = constant("rebalance.consumer_session_timeout_max_s")
        if needed > most:
            why += f"; raise group.consumer.max.session.timeout.ms ({most * 1000:.0f}) as well"
        return {"group.consumer.session.timeout.ms": Setting(str(needed * 1000), now, "broker", why)}
    most = constant("rebalance.session_timeout_max_s")
    if needed > most:
        why += f"; raise group.max.session.timeout.ms ({most * 1000:.0f}) on the brokers as well"
    return {"session.timeout.ms": Setting(str(needed * 1000), now, "client", why)}


def _static(case: _Case) -> _Case:
    """The group with static members, and sessions that outlast a restart: shorter ones would end all the same."""
    session = max(case.session_timeout_s, case.operations.restart_time * constant("rebalance.session_margin"))
    return replace(case, static=True, session_timeout_s=session)


def _static_setting(case: _Case, cost: _Cost) -> dict[str, Setting]:
    """Static membership, where it loses less than the rebalances that it saves."""
    lost = _lost(_static(case))
    # a protocol that stops less may save more than this does
    others = (
        cost.lost[1] if case.protocol != "eager" else min(cost.lost[1], _lost(replace(case, protocol="cooperative")))
    )
    if lost >= others and cost.rebalancing < 1:
        return {}
    restart = _time(case.operations.restart_time)
    why = (
        f"a member that is back after {restart} causes no rebalance; its partitions wait for it. Lost consuming time "
        f"goes from {cost.lost[1]:.3%} to {lost:.3%}"
    )
    found = {"group.instance.id": Setting("a stable name for each member", "not set", "client", why)}
    return found | (_session_setting(case) if replace(case, static=True).evicted else {})


def _protocol_setting(case: _Case, cost: _Cost) -> dict[str, Setting]:
    why = "only the partitions that move stop, and not all of them; lost consuming time"
    brokers = "group.consumer.session.timeout.ms and group.consumer.heartbeat.interval.ms"
    cooperative = _lost(replace(case, protocol="cooperative"))
    found = {
        "partition.assignment.strategy": Setting(
            "org.apache.kafka.clients.consumer.CooperativeStickyAssignor",
            "an eager assignor",
            "client",
            f"{why} goes from {cost.lost[1]:.3%} to {cooperative:.3%}; change it in two rolling restarts",
        )
    }
    if case.consumer_protocol:
        consumer = _lost(replace(case, protocol="consumer"))
        found["group.protocol"] = Setting(
            "consumer",
            "classic",
            "client",
            f"instead of an assignor: {why} goes from {cost.lost[1]:.3%} to {consumer:.3%}; session and heartbeat are "
            f"then set on the brokers ({brokers})",
        )
    return found


def _lost(case: _Case) -> float:
    return _cost(case, _events(case)).lost[1]


def _alternatives(case: _Case) -> tuple[Alternative, ...]:
    """The group as it is and under every other protocol that the brokers have."""
    if case.members is None:
        return ()
    protocols = ["eager", "cooperative", *(["consumer"] if case.consumer_protocol else [])]
    found = []
    for protocol in protocols:
        for static in (False, True):
            other = replace(_static(case) if static else replace(case, static=False), protocol=protocol)
            found.append(Alternative(protocol, static, _events(other).total, _lost(other)))
    return tuple(found)


def _more_members(case: _Case) -> str | None:
    """What doubling the members does, in numbers."""
    if case.members is None:
        return None
    if case.protocol == "share":
        return "Members of a share group share partitions: more of them stop nothing."
    double = replace(case, members=2 * case.members)
    now, then = _events(case), _events(double)
    active = [min(count, case.partitions) for count in (case.members, 2 * case.members)]
    said = (
        f"Twice the members ({double.members}) restart twice as often: {now.total:.3g} rebalances an hour become "
        f"{then.total:.3g}, and lost consuming time goes from {_lost(case):.3%} to {_lost(double):.3%}; "
        f"{active[1]} of them have a partition, {active[0]} do now. Each joins with a rebalance of its own"
    )
    if case.protocol == "eager":
        said += ", for which every partition stops"
    if case.overruns:
        said += ", and gets a full batch of the same lag, which it cannot finish in time either"
    return said + "."


# Words


def _summary(groups: Mapping[str, GroupRebalances]) -> str:
    if not groups:
        return "No topic has consumers."
    storms = [name for name, group in groups.items() if group.storm]
    costs = {name: group.lost_fraction for name, group in groups.items() if group.lost_fraction is not None}
    said = f"In a storm, or one pause away from it: {listed(storms, NAMED)}" if storms else "No group is in a storm"
    if costs:
        worst = max(costs, key=lambda name: costs[name])
        said += f"; {worst} loses most, {costs[worst]:.3%} of its consuming time"
    return said + "."


def _time(seconds: float | None) -> str:
    return format_quantity(seconds, "s")


def _headline(name: str, found: GroupRebalances) -> str:
    if found.events_per_hour is None or found.lost_fraction is None:
        said = f"{name}: how often it rebalances is not known without its members"
    else:
        often, lost = found.events_per_hour, found.lost_fraction
        said = f"{name}: {often:.3g} rebalances an hour cost {lost:.3%} of the consuming time"
        if found.events is not None and found.storm and found.events.poll_overruns > 0:
            said += " once it lags"
    if found.storm:
        said += f"; a storm: {found.storm_reason}"
    if found.storm_starts_after_s is not None:
        said += f"; a pause of {_time(found.storm_starts_after_s)} is enough to start it"
    if found.settings:
        said += f". Change {', '.join(found.settings)}"
    return said + "."
