"""A report as a workbook: a sheet for each table, numbers as numbers in base units, units in the heads."""

from __future__ import annotations

import datetime as dt
import io
import math
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from planner.reports.document import answer, grown, judged, lost_broker, made_by, title
from planner.reports.tables import safe_cell
from planner.reports.words import unit_of_figure
from planner.results import Plan, to_plain

if TYPE_CHECKING:
    import pandas as pd

_EPOCH = dt.datetime(2000, 1, 1, tzinfo=dt.UTC).replace(
    tzinfo=None
)  # the workbook has no date: equal plans, equal bytes
_WIDEST = 60
_SHEET = 31  # characters of a sheet's name
_CELL = 32_767  # characters of a cell
_UNITS = (
    ("_bytes_per_s", "bytes/s"),
    ("_bytes", "bytes"),
    ("_per_s", "1/s"),
    ("_s", "s"),
    ("_fraction", "fraction"),
    ("_per_month", "money a month"),
    ("_per_record", "bytes"),
)


def workbook(plan: Plan) -> bytes:
    """The whole report; equal plans give equal bytes. Needs the extra `report`."""
    import xlsxwriter

    sheet = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(sheet, options)
    book.set_properties({"title": title(plan), "comments": made_by(), "created": _EPOCH})
    head = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1})
    for name, frame in _sheets(plan):
        _write(book.add_worksheet(name[:_SHEET]), frame, head)
    book.close()
    return sheet.getvalue()


def _write(page: Any, frame: pd.DataFrame, head: Any) -> None:
    """One table, its head frozen; every text is written as text, so none is read as a formula."""
    page.freeze_panes(1, 1)
    for column, name in enumerate(frame.columns):
        page.write_string(0, column, headed(str(name)), head)
        cells = frame[name].tolist()
        for row, value in enumerate(cells, start=1):
            _cell(page, row, column, value)
        longest = max([len(str(name)), *(len(str(value)) for value in cells)])
        page.set_column(column, column, min(longest + 2, _WIDEST))


def _cell(page: Any, row: int, column: int, value: Any) -> None:
    if isinstance(value, bool):
        page.write_string(row, column, "yes" if value else "no")
    elif isinstance(value, int | float) and math.isfinite(value):
        page.write_number(row, column, value)
    elif value is not None and not isinstance(value, int | float):
        page.write_string(row, column, str(safe_cell(str(value)))[:_CELL])


def headed(name: str) -> str:
    """A column's name with its unit."""
    unit = next((unit for ending, unit in _UNITS if name.endswith(ending)), "")
    words = re.sub(r"(_bytes_per_s|_bytes|_fraction|_s)$", "", name) if unit else name
    return f"{words.replace('_', ' ')} [{unit}]" if unit else name.replace("_", " ")


def _sheets(plan: Plan) -> Iterator[tuple[str, pd.DataFrame]]:
    import pandas as pd

    first, others, holds = answer(plan)
    said = [title(plan), first, others, holds, made_by()]
    yield "Summary", pd.DataFrame({"summary": [text for text in said if text]})
    yield "Resources", plan.to_frame("verdicts")
    yield "States", _states(plan)
    yield "Topics", plan.to_frame("topics")
    if plan.placement is not None and plan.placement.brokers:
        yield "Brokers", plan.to_frame("brokers")
    yield "Cluster", pd.DataFrame(to_plain(plan.cluster).items(), columns=["figure", "value"])
    yield from _answers(plan)
    if plan.cost is not None:
        yield "Cost", pd.DataFrame(to_plain(plan.cost.lines))
    yield "Findings", plan.to_frame("findings")
    yield "Assumptions", plan.to_frame("assumptions")
    steps = [step.to_dict() for step in plan.trace if not step.name.startswith("topics.")]
    yield "Formulas", pd.DataFrame([{**step, "numbers": str(step["numbers"])} for step in map(to_plain, steps)])


def _answers(plan: Plan) -> Iterator[tuple[str, pd.DataFrame]]:
    """What else the report tells, where the scenario asks for it."""
    failure, growth, messaging = lost_broker(plan), grown(plan), judged(plan)
    if failure is not None and failure.survivors is not None:
        yield "Broker lost", failure.to_frame()
    if growth is not None:
        yield "Growth", growth.to_frame().drop(columns="date")  # counted from the report, which has no date
    if messaging is not None:
        yield "Messaging systems", messaging.to_frame()
        yield "Ruled out", messaging.to_frame("eliminated")


def _states(plan: Plan) -> pd.DataFrame:
    """A row for each figure and state, with the unit beside it."""
    frame = plan.to_frame("states")
    frame.insert(2, "unit", [unit_of_figure(str(figure)) for figure in frame["figure"]])
    return frame
