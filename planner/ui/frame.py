"""What every page has: the column of inputs, refusals on top, and how answers, tables, pictures and figures stand.

A page begins with `answer = frame.start()` and goes on with `answer_line`, `chart`, `table`, `blocks` and `explain`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import pandas as pd
import streamlit as st

from planner import links
from planner.reports.page import Block
from planner.reports.tables import Table
from planner.results import Plan
from planner.scenario import InputError
from planner.trace import Trace
from planner.ui import inputs, state, views

_SHOWN = 20  # rows of a table that are all on the page; longer ones scroll
_REFUSED = 50  # errors that are listed

# A picture may have two forms, and the width of the page, which the server does not know, decides which one is seen.
STYLE = """<style>
.stApp { font-variant-numeric: tabular-nums; }
[class*="st-key-wide_or_narrow"] { container-type: inline-size; position: relative; }
[class*="st-key-narrow_"] { position: absolute; visibility: hidden; height: 0; overflow: hidden; }
.st-key-figures { row-gap: 0; }
.st-key-figures strong { text-decoration: underline dotted; text-underline-offset: 0.2em; }
.st-key-flips button, .st-key-changed button { justify-content: flex-start; text-align: left; }
.st-key-explained pre, .st-key-explained code { white-space: pre-wrap !important; overflow-wrap: anywhere; }
@container (max-width: 640px) {
  [class*="st-key-narrow_"] { position: static; visibility: visible; height: auto; }
  [class*="st-key-wide_"]:not([class*="st-key-wide_or_narrow"]) {
    position: absolute; visibility: hidden; height: 0; overflow: hidden;
  }
}
</style>"""


def start() -> state.Answer:
    """Begin a page: style, column of inputs and refusals; gives the answer for what the visitor chose."""
    st.html(STYLE)
    state.start()
    found, errors = state.current()
    with st.sidebar:
        inputs.column(errors)
    file = state.refused()
    if file is not None:
        name, wrong = file
        refusal(f"{views.escape(name)} was not taken; below is still the answer before it.", wrong)
    _of_link()
    if errors:
        refusal("Not taken; the answer below is without it.", errors)
    return found


def _of_link() -> None:
    if st.session_state.link_errors:
        errors = [InputError(**error) for error in st.session_state.link_errors]
        refusal("Of the link this was not taken; the rest of it was.", errors)
    if st.session_state.link_outdated:
        st.info("The worked example has changed since the link was made, so the answer may be another one.")


def is_dark() -> bool:
    """Whether the page is dark."""
    return bool(st.context.theme.type == "dark")


# Sentences


def refusal(what: str, errors: Sequence[InputError]) -> None:
    """Say what was wrong with an input, all of it; `what` is Markdown, the errors are escaped."""
    lines = "\n".join(f"- {line}" for line in views.error_markdown(errors[:_REFUSED]))
    more = f"\n\nand {len(errors) - _REFUSED} more." if len(errors) > _REFUSED else ""
    st.error(f"**{what}**\n\n{lines}{more}")


def answer_line(first: str, others: str | Iterable[str] = "", *, above: str = "") -> None:
    """The answer of the page: one sentence as its only heading of level one, the rest of it as a paragraph.

    Sentences are plain text and are escaped here; `above` is Markdown, such as `badge(...)`.
    """
    if above:
        st.markdown(above)
    st.title(views.sentence(first), anchor=False)
    rest = others if isinstance(others, str) else " ".join(others)
    if rest:
        st.markdown(views.sentence(rest))


def badge(word: str, *, good: bool | None) -> str:
    """A status as Markdown: word, shape and colour; None is neither good nor bad."""
    shape, colour = {True: ("●", "green"), False: ("▲", "red"), None: ("◆", "orange")}[good]
    return f":{colour}-badge[{shape} {views.escape(word)}]"


# Tables and pictures


def table(table: Table, alt: str = "", *, heading: bool = True) -> None:
    """A table of the reports with its title and notes; it says itself as `alt`, or else as its title."""
    rows = views.table_rows(table)
    if heading:
        st.markdown(f"**{views.escape(table.title)}**")
    if rows:
        _rows(rows, table, alt or table.title)
    for note in table.notes:
        st.caption(views.sentence(note))


def _rows(rows: list[dict[str, str]], table: Table, alt: str) -> None:
    if table.prose and len(rows) <= _SHOWN:  # sentences wrap here, which they do not in a data frame
        shown = [{views.escape(key): views.escape(text) for key, text in row.items()} for row in rows]
        st.table(shown, hide_index=True, alt=alt)
        return
    heads = list(rows[0])
    right = {heads[index]: st.column_config.TextColumn(alignment="right") for index in table.right}
    height: Any = "content" if len(rows) < _SHOWN else "auto"
    st.dataframe(pd.DataFrame(rows), height=height, hide_index=True, alt=alt, column_config=right)


def blocks(found: Iterable[Block]) -> None:
    """What a module `text_*` wrote on a `Recorded` page: paragraphs and tables."""
    for block in found:
        if isinstance(block, Table):
            table(block)
            continue
        lines = "  \n".join(views.sentence(text) for text in block.sentences)
        st.markdown(f"**{lines}**" if block.strong and len(block.sentences) == 1 else lines)


def chart(
    spec: Mapping[str, Any],
    alt: str,
    *,
    key: str,
    tables: Sequence[Table] = (),
    narrow: Mapping[str, Any] | None = None,
    select: str | None = None,
    on_select: Callable[[str], None] | None = None,
) -> None:
    """A picture that says itself as `alt`, and under it the same as tables.

    Parameters
    ----------
    spec, narrow
        Vega-Lite; `narrow` is what a phone sees instead.
    key
        Of the chart, different for each on a page.
    select, on_select
        Name of the selection in the picture, and what is called with the chart's key when it changes.
    """
    if narrow is None:
        _chart(spec, alt, f"chart_{key}", select, on_select)
    else:
        with st.container(key=f"wide_or_narrow_{key}"):
            for form, drawn in (("wide", spec), ("narrow", narrow)):
                with st.container(key=f"{form}_{key}"):
                    _chart(drawn, alt, f"chart_{form}_{key}", select, on_select)
    if tables:
        with st.expander("The same as tables" if len(tables) > 1 else "The same as a table"):
            for item in tables:
                table(item)


def _chart(
    spec: Mapping[str, Any], alt: str, key: str, select: str | None, on_select: Callable[[str], None] | None
) -> None:
    if select is None or on_select is None:
        st.vega_lite_chart(dict(spec), theme=None, key=key, alt=alt)
        return
    take = on_select
    st.vega_lite_chart(dict(spec), theme=None, key=key, alt=alt, selection_mode=select, on_select=lambda: take(key))


# Figures and their explanations


def figures(shown: Iterable[tuple[str, str, str]]) -> None:
    """A strip of figures, as label, value and name in the trace; each opens its explanation."""
    with st.container(horizontal=True, gap="medium", key="figures"):
        for label, value, name in shown:
            st.button(
                f"{views.escape(label)} **{views.escape(value)}**",
                on_click=ask,
                args=(name,),
                type="tertiary",
                key=f"why {name}",
            )


def share() -> None:
    """The link to what is on the page, or why there is none, and the scenario as a file."""
    with st.popover("Share link"):
        query = state.link_query()
        if links.too_long(query):
            st.markdown("◆ This scenario is too long for a link. Send the file of the scenario instead.")
            return
        url = f"{(st.context.url or '').partition('?')[0]}?{urlencode(query)}"
        st.code(url, language=None, wrap_lines=True)
        st.caption("Anybody who opens it gets this scenario with its changes. Nothing is stored on the server.")


def ask(name: str) -> None:
    """Have the figure of that name explained, in place of the one that the page chose."""
    st.session_state.figure = name
    st.session_state.figure_chosen = True


def ask_cell(key: str) -> None:
    """Have the part explained that was selected in a picture whose selection is called `cell`."""
    cells = st.session_state[key].selection.get("cell", [])
    if cells and cells[0].get("explain"):
        ask(cells[0]["explain"])


def explain(found: Plan | Trace, first: str) -> None:
    """Any figure of a plan or a trace with its formula; `first` until the visitor asks for another one."""
    names = views.figures(found)
    if not names:
        return
    if not st.session_state.get("figure_chosen") or st.session_state.get("figure") not in names:
        st.session_state.figure = first if first in names else names[0]
        st.session_state.figure_chosen = False
    st.header("How it is computed", anchor=False)
    st.caption("Select an underlined figure or a mark of the picture, or any figure here.")
    with st.container(border=True, key="explained"):
        name = st.selectbox("Figure to explain", names, key="figure", on_change=lambda: ask(st.session_state.figure))
        topic = None
        if isinstance(found, Plan) and name.startswith("topics."):
            topic = st.selectbox("of the topic", list(found.topics), key="figure_topic")
        step = views.step_of(found, name, topic)
        st.markdown(views.explain_markdown(step, views.source_of(step), binary=state.binary()))
