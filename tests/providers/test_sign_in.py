"""Addresses and answers of a login by a person."""

from __future__ import annotations

import base64
import hashlib
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shunt.errors import LoginFailed
from shunt.providers import provider_named
from shunt.providers.sign_in import (
    SignIn,
    Stranger,
    authorize_address,
    beside,
    read_pasted,
    read_redirect,
    ticket,
)

TICKET = ticket(bytes(range(64)))
STATE = TICKET.state.reveal()


def sign_in(provider: str = "anthropic") -> SignIn:
    kind = provider_named(provider).login
    assert kind is not None
    assert kind.sign_in is not None
    return kind.sign_in


def test_a_ticket_is_256_bits_of_each() -> None:
    """Verifier and state are as long as RFC 7636 asks for, differ, and are shown by nothing."""
    assert len(TICKET.verifier) == len(TICKET.state) == 43
    assert TICKET.verifier != TICKET.state
    assert STATE not in repr(TICKET)
    assert TICKET.verifier.reveal() not in repr(TICKET)
    with pytest.raises(ValueError, match="64"):
        ticket(b"short")


def test_the_challenge_is_s256_of_the_verifier() -> None:
    """By the definition of RFC 7636 §4.2."""
    digest = hashlib.sha256(TICKET.verifier.reveal().encode()).digest()
    assert TICKET.challenge == base64.urlsafe_b64encode(digest).decode().rstrip("=")


@pytest.mark.parametrize("pasted", [False, True])
def test_the_address_holds_everything_but_the_verifier(*, pasted: bool) -> None:
    """Parameters of a configured page stay; `code=true` asks Anthropic to show the code."""
    page = authorize_address(
        sign_in(), "https://x.test/a?tenant=7", "client", "http://localhost:1/cb", TICKET, pasted=pasted
    )
    found = dict(parse_qsl(urlsplit(page).query))
    assert found["tenant"] == "7"
    assert found["code_challenge_method"] == "S256"
    assert found["code_challenge"] == TICKET.challenge
    assert found["redirect_uri"] == "http://localhost:1/cb"
    assert found["state"] == STATE
    assert "user:inference" in found["scope"].split()
    assert found.get("code") == ("true" if pasted else None)
    assert TICKET.verifier.reveal() not in page


def test_the_code_of_a_redirect_is_read() -> None:
    """In whatever order its parameters come."""
    assert read_redirect(f"state={STATE}&code=abc&iss=x", TICKET).reveal() == "abc"


@pytest.mark.parametrize(
    "query", ["", "code=a", f"code=a&state={STATE}x", "code=a&state=", f"code=a&state={STATE}&state=b"]
)
def test_a_redirect_of_another_login_is_a_stranger(query: str) -> None:
    """Neither its code nor its error counts."""
    with pytest.raises(Stranger):
        read_redirect(query, TICKET)


@pytest.mark.parametrize(
    "text",
    [
        f"abc#{STATE}",
        f"  abc#{STATE}\n",
        f"http://localhost:1455/auth/callback?code=abc&state={STATE}",
        f"https://platform.claude.com/oauth/code/callback?code=abc&state={STATE}",
        f"/callback?code=abc&state={STATE}",
    ],
)
def test_what_people_paste_is_understood(text: str) -> None:
    """The code as the page shows it, or the address the browser stands at."""
    assert read_pasted(text, TICKET).reveal() == "abc"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Nothing"),
        ("abc", "incomplete"),
        ("abc#wrong", "another login"),
        (f"#{STATE}", "neither"),
        ("http://[::1", "another login"),
        ("x" * 20_000, "longer"),
        (f"{'x' * 9000}#{STATE}", "not a code"),
        (f"http://localhost/?error=access_denied&state={STATE}", "declined"),
    ],
)
def test_what_cannot_be_used_is_told_without_repeating_it(text: str, said: str) -> None:
    """Each slip has its own words."""
    with pytest.raises(LoginFailed, match=said) as caught:
        read_pasted(text, TICKET)
    assert STATE not in str(caught.value)


@settings(max_examples=50)
@given(st.text(max_size=300))
def test_any_paste_is_a_code_or_a_refusal(text: str) -> None:
    """Never another error."""
    with pytest.raises(LoginFailed):
        read_pasted(text, TICKET)


def test_the_endpoint_beside_the_token_endpoint() -> None:
    """Whoever moves one moves the other along."""
    assert beside("https://h.test:8/x/oauth/token?a=b", "revoke") == "https://h.test:8/x/oauth/revoke"
