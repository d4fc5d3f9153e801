"""Transactions and idempotence: markers, state records, producer state, and what is left to the application."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from planner.constants import constant, data_path
from planner.model import memory, records
from planner.model import transactions as model
from planner.operations.view import View, view_of
from planner.results import Assumption, Finding, Result, frame_of
from planner.scenario import Scenario
from planner.sizing.setting import internal_topics
from planner.sizing.totals import constants_used
from planner.trace import Trace
from planner.units import format_quantity

if TYPE_CHECKING:
    import pandas as pd

_DAY = 86400.0


@dataclass(frozen=True)
class Transacted:
    """One topic that transactions write to; rates before replication."""

    topic: str
    transactions_per_s: float
    records_per_transaction: float
    partitions_touched: float
    marker_bytes_per_s: float
    state_bytes_per_s: float
    overhead_fraction: float


@dataclass(frozen=True)
class ProducerState:
    """State of idempotent producers of one topic on the mean broker."""

    topic: str
    producers: int
    starts_per_day: float
    live_producer_ids: float
    heap_bytes_per_broker: float


@dataclass(frozen=True)
class Internal:
    """Internal topics that the scenario's features create."""

    topics: int
    replicas: float
    state_bytes_per_s: float


@dataclass(frozen=True)
class Covered:
    """One way to a duplicate, and what covers it."""

    case: str
    what: str
    covered: bool
    covered_by: str
    why: str


@dataclass(frozen=True)
class Transactions(Result):
    """What transactions and idempotence cost, and what they cover."""

    topics: Mapping[str, Transacted]
    producers: Mapping[str, ProducerState]
    producer_heap_bytes_per_broker: float
    heap_bytes: float
    internal: Internal
    covers: tuple[Covered, ...]
    findings: tuple[Finding, ...]
    assumptions: tuple[Assumption, ...]
    trace: Trace = field(repr=False)

    def to_frame(self) -> pd.DataFrame:
        """The producer state as a data frame, with what transactions add."""
        return frame_of(self.producers.values())


def transactions(scenario: Scenario, *, starts_per_day: float | None = None) -> Transactions:
    """What transactions and idempotent producers cost the brokers, and what they cover.

    Parameters
    ----------
    scenario
        A scenario with topics.
    starts_per_day
        Producers of each topic that start anew in a day [1/day]; None = all of them with every deployment.

    Returns
    -------
    Transactions
        Markers and state records per topic, heap of the producer state, and the cases that need the application.

    Examples
    --------
    >>> import planner
    >>> found = planner.transactions(planner.load("preset:fintech"), starts_per_day=100_000)
    >>> found.findings[0].code
    'producer_state'
    """
    view, trace = view_of(scenario), Trace()
    topics = {
        topic.name: _transacted(view, index, trace)
        for index, topic in enumerate(view.workload.topics)
        if topic.transactions_per_s > 0
    }
    producers = {
        topic.name: _producers(view, index, starts_per_day, trace) for index, topic in enumerate(view.workload.topics)
    }
    heap = sum(state.heap_bytes_per_broker for state in producers.values())
    floor = _heap(view)
    internal = Internal(
        internal_topics(scenario),
        view.setting.internal_replicas,
        sum(topic.state_bytes_per_s for topic in topics.values()),
    )
    return Transactions(
        {topic.name: topics[topic.name] for topic in scenario.topics if topic.name in topics},
        {topic.name: producers[topic.name] for topic in scenario.topics},
        heap,
        floor,
        internal,
        _covers(),
        tuple(_findings(topics, producers, heap, floor)),
        constants_used("transactions.", "memory.heap", "records.transaction", "internal."),
        trace,
    )


def _transacted(view: View, index: int, trace: Trace) -> Transacted:
    topic, columns = view.workload.topics[index], view.sized.columns
    name, rate = f"topics.{topic.name}", topic.transactions_per_s * view.workload.growth
    each = trace(
        f"{name}.records_per_transaction",
        model.records_per_transaction,
        records_per_s=float(columns["average_records_per_s"][index]),
        transactions_per_s=rate,
    )
    count = view.plan.topics[topic.name].partitions
    touched = trace(
        f"{name}.partitions_touched",
        records.batches_per_request,
        records_per_request=max(float(each), 1.0),
        leader_partitions=float(count) if topic.record.key_bytes is not None else 1.0,
    )
    markers = trace(
        f"{name}.marker_bytes_per_s",
        model.marker_bytes_per_s,
        transactions_per_s=rate,
        partitions_touched=float(touched),
        marker_bytes=constant("records.transaction_marker_bytes"),
    )
    state = rate * trace(
        f"{name}.state_bytes_per_transaction",
        model.state_bytes_per_transaction,
        state_records=constant("transactions.state_records"),
        batch_header_bytes=constant("records.batch_header_bytes"),
        record_frame_bytes=constant("transactions.state_frame_bytes"),
        key_bytes=constant("transactions.state_key_bytes") + constant("transactions.id_bytes"),
        value_bytes=constant("transactions.state_value_bytes"),
        topic_bytes=2.0 + len(topic.name),
        partition_bytes=constant("transactions.state_partition_bytes"),
        partitions_touched=float(touched),
    )
    own = float(columns["average_records_per_s"][index] * columns["wire_bytes_per_record"][index])
    share = float((markers + state) / own)
    return Transacted(topic.name, rate, float(each), float(touched), float(markers), float(state), share)


def _producers(view: View, index: int, starts_per_day: float | None, trace: Trace) -> ProducerState:
    """A transactional producer keeps its id over a restart, so only the others start with a new one."""
    topic = view.workload.topics[index]
    daily = view.workload.scenario.operations.deploys_per_day * topic.producers
    if starts_per_day is not None:
        daily = starts_per_day
    elif topic.transactions_per_s > 0:
        daily = 0.0
    live = trace(
        f"topics.{topic.name}.live_producer_ids",
        model.live_producer_ids,
        producers=topic.producers,
        starts_per_s=daily / _DAY,
        expiration_s=constant("transactions.producer_id_expiration_s"),
    )
    replicas = float(view.plan.topics[topic.name].partitions * topic.replication_factor)
    heap = trace(
        f"topics.{topic.name}.producer_state_bytes",
        model.producer_state_bytes,
        live_producer_ids=float(live),
        partition_replicas=replicas,
        brokers=view.brokers,
        bytes_per_producer=constant("memory.heap_bytes_per_producer"),
    )
    return ProducerState(topic.name, topic.producers, float(daily), float(live), float(heap))


def _heap(view: View) -> float:
    """Heap that the plan gives a broker."""
    healthy = view.plan.states["healthy"].fullest or {}
    entries = float(np.sum(view.sized.load.classes.producer_entries * view.replicas) / view.brokers)
    return float(
        memory.heap_bytes(
            replicas=healthy["replicas"],
            producer_entries=entries,
            heap_floor_bytes=constant("memory.heap_floor_bytes"),
            heap_base_bytes=constant("memory.heap_base_bytes"),
            heap_bytes_per_replica=constant("memory.heap_bytes_per_replica"),
            heap_bytes_per_producer=constant("memory.heap_bytes_per_producer"),
        )
    )


def _covers() -> tuple[Covered, ...]:
    with data_path("audit", "exactly_once.toml").open("rb") as file:
        return tuple(Covered(case=case, **row) for case, row in tomllib.load(file).items())


def _findings(
    topics: Mapping[str, Transacted], producers: Mapping[str, ProducerState], heap: float, floor: float
) -> Iterator[Finding]:
    if heap > constant("transactions.heap_share_high_fraction") * floor:
        worst = max(producers.values(), key=lambda state: state.heap_bytes_per_broker)
        message = (
            f"State of idempotent producers takes {format_quantity(heap, 'bytes')} of the heap of each broker, whose "
            f"{format_quantity(floor, 'bytes')} the plan counts with; most of it for {worst.topic}, with "
            f"{worst.live_producer_ids:,.0f} producer ids remembered at a time."
        )
        action = (
            "Keep producers running instead of one per task; else lower producer.id.expiration.ms, or raise the heap."
        )
        severity = "critical" if heap > floor else "warning"
        yield Finding("producer_state", severity, message, action)  # type: ignore[arg-type]
    for name, topic in topics.items():
        if topic.overhead_fraction > constant("transactions.marker_share_high_fraction"):
            message = (
                f"{name}: {topic.records_per_transaction:.3g} records a transaction; markers and state records add "
                f"{format_quantity(topic.overhead_fraction, 'fraction')} to its bytes."
            )
            yield Finding("small_transactions", "warning", message, "Commit less often: more records in a transaction.")
