"""Small scenarios that the tests of the plan share."""

from __future__ import annotations

from typing import Any

from planner.scenario import Scenario

BASE: dict[str, Any] = {
    "name": "events",
    "records_per_s": 10_000,
    "record": {"key_bytes": 16, "value_bytes": 1000},
    "batch": {"records": 50},
    "consumers": [{"group": "readers", "members": 6}],
}


def topic(**changes: Any) -> dict[str, Any]:
    """A topic of 10,000 records of about 1 kB, read once."""
    return {**BASE, **changes}


def scenario(*topics: dict[str, Any], cluster: Any = None, policy: Any = None) -> Scenario:
    """A scenario of the given topics, else of the one above."""
    return Scenario.model_validate(
        {"topics": list(topics) or [topic()], "cluster": cluster or {}, "policy": policy or {}}
    )
