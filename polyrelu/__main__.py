"""`python -m polyrelu` is the command `polyrelu`."""

from __future__ import annotations

import sys

from polyrelu.cli import main

if __name__ == "__main__":
    sys.exit(main())
