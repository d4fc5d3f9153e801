"""The command `kafka-planner`: each module adds the commands of one subject."""

from __future__ import annotations

import os
from importlib import import_module
from pkgutil import iter_modules
from typing import Annotated

import typer

from planner.cli.common import cli, write

__all__ = ["cli", "main"]

for _subject in iter_modules(__path__):
    if _subject.name != "__main__":
        import_module(f"{__name__}.{_subject.name}")


def _version(asked: bool) -> None:
    if asked:
        from planner import __version__

        write(f"kafka-planner {__version__}\n")
        raise typer.Exit


@cli.callback()
def _common(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Entry point of the command."""
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # looking for plugins takes 40 ms of every start
    cli()
