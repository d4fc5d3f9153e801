"""What the archives hold; `make wheel` installs the wheel and runs its command."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def build(folder: Path, *what: str) -> zipfile.ZipFile:
    command = [sys.executable, "-m", "build", "--no-isolation", *what, "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = folder.glob("*.whl")
    return zipfile.ZipFile(wheel)


@pytest.fixture(scope="module")
def contents(tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """Name and checksum of every file of the wheel that is built from the source archive."""
    with build(tmp_path_factory.mktemp("from_sdist")) as wheel:
        return {item.filename: item.CRC for item in wheel.infolist()}


def test_the_source_archive_makes_the_same_wheel(contents: dict[str, int], tmp_path: Path) -> None:
    with build(tmp_path, "--wheel") as wheel:
        assert {item.filename: item.CRC for item in wheel.infolist()} == contents


def test_every_data_file_is_in_the_wheel(contents: dict[str, int]) -> None:
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "data", "app.py"]
    done = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True)
    names = [name for name in done.stdout.split("\0") if name]
    assert len(names) > 10
    missing = {f"planner/_bundled/{name}" for name in [*names, ".streamlit/config.toml"]} - contents.keys()
    assert not missing


def test_every_module_is_in_the_wheel(contents: dict[str, int]) -> None:
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "planner").rglob("*.py")}
    assert not modules - contents.keys()
    assert "planner/py.typed" in contents


def test_nothing_else_is_in_the_wheel(contents: dict[str, int]) -> None:
    tops = {name.split("/")[0] for name in contents}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"planner"}
    assert not [name for name in contents if "test" in name or "__pycache__" in name]
