"""The plan: the answer in a sentence, the wall, the flow, why, and what to know."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from planner import codec
from planner.reports import report, tables
from planner.reports.pictures.flow import flow_alt, flow_spec, flow_states, flow_table, flows
from planner.reports.words import STATE_LABELS
from planner.results import Margin, Plan
from planner.scenario import ranges_of
from planner.ui import frame, state, views

Rows = list[dict[str, Any]]
_SHOWN = 20  # topics that are all on the page; more of them scroll


def page() -> None:
    """Draw the page."""
    plan, margins = frame.start()
    rows = views.wall_rows(plan, margins)
    _answer(plan)
    _wall(plan, margins, rows)
    _flow(plan)
    frame.explain(plan, views.binding_name(rows))
    _findings(plan)
    _topics(plan)
    _assumptions(plan)


def _answer(plan: Plan) -> None:
    first, *others = plan.headline
    frame.answer_line(first, others, above=f"{views.status(plan)} {views.escape(plan.name)}")
    _stated(plan)
    frame.figures(views.key_figures(plan, binary=state.binary()))
    with st.container(horizontal=True):
        st.download_button(
            "Scenario (YAML)",
            lambda: codec.dump(plan.scenario),
            file_name="scenario.yaml",
            mime="application/yaml",
            on_click="ignore",
        )
        st.download_button(
            "Report (Markdown)", lambda: report(plan), file_name="report.md", mime="text/markdown", on_click="ignore"
        )
        frame.share()


def _stated(plan: Plan) -> None:
    """Say when the answer is one for the likely values of ranges."""
    ranges = ranges_of(plan.scenario)
    names = ", ".join(path for path, _ in ranges)
    if names:
        st.markdown(
            f":orange-badge[◆ Ranges] For the likely values of {views.escape(names)}. "
            "Growth & risk answers for the whole ranges."
        )


def _wall(plan: Plan, margins: Sequence[Margin], rows: Rows) -> None:
    dark = frame.is_dark()
    st.header("How full each resource is", anchor=False)
    frame.chart(
        views.wall_spec(rows, dark=dark),
        views.wall_alt(rows),
        narrow=views.list_spec(views.resource_rows(rows), dark=dark),
        key="wall",
        select="cell",
        on_select=frame.ask_cell,
        tables=(tables.resources(plan), tables.wall(plan, margins), tables.loads(plan)),
    )
    st.caption(
        "Bar: the fullest broker. Thin line in it: the mean. Upright mark: the limit. Framed: what decides. "
        "Pale: states that the policy does not ask for."
    )


def _flow(plan: Plan) -> None:
    """Who sends how much to whom, in a state that the visitor chooses; behind a failure stands the healthy state."""
    st.header("Where the bytes go", anchor=False)
    known = flow_states(plan)
    chosen = st.segmented_control(
        "State",
        known,
        default="healthy",
        required=True,
        format_func=STATE_LABELS.__getitem__,
        key="flow_state",
        persist_state="session",
    )
    name = chosen if chosen in known else "healthy"
    said = partial(views.shown, unit="bytes/s", binary=state.binary())
    found, dark = flows(plan, name), frame.is_dark()
    before = () if name == "healthy" else flows(plan)
    frame.chart(
        flow_spec(found, before, dark=dark, said=said),
        flow_alt(found, name, said=said),
        narrow=flow_spec(found, before, dark=dark, narrow=True, said=said),
        key="flow",
        select="cell",
        on_select=frame.ask_cell,
        tables=(flow_table(found, name, said=said),),
    )
    st.caption(
        "Thickness: bytes per second at peak, over all brokers. Lighter part: crosses a zone's border."
        if name == "healthy"
        else "Thickness: bytes per second at peak, over all brokers. Grey behind it: the healthy state."
    )


def _findings(plan: Plan) -> None:
    st.header("What to know", anchor=False)
    for line in views.finding_markdown(plan) or ["Nothing stands out."]:
        st.markdown(line)


def _topics(plan: Plan) -> None:
    st.header("Topics", anchor=False)
    table = pd.DataFrame(views.topic_rows(plan, binary=state.binary()))
    numbers = {
        name: st.column_config.NumberColumn(format="%.3g" if "[" in name else "%d")
        for name in table.columns
        if name not in {"Topic", "Because of"}
    }
    st.dataframe(
        table,
        height="content" if len(table) < _SHOWN else "auto",
        hide_index=True,
        column_config={"Topic": st.column_config.TextColumn(pinned=True), **numbers},
        alt="A row per topic: partitions and what decides them, bytes per second at peak, bytes on disk, copies.",
    )


def _assumptions(plan: Plan) -> None:
    with st.expander(f"Assumptions: {len(plan.assumptions)} defaults and constants shaped this answer"):
        frame.table(tables.assumptions(plan), "Every default and constant: value, range, confidence, source, date.")


if __name__ == "__main__":  # as Streamlit runs it; an import draws nothing
    page()
