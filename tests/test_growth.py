"""Months to come: dates against logarithms, trends against series of known growth, purchases against the plan."""

from __future__ import annotations

import datetime as dt
import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import planner
from planner.cli import cli
from planner.constants import constant
from planner.model import growth as rules
from planner.runway import trend_of
from tests.elementwise import check_element_by_element
from tests.scenarios import scenario, topic

START = dt.date(2026, 1, 1)
YEAR = 31_536_000


def series(rate: float, days: int, *, noise: float = 0.0, seed: int = 1, spikes: tuple[int, ...] = ()) -> str:
    generator = np.random.default_rng(seed)
    rows = ["date,bytes"]
    for day in range(days):
        value = 1e12 * (1 + rate) ** (day / 365) * math.exp(noise * generator.standard_normal())
        value *= 3 if day in spikes else 1
        rows.append(f"{(START + dt.timedelta(days=day)).isoformat()},{value:.0f}")
    return "\n".join(rows) + "\n"


# time and trend


def test_a_load_that_doubles_every_year_is_fourfold_after_two() -> None:
    assert rules.time_until_s(load_factor=4, growth_per_year=1) == pytest.approx(2 * YEAR)
    assert rules.time_until_s(load_factor=0.9, growth_per_year=1) == 0
    assert rules.time_until_s(load_factor=1.1, growth_per_year=0) > 1e300
    assert rules.time_until_s(load_factor=1.1, growth_per_year=-0.5) > 1e300


def test_time_until_is_elementwise() -> None:
    check_element_by_element(rules.time_until_s, load_factor=(0.5, 8.0), growth_per_year=(0.0, 3.0))


@given(rate=st.floats(0.01, 5), years=st.floats(0.01, 10))
def test_time_until_undoes_the_growth(rate: float, years: float) -> None:
    factor = (1 + rate) ** years
    assert rules.time_until_s(load_factor=factor, growth_per_year=rate) == pytest.approx(years * YEAR, rel=1e-6)


def test_a_clean_series_gives_its_growth_back() -> None:
    found = trend_of(series(0.4, 200))
    assert found.growth_per_year == pytest.approx(0.4, abs=1e-6)
    assert found.peak_day_ratio == pytest.approx(1, abs=1e-6)


def test_spikes_do_not_bend_the_trend_and_stay_as_peaks() -> None:
    text = series(0.4, 365, noise=0.02, spikes=(340, 350, 360))
    found = trend_of(text)
    assert found.growth_per_year == pytest.approx(0.4, abs=0.03)
    assert found.peak_day_ratio == pytest.approx(3, rel=0.1)
    # least squares on the same days, which a planner should not use
    days = np.arange(365.0)
    logs = np.log(
        [float(row.split(",")[1]) for row in series(0.4, 365, noise=0.02, spikes=(340, 350, 360)).split()[1:]]
    )
    bent = math.exp(365 * np.polyfit(days, logs, 1)[0]) - 1
    assert bent > found.growth_per_year + 0.03


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    inside = 0
    for seed in range(100):
        found = trend_of(series(0.4, 120, noise=0.1, seed=seed))
        inside += found.growth_per_year_low <= 0.4 <= found.growth_per_year_high
    assert 0.95 - 3 * math.sqrt(0.95 * 0.05 / 100) <= inside / 100


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "columns"),
        ("day,size\n", "columns"),
        ("date,bytes\n2026-01-01,5TB\n", "Too few days"),
        (series(0.1, 20) + "2026-01-03,7\n", "twice"),
        (series(0.1, 20) + "2026-13-01,7\n", "no date"),
        (series(0.1, 20) + "2027-01-01,-7\n", "no day"),
        (series(0.1, 20) + "2027-01-01,seven\n", "cannot be read"),
        (series(0.1, 20) + "2027-01-01,1e400\n", "row 22"),
        ("date,bytes\n" + "2026-01-01,1\n" * 3_000, "too long"),
        ("date,bytes\n" + "x" * 1_000_001, "too large"),
    ],
)
def test_a_history_in_error_is_refused_with_its_row(text: str, word: str) -> None:
    with pytest.raises(planner.ScenarioError) as caught:
        trend_of(text)
    assert word in " ".join(f"{error.path} {error.message}" for error in caught.value.errors)


def test_all_errors_of_a_history_come_at_once() -> None:
    with pytest.raises(planner.ScenarioError) as caught:
        trend_of("date,bytes\nx,1\n2026-01-01,y\n2026-01-02,0\n")
    assert [error.path for error in caught.value.errors] == [
        "history row 2 date",
        "history row 3 bytes",
        "history row 4 bytes",
    ]


@given(st.text(max_size=300))
def test_no_text_is_worse_than_a_refusal(text: str) -> None:
    with pytest.raises(planner.ScenarioError):  # never fourteen days of it
        trend_of("date,bytes\n" + text)


# months


def test_the_first_limit_is_where_reverse_says() -> None:
    given_scenario = scenario(topic(partitions=12), cluster={"brokers": 9})
    limit = planner.reverse(given_scenario)
    found = planner.growth(given_scenario, months=24, per_year=3.0, start=START)
    first = found.first_limits[0]
    assert (first.resource, first.state) == (limit.limits[0].resource, limit.limits[0].state)
    assert first.load_factor == pytest.approx(limit.max_load_factor, rel=2e-3)
    # fourfold every year: the logarithm to base 4 of the factor, in years of 365 days
    assert limit.max_load_factor is not None
    expected = START + dt.timedelta(days=365 * math.log(limit.max_load_factor, 4))
    assert abs((dt.date.fromisoformat(str(first.date)) - expected).days) <= 1


def test_every_month_holds_after_its_purchases_and_none_comes_too_late() -> None:
    found = planner.growth(planner.load("preset:fintech"), months=24, per_year=0.8, start=START)
    assert all(month.holds for month in found.months)
    brokers = [month.brokers for month in found.months]
    assert brokers == sorted(brokers)
    for step in (step for step in found.steps if step.kind == "brokers"):
        assert found.months[step.month].brokers == step.before
        assert found.months[step.month + 1].brokers == step.after
        assert step.date <= found.months[step.month + 1].date
        assert step.bytes_moved is not None
        # new brokers end with their share of what all hold, so that much moves at least
        held = found.months[step.month].disk_bytes_worst
        share = (step.after - step.before) / step.after
        assert 0.3 * held * share < step.bytes_moved < 1.5 * held * share
        assert step.duration_s is not None
    assert found.first_limits[0].date is not None
    assert found.steps[0].date <= found.first_limits[0].date


def test_without_a_purchase_the_month_after_fails() -> None:
    base = scenario(topic(partitions=12), cluster={"brokers": 9})
    found = planner.growth(base, months=12, per_year=1.0, start=START)
    step = next(step for step in found.steps if step.kind == "brokers")
    factor = 2 ** ((step.month + 1) / 12)
    late = scenario(topic(partitions=12, records_per_s=10_000 * factor), cluster={"brokers": 9})
    intime = scenario(topic(partitions=12, records_per_s=10_000 * factor), cluster={"brokers": step.after})
    assert not planner.plan(late).feasible
    assert planner.plan(intime).feasible


def test_partitions_are_added_once_for_all_months() -> None:
    one = topic(
        partitions=4,
        partition_throughput={"produce": "10MB/s", "consume": "20MB/s"},
        records_per_s=30_000,
        consumers=[],
    )
    found = planner.growth(scenario(one), months=24, per_year=1.0, start=START)
    steps = [step for step in found.steps if step.kind == "partitions"]
    # some 30 MB/s today fill 3.1 partitions; fourfold after two years needs 12.3
    assert len(steps) == 1
    assert steps[0].before == 4
    assert 13 <= steps[0].after <= 16
    assert steps[0].moved_key_fraction == pytest.approx(1 - math.gcd(4, steps[0].after) / steps[0].after)
    # 3.1 * 2**(m/12) passes 4 in the fifth month
    assert steps[0].month == 4


def test_a_load_that_does_not_grow_breaks_nothing() -> None:
    found = planner.growth(scenario(cluster={"brokers": 9}), months=6, per_year=0.0, start=START)
    assert [row.date for row in found.first_limits] == [None] * len(found.first_limits)
    assert all(row.date_reason for row in found.first_limits)
    assert found.findings[0].code == "no_growth"
    assert found.steps == ()


def test_a_fitted_growth_gives_dates_between_two() -> None:
    history = series(1.0, 300, noise=0.1)
    found = planner.growth(
        scenario(topic(partitions=12), cluster={"brokers": 9}), history=history, months=18, start=START
    )
    first = found.first_limits[0]
    assert found.fitted
    assert first.date_early is not None
    assert first.date is not None
    assert first.date_late is not None
    assert first.date_early < first.date < first.date_late
    assert {row.code for row in found.findings} == set()


def test_a_flat_history_says_that_growth_is_uncertain() -> None:
    found = planner.growth(scenario(cluster={"brokers": 9}), history=series(0.02, 60, noise=0.2), months=3, start=START)
    assert "growth_uncertain" in {row.code for row in found.findings}
    assert found.first_limits[0].date_late is None  # at the low end the load shrinks


def test_a_cluster_that_is_short_today_says_so() -> None:
    found = planner.growth(scenario(cluster={"brokers": 3}), months=1, per_year=0.5, start=START)
    first = found.first_limits[0]
    assert (first.date, first.load_factor) == ("2026-01-01", 1.0)
    assert first.date_reason == "over its limit already"
    assert found.steps[0].month == 0


def test_arguments_out_of_range_come_together() -> None:
    with pytest.raises(planner.ScenarioError) as caught:
        planner.growth(scenario(), months=0, per_year=-1, ahead=-1)
    assert [error.path for error in caught.value.errors] == ["months", "per_year", "ahead"]


# the command


def run(*arguments: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(cli, ["growth", *arguments])
    return done.exit_code, done.stdout, done.stderr


def test_the_command_says_the_first_date_first() -> None:
    arguments = ("preset:ecommerce", "--per-year", "50%", "--months", "6", "--start", "2026-01-01")
    status, text, _ = run(*arguments)
    assert status == 0
    assert text.startswith("15 brokers reach their first limit on 2026-0")
    body = json.loads(run(*arguments, "--format", "json")[1])
    assert {"months", "first_limits", "steps"} <= body.keys()
    assert body["first_limits"][0]["resource"] == "disk_volume"
    assert len(run(*arguments, "--format", "csv")[1].splitlines()) == 8
    status, text, _ = run("preset:ecommerce", "--months", "1", "--per-year", "0")
    assert text.startswith("15 brokers hold for all 1 months looked at.")


def test_the_command_reads_a_history(tmp_path: Path) -> None:
    path = tmp_path / "daily.csv"
    path.write_text(series(0.5, 60), encoding="utf-8")
    status, text, _ = run("preset:ecommerce", "--history", str(path), "--months", "2", "--start", "2026-01-01")
    assert status == 0
    assert "The history grows by 50.0% a year (95 % interval" in text


@pytest.mark.parametrize(
    ("option", "value"), [("--per-year", "fast"), ("--start", "soon"), ("--history", "nowhere.csv"), ("--months", "0")]
)
def test_the_command_refuses(option: str, value: str) -> None:
    status, _, error = run("preset:ecommerce", option, value)
    assert (status, value in error) == (2, True)


def test_a_key_that_outgrows_its_partition_is_said_and_not_chased() -> None:
    """Once partitions were added month after month, up to 840, for a key that no count carries in the end."""
    scenario = planner.load("preset:clickstream-hot-key")
    found = planner.growth(scenario, per_year=0.3, start=dt.date(2026, 1, 1))
    assert not [step for step in found.steps if step.topic == "clicks"]
    (said,) = [finding for finding in found.findings if finding.code == "hot_key_outgrows_partition"]
    assert "clicks" in said.message
    # the share of the key, by hand: 1 / (sum of k^-exponent), times the load, against what a partition lets through
    (topic,) = [topic for topic in scenario.topics if topic.name == "clicks"]
    assert topic.keys is not None
    assert topic.keys.unique is not None
    plan = planner.plan(scenario).topics["clicks"]
    ranks = range(1, int(topic.keys.unique) + 1)
    top = topic.keys.top_key_fraction or 1 / math.fsum(rank**-topic.keys.zipf_exponent for rank in ranks)
    limit = min(constant("partitions.produce_bytes_per_s"), constant("partitions.consume_bytes_per_s"))
    factor = limit / (plan.produce_in_bytes_per_s * top)
    months = math.log(factor) / math.log(1.3) * 12
    day = dt.date.fromisoformat(said.message.split()[1])
    assert (day - dt.date(2026, 1, 1)).days / 30.4 == pytest.approx(math.ceil(months), abs=1)
