"""The short way to `/status`: right, or not taken at all."""

from __future__ import annotations

import subprocess
import sys

import pytest

from shunt.cli.invocation import Invocation
from shunt.cli.quick import quick_status
from tests.cli.desk import T0, Desk, never
from tests.cli.scripted_control import scripted_control

ANSWER = {"GET /status": (200, {"accounts": [], "version": "9"})}


def call(desk: Desk, **environ: str) -> Invocation:
    return Invocation({"HOME": str(desk.user), "SHUNT_HOME": str(desk.home), **environ}, lambda: T0, never)


def test_an_address_is_asked_directly(desk: Desk) -> None:
    """With the key, where there is one."""
    with scripted_control(ANSWER) as server:
        for url in (f"http://127.0.0.1:{server.port}", f"127.0.0.1:{server.port}"):
            found = quick_status(call(desk), url, key="")
            assert found == {"accounts": [], "version": "9"}


@pytest.mark.parametrize("answer", [(401, {}), (200, b"<html>"), (200, {"no": "accounts"})])
def test_anything_odd_is_left_to_the_usual_way(desk: Desk, answer: tuple[int, object]) -> None:
    """It has the words for it."""
    with scripted_control({"GET /status": answer}) as server:
        assert quick_status(call(desk), f"http://127.0.0.1:{server.port}", key="") is None


@pytest.mark.parametrize("url", ["https://127.0.0.1:1", "http://127.0.0.1:x", "http://a@127.0.0.1:1"])
def test_addresses_out_of_the_ordinary_are_not_tried(desk: Desk, url: str) -> None:
    """TLS, prefixes and mistakes."""
    assert quick_status(call(desk), url, key="") is None


def test_a_server_that_was_moved_is_not_guessed(desk: Desk) -> None:
    """Somebody configured where it is; reading that takes the usual way."""
    assert quick_status(call(desk, SHUNT_PORT="1"), None, key="") is None
    desk.write_config("")
    assert quick_status(call(desk), None, key="") is None


def test_the_short_way_imports_neither_client_nor_server() -> None:
    """A shell prompt that calls it at every command stays fast."""
    code = (
        "import sys, shunt.cli.status, shunt.cli.quick;"
        "print(*sorted({'httpx2', 'trio', 'rich', 'quart', 'textual', 'shunt.providers'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == ""
