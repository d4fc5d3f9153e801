"""What a page asks beside the scenario, and the answers to it, computed once for each choice.

Fields hold text with units, as the column of inputs does; what cannot be read is said beneath the field, and the page
answers without it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

import planner
from planner import codec, units
from planner.fields import ScenarioError
from planner.results import Comparison
from planner.ui import frame, state, views

_LARGE = 100_000  # characters of a scenario for which more than a plan takes seconds


def quantity(label: str, dimension: str, key: str, *, placeholder: str = "", value: str = "") -> float | None:
    """A field for a quantity; None when it is empty or cannot be read."""
    text = st.text_input(
        label,
        value=value,
        placeholder=placeholder,
        key=key,
        persist_state="session",
        max_chars=60,
        help=f"With its unit, such as {units.examples(dimension)}.",
    ).strip()
    if not text:
        return None
    try:
        return units.parse(text, dimension)
    except units.UnitError as error:
        st.markdown(f":red-badge[▲ Refused] {views.escape(error)}")
        return None


def one_of(label: str, words: Mapping[Any, str], key: str, **shown: Any) -> Any:
    """A choice among a few, kept for the session, the first unless another is chosen; the key of the chosen words."""
    first = next(iter(words))
    chosen = st.segmented_control(
        label,
        list(words),
        default=first,
        required=True,
        format_func=words.__getitem__,
        key=key,
        persist_state="session",
        **shown,
    )
    return first if chosen is None else chosen


def found(name: str, **asked: Any) -> Any:
    """The answer of `planner.NAME` for the answered choice; raises ScenarioError."""
    return _found(*state.answered(), name, asked)


@st.cache_data(max_entries=128, show_spinner=False)
def _found(text: str, changes: tuple[str, ...], factor: float, name: str, asked: Mapping[str, Any]) -> Any:
    return getattr(planner, name)(state.answer(text, changes, factor).plan.scenario, **asked)


def answered(what: str, name: str, plain: Mapping[str, Any], asked: Mapping[str, Any]) -> Any:
    """The answer for what was asked, or else, with the reasons on the page, for the plain question; None without any.

    Parameters
    ----------
    what
        Said before the reasons; Markdown.
    name
        Of a function of `planner`.
    plain, asked
        Arguments that hold always, and those that the visitor chose beside them.
    """
    try:
        return found(name, **plain, **asked)
    except ScenarioError as error:
        frame.refusal(what, error.errors)
    try:
        return found(name, **plain) if asked else None
    except ScenarioError:
        return None


def findings(result: Any) -> None:
    """Findings of a result, each with its severity in word and shape."""
    for line in views.finding_markdown(result):
        st.markdown(line)


@st.cache_data(max_entries=32, show_spinner=False)
def compared(texts: tuple[str, ...]) -> Comparison:
    """Scenarios, given as texts, side by side; raises ScenarioError."""
    return planner.compare([codec.load(text) for text in texts])


# Heavy work


def choice() -> list[Any]:
    """What the answered choice consists of, to remember for which one something was asked."""
    text, changed, factor = st.session_state.good
    return [text, dict(changed), factor]


def wanted(label: str, key: str) -> bool:
    """Whether to compute: at once for most scenarios, on request for one of thousands of topics."""
    if len(st.session_state.good[0]) <= _LARGE:
        return True
    if st.button(label, key=f"want {key}", type="primary"):
        st.session_state[f"wanted {key}"] = choice()
    return bool(st.session_state.get(f"wanted {key}") == choice())


@st.cache_resource
def _places() -> Any:
    """How many heavy computations run at once in this process; holds no data of anybody."""
    from threading import BoundedSemaphore

    return BoundedSemaphore(2)


def heavily(words: str, work: Callable[[Callable[[int, int], None]], Any]) -> Any:
    """Run work that reports its progress, with a bar and a way to end it; None when too much of it runs already.

    Whatever the visitor touches meanwhile ends it, because the bar is drawn by the run of the page that was given up.
    """
    if not _places().acquire(blocking=False):
        st.warning("Others are computing just now; ask again in a few seconds.")
        return None
    try:
        place = st.empty()
        with place.container(horizontal=True, vertical_alignment="center"):
            bar = st.progress(0.0, words)
            st.button("Cancel", key="cancel heavy work")

        def tell(done: int, total: int) -> None:
            bar.progress(min(done / max(total, 1), 1.0), words)

        result = work(tell)
        place.empty()
        return result
    finally:
        _places().release()
