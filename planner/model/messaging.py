"""What a messaging system costs in a month, and when a growing load or a migration pays: plain arithmetic on prices."""

from __future__ import annotations

import numpy as np

from planner.model.types import Numeric
from planner.trace import formula

MONTH_S = 730 * 3600.0  # as the price lists count
GB = 1e9


@formula(
    "events_per_s * 2628000 * calls_per_event / batch_events * ceil(batch_events * message_bytes / chunk_bytes)",
    unit="1/month",
    source="arithmetic",
)
def requests_per_month(
    *,
    events_per_s: Numeric,
    calls_per_event: Numeric,
    message_bytes: Numeric,
    chunk_bytes: Numeric,
    batch_events: Numeric,
) -> Numeric:
    """Requests that a service which bills by chunks counts in a month of 730 hours.

    Parameters
    ----------
    events_per_s
        Average event rate [1/s], >= 0.
    calls_per_event
        Billed calls that one event causes, such as send, receive and delete [ratio], >= 0.
    message_bytes
        Size of one event [bytes], > 0.
    chunk_bytes
        Bytes that count as one request [bytes], > 0.
    batch_events
        Events in one call [count], >= 1.

    Returns
    -------
    Numeric
        Requests on the bill [1/month].

    Assumptions
    -----------
    Every call carries a full batch; a batch is billed in whole chunks.

    Validity
    --------
    Services billed by request.

    Examples
    --------
    >>> float(requests_per_month(
    ...     events_per_s=1.0, calls_per_event=3, message_bytes=1000, chunk_bytes=64000, batch_events=10
    ... ))
    788400.0

    References
    ----------
    arithmetic
    """
    chunks = np.ceil(batch_events * message_bytes / chunk_bytes)
    return events_per_s * MONTH_S * calls_per_event / batch_events * chunks


@formula(
    "max(units_per_month - free_units_per_month, 0) * unit_price",
    unit="USD/month",
    source="arithmetic",
)
def metered_price_per_month(
    *,
    units_per_month: Numeric,
    free_units_per_month: Numeric,
    unit_price: Numeric,
) -> Numeric:
    """Price of what is metered, beyond what is free.

    Parameters
    ----------
    units_per_month
        Units used, such as requests, gigabytes or hours [1/month], >= 0.
    free_units_per_month
        Units that cost nothing [1/month], >= 0.
    unit_price
        Price of one unit [USD], >= 0.

    Returns
    -------
    Numeric
        Price [USD/month].

    Assumptions
    -----------
    One price for all units; volume discounts are left out, which overstates large bills.

    Validity
    --------
    Any metered service.

    Examples
    --------
    >>> float(metered_price_per_month(units_per_month=3_000_000, free_units_per_month=1_000_000, unit_price=5e-7))
    1.0

    References
    ----------
    arithmetic
    """
    return np.maximum(units_per_month - free_units_per_month, 0.0) * unit_price


@formula(
    "bytes_per_s * 2628000 / 1000000000",
    unit="GB/month",
    source="arithmetic",
)
def gigabytes_per_month(
    *,
    bytes_per_s: Numeric,
) -> Numeric:
    """Gigabytes (of 1000^3 bytes) that a flow moves in a month of 730 hours.

    Parameters
    ----------
    bytes_per_s
        Average flow [bytes/s], >= 0.

    Returns
    -------
    Numeric
        Volume [GB/month].

    Assumptions
    -----------
    None.

    Validity
    --------
    Any rate.

    Examples
    --------
    >>> round(float(gigabytes_per_month(bytes_per_s=1_000_000.0)), 6)
    2628.0

    References
    ----------
    arithmetic
    """
    return bytes_per_s * MONTH_S / GB


@formula(
    "bytes_per_s * retention_s * copies / 1000000000",
    unit="GB",
    source="arithmetic",
)
def stored_gigabytes(
    *,
    bytes_per_s: Numeric,
    retention_s: Numeric,
    copies: Numeric,
) -> Numeric:
    """Gigabytes that are kept when a flow is stored for a time.

    Parameters
    ----------
    bytes_per_s
        Average flow [bytes/s], >= 0.
    retention_s
        How long it is kept [s], >= 0.
    copies
        Copies that are paid for [count], >= 0.

    Returns
    -------
    Numeric
        Volume kept [GB].

    Assumptions
    -----------
    The flow has lasted longer than the retention; no compression.

    Validity
    --------
    Any finite retention.

    Examples
    --------
    >>> round(float(stored_gigabytes(bytes_per_s=1_000_000.0, retention_s=86400, copies=3)), 6)
    259.2

    References
    ----------
    arithmetic
    """
    return bytes_per_s * retention_s * copies / GB


@formula(
    "max(least, ceil(max(events_per_s / unit_events_per_s, bytes_per_s / unit_bytes_per_s)))",
    unit="count",
    source="arithmetic",
)
def capacity_units(
    *,
    events_per_s: Numeric,
    bytes_per_s: Numeric,
    unit_events_per_s: Numeric,
    unit_bytes_per_s: Numeric,
    least: Numeric,
) -> Numeric:
    """Shards, throughput units or nodes that a rate needs.

    Parameters
    ----------
    events_per_s
        Event rate to provision for [1/s], >= 0.
    bytes_per_s
        Flow to provision for [bytes/s], >= 0.
    unit_events_per_s
        Events that one unit carries [1/s], > 0.
    unit_bytes_per_s
        Bytes that one unit carries [bytes/s], > 0.
    least
        Units that are bought in any case [count], >= 0.

    Returns
    -------
    Numeric
        Units [count].

    Assumptions
    -----------
    Load spreads evenly over the units.

    Validity
    --------
    Systems that scale by adding units.

    Examples
    --------
    >>> float(capacity_units(
    ...     events_per_s=2500.0, bytes_per_s=1e6, unit_events_per_s=1000, unit_bytes_per_s=1e6, least=1
    ... ))
    3.0

    References
    ----------
    arithmetic
    """
    needed = np.maximum(events_per_s / unit_events_per_s, bytes_per_s / unit_bytes_per_s)
    return np.maximum(least, np.ceil(needed))


@formula(
    "fixed + bytes_per_s * (per_byte + groups * per_byte_and_group) + events_per_s * per_event",
    unit="count",
    source="arithmetic",
    confidence="medium",
)
def raw_brokers(
    *,
    fixed: Numeric,
    bytes_per_s: Numeric,
    per_byte: Numeric,
    groups: Numeric,
    per_byte_and_group: Numeric,
    events_per_s: Numeric,
    per_event: Numeric,
) -> Numeric:
    """Kafka brokers that one resource asks for, as a straight line through plans of this planner.

    Parameters
    ----------
    fixed
        Brokers that the resource asks for without load [count], >= 0.
    bytes_per_s
        Produced bytes at the peak [bytes/s], >= 0.
    per_byte
        Brokers that one byte/s needs, read once [count s/bytes], >= 0.
    groups
        Consumer groups [count], >= 0.
    per_byte_and_group
        Brokers that one more reader of a byte/s needs [count s/bytes], >= 0.
    events_per_s
        Events at the peak [1/s], >= 0.
    per_event
        Brokers that an event needs beside its bytes [count s], >= 0.

    Returns
    -------
    Numeric
        Brokers, not rounded [count].

    Assumptions
    -----------
    The plan is close to linear in load, readers and events; a test compares it with the plan itself.

    Validity
    --------
    Above the least cluster; rounding is up to the caller.

    Examples
    --------
    >>> raw_brokers(
    ...     fixed=1.0, bytes_per_s=10.0, per_byte=0.1, groups=2, per_byte_and_group=0.05,
    ...     events_per_s=4.0, per_event=0.25,
    ... )
    4.0

    References
    ----------
    arithmetic
    """
    of_bytes = bytes_per_s * (per_byte + groups * per_byte_and_group)
    return fixed + of_bytes + events_per_s * per_event


@formula(
    "log(factor) / log(1 + growth_per_year)",
    unit="years",
    source="arithmetic",
)
def growth_years(
    *,
    factor: Numeric,
    growth_per_year: Numeric,
) -> Numeric:
    """Years until a load that grows by a constant share a year is some factor larger.

    Parameters
    ----------
    factor
        How many times larger the load must become [ratio], >= 1.
    growth_per_year
        Growth of the load in a year [fraction], > 0.

    Returns
    -------
    Numeric
        Years [years].

    Assumptions
    -----------
    Growth compounds and does not stop.

    Validity
    --------
    Positive growth.

    Examples
    --------
    >>> round(float(growth_years(factor=8.0, growth_per_year=1.0)), 9)
    3.0

    References
    ----------
    arithmetic
    """
    return np.log(factor) / np.log1p(growth_per_year)


@formula(
    "effort_hours * hourly_rate / saving_per_month",
    unit="months",
    source="arithmetic",
)
def payback_months(
    *,
    effort_hours: Numeric,
    hourly_rate: Numeric,
    saving_per_month: Numeric,
) -> Numeric:
    """Months until a migration has paid for itself.

    Parameters
    ----------
    effort_hours
        Work of a migration [hours], >= 0.
    hourly_rate
        Cost of an hour [USD/hour], >= 0.
    saving_per_month
        What the new system saves [USD/month], > 0.

    Returns
    -------
    Numeric
        Months [months].

    Assumptions
    -----------
    Nothing is saved before the end, and no second cluster is paid for meanwhile.

    Validity
    --------
    Positive savings.

    Examples
    --------
    >>> float(payback_months(effort_hours=200.0, hourly_rate=90, saving_per_month=1500))
    12.0

    References
    ----------
    arithmetic
    """
    return effort_hours * hourly_rate / saving_per_month
