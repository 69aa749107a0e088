"""The guided minute: an agent's requests at a human pace, and one line for everything that happens.

The story knows shunt only from outside. It sends requests to the port, reads the headers of the answers
and asks /status; what it tells is therefore what shunt did, not what was planned. One thing it arranges
at the vendor: that an access token ends in the middle.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import h11
import trio
from attrs import define, field, frozen

from shunt.demo import http1
from shunt.demo.vendor import Vendor
from shunt.demo.words import MODELS
from shunt.wire import json, sse

MOST_REQUESTS = 20
"""After so many the story ends, even if no account ran dry."""
BETWEEN = 1.2
"""Seconds that a person reads before asking on."""
NOTICE = 3.0
"""Seconds without an answer after which the story looks whether the request is held."""
COUNTDOWN = 5.0
"""Seconds between two lines while a request is held."""
LONGEST = 150.0
"""Seconds after which a request is given up."""
SESSION = "demo-story"
QUESTIONS = (
    "Why is the sky blue?",
    "And at dusk?",
    "Who found out?",
    "When was that?",
    "How was it measured?",
    "Does it hold on Mars?",
)


@frozen
class Reply:
    """How one request went."""

    status: int
    account: str
    """The account that answered, as x-shunt-account names it."""
    attempts: int
    text: str
    """What the account said; empty for an error."""
    seconds: float
    held: bool
    """Whether the story saw the request wait."""


@define(eq=False)
class Story:
    """One telling. All state is how far it got."""

    base_url: str
    vendor: Vendor
    write: Callable[[str], None]
    """Takes one line without its end."""
    _began: float = field(factory=trio.current_time)
    _talk: list[dict[str, str]] = field(factory=list)
    """The conversation so far, as the Messages API wants it."""
    _seen: set[str] = field(factory=set)
    """Accounts that have answered."""
    _last: str = ""
    """The account that answered last."""
    _ended: str = ""
    """The account whose access token the vendor has ended."""
    _renewed: bool = False
    """Whether the story has told how that login was refreshed."""

    async def tell(self) -> None:
        """Tell it from beginning to end. A story that cannot go on says so and returns."""
        try:
            await self._play()
        except* (OSError, trio.BrokenResourceError, h11.ProtocolError):
            self._say(f"the story ends here: {self.base_url} does not answer any more")

    async def _play(self) -> None:
        """Ask on until a request has been held and released."""
        names = ", ".join(self.vendor.accounts)
        self._say(f"a simulated vendor with the accounts {names}; nothing leaves this machine")
        self._say(f"an agent begins to work, pointed at {self.base_url}")
        for number in range(1, MOST_REQUESTS + 1):
            await trio.sleep(BETWEEN)
            reply = await self._ask(number)
            if reply is None:
                break
            await self._report(number, reply)
            if reply.status != http1.OK or reply.held:
                break
        self._farewell()

    async def _ask(self, number: int) -> Reply | None:
        """Ask the next question and wait for the whole answer; None when there was none."""
        self._talk.append({"role": "user", "content": QUESTIONS[(number - 1) % len(QUESTIONS)]})
        reply = None
        with trio.move_on_after(LONGEST):
            async with trio.open_nursery() as nursery:
                held = trio.Event()
                nursery.start_soon(self._watch, number, held)
                reply = await self._exchange(held)
                nursery.cancel_scope.cancel()
        if reply is None:
            self._say(f"request {number} had no answer after {LONGEST:.0f} s; the story ends here")
        else:
            self._talk.append({"role": "assistant", "content": reply.text or "…"})
        return reply

    async def _exchange(self, held: trio.Event) -> Reply:
        """Send the conversation, read the answer."""
        began = trio.current_time()
        body = {"model": MODELS[1], "max_tokens": 256, "stream": True, "messages": self._talk}
        headers = (
            ("content-type", "application/json"),
            ("anthropic-version", "2023-06-01"),
            ("authorization", "Bearer demo"),
            ("x-session-id", SESSION),
        )
        async with http1.request(
            self.base_url, "POST", "/v1/messages", headers, json.encode(body)
        ) as response:
            content = await response.read()
        attempts = response.headers.get("x-shunt-attempts", "")
        return Reply(
            response.status,
            response.headers.get("x-shunt-account", ""),
            int(attempts) if attempts.isdecimal() else 1,
            said(content),
            trio.current_time() - began,
            held.is_set(),
        )

    async def _watch(self, number: int, held: trio.Event) -> None:
        """While a request has no answer: find out whether it is held, and count down."""
        await trio.sleep(NOTICE)
        while True:
            resets = cooldowns(await self._status())
            if len(resets) == len(self.vendor.accounts):
                first, until = min(resets.items(), key=lambda entry: entry[1])
                left = max(0.0, until - self.vendor.now())
                if not held.is_set():
                    held.set()
                    self._say(f"all accounts are spent → request {number} is held; the agent just waits")
                self._say(f"  {first} is back in {left:.0f} s")
            await trio.sleep(COUNTDOWN)

    async def _status(self) -> Any:
        """What GET /status says; None when it says no."""
        async with http1.request(self.base_url, "GET", "/status") as response:
            return json.value(await response.read())

    async def _report(self, number: int, reply: Reply) -> None:
        """Say what happened to one request."""
        if reply.status != http1.OK:
            self._say(f"request {number} was answered with status {reply.status}; the story ends here")
            return
        took = f"{reply.seconds:.1f} s"
        if reply.held:
            self._say(f"{reply.account}'s window has reset → request {number} answered, {took} after asking")
        elif not self._renewed and self._ended == reply.account and self.vendor.refreshes(reply.account):
            self._say(
                f"401 → {reply.account}'s login refreshed once, request {number} answered by it ({took})"
            )
            self._renewed = True
        elif self._last not in ("", reply.account) and reply.attempts > 1:
            until = cooldowns(await self._status()).get(self._last)
            rest = "" if until is None else f" and rests for {max(0.0, until - self.vendor.now()):.0f} s"
            self._say(f"account {self._last} is spent (429){rest} → failing over to {reply.account}")
            self._say(f"request {number} → {reply.account} ({took}); the agent saw one good answer")
        else:
            self._say(f"request {number} → {reply.account} ({took})")
        self._last = reply.account
        self._seen.add(reply.account)
        self._arrange(reply.account)

    def _arrange(self, account: str) -> None:
        """Let the vendor end the access token of the second account that comes into use."""
        if len(self._seen) == 2 and not self._ended:
            self.vendor.end_access(account)
            self._ended = account
            self._say(f"the vendor ends {account}'s access token, as happens every few hours")

    def _farewell(self) -> None:
        """Say what to try next."""
        question = '{"model":"claude-sonnet-5-5","max_tokens":64,"messages":[{"role":"user","content":"hi"}]}'
        self._say("that was the tour. shunt keeps running, accounts keep running dry and coming back. Try:")
        for line in (
            f"{self.base_url}/ in a browser: which account serves and why, what resets when, what was saved",
            f"shunt monitor --url {self.base_url}   the same in a terminal",
            f"shunt use {next(iter(self.vendor.accounts))} --url {self.base_url}   pins an account; `shunt use auto` ends that",
            f"curl {self.base_url}/status",
            f"curl {self.base_url}/v1/messages -H 'content-type: application/json' -d '{question}'",
            f"ANTHROPIC_BASE_URL={self.base_url} ANTHROPIC_AUTH_TOKEN=demo claude -p hi",
            "Ctrl-C ends it and leaves nothing behind; `shunt add-account --help` begins for real",
        ):
            self.write(f"         {line}")

    def _say(self, text: str) -> None:
        minutes, seconds = divmod(int(trio.current_time() - self._began), 60)
        self.write(f"{minutes:02d}:{seconds:02d}  {text}")


def said(content: bytes) -> str:
    """The text of a streamed answer; empty when there is none."""
    pieces = []
    for event in sse.Decoder().feed(content):
        document = json.value(event.data or b"")
        delta = document.get("delta") if isinstance(document, dict) else None
        text = delta.get("text") if isinstance(delta, dict) else None
        pieces.append(text if isinstance(text, str) else "")
    return "".join(pieces)


def cooldowns(status: Any) -> dict[str, float]:
    """The accounts that are cooling, and when each is back in epoch seconds, as /status tells it."""
    accounts = status.get("accounts") if isinstance(status, dict) else None
    resets: dict[str, float] = {}
    for account in accounts if isinstance(accounts, list) else []:
        match account:
            case {"name": str(name), "status": "cooling", "cooldown_until_ms": int() | float() as until}:
                resets[name] = until / 1000
    return resets
