"""A failure as the rest of the cluster and its clients feel it, and the time until all is as before."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from planner.constants import constant
from planner.model import failover
from planner.operations.failure_cases import Case, Cause, case_of, cause_of
from planner.operations.failure_loads import DiskLoss, Impact, Left, disk_loss, impact_of, left_of, share_per_topic
from planner.operations.failure_times import Away, Point, Rolling, away_of, rolling_of
from planner.results import RESOURCE_WORDS, Assumption, Finding, Result, frame_of
from planner.scenario import Scenario
from planner.sizing.evaluate import outcome_of, resource_utilisation, threshold
from planner.sizing.totals import constants_used
from planner.trace import Trace
from planner.units import format_quantity

if TYPE_CHECKING:
    import pandas as pd

_TIGHT = 1 + 1e-9
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Lost:
    """What is lost, and what it held."""

    brokers: int
    ids: tuple[int, ...]
    zone: str | None
    disks: int
    controllers: int
    leaders_moved: float
    leaders_moved_most: float
    replicas_missing: float
    replicas_missing_most: float


@dataclass(frozen=True, slots=True)
class Usage:
    """One resource of the fullest survivor against its limit while the failure lasts."""

    resource: str
    utilisation: float
    threshold: float
    holds: bool


@dataclass(frozen=True, slots=True)
class Quorum:
    """The controllers that are left."""

    controllers: int
    left: int
    majority: int
    holds: bool
    new_active_s: float


@dataclass(frozen=True)
class Failure(Result):
    """A failure: what is lost, how the survivors bear it, and how long until all is as before."""

    name: str
    state: str
    brokers: int
    lost: Lost
    survivors: Left | None
    survivors_reason: str | None
    unwritable: Mapping[str, float]
    unwritable_mean: Mapping[str, float]
    offline: Mapping[str, float]
    refused_bytes_per_s: float
    holds: bool
    usage: tuple[Usage, ...]
    failover_s: float
    topics: tuple[Impact, ...]
    away_s: float
    refill_bytes: float
    refill_s: float | None
    refill_s_reason: str | None
    limited_by: str
    catch_up_bytes: float
    catch_up_s: float | None
    catch_up_s_reason: str | None
    curve: tuple[Point, ...]
    quorum: Quorum
    rolling_restart: Rolling | None
    rolling_restart_reason: str | None
    findings: tuple[Finding, ...]
    assumptions: tuple[Assumption, ...]
    trace: Trace = field(repr=False)

    def to_frame(self) -> pd.DataFrame:
        """One row per survivor."""
        return frame_of(() if self.survivors is None else self.survivors.brokers)


def failure(
    scenario: Scenario,
    *,
    brokers: int | None = None,
    ids: Sequence[int] = (),
    zone: str | None = None,
    disk: bool = False,
    controllers: int = 0,
    after: float | None = None,
    throttle: float | None = None,
) -> Failure:
    """What a failure does: any so many brokers by default one, certain brokers, a zone, a disk, or controllers.

    Parameters
    ----------
    scenario
        A scenario with topics; without a broker count the planned one is looked at.
    brokers
        Any so many brokers at once; figures are those of the worst set.
    ids
        These brokers: ids of `cluster.brokers_placed`, else numbers from 0, zone by zone.
    zone
        The name or number (from 1) of a zone, or "any" for the worst.
    disk
        One volume of one broker, the fullest.
    controllers
        So many controllers, alone or with the others.
    after
        How long the lost ones are away [s]; by default operations.broker_mttr, or zone_mttr for a zone.
    throttle
        Replication throttle set on all brokers and replicas [bytes/s]; by default the scenario's.

    Returns
    -------
    Failure
        Loads of the survivors, partitions without writes or leader, buffers of producers, times to catch up and to
        refill with their curve against a throttle, the quorum, and what a rolling restart takes.

    Raises
    ------
    ScenarioError
        For more brokers or controllers than there are, unknown ids or zones, or numbers that are none.

    Examples
    --------
    >>> import planner
    >>> failure(planner.load("preset:ecommerce"), brokers=1).unwritable
    {}
    """
    case = case_of(scenario, throttle)
    cause = cause_of(
        case, brokers=brokers, ids=ids, zone=zone, disk=disk, controllers=controllers, after=after, throttle=throttle
    )
    found = _disk(case, cause) if cause.disks else _brokers(case, cause)
    quorum = _quorum(case, cause)
    rolling, reason = rolling_of(case)
    findings = (*_findings(case, cause, found), *_quorum_findings(cause, quorum), *_rolling_findings(case, rolling))
    return Failure(
        name=scenario.name,
        state=cause.state,
        brokers=case.brokers,
        failover_s=_gap(case, cause),
        holds=not any(row.severity == "critical" for row in findings),
        away_s=cause.away_s,
        quorum=quorum,
        rolling_restart=rolling,
        rolling_restart_reason=reason,
        findings=findings,
        assumptions=_assumptions(case),
        trace=case.trace,
        **found,
    )


def _brokers(case: Case, cause: Cause) -> dict[str, Any]:
    """Brokers are gone; none when only controllers are."""
    outcome = outcome_of(case.weighed, case.setting, cause.loss)
    after = case.weighed.after(cause.loss)
    load = case.load
    names, produced = load.topics.names, load.topics.produce_in_bytes_per_s
    left = left_of(case, cause, outcome, after)
    impacts = impact_of(case, cause, outcome, _gap(case, cause))
    away = away_of(case, cause)
    mean = share_per_topic(after.unwritable, load).mean(axis=(1, 2))
    return {
        "lost": Lost(
            brokers=cause.brokers,
            ids=cause.ids,
            zone=cause.zone,
            disks=0,
            controllers=cause.controllers,
            leaders_moved=left.leaders_lost,
            leaders_moved_most=left.leaders_lost_most,
            replicas_missing=left.replicas_lost,
            replicas_missing_most=left.replicas_lost_most,
        ),
        "survivors": left,
        "survivors_reason": None,
        "unwritable": _above_zero(names, outcome.unwritable),
        "unwritable_mean": _above_zero(names, mean),
        "offline": _above_zero(names, outcome.offline),
        "refused_bytes_per_s": float(outcome.unwritable @ produced),
        "usage": _usage(case, cause, outcome.fullest),
        "topics": impacts,
        **_times(away),
    }


def _disk(case: Case, cause: Cause) -> dict[str, Any]:
    """One volume is gone: its replicas only; the broker goes on with the others."""
    lost: DiskLoss = disk_loss(case)
    names, produced = case.load.topics.names, case.load.topics.produce_in_bytes_per_s
    away = away_of(case, cause, lost)
    return {
        "lost": Lost(
            brokers=0,
            ids=(),
            zone=None,
            disks=1,
            controllers=cause.controllers,
            leaders_moved=lost.leaders,
            leaders_moved_most=lost.leaders_most,
            replicas_missing=lost.replicas,
            replicas_missing_most=lost.replicas_most,
        ),
        "survivors": None,
        "survivors_reason": "no broker is lost; what the disk led moves to others, less than when its broker is lost",
        "unwritable": _above_zero(names, lost.unwritable),
        "unwritable_mean": _above_zero(names, lost.unwritable_mean),
        "offline": _above_zero(names, lost.offline),
        "refused_bytes_per_s": float(lost.unwritable @ produced),
        "usage": (),
        "topics": (),
        **_times(away),
    }


def _above_zero(names: Sequence[str], shares: Any) -> dict[str, float]:
    return {name: float(share) for name, share in zip(names, shares, strict=True) if share > 0}


def _times(away: Away) -> dict[str, Any]:
    return {
        "refill_bytes": away.refill_bytes,
        "refill_s": away.refill_s,
        "refill_s_reason": away.reason if away.refill_s is None else None,
        "limited_by": away.limited_by,
        "catch_up_bytes": away.catch_up_bytes,
        "catch_up_s": away.catch_up_s,
        "catch_up_s_reason": away.reason if away.catch_up_s is None else None,
        "curve": away.curve,
    }


def _gap(case: Case, cause: Cause) -> float:
    """How long partitions of lost brokers have no leader; a disk is noticed at once."""
    if cause.disks or not cause.brokers:
        return 0.0
    return case.failover_s + (constant("failure.active_controller_s") if cause.controllers else 0.0)


def _usage(case: Case, cause: Cause, fullest: Mapping[str, float]) -> tuple[Usage, ...]:
    state = "broker_down" if cause.brokers else "healthy"
    rows = []
    for resource, used in resource_utilisation(fullest, case.setting).items():
        limit = threshold(case.setting, resource, state)
        rows.append(Usage(resource, used, limit, used <= limit * _TIGHT))
    return tuple(rows)


def _quorum(case: Case, cause: Cause) -> Quorum:
    majority = int(case.trace("quorum.majority", failover.quorum_majority, controllers=float(case.controllers)))
    left = case.controllers - cause.controllers
    return Quorum(case.controllers, left, majority, left >= majority, constant("failure.active_controller_s"))


# Findings


def _findings(case: Case, cause: Cause, found: Mapping[str, Any]) -> Iterator[Finding]:
    yield from _lost_partitions(cause, found)
    if cause.only_disk:
        message = (
            "Brokers have one volume each: when it fails the broker stops, so these are the figures of a lost broker."
        )
        yield Finding("only_disk", "info", message, "Nothing to do.")
    over = [row for row in found["usage"] if not row.holds]
    for row in over:
        yield Finding(
            "overload",
            "critical",
            f"{RESOURCE_WORDS[row.resource].capitalize()} of the fullest survivor reaches {row.utilisation:.0%}, above "
            f"the limit of {row.threshold:.0%}.",
            "Add brokers, or shed load while the failure lasts.",
        )
    left: Left | None = found["survivors"]
    if left is not None and cause.brokers and left.fullest_over_mean > 1.25:  # noqa: PLR2004 - worth a word
        yield Finding(
            "uneven_survivors",
            "info",
            f"The fullest survivor sends {left.fullest_over_mean:.2f} times the mean: the leaders that were lost go to "
            "few successors.",
            "Nothing to do: the figures are those of the fullest one.",
        )
    yield from _buffers(case, cause, found["topics"])
    yield from _slow_return(case, found)


def _lost_partitions(cause: Cause, found: Mapping[str, Any]) -> Iterator[Finding]:
    for name, share in _largest(found["offline"]):
        yield Finding(
            "offline",
            "critical",
            f"Up to {share:.1%} of the partitions of {name} have no live replica: neither read nor written, and gone "
            "for good if the disks are.",
            "Raise its replication factor.",
        )
    for name, share in _largest(found["unwritable"]):
        if found["offline"].get(name, 0.0) >= share:
            continue
        mean = found["unwritable_mean"].get(name, 0.0)
        often = "" if cause.ids or not cause.brokers else f" ({mean:.1%} for a set of brokers at random)"
        yield Finding(
            "unwritable",
            "critical",
            f"Up to {share:.1%} of the partitions of {name}{often} have fewer live replicas than min.insync.replicas: "
            "acks=all is refused.",
            "Raise its replication factor, or lower min.insync.replicas and bear the risk.",
        )


def _largest(shares: Mapping[str, float]) -> list[tuple[str, float]]:
    return sorted(shares.items(), key=lambda item: -item[1])[:_NAMED]


def _buffers(case: Case, cause: Cause, topics: Sequence[Impact]) -> Iterator[Finding]:
    gap = _gap(case, cause)
    blocked = sorted((row for row in topics if row.blocks), key=lambda row: row.buffer_lasts_s)
    for row in blocked[:_NAMED]:
        waiting = format_quantity(row.waiting_bytes, "bytes")
        yield Finding(
            "buffer_full",
            "warning",
            f"{row.topic}: a producer has {waiting} to hold in the {gap:.0f} s without a leader; "
            f"buffer.memory is full after {row.buffer_lasts_s:.1f} s, then send blocks for every partition.",
            f"Raise buffer.memory to {math.ceil(row.waiting_bytes * 2)} or spread the load over more producers.",
        )
    failed = [row for row in topics if row.failed_bytes > 0]
    away = format_quantity(cause.away_s, "s")
    for row in sorted(failed, key=lambda row: -row.failed_bytes)[:_NAMED]:
        yield Finding(
            "records_fail",
            "critical",
            f"{row.topic}: after {constant('failure.delivery_timeout_s'):.0f} s (delivery.timeout.ms) sends fail; "
            f"{format_quantity(row.failed_bytes, 'bytes')} until the brokers are back after {away}.",
            "Keep records in the application meanwhile, or raise the replication factor.",
        )


def _slow_return(case: Case, found: Mapping[str, Any]) -> Iterator[Finding]:
    wanted = case.scenario.policy.recovery_time_max
    refill = found["refill_s"]
    if refill is None and found["refill_bytes"] > 0:
        yield Finding(
            "refill_never",
            "warning",
            f"An empty broker refills {found['refill_s_reason']}.",
            "Raise the throttle, or add brokers.",
        )
    elif wanted is not None and refill is not None and refill > wanted * _TIGHT:
        takes, most = (format_quantity(value, "s") for value in (refill, wanted))
        yield Finding(
            "refill_slow",
            "critical",
            f"Refilling takes {takes}, more than policy.recovery_time_max of {most}; {found['limited_by']} limits it.",
            "Raise the throttle, keep less on each broker, or take more brokers.",
        )


def _quorum_findings(cause: Cause, quorum: Quorum) -> Iterator[Finding]:
    if not cause.controllers:
        return
    if not quorum.holds:
        yield Finding(
            "quorum_lost",
            "critical",
            f"{quorum.left} of {quorum.controllers} controllers are left, and {quorum.majority} are needed: no leader "
            "is elected, no in-sync set changes, no topic is made. Partitions with a leader go on until it fails.",
            "Bring a controller back; do not restart brokers meanwhile.",
        )
    else:
        yield Finding(
            "quorum_holds",
            "info",
            f"{quorum.left} of {quorum.controllers} controllers are left, and {quorum.majority} are needed; a new "
            f"active one is there within {quorum.new_active_s:.1f} s.",
            f"{quorum.left - quorum.majority} more may be lost.",
        )


def _rolling_findings(case: Case, rolling: Rolling | None) -> Iterator[Finding]:
    if rolling is None:
        return
    for name, share in _largest(rolling.unwritable):
        yield Finding(
            "restart_stops_writes",
            "warning",
            f"A rolling restart stops writes to up to {share:.1%} of the partitions of {name} at each broker: its "
            "min.insync.replicas leaves no replica to spare.",
            "Have min.insync.replicas below the replication factor.",
        )
    worst = _largest(rolling.unwritable_with_failure)
    if worst and not rolling.unwritable:
        name, share = worst[0]
        yield Finding(
            "failure_during_restart",
            "info",
            f"If a broker fails while another restarts, up to {share:.1%} of the partitions of {name} take no writes; "
            f"a chance of {rolling.failure_chance_fraction:.2%} in a restart of {case.brokers} brokers.",
            "Restart one at a time, and only when no replica is missing.",
        )


def _assumptions(case: Case) -> tuple[Assumption, ...]:
    rows = []
    if case.layout.assigned is None:
        text = "simulated as Kafka places; brokers numbered from 0, zone by zone"
        rows.append(Assumption("failure.placement", text, "", None, None, "kafka-4.3-source", "2026-11-23"))
    rows.append(Assumption("failure.load", "peak", "", None, None, "assumption", "2026-11-26"))
    return (*rows, *constants_used("failure.", "recovery."))
