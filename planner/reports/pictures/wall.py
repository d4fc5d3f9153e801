"""The wall: every resource in every state as a bullet bar, in Vega-Lite. Pure functions over the rows of `views`.

How it is drawn is in `drawing`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from planner.reports.pictures.drawing import (
    SMALL,
    Drawn,
    Spec,
    assembled,
    clicks,
    colours_of,
    marks_of,
    text_at,
    texts_of,
)
from planner.sizing.narrate import percent as exact_percent

if TYPE_CHECKING:
    import altair as alt

# word and shape of a verdict, the gravest first; its colour is added by name below, never alone
STATUS: Final = {"short": ("over the limit", "▲"), "right": ("right", "■"), "spare": ("spare", "●")}
_PALE: Final = 0.4
_LABELS: Final = 1.35  # width of the resource names, in cells
_TRACK: Final = 0.86  # share of a cell's width that stands for 100 %
_ROW: Final = 44  # pixels
_REACH: Final = 0.07  # of a limit's mark beyond the bar, in rows
_MOST: Final = 100.0  # beyond it the digits say nothing
_HEAD: Final = 0.9  # height of the column heads, in rows


def percent(fraction: float | None) -> str:
    """A share as it stands beside a bar."""
    if fraction is None:
        return "n/a"
    if fraction > _MOST:
        return f"> {percent(_MOST)}"
    return "< 1 %" if 0 < fraction < 0.00995 else exact_percent(fraction)  # noqa: PLR2004 - rounds to 1 %


def _bars(
    row: Mapping[str, Any], left: float, full: float, y: tuple[float, float], colours: Mapping[str, str]
) -> Drawn:
    """The track and, over it, the bar of the fullest broker."""
    edges = {"x0": left, "y0": y[0], "y1": y[1]}
    fill = colours["short" if row["verdict"] == "short" else "within"]
    return [
        {**edges, "x1": left + full, "paint": colours["track"], "tone": 1.0},
        {**edges, "x1": left + full * min(row["utilisation"], 1.0), "paint": fill, "tone": _tone(row)},
    ]


def _marks(
    row: Mapping[str, Any], left: float, full: float, y: tuple[float, float], colours: Mapping[str, str]
) -> Drawn:
    """The mean as a thin line inside the bar, and the limit as an upright mark that reaches beyond it."""
    limit = {"x0": left + full * row["threshold"], "y0": y[0] - _REACH, "y1": y[1] + _REACH}
    found = [{**limit, "paint": colours["ink"], "tone": _tone(row), "size": 2.0}]
    if row["mean"] is not None:
        mean = {"x0": left + full * min(row["mean"], 1.0), "y0": y[0], "y1": y[1]}
        found.insert(0, {**mean, "paint": colours["paper"], "tone": 1.0, "size": 1.5})
    return found


def _tone(row: Mapping[str, Any]) -> float:
    return 1.0 if row["checked"] else _PALE


def _value(row: Mapping[str, Any], colours: Mapping[str, str]) -> tuple[str, str]:
    """The number of a cell and its colour; above the limit it has a shape as well."""
    if row["verdict"] == "short":
        return f"{STATUS['short'][1]} {percent(row['utilisation'])}", colours["short_ink"]
    return percent(row["utilisation"]), colours["ink" if row["checked"] else "muted"]


def _target(row: Mapping[str, Any], left: float, full: float, top: float) -> dict[str, Any]:
    """The area that takes the click on a cell, and what is said when the pointer rests on it."""
    limit = percent(row["threshold"])
    return {
        "x0": left - 0.04,
        "x1": left + full + 0.04,
        "y0": top,
        "y1": top + 1,
        "explain": row["explain"] or "",
        "said": f"{row['resource_label']}, {row['state_label']}: {percent(row['utilisation'])} of {limit}",
        "resource": row["resource_label"],
        "state": row["state_label"],
        "fullest": percent(row["utilisation"]),
        "mean": percent(row["mean"]),
        "limit": limit,
    }


_TITLES: Final = {
    "resource": "Resource",
    "state": "State",
    "fullest": "Fullest broker",
    "mean": "Mean",
    "limit": "Limit",
}


def _empty(count: int) -> list[Drawn]:
    return [[] for _ in range(count)]


def wall_spec(rows: Sequence[Mapping[str, Any]], *, dark: bool = False) -> Spec:
    """Draw the wall: a row per resource, a column per state.

    Parameters
    ----------
    rows
        As `views.wall_rows` returns them.
    dark
        Colours for a dark page.

    Returns
    -------
    dict
        Vega-Lite.
    """
    colours = colours_of(dark=dark)
    columns = {state: index + _LABELS for index, state in enumerate(dict.fromkeys(row["state"] for row in rows))}
    lines = {name: index for index, name in enumerate(dict.fromkeys(row["resource"] for row in rows))}
    bars, marks, plain, bold, right, frame, targets = _empty(7)
    for row in rows:
        left, top = columns[row["state"]], lines[row["resource"]]
        text = text_at(left, top + 0.32, *_value(row, colours))
        (bold if row["mark"] else plain).append(text)
        if row["utilisation"] is None:
            continue
        band = (top + 0.56, top + 0.82)
        bars += _bars(row, left, _TRACK, band, colours)
        marks += _marks(row, left, _TRACK, band, colours)
        targets.append(_target(row, left, _TRACK, top))
        if row["mark"]:
            right.append(text_at(left + _TRACK, top + 0.32, row["mark"], text["paint"]))
            frame.append({"x0": left - 0.05, "x1": left + _TRACK + 0.05, "y0": top + 0.06, "y1": top + 0.98})
    bold += _names(rows, lines, colours) + _heads(rows, columns, colours)
    plain += _judgements(rows, lines, colours) + _subheads(rows, columns, colours)
    layers = [
        *marks_of(bars, {"type": "rect"}, "x1", "y1", "fill", "tone"),
        *marks_of(marks, {"type": "rule"}, "y1", "color", "tone", "width"),
        *marks_of(
            frame,
            {"type": "rect", "fill": "transparent", "stroke": colours["ink"], "strokeWidth": 1.5, "cornerRadius": 3},
            "x1",
            "y1",
        ),
        *texts_of(plain),
        *texts_of(bold, bold=True),
        *texts_of(right, bold=True, align="right"),
        *clicks(targets, _TITLES),
    ]
    return assembled(layers, (0, _LABELS + len(columns)), (-_HEAD, len(lines)), height=_ROW * (len(lines) + _HEAD))


def _names(rows: Sequence[Mapping[str, Any]], lines: Mapping[str, int], colours: Mapping[str, str]) -> Drawn:
    labels = {row["resource"]: row["resource_label"] for row in rows}
    return [text_at(0.0, top + 0.38, labels[name], colours["ink"]) for name, top in lines.items()]


def _judgements(rows: Sequence[Mapping[str, Any]], lines: Mapping[str, int], colours: Mapping[str, str]) -> Drawn:
    """The gravest verdict of each resource, for under its name."""
    found = []
    for name, top in lines.items():
        given = {row["verdict"] for row in rows if row["resource"] == name and row["judged"]}
        verdict = next((word for word in STATUS if word in given), None)
        if verdict is not None:
            word, shape = STATUS[verdict]
            found.append(text_at(0.0, top + 0.72, f"{shape} {word}", colours[f"{verdict}_ink"], SMALL))
    return found


def _heads(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, float], colours: Mapping[str, str]) -> Drawn:
    states = {row["state"]: row for row in rows}
    return [
        text_at(left, 0.2 - _HEAD, states[name]["state_label"], colours["ink" if states[name]["checked"] else "muted"])
        for name, left in columns.items()
    ]


def _subheads(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, float], colours: Mapping[str, str]) -> Drawn:
    """Under the name of a state, whether the policy asks for it."""
    checked = {row["state"]: row["checked"] for row in rows}
    words = {
        name: "not asked for" if not checked[name] else "with the refill" if name == "recovering" else "checked"
        for name in columns
    }
    return [text_at(left, 0.58 - _HEAD, words[name], colours["muted"], SMALL) for name, left in columns.items()]


def list_spec(rows: Sequence[Mapping[str, Any]], *, dark: bool = False) -> Spec:
    """Draw the wall for a narrow page: one bar below the other, each resource in its fullest state.

    Parameters
    ----------
    rows
        As `views.resource_rows` returns them.
    dark
        Colours for a dark page.

    Returns
    -------
    dict
        Vega-Lite.
    """
    colours = colours_of(dark=dark)
    texts: dict[tuple[bool, str], Drawn] = {(bold, side): [] for bold in (False, True) for side in ("left", "right")}
    bars, marks, targets = _empty(3)
    for top, row in enumerate(rows):
        value, paint = _value(row, colours)
        bold, band = bool(row["mark"]), (top + 0.55, top + 0.78)
        name = ", ".join(filter(None, (f"{row['resource_label']}: {row['state_label']}", row["mark"])))
        texts[bold, "left"].append(text_at(0.0, top + 0.3, name, paint))
        texts[bold, "right"].append(text_at(1.0, top + 0.3, f"{value} of {percent(row['threshold'])}", paint))
        bars += _bars(row, 0.0, 1.0, band, colours)
        marks += _marks(row, 0.0, 1.0, band, colours)
        targets.append(_target(row, 0.0, 1.0, top))
    layers = [
        *marks_of(bars, {"type": "rect"}, "x1", "y1", "fill", "tone"),
        *marks_of(marks, {"type": "rule"}, "y1", "color", "tone", "width"),
        *(layer for (bold, side), drawn in texts.items() for layer in texts_of(drawn, bold=bold, align=side)),
        *clicks(targets, _TITLES),
    ]
    return assembled(layers, (0, 1), (0, len(rows)), height=_ROW * len(rows))


def wall_chart(rows: Sequence[Mapping[str, Any]], *, dark: bool = False) -> alt.LayerChart:
    """The wall as an Altair chart, for notebooks and files; the page takes the faster specification."""
    import altair as alt

    chart: alt.LayerChart = alt.LayerChart.from_dict(wall_spec(rows, dark=dark))
    return chart
