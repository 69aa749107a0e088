"""The record of ChatGPT logins."""

from __future__ import annotations

import pytest
from attrs import evolve

from shunt.accounts.credential import Identity
from shunt.config.types import EndpointsConfig
from shunt.errors import NotFound
from shunt.inference.inbound import Operation, Outline
from shunt.providers.build import build_call
from shunt.providers.codex import PROVIDER, complete, place, shown
from shunt.wire.headers import Headers
from tests.providers.requests import LOGIN, account, inbound, lookup

ACCOUNT = account(provider="codex", base_url="https://chatgpt.com/backend-api/codex", subscription=True)
CODEX: Headers = (
    (b"originator", b"codex_exec"),
    (b"session-id", b"s-1"),
    (b"x-codex-turn-metadata", b"{}"),
    (b"accept", b"text/event-stream"),
)


@pytest.mark.parametrize(
    ("base", "path", "expected"),
    [
        ("/backend-api/codex", "/v1/responses", "/backend-api/codex/responses"),
        ("/backend-api/codex", "/v1/responses/compact", "/backend-api/codex/responses/compact"),
        ("", "/v1/responses", "/backend-api/codex/responses"),
        ("/v1", "/v1/responses", "/v1/responses"),
        ("/backend-api/codex", "/backend-api/wham/usage", "/backend-api/wham/usage"),
        ("/backend-api/codex", "/api/codex/usage", "/backend-api/wham/usage"),
        ("", "/wham/usage", "/backend-api/wham/usage"),
        ("/v1", "/wham/usage", "/api/codex/usage"),
        ("/team/v1", "/api/codex/usage", "/team/api/codex/usage"),
    ],
)
def test_where_calls_go(base: str, path: str, expected: str) -> None:
    """The model under the backend's own path, the usage beside it, as Codex itself finds them."""
    assert place(base, path) == expected


def test_a_client_that_is_codex_speaks_for_itself() -> None:
    """Its headers pass, with the login and its account put in."""
    login = evolve(LOGIN, identity=Identity(account_id="acct-1"))
    call = build_call(ACCOUNT, PROVIDER, login, inbound(path="/v1/responses", headers=CODEX))
    assert call.target == b"/backend-api/codex/responses"
    assert lookup(call.headers, b"authorization") == [b"Bearer sk-test-access"]
    assert lookup(call.headers, b"chatgpt-account-id") == [b"acct-1"]
    assert lookup(call.headers, b"originator") == [b"codex_exec"]
    assert lookup(call.headers, b"x-codex-turn-metadata") == [b"{}"]
    assert not lookup(call.headers, b"session_id")


def test_another_client_is_not_dressed_up_as_codex() -> None:
    """It says who it is, asks for a stream, and names its conversation."""
    said = inbound(
        path="/v1/responses",
        headers=((b"Accept", b"application/json"),),
        outline=Outline("m", session="conv-1"),
    )
    headers = complete(ACCOUNT, said, said.headers)
    assert lookup(headers, b"originator") == [b"shunt"]
    assert lookup(headers, b"accept") == [b"text/event-stream"]
    assert lookup(headers, b"session_id") == [b"conv-1"]


@pytest.mark.parametrize("session", ["", "with blank", "x" * 65, "é"])
def test_a_session_that_no_header_may_hold_is_left_out(session: str) -> None:
    """The body still names it."""
    said = inbound(outline=Outline("m", session=session))
    assert not lookup(complete(ACCOUNT, said, ()), b"session_id")


def test_side_calls_are_left_as_they_are() -> None:
    """There is no conversation to name."""
    assert complete(ACCOUNT, inbound(operation=Operation.PASS), CODEX) == CODEX


def test_a_turns_state_comes_back_to_its_own_account() -> None:
    """The client echoes it; another account never sees it."""
    kept = shown(ACCOUNT, ((b"X-Codex-Turn-State", b"opaque.token"), (b"x", b"y")))
    assert lookup(kept, b"x-codex-turn-state") != [b"opaque.token"]
    again = complete(ACCOUNT, inbound(), kept)
    assert lookup(again, b"x-codex-turn-state") == [b"opaque.token"]
    elsewhere = complete(evolve(ACCOUNT, name="other"), inbound(), kept)
    assert not lookup(elsewhere, b"x-codex-turn-state")


def test_a_state_that_is_not_marked_passes() -> None:
    """The conversation began without shunt."""
    told = ((b"x-codex-turn-state", b"opaque"),)
    assert lookup(complete(ACCOUNT, inbound(), told), b"x-codex-turn-state") == [b"opaque"]
    assert shown(ACCOUNT, ((b"x", b"y"),)) == ((b"x", b"y"),)


def test_nothing_else_is_asked() -> None:
    """Not who the person is, nor anything of ChatGPT itself."""
    with pytest.raises(NotFound):
        build_call(ACCOUNT, PROVIDER, LOGIN, inbound(method="GET", path="/backend-api/me"))


def test_logins_are_renewed_by_form() -> None:
    """At an address that can be moved; the usage endpoint is free."""
    assert PROVIDER.login is not None
    assert PROVIDER.login.encoding == "form"
    assert PROVIDER.login.token_url(EndpointsConfig()) == "https://auth.openai.com/oauth/token"
    assert PROVIDER.default_url is not None
    assert PROVIDER.default_url(EndpointsConfig()) == "https://chatgpt.com/backend-api/codex"
