"""The service under a real systemd: a user's manager in namespaces of its own, so that nothing of the machine is touched."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.program import command, free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

SYSTEMD = "/lib/systemd/systemd"
SCRIPT = r"""
set -u
mount -t tmpfs tmpfs /run/systemd
mkdir -p /run/systemd/system "$XDG_RUNTIME_DIR"
%(systemd)s --user --log-target=null &
manager=$!
for n in $(seq 100); do systemctl --user is-system-running >/dev/null 2>&1 && break; sleep 0.1; done
%(steps)s
kill $manager
wait
"""
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


@pytest.fixture
def inside(tmp_path: Path) -> list[str]:
    """The words that run a shell where a systemd of its own may live."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("needs root on Linux, for namespaces")
    missing = [name for name in ("unshare", "systemctl", SYSTEMD) if shutil.which(name) is None]
    if missing:
        pytest.skip(f"this machine has no {', '.join(missing)}")
    words = ["unshare", "--mount", "--pid", "--fork", "--mount-proc"]
    if subprocess.run([*words, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine allows no namespaces")
    if not Path("/run/systemd").is_dir():
        pytest.skip("there is no /run/systemd to stand in for")
    return [*words, "bash", "-c"]


def test_a_service_from_install_to_uninstall(inside: list[str], tmp_path: Path) -> None:
    """Installed it serves and says so; killed it comes back; stopped it stays stopped; removed it leaves nothing."""
    home = tmp_path / "home"
    config = home / ".config" / "shunt"
    config.mkdir(parents=True, mode=0o700)
    (config / "config.toml").write_text(f"[server]\nport = {free_port()}\n")
    before = set(home.rglob("*"))
    done = subprocess.run(
        [*inside, SCRIPT % {"systemd": SYSTEMD, "steps": STEPS}],
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
