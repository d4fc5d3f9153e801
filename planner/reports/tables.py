"""What reports show, as plain tables; each renderer escapes and lays out for its medium."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from planner.constants import sources
from planner.reports.words import (
    CLUSTER_LABELS,
    FIGURE_LABELS,
    REASON_LABELS,
    STATE_LABELS,
    assumed,
    assumed_range,
    margin_text,
    quantity,
    unit_of_figure,
    unit_of_input,
    visible,
)
from planner.results import (
    RESOURCE_WORDS,
    RESOURCES,
    STATES,
    Check,
    Comparison,
    CostLine,
    Difference,
    Margin,
    Plan,
    Reverse,
    StateLoad,
    Verdict,
)
from planner.sizing.compose import sizer_of
from planner.sizing.evaluate import threshold
from planner.sizing.narrate import percent
from planner.sizing.workload import Workload
from planner.trace import short
from planner.units import parse

if TYPE_CHECKING:
    import pandas as pd

_DASH = "-"
_NAMED = 10  # topics named in one note


@dataclass(frozen=True, slots=True)
class Table:
    """A titled table of texts.

    `right` are columns of numbers, `prose` columns that wrap, `code` columns of formulas, `strong` are (row, column).
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()
    right: frozenset[int] = frozenset()
    prose: frozenset[int] = frozenset()
    strong: frozenset[tuple[int, int]] = frozenset()
    code: frozenset[int] = frozenset()


def _numbers(columns: Sequence[str], start: int = 1) -> frozenset[int]:
    return frozenset(range(start, len(columns)))


def margins_of(plan: Plan) -> tuple[Margin, ...]:
    """Utilisation and limit of every resource in every state, also in those that the policy does not ask for."""
    setting, sizer = sizer_of(Workload(plan.scenario))
    rows = []
    for (resource, state), value in sizer.complete(plan.brokers.count).utilisation.items():
        limit = threshold(setting, resource, state)
        rows.append(Margin(resource, state, value, limit, limit - value, state in sizer.checked))
    return tuple(rows)


def _matrix(title: str, plan: Plan, margins: Iterable[Margin], shown: Mapping[tuple[str, str], str]) -> Table:
    """One row per resource, one column per state; unchecked states in parentheses, the binding cell strong."""
    found = {(margin.resource, margin.state) for margin in margins}
    resources = [name for name in RESOURCES if any((name, state) in found for state in STATES)]
    checked = {state: plan.states[state].checked for state in STATES}
    columns = ("resource", *(_state(state, checked=checked[state]) for state in STATES))

    def cell(resource: str, state: str) -> str:
        text = shown.get((resource, state))
        return _DASH if text is None else text if checked[state] else f"({text})"

    binding = plan.brokers.binding
    place = (binding.resource, binding.state) if binding else ("", "")
    strong = {
        (row, column)
        for row, resource in enumerate(resources)
        for column, state in enumerate(STATES, start=1)
        if (resource, state) == place
    }
    return Table(
        title,
        columns,
        tuple((RESOURCE_WORDS[name], *(cell(name, state) for state in STATES)) for name in resources),
        notes=_matrix_notes(plan),
        right=_numbers(columns),
        strong=frozenset(strong),
    )


def _state(name: str, *, checked: bool) -> str:
    return STATE_LABELS[name] if checked else f"({STATE_LABELS[name]})"


def _matrix_notes(plan: Plan) -> tuple[str, ...]:
    notes = []
    binding = plan.brokers.binding
    if binding is not None:
        notes.append(f"Binding: {RESOURCE_WORDS[binding.resource]}, state {STATE_LABELS[binding.state]}.")
    if not all(state.checked for state in plan.states.values()):
        notes.append("States in parentheses are not checked: the policy does not ask to survive them.")
    return tuple(notes)


def wall(plan: Plan, margins: Sequence[Margin] | None = None) -> Table:
    """How much of its limit every resource uses in every state."""
    rows = margins_of(plan) if margins is None else margins
    shown = {(row.resource, row.state): f"{percent(row.utilisation)} of {percent(row.threshold)}" for row in rows}
    return _matrix("How full each resource is, on the fullest broker", plan, rows, shown)


def margin_matrix(check: Check) -> Table:
    """The distance of every resource from its limit in every state."""
    shown = {(row.resource, row.state): margin_text(row.margin) for row in check.margins}
    return _matrix("Margin left to the limit", check.plan, check.margins, shown)


def loads(plan: Plan) -> Table:
    """Loads of one broker in every state, the mean and the fullest side by side."""
    parts = {"recovering": "target / source"}
    columns = (
        "per broker",
        *(f"{_state(name, checked=plan.states[name].checked)}\n{parts.get(name, 'mean / fullest')}" for name in STATES),
    )
    rows = tuple(
        (label, *(_pair(plan.states[name], key) for name in STATES))
        for key, label in FIGURE_LABELS.items()
        if key != "fullest_volume_bytes" or _volumes_differ(plan)
    )
    return Table("Loads per state", columns, rows, notes=_load_notes(plan), right=_numbers(columns))


def _volumes_differ(plan: Plan) -> bool:
    """Whether a broker has more than one volume."""
    healthy = plan.states["healthy"].fullest or {}
    return healthy["fullest_volume_bytes"] < healthy["disk_bytes"]


def _pair(state: StateLoad, figure: str) -> str:
    left, right = (state.per_broker, state.fullest) if state.target is None else (state.target, state.source)
    if left is None or right is None:
        return _DASH
    unit = unit_of_figure(figure)
    first, second = quantity(left[figure], unit), quantity(right[figure], unit)
    number, _, word = first.rpartition(" ")
    # 18.8 / 19.2 MB/s; "12 / 13" has no unit to share, and in "2 922 / 2 981" the blank belongs to the number
    return f"{number if word == second.rpartition(' ')[2] and not word.isdecimal() and number else first} / {second}"


def _load_notes(plan: Plan) -> tuple[str, ...]:
    notes = []
    for name in STATES:
        state, label = plan.states[name], STATE_LABELS[name].capitalize()
        if state.rate_bytes_per_s is not None:
            notes.append(f"{label}: the target refills at {quantity(state.rate_bytes_per_s, 'bytes/s')}.")
        elif state.per_broker is None:
            notes.append(f"{label}: {state.reason}.")
        elif state.brokers_down:
            notes.append(
                f"{label}: {state.brokers_down} {'broker is' if state.brokers_down == 1 else 'brokers are'} away."
            )
        for word, fractions in (("no writes", state.unwritable), ("offline", state.offline)):
            if fractions:
                shares = ", ".join(f"{percent(share)} of {topic}" for topic, share in list(fractions.items())[:_NAMED])
                more = f" and {len(fractions) - _NAMED} more topics" if len(fractions) > _NAMED else ""
                notes.append(f"{label}, {word}: {shares}{more}.")
        if state.refused_bytes_per_s > 0:
            notes.append(f"{label}: {quantity(state.refused_bytes_per_s, 'bytes/s')} of produce traffic is refused.")
    return tuple(notes)


def resources(plan: Plan) -> Table:
    """One verdict per resource, in its worst checked state."""
    columns = ("resource", "verdict", "used", "limit", "margin", "fullest when", "brokers\nneeded", "action")
    rows = []
    binding = plan.brokers.binding.resource if plan.brokers.binding else None
    for name in RESOURCES:
        need = plan.brokers.needed.get(name)
        raw = "" if need is None or need.raw is None else f" ({quantity(need.raw, 'count')})"
        count = _DASH if need is None or need.count is None else f"{need.count}{raw}"
        worst = _worst(plan, name)
        label = RESOURCE_WORDS[name] + (", binding" if name == binding else "")
        if worst is None:
            reason = need.count_reason if need is not None and need.count_reason else ""
            rows.append((label, _DASH, _DASH, _DASH, _DASH, _DASH, count, _sentence(reason)))
            continue
        caution = "" if worst.confidence == "high" else f"{worst.confidence.capitalize()} confidence. "
        rows.append(
            (
                label,
                worst.verdict,
                percent(worst.utilisation),
                percent(worst.threshold),
                margin_text(worst.margin),
                STATE_LABELS[worst.state],
                count,
                caution + worst.action,
            )
        )
    return Table("Verdict per resource", columns, tuple(rows), right=frozenset({2, 3, 4, 6}), prose=frozenset({7}))


def _worst(plan: Plan, resource: str) -> Verdict | None:
    found = [verdict for verdict in plan.verdicts if verdict.resource == resource]
    return max(found, key=lambda verdict: verdict.utilisation / verdict.threshold, default=None)


def _sentence(text: str) -> str:
    keyed = "." in text.partition(" ")[0]  # a key of the scenario keeps its case
    return f"{text if keyed else text[:1].upper() + text[1:]}." if text else ""


def cluster(plan: Plan) -> Table:
    """Sums over all brokers."""
    rows = tuple(
        (label, quantity(getattr(plan.cluster, name), unit_of_figure(name))) for name, label in CLUSTER_LABELS.items()
    )
    note = "Rates at peak, healthy state."
    return Table("Whole cluster", ("figure", "value"), rows, notes=(note,), right=frozenset({1}))


def topics(plan: Plan, most: int | None = None) -> Table:
    """Partitions and bytes of every topic, or of the first `most`."""
    columns = (
        "topic",
        "partitions",
        "set by",
        "RF",
        "min\nISR",
        "produce",
        "consume",
        "a record\non the wire",
        "records\na batch",
        "disk",
        "disk\nat worst",
        "hottest\npartition",
    )
    rows = tuple(
        (
            name,
            f"{topic.partitions}",
            f"given; {topic.binding_reason.replace('_', ' ')} asks for {short(round(topic.partitions_raw, 2))}"
            if topic.partitions_given
            else topic.binding_reason.replace("_", " "),
            f"{topic.replication_factor}",
            f"{topic.min_insync_replicas}",
            quantity(topic.produce_in_bytes_per_s, "bytes/s"),
            quantity(topic.consumer_out_bytes_per_s, "bytes/s"),
            quantity(topic.wire_bytes_per_record, "bytes"),
            quantity(topic.batch_records, "count"),
            quantity(topic.disk_bytes, "bytes"),
            quantity(topic.disk_bytes_worst, "bytes"),
            percent(topic.hottest_partition_fraction),
        )
        for name, topic in list(plan.topics.items())[:most]
    )
    hidden = len(plan.topics) - len(rows)
    notes = (f"{hidden} more topics are left out here; --format csv lists all.",) if hidden else ()
    return Table("Topics", columns, rows, notes=notes, right=_numbers(columns, 3) | {1})


def partition_reasons(plan: Plan) -> Table:
    """The partitions that each reason asks for, topic by topic."""
    columns = ("topic", "partitions", "set by", *REASON_LABELS.values(), "near counts")
    rows = tuple(
        (
            name,
            f"{topic.partitions}{' (given)' if topic.partitions_given else ''}",
            topic.binding_reason.replace("_", " "),
            *(_DASH if topic.reasons.get(key) is None else short(topic.reasons[key]) for key in REASON_LABELS),
            ", ".join(str(rung.partitions) for rung in topic.ladder),
        )
        for name, topic in plan.topics.items()
    )
    numbers = frozenset({1, *range(3, 3 + len(REASON_LABELS))})
    note = "Near counts share many divisors with likely group sizes; the chosen count is among them."
    return Table("Partitions and their reasons", columns, rows, notes=(note,), right=numbers)


def recovery_sentences(plan: Plan) -> tuple[str, ...]:
    """How long a broker takes to refill, and a partition to find a new leader."""
    found = plan.recovery
    failover = f"Partitions of a killed broker have a new leader within {quantity(found.failover_s, 's')}."
    if found.broker_refill_s is None:
        return (f"Refill of an empty broker: {found.broker_refill_s_reason}.", failover)
    refill = (
        f"An empty broker refills {quantity(found.broker_refill_bytes, 'bytes')} in "
        f"{quantity(found.broker_refill_s, 's')} at {quantity(found.rate_bytes_per_s, 'bytes/s')}, "
        f"limited by {found.limited_by.replace('_', ' ')}."
    )
    return (refill, failover)


def cost(plan: Plan) -> Table:
    """Monthly cost, line by line."""
    columns = ("item", "quantity", "unit price", "a month", "source")
    if plan.cost is None:
        return Table("Cost", columns, (), notes=(_sentence(plan.cost_reason or "not known"),))
    rows = tuple(
        (line.item, *_priced(line), f"{line.per_month:,.2f}", f"{line.source} {line.as_of}".strip())
        for line in plan.cost.lines
    )
    notes = [f"{plan.cost.per_month:,.2f} a month in all; currency: {plan.cost.currency}."]
    if plan.cost.unpriced:
        notes.append(f"Billed too, at prices that are not known here: {', '.join(plan.cost.unpriced)}.")
    return Table("Cost", columns, rows, notes=tuple(notes), right=frozenset({1, 2, 3}))


def _priced(line: CostLine) -> tuple[str, str]:
    """Quantity and unit price as a bill shows them: bytes by the GiB."""
    if line.unit != "bytes":
        return short(line.quantity), short(line.unit_price)
    return quantity(line.quantity, "bytes"), f"{short(line.unit_price * parse('1GiB', 'bytes'))} a GiB"


def findings(plan: Plan) -> Table:
    """What to know or to do, the gravest first."""
    rows = tuple((finding.severity, finding.message, finding.action) for finding in plan.findings)
    return Table("Findings", ("severity", "finding", "action"), rows, prose=frozenset({1, 2}))


def assumptions(plan: Plan) -> Table:
    """Every default and constant that shaped the plan."""
    columns = ("assumption", "value", "range", "source", "as of", "confidence")
    rows = tuple(
        (row.id, assumed(row), assumed_range(row), row.source, row.as_of, row.confidence) for row in plan.assumptions
    )
    return Table("Assumptions", columns, rows, right=frozenset({1}))


def source_rows(ids: Iterable[str]) -> Table:
    """Title, address and date of the sources that are cited by id."""
    known = sources()
    cited = sorted({key for key in ids if key in known})
    rows = tuple((key, known[key].title, known[key].url, known[key].as_of) for key in cited)
    return Table("Sources", ("id", "title", "address", "read on"), rows, prose=frozenset({1, 2}))


def limits(found: Reverse) -> Table:
    """The load factor that each resource carries in each state, the tightest first."""
    rows = tuple(
        (
            RESOURCE_WORDS[row.resource],
            STATE_LABELS[row.state],
            "does not limit" if row.max_load_factor is None else f"{row.max_load_factor:.4g}",
        )
        for row in found.limits
    )
    columns = ("resource", "state", "times today's load")
    return Table("What each resource carries", columns, rows, right=frozenset({2}))


def differences(found: Comparison) -> tuple[Table, Table]:
    """Inputs and figures that differ, one column per scenario; a topic that one of them lacks is one note."""
    lonely = {
        row.path.removesuffix(".name"): _values(row)
        for row in found.inputs
        if row.path.startswith("topics.") and row.path.endswith(".name") and None in _values(row)
    }
    notes = tuple(
        f"Topic {path.removeprefix('topics.')} is only in {' and '.join(_present(values))}."
        for path, values in lonely.items()
    )
    skipped = tuple(f"{path}." for path in lonely)
    inputs = [row for row in found.inputs if not row.path.startswith(skipped)]
    figures = [row for row in found.figures if not row.path.startswith(skipped)]
    return (
        _difference_table("Inputs that differ", found.names, inputs, unit_of_input, notes),
        _difference_table("Figures that differ", found.names, figures, unit_of_figure),
    )


def _values(row: Difference) -> tuple[Any, ...]:
    return row.values  # noqa: PD011 - a difference, no data frame


def _present(values: Sequence[Any]) -> list[str]:
    return [str(position) for position, value in enumerate(values, start=1) if value is not None]


def _difference_table(
    title: str,
    names: Sequence[str],
    rows: Iterable[Difference],
    unit_of: Callable[[str], str],
    notes: tuple[str, ...] = (),
) -> Table:
    columns = ("name", *(f"{position} {name}" for position, name in enumerate(names, start=1)))
    shown = tuple(
        (row.path, *(_DASH if value is None else quantity(value, unit_of(row.path)) for value in _values(row)))
        for row in rows
    )
    return Table(title, columns, shown, notes=notes, right=_numbers(columns))


# CSV

_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def csv_text(frame: pd.DataFrame) -> str:
    """A data frame as CSV; no text in it can start a formula when a spreadsheet opens the file."""
    rows = frame.astype(object).where(frame.notna(), None)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([safe_cell(name) for name in frame.columns])
    writer.writerows([safe_cell(value) for value in row] for row in rows.itertuples(index=False, name=None))
    return out.getvalue()


def safe_cell(value: Any) -> Any:
    """A value that no spreadsheet takes for a formula."""
    if not isinstance(value, str):
        return value
    return f"'{visible(value)}" if value.startswith(_STARTS_A_FORMULA) else visible(value)
