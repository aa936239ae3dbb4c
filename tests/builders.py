"""Makes what tests need in one line each, through the same doors as everybody else."""

import json
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import count
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import msgspec
from argon2 import PasswordHasher

from airouter.domain import pricing
from airouter.domain.ids import AccountId, RateCardId, UserId, minted_at, uuid7
from airouter.services.users import join
from airouter.services.wallets import Wallets
from airouter.storage import partitions
from airouter.storage.database import Database, connect
from airouter.storage.rate_cards import find_rate_card
from airouter.storage.sessions import Role
from airouter.world import new_id

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


async def priced_model(dsn: str, model: str = "demo-small", rates: dict[str, int] | None = None) -> UUID:
    """A model with a rate card in force; the card's id."""
    card_id = new_id()
    await run_sql(dsn, "INSERT INTO models (model) VALUES ($1) ON CONFLICT DO NOTHING", model)
    await run_sql(
        dsn,
        "INSERT INTO rate_cards (rate_card_id, model, version, rates, effective_at) "
        "SELECT $1, $2, coalesce(max(version), 0) + 1, $3::text::jsonb, now() FROM rate_cards WHERE model = $2",
        card_id,
        model,
        json.dumps(rates or {"input": 1_000_000_000, "output": 2_000_000_000}),
    )
    return card_id


async def api_key(dsn: str, account_id: AccountId) -> UUID:
    """An unlimited key of an account; its id."""
    key_id = new_id()
    await run_sql(
        dsn,
        "INSERT INTO keys (key_id, account_id, wallet_id, user_id, name, secret_hash, prefix) "
        "SELECT $1, w.account_id, w.wallet_id, m.user_id, 'test', $3, 'sk-air-test' "
        "FROM wallets w JOIN members m USING (account_id) WHERE w.account_id = $2 AND w.kind = 'main'",
        key_id,
        account_id,
        key_id.bytes,
    )
    return key_id


async def grant(dsn: str, account_id: AccountId, amount: int) -> None:
    """Quota from the house."""
    database = await Database.open(dsn)
    try:
        await Wallets(database).grant(account_id, amount, reference=str(new_id()))
    finally:
        await database.close()


async def spend(
    dsn: str,
    key_id: UUID,
    card_id: UUID,
    *,
    model: str = "demo-small",
    quantities: dict[str, int] | None = None,
    multiplier_micros: int = 1_000_000,
    at: datetime | None = None,
) -> UUID:
    """A settled call, charged in full, with books that balance; its request id."""
    quantities = quantities or {"input": 1000, "output": 500}
    request_id = uuid7(int((at or datetime.now(UTC)).timestamp() * 1000), int.from_bytes(os.urandom(10), "big"))
    transfer_id = new_id()
    connection = await connect(dsn, as_owner=True)
    try:
        card = await find_rate_card(connection, RateCardId(card_id))
        assert card is not None
        cost, _ = pricing.cost(quantities, card.card(), multiplier_micros, None, "chat.completions")
        await partitions.make(connection, minted_at(request_id))
        async with connection.transaction():
            key = await connection.fetchrow("SELECT account_id, wallet_id FROM keys WHERE key_id = $1", key_id)
            assert key is not None
            balance = await connection.fetchval(
                "UPDATE wallets SET balance = balance - $2 WHERE wallet_id = $1 RETURNING balance",
                key["wallet_id"],
                cost,
            )
            await connection.execute("UPDATE keys SET spent = spent + $2 WHERE key_id = $1", key_id, cost)
            await connection.execute(
                "INSERT INTO usage_transfers (created_at, transfer_id, kind, reference, debit_wallet, credit_wallet, "
                "amount, debit_balance) VALUES ($1, $2, 'usage', $3, $4, 3, $5, $6)",
                minted_at(request_id), transfer_id, str(transfer_id), key["wallet_id"], cost, balance,
            )  # fmt: skip
            await connection.execute(
                "INSERT INTO usage_records (created_at, request_id, account_id, wallet_id, key_id, transfer_id, model, "
                "endpoint, status, usage_source, quantities, rate_card_id, multiplier_micros, group_name, cost, "
                "charged, is_streaming, latency_ms) "
                "VALUES ($1, $2, $3, $4, $5, $6, $7, 'chat.completions', 'ok', 'provider', "
                "$8::text::jsonb, $9, $10, 'default', $11, $11, false, 12)",
                minted_at(request_id), request_id, key["account_id"], key["wallet_id"], key_id, transfer_id, model,
                json.dumps(quantities), card_id, multiplier_micros, cost,
            )  # fmt: skip
    finally:
        await connection.close()
    return request_id


async def people(dsn: str, count: int) -> list[tuple[UUID, int, UUID]]:
    """(account, wallet, user) of so many new people."""
    found = [(await person(dsn))[1] for _ in range(count)]
    wallets = await run_sql(dsn, "SELECT account_id, wallet_id FROM wallets WHERE kind = 'main'")
    by_account = {row["account_id"]: row["wallet_id"] for row in wallets}
    return [(joined.account_id, by_account[joined.account_id], joined.user_id) for joined in found]
