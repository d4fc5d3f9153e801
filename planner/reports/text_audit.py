"""Audit, monitoring pack and diagnosis as text: the answer first, then tables."""

from __future__ import annotations

from planner.advise.auditing import Audit
from planner.advise.pack import Pack
from planner.advise.slowness import Diagnosis, measurements
from planner.reports.page import Page
from planner.reports.tables import Table
from planner.reports.text import source_text
from planner.reports.words import quantity

_WORDS = {"critical": ("critical", "critical"), "warning": ("warning", "warnings"), "info": ("note", "notes")}


def audit_text(found: Audit, page: Page) -> None:
    """How many findings of each severity, then each with its number, its remedy and its source."""
    page.line(audit_sentence(found), "bold")
    page.say([f"{found.rules} rules; looked at {', '.join(found.audited)}."])
    if found.findings:
        page.table(findings_table(found))
        page.line("Sources", "bold")
        page.say(source_text(name) for name in dict.fromkeys(row.source for row in found.findings))


def audit_sentence(found: Audit) -> str:
    """Whether the audit passes, and how many findings there are."""
    counts = [(name, sum(row.severity == name for row in found.findings)) for name in _WORDS]
    told = ", ".join(f"{count} {_WORDS[name][count > 1]}" for name, count in counts if count) or "nothing to tell"
    verdict = "The audit passes" if found.passed else "The audit fails"
    return f"{verdict}: {told}."


def findings_table(found: Audit) -> Table:
    """Every finding with its number, its remedy and where it is."""
    rows = tuple((row.severity, row.code, f"{row.what} {row.why}", row.fix, row.where) for row in found.findings)
    return Table("Findings", ("severity", "code", "what and why", "fix", "where"), rows, prose=frozenset({2, 3}))


def pack_text(found: Pack, page: Page) -> None:
    """Which alerts there are, and the threshold of each."""
    page.line(
        f"{len(found.alerts)} alert rules and a dashboard of {found.panels} panels, for the metric names of "
        f"{found.style_title}.",
        "bold",
    )
    page.say(found.notes)
    page.table(alerts_table(found))
    page.line("--rules FILE writes the rules for Prometheus, --dashboard FILE the dashboard for Grafana.")


def alerts_table(found: Pack) -> Table:
    """Each alert with its threshold."""
    rows = tuple(
        (
            row.alert,
            " on ".join(name for name in (row.group, row.topic) if name),
            row.severity,
            quantity(row.threshold, row.unit),
            row.for_time,
            row.why,
        )
        for row in found.alerts
    )
    columns = ("alert", "of", "severity", "threshold", "for", "why this threshold")
    return Table("Alerts", columns, rows, right=frozenset({3}), prose=frozenset({5}))


def diagnosis_text(found: Diagnosis, page: Page) -> None:
    """The layer, then every step with what decided it."""
    page.line(found.sentence, "bold")
    page.say(found.warnings)
    page.table(steps_table(found))
    for step in found.steps:
        if step.verdict == "abnormal":
            page.line(f"{step.layer}: {step.why} {step.remedy}")
    if found.measure_next:
        page.line()
        page.line("Measure next", "bold")
        page.say(f"{row.key}: {row.what} ({row.read})" for row in found.measure_next)


def steps_table(found: Diagnosis) -> Table:
    """Every step of the diagnosis with what decided it."""
    rows = tuple(
        (
            step.layer,
            step.verdict,
            step.question,
            "-" if step.measurement is None else step.measurement,
            "-" if step.measured is None else quantity(step.measured, step.unit),
            "-" if step.normal is None else quantity(step.normal, step.unit),
            "-" if step.limit is None else quantity(step.limit, step.unit),
        )
        for step in found.steps
    )
    columns = ("layer", "verdict", "question", "decided by", "measured", "normal (plan)", "limit")
    return Table("Steps, in order", columns, rows, right=frozenset({4, 5, 6}), prose=frozenset({2}))


def measurements_text(page: Page) -> None:
    """Everything that can be measured, and where it is read."""
    rows = tuple((row.key, row.layer, row.unit, row.what, row.read) for row in measurements().values())
    page.line()
    page.table(Table("Measurements", ("key", "layer", "unit", "what", "read from"), rows, prose=frozenset({3, 4})))
