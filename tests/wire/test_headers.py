"""Header lists."""

from __future__ import annotations

from urllib.parse import unquote

import pytest

from shunt.wire import headers
from shunt.wire.headers import Headers, worded

MIXED: Headers = ((b"X-One", b"1"), (b"x-two", b"2"), (b"X-ONE", b"3"))


def test_lookups_ignore_case() -> None:
    """Names are found in any spelling and values come back as they are."""
    assert headers.get(MIXED, b"x-one") == b"1"
    assert headers.get(MIXED, b"x-none") is None
    assert headers.get_all(MIXED, b"x-one") == (b"1", b"3")
    assert headers.text(((b"A", b" b\xff "),), b"a") == "b\ufffd"
    assert headers.text((), b"a") is None


def test_hop_by_hop_headers_stay_behind() -> None:
    """So do those that Connection names, on however many lines."""
    came: Headers = (
        (b"Connection", b"X-Private, keep-alive"),
        (b"connection", b"x-more"),
        (b"X-Private", b"1"),
        (b"X-More", b"1"),
        (b"Keep-Alive", b"timeout=5"),
        (b"TE", b"trailers"),
        (b"Transfer-Encoding", b"chunked"),
        (b"Proxy-Authorization", b"Basic x"),
        (b"X-Kept", b"1"),
    )
    assert headers.end_to_end(came) == ((b"X-Kept", b"1"),)


@pytest.mark.parametrize(
    ("came", "expected"),
    [
        (MIXED, ((b"X-One", b"new"), (b"x-two", b"2"))),
        (((b"a", b"1"),), ((b"a", b"1"), (b"x-one", b"new"))),
        ((), ((b"x-one", b"new"),)),
    ],
)
def test_one_line_is_replaced(came: Headers, expected: Headers) -> None:
    """Place and spelling of the first line remain; the others of that name go."""
    assert headers.replaced(came, b"x-one", b"new") == expected


@pytest.mark.parametrize(
    ("came", "expected"),
    [
        ((), ((b"beta", b"new"),)),
        (((b"Beta", b"one, two"),), ((b"Beta", b"one,two,new"),)),
        (((b"Beta", b"new,one"),), ((b"Beta", b"new,one"),)),
        (
            ((b"beta", b"one"), (b"a", b"1"), (b"beta", b"two,one,")),
            ((b"beta", b"one,two,new"), (b"a", b"1")),
        ),
    ],
)
def test_tokens_are_merged_once(came: Headers, expected: Headers) -> None:
    """Order is kept, duplicates and empty tokens vanish, several lines become one."""
    assert headers.with_tokens(came, b"beta", (b"new",)) == expected


@pytest.mark.parametrize(
    ("came", "expected"),
    [
        (((b"Beta", b"one, old ,two"),), ((b"Beta", b"one,two"),)),
        (((b"Beta", b"old"),), ()),
        (((b"Beta", b"one,  two"), (b"a", b"old")), ((b"Beta", b"one,  two"), (b"a", b"old"))),
        (((b"Beta", b"older"),), ((b"Beta", b"older"),)),
    ],
)
def test_a_token_is_taken_out(came: Headers, expected: Headers) -> None:
    """Lines without the token are not touched, not even their blanks; an empty line goes."""
    assert headers.without_token(came, b"beta", b"old") == expected


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ((), b""),
        (("seed", "n", "seed"), b"seed, n"),
        (("a\r\nb", "\x1b[31m", "h\u00e4", "\ud800", " c "), b"a??b, ?[31m, h?, ..."),
        (("aaaa", "bbbb", "cccccccc", "d"), b"aaaa, bbbb, ..."),
        (("a" * 99,), b", ..."),
    ],
)
def test_names_make_a_header_that_every_client_can_read(names: tuple[str, ...], expected: bytes) -> None:
    """Whatever they hold, and however many there are; a cut leaves no blank at the end, which HTTP forbids."""
    assert headers.listed(names, 20) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [("main", b"main"), ("a b/c@d%", b"a b/c@d%"), ("my acc ü", b"my acc %C3%BC"), ("ü%", b"%C3%BC%25")],
)
def test_a_name_of_any_letters_fits_into_a_header(name: str, expected: bytes) -> None:
    """Unchanged where it can be; else in a form that is read back exactly."""
    assert worded(name) == expected
    assert name.isascii() or unquote(expected.decode()) == name
