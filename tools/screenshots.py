"""Write the pictures of docs/app.md anew: the app with its first worked example, in headless Chromium."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from playwright.sync_api import Page, sync_playwright

from tools.serving import serving

ROOT = Path(__file__).resolve().parent.parent
FOLDER: Final = ROOT / "docs" / "img"
# file, page, width, height, theme, heading at which it begins
SHOTS: Final = (
    ("plan", "", 1280, 1000, "light", None),
    ("plan-flow", "", 1280, 760, "light", "Where the bytes go"),
    ("plan-phone", "", 375, 812, "dark", None),
    ("need-kafka", "need_kafka", 1280, 1000, "light", None),
    ("topics", "topics", 1280, 900, "dark", None),
    ("failure", "failure", 1280, 1150, "light", None),
    ("consumers", "consumers", 1280, 900, "light", None),
    ("growth", "growth", 1280, 1000, "light", None),
    ("hardware", "hardware", 1280, 1000, "dark", None),
)


def main() -> None:
    """Start the app, visit the pages, write the files."""
    with serving() as (_, port):
        _shoot(port)


def _shoot(port: int) -> None:
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
        for name, path, width, height, theme, heading in SHOTS:
            page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=theme)  # type: ignore[arg-type]
            page.goto(f"http://127.0.0.1:{port}/{path}")
            _settled(page)
            if heading is not None:
                page.get_by_role("heading", name=heading).evaluate("it => it.scrollIntoView()")
            page.wait_for_timeout(500)
            page.screenshot(path=FOLDER / f"{name}.png")
            page.close()
            print(f"docs/img/{name}.png")


def _settled(page: Page) -> None:
    """Wait until the page has an answer and stands still."""
    page.wait_for_selector("h1", timeout=60_000)
    page.wait_for_timeout(500)
    page.wait_for_function("!document.querySelector('[data-test-script-state=running]')", timeout=60_000)
    page.wait_for_timeout(2_000)


if __name__ == "__main__":
    main()
