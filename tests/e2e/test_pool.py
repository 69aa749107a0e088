"""A running shunt with several accounts: what a user relies on, over real sockets and processes."""

from __future__ import annotations

import json
import random
import time
from contextlib import suppress
from pathlib import Path

import pytest
import trio

from tests.e2e.logins import claude_login
from tests.e2e.program import MESSAGES, Program, key_account, program
from tests.fakes import anthropic
from tests.fakes.client import ask, raw_client, request
from tests.fakes.issuer import TOKEN_PATH, Issuer, slow
from tests.fakes.upstream import Answer, Framing, Gate, Step, by_key, by_path, scripted_upstream

ODD = (
    b'{ "model" : "claude-sonnet-5-5","max_tokens":64 ,\n\t"messages":[{"role":"user","content":'
    b'"a\\u00e9\\/ \xf0\x9f\x98\x80 1.0"}], "temperature":1.0,"z_unknown":[1,2,{"k":null}],"stream":true}'
)


async def test_every_byte_passes_both_ways(tmp_path: Path) -> None:
    """Path, query, body and answer are the very bytes that were sent; only auth and hop headers differ."""
    answer = Answer(
        200,
        ((b"Content-Type", b"text/event-stream"), (b"request-id", b"req_v"), (b"X-Odd", b"Kept")),
        (
            b'event: message_start\r\ndata: {"type":"message_start",  "message":{"id":"m","usage":{}}}\r\n\r\n',
            b'event: future\ndata: {"q":1}\n\n: a comment\n\n',
            b'event: message_stop\ndata: {"type":"message_stop"}\n\n',
        ),
        Framing.CHUNKED,
    )
    headers = (
        *MESSAGES,
        (b"X-Api-Key", b"client-secret"),
        (b"Connection", b"x-hop, keep-alive"),
        (b"X-Hop", b"1"),
        (b"X-Kept", b"yes"),
        (b"User-Agent", b"claude-cli/2.1.329"),
        (b"Anthropic-Beta", b"one-2026-01-01,two-2026-01-01"),
    )
    async with scripted_upstream([answer]) as up, program(tmp_path, up.url) as shunt:
        shunt.configure([key_account("a")])
        await shunt.start()
        got = await ask(shunt.port, b"POST", b"/v1/messages?beta=true&x=a%2Fb%20", headers, ODD)
        sent = up.requests[0]
        assert sent.target == b"/v1/messages?beta=true&x=a%2Fb%20"
        assert sent.body == ODD
        assert got.body == b"".join(step for step in answer.steps if isinstance(step, bytes))
        assert (sent.get(b"x-api-key"), sent.get(b"x-hop"), sent.get(b"x-kept")) == (
            b"sk-test-a",
            None,
            b"yes",
        )
        assert sent.get(b"anthropic-beta") == b"one-2026-01-01,two-2026-01-01"
        assert sent.get(b"user-agent") == b"claude-cli/2.1.329"
        assert (got.get(b"request-id"), got.get(b"x-odd")) == (b"req_v", b"Kept")


async def logged_in(shunt: Program, issuer: Issuer, name: str = "main") -> None:
    """Import a login that the issuer has granted, and start."""
    tokens = issuer.grant(name)
    shunt.configure([])
    claude_login(shunt, tokens.access, tokens.refresh)
    done = await shunt.cli("add-account", name, "--import")
    assert done.returncode == 0, done.stderr
    await shunt.start()


@pytest.mark.parametrize("seed", range(3))
async def test_fifty_requests_with_an_expired_token_cost_one_refresh(tmp_path: Path, seed: int) -> None:
    """All are served by one call to the token endpoint, whoever of them leaves meanwhile."""
    issuer = Issuer()
    script = by_path({TOKEN_PATH: issuer}, issuer.protect(lambda *_: anthropic.plain("hello")))
    rng = random.Random(seed)
    async with scripted_upstream(script) as up, program(tmp_path, up.url) as shunt:
        await logged_in(shunt, issuer)
        issuer.expire("main")
        issuer.faults.append(slow(0.4))
        statuses: list[int] = []

        async def one(number: int) -> None:
            if number % 5 == 0:  # this one leaves at a random moment; the first is the one that triggers
                with trio.move_on_after(0.02 + rng.random() * 0.6):
                    await shunt.message(f"conversation {number}")
                return
            statuses.append((await shunt.message(f"conversation {number}")).status)

        async with trio.open_nursery() as nursery:
            for number in range(50):
                nursery.start_soon(one, number)
                if number == 0:
                    await trio.sleep(0.05)
        assert statuses == [200] * 40
        assert len(issuer.calls) == 1
        stored = (shunt.home / "credentials.json").read_text()
        assert issuer.families["main"].tokens.refresh in stored
        assert (shunt.home / "credentials.json").stat().st_mode & 0o777 == 0o600


async def test_a_refused_refresh_asks_for_a_person(tmp_path: Path) -> None:
    """The account is marked, the cure is told, and no token shows anywhere."""
    issuer = Issuer()
    script = by_path({TOKEN_PATH: issuer}, issuer.protect(lambda *_: anthropic.plain("hello")))
    async with scripted_upstream(script) as up, program(tmp_path, up.url) as shunt:
        await logged_in(shunt, issuer)
        issuer.revoke("main")
        answer = await shunt.message()
        assert answer.status == 403
        assert b"shunt add-account main --login" in answer.body
        assert (await shunt.account("main"))["status"] == "reauth_required"
        shown = json.dumps(await shunt.status()) + shunt.output + answer.body.decode()
        log = (shunt.home / "logs" / "shunt.log").read_text()
        assert "sk-ant-" not in shown
        assert "sk-ant-" not in log


async def test_cooldowns_pins_and_strategy_survive_a_restart(tmp_path: Path) -> None:
    """What was learnt or decided before a restart holds after it."""
    reset = int(time.time()) + 1800
    script = by_key({"sk-test-a": lambda *_: anthropic.rejected(reset)}, lambda *_: anthropic.plain("hello"))
    async with scripted_upstream(script) as up, program(tmp_path, up.url) as shunt:
        shunt.configure([key_account("a"), key_account("b")])
        await shunt.start()
        assert (await shunt.message()).status == 200
        assert (
            await ask(shunt.port, b"PUT", b"/strategy", MESSAGES, b'{"strategy":"cushion"}')
        ).status == 200
        assert await shunt.stop() == 0
        await shunt.start()
        account = await shunt.account("a")
        assert account["status"] == "cooling"
        assert abs(account["cooldown_until_ms"] / 1000 - reset) < 60
        assert (await shunt.status())["strategy"] == "cushion"
        asked = len(up.requests)
        assert (await shunt.message("another")).status == 200
        assert [seen.key for seen in up.requests[asked:]] == ["sk-test-b"]


async def test_a_killed_shunt_comes_back_with_its_files_whole(tmp_path: Path) -> None:
    """SIGKILL in the middle of work: the next start reads every file and serves."""
    async with (
        scripted_upstream(lambda *_: anthropic.plain("hello")) as up,
        program(tmp_path, up.url) as shunt,
    ):
        shunt.configure([key_account("a")])
        await shunt.start()
        for number in range(5):
            await shunt.message(str(number))
        assert shunt.process is not None
        shunt.process.kill()
        await shunt.process.wait()
        await shunt.start()
        assert (await shunt.message()).status == 200
        assert "Traceback" not in shunt.output


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"accounts": {"main": 3}}', b"\x00" * 64])
async def test_a_malformed_credentials_file_stops_the_start(tmp_path: Path, content: bytes) -> None:
    """It is named, the exit status says so, and not a byte of it is changed."""
    async with scripted_upstream([]) as up, program(tmp_path, up.url) as shunt:
        shunt.configure([key_account("a")])
        path = shunt.home / "credentials.json"
        path.write_bytes(content)
        path.chmod(0o600)
        done = await shunt.cli("run", "--port", str(shunt.port))
        assert done.returncode == 1
        assert b"credentials.json" in done.stderr
        assert b"Traceback" not in done.stderr
        assert path.read_bytes() == content


async def test_a_running_stream_outlives_sigterm(tmp_path: Path) -> None:
    """The stream finishes, new requests are turned away, and the exit status is 0."""
    events = (*anthropic.opening_events(), *anthropic.text_events(["hello"]))
    refused = trio.Event()
    steps: list[Step] = [*events[:-1], Gate(refused), events[-1], *anthropic.closing_events()]
    async with (
        scripted_upstream([anthropic.events_answer(steps)]) as up,
        program(tmp_path, up.url) as shunt,
    ):
        shunt.configure([key_account("a")])
        await shunt.start()
        body = json.dumps(
            {"model": "m", "max_tokens": 9, "stream": True, "messages": [{"role": "user", "content": "x"}]}
        ).encode()
        async with raw_client(shunt.port) as client:
            await client.send(request(b"POST", b"/v1/messages", MESSAGES, body))
            incoming = await client.begin(b"POST")
            shunt.signal()
            with trio.fail_after(20), suppress(OSError):
                while True:
                    await (await trio.open_tcp_stream("127.0.0.1", shunt.port)).aclose()
                    await trio.sleep(0.05)
            with pytest.raises(OSError, match="all attempts to connect"):
                await trio.open_tcp_stream("127.0.0.1", shunt.port)
            refused.set()
            rest = await incoming.rest()
        assert rest.complete
        assert rest.body.endswith(b'"message_stop"}\n\n')
        assert await shunt.stopped() == 0


async def test_config_edits_are_taken_up_and_bad_ones_refused(tmp_path: Path) -> None:
    """A new account serves without a restart; a typo keeps the old configuration and is told."""
    async with (
        scripted_upstream(lambda *_: anthropic.plain("hello")) as up,
        program(tmp_path, up.url) as shunt,
    ):
        shunt.configure([key_account("a")])
        await shunt.start()
        added = await shunt.cli("add-account", "b", "--api-key-stdin", stdin=b"sk-test-b\n")
        assert added.returncode == 0, added.stderr
        answer = await shunt.message(headers=((b"x-shunt-account", b"b"),))
        assert (answer.status, up.requests[-1].key) == (200, "sk-test-b")
        path = shunt.home / "config.toml"
        path.write_text(path.read_text().replace("[routing]", "[routing]\nstrategie = 'x'"))
        await shunt.printed("strategie")
        assert (await shunt.message()).status == 200
