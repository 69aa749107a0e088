"""Content parts, both ways."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from shunt.errors import InvalidRequest
from shunt.inference.content import (
    CacheMark,
    Carriage,
    Citation,
    Document,
    Foreign,
    Image,
    Media,
    Part,
    Refusal,
    SearchResult,
    Text,
)
from shunt.protocols.openai_responses.content import read_content, write_annotation, write_input

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ"
PDF = "JVBERi0xLjQKJcOkw7zDtsOfCjEgMCBvYmoK"
PLAIN = base64.b64encode(b"THE TEXT").decode()


@pytest.mark.parametrize(
    ("raw", "part"),
    [
        ({"type": "input_text", "text": "hi"}, Text("hi")),
        ({"type": "output_text", "text": "hi", "annotations": [], "logprobs": []}, Text("hi")),
        ({"type": "text", "text": "hi"}, Text("hi")),
        (
            {"type": "input_text", "text": "hi", "prompt_cache_breakpoint": {"mode": "explicit"}},
            Text("hi", (), CacheMark()),
        ),
        (
            {
                "type": "input_text",
                "text": "hi",
                "prompt_cache_breakpoint": {"mode": "explicit", "ttl": "12h"},
            },
            Text("hi", (), CacheMark("1h")),
        ),
        ({"type": "refusal", "refusal": "no"}, Refusal("no")),
        (
            {"type": "input_image", "image_url": "https://e.example/a.png", "detail": "low"},
            Image(Media(Carriage.URL, "https://e.example/a.png"), "low"),
        ),
        (
            {"type": "input_image", "image_url": f"data:image/jpg;charset=x;base64,{PNG}"},
            Image(Media(Carriage.INLINE, PNG, "image/jpeg")),
        ),
        ({"type": "input_image", "image_url": PNG}, Image(Media(Carriage.INLINE, PNG, "image/png"))),
        (
            {"type": "input_image", "file_id": "file-1"},
            Image(Media(Carriage.FILE, "file-1", vendor="openai")),
        ),
        (
            {"type": "image_url", "image_url": {"url": "https://e.example/a.png", "detail": "high"}},
            Image(Media(Carriage.URL, "https://e.example/a.png"), "high"),
        ),
        (
            {"type": "input_file", "filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PDF}"},
            Document(Media(Carriage.INLINE, PDF, "application/pdf"), filename="a.pdf"),
        ),
        (
            {"type": "input_file", "filename": "notes.txt", "file_data": f"data:text/plain;base64,{PLAIN}"},
            Document(text="THE TEXT", filename="notes.txt"),
        ),
        (
            {"type": "input_file", "file_url": "https://e.example/a.pdf"},
            Document(Media(Carriage.URL, "https://e.example/a.pdf")),
        ),
        (
            {"type": "input_file", "file_id": "file-1"},
            Document(Media(Carriage.FILE, "file-1", vendor="openai")),
        ),
        (
            {
                "type": "file",
                "file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PDF}"},
            },
            Document(Media(Carriage.INLINE, PDF, "application/pdf"), filename="a.pdf"),
        ),
        (
            {"type": "input_audio", "input_audio": {"data": "x"}},
            Foreign("openai-responses", "input_audio", {"type": "input_audio", "input_audio": {"data": "x"}}),
        ),
        (
            {"type": "novel", "text": "words"},
            Foreign("openai-responses", "novel", {"type": "novel", "text": "words"}, "words"),
        ),
        ("bare", Text("bare")),
    ],
)
def test_parts_are_read(raw: Any, part: Part) -> None:
    """In this protocol's words, and in those that clients mix in; what is unknown is kept."""
    assert read_content([raw], "content") == (part,)


@pytest.mark.parametrize(
    ("content", "parts"),
    [("hi", (Text("hi"),)), (None, ()), ({"type": "text", "text": "x"}, (Text("x"),)), ([], ())],
)
def test_content_may_be_short(content: Any, parts: tuple[Part, ...]) -> None:
    """A string, or a part without its array."""
    assert read_content(content, "content") == parts


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (5, "input[0].content"),
        ([5], "input[0].content[0]"),
        ([{"type": "input_text"}], "input[0].content[0].text"),
        ([{"type": "refusal", "refusal": 1}], "input[0].content[0].refusal"),
        ([{"type": "input_image"}], "input[0].content[0]"),
        ([{"type": "input_image", "image_url": "file:///etc/passwd"}], "input[0].content[0].image_url"),
        ([{"type": "input_file"}], "input[0].content[0]"),
    ],
)
def test_what_cannot_be_read_is_named(content: Any, place: str) -> None:
    """So that its author finds it."""
    with pytest.raises(InvalidRequest) as caught:
        read_content(content, "input[0].content")
    assert f"`{place}`" in str(caught.value)


def test_citations_are_read() -> None:
    """Of pages and of files."""
    notes = [
        {"type": "url_citation", "url": "https://e.example", "title": "E", "start_index": 0, "end_index": 2},
        {"type": "file_citation", "file_id": "f", "filename": "a.pdf", "index": 3},
        "odd",
    ]
    (text,) = read_content([{"type": "output_text", "text": "hi", "annotations": notes}], "content")
    assert isinstance(text, Text)
    assert [(c.url, c.title, c.start, c.end) for c in text.citations] == [
        ("https://e.example", "E", 0, 2),
        ("", "a.pdf", None, None),
    ]


@pytest.mark.parametrize(
    ("part", "written"),
    [
        (Text("hi"), [{"type": "input_text", "text": "hi"}]),
        (Text(" \n"), []),
        (
            Image(Media(Carriage.INLINE, PNG, "image/png")),
            [{"type": "input_image", "detail": "auto", "image_url": f"data:image/png;base64,{PNG}"}],
        ),
        (
            Image(Media(Carriage.URL, "https://e.example/a.png"), "low"),
            [{"type": "input_image", "detail": "low", "image_url": "https://e.example/a.png"}],
        ),
        (
            Image(Media(Carriage.FILE, "file-1", vendor="openai")),
            [{"type": "input_image", "detail": "auto", "file_id": "file-1"}],
        ),
        (
            Document(Media(Carriage.INLINE, PDF, "application/pdf"), title="paper"),
            [
                {
                    "type": "input_file",
                    "filename": "paper.pdf",
                    "file_data": f"data:application/pdf;base64,{PDF}",
                }
            ],
        ),
        (
            Document(Media(Carriage.URL, "https://e.example/a.pdf")),
            [{"type": "input_file", "file_url": "https://e.example/a.pdf"}],
        ),
        (
            Document(Media(Carriage.FILE, "file-1", vendor="openai")),
            [{"type": "input_file", "file_id": "file-1"}],
        ),
        (Document(text="body", title="T"), [{"type": "input_text", "text": "Document: T\n\nbody"}]),
        (
            Document(parts=(Text("a"), Image(Media(Carriage.URL, "https://e.example/a.png")))),
            [
                {"type": "input_text", "text": "a"},
                {"type": "input_image", "detail": "auto", "image_url": "https://e.example/a.png"},
            ],
        ),
        (
            SearchResult("T", "https://e.example", (Text("found"),)),
            [{"type": "input_text", "text": "Search result: T\nSource: https://e.example\n\nfound"}],
        ),
        (Foreign("openai-responses", "input_audio", {"type": "input_audio"}), [{"type": "input_audio"}]),
        (Foreign("elsewhere", "novel", {}, "words"), [{"type": "input_text", "text": "words"}]),
        (Foreign("elsewhere", "novel", {}), []),
    ],
)
def test_parts_are_written(part: Part, written: list[Any]) -> None:
    """For a user's message or a tool's output; nothing empty."""
    assert write_input(part) == written


def test_models_that_see_no_images_are_told_of_them() -> None:
    """In words."""
    image = Image(Media(Carriage.URL, "https://e.example/a.png"))
    assert write_input(image, images=False) == [{"type": "input_text", "text": "[image]"}]


def test_files_of_another_vendor_cannot_be_sent() -> None:
    """The error says whose they are."""
    with pytest.raises(InvalidRequest, match="lies with anthropic"):
        write_input(Image(Media(Carriage.FILE, "file_011", vendor="anthropic")))


@pytest.mark.parametrize(
    ("citation", "span"),
    [
        (Citation("u", "t", start=1, end=3), (1, 3)),
        (Citation("u", "t"), (0, 9)),
        (Citation("u", "t", start=5, end=3), (0, 9)),
    ],
)
def test_sources_become_annotations(citation: Citation, span: tuple[int, int]) -> None:
    """Those that do not say where stand for the whole text."""
    note = write_annotation(citation, 9)
    assert note is not None
    assert (note["start_index"], note["end_index"]) == span
    assert write_annotation(Citation(cited_text="x"), 9) is None
