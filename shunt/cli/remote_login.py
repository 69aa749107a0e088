"""Logging an account in on another machine, with the browser of this one.

The other machine's shunt does the login, called through the system's own `ssh`: code, verifier and tokens
exist there only. Here a page is opened, and where the vendor's page returns to a loopback port, ssh carries
that port to the other machine.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import click
from attrs import frozen

from shunt.cli.child_environment import cleaned
from shunt.cli.exits import Failed
from shunt.cli.private_server import free_port
from shunt.cli.terminal import clean, note

SSH: Final = "ssh"
HOST: Final = re.compile(r"[A-Za-z0-9_.@:\[\]%-]+")
PAGE: Final = re.compile(r"https?://\S+[?&]redirect_uri=\S+")
"""The page on which a login is allowed, among what the other shunt says."""
UNREACHED: Final = 255
"""What ssh itself ends with when it fails."""


@frozen
class Errand:
    """One login on another machine."""

    host: str
    words: tuple[str, ...]
    """The command there, shunt included."""
    port: int | None = None
    """Loopback port that is carried there for the browser; None where the code is pasted or typed elsewhere."""

    def command(self) -> list[str]:
        """The words of ssh. Nothing secret is in them."""
        if self.port is None:
            # Questions want a terminal there.
            return [SSH, "-t", "--", self.host, shlex.join(self.words)]
        carried = f"{self.port}:127.0.0.1:{self.port}"
        # It shall go through with the login as if a browser had been started there: it is started here.
        there = {"BROWSER": "true", "SHUNT_LOGINS_CALLBACK_PORT": str(self.port)}
        words = ["env", *(f"{name}={value}" for name, value in there.items()), *self.words]
        options = ["-o", "ExitOnForwardFailure=yes", "-L", carried]
        return [SSH, *options, "--", self.host, shlex.join(words)]


def errand(
    host: str,
    words: Sequence[str],
    *,
    carried: bool,
    port: int,
) -> Errand:
    """A login to be done on `host`.

    Args:
        host: as ssh takes it: a name, `user@host`, or an alias of its configuration.
        words: the command there.
        carried: whether the browser of this machine returns to a port.
        port: the one that the vendor expects; 0 is any.

    Raises:
        click.UsageError: that is no host.
    """
    if not HOST.fullmatch(host) or host.startswith("-"):
        raise click.UsageError(
            "--on wants a host as ssh takes it: user@host, or a name of its configuration."
        )
    return Errand(host, tuple(words), (port or free_port()) if carried else None)


def words_of(name: str, provider: str, settings: Mapping[str, Any], *, way: str, shunt: str) -> list[str]:
    """The command for the other machine. The terms were agreed to here."""
    words = [*shlex.split(shunt), "add-account", name, "--provider", provider, "--login", "--yes"]
    words += [f"--{way}"] if way else []
    for key, value in settings.items():
        option = "--" + {"models": "model"}.get(key, key.replace("_", "-"))
        for each in value if isinstance(value, list | tuple) else [value]:
            words += [option, str(each)]
    return words


def carry_out(work: Errand, environ: Mapping[str, str], open_page: Callable[[str], bool]) -> int:
    """Do it, and return the status of the command there. Raises Failed when ssh does not get there."""
    if shutil.which(SSH, path=environ.get("PATH")) is None:
        raise Failed(
            "There is no `ssh` here. Log in on the other machine itself: shunt add-account … --login"
        )
    note(f"Logging in on {clean(work.host)}; the login will be kept there only.")
    if work.port is None:
        status = subprocess.call(work.command(), env=cleaned(environ))  # noqa: S603 - by a list of words
    else:
        status = _watched(work, cleaned(environ), open_page)
    if status == UNREACHED:
        raise Failed(
            f"ssh did not get to {clean(work.host)}, or port {work.port} is taken there or here. "
            "Try `ssh` to that host first; --paste needs no port."
            if work.port
            else f"ssh did not get to {clean(work.host)}. Try `ssh` to that host first."
        )
    return status


def _watched(work: Errand, environ: Mapping[str, str], open_page: Callable[[str], bool]) -> int:
    """Pass on what the other shunt says, and open the page that it names."""
    with subprocess.Popen(  # noqa: S603 - by a list of words
        work.command(),
        env=dict(environ),
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    ) as process:
        assert process.stderr is not None  # noqa: S101 - asked for
        for line in _told(process.stderr, open_page):
            note(line)
        return process.wait()


def _told(lines: Iterable[str], open_page: Callable[[str], bool]) -> Iterator[str]:
    opened = False
    for line in lines:
        found = PAGE.search(line)
        if found and not opened:
            opened = open_page(found[0])
        yield clean(line.rstrip("\r\n"))
