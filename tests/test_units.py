"""Quantities as people write them: every expected number is worked out by hand, in other terms than in the code."""

from __future__ import annotations

import math
import pickle
import subprocess
import sys
from datetime import timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner import units
from planner.units import UnitError, examples, format_exact, format_quantity, parse

DIMENSIONS = ["bytes", "bytes_per_s", "s", "s_or_forever", "per_s", "per_day", "count", "fraction", "ratio", "money"]

# The rows on which the libraries were compared (reference/ecosystem.md, section 6), in the dimension they are meant in.
SURVEYED: list[tuple[str, str, float]] = [
    ("10 MB/s", "bytes_per_s", 10_000_000),
    ("10k", "count", 10_000),
    ("10k", "per_s", 10_000),
    ("1T", "count", 1_000_000_000_000),
    ("1 KB", "bytes", 1000),
    ("10 Gbps", "bytes_per_s", 1_250_000_000),
    ("2 Gbit/s", "bytes_per_s", 250_000_000),
    ("500k msg/s", "per_s", 500_000),
    ("1d12h", "s", 36 * 3600),
    ("7d 3h", "s", 171 * 3600),
    ("30m", "s", 1800),
    ("604800000ms", "s", 604_800),
    ("7 days", "s", 604_800),
    ("P7D", "s", 604_800),
]
SURVEYED_REFUSED = [
    ("5 mb", "bytes", "5 MB or 5 Mbit"),
    ("1gb", "bytes", "1 GB or 1 Gbit"),
    ("1T", "bytes", "1 TB or 1 TiB"),
    ("10k", "bytes", "10 kB or 10 KiB"),
    ("1,000", "count", "1000"),
    ("1,5", "count", "1.5"),
    ("500k msg/s", "bytes_per_s", None),
    ("7", "s", "7 s"),
    ("1 month", "s", "30d"),
]

READ: list[tuple[str, str, float]] = [
    ("500B", "bytes", 500),
    ("1 kB", "bytes", 1000),
    ("10 MB", "bytes", 10_000_000),
    ("10MiB", "bytes", 10_485_760),
    ("1.5 TiB", "bytes", 1_649_267_441_664),
    ("16KiB", "bytes", 16_384),
    ("16kiB", "bytes", 16_384),
    ("64 GiB", "bytes", 68_719_476_736),
    ("64Gi", "bytes", 68_719_476_736),
    ("4TB", "bytes", 4_000_000_000_000),
    ("2 PB", "bytes", 2e15),
    ("1 EB", "bytes", 1e18),
    ("100 bytes", "bytes", 100),
    ("1 byte", "bytes", 1),
    ("10 Gbit", "bytes", 1_250_000_000),
    ("12 bits", "bytes", 1.5),
    ("1 Mibit", "bytes", 131_072),
    ("-5 MB", "bytes", -5_000_000),
    ("+5 MB", "bytes", 5_000_000),
    ("  5 MB  ", "bytes", 5_000_000),
    ("1 000 MB", "bytes", 1_000_000_000),
    ("1_000 MB", "bytes", 1_000_000_000),
    ("1e3 MB", "bytes", 1_000_000_000),
    (".5 GB", "bytes", 500_000_000),
    ("0.3 GB", "bytes", 300_000_000),
    ("0 B", "bytes", 0),
    ("10MB/s", "bytes_per_s", 10_000_000),
    ("10 Gbit/s", "bytes_per_s", 1_250_000_000),
    ("10 GBit/s", "bytes_per_s", 1_250_000_000),
    ("10Gb/s", "bytes_per_s", 1_250_000_000),
    ("25Gbps", "bytes_per_s", 3_125_000_000),
    ("10 kbit/s", "bytes_per_s", 1250),
    ("10 MBps", "bytes_per_s", 10_000_000),
    ("1 GiBps", "bytes_per_s", 1_073_741_824),
    ("8 Mib/s", "bytes_per_s", 1_048_576),
    ("60 MiB/min", "bytes_per_s", 1_048_576),
    ("86.4 GB/day", "bytes_per_s", 1_000_000),
    ("3.6 GB/h", "bytes_per_s", 1_000_000),
    ("604.8 GB/week", "bytes_per_s", 1_000_000),
    ("10 MB per second", "bytes_per_s", 10_000_000),
    ("10 MB / s", "bytes_per_s", 10_000_000),
    ("160 B/s", "bytes_per_s", 160),
    ("800 bit/s", "bytes_per_s", 100),
    ("7d", "s", 604_800),
    ("5ms", "s", 0.005),
    ("30min", "s", 1800),
    ("1h30m", "s", 5400),
    ("1 h 30 min", "s", 5400),
    ("1y", "s", 31_536_000),
    ("1w", "s", 604_800),
    ("2 weeks", "s", 1_209_600),
    ("1.5h", "s", 5400),
    ("45s", "s", 45),
    ("45 sec", "s", 45),
    ("4 Hours", "s", 14_400),
    ("250us", "s", 0.00025),
    ("10 ns", "s", 1e-8),
    ("0d", "s", 0),
    ("-1d12h", "s", -129_600),
    ("1 000ms", "s", 1),
    ("1e3s", "s", 1000),
    ("PT1H30M", "s", 5400),
    ("P1DT12H", "s", 129_600),
    ("P1Y", "s", 31_536_000),
    ("P2W", "s", 1_209_600),
    ("PT0.5S", "s", 0.5),
    ("forever", "s_or_forever", math.inf),
    ("Forever", "s_or_forever", math.inf),
    ("3d", "s_or_forever", 259_200),
    ("12000", "per_s", 12_000),
    ("12k/s", "per_s", 12_000),
    ("12K/s", "per_s", 12_000),
    ("12000 records/s", "per_s", 12_000),
    ("12 000/s", "per_s", 12_000),
    ("12k records per second", "per_s", 12_000),
    ("864k events/day", "per_s", 10),
    ("30/min", "per_s", 0.5),
    ("7200 requests/hour", "per_s", 2),
    ("3k tps", "per_s", 3000),
    ("16k IOPS", "per_s", 16_000),
    ("10 Messages/s", "per_s", 10),
    ("1.5G/day", "per_day", 1_500_000_000),
    ("2", "per_day", 2),
    ("2 deploys/day", "per_day", 2),
    ("14/week", "per_day", 2),
    ("1/h", "per_day", 24),
    ("10/s", "per_day", 864_000),
    ("1 tps", "per_day", 86_400),
    ("500k", "count", 500_000),
    ("2M", "count", 2_000_000),
    ("5M records", "count", 5_000_000),
    ("1.5e6", "count", 1_500_000),
    ("1.5G", "count", 1_500_000_000),
    ("1_000_000", "count", 1_000_000),
    ("12 000", "count", 12_000),
    ("-3", "count", -3),
    ("0.6", "fraction", 0.6),
    ("60%", "fraction", 0.6),
    ("7 %", "fraction", 0.07),
    ("120%", "fraction", 1.2),
    ("2.5", "ratio", 2.5),
    ("12.50", "money", 12.5),
]

REFUSED = [
    ("5 MB/s", "bytes", "5 MB"),
    ("1Gb", "bytes", "1 GB or 1 Gbit"),
    ("5 mB", "bytes", "5 MB"),
    ("10gib", "bytes", "10 GiB"),
    ("1 mbit", "bytes", "1 Mbit"),
    ("64G", "bytes", "64 GB or 64 GiB"),
    ("500", "bytes", "500 B"),
    ("1,5 MB", "bytes", "1.5 MB"),
    ("1,000,000 B", "bytes", "1000000 B"),
    ("1,000.5 MB", "bytes", "1000.5 MB"),
    ("1.000,5 MB", "bytes", None),
    ("1 00 MB", "bytes", None),
    ("1_00 MB", "bytes", None),
    ("MB", "bytes", None),
    ("", "bytes", None),
    ("5 MB\n", "bytes", "5 MB"),
    ("5\nMB", "bytes", "5 MB"),
    ("5\x00MB", "bytes", None),
    ("5\u00a0MB", "bytes", "5 MB"),
    ("\uff15 MB", "bytes", "5 MB"),
    ("\u0665 MB", "bytes", None),  # an Arabic-Indic five
    ("0x10 B", "bytes", None),
    ("5 mb/s", "bytes_per_s", "5 MB/s or 5 Mbit/s"),
    ("10 mbps", "bytes_per_s", "10 MB/s or 10 Mbit/s"),
    ("10 kbps", "bytes_per_s", "10 kB/s or 10 kbit/s"),
    ("10 MBPS", "bytes_per_s", "10 MB/s or 10 Mbit/s"),
    ("10 gB/s", "bytes_per_s", "10 GB/s"),
    ("10 MB", "bytes_per_s", "10 MB/s"),
    ("10 Gbit", "bytes_per_s", "10 Gbit/s"),
    ("100", "bytes_per_s", "100 B/s"),
    ("10 MB/m", "bytes_per_s", None),
    ("10 MB/month", "bytes_per_s", None),
    ("604800", "s", "604800 s"),
    ("5M", "s", "5min or 150d"),
    ("2 months", "s", "60d"),
    ("P1M", "s", "30d"),
    ("7D", "s", "7d"),
    ("5 MS", "s", "5 ms"),
    ("p7d", "s", "P7D"),
    ("5 \u00b5s", "s", "5 us"),
    ("1,5 h", "s", "1.5 h"),
    ("12h1d", "s", None),
    ("1d1d", "s", None),
    ("1d-3h", "s", None),
    ("-+5s", "s", None),
    ("-", "s", None),
    ("P", "s", None),
    ("P1DT", "s", None),
    ("forever", "s", None),
    ("unlimited", "s_or_forever", "forever"),
    ("-1", "s_or_forever", "forever"),
    ("12m/s", "per_s", "12M/s"),
    ("500k msg", "per_s", "500k msg/s"),
    ("1,000/s", "per_s", "1000/s"),
    ("2 billion events/day", "per_s", "2G events/day"),
    ("12K/S", "per_s", "12k/s"),
    ("30/m", "per_s", "30/min"),
    ("12 MB/s", "per_s", None),
    ("12 apples/s", "per_s", None),
    ("3 million", "count", "3M"),
    ("12m", "count", "12M"),
    ("60 percent", "fraction", "60%"),
    ("6/10", "fraction", None),
    ("2.5x", "ratio", "2.5"),
    ("12k", "money", "12000"),
    ("$900", "money", "900"),
    ("900 USD", "money", "900"),
    ("1e308k", "ratio", None),  # a repair beyond the floats is no suggestion
    ("1e999 months", "s", None),
    ("1e400 mb", "bytes", None),
    ("1" * 62 + "mb", "bytes", None),  # nor is one that is too long
    ("10m", "per_s", "10M"),
    ("1 deploy", "per_day", "1 deploy/day"),
    ("nan", "ratio", None),
    ("inf", "ratio", None),
    ("yes", "ratio", None),
]

NOT_FINITE = [
    (math.nan, "bytes"),
    (math.inf, "bytes"),
    (-math.inf, "s_or_forever"),
    (math.nan, "s_or_forever"),
    (10**400, "count"),
    pytest.param(10**5000, "count", id="longer than Python prints"),
    ("1e400", "count"),
    ("1e309 TB", "bytes"),
    ("1e999 y", "s"),
    ("1e999 y", "s_or_forever"),
]


@pytest.mark.parametrize(("text", "dimension", "expected"), SURVEYED + READ)
def test_reads(text: str, dimension: str, expected: float) -> None:
    assert parse(text, dimension) == expected


@pytest.mark.parametrize(("text", "dimension", "suggestion"), SURVEYED_REFUSED + REFUSED)
def test_refuses_with_a_suggestion(text: str, dimension: str, suggestion: str | None) -> None:
    with pytest.raises(UnitError) as caught:
        parse(text, dimension)
    error = caught.value
    assert (error.value, error.suggestion) == (text, suggestion)
    assert examples(dimension) in error.allowed
    assert repr(text) in str(error)
    assert error.allowed in str(error)
    assert "\n" not in str(error)
    for meant in suggestion.split(" or ") if suggestion else []:
        assert meant in str(error)
        parse(meant, dimension)


@pytest.mark.parametrize(("value", "dimension"), NOT_FINITE)
def test_refuses_what_is_not_finite(value: object, dimension: str) -> None:
    with pytest.raises(UnitError, match="is not finite"):
        parse(value, dimension)


@pytest.mark.parametrize("value", [True, False, None, [], {}, b"5 MB", object(), 1j, Decimal(5), np.array([1.0])])
def test_refuses_what_is_no_quantity(value: object) -> None:
    with pytest.raises(UnitError, match="is neither a number nor text"):
        parse(value, "bytes")


@pytest.mark.parametrize("text", ["1" * 65, " " * 64 + "1", "1" * 1_000_000, "\ufdfa" * 64])
def test_refuses_long_text_without_repeating_it(text: str) -> None:
    with pytest.raises(UnitError) as caught:
        parse(text, "count")
    assert len(str(caught.value)) < 250


def test_numbers_are_in_base_units() -> None:
    for value in (12, 12.0, np.int64(12), np.float32(12)):
        read = parse(value, "bytes_per_s")
        assert read == 12
        assert type(read) is float
    assert parse(math.inf, "s_or_forever") == math.inf


def test_the_error_survives_pickling() -> None:
    with pytest.raises(UnitError) as caught:
        parse("5 mb", "bytes")
    copy = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - our own bytes
    assert (str(copy), copy.suggestion) == (str(caught.value), "5 MB or 5 Mbit")


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_every_example_is_read(dimension: str) -> None:
    for text in examples(dimension).split(", "):
        parse(text, dimension)


def test_needs_only_the_standard_library() -> None:
    code = "import runpy, sys; runpy.run_path(sys.argv[1]); print({'numpy', 'pandas', 'pydantic'} & {*sys.modules})"
    command = [sys.executable, "-c", code, str(units.__file__)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


ANYTHING = st.one_of(
    st.text(),
    st.text(alphabet="0123456789 .,_+-eEkKmMGTPibBits/phdywPTDHS%\n\u00a0\u00b5"),
    st.from_regex(r"[+-]?[0-9]{1,5}[.,]?[0-9]{0,3}(e[0-9]{1,3})? ?[A-Za-z%]{0,6}(/[a-z]{1,4})?", fullmatch=True),
    st.none() | st.booleans() | st.integers() | st.floats() | st.complex_numbers() | st.binary() | st.decimals(),
    st.lists(st.text()) | st.dictionaries(st.text(), st.integers()),
)


@given(ANYTHING, st.sampled_from(DIMENSIONS))
def test_gives_a_number_or_its_own_error(value: object, dimension: str) -> None:
    try:
        read = parse(value, dimension)
    except UnitError as error:
        refused = error
    else:
        assert type(read) is float
        assert math.isfinite(read) or (dimension == "s_or_forever" and read == math.inf)
        return
    assert len(str(refused)) < 500
    for meant in refused.suggestion.split(" or ") if refused.suggestion else []:
        parse(meant, dimension)


@given(st.floats(min_value=0, allow_infinity=False), st.sampled_from(DIMENSIONS))
def test_exact_text_reads_back(value: float, dimension: str) -> None:
    assert parse(format_exact(value, dimension), dimension) == value


@given(
    st.integers(0, 10**6),
    st.sampled_from([1, 60, 3600, 86400, 1000, 1024, 1024**3, 10**9]),
    st.sampled_from(DIMENSIONS),
)
def test_exact_text_of_round_values_reads_back(count: int, unit: int, dimension: str) -> None:
    assert parse(format_exact(count * unit, dimension), dimension) == count * unit


@given(
    st.decimals(min_value=0, max_value=10**6, places=3),
    st.sampled_from(["", "k", "M", "G", "T", "P", "Ki", "Mi", "Gi"]),
)
def test_a_bit_is_an_eighth_of_a_byte(number: Decimal, prefix: str) -> None:
    assert parse(f"{number} {prefix}bit/s", "bytes_per_s") == parse(f"{number} {prefix}B/s", "bytes_per_s") / 8
    assert parse(f"{number} {prefix}bit", "bytes") == parse(f"{number} {prefix}B", "bytes") / 8


@given(st.integers(0, 5000), st.integers(0, 23), st.integers(0, 59), st.integers(0, 59), st.integers(0, 999))
def test_durations_agree_with_timedelta(d: int, h: int, m: int, s: int, ms: int) -> None:
    expected = timedelta(days=d, hours=h, minutes=m, seconds=s, milliseconds=ms) / timedelta(seconds=1)
    assert parse(f"{d}d{h}h{m}m{s}s{ms}ms", "s") == expected
    assert parse(f"P{d}DT{h}H{m}M{s}.{ms:03}S", "s") == expected


@pytest.mark.parametrize(
    ("value", "dimension", "text"),
    [
        (604_800, "s", "7d"),
        (129_600, "s", "36h"),
        (5400, "s", "90min"),
        (31_536_000, "s", "1y"),
        (0.005, "s", "5ms"),
        (45, "s", "45s"),
        (0, "s", "0s"),
        (0.1234567, "s", "0.1234567s"),
        (math.inf, "s_or_forever", "forever"),
        (2**30, "bytes", "1GiB"),
        (16_384, "bytes", "16KiB"),
        (700, "bytes", "700B"),
        (1_234_567, "bytes", "1234567B"),
        (4e12, "bytes", "4TB"),
        (10_000_000, "bytes_per_s", "10 MB/s"),
        (1_250_000_000, "bytes_per_s", "1.25 GB/s"),
        (1_234_567, "bytes_per_s", "1234567 B/s"),
        (12_000, "per_s", "12000/s"),
        (0.5, "per_day", "0.5/day"),
        (500_000, "count", "500000"),
        (0.6, "fraction", "0.6"),
    ],
)
def test_writes_exactly(value: float, dimension: str, text: str) -> None:
    assert format_exact(value, dimension) == text


@pytest.mark.parametrize(("value", "dimension"), [(math.nan, "bytes"), (math.inf, "s"), (-math.inf, "s_or_forever")])
def test_writes_nothing_that_is_not_finite(value: float, dimension: str) -> None:
    with pytest.raises(UnitError):
        format_exact(value, dimension)


@pytest.mark.parametrize(
    ("value", "dimension", "options", "text"),
    [
        (1_234_567, "bytes_per_s", {}, "1.23 MB/s"),
        (1_234_567, "bytes_per_s", {"binary": True}, "1.18 MiB/s"),  # 1 234 567 / 1 048 576 = 1.1774
        (1_234_567, "bytes_per_s", {"bits": True}, "9.88 Mbit/s"),  # 9 876 536 bits
        (1_048_576, "bytes_per_s", {"bits": True, "binary": True}, "8 Mibit/s"),
        (999_900, "bytes", {}, "1 MB"),
        (999_400, "bytes", {}, "999 kB"),
        (999.5, "bytes", {}, "1 kB"),
        (1_047_552, "bytes", {"binary": True}, "1 023 KiB"),
        (1_048_575, "bytes", {"binary": True}, "1 MiB"),
        (12_345_678, "bytes", {"digits": 5}, "12.346 MB"),
        (0, "bytes", {}, "0 B"),
        (-1500, "bytes", {}, "-1.5 kB"),
        (0.25, "bytes_per_s", {}, "0.25 B/s"),
        (5e21, "bytes", {}, "5 000 EB"),
        (7800, "s", {}, "2 h 10 min"),
        (604_800, "s", {}, "7 d"),
        (45, "s", {}, "45 s"),
        (0.005, "s", {}, "5 ms"),
        (0.00025, "s", {}, "250 us"),
        (0, "s", {}, "0 s"),
        (90, "s", {}, "1 min 30 s"),
        (59.99, "s", {}, "1 min"),
        (59.9, "s", {}, "59.9 s"),
        (0.9999, "s", {}, "1 s"),
        (3599.9, "s", {}, "1 h"),
        (86_399, "s", {}, "1 d"),
        (364.99 * 86_400, "s", {}, "1 y"),
        (400 * 86_400, "s", {}, "1 y 35 d"),
        (-90, "s", {}, "-1 min 30 s"),
        (None, "s", {}, "never"),
        (math.inf, "s_or_forever", {}, "forever"),
        (None, "s_or_forever", {}, "never"),
        (None, "bytes", {}, "n/a"),
        (math.nan, "count", {}, "n/a"),
        (12_000, "per_s", {}, "12 000/s"),
        (0.5, "per_s", {}, "30/min"),
        (10 / 86_400, "per_s", {}, "10/day"),
        (0, "per_s", {}, "0/s"),
        (2, "per_day", {}, "2/day"),
        (0.81, "fraction", {}, "81 %"),
        (0.8126, "fraction", {}, "81.3 %"),
        (0.07, "fraction", {}, "7 %"),
        (12_000, "count", {}, "12 000"),
        (1_234_567, "count", {}, "1 234 567"),
        (2.5, "ratio", {}, "2.5"),
        (1234.56, "money", {}, "1 235"),
    ],
)
def test_writes_for_people(value: float | None, dimension: str, options: dict[str, Any], text: str) -> None:
    assert format_quantity(value, dimension, **options) == text


@given(
    st.floats(min_value=1e-6, max_value=1e15),
    st.sampled_from(DIMENSIONS),
    st.booleans(),
    st.booleans(),
    st.integers(2, 6),
)
def test_text_for_people_is_rounded_by_half_a_step_at_most(
    value: float, dimension: str, binary: bool, bits: bool, digits: int
) -> None:
    read = parse(format_quantity(value, dimension, binary=binary, bits=bits, digits=digits), dimension)
    if dimension in {"s", "s_or_forever"} and value >= 60:
        # Half of the lesser unit shown; from 1 000 years on, days are left out.
        steps = [(86_400 * 365_000, 365 * 86_400), (86_400 * 365, 86_400 / 2), (86_400, 1800), (3600, 30), (60, 0.5)]
        half = next(half for least, half in steps if value >= least * 0.99)
    else:
        half = value * 10.0 ** (1 - digits) / 2
    assert abs(read - value) <= half * (1 + 1e-9)
