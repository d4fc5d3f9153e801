"""What clients feel of a failure, what a rolling restart takes, and when a quorum of controllers is gone."""

from __future__ import annotations

import numpy as np

from planner.model.types import Numeric
from planner.trace import formula


@formula(
    "produce_in_bytes_per_s / producers * lost_fraction * gap_s",
    unit="bytes",
    source="kafka-4.3-source",
    confidence="medium",
)
def waiting_bytes(
    *, produce_in_bytes_per_s: Numeric, producers: Numeric, lost_fraction: Numeric, gap_s: Numeric
) -> Numeric:
    """Bytes that one producer holds while partitions have no leader.

    Parameters
    ----------
    produce_in_bytes_per_s
        Bytes per second produced to the topic [bytes/s], >= 0.
    producers
        Producer instances of the topic [count], >= 1.
    lost_fraction
        Share of the topic's bytes that goes to partitions without a leader [fraction], 0 to 1.
    gap_s
        How long they have none [s], >= 0.

    Returns
    -------
    Numeric
        Bytes in the producer's buffer beyond what is there anyway [bytes].

    Assumptions
    -----------
    Producers share the topic evenly; records are held as they are sent, compressed.

    Validity
    --------
    Until buffer.memory is full; a batch takes batch.size of it however full it is, so small rates need more.

    Examples
    --------
    >>> waiting_bytes(produce_in_bytes_per_s=1000, producers=10, lost_fraction=0.5, gap_s=10)
    500.0

    References
    ----------
    kafka-4.3-source
    """
    return produce_in_bytes_per_s / producers * lost_fraction * gap_s


@formula(
    "buffer_bytes / max(produce_in_bytes_per_s / producers * lost_fraction, 1e-9)",
    unit="s",
    source="kafka-4.3-source",
    confidence="medium",
)
def buffer_lasts_s(
    *, buffer_bytes: Numeric, produce_in_bytes_per_s: Numeric, producers: Numeric, lost_fraction: Numeric
) -> Numeric:
    """Seconds until a producer's buffer is full and `send` blocks, for all partitions alike.

    Parameters
    ----------
    buffer_bytes
        buffer.memory [bytes], > 0.
    produce_in_bytes_per_s
        Bytes per second produced to the topic [bytes/s], >= 0.
    producers
        Producer instances of the topic [count], >= 1.
    lost_fraction
        Share of the topic's bytes that goes to partitions without a leader [fraction], 0 to 1.

    Returns
    -------
    Numeric
        Time until it is full; beyond any outage where nothing waits [s].

    Assumptions
    -----------
    The buffer is empty when the leaders are lost.

    Validity
    --------
    As `waiting_bytes`.

    Examples
    --------
    >>> float(buffer_lasts_s(buffer_bytes=500, produce_in_bytes_per_s=1000, producers=10, lost_fraction=0.5))
    10.0

    References
    ----------
    kafka-4.3-source
    """
    lasts: Numeric = buffer_bytes / np.maximum(produce_in_bytes_per_s / np.asarray(producers) * lost_fraction, 1e-9)
    return lasts


@formula(
    "produce_in_bytes_per_s * lost_fraction * max(outage_s - delivery_timeout_s, 0)",
    unit="bytes",
    source="kafka-4.3-measured",
)
def failed_bytes(
    *, produce_in_bytes_per_s: Numeric, lost_fraction: Numeric, outage_s: Numeric, delivery_timeout_s: Numeric
) -> Numeric:
    """Bytes that producers give back to the application as failed, because they could not be written in time.

    Parameters
    ----------
    produce_in_bytes_per_s
        Bytes per second produced to the topic [bytes/s], >= 0.
    lost_fraction
        Share of them that cannot be written [fraction], 0 to 1.
    outage_s
        How long [s], >= 0.
    delivery_timeout_s
        delivery.timeout.ms [s], >= 0.

    Returns
    -------
    Numeric
        Bytes of records whose send fails [bytes].

    Assumptions
    -----------
    The application goes on sending; what waited less than the timeout is written at the end.

    Validity
    --------
    An upper bound: a full buffer stops the application before.

    Examples
    --------
    >>> float(failed_bytes(produce_in_bytes_per_s=100, lost_fraction=0.5, outage_s=150, delivery_timeout_s=120))
    1500.0

    References
    ----------
    kafka-4.3-measured
    """
    return produce_in_bytes_per_s * lost_fraction * np.maximum(np.asarray(outage_s) - delivery_timeout_s, 0.0)


@formula(
    "sum(max(produce_in_bytes_per_s * (replication_factor * (brokers - brokers_down) / brokers - 1), 0))"
    " / (brokers - brokers_down)",
    unit="bytes/s",
    source="kafka-4.3-measured",
)
def source_in_sync_bytes_per_s(
    *, produce_in_bytes_per_s: Numeric, replication_factor: Numeric, brokers: Numeric, brokers_down: Numeric
) -> Numeric:
    """What a live broker sends to in-sync followers while others are away; a leader's throttle on `*` counts it.

    Parameters
    ----------
    produce_in_bytes_per_s
        Bytes per second produced to each topic [bytes/s], >= 0.
    replication_factor
        Replicas of each topic [count], >= 1.
    brokers
        Brokers in all [count], >= 1.
    brokers_down
        Brokers that are away, fewer than all [count], >= 0.

    Returns
    -------
    Numeric
        Follower traffic of one live broker, the topics summed [bytes/s].

    Assumptions
    -----------
    Replicas and leaders are even; every partition keeps a live replica.

    Validity
    --------
    A mean over brokers.

    Examples
    --------
    >>> float(
    ...     source_in_sync_bytes_per_s(
    ...         produce_in_bytes_per_s=12.0, replication_factor=3.0, brokers=4, brokers_down=1
    ...     )
    ... )
    5.0

    References
    ----------
    kafka-4.3-measured
    """
    live = np.asarray(brokers) - brokers_down
    sent = np.maximum(produce_in_bytes_per_s * (replication_factor * live / brokers - 1), 0.0)
    mean: Numeric = np.sum(sent) / live
    return mean


@formula(
    "brokers * (stop_s + start_s + catch_up_s + settle_s)",
    unit="s",
    source="arithmetic",
)
def rolling_restart_s(
    *, brokers: Numeric, stop_s: Numeric, start_s: Numeric, catch_up_s: Numeric, settle_s: Numeric
) -> Numeric:
    """Seconds that restarting all brokers takes, one after the other.

    Parameters
    ----------
    brokers
        Brokers to restart [count], >= 1.
    stop_s
        From the signal until the process has ended, leaders handed over [s], >= 0.
    start_s
        From the start of the process until it fetches [s], >= 0.
    catch_up_s
        Until all its replicas are in sync [s], >= 0.
    settle_s
        Preferred election and a look at the metrics before the next one [s], >= 0.

    Returns
    -------
    Numeric
        Time of the whole restart [s].

    Assumptions
    -----------
    One broker at a time, the next only when all replicas are in sync.

    Validity
    --------
    Without upgrades of data formats or hardware.

    Examples
    --------
    >>> rolling_restart_s(brokers=6, stop_s=10, start_s=30, catch_up_s=5, settle_s=15)
    360

    References
    ----------
    arithmetic
    """
    return brokers * (stop_s + start_s + catch_up_s + settle_s)


@formula(
    "1 - exp(-brokers * (brokers - 1) * down_s / mtbf_s)",
    unit="fraction",
    source="arithmetic",
)
def second_failure_fraction(*, brokers: Numeric, down_s: Numeric, mtbf_s: Numeric) -> Numeric:
    """Chance that another broker fails while one restarts, over a whole rolling restart.

    Parameters
    ----------
    brokers
        Brokers that are restarted one by one [count], >= 1.
    down_s
        How long each is not in sync [s], >= 0.
    mtbf_s
        Mean time between failures of a broker [s], > 0.

    Returns
    -------
    Numeric
        Chance [fraction].

    Assumptions
    -----------
    Failures come independently, at a constant rate.

    Validity
    --------
    A restart that itself brings brokers down, by a bad configuration, is not in it.

    Examples
    --------
    >>> float(second_failure_fraction(brokers=3, down_s=0, mtbf_s=1000))
    0.0

    References
    ----------
    arithmetic
    """
    chance: Numeric = 1 - np.exp(-np.asarray(brokers, float) * (np.asarray(brokers) - 1) * down_s / mtbf_s)
    return chance


@formula("floor(controllers / 2) + 1", unit="count", source="kafka-4.3-source")
def quorum_majority(*, controllers: Numeric) -> Numeric:
    """Controllers that have to be there for any change of the metadata: a majority of the quorum.

    Parameters
    ----------
    controllers
        Voters of the quorum [count], >= 1.

    Returns
    -------
    Numeric
        Least number of live ones [count].

    Assumptions
    -----------
    KRaft; observers do not vote.

    Validity
    --------
    Any quorum.

    Examples
    --------
    >>> float(quorum_majority(controllers=5))
    3.0

    References
    ----------
    kafka-4.3-source
    """
    return np.floor(np.asarray(controllers) / 2) + 1
