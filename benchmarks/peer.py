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

from planner import Plan, Scenario, load, plan, search, uncertainty
from planner.optimise import Search

ROOT = Path(__file__).resolve().parent.parent
SIDE = ROOT / ".venv-peer"
PEER = "service-capacity-modeling==0.3.212"
PINS = (PEER, "scipy<1.17")  # newer scipy has dropped what this release calls
PEER_PYTHONS = ((3, 10), (3, 12))
LOAD = {"produce_bytes_per_s": 100 * 2**20, "fan_out": 2, "retention_s": 8 * 3600, "replication_factor": 3}
WORLDS = 128
OUR_WORLDS = 4096
MIB, HOUR = 2**20, 3600
# load and retention of further cases, without sampling: bytes/s, fan-out, seconds
CASES = ((10 * MIB, 1, 8 * HOUR), (100 * MIB, 2, 72 * HOUR), (100 * MIB, 5, 168 * HOUR), (1024 * MIB, 1, 8 * HOUR))

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

MEANING = """What the answers mean
  theirs  366 pairs of instance and drive, cheapest first, one of each family. The disk is planned to be 40 % full, the
          network has 40 % added for recovery, CPU is a range fitted to Netflix's fleet. No topics, partitions, failure
          states or recovery time. `plan` draws 128 worlds and returns the plan of least regret.
  ours    `plan` sizes the machine that is given, here the one the peer chose. `search` looks at every current type with
          its drives or volumes. Disk is limited to 70 % full (85 % while a failure lasts), with segments and delayed
          deletion counted; one broker may be down, returned or refilling; placements are simulated; partitions are
          planned. `uncertainty` samples the rate over the same range and sizes every world of the given machine.
  So the times are those of different work; per candidate machine they are the middle column."""


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


def theirs(given: dict[str, Any], worlds: int) -> dict[str, Any]:
    script = Path(__file__).with_name("peer_side.py")
    done = subprocess.run(
        [side_python(), script, json.dumps({**given, "worlds": worlds})], capture_output=True, text=True, check=False
    )
    if done.returncode:
        stop("the peer failed; nothing was compared", done.stderr)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def scenario(given: dict[str, Any], rate: Any = None) -> Scenario:
    """The same load for us: the stated bytes are those on the wire, so records and batches are large."""
    return load(
        {
            "version": 1,
            "name": "as the peer",
            "topics": [
                {
                    "name": "stream",
                    "bytes_per_s": given["produce_bytes_per_s"] if rate is None else rate,
                    "record": {"value_bytes": 10000},
                    "batch": {"records": 50},
                    "replication_factor": given["replication_factor"],
                    "retention": {"time": given["retention_s"]},
                    "consumers": [{"group": f"reader-{number}"} for number in range(given["fan_out"])],
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


def ours() -> tuple[Plan, Search, dict[str, float]]:
    """Our plan of their machine, our search, and CPU seconds of both and of the sampled worlds."""
    given, rate = scenario(LOAD), float(LOAD["produce_bytes_per_s"])
    spread = scenario(LOAD, {"low": rate / 2, "likely": rate, "high": rate * 2})
    answer, found = plan(given), bought(LOAD)
    seconds = {
        "plan": statistics.median(timed(5, lambda: plan(given))),
        "search": statistics.median(timed(3, lambda: bought(LOAD))),
        "worlds": timed(1, lambda: uncertainty(spread, worlds=OUR_WORLDS, distribution="lognormal"))[0],
    }
    return answer, found, seconds


def bought(given: dict[str, Any]) -> Search:
    """Our search on the peer's terms: EC2 at three-year prices."""
    return search(scenario(given), sellers=["aws"], prices="reserved_3y")


def cases() -> None:
    """Further loads, each with the cheapest answer of both; what is billed beside machines and disks is left out."""
    print("\nCheapest answers, USD a year, three-year prices, machines and disks alone")
    for rate, fan_out, kept in CASES:
        given = {"produce_bytes_per_s": rate, "fan_out": fan_out, "retention_s": kept, "replication_factor": 3}
        peer, own = theirs(given, 0)["plan_certain"], bought(given).best
        name = f"{rate // MIB:>5} MiB/s, fan-out {fan_out}, {kept // HOUR:>3} h"
        left = f"{peer['count']} x {peer['instance']}, {peer['annual_cost_usd']:,.0f}" if peer else "no plan"
        right = "no plan"
        if own is not None:
            yearly = ((own.brokers_per_month or 0) + (own.storage_per_month or 0)) * 12
            right = f"{own.count} x {own.broker}, {yearly:,.0f}"
        print(f"  {name}   theirs {left:<32} ours {right}")


def row(name: str, cpu_s: float, candidates: int, what: str) -> str:
    return f"{name:<34}{cpu_s * 1000:>12.1f} ms {cpu_s / candidates * 1000:>10.2f} ms   {what}"


def main() -> None:
    peer = theirs(LOAD, WORLDS)
    answer, found, seconds = ours()
    certain, sampled = peer["plan_certain"], peer["plan"]
    certain_s, sampled_s = statistics.median(certain["cpu_s"]), sampled["cpu_s"][0]
    looked_at = sum(1 for one in found.rows if one.feasible or one.limit_used_fraction is not None)
    print(f"\n{dt.datetime.now(dt.UTC):%Y-%m-%d}, Python {platform.python_version()}, {PEER}")
    print("Load: 100 MiB/s produced, fan-out 2, 8 h retention, replication factor 3. CPU time, imports excluded.\n")
    print(f"{'':<34}{'one run':>15} {'a candidate':>13}   answer")
    chosen = f"{certain['count']} x {certain['instance']}, USD {certain['annual_cost_usd']:,.0f} a year"
    print(row("theirs: plan_certain", certain_s, certain["candidates"], chosen))
    cost = f", USD {answer.cost.per_month * 12:,.0f} a year" if answer.cost else ""
    print(row("ours:   plan", seconds["plan"], 1, f"{answer.brokers.count} x i3en.large{cost}"))
    best = f"{found.best.count} x {found.best.broker}" if found.best else "nothing"
    print(row("ours:   search", seconds["search"], looked_at, best))
    drawn = f"{sampled['count']} x {sampled['instance']}, USD {sampled['annual_cost_usd']:,.0f} a year"
    print(row(f"theirs: plan, {WORLDS} worlds", sampled_s, certain["candidates"] * WORLDS, drawn))
    print(row(f"ours:   uncertainty, {OUR_WORLDS} worlds", seconds["worlds"], OUR_WORLDS, "of the machine given"))
    ratios = (certain_s / seconds["plan"], certain_s / seconds["search"], sampled_s / seconds["worlds"])
    print("\nCPU time theirs/ours: plan {:.2g}, search {:.2g}, worlds {:.2g}".format(*ratios))
    cases()
    print("\nOur headline: " + " ".join(answer.headline))
    print("\n" + MEANING)


if __name__ == "__main__":
    main()
