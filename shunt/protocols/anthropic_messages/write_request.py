"""A request in the words of the Messages API, for one model of one vendor."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from attrs import evolve

from shunt.errors import InvalidRequest
from shunt.inference.content import Message, Role, Text
from shunt.inference.custom_tools import as_functions
from shunt.inference.names import MESSAGES_LONGEST, fitted
from shunt.inference.repairs import (
    Messages,
    begun_by_user,
    ended_by_user,
    merged,
    repaired,
    with_reminders,
)
from shunt.inference.request import MIDDLING, FormatKind, GenerateRequest, Tool
from shunt.models.rules import ModelRules
from shunt.protocols.anthropic_messages import cache_marks
from shunt.protocols.anthropic_messages.output_schema import output_schema
from shunt.protocols.anthropic_messages.read_blocks import NAME, VENDOR
from shunt.protocols.anthropic_messages.thinking import Plan, is_resumed, plan
from shunt.protocols.anthropic_messages.write_blocks import BlockWriter, write_text
from shunt.protocols.anthropic_messages.write_tools import (
    is_forced,
    remembered_tools,
    write_choice,
    write_tools,
)
from shunt.protocols.codec import Document, Encoded, Target

DEFAULT_MAX_TOKENS: Final = 32_000
"""Output limit for models of which none is known; what Claude Code asks of those."""
JSON_ONLY: Final = "Answer with a single JSON object and nothing else: no prose, no code fence."
_PERSONAL: Final = re.compile(r"@|^\+?[\d\s().-]{7,}$")
"""Mail addresses and phone numbers, which the vendor asks not to be sent."""
_LONGEST_USER: Final = 256
_LEAST_TOP_P: Final = 0.95
"""Smallest `top_p` that goes with thinking."""


def write_request(request: GenerateRequest, target: Target) -> Encoded:
    """Raises InvalidRequest for what cannot be expressed and changes the meaning."""
    if request.previous:
        raise InvalidRequest(
            f"The response {request.previous} is not kept here; send the whole conversation instead.",
            code="previous_response_not_found",
            param="previous_response_id",
        )
    own = request.protocol == NAME
    whole = repaired(
        request, NAME, origin=target.origin, account=target.account, billing=target.vendor == VENDOR
    )
    dropped = list(whole.dropped)
    request = fitted(as_functions(whole.request), MESSAGES_LONGEST)
    messages = _conversation(request.messages, target.rules)
    tools = write_tools(request, target.rules, dropped)
    choice = write_choice(request, tools, target.rules, dropped)
    if not tools and (tools := remembered_tools(request)):
        choice = {"type": "none"}
    thought = plan(
        request.reasoning,
        target.rules,
        _max_tokens(request, target.rules, own=own),
        forced=is_forced(choice),
        resumed=is_resumed(messages),
    )
    if thought.lost:
        dropped.append("reasoning")
    names = frozenset(tool.name for tool in request.tools if isinstance(tool, Tool))
    blocks = BlockWriter(names, images=target.rules.images, dropped=dropped)
    document = {
        "model": target.model,
        "max_tokens": thought.max_tokens,
        "system": _system(request, dropped),
        "messages": [
            _message(message, blocks)
            for message in _ended(messages, dropped, prefill=target.rules.prefill and not thought.active)
        ],
        "tools": tools,
        "tool_choice": choice,
        "thinking": thought.thinking,
        **_sampling(request, target.rules, thought, dropped),
        **_output(request, thought, dropped),
        **_identity(request, own=own, dropped=dropped),
        "stream": request.stream or None,
    }
    document = {name: value for name, value in document.items() if value is not None and value != []}
    unsaid = _unsaid(request, document, own=own)
    cache_marks.place(document)
    return Encoded(document, request.left_out(dropped, unsaid))


def _system(request: GenerateRequest, dropped: list[str]) -> list[Document]:
    """System texts, and what can only be said in one."""
    texts = list(request.instructions)
    if request.format is not None and request.format.kind is FormatKind.JSON_OBJECT:
        dropped.append("format")
        texts.append(Text(JSON_ONLY))
    return [write_text(text) for text in texts]


def _conversation(messages: Messages, rules: ModelRules) -> Messages:
    """The conversation as the vendor demands it: roles alternate, and the user begins."""
    return begun_by_user(merged(messages if rules.system_in_place else with_reminders(messages)))


def _ended(messages: Messages, dropped: list[str], *, prefill: bool) -> Messages:
    """The conversation with an end that the model takes; a prefill must not end in blanks."""
    if not prefill:
        return ended_by_user(messages, dropped)
    last = messages[-1]
    if last.role is not Role.ASSISTANT or not isinstance(text := last.parts[-1], Text):
        return messages
    return (*messages[:-1], evolve(last, parts=(*last.parts[:-1], evolve(text, text=text.text.rstrip()))))


def _message(message: Message, blocks: BlockWriter) -> Document:
    role = "system" if message.role is Role.DEVELOPER else message.role.value
    return {"role": role, "content": blocks.message(message.role, message.parts)}


def _max_tokens(request: GenerateRequest, rules: ModelRules, *, own: bool) -> int:
    """The output limit, which the vendor demands; 0 only warms the cache, and only Anthropic's own mean it."""
    wanted = request.max_output
    if wanted is None:
        return rules.max_output or DEFAULT_MAX_TOKENS
    if not own:
        wanted = max(wanted, 1)
    return min(wanted, rules.max_output) if rules.max_output else wanted


def _sampling(request: GenerateRequest, rules: ModelRules, thought: Plan, dropped: list[str]) -> Document:
    """Temperature and its kin, as far as the model lets them be set."""
    given = {"temperature": request.temperature, "top_p": request.top_p, "top_k": request.top_k}
    given = {name: value for name, value in given.items() if value is not None}
    sent: Document = {}
    if rules.sampling and thought.active:
        if request.top_p is not None and request.top_p >= _LEAST_TOP_P:
            sent["top_p"] = request.top_p
        if request.temperature == 1:  # the only one that goes with thinking, and the default
            del given["temperature"]
    elif rules.sampling:
        sent = dict(given)
        if "temperature" in sent:
            sent["temperature"] = min(max(sent["temperature"], 0), 1)
            if not rules.temperature_and_top_p:
                sent.pop("top_p", None)
    dropped += [name for name, value in given.items() if name not in sent and (value != 1 or name == "top_k")]
    stop = [text for text in request.stop if text.strip()]
    return sent | ({"stop_sequences": stop} if stop else {})


def _output(request: GenerateRequest, thought: Plan, dropped: list[str]) -> Document:
    """`output_config`: effort and the shape of the answer."""
    config: Document = {"effort": str(thought.effort)} if thought.effort else {}
    shape = request.format
    if shape is not None and shape.kind is FormatKind.JSON_SCHEMA:
        config["format"] = {"type": "json_schema", "schema": output_schema(shape.schema)}
    if request.verbosity not in ("", MIDDLING):
        dropped.append("verbosity")
    return {"output_config": config} if config else {}


def _identity(request: GenerateRequest, *, own: bool, dropped: list[str]) -> Document:
    """Who asks, and how fast it is wanted."""
    sent: Document = {}
    if request.user and (own or not _PERSONAL.search(request.user)):
        sent["metadata"] = {"user_id": request.user[:_LONGEST_USER]}
    elif request.user:
        dropped.append("user")
    if own and request.tier:
        sent |= {"speed": "fast"} if request.tier == "fast" else {"service_tier": request.tier}
    return sent


def _unsaid(request: GenerateRequest, document: Document, *, own: bool) -> Iterable[str]:
    """Fields of the client's protocol: back into their own, reported for any other."""
    if own:
        for name, value in request.native.items():
            document.setdefault(name, value)
        return ()
    return request.unsaid()
