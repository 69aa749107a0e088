"""Envelopes around opaque reasoning."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shunt.inference.content import Seal, SealForm, Text, Thinking
from shunt.inference.envelope import MARK, fits, origin_of, read, stamped, stamped_answer, unwrap, wrap
from shunt.inference.events import Event, PartFinished, SealGiven, TextDelta
from shunt.inference.response import Answer, Stop

FERNET = "gAAAAABo" + "Qk1ZdVdhR2" * 12
CLAUDE = "EqQBCkYIBxgCIkA" + "abcdEFGH" * 12 + "=="
PAYLOADS = st.text() | st.sampled_from([FERNET, CLAUDE, "|", MARK])


@given(st.builds(Seal, st.text(), st.sampled_from(SealForm), PAYLOADS, st.text()))
def test_a_seal_survives_the_journey(seal: Seal) -> None:
    """Whatever is in it, a wrapped seal comes back the same."""
    assert unwrap(wrap(seal)) == seal


@given(st.text() | st.text().map(lambda rest: MARK + rest))
def test_reads_anything(text: str) -> None:
    """A field that somebody made up is no error, and is sent to nobody unless it names an origin."""
    seal = read(text, SealForm.SIGNATURE)
    assert not fits(seal, "", "")


def test_looks_like_nobody_elses() -> None:
    """An envelope is neither a signature of Claude's nor an identifier nor OpenAI's ciphertext."""
    envelope = wrap(Seal("codex", SealForm.ENCRYPTED, FERNET, "acc"))
    assert origin_of(envelope) == ""
    assert not re.fullmatch(r"[0-9a-f-]{32,36}", envelope)
    assert not re.fullmatch(r"[ERC][A-Za-z0-9+/=]+", envelope)


@pytest.mark.parametrize(
    ("payload", "origin"),
    [(FERNET, "openai"), (CLAUDE, "anthropic"), ("ZmFrZS1zaWduYXR1cmU=", ""), ("", ""), ("Error: none", "")],
)
def test_tells_vendors_by_their_seals(payload: str, origin: str) -> None:
    """A seal without an envelope shows by its looks whose it is."""
    assert read(payload, SealForm.SIGNATURE) == Seal(origin, SealForm.SIGNATURE, payload)


@pytest.mark.parametrize(
    "text", ["shunt2|signature|a|b|c", "shunt1|unknown|a|b|c", "shunt1|signature|a|b", "shunt1", ""]
)
def test_other_formats_are_not_ours(text: str) -> None:
    """What cannot be read for sure is not guessed."""
    assert unwrap(text) is None


@pytest.mark.parametrize(
    ("seal", "origin", "account", "sent"),
    [
        (None, "openai", "", False),
        (Seal("", SealForm.SIGNATURE, "x"), "", "", False),
        (Seal("anthropic", SealForm.SIGNATURE, "x"), "anthropic", "acc", True),
        (Seal("anthropic", SealForm.SIGNATURE, "x"), "api.example.org", "acc", False),
        (Seal("codex", SealForm.ENCRYPTED, "x", "acc"), "codex", "acc", True),
        (Seal("codex", SealForm.ENCRYPTED, "x", "acc"), "codex", "other", False),
        (Seal("codex", SealForm.ENCRYPTED, "x", "acc"), "openai", "acc", False),
        (Seal("openai", SealForm.ENCRYPTED, "x"), "codex", "acc", True),
        (Seal("openai", SealForm.ENCRYPTED, "x"), "anthropic", "acc", False),
    ],
)
def test_a_seal_goes_back_to_its_maker_only(seal: Seal | None, origin: str, account: str, sent: bool) -> None:
    """To the vendor that made it, and to the account it is bound to."""
    assert fits(seal, origin, account) is sent


def test_origin_is_stamped_on() -> None:
    """A decoder does not know whom it decodes; the seals are marked afterwards, and nothing else is."""
    plain = Seal("openai", SealForm.ENCRYPTED, "x")
    marked = Seal("codex", SealForm.ENCRYPTED, "x", "acc")
    events: list[Event] = [SealGiven(0, plain), PartFinished(0, Thinking("t", plain)), TextDelta(1, "t")]
    assert [stamped(event, "codex", "acc") for event in events] == [
        SealGiven(0, marked),
        PartFinished(0, Thinking("t", marked)),
        TextDelta(1, "t"),
    ]
    answer = Answer("id", "m", (Thinking("t", plain), Thinking("t"), Text("t")), Stop.END_TURN)
    assert stamped_answer(answer, "codex", "acc").parts == (Thinking("t", marked), Thinking("t"), Text("t"))
