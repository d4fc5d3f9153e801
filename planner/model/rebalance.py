"""Rebalances: how often a group has them, what they cost, and when one feeds the next."""

from __future__ import annotations

import numpy as np

from planner.model.types import Numeric
from planner.trace import formula


@formula("max_poll_records * record_s", unit="s", source="kafka-design")
def worst_batch_s(*, max_poll_records: Numeric, record_s: Numeric) -> Numeric:
    """Time that a member works on a full batch before it polls again.

    Parameters
    ----------
    max_poll_records
        Records that a poll returns at most [count], >= 1.
    record_s
        Time that one record takes [s], >= 0.

    Returns
    -------
    Numeric
        Time between two polls [s].

    Assumptions
    -----------
    Records are processed one after the other, between the polls.

    Validity
    --------
    Full batches: what a member gets when it lags.

    Examples
    --------
    >>> float(worst_batch_s(max_poll_records=500, record_s=0.5))
    250.0

    References
    ----------
    kafka-design
    """
    return max_poll_records * record_s


@formula("2 * restarts_per_s * members * evicted", unit="1/s", source="kafka-design")
def restart_events_per_s(*, restarts_per_s: Numeric, members: Numeric, evicted: Numeric) -> Numeric:
    """Rebalances from members that go and come back.

    Parameters
    ----------
    restarts_per_s
        Restarts or crashes of one member [1/s], >= 0.
    members
        Members of the group [count], >= 1.
    evicted
        Whether the group notices: not while a static member is back before its session ends [bool].

    Returns
    -------
    Numeric
        Rebalances [1/s].

    Assumptions
    -----------
    Each is one rebalance when the member leaves and one when it joins.

    Validity
    --------
    At most: members that go together share one.

    Examples
    --------
    >>> float(restart_events_per_s(restarts_per_s=0.001, members=12, evicted=True))
    0.024

    References
    ----------
    kafka-design
    """
    return 2 * restarts_per_s * members * evicted


@formula(
    "2 * members * overrun_fraction"
    " / max((1 - overrun_fraction) * poll_s + overrun_fraction * max(poll_s, max_poll_interval_s), 1e-280)",
    unit="1/s",
    source="kafka-design",
)
def overrun_events_per_s(
    *, members: Numeric, overrun_fraction: Numeric, poll_s: Numeric, max_poll_interval_s: Numeric
) -> Numeric:
    """Rebalances from members that do not poll in time.

    Parameters
    ----------
    members
        Members of the group [count], >= 1.
    overrun_fraction
        Share of the polls that come too late [fraction], 0 to 1.
    poll_s
        Time between two polls otherwise [s], >= 0.
    max_poll_interval_s
        max.poll.interval.ms [s], > 0.

    Returns
    -------
    Numeric
        Rebalances [1/s].

    Assumptions
    -----------
    An overrun lasts at least the interval; the member leaves and joins again after it.

    Validity
    --------
    Members overrun independently.

    Examples
    --------
    >>> float(overrun_events_per_s(members=10, overrun_fraction=1.0, poll_s=400.0, max_poll_interval_s=300.0))
    0.05

    References
    ----------
    kafka-design
    """
    late = np.asarray(overrun_fraction)
    cycle = (1 - late) * poll_s + late * np.maximum(poll_s, max_poll_interval_s)
    events: Numeric = 2 * members * late / np.maximum(cycle, 1e-280)
    return events


@formula("min(events_per_s * pause_s * moved_fraction, 1)", unit="fraction", source="kafka-4.3-measured")
def stopped_fraction(*, events_per_s: Numeric, pause_s: Numeric, moved_fraction: Numeric) -> Numeric:
    """Share of the consuming time that rebalances take.

    Parameters
    ----------
    events_per_s
        Rebalances of the group [1/s], >= 0.
    pause_s
        How long a partition is not read in one [s], >= 0.
    moved_fraction
        Share of the partitions that are not read meanwhile [fraction], 0 to 1.

    Returns
    -------
    Numeric
        Lost share [fraction].

    Assumptions
    -----------
    Rebalances do not overlap.

    Validity
    --------
    Where the product passes 1 they do, and nothing is read.

    Examples
    --------
    >>> float(stopped_fraction(events_per_s=0.01, pause_s=4.0, moved_fraction=0.25))
    0.01

    References
    ----------
    kafka-4.3-measured
    """
    lost: Numeric = np.minimum(np.asarray(events_per_s) * pause_s * moved_fraction, 1.0)
    return lost


@formula("min(absences_per_s * away_s, 1)", unit="fraction", source="arithmetic")
def absent_fraction(*, absences_per_s: Numeric, away_s: Numeric) -> Numeric:
    """Share of the consuming time in which partitions wait for a member that is away.

    Parameters
    ----------
    absences_per_s
        Absences of one member [1/s], >= 0.
    away_s
        How long its partitions wait for it each time [s], >= 0.

    Returns
    -------
    Numeric
        Lost share [fraction].

    Assumptions
    -----------
    Its partitions are an even share of all.

    Validity
    --------
    Absences that do not overlap.

    Examples
    --------
    >>> float(absent_fraction(absences_per_s=0.001, away_s=50.0))
    0.05

    References
    ----------
    arithmetic
    """
    lost: Numeric = np.minimum(np.asarray(absences_per_s) * away_s, 1.0)
    return lost


@formula("pause_s + min(worst_batch_s, max_poll_interval_s)", unit="s", source="kafka-4.3-source")
def rebalance_s(*, pause_s: Numeric, worst_batch_s: Numeric, max_poll_interval_s: Numeric) -> Numeric:
    """How long a rebalance lasts until the last member has taken part.

    Parameters
    ----------
    pause_s
        Pause when all members poll at once [s], >= 0.
    worst_batch_s
        Time that a member works on a full batch [s], >= 0.
    max_poll_interval_s
        max.poll.interval.ms, which is the rebalance timeout as well [s], > 0.

    Returns
    -------
    Numeric
        Time from the first to the last [s].

    Assumptions
    -----------
    A member joins, or gives partitions back, when it polls next.

    Validity
    --------
    At most: batches are not always full.

    Examples
    --------
    >>> float(rebalance_s(pause_s=1.0, worst_batch_s=20.0, max_poll_interval_s=300.0))
    21.0

    References
    ----------
    kafka-4.3-source
    """
    lasts: Numeric = pause_s + np.minimum(worst_batch_s, max_poll_interval_s)
    return lasts


@formula("min(events_per_s * rebalance_s, 1)", unit="fraction", source="arithmetic")
def rebalancing_fraction(*, events_per_s: Numeric, rebalance_s: Numeric) -> Numeric:
    """Share of the time in which the group rebalances; at 1 the next begins before the last has ended.

    Parameters
    ----------
    events_per_s
        Rebalances of the group [1/s], >= 0.
    rebalance_s
        How long each lasts [s], >= 0.

    Returns
    -------
    Numeric
        Share of the time [fraction].

    Assumptions
    -----------
    Rebalances come one by one and not in bursts.

    Validity
    --------
    A mean over the day: a rolling deployment is denser.

    Examples
    --------
    >>> float(rebalancing_fraction(events_per_s=0.01, rebalance_s=21.0))
    0.21

    References
    ----------
    arithmetic
    """
    busy: Numeric = np.minimum(np.asarray(events_per_s) * rebalance_s, 1.0)
    return busy


@formula("max_poll_interval_s / utilisation_fraction", unit="s", source="arithmetic")
def pause_that_overruns_s(*, max_poll_interval_s: Numeric, utilisation_fraction: Numeric) -> Numeric:
    """Pause after which a member polls more records than it can process within the interval.

    Parameters
    ----------
    max_poll_interval_s
        max.poll.interval.ms [s], > 0.
    utilisation_fraction
        Utilisation of the group [fraction], > 0.

    Returns
    -------
    Numeric
        Pause that starts the overruns [s].

    Assumptions
    -----------
    The lag of the pause comes in one poll, as it does where the interval is shorter than a full batch takes.

    Validity
    --------
    Groups whose full batch takes longer than the interval; others never overrun so.

    Examples
    --------
    >>> float(pause_that_overruns_s(max_poll_interval_s=300.0, utilisation_fraction=0.5))
    600.0

    References
    ----------
    arithmetic
    """
    return max_poll_interval_s / utilisation_fraction


@formula("max(floor(max_poll_interval_s / (batches * record_s) + 1e-9), 1)", unit="count", source="arithmetic")
def poll_records_that_fit(*, max_poll_interval_s: Numeric, record_s: Numeric, batches: Numeric) -> Numeric:
    """Records of a poll so that the interval is several times the worst batch.

    Parameters
    ----------
    max_poll_interval_s
        max.poll.interval.ms [s], > 0.
    record_s
        Time that one record takes [s], > 0.
    batches
        Worst batches that shall fit into the interval [count], >= 1.

    Returns
    -------
    Numeric
        max.poll.records [count].

    Assumptions
    -----------
    Records take the same time each.

    Validity
    --------
    At least one record, even where that takes too long.

    Examples
    --------
    >>> float(poll_records_that_fit(max_poll_interval_s=300.0, record_s=0.5, batches=5))
    120.0

    References
    ----------
    arithmetic
    """
    fits: Numeric = np.maximum(np.floor(np.asarray(max_poll_interval_s) / (batches * record_s) + 1e-9), 1.0)
    return fits
