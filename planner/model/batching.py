"""What larger batches save."""

from __future__ import annotations

import numpy as np

from planner.model.types import Numeric
from planner.trace import formula


@formula("where(before > 0, 1 - after / where(before > 0, before, 1), 0)", unit="fraction", source="arithmetic")
def saved_fraction(*, before: Numeric, after: Numeric) -> Numeric:
    """Share of a load that a change takes away; negative when it adds.

    Parameters
    ----------
    before
        The load before [any], >= 0.
    after
        The load after, in the same unit [any], >= 0.

    Returns
    -------
    Numeric
        Saved share [fraction].

    Assumptions
    -----------
    None.

    Validity
    --------
    0 where there was nothing before.

    Examples
    --------
    >>> float(saved_fraction(before=400.0, after=100.0))
    0.75

    References
    ----------
    arithmetic
    """
    something = np.asarray(before) > 0
    saved: Numeric = np.where(something, 1 - after / np.where(something, before, 1.0), 0.0)
    return saved
