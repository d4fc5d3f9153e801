"""The cheapest brokers: against plans of each type, a solver, and hand arithmetic."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from scipy import optimize
from typer.testing import CliRunner, Result

from planner import ScenarioError, load, plan, search
from planner.catalogue.offers import instance_types
from planner.catalogue.own import COLUMNS, read_offers
from planner.cli import cli
from planner.model import cost, quotas
from planner.optimise import Search, SearchRow, with_broker
from planner.scenario import Scenario

OWN = "name,vcpu,memory,network,volumes,capacity,throughput,iops,price_per_h\n"


@pytest.fixture(scope="module")
def shop() -> Scenario:
    return load("preset:ecommerce")


@pytest.fixture(scope="module")
def found(shop: Scenario) -> Search:
    return search(shop)


def held(result: Search) -> list[SearchRow]:
    return [row for row in result.rows if row.feasible]


def test_every_type_has_a_row_with_a_cost_or_a_reason(found: Search) -> None:
    assert {row.type for row in found.rows} == set(instance_types())
    for row in found.rows:
        assert (row.per_month is not None) == row.feasible
        assert (row.reason is None) == row.feasible
        if row.feasible:
            parts = (row.brokers_per_month, row.storage_per_month, row.around_per_month)
            assert sum(part or 0.0 for part in parts) == pytest.approx(row.per_month)


def test_rows_come_cheapest_first_those_with_missing_prices_last(found: Search) -> None:
    complete = [row.per_month or 0.0 for row in held(found) if not row.unpriced]
    assert complete == sorted(complete)
    flags = [bool(row.unpriced) for row in held(found)]
    assert flags == sorted(flags)
    assert found.best == found.rows[0]


def test_the_best_is_a_plan_that_holds_and_costs_the_same(found: Search) -> None:
    assert found.plan is not None
    assert found.best is not None
    assert found.plan.feasible
    assert found.plan.brokers.count == found.best.count
    assert found.plan.cost is not None
    assert found.plan.cost.per_month == pytest.approx(found.best.per_month, rel=1e-6)


def test_a_type_with_drives_of_its_own_takes_as_many_as_its_plan(shop: Scenario, found: Search) -> None:
    own_drives = [row for row in held(found) if row.broker == row.type]
    assert len(own_drives) >= 5
    for row in own_drives[:5]:
        cluster = shop.cluster.model_copy(update={"broker": row.type})
        own = plan(shop.model_copy(update={"cluster": cluster}))
        assert row.count == own.brokers.count
        assert own.cost is not None
        assert row.per_month == pytest.approx(own.cost.per_month)


@pytest.mark.parametrize("at", [0, 1, 7, 40, 120])
def test_a_row_holds_at_its_count_and_not_one_step_below(shop: Scenario, found: Search, at: int) -> None:
    row = held(found)[at]
    planned = plan(with_broker(shop, row))
    assert planned.feasible, (row, [finding.message for finding in planned.findings if finding.severity == "critical"])
    assert row.count is not None
    if row.count > 3:
        fewer = plan(with_broker(shop, row)).scenario.cluster.model_copy(update={"brokers": row.count - 3})
        assert not plan(shop.model_copy(update={"cluster": fewer.model_copy(update={"broker": row.broker})})).feasible


def test_a_refused_type_does_not_hold_as_a_plan(shop: Scenario, found: Search) -> None:
    row = next(row for row in found.rows if not row.feasible and row.limit_used_fraction is not None)
    cluster = shop.cluster.model_copy(update={"broker": row.broker, "brokers": 6})
    assert not plan(shop.model_copy(update={"cluster": cluster})).feasible
    assert "times its limit" in (row.reason or "")


def test_lent_processors_and_types_without_a_price_are_left_out_with_the_reason(found: Search) -> None:
    reasons = {row.type: row.reason or "" for row in found.rows}
    assert "only lent" in reasons["t3.large"]
    assert "only lent" in reasons["m7i-flex.large"]
    unpriced = [kind.name for kind in instance_types().values() if kind.on_demand is None and not kind.burstable]
    assert len(unpriced) > 100
    assert all("no on demand price" in reasons[name] or "only lent" in reasons[name] for name in unpriced)


def test_nothing_on_the_front_is_beaten(found: Search) -> None:
    rows = held(found)
    table = np.array(
        [[row.per_month, row.recovery_s or math.inf, row.limit_used_fraction] for row in rows], dtype=float
    )
    for row, mine in zip(rows, table, strict=True):
        beaten = ((table <= mine).all(axis=1) & (table < mine).any(axis=1)).any()
        assert row.pareto == (not beaten)


# A solver's answer


BALANCED = """
version: 1
name: solver
topics:
  - name: t
    records_per_s: 600000
    record: {value_bytes: 1000}
    batch: {records: 1000}
    partitions: 360
    replication_factor: 3
    retention: {time: 6h}
    consumers: [{group: a}, {group: b}]
cluster: {zones: 3, tls: no, limits: {nofile: 1000000, max_map_count: 1000000}}
policy: {placement: balanced, survive: {brokers: 1}}
"""


def test_the_cheapest_is_what_an_integer_program_finds() -> None:
    """Machines of the test's own, limited by network alone, so that the closed forms of the design give linear rows."""
    rng = np.random.default_rng(5)
    machines = [
        (f"m{number}", gbit, round(gbit * (0.1 + 0.1 * rng.random()), 3))
        for number, gbit in enumerate((1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0, 10.0, 12.0, 20.0, 25.0, 40.0))
    ]  # name, Gbit/s, price an hour
    table = OWN + "".join(
        f"{name},64,512GiB,{gbit}Gbit/s,1,50TB,50GB/s,9000000,{usd}\n" for name, gbit, usd in machines
    )
    scenario = load(BALANCED)
    result = search(scenario, sellers=["own"], offers=table)
    wire = plan(scenario).cluster.produce_in_bytes_per_s
    overhead = 0.01  # requests of 1,000 records add less than that to either direction
    # healthy and down, in and out: brokers needed at each machine by W, RF = 3, F = 2, f = 1
    prices, least = [], []
    for _, gbit, usd in machines:
        nic = gbit * 1e9 / 8
        needs = [
            wire * 3 / (nic * 0.8),
            wire * (2 + 2) / (nic * 0.8),
            wire * 3 / (nic * 0.95),
            1 + wire * (2 + 2) / (nic * 0.95),  # W RF/B + W (F - 1)/(B - 1) stays below the form for the returned state
        ]
        prices.append(usd)
        least.append(max(needs))
    count = len(machines)
    # variables: triples of brokers of each type, and which type is chosen
    cost = np.concatenate([np.array(prices) * 3 * 730, np.zeros(count)])
    enough = np.hstack([3 * np.eye(count), -np.diag(least)])
    below = np.hstack([3 * np.eye(count), -np.diag([300.0] * count)])
    one = np.concatenate([np.zeros(count), np.ones(count)])[None, :]
    answer = optimize.milp(
        cost,
        constraints=[
            optimize.LinearConstraint(enough, 0, np.inf),
            optimize.LinearConstraint(below, -np.inf, 0),
            optimize.LinearConstraint(one, 1, 1),
        ],
        integrality=np.ones(2 * count),
        bounds=optimize.Bounds(0, np.concatenate([np.full(count, 100.0), np.ones(count)])),
    )
    assert answer.success
    assert result.best is not None
    assert result.best.per_month == pytest.approx(answer.fun, rel=overhead)
    chosen = machines[int(np.argmax(answer.x[count:]))][0]
    tied = {row.type for row in held(result) if (row.per_month or 0) <= answer.fun * (1 + 1e-6)}
    assert chosen in tied


# Terms


def test_discount_and_currency_scale_every_cost(shop: Scenario, found: Search) -> None:
    other = search(shop, discount_fraction=0.2, currency="EUR", currency_rate=0.9)
    assert "plan_at_list_prices" in {finding.code for finding in other.findings}
    assert "plan_at_list_prices" not in {finding.code for finding in found.findings}
    assert found.best is not None
    assert other.best is not None
    assert (other.best.type, other.currency) == (found.best.type, "EUR")
    assert other.best.per_month == pytest.approx((found.best.per_month or 0) * 0.8 * 0.9)


def test_three_year_prices_are_aws_only(shop: Scenario) -> None:
    result = search(shop, prices="reserved_3y")
    assert {row.provider for row in held(result)} == {"aws"}


def test_a_recovery_limit_buys_speed(shop: Scenario, found: Search) -> None:
    policy = shop.policy.model_copy(update={"recovery_time_max": 2 * 3600.0})
    quick = search(shop.model_copy(update={"policy": policy}))
    assert found.best is not None
    assert quick.best is not None
    assert quick.best.recovery_s is not None
    assert quick.best.recovery_s <= 2 * 3600
    assert (quick.best.per_month or 0) > (found.best.per_month or 0)


def test_a_given_count_is_kept(shop: Scenario) -> None:
    cluster = shop.cluster.model_copy(update={"brokers": 9})
    result = search(shop.model_copy(update={"cluster": cluster}), sellers=["aws"])
    assert {row.count for row in held(result)} == {9}


def test_nothing_holds_and_the_nearest_is_named(shop: Scenario) -> None:
    cluster = shop.cluster.model_copy(update={"brokers": 3})
    heavy = shop.topics[0].model_copy(update={"records_per_s": 5e7})
    result = search(shop.model_copy(update={"cluster": cluster, "topics": (heavy,)}))
    assert result.best is None
    assert "times its limit" in (result.reason or "")


def test_more_load_never_costs_less(shop: Scenario, found: Search) -> None:
    topics = tuple(
        topic.model_copy(update={"records_per_s": (topic.records_per_s or 0) * 2}) if topic.records_per_s else topic
        for topic in shop.topics
    )
    double = search(shop.model_copy(update={"topics": topics}), sellers=["aws"])
    assert found.best is not None
    assert double.best is not None
    assert (double.best.per_month or 0) >= (found.best.per_month or 0)


def test_ranges_give_the_chance_that_an_answer_holds(shop: Scenario) -> None:
    topics = (shop.topics[0].model_copy(update={"records_per_s": 12_000.0}), *shop.topics[1:])
    text = load("preset:ecommerce", ["topics.orders.records_per_s={low: 8000, likely: 12000, high: 40000}"])
    result = search(text, sellers=["aws"], worlds=64)
    assert topics
    assert result.chances
    for chance in result.chances:
        assert 0 <= chance.holds_probability <= 1
        assert chance.count_p90 is None or chance.count_p50 is None or chance.count_p90 >= chance.count_p50


# Services sized by quotas

# AWS' MSK sizing script, run A of shared cases: 500 MiB/s at the peak, 100 on average, 720 h kept, 75 % of a broker
EXPRESS_RUN_A = {
    "large": (15.625, 45),
    "xlarge": (31.25, 24),
    "2xlarge": (62.5, 12),
    "4xlarge": (125, 6),
    "8xlarge": (250, 3),
}


@pytest.mark.parametrize(("quota", "brokers"), EXPRESS_RUN_A.values())
def test_express_brokers_are_those_of_the_sellers_script(quota: float, brokers: int) -> None:
    raw = quotas.quota_brokers(load=500.0, quota=quota, limit_fraction=0.75, degraded_fraction=1.0, brokers_down=0)
    assert math.ceil(float(raw) / 3) * 3 == brokers


def test_express_is_billed_as_the_sellers_script_bills_it() -> None:
    # 45 x 0.408 x 730, storage, data in and produce between zones: 44 703.58 USD
    month, gib = 3600 * 730, 1 / 1024
    brokers = cost.machine_per_month(price_per_h=0.408, h_per_month=730) * 45
    kept = cost.stored_per_month(stored_bytes=100 * 720 * 3600 * gib, price_per_byte=0.10)
    came = cost.transfer_per_month(average_bytes_per_s=100 * gib, s_per_month=month, price_per_byte=0.01)
    crossed = cost.transfer_per_month(average_bytes_per_s=100 * gib * 2 / 3, s_per_month=month, price_per_byte=0.02)
    total = cost.bill_per_month(line_per_month=np.array([brokers, kept, came, crossed]))
    assert total == pytest.approx(44_703.58, abs=0.01)


def test_services_hold_by_their_quotas_or_say_which_is_exceeded(found: Search) -> None:
    rows = {row.name: row for row in found.managed}
    assert len([name for name in rows if name.startswith("express")]) == 7
    for row in found.managed:
        assert (row.per_month is None) == (not row.feasible)
        if row.feasible:
            assert sum(row.lines.values()) == pytest.approx(row.per_month)
            assert row.count is None or row.count % 3 == 0
        else:
            assert row.reason


def test_serverless_of_an_idle_cluster_costs_its_hours() -> None:
    rows = {row.name: row for row in search(load("preset:startup-10k-a-day"), sellers=["msk"]).managed}
    idle = rows["msk serverless"]
    assert idle.lines["cluster"] == pytest.approx(547.5)
    assert idle.per_month is not None
    assert idle.per_month > 547.5


def test_express_refuses_other_copies_than_three() -> None:
    changes = ["topics.*.replication_factor=2", "topics.*.min_insync_replicas=1"]
    rows = search(load("preset:ecommerce", changes), sellers=["msk"]).managed
    assert all("three copies" in (row.reason or "") for row in rows if row.name.startswith("express"))


# Own machines


def test_own_machines_and_prices_go_before_those_listed(shop: Scenario) -> None:
    table = OWN + "rack,32,256GiB,25Gbit/s,4,7.68TB,1GB/s,100000,0.05\ni3en.2xlarge,,,,,,,,0.01\n"
    result = search(shop, offers=table)
    cheapest = {row.type: row for row in held(result)[:2]}
    assert set(cheapest) == {"rack", "i3en.2xlarge"}
    own = cheapest["i3en.2xlarge"]
    assert own.brokers_per_month == pytest.approx(0.01 * 730 * (own.count or 0))
    assert cheapest["rack"].price_kind == "own"


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("", "missing"),
        ("name,colour,price_per_h\na,red,1\n", "no such column"),
        (OWN, "number of rows"),
        (OWN + "a,1,1GiB,1Gbit/s,1,1TB,1GB/s,100,0\n", "out of bounds"),
        (OWN + "a,1,1GiB,1Gbit/s,1.5,1TB,1GB/s,100,1\n", "out of bounds"),
        (OWN + "a,many,1GiB,1Gbit/s,1,1TB,1GB/s,100,1\n", "cannot be read"),
        (OWN + "a,1,1GiB,1Gbit/s,1,1TB,1GB/s,100,nan\n", "cannot be read"),
        (OWN + "a:b,1,1GiB,1Gbit/s,1,1TB,1GB/s,100,1\n", "no name"),
        (OWN + "a,1,1GiB,1Gbit/s,1,1TB,1GB/s,100,1,5\n", "more cells"),
        (OWN + "a,1,1GiB,1Gbit/s,1,1TB,1GB/s,100,1\n" * 2, "stands twice"),
        (OWN + "x" * 2_000_000, "too large"),
    ],
)
def test_a_table_of_offers_is_checked_cell_by_cell(table: str, said: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        read_offers(table)
    assert any(said in error.message.lower() or said in error.message for error in refused.value.errors)


def test_all_faults_of_a_table_are_told_at_once() -> None:
    with pytest.raises(ScenarioError) as refused:
        read_offers(OWN + "a,x,1GiB,y,1,1TB,1GB/s,100,1\n,1,1GiB,1Gbit/s,1,1TB,1GB/s,100,1\n")
    assert len(refused.value.errors) == 3
    assert COLUMNS[0] == "name"


# The command


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["search", *arguments])


def test_the_command_prints_the_contract() -> None:
    done = run("preset:startup-10k-a-day", "--seller", "msk", "--format", "json")
    assert done.exit_code == 0
    answer = json.loads(done.stdout)
    assert {"broker", "count", "per_month", "feasible", "reason"} <= set(answer["rows"][0])
    assert answer["best"]["type"] == "kafka.m7g.large"
    assert answer["plan"]["brokers"]["count"] == answer["best"]["count"]


def test_the_command_says_the_answer_first() -> None:
    done = run("preset:startup-10k-a-day", "--seller", "msk")
    assert done.stdout.startswith("Cheapest: 3 x kafka.m7g.large:")


def test_the_command_refuses_terms_that_mean_nothing() -> None:
    done = run("preset:ecommerce", "--seller", "shop", "--discount", "120%", "--format", "json")
    assert done.exit_code == 2
    assert {error["path"] for error in json.loads(done.stdout)["errors"]} == {"sellers", "discount"}


def test_over_budget_is_a_failed_check() -> None:
    done = run("preset:startup-10k-a-day", "--seller", "msk", "--set", "policy.budget_per_month=10")
    assert done.exit_code == 1
    assert "budget" in done.stdout
