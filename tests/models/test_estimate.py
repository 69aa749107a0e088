from __future__ import annotations

import pytest

from shunt.models.estimate import PER_IMAGE, estimate_tokens


def test_eighty_words_are_about_a_hundred_tokens() -> None:
    """Plain prose is counted within a factor of two of what a tokenizer would say."""
    body = {"messages": [{"role": "user", "content": "count these words please " * 20}]}
    assert 80 <= estimate_tokens(body) <= 200


def test_an_image_costs_its_size_on_screen_not_its_bytes() -> None:
    """A megabyte of base64 is one image, not hundreds of thousands of tokens."""
    image = {
        "type": "image",
        "source": {"type": "base64", "media_type": "image/png", "data": "A" * 1_000_000},
    }
    body = {"messages": [{"role": "user", "content": [image]}]}
    assert PER_IMAGE <= estimate_tokens(body) <= PER_IMAGE + 100


@pytest.mark.parametrize("key", ["system", "instructions", "messages", "input", "tools"])
def test_every_part_that_becomes_prompt_is_counted(key: str) -> None:
    """Adding text to any part of the prompt raises the estimate."""
    assert estimate_tokens({key: ["word " * 100]}) > estimate_tokens({key: ["word"]}) + 50


def test_a_deeply_nested_body_ends() -> None:
    """Nesting beyond anything sensible is cut off instead of exhausting the stack."""
    node: object = "x"
    for _ in range(5_000):
        node = [node]
    assert estimate_tokens({"messages": node}) >= 1


def test_an_empty_request_counts_at_least_one() -> None:
    """Vendors never answer zero, and clients divide by it."""
    assert estimate_tokens({}) == 1
