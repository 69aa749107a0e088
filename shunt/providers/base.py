"""What a provider is: one frozen record that says how to talk to it and how to read its answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import evolve, field, frozen

from shunt.accounts.account import Account
from shunt.accounts.credential import Credential, Identity
from shunt.accounts.outcomes import Outcome
from shunt.config.logins import LoginOverrides, LoginsConfig
from shunt.config.types import EndpointsConfig
from shunt.inference.inbound import Inbound
from shunt.limits.windows import Window
from shunt.providers.sign_in import SignIn
from shunt.wire.headers import Headers


@frozen
class Answer:
    """An upstream's answer as far as classification needs it."""

    status: int
    headers: Headers = field(repr=False)
    body: bytes = field(repr=False)
    """Up to 64 KiB of an error's body, or the first event of a stream; empty for a success."""


@frozen
class UpstreamCall:
    """One request to an upstream, complete."""

    account: str
    method: str
    origin: str
    """`https://host[:port]`, from configuration only."""
    target: bytes
    """Path and query exactly as they go on the wire."""
    headers: Headers = field(repr=False)
    body: bytes = field(repr=False)
    proxy: str = field(default="", repr=False)


@frozen
class Route:
    """A call that a provider carries: method and a path prefix or whole path."""

    method: str
    """`GET`, `POST`, … or `*`."""
    path: str
    """Whole path, or a prefix when it ends in `/…`."""
    api_key_only: bool = False

    def matches(self, method: str, path: str) -> bool:
        """Whether a request of this method and path is meant."""
        if self.method not in ("*", method):
            return False
        if self.path.endswith("/…"):
            stem = self.path[:-2]
            return path.startswith(stem + "/") or path == stem
        return path == self.path


@frozen
class LoginKind:
    """How a provider's logins are renewed."""

    token_url: Callable[[EndpointsConfig], str]
    client_id: str
    """Public id of the vendor's own command-line program."""
    encoding: str
    """`json` or `form`."""
    identities: Callable[[Mapping[str, Any]], tuple[Identity, ...]] = field(repr=False)
    """Whose it is, by each part of the token endpoint's answer that says so."""
    ends: Callable[[str], float | None] = field(default=lambda _access: None, repr=False)
    """Epoch seconds at which an access token says that it ends; None where it does not say."""
    usage_path: str = ""
    """Path of the free usage endpoint under the account's base URL; empty if there is none."""
    sign_in: SignIn | None = None
    """How a person makes a login for shunt; None where that is not offered."""
    overrides: Callable[[LoginsConfig], LoginOverrides] = field(
        default=lambda _: LoginOverrides(), repr=False
    )
    """What the configuration puts in the place of the vendor's own."""

    def configured(self, logins: LoginsConfig) -> LoginKind:
        """As the configuration has it: with another client, other scopes, another page that shows the code."""
        found = self.overrides(logins)
        sign_in = self.sign_in
        if sign_in is not None:
            sign_in = evolve(
                sign_in,
                scopes=found.scopes or sign_in.scopes,
                pasted_redirect=found.redirect or sign_in.pasted_redirect,
            )
        return evolve(self, client_id=found.client_id or self.client_id, sign_in=sign_in)


@frozen
class Probe:
    """The smallest request whose answer tells how much of an account is spent."""

    path: str
    headers: Headers
    body: bytes


@frozen
class Provider:
    """A vendor, or a kind of server that speaks a vendor's dialect."""

    name: str
    title: str
    family: str
    """Key for `[models]` mappings and `/ready`: `anthropic`, `openai`, `codex`."""
    protocol: str
    """Name of the protocol its generate calls speak, and that others are translated to."""
    default_url: Callable[[EndpointsConfig], str] | None
    """None when the account has to name an `upstream_url`."""
    key_env: str
    """Environment variable that usually holds its API key; empty if there is none."""
    routes: tuple[Route, ...]
    """Everything it may be asked; nothing else is ever sent to it."""
    authenticate: Callable[[Headers, Credential], Headers]
    """The caller's cleaned headers, with this credential put in."""
    classify: Callable[[Account, Inbound, Answer, float], Outcome]
    """What an answer means, given the epoch seconds of now."""
    parse_limits: Callable[[Headers, float], tuple[Window, ...]]
    """Facts about windows in an answer's headers."""
    model_family: Callable[[str], str]
    """The family that per-model limits are kept by, e.g. `opus` for `claude-opus-5-5`."""
    parse_usage: Callable[[bytes, float], tuple[Window, ...]] | None = None
    """Facts about windows in the usage endpoint's body."""
    login: LoginKind | None = None
    probe: Probe | None = None
    """None where an answer would tell nothing about windows."""
    maker: str = ""
    """Who makes all the models it serves (`families.maker_of`); empty where they may be anybody's."""
    version_in_url: bool = False
    """Whether its base URLs end in the API's version (`…/v1`), as OpenAI's do and Anthropic's do not."""

    also_speaks: tuple[str, ...] = ()
    """Names of further protocols whose requests it takes as they are."""
    usual_path: str = "/v1"
    """Path of base URLs that include the version, where an account's address has none."""
    own_login: bool = False
    """Whether a program of the vendor's on this machine keeps the login, which shunt then never sees."""
    key_optional: bool = False
    """Whether its servers may be asked without any key, as those on the own machine are."""
    place: Callable[[str, str], str] | None = None
    """(Path of the base URL, path of the call) → path that goes out, where joining the two is not enough."""
    complete: Callable[[Account, Inbound, Headers], Headers] | None = None
    """The headers of a call, with what the vendor expects beside those of the client."""
    shown: Callable[[Account, Headers], Headers] | None = None
    """The headers of an answer, as the client is to keep them."""
    adapts: bool = False
    """Whether requests of its own protocol have to be made fit for it: it takes less than the protocol has."""

    @property
    def protocols(self) -> tuple[str, ...]:
        """Every protocol it speaks natively, the preferred one first."""
        return (self.protocol, *self.also_speaks)

    def path_for(self, base: str, path: str) -> str:
        """Where a call goes: `path`, like `/v1/messages`, put onto a base URL's path.

        `/v1` is never doubled or lost. Anthropic's base URLs leave the version out; one that has it
        nevertheless means the same. OpenAI's include it, in whatever form (`/api/v1`, `/v1beta/openai`).
        """
        if self.place is not None:
            return self.place(base, path)
        if not self.version_in_url:
            return base.removesuffix("/v1") + path
        return (base or self.usual_path) + path.removeprefix("/v1")

    def route_for(self, method: str, path: str) -> Route | None:
        """The entry of the allow-list that covers this call; None when it may not be made."""
        return next((route for route in self.routes if route.matches(method, path)), None)

    def carries(self, method: str, path: str, *, api_key: bool) -> bool:
        """Whether an account with this kind of credential can make this call."""
        route = self.route_for(method, path)
        return route is not None and (api_key or not route.api_key_only)
