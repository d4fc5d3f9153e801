"""The command that sets published formulas of others beside ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner.cli.common import Format, FormatOption, ScenarioArgument, SetOption, answer, cli, load_scenario, refusals

if TYPE_CHECKING:
    from planner.reports.page import Page


@cli.command("cross-check")
def cross_check_command(scenario: ScenarioArgument, sets: SetOption = None, form: FormatOption = Format.TEXT) -> None:
    """Evaluate the published formulas of others on the scenario, beside the plan, each difference explained."""
    with refusals(form):
        from planner.crosscheck import cross_check

        result = cross_check(load_scenario(scenario, sets))

        def text(page: Page) -> None:
            from planner.reports.text_crosscheck import crosscheck_text

            crosscheck_text(result, page)

        answer(result, form, text)
