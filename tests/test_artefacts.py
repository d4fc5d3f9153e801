"""Files for operators: read by the tools or schemas of others, with no name of the user acting in any of them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

import planner
from planner.advise.evidence import defaults
from planner.operations.measuring import worth_measuring
from planner.properties import parse_properties
from planner.reports.artefacts import artefacts
from planner.reports.artefacts.writing import resource_name, slug, yaml_of

ROOT = Path(__file__).resolve().parent.parent
PRESETS = [preset.name for preset in planner.presets()]
SCRIPTS = ("topics-create.sh", "topics-alter.sh", "quotas.sh")
TOOLS = ("kafka-topics", "kafka-configs", "kafka-producer-perf-test", "kafka-consumer-perf-test")
GROUPS = ("=cmd|' /C $(touch pwned)'!A0", "on", "- a: b", 'Größe ☃ "x" `touch pwned`', "--help", "1e3", "~", "<b>")
NAMES = ("-orders", "a.b", "no", "1e3", "Orders_V2")
PLAIN: dict[str, Any] = {"records_per_s": 10, "record": {"key_bytes": 8, "value_bytes": 10}, "batch": {"records": 5}}
EXTRA: tuple[dict[str, Any], ...] = (
    {"consumers": [{"group": group, "members": 2} for group in GROUPS]},
    {"cleanup": "compact,delete", "keys": {"unique": 1000}, "retention": {"time": "forever"}},
    {"tiered": {"local_time": "6h"}},
    {"records_per_s": 0},
    {"consumers": [{"group": "workers", "members": 4, "protocol": "share"}, {"group": "unknown size"}]},
)
HOSTILE: dict[str, Any] = {
    "name": 'x\'; touch pwned; $(touch pwned) \\ %s {{ }} # [a] "q" <script>',
    "topics": [{"name": name, **PLAIN, **extra} for name, extra in zip(NAMES, EXTRA, strict=True)],
    "cluster": {"kafka_version": "4.3.1", "tls": "no"},
}
SPECS = json.loads((ROOT / "tests/data/strimzi_v1.json").read_text(encoding="utf-8"))["specs"]
KUBERNETES_NAME = r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?"


@pytest.fixture(scope="module")
def every() -> dict[str, dict[str, str]]:
    found = {name: artefacts(planner.load(f"preset:{name}")) for name in PRESETS}
    return {**found, "hostile": artefacts(planner.load(HOSTILE))}


@pytest.fixture(scope="module")
def shop() -> planner.Plan:
    return planner.plan(planner.load("preset:ecommerce"))


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tools that only write down the words they were given."""
    folder = tmp_path_factory.mktemp("tools")
    for name in TOOLS:
        path = folder / name
        path.write_text(f'#!/bin/bash\n{{ printf \'%s\\0\' {name} "$@"; echo; }} >>"$SAID"\n')
        path.chmod(0o755)
    return folder


def said(text: str, tools: Path, folder: Path, *arguments: str) -> list[list[str]]:
    """The commands that a script runs, word by word."""
    log = folder / "said"
    log.unlink(missing_ok=True)
    (folder / "script").write_text(text, encoding="utf-8")
    environment = {"PATH": f"{tools}:/usr/bin:/bin", "BOOTSTRAP": "broker:9092", "SAID": str(log)}
    done = subprocess.run(
        ["bash", "-eu", "script", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert not (folder / "pwned").exists()
    lines = log.read_text(encoding="utf-8").split("\0\n") if log.exists() else []
    return [line.split("\0") for line in lines if line]


def blocks(text: str) -> list[str]:
    return re.findall(r"^```bash\n(.*?)\n```$", text, re.DOTALL | re.MULTILINE)


def options(words: list[str]) -> dict[str, str]:
    return dict(part.removeprefix("--").split("=", 1) for part in words if part.startswith("--") and "=" in part)


def documents(text: str) -> list[Any]:
    """As Kubernetes reads it: PyYAML takes YAML 1.1."""
    return list(yaml.safe_load_all(text))


@pytest.mark.parametrize("name", [*PRESETS, "hostile"])
def test_bash_reads_every_script(every: dict[str, dict[str, str]], name: str) -> None:
    text = "\n".join([*(every[name][script] for script in SCRIPTS), *blocks(every[name]["load-test.md"])])
    done = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_topics_are_created_as_planned(shop: planner.Plan, tools: Path, tmp_path: Path) -> None:
    commands = said(artefacts(shop)["topics-create.sh"], tools, tmp_path)
    assert len(commands) == len(shop.topics)
    for words in commands:
        found = shop.topics[options(words)["topic"]]
        assert words[words.index("--partitions") + 1] == str(found.partitions)
        assert words[words.index("--replication-factor") + 1] == str(found.replication_factor)
    orders = next(words for words in commands if "--topic=orders" in words)
    assert {"--config=retention.ms=604800000", "--config=min.insync.replicas=2"} <= set(orders)  # 7 days


def test_names_reach_the_tools_as_they_are(every: dict[str, dict[str, str]], tools: Path, tmp_path: Path) -> None:
    files = every["hostile"]
    assert [options(words)["topic"] for words in said(files["topics-create.sh"], tools, tmp_path)] == list(NAMES)
    limited = {options(words)["entity-name"] for words in said(files["quotas.sh"], tools, tmp_path)}
    assert set(GROUPS) <= limited
    assert "1e3-producer" not in limited  # nothing is planned for it, and a quota of nothing would stop it
    tested = [words for block in blocks(files["load-test.md"]) for words in said(block, tools, tmp_path)]
    assert {f"load-test-{group}" for group in GROUPS} <= {options(words).get("group") for words in tested}


def test_partitions_are_raised_only_when_asked_for(
    every: dict[str, dict[str, str]], tools: Path, tmp_path: Path
) -> None:
    text = every["hostile"]["topics-alter.sh"]
    plain = said(text, tools, tmp_path)
    assert {words[0] for words in plain} == {"kafka-configs"}
    (listed,) = [options(words)["add-config"] for words in plain if "--entity-name=a.b" in words]
    assert "cleanup.policy=[compact,delete]" in listed
    assert "retention.ms=-1" in listed  # forever
    raised = [words for words in said(text, tools, tmp_path, "--partitions") if words[0] == "kafka-topics"]
    # the tool reads a regular expression here
    assert [options(words)["topic"] for words in raised] == ["-orders", "a\\.b", "no", "1e3", "Orders_V2"]


def test_settings_are_kafkas_own(every: dict[str, dict[str, str]], tools: Path, tmp_path: Path) -> None:
    known = defaults()  # dumped from the ConfigDef of Kafka 4.3.0
    for name, files in every.items():
        assert set(parse_properties(files["server.properties"])) <= set(known["broker"]), name
        for words in said(files["topics-create.sh"], tools, tmp_path):
            pairs = [part.removeprefix("--config=").split("=", 1) for part in words if part.startswith("--config=")]
            for key, value in pairs:
                rule = known["topic"][key]
                if "least" in rule and rule["type"] in {"INT", "LONG"}:
                    assert int(value) >= rule["least"], (name, key)


def test_a_quota_is_what_hand_arithmetic_gives(shop: planner.Plan, tools: Path, tmp_path: Path) -> None:
    commands = said(artefacts(shop)["quotas.sh"], tools, tmp_path)
    rates = {options(words)["entity-name"]: options(words)["add-config"] for words in commands}
    # audit: 18 000 records/s of 229.28 bytes; 14 of 15 brokers live, which is more each than one of 15 partitions
    rate = int(rates["audit-producer"].removeprefix("producer_byte_rate="))
    assert rate == pytest.approx(18_000 * 229.2833 / 14 * 1.5, rel=1e-4)


@pytest.mark.parametrize("name", [*PRESETS, "hostile"])
def test_strimzi_accepts_the_resources(every: dict[str, dict[str, str]], name: str) -> None:
    """Types, patterns and bounds of Strimzi's own definitions."""
    found = [*documents(every[name]["strimzi-cluster.yaml"]), *documents(every[name]["strimzi-topics.yaml"])]
    assert [row["kind"] for row in found[:3]] == ["Kafka", "KafkaNodePool", "KafkaNodePool"]
    for row in found:
        jsonschema.validate(row["spec"], SPECS[row["kind"]])
        assert re.fullmatch(KUBERNETES_NAME, row["metadata"]["name"])
    names = [row["metadata"]["name"] for row in found]
    assert len(names) == len(set(names))
    assert all(row["metadata"]["labels"]["strimzi.io/cluster"] == names[0] for row in found[1:])


def test_strimzi_says_what_the_plan_says(shop: planner.Plan) -> None:
    files = artefacts(shop)
    kafka, brokers, controllers = documents(files["strimzi-cluster.yaml"])
    assert brokers["spec"]["replicas"] == shop.brokers.count
    assert controllers["spec"]["replicas"] == shop.cluster.controllers
    assert "version" not in kafka["spec"]["kafka"]  # 4.3 is no release that an operator could know
    assert brokers["spec"]["storage"]["volumes"][0]["size"] == "3725Gi"  # 4 TB hold 3725.29 GiB
    assert brokers["spec"]["jvmOptions"]["-Xmx"] == "6144m"  # Kafka's usual 6 GiB
    rows = {
        row["spec"].get("topicName", row["metadata"]["name"]): row for row in documents(files["strimzi-topics.yaml"])
    }
    assert {name: row["spec"]["partitions"] for name, row in rows.items()} == {
        name: row.partitions for name, row in shop.topics.items()
    }


def test_keda_scales_in_even_steps_up_to_the_partitions(shop: planner.Plan) -> None:
    rows = documents(artefacts(shop)["keda.yaml"])
    specs = {row["spec"]["triggers"][0]["metadata"]["consumerGroup"]: row["spec"] for row in rows}
    assert set(specs) == {group.group for topic in shop.scenario.topics for group in topic.consumers}
    billing = specs["billing"]  # orders and payments with 36 partitions each, up to 24 members of 1500 records/s
    assert billing["maxReplicaCount"] == 36  # 24 does not divide 36
    assert billing["triggers"][0]["metadata"]["lagThreshold"] == str(1500 * 60)
    for spec in specs.values():
        most = max(shop.topics[trigger["metadata"]["topic"]].partitions for trigger in spec["triggers"])
        assert 1 <= spec["minReplicaCount"] <= spec["maxReplicaCount"] <= most
        assert most % spec["maxReplicaCount"] == most % spec["minReplicaCount"] == 0
        texts = [value for trigger in spec["triggers"] for value in trigger["metadata"].values()]
        assert all(isinstance(text, str) for text in texts)


def test_groups_that_cannot_be_scaled_are_named_with_the_reason(every: dict[str, dict[str, str]]) -> None:
    text = every["hostile"]["README.md"]
    assert "keda.yaml: workers: KEDA reads the offsets of consumer groups" in text
    assert "keda.yaml: unknown size: give records" in text
    rows = documents(every["hostile"]["keda.yaml"])
    scaled = {row["spec"]["triggers"][0]["metadata"]["consumerGroup"] for row in rows}
    assert scaled == set(GROUPS)  # "on" and "1e3" are still texts for a reader of YAML 1.1


def test_texts_stay_texts_for_a_reader_of_yaml_1_1() -> None:
    texts = [
        "yes",
        "on",
        "Off",
        "1e3",
        "0x10",
        "12:30:45",
        "null",
        "~",
        "=",
        "010",
        "2001-01-01",
        "a: b",
        "#x",
        "'",
        "",
    ]
    assert documents(yaml_of("x", [{"list": texts, "number": 3}])) == [{"list": texts, "number": 3}]


def test_names_of_kubernetes_are_unique_and_valid() -> None:
    assert resource_name("orders") == "orders"
    near = [resource_name(text) for text in ("Orders", "orders.", "orders_", "ORDERS", "☃", "-", "1e3", "x" * 300)]
    assert len(set(near)) == len(near)
    assert all(re.fullmatch(KUBERNETES_NAME, name) for name in near)
    assert slug("e-commerce events", "kafka", 40) == "e-commerce-events"


def test_capacities_are_in_units_of_cruise_control(every: dict[str, dict[str, str]]) -> None:
    rows = json.loads(every["ecommerce"]["capacity.json"])["brokerCapacities"]
    assert [row["brokerId"] for row in rows] == [str(number) for number in range(-1, 15)]
    assert rows[0]["capacity"]["CPU"] == {"num.cores": "16"}
    assert int(rows[0]["capacity"]["DISK"]) == 4_000_000_000_000 // 2**20
    assert int(rows[0]["capacity"]["NW_IN"]) == 1_250_000_000 // 1024


def test_no_capacity_is_made_up_for_an_unmetered_network() -> None:
    machine = {"vcpu": 8, "memory": "64GiB", "storage": {"volumes": 3, "capacity": "2TB"}}
    files = artefacts(planner.load({**HOSTILE, "cluster": {"broker": machine}}))
    assert "capacity.json" not in files
    assert "network has no stated rate" in files["README.md"]
    assert len(parse_properties(files["server.properties"])["log.dirs"].split(",")) == 3


def test_a_cluster_that_is_too_small_gets_its_reassignment() -> None:
    lists = [[(at + copy) % 3 + 1 for copy in range(3)] for at in range(60)]
    topic: dict[str, Any] = {
        "name": "t",
        "records_per_s": 200_000,
        "record": {"value_bytes": 900},
        "batch": {"records": 50},
    }
    topic["retention"] = {"time": "12h"}  # 7.8 TB on each of three brokers with 4 TB
    placed = {"racks": {"1": "a", "2": "b", "3": "c"}, "topics": {"t": lists}}
    result = planner.plan(planner.load({"topics": [topic], "cluster": {"brokers_placed": placed}}))
    assert result.brokers.required is not None
    assert result.brokers.required > 3
    files = artefacts(result)
    batches = [json.loads(text) for name, text in files.items() if name.startswith("batch-")]
    moved = [row for batch in batches for row in batch["partitions"]]
    assert all(len(set(row["replicas"])) == 3 for row in moved)
    assert len({broker for row in moved for broker in row["replicas"]} | {1, 2, 3}) == result.brokers.required
    assert "does not hold" in files["README.md"]


def test_the_load_test_makes_the_planned_load(shop: planner.Plan, tools: Path, tmp_path: Path) -> None:
    sent: dict[str, float] = {}
    for block in blocks(artefacts(shop)["load-test.md"]):
        (words,) = said(block, tools, tmp_path)
        if words[0] == "kafka-producer-perf-test":
            sent[options(words)["topic"]] = float(words[words.index("--throughput") + 1])
    for topic in shop.scenario.topics:
        assert topic.records_per_s is not None
        assert sent[topic.name] * topic.producers == pytest.approx(topic.records_per_s * topic.peak_ratio, rel=0.01)


def test_what_is_worth_measuring_first_moves_the_brokers_most(shop: planner.Plan) -> None:
    rows = worth_measuring(shop)
    assert [row.swing for row in rows] == sorted((row.swing for row in rows), reverse=True)
    assert {row.name for row in rows[:2]} == {"value size", "compression ratio"}
    # disk space binds: values of half the size need about half the disks
    value = next(row for row in rows if row.name == "value size")
    assert shop.brokers.raw is not None
    assert value.brokers_at_low is not None
    assert value.brokers_at_low / shop.brokers.raw == pytest.approx(0.5, abs=0.06)


def test_a_range_of_the_scenario_is_used_where_there_is_one() -> None:
    change = "topics.clickstream.compression.ratio={low: 3, likely: 3.5, high: 4}"
    ranged = planner.plan(planner.load("preset:ecommerce", [change]))
    found = next(row for row in worth_measuring(ranged, most=6) if row.name == "compression ratio")
    assert found.given
    assert found.low_ratio == pytest.approx(3 / 3.5)
    assert found.high_ratio == pytest.approx(4 / 3.5)


def test_equal_plans_give_equal_files() -> None:
    script = "import planner, json; print(json.dumps(planner.artefacts(planner.load('preset:ecommerce'))))"
    first, second = (
        subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            check=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    )
    assert first == second


def test_the_command_writes_a_new_folder_and_overwrites_nothing(tmp_path: Path) -> None:
    arguments = [
        sys.executable,
        "-m",
        "planner.cli",
        "artefacts",
        "preset:startup-10k-a-day",
        "-o",
        str(tmp_path / "new"),
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done, again = (
        subprocess.run(arguments, capture_output=True, text=True, check=False, env=environment) for _ in range(2)
    )
    assert done.returncode == 0, done.stderr
    expected = artefacts(planner.load("preset:startup-10k-a-day"))
    assert {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "new").iterdir()} == expected
    assert again.returncode == 2
    assert "nothing is overwritten" in again.stderr


def test_the_index_lists_every_file_and_nothing_acts_in_it(every: dict[str, dict[str, str]]) -> None:
    for files in every.values():
        listed = set(re.findall(r"^\| `([^`]+)` \|", files["README.md"], re.MULTILINE))
        assert listed == set(files) - {"README.md"}
    assert "<script>" not in every["hostile"]["README.md"]
