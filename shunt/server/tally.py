"""What was refused, and how often: the numbers behind `refusals` in /status."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from enum import StrEnum

from attrs import define, field


class Refusal(StrEnum):
    """Why something was refused."""

    HEAD = "head"
    """Not proper HTTP/1.1, or too large a head."""
    HEAD_TIME = "head_time"
    """The head did not come in time."""
    TARGET = "target"
    """A method, path or query that is not taken."""
    HOST = "host"
    ORIGIN = "origin"
    KEY = "key"
    GUESSES = "guesses"
    """Too many wrong keys from one address."""
    WITHDRAWN = "withdrawn"
    """The key's requests were ended because it was withdrawn."""
    PER_CLIENT = "requests_per_client"
    BODY = "body_size"
    BODIES = "bodies_in_memory"
    BODY_TIME = "body_time"
    CONNECTIONS = "connections"
    ADDRESS = "connections_per_address"
    DESCRIPTORS = "descriptors"
    AHEAD = "sent_ahead"
    """Too many bytes sent before the answer had ended."""
    STALLED = "stalled"
    """The client took nothing of its answer any more."""
    TOO_LONG = "request_time"
    SHUTDOWN = "shutdown"


@define(eq=False)
class Tally:
    """Counts since the start."""

    _counts: Counter[Refusal] = field(factory=Counter)

    def add(self, refusal: Refusal) -> None:
        """Count one."""
        self._counts[refusal] += 1

    @property
    def counts(self) -> Mapping[str, int]:
        """How often each has happened; those that never did are left out."""
        return {str(refusal): count for refusal, count in sorted(self._counts.items())}
