"""Two schemas of a subject, and what breaks when records of both are in one topic.

Avro is resolved by Apache Avro's own checker. For JSON Schema there is no kept-up checker on the package index, so what
the audit asks of it (fields added, removed, made required, retyped) is compared here.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from planner.fields import refusal

MAX_BYTES = 2_000_000
_DEEPEST = 40
_AVRO = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})

Kind = Literal["schema_field_added", "schema_field_removed", "schema_incompatible"]


@dataclass(frozen=True, slots=True)
class Break:
    """One thing that one side cannot read."""

    code: Kind
    field: str
    direction: str


def read_schema(path: Path, kind: str) -> Any:
    """Return the JSON of a schema file."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise refusal("The schema is too large.", kind, str(path), f"at most {MAX_BYTES} bytes")
        found = json.loads(data)
    except OSError as error:
        raise refusal(f"The file cannot be read: {error.strerror}.", kind, str(path), "a file") from None
    except (ValueError, RecursionError):
        raise refusal("This is not JSON.", kind, str(path), "an Avro schema or a JSON Schema") from None
    if _depth(found) > _DEEPEST:
        raise refusal("The schema is nested too deeply.", kind, str(path), f"at most {_DEEPEST} levels")
    return found


def _depth(node: Any) -> int:
    """Levels of nesting, without recursion."""
    deepest, todo = 0, [(node, 1)]
    while todo:
        item, level = todo.pop()
        deepest = max(deepest, level)
        below = item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
        todo += [(one, level + 1) for one in below]
    return deepest


def breaks(old: Any, new: Any) -> tuple[Break, ...]:
    """Everything that breaks when records of `old` and of `new` live in one topic."""
    if not all(isinstance(one, str | list | dict) for one in (old, new)):
        raise refusal("This is not a schema.", "schemas", None, "an Avro schema or a JSON Schema")
    kinds = {_is_avro(old), _is_avro(new)}
    if len(kinds) > 1:
        raise refusal("One schema is Avro and the other is not.", "schemas", None, "two of one kind")
    return tuple(_avro(old, new)) if kinds == {True} else tuple(_json(old, new))


def _is_avro(schema: Any) -> bool:
    if isinstance(schema, str):
        return schema in _AVRO
    if isinstance(schema, list):
        return True
    avro_types = _AVRO | {"record", "enum", "array", "map", "fixed", "error"}
    is_json = "$schema" in schema or "properties" in schema or schema.get("type") == "object"
    return not is_json and (not isinstance(schema.get("type"), str) or schema["type"] in avro_types)


# Avro


def _avro(old: Any, new: Any) -> Iterator[Break]:
    try:
        from avro import schema as parser
        from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType
        from avro.errors import AvroException
    except ImportError:
        allowed = "pip install 'kafka-capacity-planner[schemas]'"
        raise refusal("Avro schemas need the package avro.", "schemas", None, allowed) from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of logical types that it does not know: their base types count
            before, after = (parser.parse(json.dumps(one)) for one in (old, new))
    except (AvroException, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise refusal(f"This is not an Avro schema: {type(error).__name__}.", "schemas", None, "Avro 1.12") from None
    for reader, writer, code, direction in (
        (after, before, "schema_field_added", "the new schema cannot read records of the old one"),
        (before, after, "schema_field_removed", "the old schema cannot read records of the new one"),
    ):
        checker = ReaderWriterCompatibilityChecker()  # type: ignore[no-untyped-call]
        result = checker.get_compatibility(reader, writer)
        if result.compatibility is SchemaCompatibilityType.compatible:
            continue
        # the checker keeps kinds, places and names in three collections of their own
        for kind in sorted({one.name for one in result.incompatibilities}):
            missing = kind == "reader_field_missing_default_value"
            named = ", ".join(sorted(result.messages if missing else result.locations)) or "the schema"
            yield Break(code if missing else "schema_incompatible", named, f"{direction} ({kind})")  # type: ignore[arg-type]


# JSON Schema: objects and their properties


def _json(old: Any, new: Any, path: str = "", depth: int = 0) -> Iterator[Break]:
    if not (isinstance(old, Mapping) and isinstance(new, Mapping)) or depth > _DEEPEST:
        return
    before, after = (_properties(one) for one in (old, new))
    needed = {"old": _required(old), "new": _required(new)}
    for name in sorted(after.keys() - before.keys()):
        place = f"{path}{name}"
        if name in needed["new"] and "default" not in _mapping(after[name]):
            yield Break("schema_field_added", place, "the new schema requires it, old records lack it")
        if old.get("additionalProperties") is False:
            yield Break("schema_incompatible", place, "the old schema refuses fields that it does not know")
    for name in sorted(before.keys() - after.keys()):
        place = f"{path}{name}"
        if name in needed["old"] and "default" not in _mapping(before[name]):
            yield Break("schema_field_removed", place, "the old schema requires it, new records lack it")
        if new.get("additionalProperties") is False:
            yield Break("schema_incompatible", place, "the new schema refuses fields of old records")
    for name in sorted(before.keys() & after.keys()):
        yield from _json_field(before[name], after[name], f"{path}{name}", depth)
        if name in needed["new"] - needed["old"] and "default" not in _mapping(after[name]):
            yield Break("schema_field_added", f"{path}{name}", "it became required, old records may lack it")


def _json_field(old: Any, new: Any, place: str, depth: int) -> Iterator[Break]:
    were, are = _types(old), _types(new)
    if were and are:
        widened = are | ({"integer"} if "number" in are else set())
        accepted = were | ({"integer"} if "number" in were else set())
        if were - widened:
            yield Break("schema_incompatible", place, f"the new schema no longer reads {_words(were - widened)}")
        if are - accepted:
            yield Break("schema_incompatible", place, f"the old schema does not read {_words(are - accepted)}")
    yield from _json(old, new, f"{place}.", depth + 1)


def _mapping(node: Any) -> Mapping[str, Any]:
    return node if isinstance(node, Mapping) else {}


def _properties(node: Mapping[str, Any]) -> Mapping[str, Any]:
    return _mapping(node.get("properties"))


def _required(node: Mapping[str, Any]) -> set[str]:
    found = node.get("required")
    return {name for name in found if isinstance(name, str)} if isinstance(found, list) else set()


def _types(node: Any) -> set[str]:
    found = _mapping(node).get("type")
    return (
        {found}
        if isinstance(found, str)
        else {one for one in found if isinstance(one, str)}
        if isinstance(found, list)
        else set()
    )


def _words(names: set[str]) -> str:
    return ", ".join(sorted(names))
