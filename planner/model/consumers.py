"""Consumers: how busy they are, the lag of an outage, when it is gone, and when unread records are deleted.

Durations are infinite where they never end.
"""

from __future__ import annotations

import numpy as np

from planner.model.types import Numeric
from planner.trace import formula


@formula("records_per_s / records_per_s_per_member", unit="count", source="arithmetic")
def busy_members(*, records_per_s: Numeric, records_per_s_per_member: Numeric) -> Numeric:
    """Members that would be busy all the time: the work that arrives in a second.

    Parameters
    ----------
    records_per_s
        Records that arrive for the group [1/s], >= 0.
    records_per_s_per_member
        Records that one member processes [1/s], > 0.

    Returns
    -------
    Numeric
        Members kept busy [count].

    Assumptions
    -----------
    A member works on one record at a time, or as many as its measured rate includes.

    Validity
    --------
    Steady rates.

    Examples
    --------
    >>> float(busy_members(records_per_s=3000.0, records_per_s_per_member=500.0))
    6.0

    References
    ----------
    arithmetic
    """
    busy: Numeric = np.asarray(records_per_s) / records_per_s_per_member
    return busy


@formula("where(shared, members, min(members, partitions))", unit="count", source="kafka-design")
def active_members(*, members: Numeric, partitions: Numeric, shared: Numeric) -> Numeric:
    """Members that have something to read.

    Parameters
    ----------
    members
        Members of the group [count], >= 1.
    partitions
        Partitions that the group's members divide among them [count], >= 1.
    shared
        Whether it is a share group, whose members share partitions [bool].

    Returns
    -------
    Numeric
        Members with a partition [count].

    Assumptions
    -----------
    The assignor leaves no member idle while there is a partition for it.

    Validity
    --------
    With the range assignor (eager) members beyond the partitions of the largest topic are idle.

    Examples
    --------
    >>> float(active_members(members=50, partitions=40, shared=False))
    40.0

    References
    ----------
    kafka-design
    """
    active: Numeric = np.where(shared, members, np.minimum(members, partitions))
    return active


@formula(
    "min(hottest_fraction + (ceil(partitions / min(members, partitions)) - 1) * (1 - hottest_fraction)"
    " / max(partitions - 1, 1), 1)",
    unit="fraction",
    source="arithmetic",
)
def slowest_member_fraction(*, hottest_fraction: Numeric, partitions: Numeric, members: Numeric) -> Numeric:
    """Share of a topic that the member with the hottest partition has to read.

    Parameters
    ----------
    hottest_fraction
        Share of the hottest partition [fraction], 1 / partitions to 1.
    partitions
        Partitions of the topic [count], >= 1.
    members
        Members of the group [count], >= 1.

    Returns
    -------
    Numeric
        Share of that member [fraction].

    Assumptions
    -----------
    It owns as many partitions as any member does; the others of them carry an even part of the rest.

    Validity
    --------
    Classic and consumer groups. Where partitions do not divide by the members, even keys make a slowest member too.

    Examples
    --------
    >>> float(slowest_member_fraction(hottest_fraction=0.1, partitions=10, members=4))
    0.30000000000000004

    References
    ----------
    arithmetic
    """
    owned = np.ceil(np.asarray(partitions) / np.minimum(members, partitions))
    beside = (owned - 1) * (1 - np.asarray(hottest_fraction)) / np.maximum(np.asarray(partitions) - 1, 1)
    share: Numeric = np.minimum(hottest_fraction + beside, 1.0)
    return share


@formula("busy_members / active_members", unit="fraction", source="arithmetic")
def members_utilisation(*, busy_members: Numeric, active_members: Numeric) -> Numeric:
    """Rate over capacity of a group, or of one member.

    Parameters
    ----------
    busy_members
        Members that the work keeps busy [count], >= 0.
    active_members
        Members that have something to read [count], > 0.

    Returns
    -------
    Numeric
        Utilisation; from 1 on the lag never falls [fraction].

    Assumptions
    -----------
    Work is spread evenly over the active members.

    Validity
    --------
    The mean of a group; its slowest member is busier.

    Examples
    --------
    >>> float(members_utilisation(busy_members=6.0, active_members=8.0))
    0.75

    References
    ----------
    arithmetic
    """
    return busy_members / active_members


@formula("records_per_s * outage_s", unit="count", source="arithmetic")
def lag_records(*, records_per_s: Numeric, outage_s: Numeric) -> Numeric:
    """Lag after an outage of the consumers.

    Parameters
    ----------
    records_per_s
        Records that arrive for the group [1/s], >= 0.
    outage_s
        How long nothing was read [s], >= 0.

    Returns
    -------
    Numeric
        Records behind [count].

    Assumptions
    -----------
    There was no lag before; the producers go on.

    Validity
    --------
    What Kafka shows: the end offset less the committed one, deleted records included.

    Examples
    --------
    >>> float(lag_records(records_per_s=1000.0, outage_s=7200.0))
    7200000.0

    References
    ----------
    arithmetic
    """
    return records_per_s * outage_s


@formula("min(retention_s, retention_bytes / max(partition_bytes_per_s, 1e-280))", unit="s", source="kafka-4.3-source")
def readable_s(*, retention_s: Numeric, retention_bytes: Numeric, partition_bytes_per_s: Numeric) -> Numeric:
    """How long a record of a partition can be read at least: retention by time or by bytes, the first to bite.

    Parameters
    ----------
    retention_s
        Retention time, infinite for none [s], > 0.
    retention_bytes
        Retention bytes of the partition, infinite for none [bytes], > 0.
    partition_bytes_per_s
        Bytes that arrive at the partition [bytes/s], >= 0.

    Returns
    -------
    Numeric
        Time until deletion at the earliest [s].

    Assumptions
    -----------
    A steady rate. Whole segments are deleted, so records live up to a segment longer.

    Validity
    --------
    Topics with cleanup by deletion; compaction removes by key.

    Examples
    --------
    >>> float(readable_s(retention_s=86400.0, retention_bytes=3.6e9, partition_bytes_per_s=1e6))
    3600.0

    References
    ----------
    kafka-4.3-source
    """
    kept: Numeric = np.minimum(retention_s, retention_bytes / np.maximum(partition_bytes_per_s, 1e-280))
    return kept


@formula("records_per_s * max(outage_s - kept_s, 0)", unit="count", source="arithmetic")
def lost_records(*, records_per_s: Numeric, outage_s: Numeric, kept_s: Numeric) -> Numeric:
    """Records that are deleted before they are read.

    Parameters
    ----------
    records_per_s
        Records that arrive [1/s], >= 0.
    outage_s
        How long nothing is read [s], >= 0.
    kept_s
        How long a record is kept [s], > 0, may be infinite.

    Returns
    -------
    Numeric
        Records lost to the group [count].

    Assumptions
    -----------
    There was no lag before the outage.

    Validity
    --------
    At most: segments that are not deleted yet still have some of them.

    Examples
    --------
    >>> float(lost_records(records_per_s=10.0, outage_s=100.0, kept_s=60.0))
    400.0

    References
    ----------
    arithmetic
    """
    lost: Numeric = records_per_s * np.maximum(np.asarray(outage_s) - kept_s, 0.0)
    return lost


@formula(
    "lag_records / max(processed_per_s - arriving_per_s, 0)",
    unit="s",
    source="arithmetic",
)
def drain_s(*, lag_records: Numeric, arriving_per_s: Numeric, processed_per_s: Numeric) -> Numeric:
    """Time until a lag is gone while records go on arriving.

    Parameters
    ----------
    lag_records
        Records behind [count], >= 0.
    arriving_per_s
        Records that arrive meanwhile [1/s], >= 0.
    processed_per_s
        Records that the consumers process [1/s], >= 0.

    Returns
    -------
    Numeric
        Time to drain; infinite, never, exactly where no more is processed than arrives [s].

    Assumptions
    -----------
    Both rates are steady.

    Validity
    --------
    One partition, one member, or a group whose members are equally busy.

    Examples
    --------
    >>> float(drain_s(lag_records=7200000.0, arriving_per_s=1000.0, processed_per_s=1500.0))
    14400.0

    References
    ----------
    arithmetic
    """
    drains = np.asarray(processed_per_s) > arriving_per_s
    spare = np.where(drains, np.asarray(processed_per_s) - arriving_per_s, 1.0)
    drained: Numeric = np.where(drains, lag_records / spare, np.inf)
    return drained


@formula("max(arriving_per_s - processed_per_s, 0) * duration_s", unit="count", source="arithmetic")
def lag_after_overload(*, arriving_per_s: Numeric, processed_per_s: Numeric, duration_s: Numeric) -> Numeric:
    """Lag that a peak leaves behind when it exceeds what the consumers process.

    Parameters
    ----------
    arriving_per_s
        Records that arrive at the peak [1/s], >= 0.
    processed_per_s
        Records that the consumers process [1/s], >= 0.
    duration_s
        How long the peak lasts [s], >= 0.

    Returns
    -------
    Numeric
        Records behind when the peak ends [count].

    Assumptions
    -----------
    The peak is flat, and there is no lag before it.

    Validity
    --------
    Steady rates.

    Examples
    --------
    >>> float(lag_after_overload(arriving_per_s=1500.0, processed_per_s=1000.0, duration_s=60.0))
    30000.0

    References
    ----------
    arithmetic
    """
    lag: Numeric = np.maximum(np.asarray(arriving_per_s) - processed_per_s, 0.0) * duration_s
    return lag


@formula("deadline_s / (deadline_s + behind_s)", unit="fraction", source="arithmetic")
def utilisation_to_drain(*, behind_s: Numeric, deadline_s: Numeric) -> Numeric:
    """Utilisation at which a lag is gone just at the deadline.

    Parameters
    ----------
    behind_s
        Age of the oldest unread record when reading starts again [s], >= 0.
    deadline_s
        Time in which the lag must be gone [s], > 0.

    Returns
    -------
    Numeric
        Most that the arriving records may take of the busiest member [fraction].

    Assumptions
    -----------
    Steady rates. With utilisation u a lag of t seconds drains in t u / (1 - u).

    Validity
    --------
    Counted from the restart.

    Examples
    --------
    >>> float(utilisation_to_drain(behind_s=7200.0, deadline_s=3600.0))
    0.3333333333333333

    References
    ----------
    arithmetic
    """
    most: Numeric = np.asarray(deadline_s) / (np.asarray(deadline_s) + behind_s)
    return most


@formula("duration_s * max(1 - cached_s / max(behind_s, 1e-300), 0)", unit="s", source="arithmetic")
def cold_read_s(*, duration_s: Numeric, behind_s: Numeric, cached_s: Numeric) -> Numeric:
    """How long a draining group reads records that left the page cache.

    Parameters
    ----------
    duration_s
        Time to drain [s], >= 0.
    behind_s
        Age of the oldest unread record when reading starts again [s], >= 0.
    cached_s
        Seconds of writes that the page cache holds [s], >= 0.

    Returns
    -------
    Numeric
        Time of reading from disk [s].

    Assumptions
    -----------
    The age of what is read falls evenly to nothing while the group drains.

    Validity
    --------
    Cold reads evict newer pages, so the cache may hold less than it does otherwise.

    Examples
    --------
    >>> float(cold_read_s(duration_s=14400.0, behind_s=7200.0, cached_s=720.0))
    12960.0

    References
    ----------
    arithmetic
    """
    cold: Numeric = duration_s * np.maximum(1 - cached_s / np.maximum(behind_s, 1e-300), 0.0)
    return cold


@formula("processed_per_s * wire_bytes_per_record / brokers", unit="bytes/s", source="arithmetic")
def cold_read_bytes_per_s(*, processed_per_s: Numeric, wire_bytes_per_record: Numeric, brokers: Numeric) -> Numeric:
    """What a draining group reads from each broker's disk while its records are out of the page cache.

    Parameters
    ----------
    processed_per_s
        Records that the group processes [1/s], >= 0.
    wire_bytes_per_record
        Bytes of a record in the log [bytes], >= 0.
    brokers
        Brokers that lead the partitions [count], >= 1.

    Returns
    -------
    Numeric
        Disk reads of a broker [bytes/s].

    Assumptions
    -----------
    Leaders are even; every page is read once, for this group alone.

    Validity
    --------
    Read-ahead may fetch more than is read.

    Examples
    --------
    >>> float(cold_read_bytes_per_s(processed_per_s=30000.0, wire_bytes_per_record=1000.0, brokers=3))
    10000000.0

    References
    ----------
    arithmetic
    """
    return processed_per_s * wire_bytes_per_record / brokers
