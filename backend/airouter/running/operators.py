"""How the first operator of a production instance gets in: one-time links, printed to whoever runs the machine."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from airouter.domain.errors import DomainError
from airouter.running.errors import CannotStart
from airouter.services.links import Links
from airouter.services.vault import Vault
from airouter.settings import Settings
from airouter.storage.database import Database


async def operator_link(settings: Settings, email: str) -> str:
    """A link that makes `email` an operator, once, within a day; it replaces an earlier one.

    Raises: CannotStart where the address is none or the database cannot be reached.
    """
    async with _links(settings) as links:
        # Behind the #, so that no server and no log sees the token.
        return f"{settings.console_url}/accept#{await links.operator_link(email)}"


async def setup_link(settings: Settings) -> str | None:
    """A link that makes its holder the owner, for the log of an instance that nobody runs yet; else None.

    Raises: CannotStart where the database cannot be reached.
    """
    async with _links(settings) as links:
        token = await links.setup_token()
    return token and f"{settings.console_url}/setup#{token}"


@asynccontextmanager
async def _links(settings: Settings) -> AsyncGenerator[Links]:
    database = await Database.open(settings.database, size_max=1)
    try:
        yield Links(database, Vault(settings.secret_keys))
    except DomainError as refusal:
        raise CannotStart(refusal.message) from refusal
    finally:
        await database.close()
