"""Generations of one login, and what has to be true of the file it is kept in, whatever happened."""

from __future__ import annotations

import json
from pathlib import Path

from shunt.accounts.credential import Identity, Login
from shunt.accounts.secret import Secret
from shunt.store.credentials import CredentialStore
from shunt.store.vault import lost_at

T0 = 1_800_000_000.0
NAME = "main"


def login(generation: int, imported_from: str = "") -> Login:
    """One generation of the login."""
    return Login(
        Secret(f"sk-ant-oat01-test-main-{generation}"),
        Secret(f"sk-ant-ort01-test-main-{generation}"),
        T0 + 1000 * generation,
        identity=Identity("account-main"),
        imported_from=imported_from,
    )


def check_kept(path: Path, newest: Login) -> bool:
    """The file is whole and private, and holds the newest login or names its loss; whether it holds it."""
    document = json.loads(path.read_bytes())
    assert set(document["accounts"]) >= {NAME}
    assert path.stat().st_mode & 0o777 == 0o600
    entry = CredentialStore(path).load()[NAME]
    assert isinstance(entry.credential, Login)
    if entry.credential.refresh == newest.refresh:
        return True
    assert lost_at(entry) is not None, "a newer login was committed, and nothing says so"
    return False
