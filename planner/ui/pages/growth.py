"""Growth and risk: when a growing load breaks the cluster, what to buy by when, and how sure the plan is."""

from __future__ import annotations

import datetime as dt

import streamlit as st

from planner.ui import answers, frame, state

_SPREADS = {"-20 % to +50 %": (0.8, 1.5), "-50 % to +100 %": (0.5, 2.0), "-5 % to +10 %": (0.95, 1.1)}


def page() -> None:
    """Draw the page."""
    plan, _ = frame.start()
    held = float(plan.scenario.policy.growth_per_year) * 100
    percent = st.number_input(
        "Growth a year, in per cent", min_value=-90.0, max_value=1000.0, value=held or 30.0, key=state.key("per year")
    )
    start = st.date_input("Counted from", value="today", key=state.key("from"))
    if not isinstance(start, dt.date):
        return
    answers.show("growth", per_year=float(percent) / 100, start=start)
    st.header("How sure the plan is", anchor=False)
    spread = st.selectbox("The load of all topics may be off by", list(_SPREADS), key=state.key("spread"))
    if st.button("Sample 1,024 worlds", key=state.key("sample")) and spread is not None:
        answers.show("uncertainty", first=False, worlds=1024, load=_SPREADS[spread])


if __name__ == "__main__":  # as Streamlit runs it; an import draws nothing
    page()
