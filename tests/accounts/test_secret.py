"""Secrets cannot be shown by accident."""

from __future__ import annotations

import pickle

import pytest

from shunt.accounts.secret import Secret

SECRET = Secret("sk-test-hidden")


@pytest.mark.parametrize(
    "shown",
    [
        repr(SECRET),
        str(SECRET),
        f"{SECRET}",
        f"{SECRET:>40}",
        SECRET.fingerprint(),
        repr([SECRET]),
    ],
)
def test_no_way_of_showing_gives_it_away(shown: str) -> None:
    """repr, str, formats and the fingerprint hold nothing of the value."""
    assert "hidden" not in shown


def test_only_reveal_gives_the_value() -> None:
    """One method, easy to find."""
    assert SECRET.reveal() == "sk-test-hidden"


def test_pickling_is_refused() -> None:
    """A secret does not end up in a file or another process by accident."""
    with pytest.raises(TypeError):
        pickle.dumps(SECRET)


def test_secrets_are_compared_by_value() -> None:
    """Equal ones are equal and hash alike, an empty one is false."""
    assert Secret("sk-test-hidden") == SECRET
    assert hash(Secret("sk-test-hidden")) == hash(SECRET)
    assert Secret("sk-test-other") != SECRET
    assert SECRET != "sk-test-hidden"
    assert SECRET
    assert not Secret("")
    assert SECRET.fingerprint() != Secret("sk-test-other").fingerprint()
