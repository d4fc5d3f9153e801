"""What a plan answers: frozen, typed, and convertible to the contract's dictionary and to tables."""

from __future__ import annotations

import dataclasses
import difflib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from planner.trace import Step, Trace, plain

if TYPE_CHECKING:
    import pandas as pd

    from planner.scenario import Scenario

RESOURCES = (
    "network_in",
    "network_out",
    "disk_volume",
    "disk_throughput",
    "disk_iops",
    "cpu",
    "memory",
    "handles",
    "partitions",
    "replication",
    "recovery",
)
STATES = ("healthy", "broker_down", "zone_down", "recovering", "returned", "reduced")

RESOURCE_WORDS = {
    "network_in": "network in",
    "network_out": "network out",
    "disk_volume": "disk space",
    "disk_throughput": "disk throughput",
    "disk_iops": "disk operations",
    "cpu": "CPU",
    "memory": "memory",
    "handles": "file and map handles",
    "partitions": "replicas per broker",
    "replication": "the replication factor",
    "recovery": "recovery time",
}
STATE_WORDS = {
    "healthy": "all brokers are up",
    "broker_down": "a broker is down",
    "zone_down": "a zone is down",
    "recovering": "a returned broker refills",
    "returned": "a broker is back but leads nothing yet",
    "reduced": "the survivors hold everything",
}

Severity = Literal["info", "warning", "critical"]
Judgement = Literal["short", "right", "spare"]


@dataclass(frozen=True, slots=True)
class Where:
    """A resource in a state of the cluster."""

    resource: str
    state: str


@dataclass(frozen=True, slots=True)
class Need:
    """Least broker count when only one resource constrains, and the state that asks for it."""

    count: int | None
    raw: float | None
    state: str | None
    count_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Brokers:
    """The broker count: planned or given, what it should be, and which limit decides."""

    count: int
    required: int | None
    raw: float | None
    binding: Where | None
    runner_up: Where | None
    needed: Mapping[str, Need]
    required_reason: str | None = None


@dataclass(frozen=True, slots=True)
class ClusterLoad:
    """Sums over all brokers, at peak for rates, healthy state."""

    produce_in_bytes_per_s: float
    follower_in_bytes_per_s: float
    follower_out_bytes_per_s: float
    consumer_out_bytes_per_s: float
    tier_out_bytes_per_s: float
    mirror_out_bytes_per_s: float
    network_in_bytes_per_s: float
    network_out_bytes_per_s: float
    cross_zone_bytes_per_s: float
    disk_bytes: float
    disk_bytes_worst: float
    remote_bytes: float
    provisioned_disk_bytes: float
    partitions: int
    replicas: int
    internal_replicas: int
    produce_requests_per_s: float
    fetch_requests_per_s: float
    controllers: int
    controller_memory_bytes: float
    metadata_bytes: float


@dataclass(frozen=True, slots=True)
class StateLoad:
    """Loads of one state: the mean over live brokers and the expected fullest one."""

    checked: bool
    brokers_down: int
    per_broker: Mapping[str, float] | None
    fullest: Mapping[str, float] | None
    unwritable: Mapping[str, float]
    offline: Mapping[str, float]
    refused_bytes_per_s: float
    target: Mapping[str, float] | None = None
    source: Mapping[str, float] | None = None
    rate_bytes_per_s: float | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """One resource in one checked state against its threshold."""

    resource: str
    state: str
    utilisation: float
    threshold: float
    margin: float
    verdict: Judgement
    action: str
    confidence: str


@dataclass(frozen=True, slots=True)
class Rung:
    """A partition count, the member counts that divide it evenly, and what is idle at the planned ones."""

    partitions: int
    even_members: tuple[int, ...]
    wasted_fraction: float
    worst_wasted_fraction: float
    per_broker: float
    enough: bool = True  # whether it satisfies every reason


@dataclass(frozen=True, slots=True)
class Ceiling:
    """An upper limit on partitions, with its source, and how much of it this plan takes."""

    name: str
    limit: float
    source: str
    as_of: str
    unit: str
    used: float
    used_fraction: float
    binds: bool = False
    kind: str = "computed"  # policy, computed, folk, laboratory, tool or vendor
    applies_to: str = ""
    sizes: Mapping[str, float] = field(default_factory=dict)  # limits of a vendor's machines, the smallest first
    fits_from: str | None = None  # the smallest of them that holds this plan
    fits_from_reason: str | None = None


@dataclass(frozen=True, slots=True)
class TopicPlan:
    """One topic: its partitions with reasons, its bytes."""

    partitions: int
    partitions_raw: float
    partitions_given: bool
    reasons: Mapping[str, float | None]
    binding_reason: str
    ladder: tuple[Rung, ...]
    ceilings: tuple[Ceiling, ...]
    replication_factor: int
    min_insync_replicas: int
    produce_in_bytes_per_s: float
    consumer_out_bytes_per_s: float
    logical_bytes_per_record: float
    wire_bytes_per_record: float
    batch_records: float
    produce_requests_per_s: float
    disk_bytes: float
    disk_bytes_worst: float
    remote_bytes: float
    hottest_partition_fraction: float
    cost_per_month: float | None
    cost_per_month_reason: str | None


@dataclass(frozen=True, slots=True)
class Recovery:
    """Refilling an empty broker, and failing over."""

    broker_refill_bytes: float
    broker_refill_s: float | None
    limited_by: str
    failover_s: float
    rate_bytes_per_s: float
    broker_refill_s_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Concentration:
    """How far Kafka's placer gathers the leaders of a topic, and the nearest counts at which it does not."""

    replication_factor: int
    concentration: int
    lower_brokers: int | None
    higher_brokers: int


@dataclass(frozen=True, slots=True)
class Rack:
    """One rack: its brokers, and what each holds over the mean of all brokers."""

    rack: str | None
    brokers: int
    replicas_over_mean: float


@dataclass(frozen=True, slots=True)
class Peers:
    """With how many others a broker shares partitions: they are all that can feed its refill."""

    least: int
    mean: float
    most: int
    random: float | None  # the mean if partitions took random brokers of distinct racks
    refill_sources: float | None  # the peers that feed a refill, as many as if each fed what the busiest one does
    random_reason: str | None = None
    refill_sources_reason: str | None = None


@dataclass(frozen=True, slots=True)
class PlacedBroker:
    """What one broker holds, healthy, at peak."""

    broker: int | None
    rack: str | None
    replicas: int
    leaders: int
    peers: int
    disk_bytes: float
    fullest_volume_bytes: float
    network_in_bytes_per_s: float
    network_out_bytes_per_s: float


@dataclass(frozen=True, slots=True)
class Spread:
    """Where replicas are: the given assignment, or Kafka's placer simulated; `brokers` are those of the first one."""

    assigned: bool
    placements: int
    concentrations: tuple[Concentration, ...]
    fullest_over_mean: Mapping[str, float]
    racks: tuple[Rack, ...]
    leaderless_brokers: float
    peers: Peers
    brokers: tuple[PlacedBroker, ...]


@dataclass(frozen=True, slots=True)
class Assumption:
    """A default or constant that shaped the result."""

    id: str
    value: Any
    unit: str
    low: float | None
    high: float | None
    source: str
    as_of: str
    confidence: str = "high"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to know or to do."""

    code: str
    severity: Severity
    message: str
    action: str


@dataclass(frozen=True, slots=True)
class CostLine:
    """One item of the monthly cost."""

    item: str
    per_month: float
    quantity: float
    unit_price: float
    source: str
    as_of: str
    unit: str = ""  # of the quantity: bytes, or pieces


@dataclass(frozen=True, slots=True)
class Cost:
    """Monthly cost, line by line."""

    per_month: float
    currency: str
    lines: tuple[CostLine, ...]
    labels: Mapping[str, Mapping[str, float]] = field(default_factory=dict)  # by label, then by its value
    unpriced: tuple[str, ...] = ()  # what is billed too, at prices that are not known


class ExplainError(KeyError):
    """No figure of that name; `nearest` lists names that exist."""

    def __init__(self, name: str, nearest: list[str]) -> None:
        super().__init__(name)
        self.name = name
        self.nearest = nearest

    def __str__(self) -> str:
        hint = f" Near it: {', '.join(self.nearest)}." if self.nearest else ""
        return f"No figure is called {self.name!r}.{hint}"


@dataclass(frozen=True, slots=True)
class Plan:
    """A sized cluster, every figure of which can be explained."""

    name: str
    feasible: bool
    headline: tuple[str, ...]
    brokers: Brokers
    cluster: ClusterLoad
    states: Mapping[str, StateLoad]
    verdicts: tuple[Verdict, ...]
    topics: Mapping[str, TopicPlan]
    placement: Spread | None
    placement_reason: str | None
    recovery: Recovery
    cost: Cost | None
    cost_reason: str | None
    assumptions: tuple[Assumption, ...]
    findings: tuple[Finding, ...]
    trace: Trace = field(repr=False)
    scenario: Scenario = field(repr=False)

    def to_dict(self, *, topic_traces: bool = False) -> dict[str, Any]:
        """The contract's dictionary; traces of single topics are added when asked for."""
        body = {
            item.name: to_plain(getattr(self, item.name))
            for item in dataclasses.fields(self)
            if item.name not in {"trace", "scenario"}
        }
        steps = [step for step in self.trace if topic_traces or not step.name.startswith("topics.")]
        return {**body, "trace": [to_plain(step.to_dict()) for step in steps]}

    def to_frame(self, table: str = "topics") -> pd.DataFrame:
        """One of `topics`, `verdicts`, `states`, `brokers`, `assumptions`, `findings` as a data frame."""
        import pandas as pd  # heavy: only for callers who want a frame

        if table == "topics":
            rows = [{"topic": name, **_flat_topic(topic)} for name, topic in self.topics.items()]
        elif table == "states":
            rows = [
                {"state": name, "figure": key, "mean": mean, "fullest": (state.fullest or {}).get(key)}
                for name, state in self.states.items()
                for key, mean in (state.per_broker or {}).items()
            ]
        elif table == "brokers":
            rows = [dataclasses.asdict(row) for row in (self.placement.brokers if self.placement else ())]
        elif table in {"verdicts", "assumptions", "findings"}:
            rows = [dataclasses.asdict(row) for row in getattr(self, table)]
        else:
            msg = f"no table {table!r}; there are topics, verdicts, states, brokers, assumptions, findings"
            raise ValueError(msg)
        return pd.DataFrame(rows)

    def explain(self, name: str) -> Step:
        """The step behind a figure: its formula, the formula with live numbers, unit and source.

        `name` is a key of the result (`network_out`, `network_out_bytes_per_s`, `brokers.count`, `cpu`,
        `states.broker_down.fullest.network_out_bytes_per_s`, `topics.orders.partitions`) or the end of one.
        """
        steps = self.trace.steps
        if name.startswith("brokers.needed."):
            name = name.removesuffix(".count").removesuffix(".raw")
        name = name.replace(".reasons.", ".partitions_for_")
        for candidate in _candidates(name):
            if candidate in steps:
                return steps[candidate]
        return self._explain_resource(name) or self._explain_topic(name) or self._explain_ending(name)

    def _explain_resource(self, name: str) -> Step | None:
        """A resource is explained where it is fullest."""
        verdicts = [verdict for verdict in self.verdicts if verdict.resource == name]
        if not verdicts:
            return None
        worst = max(verdicts, key=lambda verdict: verdict.utilisation / verdict.threshold)
        return self.trace.steps.get(f"utilisation.{worst.state}.{name}")

    def _explain_topic(self, name: str) -> Step | None:
        """Slice the step of all topics down to the one asked for."""
        for index, topic in enumerate(self.trace.labels):
            prefix = f"topics.{topic}."
            if not name.startswith(prefix):
                continue
            step = next(
                (
                    self.trace.steps[f"topics.{ending}"]
                    for ending in _candidates(name.removeprefix(prefix))
                    if f"topics.{ending}" in self.trace.steps
                ),
                None,
            )
            if step is not None:
                return _slice(step, name, index, len(self.trace.labels))
        return None

    def _explain_ending(self, name: str) -> Step:
        steps = self.trace.steps
        endings = tuple(f".{candidate}" for candidate in _candidates(name))
        found = [key for key in steps if key.endswith(endings)]
        if found:
            return steps[found[0]]
        names = {key.rsplit(".", 1)[-1] for key in steps} | set(steps)
        raise ExplainError(name, difflib.get_close_matches(name, sorted(names), n=5, cutoff=0.5))


def _candidates(name: str) -> Iterable[str]:
    return (name, f"{name}_bytes_per_s", f"{name}_bytes", f"{name}_per_s", f"{name}_s", f"{name}_fraction")


def _slice(step: Step, name: str, index: int, count: int) -> Step:
    """One topic's part of a step that was computed for all topics at once."""

    def pick(value: Any) -> Any:
        # arrays over partition classes begin with one class per topic, the topic's ordinary partitions
        many = getattr(value, "ndim", 0) == 1 and len(value) >= count
        return value[index] if many else value

    numbers = {key: pick(number) for key, number in step.numbers.items()}
    return dataclasses.replace(step, name=name, numbers=numbers, value=pick(step.value))


def _flat_topic(topic: TopicPlan) -> dict[str, Any]:
    row = {key.name: getattr(topic, key.name) for key in dataclasses.fields(topic)}
    reasons = row.pop("reasons")
    for key in ("ladder", "ceilings", "cost_per_month_reason"):
        row.pop(key)
    return {**row, **{f"partitions_for_{reason}": value for reason, value in reasons.items()}}


def to_plain(value: Any) -> Any:
    """Return a result as JSON-ready Python; a non-finite number here is a defect of the model."""
    if isinstance(value, Trace):
        return [to_plain(step.to_dict()) for step in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {item.name: to_plain(getattr(value, item.name)) for item in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    shown = plain(value)
    if isinstance(shown, dict | list):
        return to_plain(shown)
    if isinstance(shown, float) and not math.isfinite(shown):
        msg = "a non-finite number reached a result"
        raise AssertionError(msg)
    return shown


class Result:
    """What every answer can do beside holding its fields."""

    def to_dict(self) -> dict[str, Any]:
        """The contract's dictionary."""
        return {item.name: to_plain(getattr(self, item.name)) for item in dataclasses.fields(self)}  # type: ignore[arg-type]


@dataclass(frozen=True)
class Margin:
    """Distance of one resource in one state from its limit."""

    resource: str
    state: str
    utilisation: float
    threshold: float
    margin: float
    checked: bool


@dataclass(frozen=True)
class Check:
    """A plan of a given cluster, whether it holds, and every margin."""

    plan: Plan
    holds: bool
    margins: tuple[Margin, ...]

    def to_dict(self) -> dict[str, Any]:
        """The plan's dictionary with `holds` and `margins` beside it."""
        return {**self.plan.to_dict(), "holds": self.holds, "margins": to_plain(self.margins)}

    def to_frame(self) -> pd.DataFrame:
        """The margins as a data frame."""
        return frame_of(self.margins)


@dataclass(frozen=True)
class Limit:
    """The largest factor on the load that one resource carries in one state; None where it does not limit."""

    resource: str
    state: str
    max_load_factor: float | None


@dataclass(frozen=True)
class Reverse(Result):
    """How much load and retention a cluster carries."""

    brokers: int
    limits: tuple[Limit, ...]
    max_load_factor: float | None
    max_load_factor_reason: str | None
    max_retention_s: float | None
    max_retention_s_reason: str | None

    def to_frame(self) -> pd.DataFrame:
        """The limits as a data frame."""
        return frame_of(self.limits)


@dataclass(frozen=True)
class Difference:
    """One input or figure that differs between scenarios."""

    path: str
    values: tuple[Any, ...]


@dataclass(frozen=True)
class Comparison:
    """What differs between scenarios and their plans."""

    names: tuple[str, ...]
    inputs: tuple[Difference, ...]
    figures: tuple[Difference, ...]
    plans: tuple[Plan, ...]

    def to_dict(self) -> dict[str, Any]:
        """Names, differing inputs and differing figures; the plans themselves are left out."""
        return {"names": list(self.names), "inputs": to_plain(self.inputs), "figures": to_plain(self.figures)}

    def to_frame(self) -> pd.DataFrame:
        """One row per difference, one column per scenario."""
        import pandas as pd  # heavy: only for callers who want a frame

        labels = [f"{position} {name}" for position, name in enumerate(self.names, start=1)]
        rows = [
            {"kind": kind, "path": row.path, **dict(zip(labels, row.values, strict=True))}
            for kind, table in (("input", self.inputs), ("figure", self.figures))
            for row in table
        ]
        return pd.DataFrame(rows)


def frame_of(rows: Iterable[Any]) -> pd.DataFrame:
    """Rows of one result type as a data frame."""
    import pandas as pd  # heavy: only for callers who want a frame

    return pd.DataFrame([dataclasses.asdict(row) for row in rows])
