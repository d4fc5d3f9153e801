"""How sure the verdict is: the share of seeded draws that keep it times the share of the must-haves answered."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from planner.constants import constants
from planner.fields import Ranged
from planner.recommender.answers import Answers, Batch
from planner.recommender.judge import Doubt, judge
from planner.recommender.musthaves import QUESTIONS
from planner.recommender.preferences import Table, point_price
from planner.recommender.systems import Array, Catalogue

DRAWS = 128
_SEED = 2026
_WEIGHT_SPREAD = 0.5  # a weight lies within half of itself
_RATE_SPREAD = 2.0  # a stated rate within a factor of two
_MONEY_SPREAD = 1.5  # list prices and sizes of other systems
_UNKNOWN_SPREAD = 3.0  # money that rests on an assumed rate or size
CLOSE_CALL = 0.7
_ROUNDS = 3  # answers hidden at once, at most
_FEW = 8  # answers, of which every pair is hidden in turn; of more, those next to the best _WIDE
_WIDE = 2
_RATES = ("events_per_s", "peak_events_per_s", "bytes_per_s")


def answered_fraction(answers: Answers) -> float:
    """Share of the must-have questions that were answered."""
    return sum(name in answers.given for name in QUESTIONS) / len(QUESTIONS)


@dataclass(frozen=True)
class Confidence:
    """The share of draws that keep the family, the share of must-haves answered, and what follows from both."""

    kept: float
    answered: float
    value: float


def confidence(answers: Answers, catalogue: Catalogue, table: Table) -> Confidence:
    """How sure the verdict is; an answer never makes it less sure than it would be with some answers hidden.

    The product alone could fall when an answer turns a clear verdict into a close one, so the best of the product over
    what is left without one answer, without two, and a little further from the best of these, stands.
    """
    kept = _kept([answers], catalogue, table)[0]
    whole = answered_fraction(answers)
    best = kept * whole
    sets = [answers]
    for round_ in range(_ROUNDS):
        sets = _fewer(sets)
        if not sets or max(map(answered_fraction, sets)) <= best:
            break
        shares = _kept(sets, catalogue, table)
        values = [share * answered_fraction(known) for share, known in zip(shares, sets, strict=True)]
        best = max(best, *values)
        wide = _WIDE if len(answers.given) > _FEW or round_ else len(sets)
        sets = [sets[index] for index in np.argsort(values)[::-1][:wide]]
    return Confidence(kept, whole, best)


def _fewer(sets: Sequence[Answers]) -> list[Answers]:
    """Every set with one more answer hidden, each once."""
    found: dict[frozenset[str], Answers] = {}
    for known in sets:
        for name in known.given:
            left = known.with_answer(name, None)
            found.setdefault(frozenset(left.given), left)
    return [left for left in found.values() if left.given]


def _kept(sets: Sequence[Answers], catalogue: Catalogue, table: Table) -> list[float]:
    """Per set of answers the share of the draws over weights, rates, prices and hours in which the family stays."""
    plain = judge(Batch.of([known.columns() for known in sets]), catalogue, table).families
    drawn = [_drawn(known, np.random.default_rng(_SEED)) for known in sets]
    names = dict.fromkeys(name for batch in drawn for name in batch)
    unknown = np.full(DRAWS, math.nan)
    columns = {name: np.concatenate([batch.get(name, unknown) for batch in drawn]) for name in names}
    doubts = [_doubt(known, len(catalogue.systems), table) for known in sets]
    doubt = Doubt(*(np.concatenate(part, axis=-1) for part in zip(*doubts, strict=True)))
    families = judge(Batch(columns, DRAWS * len(sets)), catalogue, table, doubt).families.reshape(len(sets), DRAWS)
    return [float(share) for share in (families == plain[:, None]).mean(axis=1)]


def _doubt(answers: Answers, systems: int, table: Table) -> tuple[Array, Array, Array, Array]:
    """Weights, money of the systems, hours and the price of a point; the same numbers whatever is known."""
    random = np.random.default_rng(_SEED + 1)
    weights = random.uniform(1 - _WEIGHT_SPREAD, 1 + _WEIGHT_SPREAD, (len(table.rows), DRAWS))
    unsure = not {"events_per_s", "message_bytes"} <= answers.given.keys()
    common = random.uniform(-1, 1, (1, DRAWS)) * math.log(_UNKNOWN_SPREAD if unsure else _MONEY_SPREAD)
    hours = constants()["recommender.people_hours.broker"]
    price = constants()["recommender.point_price"]
    return (
        table.weights[:, None] * weights,
        np.exp(common) * _around(random, _MONEY_SPREAD, (systems, DRAWS)),
        _around(random, hours.high / hours.value, (1, DRAWS)) * np.ones((systems, 1)),
        point_price() * _around(random, price.high / price.value, (DRAWS,)),
    )


def _around(random: np.random.Generator, factor: float, shape: tuple[int, ...]) -> Array:
    """Factors from 1/factor to factor, even in logarithm."""
    return np.exp(random.uniform(-math.log(factor), math.log(factor), shape))


def _drawn(answers: Answers, random: np.random.Generator) -> dict[str, Array]:
    """The answers with rates and ranges drawn; average and peak move together."""
    table = {name: np.full(DRAWS, value) for name, value in answers.columns().items()}
    factor, place = _around(random, _RATE_SPREAD, (DRAWS,)), random.uniform(size=DRAWS)
    for name, value in answers.given.items():
        if isinstance(value, Ranged) and value.low > 0:
            table[name] = value.low * (value.high / value.low) ** place
        elif name in _RATES:
            table[name] = table[name] * factor
    return table
