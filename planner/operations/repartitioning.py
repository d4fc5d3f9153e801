"""Changing a topic's partition count later: what moves, what breaks, three ways to do it, and having them now."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.catalogue import broker_spec
from planner.constants import constant
from planner.model import repartition as rules
from planner.model.skew import partition_of
from planner.operations.counts import check_keyed
from planner.operations.repartition_breaks import (
    Break,
    Group,
    Reading,
    breaks_of,
    groups_of,
    hashed,
    keeps_state,
    moved_records,
    ordered,
    partners_of,
    streams_topics,
)
from planner.operations.repartition_copy import Copy, Job, copy_of, new_name_of, with_count
from planner.operations.repartition_steps import Change, add_steps, cutover_steps, drain_steps
from planner.results import Assumption, Finding, Plan, Result, frame_of
from planner.scenario import InputError, Scenario, ScenarioError, Topic, shorten
from planner.sizing import plan
from planner.sizing.sized import size_at
from planner.sizing.totals import constants_used
from planner.sizing.verify import fixed
from planner.sizing.workload import Workload, top_key_fraction
from planner.trace import Trace
from planner.units import format_quantity

if TYPE_CHECKING:
    import pandas as pd

ROUTES = ("add_in_place", "drain_then_add", "new_topic_and_cutover")
_MOST = 1_000_000
_YEAR_S = 31_536_000.0
_MONTHS = 12
_SUMS = ("produce_requests_per_s", "fetch_requests_per_s", "partitions", "replicas", "controller_memory_bytes")
_SHOWN = ("replicas", "memory_bytes", "open_files", "mmaps", "cpu_fraction", "disk_bytes", "disk_iops")


@dataclass(frozen=True, slots=True)
class Route:
    """One way to do it."""

    name: str
    possible: bool
    reason: str | None
    bytes_copied: float
    duration_s: float | None
    duration_s_reason: str | None
    duration_unthrottled_s: float | None
    extra_disk_bytes: float
    extra_network_in_bytes_per_s: float
    extra_network_out_bytes_per_s: float
    downtime_s: float | None
    downtime_s_reason: str | None
    holds_meanwhile: bool
    holds_meanwhile_reason: str | None
    cost: float | None
    cost_reason: str | None
    keeps_order: bool
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class State:
    """State that a reader builds from the topic, if it has to read it all again."""

    group: str
    bytes: float
    records: float
    rebuild_s: float | None
    rebuild_s_reason: str | None
    confidence: str


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with today's count and with the new one, on the same brokers."""

    name: str
    before: float
    after: float


@dataclass(frozen=True)
class Repartition(Result):
    """What a change of the count does and costs."""

    name: str
    topic: str
    partitions_before: int
    partitions_after: int
    moved_key_fraction: float
    moved_key_fraction_measured: float | None
    moved_record_fraction: float
    moved_record_fraction_low: float
    moved_record_fraction_high: float
    moved_record_reason: str | None
    breaks: tuple[Break, ...]
    routes: tuple[Route, ...]
    recommended: str
    recommended_because: str
    state: tuple[State, ...]
    provision_now_per_month: float | None
    provision_now_per_year: float | None
    provision_now_reason: str | None
    provision_now_brokers: int | None
    provision_now: tuple[Figure, ...]
    break_even_fraction: float | None
    break_even_reason: str | None
    holds_meanwhile: bool
    findings: tuple[Finding, ...]
    assumptions: tuple[Assumption, ...]
    trace: Trace = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """The contract's dictionary."""
        body = super().to_dict()
        return {{"partitions_before": "from", "partitions_after": "to"}.get(key, key): body[key] for key in body}

    def to_frame(self) -> pd.DataFrame:
        """One row per route."""
        return frame_of(self.routes).drop(columns="steps")

    def route(self, name: str) -> Route:
        """The route of that name."""
        return next(route for route in self.routes if route.name == name)


@dataclass(frozen=True, slots=True)
class _Case:
    """What every part of the answer looks at."""

    scenario: Scenario
    standing: Scenario
    topic: Topic
    today: Plan
    after: int
    partners: tuple[str, ...]
    groups: tuple[Group, ...]
    stored_bytes: float  # of one copy
    average_bytes_per_s: float
    trace: Trace

    @property
    def before(self) -> int:
        return self.today.topics[self.topic.name].partitions


def repartition(
    scenario: Scenario,
    topic: str,
    to: int,
    *,
    throttle: float | None = None,
    lag: float | None = None,
    keys: Mapping[bytes, float] | None = None,
    librdkafka: bool = False,
) -> Repartition:
    """What it costs to give a topic more partitions.

    Parameters
    ----------
    scenario
        A scenario with the topic; without a given partition count the planned one is today's.
    topic
        The topic's name.
    to
        Partitions that it shall have; more than it has.
    throttle
        Most bytes per second that a copier may send, all brokers together [bytes/s]; by default what the cluster's
        limits leave.
    lag
        How far the groups are behind when the change begins [s].
    keys
        Records of each serialised key, as `planner.operations.counts.keys_of` reads them: they are hashed for both
        counts, instead of the closed form.
    librdkafka
        Hash them as librdkafka's default partitioner does, not as the Java client.

    Returns
    -------
    Repartition
        Keys and records that move, what breaks, the three routes with time, bytes, cost and runbook, and what the
        partitions would cost now.

    Raises
    ------
    ScenarioError
        For an unknown topic, fewer partitions than there are, or numbers that are none.

    Examples
    --------
    >>> import planner
    >>> found = repartition(planner.load("preset:ecommerce"), "orders", 72)
    >>> found.moved_key_fraction
    0.5
    """
    case = _case(scenario, topic, to, throttle, lag)
    trace, chosen = case.trace, case.topic
    moved = float(
        trace(
            "moved_key_fraction", rules.moved_key_fraction, partitions_before=case.before, partitions_after=case.after
        )
    )
    share = moved if hashed(chosen) else 0.0
    mean, low, high, reason = moved_records(chosen, share, trace)
    measured = None
    if keys is not None:
        check_keyed(chosen)
        measured, mean = _measured(keys, case.before, case.after, librdkafka=librdkafka)
        low, high, reason = mean, mean, None
    breaks = tuple(
        breaks_of(
            scenario,
            chosen,
            case.groups,
            partners=case.partners,
            moved=moved,
            stale_bytes=moved * case.stored_bytes if chosen.compacted else None,
        )
    )
    later = plan(with_count(case.standing, {chosen.name: case.after}))
    copied = copy_of(_job(case), throttle, trace)
    routes = _routes(case, copied, later)
    best, because = _recommended(routes, breaks)
    now = _provision(case)
    return Repartition(
        name=scenario.name,
        topic=chosen.name,
        partitions_before=case.before,
        partitions_after=case.after,
        moved_key_fraction=share,
        moved_key_fraction_measured=measured,
        moved_record_fraction=mean,
        moved_record_fraction_low=low,
        moved_record_fraction_high=high,
        moved_record_reason=reason,
        breaks=breaks,
        routes=routes,
        recommended=best.name,
        recommended_because=because,
        state=tuple(_states(case)),
        **now,
        **_break_even(case, now, best),
        holds_meanwhile=best.holds_meanwhile,
        findings=tuple(_findings(case, later, copied)),
        assumptions=(*constants_used("repartition."), *constants_used("partitions.consume_bytes_per_s")),
        trace=trace,
    )


def _measured(keys: Mapping[bytes, float], before: int, after: int, *, librdkafka: bool) -> tuple[float, float]:
    """Share of the keys, and of their records, that the partitioner puts elsewhere."""
    names = list(keys)
    old, new = (partition_of(keys=names, partitions=count, librdkafka=librdkafka) for count in (before, after))
    counts = np.array(list(keys.values()))
    return float(np.mean(old != new)), float(counts[old != new].sum() / counts.sum())


def _case(scenario: Scenario, name: str, to: int, throttle: float | None, lag: float | None) -> _Case:
    _check(scenario, name, to, throttle, lag)
    today = plan(scenario)
    standing = fixed(scenario, today)
    topic = next(topic for topic in standing.topics if topic.name == name)
    before = today.topics[name].partitions
    _check_more(name, before, to)
    workload = Workload(standing)
    sized = size_at(workload, today.brokers.count)
    index = workload.names.index(name)
    classes = sized.load.classes
    own = classes.topic.astype(np.intp) == index
    stored = float(np.sum((classes.refill_bytes * classes.count)[own])) + today.topics[name].remote_bytes
    average = float(sized.columns["average_bytes_per_s"][index])
    trace = Trace()
    reading = Reading(
        float(sized.columns["average_records_per_s"][index]),
        today.topics[name].wire_bytes_per_record,
        before,
        constant("repartition.lag_s") if lag is None else lag,
    )
    counts = {key: value.partitions for key, value in today.topics.items()}
    return _Case(
        scenario,
        standing,
        topic,
        today,
        to,
        partners_of(scenario, topic, counts) if hashed(topic) else (),
        groups_of(topic, reading, trace),
        stored,
        average,
        trace,
    )


def _check(scenario: Scenario, name: str, to: int, throttle: float | None, lag: float | None) -> None:
    names = [topic.name for topic in scenario.topics]
    errors = []
    if name not in names:
        near = difflib.get_close_matches(name, names, n=1)
        allowed = ", ".join(names[:10]) + (", ..." if len(names) > 10 else "")  # noqa: PLR2004 - shown
        errors.append(
            InputError(
                "topic", shorten(name), "The scenario has no topic of this name.", allowed, next(iter(near), None)
            )
        )
    if not 1 <= to <= _MOST:
        errors.append(InputError("to", to, "This is no partition count.", f"1 to {_MOST}"))
    for key, value in (("throttle", throttle), ("lag", lag)):
        least = 0.0 if key == "lag" else 1e-9
        if value is not None and not (math.isfinite(value) and value >= least):
            errors.append(InputError(key, value, "This is out of range.", "a finite number, above 0"))
    if errors:
        raise ScenarioError(errors)


def _check_more(name: str, before: int, to: int) -> None:
    if to > before:
        return
    if to == before:
        message = f"{name} has {before} partitions already."
        raise ScenarioError([InputError("to", to, message, f"more than {before}")])
    message = (
        f"{name} has {before} partitions, and Kafka cannot take partitions away: their records would be lost. "
        f"Make a new topic with {to} partitions, copy, and move consumers and producers to it."
    )
    raise ScenarioError([InputError("to", to, message, f"more than {before}, or a new topic")])


def _job(case: _Case) -> Job:
    return Job(
        case.standing,
        case.today,
        case.topic,
        case.after,
        new_name_of(case.scenario, case.topic.name, case.after),
        case.average_bytes_per_s,
        case.stored_bytes,
    )


# Routes


def _routes(case: _Case, copied: Copy, later: Plan) -> tuple[Route, ...]:
    change = Change(
        case.topic,
        case.before,
        case.after,
        tuple(group.name for group in case.groups),
        {
            topic.name: tuple(group.group for group in topic.consumers)
            for topic in case.scenario.topics
            if topic.name in case.partners
        },
        tuple(streams_topics(case.scenario, case.topic)),
        new_name_of(case.scenario, case.topic.name, case.after),
        f"{case.topic.name}-copier",
        copied.rate_bytes_per_s / case.today.brokers.count if copied.duration_s is not None else None,
    )
    more = max(later.cluster.disk_bytes_worst - case.today.cluster.disk_bytes_worst, 0.0)
    holds = (later.feasible, None if later.feasible else _why_short(case.today, later))
    command, metadata = constant("repartition.command_s"), constant("repartition.metadata_max_age_s")
    restart = case.scenario.operations.restart_time
    stop = _stop_s(case) + command + restart
    shared: dict[str, Any] = {"more": more, "holds": holds}
    add = _in_place(case, "add_in_place", command + metadata, 0.0, add_steps(change), **shared)
    drain = _in_place(case, "drain_then_add", stop, stop, drain_steps(change), **shared)
    return add, drain, _cutover(case, copied, change, restart)


def _stop_s(case: _Case) -> float:
    """How long the slowest group reads on once the producers are stopped."""
    return max((group.drain_s for group in case.groups), default=0.0)


def _in_place(
    case: _Case,
    name: str,
    duration: float,
    downtime: float,
    steps: tuple[str, ...],
    *,
    more: float,
    holds: tuple[bool, str | None],
) -> Route:
    cost, reason = _cost(case, name, 0, duration)
    return Route(
        name=name,
        possible=True,
        reason=None,
        bytes_copied=0.0,
        duration_s=duration,
        duration_s_reason=None,
        duration_unthrottled_s=duration,
        extra_disk_bytes=more,
        extra_network_in_bytes_per_s=0.0,
        extra_network_out_bytes_per_s=0.0,
        downtime_s=downtime,
        downtime_s_reason=None,
        holds_meanwhile=holds[0],
        holds_meanwhile_reason=holds[1],
        cost=cost,
        cost_reason=reason,
        keeps_order=name != "add_in_place" or not hashed(case.topic),
        steps=steps,
    )


def _cutover(case: _Case, copied: Copy, change: Change, restart: float) -> Route:
    tail = constant("repartition.copier_lag_s") + restart if ordered(case.topic) else 0.0
    possible = copied.duration_s is not None
    added = 0
    if not copied.holds and copied.brokers_needed is not None:
        added = max(copied.brokers_needed - case.today.brokers.count, 0)
    duration = copied.duration_s + tail if copied.duration_s is not None else None
    cost, reason = _cost(case, "new_topic_and_cutover", added, duration)
    if not copied.holds and copied.brokers_needed is None:
        cost, reason = None, "no broker count holds while both topics exist"
    free = copied.unthrottled_s
    return Route(
        name="new_topic_and_cutover",
        possible=possible,
        reason=copied.never,
        bytes_copied=copied.bytes_copied,
        duration_s=duration,
        duration_s_reason=copied.never,
        duration_unthrottled_s=free + tail if free is not None else None,
        extra_disk_bytes=copied.extra_disk_bytes,
        extra_network_in_bytes_per_s=copied.extra_network_in_bytes_per_s,
        extra_network_out_bytes_per_s=copied.extra_network_out_bytes_per_s,
        downtime_s=tail if possible else None,
        downtime_s_reason=copied.never,
        holds_meanwhile=copied.holds,
        holds_meanwhile_reason=copied.holds_reason,
        cost=cost,
        cost_reason=reason,
        keeps_order=True,
        steps=cutover_steps(change),
    )


def _why_short(today: Plan, later: Plan) -> str:
    if not today.feasible:
        return "the cluster does not hold today either"
    return next((row.message for row in later.findings if row.severity == "critical"), "a limit is exceeded")


def _cost(case: _Case, route: str, added: int, duration: float | None) -> tuple[float | None, str | None]:
    rate = case.scenario.questions.hourly_rate
    price = broker_spec(case.scenario.cluster.broker).price_per_month
    if duration is None:
        return None, "it never ends"
    if rate is None:
        return None, "give questions.hourly_rate, the cost of an hour of an engineer"
    if added and price is None:
        return None, "brokers have to be added, and their price is not known; give broker.price_per_month"
    found = case.trace(
        f"routes.{route}.cost",
        rules.route_cost,
        people_hours=constant(f"repartition.hours_{route}"),
        hourly_rate=rate,
        brokers_added=float(added),
        price_per_month=price or 0.0,
        duration_s=duration,
        month_s=_YEAR_S / _MONTHS,
    )
    return float(found), None


def _recommended(routes: tuple[Route, ...], breaks: tuple[Break, ...]) -> tuple[Route, str]:
    """The rule, in this order; each sentence names what decided."""
    add, drain, cutover = routes
    codes = {row.code for row in breaks}
    if not codes:
        return add, "nothing breaks, so partitions are added while everything runs"
    if "compacted_stale" in codes and cutover.possible:
        return cutover, "on a compacted topic only a copy leaves no second latest values behind"
    if "keyed_state" in codes and cutover.possible:
        return cutover, "readers keep state by key, which a copy lets them rebuild beside the old topic"
    limit = constant("repartition.downtime_max_s")
    if drain.downtime_s is not None and drain.downtime_s > limit and cutover.possible:
        stop, most = (format_quantity(value, "s") for value in (drain.downtime_s, limit))
        return cutover, f"draining would stop the producers for {stop}, more than {most}"
    return drain, "order is kept without copying anything, for a stop of the producers"


# State, provision, findings


def _states(case: _Case) -> Iterator[State]:
    """What groups that keep state by key have to read again."""
    known = streams_topics(case.scenario, case.topic)
    records = case.stored_bytes / max(case.today.topics[case.topic.name].wire_bytes_per_record, 1.0)
    for group in case.groups:
        if group.name not in known and not keeps_state(case.scenario):
            continue
        again = case.trace(
            f"state.{group.name}.rebuild_s",
            rules.read_out_s,
            waiting_records=records,
            capacity_records_per_s=group.capacity_per_s,
            records_per_s=group.rate_per_s,
        )
        endless = math.isinf(float(again))
        yield State(
            group.name,
            case.stored_bytes,
            records,
            None if endless else float(again),
            "never: the group is not faster than what arrives" if endless else None,
            "medium" if group.capacity_given else "low",
        )


def _provision(case: _Case) -> dict[str, Any]:
    """What the partitions cost if they were there now: brokers that the plan asks for, and each broker's figures."""
    same_bytes = with_count(case.standing, {case.topic.name: case.after}, scale_retention=True)
    later = plan(same_bytes)
    before, after = case.today.states["healthy"].fullest or {}, later.states["healthy"].fullest or {}
    shown = [Figure(f"fullest_broker.{key}", before[key], after[key]) for key in _SHOWN]
    sums = (case.today.cluster, later.cluster)
    shown += [Figure(f"cluster.{key}", getattr(sums[0], key), getattr(sums[1], key)) for key in _SUMS]
    name = case.topic.name
    shown.append(Figure("topic.batch_records", case.today.topics[name].batch_records, later.topics[name].batch_records))
    needed = (case.today.brokers.required, later.brokers.required)
    price = broker_spec(case.scenario.cluster.broker).price_per_month
    more = None if needed[0] is None or needed[1] is None else max(needed[1] - needed[0], 0)
    reason = None
    if more is None:
        reason = "no broker count holds, with or without the new partitions"
    elif more and price is None:
        reason = "the price of a broker is not known; give broker.price_per_month"
    monthly = None if more is None or reason else more * (price or 0.0)
    return {
        "provision_now_per_month": monthly,
        "provision_now_per_year": None if monthly is None else monthly * _MONTHS,
        "provision_now_reason": reason,
        "provision_now_brokers": more,
        "provision_now": tuple(shown),
    }


def _break_even(case: _Case, now: Mapping[str, Any], best: Route) -> dict[str, Any]:
    yearly, cost = now["provision_now_per_year"], best.cost
    if yearly is None:
        return {"break_even_fraction": None, "break_even_reason": now["provision_now_reason"]}
    if yearly == 0:
        return {"break_even_fraction": 0.0, "break_even_reason": "no broker more is needed to have them now"}
    if cost is None or cost <= 0:
        return {"break_even_fraction": None, "break_even_reason": best.cost_reason or "the change costs nothing"}
    horizon = max(case.scenario.policy.horizon, constant("partitions.growth_horizon_s")) / _YEAR_S
    found = case.trace(
        "break_even_fraction",
        rules.break_even_fraction,
        provision_per_year=yearly,
        horizon_years=horizon,
        repartition_cost=cost,
    )
    return {"break_even_fraction": float(found), "break_even_reason": None}


def _findings(case: _Case, later: Plan, copied: Copy) -> Iterator[Finding]:
    topic, before, after = case.topic, case.before, case.after
    if topic.consumers:
        yield Finding(
            "missed_new_partitions",
            "warning",
            "Consumers with auto.offset.reset=latest (the default) skip what producers write to new partitions before "
            f"they know of them, up to {constant('repartition.metadata_max_age_s'):.0f} s.",
            "Set it to earliest, or set the groups' offsets on the new partitions while they are stopped.",
        )
    if topic.retention.bytes_per_partition is not None and topic.deleted:
        each = topic.retention.bytes_per_partition * before / after
        yield Finding(
            "retention_bytes",
            "warning",
            f"retention.bytes is per partition: {after} partitions may keep {after / before:.3g} times as much.",
            f"Lower it to {math.ceil(each)} to keep what is kept now.",
        )
    if topic.deleted and math.isfinite(topic.retention.time):
        yield Finding(
            "uneven_data",
            "info",
            f"What is stored stays on the {before} old partitions until retention deletes it, so disks are even again "
            f"after {topic.retention.time / 86400:.3g} days.",
            "Nothing to do.",
        )
    top = top_key_fraction(topic)
    if top > 1 / after:
        yield Finding(
            "hot_key",
            "warning",
            f"One key carries {top:.1%} of the records, and {after} partitions carry {1 / after:.1%} each when even: "
            "more partitions do not relieve the one that it is on.",
            "Spread the key over several, or give it a topic of its own.",
        )
    if not later.feasible and case.today.feasible:
        yield Finding(
            "does_not_hold",
            "critical",
            f"With {after} partitions the cluster does not hold: {_why_short(case.today, later)}",
            "Add brokers first.",
        )
    if copied.never is not None:
        yield Finding(
            "copy_never_ends", "warning", f"A copy ends {copied.never}.", "Raise the throttle or add brokers."
        )
    elif not copied.holds:
        yield Finding(
            "does_not_hold_meanwhile",
            "warning",
            f"While both topics exist the cluster does not hold: {copied.holds_reason}.",
            "Shorten retention before the copy, or add brokers.",
        )
