"""Logins of other programs that accounts were imported from, and share a grant with.

Decided 2026-11: a token that shunt renewed is written back to Codex's file, and to no other. Codex keeps one
login in one file and takes up what it finds there. Claude Code keeps one login in two files, or in a keychain
and a file, and cleans up after failures of its own: a writer from outside could only make that worse. What is
shared with it is therefore left alone as long as possible (`watchers.renewal`), and a login of shunt's own is
what is recommended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from attrs import field, frozen

from shunt.accounts.credential import Credential, Login
from shunt.store.claude_login import read_claude_login
from shunt.store.codex_login import codex_file, read_codex_login, with_successor
from shunt.store.files import remove_stray
from shunt.store.lock import PATIENCE
from shunt.store.shared_file import alone_with, change_shared

READERS: Final[tuple[Callable[[Mapping[str, str]], Credential | None], ...]] = (
    read_claude_login,
    read_codex_login,
)


def login_at(environ: Mapping[str, str], source: str) -> Login | None:
    """The login that is now where `source` (a login's `imported_from`) says; None when it is gone.

    Blocks on the disk. Raises StoreError when what is there cannot be used.
    """
    read = READERS[1] if _is_codex(environ, source) else READERS[0]
    login = read(environ)
    return login if isinstance(login, Login) and login.imported_from == source else None


@frozen
class ForeignLogins:
    """The files of other programs on this machine. All methods block on the disk."""

    environ: Mapping[str, str] = field(repr=False)
    now: Callable[[], float]
    """Epoch seconds."""
    writes_back: Callable[[], bool] = lambda: True
    """Whether Codex's file may be changed."""
    patience: float = PATIENCE
    """Seconds to wait for another shunt."""

    def read(self, source: str) -> Login | None:
        """The login that is now at a source; None when it is gone. Raises StoreError."""
        return login_at(self.environ, source)

    @contextmanager
    def together(self, source: str) -> Iterator[None]:
        """Keep other shunts from renewing the login they share through this file.

        Only where it is written back: else they could not find the new one there. Raises StoreError when
        another one is still at it.
        """
        if not self._is_ours_to_write(source):
            yield
            return
        refusal = f"another shunt has been renewing the login in {source} for {self.patience:g} s"
        with alone_with(Path(source), refusal, self.patience):
            remove_stray(Path(source))
            yield

    def give_back(self, login: Login) -> bool:
        """Put a login where the one it was exchanged for was imported from; whether something was changed.

        Raises StoreError when that could not be done.
        """
        if not login.spent or not self._is_ours_to_write(login.imported_from):
            return False
        return change_shared(Path(login.imported_from), partial(with_successor, login=login, now=self.now()))

    def _is_ours_to_write(self, source: str) -> bool:
        return self.writes_back() and _is_codex(self.environ, source)


def _is_codex(environ: Mapping[str, str], source: str) -> bool:
    codex = codex_file(environ)
    return codex is not None and source == str(codex)
