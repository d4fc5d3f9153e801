"""What a page shows of a plan, as rows and Markdown: pure functions, no Streamlit.

Text that a visitor gave (topic names, the scenario's name, values in errors) goes through `escape` before it stands in
Markdown; in tables it needs no escaping.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from planner.catalogue import broker_spec
from planner.constants import Source, sources
from planner.reports import tables
from planner.reports.words import STATE_LABELS, quantity, unit_of_figure
from planner.results import RESOURCE_WORDS, RESOURCES, STATE_WORDS, STATES, Margin, Plan, Verdict
from planner.scenario import InputError
from planner.sizing.evaluate import Hardware, utilisation_arguments
from planner.sizing.setting import hardware_of
from planner.trace import Step, short
from planner.ui.wall import list_spec, percent, wall_chart, wall_spec

__all__ = [
    "binding_name",
    "error_markdown",
    "escape",
    "explain_markdown",
    "figures",
    "finding_markdown",
    "headline",
    "key_figures",
    "list_spec",
    "resource_rows",
    "source_of",
    "status",
    "step_of",
    "table_rows",
    "topic_rows",
    "wall_alt",
    "wall_chart",
    "wall_rows",
    "wall_spec",
]

SEVERITY: Final = {
    "critical": ("Critical", "▲", "red"),
    "warning": ("Warning", "◆", "orange"),
    "info": ("Note", "●", "blue"),
}
CONFIDENCE: Final = {"high": "● high", "medium": "◆ medium", "low": "▲ low"}
REASONS: Final = {
    "produce": "produce rate",
    "consume": "slowest consumer group",
    "parallelism": "group members",
    "processing": "processing time",
    "growth": "growth",
    "hot_key": "hottest key",
    "spread": "spread over brokers",
    "minimum": "at least one",
}
_TOLERANCE = 1e-6  # a refill takes what is free up to the limit: not above it by a rounding


# Text


# what Markdown, Streamlit's colours and mathematics read as more than text, anywhere and at the start of a line
_SPECIAL: Final = re.compile(r"[\\`*_{}\[\]<>$~|^]|:(?=[\w+-])|&(?=[#\w]+;)|^(?:[#+=-]|\d+(?=[.)](?:\s|$)))")

_SHORTCODE: Final = re.compile(r":[\w+-]+:")


def escape(text: object) -> str:
    """`text` for a place where Streamlit reads Markdown: it comes out as it was written, on one line."""
    flat = re.sub(r"[^\S\u00a0]+", " ", str(text)).strip()
    return _SPECIAL.sub(_escaped, flat)


def _escaped(match: re.Match[str]) -> str:
    found = match.group()
    if found.isdigit():  # "1. " would start a list: the full stop is escaped, not the number
        return f"{found}\\"
    if found == ":" and _SHORTCODE.match(match.string, match.start()):
        return (
            "\\:\u2060"  # ":word:" is replaced by a symbol when escapes are gone already; a word joiner keeps it apart
        )
    return f"\\{found}"


def status(plan: Plan) -> str:
    """Whether the plan holds: word, shape and colour as a Markdown badge."""
    word, shape, colour = ("Holds", "●", "green") if plan.feasible else ("Does not hold", "▲", "red")
    return f":{colour}-badge[{shape} {word}]"


def headline(plan: Plan) -> tuple[str, str]:
    """The first sentence, for the heading, and the others as a paragraph; both escaped."""
    first, *others = (escape(sentence.replace(" %", "\u00a0%")) for sentence in plan.headline)
    return first, " ".join(others)


def key_figures(plan: Plan) -> list[tuple[str, str, str]]:
    """Label, value and the name of its explanation, for the strip under the headline."""
    cluster = plan.cluster
    return [
        ("Brokers", str(plan.brokers.count), "brokers.count"),
        ("Produced at peak", quantity(cluster.produce_in_bytes_per_s, "bytes/s"), "produce_in_bytes_per_s"),
        (
            "Network in",
            quantity(cluster.network_in_bytes_per_s, "bytes/s"),
            "network_in_bytes_per_s",
        ),
        (
            "Network out",
            quantity(cluster.network_out_bytes_per_s, "bytes/s"),
            "network_out_bytes_per_s",
        ),
        ("On disk at worst", quantity(cluster.disk_bytes_worst, "bytes"), "disk_bytes_worst"),
        ("Partitions", quantity(cluster.partitions, "count"), "partitions"),
    ]


# The wall


def _shares(figures: Mapping[str, float] | None, hardware: Hardware) -> dict[str, float]:
    """Utilisation of each resource by one broker's figures."""
    if figures is None:
        return {}
    arguments = utilisation_arguments(figures, hardware)
    return {name: float(np.max(function(**numbers))) for name, (function, numbers) in arguments.items()}


def wall_rows(plan: Plan, margins: Sequence[Margin] | None = None) -> list[dict[str, Any]]:
    """One row per resource and state, in the order of the wall.

    `utilisation` (fullest broker) and `mean` are fractions, None where the state does not occur; `judged` says that the
    plan has a verdict on the cell; `mark` is "binding" on the cell that decides the broker count, or, where the
    replication factor decides, "fullest" on the one nearest to its limit; `explain` is its name for `Plan.explain`.
    """
    scenario = plan.scenario
    hardware = hardware_of(broker_spec(scenario.cluster.broker), scenario.cluster.limits, scenario.policy)
    means = {state: _shares(plan.states[state].per_broker, hardware) for state in STATES}
    known = tables.margins_of(plan) if margins is None else margins
    cells: dict[tuple[str, str], Margin | Verdict] = {(margin.resource, margin.state): margin for margin in known}
    cells |= {(verdict.resource, verdict.state): verdict for verdict in plan.verdicts}
    present = {resource for resource, _ in cells}
    rows = [
        _row(plan, resource, state, cells.get((resource, state)), means[state].get(resource))
        for resource in RESOURCES
        if resource in present
        for state in STATES
    ]
    return _marked(rows, plan)


def _row(plan: Plan, resource: str, state: str, cell: Margin | Verdict | None, mean: float | None) -> dict[str, Any]:
    load, name = plan.states[state], f"utilisation.{state}.{resource}"
    judged = cell if isinstance(cell, Verdict) else None
    over = cell is not None and cell.utilisation > cell.threshold * (1 + _TOLERANCE)
    return {
        "resource": resource,
        "resource_label": RESOURCE_WORDS[resource],
        "state": state,
        "state_label": STATE_LABELS[state],
        "checked": load.checked,
        "utilisation": cell.utilisation if cell else None,
        "mean": mean if cell else None,
        "threshold": cell.threshold if cell else None,
        "judged": judged is not None,
        "verdict": judged.verdict if judged else "short" if over else None,
        "confidence": judged.confidence if judged else "high",
        "explain": name if name in plan.trace.steps else None,
    }


def _marked(rows: list[dict[str, Any]], plan: Plan) -> list[dict[str, Any]]:
    """Mark the cell that binds, else the one nearest to its limit."""
    judged = [row for row in rows if row["judged"]]
    where = plan.brokers.binding
    # one state may have asked for the count and another be fuller against its own limit: the headline names the latter
    binding = [row for row in judged if where is not None and row["resource"] == where.resource]
    marked = max(binding or judged, key=ratio, default=None)
    word = "binding" if binding else "fullest"
    return [{**row, "mark": word if row is marked else ""} for row in rows]


def ratio(row: Mapping[str, Any]) -> float:
    """How near a judged cell is to its limit; 1 is at it."""
    return float(row["utilisation"]) / float(row["threshold"])


def resource_rows(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """For each resource its cell nearest to the limit, of those that the plan judges."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        best = found.get(row["resource"])
        if row["judged"] and (best is None or ratio(row) > ratio(best)):
            found[row["resource"]] = dict(row)
    return list(found.values())


def wall_alt(rows: Sequence[Mapping[str, Any]]) -> str:
    """The wall in words, for those who do not see it."""
    worst = resource_rows(rows)
    parts = [
        f"{row['resource_label']} {percent(row['utilisation'])} of {percent(row['threshold'])} "
        f"when {STATE_WORDS[row['state']]}" + (f" ({row['mark']})" if row["mark"] else "")
        for row in worst
    ]
    return f"Utilisation of {len(worst)} resources against their limits, each in its fullest state: {'; '.join(parts)}."


def table_rows(table: tables.Table) -> list[dict[str, str]]:
    """A table of the reports, for a data frame; a percentage stays on one line."""
    heads = [_sentence_case(column.replace("\n", " ")) for column in table.columns]
    return [dict(zip(heads, (cell.replace(" %", "\u00a0%") for cell in row), strict=True)) for row in table.rows]


def _sentence_case(text: str) -> str:
    return text[:1].upper() + text[1:]


# Topics, findings, assumptions, errors


def _scaled(values: Iterable[float], units: Sequence[tuple[str, float]]) -> tuple[str, float]:
    """The largest unit of which the largest value has at least one."""
    top = max(values, default=0.0)
    return next(((name, size) for name, size in reversed(units) if top >= size), units[0])


_BYTE_UNITS: Final = (("B", 1.0), ("kB", 1e3), ("MB", 1e6), ("GB", 1e9), ("TB", 1e12))
_RATE_UNITS: Final = tuple((f"{name}/s", size) for name, size in _BYTE_UNITS)


def topic_rows(plan: Plan) -> list[dict[str, Any]]:
    """One row per topic; numbers stay numbers, the unit of a column stands in its head."""
    topics = plan.topics
    rate, per_s = _scaled((topic.produce_in_bytes_per_s for topic in topics.values()), _RATE_UNITS)
    disk, size = _scaled((topic.disk_bytes_worst for topic in topics.values()), _BYTE_UNITS)
    return [
        {
            "Topic": name,
            "Partitions": topic.partitions,
            "Because of": "given"
            if topic.partitions_given
            else REASONS.get(topic.binding_reason, topic.binding_reason),
            "RF": topic.replication_factor,
            f"Produced [{rate}]": topic.produce_in_bytes_per_s / per_s,
            f"Consumed [{rate}]": topic.consumer_out_bytes_per_s / per_s,
            f"Disk, average [{disk}]": topic.disk_bytes / size,
            f"Disk, worst [{disk}]": topic.disk_bytes_worst / size,
            "Hottest [%]": topic.hottest_partition_fraction * 100,
        }
        for name, topic in topics.items()
    ]


def finding_markdown(plan: Plan) -> list[str]:
    """Each finding as one paragraph: severity in word, shape and colour, what it is, what to do."""
    found = []
    for finding in plan.findings:
        word, shape, colour = SEVERITY[finding.severity]
        found.append(f":{colour}-badge[{shape} {word}] {escape(finding.message)} *{escape(finding.action)}*")
    return found


def error_markdown(errors: Iterable[InputError]) -> list[str]:
    """Each error of an input: where, what was given, what is wrong, what is allowed, what was perhaps meant."""
    return [_error(error) for error in errors]


def _error(error: InputError) -> str:
    parts = [f"**{escape(error.path)}**:"] if error.path else []
    parts.append(escape(error.message))
    # a quantity's message says both already
    if error.value is not None and str(error.value) not in error.message:
        parts.append(f"Given: {escape(error.value)}.")
    if error.allowed and error.allowed not in error.message:
        parts.append(f"Allowed: {escape(error.allowed)}.")
    if error.nearest:
        parts.append(f"Did you mean **{escape(error.nearest)}**?")
    return " ".join(parts)


# Explanations


def binding_name(rows: Sequence[Mapping[str, Any]]) -> str:
    """The figure to explain first: the utilisation that binds, else the broker count."""
    named = [row["explain"] for row in rows if row["mark"] == "binding" and row["explain"]]
    return named[0] if named else "brokers.count"


def figures(plan: Plan) -> list[str]:
    """Names of all figures that can be explained; those of topics are asked for one topic at a time."""
    return sorted(plan.trace.steps, key=lambda name: (name.startswith("topics."), name))


def step_of(plan: Plan, name: str, topic: str | None) -> Step:
    """The step behind a figure, of one topic where the figure belongs to topics."""
    if name.startswith("topics.") and topic is not None:
        return plan.explain(f"topics.{topic}.{name.removeprefix('topics.')}")
    return plan.explain(name)


def explain_markdown(step: Step, source: Source | None) -> str:
    """A figure: its formula, the formula with live numbers, value, unit, source and confidence.

    Everything comes from the step that the computation recorded; nothing is written here about any one figure.
    """
    body = step.to_dict()
    inputs = "\n".join(
        f"| `{key}` | {escape(quantity(value, unit_of_figure(key)))} |" for key, value in body["numbers"].items()
    )
    exact = short(body["value"])
    value = f"**{escape(quantity(body['value'], body['unit']))}**"
    parts = [
        f"**{escape(body['name'])}** = {value}",
        escape(body["summary"]),
        f"Formula\n~~~\n{body['expression']}\n~~~",
        f"With the numbers of this plan\n~~~\n{body['substituted']} = {exact} {body['unit']}\n~~~",
        f"| Input | Value |\n|:--|--:|\n{inputs}" if inputs else "",
        f"Source: {_cited(source, body['source'])} Confidence: {CONFIDENCE[body['confidence']]}.",
    ]
    return "\n\n".join(part for part in parts if part)


def _cited(source: Source | None, name: str) -> str:
    if source is None:
        return f"{escape(name)}."
    title = escape(source.title)
    linked = (
        f"[{title}]({source.url})" if source.url.startswith(("https://", "http://")) else f"{title} (`{source.url}`)"
    )
    return f"{linked}, read {source.as_of}."


def source_of(step: Step) -> Source | None:
    """The source that a step names."""
    return sources().get(step.source)
