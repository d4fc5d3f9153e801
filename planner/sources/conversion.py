"""From what was read of a cluster to a scenario that can be planned, and to the list of what is missing in it.

What was not seen is left to the scenario's defaults; where a value had to be put in, a gap says so.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from planner.catalogue.named import broker_spec
from planner.codec import dump, from_mapping, to_mapping
from planner.fields import ScenarioError, shorten
from planner.results import Result, to_plain
from planner.scenario import Cluster, Scenario, Topic
from planner.sources.facts import INTERNAL, Facts, Gap, GroupFacts, Sample, TopicFacts, filled
from planner.validation import validated

if TYPE_CHECKING:
    import pandas as pd

    from planner.fields import InputError

_DIGITS = 6  # significant ones of a measured number: more is noise
_MOST_NAMED = 5  # in a sentence about many topics
_FOREVER = 2**63 - 1  # what Kafka writes for a time without end
_HEADER_SHARE = 0.5  # of the records that must have a header for it to be written out
_FRAMING_BYTES = 9.0  # of a record of some hundred bytes: length, attributes, deltas, lengths of key and value
_LEAST_SEGMENT = 2**20  # that Kafka 4.0 and later accepts
_CODECS = ("none", "gzip", "snappy", "lz4", "zstd")


@dataclass(frozen=True)
class TopicMeasured:
    """What was measured of one topic."""

    topic: str
    partitions: int | None
    replication_factor: int | None
    records_per_s: float | None
    wire_bytes_per_s: float | None
    wire_bytes_per_record: float | None
    log_bytes_leader: float | None  # of one copy: the largest replica of each partition
    log_bytes_all: float | None
    records: float | None
    codec: str | None
    compression_ratio: float | None
    batch_records: float | None
    sampled_records: int
    peak_ratio: float | None
    hottest_partition: int | None
    hottest_share: float | None  # of the topic's records
    idle: bool | None
    overrides: tuple[str, ...]


@dataclass(frozen=True)
class BrokerMeasured:
    """What was measured of one broker."""

    broker: int
    rack: str | None
    fenced: bool
    replicas: int
    leaders: int  # preferred
    log_bytes: float | None
    capacity_bytes: float | None
    wire_in_bytes_per_s: float | None  # from producers and leaders, of partitions whose rate is known


@dataclass(frozen=True)
class GroupMeasured:
    """What was measured of one consumer group."""

    group: str
    protocol: str | None
    state: str | None
    members: int | None
    topics: tuple[str, ...]
    lag: float | None
    records_per_s: float | None


@dataclass(frozen=True)
class Measured:
    """The evidence behind an imported scenario."""

    sources: tuple[str, ...]
    window_s: float | None
    controllers: tuple[int, ...] | None
    topics: tuple[TopicMeasured, ...]
    brokers: tuple[BrokerMeasured, ...]
    groups: tuple[GroupMeasured, ...]


@dataclass(frozen=True)
class Imported(Result):
    """A running cluster as a scenario, with what could not be read and what was measured.

    `scenario` is None when no topic was found; `scenario_text` then holds what is known of the cluster.
    """

    scenario: Scenario | None
    scenario_text: str
    gaps: tuple[Gap, ...]
    measured: Measured

    def to_dict(self) -> dict[str, Any]:
        """Scenario as a mapping for `planner.load`, gaps and evidence."""
        return {
            "scenario": None if self.scenario is None else to_mapping(self.scenario),
            "scenario_text": self.scenario_text,
            "gaps": to_plain(self.gaps),
            "measured": to_plain(self.measured),
        }

    def to_frame(self) -> pd.DataFrame:
        """One row for each topic."""
        import pandas as pd  # heavy: only for callers who want a frame

        return pd.DataFrame([{**asdict(row), "overrides": " ".join(row.overrides)} for row in self.measured.topics])


def imported(facts: Facts, *, broker: str | None = None, name: str = "imported cluster") -> Imported:
    """Make a scenario of what was read.

    Parameters
    ----------
    facts
        What the sources saw.
    broker
        Name of a machine of the catalogue for what the sources cannot see: CPU, memory, network.
    name
        What the scenario is called.

    Returns
    -------
    Imported
        The scenario, its gaps and the evidence. A topic that no scenario accepts is left out, and a gap says why.
    """
    gaps = list(facts.gaps)
    topics = [_topic(key, topic, facts, gaps) for key, topic in sorted(facts.topics.items()) if key not in INTERNAL]
    cluster = _cluster(facts, broker, gaps)
    kept = list(_accepted(topics, cluster, gaps))
    _unplaced(kept, cluster, gaps)
    _together(gaps)
    policy = _policy(facts)
    measured = _measured(facts)
    if not kept:
        live = "; brokers name only those that a login may describe" if "live" in facts.sources else ""
        gaps.append(Gap("topics", f"no topic was found{live}", "add topics before you plan"))
        text = dump(Scenario.model_construct(version=1, name=name, cluster=Cluster.model_validate(cluster)))
        return Imported(None, text, tuple(gaps), measured)
    head = {"version": 1, "name": name}
    scenario = from_mapping({**head, "topics": kept, "cluster": cluster, **({"policy": policy} if policy else {})})
    return Imported(scenario, dump(scenario), tuple(gaps), measured)


# Topics


def _topic(name: str, facts: TopicFacts, known: Facts, gaps: list[Gap]) -> dict[str, Any]:
    """The topic as a mapping; what is not known is left out."""
    lists = facts.replicas
    factor = facts.replication_factor
    if lists:
        factor = Counter(map(len, lists)).most_common(1)[0][0]
    count = len(lists) if lists else facts.partitions
    if count is None:
        gaps.append(Gap(f"partitions of {name}", "no source names them", "planned by the load"))
    found: dict[str, Any] = {"name": name, **_rate(name, facts, gaps)}
    if facts.peak_ratio is not None:
        found["peak_ratio"] = _short(max(1.0, facts.peak_ratio))
    found |= _records(name, facts, gaps)
    found |= {key: value for key, value in (("replication_factor", factor), ("partitions", count)) if value}
    found |= _settings(name, facts.configs, factor, known, gaps)
    if found.get("cleanup", "delete") != "delete":
        _compacted(name, facts, found, gaps)
    consumers = list(_consumers(name, known.groups, gaps))
    return found | ({"consumers": consumers} if consumers else {})


def _short(value: float) -> float:
    """A measured number with as many digits as it deserves."""
    return float(f"{value:.{_DIGITS}g}")


def _rate(name: str, facts: TopicFacts, gaps: list[Gap]) -> dict[str, float]:
    if facts.records_per_s is not None:
        return {"records_per_s": _short(facts.records_per_s)}
    size = _wire_per_record(facts)
    if facts.wire_bytes_per_s is not None and size:
        return {"records_per_s": _short(facts.wire_bytes_per_s / size)}
    if facts.wire_bytes_per_s is not None:
        gaps.append(Gap(f"record size of {name}", "no source tells it", "bytes/s taken as logical, uncompressed"))
        return {"bytes_per_s": _short(facts.wire_bytes_per_s)}
    gaps.append(Gap(f"rate of {name}", "no source tells it", "0 records/s"))
    return {"records_per_s": 0.0}


def _wire_per_record(facts: TopicFacts) -> float | None:
    if facts.wire_bytes_per_record is not None:
        return facts.wire_bytes_per_record
    return facts.sample.wire_bytes / facts.sample.records if facts.sample and facts.sample.records else None


def _records(name: str, facts: TopicFacts, gaps: list[Gap]) -> dict[str, Any]:
    """Record, compression and batch: from batches that were read, else from bytes on disk."""
    sample = facts.sample
    if sample is not None and sample.records:
        return _sampled(sample)
    size = facts.wire_bytes_per_record
    codec = facts.configs.get("compression.type", "producer")
    if size is None:
        gaps.append(Gap(f"record size of {name}", "no record was read", "the default record"))
        return {}
    instead = "bytes on disk per record, taken as uncompressed"
    if codec in _CODECS[1:]:
        instead += f" though the topic stores {codec}"
    gaps.append(Gap(f"records of {name}", "no batch was read", instead))
    return {"record": {"value_bytes": _short(max(0.0, size - _FRAMING_BYTES))}}


def _sampled(sample: Sample) -> dict[str, Any]:
    count = sample.records
    listed = {key: row for key, row in sample.headers.items() if row[0] >= _HEADER_SHARE * count}
    rest = sum(often * len(key.encode()) + size for key, (often, size) in sample.headers.items() if key not in listed)
    record: dict[str, Any] = {"value_bytes": _short((sample.value_bytes + rest) / count)}
    if sample.keyed_records:
        record["key_bytes"] = _short(sample.key_bytes / count)
    if listed:
        record["headers"] = [
            {"key": key, "value_bytes": _short(size / often)} for key, (often, size) in sorted(listed.items())
        ]
    found: dict[str, Any] = {"record": record, "batch": {"records": _short(count / sample.batches)}}
    codec = max(sample.codecs, key=lambda word: sample.codecs[word])
    ratio = _ratio(sample)
    if codec != "none" and ratio is not None:
        found["compression"] = {"codec": codec, "ratio": _short(min(max(ratio, 0.9), 1000.0))}
    return found


def _ratio(sample: Sample) -> float | None:
    return sample.section_bytes / sample.compressed_bytes if sample.compressed_bytes else None


def _settings(
    name: str, configs: Mapping[str, str], factor: int | None, known: Facts, gaps: list[Gap]
) -> dict[str, Any]:
    """The topic's settings, in the words of a scenario."""
    found: dict[str, Any] = {}
    least = _whole(configs.get("min.insync.replicas"))
    if least is not None and factor is not None and least > factor:
        why = f"min.insync.replicas is {least} with {factor} replicas: acks=all can never be written"
        gaps.append(Gap(f"min.insync.replicas of {name}", why, f"{factor}"))
        least = factor
    if least is not None:
        found["min_insync_replicas"] = least
    if "cleanup.policy" in configs:
        words = sorted(word for word in configs["cleanup.policy"].replace(" ", "").split(",") if word)
        found["cleanup"] = ",".join(words) or "delete"
    found |= _sections(name, configs, known, gaps)
    return found


def _sections(name: str, configs: Mapping[str, str], known: Facts, gaps: list[Gap]) -> dict[str, Any]:
    retention = _present(
        time=_milliseconds(configs.get("retention.ms")), bytes_per_partition=_bytes(configs.get("retention.bytes"))
    )
    segment = _present(
        bytes=_bytes(configs.get("segment.bytes")), time=_milliseconds(configs.get("segment.ms"), endless=False)
    )
    if "bytes" in segment and segment["bytes"] < _LEAST_SEGMENT and (known.kafka_version or "4.0") >= "4":
        gaps.append(Gap(f"segment.bytes of {name}", f"{segment['bytes']:g} B is below what Kafka 4 accepts", "1 MiB"))
        segment["bytes"] = _LEAST_SEGMENT
    found = {key: value for key, value in (("retention", retention), ("segment", segment)) if value}
    if configs.get("remote.storage.enable") == "true":
        found["tiered"] = _present(
            local_time=_milliseconds(configs.get("local.retention.ms"), endless=False),
            local_bytes_per_partition=_bytes(configs.get("local.retention.bytes")),
        )
    if "compact" in configs.get("cleanup.policy", ""):
        found["compaction"] = _present(
            min_dirty_ratio=_number(configs.get("min.cleanable.dirty.ratio")),
            delete_retention=_milliseconds(configs.get("delete.retention.ms"), endless=False),
        )
    return found


def _present(**values: Any) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def _number(text: str | None) -> float | None:
    try:
        value = float(text) if text is not None else None
    except ValueError:
        return None
    return value if value is None or math.isfinite(value) else None


def _whole(text: str | None) -> int | None:
    value = _number(text)
    return int(value) if value is not None and value >= 1 else None


def _bytes(text: str | None) -> float | None:
    value = _number(text)
    return value if value is not None and 0 < value < _FOREVER else None


def _milliseconds(text: str | None, *, endless: bool = True) -> float | str | None:
    """Seconds; Kafka's -1 is without end where that is legal, its -2 (as the other limit) and 0 are no limit."""
    value = _number(text)
    if value is None or value in (-2, 0):
        return None
    if value < 0 or value >= _FOREVER:
        return "forever" if endless else None
    return value / 1000


def _compacted(name: str, facts: TopicFacts, found: dict[str, Any], gaps: list[Gap]) -> None:
    """A compacted topic needs keys and their number, which no source tells: the records still there bound it."""
    record = found.setdefault("record", {})
    if "key_bytes" not in record:
        gaps.append(Gap(f"key size of {name}", "no record with a key was read, but the topic is compacted", "16 B"))
        record["key_bytes"] = 16.0
    size, copy = _wire_per_record(facts), _one_copy(facts)
    count = copy / size if size and copy else facts.records
    what = "records in the log now; each key has at least one, so there are at most so many"
    gaps.append(Gap(f"distinct keys of {name}", "no source tells them", what))
    found["keys"] = {"unique": max(1.0, float(round(count or 1)))}


def _one_copy(facts: TopicFacts) -> float | None:
    """Bytes of one copy of the topic: the largest replica of each partition."""
    largest: dict[int, float] = {}
    for (partition, _), size in facts.sizes.items():
        largest[partition] = max(largest.get(partition, 0.0), size)
    return sum(largest.values()) if largest else None


def _consumers(topic: str, groups: Mapping[str, GroupFacts], gaps: list[Gap]) -> Iterator[dict[str, Any]]:
    for name, group in sorted(groups.items()):
        members = group.members_by_topic.get(topic)
        committing = group.committed_per_s.get(topic, 0.0) > 0
        if not members and not committing:
            if topic in group.lag_by_topic:
                why = "no member, and nothing committed while it was watched"
                gaps.append(Gap(f"group {name} on {topic}", why, "left out as a reader"))
            continue
        found: dict[str, Any] = {"group": name}
        if members:
            found["members"] = members
        else:
            gaps.append(Gap(f"members of group {name}", "they could not be read", "not given"))
        if group.protocol is not None:
            found["protocol"] = group.protocol
        if group.static_membership:
            found["static_membership"] = True
        yield found


# Cluster


def _cluster(facts: Facts, broker: str | None, gaps: list[Gap]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if facts.kafka_version is not None:
        found["kafka_version"] = facts.kafka_version
    else:
        gaps.append(Gap("version of the brokers", "no source tells it", f"{Cluster().kafka_version}"))
    found |= _machine(facts, broker, gaps)
    found |= _layout(facts, gaps)
    if facts.tls is not None:
        found["tls"] = facts.tls
    settings = [row.configs for row in facts.brokers.values() if row.configs]
    fetchers = {_whole(row.get("num.replica.fetchers")) for row in settings} - {None}
    if fetchers:
        found["replica_fetchers"] = min(fetchers)  # type: ignore[type-var]
    if any(row.get("replica.selector.class") for row in settings):
        found["fetch_from_follower"] = True
    throttles = [_bytes(row.get("leader.replication.throttled.rate")) for row in settings]
    known = [rate for rate in throttles if rate is not None]
    if known:
        found["replication_throttle"] = min(known)
    return found | _calibration(facts)


def _machine(facts: Facts, broker: str | None, gaps: list[Gap]) -> dict[str, Any]:
    """The broker machine: storage as read; the rest from the catalogue, because no protocol tells it."""
    chosen = broker or str(Cluster().broker)
    spec = broker_spec(chosen)
    rows = [*facts.brokers.values()]
    if facts.any_broker is not None:
        rows = [filled(row, facts.any_broker) for row in rows] or [facts.any_broker]
    volumes = [row.log_dirs for row in rows if row.log_dirs and all(part.capacity_bytes for part in row.log_dirs)]
    seen = _present(
        vcpu=_least(row.vcpu for row in rows),
        network_in=_least(row.network_in_bytes_per_s for row in rows),
        network_out=_least(row.network_out_bytes_per_s for row in rows),
    )
    if broker is None:
        unseen = [word for key, word in (("vcpu", "CPUs"), ("network_in", "network")) if key not in seen]
        what = f"{', '.join([*unseen, 'memory and disk speed'])} of a broker"
        gaps.append(Gap(what, "no source tells them", f"those of {chosen}; set cluster.broker"))
    if not volumes:
        gaps.append(Gap("size of the volumes", "no source tells it", f"that of {chosen}"))
        if not seen:
            return {"broker": chosen}
    mapping = {**to_mapping(spec), **seen}
    if volumes:
        least = min((part.capacity_bytes or math.inf) for parts in volumes for part in parts)
        mapping["storage"] = {**mapping["storage"], "volumes": min(map(len, volumes)), "capacity": _short(least)}
        if len({part.capacity_bytes for parts in volumes for part in parts}) > 1 or len(set(map(len, volumes))) > 1:
            gaps.append(Gap("volumes", "they differ in size or number", "the least of each for every broker"))
        mapping.pop("price_per_month", None)  # of another volume
    return {"broker": mapping}


def _least(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return min(known) if known else None


def _layout(facts: Facts, gaps: list[Gap]) -> dict[str, Any]:
    """Brokers, racks, and where every replica is."""
    ids = sorted(facts.brokers)
    racks = {str(broker): facts.brokers[broker].rack for broker in ids if facts.brokers[broker].rack}
    placed: dict[str, Any] = {
        name: [list(replicas) for replicas in topic.replicas]
        for name, topic in facts.topics.items()
        if topic.replicas and name not in INTERNAL
    }
    used = {broker for lists in placed.values() for replicas in lists for broker in replicas}
    count = len(set(ids) | used) or facts.rates.brokers
    if not count:
        gaps.append(Gap("brokers", "no source names them", "the count is planned"))
        return {}
    found: dict[str, Any] = {"brokers": count}
    if racks and len(racks) == count:
        found |= {"zones": len(set(racks.values()))} if not placed else {}
        return found | ({"brokers_placed": {"racks": racks, "topics": placed}} if placed else {})
    why = "some brokers have no rack" if racks else "the brokers have no rack, or no source names it"
    gaps.append(Gap("racks", why, "one zone"))
    found["zones"] = 1
    return found | ({"brokers_placed": {"topics": placed}} if placed else {})


def _calibration(facts: Facts) -> dict[str, Any]:
    """One measured point of CPU, where a source has all of it."""
    rates = facts.rates
    parts = (rates.wire_in_bytes_per_s, rates.wire_out_bytes_per_s, rates.requests_per_s, rates.cpu_fraction)
    count = rates.brokers or len(facts.brokers)
    if None in parts or not count or not rates.cpu_fraction:
        return {}
    names = ("wire_in_bytes_per_s", "wire_out_bytes_per_s", "requests_per_s", "cpu_fraction")
    point = {name: _short(value) for name, value in zip(names, parts, strict=True) if value is not None}
    return {"calibration": {**point, "brokers": count}}


def _policy(facts: Facts) -> dict[str, Any]:
    growth = facts.rates.growth_per_year
    return {} if growth is None or growth <= 0 else {"growth_per_year": _short(min(growth, 100.0))}


# What no scenario accepts is left out, so that one odd topic does not cost the whole import


def _accepted(topics: Sequence[dict[str, Any]], cluster: dict[str, Any], gaps: list[Gap]) -> Iterator[dict[str, Any]]:
    from planner.contradictions import topic_contradictions

    errors: list[InputError] = []
    around = validated(Cluster, {**cluster, "brokers_placed": None}, "cluster", errors)
    if errors:
        raise ScenarioError(errors)
    seen: set[str] = set()
    for mapping in topics:
        found: list[InputError] = []
        name = str(mapping["name"])
        topic = validated(Topic, mapping, "", found)
        if topic is not None:
            found += topic_contradictions(topic, around)
        twin = name.replace(".", "_")
        if twin in seen:
            gaps.append(Gap(f"topic {name}", "another topic differs only in dot and underscore", "left out"))
        elif found:
            gaps.append(Gap(f"topic {shorten(name)}", f"{found[0].path}: {found[0].message}", "left out"))
        else:
            seen.add(twin)
            yield mapping


def _unplaced(topics: Sequence[dict[str, Any]], cluster: dict[str, Any], gaps: list[Gap]) -> None:
    """Take out of the assignment what the scenario would refuse: topics left out, unequal numbers of replicas."""
    placed = cluster.get("brokers_placed")
    if placed is None:
        return
    factors = {topic["name"]: topic.get("replication_factor") for topic in topics}
    for name, lists in list(placed["topics"].items()):
        if name not in factors:
            del placed["topics"][name]
        elif any(len(replicas) != factors[name] or len(set(replicas)) != len(replicas) for replicas in lists):
            why = "its partitions differ in replicas, as during a move"
            gaps.append(Gap(f"placement of {name}", why, "placed as Kafka would"))
            del placed["topics"][name]
    if not placed["topics"]:
        del cluster["brokers_placed"]
        if "racks" in placed:
            cluster["zones"] = len(set(placed["racks"].values()))


def _together(gaps: list[Gap]) -> None:
    """One line for the same gap of many topics."""
    groups: dict[tuple[str, str, str], list[str]] = {}
    for gap in gaps:
        head, of, name = gap.what.partition(" of ")
        groups.setdefault((head if of else gap.what, gap.why, gap.instead), []).append(name if of else "")
    gaps[:] = [_one(key, names) for key, names in groups.items()]


def _one(key: tuple[str, str, str], names: Sequence[str]) -> Gap:
    what, why, instead = key
    named = [name for name in names if name]
    if not named:
        return Gap(what, why, instead)
    more = len(named) - _MOST_NAMED
    shown = ", ".join(named[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
    return Gap(f"{what} of {shown}", why, instead)


# Evidence


def _measured(facts: Facts) -> Measured:
    names = sorted(name for name in facts.topics if name not in INTERNAL)
    return Measured(
        sources=facts.sources,
        window_s=facts.window_s,
        controllers=facts.controllers,
        topics=tuple(_topic_row(name, facts.topics[name]) for name in names),
        brokers=tuple(_broker_rows(facts)),
        groups=tuple(_group_row(name, group) for name, group in sorted(facts.groups.items())),
    )


def _topic_row(name: str, facts: TopicFacts) -> TopicMeasured:
    sample, rates = facts.sample, facts.partition_records_per_s
    total = sum(rates.values())
    hottest = max(rates, key=lambda partition: rates[partition]) if total else None
    lists = facts.replicas
    size = _wire_per_record(facts)
    bytes_per_s = facts.wire_bytes_per_s
    if bytes_per_s is None and facts.records_per_s is not None and size is not None:
        bytes_per_s = facts.records_per_s * size
    return TopicMeasured(
        topic=name,
        partitions=len(lists) if lists else facts.partitions,
        replication_factor=len(lists[0]) if lists else facts.replication_factor,
        records_per_s=facts.records_per_s,
        wire_bytes_per_s=bytes_per_s,
        wire_bytes_per_record=size,
        log_bytes_leader=_one_copy(facts),
        log_bytes_all=sum(facts.sizes.values()) if facts.sizes else facts.bytes_of_all_copies,
        records=facts.records,
        codec=max(sample.codecs, key=lambda word: sample.codecs[word]) if sample and sample.codecs else None,
        compression_ratio=_ratio(sample) if sample else None,
        batch_records=sample.records / sample.batches if sample and sample.batches else None,
        sampled_records=sample.records if sample else 0,
        peak_ratio=facts.peak_ratio,
        hottest_partition=hottest,
        hottest_share=rates[hottest] / total if hottest is not None else None,
        idle=None if facts.records_per_s is None else facts.records_per_s == 0,
        overrides=tuple(sorted(facts.overrides or ())),
    )


def _broker_rows(facts: Facts) -> Iterator[BrokerMeasured]:
    """Replicas, leaders, bytes on disk and bytes in of every broker."""
    replicas: Counter[int] = Counter()
    leaders: Counter[int] = Counter()
    incoming: Counter[int] = Counter()
    for topic in facts.topics.values():
        size = _wire_per_record(topic) or 0.0
        for partition, row in enumerate(topic.replicas or ()):
            replicas.update(row)
            leaders[row[0]] += 1
            for broker in row:
                incoming[broker] += topic.partition_records_per_s.get(partition, 0.0) * size  # type: ignore[assignment]
    rated = any(topic.partition_records_per_s for topic in facts.topics.values())
    for broker in sorted(set(facts.brokers) | set(replicas)):
        seen = facts.brokers.get(broker)
        parts = seen.log_dirs if seen else ()
        held = [part.log_bytes for part in parts if part.log_bytes is not None]
        sizes = [part.capacity_bytes for part in parts if part.capacity_bytes is not None]
        yield BrokerMeasured(
            broker=broker,
            rack=seen.rack if seen else None,
            fenced=seen.fenced if seen else False,
            replicas=replicas[broker],
            leaders=leaders[broker],
            log_bytes=sum(held) if held else None,
            capacity_bytes=sum(sizes) if sizes else None,
            wire_in_bytes_per_s=float(incoming[broker]) if rated else None,
        )


def _group_row(name: str, group: GroupFacts) -> GroupMeasured:
    return GroupMeasured(
        group=name,
        protocol=group.protocol,
        state=group.state,
        members=group.members,
        topics=tuple(sorted({*group.members_by_topic, *group.lag_by_topic, *group.committed_per_s})),
        lag=sum(group.lag_by_topic.values()) if group.lag_by_topic else None,
        records_per_s=sum(group.committed_per_s.values()) if group.committed_per_s else None,
    )
