"""The planner's only input types: frozen, validated, in base units.

Attribute names are the keys of a scenario file. Quantities are floats in bytes, seconds and per second; one given as
`{low, likely, high}` is a `Ranged`, a float that equals its likely value. Numeric defaults come from
`data/constants/defaults.toml`, words and switches from `data/defaults_text.toml`.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache, lru_cache
from numbers import Integral, Real
from typing import Annotated, Any, ClassVar, Literal, Self, TypeGuard, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler, model_validator
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from planner import units
from planner.constants import constant, constants, data_path

YEAR = 365.0 * 86400
FOREVER = "forever"

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
_SHOWN_BITS = 128  # of an integer
_LONGEST_NAME = 249  # Kafka's limit for a topic
_LONGEST_TEXT = 1000
_MOST_LABELS = 100
_MOST_NAMES = 1000  # in a list of words
_MOST_ZONES = 100
_MOST_BROKERS = 10_000


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
        text = f"a list of {len(value)} items"
    else:
        text = f"a value of type {type(value).__name__}"
    escaped = "".join(c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in text)
    return escaped if len(escaped) <= _SHOWN else escaped[: _SHOWN - 3] + "..."


def nearest(word: object, known: Iterable[str]) -> str | None:
    """Return the known word that `word` most resembles, or None."""
    if not isinstance(word, str) or not word:
        return None
    words = {name.lower(): name for name in known}
    found = get_close_matches(word[:100].lower().replace("-", "_"), words, n=1, cutoff=0.6)
    found = found or get_close_matches(word[:100].lower(), words, n=1, cutoff=0.6)
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
        return {
            "path": self.path,
            "value": self.value,
            "message": self.message,
            "allowed": self.allowed,
            "nearest": self.nearest,
        }


class ScenarioError(ValueError):
    """The input is refused; `errors` holds everything that is wrong with it, at least one."""

    def __init__(self, errors: Iterable[InputError]) -> None:
        """Keep the errors; the text of the exception has one line for each."""
        self.errors: tuple[InputError, ...] = tuple(errors)
        super().__init__("\n".join(f"{e.path}: {e.message}" if e.path else e.message for e in self.errors))


def _refused(sentence: str, allowed: str = "", close: str | None = None) -> PydanticCustomError:
    return PydanticCustomError("input", "{sentence}", {"sentence": sentence, "allowed": allowed, "nearest": close})


# Readers: what one key accepts. Each is put into `Annotated[...]` and gives validation and JSON Schema alike.


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
        name = Text("", maximum=_LONGEST_TEXT)
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
        return str(Text("", maximum=_LONGEST_TEXT).read(value)) if value.strip() else ""
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
        if not isinstance(value, Mapping) or not 0 < len(value) <= _MOST_ZONES:
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
        if not isinstance(value, Mapping) or len(value) > _MOST_BROKERS:
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


# Defaults


@dataclass(frozen=True, slots=True)
class TextDefault:
    """A default that is a word or a switch, with its source."""

    value: str | bool
    source: str
    as_of: str
    note: str


@cache
def text_defaults() -> Mapping[str, TextDefault]:
    """The defaults that are words or switches, by id."""
    with data_path("defaults_text.toml").open("rb") as file:
        return {key: TextDefault(**row) for key, row in tomllib.load(file).items()}


def _number(name: str) -> float:
    return float(constant(f"default.{name}"))


def _whole(name: str) -> int:
    return int(constant(f"default.{name}"))


def _word(name: str) -> Any:
    return text_defaults()[f"default.{name}"].value


def _listed(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


class Section(BaseModel):
    """Base of every part of a scenario. A null for a known key means that the key was not given."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    section: ClassVar[str] = ""

    @model_validator(mode="before")
    @classmethod
    def _not_given(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        return {key: value for key, value in data.items() if value is not None or key not in cls.model_fields}


# Topics


class Header(Section):
    """One record header."""

    section = "header"
    key: Annotated[str, Text("Name of the header.", maximum=_LONGEST_TEXT)]
    value_bytes: Annotated[float, Quantity("bytes", 0, 2**31, "Mean size of the header's value.")] = _number(
        "header.value_bytes"
    )


class Record(Section):
    """One record as serialised, before compression."""

    section = "record"
    key_bytes: Annotated[float | None, Quantity("bytes", 0, 2**31, "Mean size of the key; null = no key.")] = None
    value_bytes: Annotated[float, Quantity("bytes", 0, 2**31, "Mean size of the value.")] = _number(
        "record.value_bytes"
    )
    headers: Annotated[tuple[Header, ...], BeforeValidator(_listed)] = ()

    @property
    def logical_bytes(self) -> float:
        """Key, value and headers of one record [bytes]."""
        headers = sum(len(header.key.encode()) + header.value_bytes for header in self.headers)
        return (self.key_bytes or 0.0) + self.value_bytes + headers


class Compression(Section):
    """Compression of the record batches by the producer."""

    section = "compression"
    codec: Annotated[str, OneOf(("none", "gzip", "snappy", "lz4", "zstd"), "Codec of the producer.")] = _word(
        "compression.codec"
    )
    ratio: Annotated[
        float | None, Quantity("ratio", 0.9, 1000, "Logical bytes / wire bytes, measured on real batches.")
    ] = None


class Batch(Section):
    """How full a record batch is: given by `records`, or derived from `linger`, `size` and the producers."""

    section = "batch"
    records: Annotated[float | None, Quantity("count", 1, 1e7, "Mean records in a batch; null = derived.")] = None
    linger: Annotated[float, Quantity("s", 0, 86400, "linger.ms of the producer.")] = _number("batch.linger")
    size: Annotated[float, Quantity("bytes", 0, 2**31, "batch.size of the producer.")] = _number("batch.size")


class Retention(Section):
    """When records may be deleted; the first limit that is reached decides."""

    section = "retention"
    time: Annotated[float, Quantity("s_or_forever", 0.001, 1000 * YEAR, "retention.ms; forever is legal.")] = _number(
        "retention.time"
    )
    bytes_per_partition: Annotated[
        float | None, Quantity("bytes", 1, 1e18, "retention.bytes, per partition replica; null = unlimited.")
    ] = None


class Segment(Section):
    """Log segments."""

    section = "segment"
    bytes: Annotated[float, Quantity("bytes", 14, 2**31, "segment.bytes.")] = _number("segment.bytes")
    time: Annotated[float, Quantity("s", 0.001, 1000 * YEAR, "segment.ms.")] = _number("segment.time")


class Tiered(Section):
    """Tiered storage (KIP-405): what stays on the brokers."""

    section = "tiered"
    local_time: Annotated[
        float | None, Quantity("s", 0.001, 1000 * YEAR, "local.retention.ms; null = as long as retention.")
    ] = None
    local_bytes_per_partition: Annotated[
        float | None, Quantity("bytes", 1, 1e18, "local.retention.bytes; null = as much as retention.")
    ] = None


class Compaction(Section):
    """The log cleaner's settings for a compacted topic."""

    section = "compaction"
    min_dirty_ratio: Annotated[float, Quantity("fraction", 0, 1, "min.cleanable.dirty.ratio.")] = _number(
        "compaction.min_dirty_ratio"
    )
    delete_retention: Annotated[float, Quantity("s", 0, 1000 * YEAR, "delete.retention.ms.")] = _number(
        "compaction.delete_retention"
    )
    tombstone_fraction: Annotated[float, Quantity("fraction", 0, 1, "Share of the records that delete a key.")] = (
        _number("compaction.tombstone_fraction")
    )


class PartitionThroughput(Section):
    """What one partition carries, as measured; a missing side uses a dated constant."""

    section = "partition_throughput"
    produce: Annotated[float | None, Quantity("bytes_per_s", 1, 1e11, "Wire bytes/s produced to one partition.")] = None
    consume: Annotated[float | None, Quantity("bytes_per_s", 1, 1e11, "Wire bytes/s read from one partition.")] = None


class Keys(Section):
    """The keys of the records."""

    section = "keys"
    ordered: Annotated[bool, YesNo("Consumers rely on the order of the records of a key.")] = _word("keys.ordered")
    unique: Annotated[float | None, Quantity("count", 1, 1e15, "Distinct keys.")] = None
    zipf_exponent: Annotated[float, Quantity("ratio", 0, 10, "Skew of the key frequencies; 0 = all equal.")] = _number(
        "keys.zipf_exponent"
    )
    top_key_fraction: Annotated[
        float | None, Quantity("fraction", 0, 1, "Share of the records that have the most frequent key.")
    ] = None


class ConsumerGroup(Section):
    """A consumer group on one topic; the same name on several topics is one group."""

    section = "consumer"
    group: Annotated[str, Text("Name of the group.")]
    members: Annotated[int | None, Whole(1, 1_000_000, "Members now.")] = None
    max_members: Annotated[int | None, Whole(1, 1_000_000, "Members at most; null = members.")] = None
    read_fraction: Annotated[float, Quantity("ratio", 0, 1000, "Share of the records that the group reads.")] = _number(
        "consumer.read_fraction"
    )
    records_per_s_per_member: Annotated[
        float | None, Quantity("per_s", 1e-6, 1e10, "Records that one member can process.")
    ] = None
    processing_time: Annotated[float | None, Quantity("s", 1e-9, YEAR, "Time that one record takes.")] = None
    lagging_fraction: Annotated[
        float, Quantity("fraction", 0, 1, "Share of the group's reads that miss the page cache.")
    ] = _number("consumer.lagging_fraction")
    protocol: Annotated[str, OneOf(("eager", "cooperative", "consumer", "share"), "Rebalance protocol.")] = _word(
        "consumer.protocol"
    )
    static_membership: Annotated[bool, YesNo("Members have a group.instance.id.")] = _word("consumer.static_membership")
    max_poll_records: Annotated[int, Whole(1, 2**31 - 1, "max.poll.records.")] = _whole("consumer.max_poll_records")
    max_poll_interval: Annotated[float, Quantity("s", 0.001, YEAR, "max.poll.interval.ms.")] = _number(
        "consumer.max_poll_interval"
    )
    session_timeout: Annotated[float, Quantity("s", 0.001, YEAR, "session.timeout.ms.")] = _number(
        "consumer.session_timeout"
    )
    zones: Annotated[dict[str, int] | None, ZoneMembers("Members by zone name or number (from 1).")] = None


_Groups = Annotated[tuple[ConsumerGroup, ...], BeforeValidator(_listed)]


class Topic(Section):
    """One topic: its load, its records, its settings, its readers."""

    section = "topic"
    name: Annotated[str, TopicName("Name of the topic.")]
    records_per_s: Annotated[float | None, Quantity("per_s", 0, 1e10, "Average rate; or bytes_per_s.")] = None
    bytes_per_s: Annotated[
        float | None, Quantity("bytes_per_s", 0, 1e13, "Average logical rate, before compression; or records_per_s.")
    ] = None
    peak_ratio: Annotated[float, Quantity("ratio", 1, 10_000, "Peak / average.")] = _number("topic.peak_ratio")
    peak_duration: Annotated[
        float | None, Quantity("s", 0.001, 10 * YEAR, "How long a peak lasts; null = short against retention.")
    ] = None
    record: Record = Record()
    compression: Compression = Compression()
    batch: Batch = Batch()
    producers: Annotated[int, Whole(1, 10_000_000, "Producer instances that write to the topic.")] = _whole(
        "topic.producers"
    )
    replication_factor: Annotated[int, Whole(1, 1000, "Replicas of each partition.")] = _whole(
        "topic.replication_factor"
    )
    min_insync_replicas: Annotated[
        int | None, Whole(1, 1000, "min.insync.replicas; null = replication_factor - 1, at least 1.")
    ] = None
    acks: Annotated[Literal["all", "1", "0"], OneOf(("all", "1", "0"), "acks of the producers.", {"-1": "all"})] = (
        _word("topic.acks")
    )
    cleanup: Annotated[
        Literal["delete", "compact", "compact,delete"], Cleanup("cleanup.policy: delete, compact, or both.")
    ] = _word("topic.cleanup")
    retention: Retention = Retention()
    segment: Segment = Segment()
    tiered: Tiered | None = None
    compaction: Compaction = Compaction()
    partitions: Annotated[int | None, Whole(1, 1_000_000, "null = plan it; a number = check it.")] = None
    partition_throughput: PartitionThroughput | None = None
    keys: Keys | None = None
    transactions_per_s: Annotated[float, Quantity("per_s", 0, 1e9, "Transactions that write to the topic.")] = _number(
        "topic.transactions_per_s"
    )
    labels: Annotated[dict[str, str], Labels("Free names and texts.")] = {}
    consumers: _Groups = ()

    @property
    def effective_min_insync_replicas(self) -> int:
        """min.insync.replicas as given, else one below the replication factor, at least 1."""
        if self.min_insync_replicas is not None:
            return self.min_insync_replicas
        return max(1, self.replication_factor - 1)

    @property
    def compression_ratio(self) -> float:
        """Logical / wire bytes of the record section; 1 without compression."""
        return 1.0 if self.compression.ratio is None else self.compression.ratio

    @property
    def compacted(self) -> bool:
        """Whether the log cleaner works on the topic."""
        return self.cleanup != "delete"

    @property
    def deleted(self) -> bool:
        """Whether the retention limits apply."""
        return self.cleanup != "compact"


# Cluster


class Storage(Section):
    """The volumes of one broker; capacity, throughput and iops are per volume."""

    section = "storage"
    kind: Annotated[Literal["local", "network"], OneOf(("local", "network"), "Disks inside or beside the machine.")] = (
        _word("storage.kind")
    )
    volumes: Annotated[int, Whole(1, 1000, "Volumes of one broker.")] = _whole("storage.volumes")
    capacity: Annotated[float, Quantity("bytes", 1e6, 1e18, "Bytes of one volume.")]
    throughput: Annotated[
        float | None, Quantity("bytes_per_s", 1, 1e13, "Reads and writes of one volume; null = unmetered.")
    ] = None
    iops: Annotated[float | None, Quantity("per_s", 1, 1e9, "I/O operations of one volume; null = unmetered.")] = None


class BrokerSpec(Section):
    """One broker machine."""

    section = "broker"
    vcpu: Annotated[float, Quantity("count", 0.01, 10_000, "Virtual CPUs.")]
    memory: Annotated[float, Quantity("bytes", 1e6, 1e15, "Memory of the machine.")]
    network_in: Annotated[float | None, Quantity("bytes_per_s", 1, 1e13, "Received; null = unmetered.")] = None
    network_out: Annotated[float | None, Quantity("bytes_per_s", 1, 1e13, "Sent; null = unmetered.")] = None
    duplex: Annotated[Literal["full", "half"], OneOf(("full", "half"), "half = both directions share one budget.")] = (
        _word("broker.duplex")
    )
    storage_shares_network: Annotated[bool, YesNo("Storage traffic uses the network's budget.")] = _word(
        "broker.storage_shares_network"
    )
    storage: Storage
    price_per_month: Annotated[float | None, Quantity("money", 0, 1e9, "Price of one broker; null = unknown.")] = None


class Mirror(Section):
    """A copy of topics to another cluster."""

    section = "mirror"
    to: Annotated[str, Text("Where the copy goes.")]
    topics: Annotated[
        Annotated[tuple[Annotated[str, Text("Name of a topic.")], ...], BeforeValidator(_listed)] | None,
        "null = all topics",
    ] = None
    bandwidth: Annotated[float | None, Quantity("bytes_per_s", 1, 1e13, "What the link carries.")] = None


class Calibration(Section):
    """One measured point of a running cluster."""

    section = "calibration"
    wire_in_bytes_per_s: Annotated[float, Quantity("bytes_per_s", 0, 1e13, "Produced bytes, whole cluster.")]
    wire_out_bytes_per_s: Annotated[float, Quantity("bytes_per_s", 0, 1e13, "Consumed bytes, whole cluster.")]
    requests_per_s: Annotated[float, Quantity("per_s", 0, 1e10, "Requests, whole cluster.")]
    cpu_fraction: Annotated[float, Quantity("fraction", 0.0001, 1, "Mean CPU utilisation of the brokers.")]
    brokers: Annotated[int, Whole(1, _MOST_BROKERS, "Brokers at that time.")]


class Limits(Section):
    """Limits of the operating system for the broker process."""

    section = "limits"
    nofile: Annotated[int, Whole(1, 2**31, "Open file descriptors.")] = _whole("limits.nofile")
    max_map_count: Annotated[int, Whole(1, 2**31, "vm.max_map_count.")] = _whole("limits.max_map_count")


class Assignment(Section):
    """Where the replicas of a running cluster are."""

    section = "assignment"
    racks: Annotated[dict[str, str] | None, Racks("Zone of each broker id; null = one zone.")] = None
    topics: Annotated[
        dict[str, tuple[tuple[int, ...], ...]], Replicas("Per topic the replica list of each partition, leader first.")
    ]


class Cluster(Section):
    """The brokers and what surrounds them."""

    section = "cluster"
    kafka_version: Annotated[
        str,
        Text("Version of the brokers.", pattern=r"[0-9]{1,2}(\.[0-9]{1,2}){1,2}", form='a version such as "4.3"'),
    ] = _word("cluster.kafka_version")
    zones: Annotated[int, Whole(1, _MOST_ZONES, "Zones (racks) that the brokers are spread over.")] = _whole(
        "cluster.zones"
    )
    brokers: Annotated[int | None, Whole(1, _MOST_BROKERS, "null = find the least; a number = check it.")] = None
    broker: Annotated[str | BrokerSpec, NameOrSection("A name of the catalogue, or the machine written out.")] = _word(
        "cluster.broker"
    )
    tls: Annotated[bool, YesNo("Clients and brokers use TLS.")] = _word("cluster.tls")
    fetch_from_follower: Annotated[bool, YesNo("Consumers read from a replica in their zone (KIP-392).")] = _word(
        "cluster.fetch_from_follower"
    )
    replication_throttle: Annotated[
        float | None, Quantity("bytes_per_s", 1, 1e13, "Per broker; null = none, Kafka's default.")
    ] = None
    replica_fetchers: Annotated[int, Whole(1, 1000, "num.replica.fetchers.")] = _whole("cluster.replica_fetchers")
    mirror: Annotated[tuple[Mirror, ...], BeforeValidator(_listed)] = ()
    calibration: Calibration | None = None
    limits: Limits = Limits()
    brokers_placed: Assignment | None = None

    @property
    def version(self) -> tuple[int, ...]:
        """The Kafka version as numbers, for comparison."""
        return tuple(int(part) for part in self.kafka_version.split("."))


# Policy, operations, questions


def _share(resource: str) -> Any:
    return Quantity("fraction", 0.01, 1, f"Most that may be used of: {resource}.")


class Utilisation(Section):
    """How much of each resource a plan may use while all brokers are up."""

    section = "utilisation"
    cpu: Annotated[float, _share("CPU")] = _number("utilisation.cpu")
    memory: Annotated[float, _share("memory")] = _number("utilisation.memory")
    disk_volume: Annotated[float, _share("disk space")] = _number("utilisation.disk_volume")
    disk_throughput: Annotated[float, _share("disk bytes/s")] = _number("utilisation.disk_throughput")
    disk_iops: Annotated[float, _share("disk operations/s")] = _number("utilisation.disk_iops")
    network: Annotated[float, _share("network bytes/s, each direction")] = _number("utilisation.network")
    handles: Annotated[float, _share("file descriptors and memory maps")] = _number("utilisation.handles")


class DegradedUtilisation(Utilisation):
    """How much of each resource a plan may use while a failure lasts."""

    section = "utilisation_degraded"
    cpu: Annotated[float, _share("CPU")] = _number("utilisation_degraded.cpu")
    memory: Annotated[float, _share("memory")] = _number("utilisation_degraded.memory")
    disk_volume: Annotated[float, _share("disk space")] = _number("utilisation_degraded.disk_volume")
    disk_throughput: Annotated[float, _share("disk bytes/s")] = _number("utilisation_degraded.disk_throughput")
    disk_iops: Annotated[float, _share("disk operations/s")] = _number("utilisation_degraded.disk_iops")
    network: Annotated[float, _share("network bytes/s, each direction")] = _number("utilisation_degraded.network")
    handles: Annotated[float, _share("file descriptors and memory maps")] = _number("utilisation_degraded.handles")


class Survive(Section):
    """Failures that the plan must hold through."""

    section = "survive"
    brokers: Annotated[int, Whole(0, 1000, "Brokers down at once.")] = _whole("survive.brokers")
    zones: Annotated[int, Whole(0, 100, "Zones down at once.")] = _whole("survive.zones")
    after_loss: Annotated[
        Literal["replace", "re-replicate"],
        OneOf(("replace", "re-replicate"), "What happens after a loss.", {"re_replicate": "re-replicate"}),
    ] = _word("survive.after_loss")


class Policy(Section):
    """What the plan must respect."""

    section = "policy"
    utilisation: Utilisation = Utilisation()
    utilisation_degraded: DegradedUtilisation = DegradedUtilisation()
    survive: Survive = Survive()
    recovery_time_max: Annotated[float | None, Quantity("s", 1, 10 * YEAR, "Longest refill of a lost broker.")] = None
    replicas_per_broker_max: Annotated[int, Whole(1, 10_000_000, "Most partition replicas on a broker.")] = _whole(
        "policy.replicas_per_broker_max"
    )
    partition_headroom: Annotated[float, Quantity("ratio", 1, 1000, "Partitions per member at most.")] = _number(
        "policy.partition_headroom"
    )
    page_cache: Annotated[float, Quantity("s", 0, YEAR, "Seconds of writes to keep in memory.")] = _number(
        "policy.page_cache"
    )
    peak_coincidence: Annotated[float, Quantity("fraction", 0, 1, "1 = all topics peak together.")] = _number(
        "policy.peak_coincidence"
    )
    multiple_of_zones: Annotated[bool, YesNo("The broker count is a multiple of the zones.")] = _word(
        "policy.multiple_of_zones"
    )
    placement: Annotated[
        Literal["simulated", "balanced"], OneOf(("simulated", "balanced"), "Kafka's own placer, or kept even.")
    ] = _word("policy.placement")
    growth_per_year: Annotated[float, Quantity("fraction", 0, 100, "Growth of the load in a year.")] = _number(
        "policy.growth_per_year"
    )
    horizon: Annotated[float, Quantity("s", 0, 50 * YEAR, "Size for this far ahead.")] = _number("policy.horizon")
    budget_per_month: Annotated[float | None, Quantity("money", 0, 1e12, "Most that it may cost.")] = None


class Operations(Section):
    """How the clients and brokers are operated."""

    section = "operations"
    deploys_per_day: Annotated[float, Quantity("per_day", 0, 1e5, "Deployments of each group.")] = _number(
        "operations.deploys_per_day"
    )
    crashes_per_member_per_day: Annotated[float, Quantity("per_day", 0, 1e5, "Crashes of one member.")] = _number(
        "operations.crashes_per_member_per_day"
    )
    autoscale_events_per_day: Annotated[float, Quantity("per_day", 0, 1e5, "Changes of the member count.")] = _number(
        "operations.autoscale_events_per_day"
    )
    restart_time: Annotated[float, Quantity("s", 0, YEAR, "How long a restarting member is away.")] = _number(
        "operations.restart_time"
    )
    poll_overrun_fraction: Annotated[float, Quantity("fraction", 0, 1, "Polls beyond max.poll.interval.ms.")] = _number(
        "operations.poll_overrun_fraction"
    )
    broker_mtbf: Annotated[float, Quantity("s", 60, 1000 * YEAR, "Mean time between failures, one broker.")] = _number(
        "operations.broker_mtbf"
    )
    broker_mttr: Annotated[float, Quantity("s", 0, 10 * YEAR, "Mean time to repair a broker.")] = _number(
        "operations.broker_mttr"
    )
    broker_lost_fraction: Annotated[float, Quantity("fraction", 0, 1, "Failures that lose the data.")] = _number(
        "operations.broker_lost_fraction"
    )
    zone_mtbf: Annotated[float, Quantity("s", 60, 10_000 * YEAR, "Mean time between outages, one zone.")] = _number(
        "operations.zone_mtbf"
    )
    zone_mttr: Annotated[float, Quantity("s", 0, 10 * YEAR, "Mean time to repair a zone.")] = _number(
        "operations.zone_mttr"
    )
    unclean_election: Annotated[bool, YesNo("unclean.leader.election.enable.")] = _word("operations.unclean_election")


class Questions(Section):
    """Answers for the recommender; every key may be left out or "unknown"."""

    section = "questions"
    events_per_s: Annotated[float | None, Quantity("per_s", 0, 1e10, "Average; or events_per_day.")] = None
    events_per_day: Annotated[float | None, Quantity("per_day", 0, 1e15, "Average; or events_per_s.")] = None
    peak_events_per_s: Annotated[float | None, Quantity("per_s", 0, 1e10, "At the peak.")] = None
    bytes_per_s: Annotated[float | None, Quantity("bytes_per_s", 0, 1e13, "Average; or message_bytes.")] = None
    message_bytes: Annotated[float | None, Quantity("bytes", 0, 2**31, "Mean size of a message.")] = None
    consumer_groups: Annotated[int | None, Whole(0, 1_000_000, "Independent readers of the same data.")] = None
    replay: Annotated[bool | None, YesNo("Consumed data is read again.")] = None
    retention: Annotated[float | None, Quantity("s_or_forever", 0, 1000 * YEAR, "How long data is kept.")] = None
    ordering: Annotated[
        Literal["none", "per_key", "global"] | None, OneOf(("none", "per_key", "global"), "Order that is needed.")
    ] = None
    work: Annotated[
        tuple[str, ...] | None,
        ManyOf(("queue", "events", "stateful", "ingest", "state"), "One or a list: what the messages are."),
    ] = None
    exactly_once: Annotated[
        Literal["no", "kafka_to_kafka", "with_database"] | None,
        OneOf(("no", "kafka_to_kafka", "with_database"), "Exactly-once processing."),
    ] = None
    atomic_with_database: Annotated[bool | None, YesNo("Enqueue in the transaction of a business write.")] = None
    per_message_ack: Annotated[bool | None, YesNo("Retry and dead-letter single messages.")] = None
    delay: Annotated[bool | None, YesNo("Messages are delivered later.")] = None
    priority: Annotated[bool | None, YesNo("Some messages go first.")] = None
    routing: Annotated[
        tuple[str, ...] | None, ManyOf(("none", "filter", "complex", "push"), "One or a list: routing that is needed.")
    ] = None
    queues: Annotated[int | None, Whole(0, 100_000_000, "Separate queues or tenants.")] = None
    backlog: Annotated[float | None, Quantity("count", 0, 1e15, "Records that may pile up.")] = None
    workers_exceed_partitions: Annotated[bool | None, YesNo("Many slow workers.")] = None
    latency_p99: Annotated[float | None, Quantity("s", 1e-6, YEAR, "Latency that is needed.")] = None
    protocols: Annotated[
        tuple[str, ...] | None, ManyOf(("kafka", "amqp", "jms", "mqtt", "http"), "Protocols of the clients.")
    ] = None
    ecosystem: Annotated[
        tuple[str, ...] | None,
        ManyOf(("connectors", "cdc", "flink", "kafka_streams", "lake"), "What it must work with."),
    ] = None
    cloud: Annotated[
        Literal["aws", "gcp", "azure", "multi", "on_premises"] | None,
        OneOf(("aws", "gcp", "azure", "multi", "on_premises"), "Where it runs."),
    ] = None
    multi_region: Annotated[
        Literal["no", "yes", "active_active"] | None, OneOf(("no", "yes", "active_active"), "Several regions.")
    ] = None
    cross_team: Annotated[bool | None, YesNo("Several teams share the data.")] = None
    engineers: Annotated[float | None, Quantity("count", 0, 1e5, "Who can run it; 0 = nobody.")] = None
    managed_only: Annotated[bool | None, YesNo("Only managed services.")] = None
    existing: Annotated[tuple[str, ...] | None, ManyOf((), "Products that already run well.")] = None
    leaving: Annotated[tuple[str, ...] | None, ManyOf((), "Products that run and are the trouble.")] = None
    bursty: Annotated[bool | None, YesNo("Idle most of the time.")] = None
    growth_per_year: Annotated[float | None, Quantity("fraction", 0, 100, "Growth of the load in a year.")] = None
    budget_per_month: Annotated[float | None, Quantity("money", 0, 1e12, "Most that it may cost.")] = None
    hourly_rate: Annotated[float | None, Quantity("money", 0, 1e6, "Cost of an engineer's hour.")] = None

    @model_validator(mode="before")
    @classmethod
    def _unknown(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        return {
            key: value
            for key, value in data.items()
            if key not in cls.model_fields or not (isinstance(value, str) and value.strip().lower() == "unknown")
        }


class Head(Section):
    """The scalar keys of a scenario."""

    version: Annotated[int, Whole(1, 1, "Version of this format.")] = 1
    name: Annotated[str, Text("What the scenario is called.")] = "scenario"


class Scenario(Head):
    """Everything that a plan or a recommendation is computed from."""

    topics: Annotated[tuple[Topic, ...], BeforeValidator(_listed)] = ()
    cluster: Cluster = Cluster()
    policy: Policy = Policy()
    operations: Operations = Operations()
    questions: Questions = Questions()

    @model_validator(mode="after")
    def _consistent(self) -> Scenario:
        names = [topic.name for topic in self.topics]
        errors = tuple(contradictions(names, dict(enumerate(self.topics)), self.cluster, self.questions))
        if errors:
            raise ScenarioError(errors)
        return self


# Contradictions. Each rule yields errors whose path is relative to its section.


def labels_of(names: Sequence[object]) -> list[str]:
    """How paths call the items of a list: by name where it is printable and unique, else by index."""
    counts = Counter(name for name in names if isinstance(name, str))
    return [name if _usable(name) and counts[name] == 1 else str(index) for index, name in enumerate(names)]


def _usable(name: object) -> TypeGuard[str]:
    """Whether a path can hold the name and still be read."""
    if not isinstance(name, str) or not 0 < len(name) <= _LONGEST_NAME:
        return False
    return name.isprintable() and any(letter.isalnum() for letter in name)


def _rate_rules(topic: Topic) -> Iterator[InputError]:
    one = "exactly one of records_per_s and bytes_per_s"
    if topic.records_per_s is None and topic.bytes_per_s is None:
        yield InputError("records_per_s", None, "The topic has no rate; give records_per_s or bytes_per_s.", one)
    elif topic.records_per_s is not None and topic.bytes_per_s is not None:
        message = "The topic has two rates, records_per_s and bytes_per_s; give one."
        yield InputError("bytes_per_s", float(topic.bytes_per_s), message, one)
    elif topic.bytes_per_s and topic.bytes_per_s > 1e10 * topic.record.logical_bytes:
        message = f"Records of {topic.record.logical_bytes:g} bytes at this rate are more than 1e10 records per second."
        yield InputError("bytes_per_s", float(topic.bytes_per_s), message, "at most 1e10 records per second")
    if topic.records_per_s is not None and topic.transactions_per_s > topic.records_per_s:
        message = f"Each transaction writes at least one record, but records_per_s is {topic.records_per_s:g}."
        yield InputError("transactions_per_s", float(topic.transactions_per_s), message, "at most records_per_s")
    if topic.transactions_per_s > 0 and topic.acks != "all":
        yield InputError("acks", topic.acks, "Transactions need acks: all.", "all")


def _wire_rules(topic: Topic) -> Iterator[InputError]:
    codec, ratio = topic.compression.codec, topic.compression.ratio
    if codec != "none" and ratio is None:
        seen = constants()[f"measured.compression_ratio.{codec}"]
        message = (
            f"{codec} needs a ratio, measured on your own batches: on JSON log lines it was {seen.low:g} (one 500 B "
            f"record a batch) to {seen.high:g} (1000 records of 1 KiB), on random bytes 1."
        )
        allowed = f"logical bytes / wire bytes; measured {seen.low:g} to {seen.high:g} for {codec} on JSON log lines"
        yield InputError("compression.ratio", None, message, allowed)
    if codec == "none" and ratio is not None and ratio != 1:
        given = "codec" in topic.compression.model_fields_set
        message = "codec none cannot have a ratio." if given else "A ratio needs the codec that it was measured with."
        yield InputError("compression.codec", "none" if given else None, message, "gzip, snappy, lz4, zstd")
    derived = topic.batch.model_fields_set & {"linger", "size"}
    if topic.batch.records is not None and derived:
        message = "The batch is given by records, or derived from linger and size; give one of the two."
        yield InputError("batch.records", float(topic.batch.records), message, "records, or linger and size")


def _replication_rules(topic: Topic, cluster: Cluster | None) -> Iterator[InputError]:
    factor, least = topic.replication_factor, topic.min_insync_replicas
    if least is not None and least > factor:
        message = f"min_insync_replicas is above the replication factor, {factor}."
        yield InputError("min_insync_replicas", least, message, f"1 to {factor}")
    if cluster is not None and cluster.brokers is not None and factor > cluster.brokers:
        message = f"The replication factor is above the number of brokers, {cluster.brokers}."
        yield InputError("replication_factor", factor, message, f"1 to {cluster.brokers}")
    if cluster is not None and cluster.version >= (4, 0) and topic.segment.bytes < 2**20:
        message = f"Kafka {cluster.kafka_version} refuses segments below 1 MiB."
        yield InputError("segment.bytes", float(topic.segment.bytes), message, "1 MiB to 2 GiB")


def _cleanup_rules(topic: Topic) -> Iterator[InputError]:
    if topic.compacted:
        if topic.record.key_bytes is None:
            yield InputError("record.key_bytes", None, "A compacted topic needs records with a key.", "a size in bytes")
        if topic.keys is None or topic.keys.unique is None:
            message = "A compacted topic keeps one record per key, so the number of keys is needed."
            yield InputError("keys.unique", None, message, "a count")
        if topic.tiered is not None:
            yield InputError("tiered", None, "Kafka does not tier compacted topics.", "null, or cleanup: delete")
    elif topic.compaction.model_fields_set & {"tombstone_fraction"} and topic.compaction.tombstone_fraction > 0:
        value = float(topic.compaction.tombstone_fraction)
        yield InputError("compaction.tombstone_fraction", value, "Only a compacted topic has tombstones.", "0")
    if topic.tiered is None:
        return
    local, kept = topic.tiered.local_time, topic.retention.time
    if local is not None and local > kept:
        message = f"The local part cannot be kept longer than the topic, {kept:g} s."
        yield InputError("tiered.local_time", float(local), message, "at most retention.time")
    local, limit = topic.tiered.local_bytes_per_partition, topic.retention.bytes_per_partition
    if local is not None and limit is not None and local > limit:
        message = f"The local part cannot be larger than the topic's retention, {limit:g} bytes per partition."
        yield InputError("tiered.local_bytes_per_partition", float(local), message, "at most bytes_per_partition")


def _key_rules(topic: Topic) -> Iterator[InputError]:
    keys = topic.keys
    if keys is None:
        return
    if keys.ordered and topic.record.key_bytes is None:
        said = "ordered" in keys.model_fields_set
        message = f"{'Order per key needs a key' if said else 'The topic has keys'}, but record.key_bytes is not given."
        allowed = "a size in bytes, or keys.ordered: no"
        yield InputError(
            "keys.ordered" if said else "record.key_bytes", keys.ordered if said else None, message, allowed
        )
    if keys.top_key_fraction is not None and keys.unique is not None:
        least = 1 / keys.unique
        if keys.top_key_fraction < least * (1 - 1e-9):
            message = f"The most frequent of {keys.unique:g} keys has at least 1/{keys.unique:g} of the records."
            value = float(keys.top_key_fraction)
            yield InputError("keys.top_key_fraction", value, message, f"from {least:g} to 1")


def _group_rules(group: ConsumerGroup, cluster: Cluster | None) -> Iterator[InputError]:
    if group.members is not None and group.max_members is not None and group.members > group.max_members:
        yield InputError(
            "members", group.members, f"members is above max_members, {group.max_members}.", f"1 to {group.max_members}"
        )
    if group.zones is None:
        return
    placed = sum(group.zones.values())
    if group.members is not None and placed != group.members:
        message = f"The zones hold {placed} members, but members is {group.members}."
        yield InputError("zones", None, message, f"{group.members} members in all")
    if cluster is None:
        return
    if len(group.zones) > cluster.zones:
        message = f"{len(group.zones)} zones are named, but the cluster has {cluster.zones}."
        yield InputError("zones", None, message, f"at most {cluster.zones} zones")
    for zone in group.zones:
        if zone.isdecimal() and not 1 <= int(zone) <= cluster.zones:
            message = f"There is no zone {zone}; zone numbers count from 1."
            yield InputError(f"zones.{zone}", zone, message, f"1 to {cluster.zones}, or a name")


def topic_contradictions(topic: Topic, cluster: Cluster | None = None) -> Iterator[InputError]:
    """Yield what contradicts itself within one topic, and with the cluster when it is known."""
    yield from _rate_rules(topic)
    yield from _wire_rules(topic)
    yield from _replication_rules(topic, cluster)
    yield from _cleanup_rules(topic)
    yield from _key_rules(topic)
    labels = labels_of([group.group for group in topic.consumers])
    seen: set[str] = set()
    for label, group in zip(labels, topic.consumers, strict=True):
        if group.group in seen:
            message = f"The group {group.group} is listed twice on this topic."
            yield InputError(f"consumers.{label}.group", group.group, message, "each group once per topic")
        seen.add(group.group)
        for error in _group_rules(group, cluster):
            yield _under(f"consumers.{label}", error)


def _under(prefix: str, error: InputError) -> InputError:
    return InputError(f"{prefix}.{error.path}", error.value, error.message, error.allowed, error.nearest)


def _name_rules(names: Sequence[object]) -> Iterator[InputError]:
    """Names must differ, also after Kafka's metrics turned dots into underscores (Kafka refuses such a pair)."""
    first: dict[str, int] = {}
    for index, name in enumerate(names):
        if not isinstance(name, str):
            continue
        earlier = first.setdefault(name.replace(".", "_"), index)
        if earlier == index:
            continue
        other = names[earlier]
        message = f"There are two topics called {shorten(name)}."
        if other != name:
            message = (
                f"Kafka refuses {shorten(name)} beside {shorten(other)}: dot and underscore are the same in metrics."
            )
        yield InputError(f"topics.{index}.name", shorten(name), message, "a name that no other topic has")


def _protocol_rules(topics: Mapping[int, Topic], labels: Sequence[str]) -> Iterator[InputError]:
    first: dict[str, tuple[str, str]] = {}
    for index, topic in topics.items():
        for label, group in zip(labels_of([g.group for g in topic.consumers]), topic.consumers, strict=True):
            protocol, where = first.setdefault(group.group, (group.protocol, labels[index]))
            if protocol != group.protocol:
                message = (
                    f"The group {group.group} uses protocol {protocol} on topic {where}; one group has one protocol."
                )
                path = f"topics.{labels[index]}.consumers.{label}.protocol"
                yield InputError(path, group.protocol, message, protocol)


def _cluster_rules(names: Sequence[object], topics: Mapping[int, Topic], cluster: Cluster) -> Iterator[InputError]:
    known = [name for name in names if isinstance(name, str)]
    lookup = set(known)
    for index, mirror in enumerate(cluster.mirror):
        for position, name in enumerate(mirror.topics or ()):
            if name not in lookup:
                path = f"mirror.{index}.topics.{position}"
                message = "The mirror names a topic that the scenario does not have."
                yield InputError(path, shorten(name), message, "a topic of the scenario", nearest(name, known[:1000]))
    placed = cluster.brokers_placed
    if placed is None:
        return
    if placed.racks is not None and cluster.brokers is not None and len(placed.racks) != cluster.brokers:
        message = f"The assignment has {len(placed.racks)} brokers, but cluster.brokers is {cluster.brokers}."
        yield InputError("brokers", cluster.brokers, message, str(len(placed.racks)))
    by_name = {topic.name: topic for topic in topics.values()}
    for name, lists in placed.topics.items():
        if name not in lookup:
            message = "The assignment names a topic that the scenario does not have."
            yield InputError(
                f"brokers_placed.topics.{name}",
                shorten(name),
                message,
                "a topic of the scenario",
                nearest(name, known[:1000]),
            )
        elif name in by_name:
            yield from _placed_rules(by_name[name], lists, placed)


def _placed_rules(topic: Topic, lists: Sequence[Sequence[int]], placed: Assignment) -> Iterator[InputError]:
    path = f"brokers_placed.topics.{topic.name}"
    if topic.partitions is not None and topic.partitions != len(lists):
        message = f"The assignment has {len(lists)} partitions, but the topic says {topic.partitions}."
        yield InputError(path, len(lists), message, f"{topic.partitions} replica lists")
    for index, replicas in enumerate(lists):
        if len(set(replicas)) != len(replicas):
            yield InputError(path, index, f"Partition {index} has two replicas on one broker.", "distinct brokers")
        elif len(replicas) != topic.replication_factor:
            message = f"Partition {index} has {len(replicas)} replicas; the topic has {topic.replication_factor}."
            yield InputError(path, index, message, f"{topic.replication_factor} replicas")
        elif placed.racks is not None and not all(str(broker) in placed.racks for broker in replicas):
            yield InputError(path, index, f"Partition {index} names a broker that has no rack.", "brokers of racks")
        else:
            continue
        return  # the first bad partition tells enough


def _question_rules(questions: Questions) -> Iterator[InputError]:
    q = questions
    if q.events_per_s is not None and q.events_per_day is not None:
        message = "There are two rates, events_per_s and events_per_day; give one."
        yield InputError("events_per_day", float(q.events_per_day), message, "events_per_s or events_per_day")
    average = q.events_per_s if q.events_per_s is not None else None
    if average is None and q.events_per_day is not None:
        average = q.events_per_day / 86400
    if average is not None and q.bytes_per_s is not None and q.message_bytes is not None:
        message = "Events and message_bytes already give the bytes; leave bytes_per_s out."
        yield InputError("bytes_per_s", float(q.bytes_per_s), message, "bytes_per_s or message_bytes")
    if average is not None and q.peak_events_per_s is not None and q.peak_events_per_s < average:
        message = f"The peak is below the average, {average:g} per second."
        yield InputError("peak_events_per_s", float(q.peak_events_per_s), message, "at least the average")
    for product in sorted(set(q.existing or ()) & set(q.leaving or ())):
        message = f"{product} cannot run well (existing) and be the trouble (leaving)."
        yield InputError("leaving", product, message, "each product in one of the two lists")


def contradictions(
    names: Sequence[object], topics: Mapping[int, Topic], cluster: Cluster | None, questions: Questions | None
) -> Iterator[InputError]:
    """Yield everything that the parts contradict; parts that are invalid by themselves are left out by the caller.

    `names` holds the name of every topic as given, valid or not; `topics` the valid ones by position.
    """
    if not names and questions is not None and not questions.model_fields_set:
        yield InputError("topics", None, "There are no topics and no questions; give at least one.", "a list of topics")
    yield from _name_rules(names)
    labels = labels_of(names)
    for index, topic in topics.items():
        for error in topic_contradictions(topic, cluster):
            yield _under(f"topics.{labels[index]}", error)
    yield from _protocol_rules(topics, labels)
    if cluster is not None:
        for error in _cluster_rules(names, topics, cluster):
            yield _under("cluster", error)
    if questions is not None:
        for error in _question_rules(questions):
            yield _under("questions", error)


# What the models look like from outside, for paths, dumps and lists of defaults


@dataclass(frozen=True, slots=True)
class Shape:
    """What stands under a key: a value, a section, a list of sections, or a mapping with free keys."""

    kind: Literal["value", "section", "list", "map"]
    section: type[Section] | None = None
    quantity: Quantity | None = None


@cache
def shape_of(section: type[Section], name: str) -> Shape:
    """The shape of one key of a section."""
    info = section.model_fields[name]
    found = _sections_in(info.annotation)
    if found:
        return Shape("list" if _holds_tuple(info.annotation) else "section", found[0])
    readers = [item for item in info.metadata if isinstance(item, Reader)]
    if readers and isinstance(readers[0], Labels | ZoneMembers | Racks | Replicas):
        return Shape("map")
    return Shape("value", None, readers[0] if readers and isinstance(readers[0], Quantity) else None)


def _sections_in(annotation: Any) -> list[type[Section]]:
    if isinstance(annotation, type) and not get_args(annotation):
        return [annotation] if issubclass(annotation, Section) else []
    return [section for arg in get_args(annotation) for section in _sections_in(arg)]


def _holds_tuple(annotation: Any) -> bool:
    return get_origin(annotation) is tuple or any(_holds_tuple(arg) for arg in get_args(annotation))


@dataclass(frozen=True, slots=True)
class DefaultUsed:
    """A default that was applied because a key was not given."""

    path: str
    value: float | str | bool
    unit: str
    low: float | None
    high: float | None
    source: str
    as_of: str


def defaults_used(scenario: Scenario) -> list[DefaultUsed]:
    """Return the defaults that were applied, one row each; topics and groups share a row (`topics.*.peak_ratio`)."""
    paths: dict[str, str] = {}
    _visit(scenario, "", paths, set())
    return [_row(path, name) for path, name in paths.items()]


@cache
def _defaults_of(kind: type[Section]) -> tuple[tuple[str, str | None, bool], ...]:
    """Every key of a section: its name, the id of its default if it has one, whether sections are below it."""
    names = ((name, f"default.{kind.section}.{name}") for name in kind.model_fields)
    return tuple(
        (name, default if default in constants() or default in text_defaults() else None, bool(shape.section))
        for name, default in names
        for shape in (shape_of(kind, name),)
    )


def _visit(model: Section, prefix: str, paths: dict[str, str], seen: set[tuple[Any, ...]]) -> None:
    # Thousands of topics have few combinations of given keys, and share the sections that were not given.
    same = (prefix, type(model), frozenset(model.model_fields_set))
    for name, default, nested in _defaults_of(type(model)):
        if default and same not in seen and name not in model.model_fields_set and not _without_effect(model, name):
            paths.setdefault(f"{prefix}{name}", default)
        value = getattr(model, name) if nested else None
        if not value or _without_effect(model, name):
            continue
        for item in value if isinstance(value, tuple) else (value,):
            below = f"{prefix}{name}.*." if isinstance(value, tuple) else f"{prefix}{name}."
            shared = (below, id(item), name in model.model_fields_set)
            if isinstance(item, Section) and shared not in seen:
                _visit(item, below, paths, seen)
                if name not in model.model_fields_set:
                    seen.add(shared)
    seen.add(same)


def _without_effect(model: Section, name: str) -> bool:
    """Whether other keys make this one irrelevant, so that its default shapes nothing."""
    if isinstance(model, Topic):
        return (name == "compaction" and not model.compacted) or (name == "retention" and not model.deleted)
    if isinstance(model, Batch):
        return model.records is not None and name in ("linger", "size")
    return False


def _row(path: str, name: str) -> DefaultUsed:
    if name in constants():
        c = constants()[name]
        return DefaultUsed(path, c.value, c.unit, c.low, c.high, c.source, c.as_of)
    t = text_defaults()[name]
    return DefaultUsed(path, t.value, "", None, None, t.source, t.as_of)
