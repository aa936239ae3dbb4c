"""Recovery codes: ten ways in for the day on which the second factor is lost, each good once."""

import os
from typing import Final

from airouter.domain.ids import UserId
from airouter.services.vault import Vault
from airouter.storage import factors as rows
from airouter.storage.database import Connection

COUNT: Final = 10
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH: Final = 10
_PURPOSE: Final = "recovery-code"
_ALIKE: Final = str.maketrans("OIL", "011")


class RecoveryCodes:
    """Makes them and takes them. Only keyed hashes are kept, bound to the person."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    async def make(self, connection: Connection, user_id: UserId) -> list[str]:
        """Fresh ones instead of all others. They are never shown again."""
        codes = [_code(os.urandom(_LENGTH)) for _ in range(COUNT)]
        hashes = [self._vault.mac(_PURPOSE, _subject(user_id, code)) for code in codes]
        await rows.replace_recovery_codes(connection, user_id, hashes)
        return codes

    async def make_if_none(self, connection: Connection, user_id: UserId) -> list[str] | None:
        """For a first second factor; None: the person has codes already."""
        ways = await rows.ways_in(connection, user_id)
        if ways is not None and ways.recovery_codes_left:
            return None
        return await self.make(connection, user_id)

    async def drop_if_idle(self, connection: Connection, user_id: UserId) -> None:
        """Without a second factor there is nothing to recover from."""
        ways = await rows.ways_in(connection, user_id)
        if ways is not None and not ways.has_totp and not ways.passkeys:
            await rows.replace_recovery_codes(connection, user_id, [])

    async def use(self, connection: Connection, user_id: UserId, code: str) -> bool:
        """Whether it was one of theirs and still good; it is not from now on."""
        return await rows.use_recovery_code(
            connection, user_id, self._vault.macs(_PURPOSE, _subject(user_id, plain(code)))
        )


def plain(code: str) -> str:
    """As it was made: people type spaces, dashes and small letters, and take one letter for another."""
    kept = "".join(part for part in code.upper() if part.isalnum())
    return kept.translate(_ALIKE)


def _code(random: bytes) -> str:
    letters = "".join(_ALPHABET[byte & 31] for byte in random)
    return f"{letters[:5]}-{letters[5:]}"


def _subject(user_id: UserId, code: str) -> bytes:
    return f"{user_id}:{plain(code)}".encode()
