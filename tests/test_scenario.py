from __future__ import annotations

import copy
import json
import math
import pickle
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from planner.codec import from_mapping, load, schema
from planner.constants import constants, sources
from planner.contradictions import contradictions
from planner.fields import OneOf, Quantity, Whole, YesNo, labels_of, nearest
from planner.scenario import (
    Assignment,
    Batch,
    BrokerSpec,
    Cluster,
    ConsumerGroup,
    InputError,
    Questions,
    Ranged,
    Scenario,
    ScenarioError,
    Section,
    Storage,
    Topic,
    defaults_used,
    shape_of,
    shorten,
    text_defaults,
)

HOUR, DAY = 3600, 86400


def sections(kind: type[Section] = Scenario) -> Iterator[type[Section]]:
    yield kind
    for name in kind.model_fields:
        below = shape_of(kind, name).section
        if below is not None:
            yield from sections(below)


SECTIONS = list(dict.fromkeys(sections()))
QUANTITIES = [
    (kind, name, quantity)
    for kind in SECTIONS
    for name in kind.model_fields
    if (quantity := shape_of(kind, name).quantity)
]
EACH_QUANTITY = [pytest.param(*row, id=f"{row[0].__name__}.{row[1]}") for row in QUANTITIES]
WHOLES = [
    pytest.param(kind, name, reader, id=f"{kind.__name__}.{name}")
    for kind in SECTIONS
    for name, info in kind.model_fields.items()
    for reader in info.metadata
    if isinstance(reader, Whole)
]
NEEDED: dict[str, dict[str, Any]] = {
    "header": {"key": "h"},
    "topic": {"name": "t"},
    "consumer": {"group": "g"},
    "storage": {"capacity": 1e12},
    "broker": {"vcpu": 8, "memory": 2**34, "storage": {"capacity": 1e12}},
    "mirror": {"to": "eu"},
    "calibration": {
        "wire_in_bytes_per_s": 1e8,
        "wire_out_bytes_per_s": 1e8,
        "requests_per_s": 1e4,
        "cpu_fraction": 0.3,
        "brokers": 3,
    },
    "": {"questions": {"replay": False}},
    "assignment": {"topics": {"t": [[1]]}},
}


def build(kind: type[Section], name: str, value: Any) -> Any:
    return getattr(kind.model_validate(NEEDED.get(kind.section, {}) | {name: value}), name)


def refusal(kind: type[Section], name: str, value: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        build(kind, name, value)
    (error,) = caught.value.errors()
    assert error["loc"] == (name,)
    return str(error["msg"])


def test_every_section_of_the_contract_is_reached() -> None:
    assert {kind.__name__ for kind in SECTIONS} >= {
        "Topic", "Record", "Header", "Compression", "Batch", "Retention", "Segment", "Tiered", "Compaction",
        "PartitionThroughput", "Keys", "ConsumerGroup", "Cluster", "BrokerSpec", "Storage", "Mirror", "Calibration",
        "Limits", "Policy", "Utilisation", "Survive", "Operations", "Questions",
    }  # fmt: skip
    assert len(QUANTITIES) > 70


@pytest.mark.parametrize(("kind", "name", "quantity"), EACH_QUANTITY)
def test_a_quantity_holds_its_bounds(kind: type[Section], name: str, quantity: Quantity) -> None:
    assert 0 <= quantity.minimum < quantity.maximum < math.inf
    for value in (quantity.minimum, quantity.maximum, int(quantity.maximum)):
        assert build(kind, name, value) == value
    above = [quantity.maximum * 1.001, 10**400, 1e308]
    for value in [*above, -quantity.maximum, -1e-9, quantity.minimum * 0.999 - 1e-12]:
        assert "Must be between" in refusal(kind, name, value)
    for wrong in (math.nan, -math.inf, True, [1], {"low": 1}, b"1", 1j, "", " ", "x", "1 parsec"):
        assert refusal(kind, name, wrong)
    endless = quantity.dimension == "s_or_forever"
    assert (build(kind, name, math.inf) == math.inf) if endless else refusal(kind, name, math.inf)


@pytest.mark.parametrize(("kind", "name", "quantity"), EACH_QUANTITY)
def test_any_quantity_may_be_a_range(kind: type[Section], name: str, quantity: Quantity) -> None:
    low, high = quantity.minimum, quantity.maximum
    likely = low + (high - low) / 4
    kept = build(kind, name, {"low": low, "likely": likely, "high": high})
    assert isinstance(kept, Ranged)
    assert (kept.low, float(kept), kept.high) == (low, likely, high)
    assert "low <= likely <= high" in refusal(kind, name, {"low": likely, "likely": low, "high": high})
    assert "Must be between" in refusal(kind, name, {"low": low, "likely": likely, "high": high * 1.01})


@pytest.mark.parametrize(("kind", "name", "whole"), WHOLES)
def test_structure_is_whole_and_takes_no_range(kind: type[Section], name: str, whole: Whole) -> None:
    assert build(kind, name, whole.maximum) == whole.maximum
    assert type(build(kind, name, float(whole.minimum))) is int
    for value in (whole.maximum + 1, whole.minimum - 1, 10**400, -1):
        assert "Must be" in refusal(kind, name, value)
    for wrong in (1.5, True, "3", math.nan, math.inf, [3]):
        assert refusal(kind, name, wrong) == "A whole number is expected here."
    assert "not a range" in refusal(kind, name, {"low": 1, "likely": 1, "high": 1})
    assert "not a range" in refusal(kind, name, Ranged(1, 1, 1))


# Expected by arithmetic on the words, in other terms than the parser's.
@pytest.mark.parametrize(
    ("kind", "name", "given", "expected"),
    [
        (Topic, "records_per_s", "12k/s", 12_000),
        (Topic, "records_per_s", "86.4M/day", 1_000),
        (Topic, "bytes_per_s", "80 Mbit/s", 10_000_000),
        (Topic, "peak_duration", "4h", 14_400),
        (Batch, "size", "16KiB", 16_384),
        (Batch, "linger", "5ms", 0.005),
        (Storage, "capacity", "4TB", 4e12),
        (BrokerSpec, "memory", "64GiB", 68_719_476_736),
        (BrokerSpec, "network_in", "10Gbit/s", 1_250_000_000),
    ],
)
def test_text_with_a_unit_becomes_base_units(kind: type[Section], name: str, given: str, expected: float) -> None:
    assert build(kind, name, given) == expected


def test_a_range_is_its_likely_value() -> None:
    span = Ranged(1, 2.5, 4)
    assert span * 2 == 5
    assert isinstance(span + 0, float)
    assert not isinstance(span + 0, Ranged)
    assert np.asarray([span, 1.0]).dtype == np.float64
    assert json.dumps([span]) == "[2.5]"
    for twin in (copy.copy(span), copy.deepcopy(span), pickle.loads(pickle.dumps(span))):  # noqa: S301 - our own bytes
        assert (twin.low, float(twin), twin.high) == (1.0, 2.5, 4.0)
        assert twin == span
        assert hash(twin) == hash(span)
    assert span == 2.5
    assert span != Ranged(1, 2.5, 5)
    assert span != "2.5"
    assert repr(span) == "Ranged(1.0, 2.5, 4.0)"


@pytest.mark.parametrize("word", ["true", "Yes", "ON", " yes ", True])
def test_yes_words(word: Any) -> None:
    assert build(Cluster, "tls", word) is True


@pytest.mark.parametrize("word", ["false", "No", "OFF", False])
def test_no_words(word: Any) -> None:
    assert build(Cluster, "tls", word) is False


@pytest.mark.parametrize("word", [1, 0, 1.0, "y", "", "maybe", None.__class__, []])
def test_nothing_else_is_a_boolean(word: Any) -> None:
    assert refusal(Cluster, "tls", word) == "Must be yes or no."


@pytest.mark.parametrize(
    ("given", "kept"), [("all", "all"), ("ALL", "all"), (-1, "all"), ("-1", "all"), (1, "1"), ("1", "1"), (0, "0")]
)
def test_acks(given: Any, kept: str) -> None:
    assert build(Topic, "acks", given) == kept


@pytest.mark.parametrize("given", [2, True, False, 1.0, "one", ["all"], 10**400])
def test_other_acks_are_refused(given: Any) -> None:
    assert refusal(Topic, "acks", given)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("delete", "delete"),
        ("compact, delete", "compact,delete"),
        ("delete,compact", "compact,delete"),
        (["compact"], "compact"),
        (["delete", "compact"], "compact,delete"),
    ],
)
def test_cleanup(given: Any, kept: str) -> None:
    assert build(Topic, "cleanup", given) == kept


@pytest.mark.parametrize("given", ["", "keep", [], ["delete", "compact", "delete"], {}, 1, ["compact", 1]])
def test_other_cleanup_is_refused(given: Any) -> None:
    assert refusal(Topic, "cleanup", given)


@pytest.mark.parametrize("name", ["a", "orders.v1", "__consumer_offsets", "A-Z_0.9", "x" * 249, "..."])
def test_kafka_accepts_these_topic_names(name: str) -> None:
    assert Topic(name=name).name == name


@pytest.mark.parametrize("name", ["", " ", ".", "..", "a b", "a/b", "ä", "x" * 250, "a\nb", "a\n", "a\x00", "a:b"])
def test_kafka_refuses_these_topic_names(name: str) -> None:
    if name == "a\n":  # surrounding blanks go, as they do in YAML
        assert Topic(name=name).name == "a"
        return
    with pytest.raises(ValidationError):
        Topic(name=name)


@pytest.mark.parametrize("name", ["", "  ", "\x1b[31mred", "a\u202eb", "x" * 250, 5, None.__class__, "\ud800"])
def test_free_names_are_printable(name: Any) -> None:
    with pytest.raises(ValidationError):
        Scenario(name=name)


def test_free_names_are_any_language() -> None:
    assert Scenario.model_validate({"name": "Zahlungen für Köln 支付", "questions": {"replay": "no"}}).name.endswith(
        "支付"
    )


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        (Topic, "labels", ["a"]),
        (Topic, "labels", {"a": True}),
        (Topic, "labels", {"a": ["b"]}),
        (Topic, "labels", {"a": math.nan}),
        (Topic, "labels", {"": "b"}),
        (Topic, "labels", {5: "b"}),
        (Topic, "labels", {"a": "\x1b"}),
        (Topic, "labels", {str(index): "x" for index in range(101)}),
        (ConsumerGroup, "zones", ["a"]),
        (ConsumerGroup, "zones", {}),
        (ConsumerGroup, "zones", {"a": -1}),
        (ConsumerGroup, "zones", {"a": 1.5}),
        (ConsumerGroup, "zones", {True: 1}),
        (Assignment, "racks", ["a"]),
        (Assignment, "racks", {"x": "a"}),
        (Assignment, "racks", {1: ""}),
        (Assignment, "racks", {1: None}),
        (Assignment, "topics", [[1]]),
        (Assignment, "topics", {"t": []}),
        (Assignment, "topics", {"t": [1]}),
        (Assignment, "topics", {"t": [[]]}),
        (Assignment, "topics", {"t": [[True]]}),
        (Assignment, "topics", {"t": [[-1]]}),
        (Assignment, "topics", {"t": [["1"]]}),
        (Assignment, "topics", {"a b": [[1]]}),
        (Questions, "work", ["queue", "qeue"]),
        (Questions, "existing", [""]),
        (Questions, "existing", [["kafka"]]),
        (Questions, "existing", ["x"] * 1001),
    ],
)
def test_free_mappings_and_lists_are_checked(kind: type[Section], name: str, value: Any) -> None:
    assert refusal(kind, name, value).endswith(".")


def test_everything_is_frozen_and_unknown_keys_are_refused() -> None:
    for kind in SECTIONS:
        assert kind.model_config["frozen"]
        assert kind.model_config["extra"] == "forbid"
        with pytest.raises(ValidationError, match="not permitted"):
            kind.model_validate(NEEDED.get(kind.section, {}) | {"no_such_key": 1})
    with pytest.raises(ValidationError, match="frozen"):
        Topic(name="a").name = "b"  # type: ignore[misc]


def test_every_quantity_and_word_says_what_it_is() -> None:
    for kind in SECTIONS:
        for name, info in kind.model_fields.items():
            for reader in info.metadata:
                if isinstance(reader, Quantity | Whole | YesNo | OneOf):
                    assert reader.text.endswith((".", "is read.")), (kind, name)


# Defaults


def test_every_default_is_listed_with_its_source_and_every_listed_default_is_used() -> None:
    listed = {name for name in constants() if name.startswith("default.")} | set(text_defaults())
    keys = {f"default.{kind.section}.{name}" for kind in SECTIONS for name in kind.model_fields}
    assert listed <= keys
    for kind in SECTIONS:
        for name, info in kind.model_fields.items():
            below = shape_of(kind, name).section
            plain = not info.is_required() and info.default not in (None, (), {}) and below is None
            if plain and kind.section:
                assert f"default.{kind.section}.{name}" in listed, (kind, name)
    for text in text_defaults().values():
        assert text.source in sources()


def test_numeric_defaults_are_those_of_the_constants() -> None:
    for kind in SECTIONS:
        for name, info in kind.model_fields.items():
            row = constants().get(f"default.{kind.section}.{name}")
            if row is not None:
                assert info.default == row.value, (kind, name)


def test_defaults_are_those_of_kafka_and_of_the_contract() -> None:
    """Kafka 4.3: segment and retention 7 d, 1 GiB, linger 5 ms, batch 16 KiB, 500 records, 5 min, 45 s."""
    topic = Topic(name="t", consumers=[{"group": "g"}])  # type: ignore[arg-type]
    assert (topic.retention.time, topic.retention.bytes_per_partition) == (7 * DAY, None)
    assert (topic.segment.bytes, topic.segment.time) == (1024**3, 7 * DAY)
    assert (topic.batch.linger, topic.batch.size, topic.batch.records) == (0.005, 16 * 1024, None)
    assert (topic.acks, topic.cleanup, topic.compression.codec, topic.compression_ratio) == ("all", "delete", "none", 1)
    assert (topic.peak_ratio, topic.producers, topic.replication_factor) == (1, 10, 3)
    group = topic.consumers[0]
    assert (group.max_poll_records, group.max_poll_interval, group.session_timeout) == (500, 300, 45)
    assert (group.read_fraction, group.lagging_fraction, group.protocol) == (1, 0, "consumer")
    scenario = Scenario(topics=(Topic(name="t", records_per_s=1),))
    cluster, policy, operations = scenario.cluster, scenario.policy, scenario.operations
    assert (cluster.zones, cluster.brokers, cluster.broker, cluster.tls) == (3, None, "reference-nvme", True)
    assert (cluster.limits.nofile, cluster.limits.max_map_count) == (100_000, 262_144)
    assert list(policy.utilisation.model_dump().values()) == [0.6, 0.9, 0.7, 0.8, 0.8, 0.8, 0.8]
    assert list(policy.utilisation_degraded.model_dump().values()) == [0.8, 1.0, 0.85, 0.95, 0.95, 0.95, 1.0]
    assert (policy.survive.brokers, policy.survive.zones, policy.survive.after_loss) == (1, 0, "replace")
    assert (policy.replicas_per_broker_max, policy.partition_headroom, policy.page_cache) == (4000, 1.5, 30)
    assert (policy.multiple_of_zones, policy.placement, policy.horizon) == (True, "simulated", 0)
    assert (operations.deploys_per_day, operations.crashes_per_member_per_day) == (1, 0.01)
    assert (operations.restart_time, operations.broker_mtbf, operations.broker_mttr) == (60, 365 * DAY, HOUR)
    assert (operations.zone_mtbf, operations.zone_mttr) == (5 * 365 * DAY, 4 * HOUR)


def test_partly_given_utilisation_keeps_the_other_defaults() -> None:
    policy = load("topics: [{name: t, records_per_s: 1}]\npolicy: {utilisation_degraded: {cpu: 90%}}\n").policy
    assert policy.utilisation_degraded.cpu == 0.9
    assert policy.utilisation_degraded.disk_volume == 0.85
    assert policy.utilisation.cpu == 0.6


@pytest.mark.parametrize(("factor", "given", "kept"), [(3, None, 2), (2, None, 1), (1, None, 1), (3, 1, 1), (4, 4, 4)])
def test_min_insync_replicas(factor: int, given: int | None, kept: int) -> None:
    topic = Topic(name="t", replication_factor=factor, min_insync_replicas=given)
    assert topic.effective_min_insync_replicas == kept


def test_null_means_not_given() -> None:
    nothing = {name: None for name in Topic.model_fields if name != "name"}
    assert Topic.model_validate(nothing | {"name": "t"}) == Topic(name="t")
    assert Topic.model_validate(nothing | {"name": "t"}).model_fields_set == {"name"}
    with pytest.raises(ValidationError, match="required"):
        Topic.model_validate({"name": None})


def test_unknown_answers_are_not_given() -> None:
    questions = {"replay": "unknown", "work": "Unknown", "events_per_s": "unknown", "cloud": "aws"}
    found = from_mapping({"questions": questions}).questions
    assert found.model_fields_set == {"cloud"}
    assert (found.replay, found.work, found.events_per_s) == (None, None, None)


def test_answers_that_are_one_or_a_list() -> None:
    found = from_mapping({"questions": {"work": "queue", "routing": ["filter", "push", "filter"], "existing": "MSK"}})
    assert found.questions.work == ("queue",)
    assert found.questions.routing == ("filter", "push")
    assert found.questions.existing == ("msk",)
    assert from_mapping({"questions": {"multi_region": True, "exactly_once": False}}).questions.multi_region == "yes"


def rows_of(text: str) -> dict[str, Any]:
    return {row.path: row.value for row in defaults_used(load(text))}


def test_defaults_used_lists_each_applied_default_once() -> None:
    text = """
topics:
  - {name: a, records_per_s: 1, peak_ratio: 2, batch: {linger: 1ms}}
  - {name: b, records_per_s: 1, retention: {time: 1d}, consumers: [{group: g}]}
  - {name: c, records_per_s: 1, batch: {records: 5}, cleanup: delete}
policy: {utilisation: {cpu: 0.5}}
"""
    rows = rows_of(text)
    assert rows["topics.*.peak_ratio"] == 1  # of b and c
    assert rows["topics.*.batch.size"] == 16384
    assert rows["topics.*.batch.linger"] == 0.005  # of b
    assert rows["topics.*.consumers"] == "no consumer group"  # of a and c
    assert rows["topics.*.consumers.*.session_timeout"] == 45
    assert rows["topics.*.min_insync_replicas"].startswith("replication_factor - 1")
    assert "policy.utilisation.cpu" not in rows
    assert rows["policy.utilisation_degraded.cpu"] == 0.8
    assert len(rows) == len(defaults_used(load(text)))
    for row in defaults_used(load(text)):
        assert row.source in sources()
        assert row.low is None or row.high is None or row.low <= float(row.value) <= row.high


def test_defaults_that_shape_nothing_are_not_listed() -> None:
    given = "topics: [{name: a, records_per_s: 1, batch: {records: 5}}]\n"
    assert not [path for path in rows_of(given) if ".batch." in path or ".compaction." in path]
    compacted = (
        "topics: [{name: a, records_per_s: 1, cleanup: compact, record: {key_bytes: 8}, "
        "keys: {unique: 10}, batch: {records: 1}}]\n"
    )
    rows = rows_of(compacted)
    assert rows["topics.*.compaction.min_dirty_ratio"] == 0.5
    assert not [path for path in rows if ".retention." in path]
    assert not [path for path in rows_of("questions: {replay: no}\n") if path.startswith("topics")]


def test_a_range_is_given_and_a_broker_left_open_is_listed() -> None:
    text = """
topics: [{name: a, records_per_s: {low: 1, likely: 2, high: 3}}]
cluster: {broker: {vcpu: 4, memory: 8GiB, network_out: 1Gbit/s, storage: {capacity: 1TB}}}
"""
    rows = rows_of(text)
    assert rows["cluster.broker.network_in"] == "unmetered"
    assert "cluster.broker.network_out" not in rows
    assert rows["cluster.broker.storage.volumes"] == 1
    assert "cluster.broker" not in rows


# Contradictions: a valid scenario, one change to it, the path of the error that it must raise

BASE = """
topics:
  - name: orders
    records_per_s: 100
    record: {key_bytes: 16, value_bytes: 100}
    keys: {ordered: true, unique: 1000}
    retention: {time: 1d, bytes_per_partition: 1GB}
    consumers: [{group: billing, members: 4, max_members: 8}]
  - {name: clicks, bytes_per_s: 1MB/s}
cluster: {zones: 3, brokers: 6}
"""
ORDERS = "topics.orders"
CONTRADICTIONS = [
    (["topics.orders.bytes_per_s=5MB/s"], f"{ORDERS}.bytes_per_s"),
    (["topics.orders.records_per_s=null"], f"{ORDERS}.records_per_s"),
    (["topics.clicks.record={value_bytes: 0}"], "topics.clicks.bytes_per_s"),
    (["topics.clicks.bytes_per_s=9TB/s", "topics.clicks.record={value_bytes: 1}"], "topics.clicks.bytes_per_s"),
    (["topics.orders.min_insync_replicas=4"], f"{ORDERS}.min_insync_replicas"),
    (["topics.orders.replication_factor=7"], f"{ORDERS}.replication_factor"),
    (["topics.1.name=orders"], "topics.1.name"),
    (["topics.orders.name=a.b", "topics.clicks.name=a_b"], "topics.1.name"),
    (["topics.orders.cleanup=compact", "topics.orders.record.key_bytes=null", "topics.orders.keys.ordered=no"],
     f"{ORDERS}.record.key_bytes"),
    (["topics.orders.cleanup=[compact, delete]", "topics.orders.keys.unique=null"], f"{ORDERS}.keys.unique"),
    (["topics.orders.cleanup=compact", "topics.orders.tiered={local_time: 1h}"], f"{ORDERS}.tiered"),
    (["topics.orders.tiered.local_time=2d"], f"{ORDERS}.tiered.local_time"),
    (["topics.orders.tiered.local_bytes_per_partition=2GB"], f"{ORDERS}.tiered.local_bytes_per_partition"),
    (["topics.orders.compaction.tombstone_fraction=0.1"], f"{ORDERS}.compaction.tombstone_fraction"),
    (["topics.orders.transactions_per_s=10", "topics.orders.acks=1"], f"{ORDERS}.acks"),
    (["topics.orders.transactions_per_s=101"], f"{ORDERS}.transactions_per_s"),
    (["topics.orders.peak_ratio=0.5"], f"{ORDERS}.peak_ratio"),
    (["topics.orders.compression.codec=lz4"], f"{ORDERS}.compression.ratio"),
    (["topics.orders.compression.ratio=2"], f"{ORDERS}.compression.codec"),
    (["topics.orders.compression={codec: none, ratio: 2}"], f"{ORDERS}.compression.codec"),
    (["topics.orders.compression={codec: zstd, ratio: 0.5}"], f"{ORDERS}.compression.ratio"),
    (["topics.orders.batch={records: 5, linger: 5ms}"], f"{ORDERS}.batch.records"),
    (["topics.orders.record.key_bytes=null"], f"{ORDERS}.keys.ordered"),
    (["topics.clicks.keys={unique: 5}"], "topics.clicks.record.key_bytes"),
    (["topics.orders.keys.top_key_fraction=0.0009"], f"{ORDERS}.keys.top_key_fraction"),
    (["topics.orders.retention.time=0"], f"{ORDERS}.retention.time"),
    (["topics.orders.segment.bytes=1000"], f"{ORDERS}.segment.bytes"),
    (["topics.orders.consumers.billing.members=9"], f"{ORDERS}.consumers.billing.members"),
    (["topics.orders.consumers.billing.zones={a: 1, b: 1}"], f"{ORDERS}.consumers.billing.zones"),
    (["topics.orders.consumers.billing.zones={a: 1, b: 1, c: 1, d: 1}"], f"{ORDERS}.consumers.billing.zones"),
    (["topics.orders.consumers.billing.zones={1: 2, 4: 2}"], f"{ORDERS}.consumers.billing.zones.4"),
    (["topics.orders.consumers.billing.zones={0: 4}"], f"{ORDERS}.consumers.billing.zones.0"),
    (["topics.orders.consumers=[{group: a}, {group: a}]"], f"{ORDERS}.consumers.1.group"),
    (["topics.clicks.consumers=[{group: billing, protocol: share}]"], "topics.clicks.consumers.billing.protocol"),
    (["cluster.mirror=[{to: eu, topics: [order]}]"], "cluster.mirror.0.topics.0"),
    (["cluster.brokers_placed={topics: {nope: [[1, 2, 3]]}}"], "cluster.brokers_placed.topics.nope"),
    (["cluster.brokers_placed={topics: {orders: [[1, 2]]}}"], "cluster.brokers_placed.topics.orders"),
    (["cluster.brokers_placed={topics: {orders: [[1, 2, 2]]}}"], "cluster.brokers_placed.topics.orders"),
    (["cluster.brokers_placed={topics: {orders: [[1, 2, 3]]}}", "topics.orders.partitions=2"],
     "cluster.brokers_placed.topics.orders"),
    (["cluster.brokers_placed={racks: {1: a, 2: b, 4: c}, topics: {orders: [[1, 2, 3]]}}", "cluster.brokers=null"],
     "cluster.brokers_placed.topics.orders"),
    (["cluster.brokers_placed={racks: {1: a, 2: b, 3: c}, topics: {orders: [[1, 2, 3]]}}"], "cluster.brokers"),
    (["questions={events_per_s: 1, events_per_day: 1}"], "questions.events_per_day"),
    (["questions={events_per_s: 10, peak_events_per_s: 9}"], "questions.peak_events_per_s"),
    (["questions={events_per_day: 1M, peak_events_per_s: 9}"], "questions.peak_events_per_s"),
    (["questions={events_per_s: 10, bytes_per_s: 1MB/s, message_bytes: 1KiB}"], "questions.bytes_per_s"),
    (["questions={existing: [postgres, kafka], leaving: kafka}"], "questions.leaving"),
    (["questions={routing: [none, filter]}"], "questions.routing"),
    (["topics=[]"], "topics"),
    (["topics=null", "questions={replay: unknown}"], "topics"),
    (["topics.orders.name=''"], "topics.0.name"),
    (["name=''"], "name"),
    (["topics.orders.name=.."], "topics.0.name"),
]  # fmt: skip


def errors_of(text: str, sets: list[str]) -> tuple[InputError, ...]:
    with pytest.raises(ScenarioError) as caught:
        load(text, sets=sets)
    return caught.value.errors


@pytest.mark.parametrize(("sets", "path"), CONTRADICTIONS, ids=lambda value: value if isinstance(value, str) else None)
def test_a_contradiction_is_an_error_at_its_path(sets: list[str], path: str) -> None:
    load(BASE)
    (error,) = errors_of(BASE, sets)
    assert error.path == path
    assert error.message.endswith(".")
    assert error.allowed
    assert "\n" not in error.message + error.allowed


# What looks close to a contradiction and is none: infeasible is a result, and some oddities are legal.
@pytest.mark.parametrize(
    "sets",
    [
        ["policy.survive={brokers: 6, zones: 3}"],
        ["cluster.zones=6", "cluster.brokers=4"],
        ["cluster.brokers=7"],
        ["topics.orders.record.value_bytes=0"],
        ["topics.orders.records_per_s=0"],
        ["topics.*.replication_factor=1"],
        ["topics.orders.min_insync_replicas=3"],
        ["topics.orders.retention.time=forever"],
        ["topics.orders.tiered={}"],
        ["topics.orders.tiered={local_time: 1d, local_bytes_per_partition: 1GB}"],
        ["topics.orders.compression={codec: none, ratio: 1}"],
        ["topics.orders.keys.top_key_fraction=0.001"],
        ["topics.orders.keys={ordered: no}", "topics.orders.record.key_bytes=null"],
        ["topics.orders.consumers.billing.zones={1: 2, 3: 2}"],
        ["topics.orders.consumers.billing.zones={eu-1a: 4}"],
        ["topics.clicks.consumers=[{group: billing, members: 2}]"],
        ["cluster.mirror=[{to: eu}]"],
        ["cluster.brokers_placed={topics: {orders: [[1, 2, 3], [2, 3, 4]]}}"],
        ["cluster.kafka_version='3.9'", "topics.orders.segment.bytes=1000"],
        ["topics.orders.cleanup=compact"],
        ["topics=null", "questions={events_per_s: 5}"],
        ["questions={events_per_s: 10, message_bytes: 1KiB}"],
    ],
)
def test_this_is_no_contradiction(sets: list[str]) -> None:
    load(BASE, sets=sets)


def test_a_missing_ratio_quotes_what_was_measured() -> None:
    """One 500 B record a batch compressed to 0.552 of its size with lz4, 1000 records of 1 KiB to 0.233."""
    (error,) = errors_of(BASE, ["topics.orders.compression.codec=lz4"])
    assert f"{1 / 0.552:.1f}" in error.message
    assert f"{1 / 0.233:.1f}" in error.message


def test_all_errors_come_at_once_with_what_is_nearest() -> None:
    text = """
nmae: x
topics:
  - {name: orders, record_per_s: 5, retention: {time: 5 mb}}
  - {name: orders, records_per_s: .nan}
  - 7
cluster: {zones: 0, broker: {vcpu: 4}}
policy: [1]
questions: {cloud: awss, exactly_once: maybe}
"""
    found = {error.path: error for error in errors_of(text, [])}
    assert set(found) == {
        "nmae", "topics.0.record_per_s", "topics.0.retention.time", "topics.1.records_per_s", "topics.1.name",
        "topics.2", "cluster.zones", "cluster.broker.memory", "cluster.broker.storage", "policy", "questions.cloud",
        "questions.exactly_once",
    }  # fmt: skip
    assert found["nmae"].nearest == "name"
    assert found["topics.0.record_per_s"].nearest == "records_per_s"
    assert found["questions.cloud"].nearest == "aws"
    assert found["cluster.broker.memory"].message == "memory is required."
    assert found["topics.1.records_per_s"].value == "nan"
    assert json.loads(json.dumps([error.to_dict() for error in found.values()], allow_nan=False))


def test_python_gets_the_contradictions_too() -> None:
    with pytest.raises(ValidationError, match="replication factor is above"):
        Scenario(topics=(Topic(name="t", records_per_s=1, replication_factor=3),), cluster=Cluster(brokers=2))
    topic = Topic(name="t", records_per_s=1, replication_factor=3)
    found = list(contradictions(["t"], {0: topic}, Cluster(brokers=2), None))
    assert [error.path for error in found] == ["topics.t.replication_factor"]


def test_parts_that_are_invalid_do_not_hide_contradictions_of_the_others() -> None:
    found = errors_of(BASE, ["cluster.zones=-1", "topics.orders.bytes_per_s=1MB/s", "topics.clicks.partitions=0"])
    assert {error.path for error in found} == {"cluster.zones", "topics.orders.bytes_per_s", "topics.clicks.partitions"}


def test_a_scenario_survives_pickle_and_copy() -> None:
    scenario = load(BASE, sets=["topics.orders.records_per_s={low: 1, likely: 2, high: 3}"])
    twin = pickle.loads(pickle.dumps(scenario))  # noqa: S301 - our own bytes
    assert twin == scenario
    assert twin.topics[0].records_per_s.high == 3
    error = errors_of(BASE, ["name=''"])[0]
    assert pickle.loads(pickle.dumps(error)) == error  # noqa: S301 - our own bytes


# Helpers


def test_labels_name_what_is_unique() -> None:
    assert labels_of(["a", "b", "a", None, "", "x\n", "c.d"]) == ["0", "b", "2", "3", "4", "5", "c.d"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("x" * 81, "x" * 77 + "..."),
        ("x" * 10**6, "x" * 77 + "..."),
        ("\x1b[2J\n", "\\x1b[2J\\n"),
        ("\ud800", "\\ud800"),
        ("\u202e", "\\u202e"),
        pytest.param(10**5000, "an integer of 16610 bits", id="huge"),
        (math.inf, "inf"),
        (math.nan, "nan"),
        ({"a": 1}, "a mapping of 1 keys"),
        ([1, 2], "[1, 2]"),
        (["a", "\n"], "[a, \\n]"),
        ([], "[]"),
        ([[1]], "a list of 1 items"),
        (list(range(9)), "a list of 9 items"),
        (["x" * 50, "y" * 50], "a list of 2 items"),
        (b"x", "a value of type bytes"),
        (True, True),
        (None, None),
        (12, 12),
        (1.5, 1.5),
    ],
)
def test_shown_values_are_short_and_harmless(value: Any, shown: Any) -> None:
    assert shorten(value) == shown


def test_nearest() -> None:
    assert nearest("retentoin", ["retention", "record"]) == "retention"
    assert nearest("Re_Replicate", ["replace", "re-replicate"]) == "re-replicate"
    assert nearest("zzz", ["retention"]) is None
    assert nearest(5, ["retention"]) is None
    assert nearest("", ["retention"]) is None


# JSON Schema


def test_the_schema_is_valid_and_describes_every_key() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    found = schema()
    jsonschema.Draft202012Validator.check_schema(found)
    assert found["$schema"].endswith("2020-12/schema")
    parts = [found, *found["$defs"].values()]
    assert set(found["$defs"]) == {kind.__name__ for kind in SECTIONS if kind is not Scenario}
    for part in parts:
        assert part["additionalProperties"] is False
        for name, rule in part["properties"].items():
            assert rule["title"] == name
    for kind, name, quantity in QUANTITIES:
        part = found if kind is Scenario else found["$defs"][kind.__name__]
        rule = part["properties"][name]
        assert rule["x-unit"] in {"bytes", "bytes/s", "s", "1/s", "1/day", "count", "fraction", "ratio", "money"}
        assert rule["description"] == quantity.text
        assert rule["anyOf"][0] == {"type": "number", "minimum": quantity.minimum, "maximum": quantity.maximum}
    peak = found["$defs"]["Topic"]["properties"]["peak_ratio"]
    assert peak["default"] == 1


@pytest.mark.parametrize(
    ("changes", "valid"),
    [
        ({}, True),
        ({"topics.orders.records_per_s": "12k/s"}, True),
        ({"topics.orders.records_per_s": {"low": 1, "likely": "2/s", "high": 3}}, True),
        ({"topics.orders.retention.time": "forever"}, True),
        ({"topics.orders.acks": 1}, True),
        ({"topics.orders.acks": "all"}, True),
        ({"topics.orders.cleanup": ["delete"]}, True),
        ({"topics.orders.tiered": None}, True),
        ({"cluster.tls": "yes"}, True),
        ({"cluster.broker": "m7g"}, True),
        ({"questions": {"events_per_s": "unknown", "work": ["queue"], "exactly_once": False}}, True),
        ({"topics.orders.records_per_s": -1}, False),
        ({"topics.orders.records_per_s": 1e11}, False),
        ({"topics.orders.records_per_s": {"low": 1}}, False),
        ({"topics.orders.partitions": {"low": 1, "likely": 2, "high": 3}}, False),
        ({"topics.orders.acks": 2}, False),
        ({"topics.orders.name": ""}, False),
        ({"topics.orders.name": ".."}, False),
        ({"cluster.zones": 0}, False),
        ({"cluster.broker": {"vcpu": 1}}, False),
        ({"cluster.tls": "maybe"}, False),
        ({"nme": "x"}, False),
        ({"questions": {"cloud": "ibm"}}, False),
    ],
)
def test_schema_and_loader_agree(changes: dict[str, Any], valid: bool) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    data: dict[str, Any] = {"topics": [{"name": "orders", "records_per_s": 5}], "cluster": {}}
    for path, value in changes.items():
        *parents, last = path.split(".")
        node: Any = data
        for parent in parents:
            node = data["topics"][0] if parent == "orders" else node.setdefault(parent, {})
        node[last] = value
    assert jsonschema.Draft202012Validator(schema()).is_valid(data) is valid
    if valid:
        from_mapping(data)
    else:
        with pytest.raises(ScenarioError):
            from_mapping(data)
