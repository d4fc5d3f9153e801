"""Published worked examples: what our model reproduces, what only the source's formula does, and what is wrong."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from planner.constants import resource_root
from planner.trace import registry
from tests.oracles import cases

CLASSES = cases.classified()
KINDS = ("reproduced", "source_formula", "disagreed", "not_computable")


def of(*kinds: str) -> list[str]:
    return [key for key in cases.CASES if CLASSES[key].kind in kinds]


def agrees(row: tuple[float, float, float]) -> bool:
    ours, published, tolerance = row
    return abs(ours - published) <= tolerance + 1e-9 * abs(published)


@contextmanager
def called_formulas() -> Iterator[set[str]]:
    """The names of the registered model functions that run inside the block."""
    seen: set[str] = set()

    def watch(frame: FrameType, event: str, _argument: Any) -> None:
        name = frame.f_code.co_name
        if event == "call" and name in registry() and frame.f_globals.get("__name__") == registry()[name].module:
            seen.add(name)

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        yield seen
    finally:
        sys.setprofile(before)


def test_every_case_is_classified_once() -> None:
    assert list(CLASSES) == list(cases.CASES)
    assert len(cases.CASES) == 99
    assert {found.kind for found in CLASSES.values()} == set(KINDS)
    assert all(found.why.endswith(".") for found in CLASSES.values())


def test_functions_exist_for_the_computable_cases_and_no_other() -> None:
    without_a_number = {"aws-eq1-ebs-iops-error"}  # a misprint: an I/O count in a column of MB/s
    assert set(cases.FUNCTIONS) == {*of("reproduced", "source_formula", "disagreed")} - without_a_number


def test_a_published_error_is_never_counted_as_agreement() -> None:
    wrong = {key for key, case in cases.CASES.items() if "PUBLISHED ERROR" in case["notes"]}
    assert len(wrong) == 10
    assert wrong <= set(of("disagreed"))


@pytest.mark.parametrize("key", of("reproduced", "source_formula"))
def test_agrees_within_the_sources_rounding(key: str) -> None:
    off = {name: row for name, row in cases.rows(key).items() if not agrees(row)}
    assert not off


@pytest.mark.parametrize("key", of("disagreed"))
def test_a_disagreement_is_real(key: str) -> None:
    if key not in cases.FUNCTIONS:
        assert "has no number" in CLASSES[key].why
        return
    assert not all(agrees(row) for row in cases.rows(key).values())


@pytest.mark.parametrize("key", of("reproduced"))
def test_no_tolerance_hides_an_error(key: str) -> None:
    # Within 10 %, or within half of one where a count below ten is printed without decimals.
    for _ours, published, tolerance in cases.rows(key).values():
        assert tolerance <= 0.126 * abs(published) or tolerance <= 0.5


@pytest.mark.parametrize("key", [key for key in cases.FUNCTIONS if CLASSES[key].by])
def test_the_model_functions_named_are_the_ones_that_ran(key: str) -> None:
    with called_formulas() as ran:
        cases.rows(key)
    assert set(CLASSES[key].by) <= ran


def test_only_the_model_reproduces() -> None:
    assert all(CLASSES[key].by for key in of("reproduced"))


@pytest.mark.parametrize("key", of("reproduced", "source_formula"))
def test_every_published_output_is_compared_or_left_out_with_a_reason(key: str) -> None:
    compared = " ".join(cases.rows(key))
    said = cases.CASES[key]["outputs"]
    if key.startswith("aws-msk-sizer-run"):
        said = said["per_instance"]
    missing = [
        name for name in said if name.removesuffix("_first3") not in compared and name not in CLASSES[key].left_out
    ]
    assert not [name for name in missing if name not in NAMED_OTHERWISE.get(key, ())]


# Outputs that stand in the rows under the names of their parts.
NAMED_OTHERWISE = {
    "apache-memory30": ("memory",),
    "apache-throttle": ("no_progress_when",),
    "purbon-by-topic": ("per_topic",),
    "purbon-tiered": ("rows_segments_hotset_GB",),
    "rao-latency-cap": ("partitions_per_broker_max",),
}


def test_the_validation_page_is_up_to_date() -> None:
    build: Callable[[], str] = runpy.run_path(str(resource_root() / "tools" / "build_validation.py"))["page"]
    kept = Path(resource_root() / "docs" / "validation.md").read_text(encoding="utf-8")
    assert kept == build(), "run: python tools/build_validation.py"
