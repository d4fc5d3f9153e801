"""The load of a scenario as arrays: what each partition replica and each leader costs, before brokers share it."""

from __future__ import annotations

from dataclasses import dataclass

from planner.model.types import Array


@dataclass(frozen=True, slots=True)
class TopicArrays:
    """One entry per topic."""

    names: tuple[str, ...]
    partitions: Array
    replication_factor: Array
    live_needed: Array
    produce_in_bytes_per_s: Array
    consumer_out_bytes_per_s: Array
    consumer_zone_bytes_per_s: Array  # shape (topics, zones): consumer bytes by the zone of the member
    tier_out_bytes_per_s: Array
    mirror_out_bytes_per_s: Array
    produce_requests_per_s: Array
    consumer_requests_per_s: Array
    batches_per_request: Array
    disk_read_bytes_per_s: Array  # by lagging readers, from the leader's disk
    client_connections: float  # per broker, of all topics together


@dataclass(frozen=True, slots=True)
class PartitionClasses:
    """Partitions alike in load: the hottest one of a topic, and its other ones."""

    topic: Array  # index into TopicArrays
    count: Array  # partitions in the class
    share: Array  # share of the topic that one partition of the class carries
    disk_bytes: Array  # of one replica, average
    disk_bytes_worst: Array
    refill_bytes: Array  # what a new replica has to copy
    disk_write_bytes_per_s: Array
    disk_read_bytes_per_s: Array  # by the log cleaner
    disk_iops: Array
    live_segments: Array
    deleted_segments: Array
    producer_entries: Array
    remote_bytes: Array  # of one partition, one copy


@dataclass(frozen=True, slots=True)
class Load:
    """The scenario's load at one broker count (partition counts may follow the brokers)."""

    topics: TopicArrays
    classes: PartitionClasses

    @property
    def replicas(self) -> float:
        """Replicas of all topics."""
        return float(self.topics.partitions @ self.topics.replication_factor)
