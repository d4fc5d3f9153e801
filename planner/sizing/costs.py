"""What a sized cluster costs in a month: line by line, by topic and by label."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from planner.catalogue import bought_type, broker_spec
from planner.catalogue.named import machine_per_month
from planner.catalogue.offers import InstanceType, Price, Provider, instance_types, providers
from planner.constants import constant
from planner.model import cost as prices
from planner.model import messaging
from planner.model.placement import rack_sizes
from planner.model.types import Array
from planner.results import Brokers, ClusterLoad, Cost, CostLine, Where
from planner.sizing.sized import Sized
from planner.sizing.totals import crossing_arguments
from planner.sizing.workload import Workload

LIST_CURRENCY = "USD"
_LABELS = {
    "cross_zone_produce_bytes_per_s": "cross-zone produce",
    "cross_zone_replication_bytes_per_s": "cross-zone replication",
    "cross_zone_consume_bytes_per_s": "cross-zone consume",
}


@dataclass(frozen=True, slots=True)
class Bought:
    """A type that can be bought, who sells it, and what all of its brokers cost in a month."""

    kind: InstanceType
    provider: Provider
    machines_per_month: float
    volumes_per_month: float
    used: Array  # per topic, the load that brokers are paid for by


@dataclass(frozen=True, slots=True)
class Item:
    """Something that is billed: the load per topic that causes it, and the line where its price is known."""

    name: str
    load: Array
    line: CostLine | None


@dataclass(frozen=True, slots=True)
class Bill:
    """The cost of a cluster, and of each topic in it."""

    cost: Cost | None
    reason: str | None
    topics: Mapping[str, float]


def bill_of(workload: Workload, sized: Sized, cluster: ClusterLoad, brokers: Brokers) -> Bill:
    """Price a plan: the broker as given, or for a type that can be bought everything that its seller bills."""
    named = workload.scenario.cluster.broker
    spec, kind = broker_spec(named), bought_type(named)
    if spec.price_per_month is None:
        known = "give broker.price_per_month" if kind is None else "choose another type, or give one of your own"
        return Bill(None, f"no price is known for this broker; {known}", {})
    used, count = _by_binding(sized, brokers.binding), brokers.count
    total = spec.price_per_month * count
    if kind is None:
        line = CostLine("brokers", total, count, spec.price_per_month, "scenario", "")
        return _added(workload, sized, [Item("brokers", used, line)], "as given")
    machines = (machine_per_month(kind) or 0.0) * count
    bought = Bought(kind, providers()[kind.provider], machines, total - machines, used)
    items = _items_of(workload, sized, cluster.controllers, count, bought)
    return _added(workload, sized, list(items), LIST_CURRENCY)


def _added(workload: Workload, sized: Sized, items: list[Item], currency: str) -> Bill:
    """Sum the lines, and attribute each to topics by the load that causes it."""
    priced = [(item.line, item.load) for item in items if item.line is not None]
    each = [line.per_month for line, _ in priced]
    total = float(sized.trace("cost.per_month", prices.bill_per_month, line_per_month=np.array(each)))
    shares: list[Any] = [
        prices.attributed_per_month(total_per_month=line.per_month, part=load, whole=float(load.sum()))
        for line, load in priced
    ]
    topics = dict(zip(workload.names, np.sum(np.stack(shares), axis=0).tolist(), strict=True))
    unpriced = tuple(item.name for item in items if item.line is None)
    lines = tuple(line for line, _ in priced)
    return Bill(Cost(total, currency, lines, _by_label(workload, topics), unpriced), None, topics)


def _by_label(workload: Workload, topics: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """Cost by the value of each label; topics without the label stand under an empty one."""
    keys = sorted({key for topic in workload.topics for key in topic.labels})
    found: dict[str, dict[str, float]] = {key: defaultdict(float) for key in keys}
    for topic in workload.topics:
        for key in keys:
            found[key][topic.labels.get(key, "")] += topics[topic.name]
    return {key: dict(sorted(shares.items())) for key, shares in found.items()}


def _by_binding(sized: Sized, binding: Where | None) -> Array:
    """Per topic the load of the resource that decides the broker count; brokers are paid for by who needs them."""
    topics = sized.load.topics
    received = topics.produce_in_bytes_per_s * topics.replication_factor
    sent = (
        topics.produce_in_bytes_per_s * (topics.replication_factor - 1)
        + topics.consumer_out_bytes_per_s
        + topics.tier_out_bytes_per_s
        + topics.mirror_out_bytes_per_s
    )
    replicas = topics.partitions * topics.replication_factor
    found: Array = {
        "network_in": received,
        "network_out": sent,
        "disk_volume": sized.columns["disk_bytes_worst"],
        "recovery": sized.columns["disk_bytes_worst"],
        "disk_throughput": received,
        "disk_iops": received,
        "memory": replicas,
        "handles": replicas,
        "partitions": replicas,
    }.get(binding.resource if binding else "", received + sent)
    return found if found.sum() > 0 else np.ones_like(found)


def _items_of(workload: Workload, sized: Sized, quorum: int, brokers: int, bought: Bought) -> Iterator[Item]:
    """Everything that the seller bills, with the load per topic that causes it."""
    price, provider = bought.kind.on_demand, bought.provider
    assert price is not None  # noqa: S101 - the caller has a price per month
    machines, stores = bought.machines_per_month, bought.volumes_per_month
    yield _item("brokers", bought.used, machines, brokers, price, each=machines / brokers)
    if stores > 0:
        stored = sized.columns["disk_bytes_worst"]
        yield _item("volumes", stored, stores, brokers, provider, each=stores / brokers)
    yield from around(workload, sized, quorum, brokers, provider)


def around(workload: Workload, sized: Sized, quorum: int, brokers: int, provider: Provider) -> Iterator[Item]:
    """What is billed beside the brokers and their volumes, whatever type they are."""
    kind = instance_types().get(provider.controller_type or "")
    if kind is not None:  # a managed cluster has none to pay for
        each, evenly = machine_per_month(kind), _by_binding(sized, None)
        total = (each or 0.0) * quorum
        yield _item("controllers", evenly, total, quorum, kind.on_demand or provider, each=each)
    yield from _transfers(workload, sized, brokers, provider)
    yield from _tiered(workload, sized, provider)


def _transfers(workload: Workload, sized: Sized, brokers: int, provider: Provider) -> Iterator[Item]:
    """Traffic that crosses zones or regions, on average."""
    month = constant("cost.s_per_month")
    for item, (load, price) in _billed_flows(workload, sized, brokers, provider).items():
        if price == 0 or not load.sum() > 0:
            continue  # a network of one's own is not billed by the byte
        total = prices.transfer_per_month(
            average_bytes_per_s=float(load.sum()),
            s_per_month=month,
            price_per_byte=price or 0.0,
        )
        yield _item(item, load, float(total), float(load.sum()) * month, provider, each=price)


def _billed_flows(
    workload: Workload, sized: Sized, brokers: int, provider: Provider
) -> dict[str, tuple[Array, float | None]]:
    """Average traffic by topic, with the price of a byte where it is known."""
    topics, cluster = sized.load.topics, workload.scenario.cluster
    zones, calm = len(rack_sizes(brokers, cluster.zone_count)), average_fraction(sized)
    crossing = crossing_arguments(topics, zones, fetch_from_follower=cluster.fetch_from_follower)
    flows: dict[str, tuple[Array, float | None]] = {
        _LABELS[name]: (function(**given) * calm, provider.zone_usd_per_byte)
        for name, (function, given) in crossing.items()
    }
    if provider.managed:  # brokers speak to each other at the seller's expense
        del flows["cross-zone replication"]
    return {**flows, "cross-region mirror": (topics.mirror_out_bytes_per_s * calm, provider.region_usd_per_byte)}


def _item(
    name: str, load: Array, total: float, quantity: float, where: Provider | Price, *, each: float | None
) -> Item:
    """A line with its price, or a name without a line where the price is not known."""
    unit = "bytes" if name.startswith(("cross-", "remote storage")) else ""
    line = None if each is None else CostLine(name, total, quantity, each, where.source, where.as_of, unit)
    return Item(name, load, line)


def average_fraction(sized: Sized) -> Array:
    """Average over peak rate of each topic: what is billed by the byte is billed for the average."""
    peak = sized.load.topics.produce_in_bytes_per_s
    return np.where(peak > 0, sized.columns["average_bytes_per_s"] / np.maximum(peak, 1e-300), 0.0)


def _tiered(workload: Workload, sized: Sized, provider: Provider) -> Iterator[Item]:
    """Bytes in the object store, and the requests that bring them there."""
    kept = sized.columns["remote_bytes"]
    if not kept.sum() > 0:
        return
    price = provider.object_usd_per_byte_month
    total = prices.stored_per_month(stored_bytes=float(kept.sum()), price_per_byte=price or 0.0)
    yield _item("remote storage", kept, float(total), float(kept.sum()), provider, each=price)
    segments = sized.columns["average_bytes_per_s"] * workload.given["tiered"] / workload.given["segment_bytes"]
    load = segments * constant("cost.objects_per_segment")
    count, price = float(load.sum()) * constant("cost.s_per_month"), provider.object_usd_per_write
    total = messaging.metered_price_per_month(units_per_month=count, free_units_per_month=0.0, unit_price=price or 0.0)
    yield _item("remote writes", load, float(total), count, provider, each=price)
