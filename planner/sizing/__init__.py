"""Scenario to plan: composes model functions and holds no formula of its own."""

from planner.sizing.compose import plan
from planner.sizing.verify import check, compare, reverse

__all__ = ["check", "compare", "plan", "reverse"]
