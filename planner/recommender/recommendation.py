"""What a recommendation answers: frozen, typed, with the contract's names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from planner.results import Assumption, CostLine, Result, frame_of, to_plain
from planner.trace import Trace

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Choice:
    """A system and its family."""

    system: str
    family: str


@dataclass(frozen=True)
class Reason:
    """One answer, the sourced fact that it meets, and what follows."""

    input: str
    fact: str
    source: str
    effect: str


@dataclass(frozen=True)
class Elimination:
    """A system that a must-have rules out, by the constraint that decides; `others` would rule it out too."""

    system: str
    family: str
    constraint: str
    input: str
    source: str
    others: tuple[str, ...]


@dataclass(frozen=True)
class ScoreRow:
    """What one preference adds to a system."""

    row: str
    input: str
    score: float
    weight: float
    points: float


@dataclass(frozen=True)
class Score:
    """The fit of one surviving system, row by row; money is no part of it."""

    system: str
    family: str
    total: float
    rows: tuple[ScoreRow, ...]


@dataclass(frozen=True)
class SystemCost:
    """Monthly cost of one system and what is bought beside it; None where no price could be read.

    `role` says why it is listed: verdict, runner-up, cheapest Kafka.
    """

    system: str
    role: str
    also: tuple[str, ...]
    infrastructure_per_month: float | None
    infrastructure_reason: str | None
    people_per_month: float
    people_hours_per_month: float
    lines: tuple[CostLine, ...]


@dataclass(frozen=True)
class Flip:
    """The nearest value of one input at which the family changes; verified at `to`, and at `before` it does not."""

    input: str
    from_: Any
    to: Any
    family: str | None
    system: str | None
    kind: str
    factor: float | None
    before: Any

    def to_dict(self) -> dict[str, Any]:
        """The contract's names."""
        return {
            "input": self.input,
            "from": self.from_,
            "to": self.to,
            "family": self.family,
            "system": self.system,
            "kind": self.kind,
            "factor": self.factor,
            "before": self.before,
        }


@dataclass(frozen=True)
class NoFlip:
    """An input whose values change nothing: the ends of what was tried, none where every answer was."""

    input: str
    from_: Any
    up_to: tuple[float, ...]


@dataclass(frozen=True)
class Pair:
    """The two closest flips together."""

    inputs: tuple[str, str]
    to: tuple[Any, Any]
    family: str | None
    system: str | None


@dataclass(frozen=True)
class BreakEven:
    """The rate from which the cheapest Kafka costs no more, people included; None with the reason if there is none."""

    events_per_s: float | None
    against: str | None
    system: str | None
    folk_events_per_s: float
    reason: str | None
    assumptions: tuple[str, ...]


@dataclass(frozen=True)
class Growth:
    """When the load has grown to the break-even rate."""

    growth_per_year: float
    years: float
    date: str


@dataclass(frozen=True)
class Migration:
    """Leaving a running cluster: the work, and when it has paid for itself."""

    away_from: str
    effort_hours: float
    effort_cost: float
    saving_per_month: float | None
    payback_months: float | None
    payback_months_reason: str | None


@dataclass(frozen=True)
class Relaxed:
    """What giving up one must-have would buy."""

    input: str
    constraint: str
    family: str | None
    system: str | None


@dataclass(frozen=True)
class Contradiction:
    """The must-haves that no system meets together."""

    inputs: tuple[str, ...]
    constraints: tuple[str, ...]
    sentence: str
    relaxing: tuple[Relaxed, ...]


@dataclass(frozen=True)
class Recommendation(Result):
    """A verdict about Kafka that can be defended: reasons, costs, what would change it, what is not known."""

    name: str
    verdict: str | None
    family: str | None
    system: str | None
    runner_up: Choice | None
    also: tuple[str, ...]
    confidence: float
    kept_fraction: float
    answered_fraction: float
    close_call: bool
    sentence: str
    reasons: tuple[Reason, ...]
    eliminated: tuple[Elimination, ...]
    scores: tuple[Score, ...]
    cost: tuple[SystemCost, ...]
    currency: str
    flips: tuple[Flip, ...]
    pairs: tuple[Pair, ...]
    no_flips: tuple[NoFlip, ...]
    break_even: BreakEven
    growth: Growth | None
    migration: Migration | None
    contradiction: Contradiction | None
    questions_next: tuple[str, ...]
    answers: Mapping[str, Any]
    warnings: tuple[str, ...]
    assumptions: tuple[Assumption, ...]
    trace: Trace

    def to_dict(self) -> dict[str, Any]:
        """The contract's dictionary."""
        flips = [flip.to_dict() for flip in self.flips]
        no_flips = [{"input": row.input, "from": row.from_, "up_to": list(row.up_to)} for row in self.no_flips]
        told: dict[str, Any] = {"flips": flips, "no_flips": no_flips, "pairs": [vars(pair) for pair in self.pairs]}
        return {
            row.name: to_plain(_finite(told[row.name]) if row.name in told else getattr(self, row.name))
            for row in fields(self)
        }

    def to_frame(self, table: str = "scores") -> pd.DataFrame:
        """One of the tables `scores`, `eliminated`, `flips`, `cost`, `reasons` as a data frame."""
        import pandas as pd  # heavy: only for callers who want a frame

        if table == "scores":
            rows = [{"system": row.system, "family": row.family, "fit": row.total} for row in self.scores]
            return pd.DataFrame(rows, columns=["system", "family", "fit"])
        if table == "flips":
            return pd.DataFrame([flip.to_dict() for flip in self.flips])
        if table in ("eliminated", "cost", "reasons"):
            return frame_of(getattr(self, table))
        msg = f"no table {table!r}; there are scores, eliminated, flips, cost, reasons"
        raise ValueError(msg)


def _finite(value: Any) -> Any:
    """`forever` in the words of the scenario."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return "forever" if isinstance(value, float) and value == float("inf") else value
