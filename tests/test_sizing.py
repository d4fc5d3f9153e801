"""The search for the broker count, the simulated states, and the questions to a given cluster."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import planner
from planner.results import RESOURCES
from planner.scenario import Scenario, ScenarioError
from planner.sizing import simulate
from planner.sizing.compose import sizer_of
from planner.sizing.evaluate import mean_figures
from planner.sizing.search import Sizer
from planner.sizing.simulate import Layout, Loss, layout_of, lost_sets, place_topics, survivors
from planner.sizing.sized import size_at
from planner.sizing.workload import Workload
from tests.scenarios import scenario, topic


def sizer(*topics: dict[str, Any], **parts: Any) -> Sizer:
    return sizer_of(Workload(scenario(*topics, **parts)))[1]


# a plan takes tens of milliseconds, so failures are reported as found instead of shrunk for minutes
QUICK = settings(deadline=None, phases=(Phase.explicit, Phase.generate))

SMALL_MACHINE = {
    "vcpu": 8, "memory": "32GiB", "network_in": "1Gbit/s", "network_out": "1Gbit/s",
    "storage": {"capacity": "2TB", "throughput": "250MB/s", "iops": 3000},
}  # fmt: skip


def random_topics(seed: int, count: int, least_partitions: int = 1) -> list[dict[str, Any]]:
    """Topics of all sorts, from a seed, in plain Python."""
    generator = np.random.default_rng(seed)
    return [
        topic(
            name=f"t{index}",
            records_per_s=float(generator.integers(0, 30_000)),
            replication_factor=int(generator.integers(1, 4)),
            partitions=int(generator.integers(least_partitions, 60)),
            peak_ratio=float(generator.uniform(1, 4)),
            retention={"time": float(generator.integers(3600, 2 * 86400))},
            consumers=[{"group": f"g{g}", "members": 3} for g in range(int(generator.integers(0, 4)))],
        )
        for index in range(count)
    ]


# means and placements


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("loss", [Loss(), Loss(brokers=1), Loss(brokers=1, returned=True), Loss(zones=1)])
def test_closed_forms_equal_the_mean_over_every_loss(seed: int, loss: Loss) -> None:
    """The design's table of states, against adding up what every survivor does in every possible loss."""
    topics = [
        {**one, "replication_factor": 3, "partitions": 6 * (1 + index), "acks": "1"}
        for index, one in enumerate(random_topics(seed, 3))
    ]
    workload = Workload(scenario(*topics, cluster={"brokers": 6}))
    setting, _ = sizer_of(workload)
    load = size_at(workload, 6).load
    layout = layout_of(load.topics, load.classes, 6, setting.zones)
    totals = survivors(load.topics, load.classes, layout, loss, fetch_from_follower=False)
    out = totals.leader["copies"] + totals.leader["consume"] + totals.leader["other_out"]
    closed = mean_figures(load, setting, 6, loss)
    assert float(totals.replica["write"][totals.stayed].mean()) == pytest.approx(
        closed["network_in_bytes_per_s"], rel=1e-9
    )
    assert float(out[totals.stayed].mean()) == pytest.approx(closed["network_out_bytes_per_s"], rel=1e-9)
    assert float(totals.leader["leaders"][totals.stayed].mean()) == pytest.approx(closed["leaders"], rel=1e-9)


@settings(QUICK, max_examples=25)
@given(
    seed=st.integers(0, 10**6),
    brokers=st.integers(4, 13),
    zones=st.integers(1, 4),
    lost=st.integers(1, 2),
    kept=st.sampled_from([0, simulate._KEPT_CELLS]),
)
def test_survivors_agree_with_a_plain_loop(seed: int, brokers: int, zones: int, lost: int, kept: int) -> None:
    """Leaders, bytes and refused writes counted partition by partition, in plain Python; with many and few topics."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simulate, "_KEPT_CELLS", kept)
        check_survivors(seed, brokers, zones, lost)


def check_survivors(seed: int, brokers: int, zones: int, lost: int) -> None:
    workload = Workload(scenario(*random_topics(seed, 3), cluster={"brokers": brokers, "zones": zones}))
    load = size_at(workload, brokers).load
    layout = layout_of(load.topics, load.classes, brokers, zones)
    loss = Loss(brokers=lost)
    totals = survivors(load.topics, load.classes, layout, loss, fetch_from_follower=False)
    placement = place_topics(layout)
    dead = lost_sets(placement, loss)
    which, draw = seed % len(dead), seed % placement.seeds
    received, sent, leaders = np.zeros(brokers), np.zeros(brokers), np.zeros(brokers)
    refused = 0.0
    for group in placement.groups:
        for replicas, of_class, needed in zip(
            group.assignment[draw], group.partition_class, group.live_needed, strict=True
        ):
            one = int(load.classes.topic[of_class])
            bytes_in = load.topics.produce_in_bytes_per_s[one] * load.classes.share[of_class]
            read = load.topics.consumer_out_bytes_per_s[one] * load.classes.share[of_class]
            live = [int(broker) for broker in replicas if not dead[which][broker]]
            if live:
                leaders[live[0]] += 1
            if len(live) < needed:
                refused += bytes_in
                continue
            for broker in live:
                received[broker] += bytes_in
            sent[live[0]] += bytes_in * (len(live) - 1) + read
    alive = ~dead[which]
    out = totals.leader["copies"] + totals.leader["consume"] + totals.leader["other_out"]
    assert totals.replica["write"][which, draw][alive] == pytest.approx(received[alive], rel=1e-9, abs=1e-6)
    assert out[which, draw][alive] == pytest.approx(sent[alive], rel=1e-9, abs=1e-6)
    assert totals.leader["leaders"][which, draw][alive] == pytest.approx(leaders[alive])
    weight = (
        load.topics.produce_in_bytes_per_s[load.classes.topic.astype(int)] * load.classes.share * load.classes.count
    )
    assert float(totals.unwritable[which, draw] @ weight) == pytest.approx(refused, rel=1e-9, abs=1e-6)


@pytest.mark.parametrize("loss", [Loss(), Loss(brokers=2), Loss(brokers=1, returned=True), Loss(zones=1)])
def test_large_layouts_are_summed_to_the_same_loads(loss: Loss, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two ways to the same sums: counts by class times weights, and weights added up partition by partition."""
    workload = Workload(scenario(*random_topics(5, 6), cluster={"brokers": 6, "zones": 3}))
    load = size_at(workload, 6).load
    layout = layout_of(load.topics, load.classes, 6, 3)
    counted = survivors(load.topics, load.classes, layout, loss, fetch_from_follower=True)
    monkeypatch.setattr(simulate, "_KEPT_CELLS", 0)
    summed = survivors(load.topics, load.classes, layout, loss, fetch_from_follower=True)
    for one, other in ((counted.replica, summed.replica), (counted.leader, summed.leader)):
        assert one.keys() == other.keys()
        for key, values in one.items():
            np.testing.assert_allclose(values, other[key], rtol=1e-9, atol=1e-6, err_msg=key)
    np.testing.assert_allclose(counted.unwritable, summed.unwritable)
    np.testing.assert_allclose(counted.offline, summed.offline)


def test_lost_sets_enumerate_or_sample() -> None:
    placement = place_topics(Layout(8, 2, (16,), (3,), (2,), (0,), (16,)))
    assert len(lost_sets(placement, Loss(brokers=1))) == 8
    pairs = lost_sets(placement, Loss(brokers=2))
    assert {tuple(np.flatnonzero(row).tolist()) for row in pairs} == set(itertools.combinations(range(8), 2))
    many = lost_sets(placement, Loss(brokers=4))
    assert (many.sum(axis=1) == 4).all()
    assert len(many) == 64  # a sample of the 70 sets of four
    assert [tuple(np.flatnonzero(row).tolist()) for row in lost_sets(placement, Loss(zones=1))] == [
        (0, 1, 2, 3),
        (4, 5, 6, 7),
    ]
    assert not lost_sets(placement, Loss()).any()


# the search


@pytest.mark.parametrize("preset", [row.name for row in planner.presets()])
def test_the_planned_count_is_the_least(preset: str) -> None:
    """One step fewer fails, and so does every candidate below it; found by trying them all."""
    loaded = planner.load(f"preset:{preset}", sets=("cluster.brokers=null",))
    _, search = sizer_of(Workload(loaded))
    found = planner.plan(loaded).brokers
    assert found.required == found.count
    candidates = range(search.floor, found.count + 1, search.step)
    assert [search.holds(count) for count in candidates] == [False] * (len(candidates) - 1) + [True]


@pytest.mark.parametrize("seed", range(8))
def test_needed_is_the_least_count_for_each_resource_alone(seed: int) -> None:
    """Brute force over every candidate up to the answer; the search starts from a lower bound and skips."""
    search = sizer(*random_topics(seed, 5, 24), cluster={"broker": SMALL_MACHINE}, policy={"survive": {"zones": 1}})
    for resource in RESOURCES:
        if resource in {"replication", "recovery"}:
            continue
        least = search.least(resource)
        assert least is not None
        brute = next(count for count in itertools.count(search.floor, search.step) if search.holds(count, resource))
        assert least == brute, resource


def test_the_least_count_is_found_where_requests_bend_the_load() -> None:
    """Derived batches make CPU fall faster than 1/B at first; the search once stepped over the answer (15 for 13)."""
    keyed = {"batch": {}, "producers": 20, "consumers": []}
    events = topic(
        **keyed,
        name="events",
        records_per_s=20_000,
        peak_ratio=10,
        record={"key_bytes": 16, "value_bytes": 2000},
        cleanup="compact,delete",
        keys={"unique": 1_000_000, "zipf_exponent": 0},
        retention={"time": 3600},
        segment={"bytes": "1MiB"},
        transactions_per_s=100,
    )
    state = topic(
        **{**keyed, "consumers": [{"group": "g0", "members": 12, "records_per_s_per_member": 10_000}]},
        name="state",
        records_per_s=20_000,
        record={"key_bytes": 16, "value_bytes": 100},
        cleanup="compact",
        keys={"unique": 1_000_000, "zipf_exponent": 0.9},
        compaction={"min_dirty_ratio": 0.1, "tombstone_fraction": 0.1},
    )
    parts: dict[str, Any] = {
        "cluster": {"zones": 1, "tls": False, "replica_fetchers": 8},
        "policy": {"survive": {"brokers": 0}, "placement": "balanced"},
    }
    search = sizer(events, state, **parts)
    least = search.least()
    assert least is not None
    assert [search.holds(count) for count in range(search.floor, least)] == [False] * (least - search.floor)


def test_needs_name_count_raw_and_state() -> None:
    result = planner.plan(scenario(topic(records_per_s=50_000, partitions=60), cluster={"broker": SMALL_MACHINE}))
    for resource, need in result.brokers.needed.items():
        if resource == "recovery":
            assert need.count is None
            assert need.count_reason
            continue
        assert need.count is not None
        assert need.raw is not None
        assert need.raw <= need.count * (1 + 1e-9)
        assert need.state in {"healthy", "broker_down", "returned"}
    assert result.brokers.needed["replication"].count == 3
    assert result.brokers.binding is not None
    asked = max(need.count or 0 for need in result.brokers.needed.values())
    assert result.brokers.needed[result.brokers.binding.resource].count == asked == result.brokers.count


def test_binding_by_hand() -> None:
    """Disk: 50 MB/s kept for 7 days three times on 2 TB at 70 %: 65 brokers, in threes 66."""
    load = topic(records_per_s=50_000, record={"value_bytes": 1000}, batch={"records": 100}, partitions=660)
    result = planner.plan(scenario(load, cluster={"broker": {**SMALL_MACHINE, "vcpu": 64}}))
    wire = 1009 + 0.61  # null key; 61 bytes of header over 100 records
    raw = 50_000 * wire * 7 * 86400 * 3 / (0.7 * 2e12)
    assert result.brokers.binding is not None
    assert (result.brokers.binding.resource, result.brokers.binding.state) == ("disk_volume", "healthy")
    # segments and the fullest broker add a few percent to the bare product
    assert raw < (result.brokers.raw or 0) < raw * 1.05
    assert result.brokers.count == 3 * -(-int(result.brokers.raw or 0) // 3) or result.brokers.count % 3 == 0


def test_re_replication_needs_room_for_the_copies_on_the_survivors() -> None:
    policy = {"survive": {"brokers": 2, "after_loss": "re-replicate"}}
    result = planner.plan(scenario(topic(records_per_s=10), policy=policy))
    assert result.brokers.needed["replication"].count == 3 + 2
    assert result.states["reduced"].checked
    assert not result.states["returned"].checked


def test_multiple_of_zones() -> None:
    load = topic(records_per_s=12_000, partitions=60)
    inside = planner.plan(scenario(load)).brokers
    free = planner.plan(scenario(load, policy={"multiple_of_zones": False})).brokers
    assert inside.count % 3 == 0
    assert free.count <= inside.count


def test_a_given_count_keeps_its_number() -> None:
    few = planner.plan(scenario(cluster={"brokers": 3}))
    assert few.brokers.count == 3
    assert few.brokers.required == planner.plan(scenario()).brokers.count
    assert not few.feasible
    many = planner.plan(scenario(cluster={"brokers": 15}))
    assert many.feasible
    assert {verdict.verdict for verdict in many.verdicts} == {"spare"}


# properties


@settings(QUICK, max_examples=15)
@given(seed=st.integers(0, 10**6), order=st.permutations(range(4)))
def test_the_order_and_names_of_topics_change_nothing(seed: int, order: list[int]) -> None:
    topics = random_topics(seed, 4)
    shuffled = [{**topics[index], "name": f"other{index}"} for index in order]
    first, second = planner.plan(scenario(*topics)), planner.plan(scenario(*shuffled))
    assert first.brokers.count == second.brokers.count
    assert first.states["healthy"].fullest == pytest.approx(second.states["healthy"].fullest, rel=1e-9)
    assert list(second.topics) == [f"other{index}" for index in order]


@settings(QUICK, max_examples=15)
@given(seed=st.integers(0, 10**6), factor=st.floats(1.01, 3))
def test_more_load_never_needs_fewer_brokers(seed: int, factor: float) -> None:
    topics = random_topics(seed, 3, 24)
    more = [{**one, "records_per_s": one["records_per_s"] * factor} for one in topics]
    machine = {"broker": SMALL_MACHINE}
    before, after = (planner.plan(scenario(*load, cluster=machine)).brokers.required for load in (topics, more))
    assert before is not None
    assert after is None or after >= before


@settings(QUICK, max_examples=15)
@given(seed=st.integers(0, 10**6), brokers=st.sampled_from([6, 9, 12]))
def test_flows_are_conserved(seed: int, brokers: int) -> None:
    """What all brokers receive is what producers send, times the copies; what leaders send, followers receive."""
    result = planner.plan(scenario(*random_topics(seed, 4), cluster={"brokers": brokers}))
    healthy, cluster = result.states["healthy"].per_broker, result.cluster
    assert healthy is not None
    assert healthy["network_in_bytes_per_s"] * brokers == pytest.approx(cluster.network_in_bytes_per_s, rel=1e-9)
    assert healthy["network_out_bytes_per_s"] * brokers == pytest.approx(cluster.network_out_bytes_per_s, rel=1e-9)
    assert cluster.follower_in_bytes_per_s == cluster.follower_out_bytes_per_s
    assert healthy["leaders"] * brokers == pytest.approx(cluster.partitions)
    assert healthy["replicas"] * brokers == pytest.approx(cluster.replicas + cluster.internal_replicas)


@settings(QUICK, max_examples=10)
@given(seed=st.integers(0, 10**6))
def test_reverse_and_plan_agree(seed: int) -> None:
    """At the largest load factor the cluster holds; a little above it, it does not."""
    base = scenario(*random_topics(seed, 3), cluster={"brokers": 6, "broker": SMALL_MACHINE})
    factor = planner.reverse(base).max_load_factor
    assert factor is not None

    def holds(times: float) -> bool:
        workload = Workload(base).scaled(times)
        return sizer_of(workload)[1].holds(6)

    assert holds(factor * (1 - 1e-6))
    assert not holds(factor * (1 + 1e-5))


# check, reverse, compare


def test_check_shows_every_state_with_its_margin() -> None:
    checked = planner.check(scenario(cluster={"brokers": 12}))
    body = checked.to_dict()
    assert body["holds"] is True
    states = {row["state"] for row in body["margins"]}
    assert {"healthy", "broker_down", "zone_down", "returned", "reduced", "recovering"} == states
    assert {row["state"] for row in body["margins"] if not row["checked"]} == {"zone_down", "reduced"}
    for row in body["margins"]:
        assert row["margin"] == pytest.approx(row["threshold"] - row["utilisation"])
    assert body["brokers"]["count"] == 12
    assert not planner.check(scenario(cluster={"brokers": 3})).holds
    assert len(checked.to_frame()) == len(checked.margins)


def test_check_needs_a_count() -> None:
    with pytest.raises(ScenarioError) as caught:
        planner.check(scenario())
    assert caught.value.errors[0].path == "cluster.brokers"


def test_reverse_retention_by_hand() -> None:
    """Retention that fills 70 % of the fullest disk: kept bytes grow by rate x time, the rest stays."""
    base = scenario(topic(partitions=60), cluster={"brokers": 6, "broker": SMALL_MACHINE})
    result = planner.reverse(base)
    assert result.max_retention_s is not None
    limit = scenario(
        topic(partitions=60, retention={"time": result.max_retention_s * (1 - 1e-6)}),
        cluster={"brokers": 6, "broker": SMALL_MACHINE},
    )
    used = next(
        v.utilisation for v in planner.plan(limit).verdicts if (v.resource, v.state) == ("disk_volume", "healthy")
    )
    assert used == pytest.approx(0.7, rel=1e-5)
    # 6 x 2 TB x 70 % over 3 x 10.3 MB/s is 272,858 s; sixty open segments a copy take about a quarter of it
    assert 0.6 * 272_858 < result.max_retention_s < 272_858


def test_reverse_of_a_topic_without_time_limit_has_no_retention() -> None:
    compacted = topic(cleanup="compact", keys={"unique": 1000}, records_per_s=10)
    result = planner.reverse(scenario(compacted))
    assert result.max_retention_s is None
    assert result.max_retention_s_reason
    assert result.to_dict()["max_load_factor"] == result.max_load_factor
    assert len(result.to_frame()) == len(result.limits)


def test_reverse_of_an_overfull_cluster_is_below_one() -> None:
    factor = planner.reverse(scenario(cluster={"brokers": 3})).max_load_factor
    assert factor is not None
    assert 0 < factor < 1


def test_compare_lists_only_what_differs() -> None:
    def named(name: str, **changes: Any) -> Scenario:
        return planner.load({"name": name, "topics": [topic(**changes)]})

    result = planner.compare([named("a"), named("b", retention={"time": 3 * 86400})])
    assert result.names == ("a", "b")
    assert {row.path for row in result.inputs} == {"name", "topics.events.retention.time"}
    figures = {row.path: row.values for row in result.figures}
    assert figures["brokers.count"][1] < figures["brokers.count"][0]
    assert "cluster.produce_in_bytes_per_s" not in figures
    assert set(result.to_dict()) == {"names", "inputs", "figures"}
    assert len(result.to_frame()) == len(result.inputs) + len(result.figures)
    assert planner.compare([named("a"), named("a")]).figures == ()
