"""`airouter`, which also ends, as by Ctrl-C, when whoever started it is gone: its standard input is its lifeline."""

import os
import signal
import sys
import threading

from airouter.cli import main


def hold_on() -> None:
    """Nobody writes there: what can be read is the end."""
    os.read(sys.stdin.fileno(), 1)
    os.kill(os.getpid(), signal.SIGINT)


if __name__ == "__main__":
    threading.Thread(target=hold_on, daemon=True).start()
    sys.exit(main())
