"""Durability and copies in other regions as text."""

from __future__ import annotations

from planner.operations.losses import Durability, Setting, TopicDurability
from planner.operations.regions import Link, Mirrored
from planner.reports.page import Page
from planner.reports.tables import Table
from planner.reports.words import finding_line, quantity

_TINY = 1e-9  # beyond this other causes decide, and digits mislead


def durability_text(found: Durability, page: Page) -> None:
    """The worst topic in a sentence, then topics, settings, findings and what is not covered."""
    page.line(durability_sentence(found), "bold")
    page.say([refill_sentence(found)])
    page.table(topics_table(found))
    page.table(settings_table(found))
    page.say(map(finding_line, found.findings))
    page.say([uncovered_sentence(found)])


def refill_sentence(found: Durability) -> str:
    """How long a lost broker's data has a copy less."""
    return f"A lost broker's data is whole again after {quantity(found.refill_s, 's')} ({found.refill_from})."


def uncovered_sentence(found: Durability) -> str:
    """What the chances leave out."""
    return "Not covered: " + "; ".join(found.not_covered) + "."


def topics_table(found: Durability) -> Table:
    """Each topic's chances."""
    columns = (
        "topic",
        "copies",
        "min ISR",
        "acks",
        "a partition takes\nno writes",
        "any of them,\nat most",
        "loss\na year",
    )
    rows = tuple(_topic(name, row) for name, row in found.topics.items())
    return Table("Topics, a year", columns, rows, right=frozenset({1, 2, 4, 5, 6}))


def settings_table(found: Durability) -> Table:
    """All topics with acks=all and other copies."""
    side = ("copies", "min ISR", "takes no writes", "loss a year", "brokers to spare", "zones to spare")
    shown = tuple(map(_setting, found.settings))
    return Table("All topics with acks=all, side by side", side, shown, right=frozenset(range(6)))


def durability_sentence(found: Durability) -> str:
    """The worst topic in a sentence."""
    worst = max(found.topics.items(), key=lambda item: item[1].loss_probability_per_year)
    longest = max(found.topics.items(), key=lambda item: item[1].unwritable_minutes_per_year)
    chance = chance_text(worst[1].loss_probability_per_year)
    return (
        f"In a year acknowledged records are lost most likely in {worst[0]}: {chance}; "
        f"a partition of {longest[0]} takes no writes for {minutes_text(longest[1].unwritable_minutes_per_year)}."
    )


def _topic(name: str, row: TopicDurability) -> tuple[str, ...]:
    return (
        name,
        str(row.replication_factor),
        str(row.min_insync_replicas),
        row.acks,
        minutes_text(row.unwritable_minutes_per_year),
        minutes_text(row.any_partition_minutes_per_year_high),
        chance_text(row.loss_probability_per_year),
    )


def _setting(row: Setting) -> tuple[str, ...]:
    return (
        str(row.replication_factor),
        str(row.min_insync_replicas),
        minutes_text(row.unwritable_minutes_per_year),
        chance_text(row.loss_probability_per_year),
        str(row.brokers_lost_writable),
        str(row.zones_lost_writable),
    )


def minutes_text(minutes: float) -> str:
    """Minutes in the unit that people use."""
    return quantity(minutes * 60, "s")


def chance_text(fraction: float) -> str:
    """A probability as odds where it is small."""
    if fraction >= 0.01:  # noqa: PLR2004 - below one in a hundred people read odds better than per cent
        return f"{fraction:.1%}"
    if fraction < _TINY:
        return "never" if fraction == 0 else "below 1 in 10^9"
    return f"1 in {1 / fraction:,.0f}"


def mirror_text(found: Mirrored, page: Page) -> None:
    """A sentence for each copy, then its figures."""
    for link in found.links:
        page.line(_link(link), "bold")
        page.say(_sentences(link))
    page.say(map(finding_line, found.findings))


def _link(link: Link) -> str:
    if link.caught_up_reason is not None:
        return (
            f"The copy in {link.to} never keeps up: {quantity(link.average_bytes_per_s, 'bytes/s')} arrive on average."
        )
    average, peak = quantity(link.average_bytes_per_s, "bytes/s"), quantity(link.peak_bytes_per_s, "bytes/s")
    age = quantity(link.rpo_s, "s")
    return f"The copy in {link.to} is {age} old at worst, carrying {average} on average and {peak} at peak."


def _sentences(link: Link) -> list[str]:
    def took(seconds: float | None) -> str:
        return "never" if seconds is None else f"after {quantity(seconds, 's')}"

    room = "without a limit that is given"
    if link.bandwidth_bytes_per_s is not None and link.utilisation is not None:
        room = f"of {quantity(link.bandwidth_bytes_per_s, 'bytes/s')}, {link.utilisation:.0%} used at peak"
    cost = "" if link.second_cluster_cost_per_month is None else f", {link.second_cluster_cost_per_month:,.0f} a month"
    brokers = "no count of brokers" if link.second_cluster_brokers is None else f"{link.second_cluster_brokers} brokers"
    waits, misses = (
        quantity(size, "bytes") for size in (link.waiting_after_peak_bytes, link.waiting_after_outage_bytes)
    )
    disk = quantity(link.second_cluster_disk_bytes, "bytes")
    said = [
        f"{len(link.topics)} topics over a link {room}; {quantity(link.bytes_per_month, 'bytes')} a month.",
        f"After a peak {waits} wait; copied {took(link.caught_up_after_peak_s)}.",
        f"Away for {quantity(link.outage_s, 's')}, {misses} wait; copied {took(link.caught_up_after_outage_s)}.",
        f"The second cluster needs {brokers} of this kind for the copy alone, {disk} on disk at worst{cost}.",
    ]
    return said if link.cost_reason is None else [*said, f"Money: {link.cost_reason}."]
