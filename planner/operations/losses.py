"""Durability and availability: how long topics take no writes, and how likely acknowledged records are lost."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from planner.constants import constant
from planner.model import durability as rules
from planner.results import Assumption, Finding, Plan, Result
from planner.scenario import Scenario, Topic
from planner.sizing import plan
from planner.sizing.totals import constants_used
from planner.trace import Trace
from planner.units import listed

if TYPE_CHECKING:
    import pandas as pd

_YEAR_S = 31_536_000.0
_MINUTES = 525_600.0
_FACTORS = (2, 3, 4)
_LIKELY = 1e-3  # a chance of loss in a year above which a topic is worth a warning
_NAMED = 10
_ELR = (4, 1)  # eligible leader replicas are on in new clusters from here on


@dataclass(frozen=True, slots=True)
class TopicDurability:
    """One topic: minutes without writes, and the chance of losing acknowledged records, by cause."""

    replication_factor: int
    min_insync_replicas: int
    acks: str
    unwritable_minutes_per_year: float
    any_partition_minutes_per_year_low: float
    any_partition_minutes_per_year_high: float
    loss_probability_per_year: float
    permanent_loss_probability_per_year: float
    unclean_loss_probability_per_year: float
    power_cut_loss_probability_per_year: float
    leader_crash_loss_probability_per_year: float
    leader_crashes_per_year: float
    records_at_risk_per_leader_crash: float
    replica_sets: int


@dataclass(frozen=True, slots=True)
class Setting:
    """A replication factor with a min.insync.replicas, acks=all, for all partitions of the cluster."""

    replication_factor: int
    min_insync_replicas: int
    unwritable_minutes_per_year: float
    loss_probability_per_year: float
    brokers_lost_writable: int
    zones_lost_writable: int
    disk_factor: float


@dataclass(frozen=True)
class Durability(Result):
    """Every topic, and replication settings side by side."""

    broker_down_fraction: float
    zone_down_fraction: float
    refill_s: float
    refill_from: str
    topics: Mapping[str, TopicDurability]
    settings: tuple[Setting, ...]
    findings: tuple[Finding, ...]
    not_covered: tuple[str, ...]
    assumptions: tuple[Assumption, ...]
    trace: Trace

    def to_frame(self) -> pd.DataFrame:
        """One row per topic."""
        import dataclasses

        import pandas as pd  # heavy: only for callers who want a frame

        return pd.DataFrame([{"topic": name, **dataclasses.asdict(row)} for name, row in self.topics.items()])


@dataclass(frozen=True)
class _Case:
    plan: Plan
    zones: int
    broker_down: float
    zone_down: float
    outage_per_s: float
    repair_s: float
    loss_per_s: float
    refill_s: float
    power_cut_per_s: float
    unclean: bool
    trace: Trace

    def unwritable(self, replication_factor: int, live_needed: int) -> float:
        """Share of the time that one partition takes no writes."""
        return float(
            rules.short_of_replicas_fraction(
                replication_factor=replication_factor,
                live_needed=live_needed,
                zones=self.zones,
                broker_down_fraction=self.broker_down,
                zone_down_fraction=self.zone_down,
            )
        )

    def sets(self, partitions: int, replication_factor: int) -> int:
        """Distinct sets of brokers that hold the partitions, at most."""
        held = rules.replicas_by_zone(replication_factor=replication_factor, zones=self.zones)
        brokers = max(self.plan.brokers.count // self.zones, 1)
        ways = math.comb(self.zones, len(held)) * math.prod(math.comb(max(brokers, count), count) for count in held)
        return max(1, min(partitions, ways))

    def chance(self, name: str, events_per_s: float) -> float:
        """Chance of an event in a year."""
        return float(self.trace(name, rules.probability_fraction, events_per_s=events_per_s, period_s=_YEAR_S))

    def permanent(self, name: str, replication_factor: int) -> float:
        """How often one set of brokers loses everything."""
        return float(
            self.trace(
                name,
                rules.permanent_loss_per_s,
                replication_factor=float(replication_factor),
                loss_per_s=self.loss_per_s,
                refill_s=self.refill_s,
            )
        )


def durability(scenario: Scenario) -> Durability:
    """Minutes without writes and the chance of losing acknowledged records, for every topic and side by side.

    Parameters
    ----------
    scenario
        A scenario with topics; `operations` says how often brokers and zones fail.

    Returns
    -------
    Durability
        Per topic minutes a year and chances a year by cause; replication factors 2 to 4 with every min.insync.replicas.

    Raises
    ------
    ScenarioError
        When the scenario cannot be planned.

    Examples
    --------
    >>> import planner
    >>> found = durability(planner.load("preset:fintech"))
    >>> all(row.loss_probability_per_year < 0.001 for row in found.topics.values())
    True
    """
    sized = plan(scenario)
    case, refill_from = _case(scenario, sized)
    topics = {topic.name: _topic(case, topic, sized) for topic in scenario.topics}
    return Durability(
        broker_down_fraction=case.broker_down,
        zone_down_fraction=case.zone_down,
        refill_s=case.refill_s,
        refill_from=refill_from,
        topics=topics,
        settings=tuple(_settings(case)),
        findings=tuple(_findings(scenario, case, topics)),
        not_covered=(
            "the seconds until a new leader is elected, and the time until a returned replica has caught up",
            "deletion by people or programs, corrupted disks that are not noticed, faults of Kafka itself",
            "failures with a common cause across zones: a bad release, full disks everywhere, a lost controller quorum",
        ),
        assumptions=constants_used("durability."),
        trace=case.trace,
    )


def _case(scenario: Scenario, sized: Plan) -> tuple[_Case, str]:
    given, trace = scenario.operations, Trace()
    refill = sized.recovery.broker_refill_s
    source = "the plan's refill of a broker, and the time until an empty one begins"
    if refill is None:
        refill, source = constant("durability.refill_unknown_s"), "an assumption: the plan cannot tell"
    broker = {"between_failures_s": float(given.broker_mtbf), "repair_s": float(given.broker_mttr)}
    zone = {"between_failures_s": float(given.zone_mtbf), "repair_s": float(given.zone_mttr)}
    case = _Case(
        plan=sized,
        zones=min(scenario.cluster.zone_count, sized.brokers.count),
        broker_down=float(trace("broker_down_fraction", rules.down_fraction, **broker)),
        zone_down=float(trace("zone_down_fraction", rules.down_fraction, **zone)),
        outage_per_s=1 / given.broker_mtbf,
        repair_s=float(given.broker_mttr),
        loss_per_s=given.broker_lost_fraction / given.broker_mtbf,
        refill_s=refill + constant("durability.replacement_s"),
        power_cut_per_s=constant("durability.power_cut_fraction") / given.zone_mtbf,
        unclean=given.unclean_election,
        trace=trace,
    )
    return case, source


def _topic(case: _Case, topic: Topic, sized: Plan) -> TopicDurability:
    planned, copies = sized.topics[topic.name], topic.replication_factor
    needed = topic.effective_min_insync_replicas if topic.acks == "all" else 1
    sets = case.sets(planned.partitions, copies)
    one = case.unwritable(copies, needed)
    name = f"topics.{topic.name}"
    permanent = sets * case.permanent(f"{name}.permanent_loss_per_s", copies)
    unclean = sets * _unclean(case, name, copies) if case.unclean else 0.0
    # replicas in distinct zones outlive a power cut: only a zone that holds them all takes unwritten pages with it
    alone = len(rules.replicas_by_zone(replication_factor=copies, zones=case.zones)) == 1
    power = case.power_cut_per_s * case.zones if alone else 0.0
    leaders = min(planned.partitions, sized.brokers.count)
    crashes = leaders * case.outage_per_s if topic.acks != "all" else 0.0
    rate = planned.produce_in_bytes_per_s / max(planned.wire_bytes_per_record, 1.0)
    at_risk = rate / leaders * constant("durability.replication_lag_s") if topic.acks != "all" else 0.0
    return TopicDurability(
        replication_factor=copies,
        min_insync_replicas=topic.effective_min_insync_replicas,
        acks=topic.acks,
        unwritable_minutes_per_year=one * _MINUTES,
        any_partition_minutes_per_year_low=one * _MINUTES,
        any_partition_minutes_per_year_high=min(sets * one, 1.0) * _MINUTES,
        loss_probability_per_year=case.chance(f"{name}.loss", permanent + unclean + power + crashes),
        permanent_loss_probability_per_year=case.chance(f"{name}.permanent", permanent),
        unclean_loss_probability_per_year=case.chance(f"{name}.unclean", unclean),
        power_cut_loss_probability_per_year=case.chance(f"{name}.power_cut", power),
        leader_crash_loss_probability_per_year=case.chance(f"{name}.leader_crash", crashes),
        leader_crashes_per_year=crashes * _YEAR_S,
        records_at_risk_per_leader_crash=at_risk,
        replica_sets=sets,
    )


def _unclean(case: _Case, name: str, copies: int) -> float:
    return float(
        case.trace(
            f"{name}.unclean_loss_per_s",
            rules.unclean_loss_per_s,
            replication_factor=float(copies),
            outage_per_s=case.outage_per_s,
            repair_s=case.repair_s,
        )
    )


def _settings(case: _Case) -> Iterator[Setting]:
    """Replication factors and in-sync minima side by side, all partitions of the cluster alike."""
    partitions = case.plan.cluster.partitions
    for copies in (factor for factor in _FACTORS if factor <= case.plan.brokers.count):
        sets = case.sets(partitions, copies)
        lost = case.chance(f"settings.{copies}", sets * case.permanent(f"settings.{copies}.rate", copies))
        by_zone = rules.replicas_by_zone(replication_factor=copies, zones=case.zones)
        for needed in range(1, copies + 1):
            spared = [sum(by_zone[zones:]) >= needed for zones in range(1, len(by_zone))]
            yield Setting(
                replication_factor=copies,
                min_insync_replicas=needed,
                unwritable_minutes_per_year=case.unwritable(copies, needed) * _MINUTES,
                loss_probability_per_year=lost,
                brokers_lost_writable=copies - needed,
                zones_lost_writable=sum(spared),
                disk_factor=float(copies),
            )


def _findings(scenario: Scenario, case: _Case, topics: Mapping[str, TopicDurability]) -> Iterator[Finding]:
    fragile = [name for name, row in topics.items() if row.acks == "all" and row.min_insync_replicas == 1]
    if fragile:
        message = f"acks=all with min.insync.replicas=1 acknowledges with a single copy: {listed(fragile, _NAMED)}."
        yield Finding(
            "single_copy_acknowledged", "warning", message, "Set min.insync.replicas to 2, with three replicas."
        )
    strict = [
        name
        for name, row in topics.items()
        if row.acks == "all" and row.min_insync_replicas == row.replication_factor > 1
    ]
    if strict:
        message = f"min.insync.replicas equals the copies, so any lost broker stops writes: {listed(strict, _NAMED)}."
        yield Finding("no_broker_to_spare", "warning", message, "Lower min.insync.replicas by one, or add a replica.")
    loose = [name for name, row in topics.items() if row.acks != "all"]
    if loose:
        most = max(topics[name].records_at_risk_per_leader_crash for name in loose)
        message = (
            f"Without acks=all a leader's crash loses acknowledged records (up to {most:,.0f} each): "
            f"{listed(loose, _NAMED)}."
        )
        yield Finding("leader_crash_loses", "warning", message, "Use acks=all where records matter.")
    likely = [name for name, row in topics.items() if row.permanent_loss_probability_per_year > _LIKELY]
    if likely:
        message = f"Losing every replica for good is likelier than 1 in 1000 a year: {listed(likely, _NAMED)}."
        yield Finding("loss_likely", "warning", message, "Add a replica, or refill faster.")
    if case.unclean:
        message = "unclean.leader.election.enable=true lets a replica lead that lacks acknowledged records."
        yield Finding(
            "unclean_election", "warning", message, "Leave it off: to be unavailable is better than to lose data."
        )
    if scenario.cluster.version[:2] >= _ELR:
        message = (
            "Eligible leader replicas (KIP-966) are assumed on: the last replicas to leave the ISR stay electable."
        )
        yield Finding(
            "elr_assumed",
            "info",
            message,
            "On clusters upgraded from before 4.1 check eligible.leader.replicas.version.",
        )
