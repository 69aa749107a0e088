"""Exchanging two files' names in one step, where the system can.

A rename destroys whatever stood under the new name at that instant, also what another program put there a
moment before. An exchange keeps it, under the old name, where it can be looked at.
"""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

_SWAP: Final = 2
"""RENAME_EXCHANGE of renameat2(2) on Linux, RENAME_SWAP of renamex_np(2) on macOS."""
_HERE: Final = -100
"""AT_FDCWD on Linux."""
_UNABLE: Final = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP})


def exchange(one: Path, other: Path) -> bool:
    """Let each of two files have the other's name; False where the system or the file system cannot.

    Raises OSError, FileNotFoundError among them: nothing was changed.
    """
    if _CALL is None:
        return False
    if _CALL(os.fsencode(one), os.fsencode(other)) == 0:
        return True
    number = ctypes.get_errno()
    if number in _UNABLE:
        return False
    raise OSError(number, os.strerror(number), str(other))


def _find(platform: str = sys.platform, library: Callable[..., Any] = ctypes.CDLL) -> Any:
    """The call that does it; None where there is none."""
    try:
        if platform == "linux":
            call = library(None, use_errno=True).renameat2
            return lambda one, other: call(_HERE, one, _HERE, other, ctypes.c_uint(_SWAP))
        if platform == "darwin":
            swap = library(None, use_errno=True).renamex_np
            return lambda one, other: swap(one, other, ctypes.c_uint(_SWAP))
    except (OSError, AttributeError):
        return None
    return None


_CALL: Final = _find()
