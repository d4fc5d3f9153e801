"""A cluster as it stands, broker by broker: who holds which partition, in which rack, under which load."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from planner.model.placement import place, rack_of_broker, rack_sizes
from planner.model.reassignment import Flags, Integers
from planner.model.types import Array
from planner.scenario import InputError, Scenario, ScenarioError, shorten
from planner.sizing import plan
from planner.sizing.evaluate import Setting, broker_figures
from planner.sizing.setting import setting_of
from planner.sizing.simulate import Survivors
from planner.sizing.sized import Sized, size_at
from planner.sizing.workload import Workload

_MOST_REPLICAS = 2_000_000  # beyond any cluster; a move of more would be planned topic by topic


@dataclass(frozen=True, slots=True)
class Standing:
    """Brokers by index, partitions in order of topic and number, and the replicas of each: -1 for none."""

    ids: tuple[int, ...]
    racks: tuple[str, ...]
    topics: tuple[str, ...]
    topic: Integers
    number: Integers
    replicas: Integers
    simulated: bool
    racks_known: bool
    skipped: int  # internal topics of the assignment, which the scenario does not describe
    sized: Sized
    setting: Setting

    @property
    def rack(self) -> Integers:
        """The rack of each broker, as an index."""
        return np.unique(np.array(self.racks), return_inverse=True)[1].astype(np.intp)

    @property
    def of_class(self) -> Integers:
        """The class of alike partitions that each one belongs to: those with the largest share come first."""
        classes = self.sized.load.classes
        order = np.lexsort((-classes.share, classes.topic))
        return np.repeat(order, classes.count[order].astype(np.intp))

    def with_brokers(self, ids: Sequence[int], racks: Sequence[str]) -> Standing:
        """The same with empty brokers beside those that are there."""
        return replace(self, ids=(*self.ids, *ids), racks=(*self.racks, *racks))


def standing_of(scenario: Scenario, assignment: Mapping[str, Sequence[Sequence[int]]] | None) -> Standing:
    """The cluster of a scenario: by a given assignment, by the scenario's own, else placed as Kafka would."""
    if not scenario.topics:
        message = "There are no topics, so there is nothing to move."
        raise ScenarioError([InputError("topics", None, message, "at least one topic")])
    placed = scenario.cluster.brokers_placed
    racks = dict(placed.racks or {}) if placed is not None else {}
    topics = assignment if assignment is not None else placed.topics if placed is not None else None
    return _simulated(scenario) if topics is None else _given(scenario, topics, racks)


def _simulated(scenario: Scenario) -> Standing:
    brokers = scenario.cluster.brokers or plan(scenario).brokers.count
    workload = Workload(scenario)
    sized = size_at(workload, brokers)
    topics = sized.load.topics
    if sized.load.replicas > _MOST_REPLICAS:
        message = f"The topics have {sized.load.replicas:.3g} replicas, too many to move at once."
        raise ScenarioError([InputError("topics", None, message, f"at most {_MOST_REPLICAS} replicas")])
    counts, factor = topics.partitions.astype(np.intp), topics.replication_factor.astype(np.intp)
    sizes = rack_sizes(brokers, scenario.cluster.zones)
    topic = np.repeat(np.arange(len(counts)), counts)
    rows = np.full((len(topic), int(factor.max())), -1, dtype=np.intp)
    for copies in np.unique(factor).tolist():
        generator = np.random.default_rng([copies, brokers])
        rows[factor[topic] == copies, :copies] = place(counts[factor == copies], sizes, copies, generator)
    return Standing(
        ids=tuple(range(brokers)),
        racks=tuple(f"zone {rack + 1}" for rack in rack_of_broker(sizes).tolist()),
        topics=workload.names,
        topic=topic,
        number=_numbers(counts),
        replicas=rows,
        simulated=True,
        racks_known=True,
        skipped=0,
        sized=sized,
        setting=setting_of(workload),
    )


def _numbers(counts: Integers) -> Integers:
    """0, 1, 2, ... for each topic."""
    return np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)


def _given(scenario: Scenario, lists: Mapping[str, Sequence[Sequence[int]]], racks: Mapping[str, str]) -> Standing:
    internal = {name for name in lists if name.startswith("__")} - {topic.name for topic in scenario.topics}
    lists = {name: rows for name, rows in lists.items() if name not in internal}
    _check(scenario, lists, racks)
    ids = sorted({int(broker) for broker in racks} | {b for rows in lists.values() for row in rows for b in row})
    scenario = scenario.model_copy(
        update={
            "topics": tuple(
                topic.model_copy(update={"partitions": len(lists[topic.name])}) for topic in scenario.topics
            ),
            "cluster": scenario.cluster.model_copy(update={"brokers": len(ids)}),
        }
    )
    workload = Workload(scenario)
    index = {broker: position for position, broker in enumerate(ids)}
    counts = np.array([len(lists[name]) for name in workload.names])
    width = max(len(row) for rows in lists.values() for row in rows)
    rows = [
        [index[broker] for broker in row] + [-1] * (width - len(row)) for name in workload.names for row in lists[name]
    ]
    return Standing(
        ids=tuple(ids),
        racks=tuple(racks.get(str(broker), "") for broker in ids),
        topics=workload.names,
        topic=np.repeat(np.arange(len(counts)), counts),
        number=_numbers(counts),
        replicas=np.array(rows, dtype=np.intp),
        simulated=False,
        racks_known=bool(racks),
        skipped=len(internal),
        sized=size_at(workload, len(ids)),
        setting=setting_of(workload),
    )


def _check(scenario: Scenario, lists: Mapping[str, Sequence[Sequence[int]]], racks: Mapping[str, str]) -> None:
    """Refuse an assignment that does not fit the scenario, with all that is wrong."""
    names = {topic.name for topic in scenario.topics}
    known = "a topic of the scenario"
    errors = [
        InputError(f"assignment.{shorten(name)}", None, "The scenario does not have this topic.", known)
        for name in lists
        if name not in names
    ]
    errors += [
        InputError(f"topics.{name}", None, "The assignment does not have this topic.", "a list of replicas for it")
        for name in sorted(names - lists.keys())
    ]
    errors += [
        InputError(
            f"topics.{topic.name}.partitions",
            topic.partitions,
            f"The assignment has {len(lists[topic.name])} partitions of this topic.",
            f"{len(lists[topic.name])}, or null to take the count of the assignment",
        )
        for topic in scenario.topics
        if topic.name in lists and topic.partitions not in {None, len(lists[topic.name])}
    ]
    if racks:
        missing = sorted({b for rows in lists.values() for row in rows for b in row} - {int(b) for b in racks})
        errors += [
            InputError("cluster.brokers_placed.racks", broker, "This broker of the assignment has no rack.", "its zone")
            for broker in missing
        ]
    if errors:
        raise ScenarioError(errors)


def leaders_of(replicas: Integers, dead: Flags) -> Integers:
    """The slot of each partition's leader: the first replica whose broker runs, as Kafka elects; -1 where none does."""
    runs = (replicas >= 0) & ~dead[replicas]
    return np.where(runs.any(axis=1), runs.argmax(axis=1), -1)


def load_figures(standing: Standing, replicas: Integers, dead: Flags) -> dict[str, Array]:
    """The plan's figures of each broker under an assignment, those that are dead at zero."""
    load, of_class = standing.sized.load, standing.of_class
    brokers, setting = len(standing.ids), standing.setting
    runs = (replicas >= 0) & ~dead[replicas]
    partition, slot = np.nonzero(runs)
    held_by, led_by = replicas[partition, slot], replicas[np.arange(len(replicas)), leaders_of(replicas, dead)]

    def summed(index: Integers, weights: Array) -> Array:
        return np.bincount(index, weights, brokers).astype(float)

    kind = of_class[partition]
    replica = {key: summed(held_by, value[kind]) for key, value in load.per_replica.items()}
    # a move leaves it to the brokers which of their volumes takes a replica
    replica["fullest_volume_bytes"] = replica["disk_bytes"] / setting.hardware.volumes
    per_leader = load.per_leader
    leader = {key: summed(led_by, value[of_class]) for key, value in per_leader.items()}
    leader["feeds"] = np.zeros(brokers)
    leader["copies"] = summed(led_by, per_leader["write"][of_class] * (runs.sum(axis=1) - 1))
    if setting.fetch_from_follower:  # members read in their own rack, so all replicas share the readers
        leader["consume"] = summed(held_by, per_leader["consume"][kind] / runs.sum(axis=1)[partition])
    totals = Survivors(replica, leader, np.zeros(1), np.zeros(1), np.ones(1, dtype=bool))
    figures = broker_figures(totals, load, setting, int((~dead).sum()))
    return {key: np.broadcast_to(value, (brokers,)).astype(float) for key, value in figures.items()}


def ids_text(ids: Iterable[int]) -> str:
    """Broker ids as people write them."""
    return ", ".join(map(str, ids))
