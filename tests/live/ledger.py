"""Predictions, written to a file before anything is measured, and beside them what was measured."""

from __future__ import annotations

import datetime as dt
import json
import os
import platform
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.live.cluster import VERSION

# a folder for each worker where several run side by side
FOLDER = Path(os.environ.get("LIVE_RESULTS", Path(__file__).resolve().parents[2] / "build" / "live")) / os.environ.get(
    "PYTEST_XDIST_WORKER", ""
)
EXACT = 0.01  # bytes and sizes that follow from the format
FLOW = 0.03  # flows and counts


@dataclass
class Row:
    """One quantity: what the planner said, what Kafka did."""

    part: str
    quantity: str
    unit: str
    predicted: float
    by: str  # the function or the key that predicted it
    measured: float | None = None
    within: float | None = None  # share of the measurement that is asserted; None: reported only
    note: str = ""

    @property
    def error(self) -> float:
        """(predicted - measured) / measured."""
        if self.measured is None:
            raise ValueError(f"{self.quantity} was not measured")
        if self.measured == self.predicted:
            return 0.0
        return (self.predicted - self.measured) / self.measured if self.measured else float("inf")


class Ledger:
    """The rows of one run of the live tests."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.notes: dict[str, str] = {}
        FOLDER.mkdir(parents=True, exist_ok=True)
        (FOLDER / "measured.json").unlink(missing_ok=True)

    def predict(self, part: str, quantity: str, unit: str, value: float, by: str) -> Row:
        """Write a prediction down; the file is there before the measurement."""
        row = Row(part, quantity, unit, float(value), by)
        self.rows.append(row)
        self._write("predictions.json", [{**asdict(row), "measured": None} for row in self.rows])
        return row

    def measure(self, row: Row, value: float, *, within: float | None = None, note: str = "") -> None:
        """Set what was measured beside its prediction, and hold it against the tolerance."""
        row.measured, row.within, row.note = float(value), within, note
        self._write("measured.json", {**self.about(), "notes": self.notes, "rows": [asdict(row) for row in self.rows]})
        if within is not None:
            said = f"{row.part}, {row.quantity}: predicted {row.predicted:.6g}, measured {value:.6g} {row.unit}"
            assert abs(row.error) <= within, f"{said}: {row.error:+.2%} is more than {within:.0%} ({note})"

    def note(self, title: str, text: str) -> None:
        """Something measured that nothing predicts."""
        self.notes[title] = text

    def about(self) -> dict[str, Any]:
        """What ran, where."""
        java = subprocess.run(["java", "-version"], capture_output=True, text=True, check=True).stderr.splitlines()[0]
        return {
            "kafka": VERSION,
            "java": java,
            "day": dt.datetime.now(tz=dt.UTC).date().isoformat(),
            "machine": f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, brokers on one machine",
        }

    def _write(self, name: str, content: Any) -> None:
        (FOLDER / name).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
