"""What a live cluster answered, and the facts that follow; no network here, so that recorded answers test it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from planner.sources.facts import BrokerFacts, Facts, Gap, GroupFacts, LogDir, Sample, TopicFacts

Partition = tuple[str, int]

_LEAST_RECORDS = 100  # written while it was watched, for bytes per record to be taken from them


@dataclass
class Reading:
    """Offsets and sizes at one moment; the times are those of the answers."""

    latest: dict[Partition, tuple[int, float]] = field(default_factory=dict)
    earliest: dict[Partition, int] = field(default_factory=dict)
    sizes: dict[tuple[str, int, int], tuple[float, float]] = field(default_factory=dict)  # topic, partition, broker
    committed: dict[str, dict[Partition, int]] = field(default_factory=dict)
    committed_at: float | None = None


@dataclass
class Answers:
    """All that was answered, as the client gave it."""

    cluster: dict[str, Any] = field(default_factory=dict)
    version: tuple[int, ...] | None = None
    quorum: dict[str, Any] | None = None
    topics: list[dict[str, Any]] = field(default_factory=list)
    topic_configs: dict[str, dict[str, Any]] = field(default_factory=dict)
    broker_configs: dict[int, dict[str, Any]] = field(default_factory=dict)
    log_dirs: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    groups: dict[str, dict[str, Any]] = field(default_factory=dict)  # listed, and described under "described"
    readings: list[Reading] = field(default_factory=list)
    samples: dict[str, Sample] = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)
    tls: bool = False


def facts_of(answers: Answers) -> Facts:
    """The facts that follow from the answers of a cluster.

    Examples
    --------
    >>> topic = {"name": "t", "error_code": 0, "partitions": [{"partition_index": 0, "replica_nodes": [2, 1]}]}
    >>> facts_of(Answers(topics=[topic])).topics["t"].replicas
    ((2, 1),)
    """
    gaps = list(answers.gaps)
    topics = {row["name"]: _topic(row, answers) for row in answers.topics if row.get("name") and _whole(row)}
    gaps += [
        Gap(f"topic {row.get('name')}", "it was not described completely", "left out")
        for row in answers.topics
        if not _whole(row)
    ]
    gaps += [
        Gap(f"rate of some partitions of {name}", "they were not read twice", "the mean of the others")
        for name, topic in topics.items()
        if 0 < len(topic.partition_records_per_s) < len(topic.replicas or ())
    ]
    window = _window(answers.readings)
    return Facts(
        sources=("live",),
        topics=topics,
        brokers={row["broker_id"]: _broker(row, answers) for row in answers.cluster.get("brokers", ())},
        groups={name: _group(name, row, answers) for name, row in answers.groups.items()},
        kafka_version=".".join(map(str, answers.version[:2])) if answers.version else None,
        controllers=_controllers(answers.quorum),
        tls=answers.tls,
        window_s=window,
        gaps=tuple(gaps),
    )


def _whole(row: Mapping[str, Any]) -> bool:
    """Whether every partition of a topic is named, with its replicas."""
    parts = row.get("partitions") or []
    numbers = sorted(part["partition_index"] for part in parts)
    return bool(parts) and numbers == list(range(len(parts))) and all(part["replica_nodes"] for part in parts)


def _window(readings: list[Reading]) -> float | None:
    if len(readings) < 2:  # noqa: PLR2004 - a rate is a difference
        return None
    first, last = readings[0], readings[-1]
    spans = [last.latest[key][1] - first.latest[key][1] for key in first.latest.keys() & last.latest.keys()]
    return sorted(spans)[len(spans) // 2] if spans else None


# Topics


def _topic(row: Mapping[str, Any], answers: Answers) -> TopicFacts:
    name = row["name"]
    parts = sorted(row["partitions"], key=lambda part: part["partition_index"])
    configs = answers.topic_configs.get(name, {})
    facts = TopicFacts(
        replicas=tuple(tuple(part["replica_nodes"]) for part in parts),
        configs={key: str(entry["value"]) for key, entry in configs.items() if entry.get("value") is not None},
        overrides=frozenset(_overrides(configs)) if configs else None,
        sample=answers.samples.get(name),
    )
    if not answers.readings:
        return facts
    last = answers.readings[-1]
    sizes = {(partition, broker): size for (topic, partition, broker), (size, _) in last.sizes.items() if topic == name}
    facts = replace(facts, sizes=sizes, records=_records(name, last))
    return _rated(name, facts, answers.readings, parts)


def _overrides(configs: Mapping[str, Any]) -> Iterator[str]:
    for key, entry in configs.items():
        if "TOPIC" in str(entry.get("config_source", "")):
            yield key


def _records(name: str, reading: Reading) -> float | None:
    """Offsets between first and next of all partitions; for topics that are not compacted these are the records."""
    known = [key for key in reading.latest if key[0] == name and key in reading.earliest]
    return float(sum(reading.latest[key][0] - reading.earliest[key] for key in known)) if known else None


def _rated(name: str, facts: TopicFacts, readings: list[Reading], parts: list[Any]) -> TopicFacts:
    """Rates and bytes per record, by difference of two readings."""
    first, last = readings[0], readings[-1]
    rates: dict[int, float] = {}
    written = 0
    for part in parts:
        key = (name, part["partition_index"])
        if first is last or key not in first.latest or key not in last.latest:
            continue
        (before, began), (after, ended) = first.latest[key], last.latest[key]
        if ended > began and after >= before:  # a topic made anew starts again at 0
            rates[key[1]] = (after - before) / (ended - began)
            written += after - before
    per_record = _growing_bytes(name, facts, readings, rates) if written >= _LEAST_RECORDS else None
    compacted = "compact" in facts.configs.get("cleanup.policy", "delete")
    if per_record is None and facts.records and not compacted:
        per_record = _kept_bytes(facts)
    # a partition that was not read twice counts as the mean of the others; `facts_of` says so
    total = sum(rates.values()) * len(parts) / len(rates) if rates else None
    return replace(
        facts,
        partition_records_per_s=rates,
        records_per_s=total,
        wire_bytes_per_record=per_record,
        wire_bytes_per_s=None if total is None or per_record is None else total * per_record,
    )


def _growing_bytes(name: str, facts: TopicFacts, readings: list[Reading], rates: Mapping[int, float]) -> float | None:
    """Bytes per record of what was written meanwhile: growth of the logs, where nothing was deleted, over offsets."""
    first, last = readings[0], readings[-1]
    records_per_s = bytes_per_s = 0.0
    for partition, rate in rates.items():
        key = (name, partition)
        if first.earliest.get(key) != last.earliest.get(key) or key not in last.earliest:
            continue
        growth = [
            (last.sizes[where][0] - first.sizes[where][0]) / (last.sizes[where][1] - first.sizes[where][1])
            for broker in (facts.replicas or ())[partition]
            if (where := (name, partition, broker)) in first.sizes
            and where in last.sizes
            and last.sizes[where][1] > first.sizes[where][1]
        ]
        if growth and min(growth) >= 0 and rate > 0:
            records_per_s += rate
            bytes_per_s += max(growth)
    return bytes_per_s / records_per_s if bytes_per_s > 0 else None


def _kept_bytes(facts: TopicFacts) -> float | None:
    """Bytes per record of all that is kept."""
    largest: dict[int, float] = {}
    for (partition, _), size in facts.sizes.items():
        largest[partition] = max(largest.get(partition, 0.0), size)
    size = sum(largest.values())
    return size / facts.records if size and facts.records and len(largest) == len(facts.replicas or ()) else None


# Brokers and groups


def _broker(row: Mapping[str, Any], answers: Answers) -> BrokerFacts:
    number = row["broker_id"]
    parts = []
    for part in answers.log_dirs.get(number, ()):
        if part.get("error_code"):
            continue
        size = sum(entry["partition_size"] for topic in part["topics"] for entry in topic["partitions"])
        parts.append(LogDir(part["log_dir"], _known(part, "total_bytes"), _known(part, "usable_bytes"), float(size)))
    configs = answers.broker_configs.get(number, {})
    # values that Kafka itself marks as secret come without text
    kept = {key: str(entry["value"]) for key, entry in configs.items() if entry.get("value") not in (None, "")}
    return BrokerFacts(row.get("rack"), bool(row.get("is_fenced")), tuple(parts), kept)


def _known(part: Mapping[str, Any], key: str) -> float | None:
    value = part.get(key)
    return float(value) if isinstance(value, int) and value > 0 else None


def _controllers(quorum: Mapping[str, Any] | None) -> tuple[int, ...] | None:
    if not quorum:
        return None
    return tuple(
        sorted(
            voter["replica_id"]
            for topic in quorum.get("topics", ())
            for part in topic["partitions"]
            for voter in part.get("current_voters", ())
        )
    )


def _group(name: str, row: Mapping[str, Any], answers: Answers) -> GroupFacts:
    described = row.get("described") or {}
    members = described.get("members")
    kind = str(row.get("group_type") or "classic").lower()
    protocol: str | None = kind if kind in ("consumer", "share") else None
    if protocol is None and members:
        protocol = "cooperative" if "cooperative" in str(described.get("protocol_data", "")) else "eager"
    by_topic: dict[str, int] = {}
    for member in members or ():
        for topic in set(_topics_of(member)):
            by_topic[topic] = by_topic.get(topic, 0) + 1
    static = [bool(member.get("group_instance_id") or member.get("instance_id")) for member in members or ()]
    return GroupFacts(
        protocol=protocol,
        state=described.get("group_state") or row.get("group_state"),
        members=None if members is None else len(members),
        static_membership=all(static) if static else None,
        members_by_topic=by_topic,
        lag_by_topic=_lag(name, answers.readings),
        committed_per_s=_committed_per_s(name, answers.readings),
    )


def _topics_of(member: Mapping[str, Any]) -> Iterator[str]:
    """Topics that a member subscribes to or has partitions of."""
    yield from member.get("subscribed_topic_names") or ()
    assignment = member.get("assignment")
    if isinstance(assignment, Mapping):
        yield from (part["topic_name"] for part in assignment.get("topic_partitions") or ())
    subscribed = member.get("member_metadata")
    if isinstance(subscribed, Mapping):
        yield from subscribed.get("topics") or ()
    assigned = member.get("member_assignment")
    if isinstance(assigned, Mapping):
        yield from (part["topic"] for part in assigned.get("assigned_partitions") or ())


def _lag(name: str, readings: list[Reading]) -> dict[str, float]:
    """Records that a group has yet to read, by topic, at the last moment when its offsets were known."""
    for reading in reversed(readings):
        if name in reading.committed:
            found: dict[str, float] = {}
            for key, offset in reading.committed[name].items():
                end = reading.latest.get(key, (offset, 0.0))[0]
                found[key[0]] = found.get(key[0], 0.0) + max(0, end - offset)
            return found
    return {}


def _committed_per_s(name: str, readings: list[Reading]) -> dict[str, float]:
    """Records a second that a group moved on by, by topic."""
    known = [row for row in readings if name in row.committed and row.committed_at is not None]
    if len(known) < 2:  # noqa: PLR2004 - a rate is a difference
        return {}
    first, last = known[0], known[-1]
    span = (last.committed_at or 0.0) - (first.committed_at or 0.0)
    found: dict[str, float] = {}
    for key, offset in last.committed[name].items():
        before = first.committed[name].get(key)
        if before is not None and span > 0:
            found[key[0]] = found.get(key[0], 0.0) + max(0, offset - before) / span
    return found
