"""Machines as Cruise Control's `capacity.json` describes them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from planner.fields import InputError, ScenarioError, refusal, shorten
from planner.sources.facts import BrokerFacts, Facts, LogDir
from planner.sources.kafka_tools import check_size
from planner.validation import capped

_MAX_BYTES = 10_000_000
_MOST_BROKERS = 10_000
_DISK_UNIT = 2**20  # Cruise Control's MB
_NETWORK_UNIT = 2**10  # and its kB/s
_ANY = -1  # the broker id that stands for all others
_FORM = "capacity.json of Cruise Control"


def capacity_of(text: str) -> Facts:
    """Disks, network and cores of brokers; the entry -1 stands for all that have none of their own.

    Parameters
    ----------
    text
        The file: DISK in MiB, a number or one for each directory; NW_IN and NW_OUT in KiB/s; CPU as `num.cores`
        (a percentage, the other form, tells nothing).

    Returns
    -------
    Facts
        The brokers.

    Raises
    ------
    ScenarioError
        With everything that is wrong.

    Examples
    --------
    >>> text = '{"brokerCapacities": [{"brokerId": "-1", "capacity": {"DISK": "1000", "CPU": {"num.cores": "8"},'
    >>> capacity_of(text + ' "NW_IN": "1000", "NW_OUT": "1000"}}]}').any_broker.vcpu
    8.0
    """
    check_size(text, "capacity", _MAX_BYTES)
    try:
        body = json.loads(text, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        raise refusal("This is no JSON.", "capacity", None, _FORM) from None
    rows = body.get("brokerCapacities") if isinstance(body, dict) else None
    if not isinstance(rows, list) or not 0 < len(rows) <= _MOST_BROKERS:
        raise refusal("There is no list of brokers.", "brokerCapacities", None, _FORM)
    errors: list[InputError] = []
    found: dict[int, BrokerFacts] = {}
    for index, row in enumerate(rows):
        path = f"brokerCapacities.{index}"
        number = _broker(path, row, errors)
        if number in found:
            errors.append(InputError(f"{path}.brokerId", number, "The broker is there twice.", "each broker once"))
        elif number is not None:
            found[number] = _facts(f"{path}.capacity", row.get("capacity"), errors)
    if errors:
        raise ScenarioError(capped(errors))
    general = found.pop(_ANY, None)
    return Facts(sources=("capacity.json",), brokers=found, any_broker=general)


def _broker(path: str, row: Any, errors: list[InputError]) -> int | None:
    number = row.get("brokerId") if isinstance(row, dict) else None
    text = str(number) if type(number) in (int, str) and len(str(number)) < 12 else ""  # noqa: PLR2004 - 2^31 has 10
    if text.lstrip("-").isdecimal() and text.isascii() and _ANY <= int(text) < 2**31:
        return int(text)
    errors.append(InputError(f"{path}.brokerId", shorten(number), "This is no broker id.", "a whole number from -1"))
    return None


def _facts(path: str, capacity: Any, errors: list[InputError]) -> BrokerFacts:
    if not isinstance(capacity, dict):
        errors.append(InputError(path, shorten(capacity), "A capacity is a mapping.", "DISK, CPU, NW_IN, NW_OUT"))
        return BrokerFacts()
    disk = capacity.get("DISK")
    disks = disk if isinstance(disk, dict) else {"": disk}
    parts = []
    for name, value in disks.items():
        size = _number(f"{path}.DISK", value, errors)
        if size is not None:
            parts.append(LogDir(str(name), size * _DISK_UNIT, None, None))
    cpu = capacity.get("CPU")
    rates = {key: _number(f"{path}.{key}", capacity.get(key), errors) for key in ("NW_IN", "NW_OUT")}
    return BrokerFacts(
        log_dirs=tuple(parts),
        vcpu=_number(f"{path}.CPU.num.cores", cpu.get("num.cores"), errors) if isinstance(cpu, Mapping) else None,
        network_in_bytes_per_s=_scaled(rates["NW_IN"]),
        network_out_bytes_per_s=_scaled(rates["NW_OUT"]),
    )


def _scaled(value: float | None) -> float | None:
    return None if value is None else value * _NETWORK_UNIT


def _number(path: str, value: Any, errors: list[InputError]) -> float | None:
    if value is None:
        return None
    try:
        number = float(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else math.nan
    except (ValueError, OverflowError):
        number = math.nan
    if 0 < number < 1e15:  # noqa: PLR2004 - beyond any disk in MiB
        return number
    errors.append(InputError(path, shorten(value), "This is no capacity.", "a number above 0"))
    return None
