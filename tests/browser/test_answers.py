"""The pages about growth, failure, consumers, changes, hardware and reports in headless Chromium."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, ViewportSize, expect

from planner import consumers, failure, load, plan
from planner.reports import text_failure
from tests.browser.test_app import DESKTOP, PHONE, Visit, address, browser, desktop, visit
from tests.browser.test_pages import go

__all__ = ["address", "browser", "desktop", "visit"]  # fixtures

pytestmark = pytest.mark.browser

PAGES = ("failure", "consumers", "repartition", "growth", "compare", "audit", "report", "hardware")


def test_a_walk_through_the_answers(visit: Visit) -> None:
    shop = load("preset:ecommerce")
    page = visit.page
    go(visit, "Operate", "Failure")
    page.get_by_role("radio", name="A zone").click()
    visit.rest()
    expect(visit.title).to_have_text(text_failure.failure_sentence(failure(shop, zone="any")))
    go(visit, "Operate", "Consumers")
    visit.type("textbox", "Consumers are down for", "9d")
    expect(visit.title).to_have_text(consumers(shop, outage_s=9 * 86_400).headline)
    for group, title in (("Operate", "Repartition"), ("Size", "Compare"), ("Operate", "Audit & diagnose")):
        go(visit, group, title)
        expect(visit.title).to_be_visible()
    go(visit, "Operate", "Growth & risk")
    page.get_by_role("button", name="Sample the worlds").click()
    expect(page.get_by_text("are enough in half of 1,024 worlds")).to_be_visible(timeout=30_000)
    go(visit, "Size", "Hardware & cost")
    expect(visit.title).to_contain_text("Cheapest: ", timeout=30_000)
    assert visit.messages == []
    assert visit.hosts == {"127.0.0.1"}


def test_a_report_is_downloaded_and_opened(visit: Visit, browser: Browser) -> None:
    go(visit, "Report", "Report")
    with visit.page.expect_download() as document:
        visit.page.get_by_role("button", name="Web page").click()
    with browser.new_context(offline=True) as context:
        opened = context.new_page()
        opened.set_content(Path(document.value.path()).read_text(encoding="utf-8"))
        expect(opened.get_by_text(plan(load("preset:ecommerce")).headline[0]).first).to_be_visible()
    assert visit.messages == []


@pytest.mark.parametrize(("size", "scheme"), [(DESKTOP, "dark"), (PHONE, "light")], ids=["desktop", "phone"])
def test_answers_fit_their_window(
    browser: Browser, address: str, size: ViewportSize, scheme: Literal["light", "dark"]
) -> None:
    with browser.new_context(viewport=size, color_scheme=scheme) as context:
        page = context.new_page()
        for name in PAGES:
            page.goto(f"{address}/{name}")
            seen = Visit(page)
            expect(seen.title).to_be_visible(timeout=60_000)
            seen.rest()
            assert seen.overflow() <= 0, name
