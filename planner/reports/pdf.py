"""A report as PDF, set by typst from data: no text of the user is ever read as markup."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from planner.reports.document import Code, Picture, answer, made_by, sections, title
from planner.reports.html import svg_of
from planner.reports.page import Paragraph
from planner.reports.tables import Table
from planner.reports.words import visible
from planner.results import Plan

_TEMPLATE = Path(__file__).resolve().parent / "templates" / "report.typ"
_LONG = 400  # rows of a table that are printed


def pdf_document(plan: Plan) -> bytes:
    """The whole report; equal plans give equal bytes. Needs the extra `report`."""
    import typst

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "report.typ").write_bytes(_TEMPLATE.read_bytes())
        (root / "report.json").write_text(json.dumps(_data(plan, root)), encoding="utf-8")
        made = typst.compile(root / "report.typ", root=root, ignore_system_fonts=True)
    assert isinstance(made, bytes)  # noqa: S101 - one document, not pages of pictures
    return made


def _data(plan: Plan, root: Path) -> dict[str, Any]:
    first, others, holds = answer(plan)
    return {
        "title": visible(title(plan)),
        "first": visible(first),
        "others": visible(others),
        "holds": holds,
        "made_by": made_by(),
        "parts": [
            {"title": visible(part.title), "blocks": [_block(block, part.title, root) for block in part.blocks]}
            for part in sections(plan)
        ],
    }


def _block(block: object, heading: str, root: Path) -> dict[str, Any]:
    if isinstance(block, Picture):
        name = f"picture-{len(list(root.glob('picture-*')))}.svg"
        (root / name).write_text(svg_of(block), encoding="utf-8")
        return {"kind": "picture", "path": name, "alt": visible(block.alt)}
    if isinstance(block, Code):
        return {"kind": "code", "text": "\n".join(block.lines)}
    if isinstance(block, Paragraph):
        return {"kind": "paragraph", "sentences": [visible(text) for text in block.sentences], "strong": block.strong}
    assert isinstance(block, Table)  # noqa: S101 - there are no other blocks
    rest = len(block.rows) - _LONG
    return {
        "kind": "table",
        "title": "" if block.title == heading else visible(block.title),
        "columns": [visible(name.replace("\n", " ")) for name in block.columns],
        "rows": [[visible(text) for text in row] for row in block.rows[:_LONG]],
        "right": sorted(block.right),
        "strong": [list(place) for place in sorted(block.strong)],
        "code": sorted(block.code),
        "notes": [visible(note) for note in block.notes]
        + ([f"{rest} more rows; see another form."] if rest > 0 else []),
    }
