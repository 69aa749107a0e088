from __future__ import annotations

from pathlib import Path

import pytest

from shunt.errors import ConfigError
from shunt.store.environment import with_secret_files, without_secrets


def test_a_secret_comes_from_its_file(tmp_path: Path) -> None:
    """A file named by …_FILE fills the variable, without the newline at its end; links are followed."""
    (tmp_path / "key").write_text("let-me-in-1234\n")
    (tmp_path / "link").symlink_to("key")
    environ = {"SHUNT_SERVER_REMOTE_KEY_FILE": str(tmp_path / "link"), "OTHER": "x"}
    assert with_secret_files(environ)["SHUNT_SERVER_REMOTE_KEY"] == "let-me-in-1234"
    assert with_secret_files({"OTHER": "x"}) == {"OTHER": "x"}


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00", b"x" * 100_000])
def test_a_file_that_cannot_be_used(tmp_path: Path, content: bytes | None) -> None:
    """A missing, binary or absurd file is an error that names the variable, not a missing key."""
    path = tmp_path / "key"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match="SHUNT_SERVER_REMOTE_KEY_FILE: "):
        with_secret_files({"SHUNT_SERVER_REMOTE_KEY_FILE": str(path)})


def test_both_ways_at_once(tmp_path: Path) -> None:
    """Two sources of one secret are a contradiction, and the secret is not shown."""
    (tmp_path / "key").write_text("hunter2-hunter2")
    with pytest.raises(ConfigError, match="only one") as caught:
        with_secret_files(
            {
                "SHUNT_SERVER_REMOTE_KEY": "hunter2-other",
                "SHUNT_SERVER_REMOTE_KEY_FILE": str(tmp_path / "key"),
            }
        )
    assert "hunter2" not in str(caught.value)


def test_other_programs_get_no_secrets() -> None:
    """Nothing that sounds like one, and nothing of shunt's; what a program needs to run stays."""
    kept = {"PATH": "/bin", "HOME": "/home/me", "DISPLAY": ":0", "DBUS_SESSION_BUS_ADDRESS": "unix:x"}
    secret = {
        "WORK_API_KEY": "a",
        "GH_TOKEN": "b",
        "aws_secret_access": "c",
        "SHUNT_HOME": "d",
        "DB_PASSWORD": "e",
    }
    assert without_secrets(kept | secret) == kept
