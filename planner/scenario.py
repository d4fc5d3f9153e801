"""The planner's only input types: frozen, validated, in base units.

Attribute names are the keys of a scenario file; what a key accepts stands in `planner.fields`. Quantities are floats in
bytes, seconds and per second; one given as `{low, likely, high}` is a `Ranged`, a float that equals its likely value.
Numeric defaults come from `data/constants/defaults.toml`, words and switches from `data/defaults_text.toml`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, ClassVar, Literal, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

from planner.constants import constant, constants, data_path
from planner.contradictions import contradictions
from planner.fields import (
    LONGEST_TEXT,
    MOST_BROKERS,
    MOST_ZONES,
    Cleanup,
    InputError,
    Labels,
    ManyOf,
    NameOrSection,
    OneOf,
    Quantity,
    Racks,
    Ranged,
    Reader,
    Replicas,
    ScenarioError,
    Text,
    TopicName,
    Whole,
    YesNo,
    ZoneMembers,
    shorten,
)

__all__ = [
    "Assignment", "Batch", "BrokerSpec", "Calibration", "Cluster", "Compaction", "Compression", "ConsumerGroup",
    "DefaultUsed", "DegradedUtilisation", "Head", "Header", "InputError", "Keys", "Limits", "Mirror", "Operations",
    "PartitionThroughput", "Policy", "Questions", "Ranged", "Record", "Retention", "Scenario", "ScenarioError",
    "Section", "Segment", "Shape", "Storage", "Survive", "TextDefault", "Tiered", "Topic", "Utilisation",
    "defaults_used", "ranges_of", "shape_of", "shorten", "text_defaults",
]  # fmt: skip

YEAR = 365.0 * 86400


# Defaults


@dataclass(frozen=True, slots=True)
class TextDefault:
    """A default that is a word or a switch, with its source."""

    value: str | bool
    source: str
    as_of: str
    note: str


@cache
def text_defaults() -> Mapping[str, TextDefault]:
    """The defaults that are words or switches, by id."""
    with data_path("defaults_text.toml").open("rb") as file:
        return {key: TextDefault(**row) for key, row in tomllib.load(file).items()}


def _number(name: str) -> float:
    return float(constant(f"default.{name}"))


def _whole(name: str) -> int:
    return int(constant(f"default.{name}"))


def _word(name: str) -> Any:
    return text_defaults()[f"default.{name}"].value


def _listed(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


class Section(BaseModel):
    """Base of every part of a scenario. A null for a known key means that the key was not given."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    section: ClassVar[str] = ""

    @model_validator(mode="before")
    @classmethod
    def _not_given(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        return {key: value for key, value in data.items() if value is not None or key not in cls.model_fields}


# Topics


class Header(Section):
    """One record header."""

    section = "header"
    key: Annotated[str, Text("Name of the header.", maximum=LONGEST_TEXT)]
    value_bytes: Annotated[float, Quantity("bytes", 0, 2**31, "Mean size of the header's value.")] = _number(
        "header.value_bytes"
    )


class Record(Section):
    """One record as serialised, before compression."""

    section = "record"
    key_bytes: Annotated[float | None, Quantity("bytes", 0, 2**31, "Mean size of the key; null = no key.")] = None
    value_bytes: Annotated[float, Quantity("bytes", 0, 2**31, "Mean size of the value.")] = _number(
        "record.value_bytes"
    )
    headers: Annotated[tuple[Header, ...], BeforeValidator(_listed)] = ()

    @property
    def logical_bytes(self) -> float:
        """Key, value and headers of one record [bytes]."""
        headers = sum(len(header.key.encode()) + header.value_bytes for header in self.headers)
        return (self.key_bytes or 0.0) + self.value_bytes + headers


class Compression(Section):
    """Compression of the record batches by the producer."""

    section = "compression"
    codec: Annotated[str, OneOf(("none", "gzip", "snappy", "lz4", "zstd"), "Codec of the producer.")] = _word(
        "compression.codec"
    )
    ratio: Annotated[
        float | None, Quantity("ratio", 0.9, 1000, "Logical bytes / wire bytes, measured on real batches.")
    ] = None


class Batch(Section):
    """How full a record batch is: given by `records`, or derived from `linger`, `size` and the producers."""

    section = "batch"
    records: Annotated[float | None, Quantity("count", 1, 1e7, "Mean records in a batch; null = derived.")] = None
    linger: Annotated[float, Quantity("s", 0, 86400, "linger.ms of the producer.")] = _number("batch.linger")
    size: Annotated[float, Quantity("bytes", 0, 2**31, "batch.size of the producer.")] = _number("batch.size")


class Retention(Section):
    """When records may be deleted; the first limit that is reached decides."""

    section = "retention"
    time: Annotated[float, Quantity("s_or_forever", 0.001, 1000 * YEAR, "retention.ms; forever is legal.")] = _number(
        "retention.time"
    )
    bytes_per_partition: Annotated[
        float | None, Quantity("bytes", 1, 1e18, "retention.bytes, per partition replica; null = unlimited.")
    ] = None


class Segment(Section):
    """Log segments."""

    section = "segment"
    bytes: Annotated[float, Quantity("bytes", 14, 2**31, "segment.bytes.")] = _number("segment.bytes")
    time: Annotated[float, Quantity("s", 0.001, 1000 * YEAR, "segment.ms.")] = _number("segment.time")


class Tiered(Section):
    """Tiered storage (KIP-405): what stays on the brokers."""

    section = "tiered"
    local_time: Annotated[
        float | None, Quantity("s", 0.001, 1000 * YEAR, "local.retention.ms; null = as long as retention.")
    ] = None
    local_bytes_per_partition: Annotated[
        float | None, Quantity("bytes", 1, 1e18, "local.retention.bytes; null = as much as retention.")
    ] = None


class Compaction(Section):
    """The log cleaner's settings for a compacted topic."""

    section = "compaction"
    min_dirty_ratio: Annotated[float, Quantity("fraction", 0, 1, "min.cleanable.dirty.ratio.")] = _number(
        "compaction.min_dirty_ratio"
    )
    delete_retention: Annotated[float, Quantity("s", 0, 1000 * YEAR, "delete.retention.ms.")] = _number(
        "compaction.delete_retention"
    )
    tombstone_fraction: Annotated[float, Quantity("fraction", 0, 1, "Share of the records that delete a key.")] = (
        _number("compaction.tombstone_fraction")
    )


class PartitionThroughput(Section):
    """What one partition carries, as measured; a missing side uses a dated constant."""

    section = "partition_throughput"
    produce: Annotated[float | None, Quantity("bytes_per_s", 1, 1e11, "Wire bytes/s produced to one partition.")] = None
    consume: Annotated[float | None, Quantity("bytes_per_s", 1, 1e11, "Wire bytes/s read from one partition.")] = None


class Keys(Section):
    """The keys of the records."""

    section = "keys"
    ordered: Annotated[bool, YesNo("Consumers rely on the order of the records of a key.")] = _word("keys.ordered")
    unique: Annotated[float | None, Quantity("count", 1, 1e15, "Distinct keys.")] = None
    zipf_exponent: Annotated[float, Quantity("ratio", 0, 10, "Skew of the key frequencies; 0 = all equal.")] = _number(
        "keys.zipf_exponent"
    )
    top_key_fraction: Annotated[
        float | None, Quantity("fraction", 0, 1, "Share of the records that have the most frequent key.")
    ] = None


class ConsumerGroup(Section):
    """A consumer group on one topic; the same name on several topics is one group."""

    section = "consumer"
    group: Annotated[str, Text("Name of the group.")]
    members: Annotated[int | None, Whole(1, 1_000_000, "Members now.")] = None
    max_members: Annotated[int | None, Whole(1, 1_000_000, "Members at most; null = members.")] = None
    read_fraction: Annotated[float, Quantity("ratio", 0, 1000, "Share of the records that the group reads.")] = _number(
        "consumer.read_fraction"
    )
    records_per_s_per_member: Annotated[
        float | None, Quantity("per_s", 1e-6, 1e10, "Records that one member can process.")
    ] = None
    processing_time: Annotated[float | None, Quantity("s", 1e-9, YEAR, "Time that one record takes.")] = None
    lagging_fraction: Annotated[
        float, Quantity("fraction", 0, 1, "Share of the group's reads that miss the page cache.")
    ] = _number("consumer.lagging_fraction")
    protocol: Annotated[str, OneOf(("eager", "cooperative", "consumer", "share"), "Rebalance protocol.")] = _word(
        "consumer.protocol"
    )
    static_membership: Annotated[bool, YesNo("Members have a group.instance.id.")] = _word("consumer.static_membership")
    max_poll_records: Annotated[int, Whole(1, 2**31 - 1, "max.poll.records.")] = _whole("consumer.max_poll_records")
    max_poll_interval: Annotated[float, Quantity("s", 0.001, YEAR, "max.poll.interval.ms.")] = _number(
        "consumer.max_poll_interval"
    )
    session_timeout: Annotated[float, Quantity("s", 0.001, YEAR, "session.timeout.ms.")] = _number(
        "consumer.session_timeout"
    )
    zones: Annotated[dict[str, int] | None, ZoneMembers("Members by zone name or number (from 1).")] = None


_Groups = Annotated[tuple[ConsumerGroup, ...], BeforeValidator(_listed)]


class Topic(Section):
    """One topic: its load, its records, its settings, its readers."""

    section = "topic"
    name: Annotated[str, TopicName("Name of the topic.")]
    records_per_s: Annotated[float | None, Quantity("per_s", 0, 1e10, "Average rate; or bytes_per_s.")] = None
    bytes_per_s: Annotated[
        float | None, Quantity("bytes_per_s", 0, 1e13, "Average logical rate, before compression; or records_per_s.")
    ] = None
    peak_ratio: Annotated[float, Quantity("ratio", 1, 10_000, "Peak / average.")] = _number("topic.peak_ratio")
    peak_duration: Annotated[
        float | None, Quantity("s", 0.001, 10 * YEAR, "How long a peak lasts; null = short against retention.")
    ] = None
    record: Record = Record()
    compression: Compression = Compression()
    batch: Batch = Batch()
    producers: Annotated[int, Whole(1, 10_000_000, "Producer instances that write to the topic.")] = _whole(
        "topic.producers"
    )
    replication_factor: Annotated[int, Whole(1, 1000, "Replicas of each partition.")] = _whole(
        "topic.replication_factor"
    )
    min_insync_replicas: Annotated[
        int | None, Whole(1, 1000, "min.insync.replicas; null = replication_factor - 1, at least 1.")
    ] = None
    acks: Annotated[Literal["all", "1", "0"], OneOf(("all", "1", "0"), "acks of the producers.", {"-1": "all"})] = (
        _word("topic.acks")
    )
    cleanup: Annotated[
        Literal["delete", "compact", "compact,delete"], Cleanup("cleanup.policy: delete, compact, or both.")
    ] = _word("topic.cleanup")
    retention: Retention = Retention()
    segment: Segment = Segment()
    tiered: Tiered | None = None
    compaction: Compaction = Compaction()
    partitions: Annotated[int | None, Whole(1, 1_000_000, "null = plan it; a number = check it.")] = None
    partition_throughput: PartitionThroughput | None = None
    keys: Keys | None = None
    transactions_per_s: Annotated[float, Quantity("per_s", 0, 1e9, "Transactions that write to the topic.")] = _number(
        "topic.transactions_per_s"
    )
    labels: Annotated[dict[str, str], Labels("Free names and texts.")] = {}
    consumers: _Groups = ()

    @property
    def effective_min_insync_replicas(self) -> int:
        """min.insync.replicas as given, else one below the replication factor, at least 1."""
        if self.min_insync_replicas is not None:
            return self.min_insync_replicas
        return max(1, self.replication_factor - 1)

    @property
    def compression_ratio(self) -> float:
        """Logical / wire bytes of the record section; 1 without compression."""
        return 1.0 if self.compression.ratio is None else self.compression.ratio

    @property
    def compacted(self) -> bool:
        """Whether the log cleaner works on the topic."""
        return self.cleanup != "delete"

    @property
    def deleted(self) -> bool:
        """Whether the retention limits apply."""
        return self.cleanup != "compact"


# Cluster


class Storage(Section):
    """The volumes of one broker; capacity, throughput and iops are per volume."""

    section = "storage"
    kind: Annotated[Literal["local", "network"], OneOf(("local", "network"), "Disks inside or beside the machine.")] = (
        _word("storage.kind")
    )
    volumes: Annotated[int, Whole(1, 1000, "Volumes of one broker.")] = _whole("storage.volumes")
    capacity: Annotated[float, Quantity("bytes", 1e6, 1e18, "Bytes of one volume.")]
    throughput: Annotated[
        float | None, Quantity("bytes_per_s", 1, 1e13, "Reads and writes of one volume; null = unmetered.")
    ] = None
    iops: Annotated[float | None, Quantity("per_s", 1, 1e9, "I/O operations of one volume; null = unmetered.")] = None


class BrokerSpec(Section):
    """One broker machine."""

    section = "broker"
    vcpu: Annotated[float, Quantity("count", 0.01, 10_000, "Virtual CPUs.")]
    memory: Annotated[float, Quantity("bytes", 1e6, 1e15, "Memory of the machine.")]
    network_in: Annotated[float | None, Quantity("bytes_per_s", 1, 1e13, "Received; null = unmetered.")] = None
    network_out: Annotated[float | None, Quantity("bytes_per_s", 1, 1e13, "Sent; null = unmetered.")] = None
    duplex: Annotated[Literal["full", "half"], OneOf(("full", "half"), "half = both directions share one budget.")] = (
        _word("broker.duplex")
    )
    storage_shares_network: Annotated[bool, YesNo("Storage traffic uses the network's budget.")] = _word(
        "broker.storage_shares_network"
    )
    storage: Storage
    price_per_month: Annotated[float | None, Quantity("money", 0, 1e9, "Price of one broker; null = unknown.")] = None


class Mirror(Section):
    """A copy of topics to another cluster."""

    section = "mirror"
    to: Annotated[str, Text("Where the copy goes.")]
    topics: Annotated[
        Annotated[tuple[Annotated[str, Text("Name of a topic.")], ...], BeforeValidator(_listed)] | None,
        "null = all topics",
    ] = None
    bandwidth: Annotated[float | None, Quantity("bytes_per_s", 1, 1e13, "What the link carries.")] = None


class Calibration(Section):
    """One measured point of a running cluster."""

    section = "calibration"
    wire_in_bytes_per_s: Annotated[float, Quantity("bytes_per_s", 0, 1e13, "Produced bytes, whole cluster.")]
    wire_out_bytes_per_s: Annotated[float, Quantity("bytes_per_s", 0, 1e13, "Consumed bytes, whole cluster.")]
    requests_per_s: Annotated[float, Quantity("per_s", 0, 1e10, "Requests, whole cluster.")]
    cpu_fraction: Annotated[float, Quantity("fraction", 0.0001, 1, "Mean CPU utilisation of the brokers.")]
    brokers: Annotated[int, Whole(1, MOST_BROKERS, "Brokers at that time.")]


class Limits(Section):
    """Limits of the operating system for the broker process."""

    section = "limits"
    nofile: Annotated[int, Whole(1, 2**31, "Open file descriptors.")] = _whole("limits.nofile")
    max_map_count: Annotated[int, Whole(1, 2**31, "vm.max_map_count.")] = _whole("limits.max_map_count")


class Assignment(Section):
    """Where the replicas of a running cluster are."""

    section = "assignment"
    racks: Annotated[dict[str, str] | None, Racks("Zone of each broker id; null = one zone.")] = None
    topics: Annotated[
        dict[str, tuple[tuple[int, ...], ...]], Replicas("Per topic the replica list of each partition, leader first.")
    ]

    @property
    def brokers(self) -> tuple[int, ...]:
        """Ids of the brokers: those with a rack, else those that hold a replica."""
        if self.racks is not None:
            return tuple(sorted(map(int, self.racks)))
        return tuple(sorted({broker for lists in self.topics.values() for replicas in lists for broker in replicas}))


class Cluster(Section):
    """The brokers and what surrounds them."""

    section = "cluster"
    kafka_version: Annotated[
        str,
        Text("Version of the brokers.", pattern=r"[0-9]{1,2}(\.[0-9]{1,2}){1,2}", form='a version such as "4.3"'),
    ] = _word("cluster.kafka_version")
    zones: Annotated[int, Whole(1, MOST_ZONES, "Zones (racks) that the brokers are spread over.")] = _whole(
        "cluster.zones"
    )
    brokers: Annotated[int | None, Whole(1, MOST_BROKERS, "null = find the least; a number = check it.")] = None
    broker: Annotated[str | BrokerSpec, NameOrSection("A name of the catalogue, or the machine written out.")] = _word(
        "cluster.broker"
    )
    tls: Annotated[bool, YesNo("Clients and brokers use TLS.")] = _word("cluster.tls")
    fetch_from_follower: Annotated[bool, YesNo("Consumers read from a replica in their zone (KIP-392).")] = _word(
        "cluster.fetch_from_follower"
    )
    replication_throttle: Annotated[
        float | None, Quantity("bytes_per_s", 1, 1e13, "Per broker; null = none, Kafka's default.")
    ] = None
    replica_fetchers: Annotated[int, Whole(1, 1000, "num.replica.fetchers.")] = _whole("cluster.replica_fetchers")
    mirror: Annotated[tuple[Mirror, ...], BeforeValidator(_listed)] = ()
    calibration: Calibration | None = None
    limits: Limits = Limits()
    brokers_placed: Assignment | None = None

    @property
    def broker_count(self) -> int | None:
        """The given count, or that of an existing assignment; None = find the least."""
        if self.brokers is None and self.brokers_placed is not None:
            return len(self.brokers_placed.brokers) or None
        return self.brokers

    @property
    def zone_count(self) -> int:
        """Racks of an existing assignment, else the zones."""
        racks = None if self.brokers_placed is None else self.brokers_placed.racks
        return len(set(racks.values())) if racks else self.zones

    @property
    def version(self) -> tuple[int, ...]:
        """The Kafka version as numbers, for comparison."""
        return tuple(int(part) for part in self.kafka_version.split("."))


# Policy, operations, questions


def _share(resource: str) -> Any:
    return Quantity("fraction", 0.01, 1, f"Most that may be used of: {resource}.")


class Utilisation(Section):
    """How much of each resource a plan may use while all brokers are up."""

    section = "utilisation"
    cpu: Annotated[float, _share("CPU")] = _number("utilisation.cpu")
    memory: Annotated[float, _share("memory")] = _number("utilisation.memory")
    disk_volume: Annotated[float, _share("disk space")] = _number("utilisation.disk_volume")
    disk_throughput: Annotated[float, _share("disk bytes/s")] = _number("utilisation.disk_throughput")
    disk_iops: Annotated[float, _share("disk operations/s")] = _number("utilisation.disk_iops")
    network: Annotated[float, _share("network bytes/s, each direction")] = _number("utilisation.network")
    handles: Annotated[float, _share("file descriptors and memory maps")] = _number("utilisation.handles")


class DegradedUtilisation(Utilisation):
    """How much of each resource a plan may use while a failure lasts."""

    section = "utilisation_degraded"
    cpu: Annotated[float, _share("CPU")] = _number("utilisation_degraded.cpu")
    memory: Annotated[float, _share("memory")] = _number("utilisation_degraded.memory")
    disk_volume: Annotated[float, _share("disk space")] = _number("utilisation_degraded.disk_volume")
    disk_throughput: Annotated[float, _share("disk bytes/s")] = _number("utilisation_degraded.disk_throughput")
    disk_iops: Annotated[float, _share("disk operations/s")] = _number("utilisation_degraded.disk_iops")
    network: Annotated[float, _share("network bytes/s, each direction")] = _number("utilisation_degraded.network")
    handles: Annotated[float, _share("file descriptors and memory maps")] = _number("utilisation_degraded.handles")


class Survive(Section):
    """Failures that the plan must hold through."""

    section = "survive"
    brokers: Annotated[int, Whole(0, 1000, "Brokers down at once.")] = _whole("survive.brokers")
    zones: Annotated[int, Whole(0, 100, "Zones down at once.")] = _whole("survive.zones")
    after_loss: Annotated[
        Literal["replace", "re-replicate"],
        OneOf(("replace", "re-replicate"), "What happens after a loss.", {"re_replicate": "re-replicate"}),
    ] = _word("survive.after_loss")


class Policy(Section):
    """What the plan must respect."""

    section = "policy"
    utilisation: Utilisation = Utilisation()
    utilisation_degraded: DegradedUtilisation = DegradedUtilisation()
    survive: Survive = Survive()
    recovery_time_max: Annotated[float | None, Quantity("s", 1, 10 * YEAR, "Longest refill of a lost broker.")] = None
    replicas_per_broker_max: Annotated[int, Whole(1, 10_000_000, "Most partition replicas on a broker.")] = _whole(
        "policy.replicas_per_broker_max"
    )
    partition_headroom: Annotated[float, Quantity("ratio", 1, 1000, "Partitions per member at most.")] = _number(
        "policy.partition_headroom"
    )
    page_cache: Annotated[float, Quantity("s", 0, YEAR, "Seconds of writes to keep in memory.")] = _number(
        "policy.page_cache"
    )
    peak_coincidence: Annotated[float, Quantity("fraction", 0, 1, "1 = all topics peak together.")] = _number(
        "policy.peak_coincidence"
    )
    multiple_of_zones: Annotated[bool, YesNo("The broker count is a multiple of the zones.")] = _word(
        "policy.multiple_of_zones"
    )
    placement: Annotated[
        Literal["simulated", "balanced"], OneOf(("simulated", "balanced"), "Kafka's own placer, or kept even.")
    ] = _word("policy.placement")
    growth_per_year: Annotated[float, Quantity("fraction", 0, 100, "Growth of the load in a year.")] = _number(
        "policy.growth_per_year"
    )
    horizon: Annotated[float, Quantity("s", 0, 50 * YEAR, "Size for this far ahead.")] = _number("policy.horizon")
    budget_per_month: Annotated[float | None, Quantity("money", 0, 1e12, "Most that it may cost.")] = None


class Operations(Section):
    """How the clients and brokers are operated."""

    section = "operations"
    deploys_per_day: Annotated[float, Quantity("per_day", 0, 1e5, "Deployments of each group.")] = _number(
        "operations.deploys_per_day"
    )
    crashes_per_member_per_day: Annotated[float, Quantity("per_day", 0, 1e5, "Crashes of one member.")] = _number(
        "operations.crashes_per_member_per_day"
    )
    autoscale_events_per_day: Annotated[float, Quantity("per_day", 0, 1e5, "Changes of the member count.")] = _number(
        "operations.autoscale_events_per_day"
    )
    restart_time: Annotated[float, Quantity("s", 0, YEAR, "How long a restarting member is away.")] = _number(
        "operations.restart_time"
    )
    poll_overrun_fraction: Annotated[float, Quantity("fraction", 0, 1, "Polls beyond max.poll.interval.ms.")] = _number(
        "operations.poll_overrun_fraction"
    )
    broker_mtbf: Annotated[float, Quantity("s", 60, 1000 * YEAR, "Mean time between failures, one broker.")] = _number(
        "operations.broker_mtbf"
    )
    broker_mttr: Annotated[float, Quantity("s", 0, 10 * YEAR, "Mean time to repair a broker.")] = _number(
        "operations.broker_mttr"
    )
    broker_lost_fraction: Annotated[float, Quantity("fraction", 0, 1, "Failures that lose the data.")] = _number(
        "operations.broker_lost_fraction"
    )
    zone_mtbf: Annotated[float, Quantity("s", 60, 10_000 * YEAR, "Mean time between outages, one zone.")] = _number(
        "operations.zone_mtbf"
    )
    zone_mttr: Annotated[float, Quantity("s", 0, 10 * YEAR, "Mean time to repair a zone.")] = _number(
        "operations.zone_mttr"
    )
    unclean_election: Annotated[bool, YesNo("unclean.leader.election.enable.")] = _word("operations.unclean_election")


class Questions(Section):
    """Answers for the recommender; every key may be left out or "unknown"."""

    section = "questions"
    events_per_s: Annotated[float | None, Quantity("per_s", 0, 1e10, "Average; or events_per_day.")] = None
    events_per_day: Annotated[float | None, Quantity("per_day", 0, 1e15, "Average; or events_per_s.")] = None
    peak_events_per_s: Annotated[float | None, Quantity("per_s", 0, 1e10, "At the peak.")] = None
    bytes_per_s: Annotated[float | None, Quantity("bytes_per_s", 0, 1e13, "Average; or message_bytes.")] = None
    message_bytes: Annotated[float | None, Quantity("bytes", 0, 2**31, "Mean size of a message.")] = None
    consumer_groups: Annotated[int | None, Whole(0, 1_000_000, "Independent readers of the same data.")] = None
    replay: Annotated[bool | None, YesNo("Consumed data is read again.")] = None
    retention: Annotated[float | None, Quantity("s_or_forever", 0, 1000 * YEAR, "How long data is kept.")] = None
    ordering: Annotated[
        Literal["none", "per_key", "global"] | None, OneOf(("none", "per_key", "global"), "Order that is needed.")
    ] = None
    work: Annotated[
        tuple[str, ...] | None,
        ManyOf(("queue", "events", "stateful", "ingest", "state"), "One or a list: what the messages are."),
    ] = None
    exactly_once: Annotated[
        Literal["no", "kafka_to_kafka", "with_database"] | None,
        OneOf(("no", "kafka_to_kafka", "with_database"), "Exactly-once processing."),
    ] = None
    atomic_with_database: Annotated[bool | None, YesNo("Enqueue in the transaction of a business write.")] = None
    per_message_ack: Annotated[bool | None, YesNo("Retry and dead-letter single messages.")] = None
    delay: Annotated[bool | None, YesNo("Messages are delivered later.")] = None
    priority: Annotated[bool | None, YesNo("Some messages go first.")] = None
    routing: Annotated[
        tuple[str, ...] | None, ManyOf(("none", "filter", "complex", "push"), "One or a list: routing that is needed.")
    ] = None
    queues: Annotated[int | None, Whole(0, 100_000_000, "Separate queues or tenants.")] = None
    backlog: Annotated[float | None, Quantity("count", 0, 1e15, "Records that may pile up.")] = None
    workers_exceed_partitions: Annotated[bool | None, YesNo("Many slow workers.")] = None
    latency_p99: Annotated[float | None, Quantity("s", 1e-6, YEAR, "Latency that is needed.")] = None
    protocols: Annotated[
        tuple[str, ...] | None, ManyOf(("kafka", "amqp", "jms", "mqtt", "http"), "Protocols of the clients.")
    ] = None
    ecosystem: Annotated[
        tuple[str, ...] | None,
        ManyOf(("connectors", "cdc", "flink", "kafka_streams", "lake"), "What it must work with."),
    ] = None
    cloud: Annotated[
        Literal["aws", "gcp", "azure", "multi", "on_premises"] | None,
        OneOf(("aws", "gcp", "azure", "multi", "on_premises"), "Where it runs."),
    ] = None
    multi_region: Annotated[
        Literal["no", "yes", "active_active"] | None, OneOf(("no", "yes", "active_active"), "Several regions.")
    ] = None
    cross_team: Annotated[bool | None, YesNo("Several teams share the data.")] = None
    engineers: Annotated[float | None, Quantity("count", 0, 1e5, "Who can run it; 0 = nobody.")] = None
    managed_only: Annotated[bool | None, YesNo("Only managed services.")] = None
    existing: Annotated[tuple[str, ...] | None, ManyOf((), "Products that already run well.")] = None
    leaving: Annotated[tuple[str, ...] | None, ManyOf((), "Products that run and are the trouble.")] = None
    bursty: Annotated[bool | None, YesNo("Idle most of the time.")] = None
    growth_per_year: Annotated[float | None, Quantity("fraction", 0, 100, "Growth of the load in a year.")] = None
    budget_per_month: Annotated[float | None, Quantity("money", 0, 1e12, "Most that it may cost.")] = None
    hourly_rate: Annotated[float | None, Quantity("money", 0, 1e6, "Cost of an engineer's hour.")] = None

    @model_validator(mode="before")
    @classmethod
    def _unknown(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        return {
            key: value
            for key, value in data.items()
            if key not in cls.model_fields or not (isinstance(value, str) and value.strip().lower() == "unknown")
        }


class Head(Section):
    """The scalar keys of a scenario."""

    version: Annotated[int, Whole(1, 1, "Version of this format.")] = 1
    name: Annotated[str, Text("What the scenario is called.")] = "scenario"


class Scenario(Head):
    """Everything that a plan or a recommendation is computed from."""

    topics: Annotated[tuple[Topic, ...], BeforeValidator(_listed)] = ()
    cluster: Cluster = Cluster()
    policy: Policy = Policy()
    operations: Operations = Operations()
    questions: Questions = Questions()

    @model_validator(mode="after")
    def _consistent(self) -> Scenario:
        names = [topic.name for topic in self.topics]
        errors = tuple(contradictions(names, dict(enumerate(self.topics)), self.cluster, self.questions))
        if errors:
            raise ScenarioError(errors)
        return self


# What the models look like from outside, for paths, dumps and lists of defaults


@dataclass(frozen=True, slots=True)
class Shape:
    """What stands under a key: a value, a section, a list of sections, or a mapping with free keys."""

    kind: Literal["value", "section", "list", "map"]
    section: type[Section] | None = None
    quantity: Quantity | None = None


@cache
def shape_of(section: type[Section], name: str) -> Shape:
    """The shape of one key of a section."""
    info = section.model_fields[name]
    found = _sections_in(info.annotation)
    if found:
        return Shape("list" if _holds_tuple(info.annotation) else "section", found[0])
    readers = [item for item in info.metadata if isinstance(item, Reader)]
    if readers and isinstance(readers[0], Labels | ZoneMembers | Racks | Replicas):
        return Shape("map")
    return Shape("value", None, readers[0] if readers and isinstance(readers[0], Quantity) else None)


def _sections_in(annotation: Any) -> list[type[Section]]:
    if isinstance(annotation, type) and not get_args(annotation):
        return [annotation] if issubclass(annotation, Section) else []
    return [section for arg in get_args(annotation) for section in _sections_in(arg)]


def _holds_tuple(annotation: Any) -> bool:
    return get_origin(annotation) is tuple or any(_holds_tuple(arg) for arg in get_args(annotation))


def ranges_of(section: Section, prefix: str = "") -> Iterator[tuple[str, Ranged]]:
    """Every quantity of the scenario that was given as a range, with its path."""
    given = section.model_fields_set  # a default is no range
    for name, value in section.__dict__.items():
        if name not in given:
            continue
        if type(value) is Ranged:
            yield f"{prefix}{name}", value
        elif isinstance(value, Section):
            yield from ranges_of(value, f"{prefix}{name}.")
        elif type(value) is tuple:
            for index, item in enumerate(value):
                if isinstance(item, Section) and _holds_range(item):
                    label = getattr(item, "name", None) or getattr(item, "group", None) or index
                    yield from ranges_of(item, f"{prefix}{name}.{label}.")


def _holds_range(section: Section) -> bool:
    """Whether there is a range in it: thousands of topics have none, and are not walked key by key."""
    left = [section]
    while left:
        one = left.pop()
        kind: type[Section] = type(one)
        if Ranged in map(type, one.__dict__.values()):
            return True
        for name in one.__pydantic_fields_set__ & _section_names(kind):
            value = one.__dict__[name]
            if type(value) is tuple:
                left += value
            elif value is not None:
                left.append(value)
    return False


@dataclass(frozen=True, slots=True)
class DefaultUsed:
    """A default that was applied because a key was not given."""

    path: str
    value: float | str | bool
    unit: str
    low: float | None
    high: float | None
    source: str
    as_of: str


def defaults_used(scenario: Scenario) -> list[DefaultUsed]:
    """Return the defaults that were applied, one row each; topics and groups share a row (`topics.*.peak_ratio`)."""
    paths: dict[str, str] = {}
    _visit(scenario, "", paths, set())
    return [_row(path, name) for path, name in paths.items()]


@cache
def _defaults_of(kind: type[Section]) -> tuple[tuple[str, str | None, bool], ...]:
    """Every key of a section: its name, the id of its default if it has one, whether sections are below it."""
    names = ((name, f"default.{kind.section}.{name}") for name in kind.model_fields)
    return tuple(
        (name, default if default in constants() or default in text_defaults() else None, bool(shape.section))
        for name, default in names
        for shape in (shape_of(kind, name),)
    )


@cache
def _nested_of(kind: type[Section]) -> tuple[tuple[str, str | None, bool], ...]:
    """The keys that hold sections."""
    return tuple(row for row in _defaults_of(kind) if row[2])


@cache
def _section_names(kind: type[Section]) -> frozenset[str]:
    return frozenset(name for name, _, _ in _nested_of(kind))


def _visit(model: Section, prefix: str, paths: dict[str, str], seen: set[tuple[Any, ...]]) -> None:
    # Thousands of topics have few combinations of given keys, and share the sections that were not given.
    kind, given = type(model), model.__pydantic_fields_set__
    without = _without_effect(model)
    same = (prefix, kind, frozenset(given), without)
    rows = _nested_of(kind) if same in seen else _defaults_of(kind)
    for name, default, nested in rows:
        if default and same not in seen and name not in given and name not in without:
            paths.setdefault(f"{prefix}{name}", default)
        # what is below a default has been seen with the first section of this kind
        value = model.__dict__[name] if nested and (same not in seen or name in given) else None
        if value and name not in without:
            below = f"{prefix}{name}.*." if type(value) is tuple else f"{prefix}{name}."
            for item in value if type(value) is tuple else (value,):
                if isinstance(item, Section):
                    _visit(item, below, paths, seen)
    seen.add(same)


_NOTHING: frozenset[str] = frozenset()
_OF_BATCH = frozenset({"linger", "size"})
_OF_CLEANUP = {"delete": frozenset({"compaction"}), "compact": frozenset({"retention"})}


def _without_effect(model: Section) -> frozenset[str]:
    """Keys that others make irrelevant, so that their defaults shape nothing."""
    if type(model) is Topic:
        return _OF_CLEANUP.get(model.cleanup, _NOTHING)
    if type(model) is Batch and model.records is not None:
        return _OF_BATCH
    return _NOTHING


@cache
def _row(path: str, name: str) -> DefaultUsed:
    if name in constants():
        c = constants()[name]
        return DefaultUsed(path, c.value, c.unit, c.low, c.high, c.source, c.as_of)
    t = text_defaults()[name]
    return DefaultUsed(path, t.value, "", None, None, t.source, t.as_of)
