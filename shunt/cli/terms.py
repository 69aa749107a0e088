"""What the vendors say about using a subscription login in other programs, in our own plain words.

2026-10: the statements below follow the vendors' published pages and reports as known in October
2026. When a vendor changes its rules, change the text and its `edition`: everybody is shown the
new one once.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from attrs import frozen


@frozen
class Terms:
    """What a person should know before a login of one provider is stored."""

    edition: str
    """Changes with the text, so that a new text is shown again."""
    text: str


_ANTHROPIC = """\
Before you hand a Claude subscription login to shunt:

  * Anthropic's rules say that signing in with a Free, Pro, Max, Team or Enterprise plan is for
    ordinary, individual use of Claude Code and Anthropic's other own programs. They ask developers
    of anything else to use API keys, and do not allow them to handle Claude.ai logins or to send
    requests through somebody's plan.
  * Anthropic says that it may act on this without warning. People have reported accounts that were
    limited or closed, and use that was billed as extra usage.
  * Anthropic has not approved shunt, and nothing here says that using several plans through a
    proxy is allowed. shunt runs on your machine with accounts you pay for; it does not dress one
    program up as another and has no way to share a subscription with other people.
  * If you cannot afford to lose this account, use an API key: those are made for programs.

Rules change. Anthropic's page: https://code.claude.com/docs/en/legal-and-compliance
This is information, not legal advice.
"""

_CODEX = """\
Before you hand a ChatGPT login to shunt:

  * OpenAI offers signing in with ChatGPT for its own Codex programs, and recommends API keys for
    automation. The address that Codex talks to is not documented as an API for others.
  * OpenAI's terms do not let anybody share an account or make it available to others. People have
    reported logins that were ended when many accounts were used together.
  * OpenAI has not approved shunt, and nothing here says that using several plans through a proxy is
    allowed. shunt runs on your machine with accounts you pay for; it does not dress one program up
    as another and has no way to share a subscription with other people.
  * If you cannot afford to lose this account, use an API key: those are made for programs.

Rules change. OpenAI's page: https://openai.com/policies/terms-of-use
This is information, not legal advice.
"""

TERMS: Mapping[str, Terms] = MappingProxyType(
    {
        "anthropic": Terms(edition="2026-10", text=_ANTHROPIC),
        "codex": Terms(edition="2026-11", text=_CODEX),
    }
)
"""By provider name; only providers with logins have an entry."""
