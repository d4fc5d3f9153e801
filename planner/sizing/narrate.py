"""The plan in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from planner.results import RESOURCE_WORDS, STATE_WORDS, Finding, Need, Recovery, Verdict
from planner.units import format_quantity

if TYPE_CHECKING:
    from planner.sizing.compose import Draft


def percent(fraction: float) -> str:
    """A fraction as a reader writes it."""
    return format_quantity(fraction, "fraction")


def action_for(judged: str, resource: str, need: Need, count: int, one_less: int | None) -> str:
    """What to do about one verdict; `one_less` is None where fewer brokers cannot hold the replicas."""
    words = RESOURCE_WORDS[resource]
    if judged == "spare":
        return f"{one_less} brokers would still carry {words}."
    if judged == "right" and one_less is None:
        return "Within the limit; fewer brokers cannot hold the replicas."
    if judged == "right":
        return f"Within the limit; {one_less} brokers would not be enough."
    if need.count is None:
        return f"More brokers do not help: {need.count_reason}."
    if need.count <= count:
        return f"Use {need.count} brokers or a larger type: at {count} the placement is uneven."
    return f"Add {need.count - count} brokers (to {need.count}) for {words}, or a larger broker type."


def headline(
    draft: Draft, *, feasible: bool, verdicts: Sequence[Verdict], restored: Recovery, findings: Sequence[Finding]
) -> tuple[str, ...]:
    """The answer first: how many brokers, what binds, how long a rebuild takes, what to know."""
    sentences = [_count_sentence(draft, feasible=feasible), *_binding_sentence(draft, verdicts)]
    if restored.broker_refill_s is not None and draft.brokers.count > 1:
        duration = format_quantity(restored.broker_refill_s, "s")
        sentences.append(
            f"An empty broker refills {format_quantity(restored.broker_refill_bytes, 'bytes')} in {duration}, "
            f"limited by {restored.limited_by.replace('_', ' ')}."
        )
    elif draft.brokers.count > 1:
        sentences.append(f"Refill of an empty broker: {restored.broker_refill_s_reason}.")
    critical = [finding for finding in findings if finding.severity == "critical"]
    sentences += [finding.message for finding in critical[:3]]
    return tuple(sentences)


def _hardware(draft: Draft) -> str:
    broker = draft.scenario.cluster.broker
    return broker if isinstance(broker, str) else "the given type"


def _count_sentence(draft: Draft, *, feasible: bool) -> str:
    brokers, zones = draft.brokers, draft.setting.zones
    count = brokers.count
    spread = f", {count // zones} per zone" if zones > 1 and count % zones == 0 else ""
    one = count == 1
    what = f"{count} {'broker' if one else 'brokers'} ({_hardware(draft)}{spread})"
    if feasible and brokers.required is not None and brokers.required < count:
        return f"{what} {'carries' if one else 'carry'} this; {brokers.required} would be enough."
    if feasible:
        return f"{what} {'carries' if one else 'carry'} this."
    if brokers.required is None:
        return f"No broker count carries this on {_hardware(draft)}: {brokers.required_reason}. Shown for {count}."
    if brokers.required > count:
        return f"{what} {'does' if one else 'do'} not carry this; {brokers.required} are needed."
    return f"{what} {'has' if one else 'have'} the capacity, but the plan does not hold."


def _binding_sentence(draft: Draft, verdicts: Sequence[Verdict]) -> list[str]:
    binding, runner_up = draft.brokers.binding, draft.brokers.runner_up
    sentences = []
    if binding is not None and binding.resource == "replication":
        copies = draft.brokers.needed["replication"].count
        zones = draft.setting.zones
        sentences.append(
            f"The replication factor sets the count ({copies} copies in {zones} zones); every resource has room."
        )
        if runner_up is not None:
            sentences += _fullest(runner_up.resource, verdicts, "The fullest resource is")
        return sentences
    if binding is not None:
        sentences += _fullest(binding.resource, verdicts, "The binding limit is")
    if runner_up is not None:
        sentences += _fullest(runner_up.resource, verdicts, "Next comes")
    return sentences


def _fullest(resource: str, verdicts: Sequence[Verdict], start: str) -> list[str]:
    found = [verdict for verdict in verdicts if verdict.resource == resource]
    if not found:
        return []
    worst = max(found, key=lambda verdict: verdict.utilisation / verdict.threshold)
    caution = " (low confidence)" if worst.confidence == "low" else ""
    sentence = (
        f"{start} {RESOURCE_WORDS[resource]}{caution} when {STATE_WORDS[worst.state]}: "
        f"{percent(worst.utilisation)} of a {percent(worst.threshold)} limit."
    )
    return [sentence]
