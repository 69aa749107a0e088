"""Opaque reasoning on its way through a client that speaks another protocol, and back.

Vendors seal their models' reasoning: Anthropic signs it, OpenAI encrypts it. Clients echo the seal, and
only its maker can read it; sent to anybody else it is an error. So a seal that a client must keep for
another vendor travels in an envelope that says whose it is. Nothing is signed: an envelope that somebody
made up is at worst refused by the vendor. A field without an envelope holds a seal of the client's own
vendor, to be told by its looks.

Format: `shunt1|form|origin|account|payload`, the middle ones percent-encoded, the payload as it was. It
looks like no vendor's own seal, so that a client's request can be searched for MARK.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote, unquote

from attrs import evolve

from shunt.inference.content import Part, Seal, SealForm, Thinking
from shunt.inference.events import Event, PartFinished, SealGiven
from shunt.inference.response import Answer

MARK: Final = "shunt1|"
"""How every envelope begins; a later format gets another number."""

_FIELDS: Final = 4
_FERNET: Final = "gAAAA"
"""OpenAI's encrypted reasoning is a Fernet token: version 0x80 and a timestamp, in base64."""
_CLAUDE: Final = re.compile(r"[ERC][A-Za-z0-9+/]{15,}={0,2}\Z")
"""Claude's signatures are protocol buffers in base64."""
_OPENAI: Final = frozenset({"openai", "codex"})
_FORMS: Final = {form.value: form for form in SealForm}


def wrap(seal: Seal) -> str:
    """Write a seal for a field that the client will echo."""
    return f"{MARK}{seal.form}|{quote(seal.origin, safe='')}|{quote(seal.account, safe='')}|{seal.payload}"


def unwrap(text: str) -> Seal | None:
    """Read an envelope; None when it is none of ours, or one of a format we do not know."""
    if not text.startswith(MARK):
        return None
    fields = text[len(MARK) :].split("|", _FIELDS - 1)
    if len(fields) < _FIELDS or fields[0] not in _FORMS:
        return None
    return Seal(unquote(fields[1]), _FORMS[fields[0]], fields[3], unquote(fields[2]))


def read(text: str, form: SealForm) -> Seal:
    """Read a seal that a client echoes: out of our envelope, or as the vendor wrote it.

    `form` says in which field it stood. The origin of what looks like no vendor's is empty: it is sent
    to nobody.
    """
    return unwrap(text) or Seal(origin_of(text), form, text)


def origin_of(payload: str) -> str:
    """The vendor whose seals look like this: `openai`, `anthropic`, or empty."""
    if payload.startswith(_FERNET):
        return "openai"
    return "anthropic" if _CLAUDE.match(payload) else ""


def fits(seal: Seal | None, origin: str, account: str) -> bool:
    """Whether a seal may be sent to this origin and account (a fingerprint).

    OpenAI's two doors seal alike: a token that says no account is tried at either. Plain words are no
    account's own.
    """
    if seal is None or not seal.origin:
        return False
    same = seal.origin == origin or (not seal.account and {seal.origin, origin} <= _OPENAI)
    return same and (seal.account in ("", account) or seal.form is SealForm.PLAIN)


def stamped(event: Event, origin: str, account: str) -> Event:
    """A decoded event whose seal says where it came from; for streams that change their protocol."""
    match event:
        case SealGiven(seal=seal):
            return evolve(event, seal=evolve(seal, origin=origin, account=account))
        case PartFinished(part=Thinking(seal=Seal()) as part):
            return evolve(event, part=_stamped_part(part, origin, account))
        case _:
            return event


def stamped_answer(answer: Answer, origin: str, account: str) -> Answer:
    """A decoded answer whose seals say where they came from."""
    return evolve(answer, parts=tuple(_stamped_part(part, origin, account) for part in answer.parts))


def _stamped_part(part: Part, origin: str, account: str) -> Part:
    if isinstance(part, Thinking) and part.seal is not None:
        return evolve(part, seal=evolve(part.seal, origin=origin, account=account))
    return part
