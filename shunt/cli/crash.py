"""What nobody expected: the traceback goes to the log file, one line goes to the terminal."""

from __future__ import annotations

import io
import logging
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from shunt.errors import ShuntError
from shunt.store.locations import locate
from shunt.store.logs import Redactor, open_logs

log = logging.getLogger(__name__)


def recorded(error: Exception, argv: Sequence[str], environ: Mapping[str, str]) -> str:
    """Write the error to the log, and return the line for the terminal.

    Only the error's type is shown: its text may hold anything, and the log blanks secrets.

    Args:
        error: what reached the top.
        argv: the command line; nothing of it but the command's own words is logged.
        environ: the environment.
    """
    path = _log_file(argv, environ)
    root = logging.getLogger()
    opened_here = not root.handlers
    if opened_here:
        open_logs(path, "error", Redactor(), terminal=io.StringIO())
    log.critical("shunt ended on an unexpected error", exc_info=error)
    if opened_here:
        for handler in list(root.handlers):
            root.removeHandler(handler)
            handler.close()
    where = f"; {path} tells more" if path is not None and path.exists() else ""
    return f"shunt made a mistake and had to stop ({type(error).__name__}){where}"


def _log_file(argv: Sequence[str], environ: Mapping[str, str]) -> Path | None:
    try:
        return locate(environ, home=_home(argv)).log_file
    except ShuntError:
        return None


def _home(argv: Sequence[str]) -> str | None:
    """`--home` as click would have read it: the last one counts."""
    found = None
    for word, following in pairwise([*argv, ""]):
        if word == "--home":
            found = following or None
        elif word.startswith("--home="):
            found = word.removeprefix("--home=") or None
    return found
