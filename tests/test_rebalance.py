"""Rebalances against simulated groups, against hand arithmetic, and what the command says."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import planner
from planner.cli import cli
from planner.model import rebalance
from planner.operations.rebalances import GroupRebalances
from planner.scenario import Scenario
from tests.elementwise import check_element_by_element
from tests.scenarios import topic

DAY = 86_400.0

# the model


@pytest.mark.parametrize(
    ("members", "partitions", "per_day", "pause", "cooperative"),
    [(4, 24, 40.0, 4.0, True), (4, 24, 40.0, 1.0, False), (12, 96, 200.0, 6.0, True)],
)
def test_lost_time_against_a_simulated_group(
    members: int, partitions: int, per_day: float, pause: float, cooperative: bool
) -> None:
    generator = np.random.default_rng(5)
    days, idle, events = 400, 0.0, 0
    for _ in range(members):
        # each restart moves the member's partitions away, and others to it when it is back
        restarts = generator.poisson(per_day / members * days)
        events += 2 * restarts
        idle += 2 * restarts * pause * (partitions / members if cooperative else partitions)
    rate = float(rebalance.restart_events_per_s(restarts_per_s=per_day / members / DAY, members=members, evicted=True))
    assert rate * DAY * days == pytest.approx(events, rel=4 / math.sqrt(per_day * days))
    moved = 1 / members if cooperative else 1.0
    found = float(rebalance.stopped_fraction(events_per_s=rate, pause_s=pause, moved_fraction=moved))
    assert found == pytest.approx(idle / partitions / (days * DAY), rel=4 / math.sqrt(per_day * days))


@given(members=st.integers(1, 30), late=st.floats(0.01, 1), poll=st.floats(1, 800), interval=st.floats(10, 600))
def test_overruns_against_members_that_poll_one_by_one(members: int, late: float, poll: float, interval: float) -> None:
    generator = np.random.default_rng(3)
    polls = 20_000
    overran = generator.random(polls) < late
    took = np.where(overran, max(poll, interval), poll)
    simulated = 2 * members * overran.sum() / took.sum()
    found = float(
        rebalance.overrun_events_per_s(
            members=members, overrun_fraction=late, poll_s=poll, max_poll_interval_s=interval
        )
    )
    assert found == pytest.approx(simulated, rel=5 / math.sqrt(polls * late))


@given(record=st.floats(0.01, 5), interval=st.floats(10, 600), utilisation=st.floats(0.05, 0.95))
def test_the_pause_that_starts_overruns_against_a_member_that_polls(
    record: float, interval: float, utilisation: float
) -> None:
    rate = utilisation / record  # arrivals of one member
    pause = float(rebalance.pause_that_overruns_s(max_poll_interval_s=interval, utilisation_fraction=utilisation))

    def longest(stopped: float) -> float:
        """The longest that the member works between polls after it stood still, with no limit on a poll."""
        lag, worst = rate * stopped, 0.0
        for _ in range(200):
            worst = max(worst, lag * record)
            lag = rate * lag * record  # what arrives while it works on the lag
        return worst

    assert longest(pause * 0.99) < interval < longest(pause * 1.01)


def test_rebalances_by_hand() -> None:
    # 500 records of half a second; five such batches in 300 s leave 120 records
    assert rebalance.worst_batch_s(max_poll_records=500, record_s=0.5) == 250
    assert rebalance.poll_records_that_fit(max_poll_interval_s=300.0, record_s=0.5, batches=5) == 120
    assert rebalance.poll_records_that_fit(max_poll_interval_s=300.0, record_s=100.0, batches=5) == 1
    # nobody notices a static member that is back in time
    assert rebalance.restart_events_per_s(restarts_per_s=1.0, members=9, evicted=False) == 0
    assert rebalance.overrun_events_per_s(members=4, overrun_fraction=0.0, poll_s=0.0, max_poll_interval_s=300.0) == 0
    # a member away for a minute once an hour
    assert rebalance.absent_fraction(absences_per_s=1 / 3600, away_s=60.0) == pytest.approx(1 / 60)
    assert rebalance.rebalance_s(pause_s=1.0, worst_batch_s=400.0, max_poll_interval_s=300.0) == 301
    # every ten seconds one of twenty: they overlap
    assert rebalance.rebalancing_fraction(events_per_s=0.1, rebalance_s=20.0) == 1


def test_element_by_element() -> None:
    share, rate, time = (0.0, 1.0), (0.0, 10.0), (0.0, 1e6)
    check_element_by_element(rebalance.worst_batch_s, max_poll_records=(1, 100_000), record_s=time)
    check_element_by_element(rebalance.restart_events_per_s, restarts_per_s=rate, members=(1, 500), evicted=(0, 1))
    check_element_by_element(
        rebalance.overrun_events_per_s,
        members=(1, 500),
        overrun_fraction=share,
        poll_s=time,
        max_poll_interval_s=(0.001, 1e6),
    )
    check_element_by_element(rebalance.stopped_fraction, events_per_s=rate, pause_s=time, moved_fraction=share)
    check_element_by_element(rebalance.absent_fraction, absences_per_s=rate, away_s=time)
    check_element_by_element(rebalance.rebalance_s, pause_s=time, worst_batch_s=time, max_poll_interval_s=(0.001, 1e6))
    check_element_by_element(rebalance.rebalancing_fraction, events_per_s=rate, rebalance_s=time)
    check_element_by_element(
        rebalance.pause_that_overruns_s, max_poll_interval_s=(0.001, 1e6), utilisation_fraction=(1e-6, 2.0)
    )
    check_element_by_element(
        rebalance.poll_records_that_fit, max_poll_interval_s=(0.001, 1e6), record_s=(1e-6, 1e4), batches=(1, 10)
    )


# the answer for a scenario


def group(operations: dict[str, Any] | None = None, *, version: str = "4.3", **reader: Any) -> GroupRebalances:
    """The one group of a topic of 1,000 records/s in 24 partitions."""
    member = {"group": "readers", "members": 4, "records_per_s_per_member": 400, **reader}
    one = topic(records_per_s=1000, partitions=24, consumers=[member])
    body = {"topics": [one], "operations": operations or {}, "cluster": {"kafka_version": version}}
    return planner.rebalance(Scenario.model_validate(body)).groups["readers"]


QUIET: dict[str, Any] = {"deploys_per_day": 0, "crashes_per_member_per_day": 0}


def test_events_by_hand() -> None:
    found = group({"deploys_per_day": 6, "crashes_per_member_per_day": 1.5, "autoscale_events_per_day": 12})
    assert found.events is not None
    # 6 x 4 members leave and join, 1.5 x 4 as well, and 12 changes, in 24 hours
    assert found.events.deploys == pytest.approx(2)
    assert found.events.crashes == pytest.approx(0.5)
    assert found.events.autoscaling == pytest.approx(0.5)
    assert found.events_per_hour == pytest.approx(3)
    one = topic(records_per_s=0, consumers=[{"group": "readers", "members": 4}])
    silent = planner.rebalance(Scenario.model_validate({"topics": [one], "operations": QUIET})).groups["readers"]
    assert silent.events_per_hour == 0
    none = group(QUIET)
    assert (none.events_per_hour, none.lost_fraction, none.storm) == (0, 0, False)
    assert "nothing makes" in none.storm_reason
    assert none.deploy_rebalancing_fraction is None
    late = group({**QUIET, "poll_overrun_fraction": 0.01})
    # a member of 250 records/s needs 2 s for 500 of them; one poll of 100 lasts 300 s
    assert late.events_per_hour == pytest.approx(3600 * 2 * 4 * 0.01 / (0.99 * 2 + 0.01 * 300))


@pytest.mark.parametrize(("restart", "session", "events"), [(30, 45, 0), (45, 45, 48), (60, 45, 48)])
def test_static_members_that_are_back_in_time_cause_none(restart: int, session: int, events: int) -> None:
    operations = {"deploys_per_day": 6, "crashes_per_member_per_day": 0, "restart_time": restart}
    found = group(operations, static_membership=True, session_timeout=session)
    assert found.events_per_hour == pytest.approx(events / 24)
    # their partitions wait for them instead, or for the end of their session
    assert found.absent_fraction == pytest.approx(6 * min(restart, session) / DAY)
    assert ("group.consumer.session.timeout.ms" in found.settings) == (events > 0)


def simulated(protocol: str, *, static: bool, days: int = 300) -> float:
    """Share of the consuming time that four members of 24 partitions lose; each second of each partition is counted."""
    generator = np.random.default_rng(17)
    pause = {"eager": 1.0, "cooperative": 4.0, "consumer": 6.0}[protocol]
    idle = np.zeros(days * 86_400, dtype=np.int32)  # partitions that stand still, in each second

    def stop(start: float, seconds: float, count: int) -> None:
        idle[int(start) : int(start + seconds)] += count

    moved = 24 if protocol == "eager" else 6
    for day in range(days):
        begins = day * 86_400 + 40_000
        for member in range(4):
            at = begins + member * 200
            if static:
                stop(at, 60, 6)
            else:
                stop(at, pause, moved)
                stop(at + 60, pause, moved)
            for _ in range(generator.poisson(2.0)):
                crash = day * 86_400 + generator.uniform(0, 80_000)
                stop(crash, 60 if static else 45, 6)
                if not static:
                    stop(crash + 45, pause, moved)
                    stop(crash + 60, pause, moved)
    return float(np.minimum(idle, 24).sum() / 24 / len(idle))


@pytest.mark.parametrize("protocol", ["eager", "cooperative", "consumer"])
@pytest.mark.parametrize("static", [False, True])
def test_the_lost_share_against_a_group_simulated_second_by_second(protocol: str, static: bool) -> None:
    operations = {"deploys_per_day": 1, "crashes_per_member_per_day": 2, "restart_time": 60}
    found = group(operations, protocol=protocol, static_membership=static, session_timeout=90 if static else 45)
    # 2,400 crashes are drawn: one per cent of noise each way, and pauses of whole seconds
    assert found.lost_fraction == pytest.approx(simulated(protocol, static=static), rel=0.06)
    assert found.lost_fraction is not None
    assert found.lost_fraction_low is not None
    assert found.lost_fraction_high is not None
    assert found.lost_fraction_low <= found.lost_fraction <= found.lost_fraction_high
    chosen = [row for row in found.alternatives if (row.protocol, row.static_membership) == (protocol, static)]
    assert [row.lost_fraction for row in chosen] == [pytest.approx(found.lost_fraction)]


def test_share_groups_stop_for_nobody() -> None:
    found = group({"deploys_per_day": 24}, protocol="share", records_per_s_per_member=10)
    assert (found.lost_fraction, found.moved_fraction) == (0, 0)
    assert found.events_per_hour == pytest.approx(8 + 2 * 4 * 0.01 / 24)
    assert list(found.settings) == ["group.share.record.lock.duration.ms"]  # 500 records take 50 s
    assert found.settings["group.share.record.lock.duration.ms"].value == "50000"
    assert group(protocol="share").settings == {}
    assert "stop nothing" in str(found.more_members)


def test_batches_longer_than_the_interval_are_a_storm() -> None:
    found = group(QUIET, processing_time=1.0, records_per_s_per_member=None)
    # 500 s for a full batch, 300 s allowed; each member leaves and joins every 500 s
    assert found.worst_batch_s == 500
    assert found.storm is True
    assert found.events_per_hour == pytest.approx(4 * 2 * 3600 / 500)
    assert found.lost_fraction == 1
    assert found.settings["max.poll.interval.ms"].value == "2500000"
    assert found.settings["max.poll.records"].value == "60"
    # 250 records/s a member over one a second
    assert found.storm_starts_after_s == pytest.approx(300 / 250)
    assert "full batch of the same lag" in str(found.more_members)
    ended = group(QUIET, processing_time=1.0, records_per_s_per_member=None, max_poll_records=60)
    assert (ended.storm, ended.settings) == (False, {})
    assert "fit into" in str(ended.storm_starts_after_s_reason)
    single = group(QUIET, processing_time=400.0, records_per_s_per_member=None, max_poll_records=1)
    assert list(single.settings) == ["max.poll.interval.ms"]  # no poll is smaller than one record
    silent = planner.rebalance(
        Scenario.model_validate(
            {"topics": [topic(records_per_s=0, consumers=[{"group": "readers", "members": 2, "processing_time": 1}])]}
        )
    ).groups["readers"]
    assert (silent.storm, silent.storm_starts_after_s) == (True, None)
    assert "nothing arrives" in str(silent.storm_starts_after_s_reason)


def test_rebalances_that_overlap_are_a_storm_and_static_membership_ends_it() -> None:
    # 4 x 2,000 restarts a day are a rebalance every 5.4 s, and each waits up to 40 s for a full batch
    busy = {"deploys_per_day": 2000, "crashes_per_member_per_day": 0, "restart_time": 20}
    found = group(busy, records_per_s_per_member=12.5, protocol="eager")
    assert found.storm is True
    assert found.rebalancing_fraction == 1
    assert "every 5.4" in found.storm_reason
    assert found.deploy_rebalancing_fraction == 1
    assert {"group.instance.id", "partition.assignment.strategy", "group.protocol"} <= found.settings.keys()
    assert "session.timeout.ms" not in found.settings  # 45 s outlast a restart of 20 s
    ended = group(busy, records_per_s_per_member=12.5, protocol="eager", static_membership=True)
    assert (ended.storm, ended.events_per_hour) == (False, 0)
    assert "every partition stops" in str(found.more_members)


@pytest.mark.parametrize(
    ("protocol", "restart", "setting", "word"),
    [
        ("eager", 60, "session.timeout.ms", "its session ends"),
        ("eager", 3600, "session.timeout.ms", "group.max.session.timeout.ms (1800000)"),
        ("consumer", 30, "group.consumer.session.timeout.ms", "its session ends"),
        ("consumer", 60, "group.consumer.session.timeout.ms", "group.consumer.max.session.timeout.ms (60000)"),
    ],
)
def test_sessions_that_end_before_a_restart(protocol: str, restart: int, setting: str, word: str) -> None:
    found = group({"restart_time": restart}, protocol=protocol, static_membership=True, session_timeout=20)
    assert found.settings[setting].value == str(restart * 1500)
    assert found.settings[setting].now == "20000"
    assert found.settings[setting].where == ("broker" if protocol == "consumer" else "client")
    assert word in found.settings[setting].why


def test_advice_that_loses_more_than_it_saves_is_not_given() -> None:
    assert "group.instance.id" not in group({"restart_time": 60}, protocol="cooperative").settings
    quick = group({"restart_time": 1, "crashes_per_member_per_day": 1}, protocol="cooperative", session_timeout=1)
    assert {"group.instance.id", "session.timeout.ms"} <= quick.settings.keys()
    assert "group.protocol" not in group(protocol="eager", version="3.9").settings
    assert "partition.assignment.strategy" in group(protocol="eager", version="3.9").settings
    assert {row.protocol for row in group(version="3.9").alternatives} == {"eager", "cooperative"}
    assert "partition.assignment.strategy" not in group(protocol="eager", members=1).settings


def test_what_is_not_known_is_said() -> None:
    unknown = group(members=None)
    assert (unknown.events_per_hour, unknown.lost_fraction, unknown.storm) == (None, None, None)
    assert unknown.events_per_hour_reason
    assert unknown.lost_fraction_reason
    assert unknown.more_members_reason
    assert "not known" in unknown.headline
    rateless = group(records_per_s_per_member=None)
    assert rateless.worst_batch_s is None
    assert rateless.worst_batch_s_reason
    assert "not known" in rateless.storm_reason


@given(
    members=st.integers(1, 50),
    deploys=st.floats(0, 50),
    protocol=st.sampled_from(["eager", "cooperative", "consumer", "share"]),
)
def test_more_members_never_mean_fewer_rebalances(members: int, deploys: float, protocol: str) -> None:
    few, many = (
        group({"deploys_per_day": deploys}, members=count, protocol=protocol) for count in (members, members + 1)
    )
    assert few.events_per_hour is not None
    assert many.events_per_hour is not None
    assert few.events_per_hour <= many.events_per_hour
    if protocol == "eager" and few.lost_fraction is not None and many.lost_fraction is not None:
        assert few.lost_fraction <= many.lost_fraction + 1e-12


def test_the_rebalance_command() -> None:
    run = CliRunner()
    sets = ["--set", "topics.clicks.consumers.lake-loader.processing_time=1s"]
    done = run.invoke(cli, ["rebalance", "preset:clickstream-hot-key", *sets])
    assert done.exit_code == 0, done.output
    for word in ("a storm", "Settings to change", "max.poll.interval.ms", "Twice the members", "under other protocols"):
        assert word in done.stdout
    body = json.loads(run.invoke(cli, ["rebalance", "preset:ecommerce", "--format", "json"]).stdout)
    keys = ["events_per_hour", "lost_fraction", "storm", "settings"]
    assert [key for key in body["groups"]["billing"] if key in keys] == keys
    table = run.invoke(cli, ["rebalance", "preset:ecommerce", "--format", "csv"]).stdout
    assert table.splitlines()[0].startswith("group,protocol,static_membership,members,events_per_hour")
    assert "no" in run.invoke(cli, ["rebalance", "preset:startup-10k-a-day"]).stdout


def test_topics_without_consumers_and_groups_without_members(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text("topics: [{name: t, records_per_s: 10, consumers: []}]", encoding="utf-8")
    for command in ("consumers", "rebalance"):
        done = CliRunner().invoke(cli, [command, str(path)])
        assert (done.exit_code, done.stdout) == (0, "No topic has consumers.\n\n")
    path.write_text("topics: [{name: t, records_per_s: 10, consumers: [{group: g}]}]", encoding="utf-8")
    assert "not known" in CliRunner().invoke(cli, ["rebalance", str(path)]).stdout
