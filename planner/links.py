"""Scenario <-> the query of a link: short, readable, versioned, and read strictly.

A link names a worked example, or holds a whole scenario compressed, and then only what differs: changes as the command
line writes them, with the first key of the path shortened, and a factor on the load. `?v=1&p=ecommerce&c.brokers=9` is
the worked example with nine brokers. Whatever is unknown or wrong is named, and the rest is kept.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from planner import codec
from planner.fields import InputError, ScenarioError, nearest, refusal, shorten
from planner.scenario import Scenario
from planner.validation import capped

VERSION: Final = "1"
LONGEST: Final = 8_000  # characters of a query that mail, chats and proxies carry; longer ones need a file
MAX_LINK: Final = 200_000  # characters that are read at all
MAX_TEXT: Final = 1_000_000  # bytes that a compressed scenario may become
MAX_CHANGES: Final = 200
_SLOW: Final = 20_000  # characters of a scenario that is not read again for every change
_MOST_FACTOR: Final = 1e4  # bounds of the factor on the load, as in the app
_LEAST_FACTOR: Final = 1e-3
_SECTIONS: Final = {"t": "topics", "c": "cluster", "y": "policy", "o": "operations", "q": "questions"}
_SHORT: Final = {section: letter for letter, section in _SECTIONS.items()}
_OWN: Final = ("v", "p", "h", "z", "x")  # version, preset, its digest, compressed scenario, factor


@dataclass(frozen=True, slots=True)
class Choice:
    """What a link stands for: a worked example or a text, changes to it by path, and a factor on its load."""

    preset: str | None
    text: str
    changes: Mapping[str, str] = field(default_factory=dict)
    factor: float = 1.0


@dataclass(frozen=True, slots=True)
class Opened:
    """A link that was read: the choice, what of it was not taken, and whether the worked example is another by now."""

    choice: Choice
    errors: tuple[InputError, ...]
    preset_changed: bool = False


# Writing


def to_query(choice: Choice) -> dict[str, str]:
    """The query of a link, key by key; `too_long` says whether a link can carry it.

    Parameters
    ----------
    choice
        With the name of a worked example, or with the text of a scenario of one's own.

    Returns
    -------
    dict
        Keys and values, not yet escaped for an address.

    Examples
    --------
    >>> query = to_query(Choice("ecommerce", "", {"cluster.brokers": "9"}, 2.0))
    >>> query["p"], query["c.brokers"], query["x"]
    ('ecommerce', '9', '2')
    """
    query = {"v": VERSION}
    if choice.preset is None:
        query["z"] = _packed(choice.text)
    else:
        query |= {"p": choice.preset, "h": _digest(choice.preset)}
    if choice.factor != 1:
        query["x"] = repr(choice.factor).removesuffix(".0")
    return query | {_shortened(path): value for path, value in choice.changes.items()}


def query_of(scenario: Scenario) -> dict[str, str]:
    """The query of a link to a scenario, whole; a worked example goes by its name."""
    for preset in codec.presets():
        if codec.load(f"preset:{preset.name}") == scenario:
            return to_query(Choice(preset.name, ""))
    return to_query(Choice(None, codec.dump(scenario)))


def too_long(query: Mapping[str, str]) -> bool:
    """Whether the link would be cut off on its way, so that a file has to carry the scenario."""
    return sum(len(key) + len(value) + 2 for key, value in query.items()) > LONGEST


def _shortened(path: str) -> str:
    first, dot, rest = path.partition(".")
    return f"{_SHORT[first]}.{rest}" if dot and first in _SHORT else path


def _packed(text: str) -> str:
    return base64.urlsafe_b64encode(zlib.compress(text.encode(), 9)).decode().rstrip("=")


def _digest(name: str) -> str:
    """A few characters that change when the worked example does."""
    text = codec.dump(codec.load(f"preset:{name}"))
    return hashlib.sha256(text.encode()).hexdigest()[:6]


# Reading


def from_query(query: Mapping[str, str]) -> Opened:
    """Read the query of a link.

    Parameters
    ----------
    query
        Keys and values, as anybody may have written them.

    Returns
    -------
    Opened
        What could be taken, and an error for each part that could not.

    Raises
    ------
    ScenarioError
        When nothing can be taken: another version, no scenario that can be read, or too much of it.

    Examples
    --------
    >>> opened = from_query({"v": "1", "p": "ecommerce", "c.brokers": "16", "c.brokrs": "9"})
    >>> dict(opened.choice.changes), [error.path for error in opened.errors]
    ({'cluster.brokers': '16'}, ['cluster.brokrs'])
    """
    if sum(len(key) + len(value) for key, value in query.items()) > MAX_LINK:
        raise refusal("The link is too long.", allowed=f"at most {MAX_LINK} characters")
    if query.get("v") != VERSION:
        raise refusal("The link is of another version.", "v", shorten(query.get("v")), VERSION)
    preset, text = _base(query)
    errors: list[InputError] = []
    factor = _factor(query.get("x"), errors)
    wanted = {_lengthened(key): value for key, value in query.items() if key not in _OWN}
    if len(wanted) > MAX_CHANGES:
        raise refusal("The link changes too much.", value=len(wanted), allowed=f"at most {MAX_CHANGES} changes")
    changes = _taken(text, wanted, errors)
    changed = preset is not None and query.get("h", _digest(preset)) != _digest(preset)
    return Opened(Choice(preset, text, changes, factor), tuple(capped(errors)), changed)


def _base(query: Mapping[str, str]) -> tuple[str | None, str]:
    if "z" in query:
        text = _unpacked(query["z"])
        return None, codec.dump(codec.load(text if "\n" in text else f"{text}\n"))
    known = [preset.name for preset in codec.presets()]
    name = query.get("p", "")
    if name not in known:
        close = nearest(name, known)
        raise refusal("There is no worked example of that name.", "p", shorten(name), ", ".join(known), close)
    return name, codec.dump(codec.load(f"preset:{name}"))


def _unpacked(packed: str) -> str:
    wrong = refusal("The scenario in the link cannot be read; it may have been cut off.", "z")
    try:
        data = base64.b64decode(packed + "=" * (-len(packed) % 4), altchars=b"-_", validate=True)
        reader = zlib.decompressobj()
        text = reader.decompress(data, MAX_TEXT + 1)
        if len(text) > MAX_TEXT:
            raise refusal("The scenario in the link is too large.", "z", allowed=f"at most {MAX_TEXT // 10**6} MB")
        if not reader.eof or reader.unused_data:
            raise wrong
        return text.decode()
    except (ValueError, binascii.Error, zlib.error) as error:
        raise (error if isinstance(error, ScenarioError) else wrong) from None


def _lengthened(key: str) -> str:
    first, dot, rest = key.partition(".")
    return f"{_SECTIONS[first]}.{rest}" if dot and first in _SECTIONS else key


def _factor(text: str | None, errors: list[InputError]) -> float:
    if text is None:
        return 1.0
    try:
        factor = float(text)
    except ValueError:
        factor = math.nan
    if _LEAST_FACTOR <= factor <= _MOST_FACTOR:
        return factor
    allowed = f"{_LEAST_FACTOR:g} to {_MOST_FACTOR:g}"
    errors.append(InputError("x", shorten(text), "The factor on the load is a number.", allowed))
    return 1.0


def _taken(text: str, wanted: Mapping[str, str], errors: list[InputError]) -> dict[str, str]:
    """The changes that hold: all together, or else one after the other; of a long text, those that no error names."""
    wrong = _refused(text, wanted)
    if not wrong:
        return dict(wanted)
    if len(text) > _SLOW:
        errors.extend(wrong)
        named = {error.path for error in wrong}
        rest = {path: value for path, value in wanted.items() if path not in named}
        return {} if _refused(text, rest) else rest
    taken: dict[str, str] = {}
    for path, value in wanted.items():
        found = _refused(text, {**taken, path: value})
        errors.extend(found)
        if not found:
            taken[path] = value
    return taken


def _refused(text: str, changes: Mapping[str, str]) -> list[InputError]:
    try:
        codec.load(text, [f"{path}={value}" for path, value in changes.items()])
    except ScenarioError as error:
        return list(error.errors)
    return []
