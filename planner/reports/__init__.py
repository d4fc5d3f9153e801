"""Reports of a plan: documents for people and files for machines."""

from __future__ import annotations

import json
from typing import Literal, get_args

from planner.results import Plan
from planner.scenario import Scenario

TextFormat = Literal["markdown", "json", "html", "csv", "adr"]
ReportFormat = Literal["markdown", "json", "html", "csv", "adr", "xlsx", "pdf"]
ENDINGS: dict[str, ReportFormat] = {  # the longest that fits decides
    ".adr.md": "adr",
    ".md": "markdown",
    ".markdown": "markdown",
    ".json": "json",
    ".html": "html",
    ".htm": "html",
    ".csv": "csv",
    ".xlsx": "xlsx",
    ".pdf": "pdf",
}


class MissingExtraError(ImportError):
    """A form of report whose packages are not installed."""


def report(subject: Plan | Scenario, format: TextFormat = "markdown") -> str:  # noqa: A002 - the command's word
    """A plan as a document: the answer, every state, every assumption and formula, and the scenario itself.

    Parameters
    ----------
    subject
        A plan, or a scenario to plan first.
    format
        `markdown`; `html`, a file of its own with its pictures; `csv`, the table of topics; `adr`, a decision record in
        Markdown for the design review; or `json` with the scenario, the plan and the version that computed it.

    Returns
    -------
    str
        The document; equal input gives equal bytes.

    Raises
    ------
    ScenarioError
        When a scenario cannot be planned.
    ValueError
        For a format that does not exist, or that is no text.
    MissingExtraError
        When HTML is asked for and the extra `report` is not installed.
    """
    from planner.sizing import plan

    if format not in get_args(TextFormat):
        names = ", ".join(get_args(TextFormat))
        raise ValueError(f"no report format {format!r} that is text; there are {names}")
    result = subject if isinstance(subject, Plan) else plan(subject)
    if format == "json":
        return _json(result)
    if format == "csv":
        from planner.reports.tables import csv_text

        return csv_text(result.to_frame())
    if format == "html":
        return _with_extra(result, "html").decode()
    if format == "adr":
        from planner.reports.decision import decision_document

        return decision_document(result)
    from planner.reports.markdown import document

    return document(result)


def report_bytes(subject: Plan | Scenario, format: ReportFormat) -> bytes:  # noqa: A002 - the command's word
    """A report in any format, as the bytes of its file; `xlsx` and `pdf` need the extra `report`.

    Parameters
    ----------
    subject
        A plan, or a scenario to plan first.
    format
        As for `report`, or `xlsx`, a workbook with a sheet for each table, or `pdf`.

    Returns
    -------
    bytes
        The file; equal input gives equal bytes.
    """
    from planner.sizing import plan

    result = subject if isinstance(subject, Plan) else plan(subject)
    if format == "xlsx" or format == "pdf":  # noqa: PLR1714 - so that the type checker follows
        return _with_extra(result, format)
    return report(result, format).encode()


def _with_extra(result: Plan, format: Literal["html", "xlsx", "pdf"]) -> bytes:  # noqa: A002 - the command's word
    try:
        if format == "html":
            from planner.reports.html import html_document

            return html_document(result).encode()
        if format == "xlsx":
            from planner.reports.workbook import workbook

            return workbook(result)
        from planner.reports.pdf import pdf_document

        return pdf_document(result)
    except ImportError as error:
        message = f"A report as {format} needs more packages: pip install 'kafka-capacity-planner[report]'"
        raise MissingExtraError(message) from error


def _json(result: Plan) -> str:
    from planner import __version__
    from planner.codec import to_mapping

    body = {"planner_version": __version__, "scenario": to_mapping(result.scenario), "plan": result.to_dict()}
    return json.dumps(body, indent=2, allow_nan=False) + "\n"


__all__ = ["report", "report_bytes"]
