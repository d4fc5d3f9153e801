"""Record batches: written here by Kafka's format, checked against sizes that Java's client made, and read back."""

from __future__ import annotations

import gzip
import json
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.sources import record_batches
from planner.sources.record_batches import BatchError, Tally, decompressed, whole_batches

VECTORS = json.loads((Path(__file__).parent / "data" / "record_batch_vectors.json").read_text())["vectors"]
PLAIN = [row for row in VECTORS if row["codec"] == "none" and row["count"] <= 1000]


def _zigzag(number: int) -> bytes:
    value = (number << 1) ^ (number >> 63)
    found = bytearray()
    while value >= 0x80:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


def _field(data: bytes | None) -> bytes:
    return _zigzag(-1) if data is None else _zigzag(len(data)) + data


def _record(
    index: int, step_ms: int, key: bytes | None, value: bytes | None, headers: list[tuple[bytes, bytes]]
) -> bytes:
    body = b"\0" + _zigzag(index * step_ms) + _zigzag(index) + _field(key) + _field(value) + _zigzag(len(headers))
    body += b"".join(_field(name) + _field(text) for name, text in headers)
    return _zigzag(len(body)) + body


def _batch(section: bytes, count: int, *, codec: int = 0, attributes: int = 0, magic: int = 2) -> bytes:
    head = struct.pack(">ibIhiqqqhii", 0, magic, 0, codec | attributes, count - 1, 0, 0, -1, -1, -1, count)
    return struct.pack(">qi", 0, len(head) + len(section)) + head + section


def _made(row: dict[str, Any]) -> bytes:
    """A batch with the shape of a vector."""

    def bytes_of(size: int | None) -> bytes | None:
        return None if size is None else bytes(size)

    headers = [(b"h" * key, bytes(size or 0)) for key, size in row["headers"]]
    count = row["count"]
    rows = (
        _record(index, row["ts_step_ms"], bytes_of(row["key_size"]), bytes_of(row["value_size"]), headers)
        for index in range(count)
    )
    return _batch(b"".join(rows), count)


@pytest.mark.parametrize("row", PLAIN, ids=[row["name"] for row in PLAIN])
def test_counts_of_batches_whose_size_java_made(row: dict[str, Any]) -> None:
    batch = _made(row)
    assert len(batch) == row["expected_uncompressed_batch_bytes"]  # the writer above is right
    tally = Tally()
    tally.add(batch)
    assert not tally.unread
    assert (tally.batches, tally.records, tally.wire_bytes) == (1, row["count"], len(batch))
    assert tally.key_bytes == row["count"] * (row["key_size"] or 0)
    assert tally.keyed_records == (0 if row["key_size"] is None else row["count"])
    assert tally.value_bytes == row["count"] * (row["value_size"] or 0)
    assert sum(often for often, _ in tally.headers.values()) == row["count"] * len(row["headers"])


def test_gzip_counts_what_is_inside() -> None:
    section = b"".join(_record(index, 1, b"key", b"v" * 1000, []) for index in range(50))
    tally = Tally()
    tally.add(_batch(gzip.compress(section), 50, codec=1))
    assert (tally.records, tally.value_bytes, tally.section_bytes) == (50, 50_000, len(section))
    assert tally.compressed_bytes == len(gzip.compress(section))
    assert tally.codecs == {"gzip": 1}


def test_the_last_batch_of_an_answer_may_be_cut_off() -> None:
    batch = _batch(_record(0, 0, None, b"x", []), 1)
    assert len(list(whole_batches(batch + batch[:-1]))) == 1
    assert list(whole_batches(b"")) == []


def test_markers_and_what_compaction_emptied_do_not_count() -> None:
    tally = Tally()
    tally.add(_batch(_record(0, 0, b"k", b"v", []), 1, attributes=0x20) + _batch(b"", 0))
    assert tally.sample() is None
    assert not tally.unread


def test_what_cannot_be_read_is_counted_with_its_reason() -> None:
    good = _record(0, 0, None, b"x", [])
    tally = Tally()
    tally.add(
        _batch(good, 1, magic=1) + _batch(good, 1, codec=7) + _batch(good[:-1], 1) + _batch(b"\xff" * 20, 1, codec=1)
    )
    assert set(tally.unread) == {"an old message format", "an unknown codec", "a broken record", "broken gzip data"}


def test_a_bomb_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record_batches, "MAX_BATCH_BYTES", 10_000)
    with pytest.raises(BatchError, match="too large"):
        decompressed("gzip", gzip.compress(bytes(1_000_000)))


def test_without_the_extra_the_codec_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "cramjam", None)
    with pytest.raises(BatchError, match="zstd needs the extra live"):
        decompressed("zstd", b"")


@given(st.binary(max_size=300))
def test_any_bytes_are_counted_or_refused(data: bytes) -> None:
    tally = Tally()
    tally.add(data)
    tally.add(_batch(data, 3))
    tally.add(_batch(data, 3, codec=1))
    assert tally.records >= 0
