"""Retention, compaction, transactions and batching as text: the answer first, then tables."""

from __future__ import annotations

from collections.abc import Sequence

from planner.operations.batches import Batches, Batching
from planner.operations.compacting import Compactions
from planner.operations.retaining import Filling, Retained
from planner.operations.transacting import Transactions
from planner.reports.page import Page
from planner.reports.tables import Table
from planner.reports.words import quantity
from planner.results import Finding

_NOT_BY_HAND = (
    "Never delete segment files by hand: the broker has them open and indexed, and stops or serves gaps when they go."
)
_NOT_UNCLEAN = "Never switch on unclean leader election to make room: it frees nothing and loses acknowledged records."


def _findings(page: Page, findings: Sequence[Finding]) -> None:
    rows = tuple((row.severity, row.message, row.action) for row in findings)
    if rows:
        page.table(Table("Findings", ("severity", "finding", "action"), rows, prose=frozenset({1, 2})))


def _right(*columns: int) -> frozenset[int]:
    return frozenset(columns)


def retention_text(found: Retained, page: Page) -> None:
    """When the disk fills, what limits each topic, and the response to a full disk."""
    disk, spike = found.disk, found.fills[0]
    page.line(
        f"The fullest disk is {quantity(disk.used_fraction, 'fraction')} full; at {found.spike_factor:g} times the "
        f"average it is full {_after(spike)}.",
        "bold",
    )
    page.line(
        f"A spike of {quantity(found.spike_s, 's')} takes it to {quantity(disk.spike_used_bytes, 'bytes')} of "
        f"{quantity(disk.capacity_bytes, 'bytes')}; alert at {quantity(disk.alert_bytes, 'bytes')}, page at "
        f"{quantity(disk.page_bytes, 'bytes')}."
    )
    page.line()
    page.table(_filling(found))
    page.table(_kept(found))
    page.table(_response(found))
    move = found.new_broker
    adding = (
        f"Adding a broker instead: {quantity(move.moved_bytes, 'bytes')} to copy in {quantity(move.duration_s, 's')}, "
        f"then each old broker has {quantity(move.freed_bytes_per_broker, 'bytes')} more; {move.reason}."
    )
    page.say(
        [
            adding,
            _NOT_BY_HAND,
            _NOT_UNCLEAN,
        ]
    )
    _findings(page, found.findings)


def _after(row: Filling) -> str:
    if row.full_s is None:
        return f"never: {row.reason}"
    return f"after {quantity(row.full_s, 's')}" + (f" ({row.full_at[:16]} UTC)" if row.full_at else "")


def _filling(found: Retained) -> Table:
    def cell(seconds: float | None, date: str | None) -> str:
        return "never" if seconds is None else quantity(seconds, "s") + (f" ({date[:16]})" if date else "")

    rows = tuple(
        (
            row.case,
            row.what,
            cell(row.alert_s, row.alert_at),
            cell(row.page_s, row.page_at),
            cell(row.full_s, row.full_at),
        )
        for row in found.fills
    )
    return Table("Until the fullest disk is full", ("case", "what", "alert", "page", "full"), rows, prose=_right(1))


def _kept(found: Retained) -> Table:
    rows = tuple(
        (
            row.topic,
            row.limit,
            "-" if row.kept_s is None else quantity(row.kept_s, "s"),
            quantity(row.disk_bytes, "bytes"),
            quantity(row.spike_disk_bytes, "bytes"),
            "-" if row.safe_bytes_per_partition is None else f"{row.safe_bytes_per_partition}",
            row.safe_reason or "",
        )
        for row in found.topics.values()
    )
    columns = ("topic", "limit", "kept", "on disk", "in the spike", "safe retention.bytes\nper partition", "because it")
    notes = ("For tiered topics the limit is local.retention.bytes.",)
    return Table("Topics", columns, rows, notes, right=_right(2, 3, 4, 5), prose=_right(6))


def _response(found: Retained) -> Table:
    rows = tuple(
        (
            row.topic,
            quantity(row.disk_bytes, "bytes"),
            quantity(row.share_fraction, "fraction"),
            "-" if row.cut_to_s is None else f"{row.setting} to {quantity(row.cut_to_s, 's')}",
            quantity(row.freed_bytes, "bytes"),
            "-" if row.freed_after_s is None else quantity(row.freed_after_s, "s"),
            row.reason or "",
        )
        for row in found.response
    )
    columns = ("topic", "on disk", "share", "cut", "frees", "within", "note")
    notes = ("Look at the lag of every group first: what a group has not read yet is lost with the cut.",)
    return Table("If a disk is full: largest first", columns, rows, notes, right=_right(1, 2, 4, 5), prose=_right(6))


def compaction_text(found: Compactions, page: Page) -> None:
    """Whether the cleaner keeps pace, then each compacted topic."""
    cleaner = found.cleaner
    if not found.topics:
        page.line("No topic is compacted.", "bold")
        return
    pace = "keeps pace" if cleaner.busy_fraction <= 1 else "does not keep pace"
    page.line(
        f"The log cleaner {pace}: {quantity(cleaner.busy_fraction, 'fraction')} busy on the fullest broker "
        "(low confidence).",
        "bold",
    )
    page.line(
        f"It reads {quantity(cleaner.read_bytes_per_s, 'bytes/s')} and writes "
        f"{quantity(cleaner.write_bytes_per_s, 'bytes/s')} there; its key map needs "
        f"{quantity(cleaner.dedupe_buffer_needed_bytes, 'bytes')} of the "
        f"{quantity(cleaner.dedupe_buffer_bytes, 'bytes')} that log.cleaner.dedupe.buffer.size has."
    )
    page.line()
    rows = tuple(
        (
            row.topic,
            quantity(row.clean_bytes, "bytes"),
            "never" if row.cleaning_period_s is None else quantity(row.cleaning_period_s, "s"),
            "-" if row.segment_fill_s is None else quantity(row.segment_fill_s, "s"),
            quantity(row.cleaner_read_bytes_per_s, "bytes/s"),
            quantity(row.cleaner_write_bytes_per_s, "bytes/s"),
            quantity(row.distinct_fraction, "fraction"),
            "never" if row.deleted_key_gone_s is None else quantity(row.deleted_key_gone_s, "s"),
        )
        for row in found.topics.values()
    )
    columns = (
        "topic",
        "live data",
        "cleaned every",
        "segment closes in",
        "reads",
        "writes",
        "kept of a year",
        "deleted key\ngone within",
    )
    page.table(Table("Compacted topics, all replicas", columns, rows, right=_right(1, 2, 3, 4, 5, 6, 7)))
    _findings(page, found.findings)


def transactions_text(found: Transactions, page: Page) -> None:
    """Heap of the producer state, what transactions add, and what they cover."""
    heap = quantity(found.producer_heap_bytes_per_broker, "bytes")
    using = f"topics with transactions: {len(found.topics)}" if found.topics else "no topic has transactions"
    page.line(f"Idempotent producers take {heap} of heap on each broker; {using}.", "bold")
    internal = found.internal
    page.line(
        f"{internal.topics} internal topics with {quantity(internal.replicas, 'count')} replicas are counted; "
        f"transaction state writes {quantity(internal.state_bytes_per_s, 'bytes/s')} before replication."
    )
    page.line()
    rows = tuple(
        (
            row.topic,
            quantity(row.transactions_per_s, "1/s"),
            quantity(row.records_per_transaction, "count"),
            quantity(row.partitions_touched, "count"),
            quantity(row.marker_bytes_per_s, "bytes/s"),
            quantity(row.state_bytes_per_s, "bytes/s"),
            quantity(row.overhead_fraction, "fraction"),
        )
        for row in found.topics.values()
    )
    columns = ("topic", "transactions", "records each", "partitions each", "markers", "state records", "adds")
    if rows:
        page.table(Table("Transactions", columns, rows, right=_right(1, 2, 3, 4, 5, 6)))
    held = tuple(
        (
            row.topic,
            quantity(row.producers, "count"),
            f"{row.starts_per_day:g}",
            quantity(row.live_producer_ids, "count"),
            quantity(row.heap_bytes_per_broker, "bytes"),
        )
        for row in found.producers.values()
    )
    heads = ("topic", "producers", "new ids a day", "remembered ids", "heap per broker")
    page.table(Table("Producer state", heads, held, right=_right(1, 2, 3, 4)))
    covers = tuple((row.what, "yes" if row.covered else "no", row.covered_by, row.why) for row in found.covers)
    asked = ("duplicate", "covered", "by", "why")
    page.table(Table("What exactly-once covers", asked, covers, prose=_right(0, 3)))
    _findings(page, found.findings)


def batching_text(found: Batches, page: Page) -> None:
    """The cheapest setting that brings most, then the table of settings."""
    best = found.advised
    if best is None:
        page.line(f"Leave linger.ms and batch.size: {found.advised_reason}.", "bold")
    else:
        page.line(
            f"Set linger.ms={(best.linger_s or 0) * 1000:g} and batch.size={best.batch_size_bytes:.0f}: it saves "
            f"{quantity(best.cpu_saved_fraction, 'fraction')} of the CPU and "
            f"{quantity(best.requests_saved_fraction, 'fraction')} of the produce requests.",
            "bold",
        )
        page.say([f"Chosen as {found.advised_reason}."])
    rows = tuple(_setting(row) for row in (found.today, *found.rows))
    columns = (
        "linger",
        "batch.size",
        "records\na batch",
        "bytes\na record",
        "produced",
        "requests",
        "disk ops",
        "CPU",
        "CPU saved",
    )
    notes = ("At peak, all brokers up; disk operations and CPU of the fullest broker, low confidence.",)
    page.table(Table("Settings", columns, rows, notes, right=_right(*range(1, 9))))
    changes = tuple(
        (
            row.topic,
            row.given,
            f"{quantity(row.batch_records, 'count')} -> {quantity(row.batch_records_advised, 'count')}",
            f"{quantity(row.produce_requests_per_s, '1/s')} -> {quantity(row.produce_requests_per_s_advised, '1/s')}",
        )
        for row in found.topics.values()
    )
    if best is not None:
        compared = ("topic", "today from", "records a batch", "produce requests")
        page.table(Table("Topics, today and advised", compared, changes, right=_right(2, 3)))
    _findings(page, found.findings)


def _setting(row: Batching) -> tuple[str, ...]:
    size = row.batch_size_bytes
    return (
        "today" if row.linger_s is None else quantity(row.linger_s, "s"),
        "today" if size is None else f"{size:.0f}",
        quantity(row.batch_records, "count"),
        quantity(row.wire_bytes_per_record, "bytes"),
        quantity(row.produce_in_bytes_per_s, "bytes/s"),
        quantity(row.produce_requests_per_s, "1/s"),
        quantity(row.disk_iops, "1/s"),
        quantity(row.cpu_fraction, "fraction"),
        quantity(row.cpu_saved_fraction, "fraction"),
    )
