"""shunt, with a signal that makes it count itself: SIGUSR1 writes tasks, descriptors and memory to a file.

Run as `_watched.py FILE run …`. The numbers are taken inside the process, where alone Trio's tasks can be
counted.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any

import trio

from shunt.cli.program import main

MIB = 1024 * 1024


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


def count(*_: Any) -> None:
    """Write the numbers down, all at once."""
    numbers = {"tasks": tasks(), "fds": len(os.listdir("/dev/fd")), "rss": memory()}  # noqa: PTH208 - a count
    half = REPORT.with_suffix(".half")
    half.write_text(json.dumps(numbers), encoding="ascii")
    half.replace(REPORT)


if __name__ == "__main__":
    REPORT = Path(sys.argv[1])
    signal.signal(signal.SIGUSR1, count)
    sys.exit(main(sys.argv[2:]))
