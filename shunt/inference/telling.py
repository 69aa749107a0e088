"""What one protocol has and another lacks, told in text, so that the model still learns of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from shunt.inference.content import (
    Document,
    Foreign,
    HostedCall,
    HostedResult,
    Image,
    SearchResult,
    Text,
    ToolReference,
    ToolResult,
)

ERROR: Final = "Error: "
"""Before the text of a result whose call failed, where no field says so."""
IMAGE: Final = "[image]"
"""In place of an image that cannot stand here."""
ATTACHED: Final = "[Images and files of this result follow in the next user message.]"
"""In a result whose images and files cannot stand in it."""


def document_text(document: Document) -> str:
    """A plain-text document under a header with its title; empty when it has no text."""
    text = document.text
    if text is None:
        text = "\n\n".join(part.text for part in document.parts if isinstance(part, Text))
    if not text.strip():
        return ""
    title = document.title or document.filename
    head = f"Document: {title}\n" if title else ""
    context = f"Context: {document.context}\n" if document.context else ""
    return f"{head}{context}\n{text}" if head or context else text


def document_images(document: Document) -> tuple[Image, ...]:
    """The images among a document's content parts."""
    return tuple(part for part in document.parts if isinstance(part, Image))


def search_result_text(result: SearchResult) -> str:
    """A search hit under a header with its title and source."""
    body = "\n".join(part.text for part in result.parts)
    return f"Search result: {result.title}\nSource: {result.source}\n\n{body}"


def references_text(references: Iterable[ToolReference]) -> str:
    """The tools that a search has brought up."""
    return "Tools found: " + ", ".join(reference.name for reference in references)


def error_text(text: str) -> str:
    """A failed call's text, marked as such unless it says so itself."""
    return text if text.lstrip()[:5].lower() == "error" else ERROR + (text or "The tool failed.")


def hosted_text(part: HostedCall | HostedResult) -> str:
    """What a vendor's own tool did, in a line or a few."""
    if isinstance(part, HostedCall):
        return f"[{part.kind} was called with {part.input}]"
    if part.error:
        return f"[{part.kind} failed: {part.error}]"
    found = "\n".join(f"- {hit.title or hit.url}: {hit.url}" for hit in part.hits) or part.text
    return f"[{part.kind} found]\n{found}" if found else f"[{part.kind} answered]"


def result_texts(result: ToolResult) -> list[str]:
    """The texts of a tool's result in order, without its images and files; marked when the call failed."""
    texts: list[str] = []
    references = [part for part in result.parts if isinstance(part, ToolReference)]
    for part in result.parts:
        match part:
            case Text(text=text):
                texts.append(text)
            case Document():
                texts.append(document_text(part))
            case SearchResult():
                texts.append(search_result_text(part))
            case Foreign(text=text):
                texts.append(text)
            case ToolReference() if part is references[0]:
                texts.append(references_text(references))
    texts = [text for text in texts if text]
    if result.is_error:
        texts[:1] = [error_text(texts[0] if texts else "")]
    return texts
