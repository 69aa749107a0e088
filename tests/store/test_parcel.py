"""Accounts on their way to another machine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shunt.accounts.credential import ApiKey, Identity, Login
from shunt.accounts.secret import Secret
from shunt.errors import StoreError
from shunt.store.parcel import Parcel, read_parcel, seal, unpacked, unseal, write_parcel

PASS = Secret("canary correct horse")
LOGIN = Login(
    Secret("canary-a"), Secret("canary-r"), 5.0, ("s",), Identity("acc", "org", "u@example.test", "max")
)
PARCEL = Parcel(
    ({"name": "main", "provider": "anthropic"}, {"name": "key", "provider": "openai"}),
    {"main": LOGIN, "key": ApiKey(Secret("canary-key"))},
    moved=True,
)


def test_what_is_sealed_comes_out_the_same_for_the_passphrase_alone() -> None:
    """Logins with whose they are, keys, and whether the other machine still has them."""
    data = seal(PARCEL, PASS)
    assert data.startswith(b"-----BEGIN AGE ENCRYPTED FILE-----")
    assert b"canary" not in data
    assert unseal(data, PASS) == PARCEL
    assert "canary" not in repr(PARCEL)
    with pytest.raises(StoreError, match="passphrase"):
        unseal(data, Secret("another"))
    with pytest.raises(StoreError):
        unseal(b"", PASS)


@pytest.mark.parametrize(
    "content",
    [
        b"no json",
        b"[]",
        json.dumps({"format": "other", "version": 1}).encode(),
        json.dumps({"format": "shunt accounts", "version": 2}).encode(),
        json.dumps(
            {"format": "shunt accounts", "version": 1, "accounts": [7], "credentials": {"accounts": {}}}
        ).encode(),
        json.dumps({"format": "shunt accounts", "version": 1, "accounts": [], "credentials": {}}).encode(),
    ],
)
def test_something_else_under_the_right_passphrase_is_refused(content: bytes) -> None:
    """Whatever a person encrypted is named, not guessed at."""
    with pytest.raises(StoreError):
        unpacked(content)


def test_a_file_is_private_and_never_replaced(tmp_path: Path) -> None:
    """Mode 0600; what is there stays."""
    path = tmp_path / "accounts.age"
    write_parcel(path, b"one")
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(StoreError, match="already"):
        write_parcel(path, b"two")
    assert read_parcel(path) == b"one"
    with pytest.raises(StoreError, match="no file"):
        read_parcel(tmp_path / "other")
