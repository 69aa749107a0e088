"""`[logins]` and `[credentials]`: how people log in, and how what they get is kept."""

from __future__ import annotations

import re

from attrs import field, frozen

from shunt.config import guarded, values
from shunt.config.misread import Misread
from shunt.config.values import key

_WORD = re.compile(r"[!-~]{1,200}")


def _word(written: str) -> str:
    if not _WORD.fullmatch(written):
        raise Misread("must be visible ASCII characters without spaces")
    return written


@frozen
class LoginOverrides:
    """What takes the place of a vendor's own; empty where nothing does."""

    client_id: str = ""
    scopes: tuple[str, ...] = ()
    redirect: str = ""


@frozen
class LoginsConfig:
    """`[logins]`: how people log in, and logins shared with the program they were imported from."""

    write_back: bool = field(
        default=True,
        metadata=key(
            values.flag(),
            "Whether Codex's auth.json is given the login that shunt renewed, in the place of the spent one.",
        ),
    )
    callback_port: int = field(
        default=0,
        metadata=key(
            values.whole(0, 65535),
            "Loopback port to which a browser returns after a login; 0 is the one the vendor expects, or any.",
        ),
    )
    anthropic_client_id: str = field(
        default="",
        metadata=key(
            values.text(_word, kind="an OAuth client id", optional=True),
            "OAuth client of Claude logins, for gateways with one of their own; empty means Anthropic's.",
        ),
    )
    anthropic_scopes: tuple[str, ...] = field(
        default=(),
        metadata=key(
            values.words(_word, kind="a list of scopes"),
            "What a Claude login is asked to allow; empty means what Claude Code asks for.",
        ),
    )
    anthropic_redirect: str = field(
        default="",
        metadata=key(
            guarded.service_address(optional=True),
            "Page that shows the code to be pasted; empty means Anthropic's.",
        ),
    )
    openai_client_id: str = field(
        default="",
        metadata=key(
            values.text(_word, kind="an OAuth client id", optional=True),
            "OAuth client of ChatGPT logins, for gateways with one of their own; empty means OpenAI's.",
        ),
    )
    openai_scopes: tuple[str, ...] = field(
        default=(),
        metadata=key(
            values.words(_word, kind="a list of scopes"),
            "What a ChatGPT login is asked to allow; empty means what Codex asks for.",
        ),
    )

    @property
    def anthropic(self) -> LoginOverrides:
        """Those of Claude logins."""
        return LoginOverrides(self.anthropic_client_id, self.anthropic_scopes, self.anthropic_redirect)

    @property
    def openai(self) -> LoginOverrides:
        """Those of ChatGPT logins."""
        return LoginOverrides(self.openai_client_id, self.openai_scopes)


@frozen
class CredentialsConfig:
    """`[credentials]`: how logins and stored keys are kept."""

    store: str = field(
        default="file",
        metadata=key(
            values.choice(("file", "keychain"), {}, noun="store"),
            "file: credentials.json, readable by you alone. keychain: the same file, sealed with a key that only "
            "the system's keychain has (needs the extra shunt[keychain]).",
        ),
    )
