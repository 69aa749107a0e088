"""What routing needs to know of a Messages request."""

from __future__ import annotations

import re
from typing import Final

from msgspec import Raw, Struct

from shunt.inference.inbound import Outline
from shunt.inference.repairs import BILLING_MARK
from shunt.protocols import outlines
from shunt.wire import json

_OLD_SESSION: Final = re.compile(r"_session_([0-9A-Za-z-]{8,})$")


class _Body(Struct):
    model: Raw = Raw()
    messages: Raw = Raw()
    system: Raw = Raw()
    tools: Raw = Raw()
    stream: Raw = Raw()
    metadata: Raw = Raw()
    container: Raw = Raw()


class _Metadata(Struct):
    user_id: Raw = Raw()


class _UserId(Struct):
    session_id: Raw = Raw()


def outline(body: bytes) -> Outline:
    """Facts about a decoded request body. Raises InvalidRequest when it is not a request."""
    fields = outlines.top_level(body, _Body)
    model = outlines.model_name(fields.model)
    messages = outlines.required_list(fields.messages, "messages")
    _, first = outlines.opening(messages, "messages", frozenset())
    return outlines.sketch(
        model=model,
        stream=outlines.is_true(fields.stream),
        session=_session(fields.metadata),
        system=[text for text in outlines.texts(fields.system) if not text.startswith(BILLING_MARK)],
        first=first,
        tools=outlines.tool_names(fields.tools),
        chained=_is_chained(body, fields),
    )


def _session(metadata: Raw) -> str:
    return session_of(outlines.optional_text((json.peek(metadata, _Metadata) or _Metadata()).user_id))


def session_of(user: str) -> str:
    """The session in `metadata.user_id`: a JSON text today, `user_…_account_…_session_<uuid>` before."""
    if user.startswith("{"):
        return outlines.optional_text((json.peek(user.encode(), _UserId) or _UserId()).session_id)
    found = _OLD_SESSION.search(user)
    return found[1] if found else ""


def _is_chained(body: bytes, fields: _Body) -> bool:
    """Whether a container or an uploaded file is meant: they exist in one organisation only."""
    container = json.value(fields.container)
    if isinstance(container, str) or (isinstance(container, dict) and container.get("id")):
        return True
    if b'"file_id"' not in body:
        return False
    for part in outlines.parts(json.value(fields.messages)):
        source = part.get("source")
        if part.get("type") == "container_upload" or (
            isinstance(source, dict) and source.get("type") == "file"
        ):
            return True
    return False
