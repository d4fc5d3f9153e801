"""What a page shows of a plan, as rows and Markdown: pure functions, no Streamlit.

Text that a visitor gave (topic names, the scenario's name, values in errors) goes through `escape` before it stands in
Markdown; in tables it needs no escaping.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Protocol

from planner.constants import Source, sources
from planner.reports import tables
from planner.reports.pictures.wall import list_spec, wall_chart, wall_spec
from planner.reports.pictures.wall_rows import ratio, resource_rows, wall_alt, wall_rows
from planner.reports.words import quantity, unit_of_figure
from planner.results import Finding, Plan
from planner.scenario import BrokerSpec, InputError
from planner.trace import Step, Trace, plain, short
from planner.units import format_quantity

__all__ = [
    "binding_name",
    "cited",
    "error_markdown",
    "escape",
    "explain_markdown",
    "figures",
    "finding_markdown",
    "headline",
    "key_figures",
    "list_spec",
    "machine",
    "ratio",
    "resource_rows",
    "sentence",
    "shown",
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
    first, *others = map(sentence, plan.headline)
    return first, " ".join(others)


def sentence(text: str) -> str:
    """A sentence for a place where Streamlit reads Markdown; a percentage stays on one line."""
    return escape(text.replace(" %", "\u00a0%"))


def shown(value: Any, unit: str, *, binary: bool = False) -> str:
    """A value with its unit, bytes in steps of 1000 or 1024; the value itself stays as it is."""
    if binary and unit in ("bytes", "bytes/s") and isinstance(plain(value), int | float):
        return format_quantity(float(value), unit.replace("/", "_per_"), binary=True)
    return quantity(value, unit)


def machine(spec: BrokerSpec, *, binary: bool = False) -> str:
    """A broker machine in a sentence; its network in bits, as cards are sold."""
    storage = spec.storage
    disks = f"{storage.volumes} x " if storage.volumes > 1 else ""
    ways = {"in": spec.network_in, "out": spec.network_out}
    bits = {way: format_quantity(rate, "bytes_per_s", bits=True) for way, rate in ways.items() if rate is not None}
    both = len(set(bits.values())) == 1 and len(bits) == len(ways)
    network = f"{bits['in']} in and out" if both else ", ".join(f"{rate} {way}" for way, rate in bits.items())
    parts = (
        f"{spec.vcpu:g} vCPU",
        shown(spec.memory, "bytes", binary=binary),
        f"network {network or 'unmetered'}",
        f"disk {disks}{shown(storage.capacity, 'bytes', binary=binary)}",
    )
    return f"{', '.join(parts)}."


def key_figures(plan: Plan, *, binary: bool = False) -> list[tuple[str, str, str]]:
    """Label, value and the name of its explanation, for the strip under the headline."""
    cluster = plan.cluster
    found = (
        ("Brokers", plan.brokers.count, "count", "brokers.count"),
        ("Produced at peak", cluster.produce_in_bytes_per_s, "bytes/s", "produce_in_bytes_per_s"),
        ("Network in", cluster.network_in_bytes_per_s, "bytes/s", "network_in_bytes_per_s"),
        ("Network out", cluster.network_out_bytes_per_s, "bytes/s", "network_out_bytes_per_s"),
        ("On disk at worst", cluster.disk_bytes_worst, "bytes", "disk_bytes_worst"),
        ("Partitions", cluster.partitions, "count", "partitions"),
    )
    return [(label, shown(value, unit, binary=binary), name) for label, value, unit, name in found]


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
_BINARY_UNITS: Final = (("B", 1.0), ("KiB", 2.0**10), ("MiB", 2.0**20), ("GiB", 2.0**30), ("TiB", 2.0**40))


def topic_rows(plan: Plan, *, binary: bool = False) -> list[dict[str, Any]]:
    """One row per topic; numbers stay numbers, the unit of a column stands in its head."""
    topics = plan.topics
    sizes = _BINARY_UNITS if binary else _BYTE_UNITS
    rate, per_s = _scaled((topic.produce_in_bytes_per_s for topic in topics.values()), sizes)
    rate = f"{rate}/s"
    disk, size = _scaled((topic.disk_bytes_worst for topic in topics.values()), sizes)
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


class Judged(Protocol):
    """Any result with findings."""

    @property
    def findings(self) -> Sequence[Finding]:
        """What to know."""


def finding_markdown(plan: Judged) -> list[str]:
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


def figures(found: Plan | Trace) -> list[str]:
    """Names of all figures that can be explained; those of topics are asked for one topic at a time."""
    trace = found if isinstance(found, Trace) else found.trace
    return sorted(trace.steps, key=lambda name: (name.startswith("topics."), name))


def step_of(found: Plan | Trace, name: str, topic: str | None) -> Step:
    """The step behind a figure, of one topic where the figure belongs to topics."""
    if isinstance(found, Trace):
        return found.steps[name]
    if name.startswith("topics.") and topic is not None:
        return found.explain(f"topics.{topic}.{name.removeprefix('topics.')}")
    return found.explain(name)


def explain_markdown(step: Step, source: Source | None, *, binary: bool = False) -> str:
    """A figure: its formula, the formula with live numbers, value, unit, source and confidence.

    Everything comes from the step that the computation recorded; nothing is written here about any one figure.
    """
    body = step.to_dict()
    inputs = "\n".join(
        f"| `{key}` | {escape(shown(value, unit_of_figure(key), binary=binary))} |"
        for key, value in body["numbers"].items()
    )
    exact = short(body["value"])
    value = f"**{escape(shown(body['value'], body['unit'], binary=binary))}**"
    parts = [
        f"**{escape(body['name'])}** = {value}",
        escape(body["summary"]),
        f"Formula\n~~~\n{body['expression']}\n~~~",
        f"With the numbers of this plan\n~~~\n{body['substituted']} = {exact} {body['unit']}\n~~~",
        f"| Input | Value |\n|:--|--:|\n{inputs}" if inputs else "",
        f"Source: {cited(source, body['source'])} Confidence: {CONFIDENCE[body['confidence']]}.",
    ]
    return "\n\n".join(part for part in parts if part)


def cited(source: Source | None, name: str) -> str:
    """A source as Markdown, with a link where it is on the web."""
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
