"""Audit & diagnose: what production would object to, which layer is slow, and what to watch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import streamlit as st

from planner.advise.auditing import Audit
from planner.advise.evidence import MAX_DUMP_BYTES
from planner.advise.pack import Pack, lag_exporters, styles
from planner.advise.slowness import Diagnosis, measurements
from planner.fields import InputError, ScenarioError
from planner.properties import parse_properties
from planner.reports import text_audit
from planner.reports.text import source_text
from planner.results import Plan
from planner.ui import asking, frame, state, views

_PARTS: Final = {"audit": "Audit", "diagnose": "Diagnose", "monitoring": "Monitoring"}
_LONGEST: Final = 200_000  # characters that are pasted
_ALL: Final = "all topics"


def page() -> None:
    """Draw the page."""
    plan, _ = frame.start()
    part = asking.one_of("What to look at", _PARTS, "audit_part", label_visibility="collapsed")
    {"audit": _audit, "diagnose": _diagnose, "monitoring": _monitoring}[part](plan)


# Audit


def _audit(plan: Plan) -> None:
    head = st.container()
    asked = _configured(plan)
    with head:
        found: Audit | None = asking.answered("What is configured was not taken.", "audit", {}, asked)
    if found is None:
        with head:
            frame.answer_line("This scenario cannot be audited.")
        return
    with head:
        badge = frame.badge("Passes" if found.passed else "Fails", good=found.passed)
        looked = f"{found.rules} rules; looked at {', '.join(found.audited)}."
        frame.answer_line(text_audit.audit_sentence(found), looked, above=f"{badge} {views.escape(plan.name)}")
    _findings(found)
    if found.findings:
        with st.expander("The same as a table, with sources"):
            frame.table(text_audit.findings_table(found), heading=False)
            for name in dict.fromkeys(row.source for row in found.findings):
                st.caption(views.sentence(source_text(name)))
    frame.explain(found.trace, "fills.spike.full_s")


def _findings(found: Audit) -> None:
    for severity, (word, shape, colour) in views.SEVERITY.items():
        rows = [row for row in found.findings if row.severity == severity]
        if not rows:
            continue
        st.header(f"{word}: {len(rows)}", anchor=False)
        for row in rows:
            what = f"{views.sentence(row.what)} {views.sentence(row.why)}"
            place = f"`{row.code}` in {views.escape(row.where)}"
            st.markdown(f":{colour}-badge[{shape} {word}] {what} *{views.sentence(row.fix)}* :small[{place}]")


def _configured(plan: Plan) -> dict[str, Any]:
    """What runs, pasted or as a file: every text is read strictly, and secrets in it are dropped."""
    asked: dict[str, Any] = {}
    faults: list[InputError] = []
    with st.expander("Paste what is configured"):
        st.caption("As in .properties files. Values of secrets are dropped, nothing is stored.")
        left, right = st.columns(2)
        with left:
            broker = _pasted("server.properties", "broker", faults)
            topic = st.selectbox("Topic settings of", [_ALL, *plan.topics], key=state.key("audited topic"))
            topics = _pasted("Topic settings", "topic", faults)
        with right:
            producers = _pasted("Producer settings", "producer", faults)
            consumers = _pasted("Consumer settings", "consumer", faults)
            dump = _dump(faults)
    if broker:
        asked["broker"] = broker
    if topics:
        asked["topics"] = {"" if topic == _ALL else topic: topics}
    asked |= {name: {"": pairs} for name, pairs in (("producers", producers), ("consumers", consumers)) if pairs}
    if dump is not None:
        asked["dump"] = dump
    if faults:
        frame.refusal("Not taken; the audit is without it.", faults)
    return asked


def _pasted(label: str, kind: str, faults: list[InputError]) -> Mapping[str, str]:
    text = st.text_area(
        label, key=f"pasted {kind}", max_chars=_LONGEST, height=120, placeholder="key=value", persist_state="session"
    )
    try:
        return parse_properties(text, f"{kind} properties")
    except ScenarioError as error:
        faults += error.errors
        return {}


def _dump(faults: list[InputError]) -> Mapping[str, Any] | None:
    file = st.file_uploader("Admin client's describe_configs and describe_topics (JSON)", type=["json"], key="dump")
    if file is None:
        return None
    try:
        body = json.loads(file.getvalue()) if file.size <= MAX_DUMP_BYTES else None
    except (ValueError, RecursionError):
        body = None
    if isinstance(body, dict):
        return body
    allowed = f"a JSON mapping of at most {MAX_DUMP_BYTES:,} bytes"
    faults.append(InputError("admin dump", file.name, "This is no dump.", allowed))
    return None


# Diagnose


def _diagnose(plan: Plan) -> None:
    head = st.container()
    measured = _measured()
    asked = {"measured": measured} if measured else {}
    with head:
        found: Diagnosis | None = asking.answered("What was measured was not taken.", "diagnose", {}, asked)
        if found is None:
            frame.answer_line("This scenario cannot be diagnosed.")
            return
        word, good = ("Found", False) if found.layer else ("Open", None)
        frame.answer_line(
            found.sentence, found.warnings, above=f"{frame.badge(word, good=good)} {views.escape(plan.name)}"
        )
    for step in found.steps:
        if step.verdict == "abnormal":
            badge = frame.badge(step.layer, good=False)
            st.markdown(f"{badge} {views.sentence(step.why)} *{views.sentence(step.remedy)}*")
    if found.measure_next:
        st.header("Measure next", anchor=False)
        lines = [
            f"- **{views.escape(row.key)}**: {views.sentence(row.what)} ({views.escape(row.read)})"
            for row in found.measure_next
        ]
        st.markdown("\n".join(lines))
    st.header("Steps, in order", anchor=False)
    frame.table(text_audit.steps_table(found), heading=False)
    frame.explain(found.trace, "")


def _measured() -> dict[str, str]:
    """What was measured, as text with units; the library reads it."""
    layers: dict[str, list[str]] = {}
    for key, row in measurements().items():
        layers.setdefault(row.layer, []).append(key)
    given: dict[str, str] = {}
    with st.expander("What was measured", expanded=True):
        st.caption("Fill in what you know, with units: 800ms, 75%, 120MB/s. Each field says where it is read.")
        layer = st.segmented_control(
            "Layer", list(layers), default=next(iter(layers)), required=True, key="layer", persist_state="session"
        )
        left, right = st.columns(2)
        for index, key in enumerate(layers[layer or next(iter(layers))]):
            row = measurements()[key]
            with right if index % 2 else left:
                st.text_input(
                    f"{row.what[:1].upper()}{row.what[1:]} [{row.unit}]",
                    key=f"measured {key}",
                    max_chars=60,
                    help=f"Read from: {row.read}.",
                    persist_state="session",
                    on_change=_keep,
                    args=(key,),
                )
    given = dict(st.session_state.get("measured", {}))
    if given:
        st.markdown(f"Measured: {views.escape(', '.join(f'{key} = {text}' for key, text in given.items()))}")
    return given


def _keep(key: str) -> None:
    """Fields of other layers are not on the page, so what was given is kept apart from them."""
    text = str(st.session_state[f"measured {key}"]).strip()
    kept = {name: value for name, value in st.session_state.get("measured", {}).items() if name != key}
    st.session_state.measured = {**kept, key: text} if text else kept


# Monitoring


def _monitoring(plan: Plan) -> None:
    head = st.container()
    left, right = st.columns(2)
    with left:
        style = st.selectbox("Metric names of", styles(), key="metric_style", persist_state="session")
    with right:
        lag = st.selectbox("Lag is told by", lag_exporters(), key="lag_exporter", persist_state="session")
    with head:
        found: Pack | None = asking.answered("No monitoring for this.", "monitoring", {"style": style, "lag": lag}, {})
        if found is None:
            frame.answer_line("This scenario cannot be watched.")
            return
        frame.answer_line(
            f"{len(found.alerts)} alert rules and a dashboard of {found.panels} panels, for the metric names of "
            f"{found.style_title}.",
            found.notes,
            above=views.escape(plan.name),
        )
        with st.container(horizontal=True):
            st.download_button(
                "Alert rules (Prometheus)", found.rules, "kafka-rules.yaml", "application/yaml", on_click="ignore"
            )
            st.download_button(
                "Dashboard (Grafana)",
                lambda: json.dumps(found.dashboard, indent=1) + "\n",
                "kafka-dashboard.json",
                "application/json",
                on_click="ignore",
            )
    st.header("Alerts, with thresholds from this plan", anchor=False)
    frame.table(text_audit.alerts_table(found), heading=False)
    frame.explain(found.trace, "")


if __name__ == "__main__":  # as Streamlit runs it; an import draws nothing
    page()
