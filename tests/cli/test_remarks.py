"""How the doctor's remarks add up."""

from __future__ import annotations

import pytest

from shunt.cli.exits import FAILED, FINE, NEEDS_LOGIN
from shunt.cli.remarks import Level, Remark, exit_code

WRONG = Remark(Level.FAULT, "x", "broken")
LOGIN = Remark(Level.FAULT, "x", "needs a login", login=True)


@pytest.mark.parametrize(
    ("remarks", "code"),
    [
        ([], FINE),
        (
            [Remark(Level.WARNING, "x", "odd"), Remark(Level.NOTE, "x", "so"), Remark(Level.FINE, "x", "ok")],
            FINE,
        ),
        ([WRONG], FAILED),
        ([LOGIN], NEEDS_LOGIN),
        ([LOGIN, WRONG], FAILED),
    ],
)
def test_only_faults_fail(remarks: list[Remark], code: int) -> None:
    """Warnings pass; when nothing but logins is missing the exit code says that."""
    assert exit_code(remarks) == code
