"""Commands that size a cluster or judge one: plan, check, reverse, compare."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from planner.cli.common import (
    INFEASIBLE,
    Format,
    FormatOption,
    ScenarioArgument,
    SetOption,
    answer,
    cli,
    load_all,
    load_scenario,
    refusals,
    refuse,
    refuse_one,
    write_csv,
    write_json,
    write_text,
)
from planner.cli.importing import BootstrapOption, CommandConfigOption, TimeoutOption, WindowOption, live_check

if TYPE_CHECKING:
    from planner.reports.page import Page
    from planner.results import Plan


@cli.command("plan")
def plan_command(
    scenario: ScenarioArgument,
    *,
    sets: SetOption = None,
    form: FormatOption = Format.TEXT,
    explain: Annotated[
        list[str] | None,
        typer.Option("--explain", metavar="NAME", help="Show one figure's formula, numbers and source. Repeatable."),
    ] = None,
    topic_traces: Annotated[
        bool, typer.Option("--topic-traces", help="With --format json: also the formulas of single topics.")
    ] = False,
    assumptions: Annotated[
        bool, typer.Option("--assumptions", help="List every assumption with range, source and date.")
    ] = False,
) -> None:
    """Size a cluster, or judge the broker count that the scenario gives."""
    with refusals(form):
        from planner.sizing import plan

        result = plan(load_scenario(scenario, sets))
        if explain:
            _explain(result, explain, form)
        elif form is Format.JSON:
            write_json(result.to_dict(topic_traces=topic_traces))
        elif form is Format.CSV:
            write_csv(result.to_frame("topics"))
        else:
            from planner.reports.text import plan_text

            write_text(lambda page: plan_text(result, page, all_assumptions=assumptions))
    raise typer.Exit(0 if result.feasible else INFEASIBLE)


def _explain(result: Plan, names: Sequence[str], form: Format) -> None:
    from planner.results import ExplainError, to_plain
    from planner.scenario import InputError, shorten

    if form is Format.CSV:
        refuse_one("--format", "csv", "An explanation is no table.", "text or json")
    steps, errors = [], []
    for name in names:
        try:
            steps.append(result.explain(name))
        except ExplainError as error:
            near = (
                ", ".join(error.nearest)
                or "network_out, disk_bytes, cpu, brokers.count, topics.NAME.wire_bytes_per_record"
            )
            message = "No figure is called so."
            errors.append(InputError("--explain", shorten(name), message, near, next(iter(error.nearest), None)))
    if errors:
        refuse(errors, form)
    if form is Format.JSON:
        write_json({"explain": [to_plain(step.to_dict()) for step in steps]})
        return
    from planner.reports.text import explain_text

    def show(page: Page) -> None:
        for name, step in zip(names, steps, strict=True):
            explain_text(result, name, step, page)

    write_text(show)


@cli.command("check")
def check_command(
    scenario: Annotated[
        str | None,
        typer.Argument(metavar="SCENARIO", help="As for plan; with --bootstrap-server the plan of that cluster."),
    ] = None,
    *,
    live: Annotated[
        bool, typer.Option("--live", help="Today's load against the plan; SCENARIO alone is an import.")
    ] = False,
    bootstrap: BootstrapOption = None,
    command_config: CommandConfigOption = None,
    window: WindowOption = "60s",
    timeout: TimeoutOption = "30s",
    sets: SetOption = None,
    form: FormatOption = Format.TEXT,
) -> None:
    """Check a given cluster in every state; exit status 1 when it does not hold."""
    if live or bootstrap is not None:
        live_check(
            scenario, sets, form, bootstrap=bootstrap, command_config=command_config, window=window, timeout=timeout
        )
    with refusals(form):
        if scenario is None:
            refuse_one("SCENARIO", None, "There is nothing to check.", "a scenario, or --bootstrap-server", form)
        from planner.sizing import check

        result = check(load_scenario(scenario, sets))

        def text(page: Page) -> None:
            from planner.reports.text import check_text

            check_text(result, page)

        answer(result, form, text)
    raise typer.Exit(0 if result.holds else INFEASIBLE)


@cli.command("reverse")
def reverse_command(scenario: ScenarioArgument, sets: SetOption = None, form: FormatOption = Format.TEXT) -> None:
    """Find how much load and retention fit; exit status 1 when today's load does not."""
    with refusals(form):
        from planner.sizing import reverse

        result = reverse(load_scenario(scenario, sets))

        def text(page: Page) -> None:
            from planner.reports.text import reverse_text

            reverse_text(result, page)

        answer(result, form, text)
    raise typer.Exit(INFEASIBLE if result.max_load_factor is not None and result.max_load_factor < 1 else 0)


@cli.command("compare")
def compare_command(
    scenarios: Annotated[list[str], typer.Argument(metavar="SCENARIO SCENARIO...", help="Two or more scenarios.")],
    sets: SetOption = None,
    form: FormatOption = Format.TEXT,
) -> None:
    """Plan several scenarios and show only what differs."""
    with refusals(form):
        if len(scenarios) < 2:  # noqa: PLR2004 - one alone differs from nothing
            refuse_one("", scenarios[0], "One scenario has nothing to differ from.", "two or more scenarios", form)
        if scenarios.count("-") > 1:
            refuse_one("", "-", "Standard input can be read only once.", "- for at most one scenario", form)
        from planner.sizing import compare

        result = compare(load_all(scenarios, sets))

        def text(page: Page) -> None:
            from planner.reports.text import compare_text

            compare_text(result, page)

        answer(result, form, text)
