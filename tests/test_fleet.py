"""Many plans: the same as one by one, wherever they are made."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path

import pytest
from typer.testing import CliRunner

import planner
from planner.cli import cli
from planner.fleet import MOST_PLANS, Source, Sweep
from tests.scenarios import scenario

GRID = {"cluster.zones": ["1", "3"], "topics.*.retention.time": ["1d", "7d", "30d"]}
TOPICS = """\
name: {name}
topics: [{{name: a, records_per_s: {rate}, record: {{value_bytes: 1000}}, batch: {{records: 50}}}}]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, rate in (("b", 20_000), ("a", 10_000)):
        (tmp_path / f"{name}.yaml").write_text(TOPICS.format(name=name, rate=rate), encoding="utf-8")
    (tmp_path / "broken.yml").write_text("topics: [{name: a, records_per_s: -1}]\n", encoding="utf-8")
    (tmp_path / "readme.txt").write_text("not a scenario", encoding="utf-8")
    return tmp_path


@pytest.fixture(scope="module")
def alone() -> Sweep:
    return planner.sweep("preset:ecommerce", GRID)


def test_each_row_is_the_plan_of_its_combination(alone: Sweep) -> None:
    assert [tuple(row.changes.values()) for row in alone.rows] == [
        (zones, time) for zones in ("1", "3") for time in ("1d", "7d", "30d")
    ]
    for row in alone.rows:
        one = planner.plan(planner.load("preset:ecommerce", sets=[f"{path}={v}" for path, v in row.changes.items()]))
        assert (row.brokers, row.feasible, row.disk_bytes_worst) == (
            one.brokers.count,
            one.feasible,
            one.cluster.disk_bytes_worst,
        )
        assert row.binding_resource == one.brokers.binding.resource  # type: ignore[union-attr]
    longer = [row.disk_bytes_worst for row in alone.rows[:3]]
    assert longer == sorted(longer, key=float)  # type: ignore[arg-type]


def test_a_pool_of_processes_makes_the_same_plans() -> None:
    many = {"cluster.zones": ["1", "2", "3"], "topics.*.replication_factor": ["2", "3", "4"]}
    pooled = planner.sweep("preset:startup-10k-a-day", many)  # nine: more than are made here
    assert len(pooled.rows) == 9
    for row in pooled.rows:
        one = planner.sweep("preset:startup-10k-a-day", {path: [value] for path, value in row.changes.items()})
        assert one.rows == (row,)


@pytest.fixture
def dask() -> Iterator[Executor]:
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,  # type: ignore[no-untyped-call]
        Client(cluster) as client,  # type: ignore[no-untyped-call]
    ):
        yield client.get_executor()


@pytest.mark.filterwarnings("ignore")  # distributed and its dependencies warn of their own doings
def test_a_dask_cluster_makes_the_same_plans(dask: Executor, alone: Sweep) -> None:
    assert planner.sweep("preset:ecommerce", GRID, executor=dask) == alone


def test_progress_counts_every_plan() -> None:
    seen: list[tuple[int, int]] = []
    with ThreadPoolExecutor(2) as threads:
        planner.sweep(scenario(), {"cluster.zones": ["1", "3"]}, executor=threads, progress=lambda *x: seen.append(x))
    assert seen == [(1, 2), (2, 2)]


def test_an_interrupt_begins_no_further_plan() -> None:
    begun: list[int] = []

    def stop(done: int, _total: int) -> None:
        begun.append(done)
        raise KeyboardInterrupt

    with ThreadPoolExecutor(1) as threads, pytest.raises(KeyboardInterrupt):
        planner.sweep(scenario(), {"cluster.zones": ["1"] * 50}, executor=threads, progress=stop)
    assert begun == [1]


def test_a_folder_stands_for_its_scenarios_and_errors_lose_nothing(folder: Path) -> None:
    found = planner.sweep(folder)
    assert [Path(row.scenario).name for row in found.rows] == ["a.yaml", "b.yaml", "broken.yml"]
    a, b, broken = found.rows
    assert b.produce_in_bytes_per_s == pytest.approx(2 * a.produce_in_bytes_per_s)  # type: ignore[operator]
    assert broken.brokers is None
    assert "records_per_s" in broken.errors[0]
    frame = found.to_frame()
    assert list(frame["errors"].str.len() > 0) == [False, False, True]


def test_several_sources_of_every_kind(folder: Path) -> None:
    mapping = {"name": "map", "topics": [{"name": "x", "records_per_s": 1}]}
    sources: list[Source] = [scenario(), TOPICS.format(name="text", rate=5), mapping, folder / "a.yaml"]
    assert [row.scenario for row in planner.sweep(sources).rows[:3]] == [scenario().name, "text", "map"]


@pytest.mark.parametrize("values", [[], ["1"] * (MOST_PLANS + 1)])
def test_nothing_and_too_much_are_refused(values: list[str]) -> None:
    with pytest.raises(planner.ScenarioError, match="plan"):
        planner.sweep(scenario(), {"cluster.zones": values})


# the command


def test_the_command_says_how_many_hold_and_leaves_with_2_on_errors(folder: Path) -> None:
    fine = CliRunner().invoke(cli, ["sweep", "preset:ecommerce", "--over", "cluster.zones=1,3"])
    assert fine.exit_code == 0
    assert fine.stdout.startswith("2 plans: 2 hold, with 14 to 15 brokers.")
    assert "cluster.zones" in fine.stdout
    mixed = CliRunner().invoke(cli, ["sweep", str(folder)])
    assert mixed.exit_code == 2
    assert mixed.stdout.startswith("3 plans: 2 hold")
    assert "1 are in error" in mixed.stdout
    body = json.loads(CliRunner().invoke(cli, ["sweep", str(folder), "--format", "json"]).stdout)
    assert [bool(row["errors"]) for row in body["rows"]] == [False, False, True]
    table = CliRunner().invoke(cli, ["sweep", "preset:ecommerce", "--over", "cluster.zones=1,3", "--format", "csv"])
    assert table.stdout.splitlines()[0].startswith("scenario,cluster.zones,feasible,brokers")


@pytest.mark.parametrize("over", ["cluster.zones", "=1,2", "cluster.zones=1,,2"])
def test_the_command_refuses_what_is_no_grid(over: str) -> None:
    done = CliRunner().invoke(cli, ["sweep", "preset:ecommerce", "--over", over, "--over", "cluster.zones=1"])
    assert done.exit_code == 2
    assert "--over" in done.stderr


def test_the_command_takes_each_input_once() -> None:
    twice = ["--over", "cluster.zones=1", "--over", "cluster.zones=2"]
    done = CliRunner().invoke(cli, ["sweep", "preset:ecommerce", *twice])
    assert (done.exit_code, "already" in done.stderr) == (2, True)
