"""Every broker that can be bought, as arrays: machine types with each storage and each rate of it that makes sense."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from planner import units
from planner.catalogue.named import local_known, local_rate_bytes_per_s, machine_per_month
from planner.catalogue.offers import InstanceType, PriceKind, Provider, Volume, instance_types, providers, volumes
from planner.constants import constant
from planner.model.types import Array


@dataclass(frozen=True, slots=True)
class Variant:
    """A machine type with one storage: its local drives, or a network volume at a rate."""

    kind: InstanceType
    volume: Volume | None
    rate_bytes_per_s: float  # of all local drives, or of the one volume


@dataclass(frozen=True, slots=True)
class Group:
    """Variants that share what cannot be an array: the seller's metering, and the volumes a broker has."""

    provider: Provider
    volume: Volume | None
    volumes: int
    variants: tuple[Variant, ...]
    vcpu: Array
    memory_bytes: Array
    network_bytes_per_s: Array
    rate_bytes_per_s: Array
    iops: Array  # that machine and storage reach
    disk_bytes: Array  # of local drives; network volumes are sized
    replicas_max: Array
    machine_per_month: Array


def refusal_of(kind: InstanceType, price_kind: PriceKind) -> str | None:
    """Why a type is not even looked at."""
    if kind.burstable:
        return "its CPU is only lent: bursts end when credits do, so its vCPUs are not what a broker can use"
    if kind.family.endswith("-flex"):
        return "its CPU is only lent: a flex type has its whole CPU most of the time, not all of it"
    if kind.price(price_kind) is None:
        return f"no {price_kind.replace('_', ' ')} price is known for it"
    return None


@cache
def groups(price_kind: PriceKind, sellers: frozenset[str], own: tuple[InstanceType, ...] = ()) -> tuple[Group, ...]:
    """All variants of these sellers, grouped; machines and prices of the user's own go before those listed."""
    found: dict[tuple[str, str, int], list[Variant]] = {}
    for kind in offered(own).values():
        if kind.provider in sellers and refusal_of(kind, price_kind) is None:
            for variant in _variants(kind):
                name = variant.volume.name if variant.volume else ""
                found.setdefault((kind.provider, name, _count(variant)), []).append(variant)
    return tuple(_group(providers()[key[0]], variants, price_kind) for key, variants in found.items())


def offered(own: tuple[InstanceType, ...]) -> dict[str, InstanceType]:
    """Every type that can be bought, with the user's own machines and prices."""
    return {**instance_types(), **{kind.name: kind for kind in own}}


def _count(variant: Variant) -> int:
    return 1 if variant.volume else variant.kind.local_volumes


def _variants(kind: InstanceType) -> Iterator[Variant]:
    if local_known(kind):
        yield Variant(kind, None, local_rate_bytes_per_s(kind) * kind.local_volumes)
    for name in providers()[kind.provider].volumes:
        volume = volumes()[name]
        if volume.usd_per_byte_month is not None:
            yield from (Variant(kind, volume, rate) for rate in _rates(kind, volume))


def _rates(kind: InstanceType, volume: Volume) -> Iterator[float]:
    """The rate that is included, and doubles of it up to what machine and volume reach."""
    most = min(volume.bytes_per_s, kind.storage_bytes_per_s or volume.bytes_per_s)
    rate = volume.included_bytes_per_s or units.parse("125MiB/s", "bytes_per_s")
    for _ in range(int(constant("search.levels"))):
        yield min(rate, most)
        if rate >= most:
            return
        rate *= 2


def _group(provider: Provider, variants: Sequence[Variant], price_kind: PriceKind) -> Group:
    first = variants[0]
    inf = float("inf")

    def column(values: Iterator[float | None]) -> Array:
        return np.array([inf if value is None else value for value in values], dtype=float)

    kinds = [variant.kind for variant in variants]
    return Group(
        provider=provider,
        volume=first.volume,
        volumes=_count(first),
        variants=tuple(variants),
        vcpu=column(kind.vcpu for kind in kinds),
        memory_bytes=column(kind.memory_bytes for kind in kinds),
        network_bytes_per_s=column(kind.network_bytes_per_s for kind in kinds),
        rate_bytes_per_s=column(variant.rate_bytes_per_s for variant in variants),
        iops=column(_iops(variant) for variant in variants),
        disk_bytes=column(kind.local_volume_bytes * kind.local_volumes for kind in kinds),
        replicas_max=column(kind.replicas_max for kind in kinds),
        machine_per_month=column(machine_per_month(kind, price_kind) for kind in kinds),
    )


def _iops(variant: Variant) -> float | None:
    kind, volume = variant.kind, variant.volume
    if volume is None:
        return (kind.local_iops or 0.0) * kind.local_volumes
    limits = [limit for limit in (volume.iops, kind.storage_iops) if limit is not None]
    return min(limits, default=None)


def sellers_of(names: Collection[str] | None) -> frozenset[str]:
    """The providers asked for; all of them by default."""
    return frozenset(names or providers())
