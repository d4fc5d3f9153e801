"""Brokers of a service that is sized by quotas instead of by hardware."""

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
