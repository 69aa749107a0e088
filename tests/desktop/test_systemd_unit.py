from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from shunt.desktop.service import Service
from shunt.desktop.systemd_unit import quoted, system_unit, user_unit

SERVICE = Service(
    ("/bin/true", "run", "--home", "/home/some one/100% $mine"),
    "/var/logs",
    {"CODEX_HOME": '/x "y"'},
    drain_seconds=45,
)


@pytest.mark.parametrize(
    ("word", "written"),
    [
        ("/usr/bin/shunt", "/usr/bin/shunt"),
        ("--home=/a", "--home=/a"),
        ("a b", '"a b"'),
        ("100%", "100%%"),
        ("$HOME", "$$HOME"),
        ('q"\\', '"q\\"\\\\"'),
        ("", '""'),
    ],
)
def test_words_mean_themselves(word: str, written: str) -> None:
    """systemd expands specifiers and variables and splits at spaces; none of that happens to a path."""
    assert quoted(word) == written


def test_both_units_wait_for_the_drain_and_watch() -> None:
    """Streams get their time, a hanging loop is noticed, an end that was asked for is the end."""
    for unit in (user_unit(SERVICE), system_unit(SERVICE)):
        assert "\nTimeoutStopSec=60\n" in unit
        assert "\nWatchdogSec=60\n" in unit
        assert "\nType=notify\n" in unit
        assert "\nRestart=on-failure\n" in unit
        assert "\nNoNewPrivileges=yes\n" in unit
        assert 'ExecStart=/bin/true run --home "/home/some one/100%% $$mine"' in unit
        assert 'Environment="CODEX_HOME=/x \\"y\\""' in unit


def test_a_users_shunt_may_start_vendors_programs() -> None:
    """No namespaces that some systems forbid, and memory that a compiler can write."""
    assert "MemoryDenyWriteExecute" not in user_unit(SERVICE)
    assert "ProtectSystem" not in user_unit(SERVICE)
    assert "\nMemoryDenyWriteExecute=yes\n" in system_unit(SERVICE)
    assert "\nUser=shunt\n" in system_unit(SERVICE)


@pytest.mark.parametrize(("scope", "write"), [("--user", user_unit), ("--system", system_unit)])
def test_systemd_has_no_complaint(tmp_path: Path, scope: str, write: object) -> None:
    """`systemd-analyze verify` knows every key and value."""
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("this machine has no systemd-analyze")
    assert callable(write)
    path = tmp_path / "shunt.service"
    path.write_text(write(SERVICE))
    done = subprocess.run(
        [analyze, scope, "--man=no", "verify", str(path)],
        env={"XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    ours = [line for line in done.stderr.splitlines() if "shunt" in line]
    # The machine's own user exists only once the service is installed.
    assert [line for line in ours if "shunt.service" in line and "User" not in line] == []


def test_the_machines_unit_is_closed(tmp_path: Path) -> None:
    """`systemd-analyze security` finds little to complain about."""
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("this machine has no systemd-analyze")
    path = tmp_path / "shunt.service"
    path.write_text(system_unit(SERVICE))
    done = subprocess.run(
        [analyze, "security", "--offline=true", "--no-pager", str(path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    if "Overall exposure level" not in done.stdout:
        pytest.skip(f"this systemd-analyze cannot judge a file: {done.stderr.strip()}")
    exposure = float(done.stdout.rpartition(": ")[2].split()[0])
    assert exposure <= 2.0, done.stdout
