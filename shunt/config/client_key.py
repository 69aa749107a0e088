"""Keys that shunt gives out to clients: 256 random bits behind a prefix, with a checksum at the end.

The prefix lets scanners and our own log find one that has gone astray; the checksum tells a key that was
cut or mistyped from one that is unknown, without asking anybody.
"""

from __future__ import annotations

import re
from hashlib import sha256
from string import digits
from typing import Final
from zlib import crc32

from shunt.accounts.secret import Secret

PREFIX: Final = "shk_"
BYTES: Final = 32
ALPHABET: Final = f"{digits}ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
BODY: Final = 43
"""Characters of base 62 that hold 256 bits."""
CHECK: Final = 6
"""Characters of base 62 that hold 32 bits."""
SHAPE: Final = re.compile(rf"{PREFIX}([0-9A-Za-z]{{{BODY}}})([0-9A-Za-z]{{{CHECK}}})")


def made_of(random: bytes) -> Secret:
    """A key of 32 random bytes. Raises ValueError for fewer or more."""
    if len(random) != BYTES:
        raise ValueError(f"a key is made of {BYTES} bytes")
    body = _base62(int.from_bytes(random, "big"), BODY)
    return Secret(f"{PREFIX}{body}{_checksum(body)}")


def is_ours(text: str) -> bool:
    """Whether a text claims to be such a key."""
    return text.startswith(PREFIX)


def is_whole(text: str) -> bool:
    """Whether a key of ours is complete and free of slips."""
    found = SHAPE.fullmatch(text)
    return found is not None and _checksum(found[1]) == found[2]


def digest(key: Secret) -> str:
    """What is stored of it: its SHA-256 in hexadecimal digits. 256 random bits need no slower one."""
    return sha256(key.reveal().encode()).hexdigest()


def _checksum(body: str) -> str:
    return _base62(crc32((PREFIX + body).encode()), CHECK)


def _base62(number: int, length: int) -> str:
    out = ""
    for _ in range(length):
        number, place = divmod(number, len(ALPHABET))
        out = ALPHABET[place] + out
    return out
