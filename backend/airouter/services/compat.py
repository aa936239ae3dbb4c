"""What tools of older gateways ask for, out of our nouns. Their scale ends here: it is 500 000 to the unit, ours 10^9.

So 2 000 quota of ours are one of theirs. What they are shown is rounded down (nobody is shown more than there is), and
what they send is exact.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from airouter.domain.errors import InvalidApiKey, InvalidRequest, NotFound
from airouter.domain.ids import AccountId, KeyId, UserId, WalletId
from airouter.domain.policy import Policies
from airouter.domain.quota import QUOTA_PER_UNIT, WALLET_MAX
from airouter.storage import accounts
from airouter.storage import compat as rows
from airouter.storage.compat import KeyFilter, KeyPurse, NumberedKey
from airouter.storage.database import Database

THEIRS_PER_UNIT: Final = 500_000
_OURS_PER_THEIRS: Final = QUOTA_PER_UNIT // THEIRS_PER_UNIT


class CompatOff(NotFound):
    """The addresses are not there."""


class Holdings(msgspec.Struct, frozen=True, kw_only=True):
    """What an account has and has used, in our quota."""

    balance: int
    used: int


def shown(quota: int) -> int:
    """Our quota on their scale, rounded down."""
    return quota // _OURS_PER_THEIRS


def meant(theirs: int) -> int:
    """Their quota on our scale, exactly.

    Raises:
        InvalidRequest: below zero, or more than a wallet holds.
    """
    if not 0 <= theirs <= WALLET_MAX // _OURS_PER_THEIRS:
        raise InvalidRequest("remain_quota: this is no amount that a key can be limited to.", field="remain_quota")
    return theirs * _OURS_PER_THEIRS


class Compat:
    """Look-ups behind the compatible addresses."""

    def __init__(self, database: Database, policies: Callable[[], Policies]) -> None:
        self._database = database
        self._policies = policies

    def check_enabled(self) -> None:
        """Raises CompatOff unless policy `compat` has switched it on."""
        if not self._policies().compat.enabled:
            raise CompatOff

    async def number_of(self, user_id: UserId) -> int:
        """The person's number; it never changes."""
        async with self._database.connection() as connection:
            return await rows.number_of_user(connection, user_id)

    async def purse(self, key_id: KeyId) -> KeyPurse:
        """What a key may look at. Raises InvalidApiKey when it went this moment."""
        async with self._database.connection() as connection:
            found = await rows.purse_of_key(connection, key_id)
        if found is None:
            raise InvalidApiKey
        return found

    async def holdings(self, account_id: AccountId, wallet_id: WalletId) -> Holdings:
        """What the account has, and has used since it began."""
        async with self._database.transaction(is_read_only=True) as connection:
            wallet = await accounts.wallet_of(connection, account_id)
            used = await accounts.used_total(connection, wallet_id)
        return Holdings(balance=wallet.balance, used=int(used))

    async def page(self, which: KeyFilter, limit: int, offset: int) -> tuple[list[NumberedKey], int]:
        """Keys newest first, and how many there are."""
        async with self._database.transaction(is_read_only=True) as connection:
            return (
                await rows.numbered_keys(connection, which, limit, offset),
                await rows.count_numbered_keys(connection, which),
            )

    async def key_of(self, which: KeyFilter, number: int) -> KeyId:
        """Raises NotFound."""
        async with self._database.connection() as connection:
            found = await rows.key_of_number(connection, which, number)
        if found is None:
            raise NotFound("There is no such key.")
        return found

    async def numbers(self, which: KeyFilter, key_id: KeyId) -> int:
        """The number of a key that was just made."""
        async with self._database.connection() as connection:
            newest = await rows.numbered_keys(connection, which, 100, 0)
        return next(one.number for one in newest if one.key_id == key_id)
