"""The service under a real systemd: a user's manager in namespaces of its own, so that nothing of the machine is touched."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.e2e.namespaces import under_systemd
from tests.e2e.program import command, free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

SHUNT = " ".join(command())
STEPS = f"""
step() {{ echo "== $1"; shift; "$@" 2>&1; echo "-> $?"; }}
step install {SHUNT} service install
step health {SHUNT} status --json
step status {SHUNT} service status --json
step notified systemctl --user show shunt.service -P StatusText
kill -9 $(systemctl --user show shunt.service -P MainPID)
for n in $(seq 100); do {SHUNT} service status >/dev/null && break; sleep 0.2; done
step revived {SHUNT} service status
step stop {SHUNT} service stop
sleep 3
step stopped {SHUNT} service status
step start {SHUNT} service start
step uninstall {SHUNT} service uninstall
step gone {SHUNT} service status
"""


def test_a_service_from_install_to_uninstall(tmp_path: Path) -> None:
    """Installed it serves and says so; killed it comes back; stopped it stays stopped; removed it leaves nothing."""
    home = tmp_path / "home"
    config = home / ".config" / "shunt"
    config.mkdir(parents=True, mode=0o700)
    (config / "config.toml").write_text(f"[server]\nport = {free_port()}\n")
    before = set(home.rglob("*"))
    done = subprocess.run(
        under_systemd(STEPS),
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "XDG_RUNTIME_DIR": str(tmp_path / "run"),
            "PYTHONPATH": str(Path(__file__).parents[2]),
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=150,
    )
    said = dict(part.split("\n", 1) for part in done.stdout.split("== ")[1:])
    assert said["install"].endswith("-> 0\n"), done.stdout + done.stderr
    assert said["health"].endswith("-> 0\n")
    standing = json.loads(said["status"].rpartition("->")[0])
    assert (standing["running"], standing["enabled"]) == (True, True)
    assert "serving" in said["notified"]
    assert said["revived"].startswith("running")
    assert said["stop"] == "stopped\n-> 0\n"
    assert said["stopped"].startswith("stopped")
    assert said["stopped"].endswith("-> 3\n")
    assert said["start"] == "started\n-> 0\n"
    assert said["uninstall"].startswith("removed")
    assert said["gone"].startswith("not installed")
    left = {path for path in set(home.rglob("*")) - before if "shunt" not in path.parts[len(home.parts) :]}
    assert left <= {home / ".local", home / ".local" / "share", home / ".local" / "state"}
