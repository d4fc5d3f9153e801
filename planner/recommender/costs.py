"""Stage 3: what every system costs in a month, apart from the score: infrastructure from unit prices, people beside it.

One function per way of pricing; each returns named lines, arrays over the variants. A system whose price could not be
read has no lines.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from planner.constants import constant
from planner.model import messaging
from planner.recommender.answers import Batch, Load, load_of
from planner.recommender.kafka_curve import kafka_cluster
from planner.recommender.musthaves import held
from planner.recommender.systems import Array, Catalogue, System

HOURS = 730.0  # of a month, as the price lists count
DAY = 86400.0
_MILLION = 1e6
_REQUEST_BYTES = 64 * 1024.0  # SQS, SNS and EventBridge bill in such chunks
_PUT_BYTES = 25 * 1024.0  # Kinesis PUT payload unit
_LEAST_BYTES = 1000.0  # Pub/Sub bills at least so much a request
_ZONE_CROSSING = 2 / 3  # share of the traffic between evenly spread clients and brokers in three zones
_KINESIS_FREE_S, _KINESIS_FIRST_S = DAY, 7 * DAY
_SHARED_READERS = 2.0  # of a Kinesis shard; more need enhanced fan-out
_PARTITION_BYTES = 5e6  # bytes/s into a partition of MSK Serverless
_EXPRESS_OUT = 2.5  # an Express broker sends so many times what it takes in
_UNIT_OUT = 2.0  # an Event Hubs unit sends so many times what it takes in
_REPLICAS = 2.0  # beside the leader, in other zones
_BENCHMARK_BYTES = 1000.0
_COPIES = 3.0  # of what self-managed systems store

OUTBOX = "postgres_queue"  # the system that an outbox table lives in

Lines = dict[str, Array]
Prices = Callable[[str], float]


def _kafka_nodes(price: Prices, load: Load, *, hourly: bool, controllers: bool, replication: bool) -> Lines:
    cluster = kafka_cluster(load)
    node = price("price_node_hour") * HOURS if hourly else price("price_node_month")
    # consumers read from a replica in their zone (KIP-392); a managed cluster does not bill its replication
    crossing = load.flow * (_ZONE_CROSSING + (_REPLICAS if replication else 0.0))
    found = {
        "brokers": cluster.brokers * node,
        "disks": cluster.disk_bytes / messaging.GB * price("price_stored_gb"),
    }
    zone = price("price_cross_zone_gb")
    if not math.isnan(zone):
        found["traffic between zones"] = _metered(_gigabytes(crossing), zone)
    if controllers:
        found["controllers"] = np.full_like(load.rate, cluster.controllers * node)
    return found


def _own_kafka(price: Prices, load: Load) -> Lines:
    return _kafka_nodes(price, load, hourly=False, controllers=True, replication=True)


def _own_redpanda(price: Prices, load: Load) -> Lines:
    return _kafka_nodes(price, load, hourly=False, controllers=False, replication=True)


def _msk(price: Prices, load: Load) -> Lines:
    return _kafka_nodes(price, load, hourly=True, controllers=False, replication=False)


def _metered(units: Array, unit_price: float, free: float = 0.0) -> Array:
    return np.asarray(
        messaging.metered_price_per_month(units_per_month=units, free_units_per_month=free, unit_price=unit_price)
    )


def _gigabytes(flow: Array) -> Array:
    return np.asarray(messaging.gigabytes_per_month(bytes_per_s=flow))


def _stored(price: Prices, load: Load, copies: float = 1.0, beyond_s: float = 0.0) -> Array:
    kept = np.maximum(load.kept_s - beyond_s, 0.0)
    gigabytes = messaging.stored_gigabytes(bytes_per_s=load.flow, retention_s=kept, copies=copies)
    return _metered(np.asarray(gigabytes), price("price_stored_gb"))


def _moved(price: Prices, load: Load) -> Lines:
    return {
        "data in": _metered(_gigabytes(load.flow), price("price_in_gb")),
        "data out": _metered(_gigabytes(load.flow * load.groups), price("price_out_gb")),
        "storage": _stored(price, load),
    }


def _msk_express(price: Prices, load: Load) -> Lines:
    busiest = np.maximum(load.peak_flow, load.peak_flow * load.groups / _EXPRESS_OUT)
    brokers = np.ceil(np.maximum(busiest / price("node_bytes_in"), 1.0) / 3) * 3
    return {
        "brokers": brokers * price("price_node_hour") * HOURS,
        "data in": _metered(_gigabytes(load.flow), price("price_in_gb")),
        "storage": _stored(price, load),
    }


def _msk_serverless(price: Prices, load: Load) -> Lines:
    partitions = np.maximum(np.ceil(load.peak_flow / _PARTITION_BYTES), 3.0)
    return {
        "cluster hours": np.full_like(load.rate, price("price_hour") * HOURS),
        "partition hours": partitions * price("price_partition_hour") * HOURS,
        **_moved(price, load),
    }


def _confluent(price: Prices, load: Load) -> Lines:
    return {"least price of the tier": np.full_like(load.rate, price("minimum_month")), **_moved(price, load)}


def _warpstream(price: Prices, load: Load) -> Lines:
    moved = load.peak_flow * (2 + load.groups)  # in, on to the object store, out to every group
    agents = np.maximum(np.ceil(moved / (price("node_bytes") * constant("default.utilisation.network"))), 3.0)
    return {
        "cluster": np.full_like(load.rate, price("minimum_month")),
        "agents": agents * price("price_node_month"),
        "data written": _metered(_gigabytes(load.flow), price("price_in_gb")),
        "storage with S3": _stored(price, load),
    }


def _kinesis_shards(price: Prices, load: Load) -> Lines:
    shards = _units(price, load, load.peak_flow, 1.0)
    fans = np.where(load.groups > _SHARED_READERS, load.groups, 0.0)
    puts = load.rate * HOURS * 3600 * np.ceil(load.message_bytes / _PUT_BYTES)
    return {
        "shard hours": shards * price("price_hour") * HOURS,
        "puts": _metered(puts / _MILLION, price("price_put_million")),
        "fan-out hours": shards * fans * price("price_fanout_hour") * HOURS,
        "fan-out data": _metered(_gigabytes(load.flow * fans), price("price_fanout_gb")),
        "retention hours": np.where(load.kept_s > _KINESIS_FREE_S, shards * price("price_retention_hour") * HOURS, 0.0),
        "storage": _stored(price, load, beyond_s=_KINESIS_FIRST_S),
    }


def _kinesis_on_demand(price: Prices, load: Load) -> Lines:
    out = np.where(load.groups > _SHARED_READERS, price("price_fanout_gb"), price("price_out_gb"))
    return {
        "stream hours": np.full_like(load.rate, price("price_hour") * HOURS),
        "data in": _metered(_gigabytes(load.flow), price("price_in_gb")),
        "data out": _gigabytes(load.flow * load.groups) * out,
        "storage": _stored(price, load, beyond_s=_KINESIS_FREE_S),
    }


def _requests(load: Load, calls: Array | float, batch: float) -> Array:
    count = messaging.requests_per_month(
        events_per_s=load.rate,
        calls_per_event=calls,
        message_bytes=load.message_bytes,
        chunk_bytes=_REQUEST_BYTES,
        batch_events=batch,
    )
    return np.asarray(count) / _MILLION


def _sqs(price: Prices, load: Load) -> Lines:
    fan = load.groups > 1
    calls = np.where(fan, 2 * load.groups, 3.0)  # behind SNS the sends are free
    batch = constant("recommender.batch_events")
    return {"requests": _metered(_requests(load, calls, batch), price("price_million"), price("free_million"))}


def _sns(price: Prices, load: Load) -> Lines:
    published = _requests(load, 1.0, constant("recommender.batch_events"))
    return {"published": _metered(published, price("price_million"), price("free_million"))}


def _eventbridge(price: Prices, load: Load) -> Lines:
    archived = np.where(load.replay, _gigabytes(load.flow), 0.0)
    return {
        "events": _metered(_requests(load, 1.0, 1.0), price("price_million")),
        "archive": archived * price("price_archive_gb") + np.where(load.replay, _stored(price, load), 0.0),
    }


def _pubsub(price: Prices, load: Load) -> Lines:
    batch = constant("recommender.batch_events")
    billed = load.rate * np.maximum(load.message_bytes, _LEAST_BYTES / batch)
    volume = _gigabytes(billed * (1 + load.groups))
    return {
        "throughput": _metered(volume, price("price_gb"), price("free_gb")),
        "retained": np.where(load.replay, _stored(price, load), 0.0),
    }


def _event_hubs(price: Prices, load: Load) -> Lines:
    busiest = np.maximum(load.peak_flow, load.peak_flow * load.groups / _UNIT_OUT)
    events = load.rate * HOURS * 3600 / _MILLION
    return {
        "throughput units": _units(price, load, busiest, 1.0) * price("price_unit_month"),
        "events": _metered(events, price("price_million")),
    }


def _service_bus(price: Prices, load: Load) -> Lines:
    operations = load.rate * HOURS * 3600 * (1 + 2 * load.groups) / _MILLION
    standard = price("minimum_month") + _metered(operations, price("price_million"), price("free_million"))
    busy = replace(load, peak=load.peak * (1 + load.groups) / 2)  # writing and reading count alike
    premium = _units(price, busy, np.zeros_like(load.rate), 1.0) * price("price_unit_month")
    return {"operations or messaging units": np.minimum(standard, premium)}


def _units(price: Prices, load: Load, flow: Array, least: float) -> Array:
    unit_bytes = price("unit_bytes")
    return np.asarray(
        messaging.capacity_units(
            events_per_s=load.peak,
            bytes_per_s=flow,
            unit_events_per_s=price("unit_rate"),
            unit_bytes_per_s=math.inf if math.isnan(unit_bytes) else unit_bytes,
            least=least,
        )
    )


def _nodes(
    *,
    copies_per_group: bool = False,
    replicas: float = 2.0,
    in_memory: bool = False,
) -> Callable[[Prices, Load], Lines]:
    """Machines of one's own, as many as the peak, its readers and what must fit into memory need.

    Published rates are of messages of 1 kB with one reader; writing and reading count alike.
    """

    def lines(price: Prices, load: Load) -> Lines:
        rate = load.peak * (load.groups if copies_per_group else (1 + load.groups) / 2)
        count = messaging.capacity_units(
            events_per_s=rate,
            bytes_per_s=rate * load.message_bytes,
            unit_events_per_s=price("node_rate"),
            unit_bytes_per_s=price("node_rate") * _BENCHMARK_BYTES,
            least=price("nodes_min"),
        )
        node: Array | float = price("price_node_month")
        managed = price("price_managed_node_month")
        if not math.isnan(managed):
            node = np.where(load.managed, managed, node)
        crossing = load.flow * (_ZONE_CROSSING * (1 + load.groups) + replicas)
        found = {"traffic between zones": _metered(_gigabytes(crossing), price("price_cross_zone_gb"))}
        if in_memory:
            stored = load.flow * load.kept_s * (1 + replicas)
            count = np.maximum(count, np.ceil(stored / price("node_bytes")))
        elif not math.isnan(price("price_stored_gb")):
            found["disks"] = _stored(price, load, _COPIES)
        return {"nodes": np.asarray(count) * node, **found}

    return lines


_PRICING: dict[str, Callable[[Prices, Load], Lines]] = {
    "kafka_self": _own_kafka,
    "kafka_share_groups": _own_kafka,
    "redpanda_self": _own_redpanda,
    "msk_provisioned": _msk,
    "msk_express": _msk_express,
    "msk_serverless": _msk_serverless,
    "confluent_basic": _confluent,
    "confluent_standard": _confluent,
    "warpstream": _warpstream,
    "kinesis_provisioned": _kinesis_shards,
    "kinesis_on_demand": _kinesis_on_demand,
    "sqs_standard": _sqs,
    "sqs_fifo": _sqs,
    "sns": _sns,
    "eventbridge": _eventbridge,
    "gcp_pubsub": _pubsub,
    "azure_event_hubs": _event_hubs,
    "azure_service_bus": _service_bus,
    "rabbitmq_quorum": _nodes(copies_per_group=True),
    "rabbitmq_streams": _nodes(),
    "nats_jetstream": _nodes(),
    "nats_core": _nodes(replicas=0.0),
    "redis_streams": _nodes(replicas=1.0, in_memory=True),
    "postgres_queue": _nodes(replicas=1.0),
    "pulsar_self": _nodes(),
}


def lines_of(catalogue: Catalogue, key: str, load: Load) -> Lines:
    """The monthly lines of one system; empty where no price is known."""

    def price(attribute: str) -> float:
        fact = catalogue.facts.get((key, attribute))
        return math.nan if fact is None else fact.value

    return _PRICING[key](price, load) if key in _PRICING else {}


@dataclass(frozen=True)
class Money:
    """Systems by variants, USD a month; NaN where no price is known. `extra` names what must be bought beside it."""

    infrastructure: Array
    people: Array
    extras: Mapping[str, Array]  # system bought beside -> systems by variants

    @property
    def total(self) -> Array:
        """Infrastructure and people."""
        return self.infrastructure + self.people


def hours_of(system: System) -> float:
    """Hours a month that running a system takes."""
    return constant(f"recommender.people_hours.{system.operation}")


def hourly_rate(batch: Batch) -> Array:
    """Cost of an hour in every variant."""
    given = batch.number("hourly_rate")
    return np.where(np.isnan(given), constant("recommender.hourly_rate"), given)


def extras_of(batch: Batch, catalogue: Catalogue) -> dict[str, Array]:
    """What a system needs beside it: an SNS topic before several queues, an outbox table for atomic writes."""
    keys = [system.key for system in catalogue.systems]
    fan_out = np.isin(keys, ("sqs_standard", "sqs_fifo"))[:, None] & (batch.number("consumer_groups") > 1)[None, :]
    own_outbox = catalogue.column("atomic_with_database") == 1
    outbox = ~own_outbox & batch.yes("atomic_with_database")[None, :]
    return {"sns": fan_out, OUTBOX: outbox}


def money_of(batch: Batch, catalogue: Catalogue) -> Money:
    """What every system costs in every variant."""
    load = load_of(batch)
    existing = held(batch, catalogue, "existing")
    unknown = np.full(batch.size, math.nan)
    infrastructure, people = [], []
    rate = hourly_rate(batch)
    for row, system in enumerate(catalogue.systems):
        amount = _sum(lines_of(catalogue, system.key, load), unknown)
        if existing[row].any():
            idle = _sum(lines_of(catalogue, system.key, load.idle()), unknown)
            paid = np.where(np.isnan(idle), 0.0, idle)  # what runs already is paid for
            amount = np.where(existing[row], np.maximum(np.where(np.isnan(amount), 0.0, amount) - paid, 0.0), amount)
        share = np.where(existing[row], constant("recommender.existing_hours_fraction"), 1.0)
        infrastructure.append(amount)
        people.append(hours_of(system) * share * rate)
    found = Money(np.array(infrastructure), np.array(people), extras_of(batch, catalogue))
    return _with_extras(found, load, rate)


def _with_extras(money: Money, load: Load, rate: Array) -> Money:
    """Charge for both where two systems are needed."""
    from planner.recommender.systems import catalogue

    infrastructure, people = money.infrastructure, money.people
    for key, needed in money.extras.items():
        if not needed.any():
            continue
        whole = catalogue()
        beside = whole.systems[whole.index(key)]
        # an outbox is a table in the database that takes part in the transaction: work, but no new machine
        cost = _sum(lines_of(whole, key, load), np.zeros_like(rate)) if key != OUTBOX else np.zeros_like(rate)
        infrastructure = infrastructure + np.where(needed, cost, 0.0)
        people = people + np.where(needed, hours_of(beside) * rate, 0.0)
    return Money(infrastructure, people, money.extras)


def _sum(lines: Lines, empty: Array) -> Array:
    return np.sum(list(lines.values()), axis=0) if lines else empty
