"""URL fields: data URLs, addresses, bare base64."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shunt.errors import InvalidRequest
from shunt.inference.content import Carriage, Media
from shunt.inference.media import data_url, inline, located, plain_type, sniffed, text_within

JPEG = "/9j/4AAQSkZJRg=="
PNG = "iVBORw0KGgoAAAANSUhEUg=="


@pytest.mark.parametrize(
    ("url", "media"),
    [
        ("https://example.org/a.png", Media(Carriage.URL, "https://example.org/a.png")),
        ("HTTP://example.org/a", Media(Carriage.URL, "HTTP://example.org/a")),
        (f"data:image/jpeg;base64,{JPEG}", Media(Carriage.INLINE, JPEG, "image/jpeg")),
        (f"data:image/jpg;base64,{JPEG}", Media(Carriage.INLINE, JPEG, "image/jpeg")),
        (f"data:image/jpeg;charset=utf-8;base64,{JPEG}", Media(Carriage.INLINE, JPEG, "image/jpeg")),
        (f"DATA:IMAGE/PNG;BASE64,{PNG}", Media(Carriage.INLINE, PNG, "image/png")),
        (f"data:;base64,{PNG}", Media(Carriage.INLINE, PNG, "image/png")),
        (PNG, Media(Carriage.INLINE, PNG, "image/png")),
        ("data:text/plain,a%20b", Media(Carriage.INLINE, base64.b64encode(b"a b").decode(), "text/plain")),
        (f"data:image/png;base64,{PNG[:8]}\n{PNG[8:]}", Media(Carriage.INLINE, PNG, "image/png")),
    ],
)
def test_located(url: str, media: Media) -> None:
    """Every way to write a URL field says where the bytes are, and of which type."""
    assert located(url, "image") == media


@pytest.mark.parametrize("url", ["file:///etc/passwd", "blob:x", "", "data:image/png;base64", "not a url"])
def test_unreadable(url: str) -> None:
    """What only the client itself could read is refused, by the field's name."""
    with pytest.raises(InvalidRequest, match=r"`image\[0\]`") as caught:
        located(url, "image[0]")
    assert caught.value.param == "image[0]"


def test_inline_type() -> None:
    """A missing type shows in the first bytes; a given one is believed, under its proper name."""
    assert inline(PNG).media_type == "image/png"
    assert inline(PNG, "Image/JPG; q=1").media_type == "image/jpeg"
    assert plain_type("application/x-pdf") == "application/pdf"
    assert sniffed("AAAA") == ""


@given(st.binary(max_size=60), st.sampled_from(["image/png", "application/pdf", "text/plain"]))
def test_data_url_and_back(data: bytes, media_type: str) -> None:
    """A data URL is read back as it was written."""
    media = Media(Carriage.INLINE, base64.b64encode(data).decode(), media_type)
    assert located(data_url(media), "x") == media


def test_address_stays() -> None:
    """An address is its own URL."""
    assert data_url(Media(Carriage.URL, "https://example.org/a")) == "https://example.org/a"


@pytest.mark.parametrize(
    ("media", "text"),
    [
        (inline(base64.b64encode("grüße".encode()).decode(), "text/markdown"), "grüße"),
        (inline(base64.b64encode(b"{}").decode(), "application/json"), "{}"),
        (inline(base64.b64encode(b"\xff\xfe").decode(), "text/plain"), None),
        (inline("!", "text/plain"), None),
        (inline(PNG, "image/png"), None),
        (Media(Carriage.URL, "https://example.org/a.txt", "text/plain"), None),
    ],
)
def test_text_within(media: Media, text: str | None) -> None:
    """The words of a textual file; nothing of any other."""
    assert text_within(media) == text
