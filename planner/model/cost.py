"""What brokers, volumes, traffic and stored objects cost in a month, and whose share of it is whose."""

from __future__ import annotations

import numpy as np

from planner.model.types import Numeric
from planner.trace import formula


@formula("price_per_h * h_per_month", unit="money", source="arithmetic")
def machine_per_month(*, price_per_h: Numeric, h_per_month: Numeric) -> Numeric:
    """Price of one machine that runs all month.

    Parameters
    ----------
    price_per_h
        Price of an hour [money/h], >= 0.
    h_per_month
        Hours that a month is billed with [h], > 0.

    Returns
    -------
    Numeric
        Price of a month [money].

    Assumptions
    -----------
    The machine is never switched off.

    Validity
    --------
    Prices by the hour, without credits for bursts.

    Examples
    --------
    >>> float(machine_per_month(price_per_h=0.5, h_per_month=730))
    365.0

    References
    ----------
    arithmetic
    """
    return price_per_h * h_per_month


@formula(
    "max(max(disk_bytes / fill_fraction, rate_bytes_per_s * bytes_per_rate), iops * bytes_per_iops)",
    unit="bytes",
    source="arithmetic",
)
def volume_bytes_needed(
    *,
    disk_bytes: Numeric,
    fill_fraction: Numeric,
    rate_bytes_per_s: Numeric,
    bytes_per_rate: Numeric,
    iops: Numeric,
    bytes_per_iops: Numeric,
) -> Numeric:
    """Size that a network volume must have, for its data and for the speed that comes with size.

    Parameters
    ----------
    disk_bytes
        Bytes on the fullest broker [bytes], >= 0.
    fill_fraction
        How full it may get [fraction], > 0.
    rate_bytes_per_s
        Reads and writes that it has to carry [bytes/s], >= 0.
    bytes_per_rate
        Size that brings a byte per second [bytes per bytes/s]; 0 = the rate does not depend on size.
    iops
        Operations that it has to carry [1/s], >= 0.
    bytes_per_iops
        Size that brings an operation per second [bytes per 1/s]; 0 = operations do not depend on size.

    Returns
    -------
    Numeric
        Size [bytes].

    Assumptions
    -----------
    One volume a broker.

    Validity
    --------
    Up to the largest size sold, which the caller checks.

    Examples
    --------
    Seven hundred bytes at 70 % want a thousand; 50 bytes/s at a hundred bytes each want five thousand.

    >>> size = dict(disk_bytes=700.0, fill_fraction=0.7, iops=0.0, bytes_per_iops=0.0)
    >>> round(float(volume_bytes_needed(**size, rate_bytes_per_s=50.0, bytes_per_rate=0.0)))
    1000
    >>> round(float(volume_bytes_needed(**size, rate_bytes_per_s=50.0, bytes_per_rate=100.0)))
    5000

    References
    ----------
    arithmetic
    """
    filled = np.maximum(disk_bytes / fill_fraction, rate_bytes_per_s * bytes_per_rate)
    return np.maximum(filled, iops * bytes_per_iops)


@formula(
    "capacity_bytes * price_per_byte + max(rate_bytes_per_s - included_bytes_per_s, 0) * price_per_byte_per_s "
    "+ max(iops - included_iops, 0) * price_per_iops",
    unit="money",
    source="arithmetic",
)
def volume_per_month(
    *,
    capacity_bytes: Numeric,
    price_per_byte: Numeric,
    rate_bytes_per_s: Numeric,
    included_bytes_per_s: Numeric,
    price_per_byte_per_s: Numeric,
    iops: Numeric,
    included_iops: Numeric,
    price_per_iops: Numeric,
) -> Numeric:
    """Price of one network volume: its size, and the rate and operations beyond those that come with it.

    Parameters
    ----------
    capacity_bytes
        Size [bytes], >= 0.
    price_per_byte
        Monthly price of a byte [money/byte], >= 0.
    rate_bytes_per_s
        Rate that is provisioned [bytes/s], >= 0.
    included_bytes_per_s
        Rate that is not paid for [bytes/s], >= 0.
    price_per_byte_per_s
        Monthly price of a byte per second beyond it [money per bytes/s], >= 0.
    iops
        Operations per second that are provisioned [1/s], >= 0.
    included_iops
        Operations that are not paid for [1/s], >= 0.
    price_per_iops
        Monthly price of one beyond them [money per 1/s], >= 0.

    Returns
    -------
    Numeric
        Price of a month [money].

    Assumptions
    -----------
    Provisioned, not used: the volume costs the same empty and full.

    Validity
    --------
    Prices that are straight lines; tiers of very large volumes are not modelled.

    Examples
    --------
    1,000 bytes at 0.08, 25 bytes/s beyond 125 at 0.04, 1,000 operations beyond 3,000 at 0.005: 80 + 1 + 5.

    >>> float(volume_per_month(capacity_bytes=1000.0, price_per_byte=0.08, rate_bytes_per_s=150.0,
    ...     included_bytes_per_s=125.0, price_per_byte_per_s=0.04, iops=4000.0, included_iops=3000.0,
    ...     price_per_iops=0.005))
    86.0

    References
    ----------
    arithmetic
    """
    rate = np.maximum(rate_bytes_per_s - included_bytes_per_s, 0.0) * price_per_byte_per_s
    operations = np.maximum(iops - included_iops, 0.0) * price_per_iops
    return capacity_bytes * price_per_byte + rate + operations


@formula("average_bytes_per_s * s_per_month * price_per_byte", unit="money", source="arithmetic")
def transfer_per_month(*, average_bytes_per_s: Numeric, s_per_month: Numeric, price_per_byte: Numeric) -> Numeric:
    """Price of traffic that is billed by the byte.

    Parameters
    ----------
    average_bytes_per_s
        Billed traffic, on average and not at its peak [bytes/s], >= 0.
    s_per_month
        Seconds that a month is billed with [s], > 0.
    price_per_byte
        Price of a byte, both ends together [money/byte], >= 0.

    Returns
    -------
    Numeric
        Price of a month [money].

    Assumptions
    -----------
    Record bytes; protocol bytes come on top and are a few per cent at usual batches.

    Validity
    --------
    One price for every byte.

    Examples
    --------
    >>> float(transfer_per_month(average_bytes_per_s=10.0, s_per_month=100, price_per_byte=0.02))
    20.0

    References
    ----------
    arithmetic
    """
    return average_bytes_per_s * s_per_month * price_per_byte


@formula("stored_bytes * price_per_byte", unit="money", source="arithmetic")
def stored_per_month(*, stored_bytes: Numeric, price_per_byte: Numeric) -> Numeric:
    """Price of bytes kept in an object store or in storage that is billed by use.

    Parameters
    ----------
    stored_bytes
        Bytes kept on average [bytes], >= 0.
    price_per_byte
        Monthly price of a byte [money/byte], >= 0.

    Returns
    -------
    Numeric
        Price of a month [money].

    Assumptions
    -----------
    One copy; what the store replicates is in its price.

    Validity
    --------
    One price for every byte.

    Examples
    --------
    >>> float(stored_per_month(stored_bytes=1000.0, price_per_byte=0.02))
    20.0

    References
    ----------
    arithmetic
    """
    return stored_bytes * price_per_byte


@formula("total_per_month * part / max(whole, 1e-300)", unit="money", source="assumption")
def attributed_per_month(*, total_per_month: Numeric, part: Numeric, whole: Numeric) -> Numeric:
    """Share of a cost that is attributed to a part of the load.

    Parameters
    ----------
    total_per_month
        Cost of all [money], >= 0.
    part
        Load of the part, in the figure that causes the cost [any], >= 0.
    whole
        Load of all parts, in the same figure [any], >= 0.

    Returns
    -------
    Numeric
        Cost of the part [money].

    Assumptions
    -----------
    Proportional to use: idle capacity is carried by those who use the rest.

    Validity
    --------
    Parts that add up to the whole.

    Examples
    --------
    >>> float(attributed_per_month(total_per_month=100.0, part=1.0, whole=4.0))
    25.0

    References
    ----------
    assumption
    """
    return total_per_month * part / np.maximum(whole, 1e-300)


@formula("sum(line_per_month)", unit="money", source="arithmetic")
def bill_per_month(*, line_per_month: Numeric) -> Numeric:
    """Cost of a month, over all lines of the bill.

    Parameters
    ----------
    line_per_month
        Cost of each line [money], >= 0.

    Returns
    -------
    Numeric
        Their sum [money].

    Assumptions
    -----------
    All lines are in one currency.

    Validity
    --------
    Any number of lines.

    Examples
    --------
    >>> float(bill_per_month(line_per_month=[100.0, 20.5]))
    120.5

    References
    ----------
    arithmetic
    """
    total: Numeric = np.sum(line_per_month, axis=0)
    return total


@formula("list_per_month * (1 - discount_fraction) * currency_rate", unit="money", source="arithmetic")
def charged_per_month(*, list_per_month: Numeric, discount_fraction: Numeric, currency_rate: Numeric) -> Numeric:
    """What is paid in a month for what the price list asks.

    Parameters
    ----------
    list_per_month
        Cost of a month at list prices [money], >= 0.
    discount_fraction
        What the sellers take off [fraction], 0 to 1.
    currency_rate
        Units of the currency paid in for one of the list's [ratio], > 0.

    Returns
    -------
    Numeric
        What is paid [money].

    Assumptions
    -----------
    One discount on everything.

    Validity
    --------
    Any list price.

    Examples
    --------
    >>> float(charged_per_month(list_per_month=100.0, discount_fraction=0.2, currency_rate=0.5))
    40.0

    References
    ----------
    arithmetic
    """
    return list_per_month * (1 - discount_fraction) * currency_rate
