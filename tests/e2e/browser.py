"""A headless Chromium that looks at a dashboard, and notes every complaint it makes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.request import Request, urlopen

import pytest
from attrs import define, field
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
WITHIN = 30_000.0
"""Milliseconds to wait for anything; the machine may be busy."""
SIZES = {"desktop": (1440, 900), "tablet": (820, 1180), "phone": (390, 844)}


@define
class Viewer:
    """One page in one browser."""

    page: Page
    complaints: list[str] = field(factory=list)
    """What its console said, and errors of its scripts."""

    def listen(self) -> None:
        """Note complaints from now on."""
        self.page.on("console", lambda message: self._said(message))  # noqa: PLW0108 - it is marked with an attribute
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _said(self, message: ConsoleMessage) -> None:
        self.complaints.append(f"{message.type}: {message.text} ({message.location.get('url')})")

    def barriers(self) -> list[str]:
        """What keeps people out, as axe finds it."""
        found = Axe().run(self.page)
        return [f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in found.response["violations"]]

    def overflow(self) -> int:
        """Pixels by which the page is wider than its window."""
        wide: int = self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        return wide


@contextmanager
def browsing() -> Iterator[Browser]:
    """A browser that is gone afterwards."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def viewing(
    browser: Browser,
    url: str,
    size: str = "desktop",
    *,
    dark: bool = False,
    headers: dict[str, str] | None = None,
) -> Iterator[Viewer]:
    """The dashboard at `url`, once it shows something."""
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if dark else "light",
        extra_http_headers=headers or {},
        reduced_motion="reduce",
    )
    context.set_default_timeout(WITHIN)
    try:
        viewer = Viewer(context.new_page())
        viewer.listen()
        viewer.page.goto(url)
        viewer.page.wait_for_selector("main h2")
        yield viewer
    finally:
        context.close()


def fetch(url: str, method: str = "GET", document: Any = None, **headers: str) -> Any:
    """A document, asked for by something that is no browser."""
    body = None if document is None else json.dumps(document).encode()
    kind = {"content-type": "application/json"} if body is not None else {}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with urlopen(Request(url, body, {**kind, **named}, method=method), timeout=30) as reply:  # noqa: S310 - http only
        return json.loads(reply.read())
