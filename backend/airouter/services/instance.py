"""What anybody may know about this installation."""

import msgspec

from airouter.domain.policy import Display, Referral, SignInRules, SignUp, TopUp
from airouter.services.policies import policy_in_force
from airouter.storage import accounts
from airouter.storage.database import Database
from airouter.storage.identities import OfferedProvider, providers_on_offer


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """The currency of the books, and the policies that the sign-in page needs."""

    currency: str
    display: Display
    sign_up: SignUp
    is_password_enabled: bool
    providers: list[OfferedProvider]
    referral: Referral
    topup: TopUp


class Instance:
    """Answers `GET /status`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def facts(self) -> Facts:
        """As of one moment."""
        async with self._database.transaction(is_read_only=True) as connection:
            return Facts(
                currency=await accounts.ledger_currency(connection),
                display=await policy_in_force(connection, Display),
                sign_up=await policy_in_force(connection, SignUp),
                is_password_enabled=(await policy_in_force(connection, SignInRules)).password_enabled,
                providers=await providers_on_offer(connection),
                referral=await policy_in_force(connection, Referral),
                topup=await policy_in_force(connection, TopUp),
            )
