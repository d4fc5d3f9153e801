"""The ladder: partition counts as rungs with the member counts that divide them evenly, reasons as floors below.

Everything stands on one scale of counts. A rung is as long as its partitions; its dots are the member counts at which
every member gets as many. Below stand the reasons, each as long as the least count that it asks for; above, the
ceiling that is closest.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from planner.operations.counts import TopicCount
from planner.reports.pictures.drawing import SMALL, Drawn, Spec, assembled, colours_of, marks_of, text_at, texts_of
from planner.reports.tables import Table
from planner.reports.words import REASON_LABELS, quantity
from planner.results import Ceiling, Rung

_TOP: Final = 34.0  # pixels above the first rung, for the ceiling
_ROW: Final = 34.0  # pixels of a rung
_FLOOR: Final = 22.0  # pixels of a reason
_NAMES: Final = 0.44  # room for names, of the longest rung
_ENDS: Final = 0.34  # room behind the longest rung for what is idle
_APART: Final = 0.1  # two numbers on a rung are at least this far apart, of the longest rung


def ladder_alt(found: TopicCount, members: Sequence[int] = ()) -> str:
    """The picture in words."""
    rungs = "; ".join(
        f"{rung.partitions} divides evenly among {', '.join(map(str, rung.even_members))} members"
        + ("" if rung.enough else " (too few)")
        for rung in found.ladder
    )
    floors = ", ".join(f"{REASON_LABELS.get(name, name)} {count}" for name, count in _floors(found))
    ceiling = _closest(found.ceilings)
    above = f" Closest ceiling: {_ceiling_text(ceiling)}." if ceiling else ""
    today = f" Members of the groups: {', '.join(map(str, members))}." if members else ""
    return f"{found.partitions} partitions planned. {rungs}. Reasons ask for at least: {floors}.{today}{above}"


def ladder_table(name: str, found: TopicCount) -> Table:
    """Rungs and reasons as a table."""
    rungs = [
        (
            f"{rung.partitions} partitions" + (", planned" if rung.partitions == found.partitions else ""),
            ", ".join(map(str, rung.even_members)),
            f"{rung.wasted_fraction:.0%}",
            "" if rung.enough else "too few",
        )
        for rung in found.ladder
    ]
    floors = [
        (f"at least {count}", f"because of {REASON_LABELS.get(why, why)}", "", "") for why, count in _floors(found)
    ]
    columns = ("rung", "members that divide it evenly", "idle today", "")
    return Table(f"Ladder of {name}", columns, (*rungs, *floors), right=frozenset({2}))


def ladder_spec(found: TopicCount, members: Sequence[int] = (), *, dark: bool = False) -> Spec:
    """Draw the ladder of a topic.

    Parameters
    ----------
    found
        The topic, as `planner.partitions` finds it.
    members
        Members of its groups today.
    dark
        Colours for a dark page.

    Returns
    -------
    dict
        Vega-Lite.
    """
    floors = _floors(found)
    widest = float(max([rung.partitions for rung in found.ladder] + [count for _, count in floors] + [1]))
    sheet = _Sheet(widest, colours_of(dark=dark))
    for index, rung in enumerate(sorted(found.ladder, key=lambda rung: -rung.partitions)):
        _rung(sheet, rung, _TOP + (index + 0.5) * _ROW, planned=rung.partitions == found.partitions)
    under = _TOP + len(found.ladder) * _ROW
    for count in sorted(set(members)):
        if count <= widest:
            sheet.rule(count, count, _TOP, under, "muted", 1.0)
    sheet.say(-_NAMES, under + 14, "at least, because of", "muted", SMALL)
    for index, (name, count) in enumerate(floors):
        decides = name == found.binding_reason and not found.partitions_given
        _floor(sheet, name, count, under + 26 + index * _FLOOR, decides=decides)
    ceiling = _closest(found.ceilings)
    if ceiling is not None:
        sheet.rule(-_NAMES * widest, widest * (1 + _ENDS), 22.0, 22.0, "short", 2.0)
        sheet.say(-_NAMES, 10, f"ceiling: {_ceiling_text(ceiling)}", "short_ink", SMALL)
    return sheet.picture(under + 34 + len(floors) * _FLOOR)


@dataclass
class _Sheet:
    """What is drawn so far, and the longest count of it."""

    widest: float
    colours: Mapping[str, str]
    lines: Drawn = field(default_factory=list)
    dots: Drawn = field(default_factory=list)
    bars: Drawn = field(default_factory=list)
    plain: Drawn = field(default_factory=list)
    bold: Drawn = field(default_factory=list)

    def rule(self, x0: float, x1: float, y0: float, y1: float, paint: str, size: float) -> None:  # noqa: PLR0917
        """A line between two places."""
        ends = {"x0": float(x0), "x1": float(x1), "y0": y0, "y1": y1}
        self.lines.append({**ends, "paint": self.colours[paint], "size": size})

    def say(
        self, x: float, y: float, text: str, paint: str = "ink", size: float = 13.0, *, strong: bool = False
    ) -> None:
        """A text; `x` is a part of the longest count."""
        (self.bold if strong else self.plain).append(text_at(x * self.widest, y, text, self.colours[paint], size))

    def picture(self, height: float) -> Spec:
        """All of it."""
        layers = [
            *marks_of(self.bars, {"type": "rect"}, "x1", "y1", "fill"),
            *marks_of(self.lines, {"type": "rule"}, "x1", "y1", "color", "width"),
            *marks_of(self.dots, {"type": "point", "filled": True, "opacity": 1}, "color", "size"),
            *texts_of(self.plain),
            *texts_of(self.bold, bold=True),
        ]
        return assembled(layers, (-_NAMES * self.widest, self.widest * (1 + _ENDS)), (0, height), height=height)


def _rung(sheet: _Sheet, rung: Rung, y: float, *, planned: bool) -> None:
    """Its line, a dot for each even member count, as many numbers as have room, and what is idle."""
    paint = "within" if rung.enough else "muted"
    sheet.rule(0, rung.partitions, y, y, paint, 3.0 if planned else 1.5)
    sheet.dots += [
        {"x0": float(count), "y0": y, "paint": sheet.colours[paint], "size": 34.0} for count in rung.even_members
    ]
    last = 2 * sheet.widest
    for count in sorted(rung.even_members, reverse=True):
        if last - count >= _APART * sheet.widest:
            sheet.say(count / sheet.widest - 0.012, y - 11, str(count), "muted", 10.5)
            last = count
    name = f"{rung.partitions}, planned" if planned else str(rung.partitions)
    sheet.say(-_NAMES, y, name, "ink" if rung.enough else "muted", strong=planned)
    said = f"{rung.wasted_fraction:.0%} idle" if rung.enough else "▲ too few"
    sheet.say(rung.partitions / sheet.widest + 0.03, y, said, "ink" if rung.enough else "short_ink", SMALL)


def _floor(sheet: _Sheet, name: str, count: int, y: float, *, decides: bool) -> None:
    """A reason, as long as the least count that it asks for."""
    paint = sheet.colours["within" if decides else "track"]
    sheet.bars.append({"x0": 0.0, "x1": float(count), "y0": y, "y1": y + 14, "paint": paint})
    sheet.say(-_NAMES, y + 7, REASON_LABELS.get(name, name), strong=decides)
    said = f"{count}, decides" if decides else str(count)
    sheet.say(count / sheet.widest + 0.02, y + 7, said, size=SMALL, strong=decides)


def _floors(found: TopicCount) -> list[tuple[str, int]]:
    """Reasons that ask for something, the largest first."""
    given: list[tuple[str, Any]] = [(name, value) for name, value in found.reasons.items() if value]
    return sorted(((name, int(value)) for name, value in given), key=lambda pair: -pair[1])


def _closest(ceilings: Sequence[Ceiling]) -> Ceiling | None:
    """The ceiling that binds, else the one of which most is used."""
    binding = [row for row in ceilings if row.binds]
    return max(binding or ceilings, key=lambda row: row.used_fraction, default=None)


def _ceiling_text(row: Ceiling) -> str:
    limit = quantity(math.floor(row.limit), "")
    return f"{limit} {row.name}, {row.used_fraction:.1%} of it used"
