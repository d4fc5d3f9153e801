"""A workload at one broker count: everything that does not depend on where replicas land."""

from __future__ import annotations

from collections.abc import Mapping
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

_ROUNDS = 8  # a derived batch depends on bytes and partitions, and they on it; given ones settle in one round


@dataclass(frozen=True, slots=True)
class Sized:
    """A workload at one broker count: the load, and the figures per topic that a plan shows."""

    load: Load
    trace: Trace
    columns: Mapping[str, Array]
    reasons: Mapping[str, Array]


def size_at(workload: Workload, brokers: int) -> Sized:
    """Compute records, traffic, partitions, requests and stored bytes for `brokers`, each with its step."""
    note = Trace(labels=workload.names)
    batch = np.nan_to_num(workload.given["batch_given"], nan=1.0)
    for _ in range(_ROUNDS):
        flow = flows(workload, batch, note)
        reasons = partition_reasons(workload, flow, brokers, note)
        count = planned_partitions(workload, reasons, brokers, note)
        asked = requests_of(workload, flow, count, brokers, note)
        settled = np.allclose(asked["batch_records"], batch, rtol=1e-9)
        batch = asked["batch_records"]
        if settled:
            break
    columns = {**flow, **asked, "partitions": count, "batch_records": batch}
    topics = topic_arrays(workload, columns, count, brokers)
    classes = classes_of(workload, columns, note)
    return Sized(Load(topics, classes), note, {**columns, **stored_columns(topics, classes, note)}, reasons)
