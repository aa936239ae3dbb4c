"""Bringing the database up to date, with refusals in words a person can act on."""

from airouter.running.errors import CannotStart
from airouter.settings import Settings, without_password
from airouter.storage.migrate import MigrationError, migrate


async def bring_up_to_date(settings: Settings) -> list[str]:
    """Apply what is missing; the names of it.

    Raises: CannotStart when the database and this version do not fit, or it cannot be reached.
    """
    try:
        return await migrate(settings.database_direct, currency=settings.currency, is_demo=settings.is_demo)
    except MigrationError as error:
        raise CannotStart(f"The database does not fit: {error}.") from error
    except Exception as error:
        # Only storage/ knows the driver's errors; here they are told apart from our own bugs by where they come from.
        if not isinstance(error, OSError) and not type(error).__module__.startswith("asyncpg"):
            raise
        where = without_password(settings.database_direct)
        raise CannotStart(f"The database {where} cannot be used: {error or type(error).__name__}.") from error
