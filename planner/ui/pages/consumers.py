"""Consumers: how far behind an outage leaves each group, when it has caught up, and what rebalances cost."""

from __future__ import annotations

from typing import Any

import streamlit as st

from planner.operations.lag import ConsumerLag
from planner.operations.rebalances import Rebalances
from planner.reports import text_consumers
from planner.reports.pictures.lag import group_alt, group_spec, groups_alt, groups_spec
from planner.results import Plan
from planner.ui import asking, frame, views


def page() -> None:
    """Draw the page."""
    plan, _ = frame.start()
    head = st.container()
    asked = _asked()
    with head:
        found: ConsumerLag | None = asking.answered("This outage cannot be looked at.", "consumers", {}, asked)
        if found is None:
            frame.answer_line("The consumers of this scenario cannot be looked at.")
            return
        _answer(found, plan)
    if not found.groups:
        return
    _groups(found)
    name = _one(found)
    _rebalances()
    frame.explain(found.trace, f"groups.{name}.utilisation")


def _asked() -> dict[str, Any]:
    left, middle, right = st.columns(3)
    with left:
        outage = asking.quantity("Consumers are down for", "s", "lag_outage", placeholder="2 h")
    with middle:
        deadline = asking.quantity("Caught up within", "s", "lag_deadline", placeholder="1 h")
    with right:
        words = {"peak": "Peak", "average": "Average"}
        at = asking.one_of("Rates", words, "lag_at")
    given = {"outage_s": outage, "deadline_s": deadline, "at": None if at == "peak" else at}
    return {name: value for name, value in given.items() if value is not None}


def _answer(found: ConsumerLag, plan: Plan) -> None:
    lost = any(group.lost_records > 0 for group in found.groups.values())
    never = any(group.utilisation is not None and group.drain_s is None for group in found.groups.values())
    known = all(group.utilisation is not None for group in found.groups.values())
    word, good = ("Catches up", True) if known else ("Not all is known", None)
    if lost or never:
        word, good = ("Loses records" if lost else "Falls behind"), False
    badge = f"{frame.badge(word, good=good)} " if found.groups else ""
    frame.answer_line(found.headline, above=f"{badge}{views.escape(plan.name)}")


def _groups(found: ConsumerLag) -> None:
    st.header("After the outage", anchor=False)
    dark = frame.is_dark()
    tables = [text_consumers.groups_table(found)]
    if any(group.cold_reads for group in found.groups.values()):
        tables.append(text_consumers.cold_table(found))
    frame.chart(
        groups_spec(found, dark=dark),
        groups_alt(found),
        narrow=groups_spec(found, dark=dark, narrow=True),
        key="lag_groups",
        tables=tables,
    )
    st.caption("Time since the consumers stopped. A group has caught up when its slowest partition has.")


def _one(found: ConsumerLag) -> str:
    """The timeline of a group that the visitor chooses."""
    st.header("One group", anchor=False)
    name = st.selectbox("Group", list(found.groups), key="lag_group")
    group, dark = found.groups[name], frame.is_dark()
    st.markdown(views.sentence(group.headline))
    frame.chart(
        group_spec(group, found.outage_s, dark=dark),
        group_alt(name, group, found.outage_s),
        narrow=group_spec(group, found.outage_s, dark=dark, narrow=True),
        key="lag_group_curve",
        tables=(text_consumers.group_topics_table(name, group),),
    )
    st.caption("Records that wait. Draining is drawn straight; it ends when the slowest partition is read.")
    for line in text_consumers.group_reasons(name, group):
        st.markdown(f"- {views.sentence(line)}")
    return name


def _rebalances() -> None:
    st.header("Rebalances", anchor=False)
    found: Rebalances | None = asking.answered("Rebalances cannot be looked at.", "rebalance", {}, {})
    if found is None:
        return
    storms = [name for name, group in found.groups.items() if group.storm]
    badge = frame.badge("Storm" if storms else "No storm", good=not storms)
    st.markdown(f"{badge} **{views.sentence(found.headline)}**")
    for name in storms:
        st.markdown(f"- {views.sentence(found.groups[name].headline)}")
    if any(group.settings for group in found.groups.values()):
        frame.table(text_consumers.changes_table(found))
    frame.table(text_consumers.rebalances_table(found))
    name = st.selectbox("Other protocols for", list(found.groups), key="rebalance_group")
    group = found.groups[name]
    st.markdown(views.sentence(group.headline))
    if group.alternatives:
        frame.table(text_consumers.alternatives_table(name, group))
    if group.more_members:
        st.markdown(views.sentence(group.more_members))


if __name__ == "__main__":  # as Streamlit runs it; an import draws nothing
    page()
