"""Compare: two to four scenarios side by side, and only what differs."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import streamlit as st

from planner import codec
from planner.fields import ScenarioError
from planner.reports import tables
from planner.reports.pictures.compared import compared_alt, compared_spec
from planner.results import Comparison, Plan
from planner.ui import asking, frame, state, views

_MOST: Final = 4  # scenarios side by side
_OTHER: Final = "fintech"  # what the page opens with beside the scenario of the visitor
_ROWS: Final = 400  # rows of differences that are shown


def page() -> None:
    """Draw the page."""
    plan, _ = frame.start()
    head = st.container()
    texts = _chosen(plan)
    if len(texts) == 1:
        with head:
            frame.answer_line("Choose one to three scenarios to compare with yours.")
        return
    with head:
        try:
            found: Comparison = asking.compared(tuple(texts))
        except ScenarioError as error:
            frame.refusal("These cannot be compared.", error.errors)
            return
        _answer(found)
    if not found.inputs and not found.figures:
        return
    spec = compared_spec(found, dark=frame.is_dark())
    inputs, figures = tables.differences(found)
    if spec["layer"]:
        st.header("What comes of it", anchor=False)
        frame.chart(spec, compared_alt(found), key="compared")
        st.caption("Figures that differ, each on a scale of its own. Numbers: the scenarios in the order above.")
    for table in (inputs, figures):
        _table(table)
    plans = {f"{number} {plan.name}": plan for number, plan in enumerate(found.plans, start=1)}
    name = st.selectbox("Explain figures of", list(plans))
    frame.explain(plans[name], "brokers.count")


def _chosen(plan: Plan) -> list[str]:
    """Texts of the scenarios: the visitor's own first."""
    left, right = st.columns(2)
    titles = {preset.name: f"{preset.name}: {preset.title}" for preset in codec.presets()}
    origin = st.session_state.origin
    first = [_OTHER if origin != _OTHER else state.FIRST]
    with left:
        presets = st.multiselect(
            "With worked examples",
            list(titles),
            default=first,
            format_func=titles.__getitem__,
            max_selections=_MOST - 1,
            key="compared_presets",
            persist_state="session",
        )
        if st.session_state.changes or st.session_state.factor != 1:
            unchanged = st.toggle("With your scenario before its changes", key="compared_before")
        else:
            unchanged = False
    with right:
        files = st.file_uploader(
            "With files", type=["yaml", "yml", "json", "csv"], accept_multiple_files=True, key="compared_files"
        )
    texts = [codec.dump(plan.scenario)]
    if unchanged:
        texts.append(st.session_state.text)
    texts += [state.preset_text(name) for name in presets]
    for file in files:
        try:
            texts.append(state.read_upload(file.name, file.getvalue()))
        except ScenarioError as error:
            frame.refusal(f"{views.escape(file.name)} was not taken.", error.errors)
    if len(texts) > _MOST:
        st.caption(f"The first {_MOST} are compared.")
    return texts[:_MOST]


def _answer(found: Comparison) -> None:
    counts = [
        f"{name} {'holds with' if plan.feasible else 'does not hold with'} {plan.brokers.count} brokers"
        for name, plan in zip(found.names, found.plans, strict=True)
    ]
    inputs, figures = tables.differences(found)
    differ = f"{len(inputs.rows)} inputs and {len(figures.rows)} figures differ."
    if inputs.notes:
        differ += f" {len(inputs.notes)} topics are not in all of them."
    if not found.inputs and not found.figures:
        differ = "Nothing differs."
    frame.answer_line(f"{'; '.join(counts)}.", differ)
    for number, plan in enumerate(found.plans, start=1):
        st.markdown(f"{views.status(plan)} **{number} {views.escape(plan.name)}**: {views.sentence(plan.headline[0])}")


def _table(table: tables.Table) -> None:
    rest = len(table.rows) - _ROWS
    st.header(views.escape(table.title), anchor=False)
    if not table.rows and not table.notes:
        st.markdown("None.")
        return
    notes = (" ".join(table.notes),) if table.notes else ()
    cut = replace(table, rows=table.rows[:_ROWS], notes=notes)
    frame.table(cut, heading=False)
    if rest > 0:
        st.caption(f"{rest} more rows; kafka-planner compare lists all.")


if __name__ == "__main__":  # as Streamlit runs it; an import draws nothing
    page()
