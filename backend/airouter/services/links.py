"""One-time links: how the first operator of an installation gets in, before anybody could invite them."""

import base64
import os
from datetime import timedelta
from typing import Final

from airouter.domain.email_address import is_address, normal
from airouter.domain.errors import InvalidRequest
from airouter.services.vault import Vault
from airouter.storage import users as rows
from airouter.storage.database import Connection, Database
from airouter.storage.users import LinkPurpose

OPERATOR_LINK_LIFETIME: Final = timedelta(hours=24)
SETUP_LIFETIME: Final = timedelta(hours=24)
_TOKEN_BYTES: Final = 32
_PURPOSE: Final = "one-time-link"


class Links:
    """Makes links, and lets each be used once. Only keyed hashes of their tokens are kept."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def operator_link(self, email: str) -> str:
        """The token of a link that makes `email` an operator, once, within a day. It replaces an earlier one.

        `POST /api/v1/auth/accept` takes it.

        Raises:
            InvalidRequest: that is no e-mail address.
        """
        check_email(email)
        return await self._create("operator", normal(email), OPERATOR_LINK_LIFETIME)

    async def setup_token(self) -> str | None:
        """For `serve` to log when nobody runs the place yet; None when somebody does. It replaces an earlier one.

        `POST /api/v1/setup` takes it.
        """
        async with self._database.connection() as connection:
            if await rows.operators_exist(connection):
                return None
        return await self._create("setup", "", SETUP_LIFETIME)

    async def is_open(self, token: str, purpose: LinkPurpose) -> bool:
        """Whether the link could be used now."""
        async with self._database.connection() as connection:
            return await rows.link_is_open(connection, self._hashes(token), purpose)

    async def use(self, connection: Connection, token: str, purpose: LinkPurpose) -> str | None:
        """The address that the link is for; None: unknown, used, or too old. Used when the transaction commits."""
        return await rows.use_link(connection, self._hashes(token), purpose)

    async def _create(self, purpose: LinkPurpose, email: str, lifetime: timedelta) -> str:
        token = base64.urlsafe_b64encode(os.urandom(_TOKEN_BYTES)).decode().rstrip("=")
        async with self._database.transaction() as connection:
            await rows.put_link(connection, self._hashes(token)[0], purpose, email, lifetime)
        return token

    def _hashes(self, token: str) -> tuple[bytes, ...]:
        return self._vault.macs(_PURPOSE, token.encode())


def check_email(email: str) -> None:
    """Raises InvalidRequest for what can be no address. Whether it exists, only mail can tell."""
    if not is_address(email):
        raise InvalidRequest("email: this is not an e-mail address.", field="email")
