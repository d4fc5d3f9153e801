"""A workload at one broker count: everything that does not depend on where replicas land."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from planner.model.types import Array
from planner.sizing.loads import Load
from planner.sizing.stored import classes_of, stored_columns
from planner.sizing.workload import (
    Workload,
    flows,
    partition_reasons,
    planned_partitions,
    requests_of,
    topic_arrays,
)
from planner.trace import Trace

# A derived batch depends on bytes and partitions, and they on it; bytes depend on the partitions that a transaction
# touches. What is given settles in one round.
_ROUNDS = 8


@dataclass(frozen=True, slots=True)
class Sized:
    """A workload at one broker count: the load, and the figures per topic that a plan shows."""

    load: Load
    trace: Trace
    columns: Mapping[str, Array]
    reasons: Mapping[str, Array]


def sizes_of(workload: Workload) -> Callable[[int], Sized]:
    """The workload at any broker count, computed once each; what the count does not change is taken from the first."""
    found: dict[int, Sized] = {}

    def sized_at(brokers: int) -> Sized:
        if brokers not in found:
            found[brokers] = size_at(workload, brokers, next(iter(found.values()), None))
        return found[brokers]

    return sized_at


def size_at(workload: Workload, brokers: int, known: Sized | None = None) -> Sized:
    """Compute records, traffic, partitions, requests and stored bytes for `brokers`, each with its step."""
    note = Trace({} if known is None else dict(known.trace.steps), workload.names)
    given = workload.given["batch_given"]
    marked = bool(workload.given["transactions_per_s"].any())
    counted = workload.given["partitions_given"]
    same_flow = known if not np.isnan(given).any() and (not marked or counted.all()) else None
    batch, count = np.nan_to_num(given, nan=1.0), np.maximum(counted, 1.0)
    for _ in range(_ROUNDS):
        flow = flows(workload, batch, count, note) if same_flow is None else same_flow.columns
        reasons = partition_reasons(workload, flow, brokers, note)
        before, count = count, planned_partitions(workload, reasons, brokers, note)
        asked = requests_of(workload, flow, count, brokers, note)
        settled = np.allclose(asked["batch_records"], batch, rtol=1e-9)
        batch = asked["batch_records"]
        if settled and (not marked or np.array_equal(before, count)):
            break
    columns = {**flow, **asked, "partitions": count, "batch_records": batch}
    topics = topic_arrays(workload, columns, count, brokers)
    if same_flow is not None and np.array_equal(count, same_flow.columns["partitions"]):
        return Sized(Load(topics, same_flow.load.classes), note, columns, reasons)
    classes = classes_of(workload, columns, note)
    return Sized(Load(topics, classes), note, {**columns, **stored_columns(topics, classes, note)}, reasons)
