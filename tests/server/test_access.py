"""Keys: who needs one, which one opens what, and what guessing leads to."""

from __future__ import annotations

from hashlib import sha256

import pytest

from shunt.accounts.secret import Secret
from shunt.config.clients import ClientConfig
from shunt.config.types import Config, ServerConfig
from shunt.errors import NotAllowed, NotAuthenticated
from shunt.server.access import Access, Caller, Visit, presented_keys
from shunt.server.errors import TurnedAway
from shunt.server.routes import Surface
from shunt.wire.headers import Headers

PROXY, CONTROL, OPEN = Surface.PROXY, Surface.CONTROL, Surface.OPEN


def digest(key: str) -> str:
    return sha256(key.encode()).hexdigest()


KEYLESS = Config()
KEYED = Config(
    server=ServerConfig(remote_key=Secret("let-me-in-1234")),
    clients=(
        ClientConfig("laptop", digest("laptop-key-5678"), ("work", "default")),
        ClientConfig("desk", digest("desk-key-9999"), admin=True),
    ),
)


def api(key: str) -> Headers:
    return ((b"X-Api-Key", key.encode()),)


def bearer(key: str) -> Headers:
    return ((b"Authorization", b"Bearer " + key.encode()),)


def visit(surface: Surface, headers: Headers = (), *, local: bool = True, peer: str = "") -> Visit:
    return Visit(surface, headers, local, peer or ("127.0.0.1" if local else "192.168.1.7"))


def access(config: Config) -> Access:
    return Access(config, lambda: 0.0)


def test_this_machine_needs_no_key_until_one_is_set() -> None:
    """Without any key, local callers use everything, all pools."""
    for surface in (PROXY, CONTROL):
        assert access(KEYLESS).admit(visit(surface)) == Caller(admin=True)
        assert access(KEYLESS).admit(visit(surface, bearer("sk-test-whatever"))).pools is None


@pytest.mark.parametrize("surface", [PROXY, CONTROL])
def test_other_machines_are_never_let_in_without_a_key(surface: Surface) -> None:
    """Also when none is set, which a tunnel to a local port makes possible."""
    with pytest.raises(NotAuthenticated):
        access(KEYLESS).admit(visit(surface, local=False))
    with pytest.raises(NotAuthenticated):
        access(KEYED).admit(visit(surface, local=False))


@pytest.mark.parametrize("local", [True, False])
def test_health_is_always_open(local: bool) -> None:
    """It says nothing, so anybody may ask; but as nobody."""
    assert access(KEYED).admit(visit(OPEN, local=local)) == Caller()


@pytest.mark.parametrize("local", [True, False])
@pytest.mark.parametrize("headers", [api("laptop-key-5678"), bearer("laptop-key-5678")])
def test_a_client_s_key_opens_the_proxy_for_its_pools(local: bool, headers: Headers) -> None:
    """By either header, with the name and the pools of its entry."""
    caller = access(KEYED).admit(visit(PROXY, headers, local=local))
    assert caller == Caller("laptop", frozenset({"work", "default"}), logins=False)


@pytest.mark.parametrize("local", [True, False])
@pytest.mark.parametrize(
    "headers",
    [
        (),
        api("wrong"),
        bearer("wrong"),
        api(""),
        bearer(""),
        ((b"authorization", b"Basic bGV0LW1lLWluLTEyMzQ="),),
        ((b"authorization", b"let-me-in-1234"),),
        api(digest("laptop-key-5678")),
        api("laptop-key-5678 "),
        api("LET-ME-IN-1234"),
        api("x" * 1_000_000),
        ((b"x-api-key", b"\x00\xff"),),
    ],
)
def test_once_a_key_is_set_the_proxy_wants_it_from_everybody(local: bool, headers: Headers) -> None:
    """Missing, wrong, empty, odd: all the same refusal."""
    with pytest.raises(NotAuthenticated):
        access(KEYED).admit(visit(PROXY, headers, local=local))


@pytest.mark.parametrize(
    "headers",
    [
        (*api("laptop-key-5678"), *bearer("sk-ant-oat-test")),
        (*api("sk-test-vendor"), *bearer("laptop-key-5678")),
        (*api("let-me-in-1234"), *bearer("laptop-key-5678")),
    ],
)
def test_with_two_credentials_either_may_be_the_right_one(headers: Headers) -> None:
    """Claude Code sends both headers when both of its variables are set."""
    assert access(KEYED).admit(visit(PROXY, headers)).name in ("laptop", "")


def test_control_from_elsewhere_needs_an_admin_key() -> None:
    """`remote_key` and clients with `admin = true` are; other keys are told so."""
    assert access(KEYED).admit(visit(CONTROL, api("let-me-in-1234"), local=False)).admin
    assert access(KEYED).admit(visit(CONTROL, api("desk-key-9999"), local=False)).name == "desk"
    with pytest.raises(NotAllowed, match="laptop"):
        access(KEYED).admit(visit(CONTROL, api("laptop-key-5678"), local=False))


def test_control_from_this_machine_stays_open() -> None:
    """The command line works beside keys for others."""
    assert access(KEYED).admit(visit(CONTROL)).admin


def test_an_empty_remote_key_opens_nothing() -> None:
    """Unset means switched off, not "matches an empty credential"."""
    only = access(Config(clients=KEYED.clients))
    for headers in (api(""), bearer(""), ()):
        with pytest.raises(NotAuthenticated):
            only.admit(visit(PROXY, headers))


def test_new_keys_count_at_once() -> None:
    """A changed configuration takes effect with the next request."""
    changing = access(KEYED)
    changing.configure(Config(clients=(ClientConfig("new", digest("new-key-0000")),)))
    assert changing.admit(visit(PROXY, api("new-key-0000"))).name == "new"
    with pytest.raises(NotAuthenticated):
        changing.admit(visit(PROXY, api("laptop-key-5678")))


def guess(guarded: Access, count: int, *, local: bool, peer: str = "") -> None:
    for _ in range(count):
        with pytest.raises((NotAuthenticated, TurnedAway)):
            guarded.admit(visit(PROXY, api("wrong"), local=local, peer=peer))


def test_guessing_from_elsewhere_is_stopped_for_a_minute() -> None:
    """After ten wrong keys no key from that address is looked at; others are not concerned."""
    clock = [0.0]
    guarded = Access(KEYED, lambda: clock[0])
    right = api("laptop-key-5678")
    guess(guarded, 10, local=False)
    with pytest.raises(TurnedAway) as refused:
        guarded.admit(visit(PROXY, right, local=False))
    assert refused.value.failure.http_status == 429
    assert refused.value.failure.retry_after == 60
    assert guarded.admit(visit(PROXY, right, local=False, peer="192.168.1.8")).name == "laptop"
    clock[0] = 61.0
    assert guarded.admit(visit(PROXY, right, local=False)).name == "laptop"


def test_wrong_keys_are_forgiven_when_they_are_rare() -> None:
    """Nine in a minute, then nine in the next, close nothing."""
    clock = [0.0]
    guarded = Access(KEYED, lambda: clock[0])
    for minute in range(3):
        clock[0] = minute * 61.0
        guess(guarded, 9, local=False)
    assert guarded.admit(visit(PROXY, api("laptop-key-5678"), local=False)).name == "laptop"


def test_guessing_through_loopback_never_locks_the_owner_out() -> None:
    """Wrong keys get a 429 in the end, a right one always passes: a tunnel's callers all look local."""
    guarded = access(KEYED)
    guess(guarded, 10, local=True)
    with pytest.raises(TurnedAway) as refused:
        guarded.admit(visit(PROXY, api("wrong")))
    assert refused.value.failure.http_status == 429
    assert guarded.admit(visit(PROXY, api("laptop-key-5678"))).name == "laptop"


def test_a_thousand_wrong_keys_are_one_line_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    """The log names count and address, and never the key."""
    clock = [0.0]
    guarded = Access(KEYED, lambda: clock[0])
    guess(guarded, 1000, local=True)
    assert len(caplog.records) == 1
    clock[0] = 61.0
    guess(guarded, 1, local=True)
    assert [record.getMessage() for record in caplog.records] == [
        "1 requests came with a wrong key, the last from 127.0.0.1",
        "1000 requests came with a wrong key, the last from 127.0.0.1",
    ]


def test_the_memory_for_addresses_is_bounded() -> None:
    """A million addresses cost no more than a thousand."""
    guarded = access(KEYED)
    for number in range(3000):
        guess(guarded, 1, local=False, peer=f"10.0.{number // 250}.{number % 250}")
    assert len(guarded._guesses) == 1024


def test_keys_are_found_in_every_header_that_may_hold_one() -> None:
    """Any case of name and scheme; empty ones count as none."""
    headers = (
        (b"x-api-key", b"a"),
        (b"AUTHORIZATION", b"bearer  b "),
        (b"X-API-KEY", b""),
        (b"cookie", b"c"),
    )
    assert presented_keys(headers) == (b"a", b"b")
