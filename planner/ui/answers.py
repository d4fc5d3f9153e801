"""Answers of the questions about a running cluster, computed once for a choice and worded as the command words them."""

from __future__ import annotations

from importlib import import_module
from typing import Any, NamedTuple

import streamlit as st

from planner.reports.page import Block, Paragraph, Recorded
from planner.scenario import InputError, ScenarioError
from planner.ui import frame, state

# question: where it is answered, and where the answer is worded
_QUESTIONS = {
    "audit": ("planner.advise", "planner.reports.text_audit:audit_text"),
    "consumers": ("planner.operations.lag", "planner.reports.text_consumers:consumers_text"),
    "durability": ("planner.operations.losses", "planner.reports.text_durability:durability_text"),
    "failure": ("planner.operations.failures", "planner.reports.text_failure:failure_text"),
    "growth": ("planner.runway", "planner.reports.text_growth:growth_text"),
    "reassign": ("planner.operations.reassigning", "planner.reports.text_reassign:reassign_text"),
    "rebalance": ("planner.operations.rebalances", "planner.reports.text_consumers:rebalance_text"),
    "repartition": ("planner.operations.repartitioning", "planner.reports.text_repartition:repartition_text"),
    "search": ("planner.optimise", "planner.reports.text_search:search_text"),
    "uncertainty": ("planner.montecarlo", "planner.reports.text_uncertainty:uncertainty_text"),
}


class Answered(NamedTuple):
    """An answer in sentences and tables, or what was wrong instead."""

    blocks: tuple[Block, ...]
    errors: tuple[InputError, ...]


def show(question: str, *, first: bool = True, **options: Any) -> None:
    """Answer a question of the visitor's choice on the page; the first answer of a page is its heading."""
    found = _answered(question, *state.answered(), tuple(sorted(options.items())))
    if found.errors:
        frame.refusal("This cannot be answered.", found.errors)
        return
    rest = list(found.blocks)
    top = rest[0] if rest else None
    if first and isinstance(top, Paragraph):
        sentence, *others = top.sentences
        del rest[0]
        frame.answer_line(sentence, others)
    frame.blocks(rest)


@st.cache_data(max_entries=128, show_spinner="Computing ...")
def _answered(
    question: str, text: str, changes: tuple[str, ...], factor: float, options: tuple[tuple[str, Any], ...]
) -> Answered:
    home, wording = _QUESTIONS[question]
    module, _, name = wording.partition(":")
    page = Recorded()
    scenario = state.answer(text, changes, factor).plan.scenario
    try:
        found = getattr(import_module(home), question)(scenario, **dict(options))
        getattr(import_module(module), name)(found, page)
    except ScenarioError as error:
        return Answered((), tuple(error.errors))
    return Answered(page.blocks, ())
