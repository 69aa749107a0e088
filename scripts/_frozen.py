"""Where the built program begins.

It stands outside the package, or PyInstaller would search its rooms for top-level modules.
"""

from __future__ import annotations

import os
import sys

from shunt.cli.frozen import keep_few_lines, restore

if __name__ == "__main__":
    restore(os.environ)
    keep_few_lines()
    from shunt.cli.program import main

    sys.exit(main())
