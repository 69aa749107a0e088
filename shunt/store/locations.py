"""Where shunt keeps its files on this machine."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from attrs import evolve, frozen
from platformdirs import PlatformDirs

from shunt.errors import StoreError

NAME: Final = "shunt"
PROOF_FILE: Final = "shunt.proof"
"""In the state folder: what a running server takes as a sign that a caller is its own user."""


@frozen
class Locations:
    """One path for each file; nothing is created by knowing them."""

    config_file: Path
    credentials_file: Path
    state_file: Path
    history_file: Path
    log_file: Path
    home: Path | None = None
    """The one folder that holds all of them, when the user asked for that."""

    @property
    def state_dir(self) -> Path:
        """The folder that one running shunt owns; its lock lies there."""
        return self.state_file.parent


def locate(
    environ: Mapping[str, str],
    *,
    home: str | None = None,
    config: str | None = None,
    platform: str = sys.platform,
) -> Locations:
    """Find the files: below `home` or `SHUNT_HOME`, else where this system keeps such things.

    Args:
        environ: The environment.
        home: `--home`; wins over `SHUNT_HOME`.
        config: `--config`; moves config.toml alone.
        platform: As `sys.platform` names it.

    Raises:
        StoreError: no home directory is known.
    """
    chosen = home or environ.get("SHUNT_HOME")
    if chosen:
        folder = _absolute(chosen, environ)
        found = Locations(
            config_file=folder / "config.toml",
            credentials_file=folder / "credentials.json",
            state_file=folder / "state.json",
            history_file=folder / "history.sqlite3",
            log_file=folder / "logs" / "shunt.log",
            home=folder,
        )
    else:
        config_dir, state_dir, data_dir = _folders(environ, platform)
        found = Locations(
            config_file=config_dir / "config.toml",
            credentials_file=config_dir / "credentials.json",
            state_file=state_dir / "state.json",
            history_file=data_dir / "history.sqlite3",
            log_file=state_dir / "logs" / "shunt.log",
        )
    return evolve(found, config_file=_absolute(config, environ)) if config else found


def _folders(environ: Mapping[str, str], platform: str) -> tuple[Path, Path, Path]:
    """Folders for configuration, state and data."""
    if platform in {"darwin", "win32"}:
        dirs = PlatformDirs(NAME, appauthor=False)
        return dirs.user_config_path, dirs.user_state_path, dirs.user_data_path
    return (
        _xdg(environ, "XDG_CONFIG_HOME", ".config"),
        _xdg(environ, "XDG_STATE_HOME", ".local/state"),
        _xdg(environ, "XDG_DATA_HOME", ".local/share"),
    )


def _xdg(environ: Mapping[str, str], variable: str, default: str) -> Path:
    # The XDG base directory specification: a relative path is invalid and has to be ignored.
    written = environ.get(variable, "")
    if Path(written).is_absolute():
        return Path(written) / NAME
    return _user_home(environ) / default / NAME


def _user_home(environ: Mapping[str, str]) -> Path:
    written = environ.get("HOME", "")
    if not Path(written).is_absolute():
        raise StoreError(
            "the environment names no home directory (HOME); say where shunt keeps its files: "
            "--home DIR or SHUNT_HOME=DIR"
        )
    return Path(written)


def _absolute(written: str, environ: Mapping[str, str]) -> Path:
    if written == "~" or written.startswith("~/"):
        return _user_home(environ) / written[2:]
    return Path(written).absolute()


def beside(file: Path, written: str) -> Path:
    """A path that stands in a file of ours: `~` is the home, and what is relative lies beside that file."""
    return file.parent / Path(written).expanduser()
