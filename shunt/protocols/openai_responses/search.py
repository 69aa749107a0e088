"""The vendor's web search: its items, and calls and results as all protocols know them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from shunt.inference.arguments import as_object
from shunt.inference.content import HostedCall, HostedResult, SearchHit
from shunt.wire import json

WEB_SEARCH: Final = "web_search"
WEB_FETCH: Final = "web_fetch"
CALL: Final = "web_search_call"
_FAILED: Final = "unavailable"

Raw = Mapping[str, Any]


def read_call(item: Raw) -> HostedCall:
    """An item `web_search_call` as the call of the tool."""
    action = _action(item)
    status = item.get("status")
    query = _query(action)
    return HostedCall(
        id=_text(item.get("id")) or _text(item.get("call_id")),
        kind=WEB_SEARCH,
        input=json.encode({"query": query} if query else {}).decode(),
        status=status if isinstance(status, str) else "",
        raw=item,
    )


def read_result(item: Raw, call: HostedCall) -> HostedResult:
    """What the search of an item found: the pages that it names."""
    sources = _action(item).get("sources")
    hits = tuple(
        SearchHit(_text(source.get("url")), _text(source.get("title")))
        for source in (sources if isinstance(sources, list) else ())
        if isinstance(source, dict) and _text(source.get("url"))
    )
    error = _FAILED if call.status == "failed" else ""
    return HostedResult(call.id, WEB_SEARCH, hits, error=error, raw=item)


def is_search(item: Raw) -> bool:
    """Whether this is a search that is counted: opening a page or looking through it is not."""
    return item.get("type") == CALL and _action(item).get("type", "search") == "search"


def write_call(call: HostedCall, item_id: str, status: str, result: HostedResult | None) -> dict[str, Any]:
    """The item for a call, with the pages that were found."""
    said = as_object(call.input)
    if call.kind == WEB_FETCH:
        action: dict[str, Any] = {"type": "open_page", "url": _text(said.get("url")) or None}
    else:
        query = _text(said.get("query"))
        action = {"type": "search", "query": query, "queries": [query] if query else []}
        if result is not None:
            action["sources"] = [{"type": "url", "url": hit.url} for hit in result.hits if hit.url]
    failed = result is not None and result.error
    return {"type": CALL, "id": item_id, "status": "failed" if failed else status, "action": action}


def _action(item: Raw) -> Raw:
    action = item.get("action")
    return action if isinstance(action, dict) else {}


def _query(action: Raw) -> str:
    queries = action.get("queries")
    several = ", ".join(filter(None, map(_text, queries))) if isinstance(queries, list) else ""
    return _text(action.get("query")) or several or _text(action.get("url")) or _text(action.get("pattern"))


def _text(found: Any) -> str:
    return found if isinstance(found, str) else ""
