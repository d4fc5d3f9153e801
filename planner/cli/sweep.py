"""The command that makes many plans."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from planner.cli.common import BAD_INPUT, Format, FormatOption, answer, cli, refusals, refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from planner.reports.page import Page


@cli.command("sweep")
def sweep_command(
    scenarios: Annotated[
        list[str], typer.Argument(metavar="SCENARIO...", help="Scenarios as for plan, or folders of scenario files.")
    ],
    over: Annotated[
        list[str] | None,
        typer.Option("--over", metavar="PATH=V1,V2,...", help="An input and the values it takes. Repeatable: a grid."),
    ] = None,
    form: FormatOption = Format.TEXT,
) -> None:
    """Plan many scenarios, or one over a grid of inputs; exit status 2 when some of them are in error."""
    with refusals(form):
        from planner.fleet import sweep

        grid = _grid(over or (), form)
        with _progress() as progress:
            found = sweep([_source(text) for text in scenarios], grid, progress=progress)

        def text(page: Page) -> None:
            from planner.reports.text_sweep import sweep_text

            sweep_text(found, page)

        answer(found, form, text)
    raise typer.Exit(BAD_INPUT if any(row.errors for row in found.rows) else 0)


def _source(text: str) -> str | Path:
    # text of a scenario is for the library; here whatever is neither - nor a preset is a file or a folder
    return text if text == "-" or text.startswith("preset:") else Path(text)


def _grid(over: Sequence[str], form: Format) -> dict[str, list[str]]:
    from planner.scenario import InputError

    grid: dict[str, list[str]] = {}
    errors = []
    for assignment in over:
        path, equals, values = assignment.partition("=")
        listed = [value.strip() for value in values.split(",")]
        if not equals or not path or "" in listed:
            errors.append(InputError("--over", assignment, "This is no path with its values.", "PATH=V1,V2,..."))
        elif path in grid:
            errors.append(InputError("--over", path, "The input has its values already.", "each path once"))
        grid[path] = listed
    if errors:
        refuse(errors, form)
    return grid


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None] | None]:
    """A bar on the terminal, beside the answer; nothing where nobody looks."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("Planning")
        yield lambda done, total: bar.update(task, completed=done, total=total)
