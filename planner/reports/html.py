"""A report as one HTML file: nothing is loaded from elsewhere, and it prints well."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from planner.reports.document import Code, Picture, answer, made_by, sections, title
from planner.reports.page import Paragraph
from planner.reports.tables import Table
from planner.reports.words import visible
from planner.results import Plan

if TYPE_CHECKING:
    from jinja2 import Template

_FOLDER = Path(__file__).resolve().parent / "templates"


def html_document(plan: Plan) -> str:
    """The whole report; equal plans give equal bytes. Needs the extra `report`."""
    first, others, holds = answer(plan)
    parts = [(part.title, [_shown(block) for block in part.blocks]) for part in sections(plan)]
    return _template().render(
        title=visible(title(plan)),
        first=visible(first),
        others=visible(others),
        holds=holds,
        feasible=plan.feasible,
        parts=parts,
        made_by=made_by(),
    )


def _template() -> Template:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["visible"] = visible
    return environment.get_template("report.html")


def _shown(block: object) -> dict[str, object]:
    """A block as the template takes it."""
    if isinstance(block, Picture):
        from markupsafe import Markup

        # the chart library writes this markup, and escapes the texts in it
        return {"kind": "picture", "svg": Markup(svg_of(block)), "alt": block.alt}  # noqa: S704 - as said above
    if isinstance(block, Code):
        return {"kind": "code", "text": "\n".join(block.lines)}
    if isinstance(block, Paragraph):
        return {"kind": "paragraph", "sentences": block.sentences, "strong": block.strong}
    assert isinstance(block, Table)  # noqa: S101 - there are no other blocks
    return {"kind": "table", "table": block}


def svg_of(picture: Picture, width: int = 1080) -> str:
    """A chart as SVG of a fixed width."""
    import vl_convert

    spec = {**picture.spec, "width": width, "autosize": {"type": "fit-x", "contains": "padding"}}
    return str(vl_convert.vegalite_to_svg(spec))
