"""The monitoring pack: alert rules for Prometheus whose thresholds come from the plan, and a dashboard for Grafana."""

from __future__ import annotations

import io
import math
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from planner.advise.dashboard import dashboard_of
from planner.catalogue import broker_spec
from planner.constants import constant, data_path
from planner.fields import refusal
from planner.model import lagging
from planner.operations.view import View, view_of
from planner.results import Assumption, Result, Severity, frame_of
from planner.scenario import Scenario
from planner.sizing.totals import constants_used
from planner.trace import Trace
from planner.units import format_quantity

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert: its expression, its threshold, and why it is that."""

    alert: str
    severity: Severity
    expression: str
    threshold: float
    unit: str
    for_time: str
    summary: str
    why: str
    group: str | None = None
    topic: str | None = None


@dataclass(frozen=True)
class Pack(Result):
    """Alert rules as YAML, a dashboard, and the thresholds in both."""

    style: str
    style_title: str
    lag: str
    alerts: tuple[Alert, ...]
    rules: str
    dashboard: Mapping[str, Any]
    panels: int
    notes: tuple[str, ...]
    assumptions: tuple[Assumption, ...]
    trace: Trace = field(repr=False)

    def to_frame(self) -> pd.DataFrame:
        """The alerts as a data frame."""
        return frame_of(self.alerts)


@cache
def _names() -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    with data_path("audit", "metrics.toml").open("rb") as file:
        return tomllib.load(file)


def styles() -> tuple[str, ...]:
    """The styles of metric names that there are."""
    return tuple(_names()["styles"])


def lag_exporters() -> tuple[str, ...]:
    """The exporters of consumer lag that there are."""
    return tuple(_names()["lag"])


def monitoring(scenario: Scenario, *, style: str = "jmx", lag: str = "kafka_exporter") -> Pack:
    """Alert rules and a dashboard with thresholds from the scenario's plan.

    Parameters
    ----------
    scenario
        A scenario with topics.
    style
        Whose names the broker metrics have: `jmx` (JMX exporter with its example rules, also Strimzi's), `strimzi`
        (Strimzi metrics reporter) or `raw` (JMX exporter without rules).
    lag
        Which exporter tells the lag of consumer groups: `kafka_exporter` or `kminion`.

    Returns
    -------
    Pack
        The alerts, `rules` as YAML for Prometheus, `dashboard` as JSON-ready mapping for Grafana.

    Raises
    ------
    ScenarioError
        For a style or exporter that does not exist.

    Examples
    --------
    >>> import planner
    >>> found = planner.monitoring(planner.load("preset:ecommerce"), style="raw")
    >>> found.alerts[0].alert
    'KafkaDiskAlert'
    """
    for name, value, known in (("style", style, styles()), ("lag", lag, lag_exporters())):
        if value not in known:
            raise refusal("There is no such metric style.", name, value, " or ".join(known))
    view, trace = view_of(scenario), Trace()
    names, exporter = _names()["styles"][style], _names()["lag"][lag]
    lags, notes = _lag_alerts(view, exporter, trace)
    alerts = (*_disk(view, names), *_health(names), *_threads(names), *_clients(view, names), *lags)
    board = dashboard_of(view, names, exporter, alerts)
    return Pack(
        style,
        names["title"],
        lag,
        alerts,
        rules_yaml(alerts),
        board,
        len(board["panels"]),
        (names["note"], f"Lag comes from {exporter['title']}.", *_volumes(view), *notes),
        constants_used("advice."),
        trace,
    )


def rules_yaml(alerts: tuple[Alert, ...]) -> str:
    """The alerts in the form that Prometheus loads."""
    from ruamel.yaml import YAML  # 35 ms that nobody else needs

    body = {
        "groups": [
            {
                "name": "kafka-planner",
                "rules": [
                    {
                        "alert": alert.alert,
                        "expr": alert.expression,
                        "for": alert.for_time,
                        "labels": _labels(alert),
                        "annotations": {"summary": alert.summary, "description": alert.why},
                    }
                    for alert in alerts
                ],
            }
        ]
    }
    sheet = io.StringIO()
    writer = YAML(typ="safe")  # written in C: thousands of rules in a second
    writer.default_flow_style = False
    writer.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    writer.width = 10_000  # an expression stays on its line
    writer.dump(body, sheet)
    return sheet.getvalue()


def _labels(alert: Alert) -> dict[str, str]:
    """What tells alerts of one name apart; Prometheus fills in templates here, so none may stand in a name."""
    given = {"severity": alert.severity, "group": alert.group, "topic": alert.topic}
    return {key: value.replace("{{", '{{ "{{" }}') for key, value in given.items() if value is not None}


def quoted(text: str) -> str:
    """A label value of PromQL, in double quotes."""
    escapes = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    body = "".join(escapes.get(char, char) for char in text)
    return f'"{body}"'


def _volumes(view: View) -> Iterator[str]:
    volumes = broker_spec(view.workload.scenario.cluster.broker).storage.volumes
    if volumes > 1:
        yield f"A broker has {volumes} volumes and Kafka fills them by partition count: watch each of them too."


def _disk(view: View, names: Mapping[str, str]) -> Iterator[Alert]:
    """Log bytes of a broker against its disk: absolute, so that no other exporter is needed."""
    capacity = view.setting.hardware.disk_bytes
    used = f"sum by (instance) ({names['log_bytes']})"
    for alert, severity, name, for_time in (
        ("KafkaDiskAlert", "warning", "advice.disk_alert_fraction", "15m"),
        ("KafkaDiskPage", "critical", "advice.disk_page_fraction", "5m"),
    ):
        share = constant(name)
        limit = share * capacity
        why = (
            f"{format_quantity(share, 'fraction')} of the {format_quantity(capacity, 'bytes')} of a broker; only log "
            "files are counted, so other files on the disk come on top."
        )
        summary = "Broker {{ $labels.instance }} holds {{ $value | humanize }}B of logs."
        yield Alert(alert, severity, f"{used} > {_number(limit)}", limit, "bytes", for_time, summary, why)  # type: ignore[arg-type]
    why = "At the growth of the last six hours the disk is full within a day."
    soon = f"predict_linear({used}[6h:5m], 86400) > {_number(capacity)}"
    summary = "Broker {{ $labels.instance }} will be full within a day."
    yield Alert("KafkaDiskFullSoon", "critical", soon, capacity, "bytes", "30m", summary, why)


def _health(names: Mapping[str, str]) -> Iterator[Alert]:
    rows: tuple[tuple[str, Severity, str, str, str, str], ...] = (
        (
            "KafkaUnderReplicated",
            "warning",
            f"sum by (instance) ({names['under_replicated']}) > 0",
            "5m",
            "Broker {{ $labels.instance }} leads {{ $value }} partitions with a replica missing.",
            "Normal value 0; a rolling restart shows for less than five minutes a broker.",
        ),
        (
            "KafkaUnderMinIsr",
            "critical",
            f"sum by (instance) ({names['under_min_isr']}) > 0",
            "1m",
            "{{ $value }} partitions refuse writes with acks=all.",
            "Normal value 0.",
        ),
        (
            "KafkaOfflinePartitions",
            "critical",
            f"max({names['offline']}) > 0",
            "1m",
            "{{ $value }} partitions have no leader.",
            "Normal value 0. Do not answer it with an unclean election: that loses acknowledged records.",
        ),
        (
            "KafkaNoSingleController",
            "critical",
            f"sum({names['active_controller']}) != 1",
            "2m",
            "There are {{ $value }} active controllers.",
            "Normal value 1.",
        ),
    )
    for alert, severity, expression, for_time, summary, why in rows:
        wanted = 1.0 if "!= 1" in expression else 0.0
        yield Alert(alert, severity, expression, wanted, "count", for_time, summary, why)


def _threads(names: Mapping[str, str]) -> Iterator[Alert]:
    least = constant("advice.idle_min_fraction")
    for alert, name, threads in (
        ("KafkaNetworkThreadsBusy", "network_idle", "network threads"),
        ("KafkaRequestHandlersBusy", "handler_idle", "request handlers"),
    ):
        expression = f"min by (instance) ({names[name]}) < {_number(least)}"
        summary = (
            f"The {threads} of broker {{{{ $labels.instance }}}} are idle only {{{{ $value | humanizePercentage }}}}."
        )
        why = "Below an idle share of 0.3 requests begin to queue."
        yield Alert(alert, "warning", expression, least, "fraction", "10m", summary, why)


def _clients(view: View, names: Mapping[str, str]) -> Iterator[Alert]:
    asked = view.workload.scenario.questions.latency_p99
    latency = constant("advice.produce_latency_s") if asked is None else float(asked)
    expression = f"max by (instance) ({names['produce_latency_ms']}) > {_number(latency * 1000)}"
    why = "The latency that the scenario asks for." if asked is not None else "An assumption: the plan has no latency."
    summary = "Produce requests to broker {{ $labels.instance }} take {{ $value }} ms (99th percentile)."
    yield Alert("KafkaProduceLatency", "warning", expression, latency, "s", "10m", summary, why)
    groups = {group.group for topic in view.workload.topics for group in topic.consumers}
    if groups:
        limit = constant("advice.rebalances_per_hour") * len(groups)
        expression = f"sum(increase({names['rebalances']}[1h])) > {_number(limit)}"
        why = f"{constant('advice.rebalances_per_hour'):g} an hour for each of {len(groups)} groups; more is a storm."
        summary = "{{ $value | humanize }} rebalances in the last hour."
        yield Alert("KafkaRebalanceStorm", "warning", expression, limit, "1/h", "15m", summary, why)


def _lag_alerts(view: View, exporter: Mapping[str, str], trace: Trace) -> tuple[list[Alert], list[str]]:
    """Lag of every group against what retention keeps of the quietest ordinary partition."""
    alerts: list[Alert] = []
    endless: list[str] = []
    columns, top = view.sized.columns, view.workload.top_key_fraction
    for index, topic in enumerate(view.workload.topics):
        if not topic.deleted or math.isinf(topic.retention.time) or not topic.consumers:
            endless += [topic.name] if topic.consumers else []
            continue
        share = (1 - float(top[index])) / float(columns["partitions"][index])
        rate = float(columns["average_records_per_s"][index]) * share
        kept = trace(
            f"topics.{topic.name}.retained_records",
            lagging.retained_records,
            records_per_s=rate,
            retention_s=float(view.workload.given["retention_s"][index]),
            limit_records=float(view.workload.given["retention_bytes"][index])
            / max(float(columns["wire_bytes_per_record"][index]), 1.0),
        )
        if kept < 1:
            continue
        for name in dict.fromkeys(group.group for group in topic.consumers):
            alerts += _lag_pair(exporter, name, topic.name, float(kept))
    notes = [f"No lag alert for {', '.join(endless[:5])}: nothing is deleted by age there."] if endless else []
    return alerts, notes


def _lag_pair(exporter: Mapping[str, str], group: str, topic: str, kept: float) -> Iterator[Alert]:
    where = f"{exporter['group']}={quoted(group)},{exporter['topic']}={quoted(topic)}"
    summary = (
        f"Group {{{{ $labels.{exporter['group']} }}}} is {{{{ $value | humanize }}}} records behind on "
        f"{{{{ $labels.{exporter['topic']} }}}}-{{{{ $labels.{exporter['partition']} }}}}."
    )
    for alert, severity, key, for_time in (
        ("KafkaLagAlert", "warning", "advice.lag_warning_fraction", "15m"),
        ("KafkaLagPage", "critical", "advice.lag_page_fraction", "5m"),
    ):
        share = constant(key)
        limit = float(math.ceil(share * kept))
        expression = f"{exporter['series']}{{{where}}} > {_number(limit)}"
        part = format_quantity(share, "fraction")
        why = f"{part} of the records that retention keeps of a partition; beyond all of them data is lost."
        yield Alert(alert, severity, expression, limit, "count", for_time, summary, why, group, topic)  # type: ignore[arg-type]


def _number(value: float) -> str:
    """A number as PromQL reads it, without a fraction of a byte."""
    return str(round(value)) if value >= 1 else f"{value:.6g}"
