"""Many streams at once: some idle, some busy, each of their bytes hashed on both sides."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import cast

import trio
from attrs import define, field

from shunt.server.descriptors import raise_limit
from tests.fakes import anthropic
from tests.fakes.client import raw_client, request
from tests.fakes.http1 import PeerLeft
from tests.fakes.upstream import Answer, Framing, Pause, Request, Step
from tests.faults.house import LIMITS, MESSAGES, House
from tests.faults.stage import MARK, message

RATE = 20.0
"""Events a second of a busy stream."""
BUDGET = 250.0
"""MiB that shunt may take with a thousand idle and two hundred busy streams."""
BACK = 1.15
"""Memory after the streams, as a share of that before."""


@define(eq=False)
class Flood:
    """One run."""

    house: House
    seconds: float
    sent: dict[str, str] = field(factory=dict)
    """Mark → hash of what the vendor sent."""
    faults: list[str] = field(factory=list)
    whole: int = 0
    opened: int = 0
    peak: float = 0.0
    """MiB."""

    def play(self, request: Request, *, idle: bool) -> Answer:
        """The vendor's side of one stream."""
        found = MARK.search(request.body)
        mark = found[0].decode() if found else ""
        steps = cast("tuple[Step, ...]", self._steps(mark, idle=idle))
        return Answer(200, anthropic.STREAM_HEADERS, steps, Framing.CHUNKED)

    def _steps(self, mark: str, *, idle: bool) -> Iterator[Step]:
        digest = sha256()
        events = 1 if idle else int(self.seconds * RATE)
        begun = trio.current_time()
        for step in (*anthropic.opening_events(), *anthropic.text_events([mark])[:2]):
            digest.update(step)
            yield step
        for number in range(events):
            delta = {"type": "text_delta", "text": f"{mark} {number} {'x' * (number % 50)}"}
            step = anthropic.event("content_block_delta", index=0, delta=delta)
            digest.update(step)
            yield step
            yield Pause(max(0.0, begun + (number + 1) / RATE - trio.current_time()))
        if idle:
            yield Pause(self.seconds)
        for step in (anthropic.text_events([""])[-1], *anthropic.closing_events()):
            digest.update(step)
            yield step
        self.sent[mark] = digest.hexdigest()

    async def stream(self, mark: str) -> None:
        """The client's side of one stream."""
        digest = sha256()
        try:
            async with raw_client(self.house.port) as client:
                await client.send(request(b"POST", MESSAGES, (), message(f"x {mark}", stream=True)))
                incoming = await client.begin()
                if incoming.status != 200:
                    self.faults.append(f"a stream was answered with {incoming.status}")
                    return
                self.opened += 1
                while piece := await incoming.piece():
                    digest.update(piece.data)
        except (OSError, PeerLeft, trio.BrokenResourceError) as error:
            self.faults.append(f"a stream broke: {error!r}")
            return
        if self.sent.get(mark) == digest.hexdigest():
            self.whole += 1
        else:
            self.faults.append("a stream's bytes were changed or lost")

    async def run(self, idle: int, busy: int) -> None:
        """Open all of them, one after the other, and read them to their ends."""
        marks = [f"fault-{number:08x}" for number in range(idle + busy)]
        for number, mark in enumerate(marks):
            self.house.stage.plays[mark] = partial(self.play, idle=number < idle)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._watch)
            async with trio.open_nursery() as streams:
                for mark in marks:
                    streams.start_soon(self.stream, mark)
                    await trio.sleep(0.004)
            nursery.cancel_scope.cancel()

    async def _watch(self) -> None:
        while True:
            await trio.sleep(10)
            held = await trio.to_thread.run_sync(self.house.count)
            print(f"{self.opened} opened  {held}", flush=True)
            self.peak = max(self.peak, held.rss)


def flood(seconds: float, idle: int, busy: int) -> list[str]:
    """Run it; print the figures; return what went wrong."""
    raise_limit()
    with tempfile.TemporaryDirectory(prefix="shunt-streams-") as folder:
        house = House(Path(folder))
        house.stage.open()
        try:
            house.configure(
                server={"request_timeout_secs": 3600, "drain_seconds": 1},
                limits={**LIMITS, "connections": 4000, "stall_seconds": 60},
            )
            house.log_in()
            house.start()
            house.settle()
            before = house.count()
            run = Flood(house, seconds)
            begun = time.monotonic()
            trio.run(run.run, idle, busy)
            took = time.monotonic() - begun
            faults = run.faults[:10]
            house.stage.bystander.look()
            time.sleep(5)
            faults += house.check()
            after = house.count()
        finally:
            house.stop()
            house.stage.close()
    print(f"{run.whole} of {idle + busy} streams whole in {took:.0f} s (events for {seconds:.0f} s)")
    print(f"memory: {before.rss:.1f} MiB before, {run.peak:.1f} at most, {after.rss:.1f} after")
    if run.whole != idle + busy:
        faults.append(f"{idle + busy - run.whole} streams were lost or spoilt")
    if run.peak > BUDGET:
        faults.append(f"memory went up to {run.peak:.1f} MiB")
    if idle + busy >= 1000 and after.rss > before.rss * BACK:
        faults.append(f"memory stayed at {after.rss:.1f} MiB, {after.rss / before.rss:.2f} of what it was")
    return faults
