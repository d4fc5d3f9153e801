"""One scrape of kafka_exporter or kminion, in the text format of Prometheus.

Only the moment is in it: partitions, sizes, offsets, groups, but no rates; for those ask Prometheus itself.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from planner.fields import InputError, ScenarioError, refusal, shorten
from planner.sources.facts import BrokerFacts, Facts, GroupFacts, TopicFacts
from planner.sources.kafka_tools import check_size
from planner.validation import capped

MAX_BYTES = 100_000_000  # 200,000 partitions with their groups
_MOST_SAMPLES = 2_000_000
_MOST_PARTITIONS = 100_000
_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(,|$)')
_ESCAPED = {"n": "\n", "\\": "\\", '"': '"'}
_TOPIC = re.compile(r"[a-zA-Z0-9._-]{1,249}")
_VERSION = re.compile(r"v?([0-9]{1,2}\.[0-9]{1,2})(?:\.[0-9]{1,2})?")


@dataclass(frozen=True, slots=True)
class Point:
    """One line: a name, labels, a value."""

    name: str
    labels: Mapping[str, str]
    value: float


def points_of(text: str, wanted: Iterable[str] = ()) -> Iterator[Point]:
    r"""Every sample of a scrape whose name is wanted.

    Examples
    --------
    >>> next(points_of('# HELP a b\na{x="y"} 3\n', ["a"]))
    Point(name='a', labels={'x': 'y'}, value=3.0)
    """
    names = frozenset(wanted)
    errors: list[InputError] = []
    for number, line in enumerate(text.splitlines(), start=1):
        match = _NAME.match(line)
        if match is None or (names and match[0] not in names):
            continue  # a comment, an empty line, or another metric
        point = _point(match[0], line[match.end() :].strip())
        if point is None:
            errors.append(InputError(f"line {number}", shorten(line), "This is no sample.", 'name{label="value"} 1'))
            if len(errors) > 10:  # noqa: PLR2004 - it will not get better
                break
        else:
            yield point
    if errors:
        raise ScenarioError(capped(errors))


def _point(name: str, rest: str) -> Point | None:
    labels: dict[str, str] = {}
    if rest.startswith("{"):
        end = _closing(rest)
        if end < 0:
            return None
        position, inner = 0, rest[1:end]
        while position < len(inner.rstrip()):
            match = _LABEL.match(inner, position)
            if match is None:
                return None
            labels[match[1]] = re.sub(r"\\(.)", lambda hit: _ESCAPED.get(hit[1], hit[1]), match[2])
            position = match.end()
        rest = rest[end + 1 :]
    words = rest.split()
    try:
        value = float(words[0]) if words else math.nan
    except ValueError:
        return None
    return Point(name, labels, value) if math.isfinite(value) else None


def _closing(text: str) -> int:
    """Where the labels end: the first brace outside quotes."""
    quoted = escaped = False
    for index, char in enumerate(text):
        if escaped:
            escaped = False
        elif char == "\\":
            escaped = True
        elif char == '"':
            quoted = not quoted
        elif char == "}" and not quoted:
            return index
    return -1


# What the two exporters call things: metric, label of the topic, label of the partition or group

_KMINION = "kminion_kafka_"
_COUNTS = {"kafka_topic_partitions": "topic"}
_LATEST = {
    "kafka_topic_partition_current_offset": ("topic", "partition"),
    f"{_KMINION}topic_partition_high_water_mark": ("topic_name", "partition_id"),
}
_EARLIEST = {
    "kafka_topic_partition_oldest_offset": ("topic", "partition"),
    f"{_KMINION}topic_partition_low_water_mark": ("topic_name", "partition_id"),
}
_REPLICAS = {"kafka_topic_partition_replicas": ("topic", "partition")}
_LAG = {
    "kafka_consumergroup_lag": ("consumergroup", "topic"),
    f"{_KMINION}consumer_group_topic_lag": ("group_id", "topic_name"),
}
_MEMBERS = {"kafka_consumergroup_members": "consumergroup", f"{_KMINION}consumer_group_members": "group_id"}
_TOPIC_MEMBERS = f"{_KMINION}consumer_group_topic_members"
_SIZES = f"{_KMINION}topic_log_dir_size_total_bytes"
_INFO = f"{_KMINION}topic_info"
_BROKER = f"{_KMINION}broker_info"
_CLUSTER = f"{_KMINION}cluster_info"
_GROUP = f"{_KMINION}consumer_group_info"
_ALL = (*_COUNTS, *_LATEST, *_EARLIEST, *_REPLICAS, *_LAG, *_MEMBERS, _TOPIC_MEMBERS, _SIZES, _INFO, _BROKER, _CLUSTER)


def exported(text: str) -> Facts:
    r"""Topics, brokers and groups from a scrape of kafka_exporter or kminion.

    Parameters
    ----------
    text
        What `/metrics` answered.

    Returns
    -------
    Facts
        What is in it; metrics of others are passed over.

    Raises
    ------
    ScenarioError
        When a line is no sample, or nothing of the two exporters is in it.

    Examples
    --------
    >>> found = exported('kafka_topic_partitions{topic="orders"} 6\n').topics["orders"]
    >>> found.partitions
    6
    """
    check_size(text, "metrics", MAX_BYTES)
    seen = _Seen()
    for count, point in enumerate(points_of(text, (*_ALL, _GROUP))):
        if count >= _MOST_SAMPLES:
            raise refusal("There are too many samples.", "metrics", None, f"at most {_MOST_SAMPLES}")
        seen.note(point)
    if not seen.topics and not seen.groups and not seen.brokers:
        allowed = "metrics of kafka_exporter (kafka_topic_partitions, ...) or of kminion with its default prefix"
        raise refusal("There is no metric of kafka_exporter or kminion.", "metrics", None, allowed)
    return seen.facts()


class _Seen:
    """What the samples say, until all are there."""

    def __init__(self) -> None:
        self.topics: dict[str, TopicFacts] = {}
        self.groups: dict[str, GroupFacts] = {}
        self.brokers: dict[int, BrokerFacts] = {}
        self.version: str | None = None
        self._offsets: dict[str, dict[str, dict[int, float]]] = {}

    def note(self, point: Point) -> None:
        """One sample."""
        labels = point.labels
        if point.name in _COUNTS:
            self._topic(labels.get("topic"), partitions=_count(point.value))
        elif point.name in _LATEST or point.name in _EARLIEST:
            end = "latest" if point.name in _LATEST else "earliest"
            topic, partition = (_LATEST | _EARLIEST)[point.name]
            number = _number(labels.get(partition))
            if self._topic(labels.get(topic)) and number is not None:
                self._offsets.setdefault(labels[topic], {}).setdefault(end, {})[number] = point.value
        elif point.name in _REPLICAS:
            self._topic(labels.get("topic"), replication_factor=_count(point.value))
        elif point.name in _LAG:
            group, read = (labels.get(key) for key in _LAG[point.name])
            if group and read and _TOPIC.fullmatch(read):
                row = self.groups.get(group, GroupFacts())
                lag = {**row.lag_by_topic, read: row.lag_by_topic.get(read, 0.0) + max(0.0, point.value)}
                self.groups[group] = replace(row, lag_by_topic=lag)
        elif point.name in _MEMBERS:
            self._group(labels.get(_MEMBERS[point.name]), members=_count(point.value) or 0)
        else:
            self._kminion(point)

    def _kminion(self, point: Point) -> None:
        labels = point.labels
        if point.name == _INFO:
            policy = labels.get("cleanup_policy")
            self._topic(
                labels.get("topic_name"),
                partitions=_number(labels.get("partition_count")) or None,
                replication_factor=_number(labels.get("replication_factor")) or None,
                configs={"cleanup.policy": policy} if policy else {},
            )
        elif point.name == _SIZES:
            self._topic(labels.get("topic_name"), bytes_of_all_copies=point.value)
        elif point.name == _BROKER:
            number = _number(labels.get("broker_id"), 2**31)
            if number is not None:
                self.brokers[number] = BrokerFacts(rack=labels.get("rack_id") or None)
        elif point.name == _CLUSTER:
            match = _VERSION.match(labels.get("cluster_version", ""))
            self.version = match[1] if match else None
        elif point.name == _GROUP:
            cooperative = "cooperative" in labels.get("protocol", "")
            if labels.get("protocol"):
                self._group(labels.get("group_id"), protocol="cooperative" if cooperative else "eager")
        elif point.name == _TOPIC_MEMBERS:
            group, topic = labels.get("group_id"), labels.get("topic_name")
            if group and topic:
                row = self.groups.get(group, GroupFacts())
                members = {**row.members_by_topic, topic: _count(point.value) or 0}
                self.groups[group] = replace(row, members_by_topic=members)

    def _topic(self, name: str | None, **known: object) -> bool:
        if name is None or not _TOPIC.fullmatch(name):
            return False
        row = self.topics.get(name, TopicFacts())
        self.topics[name] = replace(row, **{key: value for key, value in known.items() if value})  # type: ignore[arg-type]
        return True

    def _group(self, name: str | None, **known: object) -> None:
        if name:
            self.groups[name] = replace(self.groups.get(name, GroupFacts()), **known)  # type: ignore[arg-type]

    def facts(self) -> Facts:
        """All of it."""
        for name, ends in self._offsets.items():
            latest, earliest = ends.get("latest", {}), ends.get("earliest", {})
            row = self.topics[name]
            known = latest.keys() & earliest.keys()
            kept = sum(latest[number] - earliest[number] for number in known)
            count = row.partitions or (max(latest) + 1 if latest else None)
            records = kept if known and len(known) == len(latest) and kept >= 0 else None
            self.topics[name] = replace(row, partitions=count, records=records)
        groups = {name: self._spread(row) for name, row in self.groups.items()}
        return Facts(
            sources=("metrics",),
            topics={name: _with_record_size(row) for name, row in self.topics.items()},
            brokers=self.brokers,
            groups=groups,
            kafka_version=self.version,
        )

    def _spread(self, row: GroupFacts) -> GroupFacts:
        """kafka_exporter tells a group's members and its topics, but not who reads what: all may read all."""
        if row.members_by_topic or not row.members:
            return row
        return replace(row, members_by_topic=dict.fromkeys(row.lag_by_topic, row.members))


def _with_record_size(row: TopicFacts) -> TopicFacts:
    size, copies = row.bytes_of_all_copies, row.replication_factor
    compacted = "compact" in row.configs.get("cleanup.policy", "")
    if not size or not row.records or not copies or compacted:
        return row
    return replace(row, wire_bytes_per_record=size / copies / row.records)


def _count(value: float) -> int | None:
    return int(value) if 0 <= value <= _MOST_PARTITIONS else None


def _number(text: str | None, below: int = _MOST_PARTITIONS) -> int | None:
    good = text is not None and text.isascii() and text.isdecimal() and len(text) < 12 and int(text) < below  # noqa: PLR2004 - longer than any
    return int(text) if good and text is not None else None
