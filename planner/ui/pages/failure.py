"""Failure: what stops when brokers or a zone fail, who bears it, how long it lasts, and how durable the data is."""

from __future__ import annotations

import streamlit as st

from planner.ui import answers, frame, state


def page() -> None:
    """Draw the page."""
    plan, _ = frame.start()
    what = st.radio("What fails", ("brokers", "a zone", "a disk"), horizontal=True, key=state.key("fails"))
    if what == "brokers":
        most = max(plan.brokers.count - 1, 1)
        count = st.number_input("How many at once", min_value=1, max_value=most, value=1, key=state.key("fail count"))
        answers.show("failure", brokers=int(count))
    elif what == "a zone":
        answers.show("failure", zone="any")
    else:
        answers.show("failure", disk=True)
    st.header("How durable the data is", anchor=False)
    answers.show("durability", first=False)


if __name__ == "__main__":  # as Streamlit runs it; an import draws nothing
    page()
