"""Disk operations per second, from page-cache writeback."""

from __future__ import annotations

import numpy as np

from planner.model.types import Numeric
from planner.trace import formula


@formula(
    "(max(1 - exp(-appends_per_s * writeback_interval_s), disk_write_bytes_per_s * writeback_interval_s / io_bytes)"
    " + 2 * (1 - exp(-min(appends_per_s, disk_write_bytes_per_s / index_interval_bytes) * writeback_interval_s)))"
    " / writeback_interval_s",
    unit="1/s",
    source="assumption",
    confidence="low",
)
def writeback_iops(
    *,
    appends_per_s: Numeric,
    disk_write_bytes_per_s: Numeric,
    writeback_interval_s: Numeric,
    io_bytes: Numeric,
    index_interval_bytes: Numeric,
) -> Numeric:
    """Disk writes per second that the kernel makes of one replica's dirty pages: log tail and two indexes.

    Parameters
    ----------
    appends_per_s
        Appends to the replica [1/s], >= 0.
    disk_write_bytes_per_s
        Bytes appended to the replica [bytes/s], >= 0.
    writeback_interval_s
        How long dirty pages gather before they are written [s], 5 to 30.
    io_bytes
        Bytes of one sequential write [bytes], 4 KiB to 1 MiB.
    index_interval_bytes
        log.index.interval.bytes [bytes], 4096.

    Returns
    -------
    Numeric
        Write operations per second of one replica [1/s].

    Assumptions
    -----------
    No application fsync (Kafka's default). Appends of one batch arrive as a Poisson process; an index gets an entry for
    each index interval of log, and at most one per append. Each dirty file costs at least one write per interval.

    Validity
    --------
    Order of magnitude; depends on kernel settings and file system. Idle replicas cost nothing. Against a simulation of
    just these assumptions: within 2 % for batches beyond the index interval, a quarter low to half high for smaller.

    Examples
    --------
    >>> float(
    ...     writeback_iops(
    ...         appends_per_s=0.0,
    ...         disk_write_bytes_per_s=0.0,
    ...         writeback_interval_s=5,
    ...         io_bytes=131072,
    ...         index_interval_bytes=4096,
    ...     )
    ... )
    0.0

    References
    ----------
    assumption
    """
    dirtied = 1 - np.exp(-appends_per_s * writeback_interval_s)
    written = disk_write_bytes_per_s * writeback_interval_s
    entries_per_s = np.minimum(appends_per_s, disk_write_bytes_per_s / index_interval_bytes)
    indexed = 1 - np.exp(-entries_per_s * writeback_interval_s)
    operations: Numeric = np.maximum(dirtied, written / io_bytes) + 2 * indexed
    return operations / writeback_interval_s


@formula(
    "disk_read_bytes_per_s / io_bytes",
    unit="1/s",
    source="formulas-io",
    confidence="low",
)
def read_iops(*, disk_read_bytes_per_s: Numeric, io_bytes: Numeric) -> Numeric:
    """Disk reads per second for bytes that are not in the page cache.

    Parameters
    ----------
    disk_read_bytes_per_s
        Bytes read from disk [bytes/s], >= 0.
    io_bytes
        Bytes of one sequential read (readahead) [bytes], 4 KiB to 1 MiB.

    Returns
    -------
    Numeric
        Read operations per second [1/s].

    Assumptions
    -----------
    Reads are sequential within a partition; the kernel reads ahead.

    Validity
    --------
    Order of magnitude.

    Examples
    --------
    >>> read_iops(disk_read_bytes_per_s=1310720, io_bytes=131072)
    10.0

    References
    ----------
    formulas-io
    """
    return disk_read_bytes_per_s / io_bytes
