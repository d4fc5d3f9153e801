"""Topics as commands of Kafka's own tools: create them, or bring existing ones to the plan."""

from __future__ import annotations

import math
from collections.abc import Iterator

from planner.reports.artefacts.writing import Artefact, option, script
from planner.results import Plan
from planner.scenario import Topic

_LARGEST_INT = 2**31 - 1  # segment.bytes is an int of Java


def topic_settings(topic: Topic) -> dict[str, str | int]:
    """What is configured for a topic, by Kafka's names."""
    found: dict[str, str | int] = {
        "cleanup.policy": topic.cleanup,
        "min.insync.replicas": topic.effective_min_insync_replicas,
        "segment.bytes": min(round(topic.segment.bytes), _LARGEST_INT),
        "segment.ms": _ms(topic.segment.time),
    }
    if topic.deleted:
        found["retention.ms"] = _ms(topic.retention.time)
        limit = topic.retention.bytes_per_partition
        found["retention.bytes"] = -1 if limit is None else round(limit)
    if topic.compacted:
        found["min.cleanable.dirty.ratio"] = f"{topic.compaction.min_dirty_ratio:g}"
        found["delete.retention.ms"] = _ms(topic.compaction.delete_retention)
    if topic.tiered is not None:
        found |= _tiered(topic)
    return found


def _tiered(topic: Topic) -> dict[str, str | int]:
    """Tiering; -2 keeps on the brokers what retention keeps."""
    assert topic.tiered is not None  # noqa: S101 - the caller looked
    time, size = topic.tiered.local_time, topic.tiered.local_bytes_per_partition
    return {
        "remote.storage.enable": "true",
        "local.retention.ms": -2 if time is None else _ms(time),
        "local.retention.bytes": -2 if size is None else round(size),
    }


def _ms(seconds: float) -> int:
    return -1 if math.isinf(seconds) else round(seconds * 1000)


def _value(value: str | int) -> str:
    """A value of kafka-configs; brackets keep a list together."""
    return f"[{value}]" if "," in str(value) else str(value)


def topic_scripts(plan: Plan) -> Iterator[Artefact]:
    """The scripts that create and change the topics."""
    about = ("Creates the topics that are not there yet; existing ones stay as they are.",)
    body = "\n".join(_create(plan, topic) for topic in plan.scenario.topics)
    yield Artefact("topics-create.sh", "creates the topics", script(plan.name, about, body + "\n"))
    warned = (
        "Sets what the plan says of topics that exist. With --partitions it raises partition counts as well:",
        "from then on keys go to other partitions, and the order of a key is lost at that moment",
        "(kafka-planner repartition says what else breaks). A count can never be lowered again, and Kafka refuses the",
        "count that a topic has already: the script goes on, and ends with status 1.",
    )
    settings = "\n".join(_alter(topic) for topic in plan.scenario.topics)
    counts = "\n".join(_grow(plan, topic) for topic in plan.scenario.topics)
    body = f'{settings}\n\nif [ "${{1:-}}" = --partitions ]; then\n    failed=0\n{counts}\n    exit "$failed"\nfi\n'
    yield Artefact("topics-alter.sh", "brings existing topics to the plan", script(plan.name, warned, body))


def _create(plan: Plan, topic: Topic) -> str:
    found = plan.topics[topic.name]
    parts = [
        "kafka kafka-topics --create --if-not-exists",
        option("topic", topic.name),
        f"--partitions {found.partitions} --replication-factor {found.replication_factor}",
        *(option("config", f"{key}={value}") for key, value in topic_settings(topic).items()),
    ]
    return " \\\n    ".join(parts)


def _alter(topic: Topic) -> str:
    settings = ",".join(f"{key}={_value(value)}" for key, value in topic_settings(topic).items())
    words = (option("entity-name", topic.name), option("add-config", settings))
    return "kafka kafka-configs --alter --entity-type topics " + " \\\n    ".join(words)


def _grow(plan: Plan, topic: Topic) -> str:
    """`--alter` reads the name as a regular expression, in which a dot stands for any character."""
    name = topic.name.replace(".", "\\.")
    count = plan.topics[topic.name].partitions
    return f"    kafka kafka-topics --alter {option('topic', name)} --partitions {count} || failed=1"
