"""Scenario <-> text: YAML 1.2, JSON, a CSV of topics, `path=value` changes, JSON Schema.

Every refusal is one `ScenarioError` that lists all that is wrong. Input is capped in size, depth and number of values;
YAML tags, anchors, aliases, merge keys and several documents are refused.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from planner import units
from planner.constants import data_path
from planner.scenario import (
    FOREVER,
    Head,
    InputError,
    Quantity,
    Ranged,
    Scenario,
    ScenarioError,
    Section,
    Topic,
    contradictions,
    labels_of,
    nearest,
    shape_of,
    shorten,
    topic_contradictions,
)

MAX_BYTES = 5_000_000  # 10,000 topics written out are 3 MB
MAX_DEPTH = 20  # a scenario needs 7
MAX_VALUES = 2_000_000
MAX_ERRORS = 1_000
# YAML beyond the quick reader's subset goes through a pure Python scanner at some 25 microseconds a token.
MAX_SLOW_BYTES = 2_000_000
MAX_SLOW_EVENTS = 150_000
MAX_SLOW_LINE = 100_000
MAX_ROWS = 20_000
MAX_CELL = 1_000

S = TypeVar("S", bound=Section)


def _fail(
    message: str, path: str = "", value: Any = None, allowed: str = "", close: str | None = None
) -> ScenarioError:
    return ScenarioError([InputError(path, shorten(value), message, allowed, close)])


# Reading


def load(source: str | Path | Mapping[str, Any], sets: Iterable[str] = ()) -> Scenario:
    r"""Read a scenario.

    Parameters
    ----------
    source : str, Path or Mapping
        A file (`.csv` and `.tsv`: a table of topics), `-` for standard input, `preset:NAME`, the text of a scenario
        (anything with a line break, or starting with `{`), or a mapping as YAML or JSON gives it.
    sets : iterable of str
        Changes as `path=value`, such as `topics.orders.retention.time=3d`; applied in order.

    Returns
    -------
    Scenario
        Validated, in base units.

    Raises
    ------
    ScenarioError
        For whatever is wrong with the input, all of it at once.

    Examples
    --------
    >>> load("topics: [{name: orders, records_per_s: 12k/s}]\n").topics[0].records_per_s
    12000.0
    """
    mapping = _mapping_of(source)
    errors: list[InputError] = []
    for assignment in sets:
        try:
            mapping = apply_set(mapping, assignment)
        except ScenarioError as error:
            errors.extend(error.errors)
    if errors:
        raise ScenarioError(errors)
    return from_mapping(mapping)


def _mapping_of(source: str | Path | Mapping[str, Any]) -> Mapping[str, Any]:
    if isinstance(source, Mapping):
        return source
    if isinstance(source, Path):
        return _read_file(source)
    if not isinstance(source, str):
        raise _fail("A scenario is a path, a text or a mapping.", value=source)
    if "\n" in source or source.lstrip().startswith("{"):
        return read_text(source)
    if source == "-":
        return read_text(_decode(sys.stdin.buffer.read(MAX_BYTES + 1)))
    if source.startswith("preset:"):
        return _read_preset(source.removeprefix("preset:"))
    return _read_file(Path(source))


@dataclass(frozen=True, slots=True)
class Preset:
    """A worked example: what it is about, where its figures come from, and what had to be assumed."""

    name: str
    title: str = ""
    situation: str = ""
    source: str = ""
    assumed: str = ""

    def to_dict(self) -> dict[str, str]:
        """The preset as JSON-ready Python."""
        return {key: getattr(self, key) for key in ("name", "title", "situation", "source", "assumed")}


@cache
def presets() -> tuple[Preset, ...]:
    """The worked examples that `preset:NAME` accepts, with what their leading comments say about them."""
    return tuple(_preset(path) for path in sorted(data_path("presets").glob("*.yaml")))


def _preset(path: Path) -> Preset:
    found: dict[str, str] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            break
        key, _, text = line.lstrip("# ").partition(":")
        if key in ("title", "situation", "source", "assumed"):
            found[key] = text.strip()
    return Preset(path.stem, **found)


def _read_preset(name: str) -> Mapping[str, Any]:
    known = [preset.name for preset in presets()]
    if name not in known:
        allowed = ", ".join(known) or "there are no presets"
        raise _fail(f"There is no preset called {shorten(name)}.", "", name, allowed, nearest(name, known))
    return _read_file(data_path("presets", f"{name}.yaml"))


def _read_file(path: Path) -> Mapping[str, Any]:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise _fail("There is no such file.", "", str(path), "a file, -, or preset:NAME", _close_file(path)) from None
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        reason = getattr(error, "strerror", None) or "not a file name"
        raise _fail(f"The file cannot be read: {reason}.", "", str(path), "a readable file") from None
    text = _decode(data)
    if path.suffix.lower() in (".csv", ".tsv"):
        return {"name": path.stem, "topics": load_topics_csv(text)}
    return read_text(text)


def _close_file(path: Path) -> str | None:
    close = nearest(path.name, [preset.name for preset in presets()])
    if close:
        return f"preset:{close}"
    try:
        names = [entry.name for entry in path.parent.iterdir()][:1000]
    except (OSError, ValueError):
        return None
    found = get_close_matches(path.name[:100], names, n=1)
    return str(path.parent / found[0]) if found else None


def _decode(data: bytes) -> str:
    if len(data) > MAX_BYTES:
        raise _fail(f"The input is larger than {MAX_BYTES // 10**6} MB.", allowed=f"at most {MAX_BYTES} bytes")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise _fail(f"Line {line}: the input is not UTF-8 text.", allowed="UTF-8 text") from None


def read_text(text: str) -> dict[str, Any]:
    """Return the mapping that a YAML or JSON text holds, without looking at its meaning."""
    if len(text) > MAX_BYTES:
        raise _fail(f"The input is larger than {MAX_BYTES // 10**6} MB.", allowed=f"at most {MAX_BYTES} bytes")
    text = text.removeprefix("\ufeff")
    found = _read_json(text) if text.lstrip().startswith("{") else None
    if found is None:
        found = quick_yaml(text)
    if found is None:
        found = full_yaml(text)
    if not isinstance(found, dict):
        raise _fail("A scenario is a mapping of keys to values.", value=found, allowed="name, topics, cluster, ...")
    return found


def _read_json(text: str) -> Any:
    """Return the JSON value; None when the text is not JSON, because it may still be YAML in flow style."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            seen: set[str] = set()
            twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
            raise _fail(f"The key {shorten(twice)} is there twice.", shorten(twice), None, "each key once")
        return found

    try:
        return json.loads(text, object_pairs_hook=unique, parse_int=_integer, parse_constant=_constant)
    except json.JSONDecodeError:
        return None
    except RecursionError:
        raise _too_deep() from None


def _constant(word: str) -> Any:
    raise _fail(f"{word} is not a number that a plan can use.", value=word, allowed="finite numbers")


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) < 400 else float(digits)  # noqa: PLR2004 - beyond any float; int() has a cap


def _too_deep() -> ScenarioError:
    return _fail(f"The input is nested deeper than {MAX_DEPTH} levels.", allowed=f"at most {MAX_DEPTH} levels")


def _too_many() -> ScenarioError:
    return _fail("The input holds too many values.", allowed=f"at most {MAX_VALUES} values")


# Scalars of the YAML 1.2 core schema

_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_BOOLEAN = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?[0-9]+")
_BASED = re.compile(r"0o[0-7]{1,300}|0x[0-9a-fA-F]{1,300}")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_SPECIAL = (
    {f"{sign}.{word}": math.inf for sign in ("", "+") for word in ("inf", "Inf", "INF")}
    | {f"-.{word}": -math.inf for word in ("inf", "Inf", "INF")}
    | {f".{word}": math.nan for word in ("nan", "NaN", "NAN")}
)
# What looks like a number but is a word: a version 4.10 must not become 4.1.
_WORD_KEYS = frozenset(("name", "group", "key", "kafka_version", "to", "broker"))


def scalar(text: str, key: str | None = None) -> Any:
    """Return what a plain YAML 1.2 scalar means; under some keys a number stays a word."""
    if text in _NULL:
        return None
    if text in _BOOLEAN:
        return _BOOLEAN[text]
    if text[0] not in "+-.0123456789" or key in _WORD_KEYS:
        return text
    return _number(text)


def _number(text: str) -> Any:
    """The number that a text is, or the text."""
    if _INT.fullmatch(text):
        return _integer(text)
    if _BASED.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text):
        return float(text)
    return _SPECIAL.get(text, text)


# The quick reader: the regular subset of YAML that people write by hand, read line by line. It never judges: on
# anything else it returns None and the full reader decides. A test compares the two on generated files.

_QUICK_TEXT = re.compile(r"[\n\x20-\x7e\xa0-\u2027\u2030-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]*")
_QUICK_PLAIN = r"(?:[\w./+~]|-(?=[\w.]))(?:[\w./+~()-]| +(?=[\w./+~(-]))*"
_QUICK_SCALAR = rf"\"[^\"\\\n]*\"|'[^'\n]*'|{_QUICK_PLAIN}"
_QUICK_KEY = re.compile(r"([A-Za-z_][\w.-]*):(?: +|$)")
_QUICK_VALUE = re.compile(_QUICK_SCALAR)
_QUICK_FLOW = re.compile(rf" *(?:([\[\]{{}},])|([A-Za-z_][\w.-]*): (?=[^ ])|({_QUICK_SCALAR}))")
_QUICK_COMMENT = re.compile(r"(?:^| )#")


class _NotQuickError(Exception):
    """The text is outside the quick reader's subset."""


def quick_yaml(text: str) -> Any:
    """Return what a regular YAML text holds, or None when the full reader must look at it."""
    if not _QUICK_TEXT.fullmatch(text):
        return None
    lines: list[tuple[int, str]] = []
    for raw in text.split("\n"):
        line = raw.rstrip(" ")
        comment = _QUICK_COMMENT.search(line)
        if comment:
            if '"' in line[: comment.start()] or "'" in line[: comment.start()]:
                return None
            line = line[: comment.start()].rstrip(" ")
        content = line.lstrip(" ")
        if content:
            lines.append((len(line) - len(content), content))
    reader = _Quick(lines)
    try:
        found = reader.block(0, None, 0) if lines else None
    except _NotQuickError:
        return None
    return found if reader.at == len(lines) else None


@dataclass(slots=True)
class _Quick:
    lines: list[tuple[int, str]]
    at: int = 0

    def block(self, indent: int, key: str | None, depth: int) -> Any:
        """Read the mapping or sequence whose lines start at `indent`."""
        if depth > MAX_DEPTH or self.lines[self.at][0] != indent:
            raise _NotQuickError
        if self.lines[self.at][1].startswith("- "):
            return self.sequence(indent, key, depth)
        return self.mapping(indent, depth)

    def sequence(self, indent: int, key: str | None, depth: int) -> list[Any]:
        found: list[Any] = []
        while self.at < len(self.lines) and self.lines[self.at][0] == indent:
            content = self.lines[self.at][1]
            if not content.startswith("- "):
                break
            item = content[2:].lstrip(" ")
            column = indent + len(content) - len(item)
            if _QUICK_KEY.match(item):
                self.lines[self.at] = (column, item)
                found.append(self.mapping(column, depth + 1))
            else:
                self.at += 1
                found.append(self.value(item, key, indent))
        return found

    def mapping(self, indent: int, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while self.at < len(self.lines) and self.lines[self.at][0] == indent:
            content = self.lines[self.at][1]
            match = _QUICK_KEY.match(content)
            if match is None:
                if content.startswith("- "):
                    break  # the sequence that this mapping's last key opened is over; the caller checks the rest
                raise _NotQuickError
            key = match[1]
            if key in found:
                raise _NotQuickError
            self.at += 1
            rest = content[match.end() :]
            found[key] = self.value(rest, key, indent) if rest else self.below(key, indent, depth)
        if self.at < len(self.lines) and self.lines[self.at][0] > indent:
            raise _NotQuickError
        return found

    def below(self, key: str, indent: int, depth: int) -> Any:
        """Read what stands on the lines below a key: a deeper block, a sequence at the same indent, or nothing."""
        if self.at == len(self.lines):
            return None
        deeper, content = self.lines[self.at]
        if deeper > indent or (deeper == indent and content.startswith("- ")):
            return self.block(deeper, key, depth + 1)
        return None

    def value(self, text: str, key: str | None, indent: int) -> Any:
        if self.at < len(self.lines) and self.lines[self.at][0] > indent:
            raise _NotQuickError  # a scalar or flow that goes on, or an error
        if text[0] in "[{":
            return _quick_flow(text, key)
        match = _QUICK_VALUE.fullmatch(text)
        if match is None:
            raise _NotQuickError
        return text[1:-1] if text[0] in "\"'" else scalar(text, key)


def _quick_flow(text: str, key: str | None) -> Any:
    """Read one flow collection that ends with the line."""
    tokens: list[tuple[str, str, str]] = []
    at = 0
    while at < len(text):
        match = _QUICK_FLOW.match(text, at)
        if match is None:
            raise _NotQuickError
        tokens.append((match[1] or "", match[2] or "", match[3] or ""))
        at = match.end()
    tokens.append(("", "", ""))
    found, end = _flow_node(tokens, 0, key, 0)
    if end != len(tokens) - 1:
        raise _NotQuickError
    return found


def _flow_node(tokens: Sequence[tuple[str, str, str]], at: int, key: str | None, depth: int) -> tuple[Any, int]:
    mark, _, text = tokens[at]
    if text:
        return (text[1:-1] if text[0] in "\"'" else scalar(text, key)), at + 1
    if mark not in ("[", "{") or depth > MAX_DEPTH:
        raise _NotQuickError
    close = "]" if mark == "[" else "}"
    items: list[Any] = []
    pairs: dict[str, Any] = {}
    at += 1
    while tokens[at][0] != close:
        if items or pairs:
            if tokens[at][0] != ",":
                raise _NotQuickError
            at += 1
        name = tokens[at][1]
        if bool(name) != (mark == "{") or name in pairs:
            raise _NotQuickError
        value, at = _flow_node(tokens, at + bool(name), name or key, depth + 1)
        if name:
            pairs[name] = value
        else:
            items.append(value)
    return (pairs if mark == "{" else items), at + 1


# The full reader: ruamel's parser events, built into plain objects here so that every refusal is ours.


def full_yaml(text: str) -> Any:
    """Return what any YAML 1.2 text holds; tags, anchors, aliases, merge keys and repeated keys are refused."""
    if len(text) > MAX_SLOW_BYTES or any(len(line) > MAX_SLOW_LINE for line in text.split("\n")):
        message = "This YAML is too large for its style; write it as JSON, or plainly, with one key a line."
        raise _fail(message, allowed=f"at most {MAX_SLOW_BYTES} characters")
    from ruamel.yaml import YAML  # 30 ms that most starts do not need
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    builder = _Builder()
    try:
        for event in YAML(typ="safe", pure=True).parse(text):
            builder.take(event)
    except ScenarioError:
        raise
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _yaml_fail(mark, error.problem or error.context or "this is not YAML") from None
    except (YAMLError, RecursionError):
        raise _fail("The input is not YAML.", allowed="YAML 1.2 or JSON") from None
    except Exception:  # noqa: BLE001 - on hostile text the parser also raises IndexError, ValueError and others
        raise _fail("The input is not YAML.", allowed="YAML 1.2 or JSON") from None
    return builder.root


def _yaml_fail(mark: Any, problem: str, allowed: str = "YAML 1.2 or JSON") -> ScenarioError:
    where = f"Line {mark.line + 1}: " if mark is not None else ""
    sentence = f"{where}{shorten(problem)}"
    return _fail(sentence if sentence.endswith(".") else f"{sentence}.", allowed=allowed)


_Container = dict[str, Any] | list[Any]


class _Builder:
    """Builds plain objects from parser events, without recursion."""

    def __init__(self) -> None:
        self.root: Any = None
        self.open: list[_Container] = []
        self.keys: list[str | None] = []  # the key that waits for its value, per open container
        self.documents = 0
        self.events = 0

    def take(self, event: Any) -> None:
        """Add one event."""
        self.events += 1
        if self.events > MAX_SLOW_EVENTS:
            message = "This YAML holds too many values for its style; write it as JSON, or with one key a line."
            raise _fail(message, allowed=f"at most {MAX_SLOW_EVENTS} tokens")
        name = type(event).__name__
        if name == "ScalarEvent":
            self._refuse_marks(event)
            self._scalar(event)
        elif name in ("MappingStartEvent", "SequenceStartEvent"):
            self._refuse_marks(event)
            self._start(event, {} if name == "MappingStartEvent" else [])
        elif name in ("MappingEndEvent", "SequenceEndEvent"):
            self.open.pop()
            self.keys.pop()
        elif name == "AliasEvent":
            raise _yaml_fail(event.start_mark, "Aliases are refused.", "plain values")
        elif name == "DocumentStartEvent":
            self._document(event)

    def _document(self, event: Any) -> None:
        self.documents += 1
        if self.documents > 1:
            raise _yaml_fail(event.start_mark, "There is more than one document.", "one document")
        if event.tags or (event.version and tuple(event.version) != (1, 2)):
            raise _yaml_fail(event.start_mark, "Directives are refused.", "YAML 1.2 without directives")

    @staticmethod
    def _refuse_marks(event: Any) -> None:
        if event.anchor is not None:
            raise _yaml_fail(event.start_mark, "Anchors are refused.", "plain values")
        if event.tag is not None:
            raise _yaml_fail(event.start_mark, "Tags are refused.", "plain values")

    def _scalar(self, event: Any) -> None:
        plain = event.style is None or event.style == ""
        if self.open and isinstance(self.open[-1], dict) and self.keys[-1] is None:
            if plain and event.value == "<<":
                raise _yaml_fail(event.start_mark, "Merge keys are refused.", "plain keys")
            if event.value in self.open[-1]:
                problem = f"The key {shorten(event.value)} is there twice."
                raise _yaml_fail(event.start_mark, problem, "each key once")
            self.keys[-1] = event.value
            return
        self._put(scalar(event.value, self._key()) if plain else event.value)

    def _start(self, event: Any, container: _Container) -> None:
        if len(self.open) >= MAX_DEPTH:
            raise _too_deep()
        if self.open and isinstance(self.open[-1], dict) and self.keys[-1] is None:
            raise _yaml_fail(event.start_mark, "A key is text.", "text keys")
        inherited = self._key() if isinstance(container, list) else None
        self._put(container)
        self.open.append(container)
        self.keys.append(inherited)

    def _key(self) -> str | None:
        return self.keys[-1] if self.keys else None

    def _put(self, value: Any) -> None:
        if not self.open:
            self.root = value
        elif isinstance(self.open[-1], list):
            self.open[-1].append(value)
        else:
            key = self.keys[-1]
            assert key is not None  # noqa: S101 - _scalar and _start see to it
            self.open[-1][key] = value
            self.keys[-1] = None


# From a mapping to a scenario


def from_mapping(mapping: Mapping[str, Any]) -> Scenario:
    """Return the scenario that a mapping describes, in the words of the scenario file.

    Raises
    ------
    ScenarioError
        With every error of every part, and every contradiction between the parts that are valid.
    """
    if not isinstance(mapping, Mapping):
        raise _fail("A scenario is a mapping of keys to values.", value=mapping)
    data = _plain(mapping)
    errors: list[InputError] = []
    parts_of_their_own = Scenario.model_fields.keys() - Head.model_fields.keys()
    head_keys = {key: value for key, value in data.items() if key not in parts_of_their_own}
    head = _section(Head, head_keys, "", errors, Scenario)
    topics, names = _topics(data.get("topics"), errors)
    parts: dict[str, Any] = {}
    for key in ("cluster", "policy", "operations", "questions"):
        if data.get(key) is not None:
            parts[key] = _section(_part(key), data[key], key, errors)
    if not errors:
        given = {key: getattr(head, key) for key in head.model_fields_set} if head else {}
        return _assemble(given | parts | ({"topics": tuple(topics.values())} if "topics" in data else {}))
    cluster = parts.get("cluster", Scenario.model_fields["cluster"].default)
    questions = parts.get("questions", Scenario.model_fields["questions"].default)
    errors.extend(contradictions(names, topics, cluster, questions))
    raise ScenarioError(_capped(errors))


def _part(key: str) -> type[Section]:
    section = shape_of(Scenario, key).section
    assert section is not None  # noqa: S101 - called with the names of sections only
    return section


def _assemble(parts: dict[str, Any]) -> Scenario:
    try:
        return Scenario(**parts)
    except ValidationError as error:
        found = error.errors(include_url=False)[0].get("ctx", {}).get("error")
        if isinstance(found, ScenarioError):
            raise ScenarioError(_capped(found.errors)) from None
        raise


def _capped(errors: Sequence[InputError]) -> list[InputError]:
    if len(errors) <= MAX_ERRORS:
        return list(errors)
    more = InputError("", len(errors), f"There are more than {MAX_ERRORS} errors; the rest is not listed.")
    return [*errors[:MAX_ERRORS], more]


def _plain(value: Any) -> Any:
    """Copy mappings and lists into plain ones, within the caps; a cycle runs into the depth cap."""
    count = 0

    def copy(node: Any, depth: int) -> Any:
        nonlocal count
        if not isinstance(node, Mapping | list | tuple):
            return node
        count += len(node)
        if count > MAX_VALUES:
            raise _too_many()
        if depth > MAX_DEPTH:
            raise _too_deep()
        if isinstance(node, Mapping):
            return {key: copy(item, depth + 1) for key, item in node.items()}
        return [copy(item, depth + 1) for item in node]

    return copy(value, 1)


def _topics(given: Any, errors: list[InputError]) -> tuple[dict[int, Topic], list[Any]]:
    if given is None:
        return {}, []
    if not isinstance(given, list):
        errors.append(InputError("topics", shorten(given), "Must be a list of topics.", "a list"))
        return {}, [None]
    names = [_name_of(item) for item in given]
    names = [name.strip() if isinstance(name, str) else name for name in names]
    topics: dict[int, Topic] = {}
    for index, label in enumerate(labels_of(names)):
        if len(errors) > MAX_ERRORS:
            break
        topic = _section(Topic, given[index], f"topics.{label}", errors)
        if topic is not None:
            topics[index] = topic
    return topics, names


def _section(
    kind: type[S], data: Any, path: str, errors: list[InputError], known: type[Section] | None = None
) -> S | None:
    """Validate one section; on failure add its errors under `path` and return None."""
    if isinstance(data, kind):
        return data
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        found = error.errors(include_url=False)
        errors.extend(_translate(item, known or kind, data, path) for item in found[: MAX_ERRORS + 1])
        return None


def _translate(item: Mapping[str, Any], kind: type[Section], data: Any, prefix: str) -> InputError:
    """Turn one pydantic error into ours."""
    loc, context = item["loc"], item.get("ctx") or {}
    path = ".".join(filter(None, [prefix, *_steps(loc, data)]))
    value = shorten(item["input"])
    if item["type"] == "input":
        return InputError(path, value, context["sentence"], context["allowed"], context["nearest"])
    if item["type"] == "extra_forbidden":
        section = _section_at(kind, loc[:-1])
        keys = list(section.model_fields) if section else []
        message = f"There is no key called {shorten(str(loc[-1]))} here."
        return InputError(path, value, message, ", ".join(keys), nearest(loc[-1], keys))
    if item["type"] == "missing":
        return InputError(path, None, f"{loc[-1]} is required.", _describe(kind, loc))
    sentence = _SENTENCES.get(item["type"], f"{item['msg'].rstrip('.')}.")
    return InputError(path, value, sentence, _describe(kind, loc))


_SENTENCES = {
    "model_type": "Must be a mapping of keys to values.",
    "dict_type": "Must be a mapping of keys to values.",
    "tuple_type": "Must be a list.",
    "invalid_key": "A key is text.",
}


def _steps(loc: Sequence[int | str], data: Any) -> Iterator[str]:
    """The parts of a path; list items by their name where it is usable."""
    node = data
    for step in loc:
        if isinstance(step, int) and isinstance(node, list | tuple):
            names = [_name_of(item) for item in node] if len(node) <= MAX_ERRORS else []
            yield labels_of(names)[step] if names else str(step)
            node = node[step] if step < len(node) else None
        else:
            yield str(shorten(str(step)))
            node = node.get(step) if isinstance(node, Mapping) else None


def _name_of(item: Any) -> Any:
    if isinstance(item, Topic):
        return item.name
    if not isinstance(item, Mapping):
        return getattr(item, "group", None)
    return item.get("name", item.get("group"))


def _section_at(kind: type[Section], loc: Sequence[int | str]) -> type[Section] | None:
    found: type[Section] | None = kind
    for step in loc:
        if isinstance(step, str) and found is not None:
            found = shape_of(found, step).section if step in found.model_fields else None
    return found


def _describe(kind: type[Section], loc: Sequence[int | str]) -> str:
    """What is accepted at a place, for errors that a reader did not raise itself."""
    section = _section_at(kind, loc)
    if section is not None and (not loc or _section_at(kind, loc[:-1]) is not section):
        return ", ".join(section.model_fields)
    parent = _section_at(kind, loc[:-1])
    if parent is None or loc[-1] not in parent.model_fields:
        return ""
    quantity = shape_of(parent, str(loc[-1])).quantity
    return quantity.allowed if quantity else ""


# From a scenario to text


def to_mapping(scenario: Scenario, *, with_units: bool = False) -> dict[str, Any]:
    """Return the keys that were given or differ from their defaults, as a mapping that `from_mapping` reads back.

    Quantities are numbers in base units (retention without end is "forever"), or texts with units.
    """
    return _dumped(scenario, with_units=with_units)


def _dumped(section: Section, *, with_units: bool) -> dict[str, Any]:
    found: dict[str, Any] = {}
    kind = type(section)
    for name, info in kind.model_fields.items():
        value = getattr(section, name)
        if value is None or (name not in section.model_fields_set and value == info.default):
            continue
        quantity = shape_of(kind, name).quantity
        if quantity:
            found[name] = _quantity_out(value, quantity, with_units=with_units)
        else:
            found[name] = _value_out(value, with_units=with_units)
    return found


def _value_out(value: Any, *, with_units: bool) -> Any:
    if isinstance(value, Section):
        return _dumped(value, with_units=with_units)
    if isinstance(value, Mapping):
        return {key: _value_out(item, with_units=with_units) for key, item in value.items()}
    if isinstance(value, tuple):
        return [_value_out(item, with_units=with_units) for item in value]
    return value


def _quantity_out(value: float, quantity: Quantity, *, with_units: bool) -> Any:
    if isinstance(value, Ranged):
        three = {"low": value.low, "likely": float(value), "high": value.high}
        return {key: _quantity_out(number, quantity, with_units=with_units) for key, number in three.items()}
    if value == math.inf:
        return FOREVER
    dimension = quantity.dimension
    if with_units and dimension in ("bytes", "bytes_per_s", "s", "s_or_forever"):
        few = dimension.startswith("bytes") and value < 1000  # noqa: PLR2004 - 700 reads better than 700 B
        if not few:
            return units.format_exact(float(value), dimension)
    return int(value) if value.is_integer() and abs(value) < 2**53 else float(value)


def dump(scenario: Scenario) -> str:
    r"""Return the scenario as YAML that `load` reads back to an equal scenario.

    Examples
    --------
    >>> print(dump(load("topics: [{name: orders, records_per_s: 12k/s, retention: {time: 72h}}]\n")), end="")
    topics:
      - name: orders
        records_per_s: 12000
        retention: {time: 3d}
    """
    lines: list[str] = []
    _emit_mapping(to_mapping(scenario, with_units=True), 0, lines)
    return "\n".join(lines) + "\n" if lines else "{}\n"


_ONE_LINE = 100  # characters of a mapping or list that is written in flow style
_SAFE = re.compile(r"[A-Za-z][A-Za-z0-9_./+-]*(?: [A-Za-z0-9_./+-]+)*|[0-9][0-9.]*(?: ?[A-Za-z]+(?:/s)?)")


def _emit_mapping(mapping: Mapping[str, Any], indent: int, lines: list[str]) -> None:
    for key, value in mapping.items():
        _emit(f"{' ' * indent}{_text(key, None)}:", value, indent + 2, key, lines)


def _emit(start: str, value: Any, indent: int, key: str | None, lines: list[str]) -> None:
    flow = _flow(value, key)
    # Lists of sections read better one under the other, however short.
    listed = isinstance(value, list) and any(isinstance(item, dict) for item in value)
    short = len(flow) <= _ONE_LINE and not listed and len(start) > len(start.lstrip(" "))
    if not isinstance(value, dict | list) or not value or short:
        lines.append(f"{start} {flow}")
        return
    if isinstance(value, dict):
        lines.append(start)
        _emit_mapping(value, indent, lines)
        return
    lines.append(start)
    for item in value:
        if isinstance(item, dict) and key != "consumers" and item:
            first = len(lines)
            _emit_mapping(item, indent + 2, lines)
            lines[first] = f"{' ' * indent}- {lines[first][indent + 2 :]}"
        else:
            lines.append(f"{' ' * indent}- {_flow(item, key)}")


def _flow(value: Any, key: str | None) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_text(name, None)}: {_flow(item, name)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flow(item, key) for item in value) + "]"
    if isinstance(value, str):
        return _text(value, key)
    return json.dumps(value)


def _text(value: str, key: str | None) -> str:
    """Write text plainly where every reader takes it for the same text, else quoted."""
    plain = _SAFE.fullmatch(value) and isinstance(scalar(value, key), str) and isinstance(scalar(value), str)
    words = ("yes", "no", "on", "off", "y", "n")  # booleans to YAML 1.1 readers
    return value if plain and value.lower() not in words else json.dumps(value, ensure_ascii=False)


# Changes from the command line


def apply_set(mapping: Mapping[str, Any], assignment: str) -> dict[str, Any]:
    """Return a copy of the mapping with one change, written `path=value`.

    A list item is called by its name or its index, `*` means all of them; the value is read as YAML.

    Examples
    --------
    >>> apply_set({"topics": [{"name": "orders"}]}, "topics.orders.retention.time=3d")
    {'topics': [{'name': 'orders', 'retention': {'time': '3d'}}]}
    """
    path, equals, text = assignment.partition("=")
    path = path.strip()
    if not equals or not path:
        raise _fail("A change is written path=value.", assignment[:200], assignment, "path=value")
    key = path.rsplit(".", 1)[-1]
    return dict(_set_in_section(dict(mapping), Scenario, path, _value_of(text.strip(), key), ""))


def _value_of(text: str, key: str) -> Any:
    if len(text) > MAX_SLOW_LINE:
        raise _fail("The value is too long.", value=text, allowed=f"at most {MAX_SLOW_LINE} characters")
    # What YAML would refuse as a plain scalar, the field will.
    return full_yaml(text) if text[:1] in ("[", "{", '"', "'") else scalar(text, key)


def _set_in_section(node: Any, kind: type[Section], path: str, value: Any, done: str) -> Any:
    key, _, rest = path.partition(".")
    here = f"{done}.{key}" if done else key
    if key not in kind.model_fields:
        known = list(kind.model_fields)
        close = nearest(key, known)
        message = f"There is no key called {shorten(key)} here."
        raise _fail(
            message, str(shorten(here)), key, ", ".join(known), f"{done}.{close}".lstrip(".") if close else None
        )
    if node is not None and not isinstance(node, Mapping):
        raise _fail(f"{done} is {shorten(node)}, so nothing can be set inside it.", here, node)
    found = dict(node or {})
    shape = shape_of(kind, key)
    if not rest:
        found[key] = value
    elif shape.kind == "section" and shape.section is not None:
        found[key] = _set_in_section(found.get(key), shape.section, rest, value, here)
    elif shape.kind == "list" and shape.section is not None:
        found[key] = _set_in_list(found.get(key), shape.section, rest, value, here)
    elif shape.kind == "map" and (found.get(key) is None or isinstance(found[key], Mapping)):
        found[key] = dict(found.get(key) or {}) | {rest: value}
    else:
        raise _fail(f"{here} is one value; nothing is inside it.", here, rest, f"{here}=VALUE", here)
    return found


def _set_in_list(node: Any, kind: type[Section], path: str, value: Any, done: str) -> list[Any]:
    items = list(node) if isinstance(node, list | tuple) else []
    if not items:
        raise _fail(f"There is nothing in {done} to change.", done, None, "a list that is not empty")
    names = [_name_of(item) for item in items]
    chosen, rest = _pick(names, path, done)
    labels = labels_of(names)
    for index in chosen:
        here = f"{done}.{labels[index]}"
        items[index] = _set_in_section(items[index], kind, rest, value, here) if rest else value
    return items


def _pick(names: Sequence[Any], path: str, done: str) -> tuple[list[int], str]:
    """Which items a path means, and the rest of the path; the longest name wins, since names hold dots too."""
    first, _, rest = path.partition(".")
    if first == "*":
        return list(range(len(names))), rest
    fits = [name for name in names if isinstance(name, str) and (path == name or path.startswith(f"{name}."))]
    if fits:
        name = max(fits, key=len)
        return [index for index, other in enumerate(names) if other == name], path[len(name) + 1 :]
    if first.isdecimal() and len(first) < 10 and int(first) < len(names):  # noqa: PLR2004 - more digits than items
        return [int(first)], rest
    known = [name for name in names if isinstance(name, str)]
    close = nearest(first, known[:1000])
    message = f"There is nothing called {shorten(first)} in {done}."
    allowed = f"a name, an index from 0 to {len(names) - 1}, or *"
    raise _fail(message, f"{done}.{shorten(first)}", first, allowed, f"{done}.{close}" if close else None)


# A table of topics


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table: where its cells go, the unit of bare numbers, and the headers it goes by."""

    path: str
    kind: str  # text, whole, or a dimension of planner.units
    aliases: tuple[str, ...] = ()
    unit: str = ""


COLUMNS = (
    Column("name", "text", ("topic", "topic_name")),
    Column(
        "records_per_s",
        "per_s",
        (
            "msgs_per_s",
            "messages_per_s",
            "events_per_s",
            "msgs_s",
            "msg_s",
            "records_s",
            "messages_s",
            "events_s",
            "messages_per_second",
            "msgs_per_second",
            "records_per_second",
            "events_per_second",
            "rate",
        ),
    ),
    Column("records_per_s", "per_s", ("records_per_day", "messages_per_day", "msgs_per_day", "events_per_day"), "/day"),
    Column("bytes_per_s", "bytes_per_s", ("bytes_s", "bytes_per_second", "throughput")),
    Column("bytes_per_s", "bytes_per_s", ("kb_s", "kb_per_s"), "kB/s"),
    Column("bytes_per_s", "bytes_per_s", ("mb_s", "mb_per_s"), "MB/s"),
    Column("bytes_per_s", "bytes_per_s", ("mib_s", "mib_per_s"), "MiB/s"),
    Column("peak_ratio", "ratio", ("peak", "peak_factor", "peak_to_average")),
    Column("peak_duration", "s"),
    Column("record.key_bytes", "bytes", ("key_bytes", "key_size")),
    Column(
        "record.value_bytes",
        "bytes",
        (
            "value_bytes",
            "value_size",
            "message_size",
            "message_bytes",
            "msg_size",
            "record_size",
            "record_bytes",
            "avg_message_size",
            "size",
            "bytes",
        ),
    ),
    Column("compression.codec", "text", ("codec", "compression", "compression_codec", "compression_type")),
    Column("compression.ratio", "ratio", ("ratio", "compression_ratio")),
    Column("batch.records", "count", ("batch_records", "records_per_batch")),
    Column("batch.linger", "s", ("linger",)),
    Column("batch.linger", "s", ("linger_ms",), "ms"),
    Column("batch.size", "bytes", ("batch_size",)),
    Column("producers", "whole"),
    Column("replication_factor", "whole", ("rf", "replication", "replicas")),
    Column("min_insync_replicas", "whole", ("min_isr", "min_insync", "minisr")),
    Column("acks", "text"),
    Column("cleanup", "text", ("cleanup_policy",)),
    Column("retention.time", "s_or_forever", ("retention", "retention_time")),
    Column("retention.time", "s_or_forever", ("retention_ms",), "ms"),
    Column("retention.time", "s_or_forever", ("retention_hours", "retention_h"), "h"),
    Column("retention.time", "s_or_forever", ("retention_days", "retention_d"), "d"),
    Column("retention.bytes_per_partition", "bytes", ("retention_bytes", "retention_bytes_per_partition")),
    Column("segment.bytes", "bytes", ("segment_bytes",)),
    Column("tiered.local_time", "s", ("local_retention", "local_retention_time", "local_time")),
    Column("partitions", "whole", ("partition_count", "num_partitions")),
    Column("keys.unique", "count", ("unique_keys", "keys", "distinct_keys")),
    Column("consumers", "whole", ("consumer_groups", "groups")),
    Column("consumers.members", "whole", ("members", "members_per_group", "consumers_per_group")),
)
_MAX_GROUPS = 1000


@cache
def _columns() -> dict[str, Column]:
    found = {alias: column for column in COLUMNS for alias in column.aliases}
    for column in COLUMNS:
        found.setdefault(_slug(column.path), column)  # a key itself means base units, the first of its columns
    return found


def _slug(header: str) -> str:
    text = re.sub(r"/ *", "_", header.strip().lower())
    return re.sub(r"[^a-z0-9]+", "_", text).strip("_")


@dataclass(frozen=True, slots=True)
class _Heading:
    """One header cell: the text as written, its column, and the unit that bare numbers have."""

    text: str
    column: Column
    unit: str


def load_topics_csv(text: str) -> list[dict[str, Any]]:
    """Return the topics of a table pasted from a spreadsheet, as mappings in the words of the scenario file.

    Parameters
    ----------
    text : str
        Comma, semicolon or tab separated, the first row being the header. Columns are the keys of a topic (nested ones
        as `retention` or `retention.time`) or a common name of them, see `COLUMNS`; a unit may stand in the header, as
        `retention (h)`, or in the cell. `consumers` is the number of groups, `members` the members of each. An empty
        cell means that the key is not given; blank rows are skipped.

    Returns
    -------
    list of dict
        One valid topic per row.

    Raises
    ------
    ScenarioError
        With every error; the path names row (the header is row 1) and column.
    """
    rows = _csv_rows(text)
    headings, errors = _headings(rows[0])
    if errors:
        raise ScenarioError(errors)
    if len(rows) - 1 > MAX_ROWS:
        raise _fail(f"The table has more than {MAX_ROWS} rows.", value=len(rows) - 1, allowed=f"at most {MAX_ROWS}")
    topics: list[dict[str, Any]] = []
    places: dict[str, int] = {}
    for number, row in enumerate(rows[1:], start=2):
        if not any(cell.strip() for cell in row):
            continue
        if len(errors) > MAX_ERRORS:
            break
        topics.append(_row(number, row, headings, places, errors))
    if not topics and not errors:
        raise _fail("The table has a header and no rows.", "row 2", allowed="one topic a row")
    if errors:
        raise ScenarioError(_capped(errors))
    return topics


def _csv_rows(text: str) -> list[list[str]]:
    if len(text) > MAX_BYTES:
        raise _fail(f"The table is larger than {MAX_BYTES // 10**6} MB.", allowed=f"at most {MAX_BYTES} bytes")
    text = text.removeprefix("\ufeff").lstrip("\r\n")
    if not text.strip():
        raise _fail("The table is empty.", allowed="a header and one topic a row")
    header = re.sub(r'"[^"]*"', "", re.split(r"[\r\n]", text, maxsplit=1)[0])
    delimiter = max("\t;,", key=lambda mark: (header.count(mark), mark == ","))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        return [row for row, _ in zip(reader, range(MAX_ROWS + 2), strict=False)]
    except csv.Error as error:
        line = reader.line_num
        raise _fail(f"Line {line}: {error}.", f"row {line}", allowed="comma separated values") from None


def _headings(cells: Sequence[str]) -> tuple[list[_Heading | None], list[InputError]]:
    found: list[_Heading | None] = []
    errors: list[InputError] = []
    seen: dict[str, str] = {}
    for cell in cells[:200]:
        shown = str(shorten(cell.strip()))
        match = re.fullmatch(r"(.*?)\s*[(\[]([^()\[\]]{1,20})[)\]]", cell.strip()[:200])
        name, unit = (match[1], match[2].strip()) if match else (cell.strip()[:200], "")
        column = _columns().get(_slug(name)) or _columns().get(_slug(cell[:200]))
        if not cell.strip():
            found.append(None)
            continue
        if column is None:
            close = nearest(_slug(name), list(_columns()))
            allowed = ", ".join(dict.fromkeys(_slug(column.path) for column in COLUMNS))
            errors.append(InputError(f"row 1, column {shown}", shown, "There is no such column.", allowed, close))
            found.append(None)
            continue
        if column.path in seen:
            message = f"The columns {seen[column.path]} and {shown} mean the same."
            errors.append(InputError(f"row 1, column {shown}", shown, message, "one of the two"))
        seen[column.path] = shown
        found.append(_Heading(shown, column, unit or column.unit))
    if "name" not in seen and not errors:
        message = "The table needs a column with the names of the topics."
        errors.append(InputError("row 1, column name", None, message, "name"))
    return found, errors


def _row(
    number: int,
    row: Sequence[str],
    headings: Sequence[_Heading | None],
    places: dict[str, int],
    errors: list[InputError],
) -> dict[str, Any]:
    """Read one row; its errors are added with row and column."""
    before = len(errors)
    cells: dict[str, Any] = {}
    for index, cell in enumerate(row):
        heading = headings[index] if index < len(headings) else None
        if not cell.strip():
            continue
        if heading is None:
            path = f"row {number}, column {index + 1}"
            errors.append(InputError(path, shorten(cell.strip()), "This cell has no header above it.", "an empty cell"))
            continue
        try:
            cells[heading.column.path] = _cell(cell.strip(), heading)
        except _CellError as error:
            path = f"row {number}, column {heading.text}"
            errors.append(InputError(path, shorten(cell.strip()), str(error), error.allowed))
    topic = _topic_of(cells)
    columns = {heading.column.path: heading.text for heading in headings if heading}
    name = topic.get("name")
    if name is not None and places.setdefault(name, number) != number:
        path = f"row {number}, column {columns['name']}"
        errors.append(InputError(path, shorten(name), f"Row {places[name]} has the same name.", "each topic once"))
    if len(errors) == before:
        errors.extend(_at_cell(error, number, columns) for error in _topic_errors(topic))
    return topic


class _CellError(Exception):
    """A cell that cannot be read."""

    def __init__(self, message: str, allowed: str) -> None:
        super().__init__(message)
        self.allowed = allowed


def _cell(text: str, heading: _Heading) -> Any:
    if len(text) > MAX_CELL:
        raise _CellError(f"The cell is longer than {MAX_CELL} characters.", f"at most {MAX_CELL} characters")
    if text[0] in "=+@" or (text[0] == "-" and not re.match(r"-[0-9.]", text)):
        raise _CellError("The cell is a formula; paste its value.", "a value")
    kind = heading.column.kind
    if kind == "text":
        return text
    if kind == "whole":
        if not re.fullmatch(r"[0-9]{1,18}(?:\.0{1,9})?", text):
            raise _CellError("A whole number is expected here.", "digits only")
        return int(text.split(".", maxsplit=1)[0])
    bare = re.fullmatch(r"[0-9]{1,18}(?:\.[0-9]{0,18})?(?:[eE][-+]?[0-9]{1,3})?|\.[0-9]{1,18}", text)
    if bare and heading.unit:
        return f"{text.rstrip('.')}{'' if heading.unit.startswith('/') else ' '}{heading.unit}"
    return float(text) if bare else text


def _topic_of(cells: dict[str, Any]) -> dict[str, Any]:
    """Nest the cells of a row; a number of groups becomes groups named after the topic."""
    members = {"members": cells.pop("consumers.members")} if "consumers.members" in cells else {}
    count = cells.pop("consumers", 1 if members else 0)
    topic: dict[str, Any] = {}
    for path, value in cells.items():
        *parents, last = path.split(".")
        node = topic
        for parent in parents:
            node = node.setdefault(parent, {})
        node[last] = value
    if count:
        few = min(count, _MAX_GROUPS + 1)  # one beyond the cap is enough for the error that follows
        names = (f"{topic.get('name', 'topic')}-group-{index}" for index in range(1, few + 1))
        topic["consumers"] = [{"group": name} | members for name in names]
    return topic


def _topic_errors(topic: dict[str, Any]) -> Iterator[InputError]:
    groups = topic.get("consumers", [])
    if len(groups) > _MAX_GROUPS:
        message = f"More than {_MAX_GROUPS} groups on one topic."
        yield InputError("consumers", len(groups), message, f"0 to {_MAX_GROUPS}")
        return
    errors: list[InputError] = []
    valid = _section(Topic, topic, "", errors)
    yield from errors
    if valid is not None:
        yield from topic_contradictions(valid)


def _at_cell(error: InputError, number: int, columns: Mapping[str, str]) -> InputError:
    """Say which row and column an error of a topic came from."""
    path = re.sub(r"^consumers\..*\.members$", "consumers.members", error.path)
    place = columns.get(path, path)
    return InputError(f"row {number}, column {place}", error.value, error.message, error.allowed, error.nearest)


# JSON Schema


@cache
def _schema_text() -> str:
    found = Scenario.model_json_schema(mode="validation")
    machine = found["$defs"]["Cluster"]["properties"]["broker"]["anyOf"]
    if "$ref" not in machine[1]:  # pydantic writes a section that is used once in place
        found["$defs"]["BrokerSpec"] = machine[1]
        machine[1] = {"$ref": "#/$defs/BrokerSpec"}
    for part in (found, *found.get("$defs", {}).values()):
        required = part.get("required", [])
        for name, rule in part.get("properties", {}).items():
            rule["title"] = name
            if isinstance(rule.get("default"), dict | list) or rule.get("default", 0) is None:
                del rule["default"]
            if name not in required:
                part["properties"][name] = _or_null(rule)
    _accept_unknown(found["$defs"]["Questions"])
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps(dialect | found | {"title": "Kafka capacity planner scenario"})


def _or_null(rule: dict[str, Any]) -> dict[str, Any]:
    outer = {key: rule.pop(key) for key in ("title", "description", "default", "x-unit") if key in rule}
    options = rule["anyOf"] if set(rule) == {"anyOf"} else [rule]
    return outer | {"anyOf": [*(option for option in options if option != {"type": "null"}), {"type": "null"}]}


def _accept_unknown(questions: dict[str, Any]) -> None:
    for rule in questions["properties"].values():
        rule["anyOf"].append({"const": "unknown"})


def schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a scenario: units, bounds, words and defaults of every key.

    What one key cannot tell, such as a replication factor above the broker count, is not in it.
    """
    found: dict[str, Any] = json.loads(_schema_text())
    return found
