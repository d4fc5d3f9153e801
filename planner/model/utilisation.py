"""How much of each capacity of a broker is used."""

from __future__ import annotations

import numpy as np

from planner.model.types import Numeric
from planner.trace import formula


@formula(
    "(network_in_bytes_per_s + storage_shares_network * disk_read_bytes_per_s"
    " + half_duplex * (network_out_bytes_per_s + storage_shares_network * disk_write_bytes_per_s))"
    " / capacity_bytes_per_s",
    unit="fraction",
    source="arithmetic",
)
def network_in_utilisation(
    *,
    network_in_bytes_per_s: Numeric,
    network_out_bytes_per_s: Numeric,
    disk_write_bytes_per_s: Numeric,
    disk_read_bytes_per_s: Numeric,
    storage_shares_network: Numeric,
    half_duplex: Numeric,
    capacity_bytes_per_s: Numeric,
) -> Numeric:
    """Share of the incoming network capacity that a broker uses.

    Parameters
    ----------
    network_in_bytes_per_s
        Bytes received, protocol bytes included [bytes/s], >= 0.
    network_out_bytes_per_s
        Bytes sent, protocol bytes included [bytes/s], >= 0.
    disk_write_bytes_per_s
        Bytes written to disk [bytes/s], >= 0.
    disk_read_bytes_per_s
        Bytes read from disk [bytes/s], >= 0.
    storage_shares_network
        1 when the volumes hang on the same network interface, else [fraction], 0 or 1.
    half_duplex
        1 when the hardware meters both directions as one, else [fraction], 0 or 1.
    capacity_bytes_per_s
        What the interface carries in this direction (both, when half duplex) [bytes/s], > 0, may be infinite.

    Returns
    -------
    Numeric
        Load over capacity [fraction].

    Assumptions
    -----------
    Full duplex unless the hardware meters both directions together; network volumes share the interface where said.

    Validity
    --------
    0 where the direction is not metered (infinite capacity).

    Examples
    --------
    >>> network_in_utilisation(
    ...     network_in_bytes_per_s=30.0,
    ...     network_out_bytes_per_s=50.0,
    ...     disk_write_bytes_per_s=30.0,
    ...     disk_read_bytes_per_s=0.0,
    ...     storage_shares_network=0.0,
    ...     half_duplex=0.0,
    ...     capacity_bytes_per_s=100.0,
    ... )
    0.3

    References
    ----------
    arithmetic
    """
    received = network_in_bytes_per_s + storage_shares_network * disk_read_bytes_per_s
    sent = network_out_bytes_per_s + storage_shares_network * disk_write_bytes_per_s
    return (received + half_duplex * sent) / capacity_bytes_per_s


@formula(
    "(network_out_bytes_per_s + storage_shares_network * disk_write_bytes_per_s"
    " + half_duplex * (network_in_bytes_per_s + storage_shares_network * disk_read_bytes_per_s))"
    " / capacity_bytes_per_s",
    unit="fraction",
    source="arithmetic",
)
def network_out_utilisation(
    *,
    network_in_bytes_per_s: Numeric,
    network_out_bytes_per_s: Numeric,
    disk_write_bytes_per_s: Numeric,
    disk_read_bytes_per_s: Numeric,
    storage_shares_network: Numeric,
    half_duplex: Numeric,
    capacity_bytes_per_s: Numeric,
) -> Numeric:
    """Share of the outgoing network capacity that a broker uses.

    Parameters
    ----------
    network_in_bytes_per_s
        Bytes received, protocol bytes included [bytes/s], >= 0.
    network_out_bytes_per_s
        Bytes sent, protocol bytes included [bytes/s], >= 0.
    disk_write_bytes_per_s
        Bytes written to disk [bytes/s], >= 0.
    disk_read_bytes_per_s
        Bytes read from disk [bytes/s], >= 0.
    storage_shares_network
        1 when the volumes hang on the same network interface, else [fraction], 0 or 1.
    half_duplex
        1 when the hardware meters both directions as one, else [fraction], 0 or 1.
    capacity_bytes_per_s
        What the interface carries in this direction (both, when half duplex) [bytes/s], > 0, may be infinite.

    Returns
    -------
    Numeric
        Load over capacity [fraction].

    Assumptions
    -----------
    Full duplex unless the hardware meters both directions together; network volumes share the interface where said.

    Validity
    --------
    0 where the direction is not metered (infinite capacity).

    Examples
    --------
    >>> network_out_utilisation(
    ...     network_in_bytes_per_s=30.0,
    ...     network_out_bytes_per_s=50.0,
    ...     disk_write_bytes_per_s=30.0,
    ...     disk_read_bytes_per_s=0.0,
    ...     storage_shares_network=0.0,
    ...     half_duplex=0.0,
    ...     capacity_bytes_per_s=100.0,
    ... )
    0.5

    References
    ----------
    arithmetic
    """
    received = network_in_bytes_per_s + storage_shares_network * disk_read_bytes_per_s
    sent = network_out_bytes_per_s + storage_shares_network * disk_write_bytes_per_s
    return (sent + half_duplex * received) / capacity_bytes_per_s


@formula(
    "disk_bytes / capacity_bytes",
    unit="fraction",
    source="arithmetic",
)
def disk_volume_utilisation(*, disk_bytes: Numeric, capacity_bytes: Numeric) -> Numeric:
    """Share of the disk space that a broker fills, at worst, on its fullest volume.

    Parameters
    ----------
    disk_bytes
        Worst disk use of the replicas on the broker's fullest volume [bytes], >= 0.
    capacity_bytes
        Space of one volume [bytes], > 0.

    Returns
    -------
    Numeric
        Load over capacity [fraction].

    Assumptions
    -----------
    Kafka places by count, so several volumes fill unevenly, and stops using one that is full.

    Validity
    --------
    Volumes of one size.

    Examples
    --------
    >>> disk_volume_utilisation(disk_bytes=60.0, capacity_bytes=100.0)
    0.6

    References
    ----------
    arithmetic
    """
    return disk_bytes / capacity_bytes


@formula(
    "(disk_write_bytes_per_s + disk_read_bytes_per_s) / capacity_bytes_per_s",
    unit="fraction",
    source="arithmetic",
)
def disk_throughput_utilisation(
    *, disk_write_bytes_per_s: Numeric, disk_read_bytes_per_s: Numeric, capacity_bytes_per_s: Numeric
) -> Numeric:
    """Share of the disk throughput that a broker uses, reads and writes together.

    Parameters
    ----------
    disk_write_bytes_per_s
        Bytes written [bytes/s], >= 0.
    disk_read_bytes_per_s
        Bytes read that are not in the page cache [bytes/s], >= 0.
    capacity_bytes_per_s
        Throughput of all volumes of a broker [bytes/s], > 0.

    Returns
    -------
    Numeric
        Load over capacity [fraction].

    Assumptions
    -----------
    Reads and writes share one budget, as cloud volumes and most disks meter them.

    Validity
    --------
    Any.

    Examples
    --------
    >>> disk_throughput_utilisation(
    ...     disk_write_bytes_per_s=30.0, disk_read_bytes_per_s=20.0, capacity_bytes_per_s=100.0
    ... )
    0.5

    References
    ----------
    arithmetic
    """
    return (disk_write_bytes_per_s + disk_read_bytes_per_s) / capacity_bytes_per_s


@formula(
    "disk_operations_per_s / capacity_per_s",
    unit="fraction",
    source="arithmetic",
    confidence="low",
)
def disk_iops_utilisation(*, disk_operations_per_s: Numeric, capacity_per_s: Numeric) -> Numeric:
    """Share of the disk operations that a broker uses.

    Parameters
    ----------
    disk_operations_per_s
        Reads and writes per second [1/s], >= 0.
    capacity_per_s
        Operations per second of all volumes of a broker [1/s], > 0.

    Returns
    -------
    Numeric
        Load over capacity [fraction].

    Assumptions
    -----------
    Reads and writes cost alike.

    Validity
    --------
    Order of magnitude.

    Examples
    --------
    >>> disk_iops_utilisation(disk_operations_per_s=600.0, capacity_per_s=3000.0)
    0.2

    References
    ----------
    arithmetic
    """
    return disk_operations_per_s / capacity_per_s


@formula(
    "cores / vcpu",
    unit="fraction",
    source="arithmetic",
    confidence="low",
)
def cpu_utilisation(*, cores: Numeric, vcpu: Numeric) -> Numeric:
    """Share of the processors that a broker uses.

    Parameters
    ----------
    cores
        Cores in use [cores], >= 0.
    vcpu
        Virtual CPUs of a broker [count], > 0.

    Returns
    -------
    Numeric
        Load over capacity [fraction].

    Assumptions
    -----------
    A virtual CPU does the work of a measured one.

    Validity
    --------
    Order of magnitude unless calibrated.

    Examples
    --------
    >>> cpu_utilisation(cores=4.0, vcpu=16)
    0.25

    References
    ----------
    arithmetic
    """
    return cores / vcpu


@formula(
    "memory_bytes / capacity_bytes",
    unit="fraction",
    source="arithmetic",
)
def memory_utilisation(*, memory_bytes: Numeric, capacity_bytes: Numeric) -> Numeric:
    """Share of the memory that a broker needs.

    Parameters
    ----------
    memory_bytes
        Memory that the broker needs [bytes], > 0.
    capacity_bytes
        Memory of a broker [bytes], > 0.

    Returns
    -------
    Numeric
        Load over capacity [fraction].

    Assumptions
    -----------
    Page cache beyond the seconds asked for is welcome, not needed.

    Validity
    --------
    Any.

    Examples
    --------
    >>> memory_utilisation(memory_bytes=16.0, capacity_bytes=64.0)
    0.25

    References
    ----------
    arithmetic
    """
    return memory_bytes / capacity_bytes


@formula(
    "max(open_files / nofile, mmaps / max_map_count)",
    unit="fraction",
    source="kafka-hardware-os",
)
def handles_utilisation(*, open_files: Numeric, nofile: Numeric, mmaps: Numeric, max_map_count: Numeric) -> Numeric:
    """Share of the operating system's file and map limits that a broker uses; the fuller one counts.

    Parameters
    ----------
    open_files
        File descriptors in use [count], >= 0.
    nofile
        Descriptor limit of the process [count], > 0.
    mmaps
        Memory-mapped areas [count], >= 0.
    max_map_count
        vm.max_map_count [count], > 0.

    Returns
    -------
    Numeric
        Load over capacity [fraction].

    Assumptions
    -----------
    Every segment's indexes were touched since the start.

    Validity
    --------
    Upper bound: after a restart indexes are mapped on first use.

    Examples
    --------
    >>> float(handles_utilisation(open_files=100.0, nofile=1000.0, mmaps=400.0, max_map_count=1000.0))
    0.4

    References
    ----------
    kafka-hardware-os
    """
    return np.maximum(open_files / nofile, mmaps / max_map_count)


@formula(
    "replicas / replicas_per_broker_max",
    unit="fraction",
    source="arithmetic",
)
def partitions_utilisation(*, replicas: Numeric, replicas_per_broker_max: Numeric) -> Numeric:
    """Replicas on a broker over the policy's limit.

    Parameters
    ----------
    replicas
        Partition replicas on the broker [count], >= 0.
    replicas_per_broker_max
        Limit of the policy [count], > 0.

    Returns
    -------
    Numeric
        Load over limit [fraction].

    Assumptions
    -----------
    The limit is the policy's; 4,000 is folk.

    Validity
    --------
    Any.

    Examples
    --------
    >>> partitions_utilisation(replicas=1000.0, replicas_per_broker_max=4000.0)
    0.25

    References
    ----------
    arithmetic
    """
    return replicas / replicas_per_broker_max


@formula(
    "brokers * utilisation_fraction / threshold_fraction",
    unit="count",
    source="arithmetic",
)
def equivalent_brokers(*, brokers: Numeric, utilisation_fraction: Numeric, threshold_fraction: Numeric) -> Numeric:
    """How many brokers the load would fill to the threshold: the count before rounding up.

    Parameters
    ----------
    brokers
        Brokers at which the utilisation was computed [count], >= 1.
    utilisation_fraction
        Utilisation of the fullest broker [fraction], >= 0.
    threshold_fraction
        Policy's limit [fraction], > 0.

    Returns
    -------
    Numeric
        Brokers, not rounded [count].

    Assumptions
    -----------
    Load per broker falls as one over the broker count.

    Validity
    --------
    Near the count it was computed at; fixed parts and placement make it approximate elsewhere.

    Examples
    --------
    >>> equivalent_brokers(brokers=9, utilisation_fraction=0.5, threshold_fraction=0.75)
    6.0

    References
    ----------
    arithmetic
    """
    return brokers * utilisation_fraction / threshold_fraction


@formula(
    "ceil(copies / step - 1e-9) * step",
    unit="count",
    source="arithmetic",
)
def broker_floor(*, copies: Numeric, step: Numeric) -> Numeric:
    """Least broker count that can hold the copies, in whole steps.

    Parameters
    ----------
    copies
        Largest replication factor, or brokers to lose plus one [count], >= 1.
    step
        Zones, when the count must be a multiple of them, else 1 [count], >= 1.

    Returns
    -------
    Numeric
        Brokers [count].

    Assumptions
    -----------
    Kafka never puts two replicas of a partition on one broker.

    Validity
    --------
    Any.

    Examples
    --------
    >>> float(broker_floor(copies=4, step=3))
    6.0

    References
    ----------
    arithmetic
    """
    return np.ceil(copies / step - 1e-9) * step
