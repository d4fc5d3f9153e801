"""Where replicas are in a plan: how uneven the brokers are, and who shares partitions with whom."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

import numpy as np

from planner.model.placement import counts_without_concentration, leader_concentration, rack_of_broker, random_peers
from planner.model.types import Array
from planner.results import Concentration, Peers, PlacedBroker, Rack, Spread
from planner.sizing.simulate import Layout, peers, place_topics

if TYPE_CHECKING:
    from planner.sizing.compose import Draft

_COMPARED = (
    "replicas",
    "leaders",
    "disk_bytes",
    "fullest_volume_bytes",
    "network_in_bytes_per_s",
    "network_out_bytes_per_s",
)


def spread_of(draft: Draft) -> tuple[Spread | None, str | None]:
    """The placement section of a plan, or why there is none."""
    layout, healthy = draft.evaluation.layout, draft.evaluation.outcomes["healthy"]
    if draft.setting.balanced and layout.assigned is None:
        return None, "policy.placement is balanced: every broker holds the mean"
    placed_anew = layout.assigned is None or len(layout.assigned.replicas) < len(layout.partitions)
    factors = sorted(set(layout.replication_factor)) if placed_anew else ()
    each = {name: values for name, values in healthy.each.items() if name in _COMPARED}
    each["replicas"] = each["replicas"] - draft.setting.internal_replicas / layout.brokers
    over = {name: _over(values.max(axis=1).mean(), values.mean()) for name, values in each.items()}
    mean_volume = each["disk_bytes"].mean() / layout.volumes
    over["fullest_volume_bytes"] = _over(each["fullest_volume_bytes"].max(axis=1).mean(), mean_volume)
    return Spread(
        assigned=layout.assigned is not None,
        placements=place_topics(layout).seeds,
        concentrations=_concentrations(layout, factors),
        fullest_over_mean=over,
        racks=_racks(layout, each["replicas"]),
        leaderless_brokers=float((each["leaders"] == 0).sum(axis=1).mean()),
        peers=_peers(draft, layout),
        brokers=_brokers(layout, each),
    ), None


def _over(fullest: float, mean: float) -> float:
    return float(fullest / mean) if mean > 0 else 1.0


def _concentrations(layout: Layout, factors: Collection[int]) -> tuple[Concentration, ...]:
    """One for each replication factor; the better counts suit all of them."""
    racks = len(layout.sizes)
    lower, higher = counts_without_concentration(layout.brokers, racks, factors)
    uneven = len(set(layout.sizes)) > 1
    return tuple(
        Concentration(factor, 1 if uneven else leader_concentration(layout.brokers, racks, factor), lower, higher)
        for factor in factors
    )


def rack_names(layout: Layout) -> tuple[str | None, ...]:
    """Name of each broker's rack: as assigned, else the number of its zone."""
    if layout.assigned is not None:
        return layout.assigned.racks
    return tuple(str(rack + 1) for rack in rack_of_broker(layout.sizes).tolist())


def _racks(layout: Layout, replicas: Array) -> tuple[Rack, ...]:
    names, of_broker = rack_names(layout), rack_of_broker(layout.sizes)
    mean = float(replicas.mean())
    return tuple(
        Rack(names[int(np.argmax(of_broker == rack))], size, _over(replicas[:, of_broker == rack].mean(), mean))
        for rack, size in enumerate(layout.sizes)
    )


def _peers(draft: Draft, layout: Layout) -> Peers:
    counted = peers(layout)
    refill = draft.evaluation.refill
    equal = len(set(layout.sizes)) == 1
    return Peers(
        least=int(counted.min()),
        mean=float(counted.mean()),
        most=int(counted.max()),
        random=_random_peers(draft, layout) if equal else None,
        refill_sources=None if refill is None else refill.sources,
        random_reason=None if equal else "racks are unequal",
        refill_sources_reason="a single broker has no other to be refilled from" if refill is None else None,
    )


def _random_peers(draft: Draft, layout: Layout) -> float:
    """Peers under random placement; one of the own rack is met only by topics with more replicas than racks."""
    factors, partitions = np.array(layout.replication_factor), draft.sized.load.topics.partitions
    per_rack = layout.sizes[0] if len(layout.sizes) > 1 else 1
    near = far = 1.0  # chance to share nothing with one broker of the own rack, of another one
    for factor in sorted(set(layout.replication_factor)):
        apart = per_rack if factor <= len(layout.sizes) else 1
        found = draft.trace(
            f"placement.random_peers.replication_factor_{factor}",
            random_peers,
            brokers=layout.brokers,
            brokers_per_rack=apart,
            replication_factor=factor,
            partitions=float(partitions[factors == factor].sum()),
        )
        shares_nothing = 1 - float(found) / max(layout.brokers - apart, 1)
        far *= shares_nothing
        near *= shares_nothing if apart == 1 else 1.0
    return (layout.brokers - per_rack) * (1 - far) + (per_rack - 1) * (1 - near)


def _brokers(layout: Layout, each: Mapping[str, Array]) -> tuple[PlacedBroker, ...]:
    """The brokers of the first placement."""
    names, counted = rack_names(layout), peers(layout)[0]
    ids = range(layout.brokers) if layout.assigned is None else layout.assigned.ids
    columns = {name: values[0].tolist() for name, values in each.items()}
    return tuple(
        PlacedBroker(
            broker=broker,
            rack=names[number],
            replicas=round(columns["replicas"][number]),
            leaders=round(columns["leaders"][number]),
            peers=int(counted[number]),
            disk_bytes=columns["disk_bytes"][number],
            fullest_volume_bytes=columns["fullest_volume_bytes"][number],
            network_in_bytes_per_s=columns["network_in_bytes_per_s"][number],
            network_out_bytes_per_s=columns["network_out_bytes_per_s"][number],
        )
        for number, broker in enumerate(ids)
    )
