"""Makes what tests need in one line each, through the same doors as everybody else."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import asyncpg
import httpx
import msgspec

from airouter.domain.ids import AccountId, UserId
from airouter.services.users import join
from airouter.storage.database import Database
from airouter.storage.sessions import Role
from argon2 import PasswordHasher

PASSWORD = "correct horse battery staple"
_CHEAP_HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
_numbers = count(1)


class Signed(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who is signed in: requests made with `client` carry their token."""

    email: str
    user_id: UserId
    account_id: AccountId
    access_token: str
    client: httpx.AsyncClient


async def person(dsn: str, *, role: Role = "user", group: str = "default", email: str | None = None) -> tuple[str, Any]:
    """(e-mail address, ids) of somebody whose password is PASSWORD."""
    email = email or f"person{next(_numbers)}@example.com"
    database = await Database.open(dsn)
    try:
        async with database.transaction() as connection:
            return email, await join(connection, email, _CHEAP_HASH, role=role, group_name=group)
    finally:
        await database.close()


@asynccontextmanager
async def signed_in(app: Any, dsn: str, **who: Any) -> AsyncIterator[Signed]:
    """A new person with a client of their own, signed in through the front door."""
    email, joined = await person(dsn, **who)
    transport = httpx.ASGITransport(app=app, client=("198.51.100.7", 1234), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as client:
        answer = await client.post("/api/v1/auth/login", json={"email": email, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        token = answer.json()["access_token"]
        client.headers["authorization"] = f"Bearer {token}"
        yield Signed(
            email=email, user_id=joined.user_id, account_id=joined.account_id, access_token=token, client=client
        )


async def run_sql(dsn: str, statement: str, *arguments: Any) -> list[asyncpg.Record]:
    """Straight into the database, as its owner."""
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetch(statement, *arguments)
    finally:
        await connection.close()


def cookie_of(answer: httpx.Response) -> str:
    """The value of the refresh cookie that an answer sets."""
    found = re.search(r"airouter_refresh=([^;]*)", answer.headers.get("set-cookie", ""))
    assert found, answer.headers
    return found[1].strip('"')
