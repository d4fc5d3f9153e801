"""What others publish: their formulas, evaluated beside ours by `cross-check` and never used for a plan."""

from __future__ import annotations

import numpy as np

from planner.model.types import Numeric
from planner.trace import formula


@formula(
    "produce_in_bytes_per_s / (utilisation_fraction * min(disk_bytes_per_s / replication_factor, "
    "network_bytes_per_s / max(fan_out + replication_factor - 1, 1e-12)))",
    unit="count",
    source="aws-equation-1",
)
def aws_brokers(
    *,
    produce_in_bytes_per_s: Numeric,
    replication_factor: Numeric,
    fan_out: Numeric,
    disk_bytes_per_s: Numeric,
    network_bytes_per_s: Numeric,
    utilisation_fraction: Numeric,
) -> Numeric:
    """Brokers by AWS's Equation 1, solved for the count: disk writes, and network out alone.

    Parameters
    ----------
    produce_in_bytes_per_s
        Produce traffic of the cluster at peak [bytes/s], >= 0.
    replication_factor
        Replicas, leader included; the mean by bytes [count], >= 1.
    fan_out
        How often consumer groups read the stream [ratio], >= 0.
    disk_bytes_per_s
        What a broker's disks take [bytes/s], > 0.
    network_bytes_per_s
        What a broker's network carries in one direction [bytes/s], > 0.
    utilisation_fraction
        Share of the capacity that may be used [fraction], 0 to 1.

    Returns
    -------
    Numeric
        Brokers, not rounded [count].

    Assumptions
    -----------
    All brokers up, leaders even, no protocol bytes.

    Validity
    --------
    Networks of one direction each; the source plans at 80 % of the ceiling.

    Examples
    --------
    >>> float(
    ...     aws_brokers(
    ...         produce_in_bytes_per_s=100.0,
    ...         replication_factor=3,
    ...         fan_out=1,
    ...         disk_bytes_per_s=100.0,
    ...         network_bytes_per_s=50.0,
    ...         utilisation_fraction=0.5,
    ...     )
    ... )
    12.0

    References
    ----------
    aws-equation-1
    """
    by_disk = disk_bytes_per_s / replication_factor
    by_network = network_bytes_per_s / np.maximum(fan_out + replication_factor - 1, 1e-12)
    return produce_in_bytes_per_s / (utilisation_fraction * np.minimum(by_disk, by_network))


@formula(
    "produce_in_bytes_per_s / (utilisation_fraction * min(disk_bytes_per_s / (disk_factor + "
    "tier_factor * tiered_fraction), network_bytes_per_s / (network_factor + tier_factor * "
    "tiered_fraction + reader_factor * fan_out)))",
    unit="count",
    source="aws-msk-sizer",
)
def msk_sizer_brokers(
    *,
    produce_in_bytes_per_s: Numeric,
    fan_out: Numeric,
    tiered_fraction: Numeric,
    disk_bytes_per_s: Numeric,
    network_bytes_per_s: Numeric,
    utilisation_fraction: Numeric,
    disk_factor: Numeric,
    network_factor: Numeric,
    reader_factor: Numeric,
    tier_factor: Numeric,
) -> Numeric:
    """Brokers by throughput as the Amazon MSK sizer counts them: one factor for a lost zone, lag and rebalancing.

    Parameters
    ----------
    produce_in_bytes_per_s
        Produce traffic of the cluster at peak [bytes/s], >= 0.
    fan_out
        How often consumer groups read the stream [ratio], >= 0.
    tiered_fraction
        Share of the stream that is tiered [fraction], 0 to 1.
    disk_bytes_per_s
        What a broker's disks take [bytes/s], > 0.
    network_bytes_per_s
        What a broker's network carries in one direction [bytes/s], > 0.
    utilisation_fraction
        Share of the capacity that may be used [fraction], 0 to 1.
    disk_factor
        Disk bytes for a byte produced, in the worst state [ratio], > 0.
    network_factor
        Network bytes for a byte produced, in the worst state [ratio], > 0.
    reader_factor
        Network bytes for a byte consumed [ratio], > 0.
    tier_factor
        Bytes for a byte tiered, on disk and network alike [ratio], >= 0.

    Returns
    -------
    Numeric
        Brokers, not rounded [count].

    Assumptions
    -----------
    Three zones and three replicas are inside the factors.

    Validity
    --------
    Replication factor 3 only.

    Examples
    --------
    >>> float(
    ...     msk_sizer_brokers(
    ...         produce_in_bytes_per_s=100.0,
    ...         fan_out=1,
    ...         tiered_fraction=0,
    ...         disk_bytes_per_s=65.0,
    ...         network_bytes_per_s=720.0,
    ...         utilisation_fraction=0.5,
    ...         disk_factor=6.5,
    ...         network_factor=5.7,
    ...         reader_factor=1.5,
    ...         tier_factor=1.5,
    ...     )
    ... )
    20.0

    References
    ----------
    aws-msk-sizer
    """
    tier = tier_factor * tiered_fraction
    by_disk = disk_bytes_per_s / (disk_factor + tier)
    by_network = network_bytes_per_s / (network_factor + tier + reader_factor * fan_out)
    return produce_in_bytes_per_s / (utilisation_fraction * np.minimum(by_disk, by_network))


@formula(
    "max(max(max(produce_in_bytes_per_s * replication_factor, produce_in_bytes_per_s * "
    "(replication_factor - 1 + fan_out)) / network_bytes_per_s, produce_in_bytes_per_s * "
    "(replication_factor + lagging_fan_out) / disk_bytes_per_s) / utilisation_fraction * "
    "safety_factor, replication_factor + 1)",
    unit="count",
    source="amq-streams-sizing",
)
def amq_streams_brokers(
    *,
    produce_in_bytes_per_s: Numeric,
    replication_factor: Numeric,
    fan_out: Numeric,
    lagging_fan_out: Numeric,
    disk_bytes_per_s: Numeric,
    network_bytes_per_s: Numeric,
    utilisation_fraction: Numeric,
    safety_factor: Numeric,
) -> Numeric:
    """Brokers as Red Hat's AMQ Streams sizer counts them: busiest lane or disk, times a factor, at least RF + 1.

    Parameters
    ----------
    produce_in_bytes_per_s
        Produce traffic of the cluster at peak [bytes/s], >= 0.
    replication_factor
        Replicas, leader included; the mean by bytes [count], >= 1.
    fan_out
        How often consumer groups read the stream [ratio], >= 0.
    lagging_fan_out
        How often readers that lag read the stream from disk [ratio], >= 0.
    disk_bytes_per_s
        What a broker's disks take [bytes/s], > 0.
    network_bytes_per_s
        What a broker's network carries in one direction [bytes/s], > 0.
    utilisation_fraction
        Share of the capacity that may be used [fraction], 0 to 1.
    safety_factor
        Factor on the utilisation [ratio], >= 1.

    Returns
    -------
    Numeric
        Brokers, not rounded [count].

    Assumptions
    -----------
    The safety factor stands for every failure.

    Validity
    --------
    One topic, or averages over topics.

    Examples
    --------
    >>> float(
    ...     amq_streams_brokers(
    ...         produce_in_bytes_per_s=100.0,
    ...         replication_factor=3,
    ...         fan_out=3,
    ...         lagging_fan_out=0,
    ...         disk_bytes_per_s=300.0,
    ...         network_bytes_per_s=100.0,
    ...         utilisation_fraction=0.5,
    ...         safety_factor=1.6,
    ...     )
    ... )
    16.0

    References
    ----------
    amq-streams-sizing
    """
    lanes = np.maximum(replication_factor, replication_factor - 1 + fan_out) / network_bytes_per_s
    disk = (replication_factor + lagging_fan_out) / disk_bytes_per_s
    busiest = produce_in_bytes_per_s * np.maximum(lanes, disk)
    return np.maximum(busiest / utilisation_fraction * safety_factor, replication_factor + 1)


@formula(
    "(replication_factor + fan_out - 1) * produce_in_bytes_per_s",
    unit="bytes/s",
    source="cloudera-cache",
)
def cloudera_read_bytes_per_s(
    *,
    produce_in_bytes_per_s: Numeric,
    replication_factor: Numeric,
    fan_out: Numeric,
) -> Numeric:
    """Reads from all brokers as Cloudera counts them: followers and consumer groups.

    Parameters
    ----------
    produce_in_bytes_per_s
        Produce traffic of the cluster at peak [bytes/s], >= 0.
    replication_factor
        Replicas, leader included; the mean by bytes [count], >= 1.
    fan_out
        How often consumer groups read the stream [ratio], >= 0.

    Returns
    -------
    Numeric
        Bytes sent by all brokers [bytes/s].

    Assumptions
    -----------
    Every group reads everything.

    Validity
    --------
    Record bytes; tiering and mirrors are not known.

    Examples
    --------
    >>> float(cloudera_read_bytes_per_s(produce_in_bytes_per_s=100.0, replication_factor=3, fan_out=2))
    400.0

    References
    ----------
    cloudera-cache
    """
    return (replication_factor + fan_out - 1) * produce_in_bytes_per_s


@formula(
    "max(produce_in_bytes_per_s * (fan_out + 2 * replication_factor - 1) * safety_factor / "
    "budget_bytes_per_s, broker_floor)",
    unit="count",
    source="alibaba-kafka-sizing",
)
def one_budget_brokers(
    *,
    produce_in_bytes_per_s: Numeric,
    replication_factor: Numeric,
    fan_out: Numeric,
    budget_bytes_per_s: Numeric,
    safety_factor: Numeric,
    broker_floor: Numeric,
) -> Numeric:
    """Brokers as Alibaba Cloud counts them: both directions in one budget, doubled, at least four.

    Parameters
    ----------
    produce_in_bytes_per_s
        Produce traffic of the cluster at peak [bytes/s], >= 0.
    replication_factor
        Replicas, leader included; the mean by bytes [count], >= 1.
    fan_out
        How often consumer groups read the stream [ratio], >= 0.
    budget_bytes_per_s
        What a broker carries, both directions together [bytes/s], > 0.
    safety_factor
        Factor on the utilisation [ratio], >= 1.
    broker_floor
        Least number of brokers [count], >= 1.

    Returns
    -------
    Numeric
        Brokers, not rounded [count].

    Assumptions
    -----------
    A vendor may meter both directions together; a network card does not.

    Validity
    --------
    That vendor's brokers.

    Examples
    --------
    >>> float(
    ...     one_budget_brokers(
    ...         produce_in_bytes_per_s=100.0,
    ...         replication_factor=3,
    ...         fan_out=1,
    ...         budget_bytes_per_s=400.0,
    ...         safety_factor=2,
    ...         broker_floor=4,
    ...     )
    ... )
    4.0

    References
    ----------
    alibaba-kafka-sizing
    """
    both = produce_in_bytes_per_s * (fan_out + 2 * replication_factor - 1)
    return np.maximum(both * safety_factor / budget_bytes_per_s, broker_floor)


@formula(
    "produce_in_bytes_per_s * (replication_factor + fan_out) / (network_bytes_per_s * utilisation_fraction)",
    unit="count",
    source="syalioune-sizing",
)
def followers_forgotten_brokers(
    *,
    produce_in_bytes_per_s: Numeric,
    replication_factor: Numeric,
    fan_out: Numeric,
    network_bytes_per_s: Numeric,
    utilisation_fraction: Numeric,
) -> Numeric:
    """Brokers by network as a popular calculator counts them: in and out added, without what followers fetch.

    Parameters
    ----------
    produce_in_bytes_per_s
        Produce traffic of the cluster at peak [bytes/s], >= 0.
    replication_factor
        Replicas, leader included; the mean by bytes [count], >= 1.
    fan_out
        How often consumer groups read the stream [ratio], >= 0.
    network_bytes_per_s
        What a broker's network carries in one direction [bytes/s], > 0.
    utilisation_fraction
        Share of the capacity that may be used [fraction], 0 to 1.

    Returns
    -------
    Numeric
        Brokers, not rounded [count].

    Assumptions
    -----------
    None that holds: the two errors cancel only near replication factor + 1 groups.

    Validity
    --------
    None; shown because it is in use.

    Examples
    --------
    >>> float(
    ...     followers_forgotten_brokers(
    ...         produce_in_bytes_per_s=100.0,
    ...         replication_factor=3,
    ...         fan_out=2,
    ...         network_bytes_per_s=100.0,
    ...         utilisation_fraction=0.5,
    ...     )
    ... )
    10.0

    References
    ----------
    syalioune-sizing
    """
    return produce_in_bytes_per_s * (replication_factor + fan_out) / (network_bytes_per_s * utilisation_fraction)


@formula(
    "(produce_in_bytes_per_s * replication_factor + read_weight * (consumer_out_bytes_per_s + "
    "produce_in_bytes_per_s * (replication_factor - 1))) / vcpu_bytes_per_s / utilisation_fraction",
    unit="count",
    source="gcp-kafka-planning",
)
def google_vcpus(
    *,
    produce_in_bytes_per_s: Numeric,
    replication_factor: Numeric,
    consumer_out_bytes_per_s: Numeric,
    read_weight: Numeric,
    vcpu_bytes_per_s: Numeric,
    utilisation_fraction: Numeric,
) -> Numeric:
    """Virtual CPUs of all brokers as Google counts them for managed Kafka: bytes written, a quarter of the bytes read.

    Parameters
    ----------
    produce_in_bytes_per_s
        Produce traffic of the cluster at peak [bytes/s], >= 0.
    replication_factor
        Replicas, leader included; the mean by bytes [count], >= 1.
    consumer_out_bytes_per_s
        Bytes sent to consumers [bytes/s], >= 0.
    read_weight
        What a byte read costs in bytes written [ratio], >= 0.
    vcpu_bytes_per_s
        Write-equivalent bytes that a vCPU carries [bytes/s], > 0.
    utilisation_fraction
        Share of the capacity that may be used [fraction], 0 to 1.

    Returns
    -------
    Numeric
        vCPUs, not rounded [count].

    Assumptions
    -----------
    Requests cost nothing beyond their bytes.

    Validity
    --------
    Batches of 10 kB and more, the source says.

    Examples
    --------
    >>> float(
    ...     google_vcpus(
    ...         produce_in_bytes_per_s=100.0,
    ...         replication_factor=3,
    ...         consumer_out_bytes_per_s=100.0,
    ...         read_weight=0.25,
    ...         vcpu_bytes_per_s=25.0,
    ...         utilisation_fraction=0.5,
    ...     )
    ... )
    30.0

    References
    ----------
    gcp-kafka-planning
    """
    written = produce_in_bytes_per_s * replication_factor
    read = consumer_out_bytes_per_s + produce_in_bytes_per_s * (replication_factor - 1)
    return (written + read_weight * read) / vcpu_bytes_per_s / utilisation_fraction


@formula(
    "max(produce_in_bytes_per_s / vcpu_in_bytes_per_s, consumer_out_bytes_per_s / vcpu_out_bytes_per_s)",
    unit="count",
    source="akalculator",
)
def akalculator_vcpus(
    *,
    produce_in_bytes_per_s: Numeric,
    consumer_out_bytes_per_s: Numeric,
    vcpu_in_bytes_per_s: Numeric,
    vcpu_out_bytes_per_s: Numeric,
) -> Numeric:
    """Virtual CPUs of all brokers as AKalculator counts them: so many bytes produced and consumed for each.

    Parameters
    ----------
    produce_in_bytes_per_s
        Produce traffic of the cluster at peak [bytes/s], >= 0.
    consumer_out_bytes_per_s
        Bytes sent to consumers [bytes/s], >= 0.
    vcpu_in_bytes_per_s
        Bytes produced that a vCPU carries [bytes/s], > 0.
    vcpu_out_bytes_per_s
        Bytes consumed that a vCPU carries [bytes/s], > 0.

    Returns
    -------
    Numeric
        vCPUs, not rounded [count].

    Assumptions
    -----------
    Both rates hold at the same time; replication is inside.

    Validity
    --------
    The source does not say whether headroom is inside.

    Examples
    --------
    >>> float(
    ...     akalculator_vcpus(
    ...         produce_in_bytes_per_s=100.0,
    ...         consumer_out_bytes_per_s=150.0,
    ...         vcpu_in_bytes_per_s=5.0,
    ...         vcpu_out_bytes_per_s=15.0,
    ...     )
    ... )
    20.0

    References
    ----------
    akalculator
    """
    return np.maximum(produce_in_bytes_per_s / vcpu_in_bytes_per_s, consumer_out_bytes_per_s / vcpu_out_bytes_per_s)


@formula(
    "produce_in_bytes_per_s * core_s_per_byte_in + consumer_out_bytes_per_s * core_s_per_byte_out + "
    "staffing_quality * sqrt(produce_in_bytes_per_s * core_s_per_byte_in + consumer_out_bytes_per_s * "
    "core_s_per_byte_out)",
    unit="count",
    source="netflix-scm",
)
def netflix_cores(
    *,
    produce_in_bytes_per_s: Numeric,
    consumer_out_bytes_per_s: Numeric,
    core_s_per_byte_in: Numeric,
    core_s_per_byte_out: Numeric,
    staffing_quality: Numeric,
) -> Numeric:
    """Cores of all brokers as Netflix counts them: core time of the bytes, and square-root staffing above it.

    Parameters
    ----------
    produce_in_bytes_per_s
        Produce traffic of the cluster at peak [bytes/s], >= 0.
    consumer_out_bytes_per_s
        Bytes sent to consumers [bytes/s], >= 0.
    core_s_per_byte_in
        Core time for a byte produced [s/byte], >= 0.
    core_s_per_byte_out
        Core time for a byte consumed [s/byte], >= 0.
    staffing_quality
        Factor on the square root: how rarely work may wait [ratio], >= 0.

    Returns
    -------
    Numeric
        Cores, not rounded [count].

    Assumptions
    -----------
    The stream is given as bytes; the source's own inputs square the fan-out.

    Validity
    --------
    Cores of 2.3 GHz; fitted to Netflix's fleets.

    Examples
    --------
    >>> float(
    ...     netflix_cores(
    ...         produce_in_bytes_per_s=100.0,
    ...         consumer_out_bytes_per_s=100.0,
    ...         core_s_per_byte_in=0.03,
    ...         core_s_per_byte_out=0.06,
    ...         staffing_quality=1.0,
    ...     )
    ... )
    12.0

    References
    ----------
    netflix-scm
    """
    busy = produce_in_bytes_per_s * core_s_per_byte_in + consumer_out_bytes_per_s * core_s_per_byte_out
    return busy + staffing_quality * np.sqrt(busy)


@formula(
    "max(replication_factor, replication_factor - 1 + fan_out) * produce_in_bytes_per_s * reserve_factor",
    unit="bytes/s",
    source="netflix-scm",
)
def netflix_network_bytes_per_s(
    *,
    produce_in_bytes_per_s: Numeric,
    replication_factor: Numeric,
    fan_out: Numeric,
    reserve_factor: Numeric,
) -> Numeric:
    """Network of all brokers as Netflix counts it: the busier direction with a reserve for rebuilding a broker.

    Parameters
    ----------
    produce_in_bytes_per_s
        Produce traffic of the cluster at peak [bytes/s], >= 0.
    replication_factor
        Replicas, leader included; the mean by bytes [count], >= 1.
    fan_out
        How often consumer groups read the stream [ratio], >= 0.
    reserve_factor
        Factor for the source's reserve [ratio], >= 1.

    Returns
    -------
    Numeric
        Bytes a second to provide [bytes/s].

    Assumptions
    -----------
    The reserve is enough for a rebuild; how long that takes is not computed.

    Validity
    --------
    Record bytes.

    Examples
    --------
    >>> float(
    ...     netflix_network_bytes_per_s(
    ...         produce_in_bytes_per_s=100.0,
    ...         replication_factor=3,
    ...         fan_out=2,
    ...         reserve_factor=1.5,
    ...     )
    ... )
    600.0

    References
    ----------
    netflix-scm
    """
    return np.maximum(replication_factor, replication_factor - 1 + fan_out) * produce_in_bytes_per_s * reserve_factor


@formula(
    "stored_bytes * padding_factor",
    unit="bytes",
    source="oracle-ocnadd",
)
def padded_disk_bytes(
    *,
    stored_bytes: Numeric,
    padding_factor: Numeric,
) -> Numeric:
    """Disk of all brokers as guides count it: rate times retention times replicas, and a factor.

    Parameters
    ----------
    stored_bytes
        Average produce rate times retention times replicas [bytes], >= 0.
    padding_factor
        Factor on the stored bytes [ratio], >= 1.

    Returns
    -------
    Numeric
        Bytes of disk [bytes].

    Assumptions
    -----------
    One factor covers segments, indexes, deletion that lags, imbalance and what must stay free.

    Validity
    --------
    Factors in use: 1 to 2.5.

    Examples
    --------
    >>> float(padded_disk_bytes(stored_bytes=100.0, padding_factor=1.5))
    150.0

    References
    ----------
    oracle-ocnadd
    """
    return stored_bytes * padding_factor


@formula(
    "load_bytes_per_s * brokers / (brokers - brokers_down)",
    unit="bytes/s",
    source="krivaltsevich-guide",
)
def usual_survivor_bytes_per_s(
    *,
    load_bytes_per_s: Numeric,
    brokers: Numeric,
    brokers_down: Numeric,
) -> Numeric:
    """Load of a survivor by the usual rule: everything is shared by those that are left.

    Parameters
    ----------
    load_bytes_per_s
        Load of one broker when all are up [bytes/s], >= 0.
    brokers
        Brokers in the cluster [count], >= 1.
    brokers_down
        Brokers lost [count], 0 to brokers - 1.

    Returns
    -------
    Numeric
        Load of one survivor [bytes/s].

    Assumptions
    -----------
    What was lost is copied again onto the survivors at once, in and out alike.

    Validity
    --------
    True for a cluster that re-replicates, when it is done.

    Examples
    --------
    >>> float(usual_survivor_bytes_per_s(load_bytes_per_s=90.0, brokers=10, brokers_down=1))
    100.0

    References
    ----------
    krivaltsevich-guide
    """
    return load_bytes_per_s * brokers / (brokers - brokers_down)


@formula(
    "partitions_per_replica * brokers * replication_factor",
    unit="count",
    source="rao-partitions",
)
def rao_replicas_per_broker(
    *,
    brokers: Numeric,
    replication_factor: Numeric,
    partitions_per_replica: Numeric,
) -> Numeric:
    """Replicas that a broker should hold at most where latency matters, by Jun Rao's rule of 2015.

    Parameters
    ----------
    brokers
        Brokers in the cluster [count], >= 1.
    replication_factor
        Replicas, leader included; the mean by bytes [count], >= 1.
    partitions_per_replica
        Replicas a broker, for each broker and replica of a partition [count], > 0.

    Returns
    -------
    Numeric
        Replicas per broker [count].

    Assumptions
    -----------
    Replicating a partition adds latency when many share a fetcher.

    Validity
    --------
    A rule of thumb of 2015; per broker, not per cluster.

    Examples
    --------
    >>> rao_replicas_per_broker(brokers=6, replication_factor=3, partitions_per_replica=100)
    1800

    References
    ----------
    rao-partitions
    """
    return partitions_per_replica * brokers * replication_factor


@formula(
    "replicas * replica_bytes",
    unit="bytes",
    source="redpanda-sizing",
)
def redpanda_memory_bytes(
    *,
    replicas: Numeric,
    replica_bytes: Numeric,
) -> Numeric:
    """Memory of all brokers for replicas as Redpanda counts it.

    Parameters
    ----------
    replicas
        Replicas of all topics [count], >= 0.
    replica_bytes
        Memory for one replica [bytes], >= 0.

    Returns
    -------
    Numeric
        Memory [bytes].

    Assumptions
    -----------
    None of Kafka's: its heap per replica is far smaller, its page cache is not counted here.

    Validity
    --------
    Redpanda from 24.x; before, twice as much.

    Examples
    --------
    >>> float(redpanda_memory_bytes(replicas=10, replica_bytes=2.0))
    20.0

    References
    ----------
    redpanda-sizing
    """
    return replicas * replica_bytes


@formula(
    "max(peak_bytes_per_s / produce_bytes_per_s, peak_bytes_per_s / consume_bytes_per_s)",
    unit="count",
    source="rao-partitions",
)
def rao_partitions(*, peak_bytes_per_s: Numeric, produce_bytes_per_s: Numeric, consume_bytes_per_s: Numeric) -> Numeric:
    """Partitions of a topic by Jun Rao's rule: target throughput over what one partition carries, the slower side.

    Parameters
    ----------
    peak_bytes_per_s
        Target throughput of the topic [bytes/s], >= 0.
    produce_bytes_per_s
        What one partition takes from producers [bytes/s], > 0.
    consume_bytes_per_s
        What one partition gives to a consumer [bytes/s], > 0.

    Returns
    -------
    Numeric
        Partitions, not rounded [count].

    Assumptions
    -----------
    Every group reads everything; traffic is even over the partitions.

    Validity
    --------
    Throughput alone: parallelism, processing time, growth and skew are other reasons.

    Examples
    --------
    >>> float(rao_partitions(peak_bytes_per_s=100.0, produce_bytes_per_s=20.0, consume_bytes_per_s=8.0))
    12.5

    References
    ----------
    rao-partitions
    """
    return np.maximum(peak_bytes_per_s / produce_bytes_per_s, peak_bytes_per_s / consume_bytes_per_s)
