"""What is kept of a failure: enough to find its cause, no secret and nothing of what was said."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from shunt.accounts.outcomes import Verdict
from shunt.errors import AllCooling, InvalidRequest, ShuntError
from shunt.store.logs import Redactor
from shunt.telemetry.failures import CURES, harmless, note_of, told_headers
from shunt.wire import json
from tests.fakes.pools import T0
from tests.fakes.records import record
from tests.telemetry.requests import SECRET, WORDS, answered, recording


@pytest.mark.parametrize(
    ("error", "attempt", "broke", "kind", "words"),
    [
        (AllCooling("2 of 2 accounts are spent", None), None, "", "rate_limited", "2 of 2"),
        (InvalidRequest("no model"), None, "", "invalid_request", "no model"),
        (
            None,
            answered(Verdict.REFUSED, message="max_tokens is too large"),
            "",
            "invalid_request",
            "max_tokens",
        ),
        (None, answered(Verdict.FORBIDDEN, message="", reason="HTTP 403"), "", "billing", "HTTP 403"),
        (None, answered(), "the connection broke", "upstream", "the connection broke"),
        (None, None, "", "internal", "without an answer"),
    ],
)
def test_kind_words_and_cure(
    error: ShuntError | None, attempt: Any, broke: str, kind: str, words: str
) -> None:
    """Whatever failed has a kind, and every kind a cure."""
    failed = recording()
    failed.error, failed.attempt, failed.progress.broke = error, attempt, broke
    note = note_of(failed, record(1, outcome="failed"), T0, str)
    assert note.kind == kind
    assert words in note.message
    assert note.cure == CURES[kind]


def test_neither_secrets_nor_content_are_kept() -> None:
    """Not of the headers, not of the body, not in the vendor's words."""
    failed = recording()
    failed.attempt = answered(Verdict.REFUSED, message=f"bad key {SECRET} in '{WORDS}' at messages.0.content")
    note = note_of(failed, record(1, outcome="refused"), T0, Redactor().clean)
    told = json.encode({**note.document(), **note.sent()}).decode()
    assert SECRET not in told
    assert WORDS not in told
    assert "messages.0.content" in note.message
    assert ("user-agent", "claude-cli/2") in note.headers
    assert note.body_bytes == len(WORDS)


def test_the_account_is_the_one_tried_last() -> None:
    """Where none served."""
    failed = recording()
    assert note_of(failed, record(1, account="a"), T0, str).account == "a"
    assert note_of(failed, evolve(record(1), account=""), T0, str).account == ""


def test_messages_are_short_and_on_one_line() -> None:
    """Short quotations say which field is meant, and stay."""
    assert harmless("no\nsuch  'model'") == "no such 'model'"
    assert harmless('"' + "x" * 30 + '" is wrong') == '"…" is wrong'
    assert len(harmless("word " * 500)) <= 401


def test_only_harmless_headers_have_values() -> None:
    """Of all others there is the name."""
    assert told_headers(((b"Authorization", b"Bearer x"), (b"Accept", b"*/*"))) == (
        ("authorization", "…"),
        ("accept", "*/*"),
    )
