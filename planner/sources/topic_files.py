"""Topics as other tools write them down: `kafka-topics --describe`, and KafkaTopic resources of Strimzi."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from planner.fields import InputError, ScenarioError, refusal, shorten
from planner.sources.facts import BrokerFacts, Facts, TopicFacts
from planner.sources.kafka_tools import MAX_BYTES, ReplicaSizes, check_size
from planner.validation import capped
from planner.yaml_reader import read_text

_MOST_PARTITIONS = 100_000  # of one topic
_MOST_TOPICS = 100_000
_MOST_DOCUMENTS = 10_000
_NAME = re.compile(r"[a-zA-Z0-9._-]{1,249}")
_PAIR = re.compile(r"\b(Topic|TopicId|PartitionCount|ReplicationFactor|Configs|Partition|Leader|Replicas|Isr):\s*")
_ID = re.compile(r"[0-9]{1,10}")
_KINDS = ("KafkaTopic", "KafkaTopicList", "List")


# kafka-topics --describe


def described_topics(text: str) -> Facts:
    r"""Topics from what `kafka-topics --describe` prints: partitions, replicas, settings that were made.

    Parameters
    ----------
    text
        The tool's output; a line that does not begin with `Topic:` is passed over.

    Returns
    -------
    Facts
        The topics. Settings that were not made for the topic itself are not in that output.

    Raises
    ------
    ScenarioError
        With everything that is wrong.

    Examples
    --------
    >>> text = "Topic: t\tPartitionCount: 1\tReplicationFactor: 2\tConfigs: retention.ms=1000\n"
    >>> found = described_topics(text + "\tTopic: t\tPartition: 0\tLeader: 1\tReplicas: 1,2\tIsr: 1,2\n")
    >>> found.topics["t"].replicas, found.topics["t"].configs
    (((1, 2),), {'retention.ms': '1000'})
    """
    check_size(text, "topics", MAX_BYTES)
    heads: dict[str, dict[str, str]] = {}
    lists: dict[str, dict[int, tuple[int, ...]]] = {}
    errors: list[InputError] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.lstrip().startswith("Topic:"):
            continue
        row = _row(line)
        fault = _fault(row, lists)
        if fault is not None:
            errors.append(InputError(f"line {number}", shorten(fault[0]), fault[1], "kafka-topics --describe"))
        elif "Partition" in row:
            lists.setdefault(row["Topic"], {})[int(row["Partition"])] = _ids(row["Replicas"])
        else:
            heads[row["Topic"]] = row
    errors += _holes(heads, lists)
    if not heads and not lists and not errors:
        errors.append(InputError("topics", None, "There is no line of a topic.", "what kafka-topics --describe prints"))
    if errors:
        raise ScenarioError(capped(errors))
    names = sorted({*heads, *lists})
    return Facts(
        sources=("kafka-topics",), topics={name: _described(heads.get(name), lists.get(name)) for name in names}
    )


def _row(line: str) -> dict[str, str]:
    """The words of a line by their names."""
    found = {}
    matches = list(_PAIR.finditer(line))
    for match, after in zip(matches, [*matches[1:], None], strict=True):
        found[match[1]] = line[match.end() : after.start() if after else len(line)].strip()
        if match[1] == "Configs":  # the values may hold anything
            found["Configs"] = line[match.end() :].strip()
            break
    return found


def _fault(row: Mapping[str, str], lists: Mapping[str, Mapping[int, Any]]) -> tuple[str, str] | None:
    """What is wrong with a line: the value, and a sentence."""
    topic = row.get("Topic", "")
    if not _NAME.fullmatch(topic):
        return topic, "This is no topic name."
    if "Partition" not in row:
        counts = (row.get("PartitionCount", "1"), row.get("ReplicationFactor", "1"))
        wrong = [word for word in counts if not _ID.fullmatch(word) or not 0 < int(word) <= _MOST_PARTITIONS]
        return (wrong[0], "A count is a whole number from 1.") if wrong else None
    number = row["Partition"]
    if not _ID.fullmatch(number) or int(number) >= _MOST_PARTITIONS:
        return number, f"A partition is a whole number below {_MOST_PARTITIONS}."
    if int(number) in lists.get(topic, {}):
        return number, "The partition is there twice."
    words = row.get("Replicas", "").split(",")
    if not all(_ID.fullmatch(word.strip()) for word in words) or len(set(words)) != len(words):
        return row.get("Replicas", ""), "Replicas are distinct broker ids."
    return None


def _ids(text: str) -> tuple[int, ...]:
    return tuple(int(word) for word in text.split(","))


def _holes(heads: Mapping[str, Any], lists: Mapping[str, Mapping[int, Any]]) -> Iterator[InputError]:
    for name, rows in lists.items():
        count = max(int(heads.get(name, {}).get("PartitionCount", 0)), max(rows) + 1)
        if len(rows) != count:
            yield InputError(name, len(rows), "Partitions are missing.", f"all {count}")


def _described(head: Mapping[str, str] | None, rows: Mapping[int, tuple[int, ...]] | None) -> TopicFacts:
    head = head or {}
    configs = _configs(head.get("Configs", ""))
    return TopicFacts(
        replicas=tuple(rows[number] for number in range(len(rows))) if rows else None,
        partitions=int(head["PartitionCount"]) if "PartitionCount" in head else None,
        replication_factor=int(head["ReplicationFactor"]) if "ReplicationFactor" in head else None,
        configs=configs,
        overrides=frozenset(configs),
    )


def _configs(text: str) -> dict[str, str]:
    """`a=1,b=x,y,c=2`: a value may hold commas, a word without = belongs to the value before."""
    found: dict[str, str] = {}
    last = ""
    for word in text.split(","):
        key, equals, value = word.partition("=")
        if equals:
            last = key.strip()
            found[last] = value.strip()
        elif last:
            found[last] += f",{word.strip()}"
    return found


# Strimzi


def strimzi_topics(text: str) -> Facts:
    r"""Topics from KafkaTopic resources of Strimzi, as files hold them or `kubectl get kafkatopic -o yaml` prints them.

    Parameters
    ----------
    text
        YAML or JSON: one resource, several documents with `---` between them, or a list. Other kinds are passed over.

    Returns
    -------
    Facts
        The topics.

    Raises
    ------
    ScenarioError
        With everything that is wrong.

    Examples
    --------
    >>> text = "kind: KafkaTopic\nmetadata: {name: t}\n"
    >>> found = strimzi_topics(text + "spec: {partitions: 3, replicas: 2, config: {retention.ms: 1000}}\n").topics["t"]
    >>> found.partitions, found.replication_factor, found.configs
    (3, 2, {'retention.ms': '1000'})
    """
    check_size(text, "strimzi", MAX_BYTES)
    errors: list[InputError] = []
    found: dict[str, TopicFacts] = {}
    resources = list(_resources(text))
    for path, resource in resources[:_MOST_TOPICS]:
        name, facts = _resource(path, resource, errors)
        if name in found:
            errors.append(InputError(path, shorten(name), "The topic is there twice.", "each topic once"))
        elif facts is not None:
            found[name] = facts
    if not resources:
        errors.append(InputError("strimzi", None, "There is no KafkaTopic.", "resources of the kind KafkaTopic"))
    if errors:
        raise ScenarioError(capped(errors))
    return Facts(sources=("strimzi",), topics=found)


def _resources(text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every KafkaTopic, with where it stands."""
    parts = re.split(r"(?m)^(?:---(?:[ \t].*)?|\.\.\.)\r?$", text)
    if len(parts) > _MOST_DOCUMENTS:
        raise refusal("There are too many documents.", "strimzi", len(parts), f"at most {_MOST_DOCUMENTS}")
    for number, part in enumerate(parts, start=1):
        lines = (line.strip() for line in part.splitlines())
        if all(not line or line.startswith("#") for line in lines):
            continue
        document = read_text(part)
        kind = document.get("kind")
        items = document.get("items") if kind in _KINDS[1:] else [document]
        for index, item in enumerate(items if isinstance(items, list) else []):
            if isinstance(item, dict) and item.get("kind", "KafkaTopic") == "KafkaTopic":
                yield f"document {number}.{index}" if kind in _KINDS[1:] else f"document {number}", item


def _resource(path: str, resource: Mapping[str, Any], errors: list[InputError]) -> tuple[str, TopicFacts | None]:
    metadata, spec = resource.get("metadata"), resource.get("spec")
    if not isinstance(metadata, dict) or not isinstance(spec, dict):
        errors.append(InputError(path, None, "A KafkaTopic has metadata and spec.", "metadata: {name}, spec: {...}"))
        return "", None
    name = spec.get("topicName") or metadata.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        errors.append(InputError(f"{path}.metadata.name", shorten(name), "This is no topic name.", "a topic's name"))
        return "", None
    counts: dict[str, int | None] = {}
    for key in ("partitions", "replicas"):
        value = spec.get(key)
        good = value is None or (type(value) is int and 0 < value <= _MOST_PARTITIONS)
        if not good:
            message = "A count is a whole number from 1."
            errors.append(InputError(f"{path}.spec.{key}", shorten(value), message, f"1 to {_MOST_PARTITIONS}"))
        counts[key] = value if good else None
    config = spec.get("config") or {}
    if not isinstance(config, dict):
        errors.append(InputError(f"{path}.spec.config", shorten(config), "Settings are a mapping.", "key: value"))
        config = {}
    pairs = {key: _word(value) for key, value in config.items()}
    return name, TopicFacts(
        partitions=counts["partitions"],
        replication_factor=counts["replicas"],
        configs=pairs,
        overrides=frozenset(pairs),
    )


def _word(value: Any) -> str:
    """A setting as Kafka writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ",".join(map(_word, value))
    return str(value)


# kafka-log-dirs


def sized_topics(sizes: ReplicaSizes) -> Facts:
    """Topics from the sizes that `kafka-log-dirs --describe` tells.

    Examples
    --------
    >>> found = sized_topics({("t", 0): {1: 7.0, 2: 7.0}, ("t", 1): {1: 8.0, 3: 8.0}}).topics["t"]
    >>> found.partitions, found.replication_factor, sum(found.sizes.values())
    (2, 2, 30.0)
    """
    topics: dict[str, dict[tuple[int, int], float]] = {}
    copies: dict[str, int] = {}
    for (topic, partition), held in sizes.items():
        topics.setdefault(topic, {}).update({(partition, broker): size for broker, size in held.items()})
        copies[topic] = max(copies.get(topic, 0), len(held))
    return Facts(
        sources=("kafka-log-dirs",),
        brokers={broker: BrokerFacts() for held in sizes.values() for broker in held},
        topics={
            name: TopicFacts(
                sizes=rows,
                partitions=max(partition for partition, _ in rows) + 1,
                replication_factor=copies[name],
            )
            for name, rows in topics.items()
        },
    )
