"""The login that Codex CLI keeps on this machine, in `auth.json` of `~/.codex` or `CODEX_HOME`. Only read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from attrs import evolve

from shunt.accounts.credential import Credential, Login
from shunt.accounts.secret import Secret
from shunt.errors import StoreError
from shunt.providers.codex_login import expiry_of, identity_of
from shunt.store.foreign import Machine, read_document, secret_of, text_of

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
    if not isinstance(tokens, dict) or not tokens.get("access_token"):
        if text_of(document.get("OPENAI_API_KEY")):
            raise StoreError(
                f"{source} holds an API key, not a ChatGPT login; add it with --provider openai --api-key-stdin"
            )
        return None
    access = secret_of(tokens["access_token"], source, "access_token", _LOG_IN)
    refresh, id_token = tokens.get("refresh_token"), tokens.get("id_token")
    identity = identity_of(text_of(id_token), access.reveal())
    return Login(
        access=access,
        refresh=secret_of(refresh, source, "refresh_token", _LOG_IN) if refresh else Secret(""),
        expires_at=expiry_of(access.reveal()),
        identity=evolve(identity, account_id=text_of(tokens.get("account_id")) or identity.account_id),
        id_token=secret_of(id_token, source, "id_token", _LOG_IN) if id_token else None,
        imported_from=source,
    )
