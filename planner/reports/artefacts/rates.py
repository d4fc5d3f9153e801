"""Record rates of the topics, from the steps of the plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from planner.results import Plan


class Rates(NamedTuple):
    """Records a second of a topic."""

    peak: float
    average: float


def rates_of(plan: Plan) -> Mapping[str, Rates]:
    """The rates that the plan was sized for, by topic."""
    step, names = plan.trace.steps["topics.peak_records_per_s"], plan.trace.labels
    average = np.broadcast_to(step.numbers["records_per_s"] * step.numbers["growth_factor"], len(names))
    peak = np.broadcast_to(step.value, len(names))
    return {name: Rates(float(peak[at]), float(average[at])) for at, name in enumerate(names)}
