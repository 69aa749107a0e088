from __future__ import annotations

from pathlib import Path

import pytest

from shunt.errors import StoreError
from shunt.store.locations import Locations, locate

USER = {"HOME": "/home/u"}


def test_linux_defaults() -> None:
    """Configuration, state and data lie where Linux programs keep them."""
    assert locate(USER, home=None, config=None, platform="linux") == Locations(
        config_file=Path("/home/u/.config/shunt/config.toml"),
        credentials_file=Path("/home/u/.config/shunt/credentials.json"),
        state_file=Path("/home/u/.local/state/shunt/state.json"),
        history_file=Path("/home/u/.local/share/shunt/history.sqlite3"),
        log_file=Path("/home/u/.local/state/shunt/logs/shunt.log"),
        home=None,
    )


def test_xdg_folders_are_respected() -> None:
    """XDG variables move their folder; relative ones are invalid and ignored."""
    found = locate(
        {**USER, "XDG_CONFIG_HOME": "/c", "XDG_STATE_HOME": "rel", "XDG_DATA_HOME": "/d"}, platform="linux"
    )
    assert found.config_file == Path("/c/shunt/config.toml")
    assert found.state_dir == Path("/home/u/.local/state/shunt")
    assert found.history_file == Path("/d/shunt/history.sqlite3")


@pytest.mark.parametrize(
    ("environ", "home"), [({"SHUNT_HOME": "/x"}, None), ({"SHUNT_HOME": "/y"}, "/x"), ({}, "/x")]
)
def test_one_folder_holds_everything(environ: dict[str, str], home: str | None) -> None:
    """--home, then SHUNT_HOME, puts every file under one folder, without asking for a home directory."""
    assert locate(environ, home=home, config=None) == Locations(
        config_file=Path("/x/config.toml"),
        credentials_file=Path("/x/credentials.json"),
        state_file=Path("/x/state.json"),
        history_file=Path("/x/history.sqlite3"),
        log_file=Path("/x/logs/shunt.log"),
        home=Path("/x"),
    )


def test_config_moves_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """--config names the configuration only; a relative path is made absolute, ~ is the user's home."""
    monkeypatch.chdir(tmp_path)
    found = locate({}, home="/x", config="mine.toml")
    assert found.config_file == tmp_path / "mine.toml"
    assert found.credentials_file == Path("/x/credentials.json")
    assert locate(USER, home="~/s", config=None).home == Path("/home/u/s")


@pytest.mark.parametrize("environ", [{}, {"HOME": ""}, {"HOME": "relative"}])
def test_no_home_directory(environ: dict[str, str]) -> None:
    """Without a home directory the message says what to give instead."""
    with pytest.raises(StoreError, match="SHUNT_HOME"):
        locate(environ, platform="linux")


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_other_systems(platform: str) -> None:
    """Elsewhere the files lie where the system's own conventions put them."""
    found = locate({}, platform=platform)
    assert found.config_file.is_absolute()
    assert "shunt" in found.history_file.parts
