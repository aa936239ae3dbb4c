"""What every test with a database ends with: the books must balance."""

import importlib
import importlib.util


async def audit_books(dsn: str) -> None:
    """Fail when the audit finds drift in the database at `dsn`.

    The audit is `airouter.services.audit.audit(dsn)`; a tree without it has no books yet.
    """
    if importlib.util.find_spec("airouter.services.audit") is None:
        return
    module = importlib.import_module("airouter.services.audit")
    report = await module.audit(dsn)
    assert not report.problems, "the test left books that do not balance:\n" + "\n".join(map(str, report.problems))
