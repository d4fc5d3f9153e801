"""The column of inputs: which scenario, and the few values that matter most. Each is a view of `planner.ui.state`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from planner import codec, units
from planner.catalogue import machines
from planner.scenario import InputError, Scenario, ScenarioError
from planner.ui import state, views

_SLOWEST, _FASTEST = 0.1, 5.0  # ends of the slider; the field beside it goes further
_IN_FILE = "as in the scenario"


def column(errors: list[InputError]) -> None:
    """Draw every input."""
    base = state.base_of(st.session_state.text)
    faults = {error.path: error for error in errors}
    st.header("Scenario", anchor=False)
    _example()
    _upload()
    _changes()
    st.subheader("Traffic", anchor=False)
    _load()
    _topic(base, faults)
    st.subheader("Cluster", anchor=False)
    _brokers(base)
    _hardware(base)
    _whole(base, "cluster.zones", "Zones", 1, 100)
    st.subheader("Failures to survive", anchor=False)
    _whole(base, "policy.survive.brokers", "Brokers down at once", 0, 1000)
    _whole(base, "policy.survive.zones", "Zones down at once", 0, 100)


# Which scenario


def _example() -> None:
    examples = _examples()
    origin = st.session_state.origin
    name = state.key("example")
    chosen = st.selectbox(
        "Worked example",
        list(examples),
        index=list(examples).index(origin) if origin in examples else None,
        format_func=_title,
        placeholder=f"none: {origin}",
        key=name,
        on_change=_take_example,
        args=(name,),
    )
    if chosen is not None:
        st.caption(views.escape(examples[chosen].situation))


def _examples() -> dict[str, codec.Preset]:
    return {preset.name: preset for preset in codec.presets()}


def _title(name: str) -> str:
    return _examples()[name].title or name


def _take_example(name: str) -> None:
    chosen = st.session_state[name]
    if chosen is not None:
        state.choose(chosen, state.preset_text(chosen))


def _upload() -> None:
    name = state.key("upload")
    st.file_uploader(
        "Your own: YAML, JSON, or a CSV of topics",
        type=["yaml", "yml", "json", "csv", "tsv"],
        max_upload_size=state.MAX_BYTES // 10**6,
        key=name,
        on_change=_take_upload,
        args=(name,),
    )


def _take_upload(key: str) -> None:
    file = st.session_state[key]
    if file is None:
        state.accept()
        return
    try:
        text = state.read_upload(file.name, file.getvalue())
    except ScenarioError as error:
        state.refuse(file.name, error.errors)
    else:
        state.choose(file.name, text)


def _changes() -> None:
    found = state.changes()
    if not found:
        return
    lines = "  \n".join(f"{views.escape(path)} = {views.escape(value)}" for path, value in found.items())
    st.caption(f"Changed here:  \n{lines}")
    count = len(found)
    st.button(f"Reset {count} change{'s' if count > 1 else ''}", on_click=state.reset, key="reset", width="stretch")


# Its values


def _marked(label: str, path: str, held: str) -> str:
    """A label that says when the value is not the scenario's."""
    changed = path in st.session_state.changes
    return f"{label} :orange-badge[changed, was {views.escape(held)}]" if changed else label


def _load() -> None:
    slider, number = state.key("load slider"), state.key("load")
    factor = float(st.session_state.factor)
    st.session_state.setdefault(slider, min(max(factor, _SLOWEST), _FASTEST))
    st.session_state.setdefault(number, factor)
    mark = "" if factor == 1 else " :orange-badge[changed, was 1]"
    st.slider(
        f"Load of all topics, times{mark}",
        _SLOWEST,
        _FASTEST,
        step=0.1,
        format="%.1f",
        key=slider,
        on_change=_scale,
        args=(slider, number, slider),
    )
    st.number_input(
        "Load, exactly",
        min_value=0.001,
        max_value=10_000.0,
        step=0.1,
        format="%g",
        key=number,
        on_change=_scale,
        args=(number, number, slider),
        help="Multiplies the record rate of every topic, and its transactions.",
    )


def _scale(moved: str, number: str, slider: str) -> None:
    factor = round(float(st.session_state[moved]), 6)
    st.session_state.factor = factor
    st.session_state[number] = factor
    st.session_state[slider] = min(max(round(factor, 1), _SLOWEST), _FASTEST)


def _topic(base: Scenario, faults: dict[str, InputError]) -> None:
    topics = {topic.name: topic for topic in base.topics}
    chosen = topics[st.selectbox("One topic", list(topics), key=state.key("topic"))]
    path = f"topics.{chosen.name}"
    if chosen.records_per_s is not None:
        _quantity(f"{path}.records_per_s", "Records, average", "per_s", chosen.records_per_s, faults)
    elif chosen.bytes_per_s is not None:
        _quantity(f"{path}.bytes_per_s", "Bytes before compression, average", "bytes_per_s", chosen.bytes_per_s, faults)
    if chosen.deleted:
        _quantity(f"{path}.retention.time", "Retention", "s_or_forever", chosen.retention.time, faults)


def _quantity(path: str, label: str, dimension: str, value: float, faults: dict[str, InputError]) -> None:
    """A field for text with a unit; what cannot be read is said beneath it, and the answer waits."""
    held = units.format_exact(float(value), dimension)
    name = state.key(path)
    st.text_input(
        _marked(label, path, held),
        value=st.session_state.changes.get(path, held),
        key=name,
        on_change=_take_quantity,
        args=(path, name, held, dimension),
        help=f"With its unit, such as {units.examples(dimension)}.",
    )
    if path in faults:
        st.markdown(f":red-badge[▲ Refused] {views.escape(faults[path].message)}")


def _take_quantity(path: str, name: str, held: str, dimension: str) -> None:
    given = st.session_state[name].strip()
    state.change(path, None if not given or state.same(given, held, dimension) else given)


def _brokers(base: Scenario) -> None:
    path, held = "cluster.brokers", base.cluster.brokers
    changed = st.session_state.changes.get(path)
    name = state.key(path)
    st.number_input(
        _marked("Brokers", path, "to be found" if held is None else str(held)),
        min_value=1,
        max_value=10_000,
        step=1,
        value=held if changed is None else None if changed == "null" else int(changed),
        placeholder="find the least",
        key=name,
        on_change=_take,
        args=(path, name, held, lambda given: "null" if given is None else str(given)),
        help="A count is checked; an empty field asks for the least that holds.",
    )


def _whole(base: Scenario, path: str, label: str, least: int, most: int) -> None:
    held = int(state.value_at(base, path))
    name = state.key(path)
    st.number_input(
        _marked(label, path, str(held)),
        min_value=least,
        max_value=most,
        step=1,
        value=int(st.session_state.changes.get(path, held)),
        key=name,
        on_change=_take,
        args=(path, name, held, str),
    )


def _hardware(base: Scenario) -> None:
    path, held = "cluster.broker", base.cluster.broker
    known = machines()
    own = held if isinstance(held, str) else _IN_FILE
    options = [own, *(name for name in known if name != own)]
    name = state.key(path)
    chosen = st.selectbox(
        _marked("Broker", path, own),
        options,
        index=options.index(st.session_state.changes.get(path, own)),
        key=name,
        on_change=_take,
        args=(path, name, own, str),
    )
    if chosen in known:
        st.caption(views.escape(known[chosen].title))


def _take(path: str, name: str, held: Any, text: Callable[[Any], str]) -> None:
    given = st.session_state[name]
    state.change(path, None if given == held else text(given))
