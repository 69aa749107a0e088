"""Telling the running server that its accounts have changed."""

from __future__ import annotations

from shunt.cli.exits import Failed, NotRunning
from shunt.cli.files import Files
from shunt.cli.terminal import clean


def told_server(files: Files, name: str, *, present: bool) -> str:
    """Have the server read its accounts again, and return what came of it as a line for people.

    A server that does not run, or cannot be told, is no failure: the files are what counts.

    Args:
        files: what was changed.
        name: the account that came or went.
        present: whether it should be there now.
    """
    return _told(files, name, present=present)


def told(files: Files) -> str:
    """Have the server read its configuration again; what came of it as a line for people."""
    return _told(files, None, present=True)


def _told(files: Files, name: str | None, *, present: bool) -> str:
    try:
        control = files.control()
        accounts = control.reload().get("accounts")
    except NotRunning:
        return "No shunt is running; `shunt run` starts it."
    except Failed as error:
        return f"The change is stored, but the running server did not take it: {clean(error.message)}"
    if name is not None and isinstance(accounts, list) and (name in accounts) is not present:
        return f"The shunt at {control.url} works on other files and was not changed."
    return f"The shunt at {control.url} has taken it over."
