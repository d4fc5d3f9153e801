"""Requests per second: what producers, followers and consumers ask of the brokers."""

from __future__ import annotations

import numpy as np

from planner.model.types import Numeric
from planner.trace import formula

_NEWTON_STEPS = 30


@formula(
    "batch_records * max(leader_partitions, 1) * (1 - (1 - 1 / max(leader_partitions, 1))"
    " ** records_per_request_of_batch(batch_records=batch_records, leader_partitions=leader_partitions))",
    unit="count",
    source="kafka-4.3-measured",
)
def records_per_request_of_batch(*, batch_records: Numeric, leader_partitions: Numeric) -> Numeric:
    """Records in one produce request when those in a batch are known: it carries every open batch of its broker.

    Parameters
    ----------
    batch_records
        Mean records per batch [count], >= 1.
    leader_partitions
        Partitions of the topic led by one broker [count], >= 1.

    Returns
    -------
    Numeric
        Records in a produce request [count].

    Assumptions
    -----------
    Keys are uniform over the partitions of a broker, so a partition is left out of a request by chance alone. The
    formula names its own result: it is solved for it.

    Validity
    --------
    Rates well below the latency bound of a connection.

    Examples
    --------
    >>> float(records_per_request_of_batch(batch_records=4.0, leader_partitions=1))
    4.0

    References
    ----------
    kafka-4.3-measured
    """
    # rho = n L (1 - (1 - 1/L)^rho) has no elementary solution. Newton's method comes down to it from n L, where every
    # partition has a batch, and never passes it because the curve is convex. Records of 1 need no step.
    partitions = np.maximum(leader_partitions, 1.0)
    every = np.maximum(batch_records, 1.0) * partitions
    log_empty = np.log(np.maximum(1 - 1 / partitions, 1e-300))
    records: Numeric = every
    for _ in range(_NEWTON_STEPS):
        empty, last = np.exp(log_empty * records), records
        records = records - (records - every * (1 - empty)) / (1 + every * log_empty * empty)
        if np.array_equal(records, last):
            break
    return np.where(batch_records > 1, np.maximum(records, 1.0), 1.0)


@formula(
    "max(idle_requests_per_s, min(appends_per_s, 1 / round_trip_s))",
    unit="1/s",
    source="kafka-4.3-measured",
    confidence="low",
)
def pair_fetch_requests_per_s(
    *, appends_per_s: Numeric, round_trip_s: Numeric, idle_requests_per_s: Numeric
) -> Numeric:
    """Fetch requests per second from one reader (follower thread or group member) to one leader broker.

    Parameters
    ----------
    appends_per_s
        Appends per second that have something for this reader [1/s], >= 0.
    round_trip_s
        Time from one fetch request to the next under load [s], > 0.
    idle_requests_per_s
        Requests per second without data: 1 / fetch.max.wait.ms [1/s], > 0.

    Returns
    -------
    Numeric
        Fetch requests per second of one fetcher [1/s].

    Assumptions
    -----------
    One request is outstanding at a time; new data answers it at once (fetch.min.bytes = 1).

    Validity
    --------
    Order of magnitude: measured 1.0 to 2.5 fetches per produce request.

    Examples
    --------
    >>> float(pair_fetch_requests_per_s(appends_per_s=0.0, round_trip_s=0.002, idle_requests_per_s=2))
    2.0

    References
    ----------
    kafka-4.3-measured
    """
    return np.maximum(idle_requests_per_s, np.minimum(appends_per_s, 1 / round_trip_s))


@formula(
    "where(brokers > 1, 1 - (1 - min((replication_factor - 1) / max(brokers - 1, 1), 1)) ** batches_per_request, 0)",
    unit="fraction",
    source="arithmetic",
)
def touched_fraction(*, replication_factor: Numeric, brokers: Numeric, batches_per_request: Numeric) -> Numeric:
    """Chance that a produce request touches a partition that one given other broker follows.

    Parameters
    ----------
    replication_factor
        Replicas of each partition, leader included [count], 1 to 1000.
    brokers
        Brokers that are members of the cluster [count], >= 1.
    batches_per_request
        Batches, so partitions, in a produce request [count], >= 0.

    Returns
    -------
    Numeric
        Chance that a request concerns one other broker [fraction].

    Assumptions
    -----------
    Followers of different partitions are drawn independently.

    Validity
    --------
    Balanced placement.

    Examples
    --------
    >>> float(touched_fraction(replication_factor=3, brokers=3, batches_per_request=1))
    1.0

    References
    ----------
    arithmetic
    """
    others = np.maximum(brokers - 1, 1)
    followed = np.minimum((replication_factor - 1) / others, 1)
    return np.where(np.asarray(brokers) > 1, 1 - (1 - followed) ** batches_per_request, 0.0)


@formula(
    "requests_per_s * overhead_bytes",
    unit="bytes/s",
    source="kafka-4.3-measured",
    confidence="medium",
)
def overhead_bytes_per_s(*, requests_per_s: Numeric, overhead_bytes: Numeric) -> Numeric:
    """Protocol bytes per second, in each direction, that requests and responses add to the record batches.

    Parameters
    ----------
    requests_per_s
        Requests, produce and fetch [1/s], >= 0.
    overhead_bytes
        Protocol, TCP and IP bytes of one request or response [bytes], > 0.

    Returns
    -------
    Numeric
        Protocol bytes each way [bytes/s].

    Assumptions
    -----------
    Request and response cost about the same; headers of TCP and IP included.

    Validity
    --------
    160 to 380 bytes measured, growing with the partitions in a request.

    Examples
    --------
    >>> overhead_bytes_per_s(requests_per_s=1000, overhead_bytes=200)
    200000

    References
    ----------
    kafka-4.3-measured
    """
    return requests_per_s * overhead_bytes


@formula(
    "where(brokers > 1, 1 - exp(-follower_replicas / max(brokers * (brokers - 1), 1)), 0)",
    unit="fraction",
    source="arithmetic",
)
def connected_fraction(*, follower_replicas: Numeric, brokers: Numeric) -> Numeric:
    """Expected share of ordered broker pairs in which the second follows a partition that the first leads.

    Parameters
    ----------
    follower_replicas
        Follower replicas in the cluster [count], >= 0.
    brokers
        Live brokers [count], >= 1.

    Returns
    -------
    Numeric
        Share of pairs that share a partition [fraction].

    Assumptions
    -----------
    Follower replicas fall on pairs at random.

    Validity
    --------
    Balanced placement. Racks keep followers out of the leader's rack while RF is at most the racks: then this is high
    by up to (B-1)/(B-B/A).

    Examples
    --------
    >>> float(connected_fraction(follower_replicas=0, brokers=3))
    0.0

    References
    ----------
    arithmetic
    """
    pairs = np.maximum(np.asarray(brokers) * (np.asarray(brokers) - 1), 1)
    return np.where(np.asarray(brokers) > 1, 1 - np.exp(-follower_replicas / pairs), 0.0)


@formula(
    "clients * min(partitions_each / brokers, 1)",
    unit="count",
    source="arithmetic",
)
def client_connections(*, clients: Numeric, partitions_each: Numeric, brokers: Numeric) -> Numeric:
    """Connections that a broker holds from clients of one kind.

    Parameters
    ----------
    clients
        Producers of a topic, or members of a group [count], >= 0.
    partitions_each
        Partitions that one of them writes to or owns [count], >= 0.
    brokers
        Brokers in the cluster [count], >= 1.

    Returns
    -------
    Numeric
        Connections per broker [count].

    Assumptions
    -----------
    A client connects to the brokers that lead its partitions, once to each, and leaders are spread evenly.

    Validity
    --------
    Clients that use several topics are counted once per topic; bootstrap and coordinator connections are left out.

    Examples
    --------
    >>> float(client_connections(clients=10, partitions_each=6, brokers=12))
    5.0

    References
    ----------
    arithmetic
    """
    return clients * np.minimum(partitions_each / brokers, 1)
