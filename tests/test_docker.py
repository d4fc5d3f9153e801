"""The Dockerfile, as far as it can be checked without Docker."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from planner.cli import cli

ROOT = Path(__file__).resolve().parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def built(source: Path, place: Path) -> dict[str, int]:
    """Contents of the wheel of a folder."""
    command = [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", str(place), str(source)]
    subprocess.run(command, check=True, capture_output=True)
    (wheel,) = place.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return {item.filename: item.CRC for item in archive.infolist() if not item.filename.endswith("RECORD")}


def test_what_the_image_gets_is_enough_for_the_same_wheel(tmp_path: Path) -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert lines[0] == "*"
    source = tmp_path / "source"
    source.mkdir()
    for name in (line[1:] for line in lines if line.startswith("!")):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, source / name)
    assert built(source, tmp_path / "image") == built(ROOT, tmp_path / "checkout")


def test_the_command_of_the_image_is_one_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    (entry,) = re.findall(r"^ENTRYPOINT \[(.*)\]$", DOCKERFILE, re.MULTILINE)
    program, *arguments = re.findall(r'"([^"]+)"', entry)
    assert program == "kafka-planner"
    calls: list[list[str]] = []

    def record(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        calls.append(command)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr("planner.cli.app.subprocess.run", record)
    assert CliRunner().invoke(cli, [*arguments, "--allow-host", "planner.example.com"]).exit_code == 0
    assert "0.0.0.0" in calls[0]  # noqa: S104 - inside the container
    port = calls[0][calls[0].index("--server.port") + 1]
    assert f"EXPOSE {port}\n" in DOCKERFILE
    assert f"http://127.0.0.1:{port}/_stcore/health" in DOCKERFILE


def test_the_image_runs_without_rights() -> None:
    last = DOCKERFILE.rpartition("FROM ")[2]
    assert re.search(r"^USER [1-9]\d+$", last, re.MULTILINE)
