"""The last requests: bounded, failures for longer."""

from __future__ import annotations

from typing import Any

from shunt.gateway.trace import Phase, Trace
from shunt.telemetry.failures import note_of
from shunt.telemetry.ring import Finished, Ring
from tests.fakes.pools import T0
from tests.fakes.records import record, request_id
from tests.telemetry.requests import recording


def finished(number: int, *, failed: bool = False, **fields: Any) -> Finished:
    told = record(number, **fields)
    note = note_of(recording(number), told, T0, str) if failed else None
    trace = Trace()
    trace.mark(Phase.ARRIVED, told.at)
    return Finished(told, trace, failure=note)


def test_it_is_bounded() -> None:
    """The newest stay, and failures stay when other requests have long pushed them out."""
    ring = Ring(most=10, most_failures=3)
    for number in range(100):
        ring.add(finished(number, failed=number < 5))
    assert [one.record.id for one in ring.newest(3)] == [request_id(n) for n in (99, 98, 97)]
    assert len(list(ring.newest(999))) == 10
    assert [one.record.id for one in ring.failures(9)] == [request_id(n) for n in (4, 3, 2)]
    assert ring.failed == 3
    assert ring.find(request_id(3)) is not None
    assert ring.find(request_id(0)) is None


def test_the_beginning_of_an_id_is_enough_where_only_one_has_it() -> None:
    """People copy what a terminal shows."""
    ring = Ring()
    ring.add(finished(0xABC << 84))
    assert ring.find("req_abc") is ring.find("abc000") is not None
    ring.add(finished((0xABC << 84) + 1))
    assert ring.find("req_abc0") is None
    assert ring.find("req") is None


def test_documents_and_dumps() -> None:
    """A dump tells besides what the client had sent."""
    told = finished(1, failed=True)
    assert told.document()["error"]["id"] == request_id(1)
    assert told.dump()["sent"]["path"] == "/v1/messages"
    fine = finished(2)
    assert (fine.document()["error"], fine.dump()["sent"]) == (None, {})
    assert fine.document()["phases"][0]["phase"] == "arrived"
