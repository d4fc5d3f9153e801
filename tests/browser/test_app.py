"""The app in headless Chromium: what only a browser sees. Run by `make test-browser`."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, FloatRect, Locator, Page, ViewportSize, expect, sync_playwright

from planner import load, plan
from planner.reports import report
from tools.serving import serving

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESKTOP: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 375, "height": 812}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app as `make run` starts it, on a port of its own."""
    log = tmp_path_factory.mktemp("app") / "log"
    with log.open("wb") as out, serving(out) as (_, port):
        yield f"http://127.0.0.1:{port}"
    assert "Traceback" not in log.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        pytest.fail("Chromium is missing: run `make deps`, or install it so that `chromium` is on the path.")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=CHROMIUM)
        yield chromium
        chromium.close()


@dataclass
class Visit:
    """A page, and what it did meanwhile."""

    page: Page
    messages: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)

    def open(self, address: str) -> Visit:
        self.page.on("console", lambda said: self.messages.append(said.text) if said.type == "error" else None)
        self.page.on("pageerror", lambda error: self.messages.append(str(error)))
        self.page.on("request", lambda request: self.hosts.add(urlsplit(request.url).hostname or ""))
        self.page.on("websocket", lambda opened: self.hosts.add(urlsplit(opened.url).hostname or ""))
        self.page.goto(address)
        expect(self.title).to_be_visible(timeout=60_000)
        expect(self.wall).to_be_visible(timeout=15_000)
        self.rest()
        return self

    @property
    def title(self) -> Locator:
        return self.page.get_by_role("heading", level=1)

    @property
    def wall(self) -> Locator:
        """The form of the wall that is seen."""
        charts = self.page.locator("[data-testid=stVegaLiteChart]").locator("svg.marks, canvas")
        return charts.filter(visible=True).first

    def rest(self) -> None:
        """Wait until the script has run and what it sent is drawn."""
        self.page.wait_for_timeout(200)
        expect(self.page.locator("[data-test-script-state=running]")).to_have_count(0, timeout=30_000)
        self.page.wait_for_timeout(300)

    def type(self, role: Literal["spinbutton", "textbox"], name: str, text: str) -> None:
        box = self.page.get_by_role(role, name=name, exact=True)
        box.fill(text)
        box.press("Enter")
        self.rest()

    def overflow(self) -> int:
        """How many pixels wider than the window the page is, at the window and at its scrolling part."""
        return int(
            self.page.evaluate(
                """() => Math.max(document.documentElement.scrollWidth - innerWidth,
                    ...[...document.querySelectorAll('[data-testid=stMain]')]
                        .map(part => part.scrollWidth - part.clientWidth))"""
            )
        )


@pytest.fixture(scope="module")
def desktop(browser: Browser) -> Iterator[BrowserContext]:
    """One window for many visits: each page is a session of its own, and what was loaded once stays."""
    with browser.new_context(viewport=DESKTOP) as context:
        yield context


@pytest.fixture
def visit(desktop: BrowserContext, address: str) -> Iterator[Visit]:
    page = desktop.new_page()
    yield Visit(page).open(address)
    page.close()


def box(part: Locator) -> FloatRect:
    found = part.bounding_box()
    assert found is not None
    return found


def sentence(source: str, *sets: str) -> str:
    return plan(load(source, sets)).headline[0]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_it_opens_answered_in_every_size_and_theme(
    browser: Browser, address: str, size: ViewportSize, scheme: Literal["light", "dark"]
) -> None:
    with browser.new_context(viewport=size, color_scheme=scheme) as context:
        seen = Visit(context.new_page()).open(address)
        expect(seen.title).to_have_text(sentence("preset:ecommerce"))
        expect(seen.page.get_by_text("The binding limit is disk space")).to_be_visible()
        assert seen.overflow() <= 0
        assert seen.messages == []
        assert seen.hosts == {"127.0.0.1"}
        ground = seen.page.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor")
        assert (sum(map(int, re.findall(r"\d+", ground)[:3])) < 3 * 128) == (scheme == "dark")


def test_a_phone_reads_the_wall_as_a_list(browser: Browser, address: str, visit: Visit) -> None:
    wide = box(visit.wall)
    with browser.new_context(viewport=PHONE) as context:
        seen = Visit(context.new_page()).open(address)
        narrow = box(seen.wall)
        texts = seen.wall.locator("text").all_text_contents()
        assert narrow["x"] >= 0
        assert narrow["x"] + narrow["width"] <= PHONE["width"]
    assert wide["width"] > 640
    assert any(text.startswith("disk space: healthy, binding") for text in texts)
    # nothing is cut off: no text reaches out of the picture
    assert not any("\u2026" in text for text in texts)


def test_the_pictures_say_themselves_in_words(visit: Visit) -> None:
    described = visit.page.locator("[data-testid=stVegaLiteChart]").filter(visible=True).first
    assert "disk space 6" in described.evaluate("node => node.outerHTML")


def test_changing_an_input_changes_the_headline(visit: Visit) -> None:
    visit.type("spinbutton", "Load, exactly", "3")
    changed = [
        f"topics.{topic.name}.records_per_s={3 * (topic.records_per_s or 0)}"
        for topic in load("preset:ecommerce").topics
    ]
    expect(visit.title).to_have_text(sentence("preset:ecommerce", *changed, "topics.payments.transactions_per_s=600"))
    visit.page.get_by_role("button", name="Reset 1 change").click()
    visit.rest()
    expect(visit.title).to_have_text(sentence("preset:ecommerce"))
    visit.type("textbox", "Records, average", "250k/s")
    expect(visit.title).to_have_text(sentence("preset:ecommerce", "topics.clickstream.records_per_s=250000"))
    assert visit.messages == []


def test_too_few_brokers_look_as_clear(visit: Visit) -> None:
    visit.type("spinbutton", "Brokers", "3")
    expect(visit.title).to_have_text(sentence("preset:ecommerce", "cluster.brokers=3"))
    expect(visit.page.get_by_text("▲ Does not hold")).to_be_visible()
    texts = visit.wall.locator("text").all_text_contents()
    assert "▲ over the limit" in texts
    assert any(re.fullmatch(r"▲ \d+ %", text) for text in texts)


def test_a_broken_file_shows_its_errors_and_keeps_the_answer(visit: Visit, tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("topics:\n  - {name: orders, record_per_s: 12k, retention: {time: 7 fortnights}}\n")
    visit.page.locator("input[type=file]").set_input_files(broken)
    alert = visit.page.get_by_role("alert").filter(has_text="broken.yaml was not taken")
    expect(alert).to_contain_text("There is no key called record_per_s here.")
    expect(alert).to_contain_text("Did you mean records_per_s?")
    expect(alert).to_contain_text("7 fortnights")
    expect(visit.title).to_have_text(sentence("preset:ecommerce"))
    assert visit.messages == []


def test_a_hostile_name_is_only_text(visit: Visit, tmp_path: Path) -> None:
    name = "<img src=x onerror=alert(1)> **b** :red[c] :smile: [d](https://example.org) $x^2$"
    hostile = tmp_path / "hostile.yaml"
    hostile.write_text(f'name: "{name}"\ntopics: [{{name: a_b_c, records_per_s: 5}}]\n', encoding="utf-8")
    visit.page.locator("input[type=file]").set_input_files(hostile)
    visit.rest()
    shown = visit.page.locator("[data-testid=stMain] [data-testid=stMarkdown]").first
    expect(shown).to_contain_text("<img src=x onerror=alert(1)>")
    assert name in shown.inner_text().replace("\u2060", "")
    assert visit.page.locator("img[src=x]").count() == 0
    assert visit.messages == []
    assert visit.hosts == {"127.0.0.1"}


def test_a_cell_of_the_wall_opens_its_explanation(visit: Visit) -> None:
    visit.wall.locator("[aria-label^='network in, zone down: ']").click()
    visit.rest()
    state = plan(load("preset:ecommerce")).explain("utilisation.zone_down.network_in")
    explained = visit.page.locator(".st-key-explained")
    expect(explained).to_contain_text("utilisation.zone_down.network_in")
    expect(explained).to_contain_text(state.expression)


def test_downloads_hold_the_plan(visit: Visit) -> None:
    visit.type("spinbutton", "Zones down at once", "1")
    here = plan(load("preset:ecommerce", ["policy.survive.zones=1"]))
    with visit.page.expect_download() as scenario:
        visit.page.get_by_role("button", name="Scenario (YAML)").click()
    loaded = load(Path(scenario.value.path()).read_text(encoding="utf-8"))
    assert plan(loaded).headline == here.headline
    with visit.page.expect_download() as document:
        visit.page.get_by_role("button", name="Report (Markdown)").click()
    assert Path(document.value.path()).read_text(encoding="utf-8") == report(plan(loaded))
