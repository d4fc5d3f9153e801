"""Record batches (magic 2) as they stand in the log and on the wire: counted, decompressed in bounds, and summed up."""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from planner.sources.facts import Sample

_HEADER = struct.Struct(">qiibIhiqqqhii")  # 61 bytes
_LENGTH_END = 12  # offset and length are not counted in the length
_MAGIC = 2
_CODEC_MASK, _CONTROL = 0x07, 0x20
CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
MAX_BATCH_BYTES = 32 * 2**20  # after decompression; a batch of Kafka's defaults is at most 1 MiB before it
_XERIAL = b"\x82SNAPPY\x00"
_XERIAL_HEADER = 16  # magic, version, compatible version
_VARINT_BYTES = 5


class BatchError(ValueError):
    """These bytes are no record batch that can be read; the text says why."""


@dataclass
class Tally:
    """Sums over the batches of one topic."""

    batches: int = 0
    records: int = 0
    wire_bytes: int = 0
    section_bytes: int = 0
    compressed_bytes: int = 0
    key_bytes: int = 0
    keyed_records: int = 0
    value_bytes: int = 0
    headers: dict[str, list[int]] = field(default_factory=dict)
    codecs: Counter[str] = field(default_factory=Counter)
    unread: Counter[str] = field(default_factory=Counter)  # batches that could not be read, by reason

    def add(self, data: bytes | memoryview) -> None:
        """Count every whole batch of what a fetch returned; the last one may be cut off."""
        for batch in whole_batches(bytes(data)):
            try:
                self._add(batch)
            except BatchError as error:
                self.unread[str(error)] += 1

    def _add(self, batch: bytes) -> None:
        attributes, count = _attributes(batch)
        if attributes & _CONTROL or count == 0:
            return  # a transaction's marker, or what compaction left of a batch
        codec = attributes & _CODEC_MASK
        if codec >= len(CODECS):
            raise BatchError("an unknown codec")
        stored = batch[_HEADER.size :]
        section = stored if codec == 0 else decompressed(CODECS[codec], stored)
        rows = list(_records(section, count))
        self.batches += 1
        self.records += len(rows)
        self.wire_bytes += len(batch)
        self.section_bytes += len(section)
        self.compressed_bytes += len(stored)
        self.codecs[CODECS[codec]] += 1
        for key, value, headers in rows:
            self.keyed_records += key is not None
            self.key_bytes += key or 0
            self.value_bytes += value
            for name, size in headers:
                row = self.headers.setdefault(name, [0, 0])
                row[0] += 1
                row[1] += size

    def sample(self) -> Sample | None:
        """The sums, when anything was read."""
        if not self.records:
            return None
        headers = {name: (often, size) for name, (often, size) in self.headers.items()}
        return Sample(
            batches=self.batches,
            records=self.records,
            wire_bytes=self.wire_bytes,
            section_bytes=self.section_bytes,
            compressed_bytes=self.compressed_bytes,
            key_bytes=self.key_bytes,
            keyed_records=self.keyed_records,
            value_bytes=self.value_bytes,
            headers=headers,
            codecs=dict(self.codecs),
        )


def whole_batches(data: bytes) -> Iterator[bytes]:
    """Each complete batch."""
    position = 0
    while position + _LENGTH_END <= len(data):
        (length,) = struct.unpack_from(">i", data, position + 8)
        end = position + _LENGTH_END + length
        if length < _HEADER.size - _LENGTH_END or end > len(data):
            return
        yield data[position:end]
        position = end


def _attributes(batch: bytes) -> tuple[int, int]:
    """Attributes and record count of a batch."""
    row = _HEADER.unpack_from(batch)
    if row[3] != _MAGIC:
        raise BatchError("an old message format")
    if not 0 <= row[12] <= len(batch) * 2**10:
        raise BatchError("a broken record count")
    return row[5], row[12]


# Decompression, bounded because the size after it is not known before


def decompressed(codec: str, data: bytes) -> bytes:
    """What was compressed, refused beyond `MAX_BATCH_BYTES`."""
    return _gunzipped(data) if codec == "gzip" else _by_cramjam(codec, data)


def _gunzipped(data: bytes) -> bytes:
    machine = zlib.decompressobj(wbits=31)
    try:
        found = machine.decompress(data, MAX_BATCH_BYTES)
    except zlib.error:
        raise BatchError("broken gzip data") from None
    if not machine.eof:
        raise BatchError("a batch that is too large or cut off")
    return found


def _by_cramjam(codec: str, data: bytes) -> bytes:
    try:
        import cramjam  # of the extra live; gzip is in the standard library
    except ImportError:
        raise BatchError(f"{codec} needs the extra live") from None
    if codec == "snappy":
        blocks = _snappy_blocks(data)
        try:
            if sum(map(cramjam.snappy.decompress_raw_len, blocks)) > MAX_BATCH_BYTES:
                raise BatchError("a batch that is too large")
            return b"".join(bytes(cramjam.snappy.decompress_raw(block)) for block in blocks)
        except cramjam.DecompressionError:
            raise BatchError("broken snappy data") from None
    read = {"lz4": cramjam.lz4.decompress_into, "zstd": cramjam.zstd.decompress_into}[codec]
    room = max(2**16, 8 * len(data))
    while True:
        buffer = bytearray(min(room, MAX_BATCH_BYTES))
        try:
            return bytes(buffer[: read(data, buffer)])
        except cramjam.DecompressionError:  # too little room, or broken: the library does not say which
            if room >= MAX_BATCH_BYTES:
                raise BatchError(f"a {codec} batch that is too large or broken") from None
            room *= 8


def _snappy_blocks(data: bytes) -> list[bytes]:
    """The Java client writes blocks of up to 32 KiB, each with its length before it; others write one block."""
    if not data.startswith(_XERIAL):
        return [data]
    blocks = []
    position = _XERIAL_HEADER
    while position + 4 <= len(data):
        (length,) = struct.unpack_from(">i", data, position)
        position += 4
        if length <= 0 or position + length > len(data):
            raise BatchError("broken snappy data")
        blocks.append(data[position : position + length])
        position += length
    return blocks


# Records


def _records(section: bytes, count: int) -> Iterator[tuple[int | None, int, list[tuple[str, int]]]]:
    """Of each record: length of the key or None, length of the value, and each header with the length of its value."""
    position = 0
    for _ in range(count):
        length, position = _varint(section, position)
        end = position + length
        if length < 1 or end > len(section):
            raise BatchError("a broken record")
        _, at = _varint(section, position + 1, 10)  # timestamp delta, after the attributes
        _, at = _varint(section, at)
        key, at = _varint(section, at)
        at += max(key, 0)
        value, at = _varint(section, at)
        at += max(value, 0)
        headers, at = _headers(section, at, end)
        if at != end:
            raise BatchError("a broken record")
        yield (key if key >= 0 else None), max(value, 0), headers
        position = end


def _headers(section: bytes, at: int, end: int) -> tuple[list[tuple[str, int]], int]:
    count, at = _varint(section, at)
    if not 0 <= count <= end - at:
        raise BatchError("a broken record")
    found = []
    for _ in range(count):
        length, at = _varint(section, at)
        if length < 0 or at + length > end:
            raise BatchError("a broken record")
        name = section[at : at + length].decode("utf-8", "replace")
        size, at = _varint(section, at + length)
        at += max(size, 0)
        found.append((name, max(size, 0)))
    return found, at


def _varint(data: bytes, position: int, most: int = _VARINT_BYTES) -> tuple[int, int]:
    """A zig-zag number and where it ends."""
    value = 0
    for index in range(most):
        if position >= len(data):
            raise BatchError("a broken record")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:  # noqa: PLR2004 - the bit that says that more follows
            return (value >> 1) ^ -(value & 1), position
    raise BatchError("a broken record")
