"""Many scenarios at once: grids over inputs, folders of scenarios, on any executor."""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from planner.codec import load, to_mapping
from planner.results import Plan, Result, to_plain
from planner.scenario import InputError, Scenario, ScenarioError
from planner.sizing import plan

if TYPE_CHECKING:
    import pandas as pd

Source: TypeAlias = Scenario | str | Path | Mapping[str, Any]

MOST_PLANS = 100_000  # plans of one sweep: hours of work
_FEW = 8  # plans that are not worth the start of a pool
_SUFFIXES = (".yaml", ".yml", ".json", ".csv", ".tsv")


@dataclass(frozen=True, slots=True)
class SweepRow:
    """One scenario with its changes, and what its plan says; figures are null where it cannot be planned."""

    scenario: str
    changes: Mapping[str, str]
    feasible: bool | None = None
    brokers: int | None = None
    required: int | None = None
    binding_resource: str | None = None
    binding_state: str | None = None
    partitions: int | None = None
    replicas: int | None = None
    produce_in_bytes_per_s: float | None = None
    network_in_bytes_per_s: float | None = None
    network_out_bytes_per_s: float | None = None
    disk_bytes_worst: float | None = None
    broker_refill_s: float | None = None
    cost_per_month: float | None = None
    errors: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sweep(Result):
    """A row for every scenario and every combination of changes, in the order asked for."""

    rows: tuple[SweepRow, ...]

    def to_frame(self) -> pd.DataFrame:
        """One row per plan; a column for each changed input."""
        import pandas as pd  # heavy: only for callers who want a frame

        return pd.DataFrame([_flat(to_plain(row)) for row in self.rows])


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    name, changes, errors = row.pop("scenario"), row.pop("changes"), row.pop("errors")
    return {"scenario": name, **changes, **row, "errors": "; ".join(errors)}


@dataclass(frozen=True, slots=True)
class _Job:
    """One plan to make, in a form that travels to another process."""

    scenario: str
    source: str | Path | Mapping[str, Any]
    changes: tuple[tuple[str, str], ...]


def sweep(
    scenarios: Source | Sequence[Source],
    over: Mapping[str, Sequence[str]] | None = None,
    *,
    executor: Executor | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Sweep:
    """Plan every scenario with every combination of the given inputs.

    Parameters
    ----------
    scenarios : Scenario, str, Path, mapping, or a sequence of them
        What `planner.load` reads; a folder stands for the scenario files in it.
    over : mapping of str to sequence of str, optional
        Paths of inputs and the values that each takes, such as `{"cluster.zones": ["2", "3"]}`.
    executor : Executor, optional
        Where the plans are made, such as `dask.distributed.Client.get_executor()`. By default a pool of processes, or
        this process for a few plans.
    progress : callable, optional
        Called with the plans made and the plans in all.

    Returns
    -------
    Sweep
        One row per plan. A scenario or a combination that is in error has its messages in `errors`.

    Raises
    ------
    ScenarioError
        When there is nothing to plan, or more than 100,000 plans.

    Examples
    --------
    >>> found = sweep("preset:startup-10k-a-day", {"cluster.zones": ["1", "3"]})
    >>> [(row.changes["cluster.zones"], row.brokers) for row in found.rows]
    [('1', 3), ('3', 3)]
    """
    jobs = _jobs(_listed(scenarios), over or {})
    done: dict[int, SweepRow] = {}
    with _running(executor, len(jobs)) as run:
        for index, row in run(jobs):
            done[index] = row
            if progress is not None:
                progress(len(done), len(jobs))
    return Sweep(tuple(done[index] for index in range(len(jobs))))


def _listed(scenarios: Source | Sequence[Source]) -> list[Source]:
    """The scenarios asked for, with the files of a folder in its place."""
    if isinstance(scenarios, Scenario | str | Path | Mapping):
        scenarios = [scenarios]
    return [each for source in scenarios for each in _files_of(source)]


def _files_of(source: Source) -> Sequence[Source]:
    if not isinstance(source, str | Path) or "\n" in str(source) or not Path(source).is_dir():
        return [source]
    return sorted(item for item in Path(source).iterdir() if item.suffix.lower() in _SUFFIXES and item.is_file())


def _jobs(sources: Sequence[Source], over: Mapping[str, Sequence[str]]) -> list[_Job]:
    count = len(sources) * math.prod(len(values) for values in over.values())
    if not 0 < count <= MOST_PLANS:
        message = f"These are {count:,} plans." if count else "There is nothing to plan."
        raise ScenarioError([InputError("", count, message, f"1 to {MOST_PLANS:,} plans: scenarios times values")])
    combinations = [tuple(zip(over, values, strict=True)) for values in itertools.product(*over.values())]
    return [_Job(*named, changes) for named in map(_named, sources) for changes in combinations]


def _named(source: Source) -> tuple[str, str | Path | Mapping[str, Any]]:
    """What a source is called, and a form of it that can be sent elsewhere; standard input is read here."""
    if isinstance(source, Scenario):
        return source.name, to_mapping(source)
    if isinstance(source, str) and (source == "-" or "\n" in source):
        given = load(source)
        return given.name, to_mapping(given)
    if isinstance(source, Mapping):
        return str(source.get("name") or "scenario"), source
    return str(source), source


@contextmanager
def _running(executor: Executor | None, jobs: int) -> Iterator[Callable[[list[_Job]], Iterator[tuple[int, SweepRow]]]]:
    """How to make the plans: here, on the given executor, or on a pool that is closed afterwards."""
    if executor is not None:
        yield lambda work: _spread(executor, work)
    elif jobs <= _FEW or (os.cpu_count() or 1) == 1:
        yield lambda work: enumerate(map(_row, work))
    else:
        with ProcessPoolExecutor() as pool:
            yield lambda work: _spread(pool, work)


def _spread(executor: Executor, jobs: list[_Job]) -> Iterator[tuple[int, SweepRow]]:
    """Rows as they are finished; nothing that has not begun is begun after an interrupt."""
    futures: dict[Future[SweepRow], int] = {executor.submit(_row, job): index for index, job in enumerate(jobs)}
    try:
        for future in as_completed(futures):
            yield futures[future], future.result()
    except BaseException:
        for future in futures:
            future.cancel()
        raise


def _row(job: _Job) -> SweepRow:
    changes = dict(job.changes)
    try:
        result = plan(load(job.source, sets=[f"{path}={value}" for path, value in job.changes]))
    except ScenarioError as error:
        messages = tuple(f"{row.path}: {row.message}" if row.path else row.message for row in error.errors)
        return SweepRow(job.scenario, changes, errors=messages)
    return _planned(job.scenario, changes, result)


def _planned(name: str, changes: Mapping[str, str], result: Plan) -> SweepRow:
    binding, cluster = result.brokers.binding, result.cluster
    return SweepRow(
        scenario=name,
        changes=changes,
        feasible=result.feasible,
        brokers=result.brokers.count,
        required=result.brokers.required,
        binding_resource=None if binding is None else binding.resource,
        binding_state=None if binding is None else binding.state,
        partitions=cluster.partitions,
        replicas=cluster.replicas,
        produce_in_bytes_per_s=cluster.produce_in_bytes_per_s,
        network_in_bytes_per_s=cluster.network_in_bytes_per_s,
        network_out_bytes_per_s=cluster.network_out_bytes_per_s,
        disk_bytes_worst=cluster.disk_bytes_worst,
        broker_refill_s=result.recovery.broker_refill_s,
        cost_per_month=None if result.cost is None else result.cost.per_month,
    )
