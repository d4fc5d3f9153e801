"""Which failure is asked about, on which cluster."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from planner.constants import constant
from planner.model import recovery
from planner.scenario import InputError, Scenario, ScenarioError, shorten
from planner.sizing import plan
from planner.sizing.compose import sizer_of
from planner.sizing.evaluate import Setting
from planner.sizing.loads import Load
from planner.sizing.simulate import Layout, Loss, Weighed
from planner.sizing.sized import Sized
from planner.sizing.spread import rack_names
from planner.sizing.workload import Workload
from planner.trace import Trace

ANY = "any"


@dataclass(frozen=True, slots=True)
class Case:
    """The cluster before anything fails."""

    scenario: Scenario
    brokers: int
    controllers: int
    setting: Setting
    sized: Sized
    layout: Layout
    weighed: Weighed
    failover_s: float
    trace: Trace

    @property
    def load(self) -> Load:
        """The load of its topics."""
        return self.sized.load

    @property
    def ids(self) -> tuple[int | None, ...]:
        """Id of each broker by position."""
        return tuple(range(self.brokers)) if self.layout.assigned is None else self.layout.assigned.ids


@dataclass(frozen=True, slots=True)
class Cause:
    """What fails, and for how long."""

    state: str
    loss: Loss
    brokers: int
    ids: tuple[int, ...]
    zone: str | None
    disks: int
    controllers: int
    away_s: float
    only_disk: bool = False  # a disk was asked about, and it is the broker's only one


def case_of(scenario: Scenario, throttle: float | None) -> Case:
    """Size the scenario; the refill goes as fast as limits and throttle let it."""
    today = plan(scenario)
    workload = Workload(scenario)
    setting, sizer = sizer_of(workload)
    count = today.brokers.count
    layout, sized = sizer.complete(count).layout, sizer.sized_at(count)
    given = throttle if throttle is not None else setting.throttle_bytes_per_s
    trace = Trace(labels=workload.names)
    gap = trace(
        "failover_s",
        recovery.failover_s,
        session_timeout_s=constant("recovery.session_timeout_s"),
        election_s=constant("recovery.election_s"),
    )
    return Case(
        scenario=scenario,
        brokers=count,
        controllers=today.cluster.controllers,
        setting=replace(setting, throttle_bytes_per_s=given, recovery_time_max_s=None),
        sized=sized,
        layout=layout,
        weighed=Weighed(sized.load, layout, fetch_from_follower=setting.fetch_from_follower),
        failover_s=float(gap),
        trace=trace,
    )


def cause_of(
    case: Case,
    *,
    brokers: int | None,
    ids: Sequence[int],
    zone: str | None,
    disk: bool,
    controllers: int,
    after: float | None,
    throttle: float | None,
) -> Cause:
    """The failure that is asked about; without a word, of one broker."""
    errors = [
        *_numbers(after, throttle),
        *_counts(case, brokers, controllers),
        *_known(case, ids, zone),
        *_one_of(brokers=brokers is not None, ids=bool(ids), zone=zone is not None, disk=disk),
    ]
    if errors:
        raise ScenarioError(errors)
    operations = case.scenario.operations
    away = after if after is not None else operations.broker_mttr if zone is None else operations.zone_mttr
    none = Cause("controllers_lost", Loss(), 0, (), None, 0, controllers, away)
    if zone is not None:
        return _zone(case, zone, none)
    if disk and case.setting.hardware.volumes > 1:
        return replace(none, state="disk_lost", disks=1)
    if ids:
        chosen = tuple(case.ids.index(broker) for broker in ids)
        return replace(none, state="broker_down", loss=Loss(chosen=chosen), brokers=len(chosen), ids=tuple(ids))
    if controllers and brokers is None and not disk:
        return none
    count = 1 if brokers is None else brokers  # the only disk of a broker is the broker
    return replace(none, state="broker_down", loss=Loss(brokers=count), brokers=count, only_disk=disk)


def _zone(case: Case, zone: str, none: Cause) -> Cause:
    if zone == ANY:
        return replace(none, state="zone_down", loss=Loss(zones=1), brokers=max(case.layout.sizes), zone=ANY)
    racks = np.array([str(name) for name in rack_names(case.layout)])
    chosen = tuple(np.flatnonzero(racks == zone).tolist())
    ids = tuple(broker for position in chosen if (broker := case.ids[position]) is not None)
    return replace(none, state="zone_down", loss=Loss(chosen=chosen), brokers=len(chosen), ids=ids, zone=zone)


def _one_of(**given: bool) -> Collection[InputError]:
    named = [name for name, is_given in given.items() if is_given]
    if len(named) < 2:  # noqa: PLR2004 - one is what is asked for
        return ()
    message = "These are different failures: ask about one at a time."
    return (InputError(" and ".join(named), None, message, f"one of {', '.join(given)}"),)


def _numbers(after: float | None, throttle: float | None) -> Collection[InputError]:
    errors = []
    if after is not None and not (math.isfinite(after) and after >= 0):
        errors.append(InputError("after", after, "This is no time.", "a finite number from 0"))
    if throttle is not None and not (math.isfinite(throttle) and throttle > 0):
        errors.append(InputError("throttle", throttle, "This is no throttle.", "a finite number above 0"))
    return errors


def _counts(case: Case, brokers: int | None, controllers: int) -> Collection[InputError]:
    errors = []
    if case.brokers == 1:
        message = "There is one broker: when it fails, nothing is left to look at."
        errors.append(InputError("cluster.brokers", 1, message, "2 brokers or more"))
    elif brokers is not None and not 1 <= brokers < case.brokers:
        message = f"Of {case.brokers} brokers some have to be left."
        errors.append(InputError("brokers", brokers, message, f"1 to {case.brokers - 1}"))
    if not 0 <= controllers <= case.controllers:
        message = f"There are {case.controllers} controllers."
        errors.append(InputError("controllers", controllers, message, f"0 to {case.controllers}"))
    return errors


def _known(case: Case, ids: Sequence[int], zone: str | None) -> Collection[InputError]:
    known = [broker for broker in case.ids if broker is not None]
    shown = f"{min(known)} to {max(known)}" if known else "an assignment"
    errors = [
        InputError("ids", broker, "There is no broker of this id.", shown) for broker in ids if broker not in known
    ]
    if len(set(ids)) < len(ids):
        errors.append(InputError("ids", str(list(ids)), "A broker is named twice.", "each once"))
    if ids and not errors and len(ids) >= case.brokers:
        errors.append(InputError("ids", str(list(ids)), "Some brokers have to be left.", "fewer brokers"))
    if zone is None:
        return errors
    racks = sorted({str(name) for name in rack_names(case.layout)})
    if case.layout.rackless:
        message = "The assignment has no racks, so nobody knows what a zone takes."
        errors.append(InputError("zone", shorten(zone), message, "cluster.brokers_placed.racks"))
    elif len(case.layout.sizes) == 1:
        errors.append(InputError("zone", shorten(zone), "All brokers are in one zone.", "a cluster of several zones"))
    elif zone != ANY and zone not in racks:
        errors.append(
            InputError("zone", shorten(zone), "There is no zone of this name.", ", ".join([ANY, *racks[:20]]))
        )
    return errors
