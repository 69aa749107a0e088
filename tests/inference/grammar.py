"""The grammar of events, strictly checked, and every legal sequence of them to draw from.

For the tests of all encoders (draw `streams()`, feed, check the output) and decoders (check what comes).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from attrs import evolve
from hypothesis import strategies as st

from shunt.errors import Kind
from shunt.inference.content import (
    Citation,
    Foreign,
    HostedCall,
    HostedResult,
    Part,
    Refusal,
    Seal,
    SealForm,
    SearchHit,
    Text,
    Thinking,
    ToolCall,
)
from shunt.inference.events import (
    ArgumentsDelta,
    CitationAdded,
    Event,
    Failed,
    Finished,
    PartFinished,
    PartStarted,
    Ping,
    RefusalDelta,
    SealGiven,
    Started,
    Stopped,
    TextDelta,
    ThinkingDelta,
)
from shunt.inference.failure import Failure
from shunt.inference.response import Answer, Stop
from shunt.inference.usage import Usage

GROWING = (Text, Thinking, Refusal, ToolCall)
DELTA_OF: dict[type, Any] = {
    TextDelta: Text,
    CitationAdded: Text,
    ThinkingDelta: Thinking,
    SealGiven: Thinking,
    RefusalDelta: Refusal,
    ArgumentsDelta: ToolCall,
}


def check(events: Iterable[Event], *, whole: bool = True) -> None:
    """Assert that the events are legal; `whole`: that they also have an end."""
    checker = Checker()
    for event in events:
        checker.take(event)
    if whole:
        assert checker.ended, "the stream has no end"


class Checker:
    """Takes events one at a time and asserts that each may stand where it stands."""

    def __init__(self) -> None:
        self.started = self.stopped = self.ended = False
        self.count = 0
        self.open: dict[int, Part] = {}

    def take(self, event: Event) -> None:
        assert not self.ended, f"{event} after the end"
        match event:
            case Ping():
                pass
            case Failed():
                self.ended = True
            case Started():
                assert not self.started, "started twice"
                self.started = True
            case _:
                assert self.started, f"{event} before Started"
                self._within(event)

    def _within(self, event: Event) -> None:
        match event:
            case Finished():
                assert self.stopped, "finished without having stopped"
                self.ended = True
            case _ if self.stopped:
                raise AssertionError(f"{event} after Stopped")
            case Stopped():
                assert not self.open, f"stopped while {sorted(self.open)} are open"
                self.stopped = True
            case PartStarted(index=index, part=part):
                assert index == self.count, f"part {index}, expected {self.count}"
                assert not isinstance(part, GROWING) or part == empty(part), f"{part} does not start empty"
                self.open[index] = part
                self.count += 1
            case PartFinished(index=index, part=part):
                self._finish(index, part)
            case _:
                self._grow(event)

    def _finish(self, index: int, part: Part) -> None:
        assert index in self.open, f"part {index} is not open"
        begun = self.open.pop(index)
        assert type(part) is type(begun), f"{begun} became {part}"
        if isinstance(part, GROWING):
            assert part == begun, f"{part} is not the sum of its deltas, {begun}"
        if isinstance(part, ToolCall):
            assert part.id, "a call without id"
            assert part.name, "a call without name"
            assert part.custom or part.arguments, "a call without arguments"

    def _grow(self, event: Any) -> None:
        assert event.index in self.open, f"{event} for a part that is not open"
        part: Any = self.open[event.index]
        assert isinstance(part, DELTA_OF[type(event)]), f"{event} for {part}"
        match event:
            case CitationAdded(citation=citation):
                part = evolve(part, citations=(*part.citations, citation))
            case SealGiven(seal=seal):
                before = part.seal.payload if part.seal else ""
                part = evolve(part, seal=evolve(seal, payload=before + seal.payload))
            case ArgumentsDelta(text=text):
                part = evolve(part, arguments=part.arguments + text)
            case _:
                part = evolve(part, text=part.text + event.text)
        self.open[event.index] = part


def empty(part: Part) -> Part:
    """The part as PartStarted shows it."""
    match part:
        case Text():
            return Text("")
        case Thinking():
            return evolve(part, text="", seal=None)
        case Refusal():
            return Refusal("")
        case ToolCall():
            return evolve(part, arguments="", cache=None)
        case _:
            return part


def growth(index: int, part: Part, cuts: Callable[[str], list[str]]) -> list[Event]:
    """The deltas between start and end of a part; `cuts` takes a text to pieces."""
    match part:
        case Text():
            return [
                *(TextDelta(index, piece) for piece in cuts(part.text)),
                *(CitationAdded(index, citation) for citation in part.citations),
            ]
        case Thinking():
            seal = part.seal
            sealed = [evolve(seal, payload=piece) for piece in cuts(seal.payload) or [""]] if seal else []
            return [
                *(ThinkingDelta(index, piece) for piece in cuts(part.text)),
                *(SealGiven(index, piece) for piece in sealed),
            ]
        case Refusal():
            return [RefusalDelta(index, piece) for piece in cuts(part.text)]
        case ToolCall():
            return [ArgumentsDelta(index, piece) for piece in cuts(part.arguments)]
        case _:
            return []


WORDS = st.sampled_from(["", " ", "a", "Hello, ", "wörld 😀", "\n\n", '"quoted"\\', "\u2028", "x" * 50])
JSON_ARGUMENTS = st.sampled_from(
    [
        "{}",
        '{"x": 1}',
        '{"path":"/tmp/ä","n":[1,2.5e3,{"d":null}]}',
        '{"s":"\\u00e9\\n\\"q\\" 😀"}',
        ' {"a" : true} ',
    ]
)
BROKEN_ARGUMENTS = st.sampled_from(
    ['{"x": nope', '{"x":"lo', "[1]", '"text"', "{}{}", "null", '{"a":1,}', "\x00"]
)
SEALS = st.builds(
    Seal,
    origin=st.sampled_from(["anthropic", "openai", "codex", "api.example.org"]),
    form=st.sampled_from(SealForm),
    payload=st.sampled_from(["EqQBCkYIBxgC", "gAAAAABoQk1Z", "x" * 30]),
    account=st.sampled_from(["", "acc-1"]),
)
CITATIONS = st.builds(
    Citation,
    url=st.sampled_from(["https://example.org/a", "https://example.org/b"]),
    title=st.sampled_from(["", "A title"]),
    cited_text=st.sampled_from(["", "words"]),
)
USAGES = st.builds(
    Usage,
    input=st.integers(0, 99),
    cache_read=st.integers(0, 99),
    cache_write_5m=st.integers(0, 99),
    output=st.integers(50, 99),
    reasoning=st.integers(0, 50),
    web_searches=st.integers(0, 2),
)
FAILURES = st.builds(
    Failure, kind=st.sampled_from(Kind), message=st.sampled_from(["It broke.", "maximum context length"])
)


def _calls(broken: bool) -> st.SearchStrategy[ToolCall]:
    functions = st.builds(
        ToolCall,
        id=st.just("call"),
        name=st.sampled_from(["read", "write"]),
        arguments=st.one_of(JSON_ARGUMENTS, BROKEN_ARGUMENTS) if broken else JSON_ARGUMENTS,
    )
    custom = st.builds(
        ToolCall,
        id=st.just("call"),
        name=st.just("apply_patch"),
        arguments=st.sampled_from(["", '*** Begin Patch\n+"hé"\n', "😀"]),
        custom=st.just(True),
    )
    return st.one_of(functions, functions, custom)


def parts(*, broken: bool = False) -> st.SearchStrategy[Part]:
    """Parts an answer may hold; `broken` calls are cut off or no JSON."""
    text = st.lists(WORDS, max_size=3).map("".join)
    thinking = st.builds(Thinking, text=text, seal=st.none() | SEALS, summary=st.booleans())
    hosted = st.builds(
        HostedCall,
        id=st.sampled_from(["ws_1", "srvtoolu_1"]),
        kind=st.sampled_from(["web_search", "web_fetch", "code_execution", "file_search"]),
        input=st.just('{"query":"cats"}'),
        status=st.just("completed"),
    )
    found = st.builds(
        HostedResult,
        call_id=st.sampled_from(["ws_1", "srvtoolu_1"]),
        kind=st.sampled_from(["web_search", "code_execution"]),
        hits=st.sampled_from([(), (SearchHit("https://example.org/a", "A"),)]),
        error=st.sampled_from(["", "unavailable"]),
    )
    foreign = st.builds(Foreign, st.just("elsewhere"), st.just("novel"), st.just({"type": "novel"}), WORDS)
    cited = st.builds(Text, text, st.lists(CITATIONS, max_size=2).map(tuple))
    return st.one_of(
        cited, thinking, _calls(broken), _calls(broken), st.builds(Refusal, text), hosted, found, foreign
    )


@st.composite
def answers(draw: st.DrawFn, *, broken: bool = False) -> Answer:
    """Whole answers, with stop reasons that fit their parts and call ids of their own."""
    held = tuple(
        evolve(part, id=f"call_{n}") if isinstance(part, ToolCall) else part
        for n, part in enumerate(draw(st.lists(parts(broken=broken), max_size=5)))
    )
    natural = Stop.TOOL_USE if any(isinstance(part, ToolCall) for part in held) else Stop.END_TURN
    if natural is Stop.END_TURN and any(isinstance(part, Refusal) for part in held):
        natural = Stop.REFUSAL
    stop = draw(
        st.sampled_from([natural, natural, Stop.MAX_TOKENS, Stop.CONTEXT_WINDOW, Stop.PAUSE, Stop.REFUSAL])
    )
    return Answer(
        id=draw(st.sampled_from(["msg_up1", "chatcmpl-up1", "resp_up1"])),
        model=draw(st.sampled_from(["claude-up", "gpt-up"])),
        parts=held,
        stop=stop,
        usage=draw(USAGES),
        explanation=draw(st.sampled_from(["", "It is not allowed."])) if stop is Stop.REFUSAL else "",
        created=draw(st.sampled_from([0, 1_700_000_000])),
    )


@st.composite
def streams(draw: st.DrawFn, *, broken: bool = False, failing: bool = True) -> list[Event]:
    """Legal event sequences: parts that overlap in every way, pings, early and late failures.

    `broken` lets calls have broken or cut arguments, `failing` lets streams end in Failed.
    """
    answer = draw(answers(broken=broken))
    events = _interleaved(draw, answer.parts)
    events = [
        Started(answer.id, answer.model, draw(st.none() | USAGES), answer.created),
        *events,
        Stopped(answer.stop, answer.usage, explanation=answer.explanation),
        Finished(),
    ]
    if failing and draw(st.booleans()):
        events[draw(st.integers(0, len(events) - 1)) :] = [Failed(draw(FAILURES))]
    for at in draw(st.lists(st.integers(0, len(events) - 1), max_size=2)):
        events.insert(at, Ping())
    return events


def _interleaved(draw: st.DrawFn, held: Sequence[Part]) -> list[Event]:
    """Start the parts in order, and let those that are open advance in any order."""
    waiting = [
        [
            PartStarted(index, empty(part)),
            *growth(index, part, lambda text: draw(_cuts(text))),
            PartFinished(index, part),
        ]
        for index, part in enumerate(held)
    ]
    overlapping = draw(st.booleans())
    events: list[Event] = []
    running: list[list[Event]] = []
    while waiting or running:
        may_start = bool(waiting) and (overlapping or not running)
        choice = draw(st.integers(0, len(running) - (0 if may_start else 1)))
        if choice == len(running):
            running.append(waiting.pop(0))
        events.append(running[choice].pop(0))
        running = [rest for rest in running if rest]
    return events


def _cuts(text: str) -> st.SearchStrategy[list[str]]:
    """The text in up to three pieces, some perhaps empty."""
    at = st.lists(st.integers(0, len(text)), max_size=2).map(sorted)
    return at.map(lambda cuts: [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)])
