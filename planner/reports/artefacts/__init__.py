"""Files for the people who build what a plan says: commands, settings, resources, limits."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from planner.advise import monitoring
from planner.reports.artefacts.brokers import capacity_json, server_properties, tiered
from planner.reports.artefacts.clients import keda, quota_script
from planner.reports.artefacts.measuring import load_test
from planner.reports.artefacts.moving import reassignment
from planner.reports.artefacts.strimzi import bootstrap, strimzi_files
from planner.reports.artefacts.topics import topic_scripts
from planner.reports.artefacts.writing import Artefact, LeftOut, made_for
from planner.reports.markdown import code, prose
from planner.results import Plan
from planner.scenario import Scenario
from planner.sizing import plan

INDEX = "README.md"


def artefacts(subject: Plan | Scenario) -> dict[str, str]:
    """Files that carry a plan out, each under its name.

    Parameters
    ----------
    subject
        A plan, or a scenario to plan first.

    Returns
    -------
    dict
        Text by file name: scripts of Kafka's tools for topics and quotas, a fragment of server.properties, resources of
        Strimzi and KEDA, capacities for Cruise Control, reassignment JSON where the scenario says how replicas lie, a
        load-test sheet, alert rules and a dashboard. `README.md` lists them, and what was left out and why. Equal
        input gives equal text.

    Raises
    ------
    ScenarioError
        When a scenario cannot be planned.

    Examples
    --------
    >>> import planner
    >>> files = artefacts(planner.load("preset:startup-10k-a-day"))
    >>> "topics-create.sh" in files
    True
    """
    result = subject if isinstance(subject, Plan) else plan(subject)
    rows = list(_all(result))
    made = [row for row in rows if isinstance(row, Artefact)]
    index = _index(result, made, [row for row in rows if isinstance(row, LeftOut)])
    return {INDEX: index, **{row.name: row.text for row in made}}


def _all(result: Plan) -> Iterator[Artefact | LeftOut]:
    yield from topic_scripts(result)
    yield server_properties(result)
    yield from strimzi_files(result)
    yield capacity_json(result)
    yield from keda(result)
    yield quota_script(result)
    yield from reassignment(result)
    yield load_test(result)
    pack = monitoring(result.scenario)
    yield Artefact("alerts.yaml", "alert rules for Prometheus", f"# {made_for(result.name)}\n{pack.rules}")
    yield Artefact("dashboard.json", "a dashboard for Grafana", json.dumps(pack.dashboard, indent=1) + "\n")


def _index(result: Plan, made: Sequence[Artefact], left_out: Sequence[LeftOut]) -> str:
    """What is there, what has to be set first, what is not there."""
    headline = " ".join(result.headline)
    blocks = [f"# Artefacts of {prose(result.name)}", prose(made_for(result.name)), prose(headline)]
    if not result.feasible:
        blocks.append("**This plan does not hold. Use these files to look at it, not to build it.**")
    blocks.append(
        "\n".join(["| file | what for |", "|---|---|", *(f"| {code(row.name)} | {row.what} |" for row in made)])
    )
    blocks += ["## Before you use them", "\n".join(f"- {line}" for line in _first_steps(result))]
    if left_out:
        blocks += ["## Left out", "\n".join(f"- {prose(row.name)}: {prose(row.reason)}." for row in left_out)]
    return "\n\n".join(blocks) + "\n"


def _first_steps(result: Plan) -> Iterator[str]:
    cluster = result.scenario.cluster
    yield "Read them: they are a start, written from a plan, and none was tried on your cluster."
    yield "Scripts want `BOOTSTRAP`, and `COMMAND_CONFIG` where brokers ask for TLS or a login."
    yield f"Strimzi: API `v1`, so Strimzi 0.49 or later; clients find the cluster at {code(bootstrap(result))}."
    yield "Strimzi: requests are what the plan predicts for the fullest broker; one broker on a machine is assumed."
    yield "Volumes take the default storage class; name your own where brokers need local or faster disks."
    yield "KEDA: `scaleTargetRef` takes each group's name for that of its Deployment; write the right one."
    if cluster.tls:
        yield "KEDA: the brokers ask for TLS, so a TriggerAuthentication with their certificate has to be added."
    if tiered(result):
        yield "Tiered storage needs a plug-in on the brokers; which one is not part of a plan."
