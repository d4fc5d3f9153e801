"""Stage 2: must-haves eliminate. Each is one small rule: what asks for it, the fact that answers, when it fails.

Unknown never eliminates, neither an unanswered question nor a fact that is not on file; a fact of low confidence only
warns.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from planner.constants import constant
from planner.recommender.answers import PRODUCTS, Batch
from planner.recommender.systems import CLOUDS, Array, Catalogue, products

# what is asked, in the order in which it usually decides; confidence counts how many are answered
QUESTIONS = (
    "work",
    "events_per_s",
    "consumer_groups",
    "replay",
    "ordering",
    "per_message_ack",
    "workers_exceed_partitions",
    "delay",
    "priority",
    "cloud",
    "engineers",
    "latency_p99",
    "exactly_once",
    "atomic_with_database",
    "protocols",
)


@dataclass(frozen=True)
class Rule:
    """A must-have.

    `asked` says in which variants it is asked for; `fails` for which systems (rows) and variants (columns) the column
    of facts breaks it.
    """

    id: str
    inputs: tuple[str, ...]
    attribute: str
    need: str
    asked: Callable[[Batch], Array]
    fails: Callable[[Batch, Array], Array]
    must_know: bool = False  # whether a fact that is missing leaves a doubt, rather than meaning no limit

    def broken(self, batch: Batch, column: Array) -> Array:
        """Systems by variants: where the rule is asked for and the facts break it."""
        with np.errstate(invalid="ignore"):
            return self.asked(batch)[None, :] & self.fails(batch, column)


def _absent(batch: Batch, column: Array) -> Array:
    return np.broadcast_to(column == 0, (column.shape[0], batch.size))


def _has(rule: str, inputs: str, attribute: str, need: str, asked: Callable[[Batch], Array]) -> Rule:
    """A must-have that a level answers; only a plain no fails."""
    return Rule(rule, (inputs,), attribute, need, asked, _absent, must_know=True)


def _at_most(rule: str, inputs: tuple[str, ...], attribute: str, need: str, value: Callable[[Batch], Array]) -> Rule:
    """A must-have that a limit answers: the workload's figure may not be above it."""
    return Rule(
        rule,
        inputs,
        attribute,
        need,
        lambda batch: ~np.isnan(value(batch)),
        lambda batch, column: value(batch)[None, :] > column,
    )


def _word(name: str, word: str) -> Callable[[Batch], Array]:
    return lambda batch: batch.word(name, word)


def _yes(name: str) -> Callable[[Batch], Array]:
    return lambda batch: batch.yes(name)


_IN_PART = 0.5  # of a level
_PLACES = {
    "aws": "on AWS",
    "gcp": "on Google Cloud",
    "azure": "on Azure",
    "multi": "on several clouds",
    "on_premises": "on premises",
}
_RATE = ("events_per_s", "peak_events_per_s")

RULES: tuple[Rule, ...] = (
    _has("replay", "replay", "replay", "replay of consumed data", _yes("replay")),
    Rule(
        "retention",
        ("retention", "replay"),
        "retention_max",
        "replay over that time",
        _yes("replay"),
        lambda batch, column: batch.number("retention")[None, :] > column,
    ),
    Rule(
        "replay_by_hand",
        ("retention", "replay"),
        "replay",
        "replay of so long a history as a log does",
        lambda batch: batch.yes("replay") & (batch.number("retention") > constant("recommender.partial_replay_s")),
        lambda batch, column: np.broadcast_to(column == _IN_PART, (column.shape[0], batch.size)),
    ),
    _at_most(
        "groups",
        ("consumer_groups",),
        "groups_max",
        "that many independent readers",
        lambda batch: batch.number("consumer_groups"),
    ),
    _has("order_per_key", "ordering", "order_per_key", "order per key across workers", _word("ordering", "per_key")),
    _has("order_global", "ordering", "order_global", "one total order", _word("ordering", "global")),
    _has(
        "workers",
        "workers_exceed_partitions",
        "workers_beyond_partitions",
        "more workers than partitions",
        _yes("workers_exceed_partitions"),
    ),
    _has("per_message_ack", "per_message_ack", "per_message_ack", "retry of single messages", _yes("per_message_ack")),
    _has("delay", "delay", "delay", "delayed delivery", _yes("delay")),
    _has("priority", "priority", "priority", "priorities", _yes("priority")),
    _has(
        "exactly_once",
        "exactly_once",
        "exactly_once",
        "exactly-once from topic to topic",
        _word("exactly_once", "kafka_to_kafka"),
    ),
    _has(
        "latest_per_key", "work", "compaction", "the latest value of every key, kept for good", _word("work", "state")
    ),
    _has("stateful", "work", "stateful", "stateful stream processing", _word("work", "stateful")),
    *(
        _has(
            f"protocol_{word}", "protocols", f"protocol_{word}", f"clients that speak {word}", _word("protocols", word)
        )
        for word in ("kafka", "amqp", "jms", "mqtt", "http")
    ),
    Rule(
        "kafka_streams",
        ("ecosystem",),
        "protocol_kafka",
        "the whole Kafka protocol, as Kafka Streams needs it",
        _word("ecosystem", "kafka_streams"),
        lambda batch, column: np.broadcast_to(column < 1, (column.shape[0], batch.size)),
    ),
    Rule(
        "latency",
        ("latency_p99",),
        "latency_p99",
        "that latency",
        lambda batch: ~np.isnan(batch.number("latency_p99")),
        lambda batch, column: batch.number("latency_p99")[None, :] < column,
        must_know=True,
    ),
    _at_most(
        "message_size", ("message_bytes",), "message_max", "messages of that size", lambda batch: batch.message_bytes
    ),
    _at_most("rate", _RATE, "rate_max", "that rate", lambda batch: batch.peak_floor),
    _at_most(
        "benchmark",
        _RATE,
        "rate_benchmark",
        "a rate near anything that was measured",
        lambda batch: batch.peak_floor / constant("recommender.benchmark_factor"),
    ),
    _at_most(
        "bytes",
        (*_RATE, "message_bytes", "bytes_per_s"),
        "bytes_in_max",
        "that many bytes a second",
        lambda batch: batch.peak_floor * batch.message_bytes,
    ),
    _at_most(
        "memory",
        ("retention", "backlog", "message_bytes"),
        "retained_max",
        "room for what piles up",
        lambda batch: (
            np.fmax(
                np.where(batch.yes("replay"), batch.rate * batch.number("retention"), math.nan), batch.number("backlog")
            )
            * batch.message_bytes
        ),
    ),
    _at_most("queues", ("queues",), "queues_max", "as many separate queues", lambda batch: batch.number("queues")),
    *(
        _has(f"cloud_{word}", "cloud", f"cloud_{word}", f"a way to run {_PLACES[word]}", _word("cloud", word))
        for word in CLOUDS
    ),
    _has("managed_only", "managed_only", "managed", "a managed service", _yes("managed_only")),
    Rule(
        "engineers",
        ("engineers",),
        "engineers_min",
        "something so few people can run",
        lambda batch: ~np.isnan(batch.number("engineers")),
        lambda batch, column: batch.number("engineers")[None, :] < column,
    ),
)


def held(batch: Batch, catalogue: Catalogue, name: str) -> Array:
    """Systems by variants: where the system is among the products of `existing` or `leaving`."""
    found = np.zeros((len(catalogue.systems), batch.size), dtype=bool)
    for key in batch.columns:
        prefix, _, product = key.partition(".")
        if prefix == name:
            found |= (catalogue.named(product) == 1) & batch.yes(key)[None, :]
    return found


def broken_by(rule: Rule, batch: Batch, catalogue: Catalogue, *, firm: bool = True) -> Array:
    """Systems by variants: where this rule eliminates, or with `firm` off where it would if doubtful facts counted."""
    column = catalogue.firm(rule.attribute) if firm else catalogue.column(rule.attribute)
    broken = rule.broken(batch, column)
    if rule.id in ("engineers", "managed_only"):
        broken &= ~held(batch, catalogue, "existing")  # it is run already
    return broken


def leaving(batch: Batch, catalogue: Catalogue) -> Array:
    """Systems by variants: what is being left is no answer."""
    return held(batch, catalogue, "leaving")


def survivors(batch: Batch, catalogue: Catalogue) -> Array:
    """Systems by variants: whom no must-have eliminates."""
    alive = ~leaving(batch, catalogue)
    for rule in RULES:
        alive &= ~broken_by(rule, batch, catalogue)
    return alive


def unverified(batch: Batch, catalogue: Catalogue) -> Array:
    """Systems by variants: how many must-haves are asked for without a firm fact that answers."""
    found = np.zeros((len(catalogue.systems), batch.size))
    for rule in RULES:
        if rule.must_know:
            found += np.isnan(catalogue.firm(rule.attribute)) & rule.asked(batch)[None, :]
    return found


def unknown_products(given: dict[str, tuple[str, ...]]) -> list[tuple[str, str]]:
    """Product names that the catalogue does not have, with the input that named them."""
    return [(name, product) for name in PRODUCTS for product in given.get(name, ()) if product not in products()]
