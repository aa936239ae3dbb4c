"""What people are told by mail when the ways into their account change, so that no stranger's hand goes unseen."""

from collections.abc import Mapping
from typing import Protocol

from airouter.domain.ids import UserId
from airouter.storage import users
from airouter.storage.database import Connection
from airouter.world import new_id


class Postbox(Protocol):
    """Takes letters within the transaction of what they tell; see services/mailbox.py."""

    async def post(
        self,
        connection: Connection,
        *,
        to: str,
        locale: str | None,
        letter: str,
        facts: Mapping[str, str | int],
        once: str | None,
    ) -> None: ...


class SecurityLetters:
    """Without a postbox nothing is told: no mail server is configured."""

    def __init__(self, postbox: Postbox | None) -> None:
        self._postbox = postbox

    async def factor_added(self, connection: Connection, user_id: UserId, factor: str) -> None:
        """An authenticator app, a passkey or a linked identity."""
        await self._tell(connection, user_id, "factor_added", {"factor": factor})

    async def factor_removed(self, connection: Connection, user_id: UserId, factor: str) -> None:
        await self._tell(connection, user_id, "factor_removed", {"factor": factor})

    async def recovery_code_used(self, connection: Connection, user_id: UserId, left: int) -> None:
        await self._tell(connection, user_id, "recovery_code_used", {"left": left})

    async def second_factor_withdrawn(self, connection: Connection, user_id: UserId) -> None:
        """By an operator: everything that was asked for besides the first step."""
        await self._tell(connection, user_id, "second_factor_withdrawn", {})

    async def password_link_made(self, connection: Connection, user_id: UserId) -> None:
        """By an operator, who has it: somebody else could choose the password with it."""
        await self._tell(connection, user_id, "password_link_made", {})

    async def _tell(self, connection: Connection, user_id: UserId, letter: str, facts: dict[str, str | int]) -> None:
        if self._postbox is None:
            return
        person = await users.find_user(connection, user_id)
        if person is None:
            return
        await self._postbox.post(
            connection, to=person.email, locale=person.locale, letter=letter, facts=facts, once=f"{letter}/{new_id()}"
        )
