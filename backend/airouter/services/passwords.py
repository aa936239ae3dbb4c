"""Passwords: argon2id in threads, so many at a time.

A hash costs memory and a core; more of them at once would starve the calls.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from airouter.domain.errors import TooManyAttempts, WeakPassword

Result = TypeVar("Result")

LENGTH_MIN: Final = 10
LENGTH_MAX: Final = 256
_DISTINCT_MIN: Final = 5
_WAITING_MAX: Final = 256

_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
"""OWASP Password Storage Cheat Sheet, argon2id: 19 MiB, 2 passes, 1 lane (read 2026-01)."""


class Passwords:
    """Hashes and checks, at most `at_once` at a time in this process."""

    def __init__(self, at_once: int) -> None:
        self._threads = ThreadPoolExecutor(max_workers=at_once, thread_name_prefix="password")
        self._waiting = 0
        self._decoy = self._threads.submit(_HASHER.hash, "nobody's password")

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def hash(self, password: str) -> str:
        """What to store."""
        return await self._in_thread(_HASHER.hash, password)

    async def verify(self, stored: str | None, password: str) -> bool:
        """Whether the password fits. Without a stored hash it takes as long, and does not fit."""
        fits = await self._in_thread(_fits, stored or await asyncio.wrap_future(self._decoy), password)
        return fits and stored is not None

    def is_outdated(self, stored: str) -> bool:
        """Whether the hash was made with other costs than today's."""
        return _HASHER.check_needs_rehash(stored)

    async def _in_thread(self, work: Callable[..., Result], *arguments: str) -> Result:
        if self._waiting >= _WAITING_MAX:
            raise TooManyAttempts("Too many people are signing in at this moment. Try again.", retry_after_seconds=2)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)
        finally:
            self._waiting -= 1


def check_strength(password: str, email: str) -> None:
    """Length does most of it; the rest catches what is typed to get past a form.

    Raises:
        WeakPassword
    """
    if len(password) < LENGTH_MIN:
        raise WeakPassword(f"The password needs at least {LENGTH_MIN} characters.", field="password")
    if len(password) > LENGTH_MAX:
        raise WeakPassword(f"The password may have at most {LENGTH_MAX} characters.", field="password")
    lowered = password.lower()
    if len(set(lowered)) < _DISTINCT_MIN or lowered in email.lower() or email.lower() in lowered:
        raise WeakPassword("The password is too easy to guess.", field="password")


def _fits(stored: str, password: str) -> bool:
    try:
        return _HASHER.verify(stored, password)
    except (Argon2Error, InvalidHashError):
        return False
