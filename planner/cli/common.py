"""What every command shares: options, the three forms of an answer, refusals."""

from __future__ import annotations

import io
import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, Protocol

import typer
from typer.core import TyperGroup

# Everything heavy is imported inside the commands: `kafka-planner --help` needs none of it.
if TYPE_CHECKING:
    import pandas as pd

    from planner.reports.page import Page
    from planner.scenario import InputError, Scenario

INFEASIBLE, BAD_INPUT, BROKEN_PIPE, INTERRUPTED = 1, 2, 141, 130
BROKER_ID = re.compile(r"[0-9]{1,10}")
_PIPE_WIDTH = 150  # columns when the output is no terminal: wide enough for every table


class Format(StrEnum):
    """How an answer is printed."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"


class _Commands(TyperGroup):
    """The commands; an option of the wrong kind is refused as JSON where JSON was asked for, as everything else is."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that the arguments name."""
        given = [*ctx._protected_args, *ctx.args]  # noqa: SLF001 - gone from the context once they are read
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            pairs = list(pairwise(given))
            if error.param is None or not (("--format", "json") in pairs or "--format=json" in given):
                raise
            names = error.param.opts
            value = next((after for name, after in pairs if name in names), None)
            message = error.message or "It is missing."
            refuse_one(names[0], value, message, f"see kafka-planner {given[0]} --help", Format.JSON)


cli = typer.Typer(
    cls=_Commands,
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


class Answer(Protocol):
    """What a command prints."""

    def to_dict(self) -> dict[str, Any]:
        """The contract's dictionary."""

    def to_frame(self) -> pd.DataFrame:
        """The main table."""


def write(text: str) -> None:
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


def answer(result: Answer, form: Format, show: Callable[[Page], None]) -> None:
    """Print a result in the form that was asked for; `show` lays out the text."""
    if form is Format.JSON:
        write_json(result.to_dict())
    elif form is Format.CSV:
        write_csv(result.to_frame())
    else:
        write_text(show)


def write_json(body: Any) -> None:
    """The contract's form."""
    write(json.dumps(body, indent=2, allow_nan=False) + "\n")


def write_csv(frame: pd.DataFrame) -> None:
    """A table for a spreadsheet, no cell of which is a formula."""
    from planner.reports.tables import csv_text

    write(csv_text(frame))


def write_text(show: Callable[[Page], None]) -> None:
    """Lay the answer out for the terminal, or plainly and wide for a pipe, and write it in one go."""
    from rich.console import Console

    from planner.reports.page import Terminal

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
    show(Terminal(console))
    text = "\n".join(line.rstrip() for line in sheet.getvalue().split("\n"))
    plain = not (sys.stdout.encoding or "").lower().startswith("utf")
    write(text.replace("\u2500", "-") if plain else text)  # the rule below a table's head


def write_folder(folder: Path, texts: Mapping[str, str], form: Format) -> None:
    """Write files that `-o` asks for into a folder; nothing that exists is touched."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        there = [name for name in texts if (folder / name).exists()]
        if there:
            refuse_one("-o", str(folder), f"{there[0]} is there already; nothing is overwritten.", "a new folder", form)
        for name, text in texts.items():
            with (folder / name).open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a folder name"
        refuse_one("-o", str(folder), f"The folder cannot be written: {reason}.", "a writable folder", form)


# Refusing


@contextmanager
def refusals(form: Format = Format.TEXT) -> Iterator[None]:
    """Turn bad input into messages and exit status 2, and an interrupt into silence."""
    from planner.scenario import ScenarioError

    try:
        yield
    except ScenarioError as error:
        refuse(error.errors, form)
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None


def refuse(errors: Sequence[InputError], form: Format) -> NoReturn:
    """Print all errors and leave with exit status 2."""
    if form is Format.JSON:
        write_json({"errors": [error.to_dict() for error in errors]})
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


def refuse_one(path: str, value: Any, message: str, allowed: str, form: Format = Format.TEXT) -> NoReturn:
    """Refuse one option or file."""
    from planner.scenario import InputError

    refuse([InputError(path, value, message, allowed)], form)


def read_quantity(option: str, text: str | None, dimension: str, errors: list[InputError]) -> float | None:
    """The quantity that an option gives, in base units; what is wrong with it joins the errors."""
    from planner.scenario import InputError
    from planner.units import UnitError, parse

    try:
        return None if text is None else 0.0 if text.strip() == "0" else parse(text, dimension)
    except UnitError as error:
        errors.append(InputError(option, text, str(error), "a quantity with its unit"))
        return None


def read_ids(option: str, text: str, errors: list[InputError]) -> tuple[int, ...]:
    """The broker ids that an option lists; what is wrong with them joins the errors."""
    from planner.scenario import InputError

    words = [word.strip() for word in text.split(",")] if text else []
    wrong = [word for word in words if not BROKER_ID.fullmatch(word)]
    errors += [InputError(option, word, "A broker id is a whole number from 0.", "ids such as 3,7") for word in wrong]
    return () if wrong else tuple(int(word) for word in words)


def load_scenario(source: str, sets: Sequence[str] | None) -> Scenario:
    """Read the scenario that an argument names, with its changes."""
    from planner.codec import load

    # text of a scenario is for the library; here whatever is neither - nor a preset is a file
    return load(source if source == "-" or source.startswith("preset:") else Path(source), sets=sets or ())


def load_all(sources: Sequence[str], sets: Sequence[str] | None) -> list[Scenario]:
    """Load every scenario; the errors of all of them come together, each under its scenario's name."""
    from dataclasses import replace

    from planner.scenario import ScenarioError

    found, errors = [], []
    for source in sources:
        try:
            found.append(load_scenario(source, sets))
        except ScenarioError as error:
            errors += [replace(row, path=f"{source}: {row.path}" if row.path else "") for row in error.errors]
    if errors:
        raise ScenarioError(errors)
    return found


def read_text_file(path: Path, most_bytes: int, option: str, form: Format) -> str:
    """Text of a file that an option names; one byte more than allowed at most, so that the reader refuses it."""
    try:
        with path.open(encoding="utf-8", errors="replace", newline="") as file:
            return file.read(most_bytes + 1)
    except OSError as error:
        refuse_one(option, str(path), f"The file cannot be read: {error.strerror}.", "a readable file", form)


def save(output: Path, document: bytes, option: str, form: Format) -> None:
    """Write a file that an option names, whole or not at all."""
    beside = output.with_name(f".{output.name}.part")
    try:
        beside.write_bytes(document)
        beside.replace(output)
    except (OSError, ValueError) as error:
        with suppress(OSError, ValueError):
            beside.unlink()
        reason = getattr(error, "strerror", None) or "not a file name"
        refuse_one(option, str(output), f"The file cannot be written: {reason}.", "a writable file", form)
