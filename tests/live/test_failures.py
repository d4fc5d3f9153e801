"""Where Kafka puts replicas, who leads after a failure, what takes no writes; and moves under a throttle."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pytest
from kafka import KafkaProducer
from kafka.errors import KafkaError

import planner
from planner.model import placement
from tests.live.clients import create_all, described
from tests.live.cluster import Cluster, wait_for
from tests.live.ledger import EXACT, Ledger

pytestmark = pytest.mark.live

PART = "Placement and failures"
RACKS = ("a", "a", "b", "b")
TOPICS, PARTITIONS, COPIES = 32, 24, 3
NAMES = tuple(f"placed-{number}" for number in range(TOPICS))

Replicas = Mapping[str, list[list[int]]]


@pytest.fixture(scope="module")
def four() -> Iterator[Cluster]:
    """Four brokers in two racks; the fourth is no controller, so two can die and the quorum lives."""
    quick = {
        "broker.session.timeout.ms": "12000",  # a busy machine must not fence a live broker
        "broker.heartbeat.interval.ms": "1000",
        "offsets.topic.replication.factor": "1",
    }
    with Cluster(RACKS, quick, controllers=3) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def placed(four: Cluster, ledger: Ledger) -> Replicas:
    """Topics as Kafka places them, after the prediction of how."""
    generator = np.random.default_rng(4)
    seen = [
        fullest(placement.place(np.array([PARTITIONS]), (2, 2), COPIES, generator)[:, 0].tolist()) for _ in range(2000)
    ]
    row = ledger.predict(
        PART, f"leaders of the fullest broker over the mean, {TOPICS} topics", "ratio", float(np.mean(seen)), "place"
    )
    create_all(four, NAMES, PARTITIONS, COPIES, min_insync_replicas=2)
    rows = described(four, *NAMES)
    lists = [list(row["replica_nodes"]) for row in rows]
    found = {name: lists[PARTITIONS * index : PARTITIONS * (index + 1)] for index, name in enumerate(NAMES)}
    measured = float(np.mean([fullest([replicas[0] for replicas in found[name]]) for name in NAMES]))
    error = float(np.std(seen)) / math.sqrt(TOPICS)
    ledger.measure(row, measured, note=f"4 brokers in 2 racks; one standard error of the measurement is {error:.3f}")
    assert abs(row.predicted - measured) <= 4 * error
    return found


def fullest(leaders: Sequence[int]) -> float:
    """Leaders of the fullest of four brokers, over the mean."""
    return max(Counter(leaders).values()) / (len(leaders) / len(RACKS))


def scenario(placed: Replicas) -> planner.Scenario:
    """The cluster as it stands."""
    topics = [
        {
            "name": name,
            "records_per_s": 10,
            "record": {"value_bytes": 100},
            "partitions": PARTITIONS,
            "replication_factor": COPIES,
            "min_insync_replicas": 2,
        }
        for name in placed
    ]
    racks = {str(broker): rack for broker, rack in enumerate(RACKS, start=1)}
    cluster = {"zones": 2, "tls": False, "brokers_placed": {"racks": racks, "topics": dict(placed)}}
    return planner.load({"version": 1, "name": "placed", "topics": topics, "cluster": cluster})


def test_leaders_use_a_share_of_the_brokers(placed: Replicas) -> None:
    """Each run of four partitions has leaders on 4/g brokers only."""
    concentration = placement.leader_concentration(4, 2, COPIES)
    assert concentration == 2
    for replicas in placed.values():
        for start in range(0, PARTITIONS, 4):
            assert len({row[0] for row in replicas[start : start + 4]}) == 4 // concentration


def test_leaders_and_writes_after_failures(four: Cluster, ledger: Ledger, placed: Replicas) -> None:
    """One broker killed, then a second one."""
    before = scenario(placed)
    one, two = planner.failure(before, ids=[4]), planner.failure(before, ids=[3, 4])
    assert one.survivors is not None
    by = "failure(ids=[4]).survivors.brokers"
    led = {
        row.broker: ledger.predict(
            PART, f"leaders of broker {row.broker} after broker 4 died", "count", row.leaders, by
        )
        for row in one.survivors.brokers
    }
    share = sum(two.unwritable.values()) / len(two.unwritable)
    unwritable = ledger.predict(
        PART, "partitions without writes, 2 of 4 brokers dead, min ISR 2", "fraction", share, "failure(ids=[3, 4])"
    )
    every = Counter(broker for lists in placed.values() for row in lists for broker in row)
    wait_for(lambda: in_sync(four) == every, 60, "not every replica is in sync to begin with")
    four.kill(4)
    wait_for(lambda: {4, -1}.isdisjoint(leaders(four)), 60, "the dead broker still leads")
    assert in_sync(four) == {broker: count for broker, count in every.items() if broker != 4}
    found = leaders(four)
    for broker, row in led.items():
        ledger.measure(row, found[broker or 0], within=EXACT)
    four.kill(3)
    wait_for(lambda: not {3, 4} & set(in_sync(four)), 60, "the dead brokers are still in sync")
    below = sum(len(row["isr_nodes"]) < 2 for row in described(four, *NAMES))
    ledger.measure(unwritable, below / (TOPICS * PARTITIONS), within=EXACT, note="exactly the set of the assignment")
    refused_where_predicted(four, placed)


def leaders(cluster: Cluster) -> Counter[int]:
    return Counter(row["leader_id"] for row in described(cluster, *NAMES))


def in_sync(cluster: Cluster) -> Counter[int]:
    found: Counter[int] = Counter()
    for row in described(cluster, *NAMES):
        found.update(row["isr_nodes"])
    return found


def refused_where_predicted(cluster: Cluster, placed: Replicas) -> None:
    """Kafka refuses a write just where fewer than two replicas live."""
    replicas = placed[NAMES[0]]
    few = next(number for number, row in enumerate(replicas) if len({1, 2} & set(row)) < 2)
    enough = next(number for number, row in enumerate(replicas) if len({1, 2} & set(row)) >= 2)
    producer = KafkaProducer(
        bootstrap_servers=cluster.bootstrap, acks="all", retries=0, delivery_timeout_ms=6000, request_timeout_ms=5000
    )
    try:
        producer.send(NAMES[0], b"x", partition=enough).get(timeout=20)
        with pytest.raises(KafkaError):
            producer.send(NAMES[0], b"x", partition=few).get(timeout=20)
    finally:
        producer.close(timeout=5)
