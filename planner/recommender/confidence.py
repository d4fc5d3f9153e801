"""How sure the verdict is: the share of seeded draws that keep it times the share of the must-haves answered."""

from __future__ import annotations

import math

import numpy as np

from planner.constants import constants
from planner.fields import Ranged
from planner.recommender.answers import Answers, Batch
from planner.recommender.judge import Doubt, judge
from planner.recommender.musthaves import QUESTIONS
from planner.recommender.preferences import Table, point_price
from planner.recommender.systems import Array, Catalogue

DRAWS = 200
_SEED = 2026
_WEIGHT_SPREAD = 0.5  # a weight lies within half of itself
_RATE_SPREAD = 2.0  # a stated rate within a factor of two
_MONEY_SPREAD = 1.5  # list prices and sizes of other systems
_UNKNOWN_SPREAD = 3.0  # money that rests on an assumed rate or size
CLOSE_CALL = 0.7


def answered_fraction(answers: Answers) -> float:
    """Share of the must-have questions that were answered."""
    return sum(name in answers.given for name in QUESTIONS) / len(QUESTIONS)


def kept_fraction(answers: Answers, catalogue: Catalogue, table: Table) -> float:
    """Share of the draws over weights, rates, prices and hours in which the family stays."""
    random = np.random.default_rng(_SEED)
    columns = answers.columns()
    family = judge(Batch.of([columns]), catalogue, table).families[0]
    batch = _drawn(answers, columns, random)
    unsure = not {"events_per_s", "message_bytes"} <= answers.given.keys()
    systems = len(catalogue.systems)
    spread = _UNKNOWN_SPREAD if unsure else _MONEY_SPREAD
    common = _around(random, spread, (1, DRAWS))
    hours = constants()["recommender.people_hours.broker"]
    price = constants()["recommender.point_price"]
    doubt = Doubt(
        weights=table.weights[:, None]
        * random.uniform(1 - _WEIGHT_SPREAD, 1 + _WEIGHT_SPREAD, (len(table.rows), DRAWS)),
        infrastructure=common * _around(random, _MONEY_SPREAD, (systems, DRAWS)),
        people=_around(random, hours.high / hours.value, (1, DRAWS)) * np.ones((systems, 1)),
        point_price=point_price() * _around(random, price.high / price.value, (DRAWS,)),
    )
    return float((judge(batch, catalogue, table, doubt).families == family).mean())


def _around(random: np.random.Generator, factor: float, shape: tuple[int, ...]) -> Array:
    """Factors from 1/factor to factor, even in logarithm."""
    return np.exp(random.uniform(-math.log(factor), math.log(factor), shape))


def _drawn(answers: Answers, columns: dict[str, float], random: np.random.Generator) -> Batch:
    """The answers with rates and ranges drawn; average and peak move together."""
    table = {name: np.full(DRAWS, value) for name, value in columns.items()}
    factor = _around(random, _RATE_SPREAD, (DRAWS,))
    for name, value in answers.given.items():
        if isinstance(value, Ranged):
            low, high = math.log(max(value.low, 1e-9)), math.log(max(value.high, 1e-9))
            table[name] = np.exp(random.uniform(low, high, DRAWS)) if high > low else table[name]
        elif name in ("events_per_s", "peak_events_per_s", "bytes_per_s"):
            table[name] = table[name] * factor
    return Batch(table, DRAWS)
