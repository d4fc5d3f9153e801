"""Many worlds at once: each as a plan of its own would size it; quantiles against the distributions they come from."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from typer.testing import CliRunner

import planner
from planner import montecarlo
from planner.cli import cli
from planner.model import sampling
from planner.scenario import Ranged, Scenario
from planner.sizing.compose import sizer_of
from planner.sizing.evaluate import mean_figures
from planner.sizing.simulate import Loss
from planner.sizing.sized import size_at
from planner.sizing.verify import fixed
from planner.sizing.workload import Workload
from planner.sizing.worlds import Worlds, with_values, world_load

MIXED = """
name: uncertain
topics:
  - name: orders
    records_per_s: {low: 8000, likely: 12000, high: 30000}
    peak_ratio: {low: 1.5, likely: 2, high: 4}
    record: {key_bytes: 16, value_bytes: {low: 500, likely: 700, high: 1500}}
    compression: {codec: lz4, ratio: {low: 1.5, likely: 2.1, high: 3}}
    batch: {records: 50}
    retention: {time: {low: 3d, likely: 7d, high: 14d}}
    keys: {unique: 20000, zipf_exponent: 0.9}
    consumers:
      - {group: billing, members: 12, read_fraction: {low: 0.5, likely: 1, high: 1.0}, records_per_s_per_member: 1500}
      - {group: audit, members: 4}
  - name: clicks
    records_per_s: {low: 20000, likely: 50000, high: 90000}
    peak_duration: {low: 1h, likely: 4h, high: 8h}
    record: {key_bytes: 16, value_bytes: 300}
    batch: {linger: 5ms, size: 16KiB}
    producers: 20
    cleanup: compact
    keys: {unique: {low: 1e6, likely: 5e6, high: 1e8}}
    consumers: [{group: counts, members: 6, processing_time: {low: 50us, likely: 80us, high: 100us}}]
cluster:
  broker:
    vcpu: 8
    memory: 32GiB
    network_in: 2.5Gbit/s
    network_out: 2.5Gbit/s
    storage: {kind: local, capacity: 2TB, throughput: 500MB/s, iops: 50000}
    price_per_month: 300
policy: {recovery_time_max: 2h}
"""


@pytest.fixture(scope="module")
def mixed() -> Scenario:
    return planner.load(MIXED)


# the distributions


@pytest.mark.parametrize(("low", "likely", "high"), [(0, 5, 10), (1, 1, 4), (2, 3, 3), (8e3, 12e3, 30e3)])
def test_pert_is_the_beta_with_that_mode_and_mean(low: float, likely: float, high: float) -> None:
    unit = (np.arange(20_000) + 0.5) / 20_000
    values = sampling.pert_quantile(probability_fraction=unit, low=low, likely=likely, high=high)
    assert np.mean(values) == pytest.approx((low + 4 * likely + high) / 6, rel=1e-4)
    span = high - low
    same = stats.beta(1 + 4 * (likely - low) / span, 1 + 4 * (high - likely) / span, loc=low, scale=span)
    assert np.allclose(values, same.ppf(unit))
    assert np.min(values) >= low
    assert np.max(values) <= high


def test_lognormal_has_its_ends_at_5_and_95_percent() -> None:
    unit = np.array([0.05, 0.5, 0.95])
    values = sampling.lognormal_quantile(probability_fraction=unit, low=1.0, likely=3.0, high=9.0)
    assert np.allclose(values, [1, 3, 9])
    assert np.allclose(values, stats.lognorm(s=math.log(3) / stats.norm.ppf(0.95), scale=3).ppf(unit))


def test_regret_by_hand_and_its_best_choice_is_a_quantile() -> None:
    needed = np.arange(1.0, 101.0)
    # chosen 90: 89 * 90 / 2 too many, 10 * 11 / 2 missing at weight 9
    by_hand = (89 * 90 / 2 + 9 * 55) / 100
    assert sampling.expected_regret(chosen=90.0, needed=needed, shortage_weight=9.0) == pytest.approx(by_hand)
    regrets = [
        float(sampling.expected_regret(chosen=float(n), needed=needed, shortage_weight=9.0)) for n in range(1, 101)
    ]
    assert 1 + int(np.argmin(regrets)) == 90  # the newsvendor's quantile, 9 / (9 + 1)


# many worlds against one


@pytest.mark.parametrize("preset", ["ecommerce", "fintech", "cdc", "analytics-two-regions"])
@pytest.mark.parametrize("loss", [Loss(), Loss(brokers=1), Loss(brokers=1, returned=True)])
def test_every_figure_of_every_world_is_that_of_its_own_workload(preset: str, loss: Loss) -> None:
    given_scenario = planner.load(f"preset:{preset}")
    sized = planner.plan(given_scenario)
    decided, brokers, factors = fixed(given_scenario, sized), sized.brokers.count, [0.5, 1.0, 2.0]
    setting, _ = sizer_of(Workload(decided))
    worlds = Worlds(decided, load=np.array(factors))
    first = world_load(worlds, brokers)
    for count in (brokers, brokers + 3):  # the second takes what it can from the first
        figures = mean_figures(world_load(worlds, count, first), setting, count, loss)
        for world, factor in enumerate(factors):
            alone = mean_figures(size_at(Workload(decided).scaled(factor), count).load, setting, count, loss)
            for name, value in alone.items():
                assert np.broadcast_to(figures[name], 3)[world] == pytest.approx(value, rel=1e-9), (name, count)


@pytest.mark.parametrize("distribution", ["pert", "lognormal"])
def test_worlds_need_the_brokers_that_plans_of_their_own_need(mixed: Scenario, distribution: Any) -> None:
    likely = planner.plan(mixed)
    decided = fixed(mixed, likely)
    columns = montecarlo._sampled(montecarlo._drivers(mixed, None), 32, 3, distribution)
    setting, sizer = sizer_of(Workload(decided))
    batch = montecarlo._Batch(decided, setting, sizer, columns)
    required, _, _ = montecarlo._scan([batch], sizer, likely.brokers.count)
    exact = [_exact(decided, {path: float(values[world]) for path, values in columns.items()}) for world in range(32)]
    assert np.isnan(required).tolist() == [count is None for count in exact]
    steps = [(ours - theirs) / 3 for ours, theirs in zip(required, exact, strict=True) if theirs is not None]
    # the fullest broker's share is that of the likely world, so a world at the edge may differ by a step, not more
    assert np.max(np.abs(steps)) <= 1
    assert np.mean(np.abs(steps)) <= 0.1


def _exact(decided: Scenario, values: dict[str, float]) -> int | None:
    ends = {path: Ranged(value, value, value) for path, value in values.items()}
    topics = tuple(with_values(topic, f"topics.{topic.name}.", ends) for topic in decided.topics)
    cluster = decided.cluster.model_copy(update={"brokers": None})
    return planner.plan(decided.model_copy(update={"topics": topics, "cluster": cluster})).brokers.required


# the answer


def test_the_same_seed_gives_the_same_answer_and_memory_comes_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    base = planner.load("preset:fintech")
    whole = planner.uncertainty(base, worlds=64, load=(0.7, 1.6), seed=5)
    assert whole.to_dict() == planner.uncertainty(base, worlds=64, load=(0.7, 1.6), seed=5).to_dict()
    monkeypatch.setattr(montecarlo, "_CHUNK", 16)
    assert planner.uncertainty(base, worlds=64, load=(0.7, 1.6), seed=5).to_dict() == whole.to_dict()
    assert planner.uncertainty(base, worlds=64, load=(0.7, 1.6), seed=6).to_dict() != whole.to_dict()


def test_quantiles_chances_cost_and_tornado_agree_with_each_other(mixed: Scenario) -> None:
    found = planner.uncertainty(mixed, worlds=256)
    needed = found.brokers
    assert needed.p50 is not None
    assert needed.p90 is not None
    assert needed.p95 is not None
    assert needed.p50 <= needed.p90 <= needed.p95
    chances = {row.brokers: row.holds_probability for row in found.counts}
    possible = 1 - found.infeasible_fraction
    assert chances[needed.p90] >= 0.9 * possible
    assert found.holds_probability == chances[found.count]
    assert found.cost_per_month is not None
    assert found.cost_per_month.p90 == needed.p90 * 300
    assert sum(found.binding.values()) == pytest.approx(possible)
    assert {bar.path for bar in found.tornado} == {driver.path for driver in found.drivers}
    swings = [bar.swing for bar in found.tornado if bar.swing is not None]
    assert swings == sorted(swings, reverse=True)
    assert min(found.counts, key=lambda row: row.expected_regret_brokers).brokers == found.least_regret


def test_a_count_that_is_given_keeps_its_chance(mixed: Scenario) -> None:
    cluster = mixed.cluster.model_copy(update={"brokers": 30})
    found = planner.uncertainty(mixed.model_copy(update={"cluster": cluster}), worlds=64)
    assert found.count == 30
    assert found.holds_probability >= 0.9


@given(low=st.floats(0.2, 1), high=st.floats(1.01, 3))
def test_more_uncertainty_above_never_needs_fewer(low: float, high: float) -> None:
    base = planner.load("preset:startup-10k-a-day")
    found = planner.uncertainty(base, worlds=8, load=(low, high))
    assert found.brokers.p95 == 3  # so little traffic that three brokers carry any of it
    assert found.infeasible_fraction == 0


def test_worlds_that_nothing_carries_are_counted() -> None:
    text = """
topics: [{name: a, records_per_s: {low: 1k, likely: 2k, high: 50k}, record: {value_bytes: 1000}, partitions: 1}]
cluster:
  broker: {vcpu: 8, memory: 32GiB, storage: {kind: local, capacity: 2TB}, network_in: 10Gbit/s, network_out: 10Gbit/s}
"""
    found = planner.uncertainty(planner.load(text), worlds=64)
    # one partition of 1 kB records kept 7 days fills 70 % of 2 TB at some 2.3 k/s, whatever the brokers
    assert 0.5 < found.infeasible_fraction < 1
    assert "infeasible_worlds" in {row.code for row in found.findings}
    nothing = planner.uncertainty(planner.load(text), worlds=64, load=(0.99, 500.0))
    assert nothing.infeasible_fraction > found.infeasible_fraction


def test_growth_is_sampled_and_other_ranges_are_named() -> None:
    sets = (
        "policy.growth_per_year={low: 0.1, likely: 0.3, high: 1.5}",
        "policy.horizon=1y",
        "cluster.replication_throttle={low: 10MB/s, likely: 50MB/s, high: 90MB/s}",
    )
    found = planner.uncertainty(planner.load("preset:ecommerce", sets=sets), worlds=32)
    assert [driver.path for driver in found.drivers] == ["policy.growth_per_year"]
    assert next(row for row in found.findings if row.code == "not_sampled").message.endswith(
        "cluster.replication_throttle."
    )
    assert found.brokers.p95 > found.brokers.likely  # type: ignore[operator]


@pytest.mark.parametrize(
    ("arguments", "paths"),
    [
        ({}, ["topics"]),
        ({"worlds": 1}, ["worlds", "topics"]),
        ({"load": (1.1, 2)}, ["load"]),
        ({"load": (0.5, math.inf)}, ["load"]),
    ],
)
def test_what_cannot_be_sampled_is_refused(arguments: dict[str, Any], paths: list[str]) -> None:
    with pytest.raises(planner.ScenarioError) as caught:
        planner.uncertainty(planner.load("preset:ecommerce"), **arguments)
    assert [error.path for error in caught.value.errors] == paths


# the command


def test_the_command_says_the_quantiles_first() -> None:
    arguments = ["uncertainty", "preset:ecommerce", "--worlds", "64", "--load", "0.8:1.5"]
    done = CliRunner().invoke(cli, arguments)
    assert done.exit_code == 0
    assert done.stdout.startswith("15 brokers are enough in half of 64 worlds, 18 in 90 %")
    body = json.loads(CliRunner().invoke(cli, [*arguments, "--format", "json"]).stdout)
    assert {"brokers", "infeasible_fraction", "holds_probability", "tornado"} <= body.keys()
    assert {"p50", "p90", "p95"} <= body["brokers"].keys()
    bad = CliRunner().invoke(cli, ["uncertainty", "preset:ecommerce", "--load", "much"])
    assert (bad.exit_code, "--load" in bad.stderr) == (2, True)
