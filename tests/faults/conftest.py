"""One shunt for all faults that a shunt has to survive; after each of them it is looked over."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.house import House


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All but the quick ones are of the second tier: together they take minutes."""
    for item in items:
        if Path(item.path).parent == Path(__file__).parent and item.get_closest_marker("quick") is None:
            item.add_marker(pytest.mark.faults)
            if sys.platform != "linux":
                item.add_marker(pytest.mark.skip(reason="the harness looks at processes as Linux shows them"))


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The process. It is started once: what one fault leaves behind would show in the next ones, too."""
    house = House(tmp_path_factory.mktemp("faults"))
    house.stage.open()
    try:
        house.configure()
        house.log_in()
        house.start()
        house.settle()
        yield house
    finally:
        status = house.stop() if house.process is not None else 0
        house.stage.close()
        told = f"slowest /health: {house.slowest * 1000:.0f} ms; widest gap: {house.widest:.2f} s"
        print(f"{told}; exit status {status}")  # noqa: T201 - with -s
    assert status == 0


@pytest.fixture
def house(running: House) -> Iterator[House]:
    """The process with all accounts at rest; nothing may be wrong with it afterwards."""
    running.clear()
    running.stage.bystander.look()
    running.stage.arrivals.clear()
    yield running
    wrong = running.check()
    assert not wrong, "\n".join(wrong)
