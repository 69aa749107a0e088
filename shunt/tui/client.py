"""The control API as the monitor uses it: documents, commands, and the stream of events."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, Final

import httpx2 as httpx

from shunt.accounts.secret import Secret
from shunt.wire import json, sse
from shunt.wire.headers import REQUEST_ID

ANSWER_WITHIN: Final = 10.0
"""Seconds until an answer."""
SILENCE: Final = 40.0
"""Seconds without a byte after which a stream of events is dead: a comment comes every 15."""


class Unreachable(Exception):
    """Nobody answers, or not as shunt does; the message is for people."""


class Refused(Exception):
    """The server would not; the message is its own."""


class Client:
    """One server. Whoever uses it enters `http` first, which closes the connections."""

    def __init__(self, url: str, key: Secret) -> None:
        """`url` has no trailing slash; an empty `key` is not sent."""
        self.url = url
        headers = {"x-api-key": key.reveal()} if key else {}
        # trust_env off: a proxy variable must not send the admin key anywhere else.
        self.http = httpx.AsyncClient(trust_env=False, timeout=ANSWER_WITHIN, headers=headers)

    async def get(self, path: str) -> dict[str, Any]:
        """Fetch a document. Raises Unreachable or Refused, as all below."""
        return await self._call("GET", path)

    async def use(self, account: str | None) -> None:
        """Pin an account; None unpins."""
        await self._call("POST", "/use", {"account": account})

    async def steer(self, account: str, verb: str) -> None:
        """`pause`, `resume` or `clear` an account."""
        await self._call("POST", f"/accounts/{httpx.URL(path=account).raw_path.decode()}/{verb}", {})

    async def strategy(self, name: str | None) -> None:
        """Choose by another strategy; None goes back to the configured one."""
        if name is None:
            await self._call("DELETE", "/strategy")
        else:
            await self._call("PUT", "/strategy", {"strategy": name})

    async def listen(self, take: Callable[[str, Any], Awaitable[None]]) -> None:
        """Hand kind and document of every event to `take`, until the stream ends."""
        timeout = httpx.Timeout(ANSWER_WITHIN, read=SILENCE)
        try:
            async with self.http.stream("GET", f"{self.url}/events", timeout=timeout) as reply:
                if reply.status_code != 200:
                    await reply.aread()
                    raise _refusal(reply)
                decoder = sse.Decoder()
                async for chunk in reply.aiter_raw():
                    for event in decoder.feed(chunk):
                        if event.data is not None:
                            await take(event.name, json.value(event.data))
        except (httpx.HTTPError, httpx.StreamError) as error:
            raise Unreachable(f"{self.url} does not answer.") from error

    async def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        if self.http.is_closed:
            raise Unreachable("The monitor is being closed.")
        try:
            reply = await self.http.request(method, self.url + path, json=body)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unreachable(f"No shunt is running at {self.url}. `shunt run` starts it.") from error
        document: Any = None
        with suppress(ValueError):
            document = reply.json()
        if not reply.is_success:
            raise _refusal(reply)
        if not isinstance(document, dict) or not _is_shunt(reply):
            raise Unreachable(f"A program that is not shunt answers at {self.url}.")
        return document


def _is_shunt(reply: httpx.Response) -> bool:
    return REQUEST_ID.decode() in reply.headers


def _refusal(reply: httpx.Response) -> Refused | Unreachable:
    message: Any = None
    with suppress(ValueError, AttributeError):
        message = reply.json().get("error", {}).get("message")
    if isinstance(message, str) and _is_shunt(reply):
        return Refused(message)
    return Unreachable(f"A program that is not shunt answers at {reply.url} (status {reply.status_code}).")
