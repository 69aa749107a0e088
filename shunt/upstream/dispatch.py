"""Which way a call goes out: over HTTP, or to a program on this machine."""

from __future__ import annotations

from attrs import frozen

from shunt.providers.base import UpstreamCall
from shunt.upstream.claude_code import turn
from shunt.upstream.claude_code.driver import Driver
from shunt.upstream.client import Reply, Upstream


@frozen
class Dispatch:
    """Sends every call where its account's provider is."""

    http: Upstream
    local: Driver

    async def send(self, call: UpstreamCall) -> Reply | turn.Reply:
        """Send a call and wait for the beginning of the answer. Raises UpstreamError, InvalidRequest."""
        if self.local.drives(call):
            return await self.local.send(call)
        return await self.http.send(call)
