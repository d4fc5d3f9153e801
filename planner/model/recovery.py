"""The time of moving bytes: refilling a broker, failing over."""

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
    "size_bytes / refill_rate_bytes_per_s",
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
        Rate beyond the replicas' own live traffic [bytes/s], > 0.

    Returns
    -------
    Numeric
        Time to refill [s].

    Assumptions
    -----------
    The rate stays the same until the end.

    Validity
    --------
    Backlogs of many times throttle x 11 s; shorter ones finish faster because the throttle is a mean over 11 s.

    Examples
    --------
    >>> refill_s(size_bytes=1000, refill_rate_bytes_per_s=50)
    20.0

    References
    ----------
    kafka-4.3-measured
    """
    return size_bytes / refill_rate_bytes_per_s


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
