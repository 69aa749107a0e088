"""The conversations that a local program holds, and letting go of them."""

from __future__ import annotations

from quart import Response

from shunt.errors import InvalidRequest
from shunt.server.control import body, document
from shunt.server.local import LocalSessions


class Conversations:
    """Handlers of `/sessions`."""

    def __init__(self, local: LocalSessions) -> None:
        self._local = local

    async def sessions(self) -> Response:
        """`{"sessions": […], "processes": {…}}`."""
        return document({"sessions": list(self._local.listed()), "processes": dict(self._local.at_work())})

    async def cleanup(self) -> Response:
        """Forget the expired sessions, or with `{"all": true}` every one; says how many that were."""
        everything = body().get("all", False)
        if not isinstance(everything, bool):
            raise InvalidRequest('The field "all" has to be true or false.', param="all")
        removed = await self._local.cleanup(everything=everything)
        return document({"removed": removed, "remaining": len(self._local.listed())})
