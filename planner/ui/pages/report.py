"""Report: the plan as a document to send on, made when it is asked for."""

from __future__ import annotations

from typing import Final

import streamlit as st

from planner import codec
from planner.reports import MissingExtraError, ReportFormat, report_bytes
from planner.results import Plan
from planner.ui import frame, state

_FORMS: Final[dict[str, tuple[ReportFormat, str, str]]] = {
    "HTML, with pictures": ("html", "html", "text/html"),
    "PDF": ("pdf", "pdf", "application/pdf"),
    "Workbook, a sheet for each table": ("xlsx", "xlsx", "application/octet-stream"),
    "Markdown": ("markdown", "md", "text/markdown"),
    "Table of topics (CSV)": ("csv", "csv", "text/csv"),
    "JSON, with every figure": ("json", "json", "application/json"),
}


def page() -> None:
    """Draw the page."""
    plan, _ = frame.start()
    frame.answer_line("A report holds the answer, every state, the assumptions with their sources, and the scenario.")
    form = st.radio("As", list(_FORMS), key=state.key("form"))
    if st.button("Make it", key=state.key("make")):
        _offer(plan, *_FORMS[form])
    st.download_button("Scenario (YAML)", codec.dump(plan.scenario), file_name="scenario.yaml", mime="application/yaml")
    frame.share()


def _offer(plan: Plan, form: ReportFormat, ending: str, mime: str) -> None:
    try:
        with st.spinner("Writing ..."):
            made = report_bytes(plan, form)
    except MissingExtraError as error:
        st.warning(str(error))
        return
    st.download_button(f"Download report.{ending}", made, file_name=f"report.{ending}", mime=mime, on_click="ignore")


if __name__ == "__main__":  # as Streamlit runs it; an import draws nothing
    page()
