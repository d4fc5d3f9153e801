"""How many brokers, bytes and controllers a Kafka cluster takes, as straight lines through plans of this planner.

A plan is close to linear in bytes, readers and events, so five plans at fixed points give every other workload in a
few multiplications; a test compares the lines with the plan itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from planner.constants import constant
from planner.model import messaging
from planner.recommender.answers import Load
from planner.recommender.systems import Array
from planner.results import Plan
from planner.scenario import BrokerSpec, Scenario
from planner.sizing import plan

_PAGE_BYTES = 16384.0  # Kafka's default batch.size: how full batches are in the plans
_ZONES = 3
DAY = 86400.0


@dataclass(frozen=True)
class Lines:
    """Per resource the least and the coefficients of `messaging.raw_brokers`; what a byte stored takes on disk."""

    coefficients: tuple[tuple[float, float, float, float, float], ...]
    disk_per_byte: float
    disk_fixed_s: float
    controllers: int


@dataclass(frozen=True)
class Cluster:
    """What the lines say about every variant."""

    brokers: Array
    disk_bytes: Array
    controllers: int


def broker_spec() -> BrokerSpec:
    """The broker that the Kafka family is sized with: an m5.large, its volume as large as the data needs.

    The one place to exchange when brokers of the hardware catalogue are to be compared; prices per node stand in
    `data/systems/facts.csv` as `price_node_hour` and `price_node_month`.
    """
    storage = {"kind": "network", "volumes": 1, "capacity": 16e12, "throughput": 81 * 2.0**20, "iops": 3000}
    network = 750e6 / 8
    return BrokerSpec.model_validate(
        {"vcpu": 2, "memory": 8 * 2.0**30, "network_in": network, "network_out": network, "storage": storage}
    )


def kafka_scenario(events_per_s: float, message_bytes: float, groups: int, kept_s: float) -> Scenario:
    """One topic of the workload, as the questions describe it."""
    topic: dict[str, Any] = {
        "name": "workload",
        "records_per_s": events_per_s,
        "record": {"value_bytes": message_bytes},
        "batch": {"records": float(np.clip(_PAGE_BYTES // message_bytes, 1, 1000))},
        "retention": {"time": kept_s},
        "consumers": [{"group": f"group-{number}"} for number in range(groups)],
    }
    return Scenario.model_validate({"topics": [topic], "cluster": {"broker": broker_spec(), "zones": _ZONES}})


_BROKER_LIMITS = ("network_in", "network_out", "disk_throughput", "disk_iops", "cpu", "memory")


@cache
def lines() -> Lines:
    """Fit the lines: nothing, a load, three times it, the load read five times and kept a week, small messages."""
    rate, size = 10_000.0, 1000.0
    idle = plan(kafka_scenario(0.001, size, 1, DAY))
    once = plan(kafka_scenario(rate, size, 1, DAY))
    thrice = plan(kafka_scenario(3 * rate, size, 1, DAY))
    often = plan(kafka_scenario(rate, size, 5, 7 * DAY))
    small = plan(kafka_scenario(10 * rate, size / 10, 1, DAY))
    flow = rate * size
    found = []
    for resource in _BROKER_LIMITS:
        least, one, three, five, tiny = (_raw(item, resource) for item in (idle, once, thrice, often, small))
        slope = max(three - one, 0.0) / 2  # for the load of `once`
        per_group = min(max(five - one, 0.0) / 4, slope)
        per_event = min(max(tiny - one, 0.0) / 9, slope - per_group)  # the same bytes in ten times as many events
        per_byte = slope - per_group - per_event
        fixed = max(one - slope, 0.0)
        found.append((least, fixed, per_byte / flow, per_group / flow, per_event / rate))
    per_second = (often.cluster.disk_bytes_worst - once.cluster.disk_bytes_worst) / (6 * DAY)
    fixed_s = max(once.cluster.disk_bytes_worst / per_second - DAY, 0.0)
    return Lines(tuple(found), per_second / flow, fixed_s, once.cluster.controllers)


def _raw(found: Plan, resource: str) -> float:
    return float(found.brokers.needed[resource].raw or 0.0)


def kafka_cluster(load: Load) -> Cluster:
    """Brokers (a multiple of three zones), bytes on disk and controllers for every variant."""
    rule = lines()
    raw = [
        np.maximum(
            least,
            messaging.raw_brokers(
                fixed=fixed,
                bytes_per_s=load.peak_flow,
                per_byte=per_byte,
                groups=load.groups,
                per_byte_and_group=per_group,
                events_per_s=load.peak,
                per_event=per_event,
            ),
        )
        for least, fixed, per_byte, per_group, per_event in rule.coefficients
    ]
    brokers = np.maximum(np.ceil(np.max(raw, axis=0) / _ZONES - 1e-9), 1) * _ZONES
    stored = load.flow * rule.disk_per_byte * (load.kept_s + rule.disk_fixed_s)
    return Cluster(brokers, stored / constant("default.utilisation.disk_volume"), rule.controllers)
