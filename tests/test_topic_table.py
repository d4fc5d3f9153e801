"""The table of topics: what is shown comes back, only what differs is taken, and each problem stands at its row."""

from __future__ import annotations

import math

import pytest

from planner import codec, load
from planner.fields import InputError
from planner.ui.topic_table import COLUMNS, ROW, by_row, read_rows, rows_of, shown_columns

PRESETS = [preset.name for preset in codec.presets()]


@pytest.mark.parametrize("name", PRESETS)
def test_untouched_rows_change_nothing(name: str) -> None:
    scenario = load(f"preset:{name}")
    edited = read_rows(rows_of(scenario), scenario)
    assert edited.changes == {}
    assert edited.topics == codec.to_mapping(scenario)["topics"]


def test_cells_become_changes_by_path() -> None:
    scenario = load("preset:ecommerce")
    rows = rows_of(scenario)
    rows[2]["records_per_s"] = "9k/s"
    rows[3]["retention.time"] = "3d"
    edited = read_rows(rows, scenario)
    assert edited.changes == {"topics.orders.records_per_s": "9k/s", "topics.payments.retention.time": "3d"}
    sets = [f"{path}={value}" for path, value in edited.changes.items()]
    changed = load("preset:ecommerce", sets)
    assert codec.from_mapping({"topics": edited.topics}).topics == changed.topics


def test_a_renamed_topic_keeps_what_is_not_shown() -> None:
    scenario = load("preset:ecommerce")
    rows = rows_of(scenario)
    rows[2]["name"] = "purchases"
    edited = read_rows(rows, scenario)
    assert edited.changes is None
    topic = codec.from_mapping({"topics": edited.topics}).topics[2]
    assert topic.name == "purchases"
    assert [group.group for group in topic.consumers] == ["billing", "fulfilment", "fraud-detection", "lake-loader"]
    assert topic.record == scenario.topics[2].record


def test_rows_are_added_and_deleted() -> None:
    scenario = load("preset:ecommerce")
    new = {ROW: None, "name": "returns", "records_per_s": "200/s", "consumers": "2", "consumers.members": math.nan}
    edited = read_rows([*rows_of(scenario)[1:], new, dict.fromkeys(new)], scenario)
    assert edited.changes is None
    names = [topic["name"] for topic in edited.topics]
    assert names == [*(topic.name for topic in scenario.topics[1:]), "returns"]
    assert [group["group"] for group in edited.topics[-1]["consumers"]] == ["returns-group-1", "returns-group-2"]


def test_another_number_of_groups_replaces_them() -> None:
    scenario = load("preset:ecommerce")
    rows = rows_of(scenario)
    rows[0]["consumers"] = "1"
    edited = read_rows(rows, scenario)
    assert edited.topics[0]["consumers"] == [{"group": "clickstream-group-1", "members": 24}]
    assert edited.topics[1] == codec.to_mapping(scenario)["topics"][1]


def test_an_emptied_cell_gives_the_default_back() -> None:
    scenario = load("preset:ecommerce")
    rows = rows_of(scenario)
    rows[0]["batch.records"] = ""
    edited = read_rows(rows, scenario)
    assert edited.changes is None
    assert "records" not in edited.topics[0]["batch"]
    assert edited.topics[0]["compression"] == {"codec": "zstd", "ratio": 3.5}


def test_problems_stand_at_their_rows() -> None:
    scenario = load("preset:ecommerce")
    rows = rows_of(scenario)
    rows[1]["retention.time"] = "5 fortnights"
    rows[4]["name"] = "orders"
    rows[5]["replication_factor"] = "=1+1"
    problems = read_rows(rows, scenario).problems
    assert sorted(problems) == [1, 4, 5]
    assert "fortnights" in problems[1][0].message
    assert "same name" in problems[4][0].message
    assert "formula" in problems[5][0].message


def test_a_table_without_rows_is_refused() -> None:
    assert read_rows([], load("preset:ecommerce")).problems[0][0].message == "A scenario needs a topic."


def test_errors_of_the_scenario_find_their_row() -> None:
    rows = [{"name": "a"}, {"name": "b"}]
    found = by_row([InputError("topics.b.acks", 1, "x"), InputError("cluster", 1, "y")], rows)
    assert {index: [error.message for error in errors] for index, errors in found.items()} == {1: ["x"], 0: ["y"]}


def test_experts_see_every_column() -> None:
    assert shown_columns(expert=True) == list(COLUMNS)
    assert len(shown_columns(expert=False)) < len(COLUMNS)
