"""The least number of brokers that holds: for each resource alone, and for all together."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from planner.constants import constant
from planner.results import RESOURCE_WORDS, RESOURCES, STATES, Need
from planner.sizing.evaluate import Evaluation, Setting, evaluate, healthy_mean_utilisation, lone_utilisation, threshold
from planner.sizing.loads import Load
from planner.sizing.sized import Sized

_CONSECUTIVE = 48  # candidates looked at one by one before the steps grow by 5 %
_TIMES = 4  # how far beyond the mean's answer the search goes
_EACH = 4  # how many candidates pass between two looks at whether more brokers can help at all
_MANY_REPLICAS = 50_000  # from here on counts are not tried one by one
_TOLERANCE = 1e-9

Where = tuple[str, str]


@dataclass(slots=True)
class Sizer:
    """Evaluates broker counts once each and answers what the least sufficient one is."""

    sized_at: Callable[[int], Sized]
    setting: Setting
    checked: frozenset[str]
    floor: int
    step: int
    evaluations: dict[int, Evaluation] = field(default_factory=dict)
    means: dict[int, dict[str, float]] = field(default_factory=dict)
    _ratios: dict[int, dict[Where, float]] = field(default_factory=dict)

    def load_at(self, brokers: int) -> Load:
        """The load at `brokers`."""
        return self.sized_at(brokers).load

    def evaluation(self, brokers: int) -> Evaluation:
        """The checked states at `brokers`, computed once."""
        if brokers not in self.evaluations:
            self.evaluations[brokers] = evaluate(self.load_at(brokers), self.setting, brokers, self.checked)
        return self.evaluations[brokers]

    def complete(self, brokers: int) -> Evaluation:
        """Every state at `brokers`, also those that the policy does not ask for."""
        known = self.evaluation(brokers)
        self.evaluations[brokers] = evaluate(self.load_at(brokers), self.setting, brokers, STATES, known)
        return self.evaluations[brokers]

    def ratios(self, brokers: int) -> dict[Where, float]:
        """Utilisation over threshold, for every resource in every checked state; computed once."""
        if brokers not in self._ratios:
            self._ratios[brokers] = self._compared(brokers)
        return self._ratios[brokers]

    def _compared(self, brokers: int) -> dict[Where, float]:
        found = {
            (resource, state): value / threshold(self.setting, resource, state)
            for (resource, state), value in self.evaluation(brokers).utilisation.items()
            if state in self.checked and not (state == "recovering" and self.setting.recovery_time_max_s is None)
        }
        fastest = self.evaluation(brokers).refill
        if self.setting.recovery_time_max_s is not None and "recovering" in self.checked and fastest is not None:
            found["recovery", "recovering"] = fastest.fastest_s / self.setting.recovery_time_max_s
        return found

    def worst(self, brokers: int, resource: str | None = None) -> tuple[Where, float]:
        """The fullest resource and state (of one resource when named) and its ratio."""
        ratios = self.ratios(brokers)
        where = max((key for key in ratios if resource in {None, key[0]}), key=lambda key: ratios[key])
        return where, ratios[where]

    def holds(self, brokers: int, resource: str | None = None) -> bool:
        """Whether every checked state stays within its limits; a resource that does not apply holds."""
        ratios = self.ratios(brokers)
        return all(ratio <= 1 + _TOLERANCE for key, ratio in ratios.items() if resource in {None, key[0]})

    def least(self, resource: str | None = None) -> int | None:
        """The least candidate that holds; None when no count does."""
        start = self.lower_bound(resource)
        if start is None:
            return None
        for tried, brokers in enumerate(self.candidates(start)):
            if self.holds(brokers, resource):
                return brokers
            if self.load_at(brokers).replicas > _MANY_REPLICAS:
                return self._least_striding(brokers, resource)
            if tried % _EACH == _EACH - 1 and self.never(brokers, resource):
                return None
        return None

    def _least_striding(self, start: int, resource: str | None) -> int | None:
        """For layouts so large that fullest and mean move together: half the missing distance at a time."""
        brokers, failed = start, start
        while brokers <= constant("sizing.brokers_max"):
            missing = self.worst(brokers, resource)[1] - 1
            if missing <= _TOLERANCE:
                between = range(failed + self.step, brokers, self.step)
                return next((count for count in between if self.holds(count, resource)), brokers)
            failed = brokers
            if not math.isfinite(missing) or self.never(brokers, resource):
                return None
            brokers += self.step * max(1, int(brokers * missing / 2) // self.step)
        return None

    def candidates(self, start: int) -> Iterator[int]:
        """Counts from `start` on, one by one at first; a needed count is not monotone, so nothing is bisected.

        Means fit at `start`, so several times as many brokers without success means that lumps do not divide.
        """
        brokers, tried = start, 0
        while brokers <= min(constant("sizing.brokers_max"), start * _TIMES + _CONSECUTIVE * self.step):
            yield brokers
            tried += 1
            jump = 1 if tried < _CONSECUTIVE else max(1, brokers // 20 // self.step)
            brokers += self.step * jump

    def lower_bound(self, resource: str | None) -> int | None:
        """The least candidate around which the healthy mean stays within its limit; below it no placement can.

        Means nearly have the form c + X/B, for which B * utilisation / limit does not overshoot. Requests and partition
        counts that follow the brokers bend that form, so the last step is taken back while the mean still holds.
        """
        brokers = self.floor
        for _ in range(100):
            ratio = self._mean_ratio(brokers, resource)
            if ratio <= 1 + _TOLERANCE:
                while brokers > self.floor and self._mean_ratio(brokers - self.step, resource) <= 1 + _TOLERANCE:
                    brokers -= self.step
                return brokers
            wanted = max(brokers * ratio * (1 - 1e-12), brokers + 1)
            if not math.isfinite(wanted) or wanted > constant("sizing.brokers_max"):
                return None
            brokers = self.floor + self.step * math.ceil((wanted - self.floor) / self.step - 1e-9)
        return None

    def _mean_ratio(self, brokers: int, resource: str | None) -> float:
        limits = partial(threshold, self.setting, state="healthy")
        means = self.mean(brokers)
        return max((value / limits(key) for key, value in means.items() if resource in {None, key}), default=0.0)

    def mean(self, brokers: int) -> dict[str, float]:
        """Utilisation of the healthy mean broker, computed once."""
        if brokers not in self.means:
            load = self.load_at(brokers)
            self.means[brokers] = healthy_mean_utilisation(load, self.setting, brokers)
        return self.means[brokers]

    def never(self, brokers: int, resource: str | None) -> bool:
        """Whether one partition alone exceeds a limit, so that more brokers cannot help."""
        load = self.load_at(brokers)
        lone = lone_utilisation(load, self.setting)
        return any(
            value > threshold(self.setting, key, "healthy") * (1 + _TOLERANCE)
            for key, value in lone.items()
            if resource in {None, key}
        )

    def needs(self, replication: Need) -> Mapping[str, Need]:
        """For each resource the least count when only it constrains."""
        found: dict[str, Need] = {}
        for resource in RESOURCES:
            if resource == "replication":
                found[resource] = replication
            elif resource == "recovery" and self.setting.recovery_time_max_s is None:
                found[resource] = Need(None, None, None, "policy.recovery_time_max is not set")
            else:
                found[resource] = self._need(resource)
        return found

    def _need(self, resource: str) -> Need:
        count = self.least(resource)
        if count is None:
            return Need(None, None, None, self._why_never(resource))
        if not any(key[0] == resource for key in self.ratios(count)):
            return Need(None, None, None, "not applicable in the checked states")
        (_, state), ratio = self.worst(count, resource)
        return Need(count, count * ratio, state)

    def _why_never(self, resource: str) -> str:
        """Why no broker count brings a resource within its limit, with the distance."""
        limit, words = int(constant("sizing.brokers_max")), RESOURCE_WORDS[resource]
        about = limit * self.mean(limit).get(resource, 0.0) / threshold(self.setting, resource, "healthy")
        if about > limit:
            return f"{words} would take about {about:,.0f} brokers, and no more than {limit:,} are looked at"
        if resource == "recovery":
            return "no count of brokers refills one in the recovery time asked for"
        return f"one partition alone exceeds the limit of {words}; more brokers do not help, more partitions do"
