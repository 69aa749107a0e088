"""Ending a process, or letting a system call fail, at exactly the n-th call of a kind (strace injection)."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from attrs import define, field, frozen

ROOT = Path(__file__).resolve().parents[2]
CALLS = (
    *("openat", "read", "write", "close", "fsync", "flock", "fcntl", "fchmod", "fchown", "lseek"),
    *("rename", "renameat2", "unlink", "newfstatat", "fstat", "lstat", "stat", "mkdir", "getdents64"),
    *("readlink", "dup"),
)
"""What a save may ask of the file system."""
CHANGING = frozenset(
    {"openat", "write", "fsync", "flock", "fchmod", "fchown", "rename", "renameat2", "unlink", "mkdir"}
)
"""Those between two of which the disk stays as it is: whoever ends before the second, ends in the same state."""
PATIENCE = 60.0


@frozen
class End:
    """How a victim ended."""

    status: int
    """Exit status; the negative number of a signal."""
    said: str
    """Its error's text."""
    committed: bool
    """It played the vendor and had spent the old token by then."""
    calls: tuple[str, ...]
    """The system calls it made, in order."""


@define(eq=False)
class Tracer:
    """Makes victims and traces them."""

    template: subprocess.Popen[str]
    line: socket.socket
    log: Path
    ends: list[End] = field(factory=list)

    def run(self, work: str, path: Path, inject: str = "", told: str = "") -> End:
        """Let a victim do its work with something injected into it; what became of it."""
        self.line.setblocking(False)
        if told:
            self.line.send(told.encode())
        victim = int(self._ask({"do": work, "path": str(path)}))
        options = ["-e", f"inject={inject}"] if inject else []
        with subprocess.Popen(
            [
                "strace",
                "-f",
                "-o",
                str(self.log),
                "-e",
                f"trace={','.join(CALLS)}",
                *options,
                "-p",
                str(victim),
            ],
            stderr=subprocess.PIPE,
            text=True,
        ) as strace:
            assert strace.stderr is not None
            said = strace.stderr.readline()
            if "attached" not in said:
                os.kill(victim, signal.SIGKILL)
                self._ask({"reap": True})
                pytest.skip(f"processes cannot be traced here: {said.strip()}")
            os.kill(victim, signal.SIGCONT)
            status = int(self._ask({"reap": True}))
            strace.wait(PATIENCE)
        heard = b""
        with suppress(BlockingIOError):
            while True:
                heard += self.line.recv(65536)
        calls = tuple(re.findall(r"^\d+ +(\w+)\(", self.log.read_text(), re.MULTILINE))
        return End(status, heard.replace(b"\x01", b"").decode(), b"\x01" in heard, calls)

    def places(self, work: str, path: Path, told: str = "") -> tuple[tuple[str, int], ...]:
        """Every call that undisturbed work makes, as (name, which of that name).

        `path` has afterwards what the work made of it.
        """
        end = self.run(work, path, told=told)
        assert end.status == 0, end
        seen = Counter[str]()
        found: list[tuple[str, int]] = []
        for call in end.calls:
            seen[call] += 1
            found.append((call, seen[call]))
        return tuple(found)

    def _ask(self, order: dict[str, object]) -> str:
        assert self.template.stdin is not None
        assert self.template.stdout is not None
        self.template.stdin.write(json.dumps(order) + "\n")
        self.template.stdin.flush()
        answer = self.template.stdout.readline()
        assert answer, "the process that forks victims is gone"
        return answer


@contextmanager
def tracing(folder: Path) -> Iterator[Tracer]:
    """A tracer; the test is skipped where processes cannot be traced."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with (
        ours,
        theirs,
        subprocess.Popen(
            [sys.executable, "-m", "tests.proof.victim", str(theirs.fileno())],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            pass_fds=[theirs.fileno()],
        ) as template,
    ):
        try:
            yield Tracer(template, ours, folder / "strace.log")
        finally:
            template.kill()
