"""The Rust program's files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shunt.accounts.credential import ApiKey, Login
from shunt.errors import ConfigError, StoreError
from shunt.providers import PROVIDERS
from shunt.store.predecessor import read_legacy, usual_folder

NAMES = [provider.name for provider in PROVIDERS]
CONFIG = """
[server]
control_port = 19081
routing_strategy = "maximus"

[[accounts]]
name = "main"
provider = "anthropic"
plan_type = "pro"

[[accounts]]
name = "gpt"
provider = "openai"

[[accounts]]
name = "paid"
provider = "openai-api"
api_key = "sk-canary-inline-key"
"""
CREDENTIALS = {
    "accounts": {
        "main": {
            "access_token": "canary-a",
            "refresh_token": "canary-r",
            "expires_at": 5000,
            "email": "u@example.test",
        },
        "gpt": {"type": "oauth", "access_token": "canary-b", "refresh_token": "canary-s", "expires_at": 5000},
    }
}


def legacy(folder: Path, config: str = CONFIG) -> Path:
    """Write its files; credentials of its oldest versions say no type."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (("config.toml", config), ("credentials.json", json.dumps(CREDENTIALS))):
        (folder / name).write_text(text)
        (folder / name).chmod(0o600)
    return folder


def test_its_accounts_are_understood(tmp_path: Path) -> None:
    """Its `openai` is a ChatGPT login, its `openai-api` the API; keys and logins come along; the rest is named."""
    found = read_legacy(legacy(tmp_path), NAMES)
    assert [(account.name, account.provider) for account in found.accounts] == [
        ("main", "anthropic"),
        ("gpt", "codex"),
        ("paid", "openai"),
    ]
    assert {name: type(each) for name, each in found.credentials.items()} == {
        "main": Login,
        "gpt": Login,
        "paid": ApiKey,
    }
    assert "[server] control_port" in found.ignored
    assert "canary" not in repr(found)


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    """No file, a broken one, and one with mistakes each have their words."""
    with pytest.raises(StoreError, match=r"config\.toml"):
        read_legacy(tmp_path, NAMES)
    legacy(tmp_path, "[server]\nprot = 1\n")
    with pytest.raises(ConfigError):
        read_legacy(tmp_path, NAMES)
    legacy(tmp_path)
    (tmp_path / "credentials.json").write_text("{")
    with pytest.raises(StoreError, match="credentials"):
        read_legacy(tmp_path, NAMES)


def test_its_usual_folder() -> None:
    """By system; without a home directory it has to be named."""
    assert usual_folder({"HOME": "/h"}, "linux") == Path("/h/.config/shunt")
    assert usual_folder({"HOME": "/h"}, "darwin") == Path("/h/Library/Application Support/shunt")
    with pytest.raises(StoreError, match="HOME"):
        usual_folder({}, "linux")
