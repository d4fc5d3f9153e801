"""Memory against published examples and a measured heap."""

from __future__ import annotations

import pytest

from planner.constants import constant
from planner.model import memory
from tests.elementwise import check_element_by_element

GB = 1e9


def heap(replicas: float, each: float, *, producers: float = 0.0, floor: float = 1.0) -> float:
    return float(
        memory.heap_bytes(
            replicas=replicas,
            producer_entries=producers,
            heap_floor_bytes=floor,
            heap_base_bytes=constant("memory.heap_base_bytes"),
            heap_bytes_per_replica=each,
            heap_bytes_per_producer=constant("memory.heap_bytes_per_producer"),
        )
    )


def test_published_page_caches() -> None:
    # apache-memory30 on skybet-memory: 1300 MB/s for 30 s is 39 GB, printed 40, and 8 GB on each of five servers
    cluster = float(memory.page_cache_bytes(disk_write_bytes_per_s=1300e6, page_cache_s=30.0))
    assert cluster == 39 * GB
    assert round(cluster / 10 / GB) * 10 == 40
    assert round(cluster / 5 / GB) == 8
    # lsst-memory30: 250 alerts of 135 KB a second for 30 s are 1 GB; the page prints ten times that
    assert memory.page_cache_bytes(disk_write_bytes_per_s=250 * 135e3, page_cache_s=30.0) == pytest.approx(1.0125 * GB)
    # cloudera-cache: 32 GB at 50 MB/s are roughly the last 10 minutes
    assert memory.cached_s(cache_bytes=32 * GB, disk_write_bytes_per_s=50e6) / 60 == pytest.approx(10, rel=0.1)


def test_nothing_written_needs_no_cache() -> None:
    for cache in (0.0, 64 * GB):
        assert memory.cached_s(cache_bytes=cache, disk_write_bytes_per_s=0.0) == 0


def test_the_cache_holds_what_it_was_sized_for() -> None:
    needed = memory.page_cache_bytes(disk_write_bytes_per_s=123e6, page_cache_s=47.0)
    assert memory.cached_s(cache_bytes=needed, disk_write_bytes_per_s=123e6) == pytest.approx(47)


# kafka_facts.md 8, live heap after a full collection: 5000 replicas of a broker took 16.0 KB each, 2000 of a combined
# node 23.3 KB each, over 155 MB
@pytest.mark.parametrize(("replicas", "each", "megabytes"), [(5000, 16_000, 235), (2000, 23_300, 201.6), (0, 1, 155)])
def test_measured_heap(replicas: int, each: float, megabytes: float) -> None:
    assert heap(replicas, each) == pytest.approx(megabytes * 1e6)
    # ours is never less than what was measured
    assert heap(replicas, constant("memory.heap_bytes_per_replica")) >= megabytes * 1e6


def test_short_lived_producers_fill_the_heap() -> None:
    # kafka_facts.md 9: 432 B for a producer and partition, kept a day; a new producer each second on ten partitions
    more = heap(0, 1, producers=86_400 * 10) - heap(0, 1)
    assert more == pytest.approx(373.248e6)


def test_the_floor_holds_up_to_hundred_thousands_of_replicas() -> None:
    floor, each = constant("memory.heap_floor_bytes"), constant("memory.heap_bytes_per_replica")
    assert floor == 6 * 2**30
    assert heap(4000, each, floor=floor) == floor
    assert heap(300_000, each, floor=floor) == pytest.approx(155e6 + 300_000 * 23_300)


def test_index_pages() -> None:
    # 4000 active segments, two pages of 4 KiB: 31.25 MiB
    ours = memory.index_page_bytes(replicas=4000.0, pages=2.0, page_bytes=4096.0)
    assert ours == 31.25 * 2**20


def test_a_broker_of_64_gigabytes() -> None:
    # 6 + 1 GiB for heap and system and 31.25 MiB of index leave 56.97 GiB: 10 minutes of 100 MB/s take 55.88 of them
    cache = memory.page_cache_bytes(disk_write_bytes_per_s=100e6, page_cache_s=600.0)
    whole = memory.memory_bytes(
        heap_bytes=6 * 2.0**30,
        page_cache_bytes=cache,
        index_page_bytes=31.25 * 2.0**20,
        system_bytes=2.0**30,
    )
    assert whole / 2**30 == pytest.approx(6 + 55.8794 + 0.030518 + 1, rel=1e-6)


def test_arrays_give_what_floats_give() -> None:
    check_element_by_element(memory.page_cache_bytes, disk_write_bytes_per_s=(0.0, 1e9), page_cache_s=(0.0, 600.0))
    check_element_by_element(memory.cached_s, cache_bytes=(0.0, 1e12), disk_write_bytes_per_s=(0.0, 1e9))
    check_element_by_element(
        memory.heap_bytes,
        replicas=(0.0, 1e5),
        producer_entries=(0.0, 1e6),
        heap_floor_bytes=(4e9, 8e9),
        heap_base_bytes=(1e8, 3e8),
        heap_bytes_per_replica=(16_000.0, 23_300.0),
        heap_bytes_per_producer=(272.0, 432.0),
    )
    sizes = (0.0, 1e11)
    check_element_by_element(
        memory.memory_bytes, heap_bytes=sizes, page_cache_bytes=sizes, index_page_bytes=sizes, system_bytes=sizes
    )
    check_element_by_element(memory.index_page_bytes, replicas=(0, 5000), pages=(0, 4), page_bytes=(4096, 65_536))
