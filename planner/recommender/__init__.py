"""Do you even need Kafka? Must-haves, preferences, money, and what would change the answer."""

from planner.recommender.verdict import recommend

__all__ = ["recommend"]
