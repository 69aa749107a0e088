"""Puts calls to the local Claude Code: a place in the queue, a process, a conversation to go on with."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

import trio
from attrs import define, field

from shunt.accounts.account import Account
from shunt.config.claude_code import ClaudeCodeConfig
from shunt.errors import InvalidRequest, StoreError, UpstreamBroke
from shunt.limits.headers import parse_anthropic
from shunt.limits.windows import Window
from shunt.providers.base import UpstreamCall
from shunt.providers.claude_code import LOCAL
from shunt.upstream.claude_code import failures
from shunt.upstream.claude_code.child import Child, spawn
from shunt.upstream.claude_code.launch import Launch, Start, launch
from shunt.upstream.claude_code.memory import Memory
from shunt.upstream.claude_code.narration import Ended, Narration
from shunt.upstream.claude_code.places import Place, Places
from shunt.upstream.claude_code.plan import Block, Plan, plan_of
from shunt.upstream.claude_code.program import Program
from shunt.upstream.claude_code.run import Run
from shunt.upstream.claude_code.turn import Bounds, Gone, Reply, Turn, refused
from shunt.wire import headers as header
from shunt.wire.encoding import decoded

log = logging.getLogger(__name__)

STREAM: Final = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
)
LARGEST: Final = 256 * 1024 * 1024
"""Bytes of a request after decompression."""


@define(eq=False)
class Driver:
    """Sends calls to the program. One object for the program's life."""

    settings: Callable[[], ClaudeCodeConfig]
    accounts: Callable[[], Mapping[str, Account]]
    learned: Callable[[str, tuple[Window, ...]], None]
    """Told of facts about an account's windows."""
    memory: Memory
    program: Program
    environ: Mapping[str, str] = field(repr=False)
    folder: Path
    """Of ours; holds the working folders and, for moments, transcripts."""
    nursery: trio.Nursery
    """The supervisor's: processes outlive requests while a client runs its tools."""
    now: Callable[[], float]
    clean: Callable[[str], str]
    """Takes secrets out of text."""
    places: Places = field(factory=Places)
    runs: list[Run] = field(factory=list)
    """Every process there is."""

    def drives(self, call: UpstreamCall) -> bool:
        """Whether a call is for the program."""
        account = self.accounts().get(call.account)
        return account is not None and account.provider == "claude-code"

    async def send(self, call: UpstreamCall) -> Reply:
        """Ask the program; returns when its answer begins.

        Raises UpstreamUnreachable (no program), UpstreamTimeout, UpstreamBroke, and InvalidRequest for
        a body that is no Messages request.
        """
        account = self.accounts()[call.account]
        settings = self.settings()
        coding = header.text(call.headers, b"content-encoding") or ""
        body = decoded(call.body, coding, LARGEST)
        if body is None:
            raise InvalidRequest(f"The body's content-encoding {coding!r} is not one that shunt can read.")
        plan = plan_of(body)
        command = await self.program.command(settings.command)
        place = await self.places.take(settings.max_concurrent, settings.queue_timeout)
        if place is None:
            return refused(failures.busy(settings.queue_timeout, settings.max_concurrent))
        try:
            return await self._ask(call, account, plan, command, place)
        except BaseException:
            place.release()
            raise

    def listed(self) -> list[dict[str, Any]]:
        """Every conversation the program holds, the latest used first; for people."""
        working = {run.session: run for run in self.runs if run.session}
        return [
            {
                "conversation": session.key,
                "session_id": session.id,
                "account": session.account,
                "model": session.model,
                "turns": session.turns,
                "requests": session.requests,
                "created_ms": int(session.created_at * 1000),
                "last_used_ms": int(session.used_at * 1000),
                "at_work": session.id in working,
            }
            for session in reversed(self.memory.sessions.all())
        ]

    def at_work(self) -> dict[str, int]:
        """Processes by what they do, and the line in front of them."""
        waiting = sum(1 for run in self.runs if run.waits_for)
        return {
            "answering": len(self.runs) - waiting,
            "waiting_for_client": waiting,
            "queued": self.places.waiting,
            "places": self.settings().max_concurrent,
        }

    async def cleanup(self, *, everything: bool) -> int:
        """Forget the expired sessions, or all, with the program's files of them; how many those were."""
        return await self.tidy(self.now() + 1 if everything else self.now() - self.settings().session_ttl)

    async def tidy(self, before: float) -> int:
        """Drop sessions last used before `before` (epoch seconds) and write the others down; how many went."""
        gone = self.memory.cleanup(before)
        try:
            await trio.to_thread.run_sync(self.memory.save)
        except StoreError as error:
            log.warning("the sessions of Claude Code are not saved: %s", error)
        return gone

    # ── one request ───────────────────────────────────────────────────────────────────────────

    async def _ask(
        self, call: UpstreamCall, account: Account, plan: Plan, command: str, place: Place
    ) -> Reply:
        waiting = self._waiting_for(account, plan)
        if waiting is not None:
            turn = self._turn(plan)
            try:
                await waiting.go_on(plan, turn)
            except UpstreamBroke:
                log.info("a waiting Claude Code had gone; its conversation is told anew")
            else:
                found = await self._begun(waiting, turn)
                if not isinstance(found, Gone):
                    return self._reply(call, waiting, turn, found, place)
        key = self._conversation(call, plan)
        resumed = self.memory.resumable(account, plan, key)
        if resumed is not None:
            run, turn = await self._start(call, account, plan, command, resumed, key)
            found = await self._begun(run, turn)
            lost = isinstance(found, Ended) and failures.is_lost_session(found, run.said)
            if not lost and not isinstance(found, Gone):
                return self._reply(call, run, turn, found, place)
            log.info("Claude Code could not resume a conversation of %s; it is told anew", account.name)
            run.stop()
            await run.ended.wait()
        start = await self.memory.afresh(account, plan, key, self.now())
        run, turn = await self._start(call, account, plan, command, start, key)
        return self._reply(call, run, turn, await self._begun(run, turn), place)

    async def _begun(self, run: Run, turn: Turn) -> bytes | Ended | Gone:
        """Wait for the beginning of an answer; whoever stops waiting ends the process."""
        try:
            return await turn.first()
        except StopAsyncIteration:
            return Gone(0, run.said)
        except BaseException:
            run.stop()
            turn.leave()
            raise

    def _reply(
        self, call: UpstreamCall, run: Run, turn: Turn, found: bytes | Ended | Gone, place: Place
    ) -> Reply:
        if isinstance(found, Gone):
            run.stop()
            raise UpstreamBroke(
                f"Claude Code ended with status {found.status} before it answered"
                + (f": {found.said}" if found.said else ".")
            )
        if isinstance(found, Ended):
            run.stop()
            place.release()
            return refused(failures.refusal(found, turn.narration.limits, call.account))

        async def close() -> None:
            turn.leave()
            if not turn.narration.finished:
                run.stop()
                await run.ended.wait()
            await self._put_away(run, place)

        headers = (*STREAM, *failures.limit_headers(turn.narration.limits))
        return Reply(200, headers, found, turn, close, unsaid=run.plan.dropped)

    async def _put_away(self, run: Run, place: Place) -> None:
        """Free the place: at once while the client runs tools, else when the process has gone."""
        if run.waits_for:
            self._keep_few_waiting()
            place.release()
            return
        self.nursery.start_soon(self._release_after, run, place)
        await trio.lowlevel.checkpoint()

    async def _release_after(self, run: Run, place: Place) -> None:
        try:
            await run.ended.wait()
        finally:
            place.release()

    def _keep_few_waiting(self) -> None:
        waiting = [run for run in self.runs if run.waits_for]
        for run in waiting[: max(0, len(waiting) - self.settings().max_waiting)]:
            run.stop()

    def _waiting_for(self, account: Account, plan: Plan) -> Run | None:
        """The process that waits for exactly the results that this request brings."""
        if not plan.results or plan.question or not all(map(_is_plain, plan.results)):
            return None
        brought = {str(result.get("tool_use_id")) for result in plan.results}
        for run in self.runs:
            same = run.account == account.name and run.plan.model == plan.model
            if same and run.waits_for and run.waits_for <= brought:
                return run
        return None

    # ── a process ─────────────────────────────────────────────────────────────────────────────

    async def _start(
        self, call: UpstreamCall, account: Account, plan: Plan, command: str, start: Start, key: str
    ) -> tuple[Run, Turn]:
        settings = self.settings()
        folder = self.folder / "work" / account.name
        await trio.to_thread.run_sync(partial(folder.mkdir, parents=True, exist_ok=True, mode=0o700))
        told = launch(
            plan,
            start,
            environ=self.environ,
            url="" if account.base_url == LOCAL else account.base_url,
            key=(header.text(call.headers, b"x-api-key") or ""),
            config_dir=account.config_dir,
            proxy=account.proxy,
            tool_wait=settings.tool_wait,
        )
        child = await spawn((command, *told.arguments), told.environment, str(folder), self.clean)
        turn = self._turn(plan)
        run = Run(account.name, plan, turn, partial(self._learn, account.name), settings.tool_wait)
        self.runs.append(run)
        self.nursery.start_soon(self._serve, run, child, told, start, key)
        return run, turn

    async def _serve(self, run: Run, child: Child, told: Launch, start: Start, key: str) -> None:
        try:
            await run.serve(child, told)
        finally:
            self.runs.remove(run)
            self.memory.discard(start)
        if start.kept and run.well:
            self.memory.keep(run, key, self.now())
            await self.tidy(self.now() - self.settings().session_ttl)

    def _turn(self, plan: Plan) -> Turn:
        settings = self.settings()
        bounds = Bounds(
            stall=settings.stall_timeout,
            total=settings.total_timeout,
            characters=settings.max_output_chars,
            heartbeat=settings.heartbeat,
        )
        return Turn(Narration(plan.aliases), bounds)

    def _learn(self, account: str, info: Mapping[str, Any]) -> None:
        windows = parse_anthropic(failures.limit_headers([info]), self.now())
        if windows:
            self.learned(account, windows)

    def _conversation(self, call: UpstreamCall, plan: Plan) -> str:
        """What the client calls this conversation; empty when it does not say."""
        for name in (b"x-conversation-id", b"x-session-id", b"x-claude-code-session-id"):
            if said := header.text(call.headers, name):
                return said
        return plan.session


def _is_plain(result: Block) -> bool:
    """Whether an MCP answer carries this result without loss: texts and images in the body."""
    content = result.get("content")
    if content is None or isinstance(content, str):
        return True
    return isinstance(content, list) and all(
        isinstance(block, dict)
        and (
            block.get("type") == "text"
            or (block.get("type") == "image" and (block.get("source") or {}).get("type") == "base64")
        )
        for block in content
    )
