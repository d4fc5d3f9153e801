"""Broker types that hold: what each costs against how much of its fullest limit is left; and where the money goes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from planner.optimise import Search, SearchRow
from planner.reports.pictures.bars import Part, Row, bars_spec
from planner.reports.pictures.drawing import Spec, clicks
from planner.reports.pictures.plane import Plane, Scale, linear
from planner.results import CostLine

# Okabe-Ito, one for each seller, with a shape of its own
SELLERS: Final = {
    "aws": ("#E69F00", "circle"),
    "msk": ("#D55E00", "square"),
    "gcp": ("#009E73", "triangle-up"),
    "azure": ("#56B4E9", "diamond"),
}
_OTHER: Final = ("#CC79A7", "cross")
_MOST: Final = 600  # points
_REACH: Final = 2.5  # times the cheapest; dearer ones are in the table only
_SIZE: Final = 46.0
_BEFORE: Final = 0.9  # of the cheapest, where the scale begins


def offers_drawn(found: Search) -> list[SearchRow]:
    """The types that the picture shows: those that hold, the cheapest first, up to a multiple of the cheapest."""
    held = [row for row in found.rows if row.feasible and row.per_month is not None]
    if not held:
        return []
    most = min(row.per_month or 0.0 for row in held) * _REACH
    return [row for row in held if (row.per_month or 0.0) <= most][:_MOST]


def offers_alt(found: Search) -> str:
    """The picture in words."""
    drawn = offers_drawn(found)
    best = "; ".join(f"{row.broker} {_said(row, found.currency)}" for row in drawn if row.pareto)
    return f"Cost a month against what is left of the fullest limit, {len(drawn)} types. Not beaten: {best}."


def _said(row: SearchRow, currency: str) -> str:
    return f"x {row.count}, {row.per_month or 0:,.0f} {currency}, {_left(row):.0%} left"


def _left(row: SearchRow) -> float:
    return max(1.0 - (row.limit_used_fraction or 0.0), 0.0)


def offers_spec(found: Search, *, dark: bool = False, narrow: bool = False, chosen: str | None = None) -> Spec:
    """Draw a point for each type that holds; those that nothing beats are joined and named.

    A click on a point selects `cell`, whose `explain` is the name of the type.

    Parameters
    ----------
    found
        As `planner.search` finds it.
    dark
        Colours for a dark page.
    narrow
        Fewer numbers, for a phone.
    chosen
        The type that is looked at, to be marked.

    Returns
    -------
    dict
        Vega-Lite.
    """
    drawn = offers_drawn(found)
    dearest = max((row.per_month or 0.0 for row in drawn), default=1.0)
    whole = linear(dearest, lambda value: f"{value:,.0f}", ticks=3 if narrow else 6)
    # points are compared by their places, so that the scale may begin near the cheapest
    least = _BEFORE * min((row.per_month or 0.0 for row in drawn), default=0.0)
    plane = Plane(
        Scale(least, whole.high, {value: text for value, text in whole.ticks.items() if value >= least}),
        linear(max(map(_left, drawn), default=1.0), lambda value: f"{value:.0%} left"),
        dark,
        300.0,
    )
    for row in reversed(drawn):
        paint, shape = SELLERS.get(row.provider, _OTHER)
        plane.mark(row.per_month or 0.0, _left(row), paint, shape=shape, size=_SIZE)
    best = sorted((row for row in drawn if row.pareto), key=lambda row: row.per_month or 0.0)
    for index, row in enumerate(best[: 1 if narrow else 4]):
        plane.say(
            row.per_month or 0.0,
            _left(row),
            f"{row.type} x {row.count}",
            lift=12 if index % 2 else -12,
            strong=not index,
        )
    for row in drawn:
        if row.type == chosen:
            plane.mark(row.per_month or 0.0, _left(row), "ink", shape="stroke", size=400.0)
            plane.mark(row.per_month or 0.0, _left(row), "short", shape="circle", size=130.0)
    spec = plane.picture()
    spec["layer"] += clicks([_target(plane, row, found.currency) for row in drawn], {"type": "Type", "cost": "Cost"})
    return spec


def _target(plane: Plane, row: SearchRow, currency: str) -> dict[str, object]:
    x, y = plane.x.place(row.per_month or 0.0), plane.down(_left(row))
    said = _said(row, currency)
    ends = {"x0": x - 0.008, "x1": x + 0.008, "y0": y - 6, "y1": y + 6}
    return {**ends, "explain": row.type, "type": row.type, "cost": said, "said": f"{row.type} {said}"}


# Where the money goes


def lines_alt(lines: Sequence[CostLine], currency: str) -> str:
    """The picture of the lines in words."""
    said = "; ".join(f"{line.item} {line.per_month:,.0f}" for line in _sorted(lines))
    return f"{currency} a month: {said}."


def lines_spec(lines: Sequence[CostLine], *, dark: bool = False) -> Spec:
    """Draw a bar for each line of a cost, the largest first.

    Parameters
    ----------
    lines
        Of a plan's cost.
    dark
        Colours for a dark page.

    Returns
    -------
    dict
        Vega-Lite.
    """
    rows = [
        Row(line.item.replace("_", " "), (Part(line.per_month, "within", f"{line.per_month:,.0f}"),))
        for line in _sorted(lines)
    ]
    return bars_spec(rows, dark=dark)


def _sorted(lines: Sequence[CostLine]) -> list[CostLine]:
    return sorted(lines, key=lambda line: -line.per_month)
