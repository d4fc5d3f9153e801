"""A plane with two scales: lines, marks and texts stand at their values, grid lines carry their numbers inside.

Numbers above the grid lines instead of beside them leave the whole width to the picture, which a phone needs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from planner.reports.pictures.drawing import SMALL, Drawn, Spec, assembled, colours_of, marks_of, text_at, texts_of

_TOP: Final = 26.0  # pixels above the plane, for a line of text
_FOOT: Final = 22.0  # pixels below it, for the numbers of the horizontal scale
_LONG_TIMES: Final = (1e-3, 0.01, 0.1, 1.0, 10.0, 60.0, 600.0, 3600.0, 21_600.0, 86_400.0, 604_800.0, 2.592e6, 3.1536e7)
_TIMES: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)
_DAY: Final = 86_400.0
_STEPS: Final = (1.0, 2.0, 5.0, 10.0)
_AWAY: Final = 9.0  # pixels from a mark to the text beside it
_END: Final = 0.82  # right of it a text is written to the left of its place


@dataclass(frozen=True)
class Scale:
    """Values from `low` to `high`, which may be the lower one, and what is written on which grid lines."""

    low: float
    high: float
    ticks: Mapping[float, str]
    log: bool = False

    def place(self, value: float) -> float:
        """Where a value stands, 0 to 1; beyond the ends at the ends."""
        low, high = self.low, self.high
        if self.log:
            low, high, value = math.log(low), math.log(high), math.log(max(value, low))
        return min(max((value - low) / (high - low), 0.0), 1.0) if high != low else 0.0


def rows(count: int) -> Scale:
    """Rows from above: the first reaches from 0 to 1."""
    return Scale(float(count), 0.0, {})


def linear(most: float, said: Callable[[float], str], *, ticks: int = 5) -> Scale:
    """From zero to a little above `most`, with round grid lines."""
    most = most if most > 0 else 1.0
    return Scale(0.0, most * 1.04, _spaced(step_of(most / ticks), most, said))


def times(most_s: float, said: Callable[[float], str], *, ticks: int = 5) -> Scale:
    """From zero to a time, with grid lines at minutes, hours or days as people count them."""
    most_s = most_s if most_s > 0 else 1.0
    wanted = most_s / ticks
    known = next((step for step in _TIMES if step >= wanted), None)
    step = _DAY * step_of(wanted / _DAY) if known is None else float(known)
    return Scale(0.0, most_s, _spaced(step, most_s, said))


def logarithmic(values: Iterable[float], said: Callable[[float], str], *, ticks: int = 5) -> Scale:
    """From the lowest to the highest of positive values, with grid lines at 1, 2 and 5 times powers of ten."""
    known = [value for value in values if value > 0] or [1.0]
    low, high = min(known), max(known)
    low, high = (low, high) if high > low * 1.01 else (low / 2, high * 2)
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    fine = [step * 10.0**power for power in powers for step in _STEPS[:3]]
    coarse = [10.0**power for power in powers]
    inside = [value for value in fine if low <= value <= high]
    if len(inside) > ticks:
        inside = [value for value in coarse if low <= value <= high]
    inside = inside[:: max(math.ceil(len(inside) / ticks), 1)]
    return Scale(low, high, {value: said(value) for value in inside}, log=True)


def logarithmic_times(values: Iterable[float], said: Callable[[float], str], *, ticks: int = 5) -> Scale:
    """From the shortest to the longest of positive times, with grid lines at units that people use."""
    known = [value for value in values if value > 0] or [1.0]
    low, high = min(known) / 1.2, max(known) * 1.2
    if high < low * 3:
        low, high = low / 2, high * 2
    inside = [value for value in _LONG_TIMES if low <= value <= high]
    inside = inside[:: max(math.ceil(len(inside) / ticks), 1)]
    return Scale(low, high, {value: said(value) for value in inside}, log=True)


def step_of(wanted: float) -> float:
    """The least of 1, 2, 5 times a power of ten that is at least `wanted`."""
    power = 10.0 ** math.floor(math.log10(wanted))
    return next(step * power for step in _STEPS if step * power >= wanted * (1 - 1e-9))


def _spaced(step: float, most: float, said: Callable[[float], str]) -> dict[float, str]:
    return {index * step: said(index * step) for index in range(int(most / step + 1e-9) + 1)}


@dataclass
class Plane:
    """What is drawn so far. Places are values of the two scales; `paint` is the name of a colour."""

    x: Scale
    y: Scale
    dark: bool
    height: float = 240.0
    rules: Drawn = field(default_factory=list)
    areas: Drawn = field(default_factory=list)
    lines: Drawn = field(default_factory=list)
    dashes: Drawn = field(default_factory=list)
    marks: dict[str, Drawn] = field(default_factory=dict)
    texts: dict[tuple[str, bool, bool], Drawn] = field(default_factory=dict)

    def colour(self, paint: str) -> str:
        """A colour by its name, or as it is."""
        return self.colours.get(paint, paint)

    @property
    def colours(self) -> Mapping[str, str]:
        """The colours of the page."""
        return colours_of(dark=self.dark)

    def down(self, value: float) -> float:
        """Pixels from above at which a value stands."""
        return _TOP + (1 - self.y.place(value)) * self.height

    def line(
        self, name: str, points: Sequence[tuple[float, float]], paint: str, *, size: float = 2.0, dashed: bool = False
    ) -> None:
        """Straight lines from point to point."""
        rows = [
            {
                "x0": self.x.place(x),
                "y0": self.down(y),
                "line": name,
                "at": index,
                "paint": self.colour(paint),
                "size": size,
            }
            for index, (x, y) in enumerate(points)
        ]
        (self.dashes if dashed else self.lines).extend(rows)

    def bar(self, x0: float, x1: float, y0: float, y1: float, paint: str, *, tone: float = 1.0) -> None:
        """A filled rectangle."""
        ends = {"x0": self.x.place(x0), "x1": self.x.place(x1), "y0": self.down(y1), "y1": self.down(y0)}
        self.areas.append({**ends, "paint": self.colour(paint), "tone": tone})

    def upright(self, x: float, paint: str, *, size: float = 1.5) -> None:
        """A line from the bottom to the top."""
        place = self.x.place(x)
        ends = {"x0": place, "x1": place, "y0": _TOP, "y1": _TOP + self.height}
        self.rules.append({**ends, "paint": self.colour(paint), "size": size})

    def level(self, y: float, paint: str, *, size: float = 1.5) -> None:
        """A line from left to right."""
        ends = {"x0": 0.0, "x1": 1.0, "y0": self.down(y), "y1": self.down(y)}
        self.rules.append({**ends, "paint": self.colour(paint), "size": size})

    def mark(
        self, x: float, y: float, paint: str, *, shape: str = "circle", size: float = 50.0, lift: float = 0
    ) -> None:
        """A dot or another shape, `lift` pixels above its place."""
        row = {"x0": self.x.place(x), "y0": self.down(y) - lift, "paint": self.colour(paint), "size": size}
        self.marks.setdefault(shape, []).append(row)

    def say(
        self,
        x: float,
        y: float,
        text: str,
        paint: str = "ink",
        *,
        align: str | None = None,
        lift: float = 0,
        strong: bool = False,
        beside: bool = False,
        size: float = SMALL,
    ) -> None:
        """A text on the side of its place that has room, `lift` pixels above it; `beside` leaves room for a mark."""
        place = self.x.place(x)
        side = align or ("right" if place > _END else "left")
        row = text_at(place, self.down(y) - lift, text, self.colour(paint), size)
        self.texts.setdefault((side, strong, beside), []).append(row)

    def picture(self) -> Spec:
        """All of it, the grid behind."""
        grid, numbers = self._grid()
        layers = [
            *marks_of(grid, {"type": "rule"}, "x1", "y1", "color", "width"),
            *marks_of(self.areas, {"type": "rect"}, "x1", "y1", "fill", "tone"),
            *marks_of(self.rules, {"type": "rule"}, "x1", "y1", "color", "width"),
            *marks_of(self.lines, {"type": "line", "strokeJoin": "round"}, "line", "color", "width"),
            *marks_of(self.dashes, {"type": "line", "strokeDash": [5, 4]}, "line", "color", "width"),
        ]
        for shape, rows in self.marks.items():
            layers += marks_of(rows, {"type": "point", "shape": shape, "filled": True, "opacity": 1}, "color", "size")
        for side, rows in numbers.items():
            layers += texts_of(rows, align=side)
        for (side, strong, beside), rows in self.texts.items():
            away = {"left": _AWAY, "right": -_AWAY}.get(side, 0.0) if beside else 0.0
            layers += [
                {**layer, "mark": {**layer["mark"], "dx": away}} for layer in texts_of(rows, bold=strong, align=side)
            ]
        height = _TOP + self.height + _FOOT
        return assembled(layers, (0, 1), (0, height), height=height)

    def _grid(self) -> tuple[Drawn, dict[str, Drawn]]:
        colours = self.colours
        rules: Drawn = []
        numbers: dict[str, Drawn] = {"left": [], "center": [], "right": []}
        for value, text in self.y.ticks.items():
            y = self.down(value)
            rules.append({"x0": 0.0, "x1": 1.0, "y0": y, "y1": y, "paint": colours["track"], "size": 1.0})
            numbers["left"].append(text_at(0.0, y - 8, text, colours["muted"], SMALL))
        foot = _TOP + self.height
        for value, text in self.x.ticks.items():
            place = self.x.place(value)
            rules.append({"x0": place, "x1": place, "y0": foot, "y1": foot + 5, "paint": colours["muted"], "size": 1.0})
            side = "left" if place < 0.05 else "right" if place > 0.95 else "center"  # noqa: PLR2004 - so that none is cut off
            numbers[side].append(text_at(place, foot + 13, text, colours["muted"], SMALL))
        rules.append({"x0": 0.0, "x1": 1.0, "y0": foot, "y1": foot, "paint": colours["muted"], "size": 1.0})
        return rules, numbers
