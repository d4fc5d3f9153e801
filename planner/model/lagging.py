"""Lag: how many records a partition keeps for a reader that is behind."""

from __future__ import annotations

import numpy as np

from planner.model.types import Numeric
from planner.trace import formula


@formula("min(records_per_s * retention_s, limit_records)", unit="count", source="arithmetic")
def retained_records(*, records_per_s: Numeric, retention_s: Numeric, limit_records: Numeric) -> Numeric:
    """Records of a partition between the oldest kept and the newest: the largest lag without loss.

    Parameters
    ----------
    records_per_s
        Average rate into the partition [1/s], >= 0.
    retention_s
        retention.ms [s], > 0.
    limit_records
        retention.bytes over the bytes of a record; infinite without a limit [count], >= 0.

    Returns
    -------
    Numeric
        Records kept at least [count].

    Assumptions
    -----------
    The rate is steady over the retention.

    Validity
    --------
    A lower bound: whole segments are deleted, so up to a segment more is kept.

    Examples
    --------
    >>> float(retained_records(records_per_s=5.0, retention_s=100, limit_records=400.0))
    400.0

    References
    ----------
    arithmetic
    """
    kept: Numeric = np.minimum(records_per_s * retention_s, limit_records)
    return kept
