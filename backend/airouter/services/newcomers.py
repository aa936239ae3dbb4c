"""People whose address an identity provider has verified join here, as far as policy `signup` lets anybody in."""

from airouter.domain.errors import SignUpClosed
from airouter.domain.ids import UserId
from airouter.domain.policy import SignUp
from airouter.services.policies import policy_in_force
from airouter.services.sign_ins import Client
from airouter.services.users import join
from airouter.storage import identities as rows
from airouter.storage.database import Connection


class Newcomers:
    """Lets them in without a password: their identity is their way in."""

    async def join_verified(self, connection: Connection, email: str, client: Client) -> UserId:
        """A person with an account.

        Raises:
            SignUpClosed, EmailTaken
        """
        del client
        policy = await policy_in_force(connection, SignUp)
        if policy.mode != "open":
            raise SignUpClosed
        joined = await join(connection, email, None, group_name=policy.group)
        await rows.take_email_as_verified(connection, joined.user_id)
        return joined.user_id
