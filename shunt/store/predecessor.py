"""The files of the Rust program of the same name: found, and read into accounts. Nothing of theirs is changed.

On Linux they lie where ours do as well, and are simply read there; on macOS, with another home, or from a
backup they are taken over once.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from pathlib import Path

from attrs import field, frozen

from shunt.accounts.credential import ApiKey, Credential
from shunt.config.types import AccountConfig
from shunt.errors import StoreError
from shunt.store.config import ConfigFile
from shunt.store.credential_format import Malformed, decode
from shunt.store.files import read_private

LIMIT = 8 * 1024 * 1024


@frozen
class Legacy:
    """What the other program has."""

    folder: Path
    accounts: tuple[AccountConfig, ...]
    """As this program understands them."""
    credentials: Mapping[str, Credential] = field(repr=False)
    """By account name; an inline key of its config.toml counts as one."""
    ignored: tuple[str, ...] = ()
    """Keys of its config.toml that mean nothing here."""


def usual_folder(environ: Mapping[str, str], platform: str = sys.platform) -> Path:
    """Where it keeps config.toml and credentials.json. Raises StoreError without a home directory."""
    home = environ.get("HOME") or environ.get("USERPROFILE")
    if not home:
        raise StoreError("the environment names no home directory (HOME); name the folder")
    if platform == "darwin":
        return Path(home) / "Library" / "Application Support" / "shunt"
    return Path(environ.get("XDG_CONFIG_HOME") or Path(home) / ".config") / "shunt"


def read_legacy(folder: Path, known_providers: Collection[str]) -> Legacy:
    """Read the other program's files. Raises ConfigError or StoreError."""
    config = folder / "config.toml"
    if not config.is_file():
        raise StoreError(f"there is no config.toml in {folder}")
    # Without our environment: what is set for this program says nothing about the other one's.
    found = ConfigFile(config, known_providers).load({})
    path = folder / "credentials.json"
    text = read_private(path, limit=LIMIT, follow=True)
    try:
        stored = decode(text).accounts if text is not None else {}
    except Malformed as error:
        raise StoreError(f"{path} cannot be used: {error}") from error
    credentials: dict[str, Credential] = {}
    for account in found.accounts:
        entry = stored.get(account.name)
        if entry is not None:
            credentials[account.name] = entry.credential
        elif account.api_key:
            credentials[account.name] = ApiKey(account.api_key)
    return Legacy(folder, found.accounts, credentials, found.ignored)
