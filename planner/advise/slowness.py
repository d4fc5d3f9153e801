"""Diagnosis of "Kafka is slow": measurements in, the layer that is the cause out, step by step."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from planner.constants import constant, data_path
from planner.fields import InputError, ScenarioError, refusal, shorten
from planner.operations.view import View, view_of
from planner.results import Assumption, Result, frame_of
from planner.scenario import ConsumerGroup, Scenario
from planner.sizing.totals import constants_used
from planner.trace import Trace
from planner.units import UnitError, parse
from planner.yaml_reader import read_text

if TYPE_CHECKING:
    import pandas as pd

Verdict = Literal["normal", "abnormal", "unknown"]

LAYERS = {
    "producer": "Does the producer itself hold records back?",
    "broker_disk": "Is the disk of a broker slow?",
    "broker_network": "Is the network of a broker full?",
    "broker_gc": "Does a broker stand still for garbage collection?",
    "broker_request_threads": "Do requests queue for a handler?",
    "replication": "Do followers hold up acknowledgements?",
    "consumer": "Do consumers fall behind?",
    "skew": "Does one partition or broker carry too much?",
}
_WORDS = {
    "producer": "the producer",
    "broker_disk": "a broker's disk",
    "broker_network": "a broker's network",
    "broker_gc": "garbage collection of a broker",
    "broker_request_threads": "the request handlers of a broker",
    "replication": "replication",
    "consumer": "the consumers",
    "skew": "skew: one partition or broker carries too much",
}
_MAX_BYTES = 100_000
_DIMENSIONS = {"s": "s", "bytes/s": "bytes_per_s", "1/s": "per_s", "fraction": "fraction", "ratio": "ratio"}
_AVERAGES = (
    "An average over the cluster hides a hot partition or broker: give the values of the busiest broker and of the "
    "slowest partition, not means."
)


@dataclass(frozen=True, slots=True)
class Measurement:
    """One thing that can be measured, and where it is read."""

    key: str
    layer: str
    unit: str
    bad: str
    what: str
    read: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Step:
    """One layer: the measurement that decides it, beside the plan's normal value and the limit."""

    layer: str
    question: str
    verdict: Verdict
    measurement: str | None
    measured: float | None
    normal: float | None
    limit: float | None
    unit: str
    why: str
    remedy: str


@dataclass(frozen=True)
class Diagnosis(Result):
    """The layer that is slow, every step, and what to measure next."""

    layer: str | None
    layer_reason: str | None
    sentence: str
    steps: tuple[Step, ...]
    measure_next: tuple[Measurement, ...]
    warnings: tuple[str, ...]
    assumptions: tuple[Assumption, ...]
    trace: Trace = field(repr=False)

    def to_frame(self) -> pd.DataFrame:
        """The steps as a data frame."""
        return frame_of(self.steps)


@dataclass(frozen=True, slots=True)
class _Expected:
    """What the plan says of one measurement."""

    normal: float | None
    limit: float | None


@cache
def measurements() -> Mapping[str, Measurement]:
    """Everything that a diagnosis can be given, by key."""
    with data_path("audit", "measurements.toml").open("rb") as file:
        return {key: Measurement(key=key, **row) for key, row in tomllib.load(file).items()}


def diagnose(scenario: Scenario, measured: Mapping[str, Any] | None = None) -> Diagnosis:
    """Find the layer that makes Kafka slow.

    Parameters
    ----------
    scenario
        A scenario with topics; its plan gives the normal values.
    measured
        Measurements by the keys of `data/audit/measurements.toml`: numbers in base units, or text with a unit.

    Returns
    -------
    Diagnosis
        The first layer, in the order of causes, whose measurement is beyond its limit; every step; what is missing.

    Raises
    ------
    ScenarioError
        For unknown keys and impossible values.

    Examples
    --------
    >>> import planner
    >>> shop = planner.load("preset:ecommerce")
    >>> planner.diagnose(shop, {"disk_local_s": "900ms", "handler_idle_fraction": 0.1}).layer
    'broker_disk'
    """
    values = _checked(measured or {})
    view = view_of(scenario)
    expected = _expectations(view)
    steps = tuple(_step(layer, values, expected) for layer in LAYERS)
    slow = [step for step in steps if step.verdict == "abnormal"]
    missing = tuple(_missing(steps, values, slow))
    layer = slow[0].layer if slow else None
    return Diagnosis(
        layer,
        None if slow else "no measurement is beyond its limit" if values else "nothing was measured",
        _sentence(steps, slow, missing),
        steps,
        missing,
        tuple(_warnings(values, slow)),
        constants_used("advice."),
        view.plan.trace,
    )


def read_measurements(path: Path) -> dict[str, Any]:
    """Return the measurements of a YAML or JSON file, as they are written there."""
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
        text = data.decode("utf-8")
    except OSError as error:
        raise refusal(f"The file cannot be read: {error.strerror}.", "measurements", str(path), "a file") from None
    except ValueError:
        raise refusal("The file is not text.", "measurements", str(path), "YAML or JSON in UTF-8") from None
    if len(data) > _MAX_BYTES:
        raise refusal("The file is too large.", "measurements", str(path), f"at most {_MAX_BYTES} bytes")
    return read_text(text)


def _checked(given: Mapping[str, Any]) -> dict[str, float]:
    """The measurements in base units; all that is wrong is told at once."""
    known, found, errors = measurements(), {}, []
    for key, value in given.items():
        if key not in known:
            near = get_close_matches(str(key)[:200], list(known), n=1)
            errors.append(
                InputError(
                    shorten(key), None, "There is no such measurement.", ", ".join(known), near[0] if near else None
                )
            )
            continue
        if value is None:
            continue
        try:
            number = parse(value, _DIMENSIONS.get(known[key].unit, "count"))
        except UnitError as error:
            errors.append(InputError(key, shorten(value), str(error), known[key].unit))
            continue
        most = 1.0 if known[key].unit == "fraction" else 1e18
        if key == "lag_growth_per_s":
            found[key] = number
        elif not 0 <= number <= most:
            errors.append(InputError(key, shorten(value), "This cannot be.", f"0 to {most:g} {known[key].unit}"))
        else:
            found[key] = number
    if errors:
        raise ScenarioError(errors)
    return found


# What the plan expects


def _expectations(view: View) -> dict[str, _Expected]:
    latency = view.workload.scenario.questions.latency_p99 or constant("advice.produce_latency_s")
    round_trip, idle = constant("requests.round_trip_s"), constant("advice.idle_min_fraction")
    parts = {
        # half of the whole latency in one part of it, and that part is what makes it slow
        name: _Expected(round_trip, latency / 2)
        for name in ("disk_local_s", "response_send_s", "request_queue_s", "remote_s")
    }
    return {
        **parts,
        **_of_producers(view, latency, round_trip),
        **_of_broker(view),
        "network_idle_fraction": _Expected(None, idle),
        "handler_idle_fraction": _Expected(None, idle),
        "gc_pause_s": _Expected(None, constant("advice.gc_pause_s")),
        "under_replicated_partitions": _Expected(0.0, 0.0),
        "isr_shrinks_per_s": _Expected(0.0, 0.0),
        "lag_growth_per_s": _Expected(0.0, 0.0),
        "consumer_record_s": _of_consumers(view),
        **_of_skew(view),
    }


def _of_producers(view: View, latency: float, round_trip: float) -> dict[str, _Expected]:
    """The topic with most requests stands for all."""
    columns = view.sized.columns
    busiest = int(columns["produce_requests_per_s"].argmax())
    linger = float(view.workload.given["linger_s"].max())
    batch = float(columns["batch_records"][busiest])
    return {
        # a batch waits for linger at most, and for one request in flight
        "producer_queue_s": _Expected(linger, 2 * linger + latency / 2),
        "producer_batch_records": _Expected(batch, batch / 2),
        "producer_throttle_s": _Expected(0.0, 0.0),
        "producer_request_latency_s": _Expected(round_trip, latency),
    }


def _of_broker(view: View) -> dict[str, _Expected]:
    healthy = view.plan.states["healthy"].fullest or {}
    hardware, limits = view.setting.hardware, view.setting.thresholds
    rows = {
        "network_in_bytes_per_s": (
            healthy["network_in_bytes_per_s"] + healthy["network_overhead_in_bytes_per_s"],
            limits["network"] * hardware.network_in_bytes_per_s,
        ),
        "network_out_bytes_per_s": (
            healthy["network_out_bytes_per_s"] + healthy["network_overhead_out_bytes_per_s"],
            limits["network"] * hardware.network_out_bytes_per_s,
        ),
        "disk_write_bytes_per_s": (
            healthy["disk_write_bytes_per_s"],
            limits["disk_throughput"] * hardware.disk_throughput_bytes_per_s,
        ),
        "disk_busy_fraction": (
            (healthy["disk_write_bytes_per_s"] + healthy["disk_read_bytes_per_s"])
            / hardware.disk_throughput_bytes_per_s,
            limits["disk_throughput"],
        ),
    }
    return {key: _Expected(normal, None if limit == float("inf") else limit) for key, (normal, limit) in rows.items()}


def _of_consumers(view: View) -> _Expected:
    """Time of a record at which the slowest group just keeps up at peak, and what the scenario says it takes."""
    rows = []
    for index, topic in enumerate(view.workload.topics):
        peak = float(view.sized.columns["own_peak_records_per_s"][index])
        for group in topic.consumers:
            if group.members is None or peak * group.read_fraction <= 0:
                continue
            working = (
                group.members
                if group.protocol == "share"
                else min(group.members, view.plan.topics[topic.name].partitions)
            )
            rows.append((working / (peak * group.read_fraction), _takes(group)))
    limit, normal = min(rows, key=lambda row: row[0], default=(None, None))
    return _Expected(normal, limit)


def _takes(group: ConsumerGroup) -> float | None:
    if group.processing_time is not None:
        return group.processing_time
    return None if group.records_per_s_per_member is None else 1 / group.records_per_s_per_member


def _of_skew(view: View) -> dict[str, _Expected]:
    columns, factor = view.sized.columns, constant("advice.skew_ratio")
    share = columns["hottest_partition_fraction"]
    uneven = float((share * columns["partitions"]).max())
    largest = int(columns["produce_in_bytes_per_s"].argmax())
    brokers = view.fullest_share("network_in_bytes_per_s") * view.brokers
    return {
        "lag_skew_ratio": _Expected(uneven, factor * uneven),
        "hottest_partition_fraction": _Expected(float(share[largest]), min(1.0, factor * float(share[largest]))),
        "busiest_broker_ratio": _Expected(brokers, factor * brokers),
    }


# Steps


def _beyond(row: Measurement, value: float, limit: float | None) -> bool:
    if limit is None:
        return False
    return value < limit if row.bad == "low" else value > limit


def _step(layer: str, values: Mapping[str, float], expected: Mapping[str, _Expected]) -> Step:
    """One layer: its first measurement that is beyond its limit decides, else the first one that is there."""
    rows = [row for row in measurements().values() if row.layer == layer]
    known = [row for row in rows if row.key in values]
    bad = [row for row in known if _beyond(row, values[row.key], expected[row.key].limit)]
    bad = _reconsidered(layer, bad, values, expected)
    verdict: Verdict = "abnormal" if bad else "normal" if known else "unknown"
    if layer == "producer" and known and "producer_request_latency_s" not in values and bad and _only_waits(bad):
        verdict = "unknown"  # waiting records do not say for whom
    chosen = (bad or known or rows)[0]
    bound = expected[chosen.key]
    return Step(
        layer,
        LAYERS[layer],
        verdict,
        chosen.key,
        values.get(chosen.key),
        bound.normal,
        bound.limit,
        chosen.unit,
        f"Beyond its limit: {chosen.what}." if verdict == "abnormal" else "",
        chosen.remedy if verdict == "abnormal" else "",
    )


def _only_waits(bad: list[Measurement]) -> bool:
    return all(row.key == "producer_queue_s" for row in bad)


def _reconsidered(
    layer: str, bad: list[Measurement], values: Mapping[str, float], expected: Mapping[str, _Expected]
) -> list[Measurement]:
    """Take out what another measurement explains better."""
    late = values.get("producer_request_latency_s", 0.0) > (expected["producer_request_latency_s"].limit or 0.0)
    uneven = values.get("lag_skew_ratio", 0.0) > (expected["lag_skew_ratio"].limit or 0.0)
    explained = {
        # brokers that answer late make records wait in the producer: the cause is further down
        "producer_queue_s": late,
        "producer_request_latency_s": True,
        # a lag that sits in one partition is not for want of members
        "lag_growth_per_s": uneven,
    }
    return [row for row in bad if not explained.get(row.key, False)] if layer in {"producer", "consumer"} else bad


def _missing(steps: tuple[Step, ...], values: Mapping[str, float], slow: list[Step]) -> Iterator[Measurement]:
    """The deciding value of every step before the answer that is not there; of all steps without an answer."""
    rows = measurements()
    until = list(LAYERS).index(slow[0].layer) if slow else len(LAYERS)
    for step in steps[:until]:
        if step.verdict == "unknown":
            key = step.measurement or ""
            yield rows["producer_request_latency_s"] if key in values else rows[key]
    # a hot partition shows in nothing else
    if until < len(LAYERS) - 1 and steps[-1].verdict == "unknown":
        yield rows[steps[-1].measurement or "lag_skew_ratio"]


def _sentence(steps: tuple[Step, ...], slow: list[Step], missing: tuple[Measurement, ...]) -> str:
    if slow:
        others = ", ".join(_WORDS[step.layer] for step in slow[1:])
        also = f" Also beyond a limit, perhaps as a consequence: {others}." if others else ""
        sure = f" Not measured before it: {', '.join(row.layer for row in missing)}." if missing else ""
        return f"The slow layer is {_WORDS[slow[0].layer]}.{also}{sure}"
    looked = sum(step.verdict == "normal" for step in steps)
    if not looked:
        return "Nothing was measured that decides a layer; the list below says what to measure first."
    rest = f"; {len(missing)} layers are not measured yet" if missing else ""
    return f"None of the {looked} measured layers is beyond its limit{rest}."


def _warnings(values: Mapping[str, float], slow: list[Step]) -> Iterator[str]:
    yield _AVERAGES
    broker = [step for step in slow if step.layer.startswith("broker_")]
    if broker and "busiest_broker_ratio" not in values:
        yield "Compare the brokers: if only one is slow, its leaders or its machine are the cause, not the cluster."
