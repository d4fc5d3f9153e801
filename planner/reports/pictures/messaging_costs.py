"""What messaging systems cost a month: a bar for the money and, apart from it, one for the people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from planner.recommender.recommendation import SystemCost
from planner.reports.pictures.drawing import SMALL, Drawn, Spec, assembled, colours_of, marks_of, text_at, texts_of
from planner.reports.text_recommend import money_text, name_of

_ROW: Final = 74.0  # pixels of a system
_MONEY, _PEOPLE = "#0072B2", "#E69F00"  # Okabe-Ito
_ROOM: Final = 0.6  # where the longest bar ends; its number stands behind it


def cost_alt(found: Sequence[SystemCost]) -> str:
    """The picture in words."""
    said = [
        f"{name_of(row.system, *row.also)} ({row.role}): infrastructure {money_text(row.infrastructure_per_month)}, "
        f"people {money_text(row.people_per_month)}"
        for row in found
    ]
    return f"USD a month. {'; '.join(said)}."


def cost_spec(found: Sequence[SystemCost], *, dark: bool = False) -> Spec:
    """Draw two bars for each system, on one scale from zero.

    Parameters
    ----------
    found
        Costs as a recommendation lists them.
    dark
        Colours for a dark page.

    Returns
    -------
    dict
        Vega-Lite.
    """
    colours = colours_of(dark=dark)
    most = max((max(row.infrastructure_per_month or 0.0, row.people_per_month) for row in found), default=0.0) or 1.0
    bars: Drawn = []
    plain: Drawn = []
    bold: Drawn = []
    for index, row in enumerate(found):
        top = index * _ROW
        bold.append(text_at(0.0, top + 12, f"{row.role}: {name_of(row.system, *row.also)}", colours["ink"]))
        for line, (what, amount, paint) in enumerate(
            (("infrastructure", row.infrastructure_per_month, _MONEY), ("people", row.people_per_month, _PEOPLE))
        ):
            y = top + 24 + line * 20
            end = (amount or 0.0) / most * _ROOM
            bars.append({"x0": 0.0, "x1": end, "y0": y, "y1": y + 14, "paint": paint})
            plain.append(text_at(end + 0.01, y + 7, f"{what} {money_text(amount)}", colours["ink"], SMALL))
    layers = [*marks_of(bars, {"type": "rect"}, "x1", "y1", "fill"), *texts_of(plain), *texts_of(bold, bold=True)]
    height = _ROW * max(len(found), 1)
    return assembled(layers, (0, 1), (0, height), height=height)
