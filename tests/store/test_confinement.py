"""What another program may not learn from a running shunt."""

from __future__ import annotations

import subprocess
import sys

import pytest

SHOW = """
import ctypes, resource
from shunt.store.confinement import confine
confine()
print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_the_process_leaves_no_core_and_cannot_be_traced() -> None:
    """No core file is written, and the kernel calls the process undumpable."""
    done = subprocess.run([sys.executable, "-c", SHOW], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[0] == "(0, 0) 0"
