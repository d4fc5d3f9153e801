"""How unevenly records fall onto the partitions of a topic, as bars over an even share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from planner.operations.counts import Skew
from planner.reports.pictures.drawing import Drawn, Spec, assembled, colours_of, marks_of, text_at, texts_of
from planner.reports.tables import Table

_ROW: Final = 40.0  # pixels of a bar and its text
_ROOM: Final = 0.75  # where the longest bar ends; its number stands behind it


def skew_rows(found: Skew) -> list[tuple[str, float]]:
    """What is drawn: a name and a share of the topic's records."""
    if found.hottest_partitions:
        return [(f"partition {index}", share) for index, share in found.hottest_partitions]
    rows = [("hottest partition, expected", found.hottest_fraction)]
    if found.p50_fraction is not None and found.p95_fraction is not None:
        rows.append(("not exceeded by half of all hashes", found.p50_fraction))
        rows.append(("not exceeded by 95 % of them", found.p95_fraction))
    return rows


def skew_alt(found: Skew) -> str:
    """The picture in words."""
    rows = "; ".join(f"{name} {share:.2%}" for name, share in skew_rows(found))
    return f"Share of a topic's records. An even share is {found.even_fraction:.2%}; {rows}."


def skew_table(name: str, found: Skew) -> Table:
    """The shares as a table."""
    rows = [("an even share", found.even_fraction), *skew_rows(found)]
    shown = tuple((label, f"{share:.2%}", f"{share / found.even_fraction:.2f}") for label, share in rows)
    return Table(f"Partitions of {name}", ("", "of its records", "times even"), shown, right=frozenset({1, 2}))


def skew_spec(found: Skew, *, dark: bool = False) -> Spec:
    """Draw the shares, with an upright mark at the even one.

    Parameters
    ----------
    found
        As `planner.partitions` finds it.
    dark
        Colours for a dark page.

    Returns
    -------
    dict
        Vega-Lite.
    """
    colours = colours_of(dark=dark)
    rows = skew_rows(found)
    most = max([share for _, share in rows] + [found.even_fraction])
    height = _ROW * len(rows) + 24
    bars: Drawn = []
    texts: Drawn = []
    for index, (name, share) in enumerate(rows):
        y = index * _ROW + 18
        end = share / most * _ROOM
        texts.append(text_at(0.0, y - 8, name, colours["ink"]))
        bars.append({"x0": 0.0, "x1": end, "y0": y, "y1": y + 14, "paint": colours["within"]})
        texts.append(text_at(end + 0.01, y + 7, f"{share:.2%}", colours["ink"]))
    even = found.even_fraction / most * _ROOM
    mark = [{"x0": even, "y0": 14.0, "y1": height - 20, "paint": colours["ink"], "size": 2.0}]
    label = [text_at(even, height - 10, f"even share {found.even_fraction:.2%}", colours["muted"])]
    layers: Sequence[Spec] = [
        *marks_of(bars, {"type": "rect"}, "x1", "y1", "fill"),
        *marks_of(mark, {"type": "rule"}, "y1", "color", "width"),
        *texts_of(texts),
        *texts_of(label, align="right" if even > _ROOM / 2 else "left"),
    ]
    return assembled(layers, (0, 1), (0, height), height=height)
