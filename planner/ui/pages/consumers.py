"""Consumers: lag after an outage, when unread data is deleted, and whether rebalances feed themselves."""

from __future__ import annotations

import streamlit as st

from planner.ui import answers, frame, state


def page() -> None:
    """Draw the page."""
    frame.start()
    minutes = st.number_input(
        "Consumers are away for, in minutes", min_value=0.0, max_value=100_000.0, value=60.0, key=state.key("outage")
    )
    at = st.radio("At what load", ("peak", "average"), horizontal=True, key=state.key("at"))
    answers.show("consumers", outage_s=float(minutes) * 60, at=at)
    st.header("Rebalances", anchor=False)
    answers.show("rebalance", first=False)


if __name__ == "__main__":  # as Streamlit runs it; an import draws nothing
    page()
