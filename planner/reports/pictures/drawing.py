"""What the pictures are drawn with: colours, and layers of plain rows on plain scales.

Vega-Lite's own dictionary, because building it from Altair's objects takes longer than planning; Altair checks the
dictionaries in the tests. Charts place what they draw themselves: one view can follow the width of the page, and a part
of it can be selected, neither of which Streamlit does for facets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

# Okabe-Ito hues: blue for what is within its limit, vermilion for what is not
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
SMALL: Final = 11.5  # pixels

Spec = dict[str, Any]
Drawn = list[dict[str, Any]]  # rows: a place, and what varies


def text_at(x: float, y: float, text: str, paint: str, size: float = 13.0) -> dict[str, Any]:
    """A text and its place."""
    return {"x0": x, "y0": y, "text": text, "paint": paint, "size": size}


def marks_of(rows: Drawn, mark: Spec, *channels: str) -> list[Spec]:
    """One kind of mark at the rows' places, none without rows; `channels` are what varies beside the place."""
    known: dict[str, Spec] = {
        "x1": {"x2": {"field": "x1"}},
        "y1": {"y2": {"field": "y1"}},
        "fill": {"fill": {"field": "paint", "type": "nominal", "scale": None}},
        "color": {"color": {"field": "paint", "type": "nominal", "scale": None}},
        "tone": {"opacity": {"field": "tone", "type": "quantitative", "scale": None}},
        "width": {"strokeWidth": {"field": "size", "type": "quantitative", "scale": None}},
        "size": {"size": {"field": "size", "type": "quantitative", "scale": None}},
        "text": {"text": {"field": "text", "type": "nominal"}},
        "line": {"detail": {"field": "line"}, "order": {"field": "at", "type": "quantitative"}},
    }
    encoding: Spec = {
        "x": {"field": "x0", "type": "quantitative"},
        "y": {"field": "y0", "type": "quantitative"},
    }
    for channel in channels:
        encoding |= known[channel]
    # areas that take clicks say each part once; the other marks would repeat it piece by piece
    return [{"data": {"values": rows}, "mark": {"aria": False, **mark}, "encoding": encoding}] if rows else []


def texts_of(rows: Drawn, *, bold: bool = False, align: str = "left") -> list[Spec]:
    """Texts at the rows' places."""
    mark = {"type": "text", "align": align, "baseline": "middle", "fontWeight": 600 if bold else 400}
    return marks_of(rows, mark, "color", "size", "text")


def clicks(rows: Drawn, titles: Mapping[str, str]) -> list[Spec]:
    """Invisible areas that take the click on a part of the picture, and show its numbers when the pointer rests on it.

    The selection is called `cell`; it gives the row's `explain`, and `said` is what a screen reader says.
    """
    tooltip = [{"field": name, "type": "nominal", "title": title} for name, title in titles.items()]
    cell = {"name": "cell", "select": {"type": "point", "fields": ["explain"]}}
    said = {"tooltip": tooltip, "description": {"field": "said", "type": "nominal"}}
    mark = {"type": "rect", "fill": "transparent", "cursor": "pointer", "aria": True}
    return [
        {**layer, "name": "cells", "encoding": {**layer["encoding"], **said}, "params": [cell]}
        for layer in marks_of(rows, mark, "x1", "y1")
    ]


def colours_of(*, dark: bool) -> Mapping[str, str]:
    """Colours for a dark or a light page."""
    return _DARK if dark else _LIGHT


def assembled(layers: Sequence[Spec], x: Sequence[float], y: Sequence[float], *, height: float) -> Spec:
    """All layers on one pair of plain scales without axes, `height` pixels high and as wide as the page."""
    plain = {"nice": False, "zero": False}
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "layer": layers,
        "encoding": {
            "x": {"axis": None, "scale": {"domain": list(x), **plain}},
            "y": {"axis": None, "scale": {"domain": list(y), "reverse": True, **plain}},
        },
        "width": "container",
        "height": height,
        "padding": {"left": 2, "right": 2, "top": 2, "bottom": 2},  # Streamlit's page fails on a single number
        "config": {"background": "transparent", "font": _FONT, "view": {"stroke": None}},
    }
