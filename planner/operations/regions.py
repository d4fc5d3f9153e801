"""A second region: bytes over the link, how old the copy is, what an outage of the link costs, the second cluster."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from planner.constants import constant
from planner.fields import InputError, ScenarioError
from planner.model import mirroring as rules
from planner.results import Assumption, Finding, Result, frame_of
from planner.scenario import Mirror, Scenario
from planner.sizing import plan
from planner.sizing.sized import Sized, size_at
from planner.sizing.totals import constants_used
from planner.sizing.workload import Workload
from planner.trace import Trace
from planner.units import format_quantity

if TYPE_CHECKING:
    import pandas as pd

_NEVER_S = 1e12
_LONGEST_S = 366 * 86_400.0


@dataclass(frozen=True, slots=True)
class Link:
    """One copy to another cluster."""

    to: str
    topics: tuple[str, ...]
    average_bytes_per_s: float
    peak_bytes_per_s: float
    bandwidth_bytes_per_s: float | None
    utilisation: float | None
    peak_duration_s: float | None
    waiting_after_peak_bytes: float
    lag_after_peak_s: float
    rpo_s: float
    caught_up_after_peak_s: float | None
    outage_s: float
    waiting_after_outage_bytes: float
    caught_up_after_outage_s: float | None
    caught_up_reason: str | None
    lost_by_retention: bool
    bytes_per_month: float
    second_cluster_brokers: int | None
    second_cluster_disk_bytes: float
    second_cluster_cost_per_month: float | None
    transfer_cost_per_month: float | None
    cost_reason: str | None


@dataclass(frozen=True)
class Mirrored(Result):
    """Every copy of the scenario."""

    links: tuple[Link, ...]
    findings: tuple[Finding, ...]
    assumptions: tuple[Assumption, ...]
    trace: Trace

    def to_frame(self) -> pd.DataFrame:
        """One row per copy."""
        return frame_of(self.links)


def mirror(scenario: Scenario, *, outage_s: float | None = None) -> Mirrored:
    """What copies to other regions carry, how old they are, and how they recover from an outage of the link.

    Parameters
    ----------
    scenario
        A scenario with `cluster.mirror`.
    outage_s
        How long the link is away [s], 0 to a year; None = a stated assumption.

    Returns
    -------
    Mirrored
        One entry per copy, with the size of the second cluster.

    Raises
    ------
    ScenarioError
        When there is no mirror, or the scenario cannot be planned.

    Examples
    --------
    >>> import planner
    >>> found = mirror(planner.load("preset:analytics-two-regions"))
    >>> found.links[0].rpo_s >= 1
    True
    """
    away = constant("mirroring.outage_s") if outage_s is None else outage_s
    errors = []
    if not scenario.cluster.mirror:
        errors.append(
            InputError("cluster.mirror", None, "The scenario has no mirror.", "[{to: NAME, bandwidth: 1Gbit/s}]")
        )
    if not 0 <= away <= _LONGEST_S:
        errors.append(InputError("outage_s", outage_s, "This is no outage.", "0 s to a year"))
    if errors:
        raise ScenarioError(errors)
    trace = Trace()
    workload = Workload(scenario)
    sized = size_at(workload, plan(scenario).brokers.count)
    links = tuple(_link(scenario, workload, sized, one, away, trace) for one in scenario.cluster.mirror)
    return Mirrored(links, tuple(_findings(links)), constants_used("mirroring."), trace)


def _link(scenario: Scenario, workload: Workload, sized: Sized, one: Mirror, away: float, trace: Trace) -> Link:  # noqa: PLR0917
    chosen = [name for name in workload.names if one.topics is None or name in one.topics]
    index = [workload.names.index(name) for name in chosen]
    average = float(sized.columns["average_bytes_per_s"][index].sum())
    peak = float(sized.columns["produce_in_bytes_per_s"][index].sum())
    lasts = max((workload.topics[at].peak_duration or 0.0 for at in index), default=0.0)
    link = math.inf if one.bandwidth is None else float(one.bandwidth)
    name = f"mirror.{one.to}"
    known = min(link, max(peak, average) * 1e6)  # a link without a limit leaves nothing waiting
    waits = float(
        trace(
            f"{name}.waiting",
            rules.link_backlog_bytes,
            arriving_bytes_per_s=peak,
            link_bytes_per_s=known,
            duration_s=lasts,
        )
    )
    missed = float(
        trace(
            f"{name}.missed",
            rules.link_backlog_bytes,
            arriving_bytes_per_s=average,
            link_bytes_per_s=0.0,
            duration_s=away,
        )
    )
    after_peak = _caught_up(trace, f"{name}.caught_up", waits, link, average)
    after_outage = _caught_up(trace, f"{name}.caught_up_after_outage", missed, link, average)
    age = float(
        trace(
            f"{name}.rpo_s",
            rules.copy_age_s,
            waiting_bytes=waits,
            link_bytes_per_s=known,
            copy_delay_s=constant("mirroring.copy_delay_s"),
        )
    )
    kept = min((float(workload.retention_s[at]) for at in index if workload.topics[at].deleted), default=math.inf)
    behind = average >= link
    brokers, disk, cost = _second(scenario, chosen)
    return Link(
        to=one.to,
        topics=tuple(name for name in (topic.name for topic in scenario.topics) if name in chosen),
        average_bytes_per_s=average,
        peak_bytes_per_s=peak,
        bandwidth_bytes_per_s=one.bandwidth,
        utilisation=None if one.bandwidth is None else peak / link,
        peak_duration_s=lasts or None,
        waiting_after_peak_bytes=waits,
        lag_after_peak_s=age - constant("mirroring.copy_delay_s"),
        rpo_s=age,
        caught_up_after_peak_s=after_peak,
        outage_s=away,
        waiting_after_outage_bytes=missed,
        caught_up_after_outage_s=after_outage,
        caught_up_reason="never: the link carries no more than arrives on average" if behind else None,
        lost_by_retention=away + (after_outage or 0.0) > kept or behind,
        bytes_per_month=average * 730 * 3600,
        second_cluster_brokers=brokers,
        second_cluster_disk_bytes=disk,
        second_cluster_cost_per_month=cost,
        transfer_cost_per_month=None,
        cost_reason="no price of transfer between regions is known"
        + ("" if cost is not None else ", and none of a broker"),
    )


def _caught_up(trace: Trace, name: str, waiting: float, link: float, average: float) -> float | None:
    """Time to copy what waits; None for never."""
    if math.isinf(link):
        return 0.0
    seconds = float(
        trace(name, rules.caught_up_s, waiting_bytes=waiting, link_bytes_per_s=link, arriving_bytes_per_s=average)
    )
    return seconds if seconds < _NEVER_S else None


def _second(scenario: Scenario, chosen: list[str]) -> tuple[int | None, float, float | None]:
    """The second cluster: the copied topics alone, on the same brokers, without readers and without further copies."""
    topics = tuple(topic.model_copy(update={"consumers": ()}) for topic in scenario.topics if topic.name in chosen)
    unset = {"mirror": (), "brokers": None, "brokers_placed": None}
    cluster = scenario.cluster.model_copy(update=unset)
    found = plan(scenario.model_copy(update={"topics": topics, "cluster": cluster}))
    return found.brokers.required, found.cluster.disk_bytes_worst, None if found.cost is None else found.cost.per_month


def _findings(links: tuple[Link, ...]) -> Iterator[Finding]:
    for link in links:
        if link.caught_up_reason is not None:
            message = f"The link to {link.to} carries less than arrives on average: the copy falls behind for good."
            yield Finding("mirror_never", "critical", message, "Widen the link, compress, or copy fewer topics.")
        elif link.waiting_after_peak_bytes > 0:
            old = format_quantity(link.rpo_s, "s")
            message = f"At peak the link to {link.to} carries less than arrives: the copy is up to {old} old."
            yield Finding(
                "mirror_behind_at_peak", "warning", message, "Widen the link, or accept that loss in a disaster."
            )
        if link.utilisation is not None and link.utilisation > 1 and link.peak_duration_s is None:
            message = f"How long peaks last is not given, so what waits for {link.to} is not known."
            yield Finding("mirror_peak_unknown", "warning", message, "Give peak_duration of the topics.")
        if link.lost_by_retention and link.caught_up_reason is None:
            message = f"After an outage of the link to {link.to} retention deletes records before they are copied."
            yield Finding(
                "mirror_loses", "critical", message, "Keep the topics longer than outage and catch-up together."
            )
