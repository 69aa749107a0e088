"""shunt, with a signal that makes it count itself: SIGRTMIN writes tasks, descriptors and memory to a file.

Run as `_watched.py FILE run …`. The numbers are taken inside the process, where alone Trio's tasks can be
counted.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any

import trio

from shunt.cli.program import main
from shunt.server.intake import Store
from shunt.upstream.client import Upstream

MIB = 1024 * 1024
SET_PARENT_DEATH_SIGNAL = 1
"""PR_SET_PDEATHSIG of prctl(2)."""


def tasks() -> int:
    """All tasks of the running Trio loop."""
    root = trio.lowlevel.current_root_task()
    waiting, count = [root] if root else [], 0
    while waiting:
        task = waiting.pop()
        count += 1
        waiting += [child for nursery in task.child_nurseries for child in nursery.child_tasks]
    return count


def memory() -> float:
    """Resident memory in MiB; where /proc is missing, the most there ever was."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most / (MIB if sys.platform == "darwin" else 1024)
    return pages * resource.getpagesize() / MIB


PARTS: dict[type[Any], Any] = {}
"""The program's one object of a kind, once it is made."""


def keep(kind: type[Any]) -> None:
    """Keep the object of this kind when it is made.

    The garbage collector could not tell of it later: it is told to leave alone what was there at the start, and
    looking through all it knows breaks tuples that are being made.
    """
    make = kind.__init__

    def noted(self: Any, *arguments: Any, **more: Any) -> None:
        make(self, *arguments, **more)
        PARTS[kind] = self

    kind.__init__ = noted


def pool() -> dict[str, int]:
    """Connections to upstreams: those that nobody uses, and the others."""
    upstream = PARTS.get(Upstream)
    if upstream is None:
        return {"idle": 0, "busy": 0, "in_flight": 0}
    lines = upstream._all_lines()  # noqa: SLF001 - a look from outside
    idle = sum(line.pool.idle() for line in lines)
    return {"idle": idle, "busy": upstream.pool_size - idle, "in_flight": upstream.in_flight}


def count(*_: Any) -> None:
    """Write the numbers down, all at once."""
    store = PARTS.get(Store)
    numbers = {
        "tasks": tasks(),
        "fds": len(os.listdir("/dev/fd")),  # noqa: PTH208 - a count
        "rss": memory(),
        "bodies": store.used if store is not None else 0,
        **pool(),
    }
    half = REPORT.with_suffix(".half")
    half.write_text(json.dumps(numbers), encoding="ascii")
    half.replace(REPORT)


def die_with_parent() -> None:
    """End when whoever started this is killed; where the system cannot see to it, nothing happens."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(SET_PARENT_DEATH_SIGNAL, signal.SIGTERM)


if __name__ == "__main__":
    die_with_parent()
    REPORT = Path(sys.argv[1])
    keep(Store)
    keep(Upstream)
    signal.signal(signal.SIGRTMIN, count)
    sys.exit(main(sys.argv[2:]))
