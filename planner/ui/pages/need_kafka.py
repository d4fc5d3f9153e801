"""Need Kafka? The verdict in a sentence, why, what would change it, what it costs, and what to ask next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import streamlit as st

from planner.fields import InputError
from planner.recommender.judge import GOOD_FIT, REQUIRED
from planner.recommender.musthaves import QUESTIONS
from planner.recommender.recommendation import Flip, Recommendation
from planner.recommender.verdict import STRENGTH_WORDS
from planner.reports.pictures.messaging_costs import cost_alt, cost_spec
from planner.reports.text_recommend import (
    confidence_sentence,
    cost_table,
    destination,
    eliminated_table,
    money_sentences,
    name_of,
    no_flip_sentence,
    reasons_table,
    relaxing_sentences,
    scores_table,
)
from planner.reports.words import visible
from planner.scenario import Questions, Scenario
from planner.ui import asking, frame, questions, state, views

_REASONS: Final = 5
_FLIPS: Final = 8
_NEXT: Final = 2
_KINDS: Final = {"constraint": "must", "preference": "would", "cost": "would, for the money,"}
_MEASURED: Final = ("events_per_s", "peak_events_per_s", "message_bytes")  # topics answer these themselves
_LOAD: Final = ("events_per_s", "events_per_day", "peak_events_per_s", "bytes_per_s", "message_bytes")
_GOOD: Final = {REQUIRED: True, GOOD_FIT: True}  # the others say no as proudly


def page() -> None:
    """Draw the page."""
    plan, _ = frame.start()
    alone = _subject()
    found = state.recommended(alone=alone)
    if found is None:
        frame.answer_line("Answer a few questions, and the verdict stands here.", "Each may stay unknown.")
        _everything((), plan.scenario, {}, alone=alone)
        return
    _verdict(found)
    _next(found, plan.scenario, alone=alone)
    _reasons(found)
    _flips(found, alone=alone)
    _costs(found)
    _others(found)
    derived = {} if alone else _derived(found, plan.scenario.questions)
    _everything(_asked_next(found, alone=alone), plan.scenario, derived, alone=alone)
    frame.explain(found.trace, "")


def _subject() -> bool:
    """Whether the topics are left aside, and the load is what is answered here."""
    words = {False: "The topics of the scenario", True: "A load in a few words"}
    return bool(asking.one_of("Decide for", words, "load_in_words"))


def _verdict(found: Recommendation) -> None:
    words = STRENGTH_WORDS[found.verdict] if found.verdict else "No system meets everything"
    badge = frame.badge(words, good=_GOOD.get(found.verdict or ""))
    first, dot, rest = found.sentence.partition(". ")
    frame.answer_line(f"{first}{dot.strip()}", rest, above=f"{badge} {views.escape(found.name)}")
    if found.contradiction is None:
        st.markdown(views.sentence(confidence_sentence(found)))
    else:
        st.markdown("\n".join(f"- {views.sentence(line)}" for line in relaxing_sentences(found)))


# Questions


def _faults() -> dict[str, InputError]:
    return {error.path: error for error in state.current()[1]}


def _derived(found: Recommendation, given: Questions) -> dict[str, Any]:
    """What the topics and the policy answer."""
    return {name: value for name, value in found.answers.items() if getattr(given, name, None) is None}


def _asked_next(found: Recommendation, *, alone: bool) -> list[str]:
    return [name for name in found.questions_next if alone or name not in _LOAD][:_NEXT]


def _next(found: Recommendation, scenario: Scenario, *, alone: bool) -> None:
    """The next two questions, to be answered here."""
    names = _asked_next(found, alone=alone)
    if not names:
        st.markdown("Every question that usually decides is answered.")
        return
    st.header("Worth answering next", anchor=False)
    _fields(names, scenario.questions, {})


def _everything(shown: Sequence[str], scenario: Scenario, derived: Mapping[str, Any], *, alone: bool) -> None:
    """All questions that are not shown yet, in the order in which they usually decide."""
    load = _LOAD if alone else ()
    names = [*load, *(name for name in (*QUESTIONS, *Questions.model_fields) if alone or name not in _LOAD)]
    names = [name for name in dict.fromkeys(names) if name not in shown]
    with st.expander("All questions", expanded=alone):
        st.caption("Unknown is an answer: it rules nothing out and lowers the confidence.")
        _fields(names, scenario.questions, derived)


def _fields(names: Sequence[str], given: Questions, derived: Mapping[str, Any]) -> None:
    faults = _faults()
    left, right = st.columns(2)
    for index, name in enumerate(names):
        with right if index % 2 else left:
            questions.field_of(name, given, faults, derived)


# Why, and what would change it


def _reasons(found: Recommendation) -> None:
    if not found.reasons:
        return
    st.header("Why", anchor=False)
    for row in found.reasons[:_REASONS]:
        st.markdown(
            f"- **{views.escape(_input_words(row.input))}**: {views.sentence(row.fact)}. {views.sentence(row.effect)}."
        )
    with st.expander("The same as a table, with sources"):
        frame.table(reasons_table(found), heading=False)


def _input_words(name: str) -> str:
    return questions.asked(name).label.rstrip("?") if name in Questions.model_fields else visible(name)


def _flips(found: Recommendation, *, alone: bool) -> None:
    """Answers that would change the verdict, each to be tried by one click and taken back by another."""
    st.header("What would change my mind", anchor=False)
    _tried()
    if not found.flips:
        st.markdown("No single answer changes the family of systems.")
    with st.container(gap="xxsmall", key="flips"):
        for index, flip in enumerate(found.flips[:_FLIPS]):
            sentence = views.sentence(_flip_sentence(flip))
            change = _change(flip, alone=alone)
            if change is None:
                st.markdown(sentence)
            else:
                key = f"try {index} {flip.input}"
                st.button(f"→ {sentence}", key=key, on_click=_try, args=change, type="tertiary", help="Try it.")
    if found.no_flips:
        st.caption(views.sentence(no_flip_sentence(found)))


def _flip_sentence(flip: Flip) -> str:
    now = "not answered" if flip.from_ is None else f"now {questions.worded(flip.input, flip.from_)}"
    times = f", {flip.factor:.3g} times today's" if flip.factor else ""
    there = f"it {_KINDS[flip.kind]} be {destination(flip.family, flip.system)}"
    if flip.family is None:
        there = "no system meets everything any more"
    return f"{_input_words(flip.input)}: {questions.worded(flip.input, flip.to)} ({now}{times}): {there}."


def _change(flip: Flip, *, alone: bool) -> tuple[str, str] | None:
    """The change that a flip asks for; the rate of topics is changed by a factor, their sizes not at all."""
    if alone or flip.input not in _MEASURED:
        return questions.path_of(flip.input), questions.text_of(flip.to)
    if flip.input == "events_per_s" and flip.factor:
        return state.LOAD, repr(float(f"{st.session_state.factor * flip.factor:.6g}"))
    return None


def _try(path: str, text: str) -> None:
    changes = state.changes()
    before = str(st.session_state.factor) if path == state.LOAD else changes.get(path)
    st.session_state.tried = {**st.session_state.get("tried", {}), path: before}
    state.put(path, text)


def _tried() -> None:
    """What was tried and still holds."""
    changes = state.changes()
    tried = {path: before for path, before in st.session_state.get("tried", {}).items() if path in changes}
    for path, before in tried.items():
        name = path.removeprefix("questions.")
        st.button(
            f"↩ Undo: {views.escape(_input_words(name))} = {views.escape(changes[path])}",
            key=f"untry {path}",
            on_click=_untry,
            args=(path, before),
        )


def _untry(path: str, before: str | None) -> None:
    st.session_state.tried = {key: text for key, text in st.session_state.tried.items() if key != path}
    state.put(path, before)


# Money, and the others


def _costs(found: Recommendation) -> None:
    st.header("What it costs a month", anchor=False)
    frame.chart(
        cost_spec(found.cost, dark=frame.is_dark()),
        cost_alt(found.cost),
        key="messaging_costs",
        tables=(cost_table(found),),
    )
    st.caption(
        "USD. People are hours of work times a rate, an assumption of low confidence, and never summed with money."
    )
    for line in money_sentences(found):
        st.markdown(views.sentence(line))


def _others(found: Recommendation) -> None:
    st.header("Ruled out, and what is left", anchor=False)
    if found.eliminated:
        names = dict.fromkeys(name_of(row.system) for row in found.eliminated)
        st.markdown(f"{len(found.eliminated)} systems are ruled out: {views.sentence(', '.join(names))}.")
        with st.expander("By what each is ruled out"):
            frame.table(eliminated_table(found), heading=False)
    else:
        st.markdown("Nothing is ruled out yet.")
    if found.scores:
        frame.table(scores_table(found))
    for line in found.warnings:
        st.markdown(f":orange-badge[◆ Note] {views.sentence(line)}")


if __name__ == "__main__":  # as Streamlit runs it; an import draws nothing
    page()
