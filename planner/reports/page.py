"""What every answer is made of, sentences and tables, and the two places it goes to: a terminal, or a list of blocks.

A module `text_*` words an answer once, on a `Page`. The command lays it out for the terminal; the app and the reports
take it as blocks and lay them out as they need.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Column
from rich.table import Table as Grid
from rich.text import Text

from planner.reports.tables import Table
from planner.reports.words import visible

_STYLES = {
    "short": "bold red",
    "right": "green",
    "spare": "cyan",
    "critical": "bold red",
    "warning": "yellow",
    "info": "dim",
}
_PROSE = 28  # characters that sentences and long heads get before a table is split


class Page:
    """Takes sentences and tables, in the order in which they are read."""

    def say(self, sentences: Iterable[str], style: str = "") -> None:
        """One line for each sentence, and an empty line after them."""
        for sentence in sentences:
            self.line(sentence, style)
        self.line()

    def line(self, text: str = "", style: str = "") -> None:
        """One line; an empty one ends a paragraph."""
        raise NotImplementedError

    def table(self, table: Table) -> None:
        """A table with its title and its notes."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Sentences that belong together; strong ones are answers or headings."""

    sentences: tuple[str, ...]
    strong: bool


Block = Paragraph | Table


class Recorded(Page):
    """Keeps sentences and tables as blocks."""

    def __init__(self) -> None:
        self._blocks: list[Block] = []
        self._open: list[str] = []
        self._strong = False

    @property
    def blocks(self) -> tuple[Block, ...]:
        """All that was written."""
        self._close()
        return tuple(self._blocks)

    def _close(self) -> None:
        if self._open:
            self._blocks.append(Paragraph(tuple(self._open), self._strong))
        self._open = []

    def line(self, text: str = "", style: str = "") -> None:
        """One line; an empty one ends a paragraph, and so does the step between strong and not."""
        strong = "bold" in style
        if not text or strong != self._strong:
            self._close()
        self._strong = strong
        if text:
            self._open.append(text.strip())

    def table(self, table: Table) -> None:
        """A table; one without rows and notes is left out."""
        self._close()
        if table.rows or table.notes:
            self._blocks.append(table)


class Terminal(Page):
    """Writes paragraphs and tables to a console, laid out for its width."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def line(self, text: str = "", style: str = "") -> None:
        """One line; a pipe gets it whole, so that a search finds it."""
        self.console.print(Text(visible(text), style=style), soft_wrap=not self.console.is_terminal)

    def table(self, table: Table) -> None:
        """A table, split into pieces with the first column repeated where the width asks for it."""
        self.line(table.title, "bold")
        for piece in _pieces(table, self.console.width) if table.rows else ():
            self.console.print(self._grid(table, piece))
            self.line()
        for note in table.notes:
            self.line(note)
        if table.notes:
            self.line()

    def _grid(self, table: Table, piece: Sequence[int]) -> Grid:
        columns = [
            Column(
                Text("\n".join(map(visible, table.columns[index].split("\n")))),
                justify="right" if index in table.right else "left",
                overflow="fold",
            )
            for index in piece
        ]
        grid = Grid(
            *columns, box=SIMPLE_HEAD, header_style="dim", show_edge=False, pad_edge=False, collapse_padding=True
        )
        for number, row in enumerate(table.rows):
            grid.add_row(*(self._cell(row[index], strong=(number, index) in table.strong) for index in piece))
        return grid

    def _cell(self, text: str, *, strong: bool) -> Text:
        return Text(visible(text), style="bold reverse" if strong else _STYLES.get(text, ""), overflow="fold")


def _pieces(table: Table, width: int) -> list[list[int]]:
    """Columns of each piece, so that none is wider than the console where that can be helped."""
    sizes = [_width(table, column) + 2 for column in range(len(table.columns))]
    pieces: list[list[int]] = [[0]]
    used = sizes[0]
    for column, size in enumerate(sizes[1:], start=1):
        if used + size > width and len(pieces[-1]) > 1:
            pieces.append([0])
            used = sizes[0]
        pieces[-1].append(column)
        used += size
    return pieces


def _width(table: Table, column: int) -> int:
    heads = max(len(visible(line)) for line in table.columns[column].split("\n"))
    cells = max((len(visible(row[column])) for row in table.rows), default=0)
    longest = max(cells, min(heads, _PROSE))
    return min(longest, _PROSE) if column in table.prose else longest
