"""Time this planner beside Netflix's service-capacity-modeling, on one load, in one run.

The peer pins other versions of what we use, so it lives in `.venv-peer`. Both sides are timed in CPU seconds without
their imports, and both answers are printed with the ratio: a fast wrong plan is worth nothing.
"""

from __future__ import annotations

import datetime as dt
import json
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from planner import Plan, Scenario, load, plan

ROOT = Path(__file__).resolve().parent.parent
SIDE = ROOT / ".venv-peer"
PEER = "service-capacity-modeling==0.3.212"
PINS = (PEER, "scipy<1.17")  # newer scipy has dropped what this release calls
PEER_PYTHONS = ((3, 10), (3, 12))
LOAD = {"produce_bytes_per_s": 100 * 2**20, "fan_out": 2, "retention_s": 8 * 3600, "replication_factor": 3}
WORLDS = 128

# The machine that the peer chose when this was written, in the peer's own figures, so that both size the same one. Disk
# throughput and operations of local drives are not limited there, so they are not limited here. Cost: 3-year reserved,
# a year, as its price list of 2026-06-06 has it.
I3EN_LARGE = {
    "vcpu": 2,
    "memory": "15.26GiB",
    "network_in": "2100Mbit/s",
    "network_out": "2100Mbit/s",
    "storage": {"kind": "local", "volumes": 1, "capacity": "1164GiB"},
    "price_per_month": 15743.07 / 21 / 12,
}

MEANING = """What the two answers mean
  theirs  Chooses the machine: 366 pairs of instance and drive, cheapest first. The disk is planned to be 40 % full, the
          network has 40 % added for recovery, CPU is a range fitted to Netflix's fleet. No topics, partitions, failure
          states or recovery time. `plan` draws 128 worlds and returns the plan of least regret.
  ours    Sizes the machine that is given, here the one the peer chose. Disk is limited to 70 % full (85 % while a
          failure lasts), with segments and delayed deletion counted; one broker may be down, returned or refilling;
          placements are simulated; partitions are planned. There is no choice of hardware and no sampling of worlds
          yet: the last row is 128 separate plans at rates drawn over the same range.
  So the times are those of different work; per candidate machine they are the last column."""


def stop(message: str, detail: str = "") -> NoReturn:
    print(f"bench-peer: {message}", file=sys.stderr)
    if detail.strip():
        print("  " + detail.strip().splitlines()[-1], file=sys.stderr)
    sys.exit(2)


def side_python() -> Path:
    """Interpreter of the peer's environment, made when it is not there yet."""
    low, high = PEER_PYTHONS
    if not low <= sys.version_info[:2] <= high:
        stop(f"{PEER} needs Python 3.10 to 3.12 and this is {platform.python_version()}: use make VENV=... PYTHON=...")
    python = SIDE / "bin" / "python"
    marker = SIDE / ".installed"
    wanted = "\n".join(PINS)
    if marker.is_file() and marker.read_text(encoding="utf-8") == wanted:
        return python
    print(f"Installing {PEER} into {SIDE.name} (about a minute the first time) ...", flush=True)
    made = subprocess.run([sys.executable, "-m", "venv", SIDE], capture_output=True, text=True, check=False)
    if made.returncode:
        stop("the environment could not be made", made.stderr)
    pip = [python, "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input", "install", *PINS]
    done = subprocess.run(pip, capture_output=True, text=True, check=False)
    if done.returncode:
        stop(f"{PEER} could not be installed (no network, or no package index?); nothing was measured", done.stderr)
    marker.write_text(wanted, encoding="utf-8")
    return python


def theirs() -> dict[str, Any]:
    script = Path(__file__).with_name("peer_side.py")
    done = subprocess.run(
        [side_python(), script, json.dumps({**LOAD, "worlds": WORLDS})], capture_output=True, text=True, check=False
    )
    if done.returncode:
        stop("the peer failed; nothing was compared", done.stderr)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def scenario(factor: float = 1.0) -> Scenario:
    """The same load for us: the stated bytes are those on the wire, so records and batches are large."""
    return load(
        {
            "version": 1,
            "name": "100 MiB/s, fan-out 2, 8 h",
            "topics": [
                {
                    "name": "stream",
                    "bytes_per_s": LOAD["produce_bytes_per_s"] * factor,
                    "record": {"value_bytes": 10000},
                    "batch": {"records": 50},
                    "replication_factor": LOAD["replication_factor"],
                    "retention": {"time": LOAD["retention_s"]},
                    "consumers": [{"group": f"reader-{number}"} for number in range(LOAD["fan_out"])],
                }
            ],
            "cluster": {"zones": 3, "broker": I3EN_LARGE},
        }
    )


def timed(repeat: int, work: Callable[[], Any]) -> list[float]:
    seconds = []
    for _ in range(repeat):
        start = time.process_time()
        work()
        seconds.append(time.process_time() - start)
    return seconds


def ours() -> tuple[Plan, list[float], list[float]]:
    """Our plan, CPU seconds of it, and of as many plans as the peer draws worlds."""
    given = scenario()
    answer = plan(given)
    factors = np.exp(np.random.default_rng(0).normal(0, np.log(2) / 2.33, WORLDS))  # 98 % within half and double
    worlds = [scenario(float(factor)) for factor in factors]
    return answer, timed(5, lambda: plan(given)), timed(1, lambda: [plan(world) for world in worlds])


def row(name: str, cpu_s: float, candidates: int, what: str) -> str:
    return f"{name:<34}{cpu_s * 1000:>12.1f} ms {cpu_s / candidates * 1000:>10.2f} ms   {what}"


def main() -> None:
    peer = theirs()
    answer, single, many = ours()
    certain, sampled = peer["plan_certain"], peer["plan"]
    certain_s, own_s = statistics.median(certain["cpu_s"]), statistics.median(single)
    print(f"\n{dt.datetime.now(dt.UTC):%Y-%m-%d}, Python {platform.python_version()}, {PEER}")
    print("Load: 100 MiB/s produced, fan-out 2, 8 h retention, replication factor 3. CPU time, imports excluded.\n")
    print(f"{'':<34}{'one run':>15} {'a candidate':>13}   answer")
    bought = f"{certain['count']} x {certain['instance']}, USD {certain['annual_cost_usd']:,.0f} a year"
    print(row("theirs: plan_certain", certain_s, certain["candidates"], bought))
    cost = f", USD {answer.cost.per_month * 12:,.0f} a year" if answer.cost else ""
    ours_text = f"{answer.brokers.count} x i3en.large{cost}"
    print(row("ours:   plan", own_s, 1, ours_text))
    drawn = f"{sampled['count']} x {sampled['instance']}, USD {sampled['annual_cost_usd']:,.0f} a year"
    print(row(f"theirs: plan, {WORLDS} worlds", sampled["cpu_s"][0], certain["candidates"] * WORLDS, drawn))
    print(row(f"ours:   plan, {WORLDS} times", many[0], WORLDS, "(no regret ranking; a loop over plan)"))
    print(
        f"\nCPU time theirs/ours: one plan {certain_s / own_s:.2g}, {WORLDS} worlds {sampled['cpu_s'][0] / many[0]:.2g}"
    )
    print(f"For one candidate machine: {certain_s / certain['candidates'] / own_s:.2g}")
    print("\nOur headline: " + " ".join(answer.headline))
    print("\n" + MEANING)


if __name__ == "__main__":
    main()
