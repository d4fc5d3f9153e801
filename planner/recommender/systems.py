"""The systems that are compared, and the sourced facts about them, from `data/systems`.

A fact that is not on file is unknown: it never eliminates a system.
"""

from __future__ import annotations

import csv
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from planner.constants import data_path

Array = NDArray[Any]  # of numbers or of truth values

KAFKA = "kafka"  # the family that the question is about
CLOUDS = ("aws", "gcp", "azure", "multi", "on_premises")
_WORDS = {"forever": math.inf, "unlimited": math.inf}


@dataclass(frozen=True, slots=True)
class System:
    """One system: its name, family, the products that it goes by, and the class of running it."""

    key: str
    name: str
    family: str
    products: tuple[str, ...]
    operation: str


@dataclass(frozen=True, slots=True)
class Fact:
    """One sourced figure about one system; levels are 1 yes, 0.5 in part, 0 no."""

    system: str
    attribute: str
    value: float
    unit: str
    source: str
    as_of: str
    confidence: str
    note: str


@dataclass(frozen=True, eq=False)  # compared by identity, so that its columns can be kept
class Catalogue:
    """Systems in the order of the file, and their facts by system and attribute."""

    systems: tuple[System, ...]
    facts: Mapping[tuple[str, str], Fact]

    def column(self, attribute: str) -> Array:
        """One value per system, as a column; unknown is NaN."""
        return _column(self, attribute, firm=False)

    def firm(self, attribute: str) -> Array:
        """The same without facts of low confidence: what may eliminate a system."""
        return _column(self, attribute, firm=True)

    def without(self, *keys: str) -> Catalogue:
        """The catalogue without these systems."""
        kept = tuple(system for system in self.systems if system.key not in keys)
        return Catalogue(kept, self.facts)

    def index(self, key: str) -> int:
        """The position of a system."""
        return [system.key for system in self.systems].index(key)

    def named(self, product: str) -> Array:
        """A column of 1 for the systems that go by this product name, else 0."""
        return np.array([[float(product in system.products or product == system.key)] for system in self.systems])


@lru_cache(maxsize=512)
def _column(known: Catalogue, attribute: str, *, firm: bool) -> Array:
    found = (known.facts.get((system.key, attribute)) for system in known.systems)
    column = np.array(
        [[math.nan if fact is None or (firm and fact.confidence == "low") else fact.value] for fact in found]
    )
    column.flags.writeable = False
    return column


@cache
def catalogue() -> Catalogue:
    """Every system with its facts."""
    with data_path("systems", "systems.toml").open("rb") as file:
        rows = tomllib.load(file)
    systems = tuple(
        System(key, row["name"], row["family"], tuple(row["products"]), row["operation"]) for key, row in rows.items()
    )
    facts: dict[tuple[str, str], Fact] = {}
    with data_path("systems", "facts.csv").open(encoding="utf-8", newline="") as text:
        for line in csv.DictReader(text):
            fact = _fact(line)
            if (fact.system, fact.attribute) in facts or fact.system not in rows:
                msg = f"data/systems/facts.csv: {fact.system} {fact.attribute} is given twice, or no such system"
                raise ValueError(msg)
            facts[fact.system, fact.attribute] = fact
    return Catalogue(systems, MappingProxyType(facts))


def _fact(line: Mapping[str, str]) -> Fact:
    word = line["value"]
    value = _WORDS[word] if word in _WORDS else float(word)
    return Fact(
        line["system"],
        line["attribute"],
        value,
        line["unit"],
        line["source"],
        line["as_of"],
        line["confidence"],
        line["note"],
    )


@cache
def products() -> frozenset[str]:
    """Every product name that `existing` and `leaving` know."""
    return frozenset(name for system in catalogue().systems for name in (*system.products, system.key))
