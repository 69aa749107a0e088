"""How a person allows shunt a login of its own at a vendor: OAuth 2 with PKCE (RFC 7636), or a device code.

Pure: addresses are made and answers read here; opening, listening and asking is `logins`' part.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any, Final
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from attrs import field, frozen

from shunt.accounts.credential import Identity
from shunt.accounts.secret import Secret
from shunt.config.types import EndpointsConfig
from shunt.errors import LoginFailed
from shunt.wire.words import words

LONGEST_CODE: Final = 4096
"""Characters of an authorization code; vendors' have around a hundred."""
LONGEST_ANSWER: Final = 16 * 1024
"""Characters of a redirect or of what is pasted."""


@frozen
class DeviceCode:
    """Logging in by typing a short code on another device."""

    start: Callable[[EndpointsConfig], str]
    poll: Callable[[EndpointsConfig], str]
    page: Callable[[EndpointsConfig], str]
    """Where the person types the code."""
    redirect: Callable[[EndpointsConfig], str]
    """Named in the exchange; nobody is ever sent there."""


@frozen
class SignIn:
    """What a vendor expects of a login by a person."""

    authorize: Callable[[EndpointsConfig], str]
    revoke: Callable[[EndpointsConfig], str]
    scopes: tuple[str, ...]
    callback_path: str
    """Path on loopback to which the browser is sent."""
    callback_port: int = 0
    """The one port the vendor allows; 0 where it allows any."""
    extra: Mapping[str, str] = field(factory=dict)
    """Further parameters of the page."""
    pasted_redirect: str = ""
    """A page of the vendor's that shows the code to be pasted; empty where the browser's address has it."""
    pasted_extra: Mapping[str, str] = field(factory=dict)
    """Further parameters when the code is to be shown."""
    tells_state: bool = False
    """Whether the exchange repeats the state."""
    revoke_encoding: str = "form"
    device: DeviceCode | None = None
    profile: Callable[[EndpointsConfig], str] | None = None
    """Where a login is asked whose it is; None where its tokens say."""
    profile_headers: Mapping[str, str] = field(factory=dict)
    read_profile: Callable[[Mapping[str, Any]], Identity] = field(default=lambda _: Identity(), repr=False)


@frozen
class Ticket:
    """The secrets of one login: used once, kept in memory only."""

    verifier: Secret = field(repr=False)
    """43 characters and more; proves at the exchange that the login was begun here."""
    state: Secret = field(repr=False)
    """256 bits; proves that a redirect answers this login and no other."""

    @property
    def challenge(self) -> str:
        """S256 of the verifier."""
        digest = sha256(self.verifier.reveal().encode("ascii")).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def ticket(randomness: bytes) -> Ticket:
    """Make a ticket of 64 random bytes, never used for anything else."""
    if len(randomness) != 64:
        msg = "a ticket is made of 64 random bytes"
        raise ValueError(msg)
    verifier, state = (
        base64.urlsafe_b64encode(part).rstrip(b"=").decode("ascii")
        for part in (randomness[:32], randomness[32:])
    )
    return Ticket(Secret(verifier), Secret(state))


def authorize_address(
    sign_in: SignIn, page: str, client_id: str, redirect: str, held: Ticket, *, pasted: bool
) -> str:
    """The address a person opens to allow the login. It holds the state and the challenge, not the verifier."""
    parts = urlsplit(page)
    parameters = {
        **dict(parse_qsl(parts.query, keep_blank_values=True)),
        **(sign_in.pasted_extra if pasted else {}),
        "client_id": client_id,
        "response_type": "code",
        "redirect_uri": redirect,
        "scope": " ".join(sign_in.scopes),
        "code_challenge": held.challenge,
        "code_challenge_method": "S256",
        "state": held.state.reveal(),
        **sign_in.extra,
    }
    return parts._replace(query=urlencode(parameters)).geturl()


def read_redirect(query: str, held: Ticket) -> Secret:
    """The code in the query of a redirect.

    Raises:
        Stranger: it does not answer this login.
        LoginFailed: it does, and brings no code; in words for people.
    """
    if len(query) > LONGEST_ANSWER:
        raise Stranger("far more than a redirect holds")
    try:
        found = parse_qs(query, keep_blank_values=True, max_num_fields=32)
    except ValueError:
        raise Stranger("not a redirect") from None
    if any(len(values) != 1 for values in found.values()):
        raise Stranger("a parameter is there twice")
    _check_state(found.get("state", [""])[0], held)
    if error := found.get("error", [""])[0]:
        raise LoginFailed(declined(error, found.get("error_description", [""])[0]))
    return _code(found.get("code", [""])[0])


def read_pasted(text: str, held: Ticket) -> Secret:
    """The code in what a person pasted: `code#state` as the vendor's page shows it, or the browser's address.

    Raises LoginFailed, without repeating any of it.
    """
    text = text.strip()
    if len(text) > LONGEST_ANSWER:
        raise LoginFailed("That is far longer than a code.")
    if not text:
        raise LoginFailed("Nothing was pasted.")
    try:
        if "://" in text or text.startswith("/"):
            return read_redirect(urlsplit(text).query, held)
        code, parted, state = text.partition("#")
        if not parted:
            raise LoginFailed("The code is incomplete: copy all of it, with the # and what follows.")
        _check_state(state, held)
    except (Stranger, ValueError):
        raise LoginFailed(
            "This code belongs to another login; use the one from the page just opened."
        ) from None
    return _code(code)


class Stranger(Exception):
    """Something that does not answer this login. The text says why, and quotes nothing."""


def declined(error: str, description: str) -> str:
    """Say that the vendor brought an error instead of a code; what it wrote is made harmless."""
    said = words(description, 200) or words(error, 64)
    return "You declined the login." if error == "access_denied" else f"The vendor refused the login: {said}"


def beside(token_url: str, last: str) -> str:
    """The endpoint beside the token endpoint: its last step replaced."""
    parts = urlsplit(token_url)
    return parts._replace(path=f"{parts.path.rpartition('/')[0]}/{last}", query="").geturl()


def _check_state(told: str, held: Ticket) -> None:
    if not hmac.compare_digest(told.encode("utf-8", "replace"), held.state.reveal().encode()):
        raise Stranger("the state is not the one of this login")


def _code(code: str) -> Secret:
    if not code:
        raise LoginFailed("The vendor sent neither a code nor an error.")
    if len(code) > LONGEST_CODE or not code.isascii() or not code.isprintable() or " " in code:
        raise LoginFailed("The vendor sent something that is not a code.")
    return Secret(code)
