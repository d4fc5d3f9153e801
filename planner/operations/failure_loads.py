"""Who bears what after a failure: survivors broker by broker, producers topic by topic, a single disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from planner.constants import constant
from planner.model import failover
from planner.model.types import Array
from planner.operations.failure_cases import Case, Cause
from planner.sizing.evaluate import FIGURES, Outcome, broker_figures
from planner.sizing.loads import Load
from planner.sizing.simulate import Loss, Survivors, lost_sets, place_topics, volumes_of
from planner.sizing.spread import rack_names


@dataclass(frozen=True, slots=True)
class Survivor:
    """One broker that is left, in the first placement and the set of lost ones that hurts most there."""

    broker: int | None
    rack: str | None
    replicas: float
    leaders: float
    network_in_bytes_per_s: float
    network_out_bytes_per_s: float
    disk_write_bytes_per_s: float
    disk_read_bytes_per_s: float
    disk_bytes: float
    cpu_fraction: float


@dataclass(frozen=True, slots=True)
class Left:
    """The brokers that are left: their mean, the expected fullest, and each of one example."""

    count: int
    per_broker: Mapping[str, float]
    fullest: Mapping[str, float]
    fullest_over_mean: float  # network out
    leaders_lost: float
    leaders_lost_most: float
    replicas_lost: float
    replicas_lost_most: float
    example_lost: tuple[int | None, ...]
    brokers: tuple[Survivor, ...]


@dataclass(frozen=True, slots=True)
class Impact:
    """What the producers of a topic feel."""

    topic: str
    lost_fraction: float  # share of its bytes whose leader is lost, in the worst case
    waiting_bytes: float
    buffer_lasts_s: float
    blocks: bool
    unwritable_fraction: float
    failed_bytes: float


@dataclass(frozen=True, slots=True)
class DiskLoss:
    """What one volume held: expected, and the one that hurts most."""

    replicas: float
    replicas_most: float
    leaders: float
    leaders_most: float
    refill_bytes: float
    write_bytes_per_s: float  # of the fullest volume
    unwritable: Array  # per topic, worst volume
    unwritable_mean: Array
    offline: Array


def left_of(case: Case, cause: Cause, outcome: Outcome, after: Survivors) -> Left:
    """The survivors' loads, and what the lost ones led and held."""
    layout, load = case.layout, case.load
    lost = lost_sets(place_topics(layout), cause.loss)
    live = case.brokers - cause.brokers
    figures = broker_figures(after, load, case.setting, live)
    full = {name: np.broadcast_to(figures[name], after.stayed.shape)[:, 0] for name in FIGURES}
    worst = _worst(share_per_topic(after.unwritable, load)[:, :, 0].sum(axis=0), full["network_out_bytes_per_s"])
    held = {name: _healthy(case, name) for name in ("leaders", "replicas")}
    sums = {name: values @ lost.T for name, values in held.items()}  # (placements, sets)
    mean = outcome.mean["network_out_bytes_per_s"]
    names = rack_names(layout)
    return Left(
        count=live,
        per_broker={name: outcome.mean[name] for name in FIGURES},
        fullest={name: outcome.fullest[name] for name in FIGURES},
        fullest_over_mean=outcome.fullest["network_out_bytes_per_s"] / mean if mean > 0 else 1.0,
        leaders_lost=float(sums["leaders"].mean()),
        leaders_lost_most=float(sums["leaders"].max(axis=1).mean()),
        replicas_lost=float(sums["replicas"].mean()),
        replicas_lost_most=float(sums["replicas"].max(axis=1).mean()),
        example_lost=tuple(case.ids[position] for position in np.flatnonzero(lost[worst]).tolist()),
        brokers=tuple(
            Survivor(case.ids[position], names[position], **_row({key: full[key][worst, position] for key in full}))
            for position in np.flatnonzero(~lost[worst]).tolist()
        ),
    )


def _row(figures: Mapping[str, float]) -> dict[str, float]:
    kept = [name for name in Survivor.__slots__ if name not in {"broker", "rack"}]
    return {name: float(figures[name]) for name in kept}


def _worst(unwritable: Array, network_out: Array) -> int:
    """The set of lost brokers with most partitions unwritable; of equal ones that with the fullest survivor."""
    fullest = np.nanmax(network_out, axis=1)
    return int(np.lexsort((fullest, unwritable))[-1])


def _healthy(case: Case, name: str) -> Array:
    """Replicas or leaders of each broker before the failure, without internal topics: (placements, brokers)."""
    before = case.weighed.after(Loss())
    values = before.replica["replicas"] if name == "replicas" else before.leader["leaders"]
    counted: Array = np.asarray(values)[0]
    return counted


def share_per_topic(share: Array, load: Load) -> Array:
    """Shares of classes as shares of the topics' partitions: (topics, lost sets, placements)."""
    of_topic = np.zeros((len(load.topics.names), *share.shape[:2]))
    np.add.at(of_topic, load.classes.topic.astype(np.intp), np.moveaxis(share * load.classes.count, 2, 0))
    return of_topic / load.topics.partitions[:, None, None]


def lost_fractions(case: Case, cause: Cause) -> Array:
    """Share of each topic's bytes whose leader is lost: the worst set, expected over placements."""
    placement, load = place_topics(case.layout), case.load
    lost = lost_sets(placement, cause.loss)
    found = np.zeros((len(load.topics.names), len(lost), placement.seeds))
    placed = np.array(case.layout.class_count)
    weight = load.classes.share * load.classes.count / placed
    topic = load.classes.topic.astype(np.intp)
    for group in placement.groups:
        gone = lost[:, group.assignment[:, :, 0]] * weight[group.partition_class]
        np.add.at(found, topic[group.partition_class], np.moveaxis(gone, 2, 0))
    worst: Array = found.max(axis=1).mean(axis=1)
    return np.minimum(worst, 1.0)


def impact_of(case: Case, cause: Cause, outcome: Outcome, gap_s: float) -> tuple[Impact, ...]:
    """Buffers of the producers during the failover, and what fails while partitions take no writes."""
    if not cause.brokers:
        return ()
    topics, known = case.load.topics, {topic.name: float(topic.producers) for topic in case.scenario.topics}
    rate = {
        "produce_in_bytes_per_s": topics.produce_in_bytes_per_s,
        "producers": np.array([known[name] for name in topics.names]),
        "lost_fraction": lost_fractions(case, cause),
    }
    waiting = case.trace("topics.waiting_bytes", failover.waiting_bytes, **rate, gap_s=gap_s)
    lasts = case.trace(
        "topics.buffer_lasts_s", failover.buffer_lasts_s, **rate, buffer_bytes=constant("failure.buffer_bytes")
    )
    failed = case.trace(
        "topics.failed_bytes",
        failover.failed_bytes,
        produce_in_bytes_per_s=topics.produce_in_bytes_per_s,
        lost_fraction=outcome.unwritable,
        outage_s=cause.away_s,
        delivery_timeout_s=constant("failure.delivery_timeout_s"),
    )
    columns = zip(rate["lost_fraction"], waiting, lasts, lasts < gap_s, outcome.unwritable, failed, strict=True)
    rows = {name: Impact(name, *map(_plain, row)) for name, row in zip(topics.names, columns, strict=True)}
    return tuple(rows[name] for name in known)


def _plain(value: Any) -> Any:
    return value.item()


def disk_loss(case: Case) -> DiskLoss:
    """Look at every volume of every broker: what it holds, and which partitions lose too many replicas with it."""
    layout, load = case.layout, case.load
    placement, volumes = place_topics(layout), volumes_of(layout)
    shape = (placement.seeds, placement.brokers * layout.volumes)
    count = dict.fromkeys(("replicas", "leaders"), np.zeros(shape))
    count = {name: values.copy() for name, values in count.items()}
    refill, write = np.zeros(shape), np.zeros(shape)
    topics = len(load.topics.names)
    blocked, gone = np.zeros((topics, *shape)), np.zeros((topics, *shape))
    times = load.classes.count / np.array(layout.class_count)
    topic = load.classes.topic.astype(np.intp)
    per_replica = load.per_replica
    for group, volume in zip(placement.groups, volumes, strict=True):
        copies = group.assignment.shape[2]
        kind = group.partition_class
        stops = times[kind] * (copies - 1 < group.live_needed)
        for seed in range(placement.seeds):
            cell = group.assignment[seed] * layout.volumes + volume[seed]

            def add(into: Array, weights: Array, cells: Array = cell, at: int = seed) -> None:
                into[at] += np.bincount(cells.ravel(), np.repeat(weights, cells.size // len(weights)), shape[1])

            add(count["replicas"], times[kind])
            add(count["leaders"], times[kind], cell[:, :1])
            add(refill, per_replica["refill"][kind] * times[kind])
            add(write, per_replica["write"][kind] * times[kind])
            where = (np.repeat(topic[kind], copies), cell.ravel())
            np.add.at(blocked[:, seed], where, np.repeat(stops, copies))
            if copies == 1:
                np.add.at(gone[:, seed], where, times[kind])
    blocked /= load.topics.partitions[:, None, None]
    gone /= load.topics.partitions[:, None, None]
    fullest = refill.argmax(axis=1)
    return DiskLoss(
        replicas=float(count["replicas"].mean()),
        replicas_most=float(count["replicas"].max(axis=1).mean()),
        leaders=float(count["leaders"].mean()),
        leaders_most=float(count["leaders"].max(axis=1).mean()),
        refill_bytes=float(refill.max(axis=1).mean()),
        write_bytes_per_s=float(write[np.arange(len(fullest)), fullest].mean()),
        unwritable=blocked.max(axis=2).mean(axis=1),
        unwritable_mean=blocked.mean(axis=(1, 2)),
        offline=gone.max(axis=2).mean(axis=1),
    )
