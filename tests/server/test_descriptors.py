"""File descriptors: as many connections as they allow, and some kept back."""

from __future__ import annotations

import sys

import pytest

from shunt.server.descriptors import ENOUGH, affordable, raise_limit


@pytest.mark.parametrize(
    ("wanted", "limit", "given"),
    [(2000, 10_240, 2000), (2000, 1024, 480), (2000, 256, 96), (2000, 10, 1), (5, 10_240, 5)],
)
def test_a_request_takes_two_and_some_are_kept_back(wanted: int, limit: int, given: int) -> None:
    """Each client's connection is matched by one to an upstream; there is always room for one."""
    assert affordable(wanted, limit) == given


@pytest.mark.skipif(sys.platform == "win32", reason="no such limit there")
@pytest.mark.parametrize(
    ("soft", "hard", "result"),
    [
        (256, 4096, 4096),
        (1024, -1, ENOUGH),
        (1024, 1_000_000, ENOUGH),
        (65_536, 65_536, 65_536),
        (-1, -1, ENOUGH),
    ],
)
def test_the_limit_is_raised_as_far_as_it_goes(
    monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, result: int
) -> None:
    """Up to what is of use, and never lowered."""
    import resource  # noqa: PLC0415 - not on every system

    current = [(soft, hard)]
    monkeypatch.setattr(resource, "RLIM_INFINITY", -1)
    monkeypatch.setattr(resource, "getrlimit", lambda _: current[0])
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: current.append(limits))
    assert raise_limit() == result
    assert all(limits == (result, hard) for limits in current[1:])
    assert len(current) == (1 if soft in (-1, 65_536) else 2)


@pytest.mark.skipif(sys.platform == "win32", reason="no such limit there")
def test_a_system_that_forbids_it_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit in force counts."""
    import resource  # noqa: PLC0415 - not on every system

    def forbid(*_: object) -> None:
        raise OSError("no")

    monkeypatch.setattr(resource, "getrlimit", lambda _: (512, 4096))
    monkeypatch.setattr(resource, "setrlimit", forbid)
    assert raise_limit() == 512
