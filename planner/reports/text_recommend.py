"""A recommendation as text: the verdict in a sentence, then why, what it costs, what would change it, what is out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from planner.constants import sources
from planner.recommender.confidence import CLOSE_CALL
from planner.recommender.musthaves import QUESTIONS
from planner.recommender.recommendation import Flip, NoFlip, Recommendation
from planner.recommender.systems import catalogue
from planner.reports.page import Page
from planner.reports.tables import Table, source_rows
from planner.reports.words import quantity, unit_of_input

_FAMILIES = {
    "kafka": "Kafka",
    "cloud_log": "a cloud log",
    "cloud_pubsub": "cloud pub/sub",
    "managed_queue": "a managed queue",
    "event_router": "an event router",
    "broker": "a message broker",
    "light_stream": "a light stream",
    "pulsar": "Pulsar",
    "database_queue": "a queue in the database",
}
_KINDS = {"constraint": "must", "preference": "would", "cost": "would, for the money,"}
_STRICTER_BELOW = ("latency_p99", "engineers", "budget_per_month")  # looked through downwards when not answered
_SHOWN_FLIPS = 12
_SHOWN_SCORES = 8


def recommend_text(found: Recommendation, page: Page) -> None:
    """The whole answer."""
    page.say([found.sentence], "bold")
    if found.contradiction is None:
        page.say([confidence_sentence(found)])
    if found.contradiction is not None:
        page.say(relaxing_sentences(found))
    if found.reasons:
        page.table(reasons_table(found))
    page.table(cost_table(found))
    page.say(money_sentences(found))
    page.line("What would change it", "bold")
    page.say(flip_sentences(found)[:_SHOWN_FLIPS])
    page.say([no_flip_sentence(found)])
    if found.scores:
        page.table(scores_table(found))
    if found.eliminated:
        page.table(eliminated_table(found))
    page.say([next_sentence(found), *found.warnings])
    page.line("--format json lists every score, cost line, assumption and source.")


def money_text(amount: float | None) -> str:
    """USD a month, rounded; unknown as such."""
    return "not known" if amount is None else f"{amount:,.0f}".replace(",", " ")


def name_of(*systems: str) -> str:
    """The name of a system, or of several that are bought together."""
    known = {row.key: row.name for row in catalogue().systems}
    return " + ".join(known.get(key, key) for key in systems)


def confidence_sentence(found: Recommendation) -> str:
    """How sure, and what that rests on."""
    asked = len(QUESTIONS)
    answered = round(found.answered_fraction * asked)
    why = (
        f"Confidence {found.confidence:.0%}: the family stays in {found.kept_fraction:.0%} of the draws over weights, "
        f"rates and prices, and {answered} of {asked} must-have questions {'is' if answered == 1 else 'are'} answered."
    )
    if not found.close_call:
        return why
    if found.kept_fraction < CLOSE_CALL:
        return f"{why} A close call: weigh the runner-up too."
    return f"{why} A close call until more is known: open questions could change it."


def reasons_table(found: Recommendation) -> Table:
    """Why, each row tied to an answer and a source."""
    rows = tuple((row.input, row.fact, row.effect, row.source) for row in found.reasons)
    return Table("Why", ("answer", "fact", "effect", "source"), rows, prose=frozenset({1, 2}))


def cost_table(found: Recommendation) -> Table:
    """Verdict, runner-up and the cheapest Kafka; people apart."""
    rows = tuple(
        (
            row.role,
            name_of(row.system, *row.also),
            money_text(row.infrastructure_per_month),
            money_text(row.people_per_month),
            f"{row.people_hours_per_month:.0f}",
        )
        for row in found.cost
    )
    columns = ("", "system", "infrastructure\nUSD/month", "people\nUSD/month", "hours\na month")
    notes = ("People are an assumption of low confidence: hours by way of operation, times the hourly rate.",)
    return Table("What it costs", columns, rows, notes=notes, right=frozenset({2, 3, 4}), prose=frozenset({1}))


def money_sentences(found: Recommendation) -> list[str]:
    """Break-even beside the folk rule, growth as a date, and a migration's payback."""
    even = found.break_even
    folk = f"The folk rule says {quantity(even.folk_events_per_s, '1/s')}."
    if even.events_per_s is None:
        lines = [f"Break-even of Kafka: {even.reason}. {folk}"]
    else:
        rate = quantity(even.events_per_s, "1/s")
        names = f"{name_of(even.against or '')} costs no more than {name_of(even.system or '')}"
        lines = [f"Break-even: from {rate} on {names} ({', '.join(even.assumptions)}). {folk}"]
    if found.growth is not None:
        grown = found.growth
        lines.append(
            f"Growing {grown.growth_per_year:.0%} a year, the load gets there in {grown.years:.1f} years, "
            f"in {grown.date[:7]}."
        )
    if found.migration is not None:
        lines.append(migration_sentence(found))
    return lines


def migration_sentence(found: Recommendation) -> str:
    """The work of leaving, and when it has paid."""
    move = found.migration
    if move is None:
        return ""
    effort = f"{move.effort_hours:.0f} hours ({money_text(move.effort_cost)} USD)"
    work = f"Leaving {name_of(move.away_from)}, if nothing else runs on it, takes about {effort}"
    if move.payback_months is None:
        return f"{work}; {move.payback_months_reason}."
    saving = money_text(move.saving_per_month)
    return f"{work}, saves {saving} USD a month and has paid for itself after {move.payback_months:.1f} months."


def flip_sentences(found: Recommendation) -> list[str]:
    """Each flip as a sentence, and the two closest together."""
    lines = [flip_sentence(flip) for flip in found.flips]
    for pair in found.pairs:
        both = " and ".join(f"{name} = {said(name, value)}" for name, value in zip(pair.inputs, pair.to, strict=True))
        lines.append(f"Both of the closest, {both}: {destination(pair.family, pair.system)}.")
    return lines or ["No single answer changes the family."]


def flip_sentence(flip: Flip) -> str:
    """What the answer would have to be, and where that leads."""
    now = "not answered" if flip.from_ is None else f"now {said(flip.input, flip.from_)}"
    times = f", {flip.factor:.3g} times today's" if flip.factor else ""
    there = f"it {_KINDS[flip.kind]} be {destination(flip.family, flip.system)}"
    if flip.family is None:
        there = "no system meets everything any more"
    return f"{flip.input} = {said(flip.input, flip.to)} ({now}{times}): {there}."


def destination(family: str | None, system: str | None) -> str:
    """Where a flip leads."""
    if family is None or system is None:
        return "no system meets everything"
    return f"{_FAMILIES[family]}, {name_of(system)}"


def said(name: str, value: Any) -> str:
    """An answer with its unit."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, int | float):
        return quantity(value, unit_of_input(f"questions.{name}") or "count")
    return str(value)


def no_flip_sentence(found: Recommendation) -> str:
    """The inputs that change nothing, as far as was looked."""
    parts = [f"{row.input}{_tried(row)}" for row in found.no_flips]
    return f"No flip of the family, as far as looked: {'; '.join(parts)}." if parts else ""


def _tried(row: NoFlip) -> str:
    ends = " to ".join(said(row.input, end) for end in row.up_to)
    if len(row.up_to) != 1:
        return f" ({ends})" if ends else ""
    lower = row.up_to[0] < row.from_ if isinstance(row.from_, int | float) else row.input in _STRICTER_BELOW
    return f" ({'down' if lower else 'up'} to {ends})"


def relaxing_sentences(found: Recommendation) -> Iterable[str]:
    """What giving up each of the contradicting must-haves would buy."""
    clash = found.contradiction
    for row in clash.relaxing if clash else ():
        there = destination(row.family, row.system) if row.family else "still nothing, others contradict each other too"
        yield f"Without {row.input} ({row.constraint}): {there}."


def scores_table(found: Recommendation) -> Table:
    """Fit of the survivors; money is no part of it."""
    rows = tuple(
        (
            name_of(row.system),
            row.family.replace("_", " "),
            f"{row.total:+.1f}",
            ", ".join(f"{part.row} {part.points:+g}" for part in row.rows),
        )
        for row in found.scores[:_SHOWN_SCORES]
    )
    left = len(found.scores) - len(rows)
    notes = (
        "Best first, money included in the order and not in the points.",
        *((f"{left} more.",) if left > 0 else ()),
    )
    return Table(
        "Fit of what is left",
        ("system", "family", "fit", "rows"),
        rows,
        notes=notes,
        right=frozenset({2}),
        prose=frozenset({3}),
    )


def eliminated_table(found: Recommendation) -> Table:
    """What is out, and the constraint that rules it out."""
    rows = tuple((name_of(row.system), row.constraint, row.source) for row in found.eliminated)
    return Table("Ruled out", ("system", "by", "source"), rows, prose=frozenset({1}))


def next_sentence(found: Recommendation) -> str:
    """The questions that are worth asking next."""
    if not found.questions_next:
        return "Every must-have question is answered."
    return f"Worth asking next: {', '.join(found.questions_next)}."


def cited(found: Recommendation) -> Table:
    """The sources of reasons, eliminations and prices."""
    ids = {row.source for row in found.reasons} | {row.source for row in found.eliminated}
    ids |= {line.source for row in found.cost for line in row.lines}
    return source_rows(key for key in ids if key in sources())
