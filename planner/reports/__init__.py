"""Reports of a plan: documents for people and files for machines."""

from __future__ import annotations

import json
from typing import Literal

from planner.results import Plan
from planner.scenario import Scenario

ReportFormat = Literal["markdown", "json"]


def report(subject: Plan | Scenario, format: ReportFormat = "markdown") -> str:  # noqa: A002 - the command's word
    """A plan as a document: the answer, every state, every assumption and formula, and the scenario itself.

    Parameters
    ----------
    subject
        A plan, or a scenario to plan first.
    format
        `markdown`, or `json` with the scenario, the plan and the version that computed it.

    Returns
    -------
    str
        The document; equal input gives equal bytes.

    Raises
    ------
    ScenarioError
        When a scenario cannot be planned.
    ValueError
        For a format that does not exist.
    """
    from planner.sizing import plan

    result = subject if isinstance(subject, Plan) else plan(subject)
    if format == "markdown":
        from planner.reports.markdown import document

        return document(result)
    if format == "json":
        return _json(result)
    raise ValueError(f"no report format {format!r}; there are markdown and json")


def _json(result: Plan) -> str:
    from planner import __version__
    from planner.codec import to_mapping

    body = {"planner_version": __version__, "scenario": to_mapping(result.scenario), "plan": result.to_dict()}
    return json.dumps(body, indent=2, allow_nan=False) + "\n"


__all__ = ["report"]
