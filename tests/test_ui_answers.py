"""The pages about a running cluster, hardware and reports, as Streamlit's own test harness runs them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

import planner
from planner.reports import text_audit, text_consumers, text_failure, text_repartition, text_search
from planner.reports.page import Paragraph, Recorded
from planner.ui import views

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def app() -> AppTest:
    return AppTest.from_file(str(ROOT / "app.py"), default_timeout=90).run()


def on(app: AppTest, page: str) -> AppTest:
    app.switch_page(f"planner/ui/pages/{page}.py").run()
    assert not app.exception
    assert not app.error
    return app


def first_sentence(word: Any, found: Any) -> str:
    page = Recorded()
    word(found, page)
    block = page.blocks[0]
    assert isinstance(block, Paragraph)
    return views.sentence(block.sentences[0])


def labelled(widgets: Any, start: str) -> Any:
    (found,) = [widget for widget in widgets if widget.label.startswith(start)]
    return found


def test_each_page_opens_with_the_answer_of_the_library(app: AppTest) -> None:
    shop = planner.load("preset:ecommerce")
    now = planner.plan(shop).topics["clickstream"].partitions
    answers = {
        "failure": (text_failure.failure_text, planner.failure(shop, brokers=1)),
        "consumers": (text_consumers.consumers_text, planner.consumers(shop, outage_s=3600.0)),
        "repartition": (text_repartition.repartition_text, planner.repartition(shop, "clickstream", 2 * now)),
        "audit": (text_audit.audit_text, planner.audit(shop)),
        "hardware": (text_search.search_text, planner.search(shop)),
    }
    for page, (word, found) in answers.items():
        (title,) = on(app, page).title
        assert title.value == first_sentence(word, found), page


def test_a_failed_zone_is_another_answer(app: AppTest) -> None:
    on(app, "failure")
    labelled(app.radio, "What fails").set_value("a zone").run()
    (title,) = app.title
    shop = planner.load("preset:ecommerce")
    assert title.value == first_sentence(text_failure.failure_text, planner.failure(shop, zone="any"))


def test_growth_names_the_first_limit_and_samples_on_request(app: AppTest) -> None:
    (title,) = on(app, "growth").title
    assert "reach their first limit on" in title.value
    labelled(app.button, "Sample").click().run()
    assert not app.exception
    assert any("worlds" in str(text.value) for text in app.markdown)


def test_a_refusal_is_said_in_words(app: AppTest) -> None:
    on(app, "repartition")
    labelled(app.number_input, "Partitions, now").set_value(1).run()
    assert not app.exception
    assert app.error or app.title


def test_a_report_is_made_when_asked_for(app: AppTest) -> None:
    on(app, "report")
    labelled(app.radio, "As").set_value("Table of topics (CSV)").run()
    labelled(app.button, "Make it").click().run()
    assert not app.exception
    offered: Any = app.get("download_button")
    assert "Download report.csv" in [button.label for button in offered]
