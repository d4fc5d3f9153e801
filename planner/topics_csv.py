"""A table of topics, as pasted or exported from a spreadsheet."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from planner.contradictions import topic_contradictions
from planner.fields import InputError, ScenarioError, nearest, refusal, shorten
from planner.scenario import Topic
from planner.validation import MAX_ERRORS, capped, validated
from planner.yaml_reader import MAX_BYTES

MAX_ROWS = 20_000
MAX_CELL = 1_000
_MAX_GROUPS = 1_000


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table: where its cells go, the unit of bare numbers, and the headers it goes by."""

    path: str
    kind: str  # text, whole, or a dimension of planner.units
    names: str = ""
    unit: str = ""

    @property
    def aliases(self) -> list[str]:
        """The names, apart."""
        return self.names.split()


COLUMNS = (
    Column("name", "text", "topic topic_name"),
    Column(
        "records_per_s",
        "per_s",
        "msgs_per_s messages_per_s events_per_s msgs_s msg_s records_s messages_s events_s "
        "messages_per_second msgs_per_second records_per_second events_per_second rate",
    ),
    Column("records_per_s", "per_s", "records_per_day messages_per_day msgs_per_day events_per_day", "/day"),
    Column("bytes_per_s", "bytes_per_s", "bytes_s bytes_per_second throughput"),
    Column("bytes_per_s", "bytes_per_s", "kb_s kb_per_s", "kB/s"),
    Column("bytes_per_s", "bytes_per_s", "mb_s mb_per_s", "MB/s"),
    Column("bytes_per_s", "bytes_per_s", "mib_s mib_per_s", "MiB/s"),
    Column("peak_ratio", "ratio", "peak peak_factor peak_to_average"),
    Column("peak_duration", "s"),
    Column("record.key_bytes", "bytes", "key_bytes key_size"),
    Column(
        "record.value_bytes",
        "bytes",
        "value_bytes value_size message_size message_bytes msg_size record_size record_bytes "
        "avg_message_size size bytes",
    ),
    Column("compression.codec", "text", "codec compression compression_codec compression_type"),
    Column("compression.ratio", "ratio", "ratio compression_ratio"),
    Column("batch.records", "count", "batch_records records_per_batch"),
    Column("batch.linger", "s", "linger"),
    Column("batch.linger", "s", "linger_ms", "ms"),
    Column("batch.size", "bytes", "batch_size"),
    Column("producers", "whole"),
    Column("replication_factor", "whole", "rf replication replicas"),
    Column("min_insync_replicas", "whole", "min_isr min_insync minisr"),
    Column("acks", "text"),
    Column("cleanup", "text", "cleanup_policy"),
    Column("retention.time", "s_or_forever", "retention retention_time"),
    Column("retention.time", "s_or_forever", "retention_ms", "ms"),
    Column("retention.time", "s_or_forever", "retention_hours retention_h", "h"),
    Column("retention.time", "s_or_forever", "retention_days retention_d", "d"),
    Column("retention.bytes_per_partition", "bytes", "retention_bytes retention_bytes_per_partition"),
    Column("segment.bytes", "bytes", "segment_bytes"),
    Column("tiered.local_time", "s", "local_retention local_retention_time local_time"),
    Column("partitions", "whole", "partition_count num_partitions"),
    Column("keys.unique", "count", "unique_keys keys distinct_keys"),
    Column("consumers", "whole", "consumer_groups groups"),
    Column("consumers.members", "whole", "members members_per_group consumers_per_group"),
)


@cache
def _columns() -> dict[str, Column]:
    found = {alias: column for column in COLUMNS for alias in column.aliases}
    for column in COLUMNS:
        found.setdefault(_slug(column.path), column)  # a key itself means base units, the first of its columns
    return found


def _slug(header: str) -> str:
    text = re.sub(r"/ *", "_", header.strip().lower())
    return re.sub(r"[^a-z0-9]+", "_", text).strip("_")


@dataclass(frozen=True, slots=True)
class _Heading:
    """One header cell: the text as written, its column, and the unit that bare numbers have."""

    text: str
    column: Column
    unit: str


def load_topics_csv(text: str) -> list[dict[str, Any]]:
    """Return the topics of a table pasted from a spreadsheet, as mappings in the words of the scenario file.

    Parameters
    ----------
    text : str
        Comma, semicolon or tab separated, the first row being the header. Columns are the keys of a topic (nested ones
        as `retention` or `retention.time`) or a common name of them, see `COLUMNS`; a unit may stand in the header, as
        `retention (h)`, or in the cell. `consumers` is the number of groups, `members` the members of each. An empty
        cell means that the key is not given; blank rows are skipped.

    Returns
    -------
    list of dict
        One valid topic per row.

    Raises
    ------
    ScenarioError
        With every error; the path names row (the header is row 1) and column.
    """
    rows = _csv_rows(text)
    headings, errors = _headings(rows[0])
    if errors:
        raise ScenarioError(errors)
    if len(rows) - 1 > MAX_ROWS:
        raise refusal(f"The table has more than {MAX_ROWS} rows.", value=len(rows) - 1, allowed=f"at most {MAX_ROWS}")
    topics: list[dict[str, Any]] = []
    places: dict[str, int] = {}
    for number, row in enumerate(rows[1:], start=2):
        if not any(cell.strip() for cell in row):
            continue
        if len(errors) > MAX_ERRORS:
            break
        topics.append(_row(number, row, headings, places, errors))
    if not topics and not errors:
        raise refusal("The table has a header and no rows.", "row 2", allowed="one topic a row")
    if errors:
        raise ScenarioError(capped(errors))
    return topics


def _csv_rows(text: str) -> list[list[str]]:
    if len(text) > MAX_BYTES:
        raise refusal(f"The table is larger than {MAX_BYTES // 10**6} MB.", allowed=f"at most {MAX_BYTES} bytes")
    text = text.removeprefix("\ufeff").lstrip("\r\n")
    if not text.strip():
        raise refusal("The table is empty.", allowed="a header and one topic a row")
    header = re.sub(r'"[^"]*"', "", re.split(r"[\r\n]", text, maxsplit=1)[0])
    delimiter = max("\t;,", key=lambda mark: (header.count(mark), mark == ","))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        return [row for row, _ in zip(reader, range(MAX_ROWS + 2), strict=False)]
    except csv.Error as error:
        line = reader.line_num
        raise refusal(f"Line {line}: {error}.", f"row {line}", allowed="comma separated values") from None


def _headings(cells: Sequence[str]) -> tuple[list[_Heading | None], list[InputError]]:
    found: list[_Heading | None] = []
    errors: list[InputError] = []
    seen: dict[str, str] = {}
    for cell in cells[:200]:
        shown = str(shorten(cell.strip()))
        match = re.fullmatch(r"(.*?)\s*[(\[]([^()\[\]]{1,20})[)\]]", cell.strip()[:200])
        name, unit = (match[1], match[2].strip()) if match else (cell.strip()[:200], "")
        if not cell.strip():
            found.append(None)
            continue
        column = _columns().get(_slug(name)) or _columns().get(_slug(cell[:200]))
        if column is None:
            close = nearest(_slug(name), list(_columns()))
            allowed = ", ".join(dict.fromkeys(_slug(column.path) for column in COLUMNS))
            errors.append(InputError(f"row 1, column {shown}", shown, "There is no such column.", allowed, close))
            found.append(None)
            continue
        if column.path in seen:
            message = f"The columns {seen[column.path]} and {shown} mean the same."
            errors.append(InputError(f"row 1, column {shown}", shown, message, "one of the two"))
        seen[column.path] = shown
        found.append(_Heading(shown, column, unit or column.unit))
    if "name" not in seen and not errors:
        message = "The table needs a column with the names of the topics."
        errors.append(InputError("row 1, column name", None, message, "name"))
    return found, errors


def _row(
    number: int,
    row: Sequence[str],
    headings: Sequence[_Heading | None],
    places: dict[str, int],
    errors: list[InputError],
) -> dict[str, Any]:
    """Read one row; its errors are added with row and column."""
    before = len(errors)
    cells: dict[str, Any] = {}
    for index, cell in enumerate(row):
        heading = headings[index] if index < len(headings) else None
        if not cell.strip():
            continue
        if heading is None:
            path = f"row {number}, column {index + 1}"
            errors.append(InputError(path, shorten(cell.strip()), "This cell has no header above it.", "an empty cell"))
            continue
        try:
            cells[heading.column.path] = _cell(cell.strip(), heading)
        except ScenarioError as error:
            errors.append(replace(error.errors[0], path=f"row {number}, column {heading.text}"))
    topic = _topic_of(cells)
    columns = {heading.column.path: heading.text for heading in headings if heading}
    name = topic.get("name")
    if name is not None and places.setdefault(name, number) != number:
        path = f"row {number}, column {columns['name']}"
        errors.append(InputError(path, shorten(name), f"Row {places[name]} has the same name.", "each topic once"))
    if len(errors) == before:
        errors.extend(_at_cell(error, number, columns) for error in _topic_errors(topic))
    return topic


def _cell(text: str, heading: _Heading) -> Any:
    if len(text) > MAX_CELL:
        raise refusal(
            f"The cell is longer than {MAX_CELL} characters.", value=text, allowed=f"at most {MAX_CELL} characters"
        )
    if text[0] in "=+@" or (text[0] == "-" and not re.match(r"-[0-9.]", text)):
        raise refusal("The cell is a formula; paste its value.", value=text, allowed="a value")
    kind = heading.column.kind
    if kind == "text":
        return text
    if kind == "whole":
        if not re.fullmatch(r"[0-9]{1,18}(?:\.0{1,9})?", text):
            raise refusal("A whole number is expected here.", value=text, allowed="digits only")
        return int(text.split(".", maxsplit=1)[0])
    bare = re.fullmatch(r"[0-9]{1,18}(?:\.[0-9]{0,18})?(?:[eE][-+]?[0-9]{1,3})?|\.[0-9]{1,18}", text)
    if bare and heading.unit:
        return f"{text.rstrip('.')}{'' if heading.unit.startswith('/') else ' '}{heading.unit}"
    return float(text) if bare else text


def _topic_of(cells: dict[str, Any]) -> dict[str, Any]:
    """Nest the cells of a row; a number of groups becomes groups named after the topic."""
    members = {"members": cells.pop("consumers.members")} if "consumers.members" in cells else {}
    count = cells.pop("consumers", 1 if members else 0)
    topic: dict[str, Any] = {}
    for path, value in cells.items():
        *parents, last = path.split(".")
        node = topic
        for parent in parents:
            node = node.setdefault(parent, {})
        node[last] = value
    if count:
        few = min(count, _MAX_GROUPS + 1)  # one beyond the cap is enough for the error that follows
        names = (f"{topic.get('name', 'topic')}-group-{index}" for index in range(1, few + 1))
        topic["consumers"] = [{"group": name} | members for name in names]
    return topic


def _topic_errors(topic: dict[str, Any]) -> Iterator[InputError]:
    groups = topic.get("consumers", [])
    if len(groups) > _MAX_GROUPS:
        message = f"More than {_MAX_GROUPS} groups on one topic."
        yield InputError("consumers", len(groups), message, f"0 to {_MAX_GROUPS}")
        return
    errors: list[InputError] = []
    valid = validated(Topic, topic, "", errors)
    yield from errors
    if valid is not None:
        yield from topic_contradictions(valid)


def _at_cell(error: InputError, number: int, columns: Mapping[str, str]) -> InputError:
    """Say which row and column an error of a topic came from."""
    path = re.sub(r"^consumers\..*\.members$", "consumers.members", error.path)
    return replace(error, path=f"row {number}, column {columns.get(path, path)}")
