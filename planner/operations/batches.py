"""The batching advisor: what linger and batch.size do to bytes, requests, disk operations and CPU."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from planner.constants import constant
from planner.model import batching as model
from planner.operations.view import View, view_of
from planner.results import Assumption, Finding, Result, frame_of
from planner.scenario import Batch, Scenario
from planner.sizing.evaluate import evaluate
from planner.sizing.sized import Sized, size_at
from planner.sizing.totals import constants_used
from planner.sizing.workload import Workload
from planner.trace import Trace
from planner.units import format_quantity

if TYPE_CHECKING:
    import pandas as pd

LINGERS_S = (0.0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2)
SIZES_BYTES = (16384.0, 65536.0, 262144.0, 1048576.0)


@dataclass(frozen=True)
class Batching:
    """The cluster under one setting of all producers; at peak, all brokers up."""

    linger_s: float | None
    batch_size_bytes: float | None
    batch_records: float
    wire_bytes_per_record: float
    produce_in_bytes_per_s: float
    produce_requests_per_s: float
    disk_iops: float
    cpu_fraction: float
    cpu_saved_fraction: float
    requests_saved_fraction: float
    disk_saved_fraction: float


@dataclass(frozen=True)
class TopicBatching:
    """One topic today and under the advised setting."""

    topic: str
    given: str
    batch_records: float
    batch_records_advised: float
    produce_requests_per_s: float
    produce_requests_per_s_advised: float
    wire_bytes_per_record: float
    wire_bytes_per_record_advised: float


@dataclass(frozen=True)
class Batches(Result):
    """A table of settings, and the cheapest that brings most of the saving."""

    today: Batching
    rows: tuple[Batching, ...]
    advised: Batching | None
    advised_reason: str
    topics: Mapping[str, TopicBatching]
    findings: tuple[Finding, ...]
    assumptions: tuple[Assumption, ...]
    trace: Trace = field(repr=False)

    def to_frame(self) -> pd.DataFrame:
        """The settings as a data frame, today's first."""
        return frame_of((self.today, *self.rows))


def batching(
    scenario: Scenario, *, lingers: Sequence[float] = LINGERS_S, sizes: Sequence[float] = SIZES_BYTES
) -> Batches:
    """What other values of linger.ms and batch.size bring, by planning the load again with each.

    Parameters
    ----------
    scenario
        A scenario with topics; brokers and partitions stay as planned.
    lingers
        Values of linger [s].
    sizes
        Values of batch.size [bytes].

    Returns
    -------
    Batches
        One row per setting; `advised` is the shortest linger that brings most of what the longest brings.

    Examples
    --------
    >>> import planner
    >>> found = planner.batching(planner.load("preset:linkedin-2014"), lingers=[0.005], sizes=[16384, 262144])
    >>> found.today.produce_requests_per_s > found.rows[1].produce_requests_per_s
    True
    """
    view, trace = view_of(scenario), Trace()
    fixed = _fixed(view)
    now = _figures(view, view.sized)
    tried: dict[tuple[float, float], tuple[Batching, Sized]] = {}
    known: dict[bytes, dict[str, float]] = {}  # a larger batch.size that nobody fills changes nothing
    for linger in sorted(set(lingers)):
        for size in sorted(set(sizes)):
            sized = _sized_with(view, fixed, linger, size)
            fill = sized.columns["batch_records"].tobytes()
            if fill not in known:
                known[fill] = _figures(view, sized)
            tried[linger, size] = (_row(linger, size, now, known[fill], trace), sized)
    today = _row(None, None, now, now, trace)
    chosen, reason = _advised(view, tried)
    advised = None if chosen is None else tried[chosen][0]
    return Batches(
        today,
        tuple(row for row, _ in tried.values()),
        advised,
        reason,
        _topics(view, None if chosen is None else tried[chosen][1]),
        tuple(_findings(view, advised)),
        constants_used("batching.", "requests.", "records.", "cpu.", "iops."),
        trace,
    )


def _fixed(view: View) -> Scenario:
    """Partitions as planned: a batch size changes no count."""
    topics = tuple(
        topic.model_copy(update={"partitions": view.plan.topics[topic.name].partitions})
        for topic in view.workload.scenario.topics
    )
    return view.workload.scenario.model_copy(update={"topics": topics})


def _sized_with(view: View, fixed: Scenario, linger: float, size: float) -> Sized:
    """The load under one setting; records a batch that were given are a floor, since waiting longer adds some."""
    derived = _with(fixed, linger, size)
    sized = size_at(Workload(derived), view.brokers)
    fill = dict(zip(view.workload.names, sized.columns["batch_records"].tolist(), strict=True))
    given = {topic.name: topic.batch.records for topic in fixed.topics if topic.batch.records is not None}
    if all(fill[name] >= least for name, least in given.items()):
        return sized
    topics = tuple(
        topic.model_copy(update={"batch": Batch(records=given[topic.name])})
        if fill[topic.name] < given.get(topic.name, 0.0)
        else topic
        for topic in derived.topics
    )
    return size_at(Workload(derived.model_copy(update={"topics": topics})), view.brokers)


def _with(scenario: Scenario, linger: float, size: float) -> Scenario:
    batch = Batch(linger=linger, size=size)
    return scenario.model_copy(
        update={"topics": tuple(topic.model_copy(update={"batch": batch}) for topic in scenario.topics)}
    )


def _figures(view: View, sized: Sized) -> dict[str, float]:
    """Sums over the topics, and the fullest broker, while all are up."""
    columns = sized.columns
    healthy = evaluate(sized.load, view.setting, view.brokers, {"healthy"}).outcomes["healthy"].fullest
    peak = float(columns["peak_records_per_s"].sum())
    appends = float(columns["appends_per_s"].sum())
    bytes_per_s = float((columns["peak_records_per_s"] * columns["wire_bytes_per_record"]).sum())
    return {
        "batch_records": peak / appends if appends > 0 else 0.0,
        "wire_bytes_per_record": bytes_per_s / peak if peak > 0 else 0.0,
        "produce_in_bytes_per_s": float(columns["produce_in_bytes_per_s"].sum()),
        "produce_requests_per_s": float(columns["produce_requests_per_s"].sum()),
        "disk_iops": float(healthy["disk_iops"]),
        "cpu_fraction": float(healthy["cpu_fraction"]),
        "disk_bytes": float(columns["disk_bytes"].sum()),
    }


def _row(
    linger: float | None, size: float | None, before: Mapping[str, float], after: Mapping[str, float], trace: Trace
) -> Batching:
    saved: dict[str, Any] = {}
    for name, figure in (("cpu", "cpu_fraction"), ("requests", "produce_requests_per_s"), ("disk", "disk_bytes")):
        label = f"{name}_saved_fraction"
        step = label if linger is None else f"linger_{linger:g}_s.size_{size:.0f}_bytes.{label}"
        saved[label] = float(trace(step, model.saved_fraction, before=before[figure], after=after[figure]))
    shown = {name: value for name, value in after.items() if name != "disk_bytes"}
    return Batching(linger, size, **shown, **saved)


def _advised(
    view: View, tried: Mapping[tuple[float, float], tuple[Batching, Sized]]
) -> tuple[tuple[float, float] | None, str]:
    """The shortest linger, then the smallest size, that saves most of what the latency allows."""
    asked = view.workload.scenario.questions.latency_p99
    longest = constant("batching.linger_max_s") if asked is None else asked / 2
    allowed = {key: row for key, (row, _) in tried.items() if key[0] <= longest}
    best = max((row.cpu_saved_fraction for row in allowed.values()), default=0.0)
    if best < constant("batching.worth_fraction"):
        return None, "no other setting saves CPU worth the wait: batches are as large already, or the load is too small"
    enough = constant("batching.enough_fraction") * best
    chosen = min(key for key, row in allowed.items() if row.cpu_saved_fraction >= enough)
    return chosen, (
        f"the shortest linger up to {format_quantity(longest, 's')} that saves at least "
        f"{format_quantity(constant('batching.enough_fraction'), 'fraction')} of what can be saved"
    )


def _topics(view: View, advised: Sized | None) -> dict[str, TopicBatching]:
    now, names = view.sized.columns, view.workload.names
    # a changed batch does not change the order of the topics: it is not part of it
    then = now if advised is None else advised.columns
    found = {}
    for index, topic in enumerate(view.workload.topics):
        figures = [
            float(columns[name][index])
            for name in ("batch_records", "produce_requests_per_s", "wire_bytes_per_record")
            for columns in (now, then)
        ]
        given = "batch.records" if topic.batch.records is not None else "linger and size"
        found[names[index]] = TopicBatching(topic.name, given, *figures)
    return {topic.name: found[topic.name] for topic in view.workload.scenario.topics}


def _findings(view: View, advised: Batching | None) -> list[Finding]:
    found = []
    given = [topic.name for topic in view.workload.topics if topic.batch.records is not None]
    if given:
        message = (
            f"{', '.join(given[:5])}: batch.records is given, so every setting counts with at least that many, and "
            "with more where linger, size and producers give more."
        )
        found.append(Finding("batch_given", "info", message, "Measure records per batch after a change."))
    if any(topic.compression.codec != "none" for topic in view.workload.topics):
        message = "Larger batches compress better; the ratio is kept here, so savings of bytes are understated."
        found.append(Finding("ratio_kept", "info", message, "Measure the ratio at the new batch size."))
    if advised is not None and advised.linger_s:
        message = (
            f"A record waits up to {format_quantity(advised.linger_s, 's')} longer in the producer under low load."
        )
        found.append(Finding("linger_latency", "info", message, "Keep linger.ms below what the latency allows."))
    return found
