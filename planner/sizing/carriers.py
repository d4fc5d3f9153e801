"""What one partition carries: as a log, for its readers, and for the member that owns it."""

from __future__ import annotations

from dataclasses import dataclass

from planner.sizing.workload import Workload, classic_groups, member_rate


@dataclass(frozen=True, slots=True)
class Carrier:
    """The narrowest place that all records of a partition pass, in bytes produced per second."""

    bytes_per_s: float
    name: str
    producing: bool = False  # the log itself, so that what is too much waits with the producers


def carrier_of(workload: Workload, index: int, record_bytes: float) -> Carrier:
    """Find what limits a partition of the topic at `index`."""
    given = workload.given
    found = [Carrier(float(given["produce_capacity"][index]), "a partition takes from producers", producing=True)]
    for group in classic_groups(workload.topics[index]):
        if group.read_fraction > 0:
            reads = float(given["consume_capacity"][index]) / group.read_fraction
            found.append(Carrier(reads, f"a member of {group.group} reads from a partition"))
            rate = member_rate(group)
            if rate is not None:
                found.append(Carrier(rate / group.read_fraction * record_bytes, f"a member of {group.group} processes"))
    return min(found, key=lambda carrier: carrier.bytes_per_s)
