"""Consumer groups after an outage: when each has read its lag, and when deletion overtakes it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from planner.operations.lag import ConsumerLag, GroupLag
from planner.reports.pictures.drawing import Spec
from planner.reports.pictures.plane import Plane, linear, rows, times
from planner.reports.words import quantity

_ROW: Final = 40.0  # pixels of a group
_MOST: Final = 24  # groups that are drawn
_WIDEST: Final = 30.0  # lengths of the outage that the picture reaches


def _time(seconds: float) -> str:
    return quantity(seconds, "s")


# All groups


def groups_alt(found: ConsumerLag) -> str:
    """The picture in words."""
    said = "; ".join(f"{name} {_fate(group)}" for name, group in list(found.groups.items())[:_MOST])
    return f"After {_time(found.outage_s)} without consumers, from the stop on: {said}."


def _fate(group: GroupLag) -> str:
    if group.utilisation is None:
        return "is not known"
    text = "never reads its lag" if group.drain_s is None else f"has read its lag after {_time(group.drain_s)} more"
    if group.lost_records > 0 and group.overrun_after_s is not None:
        text += f", records are deleted unread from {_time(group.overrun_after_s)} on"
    return text


def groups_spec(found: ConsumerLag, *, dark: bool = False, narrow: bool = False) -> Spec:
    """Draw a row for each group on one scale of time: stopped, reading its lag, and where deletion begins.

    Parameters
    ----------
    found
        As `planner.consumers` finds it.
    dark
        Colours for a dark page.
    narrow
        Fewer numbers, for a phone.

    Returns
    -------
    dict
        Vega-Lite.
    """
    groups = dict(list(found.groups.items())[:_MOST])
    outage = max(found.outage_s, 1.0)
    scale = times(_reach(groups.values(), outage), _time, ticks=3 if narrow else 6)
    plane = Plane(scale, rows(len(groups)), dark, len(groups) * _ROW)
    plane.say(0.0, 0.0, "■ stopped", "muted", lift=12)
    plane.say(scale.high * 0.27, 0.0, "■ reads its lag", "right_ink", align="left", lift=12)
    plane.say(scale.high, 0.0, "◆ deletion begins", "short_ink", align="right", lift=12)
    for index, (name, group) in enumerate(groups.items()):
        grave = group.lost_records > 0 or (group.utilisation is not None and group.drain_s is None)
        plane.say(0.0, index + 0.22, name, size=13.0)
        plane.say(scale.high, index + 0.22, _short_fate(group), "short_ink" if grave else "ink", align="right")
        plane.bar(0.0, outage, index + 0.78, index + 0.48, "muted")
        if group.drain_s is not None:
            plane.bar(outage, outage + group.drain_s, index + 0.78, index + 0.48, "within")
        elif group.utilisation is not None:
            plane.bar(outage, scale.high, index + 0.78, index + 0.48, "short", tone=0.55)
        overrun = group.overrun_after_s
        if overrun is not None and overrun < scale.high:
            plane.mark(overrun, index + 0.63, "short", shape="diamond", size=110.0)
    return plane.picture()


def _reach(groups: Iterable[GroupLag], outage: float) -> float:
    """How far the picture goes: to the last group that has read its lag, but not without end."""
    ends = [outage * 1.5]
    for group in groups:
        if group.drain_s is not None:
            ends.append(outage + group.drain_s)
        if group.lost_records > 0 and group.overrun_after_s is not None:
            ends.append(group.overrun_after_s)
    return min(max(ends) * 1.03, outage * _WIDEST)


def _short_fate(group: GroupLag) -> str:
    if group.utilisation is None:
        return "not known"
    lost = "▲ deleted unread, " if group.lost_records > 0 else ""
    if group.drain_s is None:
        return f"{lost}▲ lag grows on"
    return f"{lost}read in {_time(group.drain_s)}"


# One group


def group_alt(name: str, group: GroupLag, outage_s: float) -> str:
    """The picture in words."""
    return f"Records that wait for {name}: {group.lag_records:,.0f} after {_time(outage_s)}; it {_fate(group)}."


def group_spec(group: GroupLag, outage_s: float, *, dark: bool = False, narrow: bool = False) -> Spec:
    """Draw the records that wait, over the time since the consumers stopped.

    The lag grows with the records that arrive and is gone when the slowest partition is read; what is deleted unread
    meanwhile is not read any more.

    Parameters
    ----------
    group
        A group as `planner.consumers` finds it.
    outage_s
        How long its consumers are down [s].
    dark
        Colours for a dark page.
    narrow
        Fewer numbers, for a phone.

    Returns
    -------
    dict
        Vega-Lite.
    """
    outage = max(outage_s, 1.0)
    left = group.lag_records - group.lost_records
    grows = group.drain_s is None
    end = outage * 3 if group.drain_s is None else outage + group.drain_s
    later = left + max(_surplus(group), 0.0) * (end - outage) if grows else 0.0
    x = times(max(end * 1.05, outage * 1.2), _time, ticks=3 if narrow else 6)
    plane = Plane(x, linear(max(group.lag_records, later), _records, ticks=4), dark, 200.0)
    plane.upright(outage, "muted", size=1.0)
    plane.say(outage, plane.y.high, "consumers run again", "muted", lift=12)
    points = [(0.0, 0.0), (outage, group.lag_records)]
    overrun = group.overrun_after_s
    if group.lost_records > 0 and overrun is not None:
        plane.line("kept", [(0.0, 0.0), (outage, group.lag_records)], "muted", dashed=True, size=1.5)
        points = [(0.0, 0.0), (min(overrun, outage), group.records_per_s * min(overrun, outage)), (outage, left)]
        plane.mark(overrun, group.records_per_s * overrun, "short", shape="diamond", size=110.0)
        text = f"deleted unread from here: {_records(group.lost_records)}"
        plane.say(overrun, group.records_per_s * overrun, text, "short_ink", lift=-14, strong=True, beside=True)
    plane.line("waits", points, "within", size=2.5)
    if group.utilisation is None:
        plane.say(outage, left, "then not known", "muted", align="left", beside=True)
    elif grows:
        plane.line("grows", [(outage, left), (end, later)], "short", size=2.5, dashed=True)
        plane.say(end, later, "▲ lag grows on", "short_ink", align="right", lift=12, strong=True)
    else:
        plane.line("drains", [(outage, left), (end, 0.0)], "within", size=2.5)
        plane.say(end, 0.0, f"read in {_time(group.drain_s or 0.0)}", align="right", lift=14, strong=True)
    return plane.picture()


def _surplus(group: GroupLag) -> float:
    """Records a second that come in beyond what the group reads; what a hot partition alone adds is not drawn."""
    busy = group.utilisation or 0.0
    return group.records_per_s * (1 - 1 / busy) if busy > 1 else 0.0


def _records(value: float) -> str:
    for size, word in ((1e12, "trillion"), (1e9, "billion"), (1e6, "million"), (1e3, "thousand")):
        if value >= size:
            return f"{value / size:.3g} {word}"
    return f"{value:.3g}"
