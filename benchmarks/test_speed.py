"""How long the main jobs take. Nothing here fails when it is slow: the table at the end says what was missed."""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import planner
from planner.model import traffic

ROOT = Path(__file__).resolve().parent.parent
TOPICS, PARTITIONS = 10_000, 20
pytestmark = pytest.mark.bench

# One fresh process per measurement: peak memory is a property of the process, and no cache is warm.
LARGE = """
import json, resource, sys, time
import planner
from planner.codec import from_mapping
scenario = planner.load(json.load(sys.stdin))
size = planner.plan  # loads what it needs: imports are a figure of their own
start = time.process_time()
plan = size(scenario)
spent = time.process_time() - start
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps({"cpu_s": spent, "peak_bytes": peak, "brokers": plan.brokers.count,
                  "partitions": plan.cluster.partitions}))
"""


def topics(count: int, partitions: int | None) -> dict[str, Any]:
    """A scenario of unlike topics: rates over two decades, three replication factors, one to three readers."""
    rows = [
        {
            "name": f"topic-{index:05}",
            "records_per_s": 200.0 * (1 + index % 97) * 10 / count,
            "peak_ratio": 1 + index % 3,
            "record": {"key_bytes": 16, "value_bytes": 300 + 50 * (index % 11)},
            "batch": {"records": 10 + index % 40},
            "replication_factor": 3 if index % 10 else 2,
            "partitions": partitions,
            "consumers": [{"group": f"group-{number}", "members": 3} for number in range(1 + index % 3)],
        }
        for index in range(count)
    ]
    return {"version": 1, "name": f"{count} topics", "topics": rows, "cluster": {"broker": "reference-nvme"}}


def children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def cpu_of(command: Sequence[str]) -> float:
    """CPU seconds of one command, its Python start included."""
    start = children_cpu_s()
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
    return children_cpu_s() - start


def rounds_of(benchmark: Any, work: Callable[[], float], rounds: int) -> float:
    """Median of what `work` returns over the rounds; pytest-benchmark shows the wall time beside it."""
    found: list[float] = []
    benchmark.pedantic(lambda: found.append(work()), rounds=rounds, iterations=1, warmup_rounds=1)
    return statistics.median(found[1:])


def cpu_time(work: Callable[[], Any], repeat: int = 5, inner: int = 1) -> float:
    """Median CPU seconds of one call."""
    found = []
    for _ in range(repeat):
        start = time.process_time()
        for _ in range(inner):
            work()
        found.append((time.process_time() - start) / inner)
    return statistics.median(found)


def test_import(benchmark: Any, measured: Any) -> None:
    bare = statistics.median(cpu_of([sys.executable, "-c", "pass"]) for _ in range(5))
    spent = rounds_of(benchmark, lambda: cpu_of([sys.executable, "-c", "import planner"]), rounds=7)
    measured.figure("import planner (fresh process)", spent, 0.4)
    measured.figure("  of which Python's own start", bare)
    names = [sys.executable, "-c", "from planner import load, plan"]
    measured.figure("  with `load` and `plan`, which load the rest", statistics.median(cpu_of(names) for _ in range(5)))


def test_cold_command(benchmark: Any, measured: Any) -> None:
    command = [sys.executable, "-m", "planner.cli", "plan", "preset:ecommerce"]  # what the installed script runs
    spent = rounds_of(benchmark, lambda: cpu_of(command), rounds=5)
    measured.figure("cold kafka-planner plan preset:ecommerce", spent, 1.2)


def test_one_plan(benchmark: Any, measured: Any) -> None:
    scenario = planner.load(topics(10, None))

    def work() -> float:
        start = time.process_time()
        planner.plan(scenario)
        return time.process_time() - start

    measured.figure("plan: 10 topics, given hardware, with cluster trace", rounds_of(benchmark, work, 20), 0.005)
    fixed = scenario.model_copy(update={"cluster": scenario.cluster.model_copy(update={"brokers": 6})})
    measured.figure("  the same with the broker count given", cpu_time(lambda: planner.plan(fixed)))


def test_reverse(benchmark: Any, measured: Any) -> None:
    scenario = planner.load("preset:ecommerce")

    def work() -> float:
        start = time.process_time()
        planner.reverse(scenario)
        return time.process_time() - start

    measured.figure("reverse: preset ecommerce, 15 brokers, all limits", rounds_of(benchmark, work, 5))


def test_worlds(benchmark: Any, measured: Any) -> None:
    scenario = planner.load("preset:ecommerce")

    def work() -> float:
        start = time.process_time()
        planner.uncertainty(scenario, worlds=4096, load=(0.8, 1.5))
        return time.process_time() - start

    measured.figure("uncertainty: preset ecommerce, 4,096 worlds", rounds_of(benchmark, work, 5), 1.0)


def test_app(benchmark: Any, measured: Any) -> None:
    app_test = pytest.importorskip("streamlit.testing.v1").AppTest
    app = app_test.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    counts = iter(range(16, 99))

    def work() -> float:
        field = next(field for field in app.number_input if field.label.partition(" ")[0] == "Brokers")
        field.set_value(next(counts))  # none of them planned before
        start = time.process_time()
        app.run()
        return time.process_time() - start

    measured.figure("app: change one input to new picture, server side", rounds_of(benchmark, work, 9), 0.15)


def test_ten_thousand_topics(benchmark: Any, measured: Any) -> None:
    given = json.dumps(topics(TOPICS, PARTITIONS))
    found: list[dict[str, float]] = []

    def work() -> float:
        done = subprocess.run(
            [sys.executable, "-c", LARGE], input=given, check=True, capture_output=True, text=True, cwd=ROOT
        )
        found.append(json.loads(done.stdout))
        return found[-1]["cpu_s"]

    benchmark.pedantic(work, rounds=3, iterations=1)
    assert found[0]["partitions"] == TOPICS * PARTITIONS
    job = f"plan: 10,000 topics, 200,000 partitions, {found[0]['brokers']:.0f} brokers, placement simulated"
    measured.figure(job, statistics.median(one["cpu_s"] for one in found), 2.0)
    peak = statistics.median(one["peak_bytes"] for one in found)
    measured.figure("  peak memory of the whole process", peak, 500e6, "bytes")


def loop_sums(columns: dict[str, list[float]]) -> tuple[float, float]:
    """Network in and out of the cluster, topic by topic, as somebody without numpy would write it."""
    total_in = total_out = 0.0
    for rate, ratio, wire, copies, readers in zip(*columns.values(), strict=True):
        produced = max(rate, rate * ratio) * wire
        followed = produced * (copies - 1)
        total_in += produced + followed
        total_out += followed + produced * readers
    return total_in, total_out


def numpy_sums(columns: dict[str, np.ndarray]) -> tuple[float, float]:
    """The same by the model's functions, one call for all topics."""
    rate, ratio, wire, copies, readers = columns.values()
    peak = traffic.peak_records_per_s(records_per_s=rate, peak_ratio=ratio, peak_coincidence=1.0, growth_factor=1.0)
    produced = traffic.produce_in_bytes_per_s(records_per_s=peak, wire_bytes_per_record=wire)
    followed = traffic.follower_in_bytes_per_s(produce_in_bytes_per_s=produced, replication_factor=copies)
    read = traffic.consumer_out_bytes_per_s(produce_in_bytes_per_s=produced, fan_out=readers)
    received = traffic.network_in_bytes_per_s(produce_in_bytes_per_s=produced, follower_in_bytes_per_s=followed)
    sent = traffic.network_out_bytes_per_s(
        follower_out_bytes_per_s=followed,
        consumer_out_bytes_per_s=read,
        tier_out_bytes_per_s=0.0,
        mirror_out_bytes_per_s=0.0,
    )
    return float(np.sum(received)), float(np.sum(sent))


@pytest.mark.parametrize("count", [10, TOPICS])
def test_cluster_sums(benchmark: Any, measured: Any, count: int) -> None:
    random = np.random.default_rng(0)
    arrays = {
        "rate": random.uniform(1, 1e4, count),
        "ratio": random.uniform(1, 5, count),
        "wire": random.uniform(100, 2000, count),
        "copies": random.integers(1, 4, count).astype(float),
        "readers": random.integers(0, 5, count).astype(float),
    }
    lists = {name: values.tolist() for name, values in arrays.items()}
    assert numpy_sums(arrays) == pytest.approx(loop_sums(lists), rel=1e-12)
    inner = max(1, 20_000 // count)
    loop_s = cpu_time(lambda: loop_sums(lists), inner=inner)
    numpy_s = cpu_time(lambda: numpy_sums(arrays), inner=inner)
    benchmark.pedantic(lambda: numpy_sums(arrays), rounds=5, iterations=inner)
    measured.ratio(f"network in and out of {count:,} topics", loop_s, numpy_s)


def test_recommendation(benchmark: Any, measured: Any) -> None:
    questions = {"events_per_s": 2000, "work": ["events"], "consumer_groups": 4, "replay": True, "cloud": "aws"}
    scenario = planner.load({"questions": questions})

    def work() -> float:
        start = time.process_time()
        planner.recommend(scenario)
        return time.process_time() - start

    first = work()
    measured.figure("recommendation with all flips", rounds_of(benchmark, work, 10), 0.5)
    measured.figure("  the first of a process, with the plans behind Kafka's price", first)
    full = planner.load("preset:startup-10k-a-day")
    measured.figure("  with most questions answered", cpu_time(lambda: planner.recommend(full)))
