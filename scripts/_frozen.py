"""Where the built program begins.

It stands outside the package, or PyInstaller would search its rooms for top-level modules.
"""

from __future__ import annotations

import sys

from shunt.cli.program import main

if __name__ == "__main__":
    sys.exit(main())
