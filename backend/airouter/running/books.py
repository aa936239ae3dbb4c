"""`airouter audit`: finds the books of an instance, running or not, and has them audited."""

from contextlib import AsyncExitStack

from airouter.running.binaries import server_user
from airouter.running.errors import CannotStart
from airouter.running.home import Home
from airouter.running.postgres import EmbeddedPostgres
from airouter.services import books
from airouter.services.books import Audit
from airouter.settings import Settings
from airouter.storage.database import connect

AUDIT_SECONDS_MAX = 6 * 3600.0


async def audit(settings: Settings, *, is_full: bool) -> Audit:
    """The report of the books at AIROUTER_DATABASE_URL, else of the instance that runs in AIROUTER_HOME, else of the
    embedded Postgres there, started for as long as it takes.

    Raises: CannotStart where there are no books.
    """
    async with AsyncExitStack() as stack:
        dsn = settings.database_direct_url or settings.database_url or await _find(settings, stack)
        connection = await connect(dsn, as_owner=True, command_seconds=AUDIT_SECONDS_MAX)
        stack.push_async_callback(connection.close)
        return await books.audit(connection, full=is_full)


async def _find(settings: Settings, stack: AsyncExitStack) -> str:
    home = Home(settings.home)
    instance = home.running_instance()
    if instance is not None:
        return instance.database_url
    if not home.path.is_dir():
        raise CannotStart(f"There is no instance in {home.path}. Set AIROUTER_HOME or AIROUTER_DATABASE_URL.")
    home.take()
    place = home.postgres_place(server_user())
    if not (place / "data").is_dir():
        raise CannotStart(f"There are no books in {home.path}. Set AIROUTER_HOME or AIROUTER_DATABASE_URL.")
    postgres = EmbeddedPostgres(place)
    stack.push_async_callback(postgres.stop)
    await postgres.start()
    return postgres.dsn()
