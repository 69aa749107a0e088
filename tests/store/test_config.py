from __future__ import annotations

import errno
import os
import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from shunt.accounts.secret import Secret
from shunt.config.types import AccountConfig, Config, ServerConfig
from shunt.errors import ConfigError, StoreError
from shunt.store.config import ConfigFile, holds_secret
from shunt.store.toml_edits import CannotEdit

TEXT = """\
# mine
[server]
port = 9000  # not 8082

[[accounts]]
name = "a"
provider = "anthropic"
"""


@pytest.fixture
def file(tmp_path: Path) -> ConfigFile:
    return ConfigFile(tmp_path / "shunt" / "config.toml", ("anthropic", "anthropic-compatible"))


def put(file: ConfigFile, text: str | bytes, mode: int = 0o644) -> None:
    file.path.parent.mkdir(exist_ok=True)
    file.path.write_bytes(text if isinstance(text, bytes) else text.encode())
    file.path.chmod(mode)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_no_file_is_an_empty_one(file: ConfigFile) -> None:
    """shunt starts without a configuration, and reading creates none."""
    assert file.load({}) == Config()
    assert file.stamp() is None
    assert not file.path.parent.exists()


def test_loading(file: ConfigFile, tmp_path: Path) -> None:
    """File, environment and files named by the environment come together."""
    put(file, "\ufeff" + TEXT)
    (tmp_path / "key").write_text("let-me-in-1234\n")
    config = file.load({"SHUNT_HOST": "::1", "SHUNT_SERVER_REMOTE_KEY_FILE": str(tmp_path / "key")})
    assert (config.server.host, config.server.port) == ("::1", 9000)
    assert config.server.remote_key == Secret("let-me-in-1234")


def test_problems_name_the_file(file: ConfigFile) -> None:
    """Each line begins with the path the user knows, and a line number."""
    put(file, TEXT + "priorty = 1\n")
    with pytest.raises(ConfigError, match=f"^{file.path}:8: .*priority"):
        file.load({})
    put(file, b"a = 1\nb = '\xff'\n")
    with pytest.raises(ConfigError, match=f"^{file.path}:2:6: is not UTF-8"):
        file.load({})


@pytest.mark.parametrize("kind", ["fifo", "folder", "huge"])
def test_what_is_no_configuration_is_refused(file: ConfigFile, kind: str) -> None:
    """Something else in its place is named at once."""
    file.path.parent.mkdir()
    if kind == "fifo":
        os.mkfifo(file.path)
    elif kind == "folder":
        file.path.mkdir()
    else:
        put(file, "#" * 2_000_000)
    with pytest.raises(StoreError, match=str(file.path)):
        file.load({})


def test_adding_an_account(file: ConfigFile) -> None:
    """Comments and order stay, a blank line comes first, and the result is what load reads."""
    put(file, TEXT)
    file.add_account({"name": "b", "provider": "anthropic", "api_key_env": "KEY"})
    assert (
        file.path.read_text()
        == TEXT + '\n[[accounts]]\nname = "b"\nprovider = "anthropic"\napi_key_env = "KEY"\n'
    )
    assert file.load({}).accounts[1] == AccountConfig(name="b", provider="anthropic", api_key_env="KEY")
    assert mode_of(file.path) == 0o644


def test_the_first_account_makes_the_file(file: ConfigFile) -> None:
    """A new file is private, and so is its folder."""
    file.add_account({"name": "b", "provider": "anthropic"})
    assert file.load({}).accounts == (AccountConfig(name="b", provider="anthropic"),)
    assert (mode_of(file.path), mode_of(file.path.parent)) == (0o600, 0o700)


def test_a_key_makes_the_file_private(file: ConfigFile) -> None:
    """A file that gets a secret is closed to others; the warning before said so."""
    put(file, TEXT)
    file.set_value("server", "remote_key", "let-me-in-1234")
    assert mode_of(file.path) == 0o600
    assert file.warnings(file.load({})) == ()
    file.path.chmod(0o644)
    assert "chmod 600" in file.warnings(file.load({}))[0]
    put(file, TEXT)
    assert file.warnings(file.load({})) == ()


@pytest.mark.parametrize(
    ("account", "said"),
    [
        ({"name": "A", "provider": "anthropic"}, "taken"),
        ({"name": "b", "provider": "antropic"}, "anthropic"),
        ({"name": "../b", "provider": "anthropic"}, "must not hold"),
        ({"name": "b", "provider": "anthropic", "priorty": 1}, "priority"),
    ],
)
def test_an_edit_that_would_break_it_is_refused(file: ConfigFile, account: dict[str, Any], said: str) -> None:
    """The new text has to be a sound configuration before it becomes the file."""
    put(file, TEXT)
    with pytest.raises(ConfigError, match=said):
        file.add_account(account)
    assert file.path.read_text() == TEXT


@pytest.mark.parametrize("text", ["[server\n", "[server]\nprot = 1\n", "accounts = 5\n"])
def test_a_broken_file_is_not_edited(file: ConfigFile, text: str) -> None:
    """What people have to repair first is left as it is."""
    put(file, text)
    with pytest.raises(ConfigError):
        file.add_account({"name": "b", "provider": "anthropic"})
    assert file.path.read_text() == text


def test_a_layout_that_is_not_understood(file: ConfigFile, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rather than harm the file, the user is asked to edit it."""
    put(file, TEXT)

    def declined(*_args: Any) -> str:
        raise CannotEdit

    monkeypatch.setattr("shunt.store.config.with_value", declined)
    with pytest.raises(StoreError, match="by hand"):
        file.set_value("server", "port", 1)
    assert file.path.read_text() == TEXT


def test_removing_an_account(file: ConfigFile) -> None:
    """Names are compared as people read them; an unknown one is told."""
    put(file, TEXT)
    file.add_account({"name": "b", "provider": "anthropic"})
    assert file.remove_account("B")
    assert file.path.read_text() == TEXT
    assert not file.remove_account("b")
    assert file.remove_account("a")
    assert file.load({}).accounts == ()


def test_setting_a_value(file: ConfigFile) -> None:
    """One key changes; its neighbours and comments do not. A bad value is refused."""
    put(file, TEXT)
    file.set_value("server", "port", 9001)
    file.set_value("routing", "strategy", "reaper")
    assert file.path.read_text() == TEXT.replace("9000", "9001") + '\n[routing]\nstrategy = "reaper"\n'
    with pytest.raises(ConfigError):
        file.set_value("server", "port", 0)
    assert file.load({}).server.port == 9001


def test_a_linked_file_stays_linked(file: ConfigFile, tmp_path: Path) -> None:
    """Dotfiles kept elsewhere are edited where they are."""
    (tmp_path / "dotfiles").mkdir()
    (tmp_path / "dotfiles" / "shunt.toml").write_text(TEXT)
    file.path.parent.mkdir()
    file.path.symlink_to(tmp_path / "dotfiles" / "shunt.toml")
    file.set_value("server", "port", 9001)
    assert file.path.is_symlink()
    assert "9001" in (tmp_path / "dotfiles" / "shunt.toml").read_text()
    assert file.load({}).server.port == 9001


def test_an_edit_by_somebody_else_meanwhile_is_not_lost(
    file: ConfigFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When an editor saved while we were changing the text, its version stays and the user is told."""
    put(file, TEXT)

    def interrupted(text: str, *_args: Any) -> str:
        file.path.write_text(text + "# saved by an editor\n")
        return text + "# ours\n"

    monkeypatch.setattr("shunt.store.config.with_value", interrupted)
    with pytest.raises(StoreError, match="try again"):
        file.set_value("server", "port", 1)
    assert file.path.read_text() == TEXT + "# saved by an editor\n"


def test_a_full_disk_leaves_the_old_file(file: ConfigFile, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that fails changes nothing."""
    put(file, TEXT)

    def full(*_args: Any) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        with pytest.raises(StoreError, match="no space"):
            file.set_value("server", "port", 1)
    assert file.path.read_text() == TEXT


def test_edits_at_the_same_time_all_count(file: ConfigFile) -> None:
    """Commands that run side by side wait for each other."""
    put(file, TEXT)
    threads = [
        threading.Thread(target=file.add_account, args=({"name": f"n{n}", "provider": "anthropic"},))
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {account.name for account in file.load({}).accounts} == {"a", *(f"n{n}" for n in range(8))}


def test_the_stamp_follows_the_file(file: ConfigFile) -> None:
    """Every change gives another stamp; reading does not."""
    put(file, TEXT)
    before = file.stamp()
    file.load({})
    assert file.stamp() == before
    file.set_value("server", "port", 9001)
    assert file.stamp() != before


@pytest.mark.parametrize(
    ("config", "secret"),
    [
        (Config(), False),
        (Config(accounts=(AccountConfig(name="a", provider="p", api_key_env="K"),)), False),
        (Config(accounts=(AccountConfig(name="a", provider="p", api_key=Secret("k")),)), True),
        (Config(accounts=(AccountConfig(name="a", provider="p", headers={"x": "k"}),)), True),
        (Config(accounts=(AccountConfig(name="a", provider="p", proxy="http://u:p@x"),)), True),
        (Config(server=ServerConfig(remote_key=Secret("k"))), True),
    ],
)
def test_what_counts_as_a_secret(config: Config, *, secret: bool) -> None:
    """Keys, headers and proxy passwords make the file a private one."""
    assert holds_secret(config) is secret
