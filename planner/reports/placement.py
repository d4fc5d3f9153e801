"""Where replicas are: how uneven the brokers of a plan are, and what each one holds."""

from __future__ import annotations

from planner.reports.tables import Table
from planner.reports.words import quantity, visible
from planner.results import Plan, Spread
from planner.sizing.narrate import percent

_TITLE = "Where replicas are"
_COLUMNS = ("broker", "rack", "replicas", "leaders", "peers", "disk", "network in", "network out")
_RATIOS = (
    ("replicas", "replicas"),
    ("leaders", "leaders"),
    ("disk_bytes", "disk space"),
    ("network_in_bytes_per_s", "network in"),
    ("network_out_bytes_per_s", "network out"),
)


def placement(plan: Plan, most: int) -> Table:
    """Brokers of an existing assignment or of the first simulated placement, the first `most` of them."""
    spread = plan.placement
    if spread is None:
        return Table(_TITLE, _COLUMNS, (), notes=(f"{plan.placement_reason}.",))
    rows = tuple(
        (
            "-" if row.broker is None else str(row.broker),
            visible(row.rack or "-"),
            str(row.replicas),
            str(row.leaders),
            str(row.peers),
            quantity(row.disk_bytes, "bytes"),
            quantity(row.network_in_bytes_per_s, "bytes/s"),
            quantity(row.network_out_bytes_per_s, "bytes/s"),
        )
        for row in spread.brokers[:most]
    )
    hidden = len(spread.brokers) - len(rows)
    more = (f"{hidden} more brokers are left out here; --format json lists all.",) if rows and hidden else ()
    return Table(_TITLE, _COLUMNS, rows, notes=(*_notes(plan, spread), *more), right=frozenset(range(2, len(_COLUMNS))))


def _notes(plan: Plan, spread: Spread) -> tuple[str, ...]:
    ratios = ", ".join(f"{word} {spread.fullest_over_mean[name]:.3g}" for name, word in _RATIOS)
    where = "as assigned" if spread.assigned else f"expected over {spread.placements} placements by Kafka's placer"
    notes = [f"Fullest broker over the mean, {where}: {ratios}."]
    volumes = spread.fullest_over_mean["fullest_volume_bytes"]
    if volumes > spread.fullest_over_mean["disk_bytes"] * (1 + 1e-9):
        notes.append(f"Fullest volume over the mean volume: {volumes:.3g}.")
    peers, others = spread.peers, plan.brokers.count - 1
    if peers.refill_sources is not None:
        some = f"{peers.most}" if peers.least == peers.most else f"{peers.least} to {peers.most}"
        notes.append(
            f"A broker shares partitions with {some} of {others} others; "
            f"the busiest of them sends {percent(1 / peers.refill_sources)} of a refill."
        )
    return tuple(notes)
