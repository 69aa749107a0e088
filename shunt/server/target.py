"""The request target, taken raw: what is odd is refused, never interpreted.

Two programs that read the same odd path differently are how access rules are walked around, so paths
are decided upon exactly as they came, and go upstream as they came.
"""

from __future__ import annotations

import re
from typing import Final

from shunt.server.errors import TurnedAway
from shunt.server.tally import Refusal

_PLAIN: Final = re.compile(r"[!-~]*")
"""Visible ASCII."""
_ODD: Final = re.compile(r"\.\.|//|\\|#|%2f|%2e|%5c|%00|%(?![0-9a-f]{2})", re.IGNORECASE)
"""Climbing or empty segments, also in disguise, and escapes that are none."""


def check_method(method: str) -> None:
    """Refuse methods that no route has; raises TurnedAway."""
    if method not in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        raise TurnedAway(
            f"The method {method[:20]} is not served here.",
            405,
            headers=((b"allow", b"GET, HEAD, POST, PUT, DELETE"),),
            refusal=Refusal.TARGET,
        )


def check_target(path: str, query: bytes) -> None:
    """Refuse everything but an absolute path in plain form; raises TurnedAway."""
    if not path.startswith("/"):
        raise TurnedAway(
            "The request target has to be a path that begins with /.", 400, refusal=Refusal.TARGET
        )
    if not _PLAIN.fullmatch(path + query.decode("latin1")) or b"#" in query:
        raise TurnedAway(
            "The request target holds characters that have to be percent-encoded.",
            400,
            refusal=Refusal.TARGET,
        )
    if _ODD.search(path):
        raise TurnedAway(
            "The path holds //, \\, .. or an escape that is not taken here.", 400, refusal=Refusal.TARGET
        )
