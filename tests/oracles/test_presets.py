"""Presets against figures from outside the planner: published numbers, or arithmetic written out in `why`."""

from __future__ import annotations

import json
import math
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from planner import load, plan
from planner.catalogue import machines
from planner.constants import data_path, resource_root, sources

FIGURES: list[dict[str, Any]] = json.loads(
    (resource_root() / "tests" / "data" / "preset_figures.json").read_text(encoding="utf-8")
)
PRESETS = sorted(path.stem for path in data_path("presets").glob("*.yaml"))
HEAD = ("# title: ", "# situation: ", "# source: ", "# assumed: ")


def preset(name: str) -> Path:
    return data_path("presets", f"{name}.yaml")


@cache
def planned(name: str) -> dict[str, Any]:
    result: dict[str, Any] = plan(load(preset(name))).to_dict()
    return result


def test_the_presets_are_the_promised_ones() -> None:
    assert set(PRESETS) >= {
        *(
            "amq-streams",
            "analytics-two-regions",
            "cdc",
            "clickstream-hot-key",
            "ecommerce",
            "fintech",
            "iot-telemetry",
        ),
        *("linkedin-2014", "log-aggregation", "redpanda-tiered-500mb", "startup-10k-a-day", "stock-exchange"),
        *("tenant-config", "typical-broker"),
    }


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_says_what_it_is_and_where_it_comes_from(name: str) -> None:
    lines = preset(name).read_text(encoding="utf-8").splitlines()
    assert [line.startswith(start) and len(line) > len(start) for line, start in zip(lines, HEAD, strict=False)] == [
        True
    ] * len(HEAD)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_planned_and_carried(name: str) -> None:
    assert planned(name)["feasible"]


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_has_a_figure_from_outside(name: str) -> None:
    assert any(figure["preset"] == name for figure in FIGURES)


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: f"{figure['preset']} {figure['path']}")
def test_figure(figure: dict[str, Any]) -> None:
    value: Any = planned(figure["preset"])
    for key in figure["path"].split("."):
        value = value[key]
    assert math.isclose(value, figure["expected"], rel_tol=figure["rel_tol"]), figure["why"]


def test_published_inputs_of_the_calculator_presets() -> None:
    # KafkaGuard's four: peak records a second and bytes a record, as published.
    published = {
        "stock-exchange": (800_000, 400),
        "iot-telemetry": (2_000_000, 128),
        "log-aggregation": (200_000, 2048),
        "ecommerce": (500_000, 512),
    }
    for name, (peak, size) in published.items():
        topics = load(preset(name)).topics
        rates = [(topic.records_per_s or 0) * topic.peak_ratio for topic in topics]
        assert math.isclose(sum(rates), peak)
        mean = sum(rate * topic.record.logical_bytes for rate, topic in zip(rates, topics, strict=True)) / peak
        assert math.isclose(mean, size)


@pytest.mark.parametrize("name", sorted(machines()))
def test_a_machine_has_a_source(name: str) -> None:
    machine = machines()[name]
    assert machine.source in sources()
    assert machine.as_of
    assert machine.note
