"""Run the code blocks of a documentation page, and renew what they print.

A ```console block holds `$ kafka-planner ...` lines with their output, a ```text output block what the ```python block
above it prints, and a fence such as ```yaml shop.yaml a file that the blocks after it use. Output that holds a line
`...` is compared instead of renewed. All blocks of a page share one folder and one Python session.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass
from doctest import ELLIPSIS, OutputChecker
from pathlib import Path
from typing import Any

FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<body>.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(slots=True)
class Shell:
    """Runs the few shell forms that the pages use, inside this process: `kafka-planner`, `<`, `>`, `|`, `echo $?`."""

    folder: Path
    code: int = 0

    def run(self, line: str) -> str:
        """What the command line prints, standard error after standard output."""
        first, *filters = [shlex.split(stage, comments=True) for stage in split_pipe(line)]
        if first == ["echo", "$?"]:
            return f"{self.code}\n"
        given = b""
        target = None
        if "<" in first:
            given = (self.folder / first[first.index("<") + 1]).read_bytes()
            del first[first.index("<") : first.index("<") + 2]
        if ">" in first:
            target = self.folder / first[first.index(">") + 1]
            del first[first.index(">") : first.index(">") + 2]
        if first[0] == "cat":
            text = "".join((self.folder / name).read_text(encoding="utf-8") for name in first[1:])
            if filters and filters[0][0] == "kafka-planner":
                text = self.planner(filters.pop(0)[1:], text.encode())
        elif first[0] == "kafka-planner":
            text = self.planner(first[1:], given)
        else:
            msg = f"a console block may not run {first[0]!r}"
            raise ValueError(msg)
        for stage in filters:
            text = filtered(stage, text)
        if target is not None:
            target.write_text(text, encoding="utf-8")
            return ""
        return text

    def planner(self, arguments: list[str], given: bytes) -> str:
        """Run the command in this process, as a terminal of 120 columns without colour would show it."""
        from planner.cli import main

        out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
        stdin = io.TextIOWrapper(io.BytesIO(given), encoding="utf-8")
        environment = {"COLUMNS": "120", "NO_COLOR": "1", "TERM": "dumb"}
        before = (sys.argv, sys.stdin, {key: os.environ.get(key) for key in environment})
        sys.argv, sys.stdin = ["kafka-planner", *arguments], stdin
        os.environ.update(environment)
        try:
            with contextlib.chdir(self.folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
                self.code = exit_code(main)
        finally:
            sys.argv, sys.stdin = before[:2]
            for key, value in before[2].items():
                os.environ.pop(key, None)
                os.environ.update({} if value is None else {key: value})
        out.seek(0)
        return out.read()


def exit_code(main: Callable[[], Any]) -> int:
    """Exit status of a command that may return, or raise, it."""
    try:
        code = main()
    except SystemExit as stop:
        code = stop.code
    return code if isinstance(code, int) else 0 if code is None else 1


def split_pipe(line: str) -> list[str]:
    """The stages of a pipe; a `|` inside quotes is no pipe."""
    lexer = shlex.shlex(line, posix=False, punctuation_chars="|")
    lexer.whitespace_split = True
    stages: list[list[str]] = [[]]
    for word in lexer:
        stages.append([]) if word == "|" else stages[-1].append(word)
    return [" ".join(stage) for stage in stages]


def filtered(stage: list[str], text: str) -> str:
    """Text behind one stage of a pipe: `head -N` or `grep WORD`."""
    lines = text.splitlines(keepends=True)
    if stage[0] == "head":
        return "".join(lines[: int(stage[1].lstrip("-n") or stage[2])])
    if stage[0] == "grep":
        return "".join(line for line in lines if re.search(stage[-1], line))
    msg = f"a console block may not pipe into {stage[0]!r}"
    raise ValueError(msg)


def named_file(info: str) -> str | None:
    """The file name in a fence such as ```yaml orders.yaml."""
    name = info.partition(" ")[2]
    return name if re.fullmatch(r"[\w-]+\.[a-z]+", name) else None


def run_console(body: str, shell: Shell) -> str:
    """The block with what its commands print now; output that holds a `...` line is left as it stands."""
    lines: list[str] = []
    for command, shown in commands(body):
        printed = trimmed(shell.run(command.removeprefix("$ ").replace("\\\n", " ")))
        if "..." not in shown:
            lines += [command, *printed]
            continue
        if not OutputChecker().check_output("\n".join(shown) + "\n", "\n".join(printed) + "\n", ELLIPSIS):
            printed_text = "\n".join(printed)
            msg = f"{command} prints\n{printed_text}"
            raise ValueError(msg)
        lines += [command, *shown]
    return "\n".join(lines) + "\n"


def trimmed(text: str) -> list[str]:
    """Lines without trailing blanks, and without blank lines at the end."""
    return [line.rstrip() for line in text.rstrip().splitlines()]


def run_python(body: str, names: dict[str, Any], folder: Path) -> str:
    """What a block prints; a page's blocks share their names, as a reader's session would."""
    printed = io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stdout(printed):
        exec(compile(body, "<documentation>", "exec"), names)  # noqa: S102 - our own pages
    return printed.getvalue()


def commands(body: str) -> list[tuple[str, list[str]]]:
    """Each command of a console block (continued lines joined by a newline) with the output that is shown for it."""
    found: list[tuple[str, list[str]]] = []
    lines = iter(body.splitlines())
    for line in lines:
        if line.startswith("$ "):
            command = line
            while command.endswith("\\"):
                command += "\n" + next(lines)
            found.append((command, []))
        elif found:
            found[-1][1].append(line)
    return found


def run_blocks(text: str, folder: Path) -> str:
    """A page with the output of its console blocks renewed; named files are written as the reader would save them."""
    shell, names, printed = Shell(folder), {"__name__": "documentation"}, ""

    def renew(match: re.Match[str]) -> str:
        nonlocal printed
        info, body = match["info"].strip(), match["body"]
        name = named_file(info)
        if name is not None:
            (folder / name).write_text(body, encoding="utf-8")
        elif info == "python":
            printed = run_python(body, names, folder)
        elif info == "console":
            body = run_console(body, shell)
        elif info == "text output":
            body = "\n".join(trimmed(printed)) + "\n"
        return f"```{match['info']}\n{body}```"

    return FENCE.sub(renew, text)
