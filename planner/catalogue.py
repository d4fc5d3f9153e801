"""The hardware that a scenario may name, from `data/hardware`."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from planner.constants import data_path
from planner.scenario import BrokerSpec, InputError, ScenarioError


@dataclass(frozen=True, slots=True)
class Machine:
    """A broker type of the catalogue."""

    name: str
    title: str
    spec: BrokerSpec
    source: str
    as_of: str
    note: str


@cache
def machines() -> Mapping[str, Machine]:
    """Every broker type by its name."""
    found: dict[str, Machine] = {}
    for path in sorted(data_path("hardware").glob("*.toml")):
        with path.open("rb") as file:
            table = tomllib.load(file)
        for name, row in table.items():
            about = {key: row.pop(key, "") for key in ("title", "source", "as_of", "note")}
            found[name] = Machine(name=name, spec=BrokerSpec.model_validate(row), **about)
    return MappingProxyType(found)


def broker_spec(broker: str | BrokerSpec) -> BrokerSpec:
    """The specification behind a catalogue name, or the inline one."""
    if isinstance(broker, BrokerSpec):
        return broker
    if broker in machines():
        return machines()[broker].spec
    near = difflib.get_close_matches(broker, machines(), n=1, cutoff=0.4)
    raise ScenarioError(
        [
            InputError(
                path="cluster.broker",
                value=broker,
                message="The catalogue has no broker of this name.",
                allowed=", ".join(machines()) + ", or a specification",
                nearest=near[0] if near else None,
            )
        ]
    )
