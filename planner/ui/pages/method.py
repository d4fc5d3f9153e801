"""Method: every formula with the numbers of this plan, every constant with its source, what was checked and how."""

from __future__ import annotations

from typing import Final

import streamlit as st

from planner.constants import sources
from planner.reports import method
from planner.results import Plan
from planner.trace import Formula
from planner.ui import frame, views

_SHOWN: Final = 3  # figures of the plan that are shown for one formula


def page() -> None:
    """Draw the page."""
    plan, _ = frame.start()
    frame.answer_line(*method.method_sentences())
    _formulas(plan)
    _constants()
    _cases()
    frame.explain(plan, "brokers.count")


def _formulas(plan: Plan) -> None:
    st.header("Formulas, with the numbers of this plan", anchor=False)
    found = method.subjects()
    names = list(found)
    subject = st.selectbox("Subject", names, index=names.index("traffic"), key="subject", persist_state="session")
    for index, rule in enumerate(found[subject]):
        _formula(rule, plan, first=index == 0)


def _formula(rule: Formula, plan: Plan, *, first: bool) -> None:
    steps = method.steps_of(rule, plan)
    lines = [rule.expression, *(method.result_text(step) for step in steps[:_SHOWN])]
    source = sources()[rule.source]
    cited = views.cited(source, rule.source)
    mark = "" if steps else " (not used here)"
    with st.expander(f"**{views.escape(rule.name)}** {views.escape(rule.summary)}{mark}", expanded=first):
        st.code("\n".join(lines), language=None, wrap_lines=True)
        said = [views.escape(text) for text in method.caveats(rule)]
        st.caption("  \n".join([*said, f"Source: {cited} Confidence: {views.CONFIDENCE[rule.confidence]}."]))


def _constants() -> None:
    st.header("Constants", anchor=False)
    words = st.text_input("Find", placeholder="part of a name, a source, a note", key="constant", max_chars=100)
    table = method.constants_table()
    rows = method.found(table, words)
    st.caption(f"{len(rows.rows)} of {len(table.rows)} constants.")
    frame.table(rows, heading=False)


def _cases() -> None:
    st.header("Checked against what others published", anchor=False)
    frame.table(method.classes_table(), heading=False)
    kind = st.selectbox("Cases", list(method.CLASSES), format_func=method.CLASSES.__getitem__, key="cases")
    frame.table(method.cases_table(kind), heading=False)


if __name__ == "__main__":  # as Streamlit runs it; an import draws nothing
    page()
