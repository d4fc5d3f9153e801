"""What a check reports: which rule, where, and the number from this scenario that makes it matter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from planner.advise.evidence import Evidence
from planner.operations.retaining import Retained
from planner.operations.view import View
from planner.results import Severity
from planner.units import format_quantity

_DIMENSIONS = {"bytes": "bytes", "bytes/s": "bytes_per_s", "s": "s", "1/s": "per_s", "fraction": "fraction"}


@dataclass(frozen=True, slots=True)
class Hit:
    """One place where a rule of `data/audit/rules.toml` applies."""

    code: str
    where: str
    number: float
    unit: str
    subject: str = ""
    texts: Mapping[str, str] = field(default_factory=dict)
    severity: Severity | None = None  # where it differs from the rule's own


@dataclass(frozen=True, slots=True)
class Case:
    """What every check reads."""

    view: View
    evidence: Evidence
    retained: Retained


def shown(number: float, unit: str) -> str:
    """A number with its unit as people write it."""
    if unit in _DIMENSIONS:
        return format_quantity(number, _DIMENSIONS[unit], binary=unit == "bytes" and number % 1024 == 0 and number > 0)
    return f"{format_quantity(number, 'count')} {unit}".strip() if unit != "count" else format_quantity(number, "count")


def ms(seconds: float) -> str:
    """Seconds as Kafka's settings write them."""
    return str(round(seconds * 1000))
