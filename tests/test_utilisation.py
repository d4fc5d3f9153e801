"""Shares of capacity against published cases, and what a full broker means."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.model import utilisation
from tests.elementwise import check_element_by_element


def network(capacity: float, *, half: float = 0, shares: float = 0, **load: float) -> tuple[float, float]:
    """Share of the interface in and out; load by direction."""
    given: dict[str, Any] = {
        "network_in_bytes_per_s": load.get("received", 0.0),
        "network_out_bytes_per_s": load.get("sent", 0.0),
        "disk_write_bytes_per_s": load.get("written", 0.0),
        "disk_read_bytes_per_s": load.get("read", 0.0),
        "storage_shares_network": shares,
        "half_duplex": half,
        "capacity_bytes_per_s": capacity,
    }
    return float(utilisation.network_in_utilisation(**given)), float(utilisation.network_out_utilisation(**given))


def test_published_clusters_fill_their_network() -> None:
    # aws-eq1-plan13: 9 brokers of 512 MB/s take 768 MB/s at replication 3 with 4 groups, limited by what goes out
    produce = 768e6
    received, sent = network(512e6, received=produce * 3 / 9, sent=produce * (2 + 4) / 9)
    assert sent == pytest.approx(1)
    assert received == pytest.approx(0.5)
    # krivaltsevich-main counts both directions in one budget of 875 MB/s: 1750 MB/s fill two brokers
    both = network(875e6, half=1, received=750e6 / 2, sent=1000e6 / 2)
    assert both == pytest.approx((1, 1))


def test_each_direction_has_its_own_load() -> None:
    load = {"received": 30.0, "sent": 50.0, "written": 7.0, "read": 11.0}
    assert network(100.0, **load) == pytest.approx((0.30, 0.50))
    # volumes on the network: what is read comes in, what is written goes out
    assert network(100.0, shares=1, **load) == pytest.approx((0.41, 0.57))
    assert network(100.0, half=1, **load) == pytest.approx((0.80, 0.80))
    assert network(100.0, half=1, shares=1, **load) == pytest.approx((0.98, 0.98))
    assert network(math.inf, **load) == (0, 0)


def test_disks() -> None:
    # aws-toolkit-ebs-ceiling: 83 MiB/s into a broker at RF 3 write 249 of 250 MiB/s
    share = utilisation.disk_throughput_utilisation(
        disk_write_bytes_per_s=83 * 3.0, disk_read_bytes_per_s=0.0, capacity_bytes_per_s=250.0
    )
    assert share == pytest.approx(0.996)
    assert (
        utilisation.disk_throughput_utilisation(
            disk_write_bytes_per_s=100.0, disk_read_bytes_per_s=25.0, capacity_bytes_per_s=250.0
        )
        == 0.5
    )
    # arika-brokers: 362.88 TB in disks of 2 TB, at most 70 % full: 259 brokers would be 70.06 % full
    full = utilisation.disk_volume_utilisation(disk_bytes=362.88e12 / 259, capacity_bytes=2e12)
    assert full == pytest.approx(0.70054, abs=1e-5)
    # half of a gp3 volume's 3000 operations
    assert utilisation.disk_iops_utilisation(disk_operations_per_s=1500.0, capacity_per_s=3000.0) == 0.5


def test_processors_memory_and_replicas() -> None:
    assert utilisation.cpu_utilisation(cores=3.0, vcpu=4.0) == 0.75
    # redpanda-mem-partition: 20 GB of partitions on a broker of 64
    assert utilisation.memory_utilisation(memory_bytes=20e9, capacity_bytes=64e9) == 0.3125
    # kdg-limits-example: 20 brokers of 14,000 replicas hold 280,000
    assert utilisation.partitions_utilisation(replicas=280_000 / 20, replicas_per_broker_max=14_000.0) == 1


@pytest.mark.parametrize(
    ("files", "maps", "share"), [(50_000.0, 100_000.0, 100_000 / 65_530), (99_000.0, 100.0, 0.99), (0.0, 0.0, 0.0)]
)
def test_the_fuller_handle_counts(files: float, maps: float, share: float) -> None:
    # apache-mmap: 50,000 partitions take 100,000 maps, and the default ends at 65,530
    ours = utilisation.handles_utilisation(open_files=files, nofile=100_000.0, mmaps=maps, max_map_count=65_530.0)
    assert float(ours) == pytest.approx(share)


@given(load=st.floats(1, 1e12), brokers=st.integers(1, 500), limit=st.floats(0.1, 1))
def test_equivalent_brokers_are_filled_to_the_limit(load: float, brokers: int, limit: float) -> None:
    capacity = 1e9
    needed = utilisation.equivalent_brokers(
        brokers=float(brokers), utilisation_fraction=load / brokers / capacity, threshold_fraction=limit
    )
    assert load / needed / capacity == pytest.approx(limit)


@pytest.mark.parametrize("step", [1, 2, 3, 5])
def test_the_broker_floor_is_the_first_count_that_holds_the_copies(step: int) -> None:
    for copies in range(1, 20):
        first = next(count for count in range(step, 100, step) if count >= copies)
        assert utilisation.broker_floor(copies=copies, step=step) == first


def test_arrays_give_what_floats_give() -> None:
    rate, capacity = (0.0, 1e10), (1e6, 1e10)
    for function in (utilisation.network_in_utilisation, utilisation.network_out_utilisation):
        check_element_by_element(
            function,
            network_in_bytes_per_s=rate,
            network_out_bytes_per_s=rate,
            disk_write_bytes_per_s=rate,
            disk_read_bytes_per_s=rate,
            storage_shares_network=(0, 1),
            half_duplex=(0, 1),
            capacity_bytes_per_s=capacity,
        )
    check_element_by_element(utilisation.disk_volume_utilisation, disk_bytes=rate, capacity_bytes=capacity)
    check_element_by_element(
        utilisation.disk_throughput_utilisation,
        disk_write_bytes_per_s=rate,
        disk_read_bytes_per_s=rate,
        capacity_bytes_per_s=capacity,
    )
    check_element_by_element(
        utilisation.disk_iops_utilisation, disk_operations_per_s=(0.0, 1e5), capacity_per_s=(100.0, 1e5)
    )
    check_element_by_element(utilisation.cpu_utilisation, cores=(0.0, 64.0), vcpu=(1, 64))
    check_element_by_element(utilisation.memory_utilisation, memory_bytes=rate, capacity_bytes=capacity)
    check_element_by_element(
        utilisation.handles_utilisation,
        open_files=(0, 10**6),
        nofile=(1024, 10**6),
        mmaps=(0, 10**6),
        max_map_count=(65_530, 10**6),
    )
    check_element_by_element(
        utilisation.partitions_utilisation, replicas=(0, 10**5), replicas_per_broker_max=(100, 10**5)
    )
    check_element_by_element(
        utilisation.equivalent_brokers,
        brokers=(1, 500),
        utilisation_fraction=(0.0, 3.0),
        threshold_fraction=(0.1, 1.0),
    )
    check_element_by_element(utilisation.broker_floor, copies=(1, 9), step=(1, 5))
