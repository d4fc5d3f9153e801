"""The plan as a whole: against hand arithmetic, a real cluster's measurements, and its own contract."""

from __future__ import annotations

import importlib
import json
import math
from typing import Any

import numpy as np
import pytest

import planner
from planner.results import RESOURCES, STATES, ExplainError, Plan
from planner.scenario import ScenarioError
from planner.sizing.evaluate import FIGURES
from planner.trace import registry
from tests.scenarios import scenario, topic

PRESETS = [row.name for row in planner.presets()]

# one record of BASE: 1 attributes, 1 timestamp, 1 offset, 1 + 16 key, 2 + 1000 value, 1 headers, 2 length
RECORD_BYTES = 1 + 1 + 1 + (1 + 16) + (2 + 1000) + 1 + 2
WIRE_BYTES = RECORD_BYTES + 61 / 50
PRODUCE = 10_000 * WIRE_BYTES


@pytest.fixture(scope="module", params=PRESETS)
def preset_plan(request: pytest.FixtureRequest) -> Plan:
    return planner.plan(planner.load(f"preset:{request.param}"))


# hand arithmetic


def test_flows_of_one_topic_by_hand() -> None:
    cluster = planner.plan(scenario()).cluster
    assert cluster.produce_in_bytes_per_s == pytest.approx(PRODUCE, rel=1e-12)
    assert cluster.follower_in_bytes_per_s == pytest.approx(2 * PRODUCE, rel=1e-12)
    assert cluster.network_in_bytes_per_s == pytest.approx(3 * PRODUCE, rel=1e-12)
    assert cluster.network_out_bytes_per_s == pytest.approx((2 + 1) * PRODUCE, rel=1e-12)
    # 2/3 of produce and consume, and both follower copies, cross the border of three zones
    assert cluster.cross_zone_bytes_per_s == pytest.approx((2 / 3 + 2 + 2 / 3) * PRODUCE, rel=1e-12)


def test_stored_bytes_by_hand() -> None:
    """Seven days, plus half a check interval and half a segment on average, plus what waits 60 s; RF 3."""
    result = planner.plan(scenario(topic(partitions=9)))
    rate = PRODUCE / 9
    segment = 2**30
    # one 20-byte index entry pair per batch (a batch is larger than the 4096-byte interval)
    index = 20 / (WIRE_BYTES * 50)
    mean = (rate * (7 * 86400 + 150) + segment / 2 + rate * 60) * (1 + index) + 9750
    most = (rate * (7 * 86400 + 300) + segment + rate * 60) * (1 + index) + 9750
    assert result.cluster.disk_bytes == pytest.approx(27 * mean, rel=1e-9)
    assert result.cluster.disk_bytes_worst == pytest.approx(27 * most, rel=1e-9)


def test_retention_shorter_than_the_peak_is_kept_at_the_peak_rate() -> None:
    short = topic(
        partitions=9, peak_ratio=5, peak_duration="4h", retention={"time": "30min"}, segment={"bytes": "1MiB"}
    )
    result = planner.plan(scenario(short))
    kept = 5 * PRODUCE * 1800 * 3
    assert kept < result.cluster.disk_bytes < kept * 1.2  # a half interval of 300 s on 1800 s is 8 %


def test_compacted_topic_keeps_its_keys_however_long_it_runs() -> None:
    """Twice the keys double the clean part; twice the updates do not."""
    compacted = {
        "cleanup": "compact",
        "record": {"key_bytes": 16, "value_bytes": 1000},
        "segment": {"bytes": "16MiB"},
        "partitions": 6,
    }
    few, busy, many = (
        planner.plan(scenario(topic(**compacted, records_per_s=rate, keys={"unique": keys, "zipf_exponent": 0})))
        for rate, keys in ((100, 1_000_000), (200, 1_000_000), (100, 2_000_000))
    )
    assert busy.cluster.disk_bytes == pytest.approx(few.cluster.disk_bytes, rel=0.02)
    assert many.cluster.disk_bytes == pytest.approx(2 * few.cluster.disk_bytes, rel=0.05)
    # clean, as much dirty again at ratio 0.5, and the old clean part waiting to be unlinked; a few segments a replica
    clean, segments = 1_000_000 * RECORD_BYTES * 3, 18 * 3 * 2**24
    assert clean < few.cluster.disk_bytes < few.cluster.disk_bytes_worst < 3 * clean * 1.01 + segments


def test_growth_sizes_for_the_horizon() -> None:
    now = planner.plan(scenario(topic(partitions=12)))
    later = planner.plan(scenario(topic(partitions=12), policy={"growth_per_year": 0.5, "horizon": "2y"}))
    assert later.cluster.produce_in_bytes_per_s == pytest.approx(2.25 * now.cluster.produce_in_bytes_per_s, rel=1e-12)


def test_peaks_that_do_not_coincide_never_fall_below_the_average() -> None:
    peaky = topic(peak_ratio=1.5)
    apart = planner.plan(scenario(peaky, policy={"peak_coincidence": 0.2}))
    assert apart.cluster.produce_in_bytes_per_s == pytest.approx(PRODUCE, rel=1e-12)
    together = planner.plan(scenario(peaky))
    assert together.cluster.produce_in_bytes_per_s == pytest.approx(1.5 * PRODUCE, rel=1e-12)


def test_tier_and_mirror_leave_through_the_leaders_once() -> None:
    result = planner.plan(
        scenario(
            topic(tiered={"local_time": "6h"}),
            cluster={"mirror": [{"to": "west", "topics": ["events"]}, {"to": "east"}]},
        )
    ).cluster
    assert result.tier_out_bytes_per_s == pytest.approx(PRODUCE, rel=1e-12)
    assert result.mirror_out_bytes_per_s == pytest.approx(2 * PRODUCE, rel=1e-12)
    assert result.remote_bytes == pytest.approx(PRODUCE * 7 * 86400, rel=1e-9)
    assert result.disk_bytes < 3 * PRODUCE * 7 * 3600  # six local hours and the open segments


def test_transactions_write_markers() -> None:
    """Records without a key gather on one partition, so a transaction has one marker."""
    keyless = {"record": {"value_bytes": 1000}}
    plain = planner.plan(scenario(topic(**keyless))).cluster.produce_in_bytes_per_s
    marked = planner.plan(scenario(topic(**keyless, transactions_per_s=100))).cluster
    assert marked.produce_in_bytes_per_s == pytest.approx(plain + 100 * 78, rel=1e-12)
    # a peak of three times the records is one of three times the transactions
    base, high = (
        planner.plan(scenario(topic(**keyless, peak_ratio=3, transactions_per_s=rate))).cluster.produce_in_bytes_per_s
        for rate in (0, 100)
    )
    assert high == pytest.approx(base + 3 * 100 * 78, rel=1e-12)
    assert marked.internal_replicas == 300  # __consumer_offsets and __transaction_state, 50 x 3 each


def test_a_transaction_marks_every_partition_it_touches() -> None:
    """Two keyed records on two partitions: both on one half the time, so 1.5 markers; with many records both."""
    keyed = {"record": {"key_bytes": 8, "value_bytes": 100}, "partitions": 2, "records_per_s": 2000}
    for transactions, touched in ((1000, 1.5), (2000, 1.0), (20, 2.0)):
        plain, marked = (
            planner.plan(scenario(topic(**keyed, transactions_per_s=rate))).cluster.produce_in_bytes_per_s
            for rate in (0, transactions)
        )
        assert marked == pytest.approx(plain + transactions * touched * 78, rel=1e-9)
    free = planner.plan(scenario(topic(**{**keyed, "partitions": None}, transactions_per_s=20)))
    count = free.topics["events"].partitions
    assert float(free.trace.steps["topics.partitions_touched"].value[0]) == pytest.approx(
        count * (1 - (1 - 1 / count) ** 100)
    )


# a real cluster (Kafka 4.3.0, four brokers, no racks; real_kafka_measured: runs A, B, D)

MEASURED = [
    # fan-out, wire MB/s, state, figure, measured MB/s per broker
    (2, 4.064, "healthy", "network_in_bytes_per_s", 3.049),
    (1.891, 4.064, "healthy", "network_out_bytes_per_s", 3.953),
    (1, 4.067, "broker_down", "network_in_bytes_per_s", 3.049),
    (1, 4.067, "broker_down", "network_out_bytes_per_s", 3.050),
    (2, 4.2107, "broker_down", "network_in_bytes_per_s", 3.162),
    (2, 4.2107, "broker_down", "network_out_bytes_per_s", 4.568),
    (1, 4.063, "returned", "network_in_bytes_per_s", 3.047),
    (1, 4.063, "returned", "network_out_bytes_per_s", 4.064),
    (2, 4.067, "reduced", "network_in_bytes_per_s", 4.066),
    (2, 4.067, "reduced", "network_out_bytes_per_s", 5.420),
]


@pytest.mark.parametrize(("fan_out", "produced", "state", "figure", "measured"), MEASURED)
def test_means_agree_with_a_real_cluster(
    fan_out: float, produced: float, state: str, figure: str, measured: float
) -> None:
    """Within 0.4 %, the agreement that the measurement report states."""
    wire = (61 + 8.46 * 1009) / 8.46
    load = topic(
        record={"value_bytes": 1000},
        batch={"records": 8.46},
        records_per_s=produced * 1e6 / wire,
        partitions=24,
        consumers=[{"group": "readers", "members": 1, "read_fraction": fan_out}],
    )
    result = planner.plan(scenario(load, cluster={"zones": 1, "brokers": 4}))
    shown = result.states[state].per_broker
    assert shown is not None
    assert shown[figure] / 1e6 == pytest.approx(measured, rel=0.004)


def drain(leaders: list[float], linger_s: float) -> tuple[float, float]:
    """Records per batch and requests per second of 1000 keyed records/s, broker by broker, in plain Python."""
    batches = requests = 0.0
    for led in leaders:
        rate = 1000 * led / sum(leaders)
        gathered = 1 + rate * linger_s
        requests += rate / gathered
        batches += rate / gathered * led * (1 - (1 - 1 / led) ** gathered)
    return 1000 / batches, requests


# real_kafka_measured G: 1000 B, one producer, four brokers; partitions, linger, the report's batch and requests, and
# the leaders per broker that give them (placements that Kafka's placer allows)
DRAIN = [
    (24, 0.05, 2.46, 72.2, [2, 10, 6, 6]),
    (24, 0.02, 1.50, 158.9, [2, 10, 6, 6]),
    (6, 0.05, 8.83, 56.0, [3, 2, 1]),
    (6, 0.005, 1.60, 360, [3, 2, 1]),
]


@pytest.mark.parametrize(("partitions", "linger_s", "batch", "requests", "leaders"), DRAIN)
def test_derived_batches_follow_the_per_node_drain(
    *, partitions: int, linger_s: float, batch: float, requests: float, leaders: list[float]
) -> None:
    """The report's figures come from its uneven leaders; the plan takes even ones, which gives the most requests."""
    assert list(drain(leaders, linger_s)) == pytest.approx([batch, requests], rel=0.01)
    load = topic(
        records_per_s=1000,
        record={"key_bytes": 8, "value_bytes": 1000},
        batch={"linger": linger_s},
        producers=1,
        partitions=partitions,
    )
    result = planner.plan(scenario(load, cluster={"brokers": 4, "zones": 1})).topics["events"]
    even_batch, even_requests = drain([partitions / 4] * 4, linger_s)
    assert result.batch_records == pytest.approx(even_batch, rel=1e-9)
    assert result.produce_requests_per_s == pytest.approx(even_requests, rel=1e-9)
    assert result.produce_requests_per_s >= requests


@pytest.mark.parametrize(("linger", "batch", "measured"), [("5ms", 6, 5.61), ("50ms", 16, 13.9)])
def test_null_keys_fill_one_batch_at_a_time(linger: str, batch: float, measured: float) -> None:
    """Report G: 6.00 and 16 predicted (batch.size holds 16 records of 1009 B), 7 and 15 % below that measured."""
    load = topic(records_per_s=1000, record={"value_bytes": 1000}, batch={"linger": linger}, producers=1, partitions=24)
    result = planner.plan(scenario(load, cluster={"brokers": 4, "zones": 1})).topics["events"]
    assert result.batch_records == pytest.approx(batch, rel=1e-9)
    assert result.batch_records == pytest.approx(measured, rel=0.16)


# edge cases


def test_replication_factor_1_has_no_follower_traffic_and_cannot_lose_a_broker() -> None:
    single = topic(replication_factor=1, partitions=6)
    result = planner.plan(scenario(single, cluster={"brokers": 6}))
    assert result.cluster.follower_in_bytes_per_s == 0
    assert not result.feasible
    down = result.states["broker_down"]
    # six partitions on six brokers: losing one takes a sixth of them, and its writes
    assert down.unwritable == {"events": pytest.approx(1 / 6)}
    assert down.offline == {"events": pytest.approx(1 / 6)}
    assert down.refused_bytes_per_s == pytest.approx(PRODUCE / 6, rel=1e-9)
    assert planner.plan(scenario(single, cluster={"brokers": 6}, policy={"survive": {"brokers": 0}})).feasible


def test_nobody_reads() -> None:
    result = planner.plan(scenario(topic(consumers=[])))
    assert result.cluster.consumer_out_bytes_per_s == 0
    assert result.cluster.network_out_bytes_per_s == pytest.approx(2 * PRODUCE, rel=1e-12)
    assert result.cluster.internal_replicas == 0
    down = result.states["broker_down"].per_broker
    count = result.brokers.count
    assert down is not None
    # W RF/B - W/(B-1): positive, because the live leaders still feed their live followers
    assert down["network_out_bytes_per_s"] == pytest.approx(PRODUCE * (3 / count - 1 / (count - 1)), rel=1e-9)


@pytest.mark.parametrize("acks", ["0", "1"])
def test_acks_below_all_stay_writable_while_one_replica_lives(acks: str) -> None:
    two_lost = {"survive": {"brokers": 2}}
    assert planner.plan(scenario(topic(acks=acks), policy=two_lost)).states["broker_down"].unwritable == {}
    assert planner.plan(scenario(topic(), policy=two_lost)).states["broker_down"].unwritable != {}


def test_as_many_brokers_lost_as_there_are_copies() -> None:
    result = planner.plan(
        scenario(topic(partitions=24), cluster={"brokers": 4, "zones": 1}, policy={"survive": {"brokers": 3}})
    )
    down = result.states["broker_down"]
    assert not result.feasible
    assert down.unwritable == {"events": 1.0}  # one live broker cannot hold two in-sync replicas
    assert 0 < down.offline["events"] < 1
    assert down.refused_bytes_per_s == pytest.approx(PRODUCE, rel=1e-9)
    assert down.fullest is not None
    assert down.fullest["network_in_bytes_per_s"] == 0


def test_half_of_the_partitions_are_unwritable_when_two_of_four_brokers_die() -> None:
    """A real cluster: 12 of 24; over other topics 2 to 22, so the worst pair lies above one half."""
    result = planner.plan(
        scenario(topic(partitions=24), cluster={"brokers": 4, "zones": 1}, policy={"survive": {"brokers": 2}})
    )
    assert 0.5 <= result.states["broker_down"].unwritable["events"] <= 22 / 24


def test_unequal_zones_fill_the_small_one() -> None:
    """Five brokers in three zones: the lone broker of its zone holds a replica of every partition."""
    result = planner.plan(scenario(topic(partitions=60), cluster={"brokers": 5}))
    healthy = result.states["healthy"]
    assert healthy.per_broker is not None
    assert healthy.fullest is not None
    assert healthy.fullest["network_in_bytes_per_s"] == pytest.approx(PRODUCE, rel=1e-9)
    assert healthy.per_broker["network_in_bytes_per_s"] == pytest.approx(PRODUCE * 3 / 5, rel=1e-9)
    assert "unequal_zones" in {finding.code for finding in result.findings}


@pytest.mark.parametrize("batch", [{"records": 50}, {}])
def test_idle_topics_cost_nothing_but_their_files(batch: dict[str, Any]) -> None:
    result = planner.plan(scenario(topic(records_per_s=0, batch=batch, partitions=12)))
    for state in ("healthy", "broker_down", "returned"):
        load = result.states[state].fullest
        assert load is not None
        for figure in ("network_in_bytes_per_s", "network_out_bytes_per_s", "disk_write_bytes_per_s", "disk_iops"):
            assert load[figure] == 0
    assert result.cluster.disk_bytes == 12 * 3 * 9750
    assert result.cluster.produce_requests_per_s == 0


def test_losing_a_zone_of_two_stops_writes_at_min_insync_2() -> None:
    result = planner.plan(
        scenario(topic(partitions=24), cluster={"zones": 2, "brokers": 6}, policy={"survive": {"zones": 1}})
    )
    # three replicas over two zones: one zone holds two of them for half of the partitions, either way round
    assert result.states["zone_down"].unwritable == {"events": pytest.approx(0.5)}
    assert not result.feasible


def test_a_single_broker_states_what_does_not_apply() -> None:
    alone = scenario(
        topic(replication_factor=1, records_per_s=10),
        cluster={"zones": 1, "brokers": 1},
        policy={"survive": {"brokers": 0}},
    )
    result = planner.plan(alone)
    assert result.feasible
    for state in ("broker_down", "zone_down", "returned", "recovering", "reduced"):
        assert result.states[state].per_broker is None
        assert result.states[state].reason
    assert result.recovery.broker_refill_s is None
    assert result.recovery.broker_refill_s_reason


def test_one_partition_too_large_for_any_broker_is_infeasible_and_says_so() -> None:
    result = planner.plan(scenario(topic(records_per_s=1e7, partitions=3)))
    assert result.brokers.required is None
    assert not result.feasible
    assert "partition" in str(result.brokers.required_reason)


def test_no_topics_is_an_error() -> None:
    with pytest.raises(ScenarioError, match="no topics"):
        planner.plan(planner.load({"questions": {"replay": True}}))


# recovery


def test_refill_by_hand_under_a_throttle() -> None:
    """Own writes are inside the throttle: bytes / (throttle - W RF/B)."""
    result = planner.plan(scenario(topic(partitions=60), cluster={"brokers": 6, "replication_throttle": "50MB/s"}))
    own = PRODUCE * 3 / 6
    assert result.recovery.limited_by == "throttle"
    assert result.recovery.rate_bytes_per_s == pytest.approx(50e6 - own, rel=1e-6)
    assert result.recovery.broker_refill_s == pytest.approx(
        result.recovery.broker_refill_bytes / (50e6 - own), rel=1e-6
    )


def test_a_throttle_below_the_own_writes_never_finishes() -> None:
    result = planner.plan(scenario(topic(partitions=60), cluster={"brokers": 6, "replication_throttle": "5MB/s"}))
    assert result.recovery.broker_refill_s is None
    assert "never" in str(result.recovery.broker_refill_s_reason)


def test_recovery_time_asks_for_brokers() -> None:
    slow = planner.plan(scenario(topic(partitions=60), policy={"recovery_time_max": "10min"}))
    need = slow.brokers.needed["recovery"]
    assert need.count is not None
    assert slow.brokers.count >= need.count
    assert slow.recovery.broker_refill_s is not None
    assert slow.recovery.broker_refill_s <= 600 * (1 + 1e-9)
    one_less = planner.plan(
        scenario(topic(partitions=60), cluster={"brokers": need.count - 3}, policy={"recovery_time_max": "10min"})
    )
    assert any(v.resource == "recovery" and v.verdict == "short" for v in one_less.verdicts)


# CPU calibration


def test_calibration_makes_the_model_meet_the_measured_point() -> None:
    """Feed the plan's own load back as a measurement at another CPU share: the plan then shows that share."""
    plain = planner.plan(scenario(topic(partitions=60), cluster={"brokers": 6, "tls": False}))
    mean = plain.states["healthy"].per_broker
    assert mean is not None
    served = mean["network_overhead_in_bytes_per_s"] / 250 * 6
    point = {
        "wire_in_bytes_per_s": plain.cluster.produce_in_bytes_per_s + mean["network_overhead_in_bytes_per_s"] * 2,
        "wire_out_bytes_per_s": plain.cluster.consumer_out_bytes_per_s + mean["network_overhead_out_bytes_per_s"] * 2,
        "requests_per_s": served,
        "cpu_fraction": 0.33,
        "brokers": 6,
    }
    measured = planner.plan(scenario(topic(partitions=60), cluster={"brokers": 6, "tls": False, "calibration": point}))
    shown = measured.states["healthy"].per_broker
    assert shown is not None
    assert shown["cpu_fraction"] == pytest.approx(0.33, rel=0.02)  # protocol bytes are spread a little differently


# fetch from followers


def test_members_in_one_zone_read_only_there() -> None:
    """All members in zone 1 of three with replicas in each: that zone's brokers send all consumer bytes."""

    def load(*, follower: bool) -> Plan:
        group = {"group": "readers", "members": 6, "zones": {"1": 6}}
        return planner.plan(
            scenario(topic(partitions=60, consumers=[group]), cluster={"brokers": 6, "fetch_from_follower": follower})
        )

    near, far = load(follower=True), load(follower=False)
    assert near.cluster.network_out_bytes_per_s == far.cluster.network_out_bytes_per_s
    fullest, even = near.states["healthy"].fullest, far.states["healthy"].fullest
    assert fullest is not None
    assert even is not None
    # a broker of zone 1 sends its share of replication and half of everything that is read
    assert fullest["network_out_bytes_per_s"] == pytest.approx(PRODUCE * (2 / 6 + 1 / 2), rel=0.02)
    assert even["network_out_bytes_per_s"] == pytest.approx(PRODUCE * (2 / 6 + 1 / 6), rel=1e-9)
    assert near.cluster.cross_zone_bytes_per_s == pytest.approx(PRODUCE * (2 / 3 + 2), rel=1e-9)


# the contract


def test_json_is_complete_and_finite(preset_plan: Plan) -> None:
    body = json.loads(json.dumps(preset_plan.to_dict(), allow_nan=False))
    assert set(body) >= {
        "name", "feasible", "headline", "brokers", "cluster", "states", "verdicts", "topics", "recovery", "cost",
        "assumptions", "findings", "trace",
    }  # fmt: skip
    assert tuple(body["brokers"]["needed"]) == RESOURCES
    assert tuple(body["states"]) == STATES
    for state in body["states"].values():
        for load in (state["per_broker"], state["fullest"], state["target"], state["source"]):
            assert load is None or tuple(load) == FIGURES
        if state["per_broker"] is None:
            assert state["reason"]
    for verdict in body["verdicts"]:
        assert verdict["verdict"] in {"short", "right", "spare"}
        assert verdict["margin"] == pytest.approx(verdict["threshold"] - verdict["utilisation"], abs=1e-12)
        assert verdict["action"]
    for name, one in body["topics"].items():
        assert set(one["reasons"]) == {"produce", "consume", "parallelism", "processing", "growth", "hot_key", "spread"}
        assert one["partitions"] in [rung["partitions"] for rung in one["ladder"]], name
    assert _nulls_without_reason(body) == []


def _nulls_without_reason(body: dict[str, Any]) -> list[str]:
    """Top-level and broker keys that are null though nothing says why."""
    found = [key for key in ("cost",) if body[key] is None and not body.get(f"{key}_reason")]
    found += ["required"] if body["brokers"]["required"] is None and not body["brokers"]["required_reason"] else []
    recovery = body["recovery"]
    found += ["refill"] if recovery["broker_refill_s"] is None and not recovery["broker_refill_s_reason"] else []
    return found + [
        f"needed.{name}"
        for name, need in body["brokers"]["needed"].items()
        if need["count"] is None and not need["count_reason"]
    ]


def test_loads_are_never_negative_and_the_fullest_never_below_the_mean(preset_plan: Plan) -> None:
    for state in preset_plan.states.values():
        for load in (state.per_broker, state.fullest, state.target, state.source):
            assert all(value >= 0 for value in (load or {}).values())
        if state.per_broker is not None and state.fullest is not None:
            for figure in FIGURES:
                assert state.fullest[figure] >= state.per_broker[figure] * (1 - 1e-9)


def test_feasible_means_that_no_verdict_is_short(preset_plan: Plan) -> None:
    assert preset_plan.feasible == all(verdict.verdict != "short" for verdict in preset_plan.verdicts)


NAMESPACE: dict[str, Any] = {
    "min": np.minimum, "max": np.maximum, "ceil": np.ceil, "floor": np.floor, "where": np.where, "exp": np.exp,
    "sqrt": np.sqrt, "log": np.log, "gcd": np.gcd, "sum": np.sum, "abs": np.abs,
}  # fmt: skip


def test_every_recorded_expression_gives_the_recorded_value(preset_plan: Plan) -> None:
    """The formula shown is the formula computed: evaluated anew from the numbers beside it."""
    rules = {rule.expression: rule for rule in registry().values()}
    for step in preset_plan.trace:
        module = importlib.import_module(rules[step.expression].module)
        names = {**vars(module), **NAMESPACE, **step.numbers}
        again = eval(step.expression, {"__builtins__": {}}, names)  # noqa: S307 - our own registered expressions
        assert np.allclose(np.asarray(again, float), np.asarray(step.value, float), rtol=1e-9, atol=1e-12), step.name


def test_every_figure_explains_itself(preset_plan: Plan) -> None:
    for name, value in vars_of(preset_plan.cluster).items():
        if name in {"provisioned_disk_bytes", "internal_replicas"}:
            continue
        assert float(preset_plan.explain(name).value) == pytest.approx(value, rel=1e-9), name
    for state, load in preset_plan.states.items():
        for kind, figures in (("per_broker", load.per_broker), ("fullest", load.fullest)):
            for figure, value in (figures or {}).items():
                name = f"states.{state}.{kind}.{figure}"
                assert float(preset_plan.explain(name).value) == pytest.approx(value, rel=1e-9, abs=1e-12), name
    for verdict in preset_plan.verdicts:
        if verdict.resource != "recovery" and verdict.state != "recovering":
            step = preset_plan.explain(f"utilisation.{verdict.state}.{verdict.resource}")
            assert float(step.value) == pytest.approx(verdict.utilisation, rel=1e-9)
    for name, one in preset_plan.topics.items():
        for figure in (
            "produce_in_bytes_per_s",
            "consumer_out_bytes_per_s",
            "logical_bytes_per_record",
            "wire_bytes_per_record",
            "disk_bytes",
            "disk_bytes_worst",
            "hottest_partition_fraction",
        ):
            assert float(preset_plan.explain(f"topics.{name}.{figure}").value) == pytest.approx(
                getattr(one, figure), rel=1e-6
            )
        assert float(preset_plan.explain(f"topics.{name}.partitions").value) == pytest.approx(one.partitions_raw)
    assert preset_plan.explain("brokers.count").value == pytest.approx(preset_plan.brokers.raw)


def vars_of(result: object) -> dict[str, Any]:
    return {name: getattr(result, name) for name in type(result).__dataclass_fields__}  # type: ignore[attr-defined]


def test_a_step_says_formula_numbers_unit_and_source() -> None:
    step = planner.plan(scenario()).explain("network_out")
    shown = step.to_dict()
    assert shown["unit"] == "bytes/s"
    assert shown["source"] == "kafka-design"
    assert "consumer_out_bytes_per_s" in shown["expression"]
    assert shown["substituted"] == "20 524 400 + 10 262 200 + 0 + 0"  # 10,000 records of 1026.22 B, twice and once
    with pytest.raises(ExplainError, match="network_out"):
        planner.plan(scenario()).explain("netwrok_out")


@pytest.mark.parametrize("resource", ["cpu", "memory", "disk_volume", "disk_throughput", "disk_iops", "handles"])
def test_a_resource_is_explained_where_it_is_fullest(resource: str) -> None:
    result = planner.plan(scenario())
    fullest = max(v.utilisation / v.threshold for v in result.verdicts if v.resource == resource)
    step = result.explain(resource)
    state = step.name.split(".")[1]
    verdict = next(v for v in result.verdicts if (v.resource, v.state) == (resource, state))
    assert verdict.utilisation / verdict.threshold == pytest.approx(fullest)
    assert float(step.value) == pytest.approx(verdict.utilisation)


def test_every_default_that_was_used_is_listed_with_its_source() -> None:
    rows = {row.id: row for row in planner.plan(scenario()).assumptions}
    assert rows["topics.*.peak_ratio"].value == 1
    assert rows["topics.*.replication_factor"].value == 3
    assert all(row.source for row in rows.values())
    given = {row.id for row in planner.plan(scenario(topic(peak_ratio=1, replication_factor=3))).assumptions}
    assert not given & {"topics.*.peak_ratio", "topics.*.replication_factor"}


def test_a_range_is_planned_at_its_likely_value_and_named() -> None:
    ranged = scenario(topic(records_per_s={"low": 5_000, "likely": 10_000, "high": 40_000}))
    result = planner.plan(ranged)
    assert result.cluster.produce_in_bytes_per_s == pytest.approx(PRODUCE, rel=1e-12)
    row = next(row for row in result.assumptions if row.id == "topics.events.records_per_s")
    assert (row.low, row.value, row.high) == (5_000, 10_000, 40_000)
    assert "likely_values" in {finding.code for finding in result.findings}


def test_low_confidence_is_marked() -> None:
    verdicts = planner.plan(scenario()).verdicts
    assert {v.resource for v in verdicts if v.confidence == "low"} == {"cpu", "disk_iops"}


def test_frames() -> None:
    result = planner.plan(scenario(topic(), topic(name="more")))
    assert list(result.to_frame("topics")["topic"]) == ["events", "more"]
    assert len(result.to_frame("verdicts")) == len(result.verdicts)
    assert {"state", "figure", "mean", "fullest"} == set(result.to_frame("states").columns)
    assert len(result.to_frame("assumptions")) == len(result.assumptions)
    assert len(result.to_frame("findings")) == len(result.findings)
    with pytest.raises(ValueError, match="no table"):
        result.to_frame("nothing")


# findings


@pytest.mark.parametrize(
    ("changes", "cluster", "policy", "code"),
    [
        ({}, {"brokers": 9}, {}, "leader_concentration"),
        ({"acks": "1"}, {}, {}, "acks_below_all"),
        ({"min_insync_replicas": 3}, {}, {}, "min_insync_equals_rf"),
        ({"replication_factor": 2}, {}, {}, "min_insync_1"),
        ({"retention": {"time": "forever"}, "records_per_s": 1}, {}, {}, "retention_forever"),
        ({"partitions": 2}, {}, {}, "partitions_short"),
        ({"consumers": [{"group": "g", "members": 20}], "partitions": 6}, {}, {}, "idle_members"),
        ({"consumers": [{"group": "g", "members": 2, "records_per_s_per_member": 100}]}, {}, {}, "slow_consumers"),
        ({"keys": {"top_key_fraction": 0.9}, "records_per_s": 50_000}, {}, {}, "hot_key"),
        ({"batch": {"records": 1}, "record": {"value_bytes": 10}}, {}, {}, "small_batches"),
        ({"batch": {}}, {}, {}, "batch_derived"),
        ({}, {"mirror": [{"to": "west", "bandwidth": "10Mbit/s"}]}, {}, "mirror_bandwidth"),
        ({}, {}, {"budget_per_month": 100}, "budget_not_judged"),
        ({"retention": {"time": "1h"}, "records_per_s": 1}, {}, {}, "segment_slack"),
        ({}, {"zones": 1}, {"survive": {"zones": 1}}, "zone_down_leaves_nothing"),
    ],
)
def test_findings(changes: dict[str, Any], cluster: dict[str, Any], policy: dict[str, Any], code: str) -> None:
    found = {
        finding.code: finding
        for finding in planner.plan(scenario(topic(**changes), cluster=cluster, policy=policy)).findings
    }
    assert code in found
    assert found[code].message
    assert found[code].action
    calm = planner.plan(scenario(topic(records_per_s=2000, consumers=[{"group": "g", "members": 2}])))
    assert code not in {finding.code for finding in calm.findings}


def test_leader_concentration_names_better_counts() -> None:
    """Nine brokers in three zones at RF 3 concentrate leaders; 6 and 12 do not (reference table E)."""
    finding = next(
        f for f in planner.plan(scenario(cluster={"brokers": 9})).findings if f.code == "leader_concentration"
    )
    assert "Use 6 or 12 brokers" in finding.action
    balanced = planner.plan(scenario(cluster={"brokers": 9}, policy={"placement": "balanced"}))
    assert "leader_concentration" not in {f.code for f in balanced.findings}
    assert balanced.states["healthy"].fullest == balanced.states["healthy"].per_broker


def test_cost_and_budget_of_a_priced_broker() -> None:
    machine = {
        "vcpu": 16, "memory": "64GiB", "network_in": "10Gbit/s", "network_out": "10Gbit/s",
        "storage": {"capacity": "4TB", "throughput": "1GB/s", "iops": 100_000}, "price_per_month": 900,
    }  # fmt: skip
    result = planner.plan(
        scenario(topic(records_per_s=100), cluster={"broker": machine}, policy={"budget_per_month": 2000})
    )
    assert result.cost is not None
    assert result.cost.per_month == 3 * 900
    assert not result.feasible
    assert "budget_missed" in {finding.code for finding in result.findings}


def test_half_duplex_and_shared_storage_use_one_budget() -> None:
    def network(**spec: Any) -> float:
        machine = {
            "vcpu": 16, "memory": "64GiB", "network_in": "1Gbit/s", "network_out": "1Gbit/s",
            "storage": {"kind": "network", "capacity": "40TB"}, **spec,
        }  # fmt: skip
        result = planner.plan(scenario(topic(partitions=60), cluster={"brokers": 6, "broker": machine}))
        return next(v.utilisation for v in result.verdicts if (v.resource, v.state) == ("network_out", "healthy"))

    full, half = network(), network(duplex="half")
    assert half == pytest.approx(2 * full, rel=0.01)  # in and out are equal here
    written = 3 * PRODUCE / 6 / 125e6
    assert network(storage_shares_network=True) - full == pytest.approx(written, rel=0.01)


def test_unmetered_network_never_binds() -> None:
    machine = {
        "vcpu": 16, "memory": "64GiB", "network_in": None, "network_out": "10Gbit/s",
        "storage": {"capacity": "4TB"},
    }  # fmt: skip
    result = planner.plan(scenario(cluster={"broker": machine}))
    assert all(v.utilisation == 0 for v in result.verdicts if v.resource == "network_in")
    assert math.isfinite(sum(v.utilisation for v in result.verdicts))


def test_a_refill_that_nothing_is_known_to_limit_is_unknown_and_not_endless() -> None:
    broker = {"vcpu": 16, "memory": "64GiB", "storage": {"kind": "local", "capacity": "10TB"}}
    found = planner.plan(scenario(cluster={"broker": broker}))
    assert found.feasible
    assert found.recovery.broker_refill_s is None
    assert (found.recovery.broker_refill_s_reason or "").startswith("unknown")
    assert any("unknown: neither network nor disk" in sentence for sentence in found.headline)
    json.dumps(found.to_dict(), allow_nan=False)
