"""Capacity and partition planner for Apache Kafka: one model for the library, the command and the app."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from planner.codec import load, presets, schema
    from planner.crosscheck import cross_check
    from planner.fleet import sweep
    from planner.montecarlo import uncertainty
    from planner.operations.counts import partitions
    from planner.operations.lag import consumers
    from planner.operations.reassigning import reassign
    from planner.operations.rebalances import rebalance
    from planner.results import Plan
    from planner.runway import growth
    from planner.scenario import Ranged, Scenario, ScenarioError
    from planner.sizing import check, compare, plan, reverse

# public name -> module that holds it; loaded on first use, so that `import planner` stays cheap
_HOMES = {
    "Plan": "planner.results",
    "Ranged": "planner.scenario",
    "Scenario": "planner.scenario",
    "ScenarioError": "planner.scenario",
    "check": "planner.sizing",
    "compare": "planner.sizing",
    "consumers": "planner.operations.lag",
    "cross_check": "planner.crosscheck",
    "growth": "planner.runway",
    "load": "planner.codec",
    "partitions": "planner.operations.counts",
    "plan": "planner.sizing",
    "presets": "planner.codec",
    "reassign": "planner.operations.reassigning",
    "rebalance": "planner.operations.rebalances",
    "report": "planner.reports",
    "reverse": "planner.sizing",
    "schema": "planner.codec",
    "sweep": "planner.fleet",
    "uncertainty": "planner.montecarlo",
}

__all__ = [
    "Plan",
    "Ranged",
    "Scenario",
    "ScenarioError",
    "__version__",
    "check",
    "compare",
    "consumers",
    "cross_check",
    "growth",
    "load",
    "partitions",
    "plan",
    "presets",
    "reassign",
    "rebalance",
    "report",
    "reverse",
    "schema",
    "sweep",
    "uncertainty",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        msg = f"module 'planner' has no attribute {name!r}"
        raise AttributeError(msg)
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
