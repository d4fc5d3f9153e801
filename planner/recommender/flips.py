"""Stage 4: for every input the nearest value at which the family changes.

All candidates of all inputs are judged in one batch; a numeric flip is narrowed in two more. Every flip is then written
in the words of the scenario and judged again, at the value and just before it; one that does not hold is dropped.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from planner.constants import constant
from planner.fields import ManyOf, OneOf, Quantity, Whole, YesNo
from planner.recommender.answers import PRODUCTS, Answers, Batch, encode, reader_of
from planner.recommender.judge import NOBODY, Ruling
from planner.recommender.recommendation import Flip, NoFlip, Pair
from planner.scenario import Questions

Judge = Callable[[Batch], Ruling]

_GRID = 48  # values of a numeric input that are tried at first, and between two of them again
_CAP = 1000.0  # times today's value, as far as a numeric flip is looked for
_JUST_BEFORE = 0.01  # this close to a flip the family is still the old one
_DIGITS = 3
_LEFT_OUT = ("events_per_day", "bytes_per_s", "growth_per_year")  # said by others, or no input of the verdict
_YEAR_S = 365 * 86400.0

# from where to where an unanswered number is looked through, the loosest value first
_DOMAIN = {
    "events_per_s": (0.001, 1e7),
    "peak_events_per_s": (0.001, 1e7),
    "message_bytes": (10.0, 1e8),
    "consumer_groups": (1.0, 1000.0),
    "retention": (60.0, 10 * _YEAR_S),
    "queues": (1.0, 1e7),
    "backlog": (1.0, 1e12),
    "latency_p99": (3600.0, 0.0005),
    "engineers": (100.0, 0.0),
    "budget_per_month": (1e7, 1.0),
    "hourly_rate": (1.0, 1000.0),
}
_ANCHORS = {name: f"recommender.{name}" for name in ("events_per_s", "message_bytes", "consumer_groups", "hourly_rate")}
_WHOLE = ("consumer_groups", "queues")


@dataclass(frozen=True)
class _Step:
    """One candidate value, and the value before it on the way out from today's; None is unanswered."""

    input: str
    value: Any
    before: Any


def find_flips(answers: Answers, ruling: Ruling, judge: Judge) -> tuple[tuple[Flip, ...], tuple[NoFlip, ...]]:
    """Every input's nearest flip, the nearest first, and the inputs without one."""
    base = int(ruling.families[0])
    names = [name for name in Questions.model_fields if name not in _LEFT_OUT]
    walks = {name: _walks(answers, name) for name in names}
    steps = [step for walk in walks.values() for way in walk for step in way]
    families = judge(_batch(answers, steps)).families if steps else np.array([])
    found: dict[str, list[_Step]] = {}
    at = 0
    for name, walk in walks.items():
        for way in walk:
            changed = np.flatnonzero(families[at : at + len(way)] != base)
            if len(changed):
                found.setdefault(name, []).append(way[int(changed[0])])
            at += len(way)
    sharp = _narrow(answers, [step for way in found.values() for step in way], base, judge)
    flips = _verified(answers, sharp, ruling, judge)
    nearest: dict[str, Flip] = {}
    for flip in flips:
        name = "events_per_s" if flip.input == "events_per_day" else flip.input
        if name not in nearest or _distance(flip) < _distance(nearest[name]):
            nearest[name] = flip
    ranked = sorted(nearest.values(), key=_distance)
    missing = (NoFlip(name, _shown(answers, name), _ends(walks[name])) for name in names if name not in nearest)
    return tuple(ranked), tuple(missing)


def _shown(answers: Answers, name: str) -> Any:
    value = answers.given.get(name)
    if name == "events_per_s" and value is not None and answers.per_day:
        return float(value) * 86400
    return float(value) if isinstance(value, float) else list(value) if isinstance(value, tuple) else value


def _ends(ways: Sequence[Sequence[_Step]]) -> tuple[float, ...]:
    """How far a number was looked through, in both directions; nothing for words, all of which were tried."""
    ends = [way[-1].value for way in ways if way]
    return tuple(sorted(float(end) for end in ends if isinstance(end, int | float) and not isinstance(end, bool)))


# Candidates


def _walks(answers: Answers, name: str) -> list[list[_Step]]:
    """Candidate values of an input, in order of distance from today's, one list per direction."""
    reader, today = reader_of(name), answers.given.get(name)
    if isinstance(reader, YesNo):
        return [[_Step(name, value, today)] for value in (True, False) if value is not today]
    if isinstance(reader, OneOf):
        return [[_Step(name, word, today)] for word in reader.words if word != today]
    if isinstance(reader, ManyOf):
        return [[_Step(name, words, today)] for words in _lists(answers, name, reader)]
    return _number_walks(answers, name) if isinstance(reader, Quantity | Whole) else []


def _lists(answers: Answers, name: str, reader: ManyOf) -> list[tuple[str, ...]]:
    """Lists that have one word more or one less; a product is in one of the two lists of products."""
    held = tuple(word for word in answers.given.get(name, ()) if word != "none")
    taken = {word for other in PRODUCTS if other != name for word in answers.given.get(other, ())}
    words = reader.words or tuple(word for word in _product_words() if word not in taken)
    more = [(*held, word) for word in words if word not in held and word != "none"]
    less = [tuple(word for word in held if word != gone) for gone in held]
    if name in PRODUCTS or not less:
        return more + [row for row in less if row or name in PRODUCTS]
    return more + [row or (("none",) if "none" in reader.words else ()) for row in less]


def _product_words() -> tuple[str, ...]:
    """One product name per product, the way the documentation spells it."""
    from planner.recommender.systems import catalogue

    return tuple(dict.fromkeys(system.products[0] for system in catalogue().systems))


def _number_walks(answers: Answers, name: str) -> list[list[_Step]]:
    today = answers.given.get(name)
    first, last = _DOMAIN[name]
    if today is None and name not in _ANCHORS:
        values = _grid(first, last, name)
        return [_chain(name, [None, *values])]
    anchor = float(today) if today is not None else constant(_ANCHORS[name])
    low, high = sorted((first, last))
    if anchor == math.inf:
        return [_chain(name, [anchor, *_grid(high, low, name)])]
    low = max(low, anchor / _CAP) if anchor else low
    high = min(high, anchor * _CAP) if anchor else high
    low, high = _within(answers, name, low, high)
    ways = []
    for end in (high, low):
        if (end > anchor) == (end == high) and end != anchor:
            values = [value for value in _grid(anchor or low or 1.0, end, name) if value != anchor]
            ways.append(_chain(name, [today, *values]))
    return ways


def _within(answers: Answers, name: str, low: float, high: float) -> tuple[float, float]:
    """A peak is not below the average, whichever of the two is looked through."""
    rate, peak = answers.given.get("events_per_s"), answers.given.get("peak_events_per_s")
    if name == "events_per_s" and peak is not None:
        high = min(high, float(peak))
    if name == "peak_events_per_s" and rate is not None:
        low = max(low, float(rate))
    return low, high


def _grid(first: float, last: float, name: str) -> list[float]:
    """Values from one end to the other, evenly in ratios; counts are whole."""
    least = 0.5 if min(first, last) == 0 else min(first, last)
    values = np.geomspace(max(first, least), max(last, least), _GRID)
    if name in _WHOLE or name == "engineers":
        whole = list(dict.fromkeys(float(round(value)) for value in values))
        return whole if last or 0.0 in whole else [*whole, 0.0]
    return [float(value) for value in values]


def _chain(name: str, values: Sequence[float | None]) -> list[_Step]:
    return [_Step(name, value, before) for before, value in pairwise(values)]


# Narrowing and verifying


def _batch(answers: Answers, steps: Sequence[_Step], *, before: bool = False) -> Batch:
    """The answers with each step's value; everything else is encoded once."""
    rest = {step.input: answers.with_answer(step.input, None).columns() for step in steps}
    values = ((step.input, step.before if before else step.value) for step in steps)
    return Batch.of([rest[name] | ({} if value is None else encode(name, value)) for name, value in values])


def _numeric(step: _Step) -> bool:
    return isinstance(step.value, float) and isinstance(step.before, int | float) and not isinstance(step.before, bool)


def _narrow(answers: Answers, steps: Sequence[_Step], base: int, judge: Judge) -> list[_Step]:
    """Look between a value that flips and the one before it, twice; counts down to one."""
    for _ in range(2):
        finer: list[list[_Step]] = []
        for step in steps:
            wide = _numeric(step) and step.before not in (0, math.inf) and step.value > 0
            values = _grid(float(step.before), step.value, step.input)[1:] if wide else [step.value]
            finer.append(_chain(step.input, [step.before, *values]))
        flat = [step for chain in finer for step in chain]
        if not flat:
            return []
        families, at, kept = judge(_batch(answers, flat)).families, 0, []
        for chain in finer:
            changed = np.flatnonzero(families[at : at + len(chain)] != base)
            kept.append(chain[int(changed[0])] if len(changed) else chain[-1])
            at += len(chain)
        steps = kept
    return [_rounded(step) for step in steps]


def _rounded(step: _Step) -> _Step:
    """Three digits, away from today's value, and the value just before: one per cent, or one."""
    if not _numeric(step) or step.value == 0:
        return step
    up = step.value > step.before
    if step.input in _WHOLE or step.input == "engineers":
        return _Step(step.input, step.value, step.value - 1 if up else step.value + 1)
    scale = 10.0 ** (math.floor(math.log10(step.value)) - _DIGITS + 1)
    value = (math.ceil if up else math.floor)(round(step.value / scale, 6)) * scale
    value = float(f"{value:.{_DIGITS}g}")
    before = value / (1 + _JUST_BEFORE) if up else value * (1 + _JUST_BEFORE)
    return _Step(step.input, value, before)


def _verified(answers: Answers, steps: Sequence[_Step], ruling: Ruling, judge: Judge) -> list[Flip]:
    """Judge again, from the answers themselves, at every flip and just before it."""
    if not steps:
        return []
    base = int(ruling.families[0])
    steps = [_after_today(answers, step) for step in steps]
    at, before = judge(_batch(answers, steps)), judge(_batch(answers, steps, before=True))
    found = []
    for index, step in enumerate(steps):
        if at.families[index] == base or before.families[index] != base:
            continue
        found.append(_flip(answers, step, ruling, at, index))
    return found


def _after_today(answers: Answers, step: _Step) -> _Step:
    """A flip closer than one per cent has today's value just before it."""
    today = answers.given.get(step.input)
    if not _numeric(step) or not isinstance(today, int | float) or isinstance(today, bool):
        return step
    between = min(step.before, step.value) <= today <= max(step.before, step.value)
    return _Step(step.input, step.value, float(today)) if between else step


def _flip(answers: Answers, step: _Step, ruling: Ruling, at: Ruling, index: int) -> Flip:
    best = int(at.best[index])
    system = None if best == NOBODY else at.catalogue.systems[best]
    value, before = step.value, step.before
    if step.input in _WHOLE:
        value, before = int(value), None if before is None else int(before)
    today = answers.given.get(step.input)
    factor = None
    if isinstance(today, int | float) and not isinstance(today, bool) and 0 < today < math.inf:
        factor = float(value) / float(today)
    per_day = step.input == "events_per_s" and answers.per_day
    name = "events_per_day" if per_day else step.input
    times = 86400.0 if per_day else 1.0
    if per_day:
        value, before = value * times, None if before is None else before * times
    return Flip(
        name,
        _shown(answers, step.input),
        list(value) if isinstance(value, tuple) else value,
        system.family if system else None,
        system.key if system else None,
        _kind(ruling, at, index),
        factor,
        list(before) if isinstance(before, tuple) else before,
    )


def _kind(ruling: Ruling, at: Ruling, index: int) -> str:
    """Why the family changes: a must-have, the points, or the money."""
    old, new = int(ruling.best[0]), int(at.best[index])
    if NOBODY in (old, new) or not at.alive[old, index] or not ruling.alive[new, 0]:
        return "constraint"
    gap_before = ruling.fit[old, 0] - ruling.fit[new, 0]
    gap_after = at.fit[old, index] - at.fit[new, index]
    return "cost" if math.isclose(gap_before, gap_after, abs_tol=1e-9) else "preference"


def _distance(flip: Flip) -> tuple[int, float]:
    """Unanswered switches first: they are what to ask; then numbers by their factor, then the other answers."""
    if flip.from_ is None:
        return (0, 0.0)
    if flip.factor:
        return (1, abs(math.log(flip.factor)))
    return (1, math.log(10.0))  # an answer to be taken back is about as far as a factor of ten


def find_pairs(answers: Answers, flips: Sequence[Flip], judge: Judge) -> tuple[Pair, ...]:
    """What the two closest flips give together."""
    if len(flips) < 2:  # noqa: PLR2004 - a pair
        return ()
    one, two = flips[:2]
    both = answers
    for flip in (one, two):
        per_day = flip.input == "events_per_day"
        value = flip.to / 86400 if per_day else tuple(flip.to) if isinstance(flip.to, list) else flip.to
        both = both.with_answer("events_per_s" if per_day else flip.input, value)
    ruling = judge(Batch.of([both.columns()]))
    best = int(ruling.best[0])
    system = None if best == NOBODY else ruling.catalogue.systems[best]
    return (
        Pair(
            (one.input, two.input),
            (one.to, two.to),
            system.family if system else None,
            system.key if system else None,
        ),
    )
