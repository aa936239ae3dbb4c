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
_JUDGED_LENGTH: Final = 72
"""What is judged of a password: the time grows with the square, and nothing behind it makes a strong one weak."""
_SCORE_MIN: Final = 3
"""zxcvbn's "safely unguessable": more than 10^8 guesses, also against a stolen slow hash."""
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

    async def check_strength(self, password: str, email: str) -> None:
        """Judged offline, in a thread: how many guesses it takes, knowing words, names, keyboards and this address.

        Raises:
            WeakPassword
        """
        _check_length(password)
        await self._in_thread(_check_guesses, password, email)

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


def _check_length(password: str) -> None:
    if len(password) < LENGTH_MIN:
        raise WeakPassword(f"The password needs at least {LENGTH_MIN} characters.", field="password")
    if len(password) > LENGTH_MAX:
        raise WeakPassword(f"The password may have at most {LENGTH_MAX} characters.", field="password")


def _check_guesses(password: str, email: str) -> None:
    from zxcvbn import zxcvbn  # noqa: PLC0415 - its word lists take a tenth of a second, in the thread that needs them

    about = [email, *email.replace("@", ".").split(".")]
    judged = zxcvbn(password[:_JUDGED_LENGTH], user_inputs=[part for part in about if part], max_length=_JUDGED_LENGTH)
    if judged["score"] < _SCORE_MIN:
        why = [judged["feedback"]["warning"], *judged["feedback"]["suggestions"]]
        said = " ".join(part if part.endswith(".") else f"{part}." for part in why if part)
        raise WeakPassword(f"The password is too easy to guess. {said}".strip(), field="password")


def _fits(stored: str, password: str) -> bool:
    try:
        return _HASHER.verify(stored, password)
    except (Argon2Error, InvalidHashError):
        return False
