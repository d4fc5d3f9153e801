"""The command that moves replicas."""

from __future__ import annotations

import json
import re
from pathlib import Path
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
    load_scenario,
    quantity_of,
    refusals,
    refuse,
    refuse_one,
)

if TYPE_CHECKING:
    from rich.console import Console

    from planner.operations.reassigning import Reassignment
    from planner.scenario import InputError

_ID = re.compile(r"[0-9]{1,10}")


@cli.command("reassign")
def reassign_command(
    scenario: ScenarioArgument,
    *,
    to_brokers: Annotated[
        int | None, typer.Option("--to-brokers", metavar="N", help="Brokers that there shall be, more or fewer.")
    ] = None,
    remove: Annotated[str, typer.Option("--remove", metavar="IDS", help="Brokers to empty: 3,7.")] = "",
    replace: Annotated[
        str, typer.Option("--replace", metavar="OLD:NEW", help="Brokers to replace by new ones: 5:9,6:10.")
    ] = "",
    replication_factor: Annotated[
        int | None, typer.Option("--replication-factor", metavar="K", help="Replicas that every partition shall have.")
    ] = None,
    topic: Annotated[str | None, typer.Option("--topic", metavar="T", help="Only this topic's replicas.")] = None,
    assignment: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Current assignment, JSON of kafka-reassign-partitions.")
    ] = None,
    log_dirs: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Sizes of replicas, output of kafka-log-dirs --describe.")
    ] = None,
    throttle: Annotated[
        str | None, typer.Option(metavar="RATE", help="Replication throttle: 50MB/s. Default: recommended.")
    ] = None,
    within: Annotated[str | None, typer.Option(metavar="TIME", help="Time that the move may take: 8h.")] = None,
    dead: Annotated[str, typer.Option(metavar="IDS", help="Brokers that do not run any more: 5.")] = "",
    batch_partitions: Annotated[int | None, typer.Option(metavar="N", help="Most partitions moved at once.")] = None,
    batch_bytes: Annotated[str | None, typer.Option(metavar="SIZE", help="Most bytes moved at once: 1TiB.")] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="DIR", help="Write batch files and steps to a new folder.")
    ] = None,
    sets: SetOption = None,
    form: FormatOption = Format.TEXT,
) -> None:
    """Move replicas for more, fewer or other brokers, or other copies; exit status 1 when it cannot be done so."""
    with refusals(form):
        from planner.operations.reassigning import reassign
        from planner.sources.kafka_tools import assignment_of, read_capped, sizes_of

        errors: list[InputError] = []
        rates = {
            "throttle": quantity_of("--throttle", throttle, "bytes_per_s", errors),
            "within": quantity_of("--within", within, "s", errors),
            "batch_bytes": quantity_of("--batch-bytes", batch_bytes, "bytes", errors),
        }
        emptied, gone = _ids("--remove", remove, errors), _ids("--dead", dead, errors)
        pairs = _pairs(replace, errors)
        if errors:
            refuse(errors, form)
        result = reassign(
            load_scenario(scenario, sets),
            to_brokers=to_brokers,
            remove=emptied,
            replace=pairs,
            replication_factor=replication_factor,
            topic=topic,
            dead=gone,
            batch_partitions=batch_partitions,
            assignment=None if assignment is None else assignment_of(read_capped(assignment)),
            sizes=None if log_dirs is None else sizes_of(read_capped(log_dirs)),
            **rates,
        )
        if output is not None:
            _write(result, output, form)

        def text(console: Console) -> None:
            from planner.reports.text_reassign import reassign_text

            reassign_text(result, console, written=None if output is None else str(output))

        answer(result, form, text)
    wrong = any(finding.severity == "critical" for finding in result.findings)
    raise typer.Exit(INFEASIBLE if wrong else 0)


def _ids(option: str, text: str, errors: list[InputError]) -> tuple[int, ...]:
    from planner.scenario import InputError

    words = [word.strip() for word in text.split(",")] if text else []
    wrong = [word for word in words if not _ID.fullmatch(word)]
    errors += [InputError(option, word, "A broker id is a whole number from 0.", "ids such as 3,7") for word in wrong]
    return () if wrong else tuple(int(word) for word in words)


def _pairs(text: str, errors: list[InputError]) -> dict[int, int]:
    from planner.scenario import InputError

    pairs: dict[int, int] = {}
    for word in text.split(",") if text else []:
        old, _, new = (part.strip() for part in word.partition(":"))
        if not _ID.fullmatch(old) or not _ID.fullmatch(new):
            message = "A replacement names the old and the new broker, whole numbers from 0."
            errors.append(InputError("--replace", word, message, "OLD:NEW, such as 5:9"))
        elif int(old) in pairs:
            errors.append(InputError("--replace", word, "This broker is replaced twice.", "each broker once"))
        else:
            pairs[int(old)] = int(new)
    return pairs


def _write(result: Reassignment, folder: Path, form: Format) -> None:
    """Write every batch and the steps as new files; nothing that exists is touched."""
    from planner.operations.reassign_steps import batch_file

    count = len(result.batches)
    texts = {
        batch_file(number, count): json.dumps(batch, indent=1) + "\n"
        for number, batch in enumerate(result.batches, start=1)
    }
    texts["steps.txt"] = "".join(f"{number}. {step}\n" for number, step in enumerate(result.steps, start=1))
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
