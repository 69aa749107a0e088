"""The catalogue is whole: no fault without a test or a reason, and every test it names is there."""

from __future__ import annotations

import ast

import pytest

from tests.faults.table import HERE, ROOT, Fault, read, written

pytestmark = pytest.mark.quick
TITLES, FAULTS = read()
LAST = 192


def test_no_row_is_left_out() -> None:
    """Every number from the first to the last, once, in a group that has a title."""
    assert [fault.number for fault in FAULTS] == list(range(1, LAST + 1))
    assert {fault.group for fault in FAULTS} == set(TITLES)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: str(fault.number))
def test_every_fault_has_a_test_or_a_reason(fault: Fault) -> None:
    """One of both, and the tests that are named exist, with the cases that are named."""
    assert bool(fault.tests) != bool(fault.refused)
    for test in fault.tests:
        path, _, rest = test.partition("::")
        name, _, case = rest.partition("[")
        text = (ROOT / path).read_text(encoding="utf-8")
        functions = {
            node.name
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        }
        assert not name or name in functions, test
        assert f'"{case}' in text, test


def test_the_table_is_the_catalogue() -> None:
    """README.md is what `python -m tests.faults.table` writes."""
    assert (HERE / "README.md").read_text(encoding="utf-8") == written()
