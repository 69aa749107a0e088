"""Where conversations stand: the sessions that the program keeps, and transcripts for all others."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final
from uuid import uuid4

import trio
from attrs import define, field

from shunt.accounts.account import Account
from shunt.errors import StoreError
from shunt.store.files import read_private, write_private
from shunt.upstream.claude_code.launch import Start
from shunt.upstream.claude_code.plan import Block, Plan, digest
from shunt.upstream.claude_code.run import Run
from shunt.upstream.claude_code.sessions import Session, Sessions
from shunt.upstream.claude_code.transcript import transcript

log = logging.getLogger(__name__)

LIMIT: Final = 16 * 1024 * 1024
_PATH_LETTER: Final = re.compile(r"[^a-zA-Z0-9]")


@define(eq=False)
class Memory:
    """Finds the way back into a conversation."""

    folder: Path
    """Of ours; `sessions.json`, and transcripts while they are read."""
    environ: Mapping[str, str] = field(repr=False)
    config_dirs: Callable[[], Mapping[str, str]]
    """Account → the program's folder; empty for its own."""
    sessions: Sessions
    changed: bool = False

    def load(self) -> None:
        """Read what the last run knew. Blocks; a file that cannot be read is warned of."""
        try:
            self.sessions.load(read_private(self.folder / "sessions.json", limit=LIMIT) or b"")
        except StoreError as error:
            log.warning("the sessions of Claude Code are forgotten: %s", error)

    def save(self) -> None:
        """Write the table if it changed. Blocks. Raises StoreError."""
        if self.changed:
            self.changed = False
            write_private(self.folder / "sessions.json", self.sessions.dump())

    def resumable(self, account: Account, plan: Plan, key: str) -> Start | None:
        """The program's own session, if it stands exactly where this request goes on."""
        session = self.sessions.get(account.name, key) if key else None
        if session is None or not _holds(session, plan):
            return None
        return Start(resume=session.id, kept=True)

    async def afresh(self, account: Account, plan: Plan, key: str, now: float) -> Start:
        """Tell the program everything that was said. Raises StoreError when there is no room for that."""
        if not plan.history and not plan.results:
            return Start(session=str(uuid4()) if key else "", kept=bool(key))
        told = await trio.to_thread.run_sync(partial(self._tell, account, plan, now))
        return Start(resume=str(told), kept=bool(key), asked=bool(plan.question))

    def discard(self, start: Start) -> None:
        """Remove the transcript of a start that is over."""
        if start.resume.endswith(".jsonl"):
            Path(start.resume).unlink(missing_ok=True)

    def keep(self, run: Run, key: str, now: float) -> None:
        """Remember the session that a run has left."""
        if not run.session or not key:
            return
        said = {
            "role": "assistant",
            "content": [_named(block, run.plan) for block in run.turn.narration.content],
        }
        turns = (*run.plan.turns, said)
        former = self.sessions.get(run.account, key)
        session = Session(
            key=key,
            id=run.session,
            account=run.account,
            model=run.plan.model,
            digest=digest(run.plan.system, turns),
            turns=len(turns),
            created_at=former.created_at if former else now,
            used_at=now,
            requests=former.requests + 1 if former else 1,
        )
        self._erase(self.sessions.keep(session))
        self.changed = True

    def cleanup(self, before: float) -> int:
        """Drop sessions last used before `before` (epoch seconds), with their files. Blocks."""
        gone = self.sessions.expire(before)
        self._erase(gone)
        self.changed = self.changed or bool(gone)
        return len(gone)

    def work_folder(self, account: str) -> Path:
        """The empty folder that the program works in."""
        return self.folder / "work" / account

    def _tell(self, account: Account, plan: Plan, now: float) -> Path:
        session = str(uuid4())
        turns = [*plan.history, *([{"role": "user", "content": list(plan.results)}] if plan.results else [])]
        folder = str(self.work_folder(account.name))
        path = self.folder / "transcripts" / f"{session}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_private(path, transcript(session, turns, folder=folder, model=plan.model, now=now))
        return path

    def _erase(self, sessions: tuple[Session, ...]) -> None:
        """Remove the program's own files of sessions that are over."""
        for session in sessions:
            home = self.config_dirs().get(session.account) or self.environ.get("CLAUDE_CONFIG_DIR")
            root = Path(home) if home else Path(self.environ.get("HOME", "~")).expanduser() / ".claude"
            # The program names the folder after the working folder, every other character made a dash.
            project = _PATH_LETTER.sub("-", str(self.work_folder(session.account)))
            (root / "projects" / project / f"{session.id}.jsonl").unlink(missing_ok=True)


def _holds(session: Session, plan: Plan) -> bool:
    """Whether a session stands exactly where the request's last turn begins."""
    return (
        session.model == plan.model
        and session.turns == len(plan.history)
        and not plan.results
        and session.digest == digest(plan.system, plan.history)
    )


def _named(block: Block, plan: Plan) -> Block:
    """A block of the answer with its tool named as in the plan's turns."""
    names = {client: alias for alias, client in plan.aliases.items()}
    return {**block, "name": names.get(block["name"], block["name"])} if "name" in block else block
