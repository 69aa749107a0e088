"""One login from begin to end: a page is opened or shown, a code comes back, it is exchanged."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import Enum
from typing import Protocol

from attrs import field, frozen

from shunt.accounts.credential import Login
from shunt.accounts.secret import Secret
from shunt.config.types import EndpointsConfig
from shunt.errors import LoginFailed
from shunt.logins.callback import PortTaken, listening
from shunt.providers.base import LoginKind
from shunt.providers.sign_in import SignIn, Ticket, authorize_address, read_pasted
from shunt.upstream.grants import Grants, of_ticket

TRIES = 3
"""How often a person may paste."""
QUESTION = "Paste it here (it stays invisible)"


class Way(Enum):
    """How the code comes back."""

    BROWSER = "browser"
    """The browser of this machine returns to shunt by itself."""
    PASTE = "paste"
    """The person copies it from any browser anywhere."""
    DEVICE = "device"
    """The person types a short code at the vendor's, and shunt asks until that is done."""


class Person(Protocol):
    """Who logs in."""

    def tell(self, text: str) -> None:
        """Say something."""

    def ask(self, question: str) -> str:
        """Ask for something that is not to be seen. Raises LoginFailed where nobody can be asked."""


@frozen
class Flow:
    """One login."""

    kind: LoginKind
    sign_in: SignIn
    endpoints: EndpointsConfig
    grants: Grants
    person: Person
    open_page: Callable[[str], bool]
    """Opens a page in a browser; whether one was started."""
    held: Ticket = field(repr=False)
    port: int = 0
    """Loopback port to return to; 0 is the vendor's own, or any."""

    async def run(self, way: Way) -> Login:
        """Make the login, with whose it is. Raises LoginFailed; nothing is stored."""
        ways: dict[Way, Callable[[], Awaitable[Login]]] = {
            Way.BROWSER: self._by_browser,
            Way.PASTE: self._by_paste,
            Way.DEVICE: self._by_device,
        }
        return await self.grants.identified(await ways[way]())

    async def _by_browser(self) -> Login:
        try:
            return await self._by_callback()
        except PortTaken as error:
            self.person.tell(f"{error} Paste the code instead.")
            return await self._by_paste()
        except NoBrowser:
            self.person.tell("No browser could be started here.")
            return await self._by_paste()

    async def _by_callback(self) -> Login:
        port = self.port or self.sign_in.callback_port
        async with listening(self.sign_in.callback_path, port, self.held) as callback:
            page = self._page(callback.redirect, pasted=False)
            if not self.open_page(page):
                raise NoBrowser
            self.person.tell(
                "Your browser shows the page on which you allow the login; waiting for it (up to 5 minutes).\n"
                f"If no page appeared, open this one on this machine:\n\n  {page}\n\n"
                "Or stop with Ctrl-C and add --paste."
            )
            code = await callback.code()
            redirect = callback.redirect
        return await self.grants.exchange(of_ticket(code, redirect, self.held))

    async def _by_paste(self) -> Login:
        redirect = self.sign_in.pasted_redirect
        what = "copy the code it shows at the end (CODE#STATE)"
        if not redirect:
            port = self.port or self.sign_in.callback_port
            redirect = f"http://localhost:{port}{self.sign_in.callback_path}"
            what = "when the browser ends at a page that cannot be reached, copy the address it stands at"
        page = self._page(redirect, pasted=True)
        self.person.tell(
            f"Open this page in a browser, on any machine, and allow the login:\n\n  {page}\n\nThen {what}."
        )
        authorized = of_ticket(self._pasted_code(), redirect, self.held)
        return await self.grants.exchange(authorized)

    def _pasted_code(self) -> Secret:
        for _ in range(TRIES - 1):
            try:
                return read_pasted(self.person.ask(QUESTION), self.held)
            except NobodyToAsk:
                raise
            except LoginFailed as error:
                self.person.tell(str(error))
        return read_pasted(self.person.ask(QUESTION), self.held)

    async def _by_device(self) -> Login:
        device = self.sign_in.device
        if device is None:
            raise LoginFailed("This vendor has no login by device code; use --paste.")
        pairing = await self.grants.pair(device)
        self.person.tell(
            f"Open this page in a browser, on any machine:\n\n  {device.page(self.endpoints)}\n\n"
            f"and type this code: {pairing.user_code}\n\n"
            "Type it only there, and only because you began this login yourself. Waiting (up to 15 minutes)."
        )
        return await self.grants.exchange(await self.grants.authorized(device, pairing))

    def _page(self, redirect: str, *, pasted: bool) -> str:
        page = self.sign_in.authorize(self.endpoints)
        return authorize_address(self.sign_in, page, self.kind.client_id, redirect, self.held, pasted=pasted)


class NoBrowser(LoginFailed):
    """None could be started."""


class NobodyToAsk(LoginFailed):
    """The input has ended."""
