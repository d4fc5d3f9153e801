"""Checks of broker settings against the plan."""

from __future__ import annotations

import math
from collections.abc import Iterator

from planner.advise.evidence import Configured
from planner.advise.hits import Case, Hit, shown
from planner.constants import constant
from planner.results import STATE_WORDS, Severity
from planner.sizing.evaluate import threshold
from planner.sizing.narrate import percent

_HEALTHY_IDLE = 0.3  # NetworkProcessorAvgIdlePercent and RequestHandlerAvgIdlePercent stay above it
_INTERNAL = ("offsets.topic.replication.factor", "transaction.state.log.replication.factor")
_RACK_AWARE = "RackAwareReplicaSelector"


def broker_hits(case: Case) -> Iterator[Hit]:
    """Every check of the brokers."""
    yield from _auto_create(case)
    yield from _internal(case)
    yield from _fetchers(case)
    yield from _threads(case)
    yield from _handles(case)
    yield from _racks(case)


def _auto_create(case: Case) -> Iterator[Hit]:
    found = case.evidence.of_broker("auto.create.topics.enable")
    if found.on:
        factor = case.evidence.of_broker("default.replication.factor").number
        parts = case.evidence.of_broker("num.partitions").value
        severity: Severity | None = None if found.given else "info"
        yield Hit("auto_create_topics", found.where, factor, "count", "", {"partitions": parts}, severity)


def _internal(case: Case) -> Iterator[Hit]:
    for key in _INTERNAL:
        found = case.evidence.of_broker(key)
        if found.number < min(3, case.view.brokers):
            severity: Severity | None = None if found.number == 1 else "warning"
            yield Hit("internal_replication", found.where, found.number, "count", key, {"key": key}, severity)


def _fetchers(case: Case) -> Iterator[Hit]:
    """A fetcher has one request in flight, so a round trip and the largest response bound it."""
    view = case.view
    if view.brokers == 1:
        return
    given = case.evidence.of_broker("num.replica.fetchers")
    configured = given.number if given.given else view.setting.replica_fetchers
    response = case.evidence.of_broker("replica.fetch.response.max.bytes").number
    part = case.evidence.of_broker("replica.fetch.max.bytes").number
    leaders = view.plan.cluster.partitions / view.brokers
    round_trip = constant("requests.round_trip_s")
    each = max(min(response, part * max(leaders, 1.0)), 1.0) / round_trip  # Kafka accepts 0 and sends one batch
    rate = view.plan.cluster.follower_in_bytes_per_s / view.brokers / (view.brokers - 1)
    needed = math.ceil(rate / each)
    if needed > configured:
        texts = {
            "rate": shown(rate, "bytes/s"),
            "each": shown(each, "bytes/s"),
            "round_trip": shown(round_trip, "s"),
            "configured": f"{configured:g}",
        }
        where = given.where if given.given else "scenario: cluster.replica_fetchers"
        yield Hit("replica_fetchers", where, needed, "count", "", texts)


def _threads(case: Case) -> Iterator[Hit]:
    """Threads that keep the idle share above Kafka's usual alert, for the work that the CPU model counts."""
    healthy = case.view.plan.states["healthy"].fullest
    assert healthy is not None  # noqa: S101 - the healthy state is always computed
    moved_in = healthy["network_in_bytes_per_s"] + healthy["network_overhead_in_bytes_per_s"]
    moved_out = healthy["network_out_bytes_per_s"] + healthy["network_overhead_out_bytes_per_s"]
    requests = healthy["network_overhead_in_bytes_per_s"] / constant("requests.overhead_bytes")
    factor = case.view.setting.calibration
    encryption = constant("cpu.core_s_per_byte_tls") * (moved_in + moved_out) if case.view.setting.tls else 0.0
    sending = factor * (moved_out * constant("cpu.core_s_per_byte_out") + encryption)
    handling = factor * (requests * constant("cpu.core_s_per_request") + moved_in * constant("cpu.core_s_per_byte_in"))
    for code, key, busy in (
        ("network_threads", "num.network.threads", sending),
        ("io_threads", "num.io.threads", handling),
    ):
        found = case.evidence.of_broker(key)
        needed = math.ceil(busy / (1 - _HEALTHY_IDLE))
        if needed > found.number:
            yield Hit(code, found.where, needed, "count", "", {"busy": f"{busy:.2g}", "configured": found.value})


def _handles(case: Case) -> Iterator[Hit]:
    """Open files and memory maps of the fullest broker in the checked state that needs most of them."""
    plan, limits = case.view.plan, case.view.workload.scenario.cluster.limits
    for figure, kind, setting, limit, spare in (
        ("open_files", "files", "the limit of open files (nofile)", limits.nofile, 2),
        ("mmaps", "memory maps", "vm.max_map_count", limits.max_map_count, 4),
    ):
        loads = {name: (state.fullest or {}).get(figure, 0.0) for name, state in plan.states.items() if state.checked}
        state = max(loads, key=lambda name: loads[name])
        share = threshold(case.view.setting, "handles", state)
        needed = math.ceil(loads[state])
        texts = {
            "kind": kind,
            "state": STATE_WORDS[state],
            "limit": f"{limit:,}".replace(",", " "),
            "share": percent(share),
            "setting": setting,
            "wanted": f"{max(100_000, spare * needed):,}".replace(",", " "),
        }
        where = f"scenario: cluster.limits.{'nofile' if figure == 'open_files' else 'max_map_count'}"
        if needed > share * limit:
            yield Hit("handles", where, needed, "count", kind, texts)
        elif spare * needed > limit:
            yield Hit("handles_low", where, needed, "count", kind, texts)


def _racks(case: Case) -> Iterator[Hit]:
    if not case.evidence.broker:
        return
    cluster = case.view.workload.scenario.cluster
    rack = case.evidence.of_broker("broker.rack")
    if cluster.zones > 1 and _absent(rack):
        yield Hit("broker_rack", rack.where, cluster.zones, "count")
    selector = case.evidence.of_broker("replica.selector.class")
    if cluster.fetch_from_follower and not selector.value.endswith(_RACK_AWARE):
        sent = case.view.plan.cluster.consumer_out_bytes_per_s
        yield Hit("follower_fetching", selector.where, sent, "bytes/s")


def _absent(found: Configured) -> bool:
    return found.value in {"", "null"}
