"""How a load grows: a trend through daily figures, and when a load is reached."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planner.model.types import Array, Numeric
from planner.trace import formula

_CONFIDENCE = 0.95


@formula(
    "log(max(load_factor, 1)) / max(log(1 + max(growth_per_year, 0)), 1e-300) * 31536000",
    unit="s",
    source="arithmetic",
)
def time_until_s(*, load_factor: Numeric, growth_per_year: Numeric) -> Numeric:
    """Seconds until a load that grows by a constant share a year is so many times today's.

    Parameters
    ----------
    load_factor
        Load to be reached over today's load [ratio], > 0.
    growth_per_year
        Growth of the load in a year [fraction], > -1.

    Returns
    -------
    Numeric
        Time until then; 0 when it is reached already, beyond any horizon when the load does not grow [s].

    Assumptions
    -----------
    Compound growth; a year is 365 days.

    Validity
    --------
    As good as the growth rate; its interval gives the interval of the date.

    Examples
    --------
    >>> float(time_until_s(load_factor=4.0, growth_per_year=1.0)) / 31_536_000
    2.0
    >>> float(time_until_s(load_factor=0.5, growth_per_year=0.0))
    0.0

    References
    ----------
    arithmetic
    """
    rise = np.log(1 + np.maximum(growth_per_year, 0.0))
    reached: Numeric = np.log(np.maximum(load_factor, 1.0)) / np.maximum(rise, 1e-300) * 31_536_000
    return reached


@formula("exp(365 * log_slope_per_day) - 1", unit="fraction", source="arithmetic")
def growth_per_year_of_slope(*, log_slope_per_day: Numeric) -> Numeric:
    """Growth in a year of a load whose logarithm rises by so much a day.

    Parameters
    ----------
    log_slope_per_day
        Rise of the natural logarithm of the load [1/day], any.

    Returns
    -------
    Numeric
        Growth in a year [fraction].

    Assumptions
    -----------
    Compound growth; a year is 365 days.

    Validity
    --------
    Any.

    Examples
    --------
    >>> round(float(growth_per_year_of_slope(log_slope_per_day=0.6931471805599453 / 365)), 9)
    1.0

    References
    ----------
    arithmetic
    """
    yearly: Numeric = np.exp(365 * np.asarray(log_slope_per_day)) - 1
    return yearly


@dataclass(frozen=True, slots=True)
class Trend:
    """Growth through daily figures, with its interval, and how far the peak day stands above it."""

    growth_per_year: float
    growth_per_year_low: float
    growth_per_year_high: float
    peak_day_ratio: float


def trend(days: Array, daily_bytes: Array) -> Trend:
    """Growth a year through daily figures, with a 95 % interval, and the peak day over the trend.

    Parameters
    ----------
    days
        Day numbers, rising, gaps allowed; at least three [count].
    daily_bytes
        Bytes of each day [bytes], > 0.

    Returns
    -------
    Trend
        Growth in a year with its interval [fraction], and the largest day over the trend of its day [ratio].

    Assumptions
    -----------
    Compound growth. The slope is the median of the slopes between all pairs of days (Theil and Sen), so single peaks
    and outages do not bend it; the interval is Sen's, for days that are independent.

    Validity
    --------
    Whole weeks where weekdays differ. Days that depend on each other make the interval too narrow.

    Examples
    --------
    >>> found = trend(days=np.arange(4.0), daily_bytes=np.array([100.0, 100.0, 100.0, 100.0]))
    >>> found.growth_per_year, found.peak_day_ratio
    (0.0, 1.0)

    References
    ----------
    theil-sen
    """
    from scipy.stats import theilslopes  # heavy: only for those who bring a history

    logs = np.log(daily_bytes)
    slope, _, low, high = theilslopes(logs, days, alpha=_CONFIDENCE)
    level = np.median(logs - slope * days)
    ratio = float(np.exp(np.max(logs - slope * days - level)))
    middle, least, most = (float(growth_per_year_of_slope(log_slope_per_day=value)) for value in (slope, low, high))
    return Trend(middle, least, most, ratio)
