"""One's own data: the copy of it, and what is left of somebody who left."""

import asyncio
import io
import json
import zipfile
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import pytest

from airouter.app import Application
from airouter.domain.ids import AccountId
from airouter.services.wallets import credit
from airouter.storage import wallets
from airouter.storage.database import Database
from tests.api.teams import invite, stored_team, team_of, token_of
from tests.builders import PASSWORD, Signed, api_key, grant, person, priced_model, run_sql, signed_in, spend
from tests.patience import until

ME = "/api/v1/me"


@pytest.fixture
async def somebody(app: Any, database: str) -> AsyncIterator[Signed]:
    async with signed_in(app, database, email="Ada.Lovelace@example.org") as signed:
        yield signed


@pytest.fixture
async def operator(app: Any, database: str) -> AsyncIterator[Signed]:
    async with signed_in(app, database, role="owner") as signed:
        yield signed


async def work(app: Application, job: str) -> None:
    """The job, once, now."""
    await app._house.services().jobs.run(job)


async def put_policy(operator: Signed, topic: str, **value: Any) -> None:
    answer = await operator.client.put(f"/api/v1/admin/policies/{topic}", json=value)
    assert answer.status_code == 200, answer.text


async def make_due(database: str) -> None:
    await run_sql(database, "UPDATE deletions SET due_at = now() - interval '1 second'")


async def unpacked(somebody: Signed, stranger: httpx.AsyncClient) -> dict[str, Any]:
    link = (await somebody.client.post(f"{ME}/export/link")).json()["url"]
    answer = await stranger.get(link)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/zip"
    assert (await stranger.get(link)).status_code == 401, "it works once"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        return {
            name: [json.loads(line) for line in archive.read(name).splitlines()]
            if name.endswith(".jsonl")
            else json.loads(archive.read(name))
            for name in archive.namelist()
            if name.endswith((".json", ".jsonl"))
        }


async def test_a_copy_of_ones_data_has_every_chapter_and_no_secret(
    app: Any, database: str, somebody: Signed, operator: Signed, client: httpx.AsyncClient
) -> None:
    assert (await somebody.client.get(f"{ME}/export")).json() == {"export": None}
    linked = await operator.client.post(f"/api/v1/admin/users/{somebody.user_id}/password-link")
    assert linked.status_code == 201, linked.text
    made = (await somebody.client.post("/api/v1/keys", json={"name": "my laptop"})).json()
    await grant(database, somebody.account_id, 10**9)
    card = await priced_model(database)
    request_id = await spend(database, made["id"], card)
    other = (await person(database))[1]
    await grant(database, other.account_id, 10**9)
    await spend(database, await api_key(database, other.account_id), card)

    answer = await somebody.client.post(f"{ME}/export")
    assert (answer.status_code, answer.json()["status"]) == (202, "pending")
    assert (await somebody.client.post(f"{ME}/export")).json()["id"] == answer.json()["id"], "one at a time"
    await work(app, "personal_exports")
    assert (await somebody.client.get(f"{ME}/export")).json()["export"]["status"] == "ready"

    files = await unpacked(somebody, client)
    assert files["profile.json"][0]["email"] == "Ada.Lovelace@example.org"
    assert [key["name"] for key in files["keys.json"]] == ["my laptop"]
    assert [line["request_id"] for line in files["usage.jsonl"]] == [str(request_id)]
    assert [line["amount"] for line in files["transfers.json"]] == [10**9]
    addresses = {act["action"]: act["address"] for act in files["audit_log.json"]}
    assert addresses["user.export_requested"] == "198.51.100.7"
    assert addresses["user.password_link_made"] is None, "from where an operator did it is not theirs to know"
    assert files["sessions.json"][0]["address"] == "198.51.100.7"
    everything = json.dumps(files)
    assert made["key"] not in everything
    assert "password" not in json.dumps(files["profile.json"])
    assert str(other.user_id) not in everything


async def test_a_copy_is_made_soon_after_it_is_asked_for(app: Any, somebody: Signed) -> None:
    async def is_ready() -> bool:
        return (await somebody.client.get(f"{ME}/export")).json()["export"]["status"] == "ready"

    app._house.services().jobs.start()
    await somebody.client.post(f"{ME}/export")
    await until(is_ready)


async def test_a_copy_is_gone_after_its_day_and_a_new_one_takes_its_place(
    app: Any, database: str, somebody: Signed, client: httpx.AsyncClient
) -> None:
    for _ in range(2):
        await somebody.client.post(f"{ME}/export")
        await work(app, "personal_exports")
    kept = await run_sql(database, "SELECT 1 FROM personal_exports WHERE content IS NOT NULL")
    assert len(kept) == 1
    first = (await somebody.client.post(f"{ME}/export/link")).json()["url"]
    second = (await somebody.client.post(f"{ME}/export/link")).json()["url"]
    assert (await client.get(first)).status_code == 401, "a new link replaces the one before"
    await run_sql(database, "UPDATE personal_exports SET expires_at = now() - interval '1 second'")
    assert (await client.get(second)).status_code == 401
    assert (await somebody.client.post(f"{ME}/export/link")).status_code == 404
    await work(app, "personal_exports")
    assert await run_sql(database, "SELECT 1 FROM personal_exports WHERE content IS NOT NULL") == []


async def test_leaving_can_be_cancelled_until_it_is_due(app: Any, database: str, somebody: Signed) -> None:
    assert (await somebody.client.get(f"{ME}/deletion")).json() == {"deletion": None}
    answer = await somebody.client.post(f"{ME}/deletion", json={})
    assert answer.status_code == 202, answer.text
    assert (await somebody.client.get(f"{ME}/deletion")).json()["deletion"] == answer.json()
    assert (await somebody.client.delete(f"{ME}/deletion")).status_code == 204
    assert (await somebody.client.get(f"{ME}/deletion")).json() == {"deletion": None}
    await work(app, "deletions")
    assert (await somebody.client.get(ME)).status_code == 200
    await somebody.client.post(f"{ME}/deletion", json={})
    await make_due(database)
    answer = await somebody.client.delete(f"{ME}/deletion")
    assert (answer.status_code, answer.json()["code"]) == (409, "deletion_under_way")


async def test_it_needs_a_fresh_proof(database: str, somebody: Signed) -> None:
    await run_sql(database, "UPDATE sessions SET authenticated_at = now() - interval '1 day'")
    answer = await somebody.client.post(f"{ME}/deletion", json={})
    assert (answer.status_code, answer.json()["code"]) == (403, "reauthentication_required")


async def test_keys_end_at_once_when_asked_for(database: str, somebody: Signed) -> None:
    made = (await somebody.client.post("/api/v1/keys", json={"name": "k"})).json()
    await somebody.client.post(f"{ME}/deletion", json={"end_keys_now": True})
    assert (await somebody.client.get("/api/v1/keys")).json()["items"] == []
    assert (await run_sql(database, "SELECT status FROM keys WHERE key_id = $1", made["id"]))[0]["status"] == "deleted"


async def test_of_somebody_who_left_only_ids_remain(
    app: Any, database: str, operator: Signed, somebody: Signed, client: httpx.AsyncClient
) -> None:
    await put_policy(operator, "privacy", deletion_grace_days=3, remaining_balance="forfeit")
    await operator.client.patch(f"/api/v1/admin/users/{somebody.user_id}", json={"status": "active"})
    made = (await somebody.client.post("/api/v1/keys", json={"name": "Ada's laptop"})).json()
    await grant(database, somebody.account_id, 10**9)
    request_id = await spend(database, made["id"], await priced_model(database))
    await somebody.client.post(f"{ME}/export")
    await work(app, "personal_exports")
    assert (await somebody.client.post(f"{ME}/deletion", json={})).status_code == 202
    await work(app, "deletions")
    assert (await somebody.client.get(ME)).status_code == 200, "it is not due yet"
    await make_due(database)
    await work(app, "deletions")

    gone = somebody.user_id
    assert (await somebody.client.get(ME)).status_code == 401
    credentials = {"email": "Ada.Lovelace@example.org", "password": PASSWORD}
    assert (await client.post("/api/v1/auth/login", json=credentials)).status_code == 401
    assert await mentions(database, "lovelace", "Ada's") == []
    assert await run_sql(database, "SELECT 1 FROM sessions WHERE address IS NOT NULL AND user_id = $1", gone) == []
    assert await run_sql(database, "SELECT 1 FROM audit_log WHERE address IS NOT NULL AND user_id = $1", gone) == []
    records = await run_sql(database, "SELECT account_id FROM usage_records WHERE request_id = $1", request_id)
    assert [row["account_id"] for row in records] == [somebody.account_id]
    account = (await operator.client.get(f"/api/v1/admin/accounts/{somebody.account_id}")).json()
    assert (account["balance"], account["status"]) == (0, "paused")
    forfeited = await run_sql(database, "SELECT amount, credit_wallet FROM transfers WHERE kind = 'forfeit'")
    assert [tuple(row) for row in forfeited] == [(10**9 - 2_000_000, 2)]
    acts = (await operator.client.get("/api/v1/admin/audit-log", params={"subject_id": str(somebody.user_id)})).json()
    assert "user.erased" in {act["action"] for act in acts["items"]}

    await person(database, email="ada.lovelace@example.org")  # the address is free again


async def mentions(database: str, *words: str) -> list[tuple[str, str]]:
    """(table, row) of every row of every table that has one of the words in it."""
    tables = await run_sql(
        database,
        "SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace",
    )
    found = []
    for table in tables:
        rows = await run_sql(database, f'SELECT t::text AS row FROM "{table["name"]}" t')
        found += [
            (table["name"], row["row"]) for row in rows if any(word.lower() in row["row"].lower() for word in words)
        ]
    return found


async def test_what_is_left_is_refused_unless_the_policy_takes_it(
    app: Any, database: str, operator: Signed, somebody: Signed
) -> None:
    await grant(database, somebody.account_id, 5)
    answer = await somebody.client.post(f"{ME}/deletion", json={})
    assert (answer.status_code, answer.json()["code"], answer.json()["balance"]) == (409, "balance_remains", 5)
    await put_policy(operator, "privacy", remaining_balance="forfeit")
    assert (await somebody.client.post(f"{ME}/deletion", json={})).status_code == 202
    await put_policy(operator, "privacy", remaining_balance="keep_refusing")
    await make_due(database)
    await work(app, "deletions")
    assert (await somebody.client.get(ME)).status_code == 200, "postponed: the policy changed"
    acts = (await operator.client.get("/api/v1/admin/audit-log", params={"action": "user.deletion_postponed"})).json()
    assert [act["after"]["reason"] for act in acts["items"]] == ["balance_remains"]


async def test_the_only_owner_of_a_team_hands_it_over_first(database: str, somebody: Signed) -> None:
    other = (await person(database))[1]
    team = await stored_team(database, owner=somebody.user_id, member=other.user_id)
    answer = await somebody.client.post(f"{ME}/deletion", json={})
    assert (answer.status_code, answer.json()["code"]) == (409, "teams_need_owner")
    assert answer.json()["account_ids"] == [str(team)]
    await run_sql(database, "UPDATE members SET team_role = 'owner' WHERE user_id = $1", other.user_id)
    assert (await somebody.client.post(f"{ME}/deletion", json={})).status_code == 202


async def test_a_team_keeps_what_a_member_leaves_behind(app: Any, database: str, somebody: Signed) -> None:
    other = (await person(database))[1]
    team = await stored_team(database, owner=other.user_id, member=somebody.user_id)
    await grant(database, team, 7)
    somebody.client.headers["x-account-id"] = str(team)
    made = (await somebody.client.post("/api/v1/keys", json={"name": "theirs"})).json()
    del somebody.client.headers["x-account-id"]
    await somebody.client.post(f"{ME}/deletion", json={})
    await make_due(database)
    await work(app, "deletions")
    key = (await run_sql(database, "SELECT status, name FROM keys WHERE key_id = $1", made["id"]))[0]
    assert tuple(key) == ("disabled", "theirs")
    rows = await run_sql(database, "SELECT balance FROM wallets WHERE account_id = $1 AND kind = 'main'", team)
    assert rows[0]["balance"] == 7
    members = await run_sql(database, "SELECT user_id FROM members WHERE account_id = $1", team)
    assert [row["user_id"] for row in members] == [other.user_id]


async def test_the_last_owner_of_the_place_stays(operator: Signed) -> None:
    answer = await operator.client.post(f"{ME}/deletion", json={})
    assert (answer.status_code, answer.json()["code"]) == (409, "last_instance_owner")


async def test_an_operator_deletes_on_behalf_but_not_those_who_run_the_place(
    app: Any, database: str, operator: Signed, somebody: Signed
) -> None:
    async with signed_in(app, database, role="operator") as lesser:
        path = f"/api/v1/admin/users/{operator.user_id}/deletion"
        assert (await lesser.client.post(path, json={})).status_code == 403
        path = f"/api/v1/admin/users/{somebody.user_id}/deletion"
        answer = await lesser.client.post(path, json={})
        assert (answer.status_code, answer.json()["is_by_operator"]) == (202, True)
        assert (await lesser.client.get(path)).json()["deletion"] == answer.json()
        assert (await lesser.client.delete(path)).status_code == 204
        assert (await lesser.client.get(path)).json() == {"deletion": None}
        assert (await somebody.client.post(path, json={})).status_code == 403


@pytest.mark.parametrize("runs", [2])
async def test_two_processes_erase_once(app: Any, database: str, somebody: Signed, operator: Signed, runs: int) -> None:
    await put_policy(operator, "privacy", remaining_balance="forfeit")
    await grant(database, somebody.account_id, 5)
    await somebody.client.post(f"{ME}/deletion", json={})
    await make_due(database)
    await asyncio.gather(*(work(app, "deletions") for _ in range(runs)))
    acts = (await operator.client.get("/api/v1/admin/audit-log", params={"action": "user.erased"})).json()["items"]
    assert len(acts) == 1
    assert len(await run_sql(database, "SELECT 1 FROM transfers WHERE kind = 'forfeit'")) == 1


async def five_in_use(database: str, account_id: AccountId) -> None:
    """An account has so much, and calls hold all of it."""
    await grant(database, account_id, 5)
    await run_sql(
        database,
        "WITH n AS (INSERT INTO nodes (node_id) VALUES (gen_random_uuid()) RETURNING node_id), "
        "w AS (UPDATE wallets SET leased = 5 WHERE account_id = $1 AND kind = 'main' RETURNING wallet_id) "
        "INSERT INTO wallet_leases (node_id, wallet_id, amount) SELECT node_id, wallet_id, 5 FROM n, w",
        account_id,
    )


async def test_what_calls_still_hold_is_waited_for_and_the_next_run_goes_on(
    app: Any, database: str, somebody: Signed, operator: Signed
) -> None:
    await put_policy(operator, "privacy", remaining_balance="forfeit")
    await five_in_use(database, somebody.account_id)
    await somebody.client.post(f"{ME}/deletion", json={})
    await make_due(database)
    await work(app, "deletions")
    assert await run_sql(database, "SELECT 1 FROM users WHERE erased_at IS NOT NULL") == []
    assert (await operator.client.get(f"/api/v1/admin/accounts/{somebody.account_id}")).json()["status"] == "paused"
    await run_sql(
        database,
        "WITH l AS (DELETE FROM wallet_leases RETURNING wallet_id) "
        "UPDATE wallets SET leased = 0 WHERE wallet_id IN (SELECT wallet_id FROM l)",
    )
    await work(app, "deletions")
    assert len(await run_sql(database, "SELECT 1 FROM users WHERE erased_at IS NOT NULL")) == 1


async def test_money_that_comes_at_the_last_moment_keeps_its_account(app: Any, database: str, somebody: Signed) -> None:
    await somebody.client.post(f"{ME}/deletion", json={})
    await make_due(database)
    pool = await Database.open(database)
    try:
        async with pool.transaction() as connection:
            wallet_id = await wallets.main_wallet_of(connection, somebody.account_id)
            assert wallet_id is not None
            await credit(connection, kind="grant", reference="late", wallet_id=wallet_id, amount=7)
            erasing = asyncio.create_task(work(app, "deletions"))
            await until(lambda: _waits_or_is_done(database, erasing))
        await erasing
    finally:
        await pool.close()
    assert (await somebody.client.get("/api/v1/wallet")).json()["balance"] == 7, "and its person is still there"
    assert await run_sql(database, "SELECT 1 FROM users WHERE erased_at IS NOT NULL") == []


async def _waits_or_is_done(database: str, task: asyncio.Task[None]) -> bool:
    waiting = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    return task.done() or bool(await run_sql(database, waiting))


async def test_nobody_joins_a_team_that_ends_with_its_only_member(
    app: Any, database: str, somebody: Signed, operator: Signed
) -> None:
    """Not even while calls hold some of what is left, and it cannot end yet."""
    await put_policy(operator, "privacy", remaining_balance="forfeit")
    team = await team_of(somebody)
    token = await token_of(database, await invite(somebody, team, operator.email, "admin"))
    await five_in_use(database, AccountId(UUID(team)))
    await somebody.client.post(f"{ME}/deletion", json={})
    await make_due(database)
    await work(app, "deletions")
    assert await run_sql(database, "SELECT 1 FROM users WHERE erased_at IS NOT NULL") == [], "calls hold some of it"
    late = await operator.client.post("/api/v1/invitations/accept", json={"token": token})
    assert (late.status_code, late.json()["code"]) == (401, "invalid_token")


async def test_strangers_get_nothing(client: httpx.AsyncClient) -> None:
    for method, path in [("GET", "export"), ("POST", "export"), ("POST", "export/link"), ("GET", "deletion"),
                         ("POST", "deletion"), ("DELETE", "deletion")]:  # fmt: skip
        assert (await client.request(method, f"{ME}/{path}")).status_code == 401
    assert (await client.get(f"{ME}/export/file", params={"token": "x"})).status_code == 401
