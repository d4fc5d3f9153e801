"""How long it takes to be whole again after a failure, against the replication throttle."""

from __future__ import annotations

from typing import Final

from planner.operations.failures import Failure
from planner.reports.pictures.drawing import Spec
from planner.reports.pictures.plane import Plane, logarithmic, logarithmic_times
from planner.reports.words import quantity

_LINES: Final = (("refill an empty broker", "within"), ("catch up after being away", "spare_ink"))


def recovery_alt(found: Failure) -> str:
    """The picture in words."""
    points = [
        f"at {quantity(point.throttle_bytes_per_s, 'bytes/s')} {_time(point.duration_s)}, {_time(point.catch_up_s)}"
        for point in found.curve
    ]
    return f"Time to refill, and to catch up, against the throttle of a broker: {'; '.join(points)}."


def _time(seconds: float | None) -> str:
    return "never" if seconds is None else quantity(seconds, "s")


def recovery_spec(found: Failure, *, dark: bool = False, narrow: bool = False, chosen: float | None = None) -> Spec:
    """Draw the curves on logarithmic scales.

    Parameters
    ----------
    found
        A failure with a curve.
    dark
        Colours for a dark page.
    narrow
        Fewer numbers, for a phone.
    chosen
        The throttle that is set [bytes/s], to be marked.

    Returns
    -------
    dict
        Vega-Lite.
    """
    refill = [(point.throttle_bytes_per_s, point.duration_s) for point in found.curve]
    caught = [(point.throttle_bytes_per_s, point.catch_up_s) for point in found.curve]
    throttles = [point.throttle_bytes_per_s for point in found.curve]
    known = [value for _, value in (*refill, *caught) if value]
    ticks = 3 if narrow else 5
    plane = Plane(
        logarithmic(throttles, lambda value: quantity(value, "bytes/s"), ticks=ticks),
        logarithmic_times(known, lambda value: quantity(value, "s")),
        dark,
        220.0,
    )
    never = [rate for rate, value in refill if value is None]
    ends = [rate for rate, value in refill if value is not None]
    if never and ends:
        plane.bar(min(never), min(ends), plane.y.low, plane.y.high, "track", tone=0.7)
        plane.say(min(never), plane.y.high, "▲ never ends", "short_ink", align="left", lift=12)
    for (name, paint), points in zip(_LINES, (refill, caught), strict=True):
        drawn = [(rate, value) for rate, value in points if value]
        if not drawn:
            continue
        plane.line(name, drawn, paint, size=2.5)
        for rate, value in drawn:
            plane.mark(rate, value, paint, size=36)
        plane.say(*drawn[-1], name, "right_ink" if paint == "within" else paint, align="right", lift=22)
    if chosen is not None and throttles and min(throttles) <= chosen <= max(throttles):
        plane.upright(chosen, "ink")
        plane.say(chosen, plane.y.high, f"throttle {quantity(chosen, 'bytes/s')}", lift=12, strong=True)
    return plane.picture()
