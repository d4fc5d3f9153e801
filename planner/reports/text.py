"""Answers as text for a terminal, a pipe or a log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from planner.constants import sources
from planner.reports import tables
from planner.reports.page import Page
from planner.reports.placement import placement
from planner.reports.tables import Table
from planner.reports.words import (
    STATE_LABELS,
    assumed,
    is_input,
    key_words,
    quantity,
    raw,
    unit_of_figure,
)
from planner.results import RESOURCE_WORDS, Assumption, Check, Comparison, Plan, Reverse, to_plain
from planner.trace import Step

_TOPICS = 200  # rows of topics shown
_BROKERS = 50  # rows of brokers shown, where they are real ones


def plan_text(plan: Plan, page: Page, *, all_assumptions: bool = False) -> None:
    """The whole plan: the answer, loads, verdicts, topics, findings, assumptions."""
    _answer(page, plan)
    page.table(tables.loads(plan))
    page.table(tables.resources(plan))
    page.table(tables.topics(plan, _TOPICS))
    page.table(placement(plan, _BROKERS if plan.placement is not None and plan.placement.assigned else 0))
    page.say([*tables.recovery_sentences(plan), *tables.cost(plan).notes])
    if plan.findings:
        page.table(tables.findings(plan))
    if all_assumptions:
        page.table(tables.assumptions(plan))
    else:
        _assumptions(page, plan)


def _answer(page: Page, plan: Plan) -> None:
    page.line(plan.headline[0], "bold")
    page.say(plan.headline[1:])
    total = plan.cluster
    sums = (
        f"At peak {quantity(total.produce_in_bytes_per_s, 'bytes/s')} produced, "
        f"{quantity(total.network_in_bytes_per_s, 'bytes/s')} into and "
        f"{quantity(total.network_out_bytes_per_s, 'bytes/s')} out of all brokers; "
        f"{quantity(total.disk_bytes_worst, 'bytes')} on disk at worst; "
        f"{quantity(total.partitions, 'count')} partitions, {quantity(total.replicas, 'count')} replicas; "
        f"{total.controllers} controllers."
    )
    page.say([sums])


def _assumptions(page: Page, plan: Plan) -> None:
    page.line("Assumptions", "bold")
    groups: dict[str, list[str]] = {}
    for row in filter(is_input, plan.assumptions):
        group, key = key_words(row.id)
        groups.setdefault(group, []).append(f"{key} {assumed(row)}")
    if groups:
        page.line("Not given, so these defaults (and likely values of ranges) were taken:")
    for group, phrases in groups.items():
        page.line(f"  {group}: {'; '.join(phrases)}.")
    page.line(_constants([row for row in plan.assumptions if not is_input(row)]))
    page.line("--assumptions lists every one with its range, source and date.")


def _constants(rows: Sequence[Assumption]) -> str:
    doubtful = [row.id for row in rows if row.confidence == "low"]
    low = f", {len(doubtful)} of them of low confidence: {', '.join(doubtful)}" if doubtful else ""
    return f"{len(rows)} constants of the model were used{low}."


def explain_text(plan: Plan, asked: str, step: Step, page: Page) -> None:
    """One figure: its formula, the same with live numbers, value, unit and source."""
    stated = _in_the_plan(plan, asked, step)
    page.line(f"{asked} = {stated or quantity(step.value, step.unit)}", "bold")
    rows = {
        "": step.summary,
        "figure": step.name if step.name != asked else "",
        "unrounded": quantity(step.value, step.unit) if stated else "",
        "raw": raw(step),
        "formula": step.expression,
        "numbers": step.substituted,
        "source": source_text(step.source),
        "confidence": step.confidence,
    }
    for label, text in rows.items():
        if text:
            page.line(f"  {label:<12}{text}" if label else f"  {text}")
    page.line()


def source_text(source: str) -> str:
    """A source with title, address and date."""
    known = sources().get(source)
    return source if known is None else f"{known.id}: {known.title}, {known.url}, read on {known.as_of}"


def _in_the_plan(plan: Plan, asked: str, step: Step) -> str:
    """The figure as the result states it, where rounding up made it another number than the formula gives."""
    path = asked.replace(".partitions_for_", ".reasons.")
    value = _look_up(to_plain({"brokers": plan.brokers, "topics": plan.topics}), path)
    if not isinstance(value, int | float) or value == to_plain(step.value):
        return ""
    return quantity(value, unit_of_figure(asked))


def _look_up(node: Any, path: str) -> Any:
    """The value under a dotted path; keys may hold dots themselves."""
    if not path or not isinstance(node, Mapping):
        return node if not path else None
    keys = sorted((key for key in node if path == key or path.startswith(f"{key}.")), key=len, reverse=True)
    found = (_look_up(node[key], path[len(key) + 1 :]) for key in keys)
    return next((value for value in found if value is not None), None)


def check_text(check: Check, page: Page) -> None:
    """Whether the cluster holds, and the margin of every resource in every state."""
    page.line("The cluster holds." if check.holds else "The cluster does not hold.", "bold")
    _answer(page, check.plan)
    page.table(tables.margin_matrix(check))
    page.table(tables.wall(check.plan, check.margins))
    page.table(tables.resources(check.plan))
    if check.plan.findings:
        page.table(tables.findings(check.plan))


def reverse_text(found: Reverse, page: Page) -> None:
    """How much load and retention fit, then each resource."""
    noun = "broker carries" if found.brokers == 1 else "brokers carry"
    who = f"{found.brokers} {noun}"
    if found.max_load_factor is None:
        page.line(f"{who} any load: {found.max_load_factor_reason}.", "bold")
    elif found.max_load_factor == 0:
        page.line(f"{who} none of this load: a limit is exceeded even without traffic.", "bold")
    else:
        tightest = found.limits[0]
        page.line(
            f"{who} {found.max_load_factor:.4g} times this load; then {RESOURCE_WORDS[tightest.resource]} "
            f"is at its limit in the state {STATE_LABELS[tightest.state]}.",
            "bold",
        )
    if found.max_retention_s is None:
        page.say([f"Longest retention: not stated, because {found.max_retention_s_reason}."])
    else:
        retention = quantity(found.max_retention_s, "s")
        page.say([f"At today's load, every topic that is kept by time could be kept for {retention}."])
    page.table(tables.limits(found))


def compare_text(found: Comparison, page: Page) -> None:
    """The answer of each scenario, then only what differs."""
    page.say(f"{number} {plan.name}: {plan.headline[0]}" for number, plan in enumerate(found.plans, start=1))
    for table in tables.differences(found):
        if table.rows or table.notes:
            page.table(table)
        else:
            page.line(f"{table.title}: none.")


def presets_text(rows: Sequence[Mapping[str, str]], page: Page) -> None:
    """Every preset with the situation that it stands for."""
    columns = ("name", "title", "situation", "source")
    shown = tuple(tuple(row[key] for key in columns) for row in rows)
    page.table(Table("Presets", columns, shown, prose=frozenset({1, 2, 3})))
    page.line("Use one with: kafka-planner plan preset:NAME")
