"""What the system says about a process and its children: processor time and memory. Linux only."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

PATIENCE = 6.0
"""Seconds that a proxy gets to finish what it does after an answer, such as writing down what was used."""


def free_port() -> int:
    """A port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def answers(port: int) -> bool:
    """Whether anybody listens."""
    try:
        socket.create_connection(("127.0.0.1", port), 0.2).close()
    except OSError:
        return False
    return True


def family(pid: int) -> list[int]:
    """A process and everything it started."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found, waiting = [], [pid]
    while waiting:
        found.append(waiting.pop())
        waiting += children.get(found[-1], [])
    return found


def cpu(pid: int) -> float:
    """Seconds of processor time that a process and its children have used."""
    total, tick = 0.0, os.sysconf("SC_CLK_TCK")
    for member in family(pid):
        try:
            fields = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        # Own time in user and kernel mode, and that of children which have ended.
        total += sum(int(field) for field in fields[11:15]) / tick
    return total


def settled(pid: int) -> float:
    """The same, once the process has come to rest: what it does after an answer belongs to the request."""
    used, end = cpu(pid), time.monotonic() + PATIENCE
    while time.monotonic() < end:
        time.sleep(0.3)
        before, used = used, cpu(pid)
        if used - before <= 0.015:
            break
    return used


def memory(pid: int) -> float:
    """Resident memory of a process and its children, in MiB."""
    total = 0
    for member in family(pid):
        try:
            lines = Path(f"/proc/{member}/status").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))
    return total / 1024
