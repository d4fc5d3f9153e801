"""A copy in another region: what waits when the link is narrow or away, and how old the copy is."""

from __future__ import annotations

import numpy as np

from planner.model.types import Numeric
from planner.trace import formula


@formula(
    "max(arriving_bytes_per_s - link_bytes_per_s, 0) * duration_s",
    unit="bytes",
    source="arithmetic",
)
def link_backlog_bytes(*, arriving_bytes_per_s: Numeric, link_bytes_per_s: Numeric, duration_s: Numeric) -> Numeric:
    """Bytes that wait for the link at the end of a time in which more arrives than it carries.

    Parameters
    ----------
    arriving_bytes_per_s
        Bytes to be copied [bytes/s], >= 0.
    link_bytes_per_s
        What the link carries meanwhile; 0 while it is away [bytes/s], >= 0.
    duration_s
        How long that lasts [s], >= 0.

    Returns
    -------
    Numeric
        Bytes waiting [bytes].

    Assumptions
    -----------
    Nothing waited before; both rates are steady.

    Validity
    --------
    While nothing that waits is deleted by retention.

    Examples
    --------
    >>> float(link_backlog_bytes(arriving_bytes_per_s=30.0, link_bytes_per_s=20.0, duration_s=60.0))
    600.0

    References
    ----------
    arithmetic
    """
    waiting: Numeric = np.maximum(np.asarray(arriving_bytes_per_s) - link_bytes_per_s, 0.0) * duration_s
    return waiting


@formula(
    "waiting_bytes / max(link_bytes_per_s - arriving_bytes_per_s, 1e-100)",
    unit="s",
    source="arithmetic",
)
def caught_up_s(*, waiting_bytes: Numeric, link_bytes_per_s: Numeric, arriving_bytes_per_s: Numeric) -> Numeric:
    """Seconds until what waits for the link is copied, while more arrives.

    Parameters
    ----------
    waiting_bytes
        Bytes that wait [bytes], >= 0.
    link_bytes_per_s
        What the link carries [bytes/s], > 0.
    arriving_bytes_per_s
        Bytes that arrive meanwhile [bytes/s], >= 0.

    Returns
    -------
    Numeric
        Time until the copy is current; beyond any horizon when the link carries no more than arrives [s].

    Assumptions
    -----------
    Both rates are steady.

    Validity
    --------
    The copier is limited by the link, not by its tasks.

    Examples
    --------
    >>> float(caught_up_s(waiting_bytes=600.0, link_bytes_per_s=20.0, arriving_bytes_per_s=10.0))
    60.0

    References
    ----------
    arithmetic
    """
    spare = np.maximum(np.asarray(link_bytes_per_s) - arriving_bytes_per_s, 1e-100)
    seconds: Numeric = waiting_bytes / spare
    return seconds


@formula(
    "waiting_bytes / link_bytes_per_s + copy_delay_s",
    unit="s",
    source="arithmetic",
)
def copy_age_s(*, waiting_bytes: Numeric, link_bytes_per_s: Numeric, copy_delay_s: Numeric) -> Numeric:
    """How old the newest record of the copy is at worst: what a loss of the first region loses (RPO).

    Parameters
    ----------
    waiting_bytes
        Bytes that wait for the link [bytes], >= 0.
    link_bytes_per_s
        What the link carries [bytes/s], > 0.
    copy_delay_s
        From a record's arrival until it is copied, on a link with room [s], >= 0.

    Returns
    -------
    Numeric
        Age of the copy [s].

    Assumptions
    -----------
    What waits is copied in the order of arrival.

    Validity
    --------
    While the link is there; while it is away the age is the time that it is away.

    Examples
    --------
    >>> float(copy_age_s(waiting_bytes=600.0, link_bytes_per_s=20.0, copy_delay_s=1.0))
    31.0

    References
    ----------
    arithmetic
    """
    return waiting_bytes / link_bytes_per_s + copy_delay_s
