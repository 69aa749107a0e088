"""Work in threads, and what is left of it."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest
import trio

from shunt.errors import InvalidRequest
from shunt.gateway.threads import in_thread


class Body:
    """Something large."""


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@pytest.mark.usefixtures("no_collector")
async def test_an_error_keeps_nothing_of_what_it_is_about() -> None:
    """The body of a refused request is gone with its request, without the collector's help."""
    known: list[weakref.ref[Body]] = []

    def work() -> None:
        body = Body()
        known.append(weakref.ref(body))
        try:
            raise ValueError(str(body))
        except ValueError as error:
            raise InvalidRequest("no") from error

    with pytest.raises(InvalidRequest, match="no"):
        await in_thread(work, trio.CapacityLimiter(1))
    assert known[0]() is None


async def test_a_result_comes_back_and_a_mistake_of_ours_keeps_its_trace() -> None:
    """Only what clients are told loses its frames."""
    limiter = trio.CapacityLimiter(1)
    assert await in_thread(lambda: 5, limiter) == 5
    with pytest.raises(ZeroDivisionError) as caught:
        await in_thread(lambda: 1 // 0, limiter)
    assert len(caught.traceback) > 3
