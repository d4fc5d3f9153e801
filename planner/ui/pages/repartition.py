"""Repartition: what more partitions move and break, the routes side by side; and moving replicas between brokers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import streamlit as st

from planner.operations.counts import MOST_BYTES, keys_of
from planner.operations.reassign_steps import batch_file
from planner.operations.reassigning import Reassignment
from planner.operations.repartitioning import Repartition
from planner.reports import text_reassign, text_repartition
from planner.reports.archive import zipped
from planner.reports.pictures.moves import moves_alt, moves_note, moves_spec
from planner.reports.pictures.routes import keys_alt, keys_spec, routes_alt, routes_spec
from planner.reports.words import quantity
from planner.results import Plan
from planner.scenario import InputError, ScenarioError
from planner.trace import Trace
from planner.ui import asking, frame, state, views

_CHANGES: Final = {
    "to_brokers": "More or fewer brokers",
    "remove": "Empty brokers",
    "replication_factor": "Other copies",
}
_MOST_IDS: Final = 500  # brokers that can be chosen one by one
_STEPS: Final = 60  # steps of a move that are shown


def page() -> None:
    """Draw the page."""
    plan, _ = frame.start()
    head = st.container()
    if not plan.topics:
        frame.answer_line("Without topics there is nothing to change.")
        return
    topic, count, asked = _asked(plan)
    with head:
        plain = {"topic": topic, "to": count}
        found: Repartition | None = None
        if asking.wanted("Compute the change", "repartition"):
            with st.spinner("Comparing the routes ..."):
                found = asking.answered("This change cannot be made.", "repartition", plain, asked)
        if found is None:
            frame.answer_line("Choose a topic and the partitions that it shall have.")
        else:
            _answer(found)
    if found is not None:
        _routes(found)
    moved = _reassign(plan)
    results = {"partitions": (found, "moved_key_fraction"), "moves": (moved, "duration_s")}
    known = {name: (result.trace, first) for name, (result, first) in results.items() if result is not None}
    if known:
        _explain(known)


def _explain(known: Mapping[str, tuple[Trace, str]]) -> None:
    """Figures of one of the two computations."""
    name = next(iter(known))
    if len(known) > 1:
        name = st.segmented_control("Explain", list(known), default=name, required=True) or name
    frame.explain(*known[name])


# More partitions


def _asked(plan: Plan) -> tuple[str, int, dict[str, Any]]:
    left, right = st.columns(2)
    with left:
        topic = st.selectbox("Topic", list(plan.topics), key=state.key("repartition topic"))
    now = plan.topics[topic].partitions
    with right:
        count = st.number_input(
            f"Partitions, now {now}", 1, 100_000, min(now * 2, 100_000), key=state.key(f"repartition {topic} {now}")
        )
    asked: dict[str, Any] = {}
    with st.expander("Throttle, lag, keys"):
        left, right = st.columns(2)
        with left:
            throttle = asking.quantity(
                "Most that a copier may send", "bytes_per_s", "copy_throttle", placeholder="what is spare"
            )
        with right:
            lag = asking.quantity("Consumers are behind by", "s", "copy_lag", placeholder="not behind")
        file = st.file_uploader("Keys of the topic, a CSV of key and count", type=["csv"], key=state.key("keys file"))
        hashed = st.toggle("Hashed by librdkafka's default partitioner (CRC-32)", key="librdkafka")
        keys = None if file is None else _keys(file.name, file.getvalue())
    asked |= {"throttle": throttle, "lag": lag, "keys": keys}
    asked = {name: value for name, value in asked.items() if value is not None}
    return topic, int(count), asked | ({"librdkafka": True} if keys and hashed else {})


def _keys(name: str, data: bytes) -> Mapping[bytes, float] | None:
    """The counted keys of a file, or on the page what is wrong with it."""
    if len(data) > MOST_BYTES:
        errors: Sequence[InputError] = [InputError("", None, "The file is too large.", f"at most {MOST_BYTES:,} bytes")]
    else:
        try:
            return keys_of(data.decode("utf-8", "replace"))
        except ScenarioError as error:
            errors = error.errors
    frame.refusal(f"{views.escape(name)} was not taken.", errors)
    return None


def _answer(found: Repartition) -> None:
    failing = [] if found.holds_meanwhile else ["The cluster does not hold meanwhile on that route."]
    badge = frame.badge(
        "Holds meanwhile" if found.holds_meanwhile else "Does not hold meanwhile", good=found.holds_meanwhile
    )
    frame.answer_line(
        text_repartition.repartition_sentence(found),
        [*failing, *text_repartition.repartition_details(found)],
        above=f"{badge} {views.escape(found.name)}",
    )
    asking.findings(found)


def _routes(found: Repartition) -> None:
    dark = frame.is_dark()
    st.header("Keys that move", anchor=False)
    frame.chart(keys_spec(found, dark=dark), keys_alt(found), key="keys")
    st.subheader("What breaks when partitions are added in place", anchor=False)
    for row in found.breaks:
        lasts = quantity(row.lasts_s, "s") if row.lasts_s is not None else str(row.lasts_s_reason)
        said = views.sentence(f"{row.message} For how long: {lasts}.")
        st.markdown(f"{frame.badge(row.code.replace('_', ' '), good=False)} {said} *{views.sentence(row.action)}*")
    if not found.breaks:
        st.markdown("● Nothing breaks.")
    st.header("Routes side by side", anchor=False)
    frame.chart(routes_spec(found, dark=dark), routes_alt(found), key="routes")
    frame.table(text_repartition.routes_table(found), heading=False)
    if found.state:
        frame.table(text_repartition.state_table(found))
    with st.expander("What it costs to have the partitions now"):
        frame.table(text_repartition.provision_table(found), heading=False)
    st.header("Runbook", anchor=False)
    labels = text_repartition.ROUTE_LABELS
    names = [route.name for route in found.routes]
    chosen = st.segmented_control(
        "Route", names, default=found.recommended, required=True, format_func=labels.__getitem__
    )
    route = found.route(chosen or found.recommended)
    if not route.possible:
        st.markdown(f":red-badge[▲ Not possible] {views.sentence(route.reason or '')}")
    _steps(route.steps)


def _steps(steps: tuple[str, ...]) -> None:
    st.markdown("\n".join(f"{number}. {views.sentence(step)}" for number, step in enumerate(steps[:_STEPS], start=1)))
    if len(steps) > _STEPS:
        st.caption(f"{len(steps) - _STEPS} more in the download.")


# Moving replicas


def _reassign(plan: Plan) -> Reassignment | None:
    st.header("Move replicas between brokers", anchor=False)
    asked = _move(plan)
    if not asking.wanted("Compute the move", "reassign"):
        return None
    found: Reassignment | None = asking.answered("This move cannot be made.", "reassign", asked, {})
    if found is None:
        return None
    badge = frame.badge("Holds meanwhile" if found.holds else "Does not hold meanwhile", good=found.holds)
    st.markdown(f"{badge} **{views.sentence(text_reassign.reassign_sentence(found))}**")
    st.markdown(views.sentence(" ".join(text_reassign.reassign_details(found))))
    asking.findings(found)
    if found.replica_moves:
        frame.chart(
            moves_spec(found, dark=frame.is_dark()),
            moves_alt(found),
            key="moves",
            tables=(text_reassign.moves_table(found),),
        )
        st.caption(f"Bytes that each broker moves; bold: new brokers. {moves_note(found)}")
    if found.batches:
        st.subheader("Steps of the move", anchor=False)
        st.download_button(
            "Batch files and steps (zip)",
            lambda: _batches(found),
            file_name="reassignment.zip",
            mime="application/zip",
            on_click="ignore",
        )
        with st.expander(f"{len(found.steps)} steps"):
            _steps(found.steps)
    return found


def _move(plan: Plan) -> dict[str, Any]:
    kind = asking.one_of("Change", _CHANGES, "moving")
    left, middle, right = st.columns(3)
    with left:
        asked = _moved(kind, plan)
    with middle:
        throttle = asking.quantity("Throttle", "bytes_per_s", "move_throttle", placeholder="recommended")
    with right:
        within = asking.quantity("Done within", "s", "move_within", placeholder="no deadline")
    given = {"throttle": throttle, "within": within}
    return asked | {name: value for name, value in given.items() if value is not None}


def _moved(kind: str, plan: Plan) -> dict[str, Any]:
    count, cluster = plan.brokers.count, plan.scenario.cluster
    if kind == "remove":
        placed = cluster.brokers_placed
        ids = list(range(count)) if placed is None else sorted(placed.brokers)
        chosen = st.multiselect("Brokers", ids[:_MOST_IDS], default=ids[-1:], key=f"emptied {count}")
        return {"remove": tuple(chosen)}
    if kind == "replication_factor":
        return {"replication_factor": int(st.number_input("Copies", 1, 10, 3, key="move_copies"))}
    more = count + cluster.zone_count
    return {"to_brokers": int(st.number_input(f"Brokers, now {count}", 1, 100_000, more, key=f"move_to {count}"))}


def _batches(found: Reassignment) -> bytes:
    count = len(found.batches)
    texts = {
        batch_file(number, count): json.dumps(batch, indent=1) + "\n"
        for number, batch in enumerate(found.batches, start=1)
    }
    texts["steps.txt"] = "".join(f"{number}. {step}\n" for number, step in enumerate(found.steps, start=1))
    return zipped(texts)


if __name__ == "__main__":  # as Streamlit runs it; an import draws nothing
    page()
