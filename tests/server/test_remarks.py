"""Lines that would come by the thousand come once a minute."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from shunt.server.remarks import Remarks


async def test_each_kind_is_said_once_a_minute(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Kinds do not keep each other quiet."""
    remarks = Remarks()
    for number in range(130):
        remarks.warn("a", f"a{number}")
        remarks.warn("b", "b")
        await trio.sleep(1)
    assert [record.getMessage() for record in caplog.records] == ["a0", "b", "a60", "b", "a120", "b"]
