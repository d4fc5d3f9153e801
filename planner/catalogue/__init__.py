"""The hardware that a scenario may name: reference machines, and types that can be bought, from `data/hardware`."""

from __future__ import annotations

from planner.catalogue.named import bought_type, broker_spec
from planner.catalogue.reference import Machine, machines

__all__ = ["Machine", "bought_type", "broker_spec", "machines"]
