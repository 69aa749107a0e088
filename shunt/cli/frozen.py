"""The built program's own environment, cleared of what its boot loader put there.

The loader points LD_LIBRARY_PATH at the libraries inside the program. Every program that shunt starts
(a vendor's command, git, a browser) would load those in place of the system's. And it leaves `_PYI_…`
variables, by which another shunt that is started from this one takes itself for a part of it and ends
with it. The running process needs neither any more: the system's loader read its variable at the start.
"""

from __future__ import annotations

import linecache
from collections.abc import MutableMapping
from typing import Any, Final

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


class Lines(dict[str, Any]):
    """A cache of source lines without those that no file holds.

    attrs and cattrs leave the text of every method they write in there, for tracebacks: 1.4 MiB in all
    (measured, 2026-11).
    """

    def setdefault(self, name: str, lines: Any = None, /) -> Any:
        """Keep lines of files only; what both of them want to hear is that theirs are there."""
        return lines if name.startswith("<") else super().setdefault(name, lines)


def keep_few_lines() -> None:
    """Called before anything is imported that writes methods."""
    linecache.cache = Lines()
