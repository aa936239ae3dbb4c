"""What is done at the same moment to the same persons, teams and keys waits for its turn: nouns have one order."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from airouter.storage import alerts, budgets, erasure, groups, keys, registrations, teams, users, wallets
from tests.api.teams import ACCOUNTS, put_in, team_of, within
from tests.api.test_password_reset import confirm
from tests.api.test_sign_up import letters, token_in
from tests.builders import PASSWORD, Signed, run_sql, signed_in
from tests.patience import until

NEW = "seven purple trams at noon"
WAITING = """SELECT FROM pg_stat_activity
WHERE datname = current_database() AND state = 'active' AND wait_event_type = 'Lock'"""


class Meeting:
    """Lets each of some statements run, and then goes on with none before all have run or somebody waits for a lock."""

    def __init__(self, dsn: str, *statements: str) -> None:
        self._dsn = dsn
        self._missing = [*statements]

    def arrange(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("execute", "fetch", "fetchrow", "fetchval"):
            monkeypatch.setattr(asyncpg.Connection, name, self._meeting(getattr(asyncpg.Connection, name)))

    def _meeting(self, inner: Any) -> Any:
        async def run(connection: asyncpg.Connection, query: str, *arguments: Any, **options: Any) -> Any:
            answer = await inner(connection, query, *arguments, **options)
            if query in self._missing:
                self._missing.remove(query)
                await until(self._is_over)
            return answer

        return run

    async def _is_over(self) -> bool:
        return not self._missing or bool(await run_sql(self._dsn, WAITING))


@pytest.fixture
async def ada(app: Any, database: str) -> AsyncIterator[Signed]:
    async with signed_in(app, database) as signed:
        yield signed


@pytest.fixture
async def bob(app: Any, database: str) -> AsyncIterator[Signed]:
    async with signed_in(app, database) as signed:
        yield signed


@pytest.fixture
async def owner(app: Any, database: str) -> AsyncIterator[Signed]:
    async with signed_in(app, database, role="owner") as signed:
        yield signed


async def leaving_now(database: str, who: Signed) -> None:
    assert (await who.client.post("/api/v1/me/deletion", json={})).status_code == 202
    await run_sql(database, "UPDATE deletions SET due_at = now() - interval '1 second'")


async def erased(database: str) -> int:
    return len(await run_sql(database, "SELECT FROM deletions WHERE finished_at IS NOT NULL"))


async def test_a_key_is_made_while_its_team_is_deleted(
    database: str, ada: Signed, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = await team_of(ada)
    Meeting(database, wallets.QUERIES.lock_all_of, keys.QUERIES.hold_membership).arrange(monkeypatch)
    deleted, made = await asyncio.gather(
        ada.client.delete(f"{ACCOUNTS}/{team}"),
        ada.client.post("/api/v1/keys", json={"name": "late"}, headers=within(team)),
    )
    assert deleted.status_code == 204, deleted.text
    assert made.status_code < 500, made.text
    left = await run_sql(database, "SELECT FROM keys WHERE account_id = $1::text::uuid AND status = 'active'", team)
    assert left == []


async def test_a_key_to_try_things_out_is_made_while_its_maker_is_erased(
    app: Any, database: str, ada: Signed, bob: Signed, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = await team_of(ada)
    await put_in(database, team, bob, "member")
    await leaving_now(database, bob)
    Meeting(database, users.QUERIES.lock_user, keys.QUERIES.hold_membership).arrange(monkeypatch)
    made, _ = await asyncio.gather(
        bob.client.post("/api/v1/keys/ephemeral", json={}, headers=within(team)),
        app._house.services().jobs.run("deletions"),
    )
    assert made.status_code < 500, made.text
    assert await erased(database) == 1


async def test_a_team_is_deleted_while_its_only_member_is_erased(
    app: Any, database: str, bob: Signed, owner: Signed, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = {"remaining_balance": "forfeit", "deletion_grace_days": 3}
    assert (await owner.client.put("/api/v1/admin/policies/privacy", json=policy)).status_code == 200
    team = await team_of(bob)
    assert (await bob.client.post("/api/v1/keys", json={"name": "k"}, headers=within(team))).status_code == 201
    assert (await bob.client.post(f"{ACCOUNTS}/{team}/deletion", json={})).status_code == 202
    assert (await bob.client.post("/api/v1/me/deletion", json={})).status_code == 202
    for table in ("deletions", "team_deletions"):
        await run_sql(database, f"UPDATE {table} SET due_at = now() - interval '1 second'")
    Meeting(database, erasure.QUERIES.end_keys_of, teams.QUERIES.lock_team).arrange(monkeypatch)
    jobs = app._house.services().jobs
    await asyncio.gather(jobs.run("deletions"), jobs.run("team_deletions"))
    for table in ("deletions", "team_deletions"):
        assert len(await run_sql(database, f"SELECT FROM {table} WHERE finished_at IS NOT NULL")) == 1


async def test_a_password_is_changed_while_it_is_reset(
    client: Any, database: str, ada: Signed, owner: Signed, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await client.post("/api/v1/auth/password-reset", json={"email": ada.email})).status_code == 202
    token = token_in((await letters(owner, ada.email))[-1][1])
    Meeting(database, registrations.QUERIES.use_mailed_link, users.QUERIES.lock_user).arrange(monkeypatch)
    change = {"current_password": PASSWORD, "new_password": NEW}
    reset, changed = await asyncio.gather(confirm(client, token), ada.client.post("/api/v1/me/password", json=change))
    assert (reset.status_code, changed.status_code) in {(200, 422), (401, 204)}, "the first holds, the other is refused"


async def test_two_groups_are_changed_to_stand_for_each_other(
    database: str, owner: Signed, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "two"):
        made = await owner.client.post("/api/v1/admin/groups", json={"name": name, "multiplier_micros": 1_000_000})
        assert made.status_code == 201, made.text
    met = [sql for name, sql in vars(groups.QUERIES).items() if name.startswith("lock_group")]
    Meeting(database, *met, *met).arrange(monkeypatch)
    answers = await asyncio.gather(
        owner.client.patch("/api/v1/admin/groups/one", json={"members": ["two"]}),
        owner.client.patch("/api/v1/admin/groups/two", json={"members": ["one"]}),
    )
    assert sorted(answer.status_code for answer in answers) == [200, 422], [answer.text for answer in answers]


async def test_a_members_budgets_are_set_while_the_zone_of_the_account_changes(
    database: str, ada: Signed, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"/api/v1/accounts/{ada.account_id}"
    two = {"budgets": [{"period": "month", "limit": 100}, {"period": "day", "limit": 10}]}
    budget_of = f"{address}/members/{ada.user_id}/budgets"
    assert (await ada.client.put(budget_of, json=two)).status_code == 200
    await run_sql(database, "UPDATE budgets SET budget_id = CASE period WHEN 'day' THEN $1::uuid ELSE $2::uuid END",
                  "00000000-0000-7000-8000-000000000001", "00000000-0000-7000-8000-000000000002")  # fmt: skip
    Meeting(database, budgets.QUERIES.put_budget, budgets.QUERIES.lock_windows).arrange(monkeypatch)
    answers = await asyncio.gather(
        ada.client.put(budget_of, json=two), ada.client.put(f"{address}/time-zone", json={"time_zone": "Asia/Tokyo"})
    )
    assert [answer.status_code < 300 for answer in answers] == [True, True], [answer.text for answer in answers]


async def test_an_alert_is_changed_while_others_fire(
    app: Any, database: str, ada: Signed, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await ada.client.post("/api/v1/alerts", json={"kind": "low_balance", "threshold": 5, "to_mail": True})
    assert made.status_code == 201, made.text
    jobs = app._house.services().jobs
    await jobs.run("alerts")
    assert len(await run_sql(database, "SELECT FROM alert_firings")) == 1, "it has been told once"
    await run_sql(database, "UPDATE alert_firings SET subject = 'w1'")  # of something that is well again
    Meeting(database, alerts.QUERIES.rearm_alerts, alerts.QUERIES.change_alert).arrange(monkeypatch)
    changed, _ = await asyncio.gather(
        ada.client.patch(f"/api/v1/alerts/{made.json()['id']}", json={"threshold": 6}), jobs.run("alerts")
    )
    assert changed.status_code == 200, changed.text
