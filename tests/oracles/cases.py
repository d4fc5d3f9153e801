"""The published cases, and for each one that can be computed a function that computes it.

A function takes what was published, `given` (inputs) and `said` (outputs), and returns for each output it covers
`(ours, published, tolerance)` in the source's own unit. The tolerance is half a unit of the last digit that the source
prints, unless a comment says otherwise. What a case is counted as stands in `data/published_classes.toml`:

* `reproduced`: `ours` comes from the planner's public model functions, and only units, a published price or the
  source's rounding are applied to it.
* `source_formula`: `ours` is the source's formula, evaluated here, with our functions for the terms that they cover.
* `disagreed`: `ours` comes from the model functions and differs.
* `not_computable`: no function.
"""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from planner.constants import data_path
from planner.model import handles, memory, partitions, records, recovery, states, storage, traffic, utilisation

KIB, MIB, GIB = 2.0**10, 2.0**20, 2.0**30
MB, GB, TB, PB = 1e6, 1e9, 1e12, 1e15
DAY = 86400.0
MONTH = 30 * DAY

Rows = dict[str, tuple[float, float, float]]
Compute = Callable[[Any, Any], Rows]


@dataclass(frozen=True, slots=True)
class Classified:
    """What a published case is counted as, and why."""

    kind: str
    why: str
    by: tuple[str, ...]
    left_out: dict[str, str]


def published() -> dict[str, dict[str, Any]]:
    """Every published case by id."""
    found: list[dict[str, Any]] = json.loads(data_path("published_cases.json").read_text(encoding="utf-8"))
    return {case["id"]: case for case in found}


def classified() -> dict[str, Classified]:
    """The class of every case by id."""
    with data_path("published_classes.toml").open("rb") as file:
        table = tomllib.load(file)
    return {
        key: Classified(row["class"], row["why"], tuple(row.get("by", ())), row.get("left_out", {}))
        for key, row in table.items()
    }


CASES = published()
FUNCTIONS: dict[str, Compute] = {}


def case(*ids: str) -> Callable[[Compute], Compute]:
    """Register a function for the cases of these ids."""

    def register(function: Compute) -> Compute:
        for key in ids:
            FUNCTIONS[key] = function
        return function

    return register


def rows(key: str) -> Rows:
    """Every compared output of a case."""
    return FUNCTIONS[key](CASES[key]["inputs"], CASES[key]["outputs"])


# Our functions, in the shapes that guides use


def evaluated(text: str, **values: float) -> float:
    """A published formula with numbers in place of its letters."""
    names = {"min": min, "max": max, "ceil": math.ceil, **values}
    return float(eval(text.removeprefix("<=").strip(), {"__builtins__": {}}, names))  # noqa: S307 - our own data file


def bytes_in(produced: float, copies: float) -> float:
    """Bytes per second into all brokers."""
    followers = traffic.follower_in_bytes_per_s(produce_in_bytes_per_s=produced, replication_factor=copies)
    return float(traffic.network_in_bytes_per_s(produce_in_bytes_per_s=produced, follower_in_bytes_per_s=followers))


def bytes_out(produced: float, copies: float, readers: float, tiered: float = 0) -> float:
    """Bytes per second out of all brokers."""
    return float(
        traffic.network_out_bytes_per_s(
            follower_out_bytes_per_s=traffic.follower_in_bytes_per_s(
                produce_in_bytes_per_s=produced, replication_factor=copies
            ),
            consumer_out_bytes_per_s=traffic.consumer_out_bytes_per_s(produce_in_bytes_per_s=produced, fan_out=readers),
            tier_out_bytes_per_s=traffic.tier_out_bytes_per_s(produce_in_bytes_per_s=produced, tiered=tiered),
            mirror_out_bytes_per_s=0.0,
        )
    )


def read(produced: float, readers: float) -> float:
    """Bytes per second to consumers."""
    return float(traffic.consumer_out_bytes_per_s(produce_in_bytes_per_s=produced, fan_out=readers))


def followed(produced: float, copies: float) -> float:
    """Bytes per second from leaders to followers."""
    return float(traffic.follower_in_bytes_per_s(produce_in_bytes_per_s=produced, replication_factor=copies))


def stored_rate(produced: float, copies: float, brokers: float) -> float:
    """Bytes per second that one broker stores."""
    return float(
        states.stored_in_bytes_per_s(produce_in_bytes_per_s=produced, replication_factor=copies, brokers=brokers)
    )


def stored(rate: float, seconds: float, copies: float = 1) -> float:
    """Bytes kept of a steady rate in all replicas."""
    kept = storage.retained_bytes(
        average_bytes_per_s=rate, peak_bytes_per_s=rate, peak_duration_s=0.0, period_s=seconds
    )
    return float(kept) * copies


def produced_rate(records_per_s: float, record_bytes: float) -> float:
    """Bytes per second that producers send, at the published bytes per record."""
    return float(traffic.produce_in_bytes_per_s(records_per_s=records_per_s, wire_bytes_per_record=record_bytes))


def needed_partitions(peak: float, produce: float, consume: float = math.inf) -> float:
    """Partitions, not rounded, from the rates of one partition."""
    return max(
        float(partitions.partitions_for_produce(peak_bytes_per_s=peak, partition_bytes_per_s=produce)),
        float(
            partitions.partitions_for_consume(
                peak_bytes_per_s=peak,
                partition_bytes_per_s=consume,
                peak_records_per_s=0.0,
                member_records_per_s=math.inf,
            )
        ),
    )


@dataclass(frozen=True, slots=True)
class Crossing:
    """Bytes per second between zones."""

    produce: float
    replication: float
    consume: float

    @property
    def total(self) -> float:
        """All three."""
        return self.produce + self.replication + self.consume


def crossing(produced: float, copies: float, zones: float, readers: float, *, nearest: bool = False) -> Crossing:
    """Bytes per second between zones, by who sends them."""
    return Crossing(
        float(traffic.cross_zone_produce_bytes_per_s(produce_in_bytes_per_s=produced, zones=zones)),
        float(
            traffic.cross_zone_replication_bytes_per_s(
                produce_in_bytes_per_s=produced, replication_factor=copies, zones=zones
            )
        ),
        float(
            traffic.cross_zone_consume_bytes_per_s(
                consumer_out_bytes_per_s=read(produced, readers),
                replication_factor=copies,
                zones=zones,
                fetch_from_follower=float(nearest),
            )
        ),
    )


def up(value: float) -> float:
    """Round up, past the last bit of a float."""
    return math.ceil(value - 1e-9)


# AWS


@case("aws-eq1")
def aws_equation_1(_given: Any, said: Any) -> Rows:
    found: Rows = {}
    for copies, groups in ((3, 1), (3, 4), (2, 2)):
        limits = {"t_storage": 250.0, "t_EBSnetwork": 300.0, "t_EC2network": 320.0}
        ours = min(
            limits["t_storage"] / stored_rate(1, copies, 4),
            limits["t_EBSnetwork"] / stored_rate(1, copies, 4),
            limits["t_EC2network"] / (bytes_out(1, copies, groups) / 4),
        )
        theirs = evaluated(said["max_t_cluster_MBps"], **limits, brokers=4, r=copies, consumer_groups=groups)
        found[f"max_t_cluster_MBps, RF {copies}, {groups} groups"] = (ours, theirs, 0)
    return found


def _plan(given: Any) -> float:
    usable = float(given["t_EC2network_MBps"] * given["planning_fraction"])
    return usable * float(given["brokers"]) / bytes_out(1, given["r"], given["consumer_groups"])


@case("aws-eq1-plan1", "aws-eq1-plan4")
def aws_plan(given: Any, said: Any) -> Rows:
    return {"network_bound_MBps": (_plan(given), said["network_bound_MBps"], 0.5)}


@case("aws-eq1-plan13")
def aws_plan_13(given: Any, said: Any) -> Rows:
    disk = given["t_storage_MBps"] * given["planning_fraction"]
    by_disk = disk / stored_rate(1, given["r"], given["brokers"])
    return {
        "t_EC2network_usable_MBps": (given["t_EC2network_MBps"] * 0.8, said["t_EC2network_usable_MBps"], 0.5),
        "network_bound_MBps": (_plan(given), said["network_bound_MBps"], 0.5),
        "t_storage_usable_MBps": (disk, said["t_storage_usable_MBps"], 0.5),
        "storage_bound_MBps": (by_disk, said["storage_bound_MBps"], 0.5),
        "max_t_cluster_MBps": (min(_plan(given), by_disk), said["max_t_cluster_MBps"], 0.5),
    }


@case("aws-eq1-az-headroom")
def aws_zone_loss(given: Any, said: Any) -> Rows:
    left = states.reduced_in_bytes_per_s(
        produce_in_bytes_per_s=given["target_MBps"], replication_factor=1, brokers=given["azs"], brokers_down=1
    )
    factor = float(left) / stored_rate(given["target_MBps"], 1, given["azs"])
    name = "provisioned_for_one_az_loss_MBps"
    return {name: (given["target_MBps"] * factor, said[name], 0.005)}


@case("aws-msk-express-example")
def msk_express(given: Any, said: Any) -> Rows:
    brokers = max(
        up(given["ingress_MBps"] / given["ingress_per_broker_MBps"]),
        up(given["egress_MBps"] / given["egress_per_broker_MBps"]),
    )
    return {"brokers": (brokers, said["brokers"], 0)}


@case("aws-toolkit-express-fanout")
def msk_express_fan_out(given: Any, said: Any) -> Rows:
    out = read(given["ingress_MiBps"], given["consumer_groups"])
    raw = out / given["egress_per_broker_MiBps"]
    return {
        "egress_MiBps": (out, said["egress_MiBps"], 0.5),
        "brokers_raw": (raw, said["brokers_raw"], 0.5),
        "brokers": (up(raw / given["azs"]) * given["azs"], said["brokers"], 0),
    }


@case("aws-toolkit-ebs-ceiling")
def msk_disk_writes(given: Any, said: Any) -> Rows:
    ours = stored_rate(given["client_ingress_per_broker_MiBps"], given["RF"], 1)
    return {"broker_write_io_MiBps": (ours, said["broker_write_io_MiBps"], 0.5)}


_SIZER = CASES["aws-msk-sizer-run-A"]["inputs"]


@case("aws-toolkit-sizer-formula")
def msk_sizer_formula(_given: Any, said: Any) -> Rows:
    near = crossing(_SIZER["avg_data_in_mbs"], 3, 3, _SIZER["avg_data_out_mbs"] / _SIZER["avg_data_in_mbs"])
    seconds = _SIZER["primary_retention_hours"] * 3600.0
    values = {"avg_in": 100.0, "avg_out": 200.0, "primary_retention_s": seconds, "RF": 3.0}
    client_only = said["cross_az_gib"].replace(" without rack-aware fetch", "").replace(" (", "").replace(")", "")
    return {
        "cross_az_gib, a second, in MiB": (near.produce + near.consume, evaluated(client_only, **values), 0),
        "ebs_gib": (stored(100, seconds, 3) / KIB / 0.5, evaluated(said["ebs_gib"], **values), 0),
    }


def _limits(family: str) -> dict[str, float]:
    """Recommended replicas a broker by size, from the table that writes some sizes as a range."""
    sizes = ("large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge")
    table = CASES["aws-msk-standard-partitions"]["outputs"]
    named = {size: table.get(f"kafka.{family}.{size}") for size in sizes}
    above = next(row for name, row in table.items() if name.startswith(f"kafka.{family}.4xlarge"))
    return {size: float((row or above)["recommended"]) for size, row in named.items()}


def _standard(given: Any, specs: Any, replicas: float) -> dict[str, float]:
    """Brokers by limit for one Standard type: the program's factors for zone loss, lag and rebalancing."""
    tiered = 1.5 if given["retention_hours"] > given["primary_retention_hours"] else 0.0
    fan_out = given["peak_data_out_mbs"] / given["peak_data_in_mbs"]
    one = min(specs["ebs_MiBps"] / (6.5 + tiered), specs["nic_MiBps"] / (5.7 + tiered + 1.5 * fan_out))
    usable = one * given["utilization_standard"]
    disk = stored(given["avg_data_in_mbs"], given["primary_retention_hours"] * 3600, given["replication_factor"])
    return {
        "ingress": given["peak_data_in_mbs"] / usable,
        "egress": given["peak_data_out_mbs"] / (usable * fan_out),
        "partitions": given["num_partitions"] / replicas,
        "storage": disk / KIB * 2.0 / 16384,
    }


def _express(given: Any, ingress: float, replicas: float) -> dict[str, float]:
    """Brokers by limit for one Express type; the program applies its utilisation to ingress only."""
    return {
        "ingress": given["peak_data_in_mbs"] / (ingress * given["utilization_express"]),
        "egress": given["peak_data_out_mbs"] / (ingress * 2.5),
        "partitions": given["num_partitions"] / replicas,
    }


@case("aws-msk-sizer-run-A", "aws-msk-sizer-run-B")
def msk_sizer_run(given: Any, said: Any) -> Rows:
    specs = CASES["aws-msk-sizer-specs"]["outputs"]
    quotas = CASES["aws-msk-express-limits"]["outputs"]
    found: Rows = {}
    for name, row in said["per_instance"].items():
        _, family, size = name.removesuffix(" (Express)").split(".")
        if name.endswith("(Express)"):
            # The program holds the quotas as 500 MiB/s over a power of two; the page rounds them (15.6 for 15.625).
            exact = min((15.625, 31.25, 62.5, 125.0, 250.0, 375.0, 500.0), key=lambda q: _off(q, quotas, size))
            needed = _express(given, exact, quotas[size]["partitions_recommended"])
        else:
            needed = _standard(given, specs[name], _limits(family)[size])
        whole = {limit: up(up(count) / 3) * 3 for limit, count in needed.items()}
        binding = max(whole, key=lambda limit: whole[limit])
        found[f"{name} brokers"] = (whole[binding], row["brokers"], 0)
        found[f"{name} bottleneck is {row['bottleneck']}"] = (float(binding == row["bottleneck"]), 1, 0)
    return found


def _off(quota: float, quotas: Any, size: str) -> float:
    return abs(quota - float(quotas[size]["ingress_sustained_MBps"]))


# Identities that several guides publish


@case("cloudera-rw")
def cloudera(_given: Any, said: Any) -> Rows:
    found: Rows = {}
    for rate, copies, groups in ((50.0, 3, 2), (120.0, 2, 5)):
        values = {"W": rate, "R": float(copies), "C": float(groups)}
        found[f"writes, R {copies}"] = (bytes_in(rate, copies), evaluated(said["writes"], **values), 0)
        found[f"reads, R {copies}, C {groups}"] = (
            bytes_out(rate, copies, groups),
            evaluated(said["reads"], **values),
            0,
        )
    return found


@case("amqstreams-formula")
def amq_streams_formula(_given: Any, said: Any) -> Rows:
    values = {"W": 20.0, "R": 3.0, "C": 3.0, "L": 1.0}
    ins, outs = bytes_in(20, 3), bytes_out(20, 3, 3)
    return {
        "net_write": (ins, evaluated(said["net_write"], **values), 0),
        "net_read": (outs, evaluated(said["net_read"], **values), 0),
        "disk, one reader lags": (ins + read(20, 1), evaluated(said["disk"], **values), 0),
        "net_util": (
            max(ins, outs) / 125,
            evaluated(said["net_util"], net_read=outs, net_write=ins, Ns=125),
            0,
        ),
    }


@case("amqstreams-screenshot")
def amq_streams_screenshot(given: Any, said: Any) -> Rows:
    rate = produced_rate(given["msg_per_s"], given["msg_bytes"])
    text = CASES["amqstreams-formula"]["outputs"]
    busiest = max(bytes_in(rate, 3), bytes_out(rate, 3, given["consumer_groups"])) / MB / (given["nic_Gbps"] / 8 * 1000)
    disk = bytes_in(rate, 3) / MB / given["disk_MBps"]
    limit = given["max_util"]
    brokers = evaluated(text["brokers"], net_util=busiest, disk_util=disk, max_util=limit, R=given["RF"])
    total = stored(rate, given["retention_days"] * DAY, 3) / GB
    return {
        "daily_disk_GB": (stored(rate, DAY, 3) / GB, said["daily_disk_GB"], 0.5),
        "total_disk_GB": (total, said["total_disk_GB"], 0.5),
        "brokers": (brokers, said["brokers"], 0),
        "disk_per_broker_GB": (
            evaluated(text["disk_per_broker_GB"], total=total, brokers=brokers),
            said["disk_per_broker_GB"],
            0,
        ),
        "subscription_cores": (
            evaluated(text["cores"], brokers=brokers, vcpus=said["vcpus_per_broker"]),
            said["subscription_cores"],
            0,
        ),
    }


@case("rao-partitions")
def rao_partitions(_given: Any, said: Any) -> Rows:
    found: Rows = {}
    for target, produce, consume in ((100.0, 20.0, 8.0), (90.0, 5.0, 30.0)):
        theirs = evaluated(said["partitions_min"], t=target, p=produce, c=consume)
        found[f"partitions_min, t {target:g}, p {produce:g}, c {consume:g}"] = (
            needed_partitions(target, produce, consume),
            theirs,
            0,
        )
    return found


@case("rao-unclean")
def rao_unclean(given: Any, said: Any) -> Rows:
    name = "unavailability_s_plus_detection"
    return {name: (given["leaders"] * given["ms_per_election"] / 1000, said[name], 0.5)}


@case("rao-controller")
def rao_controller(given: Any, said: Any) -> Rows:
    ours = given["partitions_in_cluster"] * given["ms_per_partition_metadata_init"] / 1000
    return {"extra_unavailability_s": (ours, said["extra_unavailability_s"], 0.5)}


_LATENCY_CAP = CASES["rao-latency-cap"]["outputs"]["partitions_per_broker_max"]


@case("rao-latency-cap", "rao-latency-cap-example-6")
def rao_latency_cap(_given: Any, _said: Any) -> Rows:
    example = CASES["rao-latency-cap-example-6"]
    ours = evaluated(_LATENCY_CAP, b=example["inputs"]["brokers"], r=example["inputs"]["RF"])
    return {"partitions_per_broker_max, 6 brokers, RF 3": (ours, example["outputs"]["partitions_per_broker_max"], 0)}


@case("rao-latency-cap-misuse")
def rao_latency_cap_misuse(given: Any, said: Any) -> Rows:
    each = evaluated(_LATENCY_CAP, b=given["brokers"], r=given["RF"])
    name = "partitions_total_in_cluster_published"
    return {name: (each * given["brokers"], said[name], 0)}


@case("instaclustr-kraft")
def map_limit(given: Any, said: Any) -> Rows:
    ours = handles.segments_at_map_limit(
        max_map_count=given["vm_max_map_count_default"],
        base_mmaps=0,  # the source counts partitions alone; a broker's own 450 areas leave 32 540
        maps_per_segment=given["map_areas_per_partition"],
    )
    return {"default_ceiling_partitions_per_broker": (float(ours), said["default_ceiling_partitions_per_broker"], 0)}


@case("apache-mmap")
def maps(given: Any, said: Any) -> Rows:
    ours = handles.mmaps(
        segments=given["partitions_on_broker"] * given["segments_per_partition"],
        maps_per_segment=given["map_areas_per_segment"],
        base_mmaps=0,
    )
    return {"map_areas": (float(ours), said["map_areas"], 0)}


@case("apache-fd")
def descriptors(_given: Any, said: Any) -> Rows:
    values = {"partitions": 500.0, "partition_size": 20 * GIB, "segment_size": GIB, "connections": 800.0}
    ours = handles.open_files(segments=500 * 20, deleted_segments=0, connections=800, base_open_files=0)
    return {"file_descriptors_min": (float(ours), evaluated(said["file_descriptors_min"], **values), 0)}


@case("apache-memory30")
def thirty_seconds(_given: Any, said: Any) -> Rows:
    ours = memory.page_cache_bytes(disk_write_bytes_per_s=200 * MB, page_cache_s=30)
    theirs = evaluated(said["memory"].removesuffix(" s"), write_throughput=200 * MB)
    return {"memory at 200 MB/s": (float(ours), theirs, 0)}


@case("apache-throttle")
def throttle(_given: Any, _said: Any) -> Rows:
    def moves(throttle_bytes_per_s: float) -> float:
        rate = recovery.refill_rate_bytes_per_s(
            target_spare_bytes_per_s=1e9,
            source_spare_bytes_per_s=1e9,
            throttle_spare_bytes_per_s=throttle_bytes_per_s - 50 * MB,
        )
        return float(rate > 0)

    return {
        "progress at 50 MB/s of writes, throttle 49 MB/s": (moves(49 * MB), 0, 0),
        "progress at 50 MB/s of writes, throttle 51 MB/s": (moves(51 * MB), 1, 0),
    }


@case("lsst-memory30")
def lsst(given: Any, said: Any) -> Rows:
    rate = produced_rate(given["alerts_per_s"], given["alert_KB"] * 1000)
    ours = memory.page_cache_bytes(disk_write_bytes_per_s=rate, page_cache_s=given["buffer_s"])
    return {"memory_published, GB": (float(ours) / GB, float(said["memory_published"].split("+")[0]), 0.5)}


@case("huawei-network")
def huawei_network(given: Any, said: Any) -> Rows:
    budget = given["traffic_per_broker_MBps"] * given["brokers"]

    def used(produced: float) -> float:
        share = utilisation.network_in_utilisation(
            network_in_bytes_per_s=bytes_in(produced, given["RF"]),
            network_out_bytes_per_s=bytes_out(produced, given["RF"], 1),
            disk_write_bytes_per_s=0,
            disk_read_bytes_per_s=0,
            storage_shares_network=0,
            half_duplex=1,
            capacity_bytes_per_s=budget,
        )
        return float(share)

    most = 1 / used(1.0)
    return {
        "total_MBps": (budget, said["total_MBps"], 0.5),
        "max_write_MBps": (most, said["max_write_MBps"], 0.5),
        "max_read_MBps": (read(most, 1), said["max_read_MBps"], 0.5),
    }


@case("alibaba-brokers")
def alibaba(_given: Any, said: Any) -> Rows:
    found: Rows = {}
    for rate, readers, copies in ((300.0, 2, 3), (50.0, 1, 3)):
        ours = max(4, (bytes_in(rate, copies) + bytes_out(rate, copies, readers)) * 2 / 400)
        theirs = evaluated(said["brokers"], peak_in=rate, f=readers, r=copies)
        found[f"brokers at {rate:g} MB/s, fan-out {readers}"] = (ours, theirs, 0)
    return found


@case("gcp-vcpu")
def gcp_vcpu(_given: Any, said: Any) -> Rows:
    write = bytes_in(100, 3)
    out = bytes_out(100, 3, 1)
    values = {"p": 100.0, "c": 100.0, "replicas": 3.0, "utilization": 0.5}
    theirs = {name: evaluated(said[name], **values) for name in ("write_bw", "read_bw")}
    weighed = evaluated(said["write_equivalent"], **theirs)
    vcpus = evaluated(said["vcpus"].split(", min")[0], write_equivalent=weighed, utilization=0.5)
    return {
        "write_bw": (write, theirs["write_bw"], 0),
        "read_bw": (out, theirs["read_bw"], 0),
        "vcpus": (up((write + out / 4) / 20 / 0.5), vcpus, 0),
    }


@case("syalioune-formula")
def syalioune(_given: Any, said: Any) -> Rows:
    theirs = evaluated(said["total_io"].removeprefix("peak*"), RF=3, CG=2)
    return {"total_io of 1 byte/s, busiest lane": (max(bytes_in(1, 3), bytes_out(1, 3, 2)), theirs, 0)}


@case("devcraftly-formula")
def devcraftly(_given: Any, said: Any) -> Rows:
    values = {"W": 9.6, "F": 3.0, "T": 7 * DAY, "RF": 3.0}
    return {
        "read": (read(9.6, 3), evaluated(said["read"], **values), 0),
        "replicated": (stored(9.6, 7 * DAY, 3), evaluated(said["replicated"], **values), 0),
    }


@case("duckkit-overhead")
def duckkit(_given: Any, said: Any) -> Rows:
    # 500-byte values without key, 50 a batch: overhead of a record, without its share of the batch header.
    section = records.records_section_bytes(
        records=50, key_bytes=-1, value_bytes=500, headers_bytes=1, timestamp_step_ms=0
    )
    return {"record_overhead_bytes": (float(section) / 50 - 500, said["record_overhead_bytes"], 0.5)}


# Oracle, Redpanda


@case("oracle-disk-1", "oracle-disk-2")
def oracle_disk(given: Any, said: Any) -> Rows:
    rate = produced_rate(given["msgs_per_s"], given["msg_bytes"]) / MIB
    copies = given["topic_copies_T"]
    # Each further copy of the topic is made by a step that reads the one before it.
    readers = copies - 1 + given["consumer_groups_C"]
    reads = followed(rate * copies, given["RF"]) + read(rate, readers)
    return {
        "total_write_MBps": (up(bytes_in(rate * copies, given["RF"])), said["total_write_MBps"], 0),
        "total_read_MBps": (up(reads), said["total_read_MBps"], 0),
    }


@case("oracle-pvc-5min")
def oracle_volume(given: Any, said: Any) -> Rows:
    rate = produced_rate(given["msgs_per_s"], given["msg_bytes"])
    return {"storage_GB": (stored(rate, given["retention_s"], given["RF"]) / GIB, said["storage_GB"], 0.005)}


@case("redpanda-net")
def redpanda_net(given: Any, said: Any) -> Rows:
    rate, copies, groups = given["produce_MBps"], given["RF"], given["consumer_groups"]
    ours = {
        "replication_MBps": followed(rate, copies),
        "client_ingress_MBps": bytes_in(rate, 1),
        "client_egress_MBps": read(rate, groups),
        "in_MBps": bytes_in(rate, copies),
        "out_MBps": bytes_out(rate, copies, groups),
    }
    return {name: (value, said[name], 0.5) for name, value in ours.items()}


@case("redpanda-low-disk")
def redpanda_low_disk(given: Any, said: Any) -> Rows:
    rate = stored_rate(given["produce_MBps"] * MB, given["RF"], given["nodes"])
    return {
        "GB_per_node_hour": (stored(rate, 3600) / GB, said["GB_per_node_hour"], 0.5),
        "TB_per_node_day": (stored(rate, DAY) / TB, said["TB_per_node_day"], 0.05),
    }


@case("redpanda-medium-rf3-n3", "redpanda-medium-rf3-n5")
def redpanda_medium(given: Any, said: Any) -> Rows:
    rate, nodes = given["produce_MBps"], given["nodes"]
    upload = float(traffic.tier_out_bytes_per_s(produce_in_bytes_per_s=rate, tiered=1))
    readers = (given["consume_incl_tiered_MBps"] - upload) / rate
    reads = (read(rate, readers) + upload) / nodes
    return {
        "writes_per_node_MBps": (up(stored_rate(rate, given["RF"], nodes)), said["writes_per_node_MBps"], 0),
        "reads_per_node_MBps": (up(reads), said["reads_per_node_MBps"], 0),
    }


@case("redpanda-medium-net")
def redpanda_medium_net(given: Any, said: Any) -> Rows:
    rate = given["produce_MBps"]
    total = bytes_in(rate, given["RF"]) + read(rate, given["consume_MBps"] / rate)
    return {
        "total_MBps": (total, said["total_MBps"], 0.5),
        "Gbps": (total * 8 / 1000, said["Gbps"], 0.5),
    }


def _local_hours(terabytes: float, produced_mb: float, nodes: float) -> float:
    return terabytes * TB / stored_rate(produced_mb * MB, 3, nodes) / 3600


@case("redpanda-local-retention-ok")
def redpanda_local(_given: Any, said: Any) -> Rows:
    # The inputs are sentences: 500 MB/s on three nodes of 30, 15, 9 TB; 1000 MB/s on five of 30 and 9 TB.
    found: Rows = {
        f"medium_hours, {size} TB": (_local_hours(size, 500, 3), hours, 0.5)
        for size, hours in zip((30, 15, 9), said["medium_hours"], strict=True)
    }
    found["high_bare_metal_h"] = (_local_hours(30, 1000, 5), said["high_bare_metal_h"], 0.5)
    found["high_gcp_h"] = (_local_hours(9, 1000, 5), said["high_gcp_h"], 0.5)
    return found


@case("redpanda-local-retention-bad")
def redpanda_local_bad(_given: Any, said: Any) -> Rows:
    return {
        "high_aws_h": (_local_hours(30, 1000, 5), said["high_aws_h"], 0.5),
        "azure_medium_days": (_local_hours(20, 500, 3) / 24, said["azure_medium_days"], 0.5),
        "azure_high_days": (_local_hours(30, 1000, 5) / 24, said["azure_high_days"], 0.5),
        "producer_plus_replication_Gbps": (bytes_in(1000, 3) * 8 / 1000, said["producer_plus_replication_Gbps"], 0.5),
    }


@case("redpanda-mem-partition")
def redpanda_memory(given: Any, said: Any) -> Rows:
    total = given["partitions"] * given["RF"] * given["MB_per_replica"] / 1000
    return {
        "memory_GB": (total, said["memory_GB"], 0.5),
        "memory_per_broker_GB": (total / given["brokers"], said["memory_per_broker_GB"], 0.5),
    }


@case("redpanda-decom-rate")
def redpanda_rate(given: Any, said: Any) -> Rows:
    rate = given["throughput_MBps"] * MB
    return {
        "TB_per_hour": (stored(rate, 3600) / TB, said["TB_per_hour"], 0.005),
        "TB_per_day": (stored(rate, DAY) / TB, said["TB_per_day"], 0.005),
        "TB_per_week": (stored(rate, 7 * DAY) / TB, said["TB_per_week"], 0.005),
    }


@case("redpanda-decom-30min", "redpanda-decom-1d")
def redpanda_decommission(given: Any, said: Any) -> Rows:
    total = stored(given["throughput_MBps"] * MB, given["retention_s"]) * given["padding_factor"]
    # 3 800 is 3 801.6 at two digits, so half a unit of what is printed is 50.
    half = 0.05 if given["retention_s"] < DAY else 50
    return {
        "total_TB": (total / TB, said["total_TB"], 0.0005),
        "per_broker_GB": (total / GB / given["brokers"], said["per_broker_GB"], half),
    }


# Calculators and spreadsheets


def _from_records_a_day(given: Any) -> tuple[float, float]:
    """Average bytes per second and stored bytes."""
    rate = produced_rate(given["msgs_per_day"] / DAY, given["msg_bytes"])
    return rate, stored(rate, given["retention_h"] * 3600, given["RF"])


@case("abcdedf-2B")
def abcdedf_2b(given: Any, said: Any) -> Rows:
    rate, kept = _from_records_a_day(given)
    return {
        "avg_msgs_per_s": (rate / given["msg_bytes"], said["avg_msgs_per_s"], 0.5),
        "avg_Mbps": (rate * 8 / MB, said["avg_Mbps"], 0.5),
        "stored_TB": (kept / TB, said["stored_TB"], 0.05),
    }


@case("abcdedf-iot")
def abcdedf_iot(given: Any, said: Any) -> Rows:
    rate, _ = _from_records_a_day(given)
    peak = rate * given["peak_x"]
    busiest = bytes_in(peak, given["RF"]) * 8
    return {
        "avg_Mbps": (rate * 8 / MB, said["avg_Mbps"], 0.5),
        "peak_Mbps": (peak * 8 / MB, said["peak_Mbps"], 0.5),
        "peak_with_RF_Gbps": (busiest / GB, said["peak_with_RF_Gbps"], 0.05),
        "brokers_network": (up(busiest / GB / given["nic_Gbps"] / given["utilization"]), said["brokers_network"], 0),
    }


@case("abcdedf-standard")
def abcdedf_standard(given: Any, said: Any) -> Rows:
    rate, kept = _from_records_a_day(given)
    peak = rate * given["peak_x"]
    busiest = bytes_in(peak, given["RF"]) * 8
    return {
        "peak_Tbps": (peak * 8 / TB, said["peak_Tbps"], 0.005),
        "peak_with_RF_Tbps": (busiest / TB, said["peak_with_RF_Tbps"], 0.005),
        "stored_PB": (kept / PB, said["stored_PB"], 0.05),
        "brokers_network": (up(busiest / GB / given["nic_Gbps"] / given["utilization"]), said["brokers_network"], 0),
        "brokers_disk": (up(kept / TB / given["disk_TB"]), said["brokers_disk"], 0),
    }


@case("purbon-main-storage")
def purbon_storage(given: Any, said: Any) -> Rows:
    rate = produced_rate(given["msgs_per_day"] / DAY, given["msg_bytes"])
    mib = up(stored(rate, given["retention_days"] * DAY, given["RF"]) / MIB - 1e-6)
    return {
        "storage_MiB": (mib, said["storage_MiB"], 0),
        "storage_GiB": (up(mib / KIB), said["storage_GiB"], 0),
    }


@case("purbon-main-network")
def purbon_network(given: Any, said: Any) -> Rows:
    out = read(produced_rate(given["msgs_per_s_max"], given["msg_bytes"]), given["subscribers"])
    return {"nodes_by_network": (up(out / 125e6), said["nodes_by_network"], 0)}


@case("purbon-partitions")
def purbon_partitions(given: Any, said: Any) -> Rows:
    ours = needed_partitions(given["target_MBps"], given["write_MBps_per_partition"], given["read_MBps_per_partition"])
    return {"partitions_by_throughput": (up(ours), said["partitions_by_throughput"], 0)}


@case("purbon-tiered")
def purbon_tiered(given: Any, said: Any) -> Rows:
    found: Rows = {}
    for (rate, seconds), (segments, gigabytes) in zip(
        given["rows_produce_MBps_hotset_s"], said["rows_segments_hotset_GB"], strict=True
    ):
        hot = stored(rate * MB, seconds, given["RF"])
        found[f"hotset_GB, {rate} MB/s, {seconds} s"] = (hot / GB, gigabytes, 0.05)
        found[f"segments, {rate} MB/s, {seconds} s"] = (hot / (given["segment_MB"] * MB), segments, 0.5)
    for minutes in (15, 30):
        for (rate, _), gigabytes in zip(
            given["rows_produce_MBps_hotset_s"][:3], said[f"lag{minutes}min_GB_first3"], strict=True
        ):
            found[f"lag{minutes}min_GB, {rate} MB/s"] = (stored(rate * MB, minutes * 60) / GB, gigabytes, 0.05)
    return found


@case("purbon-by-topic")
def purbon_by_topic(given: Any, said: Any) -> Rows:
    found: Rows = {}
    totals = {"total_storage_GiB": 0.0, "total_ingress_Bps": 0.0, "total_net_MiBps": 0.0}
    for topic, cells in zip(given["topics"], said["per_topic"], strict=True):
        average = produced_rate(topic["msgs_per_day"] / DAY, topic["msg_bytes"])
        peak = produced_rate(topic["msgs_per_s_max"], topic["msg_bytes"])
        # The sheet rounds up at each step: whole MiB, then hundredths of a GiB.
        mib = up(stored(average, topic["retention_days"] * DAY, topic["RF"]) / MIB - 1e-6)
        gib = up(mib / KIB * 100) / 100
        network = up(bytes_in(peak, topic["RF"]) / MIB * 100) / 100
        name = topic["name"]
        found[f"{name} storage_MiB"] = (mib, cells["storage_MiB"], 0)
        found[f"{name} storage_GiB"] = (gib, cells["storage_GiB"], 0)
        found[f"{name} ingress_Bps"] = (peak, cells["ingress_Bps"], 0.5)
        found[f"{name} replicated_net_MiBps"] = (network, cells["replicated_net_MiBps"], 0)
        totals["total_storage_GiB"] += gib
        totals["total_ingress_Bps"] += peak
        totals["total_net_MiBps"] += network
    return found | {name: (value, said[name], 0.005) for name, value in totals.items()}


@case("skybet-memory")
def skybet(given: Any, said: Any) -> Rows:
    cache = memory.page_cache_bytes(disk_write_bytes_per_s=given["write_MBps"] * MB, page_cache_s=given["buffer_s"])
    total = float(cache) / GB
    return {
        "cluster_memory_GB": (total, said["cluster_memory_GB"], 5),  # printed in tens
        "per_server_GB": (total / given["servers"], said["per_server_GB"], 0.5),
    }


@case("arika-brokers")
def arika(given: Any, said: Any) -> Rows:
    kept = stored(given["ingress_MBps"], given["retention_s"], given["RF"])
    return {"brokers": (up(kept / (given["disk_TB"] * MB) / given["fill_limit"]), said["brokers"], 0)}


@case("codingace-partitions")
def codingace(given: Any, said: Any) -> Rows:
    rate = produced_rate(given["msgs_per_s"], given["msg_bytes"])
    peak = rate * given["peak_x"]
    budget = given["write_MBps_per_partition"] * MIB * given["utilization"]
    raw = needed_partitions(peak, budget)
    return {
        "base_MBps": (rate / MIB, said["base_MBps"], 0.05),
        "peak_MBps": (peak / MIB, said["peak_MBps"], 0.05),
        "partitions_suggested": (partitions.useful_count(raw, 1.25, multiple=6), said["partitions_suggested"], 0),
    }


# Cross-zone traffic and cost


@case("automq-crossaz-300")
def automq_300(given: Any, said: Any) -> Rows:
    ours = crossing(given["produce_MiBps"], given["RF"], given["azs"], given["read_fanout"])
    return {"cross_az_MiBps": (ours.total, said["cross_az_MiBps"], 0.5)}


@case("automq-crossaz-100")
def automq_100(given: Any, said: Any) -> Rows:
    rate = given["produce_MiBps"]  # the source goes on as if MiB were MB
    seconds = given["days"] * DAY
    price = float(given["usd_per_GB"])
    far = crossing(rate, given["RF"], given["azs"], given["consumer_groups"])
    near = crossing(rate, given["RF"], given["azs"], given["consumer_groups"], nearest=True)

    def dollars(megabytes_per_s: float) -> float:
        return float(megabytes_per_s * seconds / 1000 * price)

    return {
        "usd_month_low_with_fetch_from_follower": (
            dollars(near.total),
            said["usd_month_low_with_fetch_from_follower"],
            500,
        ),
        "usd_month_high": (dollars(far.total), said["usd_month_high"], 500),
        "producer_TB_month": (far.produce * seconds / MB, said["producer_TB_month"], 0.5),
        "producer_usd": (dollars(far.produce), said["producer_usd"], 5),
        "replication_usd": (dollars(far.replication), said["replication_usd"], 10),  # from 518 TB, a whole number
    }


@case("kozlovski-crossaz")
def kozlovski(given: Any, said: Any) -> Rows:
    ours = crossing(given["produce_MBps"], given["RF"], given["azs"], given["consumer_groups"])
    dollars_per_s = ours.total / 1000 * 2 * given["usd_per_GB_each_way"]
    return {
        "produce_cross_MBps": (ours.produce, said["produce_cross_MBps"], 0.5),
        "replication_cross_MBps": (ours.replication, said["replication_cross_MBps"], 0.5),
        "consume_cross_MBps": (ours.consume, said["consume_cross_MBps"], 0.5),
        "total_cross_MBps": (ours.total, said["total_cross_MBps"], 0.5),
        "usd_per_s": (dollars_per_s, said["usd_per_s"], 0.00005),
        "usd_per_day": (math.floor(dollars_per_s * DAY), said["usd_per_day"], 0),  # cut, not rounded: 241.92
        "usd_per_month": (dollars_per_s * 31 * DAY, said["usd_per_month"], 50),
        "usd_per_year": (dollars_per_s * 365 * DAY, said["usd_per_year"], 50),
    }


@case("krivaltsevich-cost")
def krivaltsevich_cost(given: Any, said: Any) -> Rows:
    rate = given["produce_MiBps"]
    resident = stored(rate, given["retention_days"] * DAY, given["RF"]) / KIB
    ours = crossing(rate, given["RF"], 3, given["fanout"])
    price = given["usd_crossaz_GiB"]
    return {
        "ingress_GiB_month": (stored(rate, MONTH) / KIB, said["ingress_GiB_month"], 0.5),
        "resident_GiB": (resident, said["resident_GiB"], 0.5),
        "storage_usd": (resident * given["usd_disk_GiB_month"], said["storage_usd"], 50),
        "replication_usd": (ours.replication * MONTH / KIB * price, said["replication_usd"], 50),
        "produce_usd": (ours.produce * MONTH / KIB * price, said["produce_usd"], 50),
    }


@case("krivaltsevich-main")
def krivaltsevich_main(given: Any, said: Any) -> Rows:
    rate = produced_rate(given["msgs_per_s"], given["msg_bytes"])
    ours = {
        "ingress_MBps": rate / MB,
        "replication_MBps": followed(rate, given["RF"]) / MB,
        "egress_MBps": bytes_out(rate, given["RF"], given["fanout"]) / MB,
        "disk_write_MBps": bytes_in(rate, given["RF"]) / MB,
    }
    found: Rows = {name: (value, said[name], 0.5) for name, value in ours.items()}
    found["disk_raw_TB"] = (stored(rate, given["retention_s"], given["RF"]) / TB, said["disk_raw_TB"], 0.05)
    return found


@case("krivaltsevich-main-disk")
def krivaltsevich_disk(given: Any, said: Any) -> Rows:
    main = CASES["krivaltsevich-main"]["inputs"]
    kept = stored(produced_rate(main["msgs_per_s"], main["msg_bytes"]), main["retention_s"], main["RF"]) / TB
    return {
        f"brokers of {size} TB": (up(kept / size), brokers, 0)
        for size, brokers in zip(given["disk_per_broker_TB"], said["brokers"], strict=True)
    }


@case("krivaltsevich-tier1")
def krivaltsevich_tier(given: Any, said: Any) -> Rows:
    rate = produced_rate(given["events_per_s"], given["event_bytes"])
    amplification = (bytes_in(rate, 1) + followed(rate, given["RF"]) + read(rate, given["groups"])) / rate
    ceiling = given["nic_MBps"] / amplification
    wanted = needed_partitions(rate / MB, given["Tp_MBps"], given["Tc_MBps"])
    brokers = up(rate / MB / ceiling)
    return {
        "T_MBps_published": (rate / MB, said["T_MBps_published"], 0.5),
        "amplification": (amplification, said["amplification"], 0),
        "ceiling_MBps": (ceiling, said["ceiling_MBps"], 0.5),
        "partitions_min": (up(wanted), said["partitions_min"], 0),
        "brokers": (brokers, said["brokers"], 0),
        "brokers_n_minus_1": (brokers + 1, said["brokers_n_minus_1"], 0),
        "disk_write_GBps": (bytes_in(rate, given["RF"]) / GB, said["disk_write_GBps"], 0.5),
    }


@case("netflix-formula")
def netflix(_given: Any, said: Any) -> Rows:
    # The program's answer for a zone at 100 MiB/s, two readers, RF 3, 8 h: 7 030 GiB, 1 565 Mbit/s, 19 GiB of
    # memory, each cut to whole numbers on the way (run of 2026-11-23, version 0.3.212).
    rate = 100 * MIB
    values = {"X": rate, "RF": 3.0, "consumers": 2.0}
    ins, outs = bytes_in(rate, 3), bytes_out(rate, 3, 2)
    hot = memory.page_cache_bytes(disk_write_bytes_per_s=rate, page_cache_s=600)
    return {
        "bw_in": (ins, evaluated(said["bw_in"], **values), 0),
        "bw_out": (outs, evaluated(said["bw_out"], **values), 0),
        "network_per_zone, Mbit/s": (math.floor(max(ins, outs) * 1.4 / 3 * 8 / MB), 1565, 0),
        "disk_per_zone, GiB": (stored(rate, 8 * 3600, 3) / 3 / GIB * 2.5, 7030, 2.5),
        "memory_per_zone, GiB": (math.floor(float(hot) / GIB) // 3, 19, 0),
    }


# Limits, quotas, memory


@case("kdg-limits-example")
def kdg(given: Any, said: Any) -> Rows:
    replicas = given["brokers"] * given["replicas_per_broker"]
    return {
        "replicas": (replicas, said["replicas"], 0),
        "partitions_approx": (replicas / given["RF"], said["partitions_approx"], 500),
    }


@case("ibm-standard")
def ibm_standard(given: Any, said: Any) -> Rows:
    return {
        f"throughput_MBps, {count} partitions": (min(count * given["MBps_per_partition"], given["cap_MBps"]), rate, 0)
        for count, rate in zip(given["partitions"], said["throughput_MBps"], strict=True)
    }


@case("ibm-retention-bytes")
def ibm_retention(given: Any, said: Any) -> Rows:
    kept = stored(given["MB_per_day"] / DAY, given["days"] * DAY)
    return {
        f"retention_bytes_MB, {count} partitions": (kept / count, megabytes, 0.5)
        for count, megabytes in zip(given["partitions"], said["retention_bytes_MB"], strict=True)
    }


@case("huawei-storage")
def huawei_storage(given: Any, said: Any) -> Rows:
    kept = stored(given["message_volume_GB"], 1, given["RF"])
    reserved = given["reserved_per_broker_GB"] * given["brokers"]
    return {"disk_min_GB": (kept + reserved, said["disk_min_GB"], 0.5)}


@case("confluent-page-cache")
def confluent_cache(given: Any, said: Any) -> Rows:
    low, high = (float(part) for part in said["file_cache_GB"].split("-"))
    return {
        "file_cache_GB, heap in use 4 GB": (given["ram_GB"] - 4, low, 0.5),
        "file_cache_GB, heap in use 2 GB": (given["ram_GB"] - 2, high, 0.5),
    }


@case("cloudera-cache")
def cloudera_cache(given: Any, said: Any) -> Rows:
    seconds = memory.cached_s(cache_bytes=given["memory_GB"] * GB, disk_write_bytes_per_s=given["write_MBps"] * MB)
    # Published as roughly the last ten minutes: a tenth.
    return {"cached_minutes_approx": (float(seconds) / 60, said["cached_minutes_approx"], 1)}


@case("capacitymodel-snippet")
def teaching_snippet(given: Any, said: Any) -> Rows:
    rate = produced_rate(given["msgs_per_s"], given["msg_bytes"]) / MB
    busiest = max(rate, read(rate, given["consumer_groups"]))
    kept = stored(rate * MB, given["retention_days"] * DAY, given["RF"]) / TB
    return {
        "brokers_comment": (up(busiest / given["MBps_per_broker"]), said["brokers_comment"], 0),
        "storage_TB_comment": (kept, said["storage_TB_comment"], 0.5),
    }
