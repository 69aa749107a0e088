"""The queue between requests and the history."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from shunt.watchers.records import Records
from tests.watchers.stand_ins import record


def filled(capacity: int, *numbers: int) -> Records:
    records = Records(capacity)
    for number in numbers:
        records.offer(record(number))
    return records


def ids(records: Records) -> list[int]:
    return [int(taken.id.removeprefix("req_")) for taken in records.take(100)]


def test_a_full_queue_drops_its_oldest_and_counts_it() -> None:
    """Requests never wait for the history."""
    records = filled(3, 1, 2, 3, 4, 5)
    assert (len(records), records.dropped) == (3, 2)
    assert ids(records) == [3, 4, 5]


@pytest.mark.parametrize(
    ("capacity", "kept", "dropped"),
    [(4, [1, 2, 3, 4], 0), (3, [2, 3, 4], 1), (2, [3, 4], 2)],
    ids=["room for all", "room for one", "no room"],
)
def test_what_could_not_be_written_goes_back_to_the_front(
    capacity: int, kept: list[int], dropped: int
) -> None:
    """In order, the newest first to be kept when there is no room for all."""
    records = filled(capacity, 1, 2)
    batch = records.take(2)
    records.offer(record(3))
    records.offer(record(4))
    records.put_back(batch)
    assert ids(records) == kept
    assert records.dropped == dropped


def test_a_batch_is_bounded() -> None:
    """The oldest go first, the rest stay."""
    records = filled(9, 1, 2, 3)
    assert [taken.id for taken in records.take(2)] == ["req_1", "req_2"]
    assert ids(records) == [3]


async def test_arrivals_wake_the_writer(autojump_clock: MockClock) -> None:
    """At once when something is there, else when it comes, and again after each emptying."""
    records = filled(9, 1)
    woken: list[float] = []

    async def write() -> None:
        while True:
            await records.arrived()
            records.take(9)
            woken.append(trio.current_time())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(write)
        await wait_all_tasks_blocked()
        assert woken == [0]
        await trio.sleep(5)
        records.offer(record(2))
        await wait_all_tasks_blocked()
        batch = filled(9, 3).take(1)
        await trio.sleep(5)
        records.put_back(batch)
        await wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    assert woken == [0, 5, 10]
