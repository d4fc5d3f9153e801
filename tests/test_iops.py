"""Disk operations against a writeback that is simulated interval by interval."""

from __future__ import annotations

import numpy as np
import pytest

from planner.model import iops
from tests.elementwise import check_element_by_element

IO, INTERVAL, INDEX = 131_072.0, 5.0, 4096


def modelled(appends: float, batch: float) -> float:
    return float(
        iops.writeback_iops(
            appends_per_s=appends,
            disk_write_bytes_per_s=appends * batch,
            writeback_interval_s=INTERVAL,
            io_bytes=IO,
            index_interval_bytes=float(INDEX),
        )
    )


def simulated(appends: float, batch: int) -> tuple[float, float]:
    """Operations per second, and their standard error, of a log tail and two indexes flushed at each interval.

    Appends are Poisson; Kafka adds an entry to each index once more than an interval of log came since the last.
    """
    count = np.random.default_rng(7).poisson(appends * INTERVAL, 400_000)
    every = INDEX // batch + 1
    entries = np.diff(np.concatenate(([0], count.cumsum())) // every)
    operations = np.where(count > 0, np.maximum(1.0, count * batch / IO), 0.0) + 2 * (entries > 0)
    return operations.mean() / INTERVAL, operations.std() / INTERVAL / np.sqrt(count.size)


RATES = (0.01, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 20.0, 100.0, 1000.0)


@pytest.mark.parametrize("appends", RATES)
@pytest.mark.parametrize("batch", [5000, 16_384, 131_072, 1_000_000])
def test_batches_beyond_the_index_interval(appends: float, batch: int) -> None:
    mean, error = simulated(appends, batch)
    assert abs(modelled(appends, batch) - mean) <= 0.02 * mean + 3 * error


@pytest.mark.parametrize("appends", RATES)
@pytest.mark.parametrize("batch", [68, 300, 1000, 2048, 3000, 4096])
def test_small_batches(appends: float, batch: int) -> None:
    mean, error = simulated(appends, batch)
    # lowest where the log is always dirty and entries come once an interval, by the clock: 1 + 2 (1 - 1/e) for 1 + 2;
    # highest for rare batches of just the index interval: Kafka indexes every second one, so 1 + 2 for 1 + 1
    lowest, highest = (3 - 2 / np.e) / 3, 3 / 2
    assert lowest * mean - 3 * error <= modelled(appends, batch) <= highest * mean + 3 * error


def test_idle_replicas_cost_nothing_and_slow_ones_three_writes_an_append() -> None:
    assert modelled(0.0, 1000.0) == 0
    # one append an hour dirties the log and both indexes once
    assert modelled(1 / 3600, 16_384.0) == pytest.approx(3 / 3600, rel=0.001)


def test_a_busy_replica_writes_its_bytes() -> None:
    # 128 MiB/s in operations of 128 KiB, and two index pages in 5 s
    assert modelled(1024.0, 131_072.0) == pytest.approx(1024 + 2 / 5)


def test_many_small_busy_partitions_cost_more_than_a_large_one() -> None:
    # 10 MB/s over 1, 100 and 2000 replicas: 76, then 3 files of each replica every 5 s
    cost = [count * modelled(10_000.0 / count, 1000.0) for count in (1, 100, 2000)]
    assert cost == pytest.approx([76.7, 116, 1200], rel=0.01)


def test_reads_are_bytes_over_size() -> None:
    # 30 MB/s with a readahead of 128 KiB
    assert iops.read_iops(disk_read_bytes_per_s=30e6, io_bytes=IO) == pytest.approx(30e6 / 2**17)


def test_arrays_give_what_floats_give() -> None:
    check_element_by_element(
        iops.writeback_iops,
        appends_per_s=(0.0, 1e4),
        disk_write_bytes_per_s=(0.0, 1e9),
        writeback_interval_s=(5.0, 30.0),
        io_bytes=(4096.0, 2.0**20),
        index_interval_bytes=(4096.0, 4096.0),
    )
    check_element_by_element(iops.read_iops, disk_read_bytes_per_s=(0.0, 1e9), io_bytes=(4096.0, 2.0**20))
