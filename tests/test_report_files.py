"""Reports as HTML, PDF, workbook and CSV: the same numbers, equal bytes, and no text that acts."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import openpyxl
import pypdf
import pytest

import planner
from planner.reports import MissingExtraError, report, report_bytes
from planner.reports import html as html_module
from planner.reports.archive import zipped
from planner.reports.document import Picture, Section, sections
from planner.reports.page import Paragraph, Recorded
from planner.reports.tables import Table
from planner.reports.workbook import headed

ROOT = Path(__file__).resolve().parent.parent
NAME = "<script>alert(1)</script> =1+1 #[strong] $x$ @here"
GROUP = "=cmd|' /C calc'!A0"
FORMS = ("html", "pdf", "xlsx")


@pytest.fixture(scope="module")
def shop() -> planner.Plan:
    return planner.plan(planner.load("preset:ecommerce", ["policy.growth_per_year=40%"]))


@pytest.fixture(scope="module")
def hostile() -> planner.Plan:
    scenario = {
        "version": 1,
        "name": NAME,
        "topics": [
            {
                "name": "-orders",
                "records_per_s": 100,
                "record": {"value_bytes": 500},
                "labels": {"team": "=2+5"},
                "consumers": [{"group": GROUP, "members": 2}],
            }
        ],
    }
    return planner.plan(planner.load(scenario))


@pytest.fixture(scope="module")
def pages(shop: planner.Plan) -> dict[str, bytes]:
    return {form: report_bytes(shop, form) for form in FORMS}  # type: ignore[arg-type]


class Tags(HTMLParser):
    """Tags, addresses and text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.addresses: list[str] = []
        self.handlers: list[str] = []
        self.words = ""
        self.open = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.open = tag
        for name, value in attrs:
            if name in {"href", "src", "xlink:href", "action", "data"} and value:
                self.addresses.append(value)
            if name.startswith("on"):
                self.handlers.append(name)

    def handle_data(self, data: str) -> None:
        if self.open != "style":
            self.words += data


def test_html_says_what_the_plan_says(shop: planner.Plan, pages: dict[str, bytes]) -> None:
    page = Tags(pages["html"].decode())
    for sentence in shop.headline:
        assert sentence in page.words
    for name, topic in shop.topics.items():
        assert name in page.words
        assert str(topic.partitions) in page.words
    assert "svg" in page.tags
    for part in sections(shop):
        assert part.title in page.words


def test_html_loads_nothing_and_runs_nothing(pages: dict[str, bytes]) -> None:
    page = Tags(pages["html"].decode())
    assert not {"script", "iframe", "object", "embed", "link", "form", "img"} & page.tags
    assert all(address.startswith("#") for address in page.addresses)
    assert not page.handlers
    styles = re.findall(r"url\([^)]*\)|@import", pages["html"].decode())
    assert all(found.startswith("url(#") for found in styles)


def test_pdf_says_what_the_plan_says(shop: planner.Plan, pages: dict[str, bytes]) -> None:
    reader = pypdf.PdfReader(io.BytesIO(pages["pdf"]))
    text = re.sub(r"\s+", " ", " ".join(page.extract_text() for page in reader.pages))
    for sentence in shop.headline:
        assert sentence in text
    for part in sections(shop):
        assert part.title in text
    assert reader.metadata is not None
    assert reader.metadata.title == f"Capacity plan: {shop.name}"
    assert "/CreationDate" not in reader.metadata


def test_workbook_holds_numbers_in_base_units(shop: planner.Plan, pages: dict[str, bytes]) -> None:
    book = openpyxl.load_workbook(io.BytesIO(pages["xlsx"]))
    assert {"Summary", "Resources", "States", "Topics", "Cluster", "Findings", "Assumptions", "Formulas"} <= set(
        book.sheetnames
    )
    rows = list(book["Topics"].iter_rows(values_only=True))
    heads = [str(head) for head in rows[0]]
    by_name = {row[heads.index("topic")]: row for row in rows[1:]}
    assert set(by_name) == set(shop.topics)
    for name, topic in shop.topics.items():
        assert by_name[name][heads.index("partitions")] == topic.partitions
        assert by_name[name][heads.index("disk [bytes]")] == pytest.approx(topic.disk_bytes)
    figures = {row[0]: row[1] for row in book["Cluster"].iter_rows(values_only=True)}
    assert figures["network_out_bytes_per_s"] == pytest.approx(shop.cluster.network_out_bytes_per_s)


def test_a_head_carries_its_unit() -> None:
    assert headed("disk_bytes") == "disk [bytes]"
    assert headed("network_in_bytes_per_s") == "network in [bytes/s]"
    assert headed("refill_s") == "refill [s]"
    assert headed("topic") == "topic"


def test_no_text_of_the_user_acts_in_html(hostile: planner.Plan) -> None:
    text = report(hostile, "html")
    page = Tags(text)
    assert "script" not in page.tags
    assert not page.handlers
    assert "<script>alert(1)</script> =1+1" in page.words


def test_no_text_of_the_user_is_a_formula_in_a_workbook(hostile: planner.Plan) -> None:
    book = openpyxl.load_workbook(io.BytesIO(report_bytes(hostile, "xlsx")))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert all(cell.data_type in {"s", "n"} for cell in cells)
    texts = [str(cell.value) for cell in cells if cell.data_type == "s"]
    assert "'-orders" in texts
    assert not [text for text in texts if text.startswith(("=", "+", "-", "@"))]


def test_no_text_of_the_user_is_markup_in_a_pdf(hostile: planner.Plan) -> None:
    reader = pypdf.PdfReader(io.BytesIO(report_bytes(hostile, "pdf")))
    text = re.sub(r"\s+", " ", reader.pages[0].extract_text())
    assert "#[strong] $x$ @here" in text


def test_csv_is_the_table_of_topics_without_formulas(hostile: planner.Plan) -> None:
    head, row = report(hostile, "csv").splitlines()[:2]
    assert head.startswith("topic,")
    assert row.startswith("'-orders,")


def produced(form: str, seed: str) -> bytes:
    script = (
        "import planner, sys; from planner.reports import report_bytes; "
        f"sys.stdout.buffer.write(report_bytes(planner.load('preset:startup-10k-a-day'), {form!r}))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed}
    return subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, env=environment).stdout


@pytest.mark.parametrize("form", FORMS)
def test_equal_plans_give_equal_bytes(form: str) -> None:
    first, second = produced(form, "1"), produced(form, "2")
    assert first == second
    assert len(first) > 5000


def test_growth_is_told_in_months_and_only_where_the_load_grows(shop: planner.Plan) -> None:
    titles = [part.title for part in sections(shop)]
    assert "Growth" in titles
    still = planner.plan(planner.load("preset:startup-10k-a-day", ["policy.growth_per_year=0"]))
    assert "Growth" not in [part.title for part in sections(still)]
    (growth,) = [part for part in sections(shop) if part.title == "Growth"]
    (limits, *_) = [block for block in growth.blocks if isinstance(block, Table)]
    assert any(row[3].endswith(" months") for row in limits.rows)
    assert "2000" not in str(growth.blocks)


def test_the_question_of_kafka_is_answered_where_it_is_asked() -> None:
    asked = planner.plan(planner.load("preset:ecommerce", ["questions.replay=yes", "questions.consumer_groups=4"]))
    assert "Is Kafka needed" in [part.title for part in sections(asked)]


def test_a_missing_package_is_named_with_what_to_install(shop: planner.Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(_: planner.Plan) -> str:
        raise ImportError("jinja2")

    monkeypatch.setattr(html_module, "html_document", absent)
    with pytest.raises(MissingExtraError, match=r"kafka-capacity-planner\[report\]"):
        report(shop, "html")


def test_every_picture_has_words_and_a_table_beside_it(shop: planner.Plan) -> None:
    for part in sections(shop):
        pictures = [block for block in part.blocks if isinstance(block, Picture)]
        assert all(len(picture.alt) > 40 for picture in pictures)
        if pictures:
            assert any(isinstance(block, Table) for block in part.blocks)


# Blocks


def blocks_of() -> Iterator[Section]:
    page = Recorded()
    page.line("The answer.", "bold")
    page.line("More.")
    page.line("And more.")
    page.line()
    page.table(Table("Empty", ("a",), ()))
    page.table(Table("Full", ("a",), (("1",),)))
    page.say(["Last."])
    yield Section("x", page.blocks)


def test_sentences_and_tables_become_blocks_in_their_order() -> None:
    (section,) = blocks_of()
    assert section.blocks == (
        Paragraph(("The answer.",), strong=True),
        Paragraph(("More.", "And more."), strong=False),
        Table("Full", ("a",), (("1",),)),
        Paragraph(("Last.",), strong=False),
    )


def test_a_workbook_has_the_answers_beside_the_plan(shop: planner.Plan, pages: dict[str, bytes]) -> None:
    book = openpyxl.load_workbook(io.BytesIO(pages["xlsx"]))
    lost = list(book["Broker lost"].iter_rows(values_only=True))
    assert len(lost) - 1 == shop.brokers.count - 1
    growth = list(book["Growth"].iter_rows(values_only=True))
    factor = [str(head) for head in growth[0]].index("load factor")
    assert growth[13][factor] == pytest.approx(1.4, rel=1e-3)  # a year of 40 %
    assert "Messaging systems" not in book.sheetnames  # the scenario asks nothing about it
    asked = planner.load("preset:startup-10k-a-day")
    names = openpyxl.load_workbook(io.BytesIO(report_bytes(asked, "xlsx"))).sheetnames
    assert {"Messaging systems", "Ruled out"} <= set(names)


def test_pictures_of_flow_and_failure_are_in_the_report(shop: planner.Plan) -> None:
    pictures = [block for part in sections(shop) for block in part.blocks if isinstance(block, Picture)]
    alts = " ".join(picture.alt for picture in pictures)
    assert len(pictures) == 4
    assert "producers to leaders 94.6 MB/s" in alts


def test_a_decision_record_says_what_the_plan_says(shop: planner.Plan, hostile: planner.Plan) -> None:
    text = report(shop, "adr")
    assert text.startswith("# Decision: the cluster for e-commerce events\n\nStatus: proposed\n")
    assert all(sentence in text for sentence in shop.headline)
    heads = [line for line in text.splitlines() if line.startswith("## ")]
    assert heads[:2] == ["## Context", "## Decision"]
    assert {"## Consequences", "## What else was considered", "## Assumptions"} <= set(heads)
    assert "Growth of 40% a year." in text
    assert "<script>" not in report(hostile, "adr")


def test_equal_texts_give_an_equal_archive() -> None:
    files = {"a.txt": "one\n", "b/c.txt": "two\n" * 1000}
    assert zipped(files) == zipped(dict(files))
    with zipfile.ZipFile(io.BytesIO(zipped(files))) as archive:
        assert {name: archive.read(name).decode() for name in archive.namelist()} == files
