"""What must hold for every answer: monotone, unit-free, honest about what is not known, flips that flip."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import planner
from planner.constants import data_path, sources
from planner.recommender.answers import Batch, answers_of
from planner.recommender.confidence import confidence
from planner.recommender.judge import judge
from planner.recommender.preferences import default_table
from planner.recommender.recommendation import Recommendation
from planner.recommender.systems import catalogue

QUEUES = {"managed_queue", "broker", "database_queue"}
CASES = json.loads((data_path("decision_cases.json")).read_text(encoding="utf-8"))

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


QUICK = (Phase.explicit, Phase.generate)  # a failing example is small enough as it is; shrinking takes minutes


def sure(questions: dict[str, Any]) -> float:
    answers = answers_of(planner.load({"questions": questions}))
    return confidence(answers, catalogue(), default_table()).value


def ruled(questions: dict[str, Any]) -> tuple[str | None, str | None]:
    """Family and system alone, without flips and confidence."""
    answers = answers_of(planner.load({"questions": questions}))
    ruling = judge(Batch.of([answers.columns()]), catalogue(), default_table())
    best = int(ruling.best[0])
    return ruling.family(), None if best < 0 else catalogue().systems[best].key


def asked(questions: dict[str, Any]) -> Recommendation:
    return planner.recommend(planner.load({"questions": questions}))


@settings(max_examples=12, phases=QUICK)
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
        assert row.source in sources()


@settings(max_examples=8, phases=QUICK)
@given(ANSWERS)
def test_every_flip_flips_and_not_before(questions: dict[str, Any]) -> None:
    found = asked(questions)
    for flip in found.to_dict()["flips"]:
        there = ruled({**questions, flip["input"]: flip["to"]})
        assert there == (flip["family"], flip["system"]), flip
        assert there[0] != found.family
        before = {**questions, flip["input"]: flip["before"]}
        if flip["before"] is None:
            before.pop(flip["input"])
        if before:
            assert ruled(before)[0] == found.family, flip


def test_flips_flip_the_whole_recommendation() -> None:
    questions = {"events_per_s": 1000, "work": "queue", "cloud": "aws", "consumer_groups": 2}
    found = asked(questions)
    assert found.flips
    for flip in found.to_dict()["flips"]:
        assert asked({**questions, flip["input"]: flip["to"]}).family == flip["family"] != found.family


@settings(max_examples=100, phases=QUICK)
@given(ANSWERS, st.data())
def test_more_groups_never_move_towards_a_queue(questions: dict[str, Any], data: st.DataObject) -> None:
    groups = questions.setdefault("consumer_groups", 1)
    more = data.draw(st.integers(groups, 60))
    one, two = ruled(questions), ruled({**questions, "consumer_groups": more})
    assert not (one[0] not in QUEUES and two[0] in QUEUES), (one, two)


@settings(max_examples=100, phases=QUICK)
@given(ANSWERS, st.floats(0, 5))
def test_longer_replay_never_moves_towards_a_queue(questions: dict[str, Any], power: float) -> None:
    days = 2.0**power
    short = {**questions, "replay": True, "retention": days * 86400}
    one, two = ruled(short), ruled({**short, "retention": days * 86400 * 8})
    assert not (one[0] not in QUEUES and two[0] in QUEUES), (one, two)


@settings(max_examples=6, phases=QUICK)
@given(ANSWERS, st.floats(-2, 9))
def test_per_day_is_per_second(questions: dict[str, Any], power: float) -> None:
    questions.pop("events_per_s", None)
    one, two = (
        asked({**questions, "events_per_day": 10**power}),
        asked({**questions, "events_per_s": 10**power / 86400}),
    )
    assert (one.family, one.system, one.confidence) == (two.family, two.system, two.confidence)
    assert one.scores == two.scores


@settings(max_examples=8, phases=QUICK)
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


@settings(max_examples=8, phases=QUICK)
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


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["id"]))
def test_masking_what_a_case_assumed_never_raises_confidence(case: dict[str, Any]) -> None:
    full = sure(case["questions"])
    for name in case["questions"]:
        rest = {key: value for key, value in case["questions"].items() if key != name}
        assert sure(rest) <= full + 1e-12, name


@settings(max_examples=25, phases=QUICK)
@given(st.fixed_dictionaries({}, optional=QUESTIONS).filter(lambda found: 1 < len(found) < 8), st.data())
def test_masking_an_answer_never_raises_confidence(questions: dict[str, Any], data: st.DataObject) -> None:
    hidden = data.draw(st.sampled_from(sorted(questions)))
    assert sure({key: value for key, value in questions.items() if key != hidden}) <= sure(questions) + 1e-12
