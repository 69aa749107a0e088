"""Commands that run beside us."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from shunt.cli.companion import run

posix = pytest.mark.skipif(os.name != "posix", reason="signals as Unix has them")


@pytest.mark.parametrize("status", [0, 3])
def test_the_status_is_the_command_s(status: int) -> None:
    """Whatever it means by it."""
    assert run([sys.executable, "-c", f"raise SystemExit({status})"], os.environ) == status


@posix
def test_a_command_ended_by_a_signal() -> None:
    """As a shell reports it."""
    script = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    assert run([sys.executable, "-c", script], os.environ) == 128 + signal.SIGKILL


def test_a_command_that_is_not_there() -> None:
    """The caller says so in its own words; handlers are as before."""
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(FileNotFoundError):
        run(["/no/such/program"], os.environ)
    assert signal.getsignal(signal.SIGINT) is before


OUTER = """
import os, sys
sys.path.insert(0, {root!r})
from shunt.cli.companion import run
sys.exit(run([sys.executable, "-u", "-c", {inner!r}], os.environ))
"""
INNER = """
import signal, sys
def end(number, frame):
    print("got", signal.Signals(number).name, flush=True)
    sys.exit(7)
assert signal.getsignal(signal.SIGINT) is signal.default_int_handler, "inherited"
for name in ("SIGTERM", "SIGHUP"):
    signal.signal(getattr(signal, name), end)
print("ready", flush=True)
sys.stdin.read()
"""


@posix
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_signals_meant_for_the_command_reach_it(name: str) -> None:
    """It decides what they mean, and with which status to end."""
    root = str(Path(__file__).parents[2])
    outer = subprocess.Popen(
        [sys.executable, "-c", OUTER.format(root=root, inner=INNER)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with outer:
        assert outer.stdout is not None
        assert outer.stdout.readline() == "ready\n"
        outer.send_signal(getattr(signal, name))
        assert outer.stdout.readline() == f"got {name}\n"
        assert outer.wait(20) == 7


@posix
def test_an_interrupt_of_the_terminal_does_not_end_us_first() -> None:
    """The command gets it by itself and may go on; we wait for it."""
    root = str(Path(__file__).parents[2])
    inner = (
        "import signal, sys\nsignal.signal(signal.SIGINT, lambda *_: print('inner', flush=True))\n"
        "print('ready', flush=True)\nsys.stdin.read()\nsys.exit(5)"
    )
    outer = subprocess.Popen(
        [sys.executable, "-c", OUTER.format(root=root, inner=inner)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with outer:
        assert outer.stdout is not None
        assert outer.stdin is not None
        assert outer.stdout.readline() == "ready\n"
        os.killpg(outer.pid, signal.SIGINT)
        assert outer.stdout.readline() == "inner\n"
        outer.stdin.close()
        assert outer.wait(20) == 5
