"""Memory of a broker: heap, page cache, index pages."""

from __future__ import annotations

import numpy as np

from planner.model.types import Numeric
from planner.trace import formula


@formula(
    "disk_write_bytes_per_s * page_cache_s",
    unit="bytes",
    source="kafka-hardware-os",
)
def page_cache_bytes(*, disk_write_bytes_per_s: Numeric, page_cache_s: Numeric) -> Numeric:
    """Memory that keeps the last seconds of writes, so that consumers and followers read them without the disk.

    Parameters
    ----------
    disk_write_bytes_per_s
        Bytes written to the broker's logs [bytes/s], >= 0.
    page_cache_s
        Seconds of writes to keep [s], >= 0.

    Returns
    -------
    Numeric
        Page cache to hold the newest writes [bytes].

    Assumptions
    -----------
    Readers lag less than the seconds kept.

    Validity
    --------
    Back-of-envelope rule of the Kafka documentation: 30 s.

    Examples
    --------
    >>> page_cache_bytes(disk_write_bytes_per_s=1_300_000_000, page_cache_s=30)
    39000000000

    References
    ----------
    kafka-hardware-os
    """
    return disk_write_bytes_per_s * page_cache_s


@formula(
    "where(disk_write_bytes_per_s > 0, cache_bytes / where(disk_write_bytes_per_s > 0, disk_write_bytes_per_s, 1), 0)",
    unit="s",
    source="cloudera-cache",
)
def cached_s(*, cache_bytes: Numeric, disk_write_bytes_per_s: Numeric) -> Numeric:
    """Seconds of the newest writes that a page cache holds; 0 when nothing is written.

    Parameters
    ----------
    cache_bytes
        Memory left for the page cache [bytes], >= 0.
    disk_write_bytes_per_s
        Bytes written to the logs [bytes/s], >= 0.

    Returns
    -------
    Numeric
        Seconds of writes that fit [s].

    Assumptions
    -----------
    The cache holds nothing but log pages.

    Validity
    --------
    Upper bound.

    Examples
    --------
    >>> float(cached_s(cache_bytes=32_000_000_000, disk_write_bytes_per_s=50_000_000))
    640.0

    References
    ----------
    cloudera-cache
    """
    written = np.asarray(disk_write_bytes_per_s) > 0
    return np.where(written, cache_bytes / np.where(written, disk_write_bytes_per_s, 1.0), 0.0)


@formula(
    "max(heap_floor_bytes, heap_base_bytes + replicas * heap_bytes_per_replica"
    " + producer_entries * heap_bytes_per_producer)",
    unit="bytes",
    source="kafka-4.3-measured",
)
def heap_bytes(
    *,
    replicas: Numeric,
    producer_entries: Numeric,
    heap_floor_bytes: Numeric,
    heap_base_bytes: Numeric,
    heap_bytes_per_replica: Numeric,
    heap_bytes_per_producer: Numeric,
) -> Numeric:
    """Java heap of a broker: what its replicas and producers need, and not less than the usual setting.

    Parameters
    ----------
    replicas
        Partition replicas on the broker [count], >= 0.
    producer_entries
        Pairs of producer id and partition remembered on the broker [count], >= 0.
    heap_floor_bytes
        Heap that the documentation recommends [bytes], > 0.
    heap_base_bytes
        Live heap of an empty broker [bytes], > 0.
    heap_bytes_per_replica
        Live heap per replica [bytes], > 0.
    heap_bytes_per_producer
        Live heap per remembered producer and partition [bytes], > 0.

    Returns
    -------
    Numeric
        Java heap [bytes].

    Assumptions
    -----------
    Live heap after a full collection; request buffers fit into the difference to the floor.

    Validity
    --------
    Floor from documentation, slope measured up to 5,000 replicas.

    Examples
    --------
    >>> float(
    ...     heap_bytes(
    ...         replicas=10,
    ...         producer_entries=0,
    ...         heap_floor_bytes=100,
    ...         heap_base_bytes=50,
    ...         heap_bytes_per_replica=20,
    ...         heap_bytes_per_producer=1,
    ...     )
    ... )
    250.0

    References
    ----------
    kafka-4.3-measured
    """
    needed = heap_base_bytes + replicas * heap_bytes_per_replica + producer_entries * heap_bytes_per_producer
    return np.maximum(heap_floor_bytes, needed)


@formula(
    "heap_bytes + page_cache_bytes + index_page_bytes + system_bytes",
    unit="bytes",
    source="arithmetic",
)
def memory_bytes(
    *,
    heap_bytes: Numeric,
    page_cache_bytes: Numeric,
    index_page_bytes: Numeric,
    system_bytes: Numeric,
) -> Numeric:
    """Memory that a broker needs: heap, page cache of recent writes, touched index pages, operating system.

    Parameters
    ----------
    heap_bytes
        Java heap [bytes], > 0.
    page_cache_bytes
        Page cache for recent writes [bytes], >= 0.
    index_page_bytes
        Index pages that appends and reads touch [bytes], >= 0.
    system_bytes
        Operating system, JVM outside the heap, agents [bytes], >= 0.

    Returns
    -------
    Numeric
        Memory of a broker [bytes].

    Assumptions
    -----------
    Nothing else runs on the broker.

    Validity
    --------
    Any.

    Examples
    --------
    >>> memory_bytes(heap_bytes=6, page_cache_bytes=3, index_page_bytes=0, system_bytes=1)
    10

    References
    ----------
    arithmetic
    """
    return heap_bytes + page_cache_bytes + index_page_bytes + system_bytes


@formula(
    "replicas * pages * page_bytes",
    unit="bytes",
    source="kafka-4.3-source",
)
def index_page_bytes(*, replicas: Numeric, pages: Numeric, page_bytes: Numeric) -> Numeric:
    """Memory of the index pages that appends to the active segments keep warm.

    Parameters
    ----------
    replicas
        Partition replicas on the broker [count], >= 0.
    pages
        Warm pages per replica [count], >= 0.
    page_bytes
        Memory page [bytes], 4096 to 65536.

    Returns
    -------
    Numeric
        Index pages in memory [bytes].

    Assumptions
    -----------
    Only active segments are appended to; reads of old data touch more for a moment.

    Validity
    --------
    Any.

    Examples
    --------
    >>> index_page_bytes(replicas=1000, pages=2, page_bytes=4096)
    8192000

    References
    ----------
    kafka-4.3-source
    """
    return replicas * pages * page_bytes


@formula(
    "max(heap_bytes - heap_base_bytes, 0) / heap_bytes_per_replica",
    unit="count",
    source="kafka-4.3-measured",
)
def replicas_in_heap(*, heap_bytes: Numeric, heap_base_bytes: Numeric, heap_bytes_per_replica: Numeric) -> Numeric:
    """Replicas that a heap of a given size holds.

    Parameters
    ----------
    heap_bytes
        Heap of a broker [bytes], > 0.
    heap_base_bytes
        Heap in use without replicas [bytes], >= 0.
    heap_bytes_per_replica
        Heap for one replica [bytes], > 0.

    Returns
    -------
    Numeric
        Replicas, not rounded [count].

    Assumptions
    -----------
    Idempotent producers and connections are few.

    Validity
    --------
    As measured on an idle broker.

    Examples
    --------
    >>> float(replicas_in_heap(heap_bytes=1000.0, heap_base_bytes=200.0, heap_bytes_per_replica=8.0))
    100.0

    References
    ----------
    kafka-4.3-measured
    """
    held: Numeric = np.maximum(heap_bytes - heap_base_bytes, 0.0) / heap_bytes_per_replica
    return held
