"""Consumers against a log that is read second by second, against hand arithmetic, and what the command says."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import planner
from planner.cli import cli
from planner.model import consumers
from planner.operations.lag import GroupLag
from tests.elementwise import check_element_by_element
from tests.scenarios import scenario, topic

RATE = st.floats(0.001, 1e7)


# the model


def simulated(arriving: list[float], owner: list[int], capacity: float, outage: int) -> tuple[list[float], int | None]:
    """Lag per partition after the outage, and seconds until all of it is gone; members share out what they can do."""
    lag = [rate * outage for rate in arriving]
    after = list(lag)
    for second in range(1, 200_000):
        for member in set(owner):
            mine = [index for index, who in enumerate(owner) if who == member]
            left = capacity
            # in the order of their size, so that nothing of the member's time is left over
            waiting = sorted(mine, key=lambda index: lag[index] + arriving[index])
            for position, index in enumerate(waiting):
                wanted = lag[index] + arriving[index]
                done = min(wanted, left / (len(waiting) - position))
                left -= done
                lag[index] = wanted - done
        if max(lag) <= 1e-9:
            return after, second
    return after, None


@pytest.mark.parametrize(
    ("partitions", "members", "hottest", "capacity", "outage"),
    [(12, 4, 1 / 12, 40.0, 900), (10, 4, 1 / 10, 40.0, 900), (10, 4, 0.2, 50.0, 700), (6, 6, 0.4, 60.0, 1200)],
)
def test_the_slowest_member_against_a_log_read_second_by_second(
    partitions: int, members: int, hottest: float, capacity: float, outage: int
) -> None:
    rate = 100.0
    arriving = [rate * hottest, *([rate * (1 - hottest) / (partitions - 1)] * (partitions - 1))]
    lag, drained = simulated(arriving, [index % members for index in range(partitions)], capacity, outage)
    assert consumers.lag_records(records_per_s=rate, outage_s=outage) == pytest.approx(sum(lag))
    share = float(consumers.slowest_member_fraction(hottest_fraction=hottest, partitions=partitions, members=members))
    found = float(
        consumers.drain_s(lag_records=share * rate * outage, arriving_per_s=share * rate, processed_per_s=capacity)
    )
    assert drained == pytest.approx(found, abs=1.01)
    # and the members that the deadline needs are busy just so much
    most = float(consumers.utilisation_to_drain(behind_s=outage, deadline_s=found))
    assert share * rate / capacity == pytest.approx(most)


@given(lag=st.floats(0, 1e12), arriving=RATE, processed=RATE)
def test_drain_is_never_exactly_when_no_more_is_processed_than_arrives(
    lag: float, arriving: float, processed: float
) -> None:
    found = float(consumers.drain_s(lag_records=lag, arriving_per_s=arriving, processed_per_s=processed))
    assert math.isinf(found) == (processed <= arriving)
    assert math.isinf(float(consumers.drain_s(lag_records=lag, arriving_per_s=arriving, processed_per_s=arriving)))


@given(kept=st.integers(1, 60), outage=st.integers(0, 120), rate=st.integers(1, 9))
def test_lost_records_against_a_log_that_deletes(kept: int, outage: int, rate: int) -> None:
    log = [second for second in range(outage) for _ in range(rate)]  # when each record was written
    lost = sum(outage - written > kept for written in log)
    assert consumers.lost_records(records_per_s=rate, outage_s=outage, kept_s=kept) == lost


@given(behind=st.floats(10, 5000), cached=st.floats(0, 6000), arriving=st.floats(1, 100), times=st.floats(1.2, 5))
def test_cold_reads_against_a_reader_that_looks_at_each_record(
    behind: float, cached: float, arriving: float, times: float
) -> None:
    drain = float(
        consumers.drain_s(lag_records=arriving * behind, arriving_per_s=arriving, processed_per_s=arriving * times)
    )
    steps = 2000
    # at t seconds after the restart the record read is the one number t * processed
    ages = [behind + t - t * times for t in (drain * (step + 0.5) / steps for step in range(steps))]
    cold = drain * sum(age > cached for age in ages) / steps
    found = float(consumers.cold_read_s(duration_s=drain, behind_s=behind, cached_s=cached))
    assert found == pytest.approx(cold, abs=drain / steps * 1.01)


@given(partitions=st.integers(1, 200), members=st.integers(1, 250), tilt=st.floats(0, 1))
def test_the_slowest_member_has_at_least_the_mean_and_never_more_than_all(
    partitions: int, members: int, tilt: float
) -> None:
    hottest = 1 / partitions + tilt * (1 - 1 / partitions)
    found = float(consumers.slowest_member_fraction(hottest_fraction=hottest, partitions=partitions, members=members))
    assert 1 / min(members, partitions) - 1e-9 <= found <= 1
    assert found >= hottest
    even = float(
        consumers.slowest_member_fraction(hottest_fraction=1 / partitions, partitions=partitions, members=members)
    )
    assert even == pytest.approx(math.ceil(partitions / min(members, partitions)) / partitions)


def test_lag_by_hand() -> None:
    # 3 of 5 members idle where a classic group has 2 partitions; none where it is a share group
    assert consumers.active_members(members=5, partitions=2, shared=False) == 2
    assert consumers.active_members(members=5, partitions=2, shared=True) == 5
    # half an hour at 200 records/s too many
    assert consumers.lag_after_overload(arriving_per_s=1200.0, processed_per_s=1000.0, duration_s=1800.0) == 360_000
    assert consumers.lag_after_overload(arriving_per_s=900.0, processed_per_s=1000.0, duration_s=1800.0) == 0
    # 1 GB at 1 MB/s is full after 1000 s, before the hour is over
    assert consumers.readable_s(retention_s=3600.0, retention_bytes=1e9, partition_bytes_per_s=1e6) == 1000
    assert consumers.readable_s(retention_s=3600.0, retention_bytes=math.inf, partition_bytes_per_s=0.0) == 3600


def test_element_by_element() -> None:
    share, rate, time = (0.0, 1.0), (0.0, 1e6), (0.0, 1e7)
    check_element_by_element(consumers.busy_members, records_per_s=rate, records_per_s_per_member=(1e-3, 1e6))
    check_element_by_element(consumers.active_members, members=(1, 500), partitions=(1, 500), shared=(0, 1))
    check_element_by_element(
        consumers.slowest_member_fraction, hottest_fraction=share, partitions=(1, 500), members=(1, 500)
    )
    check_element_by_element(consumers.members_utilisation, busy_members=rate, active_members=(1.0, 500.0))
    check_element_by_element(consumers.lag_records, records_per_s=rate, outage_s=time)
    check_element_by_element(
        consumers.readable_s, retention_s=(1.0, 1e9), retention_bytes=(1.0, 1e15), partition_bytes_per_s=rate
    )
    check_element_by_element(consumers.lost_records, records_per_s=rate, outage_s=time, kept_s=(1.0, 1e9))
    check_element_by_element(
        consumers.drain_s, lag_records=(0.0, 1e12), arriving_per_s=(0.0, 9.0), processed_per_s=(10.0, 1e6)
    )
    check_element_by_element(consumers.lag_after_overload, arriving_per_s=rate, processed_per_s=rate, duration_s=time)
    check_element_by_element(consumers.utilisation_to_drain, behind_s=time, deadline_s=(1.0, 1e6))
    check_element_by_element(consumers.cold_read_s, duration_s=time, behind_s=time, cached_s=time)
    check_element_by_element(
        consumers.cold_read_bytes_per_s, processed_per_s=rate, wire_bytes_per_record=(0.0, 1e6), brokers=(1, 100)
    )


# the answer for a scenario


def group(changes: dict[str, Any] | None = None, *, asked: dict[str, Any] | None = None, **reader: Any) -> GroupLag:
    """The one group of a topic of 1,000 records/s in 12 partitions."""
    member = {"group": "readers", "members": 4, "records_per_s_per_member": 400, **reader}
    one = topic(**{"records_per_s": 1000, "partitions": 12, "consumers": [member], **(changes or {})})
    return planner.consumers(scenario(one), **(asked or {})).groups["readers"]


def test_a_group_by_hand() -> None:
    found = group(asked={"outage_s": 7200, "deadline_s": 3600, "at": "average"})
    # 1,000 of 4 x 400 records/s; 7.2 million wait, and 600/s more are read than arrive
    assert found.utilisation == pytest.approx(0.625)
    assert found.lag_records == 7_200_000
    assert found.drain_s == pytest.approx(12_000)
    # 3,000 records/s are asked for, 8 members read 3,200; but 12 partitions over 8 leave some with 2 of 12
    assert found.members_for_deadline == 12
    assert found.overrun_after_s == 7 * 86400
    assert found.lost_records == 0
    assert found.overtaken_after_s is None
    assert found.topics[0].lag_bytes == pytest.approx(7_200_000 * 1030, rel=0.03)


@pytest.mark.parametrize(("members", "deadline"), [(4, 12_000.1), (6, 5142.9), (12, 1894.8)])
def test_the_members_for_a_deadline_meet_it_and_one_fewer_does_not(members: int, deadline: float) -> None:
    asked = {"outage_s": 7200, "deadline_s": deadline, "at": "average"}
    needed = group(asked=asked).members_for_deadline
    assert needed == members
    with_them, without = (group(asked=asked, members=count).drain_s for count in (needed, needed - 1))
    assert with_them is not None
    assert with_them <= deadline
    assert without is None or without > deadline


def test_partitions_forbid_more_members_and_share_groups_do_not() -> None:
    asked = {"outage_s": 7200, "deadline_s": 600, "at": "average"}
    classic, share = group(asked=asked), group(asked=asked, protocol="share")
    # 13,000 records/s over 400 a member
    assert classic.members_for_deadline is None
    assert "at least 33 members" in str(classic.members_for_deadline_reason)
    assert share.members_for_deadline == 33
    assert group(members=40).active_members == 12
    assert group(members=40, protocol="share").active_members == 40


def test_without_a_rate_or_members_the_lag_is_still_known() -> None:
    for reader in ({"records_per_s_per_member": None}, {"members": None}):
        found = group(asked={"outage_s": 60, "at": "average"}, **reader)
        assert (found.utilisation, found.drain_s, found.cold_reads, found.peak) == (None, None, None, None)
        assert found.utilisation_reason
        assert found.drain_s_reason
        assert found.peak_reason
        assert found.lag_records == 60_000
    slower = group(asked={"at": "average"}, processing_time=0.005)
    assert slower.utilisation == pytest.approx(1000 / (4 * 200))
    # twelve members of 200 records/s read 2,400 of the 3,000 records/s that the deadline takes
    assert slower.members_for_deadline is None
    assert slower.drain_s is None


def test_bytes_delete_before_time_and_the_hottest_partition_first() -> None:
    kept = {"retention": {"time": "1d", "bytes_per_partition": 1e9}, "keys": {"unique": 1e6, "top_key_fraction": 0.3}}
    found = group(kept, asked={"outage_s": 86_400, "at": "average"})
    row = found.topics[0]
    hot = row.hottest_partition_fraction
    per_record = row.lag_bytes / row.lag_records
    first = 1e9 / (1000 * per_record * hot)
    other = min(86_400, 1e9 / (1000 * per_record * (1 - hot) / 11))
    assert found.overrun_after_s == pytest.approx(first, rel=1e-9)
    lost = 1000 * hot * (86_400 - first) + 1000 * (1 - hot) * (86_400 - other)
    assert found.lost_records == pytest.approx(lost)
    assert found.offset_reset["earliest"].lost_records == pytest.approx(lost)
    assert found.offset_reset["latest"].lost_records == found.lag_records
    assert "until somebody sets the offsets" in found.offset_reset["none"].action
    assert found.slowest_utilisation is not None
    assert found.slowest_utilisation > 0.3 * 1000 / 400
    single = group({**kept, "partitions": 1}, asked={"outage_s": 86_400, "at": "average"}, members=1)
    assert single.lost_records == pytest.approx(1000 * 86_400 - 1e9 / per_record)


def test_what_keeps_records_for_ever_loses_none() -> None:
    compacted = {"cleanup": "compact", "keys": {"unique": 1e6}}
    assert "compaction" in str(group(compacted).overrun_after_s_reason)
    forever = group({"retention": {"time": "forever"}}, records_per_s_per_member=100)
    assert (forever.overrun_after_s, forever.lost_records, forever.overtaken_after_s) == (None, 0, None)
    assert "nothing is deleted" in str(forever.overtaken_after_s_reason)


@pytest.mark.parametrize("outage", [0, 30_000, 90_000])
def test_deletion_overtakes_consumers_that_are_too_slow(outage: int) -> None:
    slow = {"retention": {"time": "1d"}}
    found = group(slow, asked={"outage_s": outage, "at": "average"}, records_per_s_per_member=200)
    read, second = 0.0, 0
    while second - read / 1000 < 86_400:
        second += 10
        read += 10 * 800 if second > outage else 0
    assert found.overtaken_after_s == pytest.approx(second, abs=20)


def test_a_peak_against_a_log_read_second_by_second() -> None:
    found = group({"peak_ratio": 2, "peak_duration": "1h"}, asked={"at": "average"}).peak
    lag, second = 0.0, 0
    after_peak = 0.0
    while second < 3600 or lag > 0:
        second += 1
        lag = max(lag + (2000 if second <= 3600 else 1000) - 1600, 0)
        after_peak = lag if second == 3600 else after_peak
    assert found is not None
    assert found.utilisation == pytest.approx(1.25)
    assert found.lag_records == pytest.approx(after_peak)
    assert found.drain_s == pytest.approx(second - 3600, abs=1)
    unknown = group({"peak_ratio": 2}).peak
    assert unknown is not None
    assert (unknown.lag_records, "peak_duration" in str(unknown.lag_records_reason)) == (None, True)
    never = group({"peak_ratio": 2, "peak_duration": "1h"}, records_per_s_per_member=250).peak
    assert never is not None
    assert (never.drain_s, "average" in str(never.drain_s_reason)) == (None, True)


def test_a_group_of_several_topics_shares_its_members() -> None:
    reader = {"group": "readers", "members": 4, "records_per_s_per_member": 400}
    topics = [topic(name=name, records_per_s=600, partitions=3, consumers=[reader]) for name in ("one", "two")]
    asked: dict[str, Any] = {"outage_s": 600, "at": "average"}
    sticky = planner.consumers(scenario(*topics), **asked).groups["readers"]
    # 3 members' work; six partitions over four members, all of which have some
    assert sticky.active_members == 4
    assert sticky.utilisation == pytest.approx(0.75)
    assert [row.capacity_records_per_s for row in sticky.topics] == [pytest.approx(800)] * 2
    eager = [{**row, "consumers": [{**reader, "protocol": "eager"}]} for row in topics]
    ranged = planner.consumers(scenario(*eager), **asked).groups["readers"]
    # the range assignor gives both topics to the same three
    assert ranged.active_members == 3
    assert ranged.utilisation == pytest.approx(1)
    assert ranged.drain_s is None
    quiet = topic(name="quiet", records_per_s=0, consumers=[reader])
    idle = planner.consumers(scenario(topics[0], quiet), **asked).groups["readers"].topics[1]
    assert (idle.drain_s, idle.lag_records) == (0, 0)
    none = planner.consumers(scenario(quiet), **asked).groups["readers"]
    assert (none.utilisation, none.topics[0].capacity_records_per_s) == (0, 1600)


def test_cold_reads_by_hand() -> None:
    short = group(asked={"outage_s": 1, "at": "average"}).cold_reads
    assert short is not None
    assert (short.read_bytes_per_s, short.duration_s) == (0, 0)
    found = group(asked={"outage_s": 86_400 * 3, "at": "average"})
    cold, row = found.cold_reads, found.topics[0]
    assert cold is not None
    # the group reads 1,600 records/s from three brokers
    assert cold.read_bytes_per_s == pytest.approx(1600 * row.lag_bytes / row.lag_records / 3)
    assert found.drain_s is not None
    assert cold.duration_s == pytest.approx(found.drain_s * (1 - cold.cached_s / (86_400 * 3)))


@given(members=st.integers(1, 20), rate=st.integers(50, 1000), outage=st.integers(1, 100_000))
def test_the_answer_drains_exactly_when_the_slowest_member_keeps_up(members: int, rate: int, outage: int) -> None:
    found = group(asked={"outage_s": outage}, members=members, records_per_s_per_member=rate)
    assert found.slowest_utilisation is not None
    assert (found.drain_s is None) == (found.slowest_utilisation >= 1)
    assert bool(found.drain_s_reason) == (found.drain_s is None)


def test_questions_in_error_are_refused_at_once() -> None:
    with pytest.raises(planner.ScenarioError) as caught:
        planner.consumers(scenario(), outage_s=-1, deadline_s=0, at="noon")  # type: ignore[arg-type]
    assert [error.path for error in caught.value.errors] == ["outage_s", "deadline_s", "at"]


def test_the_consumers_command() -> None:
    run = CliRunner()
    done = run.invoke(cli, ["consumers", "preset:clickstream-hot-key", "--outage", "3d", "--deadline", "8h"])
    assert done.exit_code == 0, done.output
    for word in ("Groups after 3 d", "its slowest member", "deleted unread", "auto.offset.reset=latest", "Topics of"):
        assert word in done.stdout
    body = json.loads(run.invoke(cli, ["consumers", "preset:ecommerce", "--format", "json"]).stdout)
    keys = ["utilisation", "lag_records", "drain_s", "overrun_after_s", "lost_records", "members_for_deadline"]
    assert [key for key in body["groups"]["billing"] if key in keys] == keys
    table = run.invoke(cli, ["consumers", "preset:ecommerce", "--at", "average", "--format", "csv"]).stdout
    assert table.splitlines()[0].startswith("group,protocol,members")
    assert "not known" in run.invoke(cli, ["consumers", "preset:startup-10k-a-day"]).stdout
    assert "the lag grows on" in run.invoke(cli, ["consumers", "preset:ecommerce"]).stdout
    wrong = run.invoke(cli, ["consumers", "preset:ecommerce", "--outage", "soon"])
    assert (wrong.exit_code, "--outage" in wrong.stderr) == (2, True)
