"""What one key of a scenario accepts, and how its errors are told.

Each reader goes into `Annotated[...]` and gives validation and JSON Schema alike.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from difflib import get_close_matches
from functools import lru_cache
from numbers import Integral, Real
from typing import Any, Self, TypeGuard, get_args

from pydantic import BaseModel, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from planner import units

# Per dimension: the words of an error, and the unit that the JSON Schema states.
_UNITS = {
    "bytes": ("bytes", "bytes"),
    "bytes_per_s": ("bytes per second", "bytes/s"),
    "s": ("seconds", "s"),
    "s_or_forever": ("seconds, or forever", "s"),
    "per_s": ("per second", "1/s"),
    "per_day": ("per day", "1/day"),
    "count": ("(a count)", "count"),
    "fraction": ("(a fraction)", "fraction"),
    "ratio": ("(a ratio)", "ratio"),
    "money": ("(money)", "money"),
}
_SHOWN = 80  # characters of a value that an error repeats
_SHOWN_ITEMS = 8  # of a list
_SHOWN_BITS = 128  # of an integer
_LONGEST_NAME = 249  # Kafka's limit for a topic
LONGEST_TEXT = 1000
_MOST_LABELS = 100
_MOST_NAMES = 1000  # in a list of words
MOST_ZONES = 100
MOST_BROKERS = 10_000


# Errors


def shorten(value: Any) -> Any:
    """Return `value` fit for an error: JSON-ready, at most 80 characters, no control characters."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if value.bit_length() < _SHOWN_BITS else f"an integer of {value.bit_length()} bits"
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(float(value))
    if isinstance(value, str):
        text = value[: _SHOWN + 1]
    elif isinstance(value, Mapping):
        text = f"a mapping of {len(value)} keys"
    elif isinstance(value, list | tuple):
        text = _list_text(value)
    else:
        text = f"a value of type {type(value).__name__}"
    escaped = "".join(c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in text)
    return escaped if len(escaped) <= _SHOWN else escaped[: _SHOWN - 3] + "..."


def _list_text(values: Sequence[Any]) -> str:
    """The items where they are few and plain, else how many there are."""
    if len(values) <= _SHOWN_ITEMS and all(isinstance(item, str | int | float) for item in values):
        text = "[" + ", ".join(str(shorten(item)) for item in values) + "]"
        if len(text) <= _SHOWN:
            return text
    return f"a list of {len(values)} items"


def nearest(word: object, known: Iterable[str]) -> str | None:
    """Return the known word that `word` most resembles, or None."""
    if not isinstance(word, str) or not word:
        return None
    words = {name.lower().replace("-", "_"): name for name in known}
    found = get_close_matches(word[:100].lower().replace("-", "_"), words, n=1)
    return words[found[0]] if found else None


@dataclass(frozen=True, slots=True)
class InputError:
    """One thing that is wrong with the input: where, what was given, why it is refused, what would be accepted."""

    path: str
    value: Any
    message: str
    allowed: str = ""
    nearest: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The contract's form of an error."""
        return asdict(self)

    def under(self, prefix: str) -> InputError:
        """The same error seen from the section around it."""
        return replace(self, path=f"{prefix}.{self.path}")


class ScenarioError(ValueError):
    """The input is refused; `errors` holds everything that is wrong with it, at least one."""

    def __init__(self, errors: Iterable[InputError]) -> None:
        """Keep the errors; the text of the exception has one line for each."""
        self.errors: tuple[InputError, ...] = tuple(errors)
        super().__init__("\n".join(f"{e.path}: {e.message}" if e.path else e.message for e in self.errors))


def refusal(
    message: str, path: str = "", value: Any = None, allowed: str = "", close: str | None = None
) -> ScenarioError:
    """Return the exception for one thing that is wrong."""
    return ScenarioError([InputError(path, shorten(value), message, allowed, close)])


def labels_of(names: Sequence[object]) -> list[str]:
    """How paths call the items of a list: by name where it is printable and unique, else by index."""
    counts = Counter(name for name in names if isinstance(name, str))
    return [name if _usable(name) and counts[name] == 1 else str(index) for index, name in enumerate(names)]


def _usable(name: object) -> TypeGuard[str]:
    """Whether a path can hold the name and still be read."""
    if not isinstance(name, str) or not 0 < len(name) <= _LONGEST_NAME:
        return False
    return name.isprintable() and any(letter.isalnum() for letter in name)


def _refused(sentence: str, allowed: str = "", close: str | None = None) -> PydanticCustomError:
    return PydanticCustomError("input", "{sentence}", {"sentence": sentence, "allowed": allowed, "nearest": close})


# Readers


class Ranged(float):
    """A quantity given as a range: a float equal to `likely`, with `low` and `high` beside it."""

    __slots__ = ("high", "low")
    low: float
    high: float

    def __new__(cls, low: float, likely: float, high: float) -> Self:
        """Keep the three numbers; the float itself is the likely one."""
        number = super().__new__(cls, likely)
        number.low = float(low)
        number.high = float(high)
        return number

    def __getnewargs__(self) -> tuple[float, float, float]:  # type: ignore[override]
        """For copy and pickle."""
        return (self.low, float(self), self.high)

    def __eq__(self, other: object) -> bool:
        """Two ranges are equal when all three numbers are; against a plain number the likely value counts."""
        if isinstance(other, Ranged):
            return (self.low, float(self), self.high) == (other.low, float(other), other.high)
        return float(self) == other

    def __ne__(self, other: object) -> bool:
        """Not equal; float has a rule of its own for this, so it must be said."""
        return not self == other

    __hash__ = float.__hash__

    def __repr__(self) -> str:
        """The range as it would be called."""
        return f"Ranged({self.low!r}, {float(self)!r}, {self.high!r})"


@lru_cache(maxsize=65536)
def _parsed(text: str, dimension: str) -> float:
    return units.parse(text, dimension)


def _plain_number(value: float) -> str:
    short = float(value).is_integer() and abs(value) < 10_000_000  # noqa: PLR2004 - more digits are hard to count
    return str(int(value)) if short else f"{value:g}"


class Reader:
    """Base of the markers below: `read` turns what was given into the kept value, `schema` describes it."""

    def read(self, value: Any) -> Any:
        """Return the value to keep, or raise the error to report."""
        raise NotImplementedError

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of what `read` accepts."""
        raise NotImplementedError

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Validate by `read`; None passes where the annotation admits it."""
        rule = core_schema.no_info_plain_validator_function(self.read)
        return core_schema.nullable_schema(rule) if type(None) in get_args(source) else rule

    def __get_pydantic_json_schema__(self, rule: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Describe by `schema`."""
        return self.schema()


@dataclass(frozen=True, slots=True)
class Quantity(Reader):
    """A number in base units, text with a unit, or a range of either."""

    dimension: str
    minimum: float
    maximum: float
    text: str

    @property
    def allowed(self) -> str:
        """What is accepted, in words."""
        bounds = f"from {_plain_number(self.minimum)} to {_plain_number(self.maximum)} {_UNITS[self.dimension][0]}"
        return f"a number {bounds}, text such as {units.examples(self.dimension)}, or {{low, likely, high}}"

    def read(self, value: Any) -> float:
        """Return the number in base units."""
        if isinstance(value, Ranged):
            value = {"low": value.low, "likely": float(value), "high": value.high}
        if isinstance(value, Mapping):
            return self._range(value)
        return self._number(value)

    def _number(self, value: Any) -> float:
        number = value
        if isinstance(value, str):
            try:
                number = _parsed(value, self.dimension)
            except units.UnitError as error:
                raise _refused(str(error), error.allowed or self.allowed, error.suggestion) from None
        elif isinstance(value, bool) or not isinstance(value, Real):
            raise _refused("A quantity is expected here.", self.allowed)
        if self.dimension == "s_or_forever" and number == math.inf:
            return math.inf
        if not self.minimum <= number <= self.maximum:
            low, high = _plain_number(self.minimum), _plain_number(self.maximum)
            raise _refused(f"Must be between {low} and {high} {_UNITS[self.dimension][0]}.", self.allowed)
        return float(number) + 0.0  # turns -0.0 into 0.0

    def _range(self, value: Mapping[Any, Any]) -> Ranged:
        if set(value) != {"low", "likely", "high"}:
            raise _refused("A range has exactly the keys low, likely and high.", self.allowed)
        low, likely, high = (self._number(value[key]) for key in ("low", "likely", "high"))
        if not math.isfinite(low + likely + high):
            raise _refused("A range must be finite.", self.allowed)
        if not low <= likely <= high:
            raise _refused("A range must satisfy low <= likely <= high.", self.allowed)
        return Ranged(low, likely, high)

    def schema(self) -> dict[str, Any]:
        """A number, text, or the three of them."""
        number = {"type": "number", "minimum": self.minimum, "maximum": self.maximum}
        text = {"type": "string", "minLength": 1, "description": f"with a unit: {units.examples(self.dimension)}"}
        one = {"anyOf": [number, text]}
        three: dict[str, Any] = {
            "type": "object",
            "properties": dict.fromkeys(("low", "likely", "high"), one),
            "required": ["low", "likely", "high"],
            "additionalProperties": False,
        }
        return {
            "description": self.text,
            "x-unit": _UNITS[self.dimension][1],
            "anyOf": [*one["anyOf"], three],
        }


@dataclass(frozen=True, slots=True)
class Whole(Reader):
    """A whole number; structure, so no range and no unit."""

    minimum: int
    maximum: int
    text: str

    def read(self, value: Any) -> int:
        """Return the integer."""
        allowed = f"a whole number from {self.minimum} to {self.maximum}"
        whole = isinstance(value, Integral) or (isinstance(value, float) and value.is_integer())
        if isinstance(value, Mapping | Ranged):
            raise _refused("Structure takes one whole number, not a range.", allowed)
        if isinstance(value, bool) or not whole:
            raise _refused("A whole number is expected here.", allowed)
        if not self.minimum <= value <= self.maximum:
            bounds = f"between {self.minimum} and {self.maximum}" if self.minimum < self.maximum else str(self.minimum)
            raise _refused(f"Must be {bounds}.", allowed)
        return int(value)

    def schema(self) -> dict[str, Any]:
        """An integer within the bounds."""
        return {"description": self.text, "type": "integer", "minimum": self.minimum, "maximum": self.maximum}


_YES = ("true", "yes", "on")
_NO = ("false", "no", "off")


@dataclass(frozen=True, slots=True)
class YesNo(Reader):
    """A boolean, or one of the words yes, no, on, off, true, false."""

    text: str

    def read(self, value: Any) -> bool:
        """Return the boolean."""
        if isinstance(value, bool):
            return value
        word = value.strip().lower() if isinstance(value, str) else ""
        if word not in _YES + _NO:
            raise _refused("Must be yes or no.", "true, false, yes, no, on, off")
        return word in _YES

    def schema(self) -> dict[str, Any]:
        """A boolean or a word."""
        words = [form for word in _YES + _NO for form in (word, word.capitalize(), word.upper())]
        return {"description": self.text, "anyOf": [{"type": "boolean"}, {"enum": words}]}


@dataclass(frozen=True, slots=True)
class OneOf(Reader):
    """One of a few words."""

    words: tuple[str, ...]
    text: str
    aliases: Mapping[str, str] = field(default_factory=dict)

    def read(self, value: Any) -> str:
        """Return the word in its own spelling."""
        allowed = ", ".join(self.words)
        if isinstance(value, bool):
            word = "yes" if value else "no"
        elif isinstance(value, int):
            word = str(value) if value.bit_length() < _SHOWN_BITS else ""
        elif isinstance(value, str):
            word = value.strip().lower()
        else:
            word = ""
        word = self.aliases.get(word, word)
        if word not in self.words:
            raise _refused(f"Must be one of: {allowed}.", allowed, nearest(value, self.words))
        return word

    def schema(self) -> dict[str, Any]:
        """An enumeration, with numbers and booleans where a word looks like one in YAML."""
        words: list[Any] = [*self.words, *self.aliases]
        numbers = [int(word) for word in words if word.lstrip("-").isdigit()]
        booleans = [word == "yes" for word in words if word in ("yes", "no")]
        return {"description": self.text, "enum": [*words, *numbers, *dict.fromkeys(booleans)]}


def _name_the_wrong(given: list[Any], words: tuple[str, ...]) -> None:
    """Refuse a list for the word of it that is not known, rather than for being a list."""
    for word in given:
        if isinstance(word, str) and word.strip().lower() not in words:
            allowed = ", ".join(words)
            raise _refused(f"{shorten(word)!r} is not one of: {allowed}.", allowed, nearest(word, words))


@dataclass(frozen=True, slots=True)
class ManyOf(Reader):
    """One word or a list of words, kept as a tuple without repeats; any name when `words` is empty."""

    words: tuple[str, ...]
    text: str

    def read(self, value: Any) -> tuple[str, ...]:
        """Return the words."""
        given = list(value) if isinstance(value, list | tuple) else [value]
        if len(given) > _MOST_NAMES:
            raise _refused(f"At most {_MOST_NAMES} names are accepted here.", "a word or a list of words")
        if self.words and isinstance(value, list | tuple):
            _name_the_wrong(given, self.words)
        one = OneOf(self.words, "") if self.words else Text("", pattern=r"[A-Za-z0-9][A-Za-z0-9 ._+-]{0,99}")
        found = tuple(dict.fromkeys(one.read(word).strip().lower() for word in given))
        if "none" in found and len(found) > 1:
            raise _refused("none excludes every other word.", ", ".join(self.words))
        return found

    def schema(self) -> dict[str, Any]:
        """A word or an array of words."""
        word: dict[str, Any] = {"enum": [*self.words]} if self.words else {"type": "string", "minLength": 1}
        return {"description": self.text, "anyOf": [word, {"type": "array", "items": word}]}


@dataclass(frozen=True, slots=True)
class Text(Reader):
    """Printable text that is not empty."""

    text: str
    pattern: str = ""
    maximum: int = _LONGEST_NAME
    form: str = ""

    def read(self, value: Any) -> str:
        """Return the text without surrounding blanks."""
        allowed = self.form or f"printable text of 1 to {self.maximum} characters"
        if not isinstance(value, str):
            number = isinstance(value, int | float) and not isinstance(value, bool)
            quoted = f'"{shorten(value)}"' if number else None
            raise _refused("Text is expected here; write it in quotes.", allowed, quoted)
        kept = value.strip()
        if not kept:
            raise _refused("Must not be empty.", allowed)
        if len(kept) > self.maximum or not kept.isprintable():
            raise _refused(f"Must be {allowed}.", allowed)
        if self.pattern and not re.fullmatch(self.pattern, kept):
            raise _refused(f"Must be {allowed}.", allowed)
        return kept

    def schema(self) -> dict[str, Any]:
        """A string, with its pattern if it has one."""
        rule = {"description": self.text, "type": "string", "minLength": 1}
        return rule | {"pattern": rf"^\s*(?:{self.pattern})\s*$"} if self.pattern else rule


class TopicName(Text):
    """A name that Kafka accepts for a topic."""

    def __init__(self, text: str) -> None:
        """Letters, digits, dot, underscore, hyphen."""
        form = "1 to 249 of the characters a-z, A-Z, 0-9, '.', '_' and '-', and not '.' or '..'"
        super().__init__(text, pattern=r"(?!\.{1,2}\s*$)[a-zA-Z0-9._-]{1,249}", form=form)


@dataclass(frozen=True, slots=True)
class Cleanup(Reader):
    """Kafka's cleanup policy, as text or as a list."""

    text: str

    def read(self, value: Any) -> str:
        """Return delete, compact, or compact,delete."""
        words = value.split(",") if isinstance(value, str) else value if isinstance(value, list | tuple) else [value]
        known = OneOf(("delete", "compact"), "")
        if not words or len(words) > 2:  # noqa: PLR2004 - there are two policies
            raise _refused("Must be delete, compact, or compact,delete.", "delete, compact, compact,delete")
        return ",".join(sorted({known.read(word) for word in words}))

    def schema(self) -> dict[str, Any]:
        """Text or a list of words."""
        words = ["delete", "compact"]
        listed = {"type": "array", "items": {"enum": words}, "minItems": 1, "maxItems": 2}
        together = [f"{a},{blank}{b}" for a, b in (words, words[::-1]) for blank in ("", " ")]
        return {"description": self.text, "anyOf": [{"enum": words + together}, listed]}


@dataclass(frozen=True, slots=True)
class Labels(Reader):
    """Free names and texts."""

    text: str

    def read(self, value: Any) -> dict[str, str]:
        """Return the labels as text."""
        allowed = f"a mapping of at most {_MOST_LABELS} names to texts"
        if not isinstance(value, Mapping) or len(value) > _MOST_LABELS:
            raise _refused("Labels are a mapping of names to texts.", allowed)
        name = Text("", maximum=LONGEST_TEXT)
        found: dict[str, str] = {}
        for key, label in value.items():
            if isinstance(label, bool) or not isinstance(label, int | float | str):
                raise _refused("A label is text.", allowed)
            found[name.read(key)] = _label(label)
        return found

    def schema(self) -> dict[str, Any]:
        """An object of strings and numbers."""
        label = {"type": ["string", "number"]}
        return {
            "description": self.text,
            "type": "object",
            "additionalProperties": label,
            "maxProperties": _MOST_LABELS,
        }


def _label(value: float | str) -> str:
    if isinstance(value, str):
        return str(Text("", maximum=LONGEST_TEXT).read(value)) if value.strip() else ""
    shown = shorten(value)
    if isinstance(shown, str):
        raise _refused("A label is text; write the number in quotes.", "text")
    return str(shown)


def _as_word(value: Any) -> Any:
    """A zone or a broker id given as a number, as text."""
    return str(value) if type(value) is int and 0 <= value < 2**31 else value


@dataclass(frozen=True, slots=True)
class ZoneMembers(Reader):
    """How many members of a group sit in which zone."""

    text: str

    def read(self, value: Any) -> dict[str, int]:
        """Return members by zone; a zone number is kept as text."""
        allowed = "a mapping of zone name or number to members"
        if not isinstance(value, Mapping) or not 0 < len(value) <= MOST_ZONES:
            raise _refused("Zones are a mapping of zone name or number to members.", allowed)
        count, name = Whole(0, 1_000_000, ""), Text("")
        keys = [_as_word(key) for key in value]
        return {name.read(key): count.read(members) for key, members in zip(keys, value.values(), strict=True)}

    def schema(self) -> dict[str, Any]:
        """An object of integers."""
        members = {"type": "integer", "minimum": 0, "maximum": 1_000_000}
        return {"description": self.text, "type": "object", "additionalProperties": members, "minProperties": 1}


@dataclass(frozen=True, slots=True)
class Racks(Reader):
    """The zone of each broker id."""

    text: str

    def read(self, value: Any) -> dict[str, str]:
        """Return zone by broker id, both as text."""
        allowed = "a mapping of broker id to zone name"
        if not isinstance(value, Mapping) or len(value) > MOST_BROKERS:
            raise _refused("Racks are a mapping of broker id to zone name.", allowed)
        found: dict[str, str] = {}
        for key, zone in value.items():
            broker = _as_word(key)
            if not isinstance(broker, str) or not re.fullmatch(r"[0-9]{1,10}", broker):
                raise _refused("A broker id is a whole number.", allowed)
            found[str(int(broker))] = Text("").read(_as_word(zone))
        return found

    def schema(self) -> dict[str, Any]:
        """An object of strings."""
        zone = {"type": ["string", "integer"]}
        return {"description": self.text, "type": "object", "additionalProperties": zone}


@dataclass(frozen=True, slots=True)
class Replicas(Reader):
    """For each topic the replica list of each partition, preferred leader first."""

    text: str

    def read(self, value: Any) -> dict[str, tuple[tuple[int, ...], ...]]:
        """Return the assignment with broker ids as integers."""
        allowed = "a mapping of topic to a list of replica lists, such as {orders: [[1, 2, 3], [2, 3, 1]]}"
        if not isinstance(value, Mapping):
            raise _refused("An assignment is a mapping of topic to replica lists.", allowed)
        return {TopicName("").read(topic): self._partitions(lists, allowed) for topic, lists in value.items()}

    @staticmethod
    def _partitions(lists: Any, allowed: str) -> tuple[tuple[int, ...], ...]:
        if not isinstance(lists, list | tuple) or not lists:
            raise _refused("Each topic has a list with one replica list per partition.", allowed)
        for replicas in lists:
            if not isinstance(replicas, list | tuple) or not replicas:
                raise _refused("A replica list names at least one broker.", allowed)
            if any(type(broker) is not int or not 0 <= broker < 2**31 for broker in replicas):
                raise _refused("A replica list holds broker ids, whole numbers from 0.", allowed)
        return tuple(tuple(replicas) for replicas in lists)

    def schema(self) -> dict[str, Any]:
        """An object of arrays of arrays."""
        replicas = {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1}
        partitions = {"type": "array", "items": replicas, "minItems": 1}
        return {"description": self.text, "type": "object", "additionalProperties": partitions}


class NameOrSection:
    """A name as text, or the section itself written out."""

    def __init__(self, text: str) -> None:
        """Keep the description."""
        self.text = text

    def read(self, value: Any, section: Any) -> Any:
        """Text is a name; anything else must be the section."""
        return Text("").read(value) if isinstance(value, str) else section(value)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Wrap the section's own rule, so that its errors keep their paths."""
        (section,) = (arg for arg in get_args(source) if isinstance(arg, type) and issubclass(arg, BaseModel))
        plain = core_schema.plain_serializer_function_ser_schema(
            lambda value: value.model_dump() if isinstance(value, BaseModel) else value
        )
        inner = handler.generate_schema(section)
        return core_schema.no_info_wrap_validator_function(self.read, inner, serialization=plain)

    def __get_pydantic_json_schema__(self, rule: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Text or the section."""
        inner = handler(rule["schema"])
        return {"description": self.text, "anyOf": [{"type": "string", "minLength": 1}, inner]}
