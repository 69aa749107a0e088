"""Opening a page in the person's browser."""

from __future__ import annotations

from typing import Any

import pytest

from shunt.config.types import EndpointsConfig
from shunt.logins.browser import Machine, headless, may_open, open_page

USUAL = EndpointsConfig()
MOVED = EndpointsConfig(
    anthropic_authorize_url="http://127.0.0.1:9/oauth/authorize",
    openai_authorize_url="https://gateway.example.test/oauth/authorize",
)


@pytest.mark.parametrize(
    ("url", "endpoints", "fine"),
    [
        ("https://claude.ai/oauth/authorize?x=1", USUAL, True),
        ("https://auth.openai.com/oauth/authorize", USUAL, True),
        ("http://claude.ai/oauth/authorize", USUAL, False),
        ("https://claude.ai.evil.test/oauth/authorize", USUAL, False),
        ("https://claude.ai@evil.test/", USUAL, False),
        ("https://user:pw@claude.ai/", USUAL, False),
        ("file:///etc/passwd", USUAL, False),
        ("javascript:alert(1)", USUAL, False),
        ("http://127.0.0.1:9/oauth/authorize", USUAL, False),
        ("http://127.0.0.1:9/oauth/authorize?x", MOVED, True),
        ("http://127.0.0.1:10/oauth/authorize", MOVED, False),
        ("https://gateway.example.test/oauth/authorize", MOVED, True),
        ("https://other.example.test/oauth/authorize", MOVED, False),
    ],
)
def test_only_known_pages_are_opened(url: str, endpoints: EndpointsConfig, *, fine: bool) -> None:
    """A vendor's own pages over TLS, and the ones that were configured."""
    assert may_open(url, endpoints) is fine


class Started:
    """Takes the place of a process."""

    def __init__(self) -> None:
        self.calls: list[tuple[list[str], dict[str, Any]]] = []

    def __call__(self, arguments: list[str], **options: Any) -> None:
        if arguments[0].endswith("broken"):
            raise OSError
        self.calls.append((arguments, options))


def machine(environ: dict[str, str], started: Started, platform: str = "linux") -> Machine:
    return Machine(environ, platform, lambda name: f"/bin/{name}" if name != "missing" else None, started)


def test_a_browser_gets_the_page_as_one_argument_and_none_of_our_secrets() -> None:
    """No shell, and no key of the environment."""
    started = Started()
    environ = {
        "DISPLAY": ":0",
        "PATH": "/bin",
        "ANTHROPIC_API_KEY": "canary",
        "GITHUB_TOKEN": "canary",
        "SHUNT_HOME": "/x",
        "DB_PASSWORD": "canary",
    }
    assert open_page("https://claude.ai/oauth/authorize?a=b&c=$(x)", USUAL, machine(environ, started))
    arguments, options = started.calls[0]
    assert arguments == ["/bin/xdg-open", "https://claude.ai/oauth/authorize?a=b&c=$(x)"]
    assert options["env"] == {"DISPLAY": ":0", "PATH": "/bin"}
    assert "shell" not in options


def test_the_persons_choice_goes_first_and_what_fails_is_passed_over() -> None:
    """$BROWSER is a list of commands, with `%s` for the address or without."""
    started = Started()
    environ = {"BROWSER": "missing:broken:'unfinished:firefox --new-window %s"}
    assert open_page("https://claude.ai/", USUAL, machine(environ, started))
    assert started.calls[0][0] == ["/bin/firefox", "--new-window", "https://claude.ai/"]


@pytest.mark.parametrize(("platform", "program"), [("darwin", "/bin/open"), ("win32", "/bin/rundll32")])
def test_every_system_has_its_program(platform: str, program: str) -> None:
    """MacOS and Windows open pages their own way."""
    started = Started()
    assert open_page("https://claude.ai/", USUAL, machine({}, started, platform))
    assert started.calls[0][0][0] == program


def test_a_page_that_may_not_be_opened_starts_nothing() -> None:
    """Whatever was configured as authorize page of another vendor."""
    started = Started()
    assert not open_page("http://evil.test/", USUAL, machine({}, started))
    assert started.calls == []


@pytest.mark.parametrize(
    ("environ", "platform", "expected"),
    [
        ({}, "linux", True),
        ({"DISPLAY": ":0"}, "linux", False),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", False),
        ({"BROWSER": "w3m"}, "linux", False),
        ({}, "darwin", False),
        ({"SSH_CONNECTION": "1.2.3.4 5 6.7.8.9 22"}, "darwin", True),
    ],
)
def test_a_machine_without_display_is_known(
    environ: dict[str, str], platform: str, *, expected: bool
) -> None:
    """There a code is pasted or typed elsewhere, without being asked for it."""
    assert headless(Machine(environ, platform)) is expected
