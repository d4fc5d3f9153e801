"""The column of inputs: which scenario, and the few values that matter most. Each is a view of `planner.ui.state`."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from planner import codec, units
from planner.catalogue import machines
from planner.fields import Whole
from planner.scenario import InputError, Scenario, ScenarioError, Section, shape_of
from planner.ui import state, views
from planner.yaml_reader import read_yaml

_SLOWEST, _FASTEST = 0.1, 5.0  # ends of the slider; the field beside it goes further
_IN_FILE = "as in the scenario"
_RESOURCES = {
    "network": "Network",
    "disk_volume": "Disk space",
    "disk_throughput": "Disk bytes",
    "disk_iops": "Disk operations",
    "cpu": "CPU",
    "memory": "Memory",
    "handles": "File and map handles",
}
_DIGITS = 12  # more than any count has
_UNSURE = 2.0  # "I do not know" takes half and twice the value as its ends

Faults = Mapping[str, InputError]


def column(errors: list[InputError]) -> None:
    """Draw every input."""
    base = state.base_of(st.session_state.text)
    faults = {error.path: error for error in errors}
    st.header("Scenario", anchor=False)
    _example()
    _upload()
    _changes()
    _view()
    expert = state.expert()
    st.subheader("Traffic", anchor=False)
    _load()
    _topic(base, faults, expert=expert)
    st.subheader("Cluster", anchor=False)
    _whole(base, "cluster.brokers", "Brokers")
    _hardware(base)
    _whole(base, "cluster.zones", "Zones")
    if expert:
        _cluster(base, faults)
    st.subheader("Failures to survive", anchor=False)
    _whole(base, "policy.survive.brokers", "Brokers down at once")
    _whole(base, "policy.survive.zones", "Zones down at once")
    if expert:
        _policy(base, faults)


def _view() -> None:
    """How much is asked and how bytes are written; neither touches a value."""
    st.toggle("Expert: every input", key="expert", persist_state="session")
    st.segmented_control(
        "Bytes in",
        [state.DECIMAL, state.BINARY],
        default=state.DECIMAL,
        required=True,
        key="units",
        persist_state="session",
        help="Only how figures are written; every value stays as it is. Network cards are always in bits.",
    )


def _cluster(base: Scenario, faults: Faults) -> None:
    _choice(base, "cluster.tls", "TLS")
    _choice(base, "cluster.fetch_from_follower", "Consumers read in their zone")
    _field(base, "cluster.replication_throttle", "Replication throttle, per broker", faults)
    _whole(base, "cluster.replica_fetchers", "Replica fetchers")


def _policy(base: Scenario, faults: Faults) -> None:
    _field(base, "policy.recovery_time_max", "Longest refill of a lost broker", faults)
    _choice(base, "policy.multiple_of_zones", "Whole zones only")
    st.subheader("Growth", anchor=False)
    _field(base, "policy.growth_per_year", "Growth in a year", faults)
    _field(base, "policy.horizon", "Size for this far ahead", faults)
    st.subheader("Most that may be used, all brokers up", anchor=False)
    for name, label in _RESOURCES.items():
        _field(base, f"policy.utilisation.{name}", label, faults)
    st.subheader("Most that may be used in a failure", anchor=False)
    for name, label in _RESOURCES.items():
        _field(base, f"policy.utilisation_degraded.{name}", label, faults)


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
    """What was changed here: each taken back by one click, and all by another."""
    found = state.changes()
    if not found:
        return
    with st.container(gap=None, key="changed"):
        st.caption("Changed here")
        for path, value in found.items():
            st.button(
                f"✕ {views.escape(path)} = {views.escape(value)}",
                on_click=state.put,
                args=(path, None),
                key=f"undo {path}",
                type="tertiary",
                help="Take this change back.",
            )
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


def _topic(base: Scenario, faults: Faults, *, expert: bool) -> None:
    topics = {topic.name: topic for topic in base.topics}
    if not topics:
        return
    chosen = topics[st.selectbox("One topic", list(topics), key=state.key("topic"))]
    path = f"topics.{chosen.name}"
    if chosen.records_per_s is not None:
        _quantity(f"{path}.records_per_s", "Records, average", "per_s", chosen.records_per_s, faults)
    elif chosen.bytes_per_s is not None:
        _quantity(f"{path}.bytes_per_s", "Bytes before compression, average", "bytes_per_s", chosen.bytes_per_s, faults)
    if chosen.deleted:
        _quantity(f"{path}.retention.time", "Retention", "s_or_forever", chosen.retention.time, faults)
    if expert:
        _quantity(f"{path}.peak_ratio", "Peak, times the average", "ratio", chosen.peak_ratio, faults)
        _quantity(f"{path}.record.value_bytes", "Value of a record", "bytes", chosen.record.value_bytes, faults)
        _quantity(f"{path}.compression.ratio", "Compression ratio", "ratio", chosen.compression.ratio, faults)
        _quantity(f"{path}.batch.records", "Records in a batch", "count", chosen.batch.records, faults)
        _count(f"{path}.replication_factor", "Replication factor", chosen, "replication_factor")
        _count(f"{path}.partitions", "Partitions", chosen, "partitions")


def _field(base: Scenario, path: str, label: str, faults: Faults) -> None:
    """A quantity outside of topics; its unit is the scenario's own."""
    section, _, name = path.rpartition(".")
    kind: type[Section] = type(state.value_at(base, section))
    quantity = shape_of(kind, name).quantity
    if quantity is not None:
        _quantity(path, label, quantity.dimension, state.value_at(base, path), faults)


def _quantity(path: str, label: str, dimension: str, value: float | None, faults: Faults) -> None:
    """A field for text with a unit; what cannot be read is said beneath it, and the answer waits."""
    held = "" if value is None else units.format_exact(float(value), dimension)
    name = state.key(path)
    changed = st.session_state.changes.get(path)
    three = _three(changed or "")
    if three:
        _range(path, label, three)
        return
    st.text_input(
        _marked(label, path, held or "not given"),
        value=held if changed is None else changed,
        placeholder="not given",
        key=name,
        on_change=_take_quantity,
        args=(path, name, held, dimension),
        help=f"With its unit, such as {units.examples(dimension)}.",
    )
    if path in faults:
        st.markdown(f":red-badge[▲ Refused] {views.escape(faults[path].message)}")
    elif state.expert() and value and math.isfinite(value):
        st.button(
            "I do not know",
            on_click=_unsure,
            args=(path, name, dimension),
            key=f"unsure {name}",
            type="tertiary",
            help="A range from half to twice of it; the plan is for the value, Growth & risk for the range.",
        )


def _range(path: str, label: str, three: Mapping[str, str]) -> None:
    """A range that was stated, in three fields."""
    st.markdown(f"{views.escape(label)} :orange-badge[changed, a range]")
    for column, (end, value) in zip(st.columns(3), three.items(), strict=True):
        name = state.key(f"{path} {end}")
        column.text_input(end, value=value, key=name, on_change=_take_range, args=(path, three, end, name))
    st.button("I do know", on_click=state.put, args=(path, None), key=state.key(f"sure {path}"), type="tertiary")


def _three(text: str) -> dict[str, str]:
    """The ends and the middle of a range as it stands among the changes; nothing where it is none."""
    if not text.startswith("{"):
        return {}
    try:
        found = read_yaml(text)
    except ScenarioError:
        return {}
    ends = ("low", "likely", "high")
    return {end: str(found[end]) for end in ends} if isinstance(found, dict) and set(found) == set(ends) else {}


def _take_range(path: str, three: Mapping[str, str], end: str, name: str) -> None:
    given = st.session_state[name].strip()
    if given:
        state.change(path, _stated({**three, end: given}))


def _stated(three: Mapping[str, str]) -> str:
    return json.dumps(three)


def _unsure(path: str, name: str, dimension: str) -> None:
    """Turn a value into a range around it."""
    try:
        likely = units.parse(st.session_state[name], dimension)
        three = {"low": likely / _UNSURE, "likely": likely, "high": likely * _UNSURE}
        state.put(path, _stated({end: units.format_exact(value, dimension) for end, value in three.items()}))
    except units.UnitError:  # the field says so itself
        return


def _take_quantity(path: str, name: str, held: str, dimension: str) -> None:
    given = st.session_state[name].strip()
    state.change(path, None if not given or state.same(given, held, dimension) else given)


def _whole(base: Scenario, path: str, label: str) -> None:
    section, _, name = path.rpartition(".")
    _count(path, label, state.value_at(base, section), name)


def _count(path: str, label: str, section: Section, key: str) -> None:
    """A whole number; one that may be left out is checked when it is given, and found when it is not."""
    held: int | None = getattr(section, key)
    info = type(section).model_fields[key]
    (bounds,) = (item for item in info.metadata if isinstance(item, Whole))
    optional = info.default is None
    name = state.key(path)
    changed = st.session_state.changes.get(path)
    st.number_input(
        _marked(label, path, "to be found" if held is None else str(held)),
        min_value=bounds.minimum,
        max_value=bounds.maximum,
        step=1,
        value=held if changed is None else _number(changed, held, bounds),
        placeholder="find the least" if optional else None,
        key=name,
        on_change=_take_count,
        args=(path, name, held, optional),
        help="A count is checked; an empty field asks for the least that holds." if optional else None,
    )


def _number(text: str, held: int | None, bounds: Whole) -> int | None:
    """A change as a number; one that a link wrote may be refused, and then the field shows what is held."""
    if text == "null":
        return None
    return (
        int(text)
        if len(text) < _DIGITS and text.isdecimal() and bounds.minimum <= int(text) <= bounds.maximum
        else held
    )


def _take_count(path: str, name: str, held: int | None, optional: bool) -> None:  # noqa: FBT001 - Streamlit's args
    given = st.session_state[name]
    if given is None and not optional:
        state.change(path, None)
    else:
        state.change(path, None if given == held else "null" if given is None else str(given))


def _choice(base: Scenario, path: str, label: str) -> None:
    """A yes or a no."""
    held = bool(state.value_at(base, path))
    name = state.key(path)
    words = {True: "true", False: "false"}
    st.toggle(
        _marked(label, path, "on" if held else "off"),
        value=st.session_state.changes.get(path, words[held]).lower() in {"true", "yes", "on"},
        key=name,
        on_change=_take,
        args=(path, name, held, words.__getitem__),
    )


def _hardware(base: Scenario) -> None:
    path, held = "cluster.broker", base.cluster.broker
    known = machines()
    own = held if isinstance(held, str) else _IN_FILE
    now = st.session_state.changes.get(path, own)
    options = list(dict.fromkeys([own, *known, now]))
    name = state.key(path)
    chosen = st.selectbox(
        _marked("Broker", path, own),
        options,
        index=options.index(now),
        key=name,
        on_change=_take,
        args=(path, name, own, str),
    )
    if chosen in known:
        st.caption(
            views.escape(
                f"{known[chosen].title.partition(':')[0]}: {views.machine(known[chosen].spec, binary=state.binary())}"
            )
        )


def _take(path: str, name: str, held: Any, text: Callable[[Any], str]) -> None:
    given = st.session_state[name]
    state.change(path, None if given == held else text(given))
