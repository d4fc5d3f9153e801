"""Stage 2: preferences are scored in an open table; `data/systems/preferences.toml` or one of the user's own."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from planner.constants import constant, data_path
from planner.fields import InputError, ManyOf, OneOf, ScenarioError, nearest, shorten
from planner.recommender.answers import Batch, reader_of
from planner.recommender.musthaves import held, unverified
from planner.recommender.systems import Array, Catalogue, System
from planner.scenario import Questions

WEIGHTS = (0.5, 1, 2)
MOST_POINTS = 2
MAX_BYTES = 1_000_000
MAX_ROWS = 200
_CONDITIONS = ("is", "yes", "no", "at_least", "below", "known", "unknown", "always", "match")
_MATCHES = ("existing", "leaving", "headroom", "unverified")
_KEYS = frozenset({"text", "input", "weight", "scores", "source", *_CONDITIONS})
_COMFORTABLE = 0.5  # of a limit


@dataclass(frozen=True, eq=False)
class Preference:
    """One row: when `input` is answered so, every system gets its score times the weight."""

    id: str
    text: str
    input: str
    condition: str
    operand: Any
    weight: float
    scores: Mapping[str, float]
    source: str

    def applies(self, batch: Batch) -> Array:
        """In which variants the row counts."""
        name, operand = self.input, self.operand
        number = batch.rate if name == "events_per_s" else batch.number(name)
        with np.errstate(invalid="ignore"):
            tests: dict[str, Callable[[], Array]] = {
                "is": lambda: batch.word(name, operand),
                "yes": lambda: batch.yes(name),
                "no": lambda: batch.no(name),
                "at_least": lambda: number >= operand,
                "below": lambda: number < operand,
                "known": lambda: batch.known(name),
                "unknown": lambda: ~batch.known(name),
                "always": lambda: np.ones(batch.size, dtype=bool),
                "match": lambda: np.ones(batch.size, dtype=bool),
            }
            return np.asarray(tests[self.condition]())

    def points(self, batch: Batch, catalogue: Catalogue) -> Array:
        """Systems by variants: what the row adds, its weight left out."""
        if self.condition != "match":
            return _scores(self, catalogue) * self.applies(batch)[None, :]
        if self.operand == "headroom":
            return self._headroom(batch, catalogue)
        if self.operand == "unverified":
            return unverified(batch, catalogue) * self.scores.get("each", 0.0)
        same = held(batch, catalogue, self.operand)
        if self.operand == "leaving":
            same = _same_family(same, catalogue)
        return same * self.scores.get("matching", 0.0)

    def _headroom(self, batch: Batch, catalogue: Catalogue) -> Array:
        """The certain rate against the comfortable one, else against half of a limit or benchmark."""
        comfort = catalogue.firm("rate_comfort")
        limit = np.fmin(catalogue.firm("rate_max"), catalogue.firm("rate_benchmark"))
        comfort = np.where(np.isnan(comfort), limit * _COMFORTABLE, comfort)
        rate = batch.peak_floor[None, :]
        with np.errstate(invalid="ignore"):
            near, beyond = rate > comfort, rate > limit
        return np.where(beyond, self.scores.get("beyond", 0.0), np.where(near, self.scores.get("near", 0.0), 0.0))


@lru_cache(maxsize=1024)
def _scores(row: Preference, catalogue: Catalogue) -> Array:
    """The score of every system, as a column: by its own name, a trait, or its family."""
    found = []
    for system in catalogue.systems:
        names = (system.key, *_traits(system, catalogue), system.family)
        found.append([next((float(row.scores[name]) for name in names if name in row.scores), 0.0)])
    return np.array(found)


def _same_family(mask: Array, catalogue: Catalogue) -> Array:
    families = np.array([system.family for system in catalogue.systems])
    return np.array([mask[families == family].any(axis=0) for family in families])


def _traits(system: System, catalogue: Catalogue) -> tuple[str, ...]:
    places = sum(catalogue.facts[system.key, f"cloud_{cloud}"].value for cloud in ("aws", "gcp", "azure"))
    return (
        *(("serverless",) if system.operation == "serverless" else ()),
        *(("single_cloud",) if places == 1 else ()),
    )


@dataclass(frozen=True)
class Table:
    """The rows of a table, with their weights as a vector."""

    rows: tuple[Preference, ...]

    @property
    def weights(self) -> Array:
        """One weight per row."""
        return np.array([row.weight for row in self.rows])

    def fit(self, batch: Batch, catalogue: Catalogue, weights: Array) -> Array:
        """Systems by variants: the points of all rows; `weights` has a row per preference, for all or each variant."""
        total = np.zeros((len(catalogue.systems), batch.size))
        for row, weight in zip(self.rows, weights, strict=True):
            total += weight * row.points(batch, catalogue)
        return total


@cache
def default_table() -> Table:
    """The table of this project."""
    return read_table(data_path("systems", "preferences.toml"))


def read_table(path: Path) -> Table:
    """Read a table; whatever is wrong with it is told at once.

    Raises
    ------
    ScenarioError
        With every error of the file.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise ScenarioError([InputError("preferences", str(path), "The file is too large.", f"{MAX_BYTES} bytes")])
        rows = tomllib.loads(data.decode("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        if isinstance(error, ScenarioError):
            raise
        message = f"The table of preferences cannot be read: {getattr(error, 'strerror', None) or error}."
        raise ScenarioError([InputError("preferences", shorten(str(path)), message, "a TOML file")]) from None
    return table_of(rows)


def table_of(rows: Mapping[str, Any]) -> Table:
    """The table that a mapping of rows describes."""
    errors: list[InputError] = []
    if len(rows) > MAX_ROWS:
        errors.append(InputError("preferences", len(rows), "There are too many rows.", f"at most {MAX_ROWS}"))
    found = [_row(key, row, errors) for key, row in list(rows.items())[:MAX_ROWS]]
    if errors:
        raise ScenarioError(errors)
    return Table(tuple(row for row in found if row is not None))


def _row(key: str, row: Any, errors: list[InputError]) -> Preference | None:
    path, before = f"preferences.{shorten(key)}", len(errors)

    def wrong(name: str, value: Any, message: str, allowed: str, close: str | None = None) -> None:
        errors.append(InputError(f"{path}.{name}" if name else path, shorten(value), message, allowed, close))

    if not isinstance(row, Mapping):
        wrong("", row, "A row is a table.", "input, a condition, weight, scores")
        return None
    for name in row.keys() - _KEYS:
        wrong(shorten(name), row[name], "There is no such key.", ", ".join(sorted(_KEYS)), nearest(name, _KEYS))
    if row.get("input") not in Questions.model_fields:
        names = [name for name in Questions.model_fields if name != "events_per_day"]
        wrong("input", row.get("input"), "Must be a question.", ", ".join(names), nearest(row.get("input"), names))
    conditions = [name for name in _CONDITIONS if name in row]
    if len(conditions) != 1:
        wrong("", conditions or None, "A row has exactly one condition.", ", ".join(_CONDITIONS))
    if row.get("weight") not in WEIGHTS or isinstance(row.get("weight"), bool):
        wrong("weight", row.get("weight"), "Must be one of the weights.", ", ".join(map(str, WEIGHTS)))
    scores = row.get("scores")
    if not isinstance(scores, Mapping) or not all(_is_score(value) for value in scores.values()):
        wrong("scores", scores, "Scores are numbers.", f"names with a number from -{MOST_POINTS} to {MOST_POINTS}")
    if len(errors) == before:
        _check_operand(row, conditions[0], wrong)
    if len(errors) > before:
        return None
    text = str(shorten(row.get("text") or key))
    source = str(shorten(row.get("source") or "own table"))
    condition = conditions[0]
    return Preference(
        key, text, row["input"], condition, row[condition], float(row["weight"]), dict(row["scores"]), source
    )


def _is_score(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= MOST_POINTS


def _check_operand(row: Mapping[str, Any], condition: str, wrong: Any) -> None:
    operand, reader = row[condition], reader_of(row["input"])
    if condition == "is":
        words = reader.words if isinstance(reader, OneOf | ManyOf) else ()
        if operand not in words:
            wrong("is", operand, "The question has no such answer.", ", ".join(words), nearest(operand, words))
    elif condition in ("at_least", "below"):
        if isinstance(operand, bool) or not isinstance(operand, int | float) or not np.isfinite(operand):
            wrong(condition, operand, "Must be a number.", "a finite number")
    elif condition == "match":
        if operand not in _MATCHES:
            wrong("match", operand, "There is no such match.", ", ".join(_MATCHES), nearest(operand, _MATCHES))
    elif operand is not True:
        wrong(condition, operand, "Must be true.", "true")


def point_price() -> float:
    """The most that one point of fit is worth a month."""
    return constant("recommender.point_price")
