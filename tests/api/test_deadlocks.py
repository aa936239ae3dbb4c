"""Should transactions wait for each other in a circle all the same: Postgres ends one, nothing is lost, whoever asked
comes again, and the run of tests does not pass.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from airouter.domain.errors import DatabaseUnavailable
from airouter.services.jobs import Job, Jobs
from airouter.storage import teams
from airouter.storage.database import Database
from tests import deadlocks
from tests.api.teams import ACCOUNTS, put_in, team_of, within
from tests.builders import run_sql, signed_in
from tests.patience import until

pytestmark = pytest.mark.deadlock_provoked


class Stranger:
    """Holds one row, and asks for another that somebody who wants the first has locked; it never gives in."""

    def __init__(self, connection: asyncpg.Connection, admin: asyncpg.Connection) -> None:
        self._connection = connection
        self._admin = admin
        self._asked: asyncio.Task[object] | None = None

    async def hold(self, sql: str, *arguments: object) -> None:
        await self._connection.execute("BEGIN")
        await self._connection.execute(sql, *arguments)

    async def ask(self, sql: str, *arguments: object) -> None:
        """Returns when it waits."""
        self._asked = asyncio.create_task(self._connection.execute(sql, *arguments))
        pid = self._connection.get_server_pid()

        async def waits() -> bool:
            sql = "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $1"
            return bool(await self._admin.fetchval(sql, pid))

        await until(waits)

    async def let_go(self) -> None:
        """Whoever was in the way has given in."""
        assert self._asked is not None, "it met nobody"
        await self._asked
        await self._connection.execute("ROLLBACK")


@asynccontextmanager
async def stranger_in(dsn: str) -> AsyncIterator[Stranger]:
    connection = await asyncpg.connect(dsn, server_settings={"deadlock_timeout": "1h"})
    admin = await asyncpg.connect(dsn)
    try:
        yield Stranger(connection, admin)
    finally:
        connection.terminate()
        await admin.close()


async def test_a_request_that_meets_one_says_503_and_loses_nothing(
    app: Any, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with signed_in(app, database) as ada, signed_in(app, database) as bob, stranger_in(database) as stranger:
        team = await team_of(ada)
        await put_in(database, team, bob, "member")
        await stranger.hold("SELECT FROM members WHERE user_id = $1 FOR UPDATE", bob.user_id)
        find_member = teams.find_member

        async def meanwhile(*arguments: Any) -> Any:
            monkeypatch.setattr(teams, "find_member", find_member)
            await stranger.ask("SELECT FROM accounts WHERE account_id = $1::text::uuid FOR UPDATE", team)
            return await find_member(*arguments)

        monkeypatch.setattr(teams, "find_member", meanwhile)
        address = f"{ACCOUNTS}/{team}/members/{bob.user_id}"
        refused = await ada.client.delete(address, headers=within(team))
        assert (refused.status_code, refused.json()["code"]) == (503, "database_unavailable"), refused.text
        assert int(refused.headers["retry-after"]) > 0
        await stranger.let_go()
        assert len(await run_sql(database, "SELECT FROM members WHERE user_id = $1", bob.user_id)) == 2, "as before"

        assert (await ada.client.delete(address, headers=within(team))).status_code < 300
        told = await run_sql(database, "SELECT FROM audit_log WHERE action = 'member.removed'")
        assert len(told) == 1, "it was done once"


async def test_a_job_that_meets_one_runs_again(database: str) -> None:
    await run_sql(database, "INSERT INTO accounts (account_id, name) VALUES (gen_random_uuid(), 'first')")
    await run_sql(database, "INSERT INTO accounts (account_id, name) VALUES (gen_random_uuid(), 'second')")
    opened = await Database.open(database)
    ends: list[str] = []
    lock = "SELECT FROM accounts WHERE name = $1 FOR UPDATE"
    async with stranger_in(database) as stranger:
        await stranger.hold(lock, "second")

        async def work() -> None:
            async with opened.transaction() as connection:
                await connection.execute("UPDATE accounts SET time_zone = 'Asia/Shanghai' WHERE name = 'first'")
                if not ends:
                    await stranger.ask(lock, "first")
                    ends.append("refused")
                await connection.execute(lock, "second")
            ends.append("done")

        jobs = Jobs(opened)
        jobs.add(Job(name="met", run=work, pause=timedelta(seconds=0.05)))
        jobs.start()
        try:

            async def has_met() -> bool:
                return bool(ends)

            await until(has_met)
            await stranger.let_go()

            async def is_done() -> bool:
                rows = await run_sql(database, "SELECT last_run_at, last_error FROM jobs WHERE name = 'met'")
                return "done" in ends and rows[0]["last_run_at"] is not None and rows[0]["last_error"] is None

            await until(is_done)
        finally:
            await jobs.stop()
            await opened.close()
    assert ends[:2] == ["refused", "done"]
    changed = await run_sql(database, "SELECT name FROM accounts WHERE time_zone <> 'UTC'")
    assert [row["name"] for row in changed] == ["first"], "what the first run did was undone, and done by the next"


async def test_one_that_nobody_meant_fails_the_run_and_says_whose_it_was(
    database: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = await Database.open(database)
    await run_sql(database, "INSERT INTO accounts (account_id, name) VALUES (gen_random_uuid(), 'first')")
    async with stranger_in(database) as stranger:
        await stranger.hold("UPDATE versions SET version = version WHERE name = 'keys'")

        async def meet() -> None:
            async with opened.transaction() as connection:
                await connection.execute("UPDATE accounts SET name = 'other'")
                await stranger.ask("UPDATE accounts SET name = 'another'")
                await connection.execute("UPDATE versions SET version = version + 1 WHERE name = 'keys'")

        with pytest.raises(DatabaseUnavailable):
            await meet()
        await stranger.let_go()
    await opened.close()
    if not deadlocks.LOGS:
        pytest.skip("the server was configured, and its log is elsewhere")
    log = deadlocks.LOGS[-1]
    monkeypatch.setattr(deadlocks, "PROVOKED", set())
    with pytest.raises(AssertionError, match="waited for each other"):
        deadlocks.refuse_in(log)
    [said] = [story for story in deadlocks.found(log.read_text()) if request.node.nodeid in story]
    assert "UPDATE accounts SET name = 'another'" in said
    assert "UPDATE versions SET version = version + 1" in said
