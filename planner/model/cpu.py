"""CPU of a broker: a low-confidence model that one measured point calibrates."""

from __future__ import annotations

from planner.model.types import Numeric
from planner.trace import formula


@formula(
    "calibration * (idle_cores + requests_per_s * core_s_per_request"
    " + network_in_bytes_per_s * core_s_per_byte_in + network_out_bytes_per_s * core_s_per_byte_out"
    " + tls * (network_in_bytes_per_s + network_out_bytes_per_s) * core_s_per_byte_tls)",
    unit="cores",
    source="kafka-4.3-measured",
    confidence="low",
)
def cpu_cores(
    *,
    requests_per_s: Numeric,
    network_in_bytes_per_s: Numeric,
    network_out_bytes_per_s: Numeric,
    tls: Numeric,
    calibration: Numeric,
    idle_cores: Numeric,
    core_s_per_request: Numeric,
    core_s_per_byte_in: Numeric,
    core_s_per_byte_out: Numeric,
    core_s_per_byte_tls: Numeric,
) -> Numeric:
    """Cores that a broker keeps busy, from requests and bytes.

    Parameters
    ----------
    requests_per_s
        Requests served, and fetches issued as a follower [1/s], >= 0.
    network_in_bytes_per_s
        Bytes received [bytes/s], >= 0.
    network_out_bytes_per_s
        Bytes sent [bytes/s], >= 0.
    tls
        1 when connections are encrypted, else [fraction], 0 or 1.
    calibration
        Measured cores over modelled cores [ratio], > 0.
    idle_cores
        Cores of an idle broker [cores], >= 0.
    core_s_per_request
        Work of one request [core-s], >= 0.
    core_s_per_byte_in
        Work of a byte received [core-s/byte], >= 0.
    core_s_per_byte_out
        Work of a byte sent in the clear [core-s/byte], >= 0.
    core_s_per_byte_tls
        Further work of a byte encrypted or decrypted [core-s/byte], >= 0.

    Returns
    -------
    Numeric
        Cores in use [cores].

    Assumptions
    -----------
    No recompression on the broker; work is linear in requests and bytes.

    Validity
    --------
    Published coefficients differ by a factor of ten: calibrate with one measured point.

    Examples
    --------
    >>> cpu_cores(
    ...     requests_per_s=1000,
    ...     network_in_bytes_per_s=0,
    ...     network_out_bytes_per_s=0,
    ...     tls=0,
    ...     calibration=1,
    ...     idle_cores=0.5,
    ...     core_s_per_request=0.0005,
    ...     core_s_per_byte_in=0,
    ...     core_s_per_byte_out=0,
    ...     core_s_per_byte_tls=0,
    ... )
    1.0

    References
    ----------
    kafka-4.3-measured
    """
    moved = network_in_bytes_per_s * core_s_per_byte_in + network_out_bytes_per_s * core_s_per_byte_out
    encrypted = tls * (network_in_bytes_per_s + network_out_bytes_per_s) * core_s_per_byte_tls
    return calibration * (idle_cores + requests_per_s * core_s_per_request + moved + encrypted)


@formula(
    "cpu_fraction * vcpu / modelled_cores",
    unit="ratio",
    source="arithmetic",
)
def cpu_calibration(*, cpu_fraction: Numeric, vcpu: Numeric, modelled_cores: Numeric) -> Numeric:
    """Factor that makes the CPU model agree with one measured point of a real broker.

    Parameters
    ----------
    cpu_fraction
        Measured CPU use of a broker [fraction], 0 to 1.
    vcpu
        Virtual CPUs of a broker [count], > 0.
    modelled_cores
        What `cpu_cores` gives for the measured load of a broker [cores], > 0.

    Returns
    -------
    Numeric
        Measured cores over modelled cores [ratio].

    Assumptions
    -----------
    The measured point has the same mix of requests and bytes as the plan.

    Validity
    --------
    Between half and twice the measured load.

    Examples
    --------
    >>> cpu_calibration(cpu_fraction=0.25, vcpu=16, modelled_cores=2.0)
    2.0

    References
    ----------
    arithmetic
    """
    return cpu_fraction * vcpu / modelled_cores
