"""Disk space over time: what a spike, a stuck cleaner or a pinned log adds, and what cutting a retention frees."""

from __future__ import annotations

import numpy as np

from planner.model.types import Array, Numeric
from planner.trace import formula


@formula("average_bytes_per_s * max(spike_factor - 1, 0)", unit="bytes/s", source="arithmetic")
def excess_bytes_per_s(*, average_bytes_per_s: Numeric, spike_factor: Numeric) -> Numeric:
    """Rate at which a log grows while more is written than expires.

    Parameters
    ----------
    average_bytes_per_s
        Bytes per second into the log before the spike; as many expire [bytes/s], >= 0.
    spike_factor
        Rate during the spike over the rate before [ratio], >= 0.

    Returns
    -------
    Numeric
        Growth [bytes/s].

    Assumptions
    -----------
    Retention deletes at the rate of the time before the spike, because what it deletes was written then.

    Validity
    --------
    Until the spike is as long as the retention; then as much expires as is written.

    Examples
    --------
    >>> float(excess_bytes_per_s(average_bytes_per_s=10.0, spike_factor=3))
    20.0

    References
    ----------
    arithmetic
    """
    return average_bytes_per_s * np.maximum(spike_factor - 1, 0)


@formula(
    "min(excess_bytes_per_s * min(elapsed_s, levels_after_s), room_bytes)",
    unit="bytes",
    source="kafka-4.3-source",
)
def growth_bytes(
    *, excess_bytes_per_s: Numeric, elapsed_s: Numeric, levels_after_s: Numeric, room_bytes: Numeric
) -> Numeric:
    """Bytes by which a log has grown some time after its balance was disturbed.

    Parameters
    ----------
    excess_bytes_per_s
        Bytes written beyond those that expire [bytes/s], >= 0.
    elapsed_s
        Time since the disturbance began [s], >= 0.
    levels_after_s
        When as much expires as is written: the retention time; infinite when nothing expires [s], >= 0.
    room_bytes
        How much the size limit still lets it grow; infinite without one [bytes], >= 0.

    Returns
    -------
    Numeric
        Growth [bytes].

    Assumptions
    -----------
    The disturbance lasts and stays the same.

    Validity
    --------
    Times long against the retention check interval and the time that a segment takes to fill.

    Examples
    --------
    >>> float(growth_bytes(excess_bytes_per_s=10.0, elapsed_s=60, levels_after_s=30, room_bytes=1000))
    300.0

    References
    ----------
    kafka-4.3-source
    """
    grown: Numeric = np.minimum(excess_bytes_per_s * np.minimum(elapsed_s, levels_after_s), room_bytes)
    return grown


def _reached_s(free_bytes: float, excess: Numeric, levels_after_s: Numeric, room_bytes: Numeric) -> float:
    """When the growth of all logs together reaches `free_bytes`; their sum is a line with a bend for each log."""
    rate, level, room = np.broadcast_arrays(*(np.asarray(v, dtype=float) for v in (excess, levels_after_s, room_bytes)))
    with np.errstate(over="ignore"):  # a log that hardly grows meets its limit never
        stops = np.minimum(level, np.where(rate > 0, room / np.where(rate > 0, rate, 1.0), 0.0))
    bends = np.unique(np.append(stops[np.isfinite(stops)], 0.0))
    grown: Array = np.array([np.minimum(rate * np.minimum(bend, level), room).sum() for bend in bends])
    if free_bytes <= 0:
        return 0.0
    after = int(np.searchsorted(grown, free_bytes))
    if after < len(bends):
        return float(np.interp(free_bytes, grown[after - 1 : after + 1], bends[after - 1 : after + 1]))
    endless = float(rate[~np.isfinite(stops)].sum())
    with np.errstate(over="ignore"):
        return float(bends[-1] + (free_bytes - grown[-1]) / endless) if endless > 0 else np.inf


@formula(
    "_reached_s(free_bytes, excess_bytes_per_s, levels_after_s, room_bytes)",
    unit="s",
    source="arithmetic",
)
def filled_after_s(
    *, free_bytes: Numeric, excess_bytes_per_s: Numeric, levels_after_s: Numeric, room_bytes: Numeric
) -> Numeric:
    """Seconds until growing logs have used up the free space of a disk.

    Parameters
    ----------
    free_bytes
        Free space, one number [bytes].
    excess_bytes_per_s
        Growth of each log [bytes/s], >= 0.
    levels_after_s
        When each stops growing by itself [s], >= 0; may be infinite.
    room_bytes
        How much its size limit lets each grow [bytes], >= 0; may be infinite.

    Returns
    -------
    Numeric
        Time until the space is used [s]; 0 when there is none, infinite when all stop growing before.

    Assumptions
    -----------
    Every log grows at a constant rate until it levels or meets its limit.

    Validity
    --------
    As `growth_bytes`, whose inverse it is.

    Examples
    --------
    >>> filled_after_s(free_bytes=500.0, excess_bytes_per_s=10.0, levels_after_s=100.0, room_bytes=900.0)
    50.0

    References
    ----------
    arithmetic
    """
    return _reached_s(float(free_bytes), excess_bytes_per_s, levels_after_s, room_bytes)


@formula("limit_bytes / bytes_per_s", unit="s", source="kafka-4.3-source")
def kept_s(*, limit_bytes: Numeric, bytes_per_s: Numeric) -> Numeric:
    """How old a record is when retention.bytes deletes it.

    Parameters
    ----------
    limit_bytes
        retention.bytes, of a partition [bytes], > 0.
    bytes_per_s
        Bytes per second into the partition [bytes/s], > 0.

    Returns
    -------
    Numeric
        Age at deletion, at least [s].

    Assumptions
    -----------
    The rate stays the same.

    Validity
    --------
    A lower bound: up to a segment and a check interval more is kept.

    Examples
    --------
    >>> kept_s(limit_bytes=1000.0, bytes_per_s=10.0)
    100.0

    References
    ----------
    kafka-4.3-source
    """
    return limit_bytes / bytes_per_s


@formula("bytes_per_s * retention_s * stretch", unit="bytes", source="arithmetic")
def retention_limit_bytes(*, bytes_per_s: Numeric, retention_s: Numeric, stretch: Numeric) -> Numeric:
    """retention.bytes that holds a multiple of what the retention time keeps at the average rate.

    Parameters
    ----------
    bytes_per_s
        Average bytes per second into the busiest partition [bytes/s], >= 0.
    retention_s
        retention.ms [s], > 0.
    stretch
        Multiple of the ordinary volume [ratio], >= 0; below 1 the limit cuts into ordinary days.

    Returns
    -------
    Numeric
        Limit per partition [bytes].

    Assumptions
    -----------
    Every topic gets the same multiple of its own volume.

    Validity
    --------
    Segment, check interval and deletion delay come on top of it on the disk.

    Examples
    --------
    >>> retention_limit_bytes(bytes_per_s=10.0, retention_s=100, stretch=2.0)
    2000.0

    References
    ----------
    arithmetic
    """
    return bytes_per_s * retention_s * stretch


@formula("max(kept_bytes - kept_after_bytes, 0)", unit="bytes", source="arithmetic")
def freed_bytes(*, kept_bytes: Numeric, kept_after_bytes: Numeric) -> Numeric:
    """Bytes that a shorter retention frees on all brokers together.

    Parameters
    ----------
    kept_bytes
        Mean bytes of the topic before [bytes], >= 0.
    kept_after_bytes
        Mean bytes under the shorter retention [bytes], >= 0.

    Returns
    -------
    Numeric
        Freed [bytes].

    Assumptions
    -----------
    Both in balance.

    Validity
    --------
    Whole segments go; the open one of each partition stays.

    Examples
    --------
    >>> float(freed_bytes(kept_bytes=900.0, kept_after_bytes=500.0))
    400.0

    References
    ----------
    arithmetic
    """
    freed: Numeric = np.maximum(kept_bytes - kept_after_bytes, 0.0)
    return freed


@formula("check_interval_s + delete_delay_s", unit="s", source="kafka-4.3-source")
def freed_after_s(*, check_interval_s: Numeric, delete_delay_s: Numeric) -> Numeric:
    """Longest wait from a shorter retention to free space.

    Parameters
    ----------
    check_interval_s
        log.retention.check.interval.ms [s], >= 0.
    delete_delay_s
        file.delete.delay.ms: from marking a segment as deleted to unlinking it [s], >= 0.

    Returns
    -------
    Numeric
        Wait at most [s].

    Assumptions
    -----------
    The broker applies a changed topic configuration at once.

    Validity
    --------
    Closed segments; brokers that run.

    Examples
    --------
    >>> freed_after_s(check_interval_s=300, delete_delay_s=60)
    360

    References
    ----------
    kafka-4.3-source
    """
    return check_interval_s + delete_delay_s


@formula("disk_bytes / (brokers + 1)", unit="bytes", source="arithmetic")
def new_broker_bytes(*, disk_bytes: Numeric, brokers: Numeric) -> Numeric:
    """Bytes that one more broker takes over when everything is spread evenly.

    Parameters
    ----------
    disk_bytes
        All replicas of the cluster [bytes], >= 0.
    brokers
        Brokers before [count], >= 1.

    Returns
    -------
    Numeric
        Moved to the new broker [bytes].

    Assumptions
    -----------
    Only what the new broker needs is moved.

    Validity
    --------
    Partitions small against a broker.

    Examples
    --------
    >>> new_broker_bytes(disk_bytes=900.0, brokers=2)
    300.0

    References
    ----------
    arithmetic
    """
    return disk_bytes / (brokers + 1)
