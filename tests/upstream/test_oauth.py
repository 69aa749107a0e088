"""Renewing a login: what is sent, what is accepted, and which refusals are final."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
import trio
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from shunt.accounts.credential import Identity, Login
from shunt.accounts.secret import Secret
from shunt.errors import CredentialError, ReauthRequired, RefreshFailed
from shunt.providers.anthropic import identities_of as anthropic
from shunt.providers.base import LoginKind
from shunt.providers.codex_login import expiry_of
from shunt.providers.codex_login import identities_of as chatgpt
from shunt.upstream.client import open_upstream
from shunt.upstream.oauth import LONGEST, SHORTEST, TokenEndpoint, lifetime, renewed
from shunt.upstream.timeouts import Timeouts
from tests.fakes.clocks import socket_clock
from tests.fakes.issuer import (
    ABSENT,
    TOKEN_PATH,
    Fault,
    Issuer,
    broken,
    failing,
    lost,
    odd,
    refused,
    replying,
    slow,
)
from tests.fakes.upstream import closed_port, scripted_upstream

T0 = 1_800_000_000.0
ACCOUNT = "11111111-aaaa-bbbb-cccc-000000000001"
JSON_KIND = LoginKind(lambda endpoints: endpoints.anthropic_token_url, "client-test", "json", anthropic)
CHATGPT_KIND = LoginKind(
    lambda endpoints: endpoints.openai_token_url, "client-test", "form", chatgpt, expiry_of
)
FORM_KIND = evolve(JSON_KIND, encoding="form")


@pytest.fixture
def clock() -> MockClock:
    return socket_clock()


def login_of(issuer: Issuer, **fields: Any) -> Login:
    tokens = issuer.grant("main")
    return Login(Secret(tokens.access), Secret(tokens.refresh), expires_at=T0, **fields)


async def renew(
    issuer: Issuer, login: Login, kind: LoginKind = JSON_KIND, *, path: str = TOKEN_PATH
) -> Login:
    async with scripted_upstream(issuer) as up, open_upstream(Timeouts()) as upstream:
        try:
            return await TokenEndpoint(upstream, lambda: T0).refresh(login, kind, up.url + path)
        finally:
            assert upstream.in_flight == 0


@pytest.mark.parametrize(("kind", "encoding"), [(JSON_KIND, "json"), (FORM_KIND, "form")])
async def test_sends_what_the_provider_expects(kind: LoginKind, encoding: str) -> None:
    """Grant type, token and client id go to the given address, encoded as the provider wants it."""
    issuer = Issuer()
    login = login_of(issuer)
    await renew(issuer, login, kind, path="/v1/oauth/token?x=y")
    (sent,) = issuer.calls
    assert sent.encoding == encoding
    assert sent.fields == {
        "grant_type": "refresh_token",
        "refresh_token": login.refresh.reveal(),
        "client_id": "client-test",
    }
    assert sent.request.target == b"/v1/oauth/token?x=y"
    assert {name.lower() for name, _ in sent.request.headers} == {
        b"host",
        b"accept",
        b"content-type",
        b"user-agent",
        b"content-length",
    }


async def test_returns_the_successor() -> None:
    """Tokens, expiry, scopes and who it belongs to come from the answer; the rest is kept."""
    issuer = Issuer(lifetime=28_800)
    login = login_of(issuer, identity=Identity(ACCOUNT, plan="max"), imported_from="/f")
    new = await renew(issuer, login)
    assert (new.access, new.refresh) == (
        Secret("sk-ant-oat01-test-main-2"),
        Secret("sk-ant-ort01-test-main-2"),
    )
    assert new.expires_at == T0 + 28_800
    assert new.scopes == ("user:inference", "user:profile")
    assert new.identity.account_id == ACCOUNT
    assert (new.identity.email, new.identity.plan) == ("main@example.test", "max")
    assert new.imported_from == "/f"


@pytest.mark.parametrize("value", [ABSENT, None, ""])
async def test_keeps_the_refresh_token_when_none_is_given(value: Any) -> None:
    """An answer without a refresh token means that the old one stays good."""
    issuer = Issuer()
    issuer.faults.append(odd(refresh_token=value, scope=None))
    login = login_of(issuer, scopes=("a",))
    new = await renew(issuer, login)
    assert new.refresh == login.refresh
    assert new.access != login.access
    assert new.scopes == ("a",)


PASSING: list[tuple[str, Fault, bool, str]] = [
    ("broken before", broken(), True, "closed the connection"),
    ("lost after", lost(), True, "closed the connection"),
    ("429", failing(429, b"{}", ((b"retry-after", b"7"),)), False, "asks to wait"),
    ("500", failing(500, b'{"error": "server_error"}'), False, "status 500 (server_error)"),
    ("503 without words", failing(503), False, "status 503"),
    ("529", failing(529, b"{}"), False, "status 529"),
    ("page of HTML", failing(403, b"<html>Attention Required</html>"), False, "status 403"),
    ("redirect", failing(302, b"", ((b"location", b"http://127.0.0.1:1/"),)), False, "redirected"),
    ("400 about the request", refused("invalid_request"), False, "invalid_request"),
    ("401 about the client", refused("invalid_client", 401), False, "invalid_client"),
    ("final words with a passing status", refused("invalid_grant", 503), False, "status 503"),
    ("empty 200", replying(b""), True, "not a login"),
    ("HTML 200", replying(b"<html></html>"), True, "not a login"),
    ("a list", replying(b"[]"), True, "not a login"),
    ("too much", replying(b"{" + b" " * 70_000 + b"}"), True, "far more"),
    ("no access token", odd(access_token=ABSENT), True, "without an access token"),
    ("newline in a token", odd(access_token="sk-ant-oat01-secret\nx"), True, "malformed access_token"),
    ("blank in a token", odd(refresh_token="sk-ant-ort01-secret x"), True, "malformed refresh_token"),
    ("token not ASCII", odd(access_token="sk-ant-secret-é"), True, "malformed access_token"),
    ("token a number", odd(access_token=7), True, "malformed access_token"),
    ("token too long", odd(access_token="x" * 20_000), True, "malformed access_token"),
]


@pytest.mark.parametrize(
    ("fault", "answer_lost", "text"), [it[1:] for it in PASSING], ids=[it[0] for it in PASSING]
)
async def test_what_may_pass_is_no_reason_to_log_in(fault: Fault, answer_lost: bool, text: str) -> None:
    """Failures of the endpoint or the network are passing; it is known whether the token may be spent,
    and neither the token nor the answer is quoted."""
    issuer = Issuer()
    issuer.faults.append(fault)
    login = login_of(issuer)
    with pytest.raises(RefreshFailed) as caught:
        await renew(issuer, login)
    assert text in str(caught.value)
    assert caught.value.answer_lost is answer_lost
    assert caught.value.retry_after == (7 if "wait" in text else None)
    assert len(issuer.calls) == 1
    assert "sk-ant" not in everything_said(caught.value)


FINAL: list[tuple[str, Fault]] = [
    ("invalid_grant", refused()),
    ("as 401", refused("invalid_grant", 401)),
    ("reused", failing(400, b'{"error": {"code": "refresh_token_reused", "message": "x"}}')),
    ("OpenAI's 401", failing(401, b'{"error": {"type": "x", "code": "refresh_token_expired"}}')),
    (
        "Anthropic's 404",
        failing(404, b'{"type": "error", "error": {"type": "not_found_error", "message": "x"}}'),
    ),
]


@pytest.mark.parametrize("fault", [it[1] for it in FINAL], ids=[it[0] for it in FINAL])
async def test_what_is_final_asks_for_a_person(fault: Fault) -> None:
    """The vendors' ways to say that a refresh token will never work again are recognised."""
    issuer = Issuer()
    issuer.faults.append(fault)
    with pytest.raises(ReauthRequired, match="refused to renew the login"):
        await renew(issuer, login_of(issuer))


@pytest.mark.parametrize("mine", [Identity("somebody-else"), Identity("", "another-organization")])
async def test_a_login_of_somebody_else_is_refused(mine: Identity) -> None:
    """An answer that names another account or organisation than the login's is not accepted."""
    issuer = Issuer()
    with pytest.raises(ReauthRequired, match="another account"):
        await renew(issuer, login_of(issuer, identity=mine))


async def test_waits_for_a_slow_endpoint(clock: MockClock) -> None:
    """29 seconds are waited for, 31 are not."""
    issuer = Issuer()
    issuer.faults += [slow(29), slow(31)]
    login = await renew(issuer, login_of(issuer))
    started = trio.current_time()
    with pytest.raises(RefreshFailed, match="within 30 s") as caught:
        await renew(issuer, login)
    assert caught.value.answer_lost
    assert 30 <= trio.current_time() - started < 31


async def test_an_endpoint_that_is_not_there_spends_nothing() -> None:
    """Without a connection the token is certainly unspent."""
    async with open_upstream(Timeouts()) as upstream:
        endpoint = TokenEndpoint(upstream, lambda: T0)
        with pytest.raises(RefreshFailed, match="cannot be reached") as caught:
            await endpoint.refresh(login_of(Issuer()), JSON_KIND, f"http://127.0.0.1:{closed_port()}/x")
        assert not caught.value.answer_lost


async def test_never_sends_a_login_in_the_clear() -> None:
    """An address without TLS is refused, except on this machine."""
    async with open_upstream(Timeouts()) as upstream:
        endpoint = TokenEndpoint(upstream, lambda: T0)
        with pytest.raises(RefreshFailed, match="without TLS"):
            await endpoint.refresh(login_of(Issuer()), JSON_KIND, "http://vendor.test/token")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (28_800, 28_800),
        ("28800", 28_800),
        (28_800.5, 28_800.5),
        (28_800_000, 28_800),
        (31_536_000_000, 31_536_000),
        (60, 60),
        (59, None),
        (0, None),
        (-5, None),
        (None, None),
        (True, None),
        ("soon", None),
        ([], None),
        (float("nan"), None),
        (float("inf"), None),
        (10**400, None),
    ],
)
def test_lifetimes(value: Any, seconds: float | None) -> None:
    """Seconds, their text or milliseconds; anything else says nothing."""
    assert lifetime(value) == seconds


def jwt(account: str, **claims: Any) -> str:
    """A token as OpenAI makes them, unsigned."""
    auth = {"https://api.openai.com/auth": {"chatgpt_account_id": account}} if account else {}
    parts = [json.dumps(part).encode() for part in ({"alg": "none"}, {**auth, **claims})]
    return ".".join([*(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts), "c2ln"])


def chatgpt_login(account: str = "", **fields: Any) -> Login:
    return Login(Secret(jwt(account)), Secret("rt-1"), T0, **fields)


@pytest.mark.parametrize(
    ("held", "access", "identity", "good"),
    [
        (chatgpt_login("acct-1"), "acct-1", "acct-1", True),
        (chatgpt_login(identity=Identity("acct-1")), "acct-1", "", True),
        (chatgpt_login("acct-1"), "", "", True),
        (chatgpt_login(), "acct-1", "acct-1", True),
        (chatgpt_login("acct-1"), "acct-2", "acct-1", False),
        (chatgpt_login(identity=Identity("acct-1")), "", "acct-2", False),
        (chatgpt_login(), "acct-1", "acct-2", False),
        (chatgpt_login(id_token=Secret(jwt("acct-1"))), "acct-2", "", False),
    ],
    ids=[
        "the same",
        "known by the file",
        "nameless",
        "learnt",
        "another's access token",
        "another's identity token",
        "two accounts in one answer",
        "known by its identity token only",
    ],
)
def test_a_chatgpt_login_stays_with_its_account(held: Login, access: str, identity: str, good: bool) -> None:
    """OpenAI's answer names no account: its tokens do, and both have to say the account that was asked for."""
    document = {"access_token": jwt(access, n=2), "refresh_token": "rt-2", "id_token": jwt(identity, n=2)}
    answer = json.dumps(document).encode()
    if good:
        assert renewed(held, CHATGPT_KIND, answer, T0, "host:443").refresh == Secret("rt-2")
        return
    with pytest.raises(ReauthRequired, match="another account"):
        renewed(held, CHATGPT_KIND, answer, T0, "host:443")


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"exp": T0 + 864_000}, T0 + 864_000),
        ({"exp": T0 - 5}, T0 + 3600),
        ({"exp": "soon"}, T0 + 3600),
        ({}, T0 + 3600),
    ],
    ids=["sensible", "over already", "nonsense", "silent"],
)
def test_a_chatgpt_token_says_when_it_ends(said: dict[str, Any], expected: float) -> None:
    """Where the answer has no `expires_in`; where it has one, that counts."""
    answer = {"access_token": jwt("acct-1", **said), "refresh_token": "rt-2"}
    held = chatgpt_login("acct-1")
    without = renewed(held, CHATGPT_KIND, json.dumps(answer).encode(), T0, "host:443")
    assert without.expires_at == expected
    counted = json.dumps({**answer, "expires_in": 900}).encode()
    assert renewed(held, CHATGPT_KIND, counted, T0, "host:443").expires_at == T0 + 900


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
FIELDS = (
    "access_token",
    "refresh_token",
    "expires_in",
    "scope",
    "id_token",
    "account",
    "organization",
    "error",
)


@given(st.dictionaries(st.sampled_from(FIELDS), JSON) | JSON, st.sampled_from([JSON_KIND, CHATGPT_KIND]))
def test_any_answer_is_a_login_or_an_error_of_ours(document: Any, kind: LoginKind) -> None:
    """Whatever JSON comes, the result is a login that can be sent, or one of our errors."""
    held = Login(Secret("a"), Secret("r"), None)
    try:
        new = renewed(held, kind, json.dumps(document).encode(), T0, "host:443")
    except CredentialError:
        return
    for secret in (new.access, new.refresh):
        assert secret.reveal().isascii()
        assert not set(secret.reveal()) & set(" \r\n\t")
    assert new.expires_at is not None
    assert SHORTEST <= round(new.expires_at - T0, 3) <= LONGEST


def everything_said(error: BaseException | None) -> str:
    """Texts and representations of an error and all it came from."""
    said = ""
    while error is not None:
        said += f"{error} {error!r} {error.args} "
        error = error.__cause__ or error.__context__
    return said
