"""What adding partitions to a topic breaks for its readers, and for how long."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from planner.constants import constant
from planner.model import repartition
from planner.scenario import ConsumerGroup, Scenario, Topic
from planner.trace import Note
from planner.units import format_quantity, listed

_STREAMS_TOPICS = ("-changelog", "-repartition")  # how Kafka Streams names what an application keeps
_NAMED = 6  # names listed in one message
_names = partial(listed, most=_NAMED)


@dataclass(frozen=True, slots=True)
class Break:
    """One thing that a change in place breaks."""

    code: str
    message: str
    action: str
    lasts_s: float | None
    lasts_s_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """A consumer group of the topic, as far as it can be told how fast it reads."""

    name: str
    rate_per_s: float
    capacity_per_s: float
    capacity_given: bool
    waiting_records: float
    drain_s: float  # while producers are stopped
    catch_up_s: float  # while they go on; infinite when never
    static_members: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """The topic's average rate, what a record weighs, and what one partition lets through."""

    records_per_s: float
    wire_bytes_per_record: float
    partitions: int
    lag_s: float


def groups_of(topic: Topic, reading: Reading, note: Note) -> tuple[Group, ...]:
    """How fast each group reads what is waiting."""
    return tuple(_group(topic, group, reading, note) for group in topic.consumers)


def _group(topic: Topic, group: ConsumerGroup, reading: Reading, note: Note) -> Group:
    rate = reading.records_per_s * group.read_fraction
    each, given = _member_rate(topic, group, reading)
    prefix = f"groups.{group.group}"
    capacity = note(
        f"{prefix}.capacity_records_per_s",
        repartition.group_capacity_records_per_s,
        partitions=float(reading.partitions),
        members=float(min(group.members or reading.partitions, reading.partitions)),
        member_records_per_s=each,
    )
    waiting = rate * reading.lag_s
    times = {
        name: float(
            note(
                f"{prefix}.{name}",
                repartition.read_out_s,
                waiting_records=waiting,
                capacity_records_per_s=float(capacity),
                records_per_s=arriving,
            )
        )
        for name, arriving in (("drain_s", 0.0), ("catch_up_s", rate))
    }
    return Group(group.group, rate, float(capacity), given, waiting, **times, static_members=group.static_membership)


def _member_rate(topic: Topic, group: ConsumerGroup, reading: Reading) -> tuple[float, bool]:
    """Records per second of one member, and whether the scenario says so."""
    if group.records_per_s_per_member is not None:
        return group.records_per_s_per_member, True
    if group.processing_time is not None:
        return 1 / group.processing_time, True
    given = topic.partition_throughput.consume if topic.partition_throughput is not None else None
    bytes_per_s = given if given is not None else constant("partitions.consume_bytes_per_s")
    owned = math.ceil(reading.partitions / min(group.members or reading.partitions, reading.partitions))
    return bytes_per_s * owned / max(reading.wire_bytes_per_record, 1.0), False


def hashed(topic: Topic) -> bool:
    """Whether a record's key decides its partition."""
    return topic.record.key_bytes is not None


def ordered(topic: Topic) -> bool:
    """Whether readers rely on the order of a key; keyed records are taken to be ordered unless said otherwise."""
    return hashed(topic) and (topic.keys is None or topic.keys.ordered)


def moved_records(topic: Topic, moved: float, note: Note) -> tuple[float, float, float, str | None]:
    """Share of the records that move: expected, and within two standard deviations; and why there is no range."""
    if not hashed(topic):
        return 0.0, 0.0, 0.0, "records without a key go anywhere"
    keys = topic.keys
    if keys is None or (keys.unique is None and keys.top_key_fraction is None):
        return moved, moved, moved, "keys.unique and their skew are not given, so many even keys are assumed"
    unique = keys.unique if keys.unique is not None else math.inf
    top = keys.top_key_fraction
    if top is not None:
        concentration = note(
            "key_concentration_fraction",
            repartition.top_key_concentration_fraction,
            top_key_fraction=top,
            unique_keys=min(unique, 1e15),
        )
    else:
        concentration = note(
            "key_concentration_fraction",
            repartition.zipf_concentration_fraction,
            unique_keys=unique,
            zipf_exponent=keys.zipf_exponent,
        )
    deviation = float(
        note(
            "moved_record_deviation_fraction",
            repartition.moved_record_deviation_fraction,
            moved_key_fraction=moved,
            key_concentration_fraction=concentration,
        )
    )
    return moved, max(moved - 2 * deviation, 0.0), min(moved + 2 * deviation, 1.0), None


def partners_of(scenario: Scenario, topic: Topic, counts: dict[str, int]) -> tuple[str, ...]:
    """Other topics with as many partitions that one of the topic's groups reads as well: they may be joined with it."""
    readers = {group.group for group in topic.consumers}
    return tuple(
        other.name
        for other in scenario.topics
        if other.name != topic.name
        and hashed(other)
        and counts[other.name] == counts[topic.name]
        and readers & {group.group for group in other.consumers}
    )


def streams_topics(scenario: Scenario, topic: Topic) -> dict[str, tuple[str, ...]]:
    """Topics in which Kafka Streams keeps the state of a group that reads the topic, by group."""
    found = {
        group.group: tuple(
            other.name
            for other in scenario.topics
            if other.name.startswith(f"{group.group}-") and other.name.endswith(_STREAMS_TOPICS)
        )
        for group in topic.consumers
    }
    return {group: names for group, names in found.items() if names}


def keeps_state(scenario: Scenario) -> bool:
    """Whether the scenario says that its readers keep state by key."""
    questions = scenario.questions
    return "kafka_streams" in (questions.ecosystem or ()) or "stateful" in (questions.work or ())


def breaks_of(
    scenario: Scenario,
    topic: Topic,
    groups: Sequence[Group],
    *,
    partners: Sequence[str],
    moved: float,
    stale_bytes: float | None,
) -> Iterator[Break]:
    """What adding partitions in place breaks; nothing where no key decides a partition."""
    if not hashed(topic):
        return
    if ordered(topic) and topic.consumers:
        yield _key_order(topic, groups, moved)
    yield from _state(scenario, topic, moved)
    if topic.compacted and stale_bytes is not None:
        stale = format_quantity(stale_bytes, "bytes")
        yield Break(
            "compacted_stale",
            f"{moved:.0%} of the keys get a second latest value: the old one stays on the old partition, is never "
            f"compacted away there ({stale}), and a reader from the start may see it last.",
            "Copy into a new topic; or write a tombstone for every moved key to its old partition by hand.",
            None,
            "for good: compaction compares keys within one partition only",
        )
    if partners:
        yield Break(
            "co_partitioned",
            f"{_names(partners)} {'has' if len(partners) == 1 else 'have'} as many partitions and a reader in common; "
            "a join by key needs equal counts and finds no match for moved keys.",
            "Give all of them the same new count in the same stop.",
            None,
            "until all of them have the same count",
        )
    static = [group.name for group in groups if group.static_members]
    if static:
        yield Break(
            "static_members",
            f"Members of {_names(static)} keep their partitions by group.instance.id, and what they hold by key in "
            "memory or on disk belongs to keys that now arrive elsewhere.",
            "Empty what members keep by key before they start again.",
            None,
            "until they have been emptied",
        )


def _key_order(topic: Topic, groups: Sequence[Group], moved: float) -> Break:
    """Old records of a moved key wait on the old partition while new ones come on another."""
    metadata = constant("repartition.metadata_max_age_s")
    slowest = max(groups, key=lambda group: group.catch_up_s)
    lasts = metadata + slowest.catch_up_s
    kept = topic.retention.time if topic.deleted else math.inf
    bound = min(lasts, kept)
    what = (
        f"{moved:.0%} of the keys go to another partition. Until {slowest.name} has read what waits on the old one, "
        f"and until every producer knows of the new ones ({metadata:.0f} s), a key's records may be read out of order."
    )
    action = "Stop the producers and let all groups reach the end first."
    if math.isinf(bound):
        return Break(
            "key_order", what, action, None, f"for good: {slowest.name} is not faster than what arrives and never ends"
        )
    return Break("key_order", what, action, bound)


def _state(scenario: Scenario, topic: Topic, moved: float) -> Iterator[Break]:
    known = streams_topics(scenario, topic)
    for group, names in known.items():
        yield Break(
            "keyed_state",
            f"{group} is a Kafka Streams application: it stops, because {_names(names)} still "
            f"{'has' if len(names) == 1 else 'have'} the old count, and the state of {moved:.0%} of the keys is on "
            "another task.",
            "Reset it (kafka-streams-application-reset), and let it read its input again.",
            None,
            "until it has been reset",
        )
    if keeps_state(scenario) and not known:
        yield Break(
            "keyed_state",
            f"Readers keep state by key; for {moved:.0%} of the keys it is on another member afterwards. Kafka Streams "
            "refuses to start until its repartition and changelog topics have the new count.",
            "Rebuild the state from the topic.",
            None,
            "until it has been rebuilt",
        )
