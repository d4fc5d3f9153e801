"""Kafka as a service that is sized by quotas: what it takes and costs, beside the brokers that can be bought."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from planner import units
from planner.catalogue.named import month_of
from planner.constants import constant, data_path
from planner.model import cost, quotas, traffic, utilisation
from planner.results import Plan
from planner.scenario import Scenario

EXPRESS, SERVERLESS = "express", "serverless"


@dataclass(frozen=True, slots=True)
class ManagedRow:
    """A service at a size, what it costs by line, or why it does not do."""

    name: str
    count: int | None
    per_month: float | None
    feasible: bool
    reason: str | None
    lines: Mapping[str, float]
    binding: str | None
    source: str
    as_of: str


@cache
def _offers() -> Mapping[str, Mapping[str, Any]]:
    with data_path("hardware", "managed.toml").open("rb") as file:
        return tomllib.load(file)


def managed_rows(scenario: Scenario, planned: Plan, average_in: float, average_out: float) -> Iterator[ManagedRow]:
    """Every service of AWS that is sized by quotas, for the load of a plan; averages are billed, peaks are held.

    Parameters are the scenario, any plan of it (its flows and partitions do not depend on the brokers), and what is
    produced and consumed on average [bytes/s]. Prices are list prices; the caller applies its terms.
    """
    yield from _express(scenario, planned, average_in, average_out)
    yield _serverless(scenario, planned, average_in, average_out)


def _kept(scenario: Scenario, planned: Plan) -> float:
    """Bytes of one copy, local and remote: these services bill what is kept once."""
    copies = {topic.name: topic.replication_factor for topic in scenario.topics}
    local = sum(topic.disk_bytes / copies[name] for name, topic in planned.topics.items())
    return float(local + planned.cluster.remote_bytes)


def _per_gib(price: float) -> float:
    return price / units.parse("1GiB", "bytes")


def _billed(rate: float, price_per_gib: float) -> float:
    return float(
        cost.transfer_per_month(
            average_bytes_per_s=rate,
            s_per_month=constant("cost.s_per_month"),
            price_per_byte=_per_gib(price_per_gib),
        )
    )


def _stored(kept: float, price_per_gib: float) -> float:
    return float(cost.stored_per_month(stored_bytes=kept, price_per_byte=_per_gib(price_per_gib)))


def _express(scenario: Scenario, planned: Plan, average_in: float, average_out: float) -> Iterator[ManagedRow]:
    offer, policy, cluster = _offers()[EXPRESS], scenario.policy, planned.cluster
    zones, copies = scenario.cluster.zone_count, offer["replication_factor"]
    produced = traffic.cross_zone_produce_bytes_per_s(produce_in_bytes_per_s=average_in, zones=zones)
    consumed = traffic.cross_zone_consume_bytes_per_s(
        consumer_out_bytes_per_s=average_out,
        replication_factor=copies,
        zones=zones,
        fetch_from_follower=float(scenario.cluster.fetch_from_follower),
    )
    shared = {
        "storage": _stored(_kept(scenario, planned), offer["usd_per_gib_month"]),
        "data in": _billed(average_in, offer["usd_per_gib_in"]),
        "cross-zone produce": _billed(float(produced), offer["zone_transfer_usd_per_gib"]),
        "cross-zone consume": _billed(float(consumed), offer["zone_transfer_usd_per_gib"]),
    }
    limits = {
        "limit_fraction": policy.utilisation.network,
        "degraded_fraction": policy.utilisation_degraded.network,
        "brokers_down": policy.survive.brokers,
    }
    odd = sorted({topic.replication_factor for topic in scenario.topics} - {copies})
    for name, broker in offer["brokers"].items():
        needs = {
            "ingress": (cluster.produce_in_bytes_per_s, units.parse(broker["in"], "bytes_per_s")),
            "egress": (cluster.consumer_out_bytes_per_s, units.parse(broker["out"], "bytes_per_s")),
            "partitions": (float(cluster.replicas), float(broker["replicas"])),
        }
        raw = {
            key: float(quotas.quota_brokers(load=load, quota=quota, **limits)) for key, (load, quota) in needs.items()
        }
        binding = max(raw, key=lambda key: raw[key])
        least = max(math.ceil(raw[binding] - 1e-9), zones)
        count = int(utilisation.broker_floor(copies=least, step=zones))
        lines = {"brokers": month_of(broker["usd_per_h"]) * count, **shared}
        reason = f"Express keeps three copies, and a topic asks for {odd[0]}" if odd else None
        total = float(cost.bill_per_month(line_per_month=np.array(list(lines.values()))))
        where = (offer["source"], offer["as_of"])
        yield ManagedRow(name, count, None if odd else total, not odd, reason, {} if odd else lines, binding, *where)


def _serverless(scenario: Scenario, planned: Plan, average_in: float, average_out: float) -> ManagedRow:
    offer, cluster = _offers()[SERVERLESS], planned.cluster
    compacted = {topic.name for topic in scenario.topics if "compact" in topic.cleanup}
    groups = {group.group for topic in scenario.topics for group in topic.consumers}
    hottest_in, hottest_out = (
        max(getattr(topic, flow) * topic.hottest_partition_fraction for topic in planned.topics.values())
        for flow in ("produce_in_bytes_per_s", "consumer_out_bytes_per_s")
    )
    used: dict[str, tuple[float, float]] = {
        "ingress": (cluster.produce_in_bytes_per_s, units.parse(offer["in"], "bytes_per_s")),
        "egress": (cluster.consumer_out_bytes_per_s, units.parse(offer["out"], "bytes_per_s")),
        "ingress of a partition": (hottest_in, units.parse(offer["partition_in"], "bytes_per_s")),
        "egress of a partition": (hottest_out, units.parse(offer["partition_out"], "bytes_per_s")),
        "partitions": (float(cluster.partitions), float(offer["partitions"])),
        "compacted partitions": (
            float(sum(planned.topics[name].partitions for name in compacted)),
            float(offer["compacted_partitions"]),
        ),
        "consumer groups": (float(len(groups)), float(offer["groups"])),
    }
    shares = {key: load / quota for key, (load, quota) in used.items()}
    binding = max(shares, key=lambda key: shares[key])
    lines = {
        "cluster": month_of(offer["usd_per_h"]),
        "partitions": month_of(offer["usd_per_partition_h"]) * cluster.partitions,
        "data in": _billed(average_in, offer["usd_per_gib_in"]),
        "data out": _billed(average_out, offer["usd_per_gib_out"]),
        "storage": _stored(_kept(scenario, planned), offer["usd_per_gib_month"]),
    }
    where = (offer["source"], offer["as_of"])
    if shares[binding] > 1:
        reason = f"{binding}: {shares[binding]:.2f} times its quota"
        return ManagedRow("msk serverless", None, None, False, reason, {}, binding, *where)  # noqa: FBT003 - in its order
    total = float(cost.bill_per_month(line_per_month=np.array(list(lines.values()))))
    return ManagedRow("msk serverless", None, total, True, None, lines, binding, *where)  # noqa: FBT003 - in its order
