"""Failure budgets: guessing is only worth a few tries, from whatever process they are made."""

from datetime import timedelta
from ipaddress import ip_address, ip_network

import msgspec

from airouter.domain.errors import TooManyAttempts
from airouter.services.audit_log import SYSTEM, Act, Actor, record
from airouter.services.vault import Vault
from airouter.storage import attempts as rows
from airouter.storage.database import Database


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """So many failures in so long. What succeeds is given back."""

    scope: str
    failures_max: int
    window: timedelta


class Attempts:
    """Counts in Postgres, which all processes share. Subjects are stored as keyed hashes: they are personal data."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def take(
        self, budget: Budget, subject: str, *, actor: Actor = SYSTEM, when_exhausted: Act | None = None
    ) -> None:
        """Counts a try before it is made. `when_exhausted` is written down by the first try of a window too many.

        Raises:
            TooManyAttempts: the budget is used up; `retry_after_seconds` says until when.
        """
        async with self._database.transaction() as connection:
            row = await rows.take_attempt(connection, budget.scope, self._hash(subject), budget.window)
            if when_exhausted is not None and row.failures == budget.failures_max + 1:
                await record(connection, actor, when_exhausted)
        if row.failures > budget.failures_max:
            raise TooManyAttempts(retry_after_seconds=max(1, row.seconds_left))

    async def give_back(self, budget: Budget, subject: str) -> None:
        """The try was no failure."""
        async with self._database.connection() as connection:
            await rows.give_attempt_back(connection, budget.scope, self._hash(subject))

    async def clear(self, budget: Budget, subject: str) -> None:
        """The subject proved to be who they say: earlier failures do not count any more."""
        async with self._database.connection() as connection:
            await rows.clear_attempts(connection, budget.scope, self._hash(subject))

    def _hash(self, subject: str) -> bytes:
        return self._vault.mac("attempts", subject.encode())


def neighbourhood(address: str) -> str:
    """What one budget by address is for: an IPv6 subscriber holds a whole /64."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    return str(ip_network((parsed, 64), strict=False)) if parsed.version == 6 else str(parsed)
