"""Transactions and idempotent producers: markers, state records, and the producer state that brokers keep."""

from __future__ import annotations

from planner.model.types import Numeric
from planner.trace import formula


@formula("transactions_per_s * partitions_touched * marker_bytes", unit="bytes/s", source="kafka-4.3-measured")
def marker_bytes_per_s(*, transactions_per_s: Numeric, partitions_touched: Numeric, marker_bytes: Numeric) -> Numeric:
    """Bytes per second of commit and abort markers, before replication.

    Parameters
    ----------
    transactions_per_s
        Transactions that write to the topic [1/s], >= 0.
    partitions_touched
        Partitions of the topic that one of them writes to [count], >= 1.
    marker_bytes
        A control batch [bytes], 78.

    Returns
    -------
    Numeric
        Bytes of markers [bytes/s].

    Assumptions
    -----------
    Every transaction ends with a marker in each partition that it touched.

    Validity
    --------
    Kafka 3.9 to 4.3.

    Examples
    --------
    >>> marker_bytes_per_s(transactions_per_s=100, partitions_touched=3, marker_bytes=78)
    23400

    References
    ----------
    kafka-4.3-measured
    """
    return transactions_per_s * partitions_touched * marker_bytes


@formula(
    "state_records * (batch_header_bytes + record_frame_bytes + key_bytes + value_bytes)"
    " + (state_records - 1) * (topic_bytes + partition_bytes * partitions_touched)",
    unit="bytes",
    source="kafka-4.3-measured",
    confidence="medium",
)
def state_bytes_per_transaction(
    *,
    state_records: Numeric,
    batch_header_bytes: Numeric,
    record_frame_bytes: Numeric,
    key_bytes: Numeric,
    value_bytes: Numeric,
    topic_bytes: Numeric,
    partition_bytes: Numeric,
    partitions_touched: Numeric,
) -> Numeric:
    """Bytes that one transaction writes to `__transaction_state`, before replication.

    Parameters
    ----------
    state_records
        Records of one transaction: ongoing, prepare, complete [count], 3.
    batch_header_bytes
        Each is a batch of its own [bytes], 61.
    record_frame_bytes
        Framing of its record [bytes], about 6.
    key_bytes
        Key with the transactional id [bytes], 4 and its length.
    value_bytes
        Value without partitions [bytes], 45.
    topic_bytes
        Each topic in it: 2 and the length of its name [bytes], >= 2.
    partition_bytes
        Each partition in it [bytes], 4.
    partitions_touched
        Partitions of the transaction [count], >= 1.

    Returns
    -------
    Numeric
        State records [bytes].

    Assumptions
    -----------
    All partitions are added in one call; the last record names none.

    Validity
    --------
    Measured within 2 bytes a record at three partitions; one record more for each later call that adds partitions.

    Examples
    --------
    >>> state_bytes_per_transaction(
    ...     state_records=3,
    ...     batch_header_bytes=61,
    ...     record_frame_bytes=6,
    ...     key_bytes=10,
    ...     value_bytes=45,
    ...     topic_bytes=5,
    ...     partition_bytes=4,
    ...     partitions_touched=3,
    ... )
    400

    References
    ----------
    kafka-4.3-measured
    """
    whole = batch_header_bytes + record_frame_bytes + key_bytes + value_bytes
    named = topic_bytes + partition_bytes * partitions_touched
    return state_records * whole + (state_records - 1) * named


@formula("producers + starts_per_s * expiration_s", unit="count", source="kafka-4.3-source")
def live_producer_ids(*, producers: Numeric, starts_per_s: Numeric, expiration_s: Numeric) -> Numeric:
    """Producer ids that a partition remembers: of running producers, and of those that ended and are not forgotten.

    Parameters
    ----------
    producers
        Producers that run at a time [count], >= 0.
    starts_per_s
        Producers that start with a new id [1/s], >= 0.
    expiration_s
        producer.id.expiration.ms after the last write [s], > 0.

    Returns
    -------
    Numeric
        Producer ids [count].

    Assumptions
    -----------
    Each producer writes to the partition, and each start without a stable transactional.id takes a new id.

    Validity
    --------
    Steady for longer than the expiration.

    Examples
    --------
    >>> live_producer_ids(producers=10, starts_per_s=0.5, expiration_s=100)
    60.0

    References
    ----------
    kafka-4.3-source
    """
    return producers + starts_per_s * expiration_s


@formula(
    "live_producer_ids * partition_replicas / brokers * bytes_per_producer", unit="bytes", source="kafka-4.3-measured"
)
def producer_state_bytes(
    *, live_producer_ids: Numeric, partition_replicas: Numeric, brokers: Numeric, bytes_per_producer: Numeric
) -> Numeric:
    """Heap of one broker for the state of idempotent producers of a topic.

    Parameters
    ----------
    live_producer_ids
        Producer ids that a partition remembers [count], >= 0.
    partition_replicas
        Replicas of all partitions of the topic [count], >= 0.
    brokers
        Brokers that share them [count], >= 1.
    bytes_per_producer
        State of a producer id in a partition replica [bytes], 272 to 432.

    Returns
    -------
    Numeric
        Heap of the mean broker [bytes].

    Assumptions
    -----------
    Every producer writes to every partition; followers keep the state too.

    Validity
    --------
    Idempotent producers, the default since Kafka 3.0.

    Examples
    --------
    >>> producer_state_bytes(live_producer_ids=60, partition_replicas=30, brokers=3, bytes_per_producer=432)
    259200.0

    References
    ----------
    kafka-4.3-measured
    """
    return live_producer_ids * partition_replicas / brokers * bytes_per_producer


@formula("records_per_s / transactions_per_s", unit="count", source="arithmetic")
def records_per_transaction(*, records_per_s: Numeric, transactions_per_s: Numeric) -> Numeric:
    """Records that one transaction writes to a topic.

    Parameters
    ----------
    records_per_s
        Records written to the topic [1/s], >= 0.
    transactions_per_s
        Transactions that write to it [1/s], > 0.

    Returns
    -------
    Numeric
        Records of a transaction [count].

    Assumptions
    -----------
    Every record belongs to a transaction, and transactions are alike.

    Validity
    --------
    Averages.

    Examples
    --------
    >>> records_per_transaction(records_per_s=1000.0, transactions_per_s=50.0)
    20.0

    References
    ----------
    arithmetic
    """
    return records_per_s / transactions_per_s
