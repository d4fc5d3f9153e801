"""The documentation runs, is current, complete, and links to what exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from planner.constants import constants, resource_root, sources
from planner.trace import registry
from tools import build_docs, run_blocks

ROOT = resource_root()
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
RUN = [path for path in PAGES if re.search(r"^```(console|python)", path.read_text(encoding="utf-8"), re.MULTILINE)]
LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\((?P<target>[^)\s]+)\)")


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.fixture(scope="module")
def wanted() -> dict[Path, str]:
    return build_docs.pages()


def test_every_page_is_looked_at() -> None:
    assert {"README.md", "docs/tutorial.md", "docs/how-to.md", "docs/method.md"} <= {name_of(path) for path in RUN}
    assert {f"docs/{name}.md" for name in build_docs.HAND_WRITTEN} <= {name_of(path) for path in PAGES}


def test_every_page_that_runs_is_renewed(wanted: dict[Path, str]) -> None:
    assert set(RUN) <= set(wanted)


def test_every_page_is_current(wanted: dict[Path, str]) -> None:
    assert [name_of(path) for path, text in wanted.items() if path.read_text(encoding="utf-8") != text] == []


def test_every_formula_is_in_the_method() -> None:
    build_docs.model_modules()
    text = (ROOT / "docs" / "method.md").read_text(encoding="utf-8")
    ours = [rule for rule in registry().values() if rule.module.startswith("planner.model.")]
    assert len(ours) > 50
    assert [rule.name for rule in ours if f"**{rule.name}** " not in text or f"`{rule.expression}`" not in text] == []


def test_every_constant_and_source_is_listed() -> None:
    text = (ROOT / "docs" / "constants.md").read_text(encoding="utf-8")
    assert [name for name in constants() if f"| `{name}` |" not in text] == []
    assert [name for name in sources() if f"\n### {name}\n" not in text] == []


def anchors(path: Path) -> set[str]:
    prose = run_blocks.FENCE.sub("", path.read_text(encoding="utf-8"))
    return {build_docs.slug(line.lstrip("# ")) for line in prose.splitlines() if line.startswith("#")}


def broken_links(path: Path, text: str) -> list[str]:
    """Relative links to a file or a heading that does not exist."""
    broken = []
    for match in LINK.finditer(run_blocks.FENCE.sub("", text)):
        target, _, anchor = match["target"].partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        there = (path.parent / target).resolve() if target else path
        if not there.exists() or (anchor and anchor not in anchors(there)):
            broken.append(match["target"])
    return broken


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_every_link_leads_somewhere(path: Path) -> None:
    assert broken_links(path, path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("target", ["nowhere.md", "docs/method.md#nowhere", "#nowhere"])
def test_the_link_check_finds(target: str) -> None:
    assert broken_links(ROOT / "README.md", f"see [this]({target}) and [that](docs/method.md#states)") == [target]


def page(tmp_path: Path, text: str) -> str:
    return run_blocks.run_blocks(text, tmp_path)


SCENARIO = "```yaml s.yaml\ntopics: [{name: a, records_per_s: 10}]\n```\n"


def test_output_is_renewed_and_status_known(tmp_path: Path) -> None:
    command = "$ kafka-planner plan s.yaml --set 'topics.a.acks=[|]' | head -1\n"
    text = page(tmp_path, f"{SCENARIO}```console\n{command}what it printed once\n$ echo $?\n0\n```\n")
    assert text.endswith(f"{command}Bad input:\n$ echo $?\n2\n```\n")


def test_output_with_dots_is_compared(tmp_path: Path) -> None:
    good = f"{SCENARIO}```console\n$ cat s.yaml | kafka-planner plan - | head -1\n...\n```\n"
    assert page(tmp_path, good) == good
    with pytest.raises(ValueError, match="prints"):
        page(tmp_path, f"{SCENARIO}```console\n$ kafka-planner plan s.yaml\n...\nno such line\n```\n")


def test_python_blocks_share_names_and_show_what_they_print(tmp_path: Path) -> None:
    text = "```python\nx = 2\n```\n\n```python\nprint(x + 1)\n```\n\n```text output\nold\n```\n"
    assert page(tmp_path, text) == text.replace("old", "3")


@pytest.mark.parametrize("body", ["```python\n1 / 0\n```\n", "```console\n$ rm -r s.yaml\n```\n"])
def test_a_block_that_fails_is_no_page(body: str, tmp_path: Path) -> None:
    with pytest.raises((ValueError, ZeroDivisionError)):
        page(tmp_path, body)
