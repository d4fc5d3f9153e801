"""Ranges on inputs become quantiles of the answer: many worlds, sampled together and judged together."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from planner.catalogue import broker_spec
from planner.constants import constant
from planner.fields import InputError, ScenarioError
from planner.model import sampling
from planner.model.types import Array
from planner.results import Assumption, Finding, Plan, Result, frame_of
from planner.scenario import Ranged, Scenario, ranges_of
from planner.sizing import plan
from planner.sizing.compose import sizer_of
from planner.sizing.evaluate import (
    Evaluation,
    Setting,
    losses_of,
    mean_figures,
    refill_room,
    refill_spare,
    threshold,
    utilisation_arguments,
)
from planner.sizing.search import Sizer
from planner.sizing.totals import constants_used
from planner.sizing.verify import fixed
from planner.sizing.workload import Workload
from planner.sizing.worlds import WorldLoad, Worlds, with_values, world_load

if TYPE_CHECKING:
    import pandas as pd

MOST_WORLDS = 65_536
_CHUNK = 4_096  # worlds held in memory at a time
_COUNTS = 400  # broker counts looked at
_LOAD = "load"
_GROWTH = "policy.growth_per_year"

Distribution = Literal["pert", "lognormal"]


@dataclass(frozen=True, slots=True)
class Driver:
    """A quantity that differs from world to world."""

    path: str
    low: float
    likely: float
    high: float


@dataclass(frozen=True, slots=True)
class Bar:
    """What one driver alone does to the brokers needed, all others at their likely values."""

    path: str
    low: float
    high: float
    brokers_at_low: int | None
    brokers_at_high: int | None
    swing: int | None


@dataclass(frozen=True, slots=True)
class CountChance:
    """A broker count: in what share of the worlds it holds, and what choosing it may be regretted for."""

    brokers: int
    holds_probability: float
    expected_regret_brokers: float
    cost_per_month: float | None


@dataclass(frozen=True)
class Quantiles:
    """Brokers needed, over the worlds that some count can carry."""

    p50: int | None
    p90: int | None
    p95: int | None
    likely: int | None


@dataclass(frozen=True)
class CostQuantiles:
    """Monthly cost of the brokers needed."""

    p50: float | None
    p90: float | None
    p95: float | None


@dataclass(frozen=True)
class Uncertainty(Result):
    """Quantiles, chances and the drivers behind them."""

    worlds: int
    seed: int
    distribution: str
    count: int
    brokers: Quantiles
    cost_per_month: CostQuantiles | None
    cost_per_month_reason: str | None
    infeasible_fraction: float
    holds_probability: float
    least_regret: int | None
    counts: tuple[CountChance, ...]
    binding: Mapping[str, float]
    tornado: tuple[Bar, ...]
    drivers: tuple[Driver, ...]
    assumptions: tuple[Assumption, ...]
    findings: tuple[Finding, ...]

    def to_frame(self) -> pd.DataFrame:
        """One row per broker count."""
        return frame_of(self.counts)


def uncertainty(
    scenario: Scenario,
    *,
    worlds: int = 1024,
    seed: int = 1,
    distribution: Distribution = "pert",
    load: tuple[float, float] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Uncertainty:
    """Sample the quantities that are given as ranges, and size every world.

    Reads, replication and stored bytes follow the sampled rates, because they are computed from them. Partition counts
    stay as planned for the likely world: they are chosen before it is known which world it is.

    Parameters
    ----------
    scenario
        A scenario with quantities as `{low, likely, high}` in its topics, or in `policy.growth_per_year`.
    worlds
        Worlds to sample [count], 2 to 65,536; powers of two spread best.
    seed
        Seed of the scrambled Sobol sequence; the same seed gives the same worlds [-].
    distribution
        `pert`: low and high are the ends; `lognormal`: they are the 5 % and 95 % quantiles.
    load
        Ends of a common factor on the rates of all topics, likely 1, beside the ranges of the scenario [ratio].
    progress
        Called with the worlds that are sized and all of them, now and then; what it raises ends the computation.

    Returns
    -------
    Uncertainty
        Quantiles of brokers and cost, the share of worlds that no broker count carries, the chance that the given (or
        the planned) count holds, the count of least regret, and a tornado in brokers.

    Raises
    ------
    ScenarioError
        When nothing is uncertain, or the scenario cannot be planned.

    Examples
    --------
    >>> import planner
    >>> found = uncertainty(planner.load("preset:ecommerce"), worlds=64, load=(0.8, 1.5))
    >>> found.brokers.p50 <= found.brokers.p95
    True
    """
    drivers = _drivers(scenario, load)
    _check(worlds, drivers)
    likely = plan(scenario)
    decided = fixed(scenario, likely)
    columns = _sampled(drivers, worlds, seed, distribution)
    setting, sizer = sizer_of(Workload(decided))
    found = [
        _Batch(decided, setting, sizer, {path: values[at : at + _CHUNK] for path, values in columns.items()})
        for at in range(0, worlds, _CHUNK)
    ]
    required, chances, binding = _scan(found, sizer, scenario.cluster.brokers or likely.brokers.count, progress)
    return _answer(scenario, likely, drivers, required, chances, binding, seed, distribution)


def _check(worlds: int, drivers: list[Driver]) -> None:
    errors = []
    if not 2 <= worlds <= MOST_WORLDS:  # noqa: PLR2004 - one world has no quantiles
        errors.append(InputError("worlds", worlds, "This is no sample.", f"2 to {MOST_WORLDS:,} worlds"))
    if not drivers:
        message = "Nothing is uncertain: no quantity of a topic is a range."
        allowed = "{low, likely, high} in place of a quantity, or --load 0.8:1.5 for all rates"
        errors.append(InputError("topics", None, message, allowed))
    if errors:
        raise ScenarioError(errors)


def _drivers(scenario: Scenario, load: tuple[float, float] | None) -> list[Driver]:
    found = [
        Driver(path, value.low, float(value), value.high)
        for path, value in ranges_of(scenario)
        if (path.startswith("topics.") or path == _GROWTH) and value.low < value.high
    ]
    if load is not None:
        low, high = load
        if not 0 < low <= 1 <= high < math.inf:
            message = "The factor on all rates goes from at most 1 to at least 1."
            raise ScenarioError([InputError(_LOAD, f"{low}:{high}", message, "such as 0.8:1.5")])
        found.append(Driver(_LOAD, low, 1.0, high))
    return found


def _sampled(drivers: list[Driver], worlds: int, seed: int, distribution: Distribution) -> dict[str, Array]:
    """One column of values per driver; a scrambled Sobol sequence fills the cube more evenly than chance."""
    from scipy.stats import qmc  # heavy: only for those who sample

    sobol = qmc.Sobol(len(drivers), scramble=True, seed=seed)
    unit = sobol.random_base2(math.ceil(math.log2(worlds)))[:worlds]
    quantile = sampling.pert_quantile if distribution == "pert" else sampling.lognormal_quantile
    return {
        driver.path: np.asarray(
            quantile(probability_fraction=unit[:, column], low=driver.low, likely=driver.likely, high=driver.high)
        )
        for column, driver in enumerate(drivers)
    }


# Judging the worlds


class _Batch:
    """Some of the worlds, and their load at the counts asked for."""

    def __init__(self, decided: Scenario, setting: Setting, sizer: Sizer, samples: Mapping[str, Array]) -> None:
        self.setting, self.sizer = setting, sizer
        size = len(next(iter(samples.values())))
        self.worlds = Worlds(
            decided,
            samples={path: values for path, values in samples.items() if path != _LOAD},
            load=samples.get(_LOAD, np.ones(size)),
        )
        self.known: WorldLoad | None = None

    def ratios(self, brokers: int) -> tuple[Array, tuple[str, ...]]:
        """Load over limit, shape (resources, worlds), the worst state of each resource; and the resources."""
        self.known = world_load(self.worlds, brokers, self.known)
        evaluation = self.sizer.evaluation(brokers)
        table: dict[str, Array] = {}
        for state, figures in _fullest(self.known, self.setting, evaluation, self.sizer.checked).items():
            for resource, (function, arguments) in utilisation_arguments(figures, self.setting.hardware).items():
                ratio = np.broadcast_to(function(**arguments), self.worlds.count) / threshold(
                    self.setting, resource, state
                )
                table[resource] = np.maximum(table.get(resource, 0.0), ratio)
            if state == "returned" and self.setting.recovery_time_max_s is not None:
                table["recovery"] = self._recovery(figures, evaluation)
        return np.stack([table[name] for name in table]), tuple(table)

    def _recovery(self, figures: Mapping[str, Any], evaluation: Evaluation) -> Array:
        """Refill time over the longest allowed; the peers that feed it are those of the likely world."""
        assert evaluation.refill is not None  # noqa: S101 - the state `returned` applies
        assert self.setting.recovery_time_max_s is not None  # noqa: S101 - the caller looked
        room = refill_room(self.setting, figures, figures, evaluation.refill.sources)
        rate = np.maximum(refill_spare(room), 1e-300)
        return np.asarray(figures["refill"] / rate / self.setting.recovery_time_max_s)


def _fullest(
    load: WorldLoad, setting: Setting, evaluation: Evaluation, checked: frozenset[str]
) -> dict[str, dict[str, Any]]:
    """Figures of the fullest broker in each checked state and world.

    The mean is computed for each world; how far the fullest broker stands above it follows from where replicas lie, and
    is taken from the likely world.
    """
    losses = losses_of(setting, evaluation.layout)
    healthy = mean_figures(load, setting, evaluation.brokers, losses["healthy"])
    found: dict[str, dict[str, Any]] = {}
    for state, outcome in evaluation.outcomes.items():
        if state not in checked and not (state == "returned" and "recovering" in checked):
            continue
        own = outcome.closed_form and state in losses
        mean = mean_figures(load, setting, evaluation.brokers, losses[state]) if own else healthy
        base = outcome.mean if own else evaluation.outcomes["healthy"].mean
        found[state] = {
            key: value * (outcome.fullest[key] / base[key] if base.get(key) else 1.0) for key, value in mean.items()
        }
    return found


def _scan(
    batches: list[_Batch], sizer: Sizer, count: int, progress: Callable[[int, int], None] | None = None
) -> tuple[Array, dict[int, float], dict[str, float]]:
    """Brokers that each world needs (NaN where no count is enough), the share that each count carries, what binds."""
    worlds = [batch.worlds.count for batch in batches]
    required = np.full(sum(worlds), np.nan)
    binds = np.full(sum(worlds), "", dtype=object)
    chances: dict[int, float] = {}
    last = 0
    for brokers in itertools.chain(itertools.islice(sizer.candidates(sizer.floor), _COUNTS), [count]):
        if brokers in chances:
            continue
        held, names = [], []
        for batch in batches:
            ratios, resources = batch.ratios(brokers)
            held.append((ratios <= 1 + 1e-9).all(axis=0))
            names.append(np.array(resources, dtype=object)[ratios.argmax(axis=0)])
        holds, binding = np.concatenate(held), np.concatenate(names)
        chances[brokers] = float(holds.mean())
        first = holds & np.isnan(required) & (brokers >= last)
        required[first], binds[first] = brokers, binding[first]
        last = max(last, brokers)
        if progress is not None:
            progress(int(np.count_nonzero(~np.isnan(required))), len(required))
        if not np.isnan(required).any() and count in chances:
            break
    shares = {str(name): float((binds == name).mean()) for name in dict.fromkeys(binds.tolist()) if name}
    return required, dict(sorted(chances.items())), shares


# The answer


def _answer(  # noqa: PLR0917 - one call, in the order of computation
    scenario: Scenario,
    likely: Plan,
    drivers: list[Driver],
    required: Array,
    chances: Mapping[int, float],
    binding: Mapping[str, float],
    seed: int,
    distribution: str,
) -> Uncertainty:
    count = scenario.cluster.brokers or likely.brokers.count
    possible = required[~np.isnan(required)]
    price = broker_spec(scenario.cluster.broker).price_per_month
    regrets = {brokers: _regret(possible, brokers) for brokers in chances}
    best = min(regrets, key=lambda brokers: (regrets[brokers], brokers)) if len(possible) else None
    infeasible = float(np.isnan(required).mean())
    return Uncertainty(
        worlds=len(required),
        seed=seed,
        distribution=distribution,
        count=count,
        brokers=Quantiles(*_quantiles(possible), likely=likely.brokers.required),
        cost_per_month=None if price is None else CostQuantiles(*_prices(_quantiles(possible), price)),
        cost_per_month_reason="the broker has no price" if price is None else None,
        infeasible_fraction=infeasible,
        holds_probability=chances[count],
        least_regret=best,
        counts=tuple(
            CountChance(brokers, chance, regrets[brokers], None if price is None else price * brokers)
            for brokers, chance in chances.items()
        ),
        binding=dict(binding),
        tornado=_tornado(scenario, likely, drivers),
        drivers=tuple(drivers),
        assumptions=constants_used("uncertainty."),
        findings=tuple(_findings(scenario, drivers, infeasible)),
    )


def _quantiles(required: Array) -> tuple[int | None, int | None, int | None]:
    """Counts that carry at least half, 90 % and 95 % of the worlds that can be carried."""
    if not len(required):
        return (None, None, None)
    low, middle, high = np.quantile(required, (0.5, 0.9, 0.95), method="higher")
    return (int(low), int(middle), int(high))


def _prices(counts: tuple[int | None, ...], price: float) -> Iterator[float | None]:
    return (None if count is None else count * price for count in counts)


def _regret(required: Array, brokers: int) -> float:
    """Mean distance in brokers between what was chosen and what the world needs; missing ones weigh more."""
    if not len(required):
        return 0.0
    return float(
        sampling.expected_regret(
            chosen=float(brokers), needed=required, shortage_weight=constant("uncertainty.shortage_weight")
        )
    )


def _tornado(scenario: Scenario, likely: Plan, drivers: list[Driver]) -> tuple[Bar, ...]:
    """The brokers that a full plan needs with one driver at an end of its range, the widest first."""

    def needed(driver: Driver, value: float) -> int | None:
        return plan(_with_value(fixed(scenario, likely, brokers=None), driver.path, value)).brokers.required

    bars = []
    for driver in drivers:
        low, high = needed(driver, driver.low), needed(driver, driver.high)
        swing = None if low is None or high is None else abs(high - low)
        bars.append(Bar(driver.path, driver.low, driver.high, low, high, swing))
    return tuple(sorted(bars, key=lambda bar: -(math.inf if bar.swing is None else bar.swing)))


def _with_value(scenario: Scenario, path: str, value: float) -> Scenario:
    """The scenario with one driver at a value."""
    if path == _GROWTH:
        policy = scenario.policy.model_copy(update={"growth_per_year": value})
        return scenario.model_copy(update={"policy": policy})
    if path == _LOAD:
        rates = ("records_per_s", "bytes_per_s", "transactions_per_s")
        topics = tuple(
            topic.model_copy(
                update={name: getattr(topic, name) * value for name in rates if getattr(topic, name) is not None}
            )
            for topic in scenario.topics
        )
    else:
        ends = {path: Ranged(value, value, value)}
        topics = tuple(with_values(topic, f"topics.{topic.name}.", ends) for topic in scenario.topics)
    return scenario.model_copy(update={"topics": topics})


def _findings(scenario: Scenario, drivers: list[Driver], infeasible: float) -> Iterator[Finding]:
    if infeasible > 0:
        message = f"In {infeasible:.1%} of the worlds no broker count holds; the quantiles leave them out."
        yield Finding(
            "infeasible_worlds", "warning", message, "Plan the high ends with --set, and see which limit fails."
        )
    sampled = {driver.path for driver in drivers}
    kept = [path for path, value in ranges_of(scenario) if path not in sampled and value.low < value.high]
    if kept:
        message = f"Kept at their likely values, as only topics and growth are sampled: {', '.join(kept)}."
        yield Finding("not_sampled", "warning", message, "Compare their ends with sweep.")
