"""The size of a cluster as an architecture decision record in Markdown, for the design review."""

from __future__ import annotations

from collections.abc import Iterator

from planner.reports import tables, text_failure, text_recommend
from planner.reports.document import answer, grown, judged, lost_broker, made_by, months_until
from planner.reports.markdown import prose, section
from planner.reports.words import quantity
from planner.results import RESOURCE_WORDS, STATE_WORDS, Plan

_LIMITS = 3  # limits that growth reaches first


def decision_document(plan: Plan) -> str:
    """Context, decision, reasons, consequences, alternatives; equal plans give equal bytes."""
    first, others, holds = answer(plan)
    blocks = [
        f"# Decision: the cluster for {prose(plan.name)}",
        "Status: proposed",
        "## Context",
        _listed(_context(plan)),
        "## Decision",
        f"**{prose(first)}** {prose(others)}".rstrip(),
        holds,
        *section(tables.topics(plan)),
        *section(tables.resources(plan)),
        "## Consequences",
        _listed(_consequences(plan)),
        *section(tables.cost(plan), "No price is known for this broker."),
        "## What else was considered",
        _listed(_alternatives(plan)),
        *section(tables.findings(plan), "Nothing stands out."),
        *section(tables.assumptions(plan)),
        *section(tables.source_rows({row.source for row in plan.assumptions})),
        made_by(),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _listed(lines: Iterator[str]) -> str:
    return "\n".join(f"- {prose(line)}" for line in lines)


def _context(plan: Plan) -> Iterator[str]:
    cluster, policy = plan.cluster, plan.scenario.policy
    yield (
        f"{len(plan.topics)} topics, {quantity(cluster.produce_in_bytes_per_s, 'bytes/s')} produced and "
        f"{quantity(cluster.consumer_out_bytes_per_s, 'bytes/s')} consumed at peak."
    )
    yield f"{quantity(cluster.disk_bytes_worst, 'bytes')} on disk at worst, all replicas together."
    yield f"Down at once, and to be survived: brokers {policy.survive.brokers}, zones {policy.survive.zones}."
    if policy.growth_per_year:
        yield f"Growth of {policy.growth_per_year:.0%} a year."


def _consequences(plan: Plan) -> Iterator[str]:
    lost, growth = lost_broker(plan), grown(plan)
    if lost is not None:
        yield text_failure.failure_sentence(lost)
    yield from tables.recovery_sentences(plan)
    for row in () if growth is None else growth.first_limits[:_LIMITS]:
        when = months_until(row.date)
        if when is not None:
            yield f"Growth reaches the limit of {RESOURCE_WORDS[row.resource]}, {STATE_WORDS[row.state]}, in {when}."


def _alternatives(plan: Plan) -> Iterator[str]:
    runner_up = plan.brokers.runner_up
    if runner_up is not None:
        needed = plan.brokers.needed[runner_up.resource]
        if needed.count is not None:
            yield f"Next after the binding limit, {RESOURCE_WORDS[runner_up.resource]} asks for {needed.count} brokers."
    found = judged(plan)
    if found is None:
        yield "Whether Kafka is needed at all was not asked; `kafka-planner recommend` answers it."
        return
    yield found.sentence
    yield from text_recommend.flip_sentences(found)
