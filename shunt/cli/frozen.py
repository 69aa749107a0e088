"""The built program's own environment, cleared of what its boot loader put there.

The loader points LD_LIBRARY_PATH at the libraries inside the program. Every program that shunt starts
(a vendor's command, git, a browser) would load those in place of the system's. And it leaves `_PYI_…`
variables, by which another shunt that is started from this one takes itself for a part of it and ends
with it. The running process needs neither any more: the system's loader read its variable at the start.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Final

SEARCH_PATHS: Final = ("LD_LIBRARY_PATH", "LIBPATH")
SAVED: Final = "_ORIG"
LOADERS: Final = ("_PYI_", "_MEIPASS2")


def restore(environ: MutableMapping[str, str]) -> None:
    """Give the environment back the state it had before the loader ran."""
    for name in SEARCH_PATHS:
        environ.pop(name, None)
        if (original := environ.pop(f"{name}{SAVED}", None)) is not None:
            environ[name] = original
    for name in [name for name in environ if name.startswith(LOADERS)]:
        del environ[name]
