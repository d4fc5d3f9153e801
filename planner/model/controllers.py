"""The KRaft quorum: how many controllers, their memory and metadata."""

from __future__ import annotations

import numpy as np

from planner.model.types import Numeric
from planner.trace import formula


@formula(
    "where(brokers >= large_cluster_brokers, 5, 3)",
    unit="count",
    source="kafka-kraft-docs",
)
def controller_count(*, brokers: Numeric, large_cluster_brokers: Numeric) -> Numeric:
    """KRaft controllers to run: three survive one loss, five survive two.

    Parameters
    ----------
    brokers
        Brokers that are members of the cluster [count], >= 1.
    large_cluster_brokers
        Brokers from which five are advised [count], >= 1.

    Returns
    -------
    Numeric
        Controllers in the quorum [count].

    Assumptions
    -----------
    Dedicated controllers; combined mode is not for critical use.

    Validity
    --------
    The step to five is advice, not a limit.

    Examples
    --------
    >>> int(controller_count(brokers=12, large_cluster_brokers=50))
    3

    References
    ----------
    kafka-kraft-docs
    """
    return np.where(np.asarray(brokers) >= large_cluster_brokers, 5, 3)


@formula(
    "partitions * (partition_record_base_bytes + partition_record_replica_bytes * replication_factor)"
    " + topics * topic_record_bytes",
    unit="bytes",
    source="kafka-4.3-measured",
)
def metadata_bytes(
    *,
    partitions: Numeric,
    replication_factor: Numeric,
    topics: Numeric,
    partition_record_base_bytes: Numeric,
    partition_record_replica_bytes: Numeric,
    topic_record_bytes: Numeric,
) -> Numeric:
    """Bytes of a metadata snapshot: one record per partition and per topic.

    Parameters
    ----------
    partitions
        Partitions of the cluster [count], >= 0.
    replication_factor
        Mean replicas per partition [count], >= 1.
    topics
        Topics of the cluster [count], >= 0.
    partition_record_base_bytes
        Partition record without its replicas [bytes], > 0.
    partition_record_replica_bytes
        Further bytes per replica [bytes], > 0.
    topic_record_bytes
        Topic record [bytes], > 0.

    Returns
    -------
    Numeric
        Metadata snapshot [bytes].

    Assumptions
    -----------
    Brokers, configurations and quotas are few beside partitions.

    Validity
    --------
    Kafka 4.x record versions with directory ids.

    Examples
    --------
    >>> metadata_bytes(
    ...     partitions=1000,
    ...     replication_factor=3,
    ...     topics=0,
    ...     partition_record_base_bytes=50,
    ...     partition_record_replica_bytes=25,
    ...     topic_record_bytes=30,
    ... )
    125000

    References
    ----------
    kafka-4.3-measured
    """
    per_partition = partition_record_base_bytes + partition_record_replica_bytes * replication_factor
    return partitions * per_partition + topics * topic_record_bytes


@formula(
    "max(controller_floor_bytes, heap_base_bytes + partitions * heap_bytes_per_partition)",
    unit="bytes",
    source="kafka-kraft-docs",
)
def controller_memory_bytes(
    *,
    partitions: Numeric,
    controller_floor_bytes: Numeric,
    heap_base_bytes: Numeric,
    heap_bytes_per_partition: Numeric,
) -> Numeric:
    """Memory of one dedicated controller.

    Parameters
    ----------
    partitions
        Partitions of the cluster [count], >= 0.
    controller_floor_bytes
        Memory that the documentation calls enough for a typical cluster [bytes], > 0.
    heap_base_bytes
        Live heap of an empty controller [bytes], > 0.
    heap_bytes_per_partition
        Live heap per partition [bytes], > 0.

    Returns
    -------
    Numeric
        Memory of a controller [bytes].

    Assumptions
    -----------
    Live heap was measured at RF 1; twice that is inside the floor up to millions of partitions.

    Validity
    --------
    Dedicated controllers.

    Examples
    --------
    >>> float(
    ...     controller_memory_bytes(
    ...         partitions=100, controller_floor_bytes=5000, heap_base_bytes=26, heap_bytes_per_partition=1
    ...     )
    ... )
    5000.0

    References
    ----------
    kafka-kraft-docs
    """
    return np.maximum(controller_floor_bytes, heap_base_bytes + partitions * heap_bytes_per_partition)


@formula(
    "internal_topics * partitions_per_topic * min(replication_factor, brokers)",
    unit="count",
    source="kafka-4.3-source",
)
def internal_replicas(
    *, internal_topics: Numeric, partitions_per_topic: Numeric, replication_factor: Numeric, brokers: Numeric
) -> Numeric:
    """Replicas of the internal topics that the cluster's features create.

    Parameters
    ----------
    internal_topics
        Internal topics in use: offsets, transactions, share groups, remote log metadata [count], 0 to 4.
    partitions_per_topic
        Partitions of an internal topic [count], >= 1.
    replication_factor
        Replicas of an internal partition [count], >= 1.
    brokers
        Brokers in the cluster [count], >= 1.

    Returns
    -------
    Numeric
        Replicas of internal topics [count].

    Assumptions
    -----------
    Internal topics are created on first use and keep their default partition counts.

    Validity
    --------
    Their bytes are small and not counted.

    Examples
    --------
    >>> int(internal_replicas(internal_topics=1, partitions_per_topic=50, replication_factor=3, brokers=12))
    150

    References
    ----------
    kafka-4.3-source
    """
    return internal_topics * partitions_per_topic * np.minimum(replication_factor, brokers)
