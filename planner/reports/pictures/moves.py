"""A reassignment: bytes that each broker receives and sends, and how long it takes."""

from __future__ import annotations

from typing import Final

from planner.operations.reassigning import BrokerMove, Reassignment
from planner.reports.pictures.bars import Part, Row, bars_spec
from planner.reports.pictures.drawing import Spec
from planner.reports.words import quantity

_MOST: Final = 24  # brokers that are drawn


def moves_alt(found: Reassignment) -> str:
    """The picture in words."""
    said = "; ".join(
        f"broker {row.broker} receives {quantity(row.bytes_in, 'bytes')}, sends {quantity(row.bytes_out, 'bytes')}, "
        f"{_time(row)}"
        for row in _drawn(found)
    )
    return f"Bytes that each broker moves: {said}."


def moves_note(found: Reassignment) -> str:
    """What the picture leaves out; empty when nothing."""
    rest = sum(1 for row in found.per_broker if row.bytes_in or row.bytes_out) - len(_drawn(found))
    return f"The {_MOST} brokers that move most; {rest} more are in the table." if rest > 0 else ""


def _drawn(found: Reassignment) -> list[BrokerMove]:
    """Brokers that move something; the busiest of many, in the order of their numbers."""
    moving = [row for row in found.per_broker if row.bytes_in or row.bytes_out]
    most = sorted(moving, key=lambda row: -max(row.bytes_in, row.bytes_out))[:_MOST]
    return sorted(most, key=lambda row: row.broker)


def _time(row: BrokerMove) -> str:
    return "never done" if row.duration_s is None else f"done in {quantity(row.duration_s, 's')}"


def moves_spec(found: Reassignment, *, dark: bool = False) -> Spec:
    """Draw two bars for each broker: what it receives and what it sends.

    Parameters
    ----------
    found
        As `planner.reassign` finds it.
    dark
        Colours for a dark page.

    Returns
    -------
    dict
        Vega-Lite.
    """
    rows = []
    for row in _drawn(found):
        new = not row.replicas_before
        rack = f", {row.rack}" if row.rack else ""
        parts = [
            Part(amount, paint, f"{word} {quantity(amount, 'bytes')}")
            for word, amount, paint in (("in", row.bytes_in, "within"), ("out", row.bytes_out, "#E69F00"))
            if amount
        ]
        rows.append(Row(f"broker {row.broker}{rack}{' (new)' if new else ''}: {_time(row)}", parts, strong=new))
    return bars_spec(rows, dark=dark)
