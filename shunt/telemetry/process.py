"""What the process itself uses: memory, CPU, threads, file descriptors. Whatever a system does not tell is left out."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

STATM: Final = Path("/proc/self/statm")
DESCRIPTORS: Final = Path("/proc/self/fd")


def figures() -> dict[str, float]:
    """`rss_bytes`, `cpu_seconds`, `threads`, `open_files`, as far as known."""
    times = os.times()
    found: dict[str, float] = {"cpu_seconds": times.user + times.system, "threads": threading.active_count()}
    with suppress(OSError, ValueError, IndexError):
        found["rss_bytes"] = int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    if "rss_bytes" not in found:
        with suppress(ImportError, OSError):
            found["rss_bytes"] = _peak()
    with suppress(OSError):
        found["open_files"] = sum(1 for _ in DESCRIPTORS.iterdir())
    return found


def _peak() -> float:
    """The most memory it ever had, where the present figure is not told (macOS counts bytes)."""
    import resource  # noqa: PLC0415 - does not exist on Windows

    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
