"""Prices, against hand arithmetic on published price lists, and published examples of a month's bill."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner import ScenarioError, load, plan
from planner.catalogue import bought_type, broker_spec
from planner.catalogue.offers import instance_types, providers, volumes
from planner.constants import sources
from planner.model import cost, traffic
from planner.results import Plan

GIB = 2.0**30
MONTH_H = 730

# AWS list prices of us-east-1 as quoted widely and unchanged for years [USD an hour]
KNOWN_PRICES = {
    "m5.large": 0.096,
    "m5.2xlarge": 0.384,
    "r5.xlarge": 0.252,
    "c5.4xlarge": 0.68,
    "i3en.2xlarge": 0.904,
    "m6g.large": 0.077,
    "m7g.2xlarge": 0.3264,
    "r6i.2xlarge": 0.504,
}
# AWS' own figures: vCPU, GiB, Gbit/s sustained
KNOWN_SHAPES = {"m5.large": (2, 8, 0.75), "i3en.2xlarge": (8, 64, 8.4), "m7g.2xlarge": (8, 32, 3.75)}


@pytest.mark.parametrize(("name", "price"), KNOWN_PRICES.items())
def test_prices_are_those_of_the_list(name: str, price: float) -> None:
    listed = instance_types()[name].on_demand
    assert listed is not None
    assert listed.usd_per_h == pytest.approx(price, rel=0.005)


@pytest.mark.parametrize(("name", "shape"), KNOWN_SHAPES.items())
def test_shapes_are_those_of_the_seller(name: str, shape: tuple[float, float, float]) -> None:
    kind = instance_types()[name]
    assert (kind.vcpu, kind.memory_bytes / GIB, kind.network_bytes_per_s * 8 / 1e9) == pytest.approx(shape)


def test_within_a_family_a_price_follows_the_cores() -> None:
    families: dict[str, list[float]] = {}
    for kind in instance_types().values():
        if kind.provider == "aws" and kind.on_demand and not kind.burstable:
            families.setdefault(kind.family, []).append(kind.on_demand.usd_per_h / kind.vcpu)
    assert len(families) > 60
    for prices in families.values():
        assert max(prices) <= min(prices) * 1.0121


def test_no_price_is_zero_and_each_has_a_source_and_a_date() -> None:
    for kind in instance_types().values():
        assert kind.source in sources()
        for price in (kind.on_demand, kind.reserved_3y):
            if price is not None:
                assert price.usd_per_h > 0
                assert price.source in sources()
                assert len(price.as_of) == len("2026-01-01")
    for volume in volumes().values():
        assert volume.usd_per_byte_month is None or volume.usd_per_byte_month > 0
        assert volume.source in sources()


def test_three_years_cost_less_than_the_hour() -> None:
    both = [
        kind.reserved_3y.usd_per_h / kind.on_demand.usd_per_h
        for kind in instance_types().values()
        if kind.on_demand and kind.reserved_3y and kind.provider == "aws"
    ]
    assert len(both) > 500
    assert all(0.2 < ratio < 0.62 for ratio in both)


def test_a_type_with_a_volume_costs_machine_and_volume() -> None:
    # 0.3264 x 730 + 4096 GiB x 0.08 + 125 MiB/s x 0.04 + 3000 operations x 0.005
    by_hand = 0.3264 * 730 + 4096 * 0.08 + 125 * 0.04 + 3000 * 0.005
    spec = broker_spec("m7g.2xlarge:gp3:4TiB:250MiB/s:6000")
    assert spec.price_per_month == pytest.approx(by_hand)
    assert (spec.storage.throughput, spec.storage.iops) == (250 * 2**20, 6000)


def test_a_volume_is_no_faster_than_its_machine() -> None:
    spec = broker_spec("m5.large:gp3:4TiB:250MiB/s:6000")
    assert (spec.storage.throughput, spec.storage.iops) == (81.25e6, 3600)


def test_local_drives_and_defaults() -> None:
    local = broker_spec("i3en.2xlarge")
    assert (local.storage.kind, local.storage.volumes, local.storage.capacity) == ("local", 2, 2.5e12)
    assert local.storage.throughput == 65_000 * 4096
    remote = broker_spec("m7g.large")
    assert (remote.storage.kind, remote.storage.capacity) == ("network", 2.0**40)
    egress = broker_spec("n2-standard-8")
    assert egress.network_in is None
    assert egress.storage_shares_network
    assert broker_spec("Standard_D8s_v4").price_per_month is None


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("m7g.2xlrge", "no broker of this name"),
        ("m7g.2xlarge:gp4", "no volume of this kind"),
        ("m7g.2xlarge:gp3:17TiB", "beyond what gp3"),
        ("m7g.2xlarge:gp3:1TiB:2GiB/s", "beyond what gp3"),
        ("m7g.2xlarge:gp3:1TiB:1MiB/s:99999", "beyond what gp3"),
        ("m7g.2xlarge:gp3:much", "cannot be read"),
        ("m7g.2xlarge:gp3:1TiB:1MiB/s:3000:more", "goes on after"),
        ("kafka.m7g.large:gp3", "no volume of this kind"),
    ],
)
def test_a_name_that_means_nothing_is_refused(name: str, said: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        broker_spec(name)
    assert any(said in error.message for error in refused.value.errors)
    assert all(error.path == "cluster.broker" for error in refused.value.errors)


def test_both_faults_of_a_name_are_told_at_once() -> None:
    with pytest.raises(ScenarioError) as refused:
        broker_spec("m7g.2xlarge:gp3:99TiB:9GiB/s")
    assert len(refused.value.errors) == 2


# Published bills


def test_a_month_of_crossing_traffic_as_krivaltsevich_counts_it() -> None:
    # 100 MiB/s, RF 3, 3 zones: 2 x 253 125 GiB of replication and two thirds of it of produce, at 0.02 a GiB, 30 days
    flows = {"produce_in_bytes_per_s": 100 * 2.0**20, "zones": 3}
    price = {"s_per_month": 30 * 86400, "price_per_byte": 0.02 / GIB}
    copied = traffic.cross_zone_replication_bytes_per_s(replication_factor=3, **flows)
    assert cost.transfer_per_month(average_bytes_per_s=copied, **price) == pytest.approx(10_125, rel=1e-4)
    produced = traffic.cross_zone_produce_bytes_per_s(**flows)
    assert cost.transfer_per_month(average_bytes_per_s=produced, **price) == pytest.approx(3_375, rel=1e-4)


def test_a_month_of_crossing_traffic_as_automq_counts_it() -> None:
    price = {"s_per_month": 30 * 86400, "price_per_byte": 0.02 / 1e9}
    produced = traffic.cross_zone_produce_bytes_per_s(produce_in_bytes_per_s=100e6, zones=3)
    assert cost.transfer_per_month(average_bytes_per_s=produced, **price) == pytest.approx(3_456, rel=1e-4)


def test_resident_bytes_at_a_disk_price_as_krivaltsevich_counts_them() -> None:
    paid = cost.stored_per_month(stored_bytes=75_938 * GIB, price_per_byte=0.08 / GIB)
    assert paid == pytest.approx(6_075, rel=1e-3)


def test_the_msk_sizer_bill_of_brokers() -> None:
    # its run A: 54 kafka.m7g.xlarge at 0.408 an hour
    kind = instance_types()["kafka.m7g.xlarge"]
    assert kind.on_demand is not None
    paid = cost.machine_per_month(price_per_h=kind.on_demand.usd_per_h, h_per_month=MONTH_H)
    assert 54 * paid == pytest.approx(54 * 0.408 * 730)


# Plans


@pytest.fixture(scope="module")
def bought() -> Plan:
    return plan(load("preset:ecommerce", ["cluster.broker=m7g.2xlarge:gp3:4TiB:250MiB/s:6000"]))


def test_a_bill_adds_up_by_line_by_topic_and_by_label(bought: Plan) -> None:
    bill = bought.cost
    assert bill is not None
    assert bill.currency == "USD"
    assert sum(line.per_month for line in bill.lines) == pytest.approx(bill.per_month)
    shares = [topic.cost_per_month for topic in bought.topics.values()]
    assert None not in shares
    assert sum(share or 0.0 for share in shares) == pytest.approx(bill.per_month)
    assert sum(bill.labels["team"].values()) == pytest.approx(bill.per_month)


def test_lines_are_quantity_times_price(bought: Plan) -> None:
    assert bought.cost is not None
    for line in bought.cost.lines:
        assert line.quantity * line.unit_price == pytest.approx(line.per_month)
        assert line.source in sources()
        assert line.as_of


def test_traffic_is_billed_on_average_not_at_the_peak(bought: Plan) -> None:
    assert bought.cost is not None
    lines = {line.item: line for line in bought.cost.lines}
    scenario = bought.scenario
    average = sum(
        (topic.records_per_s or 0.0) * bought.topics[topic.name].wire_bytes_per_record for topic in scenario.topics
    )
    assert lines["cross-zone produce"].quantity == pytest.approx(average * 2 / 3 * 2_628_000, rel=0.01)
    assert lines["cross-zone replication"].quantity == pytest.approx(average * 2 * 2_628_000, rel=0.01)


def test_fetch_from_follower_saves_what_consumers_pay_for_crossing() -> None:
    name = "cluster.broker=m7g.2xlarge:gp3:4TiB"
    near = plan(load("preset:ecommerce", [name, "cluster.fetch_from_follower=yes"])).cost
    assert near is not None
    assert "cross-zone consume" not in {line.item for line in near.lines}


def test_a_managed_cluster_pays_for_no_controllers_and_no_replication() -> None:
    bill = plan(load("preset:ecommerce", ["cluster.broker=kafka.m7g.2xlarge:msk-ebs:4TiB"])).cost
    assert bill is not None
    assert {line.item for line in bill.lines} == {"brokers", "volumes", "cross-zone produce", "cross-zone consume"}


def test_what_has_no_price_is_named_and_not_taken_as_zero() -> None:
    bill = plan(load("preset:ecommerce", ["cluster.broker=n2-standard-16:pd-ssd:4TiB"])).cost
    assert bill is not None
    assert set(bill.unpriced) == {"cross-zone produce", "cross-zone replication", "cross-zone consume"}
    nothing = plan(load("preset:ecommerce", ["cluster.broker=Standard_D16s_v4"]))
    assert nothing.cost is None
    assert "no price" in (nothing.cost_reason or "")
    assert all(topic.cost_per_month is None for topic in nothing.topics.values())


def test_a_remote_tier_is_billed_by_bytes_and_by_requests() -> None:
    scenario = load(
        "preset:ecommerce", ["cluster.broker=m7g.2xlarge:gp3:4TiB", "topics.orders.tiered={local_time: 6h}"]
    )
    found = plan(scenario)
    assert found.cost is not None
    lines = {line.item: line for line in found.cost.lines}
    assert lines["remote storage"].per_month == pytest.approx(found.cluster.remote_bytes * 0.021 / GIB)
    assert 0 < lines["remote writes"].per_month < 0.1 * lines["remote storage"].per_month


def test_a_given_price_is_all_that_is_known_of_an_inline_broker() -> None:
    spec = "{vcpu: 16, memory: 64GiB, network_in: 10Gbit/s, network_out: 10Gbit/s, price_per_month: 900, "
    spec += "storage: {kind: local, volumes: 1, capacity: 4TB, throughput: 1GB/s, iops: 100000}}"
    found = plan(load("preset:ecommerce", [f"cluster.broker={spec}"]))
    assert found.cost is not None
    assert found.cost.per_month == 900 * found.brokers.count
    assert found.cost.currency == "as given"
    assert bought_type(found.scenario.cluster.broker) is None


def test_every_seller_names_its_volumes_and_its_source() -> None:
    for provider in providers().values():
        assert provider.source in sources() or provider.name == "own"
        assert all(name in volumes() for name in provider.volumes)


@given(
    disk=st.floats(0, 1e15),
    fill=st.floats(0.1, 1),
    rate=st.floats(0, 1e10),
    per_byte=st.sampled_from([0.0, 1e-6, 4e-5]),
    iops=st.floats(0, 1e6),
    iops_per_byte=st.sampled_from([0.0, 3e-8]),
)
@settings(max_examples=60)
def test_a_volume_of_the_size_needed_carries_what_is_asked(  # noqa: PLR0917 - one per quantity
    disk: float, fill: float, rate: float, per_byte: float, iops: float, iops_per_byte: float
) -> None:
    sizes = {"bytes_per_rate": 1 / per_byte if per_byte else 0.0}
    sizes |= {"bytes_per_iops": 1 / iops_per_byte if iops_per_byte else 0.0}
    asked = {"rate_bytes_per_s": rate, "iops": iops, **sizes}
    size = float(cost.volume_bytes_needed(disk_bytes=disk, fill_fraction=fill, **asked))
    assert size * fill >= disk * (1 - 1e-9)
    if per_byte:
        assert size * per_byte >= rate * (1 - 1e-9)
    if iops_per_byte:
        assert size * iops_per_byte >= iops * (1 - 1e-9)
    assert math.isfinite(size)
