"""The broker behind a name: a reference machine, or a type that can be bought together with its storage.

`m7g.2xlarge` is a type with its local drives, or with 1 TiB of the provider's first network volume where it has none
that are known. `m7g.2xlarge:gp3:4TiB:250MiB/s:6000` names the volume, its size, its rate and its operations.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

from planner import units
from planner.catalogue.offers import InstanceType, PriceKind, Volume, instance_types, providers, volumes
from planner.catalogue.reference import machines
from planner.constants import constant
from planner.model import cost
from planner.scenario import BrokerSpec, InputError, ScenarioError

_FORM = "TYPE, or TYPE:VOLUME:SIZE with a rate and operations after it, such as m7g.2xlarge:gp3:4TiB:250MiB/s:6000"
_DEFAULT_SIZE = "1TiB"


def broker_spec(broker: str | BrokerSpec) -> BrokerSpec:
    """The specification behind a name, or the inline one."""
    if isinstance(broker, BrokerSpec):
        return broker
    if broker in machines():
        return machines()[broker].spec
    name, *storage = broker.split(":")
    kind = instance_types().get(name)
    if kind is None:
        names = [*machines(), *instance_types()]
        near = difflib.get_close_matches(name, names, n=1, cutoff=0.4)
        allowed = f"{', '.join(machines())}; a type of EC2, MSK, Compute Engine or Azure such as m7g.2xlarge; "
        message = "The catalogue has no broker of this name."
        raise _refused(broker, message, f"{allowed}or a specification", near[0] if near else None)
    if not storage and local_known(kind):
        return local_spec(kind)
    return _with_volume(broker, kind, storage or [providers()[kind.provider].volumes[0]])


def bought_type(broker: str | BrokerSpec) -> InstanceType | None:
    """The type behind a name; None for reference machines and inline specifications."""
    return None if isinstance(broker, BrokerSpec) else instance_types().get(broker.split(":")[0])


def local_known(kind: InstanceType) -> bool:
    """Whether the type has local drives whose speed is known."""
    return kind.local_volumes > 0 and kind.local_iops is not None


def local_rate_bytes_per_s(kind: InstanceType) -> float:
    """The rate of one local drive; where none is published, what its small operations surely write."""
    return kind.local_bytes_per_s or (kind.local_iops or 0.0) * constant("cost.block_bytes")


def local_spec(kind: InstanceType) -> BrokerSpec:
    """The type with its local drives."""
    storage = {
        "kind": "local",
        "volumes": kind.local_volumes,
        "capacity": kind.local_volume_bytes,
        "throughput": local_rate_bytes_per_s(kind),
        "iops": kind.local_iops,
    }
    return _spec(kind, storage, machine_per_month(kind))


def _volume_spec(
    kind: InstanceType, volume: Volume, *, capacity_bytes: float, rate_bytes_per_s: float, iops: float
) -> BrokerSpec:
    """The type with one network volume; rate and operations are the lesser of machine and volume."""
    machine = machine_per_month(kind)
    stored = volume_per_month(volume, capacity_bytes, rate_bytes_per_s, iops)
    storage = {
        "kind": "network",
        "volumes": 1,
        "capacity": capacity_bytes,
        "throughput": min(rate_bytes_per_s, kind.storage_bytes_per_s or rate_bytes_per_s),
        "iops": None if volume.iops is None else min(iops, kind.storage_iops or iops),
    }
    return _spec(kind, storage, None if machine is None or stored is None else machine + stored)


def _spec(kind: InstanceType, storage: dict[str, Any], price: float | None) -> BrokerSpec:
    provider = providers()[kind.provider]
    return BrokerSpec.model_validate(
        {
            "vcpu": kind.vcpu,
            "memory": kind.memory_bytes,
            "network_in": None if provider.network == "egress" else kind.network_bytes_per_s,
            "network_out": kind.network_bytes_per_s,
            "duplex": "full",
            "storage_shares_network": provider.storage_shares_network,
            "storage": storage,
            "price_per_month": price,
        }
    )


def machine_per_month(kind: InstanceType, price_kind: PriceKind = "on_demand") -> float | None:
    """Price of one machine for a month, without network volumes; None when it is not known."""
    price = kind.price(price_kind)
    return None if price is None else month_of(price.usd_per_h)


def month_of(price_per_h: float) -> float:
    """Price of a month of what is billed by the hour."""
    return float(cost.machine_per_month(price_per_h=price_per_h, h_per_month=constant("cost.h_per_month")))


def volume_per_month(volume: Volume, capacity_bytes: Any, rate_bytes_per_s: Any, iops: Any) -> Any:
    """Price of a volume for a month, for numbers and arrays alike; None when it is not known."""
    if volume.usd_per_byte_month is None:
        return None
    return cost.volume_per_month(
        capacity_bytes=capacity_bytes,
        price_per_byte=volume.usd_per_byte_month,
        rate_bytes_per_s=rate_bytes_per_s,
        included_bytes_per_s=volume.included_bytes_per_s or 0.0,
        price_per_byte_per_s=volume.usd_per_byte_per_s_month,
        iops=iops,
        included_iops=volume.included_iops or 0.0,
        price_per_iops=volume.usd_per_iops_month,
    )


def _rate_of(volume: Volume, capacity_bytes: float) -> float:
    """The rate that a volume of this size has without paying for more."""
    if volume.bytes_per_s_per_byte:
        return min(volume.bytes_per_s, capacity_bytes * volume.bytes_per_s_per_byte)
    return volume.bytes_per_s if volume.included_bytes_per_s is None else volume.included_bytes_per_s


def _iops_of(volume: Volume, capacity_bytes: float) -> float:
    """The operations that a volume of this size has without paying for more."""
    most = volume.iops or 0.0
    if volume.iops_per_byte:
        return min(most, capacity_bytes * volume.iops_per_byte)
    return most if volume.included_iops is None else volume.included_iops


def _with_volume(broker: str, kind: InstanceType, storage: Sequence[str]) -> BrokerSpec:
    """The type with the volume that the name asks for; every fault of the name at once."""
    name, size, rate, iops, *rest = [*storage, *[""] * 3][: max(len(storage), 4)]
    allowed = providers()[kind.provider].volumes
    if name not in allowed:
        near = difflib.get_close_matches(name, allowed, n=1)
        raise _refused(
            broker, f"{kind.name} has no volume of this kind.", ", ".join(allowed), near[0] if near else None
        )
    if rest:
        raise _refused(broker, "The name goes on after the operations.", _FORM, None)
    volume = volumes()[name]
    try:
        capacity = units.parse(size or _DEFAULT_SIZE, "bytes")
        given_rate = units.parse(rate, "bytes_per_s") if rate else _rate_of(volume, capacity)
        given_iops = units.parse(iops, "per_s") if iops else _iops_of(volume, capacity)
    except units.UnitError as error:
        raise _refused(broker, str(error), _FORM, None) from error
    limits = (
        ("size", capacity, volume.capacity_bytes, "bytes"),
        ("rate", given_rate, volume.bytes_per_s, "bytes_per_s"),
        ("operations", given_iops, volume.iops or given_iops, "per_s"),
    )
    faults = [
        InputError("cluster.broker", broker, f"The {what} is beyond what {name} is sold with.", f"at most {most:,.0f}")
        for what, value, most, _ in limits
        if not 0 <= value <= most * (1 + 1e-9)
    ]
    if faults:
        raise ScenarioError(faults)
    return _volume_spec(kind, volume, capacity_bytes=capacity, rate_bytes_per_s=given_rate, iops=given_iops)


def _refused(broker: str, message: str, allowed: str, nearest: str | None) -> ScenarioError:
    return ScenarioError(
        [InputError(path="cluster.broker", value=broker, message=message, allowed=allowed, nearest=nearest)]
    )
