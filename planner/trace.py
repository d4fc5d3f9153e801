"""How a formula registers itself, and how a computed figure remembers where it came from.

A model function carries its formula as an arithmetic expression over its own parameter names. The expression is not
decoration: a test evaluates it with the recorded numbers and compares it with the recorded value.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

import numpy as np

F = TypeVar("F", bound=Callable[..., Any])
Note: TypeAlias = Callable[..., Any]  # called like a Trace: name, function, then the numbers by name

_WORD = re.compile(r"[A-Za-z_][A-Za-z_0-9]*")
_WHOLE = 1e15  # whole numbers below this are written out
_LISTED = 8  # arrays up to this length are shown value by value, longer ones as a summary


@dataclass(frozen=True, slots=True)
class Formula:
    """One formula: what it computes, as arithmetic over parameter names, with unit and source."""

    name: str
    module: str
    summary: str
    expression: str
    unit: str
    source: str
    confidence: str


_REGISTRY: dict[str, Formula] = {}


def formula(expression: str, *, unit: str, source: str, confidence: str = "high") -> Callable[[F], F]:
    """Register the decorated model function under its own name, with its formula, unit and source id."""

    def register(function: F) -> F:
        name = function.__name__
        if name in _REGISTRY and _REGISTRY[name].module != function.__module__:
            msg = f"two formulas are called {name}: {_REGISTRY[name].module} and {function.__module__}"
            raise ValueError(msg)
        summary = (function.__doc__ or "").strip().split("\n")[0]
        _REGISTRY[name] = Formula(name, function.__module__, summary, expression, unit, source, confidence)
        return function

    return register


def registry() -> Mapping[str, Formula]:
    """Every formula of the modules imported so far, by name."""
    return _REGISTRY


def formula_of(function: Callable[..., Any]) -> Formula:
    """The formula that the model function registered."""
    return _REGISTRY[function.__name__]


def plain(value: Any) -> Any:
    """Return `value` as JSON-ready Python: arrays as lists, or as a summary when long."""
    if isinstance(value, np.ndarray):
        if value.ndim == 0:
            return value.item()
        if value.size <= _LISTED:
            return value.tolist()
        numbers = value.astype(float)
        return {
            "count": int(value.size),
            "sum": float(numbers.sum()),
            "min": float(numbers.min()),
            "max": float(numbers.max()),
        }
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, float):
        return float(value)  # a value given as a range is a float subclass: keep the number only
    return value


def _finite(value: Any) -> Any:
    """Return `value` with what is unlimited as null: JSON has no infinity."""
    if isinstance(value, list):
        return [_finite(item) for item in value]
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value


def short(value: Any) -> str:
    """Return `value` as a reader would write it: six significant digits, arrays in brackets."""
    shown = plain(value)
    if isinstance(shown, dict):
        return f"[{shown['count']} values, sum {short(shown['sum'])}]"
    if isinstance(shown, list):
        return "[" + ", ".join(short(item) for item in shown) + "]"
    if isinstance(shown, bool) or not isinstance(shown, int | float):
        return str(shown)
    if not math.isfinite(shown):
        return "unlimited"
    if float(shown).is_integer() and abs(shown) < _WHOLE:
        return f"{int(shown):,}".replace(",", " ")
    return f"{shown:.6g}"


@dataclass(frozen=True, slots=True)
class Step:
    """One computed figure: name, expression, the numbers that went in, value, unit, source."""

    name: str
    expression: str
    numbers: Mapping[str, Any]
    value: Any
    unit: str
    source: str
    confidence: str = "high"
    summary: str = ""

    @property
    def substituted(self) -> str:
        """The expression with the live numbers in place of the names."""

        def replace(match: re.Match[str]) -> str:
            word = match.group()
            return short(self.numbers[word]) if word in self.numbers else word

        return _WORD.sub(replace, self.expression)

    def to_dict(self) -> dict[str, Any]:
        """The contract's form of a trace step."""
        return {
            "name": self.name,
            "expression": self.expression,
            "substituted": self.substituted,
            "numbers": {key: _finite(plain(number)) for key, number in self.numbers.items()},
            "value": _finite(plain(self.value)),
            "unit": self.unit,
            "source": self.source,
            "confidence": self.confidence,
            "summary": self.summary,
        }


@dataclass(slots=True)
class Trace:
    """Calls model functions and keeps a step for each named figure, in order of computation."""

    steps: dict[str, Step] = field(default_factory=dict)
    labels: tuple[str, ...] = ()  # what the entries of an array over topics stand for

    def __call__(self, name: str, function: Callable[..., Any], unit: str = "", /, **numbers: Any) -> Any:
        """Compute `function(**numbers)` and record it under `name`; a later figure of the same name replaces it.

        `unit` is for the few formulas that keep the unit of what they are given.
        """
        value = function(**numbers)
        rule = formula_of(function)
        self.steps[name] = Step(
            name, rule.expression, numbers, value, unit or rule.unit, rule.source, rule.confidence, rule.summary
        )
        return value

    @staticmethod
    def silent(_name: str, function: Callable[..., Any], _unit: str = "", /, **numbers: Any) -> Any:
        """Compute without recording: what a search calls for the counts that it only tries."""
        return function(**numbers)

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps.values())
