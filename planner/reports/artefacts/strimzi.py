"""The cluster and its topics as resources of the Strimzi operator, API version v1 (Strimzi 0.49 and later)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from planner.catalogue import broker_spec
from planner.constants import constant
from planner.model import memory
from planner.reports.artefacts.brokers import broker_settings
from planner.reports.artefacts.topics import topic_settings
from planner.reports.artefacts.writing import Artefact, resource_name, slug, yaml_of
from planner.results import Plan

_API = "kafka.strimzi.io/v1"
_MIB, _GIB = 1024**2, 1024**3
_CLUSTER_NAME = 40  # characters: pods and services add their own ends to it
_FIRST_CONTROLLER = 10_000  # ids of controllers, above all that brokers may have
_PATCHED = 3  # numbers in a version that names a release, 4.3.1


def cluster_name(plan: Plan) -> str:
    """The name of the cluster in Kubernetes."""
    return slug(plan.name, "kafka", _CLUSTER_NAME)


def bootstrap(plan: Plan) -> str:
    """Where clients inside Kubernetes find the cluster."""
    return f"{cluster_name(plan)}-kafka-bootstrap:{9093 if plan.scenario.cluster.tls else 9092}"


def strimzi_files(plan: Plan) -> Iterator[Artefact]:
    """The cluster in one file, its topics in another: they are applied by different people."""
    cluster = (_kafka(plan), _brokers(plan), _controllers(plan))
    yield Artefact("strimzi-cluster.yaml", "the cluster for Strimzi", yaml_of(plan.name, cluster))
    yield Artefact("strimzi-topics.yaml", "the topics for Strimzi", yaml_of(plan.name, _topics(plan)))


def _resource(plan: Plan, kind: str, name: str, spec: dict[str, Any], **annotations: str) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name}
    if kind != "Kafka":
        metadata["labels"] = {"strimzi.io/cluster": cluster_name(plan)}
    if annotations:
        metadata["annotations"] = {f"strimzi.io/{key.replace('_', '-')}": value for key, value in annotations.items()}
    return {"apiVersion": _API, "kind": kind, "metadata": metadata, "spec": spec}


def _kafka(plan: Plan) -> dict[str, Any]:
    cluster = plan.scenario.cluster
    listener = {"name": "tls", "port": 9093, "type": "internal", "tls": True}
    if not cluster.tls:
        listener = {"name": "plain", "port": 9092, "type": "internal", "tls": False}
    kafka: dict[str, Any] = {"version": cluster.kafka_version} if len(cluster.version) == _PATCHED else {}
    kafka |= {"listeners": [listener], "config": broker_settings(plan)}
    if cluster.zone_count > 1:
        kafka["rack"] = {"type": "topology-label", "topologyKey": "topology.kubernetes.io/zone"}
    spec: dict[str, Any] = {"kafka": kafka, "entityOperator": {"topicOperator": {}, "userOperator": {}}}
    if plan.scenario.policy.placement == "balanced" or plan.scenario.policy.survive.after_loss == "re-replicate":
        spec["cruiseControl"] = {"brokerCapacity": _capacity(plan)}
    return _resource(plan, "Kafka", cluster_name(plan), spec)


def _capacity(plan: Plan) -> dict[str, str]:
    """What Cruise Control, which keeps this plan's placement even, has to know; Strimzi knows the disks."""
    spec = broker_spec(plan.scenario.cluster.broker)
    rates = {"inboundNetwork": spec.network_in, "outboundNetwork": spec.network_out}
    found = {"cpu": f"{spec.vcpu:.3f}"}
    return found | {key: f"{math.floor(rate)}B/s" for key, rate in rates.items() if rate is not None}


def _brokers(plan: Plan) -> dict[str, Any]:
    storage = broker_spec(plan.scenario.cluster.broker).storage
    volumes = [
        {"id": number, "type": "persistent-claim", "size": _size(storage.capacity)}
        | ({"kraftMetadata": "shared"} if number == 0 else {})
        for number in range(storage.volumes)
    ]
    fullest = max(_checked(plan), key=lambda figures: figures["memory_bytes"])
    cores = max(figures["cpu_fraction"] for figures in _checked(plan)) * broker_spec(plan.scenario.cluster.broker).vcpu
    heap = f"{math.ceil(round(_heap_bytes(plan, fullest)) / _MIB)}m"
    spec = {
        "replicas": plan.brokers.count,
        "roles": ["broker"],
        "storage": {"type": "jbod", "volumes": volumes},
        "resources": {"requests": {"cpu": f"{cores:.3f}", "memory": str(math.ceil(fullest["memory_bytes"]))}},
        "jvmOptions": {"-Xms": heap, "-Xmx": heap},
    }
    return _resource(plan, "KafkaNodePool", "brokers", spec, next_node_ids=f"[0-{plan.brokers.count - 1}]")


def _controllers(plan: Plan) -> dict[str, Any]:
    memory = math.ceil(plan.cluster.controller_memory_bytes)
    size = f"{math.ceil(max(constant('controllers.floor_bytes'), plan.cluster.metadata_bytes) / _GIB)}Gi"
    volume = {"id": 0, "type": "persistent-claim", "size": size, "kraftMetadata": "shared"}
    spec = {
        "replicas": plan.cluster.controllers,
        "roles": ["controller"],
        "storage": {"type": "jbod", "volumes": [volume]},
        "resources": {"requests": {"memory": str(memory)}},
    }
    last = _FIRST_CONTROLLER + plan.cluster.controllers - 1
    return _resource(plan, "KafkaNodePool", "controllers", spec, next_node_ids=f"[{_FIRST_CONTROLLER}-{last}]")


def _checked(plan: Plan) -> list[Mapping[str, float]]:
    """Figures of the fullest broker in every state that the policy asks for."""
    return [state.fullest for state in plan.states.values() if state.checked and state.fullest is not None]


def _heap_bytes(plan: Plan, figures: Mapping[str, float]) -> float:
    """What the plan counts as heap: all of the broker's memory but the caches and the system's own."""
    cache = memory.page_cache_bytes(
        disk_write_bytes_per_s=figures["disk_write_bytes_per_s"], page_cache_s=plan.scenario.policy.page_cache
    )
    pages = memory.index_page_bytes(
        replicas=figures["replicas"],
        pages=constant("memory.index_pages_per_segment"),
        page_bytes=constant("memory.page_bytes"),
    )
    return float(figures["memory_bytes"] - cache - pages - constant("memory.system_bytes"))


def _size(value: float) -> str:
    """Bytes as a volume claim, never more than the volume is said to hold."""
    return f"{math.floor(value / _GIB)}Gi" if value >= _GIB else str(math.floor(value))


def _topics(plan: Plan) -> Iterator[dict[str, Any]]:
    for topic in plan.scenario.topics:
        found = plan.topics[topic.name]
        name = resource_name(topic.name)
        spec: dict[str, Any] = {} if name == topic.name else {"topicName": topic.name}
        spec |= {"partitions": found.partitions, "replicas": found.replication_factor, "config": topic_settings(topic)}
        yield _resource(plan, "KafkaTopic", name, spec)
