"""A change of a partition count: which share of the keys moves, and the routes side by side."""

from __future__ import annotations

from planner.operations.repartitioning import Repartition, Route
from planner.reports.pictures.bars import Part, Row, bars_spec
from planner.reports.pictures.drawing import Spec
from planner.reports.text_repartition import ROUTE_LABELS
from planner.reports.words import quantity


def keys_alt(found: Repartition) -> str:
    """The picture of the keys in words."""
    return (
        f"From {found.partitions_before} to {found.partitions_after} partitions {found.moved_key_fraction:.1%} of the "
        f"keys move to another partition, {1 - found.moved_key_fraction:.1%} stay."
    )


def keys_spec(found: Repartition, *, dark: bool = False) -> Spec:
    """Draw the shares of the keys that move and stay, and of the records that move.

    Parameters
    ----------
    found
        As `planner.repartition` finds it.
    dark
        Colours for a dark page.

    Returns
    -------
    dict
        Vega-Lite.
    """
    moved = found.moved_key_fraction
    rows = [
        Row("keys that move", (Part(moved, "short", f"{moved:.1%}"),), strong=True),
        Row("keys that stay", (Part(1 - moved, "within", f"{1 - moved:.1%}"),)),
    ]
    low, high = found.moved_record_fraction_low, found.moved_record_fraction_high
    if low < high:
        said = f"{low:.1%} to {high:.1%}, by chance"
        rows.append(Row("records that move", (Part(found.moved_record_fraction, "short", said),)))
    return bars_spec(rows, dark=dark, most=1.0)


def routes_alt(found: Repartition) -> str:
    """The picture of the routes in words."""
    return "; ".join(f"{_name(row, found)}: {_time(row)}, {_copies(row)}" for row in found.routes) + "."


def routes_spec(found: Repartition, *, dark: bool = False) -> Spec:
    """Draw how long each route takes, with what it copies and whether it can be gone.

    Parameters
    ----------
    found
        As `planner.repartition` finds it.
    dark
        Colours for a dark page.

    Returns
    -------
    dict
        Vega-Lite.
    """
    rows = [
        Row(
            _name(row, found),
            (Part(row.duration_s or 0.0, "within" if row.possible else "muted", f"{_time(row)}, {_copies(row)}"),),
            strong=row.name == found.recommended,
        )
        for row in found.routes
    ]
    return bars_spec(rows, dark=dark)


def _name(row: Route, found: Repartition) -> str:
    label = ROUTE_LABELS[row.name]
    if not row.possible:
        return f"▲ {label}: not possible"
    order = "keeps the order of keys" if row.keeps_order else "breaks the order of keys"
    return f"{'● ' if row.name == found.recommended else ''}{label}: {order}"


def _time(row: Route) -> str:
    return "no end" if row.duration_s is None else quantity(row.duration_s, "s")


def _copies(row: Route) -> str:
    return f"copies {quantity(row.bytes_copied, 'bytes')}" if row.bytes_copied else "copies nothing"
