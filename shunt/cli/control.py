"""A small client of the running server's control routes, with errors that say what to do."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, quote, urlsplit

import click
from attrs import evolve, field, frozen

from shunt.accounts.secret import Secret
from shunt.cli.exits import Failed, NotRunning
from shunt.config.addresses import is_loopback
from shunt.config.types import NO_SECRET, ServerConfig
from shunt.wire.headers import REQUEST_ID

if TYPE_CHECKING:
    import httpx2 as httpx

CONNECT_WITHIN = 2.0
"""Seconds to reach a port; the usual server is on this machine."""
ANSWER_WITHIN = 10.0
"""Seconds until the answer. Control routes wait for nothing; a busy machine may."""
KEY_VARIABLE = "SHUNT_KEY"
"""Environment variable with an admin key, for a server that asks for one."""


class Foreign(Failed):
    """Something answers at the address, and it is not shunt."""


@frozen
class Control:
    """The control routes of one server."""

    url: str
    """`http://host:port`, without a trailing slash."""
    key: Secret = field(default=NO_SECRET, repr=False)
    certificate: str = ""
    """File of the certificate that this very server shows; empty trusts the system's authorities."""

    def health(self) -> dict[str, Any]:
        """Ask whether the server lives. Raises `NotRunning`, `Foreign` or `Failed` like all below."""
        return self._call("GET", "/health")

    def ready(self) -> dict[str, Any]:
        """Ask what the pool can serve now; "not ready" is an answer here, not an error."""
        return self._call("GET", "/ready", fine=(200, 503))

    def status(self) -> dict[str, Any]:
        """Fetch the whole picture."""
        status = self._call("GET", "/status")
        if not isinstance(status.get("accounts"), list):
            raise self._foreign("its /status lists no accounts")
        return status

    def get(self, path: str) -> dict[str, Any]:
        """Fetch any document of the control API; `path` includes the query."""
        return self._call("GET", path)

    def use(self, account: str | None) -> dict[str, Any]:
        """Pin one account; None unpins."""
        return self._call("POST", "/use", {"account": account})

    def strategy(self) -> dict[str, Any]:
        """Fetch the strategy in force and where it comes from."""
        return self._call("GET", "/strategy")

    def set_strategy(self, name: str | None) -> dict[str, Any]:
        """Override the configured strategy until the next start; None ends the override."""
        if name is None:
            return self._call("DELETE", "/strategy")
        return self._call("PUT", "/strategy", {"strategy": name})

    def model(self) -> dict[str, Any]:
        """Fetch the model that is served whatever clients ask for."""
        return self._call("GET", "/model")

    def set_model(self, name: str | None) -> dict[str, Any]:
        """Serve one model whatever clients ask for; None ends that."""
        if name is None:
            return self._call("DELETE", "/model")
        return self._call("PUT", "/model", {"model": name})

    def make_pass(self, purpose: str, account: str | None, proof: str) -> Secret:
        """Ask for a key for one command; `proof` is what only the server's own user can read."""
        answer = self._call(
            "POST", "/passes", {"purpose": purpose, "account": account, "proof": proof or None}
        )
        key = answer.get("key")
        if not isinstance(key, str):
            raise self._foreign("its /passes gives no key")
        return Secret(key)

    def end_pass(self, key: Secret) -> None:
        """Give such a key back."""
        self._call("DELETE", "/passes", {"key": key.reveal()})

    def login_code(self) -> str:
        """Have the server make a one-time code for a browser."""
        code = self._call("POST", "/dashboard/codes", {}).get("code")
        if not isinstance(code, str):
            raise self._foreign("no code in its answer")
        return code

    def document(self, path: str) -> dict[str, Any]:
        """Fetch what any control route tells."""
        return self._call("GET", path)

    def pause(self, account: str) -> dict[str, Any]:
        """Take an account out of use."""
        return self._call("POST", f"/accounts/{quote(account, safe='')}/pause", {})

    def resume(self, account: str) -> dict[str, Any]:
        """Take an account back into use."""
        return self._call("POST", f"/accounts/{quote(account, safe='')}/resume", {})

    def reload(self) -> dict[str, Any]:
        """Have the server read its accounts again."""
        return self._call("POST", "/accounts/reload", {})

    def _call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, fine: tuple[int, ...] = ()
    ) -> dict[str, Any]:
        import httpx2 as httpx  # noqa: PLC0415 - 90 ms that only a command that talks should pay

        headers = {"x-api-key": self.key.reveal()} if self.key else {}
        try:
            # trust_env off: a proxy variable must not send the admin key anywhere else.
            with httpx.Client(
                trust_env=False,
                timeout=httpx.Timeout(ANSWER_WITHIN, connect=CONNECT_WITHIN),
                verify=pinned(self.certificate) if self.certificate else True,
            ) as client:
                reply = client.request(method, self.url + path, json=body, headers=headers)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise NotRunning(
                f"No shunt is running at {self.url}. Start it with `shunt run`; "
                "if it listens elsewhere, say so with --url."
            ) from error
        except httpx.TimeoutException as error:
            raise Failed(
                f"{self.url} takes connections but did not answer in {ANSWER_WITHIN:.0f} s."
            ) from error
        except (httpx.HTTPError, httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise self._foreign(f"no proper HTTP answer ({type(error).__name__})") from error
        return self._document(reply, fine)

    def _document(self, reply: httpx.Response, fine: tuple[int, ...]) -> dict[str, Any]:
        try:
            document = reply.json()
        except ValueError as error:
            raise self._foreign(f"status {reply.status_code} without JSON") from error
        if not isinstance(document, dict):
            raise self._foreign("JSON, but not an object")
        if REQUEST_ID.decode() not in reply.headers:
            # Its words would be taken for shunt's own, and help nobody.
            raise self._foreign(f"status {reply.status_code} without the mark of shunt's answers")
        if reply.is_success or reply.status_code in fine:
            return document
        message = _message(document)
        if not message:
            raise self._foreign(f"status {reply.status_code} in an unknown form")
        if reply.status_code == 401:
            raise Failed(
                f"The server at {self.url} wants another key: {message} "
                f"Set {KEY_VARIABLE}, or server.remote_key in config.toml."
            )
        raise Failed(message)

    def _foreign(self, what: str) -> Foreign:
        return Foreign(
            f"A program that is not shunt answers at {self.url}: {what}. "
            "Choose another server.port in config.toml, or name shunt's address with --url."
        )


def pinned(certificate: str) -> ssl.SSLContext:
    """Trust this one certificate, whatever name it is for: it is the file that our own server shows.

    Raises Failed when it cannot be read.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        context.load_verify_locations(certificate)
    except OSError as error:
        raise Failed(f"Cannot read server.tls_cert, {certificate}: {error.strerror or error}.") from error
    return context


def _message(document: Mapping[str, Any]) -> str:
    error = document.get("error")
    message = error.get("message") if isinstance(error, Mapping) else error
    return message if isinstance(message, str) else ""


def reach(
    server: ServerConfig, environ: Mapping[str, str], url: str | None, *, port: int | None = None
) -> Control:
    """Find the server to talk to.

    The configured key goes to this machine only; a server elsewhere gets the one in SHUNT_KEY.

    Args:
        server: where the configuration puts the server.
        environ: the environment.
        url: the address a person named instead.
        port: the port a running server is known to have taken, whatever the configuration says.

    Raises:
        click.UsageError: `url` is no http(s) address.
    """
    given = Secret(environ.get(KEY_VARIABLE, ""))
    if url is None:
        found = address(evolve(server, port=port or server.port))
        pinned_to = server.tls_cert if found.startswith("https:") else ""
        return Control(found, given or server.remote_key, pinned_to)
    parts = _parts(url)
    base = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
    return Control(base, given or (server.remote_key if is_loopback(parts.hostname or "") else NO_SECRET))


def _parts(url: str) -> SplitResult:
    parts = urlsplit(url if "://" in url else f"http://{url}")
    try:
        usable = (
            parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port > 0)
        )
    except ValueError:
        usable = False
    if not usable or "@" in parts.netloc:
        raise click.UsageError("--url wants an address like http://127.0.0.1:8082")
    return parts


def address(server: ServerConfig) -> str:
    """The address at which this machine reaches a server so configured."""
    # 0.0.0.0 and :: are places to listen on, not to call.
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(server.host, server.host)  # noqa: S104 - not a bind
    # Callers on this machine may speak in the clear; at an address of the network they need TLS.
    scheme = "https" if server.tls_cert and not is_loopback(host) else "http"
    return f"{scheme}://[{host}]:{server.port}" if ":" in host else f"{scheme}://{host}:{server.port}"
