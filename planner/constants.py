"""The figures that are not computed: each with unit, range, source and date, read from `data/`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Source:
    """Where a figure or a formula comes from."""

    id: str
    title: str
    url: str
    as_of: str


@dataclass(frozen=True, slots=True)
class Constant:
    """One sourced figure. `low` and `high` bound what is reasonable; `confidence` is high, medium or low."""

    id: str
    value: float
    unit: str
    low: float
    high: float
    source: str
    as_of: str
    applies_to: str
    confidence: str
    note: str


@cache
def resource_root() -> Path:
    """The folder that holds `data/` and `app.py`: inside the package when installed, else the checkout."""
    package = Path(__file__).resolve().parent
    bundled = package / "_bundled"
    return bundled if bundled.is_dir() else package.parent


def data_path(*parts: str) -> Path:
    """A file under `data/`, wherever the package is installed."""
    return resource_root().joinpath("data", *parts)


@cache
def sources() -> Mapping[str, Source]:
    """Every source by its id."""
    with data_path("sources.toml").open("rb") as file:
        table = tomllib.load(file)
    return MappingProxyType({key: Source(id=key, **row) for key, row in table.items()})


@cache
def constants() -> Mapping[str, Constant]:
    """Every constant by its id."""
    found: dict[str, Constant] = {}
    for path in sorted(data_path("constants").glob("*.toml")):
        with path.open("rb") as file:
            table = tomllib.load(file)
        for key, row in table.items():
            if key in found:
                msg = f"constant {key} is defined twice, the second time in {path.name}"
                raise ValueError(msg)
            row.setdefault("confidence", "high")
            row.setdefault("note", "")
            found[key] = Constant(id=key, **row)
    return MappingProxyType(found)


def constant(name: str) -> float:
    """The value of the constant called `name`."""
    return constants()[name].value
