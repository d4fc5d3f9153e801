"""Growth & risk: when the cluster breaks, what to buy by when, and how sure that is."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any, Final

import streamlit as st

from planner.fields import ScenarioError
from planner.montecarlo import Uncertainty, uncertainty
from planner.reports import text_growth, text_uncertainty
from planner.reports.pictures.chances import chances_alt, chances_spec
from planner.reports.pictures.growth import (
    brokers_alt,
    brokers_spec,
    money_alt,
    money_spec,
    timeline_alt,
    timeline_spec,
    timeline_table,
)
from planner.reports.pictures.tornado import tornado_alt, tornado_spec
from planner.results import Plan
from planner.runway import MOST_BYTES, Growth
from planner.scenario import ranges_of
from planner.ui import asking, frame, state, views

_EXAMPLE: Final = 0.3  # growth in a year where the scenario gives none: an example, and said to be one
_WORLDS: Final = (256, 1024, 4096, 16_384)  # more take long, and say little more
_SPREAD: Final = (0.7, 1.5)  # of the load, as long as nothing is stated


def page() -> None:
    """Draw the page."""
    plan, _ = frame.start()
    head = st.container()
    asked, example = _asked(plan)
    with head:
        found: Growth | None = None
        if asking.wanted("Follow the months", "growth"):
            with st.spinner("Following the months ..."):
                found = asking.answered("This growth cannot be followed.", "growth", {"start": _today()}, asked)
        if found is None:
            frame.answer_line("Say how the load grows, and the dates stand here.")
        else:
            _answer(found, plan, example=example)
    if found is not None:
        _timeline(found)
        _purchases(found)
    _uncertain(plan)
    if found is not None:
        frame.explain(found.trace, "")


def _today() -> dt.date:
    return dt.datetime.now(tz=dt.UTC).date()


def _asked(plan: Plan) -> tuple[dict[str, Any], bool]:
    """What was chosen, and whether the growth is only an example."""
    given = plan.scenario.policy.growth_per_year
    history = None
    left, middle, right = st.columns(3)
    with left:
        rate = asking.quantity("Growth in a year", "fraction", "growth_rate", placeholder=f"{given or _EXAMPLE:.0%}")
    with middle:
        months = st.number_input("Months to look at", 1, 120, 36, key="growth_months", persist_state="session")
    with right:
        ahead = st.number_input("A purchase lasts, months", 0, 60, 6, key="growth_ahead", persist_state="session")
    with st.expander("Fit the growth to a history"):
        st.caption("A CSV with the columns date and bytes, a row for each day: what was produced.")
        file = st.file_uploader("History", type=["csv"], key=state.key("history"))
        if file is not None and file.size <= MOST_BYTES:
            history = file.getvalue().decode("utf-8", "replace")
        elif file is not None:
            st.error(f"The file is too large: at most {MOST_BYTES:,} bytes.")
    asked: dict[str, Any] = {"months": int(months), "ahead": int(ahead)}
    if history is not None:
        return {**asked, "history": history, **({} if rate is None else {"per_year": rate})}, False
    example = rate is None and not given
    return {**asked, "per_year": _EXAMPLE if example else given if rate is None else rate}, example


def _answer(found: Growth, plan: Plan, *, example: bool) -> None:
    first = found.first_limits[0] if found.first_limits else None
    breaks = first is not None and first.date is not None
    badge = frame.badge("Reaches a limit" if breaks else "Holds", good=None if breaks else True)
    frame.answer_line(
        text_growth.growth_sentence(found), text_growth.rate_sentence(found), above=f"{badge} {views.escape(plan.name)}"
    )
    if example:
        st.markdown(":orange-badge[◆ Example] The scenario gives no growth; the rate is an example. Give yours below.")
    asking.findings(found)


def _timeline(found: Growth) -> None:
    st.header("When each limit is reached", anchor=False)
    dark = frame.is_dark()
    frame.chart(
        timeline_spec(found, dark=dark),
        timeline_alt(found),
        narrow=timeline_spec(found, dark=dark, narrow=True),
        key="timeline",
        tables=(text_growth.limits_table(found), timeline_table(found)),
    )
    st.caption(
        "How much of its limit each resource of today's brokers uses, with nothing bought. "
        "▲ brokers to have bought by then; ◆ partitions to have added."
    )


def _purchases(found: Growth) -> None:
    st.header("What to do, and by when", anchor=False)
    if found.steps:
        # as a table that scrolls: on a phone sentences would get a word a line
        frame.table(replace(text_growth.steps_table(found), prose=frozenset()), heading=False)
    else:
        st.markdown("● Nothing has to be bought or changed in these months.")
    dark = frame.is_dark()
    frame.chart(
        brokers_spec(found, dark=dark),
        brokers_alt(found),
        narrow=brokers_spec(found, dark=dark, narrow=True),
        key="brokers",
        tables=(text_growth.months_table(found),),
    )
    st.caption("Brokers month by month, each purchase made before the month that would fail.")
    if found.months[-1].cost_so_far is None:
        st.caption("Money is not shown: the broker has no price. Hardware & cost names brokers with prices.")
        return
    frame.chart(
        money_spec(found, dark=dark),
        money_alt(found),
        narrow=money_spec(found, dark=dark, narrow=True),
        key="money",
    )
    st.caption("What has been spent by then, brokers and what stands around them.")


# Worlds


def _uncertain(plan: Plan) -> None:
    """Quantiles over sampled worlds, on request."""
    st.header("How sure it is", anchor=False)
    ranges = [path for path, value in ranges_of(plan.scenario) if value.low < value.high]
    if ranges:
        st.markdown(f"Stated as ranges: {views.escape(', '.join(ranges))}.")
    else:
        st.markdown(
            "No input is a range. Turn on *Expert* and choose *I do not know* beside an input, "
            "or sample the load as a whole."
        )
    found = _sampled(ranges)
    if found is None:
        return
    st.markdown(f"**{views.sentence(text_uncertainty.uncertainty_sentence(found))}**")
    st.markdown(views.sentence(" ".join(text_uncertainty.uncertainty_details(found))))
    asking.findings(found)
    dark = frame.is_dark()
    st.subheader("In how many worlds each count holds", anchor=False)
    frame.chart(
        chances_spec(found, dark=dark),
        chances_alt(found),
        key="chances",
        tables=(text_uncertainty.counts_table(found),),
    )
    st.subheader("What each range does alone", anchor=False)
    frame.chart(
        tornado_spec(found, dark=dark),
        tornado_alt(found),
        key="tornado",
        tables=(text_uncertainty.tornado_table(found),),
    )
    st.caption("Brokers needed when one input is at an end of its range, all others likely. Upright mark: likely.")


def _sampled(ranges: list[str]) -> Uncertainty | None:
    left, middle, right = st.columns(3)
    with left:
        worlds = st.selectbox("Worlds", _WORLDS, index=1, key="worlds", persist_state="session")
    with middle:
        low = st.number_input(
            "Load of all topics, from", 0.05, 1.0, 1.0 if ranges else _SPREAD[0], 0.05, key=f"load_low {bool(ranges)}"
        )
    with right:
        high = st.number_input(
            "to times today's", 1.0, 20.0, 1.0 if ranges else _SPREAD[1], 0.1, key=f"load_high {bool(ranges)}"
        )
    load = (float(low), float(high)) if low < high else None
    asked = [asking.choice(), worlds, load]
    pressed = st.button("Sample the worlds", type="primary", disabled=load is None and not ranges)
    if pressed:
        try:
            found = asking.heavily("Sizing the worlds", lambda progress: _run(worlds, load, progress))
        except ScenarioError as error:
            frame.refusal("The worlds cannot be sampled.", error.errors)
            return None
        st.session_state.worlds_found = None if found is None else [asked, found]
    kept = st.session_state.get("worlds_found")
    if kept is None or kept[0] != asked:
        if kept is not None:
            st.caption("The inputs have changed since; sample again.")
        return None
    sampled: Uncertainty = kept[1]
    return sampled


def _run(worlds: int, load: tuple[float, float] | None, progress: Any) -> Uncertainty:
    text, changed, factor = st.session_state.good
    scenario = state.answer(text, tuple(f"{path}={value}" for path, value in changed.items()), factor).plan.scenario
    return uncertainty(scenario, worlds=worlds, load=load, progress=progress)


if __name__ == "__main__":  # as Streamlit runs it; an import draws nothing
    page()
