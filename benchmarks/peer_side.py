"""Time the peer's two planners. Runs inside its own environment: `peer.py` starts it and reads the JSON it prints."""

from __future__ import annotations

import json
import sys
import time

from service_capacity_modeling.capacity_planner import planner
from service_capacity_modeling.interface import (
    CapacityDesires,
    DataShape,
    Interval,
    QueryPattern,
    certain_float,
    certain_int,
)


def desires(load: dict[str, float], *, spread: bool) -> CapacityDesires:
    """Describe the load to the peer.

    Its Kafka model reads the size of a write as bytes per second. One write a second of the whole stream is therefore
    the encoding that its own documentation uses; records per second and record size would plan for a thousandth.
    """
    rate = load["produce_bytes_per_s"]
    size = Interval(low=rate / 2, mid=rate, high=rate * 2, confidence=0.98) if spread else certain_float(rate)
    pattern = QueryPattern(
        estimated_write_per_second=certain_int(1),
        estimated_mean_write_size_bytes=size,
        estimated_read_per_second=certain_int(int(load["fan_out"])),
    )
    return CapacityDesires(service_tier=1, query_pattern=pattern, data_shape=DataShape())


def arguments(load: dict[str, float]) -> dict[str, object]:
    # "strong" is replication factor 3: the only way to have it in network and disk alike
    return {"cluster_type": "strong", "retention": f"PT{int(load['retention_s'] // 3600)}H"}


def cluster(plan: object) -> dict[str, object]:
    """The first cluster of the peer's plan, summed over its zones."""
    zonal = plan.candidate_clusters.zonal
    first = zonal[0]
    return {
        "instance": first.instance.name,
        "count": sum(one.count for one in zonal),
        "disk_per_node_gib": first.instance.drive.size_gib if first.instance.drive else None,
        "annual_cost_usd": float(plan.candidate_clusters.total_annual_cost),
    }


def timed(repeat: int, work: object) -> tuple[list[float], object]:
    """CPU seconds of each run, and the last result."""
    seconds = []
    for _ in range(repeat):
        start = time.process_time()
        result = work()
        seconds.append(time.process_time() - start)
    return seconds, result


def candidates(common: dict[str, object], wanted: CapacityDesires) -> int:
    """How many pairs of instance and drive one plan looks at."""
    model = type(planner.models[common["model_name"]])
    original, seen = model.capacity_plan, []

    def counting(*args: object, **kwargs: object) -> object:
        seen.append(1)
        return original(*args, **kwargs)

    model.capacity_plan = staticmethod(counting)
    try:
        planner.plan_certain(desires=wanted, **common)
    finally:
        model.capacity_plan = staticmethod(original)
    return len(seen)


def main() -> None:
    load = json.loads(sys.argv[1])
    worlds = int(load["worlds"])
    common = {"model_name": "org.netflix.kafka", "region": "us-east-1", "extra_model_arguments": arguments(load)}
    certain_desires, spread_desires = desires(load, spread=False), desires(load, spread=True)
    counted = candidates(common, certain_desires)  # first, because it also loads the catalogue, which is not planning
    if not worlds:
        plans = planner.plan_certain(desires=certain_desires, **common)
        print(json.dumps({"plan_certain": cluster(plans[0]) if plans else None}))
        return
    certain_s, certain = timed(5, lambda: planner.plan_certain(desires=certain_desires, **common))
    spread_s, spread = timed(1, lambda: planner.plan(desires=spread_desires, simulations=worlds, **common))
    print(
        json.dumps(
            {
                "plan_certain": {"cpu_s": certain_s, "candidates": counted, **cluster(certain[0])},
                "plan": {"cpu_s": spread_s, **cluster(spread.least_regret[0])},
            }
        )
    )


if __name__ == "__main__":
    main()
