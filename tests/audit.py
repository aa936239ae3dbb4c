"""What every test with a database ends with: the books must balance."""

from airouter.services.books import audit
from airouter.storage.database import connect
from tests.patience import PATIENCE_SECONDS


async def audit_books(dsn: str) -> None:
    """Fail when the audit finds anything in the database at `dsn`; it prices every record anew, not a sample."""
    connection = await connect(dsn, as_owner=True, command_seconds=PATIENCE_SECONDS)
    try:
        report = await audit(connection, full=True)
    finally:
        await connection.close()
    assert report.ok, "the test left books that do not balance:\n" + "\n".join(report.problems)
