"""From the answers to a recommendation: judge once, then explain, look for flips, and say how sure it is."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np

from planner.model import messaging
from planner.recommender import explain, outlook
from planner.recommender.answers import PRODUCTS, Answers, Batch, answers_of, load_of
from planner.recommender.clash import contradiction
from planner.recommender.confidence import CLOSE_CALL, confidence
from planner.recommender.costs import OUTBOX
from planner.recommender.flips import find_flips, find_pairs
from planner.recommender.judge import GOOD_FIT, NOBODY, NOT_NEEDED, REQUIRED, WRONG, Ruling, judge
from planner.recommender.musthaves import QUESTIONS, unknown_products
from planner.recommender.preferences import Table, default_table
from planner.recommender.recommendation import Choice, Contradiction, Flip, Recommendation, SystemCost
from planner.recommender.systems import Catalogue, System, catalogue
from planner.results import Assumption
from planner.scenario import Scenario, ranges_of
from planner.sizing.totals import constants_used
from planner.trace import Trace

_NEXT = 3
_LARGE_BYTES = 1e7  # beyond this no broker is the place for the payload
_CLOUD_NAMES = {"aws": "AWS", "gcp": "Google Cloud", "azure": "Azure"}
STRENGTH_WORDS = {
    REQUIRED: "Kafka is required",
    GOOD_FIT: "Kafka is a good fit",
    NOT_NEEDED: "Kafka works but is not needed",
    WRONG: "Kafka is the wrong tool",
}


def recommend(
    scenario: Scenario, *, table: Table | None = None, systems: Catalogue | None = None, today: dt.date | None = None
) -> Recommendation:
    """Say whether this workload needs Kafka, what to use instead, and what would change the answer.

    Parameters
    ----------
    scenario
        A scenario with questions, topics, or both. What topics say about rates counts; unanswered questions stay
        unknown: they never eliminate a system, they lower the confidence.
    table
        Preferences of one's own, as `planner.recommender.preferences.read_table` reads them.
    systems
        The systems to choose from; by default all of `data/systems`.
    today
        The day that growth is counted from; by default today.

    Returns
    -------
    Recommendation
        Verdict, reasons, eliminated systems, costs, flips, confidence.

    Examples
    --------
    >>> import planner
    >>> recommend(planner.load({"questions": {"events_per_day": 5000, "work": "queue", "cloud": "aws"}})).system
    'sqs_standard'
    """
    chosen, known = table or default_table(), systems or catalogue()
    answers = answers_of(scenario)
    batch = Batch.of([answers.columns()])
    ruling = judge(batch, known, chosen)

    def again(variants: Batch) -> Ruling:
        return judge(variants, known, chosen)

    flips, no_flips = find_flips(answers, ruling, again)
    trace = Trace()
    _trace_load(batch, trace)
    even = outlook.break_even(answers, ruling)
    sure = confidence(answers, known, chosen)
    clash = None if int(ruling.best[0]) != NOBODY else contradiction(answers, known, again, ruling)
    best = _choice(ruling, int(ruling.best[0]))
    cost = _cost(batch, ruling)
    move = outlook.migration(answers, batch, ruling, trace)
    return Recommendation(
        name=scenario.name,
        verdict=ruling.strength(),
        family=best.family if best else None,
        system=best.system if best else None,
        runner_up=_runner_up(ruling),
        also=_also(ruling),
        confidence=sure.value,
        kept_fraction=sure.kept,
        answered_fraction=sure.answered,
        close_call=min(sure.value, sure.kept) < CLOSE_CALL,
        sentence=_sentence(batch, ruling, cost, clash),
        reasons=explain.reasons(batch, chosen, answers, ruling),
        eliminated=explain.eliminations(batch, known, answers, ruling),
        scores=explain.scores(batch, chosen, ruling),
        cost=cost,
        currency="USD",
        flips=flips,
        pairs=find_pairs(answers, flips, again),
        no_flips=no_flips,
        break_even=even,
        growth=outlook.growth(answers, even.events_per_s, today or dt.date.today(), trace),  # noqa: DTZ011 - a plain date
        migration=move,
        contradiction=clash,
        questions_next=_questions_next(answers, flips),
        answers={name: _plain(value) for name, value in answers.given.items()},
        warnings=(*_warnings(answers, batch, known, ruling), *explain.unanswered(batch, ruling)),
        assumptions=_assumptions(scenario, answers),
        trace=trace,
    )


def _plain(value: Any) -> Any:
    if isinstance(value, float) and value == float("inf"):
        return "forever"
    return list(value) if isinstance(value, tuple) else float(value) if isinstance(value, float) else value


def _trace_load(batch: Batch, trace: Trace) -> None:
    load = load_of(batch)
    trace("gigabytes_per_month", messaging.gigabytes_per_month, bytes_per_s=float(load.flow[0]))
    trace(
        "stored_gigabytes",
        messaging.stored_gigabytes,
        bytes_per_s=float(load.flow[0]),
        retention_s=float(load.kept_s[0]),
        copies=1,
    )


def _choice(ruling: Ruling, row: int) -> Choice | None:
    if row == NOBODY:
        return None
    system = ruling.catalogue.systems[row]
    return Choice(system.key, system.family)


def _runner_up_row(ruling: Ruling) -> int:
    """The best system of another family, else the second of the same."""
    order = ruling.order()
    if len(order) < 2:  # noqa: PLR2004 - a first and a second
        return NOBODY
    families = [system.family for system in ruling.catalogue.systems]
    return next((row for row in order if families[row] != families[order[0]]), order[1])


def _runner_up(ruling: Ruling) -> Choice | None:
    return _choice(ruling, _runner_up_row(ruling))


def _also(ruling: Ruling) -> tuple[str, ...]:
    """What is bought beside the verdict."""
    best = int(ruling.best[0])
    if best == NOBODY:
        return ()
    beside = [] if int(ruling.also[0]) == NOBODY else [ruling.catalogue.systems[int(ruling.also[0])].key]
    return (*beside, *(key for key, needed in ruling.money.extras.items() if needed[best, 0]))


def _cost(batch: Batch, ruling: Ruling) -> tuple[SystemCost, ...]:
    """Verdict, runner-up and the cheapest Kafka, each once."""
    rows = {int(ruling.best[0]): "verdict"}
    rows.setdefault(_runner_up_row(ruling), "runner-up")
    rows.setdefault(explain.cheapest_kafka(ruling), "cheapest Kafka")
    return tuple(
        explain.cost_of(batch, ruling, row, role, _also(ruling) if role == "verdict" else ())
        for row, role in rows.items()
        if row != NOBODY
    )


def _sentence(batch: Batch, ruling: Ruling, cost: tuple[SystemCost, ...], clash: Contradiction | None) -> str:
    strength = ruling.strength()
    if strength is None or clash is not None:
        return clash.sentence if clash else ""
    systems = ruling.catalogue.systems
    best = systems[int(ruling.best[0])]
    also = [_beside(ruling, key) for key in _also(ruling)]
    with_others = f" together with {' and '.join(also)}" if also else ""
    runner = _runner_up_row(ruling)
    second = f" (runner-up: {systems[runner].name})" if runner != NOBODY else ""
    amount = _money_words(cost[0])
    return f"{STRENGTH_WORDS[strength]}; use {best.name}{_place(ruling, best, batch)}{with_others}{second}. {amount}"


def _place(ruling: Ruling, system: System, batch: Batch) -> str:
    """Where a service of one cloud is to be had, when the cloud is not known."""
    offered = [cloud for cloud in _CLOUD_NAMES if ruling.catalogue.facts[system.key, f"cloud_{cloud}"].value]
    if batch.known("cloud")[0] or len(offered) != 1:
        return ""
    return f", if you are on {_CLOUD_NAMES[offered[0]]}"


def _beside(ruling: Ruling, key: str) -> str:
    queue = int(ruling.also[0])
    if key == OUTBOX and (queue == NOBODY or ruling.catalogue.systems[queue].key != key):
        return "an outbox table in the database"
    known = catalogue()
    return known.systems[known.index(key)].name


def _money_words(cost: SystemCost) -> str:
    people = f"{cost.people_per_month:,.0f} USD of people".replace(",", " ")
    if cost.infrastructure_per_month is None:
        return f"Its price could not be read; {people} a month are assumed beside it."
    infrastructure = f"{cost.infrastructure_per_month:,.0f} USD".replace(",", " ")
    return f"It costs about {infrastructure} a month, and {people}."


def _questions_next(answers: Answers, flips: tuple[Flip, ...]) -> tuple[str, ...]:
    """The unanswered questions whose answers would change the family, must-haves first."""
    open_flips = [flip.input for flip in flips if flip.input not in answers.given and flip.from_ is None]
    ranked = [name for name in QUESTIONS if name in open_flips] + [name for name in open_flips if name not in QUESTIONS]
    missing = [name for name in QUESTIONS if name not in answers.given and name not in ranked]
    asked = [name for name in (*ranked, *missing) if name not in PRODUCTS]
    return tuple(dict.fromkeys(asked))[:_NEXT]


def _warnings(answers: Answers, batch: Batch, known: Catalogue, ruling: Ruling) -> tuple[str, ...]:
    lists = {name: tuple(answers.given.get(name, ())) for name in PRODUCTS}
    found = [
        f"{name}: the product {product} is not known and was left aside." for name, product in unknown_products(lists)
    ]
    with np.errstate(invalid="ignore"):
        if (batch.message_bytes > _LARGE_BYTES).any():
            found.append("Messages of more than 10 MB belong into an object store, with a pointer in the message.")
    if "budget_per_month" in answers.given:
        unpriced = np.flatnonzero(ruling.alive[:, 0] & np.isnan(ruling.money.infrastructure[:, 0]))
        names = ", ".join(known.systems[row].name for row in unpriced)
        found += [f"Whether the budget holds is not known for {names}: no list price could be read."] if names else []
    return (*found, *explain.doubtful(batch, known))


def _assumptions(scenario: Scenario, answers: Answers) -> tuple[Assumption, ...]:
    """Stand-ins for what is unknown, the constants of money and people, and ranges taken at their likely value."""
    stands_in = {f"recommender.{name}" for name in answers.given}
    rows = [row for row in constants_used("recommender.") if row.id not in stands_in]
    ranges = [
        Assumption(path, float(value), "", value.low, value.high, "scenario (range, likely value taken)", "")
        for path, value in ranges_of(scenario)
    ]
    return (*ranges, *rows)
