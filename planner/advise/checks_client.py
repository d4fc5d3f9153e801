"""Checks of producers and consumers against the plan."""

from __future__ import annotations

import math
from collections.abc import Iterator

from planner.advise.hits import Case, Hit, ms, shown
from planner.results import Severity
from planner.scenario import ConsumerGroup, Topic

_POLLS = 5  # max.poll.interval.ms over the worst batch
_BEATS = 3  # heartbeats in a session
_IN_FLIGHT = 5  # most requests in flight of an idempotent producer
_COOPERATIVE = "CooperativeStickyAssignor"
_LATE = 10  # session timeout over the restart time


def client_hits(case: Case) -> Iterator[Hit]:
    """Every check of the clients of every topic."""
    for index, topic in enumerate(case.view.workload.topics):
        yield from _idempotence(case, topic, index)
        for group in topic.consumers:
            if group.protocol != "share":
                yield from _assignor(case, topic, group)
                yield from _poll(case, topic, group)
                yield from _session(case, group)


def _planned(group: ConsumerGroup, key: str, value: float) -> str | None:
    return ms(value) if key in group.model_fields_set else None


def _assignor(case: Case, topic: Topic, group: ConsumerGroup) -> Iterator[Hit]:
    count = case.view.plan.topics[topic.name].partitions
    strategy = case.evidence.of_consumer(group.group, "partition.assignment.strategy")
    protocol = case.evidence.of_consumer(group.group, "group.protocol")
    if protocol.given and protocol.value.strip().lower() == "consumer":
        return
    if strategy.given:
        eager = not strategy.value.strip(" []").split(",")[0].strip().endswith(_COOPERATIVE)
        where = strategy.where
    else:
        eager, where = group.protocol == "eager", f"scenario: group {group.group}"
    if eager:
        yield Hit("eager_assignor", where, count, "count", group.group)


def _record_s(group: ConsumerGroup) -> float | None:
    """What one record takes a member."""
    if group.processing_time is not None:
        return group.processing_time
    return None if group.records_per_s_per_member is None else 1 / group.records_per_s_per_member


def _poll(case: Case, topic: Topic, group: ConsumerGroup) -> Iterator[Hit]:
    each = _record_s(group)
    if each is None:
        return
    records = case.evidence.of_consumer(
        group.group,
        "max.poll.records",
        str(group.max_poll_records) if "max_poll_records" in group.model_fields_set else None,
    )
    interval = case.evidence.of_consumer(
        group.group, "max.poll.interval.ms", _planned(group, "max_poll_interval", group.max_poll_interval)
    )
    worst, allowed = records.number * each, interval.number / 1000
    if allowed < _POLLS * worst:
        texts = {
            "records": records.value,
            "each": shown(each, "s"),
            "interval": shown(allowed, "s"),
            "wanted": ms(_POLLS * worst),
            "fewer": str(max(1, math.floor(allowed / _POLLS / each))),
        }
        severity: Severity | None = "critical" if allowed < worst else None
        where = interval.where if interval.given or not records.given else records.where
        yield Hit("poll_interval", where, worst, "s", f"{group.group} on {topic.name}", texts, severity)


def _session(case: Case, group: ConsumerGroup) -> Iterator[Hit]:
    """With the consumer protocol the brokers hold the session, else the member does."""
    evidence = case.evidence
    modern = group.protocol == "consumer"
    if modern:
        session = evidence.of_broker("group.consumer.session.timeout.ms")
        beat = evidence.of_broker("group.consumer.heartbeat.interval.ms")
        setting = "group.consumer.session.timeout.ms (broker)"
        low, high = (evidence.of_broker(f"group.consumer.{end}.session.timeout.ms") for end in ("min", "max"))
    else:
        planned = _planned(group, "session_timeout", group.session_timeout)
        session = evidence.of_consumer(group.group, "session.timeout.ms", planned)
        beat = evidence.of_consumer(group.group, "heartbeat.interval.ms")
        setting = "session.timeout.ms"
        low, high = (evidence.of_broker(f"group.{end}.session.timeout.ms") for end in ("min", "max"))
    allowed, restart = session.number / 1000, case.view.workload.scenario.operations.restart_time
    static = evidence.of_consumer(group.group, "group.instance.id", "static" if group.static_membership else None).given
    texts = {"restart": shown(restart, "s"), "setting": setting, "session": shown(allowed, "s")}
    if static and allowed < restart:
        texts["wanted"] = f"{ms(1.5 * restart)} ms"
        yield Hit("session_timeout_short", session.where, allowed, "s", group.group, texts)
    if not static and restart > 0 and allowed > _LATE * restart:
        texts["wanted"] = f"{ms(max(2 * restart, low.number / 1000))} ms"
        yield Hit("session_timeout_long", session.where, allowed, "s", group.group, texts)
    if 0 < allowed * 1000 < _BEATS * beat.number:
        texts["wanted"] = f"{ms(allowed / _BEATS)} ms"
        yield Hit("heartbeat_interval", beat.where, allowed * 1000 / beat.number, "count", group.group, texts)
    if not low.number <= session.number <= high.number:
        texts |= {"low": shown(low.number / 1000, "s"), "high": shown(high.number / 1000, "s")}
        yield Hit("session_out_of_bounds", session.where, allowed, "s", group.group, texts)


def _idempotence(case: Case, topic: Topic, index: int) -> Iterator[Hit]:
    evidence, name = case.evidence, topic.name
    switch = evidence.of_producer(name, "enable.idempotence")
    acks = evidence.of_producer(name, "acks", topic.acks)
    flights = evidence.of_producer(name, "max.in.flight.requests.per.connection")
    retries = evidence.of_producer(name, "retries")
    contradictions = [
        f"{key}={found.value}"
        for key, found, wrong in (
            ("acks", acks, acks.value not in {"all", "-1"}),
            ("max.in.flight.requests.per.connection", flights, flights.number > _IN_FLIGHT),
            ("retries", retries, retries.number == 0),
        )
        if wrong
    ]
    transactions = topic.transactions_per_s
    # the default gives way silently to a setting that contradicts it; a switch that was set refuses to start
    if switch.given and switch.on and contradictions:
        number = flights.number if flights.number > _IN_FLIGHT else len(contradictions)
        texts = {"conflict": ", ".join(contradictions)}
        yield Hit("idempotence_conflict", switch.where, number, "count", name, texts)
    elif not switch.on or contradictions:
        if transactions > 0:
            yield Hit("idempotence_needed", switch.where, transactions, "1/s", name)
        else:
            where = switch.where if not switch.on else acks.where
            order = ", and out of order" if flights.number > 1 and topic.keys is not None and topic.keys.ordered else ""
            batch = float(case.view.sized.columns["records_per_request"][index])
            most = flights.number * batch * topic.producers
            yield Hit("idempotence_off", where, most, "records", name, {"order": order})
    if transactions > 0 and topic.consumers:
        yield Hit("application_idempotence", f"scenario: topic {name}", transactions, "1/s", name)
