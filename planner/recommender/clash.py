"""When every system is eliminated: which must-haves contradict each other, and what giving up each would buy."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np

from planner.recommender.answers import Answers, Batch
from planner.recommender.explain import said
from planner.recommender.judge import NOBODY, Ruling
from planner.recommender.musthaves import RULES, Rule, broken_by, leaving
from planner.recommender.recommendation import Contradiction, Relaxed
from planner.recommender.systems import Array, Catalogue

Judge = Callable[[Batch], Ruling]
_MOST_TOGETHER = 4


def contradiction(answers: Answers, catalogue: Catalogue, judge: Judge, ruling: Ruling) -> Contradiction:
    """The fewest must-haves that no system meets together, usually a pair."""
    batch = Batch.of([answers.columns()])
    broken: dict[str, Array] = {}
    needs: dict[str, str] = {}
    for rule in RULES:
        fails = broken_by(rule, batch, catalogue)[:, 0]
        if fails.any():
            name = _input(rule, answers)
            broken[name] = broken.get(name, np.zeros(len(fails), dtype=bool)) | fails
            needs[name] = f"{needs[name]} and {rule.need}" if name in needs else rule.need
    extra = {"leaving": leaving(batch, catalogue)[:, 0]}
    if "budget_per_month" in answers.given:
        with np.errstate(invalid="ignore"):
            extra["budget_per_month"] = ruling.money.infrastructure[:, 0] > float(answers.given["budget_per_month"])
    texts = {"leaving": "not what is being left", "budget_per_month": "a price within the budget"}
    for name, fails in extra.items():
        if fails.any():
            broken[name], needs[name] = fails, texts[name]
    names = _fewest(broken)
    relaxing = tuple(_relaxed(answers, name, needs[name], judge) for name in names)
    listed = " and ".join(f"{name} = {said(name, answers.given.get(name))} ({needs[name]})" for name in names)
    sentence = f"No system meets {listed} together." if len(names) > 1 else f"No system meets {listed}."
    return Contradiction(tuple(names), tuple(needs[name] for name in names), sentence, relaxing)


def _input(rule: Rule, answers: Answers) -> str:
    return next((name for name in reversed(rule.inputs) if name in answers.given), rule.inputs[0])


def _fewest(broken: dict[str, Array]) -> list[str]:
    """The smallest set of inputs that together rule everything out; all of them when it is a large one."""
    for size in range(1, _MOST_TOGETHER + 1):
        for names in combinations(broken, size):
            if np.logical_or.reduce([broken[name] for name in names]).all():
                return list(names)
    return list(broken)


def _relaxed(answers: Answers, name: str, need: str, judge: Judge) -> Relaxed:
    ruling = judge(Batch.of([answers.with_answer(name, None).columns()]))
    best = int(ruling.best[0])
    system = None if best == NOBODY else ruling.catalogue.systems[best]
    return Relaxed(name, need, system.family if system else None, system.key if system else None)
