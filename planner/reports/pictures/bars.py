"""Bars in rows: a name above, a bar on one scale from zero, its number behind. For a phone as for a wide page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from planner.reports.pictures.drawing import SMALL, Drawn, Spec, assembled, colours_of, marks_of, text_at, texts_of

_NAME: Final = 18.0  # pixels of a name
_BAR: Final = 13.0  # pixels of a bar
_LINE: Final = 17.0  # pixels from a bar to the next
_GAP: Final = 9.0  # pixels between rows
_ROOM: Final = 0.62  # where the longest bar ends; its number stands behind it


@dataclass(frozen=True, slots=True)
class Part:
    """One bar of a row: its length, its colour by name, what is written behind it; `start` where it begins."""

    value: float
    paint: str
    text: str
    start: float = 0.0


@dataclass(frozen=True, slots=True)
class Row:
    """A name and its bars, one under the other; `mark` is where an upright mark stands."""

    name: str
    parts: Sequence[Part] = field(default_factory=tuple)
    strong: bool = False
    mark: float | None = None


def bars_spec(rows: Sequence[Row], *, dark: bool = False, most: float | None = None) -> Spec:
    """Draw the rows.

    Parameters
    ----------
    rows
        From top to bottom.
    dark
        Colours for a dark page.
    most
        What the longest bar stands for; the largest value when not given.

    Returns
    -------
    dict
        Vega-Lite.
    """
    colours = colours_of(dark=dark)
    ends = [max(part.value, part.start) for row in rows for part in row.parts]
    ends += [row.mark for row in rows if row.mark is not None]
    scale = _ROOM / (most or max(ends, default=0.0) or 1.0)
    bars: Drawn = []
    marks: Drawn = []
    plain: Drawn = []
    bold: Drawn = []
    y = 0.0
    for row in rows:
        (bold if row.strong else plain).append(text_at(0.0, y + 8, row.name, colours["ink"]))
        top = y + _NAME
        for index, part in enumerate(row.parts):
            place = top + index * _LINE
            left, right = (min(max(value * scale, 0.0), 1.0) for value in (part.start, part.value))
            shown = {"x0": left, "x1": right, "y0": place, "y1": place + _BAR}
            bars.append({**shown, "paint": colours.get(part.paint, part.paint)})
            if part.text:
                end = max(left, right) + 0.012
                plain.append(text_at(end, place + _BAR / 2 + 0.5, part.text, colours["ink"], SMALL))
        bottom = top + len(row.parts) * _LINE
        if row.mark is not None:
            place = min(row.mark * scale, 1.0)
            ends_at = {"x0": place, "x1": place, "y0": top - 2, "y1": bottom - _LINE + _BAR + 2}
            marks.append({**ends_at, "paint": colours["ink"], "size": 2.0})
        y = bottom + _GAP
    layers = [
        *marks_of(bars, {"type": "rect"}, "x1", "y1", "fill"),
        *marks_of(marks, {"type": "rule"}, "x1", "y1", "color", "width"),
        *texts_of(plain),
        *texts_of(bold, bold=True),
    ]
    height = max(y, _NAME)
    return assembled(layers, (0, 1), (0, height), height=height)
