"""Report: the plan as documents to send on and to sign, files for machines, and the link."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.util import find_spec
from typing import Final

import streamlit as st

from planner import codec
from planner.advise import monitoring
from planner.reports import ReportFormat, report_bytes
from planner.reports.adr import adr_document
from planner.reports.archive import zipped
from planner.reports.artefacts import artefacts
from planner.results import Plan
from planner.ui import frame, state, views

# format, what it is called, ending, type, what it is for, package that it needs
_DOCUMENTS: Final[tuple[tuple[ReportFormat, str, str, str, str, str | None], ...]] = (
    ("html", "Web page", "html", "text/html", "one file with its pictures, to print or send", "vl_convert"),
    ("pdf", "PDF", "pdf", "application/pdf", "to sign", "typst"),
    (
        "xlsx",
        "Workbook",
        "xlsx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "a sheet for each table",
        "xlsxwriter",
    ),
    ("markdown", "Markdown", "md", "text/markdown", "for a repository or a wiki", None),
    ("adr", "Design decision", "adr.md", "text/markdown", "the size as an architecture decision record", None),
    ("csv", "Topics (CSV)", "csv", "text/csv", "the table of topics", None),
    ("json", "JSON", "json", "application/json", "scenario and plan, for programs", None),
)


def page() -> None:
    """Draw the page."""
    plan, _ = frame.start()
    first, *others = plan.headline
    frame.answer_line(first, others, above=f"{views.status(plan)} {views.escape(plan.name)}")
    _documents(plan)
    _files(plan)
    _link()


def _documents(plan: Plan) -> None:
    st.header("Documents", anchor=False)
    st.caption(
        "The answer, every state, topics, failure, growth, cost, assumptions with sources, formulas, and the scenario "
        "itself. Equal input gives equal bytes."
    )
    for form, label, ending, mime, purpose, package in _DOCUMENTS:
        if package is not None and find_spec(package) is None:
            _line(None, label, f"{purpose}; needs the extra `report` on the server")
            continue
        _line(_report(plan, form), label, purpose, f"report.{ending}", mime)


def _report(plan: Plan, form: ReportFormat) -> Callable[[], bytes]:
    return lambda: report_bytes(plan, form)


def _files(plan: Plan) -> None:
    """Files that other programs take."""
    st.header("Files for other programs", anchor=False)
    _line(
        lambda: codec.dump(plan.scenario).encode(),
        "Scenario (YAML)",
        "to open here or with kafka-planner again",
        "scenario.yaml",
        "application/yaml",
    )
    _line(
        lambda: zipped(artefacts(plan)),
        "Everything to build it (zip)",
        "topic commands, Strimzi and KEDA resources, broker properties, quotas, load test, alert rules, dashboard",
        "artefacts.zip",
        "application/zip",
    )
    rules = "for Prometheus, thresholds from this plan"
    _line(lambda: _rules(plan), "Alert rules", rules, "kafka-rules.yaml", "application/yaml")
    _line(lambda: _dashboard(plan), "Dashboard", "for Grafana", "kafka-dashboard.json", "application/json")
    found = state.recommended(alone=False)
    if found is not None:
        purpose = "whether Kafka, as an architecture decision record"
        _line(lambda: adr_document(found).encode(), "Decision on Kafka", purpose, "decision.md", "text/markdown")
    st.caption("Audit & diagnose has the rules for other metric names; Repartition has the batches of a reassignment.")


def _rules(plan: Plan) -> bytes:
    return monitoring(plan.scenario).rules.encode()


def _dashboard(plan: Plan) -> bytes:
    return (json.dumps(monitoring(plan.scenario).dashboard, indent=1) + "\n").encode()


def _line(make: Callable[[], bytes] | None, label: str, purpose: str, name: str = "", mime: str = "") -> None:
    """A download, and beside it what it is for; the file is made when it is asked for."""
    with st.container(horizontal=True, vertical_alignment="center"):
        if make is None:
            st.button(label, disabled=True, key=f"no {label}")
        else:
            st.download_button(label, make, file_name=name, mime=mime, on_click="ignore", key=f"file {label}")
        st.markdown(views.escape(purpose) if make else purpose)


def _link() -> None:
    st.header("Link", anchor=False)
    frame.share()


if __name__ == "__main__":  # as Streamlit runs it; an import draws nothing
    page()
