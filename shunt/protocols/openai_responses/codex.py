"""The dialect of the ChatGPT backend that Codex talks to: this protocol, with most of its fields refused.

The backend answers `{"detail": "Unsupported parameter: …"}` to anything that Codex itself does not send,
stores nothing, and only streams. A body that Codex wrote passes as it is; any other is made to fit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from attrs import field, frozen

from shunt.errors import InvalidRequest
from shunt.protocols.openai_responses.decode_items import STORED
from shunt.protocols.openai_responses.decode_request import PREVIOUS

VENDOR: Final = "codex"
"""Provider family of the backend."""

ALLOWED: Final = (
    "model",
    "instructions",
    "input",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "reasoning",
    "include",
    "prompt_cache_key",
    "text",
    "service_tier",
    "client_metadata",
    "store",
    "stream",
)
"""Every field that the backend takes."""

_SILENT: Final = frozenset(
    {
        # Hints, and limits that its own agents do without.
        "max_output_tokens",
        "metadata",
        "user",
        "safety_identifier",
        "stream_options",
        "prompt_cache_retention",
        "prompt_cache_options",
        "background",
        "previous_response_id",
    }
)
_STATE: Final = ("conversation", "prompt")
_PREVIEW: Final = "web_search_preview"
_TIER: Final = "priority"


@frozen
class Fitted:
    """A body that the backend takes, and what had to be left out."""

    document: dict[str, Any] = field(repr=False)
    dropped: tuple[str, ...] = ()


def fitted(document: Mapping[str, Any], *, compact: bool = False) -> Fitted:
    """Make a body fit; everything that the backend understands stays as it is.

    `compact` is for the endpoint that only shortens a conversation, which neither stores nor streams.
    Raises InvalidRequest for what refers to stored state: there is none.
    """
    _refuse_state(document)
    after = {name: document[name] for name in ALLOWED if name in document}
    after["instructions"] = _instructions(document.get("instructions"))
    after["input"] = _input(document.get("input"))
    if isinstance(tools := document.get("tools"), list):
        after["tools"] = [_tool(tool) for tool in tools]
    if after.get("service_tier") in ("priority", "fast"):
        after["service_tier"] = _TIER
    else:
        after.pop("service_tier", None)
    after |= {"store": False, "stream": True}
    if compact:
        del after["store"], after["stream"]
    gone = [name for name, value in document.items() if name not in ALLOWED and _matters(name, value)]
    return Fitted(after, tuple(gone))


def fits(document: Mapping[str, Any], *, compact: bool = False) -> bool:
    """Whether the backend takes a body as it stands: Codex wrote it, or somebody who knows it as well.

    Codex leaves `instructions` out and puts ids of its own on items; both are fine there.
    """
    if any(name not in ALLOWED for name in document):
        return False
    items, kept = document.get("input"), (document.get("store"), document.get("stream"))
    if not isinstance(items, list) or kept != ((None, None) if compact else (False, True)):
        return False
    if "client_metadata" not in document and not isinstance(document.get("instructions"), str):
        return False
    if document.get("service_tier") not in (None, _TIER):
        return False
    tools = document.get("tools")
    return all(map(_item_fits, items)) and all(
        _tool(tool) == tool for tool in (tools if isinstance(tools, list) else ())
    )


def _refuse_state(document: Mapping[str, Any]) -> None:
    if previous := document.get("previous_response_id"):
        raise InvalidRequest(
            PREVIOUS.format(id=str(previous)[:100]),
            code="previous_response_not_found",
            param="previous_response_id",
        )
    for name in (*_STATE, "background"):
        if document.get(name):
            raise InvalidRequest(f"`{name}` is not offered to ChatGPT logins.", param=name)


def _instructions(found: Any) -> str:
    return found if isinstance(found, str) else ""


def _input(found: Any) -> list[Any]:
    if isinstance(found, str):
        content = [{"type": "input_text", "text": found}]
        return [{"type": "message", "role": "user", "content": content}]
    items = found if isinstance(found, list) else [] if found is None else [found]
    return [_item(item, place) for place, item in enumerate(items)]


def _item(item: Any, place: int) -> Any:
    if not isinstance(item, dict):
        return item
    if item.get("type") == "item_reference":
        name = f"input[{place}]"
        raise InvalidRequest(STORED.format(field=name), param=name)
    after = {name: value for name, value in item.items() if name != "id"}
    if after.get("role") == "system":
        after["role"] = "developer"
    content = after.get("content")
    if isinstance(content, list) and any(map(_is_marked, content)):
        after["content"] = [_unmarked(part) for part in content]
    return after


def _item_fits(item: Any) -> bool:
    """Ids of reasoning are looked up, and not found; Codex sends none."""
    if not isinstance(item, dict) or item.get("type") == "item_reference" or item.get("role") == "system":
        return False
    content = item.get("content")
    marked = isinstance(content, list) and any(map(_is_marked, content))
    return not marked and not (item.get("type") == "reasoning" and item.get("id"))


def _tool(tool: Any) -> Any:
    if not isinstance(tool, dict):
        return tool
    kind = tool.get("type")
    if isinstance(kind, str) and kind.startswith(_PREVIEW):
        return {**tool, "type": "web_search"}
    return tool


def _is_marked(part: Any) -> bool:
    return isinstance(part, dict) and "prompt_cache_breakpoint" in part


def _unmarked(part: Any) -> Any:
    if not isinstance(part, dict):
        return part
    return {name: value for name, value in part.items() if name != "prompt_cache_breakpoint"}


def _matters(name: str, value: Any) -> bool:
    """Whether a client might miss it."""
    return name not in _SILENT and value is not None and (name, value) != ("truncation", "disabled")
