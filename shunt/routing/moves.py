"""What it costs that a conversation moves to another account: its prompt cache stays behind.

The stated method: when the request before was served by another account within the life of its prompt
cache, everything that could have been read from that cache and was not counts as billed again: the
cached part of the earlier prompt (as far as the new prompt reaches), less what was read from a cache
after all. Anthropic caches what the request marks, and says how much; it keeps it for five minutes, or
an hour where the longer cache was written. OpenAI caches whole prompts by itself, about as long.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Final, NamedTuple

from attrs import frozen

from shunt.accounts.state import RequestRecord
from shunt.inference.usage import Usage

SHORT_LIFE: Final = 300.0
LONG_LIFE: Final = 3600.0
"""Seconds a prompt cache lives from its last use."""
MOST: Final = 10_000
"""Conversations remembered."""
SMALLEST: Final = 1024
"""Tokens below which vendors cache nothing."""


@frozen
class Move:
    """What came of a request's place in its conversation."""

    source: str = ""
    """The account the conversation was on before; empty when it did not move."""
    rebilled: int = 0
    """Input tokens paid for again because their cache stayed behind."""


class _Last(NamedTuple):
    account: str
    cached: int
    ends_at: float


class Moves:
    """The last account of each conversation. Bounded; the longest unused goes first."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._last: OrderedDict[str, _Last] = OrderedDict()

    def note(self, conversation: str, account: str, usage: Usage, at: float, *, automatic: bool) -> Move:
        """Take a served request; what its move cost.

        `at` is epoch seconds of its end; `automatic` says that the vendor caches prompts unasked.
        """
        if not conversation or not account or not usage.prompt:
            return Move()
        last = self._last.pop(conversation, None)
        life = LONG_LIFE if usage.cache_write_1h else SHORT_LIFE
        self._last[conversation] = _Last(
            account, usage.prompt if automatic else usage.cache_read + usage.cache_write, at + life
        )
        if len(self._last) > self._most:
            self._last.popitem(last=False)
        if last is None or last.account == account:
            return Move()
        lost = min(last.cached, usage.prompt) - usage.cache_read
        return Move(last.account, lost if at < last.ends_at and lost >= SMALLEST else 0)

    def restore(self, records: Iterable[RequestRecord]) -> None:
        """Take up earlier requests, oldest first."""
        for record in records:
            self.note(
                record.conversation,
                record.account,
                record.usage,
                record.at + record.duration_ms / 1000,
                automatic=caches_unasked(record.protocol_out),
            )


def caches_unasked(protocol: str) -> bool:
    """Whether vendors that speak this protocol cache prompts without being told to."""
    return protocol.startswith("openai")
