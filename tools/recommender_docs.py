"""The generated parts of docs/recommender.md: systems, must-haves, preferences, published decisions."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from planner.constants import constant, data_path
from planner.recommender.answers import Batch, answers_of
from planner.recommender.explain import said
from planner.recommender.judge import judge
from planner.recommender.musthaves import RULES
from planner.recommender.preferences import Preference, default_table
from planner.recommender.systems import catalogue
from planner.scenario import Scenario

Table = Callable[[list[str], list[list[str]]], str]


def systems(table: Table) -> str:
    """Every system with its family and the hours that running it is taken to cost."""
    known = catalogue()
    rows = []
    for system in known.systems:
        facts = sum(key == system.key for key, _ in known.facts)
        hours = constant(f"recommender.people_hours.{system.operation}")
        rows.append([f"`{system.key}`", system.name, system.family.replace("_", " "), f"{hours:g}", str(facts)])
    return table(["key", "system", "family", "hours a month", "facts"], rows)


def musthaves(table: Table) -> str:
    """Every rule: which answer asks for it, which fact answers, who fails where the fact is a plain no."""
    known = catalogue()
    rows = []
    for rule in RULES:
        firm = known.firm(rule.attribute)[:, 0]
        level = any(known.facts[key].unit in ("level", "flag") for key in known.facts if key[1] == rule.attribute)
        failing = [known.systems[row].key for row in np.flatnonzero(firm == 0)] if level else []
        fails = ", ".join(f"`{key}`" for key in failing) if failing else "by its limit"
        rows.append([", ".join(f"`{name}`" for name in rule.inputs), rule.need, f"`{rule.attribute}`", fails])
    return table(["question", "need", "fact", "fails"], rows)


def _when(row: Preference) -> str:
    words = {"at_least": "from", "below": "below", "is": "=", "match": "matches"}
    if row.condition in words:
        return f"{words[row.condition]} {row.operand}"
    return row.condition


def preferences(table: Table) -> str:
    """Every row of the built-in table."""
    rows = [
        [
            row.text,
            f"`{row.input}` {_when(row)}",
            f"{row.weight:g}",
            ", ".join(f"{name} {score:+g}" for name, score in row.scores.items() if score),
            f"[{row.source}](constants.md#{row.source.replace('.', '')})",
        ]
        for row in default_table().rows
    ]
    return table(["preference", "when", "weight", "scores", "source"], rows)


def cases(table: Table) -> str:
    """Every published decision with our answer beside it."""
    rows = []
    met = counted = 0
    for case in json.loads(data_path("decision_cases.json").read_text(encoding="utf-8")):
        system, family, strength = _answer(case["questions"])
        published = case["published"]
        counts = case["use"] != "excluded"
        holds = family in published["acceptable_families"]
        met, counted = met + (holds and counts), counted + counts
        verdict = "yes" if holds else "**no**" if counts else "no (contested, not counted)"
        questions = ", ".join(f"{name} {_said(name, value)}" for name, value in case["questions"].items())
        theirs = ", ".join(name.replace("_", " ") for name in published["acceptable_families"])
        source = f"[{case['source']}]({case['url']})" if case["url"] else case["source"]
        rows.append([f"`{case['id']}`", source, questions, theirs, f"{system}: {strength}", verdict])
    heads = ["case", "source", "what was asked", "families it accepts", "our answer", "met"]
    return f"{met} of {counted} are met at family level ({met / counted:.2f}).\n\n" + table(heads, rows)


def _answer(questions: Mapping[str, Any]) -> tuple[str, str | None, str]:
    scenario = Scenario.model_validate({"questions": dict(questions)})
    ruling = judge(Batch.of([answers_of(scenario).columns()]), catalogue(), default_table())
    best = int(ruling.best[0])
    system = "nobody" if best < 0 else f"`{catalogue().systems[best].key}`"
    return system, ruling.family(), str(ruling.strength()).replace("_", " ")


def _said(name: str, value: Any) -> str:
    return value if isinstance(value, str) else said(name, value)
