"""The time of moving bytes: refilling a broker, catching up, reassigning under a throttle, failing over.

The replication quota (`leader.` and `follower.replication.throttled.rate`) counts every byte of the listed replicas, in
sync or not, and holds back only those out of sync, while its mean over eleven one-second samples is above the rate. So
what a move gets is the rate less what the listed replicas write anyway. Durations are infinite where they never end.
"""

from __future__ import annotations

import numpy as np

from planner.model.types import Numeric
from planner.trace import formula


@formula(
    "size_bytes + own_write_bytes_per_s * duration_s",
    unit="bytes",
    source="kafka-4.3-measured",
)
def moved_bytes(*, size_bytes: Numeric, own_write_bytes_per_s: Numeric, duration_s: Numeric) -> Numeric:
    """Bytes that a refill moves: the stored size, and what is written meanwhile.

    Parameters
    ----------
    size_bytes
        Bytes of the replicas when the move begins [bytes], >= 0.
    own_write_bytes_per_s
        Rate at which producers add to the moving replicas [bytes/s], >= 0.
    duration_s
        How long the move takes [s], >= 0.

    Returns
    -------
    Numeric
        Bytes to move [bytes].

    Assumptions
    -----------
    Nothing is deleted by retention meanwhile.

    Validity
    --------
    Moves short against retention.

    Examples
    --------
    >>> moved_bytes(size_bytes=1000, own_write_bytes_per_s=10, duration_s=20)
    1200

    References
    ----------
    kafka-4.3-measured
    """
    return size_bytes + own_write_bytes_per_s * duration_s


@formula(
    "max(min(min(target_spare_bytes_per_s, source_spare_bytes_per_s), throttle_spare_bytes_per_s), 0)",
    unit="bytes/s",
    source="kafka-4.3-measured",
)
def refill_rate_bytes_per_s(
    *,
    target_spare_bytes_per_s: Numeric,
    source_spare_bytes_per_s: Numeric,
    throttle_spare_bytes_per_s: Numeric,
) -> Numeric:
    """Bytes per second at which a broker refills beyond its live traffic: what target, sources and throttle leave.

    Parameters
    ----------
    target_spare_bytes_per_s
        Least of network-in and disk-write spare of the target [bytes/s], any.
    source_spare_bytes_per_s
        Least of network-out and disk-read spare of all sources together [bytes/s], any.
    throttle_spare_bytes_per_s
        Replication throttle less the target's own write rate [bytes/s], any.

    Returns
    -------
    Numeric
        Refill rate [bytes/s].

    Assumptions
    -----------
    The sources share the work evenly.

    Validity
    --------
    0 means it never finishes.

    Examples
    --------
    >>> float(
    ...     refill_rate_bytes_per_s(
    ...         target_spare_bytes_per_s=50.0, source_spare_bytes_per_s=80.0, throttle_spare_bytes_per_s=60.0
    ...     )
    ... )
    50.0

    References
    ----------
    kafka-4.3-measured
    """
    spare = np.minimum(
        np.minimum(target_spare_bytes_per_s, source_spare_bytes_per_s),
        throttle_spare_bytes_per_s,
    )
    return np.maximum(spare, 0.0)


@formula(
    "where(size_bytes > 0, size_bytes / max(max(fullest_source_bytes, size_bytes / survivors), 1e-9), survivors)",
    unit="count",
    source="arithmetic",
)
def refill_sources(*, size_bytes: Numeric, fullest_source_bytes: Numeric, survivors: Numeric) -> Numeric:
    """Brokers that feed a refill, counted as many as would feed it if each gave as much as the busiest one.

    Parameters
    ----------
    size_bytes
        Bytes that the empty broker copies [bytes], >= 0.
    fullest_source_bytes
        Bytes of it that come from the broker that leads most of them [bytes], >= 0; 0 = not known, so even.
    survivors
        Live brokers besides it [count], >= 1.

    Returns
    -------
    Numeric
        Sources [count], at most the survivors.

    Assumptions
    -----------
    Each replica is copied from its leader, all sources at once and with the same spare, so the busiest ends last.

    Validity
    --------
    One broker refills at a time.

    Examples
    --------
    >>> float(refill_sources(size_bytes=100.0, fullest_source_bytes=25.0, survivors=8))
    4.0

    References
    ----------
    arithmetic
    """
    even = size_bytes / survivors
    busiest = np.maximum(np.maximum(fullest_source_bytes, even), 1e-9)
    return np.where(np.asarray(size_bytes) > 0, size_bytes / busiest, survivors)


@formula(
    "where(size_bytes > 0, size_bytes / refill_rate_bytes_per_s, 0)",
    unit="s",
    source="kafka-4.3-measured",
)
def refill_s(*, size_bytes: Numeric, refill_rate_bytes_per_s: Numeric) -> Numeric:
    """Seconds until an empty broker holds its replicas again.

    Parameters
    ----------
    size_bytes
        Bytes of the replicas [bytes], >= 0.
    refill_rate_bytes_per_s
        Rate beyond the replicas' own live traffic [bytes/s], >= 0.

    Returns
    -------
    Numeric
        Time to refill; infinite where there is something to move and no rate [s].

    Assumptions
    -----------
    The rate stays the same until the end.

    Validity
    --------
    Backlogs of many times throttle x 11 s; shorter ones finish faster because the throttle is a mean over 11 s.

    Examples
    --------
    >>> float(refill_s(size_bytes=1000, refill_rate_bytes_per_s=50))
    20.0

    References
    ----------
    kafka-4.3-measured
    """
    size, rate = np.broadcast_arrays(np.asarray(size_bytes, float), np.asarray(refill_rate_bytes_per_s, float))
    moving, still = size > 0, rate <= 0
    duration = np.divide(size, rate, out=np.zeros(size.shape), where=moving & ~still)
    return np.where(moving & still, np.inf, duration)


@formula(
    "max(throttle_bytes_per_s - own_write_bytes_per_s - in_sync_bytes_per_s, 0)",
    unit="bytes/s",
    source="kafka-4.3-source",
)
def throttle_spare_bytes_per_s(
    *, throttle_bytes_per_s: Numeric, own_write_bytes_per_s: Numeric, in_sync_bytes_per_s: Numeric
) -> Numeric:
    """Bytes per second of a replication throttle that are left for the backlog of a broker, as target or as source.

    Parameters
    ----------
    throttle_bytes_per_s
        Replication throttle of the broker [bytes/s], > 0.
    own_write_bytes_per_s
        Rate at which producers add to the moving replicas that the broker receives, or sends [bytes/s], >= 0.
    in_sync_bytes_per_s
        What in-sync followers fetch of the listed partitions that the broker leads; 0 for a target [bytes/s], >= 0.

    Returns
    -------
    Numeric
        Rate at which the backlog shrinks; 0 means never [bytes/s].

    Assumptions
    -----------
    The quota counts every byte of the listed replicas and holds back only those out of sync; a leader's quota counts
    all followers of a listed partition.

    Validity
    --------
    Moves that take many times the 11 s over which the throttle is a mean.

    Examples
    --------
    >>> float(throttle_spare_bytes_per_s(throttle_bytes_per_s=10, own_write_bytes_per_s=1, in_sync_bytes_per_s=2))
    7.0

    References
    ----------
    kafka-4.3-source, kafka-4.3-measured
    """
    return np.maximum(throttle_bytes_per_s - own_write_bytes_per_s - in_sync_bytes_per_s, 0.0)


@formula(
    "max(throttle_bytes_per_s - in_sync_bytes_per_s, 0) * window_s",
    unit="bytes",
    source="kafka-4.3-measured",
    confidence="low",
)
def window_burst_bytes(*, throttle_bytes_per_s: Numeric, in_sync_bytes_per_s: Numeric, window_s: Numeric) -> Numeric:
    """Bytes that pass a throttle at line rate at first, because the seconds before left them unused.

    Parameters
    ----------
    throttle_bytes_per_s
        Replication throttle of the broker [bytes/s], > 0.
    in_sync_bytes_per_s
        Traffic of the listed replicas during the seconds before [bytes/s], >= 0.
    window_s
        Seconds that the quota looks back: 11 where listed replicas have been in traffic, 1 where the throttle has just
        been set [s], >= 0.

    Returns
    -------
    Numeric
        Bytes that come at line rate, per source (or per target) [bytes].

    Assumptions
    -----------
    The quota has a sample for every second of the window; a quota without samples takes its window to be 1 s.

    Validity
    --------
    Formed after one run (77 MB predicted, the whole backlog of 79 MB came within 0.4 s), not tested again.

    Examples
    --------
    >>> float(window_burst_bytes(throttle_bytes_per_s=4, in_sync_bytes_per_s=1, window_s=11))
    33.0

    References
    ----------
    kafka-4.3-source, kafka-4.3-measured
    """
    return np.maximum(throttle_bytes_per_s - in_sync_bytes_per_s, 0.0) * window_s


@formula(
    "fetchers * min(response_max_bytes, partitions_each * partition_max_bytes)",
    unit="bytes",
    source="kafka-4.3-measured",
    confidence="low",
)
def response_burst_bytes(
    *, fetchers: Numeric, partitions_each: Numeric, response_max_bytes: Numeric, partition_max_bytes: Numeric
) -> Numeric:
    """Bytes of the fetch responses that were asked for before a follower's quota had counted anything.

    Parameters
    ----------
    fetchers
        Fetcher threads of the target: sources times num.replica.fetchers [count], >= 0.
    partitions_each
        Moving replicas that each of them fetches [count], >= 0.
    response_max_bytes
        replica.fetch.response.max.bytes [bytes], > 0.
    partition_max_bytes
        replica.fetch.max.bytes, the most of one partition in a response [bytes], > 0.

    Returns
    -------
    Numeric
        Bytes that pass before the throttle holds [bytes].

    Assumptions
    -----------
    Every fetcher has one request under way, and all are answered in full.

    Validity
    --------
    Formed after one run (28.2 s predicted, 27.0 s measured), not tested again.

    Examples
    --------
    >>> float(response_burst_bytes(fetchers=3, partitions_each=20, response_max_bytes=10, partition_max_bytes=1))
    30.0

    References
    ----------
    kafka-4.3-source, kafka-4.3-measured
    """
    return fetchers * np.minimum(response_max_bytes, partitions_each * partition_max_bytes)


@formula(
    "refill_s(size_bytes=min(size_bytes, burst_bytes), refill_rate_bytes_per_s=line_rate_bytes_per_s)"
    " + refill_s(size_bytes=max(size_bytes - burst_bytes, 0), refill_rate_bytes_per_s=min(line_rate_bytes_per_s,"
    " throttle_spare_bytes_per_s(throttle_bytes_per_s=throttle_bytes_per_s,"
    " own_write_bytes_per_s=own_write_bytes_per_s, in_sync_bytes_per_s=in_sync_bytes_per_s)))",
    unit="s",
    source="kafka-4.3-measured",
)
def throttled_move_s(
    *,
    size_bytes: Numeric,
    own_write_bytes_per_s: Numeric,
    in_sync_bytes_per_s: Numeric,
    burst_bytes: Numeric,
    line_rate_bytes_per_s: Numeric,
    throttle_bytes_per_s: Numeric,
) -> Numeric:
    """Seconds that one broker needs for its part of a move, as target or as source: a burst, then the throttle.

    Parameters
    ----------
    size_bytes
        Bytes that are missing when the move begins, through this broker [bytes], >= 0.
    own_write_bytes_per_s
        Rate at which producers add to those replicas [bytes/s], >= 0.
    in_sync_bytes_per_s
        What in-sync followers fetch of the same partitions from this broker; 0 for a target [bytes/s], >= 0.
    burst_bytes
        Bytes that pass before the throttle holds [bytes], >= 0.
    line_rate_bytes_per_s
        What network and disks leave for the backlog, the own rate already taken off [bytes/s], >= 0.
    throttle_bytes_per_s
        Replication throttle, infinite where there is none [bytes/s], > 0.

    Returns
    -------
    Numeric
        Time until the broker's part is in sync; infinite where it never is [s].

    Assumptions
    -----------
    Rates stay as they are; the slower of target and source decides, so take the largest over brokers and roles.

    Validity
    --------
    Exact for long moves; short ones depend on the burst, which was seen once.

    Examples
    --------
    >>> float(
    ...     throttled_move_s(
    ...         size_bytes=1000.0,
    ...         own_write_bytes_per_s=1.0,
    ...         in_sync_bytes_per_s=2.0,
    ...         burst_bytes=300.0,
    ...         line_rate_bytes_per_s=100.0,
    ...         throttle_bytes_per_s=10.0,
    ...     )
    ... )
    103.0

    References
    ----------
    kafka-4.3-source, kafka-4.3-measured
    """
    spare = throttle_spare_bytes_per_s(
        throttle_bytes_per_s=throttle_bytes_per_s,
        own_write_bytes_per_s=own_write_bytes_per_s,
        in_sync_bytes_per_s=in_sync_bytes_per_s,
    )
    first = refill_s(size_bytes=np.minimum(size_bytes, burst_bytes), refill_rate_bytes_per_s=line_rate_bytes_per_s)
    rest = refill_s(
        size_bytes=np.maximum(size_bytes - burst_bytes, 0.0),
        refill_rate_bytes_per_s=np.minimum(line_rate_bytes_per_s, spare),
    )
    return first + rest


@formula(
    "min(own_write_bytes_per_s * away_s, size_bytes)",
    unit="bytes",
    source="kafka-4.3-measured",
)
def missed_bytes(*, own_write_bytes_per_s: Numeric, away_s: Numeric, size_bytes: Numeric) -> Numeric:
    """Bytes that a broker has to fetch after some time away.

    Parameters
    ----------
    own_write_bytes_per_s
        Rate at which producers add to its replicas [bytes/s], >= 0.
    away_s
        From its failure until it fetches again, start and log recovery included [s], >= 0.
    size_bytes
        What an empty broker would have to fetch: all that retention keeps of its replicas [bytes], >= 0.

    Returns
    -------
    Numeric
        Bytes written meanwhile and still kept [bytes].

    Assumptions
    -----------
    Its disks survived. The write rate is that of the whole time away, so the average and not the peak for long ones.

    Validity
    --------
    Delete retention; a compacted topic may keep less than was written.

    Examples
    --------
    >>> float(missed_bytes(own_write_bytes_per_s=3, away_s=100, size_bytes=1000))
    300.0

    References
    ----------
    kafka-4.3-measured
    """
    return np.minimum(own_write_bytes_per_s * away_s, size_bytes)


@formula(
    "own_write_bytes_per_s + in_sync_bytes_per_s + size_bytes / wanted_s",
    unit="bytes/s",
    source="kafka-4.3-source",
)
def least_throttle_bytes_per_s(
    *, size_bytes: Numeric, own_write_bytes_per_s: Numeric, in_sync_bytes_per_s: Numeric, wanted_s: Numeric
) -> Numeric:
    """The throttle under which a broker's part of a move takes the wanted time.

    Parameters
    ----------
    size_bytes
        Bytes that are missing when the move begins, through this broker [bytes], >= 0.
    own_write_bytes_per_s
        Rate at which producers add to those replicas [bytes/s], >= 0.
    in_sync_bytes_per_s
        What in-sync followers fetch of the same partitions from this broker; 0 for a target [bytes/s], >= 0.
    wanted_s
        Time that the move may take; infinite where any will do [s], > 0.

    Returns
    -------
    Numeric
        Least throttle [bytes/s]. Below own and in-sync rate together no throttle ends at all.

    Assumptions
    -----------
    The burst at the beginning is not counted on.

    Validity
    --------
    As `throttle_spare_bytes_per_s`.

    Examples
    --------
    >>> least_throttle_bytes_per_s(
    ...     size_bytes=700.0, own_write_bytes_per_s=1.0, in_sync_bytes_per_s=2.0, wanted_s=100.0
    ... )
    10.0

    References
    ----------
    kafka-4.3-source
    """
    return own_write_bytes_per_s + in_sync_bytes_per_s + size_bytes / wanted_s


@formula(
    "in_sync_bytes_per_s + min(max(spare_bytes_per_s * share_fraction,"
    " least_throttle_bytes_per_s - in_sync_bytes_per_s), max(spare_bytes_per_s, 0))",
    unit="bytes/s",
    source="datadog-kafka-kit",
    confidence="medium",
)
def recommended_throttle_bytes_per_s(
    *,
    spare_bytes_per_s: Numeric,
    share_fraction: Numeric,
    in_sync_bytes_per_s: Numeric,
    least_throttle_bytes_per_s: Numeric,
) -> Numeric:
    """The throttle that a broker bears: a share of what its live traffic leaves, more where the time asks for it.

    Parameters
    ----------
    spare_bytes_per_s
        What network and disks leave beside the live traffic [bytes/s], any.
    share_fraction
        Share of it that a move may take when nothing hurries [fraction], 0 to 1.
    in_sync_bytes_per_s
        What in-sync followers fetch of the same partitions from this broker; 0 for a target [bytes/s], >= 0.
    least_throttle_bytes_per_s
        Throttle under which the broker's part takes the wanted time; 0 where any will do [bytes/s], >= 0.

    Returns
    -------
    Numeric
        Recommended throttle of this broker, never more than it bears [bytes/s].

    Assumptions
    -----------
    In-sync followers' traffic is part of the live traffic and is counted by the quota, so it comes on top of the spare.

    Validity
    --------
    One broker in one role. A throttle for all is the least over brokers.

    Examples
    --------
    >>> float(
    ...     recommended_throttle_bytes_per_s(
    ...         spare_bytes_per_s=100.0, share_fraction=0.9, in_sync_bytes_per_s=5.0, least_throttle_bytes_per_s=10.0
    ...     )
    ... )
    95.0

    References
    ----------
    datadog-kafka-kit
    """
    wanted = np.maximum(spare_bytes_per_s * share_fraction, least_throttle_bytes_per_s - in_sync_bytes_per_s)
    return in_sync_bytes_per_s + np.minimum(wanted, np.maximum(spare_bytes_per_s, 0.0))


@formula(
    "session_timeout_s + election_s",
    unit="s",
    source="kafka-4.3-measured",
)
def failover_s(*, session_timeout_s: Numeric, election_s: Numeric) -> Numeric:
    """Seconds that the partitions of a killed broker stay without a leader.

    Parameters
    ----------
    session_timeout_s
        broker.session.timeout.ms [s], > 0.
    election_s
        From the fencing of the broker to new leaders [s], >= 0.

    Returns
    -------
    Numeric
        Time without a leader [s].

    Assumptions
    -----------
    The broker died without a controlled shutdown; a controller is there.

    Validity
    --------
    When the killed node was the active controller too, about 2 s more.

    Examples
    --------
    >>> failover_s(session_timeout_s=9, election_s=1)
    10

    References
    ----------
    kafka-4.3-measured
    """
    return session_timeout_s + election_s


@formula(
    "max(capacity_bytes_per_s * limit_fraction - load_bytes_per_s, 0)",
    unit="bytes/s",
    source="arithmetic",
)
def spare_bytes_per_s(*, capacity_bytes_per_s: Numeric, limit_fraction: Numeric, load_bytes_per_s: Numeric) -> Numeric:
    """Bytes per second of a network interface or of disks that a move may use.

    Parameters
    ----------
    capacity_bytes_per_s
        What the broker offers, infinite where it is not metered [bytes/s], > 0.
    limit_fraction
        Most that may be used while a move lasts [fraction], 0 to 1.
    load_bytes_per_s
        Live traffic through it [bytes/s], >= 0.

    Returns
    -------
    Numeric
        Spare rate [bytes/s].

    Assumptions
    -----------
    Where one interface carries several flows, the load is all of them.

    Validity
    --------
    Any.

    Examples
    --------
    >>> float(spare_bytes_per_s(capacity_bytes_per_s=100, limit_fraction=0.75, load_bytes_per_s=40))
    35.0

    References
    ----------
    arithmetic
    """
    return np.maximum(capacity_bytes_per_s * limit_fraction - load_bytes_per_s, 0.0)


@formula("sum(batch_s)", unit="s", source="arithmetic")
def batches_s(*, batch_s: Numeric) -> Numeric:
    """Seconds of batches that are moved one after the other.

    Parameters
    ----------
    batch_s
        Time of each batch: that of its slowest broker in its slower role [s], >= 0.

    Returns
    -------
    Numeric
        Time of all of them; infinite where one never ends [s].

    Assumptions
    -----------
    A batch starts when the one before is in sync; nobody waits in between.

    Validity
    --------
    Any.

    Examples
    --------
    >>> float(batches_s(batch_s=np.array([60.0, 30.0])))
    90.0

    References
    ----------
    arithmetic
    """
    return float(np.sum(batch_s))
