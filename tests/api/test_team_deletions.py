"""The end of a team that is not empty: asked for, thought better of, carried out, and what is left of it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from airouter.domain.ids import AccountId
from tests.api.teams import ACCOUNTS, invite, put_in, team_of, within
from tests.builders import Signed, grant, priced_model, run_sql, signed_in, spend

KEYS = "/api/v1/keys"


@pytest.fixture
async def ada(app: Any, database: str) -> AsyncIterator[Signed]:
    async with signed_in(app, database) as signed:
        yield signed


@pytest.fixture
async def operator(app: Any, database: str) -> AsyncIterator[Signed]:
    async with signed_in(app, database, role="owner") as signed:
        yield signed


async def work(app: Any) -> None:
    """The job, once, now."""
    await app._house.services().jobs.run("team_deletions")


async def policy(operator: Signed, **value: Any) -> None:
    answer = await operator.client.put("/api/v1/admin/policies/privacy", json=value)
    assert answer.status_code == 200, answer.text


async def make_due(database: str) -> None:
    await run_sql(database, "UPDATE team_deletions SET due_at = now() - interval '1 second'")


async def acts(operator: Signed, team: str) -> list[str]:
    answer = await operator.client.get("/api/v1/admin/audit-log", params={"account_id": team})
    return [act["action"] for act in answer.json()["items"]]


def refusal(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def test_a_team_with_quota_goes_when_its_day_comes_and_the_books_keep_what_happened(
    app: Any, database: str, ada: Signed, operator: Signed
) -> None:
    await policy(operator, remaining_balance="forfeit", deletion_grace_days=3)
    team = await team_of(ada)
    async with signed_in(app, database) as bob:
        await put_in(database, team, bob, "member")
        await grant(database, AccountId(UUID(team)), 10**9)
        made = (await bob.client.post(KEYS, json={"name": "his"}, headers=within(team))).json()
        request_id = await spend(database, made["id"], await priced_model(database))
        await invite(ada, team, "somebody@example.org")
        token = await ada.client.post(
            "/api/v1/tokens", json={"name": "t", "scopes": ["usage.read"]}, headers=within(team)
        )
        bearer = {"authorization": f"Bearer {token.json()['token']}"}
        assert (await ada.client.get("/api/v1/usage", headers=bearer)).status_code == 200

        asked = await ada.client.post(f"{ACCOUNTS}/{team}/deletion", json={})
        assert (asked.status_code, asked.json()["is_by_operator"]) == (202, False)
        mails = await run_sql(database, "SELECT recipient FROM mails WHERE letter = 'team_deletion_requested'")
        assert [mail["recipient"] for mail in mails] == [ada.email]
        await work(app)
        shown = await bob.client.get(f"{ACCOUNTS}/{team}/deletion")
        assert shown.json() == {"deletion": asked.json()}, "it is not due yet, and every member sees when it is"
        assert (await operator.client.get(f"/api/v1/admin/accounts/{team}")).json()["deletion_due_at"] is not None
        await make_due(database)
        await work(app)

        for who in (ada, bob):
            assert (await who.client.get("/api/v1/wallet", headers=within(team))).status_code == 404
    assert (await ada.client.get("/api/v1/usage", headers=bearer)).status_code == 401
    key = await run_sql(database, "SELECT status FROM keys WHERE key_id = $1", UUID(made["id"]))
    assert key[0]["status"] == "deleted"
    assert await run_sql(database, "SELECT 1 FROM invitations WHERE revoked_at IS NULL") == []
    account = (await operator.client.get(f"/api/v1/admin/accounts/{team}")).json()
    assert (account["balance"], account["status"], account["members"]) == (0, "paused", [])
    assert (account["deletion_due_at"], account["deleted_at"] is None) == (None, False)
    forfeited = await run_sql(database, "SELECT amount, credit_wallet FROM transfers WHERE kind = 'forfeit'")
    assert [tuple(row) for row in forfeited] == [(10**9 - 2_000_000, 2)]
    kept = await run_sql(database, "SELECT account_id FROM usage_records WHERE request_id = $1", request_id)
    assert [str(row["account_id"]) for row in kept] == [team]
    assert {"account.deletion_requested", "account.deleted", "balance.forfeited"} <= set(await acts(operator, team))
    revived = await operator.client.patch(f"/api/v1/admin/accounts/{team}", json={"status": "active"})
    assert revived.status_code == 404, "what is gone stays gone"


async def test_a_team_is_kept_after_all_until_the_deletion_is_due(
    app: Any, database: str, ada: Signed, operator: Signed
) -> None:
    team = await team_of(ada)
    key = (await ada.client.post(KEYS, json={"name": "k"}, headers=within(team))).json()["id"]
    at, admin = f"{ACCOUNTS}/{team}/deletion", f"/api/v1/admin/accounts/{team}/deletion"
    assert (await ada.client.get(at)).json() == {"deletion": None}
    answer = await operator.client.post(admin, json={"end_keys_now": True})
    assert (answer.status_code, answer.json()["is_by_operator"]) == (202, True)
    assert (await run_sql(database, "SELECT status FROM keys WHERE key_id = $1", UUID(key)))[0]["status"] == "deleted"
    assert (await ada.client.delete(at)).status_code == 204, "its owners may keep it, whoever asked"
    assert (await ada.client.get(at)).json() == {"deletion": None}
    await ada.client.post(at, json={})
    assert (await operator.client.delete(admin)).status_code == 204
    await work(app)
    assert (await ada.client.get(f"{ACCOUNTS}/{team}")).status_code == 200
    await ada.client.post(at, json={})
    await make_due(database)
    assert refusal(await ada.client.delete(at)) == (409, "deletion_under_way")
    done = await acts(operator, team)
    assert (done.count("account.deletion_requested"), done.count("account.deletion_cancelled")) == (3, 2)


async def test_only_its_owners_and_operators_delete_a_team_and_only_with_a_fresh_proof(
    app: Any, database: str, ada: Signed, operator: Signed
) -> None:
    team = await team_of(ada)
    at, admin = f"{ACCOUNTS}/{team}/deletion", f"/api/v1/admin/accounts/{team}/deletion"
    async with signed_in(app, database) as bob, signed_in(app, database) as eve:
        await put_in(database, team, bob, "admin")
        assert (await bob.client.post(at, json={})).status_code == 403
        assert (await bob.client.delete(at)).status_code == 403
        assert (await eve.client.get(at)).status_code == 404
        assert (await eve.client.post(admin, json={})).status_code == 403
    assert refusal(await ada.client.post(f"{ACCOUNTS}/{ada.account_id}/deletion", json={})) == (409, "not_a_team")
    own = f"/api/v1/admin/accounts/{ada.account_id}/deletion"
    assert refusal(await operator.client.post(own, json={})) == (409, "not_a_team")
    await run_sql(database, "UPDATE sessions SET authenticated_at = now() - interval '1 day'")
    for who, path in ((ada, at), (operator, admin)):
        assert refusal(await who.client.post(path, json={})) == (403, "reauthentication_required")


async def test_what_is_left_is_refused_unless_the_policy_takes_it_also_when_it_came_later(
    app: Any, database: str, ada: Signed, operator: Signed
) -> None:
    team = await team_of(ada)
    at = f"{ACCOUNTS}/{team}/deletion"
    await grant(database, AccountId(UUID(team)), 5)
    answer = await ada.client.post(at, json={})
    assert (*refusal(answer), answer.json()["balance"]) == (409, "balance_remains", 5)
    other = await team_of(ada, "Other")
    assert (await ada.client.post(f"{ACCOUNTS}/{other}/deletion", json={})).status_code == 202
    await grant(database, AccountId(UUID(other)), 7)
    await make_due(database)
    await work(app)
    assert (await ada.client.get("/api/v1/wallet", headers=within(other))).json()["balance"] == 7, "postponed"
    assert "account.deletion_postponed" in await acts(operator, other)
    assert (await ada.client.delete(f"{ACCOUNTS}/{other}/deletion")).status_code == 204, "and it can be kept again"


async def test_what_calls_hold_is_waited_for_and_many_processes_end_a_team_once(
    app: Any, database: str, ada: Signed, operator: Signed
) -> None:
    await policy(operator, remaining_balance="forfeit")
    team = await team_of(ada)
    await grant(database, AccountId(UUID(team)), 5)
    await run_sql(
        database,
        "WITH n AS (INSERT INTO nodes (node_id) VALUES (gen_random_uuid()) RETURNING node_id), "
        "w AS (UPDATE wallets SET leased = 5 WHERE account_id = $1 AND kind = 'main' RETURNING wallet_id) "
        "INSERT INTO wallet_leases (node_id, wallet_id, amount) SELECT node_id, wallet_id, 5 FROM n, w",
        UUID(team),
    )
    assert (await ada.client.post(f"{ACCOUNTS}/{team}/deletion", json={})).status_code == 202
    await make_due(database)
    await work(app)
    account = (await operator.client.get(f"/api/v1/admin/accounts/{team}")).json()
    assert (account["balance"], account["members"]) == (5, []), "it is over, but what calls hold stays theirs"
    assert account["deletion_due_at"] is not None, "and it is not finished"
    await run_sql(
        database,
        "WITH l AS (DELETE FROM wallet_leases RETURNING wallet_id) "
        "UPDATE wallets SET leased = 0 WHERE wallet_id IN (SELECT wallet_id FROM l)",
    )
    await asyncio.gather(*(work(app) for _ in range(8)))
    moved = await run_sql(database, "SELECT amount FROM transfers WHERE kind = 'forfeit'")
    assert [row["amount"] for row in moved] == [5]
    done = await acts(operator, team)
    assert (done.count("account.deleted"), done.count("balance.forfeited")) == (1, 1)
    assert (await operator.client.get(f"/api/v1/admin/accounts/{team}")).json()["deletion_due_at"] is None
