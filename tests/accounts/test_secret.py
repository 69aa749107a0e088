"""Secrets cannot be shown by accident."""

from __future__ import annotations

import copy
import json
import logging
import pickle
from collections.abc import Callable
from typing import Any

import msgspec
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


@pytest.mark.parametrize(
    "taken",
    [
        pickle.dumps,
        copy.copy,
        copy.deepcopy,
        json.dumps,
        msgspec.json.encode,
        lambda secret: secret.__getstate__(),
        lambda secret: secret.__reduce__(),
        vars,
        list,
    ],
    ids=["pickle", "copy", "deepcopy", "json", "msgspec", "state", "reduce", "vars", "list"],
)
def test_no_way_of_taking_it_along_works(taken: Callable[[Any], object]) -> None:
    """A secret does not end up in a file, a document or another process by accident."""
    with pytest.raises(TypeError) as caught:
        taken(SECRET)
    assert "hidden" not in str(caught.value)


def test_no_log_line_gives_it_away(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever way it is put into one."""
    caplog.set_level(logging.DEBUG)
    logging.getLogger("test").warning("%s %r", SECRET, [SECRET])
    logging.getLogger("test").info("told", extra={"fields": SECRET})
    assert "hidden" not in caplog.text
    assert all("hidden" not in str(vars(record)) for record in caplog.records)


def test_secrets_are_compared_by_value() -> None:
    """Equal ones are equal and hash alike, an empty one is false."""
    assert Secret("sk-test-hidden") == SECRET
    assert hash(Secret("sk-test-hidden")) == hash(SECRET)
    assert Secret("sk-test-other") != SECRET
    assert SECRET != "sk-test-hidden"
    assert SECRET
    assert not Secret("")
    assert SECRET.fingerprint() != Secret("sk-test-other").fingerprint()
