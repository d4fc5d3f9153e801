"""What clients are given: limits of an autoscaler (KEDA) and quotas."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from planner.constants import constant
from planner.model import consumers, quotas
from planner.reports.artefacts.rates import rates_of
from planner.reports.artefacts.strimzi import bootstrap
from planner.reports.artefacts.writing import Artefact, LeftOut, option, resource_name, script, yaml_of
from planner.results import Plan, TopicPlan
from planner.scenario import ConsumerGroup, Topic
from planner.sizing.workload import member_rate


class _Reading(NamedTuple):
    """A group on one topic."""

    topic: Topic
    found: TopicPlan
    group: ConsumerGroup

    records_per_s: float  # that the group reads, at the peak
    average_per_s: float


def _groups(plan: Plan) -> Mapping[str, list[_Reading]]:
    """Every group with its topics, in the scenario's order."""
    rates = rates_of(plan)
    found: dict[str, list[_Reading]] = {}
    for topic in plan.scenario.topics:
        for group in topic.consumers:
            read = [rate * group.read_fraction for rate in rates[topic.name]]
            found.setdefault(group.group, []).append(_Reading(topic, plan.topics[topic.name], group, *read))
    return found


# KEDA


def keda(plan: Plan) -> Iterator[Artefact | LeftOut]:
    """Limits for every group whose members can be counted; steps are those that divide partitions evenly."""
    objects, name = [], "keda.yaml"
    for group, readings in _groups(plan).items():
        if readings[0].group.protocol == "share":
            yield LeftOut(
                f"{name}: {group}", "KEDA reads the offsets of consumer groups, which a share group has none of"
            )
            continue
        rate = _member_rate(readings)
        if rate is None:
            reason = "give records_per_s_per_member, processing_time or members: nothing says what one member does"
            yield LeftOut(f"{name}: {group}", reason)
        else:
            objects.append(_scaled(plan, group, readings, rate))
    if objects:
        yield Artefact(name, "limits of the autoscaler KEDA for each group", yaml_of(plan.name, objects))


def _member_rate(readings: list[_Reading]) -> float | None:
    """Records/s of one member: as given, else what each of the present members has to do at the peak."""
    given = [rate for reading in readings if (rate := member_rate(reading.group)) is not None]
    if given:
        return min(given)
    members = max((reading.group.members or 0 for reading in readings), default=0)
    total = sum(reading.records_per_s for reading in readings)
    return total / members if members and total else None


def _scaled(plan: Plan, group: str, readings: list[_Reading], rate: float) -> dict[str, Any]:
    steps = _steps(max(readings, key=lambda reading: reading.found.partitions).found)
    average = sum(reading.average_per_s for reading in readings)
    least = math.ceil(float(consumers.busy_members(records_per_s=average, records_per_s_per_member=rate)))
    wanted = max((max(r.group.members or 0, r.group.max_members or 0) for r in readings), default=0)
    lag = consumers.lag_records(records_per_s=rate, outage_s=constant("artefacts.scaling_lag_s"))
    most = _step_from(steps, wanted or steps[-1])
    metadata = {
        "bootstrapServers": bootstrap(plan),
        "consumerGroup": group,
        "lagThreshold": str(max(math.floor(float(lag)), 1)),
        "offsetResetPolicy": "latest",
        "allowIdleConsumers": "false",
        "ensureEvenDistributionOfPartitions": "true",
    }
    if plan.scenario.cluster.tls:
        metadata["tls"] = "enable"
    triggers = [{"type": "kafka", "metadata": {**metadata, "topic": reading.topic.name}} for reading in readings]
    return {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": {
            "name": resource_name(group),
            "annotations": {"kafka-planner/even-members": ",".join(map(str, steps))},
        },
        "spec": {
            "scaleTargetRef": {"name": resource_name(group)},
            "minReplicaCount": min(_step_from(steps, max(least, 1)), most),
            "maxReplicaCount": most,
            "triggers": triggers,
        },
    }


def _steps(topic: TopicPlan) -> tuple[int, ...]:
    """Member counts that divide the planned partitions evenly: the rung of the ladder that the plan stands on."""
    return next(rung.even_members for rung in topic.ladder if rung.partitions == topic.partitions)


def _step_from(steps: tuple[int, ...], members: int) -> int:
    """The first even count that is enough; beyond the partitions members idle."""
    return next((step for step in steps if step >= members), steps[-1])


# Quotas


def quota_script(plan: Plan) -> Artefact:
    """Byte rates of producers and groups, counted where Kafka counts them: on each broker."""
    about = (
        "Client quotas. A quota holds on each broker by itself, for all instances with the same client.id together.",
        "It is assumed that the producers of a topic have the client.id TOPIC-producer, and the members of a group",
        "that of the group; write your own where it is another. Clients without a planned load get no quota.",
    )
    producers = {f"{topic.name}-producer": [(topic.name, 1.0)] for topic in plan.scenario.topics}
    readers = {
        group: [(reading.topic.name, reading.group.read_fraction) for reading in readings]
        for group, readings in _groups(plan).items()
    }
    lines = [
        _quota(client, key, rate)
        for key, clients in (("producer_byte_rate", producers), ("consumer_byte_rate", readers))
        for client, shares in clients.items()
        if (rate := _allowed(plan, shares)) > 0
    ]
    body = "".join(f"{line}\n" for line in lines)
    return Artefact("quotas.sh", "byte rates that clients may use", script(plan.name, about, body))


def _allowed(plan: Plan, shares: list[tuple[str, float]]) -> float:
    """Bytes a second on one broker for a client that has this share of these topics."""
    live = max(plan.brokers.count - plan.scenario.policy.survive.brokers, 1)
    return sum(
        float(
            quotas.client_quota_bytes_per_s(
                bytes_per_s=plan.topics[name].produce_in_bytes_per_s * share,
                live_brokers=live,
                hottest_fraction=plan.topics[name].hottest_partition_fraction,
                headroom_ratio=constant("artefacts.quota_headroom_ratio"),
            )
        )
        for name, share in shares
    )


def _quota(client: str, key: str, rate: float) -> str:
    words = (option("entity-name", client), option("add-config", f"{key}={math.ceil(rate)}"))
    return "kafka kafka-configs --alter --entity-type clients " + " ".join(words)
