"""What is configured, and where it says so: files first, then the scenario, then Kafka's default."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from planner.constants import data_path
from planner.fields import InputError, ScenarioError, refusal, shorten
from planner.properties import is_secret, of_mapping, read_properties

Given: TypeAlias = Path | Mapping[str, object]
Pairs: TypeAlias = Mapping[str, str]

MAX_DUMP_BYTES = 100_000_000  # all configurations of 10,000 topics are some 50 MB
KINDS = ("broker", "topic", "producer", "consumer")
_TYPO = 0.85  # likeness of two keys beyond which one is taken for a slip of the other
_NUMBER = re.compile(r"[-+]?[0-9]{1,19}")
_DECIMAL = re.compile(r"[-+]?(?:[0-9]{1,19}(?:\.[0-9]{0,19})?|\.[0-9]{1,19})(?:[eE][-+]?[0-9]{1,3})?")
# keys of plug-ins and of security, which Kafka's own list does not have
_FOREIGN = re.compile(r"^(sasl|ssl|listener\.name|confluent|metric|metrics|cruise|schema|kafka|plugin|client\.quota)\.")
# topic setting -> the broker setting that it falls back to
FALLBACK = {
    "retention.ms": ("log.retention.ms", "log.retention.minutes", "log.retention.hours"),
    "retention.bytes": ("log.retention.bytes",),
    "segment.bytes": ("log.segment.bytes",),
    "segment.ms": ("log.roll.ms", "log.roll.hours"),
    "cleanup.policy": ("log.cleanup.policy",),
    "delete.retention.ms": ("log.cleaner.delete.retention.ms",),
    "min.insync.replicas": ("min.insync.replicas",),
    "unclean.leader.election.enable": ("unclean.leader.election.enable",),
}
_TO_MS = {"log.retention.minutes": 60_000, "log.retention.hours": 3_600_000, "log.roll.hours": 3_600_000}


@dataclass(frozen=True, slots=True)
class Configured:
    """A value, where it stands, and whether somebody wrote it there."""

    value: str
    where: str
    given: bool

    @property
    def number(self) -> float:
        """The value as a number; it was checked when it was read."""
        return float(self.value)

    @property
    def on(self) -> bool:
        """The value as a switch."""
        return self.value.strip().lower() == "true"


@cache
def defaults() -> Mapping[str, Mapping[str, Mapping[str, Any]]]:
    """Kafka's settings of broker, topic, producer and consumer: default, type and least value of each."""
    with data_path("kafka_defaults_4.3.json").open(encoding="utf-8") as file:
        table = json.load(file)
    return {kind: table[kind] for kind in KINDS}


@dataclass(frozen=True)
class Evidence:
    """Everything that was given beside the scenario."""

    broker: Pairs = field(default_factory=dict)
    topics: Mapping[str, Pairs] = field(default_factory=dict)  # by name; "" = every topic
    producers: Mapping[str, Pairs] = field(default_factory=dict)  # by topic
    consumers: Mapping[str, Pairs] = field(default_factory=dict)  # by group
    replicas: Mapping[str, int] = field(default_factory=dict)  # replication factor by topic, from a dump
    other: Mapping[str, str] = field(default_factory=dict)  # settings that are not Kafka's own, such as a registry's

    def of_broker(self, key: str) -> Configured:
        """A broker setting."""
        if key in self.broker:
            return Configured(self.broker[key], f"broker: {key}", given=True)
        return _default("broker", key)

    def of_topic(self, topic: str, key: str, planned: str | None = None) -> Configured:
        """A topic setting: of the topic, else what the scenario says, else of the broker, else Kafka's default."""
        own = _under(self.topics, topic, key)
        if own is not None:
            return Configured(own, f"topic {topic}: {key}", given=True)
        if planned is not None:
            return Configured(planned, f"scenario: topic {topic}", given=True)
        for name in FALLBACK.get(key, ()):
            if name in self.broker and self.broker[name] not in {"", "null"}:
                value = self.broker[name]
                scaled = str(int(value) * _TO_MS[name]) if name in _TO_MS else value
                return Configured(scaled, f"broker: {name}", given=True)
        return _default("topic", key)

    def of_producer(self, topic: str, key: str, planned: str | None = None) -> Configured:
        """A setting of the producers of a topic."""
        return self._of_client(self.producers, "producer", topic, key, planned)

    def of_consumer(self, group: str, key: str, planned: str | None = None) -> Configured:
        """A setting of the members of a group."""
        return self._of_client(self.consumers, "consumer", group, key, planned)

    def _of_client(self, table: Mapping[str, Pairs], kind: str, name: str, key: str, planned: str | None) -> Configured:
        own = _under(table, name, key)
        if own is not None:
            return Configured(own, f"{kind} {name}: {key}", given=True)
        if planned is not None:
            return Configured(planned, f"scenario: {kind} {name}", given=True)
        return _default(kind, key)

    def slips(self) -> Iterator[tuple[str, str, str]]:
        """Keys that Kafka does not know but that are close to one it does: where, key, the likely one."""
        tables = [("broker", "broker", self.broker)]
        for kind, table in (("topic", self.topics), ("producer", self.producers), ("consumer", self.consumers)):
            tables += [(kind, f"{kind} {name}".strip(), pairs) for name, pairs in table.items()]
        for kind, place, pairs in tables:
            known = defaults()[kind]
            for key in pairs:
                if key in known or _FOREIGN.match(key):
                    continue
                near = get_close_matches(key[:200], list(known), n=1, cutoff=_TYPO)
                if near:
                    yield place, shorten(key), near[0]


def _under(table: Mapping[str, Pairs], name: str, key: str) -> str | None:
    """The value under a name, else under the empty name, which stands for all."""
    for one in (name, ""):
        value = table.get(one, {}).get(key)
        if value is not None and value != "null":
            return value
    return None


def _default(kind: str, key: str) -> Configured:
    return Configured(defaults()[kind][key]["default"], f"Kafka 4.3 default of {key}", given=False)


def gather(
    *,
    broker: Given | None = None,
    topics: Mapping[str, Given] | None = None,
    producers: Mapping[str, Given] | None = None,
    consumers: Mapping[str, Given] | None = None,
    dump: Given | None = None,
) -> Evidence:
    """Read everything that was given; whatever is wrong with it is told at once."""
    errors: list[InputError] = []

    def read(given: Given, kind: str, name: str) -> dict[str, str]:
        label = f"{kind} properties of {name}" if name else f"{kind} properties"
        try:
            pairs = read_properties(given, label) if isinstance(given, Path) else of_mapping(given, label)
        except ScenarioError as error:
            errors.extend(error.errors)
            return {}
        errors.extend(_type_errors(pairs, kind, label))
        return pairs

    dumped = _read_dump(dump, errors)
    own = {"broker": read(broker, "broker", "")} if broker is not None else {}
    tables = {
        kind: {name: read(given, kind, name) for name, given in (table or {}).items()}
        for kind, table in (("topic", topics), ("producer", producers), ("consumer", consumers))
    }
    if errors:
        raise ScenarioError(errors)
    every = [own.get("broker", {}), *(pairs for table in tables.values() for pairs in table.values())]
    other = {key: value for pairs in every for key, value in pairs.items() if "compatibility" in key}
    by_topic = {
        name: {**dumped.topics.get(name, {}), **tables["topic"].get(name, {})}
        for name in {*dumped.topics, *tables["topic"]}
    }
    return Evidence(
        broker={**dumped.broker, **own.get("broker", {})},
        topics=by_topic,
        producers=tables["producer"],
        consumers=tables["consumer"],
        replicas=dumped.replicas,
        other=other,
    )


def _type_errors(pairs: Pairs, kind: str, label: str) -> Iterator[InputError]:
    """Values that Kafka itself would refuse to start with."""
    known = defaults()[kind]
    for key, value in pairs.items():
        rule = known.get(key)
        if rule is None or is_secret(key):
            continue
        text, place = value.strip(), f"{label}: {key}"
        form = {"INT": _NUMBER, "LONG": _NUMBER, "SHORT": _NUMBER, "DOUBLE": _DECIMAL}.get(str(rule["type"]))
        if form is not None and not form.fullmatch(text):
            yield InputError(place, shorten(value), "This is not a number.", f"{rule['type']}, as Kafka reads it")
        elif form is not None and float(text) < float(rule.get("least", "-inf")):
            yield InputError(place, shorten(value), "Kafka refuses a value that small.", f"at least {rule['least']}")
        if rule["type"] == "BOOLEAN" and text.lower() not in {"true", "false"}:
            yield InputError(place, shorten(value), "This is not a switch.", "true or false")


# A dump of a running cluster, in the form of the Python admin client's answers


def _read_dump(dump: Given | None, errors: list[InputError]) -> Evidence:
    if dump is None:
        return Evidence()
    try:
        body = _json_of(dump) if isinstance(dump, Path) else dump
        return _of_dump(body)
    except ScenarioError as error:
        errors.extend(error.errors)
        return Evidence()


def _json_of(path: Path) -> Mapping[str, object]:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_DUMP_BYTES + 1)
        if len(data) > MAX_DUMP_BYTES:
            raise refusal("The file is too large.", "admin dump", str(path), f"at most {MAX_DUMP_BYTES} bytes")
        body = json.loads(data)
    except OSError as error:
        raise refusal(f"The file cannot be read: {error.strerror}.", "admin dump", str(path), "a file") from None
    except (ValueError, RecursionError):
        raise refusal("This is not JSON.", "admin dump", str(path), "JSON of an admin client's answers") from None
    if not isinstance(body, dict):
        raise refusal("The dump is no mapping.", "admin dump", None, "describe_configs, describe_topics")
    return body


def _of_dump(body: Mapping[str, object]) -> Evidence:
    """Configurations, defaults among them, and replication factors."""
    tables: dict[str, dict[str, dict[str, str]]] = {"broker": {}, "topic": {}}
    replicas: dict[str, int] = {}
    for key, value in body.items():
        if "describe_configs" in key:
            for kind, resources in _configs(value, key):
                tables[kind].update(resources)
        elif "describe_topics" in key:
            replicas.update(_replication(value, key))
    brokers, topics = tables["broker"], tables["topic"]
    if not (brokers or topics or replicas):
        allowed = "describe_configs (topic, broker) or describe_topics, as an admin client answers them"
        raise refusal("The dump has nothing to audit.", "admin dump", None, allowed)
    merged = {key: value for pairs in brokers.values() for key, value in pairs.items()}
    found = Evidence(broker=merged, topics=topics, replicas=replicas)
    wrong = [*_type_errors(merged, "broker", "admin dump")]
    for name, pairs in topics.items():
        wrong += _type_errors(pairs, "topic", f"admin dump, topic {shorten(name)}")
    if wrong:
        raise ScenarioError(wrong)
    return found


def _configs(value: Any, key: str) -> Iterator[tuple[str, dict[str, dict[str, str]]]]:
    if not isinstance(value, dict):
        raise refusal("describe_configs is a mapping of kinds.", f"admin dump: {key}", None, "topic or broker")
    for kind, resources in value.items():
        if kind not in {"topic", "broker"} or not isinstance(resources, dict):
            raise refusal("An unknown kind of resource.", f"admin dump: {key}", shorten(kind), "topic or broker")
        yield kind, {name: _pairs(entries, key) for name, entries in resources.items()}


def _pairs(entries: Any, key: str) -> dict[str, str]:
    if not isinstance(entries, dict):
        raise refusal("The settings of a resource are a mapping.", f"admin dump: {key}", None, "name: {value: ...}")
    found = {}
    for name, entry in entries.items():
        if not isinstance(entry, dict) or not isinstance(entry.get("value"), str | None):
            raise refusal("A setting has a value.", f"admin dump: {key}", shorten(name), "{value: text, ...}")
        if entry["value"] is not None and not entry.get("is_sensitive") and not is_secret(name):
            found[name] = entry["value"]
    return found


def _replication(value: Any, key: str) -> dict[str, int]:
    try:
        return {
            topic["name"]: min(len(part["replica_nodes"]) for part in topic["partitions"])
            for topic in value
            if not topic.get("is_internal") and topic["partitions"]
        }
    except (TypeError, KeyError, AttributeError):
        allowed = "a list of {name, partitions: [{replica_nodes: []}]}"
        raise refusal("The topics are not in that form.", f"admin dump: {key}", None, allowed) from None
