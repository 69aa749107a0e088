"""The login that Codex CLI keeps on this machine, in `auth.json` of `~/.codex` or `CODEX_HOME`.

It is read, and changed in one case only: where it still holds a refresh token that shunt has exchanged for
another. That token is dead, and Codex would ask its user to log in; so it is given the one that lives. A
login of another account, a newer one, or an API key is never touched.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from attrs import evolve

from shunt.accounts.credential import Credential, Identity, Login
from shunt.accounts.secret import Secret
from shunt.errors import StoreError
from shunt.providers.codex_login import expiry_of, identity_of
from shunt.store.foreign import Machine, parsed, read_document, secret_of, text_of
from shunt.wire.lossless_edit import splice_texts

_LOG_IN: Final = "log in with `codex login` and try again"


def codex_file(environ: Mapping[str, str]) -> Path | None:
    """Where Codex keeps its login; None when there is no home directory."""
    chosen = environ.get("CODEX_HOME")
    if chosen:
        return Path(chosen).absolute() / "auth.json"
    home = environ.get("HOME") or environ.get("USERPROFILE")
    return Path(home).absolute() / ".codex" / "auth.json" if home else None


def read_codex_login(environ: Mapping[str, str], machine: Machine | None = None) -> Credential | None:
    """The ChatGPT login that Codex uses; None when it has none.

    Blocks on the disk.

    Raises:
        StoreError: there is something that cannot be used, or an API key instead; the message says what to do.
    """
    path = codex_file(environ)
    document = read_document(path, machine or Machine(), _LOG_IN) if path is not None else None
    if path is None or document is None:
        return None
    tokens, source = document.get("tokens"), str(path)
    if not isinstance(tokens, dict) or not tokens.get("access_token") or not _is_chatgpt(document):
        if text_of(document.get("OPENAI_API_KEY")):
            raise StoreError(
                f"{source} holds an API key, not a ChatGPT login; add it with --provider openai --api-key-stdin"
            )
        return None
    access = secret_of(tokens["access_token"], source, "access_token", _LOG_IN)
    refresh, id_token = tokens.get("refresh_token"), tokens.get("id_token")
    return Login(
        access=access,
        refresh=secret_of(refresh, source, "refresh_token", _LOG_IN) if refresh else Secret(""),
        expires_at=expiry_of(access.reveal()),
        identity=_identity(tokens),
        id_token=secret_of(id_token, source, "id_token", _LOG_IN) if id_token else None,
        imported_from=source,
    )


def with_successor(text: bytes, login: Login, now: float) -> bytes | None:
    """The content of auth.json with `login` in the place of the one it was exchanged for.

    Everything else stays byte for byte, if the file is laid out as Codex does it.

    Args:
        text: What is in the file.
        login: What shunt holds, with what it was exchanged for.
        now: Epoch seconds.

    Returns:
        None when the file holds anything but a spent token of this account.
    """
    document = parsed(text)
    tokens = document.get("tokens") if document is not None and _is_chatgpt(document) else None
    if document is None or not isinstance(tokens, dict):
        return None
    if Secret(text_of(tokens.get("refresh_token"))).fingerprint() not in login.spent:
        return None
    if login.identity.contradicts(_identity(tokens)):
        return None
    changes = {
        ("tokens", "access_token"): login.access.reveal(),
        ("tokens", "refresh_token"): login.refresh.reveal(),
        ("last_refresh",): datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    if login.id_token is not None:
        changes["tokens", "id_token"] = login.id_token.reveal()
    try:
        spliced = splice_texts(text.decode(), changes)
    except UnicodeDecodeError:
        spliced = None
    return (spliced or _rebuilt(document, changes)).encode()


def _rebuilt(document: dict[str, Any], changes: Mapping[tuple[str, ...], str]) -> str:
    for (*way, name), value in changes.items():
        table = document
        for step in way:
            table = table[step]
        table[name] = value
    return json.dumps(document, indent=2)


def _is_chatgpt(document: Mapping[str, Any]) -> bool:
    """Whether Codex uses the tokens: with an API key in force, old ones may still lie there."""
    return document.get("auth_mode") in (None, "chatgpt")


def _identity(tokens: Mapping[str, Any]) -> Identity:
    identity = identity_of(text_of(tokens.get("id_token")), text_of(tokens.get("access_token")))
    return evolve(identity, account_id=text_of(tokens.get("account_id")) or identity.account_id)
