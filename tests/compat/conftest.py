"""An installation that lets tools of older gateways in."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.api.conftest import app, client
from tests.builders import Signed, signed_in

__all__ = ["app", "client"]


@pytest.fixture
async def owner(app: Any, database: str) -> AsyncIterator[Signed]:
    async with signed_in(app, database, role="owner") as signed:
        yield signed


@pytest.fixture
async def holder(app: Any, database: str) -> AsyncIterator[Signed]:
    async with signed_in(app, database) as signed:
        yield signed


@pytest.fixture
async def switched_on(owner: Signed) -> httpx.AsyncClient:
    """The operator's client, after the policy was switched on."""
    answer = await owner.client.put("/api/v1/admin/policies/compat", json={"enabled": True})
    assert answer.status_code == 200, answer.text
    return owner.client
