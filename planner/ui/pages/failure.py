"""Failure: what stops when something fails, who bears it, how long until all is as before; how durable it all is."""

from __future__ import annotations

from typing import Any, Final

import streamlit as st

from planner.operations.failures import Failure
from planner.operations.losses import Durability
from planner.reports import text_durability, text_failure
from planner.reports.pictures.durability import durability_alt, durability_spec
from planner.reports.pictures.recovery import recovery_alt, recovery_spec
from planner.reports.pictures.survivors import survivors_alt, survivors_spec
from planner.results import Plan
from planner.ui import asking, frame, views

_KINDS: Final = {
    "brokers": "Any brokers",
    "ids": "These brokers",
    "zone": "A zone",
    "disk": "A disk",
    "controllers": "Controllers",
}
_MOST_IDS: Final = 500  # brokers that can be chosen one by one
_FEW: Final = 2


def page() -> None:
    """Draw the page."""
    plan, _ = frame.start()
    head = st.container()
    asked, throttle = _asked(plan)
    with head:
        found: Failure | None = asking.answered("This failure cannot be looked at.", "failure", {}, asked)
        if found is None:
            frame.answer_line("Nothing is left to look at when a broker fails.", "The cluster has one broker.")
            return
        _answer(found)
    _survivors(found)
    _recovery(found, throttle)
    _producers(found)
    _durability()
    frame.explain(found.trace, "refill.target_s")


def _asked(plan: Plan) -> tuple[dict[str, Any], float | None]:
    """What fails, for how long, and at which throttle it comes back."""
    kind = asking.one_of("What fails", _KINDS, "failing")
    left, middle, right = st.columns(3)
    with left:
        asked = _what(kind, plan)
    with middle:
        after = asking.quantity("Away for", "s", "failing_after", placeholder="usual repair time")
    with right:
        throttle = asking.quantity("Replication throttle, per broker", "bytes_per_s", "failing_throttle")
    asked |= {name: value for name, value in (("after", after), ("throttle", throttle)) if value is not None}
    given = plan.scenario.cluster.replication_throttle
    return asked, given if throttle is None else throttle


def _what(kind: str, plan: Plan) -> dict[str, Any]:
    count, cluster = plan.brokers.count, plan.scenario.cluster
    if kind == "ids":
        placed = cluster.brokers_placed
        ids = list(range(count)) if placed is None else sorted(placed.brokers)
        chosen = st.multiselect("Numbers of brokers", ids[:_MOST_IDS], default=ids[:1], key=f"failing_ids {count}")
        return {"ids": tuple(chosen)} if chosen else {}
    if kind == "zone":
        zones = {"the worst": "any", **{str(zone): str(zone) for zone in range(1, cluster.zone_count + 1)}}
        return {"zone": zones[st.selectbox("Which zone", list(zones))]}
    if kind == "disk":
        st.caption("One volume of one broker, the fullest.")
        return {"disk": True}
    if kind == "controllers":
        most = plan.cluster.controllers
        return {"controllers": st.number_input("How many", 1, max(most, 1), 1, key=f"failing_controllers {most}")}
    return {"brokers": st.number_input("How many", 1, max(count, 1), 1, key=f"failing_brokers {count}")}


def _answer(found: Failure) -> None:
    badge = frame.badge("Goes on" if found.holds else "Stops or overloads", good=found.holds)
    details = text_failure.failure_details(found)
    frame.answer_line(text_failure.failure_sentence(found), details, above=f"{badge} {views.escape(found.name)}")
    asking.findings(found)


def _survivors(found: Failure) -> None:
    st.header("What the survivors bear", anchor=False)
    if not found.usage or found.survivors is None:
        st.markdown(views.sentence(f"Nothing to show: {found.survivors_reason or 'every broker is there'}."))
        return
    tables = [text_failure.usage_table(found), text_failure.loads_table(found)]
    if found.lost.brokers:
        tables.append(text_failure.survivors_table(found))
    frame.chart(survivors_spec(found, dark=frame.is_dark()), survivors_alt(found), key="survivors", tables=tables)
    st.caption("Bar: the fullest survivor. Upright mark: the limit that holds in a failure.")


def _recovery(found: Failure, throttle: float | None) -> None:
    if len(found.curve) < _FEW:
        return
    st.header("How long it takes to be whole again", anchor=False)
    dark = frame.is_dark()
    frame.chart(
        recovery_spec(found, dark=dark, chosen=throttle),
        recovery_alt(found),
        narrow=recovery_spec(found, dark=dark, narrow=True, chosen=throttle),
        key="recovery",
        tables=(text_failure.curve_table(found),),
    )
    st.caption("Below the slowest throttle the new copy falls behind what is written. Both scales are logarithmic.")
    for line in text_failure.rolling_sentences(found):
        st.markdown(views.sentence(line))


def _producers(found: Failure) -> None:
    if found.topics:
        st.header("What producers feel", anchor=False)
        if not found.unwritable and not found.offline:
            st.markdown("● No partition refuses writes once its leader has moved.")
        frame.table(text_failure.impact_table(found), heading=False)


def _durability() -> None:
    """A year of failures instead of one."""
    st.header("How durable it is", anchor=False)
    found: Durability | None = asking.answered("Durability cannot be computed.", "durability", {}, {})
    if found is None:
        return
    st.markdown(f"**{views.sentence(text_durability.durability_sentence(found))}**")
    st.markdown(views.sentence(text_durability.refill_sentence(found)))
    asking.findings(found)
    dark = frame.is_dark()
    frame.chart(
        durability_spec(found, dark=dark),
        durability_alt(found),
        narrow=durability_spec(found, dark=dark, narrow=True),
        key="durability",
        tables=(text_durability.settings_table(found), text_durability.topics_table(found)),
    )
    st.caption(
        views.sentence(f"As shares of a year, on a logarithmic scale. {text_durability.uncovered_sentence(found)}")
    )


if __name__ == "__main__":  # as Streamlit runs it; an import draws nothing
    page()
