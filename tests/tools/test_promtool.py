"""Alert rules through Prometheus' own promtool: they load without lint, and fire where the plan says."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

import planner
from planner.advise.pack import lag_exporters, styles

pytestmark = pytest.mark.tools


def promtool(*arguments: str, folder: Path) -> str:
    done = subprocess.run(["promtool", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("preset", [preset.name for preset in planner.presets()])
@pytest.mark.parametrize("style", styles())
@pytest.mark.parametrize("lag", lag_exporters())
def test_promtool_accepts_the_rules(preset: str, style: str, lag: str, tmp_path: Path) -> None:
    pack = planner.monitoring(planner.load(f"preset:{preset}"), style=style, lag=lag)
    (tmp_path / "rules.yml").write_text(pack.rules, encoding="utf-8")
    told = promtool("check", "rules", "rules.yml", folder=tmp_path)
    assert f"SUCCESS: {len(pack.alerts)} rules found" in told  # a lint error leaves the exit status at 0


def test_promtool_accepts_names_that_look_like_templates(tmp_path: Path) -> None:
    scenario = planner.Scenario.model_validate(
        {
            "topics": [
                {
                    "name": "t",
                    "records_per_s": 10,
                    "record": {"value_bytes": 10},
                    "batch": {"records": 1},
                    "consumers": [{"group": 'a"} {{ $value }} {{ end }}\\', "members": 1}],
                }
            ],
            "cluster": {"brokers": 3},
        }
    )
    pack = planner.monitoring(scenario)
    (tmp_path / "rules.yml").write_text(pack.rules, encoding="utf-8")
    assert "SUCCESS" in promtool("check", "rules", "rules.yml", folder=tmp_path)


# series of each style that stand at the given value
SERIES = {
    "jmx": {
        "disk": 'kafka_log_log_size{instance="b1",topic="t",partition="0"}',
        "offline": 'kafka_controller_kafkacontroller_offlinepartitionscount{instance="c1"}',
        "network": 'kafka_network_socketserver_networkprocessoravgidle_percent{instance="b1"}',
    },
    "strimzi": {
        "disk": 'kafka_log_log_size{instance="b1",topic="t",partition="0"}',
        "offline": 'kafka_controller_kafkacontroller_offlinepartitionscount{instance="c1"}',
        "network": 'kafka_network_socketserver_networkprocessoravgidlepercent{instance="b1"}',
    },
    "raw": {
        "disk": 'kafka_log_Log_Value{instance="b1",name="Size",topic="t",partition="0"}',
        "offline": 'kafka_controller_KafkaController_Value{instance="c1",name="OfflinePartitionsCount"}',
        "network": 'kafka_network_SocketServer_Value{instance="b1",name="NetworkProcessorAvgIdlePercent"}',
    },
}


def fires(alert: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {"eval_time": "30m", "alertname": alert, "exp_alerts": rows}


@pytest.mark.parametrize("style", styles())
@pytest.mark.parametrize(("above", "count"), [(False, 0), (True, 1)])
def test_alerts_fire_at_the_thresholds_of_the_plan(style: str, above: bool, count: int, tmp_path: Path) -> None:
    """The reference broker has 4 TB; just below and just above 85 % of it."""
    pack = planner.monitoring(planner.load("preset:ecommerce"), style=style)
    (tmp_path / "rules.yml").write_text(pack.rules, encoding="utf-8")
    bytes_held = 3_400_000_000_001 if above else 3_399_999_999_999
    idle, offline = (0.29, 1) if above else (0.31, 0)
    series, lag = SERIES[style], next(row for row in pack.alerts if row.alert == "KafkaLagPage")
    behind = lag.threshold + 1 if above else lag.threshold - 1
    by_name = {row.alert: row for row in pack.alerts}

    def expected(alert: str, labels: dict[str, str], summary: str) -> dict[str, Any]:
        row = {
            "exp_labels": {"severity": by_name[alert].severity, **labels},
            "exp_annotations": {"summary": summary, "description": by_name[alert].why},
        }
        return fires(alert, [row] * count)

    where = {"consumergroup": str(lag.group), "topic": str(lag.topic), "partition": "0"}
    labels = ",".join(f'{key}="{value}"' for key, value in where.items())
    told = f"Group {lag.group} is {behind / 1e6:.4g}M records behind on {lag.topic}-0."
    body = {
        "rule_files": ["rules.yml"],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [
                    {"series": series["disk"], "values": f"{bytes_held}x60"},
                    {"series": series["offline"], "values": f"{offline}x60"},
                    {"series": series["network"], "values": f"{idle}x60"},
                    {"series": f"kafka_consumergroup_lag{{{labels}}}", "values": f"{behind:.0f}x60"},
                ],
                "alert_rule_test": [
                    expected("KafkaDiskPage", {"instance": "b1"}, "Broker b1 holds 3.4TB of logs."),
                    expected("KafkaOfflinePartitions", {}, "1 partitions have no leader."),
                    expected(
                        "KafkaNetworkThreadsBusy",
                        {"instance": "b1"},
                        "The network threads of broker b1 are idle only 29%.",
                    ),
                    expected("KafkaLagPage", {**where, "group": str(lag.group)}, told),
                ],
            }
        ],
    }
    with (tmp_path / "tests.yml").open("w", encoding="utf-8") as file:
        YAML().dump(body, file)
    assert "SUCCESS" in promtool("test", "rules", "tests.yml", folder=tmp_path)
