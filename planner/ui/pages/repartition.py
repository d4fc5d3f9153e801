"""Repartition: from n to m partitions, what moves and what breaks; and what more or fewer brokers would move."""

from __future__ import annotations

import streamlit as st

from planner.ui import answers, frame, state


def page() -> None:
    """Draw the page."""
    plan, _ = frame.start()
    left, right = st.columns(2)
    topic = left.selectbox("Topic", list(plan.topics), key=state.key("repartition topic"))
    now = plan.topics[topic].partitions
    to = right.number_input(
        f"Partitions, now {now}", min_value=1, max_value=100_000, value=2 * now, key=state.key("repartition to")
    )
    answers.show("repartition", topic=topic, to=int(to))
    st.header("More or fewer brokers", anchor=False)
    count = plan.brokers.count
    step = max(plan.scenario.cluster.zone_count, 1)
    brokers = st.number_input(
        f"Brokers, now {count}", min_value=1, max_value=10_000, value=count + step, key=state.key("reassign to")
    )
    if int(brokers) != count:
        answers.show("reassign", first=False, to_brokers=int(brokers))


if __name__ == "__main__":  # as Streamlit runs it; an import draws nothing
    page()
