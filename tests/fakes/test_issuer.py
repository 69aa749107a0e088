"""The token endpoint rotates, refuses and fails as its faults say."""

from __future__ import annotations

import json

import pytest

from tests.fakes.client import ask
from tests.fakes.http1 import PeerLeft
from tests.fakes.issuer import ABSENT, TOKEN_PATH, Issuer, failing, lost, odd, refused
from tests.fakes.upstream import Answer, by_path, scripted_upstream

JSON = ((b"content-type", b"application/json"),)


def refresh_body(token: str) -> bytes:
    return json.dumps({"grant_type": "refresh_token", "refresh_token": token, "client_id": "test"}).encode()


async def test_rotates_and_revokes_on_reuse() -> None:
    """A refresh token works once; a second use ends the whole family."""
    issuer = Issuer()
    first = issuer.grant("main")
    async with scripted_upstream(issuer) as up:
        answer = await ask(up.port, b"POST", b"/", JSON, refresh_body(first.refresh))
        second = json.loads(answer.body)
        assert (second["access_token"], second["refresh_token"]) == (
            "sk-ant-oat01-test-main-2",
            "sk-ant-ort01-test-main-2",
        )
        assert issuer.accepts(second["access_token"])
        again = await ask(up.port, b"POST", b"/", JSON, refresh_body(first.refresh))
        assert (again.status, json.loads(again.body)["error"]) == (400, "invalid_grant")
        assert not issuer.accepts(second["access_token"])
    assert [call.encoding for call in issuer.calls] == ["json", "json"]


async def test_accepts_a_form() -> None:
    """Both encodings in use are understood."""
    issuer = Issuer()
    token = issuer.grant("main").refresh
    body = f"grant_type=refresh_token&refresh_token={token}&client_id=test".encode()
    form = ((b"content-type", b"application/x-www-form-urlencoded"),)
    async with scripted_upstream(issuer) as up:
        assert (await ask(up.port, b"POST", b"/", form, body)).status == 200
    assert issuer.calls[0].encoding == "form"


async def test_protects_a_script_by_live_tokens() -> None:
    """Expired and unknown access tokens get 401, live ones the script."""
    issuer = Issuer()
    tokens = issuer.grant("main")
    protected = issuer.protect(lambda request, n: Answer(steps=(b"in",)))
    async with scripted_upstream(by_path({TOKEN_PATH: issuer, "/": protected})) as up:
        bearer = ((b"authorization", b"Bearer " + tokens.access.encode()),)
        assert (await ask(up.port, b"GET", b"/", bearer)).body == b"in"
        issuer.expire("main")
        assert (await ask(up.port, b"GET", b"/", bearer)).status == 401
        await ask(up.port, b"POST", TOKEN_PATH.encode(), JSON, refresh_body(tokens.refresh))
        assert (await ask(up.port, b"GET", b"/", bearer)).status == 401
        bearer = ((b"authorization", b"Bearer " + issuer.families["main"].tokens.access.encode()),)
        assert (await ask(up.port, b"GET", b"/", bearer)).status == 200


async def test_faults_happen_once_each() -> None:
    """Faults are taken in order; those before the commit leave the token good, `lost` spends it."""
    issuer = Issuer()
    token = issuer.grant("main").refresh
    issuer.faults += [refused(), failing(503, b"busy"), lost()]
    async with scripted_upstream(issuer) as up:
        statuses = [(await ask(up.port, b"POST", b"/", JSON, refresh_body(token))).status for _ in range(2)]
        assert statuses == [400, 503]
        with pytest.raises(PeerLeft):
            await ask(up.port, b"POST", b"/", JSON, refresh_body(token))
        assert issuer.families["main"].generation == 2


async def test_odd_fields() -> None:
    """Fields of the reply can be changed or left out."""
    issuer = Issuer()
    token = issuer.grant("main").refresh
    issuer.faults.append(odd(expires_in="soon", refresh_token=ABSENT))
    async with scripted_upstream(issuer) as up:
        reply = json.loads((await ask(up.port, b"POST", b"/", JSON, refresh_body(token))).body)
    assert reply["expires_in"] == "soon"
    assert "refresh_token" not in reply
