"""Money over the rate and over time: where Kafka breaks even, when growth gets there, when a migration has paid."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np

from planner.constants import constant
from planner.model import messaging
from planner.recommender.answers import Answers, Batch
from planner.recommender.costs import hourly_rate, money_of
from planner.recommender.explain import cheapest_kafka, rival_of
from planner.recommender.judge import NOBODY, Ruling
from planner.recommender.recommendation import BreakEven, Growth, Migration
from planner.recommender.systems import KAFKA, Array
from planner.trace import Trace
from planner.units import counted

_RATES = (1e-3, 1e8)
_POINTS = 400
_YEAR_DAYS = 365.25
_FAR_YEARS = 200.0
_RUNNING = ("leaving", "existing")


def break_even(answers: Answers, ruling: Ruling) -> BreakEven:
    """The rate from which the cheapest Kafka costs no more than its best rival, people included, all else as today."""
    folk = constant("recommender.folk_events_per_s")
    best = int(ruling.best[0])
    if best == NOBODY:
        return BreakEven(None, None, None, folk, "every system is eliminated", ())
    systems = ruling.catalogue.systems
    other = rival_of(ruling) if systems[best].family == KAFKA else best
    kafka = cheapest_kafka(ruling)
    if NOBODY in (other, kafka):
        return BreakEven(None, None, None, folk, "there are not two systems to compare", ())
    rates = np.geomspace(*_RATES, _POINTS)
    found = _crossing(answers, ruling, kafka, other, rates)
    if found is not None:
        found = _crossing(answers, ruling, kafka, other, np.geomspace(found / 1.1, found * 1.1, _POINTS)) or found
    names = {"against": systems[kafka].key, "system": systems[other].key}
    told = _told(answers)
    if found is not None and found <= rates[0] * 1.1:
        return BreakEven(None, **names, folk_events_per_s=folk, reason="Kafka costs less at any rate", assumptions=told)
    reason = None if found is not None else f"Kafka does not become cheaper up to {_RATES[1]:.0e} events a second"
    shown = None if found is None else float(f"{found:.3g}")
    return BreakEven(shown, **names, folk_events_per_s=folk, reason=reason, assumptions=told)


def _crossing(answers: Answers, ruling: Ruling, kafka: int, other: int, rates: Array) -> float | None:
    """The first rate on the grid from which Kafka costs no more."""
    columns = {name: np.full(len(rates), value) for name, value in answers.columns().items()}
    average, peak = answers.given.get("events_per_s"), answers.given.get("peak_events_per_s")
    columns.pop("peak_events_per_s", None)
    if average and peak:
        columns["peak_events_per_s"] = rates * (float(peak) / float(average))
    columns["events_per_s"] = rates
    columns.pop("bytes_per_s", None) if "message_bytes" in columns else None
    total = money_of(Batch(columns, len(rates)), ruling.catalogue).total
    with np.errstate(invalid="ignore"):
        cheaper = np.flatnonzero(total[kafka] <= total[other])
    return float(rates[cheaper[0]]) if len(cheaper) else None


def _told(answers: Answers) -> tuple[str, ...]:
    batch = constant("recommender.batch_events")
    size = answers.given.get("message_bytes")
    groups = int(answers.given.get("consumer_groups") or constant("recommender.consumer_groups"))
    return (
        f"batches of {batch:g}",
        f"messages of {float(size or constant('recommender.message_bytes')):.4g} bytes",
        counted(groups, "consumer group"),
        "hours of people as assumed",
    )


def growth(answers: Answers, rate: float | None, today: dt.date, trace: Trace) -> Growth | None:
    """When the load reaches the break-even rate; None where it does not grow, is there, or would take for ever."""
    a_year, now = answers.given.get("growth_per_year"), answers.given.get("events_per_s")
    if not a_year or not now or rate is None or rate <= now:
        return None
    years = float(
        trace("growth_years", messaging.growth_years, factor=rate / float(now), growth_per_year=float(a_year))
    )
    if years > _FAR_YEARS:
        return None
    return Growth(float(a_year), years, (today + dt.timedelta(days=years * _YEAR_DAYS)).isoformat())


def migration(answers: Answers, batch: Batch, ruling: Ruling, trace: Trace) -> Migration | None:
    """What leaving a running Kafka takes and saves; None unless Kafka runs and something else is the verdict."""
    best = int(ruling.best[0])
    systems = ruling.catalogue.systems
    running = [
        row
        for row, system in enumerate(systems)
        for name in _RUNNING
        if system.family == KAFKA and set(system.products) & set(answers.given.get(name, ()))
    ]
    if best == NOBODY or systems[best].family == KAFKA or not running:
        return None
    # what runs is paid for every month, whether it is new or not
    held = {name: column for name, column in batch.columns.items() if not name.startswith(_RUNNING)}
    total = money_of(Batch(held, batch.size), ruling.catalogue).total[:, 0]
    old = min(running, key=lambda row: math.inf if math.isnan(total[row]) else total[row])
    saving = float(total[old] - ruling.money.total[best, 0])
    topics = answers.topics or constant("recommender.topics")
    hours = constant("recommender.migration_hours") + topics * constant("recommender.migration_hours_per_topic")
    rate = float(hourly_rate(batch)[0])
    if not saving > 0:
        reason = "it would save nothing" if saving <= 0 else "the price of what runs is not known"
        return Migration(systems[old].key, hours, hours * rate, None if math.isnan(saving) else saving, None, reason)
    months = trace(
        "payback_months", messaging.payback_months, effort_hours=hours, hourly_rate=rate, saving_per_month=saving
    )
    return Migration(systems[old].key, hours, hours * rate, saving, float(months), None)
