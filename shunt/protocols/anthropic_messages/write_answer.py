"""An answer in the words of the Messages API, for a client."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from attrs import evolve

from shunt.inference.content import Foreign, HostedCall, HostedResult, Part, Refusal, Text, Thinking
from shunt.inference.request import GenerateRequest
from shunt.inference.response import Answer
from shunt.inference.restoration import Restoration
from shunt.inference.usage import Usage
from shunt.protocols.anthropic_messages.show_parts import CITATIONS, SEARCH, show, shown_citations
from shunt.protocols.anthropic_messages.stops import write_stop
from shunt.protocols.anthropic_messages.usage import write_usage
from shunt.protocols.codec import Encoded


def write_answer(answer: Answer, request: GenerateRequest, request_id: str) -> Encoded:
    """A plain answer. The model is called what the client called it."""
    answer = Restoration(request).answer(answer)
    dropped = ["stop_reason"] if answer.unknown_stop else []
    content = []
    for part in with_results(answer.parts):
        block = show(part)
        if block is not None:
            content.append(block)
            if isinstance(part, Text) and len(shown_citations(part)) < len(part.citations):
                dropped.append(CITATIONS)
        elif not isinstance(part, (Text, Refusal, Thinking)):
            dropped.append(missed(part))
    searches = sum(isinstance(part, HostedCall) and part.kind == SEARCH for part in answer.parts)
    document = {
        **envelope(message_id(answer.id, request_id), request.model),
        "content": content,
        **write_stop(answer.stop, answer.stop_sequence, answer.explanation),
        "usage": write_usage(counted(answer.usage, searches)),
    }
    return Encoded(document, tuple(dict.fromkeys(dropped)))


def envelope(id_: str, model: str) -> dict[str, Any]:
    """The fields of a message that are known before its content."""
    return {"id": id_, "type": "message", "role": "assistant", "model": model}


def message_id(answer_id: str, request_id: str) -> str:
    """The vendor's id if it looks like one of Anthropic's, else one made of our request id."""
    return answer_id if answer_id.startswith("msg_") else f"msg_{request_id.removeprefix('req_')}"


def counted(usage: Usage, searches: int) -> Usage:
    """Usage with the web searches that were seen: only Anthropic counts them, and clients show the number."""
    return evolve(usage, web_searches=max(usage.web_searches, searches))


def missed(part: Part) -> str:
    """The name of a part that the client could not be shown."""
    if isinstance(part, Foreign):
        return part.type
    return part.kind if isinstance(part, (HostedCall, HostedResult)) else type(part).__name__.lower()


def with_results(parts: Iterable[Part]) -> Iterator[Part]:
    """The parts, with an empty result after every web search that shows none: the two go together."""
    waiting = ""
    for part in parts:
        if waiting and not (isinstance(part, HostedResult) and part.call_id == waiting):
            yield HostedResult(waiting, SEARCH)
        waiting = part.id if isinstance(part, HostedCall) and part.kind == SEARCH else ""
        yield part
    if waiting:
        yield HostedResult(waiting, SEARCH)
