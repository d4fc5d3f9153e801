"""How the planner computes: every formula, constant and published case, as the registry and the data hold them."""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import re
import tomllib
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

from planner import model
from planner.constants import Constant, constants, data_path, sources
from planner.reports.tables import Table
from planner.reports.words import quantity
from planner.results import Plan
from planner.trace import Formula, Step, registry, short

CLASSES: Final = {
    "reproduced": "Reproduced by the planner's own formulas",
    "source_formula": "Reproduced only by the source's own formula",
    "disagreed": "Disagreed: published errors and other models",
    "not_computable": "Not computable from what is published",
}
_CAVEATS: Final = ("Assumptions", "Validity")


@cache
def subjects() -> dict[str, tuple[Formula, ...]]:
    """Formulas by the subject that they belong to."""
    names = [item.name for item in pkgutil.iter_modules(model.__path__)]
    found = {}
    for name in sorted(names):
        module = f"{model.__name__}.{name}"
        importlib.import_module(module)
        rules = tuple(rule for rule in registry().values() if rule.module == module)
        if rules:
            found[name.replace("_", " ")] = rules
    return found


@cache
def caveats(rule: Formula) -> tuple[str, ...]:
    """What a formula assumes and where it holds, as its function says."""
    text = inspect.getdoc(getattr(importlib.import_module(rule.module), rule.name)) or ""
    found = []
    for name in _CAVEATS:
        match = re.search(rf"^{name}\n-+\n(.*?)(?=\n\n[A-Z][A-Za-z ]+\n-+\n|\Z)", text, flags=re.MULTILINE | re.DOTALL)
        if match:
            found.append(" ".join(match[1].split()))
    return tuple(found)


def steps_of(rule: Formula, plan: Plan) -> list[Step]:
    """Where the plan used a formula, with its numbers."""
    return [step for step in plan.trace if step.expression == rule.expression and step.summary == rule.summary]


# Constants


def constants_table() -> Table:
    """Every constant with range, source and date."""
    rows = tuple(
        (
            item.id,
            quantity(item.value, item.unit),
            "fixed"
            if item.low == item.high
            else f"{quantity(item.low, item.unit)} to {quantity(item.high, item.unit)}",
            item.confidence,
            sources()[item.source].title,
            item.as_of,
            f"{item.applies_to}. {item.note}".rstrip(". ") + ".",
        )
        for item in constants().values()
    )
    columns = ("constant", "value", "range", "confidence", "source", "as of", "applies to")
    return Table("Constants", columns, rows, right=frozenset({1}))


def _range(item: Constant) -> str:
    low, high = quantity(item.low, item.unit), quantity(item.high, item.unit)
    return "fixed" if item.low == item.high else f"{low} to {high}"


def found(table: Table, words: str) -> Table:
    """The rows of a table that hold a text anywhere."""
    rows = tuple(row for row in table.rows if words.casefold() in " ".join(row).casefold())
    return replace(table, rows=rows)


# Published cases


@dataclass(frozen=True, slots=True)
class Case:
    """A published case, what it is counted as, and why."""

    id: str
    kind: str
    source: str
    why: str
    by: tuple[str, ...]


@cache
def cases() -> tuple[Case, ...]:
    """Every published case."""
    published = json.loads(data_path("published_cases.json").read_text(encoding="utf-8"))
    with data_path("published_classes.toml").open("rb") as file:
        classes = tomllib.load(file)
    return tuple(
        Case(
            row["id"],
            classes[row["id"]]["class"],
            row["source"],
            classes[row["id"]]["why"],
            tuple(classes[row["id"]].get("by", ())),
        )
        for row in published
    )


def cases_table(kind: str) -> Table:
    """The published cases of one class."""
    rows = tuple((row.id, row.source, row.why, ", ".join(row.by)) for row in cases() if row.kind == kind)
    return Table(CLASSES[kind], ("case", "published by", "why it counts so", "formulas"), rows)


def classes_table() -> Table:
    """How many published cases are in each class."""
    counts = {kind: sum(row.kind == kind for row in cases()) for kind in CLASSES}
    rows = (*((CLASSES[kind], str(count)) for kind, count in counts.items()), ("all", str(len(cases()))))
    return Table("Published cases", ("class", "cases"), rows, right=frozenset({1}))


def method_sentences() -> tuple[str, str]:
    """What there is, in a sentence, and how it was checked."""
    formulas = sum(map(len, subjects().values()))
    reproduced = sum(row.kind == "reproduced" for row in cases())
    disagreed = sum(row.kind == "disagreed" for row in cases())
    checked = (
        f"{reproduced} of {len(cases())} published cases are reproduced within their own rounding; {disagreed} "
        "disagree, and the table below says why. Measure before you trust: CPU and disk operations are of low "
        "confidence, because they depend on your clients, your kernel and your disks."
    )
    return f"{formulas} formulas and {len(constants())} constants, each with its source.", checked


def result_text(step: Step) -> str:
    """The formula with the numbers of a plan, and what comes out."""
    return f"{step.substituted} = {short(step.value)} {step.unit}"
