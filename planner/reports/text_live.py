"""A live cluster against its plan, as text."""

from __future__ import annotations

from planner.reports.page import Page
from planner.reports.tables import Table
from planner.reports.text import check_text
from planner.reports.text_import import gap_line
from planner.reports.words import STATE_LABELS, quantity, visible
from planner.results import RESOURCE_WORDS
from planner.sources.today import Hottest, Today, TopicToday

_MOST_ROWS = 60
_MOST_NAMED = 5


def live_text(found: Today, page: Page) -> None:
    """Verdict and runway, what is out of proportion, topics, then the check of every state."""
    page.line(_verdict(found), "bold")
    page.say([_runway(found), *_hot(found), *_odd(found)])
    if found.gaps:
        page.say(["Not read:", *(f"  {visible(gap_line(gap))}" for gap in found.gaps[:_MOST_ROWS])])
    _topics(found, page)
    check_text(found.today, page)


def _verdict(found: Today) -> str:
    holds = "holds" if found.holds else "does not hold"
    planned = f" (planned: {found.planned_brokers})" if found.planned_brokers is not None else ""
    return f"Under today's load the cluster {holds}: {found.brokers} brokers{planned}."


def _runway(found: Today) -> str:
    factor = found.max_load_factor
    room = "It carries any load" if factor is None else f"It carries {factor:.3g} times today's load"
    if not found.growth_per_year:
        return f"{room}; no growth is known, so no date (policy.growth_per_year, or --prometheus)."
    limit = found.first_limit
    if limit is None or limit.date is None:
        return f"{room}; at {found.growth_per_year:.0%} growth a year no limit is reached within three years."
    where = f"{RESOURCE_WORDS[limit.resource]}, {STATE_LABELS[limit.state]}"
    return f"{room}; at {found.growth_per_year:.0%} growth a year the first limit is reached on {limit.date}: {where}."


def _hot(found: Today) -> list[str]:
    def line(row: Hottest, noun: str) -> str:
        rate = quantity(row.bytes_per_s, "bytes/s")
        return f"The hottest {noun} is {visible(row.what)}: {rate} written, {row.over_mean:.2f} times the mean."

    rows = ((found.hottest_broker, "broker"), (found.hottest_partition, "partition"))
    return [line(row, noun) for row, noun in rows if row is not None]


def _odd(found: Today) -> list[str]:
    """A sentence for each kind of topic that is out of proportion."""
    above = [row.topic for row in found.topics if row.today_over_planned is not None and row.today_over_planned > 1]
    kinds = (
        ("Above the plan today", above),
        ("Idle", [row.topic for row in found.topics if row.idle]),
        ("Far more partitions than load and readers ask for", [r.topic for r in found.topics if r.over_partitioned]),
        ("Replicas that share a rack", [row.topic for row in found.topics if row.misplaced_partitions]),
        ("Not in the plan", [row.topic for row in found.topics if row.note == "not in the plan"]),
        ("Planned, but not in the cluster", [row.topic for row in found.topics if row.note == "not in the cluster"]),
    )
    return [f"{title}: {_named(names)}." for title, names in kinds if names]


def _named(names: list[str]) -> str:
    more = len(names) - _MOST_NAMED
    return visible(", ".join(names[:_MOST_NAMED])) + (f" and {more} more" if more > 0 else "")


def _topics(found: Today, page: Page) -> None:
    heads = ("topic", "today", "planned\nat peak", "today over\nplanned", "partitions", "needed", "remarks")
    rows = sorted(found.topics, key=lambda row: (-(row.today_bytes_per_s or 0), row.topic))
    notes = (f"{len(rows) - _MOST_ROWS} more are in --format json.",) if len(rows) > _MOST_ROWS else ()
    table = tuple(map(_row, rows[:_MOST_ROWS]))
    page.table(Table("Topics today", heads, table, notes, right=frozenset({1, 2, 3, 4, 5}), prose=frozenset({6})))


def _row(row: TopicToday) -> tuple[str, ...]:
    remarks = [row.note] if row.note else []
    remarks += ["idle"] if row.idle else []
    remarks += ["over-partitioned"] if row.over_partitioned else []
    remarks += [f"{row.misplaced_partitions} partitions share a rack"] if row.misplaced_partitions else []
    return (
        visible(row.topic),
        "?" if row.today_bytes_per_s is None else quantity(row.today_bytes_per_s, "bytes/s"),
        "-" if row.planned_bytes_per_s is None else quantity(row.planned_bytes_per_s, "bytes/s"),
        "-" if row.today_over_planned is None else f"{row.today_over_planned:.0%}",
        "-" if row.today_partitions is None else str(row.today_partitions),
        "-" if row.needed_partitions is None else f"{row.needed_partitions:.3g}",
        ", ".join(remarks) or "-",
    )
