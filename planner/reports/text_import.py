"""An import as text: what was found in a sentence, what is missing, what was measured."""

from __future__ import annotations

from planner.reports.page import Page
from planner.reports.tables import Table
from planner.reports.words import quantity, visible
from planner.sources.conversion import BrokerMeasured, GroupMeasured, Imported, TopicMeasured
from planner.sources.facts import Gap
from planner.units import counted

_MOST_ROWS = 60
_WORDS = {"live": "the cluster", "prometheus": "Prometheus", "metrics": "the metrics"}


def import_text(found: Imported, page: Page, *, written: str | None = None) -> None:
    """The sentence, the gaps, the tables."""
    page.line(found_sentence(found), "bold")
    page.say([f"The scenario is in {visible(written)}."] if written else [])
    if found.gaps:
        rows = tuple((gap.what, gap.why, gap.instead or "-") for gap in found.gaps[:_MOST_ROWS])
        heads = ("not read", "because", "instead")
        page.table(
            Table(
                "What is missing", heads, tuple(map(_shown, rows)), _more(len(found.gaps)), prose=frozenset({0, 1, 2})
            )
        )
    _topics(found.measured.topics, page)
    _brokers(found.measured.brokers, page)
    _groups(found.measured.groups, page)


def found_sentence(found: Imported) -> str:
    """What was found, as one sentence."""
    measured = found.measured
    partitions = sum(row.partitions or 0 for row in measured.topics)
    counts = [
        counted(len(measured.topics), "topic"),
        counted(partitions, "partition"),
        counted(len(measured.brokers), "broker"),
        counted(len(measured.groups), "consumer group"),
    ]
    rates = [row.wire_bytes_per_s for row in measured.topics if row.wire_bytes_per_s is not None]
    load = f", {quantity(sum(rates), 'bytes/s')} produced" if rates else ""
    sources = " and ".join(_WORDS.get(name, name) for name in measured.sources)
    gaps = f"; {counted(len(found.gaps), 'gap')}" if found.gaps else "; nothing is missing"
    return f"{', '.join(counts[:-1])} and {counts[-1]} read from {sources}{load}{gaps}."


def gap_line(gap: Gap) -> str:
    """A gap as a sentence."""
    return f"{gap.what}: {gap.why}{f'; instead: {gap.instead}' if gap.instead else ''}."


def commented(found: Imported) -> str:
    """The scenario as a file, with what was found and what is missing as comments before it."""
    lines = [found_sentence(found), *(gap_line(gap) for gap in found.gaps)]
    return "".join(f"# {visible(line)}\n" for line in lines) + found.scenario_text


def _shown(row: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(map(visible, row))


def _more(count: int) -> tuple[str, ...]:
    return (f"{count - _MOST_ROWS} more are in the file and in --format json.",) if count > _MOST_ROWS else ()


def _quantity(value: float | None, unit: str) -> str:
    return "?" if value is None else quantity(value, unit)


def _topics(rows: tuple[TopicMeasured, ...], page: Page) -> None:
    if not rows:
        return
    heads = (
        "topic",
        "partitions",
        "copies",
        "records/s",
        "bytes/s",
        "per record",
        "codec",
        "ratio",
        "batch",
        "on disk",
    )
    largest = sorted(rows, key=lambda row: (-(row.wire_bytes_per_s or 0), row.topic))[:_MOST_ROWS]
    table = tuple(
        (
            visible(row.topic),
            str(row.partitions or "?"),
            str(row.replication_factor or "?"),
            "?" if row.records_per_s is None else f"{row.records_per_s:,.4g}",
            _quantity(row.wire_bytes_per_s, "bytes/s"),
            _quantity(row.wire_bytes_per_record, "bytes"),
            row.codec or "?",
            "?" if row.compression_ratio is None else f"{row.compression_ratio:.3g}",
            "?" if row.batch_records is None else f"{row.batch_records:.3g}",
            _quantity(row.log_bytes_all, "bytes"),
        )
        for row in largest
    )
    page.table(Table("Topics", heads, table, _more(len(rows)), right=frozenset({1, 2, 3, 4, 5, 7, 8, 9})))


def _brokers(rows: tuple[BrokerMeasured, ...], page: Page) -> None:
    if not rows:
        return
    heads = ("broker", "rack", "state", "replicas", "leaders", "log", "of its volumes")
    table = tuple(
        (
            str(row.broker),
            visible(row.rack or "-"),
            "down" if row.fenced else "up",
            str(row.replicas),
            str(row.leaders),
            _quantity(row.log_bytes, "bytes"),
            _quantity(row.capacity_bytes, "bytes"),
        )
        for row in rows[:_MOST_ROWS]
    )
    page.table(Table("Brokers", heads, table, _more(len(rows)), right=frozenset({3, 4, 5, 6})))


def _groups(rows: tuple[GroupMeasured, ...], page: Page) -> None:
    if not rows:
        return
    heads = ("group", "protocol", "state", "members", "topics", "lag", "records/s")
    table = tuple(
        (
            visible(row.group),
            row.protocol or "?",
            row.state or "?",
            "?" if row.members is None else str(row.members),
            visible(", ".join(row.topics)) or "-",
            "?" if row.lag is None else f"{row.lag:,.0f}",
            "?" if row.records_per_s is None else f"{row.records_per_s:,.4g}",
        )
        for row in rows[:_MOST_ROWS]
    )
    page.table(
        Table("Consumer groups", heads, table, _more(len(rows)), right=frozenset({3, 5, 6}), prose=frozenset({4}))
    )
