"""The wall: every resource in every state as a bullet bar, drawn by Altair. Pure functions over the rows of `views`.

The chart places its cells itself instead of using facets: one view can follow the width of the page, and a cell of it
can be selected, neither of which Streamlit does for facets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import altair as alt

from planner.sizing.narrate import percent as exact_percent

# word and shape of a verdict, the gravest first; its colour is added by name below, never alone
STATUS: Final = {"short": ("over the limit", "▲"), "right": ("right", "■"), "spare": ("spare", "●")}
# Okabe-Ito hues: blue for what is within its limit, vermillion for what is not
_LIGHT: Final = {
    "ink": "#1B2329",
    "muted": "#5B6770",
    "track": "#E6EAED",
    "paper": "#FFFFFF",
    "within": "#0072B2",
    "short": "#D55E00",
    "short_ink": "#A84A00",
    "right_ink": "#005A8E",
    "spare_ink": "#00694C",
}
_DARK: Final = {
    "ink": "#E6EBEF",
    "muted": "#A3AFB8",
    "track": "#2B353D",
    "paper": "#14191E",
    "within": "#56B4E9",
    "short": "#D55E00",
    "short_ink": "#FF9A57",
    "right_ink": "#8CCBF0",
    "spare_ink": "#3CC9A0",
}
_FONT: Final = '"Source Sans", "Source Sans Pro", "Liberation Sans", sans-serif'
_PALE: Final = 0.4
_LABELS: Final = 1.35  # width of the resource names, in cells
_TRACK: Final = 0.86  # share of a cell's width that stands for 100 %
_ROW: Final = 44  # pixels
_MOST: Final = 100.0  # beyond it the digits say nothing
_HEAD: Final = 0.9  # height of the column heads, in rows


def percent(fraction: float | None) -> str:
    """A share as it stands beside a bar."""
    if fraction is None:
        return "n/a"
    if fraction > _MOST:
        return f"> {percent(_MOST)}"
    return "< 1 %" if 0 < fraction < 0.00995 else exact_percent(fraction)  # noqa: PLR2004 - rounds to 1 %


def _cells(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, float], full: float) -> list[dict[str, Any]]:
    """Where each part of each cell lies: x in cells, y in rows; `full` is the length of 100 %."""
    order = list(dict.fromkeys(row["resource"] for row in rows))
    cells = []
    for row in rows:
        left, top, share = columns[row["state"]], float(order.index(row["resource"])), row["utilisation"]
        known = share is not None
        short = row["verdict"] == "short"
        cells.append(
            {
                "resource": row["resource_label"],
                "state": row["state_label"],
                "explain": row["explain"] or "",
                "fullest": percent(share),
                "mean_share": percent(row["mean"]),
                "limit": percent(row["threshold"]),
                "left": left,
                "right": left + full,
                "end": left + full * min(share or 0.0, 1.0),
                "mean": left + full * min(row["mean"], 1.0) if row["mean"] is not None else None,
                "tick": left + full * row["threshold"] if known else None,
                "top": top,
                "colour": "short" if short else "within",
                "tone": 1.0 if row["checked"] else _PALE,
                "text": f"{STATUS['short'][1]} {percent(share)}" if short else percent(share),
                "ink": "short_ink" if short else "ink" if row["checked"] else "muted",
                "known": known,
                "mark": row["mark"],
                "label": f"{row['resource_label']}: {row['state_label']}",
                "numbers": f"{percent(share)} of {percent(row['threshold'])}",
            }
        )
    return cells


def _layer(cells: Sequence[Mapping[str, Any]]) -> alt.Chart:
    return alt.Chart(alt.InlineData(values=list(cells)))


def _bars(cells: Sequence[Mapping[str, Any]], colours: Mapping[str, str], low: float, high: float) -> list[alt.Chart]:
    """Track, bar, mean and limit of every known cell; `low` and `high` are the bar's edges within a row."""
    known = [
        {**cell, "y0": cell["top"] + low, "y1": cell["top"] + high, "fill": colours[cell["colour"]]}
        for cell in cells
        if cell["known"]
    ]
    edges = {"y": alt.Y("y0:Q"), "y2": alt.Y2("y1")}
    plain = {"fill": alt.Fill("fill:N", scale=None), "opacity": alt.Opacity("tone:Q", scale=None)}
    reach = [{**cell, "y0": cell["y0"] - 0.07, "y1": cell["y1"] + 0.07} for cell in known]
    return [
        _layer(known).mark_rect(fill=colours["track"]).encode(x=alt.X("left:Q"), x2=alt.X2("right"), **edges),
        _layer(known).mark_rect().encode(x=alt.X("left:Q"), x2=alt.X2("end"), **edges, **plain),
        _layer([cell for cell in known if cell["mean"] is not None])
        .mark_rule(color=colours["paper"], strokeWidth=1.5)
        .encode(x=alt.X("mean:Q"), **edges),
        _layer(reach)
        .mark_rule(color=colours["ink"], strokeWidth=2)
        .encode(x=alt.X("tick:Q"), opacity=alt.Opacity("tone:Q", scale=None), **edges),
    ]


def _text(cells: Sequence[Mapping[str, Any]], x: str, text: str, dy: float, **mark: Any) -> alt.Chart:
    """Text at `x`, `dy` rows below the row's upper edge, in each cell's own ink and weight."""
    placed = [{**cell, "ty": cell["top"] + dy} for cell in cells]
    drawn: alt.Chart = (
        _layer(placed)
        .mark_text(baseline="middle", **{"align": "left", "fontSize": 13, **mark})
        .encode(
            x=alt.X(f"{x}:Q"),
            y=alt.Y("ty:Q"),
            text=alt.Text(f"{text}:N"),
            color=alt.Color("paint:N", scale=None),
        )
    )
    return drawn


def _painted(cells: Sequence[Mapping[str, Any]], colours: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{**cell, "paint": colours[cell["ink"]]} for cell in cells]


def _targets(cells: Sequence[Mapping[str, Any]]) -> alt.Chart:
    """Invisible areas over the cells: they take the click that selects a figure, and show the numbers on hover."""
    areas = [
        {**cell, "x0": cell["left"] - 0.04, "x1": cell["right"] + 0.04, "y0": cell["top"], "y1": cell["top"] + 1}
        for cell in cells
        if cell["explain"]
    ]
    drawn: alt.Chart = (
        _layer(areas)
        .mark_rect(fill="transparent", cursor="pointer")
        .encode(
            x=alt.X("x0:Q"),
            x2=alt.X2("x1"),
            y=alt.Y("y0:Q"),
            y2=alt.Y2("y1"),
            tooltip=[
                alt.Tooltip("resource:N", title="Resource"),
                alt.Tooltip("state:N", title="State"),
                alt.Tooltip("fullest:N", title="Fullest broker"),
                alt.Tooltip("mean_share:N", title="Mean"),
                alt.Tooltip("limit:N", title="Limit"),
            ],
        )
        .properties(name="cells")
        .add_params(alt.selection_point(name="cell", fields=["explain"], empty=False))
    )
    return drawn


def _assembled(layers: Sequence[alt.Chart], x: Sequence[float], y: Sequence[float], height: float) -> alt.LayerChart:
    """All layers on one pair of plain scales without axes."""
    chart = alt.layer(*layers).encode(
        x=alt.X(axis=None, scale=alt.Scale(domain=list(x), nice=False, zero=False)),
        y=alt.Y(axis=None, scale=alt.Scale(domain=list(y), nice=False, zero=False, reverse=True)),
    )
    drawn: alt.LayerChart = (
        chart.properties(width="container", height=height, padding={"left": 2, "right": 2, "top": 2, "bottom": 2})
        .configure(background="transparent", font=_FONT)
        .configure_view(stroke=None)
    )
    return drawn


def _judgements(rows: Sequence[Mapping[str, Any]], resources: Sequence[str]) -> list[dict[str, Any]]:
    """The gravest verdict of each resource, for under its name."""
    found = []
    for index, name in enumerate(resources):
        given = {row["verdict"] for row in rows if row["resource_label"] == name and row["judged"]}
        verdict = next((word for word in STATUS if word in given), None)
        if verdict is not None:
            word, shape = STATUS[verdict]
            found.append({"top": float(index), "left": 0.0, "text": f"{shape} {word}", "ink": f"{verdict}_ink"})
    return found


def _below(row: Mapping[str, Any]) -> str:
    """What stands under the name of a state."""
    if not row["checked"]:
        return "not asked for"
    return "with the refill" if row["state"] == "recovering" else "checked"


def wall_chart(rows: Sequence[Mapping[str, Any]], *, dark: bool = False) -> alt.LayerChart:
    """Draw the wall: a row per resource, a column per state.

    Parameters
    ----------
    rows
        As `views.wall_rows` returns them.
    dark
        Colours for a dark page.
    """
    colours = _DARK if dark else _LIGHT
    states = {row["state"]: row for row in rows}
    columns = {state: index + _LABELS for index, state in enumerate(states)}
    cells = _painted(_cells(rows, columns, _TRACK), colours)
    resources = list(dict.fromkeys(cell["resource"] for cell in cells))
    marked = [cell for cell in cells if cell["mark"]]
    names = _painted(
        [{"top": float(index), "left": 0.0, "text": name, "ink": "ink"} for index, name in enumerate(resources)],
        colours,
    )
    judged = _painted(_judgements(rows, resources), colours)
    heads = _painted(
        [
            {
                "top": -_HEAD,
                "left": columns[state],
                "text": row["state_label"],
                "below": _below(row),
                "ink": "ink" if row["checked"] else "muted",
            }
            for state, row in states.items()
        ],
        colours,
    )
    muted = _painted([{**head, "ink": "muted"} for head in heads], colours)
    frame = [
        {"x0": c["left"] - 0.05, "x1": c["right"] + 0.05, "y0": c["top"] + 0.06, "y1": c["top"] + 0.98} for c in marked
    ]
    layers = [
        *_bars(cells, colours, 0.56, 0.82),
        _layer(frame)
        .mark_rect(fill="transparent", stroke=colours["ink"], strokeWidth=1.5, cornerRadius=3)
        .encode(x=alt.X("x0:Q"), x2=alt.X2("x1"), y=alt.Y("y0:Q"), y2=alt.Y2("y1")),
        _text(names, "left", "text", 0.38, fontWeight=600),
        _text(judged, "left", "text", 0.72, fontSize=11.5),
        _text(heads, "left", "text", 0.2, fontWeight=600),
        _text(muted, "left", "below", 0.58, fontSize=11.5),
        _text([c for c in cells if not c["mark"]], "left", "text", 0.32),
        _text(marked, "left", "text", 0.32, fontWeight=700),
        _text(marked, "right", "mark", 0.32, fontWeight=700, align="right"),
        _targets(cells),
    ]
    height = _ROW * (len(resources) + _HEAD)
    return _assembled(layers, (0, _LABELS + len(columns)), (-_HEAD, len(resources)), height)


def wall_list(rows: Sequence[Mapping[str, Any]], *, dark: bool = False) -> alt.LayerChart:
    """Draw the wall for a narrow page: one bar below the other, each resource in its fullest state.

    Parameters
    ----------
    rows
        As `views.resource_rows` returns them.
    dark
        Colours for a dark page.
    """
    colours = _DARK if dark else _LIGHT
    cells = _painted(_cells(rows, {row["state"]: 0.0 for row in rows}, 1.0), colours)
    for cell in cells:
        cell["label"] += f", {cell['mark']}" if cell["mark"] else ""
    plain = [cell for cell in cells if not cell["mark"]]
    marked = [cell for cell in cells if cell["mark"]]
    layers = [
        *_bars(cells, colours, 0.55, 0.78),
        *(
            _text(some, x, text, 0.3, align=align, fontWeight=weight)
            for some, weight in ((plain, 400), (marked, 700))
            for x, text, align in (("left", "label", "left"), ("right", "numbers", "right"))
        ),
        _targets(cells),
    ]
    return _assembled(layers, (0, 1), (0, len(cells)), _ROW * len(cells))
