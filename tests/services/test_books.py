"""The audit finds every kind of drift, of a single unit, and nothing in books that are sound."""

import asyncio

import asyncpg
import pytest

from airouter.services import books
from airouter.storage.database import connect
from tests.customers import Customer, customer
from tests.gateway.test_credit import Start, start

__all__ = ["start"]


@pytest.fixture
async def used(database: str, start: Start) -> tuple[str, Customer]:
    """A database in which calls were made and one overran."""
    who = await customer(database, 1_000, [500])
    credit = await start()
    for cost in (100, 0, 250):
        hold = await credit.hold(who.wallet_id, who.keys[1], True, 250)
        credit.settle(hold, who.record(cost, who.keys[1]))
    hold = await credit.hold(who.wallet_id, who.key, False, 600)
    credit.settle(hold, who.record(900))
    await credit.stop(1)
    assert credit.figures().pending == 0
    return database, who


async def audit(dsn: str, *, full: bool = True) -> books.Audit:
    connection = await connect(dsn, as_owner=True)
    try:
        return await books.audit(connection, full=full)
    finally:
        await connection.close()


async def test_sound_books_are_found_sound(used: tuple[str, Customer]) -> None:
    report = await audit(used[0])
    assert report == books.Audit(
        ok=True, wallets=report.wallets, transfers=report.transfers, usage_records=4, drift=0, problems=[]
    )
    assert report.transfers >= 3
    assert (await audit(used[0], full=False)).ok


SPOILS = {
    "UPDATE wallets SET balance = balance + 1 WHERE kind = 'main'": ("a balance is not the sum", 1),
    "UPDATE wallets SET balance = balance + 5, leased = 1 WHERE kind = 'main'": ("a wallet's leased is not", 6),
    "UPDATE keys SET spent = spent + 1 WHERE spend_limit IS NOT NULL": ("a key's spent is not", 1),
    "UPDATE keys SET leased = 1 WHERE spend_limit IS NOT NULL": ("a key's leased is not", 1),
    "UPDATE usage_records SET charged = charged - 1 WHERE cost = 250": ("what records were charged is not", 3),
    "DELETE FROM usage_records WHERE cost = 100": ("what records were charged is not", None),
    "UPDATE usage_records SET cost = cost + 1 WHERE cost = 100": ("a cost is not what its record says", 2),
    "UPDATE usage_records SET multiplier_micros = 2000000 WHERE cost = 100": ("a cost is not what", 100),
    "UPDATE usage_records SET rate_card_id = gen_random_uuid() WHERE cost = 250": ("a cost is not what", 0),
    "INSERT INTO wallet_leases SELECT node_id, wallet_id, 1 FROM nodes, wallets WHERE kind = 'main'": ("not live", 1),
    "UPDATE nodes SET state = 'dead', seen_at = now() - interval '2 days'": ("nobody has brought in", 0),
    "INSERT INTO usage_records SELECT ('2020-01-01'::timestamptz), gen_random_uuid(), account_id, wallet_id,"
    " key_id, NULL, model, endpoint, status, usage_source, '{}', rate_card_id, 1, group_name, NULL, 0, 0, NULL, NULL,"
    " NULL, false, 0, NULL, NULL, '{}', '[]'"
    " FROM usage_records LIMIT 1": ("in no partition of their own", 0),
}


@pytest.mark.books_spoiled
@pytest.mark.parametrize("statement", SPOILS, ids=lambda statement: statement[:50])
async def test_every_kind_of_drift_is_found_to_the_unit(used: tuple[str, Customer], statement: str) -> None:
    dsn, _ = used
    connection = await asyncpg.connect(dsn)
    await connection.execute(statement)
    await connection.close()
    fact, drift = SPOILS[statement]
    report = await audit(dsn)
    assert not report.ok
    assert any(fact in problem for problem in report.problems), report.problems
    assert drift is None or report.drift == drift, report


async def test_the_serving_role_cannot_rewrite_history(used: tuple[str, Customer]) -> None:
    connection = await connect(used[0])
    try:
        for table in ("transfers", "usage_transfers"):
            for statement in (f"UPDATE {table} SET amount = amount + 1", f"DELETE FROM {table}", f"TRUNCATE {table}"):
                with pytest.raises(asyncpg.PostgresError):
                    await connection.execute(statement)
        partitions = await connection.fetch(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
            " WHERE i.inhparent = 'usage_transfers'::regclass"
        )
        assert len(partitions) >= 3
        for (name,) in partitions:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(f"DELETE FROM {name}")
    finally:
        await connection.close()


async def test_not_even_the_owner_changes_a_transfer(used: tuple[str, Customer]) -> None:
    connection = await connect(used[0], as_owner=True)
    try:
        for table in ("transfers", "usage_transfers"):
            with pytest.raises(asyncpg.RestrictViolationError):
                await connection.execute(f"UPDATE {table} SET amount = amount + 1")
            with pytest.raises(asyncpg.RestrictViolationError):
                await connection.execute(f"DELETE FROM {table}")
    finally:
        await connection.close()


async def test_an_audit_runs_beside_calls(database: str, start: Start) -> None:
    who = await customer(database, 100_000)
    credit = await start()
    audits = [asyncio.create_task(audit(database)) for _ in range(3)]
    for _ in range(200):
        credit.settle(await credit.hold(who.wallet_id, who.key, False, 100), who.record(70))
        await asyncio.sleep(0.001)
    assert all(report.ok for report in await asyncio.gather(*audits))
