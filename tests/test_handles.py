"""Descriptors and memory maps against a real broker and Kafka's documentation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.constants import constant
from planner.model import handles

MAPS = constant("handles.maps_per_segment")
DEFAULT_MAPS = 65_530.0  # vm.max_map_count where nobody raised it


def files(segments: float, *, deleted: float = 0.0, connections: float = 0.0, base: float = 0.0) -> float:
    return float(
        handles.open_files(segments=segments, deleted_segments=deleted, connections=connections, base_open_files=base)
    )


def maps(segments: float, base: float = 0.0) -> float:
    return float(handles.mmaps(segments=segments, maps_per_segment=MAPS, base_mmaps=base))


@pytest.mark.parametrize("replicas", [100, 500, 2000, 5000])
def test_an_empty_replica_takes_one_file_and_two_maps(replicas: int) -> None:
    # kafka_facts.md 4, measured at these four counts
    each = float(handles.segments_per_replica(retained_bytes=0.0, segment_fill_bytes=0.0))
    assert files(replicas * each, base=69) - files(0, base=69) == replicas
    assert maps(replicas * each, 428) - maps(0, 428) == 2 * replicas


def test_thirty_segments_take_thirty_files_and_sixty_maps() -> None:
    # 29 full ones and the active one
    segments = float(handles.segments_per_replica(retained_bytes=29e6, segment_fill_bytes=1e6))
    assert segments == files(segments) == 30
    assert maps(segments) == 60


def test_base_constants_cover_what_was_measured() -> None:
    assert constant("handles.base_open_files") >= 90 + 100  # 68 to 90 measured, about 100 jars in a distribution
    assert constant("handles.base_mmaps") >= 440


def test_published_map_limits() -> None:
    def limit(most: float, base: float) -> float:
        return float(handles.segments_at_map_limit(max_map_count=most, base_mmaps=base, maps_per_segment=MAPS))

    # instaclustr-kraft: 65,530 / 2 without a base; kafka_facts.md 4 with the base of a broker
    assert limit(DEFAULT_MAPS, 0) == 32_765
    assert limit(DEFAULT_MAPS, constant("handles.base_mmaps")) == 32_540
    # apache-mmap: 50,000 partitions of one segment take 100,000 maps, more than the default
    assert maps(50_000) == 100_000 > DEFAULT_MAPS
    assert limit(100, 450) == 0


def test_apache_fd_minimum_is_never_above_ours() -> None:
    # apache-fd: partitions * (partition size / segment size) + connections; ours also has the segment being written
    theirs = 1000 * (50e9 / 1e9) + 200
    each = float(handles.segments_per_replica(retained_bytes=50e9, segment_fill_bytes=1e9))
    assert files(1000 * each, connections=200) == theirs + 1000


def test_waiting_segments_keep_their_file_but_no_map() -> None:
    # 1 GB/s in segments of 1 GB for 60 s over 100 replicas: 60 files
    each = float(handles.deleted_segments_per_replica(deleted_bytes=0.01e9 * 60, segment_fill_bytes=1e9))
    assert files(200, deleted=100 * each) == pytest.approx(260)
    assert handles.deleted_segments_per_replica(deleted_bytes=0.0, segment_fill_bytes=0.0) == 0


def test_connections_of_a_broker() -> None:
    # 9 brokers, 2 fetchers: 16 sockets out to the others and 16 in from them
    count = handles.connections(client_connections=500, brokers=9, replica_fetchers=2, controller_connections=3)
    assert count == 500 + 16 + 16 + 3
    assert handles.connections(client_connections=5, brokers=1, replica_fetchers=4, controller_connections=0) == 5


@given(retained=st.floats(0, 1e13), fill=st.floats(1e6, 1e10), offset=st.floats(0, 1))
def test_a_replica_never_touches_more_segments(retained: float, fill: float, offset: float) -> None:
    begin, end = offset * fill, offset * fill + retained
    touched = int(end // fill) - int(begin // fill) + 1
    most = float(handles.segments_per_replica(retained_bytes=retained, segment_fill_bytes=fill))
    # on a boundary a segment is touched by no byte
    assert touched - (end % fill < 1e-3) - (fill - begin % fill < 1e-3) <= most
    assert 1 <= most <= retained / fill + 2


def test_a_full_segment_is_not_two_for_rounding() -> None:
    rate, week = 0.1 + 0.2, 604_800.0
    each = handles.segments_per_replica(retained_bytes=rate * week * 3, segment_fill_bytes=0.3 * week)
    assert each == 4


def test_replicas_are_computed_side_by_side() -> None:
    retained, fill = np.array([0.0, 5e9, 2e9]), np.array([0.0, 1e9, 1e9])
    each = np.asarray(handles.segments_per_replica(retained_bytes=retained, segment_fill_bytes=fill))
    assert each.tolist() == [1, 6, 3]
    waiting = np.asarray(handles.deleted_segments_per_replica(deleted_bytes=retained, segment_fill_bytes=fill))
    assert waiting.tolist() == [0, 5, 2]
    brokers = np.array([1.0, 3.0])
    count = handles.connections(client_connections=10, brokers=brokers, replica_fetchers=1, controller_connections=3)
    assert np.asarray(count).tolist() == [13, 17]
