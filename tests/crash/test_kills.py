"""kill -9, SIGSTOP, broken connections, Postgres stopped hard: every complete answer is charged exactly once."""

import asyncio
import os
import signal
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from airouter.domain.errors import DomainError
from airouter.running.postgres import NOT_DURABLE, EmbeddedPostgres
from airouter.services.budgets import Budget, set_key_budgets
from airouter.services.wallets import Wallets
from airouter.storage.database import AWAY, Database
from airouter.storage.migrate import migrate
from tests import deadlocks
from tests.audit import audit_books
from tests.crash.gateways import Gateways, assert_settled
from tests.customers import Customer, customer
from tests.effort import EFFORT
from tests.patience import PATIENCE_WITH_PROCESSES_SECONDS, until

ANSWERS_MIN = 100
"""With fewer there would be little to count."""
SEED = int(os.environ.get("AIROUTER_TEST_SEED", "1"))


@pytest.fixture
async def own_postgres() -> AsyncIterator[EmbeddedPostgres]:
    """A server of its own, because it will be stopped hard."""
    with tempfile.TemporaryDirectory(prefix="airouter-kills-") as place:
        server = EmbeddedPostgres(Path(place), options=(*NOT_DURABLE, deadlocks.LINE_PREFIX))
        await server.start()
        try:
            yield server
        finally:
            await server.stop()
        deadlocks.refuse_in(server.log)


async def stop_hard(server: EmbeddedPostgres) -> None:
    """SIGQUIT: every backend ends at once, committing or not; then crash recovery."""
    assert server.pid is not None
    os.kill(server.pid, signal.SIGQUIT)
    while server.is_alive():
        await asyncio.sleep(0.02)
    await server.start()


async def break_connections(admin: asyncpg.Connection) -> None:
    await admin.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend' AND random() < 0.7"
    )


@pytest.mark.timeout(3600)
async def test_every_complete_answer_is_charged_once_whatever_is_killed(
    own_postgres: EmbeddedPostgres, tmp_path: Path
) -> None:
    dsn = own_postgres.dsn()
    await migrate(dsn)
    customers = [await customer(dsn, 3_000_000, [400_000, 40_000]) for _ in range(3)]
    for who in customers:
        await _set_budget(dsn, who, 10_000_000)
    gateways = Gateways(tmp_path, dsn, customers, seed=SEED)
    rng = gateways.rng
    print(f"seed {SEED}")
    kills = stops = 0
    try:
        for _ in range(3):
            gateways.start()
        await asyncio.sleep(1.0)
        while kills < EFFORT.kills:
            await asyncio.sleep(rng.uniform(0.05, 0.6))
            fate = rng.random()
            if fate < 0.6 or not kills:
                await gateways.kill_one()
                gateways.start()
                kills += 1
            elif fate < 0.7:
                process = rng.choice(gateways.running)
                process.send_signal(signal.SIGSTOP)
                asyncio.get_running_loop().call_later(rng.choice([0.3, 1.0]), process.send_signal, signal.SIGCONT)
            elif fate < 0.85:
                await _with_connection(dsn, break_connections)
            elif fate < 0.9 and stops < 1 + EFFORT.kills // 20:
                await stop_hard(own_postgres)
                stops += 1
            elif fate < 0.95:
                await _set_budget(dsn, rng.choice(customers), rng.choice([0, 50_000, 10_000_000]))
            else:
                await _move_money(dsn, rng.choice(customers).account_id, rng.randint(-200_000, 2_000_000))
        if not stops:
            await stop_hard(own_postgres)
        await audit_books(dsn)  # while they serve
        await until(lambda: len(gateways.answers()) > ANSWERS_MIN, PATIENCE_WITH_PROCESSES_SECONDS)
        await until(gateways.are_alone, PATIENCE_WITH_PROCESSES_SECONDS)
        gateways.stop()
    finally:
        gateways.end()
    answers = await assert_settled(dsn, gateways)
    await audit_books(dsn)
    print(f"{answers} answers, {kills} kills, {stops} hard stops, {dict(gateways.stats)}")
    assert answers > ANSWERS_MIN
    assert not gateways.errors()


async def _with_connection(dsn: str, act: object) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await act(connection)  # type: ignore[operator]
    finally:
        await connection.close()


async def _set_budget(dsn: str, who: Customer, limit: int) -> None:
    """Of the first of their limited keys; the audits look at it."""
    database = await Database.open(dsn, size_max=1)
    try:
        async with database.transaction() as connection:
            await set_key_budgets(connection, who.account_id, who.keys[1], [Budget(period="day", limit=limit)])
    except (DomainError, *AWAY):
        pass
    finally:
        await database.close()


async def _move_money(dsn: str, account_id: object, amount: int) -> None:
    database = await Database.open(dsn, size_max=1)
    try:
        await Wallets(database).adjust(account_id, amount or 1, reference=f"a{time.time_ns()}", reason="test")
    except (DomainError, *AWAY):
        pass
    finally:
        await database.close()
