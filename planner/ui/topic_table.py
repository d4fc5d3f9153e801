"""The topics of a scenario as rows of text, and edited rows back as topics: pure functions, no Streamlit.

What a row does not show of a topic (names of groups, headers, segments) stays as it is; only cells that differ from
what was shown are taken. Cells are read as those of a CSV are, so both refuse the same in the same words.
"""

from __future__ import annotations

import copy
import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from planner import codec, units
from planner.fields import InputError, Quantity, ScenarioError
from planner.scenario import Scenario, Section, Topic, shape_of

ROW: Final = "_row"  # the topic that a row was, as its number from 0; empty for a new one
PROBLEM: Final = "Problem"


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its path in a topic, its head, and whether only experts see it."""

    path: str
    head: str
    expert: bool = False


COLUMNS: Final = (
    Column("name", "Topic"),
    Column("records_per_s", "Records/s, average"),
    Column("bytes_per_s", "or bytes/s", expert=True),
    Column("peak_ratio", "Peak, times average", expert=True),
    Column("record.key_bytes", "Key", expert=True),
    Column("record.value_bytes", "Value"),
    Column("compression.codec", "Codec", expert=True),
    Column("compression.ratio", "Compression"),
    Column("batch.records", "Records a batch", expert=True),
    Column("producers", "Producers", expert=True),
    Column("replication_factor", "Copies"),
    Column("acks", "Acks", expert=True),
    Column("cleanup", "Cleanup", expert=True),
    Column("retention.time", "Retention"),
    Column("keys.unique", "Distinct keys", expert=True),
    Column("partitions", "Partitions"),
    Column("consumers", "Groups"),
    Column("consumers.members", "Members of a group"),
)
_GROUPS: Final = ("consumers", "consumers.members")

Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Edited:
    """Edited rows: the topics they make, or what is wrong in which row; single cells as changes where that is all."""

    topics: list[dict[str, Any]]
    problems: dict[int, list[InputError]]
    changes: dict[str, str] | None = None


def shown_columns(*, expert: bool) -> list[Column]:
    """The columns of the table."""
    return [column for column in COLUMNS if expert or not column.expert]


def rows_of(scenario: Scenario) -> list[Row]:
    """One row per topic, every cell as text."""
    return [
        {ROW: str(index), **{column.path: _cell(topic, column.path) for column in COLUMNS}}
        for index, topic in enumerate(scenario.topics)
    ]


def _cell(topic: Topic, path: str) -> str:
    if path == "consumers":
        return str(len(topic.consumers)) if topic.consumers else ""
    if path == "consumers.members":
        return str(max((group.members or 0 for group in topic.consumers), default=0) or "")
    section: Section | None = topic
    *parents, last = path.split(".")
    for parent in parents:
        section = None if section is None else getattr(section, parent)
    value = None if section is None else getattr(section, last)
    if section is None or value is None:
        return ""
    quantity: Quantity | None = shape_of(type(section), last).quantity
    return str(value) if quantity is None else units.format_exact(float(value), quantity.dimension)


def read_rows(rows: Sequence[Mapping[str, Any]], scenario: Scenario) -> Edited:
    """The topics that edited rows make; `rows` have the keys of `rows_of`, those that are not shown left out."""
    before = rows_of(scenario)
    mappings = codec.to_mapping(scenario).get("topics", [])
    kept = [{key: _text(cell) for key, cell in row.items()} for row in rows]
    kept = [row for row in kept if any(cell for key, cell in row.items() if key != ROW)]
    full = [_completed(row, before) for row in kept]
    topics, problems = _parsed(full)
    if problems:
        return Edited([], problems)
    made = [_merged(row, topic, before, mappings) for row, topic in zip(full, topics, strict=True)]
    return Edited(made, {}, _cells(full, before))


def _text(cell: Any) -> str:
    return "" if cell is None or cell != cell else str(cell).strip()  # noqa: PLR0124 - a NaN of pandas


def _known(row: Row, before: Sequence[Row]) -> Row | None:
    number = row.get(ROW, "")
    return before[int(number)] if number.isdecimal() and int(number) < len(before) else None


def _completed(row: Row, before: Sequence[Row]) -> Row:
    """The row with the cells that were not shown."""
    return {**(_known(row, before) or {}), **row}


def _parsed(rows: Sequence[Row]) -> tuple[list[dict[str, Any]], dict[int, list[InputError]]]:
    """Each row as a topic by the reader of CSV files."""
    if not rows:
        error = InputError("topics", None, "A scenario needs a topic.", "at least one row")
        return [], {0: [error]}
    paths = [column.path for column in COLUMNS]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(paths)
    writer.writerows([row.get(path, "") for path in paths] for row in rows)
    try:
        return codec.load_topics_csv(text.getvalue()), {}
    except ScenarioError as error:
        problems: dict[int, list[InputError]] = {}
        for fault in error.errors:
            match = re.match(r"row (\d+)", fault.path)
            problems.setdefault(int(match[1]) - 2 if match else 0, []).append(fault)
        return [], problems


def _merged(
    row: Row, topic: dict[str, Any], before: Sequence[Row], mappings: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """The topic as it was, with the cells that differ; a new row's topic as it was read."""
    known = _known(row, before)
    if known is None:
        return topic
    found: dict[str, Any] = copy.deepcopy(dict(mappings[int(known[ROW])]))
    for column in COLUMNS:
        if row.get(column.path, "") == known[column.path]:
            continue
        if column.path in _GROUPS:
            found["consumers"] = topic.get("consumers", [])
            continue
        _put(found, column.path.split("."), topic)
    return found


def _put(found: dict[str, Any], keys: Sequence[str], topic: Mapping[str, Any]) -> None:
    """Copy one key of a topic, or take it away where the topic does not have it."""
    *parents, last = keys
    source: Any = topic
    for parent in parents:
        source = source.get(parent, {})
        found = found.setdefault(parent, {})
    if last in source:
        found[last] = source[last]
    else:
        found.pop(last, None)


def _cells(rows: Sequence[Row], before: Sequence[Row]) -> dict[str, str] | None:
    """The differing cells as changes by path, where they are values of topics that were there before."""
    if [row.get(ROW) for row in rows] != [row[ROW] for row in before]:
        return None
    found: dict[str, str] = {}
    for row, old in zip(rows, before, strict=True):
        different = [column.path for column in COLUMNS if row.get(column.path, "") != old[column.path]]
        if any(path in _GROUPS or path == "name" or not row[path] for path in different):
            return None
        found |= {f"topics.{old['name']}.{path}": row[path] for path in different}
    return found


def by_row(errors: Sequence[InputError], rows: Sequence[Mapping[str, Any]]) -> dict[int, list[InputError]]:
    """Errors of a scenario at the rows of the topics that they name; the others at the first row."""
    found: dict[int, list[InputError]] = {}
    names = [_text(row.get("name")) for row in rows]
    for error in errors:
        parts = [index for index, name in enumerate(names) if error.path.startswith(f"topics.{name}.")]
        found.setdefault(parts[0] if parts else 0, []).append(error)
    return found
