"""The command that opens the app."""

from __future__ import annotations

import ipaddress
import subprocess
import sys
from typing import Annotated

import typer

from planner.cli.common import BAD_INPUT, cli, refuse_one


@cli.command("app")
def app_command(
    port: Annotated[int | None, typer.Option("--port", min=1, max=65_535, help="Default: 8501.")] = None,
    address: Annotated[
        str, typer.Option("--address", help="Where to listen; another than this machine only behind a proxy.")
    ] = "127.0.0.1",
    names: Annotated[
        list[str] | None,
        typer.Option("--allow-host", metavar="NAME", help="A name in browsers' address, beside localhost. Repeatable."),
    ] = None,
) -> None:
    """Open the app in a browser, on this machine only unless told otherwise."""
    from importlib.util import find_spec

    from planner.constants import resource_root

    if find_spec("streamlit") is None:
        typer.echo("The app needs Streamlit. Install it with: pip install 'kafka-capacity-planner[app]'", err=True)
        raise typer.Exit(BAD_INPUT)
    _warn_of(address)
    root = resource_root()
    command = [sys.executable, "-m", "streamlit", "run", str(root / "app.py"), "--server.address", address]
    # a name of its own, or Streamlit asks a service on the internet for this machine's address
    command += ["--browser.serverAddress", names[0] if names else "localhost"]
    if port is not None:
        command += ["--server.port", str(port)]
    for name in ["localhost", "127.0.0.1", *names] if names else []:
        command += ["--server.allowedHosts", name]
    try:
        # the folder decides which .streamlit/config.toml counts: ours, which reports no usage
        done = subprocess.run([*command, "--browser.gatherUsageStats", "false"], cwd=root, check=False)  # noqa: S603
    except KeyboardInterrupt:
        raise typer.Exit(0) from None
    raise typer.Exit(done.returncode)


def _warn_of(address: str) -> None:
    """Say what listening to other machines means, or refuse what is no address."""
    try:
        alone = ipaddress.ip_address(address).is_loopback
    except ValueError:
        refuse_one("--address", address, "This is no IP address.", "127.0.0.1, or 0.0.0.0 behind a proxy")
    if not alone:
        typer.echo("Other machines can reach the app, and it has no login: see docs/deployment.md.", err=True)
