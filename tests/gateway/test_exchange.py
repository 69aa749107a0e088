from __future__ import annotations

import pytest
import trio
from attrs import evolve

from shunt.accounts.account import Account
from shunt.accounts.eligibility import status_of
from shunt.accounts.state import Status
from shunt.inference.inbound import Operation, Outline
from tests.fakes import anthropic
from tests.fakes.upstream import Answer, End, Framing, Request, by_key, closed_port
from tests.gateway.rooms import account, wall
from tests.gateway.stages import Stage, message, stage

RST = Answer(framing=Framing.RAW, steps=(End.RST,))
HTML = Answer(502, ((b"content-type", b"text/html"),), (b"<html>bad gateway</html>",))
EMPTY_STREAM = Answer(200, ((b"content-type", b"text/event-stream"),), (End.CUT,), Framing.CHUNKED)
CAPTIVE = Answer(200, ((b"content-type", b"text/html"),), (b"<html>please log in</html>",))


def status(s: Stage, name: str) -> Status:
    return status_of(s.pool.state.accounts[name], wall())


def keys(s: Stage) -> list[str]:
    return [request.key.removeprefix("sk-test-") for request in s.up.requests]


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(anthropic.server_error(), id="500"),
        pytest.param(HTML, id="502 page"),
        pytest.param(RST, id="reset"),
        pytest.param(EMPTY_STREAM, id="stream without a word"),
        pytest.param(CAPTIVE, id="captive portal"),
        pytest.param(anthropic.error_event_first("api_error", "boom"), id="error inside a 200"),
        pytest.param(anthropic.throttled("30"), id="429 without a window"),
        pytest.param(anthropic.unauthorized("invalid x-api-key"), id="401"),
        pytest.param(anthropic.forbidden(), id="403 about the account"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_a_failure_before_the_first_byte_moves_on(broken: Answer, stream: bool) -> None:
    """Whatever is wrong with one account, another one answers and the client sees only that."""
    good = anthropic.stream("hello") if stream else anthropic.plain("hello")
    script = by_key({"sk-test-a": [broken]}, [good])
    async with stage(script, "a", "b") as s:
        answered = await s.ask(message(stream=stream))
        assert (answered.status, keys(s)) == (200, ["a", "b"])
        assert b"hello" in answered.body
        assert answered.header(b"x-shunt-account") == "b"
        assert answered.header(b"x-shunt-attempts") == "2"
        record = s.records[0]
        assert (record.account, record.outcome, len(record.attempts)) == ("b", "served", 2)


async def test_a_refused_connection_moves_on() -> None:
    """An account whose server is down costs no request."""
    dead = f"http://127.0.0.1:{closed_port()}"

    def build(name: str, url: str) -> Account:
        return account(name, dead if name == "a" else url)

    async with stage([anthropic.plain("hello")], "a", "b", build=build) as s:
        assert (await s.ask()).status == 200


async def test_why_an_account_was_left_is_told_in_words() -> None:
    """For people, in the record, on the account and to the client; each sentence ends once."""
    dead = f"http://127.0.0.1:{closed_port()}"
    async with stage([], "a", "b", build=lambda name, _: account(name, dead)) as s:
        answered = await s.ask()
        said = f"{dead.removeprefix('http://')} cannot be reached: it refused the connection; does anything listen there?"
        assert answered.json["error"]["message"].startswith(f"no account could answer (a: {said}; b: {said})")
        assert [note.reason for note in s.records[0].attempts] == [said, said]
        assert s.pool.state.accounts["a"].cooldowns[""].reason == f"unreachable: {said}"


async def test_a_rejected_window_cools_until_its_reset() -> None:
    """The account that named a spent window is left alone; others serve."""
    reset = int(wall()) + 1800
    script = by_key({"sk-test-a": [anthropic.rejected(reset)]}, lambda *_: anthropic.plain("hello"))
    async with stage(script, "a", "b") as s:
        for number in range(4):
            assert (await s.ask(message(f"question {number}"))).status == 200
        assert keys(s) == ["a", "b", "b", "b", "b"]
        assert status(s, "a") is Status.COOLING


async def test_a_refusal_of_the_request_goes_back_untouched() -> None:
    """A vendor's 400 reaches the client byte for byte, from one try."""
    told = anthropic.refusal(400, "invalid_request_error", "prompt is too long: 9 tokens > 8 maximum")
    async with stage([told], "a", "b") as s:
        answered = await s.ask()
        assert (answered.status, answered.body) == (400, told.steps[0])
        assert status(s, "a") is Status.AVAILABLE
        assert s.records[0].outcome == "refused"


async def test_an_overloaded_vendor_is_asked_twice_here_then_elsewhere() -> None:
    """A 529 is retried once in place; then the other account is tried."""
    script = by_key({"sk-test-a": lambda *_: anthropic.overloaded()}, [anthropic.plain("hello")])
    async with stage(script, "a", "b") as s:
        assert (await s.ask()).status == 200
        assert keys(s) == ["a", "a", "b"]


async def test_overload_everywhere_is_told_as_such() -> None:
    """When all accounts meet a 529 the client gets the vendor's overloaded_error, after bounded tries."""
    async with stage(lambda *_: anthropic.overloaded(), "a", "b") as s:
        answered = await s.ask()
        assert answered.status == 529
        assert answered.json["error"]["type"] == "overloaded_error"
        assert len(s.up.requests) <= 4


async def test_at_most_three_failures_are_tried() -> None:
    """A fourth broken account is not asked: the fault may be the request's, or the network's."""
    async with stage(lambda *_: anthropic.server_error(), "a", "b", "c", "d") as s:
        answered = await s.ask()
        assert (answered.status, len(s.up.requests)) == (500, 3)


async def test_a_lone_account_is_not_benched_for_a_hiccup() -> None:
    """With nobody else to ask, the request after a 500 goes to the same account at once."""
    async with stage([anthropic.server_error(), anthropic.plain("hello")], "a") as s:
        assert (await s.ask()).status == 500
        assert (await s.ask()).status == 200


async def test_a_lone_account_that_asked_for_a_pause_gets_it() -> None:
    """A vendor's retry-after is never guessed away, also when there is nobody else."""
    async with stage([anthropic.throttled("40")], "a") as s:
        first, second = await s.ask(), await s.ask()
        assert (first.status, second.status, len(s.up.requests)) == (429, 429, 1)
        assert 30 <= int(second.header(b"retry-after") or 0) <= 41


async def test_all_spent_says_who_and_until_when() -> None:
    """Without a wait the answer is a 429 with the true moment, and words for people."""
    async with stage(lambda *_: anthropic.rejected(wall() + 7200), "a", "b") as s:
        answered = await s.ask()
        assert answered.status == 429
        assert 7100 <= int(answered.header(b"retry-after") or 0) <= 7300
        assert answered.header(b"x-should-retry") == "false"
        assert "2 of 2 accounts are spent" in answered.json["error"]["message"]
        assert answered.json["request_id"] == s.records[0].id


async def test_a_held_request_is_served_after_the_reset() -> None:
    """A request that may wait is answered when the window resets, as if nothing had been."""
    spent = anthropic.rejected(wall() + 2)
    async with stage([spent, anthropic.plain("hello")], "a") as s:
        began = trio.current_time()
        answered = await s.ask(message(wait=60.0))
        assert answered.status == 200
        assert trio.current_time() - began >= 1.5


async def test_everybody_who_was_held_is_served_after_the_reset() -> None:
    """Several requests held for one account all get their answer, the first one alone before the others."""
    until = wall() + 2

    def script(_: Request, n: int) -> Answer:
        return anthropic.rejected(until) if n == 0 else anthropic.plain("hello")

    async with stage(script, "a") as s:
        statuses: list[int] = []

        async def one(number: int) -> None:
            statuses.append((await s.ask(message(f"question {number}", wait=60.0))).status)

        with trio.fail_after(20):
            async with trio.open_nursery() as nursery:
                for number in range(5):
                    nursery.start_soon(one, number)
                    await trio.sleep(0.05)
        assert statuses == [200] * 5
        assert len(s.up.requests) == 6


async def test_a_conversation_stays_on_its_account() -> None:
    """Requests of one conversation go to one account, also after it had to be lent out."""
    script = by_key(
        {
            "sk-test-a": [
                anthropic.plain("1"),
                anthropic.overloaded(),
                anthropic.overloaded(),
                anthropic.plain("3"),
            ]
        },
        [anthropic.plain("2")],
    )
    async with stage(script, "a", "b") as s:
        for _ in range(2):
            assert (await s.ask(message("same"))).status == 200
        s.pool.clear("a")
        assert (await s.ask(message("same"))).status == 200
        assert keys(s) == ["a", "a", "a", "b", "a"]


async def test_a_new_conversation_settles_where_it_was_served() -> None:
    """A first try that failed binds nobody: there is no cache to come back to."""
    script = by_key({"sk-test-a": [anthropic.server_error()]}, lambda *_: anthropic.plain("hello"))
    async with stage(script, "a", "b") as s:
        await s.ask(message("same"))
        s.pool.clear("a")
        await s.ask(message("same"))
        assert keys(s) == ["a", "b", "b"]


@pytest.mark.parametrize(
    ("wanted", "expected", "word"),
    [("b", 200, ""), ("nobody", 404, "nobody"), ("paused", 503, "paused")],
)
async def test_an_account_asked_for_by_header_serves_or_nobody_does(
    wanted: str, expected: int, word: str
) -> None:
    """`x-shunt-account` is obeyed, or refused with the reason; never somebody else."""
    async with stage(lambda *_: anthropic.plain("hello"), "a", "b", "paused") as s:
        s.pool.pause("paused")
        answered = await s.ask(message(wanted_account=wanted))
        assert answered.status == expected
        assert keys(s) == (["b"] if expected == 200 else [])
        assert word in answered.body.decode()


async def test_without_accounts_the_cure_is_told() -> None:
    """An empty pool answers 503 with the commands that add an account."""
    async with stage([]) as s:
        answered = await s.ask()
        assert answered.status == 503
        assert "add-account" in answered.json["error"]["message"]


async def test_batches_need_an_api_key() -> None:
    """With logins only, message batches are answered 501 in the caller's shape."""

    def login(name: str, url: str) -> Account:
        return evolve(account(name, url), subscription=True)

    async with stage([], "a", build=login) as s:
        batch = message(operation=Operation.BATCHES, method="POST", path="/v1/messages/batches")
        answered = await s.ask(batch)
        assert answered.status == 501
        assert answered.json["type"] == "error"


async def test_a_refused_key_is_told_at_once_each_time() -> None:
    """Nobody is held for a key that its vendor refuses, one after the other or all together; a good one serves again."""
    refusal = anthropic.unauthorized("invalid x-api-key")
    async with stage([refusal] * 7 + [anthropic.plain("hello")], "a") as s:
        with trio.fail_after(10):
            for _ in range(3):
                answered = await s.ask(message(wait=60.0))
                assert (answered.status, answered.json["error"]["message"]) == (401, "invalid x-api-key")
            statuses: list[int] = []

            async def one(number: int) -> None:
                statuses.append((await s.ask(message(f"question {number}", wait=60.0))).status)

            async with trio.open_nursery() as nursery:
                for number in range(4):
                    nursery.start_soon(one, number)
            assert statuses == [401] * 4
            assert (await s.ask(message(wait=60.0))).status == 200


async def test_a_batch_is_asked_of_who_made_it() -> None:
    """Found once, it stays there, also while that account is spent: nobody else has it; unknown ones are 404."""
    missing = anthropic.refusal(404, "not_found_error", "Batch not found")
    limit = [anthropic.json_answer({"id": "msgbatch_1"})] * 2 + [anthropic.rejected(wall() + 7200)]
    script = by_key({"sk-test-c": limit}, otherwise=lambda *_: missing)
    found = message(
        operation=Operation.BATCHES,
        method="GET",
        path="/v1/messages/batches/msgbatch_1",
        body=b"",
        outline=Outline(chained=True),
        conversation="batch-1",
    )
    async with stage(script, "a", "b", "c", "d") as s:
        first = await s.ask(found)
        assert (first.status, first.header(b"x-shunt-account")) == (200, "c")
        asked = len(s.up.requests)
        assert (await s.ask(found)).status == 200
        assert keys(s)[asked:] == ["c"]
        assert (await s.ask(found)).status == 429
        assert (await s.ask(found)).status == 429
        other = await s.ask(evolve(found, path="/v1/messages/batches/msgbatch_2", conversation="batch-2"))
        assert (other.status, other.json["error"]["message"]) == (404, "Batch not found")


async def test_counting_does_not_wait_for_a_spent_account() -> None:
    """While everybody cools, tokens are estimated here instead of refused."""
    spent = anthropic.rejected(wall() + 7200)
    async with stage([spent], "a") as s:
        await s.ask()
        answered = await s.ask(
            message("w " * 100, operation=Operation.COUNT_TOKENS, path="/v1/messages/count_tokens")
        )
        assert answered.status == 200
        assert 20 <= answered.json["input_tokens"] <= 200
        assert len(s.up.requests) == 1


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (anthropic.refusal(404, "not_found_error", "Not found"), 200),
        (anthropic.refusal(405, "invalid_request_error", "Method not allowed"), 200),
        (anthropic.throttled(), 200),
        (anthropic.server_error(), 200),
        (anthropic.overloaded(), 200),
        (RST, 200),
        (anthropic.refusal(404, "not_found_error", "model: claude-sonnet-5-5"), 404),
        (anthropic.refusal(400, "invalid_request_error", "messages: at least one is required"), 400),
    ],
)
async def test_what_an_upstream_does_not_count_is_estimated(answer: Answer, status: int) -> None:
    """Clients that ask for a count need one; what is wrong with their question they are told."""
    async with stage(lambda *_: answer, "a") as s:
        answered = await s.ask(
            message("w " * 100, operation=Operation.COUNT_TOKENS, path="/v1/messages/count_tokens")
        )
        assert answered.status == status
        assert (status != 200) or 20 <= answered.json["input_tokens"] <= 200


async def test_who_is_held_hears_when_nobody_will_come_back() -> None:
    """An account that is paused meanwhile is no reason for a 429 without a moment: it is told as it stands."""
    async with stage([anthropic.rejected(wall() + 30)], "a") as s, trio.open_nursery() as nursery:

        async def pause() -> None:
            while not len(s.gateway.means.room):  # noqa: ASYNC110 - nobody tells of it
                await trio.sleep(0.01)
            s.pool.pause("a")

        nursery.start_soon(pause)
        with trio.fail_after(10):
            answered = await s.ask(message(wait=60.0))
        assert answered.status == 503
        assert "a is paused" in answered.json["error"]["message"]


async def test_a_client_that_leaves_frees_everything() -> None:
    """Cancelled while the upstream is silent: the call is closed and the account's slot is free."""
    async with stage([Answer(steps=(End.NEVER,), framing=Framing.RAW)], "a") as s:
        with trio.move_on_after(0.3):
            await s.ask()
        await s.up.requests[0].left.wait()
        assert s.pool.state.accounts["a"].in_flight == 0
        assert s.upstream.in_flight == 0
        assert (s.records[0].outcome, s.records[0].status) == ("client_gone", 499)
        assert status(s, "a") is Status.AVAILABLE


async def test_every_failing_answer_leaves_no_connection_open() -> None:
    """After a row of failures of all kinds nothing of the upstream is held."""
    answers = [RST, HTML, EMPTY_STREAM, anthropic.server_error(), anthropic.error_event_first()]
    async with stage(iter(answers * 2), "a") as s:
        for number, _ in enumerate(answers):
            s.pool.clear("a")
            await s.ask(message(f"{number}", stream=True))
        assert s.upstream.in_flight == 0
        assert s.pool.state.accounts["a"].in_flight == 0


# ── names of models ───────────────────────────────────────────────────────────────────────────────


async def test_a_name_the_upstream_does_not_know_is_looked_up_in_its_list() -> None:
    """Refused once, asked for by the upstream's own name; the client sees its own, also from then on."""
    asked: list[str] = []

    def script(request: Request, _: int) -> Answer:
        if request.path == "/v1/models":
            return anthropic.models("anthropic/claude-sonnet-5.5")
        asked.append(request.json["model"])
        if asked[-1] == "claude-sonnet-5-5":
            return anthropic.refusal(404, "not_found_error", "model: claude-sonnet-5-5")
        return anthropic.stream("hello") if request.json["stream"] else anthropic.plain("hello")

    async with stage(script, "a") as s:
        first = await s.ask(message())
        assert (first.status, first.json["model"]) == (200, "claude-sonnet-5-5")
        streamed = await s.ask(message(stream=True))
        assert b'"model":"claude-sonnet-5-5"' in streamed.body.replace(b": ", b":")
        assert asked == ["claude-sonnet-5-5", *["anthropic/claude-sonnet-5.5"] * 2]
        assert [request.path for request in s.up.requests].count("/v1/models") == 1


async def test_a_model_that_is_not_listed_is_refused_as_the_vendor_refuses_it() -> None:
    """Nothing is guessed, and the list is asked once."""

    def script(request: Request, _: int) -> Answer:
        if request.path == "/v1/models":
            return anthropic.models("claude-opus-5-5")
        return anthropic.refusal(404, "not_found_error", "model: claude-sonnet-5-5")

    async with stage(script, "a") as s:
        for _ in range(2):
            answered = await s.ask(message())
            assert (answered.status, answered.json["error"]["message"]) == (404, "model: claude-sonnet-5-5")
        assert [request.path for request in s.up.requests].count("/v1/models") == 1
