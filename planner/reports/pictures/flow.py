"""The flow: who sends bytes to whom, in one state of the cluster, as bands whose thickness is bytes per second.

Producers write to the leaders; followers, consumer groups, the remote tier and mirrors fetch from them. What crosses a
zone's border is the lighter part of a band. Behind the bands of a failure stand those of the healthy state, pale, so
that the eye sees what moves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from planner.reports.pictures.drawing import (
    SMALL,
    Drawn,
    Spec,
    assembled,
    clicks,
    colours_of,
    marks_of,
    text_at,
    texts_of,
)
from planner.reports.tables import Table
from planner.reports.words import STATE_LABELS, quantity
from planner.results import Plan, StateLoad

# Okabe-Ito hues, one for each flow, the same on light and on dark
COLOURS: Final = {
    "produce": "#0072B2",
    "replicate": "#E69F00",
    "consume": "#009E73",
    "tier": "#CC79A7",
    "mirror": "#56B4E9",
    "refill": "#D55E00",
}
_ENDS: Final = {
    "produce": "producers",
    "replicate": "followers",
    "consume": "consumer groups",
    "tier": "remote tier",
    "mirror": "mirrors",
    "refill": "returned broker",
}
_FIGURES: Final = {
    "produce": "produce_in_bytes_per_s",
    "replicate": "follower_out_bytes_per_s",
    "consume": "consumer_out_bytes_per_s",
    "tier": "tier_out_bytes_per_s",
    "mirror": "mirror_out_bytes_per_s",
}
_CROSSING: Final = {
    "produce": "cross_zone_produce_bytes_per_s",
    "replicate": "cross_zone_replication_bytes_per_s",
    "consume": "cross_zone_consume_bytes_per_s",
}
_OUT: Final = ("replicate", "consume", "tier", "mirror", "refill")
_TALL: Final = 190.0  # pixels of all that leaves the leaders
_GAP: Final = 44.0  # pixels between where two bands end
_THIN: Final = 1.5  # pixels of the thinnest band that is drawn
_TOP: Final = 46.0  # pixels above the bands, for the names of the boxes
_BOX: Final = 0.018  # width of a box, of the picture
_BETWEEN: Final = 0.40  # where the leaders stand
_END: Final = 0.70  # where the bands end
_POINTS: Final = 24  # of the edge of a band
_ALL: Final = 1e-9  # of a band that rounding may leave out


@dataclass(frozen=True, slots=True)
class Flow:
    """Bytes per second from one kind of machine to another; what crosses zones is not known in a failure."""

    name: str
    source: str
    target: str
    bytes_per_s: float
    crossing_bytes_per_s: float | None
    explain: str


def flow_states(plan: Plan) -> list[str]:
    """The states whose flows are known."""
    refill = plan.states["recovering"].rate_bytes_per_s
    known = [name for name, load in plan.states.items() if load.per_broker is not None]
    return [*known, "recovering"] if refill and "broker_down" in known else known


def flows(plan: Plan, state: str = "healthy") -> list[Flow]:
    """What flows in a state, summed over all brokers, at peak.

    Healthy figures are the plan's own. In another state the sum of the brokers' traffic is the plan's; what producers
    still get rid of is known, so what followers copy is the rest of what comes in, and readers get the rest of what
    goes out, each the same part of it as in the healthy state.
    """
    cluster = plan.cluster
    healthy = {name: float(getattr(cluster, figure)) for name, figure in _FIGURES.items()}
    steps = plan.trace.steps
    if state == "healthy":
        crossing = {name: float(steps[figure].value) for name, figure in _CROSSING.items() if figure in steps}
        return _listed(healthy, crossing)
    return _listed(_in_failure(plan, state, healthy), {})


def _in_failure(plan: Plan, state: str, healthy: Mapping[str, float]) -> dict[str, float]:
    load = plan.states["broker_down" if state == "recovering" else state]
    if load.per_broker is None:
        msg = f"nothing is known of the flows in the state {state!r}"
        raise ValueError(msg)
    produced = healthy["produce"] - load.refused_bytes_per_s
    copied = max(_sum(plan, load, "network_in_bytes_per_s") - produced, 0.0)
    read = max(_sum(plan, load, "network_out_bytes_per_s") - copied, 0.0)
    readers = {name: healthy[name] for name in ("consume", "tier", "mirror")}
    total = sum(readers.values())
    found = {"produce": produced, "replicate": copied}
    found |= {name: read * rate / total if total else 0.0 for name, rate in readers.items()}
    if state == "recovering":
        found["refill"] = float(plan.states[state].rate_bytes_per_s or 0.0)
    return found


def _sum(plan: Plan, load: StateLoad, figure: str) -> float:
    return (load.per_broker or {})[figure] * (plan.brokers.count - load.brokers_down)


def _listed(rates: Mapping[str, float], crossing: Mapping[str, float]) -> list[Flow]:
    return [
        Flow(
            name,
            "producers" if name == "produce" else "leaders",
            "leaders" if name == "produce" else _ENDS[name],
            rate,
            crossing.get(name),
            _FIGURES.get(name, ""),
        )
        for name, rate in rates.items()
        if rate > 0 or name == "produce"
    ]


# In words


Said = Callable[[float], str]


def said_plainly(bytes_per_s: float) -> str:
    """Bytes per second in steps of 1000."""
    return quantity(bytes_per_s, "bytes/s")


def flow_table(found: Sequence[Flow], state: str = "healthy", *, said: Said = said_plainly) -> Table:
    """The flows as a table."""
    rows = tuple(
        (
            row.source,
            row.target,
            said(row.bytes_per_s),
            "-" if row.crossing_bytes_per_s is None else said(row.crossing_bytes_per_s),
        )
        for row in found
    )
    columns = ("from", "to", "bytes/s at peak", "of it across zones")
    notes = () if state == "healthy" else ("What crosses zones is computed for the healthy state only.",)
    return Table(f"Flows, {STATE_LABELS[state]}", columns, rows, notes=notes, right=frozenset({2, 3}))


def flow_alt(found: Sequence[Flow], state: str = "healthy", *, said: Said = said_plainly) -> str:
    """The picture in words."""
    parts = [f"{row.source} to {row.target} {said(row.bytes_per_s)}{_across(row, said)}" for row in found]
    return f"Bytes per second at peak, {STATE_LABELS[state]}: {'; '.join(parts)}."


def _across(row: Flow, said: Said) -> str:
    crossing = row.crossing_bytes_per_s
    if not crossing:
        return ""
    part = "all" if crossing >= row.bytes_per_s * (1 - _ALL) else f"{said(crossing)} of it"
    return f", {part} across zones"


# The picture


def flow_spec(
    found: Sequence[Flow],
    before: Sequence[Flow] = (),
    *,
    dark: bool = False,
    narrow: bool = False,
    said: Said = said_plainly,
) -> Spec:
    """Draw the flows.

    Parameters
    ----------
    found
        As `flows` returns them.
    before
        Flows of another state to draw pale behind them.
    dark
        Colours for a dark page.
    narrow
        Shorter texts, for a phone.
    said
        Writes bytes per second.

    Returns
    -------
    dict
        Vega-Lite.
    """
    colours = colours_of(dark=dark)
    scale = _TALL / max(_out(found), _out(before), _in(found), _in(before), 1e-9)
    places, bottom = _places(found, before, scale)
    bands, targets, boxes = [], [], []
    for row in before:
        bands += _band(f"before {row.name}", places[row.name], row.bytes_per_s * scale, colours["muted"], 0.28)
    for row in found:
        place, thick = places[row.name], max(row.bytes_per_s * scale, _THIN)
        crossing = min(row.crossing_bytes_per_s or 0.0, row.bytes_per_s) / row.bytes_per_s if row.bytes_per_s else 0.0
        inside = thick * (1 - crossing)
        bands += _band(row.name, place, inside, COLOURS[row.name], 0.85)
        bands += _band(f"{row.name} across zones", _lower(place, inside), thick - inside, COLOURS[row.name], 0.4)
        boxes += _box(row, place, thick, colours)
        targets.append(_target(row, place, thick, said))
    leaders = max(_out(found), _in(found)) * scale
    boxes.append({"x0": _BETWEEN, "x1": _BETWEEN + _BOX, "y0": _TOP, "y1": _TOP + leaders, "paint": colours["ink"]})
    plain, bold = _labels(found, places, scale, colours, narrow=narrow, said=said)
    layers = [
        *_areas(bands),
        *marks_of(boxes, {"type": "rect"}, "x1", "y1", "fill"),
        *texts_of(plain),
        *texts_of(bold, bold=True),
        *clicks(targets, {"flow": "Flow", "rate": "At peak", "across": "Across zones"}),
    ]
    return assembled(layers, (0, 1), (0, bottom), height=bottom)


@dataclass(frozen=True, slots=True)
class _Place:
    """Left and right end of a band, and the upper edge of both."""

    x0: float
    x1: float
    y0: float
    y1: float


def _in(found: Sequence[Flow]) -> float:
    return sum(row.bytes_per_s for row in found if row.name == "produce")


def _out(found: Sequence[Flow]) -> float:
    return sum(row.bytes_per_s for row in found if row.name != "produce")


def _places(found: Sequence[Flow], before: Sequence[Flow], scale: float) -> tuple[dict[str, _Place], float]:
    """Where each band begins and ends; with flows of another state behind them, each has room for the thicker one."""
    rates = dict.fromkeys(COLOURS, 0.0)
    for row in (*before, *found):
        rates[row.name] = max(rates[row.name], row.bytes_per_s)
    places = {"produce": _Place(_BOX, _BETWEEN, _TOP, _TOP)}
    left, right = _TOP, _TOP
    for name in _OUT:
        if not any(row.name == name for row in (*before, *found)):
            continue
        thick = max(rates[name] * scale, _THIN)
        places[name] = _Place(_BETWEEN + _BOX, _END, left, right)
        left += thick
        right += max(thick, 18.0) + _GAP - 18.0
    return places, max(left, right, _TOP + rates["produce"] * scale) + 12.0


def _lower(place: _Place, by: float) -> _Place:
    return _Place(place.x0, place.x1, place.y0 + by, place.y1 + by)


def _band(name: str, place: _Place, thick: float, paint: str, tone: float) -> Drawn:
    """Both edges of a band, point by point along an S."""
    if thick <= 0:
        return []
    rows = []
    for index in range(_POINTS + 1):
        t = index / _POINTS
        top = place.y0 + (place.y1 - place.y0) * t * t * (3 - 2 * t)
        x = place.x0 + (place.x1 - place.x0) * t
        rows.append({"x0": x, "y0": top, "y1": top + thick, "band": name, "paint": paint, "tone": tone})
    return rows


def _areas(bands: Drawn) -> list[Spec]:
    layers = marks_of(bands, {"type": "area"}, "y1", "fill", "tone")
    detail = {"detail": {"field": "band", "type": "nominal"}}
    return [{**layer, "encoding": {**layer["encoding"], **detail}} for layer in layers]


def _box(row: Flow, place: _Place, thick: float, colours: Mapping[str, str]) -> Drawn:
    x, y = (0.0, place.y0) if row.name == "produce" else (_END, place.y1)
    return [{"x0": x, "x1": x + _BOX, "y0": y, "y1": y + thick, "paint": colours["ink"]}]


def _target(row: Flow, place: _Place, thick: float, said: Said) -> dict[str, Any]:
    """The area that takes the click on a flow."""
    top = place.y0 if row.name == "produce" else place.y1
    left, right = (0.0, _BETWEEN) if row.name == "produce" else ((_BETWEEN + _END) / 2, 1.0)
    return {
        "x0": left,
        "x1": right,
        "y0": top - 6,
        "y1": top + max(thick, 32.0),
        "explain": row.explain,
        "flow": f"{row.source} to {row.target}",
        "rate": said(row.bytes_per_s),
        "across": "not known" if row.crossing_bytes_per_s is None else said(row.crossing_bytes_per_s),
        "said": f"{row.source} to {row.target}: {said(row.bytes_per_s)}{_across(row, said)}",
    }


def _labels(
    found: Sequence[Flow],
    places: Mapping[str, _Place],
    scale: float,
    colours: Mapping[str, str],
    *,
    narrow: bool,
    said: Said,
) -> tuple[Drawn, Drawn]:
    """Names in bold and rates beside the boxes; only a wide picture says what crosses zones."""
    plain: Drawn = []
    bold = [text_at(_BETWEEN, _TOP - 32, "leaders", colours["ink"])]
    plain.append(text_at(_BETWEEN, _TOP - 14, said(_out(found)) + " out", colours["ink"]))
    for row in found:
        rate = said(row.bytes_per_s)
        if row.name == "produce":
            bold.append(text_at(0.0, _TOP - 32, _ENDS[row.name], colours["ink"]))
            plain.append(text_at(0.0, _TOP - 14, rate, colours["ink"]))
            continue
        middle = places[row.name].y1 + max(row.bytes_per_s * scale, _THIN) / 2
        bold.append(text_at(_END + 2 * _BOX, middle - 8, _ENDS[row.name], colours["ink"]))
        across = "" if narrow else _across(row, said)
        plain.append(text_at(_END + 2 * _BOX, middle + 9, rate + across, colours["muted"], SMALL))
    return plain, bold
