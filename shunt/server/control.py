"""The control routes: what the owner, the command line and scripts use."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from quart import Response

from shunt.config.types import STRATEGIES
from shunt.errors import ConfigError, InvalidRequest, Kind, NotAllowed, StoreError
from shunt.limits.forecast import Forecast
from shunt.providers import provider_named
from shunt.server.call import current_call
from shunt.server.errors import TurnedAway
from shunt.server.parts import ServerParts
from shunt.server.status import Picture, readiness, status
from shunt.wire import headers as header
from shunt.wire import json

AUTO: Final = "auto"
"""In place of an account's name: choose again."""


class Control:
    """Handlers of the control routes."""

    def __init__(self, parts: ServerParts) -> None:
        self._parts = parts
        self._pool = parts.pool

    # ── looking ───────────────────────────────────────────────────────────────────────────────

    async def health(self) -> Response:
        """Alive. Says nothing else: anybody may ask."""
        return document({"status": "ok"})

    async def ready(self) -> Response:
        """Whether requests can be served now, and if not why."""
        told = readiness(self.picture(), lambda provider: provider_named(provider).family)
        return document(told, 200 if told["ready"] else 503)

    async def status(self) -> Response:
        """Everything there is to know."""
        return document(status(self.picture()))

    def picture(self) -> Picture:
        """Everything the documents are made of."""
        parts, view = self._parts, self._pool.view()
        return Picture(
            accounts=view.accounts,
            state=view.state,
            strategy=view.state.strategy or view.tuning.strategy,
            watchers=tuple(parts.health.conditions.values()),
            waiting=parts.waiting(),
            now=parts.now(),
            version=parts.version,
            started_at=parts.started_at,
            troubles=parts.troubles(),
            clients=[client.name for client in parts.config().clients],
            keeping=parts.keeping(),
            refusals=parts.tally.counts,
            found=() if view.accounts else parts.findings(),
            active=parts.observatory.running(),
            errors=parts.observatory.ring.failed,
            records=parts.records(),
            forecasts=partial(self._forecasts, parts.now()),
        )

    def _forecasts(self, now: float, account: str) -> Sequence[Forecast]:
        return self._parts.forecasts(account, now)

    # ── steering ──────────────────────────────────────────────────────────────────────────────

    async def use(self) -> Response:
        """Pin one account, or choose again."""
        name = field("account", body(), none=True)
        self._pool.pin(None if name == AUTO else name)
        return document({"pinned_account": self._pool.state.pinned})

    async def strategy(self) -> Response:
        """Tell, override or release the strategy."""
        method = current_call().method
        if method == "PUT":
            self._pool.set_strategy(field("strategy", body()))
        elif method == "DELETE":
            self._pool.set_strategy(None)
        view = self._pool.view()
        override = view.state.strategy
        return document(
            {
                "strategy": override or view.tuning.strategy,
                "source": "override" if override else "config",
                "known": list(STRATEGIES),
            }
        )

    async def model(self) -> Response:
        """Tell, set or end the model that is served whatever clients ask for."""
        method = current_call().method
        if method == "PUT":
            self._pool.set_model(field("model", body()))
        elif method == "DELETE":
            self._pool.set_model(None)
        override = self._pool.state.model
        return document({"model": override, "source": "override" if override else "client"})

    async def passes(self) -> Response:
        """Give a key to one command of this machine's user, or take it back."""
        content, passes = body(), self._parts.access.passes
        if current_call().method == "DELETE":
            return document({"ended": passes.end(field("key", content))})
        access = self._parts.access
        if access.keyed and not access.is_owner(field("proof", {"proof": None, **content}, none=True) or ""):
            raise NotAllowed("Callers need a key here; a pass is for the user whose shunt this is.")
        account = field("account", {"account": None, **content}, none=True)
        if account is not None:
            self._pool.known(account)
        key = passes.make(field("purpose", {"purpose": "a command", **content}), account or "")
        return document({"key": key.reveal(), "account": account})

    async def clear(self, name: str) -> Response:
        """End an account's cooldowns."""
        body()
        self._pool.clear(name)
        return self._account(name)

    async def pause(self, name: str) -> Response:
        """Take an account out of use."""
        body()
        self._pool.pause(name)
        return self._account(name)

    async def resume(self, name: str) -> Response:
        """Take an account back into use."""
        body()
        self._pool.resume(name)
        return self._account(name)

    async def reload(self) -> Response:
        """Read configuration and credentials again, after the command line has changed them."""
        body()
        try:
            await self._parts.reload()
        except (ConfigError, StoreError) as error:
            raise TurnedAway(str(error), 409, kind=Kind.CONFLICT) from error
        return document({"accounts": list(self._pool.accounts)})

    def _account(self, name: str) -> Response:
        accounts = status(self.picture())["accounts"]
        return document(next(account for account in accounts if account["name"] == name))


def document(content: dict[str, Any], code: int = 200) -> Response:
    """A JSON response."""
    return Response(json.encode(content), status=code, content_type="application/json")


def body() -> dict[str, Any]:
    """The JSON object that came with the call; empty without a body.

    Raises TurnedAway when it is called something else, which is what a page of another site would have
    to do, and InvalidRequest when it is not an object.
    """
    call = current_call()
    if not call.body:
        return {}
    kind = (header.text(call.headers, b"content-type") or "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise TurnedAway("The body has to be JSON: send content-type: application/json.", 415)
    return json.decode(call.body, dict[str, Any])


def field(name: str, content: dict[str, Any], *, none: bool = False) -> Any:
    """A field that has to be a string (or null, with `none`). Raises InvalidRequest."""
    value = content.get(name)
    fine = isinstance(value, str) and value.strip()
    if name not in content or not (fine or (none and value is None)):
        raise InvalidRequest(f'The field "{name}" has to be a string{" or null" if none else ""}.')
    return value.strip() if isinstance(value, str) else None
