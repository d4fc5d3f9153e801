"""The audit: every rule fires where it should and is silent where it should, with a number worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import planner
from planner.advise.auditing import Audit, AuditFinding, rules
from planner.advise.evidence import defaults, gather
from planner.advise.schemas import breaks
from planner.cli import cli
from planner.constants import sources
from planner.properties import MAX_BYTES, parse_properties
from planner.scenario import Scenario, ScenarioError

DATA = Path(__file__).parent / "data"
VECTORS = json.loads((DATA / "properties_vectors.json").read_text(encoding="utf-8"))
GOOD_BROKER = {"auto.create.topics.enable": False, "broker.rack": "a"}


# .properties files


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: repr(vector["text"])[:30])
def test_properties_are_read_as_java_reads_them(vector: dict[str, Any]) -> None:
    """The pairs were written by java.util.Properties of Java 17; only the empty key is refused here."""
    if "" in vector["pairs"]:
        with pytest.raises(ScenarioError, match="key is empty"):
            parse_properties(vector["text"])
    else:
        assert parse_properties(vector["text"]) == vector["pairs"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a=1\na=2\n", "twice"),
        ("a=\\u00g1\n", "escape"),
        ("a=\\u12", "escape"),
        ("a=b\x00c\n", "control"),
        ("\n".join(f"k{number}=1" for number in range(10_001)), "too many"),
    ],
)
def test_broken_properties_are_refused(text: str, message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        parse_properties(text)


def test_all_faults_of_a_file_come_together() -> None:
    with pytest.raises(ScenarioError) as caught:
        parse_properties("a=1\na=2\nb=\\uzzzz\n")
    assert [error.path for error in caught.value.errors] == ["properties line 2", "properties line 3"]


@given(st.text(alphabet="ab=: \t\\\n\r#!u0é\x00", max_size=40))
def test_a_properties_parser_raises_only_its_own_error(text: str) -> None:
    try:
        found = parse_properties(text)
    except ScenarioError:
        return
    assert all(isinstance(value, str) for value in found.values())


SECRETS = 'ssl.keystore.password=hunter2\nsasl.jaas.config=org.apache x password="hunter2";\nlog.retention.hours=24\n'


def test_secrets_are_neither_kept_nor_shown(tmp_path: Path) -> None:
    file = tmp_path / "server.properties"
    file.write_text(SECRETS, encoding="utf-8")
    assert "hunter2" not in str(gather(broker=file))
    found = planner.audit(scenario(), broker=file)
    assert "hunter2" not in json.dumps(found.to_dict())
    broken = tmp_path / "broken.properties"
    broken.write_text(SECRETS + "ssl.keystore.password=hunter2\n", encoding="utf-8")
    done = CliRunner().invoke(cli, ["audit", "preset:fintech", "--broker-properties", str(broken)])
    assert done.exit_code == 2
    assert "twice" in done.output
    assert "hunter2" not in done.output


def test_a_large_or_missing_file_is_refused(tmp_path: Path) -> None:
    large = tmp_path / "large.properties"
    large.write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(ScenarioError, match="too large"):
        gather(broker=large)
    with pytest.raises(ScenarioError, match="cannot be read"):
        gather(broker=tmp_path / "nothing")
    with pytest.raises(ScenarioError, match="cannot be read"):
        gather(broker=Path("a\0b"))


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ({"num.replica.fetchers": "many"}, "not a number"),
        ({"auto.create.topics.enable": "perhaps"}, "not a switch"),
        ({"num.io.threads": [8]}, "text, a number or a switch"),
        ({"num.io.threads": ""}, "not a number"),
        ({"num.io.threads": 0}, "value that small"),
    ],
)
def test_values_that_kafka_refuses_are_refused(pairs: dict[str, Any], message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        gather(broker=pairs)


def test_an_old_latin_1_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "server.properties"
    file.write_bytes("# Gr\xfc\xdfe\nnum.io.threads=16\n".encode("latin-1"))
    assert gather(broker=file).of_broker("num.io.threads").value == "16"


# Rules


def topic(**changes: Any) -> dict[str, Any]:
    body: dict[str, Any] = {
        "name": "t",
        "records_per_s": 1000,
        "record": {"key_bytes": 10, "value_bytes": 1000},
        "batch": {"records": 10},
        "producers": 4,
        "partitions": 6,
        "retention": {"time": "1d", "bytes_per_partition": "200GB"},
        "segment": {"bytes": "100MB"},
        "consumers": [{"group": "g", "members": 3, "records_per_s_per_member": 1000, "protocol": "consumer"}],
    }
    return {**body, **changes}


def scenario(
    cluster: dict[str, Any] | None = None, operations: dict[str, Any] | None = None, **changes: Any
) -> Scenario:
    return Scenario.model_validate(
        {"topics": [topic(**changes)], "cluster": {"brokers": 3, **(cluster or {})}, "operations": operations or {}}
    )


def audited(given: Scenario | None = None, **evidence: Any) -> Audit:
    return planner.audit(given or scenario(), **{"broker": GOOD_BROKER, **evidence})


def the(found: Audit, code: str) -> AuditFinding:
    rows = [row for row in found.findings if row.code == code]
    assert rows, [row.code for row in found.findings]
    return rows[0]


def group(**changes: Any) -> list[dict[str, Any]]:
    return [{"group": "g", "members": 3, "protocol": "consumer", **changes}]


def test_a_sound_cluster_has_no_findings() -> None:
    found = audited()
    assert [row.code for row in found.findings] == []
    assert found.passed


CASES: list[tuple[str, dict[str, Any], dict[str, Any], float]] = [
    # code, scenario, evidence, number by hand
    ("unclean_election", {}, {"broker": {**GOOD_BROKER, "unclean.leader.election.enable": True}}, 1000 * 30),
    ("unclean_election", {"operations": {"unclean_election": True}}, {}, 1000 * 30),
    ("unclean_election", {}, {"topics": {"t": {"unclean.leader.election.enable": "true"}}}, 1000 * 30),
    ("auto_create_topics", {}, {"broker": {"broker.rack": "a"}}, 1),
    ("internal_replication", {}, {"broker": {**GOOD_BROKER, "offsets.topic.replication.factor": 1}}, 1),
    ("broker_rack", {}, {"broker": {"auto.create.topics.enable": False}}, 3),
    ("handles", {"cluster": {"limits": {"nofile": 100_000, "max_map_count": 1000}}, "partitions": 600}, {}, 0),
    ("retention_unlimited", {"retention": {"time": "forever"}}, {}, 0),
    ("min_isr_equals_rf", {"min_insync_replicas": 3}, {}, 1.0),
    ("min_isr_above_rf", {}, {"topics": {"": {"min.insync.replicas": 4}}}, 0),
    ("min_isr_1", {"min_insync_replicas": 1}, {}, 0),
    ("acks_not_all", {"acks": "1"}, {}, 0),
    ("acks_not_all", {}, {"producers": {"": {"acks": "0"}}}, 0),
    ("replication_factor_1", {"replication_factor": 1}, {}, 0),
    ("replication_factor_2", {"replication_factor": 2}, {}, 0),
    # 1000 records of about 1.1 kB/s in six partitions: 1 GiB fills in about 6.3 ks * 1000 / 1.03; retention is an hour
    ("segment_granularity", {"retention": {"time": "1h", "bytes_per_partition": "1GB"}, "segment": {}}, {}, 0),
    ("segment_small", {"segment": {"bytes": "1MiB"}, "records_per_s": 100_000}, {}, 0),
    ("eager_assignor", {"consumers": group(protocol="eager")}, {}, 6),
    (
        "eager_assignor",
        {"consumers": group(protocol="cooperative")},
        {"consumers": {"g": {"partition.assignment.strategy": "org.apache.kafka.clients.consumer.RangeAssignor"}}},
        6,
    ),
    # 500 records of a second each take 500 s, five minutes are allowed
    ("poll_interval", {"consumers": group(processing_time="1s")}, {}, 500),
    # 500 records of 0.2 s each: 100 s, five times that is more than 300 s
    ("poll_interval", {"consumers": group(records_per_s_per_member=5)}, {}, 100),
    ("session_timeout_short", {"consumers": group(static_membership=True)}, {}, 45),
    ("session_timeout_long", {"operations": {"restart_time": "2s"}}, {}, 45),
    (
        "heartbeat_interval",
        {"consumers": group(protocol="cooperative")},
        {"consumers": {"": {"session.timeout.ms": 6000, "heartbeat.interval.ms": 3000}}},
        2,
    ),
    (
        "session_out_of_bounds",
        {"consumers": group(protocol="cooperative", session_timeout="2s")},
        {},
        2,
    ),
    # five requests of the producers' records, four producers
    ("idempotence_off", {}, {"producers": {"t": {"enable.idempotence": "false"}}}, 0),
    (
        "idempotence_conflict",
        {},
        {"producers": {"t": {"enable.idempotence": "true", "max.in.flight.requests.per.connection": 10}}},
        10,
    ),
    ("idempotence_needed", {"transactions_per_s": 50}, {"producers": {"t": {"enable.idempotence": "false"}}}, 50),
    ("application_idempotence", {"transactions_per_s": 50}, {}, 50),
    ("schema_compatibility_none", {}, {"compatibility": "none"}, 1),
    ("schema_compatibility_none", {}, {"broker": {**GOOD_BROKER, "schema.compatibility.level": "NONE"}}, 1),
    ("setting_unknown", {}, {"broker": {**GOOD_BROKER, "min.insync.replica": 2}}, 1),
    ("differs_from_plan", {}, {"topics": {"t": {"retention.ms": 3_600_000}}}, 3600),
    ("follower_fetching", {"cluster": {"fetch_from_follower": True}}, {}, 0),
    ("retention_bytes_only", {"retention": {"time": "forever", "bytes_per_partition": "1GB"}}, {}, 0),
]


@pytest.mark.parametrize(
    ("code", "changes", "evidence", "number"), CASES, ids=lambda case: case if isinstance(case, str) else ""
)
def test_a_rule_fires(code: str, changes: dict[str, Any], evidence: dict[str, Any], number: float) -> None:
    row = the(audited(scenario(**changes), **evidence), code)
    if number:
        assert row.number == pytest.approx(number, rel=1e-6)
    assert row.number >= 0
    assert row.source in sources()
    assert row.what
    assert row.fix
    assert "{" not in row.why + row.fix
    assert row.where


def test_every_rule_is_shown_to_fire() -> None:
    tested = {case[0] for case in CASES} | {
        "retention_time_only",
        "replica_fetchers",
        "network_threads",
        "io_threads",
        "handles_low",
        "tombstones_early",
        "tombstones_none",
        "schema_field_added",
        "schema_field_removed",
        "schema_incompatible",
    }
    assert tested == set(rules())


def test_rules_cite_sources_that_exist() -> None:
    assert {rule.source for rule in rules().values()} <= set(sources())


def test_numbers_by_hand() -> None:
    # 1000 records/s, each 1010 B of payload and its framing; one partition in six; three replicas
    found = audited(scenario(acks="1"))
    rate = the(found, "acks_not_all").number
    assert 1000 * 1010 < rate < 1000 * 1030
    once = the(audited(scenario(replication_factor=1)), "replication_factor_1").number
    assert once == pytest.approx(rate * 86400, rel=0.02)
    grown = the(audited(scenario(retention={"time": "forever"})), "retention_unlimited").number
    assert grown == pytest.approx(3 * rate * 86400, rel=1e-6)
    kept = the(audited(scenario(retention={"time": "forever", "bytes_per_partition": "1GB"})), "retention_bytes_only")
    assert kept.number == pytest.approx(1e9 / (rate / 6), rel=1e-6)
    slow = the(
        audited(scenario(retention={"time": "1h", "bytes_per_partition": "1GB"}, segment={})), "segment_granularity"
    )
    assert slow.number == pytest.approx(2**30 / (rate / 6), rel=1e-6)


def test_a_time_limit_alone_is_told_with_the_hours_until_full() -> None:
    given = scenario(retention={"time": "1d"}, records_per_s=400_000)
    found = the(audited(given), "retention_time_only")
    full = planner.retention(given).fills[0].full_s
    assert full is not None
    assert found.number == full


def test_threads_follow_the_load() -> None:
    busy = scenario(records_per_s=3_000_000, batch={"records": 200}, partitions=60, retention={"time": "10min"})
    found = audited(busy)
    assert the(found, "network_threads").number > 3
    assert the(found, "io_threads").number > 8
    wide = {**GOOD_BROKER, "num.network.threads": 100, "num.io.threads": 100}
    codes = {row.code for row in audited(busy, broker=wide).findings}
    assert not codes & {"network_threads", "io_threads"}


def test_fetchers_are_bound_by_a_round_trip() -> None:
    slow = {**GOOD_BROKER, "replica.fetch.response.max.bytes": 100}
    found = the(audited(broker=slow), "replica_fetchers")
    # each of three brokers fetches from two others what they lead: 1000 records of 1 kB, twice, over 3 * 2 pairs;
    # 340 kB/s against 100 bytes every 2 ms, which is 50 kB/s
    assert found.number == 7


def test_handles_low_warns_before_the_limit() -> None:
    tight = scenario(
        {"limits": {"nofile": 1_000_000, "max_map_count": 262_144}}, partitions=60, segment={"bytes": "1MiB"}
    )
    codes = {row.code for row in audited(tight).findings}
    assert codes & {"handles_low", "handles"}


def test_tombstones() -> None:
    compacted: dict[str, Any] = {
        "cleanup": "compact",
        "keys": {"unique": 1e9},
        "retention": {},
        "partitions": 1,
        "compaction": {"delete_retention": "1min"},
    }
    found = audited(scenario(**compacted))
    # a billion keys of a kilobyte at 100 MB/s or less take hours, a tombstone is kept for a minute
    assert the(found, "tombstones_early").number > 3600
    assert the(found, "tombstones_none").number == 1e9
    calm = {**compacted, "keys": {"unique": 1000}, "compaction": {"delete_retention": "1d", "tombstone_fraction": 0.1}}
    codes = {row.code for row in audited(scenario(**calm)).findings}
    assert not codes & {"tombstones_early", "tombstones_none"}


def test_topics_of_one_rule_come_in_one_finding() -> None:
    names = [f"t{number}" for number in range(8)]
    many = Scenario.model_validate(
        {"topics": [topic(name=name, acks="1") for name in names], "cluster": {"brokers": 3}}
    )
    row = the(audited(many), "acks_not_all")
    assert set(row.subjects) == set(names)
    assert "and 2 more" in row.why


def test_files_go_before_the_scenario_and_the_scenario_before_defaults() -> None:
    evidence = gather(broker={"log.retention.hours": 2}, topics={"u": {"retention.ms": 5}})
    assert evidence.of_topic("u", "retention.ms", "7").value == "5"
    assert evidence.of_topic("t", "retention.ms", "7").value == "7"
    assert evidence.of_topic("t", "retention.ms").value == str(2 * 3_600_000)
    assert evidence.of_topic("t", "segment.bytes").value == str(2**30)


def test_the_defaults_are_those_of_kafka() -> None:
    assert defaults()["consumer"]["max.poll.interval.ms"]["default"] == "300000"
    assert defaults()["producer"]["enable.idempotence"]["default"] == "true"
    assert defaults()["broker"]["auto.create.topics.enable"]["default"] == "true"


# A dump of a cluster


def test_a_dump_of_a_real_cluster_is_read() -> None:
    evidence = gather(dump=DATA / "admin_dump.json")
    assert evidence.replicas["retb"] == 3
    assert evidence.of_topic("retb", "min.insync.replicas", "2").value == "1"
    assert evidence.of_broker("offsets.topic.replication.factor").given


def test_a_dump_is_audited_against_the_plan() -> None:
    found = planner.audit(scenario(name="retb"), dump=DATA / "admin_dump.json")
    row = next(row for row in found.findings if row.code == "differs_from_plan" and "min.insync" in row.why)
    assert row.number == 1
    assert row.subjects == ("retb",)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"describe_configs": []},
        {"describe_configs": {"group": {}}},
        {"describe_configs": {"topic": {"t": []}}},
        {"describe_configs": {"topic": {"t": {"retention.ms": 7}}}},
        {"describe_configs": {"topic": {"t": {"retention.ms": {"value": "x"}}}}},
        {"describe_topics": [{"name": "t"}]},
        {"describe_topics": 3},
    ],
)
def test_a_dump_in_another_form_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(ScenarioError):
        gather(dump=body)


def test_sensitive_values_of_a_dump_are_left_out() -> None:
    entry = {"value": "hunter2", "is_sensitive": True, "config_source": "STATIC_BROKER_CONFIG"}
    secret = {"value": "hunter2", "is_sensitive": False, "config_source": "STATIC_BROKER_CONFIG"}
    body = {
        "describe_configs": {
            "broker": {"1": {"some.plugin": entry, "ssl.key.password": secret, "num.io.threads": {"value": "8"}}}
        }
    }
    assert "hunter2" not in str(gather(dump=body))


def test_a_broken_dump_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "dump.json"
    for text in ("{", "[1]", "[" * 100_000):
        file.write_text(text, encoding="utf-8")
        with pytest.raises(ScenarioError):
            gather(dump=file)


# Schemas


def avro(*fields: dict[str, Any]) -> dict[str, Any]:
    return {"type": "record", "name": "Order", "fields": list(fields)}


ID, NOTE = {"name": "id", "type": "long"}, {"name": "note", "type": "string"}
SCHEMAS: list[tuple[Any, Any, set[str]]] = [
    (avro(ID), avro(ID, {**NOTE, "default": ""}), set()),
    (avro(ID), avro(ID, NOTE), {"schema_field_added"}),
    (avro(ID, NOTE), avro(ID), {"schema_field_removed"}),
    (avro(ID, {**NOTE, "default": ""}), avro(ID), set()),
    (avro({"name": "id", "type": "int"}), avro(ID), {"schema_incompatible"}),  # old readers cannot read a long
    (avro(ID), avro({"name": "id", "type": "string"}), {"schema_incompatible"}),
    (avro(ID), avro(ID), set()),
    ("string", "bytes", set()),
    ({"properties": {"a": {}}, "required": ["a"]}, {"properties": {"a": {}}, "required": ["a"]}, set()),
    ({"properties": {}}, {"properties": {"a": {"type": "string"}}}, set()),
    ({"properties": {}}, {"properties": {"a": {"type": "string"}}, "required": ["a"]}, {"schema_field_added"}),
    ({"properties": {}}, {"properties": {"a": {"default": ""}}, "required": ["a"]}, set()),
    ({"properties": {"a": {}}}, {"properties": {"a": {}}, "required": ["a"]}, {"schema_field_added"}),
    ({"properties": {"a": {}}, "required": ["a"]}, {"properties": {}}, {"schema_field_removed"}),
    ({"properties": {}, "additionalProperties": False}, {"properties": {"a": {}}}, {"schema_incompatible"}),
    ({"properties": {"a": {}}}, {"properties": {}, "additionalProperties": False}, {"schema_incompatible"}),
    ({"properties": {"a": {"type": "string"}}}, {"properties": {"a": {"type": "integer"}}}, {"schema_incompatible"}),
    (
        {"properties": {"a": {"type": "integer"}}},
        {"properties": {"a": {"type": ["integer", "null"]}}},
        {"schema_incompatible"},
    ),
    (
        {"properties": {"o": {"properties": {"x": {}}, "required": ["x"]}}},
        {"properties": {"o": {"properties": {}}}},
        {"schema_field_removed"},
    ),
]


@pytest.mark.parametrize(("old", "new", "codes"), SCHEMAS)
def test_what_breaks_between_two_schemas(old: Any, new: Any, codes: set[str]) -> None:
    found = breaks(old, new)
    assert {one.code for one in found} == codes
    assert all(one.field for one in found)


def test_a_schema_break_is_a_critical_finding_with_the_records_at_stake() -> None:
    found = audited(schemas=(avro(ID), avro(ID, NOTE)))
    row = the(found, "schema_field_added")
    assert row.number == pytest.approx(1000 * 86400)
    assert "note" in row.why
    assert not found.passed
    assert the(audited(schemas=(avro(ID, NOTE), avro(ID))), "schema_field_removed").number == 1


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (avro(ID), {"properties": {}}),
        (avro(ID), {"type": "record", "name": "x"}),
        ({"type": "record"}, {"type": "record"}),
        ([1], [2]),
        (3, 4),
        (None, None),
    ],
)
def test_what_is_no_schema_is_refused(old: Any, new: Any) -> None:
    with pytest.raises(ScenarioError):
        breaks(old, new)


def test_a_compatibility_level_is_a_known_one() -> None:
    with pytest.raises(ScenarioError, match="no such compatibility level"):
        audited(compatibility="nun")


def test_a_schema_file_is_read_with_caps(tmp_path: Path) -> None:
    good, bad = tmp_path / "a.avsc", tmp_path / "b.avsc"
    good.write_text(json.dumps(avro(ID)), encoding="utf-8")
    for text in ("{", '{"a":' * 100 + "1" + "}" * 100, "[" * 100_000):
        bad.write_text(text, encoding="utf-8")
        with pytest.raises(ScenarioError):
            audited(schemas=(good, bad))
    assert audited(schemas=(good, good)).passed


# The command


def test_the_command_is_a_gate(tmp_path: Path) -> None:
    run = CliRunner()
    file = tmp_path / "server.properties"
    file.write_text("unclean.leader.election.enable=true\n", encoding="utf-8")
    done = run.invoke(cli, ["audit", "preset:fintech", "--broker-properties", str(file)])
    assert done.exit_code == 1
    assert done.output.startswith("The audit fails: ")
    passed = run.invoke(cli, ["audit", "preset:fintech", "--format", "json"])
    assert passed.exit_code == 0
    body = json.loads(passed.output)
    assert {"code", "severity", "what", "why", "number", "fix", "source", "where"} <= set(body["findings"][0])
    table = run.invoke(cli, ["audit", "preset:fintech", "--format", "csv"])
    assert table.output.startswith("code,severity,what,why")


def test_the_command_takes_named_files(tmp_path: Path) -> None:
    run = CliRunner()
    file = tmp_path / "c.properties"
    file.write_text("max.poll.records=100000\n", encoding="utf-8")
    named = run.invoke(
        cli, ["audit", "preset:ecommerce", "--consumer-properties", f"billing={file}", "--format", "json"]
    )
    rows = [row for row in json.loads(named.output)["findings"] if row["code"] == "poll_interval"]
    assert rows
    assert "billing" in rows[0]["where"]
    twice = ["--consumer-properties", str(file), "--consumer-properties", str(file)]
    assert run.invoke(cli, ["audit", "preset:ecommerce", *twice]).exit_code == 2
    assert run.invoke(cli, ["audit", "preset:ecommerce", "--old-schema", str(file)]).exit_code == 2
    assert run.invoke(cli, ["audit", "preset:ecommerce", "--admin-dump", str(file)]).exit_code == 2


@pytest.mark.parametrize("preset", [preset.name for preset in planner.presets()])
def test_every_preset_is_audited(preset: str) -> None:
    found = planner.audit(planner.load(f"preset:{preset}"))
    json.dumps(found.to_dict(), allow_nan=False)
    assert len(found.to_frame()) == len(found.findings)
    order = [("critical", "warning", "info").index(row.severity) for row in found.findings]
    assert order == sorted(order)
