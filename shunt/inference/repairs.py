"""Conversations put in the order that vendors demand, before a request is written for one of them.

Clients send what happened: calls that were interrupted, results twice, empty texts, reasoning that only
another vendor can read. Each vendor refuses some of it with 400, and then every later turn too. `repaired`
does what every target needs; the functions after it are for targets that ask for more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import Final

from attrs import evolve, frozen

from shunt.inference.content import (
    Document,
    Foreign,
    HostedCall,
    HostedResult,
    Message,
    Part,
    Refusal,
    Role,
    SearchResult,
    Text,
    Thinking,
    ToolCall,
    ToolReference,
    ToolResult,
)
from shunt.inference.envelope import fits
from shunt.inference.names import wire_id
from shunt.inference.request import GenerateRequest, HostedTool, Tool

Messages = tuple[Message, ...]

BILLING_MARK: Final = "x-anthropic-billing-header:"
"""Begins a system text in which Claude Code puts a hash that changes with every request."""
UNANSWERED: Final = "The tool call was interrupted before it gave a result."
OPENING: Final = "Begin."
"""A user's first words, where a vendor demands some and there are none."""
CONTINUE: Final = "Continue."
"""A user's last words, where a vendor does not let the assistant's stand last."""


@frozen
class Repaired:
    """A request that can be written, and what it lost."""

    request: GenerateRequest
    dropped: tuple[str, ...] = ()
    """What was left out, or said in other words, by its type; in order, each once."""


def repaired(
    request: GenerateRequest, protocol: str, *, origin: str, account: str, billing: bool = False
) -> Repaired:
    """The request as any target can take it. Every encoder of requests begins with it.

    In this order: reasoning that is not of `origin` and `account` (a Target's) is left out; parts of other
    protocols than `protocol` become text; empty texts go, and messages that thereby become empty; every
    call gets exactly one result, directly after its turn; a tool offered twice is offered once. `billing`
    keeps Claude Code's billing text, which means something to Anthropic only.
    """
    dropped: list[str] = []
    messages = own_reasoning(request.messages, origin, account)
    messages = without_empty(_told(messages, protocol, dropped))
    messages = settled(messages, dropped)
    instructions = (text for text in request.instructions if text.text.strip())
    after = evolve(
        request,
        instructions=tuple(instructions) if billing else without_billing(instructions),
        messages=messages,
        tools=tuple(_distinct(request.tools)),
    )
    return Repaired(after, tuple(dict.fromkeys(dropped)))


def own_reasoning(messages: Messages, origin: str, account: str) -> Messages:
    """Only the reasoning whose seal this origin and account can read; the rest is nobody's business."""
    return _each(messages, lambda part: not isinstance(part, Thinking) or fits(part.seal, origin, account))


def without_billing(instructions: Iterable[Text]) -> tuple[Text, ...]:
    """System texts without Claude Code's billing line: it would defeat every prompt cache but its own."""
    kept = []
    for text in instructions:
        if text.text.startswith(BILLING_MARK):
            rest = text.text.partition("\n")[2]
            if not rest.strip():
                continue
            text = evolve(text, text=rest)  # noqa: PLW2901 - the line goes, what follows it stays
        kept.append(text)
    return tuple(kept)


def without_empty(messages: Messages) -> Messages:
    """Messages without empty or blank texts, also within results, and none that has nothing left."""
    kept = []
    for message in messages:
        parts = tuple(_filled(part) for part in message.parts if not _is_empty(part))
        if parts:
            kept.append(evolve(message, parts=parts))
    return tuple(kept)


def settled(messages: Messages, dropped: list[str]) -> Messages:
    """Every call has exactly one result, in one user message directly after the assistant's turn.

    A turn is a run of assistant messages. Results stand in the order of their calls; what stood between
    moves behind them. Of two results for a call the first is kept, because the model has seen it in
    earlier requests; the second is reported in `dropped`. A result without a call becomes a user's text,
    a call without result gets one that says so. Ids that several calls share are told apart.
    """
    ledger = _Ledger(dropped)
    for message in messages:
        ledger.add(message)
    return tuple(ledger.settled())


def merged(messages: Messages) -> Messages:
    """Neighbours of one role as one message, for targets where roles must alternate."""
    joined: list[Message] = []
    for _, neighbours in groupby(messages, key=lambda message: message.role):
        first, *others = neighbours
        if others:  # all at once: a join with each in turn would take a long run its square
            first = evolve(first, parts=tuple(part for message in (first, *others) for part in message.parts))
        joined.append(first)
    return tuple(joined)


def with_reminders(messages: Messages) -> Messages:
    """System and developer messages as marked texts of the user, for targets that know no others.

    They stay where they are: moved to the top they would mean something else, and cost the cache.
    """
    return tuple(_reminder(m) if m.role in (Role.SYSTEM, Role.DEVELOPER) else m for m in messages)


def begun_by_user(messages: Messages) -> Messages:
    """The first turn is the user's."""
    if messages and messages[0].role is Role.USER:
        return messages
    return (Message(Role.USER, (Text(OPENING),)), *messages)


def ended_by_user(messages: Messages, dropped: list[str]) -> Messages:
    """The last turn is not the assistant's: models that refuse to continue it are asked to go on.

    A turn that the vendor itself paused in the middle of its own tools is sent as it is.
    """
    if not messages or messages[-1].role is not Role.ASSISTANT:
        return messages
    if isinstance(messages[-1].parts[-1], (HostedCall, HostedResult)):
        return messages
    dropped.append("prefill")
    return (*messages, Message(Role.USER, (Text(CONTINUE),)))


class _Slot:
    """A call that waits for its result."""

    __slots__ = ("call", "result")

    def __init__(self, call: ToolCall) -> None:
        self.call = call
        self.result: ToolResult | None = None

    def answer(self) -> ToolResult:
        if self.result is None:
            return ToolResult(self.call.id, (Text(UNANSWERED),), is_error=True, custom=self.call.custom)
        return evolve(self.result, call_id=self.call.id, custom=self.call.custom)


class _Queue:
    """The calls of one run that share an id, answered in their order."""

    __slots__ = ("_answered", "_slots", "run")

    def __init__(self, run: list[_Slot]) -> None:
        self.run = run
        self._slots: list[_Slot] = []
        self._answered = 0

    def put(self, slot: _Slot) -> None:
        self._slots.append(slot)

    def take(self) -> _Slot | None:
        """The first that has no result yet."""
        if self._answered == len(self._slots):
            return None
        self._answered += 1
        return self._slots[self._answered - 1]


class _Ledger:
    """Calls and results of a conversation, paired as they come."""

    def __init__(self, dropped: list[str]) -> None:
        self._dropped = dropped
        self._entries: list[Message | list[_Slot]] = []
        """The messages, and after each run of the assistant's its slots."""
        self._run: list[_Slot] | None = None
        self._queues: dict[str, _Queue] = {}
        """By the id that the client used: the calls of the latest run that used it."""
        self._ids: set[str] = set()
        self._uses: dict[str, int] = {}
        """How often each id was used, so that the thousandth use need not try all the names before."""

    def add(self, message: Message) -> None:
        if message.role is Role.ASSISTANT:
            if self._run is None:
                self._run = []
        else:
            self._end_run()
        parts = tuple(after for part in message.parts for after in self._taken(part))
        if parts:
            self._entries.append(evolve(message, parts=parts))

    def settled(self) -> Iterator[Message]:
        self._end_run()
        for entry in self._entries:
            if isinstance(entry, Message):
                yield entry
            elif entry:
                yield Message(Role.USER, tuple(slot.answer() for slot in entry))

    def _end_run(self) -> None:
        if self._run is not None:
            self._entries.append(self._run)
            self._run = None

    def _taken(self, part: Part) -> tuple[Part, ...]:
        """The part as it stays where it is, if it does."""
        if isinstance(part, ToolCall) and self._run is not None:
            call = evolve(part, id=self._own_id(part.id))
            slot = _Slot(call)
            queue = self._queues.get(part.id)
            if queue is None or queue.run is not self._run:
                queue = self._queues[part.id] = _Queue(self._run)
            queue.put(slot)
            self._run.append(slot)
            return (call,)
        if not isinstance(part, ToolResult):
            return (part,)
        queue = self._queues.get(part.call_id)
        if queue is None:
            return tuple(_orphaned(part))
        waiting = queue.take()
        if waiting is None:
            self._dropped.append("tool_result")
        else:
            waiting.result = part
        return ()

    def _own_id(self, call_id: str) -> str:
        count = self._uses.get(call_id, 0) + 1
        own = call_id if count == 1 else wire_id(f"{call_id}~{count}")
        while own in self._ids:
            count += 1
            own = wire_id(f"{call_id}~{count}")
        self._uses[call_id] = count
        self._ids.add(own)
        return own


def _orphaned(result: ToolResult) -> Iterator[Part]:
    """A result whose call is not in the conversation, as a user's parts."""
    what = "An error" if result.is_error else "The result"
    yield Text(f"[{what} of a tool call that is no longer in this conversation]")
    for part in result.parts:
        yield Text(f"Tool found: {part.name}") if isinstance(part, ToolReference) else part


def _told(messages: Messages, protocol: str, dropped: list[str]) -> Messages:
    """Parts that only another protocol has, as their text; those without any are left out."""

    def own(part: Foreign) -> Foreign | Text:
        if part.protocol == protocol:
            return part
        dropped.append(part.type)
        return Text(part.text)

    def told(part: Part) -> Part:
        if isinstance(part, Foreign):
            return own(part)
        if isinstance(part, ToolResult):
            inner = (own(found) if isinstance(found, Foreign) else found for found in part.parts)
            return evolve(part, parts=tuple(inner))
        return part

    return tuple(evolve(message, parts=tuple(map(told, message.parts))) for message in messages)


def _each(messages: Messages, keep: Callable[[Part], bool]) -> Messages:
    return tuple(evolve(message, parts=tuple(filter(keep, message.parts))) for message in messages)


def _is_empty(part: Part) -> bool:
    match part:
        case Text(text=text) | Refusal(text=text):
            return not text.strip()
        case Thinking(text=text, seal=None):
            return not text.strip()
        case Document(media=None, text=words, parts=()):
            return not (words or "").strip()
        case _:
            return False


def _filled(part: Part) -> Part:
    """The part without the empty texts within it."""
    match part:
        case ToolResult():
            return evolve(part, parts=tuple(inner for inner in part.parts if not _is_hollow(inner)))
        case SearchResult():
            return evolve(part, parts=tuple(inner for inner in part.parts if not _is_hollow(inner)))
        case Document():
            return evolve(part, parts=tuple(inner for inner in part.parts if not _is_hollow(inner)))
        case _:
            return part


def _is_hollow(part: object) -> bool:
    return isinstance(part, (Text, Document)) and _is_empty(part)


def _distinct(tools: Iterable[Tool | HostedTool]) -> Iterator[Tool | HostedTool]:
    seen = set()
    for tool in tools:
        if isinstance(tool, Tool):
            if (tool.namespace, tool.name) in seen:
                continue
            seen.add((tool.namespace, tool.name))
        yield tool


def _reminder(message: Message) -> Message:
    texts = "\n\n".join(part.text for part in message.parts if isinstance(part, Text))
    others = tuple(part for part in message.parts if not isinstance(part, Text))
    parts: tuple[Part, ...] = (Text(f"<system-reminder>\n{texts}\n</system-reminder>"),) if texts else ()
    return evolve(message, role=Role.USER, parts=(*parts, *others))
