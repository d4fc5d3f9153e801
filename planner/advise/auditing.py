"""The audit: every rule of `data/audit/rules.toml` against a scenario and what is configured."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner.advise.checks_broker import broker_hits
from planner.advise.checks_client import client_hits
from planner.advise.checks_topic import topic_hits
from planner.advise.evidence import Evidence, Given, gather
from planner.advise.hits import Case, Hit, shown
from planner.advise.schemas import breaks, read_schema
from planner.constants import data_path
from planner.fields import refusal
from planner.operations.retaining import retention_of
from planner.operations.view import view_of
from planner.results import Assumption, Result, Severity
from planner.scenario import Scenario
from planner.sizing.totals import constants_used
from planner.trace import Trace
from planner.units import listed

if TYPE_CHECKING:
    import pandas as pd

_NAMED = 5  # subjects named in one place
_ORDER = {"critical": 0, "warning": 1, "info": 2}
_LEVELS = frozenset(
    {"NONE", *(f"{way}{far}" for way in ("BACKWARD", "FORWARD", "FULL") for far in ("", "_TRANSITIVE"))}
)
_COMPATIBILITY = ("schema.compatibility.level", "avro.compatibility.level", "confluent.value.schema.compatibility")


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its words, with gaps for this scenario's numbers."""

    code: str
    severity: Severity
    what: str
    why: str
    fix: str
    source: str


@dataclass(frozen=True, slots=True)
class AuditFinding:
    """One rule that applies, with the number of the worst place and every subject that it concerns."""

    code: str
    severity: Severity
    what: str
    why: str
    number: float
    unit: str
    fix: str
    source: str
    where: str
    subjects: tuple[str, ...]


@dataclass(frozen=True)
class Audit(Result):
    """What an audit found, the gravest first, and what it looked at."""

    findings: tuple[AuditFinding, ...]
    passed: bool
    rules: int
    audited: tuple[str, ...]
    assumptions: tuple[Assumption, ...]
    trace: Trace = field(repr=False)

    def to_frame(self) -> pd.DataFrame:
        """The findings as a data frame."""
        import pandas as pd  # heavy: only for callers who want a frame

        rows = [{**asdict(row), "subjects": ", ".join(row.subjects)} for row in self.findings]
        return pd.DataFrame(rows, columns=[item.name for item in fields(AuditFinding)])


@cache
def rules() -> Mapping[str, Rule]:
    """Every rule by its code."""
    with data_path("audit", "rules.toml").open("rb") as file:
        return {code: Rule(code=code, **row) for code, row in tomllib.load(file).items()}


def audit(
    scenario: Scenario,
    *,
    broker: Given | None = None,
    topics: Mapping[str, Given] | None = None,
    producers: Mapping[str, Given] | None = None,
    consumers: Mapping[str, Given] | None = None,
    dump: Given | None = None,
    schemas: tuple[Path | Any, Path | Any] | None = None,
    compatibility: str | None = None,
) -> Audit:
    """Compare a scenario, and what is configured, with what production teaches.

    Parameters
    ----------
    scenario
        A scenario with topics; its plan gives the numbers.
    broker
        server.properties, as a path or as pairs.
    topics, producers, consumers
        Properties by topic, by topic, and by group; the empty name stands for all.
    dump
        JSON of an admin client's `describe_configs` and `describe_topics`.
    schemas
        The old and the new schema of a subject: Avro or JSON Schema, as paths or parsed.
    compatibility
        Compatibility level of the schema registry.

    Returns
    -------
    Audit
        One finding per rule that applies; `passed` is false when one of them is critical.

    Raises
    ------
    ScenarioError
        When a file cannot be read, or holds what Kafka would refuse.

    Examples
    --------
    >>> import planner
    >>> found = planner.audit(planner.load("preset:fintech"), broker={"unclean.leader.election.enable": True})
    >>> found.passed, found.findings[0].code
    (False, 'unclean_election')
    """
    evidence = gather(broker=broker, topics=topics, producers=producers, consumers=consumers, dump=dump)
    view = view_of(scenario)
    retained = retention_of(view)
    case = Case(view, evidence, retained)
    hits = [
        *broker_hits(case),
        *topic_hits(case),
        *client_hits(case),
        *_schema_hits(case, schemas, compatibility),
        *_slips(evidence),
    ]
    findings = tuple(sorted(_merged(hits), key=lambda row: _ORDER[row.severity]))
    return Audit(
        findings,
        not any(row.severity == "critical" for row in findings),
        len(rules()),
        _looked_at(evidence, dump, schemas),
        constants_used("advice.", "requests.", "cpu."),
        retained.trace,
    )


def _looked_at(evidence: Evidence, dump: object, schemas: object) -> tuple[str, ...]:
    """What the audit read beside the scenario, in words."""
    parts = {
        "broker settings": evidence.broker,
        "topic settings": evidence.topics,
        "producer settings": evidence.producers,
        "consumer settings": evidence.consumers,
        "an admin client's dump": dump,
        "two schemas": schemas,
    }
    return ("the scenario", *(name for name, given in parts.items() if given))


def _schema_hits(case: Case, schemas: tuple[Path | Any, Path | Any] | None, compatibility: str | None) -> Iterator[Hit]:
    groups = {group.group for topic in case.view.workload.topics for group in topic.consumers}
    written = next((case.evidence.other[key] for key in _COMPATIBILITY if key in case.evidence.other), None)
    level = (compatibility or written or "BACKWARD").strip().upper()
    if level not in _LEVELS:
        raise refusal("There is no such compatibility level.", "compatibility", level, ", ".join(sorted(_LEVELS)))
    if level == "NONE":
        where = "option: compatibility" if compatibility else "schema registry setting"
        yield Hit("schema_compatibility_none", where, len(groups), "count")
    if schemas is None:
        return
    old, new = (
        read_schema(one, f"{age} schema") if isinstance(one, Path) else one
        for age, one in zip(("old", "new"), schemas, strict=True)
    )
    kept = sum(case.view.sized.columns["average_records_per_s"] * case.view.workload.retention_s)
    for found in breaks(old, new):
        number, unit = (float(kept), "records") if found.code == "schema_field_added" else (float(len(groups)), "count")
        texts = {"field": found.field, "direction": found.direction}
        yield Hit(found.code, f"schema: {found.field}", number, unit, found.field, texts)


def _slips(evidence: Evidence) -> Iterator[Hit]:
    for where, key, near in evidence.slips():
        changed = sum(a != b for a, b in zip(key, near, strict=False)) + abs(len(key) - len(near))
        yield Hit("setting_unknown", f"{where}: {key}", changed, "count", key, {"key": key, "near": near})


def _merged(hits: Sequence[Hit]) -> Iterator[AuditFinding]:
    """One finding per rule: the numbers of its worst place, and every subject."""
    by_code: dict[tuple[str, str], list[Hit]] = {}
    for hit in hits:
        # what the words name beside the number must not be merged away
        by_code.setdefault((hit.code, hit.texts.get("key", hit.texts.get("field", ""))), []).append(hit)
    for (code, _), group in by_code.items():
        rule = rules()[code]
        severities = [hit.severity or rule.severity for hit in group]
        gravest = min(severities, key=lambda name: _ORDER[name])
        least = code in _LEAST_IS_WORST
        chosen = [hit for hit, severity in zip(group, severities, strict=True) if severity == gravest]
        worst = min(chosen, key=lambda hit: hit.number) if least else max(chosen, key=lambda hit: hit.number)
        texts = {**worst.texts, "number": shown(worst.number, worst.unit)}
        subjects = tuple(dict.fromkeys(hit.subject for hit in group if hit.subject))
        yield AuditFinding(
            code,
            gravest,
            rule.what,
            rule.why.format_map(texts) + _also(worst, subjects),
            worst.number,
            worst.unit,
            rule.fix.format_map(texts),
            rule.source,
            worst.where,
            subjects,
        )


# rules whose smallest number is the worst
_LEAST_IS_WORST = frozenset(
    {
        "retention_time_only",
        "retention_bytes_only",
        "session_timeout_short",
        "heartbeat_interval",
        "internal_replication",
    }
)


def _also(worst: Hit, subjects: tuple[str, ...]) -> str:
    """Which other subjects the rule concerns."""
    others = [name for name in subjects if name != worst.subject]
    if not others:
        return f" ({worst.subject})" if worst.subject else ""
    return f" ({worst.subject}; also {listed(others, _NAMED)})"
