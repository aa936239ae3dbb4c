"""Recurring work in tests: it waits until the test asks for it, so that nothing happens beside what the test does."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from airouter.services.jobs import Jobs


@contextmanager
def jobs_wait() -> Iterator[None]:
    """An application that starts within the block leaves its jobs alone.

    The test runs one with `jobs.run(name)`, or lets all run by themselves with `jobs.start()`.
    """
    with patch.object(Jobs, "start", lambda _: None):
        yield
