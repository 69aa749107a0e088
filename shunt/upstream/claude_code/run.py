"""One process of the program at work on one conversation, from its start to its end.

It outlives the request that started it: while the client runs a tool, the process waits with the
call open, and the client's next request goes on where it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import trio
from attrs import define, field

from shunt.errors import UpstreamBroke
from shunt.upstream.claude_code import tool_server
from shunt.upstream.claude_code.child import Child
from shunt.upstream.claude_code.launch import Launch
from shunt.upstream.claude_code.narration import Ended
from shunt.upstream.claude_code.plan import Block, Plan
from shunt.upstream.claude_code.tool_server import Call
from shunt.upstream.claude_code.turn import Gone, Turn

LINGER: Final = 10.0
"""Seconds the program may take to put its session away after the answer."""


@define(eq=False)
class Run:
    """A process, and what it is doing for whom."""

    account: str
    plan: Plan
    """Of the latest request."""
    turn: Turn
    limits: Callable[[Mapping[str, Any]], None]
    """Told of what the program says about usage windows."""
    tool_wait: float
    """Seconds that the client may take for a tool."""
    ended: trio.Event = field(factory=trio.Event)
    """The process has gone."""
    well: bool = False
    """The program came to its own end: its session is on its disk."""
    said: str = ""
    """The end of its standard error."""
    session: str = ""
    """UUID of its session, as it told."""
    _child: Child | None = None
    _calls: dict[str, Call] = field(factory=dict)
    _results: dict[str, Block] = field(factory=dict)
    _scope: trio.CancelScope = field(factory=trio.CancelScope)
    _parked: bool = False

    @property
    def pid(self) -> int | None:
        """Of the process."""
        return self._child.pid if self._child is not None else None

    @property
    def waits_for(self) -> frozenset[str]:
        """Ids of the calls whose results are due, while it waits for the client; else empty."""
        return frozenset(self.turn.narration.calls) if self._parked else frozenset()

    def stop(self) -> None:
        """End the process now."""
        self._scope.cancel()

    async def go_on(self, plan: Plan, turn: Turn) -> None:
        """Answer the open calls with the results that `plan` brings. Raises UpstreamBroke."""
        self._parked = False
        self.plan, self.turn = plan, turn
        self._results = {str(result.get("tool_use_id")): result for result in plan.results}
        self._scope.deadline = float("inf")
        for name in [name for name in self._calls if name in self._results]:
            await self._answer(self._calls.pop(name))

    async def serve(self, child: Child, launch: Launch) -> None:
        """Drive the process to its end. Raises nothing but cancellation."""
        self._child = child
        try:
            with self._scope:
                try:
                    async with trio.open_nursery() as nursery:
                        nursery.start_soon(child.listen)
                        nursery.start_soon(child.write, *launch.lines)
                        await self._converse(child)
                        nursery.cancel_scope.cancel()
                except* UpstreamBroke:
                    pass  # its end tells more
        finally:
            await child.aclose()
            self.said = child.said
            with trio.CancelScope(shield=True):
                self.well = self.well and child.status == 0
                with trio.move_on_after(1):
                    await self.turn.tell(Gone(child.status or 0, self.said))
            self.turn.end()
            self.ended.set()

    async def _converse(self, child: Child) -> None:
        while (message := await child.line()) is not None:
            self.turn.heard_at = trio.current_time()
            kind = message.get("type")
            if kind == "control_request":
                await self._control(child, message)
                continue
            if kind == "system" and message.get("subtype") == "init":
                self.session = str(message.get("session_id") or "")
            if kind == "rate_limit_event" and isinstance(message.get("rate_limit_info"), dict):
                self.limits(message["rate_limit_info"])
            if not await self._narrate(message):
                return
            if kind == "result":
                self.well = message.get("is_error") is not True
                await child.close_input()
                with trio.move_on_after(LINGER):
                    await child.wait()
                return

    async def _narrate(self, message: Mapping[str, Any]) -> bool:
        """Hand a line on to the client; False when the process is of no more use."""
        turn = self.turn
        narration = turn.narration
        if turn.over():
            return True  # what the program does behind the answer
        for data in narration.feed(message):
            if not await turn.tell(data):
                return False
        if narration.ended is not None and message.get("type") == "result":
            await turn.tell(narration.ended)
            return True
        if turn.over():
            turn.end()
            return await self._finished(turn)
        return True

    async def _finished(self, turn: Turn) -> bool:
        """The message is out. Wait for the client's tools, or for the program to put things away."""
        narration = turn.narration
        if narration.stop_reason == "tool_use" and narration.calls and not narration.strangers:
            self._parked = True
            self._scope.deadline = trio.current_time() + self.tool_wait
            return True
        if narration.stop_reason == "end_turn" and not narration.strangers:
            self._scope.deadline = trio.current_time() + LINGER
            return True
        # Left alone, the program would go on by itself: ask for the rest of a cut answer, for one.
        return False

    async def _control(self, child: Child, message: Mapping[str, Any]) -> None:
        request = message.get("request") or {}
        number = str(message.get("request_id"))
        inner = request.get("message")
        if request.get("subtype") != "mcp_message" or not isinstance(inner, dict):
            response = {"subtype": "error", "request_id": number, "error": "not offered"}
            await child.write({"type": "control_response", "response": response})
            return
        reply = tool_server.handshake(inner, self.plan.tools)
        if reply is not None:
            await child.write(tool_server.control_response(number, reply))
            return
        call = tool_server.call_of(number, inner)
        if call.tool_use in self._results:
            await self._answer(call)
        else:
            self._calls[call.tool_use] = call

    async def _answer(self, call: Call) -> None:
        reply = tool_server.answered(call, self._results[call.tool_use])
        if self._child is not None:
            await self._child.write(tool_server.control_response(call.request, reply))


def fails_with(found: Ended | Gone) -> str:
    """What a turn that did not begin says of why."""
    return found.text if isinstance(found, Ended) else found.said
