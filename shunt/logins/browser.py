"""Opening a page in the person's browser: one that is known, by a list of arguments, without our secrets."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import urlsplit

from attrs import field, frozen

from shunt.config.addresses import is_loopback
from shunt.config.types import EndpointsConfig
from shunt.store.environment import without_secrets

KNOWN_HOSTS: Final = frozenset({"claude.ai", "claude.com", "platform.claude.com", "auth.openai.com"})
"""Where the vendors' own pages are."""


@frozen
class Machine:
    """What opening a browser depends on; tests replace it."""

    environ: Mapping[str, str] = field(repr=False)
    platform: str = sys.platform
    which: Callable[[str], str | None] = shutil.which
    start: Callable[..., object] = subprocess.Popen


def headless(machine: Machine) -> bool:
    """Whether a browser of this machine would not be seen by the person at the terminal."""
    environ = machine.environ
    if environ.get("BROWSER"):
        return False
    if machine.platform in ("darwin", "win32"):
        return bool(environ.get("SSH_CONNECTION") or environ.get("SSH_TTY"))
    return not (environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY"))


def may_open(url: str, endpoints: EndpointsConfig) -> bool:
    """Whether a page is one that a person should be sent to: a vendor's over TLS, or one that was configured."""
    parts = urlsplit(url)
    if parts.username or parts.password:
        return False
    if parts.scheme == "http":
        return is_loopback(parts.hostname or "") and _is_configured(url, endpoints)
    return parts.scheme == "https" and (parts.hostname in KNOWN_HOSTS or _is_configured(url, endpoints))


def open_page(url: str, endpoints: EndpointsConfig, machine: Machine) -> bool:
    """Open a page; whether a browser was started. Never through a shell."""
    if not may_open(url, endpoints):
        return False
    environ = without_secrets(machine.environ)
    for command in _commands(machine):
        program = machine.which(command[0])
        if program is None:
            continue
        try:
            machine.start(
                [program, *(argument.replace("%s", url) for argument in command[1:])],
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError:
            continue
        return True
    return False


def _commands(machine: Machine) -> list[list[str]]:
    """Programs that open a page, the person's own choice first; `%s` stands for the address."""
    chosen = []
    for entry in machine.environ.get("BROWSER", "").split(":"):
        try:
            words = shlex.split(entry)
        except ValueError:
            continue
        if words:
            chosen.append(words if any("%s" in word for word in words[1:]) else [*words, "%s"])
    if machine.platform == "darwin":
        usual = [["open", "%s"]]
    elif machine.platform == "win32":
        usual = [["rundll32", "url.dll,FileProtocolHandler", "%s"]]
    else:
        usual = [["xdg-open", "%s"], ["gio", "open", "%s"], ["wslview", "%s"], ["sensible-browser", "%s"]]
    return [*chosen, *usual]


def _is_configured(url: str, endpoints: EndpointsConfig) -> bool:
    pages = (endpoints.anthropic_authorize_url, endpoints.openai_authorize_url, endpoints.openai_device_url)
    return _origin(url) in {_origin(page) for page in pages}


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.lower()
