"""Diagnosis: the layer that the measurements point at, in the order of causes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import planner
from planner.advise.slowness import LAYERS, Diagnosis, measurements
from planner.cli import cli
from planner.scenario import ScenarioError

SHOP = planner.load("preset:ecommerce")


def found(**measured: Any) -> Diagnosis:
    return planner.diagnose(SHOP, measured)


@pytest.mark.parametrize(
    ("measured", "layer"),
    [
        ({"producer_queue_s": 5, "producer_request_latency_s": "3ms"}, "producer"),
        # records that wait because the brokers answer late are no fault of the producer
        ({"producer_queue_s": 5, "producer_request_latency_s": "2s", "disk_local_s": "1.5s"}, "broker_disk"),
        ({"producer_throttle_s": 0.1}, "producer"),
        ({"producer_batch_records": 1}, "producer"),
        ({"disk_busy_fraction": "97%"}, "broker_disk"),
        # handlers wait for the disk: the disk is the cause
        ({"disk_local_s": 1, "handler_idle_fraction": 0.05}, "broker_disk"),
        ({"disk_local_s": "2ms", "network_idle_fraction": 0.1}, "broker_network"),
        ({"network_out_bytes_per_s": "9.9Gbit/s"}, "broker_network"),
        ({"gc_pause_s": 4}, "broker_gc"),
        ({"gc_pause_s": 0.02, "handler_idle_fraction": 0.05}, "broker_request_threads"),
        ({"under_replicated_partitions": 3}, "replication"),
        ({"remote_s": 1}, "replication"),
        ({"consumer_record_s": 1}, "consumer"),
        ({"lag_growth_per_s": 500}, "consumer"),
        # the lag sits in one partition
        ({"lag_growth_per_s": 500, "lag_skew_ratio": 40}, "skew"),
        ({"hottest_partition_fraction": 0.5}, "skew"),
        ({"busiest_broker_ratio": 6}, "skew"),
        ({"lag_growth_per_s": -5}, None),
        ({"handler_idle_fraction": 0.8, "disk_local_s": "1ms"}, None),
        ({}, None),
    ],
)
def test_the_layer(measured: dict[str, Any], layer: str | None) -> None:
    diagnosis = found(**measured)
    assert diagnosis.layer == layer
    assert (diagnosis.layer_reason is None) == (layer is not None)


def test_waiting_records_alone_do_not_say_for_whom() -> None:
    diagnosis = found(producer_queue_s=5)
    assert diagnosis.layer is None
    assert diagnosis.steps[0].verdict == "unknown"
    assert diagnosis.measure_next[0].key == "producer_request_latency_s"


def test_the_steps_stand_in_the_order_of_causes_with_the_plans_values() -> None:
    diagnosis = found(network_out_bytes_per_s=1e9)
    assert [step.layer for step in diagnosis.steps] == list(LAYERS)
    healthy = planner.plan(SHOP).states["healthy"].fullest
    assert healthy is not None
    step = diagnosis.steps[2]
    assert step.measurement == "network_out_bytes_per_s"
    assert step.normal == healthy["network_out_bytes_per_s"] + healthy["network_overhead_out_bytes_per_s"]
    # the reference broker has 10 Gbit/s, of which the policy uses 80 % while all are up
    assert step.limit == pytest.approx(0.8 * 10e9 / 8)


def test_a_consumer_just_keeps_up_at_its_limit() -> None:
    slow = planner.load(
        {
            "topics": [
                {
                    "name": "t",
                    "records_per_s": 100,
                    "record": {"value_bytes": 10},
                    "batch": {"records": 1},
                    "partitions": 4,
                    "consumers": [{"group": "g", "members": 8, "processing_time": "20ms"}],
                }
            ]
        }
    )
    step = planner.diagnose(slow, {"consumer_record_s": 0.03}).steps[6]
    # four of eight members work; 100 records/s leave each 40 ms
    assert step.limit == pytest.approx(0.04)
    assert step.normal == 0.02
    assert step.verdict == "normal"


def test_what_is_missing_before_the_answer_is_named() -> None:
    diagnosis = found(handler_idle_fraction=0.05)
    assert {row.layer for row in diagnosis.measure_next} == {
        "producer",
        "broker_disk",
        "broker_network",
        "broker_gc",
        "skew",
    }
    assert "Not measured before it" in diagnosis.sentence
    everything = {step.layer for step in found().steps}
    assert {row.layer for row in found().measure_next} == everything


def test_averages_are_warned_of() -> None:
    assert "average" in found().warnings[0]
    assert any("Compare the brokers" in text for text in found(gc_pause_s=4).warnings)
    assert not any("Compare the brokers" in text for text in found(gc_pause_s=4, busiest_broker_ratio=1).warnings)


@pytest.mark.parametrize(
    ("measured", "message"),
    [
        ({"disk_locale_s": 1}, "no such measurement"),
        ({"disk_local_s": "soon"}, "disk_local_s"),
        ({"disk_busy_fraction": 1.5}, "cannot be"),
        ({"disk_local_s": -1}, "cannot be"),
        ({"gc_pause_s": [1]}, "neither a number"),
    ],
)
def test_impossible_measurements_are_refused(measured: dict[str, Any], message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        planner.diagnose(SHOP, measured)


def test_all_faults_come_together_with_the_nearest_key() -> None:
    with pytest.raises(ScenarioError) as caught:
        planner.diagnose(SHOP, {"disk_locale_s": 1, "gc_pause_s": -1})
    assert [error.nearest for error in caught.value.errors] == ["disk_local_s", None]


keys = sorted(measurements())


@given(st.dictionaries(st.sampled_from(keys), st.floats(0, 1), max_size=8))
def test_any_measurements_have_an_answer(measured: dict[str, float]) -> None:
    diagnosis = planner.diagnose(planner.load("preset:startup-10k-a-day"), measured)
    assert diagnosis.layer is None or diagnosis.layer in LAYERS
    json.dumps(diagnosis.to_dict(), allow_nan=False)


def test_the_command_reads_files_and_options(tmp_path: Path) -> None:
    file = tmp_path / "measured.yaml"
    file.write_text("disk_local_s: 900ms\nhandler_idle_fraction: 10%\n", encoding="utf-8")
    run = CliRunner()
    done = run.invoke(cli, ["diagnose", "preset:ecommerce", "--measurements", str(file)])
    assert done.exit_code == 0
    assert done.output.startswith("The slow layer is a broker's disk.")
    # an option goes over the file
    better = ["--measurements", str(file), "--measured", "disk_local_s=1ms", "--format", "json"]
    body = json.loads(run.invoke(cli, ["diagnose", "preset:ecommerce", *better]).output)
    assert body["layer"] == "broker_request_threads"
    assert set(body) >= {"layer", "steps"}
    assert "record-queue-time-avg" in run.invoke(cli, ["diagnose", "preset:ecommerce", "--keys"]).output
    assert run.invoke(cli, ["diagnose", "preset:ecommerce", "--measured", "nonsense"]).exit_code == 2
    for text in (b"[1]", b"a: !!python/name:os", b"\xff\xfe", b"#" * 200_000):
        file.write_bytes(text)
        assert run.invoke(cli, ["diagnose", "preset:ecommerce", "--measurements", str(file)]).exit_code == 2
    assert run.invoke(cli, ["diagnose", "preset:ecommerce", "--measurements", str(tmp_path)]).exit_code == 2
