"""The monitoring pack: what Prometheus and Grafana read back, and thresholds worked out by hand."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner

import planner
from planner.advise.pack import Pack, lag_exporters, quoted, styles
from planner.cli import cli
from planner.scenario import Questions, Scenario, ScenarioError

STYLES, LAGS = styles(), lag_exporters()


def scenario(**changes: Any) -> Scenario:
    topic = {
        "name": "orders",
        "records_per_s": 1200,
        "record": {"value_bytes": 500},
        "batch": {"records": 10},
        "partitions": 12,
        "retention": {"time": "1d"},
        "consumers": [{"group": "billing", "members": 3}],
    }
    return Scenario.model_validate({"topics": [{**topic, **changes}], "cluster": {"brokers": 3}})


def rules_of(pack: Pack) -> list[dict[str, Any]]:
    body = YAML(typ="safe", pure=True).load(pack.rules)
    assert [group["name"] for group in body["groups"]] == ["kafka-planner"]
    rows: list[dict[str, Any]] = body["groups"][0]["rules"]
    return rows


def test_thresholds_by_hand() -> None:
    pack = planner.monitoring(scenario())
    limits = {(alert.alert, alert.severity): alert.threshold for alert in pack.alerts}
    # the reference broker has 4 TB; each of 12 partitions gets 100 records/s, of which a day keeps 8.64 million
    assert limits["KafkaDiskAlert", "warning"] == pytest.approx(0.7 * 4e12)
    assert limits["KafkaDiskPage", "critical"] == pytest.approx(0.85 * 4e12)
    assert limits["KafkaLagAlert", "warning"] == 0.25 * 100 * 86400
    assert limits["KafkaLagPage", "critical"] == 0.5 * 100 * 86400
    assert limits["KafkaRebalanceStorm", "warning"] == 6


def test_a_byte_limit_shortens_the_lag_that_is_safe() -> None:
    short = planner.monitoring(scenario(retention={"time": "1d", "bytes_per_partition": "50MB"}))
    page = next(alert for alert in short.alerts if alert.alert == "KafkaLagPage")
    # 50 MB hold some 97,000 records of 515 bytes
    assert page.threshold == pytest.approx(0.5 * 50e6 / 515, rel=0.02)


def test_a_hot_partition_does_not_loosen_the_alert_of_the_others() -> None:
    keys = {"unique": 1000, "top_key_fraction": 0.5}
    skewed = planner.monitoring(scenario(record={"key_bytes": 8, "value_bytes": 500}, keys=keys))
    page = next(alert for alert in skewed.alerts if alert.alert == "KafkaLagPage")
    assert page.threshold == 0.5 * 50 * 86400


def test_the_latency_that_is_asked_for_is_the_threshold() -> None:
    asked = scenario().model_copy(update={"questions": Questions(latency_p99=0.04)})
    alert = next(row for row in planner.monitoring(asked).alerts if row.alert == "KafkaProduceLatency")
    assert alert.threshold == 0.04
    assert alert.expression.endswith("> 40")


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("lag", LAGS)
def test_the_rules_are_read_back(style: str, lag: str) -> None:
    pack = planner.monitoring(scenario(), style=style, lag=lag)
    rows = rules_of(pack)
    assert len(rows) == len(pack.alerts)
    keys = [(row["alert"], tuple(sorted(row["labels"].items()))) for row in rows]
    assert len(set(keys)) == len(keys)  # promtool calls them duplicates otherwise
    names = {"jmx": "bytesin_total", "strimzi": "bytesinpersec_total", "raw": "BrokerTopicMetrics_Count"}
    assert names[style] in json.dumps(pack.dashboard)
    assert {"kafka_exporter": "kafka_consumergroup_lag", "kminion": "topic_partition_lag"}[lag] in pack.rules


def test_names_of_users_are_text_and_nothing_else() -> None:
    evil = 'a"} or vector(1) #{{ $value }}\\'
    pack = planner.monitoring(scenario(consumers=[{"group": evil, "members": 1}]))
    row = next(row for row in rules_of(pack) if row["alert"] == "KafkaLagPage")
    inside = re.fullmatch(
        r'kafka_consumergroup_lag\{consumergroup="((?:[^"\\]|\\.)*)",topic="orders"\} > \d+', row["expr"]
    )
    assert inside
    assert inside[1].replace('\\"', '"').replace("\\\\", "\\") == evil
    # Prometheus fills in templates in labels and annotations: nothing of the name may start one
    assert row["labels"]["group"].replace('{{ "{{" }}', "") == evil.replace("{{", "")
    assert evil not in str(row["annotations"])


def test_label_values_are_quoted_as_promql_reads_them() -> None:
    assert quoted('a"b\\c\nd') == '"a\\"b\\\\c\\nd"'


def test_the_dashboard_has_the_expert_graphs() -> None:
    board = planner.monitoring(scenario()).dashboard
    panels = {panel["title"]: panel for panel in board["panels"]}
    lag = panels["Lag per partition"]
    assert lag["type"] == "heatmap"
    assert "partition" in lag["targets"][0]["expr"]
    disk = next(panel for title, panel in panels.items() if title.startswith("Log bytes per broker"))
    steps = [step["value"] for step in disk["fieldConfig"]["defaults"]["thresholds"]["steps"]]
    assert steps == [None, 0.7 * 4e12, 0.85 * 4e12]
    assert {"Under-replicated partitions", "Rebalances an hour"} <= set(panels)
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in board["panels"]]
    assert len(set(places)) == len(places)
    assert [panel["id"] for panel in board["panels"]] == list(range(1, len(places) + 1))


def test_topics_that_are_never_deleted_get_no_lag_alert() -> None:
    pack = planner.monitoring(scenario(retention={"time": "forever"}))
    assert not any(alert.alert.startswith("KafkaLag") for alert in pack.alerts)
    assert any("orders" in note for note in pack.notes)
    idle = planner.monitoring(scenario(records_per_s=0))
    assert not any(alert.alert.startswith("KafkaLag") for alert in idle.alerts)
    alone = planner.monitoring(scenario(consumers=[]))
    assert not any(alert.alert == "KafkaRebalanceStorm" for alert in alone.alerts)
    json.dumps(alone.dashboard)


def test_an_unknown_style_is_refused() -> None:
    with pytest.raises(ScenarioError, match="no such metric style"):
        planner.monitoring(scenario(), style="statsd")
    with pytest.raises(ScenarioError, match="no such metric style"):
        planner.monitoring(scenario(), lag="burrow")


def test_the_command_writes_both_files(tmp_path: Path) -> None:
    rules, board = tmp_path / "rules.yml", tmp_path / "board.json"
    files = ["--rules", str(rules), "--dashboard", str(board)]
    done = CliRunner().invoke(cli, ["monitoring", "preset:ecommerce", "--metrics", "raw", *files])
    assert done.exit_code == 0
    assert "alert rules and a dashboard" in done.output
    assert rules.read_text(encoding="utf-8").startswith("groups:")
    assert json.loads(board.read_text(encoding="utf-8"))["title"].startswith("Kafka: ")
    assert CliRunner().invoke(cli, ["monitoring", "preset:ecommerce", "--rules", str(tmp_path)]).exit_code == 2
    assert CliRunner().invoke(cli, ["monitoring", "preset:ecommerce", "--metrics", "x"]).exit_code == 2
    assert CliRunner().invoke(cli, ["monitoring", "preset:ecommerce", "--format", "json"]).exit_code == 0
