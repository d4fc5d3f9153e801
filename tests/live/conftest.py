"""Warnings that come from the client: how it reads its message files, and sockets that it leaves to the collector."""

from __future__ import annotations

import pytest


def pytest_configure(config: pytest.Config) -> None:
    rules = ("ignore:.* is deprecated. Use files:DeprecationWarning", "ignore::ResourceWarning")
    # the last collection happens after the tests, when the rules of a single test are gone
    for rule in (*rules, "ignore::pytest.PytestUnraisableExceptionWarning"):
        config.addinivalue_line("filterwarnings", rule)
