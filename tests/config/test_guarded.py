from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shunt.accounts.secret import Secret
from shunt.config import guarded
from shunt.config.misread import Misread
from shunt.config.values import Reader

URL = guarded.service_address(optional=True)
ENDPOINT = guarded.service_address(optional=False)
PROXY = guarded.proxy_address()
VARIABLE = guarded.variable()
DIGEST = guarded.digest()
UPSTREAM_KEY = guarded.upstream_key()
CALLER_KEY = guarded.caller_key()
HEADERS = guarded.header_table()


@pytest.mark.parametrize(
    ("reader", "written", "value"),
    [
        (URL, "", ""),
        (URL, "https://Example.com/", "https://example.com"),
        (PROXY, "", ""),
        (PROXY, "socks5://u:p@127.0.0.1:1080", "socks5://u:p@127.0.0.1:1080"),
        (VARIABLE, "ANTHROPIC_API_KEY", "ANTHROPIC_API_KEY"),
        (DIGEST, "AB" * 32, "ab" * 32),
        (UPSTREAM_KEY, "", Secret("")),
        (UPSTREAM_KEY, "sk-test-1", Secret("sk-test-1")),
        (CALLER_KEY, "", Secret("")),
        (CALLER_KEY, "let-me-in-1234", Secret("let-me-in-1234")),
        (HEADERS, {"x-team": "a b\tc"}, {"x-team": "a b\tc"}),
    ],
)
def test_what_is_read(reader: Reader, written: Any, value: Any) -> None:
    """Addresses come back normalised, keys as secrets."""
    assert reader.read(written) == value


@pytest.mark.parametrize(
    ("reader", "written", "said"),
    [
        (ENDPOINT, "", "must start with"),
        (URL, "https://u:hunter2@example.com", "user name"),
        (URL, 5, "a number"),
        (PROXY, "ftp://u:hunter2@example.com", "must start with"),
        (VARIABLE, "sk-hunter2", "not the key itself"),
        (DIGEST, "hunter2", "64 hexadecimal digits"),
        (DIGEST, "g" * 64, "64 hexadecimal digits"),
        (UPSTREAM_KEY, "hunter2\n", "without spaces"),
        (UPSTREAM_KEY, "hunter2 x", "without spaces"),
        (UPSTREAM_KEY, "hunter2é", "visible ASCII"),
        (UPSTREAM_KEY, ["hunter2"], "a list"),
        (CALLER_KEY, "hunter2", "at least 8"),
        (CALLER_KEY, "changeme", "sample key"),
        (CALLER_KEY, "aaaaaaaaaaaa", "sample key"),
        (HEADERS, {"x a": "hunter2"}, "no header name"),
        (HEADERS, {"x-a": "hunter2\r\nHost: evil"}, "on one line"),
        (HEADERS, {"x-a": 1}, "a text"),
        (HEADERS, {"Host": "hunter2"}, "belongs to the connection"),
        (HEADERS, {"Transfer-Encoding": "hunter2"}, "belongs to the connection"),
        (HEADERS, "hunter2", "must be a table"),
    ],
)
def test_what_is_refused_is_not_shown(reader: Reader, written: Any, said: str) -> None:
    """The message names the fault; the value, which may be a password, stays out of it."""
    with pytest.raises(Misread, match=said) as caught:
        reader.read(written)
    assert "hunter2" not in str(caught.value)


@given(
    st.one_of(
        st.text(min_size=8).map(lambda text: f"{text}\u00e9canary"), st.binary(), st.lists(st.just("canary"))
    )
)
def test_no_refusal_shows_the_value(value: object) -> None:
    """Whatever was pasted into a key's place, no message repeats it."""
    for reader in (URL, ENDPOINT, PROXY, VARIABLE, DIGEST, UPSTREAM_KEY, CALLER_KEY, HEADERS):
        try:
            reader.read(value)
        except Misread as complaint:
            said = str(complaint)
        else:
            continue
        assert "canary" not in said
