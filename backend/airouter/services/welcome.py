"""Quota for somebody new, once their address is verified."""

from typing import Final

from airouter.domain.ids import AccountId, UserId
from airouter.domain.policy import SignUp
from airouter.domain.referral import mailbox
from airouter.services.vault import Vault
from airouter.services.wallets import credit
from airouter.storage.database import Connection
from airouter.storage.registrations import verify_email, welcome_identity
from airouter.storage.wallets import main_wallet_of

_PURPOSE: Final = "welcomed-identity"


async def welcome(
    connection: Connection, vault: Vault, policy: SignUp, *, user_id: UserId, account_id: AccountId, email: str
) -> None:
    """Within the transaction that lets somebody join with an address that was proved: by mail, or by a provider.

    A mailbox is welcomed once, ever: `a+b@x` is `a@x`, and what is remembered of it outlives the person.
    """
    await verify_email(connection, user_id)
    if policy.welcome_grant <= 0:
        return
    if not await welcome_identity(connection, vault.macs(_PURPOSE, mailbox(email).encode())):
        return
    wallet_id = await main_wallet_of(connection, account_id)
    assert wallet_id is not None, "an account is made with its wallet"
    await credit(
        connection,
        kind="grant",
        reference=f"welcome:{user_id}",
        wallet_id=wallet_id,
        amount=policy.welcome_grant,
        memo="Welcome",
    )
