"""What can be bought: machine types, the volumes that they can be given, and who sells them, from `data/hardware`."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, Literal

from planner import units
from planner.constants import data_path

PriceKind = Literal["on_demand", "reserved_3y"]


@dataclass(frozen=True, slots=True)
class Price:
    """A price with its kind: as listed, derived within the family, for three years, or the user's own."""

    usd_per_h: float
    kind: str
    source: str
    as_of: str


@dataclass(frozen=True, slots=True)
class InstanceType:
    """A machine type without its network storage."""

    name: str
    provider: str
    family: str
    vcpu: float
    memory_bytes: float
    network_bytes_per_s: float
    network_peak_bytes_per_s: float
    storage_bytes_per_s: float | None  # to network volumes; None = not published
    storage_iops: float | None
    local_volumes: int
    local_volume_bytes: float
    local_iops: float | None  # written operations of 4 KiB, of one local volume
    architecture: str
    burstable: bool
    replicas_max: float | None
    source: str
    as_of: str
    on_demand: Price | None
    reserved_3y: Price | None
    local_bytes_per_s: float | None = None  # of one local volume, where it is known

    def price(self, kind: PriceKind) -> Price | None:
        """The price of that kind; None when it is not known."""
        return self.on_demand if kind == "on_demand" else self.reserved_3y


@dataclass(frozen=True, slots=True)
class Volume:
    """A network volume: what it costs, what comes with it, how far it goes."""

    name: str
    title: str
    source: str
    as_of: str
    bytes_per_s: float
    capacity_bytes: float
    iops: float | None = None
    note: str = ""
    usd_per_byte_month: float | None = None
    usd_per_byte_per_s_month: float = 0.0
    usd_per_iops_month: float = 0.0
    included_bytes_per_s: float | None = None  # None = the rate is not sold apart
    included_iops: float | None = None
    bytes_per_s_per_byte: float = 0.0  # rate that comes with each byte of size
    iops_per_byte: float = 0.0
    bytes_per_s_per_iops: float = 0.0


@dataclass(frozen=True, slots=True)
class Provider:
    """Who sells types and volumes, how traffic is metered, and what is billed beside the brokers."""

    name: str
    title: str
    region: str
    volumes: tuple[str, ...]
    managed: bool
    network: str
    storage_shares_network: bool
    source: str
    as_of: str
    types: str | None = None  # the table of them
    controller_type: str | None = None
    zone_usd_per_byte: float | None = None
    region_usd_per_byte: float | None = None
    object_usd_per_byte_month: float | None = None
    object_usd_per_write: float | None = None
    object_usd_per_read: float | None = None


def _table(name: str) -> dict[str, dict[str, Any]]:
    with data_path("hardware", name).open("rb") as file:
        return tomllib.load(file)


@cache
def providers() -> Mapping[str, Provider]:
    """Every provider by its name."""
    gib = units.parse("1GiB", "bytes")
    found = {}
    for name, row in _table("providers.toml").items():
        prices: dict[str, float | None] = {
            "zone_usd_per_byte": row.pop("zone_transfer_usd_per_gib", None),
            "region_usd_per_byte": row.pop("region_transfer_usd_per_gib", None),
            "object_usd_per_byte_month": row.pop("object_usd_per_gib_month", None),
        }
        per_byte: dict[str, Any] = {key: None if price is None else price / gib for key, price in prices.items()}
        found[name] = Provider(name=name, volumes=tuple(row.pop("volumes")), **per_byte, **row)
    return MappingProxyType(found)


@cache
def volumes() -> Mapping[str, Volume]:
    """Every network volume by its name."""
    gib, mib = units.parse("1GiB", "bytes"), units.parse("1MiB/s", "bytes_per_s")
    found = {}
    for name, row in _table("volumes.toml").items():
        price = row.pop("usd_per_gib_month", None)
        included = row.pop("included_bytes_per_s", None)
        found[name] = Volume(
            name=name,
            usd_per_byte_month=None if price is None else price / gib,
            usd_per_byte_per_s_month=row.pop("usd_per_mib_per_s_month", 0.0) / mib,
            included_bytes_per_s=None if included is None else units.parse(included, "bytes_per_s"),
            bytes_per_s_per_byte=row.pop("bytes_per_s_per_gib", 0.0) / gib,
            iops_per_byte=row.pop("iops_per_gib", 0.0) / gib,
            bytes_per_s=units.parse(row.pop("bytes_per_s"), "bytes_per_s"),
            capacity_bytes=units.parse(row.pop("capacity"), "bytes"),
            **row,
        )
    return MappingProxyType(found)


@cache
def instance_types() -> Mapping[str, InstanceType]:
    """Every machine type of every provider, by its name."""
    found = {}
    for provider in providers().values():
        if provider.types is None:
            continue
        with data_path("hardware", provider.types).open(encoding="utf-8", newline="") as file:
            found.update({row.name: row for row in _types_of(csv.DictReader(file), provider.name)})
    return MappingProxyType(found)


def _types_of(rows: Iterable[Mapping[str, str]], provider: str) -> Iterable[InstanceType]:
    """Machine types from rows of text; the columns are those of `data/hardware/aws.csv`."""
    for row in rows:

        def number(key: str, row: Mapping[str, str] = row) -> float | None:
            return float(row[key]) if row.get(key) else None

        yield InstanceType(
            name=row["name"],
            provider=provider,
            family=row["family"],
            vcpu=float(row["vcpu"]),
            memory_bytes=float(row["memory_bytes"]),
            network_bytes_per_s=float(row["network_bytes_per_s"]),
            network_peak_bytes_per_s=float(row["network_peak_bytes_per_s"]),
            storage_bytes_per_s=number("storage_bytes_per_s"),
            storage_iops=number("storage_iops"),
            local_volumes=int(row["local_volumes"] or 0),
            local_volume_bytes=number("local_volume_bytes") or 0.0,
            local_iops=number("local_iops"),
            architecture=row["architecture"],
            burstable=row["burstable"] == "yes",
            replicas_max=number("replicas_max"),
            source=row["spec_source"],
            as_of=row["spec_as_of"],
            on_demand=_price(row, "price", row.get("price_kind", "")),
            reserved_3y=_price(row, "reserved", "reserved_3y"),
        )


def _price(row: Mapping[str, str], name: str, kind: str) -> Price | None:
    """The price in a row; None when it is missing, and never zero."""
    text = row.get(f"{name}_usd_per_h")
    if not text:
        return None
    return Price(float(text), kind, row[f"{name}_source"], row[f"{name}_as_of"])
