"""`python -m airouter` is `airouter`."""

import sys

from airouter.cli import main

if __name__ == "__main__":
    sys.exit(main())
