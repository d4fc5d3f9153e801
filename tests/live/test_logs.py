"""Logs over time: retention by bytes and by time, compaction, keys that move; sampled while producers run."""

from __future__ import annotations

import random
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from kafka import KafkaConsumer, KafkaProducer

import planner
from planner.constants import constant
from planner.model import compaction, storage
from tests.live.clients import Files, create, files, partition_dirs, producing
from tests.live.cluster import Cluster, classpath
from tests.live.ledger import FLOW, Ledger, Row

pytestmark = pytest.mark.live

PART = "Logs over time"
SEGMENT, CHECK_S, DELAY_S = 1 << 20, 5.0, 10.0
VALUE_BYTES, RATE = 1000, 250  # 0.25 MB/s into one partition: a segment in four seconds
BATCH, KEY_BYTES = 16, 8
WARM_S, WINDOW_S = 35.0, 45.0
RULES: Mapping[str, Mapping[str, int]] = {
    "bytes": {"retention_bytes": 4 * SEGMENT},
    "time": {"retention_ms": 20_000},
    "both": {"retention_bytes": 4 * SEGMENT, "retention_ms": 60_000},
}


KEYS, KEYED_RATE, BACKOFF_S = 4000, 600, 2.0


def wire_bytes_per_record(key_bytes: int | None) -> float:
    """As the planner says, in batches that fill."""
    topic = {
        "name": "t",
        "records_per_s": RATE,
        "record": {"key_bytes": key_bytes, "value_bytes": VALUE_BYTES},
        "batch": {"records": BATCH},
        **({} if key_bytes is None else {"keys": {"unique": KEYS}}),
    }
    found = planner.plan(planner.load({"version": 1, "name": "logs", "topics": [topic]})).topics["t"]
    return found.wire_bytes_per_record


def bytes_per_s() -> float:
    """Into each log that is kept by bytes or time."""
    return RATE * wire_bytes_per_record(None)


def compacted() -> tuple[float, float]:
    """Mean and most of a compacted log whose keys all return, evenly."""
    wire, header = wire_bytes_per_record(KEY_BYTES), constant("records.batch_header_bytes")
    survivor = compaction.uniform_survivor_header_bytes(batch_records=BATCH, batch_header_bytes=header)
    clean = compaction.clean_bytes(unique_keys=KEYS, record_bytes=wire - header / BATCH, survivor_header_bytes=survivor)
    trigger = compaction.dirty_trigger_bytes(clean_bytes=clean, min_dirty_ratio=0.5, segment_fill_bytes=SEGMENT)
    common = {"clean_bytes": clean, "tombstones_kept_bytes": 0.0, "dirty_trigger_bytes": trigger}
    rate = KEYED_RATE * wire
    mean = compaction.compacted_average_bytes(**common, average_bytes_per_s=rate, cleaner_wait_s=BACKOFF_S)
    most = compaction.compacted_max_bytes(
        **common, segment_fill_bytes=SEGMENT, peak_bytes_per_s=rate, cleaner_wait_s=BACKOFF_S
    )
    return float(mean), float(most)


def retained(rule: str) -> tuple[float, float, float]:
    """Mean and worst of the live log, and the mean that waits to be unlinked."""
    limits = RULES[rule]
    common = {
        "average_bytes_per_s": bytes_per_s(),
        "peak_bytes_per_s": bytes_per_s(),
        "peak_duration_s": 0.0,
        "check_interval_s": CHECK_S,
        "segment_fill_bytes": float(SEGMENT),
    }
    by_time = {"retention_s": limits.get("retention_ms", float("inf")) / 1000}
    by_size = {"retention_bytes": limits.get("retention_bytes", float("inf"))}
    mean = storage.live_bytes(
        time_rule_bytes=storage.time_retention_average_bytes(**common, **by_time),
        size_rule_bytes=storage.size_retention_average_bytes(**common, **by_size),
    )
    worst = storage.live_bytes(
        time_rule_bytes=storage.time_retention_max_bytes(**common, **by_time),
        size_rule_bytes=storage.size_retention_max_bytes(**common, **by_size),
    )
    waiting = storage.deleted_bytes(bytes_per_s=bytes_per_s(), delete_delay_s=DELAY_S)
    return float(mean), float(worst), float(waiting)


@pytest.fixture(scope="module")
def sampled(kafka: Cluster, ledger: Ledger) -> Mapping[str, tuple[Mapping[str, Row], list[Files]]]:
    """Every topic's files four times a second, after its rows were predicted."""
    rows = {}
    for rule in RULES:
        mean, worst, waiting = retained(rule)
        rows[rule] = {
            "mean": ledger.predict(
                PART, f"retention by {rule}: live log, mean", "bytes", mean, "storage.*_average_bytes"
            ),
            "worst": ledger.predict(
                PART, f"retention by {rule}: live log, most", "bytes", worst, "storage.*_max_bytes"
            ),
            "waiting": ledger.predict(
                PART, f"retention by {rule}: deleted, not unlinked", "bytes", waiting, "deleted_bytes"
            ),
        }
        create(kafka, f"kept-{rule}", 1, 1, segment_bytes=SEGMENT, **RULES[rule])
    mean, most = compacted()
    rows["state"] = {
        "mean": ledger.predict(PART, "compaction: live log, mean", "bytes", mean, "compacted_average_bytes"),
        "most": ledger.predict(PART, "compaction: live log, most", "bytes", most, "compacted_max_bytes"),
    }
    create(kafka, "kept-state", 1, 1, segment_bytes=SEGMENT, cleanup_policy="compact")
    samples: dict[str, list[Files]] = {rule: [] for rule in rows}
    with ExitStack() as producers:
        producers.enter_context(rewriting(kafka, "kept-state"))
        for rule in RULES:
            settings = {"linger_ms": 10_000, "batch_size": 16_384}
            producers.enter_context(producing(kafka, f"kept-{rule}", VALUE_BYTES, RATE, **settings))
        time.sleep(WARM_S)
        end = time.monotonic() + WINDOW_S
        while time.monotonic() < end:
            for rule in rows:
                samples[rule].append(files(replica(kafka, f"kept-{rule}")))
            time.sleep(0.25)
    return {rule: (rows[rule], samples[rule]) for rule in rows}


def replica(kafka: Cluster, topic: str) -> Any:
    """The folder of the one replica of a topic of one partition."""
    (folder,) = [path for broker in kafka.brokers for path in partition_dirs(kafka, broker, topic)]
    return folder


@pytest.mark.long
@pytest.mark.parametrize("rule", list(RULES))
def test_retention(ledger: Ledger, sampled: Mapping[str, tuple[Mapping[str, Row], list[Files]]], rule: str) -> None:
    rows, samples = sampled[rule]
    live = [sample.log_bytes for sample in samples]
    note = f"{len(samples)} samples in {WINDOW_S:.0f} s"
    ledger.measure(rows["mean"], sum(live) / len(live), note=f"{note}; phases of checks and rolls are not random")
    ledger.measure(rows["worst"], max(live), note="the prediction is a bound")
    ledger.measure(rows["waiting"], sum(sample.deleted_bytes for sample in samples) / len(samples), note=note)
    assert max(live) <= rows["worst"].predicted * (1 + FLOW)
    assert (
        abs(rows["mean"].error) <= SEGMENT / 2 / rows["mean"].predicted + FLOW
    )  # the phase moves it by half a segment


@pytest.mark.long
def test_compaction(ledger: Ledger, sampled: Mapping[str, tuple[Mapping[str, Row], list[Files]]]) -> None:
    rows, samples = sampled["state"]
    live = [sample.log_bytes for sample in samples]
    ledger.measure(rows["mean"], sum(live) / len(live), note=f"{KEYS} keys, {len(live)} samples in {WINDOW_S:.0f} s")
    ledger.measure(rows["most"], max(live), note="the prediction is a bound")
    assert max(live) <= rows["most"].predicted * (1 + FLOW)
    assert abs(rows["mean"].error) <= 0.1  # few passes fall into the window


@contextmanager
def rewriting(kafka: Cluster, topic: str) -> Iterator[None]:
    """Records of the known keys, in random order at an even rate, while the block runs."""
    ended = threading.Event()

    def write() -> None:
        chance, begun, sent = random.Random(1), time.monotonic(), 0  # noqa: S311 - which key comes next
        producer = KafkaProducer(bootstrap_servers=kafka.bootstrap, linger_ms=5000, batch_size=16_384 + 512)
        while not ended.is_set():
            while sent < (time.monotonic() - begun) * KEYED_RATE:
                producer.send(topic, key=f"{chance.randrange(KEYS):08d}".encode(), value=b"v" * VALUE_BYTES)
                sent += 1
            time.sleep(0.02)
        producer.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        ended.set()
        writer.join()


@contextmanager
def keyed(kafka: Cluster, topic: str) -> Iterator[subprocess.Popen[str]]:
    """Kafka's own console producer, which reads "key:value" lines."""
    command = [
        *("java", "-Xmx128m", "-cp", classpath(), "org.apache.kafka.tools.ConsoleProducer"),
        *("--bootstrap-server", kafka.bootstrap, "--topic", topic),
        *("--reader-property", "parse.key=true", "--reader-property", "key.separator=:"),
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(timeout=120) == 0


def test_keys_that_move(kafka: Cluster, ledger: Ledger) -> None:
    """The same keys into 6 and into 9 partitions, by Kafka's own producer."""
    keys, before, after = 40_000, 6, 9
    shop = planner.load(
        {
            "version": 1,
            "name": "keys",
            "topics": [
                {
                    "name": "orders",
                    "records_per_s": 10,
                    "record": {"key_bytes": 8, "value_bytes": 10},
                    "partitions": before,
                    "keys": {"ordered": True, "unique": keys},
                }
            ],
        }
    )
    share = planner.repartition(shop, "orders", after).moved_key_fraction
    row = ledger.predict(
        "Keys", f"keys that move from {before} to {after} partitions", "fraction", share, "repartition"
    )
    places = []
    for partitions in (before, after):
        topic = f"keys-{partitions}"
        create(kafka, topic, partitions, 1)
        with keyed(kafka, topic) as producer:
            assert producer.stdin is not None
            producer.stdin.writelines(f"key-{number}:x\n" for number in range(keys))
        places.append(partition_of_key(kafka, topic, keys))
    moved = sum(places[0][key] != places[1][key] for key in places[0]) / keys
    ledger.measure(row, moved, within=FLOW, note=f"{keys} keys")


def partition_of_key(kafka: Cluster, topic: str, count: int) -> dict[bytes, int]:
    """Where each key is, read back."""
    reader = KafkaConsumer(
        topic, bootstrap_servers=kafka.bootstrap, auto_offset_reset="earliest", consumer_timeout_ms=10_000
    )
    found: dict[bytes, int] = {}
    for record in reader:
        found[record.key] = record.partition
        if len(found) == count:
            break
    reader.close()
    assert len(found) == count
    return found
