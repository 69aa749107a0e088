"""How property tests run here: the same examples every time, and no limit on a busy machine's clock."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("shunt", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("shunt")
