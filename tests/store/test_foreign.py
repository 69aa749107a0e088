from __future__ import annotations

from pathlib import Path

import pytest

from shunt.errors import StoreError
from shunt.store.foreign import READINGS, Machine, parsed, read_document, secret_of, text_of


def test_a_file_that_is_being_rewritten_is_read_again(tmp_path: Path) -> None:
    """Half a file is not an error while its writer may still be at it."""
    path = tmp_path / "login.json"
    path.write_text('{"a":')
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == READINGS - 1:
            path.write_text('{"a": 1}')

    assert read_document(path, Machine(pause=pause), "log in") == {"a": 1}


def test_a_file_that_stays_broken_is_named_with_its_cure(tmp_path: Path) -> None:
    """After a few readings it is an error, not an empty file."""
    path = tmp_path / "login.json"
    path.write_text("{")
    with pytest.raises(StoreError, match=r"login\.json.*log in"):
        read_document(path, Machine(pause=lambda _: None), "log in")


def test_no_file_is_none(tmp_path: Path) -> None:
    """A program that is not there has nothing."""
    assert read_document(tmp_path / "login.json", Machine(), "log in") is None


@pytest.mark.parametrize(
    ("text", "expected"), [(b"{}", {}), (b"[]", None), (b"x", None), (b"[" * 9999, None)]
)
def test_only_tables_count(text: bytes, expected: object) -> None:
    """Anything but a JSON table is not what these programs write."""
    assert parsed(text) == expected


def test_a_token_is_never_shown_when_it_is_none() -> None:
    """The error names the key and the file, not the value."""
    with pytest.raises(StoreError) as caught:
        secret_of("sk-test with a space", "login.json", "access", "log in")
    assert "sk-test" not in str(caught.value)
    assert secret_of("sk-test-fine", "x", "y", "z").reveal() == "sk-test-fine"
    assert (text_of("a"), text_of(3)) == ("a", "")
