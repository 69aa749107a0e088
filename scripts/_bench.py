"""Measures shunt beside other proxies: the same load through each in turn, again and again, in one run.

Processor time per unit of work is the main figure: it moves least when a machine is shared. Everything is told as a
median with its least and most, and as a ratio to shunt's own figure of the same run.
"""

from __future__ import annotations

import asyncio
import json
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from _bench_load import Result, Target, load, share
from _bench_subjects import ROOT, Subject, built, cpu, crowded, memory, peers, source, translating

PLAIN, BURST, PACED, IDLE = "bench-plain", "bench-burst-200", "bench-paced-50-100", "bench-idle-60"


@dataclass
class Figures:
    """What was measured of one subject, by name of the figure; one number a round."""

    subject: str
    version: str
    numbers: dict[str, list[float]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def add(self, name: str, value: float) -> None:
        """Note a figure."""
        self.numbers.setdefault(name, []).append(value)


@dataclass(frozen=True)
class Size:
    """How much load a measurement takes."""

    plain: int = 150
    """Requests of each of 8 clients."""
    burst: int = 6
    """Streams of each of 8 clients."""
    rounds: int = 3
    streams: tuple[int, ...] = (1, 50, 200)
    idle: int = 1000
    connects: int = 4000


QUICK = Size(plain=40, burst=2, rounds=1, streams=(1, 50), idle=200, connects=500)


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


def run(coroutine: Callable[[], Coroutine[Any, Any, Result]], figures: Figures, what: str) -> Result | None:
    """Run one load; None (and a note) when any answer failed."""
    result = asyncio.run(coroutine())
    if result.failed:
        figures.problems.append(
            f"{what}: {result.failed} of {result.done + result.failed} failed: {result.problem[:300]}"
        )
        return None
    return result


def measure(target: Target, pid: int, figures: Figures, size: Size, direct: dict[int, float]) -> None:
    """One round of every load."""
    warm = run(lambda: load(target, PLAIN, stream=False, clients=8, each=10), figures, "warming up")
    if warm is None:
        return
    figures.add("idle RSS, MiB", memory(pid))
    before = cpu(pid)
    plain = run(lambda: load(target, PLAIN, stream=False, clients=8, each=size.plain), figures, "plain")
    if plain is not None:
        figures.add("CPU ms per plain request", (cpu(pid) - before) * 1000 / plain.done)
        figures.add("plain requests/s", plain.done / plain.seconds)
    before = cpu(pid)
    burst = run(lambda: load(target, BURST, stream=True, clients=8, each=size.burst), figures, "burst")
    if burst is not None:
        figures.add("CPU ms per 200-event stream (burst)", (cpu(pid) - before) * 1000 / burst.done)
    for streams in size.streams:
        before = cpu(pid)
        paced = run(lambda n=streams: load(target, PACED, stream=True, clients=n, each=1), figures, "paced")  # type: ignore[misc]
        if paced is None:
            continue
        figures.add(f"CPU µs per event at {streams} streams", (cpu(pid) - before) * 1e6 / (100 * streams))
        for part, name in ((0.5, "p50"), (0.99, "p99")):
            added = share(paced.first_bytes, part) - direct.get(streams, 0.0)
            figures.add(f"added ms to first byte at {streams} streams, {name}", added)


async def held(target: Target, pid: int, streams: int, seconds: float) -> float:
    """Resident memory while `streams` silent streams are open."""
    model = f"bench-idle-{int(seconds)}"
    task = asyncio.create_task(load(target, model, stream=True, clients=streams, each=1))
    await asyncio.sleep(seconds * 0.7)
    used = memory(pid)
    await task
    return used


def direct(base: str, size: Size) -> dict[int, float]:
    """Median milliseconds to the vendor's first byte without a proxy, by number of streams."""
    port = int(base.rpartition(":")[2])
    found = {}
    for streams in size.streams:
        loaded = asyncio.run(load(Target(port, "/v1/messages"), PACED, stream=True, clients=streams, each=1))
        found[streams] = share(loaded.first_bytes, 0.5)
    return found


def subjects() -> list[Subject]:
    """Everything that can be measured here."""
    frozen = built()
    return [source(), *([frozen] if frozen else []), translating(), crowded(50), *peers()]


def bench(size: Size, only: str = "") -> list[Figures]:
    """Measure everything, interleaved."""
    chosen = [subject for subject in subjects() if only in subject.name]
    figures = {subject.name: Figures(subject.name, subject.version) for subject in chosen}
    with vendor() as base, tempfile.TemporaryDirectory() as scratch:
        plain = direct(base, size)
        for number in range(size.rounds):
            for subject in chosen:
                found = figures[subject.name]
                try:
                    with subject.running(base, Path(scratch) / f"{number}-{subject.name}") as (
                        target,
                        pid,
                        took,
                    ):
                        found.add("start-up, s", took)
                        measure(target, pid, found, size, plain)
                        if number == 0 and not found.problems:
                            more(target, pid, found, size)
                except (OSError, RuntimeError) as error:
                    found.problems.append(str(error)[-500:])
                print(f"round {number + 1}: {subject.name} done", file=sys.stderr, flush=True)
    return list(figures.values())


def more(target: Target, pid: int, figures: Figures, size: Size) -> None:
    """What is measured once: many open streams, and a crowd that connects at once."""
    before = memory(pid)
    used = asyncio.run(held(target, pid, size.idle, 10))
    figures.add(f"MiB more with {size.idle} open streams", used - before)
    figures.add("MiB more afterwards", memory(pid) - before)
    crowd = run(
        lambda: load(target, PLAIN, stream=False, clients=size.connects, each=1),
        figures,
        f"{size.connects} at once",
    )
    if crowd is not None:
        figures.add(f"s to serve {size.connects} connections at once", crowd.seconds)


def table(measured: list[Figures]) -> str:
    """The figures as Markdown: median (least - most), and the ratio to the first subject."""
    base = measured[0].numbers
    lines = []
    for name in base:
        lines += ["", f"**{name}**", "", "| | median | least - most | ratio |", "|---|---|---|---|"]
        yardstick = statistics.median(base[name])
        for figures in measured:
            numbers = figures.numbers.get(name)
            if not numbers:
                continue
            middle = statistics.median(numbers)
            ratio = f"{middle / yardstick:.2f}" if yardstick else "-"
            spread = f"{min(numbers):.2f} - {max(numbers):.2f}"
            lines.append(f"| {figures.subject} ({figures.version}) | {middle:.2f} | {spread} | {ratio} |")
    problems = [f"- {figures.subject}: {problem}" for figures in measured for problem in figures.problems]
    return "\n".join([*lines, *(["", "Not measured:", "", *problems] if problems else [])]).strip() + "\n"


def record(measured: list[Figures], at: str) -> str:
    """The figures as JSON, with what they were taken on."""
    machine = {"python": platform.python_version(), "system": platform.platform(), "cores": _cores()}
    rows = [
        {"subject": it.subject, "version": it.version, "figures": it.numbers, "problems": it.problems}
        for it in measured
    ]
    return json.dumps({"date": at, "machine": machine, "subjects": rows}, indent=1) + "\n"


def _cores() -> int:
    return len(Path("/proc/cpuinfo").read_text().split("processor\t")) - 1
