"""config.toml on disk: read, and changed without harming what people wrote into it."""

from __future__ import annotations

import stat
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, Final

from attrs import define

from shunt.config.names import folded
from shunt.config.structure import parse, read_toml
from shunt.config.types import Config
from shunt.errors import ConfigError, StoreError
from shunt.store.environment import with_secret_files
from shunt.store.files import PRIVATE, findings, read_private, write_private
from shunt.store.lock import writing
from shunt.store.toml_edits import CannotEdit, with_item, with_item_value, with_value, without_item

LIMIT: Final = 1024 * 1024
"""Bytes; a configuration people wrote is far smaller."""

Stamp = tuple[int, int, int]
"""What changes when a file is changed or replaced."""


@define
class ConfigFile:
    """The one way to config.toml. All methods block on the disk: call them from a thread."""

    path: Path
    known_providers: Collection[str]
    """Names an account's `provider` may have."""

    def load(self, environ: Mapping[str, str]) -> Config:
        """Read the configuration; no file is an empty one.

        Raises:
            ConfigError: with one line per problem of the file or the environment.
            StoreError: the file cannot be read.
        """
        environ = with_secret_files(environ)
        return parse(
            self._text(), source=str(self.path), environ=environ, known_providers=self.known_providers
        )

    def warnings(self, config: Config) -> tuple[str, ...]:
        """What is doubtful about how the file is kept, given what it holds; each with its cure."""
        return findings(self._target()) if holds_secret(config) else ()

    def stamp(self) -> Stamp | None:
        """A value that differs after every change of the file; None while there is none."""
        try:
            status = self.path.stat()
        except OSError:
            return None
        return status.st_ino, status.st_mtime_ns, status.st_size

    def add_client(self, client: Mapping[str, Any]) -> None:
        """Append a `[[clients]]` with these keys, in their order. Raises as `load`."""
        self._edit(lambda text: with_item(text, "clients", client))

    def remove_client(self, name: str) -> bool:
        """Remove the client of this name; whether there was one. Raises as `load`."""
        return self._remove("clients", name)

    def set_client(self, name: str, key: str, value: Any) -> bool:
        """Set one key of the client of this name; whether there is one. Raises as `load`."""
        if self._place(self._text(), "clients", name) is None:
            return False

        def changed(text: str) -> str:
            place = self._place(text, "clients", name)
            return text if place is None else with_item_value(text, "clients", place, key, value)

        self._edit(changed)
        return True

    def add_account(self, account: Mapping[str, Any]) -> None:
        """Append an `[[accounts]]` with these keys, in their order. Raises as `load`."""
        self._edit(lambda text: with_item(text, "accounts", account))

    def remove_account(self, name: str) -> bool:
        """Remove the account of this name; whether there was one. Raises as `load`."""
        return self._remove("accounts", name)

    def _remove(self, section: str, name: str) -> bool:
        if self._place(self._text(), section, name) is None:
            return False

        def removed(text: str) -> str:
            place = self._place(text, section, name)
            return text if place is None else without_item(text, section, place)

        self._edit(removed)
        return True

    def set_value(self, section: str, key: str, value: Any) -> None:
        """Set one key of a section that is written once. Raises as `load`."""
        self._edit(lambda text: with_value(text, section, key, value))

    def _place(self, text: str, section: str, name: str) -> int | None:
        found = read_toml(text, str(self.path)).get(section)
        items = found if isinstance(found, list) else []
        names = [item.get("name") if isinstance(item, dict) else None for item in items]
        wanted = folded(name)
        return next(
            (n for n, each in enumerate(names) if isinstance(each, str) and folded(each) == wanted), None
        )

    def _edit(self, change: Callable[[str], str]) -> None:
        """Change the text; the result is the file only if it is a sound configuration."""
        with writing(self._target()):
            stamp, before = self.stamp(), self._text()
            read_toml(before, str(self.path))
            try:
                after = change(before)
            except CannotEdit:
                self._sound(before)  # a section of the wrong kind is the likelier reason
                raise StoreError(f"{self.path} is laid out in a way that has to be edited by hand") from None
            config = self._sound(after)
            if self.stamp() != stamp:
                raise StoreError(f"{self.path} was changed by somebody else just now; try again")
            if after != before:
                write_private(self._target(), after.encode(), mode=self._mode(config))

    def _sound(self, text: str) -> Config:
        # Only the file is judged: what the environment adds is not part of it.
        return parse(text, source=str(self.path), environ={}, known_providers=self.known_providers)

    def _mode(self, config: Config) -> int:
        try:
            mode = stat.S_IMODE(self.path.stat().st_mode)
        except OSError:
            return PRIVATE
        return PRIVATE if holds_secret(config) else mode

    def _target(self) -> Path:
        # People link their dotfiles: a change goes to the file, not into the place of the link.
        return self.path.resolve() if self.path.is_symlink() else self.path

    def _text(self) -> str:
        content = read_private(self.path, limit=LIMIT, follow=True)
        try:
            return (content or b"").decode().removeprefix("\ufeff")
        except UnicodeDecodeError as error:
            line = error.object.count(b"\n", 0, error.start) + 1
            column = error.start - error.object.rfind(b"\n", 0, error.start)
            raise ConfigError(f"{self.path}:{line}:{column}: is not UTF-8 text") from None


def holds_secret(config: Config) -> bool:
    """Whether the file must be read by nobody else."""
    return bool(config.server.remote_key) or any(
        account.api_key or account.headers or "@" in account.proxy for account in config.accounts
    )
