"""Pictures of growth, recovery, lag, durability, worlds, moves, routes, comparisons and offers: drawn as computed."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import altair as alt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner import compare, consumers, durability, failure, load, reassign, repartition, search, uncertainty
from planner.reports.pictures import bars, chances, compared, lag, moves, offers, plane, recovery, routes, survivors
from planner.reports.pictures import durability as durabilities
from planner.reports.pictures import growth as growths
from planner.reports.pictures import tornado as tornados
from planner.runway import Growth, growth
from planner.scenario import Scenario

START = dt.date(2026, 1, 1)
MONTH_DAYS = 365 / 12


@pytest.fixture(scope="module")
def shop() -> Scenario:
    return load("preset:ecommerce")


@pytest.fixture(scope="module")
def grown(shop: Scenario) -> Growth:
    return growth(shop, per_year=0.5, start=START)


def values(spec: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [row for layer in spec["layer"] if layer["mark"]["type"] == kind for row in layer["data"]["values"]]


def texts(spec: dict[str, Any]) -> list[str]:
    return [row["text"] for row in values(spec, "text")]


# Scales


def test_places_are_shares_of_a_scale() -> None:
    assert plane.Scale(0, 10, {}).place(2.5) == 0.25
    assert plane.Scale(0, 10, {}).place(99) == 1
    assert plane.Scale(1, 10_000, {}, log=True).place(10) == pytest.approx(0.25)
    assert plane.rows(4).place(1) == 0.75  # rows are counted from above
    assert plane.Scale(3, 3, {}).place(3) == 0


@given(st.floats(1e-9, 1e18), st.integers(1, 12))
def test_grid_lines_are_few_and_within(most: float, ticks: int) -> None:
    for scale in (plane.linear(most, str, ticks=ticks), plane.times(most, str, ticks=ticks)):
        steps = list(scale.ticks)
        assert 1 <= len(steps) <= ticks + 1
        assert steps[-1] <= most * (1 + 1e-6)


@given(st.lists(st.floats(1e-6, 1e15), min_size=1, max_size=8), st.integers(2, 6))
def test_logarithmic_grid_lines_stand_within_the_ends(found: list[float], ticks: int) -> None:
    for scale in (plane.logarithmic(found, str, ticks=ticks), plane.logarithmic_times(found, str, ticks=ticks)):
        assert len(scale.ticks) <= ticks
        assert all(scale.low <= value <= scale.high for value in scale.ticks)
        assert scale.place(scale.low) == 0
        assert scale.place(scale.high) == 1


def test_bars_are_as_long_as_their_values() -> None:
    rows = [bars.Row("a", (bars.Part(2.0, "within", "two"), bars.Part(8.0, "short", ""))), bars.Row("b", mark=4.0)]
    spec = bars.bars_spec(rows)
    short, long = values(spec, "rect")
    assert long["x1"] == pytest.approx(4 * short["x1"])
    assert texts(spec) == ["a", "two", "b"]
    (mark,) = values(spec, "rule")
    assert mark["x0"] == pytest.approx(2 * short["x1"])


# Growth


def test_lines_cross_their_limit_on_the_date_that_is_written(grown: Growth) -> None:
    spec = growths.timeline_spec(grown)
    dots = [row["x0"] * 36 for row in values(spec, "point") if row["size"] == 70]
    broken = [row for row in grown.first_limits if row.date is not None]
    assert len(broken) == 2  # disk space, and later CPU
    for dot, row in zip(dots, broken, strict=True):
        months = (dt.date.fromisoformat(row.date or "") - START).days / MONTH_DAYS
        assert dot == pytest.approx(months, abs=0.2)
    first = broken[0]
    assert f"disk space: {first.date}" in texts(spec)
    # the disk holds what is produced in a fixed time, so it fills as the load grows: 1.5 times in a year
    assert first.used_of_limit[12] / first.used_of_limit[0] == pytest.approx(1.5, rel=0.02)
    assert len(first.used_of_limit) == len(grown.months) == 37


def test_what_is_to_be_done_stands_over_its_month(grown: Growth) -> None:
    marks = [row["x0"] * 36 for row in values(growths.timeline_spec(grown), "point") if row["size"] == 80]
    assert sorted(marks) == pytest.approx(sorted(step.month for step in grown.steps))
    assert all(step.date in growths.timeline_alt(grown) for step in grown.steps)
    rows = growths.timeline_table(grown).rows
    assert len(rows) == 13
    assert rows[4][2] == f"{grown.first_limits[0].used_of_limit[12]:.0%}"


def test_brokers_are_as_high_as_their_count(grown: Growth) -> None:
    heights: list[float] = [row["y1"] - row["y0"] for row in values(growths.brokers_spec(grown), "rect")]
    counts = list(dict.fromkeys(month.brokers for month in grown.months))
    assert [height / heights[0] for height in heights] == pytest.approx([count / counts[0] for count in counts])
    assert f"{grown.months[-1].brokers} on {grown.months[-1].date}" in growths.brokers_alt(grown)


def test_a_load_that_does_not_grow_breaks_nothing(shop: Scenario) -> None:
    found = growth(shop, per_year=0.0, start=START, months=6)
    assert "reach no limit" in growths.timeline_alt(found)
    assert not values(growths.timeline_spec(found), "point")


# Failure and durability


def test_the_recovery_curve_falls_as_the_times_do(shop: Scenario) -> None:
    found = failure(shop)
    spec = recovery.recovery_spec(found, chosen=50e6)
    for name, times in (
        ("refill an empty broker", [point.duration_s for point in found.curve]),
        ("catch up after being away", [point.catch_up_s for point in found.curve]),
    ):
        places = [row["y0"] for row in values(spec, "line") if row["line"] == name]
        known = [math.log(time) for time in times if time is not None]
        assert len(places) == len(known)
        # on a logarithmic scale equal factors are equal distances; pixels count downwards
        whole = (places[-1] - places[0]) / (known[0] - known[-1])
        assert whole > 0
        for place, time in zip(places, known, strict=True):
            assert place - places[0] == pytest.approx((known[0] - time) * whole)
    assert "throttle 50 MB/s" in texts(spec)
    assert "never" in recovery.recovery_alt(found)


def test_survivors_end_at_what_they_use(shop: Scenario) -> None:
    found = failure(shop, zone="any")
    spec = survivors.survivors_spec(found)
    rows = sorted(found.usage, key=lambda row: -row.utilisation / row.threshold)
    for bar, mark, row in zip(values(spec, "rect"), values(spec, "rule"), rows, strict=True):
        assert bar["x1"] / mark["x0"] == pytest.approx(row.utilisation / row.threshold)
    assert f"disk space {rows[0].utilisation:.0%} of {rows[0].threshold:.0%}" in survivors.survivors_alt(found)
    assert any(
        text.startswith("▲ CPU") for text in texts(survivors.survivors_spec(failure(load("preset:linkedin-2014"))))
    )


def test_losses_stand_at_their_chance(shop: Scenario) -> None:
    found = durability(shop)
    dots = [row["x0"] for row in values(durabilities.durability_spec(found), "point") if row["paint"] == "#D55E00"]
    for place, row in zip(dots, found.settings, strict=True):
        assert place == pytest.approx(max(1 + math.log10(max(row.loss_probability_per_year, 1e-12)) / 12, 0))
    assert durabilities.durability_alt(found).count("min ISR") == len(found.settings)


# Lag


def test_groups_end_when_they_have_read_their_lag(shop: Scenario) -> None:
    found = consumers(shop, outage_s=7200)
    spec = lag.groups_spec(found)
    drawn = [row for row in values(spec, "rect") if row["tone"] == 1]
    stopped = [row for row in drawn if row["x0"] == 0]
    assert len(stopped) == len(found.groups)
    outage = stopped[0]["x1"]
    ends = sorted(row["x1"] / outage for row in drawn if row["x0"] == outage)
    drains = sorted((7200 + group.drain_s) / 7200 for group in found.groups.values() if group.drain_s is not None)
    assert [min(end, 1 / outage) for end in drains] == pytest.approx(ends)
    grows = [name for name, group in found.groups.items() if group.drain_s is None]
    assert texts(spec).count("▲ lag grows on") == len(grows) == 2
    assert all(f"{name} never reads its lag" in lag.groups_alt(found) for name in grows)


def test_what_is_deleted_unread_is_missing_from_the_lag(shop: Scenario) -> None:
    found = consumers(shop, outage_s=9 * 86_400)
    name, group = next((name, group) for name, group in found.groups.items() if group.lost_records > 0)
    spec = lag.group_spec(group, found.outage_s)
    kept = [row for row in values(spec, "line") if row["line"] == "kept"]
    waits = [row for row in values(spec, "line") if row["line"] == "waits"]
    bottom = kept[0]["y0"]
    # seven days are kept of nine
    assert (bottom - waits[-1]["y0"]) / (bottom - kept[-1]["y0"]) == pytest.approx(7 / 9, rel=0.01)
    assert any(text.startswith("deleted unread from here") for text in texts(spec))
    assert "deleted unread" in lag.group_alt(name, group, found.outage_s)


def test_a_group_of_unknown_speed_is_left_open() -> None:
    found = consumers(load("preset:startup-10k-a-day"))
    assert "then not known" in texts(lag.group_spec(found.groups["analytics"], found.outage_s))
    assert "analytics is not known" in lag.groups_alt(found)


# Worlds


def test_worlds_are_bars_of_the_counts_that_hold(shop: Scenario) -> None:
    found = uncertainty(shop, worlds=64, load=(0.7, 1.6))
    spec = chances.chances_spec(found)
    ends = [row["x1"] for row in values(spec, "rect")]
    assert [end / max(ends) for end in ends] == pytest.approx([row.holds_probability for row in found.counts])
    assert any(text.startswith(f"{found.brokers.p90} brokers: ") and "90 %" in text for text in texts(spec))
    (bar,) = found.tornado
    drawn = tornados.tornado_spec(found)
    (rect,), (mark,) = values(drawn, "rect"), values(drawn, "rule")
    assert bar.brokers_at_low is not None
    assert bar.brokers_at_high is not None
    assert rect["x0"] / rect["x1"] == pytest.approx(bar.brokers_at_low / bar.brokers_at_high)
    assert mark["x0"] / rect["x1"] == pytest.approx((found.brokers.likely or 0) / bar.brokers_at_high)
    assert "load from" in tornados.tornado_alt(found)
    assert "64 worlds" in chances.chances_alt(found)


def test_progress_goes_up_to_all_worlds_and_may_end_the_work(shop: Scenario) -> None:
    told: list[tuple[int, int]] = []
    uncertainty(shop, worlds=64, load=(0.7, 1.6), progress=lambda done, total: told.append((done, total)))
    assert told == sorted(told)
    assert told[-1] == (64, 64)

    def stop(_done: int, _total: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        uncertainty(shop, worlds=64, load=(0.7, 1.6), progress=stop)


# Changes


def test_bytes_that_come_in_went_out_somewhere(shop: Scenario) -> None:
    found = reassign(shop, to_brokers=18)
    drawn = values(moves.moves_spec(found), "rect")
    into, out = (sum(row["x1"] for row in drawn if (row["paint"] == "#0072B2") == way) for way in (True, False))
    assert into == pytest.approx(out)
    assert moves.moves_alt(found).count("receives") == 18
    assert not moves.moves_note(found)


def test_of_many_brokers_the_busiest_are_drawn(shop: Scenario) -> None:
    found = reassign(shop, to_brokers=48)
    assert len([text for text in texts(moves.moves_spec(found)) if text.startswith("broker ")]) == 24
    assert "more are in the table" in moves.moves_note(found)


def test_half_of_the_keys_move_when_partitions_double(shop: Scenario) -> None:
    found = repartition(shop, "orders", 72)
    assert found.partitions_before == 36
    moved, stay, *_ = values(routes.keys_spec(found), "rect")
    assert moved["x1"] == pytest.approx(stay["x1"])
    assert "50.0% of the keys move" in routes.keys_alt(found)


def test_routes_are_as_long_as_they_take(shop: Scenario) -> None:
    found = repartition(shop, "orders", 72)
    spec = routes.routes_spec(found)
    ends = [row["x1"] for row in values(spec, "rect")]
    lasts = [route.duration_s or 0.0 for route in found.routes]
    assert [end / max(ends) for end in ends] == pytest.approx([time / max(lasts) for time in lasts])
    assert sum(text.startswith("● ") for text in texts(spec)) == 1
    assert routes.routes_alt(found).count(";") == 2


# Plans side by side, and offers


def test_plans_are_compared_figure_by_figure(shop: Scenario) -> None:
    found = compare([shop, load("preset:fintech")])
    first, second, *_ = values(compared.compared_spec(found), "rect")
    assert first["x1"] / second["x1"] == pytest.approx(15 / 9)
    assert "brokers: e-commerce events 15, payments and ledger 9" in compared.compared_alt(found)
    assert compared.compared_spec(compare([shop, shop]))["layer"] == []


def test_offers_stand_at_cost_and_headroom() -> None:
    found = search(load("preset:startup-10k-a-day"), sellers=["msk", "aws"])
    drawn = offers.offers_drawn(found)
    assert drawn[0] == found.best
    spec = offers.offers_spec(found, chosen=drawn[-1].type)
    targets = [row for row in values(spec, "rect") if "explain" in row]
    assert [row["explain"] for row in targets] == [row.type for row in drawn]
    order = sorted(drawn, key=lambda row: row.per_month or 0.0)
    places = {row["explain"]: row["x0"] for row in targets}
    assert [places[row.type] for row in order] == sorted(places.values())
    assert f"{len(drawn)} types" in offers.offers_alt(found)


def test_the_bill_is_bars_of_its_lines() -> None:
    found = search(load("preset:startup-10k-a-day"), sellers=["aws"]).plan
    assert found is not None
    assert found.cost is not None
    ends = [row["x1"] for row in values(offers.lines_spec(found.cost.lines), "rect")]
    amounts = sorted((line.per_month for line in found.cost.lines), reverse=True)
    assert [end / ends[0] for end in ends] == pytest.approx([amount / amounts[0] for amount in amounts])
    assert offers.lines_alt(found.cost.lines, "USD").startswith("USD a month: ")


@pytest.mark.parametrize(("dark", "narrow"), [(False, False), (True, True)])
def test_the_pictures_are_valid_vega_lite(shop: Scenario, grown: Growth, dark: bool, narrow: bool) -> None:
    lost = consumers(shop, outage_s=9 * 86_400)
    worlds = uncertainty(shop, worlds=16, load=(0.7, 1.6))
    change = repartition(shop, "orders", 72)
    found = search(load("preset:startup-10k-a-day"), sellers=["aws"])
    assert found.plan is not None
    assert found.plan.cost is not None
    for spec in (
        growths.timeline_spec(grown, dark=dark, narrow=narrow),
        growths.brokers_spec(grown, dark=dark, narrow=narrow),
        growths.money_spec(grown, dark=dark, narrow=narrow),
        recovery.recovery_spec(failure(shop), dark=dark, narrow=narrow, chosen=5e7),
        survivors.survivors_spec(failure(shop), dark=dark),
        durabilities.durability_spec(durability(shop), dark=dark, narrow=narrow),
        lag.groups_spec(lost, dark=dark, narrow=narrow),
        lag.group_spec(next(iter(lost.groups.values())), lost.outage_s, dark=dark, narrow=narrow),
        chances.chances_spec(worlds, dark=dark),
        tornados.tornado_spec(worlds, dark=dark),
        moves.moves_spec(reassign(shop, to_brokers=18), dark=dark),
        routes.keys_spec(change, dark=dark),
        routes.routes_spec(change, dark=dark),
        compared.compared_spec(compare([shop, load("preset:fintech")]), dark=dark),
        offers.offers_spec(found, dark=dark, narrow=narrow, chosen=found.rows[0].type),
        offers.lines_spec(found.plan.cost.lines, dark=dark),
    ):
        assert "nan" not in str([row for layer in spec["layer"] for row in layer["data"]["values"]])
        for layer in spec["layer"]:
            layer["data"]["values"] = layer["data"]["values"][:2]  # the schema looks at each of them for long
        alt.LayerChart.from_dict(spec, validate=True)
