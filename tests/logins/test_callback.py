"""The loopback listener: one answer to one login, and nothing else."""

from __future__ import annotations

from contextlib import suppress

import pytest
import trio
from trio.testing import MockClock

from shunt.accounts.secret import Secret
from shunt.errors import LoginFailed
from shunt.logins.callback import LIFE, Callback, PortTaken, listening
from shunt.providers.sign_in import ticket
from tests.fakes.client import ask

TICKET = ticket(bytes(range(64)))
STATE = TICKET.state.reveal()
GOOD = f"/callback?code=canary-code&state={STATE}"


def callback() -> Callback:
    """One that decides without a socket."""
    return Callback("/callback", TICKET, [], 5555)


def request(target: str, *more: str, host: str = "localhost:5555", method: str = "GET") -> bytes:
    """The head of a browser's visit."""
    return "\r\n".join((f"{method} {target} HTTP/1.1", f"Host: {host}", *more)).encode()


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


@pytest.mark.parametrize(
    ("head", "code"),
    [
        (request(f"/callback?code=x&state={STATE[:-1]}A"), 400),
        (request("/callback?code=x"), 400),
        (request("/callback"), 400),
        (request(f"/callback?code=x&code=y&state={STATE}"), 400),
        (request(f"/callback?state={STATE}&state={STATE}&code=x"), 400),
        (request("/callback?error=access_denied"), 400),
        (request(f"/callback?state={STATE}&code={'x' * 20_000}"), 400),
        (request("/callback?" + "a=b&" * 500), 400),
        (request(f"/callback/?code=x&state={STATE}"), 404),
        (request(f"/Callback?code=x&state={STATE}"), 404),
        (request(f"http://localhost:5555{GOOD}"), 404),
        (request("/favicon.ico"), 404),
        (request(GOOD, method="POST"), 405),
        (request(GOOD, method="HEAD"), 405),
        (request(GOOD, host="evil.test"), 421),
        (request(GOOD, host="evil.test:5555"), 421),
        (request(GOOD, host="localhost"), 421),
        (request(GOOD, "Host: evil.test"), 400),
        (request(GOOD, "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image"), 403),
        (request(GOOD, "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe"), 403),
        (b"GET /callback", 400),
        (b"\xff\xfe garbage \x00", 400),
    ],
)
def test_what_does_not_answer_this_login_changes_nothing(head: bytes, code: int) -> None:
    """Wrong state, other paths and hosts, requests behind the person's back: refused, and the login goes on."""
    waiting = callback()
    answer = waiting.answer(head)
    assert status(answer) == code
    assert b"canary" not in answer
    assert STATE.encode() not in answer
    assert waiting._code is None
    assert (
        status(waiting.answer(request(GOOD, "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"))) == 200
    )
    assert waiting._code == Secret("canary-code")


def test_a_state_counts_once() -> None:
    """A replay, or a second tab, is told that the login is over."""
    waiting = callback()
    assert status(waiting.answer(request(GOOD))) == 200
    assert status(waiting.answer(request(f"/callback?code=other&state={STATE}"))) == 410
    assert waiting._code == Secret("canary-code")


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ("error=access_denied", "declined"),
        ("error=server_error&error_description=%3Cscript%3Ealert(1)%3C/script%3E%0A%1B[31m", "refused"),
        ("code=", "neither a code nor an error"),
        (f"code={'x' * 10_000}", "not a code"),
        ("code=a%20b", "not a code"),
        ("code=%0Ainjected", "not a code"),
    ],
)
def test_an_answer_without_a_code_ends_the_login(told: str, said: str) -> None:
    """What the vendor brings instead is shown as text, never as markup, and the login ends with it."""
    waiting = callback()
    answer = waiting.answer(request(f"/callback?{told}&state={STATE}"))
    assert b"<script" not in answer
    assert b"\x1b" not in answer
    assert waiting._code is None
    assert waiting._declined is not None
    assert said in str(waiting._declined)


async def test_it_listens_on_loopback_for_one_answer() -> None:
    """The address is this machine's alone, and closed as soon as the code is there."""
    async with listening("/callback", 0, TICKET) as waiting, trio.open_nursery() as nursery:
        hosts = {listener.socket.getsockname()[0] for listener in waiting.listeners}
        assert hosts <= {"127.0.0.1", "::1"}
        codes: list[Secret] = []

        async def wait() -> None:
            codes.append(await waiting.code())

        nursery.start_soon(wait)
        host = f"localhost:{waiting.port}".encode()
        for target, expected in ((b"/other", 404), (b"/callback?code=x&state=y", 400), (GOOD.encode(), 200)):
            answer = await ask(waiting.port, b"GET", target, ((b"host", host),))
            assert answer.status == expected
    assert codes == [Secret("canary-code")]
    with pytest.raises(OSError):  # noqa: PT011 - refused or reset, as the system has it
        await ask(waiting.port, b"GET", GOOD.encode())


async def test_silent_and_endless_connections_hold_nothing_up() -> None:
    """A browser's spare connection, and one that never stops talking, do not keep the code out."""
    async with listening("/callback", 0, TICKET) as waiting, trio.open_nursery() as nursery:
        codes: list[Secret] = []

        async def wait() -> None:
            codes.append(await waiting.code())

        nursery.start_soon(wait)
        silent = await trio.open_tcp_stream("127.0.0.1", waiting.port)
        endless = await trio.open_tcp_stream("127.0.0.1", waiting.port)
        with suppress(trio.BrokenResourceError):
            await endless.send_all(b"GET /callback?" + b"a" * 40_000)
        host = f"127.0.0.1:{waiting.port}".encode()
        assert (await ask(waiting.port, b"GET", GOOD.encode(), ((b"host", host),))).status == 200
        await silent.aclose()
        await endless.aclose()
    assert codes == [Secret("canary-code")]


async def test_nobody_is_waited_for_longer_than_five_minutes(autojump_clock: MockClock) -> None:
    """A tab that was closed ends the login by itself."""
    async with listening("/callback", 0, TICKET) as waiting:
        before = trio.current_time()
        with pytest.raises(LoginFailed, match="5 minutes"):
            await waiting.code()
        assert trio.current_time() - before == pytest.approx(LIFE)


async def test_a_port_in_use_is_named() -> None:
    """The vendor returns to one port only, so that somebody else's there ends this way."""
    async with listening("/callback", 0, TICKET) as first:
        with pytest.raises(PortTaken, match=str(first.port)):
            async with listening("/callback", first.port, TICKET):
                raise AssertionError("two listeners on one port")


async def test_a_port_that_somebody_has_on_ipv6_is_in_use() -> None:
    """A browser may take `localhost` for ::1, and would hand the code to whoever listens there."""
    try:
        taken = await trio.open_tcp_listeners(0, host="::1")
    except OSError:
        pytest.skip("this machine has no IPv6")
    port: int = taken[0].socket.getsockname()[1]
    try:
        with pytest.raises(PortTaken):
            async with listening("/callback", port, TICKET):
                raise AssertionError("half a port is none")
    finally:
        for listener in taken:
            await listener.aclose()
