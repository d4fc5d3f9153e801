"""Advice on a cluster in operation: audit of its settings, a monitoring pack, diagnosis of slowness."""

from planner.advise.auditing import audit
from planner.advise.pack import monitoring
from planner.advise.slowness import diagnose

__all__ = ["audit", "diagnose", "monitoring"]
