"""The text of a scenario, YAML 1.2 or JSON, as plain objects; nothing here knows what they mean.

Input is capped in size, depth and number of values. YAML tags, anchors, aliases, merge keys, directives, repeated keys
and several documents are refused. The events come from ruamel.yaml and its C parser (libyaml, some 3 microseconds each;
ruamel's own takes 40). libyaml differs from YAML 1.2 in three things: it refuses an unquoted text with a colon inside
brackets or braces (`[12:30]`) and an empty key (`: 1`), and takes U+0085, U+2028 and U+2029 for line breaks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from planner.fields import ScenarioError, refusal, shorten

MAX_BYTES = 5_000_000  # 10,000 topics written out are 3 MB
MAX_DEPTH = 20  # a scenario needs 7
MAX_EVENTS = 1_000_000  # 10,000 topics written out are 430,000


def read_text(text: str) -> dict[str, Any]:
    """Return the mapping that a YAML or JSON text holds."""
    if len(text) > MAX_BYTES:
        raise too_large()
    text = text.removeprefix("\ufeff")
    found = _read_json(text) if text.lstrip().startswith("{") else None
    if found is None:
        found = read_yaml(text)
    if not isinstance(found, dict):
        raise refusal("A scenario is a mapping of keys to values.", value=found, allowed="name, topics, cluster, ...")
    return found


def too_large() -> ScenarioError:
    """The refusal of an input of too many bytes."""
    return refusal(f"The input is larger than {MAX_BYTES // 10**6} MB.", allowed=f"at most {MAX_BYTES} bytes")


def too_deep() -> ScenarioError:
    """The refusal of an input that is nested too deeply."""
    return refusal(f"The input is nested deeper than {MAX_DEPTH} levels.", allowed=f"at most {MAX_DEPTH} levels")


# JSON


def _read_json(text: str) -> Any:
    """Return the JSON value; None when the text is not JSON, because it may still be YAML in flow style."""
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_int=_integer, parse_constant=_constant)
    except json.JSONDecodeError:
        return None
    except RecursionError:
        raise too_deep() from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise refusal(f"The key {shorten(key)} is there twice.", shorten(key), None, "each key once")
        found[key] = value
    return found


def _constant(word: str) -> Any:
    raise refusal(f"{word} is not a number that a plan can use.", value=word, allowed="finite numbers")


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) < 400 else float(digits)  # noqa: PLR2004 - beyond any float; int() has a cap


# Scalars of the YAML 1.2 core schema

_WORDS = (
    dict.fromkeys(("", "~", "null", "Null", "NULL"))
    | dict.fromkeys(("true", "True", "TRUE"), True)
    | dict.fromkeys(("false", "False", "FALSE"), False)
)
_INT = re.compile(r"[-+]?[0-9]+")
_BASED = re.compile(r"0o[0-7]{1,300}|0x[0-9a-fA-F]{1,300}")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
# What looks like a number but is a word: a version 4.10 must not become 4.1.
_WORD_KEYS = frozenset(("name", "group", "key", "kafka_version", "to", "broker"))


def scalar(text: str, key: str | None = None) -> Any:
    """Return what a plain YAML 1.2 scalar means; under some keys a number stays a word."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "+-.0123456789" or key in _WORD_KEYS:
        return text
    if _INT.fullmatch(text):
        return _integer(text)
    if _BASED.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text):
        return float(text)
    return float(text.replace(".", "")) if _SPECIAL.fullmatch(text) else text


# YAML: ruamel's parser events, built into plain objects here so that every refusal is ours


def read_yaml(text: str) -> Any:
    """Return what a YAML 1.2 text holds."""
    from ruamel.yaml import YAML  # 35 ms that a start with JSON, CSV or a mapping does not need
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        return _document(_counted(YAML(typ="safe").parse(text)))
    except ScenarioError:
        raise
    except MarkedYAMLError as error:
        problem = str(error.problem or error.context or "this is not YAML")
        # libyaml still follows YAML 1.1 there: 1.2 would read [12:30] as a text
        hint = '; quote a text with a colon in brackets: ["12:30"]' if "unexpected ':'" in problem else ""
        raise _refused_at(error.problem_mark or error.context_mark, f"{shorten(problem)}{hint}.") from None
    except (YAMLError, ValueError):  # ValueError: half a surrogate pair has no UTF-8
        raise refusal("The input is not YAML.", allowed="YAML 1.2 or JSON") from None


def _refused_at(mark: Any, problem: str, allowed: str = "YAML 1.2 or JSON") -> ScenarioError:
    return refusal(f"Line {mark.line + 1}: {problem}" if mark else problem, allowed=allowed)


def _counted(events: Iterator[Any]) -> Iterator[Any]:
    for count, event in enumerate(events):
        if count > MAX_EVENTS:
            raise refusal("The input holds too many values.", allowed=f"at most {MAX_EVENTS} YAML events")
        yield event


def _document(events: Iterator[Any]) -> Any:
    next(events)
    start = next(events)
    if _kind(start) == "StreamEnd":
        return None
    if start.tags or (start.version and tuple(start.version) != (1, 2)):
        raise _refused_at(start.start_mark, "Directives are refused.", "YAML 1.2 without directives")
    found = _node(events, next(events), None, 0)
    next(events)
    end = next(events)
    if _kind(end) != "StreamEnd":
        raise _refused_at(end.start_mark, "There is more than one document.", "one document")
    return found


def _kind(event: Any) -> str:
    return type(event).__name__.removesuffix("Event")


def _node(events: Iterator[Any], event: Any, key: str | None, depth: int) -> Any:
    """Return what the event begins; `key` is the key that it stands under, through lists."""
    kind = _kind(event)
    _refuse_marks(event, kind)
    if kind == "Scalar":
        return event.value if event.style else scalar(event.value, key)
    if depth >= MAX_DEPTH:
        raise too_deep()
    if kind == "SequenceStart":
        items = []
        while _kind(item := next(events)) != "SequenceEnd":
            items.append(_node(events, item, key, depth + 1))
        return items
    found: dict[str, Any] = {}
    while _kind(item := next(events)) != "MappingEnd":
        name = _name(item, found)
        found[name] = _node(events, next(events), name, depth + 1)
    return found


def _refuse_marks(event: Any, kind: str) -> None:
    if kind == "Alias":
        raise _refused_at(event.start_mark, "Aliases are refused.", "plain values")
    if event.anchor is not None:
        raise _refused_at(event.start_mark, "Anchors are refused.", "plain values")
    if event.tag is not None:
        raise _refused_at(event.start_mark, "Tags are refused.", "plain values")


def _name(event: Any, found: dict[str, Any]) -> str:
    """Return the key that the event holds."""
    kind = _kind(event)
    _refuse_marks(event, kind)
    if kind != "Scalar":
        raise _refused_at(event.start_mark, "A key is text.", "text keys")
    name = str(event.value)
    if name == "<<" and not event.style:
        raise _refused_at(event.start_mark, "Merge keys are refused.", "plain keys")
    if name in found:
        raise _refused_at(event.start_mark, f"The key {shorten(name)} is there twice.", "each key once")
    return name
