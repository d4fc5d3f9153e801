"""In what share of the sampled worlds each broker count holds."""

from __future__ import annotations

from planner.montecarlo import Uncertainty
from planner.reports.pictures.bars import Part, Row, bars_spec
from planner.reports.pictures.drawing import Spec


def chances_alt(found: Uncertainty) -> str:
    """The picture in words."""
    said = "; ".join(f"{row.brokers} brokers in {row.holds_probability:.1%}" for row in found.counts)
    return f"Share of {found.worlds:,} worlds in which a count holds: {said}."


def chances_spec(found: Uncertainty, *, dark: bool = False) -> Spec:
    """Draw a bar for each broker count, and name the quantiles and the count that is planned.

    Parameters
    ----------
    found
        As `planner.uncertainty` finds it.
    dark
        Colours for a dark page.

    Returns
    -------
    dict
        Vega-Lite.
    """
    named = {found.count: ["planned"]}
    quantiles = found.brokers
    for count, name in ((quantiles.p50, "half"), (quantiles.p90, "90 %"), (quantiles.p95, "95 %")):
        if count is not None:
            named.setdefault(count, []).append(name)
    rows = []
    for row in found.counts:
        why = f": {', '.join(named[row.brokers])}" if row.brokers in named else ""
        part = Part(
            row.holds_probability, "within" if row.brokers in named else "muted", f"{row.holds_probability:.1%}"
        )
        rows.append(Row(f"{row.brokers} brokers{why}", (part,), strong=row.brokers == found.count))
    return bars_spec(rows, dark=dark, most=1.0)
