"""The shortest way to the running server's `/status`, for commands that a shell prompt calls.

The usual client takes a quarter of a second to import. This one knows only the server of this machine, or
the one at an address; whatever is out of the ordinary it leaves to the usual one, which has the words for it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from typing import Any, Final
from urllib.parse import urlsplit

from shunt.cli.invocation import Invocation
from shunt.errors import StoreError
from shunt.store.locations import locate
from shunt.store.lock import holder

PORT: Final = 8082
"""Where a server listens that nobody has configured."""
MOVING: Final = ("SHUNT_SERVER_", "SHUNT_PORT", "SHUNT_HOST")
"""Variables that may put the server elsewhere."""
WITHIN: Final = 2.0
"""Seconds to connect, and again to answer: a prompt does not wait longer."""
MOST: Final = 16 * 1024 * 1024


def quick_status(call: Invocation, url: str | None, *, key: str) -> Mapping[str, Any] | None:
    """The `/status` document, or None when the usual way has to be taken.

    Args:
        call: where the files are.
        url: the address a person named.
        key: admin key to send; empty for none.
    """
    host, port = _place(call, url)
    if host is None:
        return None
    connection = HTTPConnection(host, port, timeout=WITHIN)
    try:
        connection.request("GET", "/status", headers={"x-api-key": key} if key else {})
        reply = connection.getresponse()
        document = json.loads(reply.read(MOST)) if reply.status == 200 else None
    except (OSError, HTTPException, ValueError):
        return None
    finally:
        connection.close()
    return document if isinstance(document, dict) and isinstance(document.get("accounts"), list) else None


def _place(call: Invocation, url: str | None) -> tuple[str | None, int]:
    if url is not None:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        plain = parts.scheme == "http" and parts.path in ("", "/") and "@" not in parts.netloc
        try:
            return (parts.hostname if plain else None), parts.port or 80
        except ValueError:
            return None, 0
    try:
        places = locate(call.environ, home=call.home, config=call.config)
        running = holder(places.state_dir)
    except StoreError:
        return None, 0
    if running is not None and running[1]:
        return "127.0.0.1", running[1]
    configured = places.config_file.exists() or any(name.startswith(MOVING) for name in call.environ)
    return (None, 0) if configured else ("127.0.0.1", PORT)
