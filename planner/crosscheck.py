"""The same scenario through the formulas that others publish, each difference beside the assumption that makes it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.catalogue import broker_spec
from planner.constants import constant
from planner.model import published, storage
from planner.results import Assumption, Plan, Result, frame_of
from planner.scenario import BrokerSpec, Scenario
from planner.sizing import plan
from planner.sizing.sized import Sized, size_at
from planner.sizing.totals import constants_used
from planner.sizing.workload import Workload
from planner.trace import Trace, formula_of

if TYPE_CHECKING:
    import pandas as pd

_SAME = 0.01  # figures nearer than this count as the same


@dataclass(frozen=True, slots=True)
class CrossRow:
    """One figure as a source computes it, beside ours."""

    source: str
    quantity: str
    unit: str
    theirs: float | None
    ours: float | None
    ratio: float | None
    agrees: bool | None
    why: str
    expression: str
    missing: str | None = None


@dataclass(frozen=True)
class CrossCheck(Result):
    """Published formulas on this scenario, beside the plan's figures."""

    brokers: int
    rows: tuple[CrossRow, ...]
    assumptions: tuple[Assumption, ...]
    trace: Trace

    def to_frame(self) -> pd.DataFrame:
        """One row per source and quantity."""
        return frame_of(self.rows)


@dataclass(frozen=True)
class _Case:
    """What the published formulas know of a scenario: one stream, one kind of broker."""

    plan: Plan
    spec: BrokerSpec
    workload: Workload
    sized: Sized
    trace: Trace

    @property
    def produced(self) -> float:
        return self.plan.cluster.produce_in_bytes_per_s

    @property
    def copies(self) -> float:
        """Mean replication factor, by bytes."""
        return 1 + self.plan.cluster.follower_in_bytes_per_s / max(self.produced, 1e-12)

    @property
    def fan_out(self) -> float:
        """How often consumers read the stream."""
        return self.plan.cluster.consumer_out_bytes_per_s / max(self.produced, 1e-12)

    @property
    def lagging(self) -> float:
        return float(self.sized.load.topics.disk_read_bytes_per_s.sum()) / max(self.produced, 1e-12)

    @property
    def tiered(self) -> float:
        return self.plan.cluster.tier_out_bytes_per_s / max(self.produced, 1e-12)

    @property
    def network(self) -> float:
        return self.spec.network_out or math.inf

    @property
    def disk(self) -> float:
        throughput = self.spec.storage.throughput
        return math.inf if throughput is None else throughput * self.spec.storage.volumes

    @property
    def stored(self) -> float:
        """Average rate times local retention times replicas, over topics that are deleted by time."""
        given = self.workload.given
        seconds = np.minimum(self.workload.retention_s, given["local_s"])
        kept = storage.retained_bytes(
            average_bytes_per_s=self.sized.columns["average_bytes_per_s"],
            peak_bytes_per_s=self.sized.columns["average_bytes_per_s"],
            peak_duration_s=0.0,
            period_s=seconds,
        )
        return float((kept * given["replication_factor"]) @ given["deleted"])

    def stream(self, *names: str) -> dict[str, float]:
        """The arguments of a published formula by their names."""
        every = {
            "produce_in_bytes_per_s": self.produced,
            "replication_factor": self.copies,
            "fan_out": self.fan_out,
            "consumer_out_bytes_per_s": self.plan.cluster.consumer_out_bytes_per_s,
            "lagging_fan_out": self.lagging,
            "tiered_fraction": min(self.tiered, 1.0),
            "network_bytes_per_s": self.network,
            "disk_bytes_per_s": self.disk,
        }
        return {name: every[name] for name in names}

    def row(self, name: str, function: Any, ours: float | None, quantity: str, why: str, /, **numbers: Any) -> CrossRow:
        """Evaluate a published formula and set our figure beside it."""
        rule = formula_of(function)
        theirs = float(self.trace(f"published.{name}", function, **numbers))
        missing = None if math.isfinite(theirs) and theirs > 0 else "the formula needs a limit that this broker lacks"
        if missing is None and ours is None:
            missing = "the plan has no such figure"
        ratio = None if missing or not ours else theirs / ours
        return CrossRow(
            source=rule.source,
            quantity=quantity,
            unit=rule.unit,
            theirs=theirs if math.isfinite(theirs) else None,
            ours=ours,
            ratio=ratio,
            agrees=None if ratio is None else abs(ratio - 1) < _SAME,
            why=why,
            expression=rule.expression,
            missing=missing,
        )


def cross_check(scenario: Scenario) -> CrossCheck:
    """Evaluate the published formulas of others on a scenario, beside the plan.

    Parameters
    ----------
    scenario
        A scenario with topics.

    Returns
    -------
    CrossCheck
        One row per source and quantity: theirs, ours, their ratio, and the assumption that causes the difference.

    Raises
    ------
    ScenarioError
        When the scenario cannot be planned.

    Examples
    --------
    >>> import planner
    >>> found = cross_check(planner.load("preset:typical-broker"))
    >>> {row.source for row in found.rows} >= {"aws-equation-1", "aws-msk-sizer", "rao-partitions", "netflix-scm"}
    True
    """
    sized = plan(scenario)
    workload = Workload(scenario)
    case = _Case(sized, broker_spec(scenario.cluster.broker), workload, size_at(workload, sized.brokers.count), Trace())
    rows = (*_brokers(case), *_flows(case), *_cores(case), *_disks(case), *_replicas(case), *_partitions(case))
    return CrossCheck(
        brokers=sized.brokers.count, rows=rows, assumptions=constants_used("published."), trace=case.trace
    )


def _raw(case: _Case, *resources: str) -> float | None:
    """Brokers that we need for the named resources alone, not rounded."""
    needs = (case.plan.brokers.needed[resource].raw for resource in resources)
    return max((raw for raw in needs if raw is not None), default=None)


def _brokers(case: _Case) -> Iterator[CrossRow]:
    ours = _raw(case, "network_in", "network_out", "disk_throughput")
    yield case.row(
        "aws_brokers",
        published.aws_brokers,
        ours,
        "brokers for network and disk throughput",
        "All brokers up, leaders even, record bytes only, at 80 % of the ceiling; ours takes the fullest broker, "
        "protocol bytes, and the failures to be survived at their own limits.",
        **case.stream(
            "produce_in_bytes_per_s", "replication_factor", "fan_out", "disk_bytes_per_s", "network_bytes_per_s"
        ),
        utilisation_fraction=constant("published.aws_utilisation"),
    )
    yield case.row(
        "msk_sizer_brokers",
        published.msk_sizer_brokers,
        ours,
        "brokers for network and disk throughput",
        "A lost zone, lagging readers and rebalancing at the same time in lump factors (6.5 and 5.7), then half of the "
        "capacity; ours computes each of these states apart and checks those that the policy asks for.",
        **case.stream(
            "produce_in_bytes_per_s", "fan_out", "tiered_fraction", "disk_bytes_per_s", "network_bytes_per_s"
        ),
        utilisation_fraction=constant("published.msk_utilisation"),
        disk_factor=constant("published.msk_disk_factor"),
        network_factor=constant("published.msk_network_factor"),
        reader_factor=constant("published.msk_reader_factor"),
        tier_factor=constant("published.msk_tier_factor"),
    )
    yield case.row(
        "amq_streams_brokers",
        published.amq_streams_brokers,
        ours,
        "brokers for network and disk throughput",
        "One factor of 1.6 for every failure on top of 65 % use, and at least one broker more than replicas; ours "
        "computes the failures and accepts as many brokers as replicas.",
        **case.stream(
            "produce_in_bytes_per_s",
            "replication_factor",
            "fan_out",
            "lagging_fan_out",
            "disk_bytes_per_s",
            "network_bytes_per_s",
        ),
        utilisation_fraction=constant("published.amq_utilisation"),
        safety_factor=constant("published.amq_safety_factor"),
    )
    yield from _summed_directions(case)


def _summed_directions(case: _Case) -> Iterator[CrossRow]:
    """Sources that add both directions of the network."""
    ours = _raw(case, "network_in", "network_out")
    yield case.row(
        "one_budget_brokers",
        published.one_budget_brokers,
        ours,
        "brokers for network",
        "In and out share 400 MB/s of a vendor's broker, doubled for safety, at least four brokers; a network card "
        "carries both directions at once, and this scenario's brokers have their own limits.",
        **case.stream("produce_in_bytes_per_s", "replication_factor", "fan_out"),
        budget_bytes_per_s=constant("published.alibaba_budget_bytes_per_s"),
        safety_factor=constant("published.alibaba_safety_factor"),
        broker_floor=constant("published.alibaba_broker_floor"),
    )
    yield case.row(
        "followers_forgotten_brokers",
        published.followers_forgotten_brokers,
        ours,
        "brokers for network",
        "In and out are added although they do not share a link, and the bytes that leaders send to followers are "
        "forgotten; the errors go in opposite directions. Half of the capacity, all brokers up.",
        **case.stream("produce_in_bytes_per_s", "replication_factor", "fan_out", "network_bytes_per_s"),
        utilisation_fraction=constant("published.syalioune_utilisation"),
    )


def _flows(case: _Case) -> Iterator[CrossRow]:
    cluster, states, brokers = case.plan.cluster, case.plan.states, case.plan.brokers.count
    yield case.row(
        "cloudera_read_bytes_per_s",
        published.cloudera_read_bytes_per_s,
        cluster.network_out_bytes_per_s,
        "network out of all brokers, all up",
        "The same sum; ours adds tier uploads and mirrors where the scenario has them.",
        **case.stream("produce_in_bytes_per_s", "replication_factor", "fan_out"),
    )
    yield case.row(
        "netflix_network_bytes_per_s",
        published.netflix_network_bytes_per_s,
        max(cluster.network_in_bytes_per_s, cluster.network_out_bytes_per_s),
        "network to provide, busier direction",
        "40 % on top stand for rebuilding a broker, whatever its size and speed; ours computes the rebuild's rate and "
        "time as the state `recovering`.",
        **case.stream("produce_in_bytes_per_s", "replication_factor", "fan_out"),
        reserve_factor=constant("published.netflix_network_reserve"),
    )
    healthy, down = states["healthy"].per_broker, states["broker_down"].per_broker
    if healthy is None or down is None:
        return
    for direction in ("in", "out"):
        figure = f"network_{direction}_bytes_per_s"
        yield case.row(
            f"usual_survivor_{direction}_bytes_per_s",
            published.usual_survivor_bytes_per_s,
            down[figure],
            f"network {direction} of a live broker, mean, broker down",
            "The usual B/(B-f) holds only once everything is copied again; while replicas wait, a survivor takes in "
            "what it took before and sends fewer copies.",
            load_bytes_per_s=healthy[figure],
            brokers=brokers,
            brokers_down=states["broker_down"].brokers_down,
        )


def _cores(case: _Case) -> Iterator[CrossRow]:
    raw = _raw(case, "cpu")
    ours = None if raw is None else raw * case.spec.vcpu
    caveat = "Ours counts requests beside bytes, with a failure inside its own limit (low confidence, calibrate it)."
    stream = ("produce_in_bytes_per_s", "consumer_out_bytes_per_s")
    yield case.row(
        "google_vcpus",
        published.google_vcpus,
        ours,
        "vCPUs of all brokers",
        f"20 MB/s a vCPU, reads at a quarter, half used; batches of 10 kB and more. {caveat}",
        **case.stream(*stream, "replication_factor"),
        read_weight=constant("published.google_read_weight"),
        vcpu_bytes_per_s=constant("published.google_vcpu_bytes_per_s"),
        utilisation_fraction=constant("published.google_utilisation"),
    )
    yield case.row(
        "akalculator_vcpus",
        published.akalculator_vcpus,
        ours,
        "vCPUs of all brokers",
        f"5 MiB/s produced and 15 MiB/s consumed a vCPU, whatever the batches. {caveat}",
        **case.stream(*stream),
        vcpu_in_bytes_per_s=constant("published.akalculator_vcpu_in_bytes_per_s"),
        vcpu_out_bytes_per_s=constant("published.akalculator_vcpu_out_bytes_per_s"),
    )
    yield case.row(
        "netflix_cores",
        published.netflix_cores,
        ours,
        "vCPUs of all brokers",
        f"30 and 40 ms of core time a MiB, then square-root staffing; fitted to one company's fleets. {caveat}",
        **case.stream(*stream),
        core_s_per_byte_in=constant("published.netflix_core_s_per_byte_in"),
        core_s_per_byte_out=constant("published.netflix_core_s_per_byte_out"),
        staffing_quality=constant("published.netflix_staffing_quality"),
    )


# source of each padding: what its factor stands for
_PADDINGS = {
    "oracle": "Rate times retention times replicas, and nothing else",
    "amq": "10 % for brokers that are fuller than the mean",
    "redpanda": "10 % of padding",
    "syalioune": "35 % for segments, compaction and indexes",
    "msk": "Twice the stored bytes, so that disks are half full",
    "netflix": "Two and a half times the stored bytes, so that disks are 40 % full",
}
_PADDED_BY = {
    "oracle": "oracle-ocnadd",
    "amq": "amq-streams-sizing",
    "redpanda": "redpanda-sizing",
    "syalioune": "syalioune-sizing",
    "msk": "aws-msk-sizer",
    "netflix": "netflix-scm",
}


def _disks(case: _Case) -> Iterator[CrossRow]:
    """Sources differ in one factor, so one formula serves them all."""
    limit = case.plan.scenario.policy.utilisation.disk_volume
    ours = case.plan.cluster.disk_bytes_worst / limit
    for name, meaning in _PADDINGS.items():
        found = case.row(
            f"{name}_disk_bytes",
            published.padded_disk_bytes,
            ours,
            "disk to provide",
            f"{meaning}; ours counts whole segments, indexes, deletion that lags and compaction at their worst, peaks "
            f"that last, and keeps {1 - limit:.0%} free.",
            stored_bytes=case.stored,
            padding_factor=constant(f"published.{name}_disk_padding"),
        )
        yield replace(found, source=_PADDED_BY[name])


def _replicas(case: _Case) -> Iterator[CrossRow]:
    cluster, brokers = case.plan.cluster, case.plan.brokers.count
    yield case.row(
        "rao_replicas_per_broker",
        published.rao_replicas_per_broker,
        (cluster.replicas + cluster.internal_replicas) / brokers,
        "replicas a broker (theirs: most for low latency)",
        "A rule of thumb of 2015 for latency, per broker; ours is what this plan holds, and its limit is "
        "policy.replicas_per_broker_max.",
        brokers=brokers,
        replication_factor=case.copies,
        partitions_per_replica=constant("published.rao_partitions_per_replica"),
    )
    healthy = case.plan.states["healthy"].per_broker
    yield case.row(
        "redpanda_memory_bytes",
        published.redpanda_memory_bytes,
        None if healthy is None else healthy["memory_bytes"] * brokers,
        "memory of all brokers",
        "2 MB a replica is how Redpanda allots memory to partitions; Kafka's heap takes far less for one, and most of "
        "its memory is page cache.",
        replicas=cluster.replicas,
        replica_bytes=constant("published.redpanda_replica_bytes"),
    )


def _partitions(case: _Case) -> Iterator[CrossRow]:
    given, columns = case.workload.given, case.sized.columns
    for index, name in enumerate(case.workload.names):
        planned = case.plan.topics[name]
        reason = planned.binding_reason if not planned.partitions_given else "the scenario"
        yield case.row(
            f"topics.{name}.rao_partitions",
            published.rao_partitions,
            float(planned.partitions),
            f"partitions of {name}",
            f"The slower of produce and consume a partition, max(t/p, t/c), alone; ours is decided by {reason} and "
            "rounded to a useful count.",
            peak_bytes_per_s=float(columns["own_peak_bytes_per_s"][index]),
            produce_bytes_per_s=float(given["produce_capacity"][index]),
            consume_bytes_per_s=float(given["consume_capacity"][index]),
        )
