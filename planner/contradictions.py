"""What the keys of a scenario may not say together: one rule, one error with its path.

The paths that a rule yields are relative to its section; `contradictions` puts the section before them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from planner.constants import constants
from planner.fields import InputError, labels_of, nearest, shorten

if TYPE_CHECKING:
    from planner.scenario import Assignment, Cluster, ConsumerGroup, Questions, Topic


def _rate_rules(topic: Topic) -> Iterator[InputError]:
    one = "exactly one of records_per_s and bytes_per_s"
    if topic.records_per_s is None and topic.bytes_per_s is None:
        yield InputError("records_per_s", None, "The topic has no rate; give records_per_s or bytes_per_s.", one)
    elif topic.records_per_s is not None and topic.bytes_per_s is not None:
        message = "The topic has two rates, records_per_s and bytes_per_s; give one."
        yield InputError("bytes_per_s", float(topic.bytes_per_s), message, one)
    elif topic.bytes_per_s and topic.bytes_per_s > 1e10 * topic.record.logical_bytes:
        message = f"Records of {topic.record.logical_bytes:g} bytes at this rate are more than 1e10 records per second."
        yield InputError("bytes_per_s", float(topic.bytes_per_s), message, "at most 1e10 records per second")
    if topic.records_per_s is not None and topic.transactions_per_s > topic.records_per_s:
        message = f"Each transaction writes at least one record, but records_per_s is {topic.records_per_s:g}."
        yield InputError("transactions_per_s", float(topic.transactions_per_s), message, "at most records_per_s")
    if topic.transactions_per_s > 0 and topic.acks != "all":
        yield InputError("acks", topic.acks, "Transactions need acks: all.", "all")


def _wire_rules(topic: Topic) -> Iterator[InputError]:
    codec, ratio = topic.compression.codec, topic.compression.ratio
    if codec != "none" and ratio is None:
        seen = constants()[f"measured.compression_ratio.{codec}"]
        message = (
            f"{codec} needs a ratio, measured on your own batches: on JSON log lines it was {seen.low:g} (one 500 B "
            f"record a batch) to {seen.high:g} (1000 records of 1 KiB), on random bytes 1."
        )
        allowed = f"logical bytes / wire bytes; measured {seen.low:g} to {seen.high:g} for {codec} on JSON log lines"
        yield InputError("compression.ratio", None, message, allowed)
    if codec == "none" and ratio is not None and ratio != 1:
        given = "codec" in topic.compression.model_fields_set
        message = "codec none cannot have a ratio." if given else "A ratio needs the codec that it was measured with."
        yield InputError("compression.codec", "none" if given else None, message, "gzip, snappy, lz4, zstd")
    derived = topic.batch.model_fields_set & {"linger", "size"}
    if topic.batch.records is not None and derived:
        message = "The batch is given by records, or derived from linger and size; give one of the two."
        yield InputError("batch.records", float(topic.batch.records), message, "records, or linger and size")


def _replication_rules(topic: Topic, cluster: Cluster | None) -> Iterator[InputError]:
    factor, least = topic.replication_factor, topic.min_insync_replicas
    if least is not None and least > factor:
        message = f"min_insync_replicas is above the replication factor, {factor}."
        yield InputError("min_insync_replicas", least, message, f"1 to {factor}")
    placed = None if cluster is None else cluster.brokers_placed
    in_lists = placed is not None and topic.name in placed.topics  # then a list of too few brokers tells
    brokers = None if cluster is None else cluster.brokers if in_lists else cluster.broker_count
    if brokers is not None and factor > brokers:
        message = f"The replication factor is above the number of brokers, {brokers}."
        yield InputError("replication_factor", factor, message, f"1 to {brokers}")
    if cluster is not None and cluster.version >= (4, 0) and topic.segment.bytes < 2**20:
        message = f"Kafka {cluster.kafka_version} refuses segments below 1 MiB."
        yield InputError("segment.bytes", float(topic.segment.bytes), message, "1 MiB to 2 GiB")


def _cleanup_rules(topic: Topic) -> Iterator[InputError]:
    if topic.compacted:
        if topic.record.key_bytes is None:
            yield InputError("record.key_bytes", None, "A compacted topic needs records with a key.", "a size in bytes")
        if topic.keys is None or topic.keys.unique is None:
            message = "A compacted topic keeps one record per key, so the number of keys is needed."
            yield InputError("keys.unique", None, message, "a count")
        if topic.tiered is not None:
            yield InputError("tiered", None, "Kafka does not tier compacted topics.", "null, or cleanup: delete")
    elif topic.compaction.model_fields_set & {"tombstone_fraction"} and topic.compaction.tombstone_fraction > 0:
        value = float(topic.compaction.tombstone_fraction)
        yield InputError("compaction.tombstone_fraction", value, "Only a compacted topic has tombstones.", "0")
    if topic.tiered is None:
        return
    local, kept = topic.tiered.local_time, topic.retention.time
    if local is not None and local > kept:
        message = f"The local part cannot be kept longer than the topic, {kept:g} s."
        yield InputError("tiered.local_time", float(local), message, "at most retention.time")
    local, limit = topic.tiered.local_bytes_per_partition, topic.retention.bytes_per_partition
    if local is not None and limit is not None and local > limit:
        message = f"The local part cannot be larger than the topic's retention, {limit:g} bytes per partition."
        yield InputError("tiered.local_bytes_per_partition", float(local), message, "at most bytes_per_partition")


def _key_rules(topic: Topic) -> Iterator[InputError]:
    keys = topic.keys
    if keys is None:
        return
    if keys.ordered and topic.record.key_bytes is None:
        said = "ordered" in keys.model_fields_set
        message = f"{'Order per key needs a key' if said else 'The topic has keys'}, but record.key_bytes is not given."
        allowed = "a size in bytes, or keys.ordered: no"
        yield InputError(
            "keys.ordered" if said else "record.key_bytes", keys.ordered if said else None, message, allowed
        )
    if keys.top_key_fraction is not None and keys.unique is not None:
        least = 1 / keys.unique
        if keys.top_key_fraction < least * (1 - 1e-9):
            message = f"The most frequent of {keys.unique:g} keys has at least 1/{keys.unique:g} of the records."
            value = float(keys.top_key_fraction)
            yield InputError("keys.top_key_fraction", value, message, f"from {least:g} to 1")


def _group_rules(group: ConsumerGroup, cluster: Cluster | None) -> Iterator[InputError]:
    if group.members is not None and group.max_members is not None and group.members > group.max_members:
        yield InputError(
            "members", group.members, f"members is above max_members, {group.max_members}.", f"1 to {group.max_members}"
        )
    if group.zones is None:
        return
    placed = sum(group.zones.values())
    if group.members is not None and placed != group.members:
        message = f"The zones hold {placed} members, but members is {group.members}."
        yield InputError("zones", None, message, f"{group.members} members in all")
    if cluster is None:
        return
    count = cluster.zone_count
    if len(group.zones) > count:
        message = f"{len(group.zones)} zones are named, but the cluster has {count}."
        yield InputError("zones", None, message, f"at most {count} zones")
    for zone in group.zones:
        if zone.isdecimal() and not 1 <= int(zone) <= count:
            message = f"There is no zone {zone}; zone numbers count from 1."
            yield InputError(f"zones.{zone}", zone, message, f"1 to {count}, or a name")


def topic_contradictions(topic: Topic, cluster: Cluster | None = None) -> Iterator[InputError]:
    """Yield what contradicts itself within one topic, and with the cluster when it is known."""
    yield from _rate_rules(topic)
    yield from _wire_rules(topic)
    yield from _replication_rules(topic, cluster)
    yield from _cleanup_rules(topic)
    yield from _key_rules(topic)
    labels = labels_of([group.group for group in topic.consumers])
    seen: set[str] = set()
    for label, group in zip(labels, topic.consumers, strict=True):
        if group.group in seen:
            message = f"The group {group.group} is listed twice on this topic."
            yield InputError(f"consumers.{label}.group", group.group, message, "each group once per topic")
        seen.add(group.group)
        for error in _group_rules(group, cluster):
            yield error.under(f"consumers.{label}")


def _name_rules(names: Sequence[object]) -> Iterator[InputError]:
    """Names must differ, also after Kafka's metrics turned dots into underscores (Kafka refuses such a pair)."""
    first: dict[str, int] = {}
    for index, name in enumerate(names):
        if not isinstance(name, str):
            continue
        earlier = first.setdefault(name.replace(".", "_"), index)
        if earlier == index:
            continue
        other = names[earlier]
        message = f"There are two topics called {shorten(name)}."
        if other != name:
            message = (
                f"Kafka refuses {shorten(name)} beside {shorten(other)}: dot and underscore are the same in metrics."
            )
        yield InputError(f"topics.{index}.name", shorten(name), message, "a name that no other topic has")


def _protocol_rules(topics: Mapping[int, Topic], labels: Sequence[str]) -> Iterator[InputError]:
    first: dict[str, tuple[str, str]] = {}
    for index, topic in topics.items():
        for label, group in zip(labels_of([g.group for g in topic.consumers]), topic.consumers, strict=True):
            protocol, where = first.setdefault(group.group, (group.protocol, labels[index]))
            if protocol != group.protocol:
                message = (
                    f"The group {group.group} uses protocol {protocol} on topic {where}; one group has one protocol."
                )
                path = f"topics.{labels[index]}.consumers.{label}.protocol"
                yield InputError(path, group.protocol, message, protocol)


def _cluster_rules(names: Sequence[object], topics: Mapping[int, Topic], cluster: Cluster) -> Iterator[InputError]:
    known = [name for name in names if isinstance(name, str)]
    lookup = set(known)
    for index, mirror in enumerate(cluster.mirror):
        for position, name in enumerate(mirror.topics or ()):
            if name not in lookup:
                path = f"mirror.{index}.topics.{position}"
                message = "The mirror names a topic that the scenario does not have."
                yield InputError(path, shorten(name), message, "a topic of the scenario", nearest(name, known[:1000]))
    placed = cluster.brokers_placed
    if placed is None:
        return
    count, given = len(placed.brokers), cluster.brokers
    # without racks, brokers that hold nothing are not named
    if given is not None and (count > given or (placed.racks is not None and count < given)):
        message = f"The assignment has {count} brokers, but cluster.brokers is {given}."
        yield InputError("brokers", given, message, str(count))
    if placed.racks is not None and "zones" in cluster.model_fields_set and cluster.zones != cluster.zone_count:
        message = f"The assignment has {cluster.zone_count} racks, but cluster.zones is {cluster.zones}."
        yield InputError("zones", cluster.zones, message, str(cluster.zone_count))
    by_name = {topic.name: topic for topic in topics.values()}
    for name, lists in placed.topics.items():
        if name not in lookup:
            message = "The assignment names a topic that the scenario does not have."
            yield InputError(
                f"brokers_placed.topics.{name}",
                shorten(name),
                message,
                "a topic of the scenario",
                nearest(name, known[:1000]),
            )
        elif name in by_name:
            yield from _placed_rules(by_name[name], lists, placed)


def _placed_rules(topic: Topic, lists: Sequence[Sequence[int]], placed: Assignment) -> Iterator[InputError]:
    path = f"brokers_placed.topics.{topic.name}"
    if topic.partitions is not None and topic.partitions != len(lists):
        message = f"The assignment has {len(lists)} partitions, but the topic says {topic.partitions}."
        yield InputError(path, len(lists), message, f"{topic.partitions} replica lists")
    for index, replicas in enumerate(lists):
        if len(set(replicas)) != len(replicas):
            yield InputError(path, index, f"Partition {index} has two replicas on one broker.", "distinct brokers")
        elif len(replicas) != topic.replication_factor:
            message = f"Partition {index} has {len(replicas)} replicas; the topic has {topic.replication_factor}."
            yield InputError(path, index, message, f"{topic.replication_factor} replicas")
        elif placed.racks is not None and not all(str(broker) in placed.racks for broker in replicas):
            yield InputError(path, index, f"Partition {index} names a broker that has no rack.", "brokers of racks")
        else:
            continue
        return  # the first bad partition tells enough


def _question_rules(questions: Questions) -> Iterator[InputError]:
    q = questions
    if q.events_per_s is not None and q.events_per_day is not None:
        message = "There are two rates, events_per_s and events_per_day; give one."
        yield InputError("events_per_day", float(q.events_per_day), message, "events_per_s or events_per_day")
    average = q.events_per_s if q.events_per_s is not None else None
    if average is None and q.events_per_day is not None:
        average = q.events_per_day / 86400
    if average is not None and q.bytes_per_s is not None and q.message_bytes is not None:
        message = "Events and message_bytes already give the bytes; leave bytes_per_s out."
        yield InputError("bytes_per_s", float(q.bytes_per_s), message, "bytes_per_s or message_bytes")
    if average is not None and q.peak_events_per_s is not None and q.peak_events_per_s < average:
        message = f"The peak is below the average, {average:g} per second."
        yield InputError("peak_events_per_s", float(q.peak_events_per_s), message, "at least the average")
    for product in sorted(set(q.existing or ()) & set(q.leaving or ())):
        message = f"{product} cannot run well (existing) and be the trouble (leaving)."
        yield InputError("leaving", product, message, "each product in one of the two lists")


def contradictions(
    names: Sequence[object], topics: Mapping[int, Topic], cluster: Cluster | None, questions: Questions | None
) -> Iterator[InputError]:
    """Yield everything that the parts contradict; parts that are invalid by themselves are left out by the caller.

    `names` holds the name of every topic as given, valid or not; `topics` the valid ones by position.
    """
    if not names and questions is not None and not questions.model_fields_set:
        yield InputError("topics", None, "There are no topics and no questions; give at least one.", "a list of topics")
    yield from _name_rules(names)
    labels = labels_of(names)
    for index, topic in topics.items():
        for error in topic_contradictions(topic, cluster):
            yield error.under(f"topics.{labels[index]}")
    yield from _protocol_rules(topics, labels)
    if cluster is not None:
        for error in _cluster_rules(names, topics, cluster):
            yield error.under("cluster")
    if questions is not None:
        for error in _question_rules(questions):
            yield error.under("questions")
