"""Today's load against the plan: does the cluster hold, for how long, and what in it is out of proportion."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from planner.fields import refusal
from planner.results import Check, Plan, Result, to_plain
from planner.runway import FirstLimit, growth
from planner.scenario import Scenario
from planner.sizing import check, plan, reverse
from planner.sources.conversion import Imported, Measured
from planner.sources.facts import Gap

if TYPE_CHECKING:
    import pandas as pd

_OVER = 4.0  # times the partitions that anything asks for
_MONTHS = 36


@dataclass(frozen=True)
class TopicToday:
    """One topic: planned, and today."""

    topic: str
    planned_bytes_per_s: float | None  # at its peak, wire; None where the plan does not know the topic
    today_bytes_per_s: float | None
    today_over_planned: float | None
    planned_partitions: int | None
    today_partitions: int | None
    needed_partitions: float | None  # by today's load and readers
    idle: bool
    over_partitioned: bool
    misplaced_partitions: int  # that have fewer racks than they could
    note: str = ""


@dataclass(frozen=True)
class Hottest:
    """What has most of the load, and how far it stands above the mean."""

    what: str
    bytes_per_s: float
    over_mean: float


@dataclass(frozen=True)
class Today(Result):
    """A cluster today, against its plan."""

    holds: bool
    today: Check
    brokers: int
    planned_brokers: int | None
    max_load_factor: float | None  # of today's load
    growth_per_year: float
    first_limit: FirstLimit | None  # the runway, when the load grows
    hottest_broker: Hottest | None
    hottest_partition: Hottest | None
    topics: tuple[TopicToday, ...]
    gaps: tuple[Gap, ...]

    def to_dict(self) -> dict[str, Any]:
        """The contract's dictionary, with the check of today's load under `today`."""
        rows = {key: value for key, value in self.__dict__.items() if key != "today"}
        return {**{key: to_plain(value) for key, value in rows.items()}, "today": self.today.to_dict()}

    def to_frame(self) -> pd.DataFrame:
        """One row for each topic."""
        import pandas as pd  # heavy: only for callers who want a frame

        return pd.DataFrame([asdict(row) for row in self.topics])


def check_live(found: Imported | Scenario, planned: Scenario | None = None, *, start: dt.date | None = None) -> Today:
    """Check today's load and layout of a cluster, by itself and against a plan.

    Parameters
    ----------
    found
        What `read_cluster` or `read_sources` read; or the scenario of an import, without the measurements beside it.
    planned
        The scenario that the cluster was sized for.
    start
        The day the runway counts from; today when not given.

    Returns
    -------
    Today
        Whether today's load holds in every state, how long it will, the hottest broker and partition, and for each
        topic what is out of proportion: idle, far more partitions than anything asks for, replicas that share a rack.

    Raises
    ------
    ScenarioError
        When no topic was found, or a scenario cannot be planned.

    Examples
    --------
    >>> import planner
    >>> today = check_live(planner.load("preset:ecommerce", sets=["cluster.brokers=15"]))
    >>> today.holds, today.topics[0].idle
    (True, False)
    """
    scenario = found.scenario if isinstance(found, Imported) else found
    if scenario is None:
        raise refusal("The cluster has no topic, so there is nothing to check.", "topics", None, "topics")
    measured = found.measured if isinstance(found, Imported) else None
    # growth and machine of the plan are known; of a cluster that was read they are not
    scenario = _completed(scenario, planned)
    today = check(scenario)
    room = reverse(scenario)
    rate = scenario.policy.growth_per_year
    limits = growth(scenario, months=_MONTHS, start=start).first_limits if rate > 0 else ()
    wanted = None if planned is None else plan(planned)
    return Today(
        holds=today.holds,
        today=today,
        brokers=today.plan.brokers.count,
        planned_brokers=None if wanted is None else wanted.brokers.count,
        max_load_factor=room.max_load_factor,
        growth_per_year=float(rate),
        first_limit=limits[0] if limits else None,
        hottest_broker=_hottest_broker(measured, today.plan),
        hottest_partition=_hottest_partition(measured),
        topics=tuple(_topics(scenario, measured, today.plan, wanted)),
        gaps=found.gaps if isinstance(found, Imported) else (),
    )


def _completed(scenario: Scenario, planned: Scenario | None) -> Scenario:
    """Today's load and layout with what only the plan tells: policy, and a machine that was not read."""
    if planned is None:
        return scenario
    policy = planned.policy
    if scenario.policy.growth_per_year > 0:  # measured
        policy = policy.model_copy(update={"growth_per_year": scenario.policy.growth_per_year})
    policy = policy.model_copy(update={"horizon": 0.0})  # today's load, not that of the horizon
    cluster = scenario.cluster.model_copy(update={"broker": planned.cluster.broker})
    return scenario.model_copy(update={"policy": policy, "cluster": cluster, "operations": planned.operations})


def _hottest_broker(measured: Measured | None, sized: Plan) -> Hottest | None:
    """By what is written to it: measured, else computed from the assignment."""
    rows = [(str(row.broker), row.wire_in_bytes_per_s or 0.0) for row in measured.brokers] if measured else []
    if not any(rate for _, rate in rows) and sized.placement is not None:
        rows = [(str(row.broker), row.network_in_bytes_per_s) for row in sized.placement.brokers]
    mean = sum(rate for _, rate in rows) / len(rows) if rows else 0.0
    if not mean:
        return None
    name, most = max(rows, key=lambda row: row[1])
    return Hottest(f"broker {name}", most, most / mean)


def _hottest_partition(measured: Measured | None) -> Hottest | None:
    """The partition with most bytes a second, against the mean of its topic."""
    rows = [
        Hottest(
            f"{row.topic}-{row.hottest_partition}",
            row.hottest_share * row.wire_bytes_per_s,
            row.hottest_share * row.partitions,
        )
        for row in (measured.topics if measured else ())
        if row.hottest_share and row.wire_bytes_per_s and row.partitions
    ]
    return max(rows, key=lambda row: row.bytes_per_s, default=None)


def _topics(scenario: Scenario, measured: Measured | None, sized: Plan, wanted: Plan | None) -> Iterator[TopicToday]:
    seen = {row.topic: row for row in measured.topics} if measured else {}
    placed = scenario.cluster.brokers_placed
    misplaced = _misplaced(placed.racks, placed.topics) if placed is not None and placed.racks else {}
    for topic in scenario.topics:
        row = sized.topics[topic.name]
        row_seen = seen.get(topic.name)
        before = wanted.topics.get(topic.name) if wanted else None
        now = row_seen.wire_bytes_per_s if row_seen else row.produce_in_bytes_per_s / topic.peak_ratio
        most = before.produce_in_bytes_per_s if before else None
        needed = max((value for value in row.reasons.values() if value is not None), default=1.0)
        idle = bool(row_seen.idle) if row_seen else now == 0
        yield TopicToday(
            topic=topic.name,
            planned_bytes_per_s=most,
            today_bytes_per_s=now,
            today_over_planned=now / most if now is not None and most else None,
            planned_partitions=before.partitions if before else None,
            today_partitions=topic.partitions,
            needed_partitions=needed,
            idle=idle,
            over_partitioned=not idle and (topic.partitions or 0) > _OVER * max(needed, 1.0),
            misplaced_partitions=misplaced.get(topic.name, 0),
            note="not in the plan" if wanted and before is None else "",
        )
    for name, before in wanted.topics.items() if wanted else ():
        if name not in sized.topics:
            yield TopicToday(
                topic=name,
                planned_bytes_per_s=before.produce_in_bytes_per_s,
                today_bytes_per_s=None,
                today_over_planned=None,
                planned_partitions=before.partitions,
                today_partitions=None,
                needed_partitions=None,
                idle=False,
                over_partitioned=False,
                misplaced_partitions=0,
                note="not in the cluster",
            )


def _misplaced(racks: Mapping[str, str], topics: Mapping[str, tuple[tuple[int, ...], ...]]) -> dict[str, int]:
    """For each topic the partitions with fewer racks than replicas or racks allow."""
    count = len(set(racks.values()))
    found: Counter[str] = Counter()
    for name, lists in topics.items():
        for replicas in lists:
            used = {racks.get(str(broker)) for broker in replicas}
            if len(used) < min(len(replicas), count):
                found[name] += 1
    return dict(found)
