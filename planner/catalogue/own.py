"""Machines and prices of the user's own, from a CSV that is checked cell by cell."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import replace

from planner import units
from planner.catalogue.offers import InstanceType, Price, instance_types
from planner.scenario import InputError, ScenarioError

OWN = "own"
MOST_BYTES, MOST_ROWS, MOST_NAME = 1_000_000, 5_000, 100
# column: dimension, least, most
_NUMBERS = {
    "vcpu": ("count", 0.01, 10_000.0),
    "memory": ("bytes", 1e6, 1e15),
    "network": ("bytes_per_s", 1.0, 1e13),
    "volumes": ("count", 1.0, 100.0),
    "capacity": ("bytes", 1e6, 1e16),
    "throughput": ("bytes_per_s", 1.0, 1e13),
    "iops": ("per_s", 1.0, 1e9),
    "price_per_h": ("money", 0.000001, 1e6),
}
_MACHINE = ("vcpu", "memory", "network", "volumes", "capacity", "throughput", "iops")
COLUMNS = ("name", *_NUMBERS)


def read_offers(text: str) -> tuple[InstanceType, ...]:
    """Machines and prices from the text of a CSV; raises ScenarioError with every fault in it.

    A row with the name of a known type and a price alone gives that type this price. Any other row is a machine with
    drives of its own and needs every column. Quantities may carry units: `64GiB`, `10Gbit/s`.
    """
    if len(text.encode()) > MOST_BYTES:
        allowed = f"at most {MOST_BYTES:,} bytes"
        raise ScenarioError([InputError("offers", None, "The table is too large.", allowed)])
    reader = csv.DictReader(io.StringIO(text), strict=True)
    try:
        heads, rows = reader.fieldnames or [], list(reader)
    except csv.Error as error:
        raise ScenarioError([InputError("offers", None, f"This is no CSV: {error}.", ", ".join(COLUMNS))]) from error
    errors = [
        InputError(f"offers.{head}", head, "There is no such column.", ", ".join(COLUMNS))
        for head in heads
        if head not in COLUMNS
    ]
    if "name" not in heads or "price_per_h" not in heads:
        errors.append(InputError("offers", ",".join(heads), "A column is missing.", "name and price_per_h at least"))
    if not 0 < len(rows) <= MOST_ROWS:
        errors.append(InputError("offers", len(rows), "No such number of rows is read.", f"1 to {MOST_ROWS:,} rows"))
    if errors:
        raise ScenarioError(errors)
    found = [_offer(row, number, errors) for number, row in enumerate(rows, start=2)]
    errors += _repeated(found)
    if errors:
        raise ScenarioError(errors)
    return tuple(kind for kind in found if kind is not None)


def _repeated(found: Iterable[InstanceType | None]) -> list[InputError]:
    names = [kind.name for kind in found if kind is not None]
    return [
        InputError("offers.name", name, "The name stands twice.", "each name once")
        for name in sorted(set(names))
        if names.count(name) > 1
    ]


def _offer(row: Mapping[str, str | None], number: int, errors: list[InputError]) -> InstanceType | None:
    """One row; faults are added to the errors, with the line they stand on."""
    before = len(errors)
    name = (row.get("name") or "").strip()
    if not 0 < len(name) <= MOST_NAME or not name.isprintable() or ":" in name:
        allowed = f"1 to {MOST_NAME} printable characters without a colon"
        errors.append(InputError(f"offers.line {number}.name", name, "This is no name.", allowed))
    if None in row:
        errors.append(InputError(f"offers.line {number}", None, "The row has more cells than columns.", "as the head"))
    given = {key: (row.get(key) or "").strip() for key in _NUMBERS}
    known = instance_types().get(name)
    needed = ("price_per_h",) if known and not any(given[key] for key in _MACHINE) else tuple(_NUMBERS)
    numbers = {key: _number(given[key], key, number, errors) for key in needed}
    if len(errors) > before:
        return None
    price = Price(numbers["price_per_h"], OWN, "scenario", "")
    if len(needed) == 1 and known:
        return replace(known, on_demand=price)
    return InstanceType(
        name=name,
        provider=OWN,
        family=OWN,
        vcpu=numbers["vcpu"],
        memory_bytes=numbers["memory"],
        network_bytes_per_s=numbers["network"],
        network_peak_bytes_per_s=numbers["network"],
        storage_bytes_per_s=None,
        storage_iops=None,
        local_volumes=int(numbers["volumes"]),
        local_volume_bytes=numbers["capacity"],
        local_iops=numbers["iops"],
        local_bytes_per_s=numbers["throughput"],
        architecture="",
        burstable=False,
        replicas_max=None,
        source="scenario",
        as_of="",
        on_demand=price,
        reserved_3y=price,
    )


def _number(text: str, key: str, number: int, errors: list[InputError]) -> float:
    """A cell in base units; NaN, which is never used, after a fault."""
    dimension, least, most = _NUMBERS[key]
    path, allowed = f"offers.line {number}.{key}", f"{dimension}, {least:g} to {most:g}"
    try:
        value = units.parse(text, dimension)
    except units.UnitError as error:
        errors.append(InputError(path, text, str(error), allowed))
        return float("nan")
    if not least <= value <= most or (key == "volumes" and value != int(value)):
        errors.append(InputError(path, text, "The value is out of bounds.", allowed))
    return value
