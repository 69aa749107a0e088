"""Which session of the program holds which conversation: a bounded table. Pure, but for its file format."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from attrs import define, field, frozen

from shunt.wire import json

VERSION: Final = 1


@frozen
class Session:
    """A conversation that the program has on its disk."""

    key: str
    """Conversation as its client names it, with the client's name."""
    id: str
    """UUID of the program's session."""
    account: str
    model: str
    digest: str
    """Of the instructions and all turns that it holds."""
    turns: int
    """How many those are."""
    created_at: float
    """Epoch seconds."""
    used_at: float
    requests: int = 1


@define(eq=False)
class Sessions:
    """The table, least recently used first."""

    most: int
    """Sessions remembered."""
    _known: dict[str, Session] = field(factory=dict)

    def __len__(self) -> int:
        """How many are known."""
        return len(self._known)

    def all(self) -> tuple[Session, ...]:
        """Every session, the latest used last."""
        return tuple(self._known.values())

    def get(self, account: str, key: str) -> Session | None:
        """The session of a conversation at an account."""
        return self._known.get(_place(account, key))

    def keep(self, session: Session) -> tuple[Session, ...]:
        """Remember a session; returns those that had to go, the former of the same conversation included."""
        place = _place(session.account, session.key)
        former = self._known.pop(place, None)
        self._known[place] = session
        gone = [former] if former is not None and former.id != session.id else []
        while len(self._known) > self.most:
            gone.append(self._known.pop(next(iter(self._known))))
        return tuple(gone)

    def forget(self, session: Session) -> None:
        """Drop a session that is of no use any more."""
        place = _place(session.account, session.key)
        if self._known.get(place) == session:
            del self._known[place]

    def expire(self, before: float) -> tuple[Session, ...]:
        """Drop those last used before `before` (epoch seconds); returns them."""
        gone = tuple(session for session in self._known.values() if session.used_at < before)
        for session in gone:
            self.forget(session)
        return gone

    def dump(self) -> bytes:
        """The table as a file holds it."""
        rows = [{name: getattr(each, name) for name in _FIELDS} for each in self._known.values()]
        return json.encode({"version": VERSION, "sessions": rows})

    def load(self, data: bytes) -> None:
        """Take what a file holds; rows that make no sense are left out."""
        document = json.value(data)
        rows = document.get("sessions") if isinstance(document, dict) else None
        for session in _sessions(rows if isinstance(rows, list) else ()):
            self.keep(session)


_FIELDS: Final = {
    **dict.fromkeys(("key", "id", "account", "model", "digest"), str),
    **dict.fromkeys(("turns", "requests"), int),
    **dict.fromkeys(("created_at", "used_at"), float),
}


def _place(account: str, key: str) -> str:
    return f"{account}\0{key}"


def _sessions(rows: Iterable[object]) -> Iterable[Session]:
    for row in rows:
        if isinstance(row, Mapping) and all(_fits(row.get(name), kind) for name, kind in _FIELDS.items()):
            yield Session(**{name: _as(row[name], kind) for name, kind in _FIELDS.items()})


def _fits(value: Any, kind: type) -> bool:
    return isinstance(value, (int, float) if kind is float else kind) and not isinstance(value, bool)


def _as(value: Any, kind: type) -> Any:
    return float(value) if kind is float else value
