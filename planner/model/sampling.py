"""From ranges to values: quantiles of the distributions that a range stands for, and what a choice is regretted for."""

from __future__ import annotations

import numpy as np

from planner.model.types import Array, Numeric
from planner.trace import formula

_NORMAL_95 = 1.6448536269514722  # the 95 % quantile of a standard normal


def pert_quantile(*, probability_fraction: Numeric, low: Numeric, likely: Numeric, high: Numeric) -> Numeric:
    """Quantile of the PERT distribution: a beta between low and high whose mode is the likely value.

    Parameters
    ----------
    probability_fraction
        Share of the worlds below the value [fraction], 0 to 1.
    low
        Least value [-], any.
    likely
        Most likely value [-], from low to high.
    high
        Greatest value [-], above low.

    Returns
    -------
    Numeric
        The value [-].

    Assumptions
    -----------
    Weight 4 on the mode, the usual choice: the mean is (low + 4 likely + high) / 6.

    Validity
    --------
    low < high.

    Examples
    --------
    >>> round(float(pert_quantile(probability_fraction=0.5, low=0.0, likely=5.0, high=10.0)), 9)
    5.0

    References
    ----------
    pert
    """
    from scipy.special import betaincinv

    span = np.asarray(high, dtype=float) - low
    rise = 1 + 4 * (np.asarray(likely) - low) / span
    fall = 1 + 4 * (np.asarray(high) - likely) / span
    value: Numeric = low + span * betaincinv(rise, fall, probability_fraction)
    return value


def lognormal_quantile(*, probability_fraction: Numeric, low: Numeric, likely: Numeric, high: Numeric) -> Numeric:
    """Quantile of the lognormal distribution with 5 % below low and 5 % above high.

    Parameters
    ----------
    probability_fraction
        Share of the worlds below the value [fraction], 0 to 1, ends excluded.
    low
        Value that 5 % of the worlds fall below [-], > 0.
    likely
        Not used: two quantiles fix the distribution [-], from low to high.
    high
        Value that 5 % of the worlds exceed [-], above low.

    Returns
    -------
    Numeric
        The value [-].

    Assumptions
    -----------
    Being off by a factor either way is alike; the median is the geometric mean of low and high.

    Validity
    --------
    Positive quantities without an upper bound.

    Examples
    --------
    >>> round(float(lognormal_quantile(probability_fraction=0.5, low=1.0, likely=5.0, high=100.0)), 9)
    10.0

    References
    ----------
    arithmetic
    """
    from scipy.special import ndtri

    del likely
    middle = (np.log(low) + np.log(high)) / 2
    spread = (np.log(high) - np.log(low)) / (2 * _NORMAL_95)
    value: Numeric = np.exp(middle + spread * ndtri(probability_fraction))
    return value


@formula(
    "sum(max(chosen - needed, 0) + shortage_weight * max(needed - chosen, 0)) / sum(needed > 0)",
    unit="count",
    source="assumption",
)
def expected_regret(*, chosen: Numeric, needed: Array, shortage_weight: Numeric) -> Numeric:
    """Mean regret of a broker count: brokers too many, and missing brokers at a weight.

    Parameters
    ----------
    chosen
        Brokers chosen [count], >= 1.
    needed
        Brokers that each world needs, at least one world [count], >= 1.
    shortage_weight
        What a missing broker is worth in brokers too many [ratio], >= 1.

    Returns
    -------
    Numeric
        Regret in brokers [count].

    Assumptions
    -----------
    A shortage is as bad as its size; worlds are equally likely.

    Validity
    --------
    Comparing counts. The weight is a judgement: 1 gives the median, larger ones a higher quantile.

    Examples
    --------
    >>> float(expected_regret(chosen=6.0, needed=np.array([3.0, 9.0]), shortage_weight=3.0))
    6.0

    References
    ----------
    assumption
    """
    over = np.maximum(chosen - needed, 0.0)
    short = np.maximum(needed - chosen, 0.0)
    regret: Numeric = np.sum(over + shortage_weight * short) / np.sum(needed > 0)
    return regret
