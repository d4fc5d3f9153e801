"""The flow, the ladder, the skew and the costs: what is drawn is what the results say."""

from __future__ import annotations

from typing import Any

import altair as alt
import pytest

from planner import Plan, codec, load, partitions, plan, recommend
from planner.reports.pictures.flow import COLOURS, flow_alt, flow_spec, flow_states, flow_table, flows
from planner.reports.pictures.ladder import ladder_alt, ladder_spec, ladder_table
from planner.reports.pictures.messaging_costs import cost_alt, cost_spec
from planner.reports.pictures.skew import skew_alt, skew_rows, skew_spec, skew_table

PRESETS = [preset.name for preset in codec.presets()]


@pytest.fixture(scope="module")
def shop() -> Plan:
    return plan(load("preset:ecommerce"))


def values(spec: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [row for layer in spec["layer"] if layer["mark"]["type"] == kind for row in layer["data"]["values"]]


# The flow


@pytest.mark.parametrize("name", PRESETS)
def test_healthy_flows_add_up_to_the_network_of_the_brokers(name: str) -> None:
    found = plan(load(f"preset:{name}"))
    rates = {row.name: row.bytes_per_s for row in flows(found)}
    per_broker = found.states["healthy"].per_broker or {}
    sent = sum(rate for row, rate in rates.items() if row != "produce")
    assert rates["produce"] + rates.get("replicate", 0) == pytest.approx(
        per_broker["network_in_bytes_per_s"] * found.brokers.count
    )
    assert sent == pytest.approx(per_broker["network_out_bytes_per_s"] * found.brokers.count)


@pytest.mark.parametrize("name", PRESETS)
def test_in_every_state_what_flows_is_what_the_survivors_carry(name: str) -> None:
    found = plan(load(f"preset:{name}"))
    for state in flow_states(found):
        if state == "recovering":
            continue
        load_of = found.states[state]
        rates = {row.name: row.bytes_per_s for row in flows(found, state)}
        live = found.brokers.count - load_of.brokers_down
        per_broker = load_of.per_broker or {}
        assert rates["produce"] + rates.get("replicate", 0) == pytest.approx(
            per_broker["network_in_bytes_per_s"] * live
        )


def test_a_dead_broker_takes_its_copies_with_it(shop: Plan) -> None:
    # 15 brokers, each with as many copies: a fifteenth of the 3 x 94.6 MB/s is not copied, producers keep their rate
    produced = shop.cluster.produce_in_bytes_per_s
    rates = {row.name: row.bytes_per_s for row in flows(shop, "broker_down")}
    assert rates["produce"] == pytest.approx(produced)
    assert rates["replicate"] == pytest.approx(produced * 3 * 14 / 15 - produced)
    assert rates["consume"] == pytest.approx(shop.cluster.consumer_out_bytes_per_s)
    refilled = {row.name: row.bytes_per_s for row in flows(shop, "recovering")}
    assert refilled["refill"] == shop.states["recovering"].rate_bytes_per_s


def test_bands_are_as_thick_as_their_bytes(shop: Plan) -> None:
    found = flows(shop)
    spec = flow_spec(found)
    thick: dict[str, dict[str, float]] = {}
    for point in values(spec, "area"):
        name = point["band"].removesuffix(" across zones")
        thick.setdefault(name, {}).setdefault(point["band"], point["y1"] - point["y0"])
    pixels = {name: sum(parts.values()) for name, parts in thick.items()}
    scale = pixels["produce"] / shop.cluster.produce_in_bytes_per_s
    for row in found:
        assert pixels[row.name] == pytest.approx(row.bytes_per_s * scale)
    # three zones: a producer and its leader are in the same one in a third of all cases
    assert thick["produce"]["produce across zones"] == pytest.approx(pixels["produce"] * 2 / 3)


def test_a_failure_stands_before_the_healthy_state(shop: Plan) -> None:
    spec = flow_spec(flows(shop, "broker_down"), flows(shop))
    bands = {row["band"] for row in values(spec, "area")}
    assert {"before replicate", "replicate"} <= bands
    assert "replicate across zones" not in bands
    assert "not known" in {
        row["across"] for row in values(flow_spec(flows(shop, "broker_down")), "rect") if "said" in row
    }


def test_the_flow_says_itself_in_words(shop: Plan) -> None:
    assert flow_alt(flows(shop)).startswith("Bytes per second at peak, healthy: producers to leaders 94.6 MB/s")
    assert "all across zones" in flow_alt(flows(shop))
    assert ("producers", "leaders", "94.6 MB/s", "63.1 MB/s") in flow_table(flows(shop)).rows
    assert flow_table(flows(shop, "zone_down"), "zone_down").notes


def test_an_idle_cluster_has_a_flow_without_bytes() -> None:
    idle = plan(load("topics: [{name: a, records_per_s: 0}]\n"))
    found = flows(idle)
    assert [(row.name, row.bytes_per_s) for row in found] == [("produce", 0.0)]
    assert flow_spec(found)["height"] > 0


def test_a_state_that_cannot_occur_has_no_flow() -> None:
    alone = plan(
        load("topics: [{name: a, records_per_s: 1, replication_factor: 1}]\ncluster: {zones: 1, brokers: 1}\n")
    )
    assert "broker_down" not in flow_states(alone)
    with pytest.raises(ValueError, match="broker_down"):
        flows(alone, "broker_down")


# The ladder and the skew


def test_the_ladder_shows_rungs_reasons_and_members(shop: Plan) -> None:
    found = partitions(shop.scenario, topic="clickstream").topics["clickstream"]
    spec = ladder_spec(found, [12, 24])
    ends = sorted({row["x1"] for row in values(spec, "rule") if row["y0"] == row["y1"] and row["x0"] == 0})
    assert ends == [rung.partitions for rung in found.ladder]
    assert {row["x0"] for row in values(spec, "rule") if row["y0"] != row["y1"]} == {12, 24}
    # 60 = 2 * 2 * 3 * 5 has (2 + 1)(1 + 1)(1 + 1) divisors
    (place,) = {row["y0"] for row in values(spec, "rule") if row["x1"] == 60 and row["x0"] == 0}
    assert len([row for row in values(spec, "point") if row["y0"] == place]) == 12
    bars = [row["x1"] for row in values(spec, "rect")]
    assert bars == sorted((count for count in found.reasons.values() if count), reverse=True)
    texts = [row["text"] for row in values(spec, "text")]
    assert "54, decides" in texts
    assert "60, planned" in texts
    assert texts.count("▲ too few") == 2


def test_the_ladder_says_itself_in_words(shop: Plan) -> None:
    found = partitions(shop.scenario, topic="clickstream").topics["clickstream"]
    text = ladder_alt(found, [24])
    assert text.startswith("60 partitions planned.")
    assert "parallelism 54" in text
    assert "Members of the groups: 24." in text
    rows = ladder_table("clickstream", found).rows
    assert ("at least 54", "because of parallelism", "", "") in rows


def test_skew_bars_end_at_their_shares(shop: Plan) -> None:
    found = partitions(shop.scenario, topic="orders").topics["orders"].skew
    bars = values(skew_spec(found), "rect")
    rows = skew_rows(found)
    assert len(rows) == 3
    for bar, (_, share) in zip(bars, rows, strict=True):
        assert bar["x1"] / bars[0]["x1"] == pytest.approx(share / rows[0][1])
    (mark,) = values(skew_spec(found), "rule")
    assert mark["x0"] / bars[0]["x1"] == pytest.approx(found.even_fraction / found.hottest_fraction)
    assert "even share" in skew_alt(found)
    assert skew_table("orders", found).rows[0] == ("an even share", "2.78%", "1.00")


def test_given_keys_show_their_fullest_partitions(shop: Plan) -> None:
    keys = {str(index).encode(): 1.0 for index in range(100)}
    found = partitions(shop.scenario, topic="orders", keys=keys).topics["orders"].skew
    assert skew_rows(found)[0][0].startswith("partition ")


# Costs


def test_costs_are_bars_of_one_scale_with_people_apart() -> None:
    found = recommend(load("preset:ecommerce")).cost
    bars = values(cost_spec(found), "rect")
    amounts = [amount or 0.0 for row in found for amount in (row.infrastructure_per_month, row.people_per_month)]
    assert len(bars) == 2 * len(found)
    for bar, amount in zip(bars, amounts, strict=True):
        assert bar["x1"] / max(bar["x1"] for bar in bars) == pytest.approx(amount / max(amounts))
    assert "people" in cost_alt(found)


@pytest.mark.parametrize("dark", [False, True])
def test_the_pictures_are_valid_vega_lite(shop: Plan, dark: bool) -> None:
    topic = partitions(shop.scenario, topic="orders").topics["orders"]
    for spec in (
        flow_spec(flows(shop, "recovering"), flows(shop), dark=dark, narrow=dark),
        ladder_spec(topic, [12], dark=dark),
        skew_spec(topic.skew, dark=dark),
        cost_spec(recommend(shop.scenario).cost, dark=dark),
    ):
        for layer in spec["layer"]:
            layer["data"]["values"] = layer["data"]["values"][:2]  # the schema looks at each of them for long
        alt.LayerChart.from_dict(spec, validate=True)


def test_each_flow_has_a_colour_of_its_own() -> None:
    assert len(set(COLOURS.values())) == len(COLOURS)
