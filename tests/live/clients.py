"""What the live tests do to a cluster and read from it: topics, producers, consumers, files, processes."""

from __future__ import annotations

import contextlib
import json
import random
import re
import struct
import subprocess
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from kafka import KafkaAdminClient
from kafka.admin import NewTopic
from kafka.errors import KafkaError

from tests.live.cluster import Cluster, running, tool, wait_for


class Batch(NamedTuple):
    """A record batch in a log."""

    records: int
    size_bytes: int


class Files(NamedTuple):
    """Allocated files of one partition replica."""

    log_bytes: int
    index_bytes: int
    deleted_bytes: int
    segments: int


# Topics


def admin(cluster: Cluster) -> KafkaAdminClient:
    return KafkaAdminClient(bootstrap_servers=cluster.bootstrap, request_timeout_ms=30_000)


def create(cluster: Cluster, name: str, partitions: int, copies: int = 3, **configs: Any) -> None:
    """A topic, with settings written with underscores; returns when every partition has a leader."""
    create_all(cluster, [name], partitions, copies, **configs)


def create_all(cluster: Cluster, names: Sequence[str], partitions: int, copies: int, **configs: Any) -> None:
    """Several such topics in one request."""
    settings = {key.replace("_", "."): str(value) for key, value in configs.items()}
    with contextlib.closing(admin(cluster)) as client:
        client.create_topics([NewTopic(name, partitions, copies, topic_configs=settings) for name in names])

    def led() -> bool:
        rows = described(cluster, *names)
        return len(rows) == partitions * len(names) and all(row["leader_id"] >= 0 for row in rows)

    wait_for(led, 60, f"{names} were not created")


def described(cluster: Cluster, *names: str) -> list[dict[str, Any]]:
    """Partitions of topics as the cluster describes them, tried until a broker answers."""
    for _ in range(20):
        with contextlib.suppress(KafkaError), contextlib.closing(admin(cluster)) as client:
            topics = {topic["name"]: topic["partitions"] for topic in client.describe_topics(list(names))}
            return [row for name in names for row in sorted(topics[name], key=lambda row: int(row["partition_index"]))]
        time.sleep(0.5)
    raise TimeoutError(f"no broker describes {names}")


def assignment(cluster: Cluster, name: str) -> list[list[int]]:
    """Replicas of each partition, preferred leader first."""
    return [list(row["replica_nodes"]) for row in described(cluster, name)]


# Producers and consumers


def produced(cluster: Cluster, topic: str, records: int, size: int = 0, rate: float = -1, **properties: Any) -> None:
    """Kafka's own producer, to its end; `payload_file` holds lines to draw from in place of `size` random bytes."""
    tool("org.apache.kafka.tools.ProducerPerformance", *_producing(cluster, topic, (records, size, rate), properties))


@contextlib.contextmanager
def producing(
    cluster: Cluster, topic: str, size: int, rate: float, **properties: Any
) -> Iterator[subprocess.Popen[bytes]]:
    """Kafka's own producer while the block runs."""
    arguments = _producing(cluster, topic, (10**9, size, rate), properties)
    with running("org.apache.kafka.tools.ProducerPerformance", *arguments) as process:
        yield process


def _producing(cluster: Cluster, topic: str, load: tuple[int, int, float], properties: Mapping[str, Any]) -> list[str]:
    records, size, rate = load
    given = {key.replace("_", "."): str(value) for key, value in properties.items()}
    payload = given.pop("payload.file", None)
    what = ["--record-size", str(size)] if payload is None else ["--payload-file", payload]
    settings = {"bootstrap.servers": cluster.bootstrap, "acks": "all", **given}
    return [
        *("--topic", topic, "--num-records", str(records), "--throughput", str(rate), *what),
        *("--producer-props", *(f"{key}={value}" for key, value in settings.items())),
    ]


@contextlib.contextmanager
def consuming(cluster: Cluster, topic: str, group: str, **properties: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Kafka's own consumer while the block runs."""
    file = cluster.folder / f"{group}.properties"
    lines = {"auto.offset.reset": "latest", **{key.replace("_", "."): value for key, value in properties.items()}}
    file.write_text("".join(f"{key}={value}\n" for key, value in lines.items()), encoding="ascii")
    arguments = ["--bootstrap-server", cluster.bootstrap, "--topic", topic, "--group", group]
    with running(
        "org.apache.kafka.tools.consumer.ConsoleConsumer", *arguments, "--consumer.config", str(file)
    ) as process:
        yield process


# Files


def partition_dirs(cluster: Cluster, broker: int, topic: str) -> list[Path]:
    """Folders of a topic's replicas on a broker."""
    return sorted(
        path for path in cluster.log_dir(broker).glob(f"{topic}-*") if re.fullmatch(rf"{topic}-\d+", path.name)
    )


def files(folder: Path) -> Files:
    """Sizes of a partition's files; indexes as allocated, because they are sparse."""
    log = index = deleted = segments = 0
    for path in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):  # deleted meanwhile
            size = path.stat().st_size
            if path.name.endswith(".deleted"):
                deleted += size if ".log" in path.name else 0
            elif path.suffix == ".log":
                log, segments = log + size, segments + 1
            elif path.suffix in {".index", ".timeindex"}:
                index += size
    return Files(log, index, deleted, segments)


def batches(log: Path) -> list[Batch]:
    """Record batches of a segment, from their headers."""
    data, at, found = log.read_bytes(), 0, []
    while at + 61 <= len(data):
        (length,) = struct.unpack_from(">i", data, at + 8)
        (records,) = struct.unpack_from(">i", data, at + 57)
        found.append(Batch(records, length + 12))
        at += length + 12
    return found


# Counters

Readings = defaultdict[str, float]


def totals(cluster: Cluster) -> dict[int, Readings]:
    """Counters of every live broker: bytes, requests, processor time, bytes to disk, handles."""
    return {broker: _counters(cluster, broker) for broker in cluster.alive()}


def _counters(cluster: Cluster, broker: int) -> Readings:
    found: Readings = defaultdict(float, time_s=time.monotonic())
    for name, value in cluster.metrics(broker).items():
        match = re.fullmatch(r'kafka_server_BrokerTopicMetrics_Count\{name="(\w+)PerSec"\}', name)
        if match:
            found[match[1]] += value
        match = re.match(r'kafka_network_RequestMetrics_Count\{name="RequestsPerSec",.*request="(\w+)"', name)
        if match:
            found[f"{match[1]} requests"] += value
    stat = Path(f"/proc/{cluster.pid(broker)}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    found["cpu_s"] = (int(stat[11]) + int(stat[12])) / 100
    for line in Path(f"/proc/{cluster.pid(broker)}/io").read_text(encoding="ascii").splitlines():
        key, _, number = line.partition(": ")
        found[key] = float(number)
    return found


def rates(before: Mapping[int, Readings], after: Mapping[int, Readings]) -> dict[int, dict[str, float]]:
    """Counters per second between two readings."""
    found = {}
    for broker in before:
        seconds = after[broker]["time_s"] - before[broker]["time_s"]
        found[broker] = {key: (after[broker][key] - before[broker][key]) / seconds for key in after[broker]}
    return found


def over(cluster: Cluster, seconds: float) -> dict[int, dict[str, float]]:
    """Rates of every live broker over some seconds."""
    before = totals(cluster)
    time.sleep(seconds)
    return rates(before, totals(cluster))


def mean(found: Mapping[int, Mapping[str, float]], *keys: str) -> float:
    """Mean over brokers of a sum of rates."""
    return sum(sum(row.get(key, 0.0) for key in keys) for row in found.values()) / len(found)


def handles(pid: int) -> tuple[int, int]:
    """Open files and memory maps of a process."""
    maps = Path(f"/proc/{pid}/maps").read_text(encoding="utf-8", errors="replace").count("\n")
    return len(list(Path(f"/proc/{pid}/fd").iterdir())), maps


def json_lines(path: Path, length: int, seed: int, count: int = 2000) -> Path:
    """A payload file of JSON texts of equal length, which compress as such texts do."""
    chance, lines = random.Random(seed), []  # noqa: S311 - texts for a test
    for number in range(count):
        words = " ".join(chance.choices(WORDS, k=length // 5))
        body = {"id": f"{chance.getrandbits(64):016x}", "at": 1_700_000_000_000 + number, "text": words}
        lines.append(json.dumps(body)[:length])
    path.write_text("\n".join(lines) + "\n", encoding="ascii")
    return path


# fmt: off
WORDS: Sequence[str] = (
    "order", "customer", "payment", "basket", "delivery", "invoice", "warehouse", "product", "category", "price",
    "quantity", "currency", "address", "country", "discount", "voucher", "session", "device", "browser", "campaign",
    "referrer", "timestamp", "status", "created", "updated", "cancelled", "refunded", "shipped",
)
# fmt: on
