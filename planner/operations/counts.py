"""How many partitions each topic needs and why, how its keys fall onto them, and what helps where no count does."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from planner.constants import constant
from planner.fields import InputError, ScenarioError, nearest, refusal, shorten
from planner.model import partitions as counts
from planner.model import skew
from planner.model.types import Array
from planner.operations.hot_keys import HotKey, hot_key_of
from planner.results import Assumption, Ceiling, Plan, Result, Rung, TopicPlan
from planner.scenario import Scenario, Topic
from planner.sizing import plan
from planner.sizing.sized import Sized, size_at
from planner.sizing.totals import constants_used
from planner.sizing.workload import Workload, classic_groups, crowding, most_members, top_key_fraction
from planner.trace import Trace
from planner.validation import MAX_ERRORS, capped

if TYPE_CHECKING:
    import pandas as pd

MOST_KEYS = 2_000_000
_DRAWS = 1000  # for quantiles that are shown
MOST_BYTES = 100_000_000  # of a file of keys
_MOST_RECORDS = 1e18  # of a key: more than any log holds
_BEYOND = "\0 cells beyond the head"  # no column of a file is called so
_SHOWN = 10  # partitions listed of a measured distribution
_STAGES = (((4, 2), "production"), ((4, 1), "preview"), ((4, 0), "early access"))  # of share groups, from that version


@dataclass(frozen=True, slots=True)
class Skew:
    """How uneven the partitions of a topic are: exact for given keys, an expectation for a distribution."""

    basis: str  # keys, distribution, top key, or even
    hottest_fraction: float
    even_fraction: float
    times_even: float
    reason: str
    p50_fraction: float | None = None  # these two of a distribution
    p95_fraction: float | None = None
    hottest_partitions: tuple[tuple[int, float], ...] = ()  # partition and share, of given keys
    distinct_keys: float | None = None


@dataclass(frozen=True, slots=True)
class ShareGroups:
    """Share groups (KIP-932) in place of partitions for parallelism, and their price."""

    stage: str  # none, early access, preview or production, in the cluster's version
    available: bool
    partitions_without: int
    partitions_with: int
    in_flight_records: float
    group_size_max: float
    price: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TopicCount:
    """Everything about one topic's partition count."""

    headline: str
    partitions: int
    partitions_raw: float
    partitions_given: bool
    reasons: Mapping[str, float | None]
    reasons_raw: Mapping[str, float]
    binding_reason: str
    rounding: str
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
    failover_s: float
    broker_refill_s: float | None
    broker_refill_s_reason: str | None
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
    case = _Case(workload, sized, size_at(workload, sized.brokers.count), Trace(), librdkafka=librdkafka)
    return PartitionCounts(
        brokers=sized.brokers.count,
        failover_s=sized.recovery.failover_s,
        broker_refill_s=sized.recovery.broker_refill_s,
        broker_refill_s_reason=sized.recovery.broker_refill_s_reason,
        topics={name: _count(case, name, keys) for name in wanted},
        assumptions=constants_used("partitions.", "share.", "ceiling."),
        trace=case.trace,
    )


@dataclass(frozen=True)
class _Case:
    workload: Workload
    plan: Plan
    sized: Sized
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
    if keys is not None and not (all(0 <= count < _MOST_RECORDS for count in keys.values()) and sum(keys.values()) > 0):
        raise refusal("Keys need counts, not all of them 0.", "keys", None, "a number from 0 for each key")
    if topic not in names:
        close = nearest(topic, names)
        raise refusal("The scenario has no such topic.", "topic", shorten(topic), ", ".join(names[:20]), close)
    if keys is not None:
        check_keyed(next(item for item in scenario.topics if item.name == topic))
    return [topic]


def check_keyed(topic: Topic) -> None:
    """Refuse keys for a topic whose records have none."""
    if topic.record.key_bytes is None:
        message = f"Records of {topic.name} have no key: record.key_bytes is not given."
        raise refusal(message, "keys", None, f"topics.{topic.name}.record.key_bytes beside the keys")


def _count(case: _Case, name: str, keys: Mapping[bytes, float] | None) -> TopicCount:
    index, topic, planned = case.of(name)
    hashed = None if keys is None else _hashed(keys, librdkafka=case.librdkafka)
    found = _skew(topic, planned.partitions, hashed)
    top = top_key_fraction(topic) if hashed is None else float(hashed.weight.max() / hashed.weight.sum())
    hot = hot_key_of(
        case.workload,
        case.sized.columns,
        index,
        partitions=planned.partitions,
        key_fraction=top,
        hottest_at=partial(_hottest_at, topic, hashed),
        trace=case.trace,
    )
    rounding = _rounding(planned, case.plan.brokers.count)
    return TopicCount(
        headline=_headline(
            name, planned, topic, case.plan.scenario.policy.partition_headroom, rounding=rounding, hot=hot
        ),
        partitions=planned.partitions,
        partitions_raw=planned.partitions_raw,
        partitions_given=planned.partitions_given,
        reasons=planned.reasons,
        reasons_raw={reason: float(values[index]) for reason, values in case.sized.reasons.items()},
        binding_reason=planned.binding_reason,
        rounding=rounding,
        ladder=planned.ladder,
        ceilings=planned.ceilings,
        hottest_partition_fraction=found.hottest_fraction,
        skew=found,
        hot_key=hot,
        share_groups=_share_groups(case, index, planned),
    )


# Skew

_EVEN = "records without a key go to one partition at a time, and over time evenly to all"
_UNKNOWN = "nothing is known of the keys, so they count as even: give keys.unique and keys.zipf_exponent"


@dataclass(frozen=True, slots=True)
class _Hashed:
    """Given keys, hashed once for any number of partitions."""

    number: npt.NDArray[np.int64]
    weight: Array
    why: str

    def shares(self, count: int) -> Array:
        """Share of each of `count` partitions."""
        return skew.partition_shares(partition=self.number % count, weight=self.weight, partitions=count)


def _hashed(keys: Mapping[bytes, float], *, librdkafka: bool) -> _Hashed:
    weight = np.fromiter(keys.values(), dtype=float, count=len(keys))
    hashed = "CRC-32, as librdkafka" if librdkafka else "murmur2, as Kafka's Java client"
    number = skew.key_hashes(keys=list(keys), librdkafka=librdkafka)
    return _Hashed(number, weight, f"the keys given, hashed with {hashed}")


def _hottest_at(topic: Topic, hashed: _Hashed | None, count: int) -> float:
    """Share of the hottest of `count` partitions, as a plan takes it; exact for given keys."""
    if hashed is not None:
        return float(hashed.shares(count).max())
    return float(
        counts.hottest_partition_fraction(
            top_key_fraction=top_key_fraction(topic), partitions=count, crowding_fraction=crowding(topic, count)
        )
    )


def _skew(topic: Topic, count: int, hashed: _Hashed | None) -> Skew:
    even = _EVEN if topic.record.key_bytes is None else _UNKNOWN
    hottest = _hottest_at(topic, hashed, count)
    found = Skew("even", hottest, 1 / count, hottest * count, even)
    if hashed is not None:
        share = hashed.shares(count)
        order = np.argsort(-share, kind="stable")[:_SHOWN]
        listed = tuple((int(index), float(share[index])) for index in order)
        keys = float(len(hashed.weight))
        return replace(found, basis="keys", reason=hashed.why, hottest_partitions=listed, distinct_keys=keys)
    given = topic.keys
    if topic.record.key_bytes is None or given is None or (given.unique is None and given.top_key_fraction is None):
        return found
    if given.unique is None:
        return replace(found, basis="top key", reason="the top key, and the others evenly")
    known = float(given.unique), float(given.zipf_exponent), given.top_key_fraction
    spread = skew.hottest_partition(*known, count, _DRAWS)
    return replace(
        found,
        basis="distribution",
        reason="over the possible hashes of the keys; the keys themselves (--keys) give it exactly",
        p50_fraction=spread.p50_fraction,
        p95_fraction=spread.p95_fraction,
        distinct_keys=float(given.unique),
    )


# Share groups


def _share_groups(case: _Case, index: int, planned: TopicPlan) -> ShareGroups | None:
    """What a share group would change where members or processing ask for more partitions than the rest does."""
    topic, locks = case.workload.topics[index], constant("share.partition_max_record_locks")
    if not classic_groups(topic):
        return None
    raw = {name: float(values[index]) for name, values in case.sized.reasons.items()}
    # what has to be in work at once is limited by the records that the members may lock of a partition
    locked = counts.partitions_for_processing(peak_records_per_s=raw["processing"], processing_time_s=1 / locks)
    without = max(planned.reasons.get(name) or 0 for name in ("parallelism", "processing", "consume"))
    # of the load to come, only what producers bring: a partition is read by many members
    grown = raw["produce"] * _growth(raw)
    needed = math.ceil(max(raw["produce"], grown, raw["hot_key"], raw["spread"], float(locked), 1.0) - 1e-9)
    if without <= needed:
        return None
    version = case.plan.scenario.cluster.version
    stage = next((name for least, name in _STAGES if version[:2] >= least), "none")
    most = constant("share.group_max_size")
    return ShareGroups(
        stage, stage == "production", int(without), needed, locks * needed, most, _price(topic, locks, needed, most)
    )


def _growth(raw: Mapping[str, float]) -> float:
    """Load at the growth horizon over that of today."""
    today = max(raw["produce"], raw["consume"], raw["processing"])
    return max(raw["growth"] / today, 1.0) if today > 0 else 1.0


def _price(topic: Topic, locks: float, needed: int, most: float) -> tuple[str, ...]:
    ordered = topic.keys is not None and topic.keys.ordered
    order = "this topic's consumers rely on it" if ordered else "nothing in the scenario relies on it"
    again = (
        f"A record that is not acknowledged in {constant('share.record_lock_s'):.0f} s is delivered again, at most "
        f"{constant('share.delivery_count_limit'):.0f} times, then it is archived; there is no dead-letter queue."
    )
    locked = (
        f"Members may lock {locks:,.0f} records of a partition at once, {locks * needed:,.0f} of all; then no more are "
        "handed out until some are acknowledged."
    )
    members = int(most_members(topic))
    size = (
        f"At most {most:.0f} members by default (this topic plans {members}), and no transactions that include its "
        "offsets."
    )
    return (f"No order within a partition or a key: {order}.", again, locked, size)


# Words


def _rounding(planned: TopicPlan, brokers: int) -> str:
    """How the count came from what is needed."""
    count, needed = planned.partitions, max(math.ceil(planned.partitions_raw - 1e-9), 1)
    if planned.partitions_given:
        return "as given"
    if count == needed:
        return "not rounded further"
    if count % brokers == 0 and planned.reasons.get("spread"):
        return f"rounded up to a multiple of the {brokers} brokers"
    return "rounded up to a count that more numbers of members divide"


def _headline(
    name: str, planned: TopicPlan, topic: Topic, headroom: float, *, rounding: str, hot: HotKey | None
) -> str:
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
    if rounding.startswith("rounded"):
        said += f", {rounding}"
    if planned.partitions_given and asked is not None and asked > count:
        said += ", so that they are too few"
    if hot is not None and hot.alone:
        said += f"; its hottest key is more than {hot.capacity_of}, which no count mends"
    elif hot is not None:
        said += f"; its hottest partition is more than {hot.capacity_of}"
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
            if len(errors) > MAX_ERRORS:
                break
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
    if not 0 <= count < _MOST_RECORDS:
        yield InputError(f"keys row {number} count", shorten(text), "This is no count.", "a number from 0")
        return
    found[name] = count
