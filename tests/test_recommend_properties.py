"""What must hold for every answer: monotone, unit-free, honest about what is not known, flips that flip."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import planner
from planner.recommender.recommendation import Recommendation
from planner.recommender.systems import catalogue

QUEUES = {"managed_queue", "broker", "database_queue"}
CASES = json.loads((planner.constants.data_path("decision_cases.json")).read_text(encoding="utf-8"))

YES_NO = st.booleans()
QUESTIONS: dict[str, st.SearchStrategy[Any]] = {
    "events_per_s": st.floats(-3, 6).map(lambda power: float(f"{10**power:.3g}")),
    "message_bytes": st.floats(1.5, 5.5).map(lambda power: float(f"{10**power:.3g}")),
    "consumer_groups": st.integers(1, 12),
    "replay": YES_NO,
    "retention": st.sampled_from(["1h", "1d", "7d", "30d", "400d", "forever"]),
    "ordering": st.sampled_from(["none", "per_key", "global"]),
    "work": st.lists(
        st.sampled_from(["queue", "events", "stateful", "ingest", "state"]), min_size=1, max_size=2, unique=True
    ),
    "exactly_once": st.sampled_from(["no", "kafka_to_kafka", "with_database"]),
    "atomic_with_database": YES_NO,
    "per_message_ack": YES_NO,
    "delay": YES_NO,
    "priority": YES_NO,
    "routing": st.sampled_from(["none", "filter", "complex", "push"]),
    "workers_exceed_partitions": YES_NO,
    "latency_p99": st.sampled_from(["2ms", "20ms", "200ms", "5s"]),
    "protocols": st.sampled_from(["kafka", "amqp", "mqtt", "http"]),
    "ecosystem": st.sampled_from(["connectors", "cdc", "flink", "lake"]),
    "cloud": st.sampled_from(["aws", "gcp", "azure", "multi", "on_premises"]),
    "multi_region": st.sampled_from(["no", "yes", "active_active"]),
    "cross_team": YES_NO,
    "engineers": st.integers(0, 40),
    "managed_only": YES_NO,
    "existing": st.lists(st.sampled_from(["postgres", "kafka", "redis", "rabbitmq"]), max_size=2, unique=True),
    "bursty": YES_NO,
    "hourly_rate": st.integers(20, 300),
}
ANSWERS = st.fixed_dictionaries({}, optional=QUESTIONS).filter(bool)


def asked(questions: dict[str, Any]) -> Recommendation:
    return planner.recommend(planner.load({"questions": questions}))


@settings(max_examples=40)
@given(ANSWERS)
def test_every_result_is_whole(questions: dict[str, Any]) -> None:
    found = asked(questions)
    body = found.to_dict()
    json.dumps(body, allow_nan=False)
    assert 0 <= found.confidence <= 1
    assert found.close_call == (min(found.confidence, found.kept_fraction) < 0.7)
    assert len(found.reasons) <= 5
    assert (found.verdict is None) == (found.contradiction is not None) == (found.system is None)
    known = {system.key for system in catalogue().systems}
    assert {row.system for row in found.scores} | {row.system for row in found.eliminated} == known
    for cost in found.cost:
        if cost.infrastructure_per_month is not None:
            assert cost.infrastructure_per_month >= 0
            assert sum(line.per_month for line in cost.lines) == pytest.approx(cost.infrastructure_per_month, abs=1e-6)
    for row in found.reasons:
        assert row.input in questions
        assert row.source in planner.constants.sources()


@settings(max_examples=30)
@given(ANSWERS)
def test_every_flip_flips_and_not_before(questions: dict[str, Any]) -> None:
    found = asked(questions)
    for flip in found.to_dict()["flips"]:
        there = asked({**questions, flip["input"]: flip["to"]})
        assert (there.family, there.system) == (flip["family"], flip["system"]), flip
        assert there.family != found.family
        before = {**questions, flip["input"]: flip["before"]}
        if flip["before"] is None:
            before.pop(flip["input"])
        if before:
            assert asked(before).family == found.family, flip


@settings(max_examples=40)
@given(ANSWERS, st.data())
def test_more_groups_never_move_towards_a_queue(questions: dict[str, Any], data: st.DataObject) -> None:
    groups = questions.setdefault("consumer_groups", 1)
    more = data.draw(st.integers(groups, 60))
    one, two = asked(questions), asked({**questions, "consumer_groups": more})
    assert not (one.family not in QUEUES and two.family in QUEUES), (one.sentence, two.sentence)


@settings(max_examples=40)
@given(ANSWERS, st.floats(0, 5))
def test_longer_replay_never_moves_towards_a_queue(questions: dict[str, Any], power: float) -> None:
    days = 2.0**power
    short = {**questions, "replay": True, "retention": days * 86400}
    one, two = asked(short), asked({**short, "retention": days * 86400 * 8})
    assert not (one.family not in QUEUES and two.family in QUEUES), (one.sentence, two.sentence)


@settings(max_examples=20)
@given(ANSWERS, st.floats(-2, 9))
def test_per_day_is_per_second(questions: dict[str, Any], power: float) -> None:
    questions.pop("events_per_s", None)
    one, two = (
        asked({**questions, "events_per_day": 10**power}),
        asked({**questions, "events_per_s": 10**power / 86400}),
    )
    assert (one.family, one.system, one.confidence) == (two.family, two.system, two.confidence)
    assert one.scores == two.scores


@settings(max_examples=20)
@given(ANSWERS, st.data())
def test_removing_an_eliminated_system_changes_nothing(questions: dict[str, Any], data: st.DataObject) -> None:
    found = asked(questions)
    if not found.eliminated or found.verdict is None:
        return
    gone = data.draw(st.lists(st.sampled_from([row.system for row in found.eliminated]), min_size=1, unique=True))
    again = planner.recommend(planner.load({"questions": questions}), systems=catalogue().without(*gone))
    assert (again.family, again.system, again.verdict, again.also) == (
        found.family,
        found.system,
        found.verdict,
        found.also,
    )
    assert [row for row in again.scores if row.system not in gone] == list(found.scores)


@settings(max_examples=40)
@given(ANSWERS, st.data())
def test_unknown_never_eliminates(questions: dict[str, Any], data: st.DataObject) -> None:
    hidden = data.draw(st.sampled_from(sorted(questions)))
    rest = {key: value for key, value in questions.items() if key != hidden}
    if not rest:
        return
    before, after = asked(questions), asked(rest)
    if hidden == "existing":
        return  # what already runs is exempt from the question who can run it
    assert {row.system for row in after.eliminated} <= {row.system for row in before.eliminated}
    assert asked({**rest, hidden: "unknown"}).to_dict() == after.to_dict()


@settings(max_examples=60)
@given(ANSWERS, st.data())
def test_masking_never_raises_confidence(questions: dict[str, Any], data: st.DataObject) -> None:
    hidden = data.draw(st.sampled_from(sorted(questions)))
    rest = {key: value for key, value in questions.items() if key != hidden}
    if rest:
        assert asked(rest).confidence <= asked(questions).confidence + 1e-12


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["id"]))
def test_masking_what_a_case_assumed_never_raises_confidence(case: dict[str, Any]) -> None:
    full = asked(case["questions"])
    for name in case["questions"]:
        rest = {key: value for key, value in case["questions"].items() if key != name}
        assert asked(rest).confidence <= full.confidence + 1e-12, name


def test_finite() -> None:
    assert math.isfinite(asked({"events_per_s": 0}).confidence)
