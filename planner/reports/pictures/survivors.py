"""What the fullest survivor of a failure bears, against the limits that hold in a failure."""

from __future__ import annotations

from planner.operations.failures import Failure
from planner.reports.pictures.bars import Part, Row, bars_spec
from planner.reports.pictures.drawing import Spec
from planner.results import RESOURCE_WORDS


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
        text = f"{sign}{row.utilisation:.0%} of {row.threshold:.0%}"
        # the number stands behind the mark of the limit
        part = Part(min(row.utilisation, 1.5), paint, text)
        rows.append(Row(RESOURCE_WORDS[row.resource], (part,), strong=not row.holds, mark=row.threshold))
    return bars_spec(rows, dark=dark)
