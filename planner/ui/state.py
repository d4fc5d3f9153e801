"""What the visitor chose, kept as plain text in the session, and the plan for it.

A choice is the text of a scenario (from a worked example or a file), changes to it written `path=value` as on the
command line, and a factor on its load. Widgets are views of these three; whatever they give goes through the codec, so
the page refuses what a file or the command would refuse, in the same words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import streamlit as st

from planner import codec, links, units
from planner.operations.counts import TopicCount, partitions
from planner.recommender import recommend
from planner.recommender.recommendation import Recommendation
from planner.reports.tables import margins_of
from planner.results import Margin, Plan
from planner.scenario import InputError, Scenario, ScenarioError, Section
from planner.sizing import plan

FIRST = "ecommerce"  # what the page opens with
MAX_BYTES = codec.MAX_BYTES
LOAD = "load"  # how the factor is called among the changes
DECIMAL, BINARY = "kB, MB, GB", "KiB, MiB, GiB"
_LONG = 100_000  # characters of a scenario that takes a while to plan
_RATES = ("records_per_s", "bytes_per_s", "transactions_per_s")


@st.cache_data(max_entries=32, show_spinner=False)
def base_of(text: str) -> Scenario:
    """The scenario that a text holds."""
    return codec.load(text)


class Answer(NamedTuple):
    """A plan, and the margin of every resource in every state."""

    plan: Plan
    margins: tuple[Margin, ...]


@st.cache_data(max_entries=128, show_spinner=False)
def answer(text: str, changes: tuple[str, ...], factor: float) -> Answer:
    """The answer for a scenario's text with changes and a factor on its load; the same choice is planned once."""
    scenario = codec.load(text, changes)
    found = plan(scenario if factor == 1 else scaled(scenario, factor))
    return Answer(found, margins_of(found))


def scaled(scenario: Scenario, factor: float) -> Scenario:
    """The scenario with every topic's rates times `factor`, within the bounds that hold for a file."""
    mapping = codec.to_mapping(scenario)
    for topic in mapping["topics"]:
        topic.update({key: _times(topic[key], factor) for key in _RATES if key in topic})
    return codec.from_mapping(mapping)


def _times(rate: Any, factor: float) -> Any:
    return {key: number * factor for key, number in rate.items()} if isinstance(rate, Mapping) else rate * factor


def preset_text(name: str) -> str:
    """The worked example `name` as text that can be changed."""
    return codec.dump(codec.load(f"preset:{name}"))


def read_upload(name: str, data: bytes) -> str:
    """The canonical text of an uploaded file, once it has been read and planned; raises ScenarioError."""
    if len(data) > MAX_BYTES:
        allowed = f"at most {MAX_BYTES // 10**6} MB"
        raise ScenarioError([InputError("", None, "The file is too large.", allowed)])
    suffix = Path(name).suffix.lower()
    with TemporaryDirectory() as folder:  # the codec's own way in: caps, encoding and format as for any file
        path = Path(folder, "topics").with_suffix(suffix if suffix in {".csv", ".tsv"} else ".yaml")
        path.write_bytes(data)
        text = codec.dump(codec.load(path))
    answer(text, (), 1.0)
    return text


def same(given: str, held: str, dimension: str) -> bool:
    """Whether two texts of a quantity mean the same; a text that cannot be read means something of its own."""
    try:
        return given.strip() == held or units.parse(given, dimension) == units.parse(held, dimension)
    except units.UnitError:
        return False


# The session


def start() -> None:
    """Begin a session with what its link holds, or else with the first worked example, already answered."""
    if "text" not in st.session_state:
        choose(FIRST, preset_text(FIRST))
        query = st.query_params.to_dict()
        if query:
            open_link(query)


def open_link(query: Mapping[str, str]) -> None:
    """Take what a link holds; what of it could not be taken is kept to be said."""
    try:
        opened = links.from_query(query)
        choice = opened.choice
        answer(choice.text, _sets(choice.changes), choice.factor)
    except ScenarioError as error:
        refuse("The link", error.errors)
        return
    choose(choice.preset or "a link", choice.text)
    st.session_state.changes = dict(choice.changes)
    st.session_state.factor = choice.factor
    st.session_state.link_errors = [error.to_dict() for error in opened.errors]
    st.session_state.link_outdated = opened.preset_changed


def link_query() -> dict[str, str]:
    """The query of a link to what the visitor chose."""
    origin, text = st.session_state.origin, st.session_state.text
    preset = origin if _is_preset(origin, text) else None
    changes, factor = st.session_state.changes, float(st.session_state.factor)
    return links.to_query(links.Choice(preset, text, changes, factor))


def _is_preset(origin: str, text: str) -> bool:
    return any(preset.name == origin for preset in codec.presets()) and text == preset_text(origin)


def choose(origin: str, text: str) -> None:
    """Take another scenario; the changes belonged to the one before."""
    st.session_state.origin = origin
    st.session_state.text = text
    reset()


def reset() -> None:
    """Take back every change."""
    st.session_state.changes = {}
    st.session_state.factor = 1.0
    st.session_state.refused = []
    st.session_state.link_errors = []
    st.session_state.link_outdated = False
    st.session_state.topic_draft = None
    renew()


def renew() -> None:
    """Begin a new generation of widgets, so that none keeps what it showed."""
    st.session_state.generation = st.session_state.get("generation", 0) + 1


def change(path: str, value: str | None) -> None:
    """Set one input, or give it back to the scenario."""
    changes = {key: text for key, text in st.session_state.changes.items() if key != path}
    st.session_state.changes = changes if value is None else {**changes, path: value}


def scale(factor: float) -> None:
    """Set the factor on the load."""
    st.session_state.factor = factor


def put(path: str, value: str | None) -> None:
    """Set one input, or give it back, from elsewhere than its own field, which then has to show it."""
    if path == LOAD:
        scale(1.0 if value is None else float(value))
    else:
        change(path, value)
    renew()


def put_all(found: Mapping[str, str]) -> None:
    """Set several inputs together, or none of them: raises ScenarioError."""
    changed = {**st.session_state.changes, **found}
    answer(st.session_state.text, _sets(changed), st.session_state.factor)
    st.session_state.changes = changed
    renew()


def expert() -> bool:
    """Whether the visitor asked for every input."""
    return bool(st.session_state.get("expert", False))


def binary() -> bool:
    """Whether bytes are shown in steps of 1024."""
    return bool(st.session_state.get("units") == BINARY)


def refuse(name: str, errors: Sequence[InputError]) -> None:
    """Remember why a file was not taken."""
    st.session_state.refused = [name, [error.to_dict() for error in errors]]


def accept() -> None:
    """Forget the file that was not taken."""
    st.session_state.refused = []


def refused() -> tuple[str, list[InputError]] | None:
    """The file that was not taken, and why."""
    if not st.session_state.refused:
        return None
    name, errors = st.session_state.refused
    return name, [InputError(**error) for error in errors]


def changes() -> dict[str, str]:
    """What differs from the scenario, by path; the factor on the load among it."""
    found: dict[str, str] = dict(st.session_state.changes)
    if st.session_state.factor != 1:
        found[LOAD] = f"x {st.session_state.factor:g}"
    return found


def current() -> tuple[Answer, list[InputError]]:
    """The answer for the choice, and what is wrong with it.

    With errors it is the answer without the changes that they name; if those were not all, the last one without errors.
    """
    text, changed, factor = st.session_state.text, st.session_state.changes, float(st.session_state.factor)
    errors: list[InputError] = []
    try:
        found = _planned(text, changed, factor)
    except ScenarioError as error:
        errors = list(error.errors)
        wrong = {fault.path for fault in errors}
        changed = {path: value for path, value in changed.items() if path not in wrong}
        try:
            found = _planned(text, changed, factor)
        except ScenarioError:
            return _planned(*st.session_state.good), errors
    st.session_state.good = [text, dict(changed), factor]
    return found, errors


def answered() -> tuple[str, tuple[str, ...], float]:
    """The choice that the page answers, the last one without errors, as the arguments of `answer`."""
    text, changed, factor = st.session_state.good
    return text, _sets(changed), float(factor)


def _sets(changed: Mapping[str, str]) -> tuple[str, ...]:
    """Changes as the command line writes them."""
    return tuple(f"{path}={value}" for path, value in changed.items())


def _planned(text: str, changed: Mapping[str, str], factor: float) -> Answer:
    # a sign of life for thousands of topics; for a few it would only flicker
    with st.spinner("Planning ...") if len(text) > _LONG else nullcontext():
        result: Answer = answer(text, _sets(changed), factor)
    return result


def recommended(*, alone: bool) -> Recommendation | None:
    """The recommendation for the answered choice; `alone` leaves its topics aside, and then there may be no answers."""
    found: Recommendation | None = _recommended(*answered(), alone)
    return found


@st.cache_data(max_entries=64, show_spinner=False)
def _recommended(text: str, changes: tuple[str, ...], factor: float, alone: bool) -> Recommendation | None:  # noqa: FBT001
    scenario = codec.load(text, changes)
    if alone:
        given = codec.to_mapping(scenario.questions)
        return recommend(codec.from_mapping({"name": scenario.name, "questions": given})) if given else None
    return recommend(scenario if factor == 1 else scaled(scenario, factor))


def counted(topic: str) -> TopicCount:
    """Partition count, ladder, skew and ceilings of one topic of the answered choice."""
    found: TopicCount = _counted(*answered(), topic)
    return found


@st.cache_data(max_entries=64, show_spinner=False)
def _counted(text: str, changes: tuple[str, ...], factor: float, topic: str) -> TopicCount:
    scenario = answer(text, changes, factor).plan.scenario
    return partitions(scenario, topic=topic).topics[topic]


def unscaled() -> Scenario:
    """The scenario of the answered choice with its changes, without the factor on the load."""
    text, sets, _ = answered()
    return codec.load(text, sets)


def take_topics(topics: Sequence[Mapping[str, Any]], origin: str) -> None:
    """Put other topics in place of those of the scenario; changes that are not of topics stay. Raises ScenarioError."""
    rest = {path: value for path, value in st.session_state.changes.items() if not path.startswith("topics.")}
    factor = float(st.session_state.factor)
    mapping = codec.to_mapping(codec.load(st.session_state.text))
    text = codec.dump(codec.from_mapping({**mapping, "topics": list(topics)}))
    answer(text, _sets(rest), factor)
    choose(origin, text)
    st.session_state.changes = rest
    st.session_state.factor = factor


def key(name: str) -> str:
    """A widget's key, new after a reset."""
    return f"{name}@{st.session_state.generation}"


def value_at(scenario: Scenario | Section, path: str) -> Any:
    """What the scenario, or a section of it, holds at a path such as `policy.survive.brokers`; None within nothing."""
    found: Any = scenario
    for part in path.split("."):
        found = None if found is None else getattr(found, part)
    return found
