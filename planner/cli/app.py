"""The command that opens the app."""

from __future__ import annotations

import subprocess
import sys

import typer

from planner.cli.common import BAD_INPUT, cli


@cli.command("app")
def app_command() -> None:
    """Open the app in a browser, on this machine only."""
    from importlib.util import find_spec

    from planner.constants import resource_root

    if find_spec("streamlit") is None:
        typer.echo("The app needs Streamlit. Install it with: pip install 'kafka-capacity-planner[app]'", err=True)
        raise typer.Exit(BAD_INPUT)
    root = resource_root()
    command = [sys.executable, "-m", "streamlit", "run", str(root / "app.py"), "--server.address", "127.0.0.1"]
    try:
        # the folder decides which .streamlit/config.toml counts: ours, which reports no usage
        done = subprocess.run([*command, "--browser.gatherUsageStats", "false"], cwd=root, check=False)  # noqa: S603
    except KeyboardInterrupt:
        raise typer.Exit(0) from None
    raise typer.Exit(done.returncode)
