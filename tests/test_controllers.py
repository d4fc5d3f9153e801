"""The quorum against Kafka's documentation, and metadata against a real cluster."""

from __future__ import annotations

import pytest

from planner.constants import constant
from planner.model import controllers
from tests.elementwise import check_element_by_element

NAMES = ("partition_record_base_bytes", "partition_record_replica_bytes", "topic_record_bytes")


def metadata(partitions: float, factor: float, topics: float = 0.0, **given: float) -> float:
    record = {name: constant(f"controllers.{name}") for name in NAMES} | given
    return float(controllers.metadata_bytes(partitions=partitions, replication_factor=factor, topics=topics, **record))


@pytest.mark.parametrize(("factor", "each"), [(1, 75.9), (3, 126.7)])
def test_measured_metadata(factor: int, each: float) -> None:
    """Kafka_facts.md 8: all in, a partition took 75.9 B at RF 1 and 126.7 B at RF 3."""
    # the line through both: 25.4 B a replica on 50.5 B
    assert metadata(1000, factor) == pytest.approx(1000 * each)


def test_metadata_of_large_clusters() -> None:
    # kafka_facts.md 8: about 125 B a partition at RF 3, 25 MB for 200,000 and 125 MB for a million
    assert metadata(200_000, 3) / 25e6 == pytest.approx(1, abs=0.02)
    assert metadata(1_000_000, 3) / 125e6 == pytest.approx(1, abs=0.02)
    # 10,000 topics of nine letters: 21 + 9 B each, and a record's overhead of 10 B
    assert metadata(0, 3, topics=10_000, topic_record_bytes=21 + 9 + 10) == 400_000


def test_three_controllers_or_five() -> None:
    counts = [int(controllers.controller_count(brokers=count, large_cluster_brokers=50)) for count in (1, 49, 50, 900)]
    assert counts == [3, 3, 5, 5]


def test_measured_controller_heap() -> None:
    # kafka_facts.md 8: 26 MB empty, 0.85 KB a partition at RF 1, 5000 of them
    def needed(partitions: float, each: float, floor: float = 1.0) -> float:
        return float(
            controllers.controller_memory_bytes(
                partitions=partitions,
                controller_floor_bytes=floor,
                heap_base_bytes=constant("controllers.heap_base_bytes"),
                heap_bytes_per_partition=each,
            )
        )

    assert needed(5000, 850) == pytest.approx(26e6 + 4.25e6)
    # apache-controller: 5 GB of memory are enough for a typical cluster; at RF 3 up to 1.95 million partitions
    floor, each = constant("controllers.floor_bytes"), constant("controllers.heap_bytes_per_partition")
    assert each == 3 * 850
    assert needed(200_000, each, floor) == floor == 5e9
    assert needed(1.9e6, each, floor) == floor < needed(2e6, each, floor)


def test_internal_topics() -> None:
    def replicas(topics: int, brokers: int) -> float:
        return float(
            controllers.internal_replicas(
                internal_topics=topics,
                partitions_per_topic=constant("internal.partitions_per_topic"),
                replication_factor=constant("internal.replication_factor"),
                brokers=brokers,
            )
        )

    # kafka_facts.md 6: three topics of 50 partitions at RF 3 together 450 replicas
    assert replicas(3, 6) == 450
    assert [replicas(1, brokers) for brokers in (1, 2, 3, 4)] == [50, 100, 150, 150]
    assert replicas(0, 6) == 0


def test_arrays_give_what_floats_give() -> None:
    check_element_by_element(controllers.controller_count, brokers=(1, 100), large_cluster_brokers=(30, 60))
    check_element_by_element(
        controllers.metadata_bytes,
        partitions=(0, 10**6),
        replication_factor=(1.0, 5.0),
        topics=(0, 10_000),
        partition_record_base_bytes=(50.0, 55.0),
        partition_record_replica_bytes=(24.0, 26.0),
        topic_record_bytes=(31.0, 280.0),
    )
    check_element_by_element(
        controllers.controller_memory_bytes,
        partitions=(0, 10**7),
        controller_floor_bytes=(4e9, 5e9),
        heap_base_bytes=(2e7, 6e7),
        heap_bytes_per_partition=(850.0, 2550.0),
    )
    check_element_by_element(
        controllers.internal_replicas,
        internal_topics=(0, 4),
        partitions_per_topic=(1, 50),
        replication_factor=(1, 3),
        brokers=(1, 9),
    )
