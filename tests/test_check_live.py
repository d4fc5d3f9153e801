"""Today's load against the plan, and the two commands, without a cluster."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import planner
from planner.cli import cli
from planner.sources.conversion import Imported, imported
from planner.sources.facts import BrokerFacts, Facts, TopicFacts

DATA = Path(__file__).parent / "data"
RUN = CliRunner()
RACKS = {1: "a", 2: "b", 3: "c", 4: "a"}


def _found(**topics: TopicFacts) -> Imported:
    brokers = {number: BrokerFacts(rack=rack) for number, rack in RACKS.items()}
    return imported(Facts(sources=("live",), topics=topics, brokers=brokers, kafka_version="4.3"))


def _topic(rates: dict[int, float], replicas: tuple[tuple[int, ...], ...]) -> TopicFacts:
    return TopicFacts(
        replicas=replicas,
        records_per_s=sum(rates.values()),
        partition_records_per_s=rates,
        wire_bytes_per_record=1000.0,
        wire_bytes_per_s=sum(rates.values()) * 1000.0,
    )


def test_hottest_broker_and_partition_are_those_that_were_measured() -> None:
    found = _found(orders=_topic({0: 300.0, 1: 100.0}, ((1, 2), (2, 3))))
    today = planner.check_live(found)
    assert today.hottest_partition is not None
    assert today.hottest_partition.what == "orders-0"
    assert today.hottest_partition.bytes_per_s == pytest.approx(300_000)
    assert today.hottest_partition.over_mean == pytest.approx(1.5)
    assert today.hottest_broker is not None
    # broker 2 has both partitions: 400 kB/s; all four write 800 kB/s together
    assert today.hottest_broker.what == "broker 2"
    assert today.hottest_broker.over_mean == pytest.approx(2.0)


def test_idle_far_too_many_partitions_and_racks_shared() -> None:
    many = tuple((1 + number % 3, 1 + (number + 1) % 3) for number in range(60))
    found = _found(
        idle=_topic({0: 0.0}, ((1, 2),)),
        wide=_topic(dict.fromkeys(range(60), 0.1), many),
        shared=_topic({0: 10.0, 1: 10.0}, ((1, 4), (1, 2))),  # 1 and 4 are both in rack a
    )
    rows = {row.topic: row for row in planner.check_live(found).topics}
    assert {name for name, row in rows.items() if row.idle} == {"idle"}
    assert {name for name, row in rows.items() if row.over_partitioned} == {"wide"}
    assert {name: row.misplaced_partitions for name, row in rows.items()} == {"idle": 0, "wide": 0, "shared": 1}


def test_against_the_plan() -> None:
    plan = planner.load(
        {
            "topics": [
                {"name": "orders", "records_per_s": 100, "record": {"value_bytes": 950}, "batch": {"records": 10}},
                {"name": "gone", "records_per_s": 1},
            ],
            "cluster": {"brokers": 3},
            "policy": {"growth_per_year": 1.0, "horizon": "1y"},
        }
    )
    found = _found(orders=_topic({0: 300.0}, ((1, 2),)), other=_topic({0: 1.0}, ((1, 2),)))
    today = planner.check_live(found, plan)
    rows = {row.topic: row for row in today.topics}
    assert (today.brokers, today.planned_brokers) == (4, 3)
    # planned for a year's growth of 100 % and its peak, so 300 records/s are more than planned
    assert rows["orders"].today_over_planned is not None
    assert rows["orders"].today_over_planned > 0.7
    assert rows["other"].note == "not in the plan"
    assert rows["gone"].note == "not in the cluster"
    assert today.growth_per_year == 1.0
    assert today.first_limit is not None
    assert json.loads(json.dumps(today.to_dict(), allow_nan=False))["planned_brokers"] == 3
    assert len(today.to_frame()) == 3


# Commands


def test_import_of_files_prints_a_scenario_that_can_be_piped(tmp_path: Path) -> None:
    ran = RUN.invoke(cli, ["import", "--topics", str(DATA / "kafka_topics_describe.txt")])
    assert ran.exit_code == 0
    assert ran.stdout.startswith("# 2 topics, 9 partitions, 3 brokers and 0 consumer groups read from kafka-topics")
    assert "# rate of logs, orders: no source tells it; instead: 0 records/s." in ran.stdout
    path = tmp_path / "scenario.yaml"
    path.write_text(ran.stdout)
    assert {topic.name for topic in planner.load(path).topics} == {"logs", "orders"}


def test_import_writes_a_new_file_and_overwrites_none(tmp_path: Path) -> None:
    path = tmp_path / "scenario.yaml"
    words = ["import", "--strimzi", str(DATA / "strimzi_topics.yaml"), "-o", str(path)]
    ran = RUN.invoke(cli, words)
    assert ran.exit_code == 0
    assert f"The scenario is in {path}." in ran.stdout
    assert "What is missing" in ran.stdout
    again = RUN.invoke(cli, words)
    assert again.exit_code == 2
    assert "--force" in again.stderr
    assert RUN.invoke(cli, [*words, "--force"]).exit_code == 0


def test_import_as_json_and_csv() -> None:
    words = ["import", "--metrics", str(DATA / "kminion.txt"), "--format"]
    body = json.loads(RUN.invoke(cli, [*words, "json"]).stdout)
    assert body["measured"]["topics"][0]["wire_bytes_per_record"] == 200.0
    assert planner.load(body["scenario"]).topics[0].name == "orders"
    assert RUN.invoke(cli, [*words, "csv"]).stdout.startswith("topic,partitions,")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["import"], "There is nothing to read."),
        (["import", "--topics", "/nowhere"], "cannot be read"),
        (["import", "--bootstrap-server", "nonsense"], "This is no address."),
        (["import", "--bootstrap-server", "h:99999,:1"], "This is no address."),
        (["import", "--bootstrap-server", "127.0.0.1:1", "--window", "minute"], "--window"),
        (["import", "--bootstrap-server", "127.0.0.1:1", "--window", "2d"], "no time to watch"),
        (["import", "--prometheus", "127.0.0.1:9090"], "no address of Prometheus"),
        (["import", "--strimzi", str(DATA / "strimzi_topics.yaml"), "--broker", "no-such"], "no broker of this name"),
        (["import", "--metrics", str(DATA / "strimzi_topics.yaml")], "no metric"),
        (["import", "--prometheus", "http://127.0.0.1:1", "--match", "x"], "--match"),
        (["check"], "nothing to check"),
        (["check", "--live"], "nothing to check"),
        (["check", "preset:none", "--bootstrap-server", "127.0.0.1:1"], "no preset"),
    ],
)
def test_refusals(words: list[str], said: str) -> None:
    ran = RUN.invoke(cli, words)
    assert ran.exit_code == 2
    assert said in ran.stderr
    assert "Traceback" not in ran.stderr


def test_without_the_extra_its_name_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "kafka", None)
    ran = RUN.invoke(cli, ["import", "--bootstrap-server", "127.0.0.1:1"])
    assert ran.exit_code == 2
    assert "kafka-capacity-planner[live]" in ran.stderr


def test_an_import_without_topics_is_exit_status_1() -> None:
    ran = RUN.invoke(cli, ["import", "--capacity", str(DATA / "cruise_control_capacity.json")])
    assert ran.exit_code == 1
    assert "no topic was found" in ran.stdout


def test_check_live_of_an_import(tmp_path: Path) -> None:
    path = tmp_path / "scenario.yaml"
    RUN.invoke(cli, ["import", "--topics", str(DATA / "kafka_topics_describe.txt"), "-o", str(path)])
    ran = RUN.invoke(cli, ["check", "--live", str(path)])
    assert ran.exit_code == 0
    assert ran.stdout.startswith("Under today's load the cluster holds: 3 brokers.")
    assert "Idle: logs, orders." in ran.stdout
    asked = RUN.invoke(cli, ["check", "--live", str(path), "--format", "json"])
    assert json.loads(asked.stdout)["holds"] is True
