"""A plan as a Markdown document for a design review."""

from __future__ import annotations

import re
from collections.abc import Iterable

import planner
from planner.codec import dump
from planner.reports import tables
from planner.reports.placement import placement
from planner.reports.tables import Table
from planner.reports.words import quantity, raw, visible
from planner.results import Plan
from planner.trace import Step

_BROKERS = 50  # rows of brokers shown
# an underscore inside a word is no emphasis, so that topic names stay readable
_MARKS = re.compile(r"[\\`*\[\]#|~$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_ENTITY = re.compile(r"&(?=#?\w+;)|[<>]")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_ADDRESS = re.compile(r"https?://[^\s<>|`]+")


def document(plan: Plan) -> str:
    """The whole report; equal plans give equal bytes."""
    blocks = [f"# Capacity plan: {prose(plan.name)}", *_answer(plan)]
    for table in _tables(plan):
        blocks += section(table)
    blocks += ["## Recovery", "\n".join(f"- {prose(sentence)}" for sentence in tables.recovery_sentences(plan))]
    blocks += section(tables.cost(plan)) + section(tables.findings(plan), "Nothing stands out.")
    blocks += section(tables.assumptions(plan)) + _formulas(plan)
    blocks += section(tables.source_rows(_cited(plan)))
    blocks += ["## The scenario", _fenced(dump(plan.scenario), "yaml")]
    blocks.append(f"Computed by kafka-planner {planner.__version__}.")
    return "\n\n".join(blocks) + "\n"


def prose(text: str) -> str:
    """Text in which nothing acts as Markdown or HTML."""
    plain = visible(text.replace("\n", " "))
    marked = _MARKS.sub(lambda match: f"\\{match[0]}", plain)
    return _ENTITY.sub(lambda match: _ENTITIES[match[0]], marked)


def code(text: str) -> str:
    """Text as a code span, also inside a table."""
    plain = visible(text.replace("\n", " "))
    fence = "`" * (1 + max(map(len, re.findall("`+", plain)), default=0))
    gap = " " if "`" in plain else ""
    return f"{fence}{gap}{plain}{gap}{fence}".replace("|", "\\|")


def _fenced(text: str, language: str) -> str:
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return "\n".join([f"{fence}{language}", *map(visible, text.rstrip().split("\n")), fence])


def _answer(plan: Plan) -> list[str]:
    first, *others = plan.headline
    holds = "The plan is feasible." if plan.feasible else "The plan is not feasible."
    return [f"**{prose(first)}** {prose(' '.join(others))}".rstrip(), holds]


def _tables(plan: Plan) -> Iterable[Table]:
    yield tables.wall(plan)
    yield tables.resources(plan)
    yield tables.loads(plan)
    yield tables.cluster(plan)
    yield placement(plan, _BROKERS)
    yield tables.topics(plan)
    yield tables.partition_reasons(plan)


def section(table: Table, empty: str = "") -> list[str]:
    """A heading, a table or the words for an empty one, and its notes."""
    blocks = [f"## {table.title}"]
    if table.rows:
        blocks.append(_grid(table))
    elif empty:
        blocks.append(empty)
    if table.notes:
        blocks.append("\n".join(f"- {prose(note)}" for note in table.notes))
    return blocks


def _grid(table: Table) -> str:
    def cell(text: str, row: int, column: int) -> str:
        shown = text if _ADDRESS.fullmatch(text) and table.title == "Sources" else prose(text)
        return f"**{shown}**" if (row, column) in table.strong else shown

    head = "| " + " | ".join(prose(name) for name in table.columns) + " |"
    rule = "|" + "|".join("---:" if column in table.right else "---" for column in range(len(table.columns))) + "|"
    body = (
        "| " + " | ".join(cell(text, row, column) for column, text in enumerate(texts)) + " |"
        for row, texts in enumerate(table.rows)
    )
    return "\n".join([head, rule, *body])


def _formulas(plan: Plan) -> list[str]:
    head = "| figure | formula | with its numbers | value | raw | source |\n|---|---|---|---:|---:|---|"
    return ["## Formulas", "\n".join([head, *map(_formula, _cluster_steps(plan))])]


def _formula(step: Step) -> str:
    cells = (
        code(step.name),
        code(step.expression),
        code(step.substituted),
        prose(quantity(step.value, step.unit)),
        prose(raw(step)),
        prose(step.source if step.confidence == "high" else f"{step.source} ({step.confidence} confidence)"),
    )
    return "| " + " | ".join(cells) + " |"


def _cluster_steps(plan: Plan) -> list[Step]:
    """Steps of the whole cluster, each figure once."""
    found = {step.name: step for step in plan.trace if not step.name.startswith("topics.")}
    return list(found.values())


def _cited(plan: Plan) -> set[str]:
    return {step.source for step in _cluster_steps(plan)} | {row.source for row in plan.assumptions}
