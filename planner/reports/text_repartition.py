"""A change of a partition count as text: the answer, what breaks, the routes side by side, one runbook."""

from __future__ import annotations

from collections.abc import Callable

from planner.operations.repartitioning import Figure, Repartition, Route
from planner.reports.page import Page
from planner.reports.tables import Table
from planner.reports.words import finding_line, quantity, unit_of_figure

ROUTE_LABELS = {
    "add_in_place": "add in place",
    "drain_then_add": "drain, then add",
    "new_topic_and_cutover": "new topic and cutover",
}
_BREAK_LABELS = {
    "key_order": "the order of a key",
    "keyed_state": "keyed state",
    "compacted_stale": "compaction",
    "co_partitioned": "joins",
    "static_members": "what members keep by key",
}
_FIGURE_LABELS = {
    "fullest_broker.replicas": "replicas on the fullest broker",
    "fullest_broker.memory_bytes": "memory of the fullest broker",
    "fullest_broker.open_files": "open files of the fullest broker",
    "fullest_broker.mmaps": "memory maps of the fullest broker",
    "fullest_broker.cpu_fraction": "CPU of the fullest broker",
    "fullest_broker.disk_bytes": "disk space of the fullest broker",
    "fullest_broker.disk_iops": "disk operations of the fullest broker",
    "cluster.produce_requests_per_s": "produce requests",
    "cluster.fetch_requests_per_s": "fetch requests",
    "cluster.partitions": "partitions",
    "cluster.replicas": "replicas",
    "cluster.controller_memory_bytes": "memory of a controller",
    "topic.batch_records": "records in a batch of the topic",
}


def repartition_text(found: Repartition, page: Page, *, route: str | None = None) -> None:
    """The answer in a sentence, then tables, then the runbook of a route."""
    page.line(repartition_sentence(found), "bold")
    failing = [] if found.holds_meanwhile else ["Fails: the cluster does not hold meanwhile on that route."]
    page.say([*failing, *repartition_details(found)])
    if found.breaks:
        page.table(breaks_table(found))
    page.table(routes_table(found))
    if found.state:
        page.table(state_table(found))
    page.table(provision_table(found))
    page.say(map(finding_line, found.findings))
    shown = found.route(route or found.recommended)
    page.line(f"Steps: {ROUTE_LABELS[shown.name]}", "bold")
    for number, step in enumerate(shown.steps, start=1):
        page.line(f"{number}. {step}")
    page.line("--route NAME shows the steps of another route; --format json holds all.")


def breaks_table(found: Repartition) -> Table:
    """What breaks when partitions are added in place."""
    rows = tuple((row.code, row.message, _lasts(row.lasts_s, row.lasts_s_reason), row.action) for row in found.breaks)
    columns = ("code", "what", "for how long", "what to do")
    return Table("What breaks when partitions are added in place", columns, rows, prose=frozenset({1, 2, 3}))


def repartition_sentence(found: Repartition) -> str:
    """What moves and breaks, and the recommended route, in a sentence."""
    change = f"{found.topic} from {found.partitions_before} to {found.partitions_after} partitions"
    if not found.moved_key_fraction:
        return f"{change}: records have no key, so none moves; {ROUTE_LABELS[found.recommended]}."
    measured = found.moved_key_fraction_measured
    moved = quantity(found.moved_key_fraction if measured is None else measured, "fraction")
    names = [_BREAK_LABELS[code] for code in dict.fromkeys(row.code for row in found.breaks)]
    what = f"breaks {', '.join(names)}" if names else "breaks nothing"
    keys = "the keys" if measured is None else "the keys given"
    return f"{change} moves {moved} of {keys} and {what}; recommended: {ROUTE_LABELS[found.recommended]}."


def repartition_details(found: Repartition) -> list[str]:
    """Why that route, and what moves exactly."""
    lines = [f"Recommended because {found.recommended_because}."]
    if found.moved_key_fraction_measured is not None:
        share, records = found.moved_key_fraction, found.moved_record_fraction
        lines.append(
            f"Of the records of these keys {quantity(records, 'fraction')} move; of many even keys "
            f"{quantity(share, 'fraction')} would."
        )
    low, high = found.moved_record_fraction_low, found.moved_record_fraction_high
    if low < high:
        shown = f"{quantity(low, 'fraction')} to {quantity(high, 'fraction')}"
        lines.append(f"Of the records {quantity(found.moved_record_fraction, 'fraction')} move, {shown} by chance.")
    elif found.moved_record_reason is not None:
        lines.append(f"Records that move: {found.moved_record_reason}.")
    return lines


def _lasts(seconds: float | None, reason: str | None) -> str:
    return quantity(seconds, "s") if seconds is not None else str(reason)


def routes_table(found: Repartition) -> Table:
    """The routes side by side."""
    columns = ("", *(ROUTE_LABELS[route.name] for route in found.routes))
    rows: list[tuple[str, Callable[[Route], str]]] = [
        ("possible", lambda route: "yes" if route.possible else f"no: {route.reason}"),
        ("order of keys kept", lambda route: "yes" if route.keeps_order else "no"),
        ("bytes copied", lambda route: quantity(route.bytes_copied, "bytes")),
        ("time", lambda route: _lasts(route.duration_s, route.duration_s_reason)),
        (
            "time with all that is spare",
            lambda route: (
                "never" if route.duration_unthrottled_s is None else quantity(route.duration_unthrottled_s, "s")
            ),
        ),
        ("writes stopped", lambda route: _lasts(route.downtime_s, route.downtime_s_reason)),
        ("disk space beside", lambda route: quantity(route.extra_disk_bytes, "bytes")),
        ("network in beside", lambda route: quantity(route.extra_network_in_bytes_per_s, "bytes/s")),
        ("network out beside", lambda route: quantity(route.extra_network_out_bytes_per_s, "bytes/s")),
        (
            "cluster holds meanwhile",
            lambda route: "yes" if route.holds_meanwhile else f"no: {route.holds_meanwhile_reason}",
        ),
        ("cost", lambda route: f"unknown: {route.cost_reason}" if route.cost is None else f"{route.cost:,.0f}"),
    ]
    cells = tuple((label, *(read(route) for route in found.routes)) for label, read in rows)
    return Table("Three ways", columns, cells, prose=frozenset({1, 2, 3}))


def state_table(found: Repartition) -> Table:
    """State that has to be rebuilt."""
    rows = tuple(
        (row.group, quantity(row.bytes, "bytes"), f"{row.records:,.0f}", _lasts(row.rebuild_s, row.rebuild_s_reason))
        for row in found.state
    )
    columns = ("group", "to read again", "records", "time")
    return Table("State to rebuild", columns, rows, right=frozenset({1, 2}))


def provision_table(found: Repartition) -> Table:
    """What it costs to have the partitions now."""

    def shown(row: Figure, value: float) -> str:
        return quantity(value, unit_of_figure(row.name))

    rows = tuple(
        (_FIGURE_LABELS[row.name], shown(row, row.before), shown(row, row.after)) for row in found.provision_now
    )
    if found.provision_now_per_month is None:
        price = f"Price of having them now: unknown, because {found.provision_now_reason}."
    else:
        price = (
            f"Price of having them now: {found.provision_now_per_month:,.0f} a month, "
            f"{found.provision_now_per_year or 0:,.0f} a year ({found.provision_now_brokers} more brokers)."
        )
    if found.break_even_fraction is None:
        chance = f"Break-even chance of needing them: unknown, because {found.break_even_reason}."
    else:
        chance = f"Break-even chance of needing them: {quantity(found.break_even_fraction, 'fraction')}"
        chance += "." if found.break_even_reason is None else f" ({found.break_even_reason})."
    columns = ("figure", f"{found.partitions_before} partitions", f"{found.partitions_after} partitions")
    return Table("Having them now", columns, rows, notes=(price, chance), right=frozenset({1, 2}))
