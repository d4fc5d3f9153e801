"""How many partitions a topic needs, and why."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from planner.model.types import Numeric
from planner.trace import formula

_EXACT_TERMS = 1000
_KEPT_COUNT = 3  # counts up to this are not rounded: the next useful one would be far away in proportion
_LARGE_COUNT = 10_000  # beyond this nobody picks a count for its divisors, only for the brokers


def zipf_sum(unique_keys: Numeric, exponent: Numeric) -> Numeric:
    """Sum of k**-exponent for k = 1 .. unique_keys: one over the share of the most frequent of keys with Zipf's law.

    Parameters
    ----------
    unique_keys
        Terms [count], >= 1; below 1 counts as 1.
    exponent
        Zipf's exponent; 0 makes all keys alike [-], >= 0.

    Returns
    -------
    Numeric
        Generalised harmonic number [-].

    Assumptions
    -----------
    None: a sum.

    Validity
    --------
    Added up to 1,000 terms, then by Euler and Maclaurin's formula with a relative error below 1e-12. Parts of a key are
    cut off.

    Examples
    --------
    >>> float(zipf_sum(unique_keys=4, exponent=0))
    4.0
    >>> float(zipf_sum(unique_keys=2, exponent=1))
    1.5

    References
    ----------
    arithmetic
    """
    total: Numeric = np.vectorize(_zipf_sum, otypes=[float])(unique_keys, exponent)
    return total


def _zipf_sum(unique_keys: float, exponent: float) -> float:
    keys = max(int(unique_keys), 1)
    terms = min(keys, _EXACT_TERMS)
    total = float(np.sum(np.arange(1, terms + 1, dtype=float) ** -exponent))
    if keys == terms:
        return total
    low, high = float(terms), float(keys)
    # the integral from low to high of x**-exponent, without cancellation near exponent 1
    rise, span = 1.0 - exponent, math.log(high / low)
    integral = low**rise * (math.expm1(rise * span) / rise if rise else span)
    ends = (high**-exponent - low**-exponent) / 2
    slope = exponent * (low ** (-exponent - 1) - high ** (-exponent - 1)) / 12
    return float(total + integral + ends + slope)


def divisors(number: int) -> list[int]:
    """The numbers that divide `number`: with these member counts every member owns the same number of partitions.

    Parameters
    ----------
    number
        Partitions [count], >= 1.

    Returns
    -------
    list[int]
        Divisors in rising order, 1 and the number itself among them [count].

    Assumptions
    -----------
    None: arithmetic.

    Validity
    --------
    Any; the work grows with the square root of the number.

    Examples
    --------
    >>> divisors(number=12)
    [1, 2, 3, 4, 6, 12]

    References
    ----------
    arithmetic
    """
    small = [k for k in range(1, math.isqrt(number) + 1) if number % k == 0]
    return sorted({*small, *(number // k for k in small)})


def useful_count(raw: float, stretch: float, multiple: int = 1, ceiling: float = math.inf) -> int:
    """The count from `raw` to `raw * stretch` with most divisors, the least of several; a multiple if there is one.

    Parameters
    ----------
    raw
        Partitions needed, not rounded [count], >= 0.
    stretch
        How far rounding may go [ratio], >= 1.
    multiple
        Multiples of this are preferred to all other counts: the brokers, for an even spread [count], >= 1.
    ceiling
        Where rounding stops [count], > 0, may be infinite. What is needed may lie beyond.

    Returns
    -------
    int
        Partitions [count].

    Assumptions
    -----------
    Member counts change, and each that divides the partitions is even. Counts of three and below stay as they are.

    Validity
    --------
    Rounding is a courtesy, not a need: beyond 10,000 only a multiple is looked for. A fraction of 1e-9 above a whole
    number is taken for rounding noise.

    Examples
    --------
    >>> useful_count(raw=10.2, stretch=1.2)
    12
    >>> useful_count(raw=10.2, stretch=1.2, ceiling=11)
    11

    References
    ----------
    assumption
    """
    least = max(1, math.ceil(raw - 1e-9))
    if least <= _KEPT_COUNT:
        return least
    most = max(least, math.floor(min(raw * stretch, ceiling)))
    if least > _LARGE_COUNT:
        rounded = -(-least // multiple) * multiple
        return rounded if rounded <= most else least
    counts = np.arange(least, most + 1)
    ladder = _divisor_counts(least, most)
    even = counts % multiple == 0
    return int(counts[np.argmax(np.where(even, ladder, 0) if even.any() else ladder)])


def _divisor_counts(least: int, most: int) -> npt.NDArray[np.intp]:
    """How many divisors each number from `least` to `most` has: each pair of divisors is met at the smaller one."""
    found = np.zeros(most - least + 1, dtype=np.intp)
    for small in range(1, math.isqrt(most) + 1):
        begin = max(-(-least // small), small) * small - least
        found[begin::small] += 2
        square = small * small - least
        if square >= 0:
            found[square] -= 1
    return found


def wasted_fraction(partitions: int, members: int) -> float:
    """Share of a group's capacity that stands idle because partitions do not divide evenly over its members.

    Parameters
    ----------
    partitions
        Partitions of the topic [count], >= 1.
    members
        Members of the group; without any nothing is wasted [count], >= 0.

    Returns
    -------
    float
        Idle share of what the members can do while the fullest is busy [fraction].

    Assumptions
    -----------
    Partitions carry alike, and the assignor spreads them as evenly as can be.

    Validity
    --------
    Classic and KIP-848 groups; share groups are not bound by partitions.

    Examples
    --------
    >>> wasted_fraction(partitions=6, members=4)
    0.25

    References
    ----------
    arithmetic
    """
    if members < 1:
        return 0.0
    return 1 - partitions / (members * math.ceil(partitions / members))


@formula(
    "peak_bytes_per_s / partition_bytes_per_s",
    unit="count",
    source="rao-partitions",
)
def partitions_for_produce(*, peak_bytes_per_s: Numeric, partition_bytes_per_s: Numeric) -> Numeric:
    """Partitions so that none takes more produce traffic than one partition carries.

    Parameters
    ----------
    peak_bytes_per_s
        Produce traffic of the topic at peak [bytes/s], >= 0.
    partition_bytes_per_s
        What one partition takes from producers, measured [bytes/s], > 0.

    Returns
    -------
    Numeric
        Partitions, not rounded [count].

    Assumptions
    -----------
    Traffic is even over the partitions; skew has its own reason.

    Validity
    --------
    The per-partition rate depends on batches, acks and hardware: measure it.

    Examples
    --------
    >>> partitions_for_produce(peak_bytes_per_s=73.0, partition_bytes_per_s=10.0)
    7.3

    References
    ----------
    rao-partitions
    """
    return peak_bytes_per_s / partition_bytes_per_s


@formula(
    "max(peak_bytes_per_s / partition_bytes_per_s, peak_records_per_s / member_records_per_s)",
    unit="count",
    source="rao-partitions",
)
def partitions_for_consume(
    *,
    peak_bytes_per_s: Numeric,
    partition_bytes_per_s: Numeric,
    peak_records_per_s: Numeric,
    member_records_per_s: Numeric,
) -> Numeric:
    """Partitions so that the slowest consumer group keeps up: one partition is read by one member of the group.

    Parameters
    ----------
    peak_bytes_per_s
        Bytes of the topic that the group reads at peak [bytes/s], >= 0.
    partition_bytes_per_s
        What one member reads from one partition [bytes/s], > 0.
    peak_records_per_s
        Records that the group reads at peak [1/s], >= 0.
    member_records_per_s
        What one member processes; infinite when not given [1/s], > 0.

    Returns
    -------
    Numeric
        Partitions, not rounded [count].

    Assumptions
    -----------
    A member has one thread per partition it owns at most.

    Validity
    --------
    Classic and KIP-848 groups; share groups are not bound by partitions.

    Examples
    --------
    >>> float(
    ...     partitions_for_consume(
    ...         peak_bytes_per_s=80.0,
    ...         partition_bytes_per_s=20.0,
    ...         peak_records_per_s=9000.0,
    ...         member_records_per_s=1500.0,
    ...     )
    ... )
    6.0

    References
    ----------
    rao-partitions
    """
    return np.maximum(
        peak_bytes_per_s / partition_bytes_per_s,
        peak_records_per_s / member_records_per_s,
    )


@formula(
    "peak_records_per_s * processing_time_s",
    unit="count",
    source="little-law",
)
def partitions_for_processing(*, peak_records_per_s: Numeric, processing_time_s: Numeric) -> Numeric:
    """Records in work at one time (Little's law); each occupies the partition that it came from.

    Parameters
    ----------
    peak_records_per_s
        Records that the group reads at peak [1/s], >= 0.
    processing_time_s
        Time that a record keeps its partition from the next one: that of processing it, over the records of a partition
        that a share group may have in work at once [s], >= 0.

    Returns
    -------
    Numeric
        Partitions, not rounded [count].

    Assumptions
    -----------
    Records of a partition are processed one after another; in a share group as many at once as it locks.

    Validity
    --------
    Steady state.

    Examples
    --------
    >>> partitions_for_processing(peak_records_per_s=400, processing_time_s=0.25)
    100.0

    References
    ----------
    little-law
    """
    return peak_records_per_s * processing_time_s


@formula(
    "ceil(members * partition_headroom - 1e-9)",
    unit="count",
    source="chapter",
)
def partitions_for_parallelism(*, members: Numeric, partition_headroom: Numeric) -> Numeric:
    """Partitions so that the largest group can grow by the headroom before members stand idle.

    Parameters
    ----------
    members
        Largest member count planned for one group [count], >= 0.
    partition_headroom
        Partitions per member [ratio], >= 1.

    Returns
    -------
    Numeric
        Partitions, rounded up [count].

    Assumptions
    -----------
    One member per partition at most.

    Validity
    --------
    Classic and KIP-848 groups.

    Examples
    --------
    >>> float(partitions_for_parallelism(members=50, partition_headroom=1.5))
    75.0

    References
    ----------
    chapter
    """
    return np.ceil(members * partition_headroom - 1e-9)


@formula(
    "min(top_key_fraction + (1 - top_key_fraction) / partitions + crowding_fraction, 1)",
    unit="fraction",
    source="arithmetic",
)
def hottest_partition_fraction(
    *, top_key_fraction: Numeric, partitions: Numeric, crowding_fraction: Numeric
) -> Numeric:
    """Share of the topic that its hottest partition carries: the hottest key, an even share of the rest, and crowding.

    Parameters
    ----------
    top_key_fraction
        Share of records that carry the most frequent key; 0 without keys [fraction], 0 to 1.
    partitions
        Partitions of the topic [count], >= 1.
    crowding_fraction
        What other frequent keys that meet on one partition add, as `planner.model.skew` expects it [fraction], 0 to 1.

    Returns
    -------
    Numeric
        Expected share of the busiest partition [fraction].

    Assumptions
    -----------
    The hash spreads keys at random.

    Validity
    --------
    An expectation over possible hashes; the keys themselves give the share exactly.

    Examples
    --------
    >>> float(hottest_partition_fraction(top_key_fraction=0.5, partitions=4, crowding_fraction=0.125))
    0.75

    References
    ----------
    arithmetic
    """
    share: Numeric = np.minimum(top_key_fraction + (1 - top_key_fraction) / partitions + crowding_fraction, 1.0)
    return share


@formula(
    "where(partition_fraction > top_key_fraction,"
    " (1 - top_key_fraction) / max(partition_fraction - top_key_fraction, 1e-12), 0)",
    unit="count",
    source="arithmetic",
)
def partitions_for_hot_key(*, top_key_fraction: Numeric, partition_fraction: Numeric) -> Numeric:
    """Partitions so that the partition of the hottest key still fits what one partition carries.

    Parameters
    ----------
    top_key_fraction
        Share of records that carry the most frequent key [fraction], 0 to 1.
    partition_fraction
        Share of the topic that one partition carries at most [fraction], > 0.

    Returns
    -------
    Numeric
        Partitions, not rounded; 0 when no count helps [count].

    Assumptions
    -----------
    A key stays on one partition.

    Validity
    --------
    0 says that the key alone exceeds a partition: more partitions do not help.

    Examples
    --------
    >>> float(partitions_for_hot_key(top_key_fraction=0.25, partition_fraction=0.5))
    3.0

    References
    ----------
    arithmetic
    """
    room = np.maximum(partition_fraction - top_key_fraction, 1e-12)
    return np.where(partition_fraction > top_key_fraction, (1 - top_key_fraction) / room, 0.0)


@formula(
    "1 / zipf_sum(unique_keys, zipf_exponent)",
    unit="fraction",
    source="arithmetic",
)
def zipf_top_fraction(*, unique_keys: Numeric, zipf_exponent: Numeric) -> Numeric:
    """Share of records that carry the most frequent of keys with Zipf frequencies.

    Parameters
    ----------
    unique_keys
        Distinct keys [count], >= 1.
    zipf_exponent
        Exponent of the distribution [ratio], >= 0.

    Returns
    -------
    Numeric
        Share of the most frequent key [fraction].

    Assumptions
    -----------
    The k-th key is as frequent as 1 / k**exponent.

    Validity
    --------
    Any number of keys; the sum is exact to 1,000 terms and by Euler-Maclaurin beyond.

    Examples
    --------
    >>> float(zipf_top_fraction(unique_keys=4, zipf_exponent=0))
    0.25

    References
    ----------
    arithmetic
    """
    return 1 / zipf_sum(unique_keys, zipf_exponent)


@formula(
    "where(topic_share * brokers > broker_share_min, brokers, 0)",
    unit="count",
    source="assumption",
)
def partitions_for_spread(*, topic_share: Numeric, brokers: Numeric, broker_share_min: Numeric) -> Numeric:
    """At least one partition per broker for a topic large enough to unbalance the cluster.

    Parameters
    ----------
    topic_share
        Share of the cluster's bytes that belongs to the topic [fraction], 0 to 1.
    brokers
        Brokers in the cluster [count], >= 1.
    broker_share_min
        Share of one broker's mean load above which a topic must spread [fraction], 0 to 1.

    Returns
    -------
    Numeric
        Partitions; 0 where the topic is too small to matter [count].

    Assumptions
    -----------
    Small topics even out among themselves.

    Validity
    --------
    Advice on balance, not a limit.

    Examples
    --------
    >>> float(partitions_for_spread(topic_share=0.5, brokers=6, broker_share_min=0.25))
    6.0

    References
    ----------
    assumption
    """
    return np.where(topic_share * brokers > broker_share_min, brokers, 0.0)


@formula(
    "max(max(produce_count, consume_count), processing_count) * growth_factor",
    unit="count",
    source="assumption",
)
def partitions_for_growth(
    *, produce_count: Numeric, consume_count: Numeric, processing_count: Numeric, growth_factor: Numeric
) -> Numeric:
    """Partitions that the load will need when the horizon is reached: adding them then would remap keys.

    Parameters
    ----------
    produce_count
        Partitions that produce asks for today [count], >= 0.
    consume_count
        Partitions that consume asks for today [count], >= 0.
    processing_count
        Partitions that processing asks for today [count], >= 0.
    growth_factor
        Load at the horizon over load today [ratio], > 0.

    Returns
    -------
    Numeric
        Partitions, not rounded [count].

    Assumptions
    -----------
    All three grow with the load.

    Validity
    --------
    As good as the growth rate.

    Examples
    --------
    >>> float(partitions_for_growth(produce_count=4.0, consume_count=10.0, processing_count=0.0, growth_factor=1.5))
    15.0

    References
    ----------
    assumption
    """
    return np.maximum(np.maximum(produce_count, consume_count), processing_count) * growth_factor


@formula(
    "max(max(max(max(max(max(produce_count, consume_count), parallelism_count), processing_count),"
    " growth_count), hot_key_count), spread_count)",
    unit="count",
    source="rao-partitions",
)
def partitions_needed(
    *,
    produce_count: Numeric,
    consume_count: Numeric,
    parallelism_count: Numeric,
    processing_count: Numeric,
    growth_count: Numeric,
    hot_key_count: Numeric,
    spread_count: Numeric,
) -> Numeric:
    """The largest of the named reasons for a partition count.

    Parameters
    ----------
    produce_count
        Partitions that produce asks for [count], >= 0.
    consume_count
        Partitions that consume asks for [count], >= 0.
    parallelism_count
        Partitions that parallelism asks for [count], >= 0.
    processing_count
        Partitions that processing asks for [count], >= 0.
    growth_count
        Partitions that growth asks for [count], >= 0.
    hot_key_count
        Partitions that hot key asks for [count], >= 0.
    spread_count
        Partitions that spread asks for [count], >= 0.

    Returns
    -------
    Numeric
        Partitions, not rounded [count].

    Assumptions
    -----------
    Reasons do not add up: one partition serves all.

    Validity
    --------
    Before rounding up to a useful count.

    Examples
    --------
    >>> float(
    ...     partitions_needed(
    ...         produce_count=3.0,
    ...         consume_count=2.0,
    ...         parallelism_count=9.0,
    ...         processing_count=0.0,
    ...         growth_count=0.0,
    ...         hot_key_count=0.0,
    ...         spread_count=6.0,
    ...     )
    ... )
    9.0

    References
    ----------
    rao-partitions
    """
    rest = np.maximum(np.maximum(parallelism_count, processing_count), np.maximum(growth_count, hot_key_count))
    return np.maximum(np.maximum(np.maximum(produce_count, consume_count), rest), spread_count)
