"""Files of other tools: samples in their genuine formats, and texts of any kind."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import planner
from planner import ScenarioError, read_sources
from planner.sources.capacity import capacity_of
from planner.sources.conversion import imported
from planner.sources.exposition import exported
from planner.sources.kafka_tools import replica_sizes_of
from planner.sources.topic_files import described_topics, sized_topics, strimzi_topics

DATA = Path(__file__).parent / "data"


def _text(name: str) -> str:
    return (DATA / name).read_text()


def test_kafka_topics_describe() -> None:
    # printed by kafka-topics of Apache Kafka 4.3.1
    facts = described_topics(_text("kafka_topics_describe.txt"))
    assert set(facts.topics) == {"logs", "orders"}
    orders = facts.topics["orders"]
    assert orders.replicas == ((3, 1, 2), (1, 2, 3), (2, 3, 1), (3, 1, 2), (1, 2, 3), (2, 3, 1))
    assert orders.configs == {"min.insync.replicas": "2", "retention.ms": "86400000"}
    assert facts.topics["logs"].replication_factor == 2


def test_kafka_topics_values_with_commas_and_the_form_of_old_versions() -> None:
    head = "Topic:t\tPartitionCount:1\tReplicationFactor:1\tConfigs:cleanup.policy=compact,delete,x=0:1,0:2,y=z\n"
    facts = described_topics(head + "\tTopic: t\tPartition: 0\tLeader: none\tReplicas: 5\tIsr: \n")
    assert facts.topics["t"].configs == {"cleanup.policy": "compact,delete", "x": "0:1,0:2", "y": "z"}
    assert facts.topics["t"].replicas == ((5,),)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("Topic: a/b\tPartitionCount: 1\tReplicationFactor: 1", "no topic name"),
        ("Topic: t\tPartitionCount: x\tReplicationFactor: 1", "A count"),
        ("Topic: t\tPartition: 100000\tReplicas: 1", "A partition"),
        ("Topic: t\tPartition: 0\tReplicas: 1,1", "distinct"),
        ("Topic: t\tPartition: 0\tReplicas: ", "distinct"),
        ("Topic: t\tPartition: 1\tReplicas: 1", "missing"),
        ("Topic: t\tPartition: 0\tReplicas: 1\nTopic: t\tPartition: 0\tReplicas: 1", "twice"),
        ("nothing of a topic", "no line of a topic"),
    ],
)
def test_kafka_topics_faults(line: str, message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        described_topics(line)


def test_strimzi_resources() -> None:
    facts = strimzi_topics(_text("strimzi_topics.yaml"))
    assert set(facts.topics) == {"orders", "customer.state"}  # topicName before metadata.name; no KafkaUser
    orders = facts.topics["orders"]
    assert (orders.partitions, orders.replication_factor) == (12, 3)
    assert orders.configs["retention.ms"] == "7200000"
    state = facts.topics["customer.state"].configs
    assert (state["min.cleanable.dirty.ratio"], state["unclean.leader.election.enable"]) == ("0.2", "false")


def test_strimzi_list_as_kubectl_prints_it() -> None:
    item = {"apiVersion": "kafka.strimzi.io/v1beta2", "kind": "KafkaTopic", "metadata": {"name": "t"}, "spec": {}}
    facts = strimzi_topics(json.dumps({"apiVersion": "v1", "kind": "List", "items": [item]}))
    assert facts.topics["t"].partitions is None  # the broker's default then


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kind: KafkaTopic\nmetadata: {name: t}\n", "metadata and spec"),
        ("kind: KafkaTopic\nmetadata: {name: a/b}\nspec: {}\n", "no topic name"),
        ("kind: KafkaTopic\nmetadata: {name: t}\nspec: {partitions: many}\n", "A count"),
        ("kind: KafkaTopic\nmetadata: {name: t}\nspec: {config: [1]}\n", "mapping"),
        ("kind: KafkaUser\nmetadata: {name: t}\n", "no KafkaTopic"),
        ("kind: KafkaTopic\nmetadata: {name: t}\nspec: {}\n" * 2, "twice"),
        ("a: &x 1\n", "Anchors"),
    ],
)
def test_strimzi_faults(text: str, message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        strimzi_topics(text)


def test_log_dirs_with_every_copy() -> None:
    sizes = replica_sizes_of(_text("kafka_log_dirs.txt"))
    assert sizes["tx3", 0] == {1: 4980.0, 2: 4980.0, 3: 4980.0}
    facts = sized_topics(sizes)
    assert facts.topics["tx3"].partitions == 3
    assert facts.topics["tx3"].replication_factor == 3
    assert set(facts.brokers) == {1, 2, 3}


def test_cruise_control_capacity() -> None:
    facts = capacity_of(_text("cruise_control_capacity.json"))
    assert facts.any_broker is not None
    assert facts.any_broker.vcpu == 8
    assert [part.capacity_bytes for part in facts.any_broker.log_dirs] == [500_000 * 2**20] * 2
    assert facts.any_broker.network_in_bytes_per_s == pytest.approx(1.25e9, rel=1e-5)  # 10 Gbit/s
    assert facts.brokers[3].vcpu is None  # a percentage says nothing


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nothing", "no JSON"),
        ("[]", "no list of brokers"),
        ('{"brokerCapacities": [1]}', "no broker id"),
        ('{"brokerCapacities": [{"brokerId": "one", "capacity": {}}]}', "no broker id"),
        ('{"brokerCapacities": [{"brokerId": "1", "capacity": 1}]}', "mapping"),
        ('{"brokerCapacities": [{"brokerId": "1", "capacity": {"DISK": "-5"}}]}', "no capacity"),
        ('{"brokerCapacities": [{"brokerId": "1", "capacity": {"CPU": {"num.cores": NaN}, "DISK": true}}]}', "no cap"),
        ('{"brokerCapacities": [{"brokerId": 1, "capacity": {}}, {"brokerId": "1", "capacity": {}}]}', "twice"),
    ],
)
def test_capacity_faults(text: str, message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        capacity_of(text)


def test_kafka_exporter() -> None:
    facts = exported(_text("kafka_exporter.txt"))
    orders = facts.topics["orders"]
    assert (orders.partitions, orders.replication_factor, orders.records) == (2, 3, 3000.0)
    group = facts.groups["billing"]
    assert (group.members, group.lag_by_topic, group.members_by_topic) == (2, {"orders": 30.0}, {"orders": 2})


def test_kminion() -> None:
    facts = exported(_text("kminion.txt"))
    orders = facts.topics["orders"]
    assert (orders.partitions, orders.replication_factor, orders.records) == (2, 2, 3000.0)
    # 1.2 MB in two copies of 3000 records
    assert orders.wire_bytes_per_record == 200.0
    assert {key: row.rack for key, row in facts.brokers.items()} == {1: "a", 2: "b"}
    assert facts.kafka_version == "3.9"
    assert (facts.groups["billing"].protocol, facts.groups["billing"].members) == ("cooperative", 2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no metric"),
        ("up 1\n", "no metric"),
        ("kafka_topic_partitions{topic=orders} 1\n", "no sample"),
        ('kafka_topic_partitions{topic="orders" 1\n', "no sample"),
        ('kafka_topic_partitions{topic="orders"} many\n', "no sample"),
        ('kafka_topic_partitions{topic="orders"} NaN\n', "no sample"),
    ],
)
def test_exposition_faults(text: str, message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        exported(text)


def test_labels_may_hold_anything() -> None:
    facts = exported('kafka_consumergroup_members{consumergroup="a}\\"b\\\\c,d"} 3 1700000000000\n')
    assert facts.groups['a}"b\\c,d'].members == 3


def test_several_files_make_one_scenario() -> None:
    found = read_sources(
        topics=_text("kafka_topics_describe.txt"),
        capacity=_text("cruise_control_capacity.json"),
        metrics=_text("kminion.txt"),
    )
    assert found.scenario is not None
    orders = next(topic for topic in found.scenario.topics if topic.name == "orders")
    assert orders.partitions == 6  # kafka-topics is named before the metrics
    assert orders.retention.time == 86_400
    assert [group.group for group in orders.consumers] == ["billing"]
    spec: Any = found.scenario.cluster.broker
    assert (spec.vcpu, spec.storage.volumes) == (8, 1)
    assert planner.plan(found.scenario).brokers.count == 3
    assert found.measured.sources == ("kafka-topics", "capacity.json", "metrics")


def test_nothing_to_read_is_refused() -> None:
    with pytest.raises(ScenarioError, match="nothing to read"):
        read_sources()


# Properties: a parser raises its own error and nothing else

PARSERS: list[Callable[[str], Any]] = [
    described_topics,
    strimzi_topics,
    capacity_of,
    exported,
    lambda text: sized_topics(replica_sizes_of(text)),
]
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "kind",
                    "metadata",
                    "spec",
                    "name",
                    "partitions",
                    "replicas",
                    "config",
                    "items",
                    "brokerCapacities",
                    "brokerId",
                    "capacity",
                    "DISK",
                    "CPU",
                    "num.cores",
                    "NW_IN",
                    "NW_OUT",
                    "brokers",
                    "broker",
                    "logDirs",
                    "size",
                ]
            )
            | st.text(max_size=6),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)
_WORDS = r"""Topic: t
Partition: 0
Partition: 99999999999
Replicas: 1,2
Replicas: ,
Configs: a=b,c
Leader: none
PartitionCount: 0
ReplicationFactor:
---
kind: KafkaTopic
spec: {
kafka_brokers 1
kafka_topic_partitions{topic="t"} 1e308
kminion_kafka_topic_info{
kminion_kafka_topic_info{topic_name="t",partition_count="²"} 1
kafka_consumergroup_lag -1
{"brokers": [{"broker": 1}]}"""
_LINES = st.lists(st.sampled_from(_WORDS.splitlines()) | st.text(max_size=20), max_size=6)


def _only_its_own(parse: Callable[[str], Any], text: str) -> None:
    try:
        facts = parse(text)
    except ScenarioError as error:
        assert error.errors  # noqa: PT017 - any other exception fails the test
    else:
        imported(facts)


@pytest.mark.parametrize("parse", PARSERS)
@given(lines=_LINES, joint=st.sampled_from(["\t", "\n", " "]))
@example(lines=["Topic: t", "Partition: 0", "Replicas: 1"], joint="\t")
def test_any_text_is_read_or_refused(parse: Callable[[str], Any], lines: list[str], joint: str) -> None:
    _only_its_own(parse, joint.join(lines))


@pytest.mark.parametrize("parse", PARSERS)
@given(body=_JSON)
def test_any_json_is_read_or_refused(parse: Callable[[str], Any], body: Any) -> None:
    _only_its_own(parse, json.dumps(body))
    _only_its_own(parse, json.dumps({"kind": "KafkaTopic", "metadata": {"name": "t"}, "spec": body}))
    _only_its_own(parse, json.dumps({"brokerCapacities": [{"brokerId": "1", "capacity": body}]}))


@pytest.mark.parametrize(
    "name", ["kafka_topics_describe.txt", "strimzi_topics.yaml", "kafka_exporter.txt", "kminion.txt"]
)
@given(data=st.data())
def test_a_damaged_sample_is_read_or_refused(name: str, data: st.DataObject) -> None:
    text = _text(name)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 60)))
    damaged = text[:start] + data.draw(st.text(max_size=10)) + text[end:]
    for parse in PARSERS:
        _only_its_own(parse, damaged)
