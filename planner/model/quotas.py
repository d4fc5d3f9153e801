"""Quotas: brokers of a service that is sized by them, and those that clients are given."""

from __future__ import annotations

import numpy as np

from planner.model.types import Numeric
from planner.trace import formula


@formula(
    "max(load / (quota * limit_fraction), load / (quota * degraded_fraction) + brokers_down)",
    unit="count",
    source="arithmetic",
)
def quota_brokers(
    *,
    load: Numeric,
    quota: Numeric,
    limit_fraction: Numeric,
    degraded_fraction: Numeric,
    brokers_down: Numeric,
) -> Numeric:
    """Brokers whose quotas carry a load, when all are up and while some are down.

    Parameters
    ----------
    load
        What the whole cluster takes at its peak: bytes/s or replicas [any], >= 0.
    quota
        What one broker is allowed [same as load], > 0.
    limit_fraction
        Share of the quota that may be used when all is well [fraction], > 0.
    degraded_fraction
        Share that may be used while brokers are down [fraction], > 0.
    brokers_down
        Brokers down at once that the rest has to stand in for [count], >= 0.

    Returns
    -------
    Numeric
        Brokers, not rounded [count].

    Assumptions
    -----------
    The load spreads evenly, and what a lost broker carried moves to the others.

    Validity
    --------
    Services that throttle at a quota; copies between brokers are not counted against it.

    Examples
    --------
    100 MB/s at 25 MB/s a broker: at 80 % five brokers; with one down at 95 % a little over five.

    >>> limits = dict(limit_fraction=0.8, degraded_fraction=0.95)
    >>> float(quota_brokers(load=100.0, quota=25.0, brokers_down=0, **limits))
    5.0
    >>> round(float(quota_brokers(load=100.0, quota=25.0, brokers_down=1, **limits)), 2)
    5.21

    References
    ----------
    arithmetic
    """
    return np.maximum(load / (quota * limit_fraction), load / (quota * degraded_fraction) + brokers_down)


@formula(
    "bytes_per_s * max(1 / live_brokers, hottest_fraction) * headroom_ratio",
    unit="bytes/s",
    source="kafka-4.3-source",
)
def client_quota_bytes_per_s(
    *, bytes_per_s: Numeric, live_brokers: Numeric, hottest_fraction: Numeric, headroom_ratio: Numeric
) -> Numeric:
    """Byte rate to allow a client on one broker, where Kafka's quotas are counted.

    Parameters
    ----------
    bytes_per_s
        What all instances of the client send or read together at the peak [bytes/s], >= 0.
    live_brokers
        Brokers that share the leaders while as many are down as the plan survives [count], >= 1.
    hottest_fraction
        Share of those bytes that goes through the busiest partition, so through one broker [fraction], 0 to 1.
    headroom_ratio
        Quota over planned rate [ratio], >= 1.

    Returns
    -------
    Numeric
        `producer_byte_rate` or `consumer_byte_rate` [bytes/s].

    Assumptions
    -----------
    Leaders are spread evenly, but for the busiest partition; instances share one client id.

    Validity
    --------
    Quotas of a user or client id, which every broker counts by itself.

    Examples
    --------
    120 MB/s over 6 brokers is 20 MB/s a broker, half as much again 30; half of it in one partition is 60, so 90.

    >>> limits = dict(bytes_per_s=120e6, live_brokers=6, headroom_ratio=1.5)
    >>> float(client_quota_bytes_per_s(hottest_fraction=0.01, **limits))
    30000000.0
    >>> float(client_quota_bytes_per_s(hottest_fraction=0.5, **limits))
    90000000.0

    References
    ----------
    kafka-4.3-source
    """
    return bytes_per_s * np.maximum(1 / live_brokers, hottest_fraction) * headroom_ratio
