"""Settings of the brokers: a fragment of server.properties, and what Cruise Control has to know of the machines."""

from __future__ import annotations

import json
import math

from planner.catalogue import broker_spec
from planner.reports.artefacts.writing import Artefact, LeftOut, made_for
from planner.results import Plan
from planner.scenario import BrokerSpec

_DEFAULT_ID = -1  # the entry of Cruise Control that stands for brokers without their own
_KIB, _MIB = 1024, 1024**2  # Cruise Control says KB and MB, and divides by 1024
_SHARES = (4, 0)  # Kafka that keeps the state of share groups in a topic
_SELECTOR = "org.apache.kafka.common.replica.RackAwareReplicaSelector"


def broker_settings(plan: Plan) -> dict[str, str | int]:
    """What every broker is configured with, by Kafka's names."""
    cluster = plan.scenario.cluster
    copies = min(3, plan.brokers.count)
    least = max(1, copies - 1)
    found: dict[str, str | int] = {
        "auto.create.topics.enable": "false",
        "default.replication.factor": copies,
        "min.insync.replicas": least,
        "offsets.topic.replication.factor": copies,
        "transaction.state.log.replication.factor": copies,
        "transaction.state.log.min.isr": least,
        "num.replica.fetchers": cluster.replica_fetchers,
        "unclean.leader.election.enable": str(plan.scenario.operations.unclean_election).lower(),
    }
    if cluster.version >= _SHARES:
        found["share.coordinator.state.topic.replication.factor"] = copies
        found["share.coordinator.state.topic.min.isr"] = least
    if cluster.fetch_from_follower:
        found["replica.selector.class"] = _SELECTOR
    return found


def log_dirs(spec: BrokerSpec) -> list[str]:
    """A folder for each volume."""
    return [f"/var/lib/kafka/data-{number}" for number in range(spec.storage.volumes)]


def tiered(plan: Plan) -> bool:
    """Whether a topic keeps its older part in remote storage."""
    return any(topic.tiered is not None for topic in plan.scenario.topics)


def server_properties(plan: Plan) -> Artefact:
    """A fragment that stands beside what tells brokers apart."""
    cluster, limits = plan.scenario.cluster, plan.scenario.cluster.limits
    lines = [
        f"# {made_for(plan.name)}",
        f"# For all {plan.brokers.count} brokers; node.id, process.roles, listeners and the quorum come on top.",
        f"# The plan counts with nofile {limits.nofile} and vm.max_map_count {limits.max_map_count}.",
    ]
    if cluster.zone_count > 1:
        lines.append("# broker.rack: the zone of each broker; replicas are spread over zones only where it is set.")
    lines.append(f"log.dirs={','.join(log_dirs(broker_spec(cluster.broker)))}")
    lines += [f"{key}={value}" for key, value in broker_settings(plan).items()]
    if tiered(plan):
        lines += ["# Remote storage needs a plug-in: remote.log.storage.manager.class.name and .class.path.name.",
                  "remote.log.storage.system.enable=true"]  # fmt: skip
    if cluster.replication_throttle is not None:
        rate = math.floor(cluster.replication_throttle)
        lines.append(f"# The replication throttle of {rate} bytes/s is set while replicas move, by kafka-configs.")
    return Artefact("server.properties", "settings that all brokers share", "\n".join(lines) + "\n")


def capacity_json(plan: Plan) -> Artefact | LeftOut:
    """Capacities of the machines as Cruise Control reads them; its own thresholds apply on top."""
    name, spec = "capacity.json", broker_spec(plan.scenario.cluster.broker)
    if spec.network_in is None or spec.network_out is None:
        return LeftOut(name, "the broker's network has no stated rate, and Cruise Control needs one")
    volume = str(math.floor(spec.storage.capacity / _MIB))
    disks: object = volume
    if spec.storage.volumes > 1:
        disks = dict.fromkeys(log_dirs(spec), volume)
    capacity = {
        "DISK": disks,
        "CPU": {"num.cores": str(max(math.floor(spec.vcpu), 1))},
        "NW_IN": str(math.floor(spec.network_in / _KIB)),
        "NW_OUT": str(math.floor(spec.network_out / _KIB)),
    }
    doc = "DISK in MiB, CPU in cores, network in KiB/s: the machine as it is, not the planned use of it."
    ids = [_DEFAULT_ID, *_ids(plan)]
    rows = [{"brokerId": str(broker), "capacity": capacity, "doc": doc} for broker in ids]
    return Artefact(name, "machines for Cruise Control", json.dumps({"brokerCapacities": rows}, indent=1) + "\n")


def _ids(plan: Plan) -> list[int]:
    """Ids of the brokers: those of the assignment, and new ones above them."""
    placed = plan.scenario.cluster.brokers_placed
    known = [] if placed is None else list(placed.brokers)
    first = max(known, default=-1) + 1
    return known + list(range(first, first + plan.brokers.count - len(known)))
