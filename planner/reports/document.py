"""The parts of a report, in the order in which they are read, whatever they are written as."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import planner
from planner.codec import dump
from planner.reports import tables
from planner.reports.page import Block, Paragraph, Recorded
from planner.reports.pictures.flow import flow_alt, flow_spec, flow_table, flows
from planner.reports.pictures.messaging_costs import cost_alt, cost_spec
from planner.reports.pictures.recovery import recovery_alt, recovery_spec
from planner.reports.pictures.survivors import survivors_alt, survivors_spec
from planner.reports.pictures.wall import wall_spec
from planner.reports.pictures.wall_rows import wall_alt, wall_rows
from planner.reports.placement import placement
from planner.reports.tables import Table
from planner.reports.text_failure import failure_text
from planner.reports.text_recommend import recommend_text
from planner.reports.words import quantity, raw, visible
from planner.results import RESOURCE_WORDS, STATE_WORDS, Plan
from planner.trace import Step

if TYPE_CHECKING:
    from planner.operations.failures import Failure
    from planner.recommender.recommendation import Recommendation
    from planner.runway import Growth

_BROKERS = 50  # rows of brokers shown
_DAY_ONE = dt.date(2000, 1, 1)  # months are counted from the report, which has no date: equal input gives equal bytes
_MONTH_DAYS = 365 / 12


@dataclass(frozen=True, slots=True)
class Picture:
    """A Vega-Lite chart, and the same in words."""

    spec: dict[str, Any]
    alt: str


@dataclass(frozen=True, slots=True)
class Code:
    """Text that is kept as it is."""

    text: str
    language: str

    @property
    def lines(self) -> tuple[str, ...]:
        """Its lines, with what cannot be seen written out."""
        return tuple(map(visible, self.text.rstrip().split("\n")))


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands under it."""

    title: str
    blocks: tuple[Block | Picture | Code, ...]


def sections(plan: Plan) -> Iterator[Section]:
    """Every part of the report of a plan."""
    margins = tables.margins_of(plan)
    rows = wall_rows(plan, margins)
    yield _of_table(tables.wall(plan, margins), Picture(wall_spec(rows), wall_alt(rows)))
    streams = flows(plan)
    yield _of_table(flow_table(streams), Picture(flow_spec(streams), flow_alt(streams)))
    for table in (tables.resources(plan), tables.loads(plan), tables.cluster(plan)):
        yield _of_table(table)
    yield _of_table(placement(plan, _BROKERS))
    yield _of_table(tables.topics(plan))
    yield _of_table(tables.partition_reasons(plan))
    yield Section("Recovery", (Paragraph(tuple(tables.recovery_sentences(plan)), strong=False),))
    yield from _failure(plan)
    yield from _growth(plan)
    yield _of_table(tables.cost(plan))
    yield from _messaging(plan)
    found = tables.findings(plan)
    nothing = Paragraph(("Nothing stands out.",), strong=False)
    yield _of_table(found) if found.rows else Section(found.title, (nothing,))
    yield _of_table(tables.assumptions(plan))
    yield _of_table(formulas(plan))
    yield _of_table(tables.source_rows(_cited(plan)))
    yield Section("The scenario", (Code(dump(plan.scenario), "yaml"),))


def answer(plan: Plan) -> tuple[str, str, str]:
    """The headline, what goes with it, and whether the plan holds."""
    first, *others = plan.headline
    holds = "The plan is feasible." if plan.feasible else "The plan is not feasible."
    return first, " ".join(others), holds


def title(plan: Plan) -> str:
    """What the report is about."""
    return f"Capacity plan: {plan.name}"


def made_by() -> str:
    """The version that computed the report."""
    return f"Computed by kafka-planner {planner.__version__}."


def _of_table(table: Table, *before: Picture) -> Section:
    return Section(table.title, (*before, table) if table.rows or table.notes else before)


def lost_broker(plan: Plan) -> Failure | None:
    """What the loss of any broker does; None without a second one, as nothing is left to look at then."""
    if plan.brokers.count < 2:  # noqa: PLR2004 - as said above
        return None
    from planner.operations.failures import failure

    return failure(plan.scenario)


def grown(plan: Plan) -> Growth | None:
    """The course of the load, counted from the report, which has no date; None where the scenario states no growth."""
    if not plan.scenario.policy.growth_per_year:
        return None
    from planner.runway import growth

    return growth(plan.scenario, start=_DAY_ONE)


def judged(plan: Plan) -> Recommendation | None:
    """Whether Kafka is needed; None where the scenario answers no question about it."""
    if not plan.scenario.questions.model_fields_set - {"hourly_rate", "budget_per_month"}:
        return None
    from planner.recommender import recommend

    return recommend(plan.scenario)


def _failure(plan: Plan) -> Iterator[Section]:
    """What the loss of a broker does, as the command `failure` words it."""
    found = lost_broker(plan)
    if found is None:
        return
    page = Recorded()
    failure_text(found, page)
    pictures = [Picture(survivors_spec(found), survivors_alt(found))] if found.survivors else []
    if len(found.curve) > 1:
        pictures.append(Picture(recovery_spec(found), recovery_alt(found)))
    yield Section("When a broker fails", (*pictures, *page.blocks))


def _growth(plan: Plan) -> Iterator[Section]:
    """In how many months each limit is reached."""
    found = grown(plan)
    if found is None:
        return
    rows = tuple(
        (
            RESOURCE_WORDS[row.resource],
            STATE_WORDS[row.state],
            "-" if row.load_factor is None else f"{row.load_factor:.2f} times",
            months_until(row.date) or row.date_reason or "never",
        )
        for row in found.first_limits
    )
    said = (f"The load grows by {found.growth_per_year:.1%} a year; {found.brokers} brokers are there today.",)
    steps = tuple(
        (
            months_until(row.date) or "-",
            row.kind if row.topic is None else f"partitions of {row.topic}",
            str(row.before),
            str(row.after),
        )
        for row in found.steps
    )
    limits = Table("When each limit is reached", ("resource", "when", "at load", "in"), rows, right=frozenset({2}))
    todo = Table("What to have done by then", ("in", "what", "from", "to"), steps, right=frozenset({2, 3}))
    yield Section("Growth", (Paragraph(said, strong=False), limits, *((todo,) if steps else ())))


def months_until(date: str | None) -> str | None:
    """How far a date of `grown` lies ahead."""
    if date is None:
        return None
    days = (dt.date.fromisoformat(date) - _DAY_ONE).days
    return f"{days / _MONTH_DAYS:.1f} months"


def _messaging(plan: Plan) -> Iterator[Section]:
    """Whether Kafka is needed at all, where the scenario answers questions about it."""
    found = judged(plan)
    if found is None:
        return
    page = Recorded()
    recommend_text(found, page)
    yield Section("Is Kafka needed", (Picture(cost_spec(found.cost), cost_alt(found.cost)), *page.blocks))


def formulas(plan: Plan) -> Table:
    """Every figure of the whole cluster with its formula and its numbers."""
    rows = tuple(_formula(step) for step in cluster_steps(plan))
    columns = ("figure", "formula", "with its numbers", "value", "raw", "source")
    return Table("Formulas", columns, rows, right=frozenset({3, 4}), code=frozenset({0, 1, 2}))


def _formula(step: Step) -> tuple[str, ...]:
    source = step.source if step.confidence == "high" else f"{step.source} ({step.confidence} confidence)"
    return (step.name, step.expression, step.substituted, quantity(step.value, step.unit), raw(step), source)


def cluster_steps(plan: Plan) -> list[Step]:
    """Steps of the whole cluster, each figure once."""
    found = {step.name: step for step in plan.trace if not step.name.startswith("topics.")}
    return list(found.values())


def _cited(plan: Plan) -> set[str]:
    return {step.source for step in cluster_steps(plan)} | {row.source for row in plan.assumptions}
