"""Nobody takes away the last way into their own account."""

from airouter.domain.ids import UserId
from airouter.domain.policy import SignInRules
from airouter.domain.sign_in_errors import LastWayIn
from airouter.services.policies import policy_in_force
from airouter.storage import factors
from airouter.storage.database import Connection


async def refuse_last_way_in(connection: Connection, user_id: UserId) -> None:
    """After something was taken away, before that is committed. The caller holds the person's row.

    Raises:
        LastWayIn: neither a password (where those are used), nor a passkey, nor a linked identity is left.
    """
    ways = await factors.ways_in(connection, user_id)
    assert ways is not None, "the caller holds the person"
    rules = await policy_in_force(connection, SignInRules)
    has_password = ways.password_hash is not None and rules.password_enabled
    if not (has_password or ways.passkeys or ways.identities):
        raise LastWayIn
