"""Browser sessions: codes that work once, cookies that know their port, and everything that ends them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from shunt.server.sessions import (
    CODE_LIVES,
    CODES,
    IDLE,
    SESSIONS,
    Sessions,
    cookie_name,
    session_token,
    set_cookie,
)
from shunt.wire.headers import Headers


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def sessions(clock: Clock) -> Sessions:
    numbers: Iterator[int] = count(1)
    return Sessions(clock, lambda: f"obviously-fake-{next(numbers)}")


def logged_in(held: Sessions) -> bytes:
    token = held.trade(held.new_code())
    assert token is not None
    return token.encode()


def test_a_code_works_once(clock: Clock) -> None:
    """Whoever finds a used address in a terminal's history has nothing."""
    held = sessions(clock)
    code = held.new_code()
    token = held.trade(code)
    assert token is not None
    assert held.admits(token.encode())
    assert held.trade(code) is None
    assert held.trade("never-given-out") is None


def test_a_code_is_worth_nothing_after_five_minutes(clock: Clock) -> None:
    """And just before that it still is."""
    held = sessions(clock)
    early, late = held.new_code(), held.new_code()
    clock.now = CODE_LIVES - 1
    assert held.trade(early) is not None
    clock.now = CODE_LIVES
    assert held.trade(late) is None


def test_a_session_lives_as_long_as_it_is_used(clock: Clock) -> None:
    """Twelve hours without a request end it."""
    held = sessions(clock)
    token = logged_in(held)
    for _ in range(3):
        clock.now += IDLE - 1
        assert held.admits(token)
    clock.now += IDLE
    assert not held.admits(token)
    clock.now -= IDLE
    assert not held.admits(token)


def test_sessions_end_one_by_one_and_all_at_once(clock: Clock) -> None:
    """By logging out, and when the keys change; open codes go with them."""
    held = sessions(clock)
    first, second, code = logged_in(held), logged_in(held), held.new_code()
    held.end(first)
    assert (held.admits(first), held.admits(second)) == (False, True)
    held.end_all()
    assert not held.admits(second)
    assert held.trade(code) is None


def test_neither_codes_nor_sessions_pile_up(clock: Clock) -> None:
    """The oldest go first."""
    held = sessions(clock)
    codes = [held.new_code() for _ in range(CODES + 1)]
    assert held.trade(codes[0]) is None
    assert held.trade(codes[1]) is not None
    tokens = [logged_in(held) for _ in range(SESSIONS + 1)]
    assert not held.admits(tokens[0])
    assert held.admits(tokens[1])


def test_only_hashes_are_kept(clock: Clock) -> None:
    """Neither codes nor tokens can be read from memory."""
    held = sessions(clock)
    held.new_code()
    logged_in(held)
    assert "obviously-fake" not in str(vars(held))


@pytest.mark.parametrize(
    ("host", "name"),
    [
        (b"127.0.0.1:8082", b"shunt_session_8082"),
        (b"[::1]:9000", b"shunt_session_9000"),
        (b"shunt.example", b"shunt_session_0"),
        (b"[::1]", b"shunt_session_0"),
    ],
)
def test_cookies_are_named_after_the_port(host: bytes, name: bytes) -> None:
    """Two shunts on one machine do not end each other's sessions."""
    assert cookie_name(((b"host", host),)) == name


def test_the_token_is_found_among_other_cookies() -> None:
    """In one header or several, and never that of another port."""
    headers: Headers = (
        (b"host", b"127.0.0.1:8082"),
        (b"cookie", b"theme=dark; shunt_session_9000=other"),
        (b"cookie", b"a=b; shunt_session_8082=mine; c=d"),
    )
    assert session_token(headers) == b"mine"
    assert session_token(headers[:2]) == b""


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites() -> None:
    """HttpOnly, SameSite=Strict, and Secure where there is TLS; an empty one takes it away."""
    headers: Headers = ((b"host", b"h:1"),)
    assert set_cookie(headers, "t", secure=False) == "shunt_session_1=t; HttpOnly; SameSite=Strict; Path=/"
    assert set_cookie(headers, "t", secure=True).endswith("; Secure")
    assert "Max-Age=0" in set_cookie(headers, "", secure=False)
