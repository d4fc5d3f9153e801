"""Every system in every variant of the answers at once: who survives, how well it fits, what it costs, who is best.

Fit and money stay apart. They meet in one place: a better fit may cost at most `recommender.point_price` a month for
each point.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from planner.constants import constant
from planner.recommender.answers import Batch
from planner.recommender.costs import Money, money_of
from planner.recommender.musthaves import survivors
from planner.recommender.preferences import Table, point_price
from planner.recommender.systems import KAFKA, Array, Catalogue

NOBODY = -1
REQUIRED, GOOD_FIT, NOT_NEEDED, WRONG = "kafka_required", "kafka_good_fit", "kafka_not_needed", "kafka_wrong"

_QUEUE_NEEDS = ("per_message_ack", "workers_exceed_partitions", "delay", "priority")
_LOG_NEEDS = ("replay", "retention", "consumer_groups", "exactly_once", "ordering")
_LOG_WORK = ("events", "stateful", "ingest", "state")


@dataclass(frozen=True)
class Doubt:
    """What a seeded draw varies: weights of the rows, money of the systems, the price of a point."""

    weights: Array  # rows by variants
    infrastructure: Array  # systems by variants
    people: Array  # systems by variants
    point_price: Array  # variants


@dataclass(frozen=True)
class Ruling:
    """Systems by variants, and the best of each variant; `also` is the queue beside a log where one alone fails."""

    catalogue: Catalogue
    alive: Array
    fit: Array
    money: Money
    net: Array  # points, money included
    best: Array
    also: Array

    def family(self, variant: int = 0) -> str | None:
        """The family of the best system; None where every system is eliminated."""
        best = int(self.best[variant])
        return None if best == NOBODY else self.catalogue.systems[best].family

    @property
    def families(self) -> Array:
        """The family of the best system of every variant as a number; -1 where nobody survives."""
        names = sorted({system.family for system in self.catalogue.systems})
        codes = np.array([*(names.index(system.family) for system in self.catalogue.systems), NOBODY])
        return np.asarray(codes[self.best])

    def order(self, variant: int = 0) -> list[int]:
        """The surviving systems, best first."""
        alive = np.flatnonzero(self.alive[:, variant])
        return [int(row) for row in alive[np.argsort(-self.net[alive, variant], kind="stable")]]

    def strength(self, variant: int = 0) -> str | None:
        """What that says about Kafka."""
        best = int(self.best[variant])
        if best == NOBODY:
            return None
        kafka = np.array([system.family == KAFKA for system in self.catalogue.systems])
        alive, net = self.alive[:, variant], self.net[:, variant]
        if kafka[best]:
            return GOOD_FIT if (alive & ~kafka).any() or self.also[variant] != NOBODY else REQUIRED
        if not (alive & kafka).any():
            return WRONG
        behind = net[best] - net[alive & kafka].max()
        return WRONG if behind >= constant("recommender.wrong_points") else NOT_NEEDED


def judge(batch: Batch, catalogue: Catalogue, table: Table, doubt: Doubt | None = None) -> Ruling:
    """Judge every variant; where no system alone will do and the work is of two kinds, a queue and a log together."""
    ruling = _judge(batch, catalogue, table, doubt)
    lost = (ruling.best == NOBODY) & _mixed(batch)
    return _paired(ruling, lost, batch, table, doubt) if lost.any() else ruling


def _judge(batch: Batch, catalogue: Catalogue, table: Table, doubt: Doubt | None) -> Ruling:
    alive = survivors(batch, catalogue)
    money = money_of(batch, catalogue)
    price: Array | float = point_price()
    weights = table.weights[:, None]
    if doubt is not None:
        money = replace(
            money, infrastructure=money.infrastructure * doubt.infrastructure, people=money.people * doubt.people
        )
        weights, price = doubt.weights, doubt.point_price
    alive &= ~_too_dear(money, batch)
    fit = table.fit(batch, catalogue, weights)
    net = fit - _comparable(money.total, alive, catalogue) / price
    masked = np.where(alive, net, -math.inf)
    best = np.where(alive.any(axis=0), masked.argmax(axis=0), NOBODY)
    return Ruling(catalogue, alive, fit, money, net, best, np.full(batch.size, NOBODY))


def _too_dear(money: Money, batch: Batch) -> Array:
    """A budget is a must-have; a system whose price is not known may keep it."""
    with np.errstate(invalid="ignore"):
        return np.asarray(money.infrastructure > batch.number("budget_per_month")[None, :])


def _comparable(total: Array, alive: Array, catalogue: Catalogue) -> Array:
    """Money with unknown prices filled in: the middle of the family's surviving prices, else of all prices."""
    if not np.isnan(total).any():
        return total
    priced = np.where(alive & ~np.isnan(total), total, math.nan)
    families = np.array([system.family for system in catalogue.systems])
    usual = np.nan_to_num(_middle(priced))
    filled = total.copy()
    for row in np.flatnonzero(np.isnan(total).any(axis=1)):
        mine = _middle(priced[families == families[row]])
        guess = np.where(np.isnan(mine), usual, mine)
        filled[row] = np.where(np.isnan(total[row]), guess, total[row])
    return filled


def _middle(prices: Array) -> Array:
    """The upper middle of every column; NaN where no price is known."""
    ordered = np.sort(prices, axis=0)  # NaN comes last
    known = (~np.isnan(ordered)).sum(axis=0)
    return np.asarray(np.take_along_axis(ordered, (known // 2)[None, :].clip(max=len(ordered) - 1), axis=0)[0])


# A queue and a log together


def _mixed(batch: Batch) -> Array:
    """Where the work is named as tasks and as something else."""
    others = np.any([batch.word("work", word) for word in _LOG_WORK], axis=0)
    return np.logical_and(batch.word("work", "queue"), others)


def halves(batch: Batch) -> tuple[Batch, Batch]:
    """The log's part of the answers and the queue's part."""
    unknown, nothing = np.full(batch.size, math.nan), np.zeros(batch.size)
    log = batch.changed(**dict.fromkeys(_QUEUE_NEEDS, unknown), **{"work.queue": nothing})
    words = {f"work.{word}": nothing for word in _LOG_WORK}
    wanted = {name: nothing for name in batch.columns if name.startswith("ecosystem.")}
    return log, batch.changed(**dict.fromkeys(_LOG_NEEDS, unknown), **words, **wanted)


def _paired(ruling: Ruling, lost: Array, batch: Batch, table: Table, doubt: Doubt | None) -> Ruling:
    log, queue = (_judge(part, ruling.catalogue, table, doubt) for part in halves(batch))
    both = lost & (log.best != NOBODY) & (queue.best != NOBODY)
    if not both.any():
        return ruling
    beside = np.where(both, queue.best, 0)
    variants = np.arange(batch.size)

    def add(mine: Array, other: Array, whole: Array) -> Array:
        return np.where(both[None, :], mine + other[beside, variants][None, :], whole)

    money = Money(
        add(log.money.infrastructure, queue.money.infrastructure, ruling.money.infrastructure),
        add(log.money.people, queue.money.people, ruling.money.people),
        {key: np.where(both[None, :], log.money.extras[key], needed) for key, needed in ruling.money.extras.items()},
    )

    def pick(mine: Array, whole: Array) -> Array:
        return np.where(both, mine, whole)

    return Ruling(
        ruling.catalogue,
        pick(log.alive, ruling.alive),
        pick(log.fit, ruling.fit),
        money,
        pick(log.net, ruling.net),
        pick(log.best, ruling.best),
        np.where(both, queue.best, NOBODY),
    )
