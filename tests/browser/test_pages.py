"""The pages Need Kafka?, Plan, Topics and Method in headless Chromium: walked in one visit, looked at in every size."""

from __future__ import annotations

from typing import Literal

import pytest
from playwright.sync_api import Browser, ViewportSize, expect

from planner import load, plan, recommend
from tests.browser.test_app import DESKTOP, PHONE, Visit, address, browser, desktop, sentence, visit

__all__ = ["address", "browser", "desktop", "visit"]  # fixtures

pytestmark = pytest.mark.browser


def go(seen: Visit, group: str, title: str) -> None:
    """Choose a page from the navigation on top."""
    seen.page.get_by_role("button", name=group, exact=True).click()
    seen.page.get_by_role("menuitem", name=title).click()
    seen.rest()


def test_a_walk_through_the_pages(visit: Visit) -> None:
    page = visit.page
    page.get_by_role("radio", name="recovering").click()
    visit.rest()
    expect(page.get_by_text("Grey behind it: the healthy state.")).to_be_visible()
    go(visit, "Decide", "Need Kafka?")
    verdict = recommend(load("preset:ecommerce")).sentence.partition(". ")[0]
    expect(visit.title).to_have_text(f"{verdict}.")
    page.get_by_role("button", name="→ Are messages delivered later").click()
    visit.rest()
    tried = recommend(load("preset:ecommerce", ["questions.delay=true"])).sentence.partition(". ")[0]
    expect(visit.title).to_have_text(f"{tried}.")
    page.get_by_role("button", name="↩ Undo: Are messages delivered later").click()
    visit.rest()
    expect(visit.title).to_have_text(f"{verdict}.")
    go(visit, "Size", "Topics")
    cluster = plan(load("preset:ecommerce")).cluster
    expect(visit.title).to_have_text(f"7 topics have {cluster.partitions} partitions, {cluster.replicas} replicas.")
    visit.type("spinbutton", "Load, exactly", "3")
    go(visit, "Report", "Method")
    expect(visit.title).to_contain_text("formulas and")
    expect(page.get_by_role("button", name="Reset 1 change")).to_be_visible()
    assert visit.messages == []
    assert visit.hosts == {"127.0.0.1"}


def test_a_link_is_opened_by_somebody_else(browser: Browser, visit: Visit) -> None:
    visit.type("spinbutton", "Zones down at once", "1")
    visit.page.get_by_role("button", name="Share link").click()
    link = visit.page.get_by_text("?v=1&p=ecommerce").inner_text()
    with browser.new_context() as context:
        other = Visit(context.new_page()).open(link)
        expect(other.title).to_have_text(sentence("preset:ecommerce", "policy.survive.zones=1"))
        assert other.messages == []


@pytest.mark.parametrize(("size", "scheme"), [(DESKTOP, "dark"), (PHONE, "light")], ids=["desktop", "phone"])
def test_pages_fit_their_window(
    browser: Browser, address: str, size: ViewportSize, scheme: Literal["light", "dark"]
) -> None:
    with browser.new_context(viewport=size, color_scheme=scheme) as context:
        page = context.new_page()
        for name in ("need_kafka", "topics", "method"):
            page.goto(f"{address}/{name}")
            seen = Visit(page)
            expect(seen.title).to_be_visible(timeout=60_000)
            seen.rest()
            assert seen.overflow() <= 0, name


def test_no_edit_of_the_table_is_lost(visit: Visit) -> None:
    """The table tells the server of an edit 150 ms after it, and people click sooner."""
    go(visit, "Size", "Topics")
    page = visit.page
    for value in ("9", "8", "7"):
        box = page.get_by_test_id("stDataFrame").first.bounding_box()
        assert box is not None
        page.mouse.dblclick(box["x"] + 200, box["y"] + 52)  # records/s of the first topic
        page.wait_for_timeout(300)
        page.keyboard.press("Control+A")
        page.keyboard.type(f"{value}k/s")
        page.get_by_role("button", name="Apply the table").click()
        expect(page.get_by_text(f"topics.clickstream.records_per_s = {value}k/s").first).to_be_visible(timeout=15_000)
        visit.rest()
    assert visit.messages == []
