"""How long a broker needs to catch up or to refill, against a throttle; and a restart of all, one by one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from planner.constants import constant
from planner.model import failover, recovery
from planner.operations.failure_cases import Case, Cause
from planner.operations.failure_loads import DiskLoss, share_per_topic
from planner.sizing.evaluate import NO_LIMIT, outcome_of, refill_of, refill_room, refill_spare
from planner.sizing.simulate import Loss
from planner.units import format_quantity

_MULTIPLES = (0.9, 1.05, 1.1, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0)
_SHARES = (0.1, 0.25, 0.5, 1.0)


@dataclass(frozen=True, slots=True)
class Point:
    """Times under one throttle; null = never."""

    throttle_bytes_per_s: float
    duration_s: float | None
    catch_up_s: float | None


@dataclass(frozen=True, slots=True)
class Away:
    """The return of what was lost: all of it at once."""

    refill_bytes: float
    refill_s: float | None
    limited_by: str
    catch_up_bytes: float
    catch_up_s: float | None
    reason: str | None
    curve: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Rolling:
    """A restart of all brokers, one after the other."""

    duration_s: float
    stop_s: float
    start_s: float
    catch_up_s: float
    settle_s: float
    failure_chance_fraction: float
    unwritable: Mapping[str, float]
    unwritable_with_failure: Mapping[str, float]
    unwritable_with_failure_mean: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class _Return:
    """One target's part of a return, and the sources' that feed all targets."""

    target_own: float  # bytes/s written to the target's replicas anyway
    average_own: float
    sources: float  # for each target
    source_in_sync: float
    line: float  # bytes/s without a throttle; infinite where nothing is known to limit
    line_by: str
    refill: float  # bytes


def away_of(case: Case, cause: Cause, disk: DiskLoss | None = None) -> Away:
    """Refill and catch-up of the fullest of the lost brokers, all of them at once; or of a disk."""
    if not cause.brokers and disk is None:
        return Away(0.0, 0.0, "nothing", 0.0, 0.0, None, ())
    back = _return_of(case, cause.loss if disk is None else Loss(brokers=1), disk)
    throttle = case.setting.throttle_bytes_per_s
    missed = float(
        case.trace(
            "catch_up_bytes",
            recovery.missed_bytes,
            own_write_bytes_per_s=back.average_own,
            away_s=cause.away_s,
            size_bytes=back.refill,
        )
    )
    if disk is not None:
        missed = back.refill  # a disk comes back empty
    refill, catch_up = _seconds(case, back, back.refill, throttle, "refill"), _seconds(case, back, missed, throttle, "")
    bound = _bound(back, throttle)
    known = not (math.isinf(back.line) and math.isinf(throttle))
    reason = _reason(back, throttle, bound) if known else "in an unknown time: no limit of network or disk is given"
    return Away(
        refill_bytes=back.refill,
        refill_s=refill if known else None,
        limited_by=bound,
        catch_up_bytes=missed,
        catch_up_s=catch_up if known else None,
        reason=reason,
        curve=tuple(_point(case, back, missed, value) for value in _throttles(back)),
    )


def _return_of(case: Case, loss: Loss, disk: DiskLoss | None = None) -> _Return:
    setting, topics = case.setting, case.load.topics
    free = replace(setting, throttle_bytes_per_s=math.inf)
    down = max(len(loss.chosen), loss.brokers, max(case.layout.sizes) if loss.zones else 0)
    returned = outcome_of(case.weighed, free, replace(loss, returned=True))
    refill = refill_of(returned, free, case.brokers, down)
    # all that were lost come back at once and share the sources
    room = dict(refill_room(free, returned.fullest, returned.fullest, refill.sources / down))
    own, size = returned.fullest["network_in_bytes_per_s"], refill.size_bytes
    if disk is not None:
        volumes, own, size = setting.hardware.volumes, disk.write_bytes_per_s, disk.refill_bytes
        room["target disk"] /= volumes
    line = float(refill_spare(room))
    peak = float(topics.produce_in_bytes_per_s @ topics.replication_factor)
    average = float(case.sized.columns["average_bytes_per_s"] @ topics.replication_factor)
    in_sync = case.trace(
        "source_in_sync_bytes_per_s",
        failover.source_in_sync_bytes_per_s,
        produce_in_bytes_per_s=topics.produce_in_bytes_per_s,
        replication_factor=topics.replication_factor,
        brokers=float(case.brokers),
        brokers_down=float(down),
    )
    by = NO_LIMIT if math.isinf(line) else min(room, key=lambda name: float(room[name]))
    return _Return(
        target_own=own,
        average_own=own * average / peak if peak > 0 else 0.0,
        sources=max(refill.sources / down, 1e-9),
        source_in_sync=float(in_sync),
        line=line,
        line_by=by,
        refill=size,
    )


def _seconds(case: Case, back: _Return, size: float, throttle: float, name: str) -> float | None:
    """The slower of target and sources; None = never."""
    note = case.trace if name else case.trace.silent
    target = note(
        f"{name}.target_s",
        recovery.throttled_move_s,
        size_bytes=size,
        own_write_bytes_per_s=back.target_own,
        in_sync_bytes_per_s=0.0,
        burst_bytes=0.0,
        line_rate_bytes_per_s=back.line,
        throttle_bytes_per_s=throttle,
    )
    source = note(
        f"{name}.source_s",
        recovery.throttled_move_s,
        size_bytes=size / back.sources,
        own_write_bytes_per_s=back.target_own / back.sources,
        in_sync_bytes_per_s=back.source_in_sync,
        burst_bytes=0.0,
        line_rate_bytes_per_s=back.line / back.sources,
        throttle_bytes_per_s=throttle,
    )
    slower = max(float(target), float(source))
    return slower if math.isfinite(slower) else None


def _least(back: _Return) -> dict[str, float]:
    """Throttle below which each side never ends."""
    return {
        "throttle on the target": back.target_own,
        "throttle on the sources": back.target_own / back.sources + back.source_in_sync,
    }


def _bound(back: _Return, throttle: float) -> str:
    room = {
        "throttle on the target": throttle - back.target_own,
        "throttle on the sources": (throttle - back.source_in_sync) * back.sources - back.target_own,
        back.line_by: back.line,
    }
    return min(room, key=lambda name: room[name])


def _reason(back: _Return, throttle: float, bound: str) -> str:
    if bound in _least(back):
        given, needed = (format_quantity(value, "bytes_per_s") for value in (throttle, _least(back)[bound]))
        return f"never: the {bound} of {given} is no more than the {needed} that pass anyway"
    return f"never: {bound} leaves nothing for it"


def _throttles(back: _Return) -> list[float]:
    least = max(_least(back).values())
    if least <= 0:
        return [] if math.isinf(back.line) else [share * back.line for share in _SHARES if back.line > 0]
    return [least * times for times in _MULTIPLES]


def _point(case: Case, back: _Return, missed: float, throttle: float) -> Point:
    times = (_seconds(case, back, size, throttle, "") for size in (back.refill, missed))
    return Point(throttle, *times)


def rolling_of(case: Case) -> tuple[Rolling | None, str | None]:
    """A restart of all brokers, and what one more failure meanwhile does."""
    back = _return_of(case, Loss(brokers=1))
    stop, start, settle = (constant(f"failure.{name}_s") for name in ("stop", "start", "settle"))
    missed = back.target_own * (stop + start)
    catch_up = _seconds(case, back, missed, case.setting.throttle_bytes_per_s, "")
    if catch_up is None:
        bound = _bound(back, case.setting.throttle_bytes_per_s)
        return None, f"a restarted broker catches up {_reason(back, case.setting.throttle_bytes_per_s, bound)}"
    duration = case.trace(
        "rolling_restart.duration_s",
        failover.rolling_restart_s,
        brokers=float(case.brokers),
        stop_s=stop,
        start_s=start,
        catch_up_s=catch_up,
        settle_s=settle,
    )
    chance = case.trace(
        "rolling_restart.failure_chance_fraction",
        failover.second_failure_fraction,
        brokers=float(case.brokers),
        down_s=stop + start + catch_up,
        mtbf_s=case.scenario.operations.broker_mtbf,
    )
    one, two = _unwritable(case, 1), _unwritable(case, 2) if case.brokers > 2 else None  # noqa: PLR2004 - a third left
    return Rolling(
        duration_s=float(duration),
        stop_s=stop,
        start_s=start,
        catch_up_s=catch_up,
        settle_s=settle,
        failure_chance_fraction=float(chance),
        unwritable=one[0],
        unwritable_with_failure=two[0] if two else dict.fromkeys(case.load.topics.names, 1.0),
        unwritable_with_failure_mean=two[1] if two else dict.fromkeys(case.load.topics.names, 1.0),
    ), None


def _unwritable(case: Case, brokers: int) -> tuple[dict[str, float], dict[str, float]]:
    """Share of each topic's partitions without writes: the worst set, and any."""
    names, share = case.load.topics.names, case.weighed.after(Loss(brokers=brokers)).unwritable
    each = share_per_topic(share, case.load)
    worst, mean = each.max(axis=1).mean(axis=1), each.mean(axis=(1, 2))
    return tuple(  # type: ignore[return-value]
        {name: float(value) for name, value in zip(names, np.asarray(values), strict=True) if value > 0}
        for values in (worst, mean)
    )
