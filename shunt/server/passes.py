"""Passes: keys for one command of this machine's user, made while the server runs and never written down.

`shunt exec` takes one for the command it starts. It works where shunt asks for keys, and it can name the
one account that the command is to use, whatever the command itself is able to say.
"""

from __future__ import annotations

import hmac
from collections import OrderedDict
from collections.abc import Callable
from hashlib import sha256
from typing import Final

from attrs import frozen

from shunt.accounts.secret import Secret
from shunt.config.client_key import BYTES, made_of

MOST: Final = 256
"""Passes at a time; the oldest ends when there would be more."""
LONGEST: Final = 64
"""Characters of what a pass is for."""


@frozen
class Pass:
    """What a pass stands for."""

    purpose: str
    account: str = ""
    """The one account its requests use; empty leaves the choice to routing."""


class Passes:
    """All passes of a running server."""

    def __init__(self, random: Callable[[int], bytes]) -> None:
        """`random` gives so many unpredictable bytes."""
        self._random = random
        self._known: OrderedDict[bytes, Pass] = OrderedDict()

    def make(self, purpose: str, account: str = "") -> Secret:
        """Make a pass; its key is known to nobody else."""
        key = made_of(self._random(BYTES))
        self._known[_digest(key.reveal().encode())] = Pass(purpose[:LONGEST], account)
        while len(self._known) > MOST:
            self._known.popitem(last=False)
        return key

    def end(self, key: str) -> bool:
        """End a pass; whether there was one."""
        return self._known.pop(_digest(key.encode()), None) is not None

    @property
    def any(self) -> bool:
        """Whether there are any: where there are none, as nearly always, no key need be looked at."""
        return bool(self._known)

    def has(self, digest: bytes) -> bool:
        """Whether a pass with this digest is still good."""
        return digest in self._known

    def find(self, presented: tuple[bytes, ...]) -> tuple[bytes, Pass] | None:
        """(digest, pass) of one of these keys, compared in the same time whatever the result."""
        found: tuple[bytes, Pass] | None = None
        for key in presented:
            digest = _digest(key)
            for known, each in self._known.items():
                if hmac.compare_digest(digest, known) and found is None:
                    found = known, each
        return found


def _digest(key: bytes) -> bytes:
    return sha256(key).digest()
