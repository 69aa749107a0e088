from __future__ import annotations

from pathlib import Path

from attrs import evolve

from shunt.accounts.secret import Secret
from shunt.config.types import AccountConfig, Config, ServerConfig
from shunt.server.greeting import greeting


def test_the_address_and_the_accounts_are_told() -> None:
    """The first lines say where to point an agent and who will answer."""
    config = Config(accounts=(AccountConfig("main", "anthropic"), AccountConfig("second", "anthropic")))
    lines = list(greeting("http://127.0.0.1:8082", config, {}))
    assert "http://127.0.0.1:8082" in lines[0]
    assert "http://127.0.0.1:8082/ in a browser" in lines[1]
    assert lines[2] == "accounts: main, second"


def test_without_accounts_the_cure_is_told(tmp_path: Path) -> None:
    """What this machine has is named with the one command that adds it; no key is shown."""
    environ = {"HOME": str(tmp_path), "ANTHROPIC_API_KEY": "sk-test-not-shown"}
    text = "\n".join(greeting("http://127.0.0.1:8082", Config(), environ))
    assert "add-account" in text
    assert "ANTHROPIC_API_KEY" in text
    assert "sk-test-not-shown" not in text


def test_what_was_ignored_is_listed_once() -> None:
    """Keys of the predecessor that mean nothing here are not passed over in silence."""
    config = evolve(
        Config(),
        ignored=("config.toml:3: telemetry means nothing here",),
        accounts=(AccountConfig("a", "anthropic"),),
    )
    assert "telemetry" in list(greeting("x", config, {}))[-1]


def test_a_weak_key_on_an_open_address_is_warned_about() -> None:
    """Listening to other machines with a short key is allowed, and told."""
    server = ServerConfig(host="192.168.1.5", remote_key=Secret("twelve-chars"))
    config = Config(server=server, accounts=(AccountConfig("a", "anthropic"),))
    assert len(list(greeting("x", config, {}))) == 4
