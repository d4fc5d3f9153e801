"""What each uncertain input alone does to the brokers needed, the widest first."""

from __future__ import annotations

from planner.montecarlo import Bar, Uncertainty
from planner.reports.pictures.bars import Part, Row, bars_spec
from planner.reports.pictures.drawing import Spec
from planner.reports.words import quantity, unit_of_input


def tornado_alt(found: Uncertainty) -> str:
    """The picture in words."""
    bars = "; ".join(
        f"{bar.path} from {_needed(bar.brokers_at_low)} to {_needed(bar.brokers_at_high)}" for bar in found.tornado
    )
    return f"Brokers needed at the ends of each range alone: {bars}. Likely: {_needed(found.brokers.likely)}."


def _needed(count: int | None) -> str:
    return "none holds" if count is None else f"{count}"


def tornado_spec(found: Uncertainty, *, dark: bool = False) -> Spec:
    """Draw a bar for each input from the brokers at its low end to those at its high end, on a scale from zero.

    Parameters
    ----------
    found
        As `planner.uncertainty` finds it.
    dark
        Colours for a dark page.

    Returns
    -------
    dict
        Vega-Lite.
    """
    likely = found.brokers.likely
    return bars_spec([_row(bar, likely) for bar in found.tornado], dark=dark)


def _row(bar: Bar, likely: int | None) -> Row:
    unit = unit_of_input(bar.path)
    name = f"{bar.path}: {quantity(bar.low, unit)} to {quantity(bar.high, unit)}"
    known = [count for count in (bar.brokers_at_low, bar.brokers_at_high) if count is not None]
    text = f"{_needed(bar.brokers_at_low)} to {_needed(bar.brokers_at_high)}"
    if not known:
        return Row(name, (Part(0.0, "short", f"▲ {text}"),), mark=likely)
    paint = "within" if len(known) == 2 else "short"  # noqa: PLR2004 - both ends
    ends = (min(known), max(known)) if bar.swing else (0, known[0])
    return Row(name, (Part(float(ends[1]), paint if bar.swing else "track", text, start=float(ends[0])),), mark=likely)
