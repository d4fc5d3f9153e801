"""Bytes per second between producers, leaders, followers, consumers, the remote tier and other clusters."""

from __future__ import annotations

import numpy as np

from planner.model.types import Numeric
from planner.trace import formula


@formula(
    "max(records_per_s, records_per_s * peak_ratio * peak_coincidence) * growth_factor",
    unit="1/s",
    source="assumption",
)
def peak_records_per_s(
    *,
    records_per_s: Numeric,
    peak_ratio: Numeric,
    peak_coincidence: Numeric,
    growth_factor: Numeric,
) -> Numeric:
    """Records per second at the peak that network, CPU and disk I/O are sized for.

    Parameters
    ----------
    records_per_s
        Average record rate [1/s], >= 0.
    peak_ratio
        Peak rate over average rate [ratio], >= 1.
    peak_coincidence
        Share of the topics' peaks that falls together [fraction], 0 to 1.
    growth_factor
        Load at the horizon over load today [ratio], > 0.

    Returns
    -------
    Numeric
        Records per second at the moment sized for [1/s].

    Assumptions
    -----------
    Peaks of different topics are scaled alike; a topic never falls below its own average.

    Validity
    --------
    Any rate.

    Examples
    --------
    >>> float(peak_records_per_s(records_per_s=100.0, peak_ratio=3, peak_coincidence=0.5, growth_factor=2))
    300.0

    References
    ----------
    assumption
    """
    return np.maximum(records_per_s, records_per_s * peak_ratio * peak_coincidence) * growth_factor


@formula(
    "(1 + growth_per_year) ** (horizon_s / 31536000)",
    unit="ratio",
    source="arithmetic",
)
def growth_factor(*, growth_per_year: Numeric, horizon_s: Numeric) -> Numeric:
    """How much larger the load is at the horizon than today, growing by a constant share a year.

    Parameters
    ----------
    growth_per_year
        Growth of the load in a year [fraction], > -1.
    horizon_s
        How far ahead the cluster is sized [s], >= 0.

    Returns
    -------
    Numeric
        Load at the horizon over load today [ratio].

    Assumptions
    -----------
    Compound growth; a year is 365 days.

    Validity
    --------
    Short horizons: extrapolation beyond a few years is a guess.

    Examples
    --------
    >>> growth_factor(growth_per_year=0.5, horizon_s=2 * 31_536_000)
    2.25

    References
    ----------
    arithmetic
    """
    return (1 + growth_per_year) ** (horizon_s / 31_536_000)


@formula(
    "records_per_s * wire_bytes_per_record",
    unit="bytes/s",
    source="kafka-design",
)
def produce_in_bytes_per_s(*, records_per_s: Numeric, wire_bytes_per_record: Numeric) -> Numeric:
    """Bytes per second that producers send to the leaders, as compressed record batches.

    Parameters
    ----------
    records_per_s
        Records produced [1/s], >= 0.
    wire_bytes_per_record
        Record batch bytes per record, compressed [bytes], > 0.

    Returns
    -------
    Numeric
        Produce traffic [bytes/s].

    Assumptions
    -----------
    The broker stores the batch as it came (`compression.type=producer`). Protocol bytes are counted apart.

    Validity
    --------
    Any rate; rate and size must belong to the same moment (peak with peak).

    Examples
    --------
    >>> produce_in_bytes_per_s(records_per_s=1000, wire_bytes_per_record=250)
    250000

    References
    ----------
    kafka-design
    """
    return records_per_s * wire_bytes_per_record


@formula(
    "produce_in_bytes_per_s * (replication_factor - 1)",
    unit="bytes/s",
    source="kafka-design",
)
def follower_in_bytes_per_s(*, produce_in_bytes_per_s: Numeric, replication_factor: Numeric) -> Numeric:
    """Bytes per second that followers fetch from leaders; the same bytes leave the leaders.

    Parameters
    ----------
    produce_in_bytes_per_s
        Produce traffic at the moment looked at [bytes/s], >= 0.
    replication_factor
        Replicas of each partition, leader included [count], 1 to 1000.

    Returns
    -------
    Numeric
        Follower fetch traffic [bytes/s].

    Assumptions
    -----------
    Every replica is live and in sync.

    Validity
    --------
    Healthy state; failures change it, see `planner.model.states`.

    Examples
    --------
    >>> follower_in_bytes_per_s(produce_in_bytes_per_s=100.0, replication_factor=3)
    200.0

    References
    ----------
    kafka-design
    """
    return produce_in_bytes_per_s * (replication_factor - 1)


@formula(
    "produce_in_bytes_per_s * fan_out",
    unit="bytes/s",
    source="kafka-design",
)
def consumer_out_bytes_per_s(*, produce_in_bytes_per_s: Numeric, fan_out: Numeric) -> Numeric:
    """Bytes per second that brokers send to consumer groups.

    Parameters
    ----------
    produce_in_bytes_per_s
        Produce traffic at the moment looked at [bytes/s], >= 0.
    fan_out
        Sum over consumer groups of the share of the topic that each reads [ratio], >= 0.

    Returns
    -------
    Numeric
        Consumer traffic [bytes/s].

    Assumptions
    -----------
    Groups keep up with the producers; batches travel as stored, without recompression.

    Validity
    --------
    Groups that catch up after an outage read faster for a while.

    Examples
    --------
    >>> consumer_out_bytes_per_s(produce_in_bytes_per_s=100.0, fan_out=2.5)
    250.0

    References
    ----------
    kafka-design
    """
    return produce_in_bytes_per_s * fan_out


@formula(
    "produce_in_bytes_per_s * tiered",
    unit="bytes/s",
    source="kafka-4.3-source",
)
def tier_out_bytes_per_s(*, produce_in_bytes_per_s: Numeric, tiered: Numeric) -> Numeric:
    """Bytes per second that leaders upload to the remote tier (KIP-405).

    Parameters
    ----------
    produce_in_bytes_per_s
        Produce traffic at the moment looked at [bytes/s], >= 0.
    tiered
        1 where the topic has remote storage enabled, else [fraction], 0 or 1.

    Returns
    -------
    Numeric
        Upload to the remote tier [bytes/s].

    Assumptions
    -----------
    Closed segments are uploaded once, by the leader, as fast as they are written.

    Validity
    --------
    Long against a segment; an upload backlog adds to it afterwards.

    Examples
    --------
    >>> tier_out_bytes_per_s(produce_in_bytes_per_s=100.0, tiered=1)
    100.0

    References
    ----------
    kafka-4.3-source
    """
    return produce_in_bytes_per_s * tiered


@formula(
    "produce_in_bytes_per_s * mirrors",
    unit="bytes/s",
    source="kafka-design",
)
def mirror_out_bytes_per_s(*, produce_in_bytes_per_s: Numeric, mirrors: Numeric) -> Numeric:
    """Bytes per second that other clusters read from this one (MirrorMaker reads like a consumer).

    Parameters
    ----------
    produce_in_bytes_per_s
        Produce traffic at the moment looked at [bytes/s], >= 0.
    mirrors
        Clusters that mirror the topic [count], >= 0.

    Returns
    -------
    Numeric
        Mirroring traffic [bytes/s].

    Assumptions
    -----------
    Each mirror reads every record once.

    Validity
    --------
    Mirrors that keep up.

    Examples
    --------
    >>> mirror_out_bytes_per_s(produce_in_bytes_per_s=100.0, mirrors=1)
    100.0

    References
    ----------
    kafka-design
    """
    return produce_in_bytes_per_s * mirrors


@formula(
    "produce_in_bytes_per_s + follower_in_bytes_per_s",
    unit="bytes/s",
    source="kafka-design",
)
def network_in_bytes_per_s(*, produce_in_bytes_per_s: Numeric, follower_in_bytes_per_s: Numeric) -> Numeric:
    """Bytes per second that all brokers together receive: produce traffic and replication.

    Parameters
    ----------
    produce_in_bytes_per_s
        Produce traffic at the moment looked at [bytes/s], >= 0.
    follower_in_bytes_per_s
        Follower fetch traffic [bytes/s], >= 0.

    Returns
    -------
    Numeric
        Bytes received by all brokers [bytes/s].

    Assumptions
    -----------
    Record batches only; protocol bytes stand on their own line.

    Validity
    --------
    Healthy state.

    Examples
    --------
    >>> network_in_bytes_per_s(produce_in_bytes_per_s=100.0, follower_in_bytes_per_s=200.0)
    300.0

    References
    ----------
    kafka-design
    """
    return produce_in_bytes_per_s + follower_in_bytes_per_s


@formula(
    "follower_out_bytes_per_s + consumer_out_bytes_per_s + tier_out_bytes_per_s + mirror_out_bytes_per_s",
    unit="bytes/s",
    source="kafka-design",
)
def network_out_bytes_per_s(
    *,
    follower_out_bytes_per_s: Numeric,
    consumer_out_bytes_per_s: Numeric,
    tier_out_bytes_per_s: Numeric,
    mirror_out_bytes_per_s: Numeric,
) -> Numeric:
    """Bytes per second that all brokers together send: to followers, consumers, remote tier and mirrors.

    Parameters
    ----------
    follower_out_bytes_per_s
        Bytes that leaders send to followers [bytes/s], >= 0.
    consumer_out_bytes_per_s
        Bytes sent to consumer groups [bytes/s], >= 0.
    tier_out_bytes_per_s
        Bytes uploaded to the remote tier [bytes/s], >= 0.
    mirror_out_bytes_per_s
        Bytes read by other clusters [bytes/s], >= 0.

    Returns
    -------
    Numeric
        Bytes sent by all brokers [bytes/s].

    Assumptions
    -----------
    Fetching from followers moves consumer bytes between brokers and leaves the sum.

    Validity
    --------
    Healthy state.

    Examples
    --------
    >>> network_out_bytes_per_s(
    ...     follower_out_bytes_per_s=200.0,
    ...     consumer_out_bytes_per_s=100.0,
    ...     tier_out_bytes_per_s=0.0,
    ...     mirror_out_bytes_per_s=0.0,
    ... )
    300.0

    References
    ----------
    kafka-design
    """
    return follower_out_bytes_per_s + consumer_out_bytes_per_s + tier_out_bytes_per_s + mirror_out_bytes_per_s


@formula(
    "produce_in_bytes_per_s * (zones - 1) / zones",
    unit="bytes/s",
    source="arithmetic",
)
def cross_zone_produce_bytes_per_s(*, produce_in_bytes_per_s: Numeric, zones: Numeric) -> Numeric:
    """Produce bytes per second that cross a zone border, with producers and leaders spread evenly.

    Parameters
    ----------
    produce_in_bytes_per_s
        Produce traffic at the moment looked at [bytes/s], >= 0.
    zones
        Availability zones (racks) of equal size [count], >= 1.

    Returns
    -------
    Numeric
        Produce traffic between zones [bytes/s].

    Assumptions
    -----------
    A producer writes to leaders of every zone alike; producers cannot choose a near leader.

    Validity
    --------
    Equal zones.

    Examples
    --------
    >>> cross_zone_produce_bytes_per_s(produce_in_bytes_per_s=90.0, zones=3)
    60.0

    References
    ----------
    arithmetic
    """
    return produce_in_bytes_per_s * (zones - 1) / zones


@formula(
    "produce_in_bytes_per_s * (replication_factor - ceil(replication_factor / zones)) ",
    unit="bytes/s",
    source="kafka-4.3-source",
)
def cross_zone_replication_bytes_per_s(
    *, produce_in_bytes_per_s: Numeric, replication_factor: Numeric, zones: Numeric
) -> Numeric:
    """Follower fetch bytes per second that cross a zone border.

    Parameters
    ----------
    produce_in_bytes_per_s
        Produce traffic at the moment looked at [bytes/s], >= 0.
    replication_factor
        Replicas of each partition, leader included [count], 1 to 1000.
    zones
        Availability zones (racks) of equal size [count], >= 1.

    Returns
    -------
    Numeric
        Replication traffic between zones [bytes/s].

    Assumptions
    -----------
    Kafka's placer goes round the racks, so the leader's zone holds ceil(RF / zones) of the replicas.

    Validity
    --------
    Equal zones; all of it crosses when the replicas sit in distinct zones. With RF above zones and not a multiple the
    leader's zone is the fullest.

    Examples
    --------
    >>> float(cross_zone_replication_bytes_per_s(produce_in_bytes_per_s=30.0, replication_factor=3, zones=3))
    60.0

    References
    ----------
    kafka-4.3-source
    """
    return produce_in_bytes_per_s * (replication_factor - np.ceil(replication_factor / zones))


@formula(
    "consumer_out_bytes_per_s"
    " * where(fetch_from_follower, 1 - min(replication_factor, zones) / zones, (zones - 1) / zones)",
    unit="bytes/s",
    source="kafka-4.3-source",
)
def cross_zone_consume_bytes_per_s(
    *,
    consumer_out_bytes_per_s: Numeric,
    replication_factor: Numeric,
    zones: Numeric,
    fetch_from_follower: Numeric,
) -> Numeric:
    """Consumer bytes per second that cross a zone border.

    Parameters
    ----------
    consumer_out_bytes_per_s
        Bytes sent to consumer groups [bytes/s], >= 0.
    replication_factor
        Replicas of each partition, leader included [count], 1 to 1000.
    zones
        Availability zones (racks) of equal size [count], >= 1.
    fetch_from_follower
        1 when consumers fetch from the replica in their own zone (KIP-392), else [fraction], 0 or 1.

    Returns
    -------
    Numeric
        Consumer traffic between zones [bytes/s].

    Assumptions
    -----------
    Members are spread evenly over the zones; with KIP-392 only those in a zone without a replica read from another.

    Validity
    --------
    Equal zones and members; `consumers.zones` replaces the even spread where given.

    Examples
    --------
    >>> float(
    ...     cross_zone_consume_bytes_per_s(
    ...         consumer_out_bytes_per_s=90.0, replication_factor=2, zones=3, fetch_from_follower=0
    ...     )
    ... )
    60.0

    References
    ----------
    kafka-4.3-source
    """
    near = np.minimum(replication_factor, zones) / zones
    return consumer_out_bytes_per_s * np.where(fetch_from_follower, 1 - near, (zones - 1) / zones)


@formula(
    "sum(topic_bytes_per_s)",
    unit="bytes/s",
    source="arithmetic",
)
def cluster_bytes_per_s(*, topic_bytes_per_s: Numeric) -> Numeric:
    """Sum of bytes per second over the topics of the cluster.

    Parameters
    ----------
    topic_bytes_per_s
        One number per topic [bytes/s], >= 0.

    Returns
    -------
    Numeric
        Sum over topics [bytes/s].

    Assumptions
    -----------
    Topics do not share what is counted.

    Validity
    --------
    Any.

    Examples
    --------
    >>> cluster_bytes_per_s(topic_bytes_per_s=[1, 2, 3.5])
    6.5

    References
    ----------
    arithmetic
    """
    return float(np.sum(topic_bytes_per_s))


@formula(
    "sum(topic_bytes)",
    unit="bytes",
    source="arithmetic",
)
def cluster_bytes(*, topic_bytes: Numeric) -> Numeric:
    """Sum of bytes over the topics of the cluster.

    Parameters
    ----------
    topic_bytes
        One number per topic [bytes], >= 0.

    Returns
    -------
    Numeric
        Sum over topics [bytes].

    Assumptions
    -----------
    Topics do not share what is counted.

    Validity
    --------
    Any.

    Examples
    --------
    >>> cluster_bytes(topic_bytes=[1, 2, 3.5])
    6.5

    References
    ----------
    arithmetic
    """
    return float(np.sum(topic_bytes))


@formula(
    "sum(topic_per_s)",
    unit="1/s",
    source="arithmetic",
)
def cluster_per_s(*, topic_per_s: Numeric) -> Numeric:
    """Sum of events per second over the topics of the cluster.

    Parameters
    ----------
    topic_per_s
        One number per topic [1/s], >= 0.

    Returns
    -------
    Numeric
        Sum over topics [1/s].

    Assumptions
    -----------
    Topics do not share what is counted.

    Validity
    --------
    Any.

    Examples
    --------
    >>> cluster_per_s(topic_per_s=[1, 2, 3.5])
    6.5

    References
    ----------
    arithmetic
    """
    return float(np.sum(topic_per_s))


@formula(
    "sum(topic_count)",
    unit="count",
    source="arithmetic",
)
def cluster_count(*, topic_count: Numeric) -> Numeric:
    """Sum of numbers over the topics of the cluster.

    Parameters
    ----------
    topic_count
        One number per topic [count], >= 0.

    Returns
    -------
    Numeric
        Sum over topics [count].

    Assumptions
    -----------
    Topics do not share what is counted.

    Validity
    --------
    Any.

    Examples
    --------
    >>> cluster_count(topic_count=[1, 2, 3.5])
    6.5

    References
    ----------
    arithmetic
    """
    return float(np.sum(topic_count))


@formula(
    "cross_zone_produce_bytes_per_s + cross_zone_replication_bytes_per_s + cross_zone_consume_bytes_per_s",
    unit="bytes/s",
    source="arithmetic",
)
def cross_zone_bytes_per_s(
    *,
    cross_zone_produce_bytes_per_s: Numeric,
    cross_zone_replication_bytes_per_s: Numeric,
    cross_zone_consume_bytes_per_s: Numeric,
) -> Numeric:
    """Bytes per second that cross a zone border: produce, replication and consume together.

    Parameters
    ----------
    cross_zone_produce_bytes_per_s
        Produce traffic between zones [bytes/s], >= 0.
    cross_zone_replication_bytes_per_s
        Replication traffic between zones [bytes/s], >= 0.
    cross_zone_consume_bytes_per_s
        Consumer traffic between zones [bytes/s], >= 0.

    Returns
    -------
    Numeric
        Traffic between zones [bytes/s].

    Assumptions
    -----------
    Each byte is counted once, where it crosses.

    Validity
    --------
    Healthy state.

    Examples
    --------
    >>> cross_zone_bytes_per_s(
    ...     cross_zone_produce_bytes_per_s=20.0,
    ...     cross_zone_replication_bytes_per_s=60.0,
    ...     cross_zone_consume_bytes_per_s=60.0,
    ... )
    140.0

    References
    ----------
    arithmetic
    """
    return cross_zone_produce_bytes_per_s + cross_zone_replication_bytes_per_s + cross_zone_consume_bytes_per_s


@formula("produce_in_bytes_per_s + marker_bytes_per_s", unit="bytes/s", source="kafka-4.3-measured")
def topic_in_bytes_per_s(*, produce_in_bytes_per_s: Numeric, marker_bytes_per_s: Numeric) -> Numeric:
    """Bytes per second that arrive at the leaders of a topic: record batches, and the markers of transactions.

    Parameters
    ----------
    produce_in_bytes_per_s
        Record batches from producers [bytes/s], >= 0.
    marker_bytes_per_s
        Commit and abort markers [bytes/s], >= 0.

    Returns
    -------
    Numeric
        Produce traffic of a topic [bytes/s].

    Assumptions
    -----------
    Markers come over the wire from the transaction coordinator.

    Validity
    --------
    Where the coordinator leads the partition itself, its marker takes no network; one in as many as there are brokers.

    Examples
    --------
    >>> topic_in_bytes_per_s(produce_in_bytes_per_s=1000.0, marker_bytes_per_s=156.0)
    1156.0

    References
    ----------
    kafka-4.3-measured
    """
    return produce_in_bytes_per_s + marker_bytes_per_s
