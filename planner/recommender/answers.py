"""Stage 1: the questions of a scenario as numbers, one column per input or word; unknown is NaN and stays unknown.

A `Batch` holds many variants of the answers at once, so that one evaluation judges them all.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from planner.constants import constant
from planner.fields import ManyOf, OneOf, Ranged, Reader, YesNo
from planner.recommender.systems import Array
from planner.scenario import Questions, Scenario, Topic

DAY = 86400.0
FOREVER_S = 365.0 * DAY  # what "forever" costs is counted for one year
PRODUCTS = ("existing", "leaving")


@dataclass(frozen=True)
class Answers:
    """The answers in the words of the scenario, unanswered ones left out; rates are per second.

    `per_day` remembers that the rate was given per day, `derived` what came from topics and policy.
    """

    given: Mapping[str, Any]
    per_day: bool = False
    derived: frozenset[str] = frozenset()
    topics: int = 0

    def with_answer(self, name: str, value: Any) -> Answers:
        """The same answers with one changed; None is unknown."""
        rest = {key: known for key, known in self.given.items() if key != name}
        return replace(self, given=rest if value is None else {**rest, name: value})

    def columns(self) -> dict[str, float]:
        """One number per column; a column that is missing is unknown."""
        found: dict[str, float] = {}
        for name, value in self.given.items():
            found |= encode(name, value)
        return found


@cache
def reader_of(name: str) -> Reader:
    """What the scenario accepts for an input."""
    return next(item for item in Questions.model_fields[name].metadata if isinstance(item, Reader))


def encode(name: str, value: Any) -> dict[str, float]:
    """The columns of one answer."""
    reader = reader_of(name)
    if isinstance(reader, ManyOf):
        words = value if isinstance(value, tuple | list) else (value,)
        known = reader.words or words
        return {f"{name}.{word}": float(word in words) for word in known}
    if isinstance(reader, OneOf):
        return {name: float(reader.words.index(value))}
    return {name: float(value)}


def shown(name: str, number: float) -> Any:
    """A number of a column in the words of the scenario."""
    reader = reader_of(name)
    if isinstance(reader, YesNo):
        return bool(number)
    if isinstance(reader, OneOf):
        return reader.words[int(number)]
    return number


class Batch:
    """Many variants of the answers, one per entry of every column."""

    def __init__(self, columns: Mapping[str, Array], size: int) -> None:
        self.columns = columns
        self.size = size
        self._unknown = np.full(size, math.nan)

    @classmethod
    def of(cls, variants: Sequence[Mapping[str, float]]) -> Batch:
        """Stack variants; a column that one of them lacks is unknown there."""
        names = dict.fromkeys(name for variant in variants for name in variant)
        table = {name: np.array([row.get(name, math.nan) for row in variants]) for name in names}
        return cls(table, len(variants))

    def changed(self, **columns: Array) -> Batch:
        """The batch with some columns replaced."""
        return Batch({**self.columns, **columns}, self.size)

    def number(self, name: str) -> Array:
        """A numeric answer; NaN where unknown."""
        return self.columns.get(name, self._unknown)

    def yes(self, name: str) -> Array:
        """Where the answer is yes, or the word of a list was named."""
        return np.equal(self.number(name), 1)

    def no(self, name: str) -> Array:
        """Where the answer is no."""
        return np.equal(self.number(name), 0)

    def word(self, name: str, word: str) -> Array:
        """Where one of several words was chosen."""
        reader = reader_of(name)
        if isinstance(reader, OneOf):
            return np.equal(self.number(name), reader.words.index(word))
        return self.yes(f"{name}.{word}")

    def known(self, name: str) -> Array:
        """Where an input was answered at all."""
        mine = [column for key, column in self.columns.items() if key == name or key.startswith(f"{name}.")]
        return np.any([np.isfinite(column) | (column == math.inf) for column in mine], axis=0) if mine else self._never

    @property
    def _never(self) -> Array:
        return np.zeros(self.size, dtype=bool)

    @property
    def rate(self) -> Array:
        """Events per second on average; from bytes and size where it was not given."""
        return _first(self.number("events_per_s"), self.number("bytes_per_s") / self._positive("message_bytes"))

    @property
    def message_bytes(self) -> Array:
        """Bytes of a message; from bytes and rate where it was not given."""
        return _first(self.number("message_bytes"), self.number("bytes_per_s") / self._positive("events_per_s"))

    @property
    def peak_floor(self) -> Array:
        """The rate that is certainly reached: the peak where it is known, else the average."""
        return np.fmax(self.number("peak_events_per_s"), self.rate)

    def _positive(self, name: str) -> Array:
        column = self.number(name)
        return np.where(column > 0, column, math.nan)


def _first(*columns: Array) -> Array:
    found = columns[0]
    for column in columns[1:]:
        found = np.where(np.isnan(found), column, found)
    return found


# From a scenario


def answers_of(scenario: Scenario) -> Answers:
    """The answers of a scenario: what its topics say, then what its questions say."""
    questions = scenario.questions
    given = {name: getattr(questions, name) for name in Questions.model_fields}
    given = {name: value for name, value in given.items() if value is not None}
    per_day = "events_per_day" in given and not scenario.topics
    if "events_per_day" in given:
        given["events_per_s"] = _per_second(given.pop("events_per_day"))
    from_topics = _of_topics(scenario) if scenario.topics else {}
    measured = {name: from_topics[name] for name in _MEASURED if name in from_topics}
    if measured:
        given.pop("bytes_per_s", None)  # topics say the same with more detail
    derived = {name: value for name, value in from_topics.items() if name not in given} | measured
    derived |= {name: value for name, value in _of_policy(scenario).items() if name not in given}
    return Answers({**given, **derived}, per_day, frozenset(derived), len(scenario.topics))


def _per_second(a_day: float) -> float:
    if isinstance(a_day, Ranged):
        return Ranged(a_day.low / DAY, float(a_day) / DAY, a_day.high / DAY)
    return a_day / DAY


_MEASURED = ("events_per_s", "peak_events_per_s", "message_bytes")  # topics are the better witness for these


def _of_topics(scenario: Scenario) -> dict[str, Any]:
    topics = scenario.topics
    rates = [_records_per_s(topic) for topic in topics]
    total = sum(rates)
    found: dict[str, Any] = {
        "events_per_s": total,
        "peak_events_per_s": sum(rate * topic.peak_ratio for rate, topic in zip(rates, topics, strict=True)),
        "consumer_groups": max(len(topic.consumers) for topic in topics),
    }
    if total > 0:
        moved = sum(rate * topic.record.logical_bytes for rate, topic in zip(rates, topics, strict=True))
        found["message_bytes"] = moved / total
    if any(topic.keys is not None and topic.keys.ordered for topic in topics):
        found["ordering"] = "per_key"
    if any(topic.transactions_per_s > 0 for topic in topics):
        found["exactly_once"] = "kafka_to_kafka"
    if any(topic.compacted for topic in topics):
        found["work"] = ("state",)
    else:
        found["retention"] = max(topic.retention.time for topic in topics)
    return found


def _records_per_s(topic: Topic) -> float:
    if topic.records_per_s is not None:
        return float(topic.records_per_s)
    return float(topic.bytes_per_s or 0.0) / max(topic.record.logical_bytes, 1.0)


def _of_policy(scenario: Scenario) -> dict[str, Any]:
    policy = scenario.policy
    found: dict[str, Any] = {}
    if "growth_per_year" in policy.model_fields_set:
        found["growth_per_year"] = policy.growth_per_year
    if policy.budget_per_month is not None:
        found["budget_per_month"] = policy.budget_per_month
    return found


# What money is computed for


@dataclass(frozen=True)
class Load:
    """The workload as money needs it: constants stand in for what is unknown. All entries are per variant."""

    rate: Array
    peak: Array
    message_bytes: Array
    groups: Array
    kept_s: Array
    replay: Array
    managed: Array

    @property
    def flow(self) -> Array:
        """Average bytes per second."""
        return self.rate * self.message_bytes

    @property
    def peak_flow(self) -> Array:
        """Bytes per second at the peak."""
        return self.peak * self.message_bytes

    def idle(self) -> Load:
        """The same without traffic: what a system costs before it carries anything."""
        nothing = np.zeros_like(self.rate)
        return replace(self, rate=nothing, peak=nothing)


def load_of(batch: Batch) -> Load:
    """The load of every variant."""

    def or_constant(column: Array, name: str) -> Array:
        return np.where(np.isnan(column), constant(f"recommender.{name}"), column)

    rate = or_constant(batch.rate, "events_per_s")
    peak = np.where(
        np.isnan(batch.number("peak_events_per_s")),
        rate * constant("recommender.peak_ratio"),
        np.fmax(batch.number("peak_events_per_s"), rate),
    )
    groups = or_constant(batch.number("consumer_groups"), "consumer_groups")
    replay = batch.yes("replay")
    asked = np.minimum(or_constant(batch.number("retention"), "retention_s"), FOREVER_S)
    kept = np.where(replay & ~batch.word("work", "state"), asked, constant("recommender.retention_s"))
    managed = batch.yes("managed_only") | (batch.number("engineers") < 1)
    size = np.maximum(or_constant(batch.message_bytes, "message_bytes"), 1.0)
    return Load(rate, peak, size, np.maximum(groups, 1.0), kept, replay, managed)
