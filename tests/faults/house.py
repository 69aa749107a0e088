"""A real shunt in a process of its own, and what has to be true of it after every fault.

`House.check` looks at everything that no fault may touch, so that no test has to:

- I1: the process lives, and `/health` answers;
- I2: tasks, descriptors, busy connections upstream, bytes of bodies and files in the home are back to
  where they were;
- I3: the credentials can be read, are private, and hold the newest refresh token that was issued;
- I4: no canary (a secret in use) stands in a log, in what was printed, in a state file, in an answer, in
  the command line;
- I5: every refusal that a client got is well formed in its protocol and says something;
- I6: no request reached the vendor again after a byte of an answer had been passed on;
- I7: the bystander's stream had no gap of a second that the machine does not excuse, and no wrong byte.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import trio
from attrs import define, field

from tests.e2e.program import KEPT, document, free_port
from tests.fakes.client import RawResponse, raw_client, request
from tests.fakes.http1 import Headers, PeerLeft
from tests.fakes.upstream import Answer, Request
from tests.faults.stage import Play, Stage, message

ROOT: Final = Path(__file__).resolve().parents[2]
MESSAGES, CHAT, RESPONSES = b"/v1/messages", b"/v1/chat/completions", b"/v1/responses"
PATHS: Final = (MESSAGES, CHAT, RESPONSES)
ACCOUNTS: Final = ("coral", "reef", "tide")
"""Two keys and a login, all at the same vendor."""
BACK_WITHIN: Final = 20.0
"""Seconds within which everything is to be back; twice what is promised, for a busy machine."""
ALIVE_WITHIN: Final = 10.0
"""Seconds `/health` may take here. What it does take is printed at the end."""
GAP: Final = 1.0
"""Seconds without a byte for the bystander that count as harm, less what `Excuse` excuses."""
SILENT: Final = 0.4
"""Seconds without a byte after which a kept connection has nothing more to say."""
ENDS: Final = (0, 130, -signal.SIGKILL)
"""Statuses of a process that was asked to end, or killed."""
LIMITS: Final[dict[str, Any]] = {
    "head_seconds": 2,
    "body_grace_seconds": 2,
    "body_seconds": 60,
    "stall_seconds": 2,
    "upstream_write_seconds": 2,
    "connections": 500,
}
TRACEBACK: Final = re.compile(
    r"^.*(?:Traceback \(most recent call last\)|\"level\": \"(?:error|critical)\").*$", re.MULTILINE
)


@define
class Standing:
    """What the process holds."""

    tasks: int
    fds: int
    rss: float
    bodies: int
    idle: int
    busy: int
    in_flight: int

    @property
    def own(self) -> int:
        """Descriptors without the unused connections upstream, which end by themselves."""
        return self.fds - self.idle


def canaries() -> dict[str, str]:
    """Secrets that are in use and must be seen nowhere."""
    return {
        name: f"sk-canary-{name}-{secrets.token_hex(8)}" for name in ("coral", "reef", "access", "refresh")
    }


@define(eq=False)
class House:
    """One shunt, its vendor, and everything that was seen of both."""

    folder: Path
    stage: Stage = field(factory=Stage)
    port: int = field(factory=free_port)
    canaries: dict[str, str] = field(factory=canaries)
    newest_refresh: str = ""
    process: subprocess.Popen[bytes] | None = None
    base: Standing | None = None
    files: frozenset[str] = frozenset()
    first_bytes: dict[str, float] = field(factory=dict)
    """Mark → moment the first byte of an answer came."""
    complaints: list[str] = field(factory=list)
    expected: list[str] = field(factory=list)
    """Patterns of error lines that the running test is about."""
    slowest: float = 0.0
    widest: float = 0.0
    """The bystander's longest silence, less excuses, in seconds."""
    _read: dict[Path, int] = field(factory=dict)

    # ── life ──────────────────────────────────────────────────────────────────────────────────

    @property
    def home(self) -> Path:
        """Config, credentials, state and logs."""
        return self.folder / "shunt"

    @property
    def log(self) -> Path:
        """The log."""
        return self.home / "logs" / "shunt.log"

    def configure(self, **sections: Any) -> None:
        """Write config.toml and the credentials."""
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        whole = {
            "server": {"request_timeout_secs": 3, "connect_timeout_secs": 2, "drain_seconds": 1},
            "routing": {"wait": "0s"},
            "prefetch": {"mode": "off"},
            "limits": LIMITS,
            **sections,
            "accounts": [
                *(
                    {
                        "name": name,
                        "provider": "anthropic-compatible",
                        "upstream_url": self.stage.url,
                        "api_key": self.canaries[name],
                    }
                    for name in ("coral", "reef")
                ),
                {"name": "tide", "provider": "anthropic", "priority": 5},
            ],
        }
        write_private(self.home / "config.toml", document(whole))

    def log_in(self) -> None:
        """Take over a login, as `add-account --import` does."""
        folder = self.folder / "user" / ".claude"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.newest_refresh = self.canaries["refresh"]
        login = {
            "accessToken": self.canaries["access"],
            "refreshToken": self.newest_refresh,
            "expiresAt": int((time.time() + 9 * 3600) * 1000),
            "scopes": ["user:inference"],
            "subscriptionType": "max",
        }
        write_private(folder / ".credentials.json", json.dumps({"claudeAiOauth": login}))
        done = subprocess.run(
            [sys.executable, "-m", "shunt", "add-account", "tide", "--import", "--yes"],
            env=self.environ,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    @property
    def environ(self) -> dict[str, str]:
        """What the process is started with."""
        kept = {key: value for key, value in os.environ.items() if key in KEPT}
        vendor = self.stage.url if self.stage.host == "127.0.0.1" else "http://127.0.0.1:1"
        return kept | {
            "HOME": str(self.folder / "user"),
            "SHUNT_HOME": str(self.home),
            "CLAUDE_CONFIG_DIR": str(self.folder / "user" / ".claude"),
            "PYTHONPATH": str(ROOT),
            "NO_COLOR": "1",
            "SHUNT_ANTHROPIC_URL": vendor,
            "SHUNT_ANTHROPIC_TOKEN_URL": f"{vendor}/v1/oauth/token",
        }

    def start(self, *before: str, wait: bool = True) -> None:
        """Start the process, after `before` if it is to run under another program."""
        watched = [sys.executable, str(ROOT / "scripts" / "_watched.py"), str(self.folder / "count.json")]
        with (self.folder / "output.txt").open("ab") as out:
            self.process = subprocess.Popen(
                [*before, *watched, "run", "--home", str(self.home), "--port", str(self.port)],
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        if wait:
            self.await_health()
            self.base, self.files = self._at_rest(), self.names()

    def await_health(self) -> None:
        """Wait until it answers."""
        deadline = time.monotonic() + 90
        while not self.healthy():
            assert self.process is not None
            assert self.process.poll() is None, (self.folder / "output.txt").read_text()
            assert time.monotonic() < deadline, "shunt did not start"
            time.sleep(0.05)

    def stop(self) -> int:
        """SIGTERM; the exit status."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        return self.process.returncode

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self.process is not None and self.process.poll() is None

    def send_signal(self, number: signal.Signals) -> None:
        """Send the process a signal."""
        assert self.process is not None
        self.process.send_signal(number)

    def settle(self) -> None:
        """Bring everything into use once, start the bystander, and take the numbers to come back to."""
        assert self.process is not None
        trio.run(self._warm_up)
        self.stage.attend(self.port, self.process.pid)
        deadline = time.monotonic() + 90
        while self.stage.bystander.events < 5:
            assert time.monotonic() < deadline, self.stage.bystander.faults
            time.sleep(0.05)
        time.sleep(1.0)
        self.base = self.count()
        assert self.base.in_flight, "whoever counts does not see the bystander's call"
        self.files = self.names()

    async def _warm_up(self) -> None:
        for path in PATHS:
            for stream in (False, True):
                answer = await self.ask(path, stream=stream)
                assert answer.status == 200, answer.body
        for _ in range(2):
            async with trio.open_nursery() as nursery:
                for _ in range(20):
                    nursery.start_soon(self.ask)

    # ── asking ────────────────────────────────────────────────────────────────────────────────

    @contextmanager
    def playing(self, play: Play | Answer) -> Iterator[str]:
        """Let requests with the mark be answered so."""
        mark = f"fault-{secrets.token_hex(4)}"
        self.stage.plays[mark] = (lambda _: play) if isinstance(play, Answer) else play
        try:
            yield mark
        finally:
            self.stage.plays.pop(mark, None)

    async def ask(
        self,
        path: bytes = MESSAGES,
        mark: str = "",
        *,
        stream: bool = False,
        headers: Headers = (),
        body: bytes | None = None,
        within: float = 40,
        **more: Any,
    ) -> RawResponse:
        """Send a request of a client and read its answer, whole or not."""
        if stream:
            more["stream"] = True
        sent = message(f"hello {mark}", **more) if body is None else body
        with trio.fail_after(within):
            async with raw_client(self.port) as client:
                kind = ((b"content-type", b"application/json"),)
                await client.send(request(b"POST", path, (*kind, *headers), sent))
                incoming = await client.begin()
                if incoming.status < 300:
                    self.first_bytes.setdefault(mark, time.monotonic())
                answer = await incoming.rest()
        self.judge(path, answer)
        return answer

    async def raw(
        self, data: bytes, *, within: float = 15, silent: float = SILENT, eof: bool = False
    ) -> bytes:
        """Send bytes; what comes until shunt closes, falls silent after an answer, or for a while."""
        with trio.move_on_after(within) as limit:
            async with raw_client(self.port) as client:
                try:
                    await client.send(data)
                    if eof:
                        await client.half_close()
                except (OSError, trio.BrokenResourceError):
                    pass
                with suppress(PeerLeft):
                    while True:
                        await client.inbox.fill()
                        limit.deadline = min(limit.deadline, trio.current_time() + silent)
        answer = bytes(client.inbox.buffer)
        self._no_canary("an answer", answer.decode("latin-1"))
        return answer

    async def left(self, mark: str) -> None:
        """Wait until shunt has given up the request with this mark at the vendor."""
        with trio.fail_after(60):
            while not all(each.request.left_at for each in self.stage.arrived(mark)):  # noqa: ASYNC110
                await trio.sleep(0.02)  # it happens in another thread

    def judge(self, path: bytes, answer: RawResponse) -> None:
        """I4 and I5, of one answer."""
        self._no_canary("an answer", answer.body.decode("latin-1"))
        self._no_canary("an answer's headers", repr(answer.headers))
        if answer.status < 400:
            return
        wrong = malformed(path, answer)
        if wrong:
            self.complaints.append(f"I5: {answer.status} {wrong}: {answer.body[:300]!r}")

    def clear(self) -> None:
        """Bring every account back."""
        for name in ACCOUNTS:
            self.post(f"/accounts/{name}/clear")

    def post(self, path: str, body: bytes = b"{}") -> bytes:
        """Use a control route."""
        return trio.run(self.send_post, path, body)

    async def send_post(self, path: str, body: bytes = b"{}") -> bytes:
        """The same, inside Trio."""
        with trio.fail_after(60):
            async with raw_client(self.port) as client:
                kind = ((b"content-type", b"application/json"),)
                return (await client.ask(b"POST", path.encode(), kind, body)).body

    async def get(self, path: str) -> Any:
        """Read a control route."""
        with trio.fail_after(60):
            async with raw_client(self.port) as client:
                return json.loads((await client.ask(b"GET", path.encode())).body)

    # ── what has to be true ───────────────────────────────────────────────────────────────────

    def healthy(self) -> bool:
        """Whether `/health` answers 200."""

        async def ask() -> bool:
            try:
                with trio.fail_after(ALIVE_WITHIN):
                    async with raw_client(self.port) as client:
                        return (await client.ask(b"GET", b"/health")).status == 200
            except (OSError, PeerLeft, trio.TooSlowError):
                return False

        begun = time.monotonic()
        answered = trio.run(ask)
        if answered:
            self.slowest = max(self.slowest, time.monotonic() - begun)
        return answered

    def count(self) -> Standing:
        """Ask the process what it holds."""
        report = self.folder / "count.json"
        report.unlink(missing_ok=True)
        assert self.process is not None
        self.process.send_signal(signal.SIGRTMIN)
        deadline = time.monotonic() + 60
        while not report.exists():
            assert time.monotonic() < deadline, "the process does not count itself"
            time.sleep(0.01)
        return Standing(**json.loads(report.read_text()))

    def _at_rest(self) -> Standing:
        """What it holds once nothing is added any more: its watchers begin when it answers already."""
        now = self.count()
        while True:
            time.sleep(0.3)
            before, now = now, self.count()
            if (before.tasks, before.own) == (now.tasks, now.own):
                return now

    def names(self) -> frozenset[str]:
        """The files in the home that are not there to be kept, as state, locks, backups and accounts of errors are."""
        kept = re.compile(
            r"-(?:wal|shm|journal)$|[.]lock$|^credentials[.]json[.]1$|^state[.]json$|^logs/|^errors(?:/|$)"
        )
        found = (path.relative_to(self.home).as_posix() for path in self.home.rglob("*"))
        return frozenset(name for name in found if not kept.search(name))

    def check(self) -> list[str]:
        """Everything that is wrong now; empty when nothing is."""
        assert self.process is not None
        if self.process.poll() is not None:
            return [self._ended(), *self.check_traces()]
        if not self.healthy():
            return ["I1: /health does not answer", *self.check_traces()]
        wrong = self._not_back() + self.check_traces()
        gap, faults = self.stage.bystander.look()
        self.widest = max(self.widest, gap)
        wrong += [f"I7: {fault}" for fault in faults]
        if gap > GAP:
            wrong.append(f"I7: the bystander waited {gap:.1f} s for an event")
        return wrong

    def check_end(self) -> list[str]:
        """The same, of a process that a test may have ended: that was well meant, or it was killed."""
        if self.process is None:
            return []  # the test was skipped before it had started one
        if self.running and self.base is not None:
            return self.check()
        meant = self.process.returncode in {*ENDS, None} or self.base is None
        return [*([] if meant else [self._ended()]), *self.check_traces()]

    def _ended(self) -> str:
        assert self.process is not None
        return f"I1: the process ended with status {self.process.returncode}: {self._tail()}"

    def check_traces(self) -> list[str]:
        """What is wrong with what was written and sent: that can be seen of a process that has ended, too."""
        wrong = self._credentials()
        self.scan()
        wrong += self._sent_twice() + self.complaints
        self.complaints = []
        self.expected.clear()
        return wrong

    def _not_back(self) -> list[str]:
        assert self.base is not None
        deadline = time.monotonic() + BACK_WITHIN
        while True:
            now = self.count()
            left = {
                "tasks": now.tasks - self.base.tasks,
                "descriptors": now.own - self.base.own,
                "connections upstream": now.busy - self.base.busy,
                "calls upstream": now.in_flight - self.base.in_flight,
                "bytes of bodies": now.bodies - self.base.bodies,
                "files": len(self.names() - self.files),
            }
            over = {what: count for what, count in left.items() if count > 0}
            if not over:
                return []
            if time.monotonic() > deadline:
                more = {"files": sorted(self.names() - self.files), "descriptors": self._open_files()}
                return [
                    f"I2: {count} {what} were left over {more.get(what, '')}" for what, count in over.items()
                ]
            time.sleep(0.1)

    def _open_files(self) -> list[str]:
        assert self.process is not None
        found = []
        for one in Path(f"/proc/{self.process.pid}/fd").iterdir():
            with suppress(OSError):
                found.append(str(one.readlink()))
        return sorted(found)

    def _credentials(self) -> list[str]:
        path = self.home / "credentials.json"
        if not self.newest_refresh and not path.exists():
            return []
        try:
            text = path.read_text()
            json.loads(text)
        except (OSError, ValueError) as error:
            return [f"I3: credentials.json cannot be read: {error}"]
        if (mode := stat.S_IMODE(path.stat().st_mode)) != 0o600:
            return [f"I3: credentials.json has mode {mode:o}"]
        return [] if self.newest_refresh in text else ["I3: the newest refresh token is not on disk"]

    def scan(self) -> None:
        """I4 of everything that is written, and errors in the logs that no test is about."""
        assert self.process is not None
        for path in (self.folder / "output.txt", self.log, self.home / "state.json", self.home / "state"):
            if not path.is_file():
                continue
            with path.open("rb") as file:
                start = self._read.get(path, 0) if path.suffix in (".txt", ".log") else 0
                file.seek(start if start <= path.stat().st_size else 0)
                text = file.read().decode("utf-8", "replace")
                self._read[path] = file.tell()
            self._no_canary(path.name, text)
            for line in TRACEBACK.findall(text):
                if not any(re.search(pattern, line) for pattern in self.expected):
                    self.complaints.append(f"an unexplained error in {path.name}: {line[:1500]}")
        for path in (self.home / "errors").glob("*"):
            if path not in self._read:
                with suppress(FileNotFoundError):  # it had not its last name yet, or was the oldest
                    self._no_canary(f"errors/{path.name}", path.read_text(errors="replace"))
                    self._read[path] = 1
        if self.process.poll() is None:
            self._no_canary("the command line", Path(f"/proc/{self.process.pid}/cmdline").read_text())

    def _no_canary(self, where: str, text: str) -> None:
        for name, value in self.canaries.items():
            if value in text:
                self.complaints.append(f"I4: the secret {name!r} stands in {where}")

    def _sent_twice(self) -> list[str]:
        wrong = []
        for mark, first in self.first_bytes.items():
            again = [each for each in self.stage.arrived(mark) if mark and each.at > first]
            if again:
                wrong.append(f"I6: {mark} was sent again after its answer had begun")
        self.first_bytes.clear()
        self.stage.arrivals.clear()
        return wrong

    def _tail(self) -> str:
        return (self.folder / "output.txt").read_text()[-2000:]


def malformed(path: bytes, answer: RawResponse) -> str:
    """What is wrong with a refusal; empty when its protocol's clients can read it."""
    try:
        found = json.loads(answer.body)
        error = found["error"]
        told = error["message"]
    except (ValueError, KeyError, TypeError):
        return "is no error document"
    if not isinstance(told, str) or not told.strip():
        return "says nothing"
    if path.startswith(MESSAGES) and (found.get("type") != "error" or not error.get("type")):
        return "is not in the shape of the Messages API"
    if not path.startswith(MESSAGES) and "type" not in error:
        return "is not in OpenAI's shape"
    return ""


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner reads."""
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(text)


def ends_in_error(path: bytes, body: bytes) -> bool:
    """Whether a stream's last event is its protocol's error, and no end is faked before it."""
    if path == MESSAGES:
        return b"event: error\n" in body and b"message_stop" not in body
    if path == CHAT:
        return b'"error"' in body and b"[DONE]" not in body.partition(b'"error"')[0]
    return b"response.failed" in body and b"response.completed" not in body


@contextmanager
def own_house(folder: Path, stage: Stage | None = None) -> Iterator[House]:
    """A shunt for one test, configured and not yet started.

    At the end it is looked over as the shared one is after every test: all of it when it runs, and what it has
    written when the test has ended it.
    """
    house = House(folder, stage=stage or Stage())
    house.stage.open()
    house.configure()
    try:
        yield house
        wrong = house.check_end()
        assert not wrong, "\n".join(wrong)
    finally:
        if house.process is not None:
            with suppress(ProcessLookupError):
                house.process.send_signal(signal.SIGCONT)
            house.stop()
        house.stage.close()
    if house.process is not None:
        house.scan()  # what the end itself has written
    assert not house.complaints


Answering = Callable[[Request], Answer]
