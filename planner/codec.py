"""Scenario <-> files and mappings: `load`, `dump`, `path=value` changes, presets, the JSON Schema.

Every refusal is one `ScenarioError` that lists all that is wrong.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from planner import units
from planner.constants import data_path
from planner.contradictions import contradictions
from planner.fields import InputError, Quantity, Ranged, ScenarioError, labels_of, nearest, refusal, shorten
from planner.scenario import Cluster, Head, Operations, Policy, Questions, Scenario, Section, Topic, shape_of
from planner.topics_csv import COLUMNS, load_topics_csv
from planner.validation import MAX_ERRORS, capped, name_of, validated
from planner.yaml_reader import MAX_BYTES, MAX_DEPTH, read_text, read_yaml, scalar, too_deep, too_large

__all__ = [
    "COLUMNS",
    "MAX_BYTES",
    "MAX_ERRORS",
    "Preset",
    "apply_set",
    "dump",
    "from_mapping",
    "load",
    "load_topics_csv",
    "presets",
    "schema",
    "to_mapping",
]

MAX_VALUES = 2_000_000  # of a mapping
MAX_CHANGE = 100_000  # characters of the value of one change


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
        raise refusal("A scenario is a path, a text or a mapping.", value=source)
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
        return asdict(self)


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
        raise refusal(f"There is no preset called {shorten(name)}.", "", name, allowed, nearest(name, known))
    return _read_file(data_path("presets", f"{name}.yaml"))


def _read_file(path: Path) -> Mapping[str, Any]:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise refusal("There is no such file.", "", str(path), "a file, -, or preset:NAME", _close_file(path)) from None
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        reason = getattr(error, "strerror", None) or "not a file name"
        raise refusal(f"The file cannot be read: {reason}.", "", str(path), "a readable file") from None
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
        raise too_large()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise refusal(f"Line {line}: the input is not UTF-8 text.", allowed="UTF-8 text") from None


# From a mapping to a scenario

_PARTS: dict[str, type[Section]] = {
    "cluster": Cluster,
    "policy": Policy,
    "operations": Operations,
    "questions": Questions,
}


def from_mapping(mapping: Mapping[str, Any]) -> Scenario:
    """Return the scenario that a mapping describes, in the words of the scenario file.

    Raises
    ------
    ScenarioError
        With every error of every part, and every contradiction between the parts that are valid.
    """
    if not isinstance(mapping, Mapping):
        raise refusal("A scenario is a mapping of keys to values.", value=mapping)
    data = _plain(mapping)
    errors: list[InputError] = []
    head_keys = {key: value for key, value in data.items() if key != "topics" and key not in _PARTS}
    head = validated(Head, head_keys, "", errors, Scenario)
    topics, names = _topics(data.get("topics"), errors)
    parts: dict[str, Any] = {}
    for key, kind in _PARTS.items():
        if data.get(key) is not None:
            parts[key] = validated(kind, data[key], key, errors)
    if not errors:
        given = {key: getattr(head, key) for key in head.model_fields_set} if head else {}
        return _assemble(given | parts | ({"topics": tuple(topics.values())} if "topics" in data else {}))
    cluster = parts.get("cluster", Scenario.model_fields["cluster"].default)
    questions = parts.get("questions", Scenario.model_fields["questions"].default)
    errors.extend(contradictions(names, topics, cluster, questions))
    raise ScenarioError(capped(errors))


def _assemble(parts: dict[str, Any]) -> Scenario:
    try:
        return Scenario(**parts)
    except ValidationError as error:
        found = error.errors(include_url=False)[0].get("ctx", {}).get("error")
        if isinstance(found, ScenarioError):
            raise ScenarioError(capped(found.errors)) from None
        raise


def _plain(value: Any) -> Any:
    """Copy mappings and lists into plain ones, within the caps; a cycle runs into the depth cap."""
    count = 0

    def copy(node: Any, depth: int) -> Any:
        nonlocal count
        if not isinstance(node, Mapping | list | tuple):
            return node
        count += len(node)
        if count > MAX_VALUES:
            raise refusal("The input holds too many values.", allowed=f"at most {MAX_VALUES} values")
        if depth > MAX_DEPTH:
            raise too_deep()
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
    names = [name_of(item) for item in given]
    names = [name.strip() if isinstance(name, str) else name for name in names]
    topics: dict[int, Topic] = {}
    for index, label in enumerate(labels_of(names)):
        if len(errors) > MAX_ERRORS:
            break
        topic = validated(Topic, given[index], f"topics.{label}", errors)
        if topic is not None:
            topics[index] = topic
    return topics, names


# From a scenario to text


def to_mapping(scenario: Section, *, with_units: bool = False) -> dict[str, Any]:
    """Return the keys that were given or differ from their defaults, as a mapping that `from_mapping` reads back.

    Quantities are numbers in base units (retention without end is "forever"), or texts with units.
    """
    found: dict[str, Any] = {}
    kind = type(scenario)
    for name, info in kind.model_fields.items():
        value = getattr(scenario, name)
        if value is None or (name not in scenario.model_fields_set and value == info.default):
            continue
        quantity = shape_of(kind, name).quantity
        if quantity:
            found[name] = _quantity_out(value, quantity, with_units=with_units)
        else:
            found[name] = _value_out(value, with_units=with_units)
    return found


def _value_out(value: Any, *, with_units: bool) -> Any:
    if isinstance(value, Section):
        return to_mapping(value, with_units=with_units)
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
        return "forever"
    dimension = quantity.dimension
    size = dimension.startswith("bytes")
    # 700 reads better than 700 B
    if with_units and (dimension.startswith("s") or (size and value >= 1000)):  # noqa: PLR2004
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
    lines.append(start)
    if isinstance(value, dict):
        _emit_mapping(value, indent, lines)
        return
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
        raise refusal("A change is written path=value.", assignment[:200], assignment, "path=value")
    key = path.rsplit(".", 1)[-1]
    return dict(_set_in_section(dict(mapping), Scenario, path, _value_of(text.strip(), key), ""))


def _value_of(text: str, key: str) -> Any:
    if len(text) > MAX_CHANGE:
        raise refusal("The value is too long.", value=text, allowed=f"at most {MAX_CHANGE} characters")
    # What YAML would refuse as a plain scalar, the field will.
    return read_yaml(text) if text[:1] in ("[", "{", '"', "'") else scalar(text, key)


def _set_in_section(node: Any, kind: type[Section], path: str, value: Any, done: str) -> Any:
    key, _, rest = path.partition(".")
    here = f"{done}.{key}" if done else key
    if key not in kind.model_fields:
        known = list(kind.model_fields)
        close = nearest(key, known)
        message = f"There is no key called {shorten(key)} here."
        raise refusal(
            message, str(shorten(here)), key, ", ".join(known), f"{done}.{close}".lstrip(".") if close else None
        )
    if node is not None and not isinstance(node, Mapping):
        raise refusal(f"{done} is {shorten(node)}, so nothing can be set inside it.", here, node)
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
        raise refusal(f"{here} is one value; nothing is inside it.", here, rest, f"{here}=VALUE", here)
    return found


def _set_in_list(node: Any, kind: type[Section], path: str, value: Any, done: str) -> list[Any]:
    items = list(node) if isinstance(node, list | tuple) else []
    if not items:
        raise refusal(f"There is nothing in {done} to change.", done, None, "a list that is not empty")
    names = [name_of(item) for item in items]
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
    raise refusal(message, f"{done}.{shorten(first)}", first, allowed, f"{done}.{close}" if close else None)


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
