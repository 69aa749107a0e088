from __future__ import annotations

from typing import Any

import pytest

from shunt.config.draft import Draft
from shunt.config.misread import Problem
from shunt.config.types import Config


def problems(document: dict[str, Any]) -> list[Problem]:
    draft = Draft(document)
    assert draft.config(("anthropic",), ()) is None
    return draft.problems


def test_a_sound_document_becomes_a_config() -> None:
    """Tables become records; what was ignored is carried along."""
    draft = Draft({"server": {"port": 9000}, "accounts": [{"name": "a", "provider": "anthropic"}]})
    built = draft.config(("anthropic",), ("[server] telemetry",))
    assert isinstance(built, Config)
    assert (built.server.port, built.accounts[0].name, built.ignored) == (9000, "a", ("[server] telemetry",))
    assert not draft.problems


@pytest.mark.parametrize(
    ("document", "path", "said"),
    [
        ({"server": 1}, ("server",), "must be a section, written [server], not a number"),
        ({"models": []}, ("models",), "must be a section, written [models], not a list"),
        ({"accounts": {"name": "a"}}, ("accounts",), "must be written [[accounts]], with two brackets, once for each"),
        ({"accounts": ["a"]}, ("accounts", 0), "must be a table, not text"),
        ({"acounts": []}, ("acounts",), 'unknown section; did you mean "accounts"?'),
        ({"port": 1}, ("port",), "unknown section; the key belongs under [server]"),
        ({"server": {"wait": "5h"}}, ("server", "wait"), "unknown key; it belongs under [routing]"),
        ({"server": {"prot": 1}}, ("server", "prot"), 'unknown key; did you mean "port"?'),
        ({"server": {"quux": 1}}, ("server", "quux"), "unknown key"),
        ({"accounts": [{"provider": "anthropic"}]}, ("accounts", 0, "name"), "is missing"),
        ({"accounts": [{"name": "a"}]}, ("accounts", 0, "provider"), "is missing"),
        ({"accounts": [{"name": "a", "provider": "anthropic", "model": "x"}]}, ("accounts", 0, "model"), 'unknown key; did you mean "models"?'),
        ({"clients": [{"name": "a"}]}, ("clients", 0, "key_sha256"), "is missing"),
        ({"models": {"claude-*": "gpt-5"}}, ("models", "claude-*"), 'must be a table such as { openai = "gpt-5.5" }, not text'),
        ({"models": {"claude-*": {"openai": 1}}}, ("models", "claude-*", "openai"), "must be a model's name"),
        ({"models": {"claude-*": {"openai": ""}}}, ("models", "claude-*", "openai"), "must be a model name or a pattern such as claude-opus-*"),
        ({"models": {"claude-*": {"opnai": "gpt-5"}}}, ("models", "claude-*", "opnai"), 'unknown provider family "opnai"; did you mean "openai"? (one of anthropic, openai, codex)'),
        ({"models": {"": {"openai": "gpt-5"}}}, ("models", ""), "must be a model name or a pattern such as claude-opus-*"),
    ],
)  # fmt: skip
def test_what_does_not_fit(document: dict[str, Any], path: tuple[str | int, ...], said: str) -> None:
    """Each misfit is named with its place and the nearest right way to write it."""
    assert problems(document) == [Problem(path, said)]


def test_one_bad_part_does_not_hide_another() -> None:
    """Every section and every account is looked at, whatever is wrong with those before it."""
    found = problems({"server": 1, "accounts": [{}, {"name": ""}, 5], "routing": {"wait": -1}})
    assert [problem.path for problem in found] == [
        ("server",),
        ("routing", "wait"),
        ("accounts", 2),
        ("accounts", 0, "name"),
        ("accounts", 0, "provider"),
        ("accounts", 1, "name"),
        ("accounts", 1, "provider"),
    ]
