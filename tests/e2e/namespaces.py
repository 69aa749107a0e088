"""A systemd of one's own, in namespaces: nothing of the machine is touched, and all of it ends with the test."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SYSTEMD = "/lib/systemd/systemd"
SCRIPT = r"""
set -u
mount -t tmpfs tmpfs /run/systemd
mkdir -p /run/systemd/system "$XDG_RUNTIME_DIR"
%s --user --log-target=null &
manager=$!
for n in $(seq 300); do systemctl --user is-system-running >/dev/null 2>&1 && break; sleep 0.1; done
%s
kill $manager
wait
"""


def under_systemd(steps: str) -> list[str]:
    """The words that run shell commands where a user's systemd runs; needs XDG_RUNTIME_DIR. Skips where none can."""
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
    return [*words, "bash", "-c", SCRIPT % (SYSTEMD, steps)]
