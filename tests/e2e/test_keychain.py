"""Credentials sealed by a real keychain: the Secret Service of a Linux desktop, on a bus of its own."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.e2e.program import command, program

NEEDED = ("dbus-run-session", "gnome-keyring-daemon")
pytestmark = [
    pytest.mark.skipif(
        not all(shutil.which(name) for name in NEEDED),
        reason="needs gnome-keyring (scripts/system installs it)",
    ),
    pytest.mark.skipif(
        find_spec("keyring") is None or "SHUNT_TEST_COMMAND" in os.environ,
        reason="needs the extra `keychain`",
    ),
]

SESSION = """
set -e
printf pw | gnome-keyring-daemon --unlock --components=secrets --daemonize > /dev/null 2>&1
echo sk-test-canary-key-0123 | {shunt} add-account key --provider openai --api-key-stdin
{shunt} accounts
SHUNT_CREDENTIALS_STORE=file {shunt} accounts
"""


async def test_a_desktops_keychain_seals_the_file(tmp_path: Path) -> None:
    """What is stored in a session is read in it, and named as locked where there is no keychain."""
    async with program(tmp_path, "http://127.0.0.1:9") as shunt:
        shunt.configure([])
        environ = {**shunt.environ, "SHUNT_CREDENTIALS_STORE": "keychain", "XDG_RUNTIME_DIR": str(tmp_path)}
        script = SESSION.format(shunt=shlex.join([*command(), "--home", str(shunt.home)]))
        done = subprocess.run(  # noqa: ASYNC221 - nothing else runs meanwhile
            ["dbus-run-session", "--", "sh", "-c", script],
            env=environ,
            capture_output=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.count(b"sealed by the keychain") == 2
        text = (shunt.home / "credentials.json").read_bytes()
        assert text.startswith(b"-----BEGIN AGE ENCRYPTED FILE-----")
        assert b"canary" not in text + done.stdout + done.stderr
        shunt.extra["SHUNT_CREDENTIALS_STORE"] = "keychain"
        alone = await shunt.cli("accounts")
        assert alone.returncode == 1
        assert b"keychain cannot be used" in alone.stderr
        assert (shunt.home / "credentials.json").read_bytes() == text
