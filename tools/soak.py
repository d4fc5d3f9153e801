"""Twenty visitors at once for a minute: nobody sees another's scenario, the server's memory stays bounded.

Each visitor speaks Streamlit's own protocol over a WebSocket, as a browser does: opens a share link of their own, then
changes the load again and again. Every answer has to be the one that the library gives for that visitor's scenario and
load, and may not name another visitor. Run by `make soak`; the exit status is 1 when anything of that fails.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from google.protobuf.message import Message
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

import planner
from planner import links
from planner.codec import load
from planner.ui.state import scaled
from tools.serving import serving

PRESETS = ("ecommerce", "fintech", "iot-telemetry", "startup-10k-a-day")
FACTORS = (0.5, 0.75, 1.0, 1.5, 2.0, 3.0)
LOAD = "Load, exactly"
GROWTH_MB = 400.0  # more than this after the first visits is a leak; caches are bounded and fill first


@dataclass
class Visitor:
    """One session: what it asked, what it saw, what was wrong."""

    number: int
    preset: str
    waits_s: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    widget: str = ""
    seen: dict[str, ForwardMsg] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name of the visitor's scenario."""
        return f"visitor-{self.number:03d}-of-the-soak"

    @property
    def query(self) -> str:
        """The visitor's link."""
        return urlencode(links.to_query(links.Choice(self.preset, "", {"name": self.name})))

    def answer(self, factor: float) -> str:
        """The headline that the library gives."""
        return ANSWERS[self.preset, factor]


def answers() -> dict[tuple[str, float], str]:
    """What each worked example answers at each load."""
    found = {}
    for preset in PRESETS:
        scenario = load(f"preset:{preset}")
        for factor in FACTORS:
            found[preset, factor] = planner.plan(scenario if factor == 1 else scaled(scenario, factor)).headline[0]
    return found


ANSWERS: dict[tuple[str, float], str] = {}


async def visit(visitor: Visitor, port: int, until: float) -> None:
    """Open a link, then change the load until the time is over."""
    chance = random.Random(visitor.number)  # noqa: S311 - nothing secret
    headers = {"Origin": f"http://127.0.0.1:{port}"}
    async with connect(
        f"ws://127.0.0.1:{port}/_stcore/stream", additional_headers=headers, subprotocols=["streamlit"], max_size=None
    ) as line:
        await ask(visitor, line, None, 1.0)
        while time.monotonic() < until:
            await asyncio.sleep(chance.uniform(0.5, 2.0))
            factor = chance.choice(FACTORS)
            await ask(visitor, line, factor, factor)


async def ask(visitor: Visitor, line: ClientConnection, put: float | None, factor: float) -> None:
    """Send one run of the page and look at everything that comes back."""
    message = BackMsg()
    message.rerun_script.query_string = visitor.query
    if put is not None:
        message.rerun_script.widget_states.widgets.add(id=visitor.widget, double_value=put)
    begun = time.perf_counter()
    await line.send(message.SerializeToString())
    said = " ".join([text async for text in texts_of(visitor, line)])
    visitor.waits_s.append(time.perf_counter() - begun)
    if visitor.answer(factor) not in said:
        visitor.faults.append(f"{visitor.name}: at {factor} times the load not the library's answer")
    others = {f"visitor-{number:03d}" for number in range(1000) if number != visitor.number}
    if any(other in said for other in others):
        visitor.faults.append(f"{visitor.name}: another visitor's scenario")
    if visitor.name not in said:
        visitor.faults.append(f"{visitor.name}: the own name is not on the page")


async def texts_of(visitor: Visitor, line: ClientConnection) -> Any:
    """The texts of every element until the run ends."""
    while True:
        message = ForwardMsg()
        message.ParseFromString(await asyncio.wait_for(line.recv(decode=False), 60))
        kind = message.WhichOneof("type")
        if kind == "ref_hash":
            message = visitor.seen[message.ref_hash]
        elif message.hash:
            visitor.seen[message.hash] = message
        if kind == "script_finished":
            return
        if message.WhichOneof("type") == "delta":
            element = message.delta.new_element
            if element.WhichOneof("type") == "number_input" and element.number_input.label == LOAD:
                visitor.widget = element.number_input.id
            for text in strings(message.delta):
                yield text


def strings(message: Message) -> Iterator[str]:
    """Every text in a protocol message."""
    for descriptor, value in message.ListFields():
        for part in value if descriptor.is_repeated else (value,):
            if isinstance(part, Message):
                yield from strings(part)
            elif isinstance(part, str):
                yield part


def memory_mb(pid: int) -> float:
    """Resident memory of a process."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1000


async def soak(pid: int, port: int, visitors: list[Visitor], seconds: float) -> tuple[float, float]:
    """Let them all in at once; memory after a third of the time, and at the end."""
    visits = [asyncio.create_task(visit(visitor, port, time.monotonic() + seconds)) for visitor in visitors]
    await asyncio.sleep(seconds / 3)
    warm = memory_mb(pid)
    for visitor, outcome in zip(visitors, await asyncio.gather(*visits, return_exceptions=True), strict=True):
        if outcome is not None:
            visitor.faults.append(f"{visitor.name}: {outcome!r}")
    return warm, memory_mb(pid)


def main() -> None:
    """Run the soak and say what was seen."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--visitors", type=int, default=20)
    asked.add_argument("--seconds", type=float, default=60.0)
    given = asked.parse_args()
    ANSWERS.update(answers())
    visitors = [Visitor(number, PRESETS[number % len(PRESETS)]) for number in range(given.visitors)]
    with serving() as (pid, port):
        warm, end = asyncio.run(soak(pid, port, visitors, given.seconds))
    waits = sorted(1000 * wait for visitor in visitors for wait in visitor.waits_s)
    slow = waits[int(0.95 * (len(waits) - 1))]
    faults = [fault for visitor in visitors for fault in visitor.faults]
    print(
        f"{len(waits)} runs of {len(visitors)} visitors in {given.seconds:g} s; a change is answered in "
        f"{statistics.median(waits):.0f} ms (median), {slow:.0f} ms (95 %)."
    )
    print(f"Memory of the server: {warm:.0f} MB after a third of the time, {end:.0f} MB at the end.")
    if end - warm > GROWTH_MB:
        faults.append(f"memory grew by {end - warm:.0f} MB")
    print("\n".join(faults[:20]) or "Every answer was the visitor's own, and the library's.")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
