"""Collect measured figures and print them beside the design's targets; a target is stated, never asserted."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass, field

import pytest

LATER = (
    ("cheapest plan over the whole hardware catalogue", "50 ms"),
    ("the same under 4,096 sampled worlds", "1 s"),
    ("app: change one input to new picture, server side", "150 ms"),
)


collect_ignore = ["peer.py", "peer_side.py"]  # scripts; the second one runs in another environment


@dataclass(slots=True)
class Measured:
    """What the benchmarks found, in order."""

    figures: list[tuple[str, float, float | None, str]] = field(default_factory=list)
    ratios: list[tuple[str, float, float]] = field(default_factory=list)

    def figure(self, job: str, value: float, target: float | None = None, unit: str = "s") -> None:
        """Keep a figure; `target` is None where the design sets none."""
        self.figures.append((job, value, target, unit))

    def ratio(self, job: str, loop_s: float, numpy_s: float) -> None:
        """Keep two ways to the same sums."""
        self.ratios.append((job, loop_s, numpy_s))


_MEASURED = pytest.StashKey[Measured]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_MEASURED] = Measured()


@pytest.fixture
def measured(request: pytest.FixtureRequest) -> Measured:
    """Where a benchmark puts what it found."""
    return request.config.stash[_MEASURED]


def _shown(value: float, unit: str) -> str:
    if unit == "bytes":
        return f"{value / 1e6:.0f} MB"
    for factor, name in ((1, "s"), (1e3, "ms")):
        if value * factor >= 1:
            return f"{value * factor:.3g} {name}"
    return f"{value * 1e6:.3g} us"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    found = config.stash[_MEASURED]
    if not found.figures:
        return
    write = terminalreporter.write_line
    write("")
    write(f"{'Against the targets of the design (CPU time, median)':<86}{'found':>10}{'target':>10}")
    for job, value, target, unit in found.figures:
        wanted = "" if target is None else _shown(target, unit)
        verdict = "" if target is None else "pass" if value <= target else "MISSED"
        write(f"{job:<86}{_shown(value, unit):>10}{wanted:>10}  {verdict}".rstrip())
    for job, wanted in LATER:
        write(f"{job:<86}{'':>10}{wanted:>10}  not built yet")
    write("")
    write(f"{'The same sums in the same run':<86}{'loop':>10}{'numpy':>10}{'ratio':>10}")
    for job, loop_s, numpy_s in found.ratios:
        write(f"{job:<86}{_shown(loop_s, 's'):>10}{_shown(numpy_s, 's'):>10}{loop_s / numpy_s:>10.2g}")
    write(f"Load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors, Python {platform.python_version()}.")
