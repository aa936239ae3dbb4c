"""Referrals: who brought whom, and what both get for it. Off until an operator says what is given for what.

Three facts come from elsewhere, each within the transaction that makes it one: somebody joined, an order was paid, an
order was refunded. None of the three ever fails the transaction it is told in, and none touches a wallet: they write
rows, and the job `referrals` moves the quota, within a second or so.
"""

from typing import Protocol
from uuid import UUID

from airouter.domain.ids import AccountId, UserId
from airouter.services.vault import Vault
from airouter.storage.database import Connection, Database


class Newcomer(Protocol):
    """A person who just joined, and their personal account."""

    @property
    def user_id(self) -> UserId: ...
    @property
    def account_id(self) -> AccountId: ...


class From(Protocol):
    """Where they came from."""

    @property
    def address(self) -> str: ...


class SettledOrder(Protocol):
    """An order as it stands: what was credited of the paid quota (without bonus), and how much of that was taken back."""

    @property
    def order_id(self) -> UUID: ...
    @property
    def account_id(self) -> AccountId: ...
    @property
    def credited_quota(self) -> int: ...
    @property
    def taken_quota(self) -> int: ...


class Referrals:
    """Both sides' verbs, and the operator's."""

    def __init__(self, database: Database, vault: Vault, console_url: str) -> None:
        self._database = database
        self._vault = vault
        self._console_url = console_url

    async def joined(self, connection: Connection, newcomer: Newcomer, referral_code: str | None, client: From) -> None:
        """Somebody joined, perhaps with a code. A code that nobody has, or that may not count, is no hindrance."""

    async def order_paid(self, connection: Connection, order: SettledOrder) -> None:
        """An order was paid: what waited for it becomes due. Telling it twice changes nothing."""

    async def order_refunded(self, connection: Connection, order: SettledOrder) -> None:
        """An order was given back, in part or whole, or a dispute was decided: rewards follow what is left of it.

        The order says how it stands (`taken_quota`), so it is also told when a won dispute makes that less again.
        """
