"""What the monitor knows of a server: the status document, kept up to date by events. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from attrs import evolve, field, frozen

from shunt.views.words import documents, number

Document = Mapping[str, Any]

RECENT: Final = 200
ERRORS: Final = 50


@frozen
class Picture:
    """One moment, as far as it is known."""

    status: Document = field(factory=dict)
    errors: Sequence[Document] = ()
    """Newest first."""
    ahead: float = 0.0
    """Seconds that the server's clock is ahead of ours."""

    @property
    def accounts(self) -> list[Document]:
        """Accounts in the order of the configuration."""
        return documents(self.status.get("accounts"))

    @property
    def active(self) -> list[Document]:
        """Requests that run or wait."""
        return documents(self.status.get("active"))

    @property
    def recent(self) -> list[Document]:
        """Finished requests, newest first."""
        return documents(self.status.get("recent_requests"))

    @property
    def watchers(self) -> list[Document]:
        """Watchers in the order of the server."""
        return documents(self.status.get("watchers"))

    def with_status(self, status: Document) -> Picture:
        """The same with a fresh status document."""
        return evolve(self, status=status)

    def with_errors(self, errors: Sequence[Document]) -> Picture:
        """The same with these errors, each once, newest first."""
        once = {str(error.get("id")): error for error in reversed(errors)}
        ordered = sorted(once.values(), key=lambda error: number(error, "at") or 0.0, reverse=True)
        return evolve(self, errors=tuple(ordered[:ERRORS]))


def after(picture: Picture, kind: str, data: Any, now: float) -> Picture | None:
    """The picture after an event; None when the status has to be fetched anew. `now`: epoch seconds."""
    if not isinstance(data, Mapping):
        return picture
    if kind == "error":
        return picture.with_errors([data, *picture.errors])
    if kind in ("hello", "accounts"):
        return None
    change = _CHANGES.get(kind)
    if change is None:
        return picture
    changed = change(picture, data)
    if changed is None:
        return None
    moment = number(data, "now_ms")
    ahead = picture.ahead if moment is None else moment / 1000 - now
    return evolve(picture, status={**picture.status, **changed}, ahead=ahead)


def _started(picture: Picture, data: Document) -> Document:
    return {"active": [*_without(picture.active, data.get("id")), data]}


def _finished(picture: Picture, data: Document) -> Document:
    recent = [data, *_without(picture.recent, data.get("id"))]
    return {"active": _without(picture.active, data.get("id")), "recent_requests": recent[:RECENT]}


def _active(_: Picture, data: Document) -> Document:
    return {"active": data.get("active"), "waiting": data.get("waiting")}


def _account(picture: Picture, data: Document) -> Document | None:
    accounts = picture.accounts
    if not any(known.get("name") == data.get("name") for known in accounts):
        return None
    return {"accounts": [data if known.get("name") == data.get("name") else known for known in accounts]}


def _watcher(picture: Picture, data: Document) -> Document:
    watchers = picture.watchers
    if not any(known.get("name") == data.get("name") for known in watchers):
        return {"watchers": [*watchers, data]}
    return {"watchers": [data if known.get("name") == data.get("name") else known for known in watchers]}


def _without(items: Sequence[Document], identity: object) -> list[Document]:
    return [item for item in items if item.get("id") != identity]


_CHANGES: Final[Mapping[str, Callable[[Picture, Document], Document | None]]] = {
    "request_started": _started,
    "request_finished": _finished,
    "active": _active,
    "account": _account,
    "pool": lambda _, data: data,
    "savings": lambda _, data: {"savings": data},
    "watcher": _watcher,
}
