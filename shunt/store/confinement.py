"""Keeps other programs from reading this process's memory, where the system can."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress
from typing import Final

PR_SET_DUMPABLE: Final = 4
"""Of Linux's prctl(2)."""


def confine() -> None:
    """Leave no core file, and let no other process of this user read or trace this one.

    Tokens stand in its memory and keys in its environment. On Linux this also closes
    `/proc/PID/environ` and `/proc/PID/mem` to everybody but root. Elsewhere only the core file is
    prevented; on Windows there is none. Never fails.
    """
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 - there is none on Windows

    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None, use_errno=True).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
