"""One cluster for most live tests, and the ledger that they write into."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.live.cluster import Cluster
from tests.live.ledger import Ledger


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
        "broker.session.timeout.ms": "4000",
        "broker.heartbeat.interval.ms": "500",
    }
    with Cluster(properties=quick) as cluster:
        yield cluster
