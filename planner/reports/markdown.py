"""A plan as a Markdown document for a design review."""

from __future__ import annotations

import re

from planner.reports.document import Code, Picture, answer, made_by, sections, title
from planner.reports.page import Block, Paragraph
from planner.reports.tables import Table
from planner.reports.words import visible
from planner.results import Plan

# an underscore inside a word is no emphasis, so that topic names stay readable
_MARKS = re.compile(r"[\\`*\[\]#|~$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_ENTITY = re.compile(r"&(?=#?\w+;)|[<>]")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_ADDRESS = re.compile(r"https?://[^\s<>|`]+")


def document(plan: Plan) -> str:
    """The whole report; equal plans give equal bytes."""
    first, others, holds = answer(plan)
    blocks = [f"# {prose(title(plan))}", f"**{prose(first)}** {prose(others)}".rstrip(), holds]
    for part in sections(plan):
        blocks.append(f"## {prose(part.title)}")
        for block in part.blocks:
            blocks += _block(block, part.title)
    return "\n\n".join([*blocks, made_by()]) + "\n"


def _block(block: Block | Picture | Code, heading: str) -> list[str]:
    if isinstance(block, Code):
        return [_fenced(block)]
    if isinstance(block, Table):
        return [] if block.title == heading and not (block.rows or block.notes) else _table(block, heading)
    if isinstance(block, Paragraph):
        mark = "**" if block.strong else ""
        return ["\n".join(f"- {mark}{prose(sentence)}{mark}" for sentence in block.sentences)]
    return []  # a picture has its table beside it


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


def _fenced(block: Code) -> str:
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", block.text)), default=0))
    return "\n".join([f"{fence}{block.language}", *block.lines, fence])


def section(table: Table, empty: str = "") -> list[str]:
    """A heading, a table or the words for an empty one, and its notes."""
    return [f"## {table.title}", *(_table(table, table.title) or ([empty] if empty else []))]


def _table(table: Table, heading: str) -> list[str]:
    """A table under its heading, with a heading of its own where that is another, and its notes."""
    blocks = [] if table.title == heading else [f"### {prose(table.title)}"]
    if table.rows:
        blocks.append(_grid(table))
    if table.notes:
        blocks.append("\n".join(f"- {prose(note)}" for note in table.notes))
    return blocks


def _grid(table: Table) -> str:
    def cell(text: str, row: int, column: int) -> str:
        if column in table.code:
            return code(text)
        shown = text if _ADDRESS.fullmatch(text) and table.title == "Sources" else prose(text)
        return f"**{shown}**" if (row, column) in table.strong else shown

    head = "| " + " | ".join(prose(name) for name in table.columns) + " |"
    rule = "|" + "|".join("---:" if column in table.right else "---" for column in range(len(table.columns))) + "|"
    body = (
        "| " + " | ".join(cell(text, row, column) for column, text in enumerate(texts)) + " |"
        for row, texts in enumerate(table.rows)
    )
    return "\n".join([head, rule, *body])
