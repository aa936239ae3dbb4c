"""People whose address an identity provider has verified join here, as far as policy `signup` lets anybody in."""

from airouter.domain.errors import SignUpClosed
from airouter.domain.ids import UserId
from airouter.domain.policy import SignUp
from airouter.domain.sign_up_errors import EmailDomainRefused, InvitationRequired
from airouter.services.audit_log import Act, record
from airouter.services.policies import policy_in_force
from airouter.services.referrals import Referrals
from airouter.services.sign_ins import Client
from airouter.services.users import join
from airouter.services.vault import Vault
from airouter.services.welcome import welcome
from airouter.storage.database import Connection


class Newcomers:
    """Lets them in without a password: their identity is their way in, and the provider's word stands for a mail."""

    def __init__(self, vault: Vault, referrals: Referrals) -> None:
        self._vault = vault
        self._referrals = referrals

    async def join_verified(
        self, connection: Connection, email: str, client: Client, referral_code: str | None = None
    ) -> UserId:
        """A person with an account, welcomed as the policy says.

        Raises:
            SignUpClosed, InvitationRequired, EmailDomainRefused, EmailTaken
        """
        policy = await policy_in_force(connection, SignUp)
        if policy.mode == "invitation":
            raise InvitationRequired
        if policy.mode != "open":
            raise SignUpClosed
        if not policy.takes(email):
            raise EmailDomainRefused(field="email")
        joined = await join(connection, email, None, group_name=policy.group)
        await welcome(
            connection, self._vault, policy, user_id=joined.user_id, account_id=joined.account_id, email=email
        )
        await self._referrals.joined(connection, joined, referral_code, client)
        act = Act(
            action="user.joined",
            subject="user",
            subject_id=str(joined.user_id),
            account_id=joined.account_id,
            after={"is_email_verified": True},
        )
        await record(connection, client.actor(joined.user_id), act)
        return joined.user_id
