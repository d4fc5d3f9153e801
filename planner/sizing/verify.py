"""Questions to a given cluster: does it hold, how much more fits, how do scenarios differ."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import Any, TypeAlias

from planner.results import Check, Comparison, Difference, Limit, Margin, Plan, Reverse
from planner.scenario import InputError, Scenario, ScenarioError, Topic
from planner.sizing.compose import plan, sizer_of
from planner.sizing.evaluate import threshold
from planner.sizing.workload import Workload

Ratios: TypeAlias = Callable[[float], dict[tuple[str, str], float]]

_MOST = 2.0**40  # a load factor beyond which a resource counts as not limiting
_PRECISION = 1e-7
_NUDGE = 1e-3  # share of the bracket by which a search steps beyond where it aims
_HELD = 1 + 1e-9  # as in the plan: a refill that takes all that is free reaches its limit to the last digit


def check(scenario: Scenario) -> Check:
    """Check a given cluster in every state, also in those that the policy does not ask for.

    Parameters
    ----------
    scenario
        A scenario whose `cluster.brokers` is given.

    Returns
    -------
    Check
        The plan, whether it holds, and the margin of every resource in every state.

    Raises
    ------
    ScenarioError
        When the broker count is not given.
    """
    count = scenario.cluster.broker_count
    if count is None:
        message = "Checking needs a broker count; without one use plan."
        raise ScenarioError([InputError("cluster.brokers", None, message, "a count of brokers")])
    result = plan(scenario)
    setting, sizer = sizer_of(Workload(scenario))
    evaluation = sizer.complete(count)
    margins = tuple(
        Margin(
            resource=resource,
            state=state,
            utilisation=value,
            threshold=threshold(setting, resource, state),
            margin=threshold(setting, resource, state) - value,
            checked=state in sizer.checked,
        )
        for (resource, state), value in evaluation.utilisation.items()
    )
    return Check(plan=result, holds=result.feasible, margins=margins)


def reverse(scenario: Scenario) -> Reverse:
    """How much more load, and how long a retention, the cluster carries within its limits.

    The cluster is the given broker count, or the planned one; partition counts stay as they are.

    Parameters
    ----------
    scenario
        A scenario with topics.

    Returns
    -------
    Reverse
        The largest factor on all record rates per resource and state, the least of them, and the longest retention
        that every time-limited topic could have.
    """
    sized = plan(scenario)
    decided = fixed(scenario, sized)
    ratios = _ratios_at(decided, sized.brokers.count)
    limits = tuple(Limit(*key, _largest(partial(_ratio_of, ratios, key))) for key in ratios(1.0))
    bounded = [limit.max_load_factor for limit in limits if limit.max_load_factor is not None]
    retention = _largest_retention(decided, sized.brokers.count)
    return Reverse(
        brokers=sized.brokers.count,
        limits=tuple(sorted(limits, key=lambda limit: (limit.max_load_factor is None, limit.max_load_factor))),
        max_load_factor=min(bounded) if bounded else None,
        max_load_factor_reason=None if bounded else "no checked resource limits the load",
        max_retention_s=retention,
        max_retention_s_reason=None if retention is not None else "no topic is limited by time, or no retention fits",
    )


def _ratio_of(ratios: Ratios, key: tuple[str, str], factor: float) -> float:
    return ratios(factor).get(key, 0.0)


def fixed(scenario: Scenario, sized: Plan, **cluster: Any) -> Scenario:
    """The scenario with the planned partitions and brokers written in; `cluster` changes keys of the cluster."""
    topics = tuple(
        topic.model_copy(update={"partitions": sized.topics[topic.name].partitions}) for topic in scenario.topics
    )
    changed = scenario.cluster.model_copy(update={"brokers": sized.brokers.count, **cluster})
    return scenario.model_copy(update={"topics": topics, "cluster": changed})


def _ratios_at(scenario: Scenario, brokers: int) -> Ratios:
    workload = Workload(scenario)

    @cache
    def ratios(factor: float) -> dict[tuple[str, str], float]:
        return sizer_of(workload if factor == 1.0 else workload.scaled(factor))[1].ratios(brokers)

    ratios(1.0)  # computes once what every multiple of the load shares
    return ratios


def _largest(ratio: Callable[[float], float]) -> float | None:
    """The largest factor with `ratio(factor) <= 1`; None when there is no such limit, 0 when no factor holds."""
    low, high = 0.0, 1.0
    while ratio(high) <= _HELD:
        low, high = high, high * 2
        if high > _MOST:
            return None
    if low == 0.0:
        low = _below(ratio)
        if low == 0.0:
            return 0.0
    before = math.inf
    while (width := high - low) > _PRECISION * low:
        middle = (low + high) / 2
        if width <= before / 2:
            # loads are nearly linear in the factor: aim at the crossing, a little beyond the end that is close to it
            below, above = ratio(low), ratio(high)
            aim = low + width * (1 - below) / max(above - below, 1e-12)
            aim = min(max(aim, low + width * _NUDGE), high - width * _NUDGE)
            middle = aim if low < aim < high else middle
            before = width
        else:  # the last aim was poor
            before = math.inf
        if ratio(middle) <= _HELD:
            low = middle
        else:
            high = middle
    return low


def _below(ratio: Callable[[float], float]) -> float:
    factor = 0.5
    while factor > 1 / _MOST:
        if ratio(factor) <= _HELD:
            return factor
        factor /= 2
    return 0.0


def _largest_retention(scenario: Scenario, brokers: int) -> float | None:
    """The longest retention that all topics limited by time could have together within the disk limit."""
    if not any(topic.deleted and topic.tiered is None for topic in scenario.topics):
        return None

    def ratio(seconds: float) -> float:
        topics = tuple(_kept_for(topic, seconds) for topic in scenario.topics)
        sizer = sizer_of(Workload(scenario.model_copy(update={"topics": topics})))[1]
        return max(value for (resource, _), value in sizer.ratios(brokers).items() if resource == "disk_volume")

    return _largest(ratio) or None


def _kept_for(topic: Topic, seconds: float) -> Topic:
    """The topic with another retention time, where time limits it."""
    if not topic.deleted or topic.tiered is not None:
        return topic
    return topic.model_copy(update={"retention": topic.retention.model_copy(update={"time": seconds})})


def compare(scenarios: Sequence[Scenario]) -> Comparison:
    """Plan several scenarios and list only what differs, inputs first.

    Parameters
    ----------
    scenarios
        Two or more scenarios.

    Returns
    -------
    Comparison
        Differing inputs and differing figures, one value per scenario.
    """
    plans = [plan(scenario) for scenario in scenarios]
    inputs = [_flat(scenario.model_dump(), by_name=True) for scenario in scenarios]
    figures = [_flat(_comparable(result), by_name=False) for result in plans]
    return Comparison(
        names=tuple(result.name for result in plans),
        inputs=_differences(inputs),
        figures=_differences(figures),
        plans=tuple(plans),
    )


def _comparable(result: Plan) -> dict[str, Any]:
    body = result.to_dict()
    return {key: body[key] for key in ("feasible", "brokers", "cluster", "topics", "recovery")}


def _flat(value: Any, prefix: str = "", *, by_name: bool) -> dict[str, Any]:
    """Nested mappings as one level of dotted paths; lists of named things by their names, other lists as text."""
    if isinstance(value, Mapping):
        items = [(str(key), item) for key, item in value.items()]
    elif isinstance(value, list | tuple) and value and all(isinstance(item, Mapping) for item in value) and by_name:
        items = [(str(item.get("name") or item.get("group") or index), item) for index, item in enumerate(value)]
    elif isinstance(value, list | tuple):
        return {prefix: ", ".join(map(str, value))} if not any(isinstance(item, Mapping) for item in value) else {}
    else:
        return {prefix: "forever" if value == math.inf else value}
    found: dict[str, Any] = {}
    for key, item in items:
        found |= _flat(item, f"{prefix}.{key}" if prefix else key, by_name=by_name)
    return found


def _differences(tables: Sequence[Mapping[str, Any]]) -> tuple[Difference, ...]:
    paths = dict.fromkeys(path for table in tables for path in table)
    rows = [Difference(path, tuple(table.get(path) for table in tables)) for path in paths]
    return tuple(row for row in rows if any(value != row.values[0] for value in row.values[1:]))
