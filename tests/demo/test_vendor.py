"""The simulated vendor."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shunt.demo.http1 import Answer, Request
from shunt.demo.login import SimulatedLogin
from shunt.demo.quota import WEEK, Quota
from shunt.demo.vendor import TOKEN_PATH, SimulatedAccount, Vendor

T0 = 1_900_000_000.0
HI = {"model": "claude-sonnet-5-5", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}


def vendor(*names: str, answers: int = 2) -> Vendor:
    quota = Quota(answers=answers, period=30.0, weekly=0.1, week_ends=T0 + WEEK)
    return Vendor(lambda: T0, {name: SimulatedAccount(SimulatedLogin(name), quota) for name in names})


def call(
    where: Vendor,
    path: str,
    body: Any = None,
    *,
    account: str = "coral",
    method: str = "POST",
    token: str = "",
) -> Answer:
    token = token or where.accounts[account].login.access
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return where.answer(Request(method, path, ((b"authorization", f"Bearer {token}".encode()),), data))


def document(answer: Answer) -> Any:
    return json.loads(b"".join(answer.pieces))


def renew(where: Vendor, refresh: str) -> Answer:
    form = {"grant_type": "refresh_token", "refresh_token": refresh, "client_id": "x"}
    return where.answer(Request("POST", TOKEN_PATH, (), json.dumps(form).encode()))


def test_answers_carry_the_windows_of_the_account() -> None:
    """Every answer says how much of the account's window is used."""
    answer = call(vendor("coral"), "/v1/messages?beta=true", HI)
    assert answer.status == 200
    assert dict(answer.headers)["anthropic-ratelimit-unified-5h-utilization"] == "0.50"
    assert document(answer)["content"][0]["text"].startswith("This is coral")


def test_streams_come_in_many_pieces_at_a_pace() -> None:
    """With `stream` the answer trickles."""
    answer = call(vendor("coral"), "/v1/messages", {**HI, "stream": True})
    assert dict(answer.headers)["content-type"].startswith("text/event-stream")
    assert len(list(answer.pieces)) > 10
    assert answer.pause > 0


def test_a_spent_account_is_refused_until_its_reset_and_others_are_not() -> None:
    """After its answers an account gets a 429 that names the reset; the next account serves."""
    where = vendor("coral", "reef")
    for _ in range(2):
        assert call(where, "/v1/messages", HI).status == 200
    refused = call(where, "/v1/messages", HI)
    assert refused.status == 429
    headers = dict(refused.headers)
    assert headers["anthropic-ratelimit-unified-5h-status"] == "rejected"
    assert headers["retry-after"] == "30"
    assert document(refused)["error"]["type"] == "rate_limit_error"
    assert call(where, "/v1/messages", HI, account="reef").status == 200


def test_an_ended_access_token_meets_401_until_it_is_renewed() -> None:
    """401, then the token endpoint, then the new token works and the old refresh token does not."""
    where = vendor("coral")
    old = where.accounts["coral"].login
    where.end_access("coral")
    assert call(where, "/v1/messages", HI, token=old.access).status == 401
    pair = document(renew(where, old.refresh))
    assert call(where, "/v1/messages", HI, token=pair["access_token"]).status == 200
    assert renew(where, old.refresh).status == 400
    assert where.refreshes("coral") == 1


def test_token_endpoint_takes_a_form_as_well() -> None:
    """OAuth's own encoding of a refresh is understood."""
    where = vendor("coral")
    body = f"grant_type=refresh_token&refresh_token={where.accounts['coral'].login.refresh}".encode()
    assert document(where.answer(Request("POST", TOKEN_PATH, (), body)))["expires_in"] > 0


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/models", 200),
        ("GET", "/v1/models?limit=1000", 200),
        ("POST", "/v1/messages/count_tokens", 200),
        ("GET", "/api/oauth/usage", 200),
        ("GET", "/v1/messages", 404),
        ("POST", "/v1/complete", 404),
    ],
)
def test_calls_beside_messages(method: str, path: str, status: int) -> None:
    """What shunt and an agent ask besides costs no quota; anything else is an error of the API."""
    where = vendor("coral")
    answer = call(where, path, HI, method=method)
    assert answer.status == status
    assert where.accounts["coral"].quota.given == 0
    assert isinstance(document(answer), dict)


def test_a_stranger_gets_nothing() -> None:
    """Without a known token there is only a 401."""
    assert call(vendor("coral"), "/v1/models", method="GET", token="sk-test-other").status == 401


@given(
    st.binary(max_size=60) | st.sampled_from([b'{"messages": 1}', b"[]", b'{"messages":[{"content":[1]}]}'])
)
def test_any_body_gets_an_answer(body: bytes) -> None:
    """No request can break the vendor."""
    for path in ("/v1/messages", "/v1/messages/count_tokens", TOKEN_PATH):
        assert call(vendor("coral"), path, body).status in (200, 400)
