"""Measures shunt beside other proxies: the same loads through each in turn, again and again, in one run.

All subjects run at the same time, and a load goes through one after the other before the next load begins, so that what
is compared was taken seconds apart. Processor time per unit of work is the main figure: it moves least when a machine is
shared. It counts children, and what a proxy does after its answer.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import _bench_figures as names
from _bench_figures import Figures, share
from _bench_load import Result, Target, load, opened, staggered
from _bench_peers import peers
from _bench_process import cpu, memory, settled
from _bench_subjects import ROOT, SERVED, Running, Subject, checkout, own, yardsticks

BURST, IDLE = "bench-burst-200", "bench-idle-600"
STRAIGHT = "straight to the vendor"
LIMIT = 300.0
"""Seconds that a load may take before it counts as failed."""
TOO_BUSY = 0.85
"""Share of a core from which on the load would measure itself."""


@dataclass(frozen=True)
class Paced:
    """Streams that are written one event at a time, 50 a second, with so many open at once."""

    streams: int
    events: int
    each: int
    """Measured streams of each client."""

    @property
    def model(self) -> str:
        """What the vendor is asked for."""
        return f"bench-paced-50-{self.events}"


@dataclass(frozen=True)
class Size:
    """How much load a measurement takes."""

    rounds: int = 3
    """How often all subjects are started anew."""
    turns: int = 3
    """How often each counts requests and bursts between two starts."""
    warm: int = 50
    """Plain requests of each of 8 clients before anything is counted."""
    plain: int = 125
    """Requests of each of 8 clients."""
    long: int = 40
    """Requests with a long history of each of 8 clients."""
    burst: int = 12
    """Streams of each of 8 clients."""
    paced: tuple[Paced, ...] = (Paced(1, 10, 40), Paced(50, 100, 4), Paced(200, 100, 2))
    idle: int = 1000
    connects: int = 4000
    conversations: int = 10_000


QUICK = Size(
    rounds=1,
    turns=2,
    warm=10,
    plain=50,
    long=15,
    burst=4,
    paced=(Paced(1, 10, 10), Paced(50, 100, 2)),
    idle=200,
    connects=500,
    conversations=1000,
)


EACH = {"plain": names.PLAIN, "long": names.LONG, "burst": names.BURST}
"""What the processor time of one request of a load is called."""


@contextmanager
def vendor() -> Iterator[str]:
    """The scripted vendor; yields its base URL."""
    words = [sys.executable, str(ROOT / "scripts" / "_bench_vendor.py")]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    try:
        told = process.stdout.readline().strip() if process.stdout else ""
        yield f"http://127.0.0.1:{told}"
    finally:
        process.kill()
        process.wait()


def chosen(subjects: list[Subject], only: tuple[str, ...]) -> list[Subject]:
    """Those of exactly these names; where nothing has that name, those that hold it."""
    exact = {subject.name for subject in subjects} & set(only)
    return [
        subject
        for subject in subjects
        if not only
        or subject.name in exact
        or any(part in subject.name for part in only if part not in exact)
    ]


class Bench:
    """One run: what is measured, with what, and what was found."""

    def __init__(
        self,
        size: Size,
        *,
        only: tuple[str, ...] = (),
        loads: tuple[str, ...] = (),
        beside: str | None = None,
    ) -> None:
        self.size, self.loads = size, loads
        others = [checkout(Path(beside).resolve())] if beside else []
        self.subjects = [
            *chosen([*own(size.conversations), *yardsticks(), *peers()], only),
            *others,
        ]
        self.straight = Figures(STRAIGHT, "no proxy")
        self.found = {subject.name: Figures(subject.name, subject.version) for subject in self.subjects}

    @property
    def figures(self) -> list[Figures]:
        """All that was found."""
        return [*self.found.values(), self.straight]

    def measure(self) -> list[Figures]:
        """Measure everything. Ctrl-C ends it early, with what was found until then."""
        try:
            with vendor() as base, tempfile.TemporaryDirectory() as scratch:
                for number in range(self.size.rounds):
                    self._whole_round(base, Path(scratch), number)
        except KeyboardInterrupt:
            _say("ended early: what follows is not all")
        return self.figures

    def _whole_round(self, base: str, scratch: Path, number: int) -> None:
        """Start all subjects, drive every load through them, and end them."""
        with ExitStack() as stack:
            running = []
            for subject in self.subjects:
                folder = scratch / f"{number}-{subject.name}"
                running += self._start(stack, subject, base, folder, str(number))
            self._round(running, Target(int(base.rpartition(":")[2])), number)

    def _start(self, stack: ExitStack, subject: Subject, base: str, folder: Path, turn: str) -> list[Running]:
        """Start a subject and warm it; nothing when that fails."""
        _say(f"starting {subject.name}")
        found = self.found[subject.name]
        try:
            running = stack.enter_context(subject.running(base, folder))
        except (OSError, RuntimeError) as error:
            found.problems.append(str(error)[-600:])
            return []
        if not self._warm(running, found, 10):
            return []
        found.add(names.START, turn, running.took)
        settled(running.pid)
        if not subject.conversations:  # the others are not idle: they have answered thousands
            found.add(names.IDLE, turn, memory(running.pid))
        # Interpreters and compilers learn from what they run; nobody is measured before that.
        return [running] if self._warm(running, found, self.size.warm) else []

    def _warm(self, it: Running, found: Figures, each: int) -> bool:
        """Have some requests answered; whether they were."""
        requests = it.plain()
        return (
            self._run(lambda: load(it.target, requests, clients=8, each=each), found, "warming up")
            is not None
        )

    def _round(self, running: list[Running], straight: Target, number: int) -> None:
        """Every load through every subject, in an order that changes."""
        for turn in range(self.size.turns):
            for it in self._taking("plain", running, number + turn):
                self._plain(it, f"{number}.{turn}")
            for it in self._taking("long", running, number + turn):
                self._each(it, f"{number}.{turn}", "long", it.long(), self.size.long)
            for it in self._taking("burst", running, number + turn):
                streams = [it.target.request(BURST, stream=True)]
                self._each(it, f"{number}.{turn}", "burst", streams, self.size.burst)
        for paced in self.size.paced:
            taking = self._taking("paced", running, number)
            if taking:
                alone = self._straight(straight, paced, str(number))
                for it in taking:
                    self._paced(it, paced, str(number), alone)
        for it in self._taking("idle", running, number):
            self._idle(it, str(number))
        for it in self._taking("crowd", running, number):
            self._crowd(it, str(number))

    def _taking(self, what: str, running: list[Running], place: int) -> list[Running]:
        """Who takes part in a load; each time another begins."""
        if self.loads and what not in self.loads:
            return []
        taking = [it for it in running if what in it.subject.loads]
        _say(f"{what} ({len(taking)} subjects)")
        at = place % len(taking) if taking else 0
        return taking[at:] + taking[:at]

    def _run(
        self, coroutine: Callable[[], Coroutine[Any, Any, Result]], found: Figures, what: str
    ) -> Result | None:
        """Run one load; None (and a note) when any answer failed."""
        gc.collect()
        gc.disable()  # its pauses would be taken for the proxy's
        try:
            result = asyncio.run(asyncio.wait_for(coroutine(), LIMIT))
        except TimeoutError:
            result = Result(failed=1, problem=f"not done within {LIMIT:.0f} s")
        except (OSError, ExceptionGroup) as error:
            result = Result(failed=1, problem=repr(error))
        finally:
            gc.enable()
        if result.failed:
            told = f"{result.failed} of {result.done + result.failed} failed: {result.problem[:300]}"
            found.problems.append(f"{what}: {told}")
            return None
        return result

    def _plain(self, it: Running, turn: str) -> None:
        done = self._each(it, turn, "plain", it.plain(), self.size.plain)
        if done is not None:
            self.found[it.subject.name].add(names.RATE, turn, done.done / done.seconds)

    def _each(self, it: Running, turn: str, what: str, requests: Sequence[bytes], each: int) -> Result | None:
        """Processor time for each of these requests, by eight clients at once."""
        found = self.found[it.subject.name]
        before = settled(it.pid)
        done = self._run(lambda: load(it.target, requests, clients=SERVED, each=each), found, what)
        if done is not None:
            found.add(EACH[what], turn, (settled(it.pid) - before) * 1000 / done.done)
        return done

    def _stream(
        self, target: Target, paced: Paced, found: Figures, ready: Callable[[], None]
    ) -> Result | None:
        def coroutine() -> Coroutine[Any, Any, Result]:
            return staggered(
                target,
                paced.model,
                clients=paced.streams,
                each=paced.each,
                period=paced.events / 50,
                ready=ready,
            )

        done = self._run(coroutine, found, f"{paced.streams} paced streams")
        if done is not None and done.busy > TOO_BUSY:
            found.problems.append(
                f"{paced.streams} paced streams: the load itself took {done.busy:.0%} of a core; "
                "times to the first byte are partly its own"
            )
        return done

    def _straight(self, target: Target, paced: Paced, turn: str) -> dict[float, float]:
        """Milliseconds to the vendor's first byte without a proxy."""
        done = self._stream(target, paced, self.straight, lambda: None)
        times = done.first_bytes if done is not None else []
        found = {part: share(times, part) for part in (0.5, 0.99)}
        for part, told in ((0.5, "p50"), (0.99, "p99")):
            self.straight.add(f"to the first byte at {paced.streams} streams, {told}, ms", turn, found[part])
        if done is not None:
            self.straight.add(names.BUSY.format(paced.streams), turn, done.busy)
        return found

    def _paced(self, it: Running, paced: Paced, turn: str, alone: dict[float, float]) -> None:
        found = self.found[it.subject.name]
        before = [0.0]

        def ready() -> None:
            before[0] = cpu(it.pid)

        done = self._stream(it.target, paced, found, ready)
        if done is None:
            return
        if paced.events >= 100:
            # What a request costs without its events is told by the plain ones.
            base = statistics.median(found.all(names.PLAIN) or [0.0]) / 1000
            used = settled(it.pid) - before[0] - done.done * base
            found.add(names.EVENT.format(paced.streams), turn, used * 1e6 / (done.done * paced.events))
        for part, told in ((0.5, "p50"), (0.99, "p99")):
            added = share(done.first_bytes, part) - alone[part]
            found.add(names.FIRST.format(paced.streams, told), turn, added)

    def _idle(self, it: Running, turn: str) -> None:
        found, count = self.found[it.subject.name], self.size.idle
        # Above what it had when it was idle and fresh: what the loads before have left behind counts as well.
        before, used = found.numbers[names.IDLE][turn], [0.0]

        def look() -> None:
            used[0] = memory(it.pid)

        done = self._run(
            lambda: opened(it.target, IDLE, count=count, look=look), found, f"{count} open streams"
        )
        if done is not None:
            settled(it.pid)
            found.add(names.OPEN.format(count), turn, used[0] - before)
            found.add(names.AFTER, turn, memory(it.pid) - before)

    def _crowd(self, it: Running, turn: str) -> None:
        found, count = self.found[it.subject.name], self.size.connects
        tally: list[Result] = []

        async def crowd() -> Result:
            tally.append(await load(it.target, it.plain(), clients=count, each=1))
            return tally[0]

        done = self._run(crowd, found, f"{count} connections at once")
        found.add(names.CROWD.format(count), turn, tally[0].done / count if tally else 0.0)
        if done is not None:
            found.add(names.CROWD_TIME.format(count), turn, done.seconds)


def _say(text: str) -> None:
    """Tell whoever waits."""
    print(f"bench: {text}", file=sys.stderr, flush=True)
