"""How long a partition takes no writes, and how likely acknowledged records are lost."""

from __future__ import annotations

import math

import numpy as np

from planner.model.types import Numeric
from planner.trace import formula


@formula("repair_s / (between_failures_s + repair_s)", unit="fraction", source="arithmetic")
def down_fraction(*, between_failures_s: Numeric, repair_s: Numeric) -> Numeric:
    """Share of the time that something is down.

    Parameters
    ----------
    between_failures_s
        Mean time from a repair to the next failure [s], > 0.
    repair_s
        Mean time to repair [s], >= 0.

    Returns
    -------
    Numeric
        Share of the time [fraction].

    Assumptions
    -----------
    Failures and repairs alternate for ever.

    Validity
    --------
    Long periods.

    Examples
    --------
    >>> down_fraction(between_failures_s=99.0, repair_s=1.0)
    0.01

    References
    ----------
    arithmetic
    """
    return repair_s / (between_failures_s + repair_s)


def replicas_by_zone(*, replication_factor: int, zones: int) -> tuple[int, ...]:
    """How many replicas of a partition each of its zones holds, as Kafka's placer spreads them.

    Parameters
    ----------
    replication_factor
        Replicas of the partition [count], >= 1.
    zones
        Zones of the cluster [count], >= 1.

    Returns
    -------
    tuple[int, ...]
        Replicas of each zone that has any [count].

    Assumptions
    -----------
    Racks of equal size, each with brokers enough.

    Validity
    --------
    Assignments made by hand may be worse.

    Examples
    --------
    >>> replicas_by_zone(replication_factor=5, zones=3)
    (2, 2, 1)

    References
    ----------
    kafka-4.3-source
    """
    used = min(zones, replication_factor)
    return tuple(replication_factor // used + (zone < replication_factor % used) for zone in range(used))


def short_of_replicas_fraction(
    *,
    replication_factor: int,
    live_needed: int,
    zones: int,
    broker_down_fraction: Numeric,
    zone_down_fraction: Numeric,
) -> Numeric:
    """Share of the time that a partition has fewer live replicas than a write needs.

    Parameters
    ----------
    replication_factor
        Replicas of the partition [count], >= 1.
    live_needed
        min.insync.replicas with acks=all, else 1 [count], 1 to replication_factor.
    zones
        Zones of the cluster [count], >= 1.
    broker_down_fraction
        Share of the time that a broker is down while its zone is up [fraction], 0 to 1.
    zone_down_fraction
        Share of the time that a zone is down [fraction], 0 to 1.

    Returns
    -------
    Numeric
        Share of the time [fraction].

    Assumptions
    -----------
    Brokers and zones fail independently; a replica that is back is in sync at once; leaders move at once.

    Validity
    --------
    The time until a leader is elected (seconds a failure) and until a replica has caught up come on top.

    Examples
    --------
    >>> round(
    ...     float(
    ...         short_of_replicas_fraction(
    ...             replication_factor=3, live_needed=2, zones=1, broker_down_fraction=0.1, zone_down_fraction=0.0
    ...         )
    ...     ),
    ...     6,
    ... )
    0.028

    References
    ----------
    arithmetic
    """
    live: list[Numeric] = [1.0]  # chance of 0, 1, ... live replicas in the zones added so far
    for held in replicas_by_zone(replication_factor=replication_factor, zones=zones):
        here = [
            (1 - np.asarray(zone_down_fraction))
            * math.comb(held, up)
            * (1 - np.asarray(broker_down_fraction)) ** up
            * np.asarray(broker_down_fraction) ** (held - up)
            for up in range(held + 1)
        ]
        here[0] = here[0] + zone_down_fraction
        total: list[Numeric] = [0.0] * (len(live) + held)
        for before, chance in enumerate(live):
            for up, other in enumerate(here):
                total[before + up] = total[before + up] + chance * other
        live = total
    short: Numeric = np.asarray(sum(live[:live_needed]))
    return short


@formula(
    "replication_factor * loss_per_s * (loss_per_s * refill_s) ** (replication_factor - 1)",
    unit="1/s",
    source="markov-redundancy",
)
def permanent_loss_per_s(*, replication_factor: Numeric, loss_per_s: Numeric, refill_s: Numeric) -> Numeric:
    """How often all replicas of a set of brokers are lost for good, one before another is filled again.

    Parameters
    ----------
    replication_factor
        Replicas, each on a broker of its own [count], >= 1.
    loss_per_s
        How often a broker loses its data for good [1/s], >= 0.
    refill_s
        From a loss until an empty broker holds the data again [s], >= 0.

    Returns
    -------
    Numeric
        Losses of the whole set [1/s].

    Assumptions
    -----------
    Independent losses, each followed by its own refill. The first of RF brokers is lost at RF times the rate; each
    further one has to be lost before any of the earlier ones is filled, which multiplies by loss_per_s * refill_s.

    Validity
    --------
    loss_per_s * refill_s far below 1; it is 1e-5 and less in practice.

    Examples
    --------
    >>> round(float(permanent_loss_per_s(replication_factor=2, loss_per_s=0.01, refill_s=10.0)), 9)
    0.002

    References
    ----------
    markov-redundancy
    """
    again: Numeric = (np.asarray(loss_per_s) * refill_s) ** (np.asarray(replication_factor) - 1.0)
    return replication_factor * loss_per_s * again


@formula(
    "(replication_factor - 1) * outage_per_s * (outage_per_s * repair_s) ** (replication_factor - 1)",
    unit="1/s",
    source="assumption",
    confidence="low",
)
def unclean_loss_per_s(*, replication_factor: Numeric, outage_per_s: Numeric, repair_s: Numeric) -> Numeric:
    """How often an unclean election loses records: all replicas were down, and not the last one comes back first.

    Parameters
    ----------
    replication_factor
        Replicas, each on a broker of its own [count], >= 1.
    outage_per_s
        How often a broker fails [1/s], >= 0.
    repair_s
        Mean time to repair it [s], >= 0.

    Returns
    -------
    Numeric
        Elections that lose records [1/s].

    Assumptions
    -----------
    The replica that failed last has every record; each of the RF is as likely to return first.

    Validity
    --------
    unclean.leader.election.enable=true, and outage_per_s * repair_s far below 1. Catching-up replicas make it worse.

    Examples
    --------
    >>> round(float(unclean_loss_per_s(replication_factor=2, outage_per_s=0.01, repair_s=10.0)), 9)
    0.001

    References
    ----------
    assumption
    """
    again: Numeric = (np.asarray(outage_per_s) * repair_s) ** (np.asarray(replication_factor) - 1.0)
    return (np.asarray(replication_factor) - 1) * outage_per_s * again


@formula("1 - exp(-events_per_s * period_s)", unit="fraction", source="arithmetic")
def probability_fraction(*, events_per_s: Numeric, period_s: Numeric) -> Numeric:
    """Chance of at least one event in a period.

    Parameters
    ----------
    events_per_s
        How often the event happens [1/s], >= 0.
    period_s
        The period [s], >= 0.

    Returns
    -------
    Numeric
        Chance [fraction].

    Assumptions
    -----------
    Events are independent of each other.

    Validity
    --------
    Any; tiny chances keep their digits.

    Examples
    --------
    >>> round(float(probability_fraction(events_per_s=0.6931471805599453, period_s=1.0)), 9)
    0.5

    References
    ----------
    arithmetic
    """
    chance: Numeric = -np.expm1(-np.asarray(events_per_s) * period_s)
    return chance
