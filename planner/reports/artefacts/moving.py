"""The reassignment of a cluster that exists to the size that the plan asks for."""

from __future__ import annotations

import json
from collections.abc import Iterator

from planner.operations.reassign_steps import batch_file
from planner.operations.reassigning import reassign
from planner.reports.artefacts.writing import Artefact, LeftOut, made_for
from planner.results import Plan

_NAME = "reassignment JSON"


def reassignment(plan: Plan) -> Iterator[Artefact | LeftOut]:
    """Batches for kafka-reassign-partitions and the steps around them."""
    placed, required = plan.scenario.cluster.brokers_placed, plan.brokers.required
    if placed is None:
        yield LeftOut(_NAME, "the scenario has no assignment of a running cluster (cluster.brokers_placed)")
    elif required is None:
        yield LeftOut(_NAME, f"no broker count is enough: {plan.brokers.required_reason}")
    elif required <= len(placed.brokers):
        yield LeftOut(_NAME, f"the {len(placed.brokers)} brokers that hold the replicas are enough ({required})")
    else:
        yield from _batches(plan, required)


def _batches(plan: Plan, required: int) -> Iterator[Artefact]:
    found = reassign(plan.scenario, to_brokers=required)
    for number, batch in enumerate(found.batches, start=1):
        name = batch_file(number, len(found.batches))
        yield Artefact(name, "for kafka-reassign-partitions", json.dumps(batch, indent=1) + "\n")
    steps = "".join(f"{number}. {step}\n" for number, step in enumerate(found.steps, start=1))
    yield Artefact("reassignment-steps.txt", "the steps around the batches", f"{made_for(plan.name)}\n\n{steps}")
