"""Mean loads of a live broker in each state of the cluster, in closed form."""

from __future__ import annotations

import math

import numpy as np

from planner.model.types import Numeric
from planner.trace import formula


def hypergeometric_below(replicas: Numeric, live_needed: Numeric, brokers: Numeric, down: Numeric) -> Numeric:
    """Chance that fewer than `live_needed` of `replicas` distinct brokers are live when `down` of `brokers` are not.

    Parameters
    ----------
    replicas
        Distinct brokers drawn, as the replicas of a partition [count], >= 0.
    live_needed
        Live ones that are needed [count], >= 0.
    brokers
        Brokers to draw from [count], >= 1.
    down
        Brokers that are not live [count], 0 to brokers.

    Returns
    -------
    Numeric
        Lower tail of the hypergeometric distribution [fraction].

    Assumptions
    -----------
    Every set of that many brokers is equally likely.

    Validity
    --------
    Whole numbers; parts are cut off. 1 where there are more replicas than brokers: such a partition cannot be placed.

    Examples
    --------
    >>> float(hypergeometric_below(replicas=2, live_needed=1, brokers=4, down=2)) == 1 / 6
    True
    >>> float(hypergeometric_below(replicas=3, live_needed=2, brokers=4, down=1))
    0.0

    References
    ----------
    arithmetic
    """
    chance: Numeric = np.vectorize(_below, otypes=[float])(replicas, live_needed, brokers, down)
    return chance


def _below(replicas: float, live_needed: float, brokers: float, down: float) -> float:
    copies, total, lost = int(replicas), int(brokers), int(down)
    ways = sum(
        math.comb(lost, copies - live) * math.comb(total - lost, live)
        for live in range(min(int(live_needed), copies + 1))
        if copies - live <= lost
    )
    return ways / math.comb(total, copies) if total >= copies else 1.0


@formula(
    "sum(produce_in_bytes_per_s * replication_factor) / brokers",
    unit="bytes/s",
    source="kafka-design",
)
def stored_in_bytes_per_s(*, produce_in_bytes_per_s: Numeric, replication_factor: Numeric, brokers: Numeric) -> Numeric:
    """Mean bytes per second that a broker receives while it is live: produce traffic and replication.

    Parameters
    ----------
    produce_in_bytes_per_s
        Produce traffic at the moment looked at [bytes/s], >= 0.
    replication_factor
        Replicas of each partition, leader included [count], 1 to 1000.
    brokers
        Brokers that are members of the cluster [count], >= 1.

    Returns
    -------
    Numeric
        Bytes received per live broker [bytes/s].

    Assumptions
    -----------
    Replicas of unreachable brokers wait, so the live ones are written as before: the same in every state but `reduced`.

    Validity
    --------
    While every partition stays writable.

    Examples
    --------
    >>> float(stored_in_bytes_per_s(produce_in_bytes_per_s=100.0, replication_factor=3, brokers=6))
    50.0

    References
    ----------
    kafka-design
    """
    each: Numeric = np.sum(produce_in_bytes_per_s * replication_factor, axis=0) / brokers
    return each


@formula(
    "sum(produce_in_bytes_per_s * replication_factor) / brokers"
    " + sum(leader_read_bytes_per_s - produce_in_bytes_per_s) / (brokers - brokers_down)",
    unit="bytes/s",
    source="kafka-4.3-measured",
)
def down_out_bytes_per_s(
    *,
    produce_in_bytes_per_s: Numeric,
    replication_factor: Numeric,
    leader_read_bytes_per_s: Numeric,
    brokers: Numeric,
    brokers_down: Numeric,
) -> Numeric:
    """Mean bytes per second that a live broker sends while others are unreachable (healthy when none is).

    Parameters
    ----------
    produce_in_bytes_per_s
        Produce traffic at the moment looked at [bytes/s], >= 0.
    replication_factor
        Replicas of each partition, leader included [count], 1 to 1000.
    leader_read_bytes_per_s
        Bytes that leaders send to consumers, remote tier and mirrors [bytes/s], >= 0.
    brokers
        Brokers that are members of the cluster [count], >= 1.
    brokers_down
        Brokers unreachable at the same time [count], 0 to brokers - 1.

    Returns
    -------
    Numeric
        Bytes sent per live broker [bytes/s].

    Assumptions
    -----------
    Leaders moved to live in-sync replicas; nobody sends to the unreachable followers.

    Validity
    --------
    While every partition stays writable and keeps a live replica; agreed with a real cluster within 0.4 %.

    Examples
    --------
    >>> float(
    ...     down_out_bytes_per_s(
    ...         produce_in_bytes_per_s=120.0,
    ...         replication_factor=3,
    ...         leader_read_bytes_per_s=240.0,
    ...         brokers=6,
    ...         brokers_down=2,
    ...     )
    ... )
    90.0

    References
    ----------
    kafka-4.3-measured
    """
    stored: Numeric = np.sum(produce_in_bytes_per_s * replication_factor, axis=0) / brokers
    read: Numeric = np.sum(leader_read_bytes_per_s - produce_in_bytes_per_s, axis=0) / (brokers - brokers_down)
    return stored + read


@formula(
    "sum(produce_in_bytes_per_s * (replication_factor - 1) + leader_read_bytes_per_s) / (brokers - brokers_down)",
    unit="bytes/s",
    source="kafka-4.3-measured",
)
def returned_out_bytes_per_s(
    *,
    produce_in_bytes_per_s: Numeric,
    replication_factor: Numeric,
    leader_read_bytes_per_s: Numeric,
    brokers: Numeric,
    brokers_down: Numeric,
) -> Numeric:
    """Mean bytes per second sent by the brokers that stayed, while the returned ones lead nothing yet.

    Parameters
    ----------
    produce_in_bytes_per_s
        Produce traffic at the moment looked at [bytes/s], >= 0.
    replication_factor
        Replicas of each partition, leader included [count], 1 to 1000.
    leader_read_bytes_per_s
        Bytes that leaders send to consumers, remote tier and mirrors [bytes/s], >= 0.
    brokers
        Brokers that are members of the cluster [count], >= 1.
    brokers_down
        Brokers unreachable at the same time [count], 0 to brokers - 1.

    Returns
    -------
    Numeric
        Bytes sent per broker that stayed [bytes/s].

    Assumptions
    -----------
    The returned broker is in sync again and follows every leader; no preferred election has run yet.

    Validity
    --------
    From catch-up to the preferred election (checked every 300 s, run above 10 % imbalance).

    Examples
    --------
    >>> float(
    ...     returned_out_bytes_per_s(
    ...         produce_in_bytes_per_s=120.0,
    ...         replication_factor=3,
    ...         leader_read_bytes_per_s=240.0,
    ...         brokers=6,
    ...         brokers_down=2,
    ...     )
    ... )
    120.0

    References
    ----------
    kafka-4.3-measured
    """
    sent: Numeric = np.sum(produce_in_bytes_per_s * (replication_factor - 1) + leader_read_bytes_per_s, axis=0)
    return sent / (brokers - brokers_down)


@formula(
    "sum(produce_in_bytes_per_s * replication_factor) / (brokers - brokers_down)",
    unit="bytes/s",
    source="kafka-design",
)
def reduced_in_bytes_per_s(
    *,
    produce_in_bytes_per_s: Numeric,
    replication_factor: Numeric,
    brokers: Numeric,
    brokers_down: Numeric,
) -> Numeric:
    """Mean bytes per second that a survivor receives after everything was re-replicated onto the survivors.

    Parameters
    ----------
    produce_in_bytes_per_s
        Produce traffic at the moment looked at [bytes/s], >= 0.
    replication_factor
        Replicas of each partition, leader included [count], 1 to 1000.
    brokers
        Brokers that are members of the cluster [count], >= 1.
    brokers_down
        Brokers unreachable at the same time [count], 0 to brokers - 1.

    Returns
    -------
    Numeric
        Bytes received per survivor [bytes/s].

    Assumptions
    -----------
    An operator or Cruise Control re-created the lost replicas; Kafka itself does not.

    Validity
    --------
    Replication factor at most the number of survivors.

    Examples
    --------
    >>> float(reduced_in_bytes_per_s(produce_in_bytes_per_s=100.0, replication_factor=3, brokers=6, brokers_down=1))
    60.0

    References
    ----------
    kafka-design
    """
    each: Numeric = np.sum(produce_in_bytes_per_s * replication_factor, axis=0) / (brokers - brokers_down)
    return each


@formula(
    "hypergeometric_below(replication_factor, live_needed, brokers, brokers_down)",
    unit="fraction",
    source="arithmetic",
)
def unwritable_fraction(
    *,
    replication_factor: Numeric,
    live_needed: Numeric,
    brokers: Numeric,
    brokers_down: Numeric,
) -> Numeric:
    """Expected share of a topic's partitions with too few live replicas, when random brokers are unreachable.

    Parameters
    ----------
    replication_factor
        Replicas of each partition, leader included [count], 1 to 1000.
    live_needed
        Live in-sync replicas a write needs: min.insync.replicas with acks=all, else 1 [count], 1 to 1000.
    brokers
        Brokers that are members of the cluster [count], >= 1.
    brokers_down
        Brokers unreachable at the same time [count], 0 to brokers - 1.

    Returns
    -------
    Numeric
        Share of partitions that refuse writes [fraction].

    Assumptions
    -----------
    Every set of brokers is equally likely to hold a partition's replicas (no racks).

    Validity
    --------
    Integers; a rack-aware placement differs, the simulated assignment is used there.

    Examples
    --------
    >>> float(unwritable_fraction(replication_factor=3, live_needed=2, brokers=4, brokers_down=2))
    0.5

    References
    ----------
    arithmetic
    """
    return hypergeometric_below(replication_factor, live_needed, brokers, brokers_down)


@formula(
    "cluster_total / live_brokers",
    unit="as the total",
    source="arithmetic",
)
def mean_per_broker(*, cluster_total: Numeric, live_brokers: Numeric) -> Numeric:
    """Mean load of a live broker.

    Parameters
    ----------
    cluster_total
        Sum over the live brokers, in the unit of the figure [-], >= 0.
    live_brokers
        Brokers that are up [count], >= 1.

    Returns
    -------
    Numeric
        Mean per live broker [as the total].

    Assumptions
    -----------
    None: a mean.

    Validity
    --------
    Any.

    Examples
    --------
    >>> mean_per_broker(cluster_total=90.0, live_brokers=6)
    15.0

    References
    ----------
    arithmetic
    """
    return cluster_total / live_brokers


@formula(
    "mean_per_broker * fullest_over_mean",
    unit="as the mean",
    source="kafka-4.3-source",
)
def fullest_broker(*, mean_per_broker: Numeric, fullest_over_mean: Numeric) -> Numeric:
    """Load of the fullest broker, expected over seeded placements, in the worst loss of each.

    Parameters
    ----------
    mean_per_broker
        Mean over live brokers, in the unit of the figure [-], >= 0.
    fullest_over_mean
        Fullest over mean, found by simulating Kafka's placer [ratio], >= 0.

    Returns
    -------
    Numeric
        Expected load of the fullest broker [as the mean].

    Assumptions
    -----------
    Stock Kafka places replicas by count, never by load; with policy.placement = balanced the ratio is 1.

    Validity
    --------
    As good as the partition counts; real clusters also drift by hand-made moves.

    Examples
    --------
    >>> fullest_broker(mean_per_broker=10.0, fullest_over_mean=1.5)
    15.0

    References
    ----------
    kafka-4.3-source
    """
    return mean_per_broker * fullest_over_mean
