"""What takes minutes and is reported, not asserted: moves under a throttle, bytes to disk by partition count.

Run by `make measured`, which writes docs/measured.md; `make test-live` leaves it out.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import planner
from planner.operations.reassigning import Reassignment
from tests.live.clients import (
    assignment,
    create,
    described,
    files,
    mean,
    over,
    partition_dirs,
    produced,
    producing,
    totals,
)
from tests.live.cluster import Cluster, tool, wait_for
from tests.live.ledger import Ledger
from tests.live.test_flows import steady

pytestmark = pytest.mark.live

RACKS, PARTITIONS, RECORDS, RATE = ("a", "b", "a", "b"), 16, 640_000, 1000


@pytest.fixture(scope="module")
def four() -> Iterator[Cluster]:
    with Cluster(RACKS) as cluster:
        yield cluster


# Moves under a throttle


@pytest.fixture(scope="module")
def filled(four: Cluster) -> Cluster:
    """A topic of 640 MB in two copies."""
    create(four, "move", PARTITIONS, 2)
    produced(four, "move", RECORDS, 1000, linger_ms=20)
    return four


def planned(kafka: Cluster, throttle: float, **change: Any) -> Reassignment:
    """The move as the planner plans it, from sizes and assignment as a user would read them."""
    lists = assignment(kafka, "move")
    sizes = {
        ("move", number): float(
            files(
                next(path for path in partition_dirs(kafka, row[0], "move") if path.name == f"move-{number}")
            ).log_bytes
        )
        for number, row in enumerate(lists)
    }
    topic = {
        "name": "move",
        "records_per_s": RATE,
        "record": {"key_bytes": None, "value_bytes": 1000},
        "batch": {"linger": "50ms", "size": "16KiB"},
        "producers": 1,
        "partitions": PARTITIONS,
        "replication_factor": 2,
    }
    racks = {str(broker): rack for broker, rack in enumerate(RACKS, start=1)}
    cluster = {"zones": 2, "tls": False, "brokers_placed": {"racks": racks, "topics": {"move": lists}}}
    scenario = planner.load({"version": 1, "name": "move", "topics": [topic], "cluster": cluster})
    return planner.reassign(scenario, throttle=throttle, sizes=sizes, **change)


@pytest.mark.parametrize(("throttle", "change"), [(4e6, {"remove": (1, 2)}), (6e6, {"replication_factor": 3})])
def test_a_throttled_move(filled: Cluster, ledger: Ledger, throttle: float, change: dict[str, Any]) -> None:
    found = planned(filled, throttle, **change)
    assert found.duration_s is not None
    words = f"{next(iter(change)).replace('_', ' ')}, throttle {throttle / 1e6:.0f} MB/s"
    time_row = ledger.predict("Moves", f"{words}: time", "s", found.duration_s, "reassign().duration_s")
    bytes_row = ledger.predict("Moves", f"{words}: bytes", "bytes", found.bytes_moved, "reassign().bytes_moved")
    with producing(filled, "move", 1000, RATE, linger_ms=50, batch_size=16_384):
        steady(filled, RATE)
        before = sum(row["ReassignmentBytesIn"] for row in totals(filled).values())
        begun = time.monotonic()
        for number, batch in enumerate(found.batches):
            execute(filled, filled.folder / f"batch{number}.json", batch, throttle)
        took = time.monotonic() - begun
        moved = sum(row["ReassignmentBytesIn"] for row in totals(filled).values()) - before
    ledger.measure(time_row, took, note="our own batch files, executed by Kafka's tool")
    ledger.measure(bytes_row, moved)


def execute(kafka: Cluster, file: Path, batch: Any, throttle: float) -> None:
    """Start a batch with Kafka's tool, and wait until every replica is where it should be and in sync."""
    file.write_text(json.dumps(batch), encoding="ascii")
    command = "org.apache.kafka.tools.reassign.ReassignPartitionsCommand"
    where = ("--bootstrap-server", kafka.bootstrap, "--reassignment-json-file", str(file))
    tool(command, *where, "--execute", "--throttle", str(int(throttle)))
    wanted = {row["partition"]: set(row["replicas"]) for row in batch["partitions"]}

    def done() -> bool:
        now = described(kafka, "move")
        places = [(set(row["replica_nodes"]), set(row["isr_nodes"])) for row in now]
        return all(places[number] == (replicas, replicas) for number, replicas in wanted.items())

    wait_for(done, 400, "the move did not end")
    tool(command, *where, "--verify")  # takes the throttle away


# Bytes and operations to disk


@pytest.mark.parametrize("partitions", [3, 100, 1000])
def test_writes_to_disk(kafka: Cluster, ledger: Ledger, partitions: int) -> None:
    """The same 2 MB/s over more and more partitions."""
    topic = {
        "name": "t",
        "records_per_s": 2000,
        "record": {"key_bytes": None, "value_bytes": 1000},
        "batch": {"linger": "50ms", "size": "16KiB"},
        "producers": 1,
        "partitions": partitions,
    }
    body = {"version": 1, "name": "disk", "topics": [topic], "cluster": {"brokers": 3, "tls": False}}
    load = planner.plan(planner.load(body)).states["healthy"].per_broker
    assert load is not None
    words = f"2 MB/s over {partitions} partitions"
    written = ledger.predict(
        "Disk", f"{words}: bytes to disk, a broker", "bytes/s", load["disk_write_bytes_per_s"], "disk_write_bytes_per_s"
    )
    operations = ledger.predict(
        "Disk", f"{words}: writes of the device, three brokers", "1/s", 3 * load["disk_iops"], "3 x disk_iops"
    )
    create(kafka, f"disk-{partitions}", partitions)
    with producing(kafka, f"disk-{partitions}", 1000, 2000, linger_ms=50, batch_size=16_384):
        steady(kafka)
        time.sleep(30)
        before, begun = device_writes(kafka.folder), time.monotonic()
        rates = over(kafka, 60)
        count = (device_writes(kafka.folder) - before) / (time.monotonic() - begun)
    ledger.measure(written, mean(rates, "write_bytes"), note="write_bytes of the process")
    ledger.measure(
        operations, count, note="write requests of the block device, everything on it; merged, and the journal's too"
    )


def device_writes(folder: Path) -> int:
    """Write requests that the device under a folder has completed."""
    device = folder.stat().st_dev
    name = Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}/stat")
    return int(name.read_text(encoding="ascii").split()[4])
