"""What the program says when a turn fails, as the answer that the vendor itself would have given. Pure.

The rest of shunt reads status, headers and body of Anthropic's dialect; so that is what it gets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from attrs import field, frozen

from shunt.limits.headers import window_name
from shunt.providers.claude_code import BUSY
from shunt.upstream.claude_code.narration import Ended
from shunt.wire import json
from shunt.wire.headers import Headers

LOG_IN: Final = "run `claude` once and log in there (/login)"
INSTALL: Final = "npm install -g @anthropic-ai/claude-code"

_JSON: Final = (b"content-type", b"application/json")
_UNIFIED: Final = "anthropic-ratelimit-unified-"
_STATUS: Final = {
    "rate_limit": 429,
    "authentication_failed": 401,
    "oauth_org_not_allowed": 403,
    "billing_error": 403,
    "overloaded": 529,
    "server_error": 500,
    "invalid_request": 400,
    "model_not_found": 404,
    "max_output_tokens": 400,
    "unknown": 502,
}
"""Status by the program's word for an error, where it names none."""
_TYPES: Final = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_LOGGED_OUT: Final = ("not logged in", "/login", "invalid api key", "oauth token")
_NO_SESSION: Final = "no conversation found"


@frozen
class Refusal:
    """An error answer."""

    status: int
    headers: Headers
    body: bytes = field(repr=False)


def refusal(ended: Ended, limits: Iterable[Mapping[str, Any]], account: str) -> Refusal:
    """The vendor's answer behind a turn that ended without a message."""
    text = ended.text.strip() or "Claude Code ended the turn without an answer."
    status = ended.status or _STATUS.get(ended.kind, 0)
    headers = limit_headers(limits)
    if not status and any(value == b"rejected" for _, value in headers):
        status = 429
    if not status and any(sign in text.lower() for sign in _LOGGED_OUT):
        status = 401
    if status == 401:
        text = f"{text.rstrip('.')}. Claude Code of account {account} has no valid login: {LOG_IN}."
    return written(status or 502, text, headers)


def busy(waited: float, places: int) -> Refusal:
    """Nobody made room in time."""
    text = f"All {places} Claude Code processes are busy, and none became free within {waited:.0f} seconds."
    return written(529, text, ((BUSY, b"queue"), (b"retry-after", b"5")))


def written(status: int, text: str, headers: Headers = ()) -> Refusal:
    """An error in Anthropic's dialect."""
    body = {"type": "error", "error": {"type": _TYPES.get(status, "api_error"), "message": text}}
    return Refusal(status, (_JSON, *headers), json.encode(body))


def is_lost_session(ended: Ended, stderr: str) -> bool:
    """Whether a resume failed because the program does not have the session any more."""
    return _NO_SESSION in ended.text.lower() or _NO_SESSION in stderr.lower()


def limit_headers(limits: Iterable[Mapping[str, Any]]) -> Headers:
    """`rate_limit_info` as the headers that it was made from."""
    found: dict[str, str] = {}
    for info in limits:
        status, claim = str(info.get("status") or ""), str(info.get("rateLimitType") or "")
        if status in ("allowed", "allowed_warning", "rejected"):
            found["status"] = status
        name = "overage" if claim == "overage" else window_name(claim)
        if name and status:
            found["representative-claim"] = claim
            found[f"{name}-status"] = status
            _put(found, f"{name}-reset", info.get("resetsAt"))
            _put(found, f"{name}-utilization", info.get("utilization"))
        _put(found, "reset", info.get("resetsAt"))
        windows = info.get("unifiedWindows")
        for key, told in (windows if isinstance(windows, dict) else {}).items():
            short = window_name(str(key))
            if short and isinstance(told, dict):
                _put(found, f"{short}-utilization", told.get("utilization"))
                _put(found, f"{short}-reset", told.get("resetsAt"))
                found.setdefault(f"{short}-status", "allowed")
    return tuple((f"{_UNIFIED}{name}".encode(), value.encode()) for name, value in found.items())


def _put(found: dict[str, str], name: str, value: object) -> None:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        found[name] = f"{value:g}" if name.endswith("utilization") else f"{value:.0f}"
