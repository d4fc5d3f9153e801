"""The months to come: how full each resource of today's cluster is, when each breaks, and what is bought before it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from planner.reports.pictures.drawing import Spec
from planner.reports.pictures.plane import Plane, Scale, linear
from planner.reports.tables import Table
from planner.reports.words import STATE_LABELS
from planner.results import RESOURCE_WORDS
from planner.runway import FirstLimit, Growth, Purchase

_TALLEST: Final = 1.6  # lines leave the picture at so many times the limit
_APART: Final = 15.0  # pixels between two texts
_NAMED: Final = 0.2  # lines that end lower are named together
_MANY: Final = 6  # lines that end high and are named


def timeline_alt(found: Growth) -> str:
    """The picture in words."""
    breaks = [
        f"{RESOURCE_WORDS[row.resource]} ({STATE_LABELS[row.state]}) on {row.date}"
        for row in found.first_limits
        if row.date
    ]
    said = f"reach their limit: {'; '.join(breaks)}" if breaks else "reach no limit"
    steps = "; ".join(_step_words(step) for step in found.steps) or "nothing"
    return (
        f"{len(found.months) - 1} months with a load that grows by {found.growth_per_year:.1%} a year. "
        f"The resources of today's {found.brokers} brokers {said}. To do: {steps}."
    )


def timeline_table(found: Growth) -> Table:
    """How much of its limit each resource uses, a row for every third month."""
    limits = _drawn(found)
    columns = ("month", "date", *(RESOURCE_WORDS[row.resource] for row in limits))
    rows = tuple(
        (str(month.month), month.date, *(f"{row.used_of_limit[month.month]:.0%}" for row in limits))
        for month in found.months[::3]
    )
    notes = ("Of the limit, in the state that breaks first, with today's brokers.",)
    return Table("Use of each limit", columns, rows, notes, right=frozenset({0, *range(2, len(columns))}))


def timeline_spec(found: Growth, *, dark: bool = False, narrow: bool = False) -> Spec:
    """Draw a line for each resource of today's cluster towards its limit, and marks for what is to be done.

    Parameters
    ----------
    found
        As `planner.growth` finds it.
    dark
        Colours for a dark page.
    narrow
        Fewer dates, for a phone.

    Returns
    -------
    dict
        Vega-Lite.
    """
    drawn = _drawn(found)
    highest = max((max(row.used_of_limit) for row in drawn), default=1.0)
    top = min(max(highest, 1.1), _TALLEST)
    y = linear(top, lambda value: f"{value:.0%}", ticks=4)
    plane = Plane(_months_scale(found, narrow=narrow), y, dark, 250.0)
    plane.level(1.0, "short", size=1.5)
    last = len(found.months) - 1
    plane.say(last, 1.0, "limit", "short_ink", align="right", lift=8)
    for row in drawn:
        broken = row.date is not None
        points = _points(row.used_of_limit, top)
        plane.line(row.resource, points, "short" if broken else "within", size=2.5 if broken else 1.5)
    _break_dates(plane, found, drawn)
    _names(plane, drawn, top)
    _marks(plane, found.steps)
    return plane.picture()


def _drawn(found: Growth) -> list[FirstLimit]:
    return [row for row in found.first_limits if row.used_of_limit]


def _months_scale(found: Growth, *, narrow: bool) -> Scale:
    last = len(found.months) - 1
    step = next((step for step in (1, 3, 6, 12, 24, 60) if last / step <= (3 if narrow else 6)), 120)
    return Scale(0, max(last, 1), {month.month: month.date[:7] for month in found.months[::step]})


def _points(used: Sequence[float], top: float) -> list[tuple[float, float]]:
    """A line up to where it leaves the picture."""
    points: list[tuple[float, float]] = []
    for month, value in enumerate(used):
        if value > top:
            if points:
                before = points[-1][1]
                points.append((month - 1 + (top - before) / (value - before), top))
            break
        points.append((float(month), value))
    return points


def _month_of(row: FirstLimit) -> float:
    """The month at which a line passes its limit."""
    for month, value in enumerate(row.used_of_limit):
        if value > 1:
            before = row.used_of_limit[month - 1] if month else value
            return month - 1 + (1 - before) / (value - before) if month and before < 1 else float(month)
    return float(len(row.used_of_limit) - 1)


def _break_dates(plane: Plane, found: Growth, drawn: Sequence[FirstLimit]) -> None:
    """The date at which each limit is reached, one under the other where lines break together."""
    at: list[tuple[float, float]] = []
    for row in drawn:
        if row.date is None:
            continue
        month = _month_of(row)
        near = [lift for other, lift in at if abs(other - month) < len(found.months) * 0.45]
        lift = min(near, default=0.0) - _APART
        at.append((month, lift))
        plane.mark(month, 1.0, "short", size=70)
        when = "over it already" if row.date_reason else row.date
        plane.say(month, 1.0, f"{RESOURCE_WORDS[row.resource]}: {when}", "short_ink", lift=lift, strong=True)


def _names(plane: Plane, drawn: Sequence[FirstLimit], top: float) -> None:
    """Names at the ends of the lines that do not break; those that stay low are named together."""
    rest = [row for row in drawn if row.date is None]
    high = [row for row in rest if row.used_of_limit[-1] >= _NAMED * top][:_MANY]
    taken: list[float] = []
    for row in sorted(high, key=lambda row: -row.used_of_limit[-1]):
        lift, place = 8.0, plane.down(row.used_of_limit[-1])
        while any(abs(place - lift - other) < _APART for other in taken):
            lift -= _APART
        taken.append(place - lift)
        text = f"{RESOURCE_WORDS[row.resource]} {row.used_of_limit[-1]:.0%}"
        plane.say(len(row.used_of_limit) - 1, row.used_of_limit[-1], text, align="right", lift=lift)
    low = len(rest) - len(high)
    if low:
        below = max(row.used_of_limit[-1] for row in rest if row not in high)
        plane.say(
            len(drawn[0].used_of_limit) - 1, below, f"{low} more below {below:.0%}", "muted", align="right", lift=9
        )


def _marks(plane: Plane, steps: Sequence[Purchase]) -> None:
    for step in steps:
        brokers = step.kind == "brokers"
        shape, paint, lift = ("triangle-up", "within", plane.height + 12) if brokers else ("diamond", "spare_ink", 8)
        plane.mark(step.month, 0.0, paint, shape=shape, size=80, lift=lift)
        if brokers:
            plane.say(
                step.month,
                0.0,
                f"{step.after} brokers" if step is steps[0] else f"{step.after}",
                lift=lift,
                beside=True,
            )


def _step_words(step: Purchase) -> str:
    if step.kind == "brokers":
        return f"by {step.date} {step.before} to {step.after} brokers"
    return f"by {step.date} {step.topic} {step.before} to {step.after} partitions"


# Purchases


def brokers_alt(found: Growth) -> str:
    """The picture in words."""
    first, last = found.months[0], found.months[-1]
    money = "" if last.cost_so_far is None else f"; {last.cost_so_far:,.0f} spent by then"
    return f"Brokers month by month: {first.brokers} on {first.date}, {last.brokers} on {last.date}{money}."


def brokers_spec(found: Growth, *, dark: bool = False, narrow: bool = False) -> Spec:
    """Draw the brokers of every month as steps, with the counts written where they change.

    Parameters
    ----------
    found
        As `planner.growth` finds it.
    dark
        Colours for a dark page.
    narrow
        Fewer dates, for a phone.

    Returns
    -------
    dict
        Vega-Lite.
    """
    counts = [month.brokers for month in found.months]
    y = linear(max(counts), lambda value: f"{value:.0f}", ticks=3)
    plane = Plane(_months_scale(found, narrow=narrow), y, dark, 130.0)
    begins = [0, *(index for index in range(1, len(counts)) if counts[index] != counts[index - 1])]
    said = -1.0
    for begin, end in zip(begins, [*begins[1:], len(counts) - 1], strict=True):
        plane.bar(begin, max(end, begin), 0, counts[begin], "within", tone=0.85)
        if plane.x.place(begin) >= said:
            side = "left" if plane.x.place(begin) < 0.9 else "right"  # noqa: PLR2004 - so that none is cut off
            plane.say(begin, counts[begin], f"{counts[begin]}", align=side, lift=8, strong=True)
            said = plane.x.place(begin) + 0.07
    for month in found.months:
        if not month.holds:
            plane.mark(month.month, 0.0, "short", shape="triangle-down", size=50, lift=6)
    return plane.picture()


def money_alt(found: Growth) -> str:
    """The picture in words."""
    last = found.months[-1]
    spent, then = last.cost_so_far or 0.0, last.cost_per_month or 0.0
    return f"Money spent from today on: {spent:,.0f} by {last.date}, {then:,.0f} a month then."


def money_spec(found: Growth, *, dark: bool = False, narrow: bool = False) -> Spec:
    """Draw what has been spent by each month; for months with a price.

    Parameters
    ----------
    found
        As `planner.growth` finds it.
    dark
        Colours for a dark page.
    narrow
        Fewer dates, for a phone.

    Returns
    -------
    dict
        Vega-Lite.
    """
    spent = [(float(month.month), month.cost_so_far or 0.0) for month in found.months]
    plane = Plane(
        _months_scale(found, narrow=narrow), linear(spent[-1][1], lambda value: f"{value:,.0f}", ticks=3), dark, 130.0
    )
    plane.line("spent", spent, "within", size=2.5)
    plane.say(spent[-1][0], spent[-1][1], f"{spent[-1][1]:,.0f}", align="right", lift=10, strong=True)
    return plane.picture()
