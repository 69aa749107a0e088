"""What is measured: how each proxy is started, asked and stopped, and which loads it takes part in."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from _bench_load import Target, load
from _bench_process import answers, free_port

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "dist" / "shunt" / "shunt"
"""The executable, where `scripts/build` has made one."""
READY = 90.0
"""Seconds a proxy may take to answer; some import for half a minute."""
PLAIN = "bench-plain"
TURNS = 60
"""Turns of a conversation that has gone on for a while."""
MESSAGES_LOADS = frozenset({"plain", "long", "burst", "paced", "idle", "crowd"})
SERVED = 8
"""Clients that send plain requests, and so the fewest conversations there can be."""

Command = Callable[[int, str, Path], tuple[list[str], dict[str, str]]]
"""(port, vendor's base URL, scratch folder) → words and environment."""
Prepare = Callable[[Target, str], None]
"""What is done between its first answer and the measurement; gets where it is and the vendor's base URL."""


@dataclass(frozen=True)
class Running:
    """A proxy that runs."""

    subject: Subject
    target: Target
    pid: int
    took: float
    """Seconds until it answered."""

    def plain(self) -> list[bytes]:
        """The plain requests it is asked."""
        names = [f"c{number}" for number in range(self.subject.conversations)] or [""]
        return [self.target.request(PLAIN, stream=False, conversation=name) for name in names]

    def long(self) -> list[bytes]:
        """The same with the history that a coding agent sends each time."""
        return [self.target.request(PLAIN, stream=False, turns=TURNS)]


@dataclass(frozen=True)
class Subject:
    """One proxy."""

    name: str
    version: str
    command: Command = field(repr=False)
    loads: frozenset[str] = MESSAGES_LOADS
    prepare: Prepare | None = field(default=None, repr=False)
    conversations: int = 0
    """How many conversations its plain requests belong to; 0 for requests that name none."""

    @contextmanager
    def running(self, vendor: str, folder: Path) -> Iterator[Running]:
        """Start it, wait until it answers, and kill it at the end."""
        port = free_port()
        folder.mkdir(parents=True, exist_ok=True)
        words, environment = self.command(port, vendor, folder)
        with (folder / "output.txt").open("wb") as out:
            begun = time.perf_counter()
            process = subprocess.Popen(
                words,
                env={"PATH": os.environ["PATH"], "HOME": str(folder), **environment},
                cwd=folder,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        try:
            while not answers(port):
                if process.poll() is not None or time.perf_counter() - begun > READY:
                    said = (folder / "output.txt").read_text(errors="replace")[-1000:]
                    raise RuntimeError(f"it does not start: {said}")
                time.sleep(0.01)
            found = Running(self, Target(port), process.pid, time.perf_counter() - begun)
            if self.prepare is not None:
                self.prepare(found.target, vendor)
            yield found
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def shunt(
    words: list[str], *, accounts: int = 1, upstream: str = "anthropic-compatible", root: Path = ROOT
) -> Command:
    """How shunt is started, with everything on that a user has on; `root` is the checkout it comes from."""

    def command(port: int, vendor: str, folder: Path) -> tuple[list[str], dict[str, str]]:
        home = folder / "home"
        home.mkdir(mode=0o700, exist_ok=True)
        url = vendor if upstream == "anthropic-compatible" else f"{vendor}/v1"
        lines = [f"[server]\nport = {port}\n", '[prefetch]\nmode = "off"\n']
        lines += [
            f'[[accounts]]\nname = "a{number}"\nprovider = "{upstream}"\nupstream_url = "{url}"\n'
            'api_key = "sk-bench-not-a-key"\n'
            for number in range(accounts)
        ]
        config = home / "config.toml"
        config.write_text("\n".join(lines))
        config.chmod(0o600)
        environment = {"SHUNT_HOME": str(home), "PYTHONPATH": str(root)}
        return [*words, "run"], environment

    return command


def own(conversations: int) -> list[Subject]:
    """Shunt in all its forms: from this checkout first, the yardstick of all ratios."""
    words = [sys.executable, "-m", "shunt"]
    plain = frozenset({"plain"})
    found = [Subject("shunt", "source", shunt(words))]
    if PROGRAM.exists():
        found.append(Subject("shunt built", "folder", shunt([str(PROGRAM)])))
    translating = shunt(words, upstream="openai-compatible")
    return [
        *found,
        Subject("shunt translating", "source", translating, frozenset({"plain", "burst"})),
        Subject("shunt, 50 accounts", "source", shunt(words, accounts=50), plain),
        # The same past, once of few conversations and once of many: only their number differs.
        *(
            Subject(name, "source", shunt(words, accounts=2), plain, served(number, conversations), number)
            for name, number in (
                ("shunt, few conversations", SERVED),
                ("shunt, many conversations", conversations),
            )
        ),
    ]


def checkout(root: Path) -> Subject:
    """The shunt of another checkout, run by this one's Python and libraries."""
    return Subject(f"shunt of {root.name}", "source", shunt([sys.executable, "-m", "shunt"], root=root))


def served(conversations: int, requests: int) -> Prepare:
    """Let a proxy answer `requests` of so many conversations before it is measured."""

    def prepare(target: Target, _: str) -> None:
        asked = [
            target.request(PLAIN, stream=False, conversation=f"c{number}") for number in range(conversations)
        ]
        result = asyncio.run(load(target, asked, clients=SERVED, each=requests // SERVED))
        if result.failed:
            raise RuntimeError(f"{result.failed} requests failed before it was measured: {result.problem}")

    return prepare


def yardsticks() -> list[Subject]:
    """What the libraries and the system cost without any proxy's work."""
    scripts = ROOT / "scripts"

    def stack(port: int, vendor: str, _: Path) -> tuple[list[str], dict[str, str]]:
        return [sys.executable, str(scripts / "_bench_stack.py"), str(port), vendor], {}

    def sockets(port: int, vendor: str, _: Path) -> tuple[list[str], dict[str, str]]:
        upstream = vendor.rpartition(":")[2]
        return [sys.executable, str(scripts / "_bench_sockets.py"), str(port), upstream], {}

    return [
        Subject("bare stack", "Quart-Trio and httpx2, nothing else", stack),
        Subject("bare sockets", "Trio, nothing else", sockets, frozenset({"plain", "burst", "paced"})),
    ]
