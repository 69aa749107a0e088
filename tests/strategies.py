"""Hypothesis strategies that several rooms use."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import strategies as st


def chunked(data: bytes) -> st.SearchStrategy[list[bytes]]:
    """Every way to cut `data` into pieces, empty ones included."""
    cuts = st.lists(st.integers(0, len(data)), max_size=20)
    return cuts.map(lambda at: [data[a:b] for a, b in pairwise([0, *sorted(at), len(data)])])
