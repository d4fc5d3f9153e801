"""Broker machines of a few published guides, from `data/hardware/reference.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from planner.constants import data_path
from planner.scenario import BrokerSpec


@dataclass(frozen=True, slots=True)
class Machine:
    """A broker machine with its storage."""

    name: str
    title: str
    spec: BrokerSpec
    source: str
    as_of: str
    note: str


@cache
def machines() -> Mapping[str, Machine]:
    """Every reference machine by its name."""
    found: dict[str, Machine] = {}
    with data_path("hardware", "reference.toml").open("rb") as file:
        table = tomllib.load(file)
    for name, row in table.items():
        about = {key: row.pop(key, "") for key in ("title", "source", "as_of", "note")}
        found[name] = Machine(name=name, spec=BrokerSpec.model_validate(row), **about)
    return MappingProxyType(found)
