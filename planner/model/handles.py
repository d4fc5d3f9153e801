"""File descriptors and memory maps of a broker process."""

from __future__ import annotations

import numpy as np

from planner.model.types import Numeric
from planner.trace import formula


def _segments(held_bytes: Numeric, segment_fill_bytes: Numeric) -> Numeric:
    """Segments' worth of bytes, 0 for an idle replica."""
    filled = np.asarray(segment_fill_bytes) > 0
    segments: Numeric = np.where(filled, held_bytes / np.where(filled, segment_fill_bytes, 1.0), 0.0) + 0.0
    return segments


@formula(
    "ceil(_segments(retained_bytes, segment_fill_bytes) - 1e-9) + 1",
    unit="count",
    source="kafka-4.3-source",
)
def segments_per_replica(*, retained_bytes: Numeric, segment_fill_bytes: Numeric) -> Numeric:
    """Most segments of one partition replica.

    Parameters
    ----------
    retained_bytes
        What the retention rule keeps, without the segment that it waits for [bytes], >= 0: the most live bytes less a
        full segment.
    segment_fill_bytes
        Bytes in a full segment [bytes], >= 0; 0 for an idle replica.

    Returns
    -------
    Numeric
        Live segments, the active one included [count], >= 1.

    Assumptions
    -----------
    Retained bytes lie across segment boundaries anyhow, so they touch one segment more than they fill.

    Validity
    --------
    Segments full or nearly so. Cleaned segments of compacted logs may be smaller and so more.

    Examples
    --------
    >>> float(segments_per_replica(retained_bytes=29.0, segment_fill_bytes=1.0))
    30.0
    >>> float(segments_per_replica(retained_bytes=0.0, segment_fill_bytes=0.0))
    1.0

    References
    ----------
    kafka-4.3-source
    kafka-4.3-measured
    """
    segments: Numeric = np.ceil(_segments(retained_bytes, segment_fill_bytes) - 1e-9) + 1
    return segments


@formula("_segments(deleted_bytes, segment_fill_bytes)", unit="count", source="kafka-4.3-source")
def deleted_segments_per_replica(*, deleted_bytes: Numeric, segment_fill_bytes: Numeric) -> Numeric:
    """Segments of one replica that wait to be unlinked; each keeps its descriptor until then.

    Parameters
    ----------
    deleted_bytes
        Bytes waiting to be unlinked [bytes], >= 0.
    segment_fill_bytes
        Bytes in a full segment [bytes], >= 0; 0 for an idle replica.

    Returns
    -------
    Numeric
        Mean waiting segments [count], not rounded: it is a sum over many replicas.

    Assumptions
    -----------
    Segments are deleted full.

    Validity
    --------
    As `planner.model.storage.deleted_bytes`.

    Examples
    --------
    >>> float(deleted_segments_per_replica(deleted_bytes=50.0, segment_fill_bytes=100.0))
    0.5

    References
    ----------
    kafka-4.3-source
    kafka-4.3-measured
    """
    return _segments(deleted_bytes, segment_fill_bytes)


@formula(
    "client_connections + 2 * max(brokers - 1, 0) * replica_fetchers + controller_connections",
    unit="count",
    source="kafka-4.3-source",
)
def connections(
    *,
    client_connections: Numeric,
    brokers: Numeric,
    replica_fetchers: Numeric,
    controller_connections: Numeric,
) -> Numeric:
    """Open sockets of one broker.

    Parameters
    ----------
    client_connections
        Connections from producers, consumers and tools [count], >= 0.
    brokers
        Brokers in the cluster [count], >= 1.
    replica_fetchers
        num.replica.fetchers: connections to each other broker, and as many from it [count], >= 1.
    controller_connections
        Connections to controllers [count], >= 0.

    Returns
    -------
    Numeric
        Sockets [count].

    Assumptions
    -----------
    Every pair of brokers shares a partition in both directions.

    Validity
    --------
    Upper end for clusters with few partitions.

    Examples
    --------
    >>> float(connections(client_connections=100, brokers=4, replica_fetchers=1, controller_connections=2))
    108.0

    References
    ----------
    kafka-4.3-source
    """
    sockets: Numeric = client_connections + 2 * np.maximum(brokers - 1, 0) * replica_fetchers + controller_connections
    return sockets


@formula(
    "segments + deleted_segments + connections + base_open_files",
    unit="count",
    source="kafka-4.3-measured",
)
def open_files(
    *, segments: Numeric, deleted_segments: Numeric, connections: Numeric, base_open_files: Numeric
) -> Numeric:
    """File descriptors of a broker: one a segment and one a socket; index files are closed once mapped.

    Parameters
    ----------
    segments
        Live segments of all replicas on the broker [count], >= 0.
    deleted_segments
        Segments that wait to be unlinked [count], >= 0.
    connections
        Open sockets [count], >= 0.
    base_open_files
        Descriptors of a broker without replicas: JVM, class path, own files [count], >= 0.

    Returns
    -------
    Numeric
        Open files [count].

    Assumptions
    -----------
    No aborted transactions: their index takes a descriptor more per segment.

    Validity
    --------
    Exact per replica at 100 to 5000 replicas.

    Examples
    --------
    >>> open_files(segments=30, deleted_segments=2, connections=8, base_open_files=90)
    130

    References
    ----------
    kafka-4.3-measured
    """
    return segments + deleted_segments + connections + base_open_files


@formula("segments * maps_per_segment + base_mmaps", unit="count", source="kafka-4.3-measured")
def mmaps(*, segments: Numeric, maps_per_segment: Numeric, base_mmaps: Numeric) -> Numeric:
    """Memory map areas of a broker: offset index and time index of every segment.

    Parameters
    ----------
    segments
        Live segments of all replicas on the broker [count], >= 0.
    maps_per_segment
        Index files that a segment maps [count], 2.
    base_mmaps
        Map areas of a broker without replicas [count], >= 0.

    Returns
    -------
    Numeric
        Map areas [count].

    Assumptions
    -----------
    Every index has been touched since the start.

    Validity
    --------
    Exact per replica at 100 to 5000 replicas. After a restart closed segments hold no map until they are read, so a
    broker may stay below this for weeks.

    Examples
    --------
    >>> mmaps(segments=30, maps_per_segment=2, base_mmaps=450)
    510

    References
    ----------
    kafka-4.3-measured
    kafka-hardware-os
    """
    return segments * maps_per_segment + base_mmaps


@formula(
    "max(floor((max_map_count - base_mmaps) / maps_per_segment), 0)",
    unit="count",
    source="kafka-hardware-os",
)
def segments_at_map_limit(*, max_map_count: Numeric, base_mmaps: Numeric, maps_per_segment: Numeric) -> Numeric:
    """Segments at which a broker runs out of memory maps and dies (`OutOfMemoryError: Map failed`).

    Parameters
    ----------
    max_map_count
        vm.max_map_count of the host [count], > 0.
    base_mmaps
        Map areas of a broker without replicas [count], >= 0.
    maps_per_segment
        Index files that a segment maps [count], 2.

    Returns
    -------
    Numeric
        Segments of all replicas on the broker [count], >= 0.

    Assumptions
    -----------
    Every index has been touched since the start.

    Validity
    --------
    One broker process.

    Examples
    --------
    >>> float(segments_at_map_limit(max_map_count=65530, base_mmaps=450, maps_per_segment=2))
    32540.0

    References
    ----------
    kafka-hardware-os
    kafka-4.3-measured
    """
    segments: Numeric = np.maximum(np.floor((max_map_count - base_mmaps) / maps_per_segment), 0)
    return segments
