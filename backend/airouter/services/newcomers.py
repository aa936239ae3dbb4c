"""People whose address an identity provider has verified join here, as far as policy `signup` lets anybody in."""

from airouter.domain.errors import SignUpClosed
from airouter.domain.ids import UserId
from airouter.domain.policy import SignUp
from airouter.domain.sign_up_errors import EmailDomainRefused
from airouter.services.policies import policy_in_force
from airouter.services.sign_ins import Client
from airouter.services.users import join
from airouter.services.vault import Vault
from airouter.services.welcome import welcome
from airouter.storage.database import Connection


class Newcomers:
    """Lets them in without a password: their identity is their way in."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    async def join_verified(self, connection: Connection, email: str, client: Client) -> UserId:
        """A person with an account.

        Raises:
            SignUpClosed, EmailTaken, EmailDomainRefused
        """
        del client
        policy = await policy_in_force(connection, SignUp)
        if policy.mode != "open":
            raise SignUpClosed
        if not policy.takes(email):
            raise EmailDomainRefused(field="email")
        joined = await join(connection, email, None, group_name=policy.group)
        await welcome(
            connection, self._vault, policy, user_id=joined.user_id, account_id=joined.account_id, email=email
        )
        return joined.user_id
