"""Bytes in the log: record batches, codecs, indexes, against Kafka's own producer and files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import planner
from planner.model import storage
from tests.live.clients import batches, create, files, json_lines, partition_dirs, produced
from tests.live.cluster import Cluster
from tests.live.ledger import EXACT, Ledger

pytestmark = pytest.mark.live

PART = "Bytes in the log"


def wire_bytes_per_record(value_bytes: int, records: float, codec: str = "none", ratio: float | None = None) -> float:
    """What the planner says of a topic, given only sizes, batch and ratio."""
    compression = {"codec": codec} if ratio is None else {"codec": codec, "ratio": ratio}
    topic = {
        "name": "t",
        "records_per_s": 1000,
        "record": {"key_bytes": None, "value_bytes": value_bytes},
        "compression": compression,
        "batch": {"records": records},
    }
    found = planner.plan(planner.load({"version": 1, "name": "bytes", "topics": [topic]}))
    return found.topics["t"].wire_bytes_per_record


@pytest.mark.parametrize(
    ("value_bytes", "batch_size"),
    [
        (100, 4096),
        (1000, 16_384),
        *(pytest.param(*sizes, marks=pytest.mark.long) for sizes in ((1000, 65_536), (9000, 16_384))),
    ],
)
def test_uncompressed_batches(kafka: Cluster, ledger: Ledger, value_bytes: int, batch_size: int) -> None:
    """Full batches: their fill and their size are both predicted."""
    topic, count = f"plain-{value_bytes}-{batch_size}", 5000 if value_bytes < batch_size / 2 else 1000
    body = {
        "name": "t",
        "records_per_s": 100_000,
        "record": {"key_bytes": None, "value_bytes": value_bytes},
        "batch": {"linger": "10s", "size": batch_size},
        "producers": 1,
        "partitions": 1,
    }
    plan = planner.plan(planner.load({"version": 1, "name": "bytes", "topics": [body]})).topics["t"]
    size = f"{value_bytes} B records, batch.size {batch_size}"
    fill = ledger.predict(PART, f"records in a full batch, {size}", "count", plan.batch_records, "plan.topics.*")
    stored = ledger.predict(
        PART, f"log of {count} records, {size}", "bytes", count * plan.wire_bytes_per_record, "wire_bytes_per_record"
    )
    create(kafka, topic, 1)
    produced(kafka, topic, count, value_bytes, linger_ms=10_000, batch_size=batch_size)
    folder = partition_dirs(kafka, 1, topic)[0]
    found = batches(next(folder.glob("*.log")))
    ledger.measure(fill, max(batch.records for batch in found), within=EXACT)
    ledger.measure(stored, files(folder).log_bytes, within=EXACT)


@pytest.mark.parametrize(
    "codec", ["lz4", "zstd", *(pytest.param(codec, marks=pytest.mark.long) for codec in ("snappy", "gzip"))]
)
def test_compressed_batches(kafka: Cluster, ledger: Ledger, tmp_path: Path, codec: str) -> None:
    """The ratio is measured on other records of the same kind first; the log of a second run is predicted with it."""
    value_bytes, count = 500, 12_000
    settings: dict[str, Any] = {"compression_type": codec, "linger_ms": 10_000, "batch_size": 65_536}
    create(kafka, f"sample-{codec}", 1)
    produced(kafka, f"sample-{codec}", count, payload_file=json_lines(tmp_path / "one", value_bytes, 1), **settings)
    sample = batches(next(partition_dirs(kafka, 1, f"sample-{codec}")[0].glob("*.log")))
    records = count / len(sample)
    plain = wire_bytes_per_record(value_bytes, records) * records - 61
    ratio = plain / (sum(batch.size_bytes for batch in sample) / len(sample) - 61)
    each = wire_bytes_per_record(value_bytes, records, codec, ratio)
    row = ledger.predict(
        PART, f"log of {count} JSON records of 500 B, {codec}", "bytes", count * each, "wire_bytes_per_record"
    )
    create(kafka, f"json-{codec}", 1)
    produced(kafka, f"json-{codec}", count, payload_file=json_lines(tmp_path / "two", value_bytes, 2), **settings)
    folder = partition_dirs(kafka, 1, f"json-{codec}")[0]
    note = f"ratio {ratio:.3f}, {records:.1f} records a batch, measured on other records before"
    ledger.measure(row, files(folder).log_bytes, within=EXACT, note=note)


def test_index_files(kafka: Cluster, ledger: Ledger) -> None:
    """Offset and time indexes of closed segments."""
    topic, value_bytes, records = "indexed", 1000, 16
    each = wire_bytes_per_record(value_bytes, records) * records
    closed = (1 << 20) // each  # batches that fit into a segment
    entries = float(storage.index_entries(batches=closed, batch_bytes=each, index_interval_bytes=4096))
    offsets = ledger.predict(PART, "offset index of a closed segment of 1 MiB", "bytes", entries * 8, "index_entries")
    times = ledger.predict(PART, "time index of a closed segment of 1 MiB", "bytes", entries * 12 + 12, "index_entries")
    create(kafka, topic, 1, segment_bytes=1 << 20)
    produced(kafka, topic, 5000, value_bytes, 1000, linger_ms=10_000, batch_size=16_384)
    segments = sorted(partition_dirs(kafka, 1, topic)[0].glob("*.log"))[:-1]

    def mean_size(suffix: str) -> float:
        return sum(segment.with_suffix(suffix).stat().st_size for segment in segments) / len(segments)

    note = f"mean of {len(segments)} closed segments"
    ledger.measure(offsets, mean_size(".index"), within=EXACT, note=note)
    ledger.measure(times, mean_size(".timeindex"), note=f"{note}; an entry only where the newest timestamp grew")
