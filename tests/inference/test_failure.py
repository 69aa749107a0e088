from __future__ import annotations

import pytest

from shunt.errors import Kind
from shunt.inference.failure import STATUS, Failure


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_has_an_http_status(kind: Kind) -> None:
    """No failure is without a status, and none is a success."""
    assert 400 <= Failure(kind, "words").http_status <= 599
    assert Failure(kind, "words").http_status == STATUS[kind]


def test_a_status_the_vendor_chose_wins() -> None:
    """A vendor's own status is kept where it is known."""
    assert Failure(Kind.UPSTREAM, "words", status=520).http_status == 520
