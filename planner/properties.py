"""Java .properties files: read strictly, in capped size, and without the secrets that they hold.

The syntax is that of `java.util.Properties.load` for a reader. Stricter than Java: a key twice, a broken unicode escape
and a control character are refused, because each of them means that the file does not say what its author thinks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from planner.fields import InputError, ScenarioError, refusal, shorten

MAX_BYTES = 1_000_000  # a complete server.properties is 15 kB
MAX_KEYS = 10_000
_BLANKS = " \t\f"
_ESCAPES = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}
_UNICODE = re.compile(r"[0-9a-fA-F]{4}")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")
# what a value may not be kept of: the key says it, as Kafka's own log redaction does
_SECRET = re.compile(r"password|passwd|secret|jaas|token|credential|keystore\.key|certificate|private", re.IGNORECASE)


def is_secret(key: str) -> bool:
    """Whether the value of this key is never read into a result."""
    return bool(_SECRET.search(key))


def read_properties(path: Path, kind: str, *, with_secrets: bool = False) -> dict[str, str]:
    """Return the pairs of a file; `kind` names the option in an error.

    Secrets come as an empty text, but for whoever must log in with them.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a file name"
        raise refusal(f"The file cannot be read: {reason}.", kind, str(path), "a readable .properties file") from None
    if len(data) > MAX_BYTES:
        raise refusal("The file is too large.", kind, str(path), f"at most {MAX_BYTES} bytes")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")  # the encoding of .properties files before Java 9
    return parse_properties(text, kind, with_secrets=with_secrets)


def parse_properties(text: str, kind: str = "properties", *, with_secrets: bool = False) -> dict[str, str]:
    """Return the pairs of a text; all that is wrong with it is told at once."""
    found: dict[str, str] = {}
    errors: list[InputError] = []
    for number, line in _logical_lines(text):
        place = f"{kind} line {number}"
        if len(found) >= MAX_KEYS:
            errors.append(InputError(place, None, "There are too many keys.", f"at most {MAX_KEYS}"))
            break
        raw_key, raw_value = _split(line)
        key, value = _unescaped(raw_key), _unescaped(raw_value)
        if key is None or value is None:
            errors.append(InputError(place, None, "A \\u escape is broken.", "\\u and four hexadecimal digits"))
        elif not key or _CONTROL.search(key + value):
            errors.append(InputError(place, None, "A key is empty, or a control character stands in the line.", "text"))
        elif key in found:
            errors.append(InputError(place, shorten(key), "The key is there twice.", "each key once"))
        else:
            found[key] = "" if is_secret(key) and not with_secrets else value
    if errors:
        raise ScenarioError(errors)
    return found


def of_mapping(given: Mapping[str, object], kind: str) -> dict[str, str]:
    """The same for pairs that were given as a mapping."""
    errors = [
        InputError(f"{kind}.{shorten(key)}", None, "A property is a text, a number or a switch.", "key: value")
        for key, value in given.items()
        if not isinstance(value, str | int | float)
    ]
    if errors:
        raise ScenarioError(errors)
    return {key: "" if is_secret(key) else _plain(value) for key, value in given.items()}


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines with their number; comments and empty lines left out, continued lines joined."""
    lines = re.split(r"\r\n|\r|\n", text)
    position = 0
    while position < len(lines):
        start = position + 1
        line = lines[position].lstrip(_BLANKS)
        position += 1
        if not line or line[0] in "#!":
            continue
        parts = [line]
        while _continues(parts[-1]) and position < len(lines):
            parts[-1] = parts[-1][:-1]
            parts.append(lines[position].lstrip(_BLANKS))
            position += 1
        if _continues(parts[-1]):
            parts[-1] = parts[-1][:-1]  # a backslash at the end of the file continues into nothing
        if joined := "".join(parts):
            yield start, joined


def _continues(line: str) -> bool:
    return (len(line) - len(line.rstrip("\\"))) % 2 == 1


def _split(line: str) -> tuple[str, str]:
    """Key and value of a line, still escaped: the first =, : or blank that is not escaped ends the key."""
    end = 0
    while end < len(line) and line[end] not in f"=:{_BLANKS}":
        end += 2 if line[end] == "\\" else 1
    rest = line[end:].lstrip(_BLANKS)
    if rest[:1] in ("=", ":"):
        rest = rest[1:].lstrip(_BLANKS)
    return line[:end], rest


def _unescaped(text: str) -> str | None:
    if "\\" not in text:
        return text
    out = []
    position = 0
    while position < len(text):
        char = text[position]
        position += 1
        if char != "\\" or position == len(text):
            out.append("" if char == "\\" else char)
            continue
        escaped = text[position]
        position += 1
        if escaped == "u":
            digits = text[position : position + 4]
            if not _UNICODE.fullmatch(digits):
                return None
            out.append(chr(int(digits, 16)))
            position += 4
        else:
            out.append(_ESCAPES.get(escaped, escaped))
    return "".join(out)
