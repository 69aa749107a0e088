"""How property tests run here: the same examples every time, and no limit on a busy machine's clock."""

from __future__ import annotations

import signal

from hypothesis import settings

settings.register_profile("shunt", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("shunt")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Started in the background of a shell: the programs under test would inherit that they cannot be
    # interrupted, and tests of Ctrl-C would wait for nothing.
    signal.signal(signal.SIGINT, signal.default_int_handler)
