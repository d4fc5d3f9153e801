"""The runbook of each route, with the commands filled in. $BOOTSTRAP is the cluster's address."""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from planner.scenario import Topic
from planner.units import listed

_SERVER = '--bootstrap-server "$BOOTSTRAP"'
_GROUPS = f"kafka-consumer-groups {_SERVER}"
_TOPICS = f"kafka-topics {_SERVER}"


_STEPS = 3  # topics with a step each
_NAMED = 40  # topics named in one step


@dataclass(frozen=True, slots=True)
class Change:
    """What the steps are about."""

    topic: Topic
    before: int
    after: int
    groups: tuple[str, ...]
    partners: Mapping[str, tuple[str, ...]]  # topics that have to get the same count, with their groups
    streams: tuple[str, ...]  # applications of Kafka Streams
    new_name: str
    copier: str
    copier_bytes_per_s: float | None  # of each broker: a client quota holds for every broker on its own


def add_steps(change: Change) -> tuple[str, ...]:
    """Add partitions while everything runs."""
    topic = shlex.quote(change.topic.name)
    steps = [
        f"Look at it: {_TOPICS} --describe --topic {topic}",
        *_each_group("See that no group is far behind", "--describe", change.groups),
        f"Add partitions: {_alter(shlex.quote(change.topic.name), change.after)}",
        (
            "Wait 5 minutes (metadata.max.age.ms): until then producers and consumers may not know of the new "
            "partitions. Consumers with auto.offset.reset=latest skip what is written there before they know of it: "
            "let them have earliest before step 1."
        ),
        f"See that no replica is missing: {_TOPICS} --describe --topic {topic} --under-replicated-partitions",
    ]
    return tuple(steps)


def drain_steps(change: Change) -> tuple[str, ...]:
    """Stop the producers, let consumers finish, add partitions, start again."""
    names = (change.topic.name, *change.partners)
    steps = [
        *_listed(names, change.topic.name),
        f"Rehearse on a copy, and agree on the stop with all who write or read: {listed(names, _NAMED)}",
        "Stop all producers of these topics.",
        *_each_group("Repeat until LAG is 0 on every partition", "--describe", _readers(change)),
        "Stop all consumers of these groups." if change.groups else "Stop whatever else reads the topic.",
        *_each_topic("Add partitions", partial(_alter, after=change.after), names),
        *_new_offsets(change),
        *_resets(change.streams, change.topic.name),
        "Start the consumers, then the producers; both learn of the new partitions as they start.",
        f"See records on the new partitions: kafka-get-offsets {_SERVER} --topic {shlex.quote(change.topic.name)}",
    ]
    return tuple(steps)


def cutover_steps(change: Change) -> tuple[str, ...]:
    """Make a new topic, copy, move consumers, then producers."""
    old, new = shlex.quote(change.topic.name), shlex.quote(change.new_name)
    copier = shlex.quote(change.copier)
    steps = [_create(change)]
    if change.copier_bytes_per_s is not None:
        rate = math.ceil(change.copier_bytes_per_s)
        steps.append(
            f"Hold the copier back ({rate} bytes/s on each broker): kafka-configs {_SERVER} --alter --entity-type "
            f"clients --entity-name {copier} --add-config producer_byte_rate={rate},consumer_byte_rate={rate}"
        )
    steps += [
        (
            f"Start the copier from {old} to {new}: group.id and client.id {copier}, auto.offset.reset=earliest, "
            "isolation.level=read_committed, acks=all, enable.idempotence=true, the producers' partitioner; it passes "
            "on key, value, headers and timestamp. MirrorMaker 2 does not do: it keeps each record's partition number."
        ),
        f"Repeat until its LAG is near 0: {_GROUPS} --describe --group {copier}",
        *_resets(change.streams, change.topic.name),
        *_move_consumers(change),
        f"Stop the producers; repeat until the copier's LAG is 0: {_GROUPS} --describe --group {copier}",
        f"Stop the copier, and start the producers on {new}.",
        *_quota_gone(change, copier),
        f"When nothing reads or writes the old topic any more: {_TOPICS} --delete --topic {old}",
    ]
    return tuple(steps)


def _quota_gone(change: Change, copier: str) -> Iterator[str]:
    if change.copier_bytes_per_s is not None:
        yield (
            f"Take the quota away: kafka-configs {_SERVER} --alter --entity-type clients --entity-name {copier} "
            "--delete-config producer_byte_rate,consumer_byte_rate"
        )


def _create(change: Change) -> str:
    topic = change.topic
    settings: dict[str, str | float] = {
        "cleanup.policy": topic.cleanup,
        "min.insync.replicas": topic.effective_min_insync_replicas,
        "segment.bytes": int(topic.segment.bytes),
        "segment.ms": _ms(topic.segment.time),
    }
    if topic.deleted:
        settings["retention.ms"] = -1 if math.isinf(topic.retention.time) else _ms(topic.retention.time)
        if topic.retention.bytes_per_partition is not None:
            settings["retention.bytes"] = math.ceil(topic.retention.bytes_per_partition * change.before / change.after)
    if topic.compacted:
        settings["min.cleanable.dirty.ratio"] = topic.compaction.min_dirty_ratio
        settings["delete.retention.ms"] = _ms(topic.compaction.delete_retention)
    listed = " ".join(f"--config {shlex.quote(f'{key}={value}')}" for key, value in settings.items())
    return (
        f"Make the new topic: {_TOPICS} --create --topic {shlex.quote(change.new_name)} --partitions {change.after} "
        f"--replication-factor {topic.replication_factor} {listed}. Carry over its other settings and its ACLs "
        f"(kafka-configs {_SERVER} --describe --entity-type topics --entity-name {shlex.quote(topic.name)})."
    )


def _ms(seconds: float) -> int:
    return math.ceil(seconds * 1000)


def _alter(name: str, after: int) -> str:
    return f"{_TOPICS} --alter --topic {name} --partitions {after}"


def _each_group(what: str, options: str, groups: Sequence[str]) -> Iterator[str]:
    for group in groups:
        yield f"{what}: {_GROUPS} {options} --group {shlex.quote(group)}"


def _readers(change: Change) -> tuple[str, ...]:
    """Groups of the topic and of those that change with it, each once."""
    return tuple(dict.fromkeys([*change.groups, *(group for groups in change.partners.values() for group in groups)]))


def _new_offsets(change: Change) -> Iterator[str]:
    """The groups are stopped: let them begin at the start of the new partitions, whatever auto.offset.reset says."""
    read = {change.topic.name: change.groups, **change.partners}
    fresh = f'"$(seq -s, {change.before} {change.after - 1})"'

    def reset(name: str, group: str) -> str:
        return f"{_GROUPS} --reset-offsets --to-earliest --topic {name}:{fresh} --group {shlex.quote(group)} --execute"

    for group in _readers(change):
        names = [name for name, groups in read.items() if group in groups]
        what = "Begin at the start of the new partitions"
        what += f", of $TOPICS those that {group} reads" if len(names) > _NAMED else ""
        yield from _each_topic(what, partial(reset, group=group), names)


def _each_topic(what: str, command: Callable[[str], str], names: Sequence[str]) -> Iterator[str]:
    """A command for each topic: few in steps of their own, more in a loop, very many from a file."""
    if len(names) <= _STEPS:
        for name in names:
            yield f"{what}: {command(shlex.quote(name))}"
    else:
        over = " ".join(map(shlex.quote, names)) if len(names) <= _NAMED else '$(cat "$TOPICS")'
        looped = command('"$NAME"')
        yield f"{what}: for NAME in {over}; do {looped}; done"


def _listed(names: Sequence[str], topic: str) -> Iterator[str]:
    if len(names) > _NAMED:
        yield (
            f"Write the topics that change together, one a line, into a file and its name into $TOPICS: {topic} and "
            f"those of its {len(names) - 1} partners (--format json lists them) that are joined with it."
        )


def _resets(applications: Sequence[str], topic: str) -> Iterator[str]:
    for application in applications:
        yield (
            f"Stop the Kafka Streams application {shlex.quote(application)} and reset it: "
            f"kafka-streams-application-reset {_SERVER} --application-id {shlex.quote(application)} --input-topics "
            f"{shlex.quote(topic)}; remove its local state directories (cleanUp)."
        )


def _move_consumers(change: Change) -> Iterator[str]:
    new = shlex.quote(change.new_name)
    for group in change.groups:
        if group in change.streams:
            yield f"Start the application {shlex.quote(group)} on {new}; it reads the topic from the start."
            continue
        quoted = shlex.quote(group)
        yield (
            f"Move the group {quoted}: stop its members; note the time T of its oldest unread record (by {_GROUPS} "
            f'--describe --group {quoted}); {_GROUPS} --reset-offsets --to-datetime "$T" --topic {new} --group '
            f"{quoted} --execute; start the members on {new}. Offsets of the two topics have nothing in common, so "
            "records written after T are read twice."
        )
