"""What is known about a running cluster, wherever it was read: every source fills in what it sees, nothing is guessed.

A source yields `Facts`; `joined` puts those of several sources together; `planner.sources.conversion` makes a scenario
of them and says what had to be assumed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeVar

Key = TypeVar("Key")
Row = TypeVar("Row")

# topics of Kafka's own, which the planner counts by itself
INTERNAL = frozenset({"__consumer_offsets", "__transaction_state", "__share_group_state", "__cluster_metadata"})


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that could not be read: what, why, and what stands in its place."""

    what: str
    why: str
    instead: str = ""


@dataclass(frozen=True, slots=True)
class Sample:
    """Record batches that were read from a topic's log: sums over all of them."""

    batches: int
    records: int
    wire_bytes: int
    section_bytes: int  # of the records before compression
    compressed_bytes: int  # of the same as stored
    key_bytes: int
    keyed_records: int
    value_bytes: int
    headers: Mapping[str, tuple[int, int]]  # by name: how often, and bytes of its values
    codecs: Mapping[str, int]  # batches by codec


@dataclass(frozen=True, slots=True)
class TopicFacts:
    """One topic, as far as it was seen."""

    replicas: tuple[tuple[int, ...], ...] | None = None  # of each partition, preferred leader first
    partitions: int | None = None
    replication_factor: int | None = None
    configs: Mapping[str, str] = field(default_factory=dict)
    overrides: frozenset[str] | None = None  # the settings that were made for this topic
    sizes: Mapping[tuple[int, int], float] = field(default_factory=dict)  # bytes by partition and broker
    bytes_of_all_copies: float | None = None  # where the single replicas are not known
    records: float | None = None  # between the first and the last offset of all partitions
    records_per_s: float | None = None
    partition_records_per_s: Mapping[int, float] = field(default_factory=dict)
    wire_bytes_per_s: float | None = None
    wire_bytes_per_record: float | None = None
    peak_ratio: float | None = None
    sample: Sample | None = None


@dataclass(frozen=True, slots=True)
class LogDir:
    """One log directory of a broker; capacity and free space are those of its volume."""

    path: str
    capacity_bytes: float | None
    free_bytes: float | None
    log_bytes: float | None


@dataclass(frozen=True, slots=True)
class BrokerFacts:
    """One broker, as far as it was seen."""

    rack: str | None = None
    fenced: bool = False
    log_dirs: tuple[LogDir, ...] = ()
    configs: Mapping[str, str] = field(default_factory=dict)
    vcpu: float | None = None
    network_in_bytes_per_s: float | None = None
    network_out_bytes_per_s: float | None = None


@dataclass(frozen=True, slots=True)
class GroupFacts:
    """One consumer group, as far as it was seen."""

    protocol: str | None = None  # eager, cooperative, consumer, share
    state: str | None = None
    members: int | None = None
    static_membership: bool | None = None
    members_by_topic: Mapping[str, int] = field(default_factory=dict)
    lag_by_topic: Mapping[str, float] = field(default_factory=dict)
    committed_per_s: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rates:
    """What the whole cluster does, at its peak where a range was looked at."""

    wire_in_bytes_per_s: float | None = None
    wire_out_bytes_per_s: float | None = None
    requests_per_s: float | None = None
    cpu_fraction: float | None = None
    brokers: int | None = None
    growth_per_year: float | None = None
    growth_per_year_low: float | None = None
    growth_per_year_high: float | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """All that one source, or several together, say about a cluster."""

    sources: tuple[str, ...] = ()
    topics: Mapping[str, TopicFacts] = field(default_factory=dict)
    brokers: Mapping[int, BrokerFacts] = field(default_factory=dict)
    any_broker: BrokerFacts | None = None  # for whatever is not known of a single one
    groups: Mapping[str, GroupFacts] = field(default_factory=dict)
    kafka_version: str | None = None
    controllers: tuple[int, ...] | None = None
    tls: bool | None = None
    rates: Rates = Rates()
    window_s: float | None = None
    gaps: tuple[Gap, ...] = ()


def joined(all_facts: Iterable[Facts]) -> Facts:
    """Facts of several sources in one; where two know the same thing, the earlier one is kept.

    Examples
    --------
    >>> first = Facts(topics={"t": TopicFacts(records_per_s=5.0)})
    >>> second = Facts(topics={"t": TopicFacts(records_per_s=7.0, partitions=3)}, kafka_version="4.3")
    >>> both = joined([first, second])
    >>> both.topics["t"].records_per_s, both.topics["t"].partitions, both.kafka_version
    (5.0, 3, '4.3')
    """
    found = Facts()
    for facts in all_facts:
        found = Facts(
            sources=found.sources + facts.sources,
            topics=_by_name(found.topics, facts.topics),
            brokers=_by_name(found.brokers, facts.brokers),
            any_broker=found.any_broker or facts.any_broker,
            groups=_by_name(found.groups, facts.groups),
            kafka_version=found.kafka_version or facts.kafka_version,
            controllers=found.controllers if found.controllers is not None else facts.controllers,
            tls=found.tls if found.tls is not None else facts.tls,
            rates=filled(found.rates, facts.rates),
            window_s=found.window_s if found.window_s is not None else facts.window_s,
            gaps=found.gaps + facts.gaps,
        )
    return found


def _by_name(first: Mapping[Key, Row], second: Mapping[Key, Row]) -> dict[Key, Row]:
    both = {**second, **first}
    return {key: filled(first[key], second[key]) if key in first and key in second else both[key] for key in both}


def filled(first: Any, second: Any) -> Any:
    """The first row of facts with whatever only the second knows."""
    empty = [part.name for part in fields(first) if _is_empty(getattr(first, part.name))]
    return replace(first, **{name: getattr(second, name) for name in empty})


def _is_empty(value: Any) -> bool:
    """Not known; a zero is known."""
    return value is None or value is False or (isinstance(value, tuple | Mapping | frozenset) and not value)
