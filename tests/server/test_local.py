"""Where no local program is driven."""

from __future__ import annotations

from shunt.server.local import NoSessions


async def test_there_is_nothing() -> None:
    """Nothing listed, nothing at work, nothing to forget."""
    nobody = NoSessions()
    assert (list(nobody.listed()), dict(nobody.at_work())) == ([], {})
    assert await nobody.cleanup(everything=True) == 0
