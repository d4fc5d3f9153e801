"""Reports: complete, the same bytes each time, and safe whatever names a scenario holds."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from rich.console import Console

import planner
from planner.reports import tables
from planner.reports.markdown import code, prose
from planner.reports.page import Terminal
from planner.reports.tables import csv_text
from planner.reports.text import plan_text
from planner.reports.words import assumed, quantity, unit_of_figure, unit_of_input, visible
from planner.results import RESOURCE_WORDS, RESOURCES, STATES, Assumption

ROOT = Path(__file__).resolve().parent.parent
NAME = "[bold red]x[/] | `a` ```<script>alert(1)</script> *b* _c_ ![i](j) &lt; # \\ $x$ ~~d~~ http://e"
HOSTILE = {
    "name": NAME,
    "topics": [
        {
            "name": "-orders",
            "records_per_s": 100,
            "labels": {"=cmd|`": "```\\|<b>"},
            "consumers": [{"group": "a|b`<i>*c*", "members": 3, "records_per_s_per_member": 1}],
        },
        {"name": "__init__", "records_per_s": {"low": 1, "likely": 2, "high": 3}},
    ],
    "cluster": {"mirror": [{"to": "<img src=x onerror=y> | [a](b)", "bandwidth": 1}]},
}


@pytest.fixture(scope="module")
def ecommerce() -> planner.Plan:
    return planner.plan(planner.load("preset:ecommerce"))


@pytest.fixture(scope="module")
def hostile() -> planner.Plan:
    return planner.plan(planner.load(HOSTILE))


class Page(HTMLParser):
    """What a Markdown reader makes of a report: its tags, headings, table rows and code blocks."""

    def __init__(self, markdown: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.headings: list[str] = []
        self.rows: list[list[str]] = []
        self.blocks: list[str] = []
        self.inside: list[str] = []
        reader = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
        self.feed(reader.render(markdown))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert not attrs or tag in {"th", "td", "code"}  # alignment and language, which the report sets itself
        self.tags.add(tag)
        self.inside.append(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in {"td", "th"}:
            self.rows[-1].append("")
        elif tag in {"h1", "h2"}:
            self.headings.append("")
        elif tag == "pre":
            self.blocks.append("")

    def handle_endtag(self, tag: str) -> None:
        while self.inside and self.inside.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if {"td", "th"} & set(self.inside):
            self.rows[-1][-1] += data
        elif {"h1", "h2"} & set(self.inside):
            self.headings[-1] += data
        elif "pre" in self.inside:
            self.blocks[-1] += data


PLAIN_TAGS = {"h1", "h2", "h3", "p", "strong", "ul", "li", "table", "thead", "tbody", "tr", "th", "td", "code", "pre"}


# the Markdown report


def test_the_report_holds_every_part_in_order(ecommerce: planner.Plan) -> None:
    text = planner.report(ecommerce)
    page = Page(text)
    assert page.headings == [
        "Capacity plan: e-commerce events",
        "How full each resource is, on the fullest broker",
        "Flows, healthy",
        "Verdict per resource",
        "Loads per state",
        "Whole cluster",
        "Where replicas are",
        "Topics",
        "Partitions and their reasons",
        "Recovery",
        "When a broker fails",
        "Cost",
        "Findings",
        "Assumptions",
        "Formulas",
        "Sources",
        "The scenario",
    ]
    assert text.index(ecommerce.headline[0]) < text.index("How full each resource is")
    assert text.rstrip().endswith(f"kafka-planner {planner.__version__}.")
    cells = {cell for row in page.rows for cell in row}
    assert {row.id for row in ecommerce.assumptions} <= cells
    assert {finding.message for finding in ecommerce.findings} <= cells
    assert {step.name for step in ecommerce.trace if not step.name.startswith("topics.")} <= cells


def test_every_cited_source_is_resolved(ecommerce: planner.Plan) -> None:
    page = Page(planner.report(ecommerce))
    listed = {row[0] for row in page.rows if len(row) == 4}
    cited = {row.source for row in ecommerce.assumptions}
    assert cited <= listed


@pytest.mark.parametrize("name", ["ecommerce", "fintech", "startup-10k-a-day", "tenant-config", "stock-exchange"])
def test_every_table_is_whole(name: str) -> None:
    text = planner.report(planner.load(f"preset:{name}"))
    page = Page(text)
    lines = [line for line in text.split("\n") if line.startswith("| ")]
    assert len(page.rows) == len(lines)  # no row fell out of its table
    assert page.tags <= PLAIN_TAGS


def test_the_scenario_in_the_report_loads_back(ecommerce: planner.Plan, hostile: planner.Plan) -> None:
    for plan in (ecommerce, hostile):
        (block,) = Page(planner.report(plan)).blocks
        assert planner.load(block) == plan.scenario


def test_names_stay_text(hostile: planner.Plan) -> None:
    page = Page(planner.report(hostile))
    assert page.tags <= PLAIN_TAGS
    assert page.headings[0] == f"Capacity plan: {NAME}"
    cells = {cell for row in page.rows for cell in row}
    assert {"-orders", "__init__"} <= cells
    assert any("<img src=x onerror=y> | [a](b)" in cell for cell in cells)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=40))
def test_prose_is_read_back_as_it_was(text: str) -> None:
    page = Page(f"| a |\n|---|\n| x{prose(text)}x |\n")
    assert page.tags == {"table", "thead", "tbody", "tr", "th", "td"}
    assert page.rows[1:] == [[f"x{visible(text.replace(chr(10), ' '))}x"]]


@given(st.text(alphabet="ab`|\\ *<&;_", min_size=1, max_size=20).filter(lambda text: text.strip() == text))
def test_code_is_read_back_as_it_was(text: str) -> None:
    page = Page(f"| a |\n|---|\n| {code(text)} |\n")
    assert page.rows[1:] == [[text]]


def test_equal_input_gives_equal_bytes() -> None:
    script = "import planner, sys; sys.stdout.buffer.write(planner.report(planner.load('preset:fintech')).encode())"
    found = {
        subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            check=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert found == {planner.report(planner.load("preset:fintech")).encode()}


def test_a_report_of_a_scenario_is_the_report_of_its_plan(ecommerce: planner.Plan) -> None:
    assert planner.report(ecommerce.scenario) == planner.report(ecommerce)


def test_an_unknown_format_is_refused(ecommerce: planner.Plan) -> None:
    with pytest.raises(ValueError, match="no report format"):
        planner.report(ecommerce, format="docx")


# the JSON report


@pytest.mark.parametrize("name", ["ecommerce", "hostile"])
def test_the_json_report_holds_version_scenario_and_plan(name: str, request: pytest.FixtureRequest) -> None:
    plan: planner.Plan = request.getfixturevalue(name)
    body = json.loads(planner.report(plan, format="json"))
    assert list(body) == ["planner_version", "scenario", "plan"]
    assert body["planner_version"] == planner.__version__
    assert planner.load(body["scenario"]) == plan.scenario
    assert body["plan"] == json.loads(json.dumps(plan.to_dict()))


# the tables behind both


def test_the_wall_shows_every_state_and_marks_the_unchecked(ecommerce: planner.Plan) -> None:
    wall = tables.wall(ecommerce)
    states = [name for name in STATES if not ecommerce.states[name].checked]
    assert states
    columns = {name: index for index, name in enumerate(STATES, start=1)}
    for row in wall.rows:
        for name, index in columns.items():
            assert (row[index].startswith("(") and row[index].endswith(")")) is (name in states)
    binding = ecommerce.brokers.binding
    assert binding is not None
    ((row_index, column),) = wall.strong
    assert (wall.rows[row_index][0], column) == (RESOURCE_WORDS[binding.resource], columns[binding.state])


def test_the_wall_agrees_with_the_verdicts(ecommerce: planner.Plan) -> None:
    margins = {(row.resource, row.state): row for row in tables.margins_of(ecommerce)}
    for verdict in ecommerce.verdicts:
        row = margins[verdict.resource, verdict.state]
        assert row.checked
        assert row.utilisation == pytest.approx(verdict.utilisation, rel=1e-9)
        assert row.threshold == verdict.threshold


def test_every_resource_has_one_verdict(ecommerce: planner.Plan) -> None:
    assert len(tables.resources(ecommerce).rows) == len(RESOURCES)


@pytest.mark.parametrize("width", [30, 60, 80, 110, 150, 250])
def test_no_width_loses_a_figure(width: int, ecommerce: planner.Plan) -> None:
    sheet = io.StringIO()
    plan_text(ecommerce, Terminal(Console(file=sheet, width=width, force_terminal=True, color_system=None)))
    text = sheet.getvalue()
    assert "\u2026" not in text
    assert max(map(len, text.split("\n"))) <= width
    squeezed = re.sub(r"\s", "", text)
    for topic in ecommerce.topics.values():
        for figure in (topic.disk_bytes_worst, topic.disk_bytes):
            assert quantity(figure, "bytes").replace(" ", "") in squeezed


# words and numbers


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (1234567.0, "bytes/s", "1.23 MB/s"),
        (0.25, "fraction", "25 %"),
        (7800, "s", "2 h 10 min"),
        (12000, "1/s", "12 000/s"),
        (2e-8, "core-s/byte", "2e-08 core-s/byte"),
        (True, "", "yes"),
        (None, "bytes", "none"),
        ("\x1b[31m", "", "\\x1b[31m"),
        (float("inf"), "s", "forever"),
    ],
)
def test_quantities(value: object, unit: str, expected: str) -> None:
    assert quantity(value, unit) == expected


@pytest.mark.parametrize(
    ("path", "unit"),
    [
        ("topics.orders.retention.time", "s"),
        ("topics.a.b.c.retention.time", "s"),
        ("topics.time.records_per_s", "1/s"),
        ("topics.orders.consumers.my.group.lagging_fraction", "fraction"),
        ("policy.partition_headroom", "ratio"),
        ("cluster.limits.nofile", ""),
        ("topics.*.segment.bytes", "bytes"),
        ("topics.orders.acks", ""),
        ("topics", ""),
        ("nonsense.path", ""),
    ],
)
def test_units_of_inputs(path: str, unit: str) -> None:
    assert unit_of_input(path) == unit


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("cluster.network_in_bytes_per_s", "bytes/s"),
        ("topics.o.wire_bytes_per_record", "bytes"),
        ("cluster.disk_bytes_worst", "bytes"),
        ("recovery.failover_s", "s"),
        ("cluster.partitions", "count"),
        ("disk_iops", "1/s"),
    ],
)
def test_units_of_figures(name: str, unit: str) -> None:
    assert unit_of_figure(name) == unit


def test_defaults_of_kafka_are_written_in_powers_of_two() -> None:
    row = Assumption("topics.*.segment.bytes", 2**30, "bytes", None, None, "kafka-design", "2026-11-23")
    assert assumed(row) == "1 GiB"


# CSV


def test_a_text_cell_never_starts_a_formula() -> None:
    dangerous = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\uff1d1", 'a,"b"', "plain", ""]
    frame = pd.DataFrame({"=text": dangerous, "number": [-1.5, float("nan"), *range(8)]})
    rows = list(csv.reader(io.StringIO(csv_text(frame), newline="")))
    assert rows[0] == ["'=text", "number"]
    assert [row[0] for row in rows[1:]] == [f"'{visible(text)}" for text in dangerous[:7]] + dangerous[7:]
    assert [row[1] for row in rows[1:4]] == ["-1.5", "", "0.0"]
