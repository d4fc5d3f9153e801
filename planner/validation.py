"""One section of a scenario validated, its errors told in the words and paths of the scenario file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import ValidationError

from planner.fields import InputError, labels_of, nearest, shorten
from planner.scenario import Section, Topic, shape_of

MAX_ERRORS = 1_000

S = TypeVar("S", bound=Section)


def validated(
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
            names = [name_of(item) for item in node] if len(node) <= MAX_ERRORS else []
            yield labels_of(names)[step] if names else str(step)
            node = node[step] if step < len(node) else None
        else:
            yield str(shorten(str(step)))
            node = node.get(step) if isinstance(node, Mapping) else None


def name_of(item: Any) -> Any:
    """What an item of a list is called, if it is called anything."""
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


def capped(errors: Sequence[InputError]) -> list[InputError]:
    """At most `MAX_ERRORS` errors, and one that says so."""
    if len(errors) <= MAX_ERRORS:
        return list(errors)
    more = InputError("", len(errors), f"There are more than {MAX_ERRORS} errors; the rest is not listed.")
    return [*errors[:MAX_ERRORS], more]
