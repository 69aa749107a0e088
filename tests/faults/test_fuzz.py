"""Parsers that are fed with anything: what once broke them, what Hypothesis thinks of, what coverage finds."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes import anthropic, openai_chat, openai_responses
from tests.faults.targets import TARGETS

ROOT = Path(__file__).resolve().parents[2]
SEEDS = Path(__file__).parent / "seeds"
FOUND = [(path.parent.name, path) for path in sorted(SEEDS.rglob("*")) if path.is_file()]


def steps(answer: object) -> list[bytes]:
    """The events of a scripted stream."""
    return [step for step in answer.steps if isinstance(step, bytes)]  # type: ignore[attr-defined]


EVENTS = [
    *steps(anthropic.stream("some", "words")),
    *anthropic.tool_events("read", {"path": "a"}),
    *steps(openai_chat.stream("some", "words")),
    *steps(openai_chat.stream_call("read", {"path": "a"})),
    *steps(openai_responses.stream(openai_responses.message_item("some words"))),
    *steps(openai_responses.stream(openai_responses.call_item("read", {"path": "a"}))),
]
"""Events that make sense, in an order that need not."""
WORDS = [
    b"event: ",
    b"data: ",
    b"\n\n",
    b"\r",
    b"{",
    b"}",
    b'"type":',
    b'"index":',
    b"null",
    b"-1",
    b"[]",
    b"\xff",
]
leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
KEYS = (
    "type",
    "index",
    "delta",
    "content",
    "choices",
    "message",
    "messages",
    "role",
    "usage",
    "error",
    "output",
)
documents = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=12,
)
odd = st.one_of(
    st.binary(max_size=300),
    st.lists(st.sampled_from(WORDS) | st.binary(max_size=6), max_size=30).map(b"".join),
    st.lists(st.sampled_from(EVENTS), max_size=12).map(b"".join),
    st.lists(documents.map(lambda it: b"data: " + json.dumps(it).encode() + b"\n\n"), max_size=5).map(
        b"".join
    ),
    documents.map(lambda it: json.dumps(it).encode()),
)


@pytest.mark.quick
@pytest.mark.parametrize("name", list(TARGETS))
@settings(max_examples=60, deadline=None)
@given(data=odd)
def test_anything(name: str, data: bytes) -> None:
    """Each target keeps its promise on bytes, words, events out of order and odd documents."""
    TARGETS[name](data)


@pytest.mark.quick
@pytest.mark.parametrize(("name", "path"), FOUND, ids=lambda it: it if isinstance(it, str) else it.name)
def test_what_was_found_stays_found(name: str, path: Path) -> None:
    """Every input that once broke a promise."""
    TARGETS[name](path.read_bytes())


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    "name",
    ["events", "head", "exchanges", "vendor", *(name for name in TARGETS if name.startswith("stream-"))],
)
def test_guided_by_coverage(name: str, tmp_path: Path) -> None:
    """A short run of the fuzzer finds nothing."""
    if importlib.util.find_spec("atheris") is None:
        pytest.skip("atheris is not made for this Python or system")
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "fuzz"), name, "6", str(tmp_path)],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
