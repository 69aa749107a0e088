"""One-time codes and the sessions they open: guessed, used twice, used by two at once."""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.fakes.client import RawResponse, raw_client
from tests.faults.house import House, own_house

KIND = ((b"content-type", b"application/json"),)
ADMIN = "sk-canary-remote-0123456789abcdef0123456789"


async def trade(house: House, code: str, port: int | None = None) -> RawResponse:
    """Try a code, as a browser does."""
    with trio.fail_after(20):
        async with raw_client(port or house.port) as client:
            body = json.dumps({"code": code}).encode()
            return await client.ask(b"POST", b"/dashboard/session", KIND, body)


async def new_code(house: House) -> str:
    """What `shunt dashboard` asks for."""
    made: dict[str, Any] = json.loads(await house.send_post("/dashboard/codes"))
    return str(made["code"])


async def test_a_code_is_spent_by_the_first_of_many(house: House) -> None:
    """Fifty take the same code at once: one gets a session, and nobody does afterwards."""
    code = await new_code(house)
    found: list[int] = []

    async def take() -> None:
        found.append((await trade(house, code)).status)

    async with trio.open_nursery() as nursery:
        for _ in range(50):
            nursery.start_soon(take)
    assert sorted(found) == [200] + [401] * 49
    assert (await trade(house, code)).status == 401


async def test_codes_cannot_be_guessed(house: House) -> None:
    """They hold 256 bits, are told in no list, and three hundred guesses find none, also near ones."""
    code = await new_code(house)
    assert len(base64.urlsafe_b64decode(code + "=")) == 32
    assert code != await new_code(house)
    near = [code[:-1] + ("A" if code[-1] != "A" else "E"), code[:-1], code + "A", code.lower(), "", code[:8]]
    for guess in (*near, *(base64.urlsafe_b64encode(bytes([n % 256]) * 32).decode() for n in range(300))):
        answer = await trade(house, guess)
        assert answer.status in (400, 401, 429), answer.body
        assert not any(name.lower() == b"set-cookie" for name, _ in answer.headers)
    for path in ("/status", "/health", "/debug/logs", "/debug/stats", "/requests"):
        async with raw_client(house.port) as client:
            assert code.encode() not in (await client.ask(b"GET", path.encode())).body
    assert code not in house.log.read_text()
    assert (await trade(house, code)).status == 200


@pytest.mark.parametrize("code", ['{"code": 5}', '{"code": null}', '{"code": ["x"]}', "{}", "[]", "5", ""])
async def test_odd_codes_are_no_codes(house: House, code: str) -> None:
    """Whatever stands in a code's place is refused with words."""
    async with raw_client(house.port) as client:
        answer = await client.ask(b"POST", b"/dashboard/session", KIND, code.encode())
    assert answer.status == 400
    assert json.loads(answer.body)["error"]["message"]


def test_a_session_dies_with_its_key(tmp_path: Path) -> None:
    """A new admin key ends the sessions and codes that were given under the old one."""
    key = {"remote_key": ADMIN, "request_timeout_secs": 3}
    with own_house(tmp_path) as house:
        house.configure(server=key)
        house.start()
        cookie, code = trio.run(opened, house)
        assert trio.run(status_with, house, cookie) == 200
        house.configure(server={**key, "remote_key": ADMIN[::-1]})
        deadline = time.monotonic() + 20
        while trio.run(status_with, house, cookie) != 401:
            assert time.monotonic() < deadline, "the old session is still good"
            time.sleep(0.1)
        assert trio.run(trade, house, code).status == 401


async def opened(house: House) -> tuple[bytes, str]:
    """A session's cookie, and a code that was not used."""
    answer = await trade(house, await new_code(house))
    assert answer.status == 200
    cookie = {name.lower(): value for name, value in answer.headers}[b"set-cookie"]
    assert b"HttpOnly" in cookie
    assert b"SameSite=Strict" in cookie
    return cookie.partition(b";")[0], await new_code(house)


async def status_with(house: House, cookie: bytes) -> int:
    """The status of `/status` for a browser that came through a tunnel, so that it needs its session."""
    async with raw_client(house.port) as client:
        headers = ((b"cookie", cookie), (b"x-forwarded-for", b"203.0.113.9"))
        return (await client.ask(b"GET", b"/status", headers)).status
