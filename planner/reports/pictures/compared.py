"""Several plans side by side: a few figures, each on a scale of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from planner.reports.pictures.bars import Part, Row, bars_spec
from planner.reports.pictures.drawing import Spec
from planner.reports.words import quantity
from planner.results import Comparison, Plan

# Okabe-Ito, one for each plan
COLOURS: Final = ("#0072B2", "#E69F00", "#009E73", "#CC79A7")
_FIGURES: Final[tuple[tuple[str, Callable[[Plan], float], str], ...]] = (
    ("brokers", lambda plan: float(plan.brokers.count), "count"),
    ("partitions", lambda plan: float(plan.cluster.partitions), "count"),
    ("produced at peak", lambda plan: plan.cluster.produce_in_bytes_per_s, "bytes/s"),
    ("network out, all brokers", lambda plan: plan.cluster.network_out_bytes_per_s, "bytes/s"),
    ("on disk at worst", lambda plan: plan.cluster.disk_bytes_worst, "bytes"),
    ("refill of a lost broker", lambda plan: plan.recovery.broker_refill_s or 0.0, "s"),
)


def compared_alt(found: Comparison) -> str:
    """The picture in words."""
    said = "; ".join(
        f"{label}: {', '.join(f'{name} {text}' for name, (_, text) in zip(found.names, values, strict=True))}"
        for label, values in _shown(found)
    )
    return f"{said}."


def _shown(found: Comparison) -> list[tuple[str, list[tuple[float, str]]]]:
    rows = [
        (label, [(read(plan), quantity(read(plan), unit)) for plan in found.plans]) for label, read, unit in _FIGURES
    ]
    return [(label, values) for label, values in rows if len({value for value, _ in values}) > 1]


def compared_spec(found: Comparison, *, dark: bool = False) -> Spec:
    """Draw the figures that differ, a bar for each plan; the longest of each figure has the same length.

    Parameters
    ----------
    found
        As `planner.compare` finds it.
    dark
        Colours for a dark page.

    Returns
    -------
    dict
        Vega-Lite.
    """
    rows = [Row(label, _parts(values), strong=True) for label, values in _shown(found)]
    return bars_spec(rows, dark=dark, most=1.0)


def _parts(values: Sequence[tuple[float, str]]) -> list[Part]:
    most = max(value for value, _ in values) or 1.0
    return [
        Part(value / most, COLOURS[index % len(COLOURS)], f"{index + 1}  {text}")
        for index, (value, text) in enumerate(values)
    ]
