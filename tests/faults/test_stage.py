"""The harness itself: what it must notice is noticed."""

from __future__ import annotations

import signal
import time

import pytest

from tests.faults.house import GAP, House

pytestmark = pytest.mark.faults


def test_a_shunt_that_stands_still_is_noticed(house: House) -> None:
    """A process that is stopped has not waited for a processor: nothing excuses its silence."""
    house.stage.bystander.look()
    house.send_signal(signal.SIGSTOP)
    try:
        time.sleep(GAP + 0.5)
        assert house.stage.bystander.look()[0] > GAP
    finally:
        house.send_signal(signal.SIGCONT)
    wrong = house.check()
    heard = house.stage.bystander.events
    while house.stage.bystander.events == heard:
        time.sleep(0.01)
    house.stage.bystander.look()  # the same silence, told once
    assert any(one.startswith("I7: the bystander waited") for one in wrong), wrong
