"""`python -m shunt` and the `shunt` script: hand over to the command line."""

from __future__ import annotations

import sys

from shunt.cli.program import main

if __name__ == "__main__":
    sys.exit(main())
