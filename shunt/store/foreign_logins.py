"""Logins of other programs that accounts were imported from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from shunt.accounts.credential import Credential, Login
from shunt.store.claude_login import read_claude_login
from shunt.store.codex_login import codex_file, read_codex_login

READERS: Final[tuple[Callable[[Mapping[str, str]], Credential | None], ...]] = (
    read_claude_login,
    read_codex_login,
)


def login_at(environ: Mapping[str, str], source: str) -> Login | None:
    """The login that is now where `source` (a login's `imported_from`) says; None when it is gone.

    Blocks on the disk. Raises StoreError when what is there cannot be used.
    """
    codex = codex_file(environ)
    read = READERS[1] if codex is not None and source == str(codex) else READERS[0]
    login = read(environ)
    return login if isinstance(login, Login) and login.imported_from == source else None
