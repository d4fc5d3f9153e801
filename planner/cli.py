"""The command `kafka-planner`."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

# Everything heavy is imported inside the commands: `kafka-planner --help` needs none of it.
if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

    from planner.results import Plan
    from planner.scenario import InputError, Scenario

INFEASIBLE, BAD_INPUT, BROKEN_PIPE, INTERRUPTED = 1, 2, 141, 130
_PIPE_WIDTH = 150  # columns when the output is no terminal: wide enough for every table


class Format(StrEnum):
    """How an answer is printed."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"


class ReportFormat(StrEnum):
    """What a report is written as."""

    MARKDOWN = "markdown"
    JSON = "json"


cli = typer.Typer(
    help="Capacity and partition planner for Apache Kafka.",
    epilog="Exit status: 0 done; 1 infeasible, or a check failed; 2 bad input.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

ScenarioArgument = Annotated[
    str,
    typer.Argument(
        metavar="SCENARIO", help="A file (YAML, JSON, CSV of topics), - for standard input, or preset:NAME."
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="Change one input: topics.orders.retention.time=3d. Repeatable."),
]
FormatOption = Annotated[Format, typer.Option("--format", help="text, json (the contract), or csv (the main table).")]


# Writing


def _write(text: str) -> None:
    """Write the answer; a reader that went away is no error worth a word."""
    stream = sys.stdout
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="backslashreplace")  # a name that the terminal's encoding lacks
    try:
        stream.write(text)
        stream.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())  # or Python fails again when it exits
        if isinstance(error, BrokenPipeError):
            raise typer.Exit(BROKEN_PIPE) from None
        typer.echo(f"The output cannot be written: {error.strerror}.", err=True)
        raise typer.Exit(BAD_INPUT) from None


def _write_json(body: Any) -> None:
    _write(json.dumps(body, indent=2, allow_nan=False) + "\n")


def _write_csv(frame: pd.DataFrame) -> None:
    from planner.reports.tables import csv_text

    _write(csv_text(frame))


def _write_text(show: Callable[[Console], None]) -> None:
    """Lay the answer out for the terminal, or plainly and wide for a pipe, and write it in one go."""
    from rich.console import Console

    terminal = sys.stdout.isatty()
    sheet = io.StringIO()
    console = Console(
        file=sheet,
        force_terminal=terminal or None,  # None: the environment may still force colours
        width=None if terminal else _PIPE_WIDTH,
        highlight=False,
        markup=False,
        emoji=False,
    )
    show(console)
    text = "\n".join(line.rstrip() for line in sheet.getvalue().split("\n"))
    plain = not (sys.stdout.encoding or "").lower().startswith("utf")
    _write(text.replace("\u2500", "-") if plain else text)  # the rule below a table's head


# Refusing


@contextmanager
def _refusals(form: Format = Format.TEXT) -> Iterator[None]:
    """Turn bad input into messages and exit status 2, and an interrupt into silence."""
    from planner.scenario import ScenarioError

    try:
        yield
    except ScenarioError as error:
        _refuse(error.errors, form)
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None


def _refuse(errors: Sequence[InputError], form: Format) -> NoReturn:
    if form is Format.JSON:
        _write_json({"errors": [error.to_dict() for error in errors]})
    else:
        typer.echo(_error_list(errors), err=True)
    raise typer.Exit(BAD_INPUT)


def _error_list(errors: Sequence[InputError]) -> str:
    from planner.reports.words import visible

    lines = ["Bad input:" if len(errors) == 1 else f"Bad input, {len(errors)} errors:"]
    for error in errors:
        value = "" if error.value is None else visible(str(error.value))
        place = " = ".join(part for part in (visible(error.path), value) if part)
        lines.append(f"  {place}" if place else "  the input")
        lines.append(f"    {visible(error.message)}")
        if error.allowed:
            lines.append(f"    Allowed: {visible(error.allowed)}")
        if error.nearest:
            lines.append(f"    Did you mean {visible(error.nearest)}?")
    return "\n".join(lines)


def _refuse_one(path: str, value: Any, message: str, allowed: str, form: Format = Format.TEXT) -> NoReturn:
    from planner.scenario import InputError

    _refuse([InputError(path, value, message, allowed)], form)


def _load(source: str, sets: Sequence[str] | None) -> Scenario:
    from planner.codec import load

    # text of a scenario is for the library; here whatever is neither - nor a preset is a file
    return load(source if source == "-" or source.startswith("preset:") else Path(source), sets=sets or ())


# Commands


def _version(asked: bool) -> None:
    if asked:
        from planner import __version__

        _write(f"kafka-planner {__version__}\n")
        raise typer.Exit


@cli.callback()
def _common(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


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
    with _refusals(form):
        from planner.sizing import plan

        result = plan(_load(scenario, sets))
        if explain:
            _explain(result, explain, form)
        elif form is Format.JSON:
            _write_json(result.to_dict(topic_traces=topic_traces))
        elif form is Format.CSV:
            _write_csv(result.to_frame("topics"))
        else:
            from planner.reports.text import plan_text

            _write_text(lambda console: plan_text(result, console, all_assumptions=assumptions))
    raise typer.Exit(0 if result.feasible else INFEASIBLE)


def _explain(result: Plan, names: Sequence[str], form: Format) -> None:
    from planner.results import ExplainError, to_plain
    from planner.scenario import InputError, shorten

    if form is Format.CSV:
        _refuse_one("--format", "csv", "An explanation is no table.", "text or json")
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
        _refuse(errors, form)
    if form is Format.JSON:
        _write_json({"explain": [to_plain(step.to_dict()) for step in steps]})
        return
    from planner.reports.text import explain_text

    def show(console: Console) -> None:
        for name, step in zip(names, steps, strict=True):
            explain_text(result, name, step, console)

    _write_text(show)


@cli.command("check")
def check_command(scenario: ScenarioArgument, sets: SetOption = None, form: FormatOption = Format.TEXT) -> None:
    """Check a given cluster in every state; exit status 1 when it does not hold."""
    with _refusals(form):
        from planner.sizing import check

        result = check(_load(scenario, sets))
        if form is Format.JSON:
            _write_json(result.to_dict())
        elif form is Format.CSV:
            _write_csv(result.to_frame())
        else:
            from planner.reports.text import check_text

            _write_text(lambda console: check_text(result, console))
    raise typer.Exit(0 if result.holds else INFEASIBLE)


@cli.command("reverse")
def reverse_command(scenario: ScenarioArgument, sets: SetOption = None, form: FormatOption = Format.TEXT) -> None:
    """Find how much load and retention fit; exit status 1 when today's load does not."""
    with _refusals(form):
        from planner.sizing import reverse

        result = reverse(_load(scenario, sets))
        if form is Format.JSON:
            _write_json(result.to_dict())
        elif form is Format.CSV:
            _write_csv(result.to_frame())
        else:
            from planner.reports.text import reverse_text

            _write_text(lambda console: reverse_text(result, console))
    raise typer.Exit(INFEASIBLE if result.max_load_factor is not None and result.max_load_factor < 1 else 0)


@cli.command("compare")
def compare_command(
    scenarios: Annotated[list[str], typer.Argument(metavar="SCENARIO SCENARIO...", help="Two or more scenarios.")],
    sets: SetOption = None,
    form: FormatOption = Format.TEXT,
) -> None:
    """Plan several scenarios and show only what differs."""
    with _refusals(form):
        if len(scenarios) < 2:  # noqa: PLR2004 - one alone differs from nothing
            _refuse_one("", scenarios[0], "One scenario has nothing to differ from.", "two or more scenarios", form)
        if scenarios.count("-") > 1:
            _refuse_one("", "-", "Standard input can be read only once.", "- for at most one scenario", form)
        from planner.sizing import compare

        result = compare(_load_all(scenarios, sets))
        if form is Format.JSON:
            _write_json(result.to_dict())
        elif form is Format.CSV:
            _write_csv(result.to_frame())
        else:
            from planner.reports.text import compare_text

            _write_text(lambda console: compare_text(result, console))


def _load_all(sources: Sequence[str], sets: Sequence[str] | None) -> list[Scenario]:
    """Load every scenario; the errors of all of them come together, each under its scenario's name."""
    from dataclasses import replace

    from planner.scenario import ScenarioError

    found, errors = [], []
    for source in sources:
        try:
            found.append(_load(source, sets))
        except ScenarioError as error:
            errors += [replace(row, path=f"{source}: {row.path}" if row.path else "") for row in error.errors]
    if errors:
        raise ScenarioError(errors)
    return found


@cli.command("presets")
def presets_command(form: FormatOption = Format.TEXT) -> None:
    """List the ready-made scenarios, each with its situation and source."""
    from planner.codec import presets

    rows = [preset.to_dict() for preset in presets()]
    with _refusals(form):
        if form is Format.JSON:
            _write_json(rows)
        elif form is Format.CSV:
            import pandas as pd

            _write_csv(pd.DataFrame(rows))
        else:
            from planner.reports.text import presets_text

            _write_text(lambda console: presets_text(rows, console))


@cli.command("schema")
def schema_command() -> None:
    """Print the JSON Schema of a scenario."""
    from planner.codec import schema

    with _refusals():
        _write_json(schema())


@cli.command("report")
def report_command(
    scenario: ScenarioArgument,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write to this file (.md or .json).")
    ] = None,
    form: Annotated[
        ReportFormat | None, typer.Option("--format", help="markdown or json; by default what FILE ends with.")
    ] = None,
    sets: SetOption = None,
) -> None:
    """Write a plan as a document for a design review."""
    # errors are JSON only when JSON was asked for by name
    refusal = Format.JSON if form is ReportFormat.JSON else Format.TEXT
    with _refusals(refusal):
        chosen = form or _format_of(output)
        from planner.reports import report

        document = report(_load(scenario, sets), format=chosen.value)
        if output is None:
            _write(document)
            return
        try:
            output.write_text(document, encoding="utf-8", newline="\n")
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "not a file name"
            _refuse_one("-o", str(output), f"The file cannot be written: {reason}.", "a writable file", refusal)


def _format_of(output: Path | None) -> ReportFormat:
    known = {".md": ReportFormat.MARKDOWN, ".markdown": ReportFormat.MARKDOWN, ".json": ReportFormat.JSON}
    if output is None:
        return ReportFormat.MARKDOWN
    if output.suffix.lower() not in known:
        message = "The ending does not say which report to write."
        _refuse_one("-o", str(output), message, ".md or .json, or --format markdown|json")
    return known[output.suffix.lower()]


@cli.command("app")
def app_command() -> None:
    """Open the app in a browser, on this machine only."""
    from importlib.util import find_spec

    from planner.constants import resource_root

    if find_spec("streamlit") is None:
        typer.echo("The app needs Streamlit. Install it with: pip install 'kafka-capacity-planner[app]'", err=True)
        raise typer.Exit(BAD_INPUT)
    root = resource_root()
    command = [sys.executable, "-m", "streamlit", "run", str(root / "app.py"), "--server.address", "127.0.0.1"]
    try:
        # the folder decides which .streamlit/config.toml counts: ours, which reports no usage
        done = subprocess.run([*command, "--browser.gatherUsageStats", "false"], cwd=root, check=False)  # noqa: S603
    except KeyboardInterrupt:
        raise typer.Exit(0) from None
    raise typer.Exit(done.returncode)


def main() -> None:
    """Entry point of the command."""
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # looking for plugins takes 40 ms of every start
    cli()


if __name__ == "__main__":
    main()
