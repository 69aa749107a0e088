"""What goes into a bug report: texts by file name, every one of them without secrets.

Two nets, one behind the other: each part comes from something that shows no secrets in the first place,
and all of them go through a redactor that knows every secret of this installation by value.
"""

from __future__ import annotations

import json
import platform
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

import attrs

from shunt import __version__
from shunt.accounts.secret import Secret
from shunt.cli.config import masked_document
from shunt.cli.doctor import examined
from shunt.cli.files import Files
from shunt.errors import ShuntError
from shunt.store.logs import Redactor

LIBRARIES: Final = (
    *("trio", "hypercorn", "quart", "quart-trio", "httpx2", "attrs", "cattrs", "msgspec", "click", "rich"),
    *("textual", "watchfiles", "prometheus-client", "jeepney", "filelock", "platformdirs"),
)
LOG_BYTES: Final = 512 * 1024
"""Of the end of the log."""
MAIL: Final = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
TELLING: Final = re.compile(r"(?i)key|token|secret|passw|credential|auth")
"""Names of environment variables whose values are taken for secrets."""
ABOUT: Final = """\
A report of shunt, for the people who look after it.

versions.json   what runs where
config.json     the configuration in force, secrets masked
doctor.json     what `shunt doctor --offline` says
status.json     what the running server says of accounts, requests and watchers; and so on for the others
log.txt         the end of the log: no content of requests is ever in it

Keys, tokens, e-mail addresses and the name of the home folder were taken out. Names of accounts, models and
clients are in it. Look through it before you give it away.
"""
ROUTES: Final = {
    "status.json": "/status",
    "errors.json": "/debug/errors",
    "stats.json": "/debug/stats",
    "health.json": "/debug/health",
    "active.json": "/debug/active",
}
"""Parts that the running server tells."""


def gathered(files: Files, url: str | None) -> dict[str, str]:
    """Every part by its file name. What cannot be had is told in its place; nothing is raised."""
    scrub = scrubber(files)
    return {name: scrub(text) for name, text in _parts(files, url)}


def scrubber(files: Files) -> Callable[[str], str]:
    """What takes secrets, addresses and the home folder out of a text."""
    redactor = Redactor()
    redactor.learn(known_secrets(files))
    environ = files.call.environ
    homes = [home for home in (environ.get("HOME"), environ.get("USERPROFILE")) if home and len(home) > 1]

    def scrub(text: str) -> str:
        text = redactor.clean(text)
        for home in homes:
            text = text.replace(home, "~").replace(json.dumps(home)[1:-1], "~")
        return MAIL.sub("(e-mail)", text)

    return scrub


def known_secrets(files: Files) -> set[str]:
    """Every secret of this installation: stored, configured, or in the environment."""
    found = {value for name, value in files.call.environ.items() if TELLING.search(name)}
    for read in (files.credentials.load, files.config):
        try:
            found.update(_revealed(read()))
        except ShuntError:  # unreadable: doctor says so, and nothing of it is in any part
            continue
    return {secret for secret in found if secret}


def _revealed(value: Any) -> Iterator[str]:
    """Every secret inside records, mappings and sequences."""
    if isinstance(value, Secret):
        yield value.reveal()
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _revealed(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _revealed(item)
    elif attrs.has(type(value)):
        for field in attrs.fields(type(value)):
            inside = getattr(value, field.name)
            yield from _hidden(inside) if not field.repr else _revealed(inside)


def _hidden(value: Any) -> Iterator[str]:
    """The texts of a field that keeps out of `repr`: headers, an address with a password."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from (item for item in value.values() if isinstance(item, str))
    else:
        yield from _revealed(value)


def _parts(files: Files, url: str | None) -> Iterator[tuple[str, str]]:
    yield "README.txt", ABOUT
    yield "versions.json", _json(versions())
    yield "config.json", _told(lambda: masked_document(files.config()))
    yield "doctor.json", _told(lambda: [attrs.asdict(one) for one in examined(files, url, offline=True)])
    for name, route in ROUTES.items():
        yield name, _told(lambda route=route: files.control(url).document(route))  # type: ignore[misc]
    yield "log.txt", _log(files)


def versions() -> dict[str, Any]:
    """What runs where."""
    return {
        "shunt": __version__,
        "python": sys.version,
        "platform": platform.platform(),
        "machine": platform.machine(),
        "frozen": bool(getattr(sys, "frozen", False)),
        "libraries": {name: _version(name) for name in LIBRARIES},
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not known"


def _told(get: Callable[[], Any]) -> str:
    """A document as text, or why there is none."""
    from click import ClickException  # noqa: PLC0415 - what every command here fails with

    try:
        return _json(get())
    except ClickException as error:
        return _json({"unavailable": error.message})
    except ShuntError as error:
        return _json({"unavailable": str(error)})


def _json(document: Any) -> str:
    return json.dumps(document, indent=1, default=str)


def _log(files: Files) -> str:
    path = files.places.log_file
    try:
        with path.open("rb") as file:
            file.seek(0, 2)
            begins = max(0, file.tell() - LOG_BYTES)
            file.seek(begins)
            text = file.read().decode("utf-8", "replace")
    except OSError as error:
        return f"no log: {error.strerror}\n"
    return text.partition("\n")[2] if begins else text
