"""Topics: the table to edit, why each has its partitions, the ladder, the skew, the ceilings."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd
import streamlit as st

from planner import codec
from planner.fields import InputError, ScenarioError
from planner.reports import tables
from planner.reports.page import Recorded
from planner.reports.pictures.ladder import ladder_alt, ladder_spec, ladder_table
from planner.reports.pictures.skew import skew_alt, skew_spec, skew_table
from planner.reports.text_partitions import ceilings_table, topic_sentences
from planner.results import Plan
from planner.scenario import Scenario
from planner.ui import frame, state, topic_table, views
from planner.ui.topic_table import PROBLEM, ROW

_MOST: Final = 2_000  # topics that can be edited in the page
_NAMED: Final = 3  # topics in the headline
_LATE_S: Final = 1.0  # an edit made before a click arrives at most this long after it
_MOST_NAMED: Final = 20  # rows whose problems are written out below the table


def page() -> None:
    """Draw the page."""
    plan, _ = frame.start()
    _answer(plan)
    _table()
    _pasted()
    frame.table(tables.partition_reasons(plan))
    _topic(plan)
    frame.explain(plan, "topics.partitions")


def _answer(plan: Plan) -> None:
    counts = {name: topic.partitions for name, topic in plan.topics.items()}
    most = sorted(counts, key=lambda name: -counts[name])[:_NAMED]
    named = ", ".join(f"{name} {counts[name]}" for name in most)
    cluster = plan.cluster
    topics = "1 topic has" if len(counts) == 1 else f"{len(counts)} topics have"
    first = f"{topics} {cluster.partitions} partitions, {cluster.replicas} replicas."
    rest = f"Most: {named}." if len(counts) > 1 else ""
    frame.answer_line(first, rest, above=f"{views.status(plan)} {views.escape(plan.name)}")


# The table


# A form would lose an edit: the table tells of it 150 ms after it was made, and the form is sent on the click.
@st.fragment
def _table() -> None:
    """The topics as an editable table; nothing is taken before the button, and then every row or none."""
    st.header("Topics", anchor=False)
    scenario = state.unscaled()
    if len(scenario.topics) > _MOST:
        st.markdown(f"{len(scenario.topics)} topics are too many to edit here; change the file and upload it.")
        return
    st.caption("Cells take units: 12k/s, 1.5 kB, 7d. Empty partitions are planned, given ones are checked.")
    rows = st.session_state.get("topic_draft") or topic_table.rows_of(scenario)
    before = pd.DataFrame(rows, dtype=str).fillna("")
    edited = st.data_editor(
        before,
        num_rows="dynamic",
        hide_index=True,
        column_config=_columns(problems=any(row.get(PROBLEM) for row in rows)),
        key=state.key("topic table"),
        alt="A row per topic, each cell as text with its unit.",
    )
    differs = not edited.fillna("").equals(before)
    with st.container(horizontal=True, vertical_alignment="center"):
        clicked = st.button("Apply the table", type="primary", key=state.key("apply topics"))
        if differs:
            st.markdown(":orange-badge[◆ Not applied yet]")
    _problems(rows)
    if _asked(clicked=clicked, differs=differs):
        _take([{str(key): cell for key, cell in row.items()} for row in edited.to_dict("records")], scenario)


def _asked(*, clicked: bool, differs: bool) -> bool:
    """Whether to take the table: the button was clicked, perhaps a moment before the last edit arrived."""
    at = time.monotonic()
    if clicked and not differs:
        st.session_state.apply_topics_at = at
        return False
    late = differs and at - st.session_state.pop("apply_topics_at", -_LATE_S) < _LATE_S
    return clicked or late


def _problems(rows: Sequence[Mapping[str, str]]) -> None:
    wrong = [(row["name"], row[PROBLEM]) for row in rows if row.get(PROBLEM)]
    if wrong:
        lines = "\n".join(
            f"- **{views.escape(name)}** {views.escape(problem)}" for name, problem in wrong[:_MOST_NAMED]
        )
        st.error(f"**Not taken; below is still the answer before it.**\n\n{lines}")


def _columns(*, problems: bool) -> dict[str, Any]:
    shown = topic_table.shown_columns(expert=state.expert())
    hidden: dict[str, Any] = {ROW: None}
    if problems:
        hidden[PROBLEM] = st.column_config.TextColumn(PROBLEM, disabled=True, pinned=True, width="large")
    hidden |= {column.path: None for column in topic_table.COLUMNS if column not in shown}
    named = {"name": st.column_config.TextColumn("Topic", pinned=True, required=True)}
    return hidden | {
        column.path: named.get(column.path, st.column_config.TextColumn(column.head, alignment="right"))
        for column in shown
    }


def _take(rows: list[dict[str, Any]], scenario: Scenario) -> None:
    """Take the edited rows, or show each problem beside its row."""
    kept = [{key: cell for key, cell in row.items() if key != PROBLEM} for row in rows]
    edited = topic_table.read_rows(kept, scenario)
    problems = edited.problems
    if not problems:
        try:
            _accept(edited)
        except ScenarioError as error:
            problems = topic_table.by_row(error.errors, kept)
    if problems:
        said = {number: " ".join(map(_problem, faults)) for number, faults in problems.items()}
        st.session_state.topic_draft = [{PROBLEM: said.get(index, ""), **row} for index, row in enumerate(kept)]
        state.renew()
    else:
        st.session_state.topic_draft = None
    st.rerun()


def _problem(error: InputError) -> str:
    where = error.path.rpartition("column ")[2]
    allowed = f" Allowed: {error.allowed}." if error.allowed and error.allowed not in error.message else ""
    return f"▲ {where}: {error.message}{allowed}"


def _accept(edited: topic_table.Edited) -> None:
    if edited.changes is not None:
        state.put_all(edited.changes)
    else:
        state.take_topics(edited.topics, _origin())


def _origin() -> str:
    origin = str(st.session_state.origin)
    return origin if origin.endswith(", edited") else f"{origin}, edited"


def _pasted() -> None:
    """Rows of a spreadsheet, pasted or as a file, in place of the topics or beside them."""
    with st.expander("Paste from a spreadsheet, or upload a CSV"), st.form(state.key("paste form"), border=False):
        text = st.text_area(
            "Rows with a header",
            placeholder="name\trecords_per_s\tretention (days)\norders\t12k\t7",
            key=state.key("pasted"),
        )
        file = st.file_uploader("or a file", type=["csv", "tsv", "txt"], key=state.key("topics file"))
        add = st.toggle("Keep the topics that are there", key=state.key("keep topics"))
        st.caption(f"Columns: {views.escape(', '.join(dict.fromkeys(column.path for column in codec.COLUMNS)))}.")
        if st.form_submit_button("Take these topics"):
            given = text if file is None else file.getvalue().decode("utf-8", "replace")
            _take_pasted(given, add=add)


def _take_pasted(text: str, *, add: bool) -> None:
    try:
        topics = codec.load_topics_csv(text)
        kept = codec.to_mapping(state.unscaled()).get("topics", []) if add else []
        state.take_topics([*kept, *topics], _origin())
    except ScenarioError as error:
        frame.refusal("These topics were not taken; below is still the answer before them.", error.errors)
        return
    st.session_state.topic_draft = None
    st.rerun()


# One topic


def _topic(plan: Plan) -> None:
    """Everything about one topic's partition count."""
    st.header("One topic", anchor=False)
    names = list(plan.topics)
    if not names:
        return
    name = st.selectbox("Topic", names, key=state.key("topic in detail"))
    found, dark = state.counted(name), frame.is_dark()
    st.markdown(views.sentence(found.headline))
    members = _members(plan.scenario, name)
    st.subheader("Ladder", anchor=False)
    frame.chart(
        ladder_spec(found, members, dark=dark),
        ladder_alt(found, members),
        key="ladder",
        tables=(ladder_table(name, found),),
    )
    st.caption("Dots: member counts that divide the rung evenly. Upright lines: members of its groups today.")
    st.subheader("How even its partitions are", anchor=False)
    frame.chart(
        skew_spec(found.skew, dark=dark), skew_alt(found.skew), key="skew", tables=(skew_table(name, found.skew),)
    )
    page = Recorded()
    page.say(topic_sentences(name, found))
    frame.blocks(page.blocks)
    with st.expander("Ceilings, with their sources"):
        frame.table(ceilings_table(found), heading=False)


def _members(scenario: Scenario, name: str) -> list[int]:
    (topic,) = (topic for topic in scenario.topics if topic.name == name)
    return sorted({group.members for group in topic.consumers if group.members})


if __name__ == "__main__":  # as Streamlit runs it; an import draws nothing
    page()
