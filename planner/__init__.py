"""Capacity and partition planner for Apache Kafka: one model for the library, the command and the app."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from planner.advise import audit, diagnose, monitoring
    from planner.codec import load, presets, schema
    from planner.crosscheck import cross_check
    from planner.fleet import sweep
    from planner.montecarlo import uncertainty
    from planner.operations.batches import batching
    from planner.operations.compacting import compaction
    from planner.operations.counts import partitions
    from planner.operations.failures import failure
    from planner.operations.lag import consumers
    from planner.operations.reassigning import reassign
    from planner.operations.rebalances import rebalance
    from planner.operations.repartitioning import repartition
    from planner.operations.retaining import retention
    from planner.operations.transacting import transactions
    from planner.optimise import search
    from planner.recommender import recommend
    from planner.reports.artefacts import artefacts
    from planner.results import Plan
    from planner.runway import growth
    from planner.scenario import Ranged, Scenario, ScenarioError
    from planner.sizing import check, compare, plan, reverse
    from planner.sources.gathering import read_sources
    from planner.sources.live import read_cluster
    from planner.sources.today import check_live

# public name -> module that holds it; loaded on first use, so that `import planner` stays cheap
_HOMES = {
    "Plan": "planner.results",
    "Ranged": "planner.scenario",
    "Scenario": "planner.scenario",
    "ScenarioError": "planner.scenario",
    "artefacts": "planner.reports.artefacts",
    "audit": "planner.advise",
    "batching": "planner.operations.batches",
    "check": "planner.sizing",
    "check_live": "planner.sources.today",
    "compaction": "planner.operations.compacting",
    "compare": "planner.sizing",
    "consumers": "planner.operations.lag",
    "cross_check": "planner.crosscheck",
    "diagnose": "planner.advise",
    "durability": "planner.operations.losses",
    "failure": "planner.operations.failures",
    "growth": "planner.runway",
    "load": "planner.codec",
    "mirror": "planner.operations.regions",
    "monitoring": "planner.advise",
    "partitions": "planner.operations.counts",
    "plan": "planner.sizing",
    "presets": "planner.codec",
    "read_cluster": "planner.sources.live",
    "read_sources": "planner.sources.gathering",
    "reassign": "planner.operations.reassigning",
    "rebalance": "planner.operations.rebalances",
    "recommend": "planner.recommender",
    "repartition": "planner.operations.repartitioning",
    "report": "planner.reports",
    "retention": "planner.operations.retaining",
    "reverse": "planner.sizing",
    "schema": "planner.codec",
    "search": "planner.optimise",
    "sweep": "planner.fleet",
    "transactions": "planner.operations.transacting",
    "uncertainty": "planner.montecarlo",
}

__all__ = [
    "Plan",
    "Ranged",
    "Scenario",
    "ScenarioError",
    "__version__",
    "artefacts",
    "audit",
    "batching",
    "check",
    "check_live",
    "compaction",
    "compare",
    "consumers",
    "cross_check",
    "diagnose",
    "durability",
    "failure",
    "growth",
    "load",
    "mirror",
    "monitoring",
    "partitions",
    "plan",
    "presets",
    "read_cluster",
    "read_sources",
    "reassign",
    "rebalance",
    "recommend",
    "repartition",
    "report",
    "retention",
    "reverse",
    "schema",
    "search",
    "sweep",
    "transactions",
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
