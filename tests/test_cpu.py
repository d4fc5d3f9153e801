"""CPU against published coefficients, a measured pair and its own calibration."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.constants import constant
from planner.model import cpu
from tests.elementwise import check_element_by_element

NAMES = ("idle_cores", "core_s_per_request", "core_s_per_byte_in", "core_s_per_byte_out", "core_s_per_byte_tls")


def cores(requests: float, received: float, sent: float, *, tls: float = 0, scale: float = 1, **work: float) -> float:
    """Cores of a load; work that is not given costs nothing."""
    return float(
        cpu.cpu_cores(
            requests_per_s=requests,
            network_in_bytes_per_s=received,
            network_out_bytes_per_s=sent,
            tls=tls,
            calibration=scale,
            **dict.fromkeys(NAMES, 0.0) | work,
        )
    )


# gcp-vcpu: a write costs 1/20 of a vCPU a MB/s, a read a quarter of it; writes p * 3, reads c + p * 2
@pytest.mark.parametrize(("produce", "consume", "vcpu"), [(40, 80, 8), (100, 100, 18.75), (10, 0, 1.75)])
def test_google_clusters(produce: float, consume: float, vcpu: float) -> None:
    write = 1 / 20e6
    ours = cores(
        0,
        3 * produce * 1e6,
        (consume + 2 * produce) * 1e6,
        core_s_per_byte_in=write,
        core_s_per_byte_out=write / 4,
    )
    assert ours == pytest.approx(vcpu)
    assert constant("cpu.core_s_per_byte_out") == pytest.approx(write / 4)


def test_akalculators_vcpus() -> None:
    # akalculator: a vCPU takes 5 MiB/s of produce and 15 MiB/s of consume at the same time; whole cores of 20 MiB/s
    both = {"core_s_per_byte_in": 0.5 / (5 * 2**20), "core_s_per_byte_out": 0.5 / (15 * 2**20)}
    assert cores(0, 5 * 2**20 * 8, 15 * 2**20 * 8, **both) == pytest.approx(8)


def test_measured_broker() -> None:
    # real_kafka_measured.md K: 0.044 cores idle and 0.29 core-s for 1000 requests
    measured = {name: constant(f"cpu.{name}") for name in NAMES[:2]}
    assert cores(0, 0, 0, **measured) == 0.044
    assert cores(3000, 0, 0, **measured) == pytest.approx(0.044 + 3 * 0.29)


def test_encryption_works_on_both_directions() -> None:
    load: dict[str, Any] = {"core_s_per_byte_in": 1e-8, "core_s_per_byte_tls": 3e-9}
    assert cores(0, 100e6, 50e6, **load) == pytest.approx(1.0)
    # 150 MB/s at 3 ms a MB more
    assert cores(0, 100e6, 50e6, tls=1, **load) == pytest.approx(1.45)


@given(requests=st.floats(0, 1e6), received=st.floats(0, 1e9), measured=st.floats(0.01, 1), vcpu=st.integers(1, 128))
def test_calibration_meets_the_measured_point(requests: float, received: float, measured: float, vcpu: int) -> None:
    work = {name: constant(f"cpu.{name}") for name in NAMES}
    model = cores(requests, received, 2 * received, **work)
    scale = float(cpu.cpu_calibration(cpu_fraction=measured, vcpu=float(vcpu), modelled_cores=model))
    assert cores(requests, received, 2 * received, scale=scale, **work) == pytest.approx(measured * vcpu)


def test_arrays_give_what_floats_give() -> None:
    check_element_by_element(
        cpu.cpu_cores,
        requests_per_s=(0.0, 1e5),
        network_in_bytes_per_s=(0.0, 1e9),
        network_out_bytes_per_s=(0.0, 1e9),
        tls=(0, 1),
        calibration=(0.5, 2.0),
        idle_cores=(0.0, 0.2),
        core_s_per_request=(0.0, 6e-4),
        core_s_per_byte_in=(0.0, 6e-8),
        core_s_per_byte_out=(0.0, 6e-8),
        core_s_per_byte_tls=(0.0, 1e-8),
    )
    check_element_by_element(cpu.cpu_calibration, cpu_fraction=(0.0, 1.0), vcpu=(1, 128), modelled_cores=(0.01, 100.0))
