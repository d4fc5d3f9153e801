"""The published formulas of others, against what their sources print; and our figures under their assumptions."""

from __future__ import annotations

import json
import math

import pytest
from typer.testing import CliRunner

import planner
from planner.cli import cli
from planner.constants import constant, sources
from planner.crosscheck import CrossCheck, CrossRow
from planner.model import published
from tests.oracles.cases import CASES, MIB
from tests.scenarios import scenario, topic

MB = 1e6
STANDARD = [name for name in CASES["aws-msk-sizer-run-A"]["outputs"]["per_instance"] if "Express" not in name]


def row(found: CrossCheck, source: str, quantity: str) -> CrossRow:
    return next(item for item in found.rows if item.source == source and quantity in item.quantity)


# the formulas against what their sources print


@pytest.mark.parametrize("run", ["aws-msk-sizer-run-A", "aws-msk-sizer-run-B"])
@pytest.mark.parametrize("machine", STANDARD)
def test_the_msk_sizer_gives_the_brokers_that_the_program_printed(run: str, machine: str) -> None:
    given, printed = CASES[run]["inputs"], CASES[run]["outputs"]["per_instance"][machine]
    specs = CASES["aws-msk-sizer-specs"]["outputs"][machine]
    raw = published.msk_sizer_brokers(
        produce_in_bytes_per_s=given["peak_data_in_mbs"] * MIB,
        fan_out=given["peak_data_out_mbs"] / given["peak_data_in_mbs"],
        tiered_fraction=float(given["retention_hours"] > given["primary_retention_hours"]),
        disk_bytes_per_s=specs["ebs_MiBps"] * MIB,
        network_bytes_per_s=specs["nic_MiBps"] * MIB,
        utilisation_fraction=constant("published.msk_utilisation"),
        disk_factor=constant("published.msk_disk_factor"),
        network_factor=constant("published.msk_network_factor"),
        reader_factor=constant("published.msk_reader_factor"),
        tier_factor=constant("published.msk_tier_factor"),
    )
    whole = math.ceil(math.ceil(raw - 1e-9) / 3) * 3
    # the program takes the largest of four limits; throughput is two of them
    assert (
        whole == printed["brokers"] if printed["bottleneck"] in {"ingress", "egress"} else whole <= printed["brokers"]
    )


def test_equation_1_gives_the_bound_that_its_reader_printed() -> None:
    given, said = CASES["aws-eq1-plan13"]["inputs"], CASES["aws-eq1-plan13"]["outputs"]
    # the largest stream of that many brokers: the one for which the formula asks for just as many
    one = published.aws_brokers(
        produce_in_bytes_per_s=1.0,
        replication_factor=given["r"],
        fan_out=given["consumer_groups"],
        disk_bytes_per_s=given["t_storage_MBps"],
        network_bytes_per_s=given["t_EC2network_MBps"],
        utilisation_fraction=given["planning_fraction"],
    )
    assert given["brokers"] / float(one) == pytest.approx(said["max_t_cluster_MBps"], abs=0.5)


def test_amq_streams_gives_the_brokers_of_its_screenshot() -> None:
    given, said = CASES["amqstreams-screenshot"]["inputs"], CASES["amqstreams-screenshot"]["outputs"]
    raw = published.amq_streams_brokers(
        produce_in_bytes_per_s=given["msg_per_s"] * given["msg_bytes"],
        replication_factor=given["RF"],
        fan_out=given["consumer_groups"],
        lagging_fan_out=0,
        disk_bytes_per_s=given["disk_MBps"] * MB,
        network_bytes_per_s=given["nic_Gbps"] / 8 * 1000 * MB,
        utilisation_fraction=constant("published.amq_utilisation"),
        safety_factor=constant("published.amq_safety_factor"),
    )
    assert math.ceil(raw) == said["brokers"]


@pytest.mark.parametrize(("fan_out", "per_zone"), [(1, 3), (2, 4), (3, 5), (5, 8), (10, 13)])
def test_netflix_gives_the_cores_that_its_program_printed(fan_out: int, per_zone: int) -> None:
    # netflix.md, defect 2: m5 only, 100 MiB/s, the load given as bytes; cores are scaled to 3.1 GHz and cut for a zone
    cores = published.netflix_cores(
        produce_in_bytes_per_s=100 * MIB,
        consumer_out_bytes_per_s=fan_out * 100 * MIB,
        core_s_per_byte_in=constant("published.netflix_core_s_per_byte_in"),
        core_s_per_byte_out=constant("published.netflix_core_s_per_byte_out"),
        staffing_quality=constant("published.netflix_staffing_quality"),
    )
    assert math.ceil(math.ceil(float(cores)) * 2.3 / 3.1) // 3 == per_zone


@pytest.mark.parametrize(
    ("theirs", "printed"),
    [
        # formulas.md section 8: RF 3, one reader, 100 MB/s
        (
            published.google_vcpus(
                produce_in_bytes_per_s=100 * MB,
                replication_factor=3,
                consumer_out_bytes_per_s=100 * MB,
                read_weight=constant("published.google_read_weight"),
                vcpu_bytes_per_s=constant("published.google_vcpu_bytes_per_s"),
                utilisation_fraction=constant("published.google_utilisation"),
            ),
            38,
        ),
        (
            published.akalculator_vcpus(
                produce_in_bytes_per_s=100 * MIB,
                consumer_out_bytes_per_s=100 * MIB,
                vcpu_in_bytes_per_s=constant("published.akalculator_vcpu_in_bytes_per_s"),
                vcpu_out_bytes_per_s=constant("published.akalculator_vcpu_out_bytes_per_s"),
            ),
            20,
        ),
        # x = 300, f = 2, r = 3: 300 * 7 * 2 / 400
        (
            published.one_budget_brokers(
                produce_in_bytes_per_s=300 * MB,
                replication_factor=3,
                fan_out=2,
                budget_bytes_per_s=constant("published.alibaba_budget_bytes_per_s"),
                safety_factor=constant("published.alibaba_safety_factor"),
                broker_floor=constant("published.alibaba_broker_floor"),
            ),
            11,
        ),
        (published.rao_replicas_per_broker(brokers=6, replication_factor=3, partitions_per_replica=100), 1800),
        (
            published.rao_partitions(peak_bytes_per_s=100.0, produce_bytes_per_s=20.0, consume_bytes_per_s=8.0),
            13,
        ),
        # redpanda-decom-1d: 200 MB/s for a day and ten percent, 19.008 TB
        (
            published.padded_disk_bytes(
                stored_bytes=200e-6 * 86400, padding_factor=constant("published.redpanda_disk_padding")
            )
            * 1000,
            19_008,
        ),
        # netflix.md: 100 MiB/s, two readers, RF 3: 1 565 Mbit/s a zone
        (
            float(
                published.netflix_network_bytes_per_s(
                    produce_in_bytes_per_s=100 * MIB,
                    replication_factor=3,
                    fan_out=2,
                    reserve_factor=constant("published.netflix_network_reserve"),
                )
            )
            * 8
            / MB
            / 3
            - 1,
            1565,
        ),
    ],
)
def test_other_formulas_give_what_their_sources_print(theirs: float, printed: float) -> None:
    assert math.ceil(float(theirs) - 1e-6) == printed


def test_redpanda_memory_and_cloudera_reads() -> None:
    given, said = CASES["redpanda-mem-partition"]["inputs"], CASES["redpanda-mem-partition"]["outputs"]
    memory = published.redpanda_memory_bytes(
        replicas=given["partitions"] * given["RF"], replica_bytes=given["MB_per_replica"] * MB
    )
    assert memory / 1e9 == pytest.approx(said["memory_GB"], abs=0.5)
    reads = published.cloudera_read_bytes_per_s(produce_in_bytes_per_s=50.0, replication_factor=3, fan_out=2)
    assert reads == 200


# our figures under their assumptions: what `why` names is all that separates them

LARGE = topic(records_per_s=20_000, batch={"records": 1000}, producers=1, partitions=12)
EQUAL_LIMITS = dict.fromkeys(
    ("cpu", "memory", "disk_volume", "disk_throughput", "disk_iops", "network", "handles"), 0.8
)


def test_equation_1_is_ours_without_failures_lumps_and_requests() -> None:
    broker = {
        "vcpu": 1000,
        "memory": "1TiB",
        "network_in": "1Gbit/s",
        "network_out": "1Gbit/s",
        "storage": {"kind": "local", "capacity": "100TB", "throughput": "400MB/s", "iops": 1e6},
    }
    found = planner.cross_check(
        scenario(
            LARGE,
            cluster={"broker": broker, "brokers": 3},
            policy={"utilisation": EQUAL_LIMITS, "survive": {"brokers": 0}, "placement": "balanced"},
        )
    )
    same = row(found, "aws-equation-1", "network and disk")
    assert same.ratio == pytest.approx(1, abs=0.02)  # what is left are the requests' bytes
    assert same.theirs is not None
    assert same.theirs < same.ours  # type: ignore[operator]


def test_the_usual_survivor_rule_is_ours_once_everything_is_copied_again() -> None:
    found = planner.plan(scenario(LARGE, cluster={"brokers": 6}, policy={"survive": {"after_loss": "re-replicate"}}))
    healthy, reduced = found.states["healthy"].per_broker, found.states["reduced"].per_broker
    assert healthy is not None
    assert reduced is not None
    for direction in ("in", "out"):
        figure = f"network_{direction}_bytes_per_s"
        usual = published.usual_survivor_bytes_per_s(load_bytes_per_s=healthy[figure], brokers=6, brokers_down=1)
        assert reduced[figure] == pytest.approx(float(usual))


def test_forgotten_followers_as_the_calculator_writes_it() -> None:
    # syalioune-formula: total_io = peak*(RF+CG), over NIC*util; 100 MB/s, RF 3, two groups, 125 MB/s at one half
    theirs = published.followers_forgotten_brokers(
        produce_in_bytes_per_s=100 * MB,
        replication_factor=3,
        fan_out=2,
        network_bytes_per_s=125 * MB,
        utilisation_fraction=constant("published.syalioune_utilisation"),
    )
    assert CASES["syalioune-formula"]["outputs"]["total_io"] == "peak*(RF+CG)"
    assert theirs == pytest.approx(500 / 62.5)


# the result and the command


def test_every_row_is_sourced_explained_and_finite() -> None:
    found = planner.cross_check(planner.load("preset:ecommerce"))
    assert {"aws-equation-1", "aws-msk-sizer", "amq-streams-sizing", "cloudera-cache", "gcp-kafka-planning"} <= {
        item.source for item in found.rows
    }
    assert {"redpanda-sizing", "rao-partitions", "netflix-scm"} <= {item.source for item in found.rows}
    for item in found.rows:
        assert item.source in sources()
        assert len(item.why) > 20
        assert (item.ratio is None) == (item.missing is not None or item.ours == 0)
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["rows"]
    assert list(found.to_frame()["theirs"])


def test_a_broker_without_limits_has_no_published_count() -> None:
    broker = {"vcpu": 16, "memory": "64GiB", "storage": {"kind": "local", "capacity": "10TB"}}
    found = planner.cross_check(scenario(cluster={"broker": broker}))
    aws = row(found, "aws-equation-1", "network and disk")
    assert (aws.ratio, aws.agrees) == (None, None)
    assert aws.missing


def test_the_command_says_the_spread_first() -> None:
    done = CliRunner().invoke(cli, ["cross-check", "preset:typical-broker"])
    assert done.exit_code == 0
    assert done.stdout.startswith("For network and disk throughput published formulas ask for ")
    assert "why they differ" in done.stdout
    body = json.loads(CliRunner().invoke(cli, ["cross-check", "preset:typical-broker", "--format", "json"]).stdout)
    assert {"source", "quantity", "theirs", "ours", "why"} <= body["rows"][0].keys()
