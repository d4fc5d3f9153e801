"""From recorded answers of a cluster to a scenario: no broker is needed, so that every CI covers it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import planner
from planner.sources.answers import Answers, Reading, facts_of
from planner.sources.conversion import Imported, imported
from planner.sources.facts import BrokerFacts, Facts, Gap, GroupFacts, LogDir, Sample, TopicFacts, joined

DATA = Path(__file__).parent / "data"


def _key(text: str) -> tuple[str, int]:
    name, _, number = text.rpartition("-")
    return name, int(number)


@pytest.fixture
def recorded() -> Answers:
    """A real cluster's answers, once."""
    body = json.loads((DATA / "kafka_live_answers.json").read_text())
    reading = Reading(
        latest={_key(key): (offset, 100.0) for key, offset in body["latest"].items()},
        earliest={_key(key): offset for key, offset in body["earliest"].items()},
        sizes={
            (topic["name"], part["partition_index"], int(broker)): (part["partition_size"], 100.0)
            for broker, parts in body["log_dirs"].items()
            for row in parts
            for topic in row["topics"]
            for part in topic["partitions"]
        },
        committed={
            group: {_key(key): offset for key, offset in rows.items()} for group, rows in body["committed"].items()
        },
        committed_at=100.0,
    )
    return Answers(
        cluster=body["cluster"],
        version=(4, 3),
        quorum=body["quorum"],
        topics=body["topics"],
        topic_configs=body["topic_configs"],
        broker_configs={int(key): row for key, row in body["broker_configs"].items()},
        log_dirs={int(key): rows for key, rows in body["log_dirs"].items()},
        groups={row["group_id"]: {**row, "described": body["described"][row["group_id"]]} for row in body["groups"]},
        readings=[reading],
    )


def _later(answers: Answers, seconds: float, records: dict[tuple[str, int], int], record_bytes: float) -> None:
    """Add a second reading, so much later and with so many records more in each replica."""
    first = answers.readings[0]
    answers.readings.append(
        Reading(
            latest={key: (value + records.get(key, 0), at + seconds) for key, (value, at) in first.latest.items()},
            earliest=dict(first.earliest),
            sizes={
                key: (size + records.get(key[:2], 0) * record_bytes, at + seconds)
                for key, (size, at) in first.sizes.items()
            },
            committed={
                group: {key: offset + 50 for key, offset in rows.items()} for group, rows in first.committed.items()
            },
            committed_at=100.0 + seconds,
        )
    )


def test_recorded_answers_give_topics_as_they_were_made(recorded: Answers) -> None:
    found = imported(facts_of(recorded))
    assert found.scenario is not None
    topics = {topic.name: topic for topic in found.scenario.topics}
    assert set(topics) == {"retb", "tx3", "cmp", "segbig"}
    assert (topics["tx3"].partitions, topics["tx3"].replication_factor) == (3, 3)
    assert topics["cmp"].replication_factor == 1
    retb = topics["retb"]
    # what was set on the topic; 4 MiB, 7 days and so on are what the brokers answered for the rest
    assert (retb.segment.bytes, retb.retention.bytes_per_partition) == (2**20, 5 * 2**20)
    assert retb.min_insync_replicas == 1
    assert found.scenario.cluster.kafka_version == "4.3"
    assert found.scenario.cluster.broker_count == 3
    assert not found.scenario.cluster.tls  # the planner's default, but not what these brokers speak
    placed = found.scenario.cluster.brokers_placed
    assert placed is not None
    assert placed.topics["tx3"] == ((1, 2, 3), (2, 3, 1), (3, 1, 2))


def test_overrides_quorum_and_volumes_are_told_apart(recorded: Answers) -> None:
    found = imported(facts_of(recorded))
    rows = {row.topic: row for row in found.measured.topics}
    assert rows["retb"].overrides == ("file.delete.delay.ms", "retention.bytes", "segment.bytes")
    assert found.measured.controllers == (1, 2, 3)
    assert {row.capacity_bytes for row in found.measured.brokers} == {270_553_174_016}
    spec = found.scenario.cluster.broker if found.scenario else None
    assert not isinstance(spec, str)
    assert spec is not None
    assert spec.storage.capacity == pytest.approx(270_553_174_016, rel=1e-5)


def test_bytes_per_record_are_those_of_full_batches(recorded: Answers) -> None:
    # 1000-byte values without key, 16 to a batch of 16 kB: a header of 61 bytes and 16 records of 1009 bytes
    row = next(row for row in imported(facts_of(recorded)).measured.topics if row.topic == "segbig")
    assert row.wire_bytes_per_record == pytest.approx((61 + 16 * 1009) / 16, rel=1e-4)
    assert row.log_bytes_all == 3 * 303_845_563


def test_without_a_second_reading_rates_are_gaps_and_not_guesses(recorded: Answers) -> None:
    found = imported(facts_of(recorded))
    assert found.measured.window_s is None
    assert all(row.records_per_s is None for row in found.measured.topics)
    gap = next(gap for gap in found.gaps if gap.what.startswith("rate of"))
    assert gap == Gap("rate of cmp, retb, segbig, tx3", "no source tells it", "0 records/s")


def test_two_readings_give_rates_by_difference(recorded: Answers) -> None:
    _later(recorded, 60.0, {("segbig", 0): 6000, ("tx3", 0): 600, ("tx3", 1): 1200}, 1012.8)
    found = imported(facts_of(recorded))
    rows = {row.topic: row for row in found.measured.topics}
    assert found.measured.window_s == 60.0
    assert rows["segbig"].records_per_s == pytest.approx(100.0)
    assert rows["segbig"].wire_bytes_per_record == pytest.approx(1012.8)
    assert rows["segbig"].wire_bytes_per_s == pytest.approx(101_280.0)
    # two of tx3's three partitions have no offsets in the recording: they count as the third, and a gap says so
    assert rows["tx3"].records_per_s == pytest.approx(3 * 600 / 60)
    assert Gap("rate of some partitions of tx3", "they were not read twice", "the mean of the others") in found.gaps
    assert rows["cmp"].idle
    group = found.measured.groups[0]
    assert (group.group, group.members, group.state) == ("g1", 0, "Empty")
    assert group.lag == 24_000 - (18_756 + 50)
    assert group.records_per_s == pytest.approx(50 / 60)


def test_a_topic_made_anew_meanwhile_has_no_negative_rate(recorded: Answers) -> None:
    _later(recorded, 60.0, {("segbig", 0): -300_000}, 0.0)
    row = next(row for row in imported(facts_of(recorded)).measured.topics if row.topic == "segbig")
    assert row.records_per_s is None


def test_an_import_is_ready_to_plan_check_and_grow(recorded: Answers) -> None:
    _later(recorded, 60.0, {("segbig", 0): 6000}, 1012.8)
    found = imported(facts_of(recorded))
    again = planner.load(found.scenario_text)
    assert again == found.scenario
    assert planner.load(found.to_dict()["scenario"]) == found.scenario
    plan = planner.plan(again)
    # the model's bytes of a record are the measured ones but for the header's share, which was not read
    assert plan.topics["segbig"].wire_bytes_per_record == pytest.approx(1012.8, rel=0.07)
    assert planner.check_live(found).holds == planner.check(again).holds
    assert len(found.to_frame()) == 4
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["measured"]["sources"] == ["live"]


def test_a_compacted_topic_gets_keys_and_says_that_they_are_bounded_only(recorded: Answers) -> None:
    recorded.topic_configs["cmp"] = {"cleanup.policy": {"value": "compact", "config_source": "DYNAMIC_TOPIC_CONFIG"}}
    found = imported(facts_of(recorded))
    topic = next(topic for topic in found.scenario.topics if topic.name == "cmp") if found.scenario else None
    assert topic is not None
    assert topic.keys is not None
    assert topic.cleanup == "compact"
    assert {gap.what for gap in found.gaps} >= {"key size of cmp", "distinct keys of cmp"}


def test_no_topic_is_a_partial_result(recorded: Answers) -> None:
    recorded.topics = []
    found = imported(facts_of(recorded))
    assert found.scenario is None
    assert 'kafka_version: "4.3"' in found.scenario_text
    assert found.gaps[-1].what == "topics"
    assert found.gaps[-1].why.startswith("no topic was found")
    with pytest.raises(planner.ScenarioError):
        planner.check_live(found)


# Single rules


def _one(topic: TopicFacts, **more: Any) -> Imported:
    return imported(Facts(topics={"t": topic}, kafka_version="4.3", **more))


def _topic(found: Imported) -> Any:
    assert found.scenario is not None
    return found.scenario.topics[0]


# of each record: two bytes of length, attributes, two deltas, key, value, and headers each with its length before it
SECTION = 100 * (2 + 1 + 1 + 1 + (1 + 10) + (2 + 150) + 1 + (1 + 5 + 1 + 16)) + 10 * (1 + 4 + 1 + 5)
SAMPLE = Sample(
    batches=10,
    records=100,
    wire_bytes=10 * 61 + 5000,
    section_bytes=SECTION,
    compressed_bytes=5_000,
    key_bytes=1_000,
    keyed_records=100,
    value_bytes=15_000,
    headers={"trace": (100, 1600), "rare": (10, 50)},
    codecs={"lz4": 9, "none": 1},
)


def test_sampled_batches_give_record_codec_ratio_and_fill() -> None:
    topic = _topic(_one(TopicFacts(partitions=1, records_per_s=5.0, sample=SAMPLE)))
    assert topic.record.key_bytes == 10
    # a header that few records have counts as value: 10 records of "rare" and 50 bytes
    assert topic.record.value_bytes == pytest.approx(150 + (10 * 4 + 50) / 100)
    assert [(row.key, row.value_bytes) for row in topic.record.headers] == [("trace", 16)]
    assert (topic.compression.codec, topic.compression.ratio) == ("lz4", SECTION / 5000)
    assert topic.batch.records == 10


def test_the_planned_bytes_of_a_sampled_topic_are_the_measured_ones() -> None:
    found = _one(TopicFacts(partitions=1, replication_factor=1, records_per_s=5.0, sample=SAMPLE), rates=_rated(3))
    assert found.scenario is not None
    plan = planner.plan(found.scenario)
    # 61 bytes of header and 500 of records in each batch of 10
    assert plan.topics["t"].wire_bytes_per_record == pytest.approx(56.1, rel=0.002)


def _rated(brokers: int) -> Any:
    from planner.sources.facts import Rates

    return Rates(brokers=brokers)


@pytest.mark.parametrize(
    ("configs", "path", "value"),
    [
        ({"retention.ms": "-1"}, "retention.time", float("inf")),
        ({"retention.ms": "86400000"}, "retention.time", 86_400.0),
        ({"retention.bytes": "-1"}, "retention.bytes_per_partition", None),
        ({"cleanup.policy": "delete"}, "cleanup", "delete"),
        ({"segment.ms": "3600000"}, "segment.time", 3600.0),
        ({"segment.bytes": "1000"}, "segment.bytes", 2.0**20),
        ({"remote.storage.enable": "true", "local.retention.ms": "3600000"}, "tiered.local_time", 3600.0),
        ({"remote.storage.enable": "true", "local.retention.ms": "-2"}, "tiered.local_time", None),
        ({"min.insync.replicas": "2"}, "min_insync_replicas", 2),
        ({"retention.ms": "no number"}, "retention.time", 604_800.0),
    ],
)
def test_settings_in_the_words_of_a_scenario(configs: dict[str, str], path: str, value: object) -> None:
    found: Any = _topic(_one(TopicFacts(partitions=1, replication_factor=3, records_per_s=1.0, configs=configs)))
    for key in path.split("."):
        found = getattr(found, key)
    assert found == value


def test_min_isr_above_the_replicas_is_told() -> None:
    found = _one(
        TopicFacts(partitions=1, replication_factor=1, records_per_s=1.0, configs={"min.insync.replicas": "2"})
    )
    assert _topic(found).min_insync_replicas == 1
    assert any(gap.what == "min.insync.replicas of t" for gap in found.gaps)


def test_a_topic_that_no_scenario_accepts_is_left_out_and_told() -> None:
    good, bad = TopicFacts(partitions=1, records_per_s=1.0), TopicFacts(partitions=1, records_per_s=1e12)
    found = imported(Facts(topics={"good": good, "bad": bad}))
    assert found.scenario is not None
    assert [topic.name for topic in found.scenario.topics] == ["good"]
    assert any(gap.what == "topic bad" and gap.instead == "left out" for gap in found.gaps)


def test_names_that_differ_in_a_dot_only() -> None:
    one = TopicFacts(partitions=1, records_per_s=1.0)
    found = imported(Facts(topics={"a.b": one, "a_b": one}))
    assert found.scenario is not None
    assert [topic.name for topic in found.scenario.topics] == ["a.b"]
    assert any(gap.what == "topic a_b" for gap in found.gaps)


def test_partitions_with_unequal_replicas_are_not_placed() -> None:
    found = _one(TopicFacts(replicas=((1, 2), (1, 2, 3), (2, 3)), records_per_s=1.0))
    assert _topic(found).replication_factor == 2
    assert found.scenario is not None
    assert found.scenario.cluster.brokers_placed is None
    assert any(gap.what == "placement of t" for gap in found.gaps)


def test_racks_only_when_every_broker_has_one() -> None:
    topic = TopicFacts(replicas=((1, 2),), records_per_s=1.0)
    brokers = {1: BrokerFacts(rack="a"), 2: BrokerFacts()}
    found = _one(topic, brokers=brokers)
    assert found.scenario is not None
    assert found.scenario.cluster.zone_count == 1
    assert any(gap.what == "racks" for gap in found.gaps)
    found = _one(topic, brokers={**brokers, 2: BrokerFacts(rack="b")})
    assert found.scenario is not None
    assert found.scenario.cluster.zone_count == 2


def test_volumes_that_differ_count_as_the_least() -> None:
    dirs = {1: (LogDir("/a", 1e12, 0.0, 0.0),), 2: (LogDir("/a", 5e11, 0.0, 0.0), LogDir("/b", 5e11, 0.0, 0.0))}
    topic = TopicFacts(replicas=((1, 2),), records_per_s=1.0)
    found = _one(topic, brokers={key: BrokerFacts(log_dirs=row) for key, row in dirs.items()})
    spec: Any = found.scenario.cluster.broker if found.scenario else None
    assert (spec.storage.volumes, spec.storage.capacity) == (1, 5e11)
    assert any(gap.what == "volumes" for gap in found.gaps)


def test_groups_read_when_they_have_members_or_commit() -> None:
    groups = {
        "members": GroupFacts(protocol="cooperative", members=3, members_by_topic={"t": 2}, static_membership=True),
        "commits": GroupFacts(committed_per_s={"t": 5.0}),
        "asleep": GroupFacts(state="Empty", members=0, lag_by_topic={"t": 100.0}),
        "elsewhere": GroupFacts(members_by_topic={"u": 1}),
    }
    found = _one(TopicFacts(partitions=2, records_per_s=5.0), groups=groups)
    rows = {group.group: group for group in _topic(found).consumers}
    assert set(rows) == {"members", "commits"}
    assert (rows["members"].members, rows["members"].protocol, rows["members"].static_membership) == (
        2,
        "cooperative",
        True,
    )
    assert rows["commits"].members is None
    assert any(gap.what == "group asleep on t" for gap in found.gaps)


def test_new_groups_and_classic_ones_are_read_alike() -> None:
    answers = Answers(
        groups={
            "new": {
                "group_type": "consumer",
                "described": {
                    "group_state": "Stable",
                    "members": [
                        {"subscribed_topic_names": ["t"], "instance_id": None, "assignment": {"topic_partitions": []}},
                        {
                            "subscribed_topic_names": [],  # subscribed by a pattern
                            "instance_id": "one",
                            "assignment": {"topic_partitions": [{"topic_name": "t"}]},
                        },
                    ],
                },
            },
            "old": {
                "group_type": "classic",
                "described": {
                    "protocol_data": "cooperative-sticky",
                    "members": [{"member_metadata": {"topics": ["t", "u"]}, "group_instance_id": "x"}],
                },
            },
            "eager": {"described": {"protocol_data": "range", "members": [{"member_metadata": {"topics": ["t"]}}]}},
        }
    )
    groups = facts_of(answers).groups
    assert (groups["new"].protocol, groups["new"].members_by_topic) == ("consumer", {"t": 2})
    assert (groups["old"].protocol, groups["old"].static_membership) == ("cooperative", True)
    assert groups["old"].members_by_topic == {"t": 1, "u": 1}
    assert groups["eager"].protocol == "eager"


def test_a_zero_of_the_first_source_is_knowledge() -> None:
    both = joined(
        [Facts(topics={"t": TopicFacts(records_per_s=0.0)}), Facts(topics={"t": TopicFacts(records_per_s=9.0)})]
    )
    assert both.topics["t"].records_per_s == 0.0


def test_internal_topics_are_the_planners_own() -> None:
    one = TopicFacts(replicas=((1, 2, 3),), records_per_s=1.0)
    found = imported(Facts(topics={"__consumer_offsets": one, "t": one}))
    assert found.scenario is not None
    assert [topic.name for topic in found.scenario.topics] == ["t"]


def test_equal_gaps_of_many_topics_are_one_line() -> None:
    topics = {f"t{number}": TopicFacts(partitions=1) for number in range(9)}
    gaps = imported(Facts(topics=topics)).gaps
    assert sum(gap.what.startswith("rate of") for gap in gaps) == 1
    assert next(gap.what for gap in gaps if gap.what.startswith("rate of")) == ("rate of t0, t1, t2, t3, t4 and 4 more")


def test_import_loads_no_client() -> None:
    import subprocess
    import sys

    code = (
        "import planner, sys; planner.read_cluster; assert 'kafka' not in sys.modules and 'cramjam' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
