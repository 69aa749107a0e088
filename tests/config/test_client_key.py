"""Keys that shunt gives out."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shunt.config.client_key import BYTES, SHAPE, digest, is_ours, is_whole, made_of


@given(st.binary(min_size=BYTES, max_size=BYTES))
def test_every_key_is_whole_and_of_one_shape(random: bytes) -> None:
    """Prefix, 256 bits, checksum; never shown by accident."""
    key = made_of(random)
    assert SHAPE.fullmatch(key.reveal())
    assert is_whole(key.reveal())
    assert is_ours(key.reveal())
    assert key.reveal() not in repr(key)
    assert digest(key) == sha256(key.reveal().encode()).hexdigest()


@given(st.binary(min_size=BYTES, max_size=BYTES), st.integers(4, 52), st.sampled_from("0Az"))
def test_a_slip_is_noticed(random: bytes, place: int, char: str) -> None:
    """One wrong character, or a part that is missing."""
    key = made_of(random).reveal()
    slipped = key[:place] + char + key[place + 1 :]
    assert is_whole(slipped) is (slipped == key)
    assert not is_whole(key[:place])


def test_other_lengths_of_randomness_are_refused() -> None:
    """A weak key is never made."""
    with pytest.raises(ValueError, match="32"):
        made_of(b"short")
