"""Telling the books that a provider refuses a credential for good, off the way of the call that found out."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from airouter.domain.ids import CredentialId

log = logging.getLogger("airouter.gateway")


class CredentialReports:
    """One report at a time of each credential. One that fails is made again when the credential is refused again."""

    def __init__(self, disable: Callable[[CredentialId, str], Awaitable[object]]) -> None:
        self._disable = disable
        self._under_way: dict[CredentialId, asyncio.Task[None]] = {}

    def __call__(self, credential_id: CredentialId, reason: str) -> None:
        """Returns at once."""
        if credential_id not in self._under_way:
            self._under_way[credential_id] = asyncio.create_task(self._report(credential_id, reason))

    async def finish(self) -> None:
        """Returns when nothing is under way."""
        while self._under_way:
            await asyncio.wait(self._under_way.values())

    async def _report(self, credential_id: CredentialId, reason: str) -> None:
        try:
            await self._disable(credential_id, reason)
        except Exception:
            log.exception("credential.not_disabled credential=%s", credential_id)
        finally:
            del self._under_way[credential_id]
