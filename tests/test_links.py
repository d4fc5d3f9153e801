"""Links: what was chosen comes back, and whatever else is written into an address is refused in words."""

from __future__ import annotations

import base64
import hashlib
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner import codec, links, load
from planner.fields import ScenarioError
from planner.links import Choice, from_query, query_of, to_query, too_long

PRESETS = [preset.name for preset in codec.presets()]


@pytest.mark.parametrize("name", PRESETS)
def test_every_worked_example_comes_back(name: str) -> None:
    scenario = load(f"preset:{name}")
    query = query_of(scenario)
    assert query["p"] == name
    assert not too_long(query)
    opened = from_query(query)
    assert load(opened.choice.text) == scenario
    assert not opened.errors
    assert not opened.preset_changed


@pytest.mark.parametrize("name", PRESETS)
def test_every_scenario_comes_back_compressed(name: str) -> None:
    text = codec.dump(load(f"preset:{name}"))
    query = to_query(Choice(None, text))
    assert set(query) == {"v", "z"}
    assert not too_long(query)
    assert from_query(query).choice == Choice(None, text)


@given(
    brokers=st.integers(15, 10_000),
    rate=st.floats(1, 1e6),
    factor=st.floats(1e-3, 1e4),
    replay=st.sampled_from(["true", "false", "unknown"]),
)
@settings(max_examples=15, deadline=None)
def test_changes_and_factor_come_back(brokers: int, rate: float, factor: float, replay: str) -> None:
    changes = {
        "cluster.brokers": str(brokers),
        "topics.orders.records_per_s": repr(rate),
        "questions.replay": replay,
        "policy.growth_per_year": '{"low": "10 %", "likely": "20 %", "high": "40 %"}',
    }
    opened = from_query(to_query(Choice("ecommerce", "", changes, factor)))
    assert dict(opened.choice.changes) == changes
    assert opened.choice.factor == factor
    assert not opened.errors


def test_keys_are_short_and_only_differences_are_written() -> None:
    query = to_query(Choice("ecommerce", "", {"cluster.brokers": "16", "topics.orders.acks": "1"}, 2.0))
    assert set(query) == {"v", "p", "h", "x", "c.brokers", "t.orders.acks"}
    assert query["x"] == "2"


def test_what_is_wrong_is_named_and_the_rest_is_kept() -> None:
    given = {
        "v": "1",
        "p": "ecommerce",
        "c.brokers": "16",
        "c.zones": "-1",
        "t.none.acks": "all",
        "hello": "1",
        "x": "nan",
    }
    opened = from_query(given)
    assert dict(opened.choice.changes) == {"cluster.brokers": "16"}
    assert opened.choice.factor == 1
    assert {error.path for error in opened.errors} == {"x", "cluster.zones", "topics.none", "hello"}


def test_a_long_scenario_keeps_what_no_error_names() -> None:
    topics = "".join(f"  - {{name: topic-{index}, records_per_s: 5}}\n" for index in range(600))
    query = to_query(Choice(None, f"topics:\n{topics}", {"cluster.brokers": "16", "cluster.zones": "-1"}))
    opened = from_query(query)
    assert dict(opened.choice.changes) == {"cluster.brokers": "16"}
    assert [error.path for error in opened.errors] == ["cluster.zones"]
    assert not too_long(query)


def test_another_worked_example_of_the_same_name_is_said() -> None:
    assert from_query({"v": "1", "p": "ecommerce", "h": "000000"}).preset_changed


def test_what_a_link_cannot_carry_is_said() -> None:
    names = [hashlib.sha256(str(index).encode()).hexdigest() for index in range(400)]
    topics = "".join(f"  - {{name: {name}, records_per_s: 5}}\n" for name in names)
    assert too_long(to_query(Choice(None, f"topics:\n{topics}")))


def packed(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode()


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"v": "2", "p": "ecommerce"},
        {"v": "1"},
        {"v": "1", "p": "ecomerce"},
        {"v": "1", "z": ""},
        {"v": "1", "z": "é"},
        {"v": "1", "z": "abc"},
        {"v": "1", "z": packed(b"topics: []\n")},
        {"v": "1", "z": packed(zlib.compress(b"\xff\xfe"))},
        {"v": "1", "z": packed(zlib.compress(b"- 1\n"))},
        {"v": "1", "z": packed(zlib.compress(b"topics: []\n")[:-3])},
        {"v": "1", "z": packed(zlib.compress(b"topics: []\n") + b"more")},
        {"v": "1", "z": packed(zlib.compress(b" " * (links.MAX_TEXT + 1)))},
        {"v": "1", "p": "ecommerce", "x": "9" * (links.MAX_LINK + 1)},
        {"v": "1", "p": "ecommerce", **{f"c.k{index}": "1" for index in range(links.MAX_CHANGES + 1)}},
    ],
)
def test_a_broken_link_is_refused_in_words(query: dict[str, str]) -> None:
    with pytest.raises(ScenarioError) as refused:
        from_query(query)
    assert refused.value.errors[0].message


def test_a_bomb_is_not_unpacked() -> None:
    bomb = packed(zlib.compress(b" " * 100_000_000, 9))
    with pytest.raises(ScenarioError, match="too large"):
        from_query({"v": "1", "z": bomb})


@given(
    st.dictionaries(
        st.sampled_from(["v", "p", "z", "x", "h", "c.brokers", "t.orders.acks", "q", ""]), st.text(max_size=40)
    )
)
@settings(max_examples=60, deadline=None)
def test_nothing_but_a_refusal_comes_of_nonsense(query: dict[str, str]) -> None:
    try:
        opened = from_query({"v": "1", "p": "ecommerce", **query})
    except ScenarioError:
        return
    sets = [f"{path}={value}" for path, value in opened.choice.changes.items()]
    load(opened.choice.text, sets)
