"""The command that reads a running cluster."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from planner.cli.common import (
    INFEASIBLE,
    Format,
    FormatOption,
    answer,
    cli,
    load_scenario,
    read_quantity,
    refusals,
    refuse,
    refuse_one,
    save,
    write,
)

if TYPE_CHECKING:
    from planner.reports.page import Page
    from planner.scenario import InputError
    from planner.sources.conversion import Imported

BootstrapOption = Annotated[
    str | None, typer.Option("--bootstrap-server", metavar="HOST:PORT", help="Brokers of a running cluster.")
]
CommandConfigOption = Annotated[
    Path | None, typer.Option("--command-config", metavar="FILE", help="Client properties: TLS, user, password.")
]
WindowOption = Annotated[
    str, typer.Option("--window", metavar="TIME", help="How long the cluster is watched for its rates.")
]
TimeoutOption = Annotated[str, typer.Option("--timeout", metavar="TIME", help="Longest wait for one answer.")]
_FileOption = Path | None


@cli.command("import")
def import_command(
    *,
    bootstrap: BootstrapOption = None,
    command_config: CommandConfigOption = None,
    window: WindowOption = "60s",
    timeout: TimeoutOption = "30s",
    prometheus: Annotated[
        str | None, typer.Option("--prometheus", metavar="URL", help="A Prometheus that scrapes the brokers.")
    ] = None,
    range_: Annotated[str, typer.Option("--range", metavar="TIME", help="How far back Prometheus is asked.")] = "7d",
    match: Annotated[
        list[str] | None,
        typer.Option("--match", metavar="LABEL=VALUE", help="A label of the cluster in Prometheus. Repeatable."),
    ] = None,
    topics: Annotated[_FileOption, typer.Option(metavar="FILE", help="Output of kafka-topics --describe.")] = None,
    log_dirs: Annotated[_FileOption, typer.Option(metavar="FILE", help="Output of kafka-log-dirs --describe.")] = None,
    strimzi: Annotated[_FileOption, typer.Option(metavar="FILE", help="KafkaTopic resources of Strimzi.")] = None,
    capacity: Annotated[_FileOption, typer.Option(metavar="FILE", help="Cruise Control's capacity.json.")] = None,
    metrics: Annotated[_FileOption, typer.Option(metavar="FILE", help="A scrape of kafka_exporter or kminion.")] = None,
    broker: Annotated[
        str | None, typer.Option("--broker", metavar="NAME", help="A machine of the catalogue: CPU, memory, network.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write the scenario to a new file.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
    form: FormatOption = Format.TEXT,
) -> None:
    """Read a running cluster, Prometheus or files of other tools into a scenario; nothing in the cluster is changed.

    Without -o the scenario is printed, with what is missing as comments. Exit status 1 when no topic was found.
    """
    with refusals(form):
        if output is not None and not force and output.exists():
            refuse_one("-o", str(output), "The file is there already.", "a new file, or --force", form)
        times = _times(
            {
                "window_s": ("--window", window),
                "timeout_s": ("--timeout", timeout),
                "range_s": ("--range", range_),
            },
            form,
        )
        from planner.sources.gathering import read_sources
        from planner.sources.kafka_tools import read_capped

        files = {"topics": topics, "log_dirs": log_dirs, "strimzi": strimzi, "capacity": capacity, "metrics": metrics}
        texts: dict[str, Any] = {key: read_capped(path) for key, path in files.items() if path is not None}
        with progress_bar() as progress:
            found = read_sources(
                bootstrap=bootstrap,
                client_properties=command_config,
                prometheus=prometheus,
                match=_labels(match, form),
                broker=broker,
                progress=progress,
                **times,
                **texts,
            )
        _tell(found, output, form)
    raise typer.Exit(INFEASIBLE if found.scenario is None else 0)


def live_check(
    scenario: str | None,
    sets: list[str] | None,
    form: Format,
    *,
    bootstrap: str | None,
    command_config: Path | None,
    window: str,
    timeout: str,
) -> NoReturn:
    """`check --live`: an import by itself, or a running cluster, with or without its plan."""
    with refusals(form):
        if scenario is None and bootstrap is None:
            refuse_one("SCENARIO", None, "There is nothing to check.", "an import, or --bootstrap-server", form)
        times = _times({"window_s": ("--window", window), "timeout_s": ("--timeout", timeout)}, form)
        given = None if scenario is None else load_scenario(scenario, sets)  # told before a minute is spent
        from planner.sources.today import check_live

        if bootstrap is None and given is not None:
            found = check_live(given)
        else:
            from planner.sources.gathering import read_sources

            with progress_bar() as progress:
                read = read_sources(bootstrap=bootstrap, client_properties=command_config, progress=progress, **times)
            found = check_live(read, given)

        def text(page: Page) -> None:
            from planner.reports.text_live import live_text

            live_text(found, page)

        answer(found, form, text)
    raise typer.Exit(0 if found.holds else INFEASIBLE)


def _times(options: dict[str, tuple[str, str]], form: Format) -> dict[str, Any]:
    """Times that options give, by the names of the arguments."""
    errors: list[InputError] = []
    found = {key: read_quantity(option, text, "s", errors) for key, (option, text) in options.items()}
    if errors:
        refuse(errors, form)
    return found


def _labels(words: list[str] | None, form: Format) -> dict[str, str]:
    found = {}
    for word in words or ():
        key, equals, value = word.partition("=")
        if not equals:
            refuse_one("--match", word, "This is no label and value.", "label=value", form)
        found[key] = value.strip('"')
    return found


def _tell(found: Imported, output: Path | None, form: Format) -> None:
    from planner.reports.text_import import commented, import_text

    if output is not None:
        save(output, commented(found).encode(), "-o", form)
    elif form is Format.TEXT:
        write(commented(found))  # YAML, so that it can be piped into a plan
        return

    def text(page: Page) -> None:
        import_text(found, page, written=None if output is None else str(output))

    answer(found, form, text)


@contextmanager
def progress_bar() -> Iterator[Callable[[float, str], None] | None]:
    """A bar on the terminal, beside the answer; nothing where nobody looks."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    with Progress(
        BarColumn(), TextColumn("{task.description}", markup=False), console=Console(stderr=True), transient=True
    ) as bar:
        task = bar.add_task("", total=1.0)

        def show(done: float, what: str) -> None:
            bar.update(task, completed=done, description=what)

        yield show
