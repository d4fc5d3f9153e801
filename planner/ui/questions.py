"""The questions about messaging as fields: each may stay unknown, and each is a view of the choice in `state`."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import streamlit as st

from planner import units
from planner.fields import ManyOf, OneOf, Quantity, Whole, YesNo
from planner.recommender.answers import reader_of
from planner.recommender.systems import products
from planner.reports.text_recommend import said
from planner.scenario import InputError, Questions
from planner.ui import state, views

UNKNOWN: Final = "unknown"
_PROTOCOLS: Final = {"kafka": "Kafka", "amqp": "AMQP", "jms": "JMS", "mqtt": "MQTT", "http": "HTTP"}
_YES: Final = {"yes": "true", "no": "false", UNKNOWN: ""}


@dataclass(frozen=True, slots=True)
class Asked:
    """A question in words, what it means, and the words of its answers."""

    label: str
    why: str = ""
    words: Mapping[str, str] = field(default_factory=dict)


_QUESTIONS: Final[dict[str, Asked]] = {
    "work": Asked(
        "What are the messages?",
        "Jobs are done once and forgotten; events are facts that several readers want.",
        {
            "queue": "jobs for workers",
            "events": "events for several readers",
            "stateful": "streams that are joined or counted",
            "ingest": "data on its way to a store",
            "state": "the latest value of each key",
        },
    ),
    "events_per_s": Asked("Messages a second, on average", "Or messages a day below."),
    "events_per_day": Asked("Messages a day"),
    "peak_events_per_s": Asked("Messages a second, at the peak"),
    "bytes_per_s": Asked("Bytes a second, on average"),
    "message_bytes": Asked("Size of a message"),
    "consumer_groups": Asked("Independent readers of the same data"),
    "replay": Asked("Is consumed data read again?", "To recompute, to backfill, for a new reader."),
    "retention": Asked("How long is data kept?"),
    "ordering": Asked(
        "Which order is needed?", "", {"none": "none", "per_key": "for each key", "global": "of all messages"}
    ),
    "exactly_once": Asked(
        "Processing exactly once?",
        "",
        {"no": "not needed", "kafka_to_kafka": "from Kafka to Kafka", "with_database": "together with a database"},
    ),
    "atomic_with_database": Asked("Is sending part of a database transaction?"),
    "per_message_ack": Asked("Are single messages retried or set aside?", "Instead of stopping the line behind them."),
    "delay": Asked("Are messages delivered later, at a set time?"),
    "priority": Asked("Do some messages go first?"),
    "routing": Asked(
        "Which routing is needed?",
        "",
        {"none": "none", "filter": "filters", "complex": "by patterns", "push": "push to endpoints"},
    ),
    "queues": Asked("Separate queues or tenants"),
    "backlog": Asked("Messages that may pile up"),
    "workers_exceed_partitions": Asked("Many slow workers on one stream?", "More than there would be partitions."),
    "latency_p99": Asked("Latency that 99 % must keep"),
    "protocols": Asked(
        "Protocols that clients speak", "", {word: word.upper() for word in ("amqp", "jms", "mqtt", "http")}
    ),
    "ecosystem": Asked(
        "What must it work with?",
        "",
        {"cdc": "change data capture", "kafka_streams": "Kafka Streams", "lake": "a data lake", "flink": "Flink"},
    ),
    "cloud": Asked(
        "Where does it run?",
        "",
        {
            "aws": "AWS",
            "gcp": "Google Cloud",
            "azure": "Azure",
            "multi": "several clouds",
            "on_premises": "machines of our own",
        },
    ),
    "multi_region": Asked("Several regions?", "", {"no": "no", "yes": "one active", "active_active": "several active"}),
    "cross_team": Asked("Do several teams share the data?"),
    "engineers": Asked("Engineers who can run it", "0: nobody."),
    "managed_only": Asked("Only managed services?"),
    "existing": Asked("Products that already run well"),
    "leaving": Asked("Products that run and are the trouble"),
    "bursty": Asked("Idle most of the time?"),
    "growth_per_year": Asked("Growth of the load in a year"),
    "budget_per_month": Asked("Most that it may cost a month, USD"),
    "hourly_rate": Asked("Cost of an engineer's hour, USD"),
}


def path_of(name: str) -> str:
    """Where a question stands in the scenario."""
    return f"questions.{name}"


def asked(name: str) -> Asked:
    """The question in words."""
    return _QUESTIONS[name]


def worded(name: str, value: Any) -> str:
    """An answer in words."""
    words = asked(name).words
    if isinstance(value, list | tuple):
        return ", ".join(words.get(word, word) for word in value) or "none"
    return words.get(value, value) if isinstance(value, str) else said(name, value)


def text_of(value: Any) -> str:
    """An answer as the text of a change."""
    if isinstance(value, float):
        return "forever" if value == math.inf else repr(value)
    return value if isinstance(value, str) else json.dumps(list(value) if isinstance(value, tuple) else value)


def field_of(name: str, given: Questions, faults: Mapping[str, InputError], derived: Mapping[str, Any]) -> None:
    """The field of a question; what topics or policy answer already is said beneath it."""
    reader = reader_of(name)
    value = getattr(given, name)
    if isinstance(reader, YesNo):
        _yes_no(name, value)
    elif isinstance(reader, OneOf):
        _one_of(name, value, reader.words)
    elif isinstance(reader, ManyOf):
        _many_of(name, value, reader.words or tuple(sorted(products())))
    elif isinstance(reader, Quantity | Whole):
        _number(name, value, reader)
    if path_of(name) in faults:
        st.markdown(f":red-badge[▲ Refused] {views.escape(faults[path_of(name)].message)}")
    elif name in derived:
        st.caption(f"From the topics: {views.sentence(worded(name, derived[name]))}.")


def _label(name: str) -> str:
    mark = " :orange-badge[changed]" if path_of(name) in st.session_state.changes else ""
    return f"{asked(name).label}{mark}"


def _set(name: str, text: str) -> None:
    """Give an answer; an empty text takes it back, or says unknown where the scenario has an answer."""
    base = getattr(state.base_of(st.session_state.text).questions, name)
    state.change(path_of(name), text or (None if base is None else UNKNOWN))


def _word(name: str, word: str) -> str:
    """A word of an answer as it is shown; a function of its own, because the session keeps it."""
    return asked(name).words.get(word, word)


def _yes_no(name: str, value: bool | None) -> None:  # noqa: FBT001 - the answer that is shown
    key = state.key(path_of(name))
    st.segmented_control(
        _label(name),
        list(_YES),
        default=UNKNOWN if value is None else "yes" if value else "no",
        required=True,
        key=key,
        help=asked(name).why or None,
        on_change=lambda: _set(name, _YES[st.session_state[key]]),
    )


def _one_of(name: str, value: str | None, words: Sequence[str]) -> None:
    key = state.key(path_of(name))
    options = [UNKNOWN, *words]
    st.selectbox(
        _label(name),
        options,
        index=options.index(value or UNKNOWN),
        format_func=partial(_word, name),
        key=key,
        help=asked(name).why or None,
        on_change=lambda: _set(name, "" if st.session_state[key] == UNKNOWN else st.session_state[key]),
    )


def _many_of(name: str, value: Sequence[str] | None, words: Sequence[str]) -> None:
    key = state.key(path_of(name))
    st.multiselect(
        _label(name),
        list(dict.fromkeys([*words, *(value or ())])),
        default=list(value or ()),
        format_func=partial(_word, name),
        placeholder=UNKNOWN,
        key=key,
        help=asked(name).why or None,
        on_change=lambda: _set(name, text_of(st.session_state[key]) if st.session_state[key] else ""),
    )


def _number(name: str, value: float | None, reader: Quantity | Whole) -> None:
    key = state.key(path_of(name))
    dimension = reader.dimension if isinstance(reader, Quantity) else "count"
    held = "" if value is None else units.format_exact(float(value), dimension)
    st.text_input(
        _label(name),
        value=st.session_state.changes.get(path_of(name), held).replace(UNKNOWN, ""),
        placeholder=UNKNOWN,
        key=key,
        help=f"{asked(name).why} Such as {units.examples(dimension)}.".strip(),
        on_change=lambda: _set(name, st.session_state[key].strip()),
    )
