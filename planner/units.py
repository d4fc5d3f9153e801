"""Quantities as people write them ("10 MiB/s", "7d", "12k/s") to floats in base units, and back.

The only place that knows 1000 from 1024 and bits from bytes. What can be read in two ways is refused with a suggestion,
never guessed:

* `5 mb`, `1Gb` and `10 mbps` may mean bytes or bits. `b` is a bit only in a rate and after a capital prefix (`10 Gb/s`,
  `10 Gbps`); `bit` always is. `KB` and `kB` are 1000 bytes. `64Gi` is GiB as in Kubernetes; `64G` is refused: it is
  decimal to Kubernetes and binary to a Java heap.
* `1,000` is a thousand or one, depending on the country, so commas are refused; groups are `1 000` or `1_000`.
* `5M` as a duration may be minutes or months. `m` is minutes, a year is 365 days, months are refused.

Arithmetic is exact and rounded once, so `0.3 GB` is the float nearest to 300 000 000, never a neighbour of it.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator, Sequence
from fractions import Fraction
from numbers import Real

_LONGEST = 64  # characters; no honest quantity needs more
_DAY = 86400
_DECIMAL = {"": 1} | {letter: 1000**power for power, letter in enumerate("kMGTPE", 1)}
_BINARY = {"": 1} | {f"{letter}i": 1024**power for power, letter in enumerate("KMGTPE", 1)}
_SCALE = _DECIMAL | _BINARY | {"K": 1000, "ki": 1024}
_SECONDS = {
    "y": Fraction(365 * _DAY),
    "w": Fraction(7 * _DAY),
    "d": Fraction(_DAY),
    "h": Fraction(3600),
    "min": Fraction(60),
    "s": Fraction(1),
    "ms": Fraction(1, 10**3),
    "us": Fraction(1, 10**6),
    "ns": Fraction(1, 10**9),
}
_SPELLINGS = {
    "y": "y yr yrs year years",
    "w": "w wk wks week weeks",
    "d": "d day days",
    "h": "h hr hrs hour hours",
    "min": "m min mins minute minutes",
    "s": "s sec secs second seconds",
    "ms": "ms millis millisecond milliseconds",
    "us": "us microsecond microseconds",
    "ns": "ns nanosecond nanoseconds",
}
_UNIT_OF = {word: unit for unit, words in _SPELLINGS.items() for word in words.split()}

_UNSIGNED = r"(?:(?:[0-9]{1,3}(?:[ _][0-9]{3})+|[0-9]+)(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?"
_NUMBER = rf"(?P<number>[+-]?{_UNSIGNED})"
_PER = r" *(?:/|(?<= )per ) *(?P<period>s|sec|second|min|minute|h|hr|hour|d|day|w|week)"
_THING = (
    r"(?i:records?|messages?|msgs?|events?|transactions?|txns?|tx|requests?|reqs?|ops?|ios?"
    r"|keys?|members?|deploys?|deployments?|crash(?:es)?|restarts?)"
)
_BYTES = rf"{_NUMBER} *(?P<prefix>(?:[kKMGTPE]i?)?)"
_COUNT = rf"{_NUMBER} *(?P<prefix>[kKMGT]?)"
_GRAMMAR = {
    "bytes": re.compile(rf"{_BYTES}(?:B|[Bb]ytes?|(?P<bits>[Bb]its?)|(?<=i))"),
    "bytes_per_s": re.compile(rf"{_BYTES}(?:B|[Bb]ytes?|(?P<bits>[Bb]its?|(?<=[KMGTPEi])b))(?:ps|{_PER})"),
    "count": re.compile(rf"{_COUNT} *{_THING}?"),
    "per_s": re.compile(rf"{_COUNT}(?: *{_THING}?{_PER}|(?P<each_s> *(?i:[tqre]ps|iops))|)"),
    "fraction": re.compile(rf"{_NUMBER} *(?P<percent>%?)"),
    "ratio": re.compile(_NUMBER),
}
_GRAMMAR |= {"per_day": _GRAMMAR["per_s"], "money": _GRAMMAR["ratio"]}
_SPAN = re.compile(rf" *(?P<number>{_UNSIGNED}) *(?P<unit>[A-Za-z]+)")
_ISO_SPAN = re.compile(
    r"P(?=[0-9T])(?:(?P<y>{0})Y)?(?:(?P<w>{0})W)?(?:(?P<d>{0})D)?"
    r"(?:T(?=[0-9])(?:(?P<h>{0})H)?(?:(?P<min>{0})M)?(?:(?P<s>{0})S)?)?".format(r"[0-9]+(?:\.[0-9]+)?")
)

_SPANS = "5ms, 45s, 30min, 1d12h, 7d, 1y, PT1H30M"
_ALLOWED = {
    "bytes": ("a number of bytes", "500 B, 10 MB, 16KiB, 1.5 TiB, 80 Mbit"),
    "bytes_per_s": ("a number of bytes per second", "10 MB/s, 100 MiB/min, 1 TB/day, 10 Gbit/s"),
    "s": ("a number of seconds", _SPANS),
    "s_or_forever": ("a number of seconds", f"{_SPANS}, forever"),
    "per_s": ("a number per second", "12000, 12k/s, 500k msg/s, 30/min, 10M events/day"),
    "per_day": ("a number per day", "2, 2/day, 1/week, 10M events/day"),
    "count": ("a number", "12000, 500k, 2M, 1.5e6"),
    "fraction": ("a fraction", "0.6, 60%"),
    "ratio": ("a plain number", "2.5"),
    "money": ("a plain number without a currency", "900, 12.50"),
}


class UnitError(ValueError):
    """A quantity that cannot be read: what was given, what is allowed and, if one is likely, what was meant."""

    def __init__(
        self, value: object, allowed: str, suggestion: str | None = None, reason: str = "cannot be read"
    ) -> None:
        super().__init__(value, allowed, suggestion, reason)  # all of them, so that the error survives pickling
        self.value = value
        self.allowed = allowed
        self.suggestion = suggestion
        self.reason = reason

    def __str__(self) -> str:
        hint = f"; did you mean {self.suggestion}?" if self.suggestion else "."
        return f"{_shown(self.value)} {self.reason}: give {self.allowed}{hint}"


def examples(dimension: str) -> str:
    """Texts that `parse` accepts for the dimension, for people: "500 B, 10 MB, ..."."""
    return _ALLOWED[dimension][1]


def parse(value: object, dimension: str) -> float:
    """A quantity in base units, from a number or from text.

    Parameters
    ----------
    value : object
        A number in base units, or text. Text of bytes, bytes_per_s, s and s_or_forever needs a unit.
    dimension : str
        bytes, bytes_per_s, s, s_or_forever, per_s, per_day, count, fraction, ratio or money.

    Returns
    -------
    float
        In bytes, bytes/s, seconds, 1/s, 1/day or as a plain number. Of either sign: the caller checks ranges. Finite,
        except that s_or_forever gives `math.inf` for "forever" and keeps a `math.inf`.

    Raises
    ------
    UnitError
        For everything else, whatever the object.

    Examples
    --------
    >>> parse("10 Gbit/s", "bytes_per_s"), parse("16KiB", "bytes"), parse("1d12h", "s"), parse("60%", "fraction")
    (1250000000.0, 16384.0, 129600.0, 0.6)
    """
    allowed = "{}, or text such as {}".format(*_ALLOWED[dimension])
    amount: object = value
    if isinstance(value, str):
        if len(value) > _LONGEST:
            raise UnitError(value, allowed, reason=f"is longer than {_LONGEST} characters")
        amount = _read(value.strip(" "), dimension)
        if amount is None:
            raise UnitError(value, allowed, *_suggest(value, dimension))
    if isinstance(amount, bool) or not isinstance(amount, Real):
        raise UnitError(value, allowed, reason="is neither a number nor text")
    number = _float(amount)
    if math.isfinite(number) or (number == math.inf and dimension == "s_or_forever"):
        return number
    raise UnitError(value, allowed, reason="is not finite")


def _float(amount: Real | Fraction | float) -> float:
    """The nearest float; NaN when there is none, as for 10**400."""
    try:
        return float(amount)
    except (ArithmeticError, TypeError, ValueError):
        return math.nan


def _read(text: str, dimension: str) -> Fraction | float | None:
    """The exact quantity in base units, or None when the text does not follow the dimension's grammar."""
    if dimension == "s_or_forever" and text.lower() == "forever":
        return math.inf
    if dimension in {"s", "s_or_forever"}:
        return _duration(text)
    match = _GRAMMAR[dimension].fullmatch(text)
    if match is None:
        return None
    part = match.groupdict(default="")
    amount: Fraction = _exact(part["number"]) * _SCALE[part.get("prefix", "")]
    if part.get("bits"):
        amount /= 8
    if part.get("percent"):
        amount /= 100
    if part.get("period"):
        amount /= _SECONDS[_UNIT_OF[part["period"]]]
    if dimension == "per_day" and (part["period"] or part["each_s"]):  # a bare number is per day already
        amount *= _DAY
    return amount


def _duration(text: str) -> Fraction | None:
    """Seconds of "1d12h", whose units must descend, or of ISO 8601 "P1DT12H"."""
    iso = _ISO_SPAN.fullmatch(text)
    if iso:
        return sum((_exact(number) * _SECONDS[unit] for unit, number in iso.groupdict().items() if number), Fraction(0))
    start = end = int(text[:1] in {"+", "-"})
    total, last = Fraction(0), Fraction(10**9)
    while span := _SPAN.match(text, end):
        word = span["unit"]
        unit = _UNIT_OF.get(word if len(word) <= len("ms") else word.lower())  # "Days" is clear; "M" and "MS" are not
        if unit is None or _SECONDS[unit] >= last:
            return None
        last, end = _SECONDS[unit], span.end()
        total += _exact(span["number"]) * last
    if end != len(text) or end == start:
        return None
    return -total if text[0] == "-" else total


def _exact(number: str) -> Fraction:
    return Fraction(number.replace(" ", "").replace("_", ""))


def _shown(value: object) -> str:
    """The value for an error message: short, on one line, and without trusting the object to print itself."""
    if isinstance(value, str):
        return repr(str(value[:_LONGEST])) + "..." * (len(value) > _LONGEST)
    if isinstance(value, int) and abs(value) >= 10**20:
        return "a whole number of that size"
    if value is None or type(value) in {bool, int, float}:
        return repr(value)
    return f"a value of type {type(value).__name__}"


def _suggest(text: str, dimension: str) -> tuple[str | None, str]:
    """What the text may have meant, written so that `parse` reads it, and what is wrong with the text."""
    plain = " ".join(unicodedata.normalize("NFKC", text).replace("\u03bc", "u").replace("\u2212", "-").split())
    if re.fullmatch(r"[^,]*[0-9]{1,3}(?:,[0-9]{3})+(?![0-9]).*", plain):
        plain = plain.replace(",", "")  # 1,000
    elif plain.count(",") == 1 and "." not in plain:
        plain = plain.replace(",", ".")  # 1,5
    found: dict[float, str] = {}
    if len(plain) <= _LONGEST:  # some single characters stand for many: U+FDFA for eighteen
        for fixed in _repairs(plain, dimension):
            amount = _read(fixed, dimension) if len(fixed) <= _LONGEST else None
            if amount is not None and not math.isnan(_float(amount)):
                found.setdefault(_float(amount), fixed)
    reason = "can be read in more than one way" if len(found) > 1 or (found and "," in text) else "cannot be read"
    return " or ".join(found.values()) or None, reason


def _repairs(text: str, dimension: str) -> Iterator[str]:
    """Candidates for what the text meant, the likeliest first; not all of them can be read."""
    match = re.fullmatch(rf"{_NUMBER} *(?P<rest>.*)", text.strip("$\u20ac\u00a3 "))
    number, rest = (match["number"], match["rest"]) if match else ("", "")
    if _read(text, dimension) is not None:
        yield text
    elif dimension in {"bytes", "bytes_per_s"}:
        yield from _byte_repairs(number, rest, dimension)
    elif dimension in {"s", "s_or_forever"}:
        yield from _duration_repairs(text, number, rest)
    elif dimension in {"count", "per_s", "per_day"}:
        rest = re.sub(r"^(?:millions?|mio|mn?)\b", "M", rest.lower())
        rest = re.sub(r"^(?:billions?|bn?)\b", "G", rest)
        rest = re.sub(r"^(?:thousands?)\b", "k", re.sub(r"/ *m(?:ins?|inutes)?$", "/min", rest))
        fixed = f"{number}{'' if rest[:1] in set('kMGT/') else ' '}{rest}"
        yield fixed
        yield f"{fixed}/{'day' if dimension == 'per_day' else 's'}"  # 500k msg
    elif dimension == "fraction" and rest.lower() in {"percent", "pct", "per cent"}:
        yield f"{number}%"
    elif rest.lower() in {"ratio": {"x", ":1"}, "money": {"", "usd", "eur", "gbp"}}.get(dimension, set()):
        yield number
    elif dimension in {"ratio", "money"} and (amount := _read(number + rest, "count")) is not None:
        yield _number_text(_float(amount))  # 12k


def _byte_repairs(number: str, rest: str, dimension: str) -> Iterator[str]:
    match = re.fullmatch(r"([kmgtpe]?)(i?)(b|bytes?|bits?|)(ps| *(?:/|per ).*|)", rest.lower())
    if match is None:
        return
    letter, binary, unit, rate = match.groups()
    if dimension == "bytes":
        rate = ""
    elif rate in {"", "ps"}:
        rate = "/s"
    upper = letter.upper()
    decimal = letter if letter == "k" else upper
    case_tells = "B" in rest and not rest.endswith("PS")  # "gB/s" is bytes, "GBPS" may be either
    if binary:
        names = [f"{upper}ibit" if unit.startswith("bit") else f"{upper}iB"]
    elif unit == "b" and not case_tells:
        names = [f"{decimal}B", f"{decimal}bit"]
    elif unit == "" and letter:
        names = [f"{decimal}B", f"{upper}iB"]
    else:
        names = [f"{decimal}bit" if unit.startswith("bit") else f"{decimal}B"]
    yield from (f"{number} {name}{rate}" for name in names)


def _duration_repairs(text: str, number: str, rest: str) -> Iterator[str]:
    iso = re.fullmatch(r"P([0-9]+)M", text)
    if iso or re.fullmatch(r"(?i:m|mo|months?)", rest):
        days = _number_text(_float(_exact(iso[1] if iso else number) * 30))
        yield from ([f"{number}min"] if rest == "M" else []) + [f"{days}d"]
    elif text.lower() in {"-1", "inf", "infinite", "infinity", "unlimited"}:
        yield "forever"
    elif number and not rest:
        yield f"{number} s"
    else:
        yield from (text.lower(), text.upper())


def format_exact(value: float, dimension: str) -> str:
    """Short text that `parse` reads back to exactly this value.

    Parameters
    ----------
    value : float
        The quantity in base units.
    dimension : str
        As for `parse`.

    Returns
    -------
    str
        With the largest unit that keeps it short; plain numbers (count, fraction, ratio, money) as Python writes them.

    Raises
    ------
    UnitError
        For what is not finite, except `math.inf` as s_or_forever.

    Examples
    --------
    >>> format_exact(604800, "s"), format_exact(2**30, "bytes"), format_exact(1e7, "bytes_per_s")
    ('7d', '1GiB', '10 MB/s')
    """
    number = parse(float(value), dimension)
    if number == math.inf:
        return "forever"
    if dimension in {"per_s", "per_day"}:
        return f"{_number_text(number)}/{'s' if dimension == 'per_s' else 'day'}"
    if dimension in {"s", "s_or_forever"}:
        base, decimals = "s", 0
        units = {unit: float(_SECONDS[unit]) for unit in ("y", "d", "h", "min", "s", "ms", "us")}
    elif dimension in {"bytes", "bytes_per_s"}:
        before, after = ("", "") if dimension == "bytes" else (" ", "/s")
        base, decimals = f"{before}B{after}", 2
        scale = sorted((_DECIMAL | _BINARY).items(), key=lambda item: -item[1])
        units = {f"{before}{prefix}B{after}": float(factor) for prefix, factor in scale}
    else:
        return _number_text(number)
    for unit, factor in units.items():
        amount = number / factor
        text = f"{_number_text(round(amount, decimals))}{unit}"
        if 1 <= abs(amount) < 100_000 and parse(text, dimension) == number:  # noqa: PLR2004 - short enough
            return text
    return f"{_number_text(number)}{base}"


def _number_text(value: float) -> str:
    """The shortest text of the number that keeps every bit, whole numbers without `.0`."""
    return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)


def format_quantity(
    value: float | None, dimension: str, *, binary: bool = False, bits: bool = False, digits: int = 3
) -> str:
    """A quantity for people to read.

    Parameters
    ----------
    value : float or None
        The quantity in base units; None is "never" for durations and "n/a" otherwise.
    dimension : str
        As for `parse`.
    binary : bool
        Bytes in steps of 1024 (KiB, MiB) instead of 1000.
    bits : bool
        Bits instead of bytes.
    digits : int
        Significant digits. Whole digits are never rounded away, and a duration of a minute or more has two units.

    Returns
    -------
    str
        Rounded, thousands in groups separated by a space.

    Examples
    --------
    >>> format_quantity(1234567, "bytes_per_s"), format_quantity(7800, "s"), format_quantity(12000, "per_s")
    ('1.23 MB/s', '2 h 10 min', '12 000/s')
    """
    if value is None or not math.isfinite(value):
        if value == math.inf and dimension == "s_or_forever":
            return "forever"
        return "never" if dimension in {"s", "s_or_forever"} else "n/a"
    number = abs(float(value))
    if dimension in {"bytes", "bytes_per_s"}:
        unit = "bit" if bits else "B"
        scale = {f"{prefix}{unit}": float(factor) for prefix, factor in (_BINARY if binary else _DECIMAL).items()}
        text = _scaled(number * 8 if bits else number, scale, digits) + "/s" * (dimension == "bytes_per_s")
    elif dimension in {"s", "s_or_forever"}:
        text = _span_text(number, digits)
    elif dimension == "per_s":
        seconds = {"s": 1, "min": 60, "h": 3600, "day": _DAY}
        period = next((name for name, length in seconds.items() if number * length >= 1), "day") if number else "s"
        text = f"{_rounded(number * seconds[period], digits)}/{period}"
    elif dimension == "fraction":
        text = f"{_rounded(number * 100, digits)} %"
    else:
        text = _rounded(number, digits) + "/day" * (dimension == "per_day")
    return f"-{text}" if value < 0 else text


def _rounded(number: float, digits: int) -> str:
    """A number that is not negative, with so many significant digits but with all digits before the point."""
    if not 1 <= number < 1e15:  # noqa: PLR2004 - floats hold no more digits
        return f"{number:.{digits}g}"
    decimals = max(0, digits - len(str(int(number))))
    text = f"{number:,.{decimals}f}".replace(",", " ")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _scaled(number: float, scale: dict[str, float], digits: int) -> str:
    """The number in the largest unit of which there is at least one once it is rounded: 999 999 B is 1 MB."""
    above = [*scale.values(), math.inf][1:]
    texts = ((_rounded(number / factor, digits), unit, factor) for unit, factor in scale.items())
    return next(
        f"{text} {unit}"
        for (text, unit, factor), limit in zip(texts, above, strict=True)
        if float(text.replace(" ", "")) * factor < limit
    )


def _span_text(seconds: float, digits: int) -> str:
    """A duration that is not negative: one unit below a minute, else two adjacent ones rounded together."""
    if seconds == 0:
        return "0 s"
    if seconds < 60 and _rounded(seconds, digits) != "60":  # noqa: PLR2004 - seconds in a minute
        return _scaled(seconds, {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}, digits)
    names = ["y", "d", "h", "min", "s"]
    sizes = [int(_SECONDS[name]) for name in names]
    major = next((index for index in range(3) if seconds >= sizes[index]), 3)
    count, rest = divmod(round(seconds / sizes[major + 1]), sizes[major] // sizes[major + 1])
    if major and count * sizes[major] == sizes[major - 1]:  # 59 min 59.9 s
        return f"1 {names[major - 1]}"
    text = f"{_rounded(float(count), digits)} {names[major]}"
    return f"{text} {rest} {names[major + 1]}" if rest and count < 1000 else text  # noqa: PLR2004 - days after 1 000 y


def counted(number: int, noun: str, several: str | None = None) -> str:
    """A number and what it counts: 1 replica, 3 replicas."""
    return f"{number} {noun if number == 1 else several or f'{noun}s'}"


def listed(names: Sequence[str], most: int) -> str:
    """The names, or the first of many and how many more there are."""
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
