"""One cluster for most live tests, and the ledger that they write into."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.live.cluster import Cluster
from tests.live.ledger import Ledger


def pytest_configure(config: pytest.Config) -> None:
    # kafka-python reads its message files in an old way, and leaves sockets of dead brokers to the collector; the last
    # collection happens after the tests, when the rules of a single test are gone
    for rule in (
        "ignore:.* is deprecated. Use files:DeprecationWarning",
        "ignore::ResourceWarning",
        "ignore::pytest.PytestUnraisableExceptionWarning",
    ):
        config.addinivalue_line("filterwarnings", rule)


@pytest.fixture(scope="session")
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture(scope="session")
def kafka() -> Iterator[Cluster]:
    """Three brokers in three racks; retention and compaction look every five seconds."""
    quick = {
        "log.retention.check.interval.ms": "5000",
        "log.segment.delete.delay.ms": "10000",
        "log.cleaner.backoff.ms": "2000",
    }
    with Cluster(properties=quick) as cluster:
        yield cluster
