"""The words and number formats that every report shares."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from planner.results import Assumption, Finding
from planner.scenario import Scenario, Section, shape_of
from planner.trace import Step, plain, short
from planner.units import format_quantity

STATE_LABELS = {
    "healthy": "healthy",
    "broker_down": "broker down",
    "zone_down": "zone down",
    "recovering": "recovering",
    "returned": "returned",
    "reduced": "reduced",
}
FIGURE_LABELS = {
    "network_in_bytes_per_s": "network in",
    "network_out_bytes_per_s": "network out",
    "network_overhead_in_bytes_per_s": "requests in",
    "network_overhead_out_bytes_per_s": "requests out",
    "disk_write_bytes_per_s": "disk writes",
    "disk_read_bytes_per_s": "disk reads",
    "disk_iops": "disk operations",
    "disk_bytes": "disk space",
    "fullest_volume_bytes": "fullest volume",
    "cpu_fraction": "CPU",
    "memory_bytes": "memory",
    "replicas": "replicas",
    "leaders": "leaders",
    "open_files": "open files",
    "mmaps": "memory maps",
}
CLUSTER_LABELS = {
    "produce_in_bytes_per_s": "produced by clients",
    "follower_in_bytes_per_s": "fetched by followers",
    "consumer_out_bytes_per_s": "sent to consumer groups",
    "tier_out_bytes_per_s": "sent to the remote tier",
    "mirror_out_bytes_per_s": "sent to mirrors",
    "network_in_bytes_per_s": "network in, all brokers",
    "network_out_bytes_per_s": "network out, all brokers",
    "cross_zone_bytes_per_s": "across zone borders",
    "produce_requests_per_s": "produce requests",
    "fetch_requests_per_s": "fetch requests",
    "disk_bytes": "on disk, average, all replicas",
    "disk_bytes_worst": "on disk, at worst, all replicas",
    "provisioned_disk_bytes": "disk space of the brokers",
    "remote_bytes": "in the remote tier",
    "partitions": "partitions",
    "replicas": "replicas",
    "internal_replicas": "replicas of internal topics",
    "controllers": "controllers",
    "controller_memory_bytes": "memory of a controller",
    "metadata_bytes": "metadata snapshot",
}
REASON_LABELS = {
    "produce": "produce",
    "consume": "consume",
    "parallelism": "parallelism",
    "processing": "processing",
    "growth": "growth",
    "hot_key": "hot key",
    "spread": "spread",
}

_DIMENSIONS = {
    "bytes": "bytes",
    "bytes/s": "bytes_per_s",
    "1/s": "per_s",
    "1/day": "per_day",
    "s": "s",
    "fraction": "fraction",
    "ratio": "ratio",
    "count": "count",
}
# the end of a figure's name -> its unit; the first that fits decides
_ENDINGS = (
    ("_bytes_per_s", "bytes/s"),
    ("_bytes_per_record", "bytes"),
    ("_bytes_worst", "bytes"),
    ("_bytes", "bytes"),
    ("_iops", "1/s"),
    ("_per_s", "1/s"),
    ("_fraction", "fraction"),
    ("_s", "s"),
)


def visible(text: str) -> str:
    """Write out control and formatting characters, so that no text of a user acts on a terminal or a page."""
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode("ascii") for c in text
    )


def quantity(value: Any, unit: str) -> str:
    """A value with its unit as people write it."""
    shown = plain(value)
    if shown is None or shown == "":
        return "none"
    if isinstance(shown, bool):
        return "yes" if shown else "no"
    if isinstance(shown, str):
        return visible(shown)
    if not isinstance(shown, int | float):
        return f"{short(value)} {unit}".strip()
    if unit in _DIMENSIONS and math.isfinite(shown):
        return format_quantity(shown, _DIMENSIONS[unit])
    return "forever" if shown == math.inf else f"{short(shown)} {unit}".strip()


def raw(step: Step) -> str:
    """The value of a step in base units, with all digits."""
    value = plain(step.value)
    return f"{value!r} {step.unit}" if isinstance(value, int | float) else f"{short(step.value)} {step.unit}"


def unit_of_figure(name: str) -> str:
    """The unit that the name of a result's figure ends with."""
    last = name.rsplit(".", 1)[-1]
    return next((unit for ending, unit in _ENDINGS if last.endswith(ending)), "count")


def unit_of_input(path: str) -> str:
    """The unit of a scenario's key, given as `topics.orders.retention.time`; empty for words."""
    found = _dimension(Scenario, path.split("."))
    return next((unit for unit, dimension in _DIMENSIONS.items() if dimension == found), "")


def _dimension(section: type[Section], path: Sequence[str]) -> str:
    key, rest = path[0], path[1:]
    if key not in section.model_fields:
        return ""
    shape = shape_of(section, key)
    if shape.kind == "value":
        known = shape.quantity.dimension if shape.quantity else ""
        return {"s_or_forever": "s"}.get(known, known)
    if shape.section is None or not rest:
        return ""
    if shape.kind == "section":
        return _dimension(shape.section, rest)
    # an item's name may hold dots, so it may take up several parts of the path
    tails = (_dimension(shape.section, rest[size:]) for size in range(1, len(rest)))
    return next((found for found in tails if found), "")


def is_input(assumption: Assumption) -> bool:
    """Whether the assumption stood in for a key of the scenario, rather than being a constant of the model."""
    return assumption.id.partition(".")[0] in Scenario.model_fields


def assumed(assumption: Assumption) -> str:
    """The value of an assumption, with its unit."""
    return _assumed(assumption, assumption.value)


def assumed_range(assumption: Assumption) -> str:
    """The range within which an assumption is reasonable; empty where there is none."""
    if assumption.low is None or assumption.high is None:
        return ""
    return f"{_assumed(assumption, assumption.low)} to {_assumed(assumption, assumption.high)}"


def _assumed(assumption: Assumption, value: Any) -> str:
    unit = assumption.unit or (unit_of_input(assumption.id) if is_input(assumption) else "")
    if unit == "bytes" and isinstance(value, int | float) and value and value % 1024 == 0:
        return format_quantity(value, "bytes", binary=True)  # Kafka's defaults are powers of two
    return quantity(value, unit)


def key_words(path: str) -> tuple[str, str]:
    """The part of the scenario that a key belongs to, and the key in words."""
    groups = {
        "topics.*.consumers.*.": "Consumer groups",
        "topics.*.": "Topics",
        "cluster.": "Cluster",
        "policy.": "Policy",
        "operations.": "Operations",
        "questions.": "Questions",
    }
    for prefix, group in groups.items():
        if path.startswith(prefix):
            return group, path.removeprefix(prefix).replace("_", " ").replace(".", " ")
    return "Given as ranges", path


def margin_text(margin: float) -> str:
    """A distance from a limit, in percentage points of the capacity."""
    return format_quantity(round(margin, 9) + 0.0, "fraction")  # no "-2e-15 %" where a limit is just met


def finding_line(finding: Finding) -> str:
    """A finding on one line: how grave, what, and what to do."""
    return f"{finding.severity}: {finding.message} {finding.action}"
