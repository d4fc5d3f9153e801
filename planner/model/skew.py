"""How keys fall onto partitions: Kafka's hashes, and the share of the hottest partition."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from planner.model.partitions import zipf_sum
from planner.model.types import Array, Numeric
from planner.trace import formula

Integers: TypeAlias = npt.NDArray[np.int64]
Words: TypeAlias = npt.NDArray[np.uint32]

_SEED, _M = np.uint32(0x9747B28C), np.uint32(0x5BD1E995)
_EXACT_KEYS = 1_000  # most frequent keys that are placed one by one; the others together are nearly even
_DRAWS = 48  # assignments of keys to partitions that the hottest share is averaged over
_CELLS = 400_000  # shares drawn at most
_BLOCK_BYTES = 16_000_000  # keys hashed at a time; each takes the room of the longest beside it


def murmur2(*, keys: Sequence[bytes]) -> npt.NDArray[np.int32]:
    """Kafka's hash of each key, as the Java client computes it.

    Parameters
    ----------
    keys
        Serialised keys [-], any.

    Returns
    -------
    npt.NDArray[np.int32]
        Hash of each key, signed as in Java [-].

    Assumptions
    -----------
    None: an algorithm.

    Validity
    --------
    Java's default partitioner, Kafka Streams, and clients that copy it. Others hash differently.

    Examples
    --------
    >>> murmur2(keys=[b"21", b"foobar"]).tolist()
    [-973932308, -790332482]

    References
    ----------
    kafka-4.3-source
    """
    lengths = np.fromiter(map(len, keys), dtype=np.int64, count=len(keys))
    order = np.argsort(lengths, kind="stable")  # so that one long key does not make all others as wide
    room = np.maximum(lengths[order], 4)
    found = np.empty(len(keys), dtype=np.uint32)
    begin = 0
    while begin < len(order):
        taken = room[begin:] * np.arange(1, len(order) - begin + 1)
        end = begin + max(int(np.searchsorted(taken, _BLOCK_BYTES, side="right")), 1)
        found[order[begin:end]] = _hashed([keys[index] for index in order[begin:end].tolist()])
        begin = end
    return found.view(np.int32)


def _hashed(keys: Sequence[bytes]) -> Words:
    lengths = np.array([len(key) for key in keys])
    width = -(-int(lengths.max()) // 4) * 4
    flat = np.frombuffer(b"".join(key.ljust(width, b"\0") for key in keys), dtype=np.uint8)
    words = flat.reshape(len(keys), width).view("<u4") if width else np.zeros((len(keys), 0), dtype=np.uint32)
    state = _SEED ^ lengths.astype(np.uint32)
    whole, rest = lengths // 4, lengths % 4
    for position in range(words.shape[1]):
        word = words[:, position] * _M
        word = (word ^ (word >> np.uint32(24))) * _M
        state = np.where(position < whole, (state * _M) ^ word, state)
    if words.shape[1]:
        # the bytes after the last whole word; padding is zero and changes nothing
        last = words[np.arange(len(keys)), np.minimum(whole, words.shape[1] - 1)]
        state = np.where(rest > 0, (state ^ last) * _M, state)
    state = (state ^ (state >> np.uint32(13))) * _M
    return np.asarray(state ^ (state >> np.uint32(15)), dtype=np.uint32)


def key_hashes(*, keys: Sequence[bytes], librdkafka: bool = False) -> Integers:
    """The number of each key whose remainder by the partitions is its partition.

    Parameters
    ----------
    keys
        Serialised keys [-], any.
    librdkafka
        CRC-32 as librdkafka's default `consistent_random` hashes, instead of murmur2 without its sign [bool].

    Returns
    -------
    Integers
        Number of each key, never negative [-].

    Assumptions
    -----------
    None: an algorithm.

    Validity
    --------
    librdkafka takes the remainder of an unsigned number, Kafka's Java client that of one without its highest bit.

    Examples
    --------
    >>> key_hashes(keys=[b"21", b"foobar"]).tolist()
    [1173551340, 1357151166]

    References
    ----------
    kafka-4.3-source, librdkafka-source
    """
    if librdkafka:
        return np.fromiter((zlib.crc32(key) for key in keys), dtype=np.int64, count=len(keys))
    return murmur2(keys=keys).astype(np.int64) & 0x7FFFFFFF


def partition_of(*, keys: Sequence[bytes], partitions: int, librdkafka: bool = False) -> Integers:
    """The partition of each key, with Kafka's default partitioner or librdkafka's.

    Parameters
    ----------
    keys
        Serialised keys [-], any; empty ones have no fixed partition with librdkafka.
    partitions
        Partitions of the topic [count], >= 1.
    librdkafka
        CRC-32 as librdkafka's default `consistent_random` hashes, instead of murmur2 [bool].

    Returns
    -------
    Integers
        Partition of each key [-].

    Assumptions
    -----------
    Every partition has a leader; no custom partitioner.

    Validity
    --------
    Records with a key. Without one both clients fill one partition at a time.

    Examples
    --------
    >>> partition_of(keys=[b"21", b"foobar"], partitions=12).tolist()
    [0, 6]

    References
    ----------
    kafka-4.3-source, librdkafka-source
    """
    return key_hashes(keys=keys, librdkafka=librdkafka) % partitions


def partition_shares(*, partition: Integers, weight: Array, partitions: int) -> Array:
    """Share of the records in each partition, of keys whose partitions are known.

    Parameters
    ----------
    partition
        Partition of each key [-], 0 to partitions - 1.
    weight
        Records of each key [count], >= 0, not all 0.
    partitions
        Partitions of the topic [count], >= 1.

    Returns
    -------
    Array
        Share of each partition, shape (partitions,); they sum to 1 [fraction].

    Assumptions
    -----------
    None: a sum.

    Validity
    --------
    The keys counted stand for those to come.

    Examples
    --------
    >>> partition_shares(partition=np.array([0, 2, 2]), weight=np.array([1.0, 2.0, 1.0]), partitions=4).tolist()
    [0.25, 0.0, 0.75, 0.0]

    References
    ----------
    arithmetic
    """
    total = np.bincount(partition, weight, partitions).astype(float)
    shares: Array = total / total.sum()
    return shares


@dataclass(frozen=True, slots=True)
class Hottest:
    """Share of the hottest partition over the possible hashes of the keys."""

    mean_fraction: float
    p50_fraction: float
    p95_fraction: float


@lru_cache(maxsize=4096)
def hottest_partition(
    unique_keys: float, zipf_exponent: float, top_key_fraction: float | None, partitions: int, draws: int = _DRAWS
) -> Hottest:
    """Share of the hottest partition when only the distribution of the keys is known, with its spread.

    Parameters
    ----------
    unique_keys
        Distinct keys [count], >= 1.
    zipf_exponent
        Zipf's exponent of their frequencies; 0 makes all alike [-], >= 0.
    top_key_fraction
        Share of the most frequent key where it is known; the others share the rest by Zipf's law [fraction], 0 to 1.
    partitions
        Partitions of the topic [count], >= 1.
    draws
        Draws to average over; fewer, in proportion, for very many partitions [count], >= 1.

    Returns
    -------
    Hottest
        Mean, median and 95 % quantile of the hottest partition's share [fraction].

    Assumptions
    -----------
    The hash spreads keys at random. The 1,000 most frequent keys are placed one by one in seeded draws, what the others
    put on each partition is normal with their mean and variance.

    Validity
    --------
    Any number of keys. With 48 draws the mean has a few per cent of noise where few keys dominate, and the quantiles
    more; with 1,000 it is 1 or 2 %.

    Examples
    --------
    >>> hottest_partition(1, 0, None, 10).mean_fraction
    1.0
    >>> hottest_partition(1000, 0, None, 1).p95_fraction
    1.0

    References
    ----------
    arithmetic
    """
    shares, rest, square = _key_shares(unique_keys, zipf_exponent, top_key_fraction)
    width = max(partitions, len(shares))
    most = max(8, min(draws, _CELLS * draws // _DRAWS // width))
    at_once = max(8, _CELLS // width)
    generator = np.random.default_rng([partitions, len(shares)])
    blocks = (min(at_once, most - begun) for begun in range(0, most, at_once))
    drawn = np.concatenate([_hottest_drawn(generator, block, shares, rest, square, partitions) for block in blocks])
    middle, high = np.quantile(drawn, (0.5, 0.95))
    return Hottest(float(min(drawn.mean(), 1.0)), float(min(middle, 1.0)), float(min(high, 1.0)))


def _hottest_drawn(  # noqa: PLR0917 - what `hottest_partition` prepared
    generator: np.random.Generator, draws: int, shares: Array, rest: float, square: float, partitions: int
) -> Array:
    """The hottest share of each of some draws."""
    cells = generator.integers(partitions, size=(draws, len(shares))) + np.arange(draws)[:, None] * partitions
    placed = np.bincount(cells.ravel(), np.broadcast_to(shares, cells.shape).ravel(), draws * partitions)
    noise = generator.standard_normal((draws, partitions)) * np.sqrt(square / partitions * (1 - 1 / partitions))
    # the noise of all partitions sums to nothing, as the shares of all keys sum to one
    noise -= noise.mean(axis=1, keepdims=True)
    hottest: Array = (placed.reshape(draws, partitions) + rest / partitions + noise).max(axis=1)
    return hottest


def _key_shares(unique_keys: float, exponent: float, top: float | None) -> tuple[Array, float, float]:
    """Shares of the most frequent keys, the share of all others together, and the sum of the others' squares."""
    keys = max(int(unique_keys), 1)
    exact = min(keys, _EXACT_KEYS)
    frequency = np.arange(1, exact + 1, dtype=float) ** -exponent
    whole = float(zipf_sum(keys, exponent))
    beyond = whole - float(frequency.sum())
    squares = float(zipf_sum(keys, 2 * exponent)) - float((frequency**2).sum())
    if top is None or keys == 1:
        scale, shares = 1 / whole, frequency / whole
    else:
        scale = (1 - top) / max(whole - 1, 1e-300)
        shares = np.concatenate(([top], frequency[1:] * scale))
    if keys == exact:
        return shares, 0.0, 0.0
    return shares, max(beyond * scale, 0.0), max(squares * scale**2, 0.0)


@formula(
    "where(capacity_bytes_per_s > others_bytes_per_s,"
    " ceil(key_bytes_per_s / max(capacity_bytes_per_s - others_bytes_per_s, 1e-12) - 1e-9), 0)",
    unit="count",
    source="arithmetic",
)
def salts_needed(*, key_bytes_per_s: Numeric, capacity_bytes_per_s: Numeric, others_bytes_per_s: Numeric) -> Numeric:
    """How many ways a key must be salted, so that a salt and the other keys of its partition fit together.

    Parameters
    ----------
    key_bytes_per_s
        Bytes that arrive under the key at peak [bytes/s], >= 0.
    capacity_bytes_per_s
        What one partition, or the consumer that owns it, carries [bytes/s], > 0.
    others_bytes_per_s
        What other keys bring to a partition on average; 0 in a topic of its own [bytes/s], >= 0.

    Returns
    -------
    Numeric
        Salts; 0 where the other keys alone fill a partition, so that no number of them helps [count].

    Assumptions
    -----------
    The producer spreads the key's records evenly over the salts, and each falls on a partition of its own.

    Validity
    --------
    The order of the key's records holds only within a salt. Two salts may meet, see `salts_meet_fraction`.

    Examples
    --------
    >>> float(salts_needed(key_bytes_per_s=45.0, capacity_bytes_per_s=10.0, others_bytes_per_s=0.0))
    5.0
    >>> float(salts_needed(key_bytes_per_s=45.0, capacity_bytes_per_s=10.0, others_bytes_per_s=4.0))
    8.0

    References
    ----------
    arithmetic
    """
    room = np.asarray(capacity_bytes_per_s, dtype=float) - others_bytes_per_s
    salts: Numeric = np.where(room > 0, np.ceil(key_bytes_per_s / np.maximum(room, 1e-12) - 1e-9), 0.0)
    return salts


@formula("1 - chance_apart(salts, partitions)", unit="fraction", source="arithmetic")
def salts_meet_fraction(*, salts: Numeric, partitions: Numeric) -> Numeric:
    """Chance that hashing puts at least two salts of a key on one partition, which then carries both.

    Parameters
    ----------
    salts
        Salts of the key [count], >= 1.
    partitions
        Partitions of the topic [count], >= 1.

    Returns
    -------
    Numeric
        Chance [fraction].

    Assumptions
    -----------
    The hash spreads the salts at random.

    Validity
    --------
    Whole numbers of salts. Salts may be chosen instead so that their hashes differ.

    Examples
    --------
    >>> round(float(salts_meet_fraction(salts=2, partitions=4)), 12)
    0.25
    >>> float(salts_meet_fraction(salts=5, partitions=4))
    1.0

    References
    ----------
    arithmetic
    """
    meet: Numeric = 1 - chance_apart(salts, partitions)
    return meet


def chance_apart(salts: Numeric, partitions: Numeric) -> Numeric:
    """Chance that keys hashed at random all fall on partitions of their own.

    Parameters
    ----------
    salts
        Keys [count], >= 1.
    partitions
        Partitions [count], >= 1.

    Returns
    -------
    Numeric
        Product of 1 - k / partitions for k = 1 .. salts - 1 [fraction].

    Assumptions
    -----------
    None: arithmetic.

    Validity
    --------
    Parts of a key are cut off.

    Examples
    --------
    >>> float(chance_apart(salts=2, partitions=4))
    0.75

    References
    ----------
    arithmetic
    """

    def one(count: float, places: float) -> float:
        if count > places:
            return 0.0
        return float(np.prod(1 - np.arange(1, int(count)) / places))

    apart: Numeric = np.vectorize(one, otypes=[float])(salts, partitions)
    return apart


@formula("max(arriving_per_s - processed_per_s, 0)", unit="1/s", source="arithmetic")
def lag_growth_per_s(*, arriving_per_s: Numeric, processed_per_s: Numeric) -> Numeric:
    """How fast a partition's lag grows while more arrives than its consumer processes.

    Parameters
    ----------
    arriving_per_s
        Records that arrive at the partition [1/s], >= 0.
    processed_per_s
        Records that its consumer processes [1/s], >= 0.

    Returns
    -------
    Numeric
        Records of lag gained a second [1/s].

    Assumptions
    -----------
    Both rates are steady.

    Validity
    --------
    While the overload lasts.

    Examples
    --------
    >>> float(lag_growth_per_s(arriving_per_s=120.0, processed_per_s=100.0))
    20.0

    References
    ----------
    arithmetic
    """
    growth: Numeric = np.maximum(np.asarray(arriving_per_s) - processed_per_s, 0.0)
    return growth


@formula("retention_s / max(1 - processed_per_s / max(arriving_per_s, 1e-300), 1e-300)", unit="s", source="arithmetic")
def overtaken_after_s(*, arriving_per_s: Numeric, processed_per_s: Numeric, retention_s: Numeric) -> Numeric:
    """Seconds of overload until the oldest unread record is deleted by retention.

    Parameters
    ----------
    arriving_per_s
        Records that arrive at the partition [1/s], > 0.
    processed_per_s
        Records that its consumer processes, fewer than arrive [1/s], >= 0.
    retention_s
        How long a record is kept [s], > 0.

    Returns
    -------
    Numeric
        Time from the beginning of the overload; beyond any horizon when as much is processed as arrives [s].

    Assumptions
    -----------
    After a time t everything of the first t * processed / arriving is read, so the oldest unread record is
    t * (1 - processed / arriving) old.

    Validity
    --------
    Retention by time; the consumer starts without lag.

    Examples
    --------
    >>> float(overtaken_after_s(arriving_per_s=100.0, processed_per_s=50.0, retention_s=7.0))
    14.0

    References
    ----------
    arithmetic
    """
    unread = 1 - np.asarray(processed_per_s) / np.maximum(arriving_per_s, 1e-300)
    after: Numeric = retention_s / np.maximum(unread, 1e-300)
    return after
