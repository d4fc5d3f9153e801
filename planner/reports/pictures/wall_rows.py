"""The rows behind the wall: every resource in every state, with its mean, its limit and its verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from planner.catalogue import broker_spec
from planner.reports import tables
from planner.reports.pictures.wall import percent
from planner.reports.words import STATE_LABELS
from planner.results import RESOURCE_WORDS, RESOURCES, STATE_WORDS, STATES, Margin, Plan, Verdict
from planner.sizing.evaluate import Hardware, utilisation_arguments
from planner.sizing.setting import hardware_of

_TOLERANCE = 1e-6  # a refill takes what is free up to the limit: not above it by a rounding


def _shares(figures: Mapping[str, float] | None, hardware: Hardware) -> dict[str, float]:
    """Utilisation of each resource by one broker's figures."""
    if figures is None:
        return {}
    arguments = utilisation_arguments(figures, hardware)
    return {name: float(np.max(function(**numbers))) for name, (function, numbers) in arguments.items()}


def wall_rows(plan: Plan, margins: Sequence[Margin] | None = None) -> list[dict[str, Any]]:
    """One row per resource and state, in the order of the wall.

    `utilisation` (fullest broker) and `mean` are fractions, None where the state does not occur; `judged` says that the
    plan has a verdict on the cell; `mark` is "binding" on the cell that decides the broker count, or, where the
    replication factor decides, "fullest" on the one nearest to its limit; `explain` is its name for `Plan.explain`.
    """
    scenario = plan.scenario
    hardware = hardware_of(broker_spec(scenario.cluster.broker), scenario.cluster.limits, scenario.policy)
    means = {state: _shares(plan.states[state].per_broker, hardware) for state in STATES}
    known = tables.margins_of(plan) if margins is None else margins
    cells: dict[tuple[str, str], Margin | Verdict] = {(margin.resource, margin.state): margin for margin in known}
    cells |= {(verdict.resource, verdict.state): verdict for verdict in plan.verdicts}
    present = {resource for resource, _ in cells}
    rows = [
        _row(plan, resource, state, cells.get((resource, state)), means[state].get(resource))
        for resource in RESOURCES
        if resource in present
        for state in STATES
    ]
    return _marked(rows, plan)


def _row(plan: Plan, resource: str, state: str, cell: Margin | Verdict | None, mean: float | None) -> dict[str, Any]:
    load, name = plan.states[state], f"utilisation.{state}.{resource}"
    judged = cell if isinstance(cell, Verdict) else None
    over = cell is not None and cell.utilisation > cell.threshold * (1 + _TOLERANCE)
    return {
        "resource": resource,
        "resource_label": RESOURCE_WORDS[resource],
        "state": state,
        "state_label": STATE_LABELS[state],
        "checked": load.checked,
        "utilisation": cell.utilisation if cell else None,
        "mean": mean if cell else None,
        "threshold": cell.threshold if cell else None,
        "judged": judged is not None,
        "verdict": judged.verdict if judged else "short" if over else None,
        "confidence": judged.confidence if judged else "high",
        "explain": name if name in plan.trace.steps else None,
    }


def _marked(rows: list[dict[str, Any]], plan: Plan) -> list[dict[str, Any]]:
    """Mark the cell that binds, else the one nearest to its limit."""
    judged = [row for row in rows if row["judged"]]
    where = plan.brokers.binding
    # one state may have asked for the count and another be fuller against its own limit: the headline names the latter
    binding = [row for row in judged if where is not None and row["resource"] == where.resource]
    marked = max(binding or judged, key=ratio, default=None)
    word = "binding" if binding else "fullest"
    return [{**row, "mark": word if row is marked else ""} for row in rows]


def ratio(row: Mapping[str, Any]) -> float:
    """How near a judged cell is to its limit; 1 is at it."""
    return float(row["utilisation"]) / float(row["threshold"])


def resource_rows(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """For each resource its cell nearest to the limit, of those that the plan judges."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        best = found.get(row["resource"])
        if row["judged"] and (best is None or ratio(row) > ratio(best)):
            found[row["resource"]] = dict(row)
    return list(found.values())


def wall_alt(rows: Sequence[Mapping[str, Any]]) -> str:
    """The wall in words, for those who do not see it."""
    worst = resource_rows(rows)
    parts = [
        f"{row['resource_label']} {percent(row['utilisation'])} of {percent(row['threshold'])} "
        f"when {STATE_WORDS[row['state']]}" + (f" ({row['mark']})" if row["mark"] else "")
        for row in worst
    ]
    return f"Utilisation of {len(worst)} resources against their limits, each in its fullest state: {'; '.join(parts)}."
