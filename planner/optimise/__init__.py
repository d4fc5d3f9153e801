"""The cheapest brokers that hold: every type that can be bought, at every count, against every limit in every state."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from planner import units
from planner.catalogue.named import local_spec
from planner.catalogue.offers import InstanceType, PriceKind, providers
from planner.catalogue.own import OWN, read_offers
from planner.constants import constant
from planner.fields import InputError, ScenarioError
from planner.model import cost
from planner.montecarlo import uncertainty
from planner.optimise.candidates import Group, groups, offered, refusal_of, sellers_of
from planner.optimise.judged import Judge, Judgement
from planner.optimise.managed import ManagedRow, managed_rows
from planner.results import RESOURCE_WORDS, STATE_WORDS, Assumption, Finding, Plan, Result, frame_of, to_plain
from planner.scenario import Scenario
from planner.sizing import plan
from planner.sizing.compose import sizer_of
from planner.sizing.costs import LIST_CURRENCY, around, average_fraction
from planner.sizing.search import Sizer
from planner.sizing.sized import size_at
from planner.sizing.totals import constants_used, controllers_of
from planner.sizing.workload import Workload
from planner.trace import Trace

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Search", "SearchRow", "search"]

_PASSED_OVER = 20  # rows that are planned on their own before giving up
_SURE = 5  # answers that are sized in every world


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRow:
    """One machine type with the storage and the count that make it cheapest, or why it is refused."""

    type: str
    broker: str | None = None  # for `cluster.broker`
    provider: str
    family: str
    count: int | None = None
    per_month: float | None = None
    feasible: bool = False
    reason: str | None = None
    brokers_per_month: float | None = None
    storage_per_month: float | None = None
    around_per_month: float | None = None  # controllers, traffic and the remote tier, where their prices are known
    unpriced: tuple[str, ...] = ()
    storage: str | None = None
    storage_bytes_per_broker: float | None = None
    resource: str | None = None  # the fullest, against its limit
    state: str | None = None
    limit_used_fraction: float | None = None
    recovery_s: float | None = None
    recovery_reason: str | None = None
    pareto: bool = False
    price_kind: str | None
    price_as_of: str | None
    vcpu: float
    memory_bytes: float


@dataclass(frozen=True, slots=True)
class Chance:
    """One of the best answers in many worlds: how often it holds, and what it takes to hold in most."""

    broker: str
    count: int
    holds_probability: float
    infeasible_fraction: float
    count_p50: int | None
    count_p90: int | None
    per_month_p50: float | None  # brokers and volumes
    per_month_p90: float | None


@dataclass(frozen=True)
class Search(Result):
    """Every type, the cheapest first."""

    best: SearchRow | None
    reason: str | None
    currency: str
    price_kind: str
    discount_fraction: float
    sooner: SearchRow | None  # the cheapest that refills an empty broker within a day, where the best does not
    families: tuple[SearchRow, ...]
    rows: tuple[SearchRow, ...]
    managed: tuple[ManagedRow, ...]
    chances: tuple[Chance, ...]
    plan: Plan | None
    assumptions: tuple[Assumption, ...]
    findings: tuple[Finding, ...]

    @property
    def over_budget(self) -> bool:
        """Whether the best costs more than the policy's budget."""
        return any(finding.code == "budget_missed" for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """The contract's dictionary, with that of the best one's plan."""
        return {
            item.name: to_plain(getattr(self, item.name)) if item.name != "plan" else self.plan and self.plan.to_dict()
            for item in dataclasses.fields(self)
        }

    def to_frame(self) -> pd.DataFrame:
        """One row per machine type."""
        return frame_of(self.rows)


@dataclass(frozen=True, slots=True)
class _Terms:
    """On what terms is bought."""

    price_kind: PriceKind
    discount_fraction: float
    currency: str
    currency_rate: float

    def charged(self, listed: float) -> float:
        """A list price as it is paid."""
        return float(
            cost.charged_per_month(
                list_per_month=listed, discount_fraction=self.discount_fraction, currency_rate=self.currency_rate
            )
        )


@dataclass(frozen=True, slots=True)
class _Market:
    """What can be bought, of whom, on what terms."""

    sellers: frozenset[str]
    types: Mapping[str, InstanceType]
    terms: _Terms


@dataclass(frozen=True, slots=True)
class _Found:
    """A variant at a count: whether it holds there, and how full it is."""

    group: Group
    index: int
    count: int
    judgement: Judgement
    around: tuple[float, tuple[str, ...]]

    @property
    def brokers_per_month(self) -> float:
        """List price of all machines."""
        return float(self.group.machine_per_month[self.index]) * self.count

    @property
    def storage_per_month(self) -> float:
        """List price of all volumes."""
        return float(self.judgement.storage_per_month[self.index]) * self.count

    @property
    def per_month(self) -> float:
        """List price of everything."""
        return self.brokers_per_month + self.storage_per_month + self.around[0]

    @property
    def worst(self) -> float:
        """Load over limit of the fullest resource."""
        return self.judgement.fullest(self.index)[2]


def search(
    scenario: Scenario,
    *,
    sellers: Collection[str] | None = None,
    prices: PriceKind = "on_demand",
    discount_fraction: float = 0.0,
    currency: str = LIST_CURRENCY,
    currency_rate: float = 1.0,
    offers: str | None = None,
    worlds: int = 0,
) -> Search:
    """Find the cheapest brokers that hold, over every type that can be bought, its storage and its count.

    The load at a count is computed once and held against all types. A type takes the least count at which every checked
    state holds, or the count that the scenario gives; a network volume is bought as large and as fast as that count
    needs. What wins is planned again on its own.

    Parameters
    ----------
    scenario
        A scenario with topics; its `cluster.broker` is not looked at.
    sellers
        Whose types to look at: aws, msk, gcp, azure; all by default.
    prices
        `on_demand` or `reserved_3y`.
    discount_fraction
        What the sellers take off every list price [fraction], 0 up to 1.
    currency
        Name of the currency of the answer.
    currency_rate
        Units of that currency for one US dollar [ratio], > 0.
    offers
        Text of a CSV with machines or prices of your own (see `planner.catalogue.own`).
    worlds
        Worlds to sample for the best answers where the scenario has ranges [count]; 0 = none.

    Returns
    -------
    Search
        The best, the best of each family, a row for every type with its cost or why it is refused, and the plan of the
        best.

    Raises
    ------
    ScenarioError
        When there are no topics, or terms or sellers are not known.

    Examples
    --------
    >>> import planner
    >>> found = search(planner.load("preset:startup-10k-a-day"), sellers=["msk"])
    >>> found.best.count, found.best.type
    (3, 'kafka.m7g.large')
    """
    _check(sellers, discount_fraction, currency, currency_rate)
    terms = _Terms(prices, discount_fraction, currency, currency_rate)
    workload = Workload(scenario)
    setting, sizer = sizer_of(workload)
    own = read_offers(offers) if offers is not None else ()
    market = _Market(sellers_of(sellers), offered(own), terms)
    scan = _Scan(workload, Judge(setting, sizer.checked), sizer, groups(prices, market.sellers, own))
    held, refused = scan.run(scenario.cluster.broker_count)
    rows = _rows(held, refused, market)
    best, planned, findings = _verified(scenario, rows, market)
    sooner = _sooner(held, terms, best)
    managed = tuple(_managed(scenario, planned, scan, terms))
    reason = None if best else _why_nothing(refused, scenario)
    return Search(
        best=best,
        reason=reason,
        currency=currency,
        price_kind=prices,
        discount_fraction=discount_fraction,
        sooner=sooner,
        families=tuple(_best_of_families(rows)),
        rows=rows,
        managed=managed,
        chances=tuple(_chances(scenario, rows, market, worlds)) if worlds else (),
        plan=planned,
        assumptions=constants_used("search.", "cost."),
        findings=(*findings, *_findings(scenario, best, rows, terms, sooner), *_cheaper(best, managed, terms)),
    )


def _check(sellers: Collection[str] | None, discount: float, currency: str, rate: float) -> None:
    known = tuple(providers())
    errors = [
        InputError("sellers", name, "Nothing of this seller is known.", ", ".join(known))
        for name in sellers or ()
        if name not in known
    ]
    if not 0 <= discount < 1:
        errors.append(InputError("discount", discount, "This is no discount.", "a fraction from 0 up to 1"))
    if not (math.isfinite(rate) and 0 < rate <= 1e6):  # noqa: PLR2004 - no currency is worth less
        errors.append(InputError("currency_rate", rate, "This is no rate.", "units for one US dollar, above 0"))
    if not (currency.isalpha() and len(currency) == len(LIST_CURRENCY)):
        errors.append(InputError("currency", currency, "This is no currency code.", "three letters, such as EUR"))
    if errors:
        raise ScenarioError(errors)


# Looking at counts


class _Scan:
    """Goes up through the broker counts, until every variant holds or costs too much to be of interest."""

    def __init__(self, workload: Workload, judge: Judge, sizer: Sizer, offered: tuple[Group, ...]) -> None:
        self.workload, self.judge, self.sizer, self.offered = workload, judge, sizer, offered
        self.sized_at = cache(partial(size_at, workload))
        self.around_at = cache(self._around)
        self.open = [np.ones(len(group.variants), dtype=bool) for group in offered]
        self.held: list[_Found] = []
        self.refused: dict[tuple[int, int], _Found] = {}
        self.cheapest = math.inf

    def run(self, given: int | None) -> tuple[list[_Found], list[_Found]]:
        """Variants that hold, at their least count; and the others, at the last count that was judged."""
        for brokers in [given] if given else self._counts():
            for number, group in enumerate(self.offered):
                self._look(number, group, brokers, all_of_them=given is not None)
            if not any(still.any() for still in self.open):
                break
        left = [found for (number, index), found in self.refused.items() if self.open[number][index]]
        return self.held, left

    def _counts(self) -> Iterator[int]:
        most = max(int(constant("search.brokers_max")), self.sizer.floor)
        for brokers in self.sizer.candidates(self.sizer.floor):
            if brokers > most:
                return
            yield brokers

    def _look(self, number: int, group: Group, brokers: int, *, all_of_them: bool) -> None:
        """Judge a group at a count; only those whose mean fits are worth a placement."""
        still = self.open[number]
        if not all_of_them:
            still &= group.machine_per_month * brokers <= self.cheapest * constant("search.dearer_ratio")
        if not still.any():
            return
        sized = self.sized_at(brokers)
        if not all_of_them and not (still & self.judge.means_hold(sized, brokers, group)).any():
            return
        judgement, around = self.judge.judge(sized, brokers, group), self.around_at(group.provider.name, brokers)
        holds = judgement.holds()
        for index in np.flatnonzero(still):
            found = _Found(group, int(index), brokers, judgement, around)
            if holds[index]:
                self.held.append(found)
                if not around[1]:
                    self.cheapest = min(self.cheapest, found.per_month)
            else:
                self.refused[number, int(index)] = found
        still &= np.logical_not(holds)

    def _around(self, seller: str, brokers: int) -> tuple[float, tuple[str, ...]]:
        """What is billed beside brokers and volumes, and what of it has no price."""
        sized = self.sized_at(brokers)
        items = list(around(self.workload, sized, controllers_of(brokers, Trace.silent), brokers, providers()[seller]))
        total = sum(item.line.per_month for item in items if item.line is not None)
        return total, tuple(item.name for item in items if item.line is None)


# Rows


def _rows(held: list[_Found], refused: list[_Found], market: _Market) -> tuple[SearchRow, ...]:
    """One row per type: its cheapest variant that holds, else the one that comes nearest, else why it was left out."""
    cheapest: dict[str, _Found] = {}
    for found in sorted(held, key=_rank):
        cheapest.setdefault(_name(found), found)
    nearest: dict[str, _Found] = {}
    for found in sorted(refused, key=lambda found: found.worst):
        if _name(found) not in cheapest:
            nearest.setdefault(_name(found), found)
    best, terms = _pareto(list(cheapest.values())), market.terms
    rows = [_row(found, terms, feasible=True, pareto=name in best) for name, found in cheapest.items()]
    rows += [_row(found, terms, feasible=False) for found in nearest.values()]
    rest = [
        _left_out(kind, terms.price_kind)
        for name, kind in market.types.items()
        if kind.provider in market.sellers and name not in cheapest and name not in nearest
    ]
    return (*rows, *rest)


def _rank(found: _Found) -> tuple[bool, float]:
    """By cost; what is billed without a known price makes a cost incomparable, so such types come last."""
    return bool(found.around[1]), found.per_month


def _name(found: _Found) -> str:
    return found.group.variants[found.index].kind.name


def _pareto(found: list[_Found]) -> set[str]:
    """Types that no other one beats in cost, in recovery time and in headroom at once."""
    table = np.array([[row.per_month, _recovery(row), row.worst] for row in found]).reshape(len(found), 3)
    beaten = [bool(((table <= row).all(axis=1) & (table < row).any(axis=1)).any()) for row in table]
    return {_name(row) for row, lost in zip(found, beaten, strict=True) if not lost}


def _recovery(found: _Found) -> float:
    return float(found.judgement.recovery_s[found.index])


def _row(found: _Found, terms: _Terms, *, feasible: bool, pareto: bool = False) -> SearchRow:
    variant, index = found.group.variants[found.index], found.index
    resource, state, _ = found.judgement.fullest(index)
    recovery = _recovery(found)
    money: dict[str, Any] = {
        "count": found.count,
        "per_month": terms.charged(found.per_month),
        "brokers_per_month": terms.charged(found.brokers_per_month),
        "storage_per_month": terms.charged(found.storage_per_month),
        "around_per_month": terms.charged(found.around[0]),
    }
    return SearchRow(
        **_about(variant.kind, terms.price_kind),
        **(money if feasible else {"reason": _why_refused(found, resource, state)}),
        broker=_broker(found),
        feasible=feasible,
        unpriced=found.around[1],
        storage=f"{found.group.volumes} local drives" if variant.volume is None else variant.volume.name,
        storage_bytes_per_broker=float(found.judgement.capacity_bytes[index]),
        resource=resource,
        state=state,
        limit_used_fraction=min(found.worst, 1e12),
        recovery_s=recovery if math.isfinite(recovery) else None,
        recovery_reason=None if math.isfinite(recovery) else "never: nothing is left for a refill",
        pareto=pareto,
    )


def _broker(found: _Found) -> str:
    """The variant as a scenario names it."""
    variant, index = found.group.variants[found.index], found.index
    if variant.volume is None:
        return variant.kind.name
    size = units.format_exact(float(found.judgement.capacity_bytes[index]), "bytes")
    speed = units.format_exact(variant.rate_bytes_per_s, "bytes_per_s")
    iops = float(found.judgement.iops[index])
    operations = f":{math.ceil(iops)}" if math.isfinite(iops) else ""
    return f"{variant.kind.name}:{variant.volume.name}:{size}:{speed}{operations}".replace(" ", "")


def _why_refused(found: _Found, resource: str, state: str) -> str:
    """The limit that is exceeded, and by how much."""
    words = f"{RESOURCE_WORDS[resource]} when {STATE_WORDS[state]}"
    return f"{words} at {found.worst:.2f} times its limit with {found.count} brokers, the last count looked at"


def _left_out(kind: InstanceType, price_kind: PriceKind) -> SearchRow:
    ratio = constant("search.dearer_ratio")
    reason = refusal_of(kind, price_kind) or (
        f"at the counts it would need its machines alone cost over {ratio:.0f} times the cheapest answer"
    )
    return SearchRow(reason=reason, **_about(kind, price_kind))


def _about(kind: InstanceType, price_kind: PriceKind) -> dict[str, Any]:
    """What a row says of its type, whether it holds or not."""
    price = kind.price(price_kind)
    return {
        "type": kind.name,
        "provider": kind.provider,
        "family": kind.family,
        "price_kind": price.kind if price else None,
        "price_as_of": price.as_of if price else None,
        "vcpu": kind.vcpu,
        "memory_bytes": kind.memory_bytes,
    }


def _slow(row: SearchRow) -> bool:
    return row.recovery_s is None or row.recovery_s > constant("search.recovery_warned_s")


def _sooner(held: list[_Found], terms: _Terms, best: SearchRow | None) -> SearchRow | None:
    """The cheapest variant that refills in time, when the best does not."""
    if best is None or not _slow(best):
        return None
    quick = [found for found in held if _recovery(found) <= constant("search.recovery_warned_s")]
    return _row(min(quick, key=_rank), terms, feasible=True) if quick else None


def _best_of_families(rows: tuple[SearchRow, ...]) -> Iterator[SearchRow]:
    seen: set[str] = set()
    for row in rows:
        if row.feasible and row.family not in seen:
            seen.add(row.family)
            yield row


# The answer


def with_broker(scenario: Scenario, row: SearchRow, own: InstanceType | None = None) -> Scenario:
    """The scenario with the brokers of a row, at its count; a machine of the user's own as a specification."""
    broker = row.broker if own is None else local_spec(own)
    cluster = scenario.cluster.model_copy(update={"broker": broker, "brokers": row.count})
    return scenario.model_copy(update={"cluster": cluster})


def _verified(
    scenario: Scenario, rows: tuple[SearchRow, ...], market: _Market
) -> tuple[SearchRow | None, Plan | None, tuple[Finding, ...]]:
    """The cheapest row that holds as a plan of its own too, and that plan."""
    findings: list[Finding] = []
    for row in rows:
        if not row.feasible:
            break
        own = market.types[row.type] if row.provider == OWN else None
        planned = plan(with_broker(scenario, row, own))
        if planned.feasible or _only_budget(planned):
            return row, planned, tuple(findings)
        why = next((finding.message for finding in planned.findings if finding.severity == "critical"), "")
        findings.append(
            Finding("search_passed_over", "info", f"{row.type} was passed over: {why}", "See its own plan.")
        )
        if len(findings) >= _PASSED_OVER:
            break
    return None, None, tuple(findings)


def _chances(scenario: Scenario, rows: tuple[SearchRow, ...], market: _Market, worlds: int) -> Iterator[Chance]:
    """The best answers, each sized in every world; machines and volumes stay as they are bought for the likely one."""
    for row in [row for row in rows if row.feasible][:_SURE]:
        own = market.types[row.type] if row.provider == OWN else None
        found = uncertainty(with_broker(scenario, row, own), worlds=worlds)
        each = ((row.brokers_per_month or 0.0) + (row.storage_per_month or 0.0)) / (row.count or 1)
        middle, high = found.brokers.p50, found.brokers.p90
        yield Chance(
            broker=row.broker or row.type,
            count=row.count or 0,
            holds_probability=found.holds_probability,
            infeasible_fraction=found.infeasible_fraction,
            count_p50=middle,
            count_p90=high,
            per_month_p50=None if middle is None else middle * each,
            per_month_p90=None if high is None else high * each,
        )


def _managed(scenario: Scenario, planned: Plan | None, scan: _Scan, terms: _Terms) -> Iterator[ManagedRow]:
    """Services that are sized by quotas, on the same terms."""
    base = planned or plan(scenario)
    sized = scan.sized_at(base.brokers.count)
    calm = average_fraction(sized)
    averages = (sized.load.topics.produce_in_bytes_per_s, sized.load.topics.consumer_out_bytes_per_s)
    for row in managed_rows(scenario, base, *(float(flow @ calm) for flow in averages)):
        lines = {item: terms.charged(price) for item, price in row.lines.items()}
        yield dataclasses.replace(
            row, lines=lines, per_month=None if row.per_month is None else terms.charged(row.per_month)
        )


def _cheaper(best: SearchRow | None, managed: tuple[ManagedRow, ...], terms: _Terms) -> Iterator[Finding]:
    """A service that costs less than the brokers."""
    priced = [row for row in managed if row.per_month is not None]
    least = min(priced, key=lambda row: row.per_month or 0.0, default=None)
    if least is None or (best is not None and (best.per_month or 0.0) <= (least.per_month or 0.0)):
        return
    what = least.name if least.count is None else f"{least.count} x {least.name}"
    message = f"As a service it costs less: {what} at {least.per_month:,.0f} {terms.currency} a month."
    yield Finding("service_cheaper", "info", message, "Weigh what the service does not let you set or see.")


def _only_budget(planned: Plan) -> bool:
    critical = {finding.code for finding in planned.findings if finding.severity == "critical"}
    return critical == {"budget_missed"}


def _why_nothing(refused: list[_Found], scenario: Scenario) -> str:
    """The limit that no type meets, the distance, and the nearest change."""
    if not refused:
        return "no type of these sellers has a price and comes near enough in cost to be looked at"
    near = min(refused, key=lambda found: found.worst)
    resource, state, _ = near.judgement.fullest(near.index)
    words = RESOURCE_WORDS[resource]
    count = scenario.cluster.broker_count
    change = "give more brokers" if count else "carry less, keep less, or let more fail"
    return (
        f"nothing holds: the nearest is {near.count} of {_name(near)}, where {words} when {STATE_WORDS[state]} is at "
        f"{near.worst:.2f} times its limit; {change}"
    )


def _findings(
    scenario: Scenario, best: SearchRow | None, rows: tuple[SearchRow, ...], terms: _Terms, sooner: SearchRow | None
) -> Iterator[Finding]:
    if best is not None and _slow(best):
        lasts = "never ends" if best.recovery_s is None else f"takes {units.format_quantity(best.recovery_s, 's')}"
        other = "no type does so sooner"
        if sooner is not None:
            soon = units.format_quantity(sooner.recovery_s or 0.0, "s")
            price = f"{sooner.per_month:,.0f} {terms.currency} a month"
            other = f"{sooner.count} x {sooner.broker} does it in {soon}, for {price}"
        message = f"Refilling an empty broker of the cheapest kind {lasts}; {other}."
        yield Finding("slow_refill", "warning", message, "Give policy.recovery_time_max to have it counted.")
    budget = scenario.policy.budget_per_month
    if best is not None and budget is not None and (best.per_month or 0.0) > budget:
        message = f"The cheapest answer costs {best.per_month:,.0f} a month; the budget is {budget:,.0f}."
        yield Finding("budget_missed", "critical", message, "Keep less, survive less, or raise the budget.")
    if best is not None and best.storage == "st1":
        message = (
            "The cheapest volume is a spinning disk of 500 operations a second, and how many Kafka causes depends on "
        )
        message += "the kernel's writeback: that estimate is of low confidence."
        yield Finding("spinning_disk", "warning", message, "Measure with the load test, or compare the next rows.")
    if best is not None and best.price_kind == "derived":
        message = f"The price of {best.type} is derived from its family's, not listed."
        yield Finding("price_derived", "info", message, "Check it against the seller's page.")
    if best is not None and best.unpriced:
        message = f"Without a known price, and left out of the cost: {', '.join(best.unpriced)}."
        yield Finding("not_priced", "warning", message, "Add it by hand before comparing sellers.")
    if best is not None and terms != _Terms("on_demand", 0.0, LIST_CURRENCY, 1.0):
        message = f"The plan of the best carries list prices on demand in {LIST_CURRENCY}, not those asked for here."
        yield Finding("plan_at_list_prices", "info", message, "Take the cost from the row, not from its plan.")
    missing = sum(1 for row in rows if row.reason and "price is known" in row.reason)
    if missing:
        message = f"{missing} types have no {terms.price_kind.replace('_', ' ')} price and were left out."
        yield Finding("types_without_price", "info", message, "Newer families have three-year prices only.")
