"""What the fullest survivor of a failure bears, against the limits that hold in a failure."""

from __future__ import annotations

from typing import Final

from planner.operations.failures import Failure
from planner.reports.pictures.bars import Part, Row, bars_spec
from planner.reports.pictures.drawing import Spec
from planner.results import RESOURCE_WORDS

_LONGEST: Final = 1.5  # of a capacity; what is fuller is drawn so long


def survivors_alt(found: Failure) -> str:
    """The picture in words."""
    said = "; ".join(
        f"{RESOURCE_WORDS[row.resource]} {row.utilisation:.0%} of {row.threshold:.0%}"
        + ("" if row.holds else ", over the limit")
        for row in found.usage
    )
    return f"The fullest survivor uses: {said}."


def survivors_spec(found: Failure, *, dark: bool = False) -> Spec:
    """Draw a bar for each resource with an upright mark at its limit.

    Parameters
    ----------
    found
        A failure with survivors.
    dark
        Colours for a dark page.

    Returns
    -------
    dict
        Vega-Lite.
    """
    rows = []
    for row in sorted(found.usage, key=lambda row: -row.utilisation / row.threshold):
        paint = "within" if row.holds else "short"
        sign = "" if row.holds else "▲ "
        name = f"{sign}{RESOURCE_WORDS[row.resource]}: {row.utilisation:.0%} of {row.threshold:.0%}"
        part = Part(min(row.utilisation, _LONGEST), paint, "")  # its number would stand on the mark of the limit
        rows.append(Row(name, (part,), strong=not row.holds, mark=row.threshold))
    return bars_spec(rows, dark=dark)
