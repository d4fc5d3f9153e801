"""From a scenario to a plan: find the broker count, compute every state, judge, explain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from planner.constants import constant
from planner.model import recovery
from planner.model.types import Array
from planner.results import (
    RESOURCES,
    STATES,
    Brokers,
    Need,
    Plan,
    Recovery,
    StateLoad,
    Verdict,
    Where,
)
from planner.scenario import InputError, Scenario, ScenarioError
from planner.sizing.costs import bill_of
from planner.sizing.evaluate import FIGURES, NO_LIMIT, Evaluation, Refill, Setting, threshold
from planner.sizing.findings import findings_of
from planner.sizing.narrate import action_for, headline
from planner.sizing.search import Sizer
from planner.sizing.setting import checked_states, search_grid, setting_of
from planner.sizing.sized import Sized, sizes_of
from planner.sizing.spread import spread_of
from planner.sizing.topics import topic_plans
from planner.sizing.totals import assumptions_of, cluster_load, trace_states
from planner.sizing.workload import Workload
from planner.trace import Trace

_TOLERANCE = 1e-9
LOW_CONFIDENCE = frozenset({"cpu", "disk_iops"})


@dataclass(frozen=True, slots=True)
class Draft:
    """Everything known about a scenario at its broker count, before it is put into words."""

    scenario: Scenario
    workload: Workload
    setting: Setting
    sizer: Sizer
    brokers: Brokers
    sized: Sized
    evaluation: Evaluation
    trace: Trace


def sizer_of(workload: Workload) -> tuple[Setting, Sizer]:
    """Prepare the search for a scenario's broker count."""
    if not workload.topics:
        message = "There are no topics to plan; a scenario of questions alone is for `recommend`."
        raise ScenarioError([InputError("topics", None, message, "at least one topic")])
    scenario = workload.scenario
    setting = setting_of(workload)
    floor, step = search_grid(workload, setting)
    return setting, Sizer(sizes_of(workload), setting, checked_states(scenario.policy), floor, step)


def plan(scenario: Scenario) -> Plan:
    """Size a cluster for the scenario, or check the broker count that it gives.

    Parameters
    ----------
    scenario
        A validated scenario, as `planner.load` returns it.

    Returns
    -------
    Plan
        Loads of every state, a verdict per resource, partitions per topic, and the trace behind each figure.

    Raises
    ------
    ScenarioError
        When the scenario has no topics, or names hardware that the catalogue does not have.

    Examples
    --------
    >>> import planner
    >>> plan(planner.load("preset:startup-10k-a-day")).brokers.count
    3
    """
    draft = _draft(scenario)
    evaluation, setting = draft.evaluation, draft.setting
    states = {name: _state_load(draft, name) for name in STATES}
    verdicts = _verdicts(draft)
    cluster = cluster_load(draft.workload, draft.sized, setting, draft.brokers.count, draft.trace)
    bill = bill_of(draft.workload, draft.sized, cluster, draft.brokers)
    topics = topic_plans(draft.workload, draft.sized, draft.brokers.count, bill)
    trace_states(draft.trace, draft.sized, evaluation, setting, draft.brokers)
    restored = _recovery(draft)
    spread, spread_reason = spread_of(draft)
    findings = findings_of(
        draft, states=states, verdicts=verdicts, topics=topics, cluster=cluster, cost=bill.cost, spread=spread
    )
    feasible = not any(finding.severity == "critical" for finding in findings)
    return Plan(
        name=scenario.name,
        feasible=feasible,
        headline=headline(draft, feasible=feasible, verdicts=verdicts, restored=restored, findings=findings),
        brokers=draft.brokers,
        cluster=cluster,
        states=states,
        verdicts=verdicts,
        topics=topics,
        placement=spread,
        placement_reason=spread_reason,
        recovery=restored,
        cost=bill.cost,
        cost_reason=bill.reason,
        assumptions=assumptions_of(draft.workload),
        findings=findings,
        trace=draft.trace,
        scenario=scenario,
    )


def _draft(scenario: Scenario) -> Draft:
    workload = Workload(scenario)
    setting, sizer = sizer_of(workload)
    copies = int(workload.given["replication_factor"].max())
    lost = setting.brokers_down if setting.re_replicate else 0
    why = "healthy" if not lost else "reduced"
    needed = sizer.needs(Need(copies + lost, float(copies + lost), why))
    required = sizer.least()
    count = scenario.cluster.broker_count or required or _best_effort(sizer, needed)
    sized = sizer.sized_at(count)
    evaluation = sizer.complete(count)
    binding, runner_up = _binding(needed, sizer, count)
    reason = None if required is not None else _no_count_reason(needed)
    raw = needed[binding.resource].raw
    return Draft(
        scenario,
        workload,
        setting,
        sizer,
        Brokers(count, required, raw, binding, runner_up, needed, reason),
        sized,
        evaluation,
        sized.trace,
    )


def _best_effort(sizer: Sizer, needed: Mapping[str, Need]) -> int:
    """With no sufficient count: the one that satisfies every limit that can be satisfied."""
    return max([need.count for need in needed.values() if need.count is not None] + [sizer.floor])


def _no_count_reason(needed: Mapping[str, Need]) -> str:
    never = (needed[resource].count_reason for resource in RESOURCES if _never(needed[resource]))
    return next((reason for reason in never if reason), "no broker count holds in every checked state")


def _never(need: Need) -> bool:
    """Whether a resource exceeds its limit at every count (else a null count means that it does not apply)."""
    return need.count is None and need.count_reason is not None and "brokers" in need.count_reason


def _binding(needed: Mapping[str, Need], sizer: Sizer, count: int) -> tuple[Where, Where | None]:
    """The resource that asks for most brokers, and the next one; the fuller one where counts are equal."""
    ratios: dict[str, tuple[float, str]] = {}
    for (resource, state), ratio in sizer.ratios(count).items():
        if ratio > ratios.get(resource, (-1.0, ""))[0]:
            ratios[resource] = (ratio, state)
    replication = needed["replication"]
    floor = max(sizer.floor, replication.count or 0)

    def weight(resource: str) -> tuple[float, float]:
        need = needed[resource]
        # a count at the floor was not asked for by the resource: there the replication factor decides
        wanted = float("inf") if _never(need) else float(need.count or 0)
        return (wanted if wanted > floor else 0.0, ratios.get(resource, (0.0, ""))[0])

    others = sorted((name for name in RESOURCES if name in ratios), key=weight, reverse=True)
    ranked = [Where(name, needed[name].state or ratios[name][1]) for name in others]
    if not ranked or weight(ranked[0].resource)[0] == 0.0:
        return Where("replication", replication.state or "healthy"), (ranked[0] if ranked else None)
    return ranked[0], (ranked[1] if len(ranked) > 1 else None)


def _state_load(draft: Draft, name: str) -> StateLoad:
    setting, count = draft.setting, draft.brokers.count
    checked = name in draft.sizer.checked
    outcome = draft.evaluation.outcomes.get(name)
    if name == "recovering":
        return _recovering(draft, checked=checked)
    if outcome is None:
        reason = f"{count} brokers in {setting.zones} zones leave nothing to look at in this state"
        if name == "zone_down" and draft.evaluation.layout.rackless:
            reason = "the assignment names no racks, so what a lost zone takes is not known"
        return StateLoad(checked, 0, None, None, {}, {}, 0.0, reason=reason)
    return StateLoad(
        checked=checked,
        brokers_down=0 if name == "returned" else outcome.brokers_down,
        per_broker=_shown(outcome.mean),
        fullest=_shown(outcome.fullest),
        unwritable=_by_topic(draft, outcome.unwritable),
        offline=_by_topic(draft, outcome.offline),
        refused_bytes_per_s=float(outcome.unwritable @ draft.sized.columns["produce_in_bytes_per_s"]),
    )


def _shown(figures: Mapping[str, float]) -> dict[str, float]:
    return {name: figures[name] for name in FIGURES}


def _by_topic(draft: Draft, fractions: Array) -> dict[str, float]:
    return {draft.workload.names[index]: float(fractions[index]) for index in np.flatnonzero(fractions > 0).tolist()}


def _recovering(draft: Draft, *, checked: bool) -> StateLoad:
    refill = draft.evaluation.refill
    if refill is None:
        reason = "a single broker has no other to be refilled from"
        return StateLoad(checked, 0, None, None, {}, {}, 0.0, reason=reason)
    return StateLoad(
        checked=checked,
        brokers_down=max(draft.setting.brokers_down, 1),
        per_broker=None,
        fullest=None,
        unwritable={},
        offline={},
        refused_bytes_per_s=0.0,
        target=_shown(refill.target),
        source=_shown(refill.source),
        rate_bytes_per_s=refill.rate_bytes_per_s,
        reason="target and source differ, so there is no mean; see target and source",
    )


def _verdicts(draft: Draft) -> tuple[Verdict, ...]:
    """One verdict for each resource in each checked state."""
    sizer, setting, brokers = draft.sizer, draft.setting, draft.brokers
    found = []
    for (resource, state), ratio in sizer.ratios(brokers.count).items():
        limit = threshold(setting, resource, state)
        need = brokers.needed[resource]
        one_less = brokers.count - sizer.step if brokers.count - sizer.step >= sizer.floor else None
        spare = need.count is not None and one_less is not None and need.count <= one_less
        judged = "short" if ratio > 1 + _TOLERANCE else "spare" if spare else "right"
        found.append(
            Verdict(
                resource=resource,
                state=state,
                utilisation=min(ratio * limit, 1e12),
                threshold=limit,
                margin=max(limit - ratio * limit, -1e12),
                verdict=judged,  # type: ignore[arg-type]
                action=action_for(judged, resource, need, brokers.count, one_less),
                confidence="low" if resource in LOW_CONFIDENCE else "high",
            )
        )
    order = {name: position for position, name in enumerate(RESOURCES)}
    states = {name: position for position, name in enumerate(STATES)}
    return tuple(sorted(found, key=lambda verdict: (order[verdict.resource], states[verdict.state])))


def _recovery(draft: Draft) -> Recovery:
    failover = draft.trace(
        "recovery.failover_s",
        recovery.failover_s,
        session_timeout_s=constant("recovery.session_timeout_s"),
        election_s=constant("recovery.election_s"),
    )
    refill = draft.evaluation.refill
    if refill is None:
        return Recovery(0.0, None, "nothing", failover, 0.0, "a single broker has no replicas elsewhere")
    draft.trace(
        "recovery.refill_sources",
        recovery.refill_sources,
        size_bytes=refill.size_bytes,
        fullest_source_bytes=refill.fullest_source_bytes,
        survivors=draft.brokers.count - max(draft.setting.brokers_down, 1),
    )
    if refill.rate_bytes_per_s > 0:
        draft.trace(
            "recovery.broker_refill_s",
            recovery.refill_s,
            size_bytes=refill.size_bytes,
            refill_rate_bytes_per_s=refill.rate_bytes_per_s,
        )
    return Recovery(
        refill.size_bytes, refill.duration_s, refill.limited_by, failover, refill.rate_bytes_per_s, _no_refill(refill)
    )


def _no_refill(refill: Refill) -> str | None:
    if refill.duration_s is not None:
        return None
    if refill.limited_by == NO_LIMIT:
        return "unknown: neither network nor disk nor throttle has a limit that is given"
    return f"never: {refill.limited_by} leaves nothing for a refill"
