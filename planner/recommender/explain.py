"""The ruling in words: reasons tied to one answer and one sourced fact, eliminations, scores, costs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from planner.constants import constant
from planner.fields import Quantity
from planner.recommender.answers import Answers, Batch, Load, load_of, reader_of
from planner.recommender.costs import OUTBOX, hours_of, lines_of
from planner.recommender.judge import NOBODY, Ruling
from planner.recommender.musthaves import RULES, Rule, broken_by, held, leaving
from planner.recommender.preferences import Table
from planner.recommender.recommendation import Elimination, Reason, Score, ScoreRow, SystemCost
from planner.recommender.systems import KAFKA, Catalogue, Fact, System
from planner.recommender.systems import catalogue as all_systems
from planner.results import CostLine
from planner.units import format_quantity

MOST_REASONS = 5
_RULE_WEIGHT = 3.0  # a must-have that rules systems out says more than any one preference
_DIMENSIONS = {"s": "s", "bytes": "bytes", "bytes/s": "bytes_per_s", "1/s": "per_s"}


def said(name: str, value: Any) -> str:
    """An answer as a reader would write it."""
    reader = reader_of(name)
    if isinstance(reader, Quantity) and isinstance(value, float) and value != math.inf:
        dimension = {"s_or_forever": "s"}.get(reader.dimension, reader.dimension)
        return f"{value:g}" if dimension == "money" else format_quantity(value, dimension)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple | list):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, float):
        return "forever" if value == math.inf else f"{value:g}"
    return str(value)


def fact_text(system: System, fact: Fact, need: str) -> str:
    """What a fact says about a system, in half a sentence."""
    note = f" ({fact.note})" if fact.note else ""
    if fact.unit in ("level", "flag"):
        words = {1.0: "offers", 0.5: "offers in part", 0.0: "does not offer"}
        return f"{system.name} {words.get(fact.value, 'has')} {need}{note}"
    if fact.unit == "people":
        return f"{system.name} asks for {fact.value:g} people who can run it{note}"
    if fact.value == math.inf:
        return f"{system.name} has no limit on this{note}"
    dimension = _DIMENSIONS.get(fact.unit)
    figure = format_quantity(fact.value, dimension) if dimension else f"{fact.value:g} {fact.unit}"
    word = "answers within" if fact.attribute == "latency_p99" else "goes up to"
    return f"{system.name} {word} {figure}{note}"


# Eliminated


def eliminations(batch: Batch, catalogue: Catalogue, answers: Answers, ruling: Ruling) -> tuple[Elimination, ...]:
    """Every system that a must-have rules out, with the first that does and the others."""
    broken = {rule.id: broken_by(rule, batch, catalogue)[:, 0] for rule in RULES}
    left = leaving(batch, catalogue)[:, 0]
    found = []
    for row, system in enumerate(catalogue.systems):
        rules = [rule for rule in RULES if broken[rule.id][row]]
        if rules:
            first = rules[0]
            fact = catalogue.facts[system.key, first.attribute]
            text = f"{_asked(first, answers)}: {fact_text(system, fact, first.need)}"
            others = tuple(rule.id for rule in rules[1:])
            found.append(Elimination(system.key, system.family, text, _input(first, answers), fact.source, others))
        elif left[row]:
            text = f"{system.name} is what is being left"
            found.append(Elimination(system.key, system.family, text, "leaving", "scenario", ()))
        elif not ruling.alive[row, 0]:
            text = f"{system.name} costs more than the budget"
            found.append(Elimination(system.key, system.family, text, "budget_per_month", "arithmetic", ()))
    return tuple(found)


def _input(rule: Rule, answers: Answers) -> str:
    return next((name for name in reversed(rule.inputs) if name in answers.given), rule.inputs[0])


def _asked(rule: Rule, answers: Answers) -> str:
    name = _input(rule, answers)
    return f"{name} = {said(name, answers.given.get(name))}"


def doubtful(batch: Batch, catalogue: Catalogue) -> tuple[str, ...]:
    """Facts of low confidence that would rule a system out if they held."""
    found = []
    for rule in RULES:
        firm, loose = (broken_by(rule, batch, catalogue, firm=firm)[:, 0] for firm in (True, False))
        for row in np.flatnonzero(loose & ~firm):
            system = catalogue.systems[row]
            fact = catalogue.facts[system.key, rule.attribute]
            found.append(f"Not firm enough to rule it out: {fact_text(system, fact, rule.need)} [{fact.source}].")
    return tuple(found)


def unanswered(batch: Batch, ruling: Ruling) -> tuple[str, ...]:
    """Must-haves of the verdict about which no firm fact is on file."""
    best = int(ruling.best[0])
    if best == NOBODY:
        return ()
    name = ruling.catalogue.systems[best].name
    rules = (
        rule
        for rule in RULES
        if rule.must_know and rule.asked(batch)[0] and math.isnan(ruling.catalogue.firm(rule.attribute)[best, 0])
    )
    return tuple(f"Not verified, ask before deciding: whether {name} offers {rule.need}." for rule in rules)


# Reasons


def reasons(batch: Batch, table: Table, answers: Answers, ruling: Ruling) -> tuple[Reason, ...]:
    """At most five, the weightiest first: must-haves that decide, preferences that part the best from its rival."""
    best = int(ruling.best[0])
    if best == NOBODY:
        return ()
    rival = rival_of(ruling)
    found = _rule_reasons(batch, answers, ruling, best) + _point_reasons(batch, table, answers, ruling, rival)
    found.sort(key=lambda pair: -pair[0])
    seen: dict[str, Reason] = {}
    for _, reason in found:
        seen.setdefault(reason.input, reason)
    kept = list(seen.values())[: MOST_REASONS - 1]
    money = _money_reason(answers, ruling, best, rival)
    return (*kept, money) if money is not None else tuple(list(seen.values())[:MOST_REASONS])


def rival_of(ruling: Ruling) -> int:
    """Against whom the best is explained: the best Kafka, or the best other family where Kafka is the best."""
    best = int(ruling.best[0])
    families = [system.family for system in ruling.catalogue.systems]
    others = [row for row in ruling.order() if families[row] != families[best]]
    kafka = [row for row in others if families[row] == KAFKA]
    return next(iter(kafka or others), NOBODY)


def _rule_reasons(batch: Batch, answers: Answers, ruling: Ruling, best: int) -> list[tuple[float, Reason]]:
    found = []
    catalogue = ruling.catalogue
    kafka_best = catalogue.systems[best].family == KAFKA
    for rule in RULES:
        broken = broken_by(rule, batch, catalogue)[:, 0]
        rows = np.flatnonzero(broken)
        if not len(rows) or rule.id.startswith("cloud_"):  # where a service runs is no merit of another
            continue
        families = {catalogue.systems[row].family for row in rows}
        whole = {name for name in families if all(broken[i] for i in _members(catalogue, name))}
        # the telling witness: Kafka where it fails, else a system of the family that is known best
        witness = next((row for row in rows if (catalogue.systems[row].family == KAFKA) != kafka_best), rows[0])
        system = catalogue.systems[int(witness)]
        fact = catalogue.facts[system.key, rule.attribute]
        decides = KAFKA in whole if not kafka_best else bool(whole)
        weight = _RULE_WEIGHT + len(whole) + (_RULE_WEIGHT if decides else 0.0)
        effect = f"rules out {_family_list(whole)}" if whole else f"rules out {len(rows)} of the systems"
        reason = Reason(_input(rule, answers), fact_text(system, fact, rule.need), fact.source, effect)
        found.append((weight, reason))
    return found


def _members(catalogue: Catalogue, family: str) -> list[int]:
    return [row for row, system in enumerate(catalogue.systems) if system.family == family]


def _family_list(names: set[str]) -> str:
    return "every " + ", ".join(sorted(name.replace("_", " ") for name in names))


def _point_reasons(
    batch: Batch, table: Table, answers: Answers, ruling: Ruling, rival: int
) -> list[tuple[float, Reason]]:
    if rival == NOBODY:
        return []
    best = int(ruling.best[0])
    one, two = ruling.catalogue.systems[best], ruling.catalogue.systems[rival]
    found = []
    for row in table.rows:
        points = row.points(batch, ruling.catalogue)[:, 0] * row.weight
        gap = float(points[best] - points[rival])
        if gap > 0 and row.input in answers.given:
            effect = f"{points[best]:+g} for {one.name}, {points[rival]:+g} for {two.name}"
            found.append((gap, Reason(row.input, row.text, row.source, effect)))
    return found


def _money_reason(answers: Answers, ruling: Ruling, best: int, rival: int) -> Reason | None:
    """What the rival would cost more, people included; none where it costs less or is not priced."""
    if rival == NOBODY or "events_per_s" not in answers.given:
        return None
    premium = float(ruling.money.total[rival, 0] - ruling.money.total[best, 0])
    if not premium > 0:
        return None
    one, two = ruling.catalogue.systems[best], ruling.catalogue.systems[rival]
    source = next(
        (
            fact.source
            for (key, name), fact in ruling.catalogue.facts.items()
            if key == two.key and name.startswith("price")
        ),
        "arithmetic",
    )
    amount = f"{premium:,.0f}".replace(",", " ")
    text = f"at this rate {two.name} costs {amount} USD a month more than {one.name}, people included"
    points = premium / constant("recommender.point_price")
    return Reason("events_per_s", text, source, f"{points:.1f} points of fit would have to outweigh that")


# Scores and costs


def scores(batch: Batch, table: Table, ruling: Ruling) -> tuple[Score, ...]:
    """Fit of every survivor, the best first, with each row that adds something."""
    points = {row.id: row.points(batch, ruling.catalogue)[:, 0] for row in table.rows}
    found = []
    for index in ruling.order():
        system = ruling.catalogue.systems[index]
        rows = tuple(
            ScoreRow(
                row.id, row.input, float(points[row.id][index]), row.weight, float(points[row.id][index] * row.weight)
            )
            for row in table.rows
            if points[row.id][index]
        )
        found.append(Score(system.key, system.family, float(ruling.fit[index, 0]), rows))
    return tuple(found)


def cost_of(batch: Batch, ruling: Ruling, row: int, role: str, beside: tuple[str, ...] = ()) -> SystemCost:
    """The monthly cost of one system, line by line."""
    catalogue = ruling.catalogue
    system = catalogue.systems[row]
    load = load_of(batch)
    lines = _lines(catalogue, system, load)
    for other in beside:
        whole = all_systems()
        lines += _lines(whole, whole.systems[whole.index(other)], load) if other != OUTBOX else ()
    infrastructure = float(ruling.money.infrastructure[row, 0])
    people = float(ruling.money.people[row, 0])
    unknown = math.isnan(infrastructure)
    if held(batch, catalogue, "existing")[row, 0] and not unknown:
        lines = (
            CostLine(
                "what the workload adds to what runs already", infrastructure, 1.0, infrastructure, "arithmetic", ""
            ),
        )
    rate = batch.number("hourly_rate")[0]
    hourly = constant("recommender.hourly_rate") if math.isnan(rate) else float(rate)
    return SystemCost(
        system.key,
        role,
        beside,
        None if unknown else infrastructure,
        "no list price could be read" if unknown else None,
        people,
        people / hourly if hourly else hours_of(system),
        lines,
    )


def _lines(catalogue: Catalogue, system: System, load: Load) -> tuple[CostLine, ...]:
    prices = (fact for (key, name), fact in catalogue.facts.items() if key == system.key and name.startswith("price"))
    price = next(prices, None)
    source, as_of = (price.source, price.as_of) if price else ("", "")
    return tuple(
        CostLine(f"{system.name}: {item}", float(amount[0]), 1.0, float(amount[0]), source, as_of)
        for item, amount in lines_of(catalogue, system.key, load).items()
        if amount[0] > 0
    )


def cheapest_kafka(ruling: Ruling) -> int:
    """The Kafka that costs least, people included: a surviving one if there is one."""
    total = ruling.money.total[:, 0]
    kafka = np.array(
        [system.family == KAFKA and system.key != "kafka_share_groups" for system in ruling.catalogue.systems]
    )
    priced = kafka & ~np.isnan(total)
    pool = priced & ruling.alive[:, 0] if (priced & ruling.alive[:, 0]).any() else priced
    return int(np.where(pool, total, math.inf).argmin()) if pool.any() else NOBODY
