from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.codec import MAX_ERRORS, from_mapping
from planner.scenario import Scenario, ScenarioError
from planner.topics_csv import COLUMNS, MAX_ROWS, load_topics_csv

# As a spreadsheet gives it to the clipboard: tab separated, CRLF, a quoted cell with a line break, a blank row.
PASTED = (
    "Topic\tMessages/s\tMessage size (KiB)\tRetention (h)\tRF\tPartitions\tCodec\tCompression ratio\tConsumers"
    "\tMembers\r\n"
    "orders\t12000\t0.5\t168\t3\t24\tlz4\t2.1\t2\t12\r\n"
    '"clicks"\t1e5\t1\t24\t2\t\t\t\t\t\r\n'
    "\t\t\t\t\t\t\t\t\t\r\n"
    "audit\t10\t2 MB\tforever\t3\t1\tnone\t\t1\t\r\n"
)


def scenario_of(text: str) -> Scenario:
    return from_mapping({"topics": load_topics_csv(text)})


def errors_of(text: str) -> dict[str, Any]:
    with pytest.raises(ScenarioError) as caught:
        load_topics_csv(text)
    return {error.path: error for error in caught.value.errors}


def test_a_table_pasted_from_a_spreadsheet() -> None:
    orders, clicks, audit = scenario_of(PASTED).topics
    assert (orders.name, orders.records_per_s, orders.partitions) == ("orders", 12_000, 24)
    assert orders.record.value_bytes == 512
    assert orders.retention.time == 7 * 86_400
    assert (orders.compression.codec, orders.compression.ratio) == ("lz4", 2.1)
    assert [group.group for group in orders.consumers] == ["orders-group-1", "orders-group-2"]
    assert {group.members for group in orders.consumers} == {12}
    assert (clicks.records_per_s, clicks.replication_factor, clicks.partitions) == (100_000, 2, None)
    assert clicks.record.value_bytes == 1024
    assert clicks.consumers == ()
    assert "partitions" not in clicks.model_fields_set
    assert audit.record.value_bytes == 2_000_000
    assert audit.retention.time == float("inf")
    assert [group.members for group in audit.consumers] == [None]


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("bom", ["", "\ufeff", "\n\n"])
def test_every_separator_and_line_end(mark: str, end: str, bom: str) -> None:
    rows = [["name", "rate", "labels, no" if mark == ";" else "rf"], ["a", "5", "2"], ["", "", ""], ["b", "6", "3"]]
    if mark == ";":
        rows[0][2] = "RF"
    text = bom + end.join(mark.join(row) for row in rows)
    found = load_topics_csv(text)
    assert [(topic["name"], topic["records_per_s"], topic["replication_factor"]) for topic in found] == [
        ("a", 5.0, 2),
        ("b", 6.0, 3),
    ]


def test_the_separator_is_the_one_of_the_header() -> None:
    """A comma inside a quoted header or a cell does not count."""
    found = load_topics_csv('"name";"bytes_per_s"\n"a";"10 MB/s"\nb;5 MB/s\n')
    assert [topic["bytes_per_s"] for topic in found] == ["10 MB/s", "5 MB/s"]
    assert load_topics_csv("name\trecords_per_s\na\t5\n")[0]["name"] == "a"


# Header, cell, path in the topic, value in base units: by hand.
HEADERS = [
    ("records_per_s", "5", "records_per_s", 5),
    ("msgs/s", "5k", "records_per_s", 5_000),
    ("Messages per second", "5", "records_per_s", 5),
    ("events per day", "864000", "records_per_s", 10),
    ("records_per_s (1/min)", "60", None, None),
    ("MB/s", "1.5", "bytes_per_s", 1_500_000),
    ("MiB/s", "2", "bytes_per_s", 2_097_152),
    ("throughput (kB/s)", "2", "bytes_per_s", 2_000),
    ("bytes/s", "7", "bytes_per_s", 7),
    ("bytes_per_s", "8 Mbit/s", "bytes_per_s", 1_000_000),
    ("key size", "16", "record.key_bytes", 16),
    ("Message size", "700", "record.value_bytes", 700),
    ("message_size [KB]", "2", "record.value_bytes", 2_000),
    ("record.value_bytes", "1 KiB", "record.value_bytes", 1_024),
    ("retention", "7d", "retention.time", 604_800),
    ("retention (days)", "7", "retention.time", 604_800),
    ("Retention Hours", "12", "retention.time", 43_200),
    ("retention.ms", "1000", "retention.time", 1),
    ("retention (h)", "2d", "retention.time", 172_800),
    ("retention.time", "3600", "retention.time", 3_600),
    ("retention_bytes", "1 GB", "retention.bytes_per_partition", 1e9),
    ("rf", "2", "replication_factor", 2),
    ("Replication Factor", "2.0", "replication_factor", 2),
    ("min.isr", "1", "min_insync_replicas", 1),
    ("peak", "3.5", "peak_ratio", 3.5),
    ("peak_duration (min)", "30", "peak_duration", 1_800),
    ("acks", "1", "acks", "1"),
    ("linger.ms", "20", "batch.linger", 0.02),
    ("batch_size", "64KiB", "batch.size", 65_536),
    ("producers", "9", "producers", 9),
    ("local retention", "6h", "tiered.local_time", 21_600),
]


@pytest.mark.parametrize(("header", "cell", "path", "value"), HEADERS)
def test_columns_and_their_units(header: str, cell: str, path: str | None, value: Any) -> None:
    rate = "" if path in ("records_per_s", "bytes_per_s", None) else ";rate"
    text = f"name;{header}{rate}\nt;{cell}{';5' if rate else ''}\n"
    if path is None:
        assert list(errors_of(text)) == [f"row 2, column {header}"]
        return
    node: Any = scenario_of(text).topics[0]
    for step in path.split("."):
        node = getattr(node, step)
    assert node == value


def test_every_column_is_a_key_of_a_topic() -> None:
    """Each column is filled with a value of its kind and must arrive under its path, valid."""
    samples = {"text": "x", "whole": "3", "ratio": "2", "count": "5", "per_s": "5", "bytes_per_s": "5 MB/s"}
    samples |= {"bytes": "5 kB", "s": "5 s", "s_or_forever": "5 d"}
    words = {"compression.codec": "zstd", "acks": "all", "cleanup": "delete", "segment.bytes": "64 MiB"}
    for column in COLUMNS:
        others = {"name": "t"}
        if column.path not in ("records_per_s", "bytes_per_s"):
            others["records_per_s"] = "5"
        if column.path == "keys.unique":
            others["record.key_bytes"] = "16"
        if column.path.startswith("compression"):
            others |= {"compression.codec": "lz4", "compression.ratio": "2"}
        cells = others | {column.path: words.get(column.path, samples[column.kind])}
        for alias in (column.path, *column.aliases):
            header = [alias if path == column.path else path for path in cells]
            topic = load_topics_csv(";".join(header) + "\n" + ";".join(cells.values()) + "\n")[0]
            assert scenario_of(";".join(header) + "\n" + ";".join(cells.values()) + "\n").topics
            assert column.path.split(".")[0] in topic


def test_no_alias_means_two_columns_and_no_key_gets_the_unit_of_another() -> None:
    aliases = [alias for column in COLUMNS for alias in column.aliases]
    assert len(aliases) == len(set(aliases))
    first: dict[str, str] = {}
    for column in COLUMNS:
        assert first.setdefault(column.path, column.unit) == "", column
        first[column.path] = ""


def test_all_errors_come_at_once_with_row_and_column() -> None:
    text = """name,msgs/s,value_bytes,rf,retention (h),codec,ratio,min_isr,consumers,members
orders,12000,700,3,168,lz4,2,2,1,5
orders,5,700,3,1,,,,,
cl icks,5,700,3,1,,,,,
a,-5,700,3,1,,,,,
b,5,"1,5",3,1,,,,,
c,5,700,2.5,1,,,,,

d,5,700,3,1,lz4,,,,
e,5,700,3,1,,,4,,
f,,700,3,1,,,,,
g,5,5 mb,99999,1,,,,,
h,5,700,3,1,,,,1,0
i,5,700,3,1,,,,5000,
j,5,700,3,0,,,,,,surplus
"""
    found = errors_of(text)
    assert set(found) == {
        "row 3, column name",
        "row 4, column name",
        "row 5, column msgs/s",
        "row 6, column value_bytes",
        "row 7, column rf",
        "row 9, column ratio",
        "row 10, column min_isr",
        "row 11, column msgs/s",
        "row 12, column value_bytes",
        "row 12, column rf",
        "row 13, column members",
        "row 14, column consumers",
        "row 15, column 11",
    }
    assert found["row 3, column name"].message == "Row 2 has the same name."
    assert found["row 6, column value_bytes"].value == "1,5"
    assert "1.5" in (found["row 6, column value_bytes"].nearest or "")
    assert all(error.message.endswith((".", "?")) for error in found.values())


@pytest.mark.parametrize("cell", ["=1+1", "+5", "@x", "-x", "=HYPERLINK(1)", "=cmd|' /C calc'!A0", "-"])
@pytest.mark.parametrize("column", ["name", "records_per_s", "rf"])
def test_formulas_are_refused(cell: str, column: str) -> None:
    cells = {"name": "t", "records_per_s": "5", "rf": "3"} | {column: f'"{cell}"'}
    (error,) = errors_of(",".join(cells) + "\n" + ",".join(cells.values()) + "\n").values()
    assert error.path == f"row 2, column {column}"
    assert "formula" in error.message


@pytest.mark.parametrize(
    ("text", "path", "says"),
    [
        ("", "", "The table is empty."),
        (" \n\n", "", "The table is empty."),
        ("name,records_per_s\n", "row 2", "no rows"),
        ("name,records_per_s\n,\n\n", "row 2", "no rows"),
        ("records_per_s,rf\n5,3\n", "row 1, column name", "names of the topics"),
        ("name,recrods_per_s\na,5\n", "row 1, column recrods_per_s", "no such column"),
        ("name,rf,replication factor\na,3,3\n", "row 1, column replication factor", "mean the same"),
        ('name,rf\n"a,3\n', "row 2", "Line 2"),
        ('name,rf\n"a"b,3\n', "row 2", "Line 2"),
        ("name,rf\n" + "a" * 2000 + ",3\n", "row 2, column name", "longer than"),
        ("name,rf\n" + "a" * 200_000 + ",3\n", "row 2", "Line 2"),
        ("name,rf\n" + "a,1\n" * (MAX_ROWS + 1), "", "more than"),
        ("x" * 5_000_001, "", "larger than"),
    ],
)
def test_a_table_that_is_none(text: str, path: str, says: str) -> None:
    found = errors_of(text)
    assert list(found) == [path]
    assert says in found[path].message


def test_a_misspelt_column_names_its_neighbour() -> None:
    assert errors_of("name,recrods_per_s\na,5\n")["row 1, column recrods_per_s"].nearest == "records_per_s"


def test_the_number_of_errors_is_capped() -> None:
    with pytest.raises(ScenarioError) as caught:
        load_topics_csv("name,rate\n" + "".join(f"t{index},x\n" for index in range(5000)))
    assert len(caught.value.errors) == MAX_ERRORS + 1


def test_forty_rows_and_more() -> None:
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(["name", "msgs/s", "retention (d)"])
    writer.writerows([f"t.{index}", index * 10, 1 + index % 7] for index in range(60))
    topics = scenario_of(file.getvalue()).topics
    assert [topic.records_per_s for topic in topics] == [index * 10.0 for index in range(60)]
    assert [topic.retention.time for topic in topics] == [(1 + index % 7) * 86_400.0 for index in range(60)]


@given(
    st.text(max_size=200), st.sampled_from(["", "name,records_per_s,retention (h)\n", "name;msgs/s\n", "topic\trf\n"])
)
def test_any_text_is_read_or_refused(text: str, header: str) -> None:
    try:
        load_topics_csv(header + text)
    except ScenarioError as error:
        str(error).encode()


@given(st.lists(st.lists(st.text(max_size=8), min_size=4, max_size=4), max_size=5))
def test_any_cells_are_read_or_refused(rows: list[list[str]]) -> None:
    file = io.StringIO()
    csv.writer(file).writerows([["name", "msgs/s", "retention (h)", "consumers"], *rows])
    try:
        topics = load_topics_csv(file.getvalue())
    except ScenarioError as error:
        paths = [item.path for item in error.errors]
    else:
        paths = []
        from_mapping({"topics": topics})
    assert all(path.startswith("row ") for path in paths)
