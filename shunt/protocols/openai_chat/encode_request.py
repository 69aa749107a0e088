"""A request in Chat's words, for OpenAI or for a server that is like it.

OpenAI knows every field; servers like it know the oldest ones and refuse or ignore the rest. So whatever
can be left out is left out for them.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Final

from attrs import evolve

from shunt.errors import InvalidRequest
from shunt.inference import custom_tools, names
from shunt.inference.content import Part, Thinking
from shunt.inference.effort import clamped, wanted
from shunt.inference.repairs import repaired
from shunt.inference.request import MIDDLING, Effort, FormatKind, GenerateRequest
from shunt.inference.schemas import is_strict
from shunt.protocols.codec import Encoded, Target
from shunt.protocols.openai_chat.encode_messages import MessageWriter
from shunt.protocols.openai_chat.encode_tools import encode_tools
from shunt.protocols.openai_chat.parts import PROTOCOL
from shunt.protocols.openai_chat.reasoning import plain_seal

Fields = dict[str, Any]

STOPS: Final = 4
"""Stop sequences that Chat takes."""
IDS: Final = 64
"""Characters of `safety_identifier` and `prompt_cache_key`."""

_MESSAGES: Final = "anthropic-messages"
_TIERS: Final = {tier: tier for tier in ("default", "flex", "scale", "priority", "fast")}
_FOREIGN_TIERS: Final = {
    "standard": "default",
    "standard_only": "default",
    "fast": "priority",
    "priority": "priority",
}
"""Anthropic's tiers."""
_WITHOUT_LADDER: Final = (Effort.LOW, Effort.MEDIUM, Effort.HIGH)
"""Steps for models that think by budget: the server puts them into tokens."""


def encode_request(request: GenerateRequest, target: Target) -> Encoded:
    """Write a request. Raises InvalidRequest for what cannot be said and changes the meaning."""
    if request.previous:
        raise InvalidRequest(
            f"Previous response {request.previous!r} is not known here; send the whole conversation.",
            code="previous_response_not_found",
            param="previous_response_id",
        )
    owned = _with_plain_words(request, target)
    fitting = repaired(owned, PROTOCOL, origin=target.origin, account=target.account)
    dropped = list(fitting.dropped)
    fitted = fitting.request
    if not target.rules.custom_tools:
        fitted = custom_tools.as_functions(fitted)
    fitted = names.fitted(fitted, names.OPENAI_LONGEST)
    writer = MessageWriter(target)
    document: Fields = {
        "model": target.model,
        "messages": [*writer.system(fitted.instructions), *writer.messages(fitted.messages)],
    }
    dropped += writer.dropped
    document |= encode_tools(fitted, target, dropped)
    document |= _sampling(fitted, target, dropped)
    document |= _effort(fitted, target, dropped, tools="tools" in document)
    document |= _format(fitted)
    document |= _verbosity(fitted, target, dropped)
    document |= _identity(fitted, target)
    document |= _stream(fitted)
    own = request.protocol == PROTOCOL
    document |= _native(fitted) if own else {}
    return Encoded(document, fitted.left_out(dropped, () if own else fitted.unsaid()))


def _with_plain_words(request: GenerateRequest, target: Target) -> GenerateRequest:
    """The request with unsealed reasoning sealed for a server like OpenAI.

    Chat and Responses clients hold such reasoning only if a server of that kind gave it to them in full.
    """
    if target.vendor != "compatible" or request.protocol == _MESSAGES:
        return request
    seal = plain_seal(target.origin)

    def sealed(part: Part) -> Part:
        if isinstance(part, Thinking) and part.seal is None and not part.summary:
            return evolve(part, seal=seal)
        return part

    messages = (evolve(message, parts=tuple(map(sealed, message.parts))) for message in request.messages)
    return evolve(request, messages=tuple(messages))


def _sampling(request: GenerateRequest, target: Target, dropped: list[str]) -> Fields:
    """The cap on the output, temperature and stops."""
    rules, fields = target.rules, Fields()
    if request.max_output is not None:
        # A cap of 0 asks Anthropic to fill its cache; and no model writes more than it can.
        cap = max(1, request.max_output)
        name = "max_completion_tokens" if rules.completion_tokens else "max_tokens"
        fields[name] = min(cap, rules.max_output) if rules.max_output else cap
    for name, value in (("temperature", request.temperature), ("top_p", request.top_p)):
        if value is None:
            continue
        if rules.sampling:
            fields[name] = value
        elif value != 1:
            dropped.append(name)
    if request.top_k is not None:
        # Not OpenAI's, but many servers have it: who asks in Chat's words knows which.
        if request.protocol == PROTOCOL:
            fields["top_k"] = request.top_k
        else:
            dropped.append("top_k")
    stops = [stop for stop in request.stop if stop]
    if stops and rules.stop:
        fields["stop"] = stops[:STOPS]
    if len(stops) > (STOPS if rules.stop else 0):
        dropped.append("stop")
    return fields


def _effort(request: GenerateRequest, target: Target, dropped: list[str], *, tools: bool) -> Fields:
    rules = target.rules
    asked = wanted(request.reasoning)
    if tools and not rules.tools_with_effort_on_chat:
        # Tools exclude even the model's default effort.
        if asked not in (None, Effort.NONE):
            dropped.append("reasoning")
        return {"reasoning_effort": Effort.NONE.value} if Effort.NONE in rules.efforts else {}
    if asked is None:
        return {}
    ladder = rules.efforts or (_WITHOUT_LADDER if rules.budget_thinking else ())
    step = clamped(asked, ladder)
    if asked is Effort.NONE and not rules.efforts:
        return {}  # models that think by budget do not think unless asked
    if step is None:
        dropped.append("reasoning")
        return {}
    return {"reasoning_effort": step.value}


def _format(request: GenerateRequest) -> Fields:
    form = request.format
    if form is None:
        return {}
    if form.kind is FormatKind.JSON_OBJECT:
        return {"response_format": {"type": "json_object"}}
    schema = dict(form.schema or {})
    # Anthropic always holds its models to the schema; OpenAI can where nothing is left open.
    strict = is_strict(schema) if form.strict is None else form.strict
    described = {"description": form.description} if form.description else {}
    inner = {"name": form.name or "answer", **described, "schema": schema, "strict": strict}
    return {"response_format": {"type": "json_schema", "json_schema": inner}}


def _verbosity(request: GenerateRequest, target: Target, dropped: list[str]) -> Fields:
    if not request.verbosity:
        return {}
    if target.rules.verbosity:
        return {"verbosity": request.verbosity}
    if request.verbosity != MIDDLING:
        dropped.append("verbosity")
    return {}


def _identity(request: GenerateRequest, target: Target) -> Fields:
    """Who asks, and in which conversation: hints that help OpenAI, and that other servers may refuse."""
    own, asked = target.vendor != "compatible", request.protocol == PROTOCOL
    foreign = request.protocol == _MESSAGES
    fields: Fields = {}
    if request.user and own:
        fields["safety_identifier"] = _digest(request.user) if foreign else _short(request.user)
    elif request.user and asked:
        fields["user"] = request.user
    if request.cache_key and (own or not foreign):
        fields["prompt_cache_key"] = _short(request.cache_key)
    tier = request.tier if asked else (_FOREIGN_TIERS if foreign else _TIERS).get(request.tier)
    if tier and (own or asked):
        fields["service_tier"] = tier
    return fields


def _stream(request: GenerateRequest) -> Fields:
    """Usage is always wanted, for the records; clients get theirs only if they asked."""
    return {"stream": True, "stream_options": {"include_usage": True}} if request.stream else {}


def _native(request: GenerateRequest) -> Fields:
    """Fields that only this protocol has."""
    kept: Fields = {"store": request.store} if request.store is not None else {}
    if request.metadata:
        kept["metadata"] = dict(request.metadata)
    return kept | dict(request.native)


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "replace")).hexdigest()[:IDS]


def _short(text: str) -> str:
    return text if len(text) <= IDS else _digest(text)
