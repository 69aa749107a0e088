"""A string that cannot be shown by accident."""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import NoReturn, final


@final
class Secret:
    """Holds a token or key. `repr`, `str`, format and pickling give nothing away.

    Only `reveal()` returns the value; it is called where a header is written and where
    credentials are stored, nowhere else.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the secret itself."""
        return self._value

    def fingerprint(self) -> str:
        """First 12 hex digits of the SHA-256: enough to tell two secrets apart in a report."""
        return sha256(self._value.encode()).hexdigest()[:12]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash(("Secret", self._value))

    def __bool__(self) -> bool:
        return bool(self._value)

    def __len__(self) -> int:
        return len(self._value)

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec)

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a Secret is neither pickled nor copied")

    def __getstate__(self) -> NoReturn:
        raise TypeError("a Secret has no state to show")
