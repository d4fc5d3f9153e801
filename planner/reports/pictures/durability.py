"""Settings of copies side by side: how likely acknowledged records are lost, and how long no write is taken."""

from __future__ import annotations

from typing import Final

from planner.operations.losses import Durability, Setting
from planner.reports.pictures.drawing import Spec
from planner.reports.pictures.plane import Plane, Scale, rows
from planner.reports.text_durability import chance_text, minutes_text

_ROW: Final = 46.0  # pixels of a setting
_LEAST: Final = 1e-12  # a year; what is rarer stands at the left end
_TICKS: Final = {1e-12: "1 in 10¹²", 1e-9: "1 in 10⁹", 1e-6: "in a million", 1e-3: "in 1,000", 1.0: "certain"}
_FEW: Final = {1e-12: "1 in 10¹²", 1e-6: "in a million", 1.0: "certain"}
_YEAR_MINUTES: Final = 525_600.0


def durability_alt(found: Durability) -> str:
    """The picture in words."""
    said = "; ".join(
        f"{_name(row)}: loss {chance_text(row.loss_probability_per_year)}, no writes {_writes(row)}"
        for row in found.settings
    )
    return f"All topics with acks=all, in a year. {said}."


def _name(row: Setting) -> str:
    copies = "copy" if row.replication_factor == 1 else "copies"
    return f"{row.replication_factor} {copies}, min ISR {row.min_insync_replicas}"


def _writes(row: Setting) -> str:
    return f"{minutes_text(row.unwritable_minutes_per_year)} a year"


def durability_spec(found: Durability, *, dark: bool = False, narrow: bool = False) -> Spec:
    """Draw for each setting a dot for the loss and a ring for the time without writes, as shares of a year.

    Parameters
    ----------
    found
        As `planner.durability` finds it.
    dark
        Colours for a dark page.
    narrow
        Fewer numbers, for a phone.

    Returns
    -------
    dict
        Vega-Lite.
    """
    scale = Scale(_LEAST, 1.0, _FEW if narrow else _TICKS, log=True)
    plane = Plane(scale, rows(len(found.settings)), dark, len(found.settings) * _ROW)
    plane.say(_LEAST, 0.0, "● loses acknowledged records", "short_ink", align="left", lift=12)
    plane.say(1.0, 0.0, "◆ takes no writes", "right_ink", align="right", lift=12)
    for index, row in enumerate(found.settings):
        loss, closed = row.loss_probability_per_year, row.unwritable_minutes_per_year / _YEAR_MINUTES
        plane.say(_LEAST, index + 0.25, _name(row), align="left", size=13.0)
        said = f"{chance_text(loss)}; {_writes(row)}"
        plane.say(1.0, index + 0.25, said, "muted", align="right")
        ends = [max(loss, _LEAST), max(closed, _LEAST)]
        plane.bar(min(ends), max(ends), index + 0.68, index + 0.64, "track")
        plane.mark(max(loss, _LEAST), index + 0.66, "short", size=90.0)
        plane.mark(max(closed, _LEAST), index + 0.66, "within", shape="diamond", size=90.0)
    return plane.picture()
