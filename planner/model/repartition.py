"""What a change of a topic's partition count does to its keys, and what it costs."""

from __future__ import annotations

import numpy as np

from planner.model.partitions import zipf_sum
from planner.model.types import Numeric
from planner.trace import formula


@formula(
    "1 - gcd(partitions_before, partitions_after) / max(partitions_before, partitions_after)",
    unit="fraction",
    source="kafka-4.3-source",
)
def moved_key_fraction(*, partitions_before: Numeric, partitions_after: Numeric) -> Numeric:
    """Share of keys whose partition is another one after the change.

    Parameters
    ----------
    partitions_before
        Partitions of the topic now [count], whole, >= 1.
    partitions_after
        Partitions afterwards [count], whole, >= 1.

    Returns
    -------
    Numeric
        Share of the keys that move [fraction].

    Assumptions
    -----------
    A key goes to hash modulo partitions, as Kafka's default partitioner does, and hashes are even over the least common
    multiple of both counts: of its residues gcd/max agree in both counts.

    Validity
    --------
    Within lcm / 2**31 of the truth for a 31-bit hash. Not for partitioners of one's own.

    Examples
    --------
    >>> float(moved_key_fraction(partitions_before=6, partitions_after=12))
    0.5

    References
    ----------
    kafka-4.3-source, kafka-4.3-measured
    """
    before, after = np.asarray(partitions_before).astype(np.int64), np.asarray(partitions_after).astype(np.int64)
    return 1 - np.gcd(before, after) / np.maximum(before, after)


@formula(
    "zipf_sum(unique_keys, 2 * zipf_exponent) / zipf_sum(unique_keys, zipf_exponent) ** 2",
    unit="fraction",
    source="arithmetic",
)
def zipf_concentration_fraction(*, unique_keys: Numeric, zipf_exponent: Numeric) -> Numeric:
    """Chance that two records carry the same key, for keys with Zipf frequencies.

    Parameters
    ----------
    unique_keys
        Distinct keys [count], >= 1.
    zipf_exponent
        Exponent of the distribution [ratio], >= 0.

    Returns
    -------
    Numeric
        Sum of the squared shares of the keys [fraction].

    Assumptions
    -----------
    The k-th key is as frequent as 1 / k**exponent.

    Validity
    --------
    Any number of keys.

    Examples
    --------
    >>> float(zipf_concentration_fraction(unique_keys=4, zipf_exponent=0))
    0.25

    References
    ----------
    arithmetic
    """
    squares: Numeric = zipf_sum(unique_keys, 2 * np.asarray(zipf_exponent)) / zipf_sum(unique_keys, zipf_exponent) ** 2
    return squares


@formula(
    "top_key_fraction ** 2 + (1 - top_key_fraction) ** 2 / max(unique_keys - 1, 1)",
    unit="fraction",
    source="arithmetic",
)
def top_key_concentration_fraction(*, top_key_fraction: Numeric, unique_keys: Numeric) -> Numeric:
    """Chance that two records carry the same key, when one key stands out and the others are alike.

    Parameters
    ----------
    top_key_fraction
        Share of the records with the most frequent key [fraction], 0 to 1.
    unique_keys
        Distinct keys [count], >= 1.

    Returns
    -------
    Numeric
        Sum of the squared shares of the keys [fraction].

    Assumptions
    -----------
    The keys beside the most frequent one are equally frequent.

    Validity
    --------
    A lower bound where the others differ.

    Examples
    --------
    >>> float(top_key_concentration_fraction(top_key_fraction=0.5, unique_keys=2))
    0.5

    References
    ----------
    arithmetic
    """
    others = np.square(1 - np.asarray(top_key_fraction)) / np.maximum(np.asarray(unique_keys) - 1, 1)
    squares: Numeric = np.square(top_key_fraction) + others
    return squares


@formula(
    "sqrt(moved_key_fraction * (1 - moved_key_fraction) * key_concentration_fraction)",
    unit="fraction",
    source="arithmetic",
)
def moved_record_deviation_fraction(*, moved_key_fraction: Numeric, key_concentration_fraction: Numeric) -> Numeric:
    """Standard deviation of the share of records that move; its mean is the share of keys that move.

    Parameters
    ----------
    moved_key_fraction
        Share of the keys that move [fraction], 0 to 1.
    key_concentration_fraction
        Sum of the squared shares of the keys [fraction], 0 to 1.

    Returns
    -------
    Numeric
        Standard deviation [fraction].

    Assumptions
    -----------
    Each key moves or stays by its hash, which does not know how frequent it is.

    Validity
    --------
    Near normal with many keys; with one dominant key the share is either with or without it.

    Examples
    --------
    >>> float(moved_record_deviation_fraction(moved_key_fraction=0.5, key_concentration_fraction=0.04))
    0.1

    References
    ----------
    arithmetic
    """
    chance = np.asarray(moved_key_fraction)
    deviation: Numeric = np.sqrt(chance * (1 - chance) * key_concentration_fraction)
    return deviation


@formula(
    "where(waiting_records > 0, waiting_records / max(capacity_records_per_s - records_per_s, 0), 0)",
    unit="s",
    source="little-law",
)
def read_out_s(*, waiting_records: Numeric, capacity_records_per_s: Numeric, records_per_s: Numeric) -> Numeric:
    """Seconds until a consumer group has read what was waiting.

    Parameters
    ----------
    waiting_records
        Records that the group has not read [count], >= 0.
    capacity_records_per_s
        Records that the group can process [1/s], >= 0.
    records_per_s
        Records that arrive meanwhile; 0 while producers are stopped [1/s], >= 0.

    Returns
    -------
    Numeric
        Time until the group is at the end; infinite when it is not faster than what arrives [s].

    Assumptions
    -----------
    The group works at its capacity, evenly over the partitions.

    Validity
    --------
    Rates that stay as they are.

    Examples
    --------
    >>> float(read_out_s(waiting_records=600.0, capacity_records_per_s=30.0, records_per_s=10.0))
    30.0

    References
    ----------
    little-law
    """
    spare = np.maximum(np.asarray(capacity_records_per_s, float) - records_per_s, 0.0)
    waiting, spare = np.broadcast_arrays(np.asarray(waiting_records, float), spare)
    moving, stuck = waiting > 0, spare <= 0
    duration = np.divide(waiting, spare, out=np.zeros(waiting.shape), where=moving & ~stuck)
    return np.where(moving & stuck, np.inf, duration)


@formula(
    "partitions / ceil(partitions / members) * member_records_per_s",
    unit="1/s",
    source="arithmetic",
)
def group_capacity_records_per_s(*, partitions: Numeric, members: Numeric, member_records_per_s: Numeric) -> Numeric:
    """Records per second of a group when partitions are evenly loaded: the member with most partitions ends last.

    Parameters
    ----------
    partitions
        Partitions of the topic [count], >= 1.
    members
        Members of the group [count], >= 1.
    member_records_per_s
        Records that one member processes [1/s], >= 0.

    Returns
    -------
    Numeric
        Records that the group processes [1/s].

    Assumptions
    -----------
    Members share the partitions as evenly as whole partitions allow; a partition has one member.

    Validity
    --------
    Classic and consumer groups, not share groups.

    Examples
    --------
    >>> float(group_capacity_records_per_s(partitions=6, members=4, member_records_per_s=100.0))
    300.0

    References
    ----------
    arithmetic
    """
    most = np.ceil(np.asarray(partitions) / np.asarray(members))
    capacity: Numeric = np.asarray(partitions) / most * member_records_per_s
    return capacity


@formula(
    "max(limit_fraction - utilisation_fraction, 0) / utilisation_per_byte_per_s",
    unit="bytes/s",
    source="arithmetic",
)
def spare_copy_bytes_per_s(
    *, limit_fraction: Numeric, utilisation_fraction: Numeric, utilisation_per_byte_per_s: Numeric
) -> Numeric:
    """Bytes per second that may be copied into a new topic before a resource of the fullest broker is at its limit.

    Parameters
    ----------
    limit_fraction
        How much of the resource may be used [fraction], > 0.
    utilisation_fraction
        How much of it the live traffic uses [fraction], >= 0.
    utilisation_per_byte_per_s
        What one byte a second of copying adds, its read, its write and its replication included [s/byte], > 0.

    Returns
    -------
    Numeric
        Rate of the copy, each byte counted once [bytes/s].

    Assumptions
    -----------
    The copy is spread evenly over the brokers.

    Validity
    --------
    Resources that are used in proportion to the bytes: network and disk.

    Examples
    --------
    >>> float(
    ...     spare_copy_bytes_per_s(limit_fraction=0.75, utilisation_fraction=0.5, utilisation_per_byte_per_s=0.0625)
    ... )
    4.0

    References
    ----------
    arithmetic
    """
    rate: Numeric = np.maximum(limit_fraction - np.asarray(utilisation_fraction), 0.0) / utilisation_per_byte_per_s
    return rate


@formula("one_copy_bytes * replication_factor", unit="bytes", source="arithmetic")
def copied_bytes(*, one_copy_bytes: Numeric, replication_factor: Numeric) -> Numeric:
    """Bytes written when a topic is copied into another one.

    Parameters
    ----------
    one_copy_bytes
        Bytes that the copier sends, what was written meanwhile included [bytes], >= 0.
    replication_factor
        Replicas of the new topic [count], >= 1.

    Returns
    -------
    Numeric
        Bytes written by all brokers [bytes].

    Assumptions
    -----------
    The new topic has the same compression and batches as the old one.

    Validity
    --------
    Always; the index files come on top.

    Examples
    --------
    >>> copied_bytes(one_copy_bytes=100, replication_factor=3)
    300

    References
    ----------
    arithmetic
    """
    return one_copy_bytes * replication_factor


@formula(
    "people_hours * hourly_rate + brokers_added * price_per_month * max(duration_s, month_s) / month_s",
    unit="money",
    source="arithmetic",
)
def route_cost(
    *,
    people_hours: Numeric,
    hourly_rate: Numeric,
    brokers_added: Numeric,
    price_per_month: Numeric,
    duration_s: Numeric,
    month_s: Numeric,
) -> Numeric:
    """What a repartitioning costs: hours of people, and brokers rented for as long as it takes.

    Parameters
    ----------
    people_hours
        Hours of work [h], >= 0.
    hourly_rate
        Cost of an hour [money], >= 0.
    brokers_added
        Brokers that are needed only meanwhile [count], >= 0.
    price_per_month
        Price of a broker [money], >= 0.
    duration_s
        How long both topics exist [s], >= 0.
    month_s
        Seconds of a month [s], > 0.

    Returns
    -------
    Numeric
        Cost in the currency of the prices [money].

    Assumptions
    -----------
    Added brokers are paid for a month at least: they have to be filled and emptied again.

    Validity
    --------
    Lost business during a downtime is not in it.

    Examples
    --------
    >>> float(
    ...     route_cost(
    ...         people_hours=10, hourly_rate=90, brokers_added=3, price_per_month=500, duration_s=10, month_s=100
    ...     )
    ... )
    2400.0

    References
    ----------
    arithmetic
    """
    months = np.maximum(duration_s, month_s) / month_s
    return people_hours * hourly_rate + brokers_added * price_per_month * months


@formula(
    "min(provision_per_year * horizon_years / max(repartition_cost, 1e-9), 1)",
    unit="fraction",
    source="arithmetic",
)
def break_even_fraction(*, provision_per_year: Numeric, horizon_years: Numeric, repartition_cost: Numeric) -> Numeric:
    """Chance of needing the partitions above which having them now is cheaper than adding them later.

    Parameters
    ----------
    provision_per_year
        Yearly price of having them now [money], >= 0.
    horizon_years
        Years within which they may be needed [year], > 0.
    repartition_cost
        Cost of the change later [money], > 0.

    Returns
    -------
    Numeric
        Break-even chance; 0 = having them costs nothing, 1 = adding them later is cheaper even if certain [fraction].

    Assumptions
    -----------
    The price is paid for the whole horizon, the change once, at its end.

    Validity
    --------
    Without interest.

    Examples
    --------
    >>> float(break_even_fraction(provision_per_year=1000, horizon_years=2, repartition_cost=8000))
    0.25

    References
    ----------
    arithmetic
    """
    return np.minimum(provision_per_year * np.asarray(horizon_years) / np.maximum(repartition_cost, 1e-9), 1.0)
