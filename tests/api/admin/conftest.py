"""Those who may, and those who may not."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.builders import Signed, signed_in


@pytest.fixture
async def operator(app: Any, database: str) -> AsyncIterator[httpx.AsyncClient]:
    """Requests of an operator."""
    async with signed_in(app, database, role="operator") as signed:
        yield signed.client


@pytest.fixture
async def owner(app: Any, database: str) -> AsyncIterator[Signed]:
    async with signed_in(app, database, role="owner") as signed:
        yield signed


@pytest.fixture
async def holder(app: Any, database: str) -> AsyncIterator[Signed]:
    """Somebody of the default group."""
    async with signed_in(app, database) as signed:
        yield signed
