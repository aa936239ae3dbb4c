"""One server for a file of tests, both ways into a door."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests import postgres
from tests.audit import audit_books
from tests.live import Live, serving


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["hot", "asgi"])
async def house(
    postgres_server: str,
    template_database: str,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> AsyncIterator[Live]:
    """A gateway with a scripted channel and the model `demo`, shared by the tests of a file; its books are audited."""
    async with postgres.cloned(postgres_server, template_database) as dsn:
        async with serving(dsn, tmp_path_factory.mktemp("home"), hot=request.param == "hot") as live:
            await live.model()
            await live.channel()
            yield live
        await audit_books(dsn)
