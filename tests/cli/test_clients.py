"""`shunt client` as people call it."""

from __future__ import annotations

import tomllib
from hashlib import sha256
from typing import Any

from shunt.config.client_key import is_whole
from tests.cli.desk import Desk
from tests.cli.scripted_control import scripted_control


def clients(desk: Desk) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = tomllib.loads(desk.config.read_text()).get("clients", [])
    return found


def test_a_key_is_shown_once_and_its_hash_kept(desk: Desk) -> None:
    """With everything it may use; the first one changes who is asked for a key, which is said."""
    result = desk.run(
        *("client", "add", "laptop", "--pool", "work", "--model", "claude-*", "--own-device", "--key-only"),
        *("--daily-requests", "9", "--daily-tokens", "1000", "--daily-usd", "2.5"),
    )
    assert result.exit_code == 0, result.output
    key = result.stdout.strip()
    assert is_whole(key)
    assert key not in desk.config.read_text()
    assert clients(desk) == [
        {
            "name": "laptop",
            "key_sha256": sha256(key.encode()).hexdigest(),
            "pools": ["work"],
            "models": ["claude-*"],
            "daily_requests": 9,
            "daily_tokens": 1000,
            "daily_usd": 2.5,
            "owner_device": True,
        }
    ]
    assert "every caller needs a key" in result.stderr
    assert "every caller needs a key" not in desk.run("client", "add", "other").stderr


def test_a_key_for_somebody_else_gets_no_logins(desk: Desk) -> None:
    """Nothing is written that would allow them."""
    document = desk.document("client", "add", "friend")
    assert is_whole(document["key"])
    assert clients(desk)[0].keys() == {"name", "key_sha256"}
    assert "API-key accounts only" in desk.run("client", "list").output


def test_rotation_replaces_the_hash_only(desk: Desk) -> None:
    """In its place, with the comments around it."""
    old = "0" * 64
    desk.write_config(
        f'# mine\n[[clients]]\nname = "laptop" # the old one\nkey_sha256 = "{old}"\nadmin = true\n'
    )
    before = desk.config.read_text()
    key = desk.run("client", "rotate", "LAPTOP", "--key-only").stdout.strip()
    assert desk.config.read_text() == before.replace(old, sha256(key.encode()).hexdigest())


def test_removal(desk: Desk) -> None:
    """The server is told; an unknown name names the nearest."""
    desk.run("client", "add", "laptop")
    with scripted_control({"POST /accounts/reload": (200, {"accounts": []})}) as server:
        desk.serve(server)
        result = desk.run("client", "remove", "laptop")
        assert result.exit_code == 0, result.output
        assert "has taken it over" in result.output
    assert clients(desk) == []
    desk.run("client", "add", "laptop")
    result = desk.run("client", "remove", "laptpo")
    assert result.exit_code == 1
    assert "laptop" in result.output


def test_a_name_is_taken_only_once(desk: Desk) -> None:
    """Rotation is what was meant."""
    desk.run("client", "add", "laptop")
    result = desk.run("client", "add", "Laptop")
    assert result.exit_code == 1
    assert "rotate" in result.output


def test_slips_are_refused_before_anything_is_written(desk: Desk) -> None:
    """By the rules of config.toml."""
    for words in (["a/b"], ["x", "--daily-requests", "-1"], ["x", "--model", "a b"]):
        assert desk.run("client", "add", *words).exit_code == 2
    assert not desk.config.exists()


def test_the_list_tells_what_was_used_today(desk: Desk) -> None:
    """From the running server, beside the limits."""
    desk.run("client", "add", "laptop", "--daily-requests", "9", "--admin", "--model", "claude-*")
    today = {"name": "laptop", "day": "2025-11-21", "requests": 3, "tokens": 700, "usd": 0.25}
    with scripted_control({"GET /status": (200, {"accounts": [], "clients": [today]})}) as server:
        desk.serve(server)
        line = desk.run("client", "list").output
        assert "3 of 9 requests today" in line
        assert "700 tokens today" in line
        assert "$0.25 today" in line
        assert "admin" in line
        (found,) = desk.document("client", "list")["clients"]
        assert found["today"] == {"requests": 3, "tokens": 700, "usd": 0.25}
        assert "key_sha256" not in found


def test_an_empty_list_says_how_to_begin(desk: Desk) -> None:
    """One command."""
    assert "shunt client add" in desk.run("client", "list").output
