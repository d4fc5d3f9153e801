"""Bytes of a compacted partition replica, and what the log cleaner reads, writes and keeps in memory."""

from __future__ import annotations

import numpy as np

from planner.model.types import Numeric
from planner.trace import formula


def _harmonic(number: Numeric) -> Numeric:
    """1 + 1/2 + ... + 1/number, and its smooth continuation between whole numbers, to eight digits from 1 on."""
    far = number + 8  # the asymptotic series is that exact from 9 on; step back down by the recurrence
    series = np.log(far) + np.euler_gamma + 1 / (2 * far) - 1 / (12 * far**2) + 1 / (120 * far**4)
    harmonic: Numeric = series - sum(1 / (number + step) for step in range(1, 9))
    return harmonic


def _ratio(part: Numeric, whole: Numeric) -> Numeric:
    """`part` over `whole`, and 0 where there is no whole."""
    positive = np.asarray(whole) > 0
    ratio: Numeric = np.where(positive, part / np.where(positive, whole, 1.0), 0.0) + 0.0
    return ratio


@formula(
    "batch_header_bytes * (1 - (1 - survival_fraction) ** batch_records) / (batch_records * survival_fraction)",
    unit="bytes",
    source="kafka-4.3-source",
    confidence="medium",
)
def survivor_header_bytes(
    *, batch_records: Numeric, survival_fraction: Numeric, batch_header_bytes: Numeric
) -> Numeric:
    """Header bytes per surviving record of a cleaned batch, when every record survives with the same chance.

    Parameters
    ----------
    batch_records
        Records in the batch as produced [count], >= 1.
    survival_fraction
        Share of the records that survive [fraction], above 0 to 1.
    batch_header_bytes
        Header of a batch [bytes], 61.

    Returns
    -------
    Numeric
        Header bytes per survivor [bytes]: from header / records (all survive) to the whole header (few do).

    Assumptions
    -----------
    Batches are never merged: one with any survivor keeps its header. Records survive independently of each other.

    Validity
    --------
    Batches of one age; over all ages of a log with uniform updates see `uniform_survivor_header_bytes`.

    Examples
    --------
    >>> survivor_header_bytes(batch_records=10, survival_fraction=1.0, batch_header_bytes=61)
    6.1
    >>> survivor_header_bytes(batch_records=2, survival_fraction=0.5, batch_header_bytes=60)
    45.0

    References
    ----------
    kafka-4.3-source
    """
    kept = 1 - (1 - survival_fraction) ** batch_records
    return batch_header_bytes * kept / (batch_records * survival_fraction)


@formula(
    "batch_header_bytes * _harmonic(batch_records) / batch_records",
    unit="bytes",
    source="assumption",
    confidence="medium",
)
def uniform_survivor_header_bytes(*, batch_records: Numeric, batch_header_bytes: Numeric) -> Numeric:
    """Header bytes per record of the clean part of a log whose keys are all updated equally often.

    Parameters
    ----------
    batch_records
        Records in a batch as produced [count], >= 1.
    batch_header_bytes
        Header of a batch [bytes], 61.

    Returns
    -------
    Numeric
        Mean header bytes per survivor [bytes].

    Assumptions
    -----------
    Updates hit all keys alike, so a record of age a is its key's newest with chance s = exp(-a u / K), u updates/s over
    K keys. Over all ages s is uniform in (0, 1], and the integral of `survivor_header_bytes` weighted by survivors is
    header * (1 + 1/2 + ... + 1/n) / n.

    Validity
    --------
    Many more keys than records in a batch. Keys that are never updated again: header / n. A few hot keys among many
    cold ones lie between.

    Examples
    --------
    >>> round(float(uniform_survivor_header_bytes(batch_records=2, batch_header_bytes=60)), 6)
    45.0

    References
    ----------
    assumption
    """
    return batch_header_bytes * _harmonic(batch_records) / batch_records


@formula("unique_keys * (record_bytes + survivor_header_bytes)", unit="bytes", source="kafka-4.3-source")
def clean_bytes(*, unique_keys: Numeric, record_bytes: Numeric, survivor_header_bytes: Numeric) -> Numeric:
    """Bytes of a replica that compaction cannot remove: the newest record of every key.

    Parameters
    ----------
    unique_keys
        Live keys of the partition [count], >= 0.
    record_bytes
        Newest record of a key as stored, without batch header [bytes], > 0.
    survivor_header_bytes
        Batch header per surviving record [bytes], >= 0.

    Returns
    -------
    Numeric
        Clean part of the log [bytes].

    Assumptions
    -----------
    Keys spread evenly over the partitions. Survivors compress as well as they did when produced, which thinned batches
    do not quite.

    Validity
    --------
    Topics that have seen all their keys.

    Examples
    --------
    >>> clean_bytes(unique_keys=1000, record_bytes=95, survivor_header_bytes=5)
    100000

    References
    ----------
    kafka-4.3-source
    """
    return unique_keys * (record_bytes + survivor_header_bytes)


@formula(
    "segment_fill_bytes * (floor(_ratio(min_dirty_ratio * clean_bytes / max(1 - min_dirty_ratio, 1e-9),"
    " segment_fill_bytes)) + 1)",
    unit="bytes",
    source="kafka-4.3-source",
)
def dirty_trigger_bytes(*, clean_bytes: Numeric, min_dirty_ratio: Numeric, segment_fill_bytes: Numeric) -> Numeric:
    """Bytes of closed, uncleaned segments at which the cleaner picks the log.

    Parameters
    ----------
    clean_bytes
        Clean part of the log [bytes], >= 0.
    min_dirty_ratio
        min.cleanable.dirty.ratio [fraction], 0 to below 1.
    segment_fill_bytes
        Bytes in a full segment [bytes], >= 0; 0 for an idle replica, which has no dirty part.

    Returns
    -------
    Numeric
        Dirty bytes that start a pass: whole segments [bytes].

    Assumptions
    -----------
    dirty / (clean + dirty) over closed segments must exceed the ratio; max.compaction.lag.ms is not set.

    Validity
    --------
    At a ratio of 1 Kafka never cleans; the result is then a billion times the clean part instead of infinite.

    Examples
    --------
    >>> float(dirty_trigger_bytes(clean_bytes=390, min_dirty_ratio=0.5, segment_fill_bytes=100))
    400.0

    References
    ----------
    kafka-4.3-source
    """
    wanted_bytes = min_dirty_ratio * clean_bytes / np.maximum(1 - min_dirty_ratio, 1e-9)
    trigger: Numeric = segment_fill_bytes * (np.floor(_ratio(wanted_bytes, segment_fill_bytes)) + 1)
    return trigger


@formula(
    "tombstones_per_s * tombstone_bytes * (delete_retention_s + _ratio(1, cleanings_per_s))",
    unit="bytes",
    source="kafka-4.3-source",
    confidence="medium",
)
def tombstones_kept_bytes(
    *,
    tombstones_per_s: Numeric,
    tombstone_bytes: Numeric,
    delete_retention_s: Numeric,
    cleanings_per_s: Numeric,
) -> Numeric:
    """Bytes of tombstones that outlive the keys they delete.

    Parameters
    ----------
    tombstones_per_s
        Records with a key and a null value into this partition [1/s], >= 0.
    tombstone_bytes
        One of them as stored, with its batch header share [bytes], > 0.
    delete_retention_s
        delete.retention.ms [s], >= 0.
    cleanings_per_s
        Cleaner passes over this log [1/s], >= 0.

    Returns
    -------
    Numeric
        Tombstones in the clean part [bytes].

    Assumptions
    -----------
    A tombstone is kept for the delete retention after the first pass that meets it and goes with the next pass. No key
    is deleted twice meanwhile.

    Validity
    --------
    Upper end: repeated deletes of a key leave one tombstone.

    Examples
    --------
    >>> float(
    ...     tombstones_kept_bytes(
    ...         tombstones_per_s=2.0, tombstone_bytes=50, delete_retention_s=100, cleanings_per_s=0.1
    ...     )
    ... )
    11000.0

    References
    ----------
    kafka-4.3-source
    """
    return tombstones_per_s * tombstone_bytes * (delete_retention_s + _ratio(1.0, cleanings_per_s))


@formula(
    "clean_bytes + tombstones_kept_bytes + dirty_trigger_bytes / 2 + average_bytes_per_s * cleaner_wait_s / 2",
    unit="bytes",
    source="arithmetic",
    confidence="medium",
)
def compacted_average_bytes(
    *,
    clean_bytes: Numeric,
    tombstones_kept_bytes: Numeric,
    dirty_trigger_bytes: Numeric,
    average_bytes_per_s: Numeric,
    cleaner_wait_s: Numeric,
) -> Numeric:
    """Mean bytes of the log files of a compacted replica.

    Parameters
    ----------
    clean_bytes
        Clean part of the log, also the least it ever holds [bytes], >= 0.
    tombstones_kept_bytes
        Tombstones in the clean part [bytes], >= 0.
    dirty_trigger_bytes
        Dirty bytes that start a pass [bytes], >= 0.
    average_bytes_per_s
        Bytes per second into the replica, average [bytes/s], >= 0.
    cleaner_wait_s
        Longest wait from the trigger to the end of the pass [s], >= 0.

    Returns
    -------
    Numeric
        Mean bytes of the log files [bytes].

    Assumptions
    -----------
    What was written since the last pass, active segment included, grows evenly from nothing to the trigger; a log waits
    half the longest wait on average.

    Validity
    --------
    Measured 0.3 % above it, in one run. Where more than a segment is written during the wait this is high, by up to a
    quarter of what the wait writes.

    Examples
    --------
    >>> compacted_average_bytes(
    ...     clean_bytes=390,
    ...     tombstones_kept_bytes=10,
    ...     dirty_trigger_bytes=400,
    ...     average_bytes_per_s=60,
    ...     cleaner_wait_s=2,
    ... )
    660.0

    References
    ----------
    arithmetic
    kafka-4.3-measured
    """
    waiting_bytes = average_bytes_per_s * cleaner_wait_s / 2
    return clean_bytes + tombstones_kept_bytes + dirty_trigger_bytes / 2 + waiting_bytes


@formula(
    "clean_bytes + tombstones_kept_bytes + dirty_trigger_bytes + segment_fill_bytes"
    " + peak_bytes_per_s * cleaner_wait_s",
    unit="bytes",
    source="kafka-4.3-source",
)
def compacted_max_bytes(
    *,
    clean_bytes: Numeric,
    tombstones_kept_bytes: Numeric,
    dirty_trigger_bytes: Numeric,
    segment_fill_bytes: Numeric,
    peak_bytes_per_s: Numeric,
    cleaner_wait_s: Numeric,
) -> Numeric:
    """Most bytes of the log files of a compacted replica: at the end of a cleaner pass, before the swap.

    Parameters
    ----------
    clean_bytes
        Clean part of the log [bytes], >= 0.
    tombstones_kept_bytes
        Tombstones in the clean part [bytes], >= 0.
    dirty_trigger_bytes
        Dirty bytes that start a pass [bytes], >= 0.
    segment_fill_bytes
        Bytes in a full segment, for the one that the cleaner is writing [bytes], >= 0.
    peak_bytes_per_s
        Bytes per second into the replica, at peak [bytes/s], >= 0.
    cleaner_wait_s
        Back-off, queue, pass and min.compaction.lag.ms together [s], >= 0.

    Returns
    -------
    Numeric
        Most bytes of the log files [bytes].

    Assumptions
    -----------
    The cleaner keeps up: passes are shorter than the time between them.

    Validity
    --------
    Measured 9.00 MiB against 10.0 MiB, of which 1.0 is the segment being written. With a queue of many logs the wait is
    the unknown.

    Examples
    --------
    >>> compacted_max_bytes(
    ...     clean_bytes=390, tombstones_kept_bytes=10, dirty_trigger_bytes=400, segment_fill_bytes=100,
    ...     peak_bytes_per_s=60, cleaner_wait_s=2,
    ... )
    1020

    References
    ----------
    kafka-4.3-source
    kafka-4.3-measured
    """
    waiting_bytes = peak_bytes_per_s * cleaner_wait_s
    return clean_bytes + tombstones_kept_bytes + dirty_trigger_bytes + segment_fill_bytes + waiting_bytes


@formula("_ratio(bytes_per_s, dirty_trigger_bytes)", unit="1/s", source="kafka-4.3-source")
def cleanings_per_s(*, bytes_per_s: Numeric, dirty_trigger_bytes: Numeric) -> Numeric:
    """Cleaner passes over a log per second; the period of a busy log is one over it.

    Parameters
    ----------
    bytes_per_s
        Bytes per second into the replica [bytes/s], >= 0.
    dirty_trigger_bytes
        Dirty bytes that start a pass [bytes], >= 0.

    Returns
    -------
    Numeric
        Passes [1/s]; 0 for an idle replica.

    Assumptions
    -----------
    A pass starts as soon as enough is dirty.

    Validity
    --------
    Upper end: the back-off of an idle cleaner (15 s) makes passes of small, fast logs rarer and larger.

    Examples
    --------
    >>> float(cleanings_per_s(bytes_per_s=10, dirty_trigger_bytes=400))
    0.025

    References
    ----------
    kafka-4.3-source
    """
    return _ratio(bytes_per_s, dirty_trigger_bytes)


@formula(
    "(clean_bytes + dirty_trigger_bytes) * cleanings_per_s * delete_delay_s",
    unit="bytes",
    source="kafka-4.3-source",
)
def compacted_deleted_average_bytes(
    *,
    clean_bytes: Numeric,
    dirty_trigger_bytes: Numeric,
    cleanings_per_s: Numeric,
    delete_delay_s: Numeric,
) -> Numeric:
    """Mean bytes of cleaned-away segments that still wait to be unlinked (`.deleted` files).

    Parameters
    ----------
    clean_bytes
        Clean part of the log [bytes], >= 0.
    dirty_trigger_bytes
        Dirty bytes that start a pass [bytes], >= 0.
    cleanings_per_s
        Cleaner passes over this log [1/s], >= 0.
    delete_delay_s
        file.delete.delay.ms [s], >= 0.

    Returns
    -------
    Numeric
        Mean bytes waiting [bytes].

    Assumptions
    -----------
    Each pass replaces the whole clean part and the dirty part.

    Validity
    --------
    As `cleanings_per_s`.

    Examples
    --------
    >>> compacted_deleted_average_bytes(
    ...     clean_bytes=400, dirty_trigger_bytes=400, cleanings_per_s=0.025, delete_delay_s=60
    ... )
    1200.0

    References
    ----------
    kafka-4.3-source
    """
    return (clean_bytes + dirty_trigger_bytes) * cleanings_per_s * delete_delay_s


@formula(
    "clean_bytes * where(cleanings_per_s > 0, 1 + floor(delete_delay_s * cleanings_per_s), 0)"
    " + peak_bytes_per_s * delete_delay_s",
    unit="bytes",
    source="arithmetic",
)
def compacted_deleted_worst_bytes(
    *,
    clean_bytes: Numeric,
    peak_bytes_per_s: Numeric,
    cleanings_per_s: Numeric,
    delete_delay_s: Numeric,
) -> Numeric:
    """Bytes that waiting files (`.deleted`) add to the most live bytes where live and waiting together are most.

    Parameters
    ----------
    clean_bytes
        Clean part of the log, kept tombstones included [bytes], >= 0.
    peak_bytes_per_s
        Bytes per second into the replica, at peak [bytes/s], >= 0.
    cleanings_per_s
        Cleaner passes over this log, at peak [1/s], >= 0.
    delete_delay_s
        file.delete.delay.ms [s], >= 0.

    Returns
    -------
    Numeric
        Bytes to add to `compacted_max_bytes` [bytes]; 0 for an idle replica.

    Assumptions
    -----------
    A pass makes the old clean part and the dirty part waiting files, so together live and waiting grow by a new clean
    part; until the delay ends they grow by what is written. The sum is most when the delay of a pass ends, with every
    pass that fell into it.

    Validity
    --------
    A bound, within 1 % of a simulated cleaner whose wait writes less than a segment. Right after a
    pass more bytes than this wait, but then the live log is that much shorter.

    Examples
    --------
    >>> float(
    ...     compacted_deleted_worst_bytes(
    ...         clean_bytes=400, peak_bytes_per_s=10, cleanings_per_s=0.025, delete_delay_s=60
    ...     )
    ... )
    1400.0

    References
    ----------
    arithmetic
    kafka-4.3-source
    """
    passes = np.where(np.asarray(cleanings_per_s) > 0, 1 + np.floor(delete_delay_s * cleanings_per_s), 0.0)
    waiting: Numeric = clean_bytes * passes + peak_bytes_per_s * delete_delay_s
    return waiting


@formula(
    "floor(floor(min(dedupe_buffer_bytes / cleaner_threads, thread_buffer_max_bytes) / key_entry_bytes) * load_factor)",
    unit="count",
    source="kafka-4.3-source",
)
def keys_per_pass(
    *,
    dedupe_buffer_bytes: Numeric,
    cleaner_threads: Numeric,
    thread_buffer_max_bytes: Numeric,
    key_entry_bytes: Numeric,
    load_factor: Numeric,
) -> Numeric:
    """Unique keys of the dirty part that one cleaner pass can take in.

    Parameters
    ----------
    dedupe_buffer_bytes
        log.cleaner.dedupe.buffer.size, all threads together [bytes], > 0.
    cleaner_threads
        log.cleaner.threads [count], >= 1.
    thread_buffer_max_bytes
        Most that one thread can use [bytes], 2**31 - 1.
    key_entry_bytes
        Hash and offset of a key [bytes], 24.
    load_factor
        log.cleaner.io.buffer.load.factor [fraction], above 0 to 1.

    Returns
    -------
    Numeric
        Keys per pass [count].

    Assumptions
    -----------
    None: the cleaner's map holds fixed entries.

    Validity
    --------
    A log with more unique dirty keys is cleaned in part, and its clean part is rewritten again by the next pass.

    Examples
    --------
    >>> float(
    ...     keys_per_pass(
    ...         dedupe_buffer_bytes=240, cleaner_threads=1, thread_buffer_max_bytes=2**31 - 1,
    ...         key_entry_bytes=24, load_factor=0.5,
    ...     )
    ... )
    5.0

    References
    ----------
    kafka-4.3-source
    """
    buffer_bytes = np.minimum(dedupe_buffer_bytes / cleaner_threads, thread_buffer_max_bytes)
    keys: Numeric = np.floor(np.floor(buffer_bytes / key_entry_bytes) * load_factor)
    return keys


@formula(
    "unique_keys * (1 - exp(-_ratio(dirty_records, unique_keys)))",
    unit="count",
    source="assumption",
    confidence="medium",
)
def dirty_keys(*, unique_keys: Numeric, dirty_records: Numeric) -> Numeric:
    """Unique keys among the records of the dirty part.

    Parameters
    ----------
    unique_keys
        Live keys of the partition [count], >= 0.
    dirty_records
        Records in the dirty part [count], >= 0.

    Returns
    -------
    Numeric
        Expected unique keys [count], at most either argument.

    Assumptions
    -----------
    Updates hit all keys alike; skewed updates touch fewer keys.

    Validity
    --------
    Many keys.

    Examples
    --------
    >>> round(float(dirty_keys(unique_keys=1000, dirty_records=1000)))
    632

    References
    ----------
    assumption
    """
    keys: Numeric = unique_keys * (1 - np.exp(-_ratio(dirty_records, unique_keys)))
    return keys


@formula("max(ceil(dirty_keys / keys_per_pass), 1)", unit="count", source="kafka-4.3-source")
def passes_per_cleaning(*, dirty_keys: Numeric, keys_per_pass: Numeric) -> Numeric:
    """Cleaner passes until the whole dirty part is clean: more than one when its keys do not fit into the map.

    Parameters
    ----------
    dirty_keys
        Unique keys in the dirty part [count], >= 0.
    keys_per_pass
        Keys that one pass takes in [count], > 0.

    Returns
    -------
    Numeric
        Passes [count], >= 1.

    Assumptions
    -----------
    Keys come evenly through the dirty part.

    Validity
    --------
    More than one pass is a reason to raise log.cleaner.dedupe.buffer.size.

    Examples
    --------
    >>> float(passes_per_cleaning(dirty_keys=12e6, keys_per_pass=5e6))
    3.0

    References
    ----------
    kafka-4.3-source
    """
    passes: Numeric = np.maximum(np.ceil(dirty_keys / keys_per_pass), 1)
    return passes


@formula(
    "dirty_keys * key_entry_bytes / load_factor * cleaner_threads",
    unit="bytes",
    source="kafka-4.3-source",
)
def dedupe_buffer_needed_bytes(
    *, dirty_keys: Numeric, key_entry_bytes: Numeric, load_factor: Numeric, cleaner_threads: Numeric
) -> Numeric:
    """log.cleaner.dedupe.buffer.size that takes all unique keys of a dirty part in one pass.

    Parameters
    ----------
    dirty_keys
        Unique keys in the dirty part of the largest log [count], >= 0.
    key_entry_bytes
        Hash and offset of a key [bytes], 24.
    load_factor
        log.cleaner.io.buffer.load.factor [fraction], above 0 to 1.
    cleaner_threads
        log.cleaner.threads, which share the buffer [count], >= 1.

    Returns
    -------
    Numeric
        Buffer [bytes]; 26.7 bytes a key and thread at the defaults.

    Assumptions
    -----------
    Any thread may get the largest log.

    Validity
    --------
    Up to 2 GiB a thread; it comes out of the heap.

    Examples
    --------
    >>> dedupe_buffer_needed_bytes(dirty_keys=900, key_entry_bytes=24, load_factor=0.9, cleaner_threads=1)
    24000.0

    References
    ----------
    kafka-4.3-source
    """
    return dirty_keys * key_entry_bytes / load_factor * cleaner_threads


@formula(
    "cleanings_per_s * (2 * dirty_trigger_bytes + clean_bytes * passes_per_cleaning)",
    unit="bytes/s",
    source="kafka-4.3-source",
)
def cleaner_read_bytes_per_s(
    *,
    cleanings_per_s: Numeric,
    clean_bytes: Numeric,
    dirty_trigger_bytes: Numeric,
    passes_per_cleaning: Numeric,
) -> Numeric:
    """Bytes per second that the cleaner reads of one replica: the dirty part for its keys, then the whole log.

    Parameters
    ----------
    cleanings_per_s
        How often the log becomes due [1/s], >= 0.
    clean_bytes
        Clean part of the log [bytes], >= 0.
    dirty_trigger_bytes
        Dirty bytes that start a pass [bytes], >= 0.
    passes_per_cleaning
        Passes until it is clean [count], >= 1.

    Returns
    -------
    Numeric
        Reads, from the page cache or from disk [bytes/s].

    Assumptions
    -----------
    log.cleaner.io.max.bytes.per.second does not hold the cleaner back.

    Validity
    --------
    Recently written dirty segments are read from the page cache.

    Examples
    --------
    >>> cleaner_read_bytes_per_s(
    ...     cleanings_per_s=0.025, clean_bytes=400, dirty_trigger_bytes=400, passes_per_cleaning=1
    ... )
    30.0

    References
    ----------
    kafka-4.3-source
    """
    return cleanings_per_s * (2 * dirty_trigger_bytes + clean_bytes * passes_per_cleaning)


@formula("cleanings_per_s * clean_bytes * passes_per_cleaning", unit="bytes/s", source="kafka-4.3-source")
def cleaner_write_bytes_per_s(
    *, cleanings_per_s: Numeric, clean_bytes: Numeric, passes_per_cleaning: Numeric
) -> Numeric:
    """Bytes per second that the cleaner writes of one replica: the whole clean part, each pass.

    Parameters
    ----------
    cleanings_per_s
        How often the log becomes due [1/s], >= 0.
    clean_bytes
        Clean part of the log [bytes], >= 0.
    passes_per_cleaning
        Passes until it is clean [count], >= 1.

    Returns
    -------
    Numeric
        Writes beside those of the producers [bytes/s].

    Assumptions
    -----------
    As many keys come as go, so a pass writes as much as the clean part held before.

    Validity
    --------
    About (1 - ratio) / ratio times the rate of the producers where the clean part is many segments.

    Examples
    --------
    >>> cleaner_write_bytes_per_s(cleanings_per_s=0.025, clean_bytes=400, passes_per_cleaning=1)
    10.0

    References
    ----------
    kafka-4.3-source
    """
    return cleanings_per_s * clean_bytes * passes_per_cleaning


@formula(
    "where(records > 0, dirty_keys(unique_keys=unique_keys, dirty_records=records) / max(records, 1e-12), 0)",
    unit="fraction",
    source="arithmetic",
)
def distinct_fraction(*, unique_keys: Numeric, records: Numeric) -> Numeric:
    """Share of the records written in some time that compaction keeps, because their key has no newer one.

    Parameters
    ----------
    unique_keys
        Keys that there are [count], >= 0.
    records
        Records written in that time [count], >= 0.

    Returns
    -------
    Numeric
        Kept share [fraction]; near 1 when nearly every record has a key of its own.

    Assumptions
    -----------
    Keys are drawn uniformly.

    Validity
    --------
    An upper bound under skew: popular keys repeat more.

    Examples
    --------
    >>> round(float(distinct_fraction(unique_keys=1000.0, records=1000.0)), 3)
    0.632

    References
    ----------
    arithmetic
    """
    kept = dirty_keys(unique_keys=unique_keys, dirty_records=records)
    share: Numeric = np.where(np.asarray(records) > 0, kept / np.maximum(records, 1e-12), 0.0)
    return share


@formula(
    "segment_fill_s + 2 * cleaning_period_s + delete_retention_s + 2 * cleaner_wait_s + delete_delay_s",
    unit="s",
    source="kafka-4.3-source",
    confidence="medium",
)
def deleted_key_gone_s(
    *,
    segment_fill_s: Numeric,
    cleaning_period_s: Numeric,
    delete_retention_s: Numeric,
    cleaner_wait_s: Numeric,
    delete_delay_s: Numeric,
) -> Numeric:
    """Longest time from writing a tombstone until no trace of the key is on the disk.

    Parameters
    ----------
    segment_fill_s
        Until the segment with the tombstone is closed: the open one is never cleaned [s], >= 0.
    cleaning_period_s
        Between two passes: the next one removes the older values and dates the tombstone [s], >= 0.
    delete_retention_s
        delete.retention.ms, from that pass on [s], >= 0.
    cleaner_wait_s
        log.cleaner.backoff.ms before an idle cleaner looks again [s], >= 0.
    delete_delay_s
        file.delete.delay.ms of the replaced segments [s], >= 0.

    Returns
    -------
    Numeric
        Time at most [s].

    Assumptions
    -----------
    A pass itself is quick, writing goes on at the same rate, max.compaction.lag.ms is not set.

    Validity
    --------
    A bound. A topic that is no longer written to is not cleaned again: then the key stays.

    Examples
    --------
    >>> deleted_key_gone_s(
    ...     segment_fill_s=100, cleaning_period_s=400, delete_retention_s=1000, cleaner_wait_s=15, delete_delay_s=60
    ... )
    1990

    References
    ----------
    kafka-4.3-source
    """
    return segment_fill_s + 2 * cleaning_period_s + delete_retention_s + 2 * cleaner_wait_s + delete_delay_s


@formula("(read_bytes_per_s + write_bytes_per_s) / capacity_bytes_per_s", unit="fraction", source="arithmetic")
def cleaner_busy_fraction(
    *, read_bytes_per_s: Numeric, write_bytes_per_s: Numeric, capacity_bytes_per_s: Numeric
) -> Numeric:
    """Share of the time that the cleaner threads of a broker work; above 1 they never catch up.

    Parameters
    ----------
    read_bytes_per_s
        What the cleaner has to read [bytes/s], >= 0.
    write_bytes_per_s
        What it has to write [bytes/s], >= 0.
    capacity_bytes_per_s
        What its threads move: their own speed, or log.cleaner.io.max.bytes.per.second [bytes/s], > 0.

    Returns
    -------
    Numeric
        Busy share [fraction].

    Assumptions
    -----------
    Reading and writing take turns in a thread.

    Validity
    --------
    The speed of a thread depends on records, codec and disk; measure it in the cleaner's log.

    Examples
    --------
    >>> cleaner_busy_fraction(read_bytes_per_s=30.0, write_bytes_per_s=10.0, capacity_bytes_per_s=80.0)
    0.5

    References
    ----------
    arithmetic
    """
    return (read_bytes_per_s + write_bytes_per_s) / capacity_bytes_per_s
