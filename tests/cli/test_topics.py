from __future__ import annotations

import re
from pathlib import Path

import pytest

import shunt
from shunt.cli.outline import outline
from shunt.cli.program import program
from shunt.cli.topics import title, topic, topics
from shunt.config.structure import parse
from shunt.providers import PROVIDERS

DOCS = Path(shunt.__file__).parent / "docs"
COMMANDS = {" ".join(each.path) for each in outline(program).walk()}
OPTIONS = {name for each in outline(program).walk() for choice in each.options for name in choice.names}


def test_every_topic_is_found() -> None:
    """Each file of the folder is a topic with a title, and nothing else is."""
    assert set(topics()) == {path.stem for path in DOCS.glob("*.md")}
    for name, about in topics().items():
        assert about, name
        assert topic(name) == (DOCS / f"{name}.md").read_text(encoding="utf-8")
    assert topic("../cli/topics") is None
    assert topic("nonsense") is None
    assert title("no heading") == ""


@pytest.mark.parametrize("name", topics())
def test_topics_speak_of_commands_that_exist(name: str) -> None:
    """Each `shunt …` in a topic is a command, and each of its options is one."""
    text = topic(name) or ""
    shown = re.findall(r"`shunt ((?:[a-z][a-z-]*)(?: [a-z][a-z-]*)?)([^`\n]*)`", text)
    shown += re.findall(
        r"^ {4}(?:[$] )?shunt ((?:[a-z][a-z-]*)(?: [a-z][a-z-]*)?)([^#\n]*)", text, re.MULTILINE
    )
    for words, rest in shown:
        assert words in COMMANDS or words.partition(" ")[0] in COMMANDS, words
        if " -- " not in f"{rest} ":
            assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", rest)) <= OPTIONS, rest


@pytest.mark.parametrize("name", topics())
def test_topics_show_configuration_that_is_right(name: str) -> None:
    """What a topic says to write into config.toml is accepted."""
    for example in re.findall(r"^```toml\n(.*?)^```$", topic(name) or "", re.DOTALL | re.MULTILINE):
        parse(example, source=name, environ={}, known_providers=[it.name for it in PROVIDERS])
