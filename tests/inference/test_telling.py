"""What one protocol has and another lacks, in words."""

from __future__ import annotations

import pytest

from shunt.inference import telling
from shunt.inference.content import (
    Carriage,
    Document,
    Foreign,
    HostedCall,
    HostedResult,
    Image,
    Media,
    SearchHit,
    SearchResult,
    Text,
    ToolReference,
    ToolResult,
)

PICTURE = Image(Media(Carriage.INLINE, "AAAA", "image/png"))


@pytest.mark.parametrize(
    ("document", "text"),
    [
        (Document(text="words"), "words"),
        (Document(text="words", title="notes.txt"), "Document: notes.txt\n\nwords"),
        (Document(text="words", filename="n.txt", context="old"), "Document: n.txt\nContext: old\n\nwords"),
        (Document(parts=(Text("a"), PICTURE, Text("b"))), "a\n\nb"),
        (Document(text=" ", title="empty"), ""),
    ],
)
def test_document(document: Document, text: str) -> None:
    """A text document stands under its title."""
    assert telling.document_text(document) == text


def test_document_images() -> None:
    """Images within a document are not lost."""
    assert telling.document_images(Document(parts=(Text("a"), PICTURE))) == (PICTURE,)


def test_search_result() -> None:
    """A search hit names its source."""
    told = telling.search_result_text(SearchResult("T", "https://example.org", (Text("a"), Text("b"))))
    assert told == "Search result: T\nSource: https://example.org\n\na\nb"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("no such file", "Error: no such file"),
        ("Error: no such file", "Error: no such file"),
        (" error 5", " error 5"),
        ("", "Error: The tool failed."),
    ],
)
def test_error(text: str, told: str) -> None:
    """A failed call's text says that it failed, once."""
    assert telling.error_text(text) == told


def test_hosted() -> None:
    """A vendor's own tool is told in a line or a few."""
    assert "web_search" in telling.hosted_text(HostedCall("w", "web_search", '{"query":"cats"}'))
    assert "cats" in telling.hosted_text(HostedCall("w", "web_search", '{"query":"cats"}'))
    hits = (SearchHit("https://example.org/a", "A"),)
    assert "https://example.org/a" in telling.hosted_text(HostedResult("w", "web_search", hits))
    assert "gone" in telling.hosted_text(HostedResult("w", "web_search", error="gone"))
    assert "code_execution" in telling.hosted_text(HostedResult("w", "code_execution"))


def test_result() -> None:
    """A result's texts come in order, references as one, images and empty texts not at all."""
    result = ToolResult(
        "c",
        (
            Text("a"),
            PICTURE,
            ToolReference("late_a"),
            Text(""),
            Foreign("p", "x", {}, "[x]"),
            ToolReference("late_b"),
            Document(text="d"),
            SearchResult("T", "S", (Text("s"),)),
        ),
    )
    texts = telling.result_texts(result)
    assert texts[:4] == ["a", "Tools found: late_a, late_b", "[x]", "d"]
    assert len(texts) == 5


def test_failed_result() -> None:
    """A failed call's result says so in its first text, also when it has none."""
    assert telling.result_texts(ToolResult("c", (Text("a"), Text("b")), is_error=True)) == ["Error: a", "b"]
    assert telling.result_texts(ToolResult("c", (PICTURE,), is_error=True)) == ["Error: The tool failed."]
