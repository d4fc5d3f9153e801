"""A scenario planned once, with the arrays behind the plan: what questions about a running cluster start from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from planner.model.types import Array
from planner.results import Plan
from planner.scenario import Scenario, Topic
from planner.sizing import plan
from planner.sizing.evaluate import Setting
from planner.sizing.setting import setting_of
from planner.sizing.sized import Sized, size_at
from planner.sizing.stored import Stored, stored_bytes
from planner.sizing.workload import Workload
from planner.trace import Trace


@dataclass(frozen=True, slots=True)
class View:
    """The plan, and the loads per topic and per partition class at its broker count."""

    plan: Plan
    workload: Workload
    sized: Sized
    setting: Setting

    @property
    def brokers(self) -> int:
        """Brokers of the plan."""
        return self.plan.brokers.count

    @property
    def topic(self) -> npt.NDArray[np.intp]:
        """Index of the topic of each partition class."""
        return self.sized.load.classes.topic.astype(np.intp)

    @property
    def replicas(self) -> Array:
        """Replicas of each partition class."""
        copies: Array = self.sized.load.classes.count * self.workload.given["replication_factor"][self.topic]
        return copies

    @property
    def class_bytes_per_s(self) -> Array:
        """Average bytes/s into one replica of each partition class."""
        rate: Array = self.sized.columns["average_bytes_per_s"][self.topic] * self.sized.load.classes.share
        return rate

    def per_topic(self, of_replica: Array) -> Array:
        """Sum a figure of one replica over all replicas of each topic."""
        return np.bincount(self.topic, of_replica * self.replicas, len(self.workload.names)).astype(float)

    def changed(self, change: Callable[[Topic], Topic]) -> Workload:
        """The workload if the topics were changed, in the order of the loads."""
        topics = tuple(change(topic) for topic in self.workload.topics)
        other = Workload(self.workload.scenario.model_copy(update={"topics": topics}))
        vars(other)["topics"] = topics
        return other

    def stored(self, other: Workload, limits: Array | None = None) -> Stored:
        """Bytes of a replica of each partition class under a changed workload; partitions and averages stay.

        `limits` are byte limits per topic in place of the workload's own; a tiered topic's is that of its local part.
        """
        if limits is not None:
            keys = np.where(self.workload.given["tiered"] > 0, "local_bytes", "retention_bytes")
            bounds = {
                key: np.where(keys == key, limits, other.given[key]) for key in ("local_bytes", "retention_bytes")
            }
            bare = other
            other = Workload(bare.scenario)
            vars(other).update({**vars(bare), "given": {**bare.given, **bounds}})
        columns = dict(self.sized.columns)
        ratio = other.given["peak_ratio"] / self.workload.given["peak_ratio"]
        columns["own_peak_bytes_per_s"] = columns["own_peak_bytes_per_s"] * ratio
        return stored_bytes(other, columns, self.topic, self.sized.load.classes.share, Trace.silent)

    def fullest_share(self, figure: str) -> float:
        """Share of the cluster's total of a figure that the fullest broker holds while all are up."""
        healthy = self.plan.states["healthy"]
        assert healthy.per_broker is not None  # noqa: S101 - the healthy state is always computed
        assert healthy.fullest is not None  # noqa: S101 - as above
        mean = healthy.per_broker[figure]
        return (healthy.fullest[figure] / mean if mean > 0 else 1.0) / self.brokers


def view_of(scenario: Scenario) -> View:
    """Plan the scenario and keep what the plan was computed from."""
    found = plan(scenario)
    workload = Workload(scenario)
    return View(found, workload, size_at(workload, found.brokers.count), setting_of(workload))
