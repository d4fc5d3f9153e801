"""Bytes of records and record batches (format 2), and how many records the producer puts in a batch and a request."""

from __future__ import annotations

import numpy as np

from planner.model.types import Numeric
from planner.trace import formula

# A zig-zag varint spends one sign bit and seven bits a byte: it grows by a byte at each of these.
_THRESHOLDS = (2.0**6, 2.0**13, 2.0**20, 2.0**27)


def _field_bytes(size_bytes: Numeric) -> Numeric:
    """Encoded bytes of a key or value: length and bytes; -1 (null) is the length -1 alone, one byte."""
    present = np.asarray(size_bytes) >= 0
    return present * (varint_bytes(number=np.maximum(size_bytes, 0)) + size_bytes) + (1 - present)


def _encoded_bytes(body_bytes: Numeric) -> Numeric:
    """A record of that body, with the length in front."""
    return varint_bytes(number=body_bytes) + body_bytes


def _section_bytes(records: Numeric, first_body_bytes: Numeric, timestamp_step_ms: Numeric) -> Numeric:
    """Sum of the encoded records 0 to `records` - 1 whose bodies start at `first_body_bytes`.

    The body grows by one byte where the offset delta or the timestamp delta of a record crosses a threshold, at most
    eight times. So the records fall into nine runs of equal size, and the sum needs no loop over records.
    """
    step = np.asarray(timestamp_step_ms, dtype=float)
    crossings = [np.full(step.shape, threshold) for threshold in _THRESHOLDS]
    crossings += [
        np.where(step > 0, np.ceil(threshold / np.where(step > 0, step, 1)), np.inf) for threshold in _THRESHOLDS
    ]
    starts = np.sort(np.stack(crossings), axis=0)
    before: Numeric = 0.0
    total: Numeric = 0.0
    for growth, start in enumerate([*starts, np.inf]):
        until = np.minimum(records, start)
        total = total + (until - before) * _encoded_bytes(first_body_bytes + growth)
        before = until
    return total


@formula(
    "1 + (number >= 64) + (number >= 8192) + (number >= 1048576) + (number >= 134217728)",
    unit="bytes",
    source="kafka-4.3-source",
)
def varint_bytes(*, number: Numeric) -> Numeric:
    """Bytes of a number in the variable-length encoding of record batches.

    Parameters
    ----------
    number
        A length or a delta [count], 0 to 2**34 - 1.

    Returns
    -------
    Numeric
        Encoded size [bytes], 1 to 5.

    Assumptions
    -----------
    None: zig-zag varint, seven bits a byte, one bit for the sign.

    Validity
    --------
    A fractional number (a mean length) counts as the whole number below it. Timestamp deltas of more than 198 days
    need a sixth byte, which is left out.

    Examples
    --------
    >>> int(varint_bytes(number=63)), int(varint_bytes(number=64)), int(varint_bytes(number=8192))
    (1, 2, 3)

    References
    ----------
    kafka-4.3-source
    """
    return np.asarray(1.0 + np.searchsorted(_THRESHOLDS, number, side="right"))


@formula("_field_bytes(key_bytes) + _field_bytes(value_bytes)", unit="bytes", source="kafka-4.3-source")
def header_bytes(*, key_bytes: Numeric, value_bytes: Numeric) -> Numeric:
    """Encoded bytes of one record header.

    Parameters
    ----------
    key_bytes
        Length of the header's key in UTF-8 [bytes], >= 0.
    value_bytes
        Length of the header's value [bytes], >= 0, or -1 for null.

    Returns
    -------
    Numeric
        Encoded size [bytes].

    Assumptions
    -----------
    None: two lengths and two byte strings.

    Validity
    --------
    Exact for whole lengths.

    Examples
    --------
    >>> int(header_bytes(key_bytes=8, value_bytes=16)), int(header_bytes(key_bytes=10, value_bytes=-1))
    (26, 12)

    References
    ----------
    kafka-4.3-source
    """
    return _field_bytes(key_bytes) + _field_bytes(value_bytes)


@formula(
    "varint_bytes(number=header_count) + header_count * each_header_bytes", unit="bytes", source="kafka-4.3-source"
)
def headers_bytes(*, header_count: Numeric, each_header_bytes: Numeric) -> Numeric:
    """Encoded bytes of all headers of a record: their count, then each of them.

    Parameters
    ----------
    header_count
        Headers of a record [count], >= 0.
    each_header_bytes
        Mean of `header_bytes` over them [bytes], >= 0.

    Returns
    -------
    Numeric
        Encoded size [bytes]; 1 for a record without headers.

    Assumptions
    -----------
    Every record carries the same headers.

    Validity
    --------
    Exact for whole lengths.

    Examples
    --------
    >>> int(headers_bytes(header_count=0, each_header_bytes=0))
    1
    >>> int(headers_bytes(header_count=1, each_header_bytes=26))
    27

    References
    ----------
    kafka-4.3-source
    """
    return varint_bytes(number=header_count) + header_count * each_header_bytes


@formula(
    "_encoded_bytes(1 + varint_bytes(number=index * timestamp_step_ms) + varint_bytes(number=index)"
    " + _field_bytes(key_bytes) + _field_bytes(value_bytes) + headers_bytes)",
    unit="bytes",
    source="kafka-4.3-source",
)
def record_bytes(
    *,
    index: Numeric,
    key_bytes: Numeric,
    value_bytes: Numeric,
    headers_bytes: Numeric,
    timestamp_step_ms: Numeric,
) -> Numeric:
    """Bytes of one record inside an uncompressed batch.

    Parameters
    ----------
    index
        Position in the batch, so its offset delta [count], >= 0.
    key_bytes
        Length of the key [bytes], >= 0, or -1 for null.
    value_bytes
        Length of the value [bytes], >= 0, or -1 for null (a tombstone).
    headers_bytes
        Encoded headers, see `headers_bytes` [bytes], >= 1.
    timestamp_step_ms
        Milliseconds from one record of the batch to the next [ms], >= 0.

    Returns
    -------
    Numeric
        Encoded size, length prefix included [bytes].

    Assumptions
    -----------
    Timestamps are evenly spaced and do not fall.

    Validity
    --------
    Exact for whole lengths; deltas below 2**34.

    Examples
    --------
    >>> int(record_bytes(index=0, key_bytes=-1, value_bytes=100, headers_bytes=1, timestamp_step_ms=0))
    109

    References
    ----------
    kafka-4.3-source
    """
    deltas = varint_bytes(number=index * timestamp_step_ms) + varint_bytes(number=index)
    return _encoded_bytes(1 + deltas + _field_bytes(key_bytes) + _field_bytes(value_bytes) + headers_bytes)


@formula(
    "_section_bytes(records, 3 + _field_bytes(key_bytes) + _field_bytes(value_bytes) + headers_bytes,"
    " timestamp_step_ms)",
    unit="bytes",
    source="kafka-4.3-source",
)
def records_section_bytes(
    *,
    records: Numeric,
    key_bytes: Numeric,
    value_bytes: Numeric,
    headers_bytes: Numeric,
    timestamp_step_ms: Numeric,
) -> Numeric:
    """Bytes of the records of a batch, uncompressed and without the batch header.

    Parameters
    ----------
    records
        Records in the batch [count], >= 1; a fraction is a mean over batches of the two nearest whole numbers.
    key_bytes
        Length of the key [bytes], >= 0, or -1 for null.
    value_bytes
        Length of the value [bytes], >= 0, or -1 for null (a tombstone).
    headers_bytes
        Encoded headers, see `headers_bytes` [bytes], >= 1.
    timestamp_step_ms
        Milliseconds from one record of the batch to the next [ms], >= 0.

    Returns
    -------
    Numeric
        Sum of `record_bytes` over the batch [bytes].

    Assumptions
    -----------
    All records have the same lengths; timestamps are evenly spaced and do not fall. A mean of 2.5 records stands for
    as many batches of 2 as of 3: the sum is linear between whole numbers.

    Validity
    --------
    Exact for whole records and lengths; deltas below 2**34.

    Examples
    --------
    >>> float(
    ...     records_section_bytes(records=2, key_bytes=-1, value_bytes=100, headers_bytes=1, timestamp_step_ms=0)
    ... )
    218.0
    >>> float(
    ...     records_section_bytes(records=2.5, key_bytes=-1, value_bytes=100, headers_bytes=1, timestamp_step_ms=0)
    ... )
    272.5

    References
    ----------
    kafka-4.3-source
    """
    first_body_bytes = 3 + _field_bytes(key_bytes) + _field_bytes(value_bytes) + headers_bytes
    return _section_bytes(records, first_body_bytes, timestamp_step_ms)


@formula("batch_header_bytes + section_bytes / compression_ratio", unit="bytes", source="kafka-4.3-source")
def batch_bytes(*, section_bytes: Numeric, compression_ratio: Numeric, batch_header_bytes: Numeric) -> Numeric:
    """Bytes of a record batch as sent, stored and replicated.

    Parameters
    ----------
    section_bytes
        Its records, uncompressed [bytes], >= 0.
    compression_ratio
        Uncompressed over compressed records [ratio], > 0; 1 = no compression.
    batch_header_bytes
        Header of a batch, never compressed [bytes], 61.

    Returns
    -------
    Numeric
        Batch [bytes].

    Assumptions
    -----------
    The ratio is that of batches of this size; small batches compress worse than a big file.

    Validity
    --------
    Exact without compression. The Java client keeps a compressed form that came out larger (ratio below 1).

    Examples
    --------
    >>> batch_bytes(section_bytes=1000, compression_ratio=2, batch_header_bytes=61)
    561.0

    References
    ----------
    kafka-4.3-source
    """
    return batch_header_bytes + section_bytes / compression_ratio


@formula("batch_bytes / max(records, 1)", unit="bytes", source="arithmetic")
def wire_bytes_per_record(*, batch_bytes: Numeric, records: Numeric) -> Numeric:
    """Bytes on the wire and in the log per record: its share of the batch.

    Parameters
    ----------
    batch_bytes
        Mean batch, compressed [bytes], > 0.
    records
        Mean records per batch [count], >= 1.

    Returns
    -------
    Numeric
        Bytes per record [bytes].

    Assumptions
    -----------
    Mean bytes of a batch over mean records of a batch, which is the long-run mean per record.

    Validity
    --------
    Any batch size.

    Examples
    --------
    >>> float(wire_bytes_per_record(batch_bytes=561.0, records=10))
    56.1

    References
    ----------
    arithmetic
    """
    return batch_bytes / np.maximum(records, 1)


@formula("max(key_bytes, 0) + max(value_bytes, 0) + headers_payload_bytes", unit="bytes", source="arithmetic")
def logical_bytes_per_record(*, key_bytes: Numeric, value_bytes: Numeric, headers_payload_bytes: Numeric) -> Numeric:
    """Bytes of a record as the application serialised it: key, value and headers, without any framing.

    Parameters
    ----------
    key_bytes
        Length of the key [bytes], >= 0, or -1 for null.
    value_bytes
        Length of the value [bytes], >= 0, or -1 for null.
    headers_payload_bytes
        Keys and values of all headers [bytes], >= 0.

    Returns
    -------
    Numeric
        Logical bytes per record [bytes].

    Assumptions
    -----------
    None: a definition.

    Validity
    --------
    Any record.

    Examples
    --------
    >>> float(logical_bytes_per_record(key_bytes=-1, value_bytes=700, headers_payload_bytes=24))
    724.0

    References
    ----------
    arithmetic
    """
    payload: Numeric = np.maximum(key_bytes, 0) + np.maximum(value_bytes, 0) + headers_payload_bytes
    return payload


@formula(
    "1 + floor(max(batch_size_bytes - batch_header_bytes - record_bytes, 0)"
    " * compression_ratio / (estimate_factor * record_bytes))",
    unit="count",
    source="kafka-4.3-source",
)
def full_batch_records(
    *,
    batch_size_bytes: Numeric,
    record_bytes: Numeric,
    compression_ratio: Numeric,
    estimate_factor: Numeric,
    batch_header_bytes: Numeric,
) -> Numeric:
    """Records in a batch that batch.size has filled.

    Parameters
    ----------
    batch_size_bytes
        batch.size of the producer [bytes], > 0.
    record_bytes
        Mean record, uncompressed [bytes], > 0.
    compression_ratio
        Uncompressed over compressed records [ratio], > 0; 1 = no compression.
    estimate_factor
        What the client multiplies its estimate of compressed bytes by [ratio]: 1.05, and 1 without compression.
    batch_header_bytes
        Header of a batch [bytes], 61.

    Returns
    -------
    Numeric
        Most records per batch [count], >= 1.

    Assumptions
    -----------
    The client's estimate of the ratio has settled on the true one. What is in the batch counts compressed, the record
    to come uncompressed. A record larger than batch.size gets a batch of its own.

    Validity
    --------
    The Java client; librdkafka also has batch.num.messages.

    Examples
    --------
    >>> float(
    ...     full_batch_records(
    ...         batch_size_bytes=16384,
    ...         record_bytes=1009,
    ...         compression_ratio=1,
    ...         estimate_factor=1,
    ...         batch_header_bytes=61,
    ...     )
    ... )
    16.0

    References
    ----------
    kafka-4.3-source
    """
    room = np.maximum(batch_size_bytes - batch_header_bytes - record_bytes, 0)
    most: Numeric = 1 + np.floor(room * compression_ratio / (estimate_factor * record_bytes))
    return most


@formula(
    "min(min(max(1 + records_per_s * linger_s, records_per_s * round_trip_s),"
    " max(leader_partitions, 1) * full_batch_records), max(max_request_bytes / wire_bytes_per_record, 1))",
    unit="count",
    source="kafka-4.3-measured",
    confidence="medium",
)
def records_per_request(
    *,
    records_per_s: Numeric,
    linger_s: Numeric,
    round_trip_s: Numeric,
    leader_partitions: Numeric,
    full_batch_records: Numeric,
    max_request_bytes: Numeric,
    wire_bytes_per_record: Numeric,
) -> Numeric:
    """Records in one produce request of one producer to one broker.

    Parameters
    ----------
    records_per_s
        Records of this producer for partitions led by this broker [1/s], >= 0.
        Null keys: all of this producer's records of the topic, because it fills one partition at a time.
    linger_s
        linger.ms [s], >= 0.
    round_trip_s
        Least time between two requests of a connection: the time of a commit [s], >= 0.
    leader_partitions
        Partitions of the topic that the broker leads [count], >= 1. Null keys: 1.
    full_batch_records
        Records in a full batch [count], >= 1.
    max_request_bytes
        max.request.size [bytes], > 0.
    wire_bytes_per_record
        Bytes of batch per record [bytes], > 0.

    Returns
    -------
    Numeric
        Mean records per request [count], >= 1.

    Assumptions
    -----------
    When the oldest batch for a broker has waited linger.ms, the producer sends every open batch of that broker in one
    request, one batch a partition; while a request is outstanding the next one fills.

    Validity
    --------
    Measured within 2 % of the requests and 5 % of the batches for keyed records at linger 5 to 50 ms below the bound
    of the round trip (6 and 24 partitions), within 15 % for null keys. Where the round trip binds it is a label, not a
    fitted figure. Where full batches bind and keys are spread over L partitions, the first batch that is full takes
    the others along: then this is high by up to 1.2 (L = 2) to 1.6 (L = 16) times at 16 records a batch.

    Examples
    --------
    >>> float(
    ...     records_per_request(
    ...         records_per_s=1000, linger_s=0.005, round_trip_s=0.002, leader_partitions=1, full_batch_records=16,
    ...         max_request_bytes=1048576, wire_bytes_per_record=1020,
    ...     )
    ... )
    6.0

    References
    ----------
    kafka-4.3-measured
    """
    gathered = np.maximum(1 + records_per_s * linger_s, records_per_s * round_trip_s)
    open_batches = np.maximum(leader_partitions, 1) * full_batch_records
    in_request = np.maximum(max_request_bytes / wire_bytes_per_record, 1)
    records: Numeric = np.minimum(np.minimum(gathered, open_batches), in_request)
    return records


@formula("records_per_s / records_per_request", unit="1/s", source="kafka-4.3-measured")
def requests_per_s(*, records_per_s: Numeric, records_per_request: Numeric) -> Numeric:
    """Produce requests per second of one producer to one broker.

    Parameters
    ----------
    records_per_s
        The records that `records_per_request` was computed for [1/s], >= 0.
    records_per_request
        Records in a request [count], >= 1.

    Returns
    -------
    Numeric
        Produce requests [1/s].

    Assumptions
    -----------
    None: every record travels in one request.

    Validity
    --------
    Retries are not counted.

    Examples
    --------
    >>> requests_per_s(records_per_s=1000, records_per_request=8)
    125.0

    References
    ----------
    kafka-4.3-measured
    """
    return records_per_s / records_per_request


@formula(
    "max(leader_partitions, 1) * (1 - (1 - 1 / max(leader_partitions, 1)) ** records_per_request)",
    unit="count",
    source="kafka-4.3-measured",
)
def batches_per_request(*, records_per_request: Numeric, leader_partitions: Numeric) -> Numeric:
    """Batches in one produce request: the partitions that its records fall into.

    Parameters
    ----------
    records_per_request
        Records in a request [count], >= 1.
    leader_partitions
        Partitions of the topic that the broker leads [count], >= 1. Null keys: 1.

    Returns
    -------
    Numeric
        Mean batches per request [count], 1 to the partitions.

    Assumptions
    -----------
    Keys fall uniformly and independently into the partitions. Under key skew there are fewer, larger batches.

    Validity
    --------
    One topic per request; topics that share a producer share requests too.

    Examples
    --------
    >>> float(batches_per_request(records_per_request=2, leader_partitions=2))
    1.5
    >>> float(batches_per_request(records_per_request=50, leader_partitions=1))
    1.0

    References
    ----------
    kafka-4.3-measured
    """
    partitions = np.maximum(leader_partitions, 1)
    touched: Numeric = partitions * (1 - (1 - 1 / partitions) ** records_per_request)
    return touched


@formula(
    "min(max(records_per_request / batches_per_request, 1), full_batch_records)",
    unit="count",
    source="kafka-4.3-measured",
)
def batch_records(
    *, records_per_request: Numeric, batches_per_request: Numeric, full_batch_records: Numeric
) -> Numeric:
    """Mean records in a batch that linger.ms, batch.size and the keys give.

    Parameters
    ----------
    records_per_request
        Records in a request [count], >= 1.
    batches_per_request
        Batches in a request [count], >= 1.
    full_batch_records
        Records in a full batch [count], >= 1.

    Returns
    -------
    Numeric
        Mean records per batch [count], >= 1.

    Assumptions
    -----------
    The mean is taken over batches of one producer and broker; weigh several by their batches.

    Validity
    --------
    Measured 0.2 to 5 % above this for keyed records, 6 to 13 % below it for null keys.

    Examples
    --------
    >>> float(batch_records(records_per_request=6.0, batches_per_request=1.5, full_batch_records=16))
    4.0

    References
    ----------
    kafka-4.3-measured
    """
    mean: Numeric = np.minimum(np.maximum(records_per_request / batches_per_request, 1), full_batch_records)
    return mean
