"""The load of a scenario as arrays: what each partition replica and each leader costs, before brokers share it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

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


@dataclass(frozen=True)
class Load:
    """The scenario's load at one broker count (partition counts may follow the brokers)."""

    topics: TopicArrays
    classes: PartitionClasses
    followers: dict[int, float] = field(default_factory=dict)  # followers' fetches per broker, by the live brokers

    @property
    def replicas(self) -> float:
        """Replicas of all topics."""
        return float(self.topics.partitions @ self.topics.replication_factor)

    @cached_property
    def per_replica(self) -> Mapping[str, Array]:
        """What one replica costs its broker, per class."""
        return replica_loads(self.topics, self.classes)

    @cached_property
    def per_leader(self) -> Mapping[str, Array]:
        """What leading one partition costs, per class."""
        return leader_loads(self.topics, self.classes)

    @cached_property
    def held(self) -> Mapping[str, float]:
        """The costs of all replicas together."""
        copies = self.topics.replication_factor[self.classes.topic.astype(np.intp)]
        return {key: float(np.sum(value * self.classes.count * copies)) for key, value in self.per_replica.items()}

    @cached_property
    def led(self) -> Mapping[str, float]:
        """The costs of leading all partitions."""
        return {key: float(np.sum(value * self.classes.count)) for key, value in self.per_leader.items()}


def replica_loads(topics: TopicArrays, classes: PartitionClasses) -> dict[str, Array]:
    """What one replica costs its broker, per class."""
    topic = classes.topic.astype(np.intp)
    return {
        "write": topics.produce_in_bytes_per_s[topic] * classes.share,
        "disk_bytes": classes.disk_bytes_worst,
        "disk_bytes_average": classes.disk_bytes,
        "refill": classes.refill_bytes,
        "disk_write": classes.disk_write_bytes_per_s,
        "disk_read": classes.disk_read_bytes_per_s,
        "iops": classes.disk_iops,
        "segments": classes.live_segments,
        "deleted_segments": classes.deleted_segments,
        "producers": classes.producer_entries,
        "replicas": np.ones(len(topic)),
    }


def leader_loads(topics: TopicArrays, classes: PartitionClasses) -> dict[str, Array]:
    """What leading one partition costs its broker, per class, beyond being a replica of it."""
    topic = classes.topic.astype(np.intp)
    return {
        "write": topics.produce_in_bytes_per_s[topic] * classes.share,
        "consume": topics.consumer_out_bytes_per_s[topic] * classes.share,
        "other_out": (topics.tier_out_bytes_per_s + topics.mirror_out_bytes_per_s)[topic] * classes.share,
        "produce_requests": topics.produce_requests_per_s[topic] * classes.share,
        "consumer_requests": topics.consumer_requests_per_s[topic] * classes.share,
        "lagging_read": topics.disk_read_bytes_per_s[topic] * classes.share,
        "leaders": np.ones(len(topic)),
    }
