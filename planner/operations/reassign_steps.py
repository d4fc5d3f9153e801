"""The steps of a reassignment as an operator types them."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterable, Iterator, Sequence

_TOOL = "kafka-reassign-partitions --bootstrap-server $BOOTSTRAP"
_CONFIGS = "kafka-configs --bootstrap-server $BOOTSTRAP --alter"
_RATES = ("leader.replication.throttled.rate", "follower.replication.throttled.rate")
_LISTS = ("leader.replication.throttled.replicas", "follower.replication.throttled.replicas")


def batch_file(number: int, batches: int) -> str:
    """The name of a batch's file."""
    return f"batch-{number:0{len(str(batches))}d}.json"


def steps_of(
    batches: int, *, throttle_bytes_per_s: float | None, live: Sequence[int], dead: Sequence[int], topics: Sequence[str]
) -> tuple[str, ...]:
    """Every step in order: what to look at, set, start, watch and take away again."""
    rate = None if throttle_bytes_per_s is None else max(math.floor(throttle_bytes_per_s), 1)
    by_hand = bool(dead) and rate is not None
    steps = [
        "Check that no reassignment is under way: " + f"{_TOOL} --list",
        "Keep what --execute prints as the current assignment of each batch: it is the way back.",
    ]
    if by_hand:
        steps.append(
            "Set the throttle by hand on the live brokers and topics: while a broker of the old assignment is dead, "
            "--execute --throttle waits for it, times out after a minute and moves nothing."
        )
        steps += list(_throttles_set(int(rate or 0), live, topics))
    flag = f" --throttle {rate}" if rate is not None and not by_hand else ""
    for number in range(1, batches + 1):
        name = batch_file(number, batches)
        steps.append(f"{_TOOL} --reassignment-json-file {name} --execute{flag}")
        preserve = " --preserve-throttles" if by_hand or (number < batches and rate is not None) else ""
        steps.append(
            f"Repeat until none is still in progress: {_TOOL} --reassignment-json-file {name} --verify{preserve}"
        )
    if rate is not None:
        steps.append(
            "Take the throttle away once all is done; the last --verify does so too, but only for brokers that run and "
            "for the topics of its own file."
        )
        steps += list(_throttles_gone(live, topics))
    steps.append(
        "Let the preferred leaders lead again: kafka-leader-election --bootstrap-server $BOOTSTRAP --election-type "
        "PREFERRED --all-topic-partitions"
    )
    return tuple(steps)


def _throttles_set(rate: int, live: Iterable[int], topics: Iterable[str]) -> Iterator[str]:
    yield _each(live, "brokers", "--add-config " + ",".join(f"{key}={rate}" for key in _RATES))
    yield _each(topics, "topics", "--add-config '" + ",".join(f"{key}=*" for key in _LISTS) + "'")


def _throttles_gone(brokers: Iterable[int], topics: Iterable[str]) -> Iterator[str]:
    yield _each(brokers, "brokers", "--delete-config " + ",".join(_RATES))
    yield _each(topics, "topics", "--delete-config " + ",".join(_LISTS))


def _each(names: Iterable[object], kind: str, change: str) -> str:
    """A loop of the shell over brokers or topics."""
    listed = " ".join(shlex.quote(str(name)) for name in names)
    return f'for NAME in {listed}; do {_CONFIGS} --entity-type {kind} --entity-name "$NAME" {change}; done'
