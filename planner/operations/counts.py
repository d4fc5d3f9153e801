"""How many partitions each topic needs and why, how its keys fall onto them, and what helps where no count does."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from planner.constants import constant
from planner.fields import InputError, ScenarioError, nearest, refusal, shorten
from planner.model import partitions as counts
from planner.model import skew
from planner.model.types import Array
from planner.results import Assumption, Ceiling, Plan, Result, Rung, TopicPlan
from planner.scenario import Scenario, Topic
from planner.sizing import plan
from planner.sizing.sized import size_at
from planner.sizing.totals import constants_used
from planner.sizing.workload import Workload, classic_groups, member_rate, most_members
from planner.trace import Trace
from planner.validation import capped

if TYPE_CHECKING:
    import pandas as pd

MOST_KEYS = 2_000_000
MOST_BYTES = 100_000_000  # of a file of keys
_BEYOND = "\0 cells beyond the head"  # no column of a file is called so
_SHOWN = 10  # partitions listed of a measured distribution
_SHARE_GROUPS = (4, 2)  # first version whose share groups are for production


@dataclass(frozen=True, slots=True)
class Skew:
    """How uneven the partitions of a topic are: exact for given keys, an expectation for a distribution."""

    basis: str  # keys, distribution, top key, or even
    hottest_fraction: float
    p50_fraction: float | None
    p95_fraction: float | None
    even_fraction: float
    times_even: float
    hottest_partitions: tuple[tuple[int, float], ...]  # partition and share, of given keys
    distinct_keys: float | None
    reason: str


@dataclass(frozen=True, slots=True)
class HotKey:
    """A key that one partition or one consumer cannot carry, and the three ways out."""

    key_fraction: float
    bytes_per_s: float
    records_per_s: float
    capacity_bytes_per_s: float
    capacity_of: str
    salts: int
    each_salt_bytes_per_s: float
    own_consumers: int
    lag_growth_per_s: float
    lag_growth_bytes_per_s: float
    overtaken_after_s: float | None
    overtaken_after_s_reason: str | None
    ways: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShareGroups:
    """Share groups (KIP-932) in place of partitions for parallelism, and their price."""

    available: bool
    partitions_without: int
    partitions_with: int
    in_flight_records: float
    price: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TopicCount:
    """Everything about one topic's partition count."""

    headline: str
    partitions: int
    partitions_raw: float
    partitions_given: bool
    reasons: Mapping[str, float | None]
    binding_reason: str
    ladder: tuple[Rung, ...]
    ceilings: tuple[Ceiling, ...]
    hottest_partition_fraction: float
    skew: Skew
    hot_key: HotKey | None
    share_groups: ShareGroups | None


@dataclass(frozen=True)
class PartitionCounts(Result):
    """The counts of all topics."""

    brokers: int
    topics: Mapping[str, TopicCount]
    assumptions: tuple[Assumption, ...]
    trace: Trace

    def to_frame(self) -> pd.DataFrame:
        """One row per topic."""
        import pandas as pd  # heavy: only for callers who want a frame

        return pd.DataFrame(
            [
                {
                    "topic": name,
                    "partitions": found.partitions,
                    "raw": found.partitions_raw,
                    "binding_reason": found.binding_reason,
                    **{f"for_{reason}": value for reason, value in found.reasons.items()},
                    "hottest_fraction": found.skew.hottest_fraction,
                    "salts": None if found.hot_key is None else found.hot_key.salts,
                }
                for name, found in self.topics.items()
            ]
        )


def partitions(
    scenario: Scenario,
    *,
    topic: str | None = None,
    keys: Mapping[bytes, float] | None = None,
    librdkafka: bool = False,
) -> PartitionCounts:
    """Partition counts with their reasons, ladder, ceilings and skew.

    Parameters
    ----------
    scenario
        A scenario with topics.
    topic
        Only this topic.
    keys
        Records of each key of that topic [count]; hashed as the producer's partitioner does.
    librdkafka
        Hash as librdkafka's default partitioner instead of Kafka's.

    Returns
    -------
    PartitionCounts
        One entry per topic, in the scenario's order.

    Raises
    ------
    ScenarioError
        When the scenario cannot be planned, or has no such topic.

    Examples
    --------
    >>> import planner
    >>> found = partitions(planner.load("preset:ecommerce"), topic="orders").topics["orders"]
    >>> found.partitions, found.binding_reason
    (36, 'parallelism')
    """
    wanted = _wanted(scenario, topic, keys)
    sized = plan(scenario)
    workload = Workload(scenario)
    columns = size_at(workload, sized.brokers.count).columns
    case = _Case(workload, sized, columns, Trace(), librdkafka=librdkafka)
    return PartitionCounts(
        brokers=sized.brokers.count,
        topics={name: _count(case, name, keys) for name in wanted},
        assumptions=constants_used("partitions.", "share."),
        trace=case.trace,
    )


@dataclass(frozen=True)
class _Case:
    workload: Workload
    plan: Plan
    columns: Mapping[str, Array]
    trace: Trace
    librdkafka: bool

    @cached_property
    def index(self) -> Mapping[str, int]:
        """Where each topic stands in the arrays."""
        return {name: index for index, name in enumerate(self.workload.names)}

    def of(self, name: str) -> tuple[int, Topic, TopicPlan]:
        """Index, scenario and plan of a topic."""
        index = self.index[name]
        return index, self.workload.topics[index], self.plan.topics[name]


def _wanted(scenario: Scenario, topic: str | None, keys: Mapping[bytes, float] | None) -> list[str]:
    names = [item.name for item in scenario.topics]
    if topic is None:
        if keys is not None:
            raise refusal("Keys are those of one topic.", "keys", None, "a topic beside the keys")
        return names
    if topic not in names:
        close = nearest(topic, names)
        raise refusal("The scenario has no such topic.", "topic", shorten(topic), ", ".join(names[:20]), close)
    return [topic]


def _count(case: _Case, name: str, keys: Mapping[bytes, float] | None) -> TopicCount:
    _, topic, planned = case.of(name)
    found = _skew(topic, planned.partitions, keys, librdkafka=case.librdkafka)
    hot = _hot_key(case, name, found, keys)
    return TopicCount(
        headline=_headline(name, planned, topic, case.plan.scenario.policy.partition_headroom, hot),
        partitions=planned.partitions,
        partitions_raw=planned.partitions_raw,
        partitions_given=planned.partitions_given,
        reasons=planned.reasons,
        binding_reason=planned.binding_reason,
        ladder=planned.ladder,
        ceilings=planned.ceilings,
        hottest_partition_fraction=found.hottest_fraction if keys is not None else planned.hottest_partition_fraction,
        skew=found,
        hot_key=hot,
        share_groups=_share_groups(case, topic, planned),
    )


# Skew


def _skew(topic: Topic, count: int, keys: Mapping[bytes, float] | None, *, librdkafka: bool) -> Skew:
    if keys is not None:
        return _measured(keys, count, librdkafka=librdkafka)
    given = topic.keys
    if topic.record.key_bytes is None or given is None:
        why = "records without a key go to one partition at a time, and over time evenly to all"
        if topic.record.key_bytes is not None:
            why = "nothing is known of the keys, so they count as even: give keys.unique and keys.zipf_exponent"
        return Skew("even", 1 / count, None, None, 1 / count, 1.0, (), None, why)
    if given.unique is None:
        top = given.top_key_fraction or 0.0
        share = float(counts.hottest_partition_fraction(top_key_fraction=top, partitions=count, crowding_fraction=0.0))
        why = "the top key, and the others evenly"
        return Skew("top key", share, None, None, 1 / count, share * count, (), None, why)
    spread = skew.hottest_partition(float(given.unique), float(given.zipf_exponent), given.top_key_fraction, count)
    why = "over the possible hashes of the keys; the keys themselves (--keys) give it exactly"
    share, unique = spread.mean_fraction, float(given.unique)
    ends = (spread.p50_fraction, spread.p95_fraction)
    return Skew("distribution", share, *ends, 1 / count, share * count, (), unique, why)


def _measured(keys: Mapping[bytes, float], count: int, *, librdkafka: bool) -> Skew:
    weight = np.fromiter(keys.values(), dtype=float, count=len(keys))
    place = skew.partition_of(keys=list(keys), partitions=count, librdkafka=librdkafka)
    share = skew.partition_shares(partition=place, weight=weight, partitions=count)
    order = np.argsort(-share, kind="stable")[:_SHOWN]
    listed = tuple((int(index), float(share[index])) for index in order)
    hashed = "CRC-32, as librdkafka" if librdkafka else "murmur2, as Kafka's Java client"
    why = f"the keys given, hashed with {hashed}"
    return Skew(
        "keys", float(share.max()), None, None, 1 / count, float(share.max() * count), listed, float(len(keys)), why
    )


# Hot keys


def _hot_key(case: _Case, name: str, found: Skew, keys: Mapping[bytes, float] | None) -> HotKey | None:
    index, topic, _ = case.of(name)
    top = max(keys.values()) / sum(keys.values()) if keys else float(case.workload.top_key_fraction[index])
    peak, records = (float(case.columns[f"own_peak_{kind}_per_s"][index]) for kind in ("bytes", "records"))
    capacity, of = _capacity(case, index, topic, peak / max(records, 1e-12))
    if top <= 0 or top * peak <= capacity:
        return None
    per_record = peak / records
    numbers = {"key_bytes_per_s": top * peak, "capacity_bytes_per_s": capacity}
    salts = int(case.trace(f"topics.{name}.salts", skew.salts_needed, **numbers))
    # the key's partition carries its share of the other keys too
    rates = {"arriving_per_s": found.hottest_fraction * records, "processed_per_s": capacity / per_record}
    growth = float(case.trace(f"topics.{name}.lag_growth_per_s", skew.lag_growth_per_s, **rates))
    retention = topic.retention.time
    after: float | None = None
    reason: str | None = "records are never deleted by time"
    if topic.deleted and math.isfinite(retention):
        after = float(
            case.trace(f"topics.{name}.overtaken_after_s", skew.overtaken_after_s, **rates, retention_s=retention)
        )
        reason = None
    return HotKey(
        key_fraction=top,
        bytes_per_s=top * peak,
        records_per_s=top * records,
        capacity_bytes_per_s=capacity,
        capacity_of=of,
        salts=salts,
        each_salt_bytes_per_s=top * peak / salts,
        own_consumers=salts,
        lag_growth_per_s=growth,
        lag_growth_bytes_per_s=growth * per_record,
        overtaken_after_s=after,
        overtaken_after_s_reason=reason,
        ways=_ways(salts, growth),
    )


def _capacity(case: _Case, index: int, topic: Topic, record_bytes: float) -> tuple[float, str]:
    """The least that the partition, or the slowest consumer that owns it, carries; in bytes/s of the topic."""
    given = case.workload.given
    found = [
        (float(given["produce_capacity"][index]), "a partition, produce"),
        (float(given["consume_capacity"][index]), "a partition, consume"),
    ]
    for group in classic_groups(topic):
        rate = member_rate(group)
        if rate is not None and group.read_fraction > 0:
            found.append((rate / group.read_fraction * record_bytes, f"a member of {group.group}"))
    return min(found)


def _ways(salts: int, growth: float) -> tuple[str, ...]:
    salted = (
        f"Salt the key {salts} ways: append a number from 0 to {salts - 1} to it. Its records are in order only within "
        "a salt, and readers that need all of them merge the salts."
    )
    alone = (
        f"Give it a topic and consumers of its own: {salts} partitions and as many members, keyed by something finer."
    )
    accepted = (
        f"Accept it: while the peak lasts its partition's lag grows by {growth:,.0f} records/s, and every other key of "
        "that partition waits with it."
    )
    return (salted, alone, accepted)


# Share groups


def _share_groups(case: _Case, topic: Topic, planned: TopicPlan) -> ShareGroups | None:
    """What a share group would change where members or processing ask for more partitions than the bytes do."""
    if not classic_groups(topic):
        return None
    without = max(planned.reasons.get(name) or 0 for name in ("parallelism", "processing", "consume"))
    other = max((planned.reasons.get(name) or 0 for name in ("produce", "growth", "hot_key", "spread")), default=0)
    needed = int(max(other, 1))
    if without <= needed:
        return None
    locks = constant("share.partition_max_record_locks")
    members = int(most_members(topic))
    ordered = topic.keys is not None and topic.keys.ordered
    order = "this topic's consumers rely on it" if ordered else "nothing in the scenario relies on it"
    again = (
        f"A record that is not acknowledged in {constant('share.record_lock_s'):.0f} s is delivered again, at most "
        f"{constant('share.delivery_count_limit'):.0f} times, then it is archived; there is no dead-letter queue."
    )
    most = (
        f"At most {constant('share.group_max_size'):.0f} members by default (this topic plans {members}), and no "
        "transactions that include its offsets."
    )
    return ShareGroups(
        case.plan.scenario.cluster.version[:2] >= _SHARE_GROUPS,
        int(without),
        needed,
        locks * needed,
        (f"No order within a partition or a key: {order}.", again, most),
    )


# Words


def _headline(name: str, planned: TopicPlan, topic: Topic, headroom: float, hot: HotKey | None) -> str:
    count, reason = planned.partitions, planned.binding_reason
    asked = planned.reasons.get(reason)
    because = {
        "parallelism": f"{most_members(topic):,.0f} members times {headroom:g} ask for {asked}",
        "produce": f"producers ask for {asked}",
        "consume": f"the slowest consumer group asks for {asked}",
        "processing": f"records in work at one time ask for {asked}",
        "growth": f"the load to come asks for {asked}",
        "hot_key": f"the hottest key asks for {asked}",
        "spread": f"one on each broker, {asked}, spreads a topic of this size",
        "minimum": "nothing asks for more",
    }[reason]
    said = f"{name}: {count} partitions"
    said += f" as given; {because}" if planned.partitions_given else f", because {because}"
    if planned.partitions_given and asked is not None and asked > count:
        said += ", so that they are too few"
    if hot is not None:
        said += f"; its hottest key exceeds {hot.capacity_of}, which no count mends"
    return said + "."


# Keys of a file


def keys_of(text: str) -> dict[bytes, float]:
    r"""Read a CSV of keys and how often they occur.

    Parameters
    ----------
    text
        A table with the columns `key` and `count`, a row for each key.

    Returns
    -------
    dict[bytes, float]
        Records of each key, as UTF-8.

    Raises
    ------
    ScenarioError
        For whatever is wrong with the table, all of it at once.

    Examples
    --------
    >>> keys_of("key,count\nuser-1,3\nuser-2,1\n")
    {b'user-1': 3.0, b'user-2': 1.0}
    """
    if len(text) > MOST_BYTES:
        raise refusal("The file of keys is too large.", "keys", f"{len(text):,}", f"up to {MOST_BYTES:,} characters")
    reader = csv.DictReader(io.StringIO(text.lstrip("\ufeff")), restkey=_BEYOND, strict=True)
    found: dict[bytes, float] = {}
    errors: list[InputError] = []
    try:
        heads = [str(head).strip().lower() for head in reader.fieldnames or ()]
        if not {"key", "count"} <= set(heads):
            raise refusal("The keys lack their columns.", "keys", ", ".join(heads)[:200], "columns key and count")
        if len(set(heads)) < len(heads):
            raise refusal("A column is there twice.", "keys", ", ".join(heads)[:200], "each column once")
        reader.fieldnames = heads
        for number, row in enumerate(reader, start=2):
            if number > MOST_KEYS + 1:
                raise refusal("There are too many keys.", "keys", f"row {number}", f"up to {MOST_KEYS:,} keys")
            errors.extend(_read_key(number, row, found))
    except csv.Error as error:
        raise refusal(f"The keys are no CSV: {error}.", "keys") from None
    if not errors and not sum(found.values()):
        errors.append(InputError("keys", len(found), "No key has any records.", "at least one key with a count"))
    if errors:
        raise ScenarioError(capped(errors))
    return found


def _read_key(number: int, row: Mapping[str, str | None], found: dict[bytes, float]) -> Iterator[InputError]:
    if _BEYOND in row:
        yield InputError(f"keys row {number}", None, "The row has more cells than the head.", "quotes around commas")
        return
    key, text = row.get("key"), (row.get("count") or "").strip()
    if not key:
        yield InputError(f"keys row {number} key", "", "The key is empty.", "a key; null keys have no partition")
        return
    name = key.encode("utf-8", "surrogatepass")
    if name in found:
        yield InputError(f"keys row {number} key", shorten(key), "The key is there twice.", "each key once")
        return
    try:
        count = float(text)
    except ValueError:
        count = math.nan
    if not 0 <= count < 1e18:  # noqa: PLR2004 - more records than any log holds
        yield InputError(f"keys row {number} count", shorten(text), "This is no count.", "a number from 0")
        return
    found[name] = count
