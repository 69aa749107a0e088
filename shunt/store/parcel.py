"""Accounts on their way to another machine: one file, encrypted with a passphrase in the format of age.

Inside is JSON: the accounts as config.toml has them, and their credentials as credentials.json has them.
Anybody with `age` and the passphrase can open the file; without it, scrypt stands between a thief and the
logins.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pyrage
from attrs import field, frozen

from shunt.accounts.credential import Credential
from shunt.accounts.secret import Secret
from shunt.errors import StoreError
from shunt.store.credential_format import Document, Malformed, StoredCredential, decode, encode
from shunt.store.files import read_private, write_private

FORMAT: Final = "shunt accounts"
VERSION: Final = 1
LIMIT: Final = 8 * 1024 * 1024


@frozen
class Parcel:
    """What is moved."""

    accounts: tuple[Mapping[str, Any], ...] = field(repr=False)
    """Keys of `[[accounts]]`."""
    credentials: Mapping[str, Credential] = field(repr=False)
    """By account name."""
    moved: bool = False
    """They were taken off the machine they came from, which therefore shares nothing with the next one."""


def seal(parcel: Parcel, passphrase: Secret) -> bytes:
    """Encrypt."""
    stored = {name: StoredCredential(credential) for name, credential in parcel.credentials.items()}
    document = {
        "format": FORMAT,
        "version": VERSION,
        "moved": parcel.moved,
        "accounts": [dict(account) for account in parcel.accounts],
        "credentials": json.loads(encode(stored, 0, Document())),
    }
    return encrypt(json.dumps(document).encode(), passphrase)


def unseal(data: bytes, passphrase: Secret) -> Parcel:
    """Decrypt. Raises StoreError: the passphrase is wrong, or it is no such file."""
    try:
        text = decrypt(data, passphrase)
    except pyrage.DecryptError as error:
        raise StoreError("the passphrase is not the one, or the file is damaged") from error
    return unpacked(text)


def unpacked(text: bytes) -> Parcel:
    """Read what was encrypted. Raises StoreError."""
    try:
        document = json.loads(text)
        if document["format"] != FORMAT:
            raise StoreError("there is something else than accounts in it")
        if document["version"] != VERSION:
            raise StoreError("a newer shunt wrote it; update this one")
        accounts = document["accounts"]
        if not isinstance(accounts, list) or not all(_is_account(account) for account in accounts):
            raise StoreError("its accounts are not what they should be")
        stored = decode(json.dumps(document["credentials"]).encode()).accounts
    except (KeyError, TypeError, ValueError, Malformed) as error:
        raise StoreError("there is something else than accounts in it") from error
    credentials = {name: entry.credential for name, entry in stored.items()}
    return Parcel(tuple(accounts), credentials, moved=document.get("moved") is True)


def encrypt(text: bytes, passphrase: Secret) -> bytes:
    """Make an age file; takes about a second on purpose."""
    sealed: bytes = pyrage.passphrase.encrypt(text, passphrase.reveal(), armored=True)
    return sealed


def decrypt(data: bytes, passphrase: Secret) -> bytes:
    """Open an age file. Raises pyrage.DecryptError."""
    text: bytes = pyrage.passphrase.decrypt(data, passphrase.reveal())
    return text


def write_parcel(path: Path, data: bytes) -> None:
    """Write a new file that only its owner reads. Raises StoreError; an existing file is left alone."""
    if path.exists() or path.is_symlink():
        raise StoreError(f"{path} is there already; name another file")
    write_private(path, data)


def read_parcel(path: Path) -> bytes:
    """Read such a file. Raises StoreError."""
    data = read_private(path, limit=LIMIT, follow=True)
    if data is None:
        raise StoreError(f"there is no file {path}")
    return data


def _is_account(account: object) -> bool:
    return isinstance(account, dict) and isinstance(account.get("name"), str)
