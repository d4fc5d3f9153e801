"""When a growing load breaks the cluster, what to buy, and which topics need more partitions."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from planner.constants import constant
from planner.fields import InputError, ScenarioError, refusal, shorten
from planner.model import growth as rules
from planner.model import partitions, traffic
from planner.operations.reassigning import reassign
from planner.operations.repartitioning import repartition
from planner.results import Finding, Plan, Result, frame_of
from planner.scenario import Scenario, Topic
from planner.sizing import plan
from planner.sizing.compose import sizer_of
from planner.sizing.verify import fixed
from planner.sizing.workload import Workload
from planner.trace import Trace
from planner.units import parse
from planner.validation import capped

if TYPE_CHECKING:
    import pandas as pd

MOST_MONTHS = 240
MOST_DAYS = 2_000  # of a history; all pairs of days are compared
MOST_BYTES = 1_000_000  # of a history's file
_LEAST_DAYS = 14
_YEAR_S = 31_536_000.0
_MONTH_S = _YEAR_S / 12
_NEVER_S = 1e12  # beyond any horizon
_TIGHT = 1 + 1e-9


@dataclass(frozen=True, slots=True)
class Month:
    """The load of a month, and the cluster that carries it."""

    month: int
    date: str
    load_factor: float
    produce_in_bytes_per_s: float
    disk_bytes_worst: float
    brokers: int
    holds: bool
    fullest_resource: str
    fullest_state: str
    utilisation_of_limit: float
    cost_per_month: float | None
    cost_so_far: float | None


@dataclass(frozen=True, slots=True)
class FirstLimit:
    """When a resource of today's cluster is at its limit; the dates between follow from the interval of the growth."""

    resource: str
    state: str
    load_factor: float | None
    date: str | None
    date_early: str | None
    date_late: str | None
    utilisation_of_limit: float
    date_reason: str | None = None
    used_of_limit: tuple[float, ...] = ()  # month by month in that state, with nothing bought


@dataclass(frozen=True, slots=True)
class Purchase:
    """Something to have done by a date: brokers to add, or partitions of a topic; without it the month after fails."""

    kind: str  # brokers or partitions
    month: int
    date: str
    topic: str | None
    before: int
    after: int
    because: str
    moved_key_fraction: float | None
    bytes_moved: float | None
    duration_s: float | None
    cost_once: float | None
    cost_per_month_change: float | None
    route: str | None = None  # of partitions: the recommended one


@dataclass(frozen=True)
class Growth(Result):
    """Month by month: load, limits, purchases."""

    brokers: int
    growth_per_year: float
    growth_per_year_low: float
    growth_per_year_high: float
    fitted: bool
    first_limits: tuple[FirstLimit, ...]
    months: tuple[Month, ...]
    steps: tuple[Purchase, ...]
    findings: tuple[Finding, ...]
    trace: Trace

    def to_frame(self) -> pd.DataFrame:
        """One row per month."""
        return frame_of(self.months)


@dataclass(frozen=True)
class _Course:
    """What fixes the months to come."""

    scenario: Scenario  # partitions and brokers of today written in
    rate: rules.Trend
    start: dt.date
    months: int
    ahead: int

    def load_factor(self, month: float, rate: float | None = None) -> float:
        given = self.rate.growth_per_year if rate is None else rate
        return float(traffic.growth_factor(growth_per_year=given, horizon_s=month * _MONTH_S))

    def date(self, month: float) -> str:
        return (self.start + dt.timedelta(seconds=month * _MONTH_S)).isoformat()


def growth(
    scenario: Scenario,
    *,
    months: int = 36,
    per_year: float | None = None,
    history: str | None = None,
    start: dt.date | None = None,
    ahead: int = 6,
) -> Growth:
    """Follow a growing load month by month.

    Parameters
    ----------
    scenario
        A scenario with topics; the cluster of today is `cluster.brokers`, or else the plan's.
    months
        How far to look [count], 1 to 240.
    per_year
        Growth of the load in a year [fraction], > -1; else that of the history, else `policy.growth_per_year`.
    history
        The text of a CSV with the columns `date` and `bytes`: what was produced each day. The growth is fitted to it,
        with an interval, and its peak day is kept as a peak.
    start
        The day from which the months count; today when not given.
    ahead
        Months that a purchase of brokers should last [count], >= 0. Partitions are added for all the months at once.

    Returns
    -------
    Growth
        The date at which each resource of today's cluster is at its limit, the months with what is bought before them,
        and the purchases.

    Raises
    ------
    ScenarioError
        When the scenario cannot be planned, or the history or an argument is in error.

    Examples
    --------
    >>> import planner
    >>> found = growth(planner.load("preset:ecommerce"), months=12, per_year=0.5, start=dt.date(2026, 1, 1))
    >>> found.first_limits[0].resource
    'disk_volume'
    """
    _check(months, per_year, ahead)
    fitted = trend_of(history) if history is not None else None
    rate = per_year if per_year is not None else scenario.policy.growth_per_year
    known = fitted or rules.Trend(rate, rate, rate, 1.0)
    peaked = _with_peak(scenario, known.peak_day_ratio)
    today = plan(peaked)
    course = _Course(_decided(peaked, today), known, start or dt.datetime.now(tz=dt.UTC).date(), months, ahead)
    trace = Trace()
    steps, rows = _months(course, today)
    return Growth(
        brokers=today.brokers.count,
        growth_per_year=known.growth_per_year,
        growth_per_year_low=known.growth_per_year_low,
        growth_per_year_high=known.growth_per_year_high,
        fitted=fitted is not None,
        first_limits=_first_limits(course, today, trace),
        months=rows,
        steps=steps,
        findings=tuple(_findings(known, fitted=fitted is not None)),
        trace=trace,
    )


def _check(months: int, per_year: float | None, ahead: int) -> None:
    errors = []
    if not 1 <= months <= MOST_MONTHS:
        errors.append(InputError("months", months, "This is no horizon.", f"1 to {MOST_MONTHS}"))
    if per_year is not None and not -1 < per_year <= 1000:  # noqa: PLR2004 - as policy.growth_per_year is bounded
        errors.append(InputError("per_year", per_year, "This is no growth.", "above -1, at most 1000"))
    if not 0 <= ahead <= MOST_MONTHS:
        errors.append(InputError("ahead", ahead, "A purchase cannot last that long.", f"0 to {MOST_MONTHS} months"))
    if errors:
        raise ScenarioError(errors)


def _with_peak(scenario: Scenario, peak_day_ratio: float) -> Scenario:
    """Every topic has at least the peak that the history's peak day shows."""
    topics = (
        topic.model_copy(update={"peak_ratio": max(topic.peak_ratio, peak_day_ratio)}) for topic in scenario.topics
    )
    return scenario.model_copy(update={"topics": tuple(topics)}) if peak_day_ratio > 1 else scenario


def _decided(scenario: Scenario, today: Plan) -> Scenario:
    """The scenario with brokers and partitions as they are, growing by what we say and not by its policy."""
    policy = scenario.policy.model_copy(update={"growth_per_year": 0.0, "horizon": 0.0})
    return fixed(scenario, today).model_copy(update={"policy": policy})


# Limits of today's cluster


def _first_limits(course: _Course, today: Plan, trace: Trace) -> tuple[FirstLimit, ...]:
    """For each resource the state that breaks first, and when; what never breaks within the months comes last."""
    workload = Workload(course.scenario)
    before: dict[tuple[str, str], float] = {}
    factors: dict[tuple[str, str], float] = {}
    courses: dict[tuple[str, str], list[float]] = {}
    for month in range(course.months + 1):
        factor = course.load_factor(month)
        ratios = sizer_of(workload.scaled(factor))[1].ratios(today.brokers.count)
        for key, ratio in ratios.items():
            if ratio > _TIGHT and key not in factors:
                factors[key] = _crossing(course, month, before.get(key), ratio)
            courses.setdefault(key, []).append(float(ratio))
        before = dict(ratios)
    named = {resource: _earliest(resource, before, factors) for resource in dict.fromkeys(key[0] for key in before)}
    found = [_limit(course, key, factors.get(key), courses[key], trace) for key in named.values()]
    return tuple(
        sorted(found, key=lambda row: (row.load_factor is None, row.load_factor or 0, -row.utilisation_of_limit))
    )


def _crossing(course: _Course, month: int, before: float | None, after: float) -> float:
    """The load factor at which a ratio passes 1: the ratios of the two months are joined by a straight line."""
    if before is None or before > _TIGHT:
        return 1.0
    low, high = course.load_factor(month - 1), course.load_factor(month)
    return low + (high - low) * (1 - before) / (after - before)


def _earliest(
    resource: str, last: Mapping[tuple[str, str], float], factors: Mapping[tuple[str, str], float]
) -> tuple[str, str]:
    """The state in which a resource breaks first, or else is fullest at the end."""
    keys = [key for key in last if key[0] == resource]
    broken = [key for key in keys if key in factors]
    return min(broken, key=lambda key: factors[key]) if broken else max(keys, key=lambda key: last[key])


def _limit(
    course: _Course, key: tuple[str, str], factor: float | None, ratios: Sequence[float], trace: Trace
) -> FirstLimit:
    resource, state = key
    last, used = ratios[-1], tuple(ratios)
    if factor is None:
        reason = f"not within {course.months} months: then at {last:.0%} of its limit"
        return FirstLimit(resource, state, None, None, None, None, last, reason, used)

    def date_at(rate: float) -> str | None:
        seconds = float(trace(f"first_limits.{resource}", rules.time_until_s, load_factor=factor, growth_per_year=rate))
        return course.date(seconds / _MONTH_S) if seconds < _NEVER_S else None

    already = "over its limit already" if factor <= 1 else None
    early, late = date_at(course.rate.growth_per_year_high), date_at(course.rate.growth_per_year_low)
    return FirstLimit(resource, state, factor, date_at(course.rate.growth_per_year), early, late, last, already, used)


# Months and purchases


def _months(course: _Course, today: Plan) -> tuple[tuple[Purchase, ...], tuple[Month, ...]]:
    owned, counts = today.brokers.count, {name: topic.partitions for name, topic in today.topics.items()}
    steps: list[Purchase] = []
    rows: list[Month] = []
    spent = 0.0
    for month in range(course.months + 1):
        for step in _expansions(course, month, counts, owned):
            counts[str(step.topic)] = step.after
            steps.append(step)
        sized = plan(_at(course, month, owned, counts))
        if not sized.feasible:
            bought = _bought(course, month, owned, counts)
            if bought is not None and bought > owned:
                larger = plan(_at(course, month, bought, counts))
                steps.append(_purchase(course, month, sized, larger))
                owned, sized = bought, larger
        price = None if sized.cost is None else sized.cost.per_month
        spent += price or 0.0
        rows.append(_month(course, month, sized, spent if price is not None else None))
    return tuple(steps), tuple(rows)


def _at(course: _Course, month: int, brokers: int | None, counts: Mapping[str, int]) -> Scenario:
    """The scenario at a month's load."""
    factor = course.load_factor(month)
    topics = tuple(_grown(topic, factor, counts[topic.name]) for topic in course.scenario.topics)
    cluster = course.scenario.cluster.model_copy(update={"brokers": brokers})
    return course.scenario.model_copy(update={"topics": topics, "cluster": cluster})


def _grown(topic: Topic, factor: float, count: int) -> Topic:
    rates = ("records_per_s", "bytes_per_s", "transactions_per_s")
    grown = {name: getattr(topic, name) * factor for name in rates if getattr(topic, name) is not None}
    return topic.model_copy(update={**grown, "partitions": count})


def _bought(course: _Course, month: int, owned: int, counts: Mapping[str, int]) -> int | None:
    """The brokers that hold now and for the months that a purchase should last."""
    later = plan(_at(course, month + course.ahead, None, counts)).brokers.required
    now = plan(_at(course, month, later, counts)) if later is not None and later >= owned else None
    return later if now is not None and now.feasible else plan(_at(course, month, None, counts)).brokers.required


def _purchase(course: _Course, month: int, before: Plan, after: Plan) -> Purchase:
    short = [row for row in before.verdicts if row.verdict == "short"]
    worst = max(short, key=lambda row: row.utilisation / row.threshold, default=None)
    because = "a failure to be survived" if worst is None else f"{worst.resource}, {worst.state}"
    change = None if before.cost is None or after.cost is None else after.cost.per_month - before.cost.per_month
    move = reassign(before.scenario, to_brokers=after.brokers.count)
    counts = (before.brokers.count, after.brokers.count)
    moving = (move.bytes_moved, move.duration_s)
    return Purchase("brokers", *_due(course, month), None, *counts, because, None, *moving, None, change)


def _due(course: _Course, month: int) -> tuple[int, str]:
    """The month before the one that fails, and its date."""
    before = max(month - 1, 0)
    return before, course.date(before)


def _month(course: _Course, month: int, sized: Plan, spent: float | None) -> Month:
    fullest = max(sized.verdicts, key=lambda row: row.utilisation / row.threshold)
    return Month(
        month=month,
        date=course.date(month),
        load_factor=course.load_factor(month),
        produce_in_bytes_per_s=sized.cluster.produce_in_bytes_per_s,
        disk_bytes_worst=sized.cluster.disk_bytes_worst,
        brokers=sized.brokers.count,
        holds=sized.feasible,
        fullest_resource=fullest.resource,
        fullest_state=fullest.state,
        utilisation_of_limit=fullest.utilisation / fullest.threshold,
        cost_per_month=None if sized.cost is None else sized.cost.per_month,
        cost_so_far=spent,
    )


def _expansions(course: _Course, month: int, counts: Mapping[str, int], brokers: int) -> Iterator[Purchase]:
    """Topics whose load has outgrown their partitions; what members and spread ask for does not grow.

    Adding partitions moves keys, so it is done once, for all the months that are looked at.
    """
    now, later = (_loads_need(course, at, brokers) for at in (month, course.months))
    for name, (needed, reason) in now.items():
        if needed <= counts[name] * _TIGHT:
            continue
        wanted = max(needed, later[name][0])
        after = partitions.useful_count(wanted, constant("partitions.useful_stretch"))
        change = repartition(_at(course, month, brokers, counts), name, after)
        route = next(route for route in change.routes if route.name == change.recommended)
        yield Purchase(
            "partitions",
            *_due(course, month),
            name,
            counts[name],
            after,
            reason,
            change.moved_key_fraction,
            route.bytes_copied,
            route.duration_s,
            route.cost,
            None,
            route.name,
        )


def _loads_need(course: _Course, month: int, brokers: int) -> dict[str, tuple[float, str]]:
    """For each topic the partitions that its load asks for at a month, not rounded, and why."""
    from planner.sizing.sized import size_at

    workload = Workload(course.scenario).scaled(course.load_factor(month))
    reasons = size_at(workload, brokers).reasons
    asked = {name: reasons[name] for name in ("produce", "consume", "processing", "hot_key")}
    return {
        topic: max((float(values[index]), name) for name, values in asked.items())
        for index, topic in enumerate(workload.names)
    }


def _findings(known: rules.Trend, *, fitted: bool) -> Iterator[Finding]:
    if known.growth_per_year <= 0:
        message = "The load does not grow: no limit is reached."
        yield Finding("no_growth", "info", message, "Give policy.growth_per_year, --per-year or a history.")
    if fitted and known.growth_per_year_low <= 0 < known.growth_per_year_high:
        message = (
            "The history is as well explained by no growth: its interval goes from "
            f"{known.growth_per_year_low:+.0%} to {known.growth_per_year_high:+.0%} a year."
        )
        yield Finding("growth_uncertain", "warning", message, "Bring a longer history, and plan for its high end.")


# The history


def trend_of(text: str) -> rules.Trend:
    """Fit the growth to a CSV of daily bytes.

    Parameters
    ----------
    text
        A table with the columns `date` (ISO 8601) and `bytes` (a number, or text with a unit), a row for each day.

    Returns
    -------
    Trend
        Growth in a year with its interval, and the peak day over the trend.

    Raises
    ------
    ScenarioError
        For whatever is wrong with the table, all of it at once.
    """
    if len(text.encode("utf-8", "replace")) > MOST_BYTES:
        raise refusal(
            "The history is too large.", "history", f"{len(text):,} characters", f"up to {MOST_BYTES:,} bytes"
        )
    days = _days(text)
    first = min(days)
    numbers = np.array([(day - first).days for day in sorted(days)], dtype=float)
    return rules.trend(days=numbers, daily_bytes=np.array([days[day] for day in sorted(days)]))


def _days(text: str) -> dict[dt.date, float]:
    reader = csv.DictReader(io.StringIO(text.lstrip("\ufeff")))
    heads = [str(head).strip().lower() for head in reader.fieldnames or ()]
    if not {"date", "bytes"} <= set(heads):
        raise refusal("The history lacks its columns.", "history", ", ".join(heads)[:200], "columns date and bytes")
    reader.fieldnames = heads
    found: dict[dt.date, float] = {}
    errors: list[InputError] = []
    try:
        for number, row in enumerate(reader, start=2):
            if number > MOST_DAYS + 1:
                raise refusal("The history is too long.", "history", f"row {number}", f"up to {MOST_DAYS:,} days")
            _read_day(number, row, found, errors)
    except csv.Error as error:
        raise refusal(f"The history is no CSV: {error}.", "history") from None
    if not errors and len(found) < _LEAST_DAYS:
        errors.append(InputError("history", len(found), "Too few days for a trend.", f"at least {_LEAST_DAYS}"))
    if errors:
        raise ScenarioError(capped(errors))
    return found


def _read_day(
    number: int, row: Mapping[str, str | None], found: dict[dt.date, float], errors: list[InputError]
) -> None:
    path = f"history row {number}"
    date, amount = (row.get("date") or "").strip(), (row.get("bytes") or "").strip()
    try:
        day = dt.date.fromisoformat(date)
    except ValueError:
        errors.append(InputError(f"{path} date", shorten(date), "This is no date.", "such as 2026-01-31"))
        return
    if day in found:
        errors.append(InputError(f"{path} date", date, "The day is there twice.", "each day once"))
    try:
        value = parse(amount if any(map(str.isalpha, amount)) else f"{amount} B", "bytes")  # a bare number is bytes
    except ValueError as error:
        errors.append(InputError(f"{path} bytes", shorten(amount), str(error), "such as 1.2e12 or 1.2TB"))
        return
    if not (0 < value < 1e21):  # noqa: PLR2004 - a zettabyte a day
        errors.append(InputError(f"{path} bytes", shorten(amount), "This is no day's traffic.", "above 0, below 1 ZB"))
        return
    found[day] = value
