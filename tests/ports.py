"""A port that nobody listens on, or a process that a test starts, kills and starts again."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def kept_port() -> Iterator[int]:
    """A port of the loopback that nobody else is given as long as this lasts, also while the process is not there.

    Nobody listens on it but who sets SO_REUSEPORT, as tests/crash/server.py does, or SO_REUSEADDR, as most servers do.
    """
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]
