"""The text of credentials.json ⇄ credentials.

Version 2 is the first shunt's format with more in it, so that reading either is one thing::

    {"version": 2, "generation": 7, "accounts": {
       "main": {"type": "oauth", "access_token": …, "refresh_token": …, "expires_at": milliseconds,
                "scopes": […], "account_id": …, "organization_id": …, "email": …, "plan": …,
                "id_token": …, "imported_from": …, "spent": [fingerprints],
                "pending": {"fingerprint": …, "at": seconds}},
       "key":  {"type": "apikey", "key": …}}}

The first shunt wrote no version and no generation, and its oldest files no type (all were logins).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, NoReturn

import attrs
from attrs import field, frozen
from cattrs import BaseValidationError, Converter, transform_error
from cattrs.gen import make_dict_unstructure_fn

from shunt.accounts.credential import ApiKey, Credential, Identity, Login
from shunt.accounts.secret import Secret

VERSION: Final = 2

_HUGE: Final = 1e18
"""Beyond any time in milliseconds; infinity lies there too."""


class Malformed(ValueError):
    """The text is not what it should be. The words say where and how, and show no value."""


@frozen
class PendingRefresh:
    """A refresh that was begun and of which no end was recorded."""

    fingerprint: str
    """`Secret.fingerprint()` of the refresh token that was about to be spent."""
    at: float
    """Epoch seconds."""


@frozen
class StoredCredential:
    """One account's entry."""

    credential: Credential
    pending: PendingRefresh | None = None
    """Set when the process may have ended between spending a refresh token and storing the next."""


@frozen
class Document:
    """The whole file."""

    accounts: Mapping[str, StoredCredential] = field(factory=dict)
    generation: int = 0
    """Counts the writes."""
    raw: Mapping[str, Any] = field(factory=dict, repr=False)
    """Entries as they stood in the file: fields we do not know survive in those that do not change."""


@frozen
class _Oauth:
    access_token: Secret
    refresh_token: Secret | None = None
    expires_at: float | None = None
    scopes: tuple[str, ...] | None = None
    account_id: str | None = None
    organization_id: str | None = None
    email: str | None = None
    plan: str | None = None
    id_token: Secret | None = None
    imported_from: str | None = None
    spent: tuple[str, ...] | None = None
    pending: PendingRefresh | None = None


@frozen
class _ApiKey:
    key: Secret


def decode(text: bytes) -> Document:
    """Read the file's text; raises Malformed."""
    try:
        document = json.loads(text, object_pairs_hook=_object, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise Malformed(f"line {error.lineno}, column {error.colno}: {error.msg}") from None
    except UnicodeDecodeError as error:
        raise Malformed(f"byte {error.start} is not UTF-8") from None
    except RecursionError:
        raise Malformed("it is nested too deeply") from None
    except Malformed:
        raise
    except ValueError:  # Python refuses to read numbers of thousands of digits
        raise Malformed("it holds a number that is too long") from None
    if not isinstance(document, dict) or not isinstance(document.get("accounts"), dict):
        raise Malformed('it has no "accounts"')
    version, generation = document.get("version", 1), document.get("generation", 0)
    if not _is_count(version) or not _is_count(generation):
        raise Malformed('"version" and "generation" must be whole numbers')
    if version > VERSION:
        raise Malformed(f"it was written by a newer shunt (format {version}; this one knows {VERSION})")
    raw = document["accounts"]
    return Document({name: _entry(name, value) for name, value in raw.items()}, generation, raw)


def encode(accounts: Mapping[str, StoredCredential], generation: int, before: Document) -> bytes:
    """Write the file's text; entries equal to those in `before` are kept as they stood there."""
    entries = {
        name: before.raw[name] if before.accounts.get(name) == stored else _written(stored)
        for name, stored in accounts.items()
    }
    document = {"version": VERSION, "generation": generation, "accounts": entries}
    return json.dumps(document, indent=2).encode() + b"\n"


# ── Entries ───────────────────────────────────────────────────────────────────────────────────────


def _entry(name: str, value: Any) -> StoredCredential:
    kind = value.get("type", "oauth") if isinstance(value, dict) else None
    try:
        if kind == "oauth":
            return _login(_CONVERTER.structure(value, _Oauth))
        if kind == "apikey":
            return StoredCredential(ApiKey(_CONVERTER.structure(value, _ApiKey).key))
    except BaseValidationError as error:
        said = "; ".join(transform_error(error, path=f"account {json.dumps(name)}", format_exception=_said))
        raise Malformed(said) from None
    raise Malformed(f'account {json.dumps(name)}: must be a table with "type" "oauth" or "apikey"')


def _login(entry: _Oauth) -> StoredCredential:
    login = Login(
        access=entry.access_token,
        refresh=entry.refresh_token or Secret(""),
        expires_at=None if entry.expires_at is None else entry.expires_at / 1000,
        scopes=entry.scopes or (),
        identity=Identity(
            account_id=entry.account_id or "",
            organization_id=entry.organization_id or "",
            email=entry.email or "",
            plan=entry.plan or "",
        ),
        id_token=entry.id_token,
        imported_from=entry.imported_from or "",
        spent=entry.spent or (),
    )
    return StoredCredential(login, entry.pending)


def _written(stored: StoredCredential) -> dict[str, Any]:
    credential = stored.credential
    if isinstance(credential, ApiKey):
        return {"type": "apikey", "key": credential.key.reveal()}
    identity = attrs.asdict(credential.identity)
    entry = _Oauth(
        access_token=credential.access,
        refresh_token=credential.refresh,
        expires_at=None if credential.expires_at is None else round(credential.expires_at * 1000),
        scopes=credential.scopes,
        id_token=credential.id_token,
        imported_from=credential.imported_from or None,
        spent=credential.spent or None,
        pending=stored.pending,
        **{key: value or None for key, value in identity.items()},
    )
    written: dict[str, Any] = _CONVERTER.unstructure(entry)
    return {"type": "oauth", **{key: value for key, value in written.items() if value is not None}}


# ── Strictness ────────────────────────────────────────────────────────────────────────────────────


def _converter() -> Converter:
    converter = Converter()
    # cattrs turns anything into text or a number by itself; a credential is not guessed at.
    converter.register_structure_hook(str, lambda value, _kind: _text(value))
    converter.register_structure_hook(float, lambda value, _kind: _number(value))
    converter.register_structure_hook(Secret, lambda value, _kind: _secret(value))
    converter.register_structure_hook_func(lambda kind: kind == tuple[str, ...], _texts)
    converter.register_unstructure_hook(Secret, lambda secret: secret.reveal())
    converter.register_unstructure_hook(_Oauth, make_dict_unstructure_fn(_Oauth, converter))
    return converter


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise Malformed("must be text")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < _HUGE:
        raise Malformed("must be a number")
    return value


def _texts(value: Any, _kind: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise Malformed("must be a list of texts")
    return tuple(value)


def _secret(value: Any) -> Secret:
    if not _text(value).isascii() or not value.isprintable() or " " in value:
        raise Malformed("must be visible ASCII characters without spaces")
    return Secret(value)


def _said(error: BaseException, _kind: type | None) -> str:
    if isinstance(error, KeyError):
        return "is missing"
    return str(error) if isinstance(error, Malformed) else "is not what it should be"


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Malformed("a name occurs twice in one table")
    return found


def _no_constant(_name: str) -> NoReturn:
    raise Malformed("NaN and Infinity are not numbers")


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


_CONVERTER: Final = _converter()
