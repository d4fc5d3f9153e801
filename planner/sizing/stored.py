"""Bytes that one replica keeps on disk, average and worst, under retention, compaction and tiering."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from planner.constants import constant
from planner.model import compaction, handles, iops, partitions, storage
from planner.model.types import Array, Numeric
from planner.sizing.loads import PartitionClasses, TopicArrays
from planner.sizing.workload import Workload
from planner.trace import Note, Trace

Indices: TypeAlias = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Stored:
    """Bytes and cleaner traffic of one replica per partition class."""

    average: Array
    worst: Array
    refill: Array
    live_segments: Array
    deleted_segments: Array
    cleaner_read: Array
    cleaner_write: Array
    remote: Array  # of one partition


_CLEANED = ("mean", "most", "waiting", "worst", "read", "write")  # what `_compacted` tells


@dataclass(frozen=True, slots=True)
class _Rates:
    """What flows into one replica, and how its segments fill."""

    average: Array
    peak: Array
    peak_duration: Array
    fill: Array

    @property
    def arguments(self) -> dict[str, Array]:
        return {
            "average_bytes_per_s": self.average,
            "peak_bytes_per_s": self.peak,
            "peak_duration_s": self.peak_duration,
        }


def classes_of(workload: Workload, columns: Mapping[str, Array], note: Note) -> PartitionClasses:
    """Split each topic into its hottest partition and the others, and compute what a replica of each costs."""
    topic, share, count = _split(_hottest(workload, columns["partitions"]), columns["partitions"])
    stored = stored_bytes(workload, columns, topic, share, note)
    write = columns["produce_in_bytes_per_s"][topic] * share
    index = _index_fraction(columns)[topic]
    disk_write = write * (1 + index) + stored.cleaner_write
    operations = note(
        "topics.writeback_iops",
        iops.writeback_iops,
        appends_per_s=columns["appends_per_s"][topic] * share,
        disk_write_bytes_per_s=write,
        writeback_interval_s=constant("iops.writeback_interval_s"),
        io_bytes=constant("iops.io_bytes"),
        index_interval_bytes=constant("iops.index_interval_bytes"),
    )
    return PartitionClasses(
        topic=topic.astype(float),
        count=count,
        share=share,
        disk_bytes=stored.average,
        disk_bytes_worst=stored.worst,
        refill_bytes=stored.refill,
        disk_write_bytes_per_s=disk_write,
        disk_read_bytes_per_s=stored.cleaner_read,
        disk_iops=operations
        + iops.read_iops(disk_read_bytes_per_s=stored.cleaner_write, io_bytes=constant("iops.io_bytes")),
        live_segments=stored.live_segments,
        deleted_segments=stored.deleted_segments,
        producer_entries=workload.given["producers"][topic],
        remote_bytes=stored.remote,
    )


def _hottest(workload: Workload, count: Array) -> Array:
    """Share of the hottest partition of each topic."""
    return np.asarray(
        partitions.hottest_partition_fraction(
            top_key_fraction=workload.top_key_fraction,
            partitions=count,
            crowding_fraction=workload.crowding_fraction(count),
        )
    )


def _split(hottest: Array, count: Array) -> tuple[Indices, Array, Array]:
    """Topic, share and number of partitions of each class; one class where all partitions are alike."""
    even = np.arange(len(count))
    skewed = np.flatnonzero((hottest > 1 / count) & (count > 1))
    share, number = 1 / count, count.copy()
    share[skewed] = (1 - hottest[skewed]) / (count[skewed] - 1)
    number[skewed] -= 1
    hottest = hottest[skewed]
    return (
        np.concatenate((even, skewed)),
        np.concatenate((share, hottest)),
        np.concatenate((number, np.ones(len(skewed)))),
    )


def _index_fraction(columns: Mapping[str, Array]) -> Array:
    batch = columns["wire_bytes_per_record"] * columns["batch_records"]
    return np.asarray(
        storage.index_fraction(
            batch_bytes=batch,
            index_interval_bytes=constant("iops.index_interval_bytes"),
            index_entry_bytes=constant("storage.index_entry_bytes"),
        )
    )


def stored_bytes(workload: Workload, columns: Mapping[str, Array], topic: Indices, share: Array, note: Note) -> Stored:
    """Apply the rule of each topic's cleanup policy; the first limit to trip wins."""
    given = {name: value[topic] for name, value in workload.given.items()}
    rates = _rates(columns, given, topic, share)
    retention = workload.retention_s[topic]
    kept_mean, kept_most = _retained(rates, retention, given["retention_bytes"], note, "retention")
    local_mean, local_most = _local(rates, retention, given, note)
    tiered, compacted = given["tiered"] > 0, given["compacted"] > 0
    mean = np.where(tiered, local_mean, kept_mean)
    most = np.where(tiered, local_most, kept_most)
    deleted = storage.deleted_bytes(bytes_per_s=rates.average, delete_delay_s=constant("storage.file_delete_delay_s"))
    deleted_most = storage.deleted_bytes(bytes_per_s=rates.peak, delete_delay_s=constant("storage.file_delete_delay_s"))
    nothing = dict.fromkeys(_CLEANED, np.zeros(len(topic)))
    cleaned = _compacted(columns, rates, given, topic, share) if compacted.any() else nothing
    # compact,delete: whichever of the two rules keeps less; retention does not bind a topic that is only compacted
    capped = compacted & (given["deleted"] > 0)
    mean = np.where(compacted, np.where(capped, np.minimum(mean, cleaned["mean"]), cleaned["mean"]), mean)
    most = np.where(compacted, np.where(capped, np.minimum(most, cleaned["most"]), cleaned["most"]), most)
    waiting = np.where(compacted, cleaned["waiting"], deleted)
    waiting_most = np.where(compacted, np.maximum(cleaned["worst"] - cleaned["most"], 0.0), deleted_most)
    idle: dict[str, Any] = {
        "index_fraction": _index_fraction(columns)[topic],
        "idle_replica_bytes": constant("storage.idle_replica_bytes"),
    }
    written = storage.retained_bytes(**rates.arguments, period_s=retention)
    remote = storage.remote_bytes(written_bytes=written, retention_bytes=given["retention_bytes"])
    return Stored(
        average=note(
            "topics.replica_disk_bytes", storage.replica_disk_bytes, live_bytes=mean, deleted_bytes=waiting, **idle
        ),
        worst=note(
            "topics.replica_disk_bytes_worst",
            storage.replica_disk_bytes,
            live_bytes=most,
            deleted_bytes=waiting_most,
            **idle,
        ),
        refill=most,
        live_segments=np.asarray(
            handles.segments_per_replica(
                retained_bytes=np.maximum(most - rates.fill, 0.0), segment_fill_bytes=rates.fill
            )
        ),
        deleted_segments=np.asarray(
            handles.deleted_segments_per_replica(deleted_bytes=waiting_most, segment_fill_bytes=rates.fill)
        ),
        cleaner_read=np.where(compacted, cleaned["read"], 0.0),
        cleaner_write=np.where(compacted, cleaned["write"], 0.0),
        remote=np.where(tiered, remote, 0.0),
    )


def _rates(columns: Mapping[str, Array], given: Mapping[str, Array], topic: Indices, share: Array) -> _Rates:
    """What flows into one replica of each partition class; `given` has one entry per class."""
    average = columns["average_bytes_per_s"][topic] * share
    peak = np.maximum(columns["own_peak_bytes_per_s"][topic] * share, average)
    fill = storage.segment_fill_bytes(
        average_bytes_per_s=average,
        peak_bytes_per_s=peak,
        peak_duration_s=given["peak_duration_s"],
        segment_bytes=given["segment_bytes"],
        segment_s=given["segment_s"],
    )
    return _Rates(average, peak, given["peak_duration_s"], np.asarray(fill))


def _retained(rates: _Rates, period_s: Array, limit_bytes: Array, note: Note, name: str) -> tuple[Array, Array]:
    """Live bytes under a time and a size limit, mean and most."""
    check: dict[str, Any] = {"check_interval_s": constant("storage.check_interval_s"), "segment_fill_bytes": rates.fill}
    live = []
    for kind, time_rule, size_rule in (
        ("average", storage.time_retention_average_bytes, storage.size_retention_average_bytes),
        ("max", storage.time_retention_max_bytes, storage.size_retention_max_bytes),
    ):
        by_time = note(f"topics.{name}_time_{kind}_bytes", time_rule, **rates.arguments, retention_s=period_s, **check)
        by_size = size_rule(**rates.arguments, retention_bytes=limit_bytes, **check)
        live.append(np.asarray(storage.live_bytes(time_rule_bytes=by_time, size_rule_bytes=by_size)))
    # an idle replica keeps nothing, whatever its size limit would allow
    return tuple(np.where(rates.peak > 0, value, 0.0) for value in live)  # type: ignore[return-value]


def _local(rates: _Rates, kept_s: Array, given: Mapping[str, Array], note: Note) -> tuple[Array, Array]:
    """The part of a tiered topic that stays on the broker: local retention, and what waits for its copy."""
    by_rule = _retained(rates, np.minimum(given["local_s"], kept_s), given["local_bytes"], note, "local")
    delay = np.full_like(rates.average, constant("storage.remote_copy_delay_s"))
    uncopied = _retained(rates, delay, np.full_like(delay, np.inf), Trace.silent, "uncopied")
    mean, most = (
        np.asarray(storage.tiered_local_bytes(local_rule_bytes=rule, uncopied_bytes=waiting))
        for rule, waiting in zip(by_rule, uncopied, strict=True)
    )
    return mean, most


def cleaning(workload: Workload, columns: Mapping[str, Array], topic: Indices, share: Array) -> dict[str, Array]:
    """What the log cleaner does to one replica of each partition class; meaningless where a topic is not compacted."""
    given = {name: value[topic] for name, value in workload.given.items()}
    return _compacted(columns, _rates(columns, given, topic, share), given, topic, share)


def _compacted(
    columns: Mapping[str, Array], rates: _Rates, given: Mapping[str, Array], topic: Indices, share: Array
) -> dict[str, Array]:
    """A compacted replica: clean part, dirty part up to the trigger, and the cleaner's traffic."""
    header = constant("records.batch_header_bytes")
    batch = np.maximum(columns["batch_records"][topic], 1.0)
    wire = columns["wire_bytes_per_record"][topic]
    keys = given["unique_keys"] * share
    clean = compaction.clean_bytes(
        unique_keys=keys,
        record_bytes=np.maximum(wire - header / batch, 0.0),
        survivor_header_bytes=compaction.uniform_survivor_header_bytes(batch_records=batch, batch_header_bytes=header),
    )
    # a log cannot hold more clean bytes than were ever written to it within the horizon
    clean = np.where(rates.peak > 0, clean, 0.0)
    trigger = compaction.dirty_trigger_bytes(
        clean_bytes=clean, min_dirty_ratio=given["min_dirty_ratio"], segment_fill_bytes=rates.fill
    )
    passes_per_s = compaction.cleanings_per_s(bytes_per_s=rates.average, dirty_trigger_bytes=trigger)
    tombstones = compaction.tombstones_kept_bytes(
        tombstones_per_s=columns["average_records_per_s"][topic] * share * given["tombstone_fraction"],
        tombstone_bytes=_tombstone_bytes(given, header, batch),
        delete_retention_s=given["delete_retention_s"],
        cleanings_per_s=passes_per_s,
    )
    passes = _passes(wire, trigger, keys)
    parts = {"clean_bytes": clean, "dirty_trigger_bytes": trigger}
    most = compaction.compacted_max_bytes(
        **parts,
        tombstones_kept_bytes=tombstones,
        segment_fill_bytes=rates.fill,
        peak_bytes_per_s=rates.peak,
        cleaner_wait_s=constant("compaction.backoff_s"),
    )
    swap = {"cleanings_per_s": passes_per_s, "delete_delay_s": constant("storage.file_delete_delay_s")}
    found = {
        **parts,
        "unique_keys": keys,
        "cleanings_per_s": passes_per_s,
        "passes": passes,
        "tombstones": tombstones,
        "segment_fill_bytes": rates.fill,
        "mean": compaction.compacted_average_bytes(
            **parts,
            tombstones_kept_bytes=tombstones,
            average_bytes_per_s=rates.average,
            cleaner_wait_s=constant("compaction.backoff_s"),
        ),
        "most": most,
        "waiting": compaction.compacted_deleted_average_bytes(**parts, **swap),
        "worst": most
        + compaction.compacted_deleted_worst_bytes(
            clean_bytes=clean + tombstones,
            peak_bytes_per_s=rates.peak,
            cleanings_per_s=compaction.cleanings_per_s(bytes_per_s=rates.peak, dirty_trigger_bytes=trigger),
            delete_delay_s=constant("storage.file_delete_delay_s"),
        ),
        "read": compaction.cleaner_read_bytes_per_s(**parts, cleanings_per_s=passes_per_s, passes_per_cleaning=passes),
        "write": compaction.cleaner_write_bytes_per_s(
            clean_bytes=clean, cleanings_per_s=passes_per_s, passes_per_cleaning=passes
        ),
    }
    return {name: np.asarray(value, dtype=float) for name, value in found.items()}


def _tombstone_bytes(given: Mapping[str, Array], header: float, batch: Array) -> Array:
    """A record with a key and no value, and its share of the batch header."""
    return np.maximum(given["key_bytes"], 0.0) + given["headers_bytes"] + header / batch


def _passes(wire: Array, trigger: Numeric, keys: Array) -> Array:
    dirty = compaction.dirty_keys(unique_keys=keys, dirty_records=trigger / np.maximum(wire, 1.0))
    per_pass = compaction.keys_per_pass(
        dedupe_buffer_bytes=constant("compaction.dedupe_buffer_bytes"),
        cleaner_threads=constant("compaction.cleaner_threads"),
        thread_buffer_max_bytes=constant("compaction.thread_buffer_max_bytes"),
        key_entry_bytes=constant("compaction.key_entry_bytes"),
        load_factor=constant("compaction.load_factor"),
    )
    return np.asarray(compaction.passes_per_cleaning(dirty_keys=dirty, keys_per_pass=per_pass))


def stored_columns(topics: TopicArrays, classes: PartitionClasses, note: Note) -> dict[str, Array]:
    """Bytes per topic over all replicas: average, worst, remote."""
    topic = classes.topic.astype(np.intp)
    many = len(topics.names)
    volumes = {
        name: note(
            f"topics.{name}",
            storage.topic_disk_bytes,
            replica_disk_bytes=np.bincount(topic, replica * classes.count, many) / topics.partitions,
            partitions=topics.partitions,
            replication_factor=topics.replication_factor,
        )
        for name, replica in (("disk_bytes", classes.disk_bytes), ("disk_bytes_worst", classes.disk_bytes_worst))
    }
    return {
        **volumes,
        "remote_bytes": np.bincount(topic, classes.remote_bytes * classes.count, many),
        "hottest_partition_fraction": np.maximum.reduceat(
            classes.share[np.argsort(topic, kind="stable")], np.searchsorted(np.sort(topic), np.arange(many))
        ),
    }
