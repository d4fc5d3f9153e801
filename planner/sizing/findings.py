"""What somebody who has run Kafka would point at in this plan."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from planner.constants import constant
from planner.model.placement import rack_of_broker
from planner.model.skew import salts_needed
from planner.results import (
    RESOURCE_WORDS,
    STATE_WORDS,
    ClusterLoad,
    Cost,
    Finding,
    Spread,
    StateLoad,
    TopicPlan,
    Verdict,
)
from planner.sizing.carriers import carrier_of
from planner.sizing.narrate import percent
from planner.sizing.simulate import Flags
from planner.units import format_quantity, listed

if TYPE_CHECKING:
    from planner.sizing.compose import Draft

_SHOWN = 5  # topics named in one finding


def findings_of(
    draft: Draft,
    *,
    states: Mapping[str, StateLoad],
    verdicts: Sequence[Verdict],
    topics: Mapping[str, TopicPlan],
    cluster: ClusterLoad,
    cost: Cost | None,
    spread: Spread | None,
) -> tuple[Finding, ...]:
    """All findings, the gravest first."""
    found = [
        *_limits(draft, verdicts),
        *_availability(draft, states),
        *_budget(draft, cost),
        *_durability(draft),
        *_placement(draft, spread, verdicts),
        *_storage(draft, topics),
        *_partitions(draft, topics, cluster),
        *_requests(draft, cluster),
        *_mirrors(draft),
        *_inputs(draft),
    ]
    order = {"critical": 0, "warning": 1, "info": 2}
    return tuple(sorted(found, key=lambda finding: order[finding.severity]))


_names = partial(listed, most=_SHOWN)


def _limits(draft: Draft, verdicts: Sequence[Verdict]) -> Iterator[Finding]:
    """One finding per resource that is short, for its worst state."""
    worst: dict[str, Verdict] = {}
    for verdict in verdicts:
        known = worst.get(verdict.resource)
        if verdict.verdict == "short" and (known is None or _excess(verdict) > _excess(known)):
            worst[verdict.resource] = verdict
    for verdict in worst.values():
        words = RESOURCE_WORDS[verdict.resource]
        caution = " (a low-confidence estimate)" if verdict.confidence == "low" else ""
        message = (
            f"{words[0].upper()}{words[1:]} reaches {percent(verdict.utilisation)}{caution} when "
            f"{STATE_WORDS[verdict.state]}; the limit is {percent(verdict.threshold)}."
        )
        yield Finding(f"{verdict.resource}_short", "critical", message, verdict.action)
    if draft.brokers.required is None and not worst:
        reason = draft.brokers.required_reason or "no count holds"
        yield Finding("no_broker_count", "critical", f"No broker count holds: {reason}.", "Change a limit or the load.")


def _excess(verdict: Verdict) -> float:
    return verdict.utilisation / verdict.threshold


def _availability(draft: Draft, states: Mapping[str, StateLoad]) -> Iterator[Finding]:
    for name in ("broker_down", "zone_down"):
        state = states[name]
        if not state.checked:
            continue
        if name == "zone_down" and draft.evaluation.layout.rackless:
            message = f"The policy asks to survive that {STATE_WORDS[name]}, but {state.reason}."
            yield Finding("assignment_without_racks", "critical", message, "Give cluster.brokers_placed.racks.")
        elif state.per_broker is None:
            message = f"The policy asks to survive that {STATE_WORDS[name]}, and nothing would be left: {state.reason}."
            yield Finding(f"{name}_leaves_nothing", "critical", message, "Spread over more zones, or survive less.")
        elif state.unwritable:
            worst = max(state.unwritable, key=lambda topic: state.unwritable[topic])
            message = (
                f"When {STATE_WORDS[name]}, {_names(list(state.unwritable))} refuse writes: up to "
                f"{percent(state.unwritable[worst])} of the partitions of {worst} have too few live replicas."
            )
            action = "Raise the replication factor or lower min.insync.replicas; or do not ask to survive this."
            yield Finding(f"unwritable_{name}", "critical", message, action)


def _budget(draft: Draft, cost: Cost | None) -> Iterator[Finding]:
    budget = draft.scenario.policy.budget_per_month
    if budget is None:
        return
    if cost is None:
        yield Finding(
            "budget_not_judged",
            "info",
            "The budget cannot be judged, because the broker has no price.",
            "Give broker.price_per_month.",
        )
    elif cost.per_month > budget:
        message = f"The brokers cost {cost.per_month:,.0f} a month; the budget is {budget:,.0f}."
        yield Finding("budget_missed", "critical", message, "Choose a cheaper broker, keep less, or raise the budget.")


def _chosen(draft: Draft, mask: Flags) -> list[str]:
    """Names of the topics for which the mask holds."""
    return [draft.workload.names[index] for index in np.flatnonzero(mask).tolist()]


def _durability(draft: Draft) -> Iterator[Finding]:
    given = draft.workload.given
    copies, least, acks_all = given["replication_factor"], given["min_insync_replicas"], given["acks_all"] > 0
    single = _chosen(draft, copies == 1)
    if single:
        message = f"{_names(single)}: one replica; a lost disk loses the data."
        yield Finding("replication_factor_1", "warning", message, "Use replication factor 3 for data that matters.")
    tight = _chosen(draft, acks_all & (copies > 1) & (copies == least))
    if tight:
        message = f"{_names(tight)}: min.insync.replicas equals the replication factor; any broker down stops writes."
        yield Finding("min_insync_equals_rf", "warning", message, "Set min.insync.replicas one below.")
    loose = _chosen(draft, ~acks_all)
    if loose:
        message = f"{_names(loose)}: acks below all; a failing leader loses acknowledged records."
        yield Finding("acks_below_all", "warning", message, "Use acks=all, the default since Kafka 3.0.")
    alone = _chosen(draft, acks_all & (copies > 1) & (least == 1))
    if alone:
        message = f"{_names(alone)}: min.insync.replicas 1; a record may be acknowledged by one replica alone."
        yield Finding("min_insync_1", "info", message, "Use replication factor 3 with min.insync.replicas 2.")


def _placement(draft: Draft, spread: Spread | None, verdicts: Sequence[Verdict]) -> Iterator[Finding]:
    yield from _rack_rules(draft)
    if spread is None:
        return
    yield from _uneven_racks(draft, spread)
    yield from _concentrations(draft, spread)
    yield from _leaderless(draft, spread)
    yield from _volumes(draft, spread, verdicts)


def _rack_rules(draft: Draft) -> Iterator[Finding]:
    """Topics whose replicas cannot be in distinct racks, or are not."""
    layout = draft.evaluation.layout
    racks = len(layout.sizes)
    copies = draft.workload.given["replication_factor"]
    crowded = _chosen(draft, copies > racks)
    if racks > 1 and crowded:
        most = int(copies.max())
        message = (
            f"{_names(crowded)}: more replicas than zones ({most} in {racks}), so replicas "
            f"share a zone and losing one takes up to {math.ceil(most / racks)} of a partition."
        )
        yield Finding("replicas_share_a_zone", "warning", message, "Use more zones, or fewer replicas.")
    if layout.assigned is None:
        return
    rack = rack_of_broker(layout.sizes)
    names = draft.workload.names
    unaware = {
        names[topic]: int((np.diff(np.sort(rack[replicas], axis=1), axis=1) == 0).any(axis=1).sum())
        for topic, replicas in layout.assigned.replicas.items()
        if replicas.shape[1] <= racks
    }
    found = [f"{name} ({count} partitions)" for name, count in unaware.items() if count]
    if found:
        message = f"Replicas of one partition are in the same rack: {_names(found)}; losing it takes them together."
        yield Finding("assignment_not_rack_aware", "warning", message, "Reassign them over the racks.")


def _uneven_racks(draft: Draft, spread: Spread) -> Iterator[Finding]:
    sizes = draft.evaluation.layout.sizes
    if len(set(sizes)) == 1:
        return
    fullest = max(spread.racks, key=lambda rack: rack.replicas_over_mean)
    message = (
        f"{draft.brokers.count} brokers in racks of {', '.join(map(str, sizes))} are uneven: a broker in a rack of "
        f"{fullest.brokers} holds {percent(fullest.replicas_over_mean - 1)} more replicas than the mean."
    )
    action = f"Use a multiple of {len(sizes)}, the same number in each zone."
    yield Finding("unequal_zones", "warning", message, action)


def _concentrations(draft: Draft, spread: Spread) -> Iterator[Finding]:
    for row in spread.concentrations:
        if row.concentration == 1:
            continue
        message = (
            f"With {draft.brokers.count} brokers in {len(spread.racks)} zones at replication factor "
            f"{row.replication_factor}, Kafka's placer gives one broker up to {row.concentration} times its share of a "
            "topic's leaders; the plan counts with it."
        )
        near = [str(count) for count in (row.lower_brokers, row.higher_brokers) if count is not None]
        action = f"Use {' or '.join(near)} brokers, or spread leaders by hand or with Cruise Control."
        yield Finding("leader_concentration", "warning", message, action)


def _leaderless(draft: Draft, spread: Spread) -> Iterator[Finding]:
    """Brokers that lead nothing though there are partitions for all."""
    idle = round(spread.leaderless_brokers)
    if idle == 0 or draft.sized.load.topics.partitions.sum() < draft.brokers.count:
        return
    how = "lead" if spread.assigned else "are expected to lead"
    message = f"{idle} of {draft.brokers.count} brokers {how} no partition, so the others serve all clients."
    action = "Move leaders there, or use a partition count that is a multiple of the brokers."
    yield Finding("brokers_without_leaders", "info", message, action)


def _volumes(draft: Draft, spread: Spread, verdicts: Sequence[Verdict]) -> Iterator[Finding]:
    """A volume that passes its limit though its broker would not."""
    hardware = draft.setting.hardware
    short = [row for row in verdicts if row.resource == "disk_volume" and row.verdict == "short"]
    full = draft.evaluation.outcomes
    hidden = [
        row
        for row in short
        if row.state in full and full[row.state].fullest["disk_bytes"] <= row.threshold * hardware.disk_bytes
    ]
    if hardware.volumes > 1 and hidden:
        message = (
            f"The fullest of {hardware.volumes} volumes reaches {percent(hidden[0].utilisation)} of its space, beyond "
            f"the limit of {percent(hidden[0].threshold)}, though the broker as a whole does not: Kafka puts a new "
            f"replica on the volume with the fewest partitions and looks at no size "
            f"({spread.fullest_over_mean['fullest_volume_bytes']:.3g} times the mean)."
        )
        action = "Join the volumes (RAID), move replicas between them, or use more, smaller partitions."
        yield Finding("volume_fuller_than_broker", "warning", message, action)


def _storage(draft: Draft, topics: Mapping[str, TopicPlan]) -> Iterator[Finding]:
    given = draft.workload.given
    deleted, limited = given["deleted"] > 0, np.isfinite(given["retention_bytes"])
    unbounded = _chosen(draft, deleted & np.isinf(given["retention_s"]) & ~limited)
    if unbounded:
        years = (draft.scenario.policy.horizon or constant("storage.forever_horizon_s")) / 31_536_000
        message = f"{_names(unbounded)}: kept forever, so the disk never stops growing; sized for {years:.3g} years."
        yield Finding(
            "retention_forever", "warning", message, "Set policy.horizon, a retention limit, or tier the topic."
        )
    slow = set(_chosen(draft, _fills_slowly(draft)))
    slack = [
        name
        for name, topic in topics.items()
        if name in slow or topic.disk_bytes_worst > 1.5 * max(topic.disk_bytes, 1.0)
    ]
    if slack:
        message = (
            f"{_names(slack)}: at worst much more stays on disk than retention says, "
            "because whole segments are deleted and the open one is not."
        )
        yield Finding("segment_slack", "info", message, "Lower segment.bytes or segment.ms where the disk matters.")
    time_only = _chosen(draft, deleted & ~limited & (given["tiered"] == 0))
    if time_only:
        message = (
            f"{len(time_only)} of {len(topics)} topics have no byte limit; a producer spike grows them without bound."
        )
        yield Finding(
            "no_byte_limit", "info", message, "Set retention.bytes beside retention.ms; the first to trip wins."
        )


def _fills_slowly(draft: Draft) -> Flags:
    """Whether a segment takes longer to fill than half the retention, so that it sets what stays on disk; by topic."""
    given, columns = draft.workload.given, draft.sized.columns
    rate = columns["average_bytes_per_s"] / columns["partitions"]
    fills = np.minimum(given["segment_bytes"] / np.maximum(rate, 1e-9), given["segment_s"])
    judged = (given["deleted"] > 0) & (given["tiered"] == 0) & (rate > 0)
    slow: Flags = judged & (fills > given["retention_s"] / 2)
    return slow


def _partitions(draft: Draft, topics: Mapping[str, TopicPlan], cluster: ClusterLoad) -> Iterator[Finding]:
    short = [
        f"{name} ({topic.partitions} of {math.ceil(topic.partitions_raw - 1e-9)}, {topic.binding_reason})"
        for name, topic in topics.items()
        if topic.partitions_given and topic.partitions < topic.partitions_raw - 1e-9
    ]
    if short:
        yield Finding(
            "partitions_short",
            "warning",
            f"Fewer partitions than the load or the consumers ask for: {_names(short)}.",
            "Plan the repartition now: later it remaps keys.",
        )
    yield from _hot_keys(draft)
    idle = [
        f"{name} ({int(members)} members, {topics[name].partitions} partitions)"
        for name, members in zip(draft.workload.names, draft.workload.given["most_members"].tolist(), strict=True)
        if members > topics[name].partitions
    ]
    if idle:
        message = f"More members than partitions, so some stand idle: {_names(idle)}."
        yield Finding("idle_members", "warning", message, "Add partitions, remove members, or use a share group.")
    slow = list(_slow_groups(draft, topics))
    if slow:
        yield Finding(
            "slow_consumers",
            "warning",
            f"Groups that do not keep up at peak: {_names(slow)}.",
            "Add members, up to one per partition, or make them faster.",
        )
    limit = constant("partitions.cluster_zookeeper_max")
    if cluster.partitions > limit:
        message = (
            f"{cluster.partitions:,} partitions exceed the {limit:,.0f} of a ZooKeeper cluster (folk figure of 2018)."
        )
        yield Finding("cluster_partitions", "warning", message, "Use KRaft, or split the cluster.")
    yield from _passed_ceilings(next(iter(topics.values())))


def _passed_ceilings(any_topic: TopicPlan) -> Iterator[Finding]:
    """Rules of others that this plan passes on purpose; limits of single vendors are in the table only."""
    passed = [
        f"{row.name}, {row.limit:,.0f}"
        for row in any_topic.ceilings
        if not row.binds and row.kind != "vendor" and row.used_fraction > 1 and row.unit != "partitions per cluster"
    ]
    if passed:
        message = f"More than others advise: {_names(passed)}. None of them binds this plan."
        yield Finding("ceilings_passed", "info", message, "Measure fetch latency and failover before you rely on it.")


def _hot_keys(draft: Draft) -> Iterator[Finding]:
    columns, count = draft.sized.columns, draft.sized.load.topics.partitions
    for index in np.flatnonzero(draft.workload.top_key_fraction).tolist():
        share = float(draft.workload.top_key_fraction[index])
        peak, records = (float(columns[f"own_peak_{kind}_per_s"][index]) for kind in ("bytes", "records"))
        if records <= 0:
            continue
        carrier = carrier_of(draft.workload, index, peak / records)
        if share * peak <= carrier.bytes_per_s:
            continue
        carried, limit = (format_quantity(value, "bytes_per_s") for value in (share * peak, carrier.bytes_per_s))
        message = (
            f"{draft.workload.names[index]}: its most frequent key carries {carried}, more than {carrier.name} "
            f"({limit}); no partition count helps."
        )
        salts = salts_needed(
            key_bytes_per_s=share * peak,
            capacity_bytes_per_s=carrier.bytes_per_s,
            others_bytes_per_s=(1 - share) * peak / count[index],
        )
        salted = (
            f"Salt the key {int(salts)} ways (order across salts is lost)" if salts else "Add partitions and salt it"
        )
        yield Finding("hot_key", "warning", message, f"{salted}, or give it its own topic.")


def _slow_groups(draft: Draft, topics: Mapping[str, TopicPlan]) -> Iterator[str]:
    reads, peak = draft.workload.reads, draft.sized.columns["own_peak_records_per_s"]
    timed = np.isfinite(reads.records_per_s_per_member) | (reads.processing_s > 0)
    for row in np.flatnonzero(timed & ~reads.shared).tolist():
        index, group = int(reads.topic[row]), draft.workload.groups[1][row]
        name, rate = draft.workload.names[index], group.records_per_s_per_member
        if rate is None and group.processing_time is not None:
            rate = 1 / group.processing_time
        if rate is None or group.members is None:
            continue
        capacity, needed = min(group.members, topics[name].partitions) * rate, float(peak[index]) * group.read_fraction
        if capacity < needed * (1 - 1e-9):
            yield f"{group.group} on {name} ({capacity:,.0f} of {needed:,.0f} records/s)"


def _requests(draft: Draft, cluster: ClusterLoad) -> Iterator[Finding]:
    overhead = constant("requests.overhead_bytes") * (cluster.produce_requests_per_s + cluster.fetch_requests_per_s)
    if cluster.network_in_bytes_per_s > 0 and overhead > 0.5 * cluster.network_in_bytes_per_s:
        share = overhead / cluster.network_in_bytes_per_s
        message = f"Requests add {percent(share)} to the bytes received: batches are small."
        yield Finding("small_batches", "warning", message, "Raise linger.ms and batch.size of the producers.")
    derived = _chosen(draft, np.isnan(draft.workload.given["batch_given"]))
    if derived:
        message = f"{_names(derived)}: records per batch are derived from linger.ms, batch.size and the producers."
        yield Finding("batch_derived", "info", message, "Measure records per batch and give batch.records.")


def _mirrors(draft: Draft) -> Iterator[Finding]:
    produce = draft.sized.load.topics.produce_in_bytes_per_s
    for mirror in draft.scenario.cluster.mirror:
        chosen = [mirror.topics is None or name in mirror.topics for name in draft.workload.names]
        needed = float(produce @ chosen)
        if mirror.bandwidth is not None and needed > mirror.bandwidth:
            message = (
                f"The link to {mirror.to} needs {format_quantity(needed, 'bytes_per_s')} at peak and carries "
                f"{format_quantity(mirror.bandwidth, 'bytes_per_s')}: the copy falls behind."
            )
            yield Finding("mirror_bandwidth", "warning", message, "Mirror fewer topics, compress, or widen the link.")


def _inputs(draft: Draft) -> Iterator[Finding]:
    ranges = draft.workload.ranges
    if ranges:
        message = f"{len(ranges)} inputs are ranges; this plan takes their likely values."
        yield Finding("likely_values", "info", message, "Plan the low and the high end too, with --set.")
    binding = draft.brokers.binding
    if binding is not None and binding.resource in {"cpu", "disk_iops"}:
        words = RESOURCE_WORDS[binding.resource]
        message = f"The binding limit, {words}, is a low-confidence estimate."
        action = "Give cluster.calibration from one measured point." if binding.resource == "cpu" else "Measure it."
        yield Finding("low_confidence_binding", "warning", message, action)
