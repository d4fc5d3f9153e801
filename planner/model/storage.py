"""Bytes on disk of one partition replica under retention, and of the remote tier."""

from __future__ import annotations

import numpy as np

from planner.model.types import Numeric
from planner.trace import formula


def _written(
    average_bytes_per_s: Numeric, peak_bytes_per_s: Numeric, peak_duration_s: Numeric, period_s: Numeric
) -> Numeric:
    """Bytes written in a period that holds one whole peak, or as much of it as fits."""
    excess_bytes_per_s = np.maximum(peak_bytes_per_s - average_bytes_per_s, 0)
    written: Numeric = average_bytes_per_s * period_s + excess_bytes_per_s * np.minimum(period_s, peak_duration_s)
    return written


@formula(
    "average_bytes_per_s * period_s + max(peak_bytes_per_s - average_bytes_per_s, 0) * min(period_s, peak_duration_s)",
    unit="bytes",
    source="arithmetic",
)
def retained_bytes(
    *, average_bytes_per_s: Numeric, peak_bytes_per_s: Numeric, peak_duration_s: Numeric, period_s: Numeric
) -> Numeric:
    """Bytes written in a period: the average rate throughout, and a peak's excess while it lasts.

    Parameters
    ----------
    average_bytes_per_s
        Bytes per second into the log, average [bytes/s], >= 0.
    peak_bytes_per_s
        The same at peak [bytes/s], >= 0; a peak below the average adds nothing.
    peak_duration_s
        How long a peak lasts [s], >= 0.
    period_s
        How long bytes are kept [s], >= 0.

    Returns
    -------
    Numeric
        Bytes kept at the end of a peak [bytes].

    Assumptions
    -----------
    The average is the rate besides the peak's excess, and one peak falls into the period.

    Validity
    --------
    A period shorter than the peak holds the peak rate throughout. Daily peaks over several days of retention are part
    of the average.

    Examples
    --------
    >>> float(
    ...     retained_bytes(average_bytes_per_s=10.0, peak_bytes_per_s=30.0, peak_duration_s=50, period_s=100)
    ... )
    2000.0
    >>> float(
    ...     retained_bytes(average_bytes_per_s=10.0, peak_bytes_per_s=30.0, peak_duration_s=50, period_s=20)
    ... )
    600.0

    References
    ----------
    arithmetic
    """
    return _written(average_bytes_per_s, peak_bytes_per_s, peak_duration_s, period_s)


@formula(
    "min(segment_bytes, _written(average_bytes_per_s, peak_bytes_per_s, peak_duration_s, segment_s))",
    unit="bytes",
    source="kafka-4.3-source",
)
def segment_fill_bytes(
    *,
    average_bytes_per_s: Numeric,
    peak_bytes_per_s: Numeric,
    peak_duration_s: Numeric,
    segment_bytes: Numeric,
    segment_s: Numeric,
) -> Numeric:
    """Bytes in a segment when it is closed: by segment.bytes or by segment.ms, whichever comes first.

    Parameters
    ----------
    average_bytes_per_s
        Bytes per second into the replica, average [bytes/s], >= 0.
    peak_bytes_per_s
        The same at peak [bytes/s], >= 0.
    peak_duration_s
        How long a peak lasts [s], >= 0.
    segment_bytes
        segment.bytes [bytes], > 0.
    segment_s
        segment.ms [s], > 0.

    Returns
    -------
    Numeric
        Full segment [bytes]; 0 for an idle replica.

    Assumptions
    -----------
    segment.jitter.ms is 0. The batch that would overflow a segment opens the next one.

    Validity
    --------
    Batches small against segment.bytes. A time roll needs an append, so a topic that stops keeps its last segment.

    Examples
    --------
    >>> float(
    ...     segment_fill_bytes(
    ...         average_bytes_per_s=10.0, peak_bytes_per_s=10.0, peak_duration_s=0, segment_bytes=5000, segment_s=100
    ...     )
    ... )
    1000.0

    References
    ----------
    kafka-4.3-source
    """
    filled: Numeric = np.minimum(
        segment_bytes, _written(average_bytes_per_s, peak_bytes_per_s, peak_duration_s, segment_s)
    )
    return filled


@formula(
    "_written(average_bytes_per_s, peak_bytes_per_s, peak_duration_s, retention_s + check_interval_s / 2)"
    " + segment_fill_bytes / 2",
    unit="bytes",
    source="kafka-4.3-source",
    confidence="medium",
)
def time_retention_average_bytes(
    *,
    average_bytes_per_s: Numeric,
    peak_bytes_per_s: Numeric,
    peak_duration_s: Numeric,
    retention_s: Numeric,
    check_interval_s: Numeric,
    segment_fill_bytes: Numeric,
) -> Numeric:
    """Mean bytes of a replica that retention.ms limits.

    Parameters
    ----------
    average_bytes_per_s
        Bytes per second into the replica, average [bytes/s], >= 0.
    peak_bytes_per_s
        The same at peak [bytes/s], >= 0; give the average here for the mean over quiet times too.
    peak_duration_s
        How long a peak lasts [s], >= 0.
    retention_s
        retention.ms [s], >= 0.
    check_interval_s
        log.retention.check.interval.ms [s], > 0.
    segment_fill_bytes
        Bytes in a full segment [bytes], >= 0.

    Returns
    -------
    Numeric
        Mean bytes of the log files [bytes].

    Assumptions
    -----------
    Segments close and checks come at uniform, independent phases. A segment goes whole, once its newest record is old.

    Validity
    --------
    Measured -1 to +5 % of it; the larger errors where a segment took exactly one check interval to fill.
    Producer clocks that run ahead or behind shift retention (CreateTime).

    Examples
    --------
    >>> float(
    ...     time_retention_average_bytes(
    ...         average_bytes_per_s=10.0,
    ...         peak_bytes_per_s=10.0,
    ...         peak_duration_s=0,
    ...         retention_s=100,
    ...         check_interval_s=20,
    ...         segment_fill_bytes=50,
    ...     )
    ... )
    1125.0

    References
    ----------
    kafka-4.3-source
    kafka-4.3-measured
    """
    period_s = retention_s + check_interval_s / 2
    return _written(average_bytes_per_s, peak_bytes_per_s, peak_duration_s, period_s) + segment_fill_bytes / 2


@formula(
    "_written(average_bytes_per_s, peak_bytes_per_s, peak_duration_s, retention_s + check_interval_s)"
    " + segment_fill_bytes",
    unit="bytes",
    source="kafka-4.3-source",
)
def time_retention_max_bytes(
    *,
    average_bytes_per_s: Numeric,
    peak_bytes_per_s: Numeric,
    peak_duration_s: Numeric,
    retention_s: Numeric,
    check_interval_s: Numeric,
    segment_fill_bytes: Numeric,
) -> Numeric:
    """Most bytes of a replica that retention.ms limits: just before a check that finds a full segment expired.

    Parameters
    ----------
    average_bytes_per_s
        Bytes per second into the replica, average [bytes/s], >= 0.
    peak_bytes_per_s
        The same at peak [bytes/s], >= 0.
    peak_duration_s
        How long a peak lasts [s], >= 0.
    retention_s
        retention.ms [s], >= 0.
    check_interval_s
        log.retention.check.interval.ms [s], > 0.
    segment_fill_bytes
        Bytes in a full segment [bytes], >= 0.

    Returns
    -------
    Numeric
        Upper bound of the log files [bytes].

    Assumptions
    -----------
    Timestamps follow the clock. A segment goes whole, once its newest record is old.

    Validity
    --------
    A bound, approached within one batch. Where segment.ms equals retention.ms and segments close by time, this is
    twice the retained bytes.

    Examples
    --------
    >>> float(
    ...     time_retention_max_bytes(
    ...         average_bytes_per_s=10.0,
    ...         peak_bytes_per_s=10.0,
    ...         peak_duration_s=0,
    ...         retention_s=100,
    ...         check_interval_s=20,
    ...         segment_fill_bytes=50,
    ...     )
    ... )
    1250.0

    References
    ----------
    kafka-4.3-source
    kafka-4.3-measured
    """
    period_s = retention_s + check_interval_s
    return _written(average_bytes_per_s, peak_bytes_per_s, peak_duration_s, period_s) + segment_fill_bytes


@formula(
    "retention_bytes + segment_fill_bytes / 2"
    " + _written(average_bytes_per_s, peak_bytes_per_s, peak_duration_s, check_interval_s / 2)",
    unit="bytes",
    source="kafka-4.3-source",
    confidence="medium",
)
def size_retention_average_bytes(
    *,
    average_bytes_per_s: Numeric,
    peak_bytes_per_s: Numeric,
    peak_duration_s: Numeric,
    retention_bytes: Numeric,
    check_interval_s: Numeric,
    segment_fill_bytes: Numeric,
) -> Numeric:
    """Mean bytes of a replica that retention.bytes limits.

    Parameters
    ----------
    average_bytes_per_s
        Bytes per second into the replica, average [bytes/s], >= 0.
    peak_bytes_per_s
        The same at peak [bytes/s], >= 0.
    peak_duration_s
        How long a peak lasts [s], >= 0.
    retention_bytes
        retention.bytes, per partition [bytes], >= 0; infinite = unlimited.
    check_interval_s
        log.retention.check.interval.ms [s], > 0.
    segment_fill_bytes
        Bytes in a full segment [bytes], >= 0.

    Returns
    -------
    Numeric
        Mean bytes of the log files [bytes]; infinite when unlimited, for `live_bytes` to choose the time rule.

    Assumptions
    -----------
    Segments close and checks come at uniform, independent phases. The log has reached its limit.

    Validity
    --------
    Measured 0 to +4 % of it; the larger error where a segment took exactly one check interval to fill.

    Examples
    --------
    >>> float(
    ...     size_retention_average_bytes(
    ...         average_bytes_per_s=10.0,
    ...         peak_bytes_per_s=10.0,
    ...         peak_duration_s=0,
    ...         retention_bytes=1000,
    ...         check_interval_s=20,
    ...         segment_fill_bytes=50,
    ...     )
    ... )
    1125.0

    References
    ----------
    kafka-4.3-source
    kafka-4.3-measured
    """
    unseen_bytes = _written(average_bytes_per_s, peak_bytes_per_s, peak_duration_s, check_interval_s / 2)
    return retention_bytes + segment_fill_bytes / 2 + unseen_bytes


@formula(
    "retention_bytes + segment_fill_bytes"
    " + _written(average_bytes_per_s, peak_bytes_per_s, peak_duration_s, check_interval_s)",
    unit="bytes",
    source="kafka-4.3-source",
)
def size_retention_max_bytes(
    *,
    average_bytes_per_s: Numeric,
    peak_bytes_per_s: Numeric,
    peak_duration_s: Numeric,
    retention_bytes: Numeric,
    check_interval_s: Numeric,
    segment_fill_bytes: Numeric,
) -> Numeric:
    """Most bytes of a replica that retention.bytes limits: just before a check.

    Parameters
    ----------
    average_bytes_per_s
        Bytes per second into the replica, average [bytes/s], >= 0.
    peak_bytes_per_s
        The same at peak [bytes/s], >= 0.
    peak_duration_s
        How long a peak lasts [s], >= 0.
    retention_bytes
        retention.bytes, per partition [bytes], >= 0; infinite = unlimited.
    check_interval_s
        log.retention.check.interval.ms [s], > 0.
    segment_fill_bytes
        Bytes in a full segment [bytes], >= 0.

    Returns
    -------
    Numeric
        Upper bound of the log files [bytes]; infinite when unlimited, for `live_bytes` to choose the time rule.

    Assumptions
    -----------
    A check leaves less than a segment above the limit: it deletes a segment only if what stays is not below the limit.

    Validity
    --------
    A bound, approached within one batch.

    Examples
    --------
    >>> float(
    ...     size_retention_max_bytes(
    ...         average_bytes_per_s=10.0,
    ...         peak_bytes_per_s=10.0,
    ...         peak_duration_s=0,
    ...         retention_bytes=1000,
    ...         check_interval_s=20,
    ...         segment_fill_bytes=50,
    ...     )
    ... )
    1250.0

    References
    ----------
    kafka-4.3-source
    kafka-4.3-measured
    """
    unseen_bytes = _written(average_bytes_per_s, peak_bytes_per_s, peak_duration_s, check_interval_s)
    return retention_bytes + segment_fill_bytes + unseen_bytes


@formula("min(time_rule_bytes, size_rule_bytes)", unit="bytes", source="kafka-4.3-source")
def live_bytes(*, time_rule_bytes: Numeric, size_rule_bytes: Numeric) -> Numeric:
    """Bytes of a replica under both rules: the first to trip deletes.

    Parameters
    ----------
    time_rule_bytes
        What retention.ms alone would keep, mean or most [bytes], >= 0.
    size_rule_bytes
        What retention.bytes alone would keep, mean or most [bytes], >= 0; infinite = unlimited.

    Returns
    -------
    Numeric
        Bytes of the log files, mean or most as given [bytes].

    Assumptions
    -----------
    Both figures are means, or both are bounds.

    Validity
    --------
    The bound is exact; the mean is high by a few per cent where both rules keep about the same.

    Examples
    --------
    >>> float(live_bytes(time_rule_bytes=500.0, size_rule_bytes=float("inf")))
    500.0

    References
    ----------
    kafka-4.3-source
    kafka-4.3-measured
    """
    live: Numeric = np.minimum(time_rule_bytes, size_rule_bytes)
    return live


@formula("bytes_per_s * delete_delay_s", unit="bytes", source="kafka-4.3-source")
def deleted_bytes(*, bytes_per_s: Numeric, delete_delay_s: Numeric) -> Numeric:
    """Bytes of expired segments that still wait to be unlinked (`.deleted` files): mean, or beside the most live bytes.

    Parameters
    ----------
    bytes_per_s
        Bytes per second into the replica [bytes/s], >= 0: the average for the mean, the peak for the worst.
    delete_delay_s
        file.delete.delay.ms [s], >= 0; 0 where nothing is ever deleted.

    Returns
    -------
    Numeric
        Bytes waiting [bytes].

    Assumptions
    -----------
    In the long run as much is deleted as is written. For the worst: a check moves bytes from live to waiting and so
    adds nothing to their sum, which is most when the delay after a check ends: the most live bytes, and what was
    written in the delay.

    Validity
    --------
    Mean measured within 0.5 %. Alone, waiting files can be more than this (all that expired in a check interval, and a
    segment), but then the live log is that much shorter.

    Examples
    --------
    >>> deleted_bytes(bytes_per_s=10.0, delete_delay_s=60)
    600.0

    References
    ----------
    kafka-4.3-source
    kafka-4.3-measured
    """
    return bytes_per_s * delete_delay_s


@formula(
    "floor(max(batches - 1, 0) / (floor(index_interval_bytes / max(batch_bytes, 1)) + 1))",
    unit="count",
    source="kafka-4.3-source",
)
def index_entries(*, batches: Numeric, batch_bytes: Numeric, index_interval_bytes: Numeric) -> Numeric:
    """Entries in the offset index of a segment, and of its time index but for one more when it closes.

    Parameters
    ----------
    batches
        Batches in the segment [count], >= 0.
    batch_bytes
        Size of a batch [bytes], >= 1.
    index_interval_bytes
        index.interval.bytes [bytes], >= 0.

    Returns
    -------
    Numeric
        Entries [count].

    Assumptions
    -----------
    All batches are equal; an entry goes before a batch once more than the interval was written since the last one.

    Validity
    --------
    Exact for equal batches from Kafka 3.9.1, 4.0.1 and 4.1.0 on; before, one entry at most per append. Batches of
    mixed sizes gave 5 % more than this with their mean.

    Examples
    --------
    >>> float(index_entries(batches=64, batch_bytes=16205, index_interval_bytes=4096))
    63.0

    References
    ----------
    kafka-4.3-source
    kafka-4.3-measured
    """
    step = np.floor(index_interval_bytes / np.maximum(batch_bytes, 1)) + 1
    entries: Numeric = np.floor(np.maximum(batches - 1, 0) / step)
    return entries


@formula(
    "index_entry_bytes / ((floor(index_interval_bytes / max(batch_bytes, 1)) + 1) * max(batch_bytes, 1))",
    unit="fraction",
    source="kafka-4.3-source",
)
def index_fraction(*, batch_bytes: Numeric, index_interval_bytes: Numeric, index_entry_bytes: Numeric) -> Numeric:
    """Bytes of offset and time index per byte of log.

    Parameters
    ----------
    batch_bytes
        Size of a batch [bytes], >= 1.
    index_interval_bytes
        index.interval.bytes [bytes], >= 0.
    index_entry_bytes
        An entry in the offset index and one in the time index [bytes], 20.

    Returns
    -------
    Numeric
        Index over log [fraction], below 0.005 at the default interval.

    Assumptions
    -----------
    All batches are equal and each has a later timestamp than the one before.

    Validity
    --------
    Allocated bytes. The indexes of an active segment look larger (10 MiB each, sparse), closed ones are cut to size.

    Examples
    --------
    >>> float(index_fraction(batch_bytes=5000, index_interval_bytes=4096, index_entry_bytes=20))
    0.004

    References
    ----------
    kafka-4.3-source
    """
    size_bytes = np.maximum(batch_bytes, 1)
    step = np.floor(index_interval_bytes / size_bytes) + 1
    fraction: Numeric = index_entry_bytes / (step * size_bytes)
    return fraction


@formula(
    "(live_bytes + deleted_bytes) * (1 + index_fraction) + idle_replica_bytes",
    unit="bytes",
    source="kafka-4.3-source",
)
def replica_disk_bytes(
    *, live_bytes: Numeric, deleted_bytes: Numeric, index_fraction: Numeric, idle_replica_bytes: Numeric
) -> Numeric:
    """Allocated bytes of one partition replica: log files, files that wait to be unlinked, and their indexes.

    Parameters
    ----------
    live_bytes
        Log files, mean or most [bytes], >= 0.
    deleted_bytes
        Files waiting to be unlinked, mean or beside the most live bytes [bytes], >= 0.
    index_fraction
        Index over log [fraction], >= 0.
    idle_replica_bytes
        What a replica without data allocates [bytes], >= 0.

    Returns
    -------
    Numeric
        Bytes on disk, mean or worst as given [bytes].

    Assumptions
    -----------
    Waiting files keep their indexes.

    Validity
    --------
    File systems with sparse files. Without them, or as counted by tools that sum apparent sizes, every replica shows
    20 MiB more. Snapshots and aborted transactions are not counted (46 B a producer, 34 B a transaction).

    Examples
    --------
    >>> replica_disk_bytes(live_bytes=900.0, deleted_bytes=100.0, index_fraction=0.5, idle_replica_bytes=10)
    1510.0

    References
    ----------
    kafka-4.3-source
    kafka-4.3-measured
    """
    return (live_bytes + deleted_bytes) * (1 + index_fraction) + idle_replica_bytes


@formula("max(local_rule_bytes, uncopied_bytes)", unit="bytes", source="kafka-4.3-source", confidence="medium")
def tiered_local_bytes(*, local_rule_bytes: Numeric, uncopied_bytes: Numeric) -> Numeric:
    """Log bytes that a replica of a tiered topic keeps on its broker.

    Parameters
    ----------
    local_rule_bytes
        What local.retention.ms and local.retention.bytes keep, mean or most: `live_bytes` of the two [bytes], >= 0.
    uncopied_bytes
        What must wait for its copy: the time rule with the copy's delay as retention, mean or most [bytes], >= 0.

    Returns
    -------
    Numeric
        Local bytes, mean or most as given [bytes].

    Assumptions
    -----------
    A segment leaves the broker once it is closed, copied and past local retention, at the next check. Copying keeps up.

    Validity
    --------
    While the remote tier is down nothing leaves: then local bytes grow by the rate times the outage.

    Examples
    --------
    >>> float(tiered_local_bytes(local_rule_bytes=900.0, uncopied_bytes=1200.0))
    1200.0

    References
    ----------
    kafka-4.3-source
    """
    local: Numeric = np.maximum(local_rule_bytes, uncopied_bytes)
    return local


@formula("min(written_bytes, retention_bytes)", unit="bytes", source="kafka-4.3-source")
def remote_bytes(*, written_bytes: Numeric, retention_bytes: Numeric) -> Numeric:
    """Bytes of one partition in the remote tier: one copy, whatever the replication factor.

    Parameters
    ----------
    written_bytes
        What is written in retention.ms, see `retained_bytes` [bytes], >= 0.
    retention_bytes
        retention.bytes, per partition [bytes], >= 0; infinite = unlimited.

    Returns
    -------
    Numeric
        Remote bytes of the partition [bytes].

    Assumptions
    -----------
    Closed segments are copied at once, so the tier holds the local ones too: all but the active segment.

    Validity
    --------
    Without what the store adds for its own redundancy; up to one segment more until the next expiry run.

    Examples
    --------
    >>> float(remote_bytes(written_bytes=7000.0, retention_bytes=float("inf")))
    7000.0

    References
    ----------
    kafka-4.3-source
    """
    remote: Numeric = np.minimum(written_bytes, retention_bytes)
    return remote


@formula(
    "replica_disk_bytes * partitions * replication_factor",
    unit="bytes",
    source="arithmetic",
)
def topic_disk_bytes(*, replica_disk_bytes: Numeric, partitions: Numeric, replication_factor: Numeric) -> Numeric:
    """Bytes of a topic on the disks of all brokers.

    Parameters
    ----------
    replica_disk_bytes
        One replica, mean over the partitions [bytes], >= 0.
    partitions
        Partitions of the topic [count], >= 1.
    replication_factor
        Replicas of each partition, leader included [count], >= 1.

    Returns
    -------
    Numeric
        Bytes on all brokers [bytes].

    Assumptions
    -----------
    Every replica keeps the same.

    Validity
    --------
    Any.

    Examples
    --------
    >>> topic_disk_bytes(replica_disk_bytes=10.0, partitions=6, replication_factor=3)
    180.0

    References
    ----------
    arithmetic
    """
    return replica_disk_bytes * partitions * replication_factor
