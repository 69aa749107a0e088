"""The vendor's web search."""

from __future__ import annotations

from typing import Any

import pytest

from shunt.inference.content import HostedCall, HostedResult, SearchHit
from shunt.protocols.openai_responses.search import is_search, read_call, read_result, write_call


def item(action: Any, **fields: Any) -> dict[str, Any]:
    return {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": action, **fields}


@pytest.mark.parametrize(
    ("action", "told", "counted"),
    [
        ({"type": "search", "query": "cats"}, '{"query":"cats"}', True),
        ({"type": "search", "queries": ["cats", "dogs", 5]}, '{"query":"cats, dogs"}', True),
        ({"type": "open_page", "url": "https://e.example"}, '{"query":"https://e.example"}', False),
        ({"type": "find_in_page", "pattern": "purr"}, '{"query":"purr"}', False),
        (None, "{}", True),
    ],
)
def test_calls_are_read(action: Any, told: str, counted: bool) -> None:
    """Of every kind; only searches count as such."""
    call = read_call(item(action))
    assert (call.id, call.kind, call.input) == ("ws_1", "web_search", told)
    assert is_search(item(action)) is counted


def test_results_are_read() -> None:
    """The pages that were found; or that it failed."""
    sources = [{"type": "url", "url": "https://e.example", "title": "E"}, {"type": "api"}, 5]
    found = item({"type": "search", "sources": sources})
    assert read_result(found, read_call(found)).hits == (SearchHit("https://e.example", "E"),)
    broken = item({}, status="failed")
    assert read_result(broken, read_call(broken)).error == "unavailable"


def test_calls_are_written() -> None:
    """With what was found; another vendor's fetching of a page is the opening of one."""
    call = HostedCall("srv_1", "web_search", '{"query":"cats"}')
    result = HostedResult("srv_1", "web_search", (SearchHit("https://e.example", "E"),))
    assert write_call(call, "ws_1", "completed", result) == {
        "type": "web_search_call",
        "id": "ws_1",
        "status": "completed",
        "action": {
            "type": "search",
            "query": "cats",
            "queries": ["cats"],
            "sources": [{"type": "url", "url": "https://e.example"}],
        },
    }
    fetch = write_call(
        HostedCall("s", "web_fetch", '{"url":"https://e.example"}'), "ws_2", "in_progress", None
    )
    assert fetch["action"] == {"type": "open_page", "url": "https://e.example"}
    failed = write_call(call, "ws_1", "completed", HostedResult("srv_1", "web_search", error="x"))
    assert failed["status"] == "failed"
