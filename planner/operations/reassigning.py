"""Moving replicas: when brokers come, go or are replaced, or when a replication factor changes."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.constants import constant
from planner.model import recovery, traffic
from planner.model.reassignment import Flags, Integers
from planner.model.types import Array
from planner.operations.reassign_change import Change, Target, target_of
from planner.operations.reassign_cluster import Standing, leaders_of, load_figures, standing_of
from planner.operations.reassign_steps import steps_of
from planner.operations.reassign_time import (
    RESOURCES,
    Flows,
    MoveTime,
    capacity,
    limit,
    live_loads,
    role_arguments,
    through,
    time_of,
)
from planner.results import RESOURCE_WORDS, Assumption, Finding, Result, frame_of
from planner.scenario import InputError, Scenario, ScenarioError
from planner.sizing.totals import constants_used
from planner.trace import Note, Trace
from planner.units import format_quantity, listed

if TYPE_CHECKING:
    import pandas as pd

_NAMED = 5  # topics named in one finding
_GOLDEN = (math.sqrt(5) - 1) / 2  # steps of this, modulo 1, sample any sorted order evenly


@dataclass(frozen=True, slots=True)
class BrokerMove:
    """One broker before, during and after the move."""

    broker: int
    rack: str
    replicas_before: int
    replicas_after: int
    leaders_before: int
    leaders_after: int
    bytes_in: float
    bytes_out: float
    duration_s: float | None
    disk_bytes_before: float
    disk_bytes_after: float
    disk_bytes_peak: float
    network_in_utilisation: float
    network_out_utilisation: float
    disk_throughput_utilisation: float
    disk_volume_utilisation: float


@dataclass(frozen=True)
class Reassignment(Result):
    """What moves, how long it takes, what every broker bears meanwhile, and the files and commands to do it."""

    name: str
    change: str
    bytes_moved: float
    replica_moves: int
    least_replica_moves: int
    partitions_changed: int
    duration_s: float | None
    duration_s_reason: str | None
    duration_unthrottled_s: float | None
    duration_unthrottled_s_reason: str | None
    throttle_bytes_per_s: float | None
    throttle_from: str
    recommended_throttle_bytes_per_s: float | None
    recommended_throttle_bytes_per_s_reason: str | None
    limited_by: str
    holds: bool
    batch_duration_s: tuple[float | None, ...]
    per_broker: tuple[BrokerMove, ...]
    batches: tuple[Mapping[str, Any], ...]
    steps: tuple[str, ...]
    findings: tuple[Finding, ...]
    assumptions: tuple[Assumption, ...]
    trace: Trace = field(repr=False)

    def to_frame(self) -> pd.DataFrame:
        """One row per broker."""
        return frame_of(self.per_broker)


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Every replica that moves: its partition, its batch, from which broker it is copied and to which."""

    partition: Integers
    batch: Integers
    source: Integers
    target: Integers


@dataclass(frozen=True, slots=True)
class _Draft:
    """All that is known before times and words."""

    target: Target
    size: Array  # bytes of one replica of each partition
    write: Array  # bytes per second into one replica of each partition
    batch_of: Integers  # batch of each partition that changes, -1 for the others
    batches: int
    pairs: _Pairs
    flows: Flows


def reassign(
    scenario: Scenario,
    *,
    to_brokers: int | None = None,
    remove: Collection[int] = (),
    replace: Mapping[int, int] | None = None,
    replication_factor: int | None = None,
    topic: str | None = None,
    throttle: float | None = None,
    within: float | None = None,
    dead: Collection[int] = (),
    batch_partitions: int | None = None,
    batch_bytes: float | None = None,
    assignment: Mapping[str, Sequence[Sequence[int]]] | None = None,
    sizes: Mapping[tuple[str, int], float] | None = None,
) -> Reassignment:
    """Move replicas for a change of brokers or of replication, and none that the change does not ask for.

    Parameters
    ----------
    scenario
        A scenario with topics; its `cluster.brokers_placed` is the assignment to start from, else Kafka's own
        placement is simulated.
    to_brokers
        Brokers that there shall be: new ones are added to the smallest racks, or the last ones of the largest removed;
        with as many as now they are evened out.
    remove
        Ids of brokers to empty.
    replace
        Old broker id to new broker id.
    replication_factor, topic
        Replicas that every partition shall have, of one topic or of all.
    throttle
        Replication throttle [bytes/s]; by default the scenario's, else the recommended one.
    within
        Time that the move may take [s]; by default policy.recovery_time_max.
    dead
        Ids of brokers that do not run: nothing is copied from them, and throttles are set by hand.
    batch_partitions, batch_bytes
        Most partitions, and most bytes [bytes], moved at once.
    assignment
        Replica lists by topic, instead of the scenario's.
    sizes
        Bytes of a replica by topic and partition, instead of the modelled ones.

    Returns
    -------
    Reassignment
        Bytes, time, loads by broker, batches as JSON of `kafka-reassign-partitions`, and every step.

    Raises
    ------
    ScenarioError
        For a change that cannot be, and an assignment that does not fit the scenario.

    Examples
    --------
    >>> import planner
    >>> found = reassign(planner.load("preset:ecommerce"), to_brokers=9)
    >>> found.replica_moves == found.least_replica_moves
    True
    """
    _check_numbers(throttle, within, batch_partitions, batch_bytes)
    standing = standing_of(scenario, assignment)
    change = Change(to_brokers, tuple(remove), tuple((replace or {}).items()), replication_factor, topic, tuple(dead))
    size, write = _weights(standing, sizes)
    draft = _draft(target_of(standing, change, size), size, write, batch_partitions, batch_bytes)
    wanted_s = within if within is not None else scenario.policy.recovery_time_max
    return _answer(scenario, draft, throttle=throttle, wanted_s=wanted_s, measured=sizes is not None)


def _check_numbers(
    throttle: float | None, within: float | None, batch_partitions: int | None, batch_bytes: float | None
) -> None:
    given = {
        "throttle": throttle,
        "within": within,
        "batch_partitions": batch_partitions,
        "batch_bytes": batch_bytes,
    }
    errors = [
        InputError(name, value, "This must be above zero.", "a number above 0")
        for name, value in given.items()
        if value is not None and not (math.isfinite(value) and value > 0)
    ]
    if errors:
        raise ScenarioError(errors)


def _weights(standing: Standing, sizes: Mapping[tuple[str, int], float] | None) -> tuple[Array, Array]:
    """Bytes to copy and write rate of one replica of each partition."""
    load, of_class = standing.sized.load, standing.of_class
    share = load.classes.share[of_class]
    write = load.topics.produce_in_bytes_per_s[standing.topic] * share
    if sizes is None:
        return load.classes.refill_bytes[of_class], write
    keys = [
        (standing.topics[topic], number)
        for topic, number in zip(standing.topic.tolist(), standing.number.tolist(), strict=True)
    ]
    missing = [f"{topic}-{number}" for topic, number in keys if (topic, number) not in sizes]
    if missing:
        shown = ", ".join(missing[:5]) + (", ..." if len(missing) > 5 else "")  # noqa: PLR2004 - shown
        message = f"{len(missing)} partitions have no size."
        raise ScenarioError([InputError("sizes", shown, message, "a size for every partition of the assignment")])
    return np.array([float(sizes[key]) for key in keys]), write


def _draft(
    target: Target, size: Array, write: Array, batch_partitions: int | None, batch_bytes: float | None
) -> _Draft:
    before, after = _padded(target.standing.replicas, target.replicas)
    slot = leaders_of(before, target.dead)
    added = ~(after[:, :, None] == before[:, None, :]).any(axis=2) & (after >= 0)
    lost = np.flatnonzero(added.any(axis=1) & (slot < 0))
    if len(lost):
        message = f"{len(lost)} partitions have no replica on a broker that runs, so there is nothing to copy."
        raise ScenarioError([InputError("dead", None, message, "brokers that leave every partition a replica")])
    partition, place = np.nonzero(added)
    changed = np.flatnonzero((before != after).any(axis=1))
    limit_count = batch_partitions or int(constant("reassignment.batch_partitions"))
    batch_of = _batches(changed, (partition, after[partition, place]), size, limit_count, batch_bytes)
    leader = before[np.arange(len(before)), slot]
    pairs = _Pairs(partition, batch_of[partition], leader[partition], after[partition, place])
    followers = ((before >= 0) & ~target.dead[before]).sum(axis=1) - 1
    batches = int(batch_of.max(initial=-1)) + 1
    shape = (batches, len(target.standing.ids))

    def summed(batch: Integers, broker: Integers, weights: Array) -> Array:
        return np.bincount(batch * shape[1] + broker, weights, shape[0] * shape[1]).reshape(shape).astype(float)

    moved = np.unique(partition)
    flows = Flows(
        summed(pairs.batch, pairs.target, size[partition]),
        summed(pairs.batch, pairs.target, write[partition]),
        summed(pairs.batch, pairs.source, size[partition]),
        summed(pairs.batch, pairs.source, write[partition]),
        summed(batch_of[moved], leader[moved], write[moved] * followers[moved]),
        np.zeros(shape),
    )
    if target.dead.any():
        flows = _all_listed(flows, target, write, batch_of, slot)
    return _Draft(target, size, write, batch_of, batches, pairs, flows)


def _all_listed(flows: Flows, target: Target, write: Array, batch_of: Integers, slot: Integers) -> Flows:
    """Throttles set by hand list every replica of the topics that move, so all their in-sync traffic counts."""
    standing, brokers = target.standing, len(target.standing.ids)
    listed = np.isin(standing.topic, standing.topic[batch_of >= 0])
    rows = np.where(listed[:, None], standing.replicas, -1)
    partition, place = np.nonzero((rows >= 0) & ~target.dead[rows])
    follows = place != slot[partition]
    partition, place = partition[follows], place[follows]
    leads = standing.replicas[partition, slot[partition]]
    return replace(
        flows,
        out_in_sync=np.zeros_like(flows.out_in_sync) + np.bincount(leads, write[partition], brokers),
        in_in_sync=np.zeros_like(flows.in_in_sync) + np.bincount(rows[partition, place], write[partition], brokers),
    )


def _padded(first: Integers, second: Integers) -> tuple[Integers, Integers]:
    """Both assignments, equally wide."""
    width = max(first.shape[1], second.shape[1])

    def wide(rows: Integers) -> Integers:
        return np.pad(rows, ((0, 0), (0, width - rows.shape[1])), constant_values=-1)

    return wide(first), wide(second)


def _batches(
    changed: Integers, moves: tuple[Integers, Integers], size: Array, most: int, most_bytes: float | None
) -> Integers:
    """The batch of each partition that changes: every target and every size has its share of each batch."""
    partition, target = moves
    order = np.lexsort((partition, -size[partition], target))
    of_target = np.bincount(target, minlength=1)
    rank = np.empty(len(target))
    rank[order] = np.arange(len(target)) - np.repeat(np.cumsum(of_target) - of_target, of_target)
    place = np.full(len(size), 2.0)  # partitions that only lose replicas come last
    np.minimum.at(place, partition, (rank + 0.5) * _GOLDEN % 1)
    sequence = changed[np.argsort(place[changed], kind="stable")]
    moved = np.bincount(partition, size[partition], len(size))[sequence]
    batch = np.full(len(size), -1, dtype=np.intp)
    number, count, held = 0, 0, 0.0
    for index, amount in zip(sequence.tolist(), moved.tolist(), strict=True):
        if count and (count == most or (most_bytes is not None and held + amount > most_bytes)):
            number, count, held = number + 1, 0, 0.0
        batch[index] = number
        count, held = count + 1, held + amount
    return batch


def _answer(
    scenario: Scenario, draft: _Draft, *, throttle: float | None, wanted_s: float | None, measured: bool
) -> Reassignment:
    standing, target = draft.target.standing, draft.target
    setting, trace = standing.setting, Trace()
    figures = _worse_loads(draft)
    loads = live_loads(figures, setting.hardware)
    recommended, reason = _recommended(draft, loads, wanted_s, trace)
    used, origin = _throttle(throttle, scenario.cluster.replication_throttle, recommended)
    moving = time_of(draft.flows, loads, setting, used if used is not None else math.inf)
    free = time_of(draft.flows, loads, setting, math.inf)
    duration, duration_reason = _total(moving, free, draft, trace)
    unthrottled, unthrottled_reason = _total(free, free, draft, Trace.silent)
    moved = _moved_bytes(draft, moving, trace)
    _trace_slowest(draft, moving, used, trace)
    per_broker, full = _per_broker(draft, figures, moving, used)
    holds = not full and duration is not None
    findings = (
        *_findings(draft, full, duration_reason, used, recommended),
        *_time_findings(draft, used, duration, wanted_s),
        *_insync_findings(scenario, draft),
    )
    live = [broker for broker, gone in zip(standing.ids, target.dead.tolist(), strict=True) if not gone]
    dead = [broker for broker, gone in zip(standing.ids, target.dead.tolist(), strict=True) if gone]
    touched = np.unique(standing.topic[draft.batch_of >= 0]).tolist()
    return Reassignment(
        name=scenario.name,
        change=target.words,
        bytes_moved=moved,
        replica_moves=len(draft.pairs.partition),
        least_replica_moves=target.least_moves,
        partitions_changed=int((draft.batch_of >= 0).sum()),
        duration_s=duration,
        duration_s_reason=duration_reason,
        duration_unthrottled_s=unthrottled,
        duration_unthrottled_s_reason=unthrottled_reason,
        throttle_bytes_per_s=used,
        throttle_from=origin,
        recommended_throttle_bytes_per_s=recommended,
        recommended_throttle_bytes_per_s_reason=reason,
        limited_by=_limited_by(draft, moving),
        holds=holds,
        batch_duration_s=tuple(None if math.isinf(value) else value for value in moving.batch_s.tolist()),
        per_broker=per_broker,
        batches=_json(draft),
        steps=steps_of(
            draft.batches,
            throttle_bytes_per_s=used,
            live=live,
            dead=dead,
            topics=[standing.topics[index] for index in touched],
        ),
        findings=findings,
        assumptions=_assumptions(standing, measured=measured),
        trace=trace,
    )


def _worse_loads(draft: _Draft) -> dict[str, Array]:
    """Live traffic of each broker while leaders change places: the larger of before and after."""
    target = draft.target
    before = load_figures(target.standing, target.standing.replicas, target.dead)
    after = load_figures(target.standing, target.replicas, target.dead)
    return {key: np.maximum(before[key], after[key]) for key in before}


def _recommended(
    draft: _Draft, loads: Mapping[str, Array], wanted_s: float | None, trace: Trace
) -> tuple[float | None, str | None]:
    """One throttle for all: the least that any broker bears in its roles; None where it would never end."""
    if not len(draft.pairs.partition):
        return None, "nothing moves"
    flows, setting = draft.flows, draft.target.standing.setting
    hardware = setting.hardware
    arrives, leaves = ((side.max(axis=0) > 0).astype(float) for side in (flows.in_bytes, flows.out_bytes))
    in_sync = arrives * flows.in_in_sync.max(axis=0), leaves * flows.out_in_sync.max(axis=0)
    least = _least_throttle(flows, wanted_s)
    best: tuple[float, dict[str, Any]] | None = None
    one, counted = (through(hardware, got, sent, got, sent) for got, sent in ((arrives, leaves), in_sync))
    for resource in RESOURCES:
        spare = recovery.spare_bytes_per_s(
            capacity_bytes_per_s=capacity(hardware)[resource],
            limit_fraction=limit(setting, resource),
            load_bytes_per_s=loads[resource],
        )
        for broker in np.flatnonzero(one[resource] > 0).tolist():
            numbers = {
                "spare_bytes_per_s": float(np.asarray(spare)[broker] / one[resource][broker]),
                "share_fraction": constant("throttle.share_fraction"),
                "in_sync_bytes_per_s": float(counted[resource][broker] / one[resource][broker]),
                "least_throttle_bytes_per_s": least if wanted_s is not None else 0.0,
            }
            value = float(recovery.recommended_throttle_bytes_per_s(**numbers))
            if best is None or value < best[0]:
                best = value, numbers
    if best is None or math.isinf(best[0]):
        return None, "neither network nor disks of these brokers are limited"
    trace("recommended_throttle_bytes_per_s", recovery.recommended_throttle_bytes_per_s, **best[1])
    if best[0] <= _least_throttle(flows, None):
        return None, "what the brokers have to spare is below the write rate of the moving replicas"
    return best[0], None


def _least_throttle(flows: Flows, wanted_s: float | None) -> float:
    """The throttle that finishes in time everywhere; without a time, the one that just never does."""
    wanted = math.inf if wanted_s is None else wanted_s
    share = 1.0 if wanted_s is None else max(len(flows.in_bytes), 1)
    roles = (
        (flows.in_bytes, flows.in_write, flows.in_in_sync),
        (flows.out_bytes, flows.out_write, flows.out_in_sync),
    )
    return max(
        float(
            np.max(
                np.where(
                    size > 0,
                    recovery.least_throttle_bytes_per_s(
                        size_bytes=size,
                        own_write_bytes_per_s=own,
                        in_sync_bytes_per_s=in_sync,
                        wanted_s=wanted / share,
                    ),
                    0.0,
                )
            )
        )
        for size, own, in_sync in roles
    )


def _throttle(given: float | None, scenario: float | None, recommended: float | None) -> tuple[float | None, str]:
    if given is not None:
        return given, "given"
    if scenario is not None:
        return float(scenario), "cluster.replication_throttle"
    return recommended, "recommended" if recommended is not None else "none"


def _total(moving: MoveTime, free: MoveTime, draft: _Draft, note: Note) -> tuple[float | None, str | None]:
    """Batches one after the other; and why they never end, if so."""
    total = note("duration_s", recovery.batches_s, batch_s=moving.batch_s)
    if math.isfinite(total):
        return float(total), None
    if np.isinf(free.line_s).any():
        return None, f"never finishes: {_line_words(draft, free, _first_endless(free.line_s))} has nothing to spare"
    late = np.isinf(moving.target_s).any()
    at = _first_endless(moving.target_s if late else moving.source_s)
    broker = draft.target.standing.ids[at[1]]
    more = "" if late else " and the traffic of their in-sync followers"
    return None, f"never finishes: the throttle is below the moving replicas' write rate{more} (broker {broker})"


def _first_endless(seconds: Array) -> tuple[int, int]:
    batch, broker = np.argwhere(np.isinf(seconds))[0].tolist()
    return batch, broker


def _line_words(draft: _Draft, moving: MoveTime, at: tuple[int, int]) -> str:
    resource = RESOURCES[int(moving.line_by[at])]
    return f"{RESOURCE_WORDS[resource]} of broker {draft.target.standing.ids[at[1]]}"


def _moved_bytes(draft: _Draft, moving: MoveTime, trace: Trace) -> float:
    """Sizes, and what is written meanwhile; only the sizes of batches that never end."""
    duration = np.where(np.isfinite(moving.batch_s), moving.batch_s, 0.0)
    parts = trace(
        "batches.bytes_moved",
        recovery.moved_bytes,
        size_bytes=draft.flows.in_bytes.sum(axis=1),
        own_write_bytes_per_s=draft.flows.in_write.sum(axis=1),
        duration_s=duration,
    )
    return float(trace("bytes_moved", traffic.cluster_bytes, topic_bytes=np.asarray(parts)))


def _slowest(moving: MoveTime) -> tuple[int, int]:
    """Batch and broker that take longest."""
    batch, broker = np.unravel_index(int(np.argmax(moving.broker_s)), moving.broker_s.shape)
    return int(batch), int(broker)


def _trace_slowest(draft: _Draft, moving: MoveTime, throttle: float | None, trace: Trace) -> None:
    if not moving.broker_s.size:
        return
    at, flows = _slowest(moving), draft.flows
    target = moving.target_s[at] >= moving.source_s[at]
    size, own = (flows.in_bytes, flows.in_write) if target else (flows.out_bytes, flows.out_write)
    in_sync = flows.in_in_sync if target else flows.out_in_sync
    one = [np.asarray(part[at]) for part in (size, own, in_sync, moving.line_s)]
    numbers = role_arguments(one[0], one[1], one[2], one[3], math.inf if throttle is None else throttle)
    trace("batches.longest_s", recovery.throttled_move_s, **{key: float(value) for key, value in numbers.items()})


def _limited_by(draft: _Draft, moving: MoveTime) -> str:
    if not len(draft.pairs.partition):
        return "nothing"
    at = _slowest(moving)
    broker = draft.target.standing.ids[at[1]]
    if moving.broker_s[at] <= moving.line_s[at] * (1 + 1e-9):
        return _line_words(draft, moving, at)
    if moving.target_s[at] >= moving.source_s[at]:
        return f"the throttle of broker {broker} as a target"
    return f"the throttle of broker {broker} as a source"


def _per_broker(
    draft: _Draft, figures: Mapping[str, Array], moving: MoveTime, throttle: float | None
) -> tuple[tuple[BrokerMove, ...], list[str]]:
    """Each broker's row; and what is fuller than the degraded limits, in words."""
    target, flows, setting = draft.target, draft.flows, draft.target.standing.setting
    standing, hardware = target.standing, setting.hardware
    bound = math.inf if throttle is None else throttle
    batch_s = np.where(np.isfinite(moving.batch_s), moving.batch_s, np.inf)[:, None]

    def rate(size: Array, own: Array, in_sync: Array) -> Array:
        """The highest rate of the move: the throttle less what the live traffic already has, or the batch's mean."""
        spread = np.divide(size, batch_s, out=np.zeros_like(size), where=batch_s > 0) + own * (size > 0)
        most = np.where(size > 0, np.maximum(bound - in_sync, 0.0), 0.0)
        highest: Array = (spread if math.isinf(bound) else most).max(axis=0, initial=0.0)
        return highest

    received = rate(flows.in_bytes, flows.in_write, flows.in_in_sync)
    sent = rate(flows.out_bytes, flows.out_write, flows.out_in_sync)
    live, extra = live_loads(figures, hardware), through(hardware, received, sent, received, sent)
    used = {resource: (live[resource] + extra[resource]) / capacity(hardware)[resource] for resource in RESOURCES}
    disk = _disk(draft)
    used["disk_volume"] = disk["peak"] / hardware.disk_bytes
    full = _too_full(draft, used)
    own_s = np.where(np.isfinite(moving.broker_s), moving.broker_s, np.inf).sum(axis=0)
    before, after = _counts(standing, standing.replicas), _counts(standing, target.replicas)
    led = _counts(standing, _leaders(standing.replicas, target.dead)), _counts(standing, target.replicas[:, :1])
    rows = tuple(
        BrokerMove(
            broker=broker,
            rack=standing.racks[index],
            replicas_before=int(before[index]),
            replicas_after=int(after[index]),
            leaders_before=int(led[0][index]),
            leaders_after=int(led[1][index]),
            bytes_in=float(flows.in_bytes[:, index].sum()),
            bytes_out=float(flows.out_bytes[:, index].sum()),
            duration_s=None if math.isinf(own_s[index]) else float(own_s[index]),
            disk_bytes_before=float(disk["before"][index]),
            disk_bytes_after=float(disk["after"][index]),
            disk_bytes_peak=float(disk["peak"][index]),
            **{f"{resource}_utilisation": float(used[resource][index]) for resource in used},
        )
        for index, broker in enumerate(standing.ids)
    )
    return rows, full


def _leaders(replicas: Integers, dead: Flags) -> Integers:
    return replicas[np.arange(len(replicas)), leaders_of(replicas, dead)][:, None]


def _counts(standing: Standing, replicas: Integers) -> Integers:
    return np.bincount(replicas[replicas >= 0], minlength=len(standing.ids))


def _disk(draft: _Draft) -> dict[str, Array]:
    """Bytes of each broker before, after and at most: a replica is deleted when all of its partition are in sync."""
    target, brokers = draft.target, len(draft.target.standing.ids)
    before, after = _padded(target.standing.replicas, target.replicas)
    gone = ~(before[:, :, None] == after[:, None, :]).any(axis=2) & (before >= 0)
    partition, slot = np.nonzero(gone)
    cell = draft.batch_of[partition] * brokers + before[partition, slot]
    cells = np.bincount(cell, draft.size[partition], draft.batches * brokers)
    freed = cells.reshape(draft.batches, brokers).astype(float)

    def held(rows: Integers) -> Array:
        which, place = np.nonzero(rows >= 0)
        return np.bincount(rows[which, place], draft.size[which], brokers).astype(float)

    start = held(before)
    arrived, left = np.cumsum(draft.flows.in_bytes, axis=0), np.cumsum(freed, axis=0) - freed
    peak = np.maximum(start, (start + arrived - left).max(axis=0, initial=0.0))
    return {"before": start, "after": held(after), "peak": peak}


def _too_full(draft: _Draft, used: Mapping[str, Array]) -> list[str]:
    setting, ids = draft.target.standing.setting, draft.target.standing.ids
    taking_part = (draft.flows.in_bytes + draft.flows.out_bytes).sum(axis=0) > 0
    found = []
    for resource, values in used.items():
        most = limit(setting, resource)
        over = np.flatnonzero(taking_part & (values > most * (1 + 1e-9)))
        if len(over):
            worst = int(over[np.argmax(values[over])])
            where = f"{RESOURCE_WORDS[resource]} of broker {ids[worst]}"
            found.append(f"{where} reaches {values[worst]:.0%}, above the limit of {most:.0%}")
    return found


def _findings(
    draft: _Draft, full: Sequence[str], endless: str | None, used: float | None, recommended: float | None
) -> tuple[Finding, ...]:
    standing, target = draft.target.standing, draft.target
    found = [
        Finding(
            "overload_while_moving",
            "critical",
            f"While replicas move, {text}.",
            "Lower the throttle, or move less at once.",
        )
        for text in full
    ]
    if endless is not None:
        starved = "nothing to spare" in endless
        action = "Move when there is less traffic, or less at once." if starved else "Raise the throttle above that."
        found.append(Finding("never_finishes", "critical", f"The move {endless}.", action))
    if used is not None and recommended is not None and used > recommended * (1 + 1e-9):
        high, spare = (format_quantity(value, "bytes_per_s") for value in (used, recommended))
        message = f"The throttle of {high} is above what the brokers can spare, {spare}."
        found.append(Finding("throttle_high", "warning", message, "Take the recommended one."))
    if len(draft.pairs.partition) > target.least_moves:
        extra = len(draft.pairs.partition) - target.least_moves
        message = f"{extra} more replicas move than the counts alone ask for, because racks hold a partition once."
        found.append(Finding("rack_moves", "info", message, "Nothing to do."))
    found += _uneven_copies(draft)
    if not standing.racks_known:
        message = "The assignment has no racks, so two replicas of a partition may come to share one."
        found.append(Finding("racks_unknown", "warning", message, "Give cluster.brokers_placed.racks."))
    if standing.skipped:
        message = (
            f"{standing.skipped} internal topics of the assignment are not moved: the scenario has no load for them."
        )
        found.append(Finding("internal_topics", "warning", message, "Move them with the tool's --generate."))
    if target.dead.any():
        message = "--execute --throttle fails while a broker of the old assignment is dead: set the throttles by hand."
        found.append(Finding("dead_broker", "warning", message, "Follow the steps: they do so."))
    return tuple(found)


def _uneven_copies(draft: _Draft) -> Iterator[Finding]:
    """Partitions that have other than their topic's replication factor, which moving brokers does not change."""
    standing, topics = draft.target.standing, draft.target.standing.sized.load.topics
    odd = (draft.target.replicas >= 0).sum(axis=1) != topics.replication_factor[standing.topic]
    names = [standing.topics[topic] for topic in np.unique(standing.topic[odd]).tolist()]
    if draft.target.change.replication_factor is None and names:
        message = (
            f"{listed(names, _NAMED)}: {int(odd.sum())} partitions have more or fewer replicas than the scenario says, "
            "and keep them."
        )
        action = "See whether a reassignment is under way; --replication-factor makes them equal."
        yield Finding("uneven_copies", "warning", message, action)


def _time_findings(
    draft: _Draft, used: float | None, duration: float | None, wanted_s: float | None
) -> Iterator[Finding]:
    if used is None and len(draft.pairs.partition):
        message = "Without a throttle a move takes all that network and disks give, and clients wait."
        yield Finding("no_throttle", "warning", message, "Set one where the hardware's limits are known.")
    if wanted_s is not None and duration is not None and duration > wanted_s * (1 + 1e-6):
        taken, allowed = (format_quantity(value, "s") for value in (duration, wanted_s))
        message = f"The move takes {taken}, more than the {allowed} that it may take."
        yield Finding("too_slow", "critical", message, "Raise the throttle, move less, or allow more time.")


def _insync_findings(scenario: Scenario, draft: _Draft) -> Iterator[Finding]:
    """Topics that a lower replication factor leaves with too few replicas for their min.insync.replicas."""
    standing, copies = draft.target.standing, (draft.target.replicas >= 0).sum(axis=1)
    least = np.full(len(standing.topics), np.iinfo(np.intp).max)
    changed = draft.batch_of >= 0
    np.minimum.at(least, standing.topic[changed], copies[changed])
    by_name = dict(zip(standing.topics, least.tolist(), strict=True))
    for topic in scenario.topics:
        left, needed = by_name[topic.name], topic.effective_min_insync_replicas
        if topic.acks == "all" and left <= needed < topic.replication_factor:
            what = "no write is taken" if left < needed else "no write is taken while one broker is down"
            yield Finding(
                "min_insync_replicas",
                "critical" if left < needed else "warning",
                f"{topic.name} has {left} replicas afterwards and min.insync.replicas {needed}: {what}.",
                "Lower min.insync.replicas first.",
            )


def _json(draft: _Draft) -> tuple[dict[str, Any], ...]:
    """Each batch in the form of kafka-reassign-partitions."""
    standing, rows = draft.target.standing, draft.target.replicas
    ids = np.array(standing.ids)
    parts: list[list[dict[str, Any]]] = [[] for _ in range(draft.batches)]
    for index in np.flatnonzero(draft.batch_of >= 0).tolist():
        replicas = ids[rows[index][rows[index] >= 0]].tolist()
        entry = {
            "topic": standing.topics[standing.topic[index]],
            "partition": int(standing.number[index]),
            "replicas": replicas,
        }
        parts[draft.batch_of[index]].append(entry)
    return tuple({"version": 1, "partitions": part} for part in parts)


def _assumptions(standing: Standing, *, measured: bool) -> tuple[Assumption, ...]:
    rows = [
        Assumption("reassign.batches", "one after the other", "", None, None, "assumption", "2026-11-26"),
        Assumption("reassign.flow", "every move proceeds evenly", "", None, None, "assumption", "2026-11-26", "medium"),
        Assumption("reassign.load", "peak, the larger of before and after", "", None, None, "assumption", "2026-11-26"),
    ]
    if standing.simulated:
        text = "simulated as Kafka places; brokers numbered from 0, zone by zone"
        rows.append(Assumption("reassign.assignment", text, "", None, None, "kafka-4.3-source", "2026-11-23"))
    if not measured:
        rows.append(Assumption("reassign.sizes", "modelled", "", None, None, "assumption", "2026-11-26", "medium"))
    return (*rows, *constants_used("throttle.", "reassignment."))
