"""Conversations that vendors take."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shunt.inference.content import (
    CacheMark,
    Carriage,
    Document,
    Foreign,
    HostedCall,
    Image,
    Media,
    Message,
    Part,
    Refusal,
    Role,
    Seal,
    SealForm,
    SearchResult,
    Text,
    Thinking,
    ToolCall,
    ToolReference,
    ToolResult,
)
from shunt.inference.repairs import (
    CONTINUE,
    OPENING,
    UNANSWERED,
    Messages,
    Repaired,
    begun_by_user,
    ended_by_user,
    merged,
    own_reasoning,
    repaired,
    settled,
    with_reminders,
    without_billing,
    without_empty,
)
from shunt.inference.request import GenerateRequest, HostedTool, Tool

IMAGE = Image(Media(Carriage.URL, "https://example.org/a.png"))
BILL = "x-anthropic-billing-header: cc_version=2.1.0; cch=abc12;"
LOST = "[The result of a tool call that is no longer in this conversation]"


def user(*parts: Part | str) -> Message:
    return Message(Role.USER, tuple(Text(part) if isinstance(part, str) else part for part in parts))


def assistant(*parts: Part | str) -> Message:
    return Message(Role.ASSISTANT, user(*parts).parts)


def call(call_id: str, *, custom: bool = False) -> ToolCall:
    return ToolCall(call_id, "f", custom=custom)


def result(call_id: str, text: str = "done", *, is_error: bool = False, custom: bool = False) -> ToolResult:
    return ToolResult(call_id, (Text(text),), is_error, custom)


def unanswered(call_id: str) -> ToolResult:
    return result(call_id, UNANSWERED, is_error=True)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(
            (assistant(call("a")), user("note", result("a"))),
            (assistant(call("a")), user(result("a")), user("note")),
            id="results before text",
        ),
        pytest.param(
            (assistant(call("a")), user("wait"), assistant("hm"), user(result("a"))),
            (assistant(call("a")), user(result("a")), user("wait"), assistant("hm")),
            id="a late result moves up",
        ),
        pytest.param(
            (assistant(call("a")), assistant(call("b")), user(result("b", "rb")), user(result("a", "ra"))),
            (assistant(call("a")), assistant(call("b")), user(result("a", "ra"), result("b", "rb"))),
            id="parallel calls are one turn, results in their order",
        ),
        pytest.param(
            (assistant(call("a")), user(result("a")), assistant(call("b")), user(result("b"))),
            (assistant(call("a")), user(result("a")), assistant(call("b")), user(result("b"))),
            id="a good conversation stays",
        ),
        pytest.param(
            (assistant(call("a"), call("b")), user(result("b")), user("next")),
            (assistant(call("a"), call("b")), user(unanswered("a"), result("b")), user("next")),
            id="an interrupted call gets a result",
        ),
        pytest.param(
            (user("go"), assistant(call("a"))),
            (user("go"), assistant(call("a")), user(unanswered("a"))),
            id="also at the very end",
        ),
        pytest.param(
            (user("go", result("z", "orphan")),),
            (user("go", LOST, "orphan"),),
            id="an orphan becomes text",
        ),
        pytest.param(
            (user(result("a")), assistant(call("a"))),
            (user(LOST, "done"), assistant(call("a")), user(unanswered("a"))),
            id="a result before its call is an orphan",
        ),
        pytest.param(
            (user(ToolResult("z", (IMAGE, ToolReference("late")), is_error=True)),),
            (
                user(
                    "[An error of a tool call that is no longer in this conversation]",
                    IMAGE,
                    "Tool found: late",
                ),
            ),
            id="an orphan keeps its images",
        ),
        pytest.param(
            (assistant(call("a", custom=True)), user(result("a"))),
            (assistant(call("a", custom=True)), user(result("a", custom=True))),
            id="a result is custom if its call is",
        ),
        pytest.param(
            (
                assistant(call("c")),
                user(result("c", "1")),
                assistant(call("c")),
                user(result("c", "2")),
            ),
            (
                assistant(call("c")),
                user(result("c", "1")),
                assistant(call("c_2_c63b914d4a")),
                user(result("c_2_c63b914d4a", "2")),
            ),
            id="ids used again are told apart",
        ),
        pytest.param(
            (assistant(call("c"), call("c")), user(result("c", "1"), result("c", "2"))),
            (
                assistant(call("c"), call("c_2_c63b914d4a")),
                user(result("c", "1"), result("c_2_c63b914d4a", "2")),
            ),
            id="also within one turn",
        ),
    ],
)
def test_every_call_has_its_result(before: Messages, after: Messages) -> None:
    """Results stand directly after their turn, in order, one for each call."""
    dropped: list[str] = []
    assert settled(before, dropped) == after
    assert not dropped


def test_of_two_results_the_first_stays() -> None:
    """The model has seen the first one before; the second is reported."""
    dropped: list[str] = []
    before = (assistant(call("a")), user(result("a", "first")), user(result("a", "second"), "next"))
    assert settled(before, dropped) == (assistant(call("a")), user(result("a", "first")), user("next"))
    assert dropped == ["tool_result"]


def test_empty_texts_go() -> None:
    """Nothing blank is left in messages, results, documents or search results; breakpoints on it go too."""
    before = (
        user("", Text(" \n", cache=CacheMark()), "real"),
        assistant(""),
        assistant(Thinking(" "), Refusal("")),
        user(ToolResult("a", (Text(""), Text("x"), Document(text=" ")))),
        user(Document(text=""), Document(text="words"), SearchResult("t", "s", (Text(""), Text("hit")))),
    )
    assert without_empty(before) == (
        user("real"),
        user(result("a", "x")),
        user(Document(text="words"), SearchResult("t", "s", (Text("hit"),))),
    )


def test_only_its_own_reasoning_is_sent() -> None:
    """A vendor gets the reasoning it made for this account, and no other's, sealed or not."""
    own = Thinking("hm", Seal("codex", SealForm.ENCRYPTED, "x", "acc"))
    others = (
        Thinking("hm"),
        Thinking("hm", Seal("anthropic", SealForm.SIGNATURE, "y")),
        Thinking("", Seal("codex", SealForm.ENCRYPTED, "z", "other")),
    )
    assert own_reasoning((assistant(*others, own, "said"),), "codex", "acc") == (assistant(own, "said"),)


def test_neighbours_are_merged() -> None:
    """Roles alternate afterwards."""
    assert merged((user("a"), user("b"), assistant("c"), assistant("d"), user("e"))) == (
        user("a", "b"),
        assistant("c", "d"),
        user("e"),
    )


def test_a_long_run_of_one_role_is_merged_in_no_time() -> None:
    """A hundred thousand messages of one role cost what they are long, not its square (which took a minute)."""
    begun = time.process_time()
    (only,) = merged((user("a"),) * 100_000)
    assert len(only.parts) == 100_000
    assert time.process_time() - begun < 60


def test_calls_that_share_an_id_cost_no_more_than_others() -> None:
    """Ten thousand calls and results of one id are told apart at once; trying all names took minutes."""
    begun = time.process_time()
    calls = tuple(ToolCall("t", "f", "{}") for _ in range(10_000))
    results = tuple(ToolResult("t", (Text(str(n)),)) for n in range(10_000))
    dropped: list[str] = []
    told = settled((Message(Role.ASSISTANT, calls), Message(Role.USER, results)), dropped)
    assert len({part.id for part in told[0].parts if isinstance(part, ToolCall)}) == 10_000
    answers = [part for part in told[1].parts if isinstance(part, ToolResult)]
    assert [part.parts for part in answers] == [result.parts for result in results]
    assert time.process_time() - begun < 60


def test_system_messages_become_reminders_in_place() -> None:
    """A later system message is marked as such and stays where it is."""
    late = Message(Role.DEVELOPER, (Text("one"), Text("two"), IMAGE))
    assert with_reminders((user("a"), late)) == (
        user("a"),
        user("<system-reminder>\none\n\ntwo\n</system-reminder>", IMAGE),
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((), (user(OPENING),)),
        ((assistant("I am first"),), (user(OPENING), assistant("I am first"))),
        ((user("a"),), (user("a"),)),
    ],
)
def test_a_user_begins(before: Messages, after: Messages) -> None:
    """A conversation without a user's first words gets some."""
    assert begun_by_user(before) == after


@pytest.mark.parametrize(
    ("before", "after", "lost"),
    [
        ((user("a"),), (), []),
        ((), (), []),
        ((user("a"), assistant("Sure, here")), (user(CONTINUE),), ["prefill"]),
        ((user("a"), assistant("so far", HostedCall("ws", "web_search"))), (), []),
    ],
)
def test_a_prefill_is_asked_to_go_on(before: Messages, after: Messages, lost: list[str]) -> None:
    """An assistant's last words get an answer, except where the vendor paused by itself."""
    dropped: list[str] = []
    assert ended_by_user(before, dropped) == before + after
    assert dropped == lost


def test_the_billing_text_goes() -> None:
    """The hash of Claude Code's that changes with every request is left out, what follows it is not."""
    texts = (Text(BILL), Text("Rule one."), Text(f"{BILL}\nRule two.", cache=CacheMark()))
    assert without_billing(texts) == (Text("Rule one."), Text("Rule two.", cache=CacheMark()))


def test_everything_at_once() -> None:
    """What every target needs is done in an order in which it works, and losses are reported once."""
    novel = Foreign("openai-responses", "novel_item", {"type": "novel_item"}, "[novel]")
    silent = Foreign("openai-responses", "silent_item", {"type": "silent_item"})
    own = Foreign("anthropic-messages", "container_upload", {"type": "container_upload"})
    request = GenerateRequest(
        "m",
        instructions=(Text(BILL), Text(""), Text("Rule one.")),
        messages=(
            user("go", novel, novel, silent, own),
            assistant(Thinking("hm"), silent),
            assistant(call("a")),
            user(ToolResult("a", (Text("r"), novel))),
        ),
        tools=(Tool("f"), Tool("f", "again"), Tool("f", namespace="ns"), HostedTool("web_search", "ws")),
    )
    assert repaired(request, "anthropic-messages", origin="anthropic", account="acc") == Repaired(
        GenerateRequest(
            "m",
            instructions=(Text("Rule one."),),
            messages=(
                user("go", "[novel]", "[novel]", own),
                assistant(call("a")),
                user(ToolResult("a", (Text("r"), Text("[novel]")))),
            ),
            tools=(Tool("f"), Tool("f", namespace="ns"), HostedTool("web_search", "ws")),
        ),
        ("novel_item", "silent_item"),
    )
    kept = repaired(request, "anthropic-messages", origin="anthropic", account="acc", billing=True)
    assert kept.request.instructions == (Text(BILL), Text("Rule one."))


IDS = st.sampled_from(["a", "b", "c"])
PARTS = st.one_of(
    st.sampled_from(["", " ", "text"]).map(Text),
    IDS.map(call),
    IDS.map(call),
    IDS.map(result),
    IDS.map(result),
)
MESSAGES = st.lists(
    st.builds(Message, st.sampled_from(Role), st.lists(PARTS, max_size=4).map(tuple)), max_size=10
).map(tuple)


@settings(max_examples=150)
@given(MESSAGES)
def test_any_conversation_is_taken(messages: Messages) -> None:
    """Whatever a client sends: calls and results match, results come first, ids differ, nothing is blank.

    And what is repaired already is not changed again.
    """
    request = GenerateRequest("m", messages=messages)
    after = repaired(request, "p", origin="o", account="").request.messages
    waiting: list[str] = []
    ids: list[str] = []
    for message in merged(after):
        results = [part for part in message.parts if isinstance(part, ToolResult)]
        calls = [part.id for part in message.parts if isinstance(part, ToolCall)] if waiting == [] else []
        if message.role is not Role.ASSISTANT:
            assert [part.call_id for part in results] == waiting
            assert list(message.parts[: len(results)]) == results
            waiting = []
            assert not results or message.role is Role.USER
        else:
            assert not waiting
            assert not results
            waiting = calls
            ids += calls
        assert all(part.text.strip() for part in message.parts if isinstance(part, Text))
        assert message.parts
    assert not waiting
    assert len(set(ids)) == len(ids)
    assert (
        repaired(GenerateRequest("m", messages=after), "p", origin="o", account="").request.messages == after
    )
