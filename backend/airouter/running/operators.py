"""What whoever runs the machine does for operators: links for the first ones, a way back in for the last owner."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from airouter.domain.errors import DomainError
from airouter.mail.post_office import post_office
from airouter.running.errors import CannotStart
from airouter.services.links import Links
from airouter.services.lost_ways_in import LostWaysIn
from airouter.services.mailbox import Mailbox
from airouter.services.mailed_tokens import MailedTokens
from airouter.services.security_letters import SecurityLetters
from airouter.services.sessions import Sessions, Standings
from airouter.services.vault import Vault
from airouter.settings import Settings
from airouter.storage.database import Database


async def operator_link(settings: Settings, email: str) -> str:
    """A link that makes `email` an operator, once, within a day; it replaces an earlier one.

    Raises: CannotStart where the address is none or the database cannot be reached.
    """
    async with _database(settings) as database:
        token = await Links(database, Vault(settings.secret_keys)).operator_link(email)
    return f"{settings.console_url}/accept#{token}"  # behind the #, so that no server and no log sees it


async def setup_link(settings: Settings) -> str | None:
    """A link that makes its holder the owner, for the log of an instance that nobody runs yet; else None.

    Raises: CannotStart where the database cannot be reached.
    """
    async with _database(settings) as database:
        token = await Links(database, Vault(settings.secret_keys)).setup_token()
    return token and f"{settings.console_url}/setup#{token}"


async def withdraw_second_factor(settings: Settings, email: str) -> bool:
    """Takes away the second factor that somebody lost; False: they have none.

    Raises: CannotStart where nobody has the address, it is their only way in, or the database cannot be reached.
    """
    async with _database(settings) as database:
        vault = Vault(settings.secret_keys)
        sessions = Sessions(database, vault, Standings(lambda: False))
        office = post_office(settings.mail_server, settings.mail_from, is_demo=settings.is_demo)
        letters = SecurityLetters(Mailbox(database, vault, office, settings.console_url))
        tokens = MailedTokens(vault, settings.console_url)
        return await LostWaysIn(database, sessions, tokens=tokens, letters=letters).withdraw_from(email)


@asynccontextmanager
async def _database(settings: Settings) -> AsyncGenerator[Database]:
    database = await Database.open(settings.database, size_max=1)
    try:
        yield database
    except DomainError as refusal:
        raise CannotStart(refusal.message) from refusal
    finally:
        await database.close()
