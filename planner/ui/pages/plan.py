"""The plan: the answer in a sentence, the wall, why, and what to know."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from planner import codec
from planner.reports import report, tables
from planner.results import RESOURCES, Margin, Plan
from planner.scenario import InputError
from planner.ui import inputs, state, views

Rows = list[dict[str, Any]]
_SHOWN = 20  # rows of a table that are all on the page; longer ones scroll
_REFUSED = 50  # errors that are listed

# The wall has two forms, and the width of the page, which the server does not know, decides which one is seen.
STYLE = """<style>
.stApp { font-variant-numeric: tabular-nums; }
.st-key-wall { container-type: inline-size; position: relative; }
.st-key-wall_list { position: absolute; visibility: hidden; height: 0; overflow: hidden; }
.st-key-figures { row-gap: 0; }
.st-key-figures strong { text-decoration: underline dotted; text-underline-offset: 0.2em; }
.st-key-explained pre, .st-key-explained code { white-space: pre-wrap !important; overflow-wrap: anywhere; }
@container (max-width: 640px) {
  .st-key-wall_list { position: static; visibility: visible; height: auto; }
  .st-key-wall_grid { position: absolute; visibility: hidden; height: 0; overflow: hidden; }
}
</style>"""


def page() -> None:
    """Draw the page."""
    st.html(STYLE)
    state.start()
    (plan, margins), errors = state.current()
    with st.sidebar:
        inputs.column(errors)
    rows = views.wall_rows(plan, margins)
    _refusals(errors)
    _answer(plan)
    _wall(plan, margins, rows)
    _explanation(plan, rows)
    _findings(plan)
    _topics(plan)
    _assumptions(plan)


def _refusals(errors: list[InputError]) -> None:
    """Say what was wrong with the last input, all of it; the answer below is the one before."""
    file = state.refused()
    if file is not None:
        name, found = file
        _refusal(f"{views.escape(name)} was not taken; below is still the answer before it.", found)
    if errors:
        _refusal("Not taken; the answer below is without it.", errors)


def _refusal(what: str, errors: list[InputError]) -> None:
    lines = "\n".join(f"- {line}" for line in views.error_markdown(errors[:_REFUSED]))
    more = f"\n\nand {len(errors) - _REFUSED} more." if len(errors) > _REFUSED else ""
    st.error(f"**{what}**\n\n{lines}{more}")


def _answer(plan: Plan) -> None:
    first, others = views.headline(plan)
    st.markdown(f"{views.status(plan)} {views.escape(plan.name)}")
    st.title(first, anchor=False)
    st.markdown(others)
    with st.container(horizontal=True, gap="medium", key="figures"):
        for label, value, name in views.key_figures(plan):
            st.button(
                f"{label} **{value}**",
                on_click=_explain,
                args=(name,),
                type="tertiary",
                key=f"why {name}",
            )
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


def _wall(plan: Plan, margins: Sequence[Margin], rows: Rows) -> None:
    dark = st.context.theme.type == "dark"
    alt = views.wall_alt(rows)
    st.header("How full each resource is", anchor=False)
    with st.container(key="wall"):
        for name, spec in (
            ("grid", views.wall_spec(rows, dark=dark)),
            ("list", views.list_spec(views.resource_rows(rows), dark=dark)),
        ):
            key = f"chart_{name}"
            with st.container(key=f"wall_{name}"):
                st.vega_lite_chart(
                    spec, theme=None, key=key, on_select=partial(_select, key), selection_mode="cell", alt=alt
                )
    st.caption(
        "Bar: the fullest broker. Thin line in it: the mean. Upright mark: the limit. Framed: what decides. "
        "Pale: states that the policy does not ask for."
    )
    with st.expander("The same as tables"):
        _table(tables.resources(plan), "A row per resource: verdict in its fullest state, brokers needed, what to do.")
        _table(
            tables.wall(plan, margins),
            "A row per resource, a column per state: share used on the fullest broker, and limit.",
        )
        _table(tables.loads(plan), "A row per figure, a column per state: one broker's load, mean and fullest.")


def _table(table: tables.Table, alt: str) -> None:
    rows = views.table_rows(table)
    st.markdown(f"**{table.title}**")
    if table.prose and len(rows) <= len(RESOURCES):
        st.table([{key: views.escape(text) for key, text in row.items()} for row in rows], hide_index=True, alt=alt)
    else:
        st.dataframe(pd.DataFrame(rows), height="content" if len(rows) < _SHOWN else "auto", hide_index=True, alt=alt)
    for note in table.notes:
        st.caption(views.escape(note))


def _select(name: str) -> None:
    """Explain the cell that was selected in the wall."""
    cells = st.session_state[name].selection.get("cell", [])
    if cells and cells[0]["explain"]:
        _explain(cells[0]["explain"])


def _explain(name: str) -> None:
    st.session_state.figure = name
    st.session_state.figure_chosen = True


def _explanation(plan: Plan, rows: Rows) -> None:
    """Any figure with its formula, as the computation recorded it; the binding one until another is asked for."""
    names = views.figures(plan)
    if not st.session_state.get("figure_chosen") or st.session_state.get("figure") not in names:
        st.session_state.figure = views.binding_name(rows)
        st.session_state.figure_chosen = False
    st.header("Why", anchor=False)
    st.caption("Select an underlined figure or a cell above, or any figure of the plan here.")
    with st.container(border=True, key="explained"):
        name = st.selectbox(
            "Figure to explain", names, key="figure", on_change=lambda: _explain(st.session_state.figure)
        )
        topic = None
        if name.startswith("topics."):
            topic = st.selectbox("of the topic", list(plan.topics), key="figure_topic")
        step = views.step_of(plan, name, topic)
        st.markdown(views.explain_markdown(step, views.source_of(step)))


def _findings(plan: Plan) -> None:
    st.header("What to know", anchor=False)
    for line in views.finding_markdown(plan) or ["Nothing stands out."]:
        st.markdown(line)


def _topics(plan: Plan) -> None:
    st.header("Topics", anchor=False)
    table = pd.DataFrame(views.topic_rows(plan))
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
        _table(tables.assumptions(plan), "Every default and constant: value, range, confidence, source, date.")


page()
