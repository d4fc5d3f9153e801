"""Flows and requests per broker: healthy, one broker killed, returned before the leaders move back, reads by rack."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

import planner
from planner.constants import constant
from planner.model import handles as model
from planner.results import Plan
from tests.live.clients import assignment, consuming, create, described, handles, mean, over, producing
from tests.live.cluster import Cluster, wait_for
from tests.live.ledger import EXACT, FLOW, Ledger, Row

pytestmark = pytest.mark.live

PART = "Flows per broker"
RATE, VALUE_BYTES, PARTITIONS = 2000, 1000, 24
IN, OUT = ("BytesIn", "ReplicationBytesIn"), ("BytesOut", "ReplicationBytesOut")
GROUPS = ("first", "second")
WINDOW_S = 15


def planned(name: str, consumers: Sequence[Mapping[str, Any]], **cluster: Any) -> Plan:
    """The scenario of a run: what a user would write down before it."""
    topic = {
        "name": name,
        "records_per_s": RATE,
        "record": {"key_bytes": None, "value_bytes": VALUE_BYTES},
        "batch": {"linger": "50ms", "size": "16KiB"},
        "producers": 1,
        "partitions": PARTITIONS,
        "consumers": list(consumers),
    }
    body = {"version": 1, "name": "flows", "topics": [topic], "cluster": {"brokers": 3, "tls": False, **cluster}}
    return planner.plan(planner.load(body))


def predicted(ledger: Ledger) -> dict[str, Row]:
    """Every row of the story, before any of it happens."""
    plan, rows = planned("flow", [{"group": group, "members": 1} for group in GROUPS]), {}
    for state in ("healthy", "broker_down", "returned"):
        load = plan.states[state].per_broker
        assert load is not None
        words = state.replace("_", " ")
        for key, figure in (("in", "network_in_bytes_per_s"), ("out", "network_out_bytes_per_s")):
            by = f"plan.states.{state}.per_broker.{figure}"
            rows[f"{state} {key}"] = ledger.predict(PART, f"{words}, network {key}", "bytes/s", load[figure], by)
    cluster = plan.cluster
    by = "plan.cluster.produce_requests_per_s"
    rows["produce"] = ledger.predict(PART, "produce requests, all brokers", "1/s", cluster.produce_requests_per_s, by)
    by = "plan.cluster.fetch_requests_per_s"
    rows["fetch"] = ledger.predict(PART, "fetch requests, all brokers", "1/s", cluster.fetch_requests_per_s, by)
    healthy = plan.states["healthy"].per_broker
    assert healthy is not None
    by = "plan.states.healthy.per_broker.disk_write_bytes_per_s"
    rows["disk"] = ledger.predict(PART, "healthy, written to disk", "bytes/s", healthy["disk_write_bytes_per_s"], by)
    return rows


@pytest.fixture(scope="module")
def story(kafka: Cluster, ledger: Ledger) -> Mapping[str, tuple[Row, float]]:
    """Healthy, killed, returned: each row with what was measured."""
    rows = predicted(ledger)
    create(kafka, "flow", PARTITIONS, min_insync_replicas=2)
    with (
        consuming(kafka, "flow", GROUPS[0]),
        consuming(kafka, "flow", GROUPS[1]),
        producing(kafka, "flow", VALUE_BYTES, RATE, linger_ms=50, batch_size=16_384),
    ):
        steady(kafka)
        healthy = over(kafka, WINDOW_S)
        kafka.kill(3)
        wait_for(lambda: in_sync(kafka, 2), 60, "the replicas of the killed broker are still in sync")
        steady(kafka)
        down = over(kafka, WINDOW_S)
        kafka.start(3)
        wait_for(lambda: in_sync(kafka, 3), 60, "the replicas of the returned broker are not in sync")
        steady(kafka)
        returned = over(kafka, WINDOW_S)
    stayed = {broker: row for broker, row in returned.items() if broker != 3}
    found = {}
    for state, rates in (("healthy", healthy), ("broker_down", down), ("returned", stayed)):
        found[f"{state} in"] = mean(rates, *IN)
        found[f"{state} out"] = mean(rates, *OUT)
    found["produce"] = 3 * mean(healthy, "Produce requests")
    found["fetch"] = 3 * mean(healthy, "FetchConsumer requests", "FetchFollower requests")
    found["disk"] = mean(healthy, "write_bytes")
    ledger.note("Processor time per 1,000 requests", calibration(healthy))
    return {key: (rows[key], value) for key, value in found.items()}


def in_sync(kafka: Cluster, replicas: int) -> bool:
    """Whether every partition has so many replicas in sync."""
    return all(len(row["isr_nodes"]) == replicas for row in described(kafka, "flow"))


def steady(kafka: Cluster, rate: float = RATE) -> None:
    """Wait until a producer that was started or held up has caught up with its rate, and consumers with it."""

    def caught_up() -> bool:
        rates = over(kafka, 5)
        return abs(len(rates) * mean(rates, "MessagesIn") / rate - 1) < 0.01

    wait_for(caught_up, 90, f"the producer does not come to {rate} records a second")


def calibration(rates: Mapping[int, Mapping[str, float]]) -> str:
    """Processor time beside what it was spent on: of this machine only."""
    requests = mean(rates, "Produce requests", "FetchConsumer requests", "FetchFollower requests")
    return (
        f"{mean(rates, 'cpu_s'):.3f} core-seconds a second on a broker that took {mean(rates, *IN) / 1e6:.2f} MB/s in "
        f"and {mean(rates, *OUT) / 1e6:.2f} MB/s out in {requests:.0f} requests a second"
    )


@pytest.mark.parametrize("state", ["healthy", "broker_down", "returned"])
@pytest.mark.parametrize("way", ["in", "out"])
def test_flows(ledger: Ledger, story: Mapping[str, tuple[Row, float]], state: str, way: str) -> None:
    row, value = story[f"{state} {way}"]
    ledger.measure(row, value, within=FLOW, note=f"record bytes, mean over brokers, {WINDOW_S} s")


def test_requests(ledger: Ledger, story: Mapping[str, tuple[Row, float]]) -> None:
    row, value = story["produce"]
    ledger.measure(row, value, note="batches that fill in the same moment share a request: the prediction is the most")
    assert value <= row.predicted * (1 + FLOW)
    ledger.measure(*story["fetch"], note="depends on when the brokers' fetches meet the producers' requests")


def test_bytes_to_disk(ledger: Ledger, story: Mapping[str, tuple[Row, float]]) -> None:
    ledger.measure(*story["disk"], note="write_bytes of the process, mean over brokers")


@pytest.mark.long
def test_reads_by_rack(kafka: Cluster, ledger: Ledger, story: Mapping[str, tuple[Row, float]]) -> None:
    """A consumer in rack a is served by the broker of rack a; the others send to followers only."""
    assert story  # the topic is there, and its producer has ended
    racks = {str(broker): rack for broker, rack in zip(kafka.brokers, kafka.racks, strict=True)}
    create(kafka, "near", PARTITIONS)
    found = planned(
        "near",
        [{"group": "near", "members": 1, "zones": {"a": 1}}],
        fetch_from_follower=True,
        brokers_placed={"racks": racks, "topics": {"near": assignment(kafka, "near")}},
    )
    fullest = found.states["healthy"].fullest
    assert fullest is not None
    by = "plan.states.healthy.fullest.network_out_bytes_per_s"
    row = ledger.predict(
        PART, "network out of the broker in the rack that reads", "bytes/s", fullest["network_out_bytes_per_s"], by
    )
    with (
        consuming(kafka, "near", "near", client_rack="a"),
        producing(kafka, "near", VALUE_BYTES, RATE, linger_ms=50, batch_size=16_384),
    ):
        steady(kafka)
        rates = over(kafka, WINDOW_S)
    served = {broker: mean({broker: row_}, *OUT) for broker, row_ in rates.items()}
    assert max(served, key=lambda broker: served[broker]) == 1
    ledger.measure(row, served[1], within=FLOW, note="fetch from follower, one member, in rack a")


def test_handles(kafka: Cluster, ledger: Ledger) -> None:
    """What 300 idle partitions add, one segment each."""
    maps = model.mmaps(segments=300, maps_per_segment=constant("handles.maps_per_segment"), base_mmaps=0)
    files = model.open_files(segments=300, deleted_segments=0, connections=0, base_open_files=0)
    mapped = ledger.predict(PART, "memory maps that 300 partitions add", "count", float(maps), "handles.mmaps")
    opened = ledger.predict(PART, "open files that 300 partitions add", "count", float(files), "handles.open_files")
    create(kafka, "idle", 300)
    found = settled(kafka, "idle")
    ledger.measure(mapped, sum(row[1] for row in found) / 3, within=EXACT, note="an index is mapped at its first use")
    ledger.measure(opened, sum(row[0] for row in found) / 3, within=EXACT)


def settled(kafka: Cluster, topic: str) -> list[tuple[int, int]]:
    """Handles of a topic on each broker, once they have not changed for five seconds."""
    before: list[tuple[int, int]] = []
    for _ in range(12):
        time.sleep(5)
        now = [handles(kafka, broker, topic) for broker in kafka.brokers]
        if now == before:
            break
        before = now
    return before
