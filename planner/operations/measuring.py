"""Which inputs to measure before anything is bought: those whose uncertainty moves the answer most."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from planner.constants import constant
from planner.fields import ScenarioError
from planner.results import Plan
from planner.scenario import Calibration, PartitionThroughput, Ranged, Scenario, Topic
from planner.sizing import plan

_LEAST_RATIO = 0.9  # of compression: batches that do not shrink
_LEAST_CPU = 1e-4  # the least share that a calibration may state
_MINOR = 1e-6  # weight of partitions beside brokers: they order inputs that leave the brokers alone

_MEASURED = {
    "compression.ratio": ("compression ratio", "producer metric compression-rate-avg, on real records"),
    "batch.records": ("records in a batch", "producer metrics batch-size-avg / record-size-avg"),
    "record.value_bytes": ("value size", "producer metric record-size-avg, less key and headers"),
    "peak_ratio": ("peak ratio", "records a second over some weeks: the busiest quarter of an hour over the mean"),
}
_CPU = "CPU of the broker's process beside bytes and requests a second, into cluster.calibration"
_PARTITION = "the load test on a topic of one partition"

Change = Callable[[float], Scenario]


@dataclass(frozen=True, slots=True)
class Measurable:
    """An input, how far it may be off, and what the cluster needs at either end."""

    name: str
    how: str
    topic: str | None
    given: bool  # the scenario states the range; else it is an assumed one
    low_ratio: float
    high_ratio: float
    brokers_at_low: float | None
    brokers_at_high: float | None
    partitions_at_low: int
    partitions_at_high: int
    swing: float


@dataclass(frozen=True, slots=True)
class _Input:
    """Something to vary by a factor, in all topics at once; `topic` is where it counts most."""

    name: str
    how: str
    topic: str | None
    likely: Ranged | float
    change: Change


def worth_measuring(found: Plan, most: int = 3) -> tuple[Measurable, ...]:
    """Rank the inputs that only a measurement can tell, by how much they move the brokers, then the partitions.

    Parameters
    ----------
    found
        A plan.
    most
        How many to give [count], >= 1.

    Returns
    -------
    tuple
        The widest first; each is varied alone, over the range that the scenario states for it in the topic where it
        counts most, else by an assumed factor down and up. Inputs that move nothing are left out.

    Examples
    --------
    >>> import planner
    >>> first = worth_measuring(planner.plan(planner.load("preset:ecommerce")))[0]
    >>> first.brokers_at_low < first.brokers_at_high
    True
    """
    rows = [row for entry in _inputs(found) if (row := _varied(entry)) is not None]
    rows.sort(key=lambda row: -row.swing)
    return tuple(row for row in rows[:most] if row.swing > 0)


def _inputs(found: Plan) -> Iterator[_Input]:
    scenario = found.scenario
    topics = sorted(scenario.topics, key=lambda topic: -found.topics[topic.name].produce_in_bytes_per_s)
    among = {
        "compression.ratio": [topic for topic in topics if topic.compression.ratio is not None],
        "batch.records": [topic for topic in topics if topic.batch.records is not None],
    }
    for path, (name, how) in _MEASURED.items():
        if found_in := among.get(path, topics):
            first = found_in[0]
            yield _Input(name, how, first.name, _value(first, path), partial(_scaled, scenario, path))
    yield _Input("CPU of a broker", _CPU, None, 1.0, partial(_calibrated, found))
    yield _Input("throughput of one partition", _PARTITION, topics[0].name, 1.0, partial(_partition_rates, scenario))


def _value(topic: Topic, path: str) -> float:
    value: Any = topic
    for key in path.split("."):
        value = getattr(value, key)
    return value  # type: ignore[no-any-return]


def _scaled(scenario: Scenario, path: str, ratio: float) -> Scenario:
    """Every topic with one of its numbers times a factor, within what the key may be."""
    head, _, tail = path.partition(".")

    def changed(topic: Topic) -> Topic:
        if not tail:
            return topic.model_copy(update={head: max(float(getattr(topic, head)) * ratio, 1.0)})
        section = getattr(topic, head)
        value = getattr(section, tail)
        if value is None:
            return topic
        least = {"ratio": _LEAST_RATIO, "records": 1.0}.get(tail, 0.0)
        return topic.model_copy(update={head: section.model_copy(update={tail: max(float(value) * ratio, least)})})

    return scenario.model_copy(update={"topics": tuple(map(changed, scenario.topics))})


def _calibrated(found: Plan, ratio: float) -> Scenario:
    """The plan's own load as a measured point, on twice the brokers so that twice the CPU is still a share."""
    scenario, load = found.scenario, found.cluster
    healthy = found.states["healthy"].per_broker
    assert healthy is not None  # noqa: S101 - the healthy state is always computed
    share = min(max(healthy["cpu_fraction"] * ratio / 2, _LEAST_CPU), 1.0)
    point = Calibration.model_construct(
        wire_in_bytes_per_s=load.produce_in_bytes_per_s,
        wire_out_bytes_per_s=load.consumer_out_bytes_per_s,
        requests_per_s=load.produce_requests_per_s + load.fetch_requests_per_s,
        cpu_fraction=share,
        brokers=2 * found.brokers.count,
    )
    return scenario.model_copy(update={"cluster": scenario.cluster.model_copy(update={"calibration": point})})


def _partition_rates(scenario: Scenario, ratio: float) -> Scenario:
    """Every topic's throughput of one partition, measured or assumed, times a factor."""
    produce, consume = constant("partitions.produce_bytes_per_s"), constant("partitions.consume_bytes_per_s")

    def changed(topic: Topic) -> Topic:
        known = topic.partition_throughput or PartitionThroughput()
        rates = {"produce": (known.produce or produce) * ratio, "consume": (known.consume or consume) * ratio}
        return topic.model_copy(update={"partition_throughput": known.model_copy(update=rates), "partitions": None})

    return scenario.model_copy(update={"topics": tuple(map(changed, scenario.topics))})


def _varied(entry: _Input) -> Measurable | None:
    """The plan at both ends; None where an end is outside what a scenario may say."""
    low, high, given = _ends(entry.likely)
    try:
        at_low, at_high = (plan(_free(entry.change(ratio))) for ratio in (low, high))
    except ScenarioError:
        return None
    return Measurable(
        name=entry.name,
        how=entry.how,
        topic=entry.topic,
        given=given,
        low_ratio=low,
        high_ratio=high,
        brokers_at_low=at_low.brokers.raw,
        brokers_at_high=at_high.brokers.raw,
        partitions_at_low=at_low.cluster.partitions,
        partitions_at_high=at_high.cluster.partitions,
        swing=_swing(at_low, at_high),
    )


def _swing(at_low: Plan, at_high: Plan) -> float:
    """How far the brokers are apart; endless where one end cannot be built; else, far behind, the partitions."""
    low, high = at_low.brokers.raw, at_high.brokers.raw
    if low is None or high is None:
        return 0.0 if low is high else math.inf
    return _spread(low, high) or _MINOR * _spread(at_low.cluster.partitions, at_high.cluster.partitions)


def _ends(likely: Ranged | float) -> tuple[float, float, bool]:
    """The ends of a range over its likely value."""
    if isinstance(likely, Ranged) and float(likely) > 0 and likely.low < likely.high:
        return likely.low / float(likely), likely.high / float(likely), True
    ratio = constant("artefacts.trial_ratio")
    return 1 / ratio, ratio, False


def _spread(low: float, high: float) -> float:
    """The difference of two figures, over the larger one."""
    return abs(high - low) / max(low, high, 1e-300)


def _free(scenario: Scenario) -> Scenario:
    """The scenario with its broker count open."""
    return scenario.model_copy(update={"cluster": scenario.cluster.model_copy(update={"brokers": None})})
