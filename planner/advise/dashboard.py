"""A dashboard for Grafana with the plan's thresholds drawn in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from planner.operations.view import View

if TYPE_CHECKING:
    from planner.advise.pack import Alert

_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
_WIDTH, _HEIGHT = 12, 8  # of 24 columns


def dashboard_of(
    view: View, names: Mapping[str, str], exporter: Mapping[str, str], alerts: Sequence[Alert]
) -> dict[str, Any]:
    """The dashboard as Grafana imports it; the data source is asked for there."""
    limits = {alert.alert: alert.threshold for alert in alerts}
    panels = [*_panels(view, names, exporter, limits)]
    for number, panel in enumerate(panels):
        panel["id"] = number + 1
        panel["gridPos"] = {
            "x": _WIDTH * (number % 2),
            "y": _HEIGHT * (number // 2),
            "w": _WIDTH,
            "h": _HEIGHT,
        }
    return {
        "title": f"Kafka: {view.plan.name}"[:200],
        "tags": ["kafka", "kafka-planner"],
        "schemaVersion": 39,
        "editable": True,
        "time": {"from": "now-6h", "to": "now"},
        "refresh": "30s",
        "templating": {
            "list": [{"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Data source"}]
        },
        "panels": panels,
    }


def _panels(
    view: View, names: Mapping[str, str], exporter: Mapping[str, str], limits: Mapping[str, float]
) -> Iterator[dict[str, Any]]:
    healthy = view.plan.states["healthy"].fullest or {}
    disk = f"sum by (instance) ({names['log_bytes']})"
    labels = f"{exporter['topic']}, {exporter['partition']}"
    yield _heatmap("Lag per partition", f"sum by ({labels}) ({exporter['series']})", exporter)
    yield _graph("Under-replicated partitions", f"sum({names['under_replicated']})", "short", ((0.5, "red"),), "all")
    rebalances = f"sum(increase({names['rebalances']}[1h]))"
    storm = limits.get("KafkaRebalanceStorm")
    yield _graph("Rebalances an hour", rebalances, "short", ((storm, "orange"),) if storm else (), "all groups")
    marks = ((limits["KafkaDiskAlert"], "orange"), (limits["KafkaDiskPage"], "red"))
    yield _graph("Log bytes per broker, lines at alert and page", disk, "bytes", marks)
    yield _graph("Offline partitions", f"max({names['offline']})", "short", ((0.5, "red"),), "all")
    yield _graph("Under min.insync.replicas", f"sum({names['under_min_isr']})", "short", ((0.5, "red"),), "all")
    idle = limits["KafkaNetworkThreadsBusy"]
    for title, name in (("Network threads idle", "network_idle"), ("Request handlers idle", "handler_idle")):
        expression = f"min by (instance) ({names[name]})"
        yield _graph(title, expression, "percentunit", ((None, "red"), (idle, "green")))
    latency = ((limits["KafkaProduceLatency"] * 1000, "orange"),)
    produce = f"max by (instance) ({names['produce_latency_ms']})"
    yield _graph("Produce requests, 99th percentile", produce, "ms", latency)
    planned = healthy["network_in_bytes_per_s"]
    received = f"sum by (instance) ({names['bytes_in']})"
    title = "Bytes in from clients per broker; line: planned at peak, with replication"
    yield _graph(title, received, "Bps", ((planned, "orange"),))
    yield _hottest(names)


def _hottest(names: Mapping[str, str]) -> dict[str, Any]:
    """What an average hides."""
    rate = names["bytes_in"]
    expression = f"max(sum by (instance) ({rate})) / avg(sum by (instance) ({rate}))"
    return _graph("Busiest broker over the mean: what averages hide", expression, "short", ((2, "orange"),), "ratio")


def _target(expression: str, legend: str) -> dict[str, Any]:
    return {"datasource": _SOURCE, "expr": expression, "legendFormat": legend, "refId": "A"}


def _graph(
    title: str,
    expression: str,
    unit: str,
    marks: Sequence[tuple[float | None, str]],
    legend: str = "{{instance}}",
) -> dict[str, Any]:
    """A time series; each mark is a line from which on the colour holds."""
    steps: list[dict[str, Any]] = [] if marks and marks[0][0] is None else [{"color": "green", "value": None}]
    steps += [{"color": colour, "value": value} for value, colour in marks]
    return {
        "type": "timeseries",
        "title": title,
        "datasource": _SOURCE,
        "targets": [_target(expression, legend)],
        "fieldConfig": {
            "defaults": {
                "unit": unit,
                "min": 0,
                "custom": {"thresholdsStyle": {"mode": "line" if marks else "off"}},
                "thresholds": {"mode": "absolute", "steps": steps},
            },
            "overrides": [],
        },
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
    }


def _heatmap(title: str, expression: str, exporter: Mapping[str, str]) -> dict[str, Any]:
    """One row per partition, so that a single hot one is seen."""
    legend = f"{{{{{exporter['topic']}}}}}-{{{{{exporter['partition']}}}}}"
    return {
        "type": "heatmap",
        "title": title,
        "datasource": _SOURCE,
        "targets": [{**_target(expression, legend), "format": "time_series"}],
        "options": {
            "calculate": False,
            "rowsFrame": {"layout": "auto"},
            "color": {"mode": "scheme", "scheme": "YlOrRd", "scale": "exponential", "exponent": 0.5, "steps": 64},
            "cellGap": 1,
            "yAxis": {"unit": "short", "axisPlacement": "left"},
            "tooltip": {"mode": "single", "yHistogram": False},
            "legend": {"show": True},
        },
        "fieldConfig": {"defaults": {"unit": "short"}, "overrides": []},
    }
